#include "wire.h"

static struct call *execute(struct fixture *f, const struct scalekit_execute_tool_params *params)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_execute_tool(f->client, params, call_on_tool, call));
}

#define EXECUTE(name, ...)                                                                         \
    static struct call *name(struct fixture *f)                                                    \
    {                                                                                              \
        return execute(f, SCALEKIT_PARAMS(scalekit_execute_tool_params, __VA_ARGS__));             \
    }

/* --- the request ------------------------------------------------------------------------------- */

EXECUTE(least, .tool_name = "gmail_fetch_mails")
EXECUTE(by_id, .tool_name = "t", .connected_account_id = "ca_1", .tool_input = "{}")
EXECUTE(everything, .tool_name = "gmail_fetch_mails", .connected_account_id = "ca_1",
        .connection_name = "gmail", .identifier = "user \"1\" \xc3\xa9", .organization_id = "org_1",
        .user_id = "usr_1", .agent_run_id = "run_1",
        .tool_input = "{\"max\":5,\"deep\":{\"list\":[1,2.5,null,true]}}")

static const struct wire_row wire_rows[] = {
    {"least", least, TOOL, "/api/v1/execute_tool",
     "{\"tool_name\":\"gmail_fetch_mails\",\"params\":{}}", "{}"},
    {"by id", by_id, TOOL, "/api/v1/execute_tool",
     "{\"tool_name\":\"t\",\"params\":{},\"connected_account_id\":\"ca_1\"}", "{}"},
    {"everything", everything, TOOL, "/api/v1/execute_tool",
     "{\"tool_name\":\"gmail_fetch_mails\",\"identifier\":\"user \\\"1\\\" \xc3\xa9\","
     "\"params\":{\"max\":5,\"deep\":{\"list\":[1,2.5,null,true]}},"
     "\"connected_account_id\":\"ca_1\",\"connector\":\"gmail\",\"organization_id\":\"org_1\","
     "\"user_id\":\"usr_1\",\"agent_run_id\":\"run_1\"}",
     "{}"},
};

static void test_wire(void)
{
    wire_check(wire_rows, COUNT(wire_rows));
}

EXECUTE(no_name, .connected_account_id = "ca_1")
EXECUTE(empty_name, .tool_name = "")
EXECUTE(bad_utf8, .tool_name = "t", .identifier = "\xff")
EXECUTE(bad_connection, .tool_name = "t", .connection_name = "gmail/1")
EXECUTE(input_text, .tool_name = "t", .tool_input = "hello")
EXECUTE(input_array, .tool_name = "t", .tool_input = "[1]")
EXECUTE(input_broken, .tool_name = "t", .tool_input = "{\"a\":")
EXECUTE(input_two, .tool_name = "t", .tool_input = "{}{}")
EXECUTE(input_empty, .tool_name = "t", .tool_input = "")
EXECUTE(input_spaces, .tool_name = "t", .tool_input = " {\"a\" : 1} \n")

static const struct refusal_row refusal_rows[] = {
    {"no name", no_name, "tool_name"},
    {"empty name", empty_name, "tool_name"},
    {"no UTF-8", bad_utf8, "identifier"},
    {"characters of a connection", bad_connection, "connection_name"},
    {"input is text", input_text, "tool_input"},
    {"input is an array", input_array, "tool_input"},
    {"input ends early", input_broken, "tool_input"},
    {"input is two objects", input_two, "tool_input"},
    {"input is empty", input_empty, "tool_input"},
    {"input has spaces", input_spaces, NULL},
};

