#include "api/operations.h"
#include "api/time_range.h"
#include "core/request.h"
#include <scalekit/tool_call_log.h>

static const struct ski_field log_fields[] = {
    STRING(scalekit_tool_call_log, id, "id"),
    STRING(scalekit_tool_call_log, environment_id, "environment_id"),
    STRING(scalekit_tool_call_log, execution_id, "execution_id"),
    STRING(scalekit_tool_call_log, agent_run_id, "agent_run_id"),
    STRING(scalekit_tool_call_log, tool_name, "tool_name"),
    STRING(scalekit_tool_call_log, provider, "provider"),
    STRING(scalekit_tool_call_log, connected_account_id, "connected_account_id"),
    STRING(scalekit_tool_call_log, connection_id, "connection_id"),
    STRING(scalekit_tool_call_log, connection_name, "connection_name"),
    STRING(scalekit_tool_call_log, identifier, "identifier"),
    STRING(scalekit_tool_call_log, user_id, "user_id"),
    STRING(scalekit_tool_call_log, organization_id, "organization_id"),
    STRING(scalekit_tool_call_log, source, "source"),
    STRING(scalekit_tool_call_log, status, "status"),
    STRING(scalekit_tool_call_log, error_tier, "error_tier"),
    STRING(scalekit_tool_call_log, error_code, "error_code"),
    STRING(scalekit_tool_call_log, error_message, "error_message"),
    INTEGER(scalekit_tool_call_log, duration_ms, "duration_ms"),
    TIMESTAMP(scalekit_tool_call_log, started_at, "started_at"),
    STRING(scalekit_tool_call_log, workspace_id, "workspace_id"),
    END,
};
static const struct ski_type log_type = TYPE(scalekit_tool_call_log, log_fields);

static const struct ski_field page_fields[] = {
    OBJECTS(scalekit_tool_call_log_page, logs, scalekit_tool_call_log, log_type, "tool_call_logs"),
    STRING(scalekit_tool_call_log_page, next_page_token, "next_page_token"),
    INTEGER(scalekit_tool_call_log_page, total_size, "total_size"),
    STRING(scalekit_tool_call_log_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type page_type = TYPE(scalekit_tool_call_log_page, page_fields);

static const struct ski_field list_fields[] = {
    TIMESTAMP(scalekit_list_tool_call_logs_params, start_time, "start_time"),
    TIMESTAMP(scalekit_list_tool_call_logs_params, end_time, "end_time"),
    STRINGS(scalekit_list_tool_call_logs_params, status, "status"),
    STRINGS(scalekit_list_tool_call_logs_params, provider, "provider"),
    STRING(scalekit_list_tool_call_logs_params, connection_id, "connection_id"),
    STRING(scalekit_list_tool_call_logs_params, connected_account_id, "connected_account_id"),
    STRING(scalekit_list_tool_call_logs_params, identifier, "identifier", .max = 255),
    STRING(scalekit_list_tool_call_logs_params, agent_run_id, "agent_run_id", .max = 255),
    INTEGER(scalekit_list_tool_call_logs_params, page_size, "page_size", .max = UINT32_MAX),
    STRING(scalekit_list_tool_call_logs_params, page_token, "page_token"),
    STRING(scalekit_list_tool_call_logs_params, connection_name, "connection_name", .max = 255),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_tool_call_logs_params, list_fields);
CHECK_TIME_RANGE(scalekit_list_tool_call_logs_params)

static const struct ski_field get_fields[] = {
    STRING(scalekit_get_tool_call_log_params, execution_id, "execution_id",
           .flags = SKI_REQUIRED | SKI_PATH, .min = 1, .max = 64),
    END,
};
static const struct ski_type get_type = TYPE(scalekit_get_tool_call_log_params, get_fields);

DELIVER(deliver_log, scalekit_tool_call_log_cb)
DELIVER(deliver_page, scalekit_tool_call_log_page_cb)

enum { LIST, GET };

const struct ski_operation ski_tool_call_log_operations[] = {
    [LIST] = {.name = "list_tool_call_logs",
              .method = "GET",
              .path = "/api/v1/agentkit/tool_call_logs",
              .summary = "the calls of tools, and what came of them",
              .placement = SKI_IN_QUERY,
              .idempotency = SKI_SAFE,
              .preview = true,
              .params = &list_type,
              .check = check_scalekit_list_tool_call_logs_params,
              .result = &page_type,
              .result_offset = SKI_WHOLE_RESULT,
              .deliver = deliver_page},
    [GET] = {.name = "get_tool_call_log",
             .method = "GET",
             .path = "/api/v1/agentkit/tool_call_logs/{execution_id}",
             .summary = "one call of a tool, by its execution id",
             .placement = SKI_IN_QUERY,
             .idempotency = SKI_SAFE,
             .preview = true,
             .params = &get_type,
             .result = &log_type,
             .result_offset = SKI_WHOLE_RESULT,
             .deliver = deliver_log},
    {.name = NULL},
};

scalekit_request *scalekit_list_tool_call_logs(
    scalekit_client *client, const struct scalekit_list_tool_call_logs_params *params,
    scalekit_tool_call_log_page_cb cb, void *user)
{
    static const struct scalekit_list_tool_call_logs_params everything = {.struct_size =
                                                                              sizeof everything};

    if (!params)
        params = &everything;
    return ski_request_start(client, &ski_tool_call_log_operations[LIST], params, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_get_tool_call_log(scalekit_client *client,
                                             const struct scalekit_get_tool_call_log_params *params,
                                             scalekit_tool_call_log_cb cb, void *user)
{
    return ski_request_start(client, &ski_tool_call_log_operations[GET], params, (ski_callback)cb,
                             user);
}
