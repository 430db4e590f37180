#include "check.h"
#include "text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void emu_violation(struct emu_request *request, const char *field, const char *constraint,
                   const char *format, ...)
{
    struct emu_violation *violation;
    va_list args;

    if (request->n_violations == sizeof request->violations / sizeof *request->violations)
        return;
    violation = &request->violations[request->n_violations++];
    violation->field = field;
    violation->constraint = constraint;
    va_start(args, format);
    vsnprintf(violation->description, sizeof violation->description, format, args);
    va_end(args);
}

bool emu_refused(struct emu_request *request)
{
    char message[128];

    if (request->malformed) {
        snprintf(message, sizeof message, "invalid value for field %s", request->malformed);
        emu_fail(request, 400, "INVALID_ARGUMENT", message);
        return true;
    }
    if (request->n_violations)
        emu_fail(request, 400, "INVALID_ARGUMENT", "Validation error");
    return request->n_violations > 0;
}

static bool is_one_of(const char *name, const char *const *members)
{
    while (*members && !emu_name_is(name, *members))
        members++;
    return *members != NULL;
}

bool emu_has_only(struct emu_request *request, const char *const *members)
{
    size_t n = request->body ? YAJL_GET_OBJECT(request->body)->len : 0;

    for (size_t i = 0; i < n; i++) {
        const char *name = YAJL_GET_OBJECT(request->body)->keys[i];

        if (!is_one_of(name, members))
            emu_violation(request, name, "unknown_member",
                          "there is no such member; GET /_emulator lists all");
    }
    return !emu_refused(request);
}

const char *emu_member(struct emu_request *request, yajl_val parent, const char *field)
{
    yajl_val value = emu_json_get(parent, field);

    if (value && !YAJL_IS_STRING(value))
        request->malformed = field;
    return YAJL_GET_STRING(value);
}

static yajl_val member_of_type(struct emu_request *request, yajl_val parent, const char *field,
                               yajl_type type)
{
    yajl_val value = emu_json_get(parent, field);

    if (value && value->type != type) {
        request->malformed = field;
        return NULL;
    }
    return value;
}

yajl_val emu_object(struct emu_request *request, yajl_val parent, const char *field)
{
    return member_of_type(request, parent, field, yajl_t_object);
}

yajl_val emu_list(struct emu_request *request, yajl_val parent, const char *field)
{
    return member_of_type(request, parent, field, yajl_t_array);
}

yajl_val emu_strings(struct emu_request *request, yajl_val parent, const char *field)
{
    yajl_val list = emu_list(request, parent, field);

    for (size_t i = 0; list && i < YAJL_GET_ARRAY(list)->len; i++)
        if (!YAJL_IS_STRING(YAJL_GET_ARRAY(list)->values[i]))
            request->malformed = field;
    return list;
}

yajl_val emu_text_map(struct emu_request *request, const char *field,
                      const struct emu_map_limits *limits)
{
    yajl_val map = emu_object(request, request->body, field);
    size_t n = map ? YAJL_GET_OBJECT(map)->len : 0;

    if (n > limits->pairs)
        emu_violation(request, field, "map.max_pairs", "map must be at most %zu entries",
                      limits->pairs);
    for (size_t i = 0; i < n; i++) {
        const char *value = YAJL_GET_STRING(YAJL_GET_OBJECT(map)->values[i]);
        size_t in_key = emu_code_points(YAJL_GET_OBJECT(map)->keys[i]);
        size_t in_value = emu_code_points(value ? value : "");

        if (!value)
            request->malformed = field;
        else if (in_key < limits->key_min || in_key > limits->key_max)
            emu_violation(request, field, "map.keys", "key length must be %zu to %zu characters",
                          limits->key_min, limits->key_max);
        else if (in_value < 1 || in_value > limits->value_max)
            emu_violation(request, field, "map.values", "value length must be 1 to %zu characters",
                          limits->value_max);
    }
    return map;
}

void emu_check_characters(struct emu_request *request, const char *field, const char *value,
                          const char *allowed, const char *pattern)
{
    if (value[strspn(value, allowed)])
        emu_violation(request, field, "string.pattern", "value does not match regex pattern `%s`",
                      pattern);
}

