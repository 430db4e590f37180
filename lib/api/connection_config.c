#include "api/connection_config.h"
#include <string.h>

/* --- OpenID Connect ---------------------------------------------------------------------------- */

static const struct ski_word token_auth_words[] = {
    {SCALEKIT_TOKEN_AUTH_URL_PARAMS, "URL_PARAMS"},
    {SCALEKIT_TOKEN_AUTH_BASIC_AUTH, "BASIC_AUTH"},
    {0, NULL},
};

static const struct ski_field oidc_fields[] = {
    STRING(scalekit_oidc_config, issuer, "issuer"),
    STRING(scalekit_oidc_config, discovery_endpoint, "discovery_endpoint"),
    STRING(scalekit_oidc_config, authorize_uri, "authorize_uri"),
    STRING(scalekit_oidc_config, token_uri, "token_uri"),
    STRING(scalekit_oidc_config, user_info_uri, "user_info_uri"),
    STRING(scalekit_oidc_config, jwks_uri, "jwks_uri"),
    STRING(scalekit_oidc_config, client_id, "client_id"),
    STRING(scalekit_oidc_config, client_secret, "client_secret", .flags = SKI_SECRET),
    STRINGS(scalekit_oidc_config, scopes, "scopes"),
    ENUM(scalekit_oidc_config, token_auth_type, scalekit_token_auth_type, token_auth_words,
         "token_auth_type"),
    STRING(scalekit_oidc_config, redirect_uri, "redirect_uri"),
    CHOICE(scalekit_oidc_config, pkce_enabled, "pkce_enabled"),
    CHOICE(scalekit_oidc_config, idp_logout_required, "idp_logout_required"),
    STRING(scalekit_oidc_config, post_logout_redirect_uri, "post_logout_redirect_uri",
           .flags = SKI_READ_ONLY),
    STRING(scalekit_oidc_config, backchannel_logout_redirect_uri, "backchannel_logout_redirect_uri",
           .flags = SKI_READ_ONLY),
    CHOICE(scalekit_oidc_config, sync_user_profile_on_login, "sync_user_profile_on_login"),
    CHOICE(scalekit_oidc_config, jit_provisioning_with_sso_enabled,
           "jit_provisioning_with_sso_enabled"),
    END,
};
const struct ski_type ski_oidc_config_type = TYPE(scalekit_oidc_config, oidc_fields);

/* --- SAML -------------------------------------------------------------------------------------- */

static const struct ski_word name_id_words[] = {
    {SCALEKIT_NAME_ID_UNSPECIFIED, "UNSPECIFIED"},
    {SCALEKIT_NAME_ID_EMAIL, "EMAIL"},
    {SCALEKIT_NAME_ID_TRANSIENT, "TRANSIENT"},
    {SCALEKIT_NAME_ID_PERSISTENT, "PERSISTENT"},
    {0, NULL},
};

static const struct ski_word binding_words[] = {
    {SCALEKIT_REQUEST_BINDING_HTTP_POST, "HTTP_POST"},
    {SCALEKIT_REQUEST_BINDING_HTTP_REDIRECT, "HTTP_REDIRECT"},
    {0, NULL},
};

static const struct ski_word signing_words[] = {
    {SCALEKIT_SAML_SIGNING_NO_SIGNING, "NO_SIGNING"},
    {SCALEKIT_SAML_SIGNING_ONLY_RESPONSE, "SAML_ONLY_RESPONSE_SIGNING"},
    {SCALEKIT_SAML_SIGNING_ONLY_ASSERTION, "SAML_ONLY_ASSERTION_SIGNING"},
    {SCALEKIT_SAML_SIGNING_RESPONSE_AND_ASSERTION, "SAML_RESPONSE_ASSERTION_SIGNING"},
    {SCALEKIT_SAML_SIGNING_RESPONSE_OR_ASSERTION, "SAML_RESPONSE_OR_ASSERTION_SIGNING"},
    {0, NULL},
};

