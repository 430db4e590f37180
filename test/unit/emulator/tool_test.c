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

/* --- the catalogue ------------------------------------------------------------------------------ */

#define TOOLS               "/api/v1/tools"
#define DEFINED(name, more) "{\"definition\":{\"name\":\"" name "\"" more "}}"
#define SECOND              ",\"tool_version\":\"2\""
#define DEFAULT(tool_version)                                                                      \
    "{\"name\":\"slack_post\",\"schema_version\":\"1\",\"tool_version\":\"" tool_version "\"}"

static const struct row list_rows[] = {
    {GET, TOOLS, NULL, 200, "{\"tools\":[{\"id\":\"tol_", NULL},
    {GET, TOOLS, NULL, 200,
     "\"provider\":\"GMAIL\",\"definition\":{\"name\":\"gmail_fetch_mails\",", NULL},
    {GET, TOOLS, NULL, 200, "\"metadata\":{},\"tags\":[],\"is_default\":true,\"updated_at\":\"20",
     NULL},
    {GET, TOOLS, NULL, 200, "],\"tool_names\":[],\"total_size\":2,\"next_page_token\":\"\"", NULL},
    {GET, TOOLS "?filter.summary=true", NULL, 200,
     "{\"tools\":[],\"tool_names\":[\"gmail_fetch_mails\",\"echo\"],\"total_size\":2,", NULL},
    {GET, TOOLS "?filter.summary=false", NULL, 200, "\"tool_names\":[]", NULL},
    {GET, TOOLS "?filter.provider=GMAIL", NULL, 200, "\"total_size\":1", "echo"},
    {GET, TOOLS "?filter.provider=gmail", NULL, 200, "\"total_size\":0", NULL},
    {GET, TOOLS "?filter.tool_name=echo&filter.tool_name=none", NULL, 200, "\"total_size\":1",
     "gmail"},
    {GET, TOOLS "?filter.query=MAILS%20fetch", NULL, 200, "\"total_size\":1", "echo"},
    {GET, TOOLS "?filter.query=fetch_echo", NULL, 200, "\"total_size\":0", NULL},
    {GET, TOOLS "?filter.connector=slack&filter.identifier=ann", NULL, 200, "echo", "gmail_"},
    {GET, TOOLS "?filter.connector=gmail&filter.identifier=ann", NULL, 200, "gmail_fetch_mails",
     NULL},
    {GET, TOOLS "?filter.connector=slack&filter.identifier=pia", NULL, 404, "\"code\":5", NULL},
    {GET, TOOLS "?filter.connected_account_id=ca_1", NULL, 404, "connected account", NULL},
    {GET, TOOLS "?filter.connector=slack", NULL, 200, "\"total_size\":1", "gmail_"},
    {GET, TOOLS "?filter.connector=unheard", NULL, 200, "\"total_size\":0", NULL},
    {GET, TOOLS "?filter.identifier=pia", NULL, 200, "\"total_size\":2", NULL},
    {GET, TOOLS "?filter.identifier=nobody", NULL, 200, "\"total_size\":0", NULL},
    {GET, TOOLS "?page_size=1", NULL, 200, "\"next_page_token\":\"YTAwMDAwMDAwMDAwMDAwMDAwMQ==\"",
     "echo"},
    {GET, TOOLS "?page_size=1&page_token=YTAwMDAwMDAwMDAwMDAwMDAwMQ%3D%3D", NULL, 200,
     "\"prev_page_token\":\"YjAwMDAwMDAwMDAwMDAwMDAwMQ==\"", "gmail"},
    {GET, TOOLS "?page_size=5000", NULL, 200, "\"total_size\":2", NULL},
};

/* Ann has both connections, and Pia's Gmail ran out. */
static void set_up_accounts(struct world *world)
{
    world_set_up(world, NULL);
    scalekit_emulator_set_status(world->emulator, "slack", "ann", "ACTIVE");
    scalekit_emulator_set_status(world->emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world->emulator, "gmail", "pia", "EXPIRED");
    scalekit_emulator_set_status(world->emulator, "gmail-work", "pia", "PENDING_AUTH");
}

static void test_list(void)
{
    struct world world;

    set_up_accounts(&world);
    ASK(&world, list_rows);
    world_tear_down(&world);
}

