/* line.h - a stream, a client that notes what it tells, and the server at the other end. */
#ifndef TEST_NET_LINE_H
#define TEST_NET_LINE_H

#include "certificates.h"
#include "harness.h"
#include "net/stream.h"
#include "peer.h"

#define MEGABYTE (1024 * 1024)

enum kind { PLAIN, TLS_1_2, TLS_1_3, KINDS };

enum place { NOWHERE, IN_OPENED, IN_RECEIVED, IN_DRAINED, IN_CLOSED, PLACES };

struct client {
    struct ski_stream *stream;
    bool calling;                       /* one of the stream's functions is running */
    enum place close_in;                /* the handler that closes it */
    bool pause_in_received;             /* after each piece */
    bool opened, drained, closed, over; /* over: ended or closed itself */
    unsigned n_received;
    size_t length;
    char alpn[32];
    char *bytes; /* what came, if it is wanted */
    struct ski_failure failure;
};

struct line {
    struct test_loop test;
    struct test_pki pki;
    SSL_CTX *server;
    struct ski_tls *tls;
    struct ski_resolver *resolver;
    struct test_peer *peer;
    struct client client;
};

extern const struct ski_stream_handler client_handler; /* `user`: a client */
void client_close(struct client *client);

void line_init(struct line *line, enum kind kind, const struct test_peer_config *config);
void line_free(struct line *line);

/* The client's stream, to the server or elsewhere; the last one waits until it has opened. */
void line_open(struct line *line);
void line_open_to(struct line *line, const char *host, uint16_t port);
void line_until_opened(struct line *line);
void line_write(struct line *line, const void *bytes, size_t length);

/* Run the loop until it is so; they fail the test after 10 s. */
void line_until(struct line *line, const bool *done);
void line_until_size(struct line *line, const size_t *value, size_t n);
void line_until_count(struct line *line, const unsigned *value, unsigned n);

#endif
