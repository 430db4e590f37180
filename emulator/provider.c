#include "provider.h"
#include "account.h"
#include "json.h"
#include "text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PROVIDER(name, description, category, proxy_url, auth_pattern)                             \
    "{\"display_name\":\"" name "\",\"description\":\"" description                                \
    "\",\"categories\":[\"" category "\"],\"proxy_url\":\"" proxy_url                              \
    "\",\"proxy_enabled\":true,\"auth_patterns\":[" auth_pattern "]}"
#define OAUTH(name)                                                                                \
    "{\"type\":\"OAUTH\",\"display_name\":\"" name "\",\"fields\":[],\"oauth_config\":"            \
    "{\"pkce_enabled\":true}}"
#define API_KEY(name)                                                                              \
    "{\"type\":\"API_KEY\",\"display_name\":\"" name "\",\"fields\":[{\"field_name\":\"api_key\"," \
    "\"label\":\"API key\",\"input_type\":\"password\",\"required\":true}]}"

static const struct {
    const char *identifier, *members;
} known[] = {
    {"GMAIL", PROVIDER("Gmail", "Read and send mail", "email", "https://gmail.googleapis.com",
                       OAUTH("Google"))},
    {"GOOGLE", PROVIDER("Google Workspace", "Calendar, Drive and the rest", "productivity",
                        "https://www.googleapis.com", OAUTH("Google"))},
    {"SLACK", PROVIDER("Slack", "Channels and messages", "communication", "https://slack.com/api",
                       OAUTH("Slack"))},
    {"GITHUB", PROVIDER("GitHub", "Repositories, issues and pull requests", "development",
                        "https://api.github.com", OAUTH("GitHub"))},
    {"FRESHDESK", PROVIDER("Freshdesk", "Tickets and contacts", "support",
                           "https://{{domain}}/api/v2", API_KEY("Freshdesk"))},
};

/* --- finding ----------------------------------------------------------------------------------- */

struct emu_provider *emu_provider_find(const struct emu_providers *providers,
                                       const char *identifier)
{
    return EMU_OWNER(emu_map_find(&providers->by_identifier, identifier), struct emu_provider,
                     by_identifier);
}

static bool spells(const char *name, const char *identifier)
{
    for (; *name && *identifier; name++, identifier++) {
        int c = isalnum((unsigned char)*name) ? toupper((unsigned char)*name) : '_';

        if (c != *identifier)
            return false;
    }
    return !*name && !*identifier;
}

bool emu_connection_is_of(const struct emu_connection *connection, const char *identifier)
{
    return strcmp(connection->provider, identifier) == 0 || spells(connection->name, identifier);
}

/* --- changing ---------------------------------------------------------------------------------- */

static bool set_text(char **slot, yajl_val value)
{
    return !value || emu_set_text(slot, YAJL_GET_STRING(value));
}

static bool is_mcp(yajl_val auth_patterns)
{
    for (size_t i = 0; i < YAJL_GET_ARRAY(auth_patterns)->len; i++)
        if (YAJL_IS_TRUE(emu_json_get(YAJL_GET_ARRAY(auth_patterns)->values[i], "is_mcp")))
            return true;
    return false;
}

/* What only one of Scalekit's has. */
static bool write_default(struct emu_provider *provider, yajl_val members)
{
    yajl_val priority = emu_json_get(members, "display_priority");
    yajl_val coming_soon = emu_json_get(members, "coming_soon");

    if (priority)
        provider->display_priority = YAJL_GET_INTEGER(priority);
    if (coming_soon)
        provider->coming_soon = YAJL_IS_TRUE(coming_soon);
    return emu_json_set(&provider->categories, emu_json_get(members, "categories"));
}

/* What only a custom one has. */
static bool write_custom(struct emu_provider *provider, yajl_val members)
{
    yajl_val auth_patterns = emu_json_get(members, "auth_patterns");
    yajl_val metadata = emu_json_get(members, "metadata");

    if (auth_patterns)
        provider->is_custom_mcp = is_mcp(auth_patterns);
    return metadata ? emu_json_set(&provider->metadata, metadata)
                    : emu_set_text(&provider->metadata, "{}");
}

