#include "core/error.h"
#include "base/str.h"
#include "json/decode.h"
#include "json/time.h"
#include <string.h>

/* --- the gateway's error body ------------------------------------------------------------------ */

struct debug_info {
    size_t struct_size;
    const char *detail;
};

struct help_info {
    size_t struct_size;
    const struct scalekit_help_link *const *links;
    size_t n_links;
};

struct localized_message_info {
    size_t struct_size;
    const char *message;
};

struct resource_info {
    size_t struct_size;
    const char *resource_name;
};

struct request_info {
    size_t struct_size;
    const char *request_id;
};

struct validation_error_info {
    size_t struct_size;
    const struct scalekit_field_violation *const *field_violations;
    size_t n_field_violations;
};

struct tool_error_info {
    size_t struct_size;
    const char *execution_id;
    const char *tool_error_message;
    const char *tool_error_code;
};

struct error_info {
    size_t struct_size;
    const char *type;
    const char *error_code;
    const struct debug_info *debug_info;
    const struct help_info *help_info;
    const struct localized_message_info *localized_message_info;
    const struct resource_info *resource_info;
    const struct request_info *request_info;
    const struct validation_error_info *validation_error_info;
    const struct tool_error_info *tool_error_info;
};

struct error_body {
    size_t struct_size;
    int64_t code;
    const char *message;
    const struct error_info *const *details;
    size_t n_details;
    const char *error_code;        /* some answers carry the ErrorInfo without the wrapper */
    const char *error;             /* OAuth 2.0 */
    const char *error_description; /* OAuth 2.0 */
};

static const struct ski_field debug_info_fields[] = {
    STRING(debug_info, detail, "detail"),
    END,
};
static const struct ski_type debug_info_type = TYPE(debug_info, debug_info_fields);

static const struct ski_field help_link_fields[] = {
    STRING(scalekit_help_link, description, "description"),
    STRING(scalekit_help_link, url, "url"),
    END,
};
static const struct ski_type help_link_type = TYPE(scalekit_help_link, help_link_fields);

static const struct ski_field help_info_fields[] = {
    OBJECTS(help_info, links, scalekit_help_link, help_link_type, "links"),
    END,
};
static const struct ski_type help_info_type = TYPE(help_info, help_info_fields);

static const struct ski_field localized_message_info_fields[] = {
    STRING(localized_message_info, message, "message"),
    END,
};
static const struct ski_type localized_message_info_type =
    TYPE(localized_message_info, localized_message_info_fields);

static const struct ski_field resource_info_fields[] = {
    STRING(resource_info, resource_name, "resource_name"),
    END,
};
static const struct ski_type resource_info_type = TYPE(resource_info, resource_info_fields);

static const struct ski_field request_info_fields[] = {
    STRING(request_info, request_id, "request_id"),
    END,
};
static const struct ski_type request_info_type = TYPE(request_info, request_info_fields);

static const struct ski_field field_violation_fields[] = {
    STRING(scalekit_field_violation, field, "field"),
    STRING(scalekit_field_violation, description, "description"),
    STRING(scalekit_field_violation, constraint, "constraint"),
    END,
};
static const struct ski_type field_violation_type =
    TYPE(scalekit_field_violation, field_violation_fields);

static const struct ski_field validation_error_info_fields[] = {
    OBJECTS(validation_error_info, field_violations, scalekit_field_violation, field_violation_type,
            "field_violations"),
    END,
};
static const struct ski_type validation_error_info_type =
    TYPE(validation_error_info, validation_error_info_fields);

static const struct ski_field tool_error_info_fields[] = {
    STRING(tool_error_info, execution_id, "execution_id"),
    STRING(tool_error_info, tool_error_message, "tool_error_message"),
    STRING(tool_error_info, tool_error_code, "tool_error_code"),
    END,
};
static const struct ski_type tool_error_info_type = TYPE(tool_error_info, tool_error_info_fields);

static const struct ski_field error_info_fields[] = {
    STRING(error_info, type, "@type"),
    STRING(error_info, error_code, "error_code"),
    OBJECT(error_info, debug_info, debug_info, debug_info_type, "debug_info"),
    OBJECT(error_info, help_info, help_info, help_info_type, "help_info"),
    OBJECT(error_info, localized_message_info, localized_message_info, localized_message_info_type,
           "localized_message_info"),
    OBJECT(error_info, resource_info, resource_info, resource_info_type, "resource_info"),
    OBJECT(error_info, request_info, request_info, request_info_type, "request_info"),
    OBJECT(error_info, validation_error_info, validation_error_info, validation_error_info_type,
           "validation_error_info"),
    OBJECT(error_info, tool_error_info, tool_error_info, tool_error_info_type, "tool_error_info"),
    END,
};
static const struct ski_type error_info_type = TYPE(error_info, error_info_fields);

