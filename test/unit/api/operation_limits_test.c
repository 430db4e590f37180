/* Every operation's parameters against the limits of its table: what is out of them is refused by its
 * name before anything is sent, what is just within them is sent. */
#include "api/operations.h"
#include "base/str.h"
#include "document.h"
#include "trial.h"
#include <inttypes.h>
#include <stdlib.h>

static void repeat(FILE *out, const char *part, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        fputs(part, out);
}

/* A string of that many characters, each of two bytes. */
static char *string_of(int64_t characters)
{
    FILE *out = text_begin();

    fputc('"', out);
    repeat(out, "\xc3\xa9", characters);
    fputc('"', out);
    return text_end(out);
}

/* The string of a case, and more. */
static char *string_with(yajl_val value, const char *more, int64_t times)
{
    char *quoted = document_value_text(value);
    FILE *out = text_begin();

    fprintf(out, "%.*s", (int)strlen(quoted) - 1, quoted);
    repeat(out, more, times);
    fputc('"', out);
    free(quoted);
    return text_end(out);
}

/* The same, which no rule of the row refuses, made that long. */
static char *string_grown(yajl_val value, int64_t characters)
{
    return string_with(value, "a", characters - (int64_t)ski_utf8_count(YAJL_GET_STRING(value)));
}

/* The first item of a case, that many times. */
static char *list_of(yajl_val list, size_t count)
{
    char *item = document_value_text(list->u.array.values[0]);
    FILE *out = text_begin();

    fputc('[', out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s", i ? "," : "", item);
    fputc(']', out);
    free(item);
    return text_end(out);
}

/* A map of that many entries, whose names and values have that many characters. */
static char *map_of(size_t count, int64_t name_length, int64_t value_length)
{
    FILE *out = text_begin();

    fputc('{', out);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ",\"" : "\"", out);
        if (name_length > 0)
            fprintf(out, "%0*zu", (int)name_length, i);
        fputs("\":\"", out);
        repeat(out, "v", value_length);
        fputc('"', out);
    }
    fputc('}', out);
    return text_end(out);
}

static char *integer_of(const struct ski_field *field, int64_t value)
{
    FILE *out = text_begin();

    fprintf(out, field->kind == SKI_DURATION ? "\"%" PRId64 "s\"" : "%" PRId64, value);
    return text_end(out);
}

/* --- the limits are those of the service ------------------------------------------------------- */

/* "1 to 100 characters" */
static void write_range(FILE *out, const char **separator, const char *of, int64_t min, int64_t max,
                        const char *unit)
{
    if (!min && !max)
        return;
    fprintf(out, "%s%s", *separator, of);
    if (!max)
        fprintf(out, "at least %" PRId64 "%s", min, unit);
    else if (!min)
        fprintf(out, "at most %" PRId64 "%s", max, unit);
    else
        fprintf(out, "%" PRId64 " to %" PRId64 "%s", min, max, unit);
    *separator = ", ";
}

/* "name: required, 1 to 100 characters, a rule"; nothing when it may be anything. */
static void write_limit(FILE *out, const char *path, const struct ski_field *field)
{
    static const struct {
        const char *items, *of, *unit;
    } words[] = {
        [SKI_STRING] = {"", "", " characters"},
        [SKI_INTEGER] = {"", "", ""},
        [SKI_DURATION] = {"", "", " seconds"},
        [SKI_OBJECTS] = {" items", "", ""},
        [SKI_STRINGS] = {" items", "each of ", " characters"},
        [SKI_MAP] = {" entries", "values of ", " characters"},
    };
    char first[220];
    const char *separator = first;

    snprintf(first, sizeof first, "%s: ", path);
    if (field->flags & SKI_REQUIRED) {
        fprintf(out, "%srequired", separator);
        separator = ", ";
    }
    write_range(out, &separator, "", (int64_t)field->min_items, (int64_t)field->max_items,
                words[field->kind].items);
    write_range(out, &separator, "keys of ", field->key_min, field->key_max, " characters");
    write_range(out, &separator, words[field->kind].of, field->min, field->max,
                words[field->kind].unit);
    if (field->check) {
        fprintf(out, "%sa rule", separator);
        separator = ", ";
    }
    if (separator != first)
        fputc('\n', out);
}

static void write_limits(FILE *out, const char *prefix, const struct ski_type *type)
{
    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++) {
        char path[200];

        if (field->flags & SKI_READ_ONLY)
            continue;
        if (field->kind == SKI_FLAT) {
            write_limits(out, prefix, field->type);
            continue;
        }
        snprintf(path, sizeof path, "%s%s", prefix, field->member);
        write_limit(out, path, field);
        if (!field->type)
            continue;
        snprintf(path, sizeof path, "%s%s%s.", prefix, field->member,
                 field->kind == SKI_OBJECTS ? "[]" : "");
        write_limits(out, path, field->type);
    }
}

