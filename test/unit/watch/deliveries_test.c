/* What is posted: whom it is believed, once told, and what it means to watches. */
#include "diary.h"
#include "postman.h"
#include "town.h"
#include "virtual.h"
#include "watch/engine.h"
#include <scalekit/watch_connection.h>

#define MINUTE_MS 60000

struct ground {
    struct fixture f;
    struct town town;
    struct postman postman;
    struct diary diary, second;
};

/* A town where user_1 of gmail is ca_1, PENDING_AUTH, and a handler. */
static void open_ground(struct ground *g)
{
    CU_ASSERT_FATAL(town_open(&g->town, &g->f, NULL));
    town_add(&g->town, "gmail", "user_1", "PENDING_AUTH");
    postman_begin(&g->postman, &g->f);
    g->diary = g->second = (struct diary){.fixture = &g->f};
}

static void close_ground(struct ground *g)
{
    town_free(&g->town);
}

static void follow(struct ground *g)
{
    diary_watch(&g->diary, SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail",
                                           .identifier = "user_1", .deadline_ms = 3600000,
                                           .progress = true, .follow = true));
}

static unsigned requests(const struct ground *g)
{
    return g->town.look_ups + g->town.lists;
}

static struct scalekit_watch_stats stats_of(const struct ground *g)
{
    struct scalekit_watch_stats stats;

    scalekit_client_get_watch_stats(g->f.client, &stats);
    return stats;
}

/* --- accepting ---------------------------------------------------------------------------------- */

#define ACCEPT(...) SCALEKIT_PARAMS(scalekit_webhook_accept_params, __VA_ARGS__)

static void check_accept(const char *name, scalekit_client *client,
                         const struct scalekit_webhook_accept_params *params, const char *expected)
{
    const char *problem = "nothing";
    scalekit_err err = scalekit_webhook_accept(client, params, &problem);

    ROW_IS(name, err == (expected ? SCALEKIT_ERR_INVALID : SCALEKIT_OK));
    ROW_IS(name, expected ? problem && strncmp(problem, expected, strlen(expected)) == 0
                          : problem == NULL);
}

static void test_accept(void)
{
    static const char *const good[] = {POSTMAN_SECRET, POSTMAN_OTHER};
    static const char *const bad[] = {POSTMAN_SECRET, "whsec_?"};
    static const char *const absent[] = {NULL};
    static const char *many[SCALEKIT_WEBHOOK_MAX_SECRETS + 1];
    const struct {
        const char *name;
        const struct scalekit_webhook_accept_params *params;
        const char *problem; /* NULL: none */
    } rows[] = {
        {"two", ACCEPT(.secrets = good, .n_secrets = 2), NULL},
        {"sixteen", ACCEPT(.secrets = many, .n_secrets = COUNT(many) - 1), NULL},
        {"no parameters", NULL, "params"},
        {"no secrets", ACCEPT(.n_secrets = 0), "secrets"},
        {"none of them", ACCEPT(.secrets = good), "n_secrets"},
        {"one that is absent", ACCEPT(.secrets = absent, .n_secrets = 1), "secrets"},
        {"one that cannot be read", ACCEPT(.secrets = bad, .n_secrets = 2), "secrets"},
        {"too many", ACCEPT(.secrets = many, .n_secrets = COUNT(many)), "n_secrets"},
        {"a tolerance below 0", ACCEPT(.secrets = good, .n_secrets = 1, .tolerance = -1),
         "tolerance"},
    };
    struct ground g;

    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = POSTMAN_SECRET;
    open_ground(&g);
    for (size_t i = 0; i < COUNT(rows); i++)
        check_accept(rows[i].name, g.f.client, rows[i].params, rows[i].problem);
    check_accept("no client", NULL, rows[0].params, "client");
    /* What was wrong has changed nothing. */
    CU_ASSERT_EQUAL(POST(&g.postman, .event_id = "evt_a"), SCALEKIT_WEBHOOK_GOOD);
    close_ground(&g);
}

