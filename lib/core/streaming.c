#include "core/streaming.h"
#include "core/client.h"
#include <string.h>

/* An answer that may yet be Scalekit's own refusal of the token is not told before it is known. */
#define MAX_REFUSAL 8192

struct ski_streaming {
    scalekit_request *request;
    struct ski_streaming_calls calls;
    struct ski_transfer transfer;
    struct ski_task turn;
    uint64_t put;   /* bytes of the request's body */
    bool blocked;   /* the application has none for now */
    bool head_told; /* status and headers */
    bool complete;  /* the answer */
};

/* Whether there is still something to do: not so when a callback has cancelled the request, which
 * takes the streaming with it, or freed the client. */
static bool is_on(const scalekit_request *request)
{
    return request->state < SKI_SETTLED && !request->client->closing;
}

static bool fail(struct ski_streaming *streaming, scalekit_err code, const char *parameter,
                 const char *text)
{
    struct ski_failure failure;

    ski_fail(&failure, code, streaming->request->exchange.phase, "%s", text);
    failure.parameter = parameter;
    ski_request_settle_failure(streaming->request, &failure);
    return false;
}

/* --- the answer -------------------------------------------------------------------------------- */

static bool may_be_refusal(const struct ski_streaming *streaming)
{
    const struct ski_exchange *exchange = &streaming->request->exchange;

    return exchange->status == 401 && !streaming->complete &&
           exchange->answer.length <= MAX_REFUSAL;
}

static bool tell_head(struct ski_streaming *streaming)
{
    scalekit_request *request = streaming->request;

    if (streaming->head_told || !streaming->transfer.head || streaming->transfer.paused ||
        may_be_refusal(streaming))
        return true;
    streaming->head_told = true;
    request->http_status = request->exchange.status;
    if (!streaming->calls.on_head)
        return true;
    if (!streaming->calls.tell_head(request, streaming->calls.on_head))
        return fail(streaming, SCALEKIT_ERR_NOMEM, NULL, "out of memory for the answer");
    return is_on(request);
}

/* The bytes stay the callback's own until it returns, whatever it does to the request. */
static bool tell_body(struct ski_streaming *streaming)
{
    scalekit_request *request = streaming->request;
    struct ski_buf *answer = &request->exchange.answer, bytes = *answer;

    if (!streaming->head_told || streaming->transfer.paused || bytes.length == 0)
        return true;
    ski_buf_init(answer, bytes.mem, bytes.maximum);
    streaming->calls.on_body(request, bytes.data, bytes.length, request->user);
    if (!is_on(request)) {
        ski_buf_free(&bytes);
        return false;
    }
    ski_buf_clear(&bytes);
    *answer = bytes;
    return true;
}

/* --- the request's body ------------------------------------------------------------------------ */

static bool take_piece(struct ski_streaming *streaming, size_t length, size_t room, bool end)
{
    struct ski_transfer *transfer = &streaming->transfer;

    if (length > room)
        return fail(streaming, SCALEKIT_ERR_INVALID, "read",
                    "read gave more than there was room for");
    if (length > 0 || end)
        streaming->blocked = false;
    streaming->put += length;
    if (transfer->has_length && streaming->put == transfer->length)
        end = true;
    if (end && transfer->has_length && streaming->put < transfer->length)
        return fail(streaming, SCALEKIT_ERR_INVALID, "read",
                    "read ended the body before its read_length");
    transfer->ended = end;
    return true;
}

/* The room stays the callback's own too. */
static bool read_body(struct ski_streaming *streaming)
{
    struct ski_transfer *transfer = &streaming->transfer;
    scalekit_request *request = streaming->request;
    size_t size = SKI_TRANSFER_UP, length;
    struct ski_buf room;
    bool end = false;

    if (!transfer->wanted || transfer->ended || streaming->blocked)
        return true;
    if (!ski_buf_reserve(&transfer->out, size))
        return fail(streaming, SCALEKIT_ERR_NOMEM, NULL, "out of memory for the request");
    room = transfer->out;
    ski_buf_init(&transfer->out, room.mem, room.maximum);
    if (transfer->has_length && transfer->length - streaming->put < size)
        size = (size_t)(transfer->length - streaming->put);
    streaming->blocked = true; /* unless it says otherwise, be it right there */
    length = streaming->calls.read(request, room.data, size, &end, request->user);
    if (!is_on(request)) {
        ski_cleanse(room.data, room.capacity);
        ski_buf_free(&room);
        return false;
    }
    room.length = length <= size ? length : 0;
    transfer->out = room;
    return take_piece(streaming, length, size, end);
}

