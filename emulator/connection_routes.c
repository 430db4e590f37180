/* /api/v1/connections: the connections of the environment. */
#include "check.h"
#include "connection_config.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ID   32
#define MAX_NAME 300

/* --- showing ----------------------------------------------------------------------------------- */

/* What a connection and its summary in a list begin with. */
static void put_head(struct emu_json *json, const struct emu_connection *connection)
{
    emu_json_text(json, "id", connection->id);
    emu_json_text(json, "provider", connection->provider_name);
    emu_json_text(json, "type", connection->kind->type);
    emu_json_text(json, "status", connection->complete ? "COMPLETED" : "DRAFT");
    emu_json_bool(json, "enabled", connection->enabled);
    emu_json_text(json, "ui_button_title", connection->title);
    emu_json_text(json, "provider_key", connection->provider);
    emu_json_text(json, "key_id", connection->name);
    emu_json_open(json, "domains", '[');
    emu_json_close(json, ']');
}

static void answer_connection(struct emu_request *request, const struct emu_connection *connection,
                              int status)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_open(json, "connection", '{');
    put_head(json, connection);
    emu_json_bool(json, "debug_enabled", connection->debug);
    if (*connection->configuration)
        emu_json_text(json, "configuration_type", connection->configuration);
    emu_json_raw(json, "attribute_mapping", connection->mapping);
    emu_json_time(json, "create_time", connection->created_us);
    emu_json_time(json, "update_time", connection->updated_us);
    emu_json_config(json, connection, request->emulator->url);
    emu_json_close(json, '}');
    emu_json_close(json, '}');
    emu_send(request, status);
}

/* --- which one --------------------------------------------------------------------------------- */

/* The connection of the id in the path; NULL when the request has been answered already. */
static struct emu_connection *find_connection(struct emu_request *request, size_t max)
{
    const char *id = emu_in_path(request, "connection_id", 1, max, 0);
    struct emu_connection *connection;

    if (emu_refused(request))
        return NULL;
    connection = emu_connection_by_id(&request->emulator->store.connections, id);
    if (!connection)
        emu_not_found(request, "connection");
    return connection;
}

void emu_route_connection(struct emu_request *request)
{
    const struct emu_connection *connection = find_connection(request, MAX_ID);

    if (connection)
        answer_connection(request, connection, 200);
}

/* --- what is given ----------------------------------------------------------------------------- */

/* What a create or an update says of the kind of a connection; each NULL or "" when absent. */
struct given {
    const char *provider_name, *provider, *name;
    const struct emu_kind *kind;
};

static const char *const provider_names[] = {
    "OKTA",      "GOOGLE",        "MICROSOFT_AD", "AUTH0",  "ONELOGIN", "PING_IDENTITY",
    "JUMPCLOUD", "CUSTOM",        "GITHUB",       "GITLAB", "LINKEDIN", "SALESFORCE",
    "MICROSOFT", "IDP_SIMULATOR", "SCALEKIT",     "ADFS",   NULL};

static const char *const configurations[] = {"DISCOVERY", "MANUAL", NULL};

/* The word of a list that a member of the body is; NULL when absent, or `zero`, which says so. */
static const char *read_word(struct emu_request *request, const char *field,
                             const char *const *words, const char *zero)
{
    const char *text = emu_text(request, field, 0, SIZE_MAX, 0);

    if (!*text || strcmp(text, zero) == 0)
        return NULL;
    while (*words && strcmp(*words, text) != 0)
        words++;
    if (!*words)
        request->malformed = field;
    return *words;
}

static const struct emu_kind *read_kind(struct emu_request *request)
{
    const char *type = emu_text(request, "type", 0, SIZE_MAX, 0);
    const struct emu_kind *kind = emu_kinds;

    if (!*type || strcmp(type, "INVALID") == 0)
        return NULL;
    while (kind->type && strcmp(kind->type, type) != 0)
        kind++;
    if (kind->type)
        return kind;
    request->malformed = "type";
    return NULL;
}

static void read_given(struct emu_request *request, struct given *given)
{
    given->provider_name =
        read_word(request, "provider", provider_names, "CONNECTION_PROVIDER_UNSPECIFIED");
    given->provider = emu_text(request, "provider_key", 0, SIZE_MAX, 0);
    given->name = emu_text(request, "key_id", 1, MAX_NAME, 0);
    given->kind = read_kind(request);
    if (!given->provider_name && !*given->provider)
        emu_violation(request, "provider_key", "connection.provider",
                      "give a provider or a provider_key");
    if (given->provider_name && strcmp(given->provider_name, "SCALEKIT") == 0 &&
        strcmp(given->provider, "SCALEKIT") != 0)
        emu_violation(request, "provider_key", "connection.provider_key",
                      "value must be SCALEKIT when the provider is");
    if (given->kind && strcmp(given->kind->type, "WEBAUTHN") == 0 &&
        strcmp(given->name, "WEBAUTHN") != 0)
        emu_violation(request, "key_id", "connection.key_id",
                      "value must be WEBAUTHN when the type is");
}

