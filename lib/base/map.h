/* map.h - an intrusive hash table.  The owner embeds a node, hashes its key, and compares.
 *
 * Chains; the table doubles when it holds twice as many nodes as slots.  When memory for that is
 * refused it stays as it is, only more crowded: inserting never fails after the first time. */
#ifndef SKI_BASE_MAP_H
#define SKI_BASE_MAP_H

#include "base/mem.h"

struct ski_map_node {
    struct ski_map_node *next;
    uint64_t hash;
};

struct ski_map {
    const struct ski_mem *mem;
    struct ski_map_node **slots; /* a power of two of them; NULL before the first insert */
    size_t n_slots, count;
};

void ski_map_init(struct ski_map *map, const struct ski_mem *mem);
void ski_map_free(struct ski_map *map); /* the table only; the nodes are their owners' */

/* The first node of that hash for which `equal` says so; NULL when there is none. */
struct ski_map_node *ski_map_find(const struct ski_map *map, uint64_t hash,
                                  bool (*equal)(const struct ski_map_node *node, const void *key),
                                  const void *key);

/* Inserts under node->hash.  false: out of memory for the very first table. */
bool ski_map_insert(struct ski_map *map, struct ski_map_node *node);
void ski_map_remove(struct ski_map *map, struct ski_map_node *node); /* must be in it */

#endif
