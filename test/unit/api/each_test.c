/* Lists from their first page to their last. */
#include "api/each.h"
#include "core/client.h"
#include "wire.h"
#include <stdlib.h>

/* --- what the application does ---------------------------------------------------------------- */

enum whim { TAKE, STOP, CANCEL, FREE, CANCEL_AND_STOP };

/* What was told, "p2 a b | p0" and so on, and what to do at the n-th telling. */
struct walk {
    struct fixture *f;
    struct call *call;
    char told[512];
    unsigned tellings, at;
    enum whim whim;
    int64_t total; /* as scalekit_each_total_size() had it last */
    int attempts, http_status;
};

static bool telling(struct walk *walk, scalekit_request *request, const char *text)
{
    size_t used = strlen(walk->told);

    CU_ASSERT_PTR_EQUAL(request, walk->call->request);
    CU_ASSERT_FALSE(walk->call->done);
    snprintf(walk->told + used, sizeof walk->told - used, "%s%s", used ? " " : "", text);
    walk->total = scalekit_each_total_size(request);
    walk->attempts = scalekit_request_attempts(request);
    walk->http_status = scalekit_request_http_status(request);
    if (++walk->tellings != walk->at)
        return true;
    if (walk->whim == CANCEL || walk->whim == CANCEL_AND_STOP)
        scalekit_request_cancel(request);
    if (walk->whim == FREE)
        fixture_free_client(walk->f);
    return walk->whim != STOP && walk->whim != CANCEL_AND_STOP;
}

static bool on_page(scalekit_request *request, const struct scalekit_connected_account_page *page,
                    void *user)
{
    char text[32];

    snprintf(text, sizeof text, "p%zu", page->n_accounts);
    return telling(user, request, text);
}

static bool on_item(scalekit_request *request, const struct scalekit_connected_account *account,
                    void *user)
{
    return telling(user, request, account->id);
}

/* The walk is the calls' user: here completion finds its call through it. */
static void on_done(scalekit_request *request, bool done, void *user)
{
    struct walk *walk = user;

    call_on_done(request, done, walk->call);
}

static void walk_start(struct walk *walk, struct fixture *f, bool pages, bool items,
                       const struct scalekit_list_connected_accounts_params *params)
{
    walk->f = f;
    walk->call = call_new(f);
    call_began(walk->call,
               scalekit_each_connected_account(f->client, params, pages ? on_page : NULL,
                                               items ? on_item : NULL, on_done, walk));
}

static struct service_answer page_of(const char *body)
{
    return (struct service_answer){.status = 200, .body = body};
}

#define PAGE(items, next)                                                                          \
    "{\"connected_accounts\":[" items "],\"total_size\":3,\"next_page_token\":\"" next "\"}"
#define ITEM(id) "{\"id\":\"" id "\"}"

/* Three accounts on three pages, one of them empty. */
static void script_pages(struct fixture *f)
{
    service_once(f->service, LIST, page_of(PAGE(ITEM("a") "," ITEM("b"), "t/1=")));
    service_once(f->service, LIST, page_of(PAGE("", "t2")));
    service_always(f->service, LIST, page_of(PAGE(ITEM("c"), "")));
}

/* --- the walk --------------------------------------------------------------------------------- */

