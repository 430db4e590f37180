/* scalekit/connection.h - the connections of an environment: "gmail", "slack", each with its
 * provider, a way to authorize, and a configuration.
 *
 * Everything here is preview: the service may still change it.  Programs that only use connections
 * need none of it; connections are usually made in the dashboard.
 *
 * Limits, checked before anything is sent and again by the server: connection_id has 1 to 32
 * characters, others are said with their members.  What is out of limits fails with
 * SCALEKIT_ERR_INVALID and the parameter's name.
 *
 * Errors of every operation here, beside those of the network, the deadline and memory:
 * SCALEKIT_ERR_INVALID, SCALEKIT_ERR_SIGN_IN, SCALEKIT_ERR_BAD_REQUEST, SCALEKIT_ERR_UNAUTHORIZED,
 * SCALEKIT_ERR_FORBIDDEN, SCALEKIT_ERR_RATE_LIMITED, SCALEKIT_ERR_UNAVAILABLE, SCALEKIT_ERR_SERVER,
 * SCALEKIT_ERR_DECODE; of those that name a connection also SCALEKIT_ERR_NOT_FOUND: there is none
 * of that id. */
#ifndef SCALEKIT_CONNECTION_H
#define SCALEKIT_CONNECTION_H

#include <scalekit/connection_config.h>
#include <scalekit/request.h>

SCALEKIT_BEGIN

/* --- what a connection is ---------------------------------------------------------------------- */

/* The providers of sign-in.  Those of AgentKit have a provider_key of their own, "GMAIL". */
enum scalekit_connection_provider {
    SCALEKIT_CONNECTION_PROVIDER_UNKNOWN, /* absent, or a new word: see provider_text */
    SCALEKIT_CONNECTION_PROVIDER_OKTA,
    SCALEKIT_CONNECTION_PROVIDER_GOOGLE,
    SCALEKIT_CONNECTION_PROVIDER_MICROSOFT_AD,
    SCALEKIT_CONNECTION_PROVIDER_AUTH0,
    SCALEKIT_CONNECTION_PROVIDER_ONELOGIN,
    SCALEKIT_CONNECTION_PROVIDER_PING_IDENTITY,
    SCALEKIT_CONNECTION_PROVIDER_JUMPCLOUD,
    SCALEKIT_CONNECTION_PROVIDER_CUSTOM,
    SCALEKIT_CONNECTION_PROVIDER_GITHUB,
    SCALEKIT_CONNECTION_PROVIDER_GITLAB,
    SCALEKIT_CONNECTION_PROVIDER_LINKEDIN,
    SCALEKIT_CONNECTION_PROVIDER_SALESFORCE,
    SCALEKIT_CONNECTION_PROVIDER_MICROSOFT,
    SCALEKIT_CONNECTION_PROVIDER_IDP_SIMULATOR,
    SCALEKIT_CONNECTION_PROVIDER_SCALEKIT,
    SCALEKIT_CONNECTION_PROVIDER_ADFS
};

/* How a connection authorizes. */
enum scalekit_connection_type {
    SCALEKIT_CONNECTION_TYPE_UNKNOWN, /* absent, INVALID, or a new word: see type_text */
    SCALEKIT_CONNECTION_TYPE_OIDC,
    SCALEKIT_CONNECTION_TYPE_SAML,
    SCALEKIT_CONNECTION_TYPE_PASSWORD,
    SCALEKIT_CONNECTION_TYPE_OAUTH,
    SCALEKIT_CONNECTION_TYPE_PASSWORDLESS,
    SCALEKIT_CONNECTION_TYPE_BASIC,
    SCALEKIT_CONNECTION_TYPE_BEARER,
    SCALEKIT_CONNECTION_TYPE_API_KEY,
    SCALEKIT_CONNECTION_TYPE_WEBAUTHN,
    SCALEKIT_CONNECTION_TYPE_OAUTH_M2M,
    SCALEKIT_CONNECTION_TYPE_TRELLO_OAUTH1,
    SCALEKIT_CONNECTION_TYPE_GOOGLE_DWD,
    SCALEKIT_CONNECTION_TYPE_TRUSTED_IDP,
    SCALEKIT_CONNECTION_TYPE_SMART_FHIR,
    SCALEKIT_CONNECTION_TYPE_NO_AUTH
};

