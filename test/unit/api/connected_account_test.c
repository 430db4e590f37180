/* Every operation on connected accounts, as it goes out and as its answer comes in. */
#include "api/connected_account.h"
#include "wire.h"

#define PATH      "/api/v1/connected_accounts"
#define USER      .connection_name = "gmail", .identifier = "user_1"
#define USER_JSON "\"connector\":\"gmail\",\"identifier\":\"user_1\""
#define WITHIN    .organization_id = "org_1", .user_id = "usr_1"

/* Defines a function that starts an operation with these params. */
#define STARTS(name, operation, type, callback, ...)                                               \
    static struct call *name(struct fixture *f)                                                    \
    {                                                                                              \
        struct call *call = call_new(f);                                                           \
                                                                                                   \
        return call_began(                                                                         \
            call, operation(f->client, SCALEKIT_PARAMS(type, __VA_ARGS__), callback, call));       \
    }
#define AUTHORIZES(name, ...)                                                                      \
    STARTS(name, scalekit_get_connected_account, scalekit_account_key, call_on_account, __VA_ARGS__)
#define LOOKS(name, ...)                                                                           \
    STARTS(name, scalekit_get_connected_account_details, scalekit_account_key, call_on_account,    \
           __VA_ARGS__)
#define DELETES(name, ...)                                                                         \
    STARTS(name, scalekit_delete_connected_account, scalekit_account_key, call_on_done, __VA_ARGS__)
#define CREATES(name, ...)                                                                         \
    STARTS(name, scalekit_create_connected_account, scalekit_create_connected_account_params,      \
           call_on_account, __VA_ARGS__)
#define UPDATES(name, ...)                                                                         \
    STARTS(name, scalekit_update_connected_account, scalekit_update_connected_account_params,      \
           call_on_account, __VA_ARGS__)
#define LISTS(name, ...)                                                                           \
    STARTS(name, scalekit_list_connected_accounts, scalekit_list_connected_accounts_params,        \
           call_on_page, __VA_ARGS__)
#define SEARCHES(name, ...)                                                                        \
    STARTS(name, scalekit_search_connected_accounts, scalekit_search_connected_accounts_params,    \
           call_on_page, __VA_ARGS__)
#define VERIFIES(name, ...)                                                                        \
    STARTS(name, scalekit_verify_connected_account_user,                                           \
           scalekit_verify_connected_account_user_params, call_on_verification, __VA_ARGS__)

/* --- the four kinds of authorization, with what only the service may say ----------------------- */

static const char *const scopes[] = {"mail.read", "mail.send"};

static const struct scalekit_oauth_token oauth = {.struct_size = sizeof oauth,
                                                  .access_token = "at-private",
                                                  .refresh_token = "rt-private",
                                                  .scopes = scopes,
                                                  .n_scopes = COUNT(scopes),
                                                  .domain = "acme.example"};
static const struct scalekit_static_auth key = {.struct_size = sizeof key,
                                                .details = "{\"api_key\":\"k-private\"}"};
static const struct scalekit_google_dwd dwd = {.struct_size = sizeof dwd,
                                               .subject = "u@acme.example",
                                               .access_token = "at-private",
                                               .scopes = scopes,
                                               .n_scopes = COUNT(scopes),
                                               .token_expires_at = 1};
static const struct scalekit_trusted_idp idp = {.struct_size = sizeof idp,
                                                .db_user = "db_1",
                                                .access_key_id = "ak-private",
                                                .secret_access_key = "sk-private",
                                                .session_token = "st-private",
                                                .expiry = 1};

#define DETAILS_OF(kind, value)                                                                    \
    .authorization_details = SCALEKIT_PARAMS(scalekit_authorization_details, .kind = &(value))

/* --- requests ---------------------------------------------------------------------------------- */

AUTHORIZES(auth_by_user, USER)
AUTHORIZES(auth_by_id, .connected_account_id = "ca_1")
LOOKS(look_by_user, USER)
LOOKS(look_within, USER, WITHIN)
LOOKS(look_escaped, .connection_name = "my mail:a_b-c", .identifier = "a&b=c/\xc3\xa9?#%+")
DELETES(delete_by_user, USER, WITHIN)
DELETES(delete_by_id, .connected_account_id = "ca_1")
CREATES(create_plain, USER)
CREATES(create_oauth, USER, WITHIN, DETAILS_OF(oauth_token, oauth),
        .api_config = "{\"a\":{\"b\":[]}}")
CREATES(create_key, USER, DETAILS_OF(static_auth, key))
CREATES(create_dwd, USER, DETAILS_OF(google_dwd, dwd))
CREATES(create_idp, USER, DETAILS_OF(trusted_idp, idp))
UPDATES(update_by_id, .connected_account_id = "ca_1", .api_config = "{\"a\":1}")
UPDATES(update_by_user, USER, WITHIN, DETAILS_OF(static_auth, key))
UPDATES(update_nothing, USER)
LISTS(list_default, .page_size = 0)
LISTS(list_by_all, .connection_name = "gmail", .identifier = "user_1", .provider = "GMAIL", WITHIN,
      .query = "a b", .page_size = 99, .page_token = "eyJvZmZzZXQiOjIwfQ==")
