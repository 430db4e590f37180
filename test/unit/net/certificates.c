#include "certificates.h"
#include <CUnit/CUnit.h>
#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_SECONDS (24L * 60 * 60)

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(extension);
    CU_ASSERT_FATAL(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

/* A certificate with a subject and a period, not yet signed. */
static X509 *new_certificate(const char *common_name, EVP_PKEY *key, int from_day, int to_day)
{
    static long serial;
    X509 *certificate = X509_new();
    X509_NAME *subject;

    CU_ASSERT_PTR_NOT_NULL_FATAL(certificate);
    subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_day * DAY_SECONDS);
    X509_gmtime_adj(X509_getm_notAfter(certificate), to_day * DAY_SECONDS);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1,
                               -1, 0);
    CU_ASSERT_FATAL(X509_set_pubkey(certificate, key));
    return certificate;
}

static void sign(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    CU_ASSERT_FATAL(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
}

static X509 *new_authority(const char *common_name, EVP_PKEY *key)
{
    X509 *authority = new_certificate(common_name, key, -365, 365);

    add_extension(authority, authority, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(authority, authority, NID_subject_key_identifier, "hash");
    sign(authority, authority, key);
    return authority;
}

static X509 *new_server(const struct test_pki *pki, const struct test_identity *identity,
                        EVP_PKEY *key)
{
    bool usual = !identity->from_day && !identity->to_day;
    X509 *server = new_certificate("test server", key, usual ? -1 : identity->from_day,
                                   usual ? 30 : identity->to_day);

    add_extension(server, server, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(server, server, NID_subject_alt_name, identity->names);
    switch (identity->issuer) {
    case TEST_ISSUER_CA:
        sign(server, pki->ca, pki->ca_key);
        break;
    case TEST_ISSUER_STRANGER:
        sign(server, pki->stranger, pki->stranger_key);
        break;
    case TEST_ISSUER_ITSELF:
        sign(server, server, key);
        break;
    }
    return server;
}

static FILE *create(const struct test_pki *pki, const char *name, const char *ending)
{
    char path[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s%s", pki->directory, name, ending);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    return file;
}

static void write_certificate(const struct test_pki *pki, const char *name, X509 *certificate)
{
    FILE *file = create(pki, name, ".crt");

    CU_ASSERT_FATAL(PEM_write_X509(file, certificate));
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

void test_pki_init(struct test_pki *pki)
{
    const char *parent = getenv("TMPDIR");

    memset(pki, 0, sizeof *pki);
    if (!parent || strlen(parent) > 32)
        parent = "/tmp";
    snprintf(pki->directory, sizeof pki->directory, "%s/pki.XXXXXX", parent);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(pki->directory));
    pki->ca_key = new_key();
    pki->stranger_key = new_key();
    pki->ca = new_authority("test authority", pki->ca_key);
    pki->stranger = new_authority("test stranger", pki->stranger_key);
    write_certificate(pki, "ca", pki->ca);
    snprintf(pki->ca_file, sizeof pki->ca_file, "%s/ca.crt", pki->directory);
}

void test_pki_free(struct test_pki *pki)
{
    DIR *directory = opendir(pki->directory);
    struct dirent *entry;

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    CU_ASSERT_EQUAL(rmdir(pki->directory), 0);
    X509_free(pki->ca);
    X509_free(pki->stranger);
    EVP_PKEY_free(pki->ca_key);
    EVP_PKEY_free(pki->stranger_key);
}

SSL_CTX *test_pki_server(const struct test_pki *pki, const struct test_identity *identity)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = new_key();
    X509 *certificate = new_server(pki, identity, key);

    CU_ASSERT_PTR_NOT_NULL_FATAL(context);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
    CU_ASSERT_FATAL(SSL_CTX_use_certificate(context, certificate));
    CU_ASSERT_FATAL(SSL_CTX_use_PrivateKey(context, key));
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

void test_pki_write(const struct test_pki *pki, const struct test_identity *identity,
                    const char *name)
{
    EVP_PKEY *key = new_key();
    X509 *certificate = new_server(pki, identity, key);
    FILE *file = create(pki, name, ".key");

    CU_ASSERT_FATAL(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
    write_certificate(pki, name, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                       const unsigned char *offered, unsigned offered_length, void *protocol)
{
    size_t length = strlen(protocol);

    (void)ssl;
    for (unsigned at = 0; at < offered_length; at += 1u + offered[at]) {
        if (offered[at] == length && memcmp(offered + at + 1, protocol, length) == 0) {
            *out = offered + at + 1;
            *out_length = (unsigned char)length;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void test_server_alpn(SSL_CTX *server, const char *protocol)
{
    SSL_CTX_set_alpn_select_cb(server, select_alpn, (void *)protocol);
}
