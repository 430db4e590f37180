/* When accounts are looked at: the rhythm of one watch, of those that join, and after failures. */
#include "diary.h"
#include "stage.h"
#include "watch/watch.h"
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

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A pause: give or take a fifth; half an interval early, as it waits for the round then. */
static bool is_about(int64_t pause, int64_t nominal, int64_t interval)
{
    int64_t early = nominal * 8 / 10 - (nominal < interval ? nominal : interval) / 2;

    return pause >= most(early, interval / 2) &&
           pause <= most(nominal * 12 / 10, interval * 3 / 2) + TICK_MS;
}

static bool is_exactly(int64_t pause, int64_t nominal)
{
    return pause >= nominal - TICK_MS && pause <= nominal + TICK_MS;
}

/* --- the rhythm -------------------------------------------------------------------------------- */

static void test_first_look(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 1600 - 1);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 0);
    virtual_pass(&f, 801 + TICK_MS);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    CU_ASSERT(diary_reads(&d, ""));
    CU_ASSERT_EQUAL(scalekit_watch_status(d.watch), SCALEKIT_ACCOUNT_PENDING_AUTH);
    fixture_free(&f);
    CU_ASSERT(diary_reads(&d, "stopped"));
}

struct rhythm {
    int64_t first, fast, interval, slowest;
};

static int64_t pause_at(const struct rhythm *rhythm, int64_t age)
{
    int64_t pause = rhythm->interval;

    if (age > rhythm->fast)
        pause += (age - rhythm->fast) / 3;
    return pause < rhythm->slowest ? pause : rhythm->slowest;
}

/* Each pause is as its time says, and so is the mean of the longest ones. */
static void check_rhythm(struct fixture *f, const struct rhythm *rhythm)
{
    int64_t times[MOST], start = virtual_now(f), sum = 0;
    struct diary d = {.fixture = f};
    unsigned n, n_slowest = 0, fast = 0, on_the_beat = 0;

    script_statuses(f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail",
                                    .identifier = "user_1", .deadline_ms = 7200000));
    n = watch_looks(f, 60 * MINUTE_MS, times);
    CU_ASSERT_FATAL(n > 10);
    CU_ASSERT(times[0] - start >= rhythm->first * 8 / 10);
    CU_ASSERT(times[0] - start <= rhythm->first * 12 / 10 + TICK_MS);
    for (unsigned i = 1; i < n; i++) {
        int64_t pause = times[i] - times[i - 1];
        int64_t nominal = pause_at(rhythm, times[i - 1] - start);

        CU_ASSERT(is_about(pause, nominal, rhythm->interval));
        if (nominal == rhythm->interval) {
            fast++;
            on_the_beat += is_exactly(pause, nominal);
        }
        if (nominal == rhythm->slowest) {
            sum += pause;
            n_slowest++;
        }
    }
    CU_ASSERT(on_the_beat >= 2 && fast - on_the_beat <= 2); /* once it has found the beat */
    CU_ASSERT_FATAL(n_slowest > 20);
    CU_ASSERT(sum / n_slowest > rhythm->slowest * 85 / 100);
    CU_ASSERT(sum / n_slowest < rhythm->slowest * 105 / 100);
    fixture_free(f);
}

static void test_rhythm(void)
{
    struct fixture f;

    open_virtual(&f);
    check_rhythm(&f, &(struct rhythm){2000, MINUTE_MS, 3000, 30000});
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
    check_rhythm(&f, &(struct rhythm){500, 20000, 5000, 60000});
}

/* Clients that start together do not ask together. */
static void test_dice(void)
{
    int64_t phases[8], lowest = INT64_MAX, highest = 0;

    for (size_t i = 0; i < COUNT(phases); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t times[MOST];

        open_virtual(&f);
        f.clock.seed = i;
        script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
        diary_follow(&d, "user_1");
        CU_ASSERT_FATAL(watch_looks(&f, 20000, times) > 3);
        phases[i] = times[2] % 3000;
        lowest = phases[i] < lowest ? phases[i] : lowest;
        highest = phases[i] > highest ? phases[i] : highest;
        fixture_free(&f);
    }
    CU_ASSERT(highest - lowest > 1000);
}

