/* What a watch tells, when it ends, and that its callbacks may do anything. */
#include "diary.h"
#include "virtual.h"
#include "watch/watch.h"

#define TICK_MS   8
#define MINUTE_MS 60000
#define DAY_MS    INT64_C(86400000)

static void open_virtual(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    fixture_start(f);
}

static scalekit_time from_now(const struct fixture *f, int64_t seconds)
{
    return f->clock.wall_us + seconds * 1000000;
}

/* --- what settles ------------------------------------------------------------------------------ */

static void test_settles(void)
{
    static const struct {
        const char *statuses[MOST_STATUSES];
        const char *events;
        enum scalekit_account_status last;
        int64_t looks;
    } rows[] = {
        {{"ACTIVE"}, "already_active", SCALEKIT_ACCOUNT_ACTIVE, 1},
        {{"EXPIRED"}, "settled", SCALEKIT_ACCOUNT_EXPIRED, 1},
        {{"REVOKED"}, "settled", SCALEKIT_ACCOUNT_REVOKED, 1},
        {{"DISCONNECTED"}, "settled", SCALEKIT_ACCOUNT_DISCONNECTED, 1},
        {{"PENDING", "PENDING_AUTH", "ACTIVE"}, "settled", SCALEKIT_ACCOUNT_ACTIVE, 3},
        {{"PENDING_AUTH", "PENDING_VERIFICATION", "PENDING_VERIFICATION", "ACTIVE"},
         "pending_verification settled",
         SCALEKIT_ACCOUNT_ACTIVE,
         4},
        {{"FROZEN", "FROZEN", "PENDING_AUTH", "FROZEN", "THAWING", "ACTIVE"},
         "unknown_status unknown_status settled",
         SCALEKIT_ACCOUNT_ACTIVE,
         6},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = rows[i].statuses[0];
        struct fixture f;
        struct diary d = {.fixture = &f};
        const struct page *last;

        open_virtual(&f);
        script_statuses(&f, rows[i].statuses);
        diary_follow(&d, "user_1");
        virtual_until(&f, &d.ended, MINUTE_MS);
        virtual_pass(&f, MINUTE_MS);
        last = diary_last(&d);
        ROW_IS(name, diary_reads(&d, rows[i].events));
        ROW_IS(name, last->status == rows[i].last);
        ROW_IS(name, text_is(last->status_text, scalekit_account_status_name(rows[i].last)));
        ROW_IS(name, text_is(last->account, "ca_1"));
        ROW_IS(name, last->looks == rows[i].looks);
        ROW_IS(name, last->seen_at == from_now(&f, 0) - (virtual_now(&f) - last->at_ms) * 1000);
        fixture_free(&f);
    }
}

static void test_unknown_words(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"FROZEN", "THAWING"});
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                    .deadline_ms = MINUTE_MS));
    virtual_until(&f, &d.ended, 2 * MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "unknown_status unknown_status deadline"));
    CU_ASSERT_STRING_EQUAL(d.pages[0].status_text, "FROZEN");
    CU_ASSERT_STRING_EQUAL(d.pages[1].status_text, "THAWING");
    CU_ASSERT_STRING_EQUAL(d.pages[2].status_text, "THAWING");
    CU_ASSERT_EQUAL(d.pages[2].status, SCALEKIT_ACCOUNT_UNKNOWN);
    fixture_free(&f);
}

/* --- how it ends ------------------------------------------------------------------------------- */

