/* tally.h - what an engine counts: for watch_stats.h.
 *
 * All zero at first. */
#ifndef SKI_WATCH_TALLY_H
#define SKI_WATCH_TALLY_H

#include "api/look_plan.h"
#include <scalekit/governor.h>
#include <scalekit/watch.h>

#define SKI_SOURCES 5  /* of enum scalekit_watch_source */
#define SKI_KINDS   12 /* of enum scalekit_watch_event_kind */

/* Lags from 1 ms to 12 days, four buckets to each doubling. */
#define SKI_LAG_BUCKETS 120

struct ski_watch_report; /* watch_stats.c */

/* What became of what was posted. */
enum ski_delivery_fate { SKI_DELIVERY_TAKEN, SKI_DELIVERY_DUPLICATE, SKI_DELIVERY_REJECTED };

/* How many requests had been sent at a moment, by class. */
struct ski_sent {
    int64_t at_ms; /* 0: never */
    uint64_t sent[SCALEKIT_CLASSES];
};

struct ski_tally {
    uint64_t requests[3]; /* by enum ski_look_way: pages count each */
    uint64_t feed_requests;
    uint64_t seen[SKI_SOURCES]; /* observations of accounts that are followed */
    uint64_t events[SKI_KINDS];
    uint64_t failures; /* looks that failed */
    uint64_t rounds;
    uint64_t ignored; /* observations that were older than what was seen */
    uint64_t feed_misses, missed_deliveries;
    uint64_t deliveries[3];                /* by enum ski_delivery_fate */
    uint32_t starting, pending, following; /* watches by state, now */
    uint32_t lags[SKI_LAG_BUCKETS];
    struct ski_sent before, latest;  /* for requests a minute */
    struct ski_watch_report *report; /* told of regularly; NULL */
};

/* From the account's updated_at to the event; less than 1 ms, also when clocks differ, counts as 1. */
void ski_tally_lag(struct ski_tally *tally, int64_t lag_ms);
uint64_t ski_tally_lags(const struct ski_tally *tally); /* how many there are */

/* The lag that `percent` of all, 1 to 100, were not above: exact below 8 ms, else at most a quarter
 * too long.  0 when there are none. */
int64_t ski_tally_percentile(const struct ski_tally *tally, unsigned percent);

/* Requests a minute by class in the last one to two minutes, or since this was asked before; 0 the
 * first time.  `sent` is how many there are by now. */
void ski_tally_rates(struct ski_tally *tally, int64_t now_ms, const uint64_t sent[SCALEKIT_CLASSES],
                     double per_minute[SCALEKIT_CLASSES]);

#endif
