/* scalekit/tool.h - running a provider's tool on behalf of a user. */
#ifndef SCALEKIT_TOOL_H
#define SCALEKIT_TOOL_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* Which tool, for which account, with what input. */
struct scalekit_execute_tool_params {
    size_t struct_size;
    const char *tool_name;            /* required: "gmail_fetch_mails" */
    const char *connected_account_id; /* up to 100 characters; or the next two */
    const char *connection_name;      /* up to 400 characters of A-Z a-z 0-9 _ : - and space */
    const char *identifier;
    const char *organization_id; /* up to 100 characters */
    const char *user_id;         /* up to 100 characters */
    const char *agent_run_id;    /* up to 255 characters; appears in the tool-call log */
    const char *tool_input; /* a JSON object as text; NULL: {}.  Numbers travel as doubles: send
                                  * integers beyond 2^53 as strings. */
};

/* What the tool returned. */
struct scalekit_tool_result {
    size_t struct_size;
    const char *data; /* a JSON object as text; its shape is the tool's */
    const char *execution_id;
};

/* Completion of a tool call; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_tool_result_cb)(scalekit_request *request,
                                        const struct scalekit_tool_result *result, void *user);

/* Runs a tool.  Never sent twice once a byte of it may have arrived; the time allowed is the
 * client's tool_deadline_ms.
 *
 * HTTP: POST /api/v1/execute_tool.  Errors: those of connected_account.h; SCALEKIT_ERR_NOT_FOUND:
 * no such tool or account; SCALEKIT_ERR_TOOL and its kin: the provider failed. */
SCALEKIT_API scalekit_request *scalekit_execute_tool(
    scalekit_client *client, const struct scalekit_execute_tool_params *params,
    scalekit_tool_result_cb cb, void *user);

SCALEKIT_END

#endif