static void test_deadlines(void)
{
    static const struct {
        const char *name;
        int64_t deadline_ms, link_s; /* 0: not said; the link runs out after so long */
        const char *event;
        int64_t at_ms;
    } rows[] = {
        {"by default", 0, 0, "deadline", 15 * MINUTE_MS},
        {"given", 20000, 0, "deadline", 20000},
        {"before the first look", 500, 0, "deadline", 500},
        {"longest", 30 * DAY_MS, 0, "deadline", 30 * DAY_MS},
        {"of the link", 0, 600, "link_expired", 630000},
        {"before the link's", 60000, 600, "deadline", 60000},
        {"after the link's", 700000, 600, "link_expired", 630000},
        {"within the link's grace", 610000, 600, "link_expired", 610000},
        {"when the link runs out", 600000, 600, "link_expired", 600000},
        {"right before the link runs out", 599999, 600, "deadline", 599999},
        {"of a link that ran out", 0, -10, "link_expired", 20000},
        {"of a link that ran out long ago", 0, -86400, "link_expired", 0},
        {"of an endless link", 0, INT64_C(86400) * 36500, "deadline", 30 * DAY_MS},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        const struct page *last;
        int64_t start;

        fixture_init(&f);
        fixture_use_clock(&f);
        f.config.watch_max_interval_ms = DAY_MS;
        fixture_start(&f);
        start = virtual_now(&f);
        script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
        diary_watch(
            &d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                .deadline_ms = rows[i].deadline_ms,
                                .link_expiry = rows[i].link_s ? from_now(&f, rows[i].link_s) : 0));
        virtual_until(&f, &d.ended, 31 * DAY_MS);
        last = diary_last(&d);
        ROW_IS(rows[i].name, diary_reads(&d, rows[i].event));
        ROW_IS(rows[i].name, last->at_ms - start >= rows[i].at_ms);
        ROW_IS(rows[i].name, last->at_ms - start <= rows[i].at_ms + TICK_MS);
        ROW_IS(rows[i].name, last->status == SCALEKIT_ACCOUNT_PENDING_AUTH);
        ROW_IS(rows[i].name, text_is(last->account, "ca_1"));
        ROW_IS(rows[i].name, last->looks == service_count(f.service, DETAILS));
        fixture_free(&f);
    }
}

static void test_default_deadline_is_configurable(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    int64_t start;

    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.watch_deadline_ms = 42000;
    fixture_start(&f);
    start = virtual_now(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING"});
    diary_follow(&d, "user_1");
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deadline"));
    CU_ASSERT(diary_last(&d)->at_ms - start >= 42000);
    CU_ASSERT(diary_last(&d)->at_ms - start <= 42000 + TICK_MS);
    fixture_free(&f);
}

static void watch_for(struct diary *d, int64_t deadline_ms)
{
    diary_watch(d, SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail",
                                   .identifier = "user_1", .deadline_ms = deadline_ms));
}

static void test_last_look(void)
{
    static const struct {
        const char *name;
        const char *statuses[MOST_STATUSES];
        int64_t deadline_ms;
        const char *events;
        int64_t looks;
    } rows[] = {
        {"wins", {"PENDING_AUTH", "ACTIVE"}, 3000, "settled", 2},
        {"is the first, too", {"ACTIVE"}, 100, "already_active", 1},
        {"is as good as any", {"PENDING_AUTH"}, 3000, "deadline", 2},
        {"tells progress before the end",
         {"PENDING_AUTH", "PENDING_VERIFICATION"},
         3000,
         "pending_verification deadline",
         3},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t start;

        open_virtual(&f);
        start = virtual_now(&f);
        script_statuses(&f, rows[i].statuses);
        watch_for(&d, rows[i].deadline_ms);
        virtual_until(&f, &d.ended, MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, rows[i].events));
        ROW_IS(rows[i].name, diary_last(&d)->looks == rows[i].looks);
        ROW_IS(rows[i].name, diary_last(&d)->at_ms - start <= rows[i].deadline_ms + TICK_MS);
        fixture_free(&f);
    }
}

/* The others on the account go on with their looks. */
static void test_last_look_of_one(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "PENDING_AUTH", "ACTIVE"});
    watch_for(&d, 3000);
    watch_for(&other, MINUTE_MS);
    virtual_until(&f, &other.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deadline"));
    CU_ASSERT(diary_reads(&other, "settled"));
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 3);
    fixture_free(&f);
}

