/* each.h - a list from its first page to its last, as one request.
 *
 * What pages have in common is read from the tables of the operation that lists: its parameter
 * "page_token", its result's "next_page_token", "total_size" and the (first) list of objects. */
#ifndef SKI_API_EACH_H
#define SKI_API_EACH_H

#include "base/map.h"
#include "core/request.h"
#include <scalekit/each.h>

/* So that nothing is endless. */
#define SKI_EACH_MAX_PAGES 100000

/* A list, and how its pages and items reach callbacks of their own types. */
struct ski_each_list {
    const char *operation;     /* the row that lists: "list_tools" */
    struct ski_operation each; /* the row of the whole: "each_tool" */
    ski_callback on_page;      /* the completion of a page's request; calls ski_each_take() */
    bool (*tell_page)(scalekit_request *request, ski_callback cb, const void *page, void *user);
    bool (*tell_item)(scalekit_request *request, ski_callback cb, const void *item, void *user);
};

struct ski_each {
    scalekit_request *request; /* the whole, as the application has it */
    const struct ski_each_list *list;
    const struct ski_operation *operation;
    ski_callback each_page, each_item; /* one of them may be NULL */
    struct ski_arena arena;
    void *params;           /* a copy, whose page_token is replaced from page to page */
    char *page_token;       /* that one; NULL: the caller's, or none */
    struct ski_map seen;    /* tokens, by their hash: 24 bytes a page */
    unsigned pages;         /* asked for */
    int64_t allowed_ms;     /* for each page */
    scalekit_request *step; /* of the page under way; NULL */
    const void *page;       /* the page being told; NULL */
    int attempts;           /* of the pages that came */
    bool sent;              /* one of them */
};

/* NULL: not accepted; at least one of each_page and each_item must be there. */
scalekit_request *ski_each_start(scalekit_client *client, const struct ski_each_list *list,
                                 const void *params, ski_callback each_page, ski_callback each_item,
                                 scalekit_done_cb done, void *user);

/* A page came; NULL: it failed.  `user` is the struct ski_each. */
void ski_each_take(scalekit_request *step, const void *page, void *user);

#endif
