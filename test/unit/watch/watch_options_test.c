/* What a watch may be asked for: to know, to follow, to wait for the next authorization. */
#include "diary.h"
#include "virtual.h"
#include "watch/watch.h"

#define TICK_MS   8
#define MINUTE_MS 60000

#define PARAMS(...)                                                                                \
    SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail", .identifier = "user_1",     \
                    __VA_ARGS__)

static void open_virtual(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    f->config.watch_follow_interval_ms = 3000;
    fixture_start(f);
}

static scalekit_time from_now(const struct fixture *f, int64_t seconds)
{
    return f->clock.wall_us + seconds * 1000000;
}

/* --- what is told ------------------------------------------------------------------------------ */

static void options_have_their_events(void)
{
    const struct {
        const char *name;
        const struct scalekit_watch_params *params;
        const char *statuses[MOST_STATUSES], *events;
    } rows[] = {
        {"known pending",
         PARAMS(.known_status = SCALEKIT_ACCOUNT_PENDING_AUTH),
         {"ACTIVE"},
         "settled"},
        {"known active",
         PARAMS(.known_status = SCALEKIT_ACCOUNT_ACTIVE),
         {"ACTIVE"},
         "already_active"},
        {"known to verify",
         PARAMS(.known_status = SCALEKIT_ACCOUNT_PENDING_VERIFICATION),
         {"PENDING_VERIFICATION", "ACTIVE"},
         "settled"},
        {"progress",
         PARAMS(.progress = true),
         {"PENDING", "PENDING_AUTH", "PENDING_AUTH", "PENDING_VERIFICATION", "PENDING", "ACTIVE"},
         "changed pending_verification changed settled"},
        {"no progress",
         PARAMS(.progress = false),
         {"PENDING", "PENDING_AUTH", "ACTIVE"},
         "settled"},
        {"until reauthorized",
         PARAMS(.until_reauthorized = true),
         {"ACTIVE", "ACTIVE", "PENDING_AUTH", "ACTIVE"},
         "settled"},
        {"until reauthorized, expired",
         PARAMS(.until_reauthorized = true),
         {"EXPIRED", "EXPIRED", "ACTIVE"},
         "settled"},
        {"until reauthorized, expired again",
         PARAMS(.until_reauthorized = true),
         {"EXPIRED", "PENDING_AUTH", "EXPIRED"},
         "settled"},
        {"follow",
         PARAMS(.follow = true, .deadline_ms = 30000),
         {"ACTIVE", "EXPIRED", "PENDING_AUTH", "ACTIVE"},
         "already_active settled settled deadline"},
        {"follow, with a new word",
         PARAMS(.follow = true, .deadline_ms = 30000),
         {"PENDING", "ACTIVE", "FROZEN", "ACTIVE"},
         "settled unknown_status settled deadline"},
        {"follow with progress",
         PARAMS(.follow = true, .progress = true, .deadline_ms = 30000),
         {"PENDING", "ACTIVE", "PENDING_AUTH", "ACTIVE"},
         "settled changed settled deadline"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};

        open_virtual(&f);
        script_statuses(&f, rows[i].statuses);
        diary_watch(&d, rows[i].params);
        virtual_until(&f, &d.ended, 5 * MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, rows[i].events));
        fixture_free(&f);
    }
}

static void previous_statuses(void)
{
    static const enum scalekit_account_status before[] = {
        SCALEKIT_ACCOUNT_PENDING,
        SCALEKIT_ACCOUNT_PENDING_AUTH,
        SCALEKIT_ACCOUNT_PENDING_VERIFICATION,
    };
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING", "PENDING_AUTH",
                                                      "PENDING_VERIFICATION", "ACTIVE"});
    diary_watch(&d, PARAMS(.progress = true));
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT_FATAL(diary_reads(&d, "changed pending_verification settled"));
    for (unsigned i = 0; i < d.n; i++) {
        CU_ASSERT_EQUAL(d.pages[i].previous, before[i]);
        CU_ASSERT_EQUAL(d.pages[i].source, SCALEKIT_WATCH_SOURCE_LOOK_UP);
        CU_ASSERT_EQUAL(d.pages[i].looks, i + 2);
        CU_ASSERT_EQUAL(d.pages[i].seen_at - d.pages[0].seen_at,
                        (d.pages[i].at_ms - d.pages[0].at_ms) * 1000);
    }
    fixture_free(&f);
}

/* What was known counts as the status before. */
static void a_known_status_was_before(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_watch(&d, PARAMS(.known_status = SCALEKIT_ACCOUNT_EXPIRED));
    CU_ASSERT_EQUAL(scalekit_watch_status(d.watch), SCALEKIT_ACCOUNT_EXPIRED);
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT_EQUAL(diary_last(&d)->previous, SCALEKIT_ACCOUNT_EXPIRED);
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 1);
    fixture_free(&f);
}

/* --- updated_at -------------------------------------------------------------------------------- */

