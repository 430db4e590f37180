/* The emulator itself: signing in, faults, administration, starting, TLS. */
#include "world.h"
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- signing in --------------------------------------------------------------------------------- */

static void test_sign_in(void)
{
    static const struct row rows[] = {
        {POST, "/oauth/token", SIGN_IN, 200, "\"token_type\":\"Bearer\",\"expires_in\":86399",
         NULL},
        {POST, "/oauth/token",
         "client_secret=test%5Femulator_secret&grant_type=client_credentials&client_id=skc_"
         "emulator",
         200, "\"scope\":\"openid\"", NULL},
        {POST, "/oauth/token",
         "grant_type=client_credentials&client_id=skc_emulator&client_secret=wrong", 401,
         "\"error\":\"invalid_client\"", "access_token"},
        {POST, "/oauth/token",
         "grant_type=client_credentials&client_id=other&client_secret=test_emulator_secret", 401,
         "\"error\":\"invalid_client\"", NULL},
        {POST, "/oauth/token", "grant_type=client_credentials&client_id=skc_emulator", 401,
         "\"error\":\"invalid_client\"", NULL},
        {POST, "/oauth/token", "grant_type=password", 400, "unsupported_grant_type", NULL},
        {POST, "/oauth/token", "grant_type=%zz", 400, "invalid_request", NULL},
        {POST, "/oauth/token", "grant_type=%00", 400, "invalid_request", NULL},
        {POST, "/oauth/token", "", 400, "unsupported_grant_type", NULL},
        {GET, "/oauth/token", NULL, 405, "\"code\":12", NULL},
    };
    struct world world;
    struct scalekit_emulator_stats stats;

    world_set_up(&world, NULL);
    ASK(&world, rows);
    scalekit_emulator_stats(world.emulator, &stats);
    CU_ASSERT_EQUAL(stats.sign_ins, 3); /* with the one of world_set_up() */
    CU_ASSERT_EQUAL(stats.requests, 11);
    world_tear_down(&world);
}

static void test_token_needed(void)
{
    static const struct row refused[] = {
        {GET, ACCOUNTS, NULL, 401, "\"code\":16,\"message\":\"Token ", NULL},
        {GET, ACCOUNTS "/details?id=ca_1", NULL, 401, "\"error_code\":\"UNAUTHENTICATED\"", NULL},
        {POST, ACCOUNTS, "{}", 401, "errdetails.ErrorInfo", NULL},
        {POST, "/api/v1/execute_tool", "{}", 401, "errdetails.ErrorInfo", NULL},
    };
    static const struct scalekit_emulator_config outlived = {.token_life_s = -1};
    struct world world;

    world_set_up(&world, NULL);
    scalekit_emulator_revoke_tokens(world.emulator);
    ASK(&world, refused);
    world_sign_in(&world);
    CU_ASSERT_EQUAL(world_ask(&world, GET, ACCOUNTS, NULL), 200);
    CU_ASSERT_EQUAL(world_ask(&world, POST, "/_emulator/revoke_tokens", ""), 200);
    ASK(&world, refused);
    world.token[0] = '\0';
    ASK(&world, refused);
    world_tear_down(&world);

    world_set_up(&world, &outlived);
    ASK(&world, refused);
    world_tear_down(&world);
}

/* --- faults ------------------------------------------------------------------------------------- */

static void test_faults(void)
{
    static const struct row rows[] = {
        {GET, "/isalive", NULL, 503, "{\"code\":14,\"message\":\"injected fault\"", NULL},
        {GET, "/isalive", NULL, 503, "injected", NULL},
        {GET, "/isalive", NULL, 429, "{\"mine\":1}", NULL},
        {GET, "/isalive", NULL, 200, "{\"status\":\"ok\"}", NULL},
        {POST, "/_emulator/fail", "{\"path_prefix\":\"/isa\",\"status\":429}", 200, "{}", NULL},
        {GET, "/isalive", NULL, 429, "RATE_LIMITED", NULL},
        {POST, "/_emulator/fail", "{\"path_prefix\":\"/isa\",\"delay_ms\":5}", 200, "{}", NULL},
        {GET, "/isalive", NULL, 200, "ok", NULL},
        {POST, "/_emulator/fail",
         "{\"path_prefix\":\"/isa\",\"delay_ms\":5,\"status\":418,\"body\":\"[]\"}", 200, "{}",
         NULL},
        {GET, "/isalive", NULL, 418, "[]", NULL},
        {POST, "/_emulator/fail", "{\"path_prefix\":\"/isa\"}", 400, "a status, or a delay_ms",
         NULL},
        {POST, "/_emulator/fail", "{\"status\":500}", 400, "\"field\":\"path_prefix\"", NULL},
        {POST, "/_emulator/fail", "{\"path_prefix\":\"/\",\"status\":99}", 400, "200 to 599", NULL},
        {POST, "/_emulator/fail", "{\"path_prefix\":\"/\",\"status\":500,\"times\":0}", 400,
         "times", NULL},
    };
    struct world world;

    world_set_up(&world, NULL);
    CU_ASSERT(scalekit_emulator_fail_next(world.emulator, "/is", 2, 503, NULL));
    CU_ASSERT(scalekit_emulator_fail_next(world.emulator, "/isalive", 1, 429, "{\"mine\":1}"));
    CU_ASSERT(scalekit_emulator_fail_next(world.emulator, "/other", 1, 500, NULL));
    ASK(&world, rows);
    world_tear_down(&world);
}