static void test_verdicts(void)
{
    static const struct {
        const char *name;
        struct letter letter;
        enum scalekit_webhook_verdict verdict;
        const char *book; /* what is told */
    } rows[] = {
        {"an event", {.event_id = "evt_a"}, SCALEKIT_WEBHOOK_GOOD, "evt_a ACTIVE, "},
        {"another type",
         {.body = "{\"id\":\"evt_b\",\"type\":\"organization.created\",\"data\":{}}"},
         SCALEKIT_WEBHOOK_GOOD,
         "evt_b -, "},
        {"for another secret", {.secret = POSTMAN_OTHER}, SCALEKIT_WEBHOOK_BAD_SIGNATURE, ""},
        {"too old", {.sent_ago_s = 301}, SCALEKIT_WEBHOOK_STALE, ""},
        {"from the future", {.sent_ago_s = -301}, SCALEKIT_WEBHOOK_FROM_THE_FUTURE, ""},
        {"no event", {.body = "{}"}, SCALEKIT_WEBHOOK_NO_EVENT, ""},
        {"to an interceptor", {.interceptor = true}, SCALEKIT_WEBHOOK_INVALID, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ground g;

        open_ground(&g);
        ROW_IS(rows[i].name, postman_post(&g.postman, &rows[i].letter) == rows[i].verdict);
        virtual_settle(&g.f);
        ROW_IS(rows[i].name, text_is(g.postman.book, rows[i].book));
        ROW_IS(rows[i].name, stats_of(&g).deliveries == (*rows[i].book != '\0'));
        ROW_IS(rows[i].name, stats_of(&g).deliveries + stats_of(&g).rejected_deliveries == 1);
        close_ground(&g);
    }
}

static void test_without_a_secret(void)
{
    struct ground g;

    CU_ASSERT_FATAL(town_open(&g.town, &g.f, NULL));
    g.postman = (struct postman){.fixture = &g.f};
    CU_ASSERT_EQUAL(POST(&g.postman, .ago_ms = 0), SCALEKIT_WEBHOOK_BAD_SECRET);
    CU_ASSERT_EQUAL(scalekit_webhook_deliver(NULL, NULL), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_deliver(g.f.client, NULL), SCALEKIT_WEBHOOK_INVALID);
    close_ground(&g);
}

static void test_rotation(void)
{
    static const char *const both[] = {POSTMAN_OTHER, POSTMAN_SECRET};
    struct ground g;

    open_ground(&g);
    CU_ASSERT_EQUAL(POST(&g.postman, .secret = POSTMAN_OTHER), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    scalekit_webhook_accept(g.f.client, ACCEPT(.secrets = both, .n_secrets = 2), NULL);
    CU_ASSERT_EQUAL(POST(&g.postman, .secret = POSTMAN_OTHER), SCALEKIT_WEBHOOK_GOOD);
    CU_ASSERT_EQUAL(POST(&g.postman, .secret = POSTMAN_SECRET), SCALEKIT_WEBHOOK_GOOD);
    scalekit_webhook_accept(g.f.client, ACCEPT(.secrets = both, .n_secrets = 1), NULL);
    CU_ASSERT_EQUAL(POST(&g.postman, .secret = POSTMAN_SECRET), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    virtual_settle(&g.f);
    CU_ASSERT_EQUAL(g.postman.told, 0); /* the new handler is nobody */
    close_ground(&g);
}

/* --- once --------------------------------------------------------------------------------------- */

static void test_duplicates(void)
{
    static const struct {
        const char *name;
        struct letter again;
        int64_t after_ms;
        enum scalekit_webhook_verdict verdict;
    } rows[] = {
        {"the same", {.id = "1", .event_id = "evt_a"}, 0, SCALEKIT_WEBHOOK_DUPLICATE},
        {"the same, tried again",
         {.id = "1", .event_id = "evt_a"},
         1799000,
         SCALEKIT_WEBHOOK_DUPLICATE},
        {"by another endpoint", {.id = "2", .event_id = "evt_a"}, 5000, SCALEKIT_WEBHOOK_DUPLICATE},
        {"the id of a delivery",
         {.id = "1", .event_id = "evt_b"},
         5000,
         SCALEKIT_WEBHOOK_DUPLICATE},
        {"another one", {.id = "2", .event_id = "evt_b"}, 5000, SCALEKIT_WEBHOOK_GOOD},
        {"ids of events are not those of deliveries",
         {.id = "evt_a", .event_id = "evt_b"},
         0,
         SCALEKIT_WEBHOOK_GOOD},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ground g;

        open_ground(&g);
        CU_ASSERT_EQUAL(POST(&g.postman, .id = "1", .event_id = "evt_a"), SCALEKIT_WEBHOOK_GOOD);
        virtual_pass(&g.f, rows[i].after_ms);
        ROW_IS(rows[i].name, postman_post(&g.postman, &rows[i].again) == rows[i].verdict);
        virtual_settle(&g.f);
        ROW_IS(rows[i].name, g.postman.told == 1u + (rows[i].verdict == SCALEKIT_WEBHOOK_GOOD));
        ROW_IS(rows[i].name,
               stats_of(&g).duplicate_deliveries == (rows[i].verdict != SCALEKIT_WEBHOOK_GOOD));
        close_ground(&g);
    }
}

/* One that was not taken in is not remembered: it comes again. */
static void test_full(void)
{
    unsigned taken = 0;
    struct ground g;

    open_ground(&g);
    while (POST(&g.postman, .ago_ms = 0) == SCALEKIT_WEBHOOK_GOOD)
        taken++;
    CU_ASSERT_EQUAL(taken, 4096);
    CU_ASSERT_EQUAL(POST(&g.postman, .event_id = "evt_a"), SCALEKIT_WEBHOOK_BUSY);
    CU_ASSERT_EQUAL(POST(&g.postman, .event_id = "evt_1"), SCALEKIT_WEBHOOK_DUPLICATE);
    virtual_settle(&g.f);
    CU_ASSERT_EQUAL(g.postman.told, 4096);
    CU_ASSERT_EQUAL(POST(&g.postman, .event_id = "evt_a"), SCALEKIT_WEBHOOK_GOOD);
    virtual_settle(&g.f);
    CU_ASSERT_EQUAL(g.postman.told, 4097);
    close_ground(&g);
}

static void test_overtaken(void)
{
    struct ground g;

    open_ground(&g);
    POST(&g.postman, .status = "EXPIRED", .ago_ms = 1000);
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 2000);
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 3000, .account = "ca_2");
    POST(&g.postman, .status = "EXPIRED", .ago_ms = 1000);
    POST(&g.postman, .type = "updated", .status = "ACTIVE", .ago_ms = 5000);
    virtual_settle(&g.f);
    CU_ASSERT_STRING_EQUAL(g.postman.book, "evt_1 EXPIRED, evt_2 ACTIVE overtaken, evt_3 ACTIVE, "
                                           "evt_4 EXPIRED, evt_5 ACTIVE, ");
    close_ground(&g);
}

/* --- the end ------------------------------------------------------------------------------------ */

static void free_client(struct postman *postman)
{
    scalekit_client_free(postman->fixture->client);
    CU_ASSERT_EQUAL(POST(postman, .ago_ms = 0), SCALEKIT_WEBHOOK_INVALID);
}

/* They were answered, and will not come again. */
static void test_freed(void)
{
    struct ground g;

    open_ground(&g);
    POST(&g.postman, .ago_ms = 0);
    POST(&g.postman, .ago_ms = 0);
    fixture_free_client(&g.f);
    CU_ASSERT_EQUAL(g.postman.told, 2);
    close_ground(&g);
}

static void test_freed_inside(void)
{
    struct ground g;

    open_ground(&g);
    follow(&g);
    virtual_pass(&g.f, 20000);
    g.postman.act = free_client;
    POST(&g.postman, .account = "ca_2", .identifier = "user_2");
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 100);
    fixture_turn(&g.f);
    g.f.client = NULL;
    CU_ASSERT_EQUAL(g.postman.told, 2);
    CU_ASSERT(diary_reads(&g.diary, "settled stopped"));
    close_ground(&g);
}

