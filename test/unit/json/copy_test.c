#include "everything.h"
#include "harness.h"
#include "json/copy.h"
#include "json/decode.h"
#include "json/encode.h"

#define EVERY_KIND                                                                                 \
    "{\"a_string\":\"text\",\"an_integer\":5,\"a_boolean\":true,"                                  \
    "\"a_moment\":\"1970-01-01T00:00:01Z\",\"color\":\"PURPLE\",\"some_json\":{\"k\":1},"          \
    "\"any_json\":[2],\"flat_object\":{\"a_string\":\"flat\",\"an_integer\":6},"                   \
    "\"some_strings\":[\"one\",\"two\"],\"a_number\":1.5,\"a_choice\":false,"                      \
    "\"a_duration\":\"60s\",\"a_map\":{\"k\":\"v\",\"l\":\"w\"},\"list_json\":[],"                 \
    "\"in_path\":\"p\",\"in_query\":\"q\",\"a_secret\":\"s\",\"read_only\":\"r\"}"

/* Objects of every kind in each other. */
#define NESTED "{\"an_object\":" EVERY_KIND ",\"some_objects\":[" EVERY_KIND "," EVERY_KIND "]}"

static void encode(struct ski_buf *out, const struct ski_mem *mem, const void *value)
{
    ski_buf_init(out, mem, 1u << 20);
    ski_json_encode(out, &everything_type, value, SKI_ENCODE_ALL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ski_buf_text(out));
}

/* Copies what a text says, and compares when the original is gone. */
static void check_copy(const char *text)
{
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_arena first, second;
    struct ski_buf before, after;
    struct ski_failure failure;
    const void *original, *copy;

    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_arena_init(&first, &mem, 64, SIZE_MAX);
    ski_arena_init(&second, &mem, 64, SIZE_MAX);
    CU_ASSERT_EQUAL_FATAL(
        ski_json_decode(&first, &everything_type, text, strlen(text), &original, &failure),
        SCALEKIT_OK);
    encode(&before, &mem, original);
    copy = ski_copy(&second, &everything_type, original);
    ski_arena_free(&first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    encode(&after, &mem, copy);
    CU_ASSERT_STRING_EQUAL(before.data, after.data);
    ski_buf_free(&before);
    ski_buf_free(&after);
    ski_arena_free(&second);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void everything_is_copied(void)
{
    check_copy("{}");
    check_copy(EVERY_KIND);
    check_copy(NESTED);
}

/* Members that an older program's structure does not have are absent. */
static void older_structures_grow(void)
{
    struct {
        struct everything value;
        char behind[8];
    } older = {.value = {.string = "text", .integer = 5}};
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_arena arena;
    const struct everything *copy;

    older.value.struct_size = offsetof(struct everything, integer);
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_arena_init(&arena, &mem, 64, SIZE_MAX);
    copy = ski_copy(&arena, &everything_type, &older.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_EQUAL(copy->struct_size, sizeof *copy);
    CU_ASSERT_STRING_EQUAL(copy->string, "text");
    CU_ASSERT_EQUAL(copy->integer, 0);
    older.value.struct_size = sizeof older; /* and newer ones shrink */
    copy = ski_copy(&arena, &everything_type, &older.value);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_EQUAL(copy->struct_size, sizeof *copy);
    CU_ASSERT_EQUAL(copy->integer, 5);
    ski_arena_free(&arena);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* Each limit is one at which some piece of the copy does not fit. */
static void every_piece_may_not_fit(void)
{
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_arena original_arena, arena;
    struct ski_failure failure;
    const void *original, *copy = NULL;
    size_t limit = 0;

    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_arena_init(&original_arena, &mem, 4096, SIZE_MAX);
    CU_ASSERT_EQUAL_FATAL(ski_json_decode(&original_arena, &everything_type, NESTED, strlen(NESTED),
                                          &original, &failure),
                          SCALEKIT_OK);
    while (!copy && limit < 16384) {
        ski_arena_init(&arena, &mem, 64, ++limit);
        copy = ski_copy(&arena, &everything_type, original);
        ski_arena_free(&arena);
    }
    CU_ASSERT_PTR_NOT_NULL(copy);
    CU_ASSERT(limit > 3 * sizeof(struct everything));
    ski_arena_free(&original_arena);
    CU_ASSERT_EQUAL(memory.live, 0);
}

SUITE(copy, {"every kind is copied, as deep as it goes", everything_is_copied},
      {"older and newer structures get the size of this version", older_structures_grow},
      {"every piece may not fit", every_piece_may_not_fit})
