#include "routes.h"
#include <event2/http.h>

#define ACCOUNTS         "/api/v1/connected_accounts"
#define CONNECTIONS      "/api/v1/connections"
#define MCP              "/api/v1/mcp"
#define TOOLS            "/api/v1/tools"
#define PROVIDERS        "/api/v1/providers"
#define CUSTOM_PROVIDERS "/api/v1/custom-providers"
#define AGENTKIT         "/api/v1/agentkit"

/* What the emulator's own endpoints take. */
static const char *const nothing[] = {NULL};
static const char *const of_script[] = {"connector", "connection_name", "identifier",
                                        "consent",   "after_ms",        NULL};
static const char *const of_status[] = {"connector", "connection_name", "identifier", "status",
                                        NULL};
static const char *const of_webhook[] = {"url",     "secret",    "loss",        "duplicate",
                                         "reorder", "delay",     "delay_ms",    "seed",
                                         "speed",   "answer_ms", "connections", NULL};
static const char *const of_fail[] = {"path_prefix", "times", "status", "body", "delay_ms", NULL};

const struct emu_route emu_routes[] = {
    {EVHTTP_REQ_POST, "/oauth/token", emu_route_token, 0, NULL},

    {EVHTTP_REQ_GET, ACCOUNTS "/details", emu_route_details, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS "/auth", emu_route_auth, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS, emu_route_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS ":search", emu_route_search, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS, emu_route_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_PUT, ACCOUNTS, emu_route_update, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS ":delete", emu_route_delete, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS "/magic_link", emu_route_magic_link, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS "/user/verify", emu_route_verify, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS "/*", emu_route_account, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS "/*:disconnect", emu_route_disconnect, EMU_SIGNED_IN | EMU_BODY,
     NULL},

    {EVHTTP_REQ_POST, CONNECTIONS, emu_route_connection_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_GET, CONNECTIONS "/app", emu_route_app_connections, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_PATCH, CONNECTIONS "/*:enable", emu_route_connection_enable, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_PATCH, CONNECTIONS "/*:disable", emu_route_connection_disable, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, CONNECTIONS "/*", emu_route_connection, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_PATCH, CONNECTIONS "/*", emu_route_connection_update, EMU_SIGNED_IN | EMU_BODY,
     NULL},
    {EVHTTP_REQ_DELETE, CONNECTIONS "/*", emu_route_connection_delete, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, CONNECTIONS "/*/test-requests/*", emu_route_connection_test, EMU_SIGNED_IN,
     NULL},

    {EVHTTP_REQ_POST, "/api/v1/execute_tool", emu_route_execute, EMU_SIGNED_IN | EMU_BODY, NULL},

    {EVHTTP_REQ_GET, TOOLS, emu_route_tool_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, TOOLS "/scoped", emu_route_tool_scoped, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, TOOLS "/available", emu_route_tool_available, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, TOOLS ":search", emu_route_tool_search, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, TOOLS ":refresh", emu_route_tool_refresh, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, TOOLS, emu_route_tool_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_PUT, TOOLS, emu_route_tool_update, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, TOOLS ":set_default", emu_route_tool_set_default, EMU_SIGNED_IN | EMU_BODY,
     NULL},
    {EVHTTP_REQ_DELETE, TOOLS "/*", emu_route_tool_delete, EMU_SIGNED_IN, NULL},

    {EVHTTP_REQ_GET, PROVIDERS, emu_route_provider_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, PROVIDERS, emu_route_provider_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_PUT, PROVIDERS "/*", emu_route_provider_update, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_DELETE, PROVIDERS "/*", emu_route_provider_delete, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, CUSTOM_PROVIDERS, emu_route_custom_provider_create, EMU_SIGNED_IN | EMU_BODY,
     NULL},
    {EVHTTP_REQ_PUT, CUSTOM_PROVIDERS "/*", emu_route_custom_provider_update,
     EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_DELETE, CUSTOM_PROVIDERS "/*", emu_route_custom_provider_delete, EMU_SIGNED_IN,
     NULL},

    {EVHTTP_REQ_POST, "/api/v1/events", emu_route_events, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, "/api/v1/events/paginated", emu_route_events_paginated,
     EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_GET, AGENTKIT "/tool_call_logs", emu_route_tool_call_logs, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, AGENTKIT "/tool_call_logs/*", emu_route_tool_call_log, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, AGENTKIT "/analytics/overview", emu_route_overview, EMU_SIGNED_IN, NULL},

    {EVHTTP_REQ_POST, MCP "/configs", emu_route_mcp_config_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_GET, MCP "/configs", emu_route_mcp_config_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, MCP "/configs/*", emu_route_mcp_config_get, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_PUT, MCP "/configs/*", emu_route_mcp_config_update, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_DELETE, MCP "/configs/*", emu_route_mcp_config_delete, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, MCP "/configs/*/connected_accounts", emu_route_mcp_config_accounts,
     EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, MCP "/configs/*/tokens", emu_route_mcp_token_create, EMU_SIGNED_IN | EMU_BODY,
     NULL},
    {EVHTTP_REQ_POST, MCP "/instances", emu_route_mcp_instance_ensure, EMU_SIGNED_IN | EMU_BODY,
     NULL},
    {EVHTTP_REQ_GET, MCP "/instances", emu_route_mcp_instance_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, MCP "/instances/*", emu_route_mcp_instance_get, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_PATCH, MCP "/instances/*", emu_route_mcp_instance_update, EMU_SIGNED_IN | EMU_BODY,
     NULL},
    {EVHTTP_REQ_DELETE, MCP "/instances/*", emu_route_mcp_instance_delete, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, MCP "/instances/*:get_auth_state", emu_route_mcp_instance_state,
     EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, MCP, emu_route_mcp_server_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_GET, MCP, emu_route_mcp_server_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, MCP "/*", emu_route_mcp_server_get, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_DELETE, MCP "/*", emu_route_mcp_server_delete, EMU_SIGNED_IN, NULL},

    {0, "/proxy/", emu_route_proxy, EMU_LARGE, NULL},

    {EVHTTP_REQ_GET, "/magicLink/", emu_route_consent_page, 0, NULL},
    {EVHTTP_REQ_POST, "/magicLink/", emu_route_consent_decision, 0, NULL},
    {EVHTTP_REQ_GET, "/connect/success", emu_route_consent_done, 0, NULL},

    {EVHTTP_REQ_GET, "/gmail/v1/users/me/messages", emu_route_gmail_list, 0, NULL},
    {EVHTTP_REQ_GET, "/gmail/v1/users/me/messages/", emu_route_gmail_get, 0, NULL},

    {EVHTTP_REQ_GET, "/isalive", emu_route_alive, 0, NULL},
    {EVHTTP_REQ_GET, "/_emulator", emu_route_index, EMU_ADMIN, NULL},
    {EVHTTP_REQ_GET, "/_emulator/stats", emu_route_stats, EMU_ADMIN, NULL},
    {EVHTTP_REQ_POST, "/_emulator/consent", emu_route_script, EMU_ADMIN | EMU_BODY, of_script},
    {EVHTTP_REQ_POST, "/_emulator/status", emu_route_status, EMU_ADMIN | EMU_BODY, of_status},
    {EVHTTP_REQ_POST, "/_emulator/fail", emu_route_fail, EMU_ADMIN | EMU_BODY, of_fail},
    {EVHTTP_REQ_POST, "/_emulator/revoke_tokens", emu_route_revoke_tokens, EMU_ADMIN | EMU_BODY,
     nothing},
    {EVHTTP_REQ_POST, "/_emulator/webhook", emu_route_webhook, EMU_ADMIN | EMU_BODY, of_webhook},
    {EVHTTP_REQ_GET, "/_emulator/webhooks", emu_route_webhook_list, EMU_ADMIN, NULL},
    {EVHTTP_REQ_GET, "/_emulator/deliveries", emu_route_deliveries, EMU_ADMIN, NULL},
    {0},
};
