/* mcp.h - what the MCP operations keep: configurations, their instances, and servers.
 *
 * A mapping names a connection; as with accounts, the first to name one makes it.  Connections and
 * what users have there are looked up when they are asked for: nothing here holds them, so that
 * they come and go as they like.  MCP itself is not spoken: the URLs are only shown. */
#ifndef EMU_MCP_H
#define EMU_MCP_H

#include "account.h"
#include "shelf.h"

#define EMU_MCP_MAPPINGS 25  /* of a configuration, at most */
#define EMU_MCP_USER     255 /* characters of a user's identifier, at most */

struct emu_mcp_mapping {
    char connection_id[EMU_ID_SIZE];
    char *connection_name; /* when the mapping was made */
    char *tools;           /* a JSON list */
};

struct emu_mcp_mappings {
    struct emu_mcp_mapping *at;
    size_t n;
};

TAILQ_HEAD(emu_mcp_instances, emu_mcp_instance);
TAILQ_HEAD(emu_mcp_servers, emu_mcp_server);

struct emu_mcp_config {
    struct emu_item item;
    struct emu_node by_name;
    char *name, *description;
    struct emu_mcp_mappings mappings;
    struct emu_mcp_instances instances; /* the oldest first, but those that moved here */
    char uuid[37];                      /* ends the URL of its server */
};

/* Whoever has an instance or a server. */
struct emu_mcp_user {
    struct emu_node by_identifier;
    char *identifier;
    struct emu_mcp_instances instances; /* the oldest first */
    struct emu_mcp_servers servers;
};

struct emu_mcp_instance {
    struct emu_item item;
    TAILQ_ENTRY(emu_mcp_instance) of_config, of_user;
    struct emu_mcp_config *config;
    struct emu_mcp_user *user;
    char *name;
    char token[33]; /* ends its URL */
    int64_t updated_us;
};

struct emu_mcp_server {
    struct emu_item item;
    TAILQ_ENTRY(emu_mcp_server) of_user;
    struct emu_mcp_user *user;
    struct emu_mcp_mappings mappings;
    char token[33]; /* ends its URL */
};

struct emu_mcp {
    struct emu_shelf configs, instances, servers;
    struct emu_map configs_by_name, users;
};

void emu_mcp_init(struct emu_mcp *mcp, uint64_t first_number);
void emu_mcp_free(struct emu_mcp *mcp);

/* NULL when there is none. */
struct emu_mcp_config *emu_mcp_config_named(const struct emu_mcp *mcp, const char *name);
struct emu_mcp_user *emu_mcp_user(const struct emu_mcp *mcp, const char *identifier);

/* Each gives NULL when memory ran out, and takes the mappings over when it does not. */
struct emu_mcp_config *emu_mcp_add_config(struct emu_mcp *mcp, const char *name,
                                          const char *description,
                                          struct emu_mcp_mappings *mappings);
struct emu_mcp_instance *emu_mcp_add_instance(struct emu_mcp *mcp, struct emu_mcp_config *config,
                                              const char *name, const char *identifier);
struct emu_mcp_server *emu_mcp_add_server(struct emu_mcp *mcp, const char *identifier,
                                          struct emu_mcp_mappings *mappings);

void emu_mcp_move_instance(struct emu_mcp_instance *instance, struct emu_mcp_config *config);

void emu_mcp_remove_config(struct emu_mcp *mcp, struct emu_mcp_config *config); /* and instances */
void emu_mcp_remove_instance(struct emu_mcp *mcp, struct emu_mcp_instance *instance);
void emu_mcp_remove_server(struct emu_mcp *mcp, struct emu_mcp_server *server);

void emu_mcp_mappings_free(struct emu_mcp_mappings *mappings);
bool emu_mcp_mappings_equal(const struct emu_mcp_mappings *a, const struct emu_mcp_mappings *b);

#define EMU_MCP_SHARED "/mcp/v3/servers/" /* where the server of a configuration is */
#define EMU_MCP_OWN    "/mcp/v1/"         /* and that of one user */
#define EMU_MCP_URL    160

void emu_mcp_url(char out[EMU_MCP_URL], const scalekit_emulator *emulator, const char *path,
                 const char *last);

#endif
