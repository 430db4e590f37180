#include "functions.h"

/* Operations and what their callbacks get; then those whose callbacks only hear that it is done. */
/* clang-format off */
#define FUNCTIONS(FUNCTION, DONE) \
    FUNCTION(create_connected_account, scalekit_connected_account) \
    FUNCTION(create_custom_provider, scalekit_provider) \
    FUNCTION(create_environment_connection, scalekit_connection) \
    FUNCTION(create_mcp_config, scalekit_mcp_config) \
    FUNCTION(create_mcp_server, scalekit_mcp_server) \
    FUNCTION(create_mcp_session_token, scalekit_mcp_session_token) \
    FUNCTION(create_provider, scalekit_provider) \
    FUNCTION(create_tool, scalekit_tool) \
    FUNCTION(disable_environment_connection, scalekit_connection_toggle) \
    FUNCTION(disconnect_connected_account, scalekit_connected_account) \
    FUNCTION(enable_environment_connection, scalekit_connection_toggle) \
    FUNCTION(ensure_mcp_instance, scalekit_mcp_instance) \
    FUNCTION(execute_tool, scalekit_tool_result) \
    FUNCTION(get_authorization_link, scalekit_authorization_link) \
    FUNCTION(get_connected_account, scalekit_connected_account) \
    FUNCTION(get_connected_account_by_id, scalekit_connected_account) \
    FUNCTION(get_connected_account_details, scalekit_connected_account) \
    FUNCTION(get_connection_test_result, scalekit_connection_test_result) \
    FUNCTION(get_environment_connection, scalekit_connection) \
    FUNCTION(get_mcp_config, scalekit_mcp_config) \
    FUNCTION(get_mcp_instance, scalekit_mcp_instance) \
    FUNCTION(get_mcp_instance_auth_state, scalekit_mcp_auth_state) \
    FUNCTION(get_mcp_server, scalekit_mcp_server) \
    FUNCTION(get_overview_stats, scalekit_overview_stats) \
    FUNCTION(get_tool_call_log, scalekit_tool_call_log) \
    FUNCTION(list_app_connections, scalekit_connection_page) \
    FUNCTION(list_available_tools, scalekit_tool_page) \
    FUNCTION(list_connected_accounts, scalekit_connected_account_page) \
    FUNCTION(list_events, scalekit_event_page) \
    FUNCTION(list_events_paginated, scalekit_event_page) \
    FUNCTION(list_mcp_configs, scalekit_mcp_config_page) \
    FUNCTION(list_mcp_connected_accounts, scalekit_mcp_auth_state) \
    FUNCTION(list_mcp_instances, scalekit_mcp_instance_page) \
    FUNCTION(list_mcp_servers, scalekit_mcp_server_list) \
    FUNCTION(list_providers, scalekit_provider_page) \
    FUNCTION(list_scoped_tools, scalekit_scoped_tool_page) \
    FUNCTION(list_tool_call_logs, scalekit_tool_call_log_page) \
    FUNCTION(list_tools, scalekit_tool_page) \
    FUNCTION(refresh_tools, scalekit_tool_page) \
    FUNCTION(search_connected_accounts, scalekit_connected_account_page) \
    FUNCTION(search_tools, scalekit_found_tools) \
    FUNCTION(set_tool_default, scalekit_tool) \
    FUNCTION(update_connected_account, scalekit_connected_account) \
    FUNCTION(update_custom_provider, scalekit_provider) \
    FUNCTION(update_environment_connection, scalekit_connection) \
    FUNCTION(update_mcp_config, scalekit_mcp_config) \
    FUNCTION(update_mcp_instance, scalekit_mcp_instance) \
    FUNCTION(update_provider, scalekit_provider) \
    FUNCTION(update_tool, scalekit_tool) \
    FUNCTION(verify_connected_account_user, scalekit_user_verification) \
    \
    DONE(delete_connected_account) \
    DONE(delete_custom_provider) \
    DONE(delete_environment_connection) \
    DONE(delete_mcp_config) \
    DONE(delete_mcp_instance) \
    DONE(delete_mcp_server) \
    DONE(delete_provider) \
    DONE(delete_tool)
/* clang-format on */

/* Its parameters are of whatever type the function takes. */
#define DEFINE_START(name)                                                                         \
    static struct call *start_##name(struct fixture *f, const void *params)                        \
    {                                                                                              \
        struct call *call = call_new(f);                                                           \
                                                                                                   \
        return call_began(call, scalekit_##name(f->client, params, on_##name, call));              \
    }

#define DEFINE(name, type)                                                                         \
    CALL_ON(on_##name, type)                                                                       \
    DEFINE_START(name)

#define DEFINE_DONE(name)                                                                          \
    static void on_##name(scalekit_request *request, bool done, void *call)                        \
    {                                                                                              \
        call_on_done(request, done, call);                                                         \
    }                                                                                              \
    DEFINE_START(name)

FUNCTIONS(DEFINE, DEFINE_DONE)

#define ROW(name, type) {#name, start_##name},
#define ROW_DONE(name)  {#name, start_##name},

const struct function functions[] = {FUNCTIONS(ROW, ROW_DONE){NULL, NULL}};

const struct function *function_find(const char *operation)
{
    for (const struct function *function = functions; function->operation; function++)
        if (strcmp(function->operation, operation) == 0)
            return function;
    return NULL;
}
