/* What is told of a connection's accounts: all of them, each change, and no false end. */
#include "town.h"
#include "virtual.h"
#include "watch/engine.h"
#include <scalekit/scalekit.h>

#define MINUTE_MS   60000
#define INTERVAL_MS 120000 /* from list to list, 80 to 120 % of it, while there is no feed */
#define MOST_MS     (INTERVAL_MS * 6 / 5 + 1000)

/* What a connection watch was told. */
struct ledger {
    struct fixture *fixture;
    scalekit_connection_watch *watch; /* NULL: not accepted, or ended */
    char text[1024]; /* "ca_1+PENDING_AUTH synced ca_1:PENDING_AUTH>ACTIVE ca_1- stopped" */
    size_t length;
    unsigned n[SCALEKIT_CONNECTION_STOPPED + 1];
    unsigned finals;
    bool ended, synced;
    scalekit_err code;
    char parameter[40];
    int64_t at_ms; /* the last event */
    void (*act)(struct ledger *ledger);
    struct ledger **all;
};

static void write_event(struct ledger *ledger, const struct scalekit_connection_event *event)
{
    const struct scalekit_known_account *account = event->account;
    const char *status = account ? scalekit_account_status_name(account->status) : "";
    char *at = ledger->text + ledger->length;
    size_t room = sizeof ledger->text - ledger->length;
    const char *space = ledger->length ? " " : "";

    if (room < 128)
        return; /* what is compared is short */
    if (event->kind == SCALEKIT_CONNECTION_ADDED)
        snprintf(at, room, "%s%s+%s", space, account->connected_account_id, status);
    else if (event->kind == SCALEKIT_CONNECTION_CHANGED)
        snprintf(at, room, "%s%s:%s>%s", space, account->connected_account_id,
                 scalekit_account_status_name(event->previous_status), status);
    else if (event->kind == SCALEKIT_CONNECTION_REMOVED)
        snprintf(at, room, "%s%s-", space, account->connected_account_id);
    else
        snprintf(at, room, "%s%s", space, scalekit_connection_event_name(event->kind));
    ledger->length += strlen(at);
}

static void on_event(scalekit_connection_watch *watch,
                     const struct scalekit_connection_event *event, void *user)
{
    struct ledger *ledger = user;
    const struct scalekit_error *error = event->error;
    bool with_error =
        event->kind == SCALEKIT_CONNECTION_FAILED || event->kind == SCALEKIT_CONNECTION_REFUSED;

    CU_ASSERT_FALSE(ledger->fixture->inside);
    CU_ASSERT_FALSE_FATAL(ledger->ended);
    CU_ASSERT_PTR_EQUAL(watch, ledger->watch);
    CU_ASSERT_EQUAL(event->struct_size, sizeof *event);
    CU_ASSERT_EQUAL(event->final, event->kind >= SCALEKIT_CONNECTION_REFUSED);
    CU_ASSERT_EQUAL(!!event->account, event->kind <= SCALEKIT_CONNECTION_REMOVED);
    CU_ASSERT_EQUAL(!!error, with_error);
    CU_ASSERT_EQUAL(event->n_accounts, scalekit_connection_watch_count(watch));
    write_event(ledger, event);
    ledger->n[event->kind]++;
    ledger->synced |= event->kind == SCALEKIT_CONNECTION_SYNCED;
    ledger->code = error ? error->code : SCALEKIT_OK;
    snprintf(ledger->parameter, sizeof ledger->parameter, "%s",
             error && error->parameter ? error->parameter : "");
    ledger->at_ms = virtual_now(ledger->fixture);
    ledger->finals += event->final;
    ledger->ended = event->final;
    if (ledger->act)
        ledger->act(ledger);
    if (event->final)
        ledger->watch = NULL;
}

#define PARAMS(...) SCALEKIT_PARAMS(scalekit_connection_watch_params, __VA_ARGS__)

