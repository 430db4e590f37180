#include "base/clock.h"
#include "harness.h"

static void asks_the_hooks(void)
{
    struct test_clock test;
    struct ski_clock clock;
    uint64_t random;

    test_clock_init(&test);
    ski_clock_init(&clock, &test.clock);
    test.monotonic_us = 1234567;
    test.wall_us = 7654321;
    CU_ASSERT_EQUAL(ski_clock_ms(&clock), 1234);
    CU_ASSERT_EQUAL(ski_clock_wall(&clock), 7654321);
    random = ski_clock_random(&clock);
    test.seed = 42;
    CU_ASSERT_EQUAL(ski_clock_random(&clock), random);
}

static void no_hooks_means_the_system(void)
{
    const scalekit_time year_2020 = INT64_C(1577836800) * 1000000;
    struct ski_clock clock;
    int64_t before;

    ski_clock_init(&clock, NULL);
    before = ski_clock_ms(&clock);
    CU_ASSERT(before > 0);
    CU_ASSERT(ski_clock_ms(&clock) >= before);
    CU_ASSERT(ski_clock_wall(&clock) > year_2020);
    CU_ASSERT_NOT_EQUAL(ski_clock_random(&clock), ski_clock_random(&clock));
}

static void a_secret_is_another_one_each_time(void)
{
    unsigned char a[256] = {0}, b[256] = {0};

    CU_ASSERT(ski_random_secret(a, sizeof a));
    CU_ASSERT(ski_random_secret(b, sizeof b));
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, 128), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a + 128, b + 128, 128), 0);
}

static void jitter_stays_within_its_range_and_uses_all_of_it(void)
{
    static const struct {
        int64_t value;
        int low, high;
        int64_t least, most;
    } cases[] = {
        {100, 90, 100, 90, 100},   {100, 95, 105, 95, 105}, {7, 0, 100, 0, 7},
        {100, 100, 100, 100, 100}, {0, 50, 100, 0, 0},      {199, 50, 50, 99, 99},
    };
    struct test_clock test;
    struct ski_clock clock;

    test_clock_init(&test);
    ski_clock_init(&clock, &test.clock);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t least = INT64_MAX, most = INT64_MIN;

        for (int n = 0; n < 1000; n++) {
            int64_t value = ski_clock_jitter(&clock, cases[i].value, cases[i].low, cases[i].high);

            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        CU_ASSERT_EQUAL(least, cases[i].least);
        CU_ASSERT_EQUAL(most, cases[i].most);
    }
}

static void jitter_of_the_largest_value_does_not_overflow(void)
{
    struct test_clock test;
    struct ski_clock clock;

    test_clock_init(&test);
    ski_clock_init(&clock, &test.clock);
    for (int n = 0; n < 100; n++)
        CU_ASSERT(ski_clock_jitter(&clock, INT64_MAX, 50, 100) >= INT64_MAX / 2);
}

SUITE(clock, {"asks the hooks", asks_the_hooks},
      {"no hooks means the system", no_hooks_means_the_system},
      {"a secret is another one each time", a_secret_is_another_one_each_time},
      {"jitter stays within its range and uses all of it",
       jitter_stays_within_its_range_and_uses_all_of_it},
      {"jitter of the largest value does not overflow",
       jitter_of_the_largest_value_does_not_overflow})
