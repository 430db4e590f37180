#include "api/operations.h"
#include "core/client.h"
#include "core/error.h"
#include "core/request.h"
#include "json/decode.h"
#include "json/encode.h"
#include <scalekit/operation.h>
#include <stdio.h>
#include <string.h>

#define MAX_TEXT (64u << 20) /* of a result that is written as JSON */

const struct ski_operation *const ski_operation_lists[] = {
    ski_connected_account_operations,
    ski_get_or_create_operations,
    ski_authorization_link_operations,
    ski_tool_operations,
    ski_tool_call_log_operations,
    ski_analytics_operations,
    ski_mcp_operations,
    ski_mcp_server_operations,
    ski_connection_operations,
    ski_provider_operations,
    ski_event_operations,
    NULL,
};

/* The public handle is the row. */
static const scalekit_operation *handle_of(const struct ski_operation *row)
{
    return (const scalekit_operation *)row;
}

static const struct ski_operation *row_of(const scalekit_operation *operation)
{
    return (const struct ski_operation *)operation;
}

/* --- finding ----------------------------------------------------------------------------------- */

const struct ski_operation *ski_operation_find(const char *name)
{
    for (size_t i = 0; ski_operation_lists[i]; i++)
        for (const struct ski_operation *row = ski_operation_lists[i]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    return NULL;
}

const scalekit_operation *scalekit_operation_find(const char *name)
{
    return name ? handle_of(ski_operation_find(name)) : NULL;
}

const scalekit_operation *scalekit_operation_at(size_t index)
{
    for (size_t i = 0; ski_operation_lists[i]; i++)
        for (const struct ski_operation *row = ski_operation_lists[i]; row->name; row++)
            if (index-- == 0)
                return handle_of(row);
    return NULL;
}

const char *scalekit_operation_name(const scalekit_operation *operation)
{
    return operation ? row_of(operation)->name : "";
}

const char *scalekit_operation_summary(const scalekit_operation *operation)
{
    return operation && row_of(operation)->summary ? row_of(operation)->summary : "";
}

const char *scalekit_operation_method(const scalekit_operation *operation)
{
    return operation && row_of(operation)->method ? row_of(operation)->method : "";
}

const char *scalekit_operation_path(const scalekit_operation *operation)
{
    return operation && row_of(operation)->path ? row_of(operation)->path : "";
}

bool scalekit_operation_is_preview(const scalekit_operation *operation)
{
    return operation && row_of(operation)->preview;
}

/* --- parameters -------------------------------------------------------------------------------- */

const char *scalekit_parameter_type_name(enum scalekit_parameter_type type)
{
    static const char *const names[] = {
        [SCALEKIT_PARAMETER_STRING] = "string",
        [SCALEKIT_PARAMETER_INTEGER] = "integer",
        [SCALEKIT_PARAMETER_NUMBER] = "number",
        [SCALEKIT_PARAMETER_BOOLEAN] = "boolean",
        [SCALEKIT_PARAMETER_TIME] = "time",
        [SCALEKIT_PARAMETER_DURATION] = "duration",
        [SCALEKIT_PARAMETER_WORD] = "word",
        [SCALEKIT_PARAMETER_JSON] = "JSON",
        [SCALEKIT_PARAMETER_OBJECT] = "object",
        [SCALEKIT_PARAMETER_OBJECTS] = "list of objects",
        [SCALEKIT_PARAMETER_STRINGS] = "list of strings",
        [SCALEKIT_PARAMETER_MAP] = "map of strings",
    };

    return (size_t)type < sizeof names / sizeof *names && names[type] ? names[type] : "unknown";
}

static enum scalekit_parameter_type type_of(const struct ski_field *field)
{
    static const enum scalekit_parameter_type types[] = {
        [SKI_STRING] = SCALEKIT_PARAMETER_STRING,     [SKI_INTEGER] = SCALEKIT_PARAMETER_INTEGER,
        [SKI_NUMBER] = SCALEKIT_PARAMETER_NUMBER,     [SKI_BOOLEAN] = SCALEKIT_PARAMETER_BOOLEAN,
        [SKI_CHOICE] = SCALEKIT_PARAMETER_BOOLEAN,    [SKI_TIMESTAMP] = SCALEKIT_PARAMETER_TIME,
        [SKI_DURATION] = SCALEKIT_PARAMETER_DURATION, [SKI_ENUM] = SCALEKIT_PARAMETER_WORD,
        [SKI_JSON] = SCALEKIT_PARAMETER_JSON,         [SKI_OBJECT] = SCALEKIT_PARAMETER_OBJECT,
        [SKI_OBJECTS] = SCALEKIT_PARAMETER_OBJECTS,   [SKI_STRINGS] = SCALEKIT_PARAMETER_STRINGS,
        [SKI_MAP] = SCALEKIT_PARAMETER_MAP,
    };

    return types[field->kind];
}

/* Where the walk through the rows of a structure, and of the structures in it, has come. */
struct walk {
    size_t left; /* rows still to pass over */
    unsigned depth;
    char name[SCALEKIT_PARAMETER_NAME];
};

/* The row the walk ends at, its name and depth being in `walk`; NULL: it is not in this type. */
static const struct ski_field *walk_to(const struct ski_type *type, struct walk *walk)
{
    size_t stem = strlen(walk->name);

    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++) {
        const struct ski_field *found = NULL;

        if (field->flags & SKI_READ_ONLY)
            continue;
        if (field->kind != SKI_FLAT) {
            snprintf(walk->name + stem, sizeof walk->name - stem, "%s", field->member);
            if (walk->left-- == 0)
                return field;
        }
        if (field->kind == SKI_FLAT) {
            found = walk_to(field->type, walk);
        } else if (field->type) {
            size_t end = strlen(walk->name);

            snprintf(walk->name + end, sizeof walk->name - end, "%s",
                     field->kind == SKI_OBJECTS ? "[]." : ".");
            walk->depth++;
            found = walk_to(field->type, walk);
            walk->depth -= !found;
        }
        if (found)
            return found;
        walk->name[stem] = '\0';
    }
    return NULL;
}

