/* scalekit/tool_call_log.h - the tools that were called, and what came of it.
 *
 * Preview: Scalekit may still change these operations.
 *
 * Limits, checked before anything is sent: execution_id 1 to 64 characters; identifier,
 * agent_run_id and connection_name up to 255; page_size 0 to 4,294,967,295; end_time not before
 * start_time.  What is out of limits fails with SCALEKIT_ERR_INVALID and the parameter's name.
 * Other errors: those of connected_account.h. */
#ifndef SCALEKIT_TOOL_CALL_LOG_H
#define SCALEKIT_TOOL_CALL_LOG_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* One call of a tool.  Text that is absent, null or empty on the wire is NULL.  source, status,
 * error_tier and error_code are open sets of words. */
struct scalekit_tool_call_log {
    size_t struct_size;
    const char *id;           /* "tcl_1234567890" */
    const char *execution_id; /* as in the tool's result, or its error */
    const char *agent_run_id; /* as it was given to execute_tool */
    const char *tool_name;
    const char *provider; /* "GMAIL" */
    const char *connected_account_id;
    const char *connection_id;
    const char *connection_name;
    const char *identifier; /* your name for the user */
    const char *user_id;
    const char *organization_id;
    const char *source; /* who called */
    const char *status;
    const char *error_tier; /* who failed: the provider, or the platform; NULL when nobody did */
    const char *error_code;
    const char *error_message;
    int64_t duration_ms;
    scalekit_time started_at;
    const char *environment_id;
    const char *workspace_id;
};

/* One page of calls. */
struct scalekit_tool_call_log_page {
    size_t struct_size;
    const struct scalekit_tool_call_log *const *logs;
    size_t n_logs;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* Completion with one call; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_tool_call_log_cb)(scalekit_request *request,
                                          const struct scalekit_tool_call_log *log, void *user);

/* Completion with a page of calls; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_tool_call_log_page_cb)(scalekit_request *request,
                                               const struct scalekit_tool_call_log_page *page,
                                               void *user);

/* Which calls to list.  All members may be absent. */
struct scalekit_list_tool_call_logs_params {
    size_t struct_size;
    scalekit_time start_time;  /* calls that started at this moment or later */
    scalekit_time end_time;    /* calls that started at this moment or before */
    const char *const *status; /* any of these */
    size_t n_status;
    const char *const *provider; /* any of these */
    size_t n_provider;
    const char *connection_id;
    const char *connection_name; /* up to 255 characters */
    const char *connected_account_id;
    const char *identifier;   /* up to 255 characters */
    const char *agent_run_id; /* up to 255 characters */
    int64_t page_size;        /* 0: the server's default */
    const char *page_token;   /* of the page before */
};

/* Lists calls of tools, a page at a time.  `params` may be NULL: all of them.  Preview.
 *
 * HTTP: GET /api/v1/agentkit/tool_call_logs. */
SCALEKIT_API scalekit_request *scalekit_list_tool_call_logs(
    scalekit_client *client, const struct scalekit_list_tool_call_logs_params *params,
    scalekit_tool_call_log_page_cb cb, void *user);

/* Which call. */
struct scalekit_get_tool_call_log_params {
    size_t struct_size;
    const char *execution_id; /* required, 1 to 64 characters */
};

/* One call of a tool, by the execution id of its result or error.  Preview.
 *
 * HTTP: GET /api/v1/agentkit/tool_call_logs/{execution_id}.  Errors: SCALEKIT_ERR_NOT_FOUND: there
 * was no such call. */
SCALEKIT_API scalekit_request *scalekit_get_tool_call_log(
    scalekit_client *client, const struct scalekit_get_tool_call_log_params *params,
    scalekit_tool_call_log_cb cb, void *user);

SCALEKIT_END

#endif
