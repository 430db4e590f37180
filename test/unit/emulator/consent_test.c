/* Links, their pages, and the scripts that stand in for users. */
#include "text.h"
#include "world.h"

/* --- consent ------------------------------------------------------------------------------------ */

/* Makes the account, unless it is there, and a link for it; gives the link's path. */
static void make_link(struct world *world, const char *identifier, const char *more, char path[64])
{
    char body[1000], token[40];

    snprintf(body, sizeof body,
             "{\"connector\":\"gmail\",\"identifier\":\"%s\",\"connected_account\":{}}",
             identifier);
    world_ask(world, POST, ACCOUNTS, body);
    snprintf(body, sizeof body, "{\"connector\":\"gmail\",\"identifier\":\"%s\"%s}", identifier,
             more);
    CU_ASSERT_EQUAL(world_ask(world, POST, ACCOUNTS "/magic_link", body), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world->body, "\"expiry\":\"20"));
    world_find(world, token, sizeof token, "/magicLink/", '"');
    snprintf(path, 64, "/magicLink/%s", token);
}

/* Opens the page and presses a button of it. */
static int press(struct world *world, const char *path, const char *action)
{
    char token[40], form[100];

    CU_ASSERT_EQUAL(world_ask(world, GET, path, NULL), 200);
    world_find(world, token, sizeof token, "name=\"form_token\" value=\"", '"');
    snprintf(form, sizeof form, "form_token=%s&action=%s", token, action);
    return world_ask(world, POST, path, form);
}

static void test_consent_page(void)
{
    static const struct scalekit_emulator_config outlived = {.link_life_s = -1};
    struct world world;
    char path[64];

    world_set_up(&world, NULL);
    make_link(&world, "<b>&'ann", "", path);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "Allow access to Gmail?"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "Read your email messages"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "&#60;b&#62;&#38;&#39;ann"));
    CU_ASSERT_PTR_NULL(strstr(world.body, "<b>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.content_policy, "default-src 'none'; style-src 'sha256-"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.content_policy, "frame-ancestors 'none'"));

    CU_ASSERT_EQUAL(world_ask(&world, POST, path, "action=approve"), 403);
    CU_ASSERT_EQUAL(world_ask(&world, POST, path, "form_token=x&action=approve"), 403);
    CU_ASSERT_EQUAL(world_ask(&world, POST, path, "form_token=%"), 400);
    CU_ASSERT_EQUAL(press(&world, path, "neither"), 400);
    CU_ASSERT_STRING_EQUAL(world_account(&world, "<b>&'ann")->status, "PENDING_AUTH");

    CU_ASSERT_EQUAL(press(&world, path, "approve"), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "Access granted"));
    CU_ASSERT_STRING_EQUAL(world_account(&world, "<b>&'ann")->status, "ACTIVE");
    CU_ASSERT(world_account(&world, "<b>&'ann")->token_expires_us > emu_now_us());
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 410);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "has been used"));
    CU_ASSERT_EQUAL(world_ask(&world, POST, path, "action=approve"), 410);

    make_link(&world, "bob", "", path);
    CU_ASSERT_EQUAL(press(&world, path, "deny"), 200);
    CU_ASSERT_STRING_EQUAL(world_account(&world, "bob")->status, "PENDING_AUTH");
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 410);

    make_link(&world, "eve", "", path);
    world_ask(&world, POST, ACCOUNTS ":delete", "{\"connector\":\"gmail\",\"identifier\":\"eve\"}");
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 404); /* a link goes with its account */
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/magicLink/unknown", NULL), 404);
    CU_ASSERT_EQUAL(world_ask(&world, GET, "/connect/success", NULL), 200);
    world_tear_down(&world);

    world_set_up(&world, &outlived);
    make_link(&world, "ann", "", path);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 410);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "has expired"));
    world_tear_down(&world);
}

