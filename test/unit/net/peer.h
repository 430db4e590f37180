/* peer.h - the other side: a server on loopback that does as a test tells it, well or badly.
 *
 * It runs on the test's own event_base; the kernel chooses the port.  Each accepted connection is
 * a link.  Without handlers a peer accepts, shakes hands, takes what comes, and stays mute. */
#ifndef TEST_NET_PEER_H
#define TEST_NET_PEER_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct test_peer;
struct test_link;

struct test_peer_config {
    const char *address; /* "127.0.0.1" when NULL */
    uint16_t port;       /* 0: the kernel's choice */
    SSL_CTX *tls;        /* borrowed; NULL: plain */
    bool drip;           /* sends one byte per turn of the loop */
    int socket_buffer;   /* the kernel's for each direction, in bytes; 0: the kernel's choice */

    /* Each may be NULL; the first two may end their link.  opened: accepted and, with TLS, shaken
     * hands. */
    void (*opened)(struct test_link *link);
    void (*received)(struct test_link *link, const char *bytes, size_t length);
    void (*closed)(struct test_link *link); /* whoever ended it; only to be looked at */
    void *user;
};

/* What happened so far. */
struct test_peer_counts {
    unsigned accepted; /* connections */
    unsigned opened;   /* of them, those that finished the handshake */
    unsigned resumed;  /* of them, those that resumed a TLS session */
    unsigned clean;    /* links the client ended with close_notify (plain: FIN) */
    unsigned broken;   /* links that ended in any other way */
    size_t bytes;      /* received over all links */
};

struct test_peer *test_peer_new(struct event_base *base, const struct test_peer_config *config);
void test_peer_free(struct test_peer *peer); /* and all its links, as by test_link_cut() */
uint16_t test_peer_port(const struct test_peer *peer);
const struct test_peer_counts *test_peer_counts(const struct test_peer *peer);
void *test_peer_user(const struct test_peer *peer);
void test_peer_sleep(struct test_peer *peer, bool asleep); /* asleep: it has no event pending */
struct test_link *test_peer_last(
    const struct test_peer *peer); /* the latest link that lives; or NULL */

struct test_peer *test_link_peer(const struct test_link *link);
SSL *test_link_ssl(const struct test_link *link); /* NULL: plain */
const char *test_link_alpn(const struct test_link *link, char out[32]);
void *test_link_user(const struct test_link *link); /* what a handler has set; NULL at first */
void test_link_set_user(struct test_link *link, void *user);

/* Sends; copied.  What does not fit goes out as the client reads. */
void test_link_send(struct test_link *link, const void *bytes, size_t length);
void test_link_says(struct test_link *link, const char *text);

/* Ways to end a link.  The first two wait until everything has been sent. */
void test_link_finish(struct test_link *link); /* close_notify, FIN */
void test_link_cut(struct test_link *link);    /* FIN without close_notify */
void test_link_reset(struct test_link *link);  /* RST, at once */

/* A handler: sends back what it receives. */
void test_link_echo(struct test_link *link, const char *bytes, size_t length);

/* An address of 127.0.0.1 whose port nobody listens on. */
uint16_t test_refused_port(void);

#endif
