/* Rounds: many accounts, few requests. */
#include "throng.h"
#include "watch/watch.h"

#define TICK_MS   8
#define MINUTE_MS 60000

static struct ski_engine *engine_of(const struct fixture *f)
{
    return SKI_CONTAINER(f->client->attachment, struct ski_engine, attachment);
}

static struct ski_group *gmail_of(const struct fixture *f)
{
    return ski_targets_group(&engine_of(f)->targets,
                             &(struct ski_account_name){.connection_name = "gmail"});
}

/* --- lists ------------------------------------------------------------------------------------- */

/* 60 accounts on one page: one request each 3 s, and none for any of them alone. */
static void many_are_seen_by_lists(void)
{
    struct throng r;
    unsigned lists, looks;

    throng_init(&r, 60);
    throng_show(&r, 0, 60, 60, "PENDING");
    throng_start(&r);
    virtual_pass(&r.f, 10000);
    lists = throng_lists(&r);
    looks = throng_looks(&r);
    virtual_pass(&r.f, 30000);
    CU_ASSERT(throng_lists(&r) - lists >= 9 && throng_lists(&r) - lists <= 11);
    CU_ASSERT_EQUAL(throng_looks(&r), looks);
    CU_ASSERT_EQUAL(throng_count(&r, ""), 60);
    throng_show(&r, 0, 60, 60, "ACTIVE");
    virtual_pass(&r.f, 5000);
    CU_ASSERT_EQUAL(throng_count(&r, "settled"), 60);
    CU_ASSERT_EQUAL(throng_looks(&r), looks);
    for (unsigned i = 0; i < r.n; i++) {
        char id[16];

        snprintf(id, sizeof id, "ca_%u", i);
        CU_ASSERT_STRING_EQUAL(r.diaries[i].pages[0].account, id);
        CU_ASSERT_EQUAL(r.diaries[i].pages[0].source, SCALEKIT_WATCH_SOURCE_LIST);
    }
    throng_free(&r);
}

static void many_pages_are_one_sweep(void)
{
    enum { N = 250 };
    struct throng r;
    unsigned lists;

    throng_init(&r, N);
    for (unsigned round = 0; round < 12; round++)
        for (unsigned first = 0; first < N; first += 99)
            service_once(
                r.f.service, LIST,
                ANSWER(200, throng_page(&r, first, first + 99 < N ? 99 : N - first, N,
                                        round < 4 ? "PENDING" : "ACTIVE", first + 99 < N)));
    throng_start(&r);
    virtual_pass(&r.f, 60000);
    lists = throng_lists(&r);
    CU_ASSERT_EQUAL(throng_count(&r, "settled") + throng_count(&r, "already_active"), N);
    CU_ASSERT(lists <= 36);
    CU_ASSERT(throng_looks(&r) <= 20); /* of the first few, whose time came before the others' */
    throng_free(&r);
}

/* Who is missing from a list that shows everybody is asked for alone. */
static void who_is_missing_is_looked_up(void)
{
    struct throng r;
    unsigned looks, lists;

    throng_init(&r, 60);
    throng_show(&r, 0, 59, 59, "PENDING");
    throng_start(&r);
    virtual_pass(&r.f, 10000);
    lists = throng_lists(&r);
    looks = throng_looks(&r);
    virtual_pass(&r.f, 30000);
    lists = throng_lists(&r) - lists;
    looks = throng_looks(&r) - looks;
    CU_ASSERT(looks >= 9 && looks <= lists);
    CU_ASSERT(text_has(service_request(r.f.service, DETAILS, throng_looks(&r) - 1)->target,
                       "identifier=u59"));
    throng_free(&r);
}

/* A connection that is too large for a sweep is not probed again. */
static void a_size_is_remembered(void)
{
    struct throng r;

    throng_init(&r, 40);
    service_always(r.f.service, LIST,
                   ANSWER(200, throng_page(&r, 1000, 99, 100000, "PENDING", true)));
    throng_start(&r);
    virtual_pass(&r.f, 20000);
    CU_ASSERT_EQUAL(throng_lists(&r), 1);
    CU_ASSERT(throng_looks(&r) >= 40 * 5);
    CU_ASSERT_EQUAL(gmail_of(&r.f)->total, 100000);
    throng_free(&r);
}

static void strangers_on_a_list_do_no_harm(void)
{
    struct throng r;

    throng_init(&r, 50);
    throng_show(&r, 0, 95, 95, "EXPIRED");
    throng_start(&r);
    virtual_pass(&r.f, 8000);
    CU_ASSERT_EQUAL(throng_count(&r, "settled"), 50);
    throng_free(&r);
}

