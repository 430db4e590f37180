/* The MCP operations: configurations, session tokens, instances and servers. */
#include "text.h"
#include "world.h"
#include <openssl/evp.h>

#define MCP       "/api/v1/mcp"
#define CONFIGS   MCP "/configs"
#define INSTANCES MCP "/instances"
#define ANN       "{\"identifier\":\"ann\"}"

/* Asks for a path that has an id in the place of its star. */
static int ask_of(struct world *world, enum method method, const char *pattern, const char *id,
                  const char *body)
{
    const char *star = strchr(pattern, '*');
    char path[200];

    CU_ASSERT_PTR_NOT_NULL_FATAL(star);
    snprintf(path, sizeof path, "%.*s%s%s", (int)(star - pattern), pattern, id, star + 1);
    return world_ask(world, method, path, body);
}

static bool has(const struct world *world, const char *part)
{
    return strstr(world->body, part) != NULL;
}

/* The id in an answer, as those of its kind begin. */
static void keep_id(const struct world *world, char id[40], const char *prefix)
{
    world_find(world, id, 40, "\"id\":\"", '"');
    CU_ASSERT_EQUAL(strncmp(id, prefix, strlen(prefix)), 0);
}

/* A configuration of gmail and slack. */
static void make_config(struct world *world, const char *name, char id[40])
{
    char body[300];

    snprintf(body, sizeof body,
             "{\"name\":\"%s\",\"description\":\"d\",\"connection_tool_mappings\":[{"
             "\"connection_name\":\"gmail\",\"tools\":[\"gmail_fetch_mails\"]},"
             "{\"connection_name\":\"slack\"}]}",
             name);
    CU_ASSERT_EQUAL(world_ask(world, POST, CONFIGS, body), 201);
    keep_id(world, id, "cfg_");
}

/* --- configurations ----------------------------------------------------------------------------- */

static void test_configs(void)
{
    static const char *const members[] = {
        "\"name\":\"daily-1_x\"",
        "\"description\":\"d\"",
        "\"connection_tool_mappings\":[{\"connection_id\":\"conn_",
        ("\"connection_name\":\"gmail\",\"provider\":\"GMAIL\",\"tools\":[\"gmail_fetch_mails\"],"
         "\"connected_account_id\":\"\",\"connected_account_status\":\"\"}"),
        "\"connection_name\":\"slack\",\"provider\":\"SLACK\",\"tools\":[],",
        "\"mcp_server_url\":\"http://127.0.0.1:",
        "/mcp/v3/servers/",
    };
    struct world world;
    char id[40], url[200], again[200];

    world_set_up(&world, NULL);
    make_config(&world, "daily-1_x", id);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        CU_ASSERT(has(&world, members[i]));
    world_find(&world, url, sizeof url, "\"mcp_server_url\":\"", '"');
    CU_ASSERT_EQUAL(strlen(strstr(url, "servers/")), strlen("servers/") + 36);

    CU_ASSERT_EQUAL(ask_of(&world, GET, CONFIGS "/*", id, NULL), 200);
    CU_ASSERT(has(&world, members[0]));
    CU_ASSERT_EQUAL(ask_of(&world, PUT, CONFIGS "/*", id, "{\"description\":\"new\"}"), 200);
    CU_ASSERT(has(&world, "\"description\":\"new\"") && has(&world, "slack"));
    CU_ASSERT_EQUAL(ask_of(&world, PUT, CONFIGS "/*", id,
                           "{\"connectionToolMappings\":[{\"connectionName\":\"notion\"}]}"),
                    200);
    CU_ASSERT(has(&world, "\"description\":\"new\"") && has(&world, "\"NOTION\""));
    CU_ASSERT_FALSE(has(&world, "slack"));
    world_find(&world, again, sizeof again, "\"mcp_server_url\":\"", '"');
    CU_ASSERT_STRING_EQUAL(url, again);

    CU_ASSERT_EQUAL(ask_of(&world, DELETE, CONFIGS "/*", id, NULL), 200);
    CU_ASSERT_STRING_EQUAL(world.body, "{}");
    CU_ASSERT_EQUAL(ask_of(&world, DELETE, CONFIGS "/*", id, NULL), 404);
    world_tear_down(&world);
}

