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

/* The authority's subject, by which the emulator knows its own files again. */
#define AUTHORITY_NAME "Scalekit emulator CA"

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

/* --- the directory ----------------------------------------------------------------------------- */

/* Where the files are, and where to say why not. */
struct place {
    const char *path;
    int fd;
    char *error;
    size_t error_size;
};

/* What the files hold; NULL: nothing, or nothing that can be read. */
struct set {
    X509 *authority, *server;
    EVP_PKEY *key;
    size_t n_files;
};

static const char authority_file[] = "ca.pem", server_file[] = "server.pem",
                  key_file[] = "server.key";

/* Always false; the reason is errno. */
static bool fail(const struct place *place, const char *what, const char *name)
{
    snprintf(place->error, place->error_size, "cannot %s %s/%s: %s", what, place->path, name,
             strerror(errno));
    return false;
}

static void set_clear(struct set *set)
{
    X509_free(set->server);
    X509_free(set->authority);
    EVP_PKEY_free(set->key);
    *set = (struct set){0};
}

static bool set_make(const struct place *place, struct set *set)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256");
    char reason[128];

    set->key = EVP_EC_gen("P-256");
    if (authority_key && set->key)
        set->authority = make_certificate(authority_key, AUTHORITY_NAME, NULL, authority_key,
                                          authority_extensions);
    if (set->authority)
        set->server = make_certificate(set->key, "localhost", set->authority, authority_key,
                                       server_extensions);
    EVP_PKEY_free(authority_key);
    if (set->server)
        return true;
    ERR_error_string_n(ERR_peek_error(), reason, sizeof reason);
    snprintf(place->error, place->error_size, "cannot make certificates: %s", reason);
    return false;
}

/* --- writing ----------------------------------------------------------------------------------- */

/* All of it fits the stream's buffer, so only closing it can find the disk full. */
static bool write_pem(int fd, EVP_PKEY *key, X509 *certificate)
{
    FILE *file = fdopen(fd, "w");
    bool put;

    if (!file) {
        close(fd);
        return false;
    }
    put = key ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)
              : PEM_write_X509(file, certificate);
    if (fclose(file) != 0)
        return false;
    if (!put)
        errno = ENOMEM;
    return put;
}

/* Never over a file that is there. */
static bool write_file(const struct place *place, const char *name, mode_t mode, EVP_PKEY *key,
                       X509 *certificate)
{
    int fd = openat(place->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0)
        return fail(place, "make", name);
    if (write_pem(fd, key, certificate))
        return true;
    fail(place, "write", name);
    unlinkat(place->fd, name, 0);
    return false;
}

/* All three files, or none. */
static bool set_write(const struct place *place, const struct set *set)
{
    if (!write_file(place, key_file, 0600, set->key, NULL))
        return false;
    if (write_file(place, server_file, 0644, NULL, set->server)) {
        if (write_file(place, authority_file, 0644, NULL, set->authority))
            return true;
        unlinkat(place->fd, server_file, 0);
    }
    unlinkat(place->fd, key_file, 0);
    return false;
}

static bool remove_file(const struct place *place, const char *name)
{
    return unlinkat(place->fd, name, 0) == 0 || fail(place, "replace", name);
}

