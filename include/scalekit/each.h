/* scalekit/each.h - whole lists: every page or every item of what comes a page at a time.
 *
 *     static bool on_account(scalekit_request *request,
 *                            const struct scalekit_connected_account *account, void *user)
 *     {
 *         …
 *         return true;                                        false: that was all I wanted
 *     }
 *
 *     scalekit_each_connected_account(client, NULL, NULL, on_account, on_done, user);
 *
 * Each function here follows one operation that lists, from the page it is given (page_token; the
 * first, without) to the last.  It takes that operation's parameters, copied, with the same limits
 * and the same errors; NULL where that operation may have NULL.
 *
 * `each_page` is called with every page, then `each_item` with each item on it; one of them may be
 * NULL.  What they get is borrowed until they return.  The next page is asked for only when they
 * have returned for all of this one.  Where one returns false nothing more is asked for or called,
 * but `done`, and that is a success.  They may call anything; after they have cancelled the request
 * or freed the client, only `done` follows.
 *
 * `done` is called once, by the contract of every request.  Without it, without the client, without
 * both of the others, or without memory, the request is not accepted: NULL.
 *
 * The deadline (scalekit_request_set_deadline(), else the client's deadline_ms) is that of each
 * page, and so are the retries.  scalekit_request_attempts() counts those of all pages; the HTTP
 * status is that of the latest.
 *
 * Errors beside those of the operation: SCALEKIT_ERR_PROTOCOL: the service gave a page_token a
 * second time, which would lead round in a circle; SCALEKIT_ERR_TOO_LARGE: there are more than
 * 100,000 pages.  Items that were told before an error stay told. */
#ifndef SCALEKIT_EACH_H
#define SCALEKIT_EACH_H

#include <scalekit/connected_account.h>
#include <scalekit/connection.h>
#include <scalekit/event.h>
#include <scalekit/mcp.h>
#include <scalekit/provider.h>
#include <scalekit/tool.h>
#include <scalekit/tool_call_log.h>

SCALEKIT_BEGIN

/* How many items all pages have together, as the latest page says; for each_item, as each_page sees
 * it in its page.  To be asked inside the callbacks, or of a request that was done without an error
 * and is still referenced.  -1: not known. */
SCALEKIT_API int64_t scalekit_each_total_size(const scalekit_request *request);

/* --- connected accounts ----------------------------------------------------------------------- */

typedef bool (*scalekit_each_connected_account_page_cb)(
    scalekit_request *request, const struct scalekit_connected_account_page *page, void *user);
typedef bool (*scalekit_each_connected_account_cb)(scalekit_request *request,
                                                   const struct scalekit_connected_account *account,
                                                   void *user);

/* Follows scalekit_list_connected_accounts(). */
SCALEKIT_API scalekit_request *scalekit_each_connected_account(
    scalekit_client *client, const struct scalekit_list_connected_accounts_params *params,
    scalekit_each_connected_account_page_cb each_page, scalekit_each_connected_account_cb each_item,
    scalekit_done_cb done, void *user);

/* Follows scalekit_search_connected_accounts(). */
SCALEKIT_API scalekit_request *scalekit_each_found_connected_account(
    scalekit_client *client, const struct scalekit_search_connected_accounts_params *params,
    scalekit_each_connected_account_page_cb each_page, scalekit_each_connected_account_cb each_item,
    scalekit_done_cb done, void *user);

/* --- tools ------------------------------------------------------------------------------------ */

typedef bool (*scalekit_each_tool_page_cb)(scalekit_request *request,
                                           const struct scalekit_tool_page *page, void *user);
typedef bool (*scalekit_each_tool_cb)(scalekit_request *request, const struct scalekit_tool *tool,
                                      void *user);

/* Follows scalekit_list_tools().  Where only names are asked for they are on the page, and there
 * are no items. */
SCALEKIT_API scalekit_request *scalekit_each_tool(scalekit_client *client,
                                                  const struct scalekit_list_tools_params *params,
                                                  scalekit_each_tool_page_cb each_page,
                                                  scalekit_each_tool_cb each_item,
                                                  scalekit_done_cb done, void *user);

/* Follows scalekit_list_available_tools(). */
SCALEKIT_API scalekit_request *scalekit_each_available_tool(
    scalekit_client *client, const struct scalekit_list_available_tools_params *params,
    scalekit_each_tool_page_cb each_page, scalekit_each_tool_cb each_item, scalekit_done_cb done,
    void *user);

/* --- tools, each with an account -------------------------------------------------------------- */

typedef bool (*scalekit_each_scoped_tool_page_cb)(scalekit_request *request,
                                                  const struct scalekit_scoped_tool_page *page,
                                                  void *user);
typedef bool (*scalekit_each_scoped_tool_cb)(scalekit_request *request,
                                             const struct scalekit_scoped_tool *tool, void *user);

