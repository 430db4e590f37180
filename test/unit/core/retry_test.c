/* The decisions of core/retry.h, row by row.  What they mean for requests is in request_test.c. */
#include "core/error.h"
#include "core/retry.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROW_IS(row, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (row)->name, __FILE__, "", CU_FALSE)

/* --- verdicts ---------------------------------------------------------------------------------- */

#define AGAIN SKI_TRY_AGAIN
#define NEVER SKI_GIVE_UP
#define FRESH SKI_FRESH_TOKEN

static const struct verdict_row {
    const char *name;
    scalekit_err code;
    int status;
    bool sent;
    enum ski_verdict safe, idempotent, unsafe;
} verdict_rows[] = {
    {"no address, not sent", SCALEKIT_ERR_RESOLVE, 0, false, AGAIN, AGAIN, AGAIN},
    {"refused, not sent", SCALEKIT_ERR_CONNECT, 0, false, AGAIN, AGAIN, AGAIN},
    {"broken, not sent", SCALEKIT_ERR_NETWORK, 0, false, AGAIN, AGAIN, AGAIN},
    {"broken without an answer", SCALEKIT_ERR_NETWORK, 0, true, AGAIN, AGAIN, NEVER},
    {"502 or 503", SCALEKIT_ERR_UNAVAILABLE, 503, true, AGAIN, AGAIN, NEVER},
    {"401", SCALEKIT_ERR_UNAUTHORIZED, 401, true, FRESH, FRESH, FRESH},
    {"429", SCALEKIT_ERR_RATE_LIMITED, 429, true, NEVER, NEVER, NEVER},
    {"tool error", SCALEKIT_ERR_TOOL, 503, true, NEVER, NEVER, NEVER},
    {"tool 401", SCALEKIT_ERR_TOOL_UNAUTHORIZED, 401, true, NEVER, NEVER, NEVER},
    {"tool 403", SCALEKIT_ERR_TOOL_FORBIDDEN, 403, true, NEVER, NEVER, NEVER},
    {"tool 429", SCALEKIT_ERR_TOOL_RATE_LIMITED, 429, true, NEVER, NEVER, NEVER},
    {"certificate refused", SCALEKIT_ERR_TLS, 0, false, NEVER, NEVER, NEVER},
    {"not HTTP", SCALEKIT_ERR_PROTOCOL, 0, true, NEVER, NEVER, NEVER},
    {"too large", SCALEKIT_ERR_TOO_LARGE, 0, true, NEVER, NEVER, NEVER},
    {"not JSON", SCALEKIT_ERR_DECODE, 200, true, NEVER, NEVER, NEVER},
    {"500 or 504", SCALEKIT_ERR_SERVER, 504, true, NEVER, NEVER, NEVER},
    {"400", SCALEKIT_ERR_BAD_REQUEST, 400, true, NEVER, NEVER, NEVER},
    {"403", SCALEKIT_ERR_FORBIDDEN, 403, true, NEVER, NEVER, NEVER},
    {"404", SCALEKIT_ERR_NOT_FOUND, 404, true, NEVER, NEVER, NEVER},
    {"409", SCALEKIT_ERR_CONFLICT, 409, true, NEVER, NEVER, NEVER},
    {"418", SCALEKIT_ERR_HTTP, 418, true, NEVER, NEVER, NEVER},
    {"refused sign-in", SCALEKIT_ERR_SIGN_IN, 401, false, NEVER, NEVER, NEVER},
    {"out of memory", SCALEKIT_ERR_NOMEM, 0, false, NEVER, NEVER, NEVER},
    {"queue full", SCALEKIT_ERR_QUEUE_FULL, 0, false, NEVER, NEVER, NEVER},
    {"deadline", SCALEKIT_ERR_DEADLINE, 0, false, NEVER, NEVER, NEVER},
};

static enum ski_verdict judge(const struct verdict_row *row, struct ski_attempt attempt)
{
    struct scalekit_error error;

    ski_error_init(&error);
    error.code = row->code;
    error.http_status = row->status;
    error.sent = row->sent;
    attempt.error = &error;
    return ski_retry_judge(&attempt);
}

static void test_table(void)
{
    for (size_t i = 0; i < COUNT(verdict_rows); i++) {
        const struct verdict_row *row = &verdict_rows[i];
        struct ski_attempt attempt = {.idempotency = SKI_SAFE, .max_retries = 2, .retries = 1};

        ROW_IS(row, judge(row, attempt) == row->safe);
        attempt.idempotency = SKI_IDEMPOTENT;
        ROW_IS(row, judge(row, attempt) == row->idempotent);
        attempt.idempotency = SKI_UNSAFE;
        ROW_IS(row, judge(row, attempt) == row->unsafe);
    }
}

/* Neither after a body that can be read only once, nor after a piece of the answer was told. */
static void test_consumed(void)
{
    for (size_t i = 0; i < COUNT(verdict_rows); i++) {
        struct ski_attempt attempt = {.idempotency = SKI_SAFE, .max_retries = 2, .consumed = true};

        ROW_IS(&verdict_rows[i], judge(&verdict_rows[i], attempt) == NEVER);
    }
}

