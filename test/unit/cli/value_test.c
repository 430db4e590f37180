#include "cli/value.h"
#include "harness.h"
#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define MOST         4

static size_t count_of(const char *const *arguments)
{
    size_t n = 0;

    while (n < MOST && arguments[n])
        n++;
    return n;
}

static void read_as(const char *operation, const char *const *arguments, const char *json)
{
    struct value_problem problem = {.text = ""};
    char *text = value_read(operation ? scalekit_operation_find(operation) : NULL, arguments,
                            count_of(arguments), &problem);

    if (!text || strcmp(text, json) != 0)
        printf("    %s: %s, expected %s\n", arguments[0], text ? text : problem.text, json);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, json);
    free(text);
}

static void a_value_has_its_parameter_s_type(void)
{
    static const struct {
        const char *operation, *arguments[MOST], *json;
    } cases[] = {
        {"list_connected_accounts", {NULL}, "{}"},
        {"list_connected_accounts", {"identifier=user_1"}, "{\"identifier\":\"user_1\"}"},
        {"list_connected_accounts", {"identifier="}, "{\"identifier\":\"\"}"},
        {"list_connected_accounts", {"identifier=12"}, "{\"identifier\":\"12\"}"},
        {"list_connected_accounts", {"query=a=b:=\"c\""}, "{\"query\":\"a=b:=\\\"c\\\"\"}"},
        {"list_connected_accounts", {"page_size=20"}, "{\"page_size\":20}"},
        {"list_connected_accounts", {"page_size=-1"}, "{\"page_size\":-1}"},
        {"list_connected_accounts", {"page_size:=20"}, "{\"page_size\":20}"},
        {"list_connected_accounts",
         {"connection_names=gmail", "page_size=2", "connection_names=slack"},
         "{\"connection_names\":[\"gmail\",\"slack\"],\"page_size\":2}"},
        {"list_connected_accounts",
         {"connection_names:=[\"gmail\"]"},
         "{\"connection_names\":[\"gmail\"]}"},
        {"create_mcp_session_token", {"expiry_seconds=90"}, "{\"expiry_seconds\":\"90s\"}"},
        {"create_mcp_session_token", {"expiry_seconds=90s"}, "{\"expiry_seconds\":\"90s\"}"},
        {"create_mcp_session_token", {"expiry_seconds=15m"}, "{\"expiry_seconds\":\"900s\"}"},
        {"create_mcp_session_token", {"expiry_seconds=2h"}, "{\"expiry_seconds\":\"7200s\"}"},
        {"create_mcp_session_token", {"expiry_seconds=1d"}, "{\"expiry_seconds\":\"86400s\"}"},
        {"list_events",
         {"start_time=2026-01-31T12:00:00Z", "source=SCALEKIT"},
         "{\"start_time\":\"2026-01-31T12:00:00Z\",\"source\":\"SCALEKIT\"}"},
        {"execute_tool", {"tool_input={\"a\":1}"}, "{\"tool_input\":{\"a\":1}}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        read_as(cases[i].operation, cases[i].arguments, cases[i].json);
}

static void names_reach_what_is_within(void)
{
    static const struct {
        const char *operation, *arguments[MOST], *json;
    } cases[] = {
        {"update_connected_account",
         {"authorization_details.static_auth.details:={\"api_key\":\"x\"}"},
         "{\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":\"x\"}}}}"},
        {"update_connected_account",
         {"authorization_details.oauth_token.scopes=a",
          "authorization_details.oauth_token.scopes=b"},
         "{\"authorization_details\":{\"oauth_token\":{\"scopes\":[\"a\",\"b\"]}}}"},
        {"execute_tool",
         {"tool_input.query=is:unread", "tool_input.max:=2", "tool_input.a.b=c"},
         "{\"tool_input\":{\"query\":\"is:unread\",\"max\":2,\"a\":{\"b\":\"c\"}}}"},
        {"create_mcp_config",
         {"connection_tool_mappings[0].connection_name=gmail",
          "connection_tool_mappings[0].tools=x", "connection_tool_mappings[0].tools=y",
          "connection_tool_mappings[1].connection_name=slack"},
         "{\"connection_tool_mappings\":[{\"connection_name\":\"gmail\",\"tools\":[\"x\",\"y\"]},"
         "{\"connection_name\":\"slack\"}]}"},
        {NULL, {"a=1", "b.c=2", "d:=3"}, "{\"a\":\"1\",\"b\":{\"c\":\"2\"},\"d\":3}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        read_as(cases[i].operation, cases[i].arguments, cases[i].json);
}

static void what_is_wrong_names_the_parameter(void)
{
    static const struct {
        const char *operation, *arguments[MOST], *parameter, *words;
    } cases[] = {
        {"list_connected_accounts", {"gmail"}, "", "\"gmail\" is not name=value"},
        {"list_connected_accounts", {"=gmail"}, "", "is not name=value"},
        {"list_connected_accounts", {":=1"}, "", "is not name=value"},
        {"list_connected_accounts", {"page_sise=1"}, "page_sise", "did you mean page_size?"},
        {"create_mcp_config",
         {"connection_tool_mappings[0].conn=gmail"},
         "connection_tool_mappings[0].conn",
         "did you mean connection_tool_mappings[].connection_name?"},
        {"list_connected_accounts", {"xyzzy=1"}, "xyzzy", "scalekit operations"},
        {"list_connected_accounts", {"identifier.x=1"}, "identifier.x", "has no parameter"},
        {"list_connected_accounts", {"page_size=1x"}, "page_size", "whole number"},
        {"list_connected_accounts", {"page_size="}, "page_size", "whole number"},
        {"list_connected_accounts", {"page_size= 1"}, "page_size", "whole number"},
        {"list_connected_accounts",
         {"page_size=99999999999999999999"},
         "page_size",
         "whole number"},
        {"list_connected_accounts", {"page_size:=1,\"query\":2"}, "page_size", "JSON"},
        {"list_connected_accounts", {"query=a", "query=b"}, "query", "twice"},
        {"create_mcp_session_token", {"expiry_seconds=2w"}, "expiry_seconds", "duration"},
        {"create_mcp_session_token", {"expiry_seconds=-1"}, "expiry_seconds", "duration"},
        {"create_mcp_session_token",
         {"expiry_seconds=99999999999999999999d"},
         "expiry_seconds",
         "duration"},
        {"execute_tool", {"tool_input=hello"}, "tool_input", "JSON"},
        {"create_mcp_config",
         {"connection_tool_mappings[1].tools=x"},
         "connection_tool_mappings[1].tools",
         "leaves out"},
        {"list_connected_accounts", {"query=@/nonexistent/file"}, "query", "cannot open"},
        {NULL, {"a.=1"}, "a.", "empty name"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const scalekit_operation *operation =
            cases[i].operation ? scalekit_operation_find(cases[i].operation) : NULL;
        struct value_problem problem = {.text = ""};

        CU_ASSERT_PTR_NULL(
            value_read(operation, cases[i].arguments, count_of(cases[i].arguments), &problem));
        if (!strstr(problem.text, cases[i].words))
            printf("    %s: %s\n", cases[i].arguments[0], problem.text);
        CU_ASSERT_STRING_EQUAL(problem.parameter, cases[i].parameter);
        CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, cases[i].words));
    }
}

static void a_name_has_a_limit(void)
{
    char argument[SCALEKIT_PARAMETER_NAME + 8];
    const char *arguments[] = {argument};
    struct value_problem problem;
    char *text;

    memset(argument, 'a', sizeof argument);
    snprintf(argument + SCALEKIT_PARAMETER_NAME, 8, "=x");
    CU_ASSERT_PTR_NULL(value_read(NULL, arguments, 1, &problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, "too long"));
    snprintf(argument + SCALEKIT_PARAMETER_NAME - 1, 8, "=x");
    text = value_read(NULL, arguments, 1, &problem);
    CU_ASSERT_PTR_NOT_NULL(text);
    free(text);
}

/* --- files ------------------------------------------------------------------------------------ */

struct file {
    char path[32], argument[48];
};

static void write_file(struct file *file, const char *argument, const char *text, size_t length)
{
    int fd;

    snprintf(file->path, sizeof file->path, "/tmp/value_test-XXXXXX");
    fd = mkstemp(file->path);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, length), (ssize_t)length);
    close(fd);
    snprintf(file->argument, sizeof file->argument, "%s@%s", argument, file->path);
}

static void a_file_holds_a_value(void)
{
    static const struct {
        const char *argument, *text, *json;
    } cases[] = {
        {"query=", "two\nlines\n", "{\"query\":\"two\\nlines\"}"},
        {"query=", "as in DOS\r\n", "{\"query\":\"as in DOS\"}"},
        {"query=", "no end", "{\"query\":\"no end\"}"},
        {"query=", "", "{\"query\":\"\"}"},
        {"page_size=", "20\n", "{\"page_size\":20}"},
        {"connection_names:=", "[\n\"a\"\n]\n", "{\"connection_names\":[\n\"a\"\n]}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct file file;

        write_file(&file, cases[i].argument, cases[i].text, strlen(cases[i].text));
        read_as("list_connected_accounts", (const char *const[MOST]){file.argument}, cases[i].json);
        unlink(file.path);
    }
}

static void a_large_file_is_read_and_one_that_is_no_text_refused(void)
{
    static char large[100001];
    struct value_problem problem;
    struct file file;
    char *text;

    memset(large, 'x', sizeof large - 1);
    write_file(&file, "query=", large, sizeof large - 1);
    text = value_read(NULL, (const char *const[]){file.argument}, 1, &problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(strlen(text), strlen("{\"query\":\"\"}") + sizeof large - 1);
    free(text);
    unlink(file.path);

    write_file(&file, "query=", "a\0b", 3);
    CU_ASSERT_PTR_NULL(value_read(NULL, (const char *const[]){file.argument}, 1, &problem));
    CU_ASSERT_PTR_NOT_NULL(strstr(problem.text, "is no text"));
    unlink(file.path);
}

SUITE(cli_value, {"a value has its parameter's type", a_value_has_its_parameter_s_type},
      {"names reach what is within", names_reach_what_is_within},
      {"what is wrong names the parameter", what_is_wrong_names_the_parameter},
      {"a name has a limit", a_name_has_a_limit}, {"a file holds a value", a_file_holds_a_value},
      {"a large file is read, and one that is no text refused",
       a_large_file_is_read_and_one_that_is_no_text_refused})
