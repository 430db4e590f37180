/* The contract of a request, one test for each of its sentences, and the life of the client. */
#include "core/client.h"
#include "fixture.h"

static const struct service_answer account_answer = {.status = 200, .body = ACCOUNT_BODY};
static const struct service_answer account_waits = {
    .status = 200, .body = ACCOUNT_BODY, .manner = SERVICE_WAITS};

/* --- once -------------------------------------------------------------------------------------- */

/* A call whose answer the service keeps until it is told to release it. */
static struct call *call_that_waits(struct fixture *f)
{
    struct call *call;

    f->forget = true;
    service_always(f->service, DETAILS, account_waits);
    call = call_details(f);
    service_until(f->service, DETAILS, 1);
    return call;
}

static void test_once_result(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    f.forget = true;
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    call_wait(call);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(call->completions, 1);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    fixture_free(&f);
}

static void test_once_failure(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    f.forget = true;
    service_always(f.service, DETAILS, (struct service_answer){.status = 404, .body = ERROR_BODY});
    call = call_details(&f);
    call_wait(call);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(call->completions, 1);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NOT_FOUND);
    fixture_free(&f);
}

/* The answer comes after the end, and finds nobody. */
static void test_once_deadline(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    call = call_that_waits(&f);
    fixture_advance(&f, 20100);
    service_release(f.service);
    call_wait(call);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(call->completions, 1);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_DEADLINE);
    fixture_free(&f);
}

static void test_once_cancel(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    call = call_that_waits(&f);
    call_cancel(call);
    service_release(f.service);
    call_wait(call);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(call->completions, 1);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_CANCELED);
    fixture_free(&f);
}

static void test_once_client_freed(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    call = call_that_waits(&f);
    fixture_free_client(&f);
    service_release(f.service);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(call->completions, 1);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_CLOSED);
    fixture_free(&f);
}

/* --- later ------------------------------------------------------------------------------------- */

/* Everything that is known at once; calls assert that nothing calls back from inside. */
static void test_later(void)
{
    struct fixture f;
    struct call *wrong, *cancelled;

    fixture_open(&f);
    wrong = call_new(&f);
    call_began(wrong,
               scalekit_get_connected_account_details(f.client, NULL, call_on_account, wrong));
    cancelled = call_details(&f);
    call_cancel(cancelled);
    CU_ASSERT_FALSE(wrong->done);
    CU_ASSERT_FALSE(cancelled->done);
    call_wait(wrong);
    call_wait(cancelled);
    CU_ASSERT_EQUAL(wrong->code, SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(cancelled->code, SCALEKIT_ERR_CANCELED);
    fixture_free(&f);
}

/* With a token at hand and a connection open, and everything else that could be quick. */
static void test_later_when_warm(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    call_wait(call_details(&f));
    call = call_warm(&f);
    CU_ASSERT_FALSE(call->done);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 1);
    fixture_free(&f);
}

/* --- borrowed ---------------------------------------------------------------------------------- */

static void test_kept_after_the_client(void)
{
    struct fixture f;
    struct call *good, *bad;
    const struct scalekit_connected_account *account;

    fixture_open(&f);
    service_once(f.service, DETAILS, account_answer);
    service_once(f.service, DETAILS, (struct service_answer){.status = 403, .body = ERROR_BODY});
    good = call_details(&f);
    call_wait(good);
    bad = call_details(&f);
    call_wait(bad);
    fixture_free_client(&f);
    account = good->result;
    CU_ASSERT(text_is(account->id, "ca_1"));
    CU_ASSERT_EQUAL(account->status, SCALEKIT_ACCOUNT_ACTIVE);
    CU_ASSERT_PTR_NULL(scalekit_request_error(good->request));
    CU_ASSERT_EQUAL(scalekit_request_http_status(good->request), 200);
    CU_ASSERT_EQUAL(scalekit_request_attempts(good->request), 1);
    CU_ASSERT(scalekit_request_elapsed_ms(good->request) >= 0);
    CU_ASSERT(text_is(scalekit_request_operation(good->request), "get_connected_account_details"));
    CU_ASSERT_PTR_EQUAL(scalekit_request_error(bad->request), bad->error);
    CU_ASSERT(text_is(bad->error->message, "it failed"));
    CU_ASSERT_EQUAL(scalekit_request_http_status(bad->request), 403);
    scalekit_request_cancel(good->request);
    scalekit_request_cancel(bad->request);
    fixture_free(&f);
}

