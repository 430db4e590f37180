/* Accounts and lists of them, as the service shows them. */
#include "text.h"
#include "world.h"

#define CREATE(who) "{\"connector\":\"gmail\",\"identifier\":\"" who "\",\"connected_account\":{}}"

/* --- accounts ----------------------------------------------------------------------------------- */

static const struct row accounts_rows[] = {
    {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 404, "{\"code\":5,", NULL},
    {POST, ACCOUNTS, CREATE("ann"), 201,
     "\"status\":\"PENDING_AUTH\",\"authorization_type\":\"OAUTH\",\"authorization_details\":{"
     "\"oauth_token\":{\"access_token\":\"\",\"refresh_token\":\"\",\"scopes\":[],\"domain\":"
     "\"\"}}",
     NULL},
    {POST, ACCOUNTS, CREATE("ann"), 409, "{\"code\":6,", NULL},
    {POST, ACCOUNTS,
     "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"organizationId\":\"org_1\","
     "\"connectedAccount\":{\"authorization_details\":{\"oauth_token\":{}}}}",
     201, "\"provider\":\"GMAIL\"", NULL},
    {GET, ACCOUNTS "/details?connector=gmail&identifier=ann&organization_id=org_1", NULL, 200,
     "\"identifier\":\"ann\"", "authorization_details"},
    {GET, ACCOUNTS "/details?connector=gmail&identifier=ann&user_id=usr_1", NULL, 404, "", NULL},
    {GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL, 200, "\"access_token\":\"\"",
     "last_used_at"},
    {POST, ACCOUNTS,
     "{\"connector\":\"freshdesk-2\",\"identifier\":\"ann\",\"connected_account\":{"
     "\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":\"k\\n\",\"n\":[1."
     "50]}}},"
     "\"api_config\":{\"domain\":\"a\",\"keep\":true}}}",
     201, "\"provider\":\"FRESHDESK\",\"status\":\"ACTIVE\",\"authorization_type\":\"API_KEY\"",
     "token_expires_at"},
    {GET, ACCOUNTS "/auth?connector=freshdesk-2&identifier=ann", NULL, 200,
     "\"static_auth\":{\"details\":{\"api_key\":\"k\\u000a\",\"n\":[1.50]}}", NULL},
    {PUT, ACCOUNTS,
     "{\"connector\":\"freshdesk-2\",\"identifier\":\"ann\",\"connected_account\":{"
     "\"api_config\":{\"domain\":\"b\"}}}",
     200, "\"api_config\":{\"keep\":true,\"domain\":\"b\"}", NULL},
    {POST, ACCOUNTS,
     "{\"connector\":\"google\",\"identifier\":\"dwd\",\"connected_account\":{"
     "\"authorization_details\":{\"google_dwd\":{\"subject\":\"boss@example.com\"}}}}",
     201, "\"google_dwd\":{\"subject\":\"boss@example.com\",\"access_token\":\"ya29.emu_", NULL},
    {POST, ACCOUNTS,
     "{\"connector\":\"aws\",\"identifier\":\"db\",\"connected_account\":{"
     "\"authorization_details\":{\"trusted_idp\":{\"db_user\":\"reader\"}}}}",
     201, "\"trusted_idp\":{\"db_user\":\"reader\",\"access_key_id\":\"ASIA", NULL},
    {PUT, ACCOUNTS,
     "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"connected_account\":{"
     "\"authorization_details\":{\"oauth_token\":{\"access_token\":\"ya29.given\","
     "\"refresh_token\":\"r\",\"scopes\":[\"s\"],\"domain\":\"d\"}}}}",
     200,
     "\"status\":\"ACTIVE\",\"authorization_type\":\"OAUTH\",\"authorization_details\":{"
     "\"oauth_token\":{\"access_token\":\"ya29.given\",\"refresh_token\":\"r\",\"scopes\":["
     "\"s\"],"
     "\"domain\":\"d\"}}",
     NULL},
    {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 200, "\"status\":\"ACTIVE\"",
     "ya29"},
    {PUT, ACCOUNTS, "{\"connector\":\"gmail\",\"identifier\":\"nobody\",\"connected_account\":{}}",
     404, "\"code\":5", NULL},
    {POST, ACCOUNTS ":delete", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 200, "{}", NULL},
    {POST, ACCOUNTS ":delete", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 404, "", NULL},
    {GET, ACCOUNTS "/details?id=ca_999", NULL, 404, "connected account not found", NULL},
};

