/* Connections as the service shows them, and what they mean to their accounts. */
#include "text.h"
#include "world.h"

#define CONNECTIONS "/api/v1/connections"

/* Asks with the id in place of each path's '$'. */
static void ask_of(struct world *world, const char *id, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *dollar = strchr(rows[i].path, '$');
        struct row row = rows[i];
        char path[300];

        if (dollar) {
            snprintf(path, sizeof path, "%.*s%s%s", (int)(dollar - rows[i].path), rows[i].path, id,
                     dollar + 1);
            row.path = path;
        }
        world_ask_rows(world, &row, 1);
    }
}
#define ASK_OF(world, id, rows) ask_of(world, id, rows, sizeof(rows) / sizeof *(rows))

/* Creates a connection and keeps its id. */
static void create(struct world *world, const char *query, const char *body, char id[40])
{
    char path[100];

    snprintf(path, sizeof path, CONNECTIONS "%s", query);
    CU_ASSERT_EQUAL(world_ask(world, POST, path, body), 201);
    world_find(world, id, 40, "\"id\":\"", '"');
    CU_ASSERT_EQUAL(strncmp(id, "conn_", 5), 0);
}

/* --- a life ------------------------------------------------------------------------------------- */

static const struct row life_rows[] = {
    {GET, CONNECTIONS "/$", NULL, 200,
     "\"provider\":\"CUSTOM\",\"type\":\"OAUTH\",\"status\":\"DRAFT\",\"enabled\":false", NULL},
    {GET, CONNECTIONS "/$", NULL, 200,
     "\"provider_key\":\"GMAIL\",\"key_id\":\"mail\",\"domains\":[]", "configuration_type"},
    {PATCH, CONNECTIONS "/$:enable", NULL, 200, "{\"enabled\":false,\"error_message\":\"", NULL},
    {PATCH, CONNECTIONS "/$",
     "{\"providerKey\":\"GMAIL\",\"ui_button_title\":\"Mail\",\"debug_enabled\":true,"
     "\"configuration_type\":\"MANUAL\",\"attribute_mapping\":{\"a\":\"b\"},\"oauth_config\":{"
     "\"client_id\":\"c1\",\"client_secret\":\"s-private\",\"scopes\":[\"mail\"],"
     "\"pkceEnabled\":true,\"unheard\":1,\"is_cimd\":true,\"googleads_developer_token\":\"s-"
     "private\",\"extensions\":{\"smart\":{\"aud\":\"x\"},\"extra_authorize_params\":{\"p\":\"q\"}}"
     "}}",
     200,
     "\"oauth_config\":{\"client_id\":\"c1\",\"scopes\":[\"mail\"],\"pkce_enabled\":true,"
     "\"extensions\":{\"smart\":{\"aud\":\"x\"},\"extra_authorize_params\":{\"p\":\"q\"}},"
     "\"redirect_uri\":\"http://127.0.0.1:",
     "private"},
    {GET, CONNECTIONS "/$", NULL, 200, "\"status\":\"COMPLETED\",\"enabled\":false", "s-private"},
    {GET, CONNECTIONS "/$", NULL, 200,
     "\"debug_enabled\":true,\"configuration_type\":\"MANUAL\",\"attribute_mapping\":{\"a\":\"b\"}",
     NULL},
    {PATCH, CONNECTIONS "/$:enable", NULL, 200, "{\"enabled\":true}", NULL},
    {PATCH, CONNECTIONS "/$",
     "{\"provider\":\"GOOGLE\",\"provider_key\":\"GMAIL\",\"key_id\":\"post\",\"oauth_config\":{"
     "\"client_id\":\"c2\",\"redirect_uri\":\"https://a.example/cb\"}}",
     200,
     "\"scopes\":[\"mail\"],\"pkce_enabled\":true,\"extensions\":{\"smart\":{\"aud\":\"x\"},"
     "\"extra_authorize_params\":{\"p\":\"q\"}},\"client_id\":\"c2\",\"redirect_uri\":\"https://"
     "a.example/cb\"",
     NULL},
    {GET, CONNECTIONS "/$", NULL, 200,
     "\"provider\":\"GOOGLE\",\"type\":\"OAUTH\",\"status\":\"COMPLETED\",\"enabled\":true,"
     "\"ui_button_title\":\"Mail\",\"provider_key\":\"GMAIL\",\"key_id\":\"post\"",
     NULL},
    {PATCH, CONNECTIONS "/$:disable", NULL, 200, "{\"enabled\":false}", NULL},
    {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"GMAIL\",\"type\":\"SMART_FHIR\"}", 200,
     "\"oauth_config\":{\"scopes\":[\"mail\"]", NULL},
    {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"GMAIL\",\"type\":\"SAML\"}", 200,
     "\"type\":\"SAML\",\"status\":\"DRAFT\"", "oauth_config"},
    {PATCH, CONNECTIONS "/$",
     "{\"provider_key\":\"GMAIL\",\"saml_config\":{\"idp_entity_id\":\"e\",\"idp_certificate\":"
     "\"PEM\",\"saml_signing_option\":\"NO_SIGNING\"}}",
     200,
     "\"saml_config\":{\"idp_entity_id\":\"e\",\"idp_certificates\":[{\"certificate\":\"PEM\","
     "\"create_time\":\"",
     "\"idp_certificate\":"},
    {GET, CONNECTIONS "/$", NULL, 200, "\"sp_metadata_url\":\"http://127.0.0.1:", NULL},
    {DELETE, CONNECTIONS "/$", NULL, 200, "{}", NULL},
    {GET, CONNECTIONS "/$", NULL, 404, "connection not found", NULL},
    {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"GMAIL\"}", 404, "connection not found", NULL},
    {PATCH, CONNECTIONS "/$:enable", NULL, 404, "connection not found", NULL},
    {PATCH, CONNECTIONS "/$:disable", NULL, 404, "connection not found", NULL},
    {DELETE, CONNECTIONS "/$", NULL, 404, "connection not found", NULL},
};

