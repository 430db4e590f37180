/* scale.h - what a watch costs when nothing happens: memory, and the time to start, stop and expire
 * it, beside one libevent timer for each. */
#ifndef BENCH_SCALE_H
#define BENCH_SCALE_H

#include "ground.h"

struct bench_scale_result {
    double bytes_per_watch; /* by the allocator, what it rounds up and the watch's names included */
    double name_bytes;      /* of which the names, which no two watches have in common */
    double rss_mb;          /* by which the process grew, MiB */

    /* Nanoseconds of CPU each, the median of batches.  Stopping and expiring include the event. */
    double start_ns, stop_ns, expire_ns;
    double libevent_start_ns, libevent_stop_ns, libevent_expire_ns;

    const char *fault; /* NULL: each watch ended once, as it had to */
};

void bench_scale_run(unsigned watches, uint64_t seed, struct bench_scale_result *result);

#endif
