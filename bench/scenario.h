/* scenario.h - a crowd of users, an environment, and the library between them, in virtual time. */
#ifndef BENCH_SCENARIO_H
#define BENCH_SCENARIO_H

#include "crowd.h"
#include "environment.h"
#include "tally.h"

struct bench_scenario_config {
    unsigned users, connections, accounts; /* accounts of each connection */
    unsigned ceiling;                      /* requests a minute that the library may send */
    bool feed;
    unsigned latency_ms; /* of a request, there and back */
    uint64_t seed;
};

struct bench_scenario_result {
    struct bench_figures figures;
    uint64_t counts[BENCH_REQUEST_KINDS];
    unsigned faults; /* broken promises: an event twice, early, wrong or never; unknown requests */
    char fault[256]; /* the first of them */
};

/* Runs every watch of the crowd to its end. */
void bench_scenario_run(const struct bench_scenario_config *config, const struct bench_crowd *crowd,
                        struct bench_scenario_result *result);

#endif
