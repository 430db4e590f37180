#include "certificates.h"
#include "harness.h"
#include "net/tls.h"
#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALPN "\x02h2\x08http/1.1"

/* Two ends of a socket, with TLS on both. */
struct pair {
    int fds[2];
    SSL *client, *server;
};

static struct test_memory memory;
static struct ski_mem mem;

static void set_up(struct test_pki *pki)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    test_pki_init(pki);
}

static struct ski_tls *new_tls(const char *host, const char *ca_file)
{
    struct ski_failure failure;
    struct ski_tls *tls;

    CU_ASSERT_EQUAL_FATAL(ski_tls_new(&tls, &mem, host, ca_file, ALPN, &failure), SCALEKIT_OK);
    return tls;
}

static void pair_open(struct pair *pair, struct ski_tls *tls, SSL_CTX *server)
{
    CU_ASSERT_EQUAL_FATAL(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair->fds), 0);
    pair->client = ski_tls_ssl_new(tls, pair->fds[0]);
    pair->server = SSL_new(server);
    CU_ASSERT_FATAL(pair->client && pair->server);
    SSL_set_fd(pair->server, pair->fds[1]);
    SSL_set_accept_state(pair->server);
}

static void pair_close(struct pair *pair)
{
    ski_tls_ssl_retire(pair->client);
    SSL_free(pair->client);
    SSL_free(pair->server);
    close(pair->fds[0]);
    close(pair->fds[1]);
    ERR_clear_error();
}

