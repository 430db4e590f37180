#include "api/connection_config.h"
#include "api/operations.h"
#include "core/request.h"
#include <scalekit/connection.h>
#include <string.h>

/* --- words ------------------------------------------------------------------------------------- */

static const struct ski_word provider_words[] = {
    {SCALEKIT_CONNECTION_PROVIDER_OKTA, "OKTA"},
    {SCALEKIT_CONNECTION_PROVIDER_GOOGLE, "GOOGLE"},
    {SCALEKIT_CONNECTION_PROVIDER_MICROSOFT_AD, "MICROSOFT_AD"},
    {SCALEKIT_CONNECTION_PROVIDER_AUTH0, "AUTH0"},
    {SCALEKIT_CONNECTION_PROVIDER_ONELOGIN, "ONELOGIN"},
    {SCALEKIT_CONNECTION_PROVIDER_PING_IDENTITY, "PING_IDENTITY"},
    {SCALEKIT_CONNECTION_PROVIDER_JUMPCLOUD, "JUMPCLOUD"},
    {SCALEKIT_CONNECTION_PROVIDER_CUSTOM, "CUSTOM"},
    {SCALEKIT_CONNECTION_PROVIDER_GITHUB, "GITHUB"},
    {SCALEKIT_CONNECTION_PROVIDER_GITLAB, "GITLAB"},
    {SCALEKIT_CONNECTION_PROVIDER_LINKEDIN, "LINKEDIN"},
    {SCALEKIT_CONNECTION_PROVIDER_SALESFORCE, "SALESFORCE"},
    {SCALEKIT_CONNECTION_PROVIDER_MICROSOFT, "MICROSOFT"},
    {SCALEKIT_CONNECTION_PROVIDER_IDP_SIMULATOR, "IDP_SIMULATOR"},
    {SCALEKIT_CONNECTION_PROVIDER_SCALEKIT, "SCALEKIT"},
    {SCALEKIT_CONNECTION_PROVIDER_ADFS, "ADFS"},
    {0, NULL},
};

static const struct ski_word type_words[] = {
    {SCALEKIT_CONNECTION_TYPE_OIDC, "OIDC"},
    {SCALEKIT_CONNECTION_TYPE_SAML, "SAML"},
    {SCALEKIT_CONNECTION_TYPE_PASSWORD, "PASSWORD"},
    {SCALEKIT_CONNECTION_TYPE_OAUTH, "OAUTH"},
    {SCALEKIT_CONNECTION_TYPE_PASSWORDLESS, "PASSWORDLESS"},
    {SCALEKIT_CONNECTION_TYPE_BASIC, "BASIC"},
    {SCALEKIT_CONNECTION_TYPE_BEARER, "BEARER"},
    {SCALEKIT_CONNECTION_TYPE_API_KEY, "API_KEY"},
    {SCALEKIT_CONNECTION_TYPE_WEBAUTHN, "WEBAUTHN"},
    {SCALEKIT_CONNECTION_TYPE_OAUTH_M2M, "OAUTH_M2M"},
    {SCALEKIT_CONNECTION_TYPE_TRELLO_OAUTH1, "TRELLO_OAUTH1"},
    {SCALEKIT_CONNECTION_TYPE_GOOGLE_DWD, "GOOGLE_DWD"},
    {SCALEKIT_CONNECTION_TYPE_TRUSTED_IDP, "TRUSTED_IDP"},
    {SCALEKIT_CONNECTION_TYPE_SMART_FHIR, "SMART_FHIR"},
    {SCALEKIT_CONNECTION_TYPE_NO_AUTH, "NO_AUTH"},
    {0, NULL},
};

static const struct ski_word status_words[] = {
    {SCALEKIT_CONNECTION_STATUS_DRAFT, "DRAFT"},
    {SCALEKIT_CONNECTION_STATUS_IN_PROGRESS, "IN_PROGRESS"},
    {SCALEKIT_CONNECTION_STATUS_COMPLETED, "COMPLETED"},
    {0, NULL},
};

static const struct ski_word configuration_words[] = {
    {SCALEKIT_CONFIGURATION_DISCOVERY, "DISCOVERY"},
    {SCALEKIT_CONFIGURATION_MANUAL, "MANUAL"},
    {0, NULL},
};