static const struct walk_row {
    const char *name;
    bool pages, items;
    unsigned at; /* 0: never */
    enum whim whim;
    const char *told;
    unsigned requests;
    scalekit_err code;
} walk_rows[] = {
    {"pages", true, false, 0, TAKE, "p2 p0 p1", 3, SCALEKIT_OK},
    {"items", false, true, 0, TAKE, "a b c", 3, SCALEKIT_OK},
    {"both", true, true, 0, TAKE, "p2 a b p0 p1 c", 3, SCALEKIT_OK},
    {"stopped at a page", true, true, 1, STOP, "p2", 1, SCALEKIT_OK},
    {"stopped at an item", true, true, 2, STOP, "p2 a", 1, SCALEKIT_OK},
    {"stopped at the last item of a page", true, true, 3, STOP, "p2 a b", 1, SCALEKIT_OK},
    {"stopped at the empty page", true, true, 4, STOP, "p2 a b p0", 2, SCALEKIT_OK},
    {"stopped at the last", true, true, 6, STOP, "p2 a b p0 p1 c", 3, SCALEKIT_OK},
    {"cancelled at a page", true, true, 1, CANCEL, "p2", 1, SCALEKIT_ERR_CANCELED},
    {"cancelled at an item", true, true, 2, CANCEL, "p2 a", 1, SCALEKIT_ERR_CANCELED},
    {"cancelled at the last item of a page", false, true, 2, CANCEL, "a b", 1,
     SCALEKIT_ERR_CANCELED},
    {"cancelled at the last", false, true, 3, CANCEL, "a b c", 3, SCALEKIT_ERR_CANCELED},
    {"cancelled and stopped", true, true, 2, CANCEL_AND_STOP, "p2 a", 1, SCALEKIT_ERR_CANCELED},
    {"freed at a page", true, true, 1, FREE, "p2", 1, SCALEKIT_ERR_CLOSED},
    {"freed at an item", true, true, 2, FREE, "p2 a", 1, SCALEKIT_ERR_CLOSED},
    {"freed at the last", false, true, 3, FREE, "a b c", 3, SCALEKIT_ERR_CLOSED},
};

static void check_walk(const struct walk_row *row)
{
    struct walk walk = {.at = row->at, .whim = row->whim};
    struct fixture f;

    fixture_open(&f);
    script_pages(&f);
    walk_start(&walk, &f, row->pages, row->items, NULL);
    call_wait(walk.call);
    ROW_IS(row->name, walk.call->code == row->code);
    ROW_IS(row->name, text_is(walk.told, row->told));
    ROW_IS(row->name, service_count(f.service, LIST) == row->requests);
    ROW_IS(row->name, walk.call->attempts == (int)row->requests);
    ROW_IS(row->name, walk.attempts == (int)row->requests && walk.http_status == 200);
    ROW_IS(row->name, walk.total == 3);
    ROW_IS(row->name, scalekit_each_total_size(walk.call->request) == (row->code ? -1 : 3));
    ROW_IS(row->name,
           text_is(scalekit_request_operation(walk.call->request), "each_connected_account"));
    fixture_turn(&f);
    fixture_free(&f);
}

static void test_walk(void)
{
    for (size_t i = 0; i < COUNT(walk_rows); i++)
        check_walk(&walk_rows[i]);
}

/* The next page is asked for as the first one was, but for its token; what the caller had is gone
 * by then. */
static void test_parameters(void)
{
    static const char *const targets[] = {
        "/api/v1/connected_accounts?connection_names=gmail&connection_names=slack&identifier=u"
        "&page_size=2&page_token=t0",
        "/api/v1/connected_accounts?connection_names=gmail&connection_names=slack&identifier=u"
        "&page_size=2&page_token=t%2F1%3D",
        "/api/v1/connected_accounts?connection_names=gmail&connection_names=slack&identifier=u"
        "&page_size=2&page_token=t2",
    };
    char gmail[] = "gmail", slack[] = "slack", user[] = "u", token[] = "t0";
    const char *names[] = {gmail, slack};
    struct walk walk = {0};
    struct fixture f;

    fixture_open(&f);
    script_pages(&f);
    walk_start(&walk, &f, true, false,
               SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, .connection_names = names,
                               .n_connection_names = 2, .identifier = user, .page_size = 2,
                               .page_token = token));
    names[0] = names[1] = NULL;
    gmail[0] = slack[0] = user[0] = token[0] = '!';
    call_wait(walk.call);
    CU_ASSERT_EQUAL(walk.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL_FATAL(service_count(f.service, LIST), COUNT(targets));
    for (unsigned i = 0; i < COUNT(targets); i++)
        CU_ASSERT_STRING_EQUAL(service_request(f.service, LIST, i)->target, targets[i]);
    fixture_free(&f);
}

/* Nothing is asked for while a page is being told. */
static unsigned seen_requests;

static bool count_requests(scalekit_request *request,
                           const struct scalekit_connected_account_page *page, void *user)
{
    struct walk *walk = user;

    (void)request;
    (void)page;
    CU_ASSERT_EQUAL(service_count(walk->f->service, LIST), ++seen_requests);
    CU_ASSERT_EQUAL(walk->f->client->pending.next, walk->f->client->pending.prev); /* the walk */
    return true;
}