/* A fresh token is not a retry: it is had once, whatever the number of retries. */
static void test_limits(void)
{
    for (size_t i = 0; i < COUNT(verdict_rows); i++) {
        const struct verdict_row *row = &verdict_rows[i];
        struct ski_attempt attempt = {.max_retries = 2, .retries = 2, .retry_rate_limited = true};

        ROW_IS(row, judge(row, attempt) == (row->safe == FRESH ? FRESH : NEVER));
        attempt.refreshed = true;
        ROW_IS(row, judge(row, attempt) == NEVER);
        attempt.retries = 1;
        if (row->safe == FRESH)
            ROW_IS(row, judge(row, attempt) == NEVER);
    }
}

static void test_rate_limited(void)
{
    const struct verdict_row *row = verdict_rows;
    struct ski_attempt attempt = {.max_retries = 2, .retry_rate_limited = true};

    while (row->code != SCALEKIT_ERR_RATE_LIMITED)
        row++;
    CU_ASSERT_EQUAL(judge(row, attempt), AGAIN);
    attempt.idempotency = SKI_IDEMPOTENT;
    CU_ASSERT_EQUAL(judge(row, attempt), AGAIN);
    attempt.idempotency = SKI_UNSAFE;
    CU_ASSERT_EQUAL(judge(row, attempt), NEVER);
}

/* --- pauses ------------------------------------------------------------------------------------ */

static uint64_t given_random(void *user)
{
    return *(uint64_t *)user;
}

static int64_t no_time(void *user)
{
    (void)user;
    return 0;
}

static void test_pauses(void)
{
    static const struct {
        const char *name;
        int retries;
        int64_t most;
    } rows[] = {{"first", 0, 1000},  {"second", 1, 2000}, {"third", 2, 4000},  {"fourth", 3, 8000},
                {"fifth", 4, 16000}, {"sixth", 5, 30000}, {"tenth", 9, 30000}, {"last", 63, 30000}};
    struct scalekit_error error;
    struct ski_clock clock;
    uint64_t random;
    struct scalekit_clock hooks = {no_time, no_time, given_random, &random};

    ski_clock_init(&clock, &hooks);
    ski_error_init(&error);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t half = rows[i].most / 2;

        random = 0;
        ROW_IS(&rows[i], ski_retry_pause_ms(&clock, rows[i].retries, &error) == half);
        random = (uint64_t)half;
        ROW_IS(&rows[i], ski_retry_pause_ms(&clock, rows[i].retries, &error) == rows[i].most);
        random = (uint64_t)half + 1;
        ROW_IS(&rows[i], ski_retry_pause_ms(&clock, rows[i].retries, &error) == half);
    }
}

static void test_pause_as_asked(void)
{
    struct scalekit_error error;
    struct test_clock test;
    struct ski_clock clock;

    test_clock_init(&test);
    ski_clock_init(&clock, &test.clock);
    ski_error_init(&error);
    error.retry_after_ms = 7000;
    CU_ASSERT_EQUAL(ski_retry_pause_ms(&clock, 0, &error), 7000);
    error.retry_after_ms = 1;
    CU_ASSERT(ski_retry_pause_ms(&clock, 0, &error) >= 500);
    error.retry_after_ms = 86400000;
    CU_ASSERT_EQUAL(ski_retry_pause_ms(&clock, 9, &error), 86400000);
}

/* --- the budget -------------------------------------------------------------------------------- */

static void test_budget(void)
{
    struct scalekit_error answered, silent;
    int budget = SKI_RETRY_BUDGET, retries = 0;

    ski_error_init(&answered);
    ski_error_init(&silent);
    answered.http_status = 503;
    while (ski_retry_spend(&budget, &answered))
        retries++;
    CU_ASSERT_EQUAL(retries, 100);
    CU_ASSERT_EQUAL(budget, 0);
    for (int i = 0; i < 9; i++)
        ski_retry_refund(&budget);
    CU_ASSERT_FALSE(ski_retry_spend(&budget, &silent));
    CU_ASSERT_EQUAL(budget, 9);
    ski_retry_refund(&budget);
    CU_ASSERT(ski_retry_spend(&budget, &silent));
    CU_ASSERT_EQUAL(budget, 0);
    for (int i = 0; i < 2 * SKI_RETRY_BUDGET; i++)
        ski_retry_refund(&budget);
    CU_ASSERT_EQUAL(budget, SKI_RETRY_BUDGET);
}

SUITE(retry, {"judges as the table in the header says", test_table},
      {"sends nothing again that was consumed", test_consumed},
      {"gives up after the allowed retries, and after one fresh token", test_limits},
      {"waits a rate limit out only when asked to, and never an unsafe request", test_rate_limited},
      {"pauses between half and all of a doubling time, at most 30 s", test_pauses},
      {"pauses as long as the server asks", test_pause_as_asked},
      {"stops when the budget is spent, and success refills it", test_budget})
