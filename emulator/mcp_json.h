/* mcp_json.h - what the MCP routes read and write alike. */
#ifndef EMU_MCP_JSON_H
#define EMU_MCP_JSON_H

#include "server.h"

/* A list of the body, checked; NULL when absent.  `tools` is the name of a mapping's list. */
yajl_val emu_mcp_read_mappings(struct emu_request *request, const char *field, const char *tools,
                               size_t max);
/* What has been checked, as mappings.  False when memory ran out: it has been answered. */
bool emu_mcp_take_mappings(struct emu_request *request, yajl_val list, const char *tools,
                           struct emu_mcp_mappings *mappings);

/* A mapping's connection, NULL when it was deleted, and a user's account there, NULL when there is
 * none. */
const struct emu_connection *emu_mcp_connection(const struct emu_store *store,
                                                const struct emu_mcp_mapping *mapping);
struct emu_account *emu_mcp_account(const struct emu_store *store,
                                    const struct emu_mcp_mapping *mapping, const char *user);

/* `user` NULL: nobody's, without accounts. */
void emu_json_mcp_config(struct emu_request *request, const char *key,
                         const struct emu_mcp_config *config, const char *user);
/* Answers with every connection and the user's account there, as a list of that name.  `links`:
 * accounts that are missing are made, and a link for each. */
void emu_mcp_answer_state(struct emu_request *request, const char *key,
                          const struct emu_mcp_mappings *mappings, const char *user, bool links);
/* A URL within the emulator's own, as the member of that name. */
void emu_json_mcp_url(struct emu_json *json, const char *key, const scalekit_emulator *emulator,
                      const char *path, const char *last);

/* The thing that the path names; NULL: it has been answered. */
struct emu_item *emu_mcp_named(struct emu_request *request, const struct emu_shelf *shelf,
                               const char *what);

#endif
