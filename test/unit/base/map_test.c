#include "base/map.h"
#include "harness.h"
#include <stdlib.h>

struct item {
    struct ski_map_node node;
    int key;
};

static bool same(const struct ski_map_node *node, const void *key)
{
    return ((const struct item *)node)->key == *(const int *)key;
}

static struct item *find(struct ski_map *map, uint64_t hash, int key)
{
    return (struct item *)ski_map_find(map, hash, same, &key);
}

/* Every hash that a bad function could give: all equal, and all different. */
static void keeps_every_node_until_it_is_removed(void)
{
    static const uint64_t spreads[] = {0, 1, 0x9e3779b97f4a7c15u};

    for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++) {
        struct test_memory memory;
        struct ski_mem mem;
        struct ski_map map;
        struct item items[500];

        test_memory_init(&memory);
        ski_mem_init(&mem, &memory.allocator);
        ski_map_init(&map, &mem);
        CU_ASSERT_PTR_NULL(find(&map, 0, 0));
        for (int i = 0; i < 500; i++) {
            items[i] = (struct item){{NULL, (uint64_t)i * spreads[s]}, i};
            CU_ASSERT(ski_map_insert(&map, &items[i].node));
        }
        CU_ASSERT_EQUAL(map.count, 500);
        for (int i = 0; i < 500; i++)
            CU_ASSERT_PTR_EQUAL(find(&map, items[i].node.hash, i), &items[i]);
        for (int i = 0; i < 500; i += 2)
            ski_map_remove(&map, &items[i].node);
        for (int i = 0; i < 500; i++)
            CU_ASSERT_PTR_EQUAL(find(&map, (uint64_t)i * spreads[s], i), i % 2 ? &items[i] : NULL);
        CU_ASSERT_EQUAL(map.count, 250);
        ski_map_free(&map);
        CU_ASSERT_EQUAL(memory.live, 0);
    }
}

static void stays_usable_when_it_cannot_grow(void)
{
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_map map;
    struct item items[100];

    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_map_init(&map, &mem);
    memory.fail_at = 1;
    items[0] = (struct item){{NULL, 7}, 0};
    CU_ASSERT_FALSE(ski_map_insert(&map, &items[0].node));
    CU_ASSERT(ski_map_insert(&map, &items[0].node));
    memory.fail_at = memory.count + 1;
    memory.fail_after = true;
    for (int i = 1; i < 100; i++) {
        items[i] = (struct item){{NULL, (uint64_t)i * 13}, i};
        CU_ASSERT(ski_map_insert(&map, &items[i].node));
    }
    for (int i = 1; i < 100; i++)
        CU_ASSERT_PTR_EQUAL(find(&map, (uint64_t)i * 13, i), &items[i]);
    ski_map_free(&map);
    CU_ASSERT_EQUAL(memory.live, 0);
}

SUITE(map, {"keeps every node until it is removed", keeps_every_node_until_it_is_removed},
      {"stays usable when it cannot grow", stays_usable_when_it_cannot_grow})
