/* scalekit/scalekit.h - everything, and the tour.
 *
 * libscalekit is an asynchronous client of Scalekit AgentKit for programs built on libevent: it
 * connects users' accounts at providers (Gmail, Slack, …), tells the program when a user has
 * consented, and lends it the tokens.
 *
 * The way through it
 * ------------------
 *   scalekit_config_from_env()        or fill a struct scalekit_config      client.h
 *   scalekit_client_new()             one client per environment and loop   client.h
 *   scalekit_connect_account()        user -> link -> event when ACTIVE     watch.h
 *   scalekit_watch_accounts()         many accounts watched as one          watch_set.h
 *   scalekit_watch_connection()       every account of a connection       watch_connection.h
 *   scalekit_get_connected_account()  fresh tokens, to call the provider    connected_account.h
 *   scalekit_execute_tool()           or let Scalekit call it               tool.h
 *   scalekit_proxy_request()          or any of its routes, as it is        proxy.h
 *   scalekit_create_mcp_config()      or let an agent call it, by MCP       mcp.h
 *   scalekit_client_add_tool_hook()   your functions around every call      tool_hook.h
 *   scalekit_list_app_connections()   the connections, and their setup      connection.h
 *   scalekit_check_accounts()         many accounts, with few requests      check_accounts.h
 *   scalekit_each_connected_account() a whole list, page after page         each.h
 *   scalekit_list_events()            what happened to accounts since       event.h
 *   scalekit_list_tool_call_logs()    the calls of tools; also counted      tool_call_log.h,
 *                                                                           analytics.h
 *   scalekit_user_verification_finish()
 *                                     says that the right user consented    user_verification.h
 *   scalekit_webhook_open()           what Scalekit posts to your server    webhook.h
 *   scalekit_webhook_deliver()        told at once, and the watches too     webhook_deliver.h
 *   scalekit_webhook_server_new()     the server, ready-made                webhook_server.h
 *   scalekit_submit()                 other threads reach the client        submit.h
 *   scalekit_governor_new()           one limit of requests, many clients   governor.h
 *
 * Every step of scalekit_connect_account() is also there by itself: get_or_create, the
 * authorization link, the watch.
 *
 * The contract of a request
 * -------------------------
 *   1. Once.     Every accepted request calls back exactly once: result, failure, deadline, cancel,
 *                or client freed.
 *   2. Later.    Never from inside the call that started or cancelled it; always from the loop.
 *                (scalekit_client_free() is the one exception: it completes what is pending before
 *                it returns, unless called from inside a callback, when it does so right after that
 *                callback has returned.)
 *   3. Borrowed. Arguments of a callback live until it returns, or as long as the caller holds a
 *                reference to the request.
 *   4. Free to call anything.  Cancel any request, start new ones, stop watches, free the client:
 *                all legal in a callback.
 *   5. Threads.  One client, and all that was got from it, belongs to the thread that runs its
 *                event_base: no other may touch it, nor look at its results.  Clients share nothing
 *                (no global mutable state): many clients, many threads.  It may be made, and set up,
 *                by one thread before another runs the loop, and freed when that has ended.
 *                scalekit_submit() is how another thread reaches it; scalekit_version(),
 *                scalekit_strerror() and what else has no client is for every thread.
 *   6. The library never blocks, never prints, never exits, never aborts on out-of-memory, never
 *                touches signal dispositions, and no peer can raise SIGPIPE in the process.  It
 *                keeps the loop alive only while something is pending, as a webhook server is
 *                until it is freed.
 *   7. fork().   A client may cross it before its first request or hold (the child calls
 *                event_reinit()); from then on it belongs to the process that made it.
 *
 * Conventions
 * -----------
 *   Handles are opaque typedefs (scalekit_client); data are plain structures (struct
 *   scalekit_connected_account).  Input structures are made with SCALEKIT_PARAMS() and copied;
 *   results are read-only and borrowed.  Absent text is NULL, an absent moment 0, an absent list
 *   NULL with count 0.  Durations are milliseconds, moments scalekit_time.  Structures only ever
 *   grow at their end. */
#ifndef SCALEKIT_SCALEKIT_H
#define SCALEKIT_SCALEKIT_H

#include <scalekit/analytics.h>
#include <scalekit/authorization_link.h>
#include <scalekit/call.h>
#include <scalekit/check_accounts.h>
#include <scalekit/client.h>
#include <scalekit/connected_account.h>
#include <scalekit/connection.h>
#include <scalekit/connection_config.h>
#include <scalekit/each.h>
#include <scalekit/error.h>
#include <scalekit/event.h>
#include <scalekit/governor.h>
#include <scalekit/log.h>
#include <scalekit/mcp.h>
#include <scalekit/operation.h>
#include <scalekit/provider.h>
#include <scalekit/proxy.h>
#include <scalekit/request.h>
#include <scalekit/submit.h>
#include <scalekit/tool.h>
#include <scalekit/tool_call_log.h>
#include <scalekit/tool_hook.h>
#include <scalekit/types.h>
#include <scalekit/user_verification.h>
#include <scalekit/version.h>
#include <scalekit/watch.h>
#include <scalekit/watch_connection.h>
#include <scalekit/watch_set.h>
#include <scalekit/watch_stats.h>
#include <scalekit/webhook.h>
#include <scalekit/webhook_deliver.h>
#include <scalekit/webhook_server.h>

#endif
