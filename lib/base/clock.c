#include "base/clock.h"
#include <sys/random.h>
#include <time.h>

static int64_t microseconds(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now); /* cannot fail for the two clocks below */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_monotonic_us(void *user)
{
    (void)user;
    return microseconds(CLOCK_MONOTONIC);
}

static int64_t system_wall_us(void *user)
{
    (void)user;
    return microseconds(CLOCK_REALTIME);
}

/* Only jitter hangs on it, so a kernel without entropy yet is no reason to wait. */
static uint64_t system_random(void *user)
{
    uint64_t bits;

    (void)user;
    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits)
        bits = (uint64_t)microseconds(CLOCK_MONOTONIC) * UINT64_C(0x9e3779b97f4a7c15);
    return bits;
}

void ski_clock_init(struct ski_clock *clock, const struct scalekit_clock *hooks)
{
    static const struct scalekit_clock system = {
        system_monotonic_us,
        system_wall_us,
        system_random,
        NULL,
    };

    clock->hooks = hooks ? *hooks : system;
}

int64_t ski_clock_ms(const struct ski_clock *clock)
{
    return clock->hooks.monotonic_us(clock->hooks.user) / 1000;
}

scalekit_time ski_clock_wall(const struct ski_clock *clock)
{
    return clock->hooks.wall_us(clock->hooks.user);
}

uint64_t ski_clock_random(const struct ski_clock *clock)
{
    return clock->hooks.random(clock->hooks.user);
}

/* In two steps, so that a large value does not overflow. */
static int64_t percent_of(int64_t value, int percent)
{
    return value / 100 * percent + value % 100 * percent / 100;
}

int64_t ski_clock_jitter(const struct ski_clock *clock, int64_t value, int low, int high)
{
    int64_t least = percent_of(value, low);
    int64_t most = percent_of(value, high);

    if (most <= least)
        return least;
    return least + (int64_t)(ski_clock_random(clock) % ((uint64_t)(most - least) + 1));
}

bool ski_random_secret(void *bytes, size_t length)
{
    return getrandom(bytes, length, GRND_NONBLOCK) == (ssize_t)length;
}
