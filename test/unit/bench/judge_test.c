#include "bench/judge.h"
#include "harness.h"

#define PATIENCE_MS 600000

static const struct bench_user consents = {1000, 46000}, never = {1000, BENCH_NEVER};

#define SETTLED                                                                                    \
    {                                                                                              \
        .kind = SCALEKIT_WATCH_SETTLED, .final = true, .status = SCALEKIT_ACCOUNT_ACTIVE           \
    }
#define FINAL(what)                                                                                \
    {                                                                                              \
        .kind = SCALEKIT_WATCH_##what, .final = true                                               \
    }
#define ON_THE_WAY(what)                                                                           \
    {                                                                                              \
        .kind = SCALEKIT_WATCH_##what                                                              \
    }

static const struct {
    const char *name;
    const struct bench_user *user;
    bool ended;
    struct scalekit_watch_event event;
    int64_t now_ms;
    enum bench_verdict verdict;
} cases[] = {
    {"told", &consents, false, SETTLED, 47000, BENCH_TOLD},
    {"told at the same moment", &consents, false, SETTLED, 46000, BENCH_TOLD},
    {"told at the last look", &consents, false, SETTLED, 601050, BENCH_TOLD},
    {"told that it was active already",
     &consents,
     false,
     {.kind = SCALEKIT_WATCH_ALREADY_ACTIVE, .final = true, .status = SCALEKIT_ACCOUNT_ACTIVE},
     47000,
     BENCH_TOLD},
    {"active already before the consent",
     &consents,
     false,
     {.kind = SCALEKIT_WATCH_ALREADY_ACTIVE, .final = true, .status = SCALEKIT_ACCOUNT_ACTIVE},
     45999,
     BENCH_FALSE},
    {"told too early", &consents, false, SETTLED, 45999, BENCH_FALSE},
    {"told of what never happened", &never, false, SETTLED, 47000, BENCH_FALSE},
    {"told twice", &consents, true, SETTLED, 48000, BENCH_FALSE},
    {"a deadline after the end", &consents, true, FINAL(DEADLINE), 601000, BENCH_FALSE},
    {"progress after the end", &never, true, ON_THE_WAY(UNKNOWN_STATUS), 47000, BENCH_FALSE},
    {"told, but not of the consent",
     &consents,
     false,
     {.kind = SCALEKIT_WATCH_SETTLED, .final = true, .status = SCALEKIT_ACCOUNT_EXPIRED},
     47000,
     BENCH_FALSE},
    {"progress", &never, false, ON_THE_WAY(PENDING_VERIFICATION), 2000, BENCH_ON_THE_WAY},
    {"another status", &never, false, ON_THE_WAY(CHANGED), 2000, BENCH_ON_THE_WAY},
    {"progress that says it is final", &never, false, FINAL(PENDING_VERIFICATION), 2000,
     BENCH_FALSE},
    {"an end that says it is none", &consents, false, ON_THE_WAY(SETTLED), 47000, BENCH_FALSE},
    {"missed", &consents, false, FINAL(DEADLINE), 601000, BENCH_MISSED},
    {"waited", &never, false, FINAL(DEADLINE), 601000, BENCH_WAITED},
    {"gave up early", &never, false, FINAL(DEADLINE), 600999, BENCH_FALSE},
    {"deleted", &never, false, FINAL(DELETED), 601000, BENCH_FALSE},
    {"a link that had no end", &never, false, FINAL(LINK_EXPIRED), 601000, BENCH_FALSE},
    {"refused", &consents, false, FINAL(REFUSED), 47000, BENCH_FALSE},
    {"stopped", &never, false, FINAL(STOPPED), 601000, BENCH_FALSE},
};

static void knows_truth_from_falsehood(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why;
        enum bench_verdict verdict = bench_judge(cases[i].user, PATIENCE_MS, cases[i].ended,
                                                 &cases[i].event, cases[i].now_ms, &why);

        CU_ASSERT_EQUAL(verdict, cases[i].verdict);
        CU_ASSERT_EQUAL(why != NULL, cases[i].verdict == BENCH_FALSE);
        if (verdict != cases[i].verdict)
            fprintf(stderr, "%s\n", cases[i].name);
    }
}

SUITE(bench_judge, {"knows truth from falsehood", knows_truth_from_falsehood})