static void test_one_at_a_time(void)
{
    struct walk walk = {0};
    struct fixture f;

    fixture_open(&f);
    script_pages(&f);
    seen_requests = 0;
    walk.f = &f;
    walk.call = call_new(&f);
    call_began(walk.call, scalekit_each_connected_account(f.client, NULL, count_requests, NULL,
                                                          on_done, &walk));
    call_wait(walk.call);
    CU_ASSERT_EQUAL(seen_requests, 3);
    fixture_free(&f);
}

/* --- circles and other endless things --------------------------------------------------------- */

#define TEN "0123456789"

static const struct circle_row {
    const char *name;
    const char *start;    /* page_token of the caller; NULL */
    const char *pages[4]; /* what next_page_token says */
    unsigned requests;
    scalekit_err code;
} circle_rows[] = {
    {"the same token again", NULL, {"x", "x"}, 2, SCALEKIT_ERR_PROTOCOL},
    {"the token before", NULL, {"x", "y", "x"}, 3, SCALEKIT_ERR_PROTOCOL},
    {"the one that the caller began with", "x", {"y", "x"}, 2, SCALEKIT_ERR_PROTOCOL},
    {"that one at once", "x", {"x"}, 1, SCALEKIT_ERR_PROTOCOL},
    {"tokens that begin alike", NULL, {"x", "xx", "xxx", ""}, 4, SCALEKIT_OK},
    {"a token that is too long",
     NULL,
     {TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "x"},
     1,
     SCALEKIT_ERR_INVALID},
};

static void test_circles(void)
{
    for (size_t i = 0; i < COUNT(circle_rows); i++) {
        const struct circle_row *row = &circle_rows[i];
        char bodies[COUNT(row->pages)][200];
        struct walk walk = {0};
        struct fixture f;

        fixture_open(&f);
        for (size_t j = 0; j < COUNT(row->pages) && row->pages[j]; j++) {
            snprintf(bodies[j], sizeof bodies[j], "{\"next_page_token\":\"%s\"}", row->pages[j]);
            service_once(f.service, LIST, page_of(bodies[j]));
        }
        walk_start(
            &walk, &f, true, false,
            SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, .page_token = row->start));
        call_wait(walk.call);
        ROW_IS(row->name, walk.call->code == row->code);
        ROW_IS(row->name, service_count(f.service, LIST) == row->requests);
        ROW_IS(row->name, row->code != SCALEKIT_ERR_PROTOCOL ||
                              (text_has(walk.call->message, "next_page_token") &&
                               walk.call->phase == SCALEKIT_PHASE_DECODE && walk.call->sent));
        fixture_free(&f);
    }
}

static void test_too_many_pages(void)
{
    struct walk walk = {0};
    struct fixture f;
    struct ski_each *each;

    fixture_open(&f);
    service_once(f.service, LIST, page_of("{\"next_page_token\":\"x\"}"));
    service_once(f.service, LIST, page_of("{\"next_page_token\":\"y\"}"));
    walk_start(&walk, &f, true, false, NULL);
    each = walk.call->request->flow_data;
    each->pages = SKI_EACH_MAX_PAGES - 2; /* the other ones are behind it */
    call_wait(walk.call);
    CU_ASSERT_EQUAL(walk.call->code, SCALEKIT_ERR_TOO_LARGE);
    CU_ASSERT(text_has(walk.call->message, "100,000 pages"));
    CU_ASSERT_EQUAL(service_count(f.service, LIST), 2);
    CU_ASSERT_STRING_EQUAL(walk.told, "p0 p0");
    fixture_free(&f);
}

/* What is remembered of tokens has a limit as well. */
static void test_too_many_tokens(void)
{
    struct walk walk = {0};
    struct fixture f;
    struct ski_each *each;

    fixture_open(&f);
    script_pages(&f);
    walk_start(&walk, &f, true, false, NULL);
    each = walk.call->request->flow_data;
    each->arena.limit = each->arena.used;
    call_wait(walk.call);
    CU_ASSERT_EQUAL(walk.call->code, SCALEKIT_ERR_NOMEM);
    CU_ASSERT_STRING_EQUAL(walk.told, "p2");
    fixture_free(&f);
}