static const struct row version_rows[] = {
    {POST, TOOLS,
     "{\"definition\":{\"name\":\"slack_post\",\"input_schema\":{\"type\":\"object\"}},"
     "\"metadata\":{\"a\":[1]},\"tags\":[\"chat\"]}",
     200,
     "\"provider\":\"SLACK\",\"definition\":{\"name\":\"slack_post\",\"input_schema\":{\"type\":"
     "\"object\"}},\"metadata\":{\"a\":[1]},\"tags\":[\"chat\"],\"is_default\":true",
     NULL},
    {POST, TOOLS, DEFINED("slack_post", ""), 409, "\"code\":6", NULL},
    {POST, TOOLS, DEFINED("slack_post", SECOND), 200, "\"is_default\":false", NULL},
    {PUT, TOOLS, DEFINED("slack_post", SECOND ",\"provider\":\"CHAT\""), 200,
     "\"provider\":\"CHAT\"", NULL},
    {PUT, TOOLS, DEFINED("slack_post", ",\"tool_version\":\"3\""), 404, "tool not found", NULL},
    {GET, TOOLS "?filter.tool_name=slack_post", NULL, 200, "\"total_size\":2", NULL},
    {GET, TOOLS "?filter.tool_name=slack_post&filter.summary=true", NULL, 200,
     "\"tool_names\":[\"slack_post\"]", NULL},
    {GET, TOOLS "/available?identifier=ann", NULL, 200, "slack_post", "CHAT"},
    {POST, TOOLS ":set_default", DEFAULT("3"), 404, "tool not found", NULL},
    {POST, TOOLS ":set_default", DEFAULT("2"), 200, "\"is_default\":true", NULL},
    {GET, TOOLS "?filter.provider=SLACK", NULL, 200, "\"is_default\":false", NULL},
    {GET, TOOLS "/available?identifier=ann", NULL, 200, "echo", "slack_post"},
    {POST, TOOLS ":set_default", DEFAULT("1"), 200, "\"metadata\":{\"a\":[1]}", NULL},
    {POST, EXECUTE,
     "{\"tool_name\":\"slack_post\",\"identifier\":\"ann\",\"params\":{\"text\":\"hello\"}}", 200,
     "\"data\":{\"text\":\"hello\"}", NULL},
    {POST, TOOLS, DEFINED("whistle", ""), 200, "\"provider\":\"\"", NULL},
    {DELETE, TOOLS "/tol_1", NULL, 404, "tool not found", NULL},
};

static void delete_tool(struct world *world, const char *query)
{
    char id[40], path[200];

    snprintf(path, sizeof path, TOOLS "?%s", query);
    CU_ASSERT_EQUAL(world_ask(world, GET, path, NULL), 200);
    world_find(world, id, sizeof id, "\"id\":\"", '"');
    snprintf(path, sizeof path, TOOLS "/%s", id);
    CU_ASSERT_EQUAL(world_ask(world, DELETE, path, NULL), 200);
    CU_ASSERT_STRING_EQUAL(world->body, "{}");
}

static void test_versions(void)
{
    static const struct row rows[] = {
        {GET, TOOLS "?filter.tool_name=slack_post", NULL, 200, "\"is_default\":true", NULL},
        {GET, TOOLS "?filter.tool_name=slack_post", NULL, 200, "\"total_size\":1", "SLACK"},
        {POST, EXECUTE, TOOL("gmail_fetch_mails", ""), 404, "tool not found", NULL},
    };
    struct world world;

    set_up_accounts(&world);
    ASK(&world, version_rows);
    delete_tool(&world, "filter.provider=SLACK"); /* the default: the other one becomes it */
    delete_tool(&world, "filter.tool_name=gmail_fetch_mails");
    ASK(&world, rows);
    world_tear_down(&world);
}

/* --- the tools of a user ------------------------------------------------------------------------ */

