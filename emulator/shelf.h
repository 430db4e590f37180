/* shelf.h - things of one kind that come and go, by id and by age. */
#ifndef EMU_SHELF_H
#define EMU_SHELF_H

#include "map.h"
#include "text.h"
#include <sys/queue.h>

/* Embedded in what is on the shelf. */
struct emu_item {
    struct emu_node by_id;
    TAILQ_ENTRY(emu_item) by_age;
    char id[EMU_ID_SIZE]; /* "cfg_20000000000000001" */
};

struct emu_shelf {
    const char *prefix;           /* of ids: "cfg" */
    uint64_t first_number, count; /* of ids */
    struct emu_map by_id;
    TAILQ_HEAD(emu_items, emu_item) by_age;
};

void emu_shelf_init(struct emu_shelf *shelf, const char *prefix, uint64_t first_number);

/* Gives the item its id.  False when memory ran out. */
bool emu_shelf_add(struct emu_shelf *shelf, struct emu_item *item);
void emu_shelf_remove(struct emu_shelf *shelf, struct emu_item *item);
struct emu_item *emu_shelf_find(const struct emu_shelf *shelf, const char *id);

#endif
