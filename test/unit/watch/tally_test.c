/* Percentiles of lags, and requests a minute, from counters alone. */
#include "harness.h"
#include "unit/core/fixture.h"
#include "watch/tally.h"

static void test_single_lags(void)
{
    static const struct {
        int64_t lag, told;
    } rows[] = {
        {INT64_MIN, 1},
        {-1, 1},
        {0, 1},
        {1, 1},
        {2, 2},
        {3, 3},
        {4, 4},
        {5, 5},
        {6, 6},
        {7, 7},
        {8, 9},
        {9, 9},
        {10, 11},
        {16, 19},
        {20, 23},
        {1000, 1023},
        {1024, 1279},
        {INT64_C(1) << 29, (INT64_C(5) << 27) - 1},
        {(INT64_C(1) << 30) - 1, (INT64_C(1) << 30) - 1},
        {INT64_C(1) << 30, (INT64_C(1) << 30) - 1}, /* longer ones are counted as that */
        {INT64_MAX, (INT64_C(1) << 30) - 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ski_tally tally = {0};

        ski_tally_lag(&tally, rows[i].lag);
        CU_ASSERT_EQUAL(ski_tally_percentile(&tally, 1), rows[i].told);
        CU_ASSERT_EQUAL(ski_tally_percentile(&tally, 100), rows[i].told);
        CU_ASSERT_EQUAL(ski_tally_lags(&tally), 1);
    }
}

/* Never too short, and at most a quarter too long. */
static void test_error(void)
{
    for (int64_t lag = 1; lag < INT64_C(1) << 30; lag += 1 + lag / 97) {
        struct ski_tally tally = {0};
        int64_t told;

        ski_tally_lag(&tally, lag);
        told = ski_tally_percentile(&tally, 50);
        CU_ASSERT_FATAL(told >= lag && told <= lag + lag / 4);
    }
}

static void test_percentiles(void)
{
    static const struct {
        const char *name;
        unsigned short_ones, long_ones; /* of 2 ms and of 7 ms */
        int64_t p50, p95, p99;
    } rows[] = {
        {"none", 0, 0, 0, 0, 0},        {"one", 1, 0, 2, 2, 2},
        {"two", 1, 1, 2, 7, 7},         {"half and half", 50, 50, 2, 7, 7},
        {"a few long", 95, 5, 2, 2, 7}, {"one in a hundred", 99, 1, 2, 2, 2},
        {"most long", 10, 90, 7, 7, 7}, {"two in a hundred", 98, 2, 2, 2, 7},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ski_tally tally = {0};

        for (unsigned n = 0; n < rows[i].long_ones; n++)
            ski_tally_lag(&tally, 7);
        for (unsigned n = 0; n < rows[i].short_ones; n++)
            ski_tally_lag(&tally, 2);
        ROW_IS(rows[i].name, ski_tally_percentile(&tally, 50) == rows[i].p50);
        ROW_IS(rows[i].name, ski_tally_percentile(&tally, 95) == rows[i].p95);
        ROW_IS(rows[i].name, ski_tally_percentile(&tally, 99) == rows[i].p99);
    }
}

static void test_full_bucket(void)
{
    struct ski_tally tally = {.lags = {[0] = UINT32_MAX, [SKI_LAG_BUCKETS - 1] = UINT32_MAX}};

    ski_tally_lag(&tally, 1);
    CU_ASSERT_EQUAL(ski_tally_lags(&tally), UINT64_C(2) * UINT32_MAX);
    CU_ASSERT_EQUAL(ski_tally_percentile(&tally, 50), 1);
    CU_ASSERT_EQUAL(ski_tally_percentile(&tally, 51), (INT64_C(1) << 30) - 1);
}

/* Asked every 20 seconds, of one class that sends steadily, and another that stops. */
static void test_rates(void)
{
    static const struct {
        int64_t at_s;
        uint64_t steady, other;
        double per_minute, other_per_minute;
    } rows[] = {
        {1, 100, 500, 0, 0},    {1, 100, 500, 0, 0},    {21, 120, 520, 60, 60},
        {61, 160, 560, 60, 60}, {81, 180, 560, 60, 45}, {101, 200, 560, 60, 36},
        {121, 220, 560, 60, 0}, {801, 900, 560, 60, 0}, {802, 901, 560, 60, 0},
    };
    struct ski_tally tally = {0};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t sent[SCALEKIT_CLASSES] = {
            [SCALEKIT_CLASS_WATCH] = rows[i].steady, [SCALEKIT_CLASS_TOOL] = rows[i].other};
        double per_minute[SCALEKIT_CLASSES];
        char name[16];

        snprintf(name, sizeof name, "%d s", (int)rows[i].at_s);
        ski_tally_rates(&tally, rows[i].at_s * 1000, sent, per_minute);
        ROW_IS(name, per_minute[SCALEKIT_CLASS_WATCH] > rows[i].per_minute - 0.001);
        ROW_IS(name, per_minute[SCALEKIT_CLASS_WATCH] < rows[i].per_minute + 0.001);
        ROW_IS(name, per_minute[SCALEKIT_CLASS_TOOL] > rows[i].other_per_minute - 0.001);
        ROW_IS(name, per_minute[SCALEKIT_CLASS_TOOL] < rows[i].other_per_minute + 0.001);
    }
}

SUITE(tally, {"a lag is told exactly, or a little longer", test_single_lags},
      {"no lag is told too short, or more than a quarter too long", test_error},
      {"percentiles are those of all lags", test_percentiles},
      {"a counter that is full stays so", test_full_bucket},
      {"requests a minute are those of the last one or two", test_rates})
