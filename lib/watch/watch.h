/* watch.h - one watch: whom it tells, what it has seen, when it ends, which event it has to tell. */
#ifndef SKI_WATCH_WATCH_H
#define SKI_WATCH_WATCH_H

#include "watch/engine.h"
#include "watch/judge.h"

/* A user who opened the link right before it ran out may still be on the provider's page. */
#define SKI_LINK_GRACE_MS 30000

/* The longest a watch may be asked to last: 30 days. */
#define SKI_MAX_WATCH_MS INT64_C(2592000000)

#define SKI_NEVER        INT64_MAX

struct ski_prologue; /* connect.c */

/* What few watches have, and those only for some time. */
struct ski_watch_extra {
    struct ski_prologue *prologue; /* scalekit_connect_account(), until the link is made */
    char *unknown_text;            /* of a status without a number */
    scalekit_time known_at;        /* see ski_judge() */
    int64_t deadline_ms;           /* of one that follows, when a link may end it earlier; 0 */
    /* Of the event to tell. */
    /* One of them keeps the account, a link or an error; NULL. */
    scalekit_request *evidence;
    const struct scalekit_webhook_event *delivery;
    const struct scalekit_connected_account *account;
    scalekit_time seen_at; /* by our clock; 0: never */
    enum scalekit_watch_source source;
};

/* 80 bytes.  Links are numbers of the engine's table. */
struct scalekit_watch {
    uint32_t number;
    uint32_t refs;       /* 0: the record is free, and `next` is the next free one */
    uint32_t next, prev; /* in the ring of its target's */
    uint32_t next_ready; /* in the engine's queue */
    uint32_t start;      /* milliseconds, modulo 2^32 */
    struct ski_view view;
    unsigned looks : 20;     /* at most */
    unsigned patience_s : 4; /* when it is ending: how long before end_ms that began */
    unsigned waiting : 4;    /* the kind of the event to tell, + 1; 0: none */
    unsigned link_ends : 1;  /* it is the link that limits it */
    unsigned ending : 1;     /* it waits for its last look */
    unsigned ended : 1;      /* its final event waits, or was told */
    unsigned knows : 1;      /* what its target was at the start, or something newer */
    struct ski_engine *engine;
    struct ski_target *target; /* NULL: none yet, or not any more */
    scalekit_watch_cb cb;
    void *user;
    struct ski_watch_extra *extra; /* NULL: nothing of it */
    int64_t end_ms;                /* when it ends at the latest; SKI_NEVER */
};

/* A watch without a target; it holds the client.  NULL: not accepted. */
scalekit_watch *ski_watch_new(scalekit_client *client, scalekit_watch_cb cb, void *user);

/* Forgets one that nobody has been given yet. */
void ski_watch_discard(scalekit_watch *watch);

/* Made when it is asked for first.  NULL: out of memory. */
struct ski_watch_extra *ski_watch_extra(scalekit_watch *watch);

/* From now on the account of that name is followed; the first look comes after the client's
 * watch_first_check_ms.  `known_at`: the updated_at of the status it is known to have; 0: none.
 * false: out of memory. */
bool ski_watch_follow(scalekit_watch *watch, const struct ski_account_name *name,
                      scalekit_time known_at);

/* Whether the parameters are right.  If not, an operation with the same rules fails with them, and
 * its error becomes the final event. */
bool ski_watch_check(scalekit_watch *watch, const struct ski_operation *rules, const void *params);

/* Ends at the latest `deadline_ms` from now (0: not said), or some time after the link has run out.
 * Before it follows an account. */
void ski_watch_limit(scalekit_watch *watch, int64_t deadline_ms, scalekit_time link_expiry);

/* Queues an event.  `seen` is what shows why: the request with an account, an error or, for LINK, the
 * link; NULL when there is nothing.  A final event takes the watch off its target, which may go
 * with it. */
void ski_watch_tell(scalekit_watch *watch, enum scalekit_watch_event_kind kind,
                    const struct ski_observation *seen);

/* What an observation means for this watch.  True: it has ended (and left its target). */
bool ski_watch_judge(scalekit_watch *watch, const struct ski_observation *observation);

/* An observation does not count.  If it was the last look, the watch ends all the same; but where
 * something that was asked for earlier came in between, there may be time for another.  Returns as
 * above. */
bool ski_watch_pass_over(scalekit_watch *watch, const struct ski_observation *observation);

/* Its end has come, or its last look took too long. */
void ski_watch_end(scalekit_watch *watch);
/* Its end has come, and it waits for its last look, so long: whole seconds, up to 15. */
void ski_watch_prolong(scalekit_watch *watch, int64_t patience_ms);

/* Milliseconds since its start, modulo 2^32: meant for the first weeks of it. */
uint32_t ski_watch_age(const scalekit_watch *watch, int64_t now_ms);

/* Runs every event that waits: from the loop, or to the end when the client is freed. */
void ski_watch_tell_ready(struct ski_engine *engine, bool all);

/* connect.c: the first steps are given up. */
void ski_prologue_abandon(scalekit_watch *watch);

#endif