static void test_refusals(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

#define AT(member) #member, offsetof(struct scalekit_execute_tool_params, member)

static const struct length_row length_rows[] = {
    {AT(tool_name), NULL, 1, 0},
    {AT(identifier), NULL, 0, 0},
    {AT(connected_account_id), NULL, 0, 100},
    {AT(connection_name), NULL, 0, 400},
    {AT(organization_id), NULL, 0, 100},
    {AT(user_id), NULL, 0, 100},
    {AT(agent_run_id), NULL, 0, 255},
};

static struct call *with_text(struct fixture *f, size_t offset, const char *text)
{
    struct scalekit_execute_tool_params params = {.struct_size = sizeof params, .tool_name = "t"};

    *(const char **)((char *)&params + offset) = text;
    return execute(f, &params);
}

static void test_lengths(void)
{
    length_check(length_rows, COUNT(length_rows), with_text);
}

/* --- the answer -------------------------------------------------------------------------------- */

static const struct answer_row {
    const char *name, *body, *data, *execution_id, *problem;
} answer_rows[] = {
    {"full", "{\"data\":{\"mails\":[{\"id\":1}]},\"execution_id\":\"exec-1\"}",
     "{\"mails\":[{\"id\":1}]}", "exec-1", NULL},
    {"camelCase", "{\"data\":{},\"executionId\":\"exec-1\"}", "{}", "exec-1", NULL},
    {"absent", "{}", NULL, NULL, NULL},
    {"null", "{\"data\":null,\"execution_id\":null}", NULL, NULL, NULL},
    {"empty", "", NULL, NULL, NULL},
    {"unknown members", "{\"x\":{\"data\":1},\"data\":{\"a\":1},\"y\":[[]]}", "{\"a\":1}", NULL,
     NULL},
    {"large numbers", "{\"data\":{\"id\":12345678901234567890123}}",
     "{\"id\":12345678901234567890123}", NULL, NULL},
    {"id of a wrong type", "{\"execution_id\":{}}", NULL, NULL, "execution_id"},
    {"data of a wrong type", "{\"data\":7}", NULL, NULL, "data"},
    {"broken", "{\"data\":", NULL, NULL, ""},
};

static void test_answers(void)
{
    for (size_t i = 0; i < COUNT(answer_rows); i++) {
        const struct answer_row *row = &answer_rows[i];
        const struct scalekit_tool_result *result;
        struct fixture f;
        struct call *call = wire_answer(&f, least, TOOL, row->body);

        result = call->result;
        ROW_IS(row->name, call->code == (row->problem ? SCALEKIT_ERR_DECODE : SCALEKIT_OK));
        if (result) {
            ROW_IS(row->name, result->struct_size == sizeof *result);
            ROW_IS(row->name, text_is(result->data, row->data));
            ROW_IS(row->name, text_is(result->execution_id, row->execution_id));
        } else {
            ROW_IS(row->name, row->problem && text_has(call->message, row->problem));
            ROW_IS(row->name, call->phase == SCALEKIT_PHASE_DECODE && call->sent);
            ROW_IS(row->name, call->error->http_status == 200);
        }
        fixture_free(&f);
    }
}

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
    call = least(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_TOOL_RATE_LIMITED);
    CU_ASSERT_EQUAL(call->error->grpc_code, 8);
    CU_ASSERT(text_is(call->error->execution_id, "exec-123"));
    CU_ASSERT(text_is(call->error->tool_error_code, "RATE_LIMITED"));
    CU_ASSERT(text_is(call->error->tool_error_message, "Provider rate limit hit"));
    CU_ASSERT(text_is(call->error->body, body));
    fixture_free(&f);
}

/* What goes in and what comes out may be anybody's mail. */
static void test_log(void)
{
    struct fixture f;

    wire_answer(&f, everything, TOOL, "{\"data\":{\"mail\":\"private\"},\"execution_id\":\"e\"}");
    CU_ASSERT(text_has(f.log, "execute_tool"));
    CU_ASSERT(text_has(f.log, "***"));
    CU_ASSERT_FALSE(text_has(f.log, "private"));
    CU_ASSERT_FALSE(text_has(f.log, "deep"));
    fixture_free(&f);
}

SUITE(tool, {"the request is written from typed params", test_wire},
      {"what is wrong is refused and named, before anything is sent", test_refusals},
      {"every length has its limit", test_lengths},
      {"the answer is read in every variant", test_answers},
      {"a provider's failure has its facts", test_tool_error},
      {"input and data do not reach the log", test_log})