static void test_unique_names(void)
{
    struct world world;
    char first[40], second[40];

    world_set_up(&world, NULL);
    make_config(&world, "daily", first);
    CU_ASSERT_EQUAL(world_ask(&world, POST, CONFIGS, "{\"name\":\"daily\"}"), 409);
    CU_ASSERT(has(&world, "\"error_code\":\"ALREADY_EXISTS\""));
    CU_ASSERT_EQUAL(ask_of(&world, DELETE, CONFIGS "/*", first, NULL), 200);
    make_config(&world, "daily", second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    world_tear_down(&world);
}

#define FIFTY "01234567890123456789012345678901234567890123456789"
#define NAMED "{\"name\":\"n\",\"connection_tool_mappings\":"
#define FIVE                                                                                       \
    "{\"connection_name\":\"a\"},{\"connection_name\":\"b\"},{\"connection_name\":\"c\"},"         \
    "{\"connection_name\":\"d\"},{\"connection_name\":\"e\"}"
#define TWENTY FIVE "," FIVE "," FIVE "," FIVE

static const struct row limits_rows[] = {
    {POST, CONFIGS, "{}", 400, "\"field\":\"name\"", NULL},
    {POST, CONFIGS, "{\"name\":\"" FIFTY FIFTY "0\"}", 400, "string.max_len", NULL},
    {POST, CONFIGS, "{\"name\":\"" FIFTY FIFTY "\"}", 201, "\"connection_tool_mappings\":[]", NULL},
    {POST, CONFIGS, "{\"name\":\"Daily\"}", 400, "string.pattern", NULL},
    {POST, CONFIGS, "{\"name\":\"a b\"}", 400, "string.pattern", NULL},
    {POST, CONFIGS, "{\"name\":7}", 400, "invalid value for field name", NULL},
    {POST, CONFIGS, NAMED "{}}", 400, "invalid value for field connection_tool_mappings", NULL},
    {POST, CONFIGS, NAMED "[7]}", 400, "invalid value for field connection_tool_mappings", NULL},
    {POST, CONFIGS, NAMED "[{}]}", 400, "\"field\":\"connection_name\"", NULL},
    {POST, CONFIGS, NAMED "[{\"connection_name\":\"a\",\"tools\":\"t\"}]}", 400,
     "invalid value for field tools", NULL},
    {POST, CONFIGS, NAMED "[{\"connection_name\":\"a\",\"tools\":[1]}]}", 400,
     "invalid value for field tools", NULL},
    {POST, CONFIGS, NAMED "[" TWENTY "," FIVE ",{\"connection_name\":\"f\"}]}", 400,
     "\"constraint\":\"repeated.max_items\"", NULL},
    {POST, CONFIGS, NAMED "[" TWENTY "," FIVE "]}", 201, "\"provider\":\"E\"", NULL},
    {PUT, CONFIGS "/cfg_1", NAMED "[{}]}", 400, "\"field\":\"connection_name\"", NULL},
    {GET, CONFIGS "?page_size=31", NULL, 400, "\"constraint\":\"uint32.lt\"", NULL},
    {GET, CONFIGS "?page_size=30", NULL, 200, "\"total_size\":2", NULL},
    {GET, CONFIGS "?page_token=zzz", NULL, 400, "\"field\":\"page_token\"", NULL},
    {POST, CONFIGS "/cfg_1/connected_accounts", "{}", 400, "\"field\":\"identifier\"", NULL},
    {POST, CONFIGS "/cfg_1/connected_accounts",
     "{\"identifier\":\"ann\",\"include_auth_link\":\"yes\"}", 400,
     "invalid value for field include_auth_link", NULL},
    {POST, CONFIGS "/cfg_1/tokens", "{}", 400, "\"field\":\"identifier\"", NULL},
    {POST, CONFIGS "/cfg_1/tokens", "{\"identifier\":\"" FIFTY FIFTY FIFTY FIFTY FIFTY "012345\"}",
     400, "string.max_len", NULL},
    {POST, CONFIGS "/cfg_1/tokens", "{\"identifier\":\"ann\",\"expiry\":\"59s\"}", 400,
     "\"field\":\"expiry\"", NULL},
    {POST, CONFIGS "/cfg_1/tokens", "{\"identifier\":\"ann\",\"expiry\":\"86401s\"}", 400,
     "\"field\":\"expiry\"", NULL},
    {POST, CONFIGS "/cfg_1/tokens", "{\"identifier\":\"ann\",\"expiry\":\"1h\"}", 400,
     "invalid value for field expiry", NULL},
    {POST, INSTANCES, "{}", 400, "\"field\":\"user_identifier\"", NULL},
    {POST, INSTANCES, "{\"user_identifier\":\"ann\"}", 400, "\"field\":\"config_name\"", NULL},
    {GET, INSTANCES "?page_size=31", NULL, 400, "\"field\":\"page_size\"", NULL},
    {POST, INSTANCES "/inst_1:get_auth_state?include_auth_links=2", NULL, 400,
     "invalid value for field include_auth_links", NULL},
    {POST, MCP, "{\"connected_account_identifier\":\"ann\"}", 400, "\"repeated.min_items\"", NULL},
    {POST, MCP, "{\"connected_account_identifier\":\"ann\",\"tool_mappings\":[]}", 400,
     "\"repeated.min_items\"", NULL},
    {POST, MCP, "{\"tool_mappings\":[{\"connection_name\":\"gmail\"}]}", 400,
     "\"field\":\"connected_account_identifier\"", NULL},
    {POST, MCP,
     "{\"connected_account_identifier\":\"ann\",\"tool_mappings\":[{\"tool_names\":[]}]}", 400,
     "\"field\":\"connection_name\"", NULL},
};

static void test_limits(void)
{
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, limits_rows);
    world_tear_down(&world);
}

