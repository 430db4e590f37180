/* What the feed has shown of whom, as far as a table of fixed size can know. */
#include "harness.h"
#include "watch/shown.h"

#define SINCE INT64_C(1000)

struct ground {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_shown shown;
};

static void open_for(struct ground *ground, size_t most)
{
    test_memory_init(&ground->memory);
    ski_mem_init(&ground->mem, &ground->memory.allocator);
    ski_shown_init(&ground->shown, &ground->mem, most);
    CU_ASSERT_FATAL(ski_shown_begin(&ground->shown, SINCE));
}

static void open_ground(struct ground *ground)
{
    open_for(ground, SKI_SHOWN_ACCOUNTS);
}

static void close_ground(struct ground *ground)
{
    ski_shown_free(&ground->shown);
    CU_ASSERT_EQUAL(ground->memory.live, 0);
}

static void test_lacks(void)
{
    const struct {
        uint64_t account;
        scalekit_time from;
        bool lacks;
    } rows[] = {
        {7, SINCE, false},    /* what was before is not known */
        {7, SINCE + 1, true}, /* never shown */
        {1, 2000, false},     /* shown at that moment */
        {1, 1999, false},     /* and after it */
        {1, 2001, true},      /* only before it */
        {2, 3000, false},     /* the newest counts, */
        {2, 3001, true},      /* in whatever order they came */
        {0, 2000, false},     /* a hash like any other */
        {0, 2001, true},
    };
    struct ground g;

    open_ground(&g);
    ski_shown_note(&g.shown, 1, 2000);
    ski_shown_note(&g.shown, 2, 3000);
    ski_shown_note(&g.shown, 2, 2500);
    ski_shown_note(&g.shown, 0, 2000);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_EQUAL(ski_shown_lacks(&g.shown, rows[i].account, rows[i].from), rows[i].lacks);
    close_ground(&g);
}

/* Whatever has been shown and however much of it: it is never said to be lacking. */
static void test_forgets_knowingly(void)
{
    struct ground g;
    uint64_t hash = 1;
    long live;

    open_ground(&g);
    live = g.memory.live;
    for (int round = 0; round < 20000; round++) {
        scalekit_time at = SINCE + 1 + (scalekit_time)(hash >> 40);

        hash = hash * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ski_shown_note(&g.shown, hash, at);
        CU_ASSERT_FALSE_FATAL(ski_shown_lacks(&g.shown, hash, at));
    }
    hash = 1;
    for (int round = 0; round < 20000; round++) {
        scalekit_time at = SINCE + 1 + (scalekit_time)(hash >> 40);

        hash = hash * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        CU_ASSERT_FALSE_FATAL(ski_shown_lacks(&g.shown, hash, at));
    }
    CU_ASSERT_EQUAL(g.memory.live, live);
    close_ground(&g);
}

static uint64_t nth_hash(unsigned n)
{
    return (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* As far as it may grow nothing is forgotten; without memory for that it is as good as it was. */
static void test_grows(void)
{
    static const struct {
        size_t most;
        bool short_of_memory, forgets;
    } rows[] = {{SKI_SHOWN_ACCOUNTS, false, true},
                {8 * SKI_SHOWN_ACCOUNTS, false, false},
                {8 * SKI_SHOWN_ACCOUNTS, true, true}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ground g;

        open_for(&g, rows[i].most);
        g.memory.fail_at = rows[i].short_of_memory ? g.memory.count + 1 : 0;
        g.memory.fail_after = true;
        for (unsigned n = 0; n < 8000; n++)
            ski_shown_note(&g.shown, nth_hash(n), SINCE + 1 + n);
        for (unsigned n = 0; n < 8000; n++) {
            CU_ASSERT_FALSE(ski_shown_lacks(&g.shown, nth_hash(n), SINCE + 1 + n));
            CU_ASSERT(rows[i].forgets || ski_shown_has_later(&g.shown, nth_hash(n), SINCE + n));
        }
        CU_ASSERT_EQUAL(ski_shown_lacks(&g.shown, nth_hash(8000), SINCE + 1), !rows[i].forgets);
        close_ground(&g);
    }
}

static void test_begins_anew(void)
{
    struct ground g;

    open_ground(&g);
    ski_shown_note(&g.shown, 1, 5000);
    CU_ASSERT(ski_shown_begin(&g.shown, 4000));
    CU_ASSERT(ski_shown_lacks(&g.shown, 1, 4500));
    CU_ASSERT_FALSE(ski_shown_lacks(&g.shown, 1, 4000));
    close_ground(&g);
}

static void test_without_memory(void)
{
    struct ground g;

    open_ground(&g);
    ski_shown_free(&g.shown);
    g.memory.fail_at = g.memory.count + 1;
    CU_ASSERT_FALSE(ski_shown_begin(&g.shown, SINCE));
    ski_shown_note(&g.shown, 1, 2000);
    CU_ASSERT_FALSE(ski_shown_lacks(&g.shown, 1, 3000));
    close_ground(&g);
}

SUITE(shown, {"an account that was not shown since then is lacking", test_lacks},
      {"what was forgotten is never held to be lacking", test_forgets_knowingly},
      {"it grows before it forgets", test_grows}, {"it begins anew", test_begins_anew},
      {"without memory it says nothing", test_without_memory})
