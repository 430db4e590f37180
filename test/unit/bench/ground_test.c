#include "bench/environment.h"
#include "bench/ground.h"
#include "core/client.h"
#include "harness.h"
#include <event2/event.h>
#include <math.h>

/* --- dice -------------------------------------------------------------------------------------- */

static void throws_the_same_for_a_seed(void)
{
    struct bench_dice a = bench_dice_of(7, "one"), b = bench_dice_of(7, "one");
    struct bench_dice other_purpose = bench_dice_of(7, "two"), other_seed = bench_dice_of(8, "one");
    uint64_t first = bench_throw(&a);

    CU_ASSERT_EQUAL(bench_throw(&b), first);
    CU_ASSERT_EQUAL(bench_throw(&a), bench_throw(&b));
    CU_ASSERT_NOT_EQUAL(bench_throw(&other_purpose), first);
    CU_ASSERT_NOT_EQUAL(bench_throw(&other_seed), first);
}

/* The published sequence of SplitMix64 for the seed 1234567. */
static void throws_what_others_throw(void)
{
    static const uint64_t expected[] = {UINT64_C(6457827717110365317),
                                        UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423)};
    struct bench_dice dice = {1234567};

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        CU_ASSERT_EQUAL(bench_throw(&dice), expected[i]);
}

static void throws_within_the_range(void)
{
    struct bench_dice dice = bench_dice_of(1, "range");
    unsigned seen[4] = {0};

    for (int i = 0; i < 1000; i++) {
        int64_t throw = bench_throw_range(&dice, -2, 1);
        double unit = bench_throw_unit(&dice);

        CU_ASSERT_FATAL(throw >= -2 && throw <= 1);
        CU_ASSERT(unit >= 0 && unit < 1);
        seen[throw +2]++;
    }
    for (int i = 0; i < 4; i++)
        CU_ASSERT(seen[i] > 150);
    CU_ASSERT_EQUAL(bench_throw_range(&dice, 5, 5), 5);
}

static void throws_a_bell(void)
{
    struct bench_dice dice = bench_dice_of(1, "bell");
    double sum = 0, squares = 0;
    int n = 20000;

    for (int i = 0; i < n; i++) {
        double throw = bench_throw_normal(&dice);

        sum += throw;
        squares += throw *throw;
    }
    CU_ASSERT(fabs(sum / n) < 0.03);
    CU_ASSERT(fabs(squares / n - 1) < 0.05);
}

/* --- time -------------------------------------------------------------------------------------- */

static void stands_still_until_moved(void)
{
    struct bench_time time;
    const struct scalekit_clock *clock = &time.clock;

    bench_time_init(&time, 1);
    CU_ASSERT_EQUAL(clock->monotonic_us(clock->user), 0);
    CU_ASSERT_EQUAL(clock->wall_us(clock->user), BENCH_WALL_US);
    time.now_us = 1500;
    CU_ASSERT_EQUAL(bench_time_ms(&time), 1);
    CU_ASSERT_EQUAL(clock->monotonic_us(clock->user), 1500);
    CU_ASSERT_EQUAL(clock->wall_us(clock->user), BENCH_WALL_US + 1500);
    CU_ASSERT_NOT_EQUAL(clock->random(clock->user), clock->random(clock->user));
}

static void on_warm(scalekit_request *request, bool done, void *seen)
{
    (void)request;
    CU_ASSERT_FALSE(done);
    ++*(unsigned *)seen;
}

/* A deadline comes when virtual time gets there, however long that takes. */
static void settles_what_is_due(void)
{
    struct bench_environment_config silent = {.connections = 1, .accounts = 1, .silent = true};
    struct bench_environment *environment;
    struct event_base *base = event_base_new();
    scalekit_client *client;
    struct bench_time time;
    unsigned seen = 0;

    bench_time_init(&time, 1);
    environment = bench_environment_new(&silent, &time, NULL, NULL);
    CU_ASSERT_EQUAL_FATAL(
        scalekit_client_new(&client, base,
                            SCALEKIT_PARAMS(scalekit_config, .env_url = "http://127.0.0.1",
                                            .client_id = "skc_1", .client_secret = "secret",
                                            .deadline_ms = 1000, .clock = &time.clock),
                            NULL),
        SCALEKIT_OK);
    ski_pool_use(client->pool, bench_environment_carrier(environment));
    CU_ASSERT_EQUAL(bench_next_timer_ms(client), INT64_MAX);
    CU_ASSERT_PTR_NOT_NULL(scalekit_client_warm(client, on_warm, &seen));
    bench_time_settle(&time, base, client);
    CU_ASSERT_EQUAL(seen, 0);
    while (bench_next_timer_ms(client) <= 1008) {
        CU_ASSERT_FATAL(bench_next_timer_ms(client) > bench_time_ms(&time));
        time.now_us = bench_next_timer_ms(client) * 1000;
        bench_time_settle(&time, base, client);
        CU_ASSERT_EQUAL(seen, bench_time_ms(&time) >= 1000);
    }
    CU_ASSERT_EQUAL(seen, 1);
    scalekit_client_free(client);
    bench_environment_free(environment);
    event_base_free(base);
}

SUITE(bench_ground, {"the same seed throws the same", throws_the_same_for_a_seed},
      {"throws what every SplitMix64 throws", throws_what_others_throw},
      {"throws within the range", throws_within_the_range}, {"throws a bell curve", throws_a_bell},
      {"time stands still until it is moved", stands_still_until_moved},
      {"what is due happens, and nothing before", settles_what_is_due})