static void test_unknown(void)
{
    static const struct row rows[] = {
        {GET, CONFIGS "/cfg_1", NULL, 404, "mcp config not found", NULL},
        {PUT, CONFIGS "/cfg_1", "{}", 404, "mcp config not found", NULL},
        {DELETE, CONFIGS "/cfg_1", NULL, 404, "mcp config not found", NULL},
        {POST, CONFIGS "/cfg_1/connected_accounts", ANN, 404, "mcp config not found", NULL},
        {POST, CONFIGS "/cfg_1/tokens", ANN, 404, "mcp config not found", NULL},
        {POST, INSTANCES, "{\"config_name\":\"none\",\"user_identifier\":\"ann\"}", 404,
         "mcp config not found", NULL},
        {GET, INSTANCES "/inst_1", NULL, 404, "mcp instance not found", NULL},
        {PATCH, INSTANCES "/inst_1", "{}", 404, "mcp instance not found", NULL},
        {DELETE, INSTANCES "/inst_1", NULL, 404, "mcp instance not found", NULL},
        {POST, INSTANCES "/inst_1:get_auth_state", NULL, 404, "mcp instance not found", NULL},
        {GET, MCP "/mcp_1", NULL, 404, "mcp not found", NULL},
        {DELETE, MCP "/mcp_1", NULL, 404, "mcp not found", NULL},
        {GET, CONFIGS "/%00", NULL, 404, "Not Found", NULL},
        {GET, CONFIGS "/a/b", NULL, 404, "Not Found", NULL},
        {GET, CONFIGS "/cfg_1/tokens", NULL, 405, "", NULL},
    };
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, rows);
    world_tear_down(&world);
}

/* --- a user's accounts -------------------------------------------------------------------------- */

