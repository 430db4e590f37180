/* scalekit/connection_config.h - how a connection reaches its provider: one structure per kind.
 *
 * The same structure is read from an answer and sent by an update, but for SAML, which has one of
 * each.  Secrets are there to be sent: do not count on the service to send them back.  Text that is
 * absent is NULL; a choice that is absent is SCALEKIT_UNSET; sent, both mean "unchanged".
 *
 * URLs, names and scopes have no limits here but the service's own.  Limits that are checked before
 * anything is sent stand with their members. */
#ifndef SCALEKIT_CONNECTION_CONFIG_H
#define SCALEKIT_CONNECTION_CONFIG_H

#include <scalekit/types.h>

SCALEKIT_BEGIN

/* --- OpenID Connect ---------------------------------------------------------------------------- */

/* How the client's secret travels to the token endpoint. */
enum scalekit_token_auth_type {
    SCALEKIT_TOKEN_AUTH_UNKNOWN,    /* absent, or a new word: see token_auth_type_text */
    SCALEKIT_TOKEN_AUTH_URL_PARAMS, /* as parameters */
    SCALEKIT_TOKEN_AUTH_BASIC_AUTH  /* in an Authorization header */
};

struct scalekit_oidc_config {
    size_t struct_size;
    const char *issuer;
    const char *discovery_endpoint;
    const char *authorize_uri;
    const char *token_uri;
    const char *user_info_uri;
    const char *jwks_uri;
    const char *client_id;
    const char *client_secret; /* secret */
    const char *const *scopes; /* of openid, profile, email, address, phone */
    size_t n_scopes;
    enum scalekit_token_auth_type token_auth_type;
    const char *token_auth_type_text;
    const char *redirect_uri; /* to register with the provider */
    enum scalekit_choice pkce_enabled;
    enum scalekit_choice idp_logout_required;
    const char *post_logout_redirect_uri;        /* from the service only */
    const char *backchannel_logout_redirect_uri; /* from the service only */
    enum scalekit_choice sync_user_profile_on_login;
    enum scalekit_choice jit_provisioning_with_sso_enabled;
};

/* --- SAML -------------------------------------------------------------------------------------- */

/* The form of the name that says who the user is. */
enum scalekit_name_id_format {
    SCALEKIT_NAME_ID_UNKNOWN,     /* absent, or a new word: see idp_name_id_format_text */
    SCALEKIT_NAME_ID_UNSPECIFIED, /* SAML's own "unspecified" */
    SCALEKIT_NAME_ID_EMAIL,
    SCALEKIT_NAME_ID_TRANSIENT,
    SCALEKIT_NAME_ID_PERSISTENT
};

/* How a request travels to the identity provider. */
enum scalekit_request_binding {
    SCALEKIT_REQUEST_BINDING_UNKNOWN, /* absent, or a new word: see the text beside it */
    SCALEKIT_REQUEST_BINDING_HTTP_POST,
    SCALEKIT_REQUEST_BINDING_HTTP_REDIRECT
};

/* What the identity provider must sign. */
enum scalekit_saml_signing_option {
    SCALEKIT_SAML_SIGNING_UNKNOWN, /* absent, or a new word: see saml_signing_option_text */
    SCALEKIT_SAML_SIGNING_NO_SIGNING,
    SCALEKIT_SAML_SIGNING_ONLY_RESPONSE,
    SCALEKIT_SAML_SIGNING_ONLY_ASSERTION,
    SCALEKIT_SAML_SIGNING_RESPONSE_AND_ASSERTION,
    SCALEKIT_SAML_SIGNING_RESPONSE_OR_ASSERTION
};

/* A certificate of the identity provider. */
struct scalekit_idp_certificate {
    size_t struct_size;
    const char *certificate; /* PEM */
    scalekit_time create_time;
    scalekit_time expiry_time;
    const char *id;
    const char *issuer;
};

