/* rate.h - how many requests may go to one environment: arithmetic without a clock or a lock.
 *
 * Four things hold requests back; when none of them does, the rate is open and only measured.
 *
 *   ceiling   the user's, per minute.  Requests are counted in slots of 250 ms; those that any 60 s
 *             can touch, 241 of them, never add up to more.  The bucket gets a sixtieth of it per
 *             second; what the count forbids is not saved up for later.
 *   bucket    holds what two seconds bring, at least 1: 20 at 10 requests/s.
 *   learned   after a 429: W(t) = C (t - K)^3 + peak, with K such that W(0) = 0.7 peak; in requests
 *             per minute, as the limit is.  It never goes below 0.5/s, nor above twice what was
 *             measured; but 10/s may always be tried again, for little demand proves nothing.
 *             Forgotten after five minutes without a 429.
 *   parked    the service said until when.
 *
 * Moments are milliseconds of any clock; one that is earlier than an earlier one counts as that. */
#ifndef SKI_CORE_RATE_H
#define SKI_CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define SKI_RATE_START       10.0 /* requests/s */
#define SKI_RATE_FLOOR       0.5
#define SKI_RATE_FORGET_MS   300000
#define SKI_RATE_MAX_PARK_MS 300000

#define SKI_RATE_SLOT_MS     250
#define SKI_RATE_SLOTS       241

struct ski_rate {
    unsigned ceiling; /* per minute; 0: none */
    bool started;
    int64_t start_ms, now_ms; /* the first moment it heard of, and the last */

    double tokens;
    int64_t filled_ms; /* until when the bucket has got its share */

    bool learned;
    double peak; /* what the last 429 came at, per minute */
    int64_t lowered_ms;

    int64_t parked_ms; /* until then */

    double measured; /* requests/s */
    int64_t measured_ms;
    uint64_t measured_total;

    uint64_t slot; /* the current one, counted from start_ms */
    uint32_t slots[SKI_RATE_SLOTS];
    unsigned in_slots; /* their sum */
};

void ski_rate_init(struct ski_rate *rate, unsigned ceiling);

/* When the next request may go: `now_ms` if it may at once. */
int64_t ski_rate_next_ms(struct ski_rate *rate, int64_t now_ms);
/* One goes, after ski_rate_next_ms() said so. */
void ski_rate_take(struct ski_rate *rate, int64_t now_ms);

/* `total` requests have gone out so far.  To be told every half second or so while they do. */
void ski_rate_measure(struct ski_rate *rate, uint64_t total, int64_t now_ms);

/* A 429 to one that went out after the last ski_rate_lower(). */
void ski_rate_lower(struct ski_rate *rate, uint64_t total, int64_t now_ms);

/* Nothing goes for so long, SKI_RATE_MAX_PARK_MS at most; never shortens.  Whether something might
 * have gone without it. */
bool ski_rate_park(struct ski_rate *rate, int64_t milliseconds, int64_t now_ms);

/* Whether anything holds requests back. */
bool ski_rate_is_limited(struct ski_rate *rate, int64_t now_ms);
/* Requests/s; INFINITY when neither a ceiling nor a 429 limits them. */
double ski_rate_per_second(struct ski_rate *rate, int64_t now_ms);

#endif