static void test_several_references(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    CU_ASSERT_PTR_EQUAL(scalekit_request_ref(call->request), call->request);
    scalekit_request_ref(call->request);
    scalekit_request_unref(call->request);
    call_wait(call);
    scalekit_request_unref(call->request);
    CU_ASSERT(text_is(((const struct scalekit_connected_account *)call->result)->id, "ca_1"));
    fixture_free(&f);
}

/* --- cancel, in every state -------------------------------------------------------------------- */

/* Each brings a fresh client's call into one state. */

static struct call *reach_queued(struct fixture *f)
{
    return call_details(f);
}

static struct call *reach_waiting_for_token(struct fixture *f)
{
    struct call *call;

    service_always(f->service, SIGN_IN, (struct service_answer){.manner = SERVICE_HANGS});
    call = call_details(f);
    service_until(f->service, SIGN_IN, 1);
    return call;
}

static struct call *reach_waiting_for_connection(struct fixture *f)
{
    struct call *call;

    call_list(f);
    service_until(f->service, LIST, 1);
    call = call_details(f);
    fixture_turn(f);
    return call;
}

static struct call *reach_sent(struct fixture *f)
{
    struct call *call = call_details(f);

    service_until(f->service, DETAILS, 1);
    return call;
}

static struct call *reach_receiving(struct fixture *f)
{
    struct call *call;

    service_always(
        f->service, DETAILS,
        (struct service_answer){200, ACCOUNT_BODY, .manner = SERVICE_STALLS, .bytes = 100});
    call = call_details(f);
    service_until(f->service, DETAILS, 1);
    fixture_turn(f);
    return call;
}

static struct call *reach_paused(struct fixture *f)
{
    struct call *call;

    service_always(f->service, DETAILS, (struct service_answer){.status = 503});
    call = call_details(f);
    service_until(f->service, DETAILS, 1);
    fixture_turn(f);
    CU_ASSERT_EQUAL(call->request->state, SKI_PAUSED);
    return call;
}

static const struct state_row {
    const char *name;
    struct call *(*reach)(struct fixture *fixture);
    enum ski_request_state state;
    enum scalekit_phase phase;
} state_rows[] = {
    {"queued", reach_queued, SKI_QUEUED, SCALEKIT_PHASE_NONE},
    {"waiting for a token", reach_waiting_for_token, SKI_TOKEN, SCALEKIT_PHASE_TOKEN},
    {"waiting for a connection", reach_waiting_for_connection, SKI_SENT, SCALEKIT_PHASE_QUEUE},
    {"sent", reach_sent, SKI_SENT, SCALEKIT_PHASE_WAIT},
    {"receiving", reach_receiving, SKI_SENT, SCALEKIT_PHASE_RECEIVE},
    {"paused for a retry", reach_paused, SKI_PAUSED, SCALEKIT_PHASE_BACKOFF},
};

/* One connection, and a service that answers nothing unless the row says so. */
static void open_for_state(struct fixture *f)
{
    static const struct service_answer hangs = {.manner = SERVICE_HANGS};

    fixture_init(f);
    fixture_use_clock(f);
    f->config.max_connections = 1;
    fixture_start(f);
    service_always(f->service, DETAILS, hangs);
    service_always(f->service, LIST, hangs);
}

static void test_cancel_in_every_state(void)
{
    for (size_t i = 0; i < COUNT(state_rows); i++) {
        const struct state_row *row = &state_rows[i];
        struct fixture f;
        struct call *call;

        open_for_state(&f);
        call = row->reach(&f);
        ROW_IS(row->name, call->request->state == row->state);
        call_cancel(call);
        ROW_IS(row->name, !call->done);
        call_cancel(call);
        call_wait(call);
        ROW_IS(row->name, call->code == SCALEKIT_ERR_CANCELED);
        ROW_IS(row->name, call->phase == row->phase);
        ROW_IS(row->name,
               call->sent == (row->state == SKI_PAUSED || row->phase == SCALEKIT_PHASE_WAIT ||
                              row->phase == SCALEKIT_PHASE_RECEIVE));
        call_cancel(call);
        fixture_turn(&f);
        ROW_IS(row->name, call->completions == 1);
        fixture_free(&f);
    }
}

