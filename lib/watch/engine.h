/* engine.h - the accounts being followed, and when to look at them.
 *
 *   watch ──┐
 *   watch ──┼──► target (one account) ──► timer ──► source looks ──► ski_engine_observe()
 *   watch ──┘                                                              │
 *      ▲                                                                   │
 *      └── ski_watch_judge(): which event fires ◄── for every watch ───────┘
 *
 * Sources only observe; one function decides, so that no two sources can disagree or fire twice.
 * While it sleeps a target costs a timer in the client's wheel and nothing else.
 *
 * Schedule.  The first look comes first_check after a watch starts; then one every interval (±20 %)
 * during the fast period of the youngest watch; then each pause is 1.5 times the last, up to the
 * maximum.  Looks never overlap.  Failures back off 1, 2, 4 … 30 s and never end a watch, unless
 * the service refuses for good. */
#ifndef SKI_WATCH_ENGINE_H
#define SKI_WATCH_ENGINE_H

#include "base/map.h"
#include "core/client.h"
#include <scalekit/watch.h>

/* "Not found" may be a replica that lags behind: only this many, this far apart, count as gone. */
#define SKI_MISSING_LOOKS  3
#define SKI_MISSING_GAP_MS 10000

struct ski_engine {
    struct ski_attachment attachment;
    struct ski_mem mem; /* a copy: handles may outlive the client */
    unsigned refs;      /* the client's, and one per watch */
    scalekit_client *client;
    struct ski_map by_key;   /* targets */
    struct ski_list targets; /* the same, to walk */
    struct ski_list lone;    /* watches without a target */
    struct ski_list ready;   /* watches with an event to tell */
    struct ski_task tell;
};

/* Names an account.  Absent parts are NULL. */
struct ski_account_name {
    const char *id, *connection_name, *identifier, *organization_id, *user_id;
};

struct ski_target {
    struct ski_map_node node;
    struct ski_list link;    /* in the engine's targets */
    struct ski_list watches; /* never empty */
    struct ski_engine *engine;
    scalekit_request *look; /* under way; NULL */
    ski_timer timer;        /* of the next look */
    int64_t due_ms, fast_until_ms, pause_ms;
    int64_t missing_since_ms; /* of the last "not found" that counted */
    uint16_t failures;        /* in a row, as far as the pause still grows with them */
    uint16_t missing;         /* "not found" that counted, in a row */
    char name[];              /* id NUL connection NUL identifier NUL organization NUL user NUL */
};

/* What a source saw.  `evidence` is the request that brought it, borrowed. */
struct ski_observation {
    const struct scalekit_connected_account *account; /* NULL: it failed */
    const struct scalekit_error *error;               /* NULL: it did not */
    scalekit_request *evidence;
};

/* The client's engine, made with its first watch.  NULL: out of memory. */
struct ski_engine *ski_engine_of(scalekit_client *client);
void ski_engine_unref(struct ski_engine *engine);

/* Puts a watch on the target of that name, made if there is none; the first look comes after
 * `delay_ms`.  false: out of memory. */
bool ski_engine_follow(struct ski_engine *engine, scalekit_watch *watch,
                       const struct ski_account_name *name, int64_t delay_ms);

/* Takes a watch off its target; the target goes with its last watch. */
void ski_engine_unfollow(scalekit_watch *watch);

void ski_target_name(const struct ski_target *target, struct ski_account_name *name);

/* Looks now, unless a look is under way already. */
void ski_target_look(struct ski_target *target);

/* Every source reports here. */
void ski_engine_observe(struct ski_target *target, const struct ski_observation *observation);

#endif
