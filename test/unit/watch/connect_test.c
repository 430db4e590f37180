/* The whole way from a user to a usable account. */
#include "diary.h"
#include "virtual.h"
#include "watch/watch.h"

#define TICK_MS     8
#define MINUTE_MS   60000

#define PARAMS(...) SCALEKIT_PARAMS(scalekit_connect_account_params, __VA_ARGS__)
#define USER        .connection_name = "gmail", .identifier = "user_1"

static void open_virtual(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    fixture_start(f);
    service_always(f->service, LINK, ANSWER(200, LINK_BODY));
}

/* --- ways it can go ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *statuses[MOST_STATUSES]; /* the first is before the link */
    const char *events;
    enum scalekit_account_status last;
    int64_t looks;
} ways[] = {
    {"active already", {"ACTIVE"}, "settled", SCALEKIT_ACCOUNT_ACTIVE, 0},
    {"consents",
     {"PENDING_AUTH", "PENDING_AUTH", "ACTIVE"},
     "link settled",
     SCALEKIT_ACCOUNT_ACTIVE,
     2},
    {"is verified",
     {"PENDING", "PENDING_VERIFICATION", "ACTIVE"},
     "link pending_verification settled",
     SCALEKIT_ACCOUNT_ACTIVE,
     2},
    {"lets it expire", {"PENDING_AUTH", "EXPIRED"}, "link settled", SCALEKIT_ACCOUNT_EXPIRED, 1},
    {"had expired",
     {"EXPIRED", "EXPIRED", "EXPIRED", "ACTIVE"},
     "link settled",
     SCALEKIT_ACCOUNT_ACTIVE,
     3},
    {"expired again",
     {"EXPIRED", "EXPIRED", "PENDING_AUTH", "EXPIRED"},
     "link settled",
     SCALEKIT_ACCOUNT_EXPIRED,
     3},
    {"had revoked", {"REVOKED", "REVOKED", "ACTIVE"}, "link settled", SCALEKIT_ACCOUNT_ACTIVE, 2},
    {"disconnected, then revoked",
     {"DISCONNECTED", "DISCONNECTED", "REVOKED"},
     "link settled",
     SCALEKIT_ACCOUNT_REVOKED,
     2},
    {"had an unknown status",
     {"FROZEN", "FROZEN", "ACTIVE"},
     "link unknown_status settled",
     SCALEKIT_ACCOUNT_ACTIVE,
     2},
};

static void test_ways(void)
{
    for (size_t i = 0; i < COUNT(ways); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        const struct page *last;

        open_virtual(&f);
        script_statuses(&f, ways[i].statuses);
        diary_connect(&d, PARAMS(USER));
        virtual_until(&f, &d.ended, 5 * MINUTE_MS);
        last = diary_last(&d);
        ROW_IS(ways[i].name, diary_reads(&d, ways[i].events));
        ROW_IS(ways[i].name, last->status == ways[i].last);
        ROW_IS(ways[i].name, text_is(last->account, "ca_1"));
        ROW_IS(ways[i].name, last->looks == ways[i].looks);
        ROW_IS(ways[i].name, last->seen_at == f.clock.wall_us);
        ROW_IS(ways[i].name, service_count(f.service, LINK) == (ways[i].looks ? 1 : 0));
        ROW_IS(ways[i].name, service_count(f.service, AUTH) == 0);
        fixture_free(&f);
    }
}

static void test_creates(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(404, ERROR_BODY));
    service_always(f.service, CREATE, ANSWER(200, ACCOUNT("PENDING_AUTH")));
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_connect(&d, PARAMS(USER, .api_config = "{\"region\":\"eu\"}"));
    virtual_until(&f, &d.ended, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "link settled"));
    CU_ASSERT_EQUAL(service_count(f.service, CREATE), 1);
    CU_ASSERT(text_has(service_request(f.service, CREATE, 0)->body, "\"region\":\"eu\""));
    fixture_free(&f);
}

static void test_link_event(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
    diary_connect(&d, PARAMS(USER));
    virtual_settle(&f);
    CU_ASSERT(diary_reads(&d, "link"));
    CU_ASSERT_STRING_EQUAL(d.pages[0].link, LINK_URL);
    CU_ASSERT_EQUAL(d.pages[0].status, SCALEKIT_ACCOUNT_PENDING_AUTH);
    CU_ASSERT_EQUAL(d.pages[0].seen_at, f.clock.wall_us);
    virtual_pass(&f, 1600 - 1);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1); /* before the link */
    virtual_pass(&f, 801 + TICK_MS);
    CU_ASSERT(diary_reads(&d, "link settled"));
    fixture_free(&f);
}

