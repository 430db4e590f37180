#include "shelf.h"
#include "check.h"
#include "paging.h"
#include <inttypes.h>
#include <stdio.h>

#define MAX_PAGE     30
#define DEFAULT_PAGE 10

void emu_shelf_init(struct emu_shelf *shelf, const char *prefix, uint64_t first_number)
{
    *shelf = (struct emu_shelf){.prefix = prefix, .first_number = first_number};
    TAILQ_INIT(&shelf->by_age);
}

bool emu_shelf_add(struct emu_shelf *shelf, struct emu_item *item)
{
    snprintf(item->id, sizeof item->id, "%s_%" PRIu64, shelf->prefix,
             shelf->first_number + ++shelf->count);
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

void emu_shelf_answer_page(struct emu_request *request, const struct emu_shelf *shelf,
                           const struct emu_listing *listing, const void *filter)
{
    struct emu_json *json = &request->json;
    const struct emu_item *item;
    struct emu_paging paging;

    emu_below(request, "page_size", MAX_PAGE + 1);
    emu_read_paging(request, &paging, DEFAULT_PAGE, MAX_PAGE);
    if (emu_refused(request))
        return;
    emu_json_open(json, NULL, '{');
    emu_json_open(json, listing->key, '[');
    TAILQ_FOREACH(item, &shelf->by_age, by_age)
    if (listing->wants(request, item, filter) && emu_on_page(&paging))
        listing->put(request, item);
    emu_json_close(json, ']');
    emu_json_paging(json, &paging);
    emu_json_close(json, '}');
    emu_send(request, 200);
}