static void test_accounts(void)
{
    struct world world;
    struct scalekit_emulator_stats stats;
    char id[40], path[100];

    world_set_up(&world, NULL);
    ASK(&world, accounts_rows);
    scalekit_emulator_stats(world.emulator, &stats);
    CU_ASSERT_EQUAL(stats.creates, 5);
    CU_ASSERT_EQUAL(stats.updates, 2);
    CU_ASSERT_EQUAL(stats.deletes, 1);
    CU_ASSERT_EQUAL(stats.accounts, 4);
    CU_ASSERT_EQUAL(stats.active, 3);

    CU_ASSERT_EQUAL(
        world_ask(&world, GET, ACCOUNTS "/details?connector=google&identifier=dwd", NULL), 200);
    world_find(&world, id, sizeof id, "\"id\":\"", '"');
    snprintf(path, sizeof path, ACCOUNTS "/details?id=%s", id);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"identifier\":\"dwd\""));
    world_tear_down(&world);
}

static void test_refreshes_tokens(void)
{
    struct world world;
    char first[100], second[100];

    world_set_up(&world, NULL);
    CU_ASSERT(scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE"));
    world_ask(&world, GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL);
    world_find(&world, first, sizeof first, "\"access_token\":\"", '"');
    CU_ASSERT_EQUAL(strncmp(first, "ya29.emu_", 9), 0);
    world_ask(&world, GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL);
    world_find(&world, second, sizeof second, "\"access_token\":\"", '"');
    CU_ASSERT_STRING_EQUAL(first, second);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "last_used_at"));

    world_account(&world, "ann")->token_expires_us = emu_now_us() - 1;
    world_ask(&world, GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL);
    world_find(&world, second, sizeof second, "\"access_token\":\"", '"');
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    CU_ASSERT(world_account(&world, "ann")->token_expires_us > emu_now_us());
    world_tear_down(&world);
}

#define HUNDRED                                                                                    \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "23456789"
#define TWENTY_ONE_NAMES                                                                           \
    "connection_names=a&connection_names=b&connection_names=c&connection_names=d&"                 \
    "connection_names=e&connection_names=f&connection_names=g&connection_names=h&"                 \
    "connection_names=i&connection_names=j&connection_names=k&connection_names=l&"                 \
    "connection_names=m&connection_names=n&connection_names=o&connection_names=p&"                 \
    "connection_names=q&connection_names=r&connection_names=s&connection_names=t&"                 \
    "connection_names=u"

