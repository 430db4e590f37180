/* The access token: who waits for it, when it is renewed, what is done when it is refused. */
#include "core/client.h"
#include "core/token.h"
#include "fixture.h"
#include <stdlib.h>

#define CROWD 500

static const struct service_answer account_answer = {.status = 200, .body = ACCOUNT_BODY};
static const struct service_answer hangs = {.manner = SERVICE_HANGS};
static const struct service_answer refused = {
    .status = 401,
    .body = "{\"error\":\"invalid_client\",\"error_description\":\"no such client\"}"};

static void open_with_clock(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    fixture_start(f);
}

/* Starts a call and runs the loop until it completed. */
static struct call *get_details(struct fixture *f)
{
    struct call *call = call_details(f);

    call_wait(call);
    return call;
}

/* The same, with the clock moved through the pauses of the sign-in, and until its turn comes. */
static void drive(struct call *call)
{
    struct fixture *f = call->fixture;

    for (int turns = 0; !call->done && turns < 10000; turns++) {
        enum ski_token_state state = f->client->token.state;
        bool paused = state == SKI_TOKEN_PAUSED || state == SKI_TOKEN_WAITING;

        if (paused)
            fixture_advance(f, 250);
        event_base_loop(f->base, paused ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
    }
    CU_ASSERT_FATAL(call->done);
}

static bool used(struct fixture *f, unsigned request, const char *line)
{
    return service_had(service_request(f->service, DETAILS, request), line);
}

/* --- one flight -------------------------------------------------------------------------------- */

static void test_crowd(void)
{
    struct fixture f;
    struct call *calls[CROWD];

    fixture_open(&f);
    service_once(f.service, SIGN_IN,
                 (struct service_answer){200, "{\"access_token\":\"tok-a\",\"expires_in\":3600}",
                                         NULL, SERVICE_WAITS, 0});
    service_always(f.service, DETAILS, account_answer);
    for (size_t i = 0; i < CROWD; i++)
        calls[i] = call_details(&f);
    service_until(f.service, SIGN_IN, 1);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 0);
    service_release(f.service);
    for (size_t i = 0; i < CROWD; i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_OK);
    }
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 1);
    CU_ASSERT(used(&f, CROWD - 1, "authorization: Bearer tok-a"));
    fixture_free(&f);
}

/* All of them were sent with the first token, and are answered before there is another. */
static void test_crowd_of_401(void)
{
    static const struct service_answer sign_ins[] = {
        {200, "{\"access_token\":\"tok-a\"}", NULL, SERVICE_ANSWERS, 0},
        {200, "{\"access_token\":\"tok-b\"}", NULL, SERVICE_WAITS, 0},
    };
    struct fixture f;
    struct call *calls[CROWD];

    fixture_open(&f);
    service_once(f.service, SIGN_IN, sign_ins[0]);
    service_once(f.service, SIGN_IN, sign_ins[1]);
    call_wait(call_warm(&f));
    for (size_t i = 0; i < CROWD; i++) {
        service_once(f.service, DETAILS, (struct service_answer){.status = 401});
        calls[i] = call_details(&f);
    }
    service_always(f.service, DETAILS, account_answer);
    service_until(f.service, DETAILS, CROWD);
    service_until(f.service, SIGN_IN, 2);
    fixture_turn(&f);
    service_release(f.service);
    for (size_t i = 0; i < CROWD; i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(calls[i]->attempts, 2);
    }
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    CU_ASSERT(used(&f, CROWD - 1, "authorization: Bearer tok-a"));
    CU_ASSERT(used(&f, CROWD, "authorization: Bearer tok-b"));
    fixture_free(&f);
}

/* A 401 of the old token that comes when there is a new one already says nothing of the new one. */
static void test_late_401(void)
{
    struct fixture f;
    struct call *late, *early;

    fixture_open(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){.status = 401, .manner = SERVICE_WAITS});
    service_once(f.service, DETAILS, (struct service_answer){.status = 401});
    service_always(f.service, DETAILS, account_answer);
    late = call_details(&f);
    service_until(f.service, DETAILS, 1);
    early = call_details(&f);
    call_wait(early);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    service_release(f.service);
    call_wait(late);
    CU_ASSERT_EQUAL(late->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(late->attempts, 2);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    CU_ASSERT(used(&f, 3, "authorization: Bearer tok-2"));
    fixture_free(&f);
}

