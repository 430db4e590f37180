/* engine.h - one engine for all watches of a client.
 *
 *   watch ──┐                  ┌── round: single look-ups, lists, sweeps (round.c)
 *   watch ──┼──► target ◄──────┼── feed: the events of the environment (feed.c)
 *   watch ──┘      │           └── deliveries: the events that are posted (deliveries.c)
 *      ▲           │  ski_engine_observe(): every source reports here
 *      └── ski_judge(): which event fires ◄──┘
 *
 * Schedule (schedule.c).  A watch has one timer in the wheel of the table: its next wish for a look,
 * or its end, whichever is first.  A wish makes its target due; due targets are gathered until the
 * next round, and a round sees them with as few requests as it can.  While a watch sleeps it costs
 * its record and nothing else. */
#ifndef SKI_WATCH_ENGINE_H
#define SKI_WATCH_ENGINE_H

#include "core/client.h"
#include "watch/deliveries.h"
#include "watch/feed.h"
#include "watch/table.h"
#include "watch/tally.h"
#include "watch/target.h"
#include <scalekit/watch.h>

/* "Not found" may be a replica that lags behind: only this many, this far apart, count as gone. */
#define SKI_MISSING_LOOKS  3
#define SKI_MISSING_GAP_MS 10000
/* For so long a read that shows something older than what was seen is a replica that lags behind. */
#define SKI_REPLICA_LAG_MS 30000

struct ski_engine {
    struct ski_attachment attachment;
    struct ski_mem mem; /* a copy: handles may outlive the client */
    unsigned refs;      /* the client's, and one per watch */
    scalekit_client *client;
    struct ski_watch_table watches;
    struct ski_targets targets;
    unsigned n_following;       /* watches that have not ended, and listeners */
    uint32_t ready, ready_last; /* watches with an event to tell */
    struct ski_task tell;

    ski_timer alarm;              /* of the wheel */
    int64_t alarm_ms;             /* what it is set to; INT64_MAX: it is not */
    ski_timer again;              /* plans once more, when there was no memory */
    struct ski_task plan;         /* starts the rounds that are to start in this turn */
    struct ski_list ready_groups; /* theirs */
    unsigned n_rounds;
    struct ski_list rounds; /* under way */
    int64_t beat_ms;        /* a moment when rounds start; so are those an interval apart */
    int64_t last_look_ms; /* when as many looks are allowed again that a trusted feed is to save */
    struct ski_task hasten; /* brings the wishes forward that the feed put off */
    uint32_t hastened;      /* up to this number */

    struct ski_feed feed;
    struct ski_deliveries deliveries;
    struct ski_list listeners;
    struct ski_tally tally;
};

/* What a source saw or was told. */
struct ski_observation {
    enum scalekit_watch_source source;
    const struct scalekit_connected_account *account; /* NULL: it failed */
    const struct scalekit_error *error;               /* NULL: it did not */
    /* What brought it, and owns the two above; borrowed.  At most one; NULL: nothing that lasts. */
    scalekit_request *evidence;
    const struct scalekit_webhook_event *delivery;
    int64_t asked_ms; /* when it was asked for, or came: what a look shows is not older */
    scalekit_time at; /* the account's updated_at, or when the event occurred; 0: unknown */
    int64_t age_ms;   /* of a delivery: how long ago it may have occurred, at most; else 0 */
    bool herald;      /* one that says what has happened is probably on its way */
};

/* Whether an event has told it: of a change, that was at some time before. */
static inline bool ski_is_event(const struct ski_observation *observation)
{
    return observation->source == SCALEKIT_WATCH_SOURCE_FEED ||
           observation->source == SCALEKIT_WATCH_SOURCE_WEBHOOK;
}

/* Who is told of every account that any source has seen.  It must not free itself inside. */
struct ski_listener {
    struct ski_list link;
    void (*saw)(struct ski_listener *listener, const struct ski_observation *observation);
    /* An event says that something has happened to an account, but not what. */
    void (*suspect)(struct ski_listener *listener, const struct ski_observation *observation);
    /* Whether events tell what happens is another now (ski_engine_is_told()). */
    void (*trust)(struct ski_listener *listener);
    /* The client goes. */
    void (*close)(struct ski_listener *listener);
};

/* The client's engine, made with its first watch.  NULL: out of memory. */
struct ski_engine *ski_engine_of(scalekit_client *client);
void ski_engine_unref(struct ski_engine *engine);

int64_t ski_engine_now(const struct ski_engine *engine);
/* The last moment that can be believed, a day from now: whatever claims a later one would hide all
 * that happens until then. */
scalekit_time ski_engine_latest(const struct ski_engine *engine);

/* A watch, or a listener, is there; or is not any more.  The feed is read while there is any. */
void ski_engine_follow(struct ski_engine *engine);
void ski_engine_unfollow(struct ski_engine *engine);

void ski_engine_listen(struct ski_engine *engine, struct ski_listener *listener);
void ski_engine_ignore(struct ski_engine *engine, struct ski_listener *listener);

/* Puts a watch on the target of that name, made if there is none; its first look is to come after
 * `delay_ms`.  false: out of memory. */
bool ski_engine_attach(struct ski_engine *engine, scalekit_watch *watch,
                       const struct ski_account_name *name, int64_t delay_ms);
/* Takes a watch off its target; the target goes with its last watch. */
void ski_engine_detach(scalekit_watch *watch);

/* An event tells what an account is now.  Everybody it concerns is told. */
void ski_engine_saw(struct ski_engine *engine, const struct ski_observation *observation);

/* An account was seen, whoever follows it: for the listeners. */
void ski_engine_hear(struct ski_engine *engine, const struct ski_observation *observation);

/* It could not be asked for: its watches wish again. */
void ski_engine_postpone(struct ski_engine *engine, struct ski_target *target);

/* What a source has to say about a target, good or bad; it may be gone afterwards. */
void ski_engine_observe(struct ski_engine *engine, struct ski_target *target,
                        const struct ski_observation *observation);

/* An event says that something has happened to an account, but not what: its targets are looked at,
 * and the listeners told. */
void ski_engine_suspect(struct ski_engine *engine, const struct ski_observation *observation);
/* The same, for the listeners alone. */
void ski_engine_alert(struct ski_engine *engine, const struct ski_observation *observation);

/* Whether events tell within seconds of all that has changed since then, be it the feed or
 * deliveries: neither tells what was before it could be relied on. */
bool ski_engine_is_told(const struct ski_engine *engine, int64_t since_ms);
/* One of the two has become trustworthy, or is not any more. */
void ski_engine_trust(struct ski_engine *engine, bool trusted);

#endif
