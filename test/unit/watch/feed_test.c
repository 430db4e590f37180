/* The event feed as a source: when it is read, when it is trusted, and how it is held to that. */
#include "stage.h"
#include <stdlib.h>

#define TICK_MS   8 /* timers are this coarse */
#define MINUTE_MS 60000

static struct ski_feed *feed_of(struct stage *stage)
{
    return &stage->engine->feed;
}

static bool is_trusted(struct stage *stage)
{
    return ski_feed_is_trusted(feed_of(stage));
}

static bool is_about(int64_t pause, int64_t nominal)
{
    return pause >= nominal * 8 / 10 && pause <= nominal * 12 / 10 + 2 * TICK_MS;
}

/* How long it takes until a page more is asked for. */
static int64_t pause_of(struct stage *stage)
{
    int64_t before = virtual_now(&stage->f);

    stage_read(stage, 1);
    return virtual_now(&stage->f) - before;
}

static bool asks_from(struct stage *stage, const char *start)
{
    const struct service_request *request = stage_request(stage, stage_reads(stage) - 1);
    char member[64];

    snprintf(member, sizeof member, "\"start_time\":\"2026-08-21T%s\"", start);
    return text_has(request->body, start ? member : "") &&
           (start || !text_has(request->body, "start_time"));
}

/* --- reading ----------------------------------------------------------------------------------- */

static void test_probe(void)
{
    struct stage s;
    const struct service_request *request;

    stage_open(&s);
    stage_always(&s, PAGE(OLD_EVENT));
    virtual_pass(&s.f, MINUTE_MS);
    CU_ASSERT_EQUAL(stage_reads(&s), 0);
    stage_listen(&s);
    CU_ASSERT_FALSE(is_trusted(&s));
    stage_read(&s, 1);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT_EQUAL(s.turns, 1);
    request = stage_request(&s, 0);
    CU_ASSERT_STRING_EQUAL(request->target, "/api/v1/events/paginated?page_size=10");
    CU_ASSERT_STRING_EQUAL(request->body,
                           "{\"event_types\":[\"connected_account.status_updated\","
                           "\"connected_account.oauth_succeeded\",\"connected_account.created\","
                           "\"connected_account.updated\",\"connected_account.deleted\","
                           "\"connected_account.token_refresh_failed\"]}");
    CU_ASSERT_EQUAL(s.engine->tally.feed_requests, 1);
    virtual_pass(&s.f, MINUTE_MS);
    CU_ASSERT_STRING_EQUAL(s.heard, ""); /* what had happened before */
    stage_close(&s);
}