static const struct ski_field certificate_fields[] = {
    STRING(scalekit_idp_certificate, certificate, "certificate"),
    TIMESTAMP(scalekit_idp_certificate, create_time, "create_time"),
    TIMESTAMP(scalekit_idp_certificate, expiry_time, "expiry_time"),
    STRING(scalekit_idp_certificate, id, "id"),
    STRING(scalekit_idp_certificate, issuer, "issuer"),
    END,
};
static const struct ski_type certificate_type = TYPE(scalekit_idp_certificate, certificate_fields);

static const struct ski_field saml_fields[] = {
    STRING(scalekit_saml_config, sp_entity_id, "sp_entity_id"),
    STRING(scalekit_saml_config, sp_assertion_url, "sp_assertion_url"),
    STRING(scalekit_saml_config, sp_metadata_url, "sp_metadata_url"),
    STRING(scalekit_saml_config, idp_metadata_url, "idp_metadata_url"),
    STRING(scalekit_saml_config, idp_entity_id, "idp_entity_id"),
    STRING(scalekit_saml_config, idp_sso_url, "idp_sso_url"),
    OBJECTS(scalekit_saml_config, idp_certificates, scalekit_idp_certificate, certificate_type,
            "idp_certificates"),
    STRING(scalekit_saml_config, idp_slo_url, "idp_slo_url"),
    STRING(scalekit_saml_config, ui_button_title, "ui_button_title"),
    ENUM(scalekit_saml_config, idp_name_id_format, scalekit_name_id_format, name_id_words,
         "idp_name_id_format"),
    ENUM(scalekit_saml_config, idp_sso_request_binding, scalekit_request_binding, binding_words,
         "idp_sso_request_binding"),
    ENUM(scalekit_saml_config, idp_slo_request_binding, scalekit_request_binding, binding_words,
         "idp_slo_request_binding"),
    ENUM(scalekit_saml_config, saml_signing_option, scalekit_saml_signing_option, signing_words,
         "saml_signing_option"),
    CHOICE(scalekit_saml_config, allow_idp_initiated_login, "allow_idp_initiated_login"),
    CHOICE(scalekit_saml_config, force_authn, "force_authn"),
    STRING(scalekit_saml_config, default_redirect_uri, "default_redirect_uri"),
    CHOICE(scalekit_saml_config, assertion_encrypted, "assertion_encrypted"),
    CHOICE(scalekit_saml_config, want_request_signed, "want_request_signed"),
    STRING(scalekit_saml_config, certificate_id, "certificate_id"),
    CHOICE(scalekit_saml_config, idp_slo_required, "idp_slo_required"),
    STRING(scalekit_saml_config, sp_slo_url, "sp_slo_url"),
    CHOICE(scalekit_saml_config, sync_user_profile_on_login, "sync_user_profile_on_login"),
    CHOICE(scalekit_saml_config, jit_provisioning_with_sso_enabled,
           "jit_provisioning_with_sso_enabled"),
    END,
};
const struct ski_type ski_saml_config_type = TYPE(scalekit_saml_config, saml_fields);

static const struct ski_field saml_params_fields[] = {
    STRING(scalekit_saml_config_params, idp_metadata_url, "idp_metadata_url"),
    STRING(scalekit_saml_config_params, idp_entity_id, "idp_entity_id"),
    STRING(scalekit_saml_config_params, idp_sso_url, "idp_sso_url"),
    STRING(scalekit_saml_config_params, idp_certificate, "idp_certificate"),
    STRING(scalekit_saml_config_params, idp_slo_url, "idp_slo_url"),
    STRING(scalekit_saml_config_params, ui_button_title, "ui_button_title"),
    ENUM(scalekit_saml_config_params, idp_name_id_format, scalekit_name_id_format, name_id_words,
         "idp_name_id_format"),
    ENUM(scalekit_saml_config_params, idp_sso_request_binding, scalekit_request_binding,
         binding_words, "idp_sso_request_binding"),
    ENUM(scalekit_saml_config_params, idp_slo_request_binding, scalekit_request_binding,
         binding_words, "idp_slo_request_binding"),
    ENUM(scalekit_saml_config_params, saml_signing_option, scalekit_saml_signing_option,
         signing_words, "saml_signing_option"),
    CHOICE(scalekit_saml_config_params, force_authn, "force_authn"),
    STRING(scalekit_saml_config_params, default_redirect_uri, "default_redirect_uri"),
    CHOICE(scalekit_saml_config_params, assertion_encrypted, "assertion_encrypted"),
    CHOICE(scalekit_saml_config_params, want_request_signed, "want_request_signed"),
    STRING(scalekit_saml_config_params, certificate_id, "certificate_id"),
    CHOICE(scalekit_saml_config_params, idp_slo_required, "idp_slo_required"),
    STRING(scalekit_saml_config_params, sp_entity_id, "sp_entity_id"),
    STRING(scalekit_saml_config_params, sp_assertion_url, "sp_assertion_url"),
    STRING(scalekit_saml_config_params, sp_slo_url, "sp_slo_url"),
    CHOICE(scalekit_saml_config_params, sync_user_profile_on_login, "sync_user_profile_on_login"),
    CHOICE(scalekit_saml_config_params, jit_provisioning_with_sso_enabled,
           "jit_provisioning_with_sso_enabled"),
    END,
};
const struct ski_type ski_saml_config_params_type =
    TYPE(scalekit_saml_config_params, saml_params_fields);