static void test_accounts(void)
{
    static const char with_links[] = "{\"identifier\":\"ann\",\"include_auth_link\":true}";
    struct world world;
    char id[40], link[64], again[64];

    world_set_up(&world, NULL);
    make_config(&world, "daily", id);
    CU_ASSERT(scalekit_emulator_set_status(world.emulator, "slack", "ann", "ACTIVE"));
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/connected_accounts", id, ANN), 200);
    CU_ASSERT(has(&world, "{\"connected_accounts\":[{\"connection_id\":\"conn_"));
    CU_ASSERT(has(&world, "\"connection_name\":\"gmail\",\"provider\":\"GMAIL\","
                          "\"connected_account_id\":\"\",\"connected_account_status\":\"\","
                          "\"authentication_link\":\"\""));
    CU_ASSERT(has(&world, "\"connected_account_status\":\"ACTIVE\",\"authentication_link\":\"\""));
    CU_ASSERT_PTR_NULL(world_account(&world, "ann"));

    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/connected_accounts", id, with_links), 200);
    CU_ASSERT(has(&world, "\"connected_account_status\":\"PENDING_AUTH\""));
    CU_ASSERT_EQUAL(world_count(&world, "/magicLink/"), 2);
    world_find(&world, link, sizeof link, "/magicLink/", '"');
    CU_ASSERT_PTR_NOT_NULL_FATAL(world_account(&world, "ann"));
    CU_ASSERT_EQUAL(ask_of(&world, GET, "/magicLink/*", link, NULL), 200);

    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/connected_accounts", id, with_links), 200);
    world_find(&world, again, sizeof again, "/magicLink/", '"');
    CU_ASSERT_STRING_NOT_EQUAL(link, again);
    CU_ASSERT_EQUAL(world.emulator->store.all.live, 2);
    world_tear_down(&world);
}

/* A link of a configuration is one like any other. */
static void test_links_work(void)
{
    struct world world;
    char id[40];

    world_set_up(&world, NULL);
    make_config(&world, "daily", id);
    scalekit_emulator_script_consent(world.emulator, SCALEKIT_CONSENT_APPROVE, 1);
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/connected_accounts", id,
                           "{\"identifier\":\"ann\",\"includeAuthLink\":true}"),
                    200);
    world_wait_for_status(&world, "ann", "ACTIVE");
    world_tear_down(&world);
}

/* --- tokens ------------------------------------------------------------------------------------- */

static void test_tokens_need_accounts(void)
{
    struct world world;
    char id[40];

    world_set_up(&world, NULL);
    make_config(&world, "daily", id);
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id, ANN), 400);
    CU_ASSERT(has(&world, "\"field\":\"gmail\"") && has(&world, "\"field\":\"slack\""));
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "slack", "ann", "EXPIRED");
    scalekit_emulator_set_status(world.emulator, "slack", "bob", "ACTIVE");
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id, ANN), 400);
    CU_ASSERT(!has(&world, "\"field\":\"gmail\"") && has(&world, "\"field\":\"slack\""));
    scalekit_emulator_set_status(world.emulator, "slack", "ann", "ACTIVE");
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id, ANN), 200);

    CU_ASSERT_EQUAL(world_ask(&world, POST, CONFIGS, "{\"name\":\"empty\"}"), 201);
    keep_id(&world, id, "cfg_");
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id, ANN), 400);
    CU_ASSERT(has(&world, "the mcp config has no connections"));
    world_tear_down(&world);
}

/* The middle part of a JWT. */
static void decode_claims(const char *token, char *out, size_t size)
{
    const char *from = strchr(token, '.'), *to = from ? strchr(from + 1, '.') : NULL;
    char text[2048];
    size_t n = 0;

    *out = '\0';
    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    for (from++; from < to && n + 4 < sizeof text; from++)
        text[n++] = *from == '-' ? '+' : *from == '_' ? '/' : *from;
    while (n % 4)
        text[n++] = '=';
    CU_ASSERT_FATAL(n / 4 * 3 < size);
    EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)n);
}

static void test_tokens(void)
{
    struct world world;
    char id[40], url[160], token[2048], claims[2048], expected[200], account_id[40];
    const char *issued, *expires;

    world_set_up(&world, NULL);
    make_config(&world, "daily", id);
    world_find(&world, url, sizeof url, "\"mcp_server_url\":\"", '"');
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "slack", "ann", "ACTIVE");
    snprintf(account_id, sizeof account_id, "%s", world_account(&world, "ann")->id);
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id,
                           "{\"identifier\":\"ann\",\"expiry\":\"60s\"}"),
                    200);
    CU_ASSERT(has(&world, "\"expires_at\":\"2"));
    world_find(&world, token, sizeof token, "\"token\":\"", '"');
    CU_ASSERT_EQUAL(strncmp(token, "eyJ", 3), 0);
    CU_ASSERT_EQUAL(strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-_."),
                    strlen(token));

    decode_claims(token, claims, sizeof claims);
    snprintf(expected, sizeof expected, "\"sub\":\"ann\",\"aud\":[\"%s\"]", url);
    CU_ASSERT_PTR_NOT_NULL(strstr(claims, expected));
    snprintf(expected, sizeof expected, "\"mcp_cfg\":\"%s\",\"ca_ids\":[\"%s\",\"ca_", id,
             account_id);
    CU_ASSERT_PTR_NOT_NULL(strstr(claims, expected));
    issued = strstr(claims, "\"iat\":");
    expires = strstr(claims, "\"exp\":");
    CU_ASSERT_FATAL(issued && expires);
    CU_ASSERT_EQUAL(strtoll(expires + 6, NULL, 10) - strtoll(issued + 6, NULL, 10), 60);
    world_tear_down(&world);
}

