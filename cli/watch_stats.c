/* scalekit watch --stats - how many requests it takes, and how soon it tells. */
#include "output.h"
#include "watching.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static uint64_t lists_of(const struct scalekit_watch_stats *stats)
{
    return stats->user_lists + stats->sweep_pages;
}

static void tell_programs(const struct scalekit_watch_stats *stats)
{
    struct record record = record_begin(stdout);

    record_text(&record, "event", "stats");
    record_number(&record, "watches", stats->watches);
    record_number(&record, "pending", stats->pending);
    record_number(&record, "following", stats->following);
    record_number(&record, "targets", stats->targets);
    record_number(&record, "oldest_ms", stats->oldest_ms);
    record_number(&record, "look_ups", (int64_t)stats->look_ups);
    record_number(&record, "user_lists", (int64_t)stats->user_lists);
    record_number(&record, "sweep_pages", (int64_t)stats->sweep_pages);
    record_number(&record, "feed_reads", (int64_t)stats->feed_reads);
    record_number(&record, "failures", (int64_t)stats->failures);
    record_bool(&record, "feed_trusted", stats->feed_trusted);
    record_number(&record, "n_lags", (int64_t)stats->n_lags);
    record_number(&record, "lag_p50_ms", stats->lag_p50_ms);
    record_number(&record, "lag_p95_ms", stats->lag_p95_ms);
    record_number(&record, "lag_p99_ms", stats->lag_p99_ms);
    record_number(&record, "rate_limited", (int64_t)stats->rate_limited);
    record_end(&record);
}

/* "…  2 pending, 0 following; look-ups 3, lists 1, feed reads 4, failures 0" */
static void tell_people(const struct scalekit_watch_stats *stats)
{
    char now[MOMENT_SIZE];

    format_moment(now, (scalekit_time)time(NULL) * 1000000);
    printf("%s%s  %" PRIu32 " pending, %" PRIu32 " following; look-ups %" PRIu64 ", lists %" PRIu64
           ", feed reads %" PRIu64 ", failures %" PRIu64,
           output_faint(), now, stats->pending, stats->following, stats->look_ups, lists_of(stats),
           stats->feed_reads, stats->failures);
    if (stats->n_lags)
        printf("; told after %" PRId64 " ms, 95 %%: %" PRId64 " ms", stats->lag_p50_ms,
               stats->lag_p95_ms);
    printf("%s\n", output_normal());
}

static void on_stats(scalekit_client *client, const struct scalekit_watch_stats *stats, void *user)
{
    struct environment *environment = user;

    (void)client;
    output_progress(NULL);
    if (environment->options->json)
        tell_programs(stats);
    else
        tell_people(stats);
    if (!output_flush())
        environment->cancel(environment->user);
}

bool watch_stats(struct environment *environment)
{
    int64_t pause = environment->options->stats_ms;

    return !pause || scalekit_watch_stats_every(environment->client, pause, on_stats,
                                                environment) == SCALEKIT_OK;
}