static const struct ski_word verification_words[] = {
    {SCALEKIT_DOMAIN_PENDING, "PENDING"},
    {SCALEKIT_DOMAIN_VERIFIED, "VERIFIED"},
    {SCALEKIT_DOMAIN_FAILED, "FAILED"},
    {SCALEKIT_DOMAIN_AUTO_VERIFIED, "AUTO_VERIFIED"},
    {0, NULL},
};

static const struct ski_word domain_words[] = {
    {SCALEKIT_DOMAIN_TYPE_ALLOWED_EMAIL_DOMAIN, "ALLOWED_EMAIL_DOMAIN"},
    {SCALEKIT_DOMAIN_TYPE_ORGANIZATION_DOMAIN, "ORGANIZATION_DOMAIN"},
    {0, NULL},
};

static const struct ski_word method_words[] = {
    {SCALEKIT_DOMAIN_METHOD_ADMIN, "ADMIN"},
    {SCALEKIT_DOMAIN_METHOD_DNS, "DNS"},
    {SCALEKIT_DOMAIN_METHOD_NOT_APPLICABLE, "NOT_APPLICABLE"},
    {0, NULL},
};

static const struct ski_word test_words[] = {
    {SCALEKIT_CONNECTION_TEST_PENDING, "PENDING"},
    {SCALEKIT_CONNECTION_TEST_SUCCESS, "SUCCESS"},
    {SCALEKIT_CONNECTION_TEST_FAILURE, "FAILURE"},
    {0, NULL},
};

/* --- the connection ---------------------------------------------------------------------------- */

static const struct ski_field domain_fields[] = {
    STRING(scalekit_domain, id, "id"),
    STRING(scalekit_domain, domain, "domain"),
    STRING(scalekit_domain, environment_id, "environment_id"),
    STRING(scalekit_domain, organization_id, "organization_id"),
    STRING(scalekit_domain, txt_record_key, "txt_record_key"),
    STRING(scalekit_domain, txt_record_secret, "txt_record_secret", .flags = SKI_SECRET),
    ENUM(scalekit_domain, verification_status, scalekit_domain_verification_status,
         verification_words, "verification_status"),
    TIMESTAMP(scalekit_domain, create_time, "create_time"),
    TIMESTAMP(scalekit_domain, update_time, "update_time"),
    ENUM(scalekit_domain, domain_type, scalekit_domain_type, domain_words, "domain_type"),
    ENUM(scalekit_domain, verification_method, scalekit_domain_verification_method, method_words,
         "verification_method"),
    END,
};
static const struct ski_type domain_type = TYPE(scalekit_domain, domain_fields);

static const struct ski_field connection_fields[] = {
    STRING(scalekit_connection, id, "id"),
    ENUM(scalekit_connection, provider, scalekit_connection_provider, provider_words, "provider"),
    ENUM(scalekit_connection, type, scalekit_connection_type, type_words, "type"),
    ENUM(scalekit_connection, status, scalekit_connection_status, status_words, "status"),
    BOOLEAN(scalekit_connection, enabled, "enabled"),
    BOOLEAN(scalekit_connection, debug_enabled, "debug_enabled"),
    STRING(scalekit_connection, organization_id, "organization_id"),
    STRING(scalekit_connection, ui_button_title, "ui_button_title"),
    ENUM(scalekit_connection, configuration_type, scalekit_configuration_type, configuration_words,
         "configuration_type"),
    STRING(scalekit_connection, test_connection_uri, "test_connection_uri", .flags = SKI_SECRET),
    MAP(scalekit_connection, attribute_mapping, "attribute_mapping"),
    TIMESTAMP(scalekit_connection, create_time, "create_time"),
    TIMESTAMP(scalekit_connection, update_time, "update_time"),
    OBJECT(scalekit_connection, oidc_config, scalekit_oidc_config, ski_oidc_config_type,
           "oidc_config"),
    OBJECT(scalekit_connection, saml_config, scalekit_saml_config, ski_saml_config_type,
           "saml_config"),
    OBJECT(scalekit_connection, oauth_config, scalekit_oauth_config, ski_oauth_config_type,
           "oauth_config"),
    OBJECT(scalekit_connection, passwordless_config, scalekit_passwordless_config,
           ski_passwordless_config_type, "passwordless_config"),
    OBJECT(scalekit_connection, static_config, scalekit_static_config, ski_static_config_type,
           "static_config"),
    OBJECT(scalekit_connection, webauthn_config, scalekit_webauthn_config, ski_webauthn_config_type,
           "webauthn_config"),
    OBJECT(scalekit_connection, google_dwd_config, scalekit_google_dwd_config,
           ski_google_dwd_config_type, "google_dwd_config"),
    STRING(scalekit_connection, key_id, "key_id"),
    STRING(scalekit_connection, provider_key, "provider_key"),
    OBJECTS(scalekit_connection, domains, scalekit_domain, domain_type, "domains"),
    STRING(scalekit_connection, mcp_server_url, "mcp_server_url"),
    END,
};
static const struct ski_type connection_type = TYPE(scalekit_connection, connection_fields);

