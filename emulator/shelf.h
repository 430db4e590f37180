/* shelf.h - things of one kind that come and go: by id, by age, and a page at a time.  For kinds of
 * which there are not many: a list looks at all of them. */
#ifndef EMU_SHELF_H
#define EMU_SHELF_H

#include "map.h"
#include <sys/queue.h>

struct emu_request;

/* Embedded in what is on the shelf. */
struct emu_item {
    struct emu_node by_id;
    TAILQ_ENTRY(emu_item) by_age;
    char id[32]; /* "cfg_20000000000000001" */
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

/* How a kind is listed. */
struct emu_listing {
    const char *key; /* of the list in the answer */
    bool (*wants)(struct emu_request *request, const struct emu_item *item, const void *filter);
    void (*put)(struct emu_request *request, const struct emu_item *item);
};

/* Answers with the page that page_size (up to 30) and page_token ask for.  What is wrong with them
 * and what has been noted before is the answer instead. */
void emu_shelf_answer_page(struct emu_request *request, const struct emu_shelf *shelf,
                           const struct emu_listing *listing, const void *filter);

#endif
