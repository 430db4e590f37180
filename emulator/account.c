#include "account.h"
#include "event.h"
#include "text.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_LIFE (3600 * EMU_SECOND)
#define KEY_SIZE   4096
#define SCOPES                                                                                     \
    "[\"https://www.googleapis.com/auth/gmail.readonly\","                                         \
    "\"https://www.googleapis.com/auth/userinfo.email\"]"

/* --- people ------------------------------------------------------------------------------------ */

static void free_person(struct emu_person *person)
{
    free(person->identifier);
    free(person->accounts.slots);
    free(person);
}

static struct emu_person *get_person(struct emu_store *store, const char *identifier)
{
    struct emu_node *node = emu_map_find(&store->people, identifier);
    struct emu_person *person = EMU_OWNER(node, struct emu_person, by_identifier);

    if (person)
        return person;
    person = calloc(1, sizeof *person);
    if (!person)
        return NULL;
    person->identifier = strdup(identifier);
    if (person->identifier &&
        emu_map_add(&store->people, &person->by_identifier, person->identifier))
        return person;
    free_person(person);
    return NULL;
}

const struct emu_index *emu_store_person(const struct emu_store *store, const char *identifier)
{
    struct emu_node *node = emu_map_find(&store->people, identifier);

    return node ? &EMU_OWNER(node, struct emu_person, by_identifier)->accounts : NULL;
}

const struct emu_index *emu_store_connection(const struct emu_store *store, const char *name)
{
    const struct emu_connection *connection = emu_connection_by_name(&store->connections, name);

    return connection ? &connection->accounts : NULL;
}

/* --- accounts ---------------------------------------------------------------------------------- */

/* The four parts, separated by what no sane identifier holds.  The connection is in it by its id,
 * for it may get another name. */
static bool make_key(char out[KEY_SIZE], const struct emu_connection *connection,
                     const struct emu_key *key)
{
    int length = snprintf(out, KEY_SIZE, "%s\x1f%s\x1f%s\x1f%s", connection->id, key->identifier,
                          key->organization_id ? key->organization_id : "",
                          key->user_id ? key->user_id : "");

    return length > 0 && length < KEY_SIZE;
}

struct emu_account *emu_account_find(const struct emu_store *store, const struct emu_key *key)
{
    const struct emu_connection *connection;
    char text[KEY_SIZE];

    if (key->id && *key->id)
        return EMU_OWNER(emu_map_find(&store->by_id, key->id), struct emu_account, by_id);
    if (!key->connector || !key->identifier)
        return NULL;
    connection = emu_connection_by_name(&store->connections, key->connector);
    if (!connection || !make_key(text, connection, key))
        return NULL;
    return EMU_OWNER(emu_map_find(&store->by_key, text), struct emu_account, by_key);
}

static void free_account(struct emu_account *account)
{
    char **owned[] = {&account->key,     &account->organization_id, &account->user_id,
                      &account->status,  &account->access_token,    &account->refresh_token,
                      &account->scopes,  &account->domain,          &account->subject,
                      &account->details, &account->api_config};

    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        emu_set_text(owned[i], NULL);
    free(account);
}

static struct emu_connection *get_connection(struct emu_connections *connections, const char *name)
{
    struct emu_connection *connection = emu_connection_by_name(connections, name);

    return connection && !connection->deleted ? connection : emu_connection_add(connections, name);
}

static bool fill_account(struct emu_store *store, struct emu_account *account,
                         const struct emu_key *key)
{
    char text[KEY_SIZE];

    account->seq = ++store->count;
    account->updated_us = emu_now_us();
    TAILQ_INIT(&account->links);
    emu_make_id(account->id, "ca", store->first_number + store->count);
    account->connection = get_connection(&store->connections, key->connector);
    account->person = get_person(store, key->identifier);
    return account->connection && account->person && make_key(text, account->connection, key) &&
           emu_set_text(&account->key, text) &&
           emu_set_text(&account->organization_id,
                        key->organization_id ? key->organization_id : "") &&
           emu_set_text(&account->user_id, key->user_id ? key->user_id : "") &&
           emu_set_text(&account->status, "PENDING_AUTH") && emu_set_text(&account->scopes, "[]") &&
           emu_set_text(&account->details, "{}");
}

struct emu_account *emu_account_add(struct emu_store *store, const struct emu_key *key)
{
    struct emu_account *account = calloc(1, sizeof *account);

    if (!account)
        return NULL;
    if (fill_account(store, account, key) &&
        emu_map_add(&store->by_id, &account->by_id, account->id) &&
        emu_map_add(&store->by_key, &account->by_key, account->key) &&
        emu_index_append(&store->all, account->seq, account) &&
        emu_index_append(&account->connection->accounts, account->seq, account) &&
        emu_index_append(&account->person->accounts, account->seq, account))
        return account;
    emu_account_remove(store, account);
    return NULL;
}