/* --- instances ---------------------------------------------------------------------------------- */

#define ENSURE "{\"config_name\":\"daily\",\"user_identifier\":\"ann\""

static void test_instances(void)
{
    struct world world;
    char config[40], id[40], again[40], url[200];

    world_set_up(&world, NULL);
    make_config(&world, "weekly", config);
    make_config(&world, "daily", config);
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    CU_ASSERT_EQUAL(world_ask(&world, POST, INSTANCES, ENSURE "}"), 200);
    keep_id(&world, id, "inst_");
    world_find(&world, url, sizeof url, "\"url\":\"", '"');
    CU_ASSERT_PTR_NOT_NULL(strstr(url, "/mcp/v1/"));
    CU_ASSERT(has(&world, "\"name\":\"daily\",\"user_identifier\":\"ann\",\"config\":{"));
    CU_ASSERT(has(&world, "\"connected_account_status\":\"ACTIVE\""));
    CU_ASSERT(has(&world, "\"last_used_at\":\"0001-01-01T00:00:00Z\",\"updated_at\":\"2"));

    CU_ASSERT_EQUAL(world_ask(&world, POST, INSTANCES, ENSURE "}"), 200);
    keep_id(&world, again, "inst_");
    CU_ASSERT_STRING_EQUAL(id, again);
    CU_ASSERT_EQUAL(world_ask(&world, POST, INSTANCES, ENSURE ",\"name\":\"other\"}"), 200);
    keep_id(&world, again, "inst_");
    CU_ASSERT_STRING_NOT_EQUAL(id, again);

    CU_ASSERT_EQUAL(ask_of(&world, PATCH, INSTANCES "/*", id, "{\"name\":\"mine\"}"), 200);
    CU_ASSERT(has(&world, "\"name\":\"mine\"") && has(&world, "\"name\":\"daily\""));
    CU_ASSERT_EQUAL(ask_of(&world, PATCH, INSTANCES "/*", id, "{\"config_name\":\"weekly\"}"), 200);
    CU_ASSERT(has(&world, "\"name\":\"mine\"") && has(&world, "\"name\":\"weekly\""));
    CU_ASSERT_EQUAL(ask_of(&world, PATCH, INSTANCES "/*", id, "{\"config_name\":\"none\"}"), 404);
    CU_ASSERT_EQUAL(ask_of(&world, GET, INSTANCES "/*", id, NULL), 200);
    CU_ASSERT(has(&world, "\"name\":\"weekly\"") && has(&world, url));
    CU_ASSERT_EQUAL(ask_of(&world, DELETE, INSTANCES "/*", id, NULL), 200);
    CU_ASSERT_EQUAL(ask_of(&world, GET, INSTANCES "/*", id, NULL), 404);
    world_tear_down(&world);
}

static void test_auth_state(void)
{
    struct world world;
    char config[40], id[40];

    world_set_up(&world, NULL);
    make_config(&world, "daily", config);
    CU_ASSERT_EQUAL(world_ask(&world, POST, INSTANCES, ENSURE "}"), 200);
    keep_id(&world, id, "inst_");
    CU_ASSERT_EQUAL(ask_of(&world, POST, INSTANCES "/*:get_auth_state", id, NULL), 200);
    CU_ASSERT(has(&world, "{\"connections\":[{\"connection_id\":\"conn_"));
    CU_ASSERT_EQUAL(world_count(&world, "\"authentication_link\":\"\""), 2);
    CU_ASSERT_EQUAL(world.emulator->store.all.live, 0);
    CU_ASSERT_EQUAL(
        ask_of(&world, POST, INSTANCES "/*:get_auth_state?include_auth_links=true", id, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "/magicLink/"), 2);
    CU_ASSERT_EQUAL(world_count(&world, "\"connected_account_status\":\"PENDING_AUTH\""), 2);
    world_tear_down(&world);
}

