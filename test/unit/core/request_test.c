/* What a request does with its time, its retries, its settings and its memory. */
#include "../net/certificates.h"
#include "../net/peer.h"
#include "core/client.h"
#include "core/request.h"
#include "fixture.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

static const struct service_answer account_answer = {.status = 200, .body = ACCOUNT_BODY};
static const struct service_answer empty_answer = {.status = 200, .body = "{}"};
static const struct service_answer hangs = {.manner = SERVICE_HANGS};

/* --- starting ---------------------------------------------------------------------------------- */

static void test_not_accepted(void)
{
    struct fixture f;
    const struct scalekit_account_key *key =
        SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = "ca_1");

    fixture_open(&f);
    CU_ASSERT_PTR_NULL(scalekit_get_connected_account_details(NULL, key, call_on_account, NULL));
    CU_ASSERT_PTR_NULL(scalekit_get_connected_account_details(f.client, key, NULL, NULL));
    CU_ASSERT_PTR_NULL(scalekit_client_warm(f.client, NULL, NULL));
    CU_ASSERT_PTR_NULL(scalekit_client_warm(NULL, call_on_done, NULL));
    CU_ASSERT_PTR_NULL(scalekit_get_or_create_connected_account(NULL, NULL, call_on_account, NULL));
    fixture_turn(&f);
    fixture_free(&f);
}

static void test_missing_params(void)
{
    struct fixture f;
    struct call *calls[8];

    fixture_open(&f);
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = call_new(&f);
#define START(i, operation, callback)                                                              \
    call_began(calls[i], operation(f.client, NULL, callback, calls[i]))
    START(0, scalekit_get_connected_account, call_on_account);
    START(1, scalekit_delete_connected_account, call_on_done);
    START(2, scalekit_create_connected_account, call_on_account);
    START(3, scalekit_update_connected_account, call_on_account);
    START(4, scalekit_search_connected_accounts, call_on_page);
    START(5, scalekit_verify_connected_account_user, call_on_verification);
    START(6, scalekit_execute_tool, call_on_tool);
    START(7, scalekit_get_or_create_connected_account, call_on_account);
#undef START
    for (size_t i = 0; i < COUNT(calls); i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_ERR_INVALID);
        CU_ASSERT(text_is(calls[i]->error->parameter, "params"));
        CU_ASSERT_EQUAL(calls[i]->attempts, 0);
    }
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 0);
    fixture_free(&f);
}

/* Operations that fill in defaults copy their params first. */
static void test_struct_size_of_copies(void)
{
    struct fixture f;
    struct {
        struct scalekit_create_connected_account_params known;
        const char *later;
    } newer = {.known = {sizeof newer, "gmail", "user_1", NULL, NULL, NULL, NULL}};
    struct call *good, *bad;

    fixture_open(&f);
    service_always(f.service, CREATE, account_answer);
    good = call_new(&f);
    call_began(good,
               scalekit_create_connected_account(f.client, &newer.known, call_on_account, good));
    newer.later = "set";
    bad = call_new(&f);
    call_began(bad,
               scalekit_create_connected_account(f.client, &newer.known, call_on_account, bad));
    call_wait(good);
    call_wait(bad);
    CU_ASSERT_EQUAL(good->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(bad->code, SCALEKIT_ERR_INVALID);
    CU_ASSERT(text_is(bad->error->parameter, "struct_size"));
    /* An older program knows nothing of what comes last. */
    newer.known.struct_size =
        offsetof(struct scalekit_create_connected_account_params, authorization_details);
    newer.known.authorization_details = (const void *)&f;
    newer.known.api_config = "not JSON";
    good = call_new(&f);
    call_began(good,
               scalekit_create_connected_account(f.client, &newer.known, call_on_account, good));
    call_wait(good);
    CU_ASSERT_EQUAL(good->code, SCALEKIT_OK);
    CU_ASSERT(text_is(service_request(f.service, CREATE, 1)->body,
                      service_request(f.service, CREATE, 0)->body));
    fixture_free(&f);
}

static void test_struct_size(void)
{
    struct fixture f;
    struct {
        struct scalekit_execute_tool_params known;
        const char *later;
    } newer = {.known = {.struct_size = sizeof newer, .tool_name = "t"}};
    struct scalekit_create_connected_account_params garbage = {.struct_size = SIZE_MAX / 2};
    struct call *calls[4];

    fixture_open(&f);
    service_always(f.service, TOOL, empty_answer);
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = call_new(&f);
    call_began(calls[0], scalekit_execute_tool(f.client, &newer.known, call_on_tool, calls[0]));
    newer.later = "set";
    call_began(calls[1], scalekit_execute_tool(f.client, &newer.known, call_on_tool, calls[1]));
    newer.known.struct_size = 0;
    call_began(calls[2], scalekit_execute_tool(f.client, &newer.known, call_on_tool, calls[2]));
    call_began(calls[3],
               scalekit_create_connected_account(f.client, &garbage, call_on_account, calls[3]));
    call_wait(calls[0]);
    CU_ASSERT_EQUAL(calls[0]->code, SCALEKIT_OK);
    for (size_t i = 1; i < COUNT(calls); i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_ERR_INVALID);
        CU_ASSERT(text_is(calls[i]->error->parameter, "struct_size"));
    }
    fixture_free(&f);
}