LISTS(list_by_names, .connection_names = (const char *const[]){"gmail", "slack 1"},
      .n_connection_names = 2, .page_size = 1)
SEARCHES(search_plain, .query = "abc")
SEARCHES(search_full, .query = "a/b c", .connection_id = "conn_1", .page_size = 30,
         .page_token = "t+1")
VERIFIES(verify, .auth_request_id = "req/1", .identifier = "user_1")

#define CREATE_JSON(details) "{" USER_JSON ",\"connected_account\":{" details "}}"

static const struct wire_row wire_rows[] = {
    {"auth by user", auth_by_user, AUTH, PATH "/auth?connector=gmail&identifier=user_1", "",
     ACCOUNT_BODY},
    {"auth by id", auth_by_id, AUTH, PATH "/auth?id=ca_1", "", ACCOUNT_BODY},
    {"details by user", look_by_user, DETAILS, PATH "/details?connector=gmail&identifier=user_1",
     "", ACCOUNT_BODY},
    {"details within", look_within, DETAILS,
     PATH "/details?connector=gmail&identifier=user_1&organization_id=org_1&user_id=usr_1", "",
     ACCOUNT_BODY},
    {"details, escaped", look_escaped, DETAILS,
     PATH "/details?connector=my%20mail%3Aa_b-c&identifier=a%26b%3Dc%2F%C3%A9%3F%23%25%2B", "",
     ACCOUNT_BODY},
    {"delete by user", delete_by_user, DELETE, PATH ":delete",
     "{" USER_JSON ",\"organization_id\":\"org_1\",\"user_id\":\"usr_1\"}", "{}"},
    {"delete by id", delete_by_id, DELETE, PATH ":delete", "{\"id\":\"ca_1\"}", ""},
    {"create", create_plain, CREATE, PATH,
     CREATE_JSON("\"authorization_details\":{\"oauth_token\":{}}"), ACCOUNT_BODY},
    {"create with OAuth", create_oauth, CREATE, PATH,
     "{" USER_JSON ",\"organization_id\":\"org_1\",\"user_id\":\"usr_1\",\"connected_account\":{"
     "\"authorization_details\":{\"oauth_token\":{\"access_token\":\"at-private\","
     "\"refresh_token\":\"rt-private\",\"scopes\":[\"mail.read\",\"mail.send\"],"
     "\"domain\":\"acme.example\"}},\"api_config\":{\"a\":{\"b\":[]}}}}",
     ACCOUNT_BODY},
    {"create with a key", create_key, CREATE, PATH,
     CREATE_JSON("\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":"
                 "\"k-private\"}}}"),
     ACCOUNT_BODY},
    {"create with delegation", create_dwd, CREATE, PATH,
     CREATE_JSON("\"authorization_details\":{\"google_dwd\":{\"subject\":\"u@acme.example\"}}"),
     ACCOUNT_BODY},
    {"create with an identity provider", create_idp, CREATE, PATH,
     CREATE_JSON("\"authorization_details\":{\"trusted_idp\":{\"db_user\":\"db_1\"}}"),
     ACCOUNT_BODY},
    {"update by id", update_by_id, UPDATE, PATH,
     "{\"id\":\"ca_1\",\"connected_account\":{\"api_config\":{\"a\":1}}}", ACCOUNT_BODY},
    {"update by user", update_by_user, UPDATE, PATH,
     "{" USER_JSON ",\"organization_id\":\"org_1\",\"user_id\":\"usr_1\",\"connected_account\":{"
     "\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":\"k-private\"}}}}}",
     ACCOUNT_BODY},
    {"update nothing", update_nothing, UPDATE, PATH, CREATE_JSON(""), ACCOUNT_BODY},
    {"list everything", call_list, LIST, PATH, "", "{}"},
    {"list, all absent", list_default, LIST, PATH, "", "{}"},
    {"list by all", list_by_all, LIST,
     PATH "?connector=gmail&identifier=user_1&provider=GMAIL&organization_id=org_1&user_id=usr_1"
          "&query=a%20b&page_size=99&page_token=eyJvZmZzZXQiOjIwfQ%3D%3D",
     "", "{}"},
    {"list by names", list_by_names, LIST,
     PATH "?connection_names=gmail&connection_names=slack%201&page_size=1", "", "{}"},
    {"search", search_plain, SEARCH, PATH ":search?query=abc", "", "{}"},
    {"search in full", search_full, SEARCH,
     PATH ":search?query=a%2Fb%20c&connection_id=conn_1&page_size=30&page_token=t%2B1", "", "{}"},
    {"verify", verify, VERIFY, PATH "/user/verify",
     "{\"auth_request_id\":\"req/1\",\"identifier\":\"user_1\"}", "{}"},
};

static void test_wire(void)
{
    wire_check(wire_rows, COUNT(wire_rows));
}

/* --- refusals ---------------------------------------------------------------------------------- */

#define NAMES_21                                                                                   \
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", \
        "t", "u"

static const char *const names[] = {NAMES_21};
static const char *const bad_name[] = {"gmail", "g/mail"};
static const char *const empty_name[] = {""};
static const char *const null_name[] = {"gmail", NULL};

static char config_of_17_mib[(17 << 20) + 1];