/* What several watches wish for is seen at the same beats. */
static void test_beats(void)
{
    struct fixture f;
    struct diary diaries[5];
    int64_t times[MOST];
    unsigned n;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    for (size_t i = 0; i < COUNT(diaries); i++) {
        diaries[i] = (struct diary){.fixture = &f};
        diary_follow(&diaries[i], "user_1");
        virtual_pass(&f, 700);
    }
    virtual_pass(&f, 8000);
    n = watch_looks(&f, 30000, times);
    CU_ASSERT(n >= 9 && n <= 11);
    for (unsigned i = 1; i < n; i++)
        CU_ASSERT(is_exactly(times[i] - times[i - 1], 3000));
    fixture_free(&f);
}

/* One that goes on after it has settled has a pace of its own. */
static void test_following_pace(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t times[MOST];
    unsigned n;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING", "ACTIVE"});
    diary_watch(
        &d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1", .follow = true));
    n = watch_looks(&f, 60 * MINUTE_MS, times);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT(n >= 25 && n <= 40);
    for (unsigned i = 2; i < n; i++)
        CU_ASSERT(is_about(times[i] - times[i - 1], 120000, 3000));
    fixture_free(&f);
}

static void test_looks_never_overlap(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    script_statuses(&f, (const char *[MOST_STATUSES]){"EXPIRED"});
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

/* --- joining ----------------------------------------------------------------------------------- */

static void test_joining_restores_the_pace(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};
    int64_t times[MOST], joined;
    unsigned n;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 5 * MINUTE_MS);
    scalekit_watch_look_now(d.watch); /* so that its next one is far away */
    virtual_settle(&f);
    joined = virtual_now(&f);
    diary_follow(&other, "user_1");
    n = watch_looks(&f, MINUTE_MS, times);
    CU_ASSERT(times[0] - joined >= 1600 && times[0] - joined <= 2400 + TICK_MS);
    CU_ASSERT(n >= 17);
    for (unsigned i = 2; i < n; i++)
        CU_ASSERT(is_exactly(times[i] - times[i - 1], 3000));
    fixture_free(&f);
}

/* Also when the fast period is over before the first look. */
static void test_joining_without_a_fast_period(void)
{
    static const struct rhythm rhythm = {2000, 1, 3000, 30000};
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};
    int64_t times[MOST], joined;

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.watch_fast_period_ms = rhythm.fast;
    fixture_start(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 5 * MINUTE_MS);
    joined = virtual_now(&f);
    diary_follow(&other, "user_1");
    CU_ASSERT_FATAL(watch_looks(&f, MINUTE_MS, times) > 4);
    for (unsigned i = 1; i < 4; i++)
        CU_ASSERT(
            is_about(times[i] - times[i - 1], pause_at(&rhythm, times[i - 1] - joined), 3000));
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
    virtual_pass(&f, 800 + TICK_MS);
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

/* --- beside the feed --------------------------------------------------------------------------- */

static void follow_id(struct diary *diary)
{
    diary_watch(diary, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                       .deadline_ms = 60 * MINUTE_MS));
}

/* A look that hangs until it is released. */
static void look_slowly(struct stage *s, struct diary *diary)
{
    service_once(s->f.service, DETAILS,
                 (struct service_answer){200, ACCOUNT("PENDING_AUTH"), NULL, SERVICE_WAITS, 0});
    scalekit_watch_look_now(diary->watch);
    virtual_pass(&s->f, 100);
}

/* An answer to what was asked for before it began must not put off its first look: no event tells
 * what an account is already. */
static void test_joining_during_a_look(void)
{
    struct stage s;
    struct diary d = {.fixture = &s.f}, other = {.fixture = &s.f};

    stage_open(&s);
    stage_begin(&s);
    follow_id(&d);
    virtual_pass(&s.f, 20000);
    look_slowly(&s, &d);
    follow_id(&other);
    virtual_pass(&s.f, 100);
    service_release(s.f.service);
    virtual_pass(&s.f, 8000);
    CU_ASSERT(ski_feed_is_trusted(&s.engine->feed));
    CU_ASSERT_EQUAL(scalekit_watch_status(other.watch), SCALEKIT_ACCOUNT_PENDING_AUTH);
    stage_close(&s);
}