static const struct row scoped_rows[] = {
    {GET, TOOLS "/scoped?identifier=ann&filter.connection_names=gmail&page_size=100", NULL, 200,
     "{\"tools\":[{\"tool\":{\"id\":\"tol_", NULL},
    {GET, TOOLS "/scoped?identifier=ann&filter.connection_names=gmail", NULL, 200,
     "},\"identifier\":\"ann\",\"connected_account_id\":\"ca_", NULL},
    {GET, TOOLS "/scoped?identifier=ann&filter.connection_names=gmail", NULL, 200,
     "\"total_size\":2", NULL},
    {GET, TOOLS "/scoped?identifier=ann&filter.connection_names=slack", NULL, 200,
     "\"total_size\":1", "gmail_"},
    {GET,
     TOOLS "/scoped?identifier=ann&filter.connection_names=slack&filter.connection_names=gmail",
     NULL, 200, "\"total_size\":3", NULL},
    {GET, TOOLS "/scoped?identifier=ann&filter.tool_names=echo", NULL, 200, "\"total_size\":2",
     "gmail_"},
    {GET, TOOLS "/scoped?identifier=ann&filter.providers=GMAIL", NULL, 200, "\"total_size\":1",
     "echo"},
    {GET, TOOLS "/scoped?identifier=ann&filter.tool_names=echo&page_size=1", NULL, 200,
     "\"next_page_token\":\"YTAwMDAwMDAwMDAwMDAwMDAwMQ==\"", NULL},
    {GET, TOOLS "/scoped?identifier=pia&filter.tool_names=echo", NULL, 200, "\"tools\":[]", NULL},
    {GET, TOOLS "/scoped?identifier=nobody&filter.tool_names=echo", NULL, 200, "\"total_size\":0",
     NULL},
    {GET, TOOLS "/available?identifier=ann", NULL, 200, "\"total_size\":2", "connected_account_id"},
    {GET, TOOLS "/available?identifier=ann&page_size=1", NULL, 200, "gmail_", "echo"},
    {GET, TOOLS "/available?identifier=pia", NULL, 200, "\"total_size\":0", NULL},
    {GET, TOOLS "/available?identifier=nobody", NULL, 404, "\"code\":5", NULL},
};

static void test_scoped(void)
{
    struct world world;

    set_up_accounts(&world);
    ASK(&world, scoped_rows);
    world_tear_down(&world);
}

static const struct row search_rows[] = {
    {POST, TOOLS ":search", "{\"query\":\"fetch mails\",\"identifier\":\"ann\"}", 200,
     "{\"tools\":[{\"name\":\"gmail_fetch_mails\",\"provider\":\"GMAIL\",\"description\":\"Read "
     "the "
     "latest",
     "echo"},
    {POST, TOOLS ":search", "{\"query\":\"fetch mails\"}", 200,
     "\"score\":1.0000,\"connections\":[]", NULL},
    {POST, TOOLS ":search", "{\"query\":\"fetch mails\",\"identifier\":\"ann\"}", 200,
     "\"connections\":[{\"connection_name\":\"gmail\",\"connected_account_id\":\"ca_", "slack"},
    {POST, TOOLS ":search", "{\"query\":\"fetch mails\",\"identifier\":\"ann\"}", 200,
     "\"readiness_state\":\"TOOL_READINESS_STATE_READY\"", "NEEDS"},
    {POST, TOOLS ":search", "{\"query\":\"mails\",\"identifier\":\"pia\"}", 200,
     "\"readiness_state\":\"TOOL_READINESS_STATE_NEEDS_REAUTH\"},{\"connection_name\":\"gmail-"
     "work\"",
     "READY\""},
    {POST, TOOLS ":search", "{\"query\":\"mails\",\"identifier\":\"pia\"}", 200,
     "\"readiness_state\":\"TOOL_READINESS_STATE_NEEDS_CONNECTION\"}]}]}", NULL},
    {POST, TOOLS ":search", "{\"query\":\"echo back mails\"}", 200,
     "{\"tools\":[{\"name\":\"echo\",\"provider\":\"\"", NULL},
    {POST, TOOLS ":search", "{\"query\":\"echo back mails\",\"top_k\":1}", 200, "echo", "gmail"},
    {POST, TOOLS ":search", "{\"query\":\"mails echo fetch\",\"top_k\":1}", 200, "gmail", "echo"},
    {POST, TOOLS ":search", "{\"query\":\"xyzzy\"}", 200, "{\"tools\":[]}", NULL},
};

static void test_search(void)
{
    struct world world;

    set_up_accounts(&world);
    ASK(&world, search_rows);
    world_tear_down(&world);
}

