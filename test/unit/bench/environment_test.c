#include "bench/environment.h"
#include "core/client.h"
#include "harness.h"
#include <event2/event.h>
#include <scalekit/scalekit.h>

#define CONNECTIONS 3
#define ACCOUNTS    50
#define PENDING     60
#define LATENCY_MS  100
#define LAG_MS      1000

/* A client of an environment, and what the latest request brought. */
struct town {
    struct bench_time time;
    struct bench_environment *environment;
    struct event_base *base;
    scalekit_client *client;
    unsigned sent;

    bool done;
    scalekit_request *request;
    const struct scalekit_connected_account *account;
    const struct scalekit_connected_account_page *page;
    const struct scalekit_event_page *events;
    const struct scalekit_error *error;
};

static void on_sent(void *town)
{
    ((struct town *)town)->sent++;
}

static void town_init(struct town *t, bool feed)
{
    memset(t, 0, sizeof *t);
    bench_time_init(&t->time, 1);
    t->environment =
        bench_environment_new(&(struct bench_environment_config){.connections = CONNECTIONS,
                                                                 .accounts = ACCOUNTS,
                                                                 .pending = PENDING,
                                                                 .feed = feed,
                                                                 .latency_ms = LATENCY_MS,
                                                                 .feed_lag_ms = LAG_MS,
                                                                 .seed = 1},
                              &t->time, on_sent, t);
    t->base = event_base_new();
    CU_ASSERT_EQUAL_FATAL(
        scalekit_client_new(&t->client, t->base,
                            SCALEKIT_PARAMS(scalekit_config, .env_url = "http://127.0.0.1",
                                            .client_id = "skc_1", .client_secret = "secret",
                                            .max_retries = -1, .clock = &t->time.clock),
                            NULL),
        SCALEKIT_OK);
    ski_pool_use(t->client->pool, bench_environment_carrier(t->environment));
}

static void town_free(struct town *t)
{
    scalekit_request_unref(t->request);
    scalekit_client_free(t->client);
    bench_environment_free(t->environment);
    event_base_free(t->base);
}

static void take(struct town *t, scalekit_request *request)
{
    t->done = true;
    t->request = scalekit_request_ref(request);
    t->error = scalekit_request_error(request);
}

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *town)
{
    ((struct town *)town)->account = account;
    take(town, request);
}

static void on_page(scalekit_request *request, const struct scalekit_connected_account_page *page,
                    void *town)
{
    ((struct town *)town)->page = page;
    take(town, request);
}

static void on_events(scalekit_request *request, const struct scalekit_event_page *page, void *town)
{
    ((struct town *)town)->events = page;
    take(town, request);
}

static void pass(struct town *t, int64_t milliseconds)
{
    int64_t end = bench_time_ms(&t->time) + milliseconds, next;

    bench_time_settle(&t->time, t->base, t->client);
    while ((next = bench_environment_next_ms(t->environment)) <= end) {
        t->time.now_us = next * 1000;
        bench_environment_run(t->environment);
        bench_time_settle(&t->time, t->base, t->client);
    }
    t->time.now_us = end * 1000;
    bench_time_settle(&t->time, t->base, t->client);
}

/* Before a request; what the one before brought is gone. */
static void ask(struct town *t)
{
    scalekit_request_unref(t->request);
    t->request = NULL;
    t->done = false;
}

static void wait_for_answer(struct town *t)
{
    pass(t, 2 * LATENCY_MS); /* the first one signs in as well */
    CU_ASSERT_FATAL(t->done);
}

static void look_up(struct town *t, const char *id, const char *connection, const char *identifier)
{
    ask(t);
    scalekit_get_connected_account_details(
        t->client,
        SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = id,
                        .connection_name = connection, .identifier = identifier),
        on_account, t);
    wait_for_answer(t);
}

static void list(struct town *t, const struct scalekit_list_connected_accounts_params *params)
{
    ask(t);
    scalekit_list_connected_accounts(t->client, params, on_page, t);
    wait_for_answer(t);
}

#define LIST(t, ...) list(t, SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, __VA_ARGS__))

static void read_feed(struct town *t, const struct scalekit_list_events_params *params)
{
    ask(t);
    scalekit_list_events_paginated(t->client, params, on_events, t);
    wait_for_answer(t);
}

#define READ_FEED(t, ...) read_feed(t, SCALEKIT_PARAMS(scalekit_list_events_params, __VA_ARGS__))

/* --- accounts ---------------------------------------------------------------------------------- */

