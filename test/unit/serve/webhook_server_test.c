#include "harness.h"
#include "unit/net/certificates.h"
#include <event2/event.h>
#include <scalekit/scalekit.h>

static enum scalekit_webhook_verdict take(const struct scalekit_webhook_delivery *delivery,
                                          void *user)
{
    (void)delivery;
    (void)user;
    return SCALEKIT_WEBHOOK_GOOD;
}

#define SIZE .struct_size = sizeof(struct scalekit_webhook_server_params)

static scalekit_client *const some_client = (scalekit_client *)&(int){0}; /* is not looked at */

static const struct {
    struct scalekit_webhook_server_params params;
    scalekit_err err;
    const char *problem; /* what it begins with; "": there is none */
} rows[] = {
    {{SIZE, .take = take}, SCALEKIT_OK, ""},
    {{SIZE, .client = some_client}, SCALEKIT_OK, ""},
    {{SIZE, .take = take, .address = "127.0.0.1", .path = "/a/b"}, SCALEKIT_OK, ""},
    {{SIZE, .take = take, .max_connections = 65536, .idle_timeout_ms = 86400000}, SCALEKIT_OK, ""},
    {{SIZE, .take = take, .address = "::1"}, SCALEKIT_OK, ""},
    {{.struct_size = 0, .take = take}, SCALEKIT_ERR_INVALID, "struct_size"},
    {{SIZE}, SCALEKIT_ERR_INVALID, "client or take must be given"},
    {{SIZE, .take = take, .client = some_client},
     SCALEKIT_ERR_INVALID,
     "client or take must be given"},
    {{SIZE, .take = take, .address = ""}, SCALEKIT_ERR_INVALID, "address"},
    {{SIZE, .take = take, .address = "localhost"}, SCALEKIT_ERR_INVALID, "address"},
    {{SIZE, .take = take, .address = "127.0.0.1:80"}, SCALEKIT_ERR_INVALID, "address"},
    {{SIZE, .take = take, .address = "[::1]"}, SCALEKIT_ERR_INVALID, "address"},
    {{SIZE, .take = take, .path = ""}, SCALEKIT_ERR_INVALID, "path"},
    {{SIZE, .take = take, .path = "hook"}, SCALEKIT_ERR_INVALID, "path"},
    {{SIZE, .take = take, .path = "/hook?a=b"}, SCALEKIT_ERR_INVALID, "path"},
    {{SIZE, .take = take, .path = "/hook#a"}, SCALEKIT_ERR_INVALID, "path"},
    {{SIZE, .take = take, .path = "/a hook"}, SCALEKIT_ERR_INVALID, "path"},
    {{SIZE, .take = take, .path = "/\xc3\xbc"}, SCALEKIT_ERR_INVALID, "path"},
    {{SIZE, .take = take, .max_connections = 65537}, SCALEKIT_ERR_INVALID, "max_connections"},
    {{SIZE, .take = take, .idle_timeout_ms = -1}, SCALEKIT_ERR_INVALID, "idle_timeout_ms"},
    {{SIZE, .take = take, .idle_timeout_ms = 86400001}, SCALEKIT_ERR_INVALID, "idle_timeout_ms"},
    {{SIZE, .take = take, .certificate_file = "a"}, SCALEKIT_ERR_INVALID, "certificate_file"},
    {{SIZE, .take = take, .key_file = "a"}, SCALEKIT_ERR_INVALID, "certificate_file"},
    {{SIZE, .take = take, .address = "192.0.2.1"}, SCALEKIT_ERR_CONNECT, "address"},
};

static void check(struct event_base *base, const struct scalekit_webhook_server_params *params,
                  scalekit_err err, const char *begins)
{
    scalekit_webhook_server *server = NULL;
    const char *problem = "never set";

    CU_ASSERT_EQUAL(scalekit_webhook_server_new(&server, base, params, &problem), err);
    CU_ASSERT_EQUAL(server != NULL, err == SCALEKIT_OK);
    CU_ASSERT_EQUAL(problem != NULL, *begins != '\0');
    if (problem && strncmp(problem, begins, strlen(begins)) != 0) {
        printf("%s: %s\n", begins, problem);
        CU_FAIL("another problem");
    }
    if (server)
        CU_ASSERT(scalekit_webhook_server_port(server) > 0);
    scalekit_webhook_server_free(server);
}