static void test_hanging_last_look(void)
{
    /* The look at the end hangs; or one that was under way already, and is not joined by another. */
    static const int64_t deadlines[] = {4000, 10000};

    for (size_t i = 0; i < COUNT(deadlines); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t start;

        open_virtual(&f);
        start = virtual_now(&f);
        service_once(f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING_AUTH")));
        service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
        watch_for(&d, deadlines[i]);
        virtual_until(&f, &d.ended, MINUTE_MS);
        CU_ASSERT(diary_reads(&d, "deadline"));
        CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
        CU_ASSERT(diary_last(&d)->at_ms - start >= deadlines[i] + 5000);
        CU_ASSERT(diary_last(&d)->at_ms - start <= deadlines[i] + 5000 + 2 * TICK_MS);
        CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
        fixture_free(&f);
    }
}

static void test_deadline_tells_the_last_error(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    scalekit_time seen;

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING_AUTH")));
    service_always(f.service, DETAILS, ANSWER(500, ERROR_BODY));
    watch_for(&d, MINUTE_MS);
    while (scalekit_watch_status(d.watch) == SCALEKIT_ACCOUNT_UNKNOWN)
        CU_ASSERT_FATAL(virtual_step(&f, virtual_now(&f) + MINUTE_MS));
    seen = from_now(&f, 0);
    virtual_until(&f, &d.ended, 2 * MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "deadline"));
    CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
    CU_ASSERT_STRING_EQUAL(diary_last(&d)->status_text, "PENDING_AUTH");
    CU_ASSERT_EQUAL(diary_last(&d)->code, SCALEKIT_ERR_SERVER);
    CU_ASSERT_EQUAL(diary_last(&d)->seen_at, seen);
    fixture_free(&f);
}

static void test_refusals(void)
{
    static const struct {
        const char *route;
        int status;
        scalekit_err code;
    } rows[] = {
        {DETAILS, 401, SCALEKIT_ERR_UNAUTHORIZED},
        {DETAILS, 403, SCALEKIT_ERR_FORBIDDEN},
        {DETAILS, 400, SCALEKIT_ERR_BAD_REQUEST},
        {SIGN_IN, 401, SCALEKIT_ERR_SIGN_IN},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = scalekit_err_name(rows[i].code);
        struct fixture f;
        struct diary d = {.fixture = &f}, other = {.fixture = &f};

        open_virtual(&f);
        service_always(f.service, rows[i].route, ANSWER(rows[i].status, ERROR_BODY));
        diary_follow(&d, "user_1");
        diary_follow(&other, "user_1");
        virtual_pass(&f, 3000);
        ROW_IS(name, diary_reads(&d, "refused") && diary_reads(&other, "refused"));
        ROW_IS(name, diary_last(&other)->code == rows[i].code);
        fixture_free(&f);
    }
}

/* --- arguments --------------------------------------------------------------------------------- */

#define PARAMS(...) SCALEKIT_PARAMS(scalekit_watch_params, __VA_ARGS__)

static void test_wrong_arguments(void)
{
    const struct {
        const struct scalekit_watch_params *params;
        const char *parameter;
    } rows[] = {
        {NULL, "params"},
        {&(struct scalekit_watch_params){.connected_account_id = "ca_1"}, "struct_size"},
        {PARAMS(.connected_account_id = "ca_1", .deadline_ms = -1), "deadline_ms"},
        {PARAMS(.connected_account_id = "ca_1", .deadline_ms = 30 * DAY_MS + 1), "deadline_ms"},
        {PARAMS(.connected_account_id = "ca_1", .link_expiry = INT64_MIN), "link_expiry"},
        {PARAMS(.connected_account_id = "ca_1", .known_updated_at = INT64_MIN), "known_updated_at"},
        {PARAMS(.connected_account_id = "ca_1",
                .known_status = (enum scalekit_account_status)(SCALEKIT_ACCOUNT_DISCONNECTED + 1)),
         "known_status"},
        {PARAMS(.connected_account_id = "usr_1"), "connected_account_id"},
        {PARAMS(.deadline_ms = 1000), "connected_account_id"},
        {PARAMS(.connection_name = "gmail"), "identifier"},
        {PARAMS(.identifier = "user_1"), "connection_name"},
        {PARAMS(.connection_name = "g/mail", .identifier = "user_1"), "connection_name"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};

        open_virtual(&f);
        diary_watch(&d, rows[i].params);
        CU_ASSERT_PTR_NOT_NULL(d.watch);
        CU_ASSERT_EQUAL(d.n, 0);
        scalekit_watch_look_now(d.watch);
        virtual_settle(&f);
        ROW_IS(rows[i].parameter, diary_reads(&d, "refused"));
        ROW_IS(rows[i].parameter, diary_last(&d)->code == SCALEKIT_ERR_INVALID);
        ROW_IS(rows[i].parameter, text_is(diary_last(&d)->parameter, rows[i].parameter));
        ROW_IS(rows[i].parameter, service_connections(f.service) == 0);
        fixture_free(&f);
    }
}