AUTHORIZES(auth_nobody, .organization_id = "org_1")
AUTHORIZES(auth_half, .identifier = "user_1")
AUTHORIZES(auth_other_id, .connected_account_id = "conn_1")
LOOKS(look_half, .connection_name = "gmail")
LOOKS(look_utf8, .connection_name = "gmail", .identifier = "\xed\xa0\x80")
DELETES(delete_nobody, .connected_account_id = "")
CREATES(create_nobody, .connection_name = "gmail")
CREATES(create_empty, .connection_name = "", .identifier = "user_1")
CREATES(create_no_kind, USER,
        .authorization_details = SCALEKIT_PARAMS(scalekit_authorization_details,
                                                 .oauth_token = NULL))
CREATES(create_two_kinds, USER,
        .authorization_details = SCALEKIT_PARAMS(scalekit_authorization_details,
                                                 .oauth_token = &oauth, .static_auth = &key))
CREATES(create_unsized, USER, .authorization_details = &(struct scalekit_authorization_details){0})
CREATES(create_config, USER, .api_config = "[]")
CREATES(create_key_text, USER,
        .authorization_details = SCALEKIT_PARAMS(
            scalekit_authorization_details,
            .static_auth = SCALEKIT_PARAMS(scalekit_static_auth, .details = "k-private")))
UPDATES(update_nobody, .api_config = "{}")
UPDATES(update_two_kinds, USER,
        .authorization_details = SCALEKIT_PARAMS(scalekit_authorization_details, .google_dwd = &dwd,
                                                 .trusted_idp = &idp))
LISTS(list_both, .connection_name = "gmail", .connection_names = names, .n_connection_names = 1)
LISTS(list_20, .connection_names = names, .n_connection_names = 20)
LISTS(list_21, .connection_names = names, .n_connection_names = 21)
LISTS(list_bad_name, .connection_names = bad_name, .n_connection_names = 2)
LISTS(list_empty_name, .connection_names = empty_name, .n_connection_names = 1)
LISTS(list_null_name, .connection_names = null_name, .n_connection_names = 2)
LISTS(list_no_names, .n_connection_names = 2)
LISTS(list_100, .page_size = 100)
LISTS(list_minus, .page_size = -1)
SEARCHES(search_nothing, .connection_id = "conn_1")
SEARCHES(search_31, .query = "abc", .page_size = 31)
VERIFIES(verify_nobody, .auth_request_id = "req")
VERIFIES(verify_nothing, .identifier = "user_1")

static const struct refusal_row refusal_rows[] = {
    {"auth of nobody", auth_nobody, "connected_account_id"},
    {"auth without a connection", auth_half, "connection_name"},
    {"auth of another id", auth_other_id, "connected_account_id"},
    {"details without a user", look_half, "identifier"},
    {"details, no UTF-8", look_utf8, "identifier"},
    {"delete nobody", delete_nobody, "connected_account_id"},
    {"create for nobody", create_nobody, "identifier"},
    {"create for nothing", create_empty, "connection_name"},
    {"create without a kind", create_no_kind, "authorization_details"},
    {"create of two kinds", create_two_kinds, "authorization_details"},
    {"create with details without size", create_unsized, "struct_size"},
    {"create with an array", create_config, "api_config"},
    {"create with a bare key", create_key_text, "details"},
    {"update nobody", update_nobody, "connected_account_id"},
    {"update to two kinds", update_two_kinds, "authorization_details"},
    {"list by name and names", list_both, "connection_names"},
    {"list by 20 names", list_20, NULL},
    {"list by 21 names", list_21, "connection_names"},
    {"list by a bad name", list_bad_name, "connection_names"},
    {"list by an empty name", list_empty_name, "connection_names"},
    {"list by NULL", list_null_name, "connection_names"},
    {"list by a count alone", list_no_names, "connection_names"},
    {"list 100", list_100, "page_size"},
    {"list -1", list_minus, "page_size"},
    {"search for nothing", search_nothing, "query"},
    {"search 31", search_31, "page_size"},
    {"verify nobody", verify_nobody, "identifier"},
    {"verify nothing", verify_nothing, "auth_request_id"},
};

static void test_refusals(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

/* Larger than anything a request may be. */
static void test_huge_request(void)
{
    struct fixture f;
    struct call *call;

    memset(config_of_17_mib, ' ', sizeof config_of_17_mib - 1);
    memcpy(config_of_17_mib, "{}", 2);
    fixture_open(&f);
    call = call_new(&f);
    call_began(call, scalekit_update_connected_account(
                         f.client,
                         SCALEKIT_PARAMS(scalekit_update_connected_account_params, USER,
                                         .api_config = config_of_17_mib),
                         call_on_account, call));
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_INVALID);
    CU_ASSERT(text_has(call->message, "16 MiB"));
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 0);
    fixture_free(&f);
}

#define AT(type, member) #member, offsetof(struct type, member)

/* Defines a function that starts an operation with `base` params and one text. */
#define STARTS_WITH(name, operation, type, callback, ...)                                          \
    static struct call *name(struct fixture *f, size_t offset, const char *text)                   \
    {                                                                                              \
        struct type params = {.struct_size = sizeof params, __VA_ARGS__};                          \
        struct call *call = call_new(f);                                                           \
                                                                                                   \
        *(const char **)((char *)&params + offset) = text;                                         \
        return call_began(call, operation(f->client, &params, callback, call));                    \
    }

