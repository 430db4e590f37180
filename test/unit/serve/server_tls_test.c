#include "harness.h"
#include "serve/server_tls.h"
#include "unit/net/certificates.h"

struct meeting {
    const char *name;
    const char *offers; /* ALPN in wire format; NULL: none */
    int newest;         /* version of the client; 0: any */
    bool meets;
    const char *chosen; /* "": nothing */
};

static const struct meeting meetings[] = {
    {"without ALPN", NULL, 0, true, ""},
    {"HTTP/1.1", "\x08http/1.1", 0, true, "http/1.1"},
    {"HTTP/2 first", "\x02h2\x08http/1.1", 0, true, "http/1.1"},
    {"HTTP/2 only", "\x02h2", 0, false, ""},
    {"TLS 1.2", "\x08http/1.1", TLS1_2_VERSION, true, "http/1.1"},
    {"TLS 1.1", "\x08http/1.1", TLS1_1_VERSION, false, ""},
};

static SSL_CTX *new_client(const struct test_pki *pki, const struct meeting *meeting)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    CU_ASSERT_EQUAL_FATAL(SSL_CTX_load_verify_file(context, pki->ca_file), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_max_proto_version(context, meeting->newest);
    if (meeting->offers)
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)meeting->offers,
                                (unsigned)strlen(meeting->offers));
    return context;
}

static void connect_by_memory(SSL *client, SSL *server)
{
    BIO *there = NULL, *back = NULL;

    CU_ASSERT_EQUAL_FATAL(BIO_new_bio_pair(&there, 0, &back, 0), 1);
    SSL_set_bio(client, there, there);
    SSL_set_bio(server, back, back);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
}

static void meet(const struct test_pki *pki, SSL_CTX *ours, const struct meeting *meeting)
{
    SSL_CTX *context = new_client(pki, meeting);
    SSL *client = SSL_new(context), *server = SSL_new(ours);
    const unsigned char *chosen;
    unsigned length;
    bool meets;
    char byte;

    connect_by_memory(client, server);
    for (int step = 0; step < 10; step++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    SSL_read(client, &byte, 1); /* where a ticket would be */
    meets = SSL_is_init_finished(client) && SSL_is_init_finished(server);
    SSL_get0_alpn_selected(client, &chosen, &length);
    if (meets != meeting->meets)
        printf("%s\n", meeting->name);
    CU_ASSERT_EQUAL(meets, meeting->meets);
    CU_ASSERT_EQUAL_FATAL(length, strlen(meeting->chosen));
    CU_ASSERT(!length || memcmp(chosen, meeting->chosen, length) == 0);
    CU_ASSERT(!meets || !SSL_SESSION_is_resumable(SSL_get_session(client)));
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
}

static void it_speaks_what_the_server_does(void)
{
    char certificate[128], key[128];
    const char *problem = NULL;
    struct test_pki pki;
    SSL_CTX *ours = NULL;

    test_pki_init(&pki);
    test_pki_write(&pki, &(struct test_identity){.names = "IP:127.0.0.1"}, "ours");
    snprintf(certificate, sizeof certificate, "%s/ours.crt", pki.directory);
    snprintf(key, sizeof key, "%s/ours.key", pki.directory);
    CU_ASSERT_EQUAL_FATAL(ski_server_tls_new(&ours, certificate, key, &problem), SCALEKIT_OK);
    CU_ASSERT_PTR_NULL(problem);
    for (size_t i = 0; i < sizeof meetings / sizeof *meetings; i++)
        meet(&pki, ours, &meetings[i]);
    SSL_CTX_free(ours);
    test_pki_free(&pki);
}

SUITE(server_tls,
      {"it speaks what the server does, and keeps no session", it_speaks_what_the_server_does})
