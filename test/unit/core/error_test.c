/* Bodies of answers, and the facts that are found in them. */
#include "base/str.h"
#include "core/error.h"
#include "fixture.h"
#include <stdlib.h>

#define NOW  (INT64_C(1787306400) * 1000000) /* 2026-08-21T10:00:00Z */
#define INFO "\"@type\":\"type.googleapis.com/scalekit.v1.errdetails.ErrorInfo\""

/* An answer, and the error it becomes. */
struct reading {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_exchange exchange;
    struct ski_arena arena;
    struct scalekit_error error;
};

static void open_reading(struct reading *r, int status)
{
    test_memory_init(&r->memory);
    ski_mem_init(&r->mem, &r->memory.allocator);
    ski_exchange_init(&r->exchange, &r->mem, 1 << 20);
    ski_arena_init(&r->arena, &r->mem, 1024, 1 << 24);
    ski_error_init(&r->error);
    r->exchange.status = status;
}

static void read_body(struct reading *r, const char *body, size_t length)
{
    ski_buf_add(&r->exchange.answer, body, length);
    ski_error_from_answer(&r->error, &r->arena, &r->exchange, NOW);
}

static void close_reading(struct reading *r)
{
    ski_arena_free(&r->arena);
    ski_exchange_free(&r->exchange);
    CU_ASSERT_EQUAL(r->memory.live, 0);
}

/* --- bodies ------------------------------------------------------------------------------------ */