STARTS_WITH(look_with, scalekit_get_connected_account_details, scalekit_account_key,
            call_on_account, USER)
STARTS_WITH(create_with, scalekit_create_connected_account,
            scalekit_create_connected_account_params, call_on_account, USER)
STARTS_WITH(update_with, scalekit_update_connected_account,
            scalekit_update_connected_account_params, call_on_account, USER)
STARTS_WITH(list_with, scalekit_list_connected_accounts, scalekit_list_connected_accounts_params,
            call_on_page, .page_size = 1)
STARTS_WITH(search_with, scalekit_search_connected_accounts,
            scalekit_search_connected_accounts_params, call_on_page, .query = "abc")
STARTS_WITH(verify_with, scalekit_verify_connected_account_user,
            scalekit_verify_connected_account_user_params, call_on_verification,
            .auth_request_id = "r", .identifier = "u")

#define KEY_LENGTHS(type)                                                                          \
    {AT(type, connected_account_id), "ca_", 3, 32}, {AT(type, connection_name), NULL, 1, 400},     \
        {AT(type, identifier), NULL, 1, 100}, {AT(type, organization_id), NULL, 0, 32},            \
    {                                                                                              \
        AT(type, user_id), NULL, 0, 32                                                             \
    }

static const struct length_row key_lengths[] = {KEY_LENGTHS(scalekit_account_key)};
static const struct length_row update_lengths[] = {
    KEY_LENGTHS(scalekit_update_connected_account_params)};

#define CREATE_AT(member) AT(scalekit_create_connected_account_params, member)
static const struct length_row create_lengths[] = {
    {CREATE_AT(connection_name), NULL, 1, 400},
    {CREATE_AT(identifier), NULL, 1, 100},
    {CREATE_AT(organization_id), NULL, 0, 32},
    {CREATE_AT(user_id), NULL, 0, 32},
};

#define LIST_AT(member) AT(scalekit_list_connected_accounts_params, member)
static const struct length_row list_lengths[] = {
    {LIST_AT(connection_name), NULL, 0, 400}, {LIST_AT(identifier), NULL, 0, 100},
    {LIST_AT(provider), NULL, 0, 50},         {LIST_AT(organization_id), NULL, 0, 32},
    {LIST_AT(user_id), NULL, 0, 32},          {LIST_AT(query), NULL, 0, 100},
    {LIST_AT(page_token), NULL, 0, 100},
};

#define SEARCH_AT(member) AT(scalekit_search_connected_accounts_params, member)
static const struct length_row search_lengths[] = {
    {SEARCH_AT(query), NULL, 3, 200},
    {SEARCH_AT(connection_id), NULL, 0, 32},
    {SEARCH_AT(page_token), NULL, 0, 0},
};

#define VERIFY_AT(member) AT(scalekit_verify_connected_account_user_params, member)
static const struct length_row verify_lengths[] = {
    {VERIFY_AT(auth_request_id), NULL, 1, 1000},
    {VERIFY_AT(identifier), NULL, 1, 200},
};

static void test_lengths(void)
{
    length_check(key_lengths, COUNT(key_lengths), look_with);
    length_check(create_lengths, COUNT(create_lengths), create_with);
    length_check(update_lengths, COUNT(update_lengths), update_with);
    length_check(list_lengths, COUNT(list_lengths), list_with);
    length_check(search_lengths, COUNT(search_lengths), search_with);
    length_check(verify_lengths, COUNT(verify_lengths), verify_with);
}

/* --- accounts ---------------------------------------------------------------------------------- */

#define NOON   INT64_C(1787313600000000) /* 2026-08-21T12:00:00Z */
#define SECOND INT64_C(1000000)

static void test_full_account(void)
{
    static const char body[] =
        "{\"connected_account\":{\"id\":\"ca_24834495392086178\",\"identifier\":\"user_1\","
        "\"provider\":\"GMAIL\",\"status\":\"PENDING_AUTH\",\"authorization_type\":\"OAUTH\","
        "\"token_expires_at\":\"2026-08-21T12:00:00Z\",\"updated_at\":\"2026-08-21T12:00:01.5Z\","
        "\"connector\":\"gmail\",\"last_used_at\":\"2026-08-21T14:00:02+02:00\","
        "\"connection_id\":\"conn_1\",\"api_config\":{\"domain\":\"d\"},\"later\":[{}]},\"x\":1}";
    const struct scalekit_connected_account *account;
    struct fixture f;
    struct call *call = wire_answer(&f, look_by_user, DETAILS, body);

    account = call->result;
    CU_ASSERT_PTR_NOT_NULL_FATAL(account);
    CU_ASSERT_EQUAL(account->struct_size, sizeof *account);
    CU_ASSERT(text_is(account->id, "ca_24834495392086178"));
    CU_ASSERT(text_is(account->identifier, "user_1"));
    CU_ASSERT(text_is(account->provider, "GMAIL"));
    CU_ASSERT(text_is(account->connection_name, "gmail"));
    CU_ASSERT(text_is(account->connection_id, "conn_1"));
    CU_ASSERT_EQUAL(account->status, SCALEKIT_ACCOUNT_PENDING_AUTH);
    CU_ASSERT(text_is(account->status_text, "PENDING_AUTH"));
    CU_ASSERT_EQUAL(account->authorization_type, SCALEKIT_AUTHORIZATION_OAUTH);
    CU_ASSERT(text_is(account->authorization_type_text, "OAUTH"));
    CU_ASSERT_EQUAL(account->token_expires_at, NOON);
    CU_ASSERT_EQUAL(account->updated_at, NOON + SECOND * 3 / 2);
    CU_ASSERT_EQUAL(account->last_used_at, NOON + 2 * SECOND);
    CU_ASSERT(text_is(account->api_config, "{\"domain\":\"d\"}"));
    CU_ASSERT_PTR_NULL(account->authorization_details);
    fixture_free(&f);
}

