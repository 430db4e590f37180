#include "base/recycler.h"
#include "harness.h"
#include <stdint.h>

static struct test_memory memory;
static struct ski_mem mem;
static struct ski_recycler recycler;

static void start(void)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_recycler_init(&recycler, &mem);
}

static void stop(void)
{
    ski_recycler_free(&recycler);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void sizes_of_a_class_share_their_blocks(void)
{
    static const struct {
        size_t first, second;
        bool shared;
    } rows[] = {
        {1, 64, true},       {0, 64, true},     {64, 65, false},
        {100, 128, true},    {1024, 961, true}, {1024, 960, false},
        {1025, 1025, false}, {70, 129, false},  {100000, 1, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *first, *second;

        start();
        first = ski_recycler_malloc(&recycler, rows[i].first);
        ski_recycler_release(&recycler, first);
        CU_ASSERT_EQUAL(memory.live, rows[i].first <= 1024);
        second = ski_recycler_malloc(&recycler, rows[i].second);
        CU_ASSERT_PTR_NOT_NULL_FATAL(second);
        memset(second, 's', rows[i].second);
        CU_ASSERT_EQUAL(memory.live == 1, rows[i].shared || rows[i].first > 1024);
        ski_recycler_release(&recycler, second);
        stop();
    }
}

static void what_is_given_back_is_cleansed(void)
{
    char *block;

    start();
    block = ski_recycler_malloc(&recycler, 50);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    memset(block, 's', 50);
    ski_recycler_release(&recycler, block);
    for (int i = 0; i < 50; i++) /* it is kept, and so still there */
        CU_ASSERT_EQUAL(block[i], '\0');
    stop();
}

static void no_more_is_kept_than_allowed(void)
{
    enum { BLOCKS = 2 * SKI_RECYCLER_KEPT / 1024 };
    void *blocks[BLOCKS];

    start();
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = ski_recycler_malloc(&recycler, 1024);
    CU_ASSERT_EQUAL(memory.live, BLOCKS);
    for (int i = 0; i < BLOCKS; i++)
        ski_recycler_release(&recycler, blocks[i]);
    CU_ASSERT_EQUAL(memory.live, BLOCKS / 2);
    CU_ASSERT_EQUAL(recycler.kept_bytes, SKI_RECYCLER_KEPT);
    stop();
}

static void zeroed_means_zeroed_again(void)
{
    char *block;

    start();
    block = ski_recycler_malloc(&recycler, 60);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    ski_recycler_release(&recycler, block);
    block = ski_recycler_calloc(&recycler, 6, 10);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    for (int i = 0; i < 60; i++)
        CU_ASSERT_EQUAL(block[i], 0);
    ski_recycler_release(&recycler, block);
    CU_ASSERT_PTR_NULL(ski_recycler_calloc(&recycler, SIZE_MAX / 2, 3));
    CU_ASSERT_PTR_NULL(ski_recycler_malloc(&recycler, SIZE_MAX));
    stop();
}

static void growing_and_shrinking_keeps_the_bytes(void)
{
    static const size_t sizes[] = {5, 64, 65, 5000, 70, 5};
    char *block = NULL;

    start();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        block = ski_recycler_realloc(&recycler, block, sizes[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(block);
        if (i == 0)
            memcpy(block, "abcd", 5);
        CU_ASSERT_STRING_EQUAL(block, "abcd");
    }
    ski_recycler_release(&recycler, block);
    ski_recycler_release(&recycler, NULL);
    stop();
}

static bool grow_one(struct test_memory *refusing, void *user)
{
    char *block, *more;

    (void)user;
    ski_mem_init(&mem, &refusing->allocator);
    ski_recycler_init(&recycler, &mem);
    block = ski_recycler_calloc(&recycler, 1, 100);
    more = block ? ski_recycler_realloc(&recycler, block, 2000) : NULL;
    if (block && !more)
        ski_recycler_release(&recycler, block); /* untouched */
    ski_recycler_release(&recycler, more);
    ski_recycler_free(&recycler);
    return more;
}

static void every_refused_allocation_is_survived(void)
{
    CU_ASSERT_EQUAL(test_every_allocation(grow_one, NULL), 3);
}

SUITE(recycler, {"sizes of a class share their blocks", sizes_of_a_class_share_their_blocks},
      {"what is given back is cleansed", what_is_given_back_is_cleansed},
      {"no more is kept than allowed", no_more_is_kept_than_allowed},
      {"zeroed means zeroed, again", zeroed_means_zeroed_again},
      {"growing and shrinking keeps the bytes", growing_and_shrinking_keeps_the_bytes},
      {"every refused allocation is survived", every_refused_allocation_is_survived})