/* --- settings ---------------------------------------------------------------------------------- */

static const struct setting_row {
    const char *name;
    int64_t deadline;
    int retries;
    scalekit_err err;
} setting_rows[] = {
    {"least", 1, 0, SCALEKIT_OK},
    {"most", 86400000, 10, SCALEKIT_OK},
    {"too little", 0, -1, SCALEKIT_ERR_INVALID},
    {"too much", 86400001, 11, SCALEKIT_ERR_INVALID},
    {"negative", INT64_MIN, -100, SCALEKIT_ERR_INVALID},
};

static void set_all(const struct setting_row *row, scalekit_request *request, scalekit_err late)
{
    scalekit_err err = row->err == SCALEKIT_OK ? late : row->err;

    ROW_IS(row->name, scalekit_request_set_deadline(request, row->deadline) == err);
    ROW_IS(row->name, scalekit_request_set_max_retries(request, row->retries) == err);
    ROW_IS(row->name, scalekit_request_set_retry_rate_limited(request, true) == late);
}

static void test_settings(void)
{
    for (size_t i = 0; i < COUNT(setting_rows); i++) {
        struct fixture f;
        struct call *call, *invalid, *cancelled;

        fixture_open(&f);
        service_always(f.service, DETAILS, hangs);
        call = call_details(&f);
        set_all(&setting_rows[i], call->request, SCALEKIT_OK);
        scalekit_request_set_deadline(call->request, 20000);
        service_until(f.service, DETAILS, 1);
        set_all(&setting_rows[i], call->request, SCALEKIT_ERR_TOO_LATE);
        call_cancel(call);
        set_all(&setting_rows[i], call->request, SCALEKIT_ERR_TOO_LATE);
        call_wait(call);
        set_all(&setting_rows[i], call->request, SCALEKIT_ERR_TOO_LATE);
        cancelled = call_get_or_create(&f);
        set_all(&setting_rows[i], cancelled->request, SCALEKIT_OK);
        call_cancel(cancelled);
        set_all(&setting_rows[i], cancelled->request, SCALEKIT_ERR_TOO_LATE);
        invalid = call_new(&f);
        call_began(invalid, scalekit_execute_tool(f.client, NULL, call_on_tool, invalid));
        set_all(&setting_rows[i], invalid->request, SCALEKIT_OK);
        call_wait(invalid);
        fixture_free(&f);
    }
    CU_ASSERT_EQUAL(scalekit_request_set_deadline(NULL, 1), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_request_set_max_retries(NULL, 1), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_request_set_retry_rate_limited(NULL, true), SCALEKIT_ERR_INVALID);
}