static const char *name_of_provider(const char *provider)
{
    const char *const *name = provider_names;

    while (*name && strcmp(*name, provider) != 0)
        name++;
    return *name ? *name : "CUSTOM";
}

static bool store_provider(struct emu_connection *connection, const struct given *given)
{
    connection->provider_name =
        given->provider_name ? given->provider_name : name_of_provider(given->provider);
    return emu_set_text(&connection->provider,
                        *given->provider ? given->provider : given->provider_name);
}

/* What is configured by another member starts anew. */
static void store_kind(struct emu_connection *connection, const struct emu_kind *kind)
{
    const char *old = connection->kind->config;
    bool same = old && kind->config && strcmp(old, kind->config) == 0;

    if (kind == connection->kind)
        return;
    connection->kind = kind;
    if (same)
        return;
    connection->complete = !kind->needs_config;
    connection->enabled &= connection->complete;
    emu_set_text(&connection->config, NULL);
}

static bool is_free(const struct emu_connections *connections, const char *name)
{
    const struct emu_connection *connection = emu_connection_by_name(connections, name);

    return !connection || connection->deleted;
}

/* --- creating ---------------------------------------------------------------------------------- */

/* "gmail", or "gmail-2" when there is one already: of what may stand in a connector. */
static void make_name(char out[MAX_NAME], const struct emu_connections *connections,
                      const char *provider)
{
    size_t length = 0;

    for (; provider[length] && length < MAX_NAME - 20; length++)
        out[length] = isalnum((unsigned char)provider[length])
                          ? (char)tolower((unsigned char)provider[length])
                          : '-';
    out[length] = '\0';
    for (unsigned n = 2; !is_free(connections, out); n++)
        snprintf(out + length, MAX_NAME - length, "-%u", n);
}

/* A new one is switched off. */
void emu_route_connection_create(struct emu_request *request)
{
    struct emu_connections *connections = &request->emulator->store.connections;
    bool is_login = emu_query_bool(request, "flags.is_login");
    bool is_app = emu_query_bool(request, "flags.is_app");
    struct emu_connection *connection;
    struct given given;
    char made[MAX_NAME];

    read_given(request, &given);
    if (emu_refused(request))
        return;
    if (!is_free(connections, given.name)) {
        emu_fail(request, 409, "ALREADY_EXISTS", "a connection of this key_id exists already");
        return;
    }
    make_name(made, connections, *given.provider ? given.provider : given.provider_name);
    connection = emu_connection_add(connections, *given.name ? given.name : made);
    if (!connection || !store_provider(connection, &given)) {
        if (connection)
            emu_connection_delete(connections, connection);
        emu_out_of_memory(request);
        return;
    }
    connection->kind = given.kind ? given.kind : emu_kinds;
    connection->complete = !connection->kind->needs_config;
    connection->enabled = false;
    connection->login_only = is_login && !is_app;
    answer_connection(request, connection, 201);
}

/* --- changing ---------------------------------------------------------------------------------- */

/* What an update says beside the kind; each NULL when absent. */
struct changes {
    const char *configuration, *title;
    yajl_val debug, mapping, config;
};

static void read_changes(struct emu_request *request, const struct emu_kind *kind,
                         struct changes *changes)
{
    static const struct emu_map_limits mapping_limits = {30, 1, 100, 256};

    *changes = (struct changes){
        .configuration = read_word(request, "configuration_type", configurations,
                                   "CONFIGURATION_TYPE_UNSPECIFIED"),
        .title = emu_member(request, request->body, "ui_button_title"),
        .debug = emu_bool(request, "debug_enabled"),
        .mapping = emu_text_map(request, "attribute_mapping", &mapping_limits),
        .config = emu_read_config(request, kind),
    };
}

static bool store_changes(struct emu_connection *connection, const struct changes *changes)
{
    if (changes->configuration)
        connection->configuration = changes->configuration;
    if (changes->debug)
        connection->debug = YAJL_IS_TRUE(changes->debug);
    if ((changes->title && !emu_set_text(&connection->title, changes->title)) ||
        !emu_json_set(&connection->mapping, changes->mapping))
        return false;
    if (!changes->config)
        return true;
    connection->complete = true;
    return emu_store_config(connection, changes->config);
}

