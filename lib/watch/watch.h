/* watch.h - one watch: what it has seen, when it ends, which event it has to tell. */
#ifndef SKI_WATCH_WATCH_H
#define SKI_WATCH_WATCH_H

#include "watch/engine.h"

/* At its end a watch takes one last look, which may take this long. */
#define SKI_LAST_LOOK_MS 5000
/* A user who opened the link right before it ran out may still be on the provider's page. */
#define SKI_LINK_GRACE_MS 30000

/* The longest a watch may be asked to last: 30 days. */
#define SKI_MAX_WATCH_MS INT64_C(2592000000)

struct ski_prologue; /* connect.c */

struct scalekit_watch {
    struct ski_list link;  /* in its target's watches, or in the engine's lone ones */
    struct ski_list ready; /* in the engine's ready */
    struct ski_engine *engine;
    struct ski_target *target;     /* NULL: none yet, or not any more */
    struct ski_prologue *prologue; /* scalekit_connect_account(), until the link is made */
    scalekit_watch_cb cb;
    void *user;
    unsigned refs;
    ski_timer timer; /* of its end */
    int64_t end_ms;  /* when it ends at the latest */
    scalekit_time link_expiry;
    scalekit_time seen_at;      /* by our clock; 0: never */
    scalekit_request *evidence; /* of the event to tell: keeps its account, link or error */
    char *unknown_text;         /* of a status without a number */
    uint32_t looks;
    enum scalekit_account_status status; /* the last one seen */
    uint8_t told;                        /* the status last told as progress */
    uint8_t before;  /* the status before the link was made: the same again is no news */
    uint8_t waiting; /* the kind of the event to tell, + 1; 0: none */
    bool ending;     /* it waits for its last look */
    bool ended;      /* its final event waits, or was told */
};

/* A watch without a target; it holds the client.  NULL: not accepted. */
scalekit_watch *ski_watch_new(scalekit_client *client, scalekit_watch_cb cb, void *user);

/* Forgets one that nobody has been given yet. */
void ski_watch_discard(scalekit_watch *watch);

/* Whether the parameters are right.  If not, an operation with the same rules fails with them, and
 * its error becomes the final event. */
bool ski_watch_check(scalekit_watch *watch, const struct ski_operation *rules, const void *params);

/* Ends at the latest `deadline_ms` from now (0: not said), or some time after the link has run out. */
void ski_watch_limit(scalekit_watch *watch, int64_t deadline_ms, scalekit_time link_expiry);

/* Queues an event.  `evidence` is the request that shows why, with an account or an error, or, for
 * LINK, with the link; NULL when there is none.  A final event takes the watch off its target, which
 * may go with it. */
void ski_watch_tell(scalekit_watch *watch, enum scalekit_watch_event_kind kind,
                    scalekit_request *evidence);

/* The account was seen, in whatever way. */
void ski_watch_saw(scalekit_watch *watch, const struct scalekit_connected_account *account);

/* What an observation means for this watch.  True: it has ended (and left its target's list). */
bool ski_watch_judge(scalekit_watch *watch, const struct ski_observation *observation);

/* Runs every event that waits: from the loop, or to the end when the client is freed. */
void ski_watch_tell_ready(struct ski_engine *engine, bool all);

/* connect.c: the first steps are given up. */
void ski_prologue_abandon(scalekit_watch *watch);

#endif
