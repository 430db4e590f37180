#include "fixture.h"
#include <event2/event.h>
#include <stdlib.h>

bool text_is(const char *text, const char *expected)
{
    return text && expected ? strcmp(text, expected) == 0 : text == expected;
}

bool text_has(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* --- the fixture ------------------------------------------------------------------------------- */

static void keep_line(enum scalekit_log_level level, const char *line, void *user)
{
    const char *name = scalekit_log_level_name(level);
    struct fixture *f = user;
    size_t length = strlen(name) + strlen(": \n") + strlen(line);
    char *log = realloc(f->log, f->log_length + length + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    snprintf(log + f->log_length, length + 1, "%s: %s\n", name, line);
    f->log = log;
    f->log_length += length;
}

void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    test_memory_init(&f->memory);
    test_clock_init(&f->clock);
    ski_list_init(&f->calls);
    f->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->base);
    f->service = service_new(f->base);
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u", service_port(f->service));
    f->config = (struct scalekit_config){
        .struct_size = sizeof f->config,
        .env_url = f->url,
        .client_id = "skc_1",
        .client_secret = CLIENT_SECRET,
        .log_level = SCALEKIT_LOG_TRACE,
        .log = keep_line,
        .log_user = f,
        .allocator = &f->memory.allocator,
    };
}

void fixture_use_clock(struct fixture *f)
{
    f->config.clock = &f->clock.clock;
}

void fixture_start(struct fixture *f)
{
    const char *problem = NULL;

    CU_ASSERT_EQUAL_FATAL(scalekit_client_new(&f->client, f->base, &f->config, &problem),
                          SCALEKIT_OK);
    CU_ASSERT_PTR_NULL(problem);
}

void fixture_open(struct fixture *f)
{
    fixture_init(f);
    fixture_start(f);
}

bool fixture_open_with(struct fixture *f, struct test_memory *memory)
{
    fixture_init(f);
    f->config.allocator = &memory->allocator;
    return scalekit_client_new(&f->client, f->base, &f->config, NULL) == SCALEKIT_OK;
}

void fixture_free_client(struct fixture *f)
{
    scalekit_client_free(f->client);
    f->client = NULL;
}

void fixture_free(struct fixture *f)
{
    static const char *const secrets[] = {"s3cret", "tok-", "Bearer"};
    struct ski_list *node;

    fixture_free_client(f);
    while ((node = ski_list_pop_front(&f->calls))) {
        struct call *call = SKI_CONTAINER(node, struct call, link);

        CU_ASSERT(call->done || !call->request);
        if (!f->forget)
            scalekit_request_unref(call->request);
        free(call);
    }
    service_free(f->service);
    fixture_turn(f);
    event_base_free(f->base);
    CU_ASSERT_EQUAL(f->memory.live, 0);
    for (size_t i = 0; i < COUNT(secrets); i++)
        CU_ASSERT_FALSE(text_has(f->log, secrets[i]));
    free(f->log);
}

void fixture_advance(struct fixture *f, int64_t milliseconds)
{
    test_clock_advance_ms(&f->clock, milliseconds);
    scalekit_client_run_timers(f->client);
}

void fixture_turn(struct fixture *f)
{
    for (int i = 0; i < 10; i++)
        event_base_loop(f->base, EVLOOP_NONBLOCK);
}

/* --- calls ------------------------------------------------------------------------------------- */

struct call *call_new(struct fixture *f)
{
    struct call *call = calloc(1, sizeof *call);

    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    call->fixture = f;
    ski_list_init(&call->link);
    ski_list_push_back(&f->calls, &call->link);
    f->inside = true;
    return call;
}

struct call *call_began(struct call *call, scalekit_request *request)
{
    call->fixture->inside = false;
    call->request = request;
    if (request && !call->fixture->forget)
        scalekit_request_ref(request);
    return call;
}

void call_cancel(struct call *call)
{
    call->fixture->inside = true;
    scalekit_request_cancel(call->request);
    call->fixture->inside = false;
}

void call_wait(struct call *call)
{
    CU_ASSERT_FATAL(call->request || call->done);
    test_base_until(call->fixture->base, &call->done);
}