/* In the callback of one that was cancelled: the next. */
static void start_next(struct call *call)
{
    *(struct call **)call->user = call_details(call->fixture);
}

static void test_cancelled_waiter(void)
{
    struct fixture f;
    struct call *first, *second = NULL;

    fixture_open(&f);
    service_once(
        f.service, SIGN_IN,
        (struct service_answer){200, "{\"access_token\":\"tok-a\"}", NULL, SERVICE_WAITS, 0});
    service_always(f.service, DETAILS, account_answer);
    first = call_details(&f);
    service_until(f.service, SIGN_IN, 1);
    first->completed = start_next;
    first->user = &second;
    call_cancel(first);
    call_wait(first);
    fixture_turn(&f);
    service_release(f.service);
    call_wait(second);
    CU_ASSERT_EQUAL(second->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 1);
    fixture_free(&f);
}

/* Nobody waits, and nothing else is pending: the loop is not kept for the token's sake. */
static void test_nobody_waits(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_once(f.service, SIGN_IN, (struct service_answer){.manner = SERVICE_HANGS});
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    service_until(f.service, SIGN_IN, 1);
    call_cancel(call);
    call_wait(call);
    service_rest(f.service);
    CU_ASSERT_EQUAL(event_base_dispatch(f.base), 1); /* no event is left */
    fixture_free(&f);
}