static void test_parameters_arrive(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};
    const char *link;

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
    diary_connect(&d, PARAMS(.connection_name = " gmail ", .identifier = "\tuser_1\n",
                             .organization_id = " org_1", .user_id = "usr_1 ", .state = " a b ",
                             .user_verify_url = "https://example.com/verify"));
    virtual_settle(&f);
    link = service_request(f.service, LINK, 0)->body;
    CU_ASSERT(text_has(link, "\"connector\":\"gmail\""));
    CU_ASSERT(text_has(link, "\"identifier\":\"user_1\""));
    CU_ASSERT(text_has(link, "\"organization_id\":\"org_1\""));
    CU_ASSERT(text_has(link, "\"user_id\":\"usr_1\""));
    CU_ASSERT(text_has(link, "\"state\":\" a b \""));
    CU_ASSERT(text_has(link, "\"user_verify_url\":\"https://example.com/verify\""));
    /* The look-up before the link and those after it name the account alike, and so as others do. */
    diary_watch(&other, SCALEKIT_PARAMS(scalekit_watch_params, USER, .organization_id = "org_1",
                                        .user_id = "usr_1"));
    virtual_pass(&f, 3000);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    CU_ASSERT_STRING_EQUAL(service_request(f.service, DETAILS, 0)->target,
                           service_request(f.service, DETAILS, 1)->target);
    CU_ASSERT(diary_reads(&other, "already_active"));
    fixture_free(&f);
}

/* --- failures ---------------------------------------------------------------------------------- */