static void test_free_in_every_state(void)
{
    for (size_t i = 0; i < COUNT(state_rows); i++) {
        const struct state_row *row = &state_rows[i];
        struct fixture f;
        struct call *call;

        open_for_state(&f);
        call = row->reach(&f);
        fixture_free_client(&f);
        ROW_IS(row->name, call->done && call->code == SCALEKIT_ERR_CLOSED);
        ROW_IS(row->name, call->phase == row->phase);
        fixture_turn(&f);
        fixture_free(&f);
    }
}

/* An answer that has come, but not been delivered. */
static void settle(struct call *call)
{
    for (int i = 0; i < 1000 && call->request->state != SKI_SETTLED && !call->done; i++)
        event_base_loop(call->fixture->base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL_FATAL(call->request->state, SKI_SETTLED);
}

static void test_settled_wins_over_cancel(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    settle(call);
    call_cancel(call);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    fixture_free(&f);
}

static void test_settled_wins_over_free(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    settle(call);
    fixture_free_client(&f);
    CU_ASSERT(call->done);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    fixture_free(&f);
}

/* --- free to call anything --------------------------------------------------------------------- */

static void start_another(struct call *call)
{
    struct call *next = call_details(call->fixture);

    CU_ASSERT_PTR_NOT_NULL(next->request);
    CU_ASSERT_FALSE(next->done);
    if (*(int *)call->user > 0) {
        --*(int *)call->user;
        next->completed = start_another;
        next->user = call->user;
    }
}

static void test_start_in_callback(void)
{
    struct fixture f;
    struct call *call;
    int more = 5;

    fixture_open(&f);
    f.forget = true;
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    call->completed = start_another;
    call->user = &more;
    service_until(f.service, DETAILS, 7);
    CU_ASSERT_EQUAL(more, 0);
    CU_ASSERT_EQUAL(service_connections(f.service), 1);
    fixture_free(&f);
}

/* Siblings of every state: one whose answer has come already too. */
static void cancel_all(struct call *call)
{
    struct ski_list *calls = &call->fixture->calls;

    for (struct ski_list *node = calls->next; node != calls; node = node->next)
        scalekit_request_cancel(SKI_CONTAINER(node, struct call, link)->request);
}

static void test_cancel_siblings_in_callback(void)
{
    struct fixture f;
    struct call *first, *others[4];

    fixture_init(&f);
    f.config.max_connections = 3;
    fixture_start(&f);
    service_once(f.service, DETAILS, account_answer);
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    first = call_details(&f);
    first->completed = cancel_all;
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = call_details(&f);
    call_wait(first);
    for (size_t i = 0; i < COUNT(others); i++) {
        call_wait(others[i]);
        CU_ASSERT_EQUAL(others[i]->code, SCALEKIT_ERR_CANCELED);
    }
    CU_ASSERT_EQUAL(first->code, SCALEKIT_OK);
    fixture_free(&f);
}

/* A call frees the client from inside its callback, while others are pending. */
static void free_client(struct call *call)
{
    struct fixture *f = call->fixture;
    scalekit_client *client = f->client;
    struct ski_list *node = f->calls.prev;
    struct call *refused;

    CU_ASSERT_FALSE(SKI_CONTAINER(node, struct call, link)->done);
    scalekit_client_free(client);
    scalekit_client_free(client); /* once more does nothing */
    CU_ASSERT_FALSE(SKI_CONTAINER(node, struct call, link)->done);
    refused = call_details(f);
    CU_ASSERT_PTR_NULL(refused->request);
    f->client = NULL;
}

/* Those that complete because of it are refused new requests as well. */
static void start_while_closing(struct call *call)
{
    scalekit_client *client = call->user;
    struct call *refused = call_new(call->fixture);

    call_began(refused, scalekit_client_warm(client, call_on_done, refused));
    CU_ASSERT_PTR_NULL(refused->request);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_CLOSED);
}

static struct call *fail(struct fixture *f)
{
    service_once(f->service, VERIFY, (struct service_answer){.status = 404, .body = ERROR_BODY});
    return call_verify(f);
}

static struct call *cancel(struct fixture *f)
{
    struct call *call = call_update(f);

    call_cancel(call);
    return call;
}