static void test_instances_go_with_their_config(void)
{
    struct world world;
    char weekly[40], daily[40];

    world_set_up(&world, NULL);
    make_config(&world, "weekly", weekly);
    make_config(&world, "daily", daily);
    world_ask(&world, POST, INSTANCES, ENSURE "}");
    world_ask(&world, POST, INSTANCES, "{\"config_name\":\"weekly\",\"user_identifier\":\"ann\"}");
    world_ask(&world, POST, INSTANCES, "{\"config_name\":\"daily\",\"user_identifier\":\"bob\"}");
    CU_ASSERT_EQUAL(ask_of(&world, DELETE, CONFIGS "/*", daily, NULL), 200);
    CU_ASSERT_EQUAL(world_ask(&world, GET, INSTANCES, NULL), 200);
    CU_ASSERT(has(&world, "\"total_size\":1") && has(&world, "\"name\":\"weekly\""));
    world_tear_down(&world);
}

/* --- servers ------------------------------------------------------------------------------------ */

#define SERVER(who)                                                                                \
    "{\"connected_account_identifier\":\"" who "\",\"tool_mappings\":[{\"connection_name\":"       \
    "\"gmail\",\"tool_names\":[\"gmail_fetch_mails\"]},{\"connection_name\":\"slack\"}]}"

static void test_servers(void)
{
    struct world world;
    char id[40], again[40], token[64], path[120];

    world_set_up(&world, NULL);
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "EXPIRED");
    CU_ASSERT_EQUAL(world_ask(&world, POST, MCP, SERVER("ann")), 200);
    keep_id(&world, id, "mcp_");
    world_find(&world, token, sizeof token, "/mcp/v1/", '"');
    CU_ASSERT(has(&world, "{\"tool_names\":[\"gmail_fetch_mails\"],\"connection_name\":\"gmail\","
                          "\"status\":\"EXPIRED\"},{\"tool_names\":[],\"connection_name\":"
                          "\"slack\",\"status\":\"\"}"));
    CU_ASSERT_EQUAL(world_ask(&world, POST, MCP, SERVER("ann")), 200);
    keep_id(&world, again, "mcp_");
    CU_ASSERT_STRING_EQUAL(id, again);
    CU_ASSERT_EQUAL(world_ask(&world, POST, MCP, SERVER("bob")), 200);
    keep_id(&world, again, "mcp_");
    CU_ASSERT_STRING_NOT_EQUAL(id, again);

    CU_ASSERT_EQUAL(world_ask(&world, GET, MCP, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 2);
    world_ask(&world, GET, MCP "?filter.connected_account_identifier=bob", NULL);
    CU_ASSERT(has(&world, again) && !has(&world, id));
    snprintf(path, sizeof path, MCP "?filter.link_token=%s", token);
    world_ask(&world, GET, path, NULL);
    CU_ASSERT(has(&world, id) && !has(&world, again));
    CU_ASSERT_EQUAL(ask_of(&world, GET, MCP "/*", id, NULL), 200);
    CU_ASSERT(has(&world, "{\"mcp\":{") && has(&world, token));
    CU_ASSERT_EQUAL(ask_of(&world, DELETE, MCP "/*", id, NULL), 200);
    CU_ASSERT_EQUAL(ask_of(&world, GET, MCP "/*", id, NULL), 404);
    world_tear_down(&world);
}

/* --- lists and connections ---------------------------------------------------------------------- */

static void test_pages(void)
{
    struct world world;
    char body[60], token[64], path[120];

    world_set_up(&world, NULL);
    for (int i = 0; i < 12; i++) {
        snprintf(body, sizeof body, "{\"name\":\"n-%02d\"}", i);
        CU_ASSERT_EQUAL(world_ask(&world, POST, CONFIGS, body), 201);
    }
    CU_ASSERT_EQUAL(world_ask(&world, GET, CONFIGS, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 10);
    CU_ASSERT(has(&world, "\"total_size\":12") && has(&world, "\"prev_page_token\":\"\""));
    world_find(&world, token, sizeof token, "\"next_page_token\":\"", '=');
    snprintf(path, sizeof path, CONFIGS "?page_token=%s%%3D%%3D", token);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 2);
    CU_ASSERT(has(&world, "n-10") && has(&world, "n-11"));
    CU_ASSERT(has(&world, "\"next_page_token\":\"\"") && !has(&world, "\"prev_page_token\":\"\""));
    world_tear_down(&world);
}