#define DATED(status, second)                                                                      \
    "{\"connected_account\":{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"connector\":\"gmail\","   \
    "\"status\":\"" status "\",\"updated_at\":\"2026-08-21T09:00:" second "Z\"}}"

static void a_newer_updated_at_is_a_new_authorization(void)
{
    static const struct {
        const char *name;
        enum scalekit_account_status known;
        int64_t known_second; /* of 09:00; -1: not known */
        const char *bodies[4];
        int64_t looks;
    } rows[] = {
        {"from the first look on",
         SCALEKIT_ACCOUNT_UNKNOWN,
         -1,
         {DATED("ACTIVE", "10"), DATED("ACTIVE", "10"), DATED("ACTIVE", "11")},
         3},
        {"from what is known on",
         SCALEKIT_ACCOUNT_ACTIVE,
         10,
         {DATED("ACTIVE", "10"), DATED("ACTIVE", "11")},
         2},
        {"before the first look", SCALEKIT_ACCOUNT_ACTIVE, 10, {DATED("ACTIVE", "11")}, 1},
        {"known without a time",
         SCALEKIT_ACCOUNT_ACTIVE,
         -1,
         {DATED("ACTIVE", "10"), DATED("ACTIVE", "11")},
         2},
        {"not of one that is still expired",
         SCALEKIT_ACCOUNT_EXPIRED,
         10,
         {DATED("EXPIRED", "11"), DATED("EXPIRED", "12"), DATED("ACTIVE", "13")},
         3},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};

        open_virtual(&f);
        for (size_t n = 0; n < COUNT(rows[i].bodies) && rows[i].bodies[n]; n++) {
            service_once(f.service, DETAILS, ANSWER(200, rows[i].bodies[n]));
            service_always(f.service, DETAILS, ANSWER(200, rows[i].bodies[n]));
        }
        diary_watch(&d,
                    PARAMS(.until_reauthorized = true, .known_status = rows[i].known,
                           .known_updated_at = rows[i].known_second < 0
                                                   ? 0
                                                   : from_now(&f, rows[i].known_second - 3600)));
        virtual_until(&f, &d.ended, MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, "settled"));
        ROW_IS(rows[i].name, diary_last(&d)->status == SCALEKIT_ACCOUNT_ACTIVE);
        ROW_IS(rows[i].name, diary_last(&d)->looks == rows[i].looks);
        fixture_free(&f);
    }
}

/* --- following --------------------------------------------------------------------------------- */

static void following_has_no_end(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING", "ACTIVE"});
    diary_watch(&d, PARAMS(.follow = true));
    virtual_pass(&f, 40 * MINUTE_MS); /* beyond the default deadline */
    CU_ASSERT(diary_reads(&d, "settled"));
    service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("EXPIRED")));
    virtual_pass(&f, 10000);
    CU_ASSERT(diary_reads(&d, "settled settled"));
    CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_EXPIRED);
    CU_ASSERT_EQUAL(diary_last(&d)->previous, SCALEKIT_ACCOUNT_ACTIVE);
    diary_stop(&d);
    virtual_settle(&f);
    CU_ASSERT(diary_reads(&d, "settled settled stopped"));
    fixture_free(&f);
}

/* An end that comes while it waits for its user, and one that comes afterwards. */
static void what_ends_one_that_follows(void)
{
    static const struct {
        const char *name;
        const char *statuses[MOST_STATUSES];
        int64_t deadline_ms, link_s;
        const char *events;
        int64_t at_ms; /* 0: it has not ended in 20 minutes */
    } rows[] = {
        {"a link, as long as nobody consents", {"PENDING_AUTH"}, 0, 60, "link_expired", 90000},
        {"not a link, once it has settled", {"PENDING_AUTH", "ACTIVE"}, 0, 60, "settled", 0},
        {"a link before the deadline", {"PENDING_AUTH"}, 600000, 60, "link_expired", 90000},
        {"the deadline, once it has settled",
         {"PENDING_AUTH", "ACTIVE"},
         600000,
         60,
         "settled deadline",
         600000},
        {"a deadline before the link", {"PENDING_AUTH"}, 30000, 60, "deadline", 30000},
        {"a deadline alone", {"PENDING_AUTH", "ACTIVE"}, 30000, 0, "settled deadline", 30000},
        {"that it is gone", {"ACTIVE", "GONE"}, 0, 0, "already_active deleted", 26000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t start;

        open_virtual(&f);
        start = virtual_now(&f);
        script_statuses(&f, rows[i].statuses);
        if (text_is(rows[i].statuses[1], "GONE"))
            service_always(f.service, DETAILS, ANSWER(404, ERROR_BODY));
        diary_watch(&d, PARAMS(.follow = true, .deadline_ms = rows[i].deadline_ms,
                               .link_expiry = rows[i].link_s ? from_now(&f, rows[i].link_s) : 0));
        if (rows[i].at_ms)
            virtual_until(&f, &d.ended, 20 * MINUTE_MS);
        else
            virtual_pass(&f, 20 * MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, rows[i].events));
        ROW_IS(rows[i].name, d.ended == (rows[i].at_ms != 0));
        if (d.ended && diary_last(&d)->kind != SCALEKIT_WATCH_DELETED) {
            ROW_IS(rows[i].name, diary_last(&d)->at_ms - start >= rows[i].at_ms);
            ROW_IS(rows[i].name, diary_last(&d)->at_ms - start <= rows[i].at_ms + 2 * TICK_MS);
        }
        fixture_free(&f);
    }
}

