/* /api/v1/mcp/instances: configurations made ready for one user. */
#include "check.h"
#include "mcp_json.h"
#include "paging.h"
#include "routes.h"
#include "text.h"

static struct emu_mcp_instance *find_instance(struct emu_request *request)
{
    struct emu_item *item =
        emu_mcp_named(request, &request->emulator->mcp.instances, "mcp instance");

    return EMU_OWNER(item, struct emu_mcp_instance, item);
}

static void put_instance(struct emu_request *request, const char *key,
                         const struct emu_mcp_instance *instance)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, key, '{');
    emu_json_text(json, "id", instance->item.id);
    emu_json_text(json, "name", instance->name);
    emu_json_text(json, "user_identifier", instance->user->identifier);
    emu_json_mcp_config(request, "config", instance->config, instance->user->identifier);
    emu_json_text(json, "last_used_at", "0001-01-01T00:00:00Z"); /* the service's word for never */
    emu_json_time(json, "updated_at", instance->updated_us);
    emu_json_mcp_url(json, "url", request->emulator, EMU_MCP_OWN, instance->token);
    emu_json_close(json, '}');
}

static void answer_instance(struct emu_request *request, const struct emu_mcp_instance *instance)
{
    emu_json_open(&request->json, NULL, '{');
    put_instance(request, "instance", instance);
    emu_json_close(&request->json, '}');
    emu_header(request, "Cache-Control", "no-store");
    emu_send(request, 200);
}

/* A configuration by its name; NULL: it has been answered. */
static struct emu_mcp_config *find_config(struct emu_request *request, const char *name)
{
    struct emu_mcp_config *config = emu_mcp_config_named(&request->emulator->mcp, name);

    if (!config)
        emu_not_found(request, "mcp config");
    return config;
}

/* --- one at a time ----------------------------------------------------------------------------- */

/* The user's oldest of that name; `name` "": of any. */
static struct emu_mcp_instance *find_same(const struct emu_mcp *mcp,
                                          const struct emu_mcp_config *config, const char *name,
                                          const char *identifier)
{
    const struct emu_mcp_user *user = emu_mcp_user(mcp, identifier);
    struct emu_mcp_instance *instance = user ? TAILQ_FIRST(&user->instances) : NULL;

    while (instance && (instance->config != config || !emu_is_or_empty(name, instance->name)))
        instance = TAILQ_NEXT(instance, of_user);
    return instance;
}

void emu_route_mcp_instance_ensure(struct emu_request *request)
{
    struct emu_mcp *mcp = &request->emulator->mcp;
    const char *name = emu_text(request, "name", 0, SIZE_MAX, 0);
    const char *config_name = emu_text(request, "config_name", 1, SIZE_MAX, EMU_REQUIRED);
    const char *user = emu_text(request, "user_identifier", 1, EMU_MCP_USER, EMU_REQUIRED);
    struct emu_mcp_instance *instance;
    struct emu_mcp_config *config;

    if (emu_refused(request))
        return;
    config = find_config(request, config_name);
    if (!config)
        return;
    instance = find_same(mcp, config, name, user);
    if (!instance)
        instance = emu_mcp_add_instance(mcp, config, *name ? name : config_name, user);
    if (instance)
        answer_instance(request, instance);
    else
        emu_out_of_memory(request);
}

void emu_route_mcp_instance_update(struct emu_request *request)
{
    const char *name = emu_text(request, "name", 0, SIZE_MAX, 0);
    const char *config_name = emu_text(request, "config_name", 0, SIZE_MAX, 0);
    struct emu_mcp_instance *instance;
    struct emu_mcp_config *config;

    if (emu_refused(request))
        return;
    instance = find_instance(request);
    if (!instance)
        return;
    config = *config_name ? find_config(request, config_name) : instance->config;
    if (!config)
        return;
    if (*name && !emu_set_text(&instance->name, name)) {
        emu_out_of_memory(request);
        return;
    }
    emu_mcp_move_instance(instance, config);
    instance->updated_us = emu_now_us();
    answer_instance(request, instance);
}

void emu_route_mcp_instance_get(struct emu_request *request)
{
    const struct emu_mcp_instance *instance = find_instance(request);

    if (instance)
        answer_instance(request, instance);
}

void emu_route_mcp_instance_delete(struct emu_request *request)
{
    struct emu_mcp_instance *instance = find_instance(request);

    if (!instance)
        return;
    emu_mcp_remove_instance(&request->emulator->mcp, instance);
    emu_send_nothing(request);
}

void emu_route_mcp_instance_state(struct emu_request *request)
{
    bool links = emu_query_bool(request, "include_auth_links");
    const struct emu_mcp_instance *instance;

    if (emu_refused(request))
        return;
    instance = find_instance(request);
    if (instance)
        emu_mcp_answer_state(request, "connections", &instance->config->mappings,
                             instance->user->identifier, links);
}

/* --- lists ------------------------------------------------------------------------------------- */

struct filter {
    const char *id, *name, *config_name, *user, *search;
};

static bool wants_instance(struct emu_request *request, const struct emu_item *item,
                           const void *filter)
{
    const struct emu_mcp_instance *instance = EMU_OWNER(item, const struct emu_mcp_instance, item);
    const struct filter *wanted = filter;

    (void)request;
    return emu_is_or_empty(wanted->id, item->id) && emu_is_or_empty(wanted->name, instance->name) &&
           emu_is_or_empty(wanted->config_name, instance->config->name) &&
           emu_is_or_empty(wanted->user, instance->user->identifier) &&
           (emu_contains(instance->name, wanted->search) ||
            emu_contains(instance->user->identifier, wanted->search));
}

static void put_listed(struct emu_request *request, const struct emu_item *item)
{
    put_instance(request, NULL, EMU_OWNER(item, const struct emu_mcp_instance, item));
}

void emu_route_mcp_instance_list(struct emu_request *request)
{
    static const struct emu_listing listing = {"instances", wants_instance, put_listed, 10,
                                               30,          EMU_REFUSE};
    struct filter filter = {
        .id = emu_text(request, "filter.id", 0, SIZE_MAX, 0),
        .name = emu_text(request, "filter.name", 0, SIZE_MAX, 0),
        .config_name = emu_text(request, "filter.config_name", 0, SIZE_MAX, 0),
        .user = emu_text(request, "filter.user_identifier", 0, SIZE_MAX, 0),
        .search = emu_text(request, "search", 0, SIZE_MAX, 0),
    };

    emu_answer_page(request, &request->emulator->mcp.instances, &listing, &filter);
}
