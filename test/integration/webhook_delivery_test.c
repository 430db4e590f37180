/* Deliveries that reach a client: through the server, through an evhttp server of the application,
 * and from the emulator to a watch. */
#include "environment.h"
#include "site.h"
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#define SECRET "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
#define EVENT                                                                                      \
    "{\"spec_version\":\"1\",\"id\":\"evt_1\",\"type\":\"organization.created\","                  \
    "\"occurred_at\":\"2026-08-21T10:00:00Z\",\"data\":{}}"

/* --- a client and its receivers ------------------------------------------------------------------- */

struct receiver {
    struct site site; /* without its server */
    scalekit_client *client;
    struct evhttp *http; /* the application's; NULL: the library's server */
    SSL_CTX *tls;        /* of `http` */
    struct caller *caller;
    unsigned told;
    bool answered_first;
};

static void on_event(scalekit_client *client, const struct scalekit_webhook_event *event,
                     void *user)
{
    struct receiver *receiver = user;
    char answer[13] = "";

    (void)client;
    CU_ASSERT_STRING_EQUAL(event->event->type, "organization.created");
    receiver->told++;
    recv(receiver->caller->fd, answer, sizeof answer - 1, MSG_PEEK | MSG_DONTWAIT);
    receiver->answered_first = strcmp(answer, "HTTP/1.1 201") == 0;
}

static void open_client(struct receiver *receiver)
{
    static const char *const secret = SECRET;
    const char *problem;

    CU_ASSERT_EQUAL_FATAL(
        scalekit_client_new(&receiver->client, receiver->site.base,
                            SCALEKIT_PARAMS(scalekit_config, .env_url = "http://127.0.0.1:1",
                                            .client_id = "skc_1", .client_secret = "s",
                                            .allocator = &receiver->site.memory.allocator),
                            &problem),
        SCALEKIT_OK);
    CU_ASSERT_EQUAL_FATAL(
        scalekit_webhook_accept(receiver->client,
                                SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret,
                                                .n_secrets = 1, .cb = on_event, .user = receiver),
                                NULL),
        SCALEKIT_OK);
}

static struct bufferevent *new_tls(struct event_base *base, void *context)
{
    return bufferevent_openssl_socket_new(base, -1, SSL_new(context), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

static void mount(struct receiver *receiver)
{
    struct evhttp_bound_socket *bound;
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    receiver->http = evhttp_new(receiver->site.base);
    CU_ASSERT_PTR_NOT_NULL_FATAL(receiver->http);
    evhttp_set_cb(receiver->http, "/hook", scalekit_webhook_evhttp_cb, receiver->client);
    if (receiver->site.client_tls) {
        receiver->tls = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate_chain_file(receiver->tls, receiver->site.certificate);
        SSL_CTX_use_PrivateKey_file(receiver->tls, receiver->site.key, SSL_FILETYPE_PEM);
        evhttp_set_bevcb(receiver->http, new_tls, receiver->tls);
    }
    bound = evhttp_bind_socket_with_handle(receiver->http, "127.0.0.1", 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bound);
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size);
    receiver->site.port = ntohs(address.sin_port);
}

static void receiver_open(struct receiver *receiver, bool tls, bool mounted)
{
    memset(receiver, 0, sizeof *receiver);
    site_begin(&receiver->site, tls);
    open_client(receiver);
    if (mounted) {
        mount(receiver);
        return;
    }
    CU_ASSERT_EQUAL_FATAL(
        site_serve(&receiver->site,
                   &(struct scalekit_webhook_server_params){.client = receiver->client},
                   &receiver->site.server, NULL),
        SCALEKIT_OK);
    receiver->site.port = scalekit_webhook_server_port(receiver->site.server);
}

static void receiver_close(struct receiver *receiver)
{
    if (receiver->http)
        evhttp_free(receiver->http);
    scalekit_webhook_server_free(receiver->site.server);
    receiver->site.server = NULL;
    scalekit_client_free(receiver->client);
    event_base_loop(receiver->site.base, EVLOOP_NONBLOCK);
    SSL_CTX_free(receiver->tls);
    site_close(&receiver->site);
}

/* --- requests to them ----------------------------------------------------------------------------- */

enum fault { NONE, WRONG_SECRET, OLD, NO_SIGNATURE, TWICE, NO_EVENT, ENDLESS, GET, AGAIN };

static const struct {
    enum fault fault;
    const char *status;
} cases[] = {
    {NONE, " 201 "},     {AGAIN, " 201 "},        {WRONG_SECRET, " 401 "},
    {OLD, " 401 "},      {NO_SIGNATURE, " 400 "}, {TWICE, " 400 "},
    {NO_EVENT, " 400 "}, {ENDLESS, " 413 "},      {GET, " 405 "},
};

static void compose(char out[2048], enum fault fault)
{
    const char *secret = fault == WRONG_SECRET ? "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcZ" : SECRET;
    const char *body = fault == NO_EVENT ? "{}" : EVENT;
    const char *id = fault == NONE || fault == AGAIN ? "msg_1" : "msg_2";
    int64_t now = time(NULL) - (fault == OLD ? 1000 : 0);
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    char line[128] = "";

    scalekit_webhook_sign(signature, secret, id, now, body, strlen(body));
    if (fault != NO_SIGNATURE)
        snprintf(line, sizeof line, "Webhook-Signature: v1,abc %s\r\n", signature);
    snprintf(out, 2048,
             "%s /hook?a=b HTTP/1.1\r\nHost: a\r\nWEBHOOK-ID: %s\r\n%swebhook-timestamp: %lld\r\n"
             "%sContent-Length: %zu\r\n\r\n%s",
             fault == GET ? "GET" : "POST", id, fault == TWICE ? "webhook-id: msg_2\r\n" : "",
             (long long)now, line, fault == ENDLESS ? (size_t)2 << 20 : strlen(body), body);
}

static void send_filling(struct caller *caller)
{
    static char filling[2 << 20];

    caller_send(caller, filling, sizeof filling - strlen(EVENT));
}

static void ask_everything(bool tls, bool mounted)
{
    struct receiver receiver;
    struct caller caller;
    char request[2048];

    receiver_open(&receiver, tls, mounted);
    receiver.caller = &caller;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        site_call(&receiver.site, &caller);
        compose(request, cases[i].fault);
        caller_says(&caller, request);
        if (mounted && cases[i].fault == ENDLESS)
            send_filling(&caller); /* the application has set no limit */
        caller_until(&caller, cases[i].status);
        caller_close(&caller);
    }
    CU_ASSERT_EQUAL(receiver.told, 1);
    receiver_close(&receiver);
}