static void test_no_request(void)
{
    scalekit_request_cancel(NULL);
    scalekit_request_unref(NULL);
    CU_ASSERT_PTR_NULL(scalekit_request_ref(NULL));
    CU_ASSERT_PTR_NULL(scalekit_request_error(NULL));
    CU_ASSERT_EQUAL(scalekit_request_http_status(NULL), 0);
    CU_ASSERT_EQUAL(scalekit_request_attempts(NULL), 0);
    CU_ASSERT_EQUAL(scalekit_request_elapsed_ms(NULL), 0);
    CU_ASSERT(text_is(scalekit_request_operation(NULL), ""));
}

static void test_no_error_before_completion(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    call = call_details(&f);
    call_cancel(call);
    CU_ASSERT_PTR_NULL(scalekit_request_error(call->request));
    call_wait(call);
    CU_ASSERT_PTR_NOT_NULL(scalekit_request_error(call->request));
    fixture_free(&f);
}

/* --- deadlines --------------------------------------------------------------------------------- */

/* A call in some phase, and what it needs around it. */
struct stuck {
    struct fixture f;
    struct test_pki pki;
    struct test_peer *peer;
    struct call *call;
    char url[64];
    char dns[32];
    int listener, fillers[16];
    unsigned n_fillers;
};

static void start_stuck(struct stuck *s, const char *url)
{
    if (url)
        s->f.config.env_url = url;
    s->f.config.connect_timeout_ms = 60000;
    fixture_start(&s->f);
    s->call = call_details(&s->f);
}

static void stick_token(struct stuck *s)
{
    service_always(s->f.service, SIGN_IN, hangs);
    start_stuck(s, NULL);
    service_until(s->f.service, SIGN_IN, 1);
}

static void stick_queue(struct stuck *s)
{
    s->f.config.max_connections = 1;
    service_always(s->f.service, DETAILS, hangs);
    start_stuck(s, NULL);
    scalekit_request_set_deadline(s->call->request, 60000);
    service_until(s->f.service, DETAILS, 1);
    s->call = call_details(&s->f);
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof in;

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&in, &length) == 0);
    return ntohs(in.sin_port);
}

/* A name server that hears and says nothing. */
static void stick_resolve(struct stuck *s)
{
    s->listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(s->dns, sizeof s->dns, "127.0.0.1:%u", bound_port(s->listener));
    s->f.config.dns_servers = s->dns;
    test_pki_init(&s->pki);
    s->f.config.ca_file = s->pki.ca_file;
    start_stuck(s, "https://acme.scalekit.example");
}

/* A listener whose queue is full: the kernel drops what would connect. */
static void stick_connect(struct stuck *s)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd connected = {.events = POLLOUT};

    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    in.sin_port = htons(bound_port(s->listener));
    CU_ASSERT_FATAL(listen(s->listener, 0) == 0);
    do {
        CU_ASSERT_FATAL(s->n_fillers < COUNT(s->fillers));
        connected.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        s->fillers[s->n_fillers++] = connected.fd;
        CU_ASSERT_FATAL(connect(connected.fd, (struct sockaddr *)&in, sizeof in) == 0 ||
                        errno == EINPROGRESS);
    } while (poll(&connected, 1, 100) == 1);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(in.sin_port));
    start_stuck(s, s->url);
}

static void stick_tls(struct stuck *s)
{
    test_pki_init(&s->pki);
    s->peer = test_peer_new(s->f.base, &(struct test_peer_config){0});
    s->f.config.ca_file = s->pki.ca_file;
    snprintf(s->url, sizeof s->url, "https://127.0.0.1:%u", test_peer_port(s->peer));
    start_stuck(s, s->url);
}

static void stick_wait(struct stuck *s)
{
    service_always(s->f.service, DETAILS, hangs);
    start_stuck(s, NULL);
    service_until(s->f.service, DETAILS, 1);
}