static const struct body_row {
    const char *name;
    int status;
    const char *body;
    scalekit_err code;
    int grpc_code;
    const char *message, *error_code;
    const char *tool_error_code, *tool_error_message, *execution_id;
} body_rows[] = {
    {"no token", 401,
     "{\"code\":16,\"message\":\"Token empty\",\"details\":[{" INFO
     ",\"error_code\":\"UNAUTHENTICATED\"}]}",
     SCALEKIT_ERR_UNAUTHORIZED, 16, "Token empty", "UNAUTHENTICATED", NULL, NULL, NULL},
    {"validation", 400,
     "{\"code\":3,\"message\":\"Validation error\",\"details\":[{" INFO
     ",\"error_code\":\"INVALID_ARGUMENT\",\"validation_error_info\":{\"field_violations\":[{"
     "\"field\":\"user.email\",\"description\":\"value must be a valid email address\","
     "\"constraint\":\"string.email\"}]}}]}",
     SCALEKIT_ERR_BAD_REQUEST, 3, "Validation error", "INVALID_ARGUMENT", NULL, NULL, NULL},
    {"tool 429", 429,
     "{\"code\":8,\"message\":\"provider error\",\"details\":[{" INFO
     ",\"error_code\":\"TOOL_ERROR\",\"tool_error_info\":{\"execution_id\":\"exec-123\","
     "\"tool_error_message\":\"Provider rate limit hit\",\"tool_error_code\":\"RATE_LIMITED\"}}]}",
     SCALEKIT_ERR_TOOL_RATE_LIMITED, 8, "provider error", "TOOL_ERROR", "RATE_LIMITED",
     "Provider rate limit hit", "exec-123"},
    {"tool 401", 401,
     "{\"code\":16,\"message\":\"provider error\",\"details\":[{" INFO
     ",\"error_code\":\"TOOL_ERROR\",\"tool_error_info\":{\"execution_id\":\"exec-456\","
     "\"tool_error_message\":\"Provider token expired\",\"tool_error_code\":\"UNAUTHORIZED\"}}]}",
     SCALEKIT_ERR_TOOL_UNAUTHORIZED, 16, "provider error", "TOOL_ERROR", "UNAUTHORIZED",
     "Provider token expired", "exec-456"},
    {"rate limit", 429,
     "{\"code\":8,\"message\":\"quota exceeded\",\"details\":[{" INFO
     ",\"error_code\":\"RATE_LIMITED\"}]}",
     SCALEKIT_ERR_RATE_LIMITED, 8, "quota exceeded", "RATE_LIMITED", NULL, NULL, NULL},
    {"not found", 404,
     "{\"code\":5,\"message\":\"connected account not found\",\"details\":[{" INFO
     ",\"error_code\":\"RESOURCE_NOT_FOUND\",\"resource_info\":{\"resource_name\":"
     "\"connected_account\",\"owner\":\"\",\"description\":\"\",\"required_permissions\":[],"
     "\"user\":\"\"}}]}",
     SCALEKIT_ERR_NOT_FOUND, 5, "connected account not found", "RESOURCE_NOT_FOUND", NULL, NULL,
     NULL},
    {"conflict, finer code", 409, "{\"code\":10,\"message\":\"aborted\"}", SCALEKIT_ERR_CONFLICT,
     10, "aborted", NULL, NULL, NULL, NULL},
    {"tool by its info alone", 403,
     "{\"message\":\"\",\"details\":[{" INFO ",\"tool_error_info\":{\"tool_error_message\":\"no "
     "scope\"}}]}",
     SCALEKIT_ERR_TOOL_FORBIDDEN, 7, "no scope", NULL, NULL, "no scope", NULL},
    {"tool by its code alone", 503,
     "{\"details\":[{" INFO ",\"error_code\":\"TOOL_ERROR\"}],\"message\":\"m\"}",
     SCALEKIT_ERR_TOOL, 14, "m", "TOOL_ERROR", NULL, NULL, NULL},
    {"tool error outside of details", 400, "{\"message\":\"m\",\"error_code\":\"TOOL_ERROR\"}",
     SCALEKIT_ERR_TOOL, 3, "m", "TOOL_ERROR", NULL, NULL, NULL},
    {"tool error of any status", 418,
     "{\"message\":\"m\",\"details\":[{" INFO ",\"error_code\":\"TOOL_ERROR\"}]}",
     SCALEKIT_ERR_TOOL, 2, "m", "TOOL_ERROR", NULL, NULL, NULL},
    {"camelCase", 429,
     "{\"code\":8,\"message\":\"m\",\"details\":[{" INFO
     ",\"errorCode\":\"TOOL_ERROR\",\"toolErrorInfo\":{\"executionId\":\"e\",\"toolErrorMessage\":"
     "\"t\",\"toolErrorCode\":\"c\"}}]}",
     SCALEKIT_ERR_TOOL_RATE_LIMITED, 8, "m", "TOOL_ERROR", "c", "t", "e"},
    {"details of others", 401,
     "{\"code\":16,\"message\":\"m\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc."
     "DebugInfo\",\"error_code\":\"TOOL_ERROR\"},{" INFO ",\"error_code\":\"X\"}]}",
     SCALEKIT_ERR_UNAUTHORIZED, 16, "m", "X", NULL, NULL, NULL},
    {"details without a type", 400, "{\"message\":\"m\",\"details\":[{\"error_code\":\"X\"}]}",
     SCALEKIT_ERR_BAD_REQUEST, 3, "m", "X", NULL, NULL, NULL},
    {"the first error_code that is not empty", 400,
     "{\"message\":\"m\",\"details\":[{" INFO ",\"error_code\":\"\"},{" INFO
     ",\"error_code\":\"A\"},{" INFO ",\"error_code\":\"B\"}]}",
     SCALEKIT_ERR_BAD_REQUEST, 3, "m", "A", NULL, NULL, NULL},
    {"OAuth 2.0", 401, "{\"error\":\"invalid_client\",\"error_description\":\"no such client\"}",
     SCALEKIT_ERR_UNAUTHORIZED, 16, "no such client", "invalid_client", NULL, NULL, NULL},
    {"null everywhere", 500,
     "{\"code\":null,\"message\":null,\"details\":null,\"error_code\":null}", SCALEKIT_ERR_SERVER,
     13, "HTTP status 500", NULL, NULL, NULL, NULL},
    {"an empty object", 404, "{}", SCALEKIT_ERR_NOT_FOUND, 5, "HTTP status 404", NULL, NULL, NULL,
     NULL},
    {"HTML", 502, "<html><body>Bad Gateway</body></html>", SCALEKIT_ERR_UNAVAILABLE, 14,
     "HTTP status 502", NULL, NULL, NULL, NULL},
    {"plain text", 429, "slow down", SCALEKIT_ERR_RATE_LIMITED, 8, "HTTP status 429", NULL, NULL,
     NULL, NULL},
    {"nothing", 503, "", SCALEKIT_ERR_UNAVAILABLE, 14, "HTTP status 503", NULL, NULL, NULL, NULL},
    {"wrong types", 400, "{\"code\":\"x\",\"message\":7,\"details\":{}}", SCALEKIT_ERR_BAD_REQUEST,
     3, "HTTP status 400", NULL, NULL, NULL, NULL},
    {"an array", 403, "[1]", SCALEKIT_ERR_FORBIDDEN, 7, "HTTP status 403", NULL, NULL, NULL, NULL},
    {"a code that gRPC does not have", 400, "{\"code\":17,\"message\":\"m\"}",
     SCALEKIT_ERR_BAD_REQUEST, 3, "m", NULL, NULL, NULL, NULL},
    {"a status nobody planned for", 418, "", SCALEKIT_ERR_HTTP, 2, "HTTP status 418", NULL, NULL,
     NULL, NULL},
    {"a redirect", 302, "", SCALEKIT_ERR_HTTP, 2, "HTTP status 302", NULL, NULL, NULL, NULL},
    {"gateway timeout", 504, "", SCALEKIT_ERR_SERVER, 4, "HTTP status 504", NULL, NULL, NULL, NULL},
    {"not implemented", 501, "", SCALEKIT_ERR_SERVER, 12, "HTTP status 501", NULL, NULL, NULL,
     NULL},
    {"another 5xx", 599, "", SCALEKIT_ERR_SERVER, 2, "HTTP status 599", NULL, NULL, NULL, NULL},
};

