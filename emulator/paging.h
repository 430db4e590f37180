/* paging.h - a list cut into pages by the place of an item in it: for lists of things that seldom
 * change, or that are put together for each request. */
#ifndef EMU_PAGING_H
#define EMU_PAGING_H

#include "server.h"

struct emu_paging {
    size_t from, to; /* the page's places */
    size_t total;    /* items walked over so far */
};

/* Reads page_size and page_token of the query; what is wrong with them is noted (check.h).  More
 * than `max` is `max`. */
void emu_read_paging(struct emu_request *request, struct emu_paging *paging, size_t usual,
                     size_t max);

/* Whether the next item is on the page: to be asked once for each item of the list. */
bool emu_on_page(struct emu_paging *paging);

/* total_size and both tokens, once all items have been walked over. */
void emu_json_paging(struct emu_json *json, const struct emu_paging *paging);

#endif