static void test_camel_case(void)
{
    static const char body[] =
        "{\"connectedAccount\":{\"authorizationType\":\"API_KEY\",\"connectionId\":\"conn_1\","
        "\"tokenExpiresAt\":\"2026-08-21T12:00:00Z\",\"authorizationDetails\":{\"staticAuth\":{"
        "\"details\":{\"api_key\":\"k\"}}}}}";
    const struct scalekit_connected_account *account;
    struct fixture f;
    struct call *call = wire_answer(&f, auth_by_user, AUTH, body);

    account = call->result;
    CU_ASSERT_PTR_NOT_NULL_FATAL(account);
    CU_ASSERT_EQUAL(account->authorization_type, SCALEKIT_AUTHORIZATION_API_KEY);
    CU_ASSERT(text_is(account->connection_id, "conn_1"));
    CU_ASSERT_EQUAL(account->token_expires_at, NOON);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account->authorization_details);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account->authorization_details->static_auth);
    CU_ASSERT(text_is(account->authorization_details->static_auth->details, "{\"api_key\":\"k\"}"));
    fixture_free(&f);
}

/* Absent, null and zero are all the same. */
static void test_empty_accounts(void)
{
    static const char *const bodies[] = {
        "{\"connected_account\":{}}",
        ("{\"connected_account\":{\"id\":null,\"identifier\":null,\"provider\":null,\"status\":"
         "null,"
         "\"authorization_type\":null,\"authorization_details\":null,\"token_expires_at\":null,"
         "\"updated_at\":null,\"connector\":null,\"last_used_at\":null,\"connection_id\":null,"
         "\"api_config\":null}}"),
        ("{\"connected_account\":{\"id\":\"\",\"identifier\":\"\",\"provider\":\"\",\"status\":"
         "\"\","
         "\"authorization_type\":\"\",\"connector\":\"\",\"connection_id\":\"\"}}"),
    };

    for (size_t i = 0; i < COUNT(bodies); i++) {
        const struct scalekit_connected_account *account;
        struct fixture f;
        struct call *call = wire_answer(&f, look_by_user, DETAILS, bodies[i]);

        account = call->result;
        CU_ASSERT_PTR_NOT_NULL_FATAL(account);
        ROW_IS(bodies[i], !account->id && !account->identifier && !account->provider &&
                              !account->connection_name && !account->connection_id);
        ROW_IS(bodies[i], !account->status_text && !account->authorization_type_text);
        ROW_IS(bodies[i], account->status == SCALEKIT_ACCOUNT_UNKNOWN &&
                              account->authorization_type == SCALEKIT_AUTHORIZATION_UNKNOWN);
        ROW_IS(bodies[i], !account->authorization_details && !account->api_config);
        ROW_IS(bodies[i],
               !account->token_expires_at && !account->updated_at && !account->last_used_at);
        fixture_free(&f);
    }
}

static const struct broken_row {
    const char *name, *body, *message; /* a part of it */
} broken_rows[] = {
    {"no account", "{}", "connected_account"},
    {"null", "{\"connected_account\":null}", "connected_account"},
    {"nothing", "", "connected_account"},
    {"an array", "[]", ""},
    {"account is text", "{\"connected_account\":\"x\"}", "connected_account"},
    {"id is a number", "{\"connected_account\":{\"id\":7}}", "connected_account.id"},
    {"status is an object", "{\"connected_account\":{\"status\":{}}}", "connected_account.status"},
    {"moment is a number", "{\"connected_account\":{\"updated_at\":1}}", "updated_at"},
    {"moment is none", "{\"connected_account\":{\"updated_at\":\"x\"}}", "updated_at"},
    {"details are text", "{\"connected_account\":{\"authorization_details\":\"x\"}}",
     "authorization_details"},
    {"scopes are text",
     "{\"connected_account\":{\"authorization_details\":{\"oauth_token\":{\"scopes\":\"s\"}}}}",
     "scopes"},
    {"api_config is text", "{\"connected_account\":{\"api_config\":\"x\"}}", "api_config"},
    {"it ends early", "{\"connected_account\":{\"id\":\"ca_1\"", ""},
};