static void test_page_names_the_connection(void)
{
    static const struct {
        const char *connection, *heading;
    } rows[] = {
        {"gmail", "<h1>Allow access to Gmail?</h1>"},
        {"notion-tcZdBLNn", "<h1>Allow access to Notion?</h1>"},
        {"slack", "<h1>Allow access to Slack?</h1>"},
        {"zendesk", "<h1>Allow access to zendesk?</h1>"},
        {"my-notion:workspace_1", "<h1>Allow access to my-notion:workspace_1?</h1>"},
    };
    struct world world;
    char path[64], body[200];

    world_set_up(&world, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(body, sizeof body,
                 "{\"connector\":\"%s\",\"identifier\":\"ann\",\"connected_account\":{}}",
                 rows[i].connection);
        world_ask(&world, POST, ACCOUNTS, body);
        snprintf(body, sizeof body, "{\"connector\":\"%s\",\"identifier\":\"ann\"}",
                 rows[i].connection);
        world_ask(&world, POST, ACCOUNTS "/magic_link", body);
        world_find(&world, path, sizeof path, world.host, '"');
        CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
        CU_ASSERT_PTR_NOT_NULL(strstr(world.body, rows[i].heading));
    }
    world_tear_down(&world);
}

static void test_verification(void)
{
    static const struct scalekit_emulator_config verifying = {.verify_users = true};
    static const char more[] = ",\"state\":\"a b&c\",\"user_verify_url\":"
                               "\"https://app.example.com:8443/verify me?x=1\"";
    static const char location[] = "https://app.example.com:8443/verify%20me?x=1&auth_request_id=";
    struct world world;
    char path[64], wrong[200], right[200], id[64];

    world_set_up(&world, &verifying);
    make_link(&world, "ann", more, path);
    CU_ASSERT_EQUAL(press(&world, path, "approve"), 302);
    CU_ASSERT_EQUAL(strncmp(world.location, location, sizeof location - 1), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.location, "&state=a%20b%26c"));
    CU_ASSERT_STRING_EQUAL(world_account(&world, "ann")->status, "PENDING_VERIFICATION");

    snprintf(id, sizeof id, "%.44s", world.location + sizeof location - 1);
    snprintf(wrong, sizeof wrong, "{\"auth_request_id\":\"%s\",\"identifier\":\"bob\"}", id);
    snprintf(right, sizeof right, "{\"auth_request_id\":\"%s\",\"identifier\":\"ann\"}", id);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS "/user/verify", wrong), 403);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"code\":7"));
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS "/user/verify", right), 200);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(world.body, "\"post_user_verify_redirect_url\":\"http://127.0.0.1:"));
    CU_ASSERT_STRING_EQUAL(world_account(&world, "ann")->status, "ACTIVE");
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS "/user/verify", right), 404);

    make_link(&world, "bob", more, path);
    world_ask(&world, GET, path, NULL);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(world.content_policy, "form-action 'self' https://app.example.com:8443;"));
    make_link(&world, "bob", ",\"user_verify_url\":\"https://app.example.com/\"", path);
    CU_ASSERT_EQUAL(press(&world, path, "approve"), 302);
    CU_ASSERT_PTR_NULL(strstr(world.location, "state="));
    world_tear_down(&world);
}

#define VERIFY     ACCOUNTS "/user/verify"
#define VERIFY_URL ",\"user_verify_url\":\"http://127.0.0.1:1/verify\""

/* Ann's approval, which leads to the application; gives the id that it is told. */
static void approve_to_verify(struct world *world, char id[64])
{
    char path[64];

    make_link(world, "ann", VERIFY_URL, path);
    CU_ASSERT_EQUAL(press(world, path, "approve"), 302);
    CU_ASSERT_EQUAL(sscanf(world->location, "http://127.0.0.1:1/verify?auth_request_id=%63s", id),
                    1);
}