static void on_nothing(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    (void)watch;
    (void)event;
    (void)user;
    CU_FAIL("called back");
}

static void test_not_accepted(void)
{
    const struct scalekit_watch_params *params = PARAMS(.connected_account_id = "ca_1");
    struct fixture f;

    open_virtual(&f);
    CU_ASSERT_PTR_NULL(scalekit_watch_account(NULL, params, on_nothing, NULL));
    CU_ASSERT_PTR_NULL(scalekit_watch_account(f.client, params, NULL, NULL));
    scalekit_watch_stop(NULL);
    scalekit_watch_look_now(NULL);
    scalekit_watch_unref(NULL);
    CU_ASSERT_EQUAL(scalekit_watch_status(NULL), SCALEKIT_ACCOUNT_UNKNOWN);
    fixture_free(&f);
}

static void test_event_names(void)
{
    static const char *const names[] = {
        [SCALEKIT_WATCH_LINK] = "link",
        [SCALEKIT_WATCH_PENDING_VERIFICATION] = "pending_verification",
        [SCALEKIT_WATCH_UNKNOWN_STATUS] = "unknown_status",
        [SCALEKIT_WATCH_CHANGED] = "changed",
        [SCALEKIT_WATCH_SETTLED] = "settled",
        [SCALEKIT_WATCH_ALREADY_ACTIVE] = "already_active",
        [SCALEKIT_WATCH_DELETED] = "deleted",
        [SCALEKIT_WATCH_LINK_EXPIRED] = "link_expired",
        [SCALEKIT_WATCH_DEADLINE] = "deadline",
        [SCALEKIT_WATCH_REFUSED] = "refused",
        [SCALEKIT_WATCH_FAILED] = "failed",
        [SCALEKIT_WATCH_STOPPED] = "stopped",
        [SCALEKIT_WATCH_STOPPED + 1] = "unknown",
    };

    for (unsigned kind = 0; kind < COUNT(names); kind++)
        ROW_IS(names[kind], text_is(scalekit_watch_event_name(kind), names[kind]));
}

/* --- looking now ------------------------------------------------------------------------------- */

static void test_look_now(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING", "PENDING", "PENDING", "ACTIVE"});
    diary_follow(&d, "user_1");
    scalekit_watch_look_now(d.watch);
    scalekit_watch_look_now(d.watch);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    virtual_pass(&f, 1000);
    scalekit_watch_look_now(d.watch);
    virtual_settle(&f);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    virtual_pass(&f, 900 - TICK_MS); /* the schedule starts anew */
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 4);
    fixture_free(&f);
}

/* --- stopping ---------------------------------------------------------------------------------- */

static void test_stop(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 3000);
    diary_stop(&d);
    diary_stop(&d);
    scalekit_watch_look_now(d.watch);
    CU_ASSERT(diary_reads(&d, ""));
    virtual_settle(&f);
    CU_ASSERT(diary_reads(&d, "stopped"));
    CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 1);
    CU_ASSERT_NOT_EQUAL(diary_last(&d)->seen_at, 0);
    virtual_pass(&f, MINUTE_MS);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
}

static void stop_all(struct diary *d)
{
    struct diary *const *all = d->user;

    for (; *all; all++)
        scalekit_watch_stop((*all)->watch);
}

