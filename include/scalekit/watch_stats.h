/* scalekit/watch_stats.h - what the watch engine of a client does, in numbers.
 *
 *     struct scalekit_watch_stats stats;
 *
 *     scalekit_client_get_watch_stats(client, &stats);
 *     printf("%u of %u pending, p95 %lld ms\n", stats.pending, stats.watches,
 *            (long long)stats.lag_p95_ms);
 *
 * All of it is counted as it happens: reading takes the same time for one watch and for a million (of
 * the same connection; 100,000 groups take milliseconds, for oldest_ms), and costs no request. */
#ifndef SCALEKIT_WATCH_STATS_H
#define SCALEKIT_WATCH_STATS_H

#include <scalekit/governor.h>
#include <scalekit/watch.h>

SCALEKIT_BEGIN

/* The lengths of what is counted by source and by kind of event; they leave room for more. */
#define SCALEKIT_WATCH_SOURCES     8
#define SCALEKIT_WATCH_EVENT_KINDS 16

/* How things stand, and what was done since the client's first watch. */
struct scalekit_watch_stats {
    size_t struct_size;

    /* Watches that have not ended, by how far they are: each account of a set is one.  Those of
     * watch_connection.h are not counted. */
    uint32_t watches;   /* all of them */
    uint32_t starting;  /* not on an account yet: scalekit_connect_account() before its link */
    uint32_t pending;   /* wait for their account to settle */
    uint32_t following; /* it has settled, and they go on */
    uint32_t targets;   /* accounts they are about; equal ones count once */
    uint32_t groups;    /* of targets that one list can show: connections, narrowed or not */
    /* How long ago the account that was not seen for longest was seen last.  0: there is none; -1: it
     * has never been seen, for its watch is new or no look succeeds. */
    int64_t oldest_ms;

    /* Requests of the engine, so far; a page of a list counts as one.  Those of scalekit_connect_account()
     * before its watch, and of watch_connection.h, show in per_minute alone. */
    uint64_t look_ups;
    uint64_t user_lists;
    uint64_t sweep_pages;
    uint64_t feed_reads;
    uint64_t rounds;   /* in which look-ups, lists and sweeps are gathered */
    uint64_t failures; /* looks that did not succeed */

    /* Accounts that are watched and were seen, so far, by enum scalekit_watch_source. */
    uint64_t observations[SCALEKIT_WATCH_SOURCES];
    uint64_t ignored; /* of them: they showed something older than what was known */
    /* Events, so far, by enum scalekit_watch_event_kind. */
    uint64_t events[SCALEKIT_WATCH_EVENT_KINDS];

    bool feed_trusted;    /* changes show in the event feed, and so looks are rare */
    uint64_t feed_misses; /* changes that a look has shown and the feed has not */

    /* From an account's updated_at, by the service's clock, to the event that told of it, by ours: the
     * lag that 50, 95 and 99 % of n_lags changes were not above, in milliseconds.  Exact below 8 ms,
     * else up to a quarter too long, and never too short.  0 when there are none. */
    uint64_t n_lags;
    int64_t lag_p50_ms, lag_p95_ms, lag_p99_ms;

    /* Of the client's governor, which may be shared: see there. */
    unsigned max_requests_per_minute; /* the ceiling; 0: none */
    double rate;                      /* requests a minute that may go now; 0: no limit is known */
    double measured;                  /* requests a minute that did go, lately */
    uint64_t rate_limited;            /* answers with 429, so far */
    /* Requests that went, a minute, by enum scalekit_request_class: in the last one to two minutes, or
     * since the statistics were read before if that is longer ago.  0 when they are read for the first
     * time, and without an engine. */
    double per_minute[SCALEKIT_CLASSES];

    /* Of scalekit_webhook_deliver(), so far. */
    uint64_t deliveries;           /* taken in */
    uint64_t duplicate_deliveries; /* had before */
    uint64_t rejected_deliveries;  /* with any other verdict */
    /* Changes that a look has shown, and no delivery had within 15 s; where they come by the thousand
     * a second, not all of them are known. */
    uint64_t missed_deliveries;
    bool deliveries_flow; /* and so looks are rare */
};

/* scalekit_client_get_watch_stats() for a structure of that size: a library that has grown fills no
 * more than the program has. */
SCALEKIT_API void scalekit_client_read_watch_stats(scalekit_client *client,
                                                   struct scalekit_watch_stats *stats,
                                                   size_t struct_size);

/* Fills `stats`; all of it is 0 when the client is NULL, and all but the governor's when it has never
 * watched anything.  Does nothing when `stats` is NULL. */
static inline void scalekit_client_get_watch_stats(scalekit_client *client,
                                                   struct scalekit_watch_stats *stats)
{
    scalekit_client_read_watch_stats(client, stats, sizeof *stats);
}

/* Told of the statistics, which are borrowed until it returns.  May call anything. */
typedef void (*scalekit_watch_stats_cb)(scalekit_client *client,
                                        const struct scalekit_watch_stats *stats, void *user);

/* Calls `cb` from the loop every `interval_ms`, for the first time when that has passed.  A client has
 * one such callback: calling this again replaces it, or with 0 stops it, also inside the callback.
 *
 * It does not keep the loop running: while the client has neither watches nor anything else to do it
 * is silent, and event_base_dispatch() returns as it would without.  With the next watch or request
 * it goes on, at once where its time has come meanwhile, and once for all that was left out.
 *
 *   interval_ms  1 to 86,400,000; 0: no more, `cb` is ignored
 *   user         handed to it
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: the client is NULL, the interval out of range, or `cb`
 * NULL; SCALEKIT_ERR_CLOSED: the client is being freed; SCALEKIT_ERR_NOMEM: everything is as it
 * was. */
SCALEKIT_API scalekit_err scalekit_watch_stats_every(scalekit_client *client, int64_t interval_ms,
                                                     scalekit_watch_stats_cb cb, void *user);

SCALEKIT_END

#endif