static void open_ledger(struct ledger *ledger,
                        const struct scalekit_connection_watch_params *params)
{
    ledger->fixture->inside = true;
    ledger->watch = scalekit_watch_connection(ledger->fixture->client, params, on_event, ledger);
    ledger->fixture->inside = false;
}

static void stop_ledger(struct ledger *ledger)
{
    ledger->fixture->inside = true;
    scalekit_connection_watch_stop(ledger->watch);
    ledger->fixture->inside = false;
}

/* What was told since this was asked before. */
static bool reads(struct ledger *ledger, const char *text)
{
    bool equal = text_is(ledger->text, text);

    if (!equal)
        printf("    \"%s\" instead of \"%s\"\n", ledger->text, text);
    ledger->text[0] = '\0';
    ledger->length = 0;
    return equal;
}

/* A town with so many accounts of gmail, all synced. */
static void open_synced(struct town *town, struct fixture *f, struct ledger *ledger, unsigned n)
{
    CU_ASSERT_FATAL(town_open(town, f, NULL));
    *ledger = (struct ledger){.fixture = f};
    for (unsigned i = 0; i < n; i++) {
        char name[TOWN_NAME];

        snprintf(name, sizeof name, "user_%u", i + 1);
        town_add(town, "gmail", name, "PENDING_AUTH");
    }
    open_ledger(ledger, PARAMS(.connection_name = "gmail"));
    virtual_until(f, &ledger->synced, MINUTE_MS);
    CU_ASSERT_EQUAL(ledger->n[SCALEKIT_CONNECTION_ADDED], n);
    ledger->text[0] = '\0';
    ledger->length = 0;
}

static void until_synced(struct ledger *ledger)
{
    ledger->synced = false;
    virtual_until(ledger->fixture, &ledger->synced, MOST_MS);
}

/* --- lists ------------------------------------------------------------------------------------- */

static void test_first_list(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    town_add(&town, "slack", "user_1", "ACTIVE");
    town_add(&town, "gmail", "user_2", "FROZEN");
    open_ledger(&ledger, PARAMS(.connection_name = "gmail", .organization_id = "org_1"));
    virtual_until(&f, &ledger.synced, MINUTE_MS);
    CU_ASSERT(reads(&ledger, "ca_1+PENDING_AUTH ca_3+UNKNOWN synced"));
    CU_ASSERT_EQUAL(town.lists, 1);
    CU_ASSERT(text_has(town.last_list, "page_size=99"));
    CU_ASSERT(text_has(town.last_list, "organization_id=org_1"));
    CU_ASSERT(text_has(town.last_list, "connection_names=gmail"));
    town_free(&town);
}

static void test_empty_connection(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 0);
    CU_ASSERT_EQUAL(scalekit_connection_watch_count(ledger.watch), 0);
    town_free(&town);
}

static void test_pages(void)
{
    static const struct {
        unsigned accounts, pages;
    } rows[] = {{98, 1}, {99, 1}, {100, 2}, {1000, 11}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct ledger ledger;

        open_synced(&town, &f, &ledger, rows[i].accounts);
        CU_ASSERT_EQUAL(town.lists, rows[i].pages);
        CU_ASSERT_EQUAL(scalekit_connection_watch_count(ledger.watch), rows[i].accounts);
        town_free(&town);
    }
}

static void test_next_lists(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 3);
    virtual_pass(&f, INTERVAL_MS * 4 / 5 - 1000);
    CU_ASSERT_EQUAL(town.lists, 1);
    town_set(&town, "gmail", "user_2", "ACTIVE");
    town_add(&town, "gmail", "user_4", "PENDING_AUTH");
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "ca_2:PENDING_AUTH>ACTIVE ca_4+PENDING_AUTH synced"));
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "synced"));
    CU_ASSERT_EQUAL(town.look_ups, 0);
    town_free(&town);
}

