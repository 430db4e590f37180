#include "mcp.h"
#include "text.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct emu_mcp_config *config_of(struct emu_item *item)
{
    return EMU_OWNER(item, struct emu_mcp_config, item);
}

static struct emu_mcp_server *server_of(struct emu_item *item)
{
    return EMU_OWNER(item, struct emu_mcp_server, item);
}

/* --- mappings ---------------------------------------------------------------------------------- */

void emu_mcp_mappings_free(struct emu_mcp_mappings *mappings)
{
    for (size_t i = 0; i < mappings->n; i++) {
        free(mappings->at[i].connection_name);
        free(mappings->at[i].tools);
    }
    free(mappings->at);
    *mappings = (struct emu_mcp_mappings){0};
}

bool emu_mcp_mappings_equal(const struct emu_mcp_mappings *a, const struct emu_mcp_mappings *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->at[i].connection_id, b->at[i].connection_id) != 0 ||
            strcmp(a->at[i].tools, b->at[i].tools) != 0)
            return false;
    return true;
}

/* --- configurations ---------------------------------------------------------------------------- */

struct emu_mcp_config *emu_mcp_config_named(const struct emu_mcp *mcp, const char *name)
{
    return EMU_OWNER(emu_map_find(&mcp->configs_by_name, name), struct emu_mcp_config, by_name);
}

static bool make_uuid(char out[37])
{
    unsigned char b[16];

    if (RAND_bytes(b, sizeof b) != 1)
        return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
    return true;
}

static void free_config(struct emu_mcp *mcp, struct emu_mcp_config *config)
{
    emu_map_remove(&mcp->configs_by_name, &config->by_name);
    emu_shelf_remove(&mcp->configs, &config->item);
    emu_mcp_mappings_free(&config->mappings);
    free(config->name);
    free(config->description);
    free(config);
}

struct emu_mcp_config *emu_mcp_add_config(struct emu_mcp *mcp, const char *name,
                                          const char *description,
                                          struct emu_mcp_mappings *mappings)
{
    struct emu_mcp_config *config = calloc(1, sizeof *config);

    if (!config)
        return NULL;
    TAILQ_INIT(&config->instances);
    if (!make_uuid(config->uuid) || !emu_set_text(&config->name, name) ||
        !emu_set_text(&config->description, description) ||
        !emu_map_add(&mcp->configs_by_name, &config->by_name, config->name) ||
        !emu_shelf_add(&mcp->configs, &config->item)) {
        free_config(mcp, config);
        return NULL;
    }
    config->mappings = *mappings;
    *mappings = (struct emu_mcp_mappings){0};
    return config;
}

void emu_mcp_remove_config(struct emu_mcp *mcp, struct emu_mcp_config *config)
{
    while (!TAILQ_EMPTY(&config->instances))
        emu_mcp_remove_instance(mcp, TAILQ_FIRST(&config->instances));
    free_config(mcp, config);
}

/* --- users ------------------------------------------------------------------------------------- */

struct emu_mcp_user *emu_mcp_user(const struct emu_mcp *mcp, const char *identifier)
{
    return EMU_OWNER(emu_map_find(&mcp->users, identifier), struct emu_mcp_user, by_identifier);
}

static void free_user(struct emu_mcp *mcp, struct emu_mcp_user *user)
{
    emu_map_remove(&mcp->users, &user->by_identifier);
    free(user->identifier);
    free(user);
}

/* The user, made when there is none; NULL when memory ran out. */
static struct emu_mcp_user *get_user(struct emu_mcp *mcp, const char *identifier)
{
    struct emu_mcp_user *user = emu_mcp_user(mcp, identifier);

    if (user)
        return user;
    user = calloc(1, sizeof *user);
    if (!user)
        return NULL;
    TAILQ_INIT(&user->instances);
    TAILQ_INIT(&user->servers);
    if (emu_set_text(&user->identifier, identifier) &&
        emu_map_add(&mcp->users, &user->by_identifier, user->identifier))
        return user;
    free_user(mcp, user);
    return NULL;
}

static void forget_user(struct emu_mcp *mcp, struct emu_mcp_user *user)
{
    if (TAILQ_EMPTY(&user->instances) && TAILQ_EMPTY(&user->servers))
        free_user(mcp, user);
}

/* --- instances --------------------------------------------------------------------------------- */