static void test_bodies(void)
{
    for (size_t i = 0; i < COUNT(body_rows); i++) {
        const struct body_row *row = &body_rows[i];
        struct reading r;

        open_reading(&r, row->status);
        read_body(&r, row->body, strlen(row->body));
        ROW_IS(row->name, r.error.code == row->code);
        ROW_IS(row->name, r.error.http_status == row->status);
        ROW_IS(row->name, r.error.grpc_code == row->grpc_code);
        ROW_IS(row->name, text_is(r.error.message, row->message));
        ROW_IS(row->name, text_is(r.error.error_code, row->error_code));
        ROW_IS(row->name, text_is(r.error.tool_error_code, row->tool_error_code));
        ROW_IS(row->name, text_is(r.error.tool_error_message, row->tool_error_message));
        ROW_IS(row->name, text_is(r.error.execution_id, row->execution_id));
        ROW_IS(row->name, text_is(r.error.body, row->body[0] ? row->body : NULL));
        ROW_IS(row->name, r.error.body_length == strlen(row->body) && !r.error.body_truncated);
        ROW_IS(row->name, r.error.retry_after_ms == -1 && !r.error.parameter);
        close_reading(&r);
    }
}

static const char every_field[] =
    "{\"code\":3,\"message\":\"M\",\"details\":[{" INFO
    ",\"error_code\":\"X\",\"debug_info\":{\"stack_entries\":[\"a\"],\"detail\":\"d\"},"
    "\"help_info\":{\"links\":[{\"description\":\"h\",\"url\":\"https://u\"}]},"
    "\"localized_message_info\":{\"locale\":\"en\",\"message\":\"l\"},"
    "\"resource_info\":{\"resource_name\":\"r\",\"owner\":\"o\",\"description\":\"d\","
    "\"required_permissions\":[\"p\"],\"user\":\"u\"},"
    "\"request_info\":{\"request_id\":\"q\",\"serving_data\":\"s\"},"
    "\"validation_error_info\":{\"field_violations\":[{\"field\":\"f\",\"description\":\"v\","
    "\"constraint\":\"c\"},{\"field\":\"g\"}]},"
    "\"tool_error_info\":{\"execution_id\":\"e\",\"tool_error_message\":\"m\","
    "\"tool_error_code\":\"t\"}}]}";