static void test_resync(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    open_ledger(&ledger, PARAMS(.connection_name = "gmail", .resync_ms = 10000));
    scalekit_connection_watch_resync(ledger.watch);
    virtual_pass(&f, 9000);
    CU_ASSERT_EQUAL(town.lists, 1);
    virtual_pass(&f, 2000);
    CU_ASSERT_EQUAL(town.lists, 2);
    scalekit_connection_watch_resync(ledger.watch);
    scalekit_connection_watch_resync(ledger.watch);
    virtual_pass(&f, 100);
    CU_ASSERT_EQUAL(town.lists, 3);
    town_free(&town);
}

static void resync_when_synced(struct ledger *ledger)
{
    if (ledger->synced)
        scalekit_connection_watch_resync(ledger->watch);
    ledger->synced = false;
}

static void test_resync_in_synced(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f, .act = resync_when_synced};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    open_ledger(&ledger, PARAMS(.connection_name = "gmail"));
    virtual_pass(&f, 990);
    CU_ASSERT_EQUAL(town.lists, 1);
    virtual_pass(&f, 99000);
    CU_ASSERT(town.lists >= 98 && town.lists <= 100);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_SYNCED], town.lists);
    town_free(&town);
}

/* However often the service gives the same page token. */
static void test_circle(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    town_add(&town, "gmail", "user_2", "PENDING_AUTH");
    town.loops = true;
    open_ledger(&ledger, PARAMS(.connection_name = "gmail"));
    virtual_until(&f, &ledger.synced, MINUTE_MS);
    CU_ASSERT_EQUAL(town.lists, 2);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_ADDED], 2);
    town_free(&town);
}

/* --- what is gone ------------------------------------------------------------------------------ */

static void test_removed(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 3);
    town_set(&town, "gmail", "user_2", NULL);
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "ca_2- synced"));
    CU_ASSERT_EQUAL(town.look_ups, 1);
    CU_ASSERT_EQUAL(scalekit_connection_watch_count(ledger.watch), 2);
    town_set(&town, "gmail", "user_2", "ACTIVE");
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "ca_2+ACTIVE synced"));
    town_free(&town);
}

/* The first account is deleted when the second page is asked for: the first of the second page has
 * moved to the first, which was read. */
static void delete_the_first(struct town *town)
{
    if (town->lists % 3 == 2)
        for (unsigned i = 0; i < town->n; i++)
            if (town->people[i].status) {
                town->people[i].status = NULL;
                return;
            }
}

static void test_shifting_pages(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 250);
    town.lists = 0;
    town.listing = delete_the_first;
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "synced")); /* ca_100 was not shown, but found */
    CU_ASSERT_EQUAL(town.look_ups, 1);
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "ca_1- synced"));
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "ca_2- synced"));
    town_free(&town);
}

/* More than are looked for: these must be missing twice. */
static void test_many_removed(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 1000);
    for (unsigned i = 0; i < 900; i++)
        town.people[i].status = NULL;
    until_synced(&ledger);
    CU_ASSERT_EQUAL(town.look_ups, 128);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_REMOVED], 128);
    until_synced(&ledger);
    CU_ASSERT_EQUAL(town.look_ups, 128);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_REMOVED], 900);
    CU_ASSERT_EQUAL(scalekit_connection_watch_count(ledger.watch), 100);
    town_free(&town);
}

/* --- what others see --------------------------------------------------------------------------- */

struct sight {
    const char *id, *connection_name, *connection_id;
    enum scalekit_account_status status;
    int64_t at_s; /* after now */
    const char *told;
};

static void show(struct fixture *f, const struct sight *sight, enum scalekit_watch_source source)
{
    struct scalekit_connected_account account = {
        .struct_size = sizeof account,
        .id = sight->id,
        .connection_name = sight->connection_name,
        .connection_id = sight->connection_id,
        .identifier = "user",
        .status = sight->status,
        .status_text = scalekit_account_status_name(sight->status),
        .updated_at = f->clock.wall_us + sight->at_s * 1000000,
    };
    struct ski_observation seen = {.source = source,
                                   .account = &account,
                                   .asked_ms = virtual_now(f),
                                   .at = account.updated_at};

    ski_engine_hear(ski_engine_of(f->client), &seen);
    virtual_settle(f);
}