static const struct ski_field error_body_fields[] = {
    INTEGER(error_body, code, "code"),
    STRING(error_body, message, "message"),
    OBJECTS(error_body, details, error_info, error_info_type, "details"),
    STRING(error_body, error_code, "error_code"),
    STRING(error_body, error, "error"),
    STRING(error_body, error_description, "error_description"),
    END,
};
static const struct ski_type error_body_type = TYPE(error_body, error_body_fields);

/* --- status, code and kind --------------------------------------------------------------------- */

static const struct {
    int status;
    int grpc_code;
    scalekit_err kind, tool_kind;
} statuses[] = {
    {400, 3, SCALEKIT_ERR_BAD_REQUEST, SCALEKIT_ERR_TOOL},
    {401, 16, SCALEKIT_ERR_UNAUTHORIZED, SCALEKIT_ERR_TOOL_UNAUTHORIZED},
    {403, 7, SCALEKIT_ERR_FORBIDDEN, SCALEKIT_ERR_TOOL_FORBIDDEN},
    {404, 5, SCALEKIT_ERR_NOT_FOUND, SCALEKIT_ERR_TOOL},
    {409, 6, SCALEKIT_ERR_CONFLICT, SCALEKIT_ERR_TOOL},
    {429, 8, SCALEKIT_ERR_RATE_LIMITED, SCALEKIT_ERR_TOOL_RATE_LIMITED},
    {500, 13, SCALEKIT_ERR_SERVER, SCALEKIT_ERR_TOOL},
    {501, 12, SCALEKIT_ERR_SERVER, SCALEKIT_ERR_TOOL},
    {502, 14, SCALEKIT_ERR_UNAVAILABLE, SCALEKIT_ERR_TOOL},
    {503, 14, SCALEKIT_ERR_UNAVAILABLE, SCALEKIT_ERR_TOOL},
    {504, 4, SCALEKIT_ERR_SERVER, SCALEKIT_ERR_TOOL},
};

static void judge_status(struct scalekit_error *error, bool tool)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == error->http_status) {
            error->code = tool ? statuses[i].tool_kind : statuses[i].kind;
            error->grpc_code = statuses[i].grpc_code;
            return;
        }
    error->grpc_code = 2;
    if (tool)
        error->code = SCALEKIT_ERR_TOOL;
    else
        error->code = error->http_status >= 500 ? SCALEKIT_ERR_SERVER : SCALEKIT_ERR_HTTP;
}

/* --- filling ----------------------------------------------------------------------------------- */

void ski_error_init(struct scalekit_error *error)
{
    *error = (struct scalekit_error){
        .struct_size = sizeof *error,
        .message = "",
        .grpc_code = -1,
        .retry_after_ms = -1,
    };
}

void ski_error_from_failure(struct scalekit_error *error, struct ski_arena *arena,
                            const struct ski_failure *failure)
{
    const char *text = failure->text[0] ? ski_arena_strdup(arena, failure->text) : NULL;

    error->code = failure->code;
    error->phase = failure->phase;
    error->parameter = failure->parameter;
    error->message = text ? text : scalekit_strerror(failure->code);
}

/* Entries of another @type are someone else's. */
static bool is_error_info(const struct error_info *info)
{
    static const char ending[] = "errdetails.ErrorInfo";
    size_t length = info->type ? strlen(info->type) : 0;

    if (!info->type)
        return true;
    return length >= sizeof ending - 1 &&
           strcmp(info->type + length - (sizeof ending - 1), ending) == 0;
}

/* The first entry that has a fact wins it.  Returns whether it tells of a tool's failure. */
static bool take_info(struct scalekit_error *error, const struct error_info *info)
{
    const struct tool_error_info *tool = info->tool_error_info;

    if (!error->error_code)
        error->error_code = info->error_code;
    if (!error->debug_detail && info->debug_info)
        error->debug_detail = info->debug_info->detail;
    if (!error->help_links && info->help_info) {
        error->help_links = info->help_info->links;
        error->n_help_links = info->help_info->n_links;
    }
    if (!error->localized_message && info->localized_message_info)
        error->localized_message = info->localized_message_info->message;
    if (!error->resource_name && info->resource_info)
        error->resource_name = info->resource_info->resource_name;
    if (!error->request_id && info->request_info)
        error->request_id = info->request_info->request_id;
    if (!error->field_violations && info->validation_error_info) {
        error->field_violations = info->validation_error_info->field_violations;
        error->n_field_violations = info->validation_error_info->n_field_violations;
    }
    if (tool && !error->execution_id && !error->tool_error_code && !error->tool_error_message) {
        error->execution_id = tool->execution_id;
        error->tool_error_code = tool->tool_error_code;
        error->tool_error_message = tool->tool_error_message;
    }
    return tool || (info->error_code && strcmp(info->error_code, "TOOL_ERROR") == 0);
}

