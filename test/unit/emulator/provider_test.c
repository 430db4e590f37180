/* The providers, and custom ones. */
#include "world.h"

#define PROVIDERS "/api/v1/providers"
#define CUSTOM    "/api/v1/custom-providers"
#define PATTERNS  "\"auth_patterns\":[{\"type\":\"BEARER\",\"is_mcp\":true}]"
#define MADE(name, more)                                                                           \
    "{\"display_name\":\"" name "\"," PATTERNS ",\"proxy_url\":\"https://acme.example\"" more "}"
#define HUNDRED                                                                                    \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "23456789"

/* --- the ones there are ------------------------------------------------------------------------ */

static const struct row known_rows[] = {
    {GET, PROVIDERS, NULL, 200,
     "\"identifier\":\"GMAIL\",\"display_name\":\"Gmail\",\"description\":\"Read and send mail\","
     "\"categories\":[\"email\"],\"auth_patterns\":[{\"type\":\"OAUTH\"",
     NULL},
    {GET, PROVIDERS "?identifier=GMAIL", NULL, 200, "\"total_size\":1", "SLACK"},
    {GET, PROVIDERS "?identifier=gmail", NULL, 200, "\"total_size\":0", NULL},
    {GET, PROVIDERS "?filter.provider_type=CUSTOM", NULL, 200, "{\"providers\":[],\"total_size\":0",
     NULL},
    {POST, PROVIDERS,
     "{\"identifier\":\"CRM\",\"display_name\":\"A CRM\",\"auth_patterns\":[],\"categories\":["
     "\"sales\"],\"display_priority\":-3,\"coming_soon\":true}",
     200, "{\"provider\":{\"id\":\"prv_", NULL},
    {GET, PROVIDERS "?identifier=CRM", NULL, 200,
     "\"categories\":[\"sales\"],\"auth_patterns\":[],\"icon_src\":\"\",\"display_priority\":-3,"
     "\"coming_soon\":true,\"proxy_url\":\"\",\"proxy_enabled\":false,\"is_custom\":false,"
     "\"is_custom_mcp\":false,\"metadata\":{}",
     NULL},
    {POST, PROVIDERS, "{\"identifier\":\"CRM\",\"display_name\":\"B\",\"auth_patterns\":[]}", 409,
     "\"code\":6", NULL},
    {PUT, PROVIDERS "/CRM", "{\"display_name\":\"The CRM\",\"coming_soon\":false}", 200,
     "\"display_name\":\"The CRM\"", "\"coming_soon\":true"},
    {GET, PROVIDERS "?identifier=CRM", NULL, 200, "\"display_priority\":-3", NULL},
    {PUT, PROVIDERS "/CRM", "{\"display_name\":\"The CRM\",\"metadata\":5}", 200, "\"metadata\":{}",
     NULL},
    {DELETE, CUSTOM "/CRM", NULL, 404, "custom provider not found", NULL},
    {DELETE, PROVIDERS "/CRM", NULL, 200, "{}", NULL},
    {DELETE, PROVIDERS "/CRM", NULL, 404, "\"code\":5", NULL},
    {PUT, PROVIDERS "/CRM", "{\"display_name\":\"x\"}", 404, "provider not found", NULL},
};

static void test_known(void)
{
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, known_rows);
    world_tear_down(&world);
}

/* --- custom ones ------------------------------------------------------------------------------- */