static void test_request(void)
{
    struct stage s;

    stage_open(&s);
    service_once(s.f.service, FEED, (struct service_answer){200, PAGE(), NULL, SERVICE_WAITS, 0});
    stage_listen(&s);
    stage_read(&s, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(feed_of(&s)->request);
    CU_ASSERT_EQUAL(feed_of(&s)->request->kind, SCALEKIT_CLASS_WATCH);
    CU_ASSERT_EQUAL(feed_of(&s)->request->max_retries, 0);
    stage_close(&s);
}

/* A tick every 3 s, never before the last has ended; each 30 s a deep one. */
static void test_rhythm(void)
{
    struct stage s;
    int64_t deep_ms;
    unsigned deep = 0;

    stage_open(&s);
    stage_begin(&s);
    deep_ms = virtual_now(&s.f);
    stage_once(&s, PAGE(STATUS("evt_1", "09:59:30.5", "ca_1", "ACTIVE")));
    CU_ASSERT(is_about(pause_of(&s), 3000));
    CU_ASSERT(asks_from(&s, "09:59:00Z")); /* nothing before it is news */
    stage_once(&s, PAGE(STATUS("evt_2", "10:05:00", "ca_1", "EXPIRED")));
    for (int i = 0; i < 100; i++) {
        CU_ASSERT(is_about(pause_of(&s), 3000));
        CU_ASSERT_STRING_EQUAL(stage_request(&s, 2)->target,
                               "/api/v1/events/paginated?page_size=100");
        if (i == 0)
            CU_ASSERT(asks_from(&s, "09:59:20.500Z"));
        if (i == 0 || asks_from(&s, "10:04:50Z"))
            continue;
        CU_ASSERT(asks_from(&s, "10:03:00Z"));
        CU_ASSERT(virtual_now(&s.f) - deep_ms >= 60000);
        CU_ASSERT(virtual_now(&s.f) - deep_ms <= 64000);
        deep_ms = virtual_now(&s.f);
        deep++;
    }
    CU_ASSERT(deep >= 4);
    CU_ASSERT_STRING_EQUAL(s.heard, "ca_1 ACTIVE, ca_1 EXPIRED, ");
    stage_close(&s);
}

/* Where nothing has happened yet, everything that will is news. */
static void test_empty_environment(void)
{
    struct stage s;

    stage_open(&s);
    stage_listen(&s);
    stage_read(&s, 2);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT(asks_from(&s, NULL));
    stage_once(&s, PAGE(STATUS("evt_1", "08:00:00", "ca_1", "ACTIVE")));
    stage_read(&s, 2);
    CU_ASSERT_STRING_EQUAL(s.heard, "ca_1 ACTIVE, ");
    CU_ASSERT(asks_from(&s, "07:59:50Z"));
    stage_close(&s);
}

static void test_background_is_slow(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    s.engine->tally.following = s.engine->n_following;
    stage_read(&s, 1);
    for (int i = 0; i < 5; i++)
        CU_ASSERT(is_about(pause_of(&s), 30000));
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT_EQUAL(s.turns, 1);
    s.engine->tally.following = 0;
    ski_feed_wake(feed_of(&s)); /* somebody waits again */
    for (int i = 0; i < 5; i++)
        CU_ASSERT(is_about(pause_of(&s), 3000));
    CU_ASSERT_EQUAL(s.turns, 1);
    stage_close(&s);
}

static void test_rest(void)
{
    const struct {
        const char *name;
        enum service_manner manner;
        int64_t pass_ms;
    } rows[] = {
        {"before the probe", SERVICE_ANSWERS, 0},
        {"probing", SERVICE_WAITS, 100},
        {"between reads", SERVICE_ANSWERS, 10000},
        {"while it fails", SERVICE_CLOSES, 10000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        unsigned reads;

        stage_open(&s);
        service_always(s.f.service, FEED,
                       (struct service_answer){200, PAGE(OLD_EVENT), NULL, rows[i].manner, 0});
        stage_listen(&s);
        if (rows[i].pass_ms)
            virtual_pass(&s.f, rows[i].pass_ms);
        stage_ignore(&s);
        ROW_IS(rows[i].name, !is_trusted(&s));
        ROW_IS(rows[i].name, !feed_of(&s)->request);
        ROW_IS(rows[i].name, !ski_timer_is_set(&s.f.client->loop, feed_of(&s)->timer));
        reads = stage_reads(&s);
        virtual_settle(&s.f);
        service_release(s.f.service);
        virtual_pass(&s.f, 10 * MINUTE_MS);
        ROW_IS(rows[i].name, stage_reads(&s) == reads);
        stage_always(&s, PAGE(OLD_EVENT));
        stage_listen(&s);
        stage_read(&s, 1);
        ROW_IS(rows[i].name, is_trusted(&s));
        ROW_IS(rows[i].name, asks_from(&s, NULL)); /* it begins anew */
        stage_close(&s);
    }
}

/* However often something is followed for a moment. */
static void test_wakes_are_paced(void)
{
    struct stage s;

    stage_open(&s);
    for (int i = 0; i < 300; i++) {
        stage_listen(&s);
        virtual_pass(&s.f, 100);
        stage_ignore(&s);
    }
    CU_ASSERT(stage_reads(&s) >= 10 && stage_reads(&s) <= 11);
    stage_close(&s);
}

/* --- pages ------------------------------------------------------------------------------------- */

/* Events of that many accounts, newest first, with numbers down from `first`. */
static const char *many(char *out, size_t size, unsigned first, unsigned n, const char *token)
{
    size_t length = (size_t)snprintf(out, size, "{\"next_page_token\":\"%s\",\"events\":[", token);

    for (unsigned i = 0; i < n; i++, first--)
        length += (size_t)snprintf(
            out + length, size - length,
            "%s{\"id\":\"evt_%u\",\"type\":\"connected_account.status_updated\",\"occurred_at\":"
            "\"2026-08-21T10:%02u:%02u.%03uZ\",\"data\":{\"id\":\"ca_%u\",\"status\":\"ACTIVE\"}}",
            i ? "," : "", first, first / 60000, first / 1000 % 60, first % 1000, first);
    snprintf(out + length, size - length, "]}");
    return out;
}

#define ROOM 32768 /* of a page of many events */

static void test_pages_are_followed(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, PAGE_AND("a+b=", STATUS("evt_4", "10:00:04", "ca_4", "ACTIVE")));
    stage_once(&s, PAGE_AND("c", STATUS("evt_3", "10:00:03", "ca_3", "ACTIVE")));
    stage_once(&s, PAGE(STATUS("evt_2", "10:00:02", "ca_2", "ACTIVE")));
    stage_read(&s, 3);
    CU_ASSERT_STRING_EQUAL(stage_request(&s, 2)->target,
                           "/api/v1/events/paginated?page_size=100&page_token=a%2Bb%3D");
    CU_ASSERT_STRING_EQUAL(stage_request(&s, 2)->body, stage_request(&s, 1)->body);
    CU_ASSERT_STRING_EQUAL(s.heard, "ca_2 ACTIVE, ca_3 ACTIVE, ca_4 ACTIVE, ");
    CU_ASSERT_EQUAL(s.engine->tally.feed_requests, 4);
    CU_ASSERT(is_about(pause_of(&s), 3000));
    CU_ASSERT(asks_from(&s, "09:59:54Z"));
    stage_close(&s);
}

/* A tick ends at a hundred events in a row that were seen before, a deep read does not. */
static void test_known_events_end_a_read(void)
{
    static char first[ROOM], again[ROOM];
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, many(first, sizeof first, 5000, 100, ""));
    stage_read(&s, 1);
    stage_always(&s, many(again, sizeof again, 5000, 100, "more"));
    CU_ASSERT(is_about(pause_of(&s), 3000));
    CU_ASSERT(is_about(pause_of(&s), 3000));
    stage_once(&s, PAGE_AND("1", STATUS("evt_9", "10:00:09", "ca_9", "ACTIVE")));
    stage_once(&s, many(again, sizeof again, 5000, 100, "2"));
    virtual_pass(&s.f, 3600);
    CU_ASSERT(text_has(s.heard, "ca_9 ACTIVE, "));
    stage_always(&s, PAGE());
    while (virtual_now(&s.f) < feed_of(&s)->deep_ms && !feed_of(&s)->deep) {
        stage_once(&s, PAGE_AND("3", STATUS("evt_9", "10:00:09", "ca_9", "ACTIVE")));
        stage_once(&s, many(again, sizeof again, 5000, 100, "4"));
        stage_read(&s, 2);
    }
    CU_ASSERT_EQUAL(s.turns, 1);
    stage_close(&s);
}

