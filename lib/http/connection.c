/* connection.c - what comes from the server is an answer only while one is awaited.
 *
 * Bytes that come while the connection is idle, after the end of an answer, or before the first byte
 * of a request has left, answer nothing that was asked: the connection ends, and nobody sees them.
 * An answer that is complete before its request has left entirely counts, but the connection ends
 * with it, as the server may or may not read the rest.
 *
 * What ends a connection from inside a call of the pool's (a cancelled exchange, a request that could
 * not be written) takes the stream down at once, so that nothing more can happen on it; `ending` then
 * tells the pool from the loop. */
#include "http/connection.h"
#include "http/h1.h"

#define USUAL_HEAD  2048           /* of which a token takes half */
#define MAX_REQUEST (SIZE_MAX / 4) /* what is sent was limited where it was made */

struct ski_connection {
    struct ski_loop *loop;
    struct ski_stream *stream; /* NULL when it is about to end */
    const char *authority;
    const struct ski_connection_handler *handler;
    void *user;
    bool opened;

    struct ski_exchange *exchange; /* the one it carries */
    size_t request_length;         /* of that one, as it was queued */
    struct ski_h1 h1;

    struct ski_task ending;
    struct ski_failure failure; /* why it is about to end */
};

/* Whether any of the request under way has left. */
static bool request_left(const struct ski_connection *connection)
{
    return ski_stream_unsent(connection->stream) < connection->request_length;
}

static struct ski_exchange *take_exchange(struct ski_connection *connection)
{
    struct ski_exchange *exchange = connection->exchange;

    connection->exchange = NULL;
    if (exchange)
        exchange->connection = NULL;
    return exchange;
}

static void close_stream(struct ski_connection *connection)
{
    if (connection->exchange && connection->stream && !request_left(connection))
        connection->exchange->sent = false;
    ski_stream_close(connection->stream);
    connection->stream = NULL;
}

/* --- ending ------------------------------------------------------------------------------------ */

/* From the loop.  The exchange it carries, if any, fails. */
static void end(struct ski_connection *connection, const struct ski_failure *failure)
{
    struct ski_exchange *exchange;

    close_stream(connection);
    exchange = take_exchange(connection);
    if (exchange)
        exchange->done(exchange, failure);
    connection->handler->ended(connection->user, connection, connection->opened, failure);
}

static void on_ending(struct ski_task *task)
{
    struct ski_connection *connection = SKI_CONTAINER(task, struct ski_connection, ending);

    end(connection, &connection->failure);
}

/* From anywhere; `failure` has been set. */
static void end_later(struct ski_connection *connection)
{
    close_stream(connection);
    ski_task_defer(connection->loop, &connection->ending);
}

/* --- what the stream tells --------------------------------------------------------------------- */

static void on_opened(void *user, const char *alpn)
{
    struct ski_connection *connection = user;

    (void)alpn;
    connection->opened = true;
    connection->handler->ready(connection->user, connection);
}

/* The answer is complete.  The connection is given back before the exchange is told, so that what
 * `done` starts finds it free. */
static void complete(struct ski_connection *connection, bool reusable)
{
    struct ski_exchange *exchange = take_exchange(connection);

    if (reusable) {
        connection->handler->ready(connection->user, connection);
        exchange->done(exchange, NULL);
    } else {
        exchange->done(exchange, NULL);
        end(connection, NULL);
    }
}

static void on_received(void *user, const char *bytes, size_t length)
{
    struct ski_connection *connection = user;
    struct ski_h1 *h1 = &connection->h1;
    struct ski_failure failure;
    size_t used;

    if (!connection->exchange || !request_left(connection)) {
        ski_fail(&failure, connection->exchange ? SCALEKIT_ERR_NETWORK : SCALEKIT_ERR_PROTOCOL,
                 SCALEKIT_PHASE_SEND, "the server sent bytes that nobody had asked for");
        end(connection, &failure);
        return;
    }
    connection->exchange->phase = SCALEKIT_PHASE_RECEIVE;
    used = ski_h1_read(h1, bytes, length, &failure);
    if (h1->state == SKI_H1_FAILED)
        end(connection, &failure);
    else if (h1->state == SKI_H1_DONE)
        complete(connection,
                 h1->keep_alive && used == length && ski_stream_unsent(connection->stream) == 0);
}

static void on_drained(void *user)
{
    struct ski_connection *connection = user;
    struct ski_exchange *exchange = connection->exchange;

    /* It may still be the last request that drained. */
    if (exchange && exchange->phase == SCALEKIT_PHASE_SEND &&
        ski_stream_unsent(connection->stream) == 0)
        exchange->phase = SCALEKIT_PHASE_WAIT;
}

/* A stream that never opened has a reason, and no exchange yet. */
static void on_closed(void *user, const struct ski_failure *reason)
{
    struct ski_connection *connection = user;
    struct ski_failure failure;

    if (!connection->exchange) {
        end(connection, reason);
    } else if (ski_h1_end(&connection->h1, !reason, &failure)) {
        complete(connection, false);
    } else {
        if (reason)
            failure = *reason;
        failure.phase = connection->exchange->phase;
        end(connection, &failure);
    }
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
    connection->handler = handler;
    connection->user = user;
    ski_h1_init(&connection->h1, &loop->mem);
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
    take_exchange(connection);
    ski_task_cancel(&connection->ending);
    ski_h1_free(&connection->h1);
    ski_free(mem, connection);
}

unsigned ski_connection_room(const struct ski_connection *connection)
{
    return connection->opened && connection->stream && !connection->exchange;
}

enum scalekit_phase ski_connection_phase(const struct ski_connection *connection)
{
    return connection->stream ? ski_stream_phase(connection->stream) : SCALEKIT_PHASE_SEND;
}

void ski_connection_start(struct ski_connection *connection, struct ski_exchange *exchange)
{
    struct ski_buf request;
    scalekit_err err;

    connection->exchange = exchange;
    exchange->connection = connection;
    exchange->phase = SCALEKIT_PHASE_SEND;
    ski_h1_begin(&connection->h1, exchange);

    ski_buf_init(&request, &connection->loop->mem, MAX_REQUEST);
    ski_buf_reserve(&request, USUAL_HEAD + exchange->body_length);
    err = ski_h1_write_request(&request, exchange, connection->authority);
    if (err == SCALEKIT_OK && !ski_stream_write(connection->stream, request.data, request.length))
        err = SCALEKIT_ERR_NOMEM;
    connection->request_length = request.length;
    exchange->sent = err == SCALEKIT_OK;
    ski_buf_free(&request);

    if (err != SCALEKIT_OK) {
        ski_fail(&connection->failure, err, SCALEKIT_PHASE_SEND,
                 err == SCALEKIT_ERR_INVALID ? "the request holds characters that cannot be sent"
                                             : "out of memory for the request");
        end_later(connection);
    }
}

void ski_connection_cancel(struct ski_connection *connection, struct ski_exchange *exchange)
{
    if (connection->stream) {
        ski_fail(&connection->failure, SCALEKIT_ERR_CANCELED, exchange->phase,
                 "its exchange was cancelled");
        end_later(connection);
    }
    take_exchange(connection);
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
