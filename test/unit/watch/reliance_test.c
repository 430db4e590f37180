/* When deliveries can be relied on, and when no longer. */
#include "harness.h"
#include "watch/reliance.h"

#define SECOND_US INT64_C(1000000)
#define WALL      (INT64_C(1000000) * SECOND_US)

struct ground {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_reliance reliance;
};

static void open_ground(struct ground *g)
{
    test_memory_init(&g->memory);
    ski_mem_init(&g->mem, &g->memory.allocator);
    ski_reliance_init(&g->reliance, &g->mem);
}

static void close_ground(struct ground *g)
{
    ski_reliance_free(&g->reliance);
    CU_ASSERT_EQUAL(g->memory.live, 0);
}

static bool is_trusted(struct ground *g, int64_t now_ms)
{
    ski_reliance_review(&g->reliance, now_ms);
    return g->reliance.trusted;
}

static void test_time(void)
{
    struct ground g;

    open_ground(&g);
    CU_ASSERT_FALSE(is_trusted(&g, 0));
    ski_reliance_told(&g.reliance, 1, WALL, 1000);
    CU_ASSERT(ski_reliance_review(&g.reliance, 1000));
    CU_ASSERT(g.reliance.trusted);
    CU_ASSERT_EQUAL(g.reliance.since_ms, 1000);
    CU_ASSERT_FALSE(ski_reliance_review(&g.reliance, 1000 + SKI_RELIANCE_MS - 1));
    ski_reliance_told(&g.reliance, 2, WALL, 5000);
    CU_ASSERT(is_trusted(&g, 5000 + SKI_RELIANCE_MS - 1));
    CU_ASSERT_EQUAL(g.reliance.since_ms, 1000);
    CU_ASSERT_FALSE(is_trusted(&g, 5000 + SKI_RELIANCE_MS));
    close_ground(&g);
}

/* What a look shows counts as missed only when it must have been told. */
static void test_missed(void)
{
    static const struct {
        const char *name;
        uint64_t account;
        int64_t at_s; /* against the wall clock */
        bool missed;
    } rows[] = {
        {"long ago, and not told", 3, -60, true},
        {"it may be under way", 3, -14, false},
        {"told", 2, -60, false},
        {"told a little before its updated_at", 2, -55, false},
        {"told of what was before only", 2, -20, true},
        {"from before the first delivery", 3, -200, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ground g;
        bool missed;

        open_ground(&g);
        ski_reliance_told(&g.reliance, 1, WALL - 100 * SECOND_US, 0);
        ski_reliance_told(&g.reliance, 2, WALL - 60 * SECOND_US, 0);
        missed = ski_reliance_compare(&g.reliance, rows[i].account, WALL + rows[i].at_s * SECOND_US,
                                      WALL);
        CU_assertImplementation(missed == rows[i].missed && g.reliance.missed == rows[i].missed,
                                __LINE__, rows[i].name, __FILE__, "", CU_FALSE);
        close_ground(&g);
    }
}

static void miss(struct ground *g, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ski_reliance_compare(&g->reliance, 1000 + i, WALL - 60 * SECOND_US, WALL);
}

static void tell(struct ground *g, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ski_reliance_told(&g->reliance, i, WALL - 100 * SECOND_US, 0);
}

static void test_majority(void)
{
    static const struct {
        const char *name;
        unsigned told, missed;
        bool trusted;
    } rows[] = {
        {"one in a thousand", 999, 1, true},
        {"a fifth is lost", 8, 2, true},
        {"two of the first three", 1, 2, true},
        {"most of the first four", 1, 3, false},
        {"as many as are told", 10, 10, true},
        {"more than are told", 10, 11, false},
        {"an endpoint that is gone, after thousands", 5000, 64, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ground g;

        open_ground(&g);
        tell(&g, rows[i].told);
        miss(&g, rows[i].missed);
        CU_assertImplementation(is_trusted(&g, 0) == rows[i].trusted, __LINE__, rows[i].name,
                                __FILE__, "", CU_FALSE);
        close_ground(&g);
    }
}

/* Once as many are told as were missed, and not for a minute. */
static void test_again(void)
{
    struct ground g;

    open_ground(&g);
    tell(&g, 1);
    CU_ASSERT(is_trusted(&g, 0));
    miss(&g, 3);
    CU_ASSERT_FALSE(is_trusted(&g, 0));
    tell(&g, 1);
    CU_ASSERT_FALSE(is_trusted(&g, 60000));
    tell(&g, 1);
    CU_ASSERT_FALSE(is_trusted(&g, 59999));
    CU_ASSERT(is_trusted(&g, 60000));
    close_ground(&g);
}

static void test_order(void)
{
    struct ground g;

    open_ground(&g);
    CU_ASSERT(ski_reliance_told(&g.reliance, 1, WALL, 0));
    CU_ASSERT(ski_reliance_told(&g.reliance, 1, WALL, 0));
    CU_ASSERT_FALSE(ski_reliance_told(&g.reliance, 1, WALL - 1, 0));
    CU_ASSERT(ski_reliance_told(&g.reliance, 2, WALL - 1, 0));
    CU_ASSERT(ski_reliance_told(&g.reliance, 1, WALL + 1, 0));
    close_ground(&g);
}

static void test_memory(void)
{
    struct ground g;

    open_ground(&g);
    g.memory.fail_at = 1;
    CU_ASSERT(ski_reliance_told(&g.reliance, 1, WALL - 100 * SECOND_US, 0));
    miss(&g, 10);
    CU_ASSERT(is_trusted(&g, 0));
    CU_ASSERT_EQUAL(g.reliance.missed, 0);
    ski_reliance_told(&g.reliance, 1, WALL - 100 * SECOND_US, 0);
    miss(&g, 10);
    CU_ASSERT_EQUAL(g.reliance.missed, 10);
    close_ground(&g);
}

SUITE(reliance, {"ten minutes without a delivery end it", test_time},
      {"what must have been told, and was not, is missed", test_missed},
      {"more that are missed than told end it", test_majority},
      {"it begins again when they do", test_again},
      {"a later one of the same account overtakes", test_order},
      {"without memory nothing is held against it", test_memory})