static void test_life(void)
{
    struct world world;
    char id[40];

    world_set_up(&world, NULL);
    create(&world, "", "{\"provider_key\":\"GMAIL\",\"key_id\":\"mail\"}", id);
    ASK_OF(&world, id, life_rows);
    world_tear_down(&world);
}

/* --- names and kinds ---------------------------------------------------------------------------- */

static void test_names(void)
{
    static const struct row rows[] = {
        {POST, CONNECTIONS, "{\"provider_key\":\"SLACK\"}", 201, "\"key_id\":\"slack\"", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"SLACK\"}", 201, "\"key_id\":\"slack-2\"", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"SLACK\"}", 201, "\"key_id\":\"slack-3\"", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"SLACK\",\"key_id\":\"slack\"}", 409,
         "{\"code\":6,", NULL},
        {POST, CONNECTIONS, "{\"provider\":\"OKTA\",\"type\":\"OIDC\"}", 201,
         "\"provider\":\"OKTA\",\"type\":\"OIDC\",\"status\":\"DRAFT\"", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"OKTA\",\"type\":\"API_KEY\"}", 201,
         "\"provider\":\"OKTA\",\"type\":\"API_KEY\",\"status\":\"COMPLETED\"", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"My Caf\\u00e9\"}", 201, "\"key_id\":\"my-caf--\"",
         NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"X\",\"type\":\"NO_AUTH\"}", 201,
         "\"provider\":\"CUSTOM\",\"type\":\"NO_AUTH\",\"status\":\"COMPLETED\"", "_config"},
        {POST, CONNECTIONS,
         "{\"provider_key\":\"X\",\"type\":\"WEBAUTHN\",\"key_id\":\"WEBAUTHN\"}", 201,
         "\"webauthn_config\":{}", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"X\",\"type\":\"GOOGLE_DWD\"}", 201,
         "\"google_dwd_config\":{}", NULL},
        {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"MAIL\",\"key_id\":\"slack\"}", 409,
         "{\"code\":6,", NULL},
        {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"MAIL\",\"key_id\":\"mail\"}", 200,
         "\"key_id\":\"mail\"", NULL},
    };
    struct world world;
    char id[40];

    world_set_up(&world, NULL);
    create(&world, "", "{\"provider_key\":\"MAIL\"}", id);
    ASK_OF(&world, id, rows);
    world_tear_down(&world);
}