static void test_closes_unanswered(void)
{
    struct world world;

    world_set_up(&world, NULL);
    CU_ASSERT(scalekit_emulator_fail_next(world.emulator, "/isalive", 1, 0, NULL));
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 0);
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 200);
    world_ask(&world, POST, "/_emulator/fail",
              "{\"path_prefix\":\"/is\",\"status\":0,\"delay_ms\":1}");
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 0);
    world_tear_down(&world);
}

/* Clients that leave, and an emulator that goes, while an answer is being held back. */
static void test_pauses_end_early(void)
{
    struct world world;
    struct evhttp_connection *other;

    world_set_up(&world, NULL);
    world_ask(&world, POST, "/_emulator/fail",
              "{\"path_prefix\":\"/isalive\",\"times\":2,\"delay_ms\":30}");
    world_start_asking(&world, GET, "/isalive", NULL);
    while (TAILQ_EMPTY(&world.emulator->server.pauses))
        event_base_loop(world.base, EVLOOP_ONCE);
    other = world.connection;
    world_connect(&world);
    evhttp_connection_free(other);
    while (!TAILQ_EMPTY(&world.emulator->server.pauses))
        event_base_loop(world.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 200);

    world_ask(&world, POST, "/_emulator/fail", "{\"path_prefix\":\"/isalive\",\"delay_ms\":60000}");
    world_start_asking(&world, GET, "/isalive", NULL);
    while (TAILQ_EMPTY(&world.emulator->server.pauses))
        event_base_loop(world.base, EVLOOP_ONCE);
    world_tear_down(&world);
}

/* Sends, ends sending, and resets: what is answered meets a socket on which a plain write raises
 * SIGPIPE. */
static void send_and_vanish(uint16_t port, const char *data, size_t length)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger reset = {1, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    CU_ASSERT_EQUAL(write(fd, data, length), (ssize_t)length);
    CU_ASSERT_EQUAL(shutdown(fd, SHUT_WR), 0);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static void test_clients_vanish(void)
{
    static const char request[] = "GET /isalive HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    struct world world;
    struct scalekit_emulator_stats stats;

    world_set_up(&world, NULL);
    for (int i = 0; i < 20; i++)
        send_and_vanish(world.port, request, sizeof request - 1);
    do {
        CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 200);
        scalekit_emulator_stats(world.emulator, &stats);
    } while (stats.requests < 22);
    world_tear_down(&world);
}

/* --- the emulator itself ------------------------------------------------------------------------ */

static void test_admin(void)
{
    static const struct row rows[] = {
        {POST, "/_emulator/status",
         "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"status\":\"SOMETHING_NEW\"}", 200, "{}",
         NULL},
        {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 200,
         "\"status\":\"SOMETHING_NEW\"", NULL},
        {POST, "/_emulator/status", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 400,
         "status", NULL},
        {GET, "/_emulator/stats", NULL, 200,
         "{\"requests\":5,\"sign_ins\":1,\"lookups\":1,\"creates\":0,\"updates\":0,\"deletes\":0,"
         "\"links\":0,\"tool_calls\":0,\"proxied\":0,\"proxied_bytes\":0,\"accounts\":1,"
         "\"active\":0,\"connections\":1,\"providers\":5,\"tools\":2,\"mcp_configs\":0,"
         "\"mcp_instances\":0,\"mcp_servers\":0,",
         NULL},
        {GET, "/isalive", NULL, 200, "ok", NULL},
    };
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, rows);
    world_tear_down(&world);
}