static void test_every_field(void)
{
    struct reading r;
    const struct scalekit_error *error = &r.error;

    open_reading(&r, 400);
    ski_headers_add(&r.exchange.answer_headers, ski_slice_of("X-Request-Id"), ski_slice_of("no"));
    read_body(&r, every_field, sizeof every_field - 1);
    CU_ASSERT_EQUAL(error->code, SCALEKIT_ERR_TOOL);
    CU_ASSERT(text_is(error->message, "M"));
    CU_ASSERT(text_is(error->error_code, "X"));
    CU_ASSERT(text_is(error->debug_detail, "d"));
    CU_ASSERT_EQUAL_FATAL(error->n_help_links, 1);
    CU_ASSERT(text_is(error->help_links[0]->description, "h"));
    CU_ASSERT(text_is(error->help_links[0]->url, "https://u"));
    CU_ASSERT(text_is(error->localized_message, "l"));
    CU_ASSERT(text_is(error->resource_name, "r"));
    CU_ASSERT(text_is(error->request_id, "q"));
    CU_ASSERT_EQUAL_FATAL(error->n_field_violations, 2);
    CU_ASSERT(text_is(error->field_violations[0]->field, "f"));
    CU_ASSERT(text_is(error->field_violations[0]->description, "v"));
    CU_ASSERT(text_is(error->field_violations[0]->constraint, "c"));
    CU_ASSERT(text_is(error->field_violations[1]->field, "g"));
    CU_ASSERT_PTR_NULL(error->field_violations[1]->constraint);
    CU_ASSERT(text_is(error->execution_id, "e"));
    CU_ASSERT(text_is(error->tool_error_message, "m"));
    CU_ASSERT(text_is(error->tool_error_code, "t"));
    close_reading(&r);
}

static void test_request_id_header(void)
{
    struct reading r;

    open_reading(&r, 500);
    ski_headers_add(&r.exchange.answer_headers, ski_slice_of("x-request-id"), ski_slice_of("id-7"));
    read_body(&r, "", 0);
    CU_ASSERT(text_is(r.error.request_id, "id-7"));
    close_reading(&r);
}

static void test_huge_body(void)
{
    static const size_t lengths[] = {SKI_ERROR_BODY_MAX - 1, SKI_ERROR_BODY_MAX,
                                     SKI_ERROR_BODY_MAX + 1, 500000};
    char *body = malloc(500000);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    memset(body, 'x', 500000);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t kept = lengths[i] < SKI_ERROR_BODY_MAX ? lengths[i] : SKI_ERROR_BODY_MAX;
        struct reading r;

        open_reading(&r, 500);
        read_body(&r, body, lengths[i]);
        CU_ASSERT_EQUAL(r.error.body_length, kept);
        CU_ASSERT_EQUAL(strlen(r.error.body), kept);
        CU_ASSERT_EQUAL(r.error.body_truncated, lengths[i] > SKI_ERROR_BODY_MAX);
        close_reading(&r);
    }
    free(body);
}

/* A tool's error whose body could not be read for want of memory must not look like Scalekit's. */
static bool read_tool_error(struct test_memory *memory, void *user)
{
    static const char body[] = "{\"message\":\"a message of some length, to need memory\","
                               "\"details\":[{\"error_code\":\"TOOL_ERROR\"}]}";
    struct reading r;
    scalekit_err code;
    bool through;

    (void)user;
    open_reading(&r, 401);
    ski_mem_init(&r.mem, &memory->allocator);
    ski_buf_add(&r.exchange.answer, body, sizeof body - 1);
    if (r.exchange.answer.failed == SKI_BUF_OK)
        ski_error_from_answer(&r.error, &r.arena, &r.exchange, NOW);
    code = r.error.code;
    through = code == SCALEKIT_ERR_TOOL_UNAUTHORIZED && r.error.body;
    CU_ASSERT_NOT_EQUAL(code, SCALEKIT_ERR_UNAUTHORIZED);
    if (r.exchange.answer.length)
        CU_ASSERT_NOT_EQUAL(r.error.message[0], '\0');
    close_reading(&r);
    return through;
}

static void test_out_of_memory(void)
{
    CU_ASSERT(test_every_allocation(read_tool_error, NULL) > 2);
}

/* --- Retry-After ------------------------------------------------------------------------------- */

