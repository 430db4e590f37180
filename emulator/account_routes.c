/* /api/v1/connected_accounts: one account at a time. */
#include "account_json.h"
#include "check.h"
#include "routes.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

/* --- which one --------------------------------------------------------------------------------- */

static struct emu_account *find_by_key(struct emu_request *request, const struct emu_key *key)
{
    struct emu_account *account = emu_account_find(&request->emulator->store, key);

    if (!account)
        emu_not_found(request, "connected account");
    return account;
}

/* The account a request means; NULL when it has been answered already. */
static struct emu_account *find_account(struct emu_request *request)
{
    struct emu_key key = {.id = emu_text(request, "id", 0, 32, EMU_ACCOUNT_ID)};

    emu_read_key(request, &key);
    if (!*key.id && (!*key.connector || !*key.identifier))
        emu_violation(request, "id", "connected_account.lookup",
                      "give an id, or a connector and an identifier");
    if (emu_refused(request))
        return NULL;
    return find_by_key(request, &key);
}

static void answer_account(struct emu_request *request, const struct emu_account *account,
                           unsigned show, int status)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_account(&request->json, "connected_account", account, show);
    emu_json_close(&request->json, '}');
    if (show & EMU_SHOW_SECRETS)
        emu_header(request, "Cache-Control", "no-store");
    emu_send(request, status);
}

void emu_route_details(struct emu_request *request)
{
    const struct emu_account *account;

    request->emulator->stats.lookups++;
    account = find_account(request);
    if (account)
        answer_account(request, account, EMU_SHOW_CONFIG, 200);
}

static void answer_with_secrets(struct emu_request *request, struct emu_account *account)
{
    if (emu_account_is_active(account) && !emu_account_use(&request->emulator->store, account)) {
        emu_out_of_memory(request);
        return;
    }
    if (emu_account_is_active(account) && account->auth != EMU_STATIC)
        emu_event_record(&request->emulator->events, EMU_EVENT_OAUTH_TOKENS_FETCHED, account);
    answer_account(request, account, EMU_SHOW_CONFIG | EMU_SHOW_SECRETS, 200);
}

void emu_route_auth(struct emu_request *request)
{
    struct emu_account *account;

    request->emulator->stats.lookups++;
    account = find_account(request);
    if (account)
        answer_with_secrets(request, account);
}

/* --- by id ------------------------------------------------------------------------------------- */

/* The account of the id in the path, where "this" and "-" stand for the field; NULL when the request
 * has been answered already. */
static struct emu_account *find_in_path(struct emu_request *request)
{
    bool elsewhere = strcmp(request->rest, "this") == 0 || strcmp(request->rest, "-") == 0;
    struct emu_key key = {.id = elsewhere ? emu_text(request, "id", 1, 32, EMU_REQUIRED)
                                          : emu_in_path(request, "id", 1, 32, 0)};

    return emu_refused(request) ? NULL : find_by_key(request, &key);
}

void emu_route_account(struct emu_request *request)
{
    struct emu_account *account;

    request->emulator->stats.lookups++;
    account = find_in_path(request);
    if (account)
        answer_with_secrets(request, account);
}

void emu_route_disconnect(struct emu_request *request)
{
    struct emu_account *account = find_in_path(request);

    if (!account)
        return;
    if (emu_account_disconnect(&request->emulator->store, account))
        answer_account(request, account, EMU_SHOW_CONFIG, 200);
    else
        emu_out_of_memory(request);
}

/* --- credentials ------------------------------------------------------------------------------- */

/* What a create or an update says about credentials and configuration; each NULL when absent. */
struct credentials {
    yajl_val oauth_token, static_auth, google_dwd, trusted_idp; /* one of them at most */
    yajl_val scopes, details, api_config;
    const char *access_token, *refresh_token, *domain, *subject;
};

static void read_credentials(struct emu_request *request, struct credentials *given)
{
    yajl_val account = emu_object(request, request->body, "connected_account");
    yajl_val auth = emu_object(request, account, "authorization_details");

    if (!account)
        emu_violation(request, "connected_account", "required", "value is required");
    *given = (struct credentials){
        .oauth_token = emu_object(request, auth, "oauth_token"),
        .static_auth = emu_object(request, auth, "static_auth"),
        .google_dwd = emu_object(request, auth, "google_dwd"),
        .trusted_idp = emu_object(request, auth, "trusted_idp"),
        .api_config = emu_object(request, account, "api_config"),
    };
    if (!!given->oauth_token + !!given->static_auth + !!given->google_dwd + !!given->trusted_idp >
        1)
        request->malformed = "authorization_details";
    given->access_token = emu_member(request, given->oauth_token, "access_token");
    given->refresh_token = emu_member(request, given->oauth_token, "refresh_token");
    given->domain = emu_member(request, given->oauth_token, "domain");
    given->scopes = emu_list(request, given->oauth_token, "scopes");
    given->details = emu_object(request, given->static_auth, "details");
    given->subject = given->google_dwd ? emu_member(request, given->google_dwd, "subject")
                                       : emu_member(request, given->trusted_idp, "db_user");
}

static bool store_oauth_token(struct emu_store *store, struct emu_account *account,
                              const struct credentials *given)
{
    bool has_token = given->access_token && *given->access_token;

    account->auth = EMU_OAUTH;
    if (!emu_json_set(&account->scopes, given->scopes) ||
        (given->domain && !emu_set_text(&account->domain, given->domain)))
        return false;
    return !has_token ||
           (emu_account_set_status(store, account, "ACTIVE") &&
            emu_account_set_tokens(store, account, given->access_token, given->refresh_token));
}

