/* Every operation, by its case: what its public function sends, and how the answer is decoded. */
#include "api/operations.h"
#include "document.h"
#include "trial.h"
#include "wire.h"
#include <stdlib.h>

/* An operation made of others: it has a test of its own. */
static bool is_flow(const struct ski_operation *operation)
{
    return strcmp(operation->name, "get_or_create_connected_account") == 0;
}

/* --- nothing is missing ------------------------------------------------------------------------ */

static void test_every_operation_has_a_case(void)
{
    struct wire_cases cases;
    size_t count = 0;

    cases_read(&cases);
    for (const struct ski_operation *const *list = ski_operation_lists; *list; list++) {
        for (const struct ski_operation *operation = *list; operation->name; operation++) {
            const struct wire_case *c = cases_find(&cases, operation->name);

            ROW_IS(operation->name, ski_operation_find(operation->name) == operation);
            ROW_IS(operation->name, c || is_flow(operation));
            ROW_IS(operation->name, function_find(operation->name) || is_flow(operation));
            count++;
        }
    }
    CU_ASSERT(count > 0);
    cases_free(&cases);
}

static void test_every_function_has_an_operation(void)
{
    for (const struct function *function = functions; function->operation; function++)
        ROW_IS(function->operation, ski_operation_find(function->operation) != NULL);
}

/* --- no row is left out ------------------------------------------------------------------------ */

/* The rows that some case has a value for. */
struct rows {
    const struct ski_field *at[2000];
    size_t count;
};

static bool has_row(const struct rows *rows, const struct ski_field *field)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->at[i] == field)
            return true;
    return false;
}

static void add_rows(struct rows *rows, const char *text, const struct ski_type *type,
                     enum document_names names)
{
    struct document document;
    struct spot spot;

    document_read(&document, text, type, names);
    for (size_t i = 0; document_spot(&document, i, &spot); i++) {
        if (has_row(rows, spot.field))
            continue;
        CU_ASSERT_FATAL(rows->count < COUNT(rows->at));
        rows->at[rows->count++] = spot.field;
    }
    document_free(&document);
}

/* What only the service sends is no parameter; a FLAT is its members. */
static void check_rows(const struct rows *rows, const struct ski_type *type,
                       enum document_names names)
{
    const struct ski_field *field = type ? type->fields : NULL;

    for (; field && field->kind != SKI_END; field++) {
        if (names == BY_MEMBER && field->flags & SKI_READ_ONLY)
            continue;
        if (field->kind != SKI_FLAT || names == BY_WIRE) {
            if (!has_row(rows, field))
                printf("%s.%s is in no case\n", type->name, field->member);
            ROW_IS(field->member, has_row(rows, field));
        }
        check_rows(rows, field->type, names);
    }
}

static void test_every_row_has_a_case(void)
{
    static struct rows params, results;
    struct wire_cases cases;

    params.count = results.count = 0;
    cases_read(&cases);
    for (size_t i = 0; i < cases.count; i++) {
        const struct ski_operation *operation = cases.at[i].operation;

        add_rows(&params, cases.at[i].params, operation->params, BY_MEMBER);
        add_rows(&results, cases.at[i].response, operation->result, BY_WIRE);
    }
    for (size_t i = 0; i < cases.count; i++) {
        const struct ski_operation *operation = cases.at[i].operation;

        check_rows(&params, operation->params, BY_MEMBER);
        check_rows(&results, operation->result, BY_WIRE);
    }
    cases_free(&cases);
}

/* --- names ------------------------------------------------------------------------------------- */

/* Where C has another word than the wire.  Requests and results alone would not show it when a table
 * had two names the wrong way round. */
static const struct renamed {
    const char *member, *name;
} renamed[] = {
    {"accounts", "connected_accounts"},
    {"config_id", "id"},
    {"config_id", "mcp_config_id"},
    {"connected_account_id", "id"},
    {"connection_name", "connector"},
    {"connections", "connected_accounts"},
    {"expiry_seconds", "expiry"},
    {"instance_id", "id"},
    {"logs", "tool_call_logs"},
    {"servers", "mcps"},
    {"tool_id", "id"},
    {"tool_input", "params"},
    {"tool_names", "tool_name"},
};

static bool is_named_well(const struct ski_field *field)
{
    const char *dot = strrchr(field->name, '.'); /* "filter.provider" */
    const char *name = dot ? dot + 1 : field->name;

    for (size_t i = 0; i < COUNT(renamed); i++)
        if (strcmp(renamed[i].member, field->member) == 0 && strcmp(renamed[i].name, name) == 0)
            return true;
    return strcmp(field->member, name) == 0;
}

static void check_names(const struct ski_type *type)
{
    const struct ski_field *field = type ? type->fields : NULL;

    for (; field && field->kind != SKI_END; field++) {
        ROW_IS(field->member, is_named_well(field));
        check_names(field->type);
    }
}