/* --- refusals ----------------------------------------------------------------------------------- */

#define PATCH_ROW(body, expected)                                                                  \
    {                                                                                              \
        PATCH, CONNECTIONS "/$", "{\"provider_key\":\"X\"," body "}", 400, expected, NULL          \
    }

static const struct row refusal_rows[] = {
    {POST, CONNECTIONS, "{}", 400,
     "\"field\":\"provider_key\",\"description\":\"give a provider or a provider_key\"", NULL},
    {POST, CONNECTIONS, "{\"provider\":\"NOBODY\"}", 400, "invalid value for field provider", NULL},
    {POST, CONNECTIONS, "{\"provider\":\"OKTA\",\"type\":\"SMOKE\"}", 400,
     "invalid value for field type", NULL},
    {POST, CONNECTIONS, "{\"provider\":\"SCALEKIT\",\"provider_key\":\"OKTA\"}", 400,
     "\"constraint\":\"connection.provider_key\"", NULL},
    {POST, CONNECTIONS, "{\"provider_key\":\"X\",\"type\":\"WEBAUTHN\"}", 400,
     "\"constraint\":\"connection.key_id\"", NULL},
    {POST, CONNECTIONS "?flags.is_app=maybe", "{\"provider_key\":\"X\"}", 400,
     "invalid value for field flags.is_app", NULL},
    {PATCH, CONNECTIONS "/$", "{}", 400, "\"field\":\"provider_key\"", NULL},
    PATCH_ROW("\"debug_enabled\":\"yes\"", "invalid value for field debug_enabled"),
    PATCH_ROW("\"configuration_type\":\"MAGIC\"", "invalid value for field configuration_type"),
    PATCH_ROW("\"attribute_mapping\":[]", "invalid value for field attribute_mapping"),
    PATCH_ROW("\"attribute_mapping\":{\"a\":1}", "invalid value for field attribute_mapping"),
    PATCH_ROW("\"attribute_mapping\":{\"\":\"b\"}", "\"constraint\":\"map.keys\""),
    PATCH_ROW("\"attribute_mapping\":{\"a\":\"\"}", "\"constraint\":\"map.values\""),
    PATCH_ROW("\"oauth_config\":{},\"static_config\":{}", "invalid value for field static_config"),
    PATCH_ROW("\"saml_config\":{}", "\"constraint\":\"connection.settings\""),
    PATCH_ROW("\"oauth_config\":[]", "invalid value for field oauth_config"),
    PATCH_ROW("\"oauth_config\":{\"client_id\":1}", "invalid value for field client_id"),
    PATCH_ROW("\"oauth_config\":{\"scopes\":\"x\"}", "invalid value for field scopes"),
    PATCH_ROW("\"oauth_config\":{\"scopes\":[1]}", "invalid value for field scopes"),
    PATCH_ROW("\"oauth_config\":{\"use_platform_creds\":1}",
              "invalid value for field use_platform_creds"),
    PATCH_ROW("\"oauth_config\":{\"extensions\":{\"extra_authorize_params\":{\"a\":{}}}}",
              "invalid value for field extra_authorize_params"),
    PATCH_ROW("\"type\":\"PASSWORDLESS\",\"passwordless_config\":{\"frequency\":-1}",
              "invalid value for field frequency"),
    PATCH_ROW("\"type\":\"OIDC\",\"oidc_config\":{\"scopes\":[\"all\"]}",
              "\"field\":\"scopes\",\"description\":\"value must be in list\""),
    PATCH_ROW("\"type\":\"API_KEY\",\"static_config\":{\"static_config\":\"{}\"}",
              "invalid value for field static_config"),
    PATCH_ROW("\"type\":\"WEBAUTHN\",\"key_id\":\"WEBAUTHN\",\"webauthn_config\":{\"rp\":{\"ids\":["
              "\"a\"]}}",
              "\"field\":\"origins\",\"description\":\"value must contain at least 1 item(s)\""),
    PATCH_ROW("\"type\":\"WEBAUTHN\",\"key_id\":\"WEBAUTHN\",\"webauthn_config\":{\"rp\":{\"ids\":["
              "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"],\"origins\":["
              "\"a\"]}}",
              "\"field\":\"ids\",\"description\":\"value must contain no more than 10 item(s)\""),
    PATCH_ROW("\"type\":\"WEBAUTHN\",\"key_id\":\"WEBAUTHN\",\"webauthn_config\":{\"attestation\":{"
              "\"conveyance_preference\":\"some\"}}",
              "\"field\":\"conveyance_preference\""),
    PATCH_ROW("\"type\":\"WEBAUTHN\",\"key_id\":\"WEBAUTHN\",\"webauthn_config\":{\"timeout\":{"
              "\"login\":\"1801s\"}}",
              "\"field\":\"login\",\"description\":\"value must be from 120s to 1800s\""),
    PATCH_ROW("\"type\":\"WEBAUTHN\",\"key_id\":\"WEBAUTHN\",\"webauthn_config\":{\"timeout\":{"
              "\"login\":300}}",
              "invalid value for field login"),
    {GET, CONNECTIONS "/conn_012345678901234567890123456", NULL, 404, "connection not found", NULL},
    {GET, CONNECTIONS "/conn_0123456789012345678901234567", NULL, 400,
     "\"field\":\"connection_id\"", NULL},
    {GET, CONNECTIONS "/$/test-requests/tst_1", NULL, 400, "\"constraint\":\"string.prefix\"",
     NULL},
    {GET, CONNECTIONS "/$/test-requests/", NULL, 404, "Not Found", NULL},
    {GET, CONNECTIONS "/$/tests/test_1", NULL, 404, "Not Found", NULL},
    {GET, CONNECTIONS "/conn_1/test-requests/test_1", NULL, 404, "connection not found", NULL},
    {GET, CONNECTIONS "/app?page_size=31", NULL, 400, "\"field\":\"page_size\"", NULL},
    {GET, CONNECTIONS "/app?query=ab", NULL, 400, "\"field\":\"query\"", NULL},
    {GET, CONNECTIONS "/app?page_token=nonsense", NULL, 400, "page_token", NULL},
    /* None of them has changed anything. */
    {GET, CONNECTIONS "/$", NULL, 200, "\"type\":\"OAUTH\",\"status\":\"DRAFT\"", NULL},
};