static void test_sights(void)
{
    static const struct sight sights[] = {
        {"ca_1", "gmail", NULL, SCALEKIT_ACCOUNT_ACTIVE, 10, "ca_1:PENDING_AUTH>ACTIVE"},
        {"ca_1", "gmail", NULL, SCALEKIT_ACCOUNT_ACTIVE, 11, ""},
        {"ca_1", "gmail", NULL, SCALEKIT_ACCOUNT_EXPIRED, 9, ""},
        {"ca_1", "slack", NULL, SCALEKIT_ACCOUNT_EXPIRED, 12, ""},
        {"ca_1", NULL, "conn_1", SCALEKIT_ACCOUNT_EXPIRED, 12, ""},
        {"ca_7", "gmail", "conn_1", SCALEKIT_ACCOUNT_REVOKED, 0, "ca_7+REVOKED"},
        {"ca_1", NULL, "conn_2", SCALEKIT_ACCOUNT_EXPIRED, 12, ""},
        {"ca_1", NULL, "conn_1", SCALEKIT_ACCOUNT_EXPIRED, 12, "ca_1:ACTIVE>EXPIRED"},
        {NULL, "gmail", NULL, SCALEKIT_ACCOUNT_ACTIVE, 20, ""},
    };
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 2);
    for (size_t i = 0; i < COUNT(sights); i++) {
        show(&f, &sights[i], SCALEKIT_WATCH_SOURCE_FEED);
        ROW_IS(sights[i].told, reads(&ledger, sights[i].told));
    }
    town_free(&town);
}

/* A replica that lags behind is believed in the end: it was the clock of the event that was wrong. */
static void test_older_later(void)
{
    static const struct sight late = {"ca_1", "gmail", NULL, SCALEKIT_ACCOUNT_ACTIVE, 3600, NULL},
                              now = {"ca_1", "gmail", NULL, SCALEKIT_ACCOUNT_EXPIRED, 0, NULL};
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 1);
    show(&f, &late, SCALEKIT_WATCH_SOURCE_FEED);
    virtual_pass(&f, 1000);
    show(&f, &now, SCALEKIT_WATCH_SOURCE_LIST);
    CU_ASSERT(reads(&ledger, "ca_1:PENDING_AUTH>ACTIVE"));
    virtual_pass(&f, 30000);
    show(&f, &now, SCALEKIT_WATCH_SOURCE_LIST);
    CU_ASSERT(reads(&ledger, "ca_1:ACTIVE>EXPIRED"));
    town_free(&town);
}

static void test_narrowed(void)
{
    static const struct sight ours = {"ca_1", "gmail", NULL, SCALEKIT_ACCOUNT_ACTIVE, 10, NULL},
                              other = {"ca_9", "gmail", NULL, SCALEKIT_ACCOUNT_ACTIVE, 10, NULL};
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town_add(&town, "gmail", "user_1", "PENDING_AUTH");
    open_ledger(&ledger, PARAMS(.connection_name = "gmail", .user_id = "usr_1"));
    virtual_until(&f, &ledger.synced, MINUTE_MS);
    reads(&ledger, "ca_1+PENDING_AUTH synced");
    show(&f, &ours, SCALEKIT_WATCH_SOURCE_FEED);
    show(&f, &other, SCALEKIT_WATCH_SOURCE_FEED);
    CU_ASSERT(reads(&ledger, "ca_1:PENDING_AUTH>ACTIVE"));
    town_free(&town);
}