/* --- failures --------------------------------------------------------------------------------- */

static void test_failures(void)
{
    static const struct {
        const char *name;
        struct service_answer second;
        scalekit_err code;
        int http_status, attempts;
    } rows[] = {
        {"refused", {.status = 403, .body = ERROR_BODY}, SCALEKIT_ERR_FORBIDDEN, 403, 2},
        {"no list", {.status = 200, .body = "[]"}, SCALEKIT_ERR_DECODE, 200, 2},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct walk walk = {0};
        struct fixture f;

        fixture_open(&f);
        service_once(f.service, LIST, page_of(PAGE(ITEM("a"), "t")));
        service_once(f.service, LIST, rows[i].second);
        walk_start(&walk, &f, false, true, NULL);
        call_wait(walk.call);
        ROW_IS(rows[i].name, walk.call->code == rows[i].code);
        ROW_IS(rows[i].name, text_is(walk.told, "a"));
        ROW_IS(rows[i].name, walk.call->attempts == rows[i].attempts);
        ROW_IS(rows[i].name, walk.call->error->attempts == rows[i].attempts);
        ROW_IS(rows[i].name,
               scalekit_request_http_status(walk.call->request) == rows[i].http_status);
        ROW_IS(rows[i].name, scalekit_each_total_size(walk.call->request) == -1);
        fixture_free(&f);
    }
}

static struct call *each_of(struct fixture *f,
                            const struct scalekit_list_connected_accounts_params *params)
{
    static struct walk walks[8];
    static size_t n;
    struct walk *walk = &walks[n++ % COUNT(walks)];

    *walk = (struct walk){0};
    walk_start(walk, f, true, false, params);
    return walk->call;
}

static struct call *two_ways(struct fixture *f)
{
    static const char *const names[] = {"gmail"};

    return each_of(f, SCALEKIT_PARAMS(scalekit_list_connected_accounts_params,
                                      .connection_name = "gmail", .connection_names = names,
                                      .n_connection_names = 1));
}

static struct call *large_page(struct fixture *f)
{
    return each_of(f, SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, .page_size = 100));
}

static struct call *no_size(struct fixture *f)
{
    static const struct scalekit_list_connected_accounts_params params;

    return each_of(f, &params);
}

static struct walk search_walk;

static struct call *no_query(struct fixture *f)
{
    search_walk = (struct walk){.f = f, .call = call_new(f)};
    return call_began(search_walk.call, scalekit_each_found_connected_account(
                                            f->client, NULL, on_page, NULL, on_done, &search_walk));
}

static const struct refusal_row refusal_rows[] = {
    {"a name and names", two_ways, "connection_names"},
    {"a page too large", large_page, "page_size"},
    {"no struct_size", no_size, "struct_size"},
    {"no parameters where one is required", no_query, "query"},
};

static void test_refusals(void)
{
    struct fixture f;

    refusal_check(refusal_rows, COUNT(refusal_rows));
    fixture_open(&f);
    CU_ASSERT_PTR_NULL(scalekit_each_connected_account(f.client, NULL, NULL, NULL, on_done, NULL));
    CU_ASSERT_PTR_NULL(scalekit_each_connected_account(f.client, NULL, on_page, NULL, NULL, NULL));
    CU_ASSERT_PTR_NULL(scalekit_each_connected_account(NULL, NULL, on_page, NULL, on_done, NULL));
    CU_ASSERT_EQUAL(scalekit_each_total_size(NULL), -1);
    CU_ASSERT_EQUAL(scalekit_each_total_size(call_warm(&f)->request), -1);
    call_wait(SKI_CONTAINER(f.calls.next, struct call, link));
    fixture_free(&f);
}

/* --- time ------------------------------------------------------------------------------------- */

