/* The arithmetic of the rate, in virtual time. */
#include "core/rate.h"
#include "harness.h"
#include <math.h>

static void test_open(void)
{
    struct ski_rate rate;

    ski_rate_init(&rate, 0);
    CU_ASSERT_FALSE(ski_rate_is_limited(&rate, 0));
    CU_ASSERT(isinf(ski_rate_per_second(&rate, 0)));
    for (int i = 0; i < 100000; i++) {
        CU_ASSERT_EQUAL_FATAL(ski_rate_next_ms(&rate, 7), 7);
        ski_rate_take(&rate, 7);
    }
    CU_ASSERT_FALSE(ski_rate_is_limited(&rate, 7));
}

/* Sends as soon as it may until `end_ms`; gives how many it sent. */
static unsigned saturate(struct ski_rate *rate, int64_t *now_ms, int64_t end_ms)
{
    unsigned sent = 0;

    while (*now_ms < end_ms) {
        int64_t next = ski_rate_next_ms(rate, *now_ms);

        if (next > *now_ms) {
            *now_ms = next < end_ms ? next : end_ms;
            continue;
        }
        ski_rate_take(rate, *now_ms);
        sent++;
    }
    return sent;
}

/* The first minute spends the bucket early; from then on all that is allowed goes, evenly. */
static const struct ceiling_row {
    unsigned ceiling, at_once, least; /* at_once: of a full bucket; least: in each later minute */
} ceiling_rows[] = {
    {1, 1, 0}, {6, 1, 5}, {60, 2, 58}, {300, 10, 296}, {600, 20, 594}, {6000, 200, 5940},
};

static void test_ceiling(void)
{
    for (size_t i = 0; i < sizeof ceiling_rows / sizeof *ceiling_rows; i++) {
        const struct ceiling_row *row = &ceiling_rows[i];
        struct ski_rate rate;
        int64_t now = 5000, end = now + 1;

        ski_rate_init(&rate, row->ceiling);
        CU_ASSERT(ski_rate_is_limited(&rate, now));
        CU_ASSERT_EQUAL(saturate(&rate, &now, end), row->at_once);
        end += 60000;
        CU_ASSERT(saturate(&rate, &now, end) + row->at_once <= row->ceiling);
        for (int minute = 0; minute < 10; minute++) {
            unsigned sent;

            end += 60000;
            sent = saturate(&rate, &now, end);
            CU_ASSERT(sent <= row->ceiling);
            CU_ASSERT(sent >= row->least);
        }
    }
}

/* The first to go again when the last minute allows it: alone, not with all that the bucket would have
 * got since then. */
static void test_nothing_saved_up(void)
{
    struct ski_rate rate;
    int64_t now = 0;
    unsigned sent;

    ski_rate_init(&rate, 300);
    sent = saturate(&rate, &now, 57000);
    CU_ASSERT(sent < 300);
    sent += saturate(&rate, &now, 60251);
    CU_ASSERT_EQUAL(sent, 301);
}

static void test_idle_refills_two_seconds(void)
{
    struct ski_rate rate;
    int64_t now = 0;

    ski_rate_init(&rate, 600);
    saturate(&rate, &now, 10000);
    now = 3600000;
    CU_ASSERT_EQUAL(saturate(&rate, &now, now + 1), 20);
}

/* --- learning ---------------------------------------------------------------------------------- */

#define NEAR(a, b) CU_ASSERT_DOUBLE_EQUAL(a, b, 0.01)

/* A rate at which so many requests a second were measured. */
static int64_t measured(struct ski_rate *rate, unsigned ceiling, unsigned per_second)
{
    uint64_t total = 0;
    int64_t now = 0;

    ski_rate_init(rate, ceiling);
    for (; now <= 20000; now += 500) {
        ski_rate_measure(rate, total, now);
        total += per_second / 2;
    }
    return now - 500;
}

