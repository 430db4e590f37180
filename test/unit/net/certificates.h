/* certificates.h - an authority and the servers it vouches for (or does not), made on the spot.
 *
 *     struct test_pki pki;
 *     test_pki_init(&pki);
 *     SSL_CTX *server = test_pki_server(&pki, &(struct test_identity){.names = "DNS:acme.example"});
 *     ... the client trusts pki.ca_file ...
 *     SSL_CTX_free(server);
 *     test_pki_free(&pki);
 *
 * What goes wrong while making them fails the running test at once. */
#ifndef TEST_NET_CERTIFICATES_H
#define TEST_NET_CERTIFICATES_H

#include <openssl/ssl.h>

enum test_issuer {
    TEST_ISSUER_CA,       /* the authority in ca_file */
    TEST_ISSUER_STRANGER, /* an authority nobody trusts */
    TEST_ISSUER_ITSELF    /* self-signed */
};

struct test_identity {
    const char *names; /* subjectAltName: "DNS:acme.example,IP:127.0.0.1" */
    enum test_issuer issuer;
    int from_day, to_day; /* valid from and to, in days from now; both 0: from -1 to 30 */
};

struct test_pki {
    char directory[64]; /* temporary, removed with everything the test put there */
    char ca_file[96];   /* PEM */
    X509 *ca, *stranger;
    EVP_PKEY *ca_key, *stranger_key;
};

void test_pki_init(struct test_pki *pki);
void test_pki_free(struct test_pki *pki);

/* A server's context with that certificate and its key; yours to SSL_CTX_free().  It takes TLS 1.2
 * and 1.3 (set others on it), resumes sessions by ticket, and chooses no ALPN. */
SSL_CTX *test_pki_server(const struct test_pki *pki, const struct test_identity *identity);

/* The same as PEM files in pki->directory, for programs: "<name>.crt" and "<name>.key". */
void test_pki_write(const struct test_pki *pki, const struct test_identity *identity,
                    const char *name);

/* Has the server choose that protocol when the client offers it; the text must outlive `server`. */
void test_server_alpn(SSL_CTX *server, const char *protocol);

#endif