/* More tools fit than are wanted, and the best of them were added last. */
static void test_search_best(void)
{
    static const struct row rows[] = {
        {POST, TOOLS ":search", "{\"query\":\"red\",\"top_k\":3}", 200, "\"name\":\"red_7\"",
         "blue"},
        {POST, TOOLS ":search", "{\"query\":\"red\",\"top_k\":9}", 200, "\"name\":\"blue_0\"",
         NULL},
    };
    static const char *const names[] = {"blue_0", "blue_1", "blue_2", "blue_3",
                                        "blue_4", "red_5",  "red_6",  "red_7"};
    struct world world;
    char body[200];

    world_set_up(&world, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(body, sizeof body, DEFINED("%s", ",\"description\":\"or red\""), names[i]);
        CU_ASSERT_EQUAL(world_ask(&world, POST, TOOLS, body), 200);
    }
    ASK(&world, rows);
    CU_ASSERT_EQUAL(world_count(&world, "\"name\""), 8);
    CU_ASSERT(strstr(world.body, "red_5") < strstr(world.body, "red_6"));
    CU_ASSERT(strstr(world.body, "red_7") < strstr(world.body, "blue_0"));
    world_tear_down(&world);
}

static void test_search_many_accounts(void)
{
    struct world world;
    char connection[20];

    world_set_up(&world, NULL);
    for (int i = 0; i <= 100; i++) {
        snprintf(connection, sizeof connection, "c%d", i);
        CU_ASSERT(scalekit_emulator_set_status(world.emulator, connection, "ann", "ACTIVE"));
    }
    CU_ASSERT_EQUAL(
        world_ask(&world, POST, TOOLS ":search", "{\"query\":\"echo\",\"identifier\":\"ann\"}"),
        200);
    CU_ASSERT_EQUAL(world_count(&world, "\"readiness_state\""), 100);
    world_tear_down(&world);
}

static const struct row refresh_rows[] = {
    {POST, "/api/v1/custom-providers",
     "{\"display_name\":\"Acme MCP\",\"auth_patterns\":[{\"is_mcp\":true}],"
     "\"proxy_url\":\"https://acme.example\"}",
     201, "ACME_MCP", NULL},
    {POST, TOOLS ":refresh", "{\"connector\":\"acme-mcp\",\"identifier\":\"ann\"}", 200,
     "{\"tools\":[{\"id\":\"tol_", NULL},
    {POST, TOOLS ":refresh", "{\"connector\":\"acme-mcp\",\"identifier\":\"ann\"}", 200,
     "\"provider\":\"ACME_MCP\",\"definition\":{\"name\":\"acme_mcp_search\"", NULL},
    {POST, TOOLS ":refresh", "{\"connector\":\"acme-mcp\",\"identifier\":\"ann\"}", 200,
     "],\"total_size\":2}", NULL},
    {GET, TOOLS "?filter.provider=ACME_MCP", NULL, 200, "\"total_size\":2", NULL},
    {GET, TOOLS "?filter.connector=acme-mcp&filter.identifier=ann", NULL, 200, "acme_mcp_fetch",
     "gmail"},
    {POST, EXECUTE, "{\"tool_name\":\"acme_mcp_fetch\",\"identifier\":\"ann\"}", 200, "\"data\":{}",
     NULL},
    {POST, TOOLS ":refresh", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 400,
     "not of a custom MCP provider", NULL},
    {POST, TOOLS ":refresh", "{\"connector\":\"acme-mcp\",\"identifier\":\"pia\"}", 404,
     "connected account not found", NULL},
    {POST, TOOLS ":refresh", "{\"connected_account_id\":\"ca_1\"}", 404, "", NULL},
};

static void test_refresh(void)
{
    struct world world;

    set_up_accounts(&world);
    scalekit_emulator_set_status(world.emulator, "acme-mcp", "ann", "ACTIVE");
    ASK(&world, refresh_rows);
    world_tear_down(&world);
}

/* --- limits ------------------------------------------------------------------------------------- */

#define FIFTY "01234567890123456789012345678901234567890123456789"