/* Each page has all of it: three pages of 15 s each within a deadline of 20 s. */
static void test_deadline_of_each_page(void)
{
    for (int set = 0; set <= 1; set++) {
        struct walk walk = {0};
        struct fixture f;

        fixture_init(&f);
        fixture_use_clock(&f);
        fixture_start(&f);
        for (unsigned i = 0; i < 4; i++) {
            static const char *const bodies[] = {PAGE("", "1"), PAGE("", "2"), PAGE("", "3"),
                                                 PAGE("", "4")};

            service_once(f.service, LIST,
                         (struct service_answer){200, bodies[i], NULL, SERVICE_WAITS, 0});
        }
        walk_start(&walk, &f, true, false, NULL);
        if (set)
            CU_ASSERT_EQUAL(scalekit_request_set_deadline(walk.call->request, 30000), SCALEKIT_OK);
        for (unsigned i = 1; i <= 3; i++) {
            service_until(f.service, LIST, i);
            fixture_advance(&f, set ? 25000 : 15000);
            fixture_turn(&f);
            CU_ASSERT_FALSE(walk.call->done);
            service_release(f.service);
        }
        service_until(f.service, LIST, 4);
        fixture_advance(&f, set ? 30100 : 20100);
        call_wait(walk.call);
        CU_ASSERT_EQUAL(walk.call->code, SCALEKIT_ERR_DEADLINE);
        CU_ASSERT_EQUAL(walk.call->phase, SCALEKIT_PHASE_WAIT);
        CU_ASSERT_STRING_EQUAL(walk.told, "p0 p0 p0");
        CU_ASSERT_EQUAL(walk.call->attempts, 4);
        fixture_free(&f);
    }
}

/* What was set on the whole holds for each page. */
static void test_retries(void)
{
    for (int retries = 0; retries <= 1; retries++) {
        struct walk walk = {0};
        struct fixture f;

        fixture_init(&f);
        fixture_use_clock(&f);
        fixture_start(&f);
        service_once(f.service, LIST, page_of(PAGE("", "1")));
        service_once(f.service, LIST, (struct service_answer){.status = 429});
        service_once(f.service, LIST, page_of(PAGE("", "")));
        walk_start(&walk, &f, true, false, NULL);
        scalekit_request_set_max_retries(walk.call->request, retries);
        scalekit_request_set_retry_rate_limited(walk.call->request, true);
        service_until(f.service, LIST, 2);
        fixture_turn(&f);
        fixture_advance(&f, 1100);
        call_wait(walk.call);
        CU_ASSERT_EQUAL(walk.call->code, retries ? SCALEKIT_OK : SCALEKIT_ERR_RATE_LIMITED);
        CU_ASSERT_EQUAL(walk.call->attempts, 2 + retries);
        fixture_free(&f);
    }
}

/* --- cancelled from outside ------------------------------------------------------------------- */

static void test_ended_on_the_way(void)
{
    for (int freed = 0; freed <= 1; freed++)
        for (unsigned pages = 0; pages <= 2; pages++) {
            struct walk walk = {0};
            struct fixture f;

            fixture_open(&f);
            if (pages > 0)
                service_once(f.service, LIST, page_of(PAGE("", "1")));
            service_always(f.service, LIST, (struct service_answer){.manner = SERVICE_HANGS});
            walk_start(&walk, &f, true, false, NULL);
            if (pages > 0)
                service_until(f.service, LIST, pages);
            if (freed)
                fixture_free_client(&f);
            else
                call_cancel(walk.call);
            call_wait(walk.call);
            CU_ASSERT_EQUAL(walk.call->code, freed ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
            CU_ASSERT_EQUAL(walk.call->attempts, (int)pages);
            CU_ASSERT_EQUAL(walk.call->sent, pages > 0);
            CU_ASSERT_EQUAL(walk.tellings, pages > 1 ? 1 : 0);
            CU_ASSERT(freed || ski_list_empty(&f.client->pending));
            fixture_free(&f);
        }
}

/* --- every list ------------------------------------------------------------------------------- */

static char kinds[64]; /* a letter per callback: p, i */

#define KIND(name, PAGE_TYPE, ITEM_TYPE)                                                           \
    static bool page_of_##name(scalekit_request *request, const struct PAGE_TYPE *page,            \
                               void *user)                                                         \
    {                                                                                              \
        (void)request;                                                                             \
        (void)user;                                                                                \
        CU_ASSERT_EQUAL(page->struct_size, sizeof *page);                                          \
        strcat_kind('p');                                                                          \
        return true;                                                                               \
    }                                                                                              \
    static bool item_of_##name(scalekit_request *request, const struct ITEM_TYPE *item,            \
                               void *user)                                                         \
    {                                                                                              \
        (void)request;                                                                             \
        (void)user;                                                                                \
        CU_ASSERT_EQUAL(item->struct_size, sizeof *item);                                          \
        strcat_kind('i');                                                                          \
        return true;                                                                               \
    }

