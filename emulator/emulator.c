#include "emulator.h"
#include "server.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ID         "skc_emulator"
#define DEFAULT_SECRET     "test_emulator_secret"
#define DEFAULT_TOKEN_LIFE 86399
#define DEFAULT_LINK_LIFE  600

static bool set_ca_file(scalekit_emulator *emulator, const char *directory)
{
    size_t size = strlen(directory) + sizeof "/ca.pem";

    emulator->ca_file = malloc(size);
    if (emulator->ca_file)
        snprintf(emulator->ca_file, size, "%s/ca.pem", directory);
    return emulator->ca_file != NULL;
}

/* Every kind of id is numbered from where the accounts' are. */
static bool init_state(scalekit_emulator *emulator)
{
    uint64_t first;

    if (!emu_store_init(&emulator->store))
        return false;
    first = emulator->store.first_number;
    emu_make_id(emulator->environment_id, "env", first);
    emu_events_init(&emulator->events, emulator->environment_id, first);
    emu_webhooks_init(&emulator->webhooks, emulator->base, emulator->ca_file, first);
    emulator->events.listener = emu_webhooks_tell;
    emulator->events.listener_user = &emulator->webhooks;
    emu_calls_init(&emulator->calls, first);
    emu_mcp_init(&emulator->mcp, first);
    emulator->store.events = &emulator->events;
    return emu_providers_init(&emulator->providers, first) &&
           emu_catalogue_init(&emulator->catalogue, first);
}

static bool configure(scalekit_emulator *emulator, const struct scalekit_emulator_config *config)
{
    int64_t link_life_s = config->link_life_s ? config->link_life_s : DEFAULT_LINK_LIFE;

    emulator->token_life_s = config->token_life_s ? config->token_life_s : DEFAULT_TOKEN_LIFE;
    emulator->links.life_us = link_life_s * EMU_SECOND;
    emulator->links.verify_users = config->verify_users;
    emulator->log = config->log;
    emulator->log_user = config->log_user;
    return emu_set_text(&emulator->client_id, config->client_id ? config->client_id : DEFAULT_ID) &&
           emu_set_text(&emulator->client_secret,
                        config->client_secret ? config->client_secret : DEFAULT_SECRET) &&
           (!config->tls_dir || set_ca_file(emulator, config->tls_dir)) && init_state(emulator);
}

scalekit_emulator *scalekit_emulator_start(struct event_base *base,
                                           const struct scalekit_emulator_config *config,
                                           char *error, size_t error_size)
{
    static const struct scalekit_emulator_config defaults;
    scalekit_emulator *emulator = calloc(1, sizeof *emulator);
    char unread[1];

    if (!config)
        config = &defaults;
    if (!error) {
        error = unread;
        error_size = sizeof unread;
    }
    snprintf(error, error_size, "out of memory");
    if (!emulator)
        return NULL;
    emulator->base = base;
    emu_sessions_init(&emulator->sessions);
    emu_faults_init(&emulator->faults);
    emu_links_init(&emulator->links, base, &emulator->store);
    if (configure(emulator, config) &&
        emu_server_start(emulator, config->port, config->tls_dir, error, error_size)) {
        *error = '\0';
        return emulator;
    }
    scalekit_emulator_free(emulator);
    return NULL;
}

void scalekit_emulator_free(scalekit_emulator *emulator)
{
    if (!emulator)
        return;
    emu_server_free(emulator);
    emu_webhooks_free(&emulator->webhooks);
    emu_mcp_free(&emulator->mcp);
    emu_links_free(&emulator->links);
    emu_store_free(&emulator->store);
    emu_catalogue_free(&emulator->catalogue);
    emu_providers_free(&emulator->providers);
    emu_events_clear(&emulator->events);
    emu_record_clear(&emulator->calls);
    emu_sessions_clear(&emulator->sessions);
    emu_faults_free(&emulator->faults);
    emu_set_text(&emulator->client_secret, NULL);
    free(emulator->client_id);
    free(emulator->ca_file);
    free(emulator->url);
    free(emulator);
}

const char *scalekit_emulator_url(const scalekit_emulator *emulator)
{
    return emulator->url;
}

const char *scalekit_emulator_client_id(const scalekit_emulator *emulator)
{
    return emulator->client_id;
}

const char *scalekit_emulator_client_secret(const scalekit_emulator *emulator)
{
    return emulator->client_secret;
}

