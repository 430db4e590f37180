#include "connection_config.h"
#include "check.h"
#include "connection.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind_of_member {
    TEXT,
    BOOL,
    COUNT,   /* 0 to 4,294,967,295 */
    SECONDS, /* "300s" */
    WORD,    /* one of `words` */
    TEXTS,   /* a list; of `words` when there are any */
    MAP,     /* an object of texts */
    FREE,    /* any object */
    OBJECT   /* of `members` */
};

enum {
    HIDDEN = 1, /* a secret: taken, and forgotten */
    OUTPUT = 2, /* the service's own: ignored */
};

struct member {
    const char *name;
    enum kind_of_member kind;
    unsigned flags;
    const char *const *words;
    const struct member *members;
    size_t min, max; /* of a list's items, of seconds; 0, 0: no limits */
};

#define ROW(k, ...)                                                                                \
    {                                                                                              \
        .kind = k, .name = __VA_ARGS__                                                             \
    }

/* --- the description --------------------------------------------------------------------------- */

static const char *const scope_words[] = {"openid", "profile", "email", "address", "phone", NULL};
static const char *const token_auth_words[] = {"URL_PARAMS", "BASIC_AUTH", NULL};

static const struct member oidc[] = {
    ROW(TEXT, "issuer"),
    ROW(TEXT, "discovery_endpoint"),
    ROW(TEXT, "authorize_uri"),
    ROW(TEXT, "token_uri"),
    ROW(TEXT, "user_info_uri"),
    ROW(TEXT, "jwks_uri"),
    ROW(TEXT, "client_id"),
    ROW(TEXT, "client_secret", .flags = HIDDEN),
    ROW(TEXTS, "scopes", .words = scope_words),
    ROW(WORD, "token_auth_type", .words = token_auth_words),
    ROW(TEXT, "redirect_uri"),
    ROW(BOOL, "pkce_enabled"),
    ROW(BOOL, "idp_logout_required"),
    ROW(TEXT, "post_logout_redirect_uri", .flags = OUTPUT),
    ROW(TEXT, "backchannel_logout_redirect_uri", .flags = OUTPUT),
    ROW(BOOL, "sync_user_profile_on_login"),
    ROW(BOOL, "jit_provisioning_with_sso_enabled"),
    {0},
};

static const char *const name_id_words[] = {"UNSPECIFIED", "EMAIL", "TRANSIENT", "PERSISTENT",
                                            NULL};
static const char *const binding_words[] = {"HTTP_POST", "HTTP_REDIRECT", NULL};
static const char *const signing_words[] = {"NO_SIGNING",
                                            "SAML_ONLY_RESPONSE_SIGNING",
                                            "SAML_ONLY_ASSERTION_SIGNING",
                                            "SAML_RESPONSE_ASSERTION_SIGNING",
                                            "SAML_RESPONSE_OR_ASSERTION_SIGNING",
                                            NULL};

static const struct member saml[] = {
    ROW(TEXT, "idp_metadata_url"),
    ROW(TEXT, "idp_entity_id"),
    ROW(TEXT, "idp_sso_url"),
    ROW(TEXT, "idp_certificate"),
    ROW(TEXT, "idp_slo_url"),
    ROW(TEXT, "ui_button_title"),
    ROW(WORD, "idp_name_id_format", .words = name_id_words),
    ROW(WORD, "idp_sso_request_binding", .words = binding_words),
    ROW(WORD, "idp_slo_request_binding", .words = binding_words),
    ROW(WORD, "saml_signing_option", .words = signing_words),
    ROW(BOOL, "force_authn"),
    ROW(TEXT, "default_redirect_uri"),
    ROW(BOOL, "assertion_encrypted"),
    ROW(BOOL, "want_request_signed"),
    ROW(TEXT, "certificate_id"),
    ROW(BOOL, "idp_slo_required"),
    ROW(TEXT, "sp_entity_id"),
    ROW(TEXT, "sp_assertion_url"),
    ROW(TEXT, "sp_slo_url"),
    ROW(BOOL, "sync_user_profile_on_login"),
    ROW(BOOL, "jit_provisioning_with_sso_enabled"),
    {0},
};

static const struct member optional_scopes[] = {ROW(TEXTS, "scopes"), ROW(TEXT, "field_name"), {0}};
static const struct member smart[] = {ROW(TEXT, "aud"), ROW(TEXT, "domain"), {0}};
static const struct member extensions[] = {
    ROW(OBJECT, "smart", .members = smart), ROW(MAP, "extra_authorize_params"), {0}};