static void test_events_without_a_status(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    s.heard[0] = '\0';
    stage_once(&s, PAGE(EVENT("evt_1", "created", AT("10:00:01"), DATA("ca_9", "PENDING_AUTH"))));
    stage_read(&s, 1);
    CU_ASSERT_EQUAL(s.suspicions, 1);
    CU_ASSERT_STRING_EQUAL(s.heard, "");
    stage_always(&s, PAGE());
    stage_close(&s);
}

static void test_deep_read_finds_late_events(void)
{
    static char known[ROOM], again[ROOM];
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, many(known, sizeof known, 50000, 100, ""));
    stage_read(&s, 1);
    stage_always(&s, PAGE());
    virtual_pass(&s.f, 26000);
    CU_ASSERT(asks_from(&s, "10:00:40Z"));
    stage_once(&s, many(again, sizeof again, 50000, 100, "late"));
    stage_once(&s, PAGE(STATUS("late_1", "10:00:10", "ca_late", "EXPIRED")));
    while (!asks_from(&s, "09:59:00Z"))
        stage_read(&s, 1);
    CU_ASSERT(text_has(s.heard, "ca_late EXPIRED, "));
    CU_ASSERT_EQUAL(s.heard_at / 1000000 % 60, 10);
    stage_close(&s);
}

static void test_page_storm(void)
{
    static char pages[12][ROOM];
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    for (unsigned i = 0; i < 12; i++)
        stage_once(&s, many(pages[i], ROOM, 20000 - 100 * i, 100, i % 2 ? "odd" : "even"));
    stage_read(&s, 10);
    CU_ASSERT_EQUAL(stage_reads(&s), 11);
    CU_ASSERT_FALSE(is_trusted(&s)); /* so everything is looked at */
    CU_ASSERT_EQUAL(s.turns, 2);
    CU_ASSERT_STRING_EQUAL(s.heard, "");
    CU_ASSERT(is_about(pause_of(&s), 30000));
    CU_ASSERT(asks_from(&s, NULL));
    stage_always(&s, PAGE());
    stage_close(&s);
}

