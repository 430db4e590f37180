#include "base/wheel.h"
#include "harness.h"
#include <stdlib.h>

#define TICK  SKI_WHEEL_TICK_MS
#define DAY   INT64_C(86400000)
#define START INT64_C(12345)

static struct test_memory memory;
static struct ski_mem mem;
static struct ski_wheel wheel;

static void start(uint32_t timers)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_wheel_init(&wheel, &mem, START);
    CU_ASSERT_FATAL(ski_wheel_reserve(&wheel, timers));
}

static void stop(void)
{
    ski_wheel_free(&wheel);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* Lets the wheel sleep as long as it wants, again and again, until it gives a timer; the time then. */
static int64_t wait_for(uint32_t timer)
{
    int64_t now = START;

    for (int wakes = 0; wakes < 100; wakes++) {
        uint32_t taken;

        now = ski_wheel_next_ms(&wheel);
        if (now == INT64_MAX)
            break;
        taken = ski_wheel_take(&wheel, now);
        if (taken != SKI_WHEEL_NONE) {
            CU_ASSERT_EQUAL(taken, timer);
            return now;
        }
    }
    CU_FAIL("never fired");
    return now;
}

/* --- one timer ------------------------------------------------------------------------------------ */

static void a_timer_fires_never_early_and_less_than_a_tick_late(void)
{
    static const int64_t after[] = {
        1,         7,         8,         9,          2039,        2040,      2041,
        2047,      2048,      2049,      60000,      524287,      524288,    524289,
        DAY,       134217727, 134217728, 30 * DAY,   390 * DAY,   395 * DAY, 397 * DAY,
        398 * DAY, 399 * DAY, 400 * DAY, 1000 * DAY, 40000 * DAY,
    };

    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        int64_t due = START + after[i], fired;

        start(1);
        ski_wheel_set(&wheel, 0, due);
        CU_ASSERT(ski_wheel_is_set(&wheel, 0));
        CU_ASSERT_EQUAL(ski_wheel_take(&wheel, due - 1), SKI_WHEEL_NONE);
        CU_ASSERT(ski_wheel_next_ms(&wheel) < due + TICK);
        fired = wait_for(0);
        CU_ASSERT(fired >= due && fired < due + TICK);
        CU_ASSERT_FALSE(ski_wheel_is_set(&wheel, 0));
        CU_ASSERT_EQUAL(ski_wheel_next_ms(&wheel), INT64_MAX);
        stop();
    }
}

static void waking_as_told_fires_at_every_distance(void)
{
    for (int64_t after = 1; after < 400 * DAY; after = after * 3 / 2 + 1) {
        int64_t due = START + after, fired;

        start(1);
        ski_wheel_set(&wheel, 0, due);
        fired = wait_for(0);
        CU_ASSERT(fired >= due && fired < due + TICK);
        stop();
    }
}

static void the_past_is_due_at_once(void)
{
    static const int64_t due[] = {START, START - 1, 0, -1, INT64_MIN, START + 5 * DAY};

    start(1);
    CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 5 * DAY), SKI_WHEEL_NONE);
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
        ski_wheel_set(&wheel, 0, due[i]);
        CU_ASSERT(ski_wheel_next_ms(&wheel) <= START + 5 * DAY);
        CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 5 * DAY), 0);
        CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 5 * DAY), SKI_WHEEL_NONE);
    }
    stop();
}

static void the_end_of_time_never_comes(void)
{
    start(1);
    ski_wheel_set(&wheel, 0, INT64_MAX);
    for (int64_t now = START; now < 100000 * DAY; now += 100 * DAY)
        CU_ASSERT_EQUAL(ski_wheel_take(&wheel, now), SKI_WHEEL_NONE);
    CU_ASSERT(ski_wheel_is_set(&wheel, 0));
    CU_ASSERT(ski_wheel_next_ms(&wheel) > 99000 * DAY);
    stop();
}

/* Each wait begins where the last one ended, through five years, in which 32 bits of ticks wrap. */
static void years_of_uptime_change_nothing(void)
{
    int64_t now = START;

    start(1);
    for (int i = 0; now < START + 5 * 365 * DAY; i++) {
        int64_t due = now + 1 + i * INT64_C(7919) * 100 % (20 * DAY);

        ski_wheel_set(&wheel, 0, due);
        now = wait_for(0);
        CU_ASSERT(now >= due && now < due + TICK);
    }
    stop();
}

/* --- several -------------------------------------------------------------------------------------- */

static void clearing_and_moving_leave_nothing_behind(void)
{
    start(3);
    for (uint32_t timer = 0; timer < 3; timer++)
        ski_wheel_set(&wheel, timer, START + 100); /* one slot */
    ski_wheel_clear(&wheel, 1);                    /* the middle of its list */
    ski_wheel_clear(&wheel, 1);
    CU_ASSERT_FALSE(ski_wheel_is_set(&wheel, 1));
    ski_wheel_set(&wheel, 0, START + 5000); /* its end */
    ski_wheel_set(&wheel, 2, START + 5000); /* all of it */
    CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 4999), SKI_WHEEL_NONE);
    CU_ASSERT_NOT_EQUAL(ski_wheel_take(&wheel, START + 5008), 1);
    CU_ASSERT_NOT_EQUAL(ski_wheel_take(&wheel, START + 5008), 1);
    CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 5008), SKI_WHEEL_NONE);
    stop();
}