static void test_admin_tells_what_it_takes(void)
{
    static const struct row rows[] = {
        {GET, "/_emulator", NULL, 200,
         "{\"method\":\"POST\",\"path\":\"/_emulator/status\",\"members\":[\"connector\","
         "\"connection_name\",\"identifier\",\"status\"]}",
         "connected_accounts"},
        {GET, "/_emulator", NULL, 200,
         "{\"method\":\"GET\",\"path\":\"/_emulator/stats\",\"members\":[]}", NULL},
        {POST, "/_emulator/status",
         "{\"connection_name\":\"gmail\",\"identifier\":\"ann\",\"status\":\"EXPIRED\"}", 200, "{}",
         NULL},
        {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 200,
         "\"status\":\"EXPIRED\"", NULL},
        {POST, "/_emulator/consent",
         "{\"connectionName\":\"gmail\",\"identifier\":\"ann\",\"consent\":\"deny\"}", 200, "{}",
         NULL},
        {POST, "/_emulator/status",
         "{\"connection_name\":\"gmail\",\"connector\":\"slack\",\"identifier\":\"ann\","
         "\"status\":\"ACTIVE\"}",
         400, "\"field\":\"connection_name\"", NULL},
        {POST, "/_emulator/status",
         "{\"connector\":\"gmail\",\"user\":\"ann\",\"status\":\"ACTIVE\"}", 400,
         "\"field\":\"user\"", NULL},
        {POST, "/_emulator/consent", "{\"consent\":\"deny\",\"after\":1}", 400,
         "\"field\":\"after\"", NULL},
        {POST, "/_emulator/fail", "{\"path_prefix\":\"/\",\"status\":500,\"count\":2}", 400,
         "\"field\":\"count\"", NULL},
        {POST, "/_emulator/revoke_tokens", "{\"id\":null}", 400, "\"field\":\"id\"", NULL},
        {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 200, /* not revoked */
         "\"status\":\"EXPIRED\"", NULL},
    };
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, rows);
    world_tear_down(&world);
}

static void test_refuses_other_sites(void)
{
    struct world world;

    world_set_up(&world, NULL);
    snprintf(world.host, sizeof world.host, "localhost");
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 200);
    snprintf(world.host, sizeof world.host, "[::1]:80");
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 200);
    snprintf(world.host, sizeof world.host, "localhost.evil.example");
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/isalive", NULL), 403);

    snprintf(world.host, sizeof world.host, "127.0.0.1");
    snprintf(world.origin, sizeof world.origin, "https://evil.example");
    CU_ASSERT_EQUAL(world_ask(&world, POST, "/_emulator/revoke_tokens", ""), 403);
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/_emulator/stats", NULL), 403);
    CU_ASSERT_EQUAL(world_ask(&world, GET, ACCOUNTS, NULL), 200); /* the token still works */
    world_tear_down(&world);
}

static void keep_log(const char *method, const char *path, int status, void *log)
{
    size_t used = strlen(log);

    snprintf((char *)log + used, 200 - used, "%s %s %d\n", method, path, status);
}

static void test_log(void)
{
    char log[200] = "";
    struct scalekit_emulator_config config = {.log = keep_log, .log_user = log};
    struct world world;

    world_set_up(&world, &config);
    scalekit_emulator_fail_next(world.emulator, "/isalive", 1, 0, NULL);
    world_ask(&world, GET, "/isalive?secret=1", NULL);
    world_ask(&world, GET, "/magicLink/secret", NULL);
    CU_ASSERT_STRING_EQUAL(log, "POST /oauth/token 200\nGET /isalive 0\nGET /magicLink/... 404\n");
    world_tear_down(&world);
}

/* --- starting ----------------------------------------------------------------------------------- */

static void test_start_fails(void)
{
    struct world world;
    struct scalekit_emulator_config config = {0};
    char error[200];

    world_set_up(&world, NULL);
    config.port = world.port;
    CU_ASSERT_PTR_NULL(scalekit_emulator_start(world.base, &config, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "cannot listen on 127.0.0.1:"));
    CU_ASSERT_PTR_NULL(scalekit_emulator_start(world.base, &config, NULL, 0));
    config.tls_dir = "/dev/null";
    CU_ASSERT_PTR_NULL(scalekit_emulator_start(world.base, &config, error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "cannot use the directory /dev/null: "));
    scalekit_emulator_free(NULL);
    world_tear_down(&world);
}

struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    struct bufferevent *bev;
    bool done;
    char answer[600]; /* stays empty when the certificate or the name is bad */
};

static void on_tls_event(struct bufferevent *bev, short what, void *arg)
{
    struct tls_client *client = arg;

    (void)bev;
    if (!(what & BEV_EVENT_CONNECTED))
        client->done = true;
}

static void on_tls_read(struct bufferevent *bev, void *arg)
{
    struct tls_client *client = arg;
    size_t used = strlen(client->answer);

    used += bufferevent_read(bev, client->answer + used, sizeof client->answer - 1 - used);
    client->answer[used] = '\0';
    client->done = strstr(client->answer, "{\"status\":\"ok\"}") != NULL;
}

static uint16_t port_of(const scalekit_emulator *emulator)
{
    uint16_t port = 0;

    CU_ASSERT_EQUAL(sscanf(scalekit_emulator_url(emulator), "https://127.0.0.1:%hu", &port), 1);
    return port;
}

/* Begins to ask whether it is alive, with the certificate and the name checked. */
static void tls_client_start(struct tls_client *client, struct event_base *base,
                             const scalekit_emulator *emulator, const char *name)
{
    static const unsigned char protocols[] = "\2h2\10http/1.1";

    memset(client, 0, sizeof *client);
    client->context = SSL_CTX_new(TLS_client_method());
    CU_ASSERT_PTR_NOT_NULL_FATAL(client->context);
    CU_ASSERT_EQUAL(SSL_CTX_load_verify_file(client->context, scalekit_emulator_ca_file(emulator)),
                    1);
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    client->ssl = SSL_new(client->context);
    CU_ASSERT_EQUAL(SSL_set1_host(client->ssl, name), 1);
    CU_ASSERT_EQUAL(SSL_set_alpn_protos(client->ssl, protocols, sizeof protocols - 1), 0);
    client->bev = bufferevent_openssl_socket_new(base, -1, client->ssl, BUFFEREVENT_SSL_CONNECTING,
                                                 BEV_OPT_CLOSE_ON_FREE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(client->bev);
    bufferevent_setcb(client->bev, on_tls_read, NULL, on_tls_event, client);
    bufferevent_enable(client->bev, EV_READ | EV_WRITE);
    evbuffer_add_printf(bufferevent_get_output(client->bev),
                        "GET /isalive HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    CU_ASSERT_EQUAL(bufferevent_socket_connect_hostname(client->bev, NULL, AF_INET, "127.0.0.1",
                                                        port_of(emulator)),
                    0);
}

static void tls_client_open(struct tls_client *client, struct event_base *base,
                            const scalekit_emulator *emulator, const char *name)
{
    tls_client_start(client, base, emulator, name);
    test_base_until(base, &client->done);
}

static void tls_client_close(struct tls_client *client, struct event_base *base)
{
    bufferevent_free(client->bev);
    event_base_loop(base, EVLOOP_NONBLOCK);
    SSL_CTX_free(client->context);
}

static void read_file(const char *directory, const char *name, char out[4096])
{
    char path[128];
    FILE *file;
    size_t length = 0;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL(file);
    if (file) {
        length = fread(out, 1, 4095, file);
        fclose(file);
    }
    out[length] = '\0';
}

static FILE *create(const char *directory, const char *name)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    return file;
}

static void write_junk(const char *directory, const char *name)
{
    FILE *file = create(directory, name);

    fputs("junk", file);
    fclose(file);
}

static void remove_files(const char *directory)
{
    static const char *const names[] = {"ca.pem", "server.pem", "server.key"};
    char path[128];

    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    CU_ASSERT_EQUAL(rmdir(directory), 0); /* so nothing else was left there */
}

static void start_and_ask_by_tls(const char *directory, const char *name, char answer[600])
{
    struct scalekit_emulator_config config = {.tls_dir = directory};
    struct event_base *base = event_base_new();
    scalekit_emulator *emulator = scalekit_emulator_start(base, &config, NULL, 0);
    struct tls_client client;

    CU_ASSERT_PTR_NOT_NULL_FATAL(emulator);
    tls_client_open(&client, base, emulator, name);
    snprintf(answer, 600, "%s", client.answer);
    tls_client_close(&client, base);
    scalekit_emulator_free(emulator);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
}

