/* server_tls.h - what all TLS connections to one server share.
 *
 * TLS 1.2 or newer; HTTP/1.1 by ALPN, or none; no renegotiation, no sessions to resume. */
#ifndef SKI_SERVE_SERVER_TLS_H
#define SKI_SERVE_SERVER_TLS_H

#include <openssl/ssl.h>
#include <scalekit/error.h>

/* From PEM files: the chain, its own certificate first, and its key, which may not be encrypted.
 * SCALEKIT_ERR_TLS with a static sentence in *problem, or SCALEKIT_ERR_NOMEM. */
scalekit_err ski_server_tls_new(SSL_CTX **out, const char *certificate_file, const char *key_file,
                                const char **problem);

#endif