static void shows_an_account_by_its_names(void)
{
    char connection[BENCH_NAME], identifier[BENCH_NAME];
    struct town t;

    town_init(&t, false);
    for (unsigned account = 0; account < CONNECTIONS * ACCOUNTS; account++) {
        char id[BENCH_NAME];

        bench_environment_connection(connection, t.environment, account);
        bench_environment_identifier(identifier, t.environment, account);
        look_up(&t, NULL, connection, identifier);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t.account);
        CU_ASSERT_STRING_EQUAL(t.account->connection_name, connection);
        CU_ASSERT_STRING_EQUAL(t.account->identifier, identifier);
        CU_ASSERT_EQUAL(t.account->status, account < PENDING ? SCALEKIT_ACCOUNT_PENDING_AUTH
                                                             : SCALEKIT_ACCOUNT_ACTIVE);
        snprintf(id, sizeof id, "%s", t.account->id);
        look_up(&t, id, NULL, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t.account);
        CU_ASSERT_STRING_EQUAL(t.account->id, id);
        CU_ASSERT_STRING_EQUAL(t.account->identifier, identifier);
    }
    CU_ASSERT_PTR_NULL(bench_environment_fault(t.environment));
    town_free(&t);
}

static void an_account_changes_with_its_user(void)
{
    struct town t;

    town_init(&t, false);
    bench_environment_link(t.environment, 4);
    look_up(&t, NULL, "connection_1", "user_1");
    CU_ASSERT_EQUAL(t.account->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
    CU_ASSERT(t.account->updated_at < BENCH_WALL_US);
    bench_environment_consent(t.environment, 4);
    look_up(&t, NULL, "connection_1", "user_1");
    CU_ASSERT_EQUAL(t.account->status, SCALEKIT_ACCOUNT_ACTIVE);
    CU_ASSERT_EQUAL(t.account->updated_at, BENCH_WALL_US + 2 * LATENCY_MS * 1000);
    look_up(&t, NULL, "connection_0", "user_1"); /* the same person's */
    CU_ASSERT_EQUAL(t.account->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
    town_free(&t);
}

/* Half of the latency passes before it is seen, half after. */
static void a_request_sees_what_is_when_it_arrives(void)
{
    struct town t;

    town_init(&t, false);
    look_up(&t, NULL, "connection_2", "user_40"); /* signs in */
    for (int late = 0; late < 2; late++) {
        char identifier[BENCH_NAME];

        snprintf(identifier, sizeof identifier, "user_%d", late);
        ask(&t);
        scalekit_get_connected_account_details(t.client,
                                               SCALEKIT_PARAMS(scalekit_account_key,
                                                               .connection_name = "connection_0",
                                                               .identifier = identifier),
                                               on_account, &t);
        pass(&t, LATENCY_MS / 2 - 1 + late);
        bench_environment_consent(t.environment, (unsigned)late * CONNECTIONS);
        pass(&t, LATENCY_MS / 2 - late);
        CU_ASSERT_FALSE(t.done);
        pass(&t, 1);
        CU_ASSERT_FATAL(t.done);
        CU_ASSERT_EQUAL(t.account->status,
                        late ? SCALEKIT_ACCOUNT_PENDING_AUTH : SCALEKIT_ACCOUNT_ACTIVE);
    }
    town_free(&t);
}

/* --- lists ------------------------------------------------------------------------------------- */

static const char *const two[] = {"connection_0", "connection_2"};

/* Walks all pages; each account comes once. */
static unsigned walk(struct town *t, const char *const *names, size_t n_names, int64_t page_size)
{
    bool seen[CONNECTIONS * ACCOUNTS] = {false};
    char token[BENCH_NAME] = "";
    unsigned pages = 0, n = 0;
    int64_t total;

    do {
        LIST(t, .connection_names = names, .n_connection_names = n_names, .page_size = page_size,
             .page_token = *token ? token : NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t->page);
        CU_ASSERT_FATAL(++pages < 100);
        for (size_t i = 0; i < t->page->n_accounts; i++) {
            unsigned account = CONNECTIONS * ACCOUNTS;

            sscanf(t->page->accounts[i]->id, "ca_%u", &account);
            CU_ASSERT_FATAL(account < CONNECTIONS * ACCOUNTS);
            CU_ASSERT_FALSE(seen[account]);
            seen[account] = true;
            n++;
        }
        total = t->page->total_size;
        snprintf(token, sizeof token, "%s",
                 t->page->next_page_token ? t->page->next_page_token : "");
        CU_ASSERT(t->page->n_accounts == (size_t)page_size || !*token);
    } while (*token);
    CU_ASSERT_EQUAL(n, total);
    CU_ASSERT_EQUAL(n, (n_names ? n_names : CONNECTIONS) * ACCOUNTS);
    for (unsigned account = 0; account < CONNECTIONS * ACCOUNTS; account++)
        CU_ASSERT_EQUAL(seen[account], n_names == 0 || account % CONNECTIONS != 1);
    return pages;
}

static void lists_everything_once(void)
{
    struct town t;

    town_init(&t, false);
    CU_ASSERT_EQUAL(walk(&t, NULL, 0, 99), 2);
    CU_ASSERT_EQUAL(walk(&t, NULL, 0, 50), 3); /* no empty page at the end */
    CU_ASSERT_EQUAL(walk(&t, two, 2, 99), 2);
    CU_ASSERT_EQUAL(walk(&t, two, 2, 7), 15);
    CU_ASSERT_PTR_NULL(bench_environment_fault(t.environment));
    town_free(&t);
}

static void lists_those_of_one_user(void)
{
    struct town t;

    town_init(&t, false);
    LIST(&t, .identifier = "user_7");
    CU_ASSERT_EQUAL(t.page->total_size, CONNECTIONS);
    CU_ASSERT_EQUAL_FATAL(t.page->n_accounts, CONNECTIONS);
    for (size_t i = 0; i < CONNECTIONS; i++)
        CU_ASSERT_STRING_EQUAL(t.page->accounts[i]->identifier, "user_7");
    CU_ASSERT_PTR_NULL(t.page->next_page_token);
    LIST(&t, .identifier = "user_7", .connection_names = two, .n_connection_names = 2);
    CU_ASSERT_EQUAL(t.page->n_accounts, 2);
    LIST(&t, .connection_name = "connection_1");
    CU_ASSERT_EQUAL(t.page->n_accounts, 10); /* the service's usual page */
    CU_ASSERT_EQUAL(t.page->total_size, ACCOUNTS);
    town_free(&t);
}

/* --- the feed ---------------------------------------------------------------------------------- */

static const char *const status_updated[] = {"connected_account.status_updated"};

static void the_feed_shows_what_happened(void)
{
    struct town t;

    town_init(&t, true);
    bench_environment_link(t.environment, 5);
    pass(&t, 10000);
    bench_environment_consent(t.environment, 5);
    READ_FEED(&t, .start_time = BENCH_WALL_US);
    CU_ASSERT_EQUAL_FATAL(t.events->n_events, 1); /* the lag */
    CU_ASSERT_STRING_EQUAL(t.events->events[0]->type, "connected_account.magic_link_generated");
    pass(&t, LAG_MS);
    READ_FEED(&t, .start_time = BENCH_WALL_US);
    CU_ASSERT_EQUAL_FATAL(t.events->n_events, 3); /* newest first */
    CU_ASSERT_STRING_EQUAL(t.events->events[0]->type, "connected_account.status_updated");
    CU_ASSERT_STRING_EQUAL(t.events->events[1]->type, "connected_account.oauth_succeeded");
    CU_ASSERT_EQUAL(t.events->events[0]->occurred_at, BENCH_WALL_US + 10000000);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.events->events[0]->data, "\"status\":\"ACTIVE\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(t.events->events[0]->data, "\"identifier\":\"user_1\""));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(t.events->events[0]->data, "\"connection_name\":\"connection_2\""));
    READ_FEED(&t, .start_time = BENCH_WALL_US + 1);
    CU_ASSERT_EQUAL(t.events->n_events, 2);
    READ_FEED(&t, .end_time = BENCH_WALL_US + 1);
    CU_ASSERT_EQUAL(t.events->n_events, 1);
    READ_FEED(&t, .event_types = status_updated, .n_event_types = 1);
    CU_ASSERT_EQUAL(t.events->n_events, 1);
    town_free(&t);
}