static void test_bad_pages(void)
{
    static char large[ROOM];
    const struct {
        const char *name, *first, *second;
    } rows[] = {
        {"no JSON", "{\"events\":", NULL},
        {"a list of other things", "{\"events\":[1]}", NULL},
        {"more than were asked for", many(large, sizeof large, 5000, 101, ""), NULL},
        {"a token that leads nowhere", PAGE_AND("a", OLD_EVENT), PAGE_AND("a", OLD_EVENT)},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;

        stage_open(&s);
        stage_begin(&s);
        stage_once(&s, rows[i].first);
        if (rows[i].second)
            stage_once(&s, rows[i].second);
        stage_read(&s, rows[i].second ? 2 : 1);
        ROW_IS(rows[i].name, feed_of(&s)->failures == 1);
        ROW_IS(rows[i].name, is_about(pause_of(&s), 1000));
        ROW_IS(rows[i].name, feed_of(&s)->failures == 0);
        ROW_IS(rows[i].name, text_is(s.heard, ""));
        stage_close(&s);
    }
}

/* What had come of it is read again. */
static void test_broken_read(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, PAGE_AND("a", STATUS("evt_2", "10:00:02", "ca_2", "ACTIVE")));
    service_once(s.f.service, FEED, (struct service_answer){503, ERROR_BODY, NULL, 0, 0});
    stage_once(&s, PAGE_AND("a", STATUS("evt_2", "10:00:02", "ca_2", "ACTIVE")));
    stage_once(&s, PAGE(STATUS("evt_1", "10:00:01", "ca_1", "ACTIVE")));
    stage_read(&s, 2);
    CU_ASSERT_STRING_EQUAL(s.heard, "");
    stage_read(&s, 2);
    CU_ASSERT_STRING_EQUAL(s.heard, "ca_1 ACTIVE, ca_2 ACTIVE, ");
    stage_close(&s);
}

/* --- what is not there, and what fails --------------------------------------------------------- */

static void test_absent(void)
{
    const int statuses[] = {401, 403, 404, 501};

    for (size_t i = 0; i < 2 * COUNT(statuses); i++) {
        bool later = i >= COUNT(statuses); /* it was there once */
        struct service_answer absent = {statuses[i % COUNT(statuses)], ERROR_BODY, NULL, 0, 0};
        struct stage s;
        unsigned reads;

        stage_open(&s);
        if (later)
            stage_begin(&s);
        service_always(s.f.service, FEED, absent);
        if (!later)
            stage_listen(&s);
        stage_read(&s, 1);
        CU_ASSERT_FALSE(is_trusted(&s));
        CU_ASSERT_EQUAL(s.turns, later ? 2 : 0);
        reads = stage_reads(&s);
        virtual_pass(&s.f, 4 * MINUTE_MS);
        stage_ignore(&s);
        stage_listen(&s); /* asks no sooner */
        virtual_pass(&s.f, 4 * MINUTE_MS - 1000);
        CU_ASSERT_EQUAL(stage_reads(&s), reads);
        stage_always(&s, PAGE(OLD_EVENT));
        virtual_pass(&s.f, 4 * MINUTE_MS + 1000);
        CU_ASSERT(stage_reads(&s) > reads);
        CU_ASSERT(is_trusted(&s));
        CU_ASSERT_FALSE(text_has(s.f.log, "warn"));
        stage_close(&s);
    }
}

/* 10 minutes, 20, 40 … 320: a fifth more or less. */
static void test_absent_for_long(void)
{
    struct stage s;

    stage_open(&s);
    service_always(s.f.service, FEED, (struct service_answer){404, ERROR_BODY, NULL, 0, 0});
    stage_listen(&s);
    stage_read(&s, 1);
    for (int i = 0; i < 8; i++)
        CU_ASSERT(is_about(pause_of(&s), (10 * MINUTE_MS) << (i < 5 ? i : 5)));
    stage_close(&s);
}

static void test_failures(void)
{
    const struct {
        const char *name;
        struct service_answer answer;
    } rows[] = {
        {"400", {400, ERROR_BODY, NULL, 0, 0}},
        {"429", {429, ERROR_BODY, NULL, 0, 0}},
        {"500", {500, ERROR_BODY, NULL, 0, 0}},
        {"503", {503, ERROR_BODY, NULL, 0, 0}},
        {"no answer", {200, "", NULL, SERVICE_CLOSES, 0}},
    };
    const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;

        stage_open(&s);
        stage_begin(&s);
        service_always(s.f.service, FEED, rows[i].answer);
        stage_read(&s, 1);
        for (size_t p = 0; p < COUNT(pauses); p++) {
            ROW_IS(rows[i].name, is_trusted(&s) == (p < 2));
            ROW_IS(rows[i].name, strcmp(rows[i].name, "429") == 0
                                     ? pause_of(&s) >= pauses[p] * 8 / 10
                                     : is_about(pause_of(&s), pauses[p]));
        }
        ROW_IS(rows[i].name, s.turns == 2);
        stage_always(&s, PAGE());
        stage_read(&s, 1);
        ROW_IS(rows[i].name, is_trusted(&s));
        ROW_IS(rows[i].name, s.turns == 3);
        ROW_IS(rows[i].name, asks_from(&s, "09:59:00Z")); /* where it was */
        stage_close(&s);
    }
}

