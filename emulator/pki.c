#include "pki.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR         3600L
#define DAY          (24 * HOUR)
#define YEAR         (365 * DAY)

#define SERVER_NAMES "DNS:localhost,IP:127.0.0.1,IP:::1"

/* --- making ------------------------------------------------------------------------------------ */

struct extension {
    int nid;
    const char *value;
};

static const struct extension authority_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign"},
    {NID_subject_key_identifier, "hash"},
    {0, NULL},
};

static const struct extension server_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_alt_name, SERVER_NAMES},
    {NID_authority_key_identifier, "keyid"},
    {0, NULL},
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *extensions)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    for (; extensions->value; extensions++) {
        X509_EXTENSION *made =
            X509V3_EXT_conf_nid(NULL, &context, extensions->nid, extensions->value);
        bool added = made && X509_add_ext(certificate, made, -1) == 1;

        X509_EXTENSION_free(made);
        if (!added)
            return false;
    }
    return true;
}

static bool set_serial(X509 *certificate)
{
    uint64_t serial;

    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
}

/* `issuer` NULL: it signs itself. */
static X509 *make_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key,
                              const struct extension *extensions)
{
    X509 *certificate = X509_new();
    X509_NAME *subject;

    if (!certificate)
        return NULL;
    subject = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, X509_VERSION_3) && set_serial(certificate) &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), -HOUR) &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), YEAR) &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                   0) &&
        X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject) &&
        X509_set_pubkey(certificate, key) &&
        add_extensions(certificate, issuer ? issuer : certificate, extensions) &&
        X509_sign(certificate, issuer_key, EVP_sha256()))
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* Under a temporary name first, so that a reader never sees half a file. */
static bool write_file(int directory, const char *name, mode_t mode, EVP_PKEY *key,
                       X509 *certificate)
{
    char temporary[64];
    int fd;
    FILE *file;
    bool written;

    snprintf(temporary, sizeof temporary, ".%s.new", name);
    unlinkat(directory, temporary, 0);
    fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    file = fdopen(fd, "w");
    if (!file) {
        close(fd);
        return false;
    }
    written = key ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)
                  : PEM_write_X509(file, certificate);
    written = fclose(file) == 0 && written;
    return written && renameat(directory, temporary, directory, name) == 0;
}

static bool make_files(int directory)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *authority = NULL, *server = NULL;
    bool made = false;

    if (authority_key && key)
        authority = make_certificate(authority_key, "Scalekit emulator CA", NULL, authority_key,
                                     authority_extensions);
    if (authority)
        server = make_certificate(key, "localhost", authority, authority_key, server_extensions);
    if (server)
        made = write_file(directory, "server.key", 0600, key, NULL) &&
               write_file(directory, "server.pem", 0644, NULL, server) &&
               write_file(directory, "ca.pem", 0644, NULL, authority);
    X509_free(server);
    X509_free(authority);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority_key);
    return made;
}

/* --- using ------------------------------------------------------------------------------------- */

static X509 *read_certificate(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    X509 *certificate = NULL;

    if (file) {
        certificate = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
    } else if (fd >= 0) {
        close(fd);
    }
    return certificate;
}

static EVP_PKEY *read_key(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    EVP_PKEY *key = NULL;

    if (file) {
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    } else if (fd >= 0) {
        close(fd);
    }
    return key;
}

/* Good for another day, for our names, and signed by the authority beside it. */
static bool is_good(X509 *server, X509 *authority, EVP_PKEY *key)
{
    time_t tomorrow = time(NULL) + DAY;

    return server && authority && key && X509_check_private_key(server, key) == 1 &&
           X509_verify(server, X509_get0_pubkey(authority)) == 1 &&
           X509_cmp_time(X509_get0_notAfter(server), &tomorrow) > 0 &&
           X509_cmp_time(X509_get0_notAfter(authority), &tomorrow) > 0 &&
           X509_check_ip_asc(server, "127.0.0.1", 0) == 1 &&
           X509_check_host(server, "localhost", 0, 0, NULL) == 1;
}

static bool load(int directory, SSL_CTX *context)
{
    X509 *server = read_certificate(directory, "server.pem");
    X509 *authority = read_certificate(directory, "ca.pem");
    EVP_PKEY *key = read_key(directory, "server.key");
    bool loaded = is_good(server, authority, key) &&
                  SSL_CTX_use_certificate(context, server) == 1 &&
                  SSL_CTX_use_PrivateKey(context, key) == 1;

    X509_free(server);
    X509_free(authority);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return loaded;
}

/* HTTP/1.1 is all there is; who offers only something else is turned away. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offered, unsigned int offered_length, void *user)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *selected;

    (void)ssl;
    (void)user;
    if (SSL_select_next_proto(&selected, out_length, ours, sizeof ours - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    return context;
}

static int open_directory(const char *path)
{
    int directory;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -1;
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Two emulators that start on one directory must not mix their files. */
    if (directory >= 0 && flock(directory, LOCK_EX) < 0) {
        close(directory);
        return -1;
    }
    return directory;
}

SSL_CTX *emu_pki_context(const char *directory, char *error, size_t error_size)
{
    int fd = open_directory(directory);
    SSL_CTX *context;

    if (fd < 0) {
        snprintf(error, error_size, "cannot use the directory %s: %s", directory, strerror(errno));
        return NULL;
    }
    context = new_context();
    if (context && !load(fd, context) && !(make_files(fd) && load(fd, context))) {
        snprintf(error, error_size, "cannot make certificates in %s", directory);
        SSL_CTX_free(context);
        context = NULL;
    }
    close(fd);
    ERR_clear_error();
    return context;
}

/* --- sockets ----------------------------------------------------------------------------------- */

static int quiet_write(BIO *bio, const char *data, int length)
{
    int fd = -1;
    ssize_t sent;

    if (length <= 0)
        return 0;
    BIO_get_fd(bio, &fd);
    BIO_clear_retry_flags(bio);
    sent = send(fd, data, (size_t)length, MSG_NOSIGNAL);
    if (sent < 0 && BIO_sock_should_retry((int)sent))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static BIO_METHOD *quiet_method;
static pthread_once_t quiet_once = PTHREAD_ONCE_INIT;

static void forget_quiet_method(void)
{
    BIO_meth_free(quiet_method);
}

/* OpenSSL's own socket BIO in everything but writing. */
static void make_quiet_method(void)
{
    const BIO_METHOD *socket_method = BIO_s_socket();
    int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR;
    BIO_METHOD *method = BIO_meth_new(type, "socket without SIGPIPE");

    if (!method)
        return;
    BIO_meth_set_write(method, quiet_write);
    BIO_meth_set_read(method, BIO_meth_get_read(socket_method));
    BIO_meth_set_ctrl(method, BIO_meth_get_ctrl(socket_method));
    BIO_meth_set_create(method, BIO_meth_get_create(socket_method));
    BIO_meth_set_destroy(method, BIO_meth_get_destroy(socket_method));
    quiet_method = method;
    atexit(forget_quiet_method);
}

BIO *emu_pki_socket(int fd)
{
    BIO *bio = NULL;

    pthread_once(&quiet_once, make_quiet_method);
    if (quiet_method)
        bio = BIO_new(quiet_method);
    if (bio)
        BIO_set_fd(bio, fd, BIO_NOCLOSE);
    return bio;
}