/* --- what must not be logged ------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool sounds_secret(const struct ski_field *field)
{
    if (field->kind != SKI_STRING && field->kind != SKI_JSON)
        return false;
    if (ends_with(field->member, "token"))
        return !ends_with(field->member, "page_token");
    return text_has(field->member, "secret") || text_has(field->member, "service_account") ||
           text_has(field->member, "password") || text_has(field->member, "access_key") ||
           ends_with(field->member, "link");
}

/* What does not sound so, but is; in one structure, or (NULL) in all. */
static const struct secret {
    const char *type, *member;
} secrets[] = {
    {NULL, "api_config"},
    {NULL, "auth_request_id"},
    {NULL, "state"},
    {"scalekit_connection", "test_connection_uri"},
    {"scalekit_connection_test_result", "user_info"},
    {"scalekit_event", "data"},
    {"scalekit_execute_tool_params", "tool_input"},
    {"scalekit_mcp_instance", "url"},
    {"scalekit_mcp_server", "url"},
    {"scalekit_static_auth", "details"},
    {"scalekit_static_config", "static_config"},
    {"scalekit_tool_result", "data"},
};

static bool is_listed_secret(const struct ski_type *type, const struct ski_field *field)
{
    for (size_t i = 0; i < COUNT(secrets); i++)
        if (strcmp(secrets[i].member, field->member) == 0 &&
            (!secrets[i].type || strcmp(secrets[i].type, type->name) == 0))
            return true;
    return false;
}

static void check_secrets(const struct ski_type *type)
{
    const struct ski_field *field = type ? type->fields : NULL;

    for (; field && field->kind != SKI_END; field++) {
        bool secret = sounds_secret(field) || is_listed_secret(type, field);

        if (secret != !!(field->flags & SKI_SECRET))
            printf("%s.%s is %s\n", type->name, field->member, secret ? "secret" : "no secret");
        ROW_IS(field->member, secret == !!(field->flags & SKI_SECRET));
        check_secrets(field->type);
    }
}

/* --- every table ------------------------------------------------------------------------------- */

static void check_tables(void (*check)(const struct ski_type *type))
{
    for (const struct ski_operation *const *list = ski_operation_lists; *list; list++)
        for (const struct ski_operation *operation = *list; operation->name; operation++) {
            check(operation->params);
            check(operation->result);
        }
}

static void test_names(void)
{
    check_tables(check_names);
}

static void test_secrets(void)
{
    check_tables(check_secrets);
}

/* --- the wire ---------------------------------------------------------------------------------- */

static void check_text(const char *name, const char *text, const char *expected)
{
    if (!text_is(text, expected))
        printf("%s:\n    found    %s\n    expected %s\n", name, text, expected);
    ROW_IS(name, text_is(text, expected));
}

static void check_request(const struct trial *trial)
{
    const struct wire_case *c = trial->of;
    struct service *service = trial->fixture.service;
    const struct service_request *request;

    ROW_IS(c->name, service_count(service, NULL) == 1);
    request = service_request(service, NULL, 0);
    check_text(c->name, request->route, c->route);
    check_text(c->name, request->target, c->target);
    check_text(c->name, request->body, c->body);
    wire_check_headers(c->name, &trial->fixture, request);
}

static void check_result(const struct trial *trial, const struct call *call)
{
    char *result = trial_result(trial, call);
    char *found = document_normal(result);
    char *expected = document_normal(trial->of->response);

    check_text(trial->of->name, found, expected);
    free(expected);
    free(found);
    free(result);
}

/* Nothing of the document that is secret is in the log. */
static void check_log(const struct trial *trial, const char *text, const struct ski_type *type,
                      enum document_names names)
{
    struct document document;
    struct spot spot;

    document_read(&document, text, type, names);
    for (size_t i = 0; document_spot(&document, i, &spot); i++) {
        char *value = document_value_text(spot.value);
        char *secret = value;

        if (YAJL_IS_STRING(spot.value)) { /* without its quotes */
            value[strlen(value) - 1] = '\0';
            secret++;
        }
        if (spot.field->flags & SKI_SECRET && strlen(secret) > strlen("{}"))
            ROW_IS(spot.path, !text_has(trial->fixture.log, secret));
        free(value);
    }
    document_free(&document);
}

static void check_case(const struct wire_case *c)
{
    struct trial trial;
    struct call *call;

    trial_open(&trial, c);
    call = trial_run(&trial, c->params, c->response);
    ROW_IS(c->name, call->code == SCALEKIT_OK);
    if (call->code == SCALEKIT_OK) {
        check_request(&trial);
        check_result(&trial, call);
        ROW_IS(c->name, text_has(trial.fixture.log, c->operation->name));
        check_log(&trial, c->params, c->operation->params, BY_MEMBER);
        check_log(&trial, c->response, c->operation->result, BY_WIRE);
    } else {
        printf("%s: %s\n", c->name, call->message);
    }
    trial_free(&trial);
}

static void test_cases(void)
{
    struct wire_cases cases;

    cases_read(&cases);
    for (size_t i = 0; i < cases.count; i++)
        check_case(&cases.at[i]);
    cases_free(&cases);
}

SUITE(operation, {"every operation has a case and a function", test_every_operation_has_a_case},
      {"every function has an operation", test_every_function_has_an_operation},
      {"every row of a table is in a case", test_every_row_has_a_case},
      {"a member has the word of the wire, but for a few", test_names},
      {"exactly what is secret is marked as such", test_secrets},
      {"requests and results are those of the cases, and no secret is logged", test_cases})