/* While the feed is trusted, lists are minutes apart. */
static void test_suspicions(void)
{
    static const struct {
        const char *connection;
        unsigned lists;
    } rows[] = {{"gmail", 2}, {"slack", 1}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scalekit_connected_account account = {
            .struct_size = sizeof account, .id = "ca_2", .connection_name = rows[i].connection};
        struct ski_observation seen = {.source = SCALEKIT_WATCH_SOURCE_FEED, .account = &account};
        struct fixture f;
        struct town town;
        struct ledger ledger;
        struct ski_engine *engine;

        open_synced(&town, &f, &ledger, 1);
        engine = ski_engine_of(f.client);
        engine->feed.trusted = true;
        engine->feed.trusted_ms = virtual_now(&f);
        ski_engine_trust(engine, true);
        town_add(&town, "gmail", "user_2", "PENDING_AUTH");
        ski_engine_suspect(engine, &seen);
        virtual_pass(&f, INTERVAL_MS + 1000);
        CU_ASSERT_EQUAL(town.lists, rows[i].lists);
        ROW_IS(rows[i].connection,
               reads(&ledger, rows[i].lists == 2 ? "ca_2+PENDING_AUTH synced" : ""));
        town_free(&town);
    }
}

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    (void)watch;
    (void)event;
    (void)user;
}

/* What a watch of one account looks for is not asked for again. */
static void test_looks_of_other_watches(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 3);
    scalekit_watch_account(
        f.client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail", .identifier = "user_2"),
        on_watch, NULL);
    town_set(&town, "gmail", "user_2", "ACTIVE");
    virtual_pass(&f, 5000);
    CU_ASSERT(reads(&ledger, "ca_2:PENDING_AUTH>ACTIVE"));
    town_free(&town);
}

/* --- failures ---------------------------------------------------------------------------------- */

static void test_outage(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 150);
    town.refusal = 500;
    virtual_pass(&f, INTERVAL_MS * 6 / 5 + 2000);
    CU_ASSERT(ledger.n[SCALEKIT_CONNECTION_FAILED] >= 1);
    CU_ASSERT_EQUAL(ledger.code, SCALEKIT_ERR_SERVER);
    ledger.n[SCALEKIT_CONNECTION_FAILED] = 0;
    virtual_pass(&f, 60 * MINUTE_MS);
    CU_ASSERT(ledger.n[SCALEKIT_CONNECTION_FAILED] >= 100); /* every 30 s */
    CU_ASSERT(ledger.n[SCALEKIT_CONNECTION_FAILED] <= 155);
    town.refusal = 0;
    ledger.synced = false;
    virtual_until(&f, &ledger.synced, MINUTE_MS);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_REMOVED], 0);
    CU_ASSERT_EQUAL(scalekit_connection_watch_count(ledger.watch), 150);
    town_free(&town);
}

static void fail_the_second(struct town *town)
{
    if (town->lists == 1)
        town->refusal = 503;
}

/* What was read is not read again. */
static void test_failure_between_pages(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    for (unsigned i = 0; i < 150; i++)
        town_add(&town, "gmail", "user", "ACTIVE");
    town.listing = fail_the_second;
    open_ledger(&ledger, PARAMS(.connection_name = "gmail"));
    virtual_pass(&f, 200);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_FAILED], 1);
    town.refusal = 0;
    town.lists = 1;
    virtual_until(&f, &ledger.synced, 2000);
    CU_ASSERT_EQUAL(town.lists, 2);
    CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_ADDED], 150);
    town_free(&town);
}

static void test_refusals(void)
{
    static const struct {
        int status;
        scalekit_err code;
    } rows[] = {{401, SCALEKIT_ERR_UNAUTHORIZED},
                {403, SCALEKIT_ERR_FORBIDDEN},
                {400, SCALEKIT_ERR_BAD_REQUEST}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct ledger ledger = {.fixture = &f};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        town.refusal = rows[i].status;
        open_ledger(&ledger, PARAMS(.connection_name = "gmail"));
        virtual_until(&f, &ledger.ended, MINUTE_MS);
        CU_ASSERT(reads(&ledger, "refused"));
        CU_ASSERT_EQUAL(ledger.code, rows[i].code);
        CU_ASSERT_EQUAL(f.client->loop.holds, 0);
        town_free(&town);
    }
}

