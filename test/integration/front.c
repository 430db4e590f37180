#include "front.h"
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#define PATIENCE_S  10
#define DEADLINE_MS (10 * 60 * 1000)

/* --- the three --------------------------------------------------------------------------------- */

static void on_heard(const char *method, const char *path, int status, void *user)
{
    struct front *front = user;
    bool post = strcmp(method, "POST") == 0;

    (void)status;
    if (strcmp(path, "/oauth/token") == 0) {
        front->sign_ins++;
        return;
    }
    if (post)
        front->posts++;
    else
        front->gets++;
    if (front->heard)
        front->heard(front, post);
}

static void on_limit(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    ((struct front *)user)->expired = true;
}

void front_init(struct front *front)
{
    char problem[256];

    memset(front, 0, sizeof *front);
    environment_init(&front->env, NULL);
    front->limit = evtimer_new(front->env.base, on_limit, front);
    CU_ASSERT_PTR_NOT_NULL_FATAL(front->limit);
    front->backend = scalekit_emulator_start(
        front->env.base, &(struct scalekit_emulator_config){.log = on_heard, .log_user = front},
        problem, sizeof problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(front->backend);
    front->backend_port =
        (uint16_t)strtoul(strrchr(scalekit_emulator_url(front->backend), ':') + 1, NULL, 10);
    server_init(&front->server);
}

void front_free(struct front *front)
{
    scalekit_client_free(front->client);
    server_free(&front->server);
    scalekit_emulator_free(front->backend);
    event_free(front->limit);
    environment_free(&front->env);
}

/* --- clients ----------------------------------------------------------------------------------- */

static void on_log(enum scalekit_log_level level, const char *line, void *user)
{
    struct front *front = user;

    (void)level;
    if (strncmp(line, "connection to ", 14) == 0) {
        front->opened += strstr(line, " opened") != NULL;
        front->closed += strstr(line, " closed") != NULL;
    }
    front->repeated += strstr(line, " again in ") != NULL;
}

scalekit_client *front_client_of(struct front *front, const char *url, const char *ca_file,
                                 const struct scalekit_config *config)
{
    struct scalekit_config full = *config;
    const char *problem = NULL;
    scalekit_client *client;

    full.env_url = url;
    full.ca_file = ca_file;
    full.client_id = scalekit_emulator_client_id(front->backend);
    full.client_secret = scalekit_emulator_client_secret(front->backend);
    full.allocator = &front->env.memory.allocator;
    full.log_level = SCALEKIT_LOG_INFO;
    full.log = on_log;
    full.log_user = front;
    if (!full.deadline_ms)
        full.deadline_ms = full.tool_deadline_ms = DEADLINE_MS;
    CU_ASSERT_EQUAL_FATAL(scalekit_client_new(&client, front->env.base, &full, &problem),
                          SCALEKIT_OK);
    return client;
}

void front_client(struct front *front, const struct scalekit_config *config)
{
    CU_ASSERT_PTR_NULL_FATAL(front->client);
    front->client = front_client_of(front, front->server.url, front->server.pki.ca_file, config);
}

/* --- servers ----------------------------------------------------------------------------------- */

void front_start_proxy(struct front *front, const char *rest)
{
    char upstream[128], all[2048];

    snprintf(upstream, sizeof upstream, "upstream backend { server 127.0.0.1:%u; keepalive 64; }",
             front->backend_port);
    snprintf(all, sizeof all, "%s location / { proxy_pass http://backend; }", rest);
    server_start_nginx(&front->server, "http2", upstream, all);
}

void front_start_canned(struct front *front, const char *listen, const char *rest)
{
    char all[2048];

    snprintf(all, sizeof all,
             "location = /oauth/token {"
             " return 200 '{\"access_token\":\"a-token\",\"expires_in\":86399}'; }"
             "location / { return 200 '{\"connected_account\":{\"status\":\"ACTIVE\"}}'; }"
             "%s",
             rest);
    server_start_nginx(&front->server, listen, "", all);
}

/* --- waiting ----------------------------------------------------------------------------------- */

void front_progress(struct front *front)
{
    struct timeval patience = {PATIENCE_S, 0};

    front->expired = false;
    evtimer_add(front->limit, &patience);
}

bool front_turn(struct front *front)
{
    event_base_loop(front->env.base, EVLOOP_ONCE);
    return !front->expired;
}

/* --- crowds ------------------------------------------------------------------------------------ */

static void start_next(struct crowd *crowd);

static void note(scalekit_request *request, bool ok, void *user)
{
    struct call *call = user;
    struct crowd *crowd = call->crowd;
    const struct scalekit_error *error = scalekit_request_error(request);

    call->calls++;
    call->ok = ok;
    call->attempts = scalekit_request_attempts(request);
    if (error) {
        call->code = error->code;
        call->phase = error->phase;
        call->sent = error->sent;
        snprintf(call->text, sizeof call->text, "%s", error->message);
    }
    crowd->over++;
    crowd->ok += ok;
    if (call->attempts > crowd->most_attempts)
        crowd->most_attempts = call->attempts;
    front_progress(crowd->front);
    if (crowd->started < crowd->size)
        start_next(crowd);
}

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    note(request, account != NULL, user);
}

static void on_tool(scalekit_request *request, const struct scalekit_tool_result *result,
                    void *user)
{
    note(request, result != NULL, user);
}

