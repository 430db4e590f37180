/* scalekit/webhook_server.h - receivers of deliveries, on the caller's loop.
 *
 * A server of its own, behind a proxy or with TLS, once scalekit_webhook_accept() has said which secrets
 * to believe:
 *
 *     scalekit_webhook_accept(client, …, &problem);
 *     scalekit_webhook_server_new(&server, base,
 *                                 SCALEKIT_PARAMS(scalekit_webhook_server_params,
 *                                                 .client = client, .port = 8080,
 *                                                 .path = "/webhooks/scalekit"),
 *                                 &problem);
 *
 * or a path of an evhttp server that the application has:
 *
 *     evhttp_set_cb(http, "/webhooks/scalekit", scalekit_webhook_evhttp_cb, client);
 *
 * Both hand every POST to scalekit_webhook_deliver() and answer before watches or handlers are told:
 *
 *   201       taken in, or had before
 *   400       a header is missing, there twice, or no number; the body is no event
 *   401       the signature is wrong, or too old, or from the future
 *   404, 405  another path (of the server of its own); another method than POST
 *   413       the body is larger than SCALEKIT_WEBHOOK_MAX_BODY
 *   500       there is no secret (scalekit_webhook_accept()), or no memory
 *   503       too much waits to be told; Scalekit posts it again
 *
 * Why a client has refused a delivery is in its log, at level INFO, and how many it has refused in its
 * statistics (watch_stats.h).
 *
 * The connection is closed after a request that a proxy in front may see end elsewhere: one in chunks,
 * with a length that is not one plain number, or with a body and another method than POST. */
#ifndef SCALEKIT_WEBHOOK_SERVER_H
#define SCALEKIT_WEBHOOK_SERVER_H

#include <scalekit/webhook_deliver.h>

struct event_base;
struct evhttp_request;

SCALEKIT_BEGIN

typedef struct scalekit_webhook_server scalekit_webhook_server;

/* Takes in a delivery instead of a client.  Borrowed until it returns.  Returns the verdict, which
 * decides the answer (scalekit_webhook_http_status()); the answer leaves when it has returned. */
typedef enum scalekit_webhook_verdict (*scalekit_webhook_take_cb)(
    const struct scalekit_webhook_delivery *delivery, void *user);

/* Told that a request was answered with that status without asking `take`: 404, 405, or 500 for lack
 * of memory.  What evhttp answers by itself, 400 and 413, shows nowhere. */
typedef void (*scalekit_webhook_refused_cb)(int http_status, void *user);

struct scalekit_webhook_server_params {
    size_t struct_size;
    scalekit_client *client;             /* whose deliveries they are; or */
    scalekit_webhook_take_cb take;       /* who takes them in instead */
    scalekit_webhook_refused_cb refused; /* beside take; NULL: nobody is told */
    void *user;                          /* handed to both */
    const char *address;                 /* to listen on, IPv4 or IPv6; NULL: "127.0.0.1" */
    uint16_t port;                       /* 0: any that is free */
    /* Beginning with '/', of printable ASCII without '?' and '#'; NULL: "/".  Compared with what was
     * asked for as it is, up to its query. */
    const char *path;
    /* PEM files: the certificate and the chain behind it, and its key, unencrypted.  Both: https://
     * (TLS 1.2 or later); neither: http://, for a place behind a proxy. */
    const char *certificate_file, *key_file;
    unsigned max_connections; /* at once: to 65,536; 0: 1,024.  More wait to be accepted */
    /* A connection is closed when a request does not begin so long after the last answer, or is not
     * complete so long after its first byte; to a day; 0: 60,000. */
    int64_t idle_timeout_ms;
    /* What the server is allocated with; copied.  The last of it is given back when the loop has
     * turned after scalekit_webhook_server_free(), or with the base.  NULL: the C library's. */
    const struct scalekit_allocator *allocator;
};

/* Listens, and keeps the loop running until it is freed.  HTTP/1.0 and 1.1, kept alive and pipelined;
 * requests have at most 16 KiB of headers and SCALEKIT_WEBHOOK_MAX_BODY of body, and a connection
 * holds 4 MiB at the very most.  What is no HTTP is answered 400, and the connection closed; a peer
 * that closes its side before it has its answer may get none.
 *
 *   out      the server; yours, to be freed before its client and its base.  NULL when it failed
 *   base     the loop; borrowed
 *   params   copied; the client is borrowed.  The files are read now, and not again
 *   problem  NULL, or set to a static sentence that names the member that is wrong
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: not exactly one of client and take is given, a member is
 * out of range, the address or the path is none; SCALEKIT_ERR_TLS: the files cannot be read, or do
 * not belong together; SCALEKIT_ERR_CONNECT: the port is taken, or may not be listened on;
 * SCALEKIT_ERR_NOMEM. */
SCALEKIT_API scalekit_err scalekit_webhook_server_new(
    scalekit_webhook_server **out, struct event_base *base,
    const struct scalekit_webhook_server_params *params, const char **problem);

/* The port on which it listens; 0 for NULL. */
SCALEKIT_API uint16_t scalekit_webhook_server_port(const scalekit_webhook_server *server);

/* Closes every connection, answered or not.  Not from inside `take` or `refused`.  NULL is ignored. */
SCALEKIT_API void scalekit_webhook_server_free(scalekit_webhook_server *server);

/* Answers a request of an evhttp server, whose limits are the application's: evhttp has none unless
 * evhttp_set_max_body_size(), evhttp_set_max_headers_size() and evhttp_set_timeout() are called.
 * `client`: a scalekit_client; freed after the server, or after evhttp_del_cb().
 *
 * This answer raises no SIGPIPE over plain HTTP.  What evhttp writes by itself can (400, 413, 100
 * Continue), and so can TLS of the application's: it may want to ignore the signal. */
SCALEKIT_API void scalekit_webhook_evhttp_cb(struct evhttp_request *request, void *client);

SCALEKIT_END

#endif