/* Inside its own callback, and of those whose event waits behind it. */
static void test_stop_inside(void)
{
    static const struct {
        const char *statuses[MOST_STATUSES];
        const char *own, *sibling;
    } rows[] = {
        {{"PENDING_VERIFICATION", "ACTIVE"}, "pending_verification stopped", "stopped"},
        {{"EXPIRED"}, "settled", "settled"}, /* on its way already: it wins */
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f, .act = stop_all}, sibling = {.fixture = &f},
                     stranger = {.fixture = &f};
        struct diary *all[] = {&d, &sibling, &stranger, NULL};

        d.user = all;
        open_virtual(&f);
        script_statuses(&f, rows[i].statuses);
        diary_follow(&d, "user_1");
        diary_follow(&sibling, "user_1");
        virtual_pass(&f, 1000);
        diary_follow(&stranger, "user_2");
        virtual_pass(&f, 10000);
        ROW_IS(rows[i].own, diary_reads(&d, rows[i].own));
        ROW_IS(rows[i].own, diary_reads(&sibling, rows[i].sibling));
        ROW_IS(rows[i].own, diary_reads(&stranger, "stopped"));
        fixture_free(&f);
    }
}

/* --- anything in a callback -------------------------------------------------------------------- */

static void free_the_client(struct diary *d)
{
    scalekit_client *client = d->fixture->client;

    if (!client)
        return;
    d->fixture->client = NULL;
    scalekit_client_free(client);
    scalekit_client_free(client);
    CU_ASSERT_PTR_NULL(
        scalekit_watch_account(client, PARAMS(.connected_account_id = "ca_9"), on_nothing, NULL));
}

static void start_watches(struct diary *d)
{
    struct diary *const *all = d->user;

    for (; *all; all++)
        if (!(*all)->watch && !(*all)->n)
            diary_follow(*all, d->n % 2 ? "user_1" : "user_3");
}

static void start_requests(struct diary *d)
{
    call_details(d->fixture);
    call_cancel(call_details(d->fixture));
}

static void look_everywhere(struct diary *d)
{
    struct diary *const *all = d->user;

    for (; *all; all++)
        scalekit_watch_look_now((*all)->watch);
}

static void drop_reference(struct diary *d)
{
    scalekit_watch_unref(scalekit_watch_ref(d->watch));
}

static void test_anything_inside(void)
{
    static const struct {
        const char *name;
        void (*act)(struct diary *diary);
    } acts[] = {
        {"free the client", free_the_client}, {"stop all", stop_all},
        {"start watches", start_watches},     {"start requests", start_requests},
        {"look now", look_everywhere},        {"refer", drop_reference},
    };
    static const char *const statuses[][MOST_STATUSES] = {
        {"ACTIVE"},
        {"PENDING_VERIFICATION", "FROZEN", "ACTIVE"},
        {"FROZEN", "PENDING_VERIFICATION", "EXPIRED"},
    };

    for (size_t i = 0; i < COUNT(acts) * COUNT(statuses); i++) {
        const char *name = acts[i % COUNT(acts)].name;
        struct fixture f;
        struct diary diaries[6];
        struct diary *all[] = {diaries, diaries + 1, diaries + 2, diaries + 3, diaries + 4, NULL};

        open_virtual(&f);
        script_statuses(&f, statuses[i / COUNT(acts)]);
        for (size_t n = 0; n < COUNT(diaries); n++)
            diaries[n] =
                (struct diary){.fixture = &f, .act = acts[i % COUNT(acts)].act, .user = all};
        diary_follow(&diaries[0], "user_1");
        diary_follow(&diaries[1], "user_1");
        diary_follow(&diaries[2], "user_2");
        virtual_pass(&f, MINUTE_MS);
        fixture_free(&f);
        for (size_t n = 0; n < COUNT(diaries); n++)
            ROW_IS(name, diaries[n].finals == (diaries[n].n ? 1 : 0));
        ROW_IS(name, diaries[0].ended && diaries[1].ended && diaries[2].ended);
    }
}

/* --- the client goes --------------------------------------------------------------------------- */