static void test_refusals(void)
{
    struct world world;
    char id[40];

    world_set_up(&world, NULL);
    create(&world, "", "{\"provider_key\":\"X\"}", id);
    ASK_OF(&world, id, refusal_rows);
    world_tear_down(&world);
}

/* --- what it means to accounts ------------------------------------------------------------------ */

#define ACCOUNT(connection, who)                                                                   \
    "{\"connector\":\"" connection "\",\"identifier\":\"" who "\",\"connected_account\":{}}"

static void connection_of(struct world *world, const char *identifier, char id[40])
{
    char path[200];

    snprintf(path, sizeof path, ACCOUNTS "/details?connector=gmail&identifier=%s", identifier);
    CU_ASSERT_EQUAL(world_ask(world, GET, path, NULL), 200);
    world_find(world, id, 40, "\"connection_id\":\"", '"');
}

static void test_accounts(void)
{
    static const struct row rows[] = {
        {GET, CONNECTIONS "/$", NULL, 200, "\"status\":\"COMPLETED\",\"enabled\":true", NULL},
        {PATCH, CONNECTIONS "/$:disable", NULL, 200, "", NULL},
        {POST, ACCOUNTS "/magic_link", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 400,
         "the connection is disabled", NULL},
        {POST, ACCOUNTS, ACCOUNT("gmail", "bob"), 400, "FAILED_PRECONDITION", NULL},
        {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 200, "\"ACTIVE\"", NULL},
        {PATCH, CONNECTIONS "/$:enable", NULL, 200, "{\"enabled\":true}", NULL},
        {POST, ACCOUNTS "/magic_link", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 200,
         "magicLink", NULL},
        {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"GMAIL\",\"key_id\":\"post\"}", 200, "",
         NULL},
        {GET, ACCOUNTS "/details?connector=post&identifier=ann", NULL, 200,
         "\"connector\":\"post\"", NULL},
        {GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 404, "", NULL},
        {GET, ACCOUNTS "?connector=post", NULL, 200, "\"total_size\":1", NULL},
        {DELETE, CONNECTIONS "/$", NULL, 200, "{}", NULL},
        {GET, ACCOUNTS, NULL, 200, "\"total_size\":0", NULL},
        {POST, ACCOUNTS "/magic_link", "{\"connector\":\"post\",\"identifier\":\"ann\"}", 404, "",
         NULL},
        {POST, ACCOUNTS, ACCOUNT("post", "ann"), 404, "connection not found", NULL},
        {POST, CONNECTIONS, "{\"provider_key\":\"GMAIL\",\"key_id\":\"post\",\"type\":\"NO_AUTH\"}",
         201, "", NULL},
        {POST, ACCOUNTS, ACCOUNT("post", "ann"), 400, "the connection is disabled", NULL},
    };
    struct scalekit_emulator_stats stats;
    struct world world;
    char id[40], path[100];

    world_set_up(&world, NULL);
    CU_ASSERT(scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE"));
    connection_of(&world, "ann", id);
    ASK_OF(&world, id, rows);
    create(&world, "", "{\"provider_key\":\"GMAIL\",\"key_id\":\"open\",\"type\":\"NO_AUTH\"}", id);
    snprintf(path, sizeof path, CONNECTIONS "/%s:enable", id);
    CU_ASSERT_EQUAL(world_ask(&world, PATCH, path, NULL), 200);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS, ACCOUNT("open", "ann")), 201);
    scalekit_emulator_stats(world.emulator, &stats);
    CU_ASSERT_EQUAL(stats.accounts, 1);
    CU_ASSERT_EQUAL(stats.active, 0);
    world_tear_down(&world);
}

