/* connection_h1.c - what comes from the server is an answer only while one is awaited.
 *
 * Bytes that come while the connection is idle, after the end of an answer, or before the first byte
 * of a request has left, answer nothing that was asked: the connection ends, and nobody sees them.
 * An answer that is complete before its request has left entirely counts, but the connection ends
 * with it, as the server may or may not read the rest.
 *
 * A body that comes in pieces is asked for when all before it has left, one chunk at a time; an
 * answer that nobody takes keeps the socket from being read. */
#include "http/connection_driver.h"
#include "http/h1.h"
#include "http/transfer.h"
#include <inttypes.h>
#include <stdio.h>

#define USUAL_HEAD  2048           /* of which a token takes half */
#define MAX_REQUEST (SIZE_MAX / 4) /* what is sent was limited where it was made */

struct h1 {
    struct ski_exchange *exchange; /* the one it carries */
    size_t queued;                 /* bytes of that one that the stream was given */
    bool whole;                    /* that is all of it */
    struct ski_h1 codec;
};

static struct h1 *h1_of(const struct ski_connection *connection)
{
    return connection->protocol;
}

/* Whether any of the request under way has left. */
static bool request_left(const struct ski_connection *connection)
{
    return ski_stream_unsent(connection->stream) < h1_of(connection)->queued;
}

static struct ski_exchange *take_exchange(struct h1 *h1)
{
    struct ski_exchange *exchange = h1->exchange;

    h1->exchange = NULL;
    if (exchange)
        exchange->connection = NULL;
    return exchange;
}

/* From anywhere. */
static void fail_sending(struct ski_connection *connection, scalekit_err err)
{
    ski_fail(&connection->failure, err, SCALEKIT_PHASE_SEND,
             err == SCALEKIT_ERR_INVALID ? "the request holds characters that cannot be sent"
                                         : "out of memory for the request");
    ski_connection_end_later(connection);
}

/* --- bodies in pieces -------------------------------------------------------------------------- */

static bool write_piece(struct ski_connection *connection, const void *bytes, size_t length)
{
    h1_of(connection)->queued += length;
    return ski_stream_write(connection->stream, bytes, length);
}

/* All that is there goes as one chunk, or as it is when the server was told the length. */
static bool write_chunk(struct ski_connection *connection, struct ski_transfer *transfer)
{
    size_t length = ski_transfer_left(transfer);
    char size[24];
    bool written;

    if (length == 0)
        return true;
    snprintf(size, sizeof size, "%zx\r\n", length);
    written = (transfer->has_length || write_piece(connection, size, strlen(size))) &&
              write_piece(connection, transfer->out.data + transfer->taken, length) &&
              (transfer->has_length || write_piece(connection, "\r\n", 2));
    ski_transfer_drop(transfer);
    return written;
}

static void send_body(struct ski_connection *connection, struct ski_transfer *transfer)
{
    struct h1 *h1 = h1_of(connection);
    bool written;

    if (h1->whole || !transfer->wanted || !(transfer->ended || ski_transfer_left(transfer)))
        return;
    transfer->wanted = false;
    written = write_chunk(connection, transfer);
    if (written && transfer->ended && !transfer->has_length)
        written = write_piece(connection, "0\r\n\r\n", 5);
    h1->whole = transfer->ended;
    if (!written)
        fail_sending(connection, SCALEKIT_ERR_NOMEM);
    else if (h1->whole && h1->exchange->phase == SCALEKIT_PHASE_SEND &&
             ski_stream_unsent(connection->stream) == 0)
        h1->exchange->phase = SCALEKIT_PHASE_WAIT;
}

/* The socket is not read while nobody takes what came. */
static void hold_answer(struct ski_connection *connection, struct ski_exchange *exchange)
{
    bool full = ski_transfer_is_full(exchange);

    if (full == !!exchange->transfer->held)
        return;
    exchange->transfer->held = full;
    if (full)
        ski_stream_pause(connection->stream);
    else
        ski_stream_resume(connection->stream);
}

static void transfer(struct ski_connection *connection, struct ski_exchange *exchange)
{
    if (ski_transfer_passes_on(exchange))
        hold_answer(connection, exchange);
    if (exchange->transfer->up)
        send_body(connection, exchange->transfer);
}

/* --- what the stream tells --------------------------------------------------------------------- */

/* The answer is complete.  The connection is given back before the exchange is told, so that what
 * `done` starts finds it free. */
static void complete(struct ski_connection *connection, bool reusable)
{
    struct ski_exchange *exchange = take_exchange(h1_of(connection));

    if (reusable) {
        ski_connection_tell_ready(connection);
        exchange->done(exchange, NULL);
    } else {
        exchange->done(exchange, NULL);
        ski_connection_end(connection, NULL);
    }
}

static void pass_on(struct ski_connection *connection, struct ski_exchange *exchange)
{
    hold_answer(connection, exchange);
    exchange->transfer->stir(exchange);
}