static void test_tls(void)
{
    char parent[] = "/tmp/emulator-test-XXXXXX", directory[64], key_path[100];
    char first[4096], second[4096], answer[600];
    struct stat facts;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(parent));
    snprintf(directory, sizeof directory, "%s/tls", parent);
    snprintf(key_path, sizeof key_path, "%s/server.key", directory);

    start_and_ask_by_tls(directory, "127.0.0.1", answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, "200 OK"));
    CU_ASSERT_EQUAL(stat(key_path, &facts), 0);
    CU_ASSERT_EQUAL(facts.st_mode & 0777, 0600);
    read_file(directory, "ca.pem", first);

    start_and_ask_by_tls(directory, "localhost", answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, "200 OK"));
    read_file(directory, "ca.pem", second);
    CU_ASSERT_STRING_EQUAL(first, second); /* used again */

    start_and_ask_by_tls(directory, "other.example", answer);
    CU_ASSERT_STRING_EQUAL(answer, "");

    remove_files(directory);
    CU_ASSERT_EQUAL(rmdir(parent), 0);
}

static X509 *sign(const char *name, long expires_in_s, EVP_PKEY *key, X509 *issuer,
                  EVP_PKEY *issuer_key)
{
    X509 *certificate = X509_new();

    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), expires_in_s);
    X509_set_pubkey(certificate, key);
    CU_ASSERT(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
    return certificate;
}

/* A set of files that fit each other. */
static void write_set(const char *directory, const char *authority_name, long expires_in_s)
{
    EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *authority = sign(authority_name, expires_in_s, authority_key, NULL, authority_key);
    X509 *server = sign("localhost", expires_in_s, key, authority, authority_key);
    FILE *file = create(directory, "ca.pem");

    PEM_write_X509(file, authority);
    fclose(file);
    file = create(directory, "server.pem");
    PEM_write_X509(file, server);
    fclose(file);
    file = create(directory, "server.key");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_free(server);
    X509_free(authority);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority_key);
}

static void start_refused(const char *directory, char error[300])
{
    struct scalekit_emulator_config config = {.tls_dir = directory};
    struct event_base *base = event_base_new();

    CU_ASSERT_PTR_NULL(scalekit_emulator_start(base, &config, error, 300));
    event_base_free(base);
}

static void test_tls_replaces_its_own(void)
{
    char directory[] = "/tmp/emulator-test-XXXXXX", first[4096], second[4096], answer[600];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    write_set(directory, "Scalekit emulator CA", -1);
    read_file(directory, "ca.pem", first);
    start_and_ask_by_tls(directory, "127.0.0.1", answer);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, "200 OK"));
    read_file(directory, "ca.pem", second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    remove_files(directory);
}

static void test_tls_keeps_foreign_files(void)
{
    static const char *const names[] = {"ca.pem", "server.pem", "server.key"};
    char directory[] = "/tmp/emulator-test-XXXXXX", path[128];
    char before[4096], after[4096], error[300];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    for (size_t i = 0; i < 3; i++) { /* one file alone */
        write_junk(directory, names[i]);
        start_refused(directory, error);
        CU_ASSERT_PTR_NOT_NULL(strstr(error, "that the emulator did not make"));
        read_file(directory, names[i], after);
        CU_ASSERT_STRING_EQUAL(after, "junk");
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    write_set(directory, "Somebody's CA", 10 * 86400);
    read_file(directory, "server.key", before);
    start_refused(directory, error);
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "that the emulator did not make"));
    read_file(directory, "server.key", after);
    CU_ASSERT_STRING_EQUAL(before, after);

    write_set(directory, "Scalekit emulator CA", 10 * 86400);
    write_junk(directory, "server.key"); /* in the midst of ours */
    start_refused(directory, error);
    read_file(directory, "server.key", after);
    CU_ASSERT_STRING_EQUAL(after, "junk");
    remove_files(directory);
}

static void test_tls_names_file_and_reason(void)
{
    char directory[] = "/tmp/emulator-test-XXXXXX", path[128], error[300], expected[300];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/server.pem", directory);
    CU_ASSERT_EQUAL(symlink("nowhere", path), 0); /* can be neither read nor made */
    start_refused(directory, error);
    snprintf(expected, sizeof expected, "cannot make %s: File exists", path);
    CU_ASSERT_STRING_EQUAL(error, expected);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(symlink("server.pem", path), 0); /* leads to itself */
    start_refused(directory, error);
    snprintf(expected, sizeof expected, "cannot read %s: Too many levels of symbolic links", path);
    CU_ASSERT_STRING_EQUAL(error, expected);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(directory), 0); /* so the key made before went, too */
}

