/* The records of watches: numbers, reuse, growth, and addresses that stay. */
#include "harness.h"
#include "watch/table.h"
#include "watch/watch.h"
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct room {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_watch_table table;
};

static void room_init(struct room *room)
{
    test_memory_init(&room->memory);
    ski_mem_init(&room->mem, &room->memory.allocator);
    ski_watch_table_init(&room->table, &room->mem, 0);
}

static void room_free(struct room *room)
{
    ski_watch_table_free(&room->table);
    CU_ASSERT_EQUAL(room->memory.live, 0);
}

static void takes_by_number(void)
{
    scalekit_watch *watches[3 * SKI_TABLE_CHUNK];
    struct room room;

    room_init(&room);
    CU_ASSERT_EQUAL(ski_watch_table_end(&room.table), 0);
    CU_ASSERT_EQUAL(room.memory.count, 0); /* nothing before the first watch */
    for (uint32_t i = 0; i < COUNT(watches); i++) {
        watches[i] = ski_watch_table_take(&room.table);
        CU_ASSERT_PTR_NOT_NULL_FATAL(watches[i]);
        CU_ASSERT_EQUAL(watches[i]->number, i);
        CU_ASSERT_EQUAL(room.table.in_use, i + 1);
    }
    CU_ASSERT_EQUAL(ski_watch_table_end(&room.table), COUNT(watches));
    for (uint32_t i = 0; i < COUNT(watches); i++) /* nothing has moved */
        CU_ASSERT_PTR_EQUAL(ski_watch_at(&room.table, i), watches[i]);
    room_free(&room);
}

static void records_come_empty(void)
{
    struct room room;
    scalekit_watch *watch;
    uint32_t number;

    room_init(&room);
    watch = ski_watch_table_take(&room.table);
    CU_ASSERT_PTR_NOT_NULL_FATAL(watch);
    number = watch->number;
    watch->refs = 1;
    watch->looks = 7;
    watch->user = &room;
    watch->view.follow = true;
    ski_wheel_set(&room.table.wheel, number, 1000);
    ski_watch_table_give(&room.table, watch);
    CU_ASSERT_FALSE(ski_wheel_is_set(&room.table.wheel, number)); /* its timer goes with it */
    CU_ASSERT_EQUAL(ski_watch_at(&room.table, number)->refs, 0);  /* how a free one is known */
    CU_ASSERT_EQUAL(room.table.in_use, 0);
    CU_ASSERT_PTR_EQUAL(ski_watch_table_take(&room.table), watch);
    CU_ASSERT_EQUAL(watch->number, number);
    CU_ASSERT_EQUAL(watch->refs, 0);
    CU_ASSERT_EQUAL(watch->looks, 0);
    CU_ASSERT_PTR_NULL(watch->user);
    CU_ASSERT_FALSE(watch->view.follow);
    room_free(&room);
}

/* Whatever comes and goes: numbers are unique, and memory follows the most there were. */
static void reuses(void)
{
    enum { N = SKI_TABLE_CHUNK + 40 };
    scalekit_watch *watches[N] = {NULL};
    bool taken[2 * SKI_TABLE_CHUNK] = {false};
    struct room room;
    uint64_t dice = 1;
    long blocks;

    room_init(&room);
    for (unsigned i = 0; i < N; i++)
        watches[i] = ski_watch_table_take(&room.table);
    blocks = room.memory.live;
    for (unsigned i = 0; i < N; i++)
        taken[watches[i]->number] = true;
    for (unsigned round = 0; round < 5000; round++) {
        unsigned place;

        dice = dice * 6364136223846793005u + 1442695040888963407u;
        place = (unsigned)(dice >> 33) % N;
        if (watches[place]) {
            taken[watches[place]->number] = false;
            ski_watch_table_give(&room.table, watches[place]);
            watches[place] = NULL;
            continue;
        }
        watches[place] = ski_watch_table_take(&room.table);
        CU_ASSERT_PTR_NOT_NULL_FATAL(watches[place]);
        CU_ASSERT_FATAL(watches[place]->number < COUNT(taken));
        CU_ASSERT_FALSE(taken[watches[place]->number]);
        CU_ASSERT_PTR_EQUAL(ski_watch_at(&room.table, watches[place]->number), watches[place]);
        taken[watches[place]->number] = true;
    }
    CU_ASSERT_EQUAL(room.memory.live, blocks);
    room_free(&room);
}

/* Every record has a timer of its own, however many there are. */
static void timers_grow_along(void)
{
    enum { N = 10 * SKI_TABLE_CHUNK };
    struct room room;
    unsigned fired = 0;

    room_init(&room);
    for (uint32_t i = 0; i < N; i++) {
        scalekit_watch *watch = ski_watch_table_take(&room.table);

        CU_ASSERT_PTR_NOT_NULL_FATAL(watch);
        ski_wheel_set(&room.table.wheel, watch->number, 1000 + i);
    }
    while (ski_wheel_take(&room.table.wheel, 1000 + N) != SKI_WHEEL_NONE)
        fired++;
    CU_ASSERT_EQUAL(fired, N);
    room_free(&room);
}

/* What fails leaves the table as it was, and the next time it works. */
static bool fill(struct test_memory *memory, void *user)
{
    struct ski_mem mem;
    struct ski_watch_table table;
    uint32_t failures = 0, n = 20 * SKI_TABLE_CHUNK;

    (void)user;
    ski_mem_init(&mem, &memory->allocator);
    ski_watch_table_init(&table, &mem, 0);
    for (uint32_t i = 0; i < n; i++) {
        scalekit_watch *watch = ski_watch_table_take(&table);

        if (!watch) {
            CU_ASSERT_EQUAL(table.in_use, i);
            failures++;
            watch = ski_watch_table_take(&table);
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(watch);
        CU_ASSERT_EQUAL(watch->number, i);
        ski_wheel_set(&table.wheel, watch->number, 1000);
    }
    CU_ASSERT_EQUAL(table.in_use, n);
    CU_ASSERT(failures <= 1);
    ski_watch_table_free(&table);
    return failures == 0;
}

static void any_allocation_may_fail(void)
{
    CU_ASSERT(test_every_allocation(fill, NULL) > 20);
}

/* What a million of them cost, each. */
static void is_small(void)
{
    CU_ASSERT(sizeof(scalekit_watch) <= 80);
}

SUITE(table, {"numbers count up, and addresses never move", takes_by_number},
      {"a record is empty when it is taken", records_come_empty},
      {"records are reused, each by one at a time", reuses},
      {"there is a timer for each", timers_grow_along},
      {"any allocation may fail", any_allocation_may_fail}, {"a record is 80 bytes", is_small})