/* How far its configuration has come. */
enum scalekit_connection_status {
    SCALEKIT_CONNECTION_STATUS_UNKNOWN, /* absent, or a new word: see status_text */
    SCALEKIT_CONNECTION_STATUS_DRAFT,
    SCALEKIT_CONNECTION_STATUS_IN_PROGRESS,
    SCALEKIT_CONNECTION_STATUS_COMPLETED
};

/* Where its configuration comes from. */
enum scalekit_configuration_type {
    SCALEKIT_CONFIGURATION_UNKNOWN,   /* absent, or a new word: see configuration_type_text */
    SCALEKIT_CONFIGURATION_DISCOVERY, /* from the provider's discovery document */
    SCALEKIT_CONFIGURATION_MANUAL
};

enum scalekit_domain_verification_status {
    SCALEKIT_DOMAIN_UNKNOWN, /* absent, or a new word: see verification_status_text */
    SCALEKIT_DOMAIN_PENDING,
    SCALEKIT_DOMAIN_VERIFIED,
    SCALEKIT_DOMAIN_FAILED,
    SCALEKIT_DOMAIN_AUTO_VERIFIED
};

enum scalekit_domain_type {
    SCALEKIT_DOMAIN_TYPE_UNKNOWN, /* absent, or a new word: see domain_type_text */
    SCALEKIT_DOMAIN_TYPE_ALLOWED_EMAIL_DOMAIN,
    SCALEKIT_DOMAIN_TYPE_ORGANIZATION_DOMAIN
};

enum scalekit_domain_verification_method {
    SCALEKIT_DOMAIN_METHOD_UNKNOWN, /* absent, or a new word: see verification_method_text */
    SCALEKIT_DOMAIN_METHOD_ADMIN,
    SCALEKIT_DOMAIN_METHOD_DNS,
    SCALEKIT_DOMAIN_METHOD_NOT_APPLICABLE
};

/* A domain whose users sign in by a connection. */
struct scalekit_domain {
    size_t struct_size;
    const char *id;
    const char *domain; /* "example.com" */
    const char *environment_id;
    const char *organization_id;
    const char *txt_record_key;    /* of the DNS record that proves it */
    const char *txt_record_secret; /* secret */
    enum scalekit_domain_verification_status verification_status;
    const char *verification_status_text;
    scalekit_time create_time;
    scalekit_time update_time;
    enum scalekit_domain_type domain_type;
    const char *domain_type_text;
    enum scalekit_domain_verification_method verification_method;
    const char *verification_method_text;
};

/* A connection.  Text that is absent, null or empty on the wire is NULL. */
struct scalekit_connection {
    size_t struct_size;
    const char *id; /* "conn_24834495392086178" */
    enum scalekit_connection_provider provider;
    const char *provider_text; /* as the wire has it; NULL when absent; so with all _text */
    enum scalekit_connection_type type;
    const char *type_text;
    enum scalekit_connection_status status;
    const char *status_text;
    bool enabled;
    bool debug_enabled;
    const char *organization_id;
    const char *ui_button_title;
    enum scalekit_configuration_type configuration_type;
    const char *configuration_type_text;
    const char *test_connection_uri;                /* a page that tries it; secret */
    const struct scalekit_entry *attribute_mapping; /* of the user's attributes */
    size_t n_attribute_mapping;
    scalekit_time create_time;
    scalekit_time update_time;
    /* At most one of these is set, and says what kind of connection it is. */
    const struct scalekit_oidc_config *oidc_config;
    const struct scalekit_saml_config *saml_config;
    const struct scalekit_oauth_config *oauth_config;
    const struct scalekit_passwordless_config *passwordless_config;
    const struct scalekit_static_config *static_config;
    const struct scalekit_webauthn_config *webauthn_config;
    const struct scalekit_google_dwd_config *google_dwd_config;
    const char *key_id;
    const char *provider_key; /* "GMAIL" */
    const struct scalekit_domain *const *domains;
    size_t n_domains;
    const char *mcp_server_url;
};

