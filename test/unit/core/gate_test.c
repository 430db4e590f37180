/* Requests that wait for their turn, and what a client learns from answers, in virtual time. */
#include "core/client.h"
#include "fixture.h"
#include "unit/watch/virtual.h"

static const struct service_answer account_answer = {.status = 200, .body = ACCOUNT_BODY};

#define CROWD 2000

static void init(struct fixture *f, unsigned ceiling)
{
    fixture_init(f);
    fixture_use_clock(f);
    f->config.max_requests_per_minute = ceiling;
    service_always(f->service, DETAILS, account_answer);
    service_always(f->service, LINK, account_answer);
}

static void open_with(struct fixture *f, unsigned ceiling)
{
    init(f, ceiling);
    fixture_start(f);
}

static struct scalekit_governor_stats stats_of(const struct fixture *f)
{
    struct scalekit_governor_stats stats;

    scalekit_governor_get_stats(scalekit_client_governor(f->client), &stats);
    return stats;
}

static unsigned n_details(const struct fixture *f)
{
    return service_count(f->service, DETAILS);
}

static struct call *finish(struct call *call)
{
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    return call;
}

/* --- how fast ---------------------------------------------------------------------------------- */

/* The clock stands still meanwhile. */
static void test_no_limit_no_delay(void)
{
    struct fixture f;
    struct call *calls[CROWD];

    open_with(&f, 0);
    for (size_t i = 0; i < CROWD; i++)
        calls[i] = call_details(&f);
    for (size_t i = 0; i < CROWD; i++)
        finish(calls[i]);
    CU_ASSERT_EQUAL(stats_of(&f).sent[SCALEKIT_CLASS_INTERACTIVE], CROWD);
    CU_ASSERT_EQUAL(stats_of(&f).rate, 0);
    fixture_free(&f);
}

/* A bucket of two, of which the sign-in takes one; then one a second. */
static void test_ceiling(void)
{
    struct fixture f;

    open_with(&f, 60);
    for (int i = 0; i < 8; i++)
        call_details(&f);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(n_details(&f), 1);
    CU_ASSERT_EQUAL(stats_of(&f).waiting[SCALEKIT_CLASS_INTERACTIVE], 7);
    for (unsigned second = 1; second <= 7; second++) {
        virtual_pass(&f, 1010);
        CU_ASSERT_EQUAL(n_details(&f), second + 1);
    }
    CU_ASSERT_EQUAL(stats_of(&f).waiting[SCALEKIT_CLASS_INTERACTIVE], 0);
    fixture_free(&f);
}

/* However many wait: those whose deadlines are theirs have a timer each, the gate has one. */
static void test_one_timer(void)
{
    struct fixture f;
    unsigned timers = 0, requests = 0;

    open_with(&f, 60);
    for (int i = 0; i < 100; i++)
        call_details(&f);
    virtual_settle(&f);
    for (ski_timer timer = 0; timer < f.client->loop.n_timers; timer++)
        timers += ski_timer_is_set(&f.client->loop, timer);
    for (struct ski_list *node = f.client->pending.next; node != &f.client->pending;
         node = node->next)
        requests++;
    CU_ASSERT_EQUAL(requests, 99);
    CU_ASSERT(ski_timer_is_set(&f.client->loop, f.client->gate.timer));
    /* The refresh of the token, and the time of the idle connection, besides. */
    CU_ASSERT(timers <= requests + 3);
    for (struct ski_list *node = f.calls.next; node != &f.calls; node = node->next)
        call_cancel(SKI_CONTAINER(node, struct call, link));
    fixture_turn(&f);
    fixture_free(&f);
}

static void start_of_class(struct fixture *f, call_starter start, enum scalekit_request_class kind)
{
    ski_request_set_class(start(f)->request, kind);
}

static void test_interactive_first(void)
{
    struct fixture f;

    open_with(&f, 60);
    finish(call_details(&f)); /* empties the bucket */
    for (int i = 0; i < 3; i++)
        start_of_class(&f, call_details, SCALEKIT_CLASS_BACKGROUND);
    virtual_settle(&f);
    for (int i = 0; i < 3; i++)
        call_link(&f);
    virtual_pass(&f, 3050);
    CU_ASSERT_EQUAL(service_count(f.service, LINK), 3);
    CU_ASSERT_EQUAL(n_details(&f), 1);
    virtual_pass(&f, 3050);
    CU_ASSERT_EQUAL(n_details(&f), 4);
    fixture_free(&f);
}

