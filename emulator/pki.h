/* pki.h - the emulator's certificates, and its sockets' manners under TLS.
 *
 * The directory gets ca.pem for clients, server.pem and server.key (mode 0600).  The authority's
 * own key is forgotten once it has signed, so nobody can sign another server with it. */
#ifndef EMU_PKI_H
#define EMU_PKI_H

#include <openssl/ssl.h>
#include <stddef.h>

/* A server context with the directory's certificate, made when there are no files, and anew when our
 * own are about to run out.  NULL, and a sentence in `error`, when it cannot be, or when a file is
 * there that is not of a set made here: it is never replaced. */
SSL_CTX *emu_pki_context(const char *directory, char *error, size_t error_size);

/* A client context that trusts the authorities of a file and nobody else.  NULL when it cannot be
 * read. */
SSL_CTX *emu_pki_client_context(const char *ca_file);

/* A socket BIO whose writes never raise SIGPIPE.  It does not close the socket. */
BIO *emu_pki_socket(int fd);

#endif