static const struct free_row {
    const char *name;
    call_starter start;
    scalekit_err code;
} free_rows[] = {
    {"success", call_details, SCALEKIT_OK},
    {"failure", fail, SCALEKIT_ERR_NOT_FOUND},
    {"cancel", cancel, SCALEKIT_ERR_CANCELED},
    {"warm", call_warm, SCALEKIT_OK},
    {"page", call_list, SCALEKIT_OK},
    {"tool", call_tool, SCALEKIT_OK},
    {"link", call_link, SCALEKIT_OK},
    {"delete", call_delete, SCALEKIT_OK},
    {"get_or_create", call_get_or_create, SCALEKIT_OK},
};

static void free_in_callback(const struct free_row *row, bool forget)
{
    static const struct service_answer empty = {.status = 200, .body = "{}"};
    struct fixture f;
    struct call *call, *pending[2];

    fixture_open(&f);
    f.forget = forget;
    service_once(f.service, DETAILS, account_answer);
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    service_always(f.service, LIST, empty);
    service_always(f.service, TOOL, empty);
    service_always(f.service, LINK, account_answer);
    service_always(f.service, DELETE, empty);
    service_always(f.service, CREATE, (struct service_answer){.manner = SERVICE_HANGS});
    call = row->start(&f);
    call->completed = free_client;
    for (size_t i = 0; i < COUNT(pending); i++) {
        pending[i] = call_create(&f);
        pending[i]->completed = start_while_closing;
        pending[i]->user = f.client;
    }
    call_wait(call);
    ROW_IS(row->name, call->code == row->code);
    for (size_t i = 0; i < COUNT(pending); i++)
        ROW_IS(row->name, pending[i]->done && pending[i]->code == SCALEKIT_ERR_CLOSED);
    fixture_free(&f);
}

static void test_free_in_callback(void)
{
    for (size_t i = 0; i < COUNT(free_rows); i++) {
        free_in_callback(&free_rows[i], false);
        free_in_callback(&free_rows[i], true);
    }
}

/* Inside a callback that scalekit_client_free() itself caused. */
static void free_again(struct call *call)
{
    scalekit_client_free(call->user);
    start_while_closing(call);
}

static void test_free_in_callback_of_free(void)
{
    struct fixture f;
    struct call *calls[3];

    fixture_open(&f);
    for (size_t i = 0; i < COUNT(calls); i++) {
        calls[i] = call_details(&f);
        calls[i]->completed = free_again;
        calls[i]->user = f.client;
    }
    fixture_free_client(&f);
    for (size_t i = 0; i < COUNT(calls); i++)
        CU_ASSERT(calls[i]->done);
    fixture_free(&f);
}

static void test_free_outside_completes_all(void)
{
    struct fixture f;
    struct call *calls[300];

    fixture_init(&f);
    f.config.max_connections = 2;
    fixture_start(&f);
    f.forget = true;
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = call_details(&f);
    service_until(f.service, DETAILS, 2);
    fixture_free_client(&f);
    for (size_t i = 0; i < COUNT(calls); i++)
        CU_ASSERT(calls[i]->done && calls[i]->code == SCALEKIT_ERR_CLOSED);
    fixture_free(&f);
}

/* A connection that went from one request straight to the next is still the client's to close. */
static void test_free_on_a_used_connection(void)
{
    struct fixture f;

    fixture_init(&f);
    f.config.max_connections = 1;
    fixture_start(&f);
    service_once(f.service, DETAILS, account_answer);
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    for (int i = 0; i < 3; i++)
        call_details(&f);
    service_until(f.service, DETAILS, 2);
    CU_ASSERT_EQUAL(service_connections(f.service), 1);
    fixture_free(&f);
}

/* --- the loop ---------------------------------------------------------------------------------- */

static void test_dispatch_returns(void)
{
    struct fixture f;
    struct ski_pool_counts counts;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    call_wait(call);
    service_rest(f.service);
    ski_pool_count(f.client->pool, &counts);
    CU_ASSERT_EQUAL(counts.idle, 1);
    CU_ASSERT_EQUAL(event_base_dispatch(f.base), 1); /* nothing is pending */
    fixture_free(&f);
}

