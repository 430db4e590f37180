/* proxy.c - what may go to a provider, and what comes back.
 *
 * Only the caller's own part of the message is the caller's: the path cannot leave the proxy
 * (http/path.h), and no header can say in whose name it goes, or where the message ends.  Header
 * names are compared with all signs alike, because servers behind us may take one for the other. */
#include "api/account_key.h"
#include "base/str.h"
#include "core/client.h"
#include "core/streaming.h"
#include "http/path.h"
#include "json/check.h"
#include "json/decode.h"
#include "json/members.h"
#include <scalekit/proxy.h>
#include <stdio.h>
#include <string.h>

#define ROUTE            "/proxy/"
#define MAX_ENTRIES      1000
#define MAX_HEADERS      64
#define MAX_HEADER_VALUE 8192
#define MAX_HEADER_BYTES 32768 /* of all of them */

/* --- what may be sent -------------------------------------------------------------------------- */

static bool is_padded(const char *value)
{
    return ski_slice_trim(ski_slice_of(value)).length != strlen(value);
}

/* A header's value reaches the other side without the blanks around it: another name. */
static const char *check_name(const char *value)
{
    if (is_padded(value))
        return "must not begin or end with a blank";
    return ski_check_connection_name(value);
}

static const char *check_identifier(const char *value)
{
    if (is_padded(value))
        return "must not begin or end with a blank";
    if (!ski_header_value_valid(ski_slice_of(value)))
        return "must not have control characters";
    return NULL;
}

static const char *check_method(const char *value)
{
    static const char *const refused[] = {"CONNECT", "TRACE", "TRACK"};

    if (!ski_header_name_valid(ski_slice_of(value)))
        return "must be a token: letters, digits and a few signs";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (ski_str_ieq(value, refused[i]))
            return "must not be CONNECT, TRACE or TRACK";
    return NULL;
}

static const char *check_content_type(const char *value)
{
    if (!ski_header_value_valid(ski_slice_of(value)) || is_padded(value))
        return "must be a header's value: no control characters, no blanks around it";
    return NULL;
}

static const struct ski_field proxy_fields[] = {
    STRING(scalekit_proxy_params, connection_name, "connection_name", .flags = SKI_REQUIRED,
           .max = 400, .check = check_name),
    STRING(scalekit_proxy_params, identifier, "identifier", .flags = SKI_REQUIRED, .max = 100,
           .check = check_identifier),
    STRING(scalekit_proxy_params, method, "method", .max = 32, .check = check_method),
    STRING(scalekit_proxy_params, path, "path", .flags = SKI_REQUIRED | SKI_SECRET), /* its query */
    MAP(scalekit_proxy_params, query, "query", .flags = SKI_SECRET, .key_min = 1,
        .max_items = MAX_ENTRIES),
    MAP(scalekit_proxy_params, headers, "headers", .flags = SKI_SECRET, .key_min = 1,
        .key_max = 256, .max = MAX_HEADER_VALUE, .max_items = MAX_HEADERS),
    JSON(scalekit_proxy_params, body, "body", .flags = SKI_SECRET | SKI_ANY_JSON),
    MAP(scalekit_proxy_params, form_data, "form_data", .flags = SKI_SECRET, .key_min = 1,
        .max_items = MAX_ENTRIES),
    STRING(scalekit_proxy_params, content_type, "content_type", .min = 1, .max = 256,
           .check = check_content_type),
    END,
};
static const struct ski_type proxy_type = TYPE(scalekit_proxy_params, proxy_fields);

/* What a server may make of a character of a header's name: CGI makes all signs one. */
static char simplify(char c)
{
    c = ski_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
}

static bool is_named(const char *name, const char *reserved)
{
    for (; *name && *reserved; name++, reserved++)
        if (simplify(*name) != *reserved)
            return false;
    return *name == *reserved;
}

