#include "api/connected_account.h"
#include "api/account_key.h"
#include "api/operations.h"
#include "core/request.h"
#include "json/check.h"
#include <string.h>

/* --- words ------------------------------------------------------------------------------------- */

const struct ski_word ski_account_status_words[] = {
    {SCALEKIT_ACCOUNT_PENDING, "PENDING"},
    {SCALEKIT_ACCOUNT_PENDING_AUTH, "PENDING_AUTH"},
    {SCALEKIT_ACCOUNT_PENDING_VERIFICATION, "PENDING_VERIFICATION"},
    {SCALEKIT_ACCOUNT_ACTIVE, "ACTIVE"},
    {SCALEKIT_ACCOUNT_EXPIRED, "EXPIRED"},
    {SCALEKIT_ACCOUNT_REVOKED, "REVOKED"},
    {SCALEKIT_ACCOUNT_DISCONNECTED, "DISCONNECTED"},
    {0, NULL},
};

const struct ski_word ski_authorization_type_words[] = {
    {SCALEKIT_AUTHORIZATION_OAUTH, "OAUTH"},
    {SCALEKIT_AUTHORIZATION_API_KEY, "API_KEY"},
    {SCALEKIT_AUTHORIZATION_BASIC_AUTH, "BASIC_AUTH"},
    {SCALEKIT_AUTHORIZATION_BEARER_TOKEN, "BEARER_TOKEN"},
    {SCALEKIT_AUTHORIZATION_CUSTOM, "CUSTOM"},
    {SCALEKIT_AUTHORIZATION_BASIC, "BASIC"},
    {SCALEKIT_AUTHORIZATION_OAUTH_M2M, "OAUTH_M2M"},
    {SCALEKIT_AUTHORIZATION_TRELLO_OAUTH1, "TRELLO_OAUTH1"},
    {SCALEKIT_AUTHORIZATION_GOOGLE_DWD, "GOOGLE_DWD"},
    {SCALEKIT_AUTHORIZATION_TRUSTED_IDP, "TRUSTED_IDP"},
    {SCALEKIT_AUTHORIZATION_SMART_FHIR, "SMART_FHIR"},
    {SCALEKIT_AUTHORIZATION_NO_AUTH, "NO_AUTH"},
    {0, NULL},
};

static const char *word_of(const struct ski_word *words, int value)
{
    for (; words->word; words++)
        if (words->value == value)
            return words->word;
    return "UNKNOWN";
}

const char *scalekit_account_status_name(enum scalekit_account_status status)
{
    return word_of(ski_account_status_words, (int)status);
}

const char *scalekit_authorization_type_name(enum scalekit_authorization_type type)
{
    return word_of(ski_authorization_type_words, (int)type);
}

bool scalekit_account_status_is_pending(enum scalekit_account_status status)
{
    return status == SCALEKIT_ACCOUNT_PENDING || status == SCALEKIT_ACCOUNT_PENDING_AUTH ||
           status == SCALEKIT_ACCOUNT_PENDING_VERIFICATION;
}

/* --- authorization details --------------------------------------------------------------------- */

static const struct ski_field oauth_token_fields[] = {
    STRING(scalekit_oauth_token, access_token, "access_token", .flags = SKI_SECRET),
    STRING(scalekit_oauth_token, refresh_token, "refresh_token", .flags = SKI_SECRET),
    STRINGS(scalekit_oauth_token, scopes, "scopes"),
    STRING(scalekit_oauth_token, domain, "domain"),
    END,
};
static const struct ski_type oauth_token_type = TYPE(scalekit_oauth_token, oauth_token_fields);

static const struct ski_field static_auth_fields[] = {
    JSON(scalekit_static_auth, details, "details", .flags = SKI_SECRET),
    END,
};
static const struct ski_type static_auth_type = TYPE(scalekit_static_auth, static_auth_fields);

static const struct ski_field google_dwd_fields[] = {
    STRING(scalekit_google_dwd, subject, "subject"),
    STRING(scalekit_google_dwd, access_token, "access_token", .flags = SKI_SECRET | SKI_READ_ONLY),
    STRINGS(scalekit_google_dwd, scopes, "scopes", .flags = SKI_READ_ONLY),
    TIMESTAMP(scalekit_google_dwd, token_expires_at, "token_expires_at", .flags = SKI_READ_ONLY),
    END,
};
static const struct ski_type google_dwd_type = TYPE(scalekit_google_dwd, google_dwd_fields);

