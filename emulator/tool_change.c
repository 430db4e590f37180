/* /api/v1/tools: changing the catalogue, by hand or by what an account of a custom MCP server has. */
#include "check.h"
#include "routes.h"
#include "text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void answer_tool(struct emu_request *request, const struct emu_tool *tool)
{
    if (!tool) {
        emu_out_of_memory(request);
        return;
    }
    emu_json_open(&request->json, NULL, '{');
    emu_json_tool(&request->json, "tool", tool);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

/* --- by hand ----------------------------------------------------------------------------------- */

static void check_name(struct emu_request *request, const char *field, const char *name)
{
    bool good = islower((unsigned char)*name) || isdigit((unsigned char)*name) || *name == '_';

    if (*name && !good)
        emu_violation(request, field, "string.pattern",
                      "value does not match regex pattern `^[a-z0-9_].*$`");
}

static void check_version(struct emu_request *request, yajl_val definition, const char *member)
{
    const char *version = emu_member(request, definition, member);

    if (version && emu_code_points(version) > 10)
        emu_violation(request, member, "string.max_len",
                      "value length must be at most 10 characters");
}

/* False when something is wrong, which has been answered then. */
static bool read_parts(struct emu_request *request, struct emu_tool_parts *parts)
{
    const char *name;

    parts->definition = emu_object(request, request->body, "definition");
    parts->metadata = emu_object(request, request->body, "metadata");
    parts->tags = emu_strings(request, request->body, "tags");
    name = emu_member(request, parts->definition, "name");
    if (!parts->definition)
        emu_violation(request, "definition", "required", "value is required");
    else if (!name || !*name || emu_code_points(name) > 100)
        emu_violation(request, "definition.name", "string.min_len",
                      "value length must be 1 to 100 characters");
    else
        check_name(request, "definition.name", name);
    check_version(request, parts->definition, "schema_version");
    check_version(request, parts->definition, "tool_version");
    emu_member(request, parts->definition, "provider");
    emu_member(request, parts->definition, "description");
    return !emu_refused(request);
}

void emu_route_tool_create(struct emu_request *request)
{
    struct emu_catalogue *catalogue = &request->emulator->catalogue;
    struct emu_tool_parts parts;

    if (!read_parts(request, &parts))
        return;
    if (emu_tool_find_defined(catalogue, parts.definition))
        emu_fail(request, 409, "ALREADY_EXISTS", "tool already exists");
    else
        answer_tool(request, emu_tool_add(catalogue, &parts));
}

void emu_route_tool_update(struct emu_request *request)
{
    struct emu_tool_parts parts;
    struct emu_tool *tool;

    if (!read_parts(request, &parts))
        return;
    tool = emu_tool_find_defined(&request->emulator->catalogue, parts.definition);
    if (!tool)
        emu_not_found(request, "tool");
    else
        answer_tool(request, emu_tool_write(tool, &parts) ? tool : NULL);
}

void emu_route_tool_delete(struct emu_request *request)
{
    struct emu_catalogue *catalogue = &request->emulator->catalogue;
    const char *id = emu_in_path(request, "id", 1, SIZE_MAX, EMU_TOOL_ID);
    struct emu_tool *tool = emu_tool_find_id(catalogue, id);

    if (emu_refused(request))
        return;
    if (!tool) {
        emu_not_found(request, "tool");
        return;
    }
    emu_tool_remove(catalogue, tool);
    emu_send_nothing(request);
}

void emu_route_tool_set_default(struct emu_request *request)
{
    struct emu_catalogue *catalogue = &request->emulator->catalogue;
    const char *name = emu_text(request, "name", 1, 100, EMU_REQUIRED);
    const char *schema_version = emu_text(request, "schema_version", 1, 10, EMU_REQUIRED);
    const char *tool_version = emu_text(request, "tool_version", 1, 10, EMU_REQUIRED);
    struct emu_tool *tool;

    check_name(request, "name", name);
    if (emu_refused(request))
        return;
    tool = emu_tool_find(catalogue, name, schema_version, tool_version);
    if (!tool) {
        emu_not_found(request, "tool");
        return;
    }
    emu_tool_set_default(catalogue, tool);
    answer_tool(request, tool);
}

/* --- of an account ----------------------------------------------------------------------------- */

/* What every MCP server has here: ACME_MCP's are acme_mcp_search and acme_mcp_fetch. */
static const char *const mcp_verbs[] = {"search", "fetch"};

static const struct emu_provider *find_mcp_provider(const struct emu_providers *providers,
                                                    const struct emu_account *account)
{
    const struct emu_item *item = TAILQ_FIRST(&providers->shelf.by_age);

    for (; item; item = TAILQ_NEXT(item, by_age)) {
        const struct emu_provider *provider = EMU_OWNER(item, struct emu_provider, item);

        if (provider->is_custom_mcp &&
            emu_connection_is_of(account->connection, provider->identifier))
            return provider;
    }
    return NULL;
}

/* Both identifier and display name are of letters, digits, space and _ only. */
static const struct emu_tool *refresh_tool(struct emu_catalogue *catalogue,
                                           const struct emu_provider *provider, const char *verb)
{
    struct emu_tool_parts parts = {NULL, NULL, NULL};
    struct emu_tool *tool;
    char name[300], text[1024];
    int length;

    snprintf(name, sizeof name, "%s_%s", provider->identifier, verb);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    length = snprintf(text, sizeof text,
                      "{\"name\":\"%s\",\"provider\":\"%s\",\"description\":\"The %s tool of %s\","
                      "\"input_schema\":{\"type\":\"object\"},\"schema_version\":\"1\","
                      "\"tool_version\":\"1\"}",
                      name, provider->identifier, verb, provider->display_name);
    parts.definition = emu_json_parse(text, (size_t)length);
    tool = parts.definition ? emu_tool_find_defined(catalogue, parts.definition) : NULL;
    if (tool)
        tool = emu_tool_write(tool, &parts) ? tool : NULL;
    else if (parts.definition)
        tool = emu_tool_add(catalogue, &parts);
    yajl_tree_free(parts.definition);
    return tool;
}

static void answer_refreshed(struct emu_request *request, const struct emu_provider *provider)
{
    const size_t n = sizeof mcp_verbs / sizeof *mcp_verbs;

    emu_json_open(&request->json, NULL, '{');
    emu_json_open(&request->json, "tools", '[');
    for (size_t i = 0; i < n; i++) {
        const struct emu_tool *tool =
            refresh_tool(&request->emulator->catalogue, provider, mcp_verbs[i]);

        if (!tool) {
            emu_out_of_memory(request);
            return;
        }
        emu_json_tool(&request->json, NULL, tool);
    }
    emu_json_close(&request->json, ']');
    emu_json_number(&request->json, "total_size", (int64_t)n);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

void emu_route_tool_refresh(struct emu_request *request)
{
    const struct emu_key key = {
        .id = emu_text(request, "connected_account_id", 0, 100, 0),
        .connector = emu_text(request, "connector", 0, 400, EMU_NAME),
        .identifier = emu_text(request, "identifier", 0, 100, 0),
        .organization_id = emu_text(request, "organization_id", 0, 100, 0),
        .user_id = emu_text(request, "user_id", 0, 100, 0),
    };
    const struct emu_provider *provider;
    const struct emu_account *account;

    if (!*key.id && (!*key.connector || !*key.identifier))
        emu_violation(request, "connected_account_id", "refresh_tools.account",
                      "give a connected_account_id, or a connector and an identifier");
    if (emu_refused(request))
        return;
    account = emu_account_find(&request->emulator->store, &key);
    provider = account ? find_mcp_provider(&request->emulator->providers, account) : NULL;
    if (!account)
        emu_not_found(request, "connected account");
    else if (!provider)
        emu_fail(request, 400, "INVALID_ARGUMENT", "the account is not of a custom MCP provider");
    else
        answer_refreshed(request, provider);
}
