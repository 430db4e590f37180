#include "bench/scenario.h"
#include "harness.h"

static struct bench_scenario_result run(unsigned users, bool feed, uint64_t seed,
                                        unsigned *consents)
{
    const struct bench_scenario_config config = {
        .users = users,
        .connections = 2,
        .accounts = users,
        .ceiling = 300,
        .feed = feed,
        .latency_ms = 50,
        .seed = seed,
    };
    struct bench_habits habits = bench_usual_habits(users);
    struct bench_scenario_result result;
    struct bench_crowd crowd;

    bench_crowd_init(&crowd, &habits, seed);
    *consents = crowd.consents;
    bench_scenario_run(&config, &crowd, &result);
    bench_crowd_free(&crowd);
    return result;
}

static void tells_every_consent_once(void)
{
    for (unsigned users = 1; users <= 300; users += 299)
        for (int feed = 0; feed < 2; feed++) {
            unsigned consents;
            struct bench_scenario_result result = run(users, feed, 1, &consents);
            uint64_t requests = 0;

            CU_ASSERT_EQUAL(result.faults, 0);
            CU_ASSERT_STRING_EQUAL(result.fault, "");
            CU_ASSERT_EQUAL(result.figures.missed, 0);
            CU_ASSERT(result.figures.busiest_minute <= result.figures.requests);
            CU_ASSERT(result.figures.mean_s > 0 || !consents);
            CU_ASSERT(result.figures.mean_s <= result.figures.p95_s || users == 1);
            for (unsigned kind = 0; kind < BENCH_REQUEST_KINDS; kind++)
                requests += result.counts[kind];
            CU_ASSERT_EQUAL(result.figures.requests, requests);
            CU_ASSERT_EQUAL(result.counts[BENCH_SIGN_INS], 1);
        }
}

static void is_the_same_for_a_seed(void)
{
    unsigned consents;
    struct bench_scenario_result one = run(200, true, 1, &consents);
    struct bench_scenario_result again = run(200, true, 1, &consents);
    struct bench_scenario_result other = run(200, true, 2, &consents);

    CU_ASSERT_EQUAL(one.figures.requests, again.figures.requests);
    CU_ASSERT_EQUAL(one.figures.busiest_minute, again.figures.busiest_minute);
    CU_ASSERT_DOUBLE_EQUAL(one.figures.mean_s, again.figures.mean_s, 0);
    CU_ASSERT_DOUBLE_EQUAL(one.figures.p95_s, again.figures.p95_s, 0);
    CU_ASSERT(one.figures.mean_s != other.figures.mean_s);
}

/* The consent of the second user never reaches the environment, and is one more than there should
 * be. */
static void notices_a_consent_that_nobody_was_told_of(void)
{
    struct bench_user users[] = {{0, 1000}, {0, 500000}};
    unsigned order[] = {0};
    const struct bench_crowd crowd = {.habits = bench_usual_habits(2),
                                      .users = users,
                                      .n = 2,
                                      .consents = 1,
                                      .by_consent = order};
    const struct bench_scenario_config config = {
        .users = 2, .connections = 1, .accounts = 2, .ceiling = 300, .latency_ms = 50, .seed = 1};
    struct bench_scenario_result result;

    bench_scenario_run(&config, &crowd, &result);
    CU_ASSERT_EQUAL(result.figures.missed, 1);
    CU_ASSERT_EQUAL(result.faults, 1);
    CU_ASSERT_STRING_EQUAL(result.fault, "of 1 consents, 1 were told and 1 were not");
}

SUITE(bench_scenario, {"tells every consent once, and no other", tells_every_consent_once},
      {"the same seed, the same run", is_the_same_for_a_seed},
      {"notices a consent that nobody was told of", notices_a_consent_that_nobody_was_told_of})