static void stick_receive(struct stuck *s)
{
    service_always(s->f.service, DETAILS,
                   (struct service_answer){200, ACCOUNT_BODY, NULL, SERVICE_STALLS, 100});
    start_stuck(s, NULL);
    service_until(s->f.service, DETAILS, 1);
}

static void stick_backoff(struct stuck *s)
{
    service_always(s->f.service, DETAILS, (struct service_answer){.status = 503});
    start_stuck(s, NULL);
    service_until(s->f.service, DETAILS, 1);
}

/* The same inside a request that is made of requests. */
static void stick_flow(struct stuck *s)
{
    service_always(s->f.service, DETAILS, (struct service_answer){.status = 404});
    service_always(s->f.service, CREATE, hangs);
    s->f.config.connect_timeout_ms = 60000;
    fixture_start(&s->f);
    s->call = call_get_or_create(&s->f);
    service_until(s->f.service, CREATE, 1);
}

static const struct stuck_row {
    const char *name;
    void (*stick)(struct stuck *stuck);
    enum scalekit_phase phase;
    bool sent;
    int attempts;
} stuck_rows[] = {
    {"token", stick_token, SCALEKIT_PHASE_TOKEN, false, 0},
    {"queue", stick_queue, SCALEKIT_PHASE_QUEUE, false, 1},
    {"resolve", stick_resolve, SCALEKIT_PHASE_RESOLVE, false, 0},
    {"connect", stick_connect, SCALEKIT_PHASE_CONNECT, false, 0},
    {"TLS", stick_tls, SCALEKIT_PHASE_TLS, false, 0},
    {"wait", stick_wait, SCALEKIT_PHASE_WAIT, true, 1},
    {"receive", stick_receive, SCALEKIT_PHASE_RECEIVE, true, 1},
    {"backoff", stick_backoff, SCALEKIT_PHASE_BACKOFF, true, 1},
    {"wait in a flow", stick_flow, SCALEKIT_PHASE_WAIT, true, 1},
};

static void run_stuck(const struct stuck_row *row)
{
    struct stuck s = {.listener = -1};

    fixture_init(&s.f);
    fixture_use_clock(&s.f);
    row->stick(&s);
    fixture_turn(&s.f);
    /* A pause ends before the deadline: there the clock has to jump over both. */
    if (row->phase != SCALEKIT_PHASE_BACKOFF)
        fixture_advance(&s.f, 19900);
    fixture_turn(&s.f);
    ROW_IS(row->name, !s.call->done);
    fixture_advance(&s.f, row->phase == SCALEKIT_PHASE_BACKOFF ? 20016 : 116);
    call_wait(s.call);
    ROW_IS(row->name, s.call->code == SCALEKIT_ERR_DEADLINE);
    ROW_IS(row->name, s.call->phase == row->phase);
    ROW_IS(row->name, s.call->sent == row->sent);
    ROW_IS(row->name, s.call->attempts == row->attempts);
    ROW_IS(row->name, scalekit_request_elapsed_ms(s.call->request) >= 20000);
    ROW_IS(row->name, scalekit_request_elapsed_ms(s.call->request) <= 20100);
    fixture_free_client(&s.f);
    test_peer_free(s.peer);
    fixture_free(&s.f);
    if (s.pki.ca)
        test_pki_free(&s.pki);
    if (s.listener >= 0)
        close(s.listener);
    for (unsigned i = 0; i < s.n_fillers; i++)
        close(s.fillers[i]);
}

static void test_deadlines(void)
{
    for (size_t i = 0; i < COUNT(stuck_rows); i++)
        run_stuck(&stuck_rows[i]);
}