/* Open links and pending scripts go with the accounts. */
static void test_many_accounts(void)
{
    struct world world;
    char id[40], name[16], path[100];

    world_set_up(&world, NULL);
    scalekit_emulator_script_consent(world.emulator, SCALEKIT_CONSENT_APPROVE, 60000);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "u%d", i);
        CU_ASSERT(scalekit_emulator_set_status(world.emulator, i % 3 ? "gmail" : "slack", name,
                                               "ACTIVE"));
    }
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS "/magic_link",
                              "{\"connector\":\"gmail\",\"identifier\":\"u1\"}"),
                    200);
    connection_of(&world, "u1", id);
    snprintf(path, sizeof path, CONNECTIONS "/%s", id);
    CU_ASSERT_EQUAL(world_ask(&world, DELETE, path, NULL), 200);
    CU_ASSERT_EQUAL(world_ask(&world, GET, ACCOUNTS, NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":100"));
    CU_ASSERT_EQUAL(world.emulator->store.people.n, 100);
    CU_ASSERT_EQUAL(world.emulator->store.all.live, 100);
    world_tear_down(&world);
}

/* What is deleted is remembered by its name, but not for ever. */
static void test_many_deleted(void)
{
    struct world world;
    char id[40], path[100], body[100];

    world_set_up(&world, NULL);
    for (int i = 0; i <= 1000; i++) {
        snprintf(body, sizeof body, "{\"provider_key\":\"X\",\"key_id\":\"gone-%d\"}", i);
        create(&world, "", body, id);
        snprintf(path, sizeof path, CONNECTIONS "/%s", id);
        CU_ASSERT_EQUAL(world_ask(&world, DELETE, path, NULL), 200);
    }
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS, ACCOUNT("gone-1", "ann")), 404);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS, ACCOUNT("gone-1000", "ann")), 404);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS, ACCOUNT("gone-0", "ann")), 201);
    world_tear_down(&world);
}