static void the_feed_knows_no_other_filter(void)
{
    struct town t;

    town_init(&t, true);
    READ_FEED(&t, .connection_id = "conn_1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(t.error);
    CU_ASSERT_EQUAL(t.error->code, SCALEKIT_ERR_BAD_REQUEST);
    CU_ASSERT_PTR_NOT_NULL(bench_environment_fault(t.environment));
    town_free(&t);
}

static void the_feed_comes_in_pages(void)
{
    char token[BENCH_NAME] = "";
    unsigned n = 0, pages = 0;
    struct town t;

    town_init(&t, true);
    for (unsigned i = 0; i < 25; i++) {
        bench_environment_link(t.environment, i);
        bench_environment_consent(t.environment, i);
    }
    pass(&t, LAG_MS);
    do {
        READ_FEED(&t, .event_types = status_updated, .n_event_types = 1, .page_size = 5,
                  .page_token = *token ? token : NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t.events);
        for (size_t i = 0; i < t.events->n_events; i++, n++) {
            char id[BENCH_NAME];

            snprintf(id, sizeof id, "\"ca_%u\"", 24 - n);
            CU_ASSERT_PTR_NOT_NULL(strstr(t.events->events[i]->data, id));
        }
        bench_environment_consent(t.environment, 0); /* what comes meanwhile is no matter */
        snprintf(token, sizeof token, "%s",
                 t.events->next_page_token ? t.events->next_page_token : "");
    } while (++pages < 10 && *token);
    CU_ASSERT_EQUAL(pages, 5);
    CU_ASSERT_EQUAL(n, 25);
    CU_ASSERT_PTR_NULL(bench_environment_fault(t.environment));
    town_free(&t);
}

static void there_may_be_no_feed(void)
{
    struct town t;

    town_init(&t, false);
    READ_FEED(&t, .page_size = 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t.error);
    CU_ASSERT_EQUAL(t.error->http_status, 501);
    CU_ASSERT_PTR_NULL(bench_environment_fault(t.environment)); /* asking is allowed */
    town_free(&t);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void counts_what_is_sent(void)
{
    struct town t;

    town_init(&t, true);
    look_up(&t, NULL, "connection_0", "user_0");
    look_up(&t, "ca_1", NULL, NULL);
    LIST(&t, .page_size = 1);
    READ_FEED(&t, .page_size = 1);
    CU_ASSERT_EQUAL(bench_environment_count(t.environment, BENCH_SIGN_INS), 1);
    CU_ASSERT_EQUAL(bench_environment_count(t.environment, BENCH_LOOK_UPS), 2);
    CU_ASSERT_EQUAL(bench_environment_count(t.environment, BENCH_LISTS), 1);
    CU_ASSERT_EQUAL(bench_environment_count(t.environment, BENCH_FEED_READS), 1);
    CU_ASSERT_EQUAL(t.sent, 5);
    town_free(&t);
}

static void on_done(scalekit_request *request, bool done, void *town)
{
    (void)done;
    take(town, request);
}

static void remembers_what_does_not_exist(void)
{
    struct town t;

    town_init(&t, false);
    look_up(&t, NULL, "connection_9", "user_0");
    CU_ASSERT_EQUAL(t.error->code, SCALEKIT_ERR_NOT_FOUND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench_environment_fault(t.environment));
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_environment_fault(t.environment), "connection_9"));
    ask(&t);
    scalekit_delete_connected_account(
        t.client, SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = "ca_1"), on_done,
        &t);
    wait_for_answer(&t);
    CU_ASSERT_EQUAL(bench_environment_count(t.environment, BENCH_OTHERS), 1);
    LIST(&t, .query = "user");
    CU_ASSERT_EQUAL(t.error->code, SCALEKIT_ERR_BAD_REQUEST);
    CU_ASSERT_PTR_NOT_NULL(strstr(bench_environment_fault(t.environment), "connection_9"));
    town_free(&t);
}