static void every_delivery_is_judged(void)
{
    ask_everything(false, false);
    ask_everything(true, false);
}

static void it_can_be_mounted(void)
{
    ask_everything(false, true);
    ask_everything(true, true);
}

static void the_answer_leaves_first(void)
{
    static const bool mounted[] = {false, true};

    for (size_t i = 0; i < 2; i++) {
        struct receiver receiver;
        struct caller caller;
        char request[2048];

        receiver_open(&receiver, false, mounted[i]);
        receiver.caller = &caller;
        site_call(&receiver.site, &caller);
        compose(request, NONE);
        event_del(caller.readable); /* what comes stays in the socket */
        caller_says_at_once(&caller, request);
        while (!receiver.told)
            event_base_loop(receiver.site.base, EVLOOP_ONCE);
        CU_ASSERT(receiver.answered_first);
        caller_close(&caller);
        receiver_close(&receiver);
    }
}

/* Frees everything while the answer, and perhaps another request, is on its way. */
static void on_last_event(scalekit_client *client, const struct scalekit_webhook_event *event,
                          void *user)
{
    struct receiver *receiver = user;

    (void)event;
    receiver->told++;
    scalekit_webhook_server_free(receiver->site.server);
    receiver->site.server = NULL;
    scalekit_client_free(client);
    receiver->client = NULL;
}

static void free_when_told(bool tls, int requests)
{
    static const char *const secret = SECRET;
    struct receiver receiver;
    struct caller caller;
    char request[2048], all[4 * 2048];

    receiver_open(&receiver, tls, false);
    scalekit_webhook_accept(receiver.client,
                            SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret,
                                            .n_secrets = 1, .cb = on_last_event, .user = &receiver),
                            NULL);
    site_call(&receiver.site, &caller);
    compose(request, NONE);
    for (int i = 0; i < requests; i++)
        snprintf(all + (size_t)i * strlen(request), sizeof request, "%s", request);
    caller_says(&caller, all);
    caller_until_end(&caller);
    CU_ASSERT_EQUAL(strncmp(caller.got, "HTTP/1.1 201", 12), 0);
    CU_ASSERT(caller.clean);
    CU_ASSERT_EQUAL(receiver.told, 1);
    caller_close(&caller);
    receiver_close(&receiver);
}

static void who_is_told_may_free_everything(void)
{
    for (int requests = 1; requests <= 4; requests++) {
        free_when_told(false, requests);
        free_when_told(true, requests);
    }
}

/* Of what evhttp answers by itself the header says that it can. */
static void a_mounted_answer_raises_no_sigpipe(void)
{
    void (*before)(int) = signal(SIGPIPE, SIG_DFL);
    struct receiver receiver;
    struct caller caller;
    char request[2048];

    receiver_open(&receiver, false, true);
    receiver.caller = &caller;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].fault == ENDLESS)
            continue;
        site_call(&receiver.site, &caller);
        compose(request, cases[i].fault);
        caller_says_at_once(&caller, request);
        caller_vanish(&caller);
        site_call(&receiver.site, &caller);
        compose(request, AGAIN);
        caller_says(&caller, request);
        caller_until(&caller, " 201 ");
        caller_close(&caller);
    }
    receiver_close(&receiver);
    signal(SIGPIPE, before);
}

/* --- from the emulator to a watch ----------------------------------------------------------------- */

