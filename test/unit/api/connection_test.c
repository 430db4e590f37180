/* What the parameters of a connection must be together. */
#include "wire.h"

CALL_ON(on_connection, scalekit_connection)

#define CREATES(name, ...)                                                                         \
    CALL_STARTER(name, create_environment_connection,                                              \
                 SCALEKIT_PARAMS(scalekit_create_environment_connection_params, __VA_ARGS__),      \
                 on_connection)
#define UPDATES(name, ...)                                                                         \
    CALL_STARTER(name, update_environment_connection,                                              \
                 SCALEKIT_PARAMS(scalekit_update_environment_connection_params,                    \
                                 .connection_id = "conn_1", __VA_ARGS__),                          \
                 on_connection)

#define GMAIL    .provider_key = "GMAIL"
#define SCALEKIT .provider = SCALEKIT_CONNECTION_PROVIDER_SCALEKIT
#define WEBAUTHN .type = SCALEKIT_CONNECTION_TYPE_WEBAUTHN

CREATES(create_empty, .provider_key = "")
CREATES(create_by_key, GMAIL)
CREATES(create_by_provider, .provider = SCALEKIT_CONNECTION_PROVIDER_OKTA)
CREATES(create_by_word, .provider_text = "NEWEST")
CREATES(create_unknown, GMAIL, .provider = (enum scalekit_connection_provider)99)
CREATES(create_scalekit, SCALEKIT, .provider_key = "SCALEKIT")
CREATES(create_scalekit_other, SCALEKIT, GMAIL)
CREATES(create_scalekit_word, .provider_text = "SCALEKIT", GMAIL)
CREATES(create_webauthn, WEBAUTHN, GMAIL, .key_id = "WEBAUTHN")
CREATES(create_webauthn_other, WEBAUTHN, GMAIL, .key_id = "gmail")
CREATES(create_webauthn_word, .type_text = "WEBAUTHN", GMAIL)

UPDATES(update_by_key, GMAIL)
UPDATES(update_scalekit_other, SCALEKIT, GMAIL)
UPDATES(update_webauthn_bare, WEBAUTHN, GMAIL)

static const struct scalekit_saml_config_params saml = {.struct_size = sizeof saml};
static const struct scalekit_oauth_config oauth = {.struct_size = sizeof oauth};
static const struct scalekit_google_dwd_config dwd = {.struct_size = sizeof dwd};

UPDATES(update_one, GMAIL, .oauth_config = &oauth)
UPDATES(update_last_two, GMAIL, .google_dwd_config = &dwd, .saml_config = &saml)

/* Passkeys, with a part of their configuration. */
#define PASSKEYS(name, part, type, ...)                                                            \
    UPDATES(name, GMAIL,                                                                           \
            .webauthn_config = SCALEKIT_PARAMS(scalekit_webauthn_config,                           \
                                               .part = SCALEKIT_PARAMS(type, __VA_ARGS__)))

static const char *const origins[] = {"https://acme.example"};
static const char *const statuses[] = {"REVOKED", "FIDO_CERTIFIED_L1plus"};
static const char *const no_statuses[] = {"REVOKED", "fido_certified"};

PASSKEYS(rp_no_ids, rp, scalekit_webauthn_rp, .origins = origins, .n_origins = 1)
PASSKEYS(conveys_wrongly, attestation, scalekit_webauthn_attestation,
         .conveyance_preference = "Direct")
PASSKEYS(desires, authenticators, scalekit_webauthn_authenticators,
         .desired_authenticator_status = statuses, .n_desired_authenticator_status = 2)
PASSKEYS(desires_wrongly, authenticators, scalekit_webauthn_authenticators,
         .desired_authenticator_status = no_statuses, .n_desired_authenticator_status = 2)

static const struct refusal_row rows[] = {
    {"create with an empty key", create_empty, "provider_key"},
    {"create by key", create_by_key, NULL},
    {"create by provider", create_by_provider, NULL},
    {"create by a new word", create_by_word, NULL},
    {"create with an unknown provider", create_unknown, "provider"},
    {"create Scalekit's", create_scalekit, NULL},
    {"create Scalekit's with another key", create_scalekit_other, "provider_key"},
    {"create Scalekit's by its word", create_scalekit_word, "provider_key"},
    {"create passkeys", create_webauthn, NULL},
    {"create passkeys with another key", create_webauthn_other, "key_id"},
    {"create passkeys by their word", create_webauthn_word, "key_id"},
    {"update by key", update_by_key, NULL},
    {"update to Scalekit's", update_scalekit_other, "provider_key"},
    {"update to passkeys", update_webauthn_bare, "key_id"},
    {"update one configuration", update_one, NULL},
    {"update the last two", update_last_two, "google_dwd_config"},
    {"party without ids", rp_no_ids, "ids"},
    {"conveyance, wrong", conveys_wrongly, "conveyance_preference"},
    {"statuses", desires, NULL},
    {"statuses, wrong", desires_wrongly, "desired_authenticator_status"},
};

static void test_rules(void)
{
    refusal_check(rows, COUNT(rows));
}

SUITE(environment_connection, {"holds a connection's parameters to each other", test_rules})
