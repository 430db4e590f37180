/* paging.h - pages of lists: how many things, where they begin, and the tokens of the pages around.
 *
 * The things of a list are numbered, in the order of the list or against it: accounts by age
 * (list.c), what happened by time (record.h), and whatever is put together for a request by its
 * place there.  A token says a number and a side of it, so that numbers that stay with their things
 * give pages which neither repeat nor skip any while others come and go. */
#ifndef EMU_PAGING_H
#define EMU_PAGING_H

#include "server.h"

/* A page begins with a number or, backward, ends before it, in the order of the list.  All zero is
 * the first page. */
struct emu_position {
    bool backward;
    uint64_t number;
};

enum emu_excess { EMU_CUT, EMU_REFUSE }; /* what becomes of a page_size that is too large */

/* Read page_size and page_token of the query; what is wrong with them is noted (check.h). */
size_t emu_read_page_size(struct emu_request *request, size_t usual, size_t max,
                          enum emu_excess excess);
void emu_read_position(struct emu_request *request, struct emu_position *position);

/* "" when there is no such page. */
void emu_json_token(struct emu_json *json, const char *key, const struct emu_position *position,
                    bool exists);

/* --- by place ---------------------------------------------------------------------------------- */

/* For lists of things that seldom change, or that are put together for each request. */
struct emu_paging {
    size_t from, to; /* the page's places */
    size_t total;    /* things walked over so far */
};

void emu_read_paging(struct emu_request *request, struct emu_paging *paging, size_t usual,
                     size_t max, enum emu_excess excess);
/* Whether the next thing is on the page: to be asked once for each thing of the list. */
bool emu_on_page(struct emu_paging *paging);
/* total_size and both tokens, once all things have been walked over. */
void emu_json_paging(struct emu_json *json, const struct emu_paging *paging);

/* How the things on a shelf are listed: all of those that are wanted, as long as there are not too
 * many to look at each. */
struct emu_listing {
    const char *key; /* of the list in the answer */
    bool (*wants)(struct emu_request *request, const struct emu_item *item, const void *filter);
    void (*put)(struct emu_request *request, const struct emu_item *item);
    size_t usual, max; /* page_size */
    enum emu_excess excess;
};

/* Answers with the page that is asked for; or with what is wrong with the request, also what has
 * been noted before. */
void emu_answer_page(struct emu_request *request, const struct emu_shelf *shelf,
                     const struct emu_listing *listing, const void *filter);

/* --- by time ----------------------------------------------------------------------------------- */

#define EMU_RECORD_PAGE 100 /* things on a page of a record, at most; more than it is cut */

/* Which things of a record are on its pages: all for which this is true. */
struct emu_wanted {
    bool (*is)(const void *item, const void *filter);
    const void *filter;
};

struct emu_page {
    const void *items[EMU_RECORD_PAGE]; /* newest first */
    uint64_t numbers[EMU_RECORD_PAGE];
    size_t n;
    struct emu_position next, previous; /* of older things, and of newer ones */
    bool has_next, has_previous;
};

/* The page that is asked for.  False when something was wrong with the request, which has been
 * answered then. */
bool emu_record_page(struct emu_request *request, const struct emu_record *record,
                     const struct emu_wanted *wanted, struct emu_page *page);
size_t emu_record_count(const struct emu_record *record, const struct emu_wanted *wanted);

#endif
