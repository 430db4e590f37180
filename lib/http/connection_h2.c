/* connection_h2.c - HTTP/2 on a stream: when bytes are passed on, and whether the server still lives.
 *
 * What is started in a turn of the loop goes out together at its end.  What nghttp2 has to say in
 * answer to what it read goes out at once, as that may reveal that the connection has failed.
 *
 * A server that owes an answer is listened for: when nothing was heard for 30 s it is pinged, and
 * 10 s later given up.  The timer is set once and looks at `heard_ms` when it fires, so that nothing
 * is done for it per request. */
#include "http/connection_driver.h"
#include "http/h2.h"
#include "http/transfer.h"

#define SILENCE_MS 30000
#define PING_MS    10000
#define MAX_UNSENT 262144 /* in the stream; the rest waits until it has drained */

struct h2 {
    struct ski_connection *connection;
    struct ski_h2 *codec;
    struct ski_task flush;
    ski_timer timer;
    int64_t heard_ms;
    bool owed; /* an answer, even if nobody wants it any more */
    bool pinged;
    size_t unsent; /* when the stream was closed */
};

static struct h2 *h2_of(const struct ski_connection *connection)
{
    return connection->protocol;
}

static size_t unsent(const struct ski_connection *connection)
{
    return connection->stream ? ski_stream_unsent(connection->stream) : h2_of(connection)->unsent;
}

/* --- bytes out --------------------------------------------------------------------------------- */

/* false: the codec, or memory for the bytes, failed; connection->failure says how. */
static bool write_out(struct ski_connection *connection)
{
    struct ski_h2 *codec = h2_of(connection)->codec;
    const char *bytes;
    size_t length;

    while (unsent(connection) < MAX_UNSENT && (length = ski_h2_write(codec, &bytes)) > 0) {
        if (!ski_stream_write(connection->stream, bytes, length)) {
            ski_fail(&connection->failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_SEND,
                     "out of memory for the request");
            return false;
        }
    }
    if (ski_h2_state(codec) != SKI_H2_FAILED)
        return true;
    connection->failure = *ski_h2_failure(codec);
    return false;
}

/* --- what has become of exchanges -------------------------------------------------------------- */

/* One that the server has not looked at goes again at once: as often as that happens behind others
 * that got past, but only once when the server may be refusing everything. */
static bool goes_again(struct ski_exchange *exchange, enum ski_h2_end end)
{
    if (exchange->transfer && exchange->transfer->begun)
        return false;
    if (end == SKI_H2_LEFT_OUT)
        return true;
    if (end != SKI_H2_REFUSED || exchange->refused)
        return false;
    exchange->refused = true;
    return true;
}

static void tell_over(struct ski_connection *connection)
{
    struct ski_exchange *exchange;
    struct ski_failure failure;
    enum ski_h2_end end;

    while ((exchange =
                ski_h2_next_over(h2_of(connection)->codec, unsent(connection), &end, &failure))) {
        exchange->connection = NULL;
        if (!goes_again(exchange, end)) {
            exchange->done(exchange, end == SKI_H2_COMPLETE ? NULL : &failure);
            continue;
        }
        if (exchange->transfer)
            ski_transfer_reset(exchange->transfer);
        connection->handler->returned(connection->user, connection, exchange);
    }
}

/* With a server that leaves before anything could be asked of it, the connection never opened: else
 * those that wait would go from one to the next for ever. */
static void end_left(struct ski_connection *connection)
{
    struct ski_failure failure = *ski_h2_failure(h2_of(connection)->codec);

    if (failure.code == SCALEKIT_OK)
        ski_fail(&failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_SEND,
                 "the server ended the connection before anything was sent");
    ski_connection_end(connection, connection->opened ? NULL : &failure);
}

/* After bytes went either way.  The room is told before what made it, so that nothing that `done`
 * starts finds the connection full. */
static void tell(struct ski_connection *connection)
{
    struct h2 *h2 = h2_of(connection);

    if (connection->opened || ski_h2_state(h2->codec) == SKI_H2_OPEN)
        ski_connection_tell_ready(connection);
    tell_over(connection);
    if (ski_h2_state(h2->codec) == SKI_H2_LEAVING && ski_h2_load(h2->codec) == 0)
        end_left(connection);
}

static void flush(struct ski_connection *connection)
{
    if (write_out(connection))
        tell(connection);
    else
        ski_connection_end(connection, &connection->failure);
}

static void on_flush(struct ski_task *task)
{
    flush(SKI_CONTAINER(task, struct h2, flush)->connection);
}

/* --- whether the server lives ------------------------------------------------------------------ */

static void listen_for(struct ski_connection *connection, int64_t due_ms)
{
    ski_timer_set(connection->loop, h2_of(connection)->timer, due_ms);
}

