/* provider.h - the providers: Scalekit's, of which the emulator knows a few, and custom ones. */
#ifndef EMU_PROVIDER_H
#define EMU_PROVIDER_H

#include "shelf.h"
#include <yajl/yajl_tree.h>

struct emu_connection;
struct emu_json;

struct emu_provider {
    struct emu_item item;
    struct emu_node by_identifier;
    char *identifier; /* "GMAIL" */
    char *display_name, *description, *icon_src, *proxy_url;
    char *categories, *auth_patterns; /* JSON arrays */
    char *metadata;                   /* a JSON object */
    int64_t display_priority;
    bool coming_soon, proxy_enabled, is_custom, is_custom_mcp;
};

struct emu_providers {
    struct emu_shelf shelf;
    struct emu_map by_identifier;
};

/* With those that the emulator knows.  False when memory ran out; to be freed in any case. */
bool emu_providers_init(struct emu_providers *providers, uint64_t first_number);
void emu_providers_free(struct emu_providers *providers);

struct emu_provider *emu_provider_find(const struct emu_providers *providers,
                                       const char *identifier);
/* There must be none with this identifier.  NULL when memory ran out. */
struct emu_provider *emu_provider_add(struct emu_providers *providers, const char *identifier,
                                      bool is_custom, yajl_val members);
/* Writes what the members say, which have the right types; the others stay, but a custom provider's
 * metadata.  False when memory ran out: some may be written then. */
bool emu_provider_write(struct emu_provider *provider, yajl_val members);
void emu_provider_remove(struct emu_providers *providers, struct emu_provider *provider);

/* Whether the connection is one of this provider: its name alone may say so, "acme-mcp" being one
 * of ACME_MCP. */
bool emu_connection_is_of(const struct emu_connection *connection, const char *identifier);

void emu_json_provider(struct emu_json *json, const char *key, const struct emu_provider *provider);

#endif