static void test_limits(void)
{
    struct wire_cases cases;

    cases_read(&cases);
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *c = &cases.at[i];
        FILE *out = text_begin();
        char *limits;

        write_limits(out, "", c->operation->params);
        limits = text_end(out);
        if (c->limits && strcmp(limits, c->limits) != 0)
            printf("%s:\n%s\nexpected\n%s\n", c->name, limits, c->limits);
        ROW_IS(c->name, !c->limits || strcmp(limits, c->limits) == 0);
        free(limits);
    }
    cases_free(&cases);
}

/* --- judging ----------------------------------------------------------------------------------- */

/* Where the spot is, and whether values are tried that must be refused, or such that must not. */
struct place {
    struct trial *trial;
    const struct document *document;
    size_t nth;
    const struct spot *spot;
    bool refusing;
};

/* With this value at the spot; NULL: without one. */
static void check_value(const struct place *place, const char *value)
{
    const struct spot *spot = place->spot;
    const char *name = place->trial->of->name;
    char *params = document_with(place->document, place->nth, value);
    struct call *call = trial_run(place->trial, params, NULL);
    scalekit_err expected = place->refusing ? SCALEKIT_ERR_INVALID : SCALEKIT_ERR_SERVER;
    bool right = call->code == expected;

    if (right && place->refusing)
        right = text_is(call->error->parameter, spot->field->member) &&
                text_has(call->message, spot->path) && call->phase == SCALEKIT_PHASE_NONE;
    if (!right)
        printf("%s: %s %s: %.80s in %.300s\n", name, spot->path,
               place->refusing ? "is not refused" : "is refused", call->message, params);
    ROW_IS(name, right);
    free(params);
}

/* The same with a value to be freed. */
static void check_made(const struct place *place, bool refusing, char *value)
{
    if (place->refusing == refusing)
        check_value(place, value);
    free(value);
}

/* --- the limits of a row ----------------------------------------------------------------------- */

static void check_required(const struct place *place)
{
    const unsigned texts = 1u << SKI_STRING | 1u << SKI_ENUM;

    if (!place->refusing || !(place->spot->field->flags & SKI_REQUIRED) || place->spot->item)
        return;
    check_value(place, NULL);
    check_value(place, "null");
    if (texts & 1u << place->spot->field->kind)
        check_value(place, "\"\"");
}

static void check_string(const struct place *place)
{
    const struct ski_field *field = place->spot->field;

    if (field->min > 0)
        check_made(place, true, string_of(field->min - 1));
    if (field->min > 0 && !field->check)
        check_made(place, false, string_of(field->min));
    if (field->max > 0) {
        check_made(place, true, string_of(field->max + 1));
        check_made(place, false, string_grown(place->spot->value, field->max));
    }
}

/* 0 is absent, and never refused. */
static void check_integer(const struct place *place)
{
    const struct ski_field *field = place->spot->field;

    if (!field->min && !field->max)
        return;
    check_made(place, true, integer_of(field, field->min == 1 ? -1 : field->min - 1));
    check_made(place, true, integer_of(field, field->max + 1));
    check_made(place, false, integer_of(field, field->min));
    check_made(place, false, integer_of(field, field->max));
}

static void check_list(const struct place *place)
{
    const struct ski_field *field = place->spot->field;

    if (field->min_items > 1)
        check_made(place, true, list_of(place->spot->value, field->min_items - 1));
    if (field->max_items > 0) {
        check_made(place, true, list_of(place->spot->value, field->max_items + 1));
        check_made(place, false, list_of(place->spot->value, field->max_items));
    }
}

static void check_map(const struct place *place)
{
    const struct ski_field *field = place->spot->field;
    int64_t name = field->key_max ? field->key_max : 10, value = field->max ? field->max : 10;

    if (field->max_items > 0) {
        check_made(place, true, map_of(field->max_items + 1, name, value));
        check_made(place, false, map_of(field->max_items, name, value));
    }
    if (field->key_max > 0) {
        check_made(place, true, map_of(1, field->key_max + 1, value));
        check_made(place, false, map_of(1, field->key_max, value));
    }
    if (field->key_min > 0) {
        check_made(place, true, map_of(1, field->key_min - 1, value));
        check_made(place, false, map_of(1, field->key_min, value));
    }
    if (field->max > 0) {
        check_made(place, true, map_of(1, name, field->max + 1));
        check_made(place, false, map_of(1, name, field->max));
    }
    if (field->min > 0) {
        check_made(place, true, map_of(1, name, field->min - 1));
        check_made(place, false, map_of(1, name, field->min));
    }
}