/* --- accounts known by id ---------------------------------------------------------------------- */

/* Once it was seen, it is known where it belongs: what a list shows of it counts. */
static void lists_show_those_known_by_id(void)
{
    struct throng r;
    struct diary d = {.fixture = &r.f};
    unsigned looks;

    throng_init(&r, 60);
    r.f.config.watch_fast_period_ms = 1;
    r.f.config.watch_max_interval_ms = 600000;
    service_always(r.f.service, DETAILS,
                   ANSWER(200, "{\"connected_account\":{\"id\":\"ca_60\",\"identifier\":\"u60\","
                               "\"connector\":\"gmail\",\"status\":\"PENDING\"}}"));
    throng_show(&r, 0, 61, 61, "PENDING");
    throng_start(&r);
    diary_watch(&d, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_60"));
    while (scalekit_watch_status(d.watch) == SCALEKIT_ACCOUNT_UNKNOWN)
        CU_ASSERT_FATAL(virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS));
    service_always(r.f.service, DETAILS, ANSWER(500, ERROR_BODY));
    looks = throng_looks(&r);
    throng_show(&r, 0, 61, 61, "ACTIVE");
    virtual_until(&r.f, &d.ended, 10 * MINUTE_MS);
    CU_ASSERT_EQUAL(throng_looks(&r), looks);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT_EQUAL(diary_last(&d)->source, SCALEKIT_WATCH_SOURCE_LIST);
    CU_ASSERT_STRING_EQUAL(diary_last(&d)->account, "ca_60");
    throng_free(&r);
}

/* --- one at a time ----------------------------------------------------------------------------- */

/* A round of a group waits for the one before; what is urgent does not. */
static void one_round_at_a_time(void)
{
    struct throng r;
    struct diary d = {.fixture = &r.f};
    unsigned looks;

    throng_init(&r, 60);
    throng_show(&r, 0, 60, 60, "PENDING");
    throng_start(&r);
    virtual_pass(&r.f, 10000);
    looks = throng_looks(&r);
    service_once(r.f.service, LIST,
                 (struct service_answer){200, r.pages[0], NULL, SERVICE_WAITS, 0});
    while (gmail_of(&r.f)->asked == 0)
        CU_ASSERT_FATAL(virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS));
    virtual_pass(&r.f, 1000);
    CU_ASSERT_EQUAL(gmail_of(&r.f)->asked, 60);
    for (unsigned i = 0; i < r.n; i++) /* all of them are being asked for already */
        scalekit_watch_look_now(r.diaries[i].watch);
    virtual_settle(&r.f);
    CU_ASSERT_EQUAL(throng_looks(&r), looks);
    diary_follow(&d, "late");
    virtual_pass(&r.f, 6000); /* its time has come, but not its round */
    CU_ASSERT_EQUAL(throng_looks(&r), looks);
    scalekit_watch_look_now(d.watch);
    virtual_settle(&r.f);
    CU_ASSERT_EQUAL(throng_looks(&r), looks + 1);
    CU_ASSERT_EQUAL(scalekit_watch_status(d.watch), SCALEKIT_ACCOUNT_PENDING);
    service_release(r.f.service);
    virtual_pass(&r.f, 6000);
    CU_ASSERT_EQUAL(gmail_of(&r.f)->asked, 0);
    throng_free(&r);
}

/* --- stopping ---------------------------------------------------------------------------------- */

static void stop_all(struct throng *r)
{
    for (unsigned i = 0; i < r->n; i++)
        diary_stop(&r->diaries[i]);
}

/* Watches that stop while a round asks for them take it along: nothing holds the loop. */
static void nothing_is_left_of_what_nobody_wants(void)
{
    static const unsigned sizes[] = {1, 2, 60};

    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct throng r;

        throng_init(&r, sizes[i]);
        service_always(r.f.service, LIST, (struct service_answer){.manner = SERVICE_HANGS});
        service_always(r.f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
        throng_start(&r);
        virtual_pass(&r.f, 8000);
        CU_ASSERT_FALSE(ski_list_empty(&engine_of(&r.f)->rounds));
        stop_all(&r);
        service_rest(r.f.service);
        CU_ASSERT_NOT_EQUAL(event_base_dispatch(r.f.base), -1);
        CU_ASSERT_EQUAL(throng_count(&r, "stopped"), sizes[i]);
        CU_ASSERT(ski_list_empty(&engine_of(&r.f)->rounds));
        CU_ASSERT(ski_list_empty(&engine_of(&r.f)->targets.all));
        CU_ASSERT_EQUAL(engine_of(&r.f)->watches.in_use, 0);
        throng_free(&r);
    }
}

