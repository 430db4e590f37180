#include "wire.h"

#define EXECUTE(name, ...)                                                                         \
    CALL_STARTER(name, execute_tool,                                                               \
                 SCALEKIT_PARAMS(scalekit_execute_tool_params, .tool_name = "t", __VA_ARGS__),     \
                 call_on_tool)

/* --- the input of a tool ------------------------------------------------------------------------ */

EXECUTE(input_text, .tool_input = "hello")
EXECUTE(input_array, .tool_input = "[1]")
EXECUTE(input_broken, .tool_input = "{\"a\":")
EXECUTE(input_two, .tool_input = "{}{}")
EXECUTE(input_empty, .tool_input = "")
EXECUTE(input_spaces, .tool_input = " {\"a\" : 1} \n")

static const struct refusal_row input_rows[] = {
    {"input is text", input_text, "tool_input"},
    {"input is an array", input_array, "tool_input"},
    {"input ends early", input_broken, "tool_input"},
    {"input is two objects", input_two, "tool_input"},
    {"input is empty", input_empty, "tool_input"},
    {"input has spaces", input_spaces, NULL},
};

static void test_input(void)
{
    refusal_check(input_rows, COUNT(input_rows));
}

/* --- the rules of the catalogue ------------------------------------------------------------------------ */

CALL_ON(on_tool, scalekit_tool)
CALL_ON(on_page, scalekit_tool_page)
CALL_ON(on_scoped_page, scalekit_scoped_tool_page)

#define SCOPED_CALL(name, ...)                                                                     \
    CALL_STARTER(name, list_scoped_tools,                                                          \
                 SCALEKIT_PARAMS(scalekit_list_scoped_tools_params, __VA_ARGS__), on_scoped_page)
#define REFRESH_CALL(name, ...)                                                                    \
    CALL_STARTER(name, refresh_tools, SCALEKIT_PARAMS(scalekit_refresh_tools_params, __VA_ARGS__), \
                 on_page)
#define DEFAULT_CALL(start, tool)                                                                  \
    CALL_STARTER(start, set_tool_default,                                                          \
                 SCALEKIT_PARAMS(scalekit_set_tool_default_params, .name = tool,                   \
                                 .schema_version = "1", .tool_version = "1"),                      \
                 on_tool)
#define DELETE_CALL(name, id)                                                                      \
    CALL_STARTER(name, delete_tool, SCALEKIT_PARAMS(scalekit_delete_tool_params, .tool_id = id),   \
                 call_on_done)

static const char *const some[] = {"gmail"};

SCOPED_CALL(scoped_to_provider, .identifier = "u", .providers = some, .n_providers = 1)
SCOPED_CALL(scoped_to_tool, .identifier = "u", .tool_names = some, .n_tool_names = 1)
SCOPED_CALL(scoped_to_connection, .identifier = "u", .connection_names = some,
            .n_connection_names = 1)
REFRESH_CALL(refresh_nothing, .user_id = "usr_1")
REFRESH_CALL(refresh_other_half, .connection_name = "acme")
REFRESH_CALL(refresh_by_id, .connected_account_id = "ca_1")
REFRESH_CALL(refresh_by_name, .connection_name = "acme", .identifier = "u")
DEFAULT_CALL(default_letter, "a b-C")
DEFAULT_CALL(default_digit, "0")
DEFAULT_CALL(default_underscore, "_x")
DEFAULT_CALL(default_dash, "-gmail")
DEFAULT_CALL(default_lines, "gmail\nx")
DELETE_CALL(delete_good, "tol_1")
DELETE_CALL(delete_slash, "tol_/x")

static const struct refusal_row rule_rows[] = {
    {"scoped to providers", scoped_to_provider, NULL},
    {"scoped to tools", scoped_to_tool, NULL},
    {"scoped to connections", scoped_to_connection, NULL},
    {"refresh of no account", refresh_nothing, "connected_account_id"},
    {"refresh of a connection", refresh_other_half, "identifier"},
    {"refresh by id", refresh_by_id, NULL},
    {"refresh by name", refresh_by_name, NULL},
    {"name begins with a letter", default_letter, NULL},
    {"name begins with a digit", default_digit, NULL},
    {"name begins with _", default_underscore, NULL},
    {"name begins with a dash", default_dash, "name"},
    {"name has two lines", default_lines, "name"},
    {"a tool's id", delete_good, NULL},
    {"an id that leaves its place", delete_slash, "tool_id"},
};

static void test_rules(void)
{
    refusal_check(rule_rows, COUNT(rule_rows));
}

/* --- failures ----------------------------------------------------------------------------------- */

static void test_tool_error(void)
{
    static const char body[] =
        "{\"code\":8,\"message\":\"provider error\",\"details\":[{\"@type\":\"type.googleapis.com/"
        "scalekit.v1.errdetails.ErrorInfo\",\"error_code\":\"TOOL_ERROR\",\"tool_error_info\":{"
        "\"execution_id\":\"exec-123\",\"tool_error_message\":\"Provider rate limit hit\","
        "\"tool_error_code\":\"RATE_LIMITED\"}}]}";
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, TOOL, (struct service_answer){429, body, NULL, 0, 0});
    call = call_tool(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_TOOL_RATE_LIMITED);
    CU_ASSERT_EQUAL(call->error->grpc_code, 8);
    CU_ASSERT(text_is(call->error->execution_id, "exec-123"));
    CU_ASSERT(text_is(call->error->tool_error_code, "RATE_LIMITED"));
    CU_ASSERT(text_is(call->error->tool_error_message, "Provider rate limit hit"));
    CU_ASSERT(text_is(call->error->body, body));
    fixture_free(&f);
}

SUITE(tool, {"the input of a tool is one JSON object", test_input},
      {"the rules of the catalogue are kept, before anything is sent", test_rules},
      {"a provider's failure has its facts", test_tool_error})