static void test_failures(void)
{
    static const struct {
        const char *route;
        int status;
        scalekit_err code;
    } rows[] = {
        {SIGN_IN, 401, SCALEKIT_ERR_SIGN_IN},   {DETAILS, 500, SCALEKIT_ERR_SERVER},
        {DETAILS, 403, SCALEKIT_ERR_FORBIDDEN}, {CREATE, 400, SCALEKIT_ERR_BAD_REQUEST},
        {LINK, 404, SCALEKIT_ERR_NOT_FOUND},    {LINK, 500, SCALEKIT_ERR_SERVER},
        {LINK, 503, SCALEKIT_ERR_UNAVAILABLE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = scalekit_err_name(rows[i].code);
        struct fixture f;
        struct diary d = {.fixture = &f};

        open_virtual(&f);
        service_always(f.service, DETAILS,
                       text_is(rows[i].route, CREATE) ? ANSWER(404, ERROR_BODY)
                                                      : ANSWER(200, ACCOUNT("PENDING")));
        service_always(f.service, rows[i].route, ANSWER(rows[i].status, ERROR_BODY));
        diary_connect(&d, PARAMS(USER));
        virtual_until(&f, &d.ended, MINUTE_MS);
        ROW_IS(name, diary_reads(&d, "failed"));
        ROW_IS(name, diary_last(&d)->code == rows[i].code);
        ROW_IS(name, service_count(f.service, DETAILS) <= 1); /* it does not follow the account */
        fixture_free(&f);
    }
}

/* Wrong is what no step would accept; nothing is sent. */
static void test_wrong_arguments(void)
{
    static char long_state[514];
    const struct {
        const struct scalekit_connect_account_params *params;
        const char *parameter, *event;
    } rows[] = {
        {NULL, "params", "refused"},
        {&(struct scalekit_connect_account_params){USER}, "struct_size", "refused"},
        {PARAMS(.identifier = "user_1"), "connection_name", "refused"},
        {PARAMS(.connection_name = "gmail"), "identifier", "refused"},
        {PARAMS(.connection_name = "gmail", .identifier = ""), "identifier", "refused"},
        {PARAMS(.connection_name = "gmail", .identifier = "  "), "identifier", "failed"},
        {PARAMS(.connection_name = "g/mail", .identifier = "user_1"), "connection_name", "refused"},
        {PARAMS(USER, .api_config = "{"), "api_config", "refused"},
        {PARAMS(USER, .state = long_state), "state", "refused"},
        {PARAMS(USER, .user_verify_url = "example.com"), "user_verify_url", "refused"},
        {PARAMS(USER, .deadline_ms = -1), "deadline_ms", "refused"},
    };

    memset(long_state, 'x', sizeof long_state - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};

        open_virtual(&f);
        diary_connect(&d, rows[i].params);
        CU_ASSERT_PTR_NOT_NULL(d.watch);
        CU_ASSERT_EQUAL(d.n, 0);
        virtual_settle(&f);
        ROW_IS(rows[i].parameter, diary_reads(&d, rows[i].event));
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
    struct fixture f;

    open_virtual(&f);
    CU_ASSERT_PTR_NULL(scalekit_connect_account(NULL, PARAMS(USER), on_nothing, NULL));
    CU_ASSERT_PTR_NULL(scalekit_connect_account(f.client, PARAMS(USER), NULL, NULL));
    fixture_free(&f);
}

/* --- ends on the way --------------------------------------------------------------------------- */

static void stop_it(struct diary *d)
{
    diary_stop(d);
}

static void wait_for_it(struct diary *d)
{
    virtual_until(d->fixture, &d->ended, MINUTE_MS);
}

static void free_the_client(struct diary *d)
{
    scalekit_client *client = d->fixture->client;

    d->fixture->client = NULL;
    scalekit_client_free(client);
}

/* Every step hangs once, and the watch ends meanwhile. */
static void test_ends_on_the_way(void)
{
    static const struct {
        const char *name, *hangs;
        const char *progress;
    } steps[] = {
        {"sign-in", SIGN_IN, ""}, {"look-up", DETAILS, ""}, {"creation", CREATE, ""},
        {"link", LINK, ""},       {"look", NULL, "link "},
    };
    static const struct {
        void (*end)(struct diary *diary);
        const char *event;
    } ends[] = {{stop_it, "stopped"}, {free_the_client, "stopped"}, {wait_for_it, "deadline"}};

    for (size_t i = 0; i < COUNT(steps) * COUNT(ends); i++) {
        const char *name = steps[i / COUNT(ends)].name, *hangs = steps[i / COUNT(ends)].hangs;
        struct fixture f;
        struct diary d = {.fixture = &f};
        char events[64];
        int64_t start;

        open_virtual(&f);
        start = virtual_now(&f);
        if (hangs)
            service_always(f.service, hangs, (struct service_answer){.manner = SERVICE_HANGS});
        if (!hangs || !text_is(hangs, DETAILS))
            service_once(f.service, DETAILS, ANSWER(404, ERROR_BODY));
        if (!hangs || !text_is(hangs, CREATE))
            service_always(f.service, CREATE, ANSWER(200, ACCOUNT("PENDING_AUTH")));
        service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
        diary_connect(&d, PARAMS(USER, .deadline_ms = 4000));
        virtual_pass(&f, 2500);
        ends[i % COUNT(ends)].end(&d);
        virtual_settle(&f);
        snprintf(events, sizeof events, "%s%s", steps[i / COUNT(ends)].progress,
                 ends[i % COUNT(ends)].event);
        ROW_IS(name, diary_reads(&d, events));
        ROW_IS(name, diary_last(&d)->at_ms - start <= (hangs ? 4000 : 9000) + 2 * TICK_MS);
        fixture_free(&f);
    }
}

static void stop_inside(struct diary *d)
{
    scalekit_watch_stop(d->watch);
}

static void test_ends_inside_the_link(void)
{
    void (*const acts[])(struct diary *) = {stop_inside, free_the_client};

    for (size_t i = 0; i < COUNT(acts); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f, .act = acts[i]};

        open_virtual(&f);
        script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
        diary_connect(&d, PARAMS(USER));
        virtual_pass(&f, MINUTE_MS);
        CU_ASSERT(diary_reads(&d, "link stopped"));
        CU_ASSERT_EQUAL(diary_last(&d)->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
        fixture_free(&f);
    }
}

static void test_deadlines(void)
{
    static const struct {
        const char *name, *link; /* its body */
        int64_t link_after_ms, deadline_ms;
        const char *events;
        int64_t at_ms;
    } rows[] = {
        {"of the link", LINK_BODY, 0, 0, "link link_expired", 630000},
        {"of a link without end", "{\"link\":\"" LINK_URL "\"}", 0, 0, "link deadline", 900000},
        {"of the whole", LINK_BODY, 5000, 20000, "link deadline", 20000},
        {"of the whole, over the link's", LINK_BODY, 5000, 1000000, "link link_expired", 630000},
        {"before the link", LINK_BODY, 5000, 4000, "deadline", 4000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        int64_t start;

        open_virtual(&f);
        start = virtual_now(&f);
        script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH"});
        service_always(f.service, LINK,
                       (struct service_answer){200, rows[i].link, NULL, SERVICE_WAITS, 0});
        diary_connect(&d, PARAMS(USER, .deadline_ms = rows[i].deadline_ms));
        virtual_pass(&f, rows[i].link_after_ms);
        service_release(f.service);
        virtual_until(&f, &d.ended, 20 * MINUTE_MS);
        ROW_IS(rows[i].name, diary_reads(&d, rows[i].events));
        ROW_IS(rows[i].name, diary_last(&d)->at_ms - start >= rows[i].at_ms);
        ROW_IS(rows[i].name, diary_last(&d)->at_ms - start <= rows[i].at_ms + TICK_MS);
        fixture_free(&f);
    }
}

/* The answer to somebody else's look comes right behind the link's, and must not push it aside. */
static void test_link_is_told_first(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING_AUTH")));
    service_once(
        f.service, DETAILS,
        (struct service_answer){200, ACCOUNT("PENDING_VERIFICATION"), NULL, SERVICE_WAITS, 0});
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_VERIFICATION", "ACTIVE"});
    service_always(f.service, LINK,
                   (struct service_answer){200, LINK_BODY, NULL, SERVICE_WAITS, 0});
    diary_connect(&d, PARAMS(USER));
    virtual_settle(&f);
    diary_follow(&other, "user_1");
    scalekit_watch_look_now(other.watch);
    virtual_settle(&f);
    service_release(f.service);
    virtual_pass(&f, MINUTE_MS);
    CU_ASSERT(diary_reads(&d, "link pending_verification settled"));
    CU_ASSERT(diary_reads(&other, "pending_verification settled"));
    fixture_free(&f);
}

/* --- many -------------------------------------------------------------------------------------- */

static void test_twice(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f}, other = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_AUTH", "ACTIVE"});
    diary_connect(&d, PARAMS(USER));
    diary_connect(&other, PARAMS(USER));
    virtual_pass(&f, 3000);
    CU_ASSERT(diary_reads(&d, "link settled"));
    CU_ASSERT(diary_reads(&other, "link settled"));
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    CU_ASSERT_EQUAL(service_count(f.service, LINK), 2);
    fixture_free(&f);
}

/* --- without memory ---------------------------------------------------------------------------- */

static bool connect_with(struct test_memory *memory, void *user)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    (void)user;
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.allocator = &memory->allocator;
    service_once(f.service, DETAILS, ANSWER(404, ERROR_BODY));
    service_always(f.service, CREATE, ANSWER(200, ACCOUNT("PENDING")));
    service_always(f.service, LINK, ANSWER(200, LINK_BODY));
    script_statuses(&f, (const char *[MOST_STATUSES]){"PENDING_VERIFICATION", "ACTIVE"});
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        diary_connect(&d, PARAMS(USER, .api_config = "{\"a\":[1,{}]}", .state = "s"));
        if (d.watch)
            virtual_until(&f, &d.ended, 20 * MINUTE_MS);
    }
    fixture_free(&f);
    return d.ended && diary_last(&d)->kind == SCALEKIT_WATCH_SETTLED;
}