/* Follows scalekit_list_scoped_tools(). */
SCALEKIT_API scalekit_request *scalekit_each_scoped_tool(
    scalekit_client *client, const struct scalekit_list_scoped_tools_params *params,
    scalekit_each_scoped_tool_page_cb each_page, scalekit_each_scoped_tool_cb each_item,
    scalekit_done_cb done, void *user);

/* --- MCP configurations ----------------------------------------------------------------------- */

typedef bool (*scalekit_each_mcp_config_page_cb)(scalekit_request *request,
                                                 const struct scalekit_mcp_config_page *page,
                                                 void *user);
typedef bool (*scalekit_each_mcp_config_cb)(scalekit_request *request,
                                            const struct scalekit_mcp_config *config, void *user);

/* Follows scalekit_list_mcp_configs(). */
SCALEKIT_API scalekit_request *scalekit_each_mcp_config(
    scalekit_client *client, const struct scalekit_list_mcp_configs_params *params,
    scalekit_each_mcp_config_page_cb each_page, scalekit_each_mcp_config_cb each_item,
    scalekit_done_cb done, void *user);

/* --- MCP instances ---------------------------------------------------------------------------- */

typedef bool (*scalekit_each_mcp_instance_page_cb)(scalekit_request *request,
                                                   const struct scalekit_mcp_instance_page *page,
                                                   void *user);
typedef bool (*scalekit_each_mcp_instance_cb)(scalekit_request *request,
                                              const struct scalekit_mcp_instance *instance,
                                              void *user);

/* Follows scalekit_list_mcp_instances(). */
SCALEKIT_API scalekit_request *scalekit_each_mcp_instance(
    scalekit_client *client, const struct scalekit_list_mcp_instances_params *params,
    scalekit_each_mcp_instance_page_cb each_page, scalekit_each_mcp_instance_cb each_item,
    scalekit_done_cb done, void *user);

/* --- providers -------------------------------------------------------------------------------- */

typedef bool (*scalekit_each_provider_page_cb)(scalekit_request *request,
                                               const struct scalekit_provider_page *page,
                                               void *user);
typedef bool (*scalekit_each_provider_cb)(scalekit_request *request,
                                          const struct scalekit_provider *provider, void *user);

/* Follows scalekit_list_providers(). */
SCALEKIT_API scalekit_request *scalekit_each_provider(
    scalekit_client *client, const struct scalekit_list_providers_params *params,
    scalekit_each_provider_page_cb each_page, scalekit_each_provider_cb each_item,
    scalekit_done_cb done, void *user);

/* --- connections ------------------------------------------------------------------------------ */

typedef bool (*scalekit_each_app_connection_page_cb)(scalekit_request *request,
                                                     const struct scalekit_connection_page *page,
                                                     void *user);
typedef bool (*scalekit_each_app_connection_cb)(
    scalekit_request *request, const struct scalekit_connection_summary *connection, void *user);

/* Follows scalekit_list_app_connections(). */
SCALEKIT_API scalekit_request *scalekit_each_app_connection(
    scalekit_client *client, const struct scalekit_list_app_connections_params *params,
    scalekit_each_app_connection_page_cb each_page, scalekit_each_app_connection_cb each_item,
    scalekit_done_cb done, void *user);

/* --- events ----------------------------------------------------------------------------------- */

typedef bool (*scalekit_each_event_page_cb)(scalekit_request *request,
                                            const struct scalekit_event_page *page, void *user);
typedef bool (*scalekit_each_event_cb)(scalekit_request *request,
                                       const struct scalekit_event *event, void *user);

/* Follows scalekit_list_events(). */
SCALEKIT_API scalekit_request *scalekit_each_event(scalekit_client *client,
                                                   const struct scalekit_list_events_params *params,
                                                   scalekit_each_event_page_cb each_page,
                                                   scalekit_each_event_cb each_item,
                                                   scalekit_done_cb done, void *user);

/* Follows scalekit_list_events_paginated(). */
SCALEKIT_API scalekit_request *scalekit_each_event_paginated(
    scalekit_client *client, const struct scalekit_list_events_params *params,
    scalekit_each_event_page_cb each_page, scalekit_each_event_cb each_item, scalekit_done_cb done,
    void *user);

/* --- calls of tools --------------------------------------------------------------------------- */

typedef bool (*scalekit_each_tool_call_log_page_cb)(scalekit_request *request,
                                                    const struct scalekit_tool_call_log_page *page,
                                                    void *user);
typedef bool (*scalekit_each_tool_call_log_cb)(scalekit_request *request,
                                               const struct scalekit_tool_call_log *log,
                                               void *user);

/* Follows scalekit_list_tool_call_logs(). */
SCALEKIT_API scalekit_request *scalekit_each_tool_call_log(
    scalekit_client *client, const struct scalekit_list_tool_call_logs_params *params,
    scalekit_each_tool_call_log_page_cb each_page, scalekit_each_tool_call_log_cb each_item,
    scalekit_done_cb done, void *user);

SCALEKIT_END

#endif
