/* Which ids of events are known. */
#include "harness.h"
#include "watch/seen_ids.h"

#define HOUR_MS (2 * SKI_SEEN_IDS_MS)

struct ground {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_seen_ids ids;
};

static void open_ground(struct ground *ground)
{
    test_memory_init(&ground->memory);
    ski_mem_init(&ground->mem, &ground->memory.allocator);
    ski_seen_ids_init(&ground->ids, &ground->mem);
}

static void close_ground(struct ground *ground)
{
    ski_seen_ids_free(&ground->ids);
    CU_ASSERT_EQUAL(ground->memory.live, 0);
}

static void note(struct ground *ground, int number, int64_t now_ms)
{
    char id[32];

    snprintf(id, sizeof id, "evt_%d", number);
    ski_seen_ids_note(&ground->ids, id, now_ms);
}

static bool has(struct ground *ground, int number)
{
    char id[32];

    snprintf(id, sizeof id, "evt_%d", number);
    return ski_seen_ids_have(&ground->ids, id);
}

static void test_known(void)
{
    struct ground g;

    open_ground(&g);
    CU_ASSERT_FALSE(has(&g, 1));
    for (int i = 0; i < 10000; i += 2)
        note(&g, i, i);
    for (int i = 0; i < 10000; i++)
        CU_ASSERT_EQUAL_FATAL(has(&g, i), i % 2 == 0);
    close_ground(&g);
}

static void test_any_text(void)
{
    char longest[4096];
    const char *const ids[] = {"", "e", "\xff\xfe", longest};
    struct ground g;

    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    open_ground(&g);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        CU_ASSERT_FALSE(ski_seen_ids_have(&g.ids, ids[i]));
        ski_seen_ids_note(&g.ids, ids[i], 0);
        CU_ASSERT(ski_seen_ids_have(&g.ids, ids[i]));
    }
    close_ground(&g);
}

static void test_time(void)
{
    const struct {
        int64_t note_again_ms, other_ms;
        bool known;
    } rows[] = {
        {0, SKI_SEEN_IDS_MS - 1, true},
        {0, SKI_SEEN_IDS_MS, true},
        {SKI_SEEN_IDS_MS, HOUR_MS, true}, /* from when it was seen last */
        {SKI_SEEN_IDS_MS - 1, HOUR_MS + SKI_SEEN_IDS_MS, false},
        {SKI_SEEN_IDS_MS, HOUR_MS + SKI_SEEN_IDS_MS, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ground g;

        open_ground(&g);
        note(&g, 1, 0);
        note(&g, 1, rows[i].note_again_ms);
        for (int64_t now = SKI_SEEN_IDS_MS; now <= rows[i].other_ms; now += SKI_SEEN_IDS_MS)
            note(&g, 2, now);
        CU_ASSERT_EQUAL(has(&g, 1), rows[i].known);
        close_ground(&g);
    }
}

static void test_bounds(void)
{
    struct ground g;
    long before;

    open_ground(&g);
    for (int i = 0; i < 4 * SKI_SEEN_IDS; i++)
        note(&g, i, 0);
    for (int i = 3 * SKI_SEEN_IDS; i < 4 * SKI_SEEN_IDS; i++)
        CU_ASSERT_FATAL(has(&g, i));
    CU_ASSERT_FALSE(has(&g, SKI_SEEN_IDS));
    CU_ASSERT_EQUAL(g.memory.live, 2);
    CU_ASSERT_EQUAL(g.ids.current.n_slots, 2 * SKI_SEEN_IDS);
    before = g.memory.count;
    for (int i = 3 * SKI_SEEN_IDS; i < 4 * SKI_SEEN_IDS; i++)
        note(&g, i, 0);
    CU_ASSERT_EQUAL(g.memory.count, before);
    close_ground(&g);
}

/* What is not remembered is known to nobody; what was, stays. */
static void test_without_memory(void)
{
    struct ground g;

    open_ground(&g);
    g.memory.fail_at = 1;
    note(&g, 1, 0);
    CU_ASSERT_FALSE(has(&g, 1));
    for (int i = 0; i < 128; i++)
        note(&g, i, 0);
    g.memory.fail_at = g.memory.count + 1;
    note(&g, 128, 0);
    CU_ASSERT_FALSE(has(&g, 128));
    for (int i = 0; i < 128; i++)
        CU_ASSERT(has(&g, i));
    note(&g, 128, 0);
    CU_ASSERT(has(&g, 128));
    close_ground(&g);
}

/* At the border of every generation and every growth, and in between. */
static void test_room(void)
{
    struct ground g;

    open_ground(&g);
    for (int i = 0; i < 2 * SKI_SEEN_IDS + 2; i++) {
        CU_ASSERT_FATAL(ski_seen_ids_make_room(&g.ids, i));
        g.memory.fail_at = g.memory.count + 1;
        note(&g, i, i);
        g.memory.fail_at = 0;
        CU_ASSERT_FATAL(has(&g, i));
    }
    ski_seen_ids_free(&g.ids);
    g.memory.fail_at = g.memory.count + 1;
    CU_ASSERT_FALSE(ski_seen_ids_make_room(&g.ids, 0));
    close_ground(&g);
}

SUITE(seen_ids, {"what was noted is known, and nothing else", test_known},
      {"ids are any text", test_any_text},
      {"an id is known for half an hour after it was last seen, and not for ever", test_time},
      {"the latest 65,536 are known, in bounded memory", test_bounds},
      {"what finds no memory is not remembered", test_without_memory},
      {"what has room is remembered without memory", test_room})