/* Three looks, 10 s apart, also where events make looks rare. */
static void test_gone_beside_the_feed(void)
{
    struct stage s;
    struct diary d = {.fixture = &s.f};

    stage_open(&s);
    stage_begin(&s);
    follow_id(&d);
    virtual_pass(&s.f, 15 * MINUTE_MS);
    service_always(s.f.service, DETAILS, ANSWER(404, ERROR_BODY));
    stage_once(&s, PAGE(EVENT("evt_1", "deleted", AT("10:15:00"), DATA("ca_1", "PENDING_AUTH"))));
    virtual_pass(&s.f, MINUTE_MS);
    CU_ASSERT(ski_feed_is_trusted(&s.engine->feed));
    CU_ASSERT(diary_reads(&d, "deleted"));
    stage_close(&s);
}

/* What is on its way may be from before the redirect came back. */
static void test_look_now_during_a_look(void)
{
    for (int fed = 0; fed < 2; fed++) {
        struct stage s;
        struct diary d = {.fixture = &s.f};

        stage_open(&s);
        if (fed)
            stage_begin(&s);
        else
            service_always(s.f.service, FEED, ANSWER(404, ERROR_BODY));
        follow_id(&d);
        virtual_pass(&s.f, 15 * MINUTE_MS);
        look_slowly(&s, &d);
        service_always(s.f.service, DETAILS, ANSWER(200, ACCOUNT("ACTIVE")));
        scalekit_watch_look_now(d.watch);
        virtual_settle(&s.f);
        service_release(s.f.service);
        virtual_pass(&s.f, 6000);
        CU_ASSERT_EQUAL(ski_feed_is_trusted(&s.engine->feed), fed);
        CU_ASSERT(diary_reads(&d, "settled"));
        stage_close(&s);
    }
}

/* Many watches that one request a second looks at; the last ones' turn comes in more than a minute. */
#define CROWD 100
static void open_crowd(struct fixture *f, struct diary diaries[CROWD])
{
    fixture_init(f);
    fixture_use_clock(f);
    f->config.max_requests_per_minute = 60;
    fixture_start(f);
    script_statuses(f, (const char *[MOST_STATUSES]){"PENDING"});
    for (unsigned i = 0; i < CROWD; i++) {
        char id[16];

        snprintf(id, sizeof id, "ca_%u", i);
        diaries[i] = (struct diary){.fixture = f};
        diary_watch(&diaries[i], SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = id,
                                                 .deadline_ms = 60 * MINUTE_MS));
    }
    virtual_pass(f, 10000);
}

/* One that has not been looked at yet. */
static struct diary *last_in_line(struct diary diaries[CROWD])
{
    unsigned i = CROWD - 1;

    while (i && scalekit_watch_status(diaries[i].watch) != SCALEKIT_ACCOUNT_UNKNOWN)
        i--;
    return &diaries[i];
}

static void test_look_now_during_a_round(void)
{
    static struct diary diaries[CROWD];
    struct fixture f;
    unsigned looks;

    open_crowd(&f, diaries);
    looks = service_count(f.service, DETAILS);
    CU_ASSERT(looks < CROWD / 2);
    for (unsigned i = 0; i < 5; i++) {
        struct diary *d = last_in_line(diaries);

        scalekit_watch_look_now(d->watch);
        virtual_pass(&f, 5000);
        CU_ASSERT_EQUAL(scalekit_watch_status(d->watch), SCALEKIT_ACCOUNT_PENDING);
    }
    CU_ASSERT(service_count(f.service, DETAILS) - looks < 35);
    fixture_free(&f);
}

/* Then it has its turn later: it is not forgotten. */
static void test_look_now_without_memory(void)
{
    static struct diary diaries[CROWD];
    struct fixture f;
    struct diary *d;

    open_crowd(&f, diaries);
    d = last_in_line(diaries);
    f.memory.fail_at = f.memory.count + 1;
    scalekit_watch_look_now(d->watch);
    CU_ASSERT_FATAL(f.memory.count >= f.memory.fail_at);
    virtual_pass(&f, 5 * MINUTE_MS);
    CU_ASSERT_EQUAL(scalekit_watch_status(d->watch), SCALEKIT_ACCOUNT_PENDING);
    fixture_free(&f);
}

/* --- failures ---------------------------------------------------------------------------------- */

