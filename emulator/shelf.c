#include "shelf.h"

void emu_shelf_init(struct emu_shelf *shelf, const char *prefix, uint64_t first_number)
{
    *shelf = (struct emu_shelf){.prefix = prefix, .first_number = first_number};
    TAILQ_INIT(&shelf->by_age);
}

bool emu_shelf_add(struct emu_shelf *shelf, struct emu_item *item)
{
    emu_make_id(item->id, shelf->prefix, shelf->first_number + ++shelf->count);
    if (!emu_map_add(&shelf->by_id, &item->by_id, item->id))
        return false;
    TAILQ_INSERT_TAIL(&shelf->by_age, item, by_age);
    return true;
}

void emu_shelf_remove(struct emu_shelf *shelf, struct emu_item *item)
{
    if (!item->by_id.key)
        return;
    emu_map_remove(&shelf->by_id, &item->by_id);
    TAILQ_REMOVE(&shelf->by_age, item, by_age);
}

struct emu_item *emu_shelf_find(const struct emu_shelf *shelf, const char *id)
{
    return EMU_OWNER(emu_map_find(&shelf->by_id, id), struct emu_item, by_id);
}