/* The first bytes of a handshake. */
static int client_hello(char out[1024])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *sent = BIO_new(BIO_s_mem());
    int length;

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), sent);
    CU_ASSERT_EQUAL(SSL_connect(ssl), -1);
    length = BIO_read(sent, out, 1024);
    CU_ASSERT(length > 0);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return length;
}

static void test_tls_clients_vanish(void)
{
    char directory[] = "/tmp/emulator-test-XXXXXX", hello[1024];
    struct scalekit_emulator_config config = {.tls_dir = directory};
    struct event_base *base = event_base_new();
    int length = client_hello(hello);
    struct tls_client client;
    scalekit_emulator *emulator;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    emulator = scalekit_emulator_start(base, &config, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(emulator);
    send_and_vanish(port_of(emulator), hello, (size_t)length);
    tls_client_open(&client, base, emulator, "127.0.0.1"); /* accepted after the other one */
    CU_ASSERT_PTR_NOT_NULL(strstr(client.answer, "200 OK"));
    tls_client_close(&client, base);
    scalekit_emulator_free(emulator);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
    remove_files(directory);
}

/* Stops the loop in the turn that sends the answer, after the sending, or `turns` later. */
struct stop {
    struct event_base *base;
    struct event *timer;
    int turns;
    bool stopped;
};

static void wait_a_turn(struct stop *stop)
{
    static const struct timeval at_once;

    CU_ASSERT_EQUAL(evtimer_add(stop->timer, &at_once), 0);
}

static void on_answer(const char *method, const char *path, int status, void *user)
{
    (void)method;
    (void)path;
    CU_ASSERT_EQUAL(status, 200);
    wait_a_turn(user);
}

static void on_turn(evutil_socket_t fd, short what, void *user)
{
    struct stop *stop = user;

    (void)fd;
    (void)what;
    stop->stopped = stop->turns-- == 0;
    if (stop->stopped)
        event_base_loopbreak(stop->base);
    else
        wait_a_turn(stop);
}

/* Ends it while libevent still has work of that answer.  What would be left behind is counted by the
 * harness as a descriptor. */
static void stop_after_answer(const char *directory, int turns, bool loop_goes_on)
{
    struct stop stop = {.base = event_base_new(), .turns = turns};
    struct scalekit_emulator_config config = {
        .tls_dir = directory, .log = on_answer, .log_user = &stop};
    scalekit_emulator *emulator = scalekit_emulator_start(stop.base, &config, NULL, 0);
    struct tls_client client;

    CU_ASSERT_PTR_NOT_NULL_FATAL(emulator);
    stop.timer = evtimer_new(stop.base, on_turn, &stop);
    tls_client_start(&client, stop.base, emulator, "127.0.0.1");
    test_base_until(stop.base, &stop.stopped);
    event_free(stop.timer);
    scalekit_emulator_free(emulator);
    if (loop_goes_on) {
        test_base_until(stop.base, &client.done);
        CU_ASSERT_PTR_NOT_NULL(strstr(client.answer, "200 OK"));
    }
    bufferevent_free(client.bev);
    event_base_free(stop.base);
    SSL_CTX_free(client.context);
}

static void test_tls_stops_after_answer(void)
{
    char directory[] = "/tmp/emulator-test-XXXXXX";

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    for (int turns = 0; turns < 4; turns++) {
        stop_after_answer(directory, turns, false);
        stop_after_answer(directory, turns, true);
    }
    remove_files(directory);
}

SUITE(emulator, {"signs in with client credentials and nothing else", test_sign_in},
      {"answers the API to a valid token only", test_token_needed},
      {"fails the next requests as told", test_faults},
      {"closes unanswered when told", test_closes_unanswered},
      {"survives clients that leave while they wait", test_pauses_end_early},
      {"survives clients that leave before the answer", test_clients_vanish},
      {"sets any status and counts what happens", test_admin},
      {"lists its own endpoints and refuses what they do not know", test_admin_tells_what_it_takes},
      {"answers on loopback names, and no web page administers it", test_refuses_other_sites},
      {"logs requests without their secrets", test_log},
      {"says why it cannot start", test_start_fails},
      {"survives clients that leave in the handshake", test_tls_clients_vanish},
      {"leaves nothing behind when its loop stops after an answer", test_tls_stops_after_answer},
      {"makes certificates and keeps them", test_tls},
      {"makes its own certificates anew when they run out", test_tls_replaces_its_own},
      {"neither uses nor replaces certificates it did not make", test_tls_keeps_foreign_files},
      {"names the file it could not make, and why", test_tls_names_file_and_reason})