static const struct row custom_rows[] = {
    {POST, CUSTOM,
     MADE("Acme MCP", ",\"proxy_enabled\":true,\"description\":\"Everything\",\"icon_src\":"
                      "\"https://acme.example/a.svg\",\"metadata\":{\"team\":\"crm\"}"),
     201,
     "\"identifier\":\"ACME_MCP\",\"display_name\":\"Acme MCP\",\"description\":\"Everything\","
     "\"categories\":[]," PATTERNS ",\"icon_src\":\"https://acme.example/a.svg\","
     "\"display_priority\":0,\"coming_soon\":false,\"proxy_url\":\"https://acme.example\","
     "\"proxy_enabled\":true,\"is_custom\":true,\"is_custom_mcp\":true,\"metadata\":{\"team\":"
     "\"crm\"}}}",
     NULL},
    {POST, CUSTOM, MADE("acme mcp", ""), 409, "\"error_code\":\"ALREADY_EXISTS\"", NULL},
    {GET, PROVIDERS, NULL, 200, "GMAIL", "ACME_MCP"},
    {GET, PROVIDERS "?filter.provider_type=DEFAULT", NULL, 200, "GMAIL", "ACME_MCP"},
    {GET, PROVIDERS "?filter.provider_type=CUSTOM", NULL, 200, "ACME_MCP", "GMAIL"},
    {GET, PROVIDERS "?filter.providerType=ALL&identifier=ACME_MCP", NULL, 200, "\"total_size\":1",
     "GMAIL"},
    {PUT, CUSTOM "/ACME_MCP",
     "{\"display_name\":\"Acme\",\"auth_patterns\":[{\"type\":\"OAUTH\"}]}", 200,
     "\"identifier\":\"ACME_MCP\",\"display_name\":\"Acme\",\"description\":\"Everything\"", NULL},
    {GET, PROVIDERS "?filter.provider_type=ALL&identifier=ACME_MCP", NULL, 200,
     "\"proxy_url\":\"https://acme.example\",\"proxy_enabled\":true,\"is_custom\":true,"
     "\"is_custom_mcp\":false,\"metadata\":{}",
     NULL},
    {PUT, CUSTOM "/ACME_MCP",
     MADE("Acme", ",\"categories\":5,\"display_priority\":\"x\",\"coming_soon\":true"), 200,
     "\"categories\":[]," PATTERNS ",", "\"coming_soon\":true"},
    {PUT, CUSTOM "/GMAIL", MADE("Gmail", ""), 404, "custom provider not found", NULL},
    {DELETE, CUSTOM "/GMAIL", NULL, 404, "", NULL},
    {DELETE, CUSTOM "/ACME%5FMCP", NULL, 200, "{}", NULL},
    {DELETE, CUSTOM "/ACME_MCP", NULL, 404, "", NULL},
    {GET, PROVIDERS "?filter.provider_type=CUSTOM", NULL, 200, "\"total_size\":0", NULL},
};

static void test_custom(void)
{
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, custom_rows);
    world_tear_down(&world);
}

/* --- limits ------------------------------------------------------------------------------------ */

#define KEYS(a)                                                                                    \
    "\"" a "aa\":\"v\",\"" a "bb\":\"v\",\"" a "cc\":\"v\",\"" a "dd\":\"v\",\"" a                 \
    "ee\":\"v\",\"" a "ff\":\"v\",\"" a "gg\":\"v\""
#define METADATA(entries) MADE("Acme", ",\"metadata\":{" entries "}")