/* --- by id -------------------------------------------------------------------------------------- */

static void test_by_id(void)
{
    static const struct row rows[] = {
        {GET, ACCOUNTS "/$", NULL, 200, "\"access_token\":\"ya29.emu_", NULL},
        {POST, ACCOUNTS "/$:disconnect", "{}", 200, "{\"connected_account\":{\"id\":\"ca_",
         "authorization_details"},
        {GET, ACCOUNTS "/$", NULL, 200,
         "\"status\":\"DISCONNECTED\",\"authorization_type\":\"OAUTH\",\"authorization_details\":{"
         "\"oauth_token\":{\"access_token\":\"\",\"refresh_token\":\"\",\"scopes\":[]",
         "token_expires_at"},
        {POST, ACCOUNTS "/$:disconnect", "{}", 200, "\"status\":\"DISCONNECTED\"", NULL},
        {POST, ACCOUNTS "/magic_link", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}", 200, "",
         NULL},
        {GET, ACCOUNTS "/this?id=$", NULL, 200, "\"id\":\"ca_", NULL},
        {GET, ACCOUNTS "/this", NULL, 400, "\"field\":\"id\"", NULL},
        {GET, ACCOUNTS "/this?id=ca_1", NULL, 404, "connected account not found", NULL},
        {POST, ACCOUNTS "/-:disconnect", "{\"id\":\"ca_1\"}", 404, "connected account not found",
         NULL},
        {POST, ACCOUNTS "/this:disconnect", "{}", 400, "\"field\":\"id\"", NULL},
        {GET, ACCOUNTS "/ca_1", NULL, 404, "connected account not found", NULL},
        {POST, ACCOUNTS "/ca_1:disconnect", "{}", 404, "connected account not found", NULL},
        {GET, ACCOUNTS "/ca_012345678901234567890123456789", NULL, 400, "\"field\":\"id\"", NULL},
    };
    struct world world;
    const struct emu_account *account;
    struct scalekit_emulator_stats stats;
    char body[60];

    world_set_up(&world, NULL);
    CU_ASSERT(scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE"));
    account = world_account(&world, "ann");
    ASK_OF(&world, account->id, rows);
    CU_ASSERT_PTR_NULL(account->access_token);
    CU_ASSERT_PTR_NULL(account->refresh_token);
    scalekit_emulator_stats(world.emulator, &stats);
    CU_ASSERT_EQUAL(stats.lookups, 7);
    CU_ASSERT_EQUAL(stats.accounts, 1);
    CU_ASSERT_EQUAL(stats.active, 0);
    CU_ASSERT(scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE"));
    world_ask(&world, GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"access_token\":\"ya29.emu_"));
    snprintf(body, sizeof body, "{\"id\":\"%s\"}", account->id);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS "/-:disconnect", body), 200);
    CU_ASSERT_STRING_EQUAL(account->status, "DISCONNECTED");
    world_tear_down(&world);
}

/* --- tests -------------------------------------------------------------------------------------- */