static void complete(struct call *call, scalekit_request *request, const void *result)
{
    const struct scalekit_error *error = scalekit_request_error(request);

    CU_ASSERT_FALSE(call->fixture->inside);
    CU_ASSERT_PTR_EQUAL(call->request, request);
    CU_ASSERT_EQUAL(++call->completions, 1);
    CU_ASSERT_EQUAL(!result, !!error);
    call->done = true;
    call->result = result;
    call->error = error;
    call->attempts = scalekit_request_attempts(request);
    if (error) {
        CU_ASSERT_NOT_EQUAL(error->code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(error->struct_size, sizeof *error);
        CU_ASSERT_EQUAL(error->attempts, scalekit_request_attempts(request));
        CU_ASSERT_EQUAL(error->elapsed_ms, scalekit_request_elapsed_ms(request));
        CU_ASSERT_FALSE(text_has(error->message, "s3cret"));
        call->code = error->code;
        call->phase = error->phase;
        call->sent = error->sent;
        snprintf(call->message, sizeof call->message, "%s", error->message);
    }
    if (call->completed)
        call->completed(call);
    if (call->fixture->forget)
        call->request = NULL;
}

void call_on_result(scalekit_request *request, const void *result, void *call)
{
    complete(call, request, result);
}

void call_on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *call)
{
    complete(call, request, account);
}

void call_on_page(scalekit_request *request, const struct scalekit_connected_account_page *page,
                  void *call)
{
    complete(call, request, page);
}

void call_on_link(scalekit_request *request, const struct scalekit_authorization_link *link,
                  void *call)
{
    complete(call, request, link);
}

void call_on_tool(scalekit_request *request, const struct scalekit_tool_result *result, void *call)
{
    complete(call, request, result);
}

void call_on_verification(scalekit_request *request,
                          const struct scalekit_user_verification *verification, void *call)
{
    complete(call, request, verification);
}

void call_on_done(scalekit_request *request, bool done, void *call)
{
    complete(call, request, done ? "done" : NULL);
}

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    const call_starter *start = user;
    struct fixture f;
    bool through = false;

    if (fixture_open_with(&f, memory)) {
        struct call *call = (*start)(&f);

        if (call->request) {
            call_wait(call);
            through = call->code == SCALEKIT_OK && memory->count < memory->fail_at;
            CU_ASSERT(call->code == SCALEKIT_OK || call->code == SCALEKIT_ERR_NOMEM);
        }
    }
    fixture_free(&f);
    return through;
}

long call_every_allocation(call_starter start)
{
    return test_every_allocation(run_short_of_memory, &start);
}

/* --- ready-made calls -------------------------------------------------------------------------- */

#define USER .connection_name = "gmail", .identifier = "user_1"

struct call *call_details(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(
        call, scalekit_get_connected_account_details(
                  f->client, SCALEKIT_PARAMS(scalekit_account_key, USER), call_on_account, call));
}

struct call *call_delete(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(
        call, scalekit_delete_connected_account(
                  f->client, SCALEKIT_PARAMS(scalekit_account_key, USER), call_on_done, call));
}

struct call *call_create(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_create_connected_account(
                                f->client,
                                SCALEKIT_PARAMS(scalekit_create_connected_account_params, USER),
                                call_on_account, call));
}

struct call *call_update(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_update_connected_account(
                                f->client,
                                SCALEKIT_PARAMS(scalekit_update_connected_account_params, USER),
                                call_on_account, call));
}

struct call *call_list(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_list_connected_accounts(f->client, NULL, call_on_page, call));
}

struct call *call_verify(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(
        call, scalekit_verify_connected_account_user(
                  f->client,
                  SCALEKIT_PARAMS(scalekit_verify_connected_account_user_params,
                                  .auth_request_id = "auth_request", .identifier = "user_1"),
                  call_on_verification, call));
}

struct call *call_link(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call,
                      scalekit_get_authorization_link(
                          f->client, SCALEKIT_PARAMS(scalekit_authorization_link_params, USER),
                          call_on_link, call));
}

struct call *call_tool(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call,
                      scalekit_execute_tool(f->client,
                                            SCALEKIT_PARAMS(scalekit_execute_tool_params, USER,
                                                            .tool_name = "gmail_fetch_mails"),
                                            call_on_tool, call));
}

struct call *call_get_or_create(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_get_or_create_connected_account(
                                f->client,
                                SCALEKIT_PARAMS(scalekit_create_connected_account_params, USER),
                                call_on_account, call));
}

struct call *call_warm(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_client_warm(f->client, call_on_done, call));
}
