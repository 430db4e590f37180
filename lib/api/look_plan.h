/* look_plan.h - how to see many accounts with few requests.  Pure: no I/O, no client.
 *
 * There are three ways to see an account, and they are compared by counting requests:
 *
 *   single   /details                                                1 request, 1 account
 *   user     the list of one identifier and up to 20 connections     1 request, up to 20 accounts
 *   sweep    the list of up to 20 connections, 99 accounts a page    as many as it has pages
 *
 * What a sweep costs depends on how many accounts the connections have, which is known when its
 * first page has come.  So that page is asked for where it may pay well, and then after each page
 * ski_sweep_pays() tells whether to go on.  If not, it may be one of several connections that is
 * large: the sweep is cut in two where that may pay; what is left of it is seen by user.
 *
 * Where it is known beforehand (the looks' total) no page is spent on finding out: a sweep is
 * planned of the connections that are worth their pages, and only if it pays.
 *
 *     ski_plan_sweeps() ──► sweeps, and the rest
 *         each sweep: page, page, … while it pays ──► ski_cut_sweep(): halves, or the rest
 *     ski_plan_users()  ──► of the rest: one step for each user
 *
 * Accounts are in the same scope when the same organization and user narrow them: one list has one
 * scope.  Both plans take O(n log n). */
#ifndef SKI_API_LOOK_PLAN_H
#define SKI_API_LOOK_PLAN_H

#include "base/mem.h"

#define SKI_LIST_NAMES      20   /* of connections in one list */
#define SKI_LIST_NAME_BYTES 4096 /* of them together, so that the target fits into every server */
#define SKI_LIST_PAGE       99   /* accounts on one page */

/* A request in the unit of shares. */
#define SKI_SHARE_ONE (1u << 16)

struct ski_errand;

/* What is known of the size of a connection. */
enum ski_look_size {
    SKI_SIZE_UNKNOWN,
    SKI_SIZE_CHEAP, /* its pages cost less than to see its looks by user */
    SKI_SIZE_DEAR
};

/* An account that is to be seen.  No two are equal; organization_id and user_id may be NULL. */
struct ski_look {
    const char *connection_name, *identifier, *organization_id, *user_id;
    const char *connected_account_id; /* NULL: it is named */
    bool
        listed; /* it has an id, and lists can show it by its names; plans are of those and named ones */
    uint32_t total; /* accounts that its connection has in its scope; 0: unknown */

    uint32_t share;          /* of the request that sees it by user; a plan's result */
    uint32_t same;           /* how many have its connection; used while planning */
    enum ski_look_size size; /* used while planning */

    struct ski_errand *errand; /* a survey's (api/survey.h); NULL: told, or dropped */
    uint32_t place;            /* a survey's */
};

enum ski_look_way { SKI_LOOK_SINGLE, SKI_LOOK_USER, SKI_LOOK_SWEEP };

struct ski_look_step {
    enum ski_look_way way;
    size_t first, count; /* in the array of looks */
    int64_t total;       /* accounts that a sweep is known to list; 0: unknown */
};

/* Steps, in the order of the array of looks; freed by ski_look_plan_free(). */
struct ski_look_plan {
    struct ski_look_step *steps;
    size_t n_steps;
    size_t planned; /* looks that have a step: they are the first ones of the array */
};

/* Which connections are worth the first page of a sweep.  Reorders the looks, and sets their
 * shares. false: out of memory. */
bool ski_plan_sweeps(struct ski_look_plan *plan, const struct ski_mem *mem, struct ski_look **looks,
                     size_t n);

/* A step for each user, or more where a user has too many connections for one list.  Reorders the
 * looks.  false: out of memory. */
bool ski_plan_users(struct ski_look_plan *plan, const struct ski_mem *mem, struct ski_look **looks,
                    size_t n);

void ski_look_plan_free(struct ski_look_plan *plan, const struct ski_mem *mem);

/* The connections of a step, each once.  Returns how many. */
size_t ski_look_names(const struct ski_look_step *step, struct ski_look *const *looks,
                      const char *names[SKI_LIST_NAMES]);

/* Cuts a sweep that does not pay, all of whose looks are still to be seen, into two steps with half
 * of its connections each: a SWEEP where that may pay, else USER.  false: it has one connection
 * only. */
bool ski_cut_sweep(const struct ski_look_step *step, struct ski_look *const *looks,
                   struct ski_look_step halves[2]);

/* How far a list has come that has another page. */
struct ski_sweep {
    int64_t total; /* accounts, as the last page says; what is not more than `listed` is no guide */
    int64_t listed; /* accounts on the pages so far */
    int64_t pages;  /* so far; 0: none yet, and the total is known beforehand */
    uint64_t whole; /* the shares of all that it is to show */
    uint64_t left;  /* of what it has not shown yet */
};

/* The pages that are left, at least 1. */
uint64_t ski_pages_left(const struct ski_sweep *sweep);

/* Whether the pages that are left cost less than seeing what is left by user.  Not for ever: once
 * it has cost as much as everything by user, it does not, whatever the server says. */
bool ski_sweep_pays(const struct ski_sweep *sweep);

#endif
