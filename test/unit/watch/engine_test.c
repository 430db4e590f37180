/* Whose looks are shared, what is too old to count, accounts that vanish, and the loop. */
#include "diary.h"
#include "virtual.h"
#include "watch/watch.h"
#include <stdlib.h>

#define TICK_MS   8 /* timers are this coarse */
#define MINUTE_MS 60000

static void open_virtual(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    fixture_start(f);
}

/* --- sharing ----------------------------------------------------------------------------------- */

static void test_equal_accounts_share(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
    diary_follow(&d, "user_1");
    diary_follow(&other, "user_1");
    virtual_pass(&f, 10000);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT(diary_reads(&other, "settled"));
    CU_ASSERT_STRING_EQUAL(diary_last(&other)->account, "ca_1");
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    fixture_free(&f);
}

#define KEY(...) SCALEKIT_PARAMS(scalekit_watch_params, __VA_ARGS__)

static void test_names(void)
{
    const struct {
        const char *name;
        const struct scalekit_watch_params *a, *b;
        unsigned looks;
    } rows[] = {
        {"same id", KEY(.connected_account_id = "ca_1"), KEY(.connected_account_id = "ca_1"), 1},
        {"other id", KEY(.connected_account_id = "ca_1"), KEY(.connected_account_id = "ca_2"), 2},
        {"id, names", KEY(.connected_account_id = "ca_1"),
         KEY(.connection_name = "gmail", .identifier = "ca_1"), 2},
        {"other connection", KEY(.connection_name = "gmail", .identifier = "u"),
         KEY(.connection_name = "slack", .identifier = "u"), 2},
        {"shifted border", KEY(.connection_name = "ab", .identifier = "c"),
         KEY(.connection_name = "a", .identifier = "bc"), 2},
        {"organization", KEY(.connection_name = "gmail", .identifier = "u"),
         KEY(.connection_name = "gmail", .identifier = "u", .organization_id = "org_1"), 2},
        {"user", KEY(.connection_name = "gmail", .identifier = "u", .user_id = "usr_1"),
         KEY(.connection_name = "gmail", .identifier = "u", .organization_id = "usr_1"), 2},
        {"empty is absent", KEY(.connection_name = "gmail", .identifier = "u"),
         KEY(.connection_name = "gmail", .identifier = "u", .user_id = ""), 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary a = {.fixture = &f}, b = {.fixture = &f};

        open_virtual(&f);
        script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
        diary_watch(&a, rows[i].a);
        diary_watch(&b, rows[i].b);
        virtual_pass(&f, 10000);
        ROW_IS(rows[i].name, service_count(f.service, DETAILS) == rows[i].looks);
        ROW_IS(rows[i].name, a.finals == 1 && b.finals == 1);
        fixture_free(&f);
    }
}

/* --- what is too old --------------------------------------------------------------------------- */
/* An account that was changed at that second past 10:00. */
#define DATED(status, second)                                                                      \
    "{\"connected_account\":{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"connector\":\"gmail\","   \
    "\"status\":\"" status "\",\"updated_at\":\"2026-08-21T10:00:" second "Z\"}}"

/* An answer to a look that was on its way when a watch began says nothing to it. */
static void test_observation_from_before(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, late = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){200, ACCOUNT("EXPIRED"), NULL, SERVICE_WAITS, 0});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING", "ACTIVE"});
    diary_follow(&d, "user_1");
    scalekit_watch_look_now(d.watch);
    virtual_pass(&f, 100);
    diary_follow(&late, "user_1");
    virtual_pass(&f, 100);
    service_release(f.service);
    virtual_settle(&f);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT(diary_reads(&late, ""));
    CU_ASSERT_EQUAL(scalekit_watch_status(late.watch), SCALEKIT_ACCOUNT_UNKNOWN);
    virtual_until(&f, &late.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&late, "settled"));
    CU_ASSERT_EQUAL(diary_last(&late)->previous, SCALEKIT_ACCOUNT_PENDING);
    fixture_free(&f);
}

/* For 30 s it is a replica that lags behind; after that it is the truth. */
static void test_stale_reads(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t seen;

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(200, DATED("PENDING", "30")));
    service_always(f.service, DETAILS, ANSWER(200, DATED("EXPIRED", "20")));
    diary_follow(&d, "user_1");
    while (scalekit_watch_status(d.watch) == SCALEKIT_ACCOUNT_UNKNOWN)
        CU_ASSERT_FATAL(virtual_step(&f, virtual_now(&f) + MINUTE_MS));
    seen = virtual_now(&f);
    virtual_until(&f, &d.ended, 2 * MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT(service_count(f.service, DETAILS) > 5);
    CU_ASSERT(diary_last(&d)->at_ms - seen >= 30000);
    CU_ASSERT(diary_last(&d)->at_ms - seen <= 34000);
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 2); /* which count */
    fixture_free(&f);
}

/* A newer one counts at once, and a lagging one is no reason to look more often. */
static void test_stale_last_look(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(200, DATED("PENDING", "30")));
    service_always(f.service, DETAILS, ANSWER(200, DATED("PENDING", "20")));
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                    .deadline_ms = 3000));
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deadline"));
    CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_PENDING);
    CU_ASSERT(service_count(f.service, DETAILS) <= 5);
    fixture_free(&f);
}

/* --- accounts that vanish ---------------------------------------------------------------------- */

