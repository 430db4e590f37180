/* waiter.h - how others wait: a loop for each user that asks again and again.
 *
 * Each is simulated at its best: answers take no time, every request succeeds, and no limit of
 * requests is kept. */
#ifndef BENCH_WAITER_H
#define BENCH_WAITER_H

#include "crowd.h"
#include "tally.h"

struct bench_waiter {
    const char *name;
    int64_t first_ms;    /* when it asks first, after the start */
    int64_t interval_ms; /* between two requests */
    /* When not 0, the n-th pause is random between interval_ms and interval_ms doubled n - 1 times,
     * this at most; the last look is never lost: one that would come too late comes at the end. */
    int64_t most_ms;
    unsigned tries;      /* 0: as many as fit */
    int64_t deadline_ms; /* it gives up; 0: when everybody does */
};

extern const struct bench_waiter bench_waiters[];
extern const size_t bench_n_waiters;

struct bench_figures bench_waiter_run(const struct bench_waiter *waiter,
                                      const struct bench_crowd *crowd, uint64_t seed);

/* What a ceiling makes of it: one look-up after the other, evenly over the minute, of the user who
 * was not looked at for longest; of each, the last one comes after everybody has given up. */
struct bench_figures bench_queue_run(unsigned per_minute, const struct bench_crowd *crowd);

#endif