static void test_flight_deadline(void)
{
    struct fixture f;
    struct call *patient, *first;

    open_with_clock(&f);
    service_once(f.service, SIGN_IN, hangs);
    service_always(f.service, DETAILS, account_answer);
    first = call_details(&f);
    patient = call_details(&f);
    scalekit_request_set_deadline(patient->request, 120000);
    service_until(f.service, SIGN_IN, 1);
    fixture_advance(&f, 20100);
    call_wait(first);
    fixture_advance(&f, 19800);
    fixture_turn(&f);
    CU_ASSERT_FALSE(patient->done);
    fixture_advance(&f, 200);
    call_wait(patient);
    CU_ASSERT_EQUAL(patient->code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(patient->phase, SCALEKIT_PHASE_TOKEN);
    CU_ASSERT(text_has(patient->message, "40 s"));
    /* The next one starts anew. */
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    fixture_free(&f);
}

static void test_pause(void)
{
    struct fixture f;
    struct call *call;

    open_with_clock(&f);
    service_once(f.service, SIGN_IN, (struct service_answer){.status = 503});
    service_always(f.service, DETAILS, account_answer);
    call = call_details(&f);
    scalekit_request_set_deadline(call->request, 300);
    service_until(f.service, SIGN_IN, 1);
    fixture_turn(&f);
    CU_ASSERT_EQUAL(f.client->token.state, SKI_TOKEN_PAUSED);
    fixture_advance(&f, 316);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(call->phase, SCALEKIT_PHASE_TOKEN);
    call = call_details(&f);
    drive(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    fixture_free(&f);
}

/* --- renewal ----------------------------------------------------------------------------------- */

static const struct life_row {
    const char *name, *answer;
    int64_t life_ms;
} life_rows[] = {
    {"a day", "{\"access_token\":\"tok-a\",\"expires_in\":86400}", 86400000},
    {"an hour", "{\"access_token\":\"tok-a\",\"expires_in\":3600}", 3600000},
    {"ten minutes", "{\"access_token\":\"tok-a\",\"expires_in\":600}", 600000},
    {"ten seconds", "{\"access_token\":\"tok-a\",\"expires_in\":10}", 10000},
    {"absent", "{\"access_token\":\"tok-a\"}", 3600000},
    {"null", "{\"access_token\":\"tok-a\",\"expires_in\":null}", 3600000},
    {"zero", "{\"access_token\":\"tok-a\",\"expires_in\":0}", 3600000},
    {"negative", "{\"access_token\":\"tok-a\",\"expires_in\":-5}", 3600000},
    {"in a string", "{\"access_token\":\"tok-a\",\"expires_in\":\"600\"}", 600000},
    {"far too long", "{\"access_token\":\"tok-a\",\"expires_in\":9223372036854775807}",
     INT64_C(366) * 86400000},
};

/* clamp(20 %, 60 s, 300 s) with 10 % of jitter, but never in the first half of a life. */
static int64_t margin_of(int64_t life_ms, int percent)
{
    int64_t margin = life_ms / 5;

    margin = margin < 60000 ? 60000 : margin > 300000 ? 300000 : margin;
    margin = margin * percent / 100;
    return margin < life_ms / 2 ? margin : life_ms / 2;
}

static void test_lives(void)
{
    for (size_t i = 0; i < COUNT(life_rows); i++) {
        const struct life_row *row = &life_rows[i];
        int64_t early = row->life_ms - margin_of(row->life_ms, 110) - 100;
        int64_t late = row->life_ms - margin_of(row->life_ms, 90) + 100;
        struct fixture f;

        open_with_clock(&f);
        service_once(f.service, SIGN_IN, (struct service_answer){200, row->answer, NULL, 0, 0});
        service_always(f.service, DETAILS, account_answer);
        get_details(&f);
        fixture_advance(&f, early);
        get_details(&f);
        ROW_IS(row->name, service_count(f.service, SIGN_IN) == 1);
        fixture_advance(&f, late - early);
        get_details(&f);
        service_until(f.service, SIGN_IN, 2);
        ROW_IS(row->name, used(&f, 1, "authorization: Bearer tok-a"));
        fixture_free(&f);
    }
}

/* Requests go on with the old token while the new one is fetched, and until it has expired. */
static void test_renewal_in_the_background(void)
{
    struct fixture f;

    open_with_clock(&f);
    service_once(f.service, SIGN_IN,
                 (struct service_answer){200, "{\"access_token\":\"tok-a\",\"expires_in\":3600}",
                                         NULL, SERVICE_ANSWERS, 0});
    service_once(f.service, SIGN_IN,
                 (struct service_answer){200, "{\"access_token\":\"tok-b\",\"expires_in\":3600}",
                                         NULL, SERVICE_WAITS, 0});
    service_always(f.service, DETAILS, account_answer);
    get_details(&f);
    fixture_advance(&f, 3400000);
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    service_until(f.service, SIGN_IN, 2);
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    CU_ASSERT(used(&f, 2, "authorization: Bearer tok-a"));
    service_release(f.service);
    while (f.client->token.state != SKI_TOKEN_IDLE)
        event_base_loop(f.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    CU_ASSERT(used(&f, 3, "authorization: Bearer tok-b"));
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    fixture_free(&f);
}

static void test_renewal_fails(void)
{
    struct fixture f;

    open_with_clock(&f);
    service_once(f.service, SIGN_IN,
                 (struct service_answer){200, "{\"access_token\":\"tok-a\",\"expires_in\":3600}",
                                         NULL, SERVICE_ANSWERS, 0});
    service_once(f.service, SIGN_IN, (struct service_answer){.status = 500});
    service_always(f.service, DETAILS, account_answer);
    get_details(&f);
    fixture_advance(&f, 3400000);
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    service_until(f.service, SIGN_IN, 2);
    fixture_turn(&f);
    fixture_advance(&f, 14900);
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    fixture_advance(&f, 200);
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    service_until(f.service, SIGN_IN, 3);
    CU_ASSERT(used(&f, 3, "authorization: Bearer tok-a"));
    fixture_free(&f);
}

static void test_expired(void)
{
    struct fixture f;

    open_with_clock(&f);
    service_always(f.service, DETAILS, account_answer);
    get_details(&f);
    test_clock_advance_ms(&f.clock, 86400000); /* nothing ran meanwhile */
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    CU_ASSERT(used(&f, 1, "authorization: Bearer tok-2"));
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    fixture_free(&f);
}

/* --- refusal ----------------------------------------------------------------------------------- */

static void test_refused(void)
{
    struct fixture f;
    struct call *calls[5];

    open_with_clock(&f);
    service_always(f.service, SIGN_IN, refused);
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = call_details(&f);
    for (size_t i = 0; i < COUNT(calls); i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_ERR_SIGN_IN);
        CU_ASSERT_EQUAL(calls[i]->phase, SCALEKIT_PHASE_TOKEN);
        CU_ASSERT_EQUAL(calls[i]->error->http_status, 401);
        CU_ASSERT(text_is(calls[i]->error->error_code, "invalid_client"));
        CU_ASSERT(text_is(calls[i]->error->message, "no such client"));
        CU_ASSERT_EQUAL(calls[i]->attempts, 0);
        CU_ASSERT_FALSE(calls[i]->sent);
    }
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 1);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 0);
    CU_ASSERT(text_has(f.log, "error: sign-in failed: no such client"));
    fixture_free(&f);
}

