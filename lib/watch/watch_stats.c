#include "watch/watch_stats.h"
#include <scalekit/watch_stats.h>
#include <string.h>

#define MAX_INTERVAL_MS 86400000

_Static_assert(SKI_SOURCES <= SCALEKIT_WATCH_SOURCES && SKI_KINDS <= SCALEKIT_WATCH_EVENT_KINDS,
               "there is room for all");

struct ski_watch_report {
    struct ski_engine *engine;
    struct ski_task turn; /* calls the application: timers may fire inside a call of its own */
    ski_timer timer;
    int64_t interval_ms;
    scalekit_watch_stats_cb cb;
    void *user;
};

/* --- reading ----------------------------------------------------------------------------------- */

static int64_t oldest_ms(const struct ski_engine *engine)
{
    int64_t seen_ms = ski_targets_oldest_ms(&engine->targets);

    if (seen_ms == INT64_MAX)
        return 0;
    return seen_ms ? ski_engine_now(engine) - seen_ms : -1;
}

static void read_engine(const struct ski_engine *engine, struct scalekit_watch_stats *stats)
{
    const struct ski_tally *tally = &engine->tally;

    stats->starting = tally->starting;
    stats->pending = tally->pending;
    stats->following = tally->following;
    stats->watches = tally->starting + tally->pending + tally->following;
    stats->targets = (uint32_t)engine->targets.by_name.count;
    stats->groups = (uint32_t)engine->targets.groups.count;
    stats->oldest_ms = oldest_ms(engine);
    stats->look_ups = tally->requests[SKI_LOOK_SINGLE];
    stats->user_lists = tally->requests[SKI_LOOK_USER];
    stats->sweep_pages = tally->requests[SKI_LOOK_SWEEP];
    stats->feed_reads = tally->feed_requests;
    stats->rounds = tally->rounds;
    stats->failures = tally->failures;
    memcpy(stats->observations, tally->seen, sizeof tally->seen);
    stats->ignored = tally->ignored;
    memcpy(stats->events, tally->events, sizeof tally->events);
    stats->feed_trusted = ski_feed_is_trusted(&engine->feed);
    stats->feed_misses = tally->feed_misses;
    stats->deliveries = tally->deliveries[SKI_DELIVERY_TAKEN];
    stats->duplicate_deliveries = tally->deliveries[SKI_DELIVERY_DUPLICATE];
    stats->rejected_deliveries = tally->deliveries[SKI_DELIVERY_REJECTED];
    stats->missed_deliveries = tally->missed_deliveries;
    stats->deliveries_flow = ski_deliveries_are_relied_on(&engine->deliveries);
    stats->n_lags = ski_tally_lags(tally);
    stats->lag_p50_ms = ski_tally_percentile(tally, 50);
    stats->lag_p95_ms = ski_tally_percentile(tally, 95);
    stats->lag_p99_ms = ski_tally_percentile(tally, 99);
}

static void read_stats(scalekit_client *client, struct scalekit_watch_stats *stats)
{
    struct ski_engine *engine =
        client->attachment ? SKI_CONTAINER(client->attachment, struct ski_engine, attachment)
                           : NULL;
    struct scalekit_governor_stats governor;

    scalekit_governor_get_stats(scalekit_client_governor(client), &governor);
    stats->max_requests_per_minute = governor.max_requests_per_minute;
    stats->rate = governor.rate;
    stats->measured = governor.measured;
    stats->rate_limited = governor.rate_limited;
    if (!engine)
        return;
    read_engine(engine, stats);
    ski_tally_rates(&engine->tally, ski_engine_now(engine), governor.sent, stats->per_minute);
}

void scalekit_client_read_watch_stats(scalekit_client *client, struct scalekit_watch_stats *stats,
                                      size_t struct_size)
{
    struct scalekit_watch_stats read = {.struct_size = struct_size};

    if (!stats)
        return;
    if (client)
        read_stats(client, &read);
    memset(stats, 0, struct_size);
    memcpy(stats, &read, struct_size < sizeof read ? struct_size : sizeof read);
}

/* --- telling regularly ------------------------------------------------------------------------- */

static void wait(struct ski_watch_report *report)
{
    struct ski_loop *loop = &report->engine->client->loop;

    ski_timer_set(loop, report->timer, ski_loop_now(loop) + report->interval_ms);
}

static void on_timer(void *owner)
{
    struct ski_watch_report *report = owner;

    ski_task_defer(&report->engine->client->loop, &report->turn);
}

/* The report may be gone after the callback, and the client. */
static void on_turn(struct ski_task *task)
{
    struct ski_watch_report *report = SKI_CONTAINER(task, struct ski_watch_report, turn);
    scalekit_client *client = report->engine->client;
    struct scalekit_watch_stats stats;

    wait(report);
    scalekit_client_get_watch_stats(client, &stats);
    ski_client_enter(client);
    report->cb(client, &stats, report->user);
    ski_client_leave(client);
}

void ski_watch_report_free(struct ski_engine *engine)
{
    struct ski_watch_report *report = engine->tally.report;

    if (!report)
        return;
    engine->tally.report = NULL;
    ski_task_cancel(&report->turn);
    ski_timer_free(&engine->client->loop, report->timer);
    ski_free(&engine->mem, report);
}

static struct ski_watch_report *new_report(struct ski_engine *engine)
{
    struct ski_watch_report *report = ski_zalloc(&engine->mem, sizeof *report);

    if (!report)
        return NULL;
    report->engine = engine;
    ski_task_init(&report->turn, on_turn);
    report->timer = ski_timer_new(&engine->client->loop, on_timer, report);
    if (report->timer == SKI_NO_TIMER) {
        ski_free(&engine->mem, report);
        return NULL;
    }
    engine->tally.report = report;
    return report;
}

static void stop(scalekit_client *client)
{
    if (client->attachment)
        ski_watch_report_free(SKI_CONTAINER(client->attachment, struct ski_engine, attachment));
}

scalekit_err scalekit_watch_stats_every(scalekit_client *client, int64_t interval_ms,
                                        scalekit_watch_stats_cb cb, void *user)
{
    struct ski_watch_report *report;
    struct ski_engine *engine;

    if (!client || interval_ms < 0 || interval_ms > MAX_INTERVAL_MS || (interval_ms && !cb))
        return SCALEKIT_ERR_INVALID;
    if (client->closing)
        return SCALEKIT_ERR_CLOSED;
    if (!interval_ms) {
        stop(client);
        return SCALEKIT_OK;
    }
    engine = ski_engine_of(client);
    if (!engine)
        return SCALEKIT_ERR_NOMEM;
    report = engine->tally.report ? engine->tally.report : new_report(engine);
    if (!report)
        return SCALEKIT_ERR_NOMEM;
    ski_task_cancel(&report->turn);
    report->interval_ms = interval_ms;
    report->cb = cb;
    report->user = user;
    wait(report);
    return SCALEKIT_OK;
}