static scalekit_request *start_call(scalekit_client *client, struct call *call,
                                    const char *identifier)
{
    switch (call->kind) {
    case CALL_LOOK:
        return scalekit_get_connected_account_details(client,
                                                      SCALEKIT_PARAMS(scalekit_account_key,
                                                                      .connection_name = "gmail",
                                                                      .identifier = identifier),
                                                      on_account, call);
    case CALL_CREATE:
        return scalekit_create_connected_account(
            client,
            SCALEKIT_PARAMS(scalekit_create_connected_account_params, .connection_name = "gmail",
                            .identifier = identifier),
            on_account, call);
    case CALL_TOOL:
        return scalekit_execute_tool(client,
                                     SCALEKIT_PARAMS(scalekit_execute_tool_params,
                                                     .connection_name = "gmail",
                                                     .identifier = identifier, .tool_name = "echo"),
                                     on_tool, call);
    }
    return NULL;
}

static void start_next(struct crowd *crowd)
{
    struct front *front = crowd->front;
    struct call *call = &crowd->calls[crowd->started++];
    char identifier[32];

    snprintf(identifier, sizeof identifier, "user_%u", call->number);
    if (call->kind != CALL_CREATE)
        CU_ASSERT(scalekit_emulator_set_status(front->backend, "gmail", identifier, "ACTIVE"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(start_call(front->client, call, identifier));
}

void crowd_start(struct crowd *crowd, struct front *front, unsigned size, unsigned in_flight,
                 bool posts)
{
    static const enum call_kind mixed[] = {CALL_CREATE, CALL_LOOK, CALL_TOOL, CALL_LOOK};

    *crowd = (struct crowd){.front = front, .size = size};
    crowd->calls = calloc(size, sizeof *crowd->calls);
    CU_ASSERT_PTR_NOT_NULL_FATAL(crowd->calls);
    for (unsigned i = 0; i < size; i++) {
        crowd->calls[i].crowd = crowd;
        crowd->calls[i].number = i;
        crowd->calls[i].kind = posts ? mixed[i % 4] : CALL_LOOK;
    }
    while (crowd->started < size && (!in_flight || crowd->started < in_flight))
        start_next(crowd);
}

void crowd_stop(struct crowd *crowd)
{
    crowd->size = crowd->started;
}

/* Some are stuck: ends them, while their callbacks still have a crowd, and says where they were. */
static void give_up(struct crowd *crowd)
{
    struct front *front = crowd->front;
    unsigned over = crowd->over;

    crowd_stop(crowd);
    scalekit_client_free(front->client);
    front->client = NULL;
    printf("    %u of %u stuck; %u connections opened, %u closed\n", crowd->size - over,
           crowd->size, front->opened, front->closed);
    for (unsigned i = 0; i < crowd->size; i++) {
        const struct call *call = &crowd->calls[i];

        if (call->code == SCALEKIT_ERR_CLOSED)
            printf("    call %u: %s, attempt %d, %s\n", i, scalekit_phase_name(call->phase),
                   call->attempts, call->sent ? "sent" : "not sent");
    }
}

void crowd_wait(struct crowd *crowd)
{
    unsigned once = 0;

    FRONT_UNTIL(crowd->front, crowd->over == crowd->size);
    if (crowd->over < crowd->size)
        give_up(crowd);
    event_base_loop(crowd->front->env.base, EVLOOP_NONBLOCK); /* what would come twice */
    for (unsigned i = 0; i < crowd->size; i++)
        once += crowd->calls[i].calls == 1;
    CU_ASSERT_EQUAL(once, crowd->size);
    CU_ASSERT_EQUAL(crowd->over, crowd->size);
}

void crowd_free(struct crowd *crowd)
{
    free(crowd->calls);
}

void crowd_succeeds(struct crowd *crowd)
{
    crowd_wait(crowd);
    CU_ASSERT_EQUAL(crowd->ok, crowd->size);
    CU_ASSERT_EQUAL(crowd->most_attempts, 1);
    for (unsigned i = 0; i < crowd->size; i++) {
        const struct call *call = &crowd->calls[i];

        if (call->ok)
            continue;
        printf("    call %u: %s, \"%s\"\n", i, scalekit_err_name(call->code), call->text);
        return;
    }
}

void crowd_run(struct front *front, unsigned size, unsigned in_flight, bool posts)
{
    struct crowd crowd;

    crowd_start(&crowd, front, size, in_flight, posts);
    crowd_succeeds(&crowd);
    crowd_free(&crowd);
}

/* --- the server's log -------------------------------------------------------------------------- */

static void take_line(void *user, const struct server_line *line)
{
    struct ledger *ledger = user;
    const char *number = strstr(line->uri, "identifier=user_");
    unsigned long n;

    ledger->lines++;
    ledger->http1 += strcmp(line->protocol, "HTTP/1.1") == 0;
    ledger->http2 += strcmp(line->protocol, "HTTP/2.0") == 0;
    CU_ASSERT_FATAL(line->connection < LEDGER_CONNECTIONS);
    if (!ledger->connection[line->connection]) {
        ledger->connection[line->connection] = 1;
        ledger->connections++;
        ledger->resumed += line->resumed;
    }
    if (!number)
        return;
    n = strtoul(number + 16, NULL, 10);
    CU_ASSERT_FATAL(n < sizeof ledger->numbered);
    ledger->looks += ledger->numbered[n] == 0;
    ledger->twice += ledger->numbered[n] == 1;
    if (ledger->numbered[n] < 2)
        ledger->numbered[n]++;
}

void front_read_ledger(struct front *front, struct ledger *ledger)
{
    memset(ledger, 0, sizeof *ledger);
    server_stop(&front->server, SIGTERM);
    server_read_log(&front->server, take_line, ledger);
}