/* --- the turn ---------------------------------------------------------------------------------- */

/* false: the request has ended. */
static bool tell_answer(struct ski_streaming *streaming)
{
    return !streaming->transfer.down || (tell_head(streaming) && tell_body(streaming));
}

/* In any other state, what has come is of an attempt that failed. */
static void tend(struct ski_streaming *streaming)
{
    scalekit_request *request = streaming->request;

    if (request->state == SKI_SENT) {
        if (tell_answer(streaming) && read_body(streaming))
            ski_pool_transfer(request->client->pool, &request->exchange);
    } else if (request->state == SKI_DRAINING) {
        if (tell_answer(streaming) && !streaming->transfer.paused &&
            request->exchange.answer.length == 0)
            ski_request_answered(request);
    }
}

static void on_turn(struct ski_task *task)
{
    struct ski_streaming *streaming = SKI_CONTAINER(task, struct ski_streaming, turn);
    scalekit_request *request = scalekit_request_ref(streaming->request);
    scalekit_client *client = request->client;

    ski_client_enter(client);
    tend(streaming);
    ski_client_leave(client);
    scalekit_request_unref(request);
}

static void see_to(struct ski_streaming *streaming)
{
    ski_task_defer(&streaming->request->client->loop, &streaming->turn);
}

static void on_stir(struct ski_exchange *exchange)
{
    see_to(SKI_CONTAINER(exchange->transfer, struct ski_streaming, transfer));
}

/* --- the outside ------------------------------------------------------------------------------- */

struct ski_streaming *ski_streaming_new(scalekit_request *request,
                                        const struct ski_streaming_calls *calls)
{
    struct ski_streaming *streaming = ski_zalloc(&request->mem, sizeof *streaming);
    struct ski_transfer *transfer;

    if (!streaming)
        return NULL;
    streaming->request = request;
    streaming->calls = *calls;
    ski_task_init(&streaming->turn, on_turn);
    transfer = &streaming->transfer;
    ski_transfer_init(transfer, &request->mem);
    transfer->stir = on_stir;
    transfer->down = calls->on_body;
    transfer->up = calls->read;
    transfer->has_length = calls->length > 0;
    transfer->length = calls->length;
    request->exchange.transfer = transfer;
    if (transfer->down)
        request->exchange.answer.maximum = SKI_TRANSFER_MAX_DOWN;
    return streaming;
}

void ski_streaming_free(struct ski_streaming *streaming)
{
    if (!streaming)
        return;
    ski_task_cancel(&streaming->turn);
    ski_transfer_free(&streaming->transfer);
    ski_free(&streaming->request->mem, streaming);
}

void ski_streaming_begin(struct ski_streaming *streaming)
{
    ski_transfer_reset(&streaming->transfer);
}

bool ski_streaming_has_told(const struct ski_streaming *streaming)
{
    return streaming->head_told;
}

bool ski_streaming_can_begin_again(const struct ski_streaming *streaming)
{
    return !streaming->transfer.begun && !streaming->head_told;
}

bool ski_streaming_drain(struct ski_streaming *streaming)
{
    if (!streaming->transfer.down)
        return false;
    streaming->complete = true;
    see_to(streaming);
    return true;
}

void ski_streaming_pause(struct ski_streaming *streaming, bool paused)
{
    streaming->transfer.paused = paused;
    see_to(streaming);
}

void ski_streaming_continue(struct ski_streaming *streaming)
{
    streaming->blocked = false;
    see_to(streaming);
}
