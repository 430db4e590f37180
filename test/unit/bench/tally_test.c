#include "bench/tally.h"
#include "harness.h"

static void finds_the_busiest_minute(void)
{
    static const struct {
        const char *name;
        int64_t at_ms[8]; /* -1 ends it */
        uint64_t busiest;
    } cases[] = {
        {"nothing", {-1}, 0},
        {"one", {5, -1}, 1},
        {"one far away", {3000000, -1}, 1},
        {"at the same moment", {7, 7, 7, -1}, 3},
        {"just within a minute", {0, 59999, -1}, 2},
        {"just not", {0, 60000, -1}, 1},
        {"over the edge of two minutes", {50000, 59999, 60000, 109999, -1}, 4},
        {"in any order", {120000, 0, 130000, 10, 125000, -1}, 3},
        {"the last one counts", {0, 100000, 200000, 200001, -1}, 2},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench_figures figures;
        struct bench_tally tally;
        uint64_t n = 0;

        bench_tally_init(&tally);
        while (cases[i].at_ms[n] >= 0)
            bench_tally_request(&tally, cases[i].at_ms[n++]);
        figures = bench_tally_figures(&tally);
        CU_ASSERT_EQUAL(figures.requests, n);
        CU_ASSERT_EQUAL(figures.busiest_minute, cases[i].busiest);
        if (figures.busiest_minute != cases[i].busiest)
            fprintf(stderr, "%s\n", cases[i].name);
        bench_tally_free(&tally);
    }
}

/* Delays of 1 to n seconds, from the longest to the shortest. */
static void finds_mean_and_percentile(void)
{
    static const struct {
        int n;
        double mean_s, p95_s;
    } cases[] = {{0, 0, 0}, {1, 1, 1}, {2, 1.5, 2}, {20, 10.5, 19}, {100, 50.5, 95}, {101, 51, 96}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench_figures figures;
        struct bench_tally tally;

        bench_tally_init(&tally);
        for (int n = cases[i].n; n > 0; n--)
            bench_tally_delay(&tally, n * 1000);
        tally.missed = 3;
        figures = bench_tally_figures(&tally);
        CU_ASSERT_DOUBLE_EQUAL(figures.mean_s, cases[i].mean_s, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(figures.p95_s, cases[i].p95_s, 1e-9);
        CU_ASSERT_EQUAL(figures.missed, 3);
        bench_tally_free(&tally);
    }
}

SUITE(bench_tally, {"finds the busiest minute, wherever it begins", finds_the_busiest_minute},
      {"finds the mean and the percentile", finds_mean_and_percentile})