static const struct member oauth[] = {
    ROW(TEXT, "authorize_uri"),
    ROW(TEXT, "token_uri"),
    ROW(TEXT, "user_info_uri"),
    ROW(TEXT, "client_id"),
    ROW(TEXT, "client_secret", .flags = HIDDEN),
    ROW(TEXTS, "scopes"),
    ROW(TEXT, "redirect_uri"),
    ROW(BOOL, "pkce_enabled"),
    ROW(TEXT, "prompt"),
    ROW(BOOL, "use_platform_creds"),
    ROW(TEXT, "access_type"),
    ROW(TEXT, "custom_scope_name"),
    ROW(BOOL, "sync_user_profile_on_login"),
    ROW(TEXT, "token_access_type"),
    ROW(TEXT, "tenant_id"),
    ROW(BOOL, "is_cimd", .flags = OUTPUT),
    ROW(TEXT, "app_name"),
    ROW(OBJECT, "optional_scopes", .members = optional_scopes),
    ROW(OBJECT, "extensions", .members = extensions),
    ROW(TEXT, "googleads_developer_token", .flags = HIDDEN),
    ROW(TEXT, "token_endpoint_auth_method"),
    {0},
};

static const char *const passwordless_words[] = {"LINK", "OTP", "LINK_OTP", NULL};
static const char *const code_words[] = {"NUMERIC", "ALPHANUMERIC", NULL};

static const struct member passwordless[] = {
    ROW(WORD, "type", .words = passwordless_words),
    ROW(COUNT, "frequency"),
    ROW(COUNT, "validity"),
    ROW(BOOL, "enforce_same_browser_origin"),
    ROW(COUNT, "code_challenge_length"),
    ROW(WORD, "code_challenge_type", .words = code_words),
    ROW(BOOL, "regenerate_passwordless_credentials_on_resend"),
    {0},
};

static const char *const conveyance_words[] = {"none", "indirect", "direct", NULL};
static const char *const verification_words[] = {"required", "preferred", "discouraged", NULL};
static const char *const attachment_words[] = {"platform", "cross-platform", NULL};
static const char *const fido_words[] = {
    "NOT_FIDO_CERTIFIED",         "FIDO_CERTIFIED",
    "USER_VERIFICATION_BYPASS",   "ATTESTATION_KEY_COMPROMISE",
    "USER_KEY_REMOTE_COMPROMISE", "USER_KEY_PHYSICAL_COMPROMISE",
    "UPDATE_AVAILABLE",           "REVOKED",
    "SELF_ASSERTION_SUBMITTED",   "FIDO_CERTIFIED_L1",
    "FIDO_CERTIFIED_L1plus",      "FIDO_CERTIFIED_L2",
    "FIDO_CERTIFIED_L2plus",      "FIDO_CERTIFIED_L3",
    "FIDO_CERTIFIED_L3plus",      NULL};

static const struct member rp[] = {
    ROW(TEXTS, "ids", .min = 1, .max = 10), ROW(TEXTS, "origins", .min = 1, .max = 10), {0}};
static const struct member attestation[] = {
    ROW(WORD, "conveyance_preference", .words = conveyance_words),
    ROW(TEXTS, "enterprise_approved_ids", .max = 50),
    {0},
};
static const struct member authenticators[] = {
    ROW(BOOL, "validate_entry"),
    ROW(BOOL, "validate_entry_permit_zero_aaguid"),
    ROW(BOOL, "validate_anchors"),
    ROW(BOOL, "validate_status"),
    ROW(BOOL, "validate_attestation_type"),
    ROW(TEXTS, "desired_authenticator_status", .words = fido_words, .max = 10),
    ROW(TEXTS, "undesired_authenticator_status", .words = fido_words, .max = 10),
    {0},
};
static const struct member selection[] = {
    ROW(WORD, "user_verification", .words = verification_words),
    ROW(WORD, "authenticator_attachment", .words = attachment_words),
    {0},
};
static const struct member timeout[] = {
    ROW(SECONDS, "registration", .min = 120, .max = 1800),
    ROW(SECONDS, "registration_uvd", .min = 120, .max = 1800),
    ROW(SECONDS, "login", .min = 120, .max = 1800),
    ROW(SECONDS, "login_uvd", .min = 120, .max = 1800),
    {0},
};

static const struct member webauthn[] = {
    ROW(OBJECT, "rp", .members = rp),
    ROW(OBJECT, "attestation", .members = attestation),
    ROW(OBJECT, "authenticators", .members = authenticators),
    ROW(OBJECT, "authenticator_selection", .members = selection),
    ROW(OBJECT, "timeout", .members = timeout),
    ROW(BOOL, "enable_auto_registration"),
    ROW(BOOL, "show_passkey_button"),
    ROW(BOOL, "enable_conditional_login"),
    {0},
};

static const struct member static_auth[] = {ROW(FREE, "static_config", .flags = HIDDEN), {0}};
static const struct member google_dwd[] = {ROW(TEXT, "service_account_json", .flags = HIDDEN),
                                           ROW(TEXTS, "scopes"),
                                           ROW(TEXT, "token_uri"),
                                           {0}};

