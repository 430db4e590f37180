#include "api/operations.h"
#include "wire.h"
#include <scalekit/operation.h>

static void on_json(scalekit_request *request, const char *json, size_t length, void *call)
{
    CU_ASSERT_EQUAL(length, json ? strlen(json) : 0);
    call_on_result(request, json, call);
}

static struct call *begin(struct fixture *f, const char *name, const char *parameters,
                          enum scalekit_json_style style)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_operation_call(f->client, scalekit_operation_find(name),
                                                    parameters, style, on_json, call));
}

/* --- the list ---------------------------------------------------------------------------------- */

static void each_operation_is_found_by_its_name(void)
{
    const scalekit_operation *operation;
    size_t count = 0;

    while ((operation = scalekit_operation_at(count))) {
        const char *name = scalekit_operation_name(operation);
        const char *method = scalekit_operation_method(operation);
        const char *path = scalekit_operation_path(operation);
        const char *summary = scalekit_operation_summary(operation);

        ROW_IS(name, scalekit_operation_find(name) == operation);
        ROW_IS(name, summary[0] && summary[strlen(summary) - 1] != '.');
        ROW_IS(name, (method[0] == '\0') == (path[0] == '\0'));
        ROW_IS(name, !path[0] || strncmp(path, "/api/v1/", 8) == 0);
        count++;
    }
    CU_ASSERT(count > 50);
    CU_ASSERT_PTR_NULL(scalekit_operation_at(SIZE_MAX));
    CU_ASSERT_PTR_NULL(scalekit_operation_find("no_such_operation"));
    CU_ASSERT_PTR_NULL(scalekit_operation_find(NULL));
    CU_ASSERT(text_is(scalekit_operation_name(NULL), ""));
}

static void every_name_in_a_path_is_a_required_parameter(void)
{
    const scalekit_operation *operation;

    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++) {
        const char *name = scalekit_operation_name(operation);
        const struct ski_operation *row = ski_operation_find(name);
        unsigned named = 0, flagged = 0;

        for (const char *at = row->path; at && (at = strchr(at, '{')); at++)
            named++;
        if (row->params)
            for (const struct ski_field *field = row->params->fields; field->kind; field++)
                if (field->flags & SKI_PATH) {
                    char place[80];

                    flagged++;
                    snprintf(place, sizeof place, "{%s}", field->name);
                    ROW_IS(name, text_has(row->path, place));
                    ROW_IS(name, field->flags & SKI_REQUIRED && field->kind == SKI_STRING);
                }
        ROW_IS(name, named == flagged);
    }
}

/* --- parameters -------------------------------------------------------------------------------- */

static bool find_parameter(const char *operation, const char *name, struct scalekit_parameter *out,
                           size_t *index)
{
    for (*index = 0; scalekit_operation_parameter(scalekit_operation_find(operation), *index, out);
         ++*index)
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

static void parameters_are_told_with_their_limits(void)
{
    static const struct {
        const char *operation, *name;
        struct scalekit_parameter expected;
    } cases[] = {
        {"get_connected_account",
         "connection_name",
         {.type = SCALEKIT_PARAMETER_STRING, .max = 400}},
        {"create_connected_account",
         "identifier",
         {.type = SCALEKIT_PARAMETER_STRING, .required = true, .max = 100}},
        {"create_connected_account", "authorization_details", {.type = SCALEKIT_PARAMETER_OBJECT}},
        {"create_connected_account",
         "authorization_details.oauth_token.access_token",
         {.type = SCALEKIT_PARAMETER_STRING, .depth = 2, .secret = true}},
        {"create_connected_account",
         "authorization_details.oauth_token.scopes",
         {.type = SCALEKIT_PARAMETER_STRINGS, .depth = 2}},
        {"list_connected_accounts",
         "connection_names",
         {.type = SCALEKIT_PARAMETER_STRINGS, .min = 1, .max = 400, .max_items = 20}},
        {"list_connected_accounts",
         "page_size",
         {.type = SCALEKIT_PARAMETER_INTEGER, .min = 1, .max = 99}},
        {"create_mcp_config",
         "connection_tool_mappings[].tools",
         {.type = SCALEKIT_PARAMETER_STRINGS, .depth = 1}},
        {"execute_tool", "tool_input", {.type = SCALEKIT_PARAMETER_JSON, .secret = true}},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct scalekit_parameter *expected = &cases[i].expected;
        struct scalekit_parameter parameter = {.struct_size = sizeof parameter};
        size_t index;

        if (!find_parameter(cases[i].operation, cases[i].name, &parameter, &index)) {
            ROW_IS(cases[i].name, false);
            continue;
        }
        ROW_IS(cases[i].name, parameter.type == expected->type);
        ROW_IS(cases[i].name, parameter.depth == expected->depth);
        ROW_IS(cases[i].name, parameter.required == expected->required);
        ROW_IS(cases[i].name, parameter.secret == expected->secret);
        ROW_IS(cases[i].name, parameter.min == expected->min && parameter.max == expected->max);
        ROW_IS(cases[i].name, parameter.max_items == expected->max_items);
    }
}

static void what_only_the_service_sets_is_no_parameter(void)
{
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};
    size_t index;

    CU_ASSERT_FALSE(find_parameter("create_connected_account",
                                   "authorization_details.google_dwd.access_token", &parameter,
                                   &index));
    CU_ASSERT(find_parameter("create_connected_account", "authorization_details.google_dwd.subject",
                             &parameter, &index));
    CU_ASSERT_FALSE(scalekit_operation_parameter(NULL, 0, &parameter));
    parameter.struct_size = 0;
    CU_ASSERT_FALSE(scalekit_operation_parameter(scalekit_operation_at(0), 0, &parameter));
    parameter.struct_size = offsetof(struct scalekit_parameter, depth);
    parameter.depth = 77; /* a program built before it */
    CU_ASSERT(scalekit_operation_parameter(scalekit_operation_at(0), 0, &parameter));
    CU_ASSERT_EQUAL(parameter.depth, 77);
}

