/* account.h - the connected accounts: what they are, and every way to find them.
 *
 * An account is in hash tables by id, by (connection, identifier, organization, user) and by its
 * access token, and in up to three indexes: of all accounts, of its connection's, of its
 * identifier's. */
#ifndef EMU_ACCOUNT_H
#define EMU_ACCOUNT_H

#include "connection.h"
#include "emulator.h"

struct emu_events;
struct emu_link;

struct emu_person {
    struct emu_node by_identifier;
    struct emu_index accounts;
    char *identifier;
};

enum emu_auth { EMU_OAUTH, EMU_STATIC, EMU_GOOGLE_DWD, EMU_TRUSTED_IDP };

struct emu_account {
    struct emu_node by_id, by_key, by_token;
    uint64_t seq; /* rises with age; unique */
    struct emu_connection *connection;
    struct emu_person *person;
    char id[EMU_ID_SIZE];
    char *key, *organization_id, *user_id, *status;
    enum emu_auth auth;
    char *access_token, *refresh_token, *scopes, *domain; /* scopes: a JSON array */
    char *subject;                                      /* of google_dwd; db_user of trusted_idp */
    char *details, *api_config;                         /* JSON objects; api_config may be NULL */
    int64_t token_expires_us, updated_us, last_used_us; /* 0: never */
    TAILQ_HEAD(, emu_link) links;
    bool announced; /* its creation is on record: changes are, too (event.h) */
};

struct emu_store {
    struct emu_map by_id, by_key, by_token, people;
    struct emu_connections connections;
    struct emu_index all;
    uint64_t first_number, count; /* of ids */
    size_t active;
    struct emu_events *events; /* where changes are recorded */
};

/* Which account is meant: an id, or connector and identifier.  "" or NULL: not given. */
struct emu_key {
    const char *id, *connector, *identifier, *organization_id, *user_id;
};

bool emu_store_init(struct emu_store *store);
void emu_store_free(struct emu_store *store); /* the links must be gone */

struct emu_account *emu_account_find(const struct emu_store *store, const struct emu_key *key);
/* NULL when memory ran out.  It is PENDING_AUTH by OAuth; there must be none with this key. */
struct emu_account *emu_account_add(struct emu_store *store, const struct emu_key *key);
/* Takes its tokens or credentials; it is DISCONNECTED. */
bool emu_account_disconnect(struct emu_store *store, struct emu_account *account);
void emu_account_remove(struct emu_store *store, struct emu_account *account);

/* Any word.  ACTIVE brings fresh tokens when there are none. */
bool emu_account_set_status(struct emu_store *store, struct emu_account *account,
                            const char *status);
bool emu_account_is_active(const struct emu_account *account);
/* Replaces the tokens; NULL stands for a new one each. */
bool emu_account_set_tokens(struct emu_store *store, struct emu_account *account,
                            const char *access_token, const char *refresh_token);
/* What the service does before it hands out a token: a new one when it ran out.  Notes the use. */
bool emu_account_use(struct emu_store *store, struct emu_account *account);
const char *emu_account_type(const struct emu_account *account); /* "OAUTH" */

struct emu_account *emu_account_of_token(const struct emu_store *store, const char *access_token);

/* Accounts of all connections under one identifier, NULL when there are none. */
const struct emu_index *emu_store_person(const struct emu_store *store, const char *identifier);
const struct emu_index *emu_store_connection(const struct emu_store *store, const char *name);

#endif