static const struct member configs[] = {
    ROW(OBJECT, "oidc_config", .members = oidc),
    ROW(OBJECT, "saml_config", .members = saml),
    ROW(OBJECT, "oauth_config", .members = oauth),
    ROW(OBJECT, "passwordless_config", .members = passwordless),
    ROW(OBJECT, "static_config", .members = static_auth),
    ROW(OBJECT, "webauthn_config", .members = webauthn),
    ROW(OBJECT, "google_dwd_config", .members = google_dwd),
    {0},
};

const struct emu_kind emu_kinds[] = {
    {"OAUTH", "oauth_config", true},
    {"OIDC", "oidc_config", true},
    {"SAML", "saml_config", true},
    {"PASSWORD", NULL, false},
    {"PASSWORDLESS", "passwordless_config", false},
    {"BASIC", "static_config", false},
    {"BEARER", "static_config", false},
    {"API_KEY", "static_config", false},
    {"WEBAUTHN", "webauthn_config", false},
    {"OAUTH_M2M", "oauth_config", true},
    {"TRELLO_OAUTH1", "oauth_config", true},
    {"GOOGLE_DWD", "google_dwd_config", true},
    {"TRUSTED_IDP", "static_config", false},
    {"SMART_FHIR", "oauth_config", true},
    {"NO_AUTH", NULL, false},
    {0},
};

/* --- reading ----------------------------------------------------------------------------------- */

static void check_words(struct emu_request *request, const struct member *member, yajl_val value)
{
    const char *text = YAJL_GET_STRING(value);
    const char *const *word = member->words;

    if (!text) {
        request->malformed = member->name;
        return;
    }
    while (word && *word && strcmp(*word, text) != 0)
        word++;
    if (word && !*word)
        emu_violation(request, member->name, "string.in", "value must be in list");
}

static void check_texts(struct emu_request *request, const struct member *member, yajl_val value)
{
    size_t n = YAJL_IS_ARRAY(value) ? YAJL_GET_ARRAY(value)->len : 0;

    if (!YAJL_IS_ARRAY(value)) {
        request->malformed = member->name;
        return;
    }
    if (n < member->min)
        emu_violation(request, member->name, "repeated.min_items",
                      "value must contain at least %zu item(s)", member->min);
    if (member->max && n > member->max)
        emu_violation(request, member->name, "repeated.max_items",
                      "value must contain no more than %zu item(s)", member->max);
    for (size_t i = 0; i < n; i++)
        check_words(request, member, YAJL_GET_ARRAY(value)->values[i]);
}

static void check_seconds(struct emu_request *request, const struct member *member, yajl_val value)
{
    const char *text = YAJL_GET_STRING(value);
    double seconds;

    if (!text || !emu_seconds_parse(text, &seconds))
        request->malformed = member->name;
    else if (!(seconds >= (double)member->min && seconds <= (double)member->max))
        emu_violation(request, member->name, "duration.gte_lte", "value must be from %zus to %zus",
                      member->min, member->max);
}

static void check_map(struct emu_request *request, const char *name, yajl_val value)
{
    size_t n = YAJL_IS_OBJECT(value) ? YAJL_GET_OBJECT(value)->len : 0;

    if (!YAJL_IS_OBJECT(value))
        request->malformed = name;
    for (size_t i = 0; i < n; i++)
        if (!YAJL_IS_STRING(YAJL_GET_OBJECT(value)->values[i]))
            request->malformed = name;
}

static void check_members(struct emu_request *request, const struct member *members,
                          yajl_val object);

static void check_member(struct emu_request *request, const struct member *member, yajl_val value)
{
    bool right = true;

    switch (member->kind) {
    case TEXT:
        right = YAJL_IS_STRING(value);
        break;
    case BOOL:
        right = YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value);
        break;
    case COUNT:
        right = YAJL_IS_INTEGER(value) && YAJL_GET_INTEGER(value) >= 0 &&
                YAJL_GET_INTEGER(value) <= UINT32_MAX;
        break;
    case SECONDS:
        check_seconds(request, member, value);
        break;
    case WORD:
        check_words(request, member, value);
        break;
    case TEXTS:
        check_texts(request, member, value);
        break;
    case MAP:
        check_map(request, member->name, value);
        break;
    case FREE:
        right = YAJL_IS_OBJECT(value);
        break;
    case OBJECT:
        right = YAJL_IS_OBJECT(value);
        check_members(request, member->members, value);
        break;
    }
    if (!right)
        request->malformed = member->name;
}