/* Those cancelled on the way there, on the way back, and not at all. */
static void takes_requests_back(void)
{
    struct scalekit_list_connected_accounts_params one = {.struct_size = sizeof one,
                                                          .page_size = 1};
    scalekit_request *requests[3];
    struct town t;

    town_init(&t, false);
    look_up(&t, NULL, "connection_0", "user_0");
    ask(&t);
    for (int i = 0; i < 3; i++)
        requests[i] = scalekit_list_connected_accounts(t.client, &one, on_page, &t);
    for (int i = 0; i < 2; i++) {
        pass(&t, 25 + i * 40);
        CU_ASSERT_FALSE(t.done);
        scalekit_request_cancel(requests[i]);
        pass(&t, 0);
        CU_ASSERT(t.done);
        CU_ASSERT_EQUAL(t.error->code, SCALEKIT_ERR_CANCELED);
        ask(&t);
    }
    pass(&t, LATENCY_MS);
    CU_ASSERT(t.done);
    CU_ASSERT_PTR_NULL(t.error);
    CU_ASSERT_EQUAL(bench_environment_next_ms(t.environment), INT64_MAX);
    town_free(&t);
}

SUITE(bench_environment,
      {"shows an account by its names, and by its id", shows_an_account_by_its_names},
      {"an account changes with its user", an_account_changes_with_its_user},
      {"a request sees what is when it arrives", a_request_sees_what_is_when_it_arrives},
      {"lists everything once, page by page", lists_everything_once},
      {"lists those of one user, and of one connection", lists_those_of_one_user},
      {"the feed shows what happened, a little later", the_feed_shows_what_happened},
      {"the feed comes in pages", the_feed_comes_in_pages},
      {"the feed knows no other filter", the_feed_knows_no_other_filter},
      {"there may be no feed", there_may_be_no_feed}, {"counts what is sent", counts_what_is_sent},
      {"remembers what was asked for in vain", remembers_what_does_not_exist},
      {"takes requests back", takes_requests_back})