/* --- while it waits ---------------------------------------------------------------------------- */

/* A call that waits at the gate, its client having a token. */
static struct call *waiting_call(struct fixture *f)
{
    struct call *call;

    finish(call_details(f));
    ski_governor_park(scalekit_client_governor(f->client), 60000);
    call = call_details(f);
    virtual_settle(f);
    CU_ASSERT_EQUAL(call->request->state, SKI_GATE);
    return call;
}

static void check_unsent(const struct fixture *f, const struct call *call, scalekit_err code)
{
    CU_ASSERT_EQUAL(call->code, code);
    CU_ASSERT_EQUAL(call->phase, SCALEKIT_PHASE_QUEUE);
    CU_ASSERT_EQUAL(call->attempts, 0);
    CU_ASSERT_FALSE(call->sent);
    CU_ASSERT_EQUAL(n_details(f), 1);
}

static void test_deadline(void)
{
    struct fixture f;
    struct call *call;

    open_with(&f, 0);
    call = waiting_call(&f);
    virtual_pass(&f, 20050);
    CU_ASSERT(call->done);
    check_unsent(&f, call, SCALEKIT_ERR_DEADLINE);
    fixture_free(&f);
}

static void test_cancel(void)
{
    struct fixture f;
    struct call *call, *next;

    open_with(&f, 0);
    call = waiting_call(&f);
    next = call_details(&f);
    scalekit_request_set_deadline(next->request, 100000);
    virtual_settle(&f);
    call_cancel(call);
    call_wait(call);
    check_unsent(&f, call, SCALEKIT_ERR_CANCELED);
    virtual_until(&f, &next->done, 61000);
    CU_ASSERT_EQUAL(next->code, SCALEKIT_OK);
    fixture_free(&f);
}

static void test_client_freed(void)
{
    struct fixture f;
    struct call *call;

    open_with(&f, 0);
    call = waiting_call(&f);
    fixture_free_client(&f);
    CU_ASSERT(call->done);
    check_unsent(&f, call, SCALEKIT_ERR_CLOSED);
    fixture_free(&f);
}

static void test_queue_full(void)
{
    struct fixture f;
    struct call *third;

    init(&f, 0);
    f.config.max_queue = 2;
    fixture_start(&f);
    waiting_call(&f);
    call_details(&f);
    third = call_details(&f);
    call_wait(third);
    check_unsent(&f, third, SCALEKIT_ERR_QUEUE_FULL);
    fixture_free_client(&f);
    fixture_free(&f);
}

static void test_token_runs_out(void)
{
    struct fixture f;
    struct call *call;

    open_with(&f, 0);
    service_once(f.service, SIGN_IN,
                 (struct service_answer){.status = 200,
                                         .body = "{\"access_token\":\"tok-a\",\"expires_in\":30}"});
    call = waiting_call(&f);
    ski_request_extend(call->request, call->request->due_ms + 100000);
    virtual_until(&f, &call->done, 120000);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(call->attempts, 1);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    fixture_free(&f);
}

/* --- the sign-in ------------------------------------------------------------------------------- */

static void test_sign_in_waits(void)
{
    struct fixture f;
    struct call *call, *cancelled;

    open_with(&f, 0);
    ski_governor_park(scalekit_client_governor(f.client), 10000);
    call = call_details(&f);
    cancelled = call_details(&f);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 0);
    CU_ASSERT_EQUAL(stats_of(&f).waiting[SCALEKIT_CLASS_TOKEN], 1);
    call_cancel(cancelled);
    call_wait(cancelled);
    CU_ASSERT_EQUAL(cancelled->phase, SCALEKIT_PHASE_QUEUE);
    virtual_pass(&f, 10050);
    finish(call);
    CU_ASSERT_EQUAL(stats_of(&f).sent[SCALEKIT_CLASS_TOKEN], 1);
    fixture_free(&f);
}