static bool set_remove(const struct place *place)
{
    return remove_file(place, authority_file) && remove_file(place, server_file) &&
           remove_file(place, key_file);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* NULL in *file: there is none. */
static bool open_file(const struct place *place, const char *name, FILE **file)
{
    int fd = openat(place->fd, name, O_RDONLY | O_CLOEXEC);

    *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (*file || (fd < 0 && errno == ENOENT))
        return true;
    fail(place, "read", name);
    if (fd >= 0)
        close(fd);
    return false;
}

static bool read_certificate(const struct place *place, const char *name, struct set *set,
                             X509 **certificate)
{
    FILE *file;

    if (!open_file(place, name, &file))
        return false;
    if (file) {
        *certificate = PEM_read_X509(file, NULL, NULL, NULL);
        set->n_files++;
        fclose(file);
    }
    return true;
}

static bool read_key(const struct place *place, struct set *set)
{
    char no_password[] = ""; /* an encrypted key is not ours; its password is not asked for */
    FILE *file;

    if (!open_file(place, key_file, &file))
        return false;
    if (file) {
        set->key = PEM_read_PrivateKey(file, NULL, NULL, no_password);
        set->n_files++;
        fclose(file);
    }
    return true;
}

static bool set_read(const struct place *place, struct set *set)
{
    return read_certificate(place, authority_file, set, &set->authority) &&
           read_certificate(place, server_file, set, &set->server) && read_key(place, set);
}

/* Whole, and signed by an authority that bears our name. */
static bool is_ours(const struct set *set)
{
    char name[sizeof AUTHORITY_NAME + 1] = "";

    return set->server && set->authority && set->key &&
           X509_NAME_get_text_by_NID(X509_get_subject_name(set->authority), NID_commonName, name,
                                     sizeof name) > 0 &&
           strcmp(name, AUTHORITY_NAME) == 0 &&
           X509_verify(set->authority, X509_get0_pubkey(set->authority)) == 1 &&
           X509_verify(set->server, X509_get0_pubkey(set->authority)) == 1 &&
           X509_check_private_key(set->server, set->key) == 1;
}

/* For another day, and for our names. */
static bool is_good(const struct set *set)
{
    time_t tomorrow = time(NULL) + DAY;

    return X509_cmp_time(X509_get0_notAfter(set->server), &tomorrow) > 0 &&
           X509_cmp_time(X509_get0_notAfter(set->authority), &tomorrow) > 0 &&
           X509_check_ip_asc(set->server, "127.0.0.1", 0) == 1 &&
           X509_check_host(set->server, "localhost", 0, 0, NULL) == 1;
}

/* Files of somebody else are neither used nor replaced. */
static bool set_find_or_make(const struct place *place, struct set *set)
{
    bool ours;

    if (!set_read(place, set))
        return false;
    ours = is_ours(set);
    if (set->n_files && !ours) {
        snprintf(place->error, place->error_size,
                 "%s has a ca.pem, server.pem or server.key that the emulator did not make, or not "
                 "together: remove them, or choose another directory",
                 place->path);
        return false;
    }
    if (ours && is_good(set))
        return true;
    set_clear(set);
    return set_make(place, set) && (!ours || set_remove(place)) && set_write(place, set);
}

/* --- using ------------------------------------------------------------------------------------- */

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

static bool load(const struct place *place, SSL_CTX *context)
{
    struct set set = {0};
    bool found = set_find_or_make(place, &set);
    bool loaded = found && SSL_CTX_use_certificate(context, set.server) == 1 &&
                  SSL_CTX_use_PrivateKey(context, set.key) == 1;

    if (found && !loaded)
        snprintf(place->error, place->error_size, "cannot use the certificate in %s", place->path);
    set_clear(&set);
    return loaded;
}

SSL_CTX *emu_pki_context(const char *directory, char *error, size_t error_size)
{
    struct place place = {directory, open_directory(directory), error, error_size};
    SSL_CTX *context;

    if (place.fd < 0) {
        snprintf(error, error_size, "cannot use the directory %s: %s", directory, strerror(errno));
        return NULL;
    }
    context = new_context();
    if (context && !load(&place, context)) {
        SSL_CTX_free(context);
        context = NULL;
    }
    close(place.fd);
    ERR_clear_error();
    return context;
}

SSL_CTX *emu_pki_client_context(const char *ca_file)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context && (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
                    SSL_CTX_load_verify_locations(context, ca_file, NULL) != 1)) {
        SSL_CTX_free(context);
        context = NULL;
    }
    if (context) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    }
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