static void test_missing(void)
{
    static const struct {
        const char *name;
        int answers[6]; /* HTTP statuses; then it is there */
        const char *events;
    } rows[] = {
        {"once", {404}, "settled"},
        {"twice", {404, 404}, "settled"},
        {"with a sight between", {404, 404, 200, 404, 404}, "settled"},
        {"with a failure between, which says nothing", {404, 500, 404, 404}, "deleted"},
        {"three times", {404, 404, 404}, "deleted"},
        {"seen before", {200, 404, 404, 404}, "deleted"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};

        open_virtual(&f);
        for (size_t n = 0; n < COUNT(rows[i].answers) && rows[i].answers[n]; n++)
            service_once(f.service, DETAILS,
                         ANSWER(rows[i].answers[n],
                                rows[i].answers[n] == 200 ? ACCOUNT("PENDING") : ERROR_BODY));
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("EXPIRED")));
        diary_follow(&d, "user_1");
        virtual_until(&f, &d.ended, 5 * MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, rows[i].events));
        if (diary_last(&d)->kind == SCALEKIT_WATCH_DELETED)
            ROW_IS(rows[i].name, diary_last(&d)->code == SCALEKIT_ERR_NOT_FOUND);
        fixture_free(&f);
    }
}

/* Only what is 10 s apart counts, however often it is looked at. */
static void test_missing_takes_time(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t first;

    open_virtual(&f);
    service_always(f.service, DETAILS, ANSWER(404, ERROR_BODY));
    diary_follow(&d, "user_1");
    virtual_pass(&f, 2000 + TICK_MS);
    first = virtual_now(&f) - TICK_MS;
    while (virtual_now(&f) < first + 19000) {
        CU_ASSERT_FATAL(!d.ended);
        scalekit_watch_look_now(d.watch);
        virtual_pass(&f, 500);
    }
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deleted"));
    CU_ASSERT(diary_last(&d)->at_ms - first >= 20000);
    CU_ASSERT(diary_last(&d)->looks > 30);
    fixture_free(&f);
}

/* A watch that joins when the account is nearly gone learns it from its own first look. */
static void test_missing_for_one_that_joins(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, late = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(404, ERROR_BODY));
    service_once(f.service, DETAILS, ANSWER(404, ERROR_BODY));
    service_once(f.service, DETAILS,
                 (struct service_answer){404, ERROR_BODY, NULL, SERVICE_WAITS, 0});
    service_always(f.service, DETAILS, ANSWER(404, ERROR_BODY));
    diary_follow(&d, "user_1");
    while (service_count(f.service, DETAILS) < 3)
        CU_ASSERT_FATAL(virtual_step(&f, virtual_now(&f) + MINUTE_MS));
    virtual_pass(&f, 100);
    diary_follow(&late, "user_1");
    virtual_pass(&f, 100);
    service_release(f.service);
    virtual_settle(&f);
    CU_ASSERT(diary_reads(&d, "deleted"));
    CU_ASSERT(diary_reads(&late, ""));
    virtual_pass(&f, 15000);
    CU_ASSERT(diary_reads(&late, "deleted"));
    fixture_free(&f);
}

/* --- many -------------------------------------------------------------------------------------- */

static void test_many_on_one_account(void)
{
    enum { N = 2000 };
    struct diary *diaries = calloc(N, sizeof *diaries);
    struct fixture f;
    unsigned settled = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(diaries);
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.log_level = SCALEKIT_LOG_OFF;
    fixture_start(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"EXPIRED"});
    for (unsigned i = 0; i < N; i++) {
        diaries[i].fixture = &f;
        diary_follow(&diaries[i], "user_1");
    }
    virtual_pass(&f, 3000);
    for (unsigned i = 0; i < N; i++)
        settled += diaries[i].n == 1 && diaries[i].pages[0].kind == SCALEKIT_WATCH_SETTLED;
    CU_ASSERT_EQUAL(settled, N);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
    free(diaries);
}

/* --- the loop ---------------------------------------------------------------------------------- */

static void rest(struct diary *diary)
{
    if (diary->ended)
        service_rest(diary->fixture->service);
}

/* Only the watch keeps the loop alive: it sleeps between looks, and ends. */
static void test_dispatch_returns(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f, .act = rest};

    fixture_init(&f);
    f.config.watch_first_check_ms = 1;
    f.config.watch_interval_ms = 1;
    fixture_start(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING", "PENDING_AUTH", "ACTIVE"});
    diary_follow(&d, "user_1");
    CU_ASSERT_NOT_EQUAL(event_base_dispatch(f.base), -1);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 3);
    fixture_free(&f);
}

static void test_sleeping_watch_holds(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_rest(f.service);
    diary_follow(&d, "user_1");
    CU_ASSERT_EQUAL(event_base_loop(f.base, EVLOOP_NONBLOCK), 0); /* 1: nothing is pending */
    diary_stop(&d);
    CU_ASSERT_NOT_EQUAL(event_base_dispatch(f.base), -1);
    CU_ASSERT(diary_reads(&d, "stopped"));
    fixture_free(&f);
}

SUITE(engine, {"equal accounts are looked at once", test_equal_accounts_share},
      {"what names an account tells accounts apart", test_names},
      {"what was asked before a watch began does not settle it", test_observation_from_before},
      {"a stale read is ignored for 30 s", test_stale_reads},
      {"a stale last look ends it as well", test_stale_last_look},
      {"not found once or twice is not deleted", test_missing},
      {"not found counts every 10 s only", test_missing_takes_time},
      {"nor before a look of its own", test_missing_for_one_that_joins},
      {"2,000 watches on one account settle by one look", test_many_on_one_account},
      {"dispatch returns after the last final event", test_dispatch_returns},
      {"a sleeping watch keeps the loop alive", test_sleeping_watch_holds})