/* --- OAuth ------------------------------------------------------------------------------------- */

static const struct ski_field optional_scopes_fields[] = {
    STRINGS(scalekit_optional_scopes, scopes, "scopes"),
    STRING(scalekit_optional_scopes, field_name, "field_name"),
    END,
};
static const struct ski_type optional_scopes_type =
    TYPE(scalekit_optional_scopes, optional_scopes_fields);

static const struct ski_field smart_fields[] = {
    STRING(scalekit_smart_config, aud, "aud"),
    STRING(scalekit_smart_config, domain, "domain"),
    END,
};
static const struct ski_type smart_type = TYPE(scalekit_smart_config, smart_fields);

static const struct ski_field extensions_fields[] = {
    OBJECT(scalekit_oauth_extensions, smart, scalekit_smart_config, smart_type, "smart"),
    MAP(scalekit_oauth_extensions, extra_authorize_params, "extra_authorize_params"),
    END,
};
static const struct ski_type extensions_type = TYPE(scalekit_oauth_extensions, extensions_fields);

static const struct ski_field oauth_fields[] = {
    STRING(scalekit_oauth_config, authorize_uri, "authorize_uri"),
    STRING(scalekit_oauth_config, token_uri, "token_uri"),
    STRING(scalekit_oauth_config, user_info_uri, "user_info_uri"),
    STRING(scalekit_oauth_config, client_id, "client_id"),
    STRING(scalekit_oauth_config, client_secret, "client_secret", .flags = SKI_SECRET),
    STRINGS(scalekit_oauth_config, scopes, "scopes"),
    STRING(scalekit_oauth_config, redirect_uri, "redirect_uri"),
    CHOICE(scalekit_oauth_config, pkce_enabled, "pkce_enabled"),
    STRING(scalekit_oauth_config, prompt, "prompt"),
    CHOICE(scalekit_oauth_config, use_platform_creds, "use_platform_creds"),
    STRING(scalekit_oauth_config, access_type, "access_type"),
    STRING(scalekit_oauth_config, custom_scope_name, "custom_scope_name"),
    CHOICE(scalekit_oauth_config, sync_user_profile_on_login, "sync_user_profile_on_login"),
    STRING(scalekit_oauth_config, token_access_type, "token_access_type"),
    STRING(scalekit_oauth_config, tenant_id, "tenant_id"),
    CHOICE(scalekit_oauth_config, is_cimd, "is_cimd", .flags = SKI_READ_ONLY),
    STRING(scalekit_oauth_config, app_name, "app_name"),
    OBJECT(scalekit_oauth_config, optional_scopes, scalekit_optional_scopes, optional_scopes_type,
           "optional_scopes"),
    OBJECT(scalekit_oauth_config, extensions, scalekit_oauth_extensions, extensions_type,
           "extensions"),
    STRING(scalekit_oauth_config, googleads_developer_token, "googleads_developer_token",
           .flags = SKI_SECRET),
    STRING(scalekit_oauth_config, token_endpoint_auth_method, "token_endpoint_auth_method"),
    END,
};
const struct ski_type ski_oauth_config_type = TYPE(scalekit_oauth_config, oauth_fields);