static void test_retry_after(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    service_once(s.f.service, FEED,
                 (struct service_answer){503, ERROR_BODY, "retry-after: 20\r\n", 0, 0});
    stage_read(&s, 1);
    CU_ASSERT(pause_of(&s) >= 20000);
    service_once(s.f.service, FEED,
                 (struct service_answer){503, ERROR_BODY, "retry-after: 86400\r\n", 0, 0});
    stage_read(&s, 1);
    CU_ASSERT(pause_of(&s) <= 10 * MINUTE_MS + TICK_MS);
    stage_close(&s);
}

/* A read that takes long is as good as none. */
static void test_silence(void)
{
    struct stage s;
    int64_t good;

    stage_open(&s);
    stage_begin(&s);
    good = virtual_now(&s.f);
    service_always(s.f.service, FEED, (struct service_answer){200, PAGE(), NULL, SERVICE_HANGS, 0});
    virtual_pass(&s.f, 13000);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT_EQUAL(stage_reads(&s), 2);
    while (is_trusted(&s))
        CU_ASSERT_FATAL(virtual_step(&s.f, good + MINUTE_MS));
    CU_ASSERT(virtual_now(&s.f) - good <= 15600 + 2 * TICK_MS);
    CU_ASSERT_EQUAL(stage_reads(&s), 2);
    stage_close(&s);
}

/* The time at the governor is not the feed's. */
static void test_waiting_for_a_turn(void)
{
    struct stage s;

    stage_open_slow(&s, 4);
    stage_begin(&s);
    for (int i = 0; i < 5; i++) {
        stage_once(&s, PAGE_AND("a", ""));
        stage_once(&s, PAGE_AND("b", ""));
        stage_once(&s, PAGE());
    }
    virtual_pass(&s.f, 5 * MINUTE_MS);
    CU_ASSERT(stage_reads(&s) >= 16 && stage_reads(&s) <= 22);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT_EQUAL(s.turns, 1);
    stage_close(&s);
}

/* The process stood still. */
static void test_jump(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_read(&s, 3);
    service_always(s.f.service, FEED, (struct service_answer){200, PAGE(), NULL, SERVICE_WAITS, 0});
    fixture_advance(&s.f, 3600000);
    virtual_settle(&s.f);
    CU_ASSERT_FALSE(is_trusted(&s));
    service_release(s.f.service);
    virtual_settle(&s.f);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT_EQUAL(s.turns, 3);
    stage_close(&s);
}

/* --- times ------------------------------------------------------------------------------------- */