struct emu_mcp_instance *emu_mcp_add_instance(struct emu_mcp *mcp, struct emu_mcp_config *config,
                                              const char *name, const char *identifier)
{
    struct emu_mcp_instance *instance = calloc(1, sizeof *instance);
    struct emu_mcp_user *user = get_user(mcp, identifier);

    if (!instance || !user) {
        free(instance);
        if (user)
            forget_user(mcp, user);
        return NULL;
    }
    instance->config = config;
    instance->user = user;
    TAILQ_INSERT_TAIL(&config->instances, instance, of_config);
    TAILQ_INSERT_TAIL(&user->instances, instance, of_user);
    instance->updated_us = emu_now_us();
    if (emu_random_text(instance->token, sizeof instance->token) &&
        emu_set_text(&instance->name, name) && emu_shelf_add(&mcp->instances, &instance->item))
        return instance;
    emu_mcp_remove_instance(mcp, instance);
    return NULL;
}

void emu_mcp_move_instance(struct emu_mcp_instance *instance, struct emu_mcp_config *config)
{
    TAILQ_REMOVE(&instance->config->instances, instance, of_config);
    TAILQ_INSERT_TAIL(&config->instances, instance, of_config);
    instance->config = config;
}

void emu_mcp_remove_instance(struct emu_mcp *mcp, struct emu_mcp_instance *instance)
{
    emu_shelf_remove(&mcp->instances, &instance->item);
    TAILQ_REMOVE(&instance->config->instances, instance, of_config);
    TAILQ_REMOVE(&instance->user->instances, instance, of_user);
    forget_user(mcp, instance->user);
    free(instance->name);
    free(instance);
}

/* --- servers ----------------------------------------------------------------------------------- */

struct emu_mcp_server *emu_mcp_add_server(struct emu_mcp *mcp, const char *identifier,
                                          struct emu_mcp_mappings *mappings)
{
    struct emu_mcp_server *server = calloc(1, sizeof *server);
    struct emu_mcp_user *user = get_user(mcp, identifier);

    if (!server || !user) {
        free(server);
        if (user)
            forget_user(mcp, user);
        return NULL;
    }
    server->user = user;
    TAILQ_INSERT_TAIL(&user->servers, server, of_user);
    if (!emu_random_text(server->token, sizeof server->token) ||
        !emu_shelf_add(&mcp->servers, &server->item)) {
        emu_mcp_remove_server(mcp, server);
        return NULL;
    }
    server->mappings = *mappings;
    *mappings = (struct emu_mcp_mappings){0};
    return server;
}

void emu_mcp_remove_server(struct emu_mcp *mcp, struct emu_mcp_server *server)
{
    emu_shelf_remove(&mcp->servers, &server->item);
    TAILQ_REMOVE(&server->user->servers, server, of_user);
    forget_user(mcp, server->user);
    emu_mcp_mappings_free(&server->mappings);
    free(server);
}

void emu_mcp_url(char out[EMU_MCP_URL], const scalekit_emulator *emulator, const char *path,
                 const char *last)
{
    snprintf(out, EMU_MCP_URL, "%s%s%s", scalekit_emulator_url(emulator), path, last);
}

/* --- all of it --------------------------------------------------------------------------------- */

void emu_mcp_init(struct emu_mcp *mcp, uint64_t first_number)
{
    emu_shelf_init(&mcp->configs, "cfg", first_number);
    emu_shelf_init(&mcp->instances, "inst", first_number);
    emu_shelf_init(&mcp->servers, "mcp", first_number);
}

/* Also of one that was never initialised, as a start that failed leaves it: a queue that is all
 * zero is empty. */
void emu_mcp_free(struct emu_mcp *mcp)
{
    while (!TAILQ_EMPTY(&mcp->configs.by_age))
        emu_mcp_remove_config(mcp, config_of(TAILQ_FIRST(&mcp->configs.by_age)));
    while (!TAILQ_EMPTY(&mcp->servers.by_age))
        emu_mcp_remove_server(mcp, server_of(TAILQ_FIRST(&mcp->servers.by_age)));
    free(mcp->configs_by_name.buckets);
    free(mcp->users.buckets);
    free(mcp->configs.by_id.buckets);
    free(mcp->instances.by_id.buckets);
    free(mcp->servers.by_id.buckets);
}
