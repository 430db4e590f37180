#include "tally.h"
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000

void bench_tally_init(struct bench_tally *tally)
{
    *tally = (struct bench_tally){.requests = NULL};
}

void bench_tally_free(struct bench_tally *tally)
{
    free(tally->requests);
    free(tally->delays_ms);
}

void bench_tally_request(struct bench_tally *tally, int64_t at_ms)
{
    size_t at = (size_t)at_ms;

    if (at >= tally->room_ms) {
        size_t room = at + at / 2 + MINUTE_MS;

        tally->requests = bench_grow(tally->requests, room, sizeof *tally->requests);
        memset(tally->requests + tally->room_ms, 0,
               (room - tally->room_ms) * sizeof *tally->requests);
        tally->room_ms = room;
    }
    if (at >= tally->span_ms)
        tally->span_ms = at + 1;
    tally->requests[at]++;
    tally->n_requests++;
}

void bench_tally_delay(struct bench_tally *tally, int64_t delay_ms)
{
    if (tally->n_delays == tally->room_delays) {
        tally->room_delays = tally->room_delays * 2 + 1024;
        tally->delays_ms =
            bench_grow(tally->delays_ms, tally->room_delays, sizeof *tally->delays_ms);
    }
    tally->delays_ms[tally->n_delays++] = delay_ms;
}

/* A window of a minute slides over all milliseconds. */
static uint64_t busiest_minute(const struct bench_tally *tally)
{
    uint64_t sum = 0, most = 0;

    for (size_t at = 0; at < tally->span_ms; at++) {
        sum += tally->requests[at];
        if (at >= MINUTE_MS)
            sum -= tally->requests[at - MINUTE_MS];
        most = sum > most ? sum : most;
    }
    return most;
}

static int compare_delays(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The nearest rank: the least delay that so many percent do not exceed. */
static double percentile_s(const struct bench_tally *tally, unsigned percent)
{
    size_t rank = (tally->n_delays * percent + 99) / 100;

    return rank ? (double)tally->delays_ms[rank - 1] / 1000 : 0;
}

static double mean_s(const struct bench_tally *tally)
{
    double sum = 0;

    for (size_t i = 0; i < tally->n_delays; i++)
        sum += (double)tally->delays_ms[i];
    return tally->n_delays ? sum / (double)tally->n_delays / 1000 : 0;
}

struct bench_figures bench_tally_figures(struct bench_tally *tally)
{
    if (tally->n_delays)
        qsort(tally->delays_ms, tally->n_delays, sizeof *tally->delays_ms, compare_delays);
    return (struct bench_figures){
        .requests = tally->n_requests,
        .busiest_minute = busiest_minute(tally),
        .mean_s = mean_s(tally),
        .p95_s = percentile_s(tally, 95),
        .missed = tally->missed,
    };
}