void emu_check_text(struct emu_request *request, const char *field, const char *value, size_t min,
                    size_t max, unsigned rules)
{
    static const char name_characters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_: -";
    static const struct {
        unsigned rule;
        const char *prefix;
    } prefixes[] = {{EMU_ACCOUNT_ID, "ca_"}, {EMU_TOOL_ID, "tol_"}, {EMU_TEST_ID, "test_"}};
    size_t length = emu_code_points(value);

    if (length < min)
        emu_violation(request, field, "string.min_len",
                      "value length must be at least %zu characters", min);
    if (length > max)
        emu_violation(request, field, "string.max_len",
                      "value length must be at most %zu characters", max);
    if (rules & EMU_NAME)
        emu_check_characters(request, field, value, name_characters, "^[a-zA-Z0-9_: -]*$");
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (rules & prefixes[i].rule &&
            strncmp(value, prefixes[i].prefix, strlen(prefixes[i].prefix)) != 0)
            emu_violation(request, field, "string.prefix", "value does not have prefix `%s`",
                          prefixes[i].prefix);
    if (rules & EMU_HTTP_URL && strncmp(value, "http://", 7) != 0 &&
        strncmp(value, "https://", 8) != 0)
        emu_violation(request, field, "string.pattern",
                      "value does not match regex pattern `^$|^https?://`");
}

const char *emu_text(struct emu_request *request, const char *field, size_t min, size_t max,
                     unsigned rules)
{
    const char *value = request->has_body ? emu_member(request, request->body, field)
                                          : emu_form_get(&request->query, field);

    if (value && *value)
        emu_check_text(request, field, value, min, max, rules);
    else if (rules & EMU_REQUIRED)
        emu_violation(request, field, "required", "value is required");
    return value ? value : "";
}

const char *emu_in_path(struct emu_request *request, const char *field, size_t min, size_t max,
                        unsigned rules)
{
    emu_check_text(request, field, request->rest, min, max, rules);
    return request->rest;
}

yajl_val emu_bool(struct emu_request *request, const char *field)
{
    yajl_val value = emu_json_get(request->body, field);

    if (value && !YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value))
        request->malformed = field;
    return value;
}

bool emu_query_bool(struct emu_request *request, const char *field)
{
    const char *text = emu_form_get(&request->query, field);
    bool yes = text && strcmp(text, "true") == 0;

    if (text && *text && !yes && strcmp(text, "false") != 0)
        request->malformed = field;
    return yes;
}

/* False when it is not all digits, or too many. */
static bool parse_whole(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

int64_t emu_below(struct emu_request *request, const char *field, int64_t below)
{
    const char *text = emu_form_get(&request->query, field);
    int64_t value = 0;

    if (!text || !*text)
        return 0;
    if (!parse_whole(text, &value))
        request->malformed = field;
    else if (value >= below)
        emu_violation(request, field, "uint32.lt", "value must be less than %" PRId64, below);
    return value;
}

int64_t emu_whole(struct emu_request *request, const char *field, int64_t absent)
{
    yajl_val value = emu_json_get(request->body, field);
    int64_t number = absent;

    if (value && (!YAJL_IS_NUMBER(value) || !parse_whole(YAJL_GET_NUMBER(value), &number)))
        request->malformed = field;
    return number;
}

static int64_t read_time(struct emu_request *request, const char *field, int64_t absent)
{
    const char *text = emu_text(request, field, 0, SIZE_MAX, 0);
    int64_t time_us = absent;

    if (*text && !emu_time_parse(text, &time_us))
        request->malformed = field;
    return time_us;
}

void emu_read_times(struct emu_request *request, int64_t *start_us, int64_t *end_us)
{
    *start_us = read_time(request, "start_time", INT64_MIN);
    *end_us = read_time(request, "end_time", INT64_MAX);
    if (*start_us > *end_us)
        emu_violation(request, "start_time", "timestamp.lte", "value must not be after end_time");
}

void emu_read_key(struct emu_request *request, struct emu_key *key)
{
    key->connector = emu_text(request, "connector", 0, 400, EMU_NAME);
    key->identifier = emu_text(request, "identifier", 0, 100, 0);
    key->organization_id = emu_text(request, "organization_id", 0, 32, 0);
    key->user_id = emu_text(request, "user_id", 0, 32, 0);
}
