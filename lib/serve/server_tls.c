#include "serve/server_tls.h"
#include <openssl/err.h>

/* OpenSSL would ask the terminal. */
static int no_password(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *length,
                           const unsigned char *offered, unsigned offered_length, void *user)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)user;
    if (SSL_select_next_proto(&chosen, length, ours, sizeof ours - 1, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_up(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(context, no_password);
    return SSL_CTX_set_num_tickets(context, 0) &&
           SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

/* What is wrong; NULL: nothing. */
static const char *load(SSL_CTX *context, const char *certificate_file, const char *key_file)
{
    if (!SSL_CTX_use_certificate_chain_file(context, certificate_file))
        return "certificate_file cannot be read, or holds no certificate in PEM";
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM))
        return NULL;
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH)
        return "key_file does not belong to the certificate";
    return "key_file cannot be read, or holds no unencrypted key in PEM";
}

scalekit_err ski_server_tls_new(SSL_CTX **out, const char *certificate_file, const char *key_file,
                                const char **problem)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    scalekit_err err = SCALEKIT_OK;

    *out = NULL;
    if (!context || !set_up(context)) {
        err = SCALEKIT_ERR_NOMEM;
    } else {
        ERR_clear_error();
        *problem = load(context, certificate_file, key_file);
        if (*problem)
            err = SCALEKIT_ERR_TLS;
    }
    ERR_clear_error();
    if (err)
        SSL_CTX_free(context);
    else
        *out = context;
    return err;
}