static void test_wrong_arguments(void)
{
    static const char too_long[] = "org_45678901234567890123456789012";
    const struct {
        const struct scalekit_connection_watch_params *params;
        const char *parameter;
    } rows[] = {
        {NULL, "params"},
        {&(struct scalekit_connection_watch_params){.connection_name = "gmail"}, "struct_size"},
        {PARAMS(.user_id = "usr_1"), "connection_name"},
        {PARAMS(.connection_name = "g/mail"), "connection_name"},
        {PARAMS(.connection_name = "gmail", .organization_id = too_long), "organization_id"},
        {PARAMS(.connection_name = "gmail", .user_id = too_long), "user_id"},
        {PARAMS(.connection_name = "gmail", .resync_ms = 999), "resync_ms"},
        {PARAMS(.connection_name = "gmail", .resync_ms = 86400001), "resync_ms"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct ledger ledger = {.fixture = &f};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        open_ledger(&ledger, rows[i].params);
        CU_ASSERT_PTR_NOT_NULL(ledger.watch);
        scalekit_connection_watch_resync(ledger.watch);
        CU_ASSERT_EQUAL(ledger.finals, 0);
        virtual_settle(&f);
        ROW_IS(rows[i].parameter, reads(&ledger, "refused"));
        ROW_IS(rows[i].parameter, ledger.code == SCALEKIT_ERR_INVALID);
        ROW_IS(rows[i].parameter, text_is(ledger.parameter, rows[i].parameter));
        ROW_IS(rows[i].parameter, town.lists == 0);
        town_free(&town);
    }
}

/* --- the handle -------------------------------------------------------------------------------- */

static bool on_no_account(const struct scalekit_known_account *account, void *user)
{
    (void)account;
    (void)user;
    CU_FAIL("called back");
    return true;
}

static void test_not_accepted(void)
{
    const struct scalekit_connection_watch_params *params = PARAMS(.connection_name = "gmail");
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    CU_ASSERT_PTR_NULL(scalekit_watch_connection(NULL, params, on_event, NULL));
    CU_ASSERT_PTR_NULL(scalekit_watch_connection(f.client, params, NULL, NULL));
    CU_ASSERT_PTR_NULL(scalekit_connection_watch_ref(NULL));
    scalekit_connection_watch_unref(NULL);
    scalekit_connection_watch_stop(NULL);
    scalekit_connection_watch_resync(NULL);
    scalekit_connection_watch_each(NULL, on_no_account, NULL);
    CU_ASSERT_EQUAL(scalekit_connection_watch_count(NULL), 0);
    town_free(&town);
}

static void test_event_names(void)
{
    static const char *const names[] = {"added",  "changed", "removed", "synced",
                                        "failed", "refused", "stopped", "unknown"};

    for (unsigned kind = 0; kind < COUNT(names); kind++)
        ROW_IS(names[kind], text_is(scalekit_connection_event_name(kind), names[kind]));
}

struct walk {
    struct ledger *ledger;
    unsigned n, most;
    bool free_client;
};

static bool on_known(const struct scalekit_known_account *account, void *user)
{
    struct walk *walk = user;

    CU_ASSERT_EQUAL(account->struct_size, sizeof *account);
    CU_ASSERT(text_has(account->connected_account_id, "ca_"));
    CU_ASSERT(text_has(account->identifier, "user_"));
    CU_ASSERT_NOT_EQUAL(account->updated_at, 0);
    if (walk->free_client && walk->n == 0) {
        scalekit_client_free(walk->ledger->fixture->client);
        walk->ledger->fixture->client = NULL;
        CU_ASSERT_EQUAL(walk->ledger->finals, 0);
    }
    return ++walk->n < walk->most;
}

static void test_each(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;
    struct walk all = {&ledger, 0, 1000, false}, some = {&ledger, 0, 3, false},
                last = {&ledger, 0, 1000, true};

    open_synced(&town, &f, &ledger, 120);
    scalekit_connection_watch_each(ledger.watch, on_known, &all);
    CU_ASSERT_EQUAL(all.n, 120);
    scalekit_connection_watch_each(ledger.watch, on_known, &some);
    CU_ASSERT_EQUAL(some.n, 3);
    scalekit_connection_watch_each(ledger.watch, on_known, &last);
    CU_ASSERT_EQUAL(last.n, 120);
    CU_ASSERT(reads(&ledger, "stopped"));
    town_free(&town);
}

static void test_stop(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 3);
    stop_ledger(&ledger);
    stop_ledger(&ledger);
    CU_ASSERT_EQUAL(ledger.finals, 0);
    virtual_settle(&f);
    CU_ASSERT(reads(&ledger, "stopped"));
    CU_ASSERT_EQUAL(f.client->loop.holds, 0);
    virtual_pass(&f, 5 * INTERVAL_MS);
    CU_ASSERT_EQUAL(town.lists, 1);
    town_free(&town);
}