/* One of those that a round asks for stops; the others are told. */
static void the_others_are_told(void)
{
    struct throng r;

    throng_init(&r, 60);
    throng_show(&r, 0, 60, 60, "PENDING");
    throng_start(&r);
    virtual_pass(&r.f, 10000);
    service_once(r.f.service, LIST,
                 (struct service_answer){200, throng_page(&r, 0, 60, 60, "ACTIVE", false), NULL,
                                         SERVICE_WAITS, 0});
    while (gmail_of(&r.f)->asked == 0)
        CU_ASSERT_FATAL(virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS));
    for (unsigned i = 0; i < r.n; i += 2)
        diary_stop(&r.diaries[i]);
    virtual_settle(&r.f);
    CU_ASSERT_EQUAL(throng_count(&r, "stopped"), 30);
    CU_ASSERT_EQUAL(gmail_of(&r.f)->asked, 30);
    service_release(r.f.service);
    virtual_settle(&r.f);
    CU_ASSERT_EQUAL(throng_count(&r, "settled"), 30);
    throng_free(&r);
}

/* The client goes after each number of steps, with whatever is under way then. */
static void the_client_may_go_at_any_moment(void)
{
    bool through = false;

    for (unsigned steps = 0; !through; steps++) {
        struct throng r;

        throng_init(&r, 8);
        service_once(r.f.service, DETAILS, ANSWER(404, ERROR_BODY));
        service_once(r.f.service, DETAILS, (struct service_answer){.manner = SERVICE_CLOSES});
        service_once(r.f.service, LIST, ANSWER(500, ERROR_BODY));
        service_once(r.f.service, LIST, ANSWER(200, throng_page(&r, 0, 4, 8, "PENDING", true)));
        service_once(r.f.service, LIST, ANSWER(200, throng_page(&r, 4, 2, 8, "PENDING", false)));
        throng_show(&r, 0, 8, 8, "EXPIRED");
        throng_start(&r);
        for (unsigned i = 0; i < steps / 2; i++)
            if (!virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS))
                break;
        if (steps % 2) { /* in the middle of one, with requests on their way */
            fixture_advance(&r.f, 1500);
            event_base_loop(r.f.base, EVLOOP_NONBLOCK);
        }
        through = throng_count(&r, "settled") == 8;
        fixture_free_client(&r.f);
        CU_ASSERT_EQUAL(throng_count(&r, "settled") + throng_count(&r, "stopped"), 8);
        throng_free(&r);
        CU_ASSERT_FATAL(steps < 400);
    }
}

/* --- failures ---------------------------------------------------------------------------------- */