static void every_member_has_its_limits(void)
{
    struct event_base *base = event_base_new();

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(base, &rows[i].params, rows[i].err, rows[i].problem);
    check(base, NULL, SCALEKIT_ERR_INVALID, "params");
    check(NULL, &rows[0].params, SCALEKIT_ERR_INVALID, "base");
    event_base_free(base);
}

static void nobody_need_ask_what_is_wrong(void)
{
    struct event_base *base = event_base_new();
    scalekit_webhook_server *server;

    CU_ASSERT_EQUAL(scalekit_webhook_server_new(&server, base, NULL, NULL), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(
        scalekit_webhook_server_new(
            NULL, base, SCALEKIT_PARAMS(scalekit_webhook_server_params, .take = take), NULL),
        SCALEKIT_ERR_INVALID);
    scalekit_webhook_server_free(NULL);
    event_base_free(base);
}

/* --- certificates --------------------------------------------------------------------------------- */

static void put(const struct test_pki *pki, const char *name, const char *text, char path[128])
{
    FILE *file;

    snprintf(path, 128, "%s/%s", pki->directory, name);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void lock(const struct test_pki *pki, char path[128])
{
    FILE *file;

    snprintf(path, 128, "%s/locked.key", pki->directory);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(
        PEM_write_PKCS8PrivateKey(file, pki->ca_key, EVP_aes_128_cbc(), "word", 4, NULL, NULL));
    fclose(file);
}

/* An encrypted key would have OpenSSL ask the terminal. */
static void certificate_and_key_belong_together(void)
{
    struct event_base *base = event_base_new();
    struct test_pki pki;
    char paths[7][128];
    enum { ONE, ONE_KEY, TWO_KEY, EMPTY, JUNK, LOCKED, ABSENT };
    static const struct {
        int certificate, key;
        scalekit_err err;
        const char *problem;
    } files[] = {
        {ONE, ONE_KEY, SCALEKIT_OK, ""},
        {ONE, TWO_KEY, SCALEKIT_ERR_TLS, "key_file does not belong"},
        {ONE, EMPTY, SCALEKIT_ERR_TLS, "key_file"},
        {ONE, JUNK, SCALEKIT_ERR_TLS, "key_file"},
        {ONE, LOCKED, SCALEKIT_ERR_TLS, "key_file"},
        {ONE, ABSENT, SCALEKIT_ERR_TLS, "key_file"},
        {ONE, ONE, SCALEKIT_ERR_TLS, "key_file"},
        {EMPTY, ONE_KEY, SCALEKIT_ERR_TLS, "certificate_file"},
        {JUNK, ONE_KEY, SCALEKIT_ERR_TLS, "certificate_file"},
        {ABSENT, ONE_KEY, SCALEKIT_ERR_TLS, "certificate_file"},
        {ONE_KEY, ONE_KEY, SCALEKIT_ERR_TLS, "certificate_file"},
    };

    test_pki_init(&pki);
    test_pki_write(&pki, &(struct test_identity){.names = "IP:127.0.0.1"}, "one");
    test_pki_write(&pki, &(struct test_identity){.names = "IP:127.0.0.1"}, "two");
    snprintf(paths[ONE], 128, "%s/one.crt", pki.directory);
    snprintf(paths[ONE_KEY], 128, "%s/one.key", pki.directory);
    snprintf(paths[TWO_KEY], 128, "%s/two.key", pki.directory);
    snprintf(paths[ABSENT], 128, "%s/absent", pki.directory);
    put(&pki, "empty", "", paths[EMPTY]);
    put(&pki, "junk", "-----BEGIN CERTIFICATE-----\nAAAA\n", paths[JUNK]);
    lock(&pki, paths[LOCKED]);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        check(base,
              SCALEKIT_PARAMS(scalekit_webhook_server_params, .take = take,
                              .certificate_file = paths[files[i].certificate],
                              .key_file = paths[files[i].key]),
              files[i].err, files[i].problem);
    test_pki_free(&pki);
    event_base_free(base);
}

SUITE(webhook_server, {"every member has its limits", every_member_has_its_limits},
      {"nobody need ask what is wrong", nobody_need_ask_what_is_wrong},
      {"certificate and key belong together", certificate_and_key_belong_together})