/* What the body says beyond the status. */
static void take_body(struct scalekit_error *error, const struct error_body *body)
{
    bool tool = false;

    for (size_t i = 0; i < body->n_details; i++)
        if (is_error_info(body->details[i]))
            tool |= take_info(error, body->details[i]);
    if (!error->error_code)
        error->error_code = body->error_code ? body->error_code : body->error;
    if (error->error_code && strcmp(error->error_code, "TOOL_ERROR") == 0)
        tool = true;
    judge_status(error, tool);
    if (body->code > 0 && body->code <= 16)
        error->grpc_code = (int)body->code;
    if (body->message)
        error->message = body->message;
    else if (body->error_description)
        error->message = body->error_description;
    else if (error->tool_error_message)
        error->message = error->tool_error_message;
}

static void keep_body(struct scalekit_error *error, struct ski_arena *arena,
                      const struct ski_buf *answer)
{
    size_t length = answer->length < SKI_ERROR_BODY_MAX ? answer->length : SKI_ERROR_BODY_MAX;

    if (!length)
        return;
    error->body = ski_arena_strndup(arena, answer->data, length);
    error->body_length = error->body ? length : 0;
    error->body_truncated = length < answer->length;
}

void ski_error_from_answer(struct scalekit_error *error, struct ski_arena *arena,
                           const struct ski_exchange *exchange, scalekit_time now)
{
    const char *request_id = ski_headers_get(&exchange->answer_headers, "x-request-id");
    const struct ski_buf *answer = &exchange->answer;
    struct ski_failure unreadable;
    scalekit_err err = SCALEKIT_ERR_DECODE;
    const void *body;

    error->http_status = exchange->status;
    error->phase = SCALEKIT_PHASE_NONE;
    error->retry_after_ms = ski_retry_after_ms(&exchange->answer_headers, now);
    judge_status(error, false);
    if (answer->length)
        err = ski_json_decode(arena, &error_body_type, answer->data, answer->length, &body,
                              &unreadable);
    /* A gateway or load balancer in between may answer with HTML: the status is enough then.  But
     * without memory a tool's error must not pass for Scalekit's, which may be sent again. */
    if (err == SCALEKIT_OK)
        take_body(error, body);
    else if (err == SCALEKIT_ERR_NOMEM)
        error->code = err;
    if (!error->message[0]) {
        error->message = ski_arena_printf(arena, "HTTP status %d", exchange->status);
        if (!error->message)
            error->message = scalekit_strerror(error->code);
    }
    if (!error->request_id && request_id)
        error->request_id = ski_arena_strdup(arena, request_id);
    keep_body(error, arena, answer);
}

void ski_error_copy(struct scalekit_error *error, struct ski_arena *arena,
                    const struct scalekit_error *from)
{
    *error = *from;
    error->message = ski_arena_strdup(arena, from->message);
    if (!error->message)
        error->message = scalekit_strerror(from->code);
    error->error_code = ski_arena_strdup(arena, from->error_code);
    error->request_id = ski_arena_strdup(arena, from->request_id);
    error->tool_error_code = ski_arena_strdup(arena, from->tool_error_code);
    error->tool_error_message = ski_arena_strdup(arena, from->tool_error_message);
    error->execution_id = ski_arena_strdup(arena, from->execution_id);
    error->resource_name = ski_arena_strdup(arena, from->resource_name);
    error->debug_detail = ski_arena_strdup(arena, from->debug_detail);
    error->localized_message = ski_arena_strdup(arena, from->localized_message);
    error->body = from->body ? ski_arena_strndup(arena, from->body, from->body_length) : NULL;
    error->body_length = error->body ? from->body_length : 0;
    error->field_violations = NULL;
    error->n_field_violations = 0;
    error->help_links = NULL;
    error->n_help_links = 0;
}

/* --- Retry-After ------------------------------------------------------------------------------- */

/* "Sun, 06 Nov 1994 08:49:37 GMT" as the RFC 3339 text our one parser of moments reads. */
static bool parse_http_date(struct ski_slice text, scalekit_time *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char moment[] = "YYYY-MM-DDThh:mm:ssZ";
    const char *at = text.at;

    if (text.length != 29 || memcmp(at + 25, " GMT", 4) != 0)
        return false;
    for (unsigned month = 0; month < 12; month++)
        if (memcmp(at + 8, months + (size_t)month * 3, 3) == 0) {
            memcpy(moment, at + 12, 4);
            moment[5] = (char)('0' + (month + 1) / 10);
            moment[6] = (char)('0' + (month + 1) % 10);
            memcpy(moment + 8, at + 5, 2);
            memcpy(moment + 11, at + 17, 8);
            return ski_time_parse(ski_slice_of(moment), out);
        }
    return false;
}

int64_t ski_retry_after_ms(const struct ski_headers *headers, scalekit_time now)
{
    const char *value = ski_headers_get(headers, "retry-after");
    struct ski_slice text = ski_slice_trim(ski_slice_of(value ? value : ""));
    scalekit_time moment;
    uint64_t seconds;

    if (ski_parse_u64(text, &seconds))
        return seconds < 86400 ? (int64_t)seconds * 1000 : INT64_C(86400000);
    if (parse_http_date(text, &moment))
        return moment > now ? (moment - now) / 1000 : 0;
    return -1;
}
