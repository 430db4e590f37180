/* caller.h - a client of a server under test, byte by byte: it sends what it is told, keeps what
 * comes back, and goes as it is told.  Plain or TLS, on the test's own loop. */
#ifndef TEST_INTEGRATION_CALLER_H
#define TEST_INTEGRATION_CALLER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;

struct caller {
    struct event_base *base;
    struct event *readable, *writable;
    int fd;
    SSL *ssl;         /* NULL: plain */
    const char *next; /* to be sent; borrowed */
    size_t left;
    char got[8192]; /* a text; the first of it */
    size_t n_got;
    size_t total;        /* with what was not kept */
    bool ended, clean;   /* the server closed; after close_notify, or with FIN */
    bool sent, answered; /* what caller_send() and caller_until() wait for */
    const char *awaited;
    size_t times, wanted;
};

/* Connected, by the kernel: the server need not have accepted.  `tls` NULL: plain. */
void caller_open(struct caller *caller, struct event_base *base, const char *address, uint16_t port,
                 SSL_CTX *tls);
void caller_close(struct caller *caller);
/* Until it hears again nothing is taken from its socket. */
void caller_turn_deaf(struct caller *caller);
void caller_hear_again(struct caller *caller);
/* Says that it sends no more, and resets the connection: the server's next write is of the kind
 * that raises SIGPIPE. */
void caller_vanish(struct caller *caller);

/* Turns the loop until everything is sent. */
void caller_send(struct caller *caller, const void *bytes, size_t length);
void caller_says(struct caller *caller, const char *text);
/* Begins to send, as the loop turns; the bytes are borrowed. */
void caller_send_on(struct caller *caller, const void *bytes, size_t length);
/* Hands it to the kernel, or as much as TLS lets it; the loop is not turned. */
void caller_says_at_once(struct caller *caller, const char *text);

/* Turns the loop until the text has come; or come so often. */
void caller_until(struct caller *caller, const char *text);
void caller_until_nth(struct caller *caller, const char *text, size_t n);
/* Turns the loop until so many bytes have come, in all. */
void caller_until_total(struct caller *caller, size_t total);
void caller_until_end(struct caller *caller);
/* The statuses that came, "201 404". */
const char *caller_statuses(const struct caller *caller, char out[256]);

#endif
