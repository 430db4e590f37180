/* routes.h - the handlers, one per row of the routing table in routes.c. */
#ifndef EMU_ROUTES_H
#define EMU_ROUTES_H

#include "server.h"

/* token.c */
void emu_route_token(struct emu_request *request);

/* account_routes.c */
void emu_route_create(struct emu_request *request);
void emu_route_update(struct emu_request *request);
void emu_route_delete(struct emu_request *request);
void emu_route_details(struct emu_request *request);
void emu_route_auth(struct emu_request *request);
void emu_route_magic_link(struct emu_request *request);
void emu_route_verify(struct emu_request *request);
void emu_route_account(struct emu_request *request);
void emu_route_disconnect(struct emu_request *request);
/* Its links go with it. */
void emu_account_delete(scalekit_emulator *emulator, struct emu_account *account);

/* connection_routes.c */
void emu_route_connection(struct emu_request *request);
void emu_route_connection_create(struct emu_request *request);
void emu_route_connection_update(struct emu_request *request);
void emu_route_connection_enable(struct emu_request *request);
void emu_route_connection_disable(struct emu_request *request);
void emu_route_connection_delete(struct emu_request *request);
void emu_route_connection_test(struct emu_request *request);
void emu_route_app_connections(struct emu_request *request);

/* list.c */
void emu_route_list(struct emu_request *request);
void emu_route_search(struct emu_request *request);

/* event.c */
void emu_route_events(struct emu_request *request);
void emu_route_events_paginated(struct emu_request *request);

/* tool_call_log.c */
void emu_route_tool_call_logs(struct emu_request *request);
void emu_route_tool_call_log(struct emu_request *request);

/* analytics.c */
void emu_route_overview(struct emu_request *request);

/* tool.c */
void emu_route_execute(struct emu_request *request);

/* tool_list.c */
void emu_route_tool_list(struct emu_request *request);
void emu_route_tool_scoped(struct emu_request *request);
void emu_route_tool_available(struct emu_request *request);
void emu_route_tool_search(struct emu_request *request);

/* tool_change.c */
void emu_route_tool_create(struct emu_request *request);
void emu_route_tool_update(struct emu_request *request);
void emu_route_tool_delete(struct emu_request *request);
void emu_route_tool_set_default(struct emu_request *request);
void emu_route_tool_refresh(struct emu_request *request);

/* provider_routes.c */
void emu_route_provider_list(struct emu_request *request);
void emu_route_provider_create(struct emu_request *request);
void emu_route_provider_update(struct emu_request *request);
void emu_route_provider_delete(struct emu_request *request);
void emu_route_custom_provider_create(struct emu_request *request);
void emu_route_custom_provider_update(struct emu_request *request);
void emu_route_custom_provider_delete(struct emu_request *request);

/* mcp_config.c */
void emu_route_mcp_config_create(struct emu_request *request);
void emu_route_mcp_config_update(struct emu_request *request);
void emu_route_mcp_config_list(struct emu_request *request);
void emu_route_mcp_config_get(struct emu_request *request);
void emu_route_mcp_config_delete(struct emu_request *request);
void emu_route_mcp_config_accounts(struct emu_request *request);
void emu_route_mcp_token_create(struct emu_request *request);

/* mcp_instance.c */
void emu_route_mcp_instance_ensure(struct emu_request *request);
void emu_route_mcp_instance_list(struct emu_request *request);
void emu_route_mcp_instance_get(struct emu_request *request);
void emu_route_mcp_instance_update(struct emu_request *request);
void emu_route_mcp_instance_delete(struct emu_request *request);
void emu_route_mcp_instance_state(struct emu_request *request);

/* mcp_server.c */
void emu_route_mcp_server_create(struct emu_request *request);
void emu_route_mcp_server_list(struct emu_request *request);
void emu_route_mcp_server_get(struct emu_request *request);
void emu_route_mcp_server_delete(struct emu_request *request);

/* consent.c */
void emu_route_consent_page(struct emu_request *request);
void emu_route_consent_decision(struct emu_request *request);
void emu_route_consent_done(struct emu_request *request);

/* proxy.c */
void emu_route_proxy(struct emu_request *request);

/* echo.c */
void emu_route_echo(struct emu_request *request);

/* gmail.c */
void emu_route_gmail_list(struct emu_request *request);
void emu_route_gmail_get(struct emu_request *request);

/* admin.c */
void emu_route_alive(struct emu_request *request);
void emu_route_index(struct emu_request *request);
void emu_route_stats(struct emu_request *request);
void emu_route_script(struct emu_request *request);
void emu_route_status(struct emu_request *request);
void emu_route_fail(struct emu_request *request);
void emu_route_revoke_tokens(struct emu_request *request);

/* webhook_routes.c */
void emu_route_webhook(struct emu_request *request);
void emu_route_webhook_list(struct emu_request *request);
void emu_route_deliveries(struct emu_request *request);

#endif
