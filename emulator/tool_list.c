/* /api/v1/tools: the tools there are, those of a user, and those that fit a search. */
#include "check.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

#define USUAL_PAGE 300
#define MAX_PAGE   1000
#define QUERY_PAGE 100 /* the most with a query */

/* --- filters ----------------------------------------------------------------------------------- */

static bool allows(const struct emu_request *request, const char *parameter, const char *value)
{
    return emu_form_allows(&request->query, parameter, value);
}

static bool is_given(const struct emu_request *request, const char *parameter)
{
    return !emu_form_allows(&request->query, parameter, NULL);
}

/* Calls for each word of a text, and gives the sum of the answers; *n is the number of words. */
static double sum_of_words(const char *text, double (*worth)(const char *word, const void *arg),
                           const void *arg, size_t *n)
{
    char word[64];
    double sum = 0;

    *n = 0;
    for (text += strspn(text, " _"); *text; text += strspn(text, " _")) {
        size_t length = strcspn(text, " _");

        snprintf(word, sizeof word, "%.*s", (int)length, text);
        sum += worth(word, arg);
        text += length;
        ++*n;
    }
    return sum;
}

/* The next account of an index, over its holes; *at is where to go on. */
static const struct emu_account *next_account(const struct emu_index *index, size_t *at)
{
    while (index && *at < index->n) {
        const struct emu_account *account = index->slots[(*at)++].account;

        if (account)
            return account;
    }
    return NULL;
}

/* --- all tools --------------------------------------------------------------------------------- */

struct filter {
    const char *provider, *query;
    bool by_account;                         /* only tools that fit: */
    const struct emu_connection *connection; /* this one; NULL: */
    const struct emu_index *accounts;        /* any of these */
    bool summary;
};

static double is_in_name(const char *word, const void *tool)
{
    return emu_contains(((const struct emu_tool *)tool)->name, word);
}

static bool fits_any(const struct emu_tool *tool, const struct emu_index *accounts,
                     bool active_only)
{
    const struct emu_account *account;
    size_t at = 0;

    while ((account = next_account(accounts, &at)))
        if ((!active_only || emu_account_is_active(account)) &&
            emu_tool_fits(tool, account->connection))
            return true;
    return false;
}

static bool matches(const struct emu_request *request, const struct filter *filter,
                    const struct emu_tool *tool)
{
    size_t n_words;

    if (!emu_is_or_empty(filter->provider, tool->provider) ||
        !allows(request, "filter.tool_name", tool->name) || (filter->summary && !tool->is_default))
        return false;
    if (sum_of_words(filter->query, is_in_name, tool, &n_words) < (double)n_words)
        return false;
    if (filter->connection)
        return emu_tool_fits(tool, filter->connection);
    return !filter->by_account || fits_any(tool, filter->accounts, false);
}

/* False when it has been answered: something is wrong, or there is no such account. */
static bool find_accounts(struct emu_request *request, struct filter *filter)
{
    const struct emu_store *store = &request->emulator->store;
    const struct emu_key key = {
        .id = emu_text(request, "filter.connected_account_id", 0, 100, EMU_ACCOUNT_ID),
        .connector = emu_text(request, "filter.connector", 0, 400, EMU_NAME),
        .identifier = emu_text(request, "filter.identifier", 0, 100, 0),
        .organization_id = emu_text(request, "filter.organization_id", 0, 32, 0),
        .user_id = emu_text(request, "filter.user_id", 0, 32, 0),
    };

    if (emu_refused(request))
        return false;
    filter->by_account = *key.id || *key.connector || *key.identifier;
    if (*key.id || (*key.connector && *key.identifier)) {
        const struct emu_account *account = emu_account_find(store, &key);

        if (!account)
            emu_not_found(request, "connected account");
        filter->connection = account ? account->connection : NULL;
        return account != NULL;
    }
    if (*key.connector) {
        const struct emu_connection *connection =
            emu_connection_by_name(&store->connections, key.connector);

        filter->connection = connection && connection->accounts.live ? connection : NULL;
    } else if (*key.identifier) {
        filter->accounts = emu_store_person(store, key.identifier);
    }
    return true;
}