struct vigil {
    enum scalekit_watch_source source;
    enum scalekit_account_status status;
    unsigned finals;
    bool done;
};

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct vigil *vigil = user;

    (void)watch;
    if (!event->final)
        return;
    vigil->finals++;
    vigil->source = event->source;
    vigil->status = event->status;
    vigil->done = true;
}

/* What may have happened before a watch began is looked up, and not believed: a delivery is under way
 * for up to 11 s.  So the client's time goes faster. */
static int64_t ahead_us;

static int64_t clock_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t monotonic_us(void *user)
{
    (void)user;
    return clock_us(CLOCK_MONOTONIC) + ahead_us;
}

static int64_t wall_us(void *user)
{
    (void)user;
    return clock_us(CLOCK_REALTIME);
}

static uint64_t no_dice(void *user)
{
    (void)user;
    return 0;
}

static const struct scalekit_clock fast_clock = {monotonic_us, wall_us, no_dice, NULL};

/* It looks at once, and then in an hour: what changes in between it is told. */
static scalekit_client *patient_client(struct environment *env)
{
    scalekit_client *client = NULL;
    const char *problem;

    CU_ASSERT_EQUAL(
        scalekit_client_new(
            &client, env->base,
            SCALEKIT_PARAMS(scalekit_config, .env_url = scalekit_emulator_url(env->emulator),
                            .client_id = scalekit_emulator_client_id(env->emulator),
                            .client_secret = scalekit_emulator_client_secret(env->emulator),
                            .ca_file = scalekit_emulator_ca_file(env->emulator),
                            .watch_first_check_ms = 1, .watch_interval_ms = 3600000,
                            .watch_max_interval_ms = 3600000, .clock = &fast_clock,
                            .allocator = &env->memory.allocator),
            &problem),
        SCALEKIT_OK);
    return client;
}

static scalekit_webhook_server *serve(struct environment *env, scalekit_client *client, bool tls)
{
    scalekit_webhook_server *server = NULL;
    char certificate[128], key[128];

    snprintf(certificate, sizeof certificate, "%s/server.pem", env->directory);
    snprintf(key, sizeof key, "%s/server.key", env->directory);
    CU_ASSERT_EQUAL_FATAL(
        scalekit_webhook_server_new(
            &server, env->base,
            SCALEKIT_PARAMS(scalekit_webhook_server_params, .client = client,
                            .certificate_file = tls ? certificate : NULL,
                            .key_file = tls ? key : NULL, .path = "/webhooks/scalekit",
                            .allocator = &env->memory.allocator),
            NULL),
        SCALEKIT_OK);
    return server;
}

static void register_with_emulator(struct environment *env, scalekit_client *client, bool tls,
                                   const scalekit_webhook_server *server)
{
    const char *secret;
    char url[80];

    snprintf(url, sizeof url, "http%s://127.0.0.1:%u/webhooks/scalekit", tls ? "s" : "",
             (unsigned)scalekit_webhook_server_port(server));
    CU_ASSERT_FATAL(scalekit_emulator_add_webhook(
        env->emulator, &(struct scalekit_emulator_webhook){.url = url}, NULL, 0));
    secret = scalekit_emulator_webhook_secret(env->emulator, url);
    CU_ASSERT_EQUAL_FATAL(
        scalekit_webhook_accept(
            client,
            SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret, .n_secrets = 1),
            NULL),
        SCALEKIT_OK);
}

static void settle_a_watch(bool tls)
{
    struct environment env;
    struct vigil vigil = {0};
    scalekit_client *client;
    scalekit_webhook_server *server;
    scalekit_watch *watch;

    environment_init(&env, NULL);
    CU_ASSERT(scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "PENDING_AUTH"));
    client = patient_client(&env);
    server = serve(&env, client, tls);
    register_with_emulator(&env, client, tls, server);
    watch = scalekit_watch_account(
        client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail", .identifier = "user_1"),
        on_watch, &vigil);
    while (scalekit_watch_status(watch) == SCALEKIT_ACCOUNT_UNKNOWN)
        event_base_loop(env.base, EVLOOP_ONCE);
    ahead_us += 12000000;
    CU_ASSERT(scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "ACTIVE"));
    test_base_until(env.base, &vigil.done);
    CU_ASSERT_EQUAL(vigil.finals, 1);
    CU_ASSERT_EQUAL(vigil.source, SCALEKIT_WATCH_SOURCE_WEBHOOK);
    CU_ASSERT_EQUAL(vigil.status, SCALEKIT_ACCOUNT_ACTIVE);
    scalekit_webhook_server_free(server);
    scalekit_client_free(client);
    environment_free(&env);
}

static void a_delivery_settles_a_watch(void)
{
    settle_a_watch(false);
    settle_a_watch(true);
}

SUITE(webhook_delivery, {"every delivery is judged", every_delivery_is_judged},
      {"it can be mounted on the application's server", it_can_be_mounted},
      {"the answer leaves before handlers are called", the_answer_leaves_first},
      {"who is told may free everything", who_is_told_may_free_everything},
      {"a mounted answer raises no SIGPIPE", a_mounted_answer_raises_no_sigpipe},
      {"a delivery over TLS settles a watch", a_delivery_settles_a_watch})
