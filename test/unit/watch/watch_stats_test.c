/* The engine in numbers: all of them, at any time, and regularly if asked for. */
#include "town.h"
#include "virtual.h"
#include "watch/watch_stats.h"
#include <scalekit/scalekit.h>

#define MINUTE_MS 60000

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    (void)watch;
    (void)event;
    (void)user;
}

static scalekit_watch *watch(struct fixture *f, const char *identifier, bool follow)
{
    return scalekit_watch_account(f->client,
                                  SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail",
                                                  .identifier = identifier, .follow = follow),
                                  on_watch, NULL);
}

static struct scalekit_watch_stats stats_of(const struct fixture *f)
{
    struct scalekit_watch_stats stats;

    memset(&stats, 0xff, sizeof stats);
    scalekit_client_get_watch_stats(f->client, &stats);
    CU_ASSERT_EQUAL(stats.struct_size, sizeof stats);
    return stats;
}

/* --- reading ----------------------------------------------------------------------------------- */

static void test_without_watches(void)
{
    struct scalekit_watch_stats stats, empty = {.struct_size = sizeof empty};
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    stats = stats_of(&f);
    CU_ASSERT_PTR_NULL(f.client->attachment); /* no engine is made for it */
    CU_ASSERT_EQUAL(memcmp(&stats, &empty, sizeof stats), 0);
    scalekit_client_read_watch_stats(NULL, &stats, sizeof stats);
    CU_ASSERT_EQUAL(memcmp(&stats, &empty, sizeof stats), 0);
    scalekit_client_read_watch_stats(f.client, NULL, sizeof stats);
    town_free(&town);
}

static void test_governor(void)
{
    struct scalekit_watch_stats stats;
    struct fixture f;

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.max_requests_per_minute = 300;
    fixture_start(&f);
    stats = stats_of(&f);
    CU_ASSERT_EQUAL(stats.max_requests_per_minute, 300);
    CU_ASSERT(stats.rate > 0 && stats.rate <= 300);
    fixture_free(&f);
}

/* Programs that are older or newer than the library. */
static void test_struct_sizes(void)
{
    struct {
        struct scalekit_watch_stats stats;
        char more[32];
    } longer;
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    watch(&f, "user_1", false);
    memset(&longer, 0x55, sizeof longer);
    scalekit_client_read_watch_stats(f.client, &longer.stats,
                                     offsetof(struct scalekit_watch_stats, targets));
    CU_ASSERT_EQUAL(longer.stats.watches, 1);
    CU_ASSERT_EQUAL(longer.stats.targets, 0x55555555);
    scalekit_client_read_watch_stats(f.client, &longer.stats, sizeof longer);
    CU_ASSERT_EQUAL(longer.stats.targets, 1);
    CU_ASSERT_EQUAL(longer.more[31], 0);
    town_free(&town);
}

static void test_every_counter(void)
{
    struct scalekit_watch_stats stats;
    struct ski_tally *tally;
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    tally = &ski_engine_of(f.client)->tally;
    *tally = (struct ski_tally){
        .requests = {[SKI_LOOK_SINGLE] = 1, [SKI_LOOK_USER] = 2, [SKI_LOOK_SWEEP] = 3},
        .feed_requests = 4,
        .seen = {5, 6, 7, 8, 9},
        .events = {[SCALEKIT_WATCH_LINK] = 9, [SCALEKIT_WATCH_STOPPED] = 10},
        .failures = 11,
        .rounds = 12,
        .ignored = 13,
        .feed_misses = 14,
        .starting = 15,
        .pending = 16,
        .following = 17,
        .deliveries = {[SKI_DELIVERY_TAKEN] = 18,
                       [SKI_DELIVERY_DUPLICATE] = 19,
                       [SKI_DELIVERY_REJECTED] = 20},
        .missed_deliveries = 21,
        .lags = {[0] = 90, [4] = 8, [8] = 2}, /* 1, 2 and 4 ms */
    };
    stats = stats_of(&f);
    CU_ASSERT_EQUAL(stats.look_ups, 1);
    CU_ASSERT_EQUAL(stats.user_lists, 2);
    CU_ASSERT_EQUAL(stats.sweep_pages, 3);
    CU_ASSERT_EQUAL(stats.feed_reads, 4);
    for (size_t i = 0; i < SKI_SOURCES; i++)
        CU_ASSERT_EQUAL(stats.observations[i], 5 + i);
    CU_ASSERT_EQUAL(stats.observations[SKI_SOURCES], 0);
    CU_ASSERT_EQUAL(stats.events[SCALEKIT_WATCH_LINK], 9);
    CU_ASSERT_EQUAL(stats.events[SCALEKIT_WATCH_STOPPED], 10);
    CU_ASSERT_EQUAL(stats.failures, 11);
    CU_ASSERT_EQUAL(stats.rounds, 12);
    CU_ASSERT_EQUAL(stats.ignored, 13);
    CU_ASSERT_EQUAL(stats.feed_misses, 14);
    CU_ASSERT_EQUAL(stats.starting, 15);
    CU_ASSERT_EQUAL(stats.pending, 16);
    CU_ASSERT_EQUAL(stats.following, 17);
    CU_ASSERT_EQUAL(stats.watches, 15 + 16 + 17);
    CU_ASSERT_EQUAL(stats.deliveries, 18);
    CU_ASSERT_EQUAL(stats.duplicate_deliveries, 19);
    CU_ASSERT_EQUAL(stats.rejected_deliveries, 20);
    CU_ASSERT_EQUAL(stats.missed_deliveries, 21);
    CU_ASSERT_FALSE(stats.deliveries_flow);
    CU_ASSERT_EQUAL(stats.n_lags, 100);
    CU_ASSERT_EQUAL(stats.lag_p50_ms, 1);
    CU_ASSERT_EQUAL(stats.lag_p95_ms, 2);
    CU_ASSERT_EQUAL(stats.lag_p99_ms, 4);
    *tally = (struct ski_tally){0};
    town_free(&town);
}

