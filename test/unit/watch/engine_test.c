/* When accounts are looked at, and for whom: the schedule, sharing, failures, accounts that vanish. */
#include "diary.h"
#include "virtual.h"
#include "watch/engine.h"
#include <stdlib.h>

#define TICK_MS   8 /* timers are this coarse */
#define MOST      1000
#define MINUTE_MS 60000

static void open_virtual(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    fixture_start(f);
}

/* Lets time pass and notes when looks came.  Returns how many. */
static unsigned watch_looks(struct fixture *f, int64_t milliseconds, int64_t times[MOST])
{
    int64_t end = virtual_now(f) + milliseconds;
    unsigned before = service_count(f->service, DETAILS), n = 0;
    bool more = true;

    while (more) {
        more = virtual_step(f, end);
        CU_ASSERT_FATAL(service_count(f->service, DETAILS) <= before + n + 1);
        CU_ASSERT_FATAL(n < MOST);
        if (service_count(f->service, DETAILS) > before + n)
            times[n++] = virtual_now(f);
    }
    return n;
}

static bool is_about(int64_t pause, int64_t nominal)
{
    return pause >= nominal * 8 / 10 && pause <= nominal * 12 / 10 + TICK_MS;
}

/* --- the schedule ------------------------------------------------------------------------------ */

static void test_first_look(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 2000 - 1);
    CU_ASSERT_EQUAL(service_count(f.service, NULL), 0);
    virtual_pass(&f, 1 + TICK_MS);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    CU_ASSERT(diary_reads(&d, ""));
    CU_ASSERT_EQUAL(scalekit_watch_status(d.watch), SCALEKIT_ACCOUNT_PENDING_AUTH);
    fixture_free(&f);
    CU_ASSERT(diary_reads(&d, "stopped"));
}

/* Every pause is the nominal one, give or take a fifth. */
static void check_rhythm(struct fixture *f, int64_t first, int64_t fast, int64_t normal,
                         int64_t slowest)
{
    int64_t times[MOST], nominal = normal, start = virtual_now(f);
    struct diary d = {.fixture = f};
    unsigned n;

    script_statuses(f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                    .deadline_ms = 3600000));
    n = watch_looks(f, 15 * MINUTE_MS, times);
    CU_ASSERT_FATAL(n > 10);
    CU_ASSERT(times[0] >= start + first && times[0] <= start + first + TICK_MS);
    for (unsigned i = 1; i < n; i++) {
        if (times[i - 1] >= start + fast)
            nominal = nominal * 3 / 2 < slowest ? nominal * 3 / 2 : slowest;
        CU_ASSERT(is_about(times[i] - times[i - 1], nominal));
    }
    CU_ASSERT_EQUAL(nominal, slowest);
    fixture_free(f);
}

static void test_rhythm(void)
{
    struct fixture f;

    open_virtual(&f);
    check_rhythm(&f, 2000, MINUTE_MS, 3000, 30000);
}

static void test_rhythm_is_configurable(void)
{
    struct fixture f;

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.watch_first_check_ms = 500;
    f.config.watch_interval_ms = 5000;
    f.config.watch_fast_period_ms = 20000;
    f.config.watch_max_interval_ms = 60000;
    fixture_start(&f);
    check_rhythm(&f, 500, 20000, 5000, 60000);
}

static void test_dice(void)
{
    struct fixture f;
    int64_t times[MOST];
    struct diary d = {.fixture = &f};
    bool early = false, late = false;
    unsigned n;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_follow(&d, "user_1");
    n = watch_looks(&f, MINUTE_MS, times);
    for (unsigned i = 1; i < n; i++) {
        early |= times[i] - times[i - 1] < 2900;
        late |= times[i] - times[i - 1] > 3100;
    }
    CU_ASSERT(early && late);
    fixture_free(&f);
}

static void test_looks_never_overlap(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 2000);
    scalekit_watch_look_now(d.watch);
    diary_follow(&other, "user_1");
    scalekit_watch_look_now(other.watch);
    virtual_pass(&f, 19000); /* a look's deadline is 20 s */
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    virtual_pass(&f, 3000);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT(diary_reads(&other, "settled"));
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 2);
    fixture_free(&f);
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
        virtual_pass(&f, 3000);
        ROW_IS(rows[i].name, service_count(f.service, DETAILS) == rows[i].looks);
        ROW_IS(rows[i].name, a.finals == 1 && b.finals == 1);
        fixture_free(&f);
    }
}