static void test_wrong_verification(void)
{
    static const struct scalekit_emulator_config verifying = {.verify_users = true};
    static const struct {
        const char *id, *identifier; /* id NULL: the one of the link */
        int status;
        const char *expected;
    } rows[] = {
        {NULL, "bob", 403, "PERMISSION_DENIED"},
        {NULL, "Ann", 403, "PERMISSION_DENIED"},
        {NULL, "", 400, "\"field\":\"identifier\""},
        {"", "ann", 400, "\"field\":\"auth_request_id\""},
        {"unknown", "ann", 404, "NOT_FOUND"},
        {NULL, "ann", 200, "/connect/success"},
        {NULL, "ann", 404, "NOT_FOUND"},
        {NULL, "bob", 404, "NOT_FOUND"},
    };
    struct world world;
    struct emu_link *link;
    char id[64] = "", body[200];

    world_set_up(&world, &verifying);
    approve_to_verify(&world, id);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool over = i >= 5;

        snprintf(body, sizeof body, "{\"auth_request_id\":\"%s\",\"identifier\":\"%s\"}",
                 rows[i].id ? rows[i].id : id, rows[i].identifier);
        CU_ASSERT_EQUAL(world_ask(&world, POST, VERIFY, body), rows[i].status);
        CU_ASSERT_PTR_NOT_NULL(strstr(world.body, rows[i].expected));
        CU_ASSERT_STRING_EQUAL(world_account(&world, "ann")->status,
                               over ? "ACTIVE" : "PENDING_VERIFICATION");
    }

    approve_to_verify(&world, id); /* once more, and too late */
    TAILQ_FOREACH(link, &world_account(&world, "ann")->links, of_account)
    link->expires_us = 1;
    snprintf(body, sizeof body, "{\"auth_request_id\":\"%s\",\"identifier\":\"ann\"}", id);
    CU_ASSERT_EQUAL(world_ask(&world, POST, VERIFY, body), 404);
    CU_ASSERT_STRING_EQUAL(world_account(&world, "ann")->status, "PENDING_VERIFICATION");
    world_tear_down(&world);
}

static void test_nowhere_to_verify(void)
{
    static const struct scalekit_emulator_config verifying = {.verify_users = true};
    struct world world;
    char path[64];

    world_set_up(&world, &verifying);
    make_link(&world, "bob", "", path);
    world_ask(&world, GET, path, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.content_policy, "form-action 'self';"));
    CU_ASSERT_EQUAL(press(&world, path, "approve"), 400);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "failed_to_exchange: user_verify_url"));
    CU_ASSERT_STRING_EQUAL(world_account(&world, "bob")->status, "PENDING_AUTH");
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 410);
    world_tear_down(&world);
}

/* Who brings a key of their own is not sent anywhere. */
static void test_static_is_not_verified(void)
{
    static const struct scalekit_emulator_config verifying = {.verify_users = true};
    static const char account[] =
        "{\"connector\":\"gmail\",\"identifier\":\"kim\",\"connected_account\":{"
        "\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":\"k\"}}}}}";
    struct world world;
    char path[64];

    world_set_up(&world, &verifying);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS, account), 201);
    scalekit_emulator_set_status(world.emulator, "gmail", "kim", "EXPIRED");
    make_link(&world, "kim", VERIFY_URL, path);
    CU_ASSERT_EQUAL(press(&world, path, "approve"), 200);
    CU_ASSERT_STRING_EQUAL(world_account(&world, "kim")->status, "ACTIVE");
    world_tear_down(&world);
}

static void test_scripts(void)
{
    struct world world;
    char path[64];

    world_set_up(&world, NULL);
    scalekit_emulator_script_consent(world.emulator, SCALEKIT_CONSENT_APPROVE, 0);
    make_link(&world, "ann", "", path);
    world_wait_for_status(&world, "ann", "ACTIVE");
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 410);

    scalekit_emulator_script_consent(world.emulator, SCALEKIT_CONSENT_EXPIRE, 10);
    make_link(&world, "ann", "", path);
    world_wait_for_status(&world, "ann", "EXPIRED");

    CU_ASSERT(scalekit_emulator_script_account(world.emulator, "gmail", "ann",
                                               SCALEKIT_CONSENT_REVOKE, 0));
    make_link(&world, "ann", "", path);
    make_link(&world, "bob", "", path);
    world_wait_for_status(&world, "ann", "REVOKED");
    world_wait_for_status(&world, "bob", "EXPIRED");
    world_tear_down(&world);
}