static void put_tools(struct emu_request *request, const struct filter *filter, const char *key,
                      bool names, struct emu_paging *paging)
{
    const struct emu_catalogue *catalogue = &request->emulator->catalogue;
    struct emu_json *json = &request->json;
    const struct emu_tool *tool = NULL;

    emu_json_open(json, key, '[');
    while (names == filter->summary && (tool = emu_tool_next(catalogue, tool))) {
        if (!matches(request, filter, tool) || !emu_on_page(paging))
            continue;
        if (names)
            emu_json_text(json, NULL, tool->name);
        else
            emu_json_tool(json, NULL, tool);
    }
    emu_json_close(json, ']');
}

void emu_route_tool_list(struct emu_request *request)
{
    struct filter filter = {
        .provider = emu_text(request, "filter.provider", 0, 50, 0),
        .query = emu_text(request, "filter.query", 3, 100, 0),
        .summary = emu_query_bool(request, "filter.summary"),
    };
    struct emu_paging paging;

    emu_read_paging(request, &paging, *filter.query ? QUERY_PAGE : USUAL_PAGE,
                    *filter.query ? QUERY_PAGE : MAX_PAGE, EMU_CUT);
    if (!find_accounts(request, &filter))
        return;
    emu_json_open(&request->json, NULL, '{');
    put_tools(request, &filter, "tools", false, &paging);
    put_tools(request, &filter, "tool_names", true, &paging);
    emu_json_paging(&request->json, &paging);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

/* --- those of a user --------------------------------------------------------------------------- */

static void put_scoped(struct emu_request *request, const struct emu_account *account,
                       struct emu_paging *paging)
{
    const struct emu_catalogue *catalogue = &request->emulator->catalogue;
    struct emu_json *json = &request->json;
    const struct emu_tool *tool = NULL;

    while ((tool = emu_tool_next_default(catalogue, tool))) {
        if (!emu_tool_fits(tool, account->connection) ||
            !allows(request, "filter.providers", tool->provider) ||
            !allows(request, "filter.tool_names", tool->name) || !emu_on_page(paging))
            continue;
        emu_json_open(json, NULL, '{');
        emu_json_tool(json, "tool", tool);
        emu_json_text(json, "identifier", account->person->identifier);
        emu_json_text(json, "connected_account_id", account->id);
        emu_json_close(json, '}');
    }
}

void emu_route_tool_scoped(struct emu_request *request)
{
    const char *identifier = emu_text(request, "identifier", 0, 100, EMU_REQUIRED);
    const struct emu_index *accounts = emu_store_person(&request->emulator->store, identifier);
    const struct emu_account *account;
    struct emu_paging paging;
    size_t at = 0;

    emu_read_paging(request, &paging, USUAL_PAGE, MAX_PAGE, EMU_CUT);
    if (!is_given(request, "filter.providers") && !is_given(request, "filter.tool_names") &&
        !is_given(request, "filter.connection_names"))
        emu_violation(request, "filter", "required", "value is required");
    if (emu_refused(request))
        return;
    emu_json_open(&request->json, NULL, '{');
    emu_json_open(&request->json, "tools", '[');
    while ((account = next_account(accounts, &at)))
        if (emu_account_is_active(account) &&
            allows(request, "filter.connection_names", account->connection->name))
            put_scoped(request, account, &paging);
    emu_json_close(&request->json, ']');
    emu_json_paging(&request->json, &paging);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

static bool is_available(struct emu_request *request, const struct emu_item *item,
                         const void *accounts)
{
    const struct emu_tool *tool = EMU_OWNER(item, const struct emu_tool, item);

    (void)request;
    return tool->is_default && fits_any(tool, accounts, true);
}

static void put_available(struct emu_request *request, const struct emu_item *item)
{
    emu_json_tool(&request->json, NULL, EMU_OWNER(item, const struct emu_tool, item));
}

void emu_route_tool_available(struct emu_request *request)
{
    static const struct emu_listing listing = {"tools",    is_available, put_available,
                                               USUAL_PAGE, MAX_PAGE,     EMU_CUT};
    const char *identifier = emu_text(request, "identifier", 0, 100, EMU_REQUIRED);
    const struct emu_index *accounts = emu_store_person(&request->emulator->store, identifier);

    if (emu_refused(request))
        return;
    if (!accounts)
        emu_fail(request, 404, "NOT_FOUND", "nobody has this identifier");
    else
        emu_answer_page(request, &request->emulator->catalogue.shelf, &listing, accounts);
}

/* --- searching --------------------------------------------------------------------------------- */

#define USUAL_FOUND 10
#define MAX_FOUND   50
#define MAX_SHOWN   100 /* accounts of a tool that was found */

struct found {
    struct {
        const struct emu_tool *tool;
        double score;
    } best[MAX_FOUND]; /* by falling score; of equals, the older first */
    size_t n, max;
};

static double is_in_either(const char *word, const void *arg)
{
    const struct emu_tool *tool = arg;

    if (emu_contains(tool->name, word))
        return 1;
    return emu_contains(tool->description, word) ? 0.5 : 0;
}

static void insert(struct found *found, const struct emu_tool *tool, double score)
{
    size_t at = found->n < found->max ? found->n++ : found->max;

    if (at == found->max && found->best[--at].score >= score)
        return;
    for (; at > 0 && found->best[at - 1].score < score; at--)
        found->best[at] = found->best[at - 1];
    found->best[at].tool = tool;
    found->best[at].score = score;
}

static void find_tools(const struct emu_catalogue *catalogue, const char *query,
                       struct found *found)
{
    const struct emu_tool *tool = NULL;
    size_t n_words;

    while ((tool = emu_tool_next_default(catalogue, tool))) {
        double worth = sum_of_words(query, is_in_either, tool, &n_words);

        if (worth > 0)
            insert(found, tool, worth / (double)n_words);
    }
}

static const char *readiness(const struct emu_account *account)
{
    if (emu_account_is_active(account))
        return "TOOL_READINESS_STATE_READY";
    return strncmp(account->status, "PENDING", 7) == 0 ? "TOOL_READINESS_STATE_NEEDS_CONNECTION"
                                                       : "TOOL_READINESS_STATE_NEEDS_REAUTH";
}

static void put_found(struct emu_json *json, const struct emu_tool *tool, double score,
                      const struct emu_index *accounts)
{
    const struct emu_account *account;
    char text[32];
    size_t at = 0, n = 0;

    snprintf(text, sizeof text, "%.4f", score);
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "name", tool->name);
    emu_json_text(json, "provider", tool->provider);
    emu_json_text(json, "description", tool->description);
    emu_json_raw(json, "score", text);
    emu_json_open(json, "connections", '[');
    while (n < MAX_SHOWN && (account = next_account(accounts, &at))) {
        if (!emu_tool_fits(tool, account->connection))
            continue;
        n++;
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "connection_name", account->connection->name);
        emu_json_text(json, "connected_account_id", account->id);
        emu_json_text(json, "readiness_state", readiness(account));
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
    emu_json_close(json, '}');
}

void emu_route_tool_search(struct emu_request *request)
{
    const char *query = emu_text(request, "query", 1, 256, EMU_REQUIRED);
    const char *identifier = emu_text(request, "identifier", 0, 100, 0);
    int64_t top_k = emu_whole(request, "top_k", USUAL_FOUND);
    const struct emu_index *accounts;
    struct found found = {.n = 0};

    if (top_k > UINT32_MAX)
        request->malformed = "top_k";
    if (emu_refused(request))
        return;
    accounts = *identifier ? emu_store_person(&request->emulator->store, identifier) : NULL;
    found.max = top_k && top_k < MAX_FOUND ? (size_t)top_k : top_k ? MAX_FOUND : USUAL_FOUND;
    find_tools(&request->emulator->catalogue, query, &found);
    emu_json_open(&request->json, NULL, '{');
    emu_json_open(&request->json, "tools", '[');
    for (size_t i = 0; i < found.n; i++)
        put_found(&request->json, found.best[i].tool, found.best[i].score, accounts);
    emu_json_close(&request->json, ']');
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}