/* Two watches on one account, one that goes on, and one that ends. */
static void test_states(void)
{
    struct scalekit_watch_stats stats;
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    town_add(&town, "gmail", "user_2", "EXPIRED");
    town_add(&town, "gmail", "user_3", "REVOKED");
    watch(&f, "user_1", false);
    watch(&f, "user_1", false);
    watch(&f, "user_2", true);
    watch(&f, "user_3", false);
    stats = stats_of(&f);
    CU_ASSERT_EQUAL(stats.watches, 4);
    CU_ASSERT_EQUAL(stats.pending, 4);
    CU_ASSERT_EQUAL(stats.targets, 3);
    CU_ASSERT_EQUAL(stats.groups, 1);
    CU_ASSERT_EQUAL(stats.oldest_ms, -1);
    virtual_pass(&f, 10000);
    stats = stats_of(&f);
    CU_ASSERT_EQUAL(stats.watches, 3);
    CU_ASSERT_EQUAL(stats.starting, 0);
    CU_ASSERT_EQUAL(stats.pending, 2);
    CU_ASSERT_EQUAL(stats.following, 1);
    CU_ASSERT_EQUAL(stats.targets, 2);
    CU_ASSERT_EQUAL(stats.events[SCALEKIT_WATCH_SETTLED], 2);
    CU_ASSERT(stats.oldest_ms > 0 && stats.oldest_ms <= 10000);
    CU_ASSERT(stats.rounds > 0);
    CU_ASSERT_EQUAL(stats.look_ups + stats.user_lists + stats.sweep_pages,
                    town.look_ups + town.lists);
    fixture_free_client(&f);
    town_free(&town);
}

static void test_lag(void)
{
    struct scalekit_watch_stats stats;
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    watch(&f, "user_1", false);
    virtual_pass(&f, 10000);
    CU_ASSERT_EQUAL(stats_of(&f).n_lags, 0);
    town_set(&town, "gmail", "user_1", "ACTIVE");
    virtual_pass(&f, 10000);
    stats = stats_of(&f);
    CU_ASSERT_EQUAL(stats.n_lags, 1);
    CU_ASSERT(stats.lag_p50_ms > 0 && stats.lag_p50_ms < 5000);
    CU_ASSERT_EQUAL(stats.lag_p99_ms, stats.lag_p50_ms);
    town_free(&town);
}

static void test_rates(void)
{
    struct scalekit_watch_stats stats;
    struct fixture f;
    struct town town;
    unsigned before;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    watch(&f, "user_1", false);
    CU_ASSERT_EQUAL(stats_of(&f).per_minute[SCALEKIT_CLASS_WATCH], 0);
    before = town.look_ups + town.lists;
    virtual_pass(&f, 30000);
    stats = stats_of(&f);
    CU_ASSERT(stats.per_minute[SCALEKIT_CLASS_WATCH] >=
              2.0 * (town.look_ups + town.lists - before) - 1);
    CU_ASSERT(stats.per_minute[SCALEKIT_CLASS_WATCH] > 0);
    CU_ASSERT_EQUAL(stats.per_minute[SCALEKIT_CLASS_TOOL], 0);
    town_free(&town);
}

/* --- regularly --------------------------------------------------------------------------------- */

struct reader {
    struct fixture *fixture;
    unsigned n;
    int64_t last_ms;
    void (*act)(struct reader *reader);
};

static void on_stats(scalekit_client *client, const struct scalekit_watch_stats *stats, void *user)
{
    struct reader *reader = user;

    CU_ASSERT_FALSE(reader->fixture->inside);
    CU_ASSERT_PTR_EQUAL(client, reader->fixture->client);
    CU_ASSERT_EQUAL(stats->struct_size, sizeof *stats);
    reader->n++;
    reader->last_ms = virtual_now(reader->fixture);
    if (reader->act)
        reader->act(reader);
}

