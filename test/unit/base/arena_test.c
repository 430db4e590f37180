#include "base/arena.h"
#include "harness.h"
#include <stdalign.h>

static struct test_memory memory;
static struct ski_mem mem;
static struct ski_arena arena;

static void start(size_t first, size_t limit)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_arena_init(&arena, &mem, first, limit);
}

static void stop(void)
{
    ski_arena_free(&arena);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void structures_are_zeroed_and_aligned(void)
{
    start(64, 100000);
    CU_ASSERT_EQUAL(memory.count, 0);
    for (size_t size = 1; size < 200; size++) {
        char *bytes = ski_arena_bytes(&arena, size % 7 + 1);
        char *block = ski_arena_alloc(&arena, size);

        CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
        CU_ASSERT_PTR_NOT_NULL_FATAL(block);
        CU_ASSERT_EQUAL((uintptr_t)block % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            if (block[i])
                CU_FAIL("not zeroed");
        memset(bytes, 'x', size % 7 + 1);
        memset(block, 'y', size);
    }
    stop();
}

/* Pieces of every size, small and larger than a chunk, in an order that mixes them. */
static void pieces_do_not_overlap(void)
{
    enum { PIECES = 500 };
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];

    start(32, SIZE_MAX);
    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = i * 7919 % (i % 10 == 0 ? 100000 : 100) + 1;
        pieces[i] =
            i % 2 ? ski_arena_alloc(&arena, sizes[i]) : (void *)ski_arena_bytes(&arena, sizes[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        if (pieces[i][0] != i % 251 || memcmp(pieces[i], pieces[i] + 1, sizes[i] - 1) != 0)
            CU_FAIL("a piece was overwritten");
    stop();
}

static void many_pieces_cost_few_allocations(void)
{
    start(256, SIZE_MAX);
    for (int i = 0; i < 10000; i++)
        CU_ASSERT_PTR_NOT_NULL(ski_arena_alloc(&arena, 16));
    CU_ASSERT(memory.count <= 11); /* 256, 512, … 64 KiB, and as many more as it takes */
    stop();
}

static void a_large_piece_leaves_the_rest_of_the_chunk_in_use(void)
{
    start(256, SIZE_MAX);
    ski_arena_alloc(&arena, 16);
    ski_arena_alloc(&arena, 10000);
    for (int i = 0; i < 15; i++)
        ski_arena_alloc(&arena, 16);
    CU_ASSERT_EQUAL(memory.count, 2);
    stop();
}

static void the_limit_is_exact(void)
{
    start(16, 100);
    CU_ASSERT_PTR_NOT_NULL(ski_arena_bytes(&arena, 60));
    CU_ASSERT_PTR_NULL(ski_arena_bytes(&arena, 41));
    CU_ASSERT_PTR_NULL(ski_arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NOT_NULL(ski_arena_bytes(&arena, 40));
    CU_ASSERT_EQUAL(arena.used, 100);
    CU_ASSERT_PTR_NULL(ski_arena_bytes(&arena, 1));
    CU_ASSERT_PTR_NULL(ski_arena_strdup(&arena, ""));
    CU_ASSERT_PTR_NULL(ski_arena_printf(&arena, "x"));
    stop();
    CU_ASSERT_PTR_NOT_NULL(ski_arena_bytes(&arena, 100));
    stop();
}

static void no_size_overflows(void)
{
    start(16, SIZE_MAX);
    CU_ASSERT_PTR_NULL(ski_arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(ski_arena_strndup(&arena, "x", SIZE_MAX));
    CU_ASSERT_EQUAL(memory.count, 0);
    CU_ASSERT_PTR_NOT_NULL(ski_arena_alloc(&arena, 0));
    CU_ASSERT_PTR_NOT_NULL(ski_arena_bytes(&arena, 0));
    stop();
}

static void texts_are_copied(void)
{
    char source[] = "source";
    char *whole, *part, *formatted;

    start(8, 10000);
    whole = ski_arena_strdup(&arena, source);
    part = ski_arena_strndup(&arena, source, 3);
    formatted = ski_arena_printf(&arena, "%s has %d letters and then some", source, 6);
    memset(source, '-', 6);
    CU_ASSERT_STRING_EQUAL(whole, "source");
    CU_ASSERT_STRING_EQUAL(part, "sou");
    CU_ASSERT_STRING_EQUAL(formatted, "source has 6 letters and then some");
    CU_ASSERT_STRING_EQUAL(ski_arena_strndup(&arena, "", 0), "");
    CU_ASSERT_PTR_NULL(ski_arena_strdup(&arena, NULL));
    CU_ASSERT_PTR_NULL(ski_arena_strndup(&arena, NULL, 3));
    stop();
}

static bool fill(struct test_memory *failing, void *user)
{
    struct ski_mem hooks;
    struct ski_arena filled;
    bool through;

    (void)user;
    ski_mem_init(&hooks, &failing->allocator);
    ski_arena_init(&filled, &hooks, 16, 100000);
    through = ski_arena_alloc(&filled, 10) && ski_arena_bytes(&filled, 1000) &&
              ski_arena_strdup(&filled, "a text that needs a chunk") &&
              ski_arena_printf(&filled, "%0500d", 1);
    ski_arena_free(&filled);
    return through;
}

static void every_refused_allocation_is_survived(void)
{
    CU_ASSERT(test_every_allocation(fill, NULL) > 3);
}

/* --- an allocator that looks at what it gets back ------------------------------------------------ */

static size_t header; /* of a chunk: where its data begins */
static size_t given_back;

static void look_and_free(void *block, void *user)
{
    for (size_t i = 0; i < 64; i++)
        CU_ASSERT_EQUAL(((const char *)block)[header + i], '\0');
    given_back++;
    memory.allocator.free(block, user);
}

static void chunks_are_cleansed_before_they_are_given_back(void)
{
    start(64, 10000);
    mem.hooks.free = look_and_free;
    given_back = 0;
    memset(ski_arena_bytes(&arena, 64), 's', 64);
    header = (size_t)(arena.end - (char *)arena.chunks) - 64;
    memset(ski_arena_bytes(&arena, 1000), 's', 1000);
    memset(ski_arena_bytes(&arena, 100), 's', 100);
    stop();
    CU_ASSERT_EQUAL(given_back, 3);
}

SUITE(arena, {"structures are zeroed and aligned", structures_are_zeroed_and_aligned},
      {"pieces do not overlap", pieces_do_not_overlap},
      {"many pieces cost few allocations", many_pieces_cost_few_allocations},
      {"a large piece leaves the rest of the chunk in use",
       a_large_piece_leaves_the_rest_of_the_chunk_in_use},
      {"the limit is exact", the_limit_is_exact}, {"no size overflows", no_size_overflows},
      {"texts are copied", texts_are_copied},
      {"every refused allocation is survived", every_refused_allocation_is_survived},
      {"chunks are cleansed before they are given back",
       chunks_are_cleansed_before_they_are_given_back})
