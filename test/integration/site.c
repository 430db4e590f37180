#include "site.h"
#include <event2/event.h>

static enum scalekit_webhook_verdict take(const struct scalekit_webhook_delivery *delivery,
                                          void *user)
{
    struct site *site = user;
    size_t kept = delivery->body_length < sizeof site->body ? delivery->body_length : 0;
    size_t used = 0;

    CU_ASSERT_EQUAL(delivery->struct_size, sizeof *delivery);
    CU_ASSERT_FALSE(delivery->interceptor);
    site->taken++;
    site->had_body = delivery->body;
    site->body_length = delivery->body_length;
    if (kept)
        memcpy(site->body, delivery->body, kept);
    site->n_headers = delivery->n_headers;
    site->headers[0] = '\0';
    for (size_t i = 0; i < delivery->n_headers && used < sizeof site->headers; i++)
        used += (size_t)snprintf(site->headers + used, sizeof site->headers - used, "%s=%s\n",
                                 delivery->headers[i].key, delivery->headers[i].value);
    return site->verdict;
}

static void trust(struct site *site)
{
    test_pki_write(&site->pki, &(struct test_identity){.names = "IP:127.0.0.1"}, "site");
    snprintf(site->certificate, sizeof site->certificate, "%s/site.crt", site->pki.directory);
    snprintf(site->key, sizeof site->key, "%s/site.key", site->pki.directory);
    site->client_tls = SSL_CTX_new(TLS_client_method());
    CU_ASSERT_PTR_NOT_NULL_FATAL(site->client_tls);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_load_verify_file(site->client_tls, site->pki.ca_file), 1);
    SSL_CTX_set_verify(site->client_tls, SSL_VERIFY_PEER, NULL);
}

void site_begin(struct site *site, bool tls)
{
    memset(site, 0, sizeof *site);
    test_memory_init(&site->memory);
    site->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(site->base);
    if (!tls)
        return;
    test_pki_init(&site->pki);
    trust(site);
}

static void on_refused(int http_status, void *user)
{
    struct site *site = user;

    site->refused = http_status;
}

scalekit_err site_serve(struct site *site, const struct scalekit_webhook_server_params *params,
                        scalekit_webhook_server **server, const char **problem)
{
    struct scalekit_webhook_server_params p = {.struct_size = sizeof p};

    if (params)
        p = *params;
    p.struct_size = sizeof p;
    p.allocator = &site->memory.allocator;
    if (!p.client && !p.take) {
        p.take = take;
        p.refused = on_refused;
        p.user = site;
    }
    if (!p.path)
        p.path = "/hook";
    if (site->client_tls && !p.certificate_file) {
        p.certificate_file = site->certificate;
        p.key_file = site->key;
    }
    return scalekit_webhook_server_new(server, site->base, &p, problem);
}

void site_open(struct site *site, bool tls, const struct scalekit_webhook_server_params *params)
{
    const char *problem = "";

    site_begin(site, tls);
    CU_ASSERT_EQUAL_FATAL(site_serve(site, params, &site->server, &problem), SCALEKIT_OK);
    CU_ASSERT_PTR_NULL(problem);
    site->port = scalekit_webhook_server_port(site->server);
}

void site_close(struct site *site)
{
    scalekit_webhook_server_free(site->server);
    event_base_free(site->base);
    CU_ASSERT_EQUAL(site->memory.live, 0);
    if (!site->client_tls)
        return;
    SSL_CTX_free(site->client_tls);
    test_pki_free(&site->pki);
}

void site_call(struct site *site, struct caller *caller)
{
    caller_open(caller, site->base, "127.0.0.1", site->port, site->client_tls);
}