static const struct ski_field trusted_idp_fields[] = {
    STRING(scalekit_trusted_idp, db_user, "db_user"),
    STRING(scalekit_trusted_idp, access_key_id, "access_key_id",
           .flags = SKI_SECRET | SKI_READ_ONLY),
    STRING(scalekit_trusted_idp, secret_access_key, "secret_access_key",
           .flags = SKI_SECRET | SKI_READ_ONLY),
    STRING(scalekit_trusted_idp, session_token, "session_token",
           .flags = SKI_SECRET | SKI_READ_ONLY),
    TIMESTAMP(scalekit_trusted_idp, expiry, "expiry", .flags = SKI_READ_ONLY),
    END,
};
static const struct ski_type trusted_idp_type = TYPE(scalekit_trusted_idp, trusted_idp_fields);

static const struct ski_field authorization_details_fields[] = {
    OBJECT(scalekit_authorization_details, oauth_token, scalekit_oauth_token, oauth_token_type,
           "oauth_token"),
    OBJECT(scalekit_authorization_details, static_auth, scalekit_static_auth, static_auth_type,
           "static_auth"),
    OBJECT(scalekit_authorization_details, google_dwd, scalekit_google_dwd, google_dwd_type,
           "google_dwd"),
    OBJECT(scalekit_authorization_details, trusted_idp, scalekit_trusted_idp, trusted_idp_type,
           "trusted_idp"),
    END,
};
static const struct ski_type authorization_details_type =
    TYPE(scalekit_authorization_details, authorization_details_fields);

static const char *check_details(const struct scalekit_authorization_details *details,
                                 const char **parameter)
{
    int kinds;

    if (!details)
        return NULL;
    kinds = !!details->oauth_token + !!details->static_auth + !!details->google_dwd +
            !!details->trusted_idp;
    if (kinds == 1)
        return NULL;
    *parameter = "authorization_details";
    return "authorization_details must have exactly one of oauth_token, static_auth, google_dwd, "
           "trusted_idp";
}

/* --- the account ------------------------------------------------------------------------------- */

static const struct ski_field connected_account_fields[] = {
    STRING(scalekit_connected_account, id, "id"),
    STRING(scalekit_connected_account, identifier, "identifier"),
    STRING(scalekit_connected_account, provider, "provider"),
    ENUM(scalekit_connected_account, status, scalekit_account_status, ski_account_status_words,
         "status"),
    ENUM(scalekit_connected_account, authorization_type, scalekit_authorization_type,
         ski_authorization_type_words, "authorization_type"),
    OBJECT(scalekit_connected_account, authorization_details, scalekit_authorization_details,
           authorization_details_type, "authorization_details"),
    TIMESTAMP(scalekit_connected_account, token_expires_at, "token_expires_at"),
    TIMESTAMP(scalekit_connected_account, updated_at, "updated_at"),
    STRING(scalekit_connected_account, connection_name, "connector"),
    TIMESTAMP(scalekit_connected_account, last_used_at, "last_used_at"),
    STRING(scalekit_connected_account, connection_id, "connection_id"),
    JSON(scalekit_connected_account, api_config, "api_config", .flags = SKI_SECRET),
    END,
};
const struct ski_type ski_connected_account_type =
    TYPE(scalekit_connected_account, connected_account_fields);

struct account_answer {
    size_t struct_size;
    const struct scalekit_connected_account *connected_account;
};