static const struct row limits_rows[] = {
    {GET, ACCOUNTS "/details", NULL, 400,
     "\"validation_error_info\":{\"field_violations\":[{\"field\"", NULL},
    {GET, ACCOUNTS "/details?connector=gmail", NULL, 400, "INVALID_ARGUMENT", NULL},
    {GET, ACCOUNTS "/details?id=12", NULL, 400, "\"constraint\":\"string.prefix\"", NULL},
    {GET, ACCOUNTS "/details?id=ca_" HUNDRED, NULL, 400, "\"constraint\":\"string.max_len\"", NULL},
    {GET, ACCOUNTS "/auth?connector=a%2Fb&identifier=x", NULL, 400,
     "\"field\":\"connector\",\"description\":\"value does not match regex", NULL},
    {GET, ACCOUNTS "/auth?connector=a&identifier=" HUNDRED "x", NULL, 400,
     "\"field\":\"identifier\",\"description\":\"value length must be at most 100 characters\"",
     NULL},
    {GET, ACCOUNTS "/auth?connector=a&identifier=" HUNDRED, NULL, 404, "", NULL},
    {GET, ACCOUNTS "/auth?connector=a&identifier=b&organization_id=" HUNDRED "&user_id=" HUNDRED,
     NULL, 400, "\"field\":\"user_id\"", NULL},
    {GET, ACCOUNTS "/auth?connector=%", NULL, 400, "malformed query", NULL},
    {POST, ACCOUNTS, "{\"connector\":\"a\",\"identifier\":\"b\"}", 400,
     "\"field\":\"connected_account\",\"description\":\"value is required\"", NULL},
    {POST, ACCOUNTS, "{\"connected_account\":{}}", 400, "\"field\":\"identifier\"", NULL},
    {POST, ACCOUNTS, "", 400, "\"field\":\"connected_account\"", NULL},
    {POST, ACCOUNTS, "{\"connector\":5,\"identifier\":\"b\",\"connected_account\":{}}", 400,
     "invalid value for field connector", NULL},
    {POST, ACCOUNTS, "{\"connector\":\"a\",\"identifier\":\"b\",\"connected_account\":[]}", 400,
     "invalid value for field connected_account", NULL},
    {POST, ACCOUNTS,
     "{\"connector\":\"a\",\"identifier\":\"b\",\"connected_account\":{\"authorization_"
     "details\":"
     "{\"oauth_token\":{},\"static_auth\":{}}}}",
     400, "invalid value for field authorization_details", NULL},
    {POST, ACCOUNTS,
     "{\"connector\":\"a\",\"identifier\":\"b\",\"connected_account\":{\"authorization_"
     "details\":"
     "{\"oauth_token\":{\"scopes\":\"x\"}}}}",
     400, "invalid value for field scopes", NULL},
    {POST, ACCOUNTS, "{", 400, "not a JSON object", NULL},
    {POST, ACCOUNTS, "[]", 400, "not a JSON object", NULL},
    {POST, ACCOUNTS, "{\"connector\":\"\\u0000\"}", 400, "not a JSON object", NULL},
    {POST, ACCOUNTS,
     "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
     400, "not a JSON object", NULL},
    {PUT, ACCOUNTS, "{\"id\":\"ca_1\"}", 400, "\"field\":\"connected_account\"", NULL},
    {POST, ACCOUNTS "/magic_link", "{\"id\":\"ca_1\",\"user_verify_url\":\"ftp://x\"}", 400,
     "\"field\":\"user_verify_url\"", NULL},
    {POST, ACCOUNTS "/magic_link", "{\"id\":\"ca_1\",\"state\":null}", 404, "", NULL},
    {POST, ACCOUNTS "/user/verify", "{\"identifier\":\"x\"}", 400, "\"field\":\"auth_request_id\"",
     NULL},
    {GET, ACCOUNTS "?page_size=100", NULL, 400, "\"constraint\":\"uint32.lt\"", NULL},
    {GET, ACCOUNTS "?page_size=99", NULL, 200, "\"connected_accounts\":[]", NULL},
    {GET, ACCOUNTS "?pageSize=-1", NULL, 400, "invalid value for field page_size", NULL},
    {GET, ACCOUNTS "?page_token=zzz", NULL, 400, "\"field\":\"page_token\"", NULL},
    {GET, ACCOUNTS "?page_token=eHh4eHh4eHh4eHh4eHh4eHh4eA%3D%3D", NULL, 400, "page_token", NULL},
    {GET, ACCOUNTS "?connector=a&connection_names=b", NULL, 400, "mutually exclusive", NULL},
    {GET, ACCOUNTS "?connection_names=", NULL, 400, "\"field\":\"connection_names\"", NULL},
    {GET, ACCOUNTS "?connection_names=a.b", NULL, 400, "\"constraint\":\"string.pattern\"", NULL},
    {GET, ACCOUNTS "?" TWENTY_ONE_NAMES, NULL, 400, "\"constraint\":\"repeated.max_items\"", NULL},
    {GET, ACCOUNTS ":search", NULL, 400, "\"field\":\"query\"", NULL},
    {GET, ACCOUNTS ":search?query=ab", NULL, 400, "at least 3 characters", NULL},
    {GET, ACCOUNTS ":search?query=abc&page_size=31", NULL, 400, "\"field\":\"page_size\"", NULL},
    {POST, "/api/v1/execute_tool", "{\"identifier\":\"x\"}", 400, "\"field\":\"tool_name\"", NULL},
    {POST, "/api/v1/execute_tool", "{\"tool_name\":\"echo\"}", 400, "\"field\":\"identifier\"",
     NULL},
    {GET, "/api/v1/nothing", NULL, 404, "{\"code\":5,\"message\":\"Not Found\",\"details\":[]}",
     NULL},
    {GET, "/magicLink/", NULL, 404, "{\"code\":5", NULL},
    {DELETE, ACCOUNTS, NULL, 405, "\"code\":12", NULL},
};

static void test_limits(void)
{
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, limits_rows);
    world_tear_down(&world);
}

/* --- lists -------------------------------------------------------------------------------------- */

/* "==" of a token must be encoded in a query. */
static void follow(struct world *world, const char *query, const char *which)
{
    char token[64], path[300];

    world_find(world, token, sizeof token, which, '"');
    CU_ASSERT_EQUAL(strlen(token), 28);
    CU_ASSERT_STRING_EQUAL(token + 26, "==");
    token[26] = '\0';
    snprintf(path, sizeof path, ACCOUNTS "?%s&page_token=%s%%3D%%3D", query, token);
    CU_ASSERT_EQUAL(world_ask(world, GET, path, NULL), 200);
}

static void make_accounts(struct world *world, int n)
{
    static const char *const connections[] = {"gmail", "slack", "gmail-work"};
    char identifier[24];

    for (int i = 0; i < n; i++) {
        snprintf(identifier, sizeof identifier, "user_%02d", i);
        scalekit_emulator_set_status(world->emulator, connections[i % 3], identifier, "ACTIVE");
    }
}