static void test_regularly(void)
{
    struct fixture f;
    struct town town;
    struct reader reader = {.fixture = &f}, other = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    watch(&f, "user_1", false);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 5000, on_stats, &reader), SCALEKIT_OK);
    virtual_pass(&f, 4900);
    CU_ASSERT_EQUAL(reader.n, 0);
    virtual_pass(&f, 26000);
    CU_ASSERT(reader.n == 5 || reader.n == 6); /* a timer may be some milliseconds late */
    f.inside = true;
    test_clock_advance_ms(&f.clock, 10000);
    scalekit_client_run_timers(f.client); /* tells later */
    f.inside = false;
    virtual_settle(&f);
    reader.n = 0;
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 1000, on_stats, &other), SCALEKIT_OK);
    virtual_pass(&f, 1500);
    CU_ASSERT_EQUAL(reader.n, 0);
    CU_ASSERT_EQUAL(other.n, 1);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 0, NULL, NULL), SCALEKIT_OK);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 0, NULL, NULL), SCALEKIT_OK);
    virtual_pass(&f, MINUTE_MS);
    CU_ASSERT_EQUAL(other.n, 1);
    town_free(&town);
}

static void test_does_not_hold_the_loop(void)
{
    struct fixture f;
    struct town town;
    struct reader reader = {.fixture = &f};
    scalekit_watch *of;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 5000, on_stats, &reader), SCALEKIT_OK);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(f.client->loop.holds, 0);
    CU_ASSERT_EQUAL(f.client->loop.alarm_ms, INT64_MAX);
    test_clock_advance_ms(&f.clock, MINUTE_MS);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(reader.n, 0);
    of = watch(&f, "user_1", false);
    virtual_pass(&f, 1000);
    CU_ASSERT_EQUAL(reader.n, 1); /* once for all that was left out */
    scalekit_watch_stop(of);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(f.client->loop.alarm_ms, INT64_MAX);
    town_free(&town);
}

static void stop_it(struct reader *reader)
{
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(reader->fixture->client, 0, NULL, NULL),
                    SCALEKIT_OK);
}

static void change_it(struct reader *reader)
{
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(reader->fixture->client, 20000, on_stats, reader),
                    SCALEKIT_OK);
}

static void stop_and_start_it(struct reader *reader)
{
    stop_it(reader);
    change_it(reader);
}

static void free_the_client(struct reader *reader)
{
    scalekit_client *client = reader->fixture->client;

    scalekit_client_free(client);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(client, 1000, on_stats, reader),
                    SCALEKIT_ERR_CLOSED);
    reader->fixture->client = NULL;
}

static void test_anything_inside(void)
{
    static const struct {
        const char *name;
        void (*act)(struct reader *reader);
        unsigned n;
    } rows[] = {
        {"stop", stop_it, 1},
        {"change", change_it, 2},
        {"stop and start", stop_and_start_it, 2},
        {"free the client", free_the_client, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct reader reader = {.fixture = &f, .act = rows[i].act};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        town_add(&town, "gmail", "user_1", "PENDING_AUTH");
        watch(&f, "user_1", false);
        scalekit_watch_stats_every(f.client, 5000, on_stats, &reader);
        virtual_pass(&f, 6000);
        virtual_pass(&f, f.client ? 24000 : 0);
        ROW_IS(rows[i].name, reader.n == rows[i].n);
        town_free(&town);
    }
}

static void test_wrong_arguments(void)
{
    struct fixture f;
    struct town town;
    struct reader reader = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(NULL, 1000, on_stats, &reader),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, -1, on_stats, &reader),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 86400001, on_stats, &reader),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 1000, NULL, &reader),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_watch_stats_every(f.client, 86400000, on_stats, &reader), SCALEKIT_OK);
    town_free(&town);
}

static bool report_with(struct test_memory *memory, void *user)
{
    struct fixture f;
    struct town town;
    struct reader reader = {.fixture = &f};
    bool through = false;

    (void)user;
    if (town_open(&town, &f, memory)) {
        scalekit_err err = scalekit_watch_stats_every(f.client, 1000, on_stats, &reader);

        CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
        if (err == SCALEKIT_OK && watch(&f, "user_1", false)) {
            virtual_pass(&f, 1500);
            CU_ASSERT_EQUAL(reader.n, 1);
            through = memory->count < memory->fail_at;
        }
    }
    town_free(&town);
    return through;
}

static void test_every_allocation_of_it(void)
{
    CU_ASSERT(test_every_allocation(report_with, NULL) > 10);
}

SUITE(watch_stats,
      {"without watches there is nothing, and no engine is made", test_without_watches},
      {"the governor's numbers are there", test_governor},
      {"structures may be older or newer", test_struct_sizes},
      {"every counter is told", test_every_counter}, {"watches are counted by state", test_states},
      {"the lag is that of changes", test_lag}, {"requests a minute by class", test_rates},
      {"told regularly, from the loop, until replaced or stopped", test_regularly},
      {"it does not keep the loop running", test_does_not_hold_the_loop},
      {"anything is legal in the callback", test_anything_inside},
      {"wrong arguments are refused", test_wrong_arguments},
      {"any allocation may fail", test_every_allocation_of_it})
