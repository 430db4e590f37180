#include "bench/crowd.h"
#include "harness.h"

static void consents_as_people_do(void)
{
    struct bench_habits habits = bench_usual_habits(20000);
    struct bench_crowd crowd;
    unsigned early = 0, first_half = 0;

    bench_crowd_init(&crowd, &habits, 1);
    CU_ASSERT_EQUAL(crowd.n, 20000);
    CU_ASSERT(crowd.consents > 13700 && crowd.consents < 14300); /* 70 % */
    for (unsigned i = 0; i < crowd.n; i++) {
        const struct bench_user *user = &crowd.users[i];
        int64_t after = user->consent_ms - user->start_ms;

        CU_ASSERT_FATAL(user->start_ms >= 0 && user->start_ms < habits.arrival_ms);
        CU_ASSERT_FATAL(user->consent_ms == BENCH_NEVER ||
                        (after > 0 && after <= habits.patience_ms));
        early += user->consent_ms != BENCH_NEVER && after <= habits.median_ms;
        first_half += user->start_ms < habits.arrival_ms / 2;
    }
    CU_ASSERT(early > 6700 && early < 7300); /* half of them */
    CU_ASSERT(first_half > 9700 && first_half < 10300);
    bench_crowd_free(&crowd);
}

static void orders_starts_and_consents(void)
{
    struct bench_habits habits = bench_usual_habits(3000);
    struct bench_crowd crowd;
    unsigned consents = 0;

    bench_crowd_init(&crowd, &habits, 2);
    for (unsigned i = 0; i < crowd.n; i++) {
        consents += crowd.users[i].consent_ms != BENCH_NEVER;
        CU_ASSERT(i == 0 || crowd.users[i - 1].start_ms <= crowd.users[i].start_ms);
    }
    CU_ASSERT_EQUAL_FATAL(crowd.consents, consents);
    for (unsigned i = 0; i < consents; i++) {
        int64_t at = crowd.users[crowd.by_consent[i]].consent_ms;

        CU_ASSERT_NOT_EQUAL(at, BENCH_NEVER);
        CU_ASSERT(i == 0 || crowd.users[crowd.by_consent[i - 1]].consent_ms <= at);
    }
    bench_crowd_free(&crowd);
}

static void knows_extremes(void)
{
    static const struct {
        unsigned users;
        int never_percent;
        int64_t patience_ms;
        unsigned consents;
    } cases[] = {
        {1, 0, INT32_MAX, 1}, {100, 0, INT32_MAX, 100}, {100, 100, 600000, 0}, {100, 0, 0, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench_habits habits = bench_usual_habits(cases[i].users);
        struct bench_crowd crowd;

        habits.never_percent = cases[i].never_percent;
        habits.patience_ms = cases[i].patience_ms;
        bench_crowd_init(&crowd, &habits, 3);
        CU_ASSERT_EQUAL(crowd.consents, cases[i].consents);
        bench_crowd_free(&crowd);
    }
}

static bool same(const struct bench_crowd *a, const struct bench_crowd *b)
{
    for (unsigned i = 0; i < a->n; i++)
        if (a->users[i].start_ms != b->users[i].start_ms ||
            a->users[i].consent_ms != b->users[i].consent_ms)
            return false;
    return a->consents == b->consents;
}

static void is_the_same_for_a_seed(void)
{
    struct bench_habits habits = bench_usual_habits(500);
    struct bench_crowd one, again, other;

    bench_crowd_init(&one, &habits, 4);
    bench_crowd_init(&again, &habits, 4);
    bench_crowd_init(&other, &habits, 5);
    CU_ASSERT(same(&one, &again));
    CU_ASSERT_FALSE(same(&one, &other));
    bench_crowd_free(&one);
    bench_crowd_free(&again);
    bench_crowd_free(&other);
}

SUITE(bench_crowd, {"consents as people do", consents_as_people_do},
      {"orders starts and consents", orders_starts_and_consents},
      {"all consent, or none", knows_extremes},
      {"the same seed, the same crowd", is_the_same_for_a_seed})
