/* crowd.h - users who are sent to a consent page, and what they do there. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "ground.h"

#define BENCH_NEVER INT64_MAX

struct bench_user {
    int64_t start_ms;   /* the link is theirs, and the watch begins */
    int64_t consent_ms; /* BENCH_NEVER: not while anybody waits */
};

struct bench_habits {
    unsigned users;
    int64_t arrival_ms;  /* they start within this, evenly at random */
    int64_t median_ms;   /* from start to consent, log-normal */
    double sigma;        /* its deviation, of the logarithm */
    int never_percent;   /* of them never consent */
    int64_t patience_ms; /* how long anybody waits for one; a later consent is as good as none */
};

/* The scenario of the benchmark, for so many users. */
struct bench_habits bench_usual_habits(unsigned users);

struct bench_crowd {
    struct bench_habits habits;
    struct bench_user *users; /* in the order they start */
    unsigned n, consents;
    unsigned *by_consent; /* the numbers of those who consent, in that order */
};

void bench_crowd_init(struct bench_crowd *crowd, const struct bench_habits *habits, uint64_t seed);
void bench_crowd_free(struct bench_crowd *crowd);

#endif
