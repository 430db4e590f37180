/* /api/v1/mcp/configs: configurations, and what a user needs of one. */
#include "check.h"
#include "mcp_json.h"
#include "mcp_token.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <string.h>

#define MAPPINGS   "connection_tool_mappings"
#define MIN_LIFE_S 60
#define MAX_LIFE_S 86400
#define LIFE_S     3600

static struct emu_mcp_config *find_config(struct emu_request *request)
{
    struct emu_item *item = emu_mcp_named(request, &request->emulator->mcp.configs, "mcp config");

    return EMU_OWNER(item, struct emu_mcp_config, item);
}

static void answer_config(struct emu_request *request, const struct emu_mcp_config *config,
                          int status)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_mcp_config(request, "config", config, NULL);
    emu_json_close(&request->json, '}');
    emu_send(request, status);
}

/* --- one at a time ----------------------------------------------------------------------------- */

void emu_route_mcp_config_create(struct emu_request *request)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    struct emu_mcp *mcp = &request->emulator->mcp;
    const char *name = emu_text(request, "name", 1, 100, EMU_REQUIRED);
    const char *description = emu_text(request, "description", 0, SIZE_MAX, 0);
    yajl_val list = emu_mcp_read_mappings(request, MAPPINGS, "tools", EMU_MCP_MAPPINGS);
    struct emu_mcp_mappings mappings;
    struct emu_mcp_config *config;

    emu_check_characters(request, "name", name, characters, "^[a-z0-9_-]*$");
    if (emu_refused(request))
        return;
    if (emu_mcp_config_named(mcp, name)) {
        emu_fail(request, 409, "ALREADY_EXISTS", "mcp config already exists");
        return;
    }
    if (!emu_mcp_take_mappings(request, list, "tools", &mappings))
        return;
    config = emu_mcp_add_config(mcp, name, description, &mappings);
    emu_mcp_mappings_free(&mappings);
    if (config)
        answer_config(request, config, 201);
    else
        emu_out_of_memory(request);
}

/* What is not given stays as it is. */
void emu_route_mcp_config_update(struct emu_request *request)
{
    const char *description = emu_member(request, request->body, "description");
    yajl_val list = emu_mcp_read_mappings(request, MAPPINGS, "tools", EMU_MCP_MAPPINGS);
    struct emu_mcp_config *config;
    struct emu_mcp_mappings mappings;

    if (emu_refused(request))
        return;
    config = find_config(request);
    if (!config || (list && !emu_mcp_take_mappings(request, list, "tools", &mappings)))
        return;
    if (list) {
        emu_mcp_mappings_free(&config->mappings);
        config->mappings = mappings;
    }
    if (description && !emu_set_text(&config->description, description))
        emu_out_of_memory(request);
    else
        answer_config(request, config, 200);
}

void emu_route_mcp_config_get(struct emu_request *request)
{
    const struct emu_mcp_config *config = find_config(request);

    if (config)
        answer_config(request, config, 200);
}

void emu_route_mcp_config_delete(struct emu_request *request)
{
    struct emu_mcp_config *config = find_config(request);

    if (!config)
        return;
    emu_mcp_remove_config(&request->emulator->mcp, config);
    emu_send_nothing(request);
}

/* --- lists ------------------------------------------------------------------------------------- */

struct filter {
    const char *id, *name, *provider, *url, *search;
};

static bool has_provider(const struct emu_store *store, const struct emu_mcp_config *config,
                         const char *provider)
{
    for (size_t i = 0; i < config->mappings.n; i++) {
        const struct emu_connection *connection =
            emu_mcp_connection(store, &config->mappings.at[i]);

        if (connection && strcmp(connection->provider, provider) == 0)
            return true;
    }
    return false;
}