/* 5 s, 10 s, 20 s, 40 s, 60 s, 60 s, each with 10 % of jitter. */
static void test_cool_down(void)
{
    static const int64_t pauses[] = {5000, 10000, 20000, 40000, 60000, 60000};
    struct fixture f;

    open_with_clock(&f);
    service_always(f.service, SIGN_IN, refused);
    service_always(f.service, DETAILS, account_answer);
    for (unsigned i = 0; i < COUNT(pauses); i++) {
        CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_ERR_SIGN_IN);
        CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), i + 1);
        fixture_advance(&f, pauses[i] * 90 / 100 - 50);
        CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_ERR_SIGN_IN);
        CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), i + 1);
        fixture_advance(&f, pauses[i] * 20 / 100 + 100);
    }
    service_once(
        f.service, SIGN_IN,
        (struct service_answer){200, "{\"access_token\":\"tok-a\"}", NULL, SERVICE_ANSWERS, 0});
    CU_ASSERT_EQUAL(get_details(&f)->code, SCALEKIT_OK);
    fixture_free(&f);
}

static void test_no_refusal_from_others(void)
{
    static const struct {
        const char *name;
        struct service_answer answer;
        scalekit_err code;
        unsigned sign_ins; /* its retries included */
    } rows[] = {
        {"400", {.status = 400}, SCALEKIT_ERR_SIGN_IN, 1},
        {"403", {.status = 403}, SCALEKIT_ERR_SIGN_IN, 1},
        {"404", {.status = 404}, SCALEKIT_ERR_HTTP, 1},
        {"429", {.status = 429}, SCALEKIT_ERR_RATE_LIMITED, 1},
        {"500", {.status = 500}, SCALEKIT_ERR_SERVER, 1},
        {"503", {.status = 503}, SCALEKIT_ERR_UNAVAILABLE, 3},
        {"closed", {.manner = SERVICE_CLOSES}, SCALEKIT_ERR_NETWORK, 3},
        {"302", {.status = 302}, SCALEKIT_ERR_HTTP, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct call *call;

        open_with_clock(&f);
        service_always(f.service, SIGN_IN, rows[i].answer);
        call = call_details(&f);
        drive(call);
        ROW_IS(rows[i].name, call->code == rows[i].code);
        ROW_IS(rows[i].name, call->phase == SCALEKIT_PHASE_TOKEN);
        ROW_IS(rows[i].name, service_count(f.service, SIGN_IN) == rows[i].sign_ins);
        drive(call_details(&f));
        ROW_IS(rows[i].name, service_count(f.service, SIGN_IN) ==
                                 rows[i].sign_ins * (rows[i].code == SCALEKIT_ERR_SIGN_IN ? 1 : 2));
        fixture_free(&f);
    }
}

/* --- the wire ---------------------------------------------------------------------------------- */

static void test_form(void)
{
    struct fixture f;
    const struct service_request *request;

    fixture_init(&f);
    f.config.client_id = "skc_1 &=\xc3\xa9";
    f.config.client_secret = "s3cret+/=&%";
    fixture_start(&f);
    call_wait(call_warm(&f));
    request = service_request(f.service, SIGN_IN, 0);
    CU_ASSERT_STRING_EQUAL(request->target, "/oauth/token");
    CU_ASSERT_STRING_EQUAL(request->body,
                           "grant_type=client_credentials&client_id=skc_1%20%26%3D%C3%A9"
                           "&client_secret=s3cret%2B%2F%3D%26%25");
    CU_ASSERT(service_had(request, "content-type: application/x-www-form-urlencoded"));
    CU_ASSERT(service_had(request, "accept: application/json"));
    CU_ASSERT(service_named(request, "user-agent"));
    CU_ASSERT(service_named(request, "x-sdk-version"));
    fixture_free(&f);
}

static void test_no_authorization(void)
{
    struct fixture f;

    open_with_clock(&f);
    service_always(f.service, DETAILS, account_answer);
    get_details(&f);
    fixture_advance(&f, 86400000);
    get_details(&f);
    for (unsigned i = 0; i < 2; i++)
        CU_ASSERT_FALSE(service_named(service_request(f.service, SIGN_IN, i), "authorization"));
    CU_ASSERT(service_named(service_request(f.service, DETAILS, 0), "authorization"));
    fixture_free(&f);
}

static const struct answer_row {
    const char *name, *body;
    scalekit_err code;
} answer_rows[] = {
    {"no token", "{\"expires_in\":3600}", SCALEKIT_ERR_DECODE},
    {"null", "{\"access_token\":null}", SCALEKIT_ERR_DECODE},
    {"empty", "{\"access_token\":\"\"}", SCALEKIT_ERR_DECODE},
    {"a number", "{\"access_token\":7}", SCALEKIT_ERR_DECODE},
    {"with CR LF", "{\"access_token\":\"tok-a\\r\\nx-evil: 1\"}", SCALEKIT_ERR_DECODE},
    {"with NUL", "{\"access_token\":\"tok-a\\u0000\"}", SCALEKIT_ERR_DECODE},
    {"with a wrong expiry", "{\"access_token\":\"tok-a\",\"expires_in\":{}}", SCALEKIT_ERR_DECODE},
    {"HTML", "<html>tok-a</html>", SCALEKIT_ERR_DECODE},
    {"an array", "[\"tok-a\"]", SCALEKIT_ERR_DECODE},
    {"nothing", "", SCALEKIT_ERR_DECODE},
    {"unknown members", "{\"x\":[{}],\"access_token\":\"tok-a\",\"scope\":\"s\"}", SCALEKIT_OK},
};

static void test_answers(void)
{
    for (size_t i = 0; i < COUNT(answer_rows); i++) {
        const struct answer_row *row = &answer_rows[i];
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        service_always(f.service, SIGN_IN, (struct service_answer){200, row->body, NULL, 0, 0});
        call = call_warm(&f);
        call_wait(call);
        ROW_IS(row->name, call->code == row->code);
        ROW_IS(row->name, !text_has(call->message, "tok-a"));
        ROW_IS(row->name, service_count(f.service, SIGN_IN) == 1);
        fixture_free(&f);
    }
}

static void test_long_tokens(void)
{
    static const struct {
        const char *name;
        size_t length;
        scalekit_err code;
    } rows[] = {{"16 KiB", 16384, SCALEKIT_OK},
                {"one more", 16385, SCALEKIT_ERR_DECODE},
                {"more than an answer may have", 70000, SCALEKIT_ERR_TOO_LARGE}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *body = malloc(rows[i].length + 64);
        struct fixture f;
        struct call *call;

        CU_ASSERT_PTR_NOT_NULL_FATAL(body);
        snprintf(body, rows[i].length + 64, "{\"access_token\":\"%0*d\"}", (int)rows[i].length, 0);
        fixture_open(&f);
        service_always(f.service, SIGN_IN, (struct service_answer){200, body, NULL, 0, 0});
        service_always(f.service, DETAILS, account_answer);
        call = get_details(&f);
        ROW_IS(rows[i].name, call->code == rows[i].code);
        fixture_free(&f);
        free(body);
    }
}

SUITE(token, {"a crowd of requests signs in once", test_crowd},
      {"a crowd of 401s signs in once more", test_crowd_of_401},
      {"a late 401 of the old token does not spoil the new one", test_late_401},
      {"a waiter's cancel does not end the sign-in", test_cancelled_waiter},
      {"a sign-in that nobody waits for does not keep the loop", test_nobody_waits},
      {"a sign-in that hangs ends after 40 s", test_flight_deadline},
      {"a sign-in that pauses goes on without those who waited", test_pause},
      {"every life of a token has its time of renewal", test_lives},
      {"renewal goes on in the background", test_renewal_in_the_background},
      {"a failed renewal is tried again, and the old token used on", test_renewal_fails},
      {"an expired token is not sent", test_expired},
      {"refused credentials fail everybody who waits", test_refused},
      {"refused credentials are tried again after a pause that grows", test_cool_down},
      {"other failures of the sign-in have no such pause", test_no_refusal_from_others},
      {"the form is percent-encoded", test_form},
      {"the sign-in has no authorization header", test_no_authorization},
      {"an answer without a token that can be sent is refused", test_answers},
      {"tokens are limited to 16 KiB", test_long_tokens})