static const struct row limits_rows[] = {
    {GET, TOOLS "?filter.query=ab", NULL, 400, "\"field\":\"filter.query\"", NULL},
    {GET, TOOLS "?filter.query=" FIFTY FIFTY "1", NULL, 400, "string.max_len", NULL},
    {GET, TOOLS "?filter.provider=" FIFTY "1", NULL, 400, "\"field\":\"filter.provider\"", NULL},
    {GET, TOOLS "?filter.connected_account_id=1", NULL, 400, "string.prefix", NULL},
    {GET, TOOLS "?filter.connector=a%2Fb", NULL, 400, "string.pattern", NULL},
    {GET, TOOLS "?filter.user_id=" FIFTY, NULL, 400, "\"field\":\"filter.user_id\"", NULL},
    {GET, TOOLS "?filter.summary=yes", NULL, 400, "field filter.summary", NULL},
    {GET, TOOLS "?page_size=4294967296", NULL, 400, "\"field\":\"page_size\"", NULL},
    {GET, TOOLS "?page_token=YTAwMDAwMDAwMDAwMDAwMDAwMQ", NULL, 400, "\"field\":\"page_token\"",
     NULL},
    {GET, TOOLS "/scoped?filter.providers=GMAIL", NULL, 400, "\"field\":\"identifier\"", NULL},
    {GET, TOOLS "/scoped?identifier=ann", NULL, 400, "\"field\":\"filter\"", NULL},
    {GET, TOOLS "/available", NULL, 400, "\"field\":\"identifier\"", NULL},
    {GET, TOOLS "/available?identifier=" FIFTY FIFTY "1", NULL, 400, "string.max_len", NULL},
    {GET, TOOLS "/tol_1", NULL, 405, "", NULL},
    {POST, TOOLS ":search", "{}", 400, "\"field\":\"query\"", NULL},
    {POST, TOOLS ":search", "{\"query\":\"x\",\"top_k\":\"1\"}", 400, "field top_k", NULL},
    {POST, TOOLS ":search", "{\"query\":\"x\",\"top_k\":4294967296}", 400, "field top_k", NULL},
    {POST, TOOLS ":refresh", "{\"identifier\":\"ann\"}", 400, "connected_account_id", NULL},
    {POST, TOOLS, "{}", 400, "\"field\":\"definition\"", NULL},
    {POST, TOOLS, "{\"definition\":[]}", 400, "field definition", NULL},
    {POST, TOOLS, "{\"definition\":{}}", 400, "\"field\":\"definition.name\"", NULL},
    {POST, TOOLS, DEFINED("Post", ""), 400, "string.pattern", NULL},
    {POST, TOOLS, DEFINED(FIFTY FIFTY "1", ""), 400, "definition.name", NULL},
    {POST, TOOLS, DEFINED("a", ",\"tool_version\":\"12345678901\""), 400, "tool_version", NULL},
    {POST, TOOLS, DEFINED("a", ",\"description\":1"), 400, "field description", NULL},
    {POST, TOOLS, "{\"definition\":{\"name\":\"a\"},\"tags\":[1]}", 400, "field tags", NULL},
    {PUT, TOOLS, "{\"definition\":{\"name\":\"echo\"},\"metadata\":[]}", 400, "field metadata",
     NULL},
    {DELETE, TOOLS "/echo", NULL, 400, "string.prefix", NULL},
    {POST, TOOLS ":set_default", "{}", 400, "\"field\":\"schema_version\"", NULL},
    {POST, TOOLS ":set_default",
     "{\"name\":\"-\",\"schema_version\":\"1\",\"tool_version\":\"12345678901\"}", 400,
     "\"field\":\"name\"", NULL},
};

static void test_limits(void)
{
    struct world world;

    set_up_accounts(&world);
    ASK(&world, limits_rows);
    world_tear_down(&world);
}

SUITE(emulator_tool, {"runs tools for active accounts and fails them on demand", test_tools},
      {"is a small Gmail to the account's token", test_gmail},
      {"lists tools, whole or by name, for whoever is asked about", test_list},
      {"keeps versions of a tool, of which one runs", test_versions},
      {"lists what a user's active accounts can run", test_scoped},
      {"finds tools by what they do, and says who is ready", test_search},
      {"shows the best when more are found than wanted", test_search_best},
      {"shows a hundred accounts of a tool that it finds", test_search_many_accounts},
      {"learns the tools of an account of a custom MCP provider", test_refresh},
      {"refuses what is out of limits, naming the field", test_limits})