static void test_tests(void)
{
    static const struct row draft[] = {
        {GET, CONNECTIONS "/$/test-requests/test_1", NULL, 200, "{\"status\":\"PENDING\"}", NULL},
        {GET, CONNECTIONS "/$/test-requests/test_2", NULL, 200, "{\"status\":\"PENDING\"}", NULL},
        {GET, CONNECTIONS "/$/test-requests/test_1", NULL, 200,
         "{\"status\":\"FAILURE\",\"error\":\"invalid_client\",\"error_description\":\"", NULL},
        {PATCH, CONNECTIONS "/$", "{\"provider_key\":\"X\",\"oauth_config\":{}}", 200, "", NULL},
        {GET, CONNECTIONS "/$/test-requests/test_2", NULL, 200,
         "{\"status\":\"SUCCESS\",\"user_info\":\"", "error"},
        {GET, CONNECTIONS "/$/test-requests/test%5F2", NULL, 200, "SUCCESS", NULL},
    };
    struct world world;
    char id[40], path[100];

    world_set_up(&world, NULL);
    create(&world, "", "{\"provider_key\":\"X\"}", id);
    ASK_OF(&world, id, draft);
    for (int i = 0; i < 40; i++) { /* so many are not remembered */
        snprintf(path, sizeof path, CONNECTIONS "/%s/test-requests/test_%d", id, 10 + i);
        CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
        CU_ASSERT_STRING_EQUAL(world.body, "{\"status\":\"PENDING\"}");
    }
    ask_of(&world, id, &draft[1], 1); /* so this one is new again */
    world_tear_down(&world);
}

/* --- lists -------------------------------------------------------------------------------------- */

static void test_list(void)
{
    static const struct row rows[] = {
        {GET, CONNECTIONS "/app?page_size=30", NULL, 200, "\"total_size\":14", "\"key_id\":\"sso"},
        {GET, CONNECTIONS "/app", NULL, 200, "{\"connections\":[{\"id\":\"conn_",
         "attribute_mapping"},
        {GET, CONNECTIONS "/app?provider=GMAIL", NULL, 200, "\"total_size\":1", "slack"},
        {GET, CONNECTIONS "/app?provider=CUSTOM", NULL, 200, "\"total_size\":13", "okta"},
        {GET, CONNECTIONS "/app?query=LACK-1", NULL, 200, "\"total_size\":3", "okta"},
        {GET, CONNECTIONS "/app?query=nothing", NULL, 200, "{\"connections\":[],\"total_size\":0",
         NULL},
    };
    struct world world;
    char id[40], token[100], path[200];

    world_set_up(&world, NULL);
    CU_ASSERT(scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE"));
    create(&world, "?flags.is_login=true", "{\"provider\":\"OKTA\",\"key_id\":\"sso-1\"}", id);
    create(&world, "?flags.is_login=true&flags.is_app=true",
           "{\"provider\":\"OKTA\",\"key_id\":\"okta\"}", id);
    for (int i = 0; i < 12; i++)
        create(&world, "?flags.isApp=true", "{\"provider_key\":\"SLACK\"}", id);
    create(&world, "", "{\"provider_key\":\"GONE\"}", id);
    snprintf(path, sizeof path, CONNECTIONS "/%s", id);
    CU_ASSERT_EQUAL(world_ask(&world, DELETE, path, NULL), 200);
    ASK(&world, rows);

    CU_ASSERT_EQUAL(world_ask(&world, GET, CONNECTIONS "/app?page_size=10", NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 10);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    world_find(&world, token, sizeof token, "\"next_page_token\":\"", '"');
    CU_ASSERT(*token);
    snprintf(path, sizeof path, CONNECTIONS "/app?page_size=10&page_token=%.*s%s",
             (int)strcspn(token, "="), token,
             strstr(token, "==")  ? "%3D%3D"
             : strchr(token, '=') ? "%3D"
                                  : "");
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"id\":"), 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"next_page_token\":\"\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"key_id\":\"slack-12\""));
    CU_ASSERT_PTR_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    world_tear_down(&world);
}

SUITE(emulator_connection, {"creates, configures, switches and deletes connections", test_life},
      {"gives a connection a name and a kind", test_names},
      {"holds every field of a connection to its description", test_refusals},
      {"lets a connection decide about its accounts", test_accounts},
      {"deletes a connection with all of its accounts", test_many_accounts},
      {"remembers the names of the last thousand that were deleted", test_many_deleted},
      {"shows and disconnects an account by its id", test_by_id},
      {"says how a test of a connection went", test_tests},
      {"lists the connections of agents", test_list})
