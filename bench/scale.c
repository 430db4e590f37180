/* Design note.  Watches on accounts of one connection, in virtual time, with a service that never
 * answers: what is measured is the engine and not the network.  They look first after a day, so they
 * only sleep; then they are stopped, or reach deadlines that are spread over ten seconds, take the
 * last look that gets no answer, and end.
 *
 * What a watch expires with is all of that: its timer, its wish for a look, the end of its patience,
 * the event, its memory.  Of libevent's timer it is a callback that counts, and its event freed.
 * libevent cannot be given another time, so its timers are due within a tenth of a second, and when
 * all are, one turn of the loop runs them: nothing it could do would be cheaper. */
#include "scale.h"
#include "core/client.h"
#include "environment.h"
#include <event2/event.h>
#include <malloc.h>
#include <scalekit/scalekit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH          1000
#define DAY_MS         86400000
#define LIFE_MS        3600000 /* of watches that are stopped before */
#define SPREAD_MS      10000
#define LIBEVENT_MS    100
#define LAST_MOMENT_MS 60000 /* after its deadline, a watch that has not ended is lost */

struct scale;

struct sleeper {
    struct scale *scale;
    scalekit_watch *watch;
    bool ended;
    char identifier[16];
};

struct scale {
    struct bench_scale_result *result;
    unsigned n;
    struct sleeper *sleepers;
    struct bench_time time;
    struct bench_dice dice;
    struct bench_environment *environment;
    struct event_base *base;
    scalekit_client *client;
    int64_t live_bytes;
    bool deadlines; /* soon, or else far away */
    enum scalekit_watch_event_kind expected;
    unsigned ended;
};

/* --- measuring --------------------------------------------------------------------------------- */

