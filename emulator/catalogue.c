#include "catalogue.h"
#include "json.h"
#include "provider.h"
#include "text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const built_in[] = {
    "{\"name\":\"gmail_fetch_mails\",\"provider\":\"GMAIL\",\"display_name\":\"Fetch mails\","
    "\"description\":\"Read the latest mails of the mailbox, or those that a search finds\","
    "\"input_schema\":{\"type\":\"object\",\"properties\":{"
    "\"query\":{\"type\":\"string\",\"description\":\"As in Gmail's search box\"},"
    "\"max_results\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":5}}},"
    "\"schema_version\":\"1\",\"tool_version\":\"1\"}",

    "{\"name\":\"echo\",\"display_name\":\"Echo\","
    "\"description\":\"Give back the input, or fail as it says\","
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"fail\":{\"type\":\"string\","
    "\"enum\":[\"rate_limit\",\"forbidden\",\"unauthorized\",\"error\"]}}},"
    "\"schema_version\":\"1\",\"tool_version\":\"1\"}",
};

/* --- finding ----------------------------------------------------------------------------------- */

struct emu_tool *emu_tool_next(const struct emu_catalogue *catalogue, const struct emu_tool *tool)
{
    struct emu_item *next =
        tool ? TAILQ_NEXT(&tool->item, by_age) : TAILQ_FIRST(&catalogue->shelf.by_age);

    return EMU_OWNER(next, struct emu_tool, item);
}

struct emu_tool *emu_tool_next_default(const struct emu_catalogue *catalogue,
                                       const struct emu_tool *tool)
{
    struct emu_tool *next = emu_tool_next(catalogue, tool);

    while (next && !next->is_default)
        next = emu_tool_next(catalogue, next);
    return next;
}

struct emu_tool *emu_tool_find(const struct emu_catalogue *catalogue, const char *name,
                               const char *schema_version, const char *tool_version)
{
    struct emu_tool *tool = emu_tool_next(catalogue, NULL);

    while (tool &&
           (strcmp(tool->name, name) != 0 || strcmp(tool->schema_version, schema_version) != 0 ||
            strcmp(tool->tool_version, tool_version) != 0))
        tool = emu_tool_next(catalogue, tool);
    return tool;
}

struct emu_tool *emu_tool_find_default(const struct emu_catalogue *catalogue, const char *name)
{
    struct emu_tool *tool = emu_tool_next_default(catalogue, NULL);

    while (tool && strcmp(tool->name, name) != 0)
        tool = emu_tool_next_default(catalogue, tool);
    return tool;
}

static const char *text_of(yajl_val definition, const char *member, const char *absent)
{
    const char *text = YAJL_GET_STRING(emu_json_get(definition, member));

    return text && *text ? text : absent;
}

struct emu_tool *emu_tool_find_defined(const struct emu_catalogue *catalogue, yajl_val definition)
{
    return emu_tool_find(catalogue, text_of(definition, "name", ""),
                         text_of(definition, "schema_version", "1"),
                         text_of(definition, "tool_version", "1"));
}

struct emu_tool *emu_tool_find_id(const struct emu_catalogue *catalogue, const char *id)
{
    return EMU_OWNER(emu_shelf_find(&catalogue->shelf, id), struct emu_tool, item);
}

bool emu_tool_fits(const struct emu_tool *tool, const struct emu_connection *connection)
{
    return !*tool->provider || emu_connection_is_of(connection, tool->provider);
}

/* --- changing ---------------------------------------------------------------------------------- */

/* `absent` where there is none. */
static bool set_json(char **slot, yajl_val value, const char *absent)
{
    return value ? emu_json_set(slot, value) : emu_set_text(slot, absent);
}

