#include "api/connected_account.h"
#include "api/operations.h"
#include "core/request.h"
#include <scalekit/mcp.h>
#include <string.h>

#define MAX_MAPPINGS 25
#define MAX_PAGE     30

/* --- configurations ---------------------------------------------------------------------------- */

/* Of a mapping, what may be sent. */
static const struct ski_field new_mapping_fields[] = {
    STRING(scalekit_mcp_config_mapping, connection_name, "connection_name", .flags = SKI_REQUIRED),
    STRINGS(scalekit_mcp_config_mapping, tools, "tools"),
    END,
};
static const struct ski_type new_mapping_type =
    TYPE(scalekit_mcp_config_mapping, new_mapping_fields);

static const struct ski_field mapping_fields[] = {
    STRING(scalekit_mcp_config_mapping, connection_id, "connection_id"),
    STRING(scalekit_mcp_config_mapping, connection_name, "connection_name"),
    STRING(scalekit_mcp_config_mapping, provider, "provider"),
    STRINGS(scalekit_mcp_config_mapping, tools, "tools"),
    STRING(scalekit_mcp_config_mapping, connected_account_id, "connected_account_id"),
    ENUM(scalekit_mcp_config_mapping, connected_account_status, scalekit_account_status,
         ski_account_status_words, "connected_account_status"),
    END,
};
static const struct ski_type mapping_type = TYPE(scalekit_mcp_config_mapping, mapping_fields);

static const struct ski_field config_fields[] = {
    STRING(scalekit_mcp_config, id, "id"),
    STRING(scalekit_mcp_config, name, "name"),
    STRING(scalekit_mcp_config, description, "description"),
    OBJECTS(scalekit_mcp_config, connection_tool_mappings, scalekit_mcp_config_mapping,
            mapping_type, "connection_tool_mappings"),
    STRING(scalekit_mcp_config, mcp_server_url, "mcp_server_url"),
    END,
};
static const struct ski_type config_type = TYPE(scalekit_mcp_config, config_fields);

struct config_answer {
    size_t struct_size;
    const struct scalekit_mcp_config *config;
};

