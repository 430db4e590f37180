/* connection_config.h - the ways a connection authorizes, and the configuration that each has:
 * which members there are, what may stand in them, and which are secrets.
 *
 * What is given is held to that description; only what it knows is stored, and no secret is: the
 * emulator never signs in anywhere. */
#ifndef EMU_CONNECTION_CONFIG_H
#define EMU_CONNECTION_CONFIG_H

#include "json.h"

struct emu_connection;
struct emu_request;

struct emu_kind {
    const char *type;   /* "OAUTH" */
    const char *config; /* the member that configures it, "oauth_config"; NULL: none does */
    bool needs_config;  /* it is a draft until it has been given one */
};

extern const struct emu_kind emu_kinds[]; /* ended by a NULL type; the first is the usual one */

/* The configuration that a body gives; what is wrong with it is noted (check.h).  NULL: none, or
 * not the one of this kind. */
yajl_val emu_read_config(struct emu_request *request, const struct emu_kind *kind);
/* Puts it over what the connection has.  False when memory ran out. */
bool emu_store_config(struct emu_connection *connection, yajl_val config);
/* The member as answers have it; nothing when the kind has none.  `url` is the emulator's. */
void emu_json_config(struct emu_json *json, const struct emu_connection *connection,
                     const char *url);

#endif
