/* feed.h - the environment's events as a source: one request tells of every account.
 *
 * POST /api/v1/events/paginated is tried when something is followed, and used where the environment
 * offers it; where it answers 401, 403, 404 or 501 the engine does silently without.  While it is
 * trusted, polling is only the safety net. */
#ifndef SKI_WATCH_FEED_H
#define SKI_WATCH_FEED_H

#include "base/loop.h"
#include "watch/news.h"
#include "watch/seen_ids.h"
#include "watch/shown.h"
#include <scalekit/request.h>

struct ski_engine;
struct ski_observation;

enum ski_feed_state {
    SKI_FEED_RESTING, /* nothing is followed */
    SKI_FEED_PROBING, /* it is not known where to read from, or whether there is a feed */
    SKI_FEED_READING
};

/* A change that a read has shown and the feed has not, yet. */
struct ski_feed_doubt {
    int64_t ripe_ms;  /* a read begun then settles it; 0: there is none */
    scalekit_time at; /* of the change */
    uint64_t account; /* its id's hash */
};

struct ski_feed {
    struct ski_engine *engine;
    enum ski_feed_state state;
    ski_timer timer;           /* the next read; while one is under way, the end of trust */
    scalekit_request *request; /* the page under way; NULL */
    struct ski_news news;      /* the pages of this read before it */
    struct ski_seen_ids seen;
    struct ski_shown shown;
    scalekit_time baseline;   /* what happened up to then is no news */
    scalekit_time high_water; /* the newest event, by the service's clock; 0: there was none */
    int64_t begun_ms;         /* this read */
    int64_t retry_ms;         /* no probe before */
    int64_t deep_ms;          /* the next read from then on is a deep one */
    int64_t stale_ms;         /* trust ends then, unless a read ends well before */
    int64_t trusted_ms;       /* when it began */
    int64_t read_ms;          /* when a read last ended well */
    int64_t resumed_ms;       /* when one last did after a pause */
    int64_t awaited_ms;       /* until then it is not slow */
    struct ski_feed_doubt doubt;
    unsigned failures; /* in a row, as far as the pause still grows with them */
    unsigned absences; /* in a row, as far as the pause still grows with them */
    bool trusted;
    bool deep; /* this read */
    bool slow; /* the next read is to come late, for nobody waits for it */
};

void ski_feed_init(struct ski_feed *feed, struct ski_engine *engine);
/* The client goes: nothing more is asked, nothing held.  May be called twice. */
void ski_feed_close(struct ski_feed *feed);

/* Something is followed, or something more; nothing is any more.  Then nothing is under way, no
 * timer set, and no trust, of which the engine is not told. */
void ski_feed_wake(struct ski_feed *feed);
void ski_feed_rest(struct ski_feed *feed);

/* Whether a change shows in the feed within seconds, so that looks may be rare.  When that changes
 * ski_engine_trust() is called. */
bool ski_feed_is_trusted(const struct ski_feed *feed);

/* Somebody waits until then for what it shows: it is read often. */
void ski_feed_hurry(struct ski_feed *feed, int64_t until_ms);

/* While it is trusted: how long until everything is looked at once more, nevertheless. */
int64_t ski_feed_guard_ms(const struct ski_feed *feed);

/* A read has shown a change of an account that was seen before: has the feed shown it? */
void ski_feed_compare(struct ski_feed *feed, const struct ski_observation *read);

#endif
