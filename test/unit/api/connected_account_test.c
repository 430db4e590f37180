/* Connected accounts, as a C program gives and gets them.  How they look on the wire, and their
 * limits, are in test/cases. */
#include "wire.h"

#define USER .connection_name = "gmail", .identifier = "user_1"

/* --- what JSON cannot get wrong ---------------------------------------------------------------- */

#define LOOKS(name, ...)                                                                           \
    CALL_STARTER(name, get_connected_account_details,                                              \
                 SCALEKIT_PARAMS(scalekit_account_key, __VA_ARGS__), call_on_account)
#define CREATES(name, ...)                                                                         \
    CALL_STARTER(name, create_connected_account,                                                   \
                 SCALEKIT_PARAMS(scalekit_create_connected_account_params, USER, __VA_ARGS__),     \
                 call_on_account)
#define LISTS(name, ...)                                                                           \
    CALL_STARTER(name, list_connected_accounts,                                                    \
                 SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, __VA_ARGS__),            \
                 call_on_page)

static const char *const null_name[] = {"gmail", NULL};

LOOKS(look_bytes, .connection_name = "gmail", .identifier = "\xed\xa0\x80")
CREATES(create_unsized, .authorization_details = &(struct scalekit_authorization_details){0})
CREATES(create_list, .api_config = "[]")
CREATES(create_text, .authorization_details = SCALEKIT_PARAMS(
                         scalekit_authorization_details,
                         .static_auth = SCALEKIT_PARAMS(scalekit_static_auth, .details = "key")))
LISTS(list_null, .connection_names = null_name, .n_connection_names = 2)
LISTS(list_count, .n_connection_names = 2)

/* The structure of a program from before connection_names: what lies behind it is not the program's. */
CALL_STARTER(list_older, list_connected_accounts,
             (&(const struct scalekit_list_connected_accounts_params){
                 .struct_size = offsetof(struct scalekit_list_connected_accounts_params,
                                         connection_names),
                 .connection_name = "gmail",
                 .n_connection_names = 1}),
             call_on_page)

static const struct refusal_row refusal_rows[] = {
    {"an identifier that is no UTF-8", look_bytes, "identifier"},
    {"details without their size", create_unsized, "struct_size"},
    {"a configuration that is a list", create_list, "api_config"},
    {"a key that is no object", create_text, "details"},
    {"a name that is NULL", list_null, "connection_names"},
    {"a count without names", list_count, "connection_names"},
    {"not what lies behind an older structure", list_older, NULL},
};