static void words_are_listed(void)
{
    const scalekit_operation *operation = scalekit_operation_find("list_events");
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};
    size_t index;

    CU_ASSERT_FATAL(find_parameter("list_events", "source", &parameter, &index));
    CU_ASSERT_EQUAL(parameter.type, SCALEKIT_PARAMETER_WORD);
    CU_ASSERT(text_is(scalekit_operation_word(operation, index, 0), "SCALEKIT"));
    CU_ASSERT(text_is(scalekit_operation_word(operation, index, 1), "DIR_SYNC"));
    CU_ASSERT_PTR_NULL(scalekit_operation_word(operation, index, 2));
    CU_ASSERT_PTR_NULL(scalekit_operation_word(operation, index + 1000, 0));
}

static void every_type_has_a_name(void)
{
    for (int type = SCALEKIT_PARAMETER_STRING; type <= SCALEKIT_PARAMETER_MAP; type++)
        CU_ASSERT_FALSE(
            text_is(scalekit_parameter_type_name((enum scalekit_parameter_type)type), "unknown"));
    CU_ASSERT(text_is(scalekit_parameter_type_name((enum scalekit_parameter_type)0), "unknown"));
    CU_ASSERT(text_is(scalekit_parameter_type_name((enum scalekit_parameter_type)99), "unknown"));
}

/* --- calling ----------------------------------------------------------------------------------- */

#define KEY "{\"connection_name\":\"gmail\",\"identifier\":\"user_1\"}"
#define SECRET_BODY                                                                                \
    "{\"connected_account\":{\"id\":\"ca_1\",\"new_member\":1,\"authorization_details\":"          \
    "{\"oauth_token\":{\"access_token\":\"hush\",\"scopes\":[\"a\"]}}}}"

#define REDACTED_ACCOUNT                                                                           \
    "{\"id\":\"ca_1\",\"authorization_details\":{\"oauth_token\":{\"access_token\":\"***\","       \
    "\"scopes\":[\"a\"]}}}"

static void an_operation_is_called_by_name(void)
{
    static const struct {
        const char *name, *operation, *parameters, *route, *target, *answer, *as_sent, *redacted;
        const char *body; /* of the request */
    } cases[] = {
        {"an account", "get_connected_account", KEY, AUTH,
         "/api/v1/connected_accounts/auth?connector=gmail&identifier=user_1", SECRET_BODY,
         SECRET_BODY, REDACTED_ACCOUNT, ""},
        {"no result", "delete_connected_account", KEY, DELETE, "/api/v1/connected_accounts:delete",
         "", "{}", "{}", "{\"connector\":\"gmail\",\"identifier\":\"user_1\"}"},
        {"no parameters", "list_connected_accounts", NULL, LIST, "/api/v1/connected_accounts",
         "{\"total_size\":0}", "{\"total_size\":0}", "{\"connected_accounts\":[],\"total_size\":0}",
         ""},
        {"defaults", "create_connected_account", KEY, CREATE, "/api/v1/connected_accounts",
         SECRET_BODY, SECRET_BODY, REDACTED_ACCOUNT,
         "{\"connector\":\"gmail\",\"identifier\":\"user_1\",\"connected_account\":"
         "{\"authorization_details\":{\"oauth_token\":{}}}}"},
        {"several requests", "get_or_create_connected_account", KEY, DETAILS,
         "/api/v1/connected_accounts/details?connector=gmail&identifier=user_1", ACCOUNT_BODY,
         "{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"status\":\"ACTIVE\",\"connector\":"
         "\"gmail\"}",
         "{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"status\":\"ACTIVE\",\"connector\":"
         "\"gmail\"}",
         ""},
    };

    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        const char *name = cases[i / 2].name;
        bool redacted = i % 2;
        const struct service_request *request;
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        service_always(f.service, cases[i / 2].route,
                       (struct service_answer){200, cases[i / 2].answer, NULL, 0, 0});
        call = begin(&f, cases[i / 2].operation, cases[i / 2].parameters,
                     redacted ? SCALEKIT_JSON_REDACTED : SCALEKIT_JSON_AS_SENT);
        call_wait(call);
        ROW_IS(name, call->code == SCALEKIT_OK);
        if (call->code == SCALEKIT_OK) {
            ROW_IS(name,
                   text_is(call->result, redacted ? cases[i / 2].redacted : cases[i / 2].as_sent));
            ROW_IS(name, !*cases[i / 2].answer ||
                             text_is(scalekit_request_response(call->request, NULL), call->result));
            request = service_request(f.service, cases[i / 2].route, 0);
            ROW_IS(name, text_is(request->target, cases[i / 2].target));
            ROW_IS(name, text_is(request->body, cases[i / 2].body));
        }
        fixture_free(&f);
    }
}

