#include "base/map.h"

#define FIRST_SLOTS 16

void ski_map_init(struct ski_map *map, const struct ski_mem *mem)
{
    *map = (struct ski_map){.mem = mem};
}

void ski_map_free(struct ski_map *map)
{
    ski_free(map->mem, map->slots);
    ski_map_init(map, map->mem);
}

static struct ski_map_node **slot_of(const struct ski_map *map, uint64_t hash)
{
    return &map->slots[hash & (map->n_slots - 1)];
}

struct ski_map_node *ski_map_find(const struct ski_map *map, uint64_t hash,
                                  bool (*equal)(const struct ski_map_node *node, const void *key),
                                  const void *key)
{
    if (!map->slots)
        return NULL;
    for (struct ski_map_node *node = *slot_of(map, hash); node; node = node->next)
        if (node->hash == hash && equal(node, key))
            return node;
    return NULL;
}

static void grow(struct ski_map *map)
{
    struct ski_map larger = {.mem = map->mem, .count = map->count};

    larger.n_slots = map->n_slots ? map->n_slots * 2 : FIRST_SLOTS;
    larger.slots = ski_realloc_array(map->mem, NULL, larger.n_slots, sizeof *larger.slots);
    if (!larger.slots)
        return;
    for (size_t i = 0; i < larger.n_slots; i++)
        larger.slots[i] = NULL;
    for (size_t i = 0; i < map->n_slots; i++)
        for (struct ski_map_node *node = map->slots[i], *next; node; node = next) {
            struct ski_map_node **slot = slot_of(&larger, node->hash);

            next = node->next;
            node->next = *slot;
            *slot = node;
        }
    ski_free(map->mem, map->slots);
    *map = larger;
}

bool ski_map_insert(struct ski_map *map, struct ski_map_node *node)
{
    struct ski_map_node **slot;

    if (map->count >= 2 * map->n_slots)
        grow(map);
    if (!map->slots)
        return false;
    slot = slot_of(map, node->hash);
    node->next = *slot;
    *slot = node;
    map->count++;
    return true;
}

void ski_map_remove(struct ski_map *map, struct ski_map_node *node)
{
    struct ski_map_node **at = slot_of(map, node->hash);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    map->count--;
}