static void test_sign_in_given_up(void)
{
    struct fixture f;
    struct call *call;

    open_with(&f, 0);
    ski_governor_park(scalekit_client_governor(f.client), 300000);
    call = call_details(&f);
    scalekit_request_set_deadline(call->request, 200000);
    virtual_until(&f, &call->done, 100000);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(call->phase, SCALEKIT_PHASE_TOKEN);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 0);
    call_details(&f); /* and one that the end finds waiting */
    virtual_settle(&f);
    fixture_free_client(&f);
    fixture_free(&f);
}

static void test_sign_in_refused_for_rate(void)
{
    struct fixture f;
    struct call *call;

    open_with(&f, 0);
    service_once(f.service, SIGN_IN,
                 (struct service_answer){.status = 429, .headers = "retry-after: 3\r\n"});
    call = call_details(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_RATE_LIMITED);
    CU_ASSERT_EQUAL(stats_of(&f).rate_limited, 1);
    CU_ASSERT_EQUAL(stats_of(&f).parked_ms, 3000);
    fixture_free(&f);
}

/* --- what is counted as what ------------------------------------------------------------------- */

CALL_ON(on_proxied, scalekit_proxy_response)

static struct call *call_proxy(struct fixture *f)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_proxy_request(
                                f->client,
                                SCALEKIT_PARAMS(scalekit_proxy_params, .connection_name = "gmail",
                                                .identifier = "user_1", .path = "/v1/me"),
                                on_proxied, call));
}

#define PROXIED "GET /proxy/v1/me"

static void test_classes(void)
{
    struct fixture f;
    struct scalekit_governor_stats stats;

    open_with(&f, 0);
    service_once(f.service, DETAILS, (struct service_answer){.status = 401});
    service_always(f.service, TOOL, (struct service_answer){.status = 200, .body = "{}"});
    service_always(f.service, PROXIED, (struct service_answer){.status = 200});
    finish(call_warm(&f));
    finish(call_details(&f)); /* two attempts, and a sign-in between them */
    finish(call_tool(&f));
    finish(call_proxy(&f));
    stats = stats_of(&f);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_INTERACTIVE], 2);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_TOKEN], 2);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_TOOL], 2);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_WATCH], 0);
    fixture_free(&f);
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *done)
{
    (void)watch;
    if (event->final)
        *(bool *)done = true;
}

static void test_looks_are_of_class_watch(void)
{
    struct fixture f;
    bool done = false;

    open_with(&f, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scalekit_watch_account(
        f.client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail", .identifier = "user_1"),
        on_event, &done));
    virtual_until(&f, &done, 10000);
    CU_ASSERT_EQUAL(stats_of(&f).sent[SCALEKIT_CLASS_WATCH], 2); /* and one for the feed */
    CU_ASSERT_EQUAL(stats_of(&f).sent[SCALEKIT_CLASS_INTERACTIVE], 0);
    fixture_free(&f);
}

/* --- learning ---------------------------------------------------------------------------------- */