/* A connection as a list has it. */
struct scalekit_connection_summary {
    size_t struct_size;
    const char *id;
    enum scalekit_connection_provider provider;
    const char *provider_text;
    enum scalekit_connection_type type;
    const char *type_text;
    enum scalekit_connection_status status;
    const char *status_text;
    bool enabled;
    const char *organization_id;
    const char *ui_button_title;
    const char *const *domains;
    size_t n_domains;
    const char *organization_name;
    const char *provider_key;
    const char *key_id;
    scalekit_time created_at;
    const char *mcp_server_url;
};

/* One page of connections. */
struct scalekit_connection_page {
    size_t struct_size;
    const struct scalekit_connection_summary *const *connections;
    size_t n_connections;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* --- operations -------------------------------------------------------------------------------- */

/* Completion with one connection; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_connection_cb)(scalekit_request *request,
                                       const struct scalekit_connection *connection, void *user);

/* Completion with a page of them; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_connection_page_cb)(scalekit_request *request,
                                            const struct scalekit_connection_page *page,
                                            void *user);

/* Which connection. */
struct scalekit_connection_key {
    size_t struct_size;
    const char *connection_id; /* required, 1 to 32 characters */
};

/* A new connection.  Checked together: a provider or a provider_key must be given; the provider
 * SCALEKIT needs the provider_key "SCALEKIT", the type WEBAUTHN the key_id "WEBAUTHN". */
struct scalekit_create_environment_connection_params {
    size_t struct_size;
    enum scalekit_connection_provider provider;
    const char *provider_text; /* instead of it, a word this version does not know */
    enum scalekit_connection_type type;
    const char *type_text; /* instead of it, a word this version does not know */
    const char *provider_key;
    const char *key_id;
    bool is_login; /* users sign in to your application with it */
    bool is_app;   /* agents act by it */
};

/* Creates a connection, without a configuration: an update brings it.  Preview.  Never sent twice
 * once a byte of it may have arrived.
 *
 * HTTP: POST /api/v1/connections.  Errors: SCALEKIT_ERR_CONFLICT: there is one with that key_id
 * already. */
SCALEKIT_API scalekit_request *scalekit_create_environment_connection(
    scalekit_client *client, const struct scalekit_create_environment_connection_params *params,
    scalekit_connection_cb cb, void *user);

/* A connection with its configuration.  Preview.
 *
 * HTTP: GET /api/v1/connections/{connection_id}. */
SCALEKIT_API scalekit_request *scalekit_get_environment_connection(
    scalekit_client *client, const struct scalekit_connection_key *key, scalekit_connection_cb cb,
    void *user);

/* What to change of a connection; what is absent stays.  A provider or a provider_key must be given
 * always, and the same rules hold as for a new one.  At most one of the seven configurations may be
 * given. */
struct scalekit_update_environment_connection_params {
    size_t struct_size;
    const char *connection_id; /* required, 1 to 32 characters */
    enum scalekit_connection_provider provider;
    const char *provider_text;
    enum scalekit_connection_type type;
    const char *type_text;
    enum scalekit_choice debug_enabled;
    const char *ui_button_title;
    enum scalekit_configuration_type configuration_type;
    const char *configuration_type_text;
    /* Up to 30 entries, keys of 1 to 100 characters, values of 1 to 256. */
    const struct scalekit_entry *attribute_mapping;
    size_t n_attribute_mapping;
    const struct scalekit_oidc_config *oidc_config;
    const struct scalekit_saml_config_params *saml_config;
    const struct scalekit_oauth_config *oauth_config;
    const struct scalekit_passwordless_config *passwordless_config;
    const struct scalekit_static_config *static_config;
    const struct scalekit_webauthn_config *webauthn_config;
    const struct scalekit_google_dwd_config *google_dwd_config;
    const char *key_id; /* 1 to 300 characters */
    const char *provider_key;
};

/* Changes a connection.  Preview.
 *
 * HTTP: PATCH /api/v1/connections/{connection_id}. */
SCALEKIT_API scalekit_request *scalekit_update_environment_connection(
    scalekit_client *client, const struct scalekit_update_environment_connection_params *params,
    scalekit_connection_cb cb, void *user);

/* Deletes a connection.  Preview.
 *
 * HTTP: DELETE /api/v1/connections/{connection_id}.  SCALEKIT_ERR_NOT_FOUND also when a retry finds
 * that the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_environment_connection(
    scalekit_client *client, const struct scalekit_connection_key *key, scalekit_done_cb cb,
    void *user);

/* What became of switching a connection on or off. */
struct scalekit_connection_toggle {
    size_t struct_size;
    bool enabled;              /* now */
    const char *error_message; /* why it is not as was asked for; NULL: it is */
};

/* Completion of switching; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_connection_toggle_cb)(scalekit_request *request,
                                              const struct scalekit_connection_toggle *toggle,
                                              void *user);

/* Switches a connection on.  Preview.  Look at `enabled`: the service may decline without an error.
 *
 * HTTP: PATCH /api/v1/connections/{connection_id}:enable. */
SCALEKIT_API scalekit_request *scalekit_enable_environment_connection(
    scalekit_client *client, const struct scalekit_connection_key *key,
    scalekit_connection_toggle_cb cb, void *user);

/* Switches a connection off.  Preview.
 *
 * HTTP: PATCH /api/v1/connections/{connection_id}:disable. */
SCALEKIT_API scalekit_request *scalekit_disable_environment_connection(
    scalekit_client *client, const struct scalekit_connection_key *key,
    scalekit_connection_toggle_cb cb, void *user);

/* Which test of which connection. */
struct scalekit_get_connection_test_result_params {
    size_t struct_size;
    const char *connection_id;   /* required; of any length here */
    const char *test_request_id; /* required, beginning with "test_" */
};

enum scalekit_connection_test_status {
    SCALEKIT_CONNECTION_TEST_UNKNOWN, /* a new word: see status_text; absent: still PENDING */
    SCALEKIT_CONNECTION_TEST_PENDING,
    SCALEKIT_CONNECTION_TEST_SUCCESS,
    SCALEKIT_CONNECTION_TEST_FAILURE
};

/* How a test of a connection went. */
struct scalekit_connection_test_result {
    size_t struct_size;
    enum scalekit_connection_test_status status;
    const char *status_text;
    const char *user_info; /* what the provider said about the user; secret, being personal */
    const char *error;
    const char *error_description;
    const char *error_details;
};

/* Completion with a test's result; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_connection_test_result_cb)(
    scalekit_request *request, const struct scalekit_connection_test_result *result, void *user);

/* How a test of a connection, begun in the dashboard, went.  Preview.
 *
 * HTTP: GET /api/v1/connections/{connection_id}/test-requests/{test_request_id}. */
SCALEKIT_API scalekit_request *scalekit_get_connection_test_result(
    scalekit_client *client, const struct scalekit_get_connection_test_result_params *params,
    scalekit_connection_test_result_cb cb, void *user);

/* Which connections to list.  All members may be absent. */
struct scalekit_list_app_connections_params {
    size_t struct_size;
    int64_t page_size;      /* 1 to 30; 0: the server's default */
    const char *page_token; /* of the page before */
    const char *provider;   /* 1 to 50 characters */
    const char *query;      /* text to search for, 3 to 100 characters */
};

/* Lists the connections that agents act by, a page at a time.  Preview.  `params` may be NULL: all
 * of them.
 *
 * HTTP: GET /api/v1/connections/app. */
SCALEKIT_API scalekit_request *scalekit_list_app_connections(
    scalekit_client *client, const struct scalekit_list_app_connections_params *params,
    scalekit_connection_page_cb cb, void *user);

SCALEKIT_END

#endif