static void test_cut_and_grows_along_the_curve(void)
{
    struct ski_rate rate;
    int64_t now = measured(&rate, 0, 100);
    double k = cbrt(6000 * 0.3 / 0.4);

    NEAR(rate.measured, 100);
    ski_rate_lower(&rate, rate.measured_total, now);
    CU_ASSERT(ski_rate_is_limited(&rate, now));
    NEAR(ski_rate_per_second(&rate, now), 70);
    NEAR(ski_rate_per_second(&rate, now + 1000), (0.4 * pow(1 - k, 3) + 6000) / 60);
    NEAR(ski_rate_per_second(&rate, now + (int64_t)(k * 1000)), 100);
    NEAR(ski_rate_per_second(&rate, now + 25000), (0.4 * pow(25 - k, 3) + 6000) / 60);
    NEAR(ski_rate_per_second(&rate, now + 60000), 200); /* twice what was measured */
}

static void test_floor(void)
{
    struct ski_rate rate;
    int64_t now = measured(&rate, 0, 100);

    for (int i = 0; i < 100; i++)
        ski_rate_lower(&rate, rate.measured_total, now);
    NEAR(ski_rate_per_second(&rate, now), SKI_RATE_FLOOR);
    CU_ASSERT_EQUAL(ski_rate_next_ms(&rate, now), now + 2000);
}

/* Somebody else has used up the limit: our own few requests say nothing of what is possible. */
static void test_little_demand_proves_nothing(void)
{
    struct ski_rate rate;
    int64_t now = measured(&rate, 0, 0);

    ski_rate_lower(&rate, 1, now);
    NEAR(ski_rate_per_second(&rate, now), 7);
    NEAR(ski_rate_per_second(&rate, now + 60000), SKI_RATE_START);
}

/* The first 429 may come before half a second has been measured. */
static void test_burst_is_measured_at_once(void)
{
    struct ski_rate rate;

    ski_rate_init(&rate, 0);
    ski_rate_measure(&rate, 0, 0);
    ski_rate_lower(&rate, 400, 100);
    NEAR(ski_rate_per_second(&rate, 100), 0.7 * 800);
}

static void test_429_below_a_ceiling(void)
{
    struct ski_rate rate;
    int64_t now = measured(&rate, 1200, 20);

    ski_rate_lower(&rate, rate.measured_total, now);
    NEAR(ski_rate_per_second(&rate, now), 14);
    NEAR(ski_rate_per_second(&rate, now + 60000), 20);
}

static void test_forgets(void)
{
    struct ski_rate rate;
    int64_t now = measured(&rate, 0, 100);

    ski_rate_lower(&rate, rate.measured_total, now);
    CU_ASSERT(ski_rate_is_limited(&rate, now + SKI_RATE_FORGET_MS - 1));
    CU_ASSERT_FALSE(ski_rate_is_limited(&rate, now + SKI_RATE_FORGET_MS));
    CU_ASSERT_EQUAL(ski_rate_next_ms(&rate, now + SKI_RATE_FORGET_MS), now + SKI_RATE_FORGET_MS);
}

/* --- a service with a limit -------------------------------------------------------------------- */

#define DELAY_MS 100 /* from a request to its answer */

/* It fills a bucket, or counts the minutes of its clock. */
struct limiter {
    double per_second, tokens;
    bool by_minute;
    int64_t minute;
    unsigned in_minute;
};

static bool admits(struct limiter *limiter, int64_t now_ms)
{
    if (!limiter->by_minute) {
        bool admitted = limiter->tokens >= 1;

        limiter->tokens -= admitted;
        return admitted;
    }
    if (now_ms / 60000 != limiter->minute)
        limiter->in_minute = 0;
    limiter->minute = now_ms / 60000;
    return ++limiter->in_minute <= 60 * limiter->per_second;
}

struct tally {
    unsigned admitted, refused;
};

/* Ten minutes of demand without end; what became of it after the first. */
static struct tally meet(struct limiter *limiter)
{
    static struct {
        int64_t arrives_ms;
        unsigned epoch;
    } sent[100000];
    size_t head = 0, tail = 0;
    struct tally tally = {0, 0};
    unsigned epoch = 0;
    struct ski_rate rate;