static void test_joining_restores_the_pace(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};
    int64_t times[MOST], joined;
    unsigned n;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    n = watch_looks(&f, 5 * MINUTE_MS, times);
    CU_ASSERT_FATAL(n > 1);
    CU_ASSERT(times[n - 1] - times[n - 2] >= 24000);
    joined = virtual_now(&f);
    CU_ASSERT_FATAL(times[n - 1] + 24000 > joined + 2000 + TICK_MS); /* else it proves nothing */
    diary_follow(&other, "user_1");
    n = watch_looks(&f, MINUTE_MS, times);
    CU_ASSERT(times[0] - joined >= 2000 && times[0] - joined <= 2000 + TICK_MS);
    CU_ASSERT(n >= 17);
    for (unsigned i = 1; i < n; i++)
        CU_ASSERT(is_about(times[i] - times[i - 1], 3000));
    fixture_free(&f);
}

/* Also when the fast period is over before the first look. */
static void test_joining_without_a_fast_period(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};
    int64_t times[MOST];

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.watch_fast_period_ms = 1;
    fixture_start(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 5 * MINUTE_MS);
    diary_follow(&other, "user_1");
    CU_ASSERT_FATAL(watch_looks(&f, MINUTE_MS, times) > 2);
    CU_ASSERT(is_about(times[1] - times[0], 3000));
    CU_ASSERT(is_about(times[2] - times[1], 4500));
    fixture_free(&f);
}

static void test_joining_never_delays(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, others[4] = {{.fixture = &f}, {.fixture = &f}};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    for (int i = 0; i < 4; i++) {
        virtual_pass(&f, 400);
        others[i].fixture = &f;
        diary_follow(&others[i], "user_1");
    }
    virtual_pass(&f, 400 + TICK_MS);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
}

static void test_leaving_leaves_the_others(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
    diary_follow(&d, "user_1");
    diary_follow(&other, "user_1");
    virtual_pass(&f, 3000 - TICK_MS);
    diary_stop(&d);
    virtual_pass(&f, 10000);
    CU_ASSERT(diary_reads(&d, "stopped"));
    CU_ASSERT(diary_reads(&other, "settled"));
    fixture_free(&f);
}

/* --- failures ---------------------------------------------------------------------------------- */

static void test_failures_back_off(void)
{
    static const struct {
        const char *name;
        struct service_answer answer;
    } rows[] = {
        {"500", {.status = 500, .body = ERROR_BODY}},
        {"503", {.status = 503}},
        {"429", {.status = 429, .body = ERROR_BODY}},
        {"not JSON", {.status = 200, .body = "<html>"}},
        {"empty", {.status = 200, .body = "{}"}},
        {"closed", {.manner = SERVICE_CLOSES}},
        {"cut", {.status = 200, .body = ACCOUNT("ACTIVE"), .manner = SERVICE_CUTS, .bytes = 90}},
    };
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t times[MOST];

        open_virtual(&f);
        service_always(f.service, DETAILS, rows[i].answer);
        diary_follow(&d, "user_1");
        ROW_IS(rows[i].name, watch_looks(&f, 3 * MINUTE_MS, times) > COUNT(pauses));
        for (size_t n = 0; n < COUNT(pauses); n++)
            ROW_IS(rows[i].name, is_about(times[n + 1] - times[n], pauses[n]));
        ROW_IS(rows[i].name, d.n == 0);
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING_AUTH")));
        virtual_pass(&f, MINUTE_MS);
        ROW_IS(rows[i].name, scalekit_watch_status(d.watch) == SCALEKIT_ACCOUNT_PENDING_AUTH);
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("ACTIVE")));
        virtual_pass(&f, MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, "settled"));
        fixture_free(&f);
    }
}

static void test_recovery(void)
{
    static const int statuses[] = {500, 503, 200, 200, 500, 200};
    static const int64_t pauses[] = {1000, 2000, 3000, 3000, 1000, 3000};
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t times[MOST];

    open_virtual(&f);
    for (size_t i = 0; i < COUNT(statuses); i++)
        service_once(
            f.service, DETAILS,
            ANSWER(statuses[i], statuses[i] == 200 ? ACCOUNT("PENDING_AUTH") : ERROR_BODY));
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_follow(&d, "user_1");
    CU_ASSERT_EQUAL_FATAL(watch_looks(&f, MINUTE_MS, times), COUNT(pauses) + 1);
    for (size_t i = 0; i < COUNT(pauses); i++)
        CU_ASSERT(is_about(times[i + 1] - times[i], pauses[i]));
    CU_ASSERT(diary_reads(&d, "settled"));
    fixture_free(&f);
}