static const struct ski_field *find_parameter(const scalekit_operation *operation, size_t index,
                                              struct walk *walk)
{
    *walk = (struct walk){.left = index};
    if (!operation || !row_of(operation)->params)
        return NULL;
    return walk_to(row_of(operation)->params, walk);
}

bool scalekit_operation_parameter(const scalekit_operation *operation, size_t index,
                                  struct scalekit_parameter *parameter)
{
    struct walk walk;
    const struct ski_field *field = find_parameter(operation, index, &walk);
    struct scalekit_parameter found;
    size_t size = parameter->struct_size;

    if (!field || size == 0)
        return false;
    found = (struct scalekit_parameter){
        .type = type_of(field),
        .depth = walk.depth,
        .required = field->flags & SKI_REQUIRED,
        .secret = field->flags & SKI_SECRET,
        .min = field->min,
        .max = field->max,
        .min_items = field->min_items,
        .max_items = field->max_items,
    };
    memcpy(found.name, walk.name, sizeof found.name);
    found.struct_size = size;
    memcpy(parameter, &found, size < sizeof found ? size : sizeof found);
    return true;
}

const char *scalekit_operation_word(const scalekit_operation *operation, size_t parameter,
                                    size_t index)
{
    struct walk walk;
    const struct ski_field *field = find_parameter(operation, parameter, &walk);

    if (!field || field->kind != SKI_ENUM)
        return NULL;
    for (const struct ski_word *word = field->words; word->word; word++)
        if (index-- == 0)
            return word->word;
    return NULL;
}

/* --- calling by name --------------------------------------------------------------------------- */

/* The type of what the callback gets. */
static const struct ski_type *result_type(const struct ski_operation *operation)
{
    const struct ski_field *field;

    if (!operation->result || operation->result_offset == SKI_WHOLE_RESULT)
        return operation->result;
    for (field = operation->result->fields; field->kind != SKI_END; field++)
        if (field->kind == SKI_OBJECT && field->offset == operation->result_offset)
            return field->type;
    return NULL;
}

/* The result by its table, into what is kept of the answer. */
static bool write_result(scalekit_request *request, const void *result, enum ski_encode_mode mode)
{
    struct ski_buf *text = &request->response;

    ski_buf_free(text);
    ski_buf_init(text, &request->mem, MAX_TEXT);
    ski_json_encode(text, result_type(request->operation), result, mode);
    return ski_buf_text(text) != NULL;
}

static void deliver_json(scalekit_request *request, ski_callback cb, const void *result, void *user,
                         enum ski_encode_mode mode)
{
    struct ski_failure failure;
    const char *json = "{}";
    size_t length = 2;
    bool as_sent = mode == SKI_ENCODE_ALL && request->response.length > 0;

    if (request->failed) {
        json = NULL;
    } else if (result && !as_sent && !write_result(request, result, mode)) {
        ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_DECODE, "out of memory");
        ski_request_refuse(request, &failure);
        json = NULL;
    } else if (request->response.length > 0 && (result || as_sent)) {
        json = request->response.data;
        length = request->response.length;
    }
    ((scalekit_json_cb)cb)(request, json, json ? length : 0, user);
}

static void deliver_as_sent(scalekit_request *request, ski_callback cb, const void *result,
                            void *user)
{
    deliver_json(request, cb, result, user, SKI_ENCODE_ALL);
}

static void deliver_redacted(scalekit_request *request, ski_callback cb, const void *result,
                             void *user)
{
    deliver_json(request, cb, result, user, SKI_ENCODE_SHOWN);
}

static scalekit_request *start(scalekit_client *client, const struct ski_operation *operation,
                               const void *params, ski_callback cb, void *user)
{
    if (operation->start)
        return operation->start(client, params, cb, user);
    return ski_request_start(client, operation, params, cb, user);
}

scalekit_request *scalekit_operation_call(scalekit_client *client,
                                          const scalekit_operation *operation,
                                          const char *parameters, enum scalekit_json_style style,
                                          scalekit_json_cb cb, void *user)
{
    const struct ski_operation *row = row_of(operation);
    struct ski_failure failure;
    struct ski_arena arena;
    const void *params = NULL;
    scalekit_request *request;
    scalekit_err err = SCALEKIT_OK;

    if (!client || !operation || !cb)
        return NULL;
    if (!parameters)
        parameters = "";
    ski_arena_init(&arena, &client->loop.mem, 1024, MAX_TEXT);
    if (row->params)
        err = ski_json_decode_params(&arena, row->params, parameters, strlen(parameters), &params,
                                     &failure);
    request = start(client, row, params, (ski_callback)cb, user);
    ski_arena_free(&arena);
    if (!request)
        return NULL;
    request->deliver = style == SCALEKIT_JSON_REDACTED ? deliver_redacted : deliver_as_sent;
    request->keep_response = style == SCALEKIT_JSON_AS_SENT;
    if (err != SCALEKIT_OK)
        ski_request_refuse(request, &failure);
    return request;
}