/* --- sign-in without a password ---------------------------------------------------------------- */

static const struct ski_word passwordless_words[] = {
    {SCALEKIT_PASSWORDLESS_LINK, "LINK"},
    {SCALEKIT_PASSWORDLESS_OTP, "OTP"},
    {SCALEKIT_PASSWORDLESS_LINK_OTP, "LINK_OTP"},
    {0, NULL},
};

static const struct ski_word code_words[] = {
    {SCALEKIT_CODE_CHALLENGE_NUMERIC, "NUMERIC"},
    {SCALEKIT_CODE_CHALLENGE_ALPHANUMERIC, "ALPHANUMERIC"},
    {0, NULL},
};

static const struct ski_field passwordless_fields[] = {
    ENUM(scalekit_passwordless_config, type, scalekit_passwordless_type, passwordless_words,
         "type"),
    INTEGER(scalekit_passwordless_config, frequency, "frequency", .max = UINT32_MAX),
    INTEGER(scalekit_passwordless_config, validity, "validity", .max = UINT32_MAX),
    CHOICE(scalekit_passwordless_config, enforce_same_browser_origin,
           "enforce_same_browser_origin"),
    INTEGER(scalekit_passwordless_config, code_challenge_length, "code_challenge_length",
            .max = UINT32_MAX),
    ENUM(scalekit_passwordless_config, code_challenge_type, scalekit_code_challenge_type,
         code_words, "code_challenge_type"),
    CHOICE(scalekit_passwordless_config, regenerate_passwordless_credentials_on_resend,
           "regenerate_passwordless_credentials_on_resend"),
    END,
};
const struct ski_type ski_passwordless_config_type =
    TYPE(scalekit_passwordless_config, passwordless_fields);

/* --- passkeys ---------------------------------------------------------------------------------- */

static bool is_one_of(const char *const *words, const char *value)
{
    while (*words && strcmp(*words, value) != 0)
        words++;
    return *words != NULL;
}

static const char *check_conveyance(const char *value)
{
    static const char *const words[] = {"none", "indirect", "direct", NULL};

    return is_one_of(words, value) ? NULL : "must be none, indirect or direct";
}

static const char *check_verification(const char *value)
{
    static const char *const words[] = {"required", "preferred", "discouraged", NULL};

    return is_one_of(words, value) ? NULL : "must be required, preferred or discouraged";
}

static const char *check_attachment(const char *value)
{
    static const char *const words[] = {"platform", "cross-platform", NULL};

    return is_one_of(words, value) ? NULL : "must be platform or cross-platform";
}

/* The whole list would not fit an error; the header has it. */
static const char *check_authenticator_status(const char *value)
{
    static const char *const words[] = {
        "NOT_FIDO_CERTIFIED",         "FIDO_CERTIFIED",
        "USER_VERIFICATION_BYPASS",   "ATTESTATION_KEY_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE", "USER_KEY_PHYSICAL_COMPROMISE",
        "UPDATE_AVAILABLE",           "REVOKED",
        "SELF_ASSERTION_SUBMITTED",   "FIDO_CERTIFIED_L1",
        "FIDO_CERTIFIED_L1plus",      "FIDO_CERTIFIED_L2",
        "FIDO_CERTIFIED_L2plus",      "FIDO_CERTIFIED_L3",
        "FIDO_CERTIFIED_L3plus",      NULL};

    return is_one_of(words, value) ? NULL : "must be a FIDO status, like FIDO_CERTIFIED or REVOKED";
}

static const struct ski_field rp_fields[] = {
    STRINGS(scalekit_webauthn_rp, ids, "ids", .min_items = 1, .max_items = 10),
    STRINGS(scalekit_webauthn_rp, origins, "origins", .min_items = 1, .max_items = 10),
    END,
};
static const struct ski_type rp_type = TYPE(scalekit_webauthn_rp, rp_fields);

static const struct ski_field attestation_fields[] = {
    STRING(scalekit_webauthn_attestation, conveyance_preference, "conveyance_preference",
           .check = check_conveyance),
    STRINGS(scalekit_webauthn_attestation, enterprise_approved_ids, "enterprise_approved_ids",
            .max_items = 50),
    END,
};
static const struct ski_type attestation_type =
    TYPE(scalekit_webauthn_attestation, attestation_fields);