const char *scalekit_emulator_ca_file(const scalekit_emulator *emulator)
{
    return emulator->ca_file;
}

void scalekit_emulator_script_consent(scalekit_emulator *emulator, enum scalekit_consent consent,
                                      int64_t after_ms)
{
    emulator->links.consent = consent;
    emulator->links.after_ms = after_ms;
}

bool scalekit_emulator_script_account(scalekit_emulator *emulator, const char *connection_name,
                                      const char *identifier, enum scalekit_consent consent,
                                      int64_t after_ms)
{
    return emu_links_script_account(&emulator->links, connection_name, identifier, consent,
                                    after_ms);
}

bool scalekit_emulator_set_status(scalekit_emulator *emulator, const char *connection_name,
                                  const char *identifier, const char *status)
{
    struct emu_key key = {.connector = connection_name, .identifier = identifier};
    struct emu_account *account = emu_account_find(&emulator->store, &key);

    if (!account) {
        account = emu_account_add(&emulator->store, &key);
        if (account)
            emu_event_record(&emulator->events, EMU_EVENT_CREATED, account);
    }
    return account && emu_account_set_status(&emulator->store, account, status);
}

void scalekit_emulator_revoke_tokens(scalekit_emulator *emulator)
{
    emu_sessions_clear(&emulator->sessions);
}

bool scalekit_emulator_fail_next(scalekit_emulator *emulator, const char *path_prefix, int times,
                                 int status, const char *body)
{
    return times < 1 || emu_fault_add(&emulator->faults, path_prefix, times, status, body, 0);
}

void scalekit_emulator_stats(const scalekit_emulator *emulator,
                             struct scalekit_emulator_stats *stats)
{
    const struct scalekit_emulator_stats *counts = &emulator->webhooks.counts;

    *stats = emulator->stats;
    stats->accounts = emulator->store.all.live;
    stats->active = emulator->store.active;
    stats->connections = emulator->store.connections.shelf.by_id.n;
    stats->providers = emulator->providers.shelf.by_id.n;
    stats->tools = emulator->catalogue.shelf.by_id.n;
    stats->mcp_configs = emulator->mcp.configs.by_id.n;
    stats->mcp_instances = emulator->mcp.instances.by_id.n;
    stats->mcp_servers = emulator->mcp.servers.by_id.n;
    stats->deliveries = counts->deliveries;
    stats->delivery_attempts = counts->delivery_attempts;
    stats->delivered = counts->delivered;
    stats->given_up = counts->given_up;
    stats->lost = counts->lost;
    stats->dropped = counts->dropped;
    stats->pending = counts->pending;
}

bool scalekit_emulator_add_webhook(scalekit_emulator *emulator,
                                   const struct scalekit_emulator_webhook *webhook, char *error,
                                   size_t error_size)
{
    char unread[1];

    if (!error) {
        error = unread;
        error_size = sizeof unread;
    }
    return emu_webhook_add(&emulator->webhooks, webhook, error, error_size) != NULL;
}

const char *scalekit_emulator_webhook_secret(const scalekit_emulator *emulator, const char *url)
{
    const struct emu_endpoint *endpoint = emu_webhook_find(&emulator->webhooks, url);

    return endpoint ? endpoint->secret : NULL;
}

bool scalekit_emulator_delivery(const scalekit_emulator *emulator, uint64_t number,
                                struct scalekit_emulator_delivery *delivery)
{
    const struct emu_delivery *kept = emu_record_get(&emulator->webhooks.journal, number);

    if (!kept)
        return false;
    *delivery = (struct scalekit_emulator_delivery){
        .id = kept->id,
        .event_id = kept->event_id,
        .event_type = kept->event_type,
        .url = kept->endpoint->url,
        .attempts = kept->attempts,
        .status = kept->status,
        .outcome = kept->outcome,
    };
    return true;
}

int scalekit_consent_parse(const char *word)
{
    static const char *const words[] = {
        [SCALEKIT_CONSENT_MANUAL] = "manual", [SCALEKIT_CONSENT_APPROVE] = "approve",
        [SCALEKIT_CONSENT_DENY] = "deny",     [SCALEKIT_CONSENT_EXPIRE] = "expire",
        [SCALEKIT_CONSENT_REVOKE] = "revoke",
    };

    for (int i = 0; i < (int)(sizeof words / sizeof *words); i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return -1;
}
