/* connection.c - what both protocols share: the stream, and how a connection ends.
 *
 * What ends a connection from inside a call of the pool's (a cancelled exchange, a request that could
 * not be written) takes the stream down at once, so that nothing more can happen on it; `ending` then
 * tells the pool from the loop. */
#include "http/connection.h"
#include "http/connection_driver.h"
#include <string.h>

static void close_stream(struct ski_connection *connection)
{
    if (connection->driver && connection->stream)
        connection->driver->closing(connection);
    ski_stream_close(connection->stream);
    connection->stream = NULL;
}

/* --- ending ------------------------------------------------------------------------------------ */

void ski_connection_end(struct ski_connection *connection, const struct ski_failure *failure)
{
    close_stream(connection);
    if (connection->driver)
        connection->driver->lose(connection, failure);
    connection->handler->ended(connection->user, connection, connection->opened, failure);
}

static void on_ending(struct ski_task *task)
{
    struct ski_connection *connection = SKI_CONTAINER(task, struct ski_connection, ending);

    ski_connection_end(connection, &connection->failure);
}

void ski_connection_end_later(struct ski_connection *connection)
{
    close_stream(connection);
    ski_task_defer(connection->loop, &connection->ending);
}

void ski_connection_tell_ready(struct ski_connection *connection)
{
    connection->opened = true;
    connection->handler->ready(connection->user, connection);
}

/* --- what the stream tells --------------------------------------------------------------------- */

static void on_opened(void *user, const char *alpn)
{
    struct ski_connection *connection = user;
    const struct ski_connection_driver *driver =
        strcmp(alpn, "h2") == 0 ? &ski_connection_h2 : &ski_connection_h1;
    struct ski_failure failure;

    if (!driver->open(connection)) {
        ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_SEND,
                 "out of memory for a connection");
        ski_connection_end(connection, &failure);
        return;
    }
    connection->driver = driver;
    if (driver->room(connection) > 0)
        ski_connection_tell_ready(connection);
}

static void on_received(void *user, const char *bytes, size_t length)
{
    struct ski_connection *connection = user;

    connection->driver->received(connection, bytes, length);
}

static void on_drained(void *user)
{
    struct ski_connection *connection = user;

    connection->driver->drained(connection);
}

/* A stream that never opened has a reason, and no exchange yet. */
static void on_closed(void *user, const struct ski_failure *failure)
{
    struct ski_connection *connection = user;

    if (connection->driver)
        connection->driver->closed(connection, failure);
    else
        ski_connection_end(connection, failure);
}

static const struct ski_stream_handler stream_handler = {
    .opened = on_opened,
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
};

/* --- the outside ------------------------------------------------------------------------------- */

struct ski_connection *ski_connection_open(struct ski_loop *loop,
                                           const struct ski_stream_target *target,
                                           const char *authority,
                                           const struct ski_connection_handler *handler, void *user)
{
    struct ski_connection *connection = ski_zalloc(&loop->mem, sizeof *connection);

    if (!connection)
        return NULL;
    connection->loop = loop;
    connection->authority = authority;
    connection->secure = target->tls;
    connection->handler = handler;
    connection->user = user;
    ski_task_init(&connection->ending, on_ending);
    connection->stream = ski_stream_open(loop, target, &stream_handler, connection);
    if (!connection->stream) {
        ski_connection_free(connection);
        return NULL;
    }
    return connection;
}

void ski_connection_free(struct ski_connection *connection)
{
    const struct ski_mem *mem = &connection->loop->mem;

    close_stream(connection);
    ski_task_cancel(&connection->ending);
    if (connection->driver)
        connection->driver->free(connection);
    ski_free(mem, connection);
}

unsigned ski_connection_room(const struct ski_connection *connection)
{
    return connection->opened && connection->stream ? connection->driver->room(connection) : 0;
}

unsigned ski_connection_load(const struct ski_connection *connection)
{
    return connection->driver ? connection->driver->load(connection) : 0;
}

bool ski_connection_is_leaving(const struct ski_connection *connection)
{
    return !connection->stream ||
           (connection->driver && connection->driver->is_leaving(connection));
}

bool ski_connection_is_multiplexed(const struct ski_connection *connection)
{
    return connection->driver && connection->driver->multiplexed;
}

enum scalekit_phase ski_connection_phase(const struct ski_connection *connection)
{
    return connection->stream ? ski_stream_phase(connection->stream) : SCALEKIT_PHASE_SEND;
}

void ski_connection_start(struct ski_connection *connection, struct ski_exchange *exchange)
{
    exchange->connection = connection;
    exchange->phase = SCALEKIT_PHASE_SEND;
    connection->driver->start(connection, exchange);
}

void ski_connection_cancel(struct ski_connection *connection, struct ski_exchange *exchange)
{
    connection->driver->cancel(connection, exchange);
    exchange->connection = NULL;
}

void ski_connection_transfer(struct ski_connection *connection, struct ski_exchange *exchange)
{
    if (connection->stream)
        connection->driver->transfer(connection, exchange);
}

void ski_connection_sleep(struct ski_connection *connection)
{
    ski_stream_pause(connection->stream);
}

bool ski_connection_wake(struct ski_connection *connection)
{
    if (ski_stream_is_stale(connection->stream))
        return false;
    ski_stream_resume(connection->stream);
    return true;
}
