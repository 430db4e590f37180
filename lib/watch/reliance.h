/* reliance.h - whether deliveries tell what happens, so that looks may be rare.
 *
 * They are relied on while one that tells a status came in the last ten minutes, and looks do not
 * show more changes than they have told: an endpoint may be gone, or be told of a part of what
 * happens only.  When that ends it is for a minute at least, for who relied on them has to be woken.
 * Pure: no engine, no timers. */
#ifndef SKI_WATCH_RELIANCE_H
#define SKI_WATCH_RELIANCE_H

#include "watch/shown.h"

#define SKI_RELIANCE_MS INT64_C(600000) /* without a delivery, and it has ended */

struct ski_reliance {
    struct ski_shown shown; /* what was told lately */
    int64_t told_ms;        /* the last delivery; INT64_MIN: none yet */
    int64_t since_ms;       /* of `trusted`: the last change; INT64_MIN: none yet */
    unsigned told, missed;  /* lately: halved together, before they grow large */
    bool trusted;           /* as of the last review */
};

void ski_reliance_init(struct ski_reliance *reliance, const struct ski_mem *mem);
void ski_reliance_free(struct ski_reliance *reliance); /* empty and usable again */

/* A delivery has told a status of an account, named by its id's hash, which it got at that time.
 * false: one that is later has been told before. */
bool ski_reliance_told(struct ski_reliance *reliance, uint64_t account, scalekit_time at,
                       int64_t now_ms);

/* A look has shown a status that an account got at that time; `wall` is the time now.  Whether it must
 * have been told, and was not. */
bool ski_reliance_compare(struct ski_reliance *reliance, uint64_t account, scalekit_time at,
                          scalekit_time wall);

/* Whether they are relied on: kept in `trusted`.  Returns whether that has changed. */
bool ski_reliance_review(struct ski_reliance *reliance, int64_t now_ms);

#endif
