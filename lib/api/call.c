#include "base/str.h"
#include "core/request.h"
#include "http/path.h"
#include "json/check.h"
#include <scalekit/call.h>
#include <string.h>

static const char *check_method(const char *method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0)
            return NULL;
    return "must be GET, POST, PUT, PATCH or DELETE";
}

static const struct ski_field call_fields[] = {
    STRING(scalekit_call_params, method, "method", .flags = SKI_REQUIRED, .check = check_method),
    STRING(scalekit_call_params, path, "path", .flags = SKI_REQUIRED, .max = SKI_MAX_PATH),
    MAP(scalekit_call_params, query, "query", .flags = SKI_SECRET, .key_min = 1, .max_items = 1000),
    JSON(scalekit_call_params, body, "body", .flags = SKI_SECRET | SKI_ANY_JSON),
    CHOICE(scalekit_call_params, idempotent, "idempotent"),
    END,
};
static const struct ski_type call_type = TYPE(scalekit_call_params, call_fields);

static enum ski_idempotency idempotency_of(const struct scalekit_call_params *call)
{
    if (call->idempotent != SCALEKIT_UNSET)
        return call->idempotent == SCALEKIT_YES ? SKI_IDEMPOTENT : SKI_UNSAFE;
    if (strcmp(call->method, "GET") == 0)
        return SKI_SAFE;
    return call->method[0] == 'P' && call->method[1] != 'U' ? SKI_UNSAFE : SKI_IDEMPOTENT;
}

static const char *compose(const void *params, struct ski_raw *raw, const char **parameter)
{
    struct scalekit_call_params call;

    *parameter = "path";
    ski_params_copy(&call, sizeof call, params);
    *raw = (struct ski_raw){
        .method = call.method,
        .path = call.path,
        .query = call.query,
        .n_query = call.n_query,
        .body = call.body,
        .body_length = call.body ? strlen(call.body) : 0,
        .idempotency = idempotency_of(&call),
    };
    return ski_path_problem("/api/v1/", call.path);
}

static const void *read_response(scalekit_request *request)
{
    const struct ski_buf *answer = &request->exchange.answer;
    struct scalekit_response *response = ski_arena_alloc(&request->arena, sizeof *response);

    if (!response)
        return NULL;
    response->struct_size = sizeof *response;
    response->status = request->exchange.status;
    response->length = answer->length;
    response->body =
        ski_arena_strndup(&request->arena, answer->length ? answer->data : "", answer->length);
    return response->body ? response : NULL;
}

DELIVER(deliver_response, scalekit_response_cb)

static const struct ski_operation call_operation = {
    .name = "call",
    .summary = "any route of the service",
    .params = &call_type,
    .deliver = deliver_response,
    .compose = compose,
    .read = read_response,
};

scalekit_request *scalekit_call(scalekit_client *client, const struct scalekit_call_params *params,
                                scalekit_response_cb cb, void *user)
{
    return ski_request_start(client, &call_operation, params, (ski_callback)cb, user);
}