/* Give or take a fifth; what is soon waits for the next round. */
static bool is_backoff(int64_t pause, int64_t nominal)
{
    return pause >= nominal * 8 / 10 && pause <= most(nominal * 12 / 10, 4500) + TICK_MS;
}

static const struct {
    const char *name;
    struct service_answer answer;
} failures[] = {
    {"500", {.status = 500, .body = ERROR_BODY}},
    {"503", {.status = 503}},
    {"429", {.status = 429, .body = ERROR_BODY}},
    {"not JSON", {.status = 200, .body = "<html>"}},
    {"empty", {.status = 200, .body = "{}"}},
    {"closed", {.manner = SERVICE_CLOSES}},
    {"cut", {.status = 200, .body = ACCOUNT("ACTIVE"), .manner = SERVICE_CUTS, .bytes = 90}},
};

static void test_failures_back_off(void)
{
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};

    for (size_t i = 0; i < COUNT(failures); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t times[MOST];

        open_virtual(&f);
        service_always(f.service, DETAILS, failures[i].answer);
        diary_follow(&d, "user_1");
        ROW_IS(failures[i].name, watch_looks(&f, 3 * MINUTE_MS, times) > COUNT(pauses));
        for (size_t n = 0; n < COUNT(pauses); n++)
            ROW_IS(failures[i].name, is_backoff(times[n + 1] - times[n], pauses[n]));
        ROW_IS(failures[i].name, d.n == 0);
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING_AUTH")));
        virtual_pass(&f, MINUTE_MS);
        ROW_IS(failures[i].name, scalekit_watch_status(d.watch) == SCALEKIT_ACCOUNT_PENDING_AUTH);
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("ACTIVE")));
        virtual_pass(&f, MINUTE_MS);
        ROW_IS(failures[i].name, diary_reads(&d, "settled"));
        fixture_free(&f);
    }
}

static void test_recovery(void)
{
    static const int statuses[] = {500, 500, 500, 500, 200, 200, 500, 200};
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 3000, 3000, 1000, 3000};
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
        CU_ASSERT(statuses[i] == 200 ? is_about(times[i + 1] - times[i], 3000, 3000)
                                     : is_backoff(times[i + 1] - times[i], pauses[i]));
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

/* But not for years: a watch that goes on has no other end. */
static void test_retry_after_a_century(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){
                     .status = 503, .headers = "retry-after: Wed, 21 Oct 2099 07:28:00 GMT\r\n"});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_watch(
        &d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1", .follow = true));
    virtual_pass(&f, 25 * 60 * MINUTE_MS);
    CU_ASSERT(service_count(f.service, DETAILS) > 1);
    fixture_free(&f);
}

/* Nobody asks before the service wants to be asked again. */
static void test_joining_honours_retry_after(void)
{
    struct fixture f;
    struct diary first = {.fixture = &f}, second = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){.status = 429, .headers = "retry-after: 45\r\n"});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_follow(&first, "user_1");
    virtual_pass(&f, 2400 + TICK_MS);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    diary_follow(&second, "user_1");
    virtual_pass(&f, 44000 - 2400);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    virtual_pass(&f, 10000);
    CU_ASSERT(service_count(f.service, DETAILS) > 1);
    CU_ASSERT_EQUAL(scalekit_watch_status(second.watch), SCALEKIT_ACCOUNT_PENDING);
    fixture_free(&f);
}

/* --- the end ----------------------------------------------------------------------------------- */

/* While the governor limits requests, the last look may wait for a round: 15 s in all. */
static void test_last_look_under_a_limit(void)
{
    static const unsigned ceilings[] = {0, 600};

    for (size_t i = 0; i < COUNT(ceilings); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t end;

        fixture_init(&f);
        fixture_use_clock(&f);
        f.config.max_requests_per_minute = ceilings[i];
        f.config.watch_first_check_ms = 1;
        f.config.watch_interval_ms = 40000;
        f.config.watch_max_interval_ms = 40000;
        fixture_start(&f);
        end = virtual_now(&f) + 50000;
        script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
        diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                        .deadline_ms = 50000));
        virtual_until(&f, &d.ended, 2 * MINUTE_MS);
        CU_ASSERT(diary_reads(&d, "deadline"));
        CU_ASSERT(diary_last(&d)->at_ms >= end);
        CU_ASSERT(diary_last(&d)->at_ms <= end + (ceilings[i] ? 10000 : 0) + 2 * TICK_MS);
        CU_ASSERT_EQUAL(diary_last(&d)->source, SCALEKIT_WATCH_SOURCE_LOOK_UP);
        fixture_free(&f);
    }
}

