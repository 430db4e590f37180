/* The tools, and Gmail behind them. */
#include "world.h"

/* --- tools and Gmail ---------------------------------------------------------------------------- */

#define EXECUTE "/api/v1/execute_tool"
#define TOOL(name, more)                                                                           \
    "{\"tool_name\":\"" name "\",\"connector\":\"gmail\",\"identifier\":\"ann\"" more "}"
#define ECHO_FAIL(word) TOOL("echo", ",\"params\":{\"fail\":\"" word "\"}")

static const struct row tools_rows[] = {
    {POST, EXECUTE, TOOL("echo", ",\"params\":{\"a\":[1,-2.5e3,true,null,\"\\u00e9\"]}"), 200,
     "{\"data\":{\"a\":[1,-2.5e3,true,null,\"\xc3\xa9\"]},\"execution_id\":\"exec_", NULL},
    {POST, EXECUTE, TOOL("echo", ""), 200, "\"data\":{}", NULL},
    {POST, EXECUTE, ECHO_FAIL("rate_limit"), 429,
     "{\"code\":8,\"message\":\"provider error\",\"details\":[{\"@type\":\"type.googleapis.com/"
     "scalekit.v1.errdetails.ErrorInfo\",\"error_code\":\"TOOL_ERROR\",\"tool_error_info\":{"
     "\"execution_id\":\"exec_",
     NULL},
    {POST, EXECUTE, ECHO_FAIL("forbidden"), 403, "\"tool_error_code\":\"FORBIDDEN\"", NULL},
    {POST, EXECUTE, ECHO_FAIL("unauthorized"), 401, "\"tool_error_code\":\"UNAUTHORIZED\"", NULL},
    {POST, EXECUTE, ECHO_FAIL("error"), 500, "\"code\":13", NULL},
    {POST, EXECUTE, ECHO_FAIL("other"), 200, "\"fail\":\"other\"", NULL},
    {POST, EXECUTE, TOOL("nothing", ""), 404, "tool not found", NULL},
    {POST, EXECUTE, "{\"tool_name\":\"echo\",\"connected_account_id\":\"ca_1\"}", 404,
     "account not", NULL},
    {POST, EXECUTE, "{\"tool_name\":\"echo\",\"connector\":\"gmail\",\"identifier\":\"pia\"}", 401,
     "\"error_code\":\"TOOL_ERROR\"", NULL},
    {POST, EXECUTE, "{\"tool_name\":\"gmail_fetch_mails\",\"identifier\":\"ann\"}", 200,
     "\"resultSizeEstimate\":5", NULL},
    {POST, EXECUTE, "{\"tool_name\":\"gmail_fetch_mails\",\"identifier\":\"nobody\"}", 404, "",
     NULL},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"max_results\":100}"), 200,
     "\"resultSizeEstimate\":100", NULL},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"max_results\":101}"), 400,
     "\"error_code\":\"TOOL_ERROR\"", NULL},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"max_results\":0}"), 400, "", NULL},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"max_results\":\"5\"}"), 400, "",
     NULL},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"query\":7}"), 400, "", NULL},
    {POST, EXECUTE,
     TOOL("gmail_fetch_mails",
          ",\"params\":{\"query\":\"is:unread from:billing subject:invoice in:inbox\"}"),
     200, "Acme Billing", "\"unread\":false"},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"query\":\"is:read dumplings\"}"), 200,
     "Lunch on Thursday?", "\"unread\":true"},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"query\":\"subject:build\"}"), 200,
     "notifications@github.example", "weber.example"},
    {POST, EXECUTE, TOOL("gmail_fetch_mails", ",\"params\":{\"query\":\"xyzzy\"}"), 200,
     "\"messages\":[],\"resultSizeEstimate\":0", NULL},
};

static void test_tools(void)
{
    struct world world;
    struct scalekit_emulator_stats stats;

    world_set_up(&world, NULL);
    scalekit_emulator_set_status(world.emulator, "slack", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "gmail", "pia", "EXPIRED");
    ASK(&world, tools_rows);
    scalekit_emulator_stats(world.emulator, &stats);
    CU_ASSERT_EQUAL(stats.tool_calls, sizeof tools_rows / sizeof *tools_rows);
    world_tear_down(&world);
}

static void test_gmail(void)
{
    static const char messages[] = "/gmail/v1/users/me/messages";
    struct world world;
    char id[40], path[100];

    world_set_up(&world, NULL);
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    CU_ASSERT_EQUAL(world_ask(&world, GET, messages, NULL),
                    401); /* Scalekit's token is not Google's */
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "{\"error\":{\"code\":401,"));

    snprintf(world.token, sizeof world.token, "%s", world_account(&world, "ann")->access_token);
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/gmail/v1/users/me/messages?maxResults=3", NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"threadId\""), 3);
    world_find(&world, id, sizeof id, "\"id\":\"", '"');
    snprintf(path, sizeof path, "%s/%s", messages, id);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "{\"name\":\"Subject\",\"value\":\"Q3 roadmap"));
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/gmail/v1/users/me/messages?q=xyzzy", NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"messages\":[]"));
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/gmail/v1/users/me/messages/1", NULL), 404);

    world_account(&world, "ann")->token_expires_us = 1;
    CU_ASSERT_EQUAL(world_ask(&world, GET, messages, NULL), 401);
    world_account(&world, "ann")->token_expires_us = INT64_MAX;
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "REVOKED");
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 401);
    world_tear_down(&world);
}

SUITE(emulator_tool, {"runs tools for active accounts and fails them on demand", test_tools},
      {"is a small Gmail to the account's token", test_gmail})
