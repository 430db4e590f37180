#include "base/mem.h"
#include "harness.h"

static struct test_memory memory;
static struct ski_mem mem;

static void start(void)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
}

static void every_function_goes_through_the_hooks(void)
{
    void *plain, *zeroed, *array;
    char *text;

    start();
    plain = ski_alloc(&mem, 10);
    zeroed = ski_zalloc(&mem, 10);
    array = ski_realloc_array(&mem, NULL, 10, 10);
    text = ski_strdup(&mem, "text");
    CU_ASSERT_EQUAL(memory.live, 4);
    CU_ASSERT_EQUAL(memory.count, 4);
    CU_ASSERT_STRING_EQUAL(text, "text");
    CU_ASSERT_EQUAL(memcmp(zeroed, "\0\0\0\0\0\0\0\0\0", 10), 0);
    ski_free(&mem, plain);
    ski_free(&mem, zeroed);
    ski_free(&mem, array);
    ski_free(&mem, text);
    ski_free(&mem, NULL);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void no_hooks_means_the_c_library(void)
{
    int *numbers;

    ski_mem_init(&mem, NULL);
    numbers = ski_realloc_array(&mem, NULL, 2, sizeof *numbers);
    CU_ASSERT_PTR_NOT_NULL_FATAL(numbers);
    numbers[0] = 1;
    numbers = ski_realloc_array(&mem, numbers, 1000, sizeof *numbers);
    CU_ASSERT_PTR_NOT_NULL_FATAL(numbers);
    CU_ASSERT_EQUAL(numbers[0], 1);
    ski_free(&mem, numbers);
    numbers = ski_zalloc(&mem, sizeof *numbers);
    CU_ASSERT_PTR_NOT_NULL_FATAL(numbers);
    CU_ASSERT_EQUAL(*numbers, 0);
    ski_free(&mem, numbers);
}

static void nothing_is_not_out_of_memory(void)
{
    void *nothing, *array;

    start();
    nothing = ski_alloc(&mem, 0);
    array = ski_realloc_array(&mem, NULL, 0, 8);
    CU_ASSERT_PTR_NOT_NULL(nothing);
    CU_ASSERT_PTR_NOT_NULL(array);
    array = ski_realloc_array(&mem, array, 5, 0);
    CU_ASSERT_PTR_NOT_NULL(array);
    ski_free(&mem, nothing);
    ski_free(&mem, array);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void an_array_whose_size_overflows_is_refused(void)
{
    char *old;

    start();
    old = ski_strdup(&mem, "untouched");
    CU_ASSERT_PTR_NULL(ski_realloc_array(&mem, old, SIZE_MAX / 2, 3));
    CU_ASSERT_PTR_NULL(ski_realloc_array(&mem, old, SIZE_MAX, SIZE_MAX));
    CU_ASSERT_STRING_EQUAL(old, "untouched");
    CU_ASSERT_EQUAL(memory.count, 1);
    ski_free(&mem, old);
}

static void refusals_are_passed_on(void)
{
    start();
    memory.fail_at = 1;
    memory.fail_after = true;
    CU_ASSERT_PTR_NULL(ski_alloc(&mem, 1));
    CU_ASSERT_PTR_NULL(ski_zalloc(&mem, 1));
    CU_ASSERT_PTR_NULL(ski_realloc_array(&mem, NULL, 1, 1));
    CU_ASSERT_PTR_NULL(ski_strdup(&mem, "x"));
}

static void cleansing_overwrites(void)
{
    char secret[] = "secret";

    ski_cleanse(secret, 3);
    CU_ASSERT_EQUAL(memcmp(secret, "\0\0\0ret", sizeof secret), 0);
    ski_cleanse(NULL, 0);
}

SUITE(mem, {"every function goes through the hooks", every_function_goes_through_the_hooks},
      {"no hooks means the C library", no_hooks_means_the_c_library},
      {"nothing is not out of memory", nothing_is_not_out_of_memory},
      {"an array whose size overflows is refused", an_array_whose_size_overflows_is_refused},
      {"refusals are passed on", refusals_are_passed_on},
      {"cleansing overwrites", cleansing_overwrites})