/* SAML as an answer has it. */
struct scalekit_saml_config {
    size_t struct_size;
    const char *sp_entity_id; /* sp: what to register with the identity provider */
    const char *sp_assertion_url;
    const char *sp_metadata_url;
    const char *idp_metadata_url; /* idp: what the identity provider says about itself */
    const char *idp_entity_id;
    const char *idp_sso_url;
    const struct scalekit_idp_certificate *const *idp_certificates;
    size_t n_idp_certificates;
    const char *idp_slo_url;
    const char *ui_button_title;
    enum scalekit_name_id_format idp_name_id_format;
    const char *idp_name_id_format_text;
    enum scalekit_request_binding idp_sso_request_binding;
    const char *idp_sso_request_binding_text;
    enum scalekit_request_binding idp_slo_request_binding;
    const char *idp_slo_request_binding_text;
    enum scalekit_saml_signing_option saml_signing_option;
    const char *saml_signing_option_text;
    enum scalekit_choice allow_idp_initiated_login;
    enum scalekit_choice force_authn;
    const char *default_redirect_uri;
    enum scalekit_choice assertion_encrypted;
    enum scalekit_choice want_request_signed;
    const char *certificate_id;
    enum scalekit_choice idp_slo_required;
    const char *sp_slo_url;
    enum scalekit_choice sync_user_profile_on_login;
    enum scalekit_choice jit_provisioning_with_sso_enabled;
};

/* SAML as an update sends it. */
struct scalekit_saml_config_params {
    size_t struct_size;
    const char *idp_metadata_url;
    const char *idp_entity_id;
    const char *idp_sso_url;
    const char *idp_certificate; /* PEM */
    const char *idp_slo_url;
    const char *ui_button_title;
    enum scalekit_name_id_format idp_name_id_format;
    const char *idp_name_id_format_text;
    enum scalekit_request_binding idp_sso_request_binding;
    const char *idp_sso_request_binding_text;
    enum scalekit_request_binding idp_slo_request_binding;
    const char *idp_slo_request_binding_text;
    enum scalekit_saml_signing_option saml_signing_option;
    const char *saml_signing_option_text;
    enum scalekit_choice force_authn;
    const char *default_redirect_uri;
    enum scalekit_choice assertion_encrypted;
    enum scalekit_choice want_request_signed;
    const char *certificate_id;
    enum scalekit_choice idp_slo_required;
    const char *sp_entity_id;
    const char *sp_assertion_url;
    const char *sp_slo_url;
    enum scalekit_choice sync_user_profile_on_login;
    enum scalekit_choice jit_provisioning_with_sso_enabled;
};

/* --- OAuth ------------------------------------------------------------------------------------- */

/* Scopes that the user may refuse, and the parameter of the authorization URL that holds them. */
struct scalekit_optional_scopes {
    size_t struct_size;
    const char *const *scopes;
    size_t n_scopes;
    const char *field_name;
};

/* SMART on FHIR. */
struct scalekit_smart_config {
    size_t struct_size;
    const char *aud;
    const char *domain;
};

/* What some providers want beyond OAuth. */
struct scalekit_oauth_extensions {
    size_t struct_size;
    const struct scalekit_smart_config *smart;
    const struct scalekit_entry *extra_authorize_params; /* added to the authorization URL */
    size_t n_extra_authorize_params;
};

struct scalekit_oauth_config {
    size_t struct_size;
    const char *authorize_uri;
    const char *token_uri;
    const char *user_info_uri;
    const char *client_id;
    const char *client_secret; /* secret */
    const char *const *scopes;
    size_t n_scopes;
    const char *redirect_uri; /* to register with the provider */
    enum scalekit_choice pkce_enabled;
    const char *prompt;
    enum scalekit_choice use_platform_creds; /* Scalekit's own client instead of yours */
    const char *access_type;
    const char *custom_scope_name;
    enum scalekit_choice sync_user_profile_on_login;
    const char *token_access_type;
    const char *tenant_id;
    enum scalekit_choice is_cimd; /* from the service only */
    const char *app_name;
    const struct scalekit_optional_scopes *optional_scopes;
    const struct scalekit_oauth_extensions *extensions;
    const char *googleads_developer_token; /* secret */
    const char *token_endpoint_auth_method;
};

/* --- sign-in without a password ---------------------------------------------------------------- */

/* What the user is sent. */
enum scalekit_passwordless_type {
    SCALEKIT_PASSWORDLESS_UNKNOWN, /* absent, or a new word: see type_text */
    SCALEKIT_PASSWORDLESS_LINK,
    SCALEKIT_PASSWORDLESS_OTP, /* a code */
    SCALEKIT_PASSWORDLESS_LINK_OTP
};