/* What would lead elsewhere than the path says. */
static void check_path(const struct place *place)
{
    static const char *const segments[] = {"\"..\"", "\"a/b\"", "\"a\\\\b\"", "\"a\\n\""};

    if (!place->refusing || !(place->spot->field->flags & SKI_PATH))
        return;
    for (size_t i = 0; i < COUNT(segments); i++)
        check_value(place, segments[i]);
    check_made(place, true, string_with(place->spot->value, "/x", 1)); /* what a prefix hides */
}

static void check_spot(const struct place *place)
{
    const struct spot *spot = place->spot;

    check_required(place);
    check_path(place);
    switch (spot->field->kind) {
    case SKI_STRING:
        check_string(place);
        break;
    case SKI_STRINGS:
        (spot->item ? check_string : check_list)(place);
        break;
    case SKI_OBJECTS:
        if (!spot->item)
            check_list(place);
        break;
    case SKI_INTEGER:
    case SKI_DURATION:
        check_integer(place);
        break;
    case SKI_MAP:
        check_map(place);
        break;
    default:
        break;
    }
}

/* --- every parameter of every case ------------------------------------------------------------- */

static void check_case(const struct wire_case *c, void (*check)(const struct place *place),
                       bool refusing)
{
    struct document document;
    struct trial trial;
    struct spot spot;

    trial_open(&trial, c);
    document_read(&document, c->params, c->operation->params, BY_MEMBER);
    for (size_t i = 0; document_spot(&document, i, &spot); i++) {
        const struct place place = {&trial, &document, i, &spot, refusing};

        check(&place);
    }
    document_free(&document);
    if (refusing)
        ROW_IS(c->name, service_count(trial.fixture.service, NULL) == 0 &&
                            service_count(trial.fixture.service, SIGN_IN) == 0);
    trial_free(&trial);
}

static void check_cases(void (*check)(const struct place *place), bool refusing)
{
    struct wire_cases cases;

    cases_read(&cases);
    for (size_t i = 0; i < cases.count; i++)
        check_case(&cases.at[i], check, refusing);
    cases_free(&cases);
}

static void test_out_of_limits(void)
{
    check_cases(check_spot, true);
}

static void test_within_limits(void)
{
    check_cases(check_spot, false);
}

/* --- rules ------------------------------------------------------------------------------------- */

/* What the rule of a row refuses; in whichever operation has the parameter. */
static const struct bad_value {
    const char *member, *value;
} bad_values[] = {
    {"authenticator_attachment", "\"usb\""},
    {"connected_account_id", "\"acc_1\""},
    {"connection_name", "\"gm@il\""},
    {"connection_name", "\"gmail/1\""},
    {"connection_names", "\"caf\xc3\xa9\""},
    {"conveyance_preference", "\"enterprise\""},
    {"desired_authenticator_status", "\"FIDO\""},
    {"display_name", "\"  \""},
    {"display_name", "\"Acme-Mail\""},
    {"icon_src", "\"http://cdn.acme.example/mail.svg\""},
    {"identifier", "\"acme mail\""},
    {"name", "\"Daily\""},
    {"proxy_url", "\"http://mail.acme.example\""},
    {"test_request_id", "\"tst_1\""},
    {"tool_id", "\"tool_1\""},
    {"undesired_authenticator_status", "\"revoked\""},
    {"user_verification", "\"always\""},
    {"user_verify_url", "\"ftp://app.acme.example\""},
    {"user_verify_url", "\"app.acme.example\""},
};

static bool used[COUNT(bad_values)];

static void check_rule(const struct place *place)
{
    const struct ski_field *field = place->spot->field;
    size_t count = 0;

    if (!field->check || (field->kind == SKI_STRINGS && !place->spot->item))
        return;
    for (size_t i = 0; i < COUNT(bad_values); i++) {
        if (strcmp(bad_values[i].member, field->member) != 0)
            continue;
        check_value(place, bad_values[i].value);
        used[i] = true;
        count++;
    }
    ROW_IS(field->member, count > 0);
}

static void test_rules(void)
{
    check_cases(check_rule, true);
    for (size_t i = 0; i < COUNT(bad_values); i++)
        ROW_IS(bad_values[i].member, used[i]);
}

/* What the rule of an operation refuses, and by which name. */
#define LATE_TO_EARLY                                                                              \
    "{\"start_time\":\"2026-10-05T00:00:00Z\",\"end_time\":\"2026-10-01T00:00:00Z\"}"