static void test_reference_outlives_the_client(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;
    scalekit_connection_watch *watch;

    open_synced(&town, &f, &ledger, 3);
    watch = scalekit_connection_watch_ref(ledger.watch);
    fixture_free_client(&f);
    CU_ASSERT(reads(&ledger, "stopped"));
    CU_ASSERT_EQUAL(scalekit_connection_watch_count(watch), 0);
    scalekit_connection_watch_each(watch, on_no_account, NULL);
    scalekit_connection_watch_stop(watch);
    scalekit_connection_watch_resync(watch);
    scalekit_connection_watch_unref(watch);
    town_free(&town);
}

/* --- anything inside --------------------------------------------------------------------------- */

static void free_the_client(struct ledger *ledger)
{
    scalekit_client *client = ledger->fixture->client;

    ledger->fixture->client = NULL;
    ledger->fixture->inside = true;
    scalekit_client_free(client);
    ledger->fixture->inside = false;
}

static void stop_all(struct ledger *ledger)
{
    for (struct ledger **other = ledger->all; *other; other++)
        stop_ledger(*other);
}

static void start_another(struct ledger *ledger)
{
    for (struct ledger **other = ledger->all; *other; other++)
        if (!(*other)->watch && !(*other)->ended) {
            open_ledger(*other, PARAMS(.connection_name = "gmail"));
            return;
        }
}

static void refer(struct ledger *ledger)
{
    scalekit_connection_watch_unref(scalekit_connection_watch_ref(ledger->watch));
}

static void test_anything_inside(void)
{
    static void (*const acts[])(struct ledger * ledger) = {free_the_client, stop_all, start_another,
                                                           refer};

    for (size_t i = 0; i < COUNT(acts); i++) {
        struct fixture f;
        struct town town;
        struct ledger ledgers[5], *all[] = {ledgers, ledgers + 1, ledgers + 2, ledgers + 3, NULL};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        for (unsigned n = 0; n < 120; n++)
            town_add(&town, "gmail", "user", "ACTIVE");
        for (size_t n = 0; n < COUNT(ledgers); n++)
            ledgers[n] = (struct ledger){.fixture = &f, .act = acts[i], .all = all};
        open_ledger(&ledgers[0], PARAMS(.connection_name = "gmail"));
        open_ledger(&ledgers[1], PARAMS(.connection_name = "gmail"));
        virtual_pass(&f, 5000);
        if (f.client) {
            town.people[7].status = NULL;
            town.people[8].status = "EXPIRED";
        }
        virtual_pass(&f, f.client ? 2 * MOST_MS : 0);
        town_free(&town);
        CU_ASSERT_EQUAL(ledgers[0].finals, 1);
        CU_ASSERT_EQUAL(ledgers[1].finals, 1);
        for (size_t n = 2; n < COUNT(ledgers); n++)
            CU_ASSERT_EQUAL(ledgers[n].finals, ledgers[n].length ? 1 : 0);
    }
}