static void test_scripts_over_http(void)
{
    static const struct row rows[] = {
        {POST, "/_emulator/consent", "{\"consent\":\"maybe\"}", 400, "\"field\":\"consent\"", NULL},
        {POST, "/_emulator/consent", "{}", 400, "\"field\":\"consent\"", NULL},
        {POST, "/_emulator/consent", "{\"consent\":\"deny\",\"connector\":\"gmail\"}", 400,
         "or neither", NULL},
        {POST, "/_emulator/consent", "{\"consent\":\"deny\",\"after_ms\":1.5}", 400, "after_ms",
         NULL},
        {POST, "/_emulator/consent", "{\"consent\":\"deny\",\"after_ms\":86400001}", 400, "a day",
         NULL},
        {POST, "/_emulator/consent", "{\"consent\":\"revoke\",\"after_ms\":50}", 200, "{}", NULL},
        {POST, "/_emulator/consent",
         "{\"connector\":\"gmail\",\"identifier\":\"kim\",\"consent\":\"manual\"}", 200, "{}",
         NULL},
    };
    struct world world;
    char kims[64], anns[64];

    world_set_up(&world, NULL);
    ASK(&world, rows);
    make_link(&world, "kim", "", kims);
    make_link(&world, "ann", "", anns);
    world_wait_for_status(&world, "ann", "REVOKED");
    CU_ASSERT_EQUAL(world_ask(&world, GET, kims, NULL), 200); /* still open */

    /* A script for an account also moves the links that it already has. */
    CU_ASSERT_EQUAL(
        world_ask(&world, POST, "/_emulator/consent",
                  "{\"connector\":\"gmail\",\"identifier\":\"kim\",\"consent\":\"deny\"}"),
        200);
    while (world_ask(&world, GET, kims, NULL) == 200)
        ;
    CU_ASSERT_EQUAL(world.status, 410);
    CU_ASSERT_STRING_EQUAL(world_account(&world, "kim")->status, "PENDING_AUTH");

    /* ... and can be taken back before it happens. */
    scalekit_emulator_script_account(world.emulator, "gmail", "kim", SCALEKIT_CONSENT_APPROVE,
                                     60000);
    make_link(&world, "kim", "", kims);
    scalekit_emulator_script_account(world.emulator, "gmail", "kim", SCALEKIT_CONSENT_MANUAL, 0);
    CU_ASSERT_EQUAL(press(&world, kims, "approve"), 200);
    world_tear_down(&world);
}

static void test_consent_words(void)
{
    CU_ASSERT_EQUAL(scalekit_consent_parse("manual"), SCALEKIT_CONSENT_MANUAL);
    CU_ASSERT_EQUAL(scalekit_consent_parse("approve"), SCALEKIT_CONSENT_APPROVE);
    CU_ASSERT_EQUAL(scalekit_consent_parse("deny"), SCALEKIT_CONSENT_DENY);
    CU_ASSERT_EQUAL(scalekit_consent_parse("expire"), SCALEKIT_CONSENT_EXPIRE);
    CU_ASSERT_EQUAL(scalekit_consent_parse("revoke"), SCALEKIT_CONSENT_REVOKE);
    CU_ASSERT_EQUAL(scalekit_consent_parse("Approve"), -1);
    CU_ASSERT_EQUAL(scalekit_consent_parse(""), -1);
}

SUITE(emulator_consent,
      {"asks for consent once, escapes everything, and tells what went wrong", test_consent_page},
      {"names providers it knows, and other connections in full", test_page_names_the_connection},
      {"sends the user to be verified, and verifies the right one once", test_verification},
      {"refuses the wrong user and the wrong request, and changes nothing",
       test_wrong_verification},
      {"fails when there is nowhere to be verified", test_nowhere_to_verify},
      {"verifies OAuth's users only", test_static_is_not_verified},
      {"plays scripts, an account's before the general one", test_scripts},
      {"takes scripts over HTTP", test_scripts_over_http},
      {"knows the words for consents", test_consent_words})
