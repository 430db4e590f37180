#include "mcp_json.h"
#include "check.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* --- reading mappings -------------------------------------------------------------------------- */

/* Any name is a connection's, but for one that was deleted. */
static void check_connection(struct emu_request *request, yajl_val mapping)
{
    const char *name = emu_member(request, mapping, "connection_name");
    const struct emu_connection *connection;

    if (!name || !*name) {
        emu_violation(request, "connection_name", "required", "value is required");
        return;
    }
    connection = emu_connection_by_name(&request->emulator->store.connections, name);
    if (connection && connection->deleted)
        emu_violation(request, "connection_name", "mapping.connection",
                      "there is no such connection");
}

static void check_mapping(struct emu_request *request, yajl_val mapping, const char *field,
                          const char *tools)
{
    if (YAJL_IS_OBJECT(mapping))
        check_connection(request, mapping);
    else
        request->malformed = field;
    emu_strings(request, mapping, tools);
}

yajl_val emu_mcp_read_mappings(struct emu_request *request, const char *field, const char *tools,
                               size_t max)
{
    yajl_val list = emu_list(request, request->body, field);
    size_t n = list ? YAJL_GET_ARRAY(list)->len : 0;

    if (n > max)
        emu_violation(request, field, "repeated.max_items",
                      "value must contain no more than %zu item(s)", max);
    for (size_t i = 0; i < n; i++)
        check_mapping(request, YAJL_GET_ARRAY(list)->values[i], field, tools);
    return list;
}

static bool take_mapping(struct emu_connections *connections, yajl_val from, const char *tools,
                         struct emu_mcp_mapping *mapping)
{
    const char *name = YAJL_GET_STRING(emu_json_get(from, "connection_name"));
    const struct emu_connection *connection = emu_connection_by_name(connections, name);
    yajl_val list = emu_json_get(from, tools);

    if (!connection)
        connection = emu_connection_add(connections, name);
    mapping->connection_name = strdup(name);
    mapping->tools = list ? emu_json_print(list) : strdup("[]");
    if (!connection || !mapping->connection_name || !mapping->tools)
        return false;
    memcpy(mapping->connection_id, connection->id, sizeof mapping->connection_id);
    return true;
}

bool emu_mcp_take_mappings(struct emu_request *request, yajl_val list, const char *tools,
                           struct emu_mcp_mappings *mappings)
{
    size_t n = list ? YAJL_GET_ARRAY(list)->len : 0;

    *mappings = (struct emu_mcp_mappings){.at = calloc(n + 1, sizeof *mappings->at)};
    while (mappings->at && mappings->n < n) {
        size_t i = mappings->n++;

        if (!take_mapping(&request->emulator->store.connections, YAJL_GET_ARRAY(list)->values[i],
                          tools, &mappings->at[i])) {
            emu_mcp_mappings_free(mappings);
            break;
        }
    }
    if (!mappings->at)
        emu_out_of_memory(request);
    return mappings->at != NULL;
}

/* --- looking up -------------------------------------------------------------------------------- */

const struct emu_connection *emu_mcp_connection(const struct emu_store *store,
                                                const struct emu_mcp_mapping *mapping)
{
    return emu_connection_by_id(&store->connections, mapping->connection_id);
}

struct emu_account *emu_mcp_account(const struct emu_store *store,
                                    const struct emu_mcp_mapping *mapping, const char *user)
{
    const struct emu_connection *connection = emu_mcp_connection(store, mapping);
    struct emu_key key = {.connector = connection ? connection->name : NULL, .identifier = user};

    return emu_account_find(store, &key);
}

struct emu_item *emu_mcp_named(struct emu_request *request, const struct emu_shelf *shelf,
                               const char *what)
{
    struct emu_item *item = emu_shelf_find(shelf, request->rest);

    if (!item)
        emu_not_found(request, what);
    return item;
}

/* --- writing ----------------------------------------------------------------------------------- */