/* A sign-in nobody waits for any more is not forgotten half way. */
static void test_cancelled_sign_in(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    while (call->request->state == SKI_QUEUED)
        event_base_loop(f.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(call->request->state, SKI_TOKEN);
    call_cancel(call);
    call_wait(call);
    call = call_details(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 1);
    fixture_free(&f);
}

/* With every other client on the loop untouched. */
static void test_two_clients(void)
{
    struct fixture f;
    struct call *first, *second;
    scalekit_client *one, *two;

    fixture_open(&f);
    service_always(f.service, DETAILS, account_waits);
    one = f.client;
    first = call_details(&f);
    fixture_start(&f);
    two = f.client;
    second = call_details(&f);
    service_until(f.service, DETAILS, 2);
    scalekit_client_free(one);
    CU_ASSERT(first->done);
    service_release(f.service);
    call_wait(second);
    CU_ASSERT_EQUAL(second->code, SCALEKIT_OK);
    f.client = two;
    fixture_free(&f);
}

/* --- making one -------------------------------------------------------------------------------- */

static void spoil_url(struct scalekit_config *config)
{
    config->env_url = "http://acme.scalekit.dev";
}

static void spoil_agent(struct scalekit_config *config)
{
    config->user_agent = "two\r\nlines";
}

static void spoil_version(struct scalekit_config *config)
{
    config->api_version = "2026\n";
}

static void spoil_ca(struct scalekit_config *config)
{
    config->env_url = "https://127.0.0.1:1";
    config->ca_file = "/nonexistent.pem";
}

static void spoil_limit(struct scalekit_config *config)
{
    config->max_connections = 2000;
}

static const struct refused_row {
    const char *name, *problem;
    void (*spoil)(struct scalekit_config *config);
    scalekit_err err;
} refused_rows[] = {
    {"url", "https://", spoil_url, SCALEKIT_ERR_INVALID},
    {"user_agent", "user_agent", spoil_agent, SCALEKIT_ERR_INVALID},
    {"api_version", "api_version", spoil_version, SCALEKIT_ERR_INVALID},
    {"ca_file", "ca_file", spoil_ca, SCALEKIT_ERR_TLS},
    {"max_connections", "max_connections", spoil_limit, SCALEKIT_ERR_INVALID},
};

static void test_refused_configuration(void)
{
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        const struct refused_row *row = &refused_rows[i];
        const char *problem = NULL;
        struct fixture f;

        fixture_init(&f);
        row->spoil(&f.config);
        f.client = (scalekit_client *)&f;
        ROW_IS(row->name, scalekit_client_new(&f.client, f.base, &f.config, &problem) == row->err);
        ROW_IS(row->name, text_has(problem, row->problem));
        ROW_IS(row->name, f.client == NULL);
        ROW_IS(row->name, scalekit_client_new(&f.client, f.base, &f.config, NULL) == row->err);
        fixture_free(&f);
    }
}

