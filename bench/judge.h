/* judge.h - whether an event of a watch is true, held against what the user really did. */
#ifndef BENCH_JUDGE_H
#define BENCH_JUDGE_H

#include "crowd.h"
#include <scalekit/watch.h>

enum bench_verdict {
    BENCH_ON_THE_WAY, /* progress: the watch goes on */
    BENCH_TOLD,       /* of the consent */
    BENCH_MISSED,     /* a user consented, and the deadline came */
    BENCH_WAITED,     /* no consent, and the deadline came */
    BENCH_FALSE       /* a fault of the library's */
};

/* `ended`: the watch has had its final event before.  `why`, for BENCH_FALSE: what is wrong. */
enum bench_verdict bench_judge(const struct bench_user *user, int64_t patience_ms, bool ended,
                               const struct scalekit_watch_event *event, int64_t now_ms,
                               const char **why);

#endif
