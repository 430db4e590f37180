#include "api/account_key.h"
#include "core/request.h"
#include <scalekit/tool.h>

static const struct ski_field execute_fields[] = {
    STRING(scalekit_execute_tool_params, tool_name, "tool_name", .flags = SKI_REQUIRED),
    STRING(scalekit_execute_tool_params, identifier, "identifier"),
    JSON(scalekit_execute_tool_params, tool_input, "params", .flags = SKI_SECRET | SKI_ALWAYS),
    STRING(scalekit_execute_tool_params, connected_account_id, "connected_account_id", .max = 100),
    STRING(scalekit_execute_tool_params, connection_name, "connector", .max = 400,
           .check = ski_check_connection_name),
    STRING(scalekit_execute_tool_params, organization_id, "organization_id", .max = 100),
    STRING(scalekit_execute_tool_params, user_id, "user_id", .max = 100),
    STRING(scalekit_execute_tool_params, agent_run_id, "agent_run_id", .max = 255),
    END,
};
static const struct ski_type execute_type = TYPE(scalekit_execute_tool_params, execute_fields);

static const struct ski_field result_fields[] = {
    JSON(scalekit_tool_result, data, "data", .flags = SKI_SECRET),
    STRING(scalekit_tool_result, execution_id, "execution_id"),
    END,
};
static const struct ski_type result_type = TYPE(scalekit_tool_result, result_fields);

static void deliver_result(scalekit_request *request, ski_callback cb, const void *result,
                           void *user)
{
    ((scalekit_tool_result_cb)cb)(request, result, user);
}

static const struct ski_operation execute_tool = {
    .name = "execute_tool",
    .method = "POST",
    .path = "/api/v1/execute_tool",
    .placement = SKI_IN_BODY,
    .idempotency = SKI_UNSAFE,
    .tool = true,
    .params = &execute_type,
    .result = &result_type,
    .result_offset = SKI_WHOLE_RESULT,
    .deliver = deliver_result,
};

scalekit_request *scalekit_execute_tool(scalekit_client *client,
                                        const struct scalekit_execute_tool_params *params,
                                        scalekit_tool_result_cb cb, void *user)
{
    return ski_request_start(client, &execute_tool, params, (ski_callback)cb, user);
}