static void test_refusals(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

static char config_of_17_mib[(17 << 20) + 1];

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

/* What only the service may say is not said to it. */
static void test_read_only(void)
{
    static const char *const scopes[] = {"mail.read"};
    const struct scalekit_google_dwd *dwd =
        SCALEKIT_PARAMS(scalekit_google_dwd, .subject = "u@acme.example", .access_token = "at",
                        .scopes = scopes, .n_scopes = COUNT(scopes), .token_expires_at = 1);
    const struct scalekit_trusted_idp *idp =
        SCALEKIT_PARAMS(scalekit_trusted_idp, .db_user = "db_1", .access_key_id = "ak",
                        .secret_access_key = "sk", .session_token = "st", .expiry = 1);
    const struct scalekit_authorization_details details[] = {
        {.struct_size = sizeof *details, .google_dwd = dwd},
        {.struct_size = sizeof *details, .trusted_idp = idp},
    };
    static const char *const said[] = {"{\"google_dwd\":{\"subject\":\"u@acme.example\"}}",
                                       "{\"trusted_idp\":{\"db_user\":\"db_1\"}}"};

    for (size_t i = 0; i < COUNT(said); i++) {
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        call = call_new(&f);
        call_began(call, scalekit_create_connected_account(
                             f.client,
                             SCALEKIT_PARAMS(scalekit_create_connected_account_params, USER,
                                             .authorization_details = &details[i]),
                             call_on_account, call));
        call_wait(call);
        ROW_IS(said[i], text_has(service_request(f.service, CREATE, 0)->body, said[i]));
        fixture_free(&f);
    }
}

/* --- an account in C --------------------------------------------------------------------------- */

#define NOON   INT64_C(1787313600000000) /* 2026-08-21T12:00:00Z */
#define SECOND INT64_C(1000000)

static void check_details(const struct scalekit_authorization_details *details)
{
    const struct scalekit_oauth_token *oauth = details->oauth_token;
    const struct scalekit_google_dwd *dwd = details->google_dwd;
    const struct scalekit_trusted_idp *idp = details->trusted_idp;

    CU_ASSERT_FATAL(oauth && details->static_auth && dwd && idp);
    CU_ASSERT(text_is(oauth->access_token, "at_1"));
    CU_ASSERT(text_is(oauth->refresh_token, "rt_1"));
    CU_ASSERT(text_is(oauth->domain, "acme.example"));
    CU_ASSERT_EQUAL_FATAL(oauth->n_scopes, 2);
    CU_ASSERT(text_is(oauth->scopes[0], "a"));
    CU_ASSERT(text_is(oauth->scopes[1], "b"));
    CU_ASSERT(text_is(details->static_auth->details, "{\"key\":\"k_1\"}"));
    CU_ASSERT(text_is(dwd->subject, "u_1"));
    CU_ASSERT(text_is(dwd->access_token, "at_2"));
    CU_ASSERT_EQUAL_FATAL(dwd->n_scopes, 1);
    CU_ASSERT(text_is(dwd->scopes[0], "c"));
    CU_ASSERT_EQUAL(dwd->token_expires_at, NOON);
    CU_ASSERT(text_is(idp->db_user, "db_1"));
    CU_ASSERT(text_is(idp->access_key_id, "ak_1"));
    CU_ASSERT(text_is(idp->secret_access_key, "sk_1"));
    CU_ASSERT(text_is(idp->session_token, "st_1"));
    CU_ASSERT_EQUAL(idp->expiry, NOON + SECOND);
}

/* With every kind of authorization at once. */
static void test_full_account(void)
{
    static const char body[] =
        "{\"connected_account\":{\"id\":\"ca_24834495392086178\",\"identifier\":\"user_1\","
        "\"provider\":\"GMAIL\",\"status\":\"PENDING_AUTH\",\"authorization_type\":\"OAUTH\","
        "\"token_expires_at\":\"2026-08-21T12:00:00Z\",\"updated_at\":\"2026-08-21T12:00:01.5Z\","
        "\"connector\":\"gmail\",\"last_used_at\":\"2026-08-21T14:00:02+02:00\","
        "\"connection_id\":\"conn_1\",\"api_config\":{\"domain\":\"d\"},"
        "\"authorization_details\":{\"oauth_token\":{\"access_token\":\"at_1\","
        "\"refresh_token\":\"rt_1\",\"scopes\":[\"a\",\"b\"],\"domain\":\"acme.example\"},"
        "\"static_auth\":{\"details\":{\"key\":\"k_1\"}},"
        "\"google_dwd\":{\"subject\":\"u_1\",\"access_token\":\"at_2\",\"scopes\":[\"c\"],"
        "\"token_expires_at\":\"2026-08-21T12:00:00Z\"},"
        "\"trusted_idp\":{\"db_user\":\"db_1\",\"access_key_id\":\"ak_1\","
        "\"secret_access_key\":\"sk_1\",\"session_token\":\"st_1\","
        "\"expiry\":\"2026-08-21T12:00:01Z\"}}}}";
    const struct scalekit_connected_account *account;
    struct fixture f;

    account = wire_answer(&f, call_details, DETAILS, body)->result;
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
    CU_ASSERT_PTR_NOT_NULL_FATAL(account->authorization_details);
    check_details(account->authorization_details);
    fixture_free(&f);
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
    return wire_answer(f, call_details, DETAILS, body)->result;
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

/* --- deletion ---------------------------------------------------------------------------------- */

static void test_deletion(void)
{
    static const char *const bodies[] = {"{}", "", "{\"x\":1}", "not even JSON"};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct fixture f;
        struct call *call = wire_answer(&f, call_delete, DELETE, bodies[i]);

        ROW_IS(bodies[i], call->code == SCALEKIT_OK && call->result);
        fixture_free(&f);
    }
}

SUITE(connected_account, {"what only C can get wrong is refused and named", test_refusals},
      {"a request is at most 16 MiB", test_huge_request},
      {"what only the service says is not sent", test_read_only},
      {"an account is read in full", test_full_account},
      {"every status has its word, and unknown words are kept", test_statuses},
      {"every authorization type has its word, and unknown words are kept", test_types},
      {"nothing of a deletion's answer matters", test_deletion})
