/* ground.h - what the simulations stand on: memory that is there, dice with a seed, and time that
 * passes only when it is told to. */
#ifndef BENCH_GROUND_H
#define BENCH_GROUND_H

#include <scalekit/client.h>

struct event_base;

/* --- memory: without it there is no benchmark, so the program ends ----------------------------- */

void *bench_zalloc(size_t count, size_t size); /* zeroed */
void *bench_grow(void *old, size_t count, size_t size);

/* --- dice: the same seed gives the same throws ------------------------------------------------- */

struct bench_dice {
    uint64_t state;
};

/* Of a seed, for one purpose: other purposes get other throws. */
struct bench_dice bench_dice_of(uint64_t seed, const char *purpose);
uint64_t bench_throw(struct bench_dice *dice);                                 /* 64 random bits */
double bench_throw_unit(struct bench_dice *dice);                              /* in [0, 1) */
int64_t bench_throw_range(struct bench_dice *dice, int64_t low, int64_t high); /* both included */
double bench_throw_normal(struct bench_dice *dice); /* mean 0, deviation 1 */

/* --- time -------------------------------------------------------------------------------------- */

/* What the wall clock says at virtual time 0: 2026-08-21T10:00:00Z. */
#define BENCH_WALL_US INT64_C(1787306400000000)

struct bench_time {
    struct scalekit_clock clock; /* for a client's configuration */
    int64_t now_us;              /* of the monotonic clock */
    struct bench_dice dice;
};

/* `time` must not move afterwards. */
void bench_time_init(struct bench_time *time, uint64_t seed);
int64_t bench_time_ms(const struct bench_time *time);
/* The wall clock, microseconds since 1970. */
int64_t bench_time_wall_us(const struct bench_time *time);

/* When a client has something to do next, in milliseconds, rounded up; INT64_MAX: never. */
int64_t bench_next_timer_ms(const scalekit_client *client);
/* Lets a client do what there is to do at this moment of virtual time: its timers, and all that
 * follows from them. */
void bench_time_settle(struct bench_time *time, struct event_base *base, scalekit_client *client);

#endif