/* From an answer to some call: how long nothing goes, and whether the rate was lowered. */
static const struct answer_row {
    const char *name;
    call_starter start;
    const char *route;
    struct service_answer answer;
    int64_t parked_ms;
    unsigned rate_limited;
} answer_rows[] = {
    {"429", call_details, DETAILS, {.status = 429}, 0, 1},
    {"429 of a tool's route that is Scalekit's", call_tool, TOOL, {.status = 429}, 0, 1},
    {"Retry-After",
     call_details,
     DETAILS,
     {.status = 429, .headers = "retry-after: 7\r\n"},
     7000,
     1},
    {"Retry-After as a date",
     call_details,
     DETAILS,
     {.status = 429, .headers = "retry-after: Fri, 21 Aug 2026 10:00:30 GMT\r\n"},
     30000,
     1},
    {"five minutes at most",
     call_details,
     DETAILS,
     {.status = 429, .headers = "retry-after: 86400\r\n"},
     300000,
     1},
    {"Retry-After of a 503 is that call's",
     call_create,
     CREATE,
     {.status = 503, .headers = "retry-after: 7\r\n"},
     0,
     0},
    {"a tool's 429",
     call_tool,
     TOOL,
     {.status = 429,
      .body = "{\"details\":[{\"error_code\":\"TOOL_ERROR\"}]}",
      .headers = "retry-after: 7\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 9\r\n"},
     0,
     0},
    {"a provider's 429",
     call_proxy,
     PROXIED,
     {.status = 429,
      .headers = "retry-after: 7\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 9\r\n"},
     0,
     0},
    {"none remaining",
     call_details,
     DETAILS,
     {.status = 200,
      .body = ACCOUNT_BODY,
      .headers = "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 9\r\n"},
     9000,
     0},
    {"none remaining until a date",
     call_details,
     DETAILS,
     {.status = 404,
      .body = ERROR_BODY,
      .headers = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1787306412\r\n"},
     12000,
     0},
    {"none remaining until a date that has passed",
     call_details,
     DETAILS,
     {.status = 200,
      .body = ACCOUNT_BODY,
      .headers = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1787306399\r\n"},
     0,
     0},
    {"some remaining",
     call_details,
     DETAILS,
     {.status = 200,
      .body = ACCOUNT_BODY,
      .headers = "x-ratelimit-remaining: 1\r\nx-ratelimit-reset: 9\r\n"},
     0,
     0},
    {"no reset",
     call_details,
     DETAILS,
     {.status = 200, .body = ACCOUNT_BODY, .headers = "x-ratelimit-remaining: 0\r\n"},
     0,
     0},
    {"nonsense",
     call_details,
     DETAILS,
     {.status = 200,
      .body = ACCOUNT_BODY,
      .headers = "x-ratelimit-remaining: -0\r\nx-ratelimit-reset: 99999999999999999999\r\n"},
     0,
     0},
};

static void test_answers(void)
{
    for (size_t i = 0; i < COUNT(answer_rows); i++) {
        const struct answer_row *row = &answer_rows[i];
        struct scalekit_governor_stats stats;
        struct fixture f;

        open_with(&f, 0);
        service_once(f.service, row->route, row->answer);
        call_wait(row->start(&f));
        stats = stats_of(&f);
        ROW_IS(row->name, stats.parked_ms == row->parked_ms);
        ROW_IS(row->name, stats.rate_limited == row->rate_limited);
        ROW_IS(row->name, (stats.rate > 0) == (row->rate_limited > 0));
        ROW_IS(row->name, ski_governor_is_open(scalekit_client_governor(f.client)) ==
                              (!row->parked_ms && !row->rate_limited));
        ROW_IS(row->name, text_has(f.log, "wants no requests") == (row->parked_ms > 0));
        fixture_free(&f);
    }
}

/* All of the environment waits for what one call was told. */
static void test_parks_everybody(void)
{
    struct fixture f;
    struct call *link;

    open_with(&f, 0);
    service_once(f.service, DETAILS,
                 (struct service_answer){.status = 429, .headers = "retry-after: 7\r\n"});
    call_wait(call_details(&f));
    link = call_link(&f);
    virtual_pass(&f, 6950);
    CU_ASSERT_EQUAL(service_count(f.service, LINK), 0);
    virtual_pass(&f, 100);
    CU_ASSERT_EQUAL(service_count(f.service, LINK), 1);
    finish(link);
    fixture_free(&f);
}

/* Hundreds in flight are refused: one cut.  What follows goes at the new rate. */
static void test_storm(void)
{
    struct fixture f;
    struct call *calls[200];
    unsigned before;

    open_with(&f, 0);
    finish(call_warm(&f));
    for (size_t i = 0; i < COUNT(calls); i++) {
        service_once(f.service, DETAILS, (struct service_answer){.status = 429});
        calls[i] = call_details(&f);
    }
    for (size_t i = 0; i < COUNT(calls); i++)
        call_wait(calls[i]);
    CU_ASSERT_EQUAL(stats_of(&f).rate_limited, COUNT(calls));
    CU_ASSERT_EQUAL(ski_governor_epoch(scalekit_client_governor(f.client)), 1);
    before = n_details(&f);
    for (size_t i = 0; i < COUNT(calls); i++)
        call_details(&f);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(n_details(&f), before);
    virtual_pass(&f, 100);
    CU_ASSERT(n_details(&f) > before);
    fixture_free_client(&f);
    fixture_free(&f);
}

/* A 429 that is waited out goes through the gate again. */
static void test_retry(void)
{
    struct fixture f;
    struct call *call;

    open_with(&f, 0);
    service_once(f.service, DETAILS,
                 (struct service_answer){.status = 429, .headers = "retry-after: 2\r\n"});
    call = call_details(&f);
    scalekit_request_set_retry_rate_limited(call->request, true);
    virtual_until(&f, &call->done, 3000);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(stats_of(&f).sent[SCALEKIT_CLASS_INTERACTIVE], 2);
    fixture_free(&f);
}

/* --- one for several clients ------------------------------------------------------------------- */

static void test_shared(void)
{
    struct fixture f;
    scalekit_client *other;
    scalekit_governor *governor;
    scalekit_err err;

    init(&f, 0);
    err = scalekit_governor_new(
        &governor,
        SCALEKIT_PARAMS(scalekit_governor_config, .max_requests_per_minute = 60,
                        .allocator = &f.memory.allocator, .clock = &f.clock.clock),
        NULL);
    CU_ASSERT_EQUAL_FATAL(err, SCALEKIT_OK);
    f.config.governor = governor;
    fixture_start(&f);
    err = scalekit_client_new(&other, f.base, &f.config, NULL);
    CU_ASSERT_EQUAL_FATAL(err, SCALEKIT_OK);
    scalekit_governor_free(governor);
    CU_ASSERT_PTR_EQUAL(scalekit_client_governor(other), governor);
    CU_ASSERT_EQUAL(stats_of(&f).clients, 2);
    finish(call_details(&f)); /* one client's requests empty the bucket of both */
    ski_governor_park(scalekit_client_governor(other), 1000);
    call_details(&f);
    virtual_pass(&f, 900);
    CU_ASSERT_EQUAL(n_details(&f), 1);
    virtual_pass(&f, 200);
    CU_ASSERT_EQUAL(n_details(&f), 2);
    scalekit_client_free(other);
    CU_ASSERT_EQUAL(stats_of(&f).clients, 1);
    fixture_free(&f);
}

static void test_either_ceiling_or_governor(void)
{
    struct fixture f;
    scalekit_governor *governor;
    const char *problem = NULL;

    init(&f, 60);
    CU_ASSERT_EQUAL_FATAL(scalekit_governor_new(&governor, NULL, NULL), SCALEKIT_OK);
    f.config.governor = governor;
    CU_ASSERT_EQUAL(scalekit_client_new(&f.client, f.base, &f.config, &problem),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT(text_has(problem, "max_requests_per_minute"));
    CU_ASSERT_PTR_NULL(scalekit_client_governor(NULL));
    scalekit_governor_free(governor);
    fixture_free(&f);
}

SUITE(gate, {"without a limit nothing is held back", test_no_limit_no_delay},
      {"requests go out at the rate of the ceiling", test_ceiling},
      {"the gate has one timer", test_one_timer},
      {"interactive requests go before those in the background", test_interactive_first},
      {"a deadline runs out while waiting", test_deadline},
      {"one that waits may be cancelled, the next one goes", test_cancel},
      {"one that waits ends with its client", test_client_freed},
      {"no more than max_queue wait", test_queue_full},
      {"a token that ran out while waiting is replaced", test_token_runs_out},
      {"the sign-in waits for its turn too", test_sign_in_waits},
      {"the sign-in gives up at its own deadline", test_sign_in_given_up},
      {"the sign-in's 429 counts", test_sign_in_refused_for_rate},
      {"attempts are counted by class", test_classes},
      {"looks of watches are of their class", test_looks_are_of_class_watch},
      {"answers tell of the limit, those of others do not", test_answers},
      {"Retry-After parks the environment, not one call", test_parks_everybody},
      {"a storm of 429s is one cut", test_storm}, {"a retry waits for its turn again", test_retry},
      {"clients share a governor, which outlives its handle", test_shared},
      {"a shared governor has the ceiling", test_either_ceiling_or_governor})