static void strcat_kind(char kind)
{
    size_t used = strlen(kinds);

    CU_ASSERT_FATAL(used + 1 < sizeof kinds);
    kinds[used] = kind;
    kinds[used + 1] = '\0';
}

KIND(account, scalekit_connected_account_page, scalekit_connected_account)
KIND(tool, scalekit_tool_page, scalekit_tool)
KIND(scoped_tool, scalekit_scoped_tool_page, scalekit_scoped_tool)
KIND(config, scalekit_mcp_config_page, scalekit_mcp_config)
KIND(instance, scalekit_mcp_instance_page, scalekit_mcp_instance)
KIND(provider, scalekit_provider_page, scalekit_provider)
KIND(connection, scalekit_connection_page, scalekit_connection_summary)
KIND(event, scalekit_event_page, scalekit_event)
KIND(log, scalekit_tool_call_log_page, scalekit_tool_call_log)

#define LISTS(name, function, PARAMS, kind, ...)                                                   \
    static struct call *name(struct fixture *f)                                                    \
    {                                                                                              \
        struct call *call = call_new(f);                                                           \
                                                                                                   \
        return call_began(call, function(f->client, SCALEKIT_PARAMS(PARAMS, __VA_ARGS__),          \
                                         page_of_##kind, item_of_##kind, call_on_done, call));     \
    }

static const char *const gmail[] = {"gmail"};

LISTS(accounts, scalekit_each_connected_account, scalekit_list_connected_accounts_params, account,
      .page_size = 1)
LISTS(found_accounts, scalekit_each_found_connected_account,
      scalekit_search_connected_accounts_params, account, .query = "que", .page_size = 1)
LISTS(tools, scalekit_each_tool, scalekit_list_tools_params, tool, .page_size = 1)
LISTS(available_tools, scalekit_each_available_tool, scalekit_list_available_tools_params, tool,
      .identifier = "u", .page_size = 1)
LISTS(scoped_tools, scalekit_each_scoped_tool, scalekit_list_scoped_tools_params, scoped_tool,
      .identifier = "u", .connection_names = gmail, .n_connection_names = 1, .page_size = 1)
LISTS(configs, scalekit_each_mcp_config, scalekit_list_mcp_configs_params, config, .page_size = 1)
LISTS(instances, scalekit_each_mcp_instance, scalekit_list_mcp_instances_params, instance,
      .page_size = 1)
LISTS(providers, scalekit_each_provider, scalekit_list_providers_params, provider, .page_size = 1)
LISTS(connections, scalekit_each_app_connection, scalekit_list_app_connections_params, connection,
      .page_size = 1)
LISTS(events, scalekit_each_event, scalekit_list_events_params, event, .page_size = 1)
LISTS(events_paginated, scalekit_each_event_paginated, scalekit_list_events_params, event,
      .page_size = 1)
LISTS(logs, scalekit_each_tool_call_log, scalekit_list_tool_call_logs_params, log, .page_size = 1)

static const struct list_row {
    call_starter start;
    const char *operation, *route, *items, *second; /* the target of the second page */
} list_rows[] = {
    {accounts, "each_connected_account", LIST, "connected_accounts",
     "/api/v1/connected_accounts?page_size=1&page_token=t"},
    {found_accounts, "each_found_connected_account", SEARCH, "connected_accounts",
     "/api/v1/connected_accounts:search?query=que&page_size=1&page_token=t"},
    {tools, "each_tool", "GET /api/v1/tools", "tools", "/api/v1/tools?page_size=1&page_token=t"},
    {available_tools, "each_available_tool", "GET /api/v1/tools/available", "tools",
     "/api/v1/tools/available?identifier=u&page_size=1&page_token=t"},
    {scoped_tools, "each_scoped_tool", "GET /api/v1/tools/scoped", "tools",
     "/api/v1/tools/scoped?identifier=u&filter.connection_names=gmail&page_size=1&page_token=t"},
    {configs, "each_mcp_config", "GET /api/v1/mcp/configs", "configs",
     "/api/v1/mcp/configs?page_size=1&page_token=t"},
    {instances, "each_mcp_instance", "GET /api/v1/mcp/instances", "instances",
     "/api/v1/mcp/instances?page_size=1&page_token=t"},
    {providers, "each_provider", "GET /api/v1/providers", "providers",
     "/api/v1/providers?page_size=1&page_token=t"},
    {connections, "each_app_connection", "GET /api/v1/connections/app", "connections",
     "/api/v1/connections/app?page_size=1&page_token=t"},
    {events, "each_event", "POST /api/v1/events", "events",
     "/api/v1/events?page_size=1&page_token=t"},
    {events_paginated, "each_event_paginated", "POST /api/v1/events/paginated", "events",
     "/api/v1/events/paginated?page_size=1&page_token=t"},
    {logs, "each_tool_call_log", "GET /api/v1/agentkit/tool_call_logs", "tool_call_logs",
     "/api/v1/agentkit/tool_call_logs?page_size=1&page_token=t"},
};

static void test_every_list(void)
{
    for (size_t i = 0; i < COUNT(list_rows); i++) {
        const struct list_row *row = &list_rows[i];
        char first[256], second[256];
        struct fixture f;
        struct call *call;

        snprintf(first, sizeof first, "{\"%s\":[{},{}],\"next_page_token\":\"t\"}", row->items);
        snprintf(second, sizeof second, "{\"%s\":[{}],\"total_size\":3}", row->items);
        fixture_open(&f);
        service_once(f.service, row->route, page_of(first));
        service_once(f.service, row->route, page_of(second));
        kinds[0] = '\0';
        call = row->start(&f);
        call_wait(call);
        ROW_IS(row->operation, call->code == SCALEKIT_OK);
        ROW_IS(row->operation, text_is(kinds, "piipi"));
        ROW_IS(row->operation, text_is(scalekit_request_operation(call->request), row->operation));
        ROW_IS(row->operation, scalekit_each_total_size(call->request) == 3);
        ROW_IS(row->operation, service_count(f.service, NULL) == 2);
        ROW_IS(row->operation,
               text_is(service_request(f.service, row->route, 1)->target, row->second));
        fixture_free(&f);
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

struct shortage {
    bool for_good, with_parameters;
};

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    const struct shortage *shortage = user;
    struct walk walk = {0};
    struct fixture f;
    bool through = false;

    memory->fail_after = shortage->for_good;
    if (fixture_open_with(&f, memory)) {
        script_pages(&f);
        walk_start(&walk, &f, true, true,
                   !shortage->with_parameters
                       ? NULL
                       : SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, .identifier = "u",
                                         .page_token = "t0"));
        if (walk.call->request) {
            call_wait(walk.call);
            CU_ASSERT(walk.call->code == SCALEKIT_OK || walk.call->code == SCALEKIT_ERR_NOMEM);
            through = walk.call->code == SCALEKIT_OK;
            CU_ASSERT(!through || text_is(walk.told, "p2 a b p0 p1 c"));
        }
    }
    fixture_free(&f);
    return through;
}

static void test_out_of_memory(void)
{
    for (int i = 0; i < 4; i++) {
        struct shortage shortage = {i % 2, i / 2};

        CU_ASSERT(test_every_allocation(run_short_of_memory, &shortage) > 40);
    }
}

SUITE(each, {"pages and items are told in order, until the application has enough", test_walk},
      {"every page is asked for with the parameters of the first", test_parameters},
      {"a page is asked for when the one before has been told", test_one_at_a_time},
      {"a token that comes again is an error", test_circles},
      {"after 100,000 pages it ends", test_too_many_pages},
      {"what it remembers has a limit", test_too_many_tokens},
      {"a failure ends it, and what was told stays told", test_failures},
      {"what is wrong is refused and named, before anything is sent", test_refusals},
      {"the deadline is that of each page", test_deadline_of_each_page},
      {"so are the retries", test_retries},
      {"it may be ended on any page, from outside", test_ended_on_the_way},
      {"every list is followed", test_every_list},
      {"every allocation may fail", test_out_of_memory})