static void test_free_with_watches(void)
{
    struct fixture f;
    struct diary asleep = {.fixture = &f}, looking = {.fixture = &f}, stopped = {.fixture = &f},
                 refused = {.fixture = &f};

    open_virtual(&f);
    service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
    diary_follow(&looking, "user_1");
    virtual_pass(&f, 3000);
    diary_follow(&asleep, "user_2");
    diary_follow(&stopped, "user_3");
    diary_stop(&stopped);
    diary_watch(&refused, NULL);
    CU_ASSERT(diary_reads(&stopped, ""));
    fixture_free_client(&f);
    CU_ASSERT(diary_reads(&asleep, "stopped"));
    CU_ASSERT(diary_reads(&looking, "stopped"));
    CU_ASSERT(diary_reads(&stopped, "stopped"));
    CU_ASSERT(diary_reads(&refused, "stopped"));
    fixture_free(&f);
}

/* What waits to be told when a callback frees the client: a final event stays, progress does not. */
static void test_free_with_events(void)
{
    static const struct {
        const char *statuses[MOST_STATUSES];
        const char *first, *second;
    } rows[] = {
        {{"EXPIRED"}, "settled", "settled"},
        {{"PENDING_VERIFICATION"}, "pending_verification stopped", "stopped"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f, .act = free_the_client}, second = {.fixture = &f};

        open_virtual(&f);
        script_statuses(&f, rows[i].statuses);
        diary_follow(&d, "user_1");
        diary_follow(&second, "user_1");
        virtual_pass(&f, 3000);
        ROW_IS(rows[i].first, diary_reads(&d, rows[i].first));
        ROW_IS(rows[i].first, diary_reads(&second, rows[i].second));
        fixture_free(&f);
    }
}

static void test_reference_outlives_the_client(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    scalekit_watch *watch;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"FROZEN", "PENDING_AUTH"});
    diary_follow(&d, "user_1");
    watch = scalekit_watch_ref(d.watch);
    virtual_pass(&f, 10000);
    fixture_free_client(&f);
    CU_ASSERT(diary_reads(&d, "unknown_status stopped"));
    fixture_turn(&f);
    CU_ASSERT_EQUAL(scalekit_watch_status(watch), SCALEKIT_ACCOUNT_PENDING_AUTH);
    scalekit_watch_stop(watch);
    scalekit_watch_look_now(watch);
    scalekit_watch_unref(watch);
    fixture_free(&f);
}

/* --- without memory ---------------------------------------------------------------------------- */

static bool settle_with(struct test_memory *memory, void *user)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    (void)user;
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.allocator = &memory->allocator;
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_VERIFICATION", "FROZEN", "ACTIVE"});
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        diary_follow(&d, "user_1");
        if (d.watch)
            virtual_until(&f, &d.ended, 20 * MINUTE_MS);
    }
    fixture_free(&f);
    return d.ended && diary_last(&d)->kind == SCALEKIT_WATCH_SETTLED;
}

static void test_every_allocation_of_it(void)
{
    CU_ASSERT(test_every_allocation(settle_with, NULL) > 20);
}

SUITE(watch, {"ACTIVE, EXPIRED, REVOKED and DISCONNECTED settle, once", test_settles},
      {"an unknown status is told with its text and does not settle", test_unknown_words},
      {"the deadline is the one given, the link's, or the default", test_deadlines},
      {"the default is configurable", test_default_deadline_is_configurable},
      {"the last look comes at the end, and wins", test_last_look},
      {"the last look of one does not stop the others", test_last_look_of_one},
      {"a last look that hangs is given 5 s", test_hanging_last_look},
      {"the deadline tells the last status and error", test_deadline_tells_the_last_error},
      {"refusals for good end it", test_refusals},
      {"wrong arguments are refused by name, from the loop", test_wrong_arguments},
      {"what cannot be accepted is NULL", test_not_accepted},
      {"every event has a name", test_event_names}, {"looks now, once at a time", test_look_now},
      {"stop is told once, from the loop", test_stop},
      {"stop inside a callback, its own and others'", test_stop_inside},
      {"anything is legal in a callback", test_anything_inside},
      {"freeing the client ends every watch before it returns", test_free_with_watches},
      {"freeing the client tells what waits to be told", test_free_with_events},
      {"a reference outlives the client", test_reference_outlives_the_client},
      {"any allocation may fail", test_every_allocation_of_it})