static void test_hanging_last_look_under_a_limit(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t end;

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.max_requests_per_minute = 600;
    fixture_start(&f);
    end = virtual_now(&f) + 10000;
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                    .deadline_ms = 10000));
    virtual_until(&f, &d.ended, 2 * MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deadline"));
    CU_ASSERT(diary_last(&d)->at_ms >= end + 15000);
    CU_ASSERT(diary_last(&d)->at_ms <= end + 15000 + 2 * TICK_MS);
    fixture_free(&f);
}

/* --- many at once ------------------------------------------------------------------------------ */

static unsigned count_ending(const struct fixture *f, unsigned n)
{
    const struct ski_engine *engine =
        SKI_CONTAINER(f->client->attachment, const struct ski_engine, attachment);
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += ski_watch_at(&engine->watches, i)->ending;
    return count;
}

/* More than 4,096 watches that have something to do at the same moment do it in several turns. */
static void test_turns(void)
{
    enum { N = 5000 };
    struct diary *diaries = calloc(N, sizeof *diaries);
    struct fixture f;
    unsigned ended = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(diaries);
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.log_level = SCALEKIT_LOG_OFF;
    fixture_start(&f);
    service_once(f.service, DETAILS,
                 (struct service_answer){200, ACCOUNT("PENDING"), NULL, SERVICE_WAITS, 0});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    for (unsigned i = 0; i < N; i++) {
        diaries[i].fixture = &f;
        diary_watch(&diaries[i],
                    SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                    .deadline_ms = 1000));
    }
    fixture_advance(&f, 1000 + TICK_MS);
    CU_ASSERT_EQUAL(count_ending(&f, N), 4096);
    fixture_advance(&f, TICK_MS);
    CU_ASSERT_EQUAL(count_ending(&f, N), N);
    virtual_settle(&f);
    service_release(f.service);
    virtual_pass(&f, 1000);
    for (unsigned i = 0; i < N; i++)
        ended += diaries[i].n == 1 && diaries[i].pages[0].kind == SCALEKIT_WATCH_DEADLINE;
    CU_ASSERT_EQUAL(ended, N);
    fixture_free(&f);
    free(diaries);
}

SUITE(schedule, {"the first look comes about 2 s after the start", test_first_look},
      {"every 3 s for a minute, then ever more rarely, up to 30 s", test_rhythm},
      {"all of that is configurable", test_rhythm_is_configurable},
      {"clients that start together do not ask together", test_dice},
      {"watches are looked at together, every 3 s", test_beats},
      {"one that follows is looked at every 2 minutes", test_following_pace},
      {"looks never overlap", test_looks_never_overlap},
      {"a watch that joins restores the fast pace", test_joining_restores_the_pace},
      {"so does one without a fast period", test_joining_without_a_fast_period},
      {"a watch that joins delays no look", test_joining_never_delays},
      {"a watch that leaves leaves the others their looks", test_leaving_leaves_the_others},
      {"one that joins during a look has its own, also beside the feed",
       test_joining_during_a_look},
      {"what is gone is so in half a minute, also beside the feed", test_gone_beside_the_feed},
      {"a look asked for during another follows it", test_look_now_during_a_look},
      {"a look asked for during a long round does not wait for it", test_look_now_during_a_round},
      {"nor is it forgotten when there is no memory for it", test_look_now_without_memory},
      {"failures back off up to 30 s and end nothing", test_failures_back_off},
      {"after a failure the schedule goes on", test_recovery},
      {"refused connections end nothing before the deadline", test_refused_connections},
      {"Retry-After is honoured", test_retry_after},
      {"a Retry-After of a century is not", test_retry_after_a_century},
      {"Retry-After is honoured when a watch joins", test_joining_honours_retry_after},
      {"the last look may wait 10 s under a limit", test_last_look_under_a_limit},
      {"a last look that hangs is given 15 s under a limit", test_hanging_last_look_under_a_limit},
      {"4,096 expire per turn", test_turns})