static const char *check_header(const struct scalekit_entry *header)
{
    static const char *const reserved[] = {
        /* In whose name. */
        "authorization", "proxy-authorization", "connection-name", "identifier", "cookie",
        "x-env-domain", "x-sdk-version", "x-api-version",
        /* Where to, and what for. */
        "host", "x-original-url", "x-rewrite-url", "x-forwarded-host", "forwarded",
        /* Where the message ends, and what becomes of the connection. */
        "content-length", "transfer-encoding", "te", "trailer", "connection", "keep-alive",
        "proxy-connection", "upgrade", "http2-settings", "expect"};

    if (!ski_header_name_valid(ski_slice_of(header->key)))
        return "headers must have names that are tokens: letters, digits and a few signs";
    if (!ski_header_value_valid(ski_slice_of(header->value)) || is_padded(header->value))
        return "headers must have values without control characters, and no blanks around them";
    if (is_named(header->key, "content-type"))
        return "headers must not have Content-Type: there is content_type";
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (is_named(header->key, reserved[i]))
            return "headers must not have one that says who asks or how the message is made";
    return NULL;
}

static const char *check_headers(const struct scalekit_proxy_params *proxy)
{
    const char *problem = NULL;
    size_t bytes = 0;

    for (size_t i = 0; i < proxy->n_headers && !problem; i++) {
        bytes += strlen(proxy->headers[i].key) + strlen(proxy->headers[i].value);
        problem = check_header(&proxy->headers[i]);
    }
    if (!problem && bytes > MAX_HEADER_BYTES)
        problem = "headers must be at most 32 KiB together";
    return problem;
}

/* Of what is to follow "/proxy"; the query by itself, if there is one. */
static const char *check_path(const char *path)
{
    size_t length = strcspn(path, "?");
    char whole[sizeof ROUTE + SKI_MAX_PATH + 1];
    const char *problem;

    if (strncmp(path, "https://", 8) == 0 || strncmp(path, "http://", 7) == 0)
        return "path must be without a host: \"/v1/things\"";
    if (length > SKI_MAX_PATH - strlen(ROUTE))
        length = SKI_MAX_PATH; /* too long, as will be found */
    snprintf(whole, sizeof whole, "%s%.*s", *path == '/' ? "/proxy" : ROUTE, (int)length, path);
    problem = ski_path_problem(ROUTE, whole);
    path += strcspn(path, "?");
    return problem || !*path ? problem : ski_query_problem(path + 1);
}

static const char *check_bodies(const struct scalekit_proxy_params *proxy, const char **parameter)
{
    int bodies = (proxy->body != NULL) + (proxy->n_form_data > 0) + (proxy->raw_body != NULL) +
                 (proxy->read != NULL);

    *parameter = proxy->read              ? "read"
                 : proxy->raw_body        ? "raw_body"
                 : proxy->n_form_data > 0 ? "form_data"
                                          : "body";
    if (bodies > 1)
        return "body, form_data, raw_body and read exclude each other";
    *parameter = "raw_body_length";
    if (proxy->raw_body_length > 0 && !proxy->raw_body)
        return "raw_body_length must be 0 without raw_body";
    *parameter = "read_length";
    if (proxy->read_length > 0 && !proxy->read)
        return "read_length must be 0 without read";
    *parameter = "content_type";
    if (bodies == 0 && proxy->content_type)
        return "content_type must be absent without a body";
    *parameter = "on_head";
    if (proxy->on_head && !proxy->on_body)
        return "on_head must be absent without on_body";
    return NULL;
}

static const char *check_proxy(const void *params, const char **parameter)
{
    struct scalekit_proxy_params proxy;
    const char *problem;

    ski_params_copy(&proxy, sizeof proxy, params);
    *parameter = "path";
    problem = check_path(proxy.path);
    if (problem)
        return problem;
    *parameter = "headers";
    problem = check_headers(&proxy);
    return problem ? problem : check_bodies(&proxy, parameter);
}