static void test_filters(void)
{
    static const struct row rows[] = {
        {GET, CONFIGS "?filter.name=daily", NULL, 200, "\"total_size\":1", "weekly"},
        {GET, CONFIGS "?filter.name=dail", NULL, 200, "\"total_size\":0", NULL},
        {GET, CONFIGS "?search=LY", NULL, 200, "\"total_size\":2", "\"empty\""},
        {GET, CONFIGS "?filter.provider=SLACK", NULL, 200, "\"total_size\":2", "\"empty\""},
        {GET, CONFIGS "?filter.provider=slack", NULL, 200, "\"total_size\":0", NULL},
        {GET, CONFIGS "?filter.id=cfg_1", NULL, 200, "\"configs\":[]", NULL},
        {GET, CONFIGS "?filter.mcp_server_url=http://x/mcp/v3/servers/1", NULL, 200,
         "\"total_size\":0", NULL},
        {GET, INSTANCES "?filter.config_name=daily", NULL, 200, "\"total_size\":2", "weekly"},
        {GET, INSTANCES "?filter.userIdentifier=bob", NULL, 200, "\"total_size\":1", "\"ann\""},
        {GET, INSTANCES "?filter.name=mine", NULL, 200, "\"total_size\":1", "\"bob\""},
        {GET, INSTANCES "?filter.id=inst_1", NULL, 200, "\"instances\":[]", NULL},
        {GET, INSTANCES "?search=AN", NULL, 200, "\"total_size\":2", "\"bob\""},
    };
    struct world world;
    char id[40], url[200], path[300];

    world_set_up(&world, NULL);
    world_ask(&world, POST, CONFIGS, "{\"name\":\"empty\"}");
    make_config(&world, "weekly", id);
    make_config(&world, "daily", id);
    world_find(&world, url, sizeof url, "\"mcp_server_url\":\"", '"');
    world_ask(&world, POST, INSTANCES, ENSURE ",\"name\":\"mine\"}");
    world_ask(&world, POST, INSTANCES, "{\"config_name\":\"daily\",\"user_identifier\":\"bob\"}");
    world_ask(&world, POST, INSTANCES, "{\"config_name\":\"weekly\",\"user_identifier\":\"ann\"}");
    ASK(&world, rows);
    snprintf(path, sizeof path, CONFIGS "?filter.mcp_server_url=%s", url);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT(has(&world, "\"total_size\":1") && has(&world, id));
    CU_ASSERT_EQUAL(ask_of(&world, GET, CONFIGS "?filter.id=*", id, NULL), 200);
    CU_ASSERT(has(&world, "\"total_size\":1") && has(&world, id));
    world_tear_down(&world);
}

/* A list without pages must end all the same. */
static void test_many_servers(void)
{
    struct emu_mcp_mappings none = {0};
    struct world world;

    world_set_up(&world, NULL);
    for (int i = 0; i <= 1000; i++)
        CU_ASSERT_PTR_NOT_NULL(
            emu_mcp_add_server(&world.emulator->mcp, i < 1000 ? "ann" : "bob", &none));
    CU_ASSERT_EQUAL(world_ask(&world, GET, MCP, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":\"mcp_"), 1000);
    CU_ASSERT(!has(&world, "\"bob\"")); /* quoted: the URLs are random text */
    CU_ASSERT_EQUAL(world_ask(&world, GET, MCP "?filter.connected_account_identifier=bob", NULL),
                    200);
    CU_ASSERT(has(&world, "\"bob\"") && !has(&world, "\"ann\""));
    world_tear_down(&world);
}