bool emu_provider_write(struct emu_provider *provider, yajl_val members)
{
    yajl_val proxy_enabled = emu_json_get(members, "proxy_enabled");

    if (proxy_enabled)
        provider->proxy_enabled = YAJL_IS_TRUE(proxy_enabled);
    return set_text(&provider->display_name, emu_json_get(members, "display_name")) &&
           set_text(&provider->description, emu_json_get(members, "description")) &&
           set_text(&provider->icon_src, emu_json_get(members, "icon_src")) &&
           set_text(&provider->proxy_url, emu_json_get(members, "proxy_url")) &&
           emu_json_set(&provider->auth_patterns, emu_json_get(members, "auth_patterns")) &&
           (provider->is_custom ? write_custom(provider, members)
                                : write_default(provider, members));
}

struct emu_provider *emu_provider_add(struct emu_providers *providers, const char *identifier,
                                      bool is_custom, yajl_val members)
{
    struct emu_provider *provider = calloc(1, sizeof *provider);

    if (!provider)
        return NULL;
    provider->is_custom = is_custom;
    if (emu_set_text(&provider->identifier, identifier) &&
        emu_set_text(&provider->categories, "[]") && emu_set_text(&provider->auth_patterns, "[]") &&
        emu_set_text(&provider->metadata, "{}") && emu_provider_write(provider, members) &&
        emu_shelf_add(&providers->shelf, &provider->item) &&
        emu_map_add(&providers->by_identifier, &provider->by_identifier, provider->identifier))
        return provider;
    emu_provider_remove(providers, provider);
    return NULL;
}

static void free_provider(struct emu_provider *provider)
{
    free(provider->identifier);
    free(provider->display_name);
    free(provider->description);
    free(provider->icon_src);
    free(provider->proxy_url);
    free(provider->categories);
    free(provider->auth_patterns);
    free(provider->metadata);
    free(provider);
}

void emu_provider_remove(struct emu_providers *providers, struct emu_provider *provider)
{
    emu_shelf_remove(&providers->shelf, &provider->item);
    emu_map_remove(&providers->by_identifier, &provider->by_identifier);
    free_provider(provider);
}

/* --- all of them ------------------------------------------------------------------------------- */

bool emu_providers_init(struct emu_providers *providers, uint64_t first_number)
{
    bool added = true;

    emu_shelf_init(&providers->shelf, "prv", first_number);
    for (size_t i = 0; added && i < sizeof known / sizeof *known; i++) {
        yajl_val members = emu_json_parse(known[i].members, strlen(known[i].members));

        added = members && emu_provider_add(providers, known[i].identifier, false, members);
        yajl_tree_free(members);
    }
    return added;
}

void emu_providers_free(struct emu_providers *providers)
{
    struct emu_node *node;

    while ((node = emu_map_take(&providers->by_identifier)))
        free_provider(EMU_OWNER(node, struct emu_provider, by_identifier));
    free(providers->shelf.by_id.buckets);
}

void emu_json_provider(struct emu_json *json, const char *key, const struct emu_provider *provider)
{
    emu_json_open(json, key, '{');
    emu_json_text(json, "id", provider->item.id);
    emu_json_text(json, "identifier", provider->identifier);
    emu_json_text(json, "display_name", provider->display_name);
    emu_json_text(json, "description", provider->description);
    emu_json_raw(json, "categories", provider->categories);
    emu_json_raw(json, "auth_patterns", provider->auth_patterns);
    emu_json_text(json, "icon_src", provider->icon_src);
    emu_json_number(json, "display_priority", provider->display_priority);
    emu_json_bool(json, "coming_soon", provider->coming_soon);
    emu_json_text(json, "proxy_url", provider->proxy_url);
    emu_json_bool(json, "proxy_enabled", provider->proxy_enabled);
    emu_json_bool(json, "is_custom", provider->is_custom);
    emu_json_bool(json, "is_custom_mcp", provider->is_custom_mcp);
    emu_json_raw(json, "metadata", provider->metadata);
    emu_json_close(json, '}');
}