static const struct bad_params {
    const char *operation, *parameter, *params;
} bad_params[] = {
    {"create_connected_account", "authorization_details",
     "{\"connection_name\":\"gmail\",\"identifier\":\"user_1\",\"authorization_details\":"
     "{\"oauth_token\":{},\"google_dwd\":{}}}"},
    {"create_connected_account", "authorization_details",
     "{\"connection_name\":\"gmail\",\"identifier\":\"user_1\",\"authorization_details\":{}}"},
    {"create_environment_connection", "provider_key", "{\"type\":\"OAUTH\"}"},
    {"create_environment_connection", "provider_key", "{\"provider\":\"SCALEKIT\"}"},
    {"create_environment_connection", "key_id",
     "{\"provider\":\"SCALEKIT\",\"provider_key\":\"SCALEKIT\",\"type\":\"WEBAUTHN\"}"},
    {"delete_connected_account", "connected_account_id", "{}"},
    {"get_authorization_link", "connected_account_id", "{\"state\":\"s\"}"},
    {"get_connected_account", "connected_account_id", "{}"},
    {"get_connected_account", "identifier", "{\"connection_name\":\"gmail\"}"},
    {"get_connected_account", "connection_name", "{\"identifier\":\"user_1\"}"},
    {"get_connected_account_details", "connected_account_id", "{\"user_id\":\"usr_1\"}"},
    {"get_overview_stats", "end_time", LATE_TO_EARLY},
    {"list_connected_accounts", "connection_names",
     "{\"connection_name\":\"gmail\",\"connection_names\":[\"slack\"]}"},
    {"list_events", "end_time", LATE_TO_EARLY},
    {"list_events_paginated", "end_time", LATE_TO_EARLY},
    {"list_scoped_tools", "connection_names", "{\"identifier\":\"user_1\"}"},
    {"list_tool_call_logs", "end_time", LATE_TO_EARLY},
    {"refresh_tools", "identifier", "{\"connection_name\":\"gmail\"}"},
    {"update_connected_account", "connected_account_id", "{}"},
    {"update_connected_account", "authorization_details",
     "{\"connected_account_id\":\"ca_1\",\"authorization_details\":{}}"},
    {"update_connected_account", "authorization_details",
     "{\"connected_account_id\":\"ca_1\",\"authorization_details\":"
     "{\"google_dwd\":{},\"trusted_idp\":{}}}"},
    {"update_environment_connection", "provider_key", "{\"connection_id\":\"conn_1\"}"},
    {"update_environment_connection", "oauth_config",
     "{\"connection_id\":\"conn_1\",\"provider_key\":\"gmail\",\"oidc_config\":{},"
     "\"oauth_config\":{}}"},
    {"update_environment_connection", "origins",
     "{\"connection_id\":\"conn_1\",\"provider_key\":\"gmail\",\"webauthn_config\":"
     "{\"rp\":{\"ids\":[\"acme.example\"]}}}"},
};

static void check_bad_params(const struct wire_cases *cases, const struct bad_params *row)
{
    const struct wire_case *c = cases_find(cases, row->operation);
    struct trial trial;
    struct call *call;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    trial_open(&trial, c);
    call = trial_run(&trial, row->params, NULL);
    ROW_IS(row->params, call->code == SCALEKIT_ERR_INVALID);
    if (call->error) {
        ROW_IS(row->params, text_is(call->error->parameter, row->parameter));
        ROW_IS(row->params, text_has(call->message, row->parameter));
    }
    ROW_IS(row->params, service_count(trial.fixture.service, NULL) == 0);
    trial_free(&trial);
}

static bool has_bad_params(const char *operation)
{
    for (size_t i = 0; i < COUNT(bad_params); i++)
        if (strcmp(bad_params[i].operation, operation) == 0)
            return true;
    return false;
}

static void test_rules_across(void)
{
    struct wire_cases cases;

    cases_read(&cases);
    for (size_t i = 0; i < COUNT(bad_params); i++)
        check_bad_params(&cases, &bad_params[i]);
    for (size_t i = 0; i < cases.count; i++)
        if (cases.at[i].operation->check)
            ROW_IS(cases.at[i].name, has_bad_params(cases.at[i].operation->name));
    cases_free(&cases);
}

/* --- no parameters ----------------------------------------------------------------------------- */

static void check_null(const struct wire_case *c)
{
    struct trial trial;
    struct call *empty, *null;

    trial_open(&trial, c);
    empty = trial_run(&trial, "{}", NULL);
    null = trial_run(&trial, NULL, NULL);
    ROW_IS(c->name, null->code == empty->code);
    if (null->code == SCALEKIT_ERR_INVALID)
        ROW_IS(c->name, text_is(null->error->parameter, "params"));
    trial_free(&trial);
}

static void test_null(void)
{
    struct wire_cases cases;

    cases_read(&cases);
    for (size_t i = 0; i < cases.count; i++)
        check_null(&cases.at[i]);
    cases_free(&cases);
}

SUITE(operation_limits, {"the limits are those that the cases list", test_limits},
      {"what is out of the limits is refused by its name", test_out_of_limits},
      {"what is just within the limits is sent", test_within_limits},
      {"what a rule refuses is refused by its name", test_rules},
      {"what does not go together is refused by a name", test_rules_across},
      {"parameters may be NULL exactly where all may be absent", test_null})