static void free_client_of_diary(struct diary *diary)
{
    struct ground *g = diary->user;

    if (g->f.client)
        scalekit_client_free(g->f.client);
    g->f.client = NULL;
}

static void test_freed_inside_a_watch(void)
{
    struct ground g;

    open_ground(&g);
    follow(&g);
    virtual_pass(&g.f, 20000);
    g.diary.act = free_client_of_diary;
    g.diary.user = &g;
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 100);
    POST(&g.postman, .status = "EXPIRED", .ago_ms = 50);
    fixture_turn(&g.f);
    CU_ASSERT_EQUAL(g.postman.told, 2);
    CU_ASSERT(diary_reads(&g.diary, "settled settled stopped"));
    close_ground(&g);
}

/* The first time: another one comes, the secrets change, another watch begins, and this one ends. */
static void do_anything(struct postman *postman)
{
    struct ground *g = postman->user;

    if (postman->told > 1)
        return;
    CU_ASSERT_EQUAL(POST(postman, .status = "EXPIRED", .ago_ms = 0), SCALEKIT_WEBHOOK_GOOD);
    postman_accept(postman, POSTMAN_OTHER);
    CU_ASSERT_EQUAL(POST(postman, .ago_ms = 0), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    diary_stop(&g->diary);
    diary_watch(&g->second, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1"));
}

static void test_anything_inside(void)
{
    struct ground g;

    open_ground(&g);
    follow(&g);
    virtual_pass(&g.f, 20000);
    g.postman.act = do_anything;
    g.postman.user = &g;
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 100);
    POST(&g.postman, .status = "DISCONNECTED", .ago_ms = 50);
    virtual_settle(&g.f);
    CU_ASSERT_STRING_EQUAL(g.postman.book, "evt_1 ACTIVE, evt_2 DISCONNECTED, evt_3 EXPIRED, ");
    CU_ASSERT(diary_reads(&g.diary, "settled stopped"));
    close_ground(&g);
}

/* --- what it means ------------------------------------------------------------------------------ */

/* Every row begins with a watch that has looked, 20 s old, of an account changed 60 s ago. */
static const struct meaning {
    const char *name;
    struct letter letters[3];
    const char *truth; /* what the account is really, from before on */
    const char *events;
    unsigned requests;                 /* within a second; or four, when something is heralded */
    enum scalekit_watch_source source; /* of the last event */
} meanings[] = {
    {"a status",
     {{.status = "ACTIVE", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     0,
     SCALEKIT_WATCH_SOURCE_WEBHOOK},
    {"two in a row",
     {{.status = "PENDING_VERIFICATION", .ago_ms = 60}, {.status = "ACTIVE", .ago_ms = 50}},
     "ACTIVE",
     "pending_verification settled",
     0,
     SCALEKIT_WATCH_SOURCE_WEBHOOK},
    {"two in disorder",
     {{.status = "ACTIVE", .ago_ms = 50}, {.status = "PENDING_VERIFICATION", .ago_ms = 60}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_WEBHOOK},
    {"the same twice, as two events",
     {{.status = "ACTIVE", .ago_ms = 50}, {.status = "ACTIVE", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     0,
     SCALEKIT_WATCH_SOURCE_WEBHOOK},
    {"two at the same moment",
     {{.status = "ACTIVE", .ago_ms = 50}, {.status = "EXPIRED", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_WEBHOOK},
    {"older than what was seen",
     {{.status = "ACTIVE", .ago_ms = 120000}},
     "PENDING_AUTH",
     "",
     1,
     SCALEKIT_WATCH_SOURCE_NONE},
    {"older, and as it is",
     {{.status = "PENDING_AUTH", .ago_ms = 120000}},
     "PENDING_AUTH",
     "",
     0,
     SCALEKIT_WATCH_SOURCE_NONE},
    {"tried again for a long time",
     {{.status = "ACTIVE", .ago_ms = 15000}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
    {"no time",
     {{.status = "ACTIVE", .ago_ms = -1}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
    {"a time far ahead",
     {{.status = "ACTIVE", .ago_ms = -2 * 86400000}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
    {"a new word",
     {{.status = "MIGRATING", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
    {"an account made anew",
     {{.account = "ca_9", .status = "ACTIVE", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
    {"somebody else",
     {{.account = "ca_9", .identifier = "user_9", .ago_ms = 50}},
     "PENDING_AUTH",
     "",
     0,
     SCALEKIT_WATCH_SOURCE_NONE},
    {"the creation, whatever its status",
     {{.type = "created", .status = "ACTIVE", .ago_ms = 50}},
     "PENDING_AUTH",
     "",
     0,
     SCALEKIT_WATCH_SOURCE_NONE},
    {"a consent without its status",
     {{.type = "oauth_succeeded", .status = "", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
    {"a consent, then its status",
     {{.type = "oauth_succeeded", .status = "", .ago_ms = 50}, {.status = "ACTIVE", .ago_ms = 50}},
     "ACTIVE",
     "settled",
     0,
     SCALEKIT_WATCH_SOURCE_WEBHOOK},
    {"what changes nothing",
     {{.type = "oauth_tokens_fetched", .status = "", .ago_ms = 50},
      {.type = "magic_link_generated", .status = "", .ago_ms = 50},
      {.type = "token_refresh_succeeded", .status = "", .ago_ms = 50}},
     "PENDING_AUTH",
     "",
     0,
     SCALEKIT_WATCH_SOURCE_NONE},
    {"a refresh that failed",
     {{.type = "token_refresh_failed", .status = "", .ago_ms = 50}},
     "EXPIRED",
     "settled",
     1,
     SCALEKIT_WATCH_SOURCE_LOOK_UP},
};

static void check_meaning(const struct meaning *row)
{
    struct ground g;
    unsigned before;

    open_ground(&g);
    g.town.people[0].updated_at -= INT64_C(40000000);
    follow(&g);
    virtual_pass(&g.f, 20000);
    town_set(&g.town, "gmail", "user_1", row->truth);
    g.town.people[0].updated_at -= text_is(row->truth, "PENDING_AUTH") ? INT64_C(60000000) : 50000;
    before = requests(&g);
    for (size_t i = 0; i < COUNT(row->letters) && row->letters[i].ago_ms; i++)
        CU_ASSERT_EQUAL(postman_post(&g.postman, &row->letters[i]), SCALEKIT_WEBHOOK_GOOD);
    virtual_pass(&g.f, row->letters[0].type && row->requests ? 4000 : 1000);
    ROW_IS(row->name, diary_reads(&g.diary, row->events));
    ROW_IS(row->name, requests(&g) - before == row->requests);
    if (*row->events) {
        ROW_IS(row->name, diary_last(&g.diary)->source == row->source);
        ROW_IS(row->name, text_is(diary_last(&g.diary)->account, "ca_1"));
    }
    close_ground(&g);
}

static void test_meanings(void)
{
    for (size_t i = 0; i < COUNT(meanings); i++)
        check_meaning(&meanings[i]);
}

/* Times that are valid, and far from ours: nothing overflows, nothing is believed that is ahead. */
static void test_far_times(void)
{
    static const char *const secrets[] = {POSTMAN_SECRET};
    static const char *const times[] = {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"};
    static const int64_t sent_ago_s[] = {0, -9000000000000, -9223372035000000000};

    for (size_t i = 0; i < COUNT(times) * COUNT(sent_ago_s); i++) {
        char body[512];
        struct ground g;

        open_ground(&g);
        scalekit_webhook_accept(
            g.f.client, ACCEPT(.secrets = secrets, .n_secrets = 1, .tolerance = INT64_MAX), NULL);
        follow(&g);
        virtual_pass(&g.f, 20000);
        snprintf(body, sizeof body,
                 "{\"id\":\"evt_a\",\"type\":\"connected_account.status_updated\","
                 "\"occurred_at\":\"%s\",\"data\":{\"id\":\"ca_1\",\"connection_name\":\"gmail\","
                 "\"identifier\":\"user_1\",\"status\":\"EXPIRED\"}}",
                 times[i % COUNT(times)]);
        CU_ASSERT_EQUAL(POST(&g.postman, .body = body, .sent_ago_s = sent_ago_s[i / COUNT(times)]),
                        SCALEKIT_WEBHOOK_GOOD);
        virtual_pass(&g.f, 1000);
        CU_ASSERT(diary_reads(&g.diary, "")); /* one look has shown that it is not so */
        close_ground(&g);
    }
}

/* What happened before a watch began is no news to it. */
static void test_young_watch(void)
{
    struct ground g;

    open_ground(&g);
    town_set(&g.town, "gmail", "user_1", "EXPIRED");
    diary_watch(&g.diary, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                          .until_reauthorized = true));
    POST(&g.postman, .status = "EXPIRED", .ago_ms = 500);
    virtual_pass(&g.f, 5000);
    CU_ASSERT(diary_reads(&g.diary, ""));
    town_set(&g.town, "gmail", "user_1", "ACTIVE");
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 0);
    virtual_pass(&g.f, 100);
    CU_ASSERT(diary_reads(&g.diary, "settled"));
    close_ground(&g);
}

/* But what is newer than a watch knew the account to be is. */
static void test_known(void)
{
    static const struct {
        const char *name;
        enum scalekit_account_status known;
        int64_t known_ago_ms, ago_ms;
        bool other;         /* there is another watch, which knows nothing */
        const char *events; /* within a second */
        unsigned requests;
    } rows[] = {
        {"newer", SCALEKIT_ACCOUNT_PENDING_AUTH, 60000, 10, false, "settled", 0},
        {"newer, and from before the watch", SCALEKIT_ACCOUNT_PENDING_AUTH, 60000, 30000, false,
         "settled", 0},
        {"older", SCALEKIT_ACCOUNT_PENDING_AUTH, 60000, 70000, false, "", 1},
        {"no time is known", SCALEKIT_ACCOUNT_PENDING_AUTH, -1, 10, false, "settled", 1},
        {"no status is known", SCALEKIT_ACCOUNT_UNKNOWN, 60000, 10, false, "already_active", 1},
        {"somebody else knows nothing", SCALEKIT_ACCOUNT_PENDING_AUTH, 60000, 10, true, "settled",
         1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ground g;
        struct diary other = {.fixture = &g.f};
        scalekit_time now;

        open_ground(&g);
        now = g.f.clock.wall_us;
        town_set(&g.town, "gmail", "user_1", *rows[i].events ? "ACTIVE" : "PENDING_AUTH");
        g.town.people[0].updated_at = now - rows[i].ago_ms * 1000;
        if (rows[i].other)
            diary_follow(&other, "user_1");
        diary_watch(&g.diary,
                    SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail",
                                    .identifier = "user_1", .known_status = rows[i].known,
                                    .known_updated_at = rows[i].known_ago_ms < 0
                                                            ? 0
                                                            : now - rows[i].known_ago_ms * 1000));
        POST(&g.postman, .status = "ACTIVE", .ago_ms = rows[i].ago_ms);
        virtual_pass(&g.f, 1000);
        ROW_IS(rows[i].name, diary_reads(&g.diary, rows[i].events));
        ROW_IS(rows[i].name, requests(&g) == rows[i].requests);
        close_ground(&g);
    }
}

/* --- how often is looked ------------------------------------------------------------------------ */

static unsigned looks_in(struct ground *g, int64_t time_ms, bool delivered)
{
    unsigned before = requests(g);

    for (int64_t end = virtual_now(&g->f) + time_ms; virtual_now(&g->f) < end;) {
        if (delivered)
            POST(&g->postman, .account = "ca_2", .identifier = "user_2", .ago_ms = 10);
        virtual_pass(&g->f, MINUTE_MS);
    }
    return requests(g) - before;
}

static void test_pace(void)
{
    unsigned usual, delivered, after;
    struct ground g;

    open_ground(&g);
    diary_watch(&g.diary, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                          .deadline_ms = 24 * 60 * MINUTE_MS));
    looks_in(&g, 10 * MINUTE_MS, false);
    usual = looks_in(&g, 10 * MINUTE_MS, false);
    looks_in(&g, 2 * MINUTE_MS, true);
    CU_ASSERT(stats_of(&g).deliveries_flow);
    delivered = looks_in(&g, 10 * MINUTE_MS, true);
    looks_in(&g, 10 * MINUTE_MS, false); /* nobody knows yet that they have stopped */
    CU_ASSERT_FALSE(stats_of(&g).deliveries_flow);
    after = looks_in(&g, 10 * MINUTE_MS, false);
    CU_ASSERT(usual >= 17 && usual <= 24);
    CU_ASSERT(delivered >= 8 && delivered <= 11);
    CU_ASSERT(after >= usual - 3 && after <= usual + 3);
    close_ground(&g);
}

/* An endpoint that is gone, or told of other connections: looks find more than it tells. */
static void test_missed(void)
{
    struct ground g;

    open_ground(&g);
    diary_watch(&g.diary, SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1",
                                          .follow = true, .progress = true));
    looks_in(&g, 2 * MINUTE_MS, false);
    POST(&g.postman, .account = "ca_2", .identifier = "user_2", .ago_ms = 10);
    virtual_settle(&g.f);
    CU_ASSERT(stats_of(&g).deliveries_flow);
    for (unsigned i = 0; i < 8 && stats_of(&g).deliveries_flow; i++) {
        town_set(&g.town, "gmail", "user_1", i % 2 ? "PENDING_AUTH" : "PENDING_VERIFICATION");
        virtual_pass(&g.f, 70000);
    }
    CU_ASSERT_FALSE(stats_of(&g).deliveries_flow);
    CU_ASSERT(stats_of(&g).missed_deliveries >= 3);
    close_ground(&g);
}

/* A watch of an account that was seen again since it changed 100 s ago, and now has changed. */
static void open_old_ground(struct ground *g)
{
    open_ground(g);
    follow(g);
    virtual_pass(&g->f, 100000);
    town_set(&g->town, "gmail", "user_1", "PENDING_AUTH");
    virtual_pass(&g->f, 100000);
    town_set(&g->town, "gmail", "user_1", "ACTIVE");
}

/* Old news says nothing, and so puts nothing off: neither the next look nor one that is to come now. */
static void test_old_news(void)
{
    struct ground g;

    open_old_ground(&g);
    for (unsigned i = 0; i < 160; i++) {
        POST(&g.postman, .status = "PENDING_AUTH", .ago_ms = 101000 + 500 * i);
        virtual_pass(&g.f, 500);
    }
    CU_ASSERT(diary_reads(&g.diary, "settled"));
    close_ground(&g);

    open_old_ground(&g);
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 102000);
    POST(&g.postman, .status = "PENDING_AUTH", .ago_ms = 101000);
    virtual_pass(&g.f, 100);
    CU_ASSERT(diary_reads(&g.diary, "settled"));
    close_ground(&g);
}

/* What a connection watch was told of accounts that it did not know, or that are gone. */
struct census {
    unsigned added, removed, synced;
};

static void on_census(scalekit_connection_watch *watch,
                      const struct scalekit_connection_event *event, void *user)
{
    struct census *census = user;

    (void)watch;
    census->added += event->kind == SCALEKIT_CONNECTION_ADDED;
    census->removed += event->kind == SCALEKIT_CONNECTION_REMOVED;
    census->synced += event->kind == SCALEKIT_CONNECTION_SYNCED;
}

static void follow_connection(struct ground *g, struct census *census)
{
    *census = (struct census){0};
    scalekit_watch_connection(
        g->f.client, SCALEKIT_PARAMS(scalekit_connection_watch_params, .connection_name = "gmail"),
        on_census, census);
}

/* An account that a list did not show is not there for what happened before that list. */
static void test_late_for_a_connection(void)
{
    struct census census;
    struct ground g;

    open_ground(&g);
    follow_connection(&g, &census);
    virtual_pass(&g.f, 20000);
    CU_ASSERT(census.added == 1 && census.synced == 1);
    POST(&g.postman, .account = "ca_9", .identifier = "user_9", .ago_ms = 60000);
    virtual_pass(&g.f, 3 * MINUTE_MS);
    CU_ASSERT(census.added == 1 && census.removed == 0);
    CU_ASSERT(census.synced == 2);
    town_add(&g.town, "gmail", "user_2", "ACTIVE");
    POST(&g.postman, .account = "ca_2", .identifier = "user_2", .ago_ms = 50);
    virtual_settle(&g.f);
    CU_ASSERT(census.added == 2);
    close_ground(&g);
}

/* Deliveries tell nothing of what happened before they began. */
static void test_before_the_first(void)
{
    struct census census;
    struct ground g;

    open_ground(&g);
    follow_connection(&g, &census);
    virtual_pass(&g.f, 20000);
    town_add(&g.town, "gmail", "user_2", "ACTIVE");
    virtual_pass(&g.f, 20000);
    POST(&g.postman, .status = "ACTIVE", .ago_ms = 50);
    virtual_pass(&g.f, 3 * MINUTE_MS);
    CU_ASSERT(stats_of(&g).deliveries_flow);
    CU_ASSERT(census.added == 2);
    close_ground(&g);
}

/* --- without memory ----------------------------------------------------------------------------- */

/* It is taken in and told, or it is not and comes again; the watch settles in any case. */
static bool deliver_short_of_memory(struct test_memory *memory, void *user)
{
    static const char *const secrets[] = {POSTMAN_SECRET};
    enum scalekit_webhook_verdict verdict;
    struct ground g;
    bool through;

    (void)user;
    if (!town_open(&g.town, &g.f, memory)) {
        town_free(&g.town);
        return false;
    }
    town_add(&g.town, "gmail", "user_1", "PENDING_AUTH");
    g.postman = (struct postman){.fixture = &g.f};
    g.diary = (struct diary){.fixture = &g.f};
    through = scalekit_webhook_accept(g.f.client, ACCEPT(.secrets = secrets, .n_secrets = 1),
                                      NULL) == SCALEKIT_OK;
    if (through) {
        follow(&g);
        through = g.diary.watch;
        virtual_pass(&g.f, 20000);
        town_set(&g.town, "gmail", "user_1", "ACTIVE");
        verdict = POST(&g.postman, .ago_ms = 0);
        CU_ASSERT(verdict == SCALEKIT_WEBHOOK_GOOD || verdict == SCALEKIT_WEBHOOK_NO_MEMORY);
        through = through && verdict == SCALEKIT_WEBHOOK_GOOD;
        virtual_settle(&g.f);
        CU_ASSERT_EQUAL(stats_of(&g).deliveries, verdict == SCALEKIT_WEBHOOK_GOOD);
        virtual_pass(&g.f, 2 * MINUTE_MS);
        CU_ASSERT(!g.diary.watch || diary_reads(&g.diary, "settled"));
    }
    town_free(&g.town);
    return through;
}

static void test_short_of_memory(void)
{
    CU_ASSERT(test_every_allocation(deliver_short_of_memory, NULL) > 5);
}

SUITE(deliveries, {"secrets are checked when they are given", test_accept},
      {"each has its verdict, and only a good one is told", test_verdicts},
      {"without a secret nothing is believed", test_without_a_secret},
      {"secrets can be changed without a gap", test_rotation},
      {"a delivery and an event are told once", test_duplicates},
      {"what waits is limited, and what is refused may come again", test_full},
      {"the handler is told what was overtaken", test_overtaken},
      {"what was taken in is told when the client is freed", test_freed},
      {"also when its handler frees it", test_freed_inside},
      {"also when a watch that is told frees it", test_freed_inside_a_watch},
      {"a handler may do anything", test_anything_inside},
      {"a status settles a watch at once, and what is in doubt has one look", test_meanings},
      {"times far from ours do no harm", test_far_times},
      {"what was before a watch is no news to it", test_young_watch},
      {"what is newer than it knew is", test_known}, {"old news puts nothing off", test_old_news},
      {"an old event adds nobody to a connection", test_late_for_a_connection},
      {"what happened before they began is listed", test_before_the_first},
      {"while they flow looks are rare, and when they stop as before", test_pace},
      {"looks that find what was not told end that", test_missed},
      {"without memory one is taken in or comes again", test_short_of_memory})