static void test_every_allocation_of_it(void)
{
    CU_ASSERT(test_every_allocation(connect_with, NULL) > 40);
}

/* Even what only tells that arguments are wrong. */
static bool refuse_with(struct test_memory *memory, void *user)
{
    struct fixture f;
    struct diary d = {.fixture = &f};
    bool refused = false;

    (void)user;
    fixture_init(&f);
    fixture_use_clock(&f);
    f.config.allocator = &memory->allocator;
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        diary_connect(&d, PARAMS(USER, .api_config = "{\"a\":[1,{}]}", .user_verify_url = "ftp:"));
        virtual_settle(&f);
        CU_ASSERT(!d.n || diary_reads(&d, "refused"));
        refused = d.ended && diary_last(&d)->code == SCALEKIT_ERR_INVALID;
    }
    fixture_free(&f);
    return refused;
}

static void test_every_allocation_of_a_refusal(void)
{
    CU_ASSERT(test_every_allocation(refuse_with, NULL) > 10);
}

SUITE(connect, {"settles on what happens after the link", test_ways},
      {"creates the account that is not there", test_creates},
      {"the link is told before the account is looked at", test_link_event},
      {"the link is told before what a look brings meanwhile", test_link_is_told_first},
      {"names arrive trimmed, everything else as it is", test_parameters_arrive},
      {"a step that fails ends it with the error", test_failures},
      {"wrong arguments are told before anything is sent", test_wrong_arguments},
      {"what cannot be accepted is NULL", test_not_accepted},
      {"stop, free and deadline end it at every step", test_ends_on_the_way},
      {"stop and free inside the callback with the link", test_ends_inside_the_link},
      {"the deadline is for the whole", test_deadlines},
      {"two for one user share the account, not the link", test_twice},
      {"any allocation may fail", test_every_allocation_of_it},
      {"any allocation of a refusal may fail", test_every_allocation_of_a_refusal})
