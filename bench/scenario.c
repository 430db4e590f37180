/* Design note.  What happens next is the earliest of four: a user starts, a user consents, a request
 * arrives or is answered, a timer of the client.  The clock jumps there and everything due happens,
 * in this order; then comes the next.  Real time has no part in it, so that the same seed gives the
 * same run to the last request.
 *
 * The library is used as an application uses it, by scalekit_watch_account() alone: how it finds out
 * is its affair.  Every event is held against what the user really did. */
#include "scenario.h"
#include "core/client.h"
#include "judge.h"
#include <event2/event.h>
#include <scalekit/scalekit.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FEED_LAG_MS 1000
#define GRACE_MS    60000 /* after its deadline, a watch that has not ended is lost */

struct scenario;

struct watcher {
    struct scenario *scenario;
    unsigned number; /* of the user, and of the account */
    bool ended;
};

struct scenario {
    const struct bench_scenario_config *config;
    const struct bench_crowd *crowd;
    struct bench_scenario_result *result;
    struct bench_time time;
    struct bench_tally tally;
    struct bench_environment *environment;
    struct event_base *base;
    scalekit_client *client;
    struct watcher *watchers;
    unsigned started, consented, ended;
};

__attribute__((format(printf, 2, 3))) static void fault(struct scenario *scenario,
                                                        const char *format, ...)
{
    struct bench_scenario_result *result = scenario->result;
    va_list args;

    if (result->faults++)
        return;
    va_start(args, format);
    vsnprintf(result->fault, sizeof result->fault, format, args);
    va_end(args);
}

/* --- what the library tells -------------------------------------------------------------------- */

static void on_request(void *scenario)
{
    struct scenario *s = scenario;

    bench_tally_request(&s->tally, bench_time_ms(&s->time));
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct watcher *watcher = user;
    struct scenario *s = watcher->scenario;
    const struct bench_user *of = &s->crowd->users[watcher->number];
    int64_t now = bench_time_ms(&s->time);
    const char *why;

    (void)watch;
    switch (bench_judge(of, s->crowd->habits.patience_ms, watcher->ended, event, now, &why)) {
    case BENCH_TOLD:
        bench_tally_delay(&s->tally, now - of->consent_ms);
        break;
    case BENCH_MISSED:
        s->tally.missed++;
        break;
    case BENCH_FALSE:
        fault(s, "user %u: %s (%s): %s", watcher->number, scalekit_watch_event_name(event->kind),
              event->error ? event->error->message : "no error", why);
        break;
    case BENCH_ON_THE_WAY:
    case BENCH_WAITED:
        break;
    }
    s->ended += event->final && !watcher->ended;
    watcher->ended |= event->final;
}

/* --- what the users do ------------------------------------------------------------------------- */

static void start_user(struct scenario *s)
{
    struct watcher *watcher = &s->watchers[s->started];
    char connection[BENCH_NAME], identifier[BENCH_NAME];

    *watcher = (struct watcher){.scenario = s, .number = s->started++};
    bench_environment_link(s->environment, watcher->number);
    bench_environment_connection(connection, s->environment, watcher->number);
    bench_environment_identifier(identifier, s->environment, watcher->number);
    if (!scalekit_watch_account(
            s->client,
            SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = connection,
                            .identifier = identifier, .deadline_ms = s->crowd->habits.patience_ms),
            on_event, watcher))
        fault(s, "user %u: the watch was not accepted", watcher->number);
}

static int64_t next_start_ms(const struct scenario *s)
{
    return s->started < s->crowd->n ? s->crowd->users[s->started].start_ms : INT64_MAX;
}

static int64_t next_consent_ms(const struct scenario *s)
{
    const struct bench_crowd *crowd = s->crowd;

    return s->consented < crowd->consents ? crowd->users[crowd->by_consent[s->consented]].consent_ms
                                          : INT64_MAX;
}

/* --- time -------------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* False: nothing will happen any more, or not before `end_ms`. */
static bool step(struct scenario *s, int64_t end_ms)
{
    int64_t next =
        least(least(next_start_ms(s), next_consent_ms(s)),
              least(bench_environment_next_ms(s->environment), bench_next_timer_ms(s->client)));

    if (next > end_ms)
        return false;
    if (next > bench_time_ms(&s->time))
        s->time.now_us = next * 1000;
    while (next_start_ms(s) <= next)
        start_user(s);
    while (next_consent_ms(s) <= next)
        bench_environment_consent(s->environment, s->crowd->by_consent[s->consented++]);
    bench_environment_run(s->environment);
    bench_time_settle(&s->time, s->base, s->client);
    return true;
}

/* --- the whole --------------------------------------------------------------------------------- */

static bool open_client(struct scenario *s)
{
    const char *problem = NULL;

    s->base = event_base_new();
    if (!s->base ||
        scalekit_client_new(&s->client, s->base,
                            SCALEKIT_PARAMS(scalekit_config, .env_url = "http://127.0.0.1",
                                            .client_id = "skc_bench", .client_secret = "bench",
                                            .clock = &s->time.clock,
                                            .max_requests_per_minute = s->config->ceiling),
                            &problem) != SCALEKIT_OK) {
        fault(s, "no client: %s", problem ? problem : "out of memory");
        return false;
    }
    ski_pool_use(s->client->pool, bench_environment_carrier(s->environment));
    return true;
}

static void report(struct scenario *s)
{
    struct bench_scenario_result *result = s->result;
    const char *problem = bench_environment_fault(s->environment);

    if (s->ended < s->crowd->n)
        fault(s, "%u watches never ended", s->crowd->n - s->ended);
    if (s->tally.n_delays + s->tally.missed != s->crowd->consents)
        fault(s, "of %u consents, %zu were told and %u were not", s->crowd->consents,
              s->tally.n_delays, s->tally.missed);
    if (problem)
        fault(s, "%s", problem);
    result->figures = bench_tally_figures(&s->tally);
    for (unsigned kind = 0; kind < BENCH_REQUEST_KINDS; kind++)
        result->counts[kind] =
            bench_environment_count(s->environment, (enum bench_request_kind)kind);
}

void bench_scenario_run(const struct bench_scenario_config *config, const struct bench_crowd *crowd,
                        struct bench_scenario_result *result)
{
    struct scenario s = {.config = config, .crowd = crowd, .result = result};
    int64_t end_ms = crowd->habits.arrival_ms + crowd->habits.patience_ms + GRACE_MS;

    *result = (struct bench_scenario_result){.faults = 0};
    bench_time_init(&s.time, config->seed);
    bench_tally_init(&s.tally);
    s.watchers = bench_zalloc(crowd->n, sizeof *s.watchers);
    s.environment = bench_environment_new(
        &(struct bench_environment_config){
            .connections = config->connections,
            .accounts = config->accounts,
            .pending = crowd->n,
            .feed = config->feed,
            .latency_ms = config->latency_ms,
            .feed_lag_ms = FEED_LAG_MS,
            .seed = config->seed,
        },
        &s.time, on_request, &s);
    if (open_client(&s)) {
        while (step(&s, end_ms))
            ;
        report(&s);
    }
    scalekit_client_free(s.client);
    bench_environment_free(s.environment);
    if (s.base)
        event_base_free(s.base);
    bench_tally_free(&s.tally);
    free(s.watchers);
}
