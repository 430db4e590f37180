#include "bench/waiter.h"
#include "harness.h"

/* A crowd of one, who starts at 1 s. */
static struct bench_figures run_for(const struct bench_waiter *waiter, int64_t consent_ms)
{
    struct bench_user user = {1000, consent_ms == BENCH_NEVER ? BENCH_NEVER : 1000 + consent_ms};
    struct bench_crowd crowd = {.habits = bench_usual_habits(1), .users = &user, .n = 1};

    return bench_waiter_run(waiter, &crowd, 1);
}

static void asks_at_its_intervals(void)
{
    static const struct {
        const char *name;
        struct bench_waiter waiter;
        int64_t consent_ms;
        uint64_t requests;
        int64_t delay_ms; /* -1: missed or never */
    } cases[] = {
        {"between two requests", {.first_ms = 5000, .interval_ms = 5000}, 7000, 2, 3000},
        {"at the moment of one", {.first_ms = 5000, .interval_ms = 5000}, 10000, 2, 0},
        {"the first comes at once", {.interval_ms = 1000}, 1, 2, 999},
        {"never", {.first_ms = 5000, .interval_ms = 5000}, BENCH_NEVER, 120, -1},
        {"after its deadline", {.interval_ms = 1000, .deadline_ms = 60000}, 60001, 61, -1},
        {"after its tries", {.first_ms = 10000, .interval_ms = 2000, .tries = 30}, 68001, 30, -1},
        {"with its last try", {.first_ms = 10000, .interval_ms = 2000, .tries = 30}, 68000, 30, 0},
        {"in the last moment of everybody",
         {.first_ms = 3000, .interval_ms = 3000},
         600000,
         200,
         0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench_figures figures = run_for(&cases[i].waiter, cases[i].consent_ms);
        double delay_s = cases[i].delay_ms < 0 ? 0 : (double)cases[i].delay_ms / 1000;
        bool missed = cases[i].delay_ms < 0 && cases[i].consent_ms != BENCH_NEVER;

        CU_ASSERT_EQUAL(figures.requests, cases[i].requests);
        CU_ASSERT_DOUBLE_EQUAL(figures.mean_s, delay_s, 1e-9);
        CU_ASSERT_EQUAL(figures.missed, missed);
        if (figures.requests != cases[i].requests || figures.missed != missed)
            fprintf(stderr, "%s: %llu\n", cases[i].name, (unsigned long long)figures.requests);
    }
}

static void growing_pauses_never_lose_the_last_look(void)
{
    const struct bench_waiter waiter = {.interval_ms = 2000, .most_ms = 120000};
    struct bench_figures never = run_for(&waiter, BENCH_NEVER);

    for (int64_t consent = 1; consent <= 600000; consent += 7919) {
        struct bench_figures figures = run_for(&waiter, consent);

        CU_ASSERT_EQUAL(figures.missed, 0);
        CU_ASSERT(figures.mean_s <= 122);
        CU_ASSERT(figures.requests <= never.requests);
    }
    CU_ASSERT_EQUAL(run_for(&waiter, 600000).missed, 0);
    CU_ASSERT(never.requests >= 600 / 122 && never.requests < 40);
}

/* Another simulation with the same parameters and other dice gave these figures. */
static void agrees_with_another_simulation(void)
{
    static const struct {
        const char *name;
        double requests, busiest_minute, mean_s, missed;
    } cases[] = {
        {"Composio, 60 s", 240358, 25840, 0.5, 1280},
        {"Composio, 600 s", 1134256, 108953, 0.5, 0},
        {"Nango, 10 s, 2 s, 30 tries", 111624, 12007, 1.2, 1138},
        {"RFC 8628, every 5 s", 232245, 22241, 2.5, 0},
        {"Smithy, 2 to 120 s", 48877, 4666, 24.7, 0},
        {"Smithy, 2 to 30 s", 92230, 8754, 9.4, 0},
    };
    struct bench_habits habits = bench_usual_habits(5000);
    struct bench_crowd crowd;
    size_t found = 0;

    bench_crowd_init(&crowd, &habits, 1);
    for (size_t i = 0; i < bench_n_waiters; i++)
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++)
            if (strcmp(bench_waiters[i].name, cases[j].name) == 0) {
                struct bench_figures figures = bench_waiter_run(&bench_waiters[i], &crowd, 1);

                CU_ASSERT_DOUBLE_EQUAL(figures.requests, cases[j].requests,
                                       cases[j].requests * 0.05);
                CU_ASSERT_DOUBLE_EQUAL(figures.busiest_minute, cases[j].busiest_minute,
                                       cases[j].busiest_minute * 0.05);
                CU_ASSERT_DOUBLE_EQUAL(figures.mean_s, cases[j].mean_s,
                                       0.1 + cases[j].mean_s * 0.05);
                CU_ASSERT_DOUBLE_EQUAL(figures.missed, cases[j].missed, cases[j].missed * 0.08);
                found++;
            }
    CU_ASSERT_EQUAL(found, sizeof cases / sizeof *cases);
    bench_crowd_free(&crowd);
}

static void a_queue_takes_turns(void)
{
    struct bench_user users[] = {{0, 5000}, {0, BENCH_NEVER}, {1500, 2500}};
    struct bench_crowd crowd = {.habits = bench_usual_habits(3), .users = users, .n = 3};
    struct bench_figures figures;

    /* One a second: 0 1 0 1 2 0, and then 1 until all patience is over. */
    crowd.habits.patience_ms = 10000;
    figures = bench_queue_run(60, &crowd);
    CU_ASSERT_EQUAL(figures.missed, 0);
    CU_ASSERT_EQUAL(figures.requests, 11);
    CU_ASSERT_DOUBLE_EQUAL(figures.mean_s, (0.0 + 1.5) / 2, 1e-9);
}

/* Another simulation, with another order, gave 11,914 requests and 142 s. */
static void a_queue_keeps_its_ceiling_and_is_late(void)
{
    struct bench_habits habits = bench_usual_habits(5000);
    struct bench_figures figures;
    struct bench_crowd crowd;

    bench_crowd_init(&crowd, &habits, 1);
    figures = bench_queue_run(600, &crowd);
    CU_ASSERT_EQUAL(figures.busiest_minute, 600);
    CU_ASSERT_EQUAL(figures.missed, 0);
    CU_ASSERT(figures.requests < 12600);
    CU_ASSERT(figures.mean_s > 90 && figures.mean_s < 150);
    bench_crowd_free(&crowd);
}

SUITE(bench_waiter, {"asks at its intervals, to its end", asks_at_its_intervals},
      {"growing pauses never lose the last look", growing_pauses_never_lose_the_last_look},
      {"agrees with another simulation", agrees_with_another_simulation},
      {"a queue takes turns", a_queue_takes_turns},
      {"a queue keeps its ceiling, and is late", a_queue_keeps_its_ceiling_and_is_late})
