/* tally.h - what a simulation counts: requests and their busiest minute, delays and their spread. */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "ground.h"

struct bench_tally {
    uint32_t *requests; /* of each millisecond; they may be added in any order */
    size_t span_ms, room_ms;
    uint64_t n_requests;
    int64_t *delays_ms;
    size_t n_delays, room_delays;
    unsigned missed; /* consents that nobody was told of */
};

struct bench_figures {
    uint64_t requests;
    uint64_t busiest_minute; /* requests of the worst 60,000 milliseconds in a row, anywhere */
    double mean_s, p95_s;    /* from consent to event; 0 without any */
    unsigned missed;
};

void bench_tally_init(struct bench_tally *tally);
void bench_tally_free(struct bench_tally *tally);

void bench_tally_request(struct bench_tally *tally, int64_t at_ms);
void bench_tally_delay(struct bench_tally *tally, int64_t delay_ms);

/* Sorts the delays. */
struct bench_figures bench_tally_figures(struct bench_tally *tally);

#endif