/* A user is forgotten with the last that was theirs. */
static void test_users(void)
{
    struct emu_mcp_mappings none = {0};
    struct emu_mcp_config *daily, *weekly;
    struct emu_mcp_instance *first, *second;
    struct emu_mcp_server *server;
    struct emu_mcp *mcp;
    struct world world;

    world_set_up(&world, NULL);
    mcp = &world.emulator->mcp;
    daily = emu_mcp_add_config(mcp, "daily", "", &none);
    weekly = emu_mcp_add_config(mcp, "weekly", "", &none);
    CU_ASSERT_PTR_NOT_NULL_FATAL(daily);
    CU_ASSERT_PTR_NOT_NULL_FATAL(weekly);
    first = emu_mcp_add_instance(mcp, daily, "a", "ann");
    second = emu_mcp_add_instance(mcp, daily, "b", "ann");
    server = emu_mcp_add_server(mcp, "ann", &none);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    CU_ASSERT_EQUAL(mcp->users.n, 1);
    emu_mcp_move_instance(second, weekly);
    emu_mcp_remove_config(mcp, daily);
    CU_ASSERT_EQUAL(mcp->instances.by_id.n, 1);
    emu_mcp_remove_config(mcp, weekly);
    CU_ASSERT_EQUAL(mcp->instances.by_id.n, 0);
    CU_ASSERT_PTR_NOT_NULL(emu_mcp_user(mcp, "ann"));
    emu_mcp_remove_server(mcp, server);
    CU_ASSERT_PTR_NULL(emu_mcp_user(mcp, "ann"));
    world_tear_down(&world);
}

/* A mapping means a connection, whatever that is called meanwhile and even when it is gone. */
static void test_connections_change(void)
{
    static const char with_links[] = "{\"identifier\":\"ann\",\"include_auth_link\":true}";
    struct world world;
    struct emu_connections *connections;
    struct emu_connection *connection;
    char id[40];

    world_set_up(&world, NULL);
    connections = &world.emulator->store.connections;
    make_config(&world, "daily", id);
    connection = emu_connection_by_name(connections, "slack");
    CU_ASSERT_PTR_NOT_NULL_FATAL(connection);
    CU_ASSERT(emu_connection_rename(connections, connection, "slack-2"));
    scalekit_emulator_set_status(world.emulator, "slack-2", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    CU_ASSERT_EQUAL(ask_of(&world, GET, CONFIGS "/*", id, NULL), 200);
    CU_ASSERT(has(&world, "\"connection_name\":\"slack-2\""));
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id, ANN), 200);

    connection->enabled = false;
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/connected_accounts", id, with_links), 200);
    CU_ASSERT_EQUAL(world_count(&world, "/magicLink/"), 1);

    emu_connection_delete(connections, emu_connection_by_name(connections, "gmail"));
    CU_ASSERT_EQUAL(ask_of(&world, GET, CONFIGS "/*", id, NULL), 200);
    CU_ASSERT(has(&world, "\"connection_name\":\"gmail\",\"provider\":\"\""));
    CU_ASSERT_EQUAL(ask_of(&world, POST, CONFIGS "/*/tokens", id, ANN), 400);
    CU_ASSERT_EQUAL(world_ask(&world, POST, CONFIGS, NAMED "[{\"connection_name\":\"gmail\"}]}"),
                    400);
    CU_ASSERT(has(&world, "there is no such connection"));
    world_tear_down(&world);
}

SUITE(emulator_mcp, {"keeps configurations", test_configs},
      {"lets no two configurations have one name", test_unique_names},
      {"holds the fields of MCP to the service's limits", test_limits},
      {"says what there is not", test_unknown},
      {"makes missing accounts and links only when asked to", test_accounts},
      {"a link of a configuration leads to ACTIVE", test_links_work},
      {"gives a token only when every account is ACTIVE", test_tokens_need_accounts},
      {"a token says whose it is, for what and until when", test_tokens},
      {"makes a user's instance once", test_instances},
      {"shows how far an instance's user is", test_auth_state},
      {"instances go with their configuration", test_instances_go_with_their_config},
      {"makes equal servers once", test_servers},
      {"lists a thousand servers and no more", test_many_servers},
      {"knows a user as long as something is theirs", test_users},
      {"lists MCP a page at a time", test_pages}, {"filters lists of MCP", test_filters},
      {"follows connections that are renamed, switched off or deleted", test_connections_change})