/* Its last look shows the consent: that is told, and no link ends it then. */
static void a_consent_at_the_end_of_the_link(void)
{
    static const struct {
        int64_t deadline_ms;
        const char *events;
    } rows[] = {{0, "settled"}, {90000, "settled deadline"}, {600000, "settled deadline"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};

        fixture_init(&f);
        fixture_use_clock(&f);
        f.config.watch_max_interval_ms = f.config.watch_interval_ms = 80000;
        f.config.watch_follow_interval_ms = 3600000;
        fixture_start(&f);
        script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
        diary_watch(&d, PARAMS(.follow = true, .deadline_ms = rows[i].deadline_ms,
                               .link_expiry = from_now(&f, 10)));
        virtual_pass(&f, 39000);
        service_always(f.service, DETAILS, ANSWER(200, ACCOUNT("ACTIVE")));
        virtual_pass(&f, 2000);
        CU_ASSERT(diary_reads(&d, "settled"));
        virtual_pass(&f, 12 * MINUTE_MS);
        CU_ASSERT(diary_reads(&d, rows[i].events));
        fixture_free(&f);
    }
}

/* An end of its own, at which it has just settled: both are told. */
static void a_consent_at_the_deadline(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
    diary_watch(&d, PARAMS(.follow = true, .deadline_ms = 3000));
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "settled deadline"));
    fixture_free(&f);
}

/* --- one for all ------------------------------------------------------------------------------- */

static void watches_on_one_account_differ(void)
{
    struct fixture f;
    struct diary plain = {.fixture = &f}, knows = {.fixture = &f}, waits = {.fixture = &f},
                 follows = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE", "PENDING_AUTH", "ACTIVE"});
    diary_watch(&plain, PARAMS(.progress = true));
    diary_watch(&knows, PARAMS(.known_status = SCALEKIT_ACCOUNT_PENDING));
    diary_watch(&waits, PARAMS(.until_reauthorized = true, .progress = true));
    diary_watch(&follows, PARAMS(.follow = true));
    virtual_pass(&f, 15000);
    CU_ASSERT(diary_reads(&plain, "already_active"));
    CU_ASSERT(diary_reads(&knows, "settled"));
    CU_ASSERT(diary_reads(&waits, "changed settled"));
    CU_ASSERT(diary_reads(&follows, "already_active settled"));
    fixture_free(&f);
}

/* --- without memory ---------------------------------------------------------------------------- */

/* Nothing is lost: each change that settles is told, if not with all that goes with it. */
static bool follow_with(struct test_memory *memory, void *user)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    bool accepted = false;

    (void)user;
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.allocator = &memory->allocator;
    f.config.watch_follow_interval_ms = 3000;
    script_statuses(
        &f, (const char *[MOST_STATUSES]){"EXPIRED", "PENDING_VERIFICATION", "FROZEN", "ACTIVE"});
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        diary_watch(&d, PARAMS(.follow = true, .until_reauthorized = true,
                               .deadline_ms = 4 * MINUTE_MS, .link_expiry = from_now(&f, 180)));
        accepted = d.watch;
        if (accepted)
            virtual_until(&f, &d.ended, 20 * MINUTE_MS);
    }
    fixture_free(&f);
    CU_ASSERT_FATAL(!accepted || d.n >= 2); /* a look that failed may have missed some progress */
    CU_ASSERT(!accepted || d.pages[d.n - 2].kind == SCALEKIT_WATCH_SETTLED);
    CU_ASSERT(!accepted || d.pages[d.n - 1].kind == SCALEKIT_WATCH_DEADLINE);
    return accepted;
}

static void any_allocation_may_fail(void)
{
    CU_ASSERT(test_every_allocation(follow_with, NULL) > 20);
}

SUITE(watch_options, {"options have their events", options_have_their_events},
      {"an event tells the status before", previous_statuses},
      {"a known status was before", a_known_status_was_before},
      {"a newer updated_at is a new authorization", a_newer_updated_at_is_a_new_authorization},
      {"one that follows has no end of its own", following_has_no_end},
      {"what ends one that follows", what_ends_one_that_follows},
      {"a consent at the end of the link", a_consent_at_the_end_of_the_link},
      {"a consent at the deadline", a_consent_at_the_deadline},
      {"watches on one account differ", watches_on_one_account_differ},
      {"any allocation may fail", any_allocation_may_fail})