void emu_account_remove(struct emu_store *store, struct emu_account *account)
{
    emu_event_record(store->events, EMU_EVENT_DELETED, account);
    store->active -= emu_account_is_active(account);
    emu_map_remove(&store->by_id, &account->by_id);
    emu_map_remove(&store->by_key, &account->by_key);
    emu_map_remove(&store->by_token, &account->by_token);
    emu_index_remove(&store->all, account->seq);
    if (account->connection)
        emu_index_remove(&account->connection->accounts, account->seq);
    if (account->person) {
        emu_index_remove(&account->person->accounts, account->seq);
        if (!account->person->accounts.live) {
            emu_map_remove(&store->people, &account->person->by_identifier);
            free_person(account->person);
        }
    }
    free_account(account);
}

bool emu_account_is_active(const struct emu_account *account)
{
    return account->status && strcmp(account->status, "ACTIVE") == 0;
}

const char *emu_account_type(const struct emu_account *account)
{
    static const char *const names[] = {
        [EMU_OAUTH] = "OAUTH",
        [EMU_STATIC] = "API_KEY",
        [EMU_GOOGLE_DWD] = "GOOGLE_DWD",
        [EMU_TRUSTED_IDP] = "TRUSTED_IDP",
    };

    return names[account->auth];
}

bool emu_account_set_tokens(struct emu_store *store, struct emu_account *account,
                            const char *access_token, const char *refresh_token)
{
    char random[33], made_access[64], made_refresh[64];

    if (!emu_random_text(random, sizeof random))
        return false;
    snprintf(made_access, sizeof made_access, "ya29.emu_%s", random);
    if (!emu_random_text(random, sizeof random))
        return false;
    snprintf(made_refresh, sizeof made_refresh, "1//0emu_%s", random);
    emu_map_remove(&store->by_token, &account->by_token);
    if (!emu_set_text(&account->access_token, access_token ? access_token : made_access) ||
        !emu_set_text(&account->refresh_token, refresh_token ? refresh_token : made_refresh) ||
        (strcmp(account->scopes, "[]") == 0 && !emu_set_text(&account->scopes, SCOPES)))
        return false;
    account->token_expires_us = emu_now_us() + TOKEN_LIFE;
    if (emu_map_find(&store->by_token, account->access_token))
        return true; /* two accounts were given one token: the first one answers for it */
    return emu_map_add(&store->by_token, &account->by_token, account->access_token);
}

static bool has_tokens(const struct emu_account *account)
{
    return account->access_token && *account->access_token;
}

bool emu_account_set_status(struct emu_store *store, struct emu_account *account,
                            const char *status)
{
    bool was_active = emu_account_is_active(account);
    char *old_status = account->status;

    account->status = strdup(status);
    if (!account->status) {
        account->status = old_status;
        return false;
    }
    store->active += (size_t)emu_account_is_active(account) - (size_t)was_active;
    account->updated_us = emu_now_us();
    emu_event_record_status(store->events, account, old_status);
    free(old_status);
    if (!emu_account_is_active(account) || account->auth == EMU_STATIC)
        return true;
    if (!was_active || !has_tokens(account))
        return emu_account_set_tokens(store, account, NULL, NULL);
    return true;
}

bool emu_account_disconnect(struct emu_store *store, struct emu_account *account)
{
    emu_map_remove(&store->by_token, &account->by_token);
    emu_set_text(&account->access_token, NULL);
    emu_set_text(&account->refresh_token, NULL);
    account->token_expires_us = 0;
    return emu_set_text(&account->scopes, "[]") && emu_set_text(&account->details, "{}") &&
           emu_account_set_status(store, account, "DISCONNECTED");
}

bool emu_account_use(struct emu_store *store, struct emu_account *account)
{
    account->last_used_us = emu_now_us();
    if (account->auth == EMU_STATIC || account->last_used_us < account->token_expires_us)
        return true;
    account->updated_us = account->last_used_us;
    if (!emu_account_set_tokens(store, account, NULL, account->refresh_token))
        return false;
    emu_event_record(store->events, EMU_EVENT_TOKEN_REFRESH_SUCCEEDED, account);
    return true;
}

struct emu_account *emu_account_of_token(const struct emu_store *store, const char *access_token)
{
    struct emu_account *account =
        EMU_OWNER(emu_map_find(&store->by_token, access_token), struct emu_account, by_token);

    if (!account || !emu_account_is_active(account) || account->token_expires_us <= emu_now_us())
        return NULL;
    return account;
}

/* --- the store --------------------------------------------------------------------------------- */

bool emu_store_init(struct emu_store *store)
{
    uint32_t random;

    if (RAND_bytes((unsigned char *)&random, sizeof random) != 1)
        return false;
    store->first_number = UINT64_C(20000000000000000) + random * UINT64_C(1000000);
    emu_connections_init(&store->connections, store->first_number);
    return true;
}

void emu_store_free(struct emu_store *store)
{
    struct emu_node *node;

    while ((node = emu_map_take(&store->by_key)))
        free_account(EMU_OWNER(node, struct emu_account, by_key));
    emu_connections_free(&store->connections);
    while ((node = emu_map_take(&store->people)))
        free_person(EMU_OWNER(node, struct emu_person, by_identifier));
    free(store->by_id.buckets);
    free(store->by_token.buckets);
    free(store->all.slots);
}