static void test_refused_connections(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_free(f.service);
    f.service = NULL;
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                    .deadline_ms = 10 * MINUTE_MS));
    virtual_until(&f, &d.ended, 11 * MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deadline"));
    CU_ASSERT_EQUAL(diary_last(&d)->code, SCALEKIT_ERR_CONNECT);
    CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_UNKNOWN);
    CU_ASSERT(diary_last(&d)->looks >= 20 && diary_last(&d)->looks <= 40);
    fixture_free(&f);
}

static void test_retry_after(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t times[MOST];

    open_virtual(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){.status = 429, .headers = "retry-after: 45\r\n"});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_follow(&d, "user_1");
    CU_ASSERT_FATAL(watch_looks(&f, 2 * MINUTE_MS, times) > 2);
    CU_ASSERT(times[1] - times[0] >= 45000 && times[1] - times[0] <= 45000 + TICK_MS);
    fixture_free(&f);
}

static void test_joining_honours_retry_after(void)
{
    struct fixture f;
    struct diary first = {.fixture = &f}, second = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){.status = 429, .headers = "retry-after: 45\r\n"});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_follow(&first, "user_1");
    virtual_pass(&f, 2000 + 400 + TICK_MS);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    diary_follow(&second, "user_1");
    virtual_pass(&f, 40000);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    virtual_pass(&f, 6000);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
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
        {"with a failure between", {404, 404, 500, 404, 404}, "settled"},
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
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("ACTIVE")));
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

/* --- many -------------------------------------------------------------------------------------- */

/* `n` watches on as many accounts, or all on one. */
static void settle_many(unsigned n, bool one_account)
{
    struct diary *diaries = calloc(n, sizeof *diaries);
    struct fixture f;
    unsigned settled = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(diaries);
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.log_level = SCALEKIT_LOG_OFF;
    fixture_start(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    for (unsigned i = 0; i < n; i++) {
        char name[32];

        snprintf(name, sizeof name, "user_%u", one_account ? 0 : i);
        diaries[i].fixture = &f;
        diary_follow(&diaries[i], name);
    }
    virtual_pass(&f, 3000);
    for (unsigned i = 0; i < n; i++)
        settled += diaries[i].n == 1 && diaries[i].pages[0].kind == SCALEKIT_WATCH_SETTLED;
    CU_ASSERT_EQUAL(settled, n);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), one_account ? 1 : n);
    fixture_free(&f);
    free(diaries);
}

static void test_many_accounts(void)
{
    settle_many(2000, false);
}

static void test_many_on_one_account(void)
{
    settle_many(2000, true);
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

SUITE(engine, {"the first look comes 2 s after the start and never before", test_first_look},
      {"every 3 s for a minute, then half as long again, up to 30 s", test_rhythm},
      {"all of that is configurable", test_rhythm_is_configurable},
      {"pauses are not all the same", test_dice}, {"looks never overlap", test_looks_never_overlap},
      {"equal accounts are looked at once", test_equal_accounts_share},
      {"what names an account tells accounts apart", test_names},
      {"a watch that joins restores the fast pace", test_joining_restores_the_pace},
      {"so does one without a fast period", test_joining_without_a_fast_period},
      {"a watch that joins delays no look", test_joining_never_delays},
      {"a watch that leaves leaves the others their looks", test_leaving_leaves_the_others},
      {"failures back off up to 30 s and end nothing", test_failures_back_off},
      {"after a failure the schedule goes on", test_recovery},
      {"refused connections end nothing before the deadline", test_refused_connections},
      {"Retry-After is honoured", test_retry_after},
      {"Retry-After is honoured when a watch joins", test_joining_honours_retry_after},
      {"not found once or twice is not deleted", test_missing},
      {"not found counts every 10 s only", test_missing_takes_time},
      {"2,000 watches on 2,000 accounts settle once each", test_many_accounts},
      {"2,000 watches on one account settle by one look", test_many_on_one_account},
      {"dispatch returns after the last final event", test_dispatch_returns},
      {"a sleeping watch keeps the loop alive", test_sleeping_watch_holds})