static void test_pages(void)
{
    static const char next[] = "\"next_page_token\":\"", previous[] = "\"prev_page_token\":\"";
    struct world world;

    world_set_up(&world, NULL);
    make_accounts(&world, 25);
    CU_ASSERT_EQUAL(world_ask(&world, GET, ACCOUNTS, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":25"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    CU_ASSERT_PTR_NULL(strstr(world.body, "ya29"));

    /* What goes meanwhile, on either side of the page's end, makes the next one skip nothing. */
    world_ask(&world, POST, ACCOUNTS ":delete",
              "{\"connector\":\"gmail\",\"identifier\":\"user_09\"}");
    world_ask(&world, POST, ACCOUNTS ":delete",
              "{\"connector\":\"slack\",\"identifier\":\"user_10\"}");
    world_ask(&world, GET, ACCOUNTS, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "user_11"));
    follow(&world, "page_size=7", next);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "[{\"id\":\"ca_"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "user_12"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "user_18"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":23"));
    follow(&world, "page_size=7", next);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 6);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"next_page_token\":\"\""));
    follow(&world, "page_size=7", previous);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "user_12"));
    CU_ASSERT(strstr(world.body, "user_12") < strstr(world.body, "user_18"));
    CU_ASSERT_PTR_NULL(strstr(world.body, "user_11"));
    follow(&world, "page_size=20", previous);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    world_tear_down(&world);
}

static void test_filters(void)
{
    static const struct row rows[] = {
        {GET, ACCOUNTS "?connector=slack&page_size=3", NULL, 200, "\"total_size\":8", "gmail"},
        {GET, ACCOUNTS "?connection_names=slack&connection_names=gmail&connection_names=slack",
         NULL, 200, "\"total_size\":17", "gmail-work"},
        {GET, ACCOUNTS "?provider=GMAIL", NULL, 200, "\"total_size\":17", "slack"},
        {GET, ACCOUNTS "?provider=gmail", NULL, 200, "\"total_size\":0", NULL},
        {GET, ACCOUNTS "?identifier=user_03", NULL, 200, "\"total_size\":1", "user_04"},
        {GET, ACCOUNTS "?identifier=user_03&connector=slack", NULL, 200, "\"total_size\":0", NULL},
        {GET, ACCOUNTS "?identifier=nobody", NULL, 200,
         "{\"connected_accounts\":[],\"total_size\":0,\"next_page_token\":\"\",\"prev_page_token\":"
         "\"\"}",
         NULL},
        {GET, ACCOUNTS "?connector=unheard", NULL, 200, "\"total_size\":0", NULL},
        {GET, ACCOUNTS "?query=USER_1", NULL, 200, "\"total_size\":10", "user_09"},
        {GET, ACCOUNTS "?organization_id=org_1", NULL, 200, "\"total_size\":0", NULL},
        {GET, ACCOUNTS ":search?query=er_2&page_size=30", NULL, 200, "\"total_size\":5", "user_19"},
        {GET, ACCOUNTS ":search?query=user&connection_id=conn_1", NULL, 200, "\"total_size\":0",
         NULL},
    };
    struct world world;
    const char *first, *second;

    world_set_up(&world, NULL);
    make_accounts(&world, 25);
    ASK(&world, rows);
    world_ask(&world, GET, ACCOUNTS "?connection_names=slack&connection_names=gmail&page_size=2",
              NULL);
    first = strstr(world.body, "user_00");
    second = strstr(world.body, "user_01");
    CU_ASSERT(first && second && first < second);
    world_tear_down(&world);
}

/* Deleting most accounts sweeps the indexes; what is left must still be found. */
static void test_many_come_and_go(void)
{
    struct world world;
    struct emu_store *store;
    char name[16];

    world_set_up(&world, NULL);
    store = &world.emulator->store;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "u%d", i);
        CU_ASSERT(scalekit_emulator_set_status(world.emulator, "gmail", name, "ACTIVE"));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "u%d", i);
        if (i % 100 != 7)
            emu_account_remove(store, world_account(&world, name));
    }
    CU_ASSERT_EQUAL(store->all.live, 10);
    CU_ASSERT(store->all.n <= 20);
    CU_ASSERT_EQUAL(store->active, 10);
    CU_ASSERT_EQUAL(store->people.n, 10);
    CU_ASSERT_EQUAL(world_ask(&world, GET, ACCOUNTS "?connector=gmail&page_size=50", NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "u907"));
    world_tear_down(&world);
}

SUITE(emulator_account, {"creates, shows, changes and deletes accounts", test_accounts},
      {"refreshes a token that ran out", test_refreshes_tokens},
      {"holds every field to the service's limits", test_limits},
      {"pages both ways while accounts come and go", test_pages},
      {"filters lists and searches", test_filters},
      {"forgets what was deleted and finds the rest", test_many_come_and_go})
