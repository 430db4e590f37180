#include "connection.h"
#include "connection_config.h"
#include "text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TESTS   16   /* remembered, of one connection */
#define MAX_DELETED 1000 /* remembered */

struct emu_test {
    TAILQ_ENTRY(emu_test) next;
    char *id;
};

void emu_connections_init(struct emu_connections *connections, uint64_t first_number)
{
    emu_shelf_init(&connections->shelf, "conn", first_number);
    TAILQ_INIT(&connections->deleted);
}

static void forget_oldest_test(struct emu_connection *connection)
{
    struct emu_test *test = TAILQ_FIRST(&connection->tests);

    TAILQ_REMOVE(&connection->tests, test, next);
    connection->n_tests--;
    free(test->id);
    free(test);
}

static void free_connection(struct emu_connection *connection)
{
    while (!TAILQ_EMPTY(&connection->tests))
        forget_oldest_test(connection);
    free(connection->name);
    free(connection->provider);
    free(connection->title);
    free(connection->mapping);
    free(connection->config);
    free(connection->accounts.slots);
    free(connection);
}

void emu_connections_free(struct emu_connections *connections)
{
    struct emu_node *node;

    while ((node = emu_map_take(&connections->by_name)))
        free_connection(EMU_OWNER(node, struct emu_connection, by_name));
    free(connections->shelf.by_id.buckets);
}

struct emu_connection *emu_connection_by_name(const struct emu_connections *connections,
                                              const char *name)
{
    return EMU_OWNER(emu_map_find(&connections->by_name, name), struct emu_connection, by_name);
}

struct emu_connection *emu_connection_by_id(const struct emu_connections *connections,
                                            const char *id)
{
    return EMU_OWNER(emu_shelf_find(&connections->shelf, id), struct emu_connection, item);
}

/* "gmail-work" is GMAIL's. */
static char *provider_of(const char *name)
{
    size_t length = strcspn(name, "-_ :0123456789");
    char *provider = strndup(name, length ? length : strlen(name));

    for (char *c = provider; c && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return provider;
}

static void forget_deleted(struct emu_connections *connections, struct emu_connection *connection)
{
    TAILQ_REMOVE(&connections->deleted, &connection->item, by_age);
    connections->n_deleted--;
    emu_map_remove(&connections->by_name, &connection->by_name);
    free_connection(connection);
}

/* A deleted connection of this name makes room. */
static void free_name(struct emu_connections *connections, const char *name)
{
    struct emu_connection *deleted = emu_connection_by_name(connections, name);

    if (deleted)
        forget_deleted(connections, deleted);
}

static bool fill_connection(struct emu_connection *connection, const char *name)
{
    TAILQ_INIT(&connection->tests);
    connection->id = connection->item.id;
    connection->provider_name = "CUSTOM";
    connection->configuration = "";
    connection->kind = emu_kinds;
    connection->complete = connection->enabled = true;
    connection->created_us = connection->updated_us = emu_now_us();
    connection->name = strdup(name);
    connection->provider = provider_of(name);
    connection->title = strdup("");
    connection->mapping = strdup("{}");
    return connection->name && connection->provider && connection->title && connection->mapping;
}

struct emu_connection *emu_connection_add(struct emu_connections *connections, const char *name)
{
    struct emu_connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    free_name(connections, name);
    if (fill_connection(connection, name) &&
        emu_map_add(&connections->by_name, &connection->by_name, connection->name) &&
        emu_shelf_add(&connections->shelf, &connection->item))
        return connection;
    emu_map_remove(&connections->by_name, &connection->by_name);
    free_connection(connection);
    return NULL;
}

bool emu_connection_rename(struct emu_connections *connections, struct emu_connection *connection,
                           const char *name)
{
    char *copy = strdup(name);

    if (!copy)
        return false;
    free_name(connections, name);
    emu_map_remove(&connections->by_name, &connection->by_name);
    free(connection->name);
    connection->name = copy;
    /* There is room for it: one has just been taken out. */
    return emu_map_add(&connections->by_name, &connection->by_name, connection->name);
}

void emu_connection_delete(struct emu_connections *connections, struct emu_connection *connection)
{
    struct emu_item *oldest = TAILQ_FIRST(&connections->deleted);

    if (connections->n_deleted == MAX_DELETED)
        forget_deleted(connections, EMU_OWNER(oldest, struct emu_connection, item));
    emu_shelf_remove(&connections->shelf, &connection->item);
    TAILQ_INSERT_TAIL(&connections->deleted, &connection->item, by_age);
    connections->n_deleted++;
    connection->deleted = true;
}

bool emu_connection_is_open(const struct emu_connection *connection)
{
    return connection->enabled && !connection->deleted;
}

const char *emu_connection_test(struct emu_connection *connection, const char *test_request_id)
{
    struct emu_test *test;

    TAILQ_FOREACH(test, &connection->tests, next)
    if (strcmp(test->id, test_request_id) == 0)
        return connection->complete ? "SUCCESS" : "FAILURE";
    test = calloc(1, sizeof *test);
    if (!test)
        return NULL;
    test->id = strdup(test_request_id);
    if (!test->id) {
        free(test);
        return NULL;
    }
    if (connection->n_tests == MAX_TESTS)
        forget_oldest_test(connection);
    TAILQ_INSERT_TAIL(&connection->tests, test, next);
    connection->n_tests++;
    return "PENDING";
}