static const struct ski_field config_answer_fields[] = {
    OBJECT(config_answer, config, scalekit_mcp_config, config_type, "config",
           .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type config_answer_type = TYPE(config_answer, config_answer_fields);

static const struct ski_field config_page_fields[] = {
    OBJECTS(scalekit_mcp_config_page, configs, scalekit_mcp_config, config_type, "configs"),
    STRING(scalekit_mcp_config_page, next_page_token, "next_page_token"),
    STRING(scalekit_mcp_config_page, prev_page_token, "prev_page_token"),
    INTEGER(scalekit_mcp_config_page, total_size, "total_size"),
    END,
};
static const struct ski_type config_page_type = TYPE(scalekit_mcp_config_page, config_page_fields);

static const char *check_config_name(const char *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

    return value[strspn(value, allowed)] ? "may hold only a-z 0-9 - and _" : NULL;
}

static const struct ski_field create_config_fields[] = {
    STRING(scalekit_create_mcp_config_params, name, "name", .flags = SKI_REQUIRED, .min = 1,
           .max = 100, .check = check_config_name),
    STRING(scalekit_create_mcp_config_params, description, "description"),
    OBJECTS(scalekit_create_mcp_config_params, connection_tool_mappings,
            scalekit_mcp_config_mapping, new_mapping_type, "connection_tool_mappings",
            .max_items = MAX_MAPPINGS),
    END,
};
static const struct ski_type create_config_type =
    TYPE(scalekit_create_mcp_config_params, create_config_fields);

static const struct ski_field update_config_fields[] = {
    STRING(scalekit_update_mcp_config_params, config_id, "config_id",
           .flags = SKI_REQUIRED | SKI_PATH),
    STRING(scalekit_update_mcp_config_params, description, "description"),
    OBJECTS(scalekit_update_mcp_config_params, connection_tool_mappings,
            scalekit_mcp_config_mapping, new_mapping_type, "connection_tool_mappings",
            .max_items = MAX_MAPPINGS),
    END,
};
static const struct ski_type update_config_type =
    TYPE(scalekit_update_mcp_config_params, update_config_fields);

static const struct ski_field list_configs_fields[] = {
    STRING(scalekit_list_mcp_configs_params, config_id, "filter.id"),
    STRING(scalekit_list_mcp_configs_params, name, "filter.name"),
    STRING(scalekit_list_mcp_configs_params, provider, "filter.provider"),
    STRING(scalekit_list_mcp_configs_params, mcp_server_url, "filter.mcp_server_url"),
    STRING(scalekit_list_mcp_configs_params, search, "search"),
    INTEGER(scalekit_list_mcp_configs_params, page_size, "page_size", .min = 1, .max = MAX_PAGE),
    STRING(scalekit_list_mcp_configs_params, page_token, "page_token"),
    END,
};
static const struct ski_type list_configs_type =
    TYPE(scalekit_list_mcp_configs_params, list_configs_fields);

static const struct ski_field config_key_fields[] = {
    STRING(scalekit_mcp_config_key, config_id, "config_id", .flags = SKI_REQUIRED | SKI_PATH),
    END,
};
static const struct ski_type config_key_type = TYPE(scalekit_mcp_config_key, config_key_fields);

/* --- a user's accounts, and the token ---------------------------------------------------------- */

static const struct ski_field connection_fields[] = {
    STRING(scalekit_mcp_connection, connection_id, "connection_id"),
    STRING(scalekit_mcp_connection, connection_name, "connection_name"),
    STRING(scalekit_mcp_connection, provider, "provider"),
    STRING(scalekit_mcp_connection, connected_account_id, "connected_account_id"),
    ENUM(scalekit_mcp_connection, connected_account_status, scalekit_account_status,
         ski_account_status_words, "connected_account_status"),
    STRING(scalekit_mcp_connection, authentication_link, "authentication_link",
           .flags = SKI_SECRET),
    END,
};
static const struct ski_type connection_type = TYPE(scalekit_mcp_connection, connection_fields);

/* The same list, asked of a configuration and of an instance. */
static const struct ski_field config_state_fields[] = {
    OBJECTS(scalekit_mcp_auth_state, connections, scalekit_mcp_connection, connection_type,
            "connected_accounts"),
    END,
};
static const struct ski_type config_state_type = TYPE(scalekit_mcp_auth_state, config_state_fields);

static const struct ski_field instance_state_fields[] = {
    OBJECTS(scalekit_mcp_auth_state, connections, scalekit_mcp_connection, connection_type,
            "connections"),
    END,
};
static const struct ski_type instance_state_type =
    TYPE(scalekit_mcp_auth_state, instance_state_fields);

static const struct ski_field list_accounts_fields[] = {
    STRING(scalekit_list_mcp_connected_accounts_params, config_id, "config_id",
           .flags = SKI_REQUIRED | SKI_PATH),
    STRING(scalekit_list_mcp_connected_accounts_params, identifier, "identifier",
           .flags = SKI_REQUIRED),
    BOOLEAN(scalekit_list_mcp_connected_accounts_params, include_auth_link, "include_auth_link"),
    END,
};
static const struct ski_type list_accounts_type =
    TYPE(scalekit_list_mcp_connected_accounts_params, list_accounts_fields);

static const struct ski_field create_token_fields[] = {
    STRING(scalekit_create_mcp_session_token_params, config_id, "mcp_config_id",
           .flags = SKI_REQUIRED | SKI_PATH),
    STRING(scalekit_create_mcp_session_token_params, identifier, "identifier",
           .flags = SKI_REQUIRED, .min = 1, .max = 255),
    DURATION(scalekit_create_mcp_session_token_params, expiry_seconds, "expiry", .min = 60,
             .max = 86400),
    END,
};
static const struct ski_type create_token_type =
    TYPE(scalekit_create_mcp_session_token_params, create_token_fields);

static const struct ski_field token_fields[] = {
    STRING(scalekit_mcp_session_token, token, "token", .flags = SKI_REQUIRED | SKI_SECRET),
    TIMESTAMP(scalekit_mcp_session_token, expires_at, "expires_at"),
    END,
};
static const struct ski_type token_type = TYPE(scalekit_mcp_session_token, token_fields);

/* --- instances --------------------------------------------------------------------------------- */

static const struct ski_field instance_fields[] = {
    STRING(scalekit_mcp_instance, id, "id"),
    STRING(scalekit_mcp_instance, name, "name"),
    STRING(scalekit_mcp_instance, user_identifier, "user_identifier"),
    OBJECT(scalekit_mcp_instance, config, scalekit_mcp_config, config_type, "config"),
    TIMESTAMP(scalekit_mcp_instance, last_used_at, "last_used_at"),
    TIMESTAMP(scalekit_mcp_instance, updated_at, "updated_at"),
    STRING(scalekit_mcp_instance, url, "url", .flags = SKI_SECRET),
    END,
};
static const struct ski_type instance_type = TYPE(scalekit_mcp_instance, instance_fields);

struct instance_answer {
    size_t struct_size;
    const struct scalekit_mcp_instance *instance;
};

static const struct ski_field instance_answer_fields[] = {
    OBJECT(instance_answer, instance, scalekit_mcp_instance, instance_type, "instance",
           .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type instance_answer_type = TYPE(instance_answer, instance_answer_fields);

static const struct ski_field instance_page_fields[] = {
    OBJECTS(scalekit_mcp_instance_page, instances, scalekit_mcp_instance, instance_type,
            "instances"),
    STRING(scalekit_mcp_instance_page, next_page_token, "next_page_token"),
    STRING(scalekit_mcp_instance_page, prev_page_token, "prev_page_token"),
    INTEGER(scalekit_mcp_instance_page, total_size, "total_size"),
    END,
};
static const struct ski_type instance_page_type =
    TYPE(scalekit_mcp_instance_page, instance_page_fields);

static const struct ski_field ensure_instance_fields[] = {
    STRING(scalekit_ensure_mcp_instance_params, name, "name"),
    STRING(scalekit_ensure_mcp_instance_params, config_name, "config_name", .flags = SKI_REQUIRED),
    STRING(scalekit_ensure_mcp_instance_params, user_identifier, "user_identifier",
           .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type ensure_instance_type =
    TYPE(scalekit_ensure_mcp_instance_params, ensure_instance_fields);

static const struct ski_field list_instances_fields[] = {
    STRING(scalekit_list_mcp_instances_params, instance_id, "filter.id"),
    STRING(scalekit_list_mcp_instances_params, name, "filter.name"),
    STRING(scalekit_list_mcp_instances_params, config_name, "filter.config_name"),
    STRING(scalekit_list_mcp_instances_params, user_identifier, "filter.user_identifier"),
    STRING(scalekit_list_mcp_instances_params, search, "search"),
    INTEGER(scalekit_list_mcp_instances_params, page_size, "page_size", .min = 1, .max = MAX_PAGE),
    STRING(scalekit_list_mcp_instances_params, page_token, "page_token"),
    END,
};
static const struct ski_type list_instances_type =
    TYPE(scalekit_list_mcp_instances_params, list_instances_fields);

static const struct ski_field instance_key_fields[] = {
    STRING(scalekit_mcp_instance_key, instance_id, "instance_id", .flags = SKI_REQUIRED | SKI_PATH),
    END,
};
static const struct ski_type instance_key_type =
    TYPE(scalekit_mcp_instance_key, instance_key_fields);

static const struct ski_field update_instance_fields[] = {
    STRING(scalekit_update_mcp_instance_params, instance_id, "instance_id",
           .flags = SKI_REQUIRED | SKI_PATH),
    STRING(scalekit_update_mcp_instance_params, name, "name"),
    STRING(scalekit_update_mcp_instance_params, config_name, "config_name"),
    END,
};
static const struct ski_type update_instance_type =
    TYPE(scalekit_update_mcp_instance_params, update_instance_fields);

static const struct ski_field instance_state_params_fields[] = {
    STRING(scalekit_get_mcp_instance_auth_state_params, instance_id, "instance_id",
           .flags = SKI_REQUIRED | SKI_PATH),
    BOOLEAN(scalekit_get_mcp_instance_auth_state_params, include_auth_links, "include_auth_links"),
    END,
};
static const struct ski_type instance_state_params_type =
    TYPE(scalekit_get_mcp_instance_auth_state_params, instance_state_params_fields);

/* --- delivery ---------------------------------------------------------------------------------- */

DELIVER(deliver_config, scalekit_mcp_config_cb)
DELIVER(deliver_config_page, scalekit_mcp_config_page_cb)
DELIVER(deliver_state, scalekit_mcp_auth_state_cb)
DELIVER(deliver_token, scalekit_mcp_session_token_cb)
DELIVER(deliver_instance, scalekit_mcp_instance_cb)
DELIVER(deliver_instance_page, scalekit_mcp_instance_page_cb)

#define CONFIG_RESULT                                                                              \
    .result = &config_answer_type, .result_offset = offsetof(struct config_answer, config),        \
    .deliver = deliver_config
#define INSTANCE_RESULT                                                                            \
    .result = &instance_answer_type, .result_offset = offsetof(struct instance_answer, instance),  \
    .deliver = deliver_instance

/* --- operations -------------------------------------------------------------------------------- */

enum {
    CREATE_CONFIG,
    UPDATE_CONFIG,
    LIST_CONFIGS,
    GET_CONFIG,
    DELETE_CONFIG,
    LIST_ACCOUNTS,
    CREATE_TOKEN,
    ENSURE_INSTANCE,
    LIST_INSTANCES,
    GET_INSTANCE,
    UPDATE_INSTANCE,
    DELETE_INSTANCE,
    GET_INSTANCE_STATE
};

const struct ski_operation ski_mcp_operations[] = {
    [CREATE_CONFIG] = {.name = "create_mcp_config",
                       .method = "POST",
                       .path = "/api/v1/mcp/configs",
                       .summary = "a new MCP configuration",
                       .placement = SKI_IN_BODY,
                       .idempotency = SKI_UNSAFE,
                       .params = &create_config_type,
                       CONFIG_RESULT},
    [UPDATE_CONFIG] = {.name = "update_mcp_config",
                       .method = "PUT",
                       .path = "/api/v1/mcp/configs/{config_id}",
                       .summary = "changes an MCP configuration",
                       .placement = SKI_IN_BODY,
                       .idempotency = SKI_IDEMPOTENT,
                       .params = &update_config_type,
                       CONFIG_RESULT},
    [LIST_CONFIGS] = {.name = "list_mcp_configs",
                      .method = "GET",
                      .path = "/api/v1/mcp/configs",
                      .summary = "the MCP configurations, a page at a time",
                      .placement = SKI_IN_QUERY,
                      .idempotency = SKI_SAFE,
                      .params = &list_configs_type,
                      .result = &config_page_type,
                      .result_offset = SKI_WHOLE_RESULT,
                      .deliver = deliver_config_page},
    [GET_CONFIG] = {.name = "get_mcp_config",
                    .method = "GET",
                    .path = "/api/v1/mcp/configs/{config_id}",
                    .summary = "an MCP configuration",
                    .placement = SKI_IN_QUERY,
                    .idempotency = SKI_SAFE,
                    .params = &config_key_type,
                    CONFIG_RESULT},
    [DELETE_CONFIG] = {.name = "delete_mcp_config",
                       .method = "DELETE",
                       .path = "/api/v1/mcp/configs/{config_id}",
                       .summary = "deletes an MCP configuration and its instances",
                       .placement = SKI_IN_QUERY,
                       .idempotency = SKI_IDEMPOTENT,
                       .params = &config_key_type,
                       .deliver = ski_deliver_done},
    /* Idempotent: a repeat finds the accounts, and the links that are reported work. */
    [LIST_ACCOUNTS] = {.name = "list_mcp_connected_accounts",
                       .method = "POST",
                       .path = "/api/v1/mcp/configs/{config_id}/connected_accounts",
                       .summary = "a user's accounts for an MCP configuration",
                       .placement = SKI_IN_BODY,
                       .idempotency = SKI_IDEMPOTENT,
                       .params = &list_accounts_type,
                       .result = &config_state_type,
                       .result_offset = SKI_WHOLE_RESULT,
                       .deliver = deliver_state},
    /* Unsafe, unlike a link: a token that was lost on its way works until it expires, whoever has
     * it, and nothing takes it back.  Whether there shall be a second one is the caller's to say. */
    [CREATE_TOKEN] = {.name = "create_mcp_session_token",
                      .method = "POST",
                      .path = "/api/v1/mcp/configs/{mcp_config_id}/tokens",
                      .summary = "a token for a user's session with an MCP server",
                      .placement = SKI_IN_BODY,
                      .idempotency = SKI_UNSAFE,
                      .params = &create_token_type,
                      .result = &token_type,
                      .result_offset = SKI_WHOLE_RESULT,
                      .deliver = deliver_token},
    [ENSURE_INSTANCE] = {.name = "ensure_mcp_instance",
                         .method = "POST",
                         .path = "/api/v1/mcp/instances",
                         .summary = "the MCP instance of a user, made if there is none",
                         .placement = SKI_IN_BODY,
                         .idempotency = SKI_IDEMPOTENT,
                         .params = &ensure_instance_type,
                         INSTANCE_RESULT},
    [LIST_INSTANCES] = {.name = "list_mcp_instances",
                        .method = "GET",
                        .path = "/api/v1/mcp/instances",
                        .summary = "the MCP instances, a page at a time",
                        .placement = SKI_IN_QUERY,
                        .idempotency = SKI_SAFE,
                        .params = &list_instances_type,
                        .result = &instance_page_type,
                        .result_offset = SKI_WHOLE_RESULT,
                        .deliver = deliver_instance_page},
    [GET_INSTANCE] = {.name = "get_mcp_instance",
                      .method = "GET",
                      .path = "/api/v1/mcp/instances/{instance_id}",
                      .summary = "an MCP instance",
                      .placement = SKI_IN_QUERY,
                      .idempotency = SKI_SAFE,
                      .params = &instance_key_type,
                      INSTANCE_RESULT},
    [UPDATE_INSTANCE] = {.name = "update_mcp_instance",
                         .method = "PATCH",
                         .path = "/api/v1/mcp/instances/{instance_id}",
                         .summary = "renames an MCP instance, or moves it to a configuration",
                         .placement = SKI_IN_BODY,
                         .idempotency = SKI_IDEMPOTENT,
                         .params = &update_instance_type,
                         INSTANCE_RESULT},
    [DELETE_INSTANCE] = {.name = "delete_mcp_instance",
                         .method = "DELETE",
                         .path = "/api/v1/mcp/instances/{instance_id}",
                         .summary = "deletes an MCP instance",
                         .placement = SKI_IN_QUERY,
                         .idempotency = SKI_IDEMPOTENT,
                         .params = &instance_key_type,
                         .deliver = ski_deliver_done},
    [GET_INSTANCE_STATE] = {.name = "get_mcp_instance_auth_state",
                            .method = "POST",
                            .path = "/api/v1/mcp/instances/{instance_id}:get_auth_state",
                            .summary = "the accounts of an MCP instance's user",
                            .placement = SKI_IN_QUERY,
                            .idempotency = SKI_IDEMPOTENT,
                            .params = &instance_state_params_type,
                            .result = &instance_state_type,
                            .result_offset = SKI_WHOLE_RESULT,
                            .deliver = deliver_state},
    {.name = NULL},
};

static scalekit_request *start(scalekit_client *client, int operation, const void *params,
                               ski_callback cb, void *user)
{
    return ski_request_start(client, &ski_mcp_operations[operation], params, cb, user);
}

scalekit_request *scalekit_create_mcp_config(scalekit_client *client,
                                             const struct scalekit_create_mcp_config_params *params,
                                             scalekit_mcp_config_cb cb, void *user)
{
    return start(client, CREATE_CONFIG, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_mcp_config(scalekit_client *client,
                                             const struct scalekit_update_mcp_config_params *params,
                                             scalekit_mcp_config_cb cb, void *user)
{
    return start(client, UPDATE_CONFIG, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_list_mcp_configs(scalekit_client *client,
                                            const struct scalekit_list_mcp_configs_params *params,
                                            scalekit_mcp_config_page_cb cb, void *user)
{
    static const struct scalekit_list_mcp_configs_params everything = {.struct_size =
                                                                           sizeof everything};

    return start(client, LIST_CONFIGS, params ? params : &everything, (ski_callback)cb, user);
}

scalekit_request *scalekit_get_mcp_config(scalekit_client *client,
                                          const struct scalekit_mcp_config_key *key,
                                          scalekit_mcp_config_cb cb, void *user)
{
    return start(client, GET_CONFIG, key, (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_mcp_config(scalekit_client *client,
                                             const struct scalekit_mcp_config_key *key,
                                             scalekit_done_cb cb, void *user)
{
    return start(client, DELETE_CONFIG, key, (ski_callback)cb, user);
}

scalekit_request *scalekit_list_mcp_connected_accounts(
    scalekit_client *client, const struct scalekit_list_mcp_connected_accounts_params *params,
    scalekit_mcp_auth_state_cb cb, void *user)
{
    return start(client, LIST_ACCOUNTS, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_create_mcp_session_token(
    scalekit_client *client, const struct scalekit_create_mcp_session_token_params *params,
    scalekit_mcp_session_token_cb cb, void *user)
{
    return start(client, CREATE_TOKEN, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_ensure_mcp_instance(
    scalekit_client *client, const struct scalekit_ensure_mcp_instance_params *params,
    scalekit_mcp_instance_cb cb, void *user)
{
    return start(client, ENSURE_INSTANCE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_list_mcp_instances(
    scalekit_client *client, const struct scalekit_list_mcp_instances_params *params,
    scalekit_mcp_instance_page_cb cb, void *user)
{
    static const struct scalekit_list_mcp_instances_params everything = {.struct_size =
                                                                             sizeof everything};

    return start(client, LIST_INSTANCES, params ? params : &everything, (ski_callback)cb, user);
}

scalekit_request *scalekit_get_mcp_instance(scalekit_client *client,
                                            const struct scalekit_mcp_instance_key *key,
                                            scalekit_mcp_instance_cb cb, void *user)
{
    return start(client, GET_INSTANCE, key, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_mcp_instance(
    scalekit_client *client, const struct scalekit_update_mcp_instance_params *params,
    scalekit_mcp_instance_cb cb, void *user)
{
    return start(client, UPDATE_INSTANCE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_mcp_instance(scalekit_client *client,
                                               const struct scalekit_mcp_instance_key *key,
                                               scalekit_done_cb cb, void *user)
{
    return start(client, DELETE_INSTANCE, key, (ski_callback)cb, user);
}

scalekit_request *scalekit_get_mcp_instance_auth_state(
    scalekit_client *client, const struct scalekit_get_mcp_instance_auth_state_params *params,
    scalekit_mcp_auth_state_cb cb, void *user)
{
    return start(client, GET_INSTANCE_STATE, params, (ski_callback)cb, user);
}