static void test_missing_arguments(void)
{
    struct fixture f;
    const char *problem = NULL;

    fixture_init(&f);
    CU_ASSERT_EQUAL(scalekit_client_new(NULL, f.base, &f.config, &problem), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_client_new(&f.client, NULL, &f.config, &problem),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT(text_has(problem, "base"));
    CU_ASSERT_EQUAL(scalekit_client_new(&f.client, f.base, NULL, &problem), SCALEKIT_ERR_INVALID);
    CU_ASSERT(text_has(problem, "configuration"));
    scalekit_client_free(NULL);
    scalekit_client_run_timers(NULL);
    CU_ASSERT_EQUAL(scalekit_client_next_timer(NULL), INT64_MAX);
    CU_ASSERT_PTR_NULL(scalekit_client_env_url(NULL));
    fixture_free(&f);
}

static void test_copies_its_configuration(void)
{
    struct fixture f;
    char url[96], id[] = "skc_1", secret[] = "s3cret";
    struct call *call;

    fixture_init(&f);
    snprintf(url, sizeof url, "%s/", f.url);
    f.config.env_url = url;
    f.config.client_id = id;
    f.config.client_secret = secret;
    fixture_start(&f);
    CU_ASSERT(text_is(scalekit_client_env_url(f.client), f.url));
    memset(url, 'x', sizeof url - 1);
    memset(id, 'x', sizeof id - 1);
    memset(secret, 'x', sizeof secret - 1);
    memset(&f.config, 0xff, sizeof f.config);
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    CU_ASSERT(text_has(service_request(f.service, SIGN_IN, 0)->body, "client_id=skc_1&"));
    fixture_free(&f);
}

/* With a prefix in the URL, sign-in and operations both go under it. */
static void test_url_prefix(void)
{
    struct fixture f;
    char url[96];

    fixture_init(&f);
    snprintf(url, sizeof url, "%s/tenant/", f.url);
    f.config.env_url = url;
    fixture_start(&f);
    service_always(f.service, "POST /tenant/oauth/token",
                   (struct service_answer){.status = 200, .body = "{\"access_token\":\"tok-a\"}"});
    service_always(f.service, "GET /tenant/api/v1/connected_accounts/details", account_answer);
    call_wait(call_details(&f));
    CU_ASSERT_EQUAL(service_count(f.service, "GET /tenant/api/v1/connected_accounts/details"), 1);
    fixture_free(&f);
}

static void test_empty_user_agent(void)
{
    struct fixture f;

    fixture_init(&f);
    f.config.user_agent = "";
    fixture_start(&f);
    service_always(f.service, DETAILS, account_answer);
    call_wait(call_details(&f));
    CU_ASSERT(text_has(service_request(f.service, DETAILS, 0)->head,
                       "user-agent: Scalekit-C/" SCALEKIT_VERSION " "));
    fixture_free(&f);
}

static void test_timers_by_hand(void)
{
    struct fixture f;
    int64_t next;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    CU_ASSERT_EQUAL(scalekit_client_next_timer(f.client), INT64_MAX);
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    call_details(&f);
    next = scalekit_client_next_timer(f.client);
    CU_ASSERT(next > f.clock.monotonic_us);
    CU_ASSERT(next <= f.clock.monotonic_us + 20100000);
    fixture_free(&f);
}

static void test_version(void)
{
    CU_ASSERT(text_is(scalekit_version(), SCALEKIT_VERSION));
}

/* --- memory ------------------------------------------------------------------------------------ */

static bool make_client(struct test_memory *memory, void *user)
{
    struct fixture *f = user;
    scalekit_client *client = NULL;
    scalekit_err err;

    f->config.allocator = &memory->allocator;
    err = scalekit_client_new(&client, f->base, &f->config, NULL);
    CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
    CU_ASSERT_EQUAL(err == SCALEKIT_OK, client != NULL);
    scalekit_client_free(client);
    return err == SCALEKIT_OK;
}

static void test_out_of_memory(void)
{
    struct fixture f;

    fixture_init(&f);
    f.config.user_agent = "test/1";
    f.config.dns_servers = "127.0.0.1:5353";
    CU_ASSERT(test_every_allocation(make_client, &f) > 5);
    fixture_free(&f);
}

SUITE(client, {"a result calls back exactly once", test_once_result},
      {"a failure calls back exactly once", test_once_failure},
      {"a deadline calls back exactly once", test_once_deadline},
      {"a cancel calls back exactly once", test_once_cancel},
      {"a freed client calls back exactly once", test_once_client_freed},
      {"nothing calls back from inside the starting or cancelling call", test_later},
      {"not even with a token and a connection at hand", test_later_when_warm},
      {"what is held by reference outlives the client", test_kept_after_the_client},
      {"references are counted", test_several_references},
      {"a cancel is legal in every state, and twice", test_cancel_in_every_state},
      {"freeing the client is legal in every state", test_free_in_every_state},
      {"a settled answer wins over a cancel", test_settled_wins_over_cancel},
      {"a settled answer wins over freeing the client", test_settled_wins_over_free},
      {"a callback may start requests", test_start_in_callback},
      {"a callback may cancel its siblings", test_cancel_siblings_in_callback},
      {"every kind of callback may free the client", test_free_in_callback},
      {"so may the callbacks of freeing it", test_free_in_callback_of_free},
      {"freeing the client completes what is pending before it returns",
       test_free_outside_completes_all},
      {"and closes a connection in its second use", test_free_on_a_used_connection},
      {"an idle connection does not keep the loop alive", test_dispatch_returns},
      {"a cancelled waiter does not spoil the sign-in", test_cancelled_sign_in},
      {"clients on one loop leave each other alone", test_two_clients},
      {"a wrong configuration is refused with its reason", test_refused_configuration},
      {"missing arguments are refused", test_missing_arguments},
      {"the configuration is copied", test_copies_its_configuration},
      {"a path in the URL prefixes every request", test_url_prefix},
      {"an empty user agent is none", test_empty_user_agent},
      {"the next timer can be asked for", test_timers_by_hand},
      {"the version is that of the header", test_version},
      {"every allocation of a new client may fail", test_out_of_memory})
