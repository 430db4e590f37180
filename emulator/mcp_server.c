/* /api/v1/mcp: servers of one user, without a configuration. */
#include "check.h"
#include "mcp_json.h"
#include "routes.h"
#include "text.h"

#define MAX_LISTED 1000 /* of a list that has no pages; the oldest */

static struct emu_mcp_server *find_server(struct emu_request *request)
{
    struct emu_item *item = emu_mcp_named(request, &request->emulator->mcp.servers, "mcp");

    return EMU_OWNER(item, struct emu_mcp_server, item);
}

static void put_mapping(struct emu_request *request, const struct emu_mcp_server *server,
                        const struct emu_mcp_mapping *mapping)
{
    const struct emu_store *store = &request->emulator->store;
    const struct emu_connection *connection = emu_mcp_connection(store, mapping);
    const struct emu_account *account = emu_mcp_account(store, mapping, server->user->identifier);
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_raw(json, "tool_names", mapping->tools);
    emu_json_text(json, "connection_name",
                  connection ? connection->name : mapping->connection_name);
    emu_json_text(json, "status", account ? account->status : "");
    emu_json_close(json, '}');
}

static void put_server(struct emu_request *request, const char *key,
                       const struct emu_mcp_server *server)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, key, '{');
    emu_json_text(json, "id", server->item.id);
    emu_json_open(json, "tool_mappings", '[');
    for (size_t i = 0; i < server->mappings.n; i++)
        put_mapping(request, server, &server->mappings.at[i]);
    emu_json_close(json, ']');
    emu_json_text(json, "connected_account_identifier", server->user->identifier);
    emu_json_mcp_url(json, "url", request->emulator, EMU_MCP_OWN, server->token);
    emu_json_close(json, '}');
}

static void answer_server(struct emu_request *request, const struct emu_mcp_server *server)
{
    emu_json_open(&request->json, NULL, '{');
    put_server(request, "mcp", server);
    emu_json_close(&request->json, '}');
    emu_header(request, "Cache-Control", "no-store");
    emu_send(request, 200);
}

static struct emu_mcp_server *find_equal(const struct emu_mcp *mcp, const char *identifier,
                                         const struct emu_mcp_mappings *mappings)
{
    const struct emu_mcp_user *user = emu_mcp_user(mcp, identifier);
    struct emu_mcp_server *server = user ? TAILQ_FIRST(&user->servers) : NULL;

    while (server && !emu_mcp_mappings_equal(&server->mappings, mappings))
        server = TAILQ_NEXT(server, of_user);
    return server;
}

void emu_route_mcp_server_create(struct emu_request *request)
{
    struct emu_mcp *mcp = &request->emulator->mcp;
    const char *identifier =
        emu_text(request, "connected_account_identifier", 1, EMU_MCP_USER, EMU_REQUIRED);
    yajl_val list = emu_mcp_read_mappings(request, "tool_mappings", "tool_names", SIZE_MAX);
    struct emu_mcp_mappings mappings;
    struct emu_mcp_server *server;

    if (!request->malformed && (!list || !YAJL_GET_ARRAY(list)->len))
        emu_violation(request, "tool_mappings", "repeated.min_items",
                      "value must contain at least 1 item(s)");
    if (emu_refused(request) || !emu_mcp_take_mappings(request, list, "tool_names", &mappings))
        return;
    server = find_equal(mcp, identifier, &mappings);
    if (!server)
        server = emu_mcp_add_server(mcp, identifier, &mappings);
    emu_mcp_mappings_free(&mappings);
    if (server)
        answer_server(request, server);
    else
        emu_out_of_memory(request);
}

void emu_route_mcp_server_get(struct emu_request *request)
{
    const struct emu_mcp_server *server = find_server(request);

    if (server)
        answer_server(request, server);
}

void emu_route_mcp_server_delete(struct emu_request *request)
{
    struct emu_mcp_server *server = find_server(request);

    if (!server)
        return;
    emu_mcp_remove_server(&request->emulator->mcp, server);
    emu_send_nothing(request);
}

void emu_route_mcp_server_list(struct emu_request *request)
{
    const char *identifier =
        emu_text(request, "filter.connected_account_identifier", 0, SIZE_MAX, 0);
    const char *token = emu_text(request, "filter.link_token", 0, SIZE_MAX, 0);
    const struct emu_item *item;
    size_t n = 0;

    emu_json_open(&request->json, NULL, '{');
    emu_json_open(&request->json, "mcps", '[');
    TAILQ_FOREACH(item, &request->emulator->mcp.servers.by_age, by_age)
    {
        const struct emu_mcp_server *server = EMU_OWNER(item, const struct emu_mcp_server, item);

        if (emu_is_or_empty(identifier, server->user->identifier) &&
            emu_is_or_empty(token, server->token) && n++ < MAX_LISTED)
            put_server(request, NULL, server);
    }
    emu_json_close(&request->json, ']');
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}
