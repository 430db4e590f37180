/* map.h - a hash table of strings.  Nodes are embedded in what they find; keys are borrowed from
 * there, and live as long as the node is in the table. */
#ifndef EMU_MAP_H
#define EMU_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_node {
    struct emu_node *next;
    const char *key; /* NULL while it is in no table */
    uint64_t hash;
};

/* All zero is an empty table. */
struct emu_map {
    struct emu_node **buckets;
    size_t n_buckets; /* a power of two, or 0 */
    size_t n;
};

/* The structure around a node; NULL stays NULL. */
#define EMU_OWNER(node, type, member)                                                              \
    ((type *)((node) ? (char *)(node)-offsetof(type, member) : NULL))

struct emu_node *emu_map_find(const struct emu_map *map, const char *key);
/* The key must not be in the table.  False when memory ran out. */
bool emu_map_add(struct emu_map *map, struct emu_node *node, const char *key);
void emu_map_remove(struct emu_map *map, struct emu_node *node); /* harmless when it is not in it */

/* Takes any node out, or gives NULL and frees the table: for emptying it. */
struct emu_node *emu_map_take(struct emu_map *map);

#endif