static const struct ski_field account_answer_fields[] = {
    OBJECT(account_answer, connected_account, scalekit_connected_account,
           ski_connected_account_type, "connected_account", .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type account_answer_type = TYPE(account_answer, account_answer_fields);

static const struct ski_field page_fields[] = {
    OBJECTS(scalekit_connected_account_page, accounts, scalekit_connected_account,
            ski_connected_account_type, "connected_accounts"),
    INTEGER(scalekit_connected_account_page, total_size, "total_size"),
    STRING(scalekit_connected_account_page, next_page_token, "next_page_token"),
    STRING(scalekit_connected_account_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type page_type = TYPE(scalekit_connected_account_page, page_fields);

/* --- parameters -------------------------------------------------------------------------------- */

static const struct ski_field key_fields[] = {ACCOUNT_KEY(scalekit_account_key), END};
static const struct ski_type key_type = TYPE(scalekit_account_key, key_fields);
CHECK_ACCOUNT_KEY(scalekit_account_key)

/* Other words than ids in this place are other operations: ".../auth". */
static const struct ski_field id_fields[] = {
    STRING(scalekit_connected_account_id_key, connected_account_id, "id",
           .flags = SKI_REQUIRED | SKI_PATH, .max = 32, .check = ski_check_account_id),
    END,
};
static const struct ski_type id_type = TYPE(scalekit_connected_account_id_key, id_fields);

/* On the wire, what an account is made of stands one level deeper than what names it. */
static const struct ski_field new_account_fields[] = {
    OBJECT(scalekit_create_connected_account_params, authorization_details,
           scalekit_authorization_details, authorization_details_type, "authorization_details"),
    JSON(scalekit_create_connected_account_params, api_config, "api_config", .flags = SKI_SECRET),
    END,
};
static const struct ski_type new_account_type =
    TYPE(scalekit_create_connected_account_params, new_account_fields);

static const struct ski_field create_fields[] = {
    STRING(scalekit_create_connected_account_params, connection_name, "connector",
           .flags = SKI_REQUIRED, .max = 400, .check = ski_check_connection_name),
    STRING(scalekit_create_connected_account_params, identifier, "identifier",
           .flags = SKI_REQUIRED, .max = 100),
    STRING(scalekit_create_connected_account_params, organization_id, "organization_id", .max = 32),
    STRING(scalekit_create_connected_account_params, user_id, "user_id", .max = 32),
    FLAT(new_account_type, "connected_account"),
    END,
};
const struct ski_type ski_create_connected_account_type =
    TYPE(scalekit_create_connected_account_params, create_fields);

const char *ski_check_create_connected_account(const void *params, const char **parameter)
{
    const struct scalekit_create_connected_account_params *p = params;

    return check_details(p->authorization_details, parameter);
}

static const struct ski_field changed_account_fields[] = {
    OBJECT(scalekit_update_connected_account_params, authorization_details,
           scalekit_authorization_details, authorization_details_type, "authorization_details"),
    JSON(scalekit_update_connected_account_params, api_config, "api_config", .flags = SKI_SECRET),
    END,
};
static const struct ski_type changed_account_type =
    TYPE(scalekit_update_connected_account_params, changed_account_fields);

static const struct ski_field update_fields[] = {
    ACCOUNT_KEY(scalekit_update_connected_account_params),
    FLAT(changed_account_type, "connected_account"),
    END,
};
static const struct ski_type update_type =
    TYPE(scalekit_update_connected_account_params, update_fields);

static const char *check_update(const void *params, const char **parameter)
{
    const struct scalekit_update_connected_account_params *p = params;
    const char *problem = ski_check_account_key(p->connected_account_id, p->connection_name,
                                                p->identifier, parameter);

    return problem ? problem : check_details(p->authorization_details, parameter);
}

static const struct ski_field list_fields[] = {
    STRING(scalekit_list_connected_accounts_params, connection_name, "connector", .max = 400,
           .check = ski_check_connection_name),
    STRINGS(scalekit_list_connected_accounts_params, connection_names, "connection_names", .min = 1,
            .max = 400, .max_items = 20, .check = ski_check_connection_name),
    STRING(scalekit_list_connected_accounts_params, identifier, "identifier", .max = 100),
    STRING(scalekit_list_connected_accounts_params, provider, "provider", .max = 50),
    STRING(scalekit_list_connected_accounts_params, organization_id, "organization_id", .max = 32),
    STRING(scalekit_list_connected_accounts_params, user_id, "user_id", .max = 32),
    STRING(scalekit_list_connected_accounts_params, query, "query", .max = 100),
    INTEGER(scalekit_list_connected_accounts_params, page_size, "page_size", .min = 1, .max = 99),
    STRING(scalekit_list_connected_accounts_params, page_token, "page_token", .max = 100),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_connected_accounts_params, list_fields);

static const char *check_list(const void *params, const char **parameter)
{
    const struct scalekit_list_connected_accounts_params *p = params;

    if (!p->connection_name || !p->n_connection_names)
        return NULL;
    *parameter = "connection_names";
    return "connection_names cannot be given together with connection_name";
}

static const struct ski_field search_fields[] = {
    STRING(scalekit_search_connected_accounts_params, query, "query", .flags = SKI_REQUIRED,
           .min = 3, .max = 200),
    STRING(scalekit_search_connected_accounts_params, connection_id, "connection_id", .max = 32),
    INTEGER(scalekit_search_connected_accounts_params, page_size, "page_size", .min = 1, .max = 30),
    STRING(scalekit_search_connected_accounts_params, page_token, "page_token"),
    END,
};
static const struct ski_type search_type =
    TYPE(scalekit_search_connected_accounts_params, search_fields);

static const struct ski_field verify_fields[] = {
    STRING(scalekit_verify_connected_account_user_params, auth_request_id, "auth_request_id",
           .flags = SKI_REQUIRED | SKI_SECRET, .min = 1, .max = 1000),
    STRING(scalekit_verify_connected_account_user_params, identifier, "identifier",
           .flags = SKI_REQUIRED, .min = 1, .max = 200),
    END,
};
static const struct ski_type verify_type =
    TYPE(scalekit_verify_connected_account_user_params, verify_fields);

static const struct ski_field verification_fields[] = {
    STRING(scalekit_user_verification, post_user_verify_redirect_url,
           "post_user_verify_redirect_url"),
    END,
};
static const struct ski_type verification_type =
    TYPE(scalekit_user_verification, verification_fields);

/* --- delivery ---------------------------------------------------------------------------------- */

void ski_deliver_connected_account(scalekit_request *request, ski_callback cb, const void *result,
                                   void *user)
{
    ((scalekit_connected_account_cb)cb)(request, result, user);
}

DELIVER(deliver_page, scalekit_connected_account_page_cb)
DELIVER(deliver_verification, scalekit_user_verification_cb)

/* --- operations -------------------------------------------------------------------------------- */

static scalekit_request *start_create(scalekit_client *client, const void *params, ski_callback cb,
                                      void *user);

enum { GET_AUTH, GET_DETAILS, GET_BY_ID, DELETE, DISCONNECT, CREATE, UPDATE, LIST, SEARCH, VERIFY };

#define ACCOUNT_RESULT                                                                             \
    .result = &account_answer_type,                                                                \
    .result_offset = offsetof(struct account_answer, connected_account),                           \
    .deliver = ski_deliver_connected_account

const struct ski_operation ski_connected_account_operations[] = {
    [GET_AUTH] = {.name = "get_connected_account",
                  .method = "GET",
                  .path = "/api/v1/connected_accounts/auth",
                  .summary = "an account with its tokens",
                  .placement = SKI_IN_QUERY,
                  .idempotency = SKI_SAFE,
                  .params = &key_type,
                  .check = check_scalekit_account_key,
                  ACCOUNT_RESULT},
    [GET_DETAILS] = {.name = "get_connected_account_details",
                     .method = "GET",
                     .path = "/api/v1/connected_accounts/details",
                     .summary = "an account without secrets",
                     .placement = SKI_IN_QUERY,
                     .idempotency = SKI_SAFE,
                     .params = &key_type,
                     .check = check_scalekit_account_key,
                     ACCOUNT_RESULT},
    [GET_BY_ID] = {.name = "get_connected_account_by_id",
                   .method = "GET",
                   .path = "/api/v1/connected_accounts/{id}",
                   .summary = "an account by its id, with its tokens",
                   .placement = SKI_IN_QUERY,
                   .idempotency = SKI_SAFE,
                   .preview = true,
                   .params = &id_type,
                   ACCOUNT_RESULT},
    [DELETE] = {.name = "delete_connected_account",
                .method = "POST",
                .path = "/api/v1/connected_accounts:delete",
                .summary = "deletes an account",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_IDEMPOTENT,
                .params = &key_type,
                .check = check_scalekit_account_key,
                .deliver = ski_deliver_done},
    [DISCONNECT] = {.name = "disconnect_connected_account",
                    .method = "POST",
                    .path = "/api/v1/connected_accounts/{id}:disconnect",
                    .summary = "takes its tokens from an account",
                    .placement = SKI_IN_BODY,
                    .idempotency = SKI_IDEMPOTENT,
                    .preview = true,
                    .params = &id_type,
                    ACCOUNT_RESULT},
    [CREATE] = {.name = "create_connected_account",
                .method = "POST",
                .path = "/api/v1/connected_accounts",
                .summary = "a new account",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_UNSAFE,
                .params = &ski_create_connected_account_type,
                .check = ski_check_create_connected_account,
                .start = start_create,
                ACCOUNT_RESULT},
    [UPDATE] = {.name = "update_connected_account",
                .method = "PUT",
                .path = "/api/v1/connected_accounts",
                .summary = "changes an account",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_IDEMPOTENT,
                .params = &update_type,
                .check = check_update,
                ACCOUNT_RESULT},
    [LIST] = {.name = "list_connected_accounts",
              .method = "GET",
              .path = "/api/v1/connected_accounts",
              .summary = "accounts, a page at a time",
              .placement = SKI_IN_QUERY,
              .idempotency = SKI_SAFE,
              .params = &list_type,
              .check = check_list,
              .result = &page_type,
              .result_offset = SKI_WHOLE_RESULT,
              .deliver = deliver_page},
    [SEARCH] = {.name = "search_connected_accounts",
                .method = "GET",
                .path = "/api/v1/connected_accounts:search",
                .summary = "accounts that a text is found in",
                .placement = SKI_IN_QUERY,
                .idempotency = SKI_SAFE,
                .params = &search_type,
                .result = &page_type,
                .result_offset = SKI_WHOLE_RESULT,
                .deliver = deliver_page},
    [VERIFY] = {.name = "verify_connected_account_user",
                .method = "POST",
                .path = "/api/v1/connected_accounts/user/verify",
                .summary = "says that the right user has consented",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_UNSAFE,
                .params = &verify_type,
                .result = &verification_type,
                .result_offset = SKI_WHOLE_RESULT,
                .deliver = deliver_verification},
    {.name = NULL},
};

/* Without details the service is told that OAuth is meant. */
static scalekit_request *start_create(scalekit_client *client, const void *params, ski_callback cb,
                                      void *user)
{
    static const struct scalekit_oauth_token oauth = {.struct_size = sizeof oauth};
    static const struct scalekit_authorization_details details = {.struct_size = sizeof details,
                                                                  .oauth_token = &oauth};
    struct scalekit_create_connected_account_params complete;

    params = ski_params_copy(&complete, sizeof complete, params);
    if (params == &complete && !complete.authorization_details)
        complete.authorization_details = &details;
    return ski_request_start(client, &ski_connected_account_operations[CREATE], params, cb, user);
}

scalekit_request *scalekit_get_connected_account(scalekit_client *client,
                                                 const struct scalekit_account_key *key,
                                                 scalekit_connected_account_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[GET_AUTH], key,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_get_connected_account_details(scalekit_client *client,
                                                         const struct scalekit_account_key *key,
                                                         scalekit_connected_account_cb cb,
                                                         void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[GET_DETAILS], key,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_get_connected_account_by_id(
    scalekit_client *client, const struct scalekit_connected_account_id_key *params,
    scalekit_connected_account_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[GET_BY_ID], params,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_connected_account(scalekit_client *client,
                                                    const struct scalekit_account_key *key,
                                                    scalekit_done_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[DELETE], key,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_disconnect_connected_account(
    scalekit_client *client, const struct scalekit_connected_account_id_key *params,
    scalekit_connected_account_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[DISCONNECT], params,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_create_connected_account(
    scalekit_client *client, const struct scalekit_create_connected_account_params *params,
    scalekit_connected_account_cb cb, void *user)
{
    return start_create(client, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_connected_account(
    scalekit_client *client, const struct scalekit_update_connected_account_params *params,
    scalekit_connected_account_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[UPDATE], params,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_list_connected_accounts(
    scalekit_client *client, const struct scalekit_list_connected_accounts_params *params,
    scalekit_connected_account_page_cb cb, void *user)
{
    static const struct scalekit_list_connected_accounts_params everything = {
        .struct_size = sizeof everything};

    if (!params)
        params = &everything;
    return ski_request_start(client, &ski_connected_account_operations[LIST], params,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_search_connected_accounts(
    scalekit_client *client, const struct scalekit_search_connected_accounts_params *params,
    scalekit_connected_account_page_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[SEARCH], params,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_verify_connected_account_user(
    scalekit_client *client, const struct scalekit_verify_connected_account_user_params *params,
    scalekit_user_verification_cb cb, void *user)
{
    return ski_request_start(client, &ski_connected_account_operations[VERIFY], params,
                             (ski_callback)cb, user);
}
