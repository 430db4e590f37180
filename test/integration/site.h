/* site.h - a webhook server that keeps what it takes, and whom its clients trust. */
#ifndef TEST_INTEGRATION_SITE_H
#define TEST_INTEGRATION_SITE_H

#include "caller.h"
#include "harness.h"
#include "unit/net/certificates.h"
#include <scalekit/scalekit.h>

#define HOOK "POST /hook HTTP/1.1\r\nHost: a\r\n"

struct site {
    struct event_base *base;
    struct test_memory memory;
    struct test_pki pki;
    char certificate[128], key[128];
    SSL_CTX *client_tls; /* for callers; NULL: the server is plain */
    scalekit_webhook_server *server;
    uint16_t port;

    enum scalekit_webhook_verdict verdict; /* of every delivery */
    unsigned taken;
    int refused;   /* the status of the latest that was not; 0: none */
    bool had_body; /* of the latest */
    char body[64];
    size_t body_length, n_headers;
    char headers[1024]; /* "name=value\n", cut when full */
};

/* At /hook of 127.0.0.1; `params` may be NULL, and wins where it says something else. */
void site_open(struct site *site, bool tls, const struct scalekit_webhook_server_params *params);
/* Asserts that no memory is left. */
void site_close(struct site *site);

/* The parts of it, for tests with servers of their own. */
void site_begin(struct site *site, bool tls);
scalekit_err site_serve(struct site *site, const struct scalekit_webhook_server_params *params,
                        scalekit_webhook_server **server, const char **problem);

void site_call(struct site *site, struct caller *caller);

#endif