/* --- many, and without memory ------------------------------------------------------------------ */

static void test_many(void)
{
    struct fixture f;
    struct town town;
    struct ledger ledger;

    open_synced(&town, &f, &ledger, 10000);
    CU_ASSERT_EQUAL(town.lists, 102);
    town_set(&town, "gmail", "user_9999", "ACTIVE");
    until_synced(&ledger);
    CU_ASSERT(reads(&ledger, "ca_9999:PENDING_AUTH>ACTIVE synced"));
    CU_ASSERT_EQUAL(town.look_ups, 0);
    town_free(&town);
}

static bool sync_with(struct test_memory *memory, void *user)
{
    const struct scalekit_connection_watch_params *params = user;
    struct fixture f;
    struct town town;
    struct ledger ledger = {.fixture = &f};
    bool through = false;

    if (town_open(&town, &f, memory)) {
        for (unsigned i = 0; i < 105; i++)
            town_add(&town, "gmail", "user", "ACTIVE");
        open_ledger(&ledger, params);
        if (ledger.watch) {
            virtual_pass(&f, MINUTE_MS);
            if (!ledger.ended) {
                CU_ASSERT(ledger.synced);
                town.people[3].status = NULL;
                town.people[4].status = "EXPIRED";
                town.people[4].updated_at = f.clock.wall_us;
                virtual_pass(&f, 3 * MOST_MS);
                CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_ADDED], 105);
                CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_CHANGED], 1);
                CU_ASSERT_EQUAL(ledger.n[SCALEKIT_CONNECTION_REMOVED], 1);
            }
            through = memory->count < memory->fail_at;
        }
    }
    town_free(&town);
    CU_ASSERT_EQUAL(ledger.finals, ledger.length ? 1 : 0);
    return through;
}

static void test_every_allocation_of_it(void)
{
    struct scalekit_connection_watch_params params =
        *PARAMS(.connection_name = "gmail", .organization_id = "org_1", .user_id = "usr_1");
    struct scalekit_connection_watch_params wrong = *PARAMS(.connection_name = "g/mail");

    CU_ASSERT(test_every_allocation(sync_with, &params) > 100);
    CU_ASSERT(test_every_allocation(sync_with, &wrong) > 10);
}

SUITE(watch_connection,
      {"the first list tells every account, then that it is complete", test_first_list},
      {"a connection may be empty", test_empty_connection},
      {"every page is read, once", test_pages},
      {"later lists tell what is different", test_next_lists},
      {"the pause is the one given, and a list may be asked for", test_resync},
      {"asked for with every list, they are a second apart", test_resync_in_synced},
      {"a list that leads round in a circle ends", test_circle},
      {"what is gone is removed when a look does not find it", test_removed},
      {"what a shifting page has hidden is not removed", test_shifting_pages},
      {"what is missing twice needs no look", test_many_removed},
      {"what any source sees is told, unless it is older or elsewhere", test_sights},
      {"what is older is believed in the end", test_older_later},
      {"what others see adds nothing where the watch is narrowed", test_narrowed},
      {"an event that does not say enough brings a list", test_suspicions},
      {"the looks of other watches are listened to", test_looks_of_other_watches},
      {"an outage is told and waited out, and removes nothing", test_outage},
      {"a page that failed is asked for again, by itself", test_failure_between_pages},
      {"refusals for good end it", test_refusals},
      {"wrong arguments are refused by name, from the loop", test_wrong_arguments},
      {"what cannot be accepted is NULL", test_not_accepted},
      {"every event has a name", test_event_names}, {"what is known can be walked", test_each},
      {"stop is told once, from the loop", test_stop},
      {"a reference outlives the client", test_reference_outlives_the_client},
      {"anything is legal in a callback", test_anything_inside},
      {"ten thousand are listed and kept", test_many},
      {"any allocation may fail", test_every_allocation_of_it})
