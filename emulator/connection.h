/* connection.h - the connections: those the API made, and those that the first account to name one
 * made, so that nobody has to prepare anything.
 *
 * A connection has a name (key_id on the wire, connector to its accounts) and an id.  One that is
 * deleted takes its accounts with it.  Its name stays known, so that no account brings it back,
 * until the API or /_emulator/status makes one of that name, or 1,000 others have been deleted.  One
 * that is switched off keeps its accounts, which can be read, but gets no new ones and no links. */
#ifndef EMU_CONNECTION_H
#define EMU_CONNECTION_H

#include "index.h"
#include "shelf.h"

struct emu_test;

struct emu_connection {
    struct emu_item item; /* on the shelf, and among the deleted ones then */
    struct emu_node by_name;
    struct emu_index accounts;
    const char *id;                 /* the item's */
    char *name, *provider;          /* "gmail", "GMAIL" */
    const char *provider_name;      /* the word for its provider, "CUSTOM" */
    const struct emu_kind *kind;    /* how it authorizes (connection_config.h) */
    const char *configuration;      /* "DISCOVERY", "MANUAL" or "" */
    char *title, *mapping, *config; /* mapping and config: JSON objects; config may be NULL */
    bool deleted, complete, enabled, debug;
    bool login_only; /* not for agents */
    int64_t created_us, updated_us;
    TAILQ_HEAD(emu_test_list, emu_test) tests; /* that were asked for, the latest last */
    size_t n_tests;
};

struct emu_connections {
    struct emu_shelf shelf;
    struct emu_map by_name;
    struct emu_items deleted;
    size_t n_deleted;
};

void emu_connections_init(struct emu_connections *connections, uint64_t first_number);
void emu_connections_free(struct emu_connections *connections);

/* NULL when there is none; a deleted one is found by its name only. */
struct emu_connection *emu_connection_by_name(const struct emu_connections *connections,
                                              const char *name);
struct emu_connection *emu_connection_by_id(const struct emu_connections *connections,
                                            const char *id);

/* There must be none of this name, but for a deleted one.  Complete and switched on.  NULL when
 * memory ran out. */
struct emu_connection *emu_connection_add(struct emu_connections *connections, const char *name);
/* The new name must be free.  False when memory ran out: it is as before. */
bool emu_connection_rename(struct emu_connections *connections, struct emu_connection *connection,
                           const char *name);
/* Its accounts must be gone. */
void emu_connection_delete(struct emu_connections *connections, struct emu_connection *connection);

/* Whether it lets accounts and links be made. */
bool emu_connection_is_open(const struct emu_connection *connection);

/* How a test of it goes: PENDING when it is asked for the first time, then SUCCESS, or FAILURE when
 * the connection is not complete.  NULL when memory ran out. */
const char *emu_connection_test(struct emu_connection *connection, const char *test_request_id);

#endif