    ski_rate_init(&rate, 0);
    for (int64_t now = 0; now < 600000; now++) {
        limiter->tokens =
            fmin(limiter->tokens + limiter->per_second / 1000, 2 * limiter->per_second);
        for (; head < tail && sent[head].arrives_ms <= now; head++) {
            bool admitted = admits(limiter, now);

            tally.admitted += admitted && now >= 60000;
            tally.refused += !admitted && now >= 60000;
            if (!admitted && sent[head].epoch == epoch) {
                ski_rate_lower(&rate, tail, now);
                epoch++;
            }
        }
        ski_rate_measure(&rate, tail, now);
        /* At most what a client may have in flight. */
        while (tail - head < 256 && ski_rate_next_ms(&rate, now) <= now) {
            CU_ASSERT_FATAL(tail < sizeof sent / sizeof *sent);
            ski_rate_take(&rate, now);
            sent[tail].arrives_ms = now + DELAY_MS;
            sent[tail++].epoch = epoch;
        }
    }
    return tally;
}

static const struct limit_row {
    struct limiter limiter;
    double refused; /* at most, of those admitted */
} limit_rows[] = {
    {{.per_second = 1}, 0.30},
    {{.per_second = 5}, 0.05},
    {{.per_second = 50}, 0.01},
    {{.per_second = 5, .by_minute = true}, 0.20},
    {{.per_second = 50, .by_minute = true}, 0.05},
};

static void test_unknown_limit(void)
{
    for (size_t i = 0; i < sizeof limit_rows / sizeof *limit_rows; i++) {
        struct limiter limiter = limit_rows[i].limiter;
        struct tally tally = meet(&limiter);

        CU_ASSERT(tally.admitted >= 0.98 * 540 * limiter.per_second);
        CU_ASSERT(tally.refused <= limit_rows[i].refused * tally.admitted);
    }
}

/* --- parking ----------------------------------------------------------------------------------- */

static void test_parked(void)
{
    struct ski_rate rate;

    ski_rate_init(&rate, 0);
    CU_ASSERT(ski_rate_park(&rate, 5000, 100));
    CU_ASSERT_FALSE(ski_rate_park(&rate, 1000, 200)); /* never shorter */
    CU_ASSERT(ski_rate_is_limited(&rate, 5099));
    CU_ASSERT_EQUAL(ski_rate_next_ms(&rate, 200), 5100);
    CU_ASSERT_EQUAL(ski_rate_next_ms(&rate, 5100), 5100);
    CU_ASSERT_FALSE(ski_rate_is_limited(&rate, 5100));
    ski_rate_park(&rate, INT64_C(86400000), 6000);
    CU_ASSERT_EQUAL(ski_rate_next_ms(&rate, 6000), 6000 + SKI_RATE_MAX_PARK_MS);
}

/* Threads may read the clock in one order and get the mutex in the other. */
static void test_time_that_goes_back(void)
{
    struct ski_rate rate;
    int64_t now = -5000;

    ski_rate_init(&rate, 60);
    saturate(&rate, &now, 30000);
    saturate(&rate, &now, 30001);
    CU_ASSERT(ski_rate_next_ms(&rate, 29000) > 30000);
    CU_ASSERT(ski_rate_next_ms(&rate, 29000) <= 31000);
    CU_ASSERT_EQUAL(ski_rate_next_ms(&rate, 31000), 31000);
}

SUITE(rate, {"without a ceiling or a 429 nothing is held back", test_open},
      {"a ceiling is kept in every minute, and nearly used up", test_ceiling},
      {"what the last minute forbade is not saved up", test_nothing_saved_up},
      {"idle time brings two seconds' worth, no more", test_idle_refills_two_seconds},
      {"a 429 cuts to 0.7, and cubic growth follows", test_cut_and_grows_along_the_curve},
      {"half a request per second always goes", test_floor},
      {"little demand proves nothing", test_little_demand_proves_nothing},
      {"a burst is measured before its half second is over", test_burst_is_measured_at_once},
      {"a 429 lowers the rate below the ceiling", test_429_below_a_ceiling},
      {"five minutes without a 429 and it is forgotten", test_forgets},
      {"a limit that nobody told is found and used, and seldom met", test_unknown_limit},
      {"a park is kept, never shortened, five minutes at most", test_parked},
      {"time that goes back counts as standing still", test_time_that_goes_back})