static bool wants_more(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* Whether the client finished; then the server has answered with one byte, which has brought the
 * session tickets along. */
static bool shake_hands(struct pair *pair)
{
    int result;
    char byte;

    do {
        ERR_clear_error();
        result = SSL_do_handshake(pair->client);
        if (result <= 0 && !wants_more(pair->client, result))
            return false;
        if (!SSL_is_init_finished(pair->server)) {
            int served = SSL_do_handshake(pair->server);

            if (served <= 0 && !wants_more(pair->server, served) && result > 0)
                return false;
        }
        ERR_clear_error();
    } while (result <= 0 || !SSL_is_init_finished(pair->server));
    CU_ASSERT_EQUAL(SSL_write(pair->server, "x", 1), 1);
    CU_ASSERT_EQUAL(SSL_read(pair->client, &byte, 1), 1);
    return true;
}

/* --- trust ------------------------------------------------------------------------------------- */

struct certificate_row {
    const char *host, *names;
    enum test_issuer issuer;
    int from_day, to_day;
    const char *refused; /* NULL: accepted */
};

static void check_certificate(const struct test_pki *pki, const struct certificate_row *row)
{
    struct test_identity identity = {row->names, row->issuer, row->from_day, row->to_day};
    SSL_CTX *server = test_pki_server(pki, &identity);
    struct ski_tls *tls = new_tls(row->host, pki->ca_file);
    struct ski_failure failure = {0};
    struct pair pair;

    pair_open(&pair, tls, server);
    if (!shake_hands(&pair))
        ski_tls_describe(pair.client, SCALEKIT_PHASE_TLS, &failure);
    CU_ASSERT_EQUAL(failure.code, row->refused ? SCALEKIT_ERR_TLS : SCALEKIT_OK);
    CU_ASSERT_STRING_EQUAL(failure.text, row->refused ? row->refused : "");
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
    pair_close(&pair);
    SSL_CTX_free(server);
    ski_tls_free(tls);
}

static void test_certificates(void)
{
    static const struct certificate_row rows[] = {
        {"acme.example", "DNS:acme.example", TEST_ISSUER_CA, 0, 0, NULL},
        {"acme.example.", "DNS:acme.example", TEST_ISSUER_CA, 0, 0, NULL},
        {"ACME.example", "DNS:acme.Example", TEST_ISSUER_CA, 0, 0, NULL},
        {"acme.example", "DNS:other.example,DNS:acme.example", TEST_ISSUER_CA, 0, 0, NULL},
        {"a.acme.example", "DNS:*.acme.example", TEST_ISSUER_CA, 0, 0, NULL},
        {"127.0.0.1", "IP:127.0.0.1", TEST_ISSUER_CA, 0, 0, NULL},
        {"::1", "IP:::1", TEST_ISSUER_CA, 0, 0, NULL},

        {"acme.example", "DNS:acme.example", TEST_ISSUER_CA, -9, -2,
         "certificate of acme.example: certificate has expired"},
        {"acme.example", "DNS:acme.example", TEST_ISSUER_CA, 2, 9,
         "certificate of acme.example: certificate is not yet valid"},
        {"acme.example", "DNS:acme.example", TEST_ISSUER_ITSELF, 0, 0,
         "certificate of acme.example: self-signed certificate"},
        {"acme.example", "DNS:acme.example", TEST_ISSUER_STRANGER, 0, 0,
         "certificate of acme.example: unable to get local issuer certificate"},
        {"acme.example", "DNS:other.example", TEST_ISSUER_CA, 0, 0,
         "certificate of acme.example: hostname mismatch"},
        {"acme.example", "DNS:acme.example.org", TEST_ISSUER_CA, 0, 0,
         "certificate of acme.example: hostname mismatch"},
        {"a.b.acme.example", "DNS:*.acme.example", TEST_ISSUER_CA, 0, 0,
         "certificate of a.b.acme.example: hostname mismatch"},
        {"abc.acme.example", "DNS:a*c.acme.example", TEST_ISSUER_CA, 0, 0,
         "certificate of abc.acme.example: hostname mismatch"},
        {"127.0.0.1", "IP:127.0.0.2", TEST_ISSUER_CA, 0, 0,
         "certificate of 127.0.0.1: IP address mismatch"},
        {"127.0.0.1", "DNS:127.0.0.1", TEST_ISSUER_CA, 0, 0,
         "certificate of 127.0.0.1: IP address mismatch"},
        {"::1", "IP:::2", TEST_ISSUER_CA, 0, 0, "certificate of ::1: IP address mismatch"},
    };
    struct test_pki pki;

    set_up(&pki);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_certificate(&pki, &rows[i]);
    test_pki_free(&pki);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* Nobody in the system's list has signed ours. */
static void test_system_authorities(void)
{
    struct test_pki pki;
    struct ski_failure failure = {0};
    struct ski_tls *tls;
    SSL_CTX *server;
    struct pair pair;

    set_up(&pki);
    server = test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
    tls = new_tls("acme.example", NULL);
    pair_open(&pair, tls, server);
    CU_ASSERT_FALSE(shake_hands(&pair));
    ski_tls_describe(pair.client, SCALEKIT_PHASE_TLS, &failure);
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_TLS);
    CU_ASSERT_PTR_NOT_NULL(strstr(failure.text, "unable to get local issuer certificate"));
    pair_close(&pair);
    SSL_CTX_free(server);
    ski_tls_free(tls);
    test_pki_free(&pki);
}

static void test_bad_arguments(void)
{
    char long_host[300], empty_file[128];
    struct test_pki pki;
    struct ski_failure failure;
    struct ski_tls *tls;
    FILE *file;

    set_up(&pki);
    snprintf(empty_file, sizeof empty_file, "%s/empty", pki.directory);
    file = fopen(empty_file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fclose(file);
    memset(long_host, 'a', sizeof long_host);
    long_host[254] = '\0';
    {
        const struct {
            const char *host, *ca_file;
            scalekit_err err;
            const char *words;
        } rows[] = {
            {"", pki.ca_file, SCALEKIT_ERR_INVALID, "host name"},
            {".", pki.ca_file, SCALEKIT_ERR_INVALID, "host name"},
            {long_host, pki.ca_file, SCALEKIT_ERR_INVALID, "host name"},
            {"acme.example", "/nonexistent/ca.pem", SCALEKIT_ERR_TLS, "No such file"},
            {"acme.example", empty_file, SCALEKIT_ERR_TLS, "no certificate"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            scalekit_err err =
                ski_tls_new(&tls, &mem, rows[i].host, rows[i].ca_file, ALPN, &failure);

            CU_ASSERT_EQUAL(err, rows[i].err);
            CU_ASSERT_EQUAL(failure.code, rows[i].err);
            CU_ASSERT_PTR_NOT_NULL(strstr(failure.text, rows[i].words));
            CU_ASSERT_PTR_NULL(tls);
            CU_ASSERT_EQUAL(ERR_peek_error(), 0);
        }
    }
    test_pki_free(&pki);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* --- protocol ---------------------------------------------------------------------------------- */

static void test_old_protocol_is_refused(void)
{
    struct test_pki pki;
    struct ski_failure failure = {0};
    struct ski_tls *tls;
    SSL_CTX *server;
    struct pair pair;

    set_up(&pki);
    server = test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
    SSL_CTX_set_security_level(server, 0);
    SSL_CTX_set_min_proto_version(server, TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(server, TLS1_1_VERSION);
    tls = new_tls("acme.example", pki.ca_file);
    pair_open(&pair, tls, server);
    CU_ASSERT_FALSE(shake_hands(&pair));
    ski_tls_describe(pair.client, SCALEKIT_PHASE_TLS, &failure);
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_TLS);
    CU_ASSERT_PTR_NOT_NULL(strstr(failure.text, "TLS handshake with acme.example: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(failure.text, "protocol version"));
    pair_close(&pair);
    SSL_CTX_free(server);
    ski_tls_free(tls);
    test_pki_free(&pki);
}

static void test_hello(void)
{
    static const struct {
        const char *host, *names, *sni; /* sni NULL: none may be sent */
    } rows[] = {
        {"acme.example", "DNS:acme.example", "acme.example"},
        {"acme.example.", "DNS:acme.example", "acme.example"},
        {"127.0.0.1", "IP:127.0.0.1", NULL},
        {"::1", "IP:::1", NULL},
    };
    struct test_pki pki;

    set_up(&pki);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        SSL_CTX *server = test_pki_server(&pki, &(struct test_identity){.names = rows[i].names});
        struct ski_tls *tls = new_tls(rows[i].host, pki.ca_file);
        const unsigned char *protocol;
        const char *sni;
        unsigned length;
        struct pair pair;

        test_server_alpn(server, "http/1.1");
        pair_open(&pair, tls, server);
        CU_ASSERT(shake_hands(&pair));
        sni = SSL_get_servername(pair.server, TLSEXT_NAMETYPE_host_name);
        CU_ASSERT(rows[i].sni ? sni && strcmp(sni, rows[i].sni) == 0 : !sni);
        SSL_get0_alpn_selected(pair.client, &protocol, &length);
        CU_ASSERT(length == 8 && memcmp(protocol, "http/1.1", 8) == 0);
        pair_close(&pair);
        SSL_CTX_free(server);
        ski_tls_free(tls);
    }
    test_pki_free(&pki);
}

static void test_resumption(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct test_pki pki;

    set_up(&pki);
    for (size_t i = 0; i < 2; i++) {
        SSL_CTX *server =
            test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
        struct ski_tls *tls = new_tls("acme.example", pki.ca_file);

        SSL_CTX_set_min_proto_version(server, versions[i]);
        SSL_CTX_set_max_proto_version(server, versions[i]);
        for (int connection = 0; connection < 5; connection++) {
            struct pair pair;

            pair_open(&pair, tls, server);
            CU_ASSERT(shake_hands(&pair));
            CU_ASSERT_EQUAL(SSL_version(pair.client), versions[i]);
            CU_ASSERT_EQUAL(SSL_session_reused(pair.server), connection > 0);
            pair_close(&pair);
        }
        SSL_CTX_free(server);
        ski_tls_free(tls);
    }
    test_pki_free(&pki);
}

/* A handshake that resumed and failed must not make every later one fail. */
static void test_failure_forgets_the_session(void)
{
    struct test_pki pki;
    struct ski_failure failure;
    struct ski_tls *tls;
    SSL_CTX *server;
    struct pair pair;

    set_up(&pki);
    server = test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
    tls = new_tls("acme.example", pki.ca_file);
    pair_open(&pair, tls, server);
    CU_ASSERT(shake_hands(&pair));
    pair_close(&pair);

    pair_open(&pair, tls, server);
    CU_ASSERT_PTR_NOT_NULL(SSL_get_session(pair.client));
    shutdown(pair.fds[1], SHUT_WR);
    CU_ASSERT(SSL_do_handshake(pair.client) <= 0);
    ski_tls_describe(pair.client, SCALEKIT_PHASE_TLS, &failure);
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_TLS);
    CU_ASSERT_STRING_EQUAL(failure.text, "TLS handshake with acme.example: connection closed");
    pair_close(&pair);

    pair_open(&pair, tls, server);
    CU_ASSERT_PTR_NULL(SSL_get_session(pair.client));
    pair_close(&pair);
    SSL_CTX_free(server);
    ski_tls_free(tls);
    test_pki_free(&pki);
}

static void test_words(void)
{
    struct test_pki pki;
    struct ski_failure failure;
    struct ski_tls *tls;
    SSL_CTX *server;
    struct pair pair;
    char byte;

    set_up(&pki);
    server = test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
    tls = new_tls("acme.example", pki.ca_file);
    pair_open(&pair, tls, server);
    CU_ASSERT(shake_hands(&pair));

    errno = ECONNRESET;
    ski_tls_describe(pair.client, SCALEKIT_PHASE_SEND, &failure);
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_EQUAL(failure.phase, SCALEKIT_PHASE_SEND);
    CU_ASSERT_STRING_EQUAL(failure.text,
                           "TLS connection to acme.example: Connection reset by peer");

    shutdown(pair.fds[1], SHUT_WR);
    CU_ASSERT(SSL_read(pair.client, &byte, 1) <= 0);
    ski_tls_describe(pair.client, SCALEKIT_PHASE_WAIT, &failure);
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_EQUAL(failure.phase, SCALEKIT_PHASE_WAIT);
    CU_ASSERT_STRING_EQUAL(failure.text, "connection closed without close_notify");
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
    pair_close(&pair);
    SSL_CTX_free(server);
    ski_tls_free(tls);
    test_pki_free(&pki);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static void test_no_sigpipe(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    struct test_pki pki;
    struct ski_tls *tls;
    SSL_CTX *server;
    struct pair pair;

    set_up(&pki);
    server = test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
    tls = new_tls("acme.example", pki.ca_file);
    pair_open(&pair, tls, server);
    CU_ASSERT(shake_hands(&pair));
    signals = 0;
    sigaction(SIGPIPE, &action, &before);
    shutdown(pair.fds[1], SHUT_RDWR);
    errno = 0;
    CU_ASSERT(SSL_write(pair.client, "x", 1) <= 0);
    CU_ASSERT_EQUAL(errno, EPIPE);
    sigaction(SIGPIPE, &before, NULL);
    CU_ASSERT_EQUAL(signals, 0);
    pair_close(&pair);
    SSL_CTX_free(server);
    ski_tls_free(tls);
    test_pki_free(&pki);
}

static bool make_one(struct test_memory *limited, void *user)
{
    struct ski_mem limited_mem;
    struct ski_failure failure = {0};
    struct ski_tls *tls;
    scalekit_err err;

    ski_mem_init(&limited_mem, &limited->allocator);
    err = ski_tls_new(&tls, &limited_mem, "acme.example", user, ALPN, &failure);
    CU_ASSERT(err == SCALEKIT_OK || (err == SCALEKIT_ERR_NOMEM && failure.code == err));
    ski_tls_free(tls);
    return err == SCALEKIT_OK;
}

static void test_out_of_memory(void)
{
    struct test_pki pki;

    set_up(&pki);
    CU_ASSERT(test_every_allocation(make_one, pki.ca_file) > 1);
    test_pki_free(&pki);
}

SUITE(tls, {"accepts only a certificate of the host, in date, by the authority", test_certificates},
      {"trusts the system's authorities unless told otherwise", test_system_authorities},
      {"refuses an empty host and a useless ca_file", test_bad_arguments},
      {"refuses a server that only speaks TLS 1.1", test_old_protocol_is_refused},
      {"sends SNI for names only, and offers ALPN", test_hello},
      {"resumes every later connection, in TLS 1.2 and 1.3", test_resumption},
      {"forgets the session when a handshake fails", test_failure_forgets_the_session},
      {"says in words what went wrong", test_words}, {"raises no SIGPIPE", test_no_sigpipe},
      {"survives every failing allocation", test_out_of_memory})