static const struct row limits_rows[] = {
    {POST, CUSTOM, "{}", 400, "\"field\":\"display_name\",\"description\":\"value is required\"",
     NULL},
    {POST, CUSTOM, "{}", 400, "\"field\":\"auth_patterns\"", NULL},
    {POST, CUSTOM, "{}", 400, "\"field\":\"proxy_url\"", NULL},
    {POST, CUSTOM, MADE("Acme-MCP", ""), 400, "\"constraint\":\"string.pattern\"", NULL},
    {POST, CUSTOM, MADE("   ", ""), 400, "\"field\":\"display_name\"", NULL},
    {POST, CUSTOM, MADE(HUNDRED HUNDRED "1", ""), 400, "\"constraint\":\"string.max_len\"", NULL},
    {POST, CUSTOM, MADE(HUNDRED HUNDRED, ""), 201, "", NULL},
    {POST, CUSTOM, "{\"display_name\":\"A\",\"auth_patterns\":[],\"proxy_url\":\"http://x\"}", 400,
     "\"field\":\"proxy_url\"", NULL},
    {POST, CUSTOM, "{\"display_name\":\"A\",\"auth_patterns\":{},\"proxy_url\":\"https://x\"}", 400,
     "invalid value for field auth_patterns", NULL},
    {POST, CUSTOM, MADE("Acme", ",\"icon_src\":\"ftp://x\""), 400, "\"field\":\"icon_src\"", NULL},
    {POST, CUSTOM, MADE("Acme", ",\"proxy_enabled\":1"), 400, "field proxy_enabled", NULL},
    {POST, CUSTOM, METADATA("\"ab\":\"v\""), 400, "\"constraint\":\"map.keys\"", NULL},
    {POST, CUSTOM, METADATA("\"abc\":\"\""), 400, "\"constraint\":\"map.values\"", NULL},
    {POST, CUSTOM, METADATA("\"abc\":5"), 400, "invalid value for field metadata", NULL},
    {POST, CUSTOM, METADATA(KEYS("a") "," KEYS("b") "," KEYS("c")), 400, "map.max_pairs", NULL},
    {PUT, CUSTOM "/ACME", "{}", 400, "\"field\":\"auth_patterns\"", "proxy_url"},
    {DELETE, CUSTOM "/" HUNDRED HUNDRED HUNDRED, NULL, 404, "", NULL},
    {POST, PROVIDERS, "{\"display_name\":\"x\"}", 400, "\"field\":\"identifier\"", NULL},
    {POST, PROVIDERS, "{\"display_name\":\"x\"}", 400, "\"field\":\"auth_patterns\"", NULL},
    {POST, PROVIDERS, "{\"identifier\":\"a b\",\"display_name\":\"x\",\"auth_patterns\":[]}", 400,
     "\"constraint\":\"string.pattern\"", NULL},
    {PUT, PROVIDERS "/GMAIL", "{}", 400, "\"field\":\"display_name\"", "auth_patterns"},
    {PUT, PROVIDERS "/GMAIL", "{\"display_name\":\"x\",\"display_priority\":2147483648}", 400,
     "field display_priority", NULL},
    {PUT, PROVIDERS "/GMAIL", "{\"display_name\":\"x\",\"categories\":[1]}", 400,
     "field categories", NULL},
    {GET, PROVIDERS "?identifier=a.b", NULL, 400, "\"field\":\"identifier\"", NULL},
    {GET, PROVIDERS "?filter.provider_type=OWN", NULL, 400, "field filter.provider_type", NULL},
    {GET, PROVIDERS "?page_size=-1", NULL, 400, "field page_size", NULL},
    {GET, PROVIDERS "?page_token=zzz", NULL, 400, "\"field\":\"page_token\"", NULL},
    {GET, PROVIDERS "?page_token=enp6enp6enp6enp6enp6enp6eg%3D%3D", NULL, 400, "page_token", NULL},
};

static void test_limits(void)
{
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, limits_rows);
    world_tear_down(&world);
}

/* --- pages ------------------------------------------------------------------------------------- */

/* "==" of a token must be encoded in a query. */
static void follow(struct world *world, const char *which)
{
    char token[64], path[200];

    world_find(world, token, sizeof token, which, '"');
    CU_ASSERT_EQUAL(strlen(token), 28);
    CU_ASSERT_STRING_EQUAL(token + 26, "==");
    token[26] = '\0';
    snprintf(path, sizeof path, PROVIDERS "?page_size=2&page_token=%s%%3D%%3D", token);
    CU_ASSERT_EQUAL(world_ask(world, GET, path, NULL), 200);
}

static void test_pages(void)
{
    static const char next[] = "\"next_page_token\":\"", previous[] = "\"prev_page_token\":\"";
    struct world world;

    world_set_up(&world, NULL);
    CU_ASSERT_EQUAL(world_ask(&world, GET, PROVIDERS "?page_size=2", NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    follow(&world, next);
    CU_ASSERT_PTR_NULL(strstr(world.body, "GOOGLE\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "SLACK"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "GITHUB"));
    follow(&world, next);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"next_page_token\":\"\""));
    follow(&world, previous);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "SLACK"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "GITHUB"));
    CU_ASSERT_PTR_NULL(strstr(world.body, "FRESHDESK"));
    world_tear_down(&world);
}

SUITE(emulator_provider, {"lists, makes, changes and deletes providers", test_known},
      {"keeps custom providers apart, and replaces their metadata", test_custom},
      {"refuses what is out of limits, naming the field", test_limits},
      {"cuts the list into pages, forward and back", test_pages})
