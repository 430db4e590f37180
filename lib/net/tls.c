#include "net/tls.h"
#include "net/bio.h"
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define MAX_HOST   253   /* the longest DNS name as text */
#define READ_AHEAD 32768 /* for one read(2); OpenSSL frees it once it is used up */

struct ski_tls {
    const struct ski_mem *mem;
    SSL_CTX *context;
    BIO_METHOD *bio;
    SSL_SESSION *session; /* the latest; NULL: none yet */
    bool numeric;         /* host is an address: no SNI */
    char host[MAX_HOST + 1];
};

/* OpenSSL's words for its own errors, the system's for the others. */
static const char *reason(unsigned long error, int error_number, char *text, size_t size)
{
    const char *words = error ? ERR_reason_error_string(error) : NULL;

    if (words)
        return words;
    if (ERR_SYSTEM_ERROR(error))
        error_number = ERR_GET_REASON(error);
    return error_number ? strerror_r(error_number, text, size) : "connection closed";
}

static struct ski_tls *owner(const SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* Servers hand out one ticket after the other, and may accept each only once. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct ski_tls *tls = owner(ssl);

    SSL_SESSION_free(tls->session);
    tls->session = session;
    return 1; /* the reference is ours now */
}

static bool is_numeric(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* An empty name would switch OpenSSL's check of the name off. */
static bool set_host(struct ski_tls *tls, const char *host)
{
    size_t length = strlen(host);

    if (length && host[length - 1] == '.')
        length--;
    if (!length || length > MAX_HOST)
        return false;
    memcpy(tls->host, host, length);
    tls->host[length] = '\0';
    tls->numeric = is_numeric(tls->host);
    return true;
}

static bool set_up_context(SSL_CTX *context, struct ski_tls *tls, const char *alpn)
{
    SSL_CTX_set_app_data(context, tls);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
           SSL_CTX_set_alpn_protos(context, (const unsigned char *)alpn, (unsigned)strlen(alpn)) ==
               0;
}

static scalekit_err trust(struct ski_tls *tls, const char *ca_file, struct ski_failure *failure)
{
    char text[128];

    if (!ca_file && !SSL_CTX_set_default_verify_paths(tls->context))
        return ski_fail(failure, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_NONE, "system authorities: %s",
                        reason(ERR_peek_error(), 0, text, sizeof text));
    if (ca_file && !SSL_CTX_load_verify_file(tls->context, ca_file))
        return ski_fail(failure, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_NONE, "ca_file %s: %s", ca_file,
                        reason(ERR_peek_error(), 0, text, sizeof text));
    return SCALEKIT_OK;
}

static scalekit_err set_up(struct ski_tls *tls, const char *ca_file, const char *alpn,
                           struct ski_failure *failure)
{
    tls->context = SSL_CTX_new(TLS_client_method());
    tls->bio = ski_bio_method_new();
    if (!tls->context || !tls->bio || !set_up_context(tls->context, tls, alpn))
        return ski_fail(failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    return trust(tls, ca_file, failure);
}

scalekit_err ski_tls_new(struct ski_tls **out, const struct ski_mem *mem, const char *host,
                         const char *ca_file, const char *alpn, struct ski_failure *failure)
{
    struct ski_tls *tls = ski_zalloc(mem, sizeof *tls);
    scalekit_err err;

    *out = NULL;
    if (!tls)
        return ski_fail(failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    tls->mem = mem;
    if (!set_host(tls, host)) {
        ski_free(mem, tls);
        return ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE,
                        "the host name is empty or too long");
    }
    ERR_clear_error();
    err = set_up(tls, ca_file, alpn, failure);
    ERR_clear_error();
    if (err) {
        ski_tls_free(tls);
        return err;
    }
    *out = tls;
    return SCALEKIT_OK;
}

void ski_tls_free(struct ski_tls *tls)
{
    if (!tls)
        return;
    SSL_SESSION_free(tls->session);
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->bio);
    ski_free(tls->mem, tls);
}

/* Every step matters: one that fails unnoticed would leave the peer's name unchecked. */
static bool prepare(struct ski_tls *tls, SSL *ssl, int fd)
{
    BIO *bio = ski_bio_new(tls->bio, fd);

    if (!bio)
        return false;
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (!SSL_set1_host(ssl, tls->host))
        return false;
    if (!tls->numeric && !SSL_set_tlsext_host_name(ssl, tls->host))
        return false;
    return !tls->session || SSL_set_session(ssl, tls->session);
}

SSL *ski_tls_ssl_new(struct ski_tls *tls, int fd)
{
    SSL *ssl = SSL_new(tls->context);

    if (ssl && !prepare(tls, ssl, fd)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    ERR_clear_error();
    return ssl;
}

void ski_tls_ssl_retire(SSL *ssl)
{
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

/* --- what went wrong --------------------------------------------------------------------------- */

static bool is_unexpected_eof(unsigned long error)
{
    return ERR_GET_LIB(error) == ERR_LIB_SSL &&
           ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

static void describe_handshake(SSL *ssl, unsigned long error, int error_number,
                               struct ski_failure *failure)
{
    struct ski_tls *tls = owner(ssl);
    long verified = SSL_get_verify_result(ssl);
    char text[128];

    SSL_SESSION_free(tls->session);
    tls->session = NULL;
    if (verified != X509_V_OK)
        ski_fail(failure, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, "certificate of %s: %s", tls->host,
                 X509_verify_cert_error_string(verified));
    else
        ski_fail(failure, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, "TLS handshake with %s: %s",
                 tls->host,
                 is_unexpected_eof(error) ? "connection closed"
                                          : reason(error, error_number, text, sizeof text));
}

/* The oldest error is the one the others follow from. */
void ski_tls_describe(SSL *ssl, enum scalekit_phase phase, struct ski_failure *failure)
{
    unsigned long error = ERR_peek_error();
    int error_number = errno;
    char text[128];

    if (phase == SCALEKIT_PHASE_TLS)
        describe_handshake(ssl, error, error_number, failure);
    else if (is_unexpected_eof(error))
        ski_fail(failure, SCALEKIT_ERR_NETWORK, phase, "connection closed without close_notify");
    else
        ski_fail(failure, SCALEKIT_ERR_NETWORK, phase, "TLS connection to %s: %s", owner(ssl)->host,
                 reason(error, error_number, text, sizeof text));
    ERR_clear_error();
}