static bool wants_config(struct emu_request *request, const struct emu_item *item,
                         const void *filter)
{
    const struct emu_mcp_config *config = EMU_OWNER(item, const struct emu_mcp_config, item);
    const struct filter *wanted = filter;
    char url[EMU_MCP_URL];

    emu_mcp_url(url, request->emulator, EMU_MCP_SHARED, config->uuid);
    return emu_is_or_empty(wanted->id, item->id) && emu_is_or_empty(wanted->name, config->name) &&
           emu_is_or_empty(wanted->url, url) && emu_contains(config->name, wanted->search) &&
           (!*wanted->provider ||
            has_provider(&request->emulator->store, config, wanted->provider));
}

static void put_config(struct emu_request *request, const struct emu_item *item)
{
    emu_json_mcp_config(request, NULL, EMU_OWNER(item, const struct emu_mcp_config, item), NULL);
}

void emu_route_mcp_config_list(struct emu_request *request)
{
    static const struct emu_listing listing = {"configs", wants_config, put_config,
                                               10,        30,           EMU_REFUSE};
    struct filter filter = {
        .id = emu_text(request, "filter.id", 0, SIZE_MAX, 0),
        .name = emu_text(request, "filter.name", 0, SIZE_MAX, 0),
        .provider = emu_text(request, "filter.provider", 0, SIZE_MAX, 0),
        .url = emu_text(request, "filter.mcp_server_url", 0, SIZE_MAX, 0),
        .search = emu_text(request, "search", 0, SIZE_MAX, 0),
    };

    emu_answer_page(request, &request->emulator->mcp.configs, &listing, &filter);
}

/* --- a user ------------------------------------------------------------------------------------ */

void emu_route_mcp_config_accounts(struct emu_request *request)
{
    const char *identifier = emu_text(request, "identifier", 1, EMU_MCP_USER, EMU_REQUIRED);
    yajl_val links = emu_bool(request, "include_auth_link");
    const struct emu_mcp_config *config;

    if (emu_refused(request))
        return;
    config = find_config(request);
    if (config)
        emu_mcp_answer_state(request, "connected_accounts", &config->mappings, identifier,
                             YAJL_IS_TRUE(links));
}

/* "3600s" */
static int64_t read_expiry(struct emu_request *request)
{
    const char *text = emu_text(request, "expiry", 0, SIZE_MAX, 0);
    double seconds = LIFE_S;

    if (*text && !emu_seconds_parse(text, &seconds))
        request->malformed = "expiry";
    else if (seconds < MIN_LIFE_S || seconds > MAX_LIFE_S)
        emu_violation(request, "expiry", "duration.range", "value must be from 60s to 86400s");
    return request->malformed || request->n_violations ? LIFE_S : (int64_t)seconds;
}

/* Whether every account is there and ACTIVE; otherwise it has been answered. */
static bool is_ready(struct emu_request *request, const struct emu_mcp_config *config,
                     const char *identifier)
{
    const struct emu_store *store = &request->emulator->store;

    for (size_t i = 0; i < config->mappings.n; i++) {
        const struct emu_account *account =
            emu_mcp_account(store, &config->mappings.at[i], identifier);

        if (!account || !emu_account_is_active(account))
            emu_violation(request, config->mappings.at[i].connection_name, "mcp_token.account",
                          "the user has no active account for this connection");
    }
    if (!config->mappings.n)
        emu_fail(request, 400, "INVALID_ARGUMENT", "the mcp config has no connections");
    else if (request->n_violations)
        emu_fail(request, 400, "INVALID_ARGUMENT",
                 "not every connection has an active connected account");
    return config->mappings.n && !request->n_violations;
}

void emu_route_mcp_token_create(struct emu_request *request)
{
    const char *identifier = emu_text(request, "identifier", 1, EMU_MCP_USER, EMU_REQUIRED);
    int64_t life_s = read_expiry(request);
    const struct emu_mcp_config *config;

    if (emu_refused(request))
        return;
    config = find_config(request);
    if (config && is_ready(request, config, identifier))
        emu_mcp_answer_token(request, config, identifier, life_s);
}
