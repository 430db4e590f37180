/* tls.h - what all TLS connections of one client share: trust, protocol limits, the session to
 * resume.  Bound to one host, because resuming a session skips the certificate checks.
 *
 * TLS 1.2 or newer; the chain and the name (or IP address) are always verified, and nothing can
 * switch that off; SNI for names only; ALPN offered.  The latest session ticket is kept. */
#ifndef SKI_NET_TLS_H
#define SKI_NET_TLS_H

#include "base/failure.h"
#include "base/mem.h"
#include <openssl/ssl.h>

struct ski_tls;

/* `host` as in the URL (a trailing dot is cut), `ca_file` or NULL for the system's authorities,
 * `alpn` in wire format ("\x08http/1.1").  SCALEKIT_ERR_TLS: ca_file is unreadable or empty;
 * SCALEKIT_ERR_INVALID: the host is empty or longer than a DNS name can be. */
scalekit_err ski_tls_new(struct ski_tls **out, const struct ski_mem *mem, const char *host,
                         const char *ca_file, const char *alpn, struct ski_failure *failure);
void ski_tls_free(struct ski_tls *tls); /* after every SSL made from it */

/* A client-side SSL for a connected socket: verification, SNI, ALPN and the session are set, and
 * writing never raises SIGPIPE.  The socket stays the caller's.  NULL: out of memory. */
SSL *ski_tls_ssl_new(struct ski_tls *tls, int fd);

/* Lets the session be resumed later although no close_notify is exchanged; before SSL_free(). */
void ski_tls_ssl_retire(SSL *ssl);

/* Turns what went wrong on `ssl` just now into words: this thread's error queue, which it empties,
 * and errno say it.  In SCALEKIT_PHASE_TLS it is the handshake that failed: SCALEKIT_ERR_TLS, and
 * the session that it may have tried to resume is forgotten.  Later it is SCALEKIT_ERR_NETWORK. */
void ski_tls_describe(SSL *ssl, enum scalekit_phase phase, struct ski_failure *failure);

#endif