static void test_tool_deadline(void)
{
    struct fixture f;
    struct call *tool, *other;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, TOOL, hangs);
    service_always(f.service, LINK, hangs);
    tool = call_tool(&f);
    other = call_link(&f);
    service_until(f.service, NULL, 2);
    fixture_advance(&f, 20100);
    call_wait(other);
    CU_ASSERT_EQUAL(other->code, SCALEKIT_ERR_DEADLINE);
    fixture_advance(&f, 39800);
    fixture_turn(&f);
    CU_ASSERT_FALSE(tool->done);
    fixture_advance(&f, 200);
    call_wait(tool);
    CU_ASSERT_EQUAL(tool->code, SCALEKIT_ERR_DEADLINE);
    fixture_free(&f);
}

/* --- retries ----------------------------------------------------------------------------------- */

/* Runs the loop, and the clock through each pause, until the call completed. */
static void drive(struct call *call)
{
    struct fixture *f = call->fixture;

    CU_ASSERT_PTR_NOT_NULL_FATAL(call->request);
    for (int turns = 0; !call->done && turns < 100000; turns++) {
        bool paused = call->request->state == SKI_PAUSED;

        if (paused)
            fixture_advance(f, 250);
        event_base_loop(f->base, paused ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
    }
    CU_ASSERT_FATAL(call->done);
}

static const struct operation_row {
    const char *name, *route;
    call_starter start;
    bool unsafe;
} operation_rows[] = {
    {"details", DETAILS, call_details, false}, {"list", LIST, call_list, false},
    {"delete", DELETE, call_delete, false},    {"update", UPDATE, call_update, false},
    {"link", LINK, call_link, false},          {"create", CREATE, call_create, true},
    {"verify", VERIFY, call_verify, true},     {"tool", TOOL, call_tool, true},
};

#define TOOL_ERROR "{\"message\":\"m\",\"details\":[{\"error_code\":\"TOOL_ERROR\"}]}"

static const struct answer_row {
    const char *name;
    struct service_answer first;
    bool again, again_unsafe; /* the second answer is a success */
    scalekit_err code;        /* when it is not sent again */
    unsigned sign_ins;
} answer_rows[] = {
    {"503", {.status = 503}, true, false, SCALEKIT_ERR_UNAVAILABLE, 1},
    {"502", {.status = 502, .body = "<html>"}, true, false, SCALEKIT_ERR_UNAVAILABLE, 1},
    {"no answer", {.manner = SERVICE_CLOSES}, true, false, SCALEKIT_ERR_NETWORK, 1},
    {"half an answer",
     {200, ACCOUNT_BODY, NULL, SERVICE_CUTS, 100},
     true,
     false,
     SCALEKIT_ERR_NETWORK,
     1},
    {"401", {.status = 401, .body = ERROR_BODY}, true, true, SCALEKIT_OK, 2},
    {"500", {.status = 500}, false, false, SCALEKIT_ERR_SERVER, 1},
    {"504", {.status = 504}, false, false, SCALEKIT_ERR_SERVER, 1},
    {"429", {.status = 429}, false, false, SCALEKIT_ERR_RATE_LIMITED, 1},
    {"400", {.status = 400}, false, false, SCALEKIT_ERR_BAD_REQUEST, 1},
    {"403", {.status = 403}, false, false, SCALEKIT_ERR_FORBIDDEN, 1},
    {"404", {.status = 404}, false, false, SCALEKIT_ERR_NOT_FOUND, 1},
    {"409", {.status = 409}, false, false, SCALEKIT_ERR_CONFLICT, 1},
    {"not JSON", {.status = 200, .body = "<html>"}, false, false, SCALEKIT_ERR_DECODE, 1},
    {"tool 401", {401, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL_UNAUTHORIZED, 1},
    {"tool 403", {403, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL_FORBIDDEN, 1},
    {"tool 429", {429, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL_RATE_LIMITED, 1},
    {"tool 400", {400, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL, 1},
    {"tool 404", {404, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL, 1},
    {"tool 500", {500, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL, 1},
    {"tool 502", {502, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL, 1},
    {"tool 503", {503, TOOL_ERROR, NULL, 0, 0}, false, false, SCALEKIT_ERR_TOOL, 1},
};

static void answer_once(const struct answer_row *row, const struct operation_row *operation)
{
    bool again = operation->unsafe ? row->again_unsafe : row->again;
    struct fixture f;
    struct call *call;

    /* Nothing of a deletion's answer is read. */
    if (operation->start == call_delete && row->code == SCALEKIT_ERR_DECODE)
        return;
    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_once(f.service, operation->route, row->first);
    service_always(f.service, operation->route, account_answer);
    call = operation->start(&f);
    drive(call);
    ROW_IS(row->name, call->code == (again ? SCALEKIT_OK : row->code));
    ROW_IS(row->name, call->attempts == (again ? 2 : 1));
    ROW_IS(row->name, service_count(f.service, operation->route) == 1u + again);
    ROW_IS(row->name, service_count(f.service, SIGN_IN) == row->sign_ins);
    if (!again && call->error) {
        ROW_IS(operation->name, row->first.manner != SERVICE_ANSWERS ||
                                    call->error->http_status == row->first.status);
        ROW_IS(operation->name, call->sent);
    }
    fixture_free(&f);
}

static void test_answers(void)
{
    for (size_t i = 0; i < COUNT(answer_rows); i++)
        for (size_t j = 0; j < COUNT(operation_rows); j++)
            answer_once(&answer_rows[i], &operation_rows[j]);
}

/* Not a byte could be sent, so every operation may go again. */
static void test_refused_connection(void)
{
    for (size_t i = 0; i < COUNT(operation_rows); i++)
        for (int retries = 0; retries < 4; retries++) {
            struct fixture f;
            struct call *call;

            fixture_init(&f);
            fixture_use_clock(&f);
            fixture_start(&f);
            call_wait(call_warm(&f));
            service_stop(f.service);
            fixture_turn(&f);
            call = operation_rows[i].start(&f);
            scalekit_request_set_max_retries(call->request, retries);
            drive(call);
            ROW_IS(operation_rows[i].name, call->code == SCALEKIT_ERR_CONNECT);
            ROW_IS(operation_rows[i].name, call->phase == SCALEKIT_PHASE_CONNECT);
            ROW_IS(operation_rows[i].name, call->attempts == 1 + retries);
            ROW_IS(operation_rows[i].name, !call->sent);
            fixture_free(&f);
        }
}

static void test_second_401(void)
{
    for (size_t i = 0; i < COUNT(operation_rows); i++) {
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        service_always(f.service, operation_rows[i].route,
                       (struct service_answer){.status = 401, .body = ERROR_BODY});
        call = operation_rows[i].start(&f);
        call_wait(call);
        ROW_IS(operation_rows[i].name, call->code == SCALEKIT_ERR_UNAUTHORIZED);
        ROW_IS(operation_rows[i].name, call->attempts == 2);
        ROW_IS(operation_rows[i].name, service_count(f.service, SIGN_IN) == 2);
        ROW_IS(operation_rows[i].name,
               service_had(service_request(f.service, NULL, 1), "authorization: Bearer tok-2"));
        fixture_free(&f);
    }
}

static void test_retries_end(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, DETAILS, (struct service_answer){.status = 503, .body = ERROR_BODY});
    call = call_details(&f);
    drive(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_UNAVAILABLE);
    CU_ASSERT_EQUAL(call->attempts, 3);
    CU_ASSERT_EQUAL(call->error->attempts, 3);
    CU_ASSERT(text_is(call->message, "it failed"));
    /* 0.5 … 1 s and 1 … 2 s */
    CU_ASSERT(call->error->elapsed_ms >= 1500);
    CU_ASSERT(call->error->elapsed_ms <= 3000 + 2 * 250);
    fixture_free(&f);
}

static void test_retry_budget(void)
{
    struct fixture f;
    unsigned before;

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.max_retries = 10;
    f.config.deadline_ms = 3600000;
    fixture_start(&f);
    service_always(f.service, DETAILS, (struct service_answer){.status = 503});
    for (int i = 0; i < 10; i++)
        drive(call_details(&f));
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 110);
    before = service_count(f.service, DETAILS);
    drive(call_details(&f));
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), before + 1);
    fixture_free(&f);
}

/* What was answered last stays known when the next attempt gets no answer. */
static void test_last_status(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_once(f.service, DETAILS, (struct service_answer){.status = 503});
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_CLOSES});
    call = call_details(&f);
    CU_ASSERT_EQUAL(scalekit_request_elapsed_ms(call->request), 0);
    drive(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_EQUAL(call->error->http_status, 0);
    CU_ASSERT_EQUAL(scalekit_request_http_status(call->request), 503);
    CU_ASSERT(call->sent);
    fixture_free(&f);
}

static void test_no_pause_beyond_the_deadline(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, DETAILS,
                   (struct service_answer){.status = 503, .headers = "retry-after: 30\r\n"});
    call = call_details(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_UNAVAILABLE);
    CU_ASSERT_EQUAL(call->attempts, 1);
    CU_ASSERT_EQUAL(call->error->retry_after_ms, 30000);
    fixture_free(&f);
}

static const struct service_answer limited = {
    .status = 429, .body = ERROR_BODY, .headers = "retry-after: 9\r\n"};

static void test_rate_limit_surfaces(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, limited);
    call = call_details(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_RATE_LIMITED);
    CU_ASSERT_EQUAL(call->error->retry_after_ms, 9000);
    CU_ASSERT_EQUAL(call->attempts, 1);
    fixture_free(&f);
}

static void test_rate_limit_waited_out(void)
{
    for (size_t i = 0; i < COUNT(operation_rows); i++) {
        const struct operation_row *row = &operation_rows[i];
        struct fixture f;
        struct call *call;

        fixture_init(&f);
        fixture_use_clock(&f);
        fixture_start(&f);
        service_once(f.service, row->route, limited);
        service_always(f.service, row->route, account_answer);
        call = row->start(&f);
        scalekit_request_set_retry_rate_limited(call->request, true);
        drive(call);
        ROW_IS(row->name, call->code == (row->unsafe ? SCALEKIT_ERR_RATE_LIMITED : SCALEKIT_OK));
        if (!row->unsafe)
            ROW_IS(row->name, scalekit_request_elapsed_ms(call->request) >= 9000);
        fixture_free(&f);
    }
}

static void test_queue_full(void)
{
    struct fixture f;
    struct call *calls[4];

    fixture_init(&f);
    f.config.max_connections = 1;
    f.config.max_queue = 1;
    fixture_start(&f);
    call_wait(call_warm(&f));
    service_always(f.service, DETAILS, hangs);
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = call_details(&f);
    call_wait(calls[2]);
    call_wait(calls[3]);
    CU_ASSERT_EQUAL(calls[2]->code, SCALEKIT_ERR_QUEUE_FULL);
    CU_ASSERT_EQUAL(calls[2]->phase, SCALEKIT_PHASE_QUEUE);
    CU_ASSERT_FALSE(calls[2]->sent);
    CU_ASSERT_FALSE(calls[0]->done || calls[1]->done);
    fixture_free(&f);
}

static void test_too_large(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    f.config.max_response_bytes = 100;
    fixture_start(&f);
    service_always(f.service, DETAILS,
                   (struct service_answer){.status = 200,
                                           .body = "{\"connected_account\":{\"id\":\"ca_1\"}}"});
    service_always(f.service, LIST,
                   (struct service_answer){
                       .status = 200,
                       .body = "{\"next_page_token\":\"0123456789012345678901234567890123456789"
                               "0123456789012345678901234567890123456789012345678901\"}"});
    call = call_details(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    call = call_list(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_TOO_LARGE);
    fixture_free(&f);
}

/* --- memory ------------------------------------------------------------------------------------ */

static const struct memory_row {
    const char *name, *route;
    call_starter start;
    struct service_answer answer;
    scalekit_err code;
} memory_rows[] = {
    {"details", DETAILS, call_details, {.status = 200, .body = ACCOUNT_BODY}, SCALEKIT_OK},
    {"page",
     LIST,
     call_list,
     {.status = 200, .body = "{\"connected_accounts\":[{\"id\":\"ca_1\"},{\"id\":\"ca_2\"}]}"},
     SCALEKIT_OK},
    {"tool",
     TOOL,
     call_tool,
     {.status = 200, .body = "{\"data\":{\"a\":[1,2]},\"execution_id\":\"e\"}"},
     SCALEKIT_OK},
    {"tool error",
     TOOL,
     call_tool,
     {.status = 401, .body = TOOL_ERROR},
     SCALEKIT_ERR_TOOL_UNAUTHORIZED},
    {"not found",
     DETAILS,
     call_details,
     {.status = 404, .body = ERROR_BODY},
     SCALEKIT_ERR_NOT_FOUND},
    {"broken", TOOL, call_tool, {.manner = SERVICE_CLOSES}, SCALEKIT_ERR_NETWORK},
    {"not JSON", DETAILS, call_details, {.status = 200, .body = "{"}, SCALEKIT_ERR_DECODE},
    {"unauthorized",
     DETAILS,
     call_details,
     {.status = 401, .body = ERROR_BODY},
     SCALEKIT_ERR_UNAUTHORIZED},
};

struct memory_run {
    const struct memory_row *row;
    bool for_good; /* what is refused once is refused from then on */
};

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    const struct memory_run *run = user;
    const struct memory_row *row = run->row;
    struct fixture f;
    bool through = false;

    fixture_init(&f);
    fixture_use_clock(&f);
    memory->fail_after = run->for_good;
    f.config.allocator = &memory->allocator;
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        struct call *call;

        service_always(f.service, row->route, row->answer);
        call = row->start(&f);
        if (call->request) {
            drive(call);
            through = call->code == row->code && memory->count < memory->fail_at;
            ROW_IS(row->name, call->code == row->code || call->code == SCALEKIT_ERR_NOMEM);
        }
    }
    fixture_free(&f);
    return through;
}

