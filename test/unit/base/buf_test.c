#include "base/buf.h"
#include "harness.h"

static struct test_memory memory;
static struct ski_mem mem;
static struct ski_buf buf;

static void start(size_t maximum)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_buf_init(&buf, &mem, maximum);
}

static void stop(void)
{
    ski_buf_free(&buf);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void everything_added_is_there_in_order(void)
{
    start(1000000);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "");
    CU_ASSERT_EQUAL(memory.count, 0);
    ski_buf_add(&buf, "one,three", 4);
    ski_buf_add(&buf, NULL, 0);
    ski_buf_adds(&buf, "two");
    ski_buf_addc(&buf, ',');
    ski_buf_addf(&buf, "%d%s", 3, "");
    ski_buf_addf(&buf, "%s", "");
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "one,two,3");
    CU_ASSERT_EQUAL(buf.length, 9);
    stop();
}

static void grows_by_doubling(void)
{
    start(SIZE_MAX);
    for (int i = 0; i < 100000; i++)
        ski_buf_addc(&buf, (char)('a' + i % 26));
    CU_ASSERT_EQUAL(buf.length, 100000);
    CU_ASSERT(memory.count < 12);
    for (int i = 0; i < 100000; i++)
        if (buf.data[i] != 'a' + i % 26)
            CU_FAIL("wrong byte");
    stop();
}

static void the_maximum_is_exact_and_sticks(void)
{
    start(300);
    for (int i = 0; i < 300; i++)
        ski_buf_addc(&buf, 'x');
    CU_ASSERT_EQUAL(buf.failed, SKI_BUF_OK);
    CU_ASSERT_EQUAL(strlen(ski_buf_text(&buf)), 300);
    ski_buf_addc(&buf, 'y');
    CU_ASSERT_EQUAL(buf.failed, SKI_BUF_FULL);
    CU_ASSERT_PTR_NULL(ski_buf_text(&buf));
    CU_ASSERT_FALSE(ski_buf_reserve(&buf, 0));
    CU_ASSERT_EQUAL(buf.length, 300);
    ski_buf_clear(&buf);
    ski_buf_adds(&buf, "again");
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "again");
    stop();
}

static void a_small_maximum_allocates_no_more(void)
{
    start(5);
    ski_buf_adds(&buf, "12345");
    CU_ASSERT_EQUAL(buf.capacity, 5);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "12345");
    ski_buf_addf(&buf, "%d", 6);
    CU_ASSERT_EQUAL(buf.failed, SKI_BUF_FULL);
    stop();
}

static void a_refused_allocation_sticks(void)
{
    start(1000);
    ski_buf_adds(&buf, "kept");
    memory.fail_at = 2;
    CU_ASSERT_FALSE(ski_buf_reserve(&buf, 500));
    CU_ASSERT_EQUAL(buf.failed, SKI_BUF_NOMEM);
    ski_buf_adds(&buf, "lost");
    CU_ASSERT_EQUAL(buf.length, 4);
    CU_ASSERT_EQUAL(memcmp(buf.data, "kept", 4), 0);
    stop();
    CU_ASSERT_EQUAL(buf.failed, SKI_BUF_OK);
}

static void no_size_overflows(void)
{
    start(SIZE_MAX);
    CU_ASSERT_FALSE(ski_buf_reserve(&buf, SIZE_MAX));
    CU_ASSERT_EQUAL(buf.failed, SKI_BUF_NOMEM);
    CU_ASSERT_EQUAL(memory.count, 0);
    stop();
}

static void dropping_forgets_the_front(void)
{
    static const struct {
        size_t drop;
        const char *left;
    } steps[] = {{0, "abcdef"}, {2, "cdef"}, {4, ""}};

    start(100);
    ski_buf_adds(&buf, "abcdef");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        ski_buf_drop(&buf, steps[i].drop);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), steps[i].left);
    }
    CU_ASSERT_EQUAL(memcmp(buf.data, "\0\0\0\0\0\0", 6), 0);
    stop();
}

static void clearing_overwrites(void)
{
    start(100);
    ski_buf_adds(&buf, "secret");
    ski_buf_clear(&buf);
    CU_ASSERT_EQUAL(memcmp(buf.data, "\0\0\0\0\0\0", 6), 0);
    CU_ASSERT_EQUAL(memory.live, 1);
    stop();
}

/* --- an allocator that looks at what it gets back ------------------------------------------------ */

#define NUL_BYTE 1 /* behind the capacity */

static size_t given_back;

static void look_and_free(void *block, void *user)
{
    size_t expected = given_back++ == 0 ? 256 : buf.capacity;

    for (size_t i = 0; i < expected + NUL_BYTE; i++)
        CU_ASSERT_EQUAL(((const char *)block)[i], '\0');
    memory.allocator.free(block, user);
}

static void memory_is_cleansed_when_outgrown_and_when_freed(void)
{
    start(10000);
    mem.hooks.free = look_and_free;
    given_back = 0;
    CU_ASSERT_FATAL(ski_buf_reserve(&buf, 256));
    CU_ASSERT_EQUAL_FATAL(buf.capacity, 256);
    memset(buf.data, 's', buf.capacity);
    buf.data[buf.capacity] = '\0';
    buf.length = 100; /* what lies beyond was written, and counts too */
    CU_ASSERT_FATAL(ski_buf_reserve(&buf, 200));
    memset(buf.data, 's', buf.capacity);
    buf.data[buf.capacity] = '\0';
    stop();
    CU_ASSERT_EQUAL(given_back, 2);
}

SUITE(buf, {"everything added is there in order", everything_added_is_there_in_order},
      {"grows by doubling", grows_by_doubling},
      {"the maximum is exact and sticks", the_maximum_is_exact_and_sticks},
      {"a small maximum allocates no more", a_small_maximum_allocates_no_more},
      {"a refused allocation sticks", a_refused_allocation_sticks},
      {"no size overflows", no_size_overflows},
      {"dropping forgets the front", dropping_forgets_the_front},
      {"clearing overwrites", clearing_overwrites},
      {"memory is cleansed when outgrown and when freed",
       memory_is_cleansed_when_outgrown_and_when_freed})
