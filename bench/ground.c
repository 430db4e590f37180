#include "ground.h"
#include "base/str.h"
#include "core/client.h"
#include <event2/event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- memory ------------------------------------------------------------------------------------ */

static void *need(void *memory)
{
    if (memory)
        return memory;
    fputs("bench: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

void *bench_zalloc(size_t count, size_t size)
{
    return need(calloc(count ? count : 1, size));
}

void *bench_grow(void *old, size_t count, size_t size)
{
    return need(reallocarray(old, count, size));
}

/* --- dice: SplitMix64 -------------------------------------------------------------------------- */

struct bench_dice bench_dice_of(uint64_t seed, const char *purpose)
{
    return (struct bench_dice){seed ^ ski_hash(purpose, strlen(purpose))};
}

uint64_t bench_throw(struct bench_dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double bench_throw_unit(struct bench_dice *dice)
{
    return (double)(bench_throw(dice) >> 11) * 0x1p-53;
}

int64_t bench_throw_range(struct bench_dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)(bench_throw(dice) % ((uint64_t)(high - low) + 1));
}

/* Box and Muller's, one of the two. */
double bench_throw_normal(struct bench_dice *dice)
{
    double radius = sqrt(-2 * log(1 - bench_throw_unit(dice)));

    return radius * cos(6.283185307179586 * bench_throw_unit(dice));
}

/* --- time -------------------------------------------------------------------------------------- */

static int64_t monotonic_us(void *user)
{
    return ((const struct bench_time *)user)->now_us;
}

static int64_t wall_us(void *user)
{
    return bench_time_wall_us(user);
}

static uint64_t roll(void *user)
{
    return bench_throw(&((struct bench_time *)user)->dice);
}

void bench_time_init(struct bench_time *time, uint64_t seed)
{
    *time = (struct bench_time){
        .clock = {monotonic_us, wall_us, roll, time},
        .dice = bench_dice_of(seed, "time"),
    };
}

int64_t bench_time_ms(const struct bench_time *time)
{
    return time->now_us / 1000;
}

int64_t bench_time_wall_us(const struct bench_time *time)
{
    return BENCH_WALL_US + time->now_us;
}

int64_t bench_next_timer_ms(const scalekit_client *client)
{
    int64_t next = scalekit_client_next_timer(client);

    return next == INT64_MAX ? next : (next + 999) / 1000;
}

/* The alarm counts real time, which has no business here: were it to ring, what happens first at one
 * moment would hang on the speed of the machine.  It believes that it is set to the beginning of
 * time, so that nothing is early enough to set it anew. */
static void silence_alarm(struct ski_loop *loop)
{
    if (loop->alarm_ms != INT64_MIN)
        evtimer_del(loop->alarm);
    loop->alarm_ms = INT64_MIN;
}

void bench_time_settle(struct bench_time *time, struct event_base *base, scalekit_client *client)
{
    struct ski_loop *loop = &client->loop;

    do {
        scalekit_client_run_timers(client);
        silence_alarm(loop);
        while (!ski_list_empty(&loop->tasks))
            event_base_loop(base, EVLOOP_NONBLOCK);
    } while (bench_next_timer_ms(client) <= bench_time_ms(time));
}