static void a_timer_that_waits_to_be_taken_can_still_be_cleared(void)
{
    start(2);
    ski_wheel_set(&wheel, 0, START + 8);
    ski_wheel_set(&wheel, 1, START + 8);
    if (ski_wheel_take(&wheel, START + 8) == 0)
        ski_wheel_clear(&wheel, 1);
    else
        ski_wheel_clear(&wheel, 0);
    CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 1000), SKI_WHEEL_NONE);
    CU_ASSERT_EQUAL(ski_wheel_next_ms(&wheel), INT64_MAX);
    stop();
}

static void a_jump_fires_everything_in_order(void)
{
    static const int64_t due[] = {30 * DAY, 5, 3 * DAY, 400 * DAY, 5000, 60000, DAY, 16};
    enum { N = sizeof due / sizeof *due };
    int64_t last = 0;

    start(N);
    for (uint32_t timer = 0; timer < N; timer++)
        ski_wheel_set(&wheel, timer, START + due[timer]);
    for (int i = 0; i < N; i++) {
        uint32_t timer = ski_wheel_take(&wheel, START + 401 * DAY);

        CU_ASSERT_FATAL(timer < N);
        CU_ASSERT(due[timer] > last);
        last = due[timer];
    }
    CU_ASSERT_EQUAL(ski_wheel_take(&wheel, START + 401 * DAY), SKI_WHEEL_NONE);
    stop();
}

static void out_of_memory_changes_nothing(void)
{
    start(4);
    ski_wheel_set(&wheel, 3, START + 80);
    memory.fail_at = memory.count + 1;
    CU_ASSERT_FALSE(ski_wheel_reserve(&wheel, 1000));
    CU_ASSERT_FALSE(ski_wheel_reserve(&wheel, UINT32_MAX));
    CU_ASSERT(ski_wheel_reserve(&wheel, 4));
    CU_ASSERT_FALSE(ski_wheel_is_set(&wheel, 4));
    CU_ASSERT_FALSE(ski_wheel_is_set(&wheel, SKI_WHEEL_NONE));
    CU_ASSERT(ski_wheel_reserve(&wheel, 1000));
    CU_ASSERT_EQUAL(wait_for(3), START + 80);
    stop();
}

/* --- against a model: due times in an array, searched from end to end -------------------------------- */

#define TIMERS 64

static int64_t model[TIMERS]; /* the tick's time, as the wheel rounds; INT64_MAX: not set */

static int64_t random_below(int64_t limit)
{
    return (int64_t)(((uint64_t)random() << 31 | (uint64_t)random()) % (uint64_t)limit);
}

/* From 1 ms to 2 years, each magnitude as likely as any other. */
static int64_t random_distance(void)
{
    return random_below(INT64_C(1) << (1 + random_below(36)));
}

static int64_t round_up(int64_t due)
{
    int64_t passed = due - START;

    return passed <= 0 ? START : START + (passed + TICK - 1) / TICK * TICK;
}

static int64_t model_first(void)
{
    int64_t first = INT64_MAX;

    for (int i = 0; i < TIMERS; i++)
        first = model[i] < first ? model[i] : first;
    return first;
}

/* Takes up to `most` timers; each must be due, and none due before it may be left. */
static bool take_some(int64_t now, int64_t most)
{
    while (most-- > 0) {
        uint32_t timer = ski_wheel_take(&wheel, now);

        if (timer == SKI_WHEEL_NONE)
            return model_first() > now;
        if (timer >= TIMERS || model[timer] > now)
            return false;
        model[timer] = INT64_MAX;
    }
    return true;
}

static bool one_operation(int64_t *now)
{
    uint32_t timer = (uint32_t)random_below(TIMERS);
    int64_t due;

    switch (random_below(5)) {
    case 0:
    case 1:
        due = *now + random_distance() - 20;
        ski_wheel_set(&wheel, timer, due);
        model[timer] = round_up(due);
        break;
    case 2:
        ski_wheel_clear(&wheel, timer);
        model[timer] = INT64_MAX;
        break;
    case 3: /* on, a little or far */
        *now += random_distance() / 8;
        break;
    default:
        return take_some(*now, random_below(2 * TIMERS));
    }
    return ski_wheel_is_set(&wheel, timer) == (model[timer] != INT64_MAX);
}

static void a_hundred_thousand_random_operations_match_the_model(void)
{
    int64_t now = START;

    srandom(20260821);
    start(TIMERS);
    for (int i = 0; i < TIMERS; i++)
        model[i] = INT64_MAX;
    for (int i = 0; i < 100000; i++) {
        int64_t next;

        if (!one_operation(&now)) {
            CU_FAIL("the wheel and the model differ");
            break;
        }
        next = ski_wheel_next_ms(&wheel);
        if (next > model_first() && next > now) {
            CU_FAIL("would wake too late");
            break;
        }
        if (next == INT64_MAX && model_first() != INT64_MAX) {
            CU_FAIL("would not wake");
            break;
        }
    }
    stop();
}

SUITE(wheel,
      {"a timer fires never early and less than a tick late",
       a_timer_fires_never_early_and_less_than_a_tick_late},
      {"waking as told fires at every distance", waking_as_told_fires_at_every_distance},
      {"the past is due at once", the_past_is_due_at_once},
      {"the end of time never comes", the_end_of_time_never_comes},
      {"years of uptime change nothing", years_of_uptime_change_nothing},
      {"clearing and moving leave nothing behind", clearing_and_moving_leave_nothing_behind},
      {"a timer that waits to be taken can still be cleared",
       a_timer_that_waits_to_be_taken_can_still_be_cleared},
      {"a jump fires everything in order", a_jump_fires_everything_in_order},
      {"out of memory changes nothing", out_of_memory_changes_nothing},
      {"a hundred thousand random operations match the model",
       a_hundred_thousand_random_operations_match_the_model})