static void received(struct ski_connection *connection, const char *bytes, size_t length)
{
    struct h1 *h1 = h1_of(connection);
    struct ski_h1 *codec = &h1->codec;
    struct ski_failure failure;
    size_t used;

    if (!h1->exchange || !request_left(connection)) {
        ski_fail(&failure, h1->exchange ? SCALEKIT_ERR_NETWORK : SCALEKIT_ERR_PROTOCOL,
                 SCALEKIT_PHASE_SEND, "the server sent bytes that nobody had asked for");
        ski_connection_end(connection, &failure);
        return;
    }
    h1->exchange->phase = SCALEKIT_PHASE_RECEIVE;
    used = ski_h1_read(codec, bytes, length, &failure);
    if (codec->state == SKI_H1_FAILED)
        ski_connection_end(connection, &failure);
    else if (codec->state == SKI_H1_DONE)
        complete(connection, codec->keep_alive && used == length && h1->whole &&
                                 ski_stream_unsent(connection->stream) == 0);
    else if (ski_transfer_passes_on(h1->exchange))
        pass_on(connection, h1->exchange);
}

static void drained(struct ski_connection *connection)
{
    struct ski_exchange *exchange = h1_of(connection)->exchange;

    /* It may still be the last request that drained. */
    if (!exchange || ski_stream_unsent(connection->stream) > 0)
        return;
    if (!h1_of(connection)->whole)
        ski_transfer_want(exchange);
    else if (exchange->phase == SCALEKIT_PHASE_SEND)
        exchange->phase = SCALEKIT_PHASE_WAIT;
}

static void closed(struct ski_connection *connection, const struct ski_failure *reason)
{
    struct h1 *h1 = h1_of(connection);
    struct ski_failure failure;

    if (!h1->exchange) {
        ski_connection_end(connection, reason);
    } else if (ski_h1_end(&h1->codec, !reason, &failure)) {
        complete(connection, false);
    } else {
        if (reason)
            failure = *reason;
        failure.phase = h1->exchange->phase;
        ski_connection_end(connection, &failure);
    }
}

static void closing(struct ski_connection *connection)
{
    struct h1 *h1 = h1_of(connection);

    if (h1->exchange && !request_left(connection))
        h1->exchange->sent = false;
}

static void lose(struct ski_connection *connection, const struct ski_failure *failure)
{
    struct ski_exchange *exchange = take_exchange(h1_of(connection));

    if (exchange)
        exchange->done(exchange, failure);
}

/* --- the outside ------------------------------------------------------------------------------- */

static bool open(struct ski_connection *connection)
{
    const struct ski_mem *mem = &connection->loop->mem;
    struct h1 *h1 = ski_zalloc(mem, sizeof *h1);

    connection->protocol = h1;
    if (h1)
        ski_h1_init(&h1->codec, mem);
    return h1;
}

static void release(struct ski_connection *connection)
{
    struct h1 *h1 = h1_of(connection);

    take_exchange(h1);
    ski_h1_free(&h1->codec);
    ski_free(&connection->loop->mem, h1);
}

static unsigned room(const struct ski_connection *connection)
{
    return !h1_of(connection)->exchange;
}

static unsigned load(const struct ski_connection *connection)
{
    return !!h1_of(connection)->exchange;
}

static bool is_leaving(const struct ski_connection *connection)
{
    (void)connection;
    return false;
}

static void start(struct ski_connection *connection, struct ski_exchange *exchange)
{
    struct h1 *h1 = h1_of(connection);
    struct ski_buf request;
    scalekit_err err;

    h1->exchange = exchange;
    ski_h1_begin(&h1->codec, exchange);

    ski_buf_init(&request, &connection->loop->mem, MAX_REQUEST);
    ski_buf_reserve(&request, USUAL_HEAD + exchange->body_length);
    err = ski_h1_write_request(&request, exchange, connection->authority);
    if (err == SCALEKIT_OK && !ski_stream_write(connection->stream, request.data, request.length))
        err = SCALEKIT_ERR_NOMEM;
    h1->queued = request.length;
    h1->whole = !ski_exchange_streams_up(exchange);
    exchange->sent = err == SCALEKIT_OK;
    ski_buf_free(&request);
    if (err != SCALEKIT_OK)
        fail_sending(connection, err);
}

/* What is under way cannot be called back: the connection ends with it. */
static void cancel(struct ski_connection *connection, struct ski_exchange *exchange)
{
    if (connection->stream) {
        ski_fail(&connection->failure, SCALEKIT_ERR_CANCELED, exchange->phase,
                 "its exchange was cancelled");
        ski_connection_end_later(connection);
    }
    take_exchange(h1_of(connection));
}

const struct ski_connection_driver ski_connection_h1 = {
    .multiplexed = false,
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
