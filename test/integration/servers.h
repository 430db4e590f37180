/* servers.h - nginx and nghttpx on loopback: HTTP/2 as others understand it.
 *
 *     struct server server;
 *     server_init(&server);
 *     server_start_nginx(&server, "http2", "", "location / { ... }");
 *     ... a client of server.url that trusts server.pki.ca_file ...
 *     server_stop(&server, SIGTERM);
 *     ... server_read_log() ...
 *     server_free(&server);
 *
 * The socket listens before the program runs and is inherited by it, so that nobody has to wait for
 * the program to be ready.  What goes wrong fails the running test at once. */
#ifndef TEST_INTEGRATION_SERVERS_H
#define TEST_INTEGRATION_SERVERS_H

#include "harness.h"
#include "unit/net/certificates.h"
#include <sys/types.h>

struct server {
    struct test_pki pki; /* of its certificate, for 127.0.0.1; its directory has all its files */
    char url[48];        /* https:// */
    uint16_t port;
    int reserved; /* keeps the port while nothing listens on it */
    pid_t pid;    /* 0: not running */
};

void server_init(struct server *server);
/* Also stops it. */
void server_free(struct server *server);

/* With one worker, which logs for server_read_log().  `listen`: "http2", or "" for HTTP/1.1; `http`
 * and `rest` are directives, of the http block and of its server block. */
void server_start_nginx(struct server *server, const char *listen, const char *http,
                        const char *rest);
/* HTTP/2 before a server of HTTP/1.1 in the clear on that port.  `rest` are lines of nghttpx.conf. */
void server_start_nghttpx(struct server *server, uint16_t backend, const char *rest);

/* Ends it by a signal, and waits until all its processes are gone: nothing listens on its port then.
 * Asserts that it was still running. */
void server_stop(struct server *server, int signal_number);

void server_signal(const struct server *server, int signal_number);
/* Whether a line of its own log holds that text. */
bool server_complained(const struct server *server, const char *text);

/* Puts bytes into a file of its directory. */
void server_write_file(const struct server *server, const char *name, const char *bytes,
                       size_t length);

/* One answered request. */
struct server_line {
    unsigned connection; /* its number */
    char protocol[16];   /* "HTTP/2.0" */
    bool resumed;        /* the connection's TLS session */
    char method[8];
    int status;
    char uri[256];
};

/* Reads the log of every nginx that ran; to be called when it has stopped. */
void server_read_log(const struct server *server,
                     void (*line)(void *user, const struct server_line *line), void *user);

#endif