static void test_odd_times(void)
{
    const struct {
        const char *name, *at, *heard, *next;
    } rows[] = {
        {"within a day", AT("23:00:00"), "ca_1 ACTIVE, ", "22:59:50Z"},
        {"years ahead", "2099-01-01T00:00:00Z", "", "09:59:00Z"},
        {"the last moment there is", "9999-12-31T23:59:59Z", "", "09:59:00Z"},
        {"the first", "0001-01-01T00:00:00Z", "", "09:59:00Z"},
        {"the zero of our clock", "1970-01-01T00:00:00Z", "", "09:59:00Z"},
        {"before all that is news", AT("09:58:59"), "", "09:59:00Z"},
        {"at the same moment as the last", AT("09:59:00"), "", "09:59:00Z"},
        {"right after it", AT("09:59:00.000001"), "ca_1 ACTIVE, ", "09:59:00Z"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        char page[512];

        stage_open(&s);
        stage_begin(&s);
        snprintf(page, sizeof page,
                 PAGE("{\"id\":\"evt_1\",\"type\":"
                      "\"connected_account.status_updated\","
                      "\"occurred_at\":\"%s\",\"data\":" DATA("ca_1", "ACTIVE") "}"),
                 rows[i].at);
        stage_always(&s, page);
        stage_read(&s, 2);
        ROW_IS(rows[i].name, text_is(s.heard, rows[i].heard));
        ROW_IS(rows[i].name, asks_from(&s, rows[i].next));
        ROW_IS(rows[i].name, is_trusted(&s));
        stage_close(&s);
    }
}

/* One event of a strange time does not hide the others from the probe; nothing else is no feed. */
static void test_odd_beginnings(void)
{
    static const char future[] =
        EVENT("evt_9", "created", "2099-01-01T00:00:00Z", DATA("ca_1", "ACTIVE"));
    struct stage s;
    char page[1024];

    stage_open(&s);
    snprintf(page, sizeof page, "{\"events\":[%s,%s]}", future, OLD_EVENT);
    stage_once(&s, page);
    stage_listen(&s);
    stage_read(&s, 2);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT(asks_from(&s, "09:59:00Z"));
    stage_close(&s);

    stage_open(&s);
    snprintf(page, sizeof page, "{\"events\":[%s]}", future);
    stage_once(&s, page);
    stage_listen(&s);
    stage_read(&s, 1);
    CU_ASSERT_FALSE(is_trusted(&s));
    CU_ASSERT(is_about(pause_of(&s), 10 * MINUTE_MS));
    CU_ASSERT(is_trusted(&s));
    stage_close(&s);
}

/* --- trust ------------------------------------------------------------------------------------- */

static void test_guard(void)
{
    struct stage s;
    int64_t begun;

    stage_open(&s);
    stage_begin(&s);
    begun = virtual_now(&s.f);
    virtual_pass(&s.f, 10 * MINUTE_MS - 1);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(is_about(ski_feed_guard_ms(feed_of(&s)), MINUTE_MS));
    virtual_pass(&s.f, begun + 10 * MINUTE_MS - virtual_now(&s.f));
    for (int i = 0; i < 100; i++)
        CU_ASSERT(is_about(ski_feed_guard_ms(feed_of(&s)), 5 * MINUTE_MS));
    stage_close(&s);
}

/* A look has shown that an account changed at that second of 10:00. */
static void compare(struct stage *stage, const char *account_id, int64_t second)
{
    const scalekit_time start = INT64_C(1787306400000000); /* 2026-08-21T10:00:00Z */
    const struct scalekit_connected_account account = {
        .struct_size = sizeof account, .id = account_id, .status = SCALEKIT_ACCOUNT_ACTIVE};
    const struct ski_observation read = {.source = SCALEKIT_WATCH_SOURCE_LIST,
                                         .account = &account,
                                         .asked_ms = virtual_now(&stage->f),
                                         .at = second < 0 ? 0 : start + second * 1000000};

    ski_feed_compare(feed_of(stage), &read);
}

enum verdict { FINE, MISSED, DOUBTED };

static void test_compare(void)
{
    const struct {
        const char *name, *page, *account;
        int64_t second; /* of the change; negative: not known */
        enum verdict verdict;
    } rows[] = {
        {"it was shown", STATUS("evt_1", "10:01:00", "ca_1", "ACTIVE"), "ca_1", 60, FINE},
        {"a little before", STATUS("evt_1", "10:01:00", "ca_1", "ACTIVE"), "ca_1", 75, FINE},
        {"a little before, and the feed is beyond it",
         STATUS("evt_2", "10:05:00", "ca_2", "ACTIVE") "," STATUS("evt_1", "10:01:00", "ca_1",
                                                                  "ACTIVE"),
         "ca_1", 75, FINE},
        {"and something since", STATUS("evt_1", "10:05:00", "ca_1", "ACTIVE"), "ca_1", 60, FINE},
        {"by an event that tells no status",
         EVENT("evt_1", "updated", AT("10:01:00"), DATA("ca_1", "ACTIVE")), "ca_1", 60, FINE},
        {"no account", STATUS("evt_1", "10:05:00", "ca_2", "ACTIVE"), NULL, 60, FINE},
        {"no time", STATUS("evt_1", "10:05:00", "ca_2", "ACTIVE"), "ca_1", -1, FINE},
        {"a time that is yet to come", STATUS("evt_1", "10:05:00", "ca_2", "ACTIVE"), "ca_1",
         2 * 86400, FINE},
        {"not shown from the beginning on", STATUS("evt_1", "10:05:00", "ca_2", "ACTIVE"), "ca_1",
         0, MISSED},
        {"not shown, and the feed is beyond it", STATUS("evt_1", "10:01:16", "ca_2", "ACTIVE"),
         "ca_1", 60, MISSED},
        {"the feed is not far beyond it", STATUS("evt_1", "10:01:15", "ca_2", "ACTIVE"), "ca_1", 60,
         DOUBTED},
        {"only shown long before", STATUS("evt_1", "10:01:00", "ca_1", "ACTIVE"), "ca_1", 76,
         DOUBTED},
        {"nothing is shown", "", "ca_1", 60, DOUBTED},
        {"data that cannot be read", EVENT("evt_1", "status_updated", AT("10:01:00"), "{\"id\":1}"),
         "ca_1", 60, DOUBTED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        char page[1024];
        int64_t began;

        stage_open(&s);
        stage_begin(&s);
        snprintf(page, sizeof page, "{\"events\":[%s]}", rows[i].page);
        stage_once(&s, page);
        stage_read(&s, 1);
        began = virtual_now(&s.f);
        compare(&s, rows[i].account, rows[i].second);
        ROW_IS(rows[i].name, is_trusted(&s));
        virtual_pass(&s.f, 4000);
        ROW_IS(rows[i].name, is_trusted(&s) == (rows[i].verdict != MISSED));
        virtual_pass(&s.f, 10000);
        ROW_IS(rows[i].name, is_trusted(&s) == (rows[i].verdict != MISSED));
        virtual_pass(&s.f, began + 19000 - virtual_now(&s.f));
        ROW_IS(rows[i].name, is_trusted(&s) == (rows[i].verdict == FINE));
        ROW_IS(rows[i].name, s.engine->tally.feed_misses == (rows[i].verdict != FINE));
        ROW_IS(rows[i].name, s.turns == (rows[i].verdict == FINE ? 1 : 2));
        stage_close(&s);
    }
}

/* What happened before the feed was read is not its to show. */
static void test_compare_before_the_beginning(void)
{
    struct stage s;

    stage_open(&s);
    stage_once(&s, PAGE(STATUS("evt_0", "10:10:00", "ca_0", "ACTIVE")));
    stage_listen(&s);
    stage_read(&s, 1);
    compare(&s, "ca_1", 300);
    compare(&s, "ca_1", 600);
    virtual_pass(&s.f, MINUTE_MS);
    CU_ASSERT(is_trusted(&s));
    stage_close(&s);
}

/* What shows late, but in time, is no miss. */
static void test_doubt_is_settled(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    compare(&s, "ca_1", 60);
    compare(&s, "ca_2", 50);
    compare(&s, "ca_3", 70);
    virtual_pass(&s.f, 10000);
    stage_once(&s, PAGE(STATUS("evt_1", "10:00:50", "ca_2", "ACTIVE")));
    virtual_pass(&s.f, 5 * MINUTE_MS);
    CU_ASSERT(is_trusted(&s));
    CU_ASSERT_EQUAL(s.turns, 1);
    stage_close(&s);
}

/* A deep read whose pages do not reach back to the change leaves it to the next one. */
static void test_doubt_needs_a_read_of_its_time(void)
{
    static char first[ROOM], pages[10][ROOM];
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, many(first, sizeof first, 50000, 100, ""));
    stage_read(&s, 1);
    compare(&s, "ca_1", 60);
    feed_of(&s)->doubt.ripe_ms -= 15000;
    for (unsigned i = 0; i < 10; i++)
        stage_once(&s, many(pages[i], ROOM, 50000, 100, i % 2 ? "odd" : "even"));
    stage_read(&s, 10);
    CU_ASSERT(asks_from(&s, "09:59:00Z")); /* deeper than what it began with */
    CU_ASSERT(is_trusted(&s));
    stage_read(&s, 1);
    CU_ASSERT_EQUAL(stage_reads(&s), 13);
    CU_ASSERT_FALSE(is_trusted(&s));
    CU_ASSERT_EQUAL(s.engine->tally.feed_misses, 1);
    stage_close(&s);
}

static void test_demoted_for_ten_minutes(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    stage_once(&s, PAGE(STATUS("evt_1", "10:05:00", "ca_2", "ACTIVE")));
    stage_read(&s, 1);
    compare(&s, "ca_1", 60);
    stage_read(&s, 1);
    CU_ASSERT_FALSE(is_trusted(&s));
    compare(&s, "ca_1", 60);
    CU_ASSERT_EQUAL(s.engine->tally.feed_misses, 1);
    CU_ASSERT(is_about(pause_of(&s), 10 * MINUTE_MS));
    CU_ASSERT(asks_from(&s, NULL));
    CU_ASSERT(is_trusted(&s));
    stage_close(&s);
}

/* --- memory ------------------------------------------------------------------------------------ */

/* Each allocation fails once, whosever it is: the feed reads again, and what is news when it begins
 * is told once. */
static void test_memory(void)
{
    bool failed = true;

    for (long n = 1; failed; n++) {
        struct stage s;
        bool begun;

        stage_open(&s);
        stage_once(&s, PAGE(OLD_EVENT));
        s.f.memory.fail_at = s.f.memory.count + n;
        stage_listen(&s);
        virtual_pass(&s.f, 2300);
        begun = is_trusted(&s);
        stage_always(&s, PAGE(STATUS("evt_2", "10:00:02", "ca_1",
                                     "ACTIVE") "," STATUS("evt_1", "10:00:01", "ca_2", "EXPIRED")));
        virtual_pass(&s.f, 20000);
        failed = s.f.memory.count >= s.f.memory.fail_at;
        CU_ASSERT(is_trusted(&s));
        CU_ASSERT_STRING_EQUAL(s.heard, begun ? "ca_2 EXPIRED, ca_1 ACTIVE, " : "");
        CU_ASSERT_FATAL(n < 2000);
        stage_close(&s);
    }
}

static void test_client_goes(void)
{
    struct stage s;

    stage_open(&s);
    stage_begin(&s);
    service_always(s.f.service, FEED, (struct service_answer){200, PAGE(), NULL, SERVICE_HANGS, 0});
    stage_read(&s, 1);
    fixture_free_client(&s.f);
    CU_ASSERT_FALSE(s.listening);
    stage_close(&s);
}

/* Where reads did not show what was shown before, nobody knows when what comes next has happened. */
static void test_reads_that_show_nothing(void)
{
    static const struct {
        const char *page; /* for 20 seconds */
        unsigned looks;   /* for the event after them */
    } rows[] = {{PAGE(OLD_EVENT), 0}, {PAGE(), 1}, {"{}", 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        unsigned looks;

        stage_open(&s);
        stage_always(&s, PAGE(OLD_EVENT));
        stage_begin(&s);
        stage_watch(&s);
        virtual_pass(&s.f, 20000);
        stage_always(&s, rows[i].page);
        virtual_pass(&s.f, 20000);
        looks = service_count(s.f.service, DETAILS);
        stage_once(&s, PAGE(STATUS("evt_1", "10:00:30", "ca_1", "ACTIVE") "," OLD_EVENT));
        stage_read(&s, 1);
        CU_ASSERT_EQUAL(service_count(s.f.service, DETAILS) - looks, rows[i].looks);
        CU_ASSERT(ski_feed_is_trusted(&s.engine->feed));
        stage_close(&s);
    }
}

SUITE(feed, {"the feed is tried when something is followed", test_probe},
      {"a read is one request of a watch", test_request},
      {"it is read every 3 seconds, and deeper once a minute", test_rhythm},
      {"where nothing has happened everything is news", test_empty_environment},
      {"for what has settled it is read every 30 seconds", test_background_is_slow},
      {"while nothing is followed nothing is under way", test_rest},
      {"wakes are paced", test_wakes_are_paced},
      {"pages are followed, and told oldest first", test_pages_are_followed},
      {"a hundred known events end a read", test_known_events_end_a_read},
      {"an event that does not say enough is a suspicion", test_events_without_a_status},
      {"a deep read finds what was stored late", test_deep_read_finds_late_events},
      {"a page storm is left for a sweep", test_page_storm},
      {"a page that makes no sense is a failure", test_bad_pages},
      {"a read that breaks off is read again", test_broken_read},
      {"where it is not offered it is tried again after 10 minutes", test_absent},
      {"and then ever more rarely", test_absent_for_long},
      {"failures back off, and end the trust", test_failures},
      {"the service may ask for a longer pause", test_retry_after},
      {"a read that does not end ends the trust", test_silence},
      {"but one that waits for its turn does not", test_waiting_for_a_turn},
      {"a clock that jumps ends the trust until the next read", test_jump},
      {"after reads that showed nothing an event is doubted", test_reads_that_show_nothing},
      {"a time that cannot be is not believed", test_odd_times},
      {"nor when it begins", test_odd_beginnings},
      {"the guard comes every minute, later every five", test_guard},
      {"a change that it does not show ends the trust", test_compare},
      {"not one from before", test_compare_before_the_beginning},
      {"what shows late is no miss", test_doubt_is_settled},
      {"and is looked for where it happened", test_doubt_needs_a_read_of_its_time},
      {"what it misses is looked for during ten minutes", test_demoted_for_ten_minutes},
      {"an allocation that fails is another read", test_memory},
      {"the client may go while it reads", test_client_goes})