/* What a code is made of. */
enum scalekit_code_challenge_type {
    SCALEKIT_CODE_CHALLENGE_UNKNOWN, /* absent, or a new word: see code_challenge_type_text */
    SCALEKIT_CODE_CHALLENGE_NUMERIC,
    SCALEKIT_CODE_CHALLENGE_ALPHANUMERIC
};

struct scalekit_passwordless_config {
    size_t struct_size;
    enum scalekit_passwordless_type type;
    const char *type_text;
    int64_t frequency; /* up to 4,294,967,295, like the other two numbers; 0: absent */
    int64_t validity;
    enum scalekit_choice enforce_same_browser_origin;
    int64_t code_challenge_length;
    enum scalekit_code_challenge_type code_challenge_type;
    const char *code_challenge_type_text;
    enum scalekit_choice regenerate_passwordless_credentials_on_resend;
};

/* --- passkeys ---------------------------------------------------------------------------------- */

/* The relying party.  Of both lists 1 to 10 items are sent. */
struct scalekit_webauthn_rp {
    size_t struct_size;
    const char *const *ids; /* domains */
    size_t n_ids;
    const char *const *origins; /* "https://app.example.com" */
    size_t n_origins;
};

struct scalekit_webauthn_attestation {
    size_t struct_size;
    const char *conveyance_preference;          /* "none", "indirect" or "direct" */
    const char *const *enterprise_approved_ids; /* up to 50 */
    size_t n_enterprise_approved_ids;
};

/* How authenticators are held against the FIDO Metadata Service.  A status is one of
 * NOT_FIDO_CERTIFIED, FIDO_CERTIFIED, USER_VERIFICATION_BYPASS, ATTESTATION_KEY_COMPROMISE,
 * USER_KEY_REMOTE_COMPROMISE, USER_KEY_PHYSICAL_COMPROMISE, UPDATE_AVAILABLE, REVOKED,
 * SELF_ASSERTION_SUBMITTED, FIDO_CERTIFIED_L1, FIDO_CERTIFIED_L1plus, and the same with L2 and
 * L3. */
struct scalekit_webauthn_authenticators {
    size_t struct_size;
    enum scalekit_choice validate_entry;
    enum scalekit_choice validate_entry_permit_zero_aaguid;
    enum scalekit_choice validate_anchors;
    enum scalekit_choice validate_status;
    enum scalekit_choice validate_attestation_type;
    const char *const *desired_authenticator_status; /* up to 10 statuses */
    size_t n_desired_authenticator_status;
    const char *const *undesired_authenticator_status; /* up to 10 statuses */
    size_t n_undesired_authenticator_status;
};

struct scalekit_webauthn_authenticator_selection {
    size_t struct_size;
    const char *user_verification;        /* "required", "preferred" or "discouraged" */
    const char *authenticator_attachment; /* "platform" or "cross-platform" */
};

/* In seconds, 120 to 1,800 each; 0: the service's default, 300.  uvd: user verification
 * discouraged. */
struct scalekit_webauthn_timeout {
    size_t struct_size;
    int64_t registration;
    int64_t registration_uvd;
    int64_t login;
    int64_t login_uvd;
};

struct scalekit_webauthn_config {
    size_t struct_size;
    const struct scalekit_webauthn_rp *rp;
    const struct scalekit_webauthn_attestation *attestation;
    const struct scalekit_webauthn_authenticators *authenticators;
    const struct scalekit_webauthn_authenticator_selection *authenticator_selection;
    const struct scalekit_webauthn_timeout *timeout;
    bool enable_auto_registration;
    bool show_passkey_button;
    bool enable_conditional_login;
};

/* --- the others -------------------------------------------------------------------------------- */

/* API keys, passwords, bearer tokens: whatever the provider asks for. */
struct scalekit_static_config {
    size_t struct_size;
    const char *static_config; /* a JSON object as text; secret */
};

/* Google Workspace domain-wide delegation. */
struct scalekit_google_dwd_config {
    size_t struct_size;
    const char *service_account_json; /* the key file's text; never comes back; secret */
    const char *const *scopes;
    size_t n_scopes;
    const char *token_uri;
};

SCALEKIT_END

#endif