static void test_broken_accounts(void)
{
    for (size_t i = 0; i < COUNT(broken_rows); i++) {
        const struct broken_row *row = &broken_rows[i];
        struct fixture f;
        struct call *call = wire_answer(&f, look_by_user, DETAILS, row->body);

        ROW_IS(row->name, call->code == SCALEKIT_ERR_DECODE);
        ROW_IS(row->name, call->phase == SCALEKIT_PHASE_DECODE);
        ROW_IS(row->name, text_has(call->message, row->message));
        ROW_IS(row->name, call->error && call->error->http_status == 200 && call->sent);
        ROW_IS(row->name, scalekit_request_http_status(call->request) == 200);
        fixture_free(&f);
    }
}

/* --- authorization details, as they come ------------------------------------------------------- */

static const struct scalekit_authorization_details *details_of(struct fixture *f,
                                                               const char *details,
                                                               struct call **call)
{
    static char body[1024];
    const struct scalekit_connected_account *account;

    snprintf(body, sizeof body, "{\"connected_account\":{\"authorization_details\":%s}}", details);
    *call = wire_answer(f, auth_by_user, AUTH, body);
    account = (*call)->result;
    CU_ASSERT_PTR_NOT_NULL_FATAL(account);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account->authorization_details);
    return account->authorization_details;
}

static void test_oauth_token(void)
{
    struct fixture f;
    struct call *call;
    const struct scalekit_authorization_details *details = details_of(
        &f,
        "{\"oauth_token\":{\"access_token\":\"at-private\",\"refresh_token\":\"rt-private\","
        "\"scopes\":[\"a\",\"b\"],\"domain\":\"d\"}}",
        &call);
    const struct scalekit_oauth_token *token = details->oauth_token;

    CU_ASSERT_PTR_NOT_NULL_FATAL(token);
    CU_ASSERT(!details->static_auth && !details->google_dwd && !details->trusted_idp);
    CU_ASSERT(text_is(token->access_token, "at-private"));
    CU_ASSERT(text_is(token->refresh_token, "rt-private"));
    CU_ASSERT(text_is(token->domain, "d"));
    CU_ASSERT_EQUAL_FATAL(token->n_scopes, 2);
    CU_ASSERT(text_is(token->scopes[0], "a"));
    CU_ASSERT(text_is(token->scopes[1], "b"));
    CU_ASSERT_FALSE(text_has(f.log, "private"));
    fixture_free(&f);
}

static void test_static_auth(void)
{
    struct fixture f;
    struct call *call;
    const struct scalekit_authorization_details *details = details_of(
        &f, "{\"static_auth\":{\"details\":{\"username\":\"u\",\"password\":\"p-private\"}}}",
        &call);

    CU_ASSERT_PTR_NOT_NULL_FATAL(details->static_auth);
    CU_ASSERT(!details->oauth_token && !details->google_dwd && !details->trusted_idp);
    CU_ASSERT(
        text_is(details->static_auth->details, "{\"username\":\"u\",\"password\":\"p-private\"}"));
    CU_ASSERT_FALSE(text_has(f.log, "private"));
    fixture_free(&f);
}

static void test_google_dwd(void)
{
    struct fixture f;
    struct call *call;
    const struct scalekit_authorization_details *details = details_of(
        &f,
        "{\"google_dwd\":{\"subject\":\"s\",\"access_token\":\"at-private\",\"scopes\":[\"a\"],"
        "\"token_expires_at\":\"2026-08-21T12:00:00Z\"}}",
        &call);
    const struct scalekit_google_dwd *token = details->google_dwd;

    CU_ASSERT_PTR_NOT_NULL_FATAL(token);
    CU_ASSERT(!details->oauth_token && !details->static_auth && !details->trusted_idp);
    CU_ASSERT(text_is(token->subject, "s"));
    CU_ASSERT(text_is(token->access_token, "at-private"));
    CU_ASSERT_EQUAL_FATAL(token->n_scopes, 1);
    CU_ASSERT(text_is(token->scopes[0], "a"));
    CU_ASSERT_EQUAL(token->token_expires_at, NOON);
    CU_ASSERT_FALSE(text_has(f.log, "private"));
    fixture_free(&f);
}

static void test_trusted_idp(void)
{
    struct fixture f;
    struct call *call;
    const struct scalekit_authorization_details *details =
        details_of(&f,
                   "{\"trusted_idp\":{\"db_user\":\"u\",\"access_key_id\":\"ak-private\","
                   "\"secret_access_key\":\"sk-private\",\"session_token\":\"st-private\","
                   "\"expiry\":\"2026-08-21T12:00:00Z\"}}",
                   &call);
    const struct scalekit_trusted_idp *given = details->trusted_idp;

    CU_ASSERT_PTR_NOT_NULL_FATAL(given);
    CU_ASSERT(!details->oauth_token && !details->static_auth && !details->google_dwd);
    CU_ASSERT(text_is(given->db_user, "u"));
    CU_ASSERT(text_is(given->access_key_id, "ak-private"));
    CU_ASSERT(text_is(given->secret_access_key, "sk-private"));
    CU_ASSERT(text_is(given->session_token, "st-private"));
    CU_ASSERT_EQUAL(given->expiry, NOON);
    CU_ASSERT_FALSE(text_has(f.log, "private"));
    fixture_free(&f);
}