static int64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t real_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Resident memory of the process, MiB. */
static double rss_mb(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

/* Batches of things done, and what one of each cost. */
struct batches {
    double *ns;
    size_t n;
};

static void batches_init(struct batches *batches, unsigned things)
{
    *batches = (struct batches){.ns = bench_zalloc(things / BATCH + 2, sizeof(double))};
}

static void batch_done(struct batches *batches, int64_t ns, unsigned things)
{
    if (things)
        batches->ns[batches->n++] = (double)ns / things;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double batches_end(struct batches *batches)
{
    double median = 0;

    if (batches->n) {
        qsort(batches->ns, batches->n, sizeof *batches->ns, compare_doubles);
        median = batches->ns[batches->n / 2];
    }
    free(batches->ns);
    return median;
}

/* Does something to each of n things; the median of what it costs. */
static double time_each(struct scale *s, void (*act)(struct scale *s, unsigned i))
{
    struct batches batches;

    batches_init(&batches, s->n);
    for (unsigned i = 0; i < s->n;) {
        unsigned first = i, end = s->n - i < BATCH ? s->n : i + BATCH;
        int64_t began = cpu_ns();

        while (i < end)
            act(s, i++);
        batch_done(&batches, cpu_ns() - began, end - first);
    }
    return batches_end(&batches);
}

/* --- memory that counts ------------------------------------------------------------------------ */

static void *count_malloc(size_t size, void *bytes)
{
    void *memory = malloc(size);

    *(int64_t *)bytes += (int64_t)malloc_usable_size(memory);
    return memory;
}

static void *count_realloc(void *old, size_t size, void *bytes)
{
    int64_t before = (int64_t)malloc_usable_size(old);
    void *memory = realloc(old, size);

    if (memory)
        *(int64_t *)bytes += (int64_t)malloc_usable_size(memory) - before;
    return memory;
}

static void count_free(void *memory, void *bytes)
{
    *(int64_t *)bytes -= (int64_t)malloc_usable_size(memory);
    free(memory);
}

/* --- watches ----------------------------------------------------------------------------------- */

static void blame(struct scale *s, const char *fault)
{
    if (!s->result->fault)
        s->result->fault = fault;
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct sleeper *sleeper = user;
    struct scale *s = sleeper->scale;

    if (watch != sleeper->watch || sleeper->ended)
        blame(s, "a watch was told of after its end");
    else if (event->kind != s->expected)
        blame(s, "a watch did not end as it had to");
    sleeper->ended = event->final;
    s->ended += event->final;
}

static void start_watch(struct scale *s, unsigned i)
{
    struct sleeper *sleeper = &s->sleepers[i];

    sleeper->ended = false;
    sleeper->watch = scalekit_watch_account(
        s->client,
        SCALEKIT_PARAMS(
            scalekit_watch_params, .connection_name = "gmail", .identifier = sleeper->identifier,
            .deadline_ms = s->deadlines ? bench_throw_range(&s->dice, 1, SPREAD_MS) : LIFE_MS),
        on_event, sleeper);
    if (!sleeper->watch)
        blame(s, "a watch was not accepted");
}

static void stop_watch(struct scale *s, unsigned i)
{
    scalekit_watch_stop(s->sleepers[i].watch);
}

static void settle(struct scale *s)
{
    bench_time_settle(&s->time, s->base, s->client);
}

static void end_phase(struct scale *s)
{
    if (s->ended != s->n)
        blame(s, "not every watch has ended");
    s->ended = 0;
}

/* Starts all, and stops them; between, what they take. */
static void measure_sleep(struct scale *s)
{
    struct bench_scale_result *result = s->result;
    double resident = rss_mb();
    int64_t live = s->live_bytes, began;
    size_t names = 0;

    result->start_ns = time_each(s, start_watch);
    settle(s);
    result->rss_mb = rss_mb() - resident;
    result->bytes_per_watch = (double)(s->live_bytes - live) / s->n;
    for (unsigned i = 0; i < s->n; i++)
        names += strlen(s->sleepers[i].identifier) + 1;
    result->name_bytes = (double)names / s->n;

    s->expected = SCALEKIT_WATCH_STOPPED;
    result->stop_ns = time_each(s, stop_watch);
    began = cpu_ns();
    settle(s);
    result->stop_ns += (double)(cpu_ns() - began) / s->n;
    end_phase(s);
}

/* Starts all, and lets time pass until they have ended. */
static void measure_expiry(struct scale *s)
{
    int64_t last_ms = bench_time_ms(&s->time) + SPREAD_MS + LAST_MOMENT_MS, spent_ns = 0;
    struct batches batches;
    unsigned counted = 0;

    s->deadlines = true;
    for (unsigned i = 0; i < s->n; i++)
        start_watch(s, i);
    settle(s);
    s->expected = SCALEKIT_WATCH_DEADLINE;
    batches_init(&batches, s->n);
    while (s->ended < s->n) {
        int64_t next = bench_next_timer_ms(s->client), began = cpu_ns();

        if (next > last_ms)
            break;
        if (next > bench_time_ms(&s->time))
            s->time.now_us = next * 1000;
        settle(s);
        spent_ns += cpu_ns() - began;
        if (s->ended - counted < BATCH && s->ended < s->n)
            continue;
        batch_done(&batches, spent_ns, s->ended - counted);
        counted = s->ended;
        spent_ns = 0;
    }
    s->result->expire_ns = batches_end(&batches);
    end_phase(s);
}

/* --- one libevent timer each ------------------------------------------------------------------- */

struct timers {
    struct scale scale; /* for time_each() */
    struct event_base *base;
    struct event **events;
    unsigned fired;
    bool soon;
};

static void on_timer(evutil_socket_t fd, short what, void *fired)
{
    (void)fd;
    (void)what;
    ++*(unsigned *)fired;
}

static void add_timer(struct scale *s, unsigned i)
{
    struct timers *timers = SKI_CONTAINER(s, struct timers, scale);
    int64_t within_us = (timers->soon ? LIBEVENT_MS : SPREAD_MS) * INT64_C(1000);
    int64_t delay = bench_throw_range(&s->dice, 1, within_us);
    struct timeval due = {delay / 1000000, delay % 1000000};

    if (!timers->soon)
        due.tv_sec += LIFE_MS / 1000;
    timers->events[i] = evtimer_new(timers->base, on_timer, &timers->fired);
    if (!timers->events[i] || evtimer_add(timers->events[i], &due) < 0)
        blame(s, "libevent has no timer");
}

static void free_timer(struct scale *s, unsigned i)
{
    struct timers *timers = SKI_CONTAINER(s, struct timers, scale);

    if (timers->events[i])
        event_free(timers->events[i]);
}

static double expire_timers(struct timers *timers)
{
    unsigned n = timers->scale.n;
    int64_t due, began;
    double fire_ns;

    timers->soon = true;
    for (unsigned i = 0; i < n; i++)
        add_timer(&timers->scale, i);
    due = real_ms() + LIBEVENT_MS + 1;
    while (real_ms() < due)
        ; /* the loop must not run a few of them already */
    began = cpu_ns();
    event_base_dispatch(timers->base); /* one turn; another if its clock lags behind */
    fire_ns = (double)(cpu_ns() - began) / n;
    if (timers->fired != n)
        blame(&timers->scale, "not every timer of libevent has fired");
    return fire_ns + time_each(&timers->scale, free_timer);
}

static void measure_libevent(unsigned n, uint64_t seed, struct bench_scale_result *result)
{
    struct timers timers = {
        .scale = {.result = result, .n = n, .dice = bench_dice_of(seed, "timers")}};

    timers.base = event_base_new();
    if (!timers.base) {
        blame(&timers.scale, "out of memory");
        return;
    }
    timers.events = bench_zalloc(n, sizeof *timers.events);
    result->libevent_start_ns = time_each(&timers.scale, add_timer);
    result->libevent_stop_ns = time_each(&timers.scale, free_timer);
    result->libevent_expire_ns = expire_timers(&timers);
    event_base_free(timers.base);
    free(timers.events);
}

/* --- the whole --------------------------------------------------------------------------------- */

static bool open_client(struct scale *s)
{
    const struct scalekit_allocator counting = {count_malloc, count_realloc, count_free,
                                                &s->live_bytes};

    s->base = event_base_new();
    if (!s->base ||
        scalekit_client_new(&s->client, s->base,
                            SCALEKIT_PARAMS(scalekit_config, .env_url = "http://127.0.0.1",
                                            .client_id = "skc_bench", .client_secret = "bench",
                                            .watch_first_check_ms = DAY_MS, .clock = &s->time.clock,
                                            .allocator = &counting),
                            NULL) != SCALEKIT_OK) {
        blame(s, "no client");
        return false;
    }
    ski_pool_use(s->client->pool, bench_environment_carrier(s->environment));
    return true;
}

void bench_scale_run(unsigned watches, uint64_t seed, struct bench_scale_result *result)
{
    struct scale s = {.result = result, .n = watches, .dice = bench_dice_of(seed, "watches")};

    *result = (struct bench_scale_result){.fault = NULL};
    bench_time_init(&s.time, seed);
    s.environment = bench_environment_new(
        &(struct bench_environment_config){.connections = 1, .accounts = 1, .silent = true},
        &s.time, NULL, NULL);
    s.sleepers = bench_zalloc(watches, sizeof *s.sleepers);
    for (unsigned i = 0; i < watches; i++) { /* written, so that they are resident from here on */
        s.sleepers[i].scale = &s;
        snprintf(s.sleepers[i].identifier, sizeof s.sleepers[i].identifier, "user_%u", i);
    }
    if (open_client(&s)) {
        measure_sleep(&s);
        measure_expiry(&s);
    }
    scalekit_client_free(s.client);
    bench_environment_free(s.environment);
    if (s.base)
        event_base_free(s.base);
    free(s.sleepers);
    measure_libevent(watches, seed, result);
}