/* --- how it is sent ---------------------------------------------------------------------------- */

static bool has_header(const struct scalekit_proxy_params *proxy, const char *name)
{
    for (size_t i = 0; i < proxy->n_headers; i++)
        if (ski_str_ieq(proxy->headers[i].key, name))
            return true;
    return false;
}

static const char *default_type(const struct scalekit_proxy_params *proxy)
{
    if (proxy->raw_body || proxy->read)
        return "application/octet-stream";
    return proxy->n_form_data > 0 ? "application/x-www-form-urlencoded" : "application/json";
}

static const char *compose(const void *params, struct ski_raw *raw, const char **parameter)
{
    struct scalekit_proxy_params proxy;
    bool safe;

    (void)parameter;
    ski_params_copy(&proxy, sizeof proxy, params);
    safe = !proxy.method || ski_str_ieq(proxy.method, "GET") || ski_str_ieq(proxy.method, "HEAD");
    *raw = (struct ski_raw){
        .method = proxy.method ? proxy.method : "GET",
        .prefix = *proxy.path == '/' ? "/proxy" : ROUTE,
        .path = proxy.path,
        .query = proxy.query,
        .n_query = proxy.n_query,
        .own_headers = {{"connection_name", proxy.connection_name},
                        {"identifier", proxy.identifier},
                        {"accept", "*/*"}},
        .n_own_headers = has_header(&proxy, "accept") ? 2 : 3,
        .headers = proxy.headers,
        .n_headers = proxy.n_headers,
        .content_type = proxy.content_type ? proxy.content_type : default_type(&proxy),
        .body = proxy.body ? proxy.body : proxy.raw_body,
        .body_length = proxy.body ? strlen(proxy.body) : proxy.raw_body_length,
        .form = proxy.n_form_data > 0 ? proxy.form_data : NULL,
        .n_form = proxy.n_form_data,
        .streamed = proxy.read,
        .idempotency = safe ? SKI_SAFE : SKI_UNSAFE,
    };
    return NULL;
}

/* --- what comes back --------------------------------------------------------------------------- */

struct refusal {
    size_t struct_size;
    const char *detail, *code;
};

static const struct ski_field refusal_fields[] = {
    JSON(refusal, detail, "detail", .flags = SKI_REQUIRED | SKI_ANY_JSON),
    STRING(refusal, code, "code"),
    END,
};
static const struct ski_type refusal_type = TYPE(refusal, refusal_fields);

static bool is_json(const char *content_type)
{
    size_t length = strcspn(content_type, "; \t");

    return ski_slice_ieq((struct ski_slice){content_type, length}, "application/json");
}

/* A 401 is Scalekit's own when it is an object of just `detail` and `code`, "UNAUTHORIZED"; any
 * other is the provider's. */
static bool is_refusal(const struct ski_exchange *exchange)
{
    const struct ski_buf *answer = &exchange->answer;
    const char *type = ski_headers_get(&exchange->answer_headers, "content-type");
    const void *decoded;
    struct ski_failure failure;
    struct ski_arena arena;
    bool own = false;

    if (exchange->status != 401 || !type || !is_json(type) ||
        ski_json_count_members(answer->mem, answer->data, answer->length) != 2)
        return false;
    ski_arena_init(&arena, answer->mem, 256, SIZE_MAX);
    if (ski_json_decode(&arena, &refusal_type, answer->data, answer->length, &decoded, &failure) ==
        SCALEKIT_OK) {
        const struct refusal *refusal = decoded;

        own = refusal->code && strcmp(refusal->code, "UNAUTHORIZED") == 0;
    }
    ski_arena_free(&arena);
    return own;
}

static bool accepts(const struct ski_exchange *exchange)
{
    return !is_refusal(exchange);
}