/* Ten minutes without a service: what all requests have in common is found out by one or a few. */
static void an_outage_costs_few_requests(void)
{
    static const struct {
        const char *name;
        struct service_answer answer;
    } rows[] = {
        {"500", {.status = 500, .body = ERROR_BODY}},
        {"503", {.status = 503}},
        {"closed", {.manner = SERVICE_CLOSES}},
        {"429", {.status = 429, .body = ERROR_BODY}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct throng r;
        unsigned requests;

        throng_init(&r, 100);
        throng_show(&r, 0, 100, 100, "PENDING");
        throng_start(&r);
        virtual_pass(&r.f, 30000);
        requests = service_count(r.f.service, NULL);
        service_always(r.f.service, LIST, rows[i].answer);
        service_always(r.f.service, DETAILS, rows[i].answer);
        virtual_pass(&r.f, 10 * MINUTE_MS);
        requests = service_count(r.f.service, NULL) - requests;
        ROW_IS(rows[i].name, requests <= 210);             /* one each 3 s, for 100 accounts */
        ROW_IS(rows[i].name, throng_count(&r, "") == 100); /* it ended nothing */
        throng_show(&r, 0, 100, 100, "ACTIVE");
        virtual_pass(&r.f, MINUTE_MS);
        ROW_IS(rows[i].name, throng_count(&r, "settled") == 100);
        throng_free(&r);
    }
}

/* A list that is refused says nothing about the accounts: they are looked up. */
static void a_list_that_fails_is_done_without(void)
{
    struct throng r;

    throng_init(&r, 30);
    service_always(r.f.service, LIST, ANSWER(403, ERROR_BODY));
    service_always(r.f.service, DETAILS, ANSWER(200, ACCOUNT("EXPIRED")));
    throng_start(&r);
    virtual_pass(&r.f, 10000);
    CU_ASSERT_EQUAL(throng_count(&r, "settled"), 30);
    throng_free(&r);
}

/* --- ceilings ---------------------------------------------------------------------------------- */

/* How many lists there are in a minute, long after everybody's fast period. */
static unsigned lists_of_old_watches(unsigned ceiling)
{
    struct throng r;
    unsigned lists;

    throng_init(&r, 99);
    r.f.config.max_requests_per_minute = ceiling;
    throng_show(&r, 0, 99, 99, "PENDING");
    throng_start(&r);
    virtual_pass(&r.f, 6 * MINUTE_MS);
    lists = throng_lists(&r);
    virtual_pass(&r.f, MINUTE_MS);
    lists = throng_lists(&r) - lists;
    CU_ASSERT_EQUAL(throng_count(&r, ""), 99);
    throng_free(&r);
    return lists;
}

/* A ceiling is a budget: while a request shows many, it is spent on looking often. */
static void a_ceiling_is_a_budget(void)
{
    unsigned without = lists_of_old_watches(0), with = lists_of_old_watches(600);

    CU_ASSERT(without >= 1 && without <= 10);
    CU_ASSERT(with >= 18 && with <= 22);
}

/* Where a round takes long, it sees everybody on its way. */
static void long_rounds_are_thorough(void)
{
    struct throng r;
    struct ski_group *group;
    int64_t started;

    throng_init(&r, 99);
    r.f.config.max_requests_per_minute = 10;
    throng_show(&r, 0, 99, 99, "PENDING");
    throng_start(&r);
    virtual_pass(&r.f, 3 * MINUTE_MS);
    group = gmail_of(&r.f);
    CU_ASSERT_FATAL(group != NULL);
    CU_ASSERT(group->slow);
    CU_ASSERT_EQUAL(group->total, 99);
    while (group->asked)
        CU_ASSERT_FATAL(virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS));
    while (!group->asked)
        CU_ASSERT_FATAL(virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS));
    CU_ASSERT(group->asked > 90);
    started = group->started_ms;
    while (group->asked)
        CU_ASSERT_FATAL(virtual_step(&r.f, virtual_now(&r.f) + MINUTE_MS));
    CU_ASSERT(ski_targets_oldest_ms(&engine_of(&r.f)->targets) >= started);
    throng_free(&r);
}

/* --- without memory ---------------------------------------------------------------------------- */

/* Nothing is lost: whoever was accepted settles and is told, by what comes a little later. */
static bool survive(struct test_memory *memory, void *user)
{
    struct throng r;
    unsigned accepted = 0, settled = 0;
    char identifier[16];

    (void)user;
    throng_init(&r, 12);
    r.f.config.allocator = &memory->allocator;
    service_always(r.f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING")));
    service_once(r.f.service, LIST, ANSWER(200, throng_page(&r, 0, 12, 13, "PENDING", true)));
    service_once(r.f.service, LIST, ANSWER(200, throng_page(&r, 12, 1, 13, "PENDING", false)));
    throng_show(&r, 0, 12, 12, "EXPIRED");
    if (scalekit_client_new(&r.f.client, r.f.base, &r.f.config, NULL) == SCALEKIT_OK) {
        for (unsigned i = 0; i < r.n; i++) {
            snprintf(identifier, sizeof identifier, "u%u", i);
            r.diaries[i].fixture = &r.f;
            diary_follow(&r.diaries[i], identifier);
            accepted += r.diaries[i].watch != NULL;
        }
        virtual_pass(&r.f, 2 * MINUTE_MS);
        settled = throng_count(&r, "settled");
        CU_ASSERT_EQUAL(settled, accepted);
    }
    throng_free(&r);
    return settled == 12;
}

static void any_allocation_may_fail(void)
{
    CU_ASSERT(test_every_allocation(survive, NULL) > 100);
}

SUITE(round, {"many are seen by lists", many_are_seen_by_lists},
      {"many pages are one sweep", many_pages_are_one_sweep},
      {"who is missing from a list is looked up", who_is_missing_is_looked_up},
      {"a size is remembered, and not probed twice", a_size_is_remembered},
      {"strangers on a list do no harm", strangers_on_a_list_do_no_harm},
      {"lists show those known by id", lists_show_those_known_by_id},
      {"one round at a time, but for what is urgent", one_round_at_a_time},
      {"nothing is left of what nobody wants", nothing_is_left_of_what_nobody_wants},
      {"when some stop, the others are told", the_others_are_told},
      {"the client may go at any moment", the_client_may_go_at_any_moment},
      {"an outage costs few requests", an_outage_costs_few_requests},
      {"a list that fails is done without", a_list_that_fails_is_done_without},
      {"a ceiling is a budget", a_ceiling_is_a_budget},
      {"long rounds are thorough", long_rounds_are_thorough},
      {"any allocation of a round may fail", any_allocation_may_fail})
