#include "crowd.h"
#include <math.h>
#include <stdlib.h>

struct bench_habits bench_usual_habits(unsigned users)
{
    return (struct bench_habits){
        .users = users,
        .arrival_ms = 600000,
        .median_ms = 45000,
        .sigma = 0.9,
        .never_percent = 30,
        .patience_ms = 600000,
    };
}

static int compare_starts(const void *a, const void *b)
{
    int64_t x = ((const struct bench_user *)a)->start_ms;
    int64_t y = ((const struct bench_user *)b)->start_ms;

    return (x > y) - (x < y);
}

struct consent {
    int64_t at_ms;
    unsigned user;
};

/* Of two at the same moment, the earlier user first: any order would do, but always the same. */
static int compare_consents(const void *a, const void *b)
{
    const struct consent *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms > y->at_ms ? 1 : -1;
    return (x->user > y->user) - (x->user < y->user);
}

static int64_t throw_consent(struct bench_dice *dice, const struct bench_habits *habits)
{
    bool never = bench_throw_unit(dice) * 100 < habits->never_percent;
    double after = (double)habits->median_ms * exp(habits->sigma * bench_throw_normal(dice));

    /* In whole milliseconds, and not at once. */
    return never || after >= (double)habits->patience_ms ? BENCH_NEVER : 1 + (int64_t)after;
}

static void order_consents(struct bench_crowd *crowd)
{
    struct consent *consents = bench_zalloc(crowd->n, sizeof *consents);

    for (unsigned i = 0; i < crowd->n; i++)
        if (crowd->users[i].consent_ms != BENCH_NEVER)
            consents[crowd->consents++] = (struct consent){crowd->users[i].consent_ms, i};
    qsort(consents, crowd->consents, sizeof *consents, compare_consents);
    crowd->by_consent = bench_zalloc(crowd->consents, sizeof *crowd->by_consent);
    for (unsigned i = 0; i < crowd->consents; i++)
        crowd->by_consent[i] = consents[i].user;
    free(consents);
}

void bench_crowd_init(struct bench_crowd *crowd, const struct bench_habits *habits, uint64_t seed)
{
    struct bench_dice dice = bench_dice_of(seed, "crowd");

    *crowd = (struct bench_crowd){.habits = *habits, .n = habits->users};
    crowd->users = bench_zalloc(crowd->n, sizeof *crowd->users);
    for (unsigned i = 0; i < crowd->n; i++)
        crowd->users[i].start_ms = bench_throw_range(&dice, 0, habits->arrival_ms - 1);
    qsort(crowd->users, crowd->n, sizeof *crowd->users, compare_starts);
    for (unsigned i = 0; i < crowd->n; i++) {
        int64_t after = throw_consent(&dice, habits);

        crowd->users[i].consent_ms =
            after == BENCH_NEVER ? BENCH_NEVER : crowd->users[i].start_ms + after;
    }
    order_consents(crowd);
}

void bench_crowd_free(struct bench_crowd *crowd)
{
    free(crowd->users);
    free(crowd->by_consent);
}