struct connection_answer {
    size_t struct_size;
    const struct scalekit_connection *connection;
};

static const struct ski_field answer_fields[] = {
    OBJECT(connection_answer, connection, scalekit_connection, connection_type, "connection",
           .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type answer_type = TYPE(connection_answer, answer_fields);

static const struct ski_field summary_fields[] = {
    STRING(scalekit_connection_summary, id, "id"),
    ENUM(scalekit_connection_summary, provider, scalekit_connection_provider, provider_words,
         "provider"),
    ENUM(scalekit_connection_summary, type, scalekit_connection_type, type_words, "type"),
    ENUM(scalekit_connection_summary, status, scalekit_connection_status, status_words, "status"),
    BOOLEAN(scalekit_connection_summary, enabled, "enabled"),
    STRING(scalekit_connection_summary, organization_id, "organization_id"),
    STRING(scalekit_connection_summary, ui_button_title, "ui_button_title"),
    STRINGS(scalekit_connection_summary, domains, "domains"),
    STRING(scalekit_connection_summary, organization_name, "organization_name"),
    STRING(scalekit_connection_summary, provider_key, "provider_key"),
    STRING(scalekit_connection_summary, key_id, "key_id"),
    TIMESTAMP(scalekit_connection_summary, created_at, "created_at"),
    STRING(scalekit_connection_summary, mcp_server_url, "mcp_server_url"),
    END,
};
static const struct ski_type summary_type = TYPE(scalekit_connection_summary, summary_fields);

static const struct ski_field page_fields[] = {
    OBJECTS(scalekit_connection_page, connections, scalekit_connection_summary, summary_type,
            "connections"),
    INTEGER(scalekit_connection_page, total_size, "total_size"),
    STRING(scalekit_connection_page, next_page_token, "next_page_token"),
    STRING(scalekit_connection_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type page_type = TYPE(scalekit_connection_page, page_fields);

static const struct ski_field toggle_fields[] = {
    BOOLEAN(scalekit_connection_toggle, enabled, "enabled"),
    STRING(scalekit_connection_toggle, error_message, "error_message"),
    END,
};
static const struct ski_type toggle_type = TYPE(scalekit_connection_toggle, toggle_fields);

static const struct ski_field result_fields[] = {
    ENUM(scalekit_connection_test_result, status, scalekit_connection_test_status, test_words,
         "status"),
    STRING(scalekit_connection_test_result, user_info, "user_info", .flags = SKI_SECRET),
    STRING(scalekit_connection_test_result, error, "error"),
    STRING(scalekit_connection_test_result, error_description, "error_description"),
    STRING(scalekit_connection_test_result, error_details, "error_details"),
    END,
};
static const struct ski_type result_type = TYPE(scalekit_connection_test_result, result_fields);

/* --- parameters -------------------------------------------------------------------------------- */

#define CONNECTION_ID(S)                                                                           \
    STRING(S, connection_id, "connection_id", .flags = SKI_REQUIRED | SKI_PATH, .min = 1, .max = 32)

static const struct ski_field key_fields[] = {
    CONNECTION_ID(scalekit_connection_key),
    END,
};
static const struct ski_type key_type = TYPE(scalekit_connection_key, key_fields);

static const struct ski_field create_fields[] = {
    ENUM(scalekit_create_environment_connection_params, provider, scalekit_connection_provider,
         provider_words, "provider"),
    ENUM(scalekit_create_environment_connection_params, type, scalekit_connection_type, type_words,
         "type"),
    STRING(scalekit_create_environment_connection_params, provider_key, "provider_key"),
    STRING(scalekit_create_environment_connection_params, key_id, "key_id"),
    BOOLEAN(scalekit_create_environment_connection_params, is_login, "flags.is_login",
            .flags = SKI_QUERY),
    BOOLEAN(scalekit_create_environment_connection_params, is_app, "flags.is_app",
            .flags = SKI_QUERY),
    END,
};
static const struct ski_type create_type =
    TYPE(scalekit_create_environment_connection_params, create_fields);

static const struct ski_field update_fields[] = {
    CONNECTION_ID(scalekit_update_environment_connection_params),
    ENUM(scalekit_update_environment_connection_params, provider, scalekit_connection_provider,
         provider_words, "provider"),
    ENUM(scalekit_update_environment_connection_params, type, scalekit_connection_type, type_words,
         "type"),
    CHOICE(scalekit_update_environment_connection_params, debug_enabled, "debug_enabled"),
    STRING(scalekit_update_environment_connection_params, ui_button_title, "ui_button_title"),
    ENUM(scalekit_update_environment_connection_params, configuration_type,
         scalekit_configuration_type, configuration_words, "configuration_type"),
    MAP(scalekit_update_environment_connection_params, attribute_mapping, "attribute_mapping",
        .key_min = 1, .key_max = 100, .min = 1, .max = 256, .max_items = 30),
    OBJECT(scalekit_update_environment_connection_params, oidc_config, scalekit_oidc_config,
           ski_oidc_config_type, "oidc_config"),
    OBJECT(scalekit_update_environment_connection_params, saml_config, scalekit_saml_config_params,
           ski_saml_config_params_type, "saml_config"),
    OBJECT(scalekit_update_environment_connection_params, oauth_config, scalekit_oauth_config,
           ski_oauth_config_type, "oauth_config"),
    OBJECT(scalekit_update_environment_connection_params, passwordless_config,
           scalekit_passwordless_config, ski_passwordless_config_type, "passwordless_config"),
    OBJECT(scalekit_update_environment_connection_params, static_config, scalekit_static_config,
           ski_static_config_type, "static_config"),
    OBJECT(scalekit_update_environment_connection_params, webauthn_config, scalekit_webauthn_config,
           ski_webauthn_config_type, "webauthn_config"),
    OBJECT(scalekit_update_environment_connection_params, google_dwd_config,
           scalekit_google_dwd_config, ski_google_dwd_config_type, "google_dwd_config"),
    STRING(scalekit_update_environment_connection_params, key_id, "key_id", .min = 1, .max = 300),
    STRING(scalekit_update_environment_connection_params, provider_key, "provider_key"),
    END,
};
static const struct ski_type update_type =
    TYPE(scalekit_update_environment_connection_params, update_fields);

static const char *check_test_id(const char *value)
{
    return strncmp(value, "test_", 5) == 0 ? NULL : "must begin with test_";
}

static const struct ski_field test_fields[] = {
    STRING(scalekit_get_connection_test_result_params, connection_id, "connection_id",
           .flags = SKI_REQUIRED | SKI_PATH, .min = 1),
    STRING(scalekit_get_connection_test_result_params, test_request_id, "test_request_id",
           .flags = SKI_REQUIRED | SKI_PATH, .min = 1, .check = check_test_id),
    END,
};
static const struct ski_type test_type =
    TYPE(scalekit_get_connection_test_result_params, test_fields);

static const struct ski_field list_fields[] = {
    INTEGER(scalekit_list_app_connections_params, page_size, "page_size", .min = 1, .max = 30),
    STRING(scalekit_list_app_connections_params, page_token, "page_token"),
    STRING(scalekit_list_app_connections_params, provider, "provider", .min = 1, .max = 50),
    STRING(scalekit_list_app_connections_params, query, "query", .min = 3, .max = 100),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_app_connections_params, list_fields);

/* --- rules ------------------------------------------------------------------------------------- */

static bool is_text(const char *text, const char *expected)
{
    return text && strcmp(text, expected) == 0;
}

static const char *word(const struct ski_word *words, int value, const char *text)
{
    const char *known = value ? ski_word_of(words, value) : NULL;

    return known ? known : text;
}

/* What says which kind of connection it is, of a new one and of a changed one. */
static const char *check_kind(const char *provider, const char *type, const char *provider_key,
                              const char *key_id, const char **parameter)
{
    *parameter = "provider_key";
    if (!provider && (!provider_key || !*provider_key))
        return "provider_key or provider must be given";
    if (is_text(provider, "SCALEKIT") && !is_text(provider_key, "SCALEKIT"))
        return "provider_key must be SCALEKIT when the provider is";
    *parameter = "key_id";
    if (is_text(type, "WEBAUTHN") && !is_text(key_id, "WEBAUTHN"))
        return "key_id must be WEBAUTHN when the type is";
    return NULL;
}
#define CHECK_KIND(p, parameter)                                                                   \
    check_kind(word(provider_words, (int)(p)->provider, (p)->provider_text),                       \
               word(type_words, (int)(p)->type, (p)->type_text), (p)->provider_key, (p)->key_id,   \
               parameter)

static const char *check_create(const void *params, const char **parameter)
{
    const struct scalekit_create_environment_connection_params *p = params;

    return CHECK_KIND(p, parameter);
}

/* Each configuration may be there, but not two of them. */
static const char *check_one_config(const struct scalekit_update_environment_connection_params *p,
                                    const char **parameter)
{
    const struct {
        const void *config;
        const char *name;
    } configs[] = {
        {p->oidc_config, "oidc_config"},
        {p->saml_config, "saml_config"},
        {p->oauth_config, "oauth_config"},
        {p->passwordless_config, "passwordless_config"},
        {p->static_config, "static_config"},
        {p->webauthn_config, "webauthn_config"},
        {p->google_dwd_config, "google_dwd_config"},
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        *parameter = configs[i].name;
        n += configs[i].config != NULL;
        if (n == 2)
            return "only one of oidc_config, saml_config, oauth_config, passwordless_config, "
                   "static_config, webauthn_config, google_dwd_config may be given";
    }
    return NULL;
}

static const char *check_update(const void *params, const char **parameter)
{
    const struct scalekit_update_environment_connection_params *p = params;
    const struct scalekit_webauthn_rp *rp = p->webauthn_config ? p->webauthn_config->rp : NULL;
    const char *problem = CHECK_KIND(p, parameter);

    if (!problem)
        problem = check_one_config(p, parameter);
    if (problem || !rp || (rp->n_ids && rp->n_origins))
        return problem;
    *parameter = rp->n_ids ? "origins" : "ids";
    return rp->n_ids ? "webauthn_config.rp.origins must have at least 1 item"
                     : "webauthn_config.rp.ids must have at least 1 item";
}

/* --- operations -------------------------------------------------------------------------------- */

DELIVER(deliver_connection, scalekit_connection_cb)
DELIVER(deliver_page, scalekit_connection_page_cb)
DELIVER(deliver_toggle, scalekit_connection_toggle_cb)
DELIVER(deliver_test_result, scalekit_connection_test_result_cb)

enum { CREATE, GET, UPDATE, DELETE, ENABLE, DISABLE, TEST_RESULT, LIST };

#define CONNECTIONS "/api/v1/connections"

#define CONNECTION_RESULT                                                                          \
    .result = &answer_type, .result_offset = offsetof(struct connection_answer, connection),       \
    .deliver = deliver_connection

#define WHOLE_RESULT(T, callback)                                                                  \
    .result = &T, .result_offset = SKI_WHOLE_RESULT, .deliver = callback

const struct ski_operation ski_connection_operations[] = {
    [CREATE] = {.name = "create_environment_connection",
                .method = "POST",
                .path = CONNECTIONS,
                .summary = "a new connection",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_UNSAFE,
                .preview = true,
                .params = &create_type,
                .check = check_create,
                CONNECTION_RESULT},
    [GET] = {.name = "get_environment_connection",
             .method = "GET",
             .path = CONNECTIONS "/{connection_id}",
             .summary = "a connection with its configuration",
             .placement = SKI_IN_QUERY,
             .idempotency = SKI_SAFE,
             .preview = true,
             .params = &key_type,
             CONNECTION_RESULT},
    [UPDATE] = {.name = "update_environment_connection",
                .method = "PATCH",
                .path = CONNECTIONS "/{connection_id}",
                .summary = "changes a connection",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &update_type,
                .check = check_update,
                CONNECTION_RESULT},
    [DELETE] = {.name = "delete_environment_connection",
                .method = "DELETE",
                .path = CONNECTIONS "/{connection_id}",
                .summary = "deletes a connection",
                .placement = SKI_IN_QUERY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &key_type,
                .deliver = ski_deliver_done},
    [ENABLE] = {.name = "enable_environment_connection",
                .method = "PATCH",
                .path = CONNECTIONS "/{connection_id}:enable",
                .summary = "switches a connection on",
                .placement = SKI_IN_QUERY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &key_type,
                WHOLE_RESULT(toggle_type, deliver_toggle)},
    [DISABLE] = {.name = "disable_environment_connection",
                 .method = "PATCH",
                 .path = CONNECTIONS "/{connection_id}:disable",
                 .summary = "switches a connection off",
                 .placement = SKI_IN_QUERY,
                 .idempotency = SKI_IDEMPOTENT,
                 .preview = true,
                 .params = &key_type,
                 WHOLE_RESULT(toggle_type, deliver_toggle)},
    [TEST_RESULT] = {.name = "get_connection_test_result",
                     .method = "GET",
                     .path = CONNECTIONS "/{connection_id}/test-requests/{test_request_id}",
                     .summary = "how a test of a connection went",
                     .placement = SKI_IN_QUERY,
                     .idempotency = SKI_SAFE,
                     .preview = true,
                     .params = &test_type,
                     WHOLE_RESULT(result_type, deliver_test_result)},
    [LIST] = {.name = "list_app_connections",
              .method = "GET",
              .path = CONNECTIONS "/app",
              .summary = "the connections that agents act by",
              .placement = SKI_IN_QUERY,
              .idempotency = SKI_SAFE,
              .preview = true,
              .params = &list_type,
              WHOLE_RESULT(page_type, deliver_page)},
    {.name = NULL},
};

scalekit_request *scalekit_create_environment_connection(
    scalekit_client *client, const struct scalekit_create_environment_connection_params *params,
    scalekit_connection_cb cb, void *user)
{
    return ski_request_start(client, &ski_connection_operations[CREATE], params, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_get_environment_connection(scalekit_client *client,
                                                      const struct scalekit_connection_key *key,
                                                      scalekit_connection_cb cb, void *user)
{
    return ski_request_start(client, &ski_connection_operations[GET], key, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_environment_connection(
    scalekit_client *client, const struct scalekit_update_environment_connection_params *params,
    scalekit_connection_cb cb, void *user)
{
    return ski_request_start(client, &ski_connection_operations[UPDATE], params, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_delete_environment_connection(scalekit_client *client,
                                                         const struct scalekit_connection_key *key,
                                                         scalekit_done_cb cb, void *user)
{
    return ski_request_start(client, &ski_connection_operations[DELETE], key, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_enable_environment_connection(scalekit_client *client,
                                                         const struct scalekit_connection_key *key,
                                                         scalekit_connection_toggle_cb cb,
                                                         void *user)
{
    return ski_request_start(client, &ski_connection_operations[ENABLE], key, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_disable_environment_connection(scalekit_client *client,
                                                          const struct scalekit_connection_key *key,
                                                          scalekit_connection_toggle_cb cb,
                                                          void *user)
{
    return ski_request_start(client, &ski_connection_operations[DISABLE], key, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_get_connection_test_result(
    scalekit_client *client, const struct scalekit_get_connection_test_result_params *params,
    scalekit_connection_test_result_cb cb, void *user)
{
    return ski_request_start(client, &ski_connection_operations[TEST_RESULT], params,
                             (ski_callback)cb, user);
}

scalekit_request *scalekit_list_app_connections(
    scalekit_client *client, const struct scalekit_list_app_connections_params *params,
    scalekit_connection_page_cb cb, void *user)
{
    static const struct scalekit_list_app_connections_params everything = {.struct_size =
                                                                               sizeof everything};

    if (!params)
        params = &everything;
    return ski_request_start(client, &ski_connection_operations[LIST], params, (ski_callback)cb,
                             user);
}