static const struct ski_field authenticators_fields[] = {
    CHOICE(scalekit_webauthn_authenticators, validate_entry, "validate_entry"),
    CHOICE(scalekit_webauthn_authenticators, validate_entry_permit_zero_aaguid,
           "validate_entry_permit_zero_aaguid"),
    CHOICE(scalekit_webauthn_authenticators, validate_anchors, "validate_anchors"),
    CHOICE(scalekit_webauthn_authenticators, validate_status, "validate_status"),
    CHOICE(scalekit_webauthn_authenticators, validate_attestation_type,
           "validate_attestation_type"),
    STRINGS(scalekit_webauthn_authenticators, desired_authenticator_status,
            "desired_authenticator_status", .max_items = 10, .check = check_authenticator_status),
    STRINGS(scalekit_webauthn_authenticators, undesired_authenticator_status,
            "undesired_authenticator_status", .max_items = 10, .check = check_authenticator_status),
    END,
};
static const struct ski_type authenticators_type =
    TYPE(scalekit_webauthn_authenticators, authenticators_fields);

static const struct ski_field selection_fields[] = {
    STRING(scalekit_webauthn_authenticator_selection, user_verification, "user_verification",
           .check = check_verification),
    STRING(scalekit_webauthn_authenticator_selection, authenticator_attachment,
           "authenticator_attachment", .check = check_attachment),
    END,
};
static const struct ski_type selection_type =
    TYPE(scalekit_webauthn_authenticator_selection, selection_fields);

static const struct ski_field timeout_fields[] = {
    DURATION(scalekit_webauthn_timeout, registration, "registration", .min = 120, .max = 1800),
    DURATION(scalekit_webauthn_timeout, registration_uvd, "registration_uvd", .min = 120,
             .max = 1800),
    DURATION(scalekit_webauthn_timeout, login, "login", .min = 120, .max = 1800),
    DURATION(scalekit_webauthn_timeout, login_uvd, "login_uvd", .min = 120, .max = 1800),
    END,
};
static const struct ski_type timeout_type = TYPE(scalekit_webauthn_timeout, timeout_fields);

static const struct ski_field webauthn_fields[] = {
    OBJECT(scalekit_webauthn_config, rp, scalekit_webauthn_rp, rp_type, "rp"),
    OBJECT(scalekit_webauthn_config, attestation, scalekit_webauthn_attestation, attestation_type,
           "attestation"),
    OBJECT(scalekit_webauthn_config, authenticators, scalekit_webauthn_authenticators,
           authenticators_type, "authenticators"),
    OBJECT(scalekit_webauthn_config, authenticator_selection,
           scalekit_webauthn_authenticator_selection, selection_type, "authenticator_selection"),
    OBJECT(scalekit_webauthn_config, timeout, scalekit_webauthn_timeout, timeout_type, "timeout"),
    BOOLEAN(scalekit_webauthn_config, enable_auto_registration, "enable_auto_registration"),
    BOOLEAN(scalekit_webauthn_config, show_passkey_button, "show_passkey_button"),
    BOOLEAN(scalekit_webauthn_config, enable_conditional_login, "enable_conditional_login"),
    END,
};
const struct ski_type ski_webauthn_config_type = TYPE(scalekit_webauthn_config, webauthn_fields);

/* --- the others -------------------------------------------------------------------------------- */

static const struct ski_field static_config_fields[] = {
    JSON(scalekit_static_config, static_config, "static_config", .flags = SKI_SECRET),
    END,
};
const struct ski_type ski_static_config_type = TYPE(scalekit_static_config, static_config_fields);

static const struct ski_field google_dwd_fields[] = {
    STRING(scalekit_google_dwd_config, service_account_json, "service_account_json",
           .flags = SKI_SECRET),
    STRINGS(scalekit_google_dwd_config, scopes, "scopes"),
    STRING(scalekit_google_dwd_config, token_uri, "token_uri"),
    END,
};
const struct ski_type ski_google_dwd_config_type =
    TYPE(scalekit_google_dwd_config, google_dwd_fields);