static void test_out_of_memory(void)
{
    for (size_t i = 0; i < COUNT(memory_rows); i++) {
        struct memory_run run = {&memory_rows[i], false};

        ROW_IS(run.row->name, test_every_allocation(run_short_of_memory, &run) > 20);
        run.for_good = true;
        ROW_IS(run.row->name, test_every_allocation(run_short_of_memory, &run) > 20);
    }
}

SUITE(request, {"without a client or a callback nothing is accepted", test_not_accepted},
      {"missing params are named", test_missing_params},
      {"structures of other versions are read or refused", test_struct_size},
      {"also where defaults are filled in", test_struct_size_of_copies},
      {"settings hold before the loop turns, and are too late afterwards", test_settings},
      {"no request at all is harmless", test_no_request},
      {"there is no error before it has completed", test_no_error_before_completion},
      {"a deadline tells the phase in which it ran out", test_deadlines},
      {"tools have more time", test_tool_deadline},
      {"what is answered is sent again only where that is safe", test_answers},
      {"what was not sent goes again, whatever it is", test_refused_connection},
      {"a second 401 surfaces", test_second_401},
      {"retries end, with pauses that double", test_retries_end},
      {"retries end when the budget is spent", test_retry_budget},
      {"the last answer's status is kept", test_last_status},
      {"there is no pause beyond the deadline", test_no_pause_beyond_the_deadline},
      {"a rate limit surfaces at once", test_rate_limit_surfaces},
      {"a rate limit is waited out when asked", test_rate_limit_waited_out},
      {"a full queue refuses", test_queue_full},
      {"an answer that is too large is refused", test_too_large},
      {"every allocation of a request may fail", test_out_of_memory})
