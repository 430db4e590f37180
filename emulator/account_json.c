#include "account_json.h"

static void put_oauth_token(struct emu_json *json, const struct emu_account *account)
{
    bool active = emu_account_is_active(account);

    emu_json_open(json, "oauth_token", '{');
    emu_json_text(json, "access_token", active ? account->access_token : "");
    emu_json_text(json, "refresh_token", active ? account->refresh_token : "");
    emu_json_raw(json, "scopes", active ? account->scopes : "[]");
    emu_json_text(json, "domain", account->domain);
    emu_json_close(json, '}');
}

static void put_google_dwd(struct emu_json *json, const struct emu_account *account)
{
    emu_json_open(json, "google_dwd", '{');
    emu_json_text(json, "subject", account->subject);
    emu_json_text(json, "access_token", account->access_token);
    emu_json_raw(json, "scopes", account->scopes);
    emu_json_time(json, "token_expires_at", account->token_expires_us);
    emu_json_close(json, '}');
}

static void put_trusted_idp(struct emu_json *json, const struct emu_account *account)
{
    emu_json_open(json, "trusted_idp", '{');
    emu_json_text(json, "db_user", account->subject);
    emu_json_text(json, "access_key_id", "ASIAEMULATOREXAMPLE");
    emu_json_text(json, "secret_access_key", account->access_token);
    emu_json_text(json, "session_token", account->refresh_token);
    emu_json_time(json, "expiry", account->token_expires_us);
    emu_json_close(json, '}');
}

static void put_details(struct emu_json *json, const struct emu_account *account)
{
    emu_json_open(json, "authorization_details", '{');
    switch (account->auth) {
    case EMU_OAUTH:
        put_oauth_token(json, account);
        break;
    case EMU_STATIC:
        emu_json_open(json, "static_auth", '{');
        emu_json_raw(json, "details", account->details);
        emu_json_close(json, '}');
        break;
    case EMU_GOOGLE_DWD:
        put_google_dwd(json, account);
        break;
    case EMU_TRUSTED_IDP:
        put_trusted_idp(json, account);
        break;
    }
    emu_json_close(json, '}');
}

void emu_json_account(struct emu_json *json, const char *key, const struct emu_account *account,
                      unsigned show)
{
    emu_json_open(json, key, '{');
    emu_json_text(json, "id", account->id);
    emu_json_text(json, "identifier", account->person->identifier);
    emu_json_text(json, "provider", account->connection->provider);
    emu_json_text(json, "status", account->status);
    emu_json_text(json, "authorization_type", emu_account_type(account));
    if (show & EMU_SHOW_SECRETS)
        put_details(json, account);
    emu_json_time(json, "token_expires_at", account->token_expires_us);
    emu_json_time(json, "updated_at", account->updated_us);
    emu_json_text(json, "connector", account->connection->name);
    emu_json_time(json, "last_used_at", account->last_used_us);
    emu_json_text(json, "connection_id", account->connection->id);
    if (show & EMU_SHOW_CONFIG && account->api_config)
        emu_json_raw(json, "api_config", account->api_config);
    emu_json_close(json, '}');
}
