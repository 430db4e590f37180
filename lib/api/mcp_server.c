#include "api/connected_account.h"
#include "api/operations.h"
#include "core/request.h"
#include <scalekit/mcp.h>

/* --- tables ------------------------------------------------------------------------------------ */

/* Of a mapping, what may be sent. */
static const struct ski_field new_mapping_fields[] = {
    STRINGS(scalekit_mcp_server_mapping, tool_names, "tool_names"),
    STRING(scalekit_mcp_server_mapping, connection_name, "connection_name", .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type new_mapping_type =
    TYPE(scalekit_mcp_server_mapping, new_mapping_fields);

static const struct ski_field mapping_fields[] = {
    STRINGS(scalekit_mcp_server_mapping, tool_names, "tool_names"),
    STRING(scalekit_mcp_server_mapping, connection_name, "connection_name"),
    ENUM(scalekit_mcp_server_mapping, status, scalekit_account_status, ski_account_status_words,
         "status"),
    END,
};
static const struct ski_type mapping_type = TYPE(scalekit_mcp_server_mapping, mapping_fields);

static const struct ski_field server_fields[] = {
    STRING(scalekit_mcp_server, id, "id"),
    OBJECTS(scalekit_mcp_server, tool_mappings, scalekit_mcp_server_mapping, mapping_type,
            "tool_mappings"),
    STRING(scalekit_mcp_server, connected_account_identifier, "connected_account_identifier"),
    STRING(scalekit_mcp_server, url, "url", .flags = SKI_SECRET),
    END,
};
static const struct ski_type server_type = TYPE(scalekit_mcp_server, server_fields);

struct server_answer {
    size_t struct_size;
    const struct scalekit_mcp_server *mcp;
};

static const struct ski_field server_answer_fields[] = {
    OBJECT(server_answer, mcp, scalekit_mcp_server, server_type, "mcp", .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type server_answer_type = TYPE(server_answer, server_answer_fields);

static const struct ski_field server_list_fields[] = {
    OBJECTS(scalekit_mcp_server_list, servers, scalekit_mcp_server, server_type, "mcps"),
    END,
};
static const struct ski_type server_list_type = TYPE(scalekit_mcp_server_list, server_list_fields);

static const struct ski_field create_fields[] = {
    OBJECTS(scalekit_create_mcp_server_params, tool_mappings, scalekit_mcp_server_mapping,
            new_mapping_type, "tool_mappings", .flags = SKI_REQUIRED, .min_items = 1),
    STRING(scalekit_create_mcp_server_params, connected_account_identifier,
           "connected_account_identifier", .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type create_type = TYPE(scalekit_create_mcp_server_params, create_fields);

static const struct ski_field key_fields[] = {
    STRING(scalekit_mcp_server_key, mcp_id, "mcp_id", .flags = SKI_REQUIRED | SKI_PATH),
    END,
};
static const struct ski_type key_type = TYPE(scalekit_mcp_server_key, key_fields);

static const struct ski_field list_fields[] = {
    STRING(scalekit_list_mcp_servers_params, connected_account_identifier,
           "filter.connected_account_identifier"),
    STRING(scalekit_list_mcp_servers_params, link_token, "filter.link_token", .flags = SKI_SECRET),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_mcp_servers_params, list_fields);

DELIVER(deliver_server, scalekit_mcp_server_cb)
DELIVER(deliver_list, scalekit_mcp_server_list_cb)

/* --- operations -------------------------------------------------------------------------------- */

enum { CREATE, GET, LIST, DELETE };

#define SERVER_RESULT                                                                              \
    .result = &server_answer_type, .result_offset = offsetof(struct server_answer, mcp),           \
    .deliver = deliver_server

const struct ski_operation ski_mcp_server_operations[] = {
    /* Idempotent: a repeat finds the server that the first attempt has made. */
    [CREATE] = {.name = "create_mcp_server",
                .method = "POST",
                .path = "/api/v1/mcp",
                .summary = "an MCP server for a user, made if there is none like it",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_IDEMPOTENT,
                .params = &create_type,
                SERVER_RESULT},
    [GET] = {.name = "get_mcp_server",
             .method = "GET",
             .path = "/api/v1/mcp/{mcp_id}",
             .summary = "an MCP server",
             .placement = SKI_IN_QUERY,
             .idempotency = SKI_SAFE,
             .params = &key_type,
             SERVER_RESULT},
    [LIST] = {.name = "list_mcp_servers",
              .method = "GET",
              .path = "/api/v1/mcp",
              .summary = "the MCP servers",
              .placement = SKI_IN_QUERY,
              .idempotency = SKI_SAFE,
              .params = &list_type,
              .result = &server_list_type,
              .result_offset = SKI_WHOLE_RESULT,
              .deliver = deliver_list},
    [DELETE] = {.name = "delete_mcp_server",
                .method = "DELETE",
                .path = "/api/v1/mcp/{mcp_id}",
                .summary = "deletes an MCP server",
                .placement = SKI_IN_QUERY,
                .idempotency = SKI_IDEMPOTENT,
                .params = &key_type,
                .deliver = ski_deliver_done},
    {.name = NULL},
};

scalekit_request *scalekit_create_mcp_server(scalekit_client *client,
                                             const struct scalekit_create_mcp_server_params *params,
                                             scalekit_mcp_server_cb cb, void *user)
{
    return ski_request_start(client, &ski_mcp_server_operations[CREATE], params, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_get_mcp_server(scalekit_client *client,
                                          const struct scalekit_mcp_server_key *key,
                                          scalekit_mcp_server_cb cb, void *user)
{
    return ski_request_start(client, &ski_mcp_server_operations[GET], key, (ski_callback)cb, user);
}

scalekit_request *scalekit_list_mcp_servers(scalekit_client *client,
                                            const struct scalekit_list_mcp_servers_params *params,
                                            scalekit_mcp_server_list_cb cb, void *user)
{
    static const struct scalekit_list_mcp_servers_params everything = {.struct_size =
                                                                           sizeof everything};

    return ski_request_start(client, &ski_mcp_server_operations[LIST],
                             params ? params : &everything, (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_mcp_server(scalekit_client *client,
                                             const struct scalekit_mcp_server_key *key,
                                             scalekit_done_cb cb, void *user)
{
    return ski_request_start(client, &ski_mcp_server_operations[DELETE], key, (ski_callback)cb,
                             user);
}