static void wrong_parameters_are_refused_and_named(void)
{
    static const struct {
        const char *operation, *parameters, *parameter;
    } cases[] = {
        {"get_connected_account", "{\"connector\":\"gmail\"}", "parameters"},
        {"get_connected_account", "{\"connection_name\":1}", "connection_name"},
        {"get_connected_account", "{\"connection_name\":\"gmail\"}", "identifier"},
        {"get_connected_account", "[]", "parameters"},
        {"get_connected_account", "{", "parameters"},
        {"list_connected_accounts", "{\"page_size\":100}", "page_size"},
        {"list_connected_accounts", "{\"page_size\":\"x\"}", "page_size"},
        {"get_or_create_connected_account", "{\"nobody\":1}", "parameters"},
        {"get_or_create_connected_account", NULL, "connection_name"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        call = begin(&f, cases[i].operation, cases[i].parameters, SCALEKIT_JSON_AS_SENT);
        call_wait(call);
        ROW_IS(cases[i].parameter, call->code == SCALEKIT_ERR_INVALID);
        ROW_IS(cases[i].parameter, text_is(call->error->parameter, cases[i].parameter));
        ROW_IS(cases[i].parameter, service_count(f.service, NULL) == 0);
        fixture_free(&f);
    }
}

static void a_failure_has_no_json(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, AUTH, (struct service_answer){404, ERROR_BODY, NULL, 0, 0});
    call = begin(&f, "get_connected_account", KEY, SCALEKIT_JSON_AS_SENT);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NOT_FOUND);
    CU_ASSERT_PTR_NULL(call->result);
    CU_ASSERT_PTR_NULL(scalekit_operation_call(NULL, scalekit_operation_at(0), NULL,
                                               SCALEKIT_JSON_AS_SENT, on_json, call));
    CU_ASSERT_PTR_NULL(
        scalekit_operation_call(f.client, NULL, NULL, SCALEKIT_JSON_AS_SENT, on_json, call));
    CU_ASSERT_PTR_NULL(scalekit_operation_call(f.client, scalekit_operation_at(0), NULL,
                                               SCALEKIT_JSON_AS_SENT, NULL, call));
    fixture_free(&f);
}

static struct call *get_secret(struct fixture *f, enum scalekit_json_style style)
{
    service_always(f->service, AUTH, (struct service_answer){200, SECRET_BODY, NULL, 0, 0});
    return begin(f, "get_connected_account", KEY, style);
}

static struct call *get_as_sent(struct fixture *f)
{
    return get_secret(f, SCALEKIT_JSON_AS_SENT);
}

static struct call *get_redacted(struct fixture *f)
{
    return get_secret(f, SCALEKIT_JSON_REDACTED);
}

static void every_allocation_may_fail(void)
{
    CU_ASSERT(call_every_allocation(get_as_sent) > 20);
    CU_ASSERT(call_every_allocation(get_redacted) > 20);
}

SUITE(operations, {"each operation is found by its name", each_operation_is_found_by_its_name},
      {"every name in a path is a required parameter",
       every_name_in_a_path_is_a_required_parameter},
      {"parameters are told with their limits", parameters_are_told_with_their_limits},
      {"what only the service sets is no parameter", what_only_the_service_sets_is_no_parameter},
      {"words are listed", words_are_listed}, {"every type has a name", every_type_has_a_name},
      {"an operation is called by name", an_operation_is_called_by_name},
      {"wrong parameters are refused and named", wrong_parameters_are_refused_and_named},
      {"a failure has no JSON", a_failure_has_no_json},
      {"every allocation may fail", every_allocation_may_fail})