/* What the client sends is as secret as what it gets. */
static void test_log(void)
{
    static const call_starter starters[] = {create_oauth, create_key, create_dwd, create_idp};

    for (size_t i = 0; i < COUNT(starters); i++) {
        struct fixture f;

        wire_answer(&f, starters[i], CREATE, ACCOUNT_BODY);
        CU_ASSERT(text_has(f.log, "create_connected_account"));
        CU_ASSERT_FALSE(text_has(f.log, "private"));
        fixture_free(&f);
    }
}

/* --- words ------------------------------------------------------------------------------------- */

static const struct status_row {
    const char *word;
    enum scalekit_account_status status;
    bool pending;
} status_rows[] = {
    {"PENDING", SCALEKIT_ACCOUNT_PENDING, true},
    {"PENDING_AUTH", SCALEKIT_ACCOUNT_PENDING_AUTH, true},
    {"PENDING_VERIFICATION", SCALEKIT_ACCOUNT_PENDING_VERIFICATION, true},
    {"ACTIVE", SCALEKIT_ACCOUNT_ACTIVE, false},
    {"EXPIRED", SCALEKIT_ACCOUNT_EXPIRED, false},
    {"REVOKED", SCALEKIT_ACCOUNT_REVOKED, false},
    {"DISCONNECTED", SCALEKIT_ACCOUNT_DISCONNECTED, false},
    {"CONNECTION_STATUS_UNSPECIFIED", SCALEKIT_ACCOUNT_UNKNOWN, false},
    {"ERROR", SCALEKIT_ACCOUNT_UNKNOWN, false},
    {"active", SCALEKIT_ACCOUNT_UNKNOWN, false},
};

static const struct type_row {
    const char *word;
    enum scalekit_authorization_type type;
} type_rows[] = {
    {"OAUTH", SCALEKIT_AUTHORIZATION_OAUTH},
    {"API_KEY", SCALEKIT_AUTHORIZATION_API_KEY},
    {"BASIC_AUTH", SCALEKIT_AUTHORIZATION_BASIC_AUTH},
    {"BEARER_TOKEN", SCALEKIT_AUTHORIZATION_BEARER_TOKEN},
    {"CUSTOM", SCALEKIT_AUTHORIZATION_CUSTOM},
    {"BASIC", SCALEKIT_AUTHORIZATION_BASIC},
    {"OAUTH_M2M", SCALEKIT_AUTHORIZATION_OAUTH_M2M},
    {"TRELLO_OAUTH1", SCALEKIT_AUTHORIZATION_TRELLO_OAUTH1},
    {"GOOGLE_DWD", SCALEKIT_AUTHORIZATION_GOOGLE_DWD},
    {"TRUSTED_IDP", SCALEKIT_AUTHORIZATION_TRUSTED_IDP},
    {"SMART_FHIR", SCALEKIT_AUTHORIZATION_SMART_FHIR},
    {"NO_AUTH", SCALEKIT_AUTHORIZATION_NO_AUTH},
    {"OAUTH3", SCALEKIT_AUTHORIZATION_UNKNOWN},
};

/* Gives the account back whose `member` is `word`. */
static const struct scalekit_connected_account *account_with(struct fixture *f, const char *member,
                                                             const char *word)
{
    static char body[128];

    snprintf(body, sizeof body, "{\"connected_account\":{\"%s\":\"%s\"}}", member, word);
    return wire_answer(f, look_by_user, DETAILS, body)->result;
}

static void test_statuses(void)
{
    for (size_t i = 0; i < COUNT(status_rows); i++) {
        const struct status_row *row = &status_rows[i];
        const struct scalekit_connected_account *account;
        struct fixture f;

        account = account_with(&f, "status", row->word);
        ROW_IS(row->word, account && account->status == row->status);
        ROW_IS(row->word, account && text_is(account->status_text, row->word));
        ROW_IS(row->word, scalekit_account_status_is_pending(row->status) == row->pending);
        ROW_IS(row->word, text_is(scalekit_account_status_name(row->status),
                                  row->status ? row->word : "UNKNOWN"));
        fixture_free(&f);
    }
    CU_ASSERT(text_is(scalekit_account_status_name((enum scalekit_account_status)99), "UNKNOWN"));
}

static void test_types(void)
{
    for (size_t i = 0; i < COUNT(type_rows); i++) {
        const struct type_row *row = &type_rows[i];
        const struct scalekit_connected_account *account;
        struct fixture f;

        account = account_with(&f, "authorization_type", row->word);
        ROW_IS(row->word, account && account->authorization_type == row->type);
        ROW_IS(row->word, account && text_is(account->authorization_type_text, row->word));
        ROW_IS(row->word, text_is(scalekit_authorization_type_name(row->type),
                                  row->type ? row->word : "UNKNOWN"));
        fixture_free(&f);
    }
}

/* --- pages and the rest ------------------------------------------------------------------------ */