void emu_route_connection_update(struct emu_request *request)
{
    struct emu_connections *connections = &request->emulator->store.connections;
    struct emu_connection *connection;
    struct changes changes;
    struct given given;
    bool renamed;

    read_given(request, &given);
    connection = find_connection(request, MAX_ID);
    if (!connection)
        return;
    if (!given.kind)
        given.kind = connection->kind;
    read_changes(request, given.kind, &changes);
    if (emu_refused(request))
        return;
    renamed = *given.name && strcmp(given.name, connection->name) != 0;
    if (renamed && !is_free(connections, given.name)) {
        emu_fail(request, 409, "ALREADY_EXISTS", "a connection of this key_id exists already");
        return;
    }
    store_kind(connection, given.kind);
    if ((renamed && !emu_connection_rename(connections, connection, given.name)) ||
        !store_provider(connection, &given) || !store_changes(connection, &changes)) {
        emu_out_of_memory(request);
        return;
    }
    connection->updated_us = emu_now_us();
    answer_connection(request, connection, 200);
}

/* --- switching and deleting -------------------------------------------------------------------- */

static void answer_toggle(struct emu_request *request, const struct emu_connection *connection,
                          const char *error_message)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_bool(&request->json, "enabled", connection->enabled);
    if (error_message)
        emu_json_text(&request->json, "error_message", error_message);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

void emu_route_connection_enable(struct emu_request *request)
{
    struct emu_connection *connection = find_connection(request, MAX_ID);

    if (!connection)
        return;
    connection->enabled = connection->complete;
    answer_toggle(request, connection,
                  connection->enabled ? NULL : "the connection is a draft: configure it first");
}

void emu_route_connection_disable(struct emu_request *request)
{
    struct emu_connection *connection = find_connection(request, MAX_ID);

    if (!connection)
        return;
    connection->enabled = false;
    answer_toggle(request, connection, NULL);
}

void emu_route_connection_delete(struct emu_request *request)
{
    scalekit_emulator *emulator = request->emulator;
    struct emu_connection *connection = find_connection(request, MAX_ID);

    if (!connection)
        return;
    while (connection->accounts.n)
        emu_account_delete(emulator,
                           connection->accounts.slots[connection->accounts.n - 1].account);
    emu_connection_delete(&emulator->store.connections, connection);
    emu_send_nothing(request);
}

/* --- tests ------------------------------------------------------------------------------------- */

static void answer_test(struct emu_request *request, const char *status)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_text(json, "status", status);
    if (strcmp(status, "SUCCESS") == 0)
        emu_json_text(json, "user_info", "{\"email\":\"ann@example.com\"}");
    if (strcmp(status, "FAILURE") == 0) {
        emu_json_text(json, "error", "invalid_client");
        emu_json_text(json, "error_description", "the connection is a draft");
    }
    emu_json_close(json, '}');
    emu_send(request, 200);
}

/* Nothing begins a test here: whichever is asked for has just begun. */
void emu_route_connection_test(struct emu_request *request)
{
    struct emu_connection *connection;
    const char *status;

    emu_check_text(request, "test_request_id", request->second, 1, SIZE_MAX, EMU_TEST_ID);
    connection = find_connection(request, SIZE_MAX);
    if (!connection)
        return;
    status = emu_connection_test(connection, request->second);
    if (status)
        answer_test(request, status);
    else
        emu_out_of_memory(request);
}

/* --- lists ------------------------------------------------------------------------------------- */

struct filter {
    const char *provider, *query; /* "": any */
};

static bool wants(struct emu_request *request, const struct emu_item *item, const void *filter)
{
    const struct emu_connection *connection = EMU_OWNER(item, const struct emu_connection, item);
    const struct filter *wanted = filter;

    (void)request;
    return !connection->login_only &&
           (emu_is_or_empty(wanted->provider, connection->provider) ||
            strcmp(wanted->provider, connection->provider_name) == 0) &&
           (emu_contains(connection->name, wanted->query) ||
            emu_contains(connection->provider, wanted->query) ||
            emu_contains(connection->title, wanted->query));
}

static void put(struct emu_request *request, const struct emu_item *item)
{
    const struct emu_connection *connection = EMU_OWNER(item, const struct emu_connection, item);

    emu_json_open(&request->json, NULL, '{');
    put_head(&request->json, connection);
    emu_json_time(&request->json, "created_at", connection->created_us);
    emu_json_close(&request->json, '}');
}

void emu_route_app_connections(struct emu_request *request)
{
    static const struct emu_listing listing = {"connections", wants, put, 10, 30, EMU_REFUSE};
    struct filter filter = {
        .provider = emu_text(request, "provider", 1, 50, 0),
        .query = emu_text(request, "query", 3, 100, 0),
    };

    emu_answer_page(request, &request->emulator->store.connections.shelf, &listing, &filter);
}