static const struct retry_row {
    const char *value;
    int64_t milliseconds;
} retry_rows[] = {
    {"0", 0},
    {"7", 7000},
    {" 120 ", 120000},
    {"86399", 86399000},
    {"86400", 86400000},
    {"4000000000", 86400000},
    {"-1", -1},
    {"1.5", -1},
    {"soon", -1},
    {"", -1},
    {"99999999999999999999999", -1},
    {"Fri, 21 Aug 2026 10:00:30 GMT", 30000},
    {"Fri, 21 Aug 2026 09:59:00 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    {"Thu, 31 Dec 2026 10:00:00 GMT", INT64_C(11404800000)},
    {"Fri, 21 Foo 2026 10:00:30 GMT", -1},
    {"Fri, 21 Aug 2026 10:00:30 CET", -1},
    {"Fri, 41 Aug 2026 10:00:30 GMT", -1},
    {"Fri, 21 Aug 2026 10:00:30", -1},
};

static void test_retry_after(void)
{
    struct ski_headers headers;
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    ski_headers_init(&headers, &mem);
    CU_ASSERT_EQUAL(ski_retry_after_ms(&headers, NOW), -1);
    for (size_t i = 0; i < COUNT(retry_rows); i++) {
        ski_headers_clear(&headers);
        ski_headers_add(&headers, ski_slice_of("retry-after"), ski_slice_of(retry_rows[i].value));
        ROW_IS(retry_rows[i].value,
               ski_retry_after_ms(&headers, NOW) == retry_rows[i].milliseconds);
    }
    ski_headers_free(&headers);
}

/* --- other sources ----------------------------------------------------------------------------- */

static void test_failure(void)
{
    struct reading r;
    struct ski_failure failure = {0};

    open_reading(&r, 0);
    ski_fail(&failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_SEND, "%s is wrong", "it");
    failure.parameter = "it";
    ski_error_from_failure(&r.error, &r.arena, &failure);
    CU_ASSERT_EQUAL(r.error.code, SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(r.error.phase, SCALEKIT_PHASE_SEND);
    CU_ASSERT(text_is(r.error.message, "it is wrong"));
    CU_ASSERT(text_is(r.error.parameter, "it"));
    CU_ASSERT_EQUAL(r.error.grpc_code, -1);
    ski_arena_free(&r.arena);
    r.memory.fail_at = r.memory.count + 1;
    ski_error_from_failure(&r.error, &r.arena, &failure);
    CU_ASSERT(text_is(r.error.message, scalekit_strerror(SCALEKIT_ERR_INVALID)));
    close_reading(&r);
}

static void test_copy(void)
{
    struct reading from, to;

    open_reading(&from, 400);
    open_reading(&to, 0);
    read_body(&from, every_field, sizeof every_field - 1);
    to.memory.fail_at = 1;
    to.memory.fail_after = true;
    ski_error_copy(&to.error, &to.arena, &from.error);
    CU_ASSERT_EQUAL(to.error.code, SCALEKIT_ERR_TOOL);
    CU_ASSERT(text_is(to.error.message, scalekit_strerror(SCALEKIT_ERR_TOOL)));
    CU_ASSERT(!to.error.body && to.error.body_length == 0 && !to.error.error_code);
    to.memory.fail_at = 0;
    ski_error_copy(&to.error, &to.arena, &from.error);
    close_reading(&from);
    CU_ASSERT(text_is(to.error.message, "M"));
    CU_ASSERT(text_is(to.error.error_code, "X"));
    CU_ASSERT(text_is(to.error.request_id, "q"));
    CU_ASSERT(text_is(to.error.tool_error_code, "t"));
    CU_ASSERT(text_is(to.error.tool_error_message, "m"));
    CU_ASSERT(text_is(to.error.execution_id, "e"));
    CU_ASSERT(text_is(to.error.resource_name, "r"));
    CU_ASSERT(text_is(to.error.debug_detail, "d"));
    CU_ASSERT(text_is(to.error.localized_message, "l"));
    CU_ASSERT(text_is(to.error.body, every_field));
    CU_ASSERT_EQUAL(to.error.n_field_violations, 0);
    CU_ASSERT_PTR_NULL(to.error.field_violations);
    CU_ASSERT_EQUAL(to.error.n_help_links, 0);
    close_reading(&to);
}

SUITE(error, {"every kind of body gives its facts", test_bodies},
      {"every field of the service's error is found", test_every_field},
      {"the request id of the header is taken when the body has none", test_request_id_header},
      {"the body is kept up to 8 KiB", test_huge_body},
      {"without memory a tool's error does not pass for Scalekit's", test_out_of_memory},
      {"Retry-After is seconds or a date", test_retry_after},
      {"a failure from below keeps its facts", test_failure},
      {"a copy outlives its original", test_copy})