/* NULL: out of memory. */
static const struct scalekit_entry *read_headers(struct ski_arena *arena,
                                                 const struct ski_headers *came)
{
    const char *name, *value;
    struct scalekit_entry *entries;
    size_t at = 0;

    entries = ski_arena_alloc(arena, (came->count + 1) * sizeof *entries);
    for (struct scalekit_entry *entry = entries;
         entries && ski_headers_next(came, &at, &name, &value); entry++) {
        entry->key = ski_arena_strdup(arena, name);
        entry->value = ski_arena_strdup(arena, value);
        if (!entry->key || !entry->value)
            return NULL;
    }
    return entries;
}

static struct scalekit_proxy_response *read_head(struct ski_arena *arena,
                                                 const struct ski_exchange *exchange)
{
    struct scalekit_proxy_response *head = ski_arena_alloc(arena, sizeof *head);

    if (!head)
        return NULL;
    head->struct_size = sizeof *head;
    head->status = exchange->status;
    head->headers = read_headers(arena, &exchange->answer_headers);
    head->n_headers = exchange->answer_headers.count;
    head->body = "";
    return head->headers ? head : NULL;
}

/* The request's arena is emptied when the callback cancels it. */
static bool tell_head(scalekit_request *request, scalekit_proxy_head_cb on_head)
{
    const struct scalekit_proxy_response *head;
    struct ski_arena arena;

    ski_arena_init(&arena, &request->mem, 1024, SIZE_MAX);
    head = read_head(&arena, &request->exchange);
    if (head)
        on_head(request, head, request->user);
    ski_arena_free(&arena);
    return head;
}

static const void *read_response(scalekit_request *request)
{
    const struct ski_buf *answer = &request->exchange.answer;
    struct scalekit_proxy_response *response = read_head(&request->arena, &request->exchange);

    if (!response)
        return NULL;
    response->length = answer->length;
    response->body =
        ski_arena_strndup(&request->arena, answer->length ? answer->data : "", answer->length);
    return response->body ? response : NULL;
}

DELIVER(deliver_response, scalekit_proxy_cb)

static const struct ski_operation proxy_operation = {
    .name = "proxy_request",
    .summary = "any request to the provider of an account",
    .kind = SCALEKIT_CLASS_TOOL,
    .params = &proxy_type,
    .check = check_proxy,
    .deliver = deliver_response,
    .compose = compose,
    .accepts = accepts,
    .read = read_response,
};

/* --- the outside ------------------------------------------------------------------------------- */

static void stream(scalekit_request *request, const struct scalekit_proxy_params *proxy)
{
    struct ski_failure failure;

    request->streaming =
        ski_streaming_new(request, &(struct ski_streaming_calls){.read = proxy->read,
                                                                 .on_body = proxy->on_body,
                                                                 .tell_head = tell_head,
                                                                 .on_head = proxy->on_head,
                                                                 .length = proxy->read_length});
    if (request->streaming)
        return;
    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    ski_request_refuse(request, &failure);
}

scalekit_request *scalekit_proxy_request(scalekit_client *client,
                                         const struct scalekit_proxy_params *params,
                                         scalekit_proxy_cb cb, void *user)
{
    scalekit_request *request =
        ski_request_start(client, &proxy_operation, params, (ski_callback)cb, user);
    struct scalekit_proxy_params proxy;

    if (!request || request->failed)
        return request;
    ski_params_copy(&proxy, sizeof proxy, params);
    if (proxy.read || proxy.on_body)
        stream(request, &proxy);
    return request;
}

static void set_paused(scalekit_request *request, bool paused)
{
    if (request && request->streaming)
        ski_streaming_pause(request->streaming, paused);
}

void scalekit_proxy_pause(scalekit_request *request)
{
    set_paused(request, true);
}

void scalekit_proxy_resume(scalekit_request *request)
{
    set_paused(request, false);
}

void scalekit_proxy_continue(scalekit_request *request)
{
    if (request && request->streaming)
        ski_streaming_continue(request->streaming);
}
