/* roster.h - the accounts of a connection: what is known of each, what of that was told, and which
 * ones a list has not shown.
 *
 * What is told depends on the state alone: an account waits to be told once, however often it has
 * changed, and ski_roster_next() tells what is different from what was told last.
 *
 * Accounts stand in the order in which lists have shown them, so that those a list has not shown are
 * in front: they are found without walking the others. */
#ifndef SKI_WATCH_ROSTER_H
#define SKI_WATCH_ROSTER_H

#include "base/list.h"
#include "base/map.h"
#include "watch/engine.h"
#include <scalekit/watch_connection.h>

struct ski_known {
    struct ski_map_node node; /* by id */
    struct ski_list link;     /* by the list that has shown it last */
    struct ski_list changed;  /* in the roster's, while it may have something to tell */
    scalekit_time updated_at; /* the newest one seen; 0: never */
    int64_t seen_ms;
    uint32_t list;  /* the number of the list that has shown it last */
    uint8_t status; /* the last one seen */
    uint8_t told;   /* the last one told */
    bool is_told : 1;
    bool gone : 1;
    bool missing : 1; /* the complete list before did not show it */
    char text[];      /* id NUL identifier NUL */
};

struct ski_roster {
    const struct ski_mem *mem;
    struct ski_map by_id;
    struct ski_list by_list, changed;
    uint32_t list; /* the number of the latest list */
    size_t n_told; /* and not told as gone */
};

void ski_roster_init(struct ski_roster *roster, const struct ski_mem *mem);
void ski_roster_free(struct ski_roster *roster);

struct ski_known *ski_roster_find(const struct ski_roster *roster, const char *id);

/* An account was seen, that has an id; an observation that is older than what is known changes
 * nothing.  NULL: out of memory. */
struct ski_known *ski_roster_take(struct ski_roster *roster, const struct ski_observation *seen,
                                  int64_t now_ms);

/* The latest list has shown it, or as good as. */
void ski_roster_shown(struct ski_roster *roster, struct ski_known *known);
/* One that the latest list has not shown; NULL: none. */
struct ski_known *ski_roster_unshown(const struct ski_roster *roster);

void ski_roster_remove(struct ski_roster *roster, struct ski_known *known); /* to be told first */

/* The next change; false: none.  One that is told as removed lives until ski_roster_forget(). */
bool ski_roster_next(struct ski_roster *roster, enum scalekit_connection_event_kind *kind,
                     struct ski_known **known, enum scalekit_account_status *previous);
void ski_roster_forget(struct ski_roster *roster, struct ski_known *known);

void ski_known_describe(const struct ski_known *known, struct scalekit_known_account *account);

#endif