static void on_timer(void *owner)
{
    struct ski_connection *connection = owner;
    struct h2 *h2 = h2_of(connection);
    int64_t now = ski_loop_now(connection->loop);

    if (!h2->owed)
        return;
    if (h2->pinged) {
        ski_fail(&connection->failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_WAIT,
                 "no sign of life from the server for %d s", (SILENCE_MS + PING_MS) / 1000);
        ski_connection_end(connection, &connection->failure);
    } else if (now < h2->heard_ms + SILENCE_MS) {
        listen_for(connection, h2->heard_ms + SILENCE_MS);
    } else {
        h2->pinged = true;
        listen_for(connection, now + PING_MS);
        ski_h2_ping(h2->codec);
        flush(connection);
    }
}

static void expect_answer(struct ski_connection *connection)
{
    struct h2 *h2 = h2_of(connection);

    if (h2->owed)
        return;
    h2->owed = true;
    h2->heard_ms = ski_loop_now(connection->loop);
    if (!ski_timer_is_set(connection->loop, h2->timer))
        listen_for(connection, h2->heard_ms + SILENCE_MS);
}

/* --- what the stream tells --------------------------------------------------------------------- */

static void received(struct ski_connection *connection, const char *bytes, size_t length)
{
    struct h2 *h2 = h2_of(connection);

    h2->heard_ms = ski_loop_now(connection->loop);
    h2->pinged = false;
    ski_h2_read(h2->codec, bytes, length);
    h2->owed = ski_h2_load(h2->codec) > 0;
    flush(connection);
}

static void drained(struct ski_connection *connection)
{
    flush(connection);
}

static void closed(struct ski_connection *connection, const struct ski_failure *reason)
{
    struct ski_failure failure;

    if (!reason && !connection->opened) {
        ski_fail(&failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_SEND,
                 "connection closed before the server's HTTP/2 SETTINGS");
        reason = &failure;
    }
    ski_connection_end(connection, reason);
}

static void closing(struct ski_connection *connection)
{
    h2_of(connection)->unsent = ski_stream_unsent(connection->stream);
}

static void lose(struct ski_connection *connection, const struct ski_failure *failure)
{
    ski_h2_lose(h2_of(connection)->codec, failure);
    tell_over(connection);
}

/* --- the outside ------------------------------------------------------------------------------- */

static void release(struct ski_connection *connection)
{
    struct h2 *h2 = h2_of(connection);

    ski_task_cancel(&h2->flush);
    ski_timer_free(connection->loop, h2->timer);
    ski_h2_free(h2->codec);
    ski_free(&connection->loop->mem, h2);
}

static bool open(struct ski_connection *connection)
{
    struct ski_loop *loop = connection->loop;
    struct h2 *h2 = ski_zalloc(&loop->mem, sizeof *h2);

    if (!h2)
        return false;
    connection->protocol = h2;
    h2->connection = connection;
    ski_task_init(&h2->flush, on_flush);
    h2->timer = ski_timer_new(loop, on_timer, connection);
    h2->codec = ski_h2_new(&loop->mem, connection->secure, connection->authority);
    if (h2->codec && h2->timer != SKI_NO_TIMER) {
        ski_task_defer(loop, &h2->flush); /* our greeting */
        return true;
    }
    release(connection);
    return false;
}

static unsigned room(const struct ski_connection *connection)
{
    return ski_h2_room(h2_of(connection)->codec);
}

static unsigned load(const struct ski_connection *connection)
{
    return ski_h2_load(h2_of(connection)->codec);
}

static bool is_leaving(const struct ski_connection *connection)
{
    return ski_h2_state(h2_of(connection)->codec) >= SKI_H2_LEAVING;
}

static void start(struct ski_connection *connection, struct ski_exchange *exchange)
{
    ski_h2_start(h2_of(connection)->codec, exchange);
    expect_answer(connection);
    ski_task_defer(connection->loop, &h2_of(connection)->flush);
}

static void transfer(struct ski_connection *connection, struct ski_exchange *exchange)
{
    ski_h2_transfer(h2_of(connection)->codec, exchange);
    ski_task_defer(connection->loop, &h2_of(connection)->flush);
}

static void cancel(struct ski_connection *connection, struct ski_exchange *exchange)
{
    ski_h2_cancel(h2_of(connection)->codec, exchange, unsent(connection));
    ski_task_defer(connection->loop, &h2_of(connection)->flush);
}

const struct ski_connection_driver ski_connection_h2 = {
    .multiplexed = true,
    .open = open,
    .free = release,
    .room = room,
    .load = load,
    .is_leaving = is_leaving,
    .start = start,
    .cancel = cancel,
    .transfer = transfer,
    .received = received,
    .drained = drained,
    .closed = closed,
    .closing = closing,
    .lose = lose,
};