/* Anything but OAuth is complete once it is given, and so is an OAuth token. */
static bool store_credentials(struct emu_store *store, struct emu_account *account,
                              const struct credentials *given)
{
    if (!emu_json_merge(&account->api_config, given->api_config))
        return false;
    if (given->oauth_token)
        return store_oauth_token(store, account, given);
    if (given->static_auth)
        account->auth = EMU_STATIC;
    else if (given->google_dwd)
        account->auth = EMU_GOOGLE_DWD;
    else if (given->trusted_idp)
        account->auth = EMU_TRUSTED_IDP;
    else
        return true;
    return emu_json_set(&account->details, given->details) &&
           emu_set_text(&account->subject, given->subject) &&
           emu_account_set_status(store, account, "ACTIVE");
}

/* Whether the connection lets nothing new be made; then it has been answered. */
static bool refuses(struct emu_request *request, const struct emu_connection *connection)
{
    if (emu_connection_is_open(connection))
        return false;
    if (connection->deleted)
        emu_not_found(request, "connection");
    else
        emu_fail(request, 400, "FAILED_PRECONDITION", "the connection is disabled");
    return true;
}

void emu_route_create(struct emu_request *request)
{
    struct emu_store *store = &request->emulator->store;
    const struct emu_connection *connection;
    struct emu_key key = {0};
    struct credentials given;
    struct emu_account *account;

    emu_read_key(request, &key);
    if (!*key.connector)
        emu_violation(request, "connector", "required", "value is required");
    if (!*key.identifier)
        emu_violation(request, "identifier", "required", "value is required");
    read_credentials(request, &given);
    if (emu_refused(request))
        return;
    connection = emu_connection_by_name(&store->connections, key.connector);
    if (connection && refuses(request, connection))
        return;
    if (emu_account_find(store, &key)) {
        emu_fail(request, 409, "ALREADY_EXISTS", "connected account already exists");
        return;
    }
    account = emu_account_add(store, &key);
    if (!account || !store_credentials(store, account, &given)) {
        if (account)
            emu_account_remove(store, account);
        emu_out_of_memory(request);
        return;
    }
    emu_event_record(store->events, EMU_EVENT_CREATED, account);
    request->emulator->stats.creates++;
    answer_account(request, account, EMU_SHOW_CONFIG | EMU_SHOW_SECRETS, 201);
}

void emu_route_update(struct emu_request *request)
{
    struct credentials given;
    struct emu_account *account;

    read_credentials(request, &given);
    account = find_account(request);
    if (!account)
        return;
    if (!store_credentials(&request->emulator->store, account, &given)) {
        emu_out_of_memory(request);
        return;
    }
    account->updated_us = emu_now_us();
    emu_event_record(&request->emulator->events, EMU_EVENT_UPDATED, account);
    request->emulator->stats.updates++;
    answer_account(request, account, EMU_SHOW_CONFIG | EMU_SHOW_SECRETS, 200);
}

void emu_account_delete(scalekit_emulator *emulator, struct emu_account *account)
{
    emu_link_free_all_of(account);
    emu_account_remove(&emulator->store, account);
}

void emu_route_delete(struct emu_request *request)
{
    struct emu_account *account = find_account(request);

    if (!account)
        return;
    emu_account_delete(request->emulator, account);
    request->emulator->stats.deletes++;
    emu_send_nothing(request);
}

/* --- links and verification -------------------------------------------------------------------- */

void emu_route_magic_link(struct emu_request *request)
{
    scalekit_emulator *emulator = request->emulator;
    const char *state = emu_text(request, "state", 0, 512, 0);
    const char *verify_url = emu_text(request, "user_verify_url", 0, 2048, EMU_HTTP_URL);
    struct emu_account *account = find_account(request);
    struct emu_link *link;
    char url[128];

    if (!account || refuses(request, account->connection))
        return;
    link = emu_link_add(&emulator->links, account, state, verify_url);
    if (!link) {
        emu_out_of_memory(request);
        return;
    }
    snprintf(url, sizeof url, "%s/magicLink/%s", emulator->url, link->token);
    emulator->stats.links++;
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "link", url);
    emu_json_time(&request->json, "expiry", link->expires_us);
    emu_json_close(&request->json, '}');
    emu_header(request, "Cache-Control", "no-store");
    emu_send(request, 200);
}

void emu_route_verify(struct emu_request *request)
{
    scalekit_emulator *emulator = request->emulator;
    const char *id = emu_text(request, "auth_request_id", 1, 1000, EMU_REQUIRED);
    const char *identifier = emu_text(request, "identifier", 1, 200, EMU_REQUIRED);
    struct emu_link *link;
    char url[64];

    if (emu_refused(request))
        return;
    link = emu_link_of_request(&emulator->links, id);
    if (!link) {
        emu_not_found(request, "auth request");
        return;
    }
    if (strcmp(link->account->person->identifier, identifier) != 0) {
        emu_fail(request, 403, "PERMISSION_DENIED", "the identifier is not the one of the link");
        return;
    }
    if (!emu_link_verified(link)) {
        emu_out_of_memory(request);
        return;
    }
    snprintf(url, sizeof url, "%s/connect/success", emulator->url);
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "post_user_verify_redirect_url", url);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}