static void put_connection(struct emu_request *request, const struct emu_mcp_mapping *mapping)
{
    const struct emu_connection *connection =
        emu_mcp_connection(&request->emulator->store, mapping);

    emu_json_text(&request->json, "connection_id", mapping->connection_id);
    emu_json_text(&request->json, "connection_name",
                  connection ? connection->name : mapping->connection_name);
    emu_json_text(&request->json, "provider", connection ? connection->provider : "");
}

static void put_account(struct emu_json *json, const struct emu_account *account)
{
    emu_json_text(json, "connected_account_id", account ? account->id : "");
    emu_json_text(json, "connected_account_status", account ? account->status : "");
}

void emu_json_mcp_url(struct emu_json *json, const char *key, const scalekit_emulator *emulator,
                      const char *path, const char *last)
{
    char url[EMU_MCP_URL];

    emu_mcp_url(url, emulator, path, last);
    emu_json_text(json, key, url);
}

void emu_json_mcp_config(struct emu_request *request, const char *key,
                         const struct emu_mcp_config *config, const char *user)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, key, '{');
    emu_json_text(json, "id", config->item.id);
    emu_json_text(json, "name", config->name);
    emu_json_text(json, "description", config->description);
    emu_json_open(json, "connection_tool_mappings", '[');
    for (size_t i = 0; i < config->mappings.n; i++) {
        const struct emu_mcp_mapping *mapping = &config->mappings.at[i];

        emu_json_open(json, NULL, '{');
        put_connection(request, mapping);
        emu_json_raw(json, "tools", mapping->tools);
        put_account(json, user ? emu_mcp_account(&request->emulator->store, mapping, user) : NULL);
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
    emu_json_mcp_url(json, "mcp_server_url", request->emulator, EMU_MCP_SHARED, config->uuid);
    emu_json_close(json, '}');
}

/* --- a user's accounts ------------------------------------------------------------------------- */

/* *account is made when it is NULL.  False when memory ran out. */
static bool make_account(struct emu_store *store, const struct emu_connection *connection,
                         const char *user, struct emu_account **account)
{
    struct emu_key key = {.connector = connection->name, .identifier = user};

    if (*account)
        return true;
    *account = emu_account_add(store, &key);
    if (*account)
        emu_event_record(store->events, EMU_EVENT_CREATED, *account);
    return *account != NULL;
}

static bool put_state(struct emu_request *request, const struct emu_mcp_mapping *mapping,
                      const char *user, bool links)
{
    scalekit_emulator *emulator = request->emulator;
    const struct emu_connection *connection = emu_mcp_connection(&emulator->store, mapping);
    struct emu_account *account = emu_mcp_account(&emulator->store, mapping, user);
    struct emu_link *link = NULL;

    if (links && connection && emu_connection_is_open(connection)) {
        if (!make_account(&emulator->store, connection, user, &account) ||
            !(link = emu_link_add(&emulator->links, account, "", "")))
            return false;
        emulator->stats.links++;
    }
    emu_json_open(&request->json, NULL, '{');
    put_connection(request, mapping);
    put_account(&request->json, account);
    if (link)
        emu_json_mcp_url(&request->json, "authentication_link", emulator, "/magicLink/",
                         link->token);
    else
        emu_json_text(&request->json, "authentication_link", "");
    emu_json_close(&request->json, '}');
    return true;
}

void emu_mcp_answer_state(struct emu_request *request, const char *key,
                          const struct emu_mcp_mappings *mappings, const char *user, bool links)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_open(&request->json, key, '[');
    for (size_t i = 0; i < mappings->n; i++) {
        if (!put_state(request, &mappings->at[i], user, links)) {
            emu_out_of_memory(request);
            return;
        }
    }
    emu_json_close(&request->json, ']');
    emu_json_close(&request->json, '}');
    emu_header(request, "Cache-Control", "no-store");
    emu_send(request, 200);
}