static void test_page(void)
{
    static const char body[] =
        "{\"connected_accounts\":[{\"id\":\"ca_1\",\"status\":\"ACTIVE\"},null,{\"id\":\"ca_2\"}],"
        "\"total_size\":21,\"next_page_token\":\"eyJvZmZzZXQiOjIwfQ==\",\"prev_page_token\":\"p\","
        "\"later\":true}";
    static const struct {
        call_starter start;
        const char *route;
    } rows[] = {{call_list, LIST}, {search_plain, SEARCH}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct scalekit_connected_account_page *page;
        struct fixture f;
        struct call *call = wire_answer(&f, rows[i].start, rows[i].route, body);

        page = call->result;
        CU_ASSERT_PTR_NOT_NULL_FATAL(page);
        CU_ASSERT_EQUAL(page->struct_size, sizeof *page);
        CU_ASSERT_EQUAL_FATAL(page->n_accounts, 2);
        CU_ASSERT(text_is(page->accounts[0]->id, "ca_1"));
        CU_ASSERT_EQUAL(page->accounts[0]->status, SCALEKIT_ACCOUNT_ACTIVE);
        CU_ASSERT(text_is(page->accounts[1]->id, "ca_2"));
        CU_ASSERT_EQUAL(page->total_size, 21);
        CU_ASSERT(text_is(page->next_page_token, "eyJvZmZzZXQiOjIwfQ=="));
        CU_ASSERT(text_is(page->prev_page_token, "p"));
        fixture_free(&f);
    }
}

static void test_last_pages(void)
{
    static const char *const bodies[] = {
        "{}",
        "",
        ("{\"connected_accounts\":[],\"total_size\":0,\"next_page_token\":\"\","
         "\"prev_page_token\":\"\"}"),
        "{\"connected_accounts\":null,\"total_size\":null,\"next_page_token\":null}",
        "{\"total_size\":\"0\"}",
    };

    for (size_t i = 0; i < COUNT(bodies); i++) {
        const struct scalekit_connected_account_page *page;
        struct fixture f;

        page = wire_answer(&f, call_list, LIST, bodies[i])->result;
        CU_ASSERT_PTR_NOT_NULL_FATAL(page);
        ROW_IS(bodies[i], !page->accounts && page->n_accounts == 0 && page->total_size == 0);
        ROW_IS(bodies[i], !page->next_page_token && !page->prev_page_token);
        fixture_free(&f);
    }
}

static void test_broken_pages(void)
{
    static const struct broken_row rows[] = {
        {"no list", "{\"connected_accounts\":{}}", "connected_accounts"},
        {"list of text", "{\"connected_accounts\":[{},\"x\"]}", "connected_accounts[1]"},
        {"size is text", "{\"total_size\":\"many\"}", "total_size"},
        {"token is a list", "{\"next_page_token\":[]}", "next_page_token"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct call *call = wire_answer(&f, call_list, LIST, rows[i].body);

        ROW_IS(rows[i].name, call->code == SCALEKIT_ERR_DECODE);
        ROW_IS(rows[i].name, text_has(call->message, rows[i].message));
        fixture_free(&f);
    }
}

static void test_verification(void)
{
    static const struct {
        const char *name, *body, *url;
        scalekit_err code;
    } rows[] = {
        {"full", "{\"post_user_verify_redirect_url\":\"https://app.example\"}",
         "https://app.example", SCALEKIT_OK},
        {"absent", "{}", NULL, SCALEKIT_OK},
        {"null", "{\"post_user_verify_redirect_url\":null}", NULL, SCALEKIT_OK},
        {"wrong type", "{\"post_user_verify_redirect_url\":{}}", NULL, SCALEKIT_ERR_DECODE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct scalekit_user_verification *verification;
        struct fixture f;
        struct call *call = wire_answer(&f, verify, VERIFY, rows[i].body);

        verification = call->result;
        ROW_IS(rows[i].name, call->code == rows[i].code);
        if (verification)
            ROW_IS(rows[i].name, text_is(verification->post_user_verify_redirect_url, rows[i].url));
        fixture_free(&f);
    }
}

static void test_deletion(void)
{
    static const char *const bodies[] = {"{}", "", "{\"x\":1}", "not even JSON"};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct fixture f;
        struct call *call = wire_answer(&f, delete_by_id, DELETE, bodies[i]);

        ROW_IS(bodies[i], call->code == SCALEKIT_OK && call->result);
        fixture_free(&f);
    }
}

SUITE(connected_account, {"every request is written from typed params", test_wire},
      {"what is wrong is refused and named, before anything is sent", test_refusals},
      {"every length has its limit", test_lengths},
      {"a request is at most 16 MiB", test_huge_request},
      {"an account is read in full", test_full_account},
      {"an account is read in camelCase too", test_camel_case},
      {"absent, null and empty are the same", test_empty_accounts},
      {"a broken account is refused with the path", test_broken_accounts},
      {"an OAuth token is read", test_oauth_token},
      {"a static authorization is read", test_static_auth},
      {"a Google delegation is read", test_google_dwd},
      {"a trusted identity provider's credentials are read", test_trusted_idp},
      {"credentials that are sent do not reach the log", test_log},
      {"every status has its word, and unknown words are kept", test_statuses},
      {"every authorization type has its word, and unknown words are kept", test_types},
      {"a page is read", test_page}, {"the last page has no token", test_last_pages},
      {"a broken page is refused with the path", test_broken_pages},
      {"the end of a verification is read", test_verification},
      {"nothing of a deletion's answer matters", test_deletion})