/* A list that must not be empty must be there. */
static void check_members(struct emu_request *request, const struct member *members,
                          yajl_val object)
{
    for (; members->name; members++) {
        yajl_val value = emu_json_get(object, members->name);

        if (value && !(members->flags & OUTPUT))
            check_member(request, members, value);
        else if (!value && members->kind == TEXTS && members->min)
            emu_violation(request, members->name, "repeated.min_items",
                          "value must contain at least %zu item(s)", members->min);
    }
}

yajl_val emu_read_config(struct emu_request *request, const struct emu_kind *kind)
{
    yajl_val own = NULL, other = NULL;

    for (const struct member *config = configs; config->name; config++) {
        yajl_val value = emu_json_get(request->body, config->name);

        if (!value)
            continue;
        check_member(request, config, value);
        if (own || other) /* one of them at most is what the wire can say */
            request->malformed = config->name;
        if (kind->config && strcmp(kind->config, config->name) == 0) {
            own = value;
        } else {
            other = value;
            emu_violation(request, config->name, "connection.settings",
                          "a connection of type %s has no such configuration", kind->type);
        }
    }
    return own;
}

/* --- storing and showing ----------------------------------------------------------------------- */

static void put_members(struct emu_json *json, const struct member *members, yajl_val object)
{
    for (; members->name; members++) {
        yajl_val value = emu_json_get(object, members->name);

        if (!value || members->flags & (HIDDEN | OUTPUT))
            continue;
        if (members->kind != OBJECT) {
            emu_json_value(json, members->name, value);
            continue;
        }
        emu_json_open(json, members->name, '{');
        put_members(json, members->members, value);
        emu_json_close(json, '}');
    }
}

static const struct member *members_of(const struct emu_kind *kind)
{
    const struct member *config = configs;

    while (strcmp(config->name, kind->config) != 0)
        config++;
    return config->members;
}

/* What is kept of it, as JSON text; NULL when memory ran out. */
static char *print_config(const struct emu_kind *kind, yajl_val config)
{
    struct emu_json json;

    emu_json_start(&json);
    emu_json_open(&json, NULL, '{');
    put_members(&json, members_of(kind), config);
    emu_json_close(&json, '}');
    return emu_json_finish(&json);
}

bool emu_store_config(struct emu_connection *connection, yajl_val config)
{
    char *text = print_config(connection->kind, config);
    yajl_val kept = text ? emu_json_parse(text, strlen(text)) : NULL;
    bool stored = kept && emu_json_merge(&connection->config, kept);

    yajl_tree_free(kept);
    free(text);
    return stored;
}

/* An answer has a list where the request has one certificate. */
static void put_certificate(struct emu_json *json, const struct emu_connection *connection,
                            const char *certificate)
{
    emu_json_open(json, "idp_certificates", '[');
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "certificate", certificate);
    emu_json_time(json, "create_time", connection->updated_us);
    emu_json_text(json, "id", "cert_1");
    emu_json_close(json, '}');
    emu_json_close(json, ']');
}

static void put_url(struct emu_json *json, const struct emu_connection *connection, yajl_val config,
                    const char *member, const char *url, const char *end)
{
    char text[160];

    if (emu_json_get(config, member))
        return;
    snprintf(text, sizeof text, "%s/sso/v1/%s/%s", url, connection->id, end);
    emu_json_text(json, member, text);
}

/* What the service says of itself, for the provider. */
static void put_own_urls(struct emu_json *json, const struct emu_connection *connection,
                         yajl_val config, const char *url)
{
    const char *name = connection->kind->config;

    if (strcmp(name, "oidc_config") == 0 || strcmp(name, "oauth_config") == 0)
        put_url(json, connection, config, "redirect_uri", url, "callback");
    if (strcmp(name, "saml_config") != 0)
        return;
    put_url(json, connection, config, "sp_entity_id", url, "entity");
    put_url(json, connection, config, "sp_assertion_url", url, "assertion");
    put_url(json, connection, config, "sp_metadata_url", url, "metadata");
}

void emu_json_config(struct emu_json *json, const struct emu_connection *connection,
                     const char *url)
{
    const char *text = connection->config ? connection->config : "{}";
    yajl_val config;

    if (!connection->kind->config)
        return;
    config = emu_json_parse(text, strlen(text));
    if (!config) {
        json->failed = true;
        return;
    }
    emu_json_open(json, connection->kind->config, '{');
    for (size_t i = 0; i < YAJL_GET_OBJECT(config)->len; i++) {
        const char *name = YAJL_GET_OBJECT(config)->keys[i];
        yajl_val value = YAJL_GET_OBJECT(config)->values[i];

        if (strcmp(name, "idp_certificate") == 0)
            put_certificate(json, connection, YAJL_GET_STRING(value));
        else
            emu_json_value(json, name, value);
    }
    put_own_urls(json, connection, config, url);
    emu_json_close(json, '}');
    yajl_tree_free(config);
}