static bool set_provider(struct emu_tool *tool, const char *given)
{
    const char *end = strchr(tool->name, '_');

    if (!emu_set_text(&tool->provider, given ? given : tool->name))
        return false;
    if (given)
        return true;
    tool->provider[end ? end - tool->name : 0] = '\0';
    for (char *c = tool->provider; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return true;
}

bool emu_tool_write(struct emu_tool *tool, const struct emu_tool_parts *parts)
{
    yajl_val definition = parts->definition;

    tool->updated_us = emu_now_us();
    return emu_set_text(&tool->name, text_of(definition, "name", "")) &&
           emu_set_text(&tool->schema_version, text_of(definition, "schema_version", "1")) &&
           emu_set_text(&tool->tool_version, text_of(definition, "tool_version", "1")) &&
           emu_set_text(&tool->description, text_of(definition, "description", "")) &&
           set_provider(tool, text_of(definition, "provider", NULL)) &&
           set_json(&tool->definition, definition, "{}") &&
           set_json(&tool->metadata, parts->metadata, "{}") &&
           set_json(&tool->tags, parts->tags, "[]");
}

static void free_tool(struct emu_tool *tool)
{
    free(tool->name);
    free(tool->schema_version);
    free(tool->tool_version);
    free(tool->provider);
    free(tool->description);
    free(tool->definition);
    free(tool->metadata);
    free(tool->tags);
    free(tool);
}

struct emu_tool *emu_tool_add(struct emu_catalogue *catalogue, const struct emu_tool_parts *parts)
{
    struct emu_tool *tool = calloc(1, sizeof *tool);

    if (!tool)
        return NULL;
    if (!emu_tool_write(tool, parts)) {
        free_tool(tool);
        return NULL;
    }
    tool->is_default = !emu_tool_find_default(catalogue, tool->name);
    if (emu_shelf_add(&catalogue->shelf, &tool->item))
        return tool;
    free_tool(tool);
    return NULL;
}

void emu_tool_remove(struct emu_catalogue *catalogue, struct emu_tool *tool)
{
    struct emu_tool *latest = NULL;

    emu_shelf_remove(&catalogue->shelf, &tool->item);
    for (struct emu_tool *other = NULL; (other = emu_tool_next(catalogue, other));)
        if (strcmp(other->name, tool->name) == 0)
            latest = other;
    if (latest && tool->is_default)
        latest->is_default = true;
    free_tool(tool);
}

void emu_tool_set_default(struct emu_catalogue *catalogue, struct emu_tool *tool)
{
    struct emu_tool *old = emu_tool_find_default(catalogue, tool->name);

    if (old)
        old->is_default = false;
    tool->is_default = true;
    tool->updated_us = emu_now_us();
}

/* --- all of them ------------------------------------------------------------------------------- */

bool emu_catalogue_init(struct emu_catalogue *catalogue, uint64_t first_number)
{
    bool added = true;

    emu_shelf_init(&catalogue->shelf, "tol", first_number);
    for (size_t i = 0; added && i < sizeof built_in / sizeof *built_in; i++) {
        struct emu_tool_parts parts = {emu_json_parse(built_in[i], strlen(built_in[i])), NULL,
                                       NULL};

        added = parts.definition && emu_tool_add(catalogue, &parts);
        yajl_tree_free(parts.definition);
    }
    return added;
}

void emu_catalogue_free(struct emu_catalogue *catalogue)
{
    struct emu_node *node;

    while ((node = emu_map_take(&catalogue->shelf.by_id)))
        free_tool(EMU_OWNER(node, struct emu_tool, item.by_id));
}

void emu_json_tool(struct emu_json *json, const char *key, const struct emu_tool *tool)
{
    emu_json_open(json, key, '{');
    emu_json_text(json, "id", tool->item.id);
    emu_json_text(json, "provider", tool->provider);
    emu_json_raw(json, "definition", tool->definition);
    emu_json_raw(json, "metadata", tool->metadata);
    emu_json_raw(json, "tags", tool->tags);
    emu_json_bool(json, "is_default", tool->is_default);
    emu_json_time(json, "updated_at", tool->updated_us);
    emu_json_close(json, '}');
}
