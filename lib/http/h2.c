/* h2.c - nghttp2 keeps the rules of HTTP/2; this gives it exchanges and takes their answers.
 *
 * An exchange is in one of three lists: queued (nghttp2 has not heard of it), open (it is a stream),
 * over.  It is submitted at the moment its frames are written, one at a time, so that nghttp2 need
 * not copy what it borrows, holds no request longer than a call, and `offset` says exactly where in
 * the output it begins.
 *
 * A stream may live on without its exchange: cancelled, or answered before the server had read it
 * all.  nghttp2 then has no user data for it, and what still comes is counted and dropped.  So room
 * is reckoned by streams, load by exchanges.
 *
 * Nothing is told from inside nghttp2, which may not be entered again from its callbacks (only
 * submitting is allowed there): what is over waits in its list until it is asked for. */
#include "http/h2.h"
#include "base/recycler.h"
#include "http/transfer.h"
#include <inttypes.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#define MAX_INTERIM   16
#define MAX_RESERVE   (1u << 20) /* for a body, on the word of its content-length */
#define NAME_OVERHEAD 32         /* of a field, as SETTINGS_MAX_HEADER_LIST_SIZE counts */
#define MAX_SENT_HEAD (1u << 17) /* of a request: more than the limits of all its parts together */

/* What has come of the answer. */
enum { HEAD, BODY };

enum problem {
    LOST, /* with the connection */
    RESET,
    REFUSED,
    MALFORMED,
    TOO_MANY_INTERIM,
    HEAD_TOO_LARGE,
    BODY_TOO_LARGE,
    NO_MEMORY,
    NOT_SENDABLE
};

struct ski_h2 {
    const struct ski_mem *mem;
    struct ski_recycler recycler; /* of the session */
    nghttp2_session *session;
    const char *authority;
    bool secure;
    enum ski_h2_state state;
    struct ski_failure failure;

    struct ski_list queued, open, over; /* exchanges */
    unsigned n_queued, n_open;
    unsigned streams; /* open at nghttp2, those without an exchange included */
    uint32_t limit;   /* of streams, the server's */
    bool numbered;    /* a stream was ever opened */
    bool got_past;    /* when LEAVING: some of our streams are below the GOAWAY's last */
    uint64_t written;
};

/* --- memory: nghttp2's, which serializes tokens and secrets ------------------------------------ */

static void *take(size_t size, void *user)
{
    return ski_recycler_malloc(user, size);
}

static void *take_zeroed(size_t count, size_t size, void *user)
{
    return ski_recycler_calloc(user, count, size);
}

static void *take_more(void *old, size_t size, void *user)
{
    return ski_recycler_realloc(user, old, size);
}

static void give_back(void *memory, void *user)
{
    ski_recycler_release(user, memory);
}

/* --- ending ------------------------------------------------------------------------------------ */

static int fail(struct ski_h2 *h2, scalekit_err code, const char *text)
{
    if (h2->state != SKI_H2_FAILED)
        ski_fail(&h2->failure, code, SCALEKIT_PHASE_RECEIVE, "%s", text);
    h2->state = SKI_H2_FAILED;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int fail_memory(struct ski_h2 *h2)
{
    return fail(h2, SCALEKIT_ERR_NOMEM, "out of memory for a connection");
}

/* What nghttp2 returned. */
static int check(struct ski_h2 *h2, int rv)
{
    char text[100];

    if (rv >= 0)
        return 0;
    if (rv == NGHTTP2_ERR_NOMEM)
        return fail_memory(h2);
    snprintf(text, sizeof text, "the server broke HTTP/2: %s", nghttp2_strerror(rv));
    return fail(h2, SCALEKIT_ERR_PROTOCOL, text);
}

static void set_over(struct ski_h2 *h2, struct ski_exchange *exchange, enum ski_h2_end end,
                     enum problem problem)
{
    exchange->h2.end = (uint8_t)end;
    exchange->h2.problem = (uint8_t)problem;
    ski_list_push_back(&h2->over, &exchange->link);
}

/* One that is a stream, which no longer knows it. */
static void close_open(struct ski_h2 *h2, struct ski_exchange *exchange, enum ski_h2_end end,
                       enum problem problem)
{
    h2->n_open--;
    nghttp2_session_set_stream_user_data(h2->session, exchange->h2.stream, NULL);
    set_over(h2, exchange, end, problem);
}

static int reset(struct ski_h2 *h2, int32_t stream)
{
    return check(h2,
                 nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL));
}

/* An answer we do not want any more of. */
static int give_up(struct ski_h2 *h2, struct ski_exchange *exchange, enum problem problem)
{
    close_open(h2, exchange, SKI_H2_BROKEN, problem);
    return reset(h2, exchange->h2.stream);
}

static void return_queued(struct ski_h2 *h2, enum ski_h2_end end)
{
    struct ski_list *link;

    while ((link = ski_list_pop_front(&h2->queued)))
        set_over(h2, SKI_CONTAINER(link, struct ski_exchange, link), end, REFUSED);
    h2->n_queued = 0;
}

/* --- what nghttp2 tells: answers --------------------------------------------------------------- */

static struct ski_exchange *exchange_of(nghttp2_session *session, int32_t stream)
{
    return nghttp2_session_get_stream_user_data(session, stream);
}

/* A length that is larger, or nonsense (nghttp2 sees to that), reserves nothing. */
static void reserve(struct ski_exchange *exchange, const uint8_t *value, size_t length)
{
    size_t expected = 0;

    if (length > 7 || ski_transfer_passes_on(exchange))
        return;
    for (size_t i = 0; i < length; i++)
        expected = expected * 10 + (size_t)(value[i] - '0');
    if (expected <= MAX_RESERVE && expected <= exchange->max_body)
        ski_buf_reserve(&exchange->answer, expected);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user)
{
    struct ski_h2 *h2 = user;
    struct ski_exchange *exchange = exchange_of(session, frame->hd.stream_id);
    enum ski_buf_failure failed;

    (void)flags;
    if (!exchange)
        return 0;
    exchange->h2.head_bytes += (uint32_t)(name_length + value_length + NAME_OVERHEAD);
    if (exchange->h2.head_bytes > SKI_MAX_HEADER_BYTES)
        return give_up(h2, exchange, HEAD_TOO_LARGE);
    if (exchange->h2.answer == BODY) /* a trailer */
        return 0;
    if (name[0] == ':') { /* status, of three digits: nghttp2 lets no other through */
        exchange->status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
        return 0;
    }
    failed = ski_headers_add(&exchange->answer_headers,
                             (struct ski_slice){(const char *)name, name_length},
                             (struct ski_slice){(const char *)value, value_length});
    if (failed)
        return give_up(h2, exchange, failed == SKI_BUF_NOMEM ? NO_MEMORY : HEAD_TOO_LARGE);
    if (name_length == 14 && memcmp(name, "content-length", 14) == 0)
        reserve(exchange, value, value_length);
    return 0;
}

/* The server is made to wait by taking the window of its stream away, however often it grows (our
 * SETTINGS may come into force meanwhile): what it may still send, it was granted before. */
static int shut_window(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    int32_t stream = exchange->h2.stream, window;

    window = nghttp2_session_get_stream_effective_local_window_size(h2->session, stream);
    if (window <= 0)
        return 0;
    exchange->transfer->held += (uint32_t)window;
    return check(h2, nghttp2_submit_window_update(h2->session, NGHTTP2_FLAG_NONE, stream, -window));
}

/* What was sent meanwhile is credited as well. */
static int open_window(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    int32_t stream = exchange->h2.stream, window = (int32_t)exchange->transfer->held;
    int rv;

    if (window == 0)
        return 0;
    exchange->transfer->held = 0;
    rv = nghttp2_submit_window_update(h2->session, NGHTTP2_FLAG_NONE, stream, window);
    window = nghttp2_session_get_stream_effective_recv_data_length(h2->session, stream);
    if (rv == 0 && window > 0)
        rv = nghttp2_submit_window_update(h2->session, NGHTTP2_FLAG_NONE, stream, window);
    return check(h2, rv);
}

static int hold_answer(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    return ski_transfer_is_full(exchange) ? shut_window(h2, exchange) : open_window(h2, exchange);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t length, void *user)
{
    struct ski_exchange *exchange = exchange_of(session, stream);

    (void)flags;
    if (!exchange)
        return 0;
    ski_buf_add(&exchange->answer, bytes, length);
    if (exchange->answer.failed)
        return give_up(user, exchange,
                       exchange->answer.failed == SKI_BUF_NOMEM ? NO_MEMORY : BODY_TOO_LARGE);
    if (!ski_transfer_passes_on(exchange))
        return 0;
    exchange->transfer->stir(exchange);
    return hold_answer(user, exchange);
}

static int end_head(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    exchange->phase = SCALEKIT_PHASE_RECEIVE;
    if (exchange->status >= 200) {
        exchange->h2.answer = BODY;
        if (exchange->transfer)
            exchange->transfer->head = true;
        if (ski_transfer_passes_on(exchange))
            exchange->transfer->stir(exchange);
        return 0;
    }
    if (exchange->status < 100)
        return give_up(h2, exchange, MALFORMED);
    if (++exchange->h2.interim > MAX_INTERIM)
        return give_up(h2, exchange, TOO_MANY_INTERIM);
    ski_exchange_reset(exchange);
    return 0;
}

/* Complete: the rest of the request, if any, is of no use to the server any more. */
static int end_answer(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    int32_t stream = exchange->h2.stream;

    close_open(h2, exchange, SKI_H2_COMPLETE, LOST);
    return nghttp2_session_get_stream_local_close(h2->session, stream) ? 0 : reset(h2, stream);
}

/* --- what nghttp2 tells: the connection -------------------------------------------------------- */

static void take_settings(struct ski_h2 *h2)
{
    h2->limit =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (h2->limit > SKI_H2_MAX_STREAMS)
        h2->limit = SKI_H2_MAX_STREAMS;
    if (h2->state == SKI_H2_GREETING)
        h2->state = SKI_H2_OPEN;
}

/* nghttp2 closes the streams above the last one by itself, right after this. */
static void take_goaway(struct ski_h2 *h2, const nghttp2_goaway *goaway)
{
    h2->got_past = h2->numbered && goaway->last_stream_id > 0;
    h2->state = SKI_H2_LEAVING;
    if (goaway->error_code != NGHTTP2_NO_ERROR)
        ski_fail(&h2->failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_WAIT,
                 "the server ended the connection: %s", nghttp2_http2_strerror(goaway->error_code));
    return_queued(h2, h2->got_past ? SKI_H2_LEFT_OUT : SKI_H2_REFUSED);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct ski_h2 *h2 = user;
    struct ski_exchange *exchange =
        frame->hd.stream_id ? exchange_of(session, frame->hd.stream_id) : NULL;
    int rv = 0;

    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        take_settings(h2);
    else if (frame->hd.type == NGHTTP2_GOAWAY)
        take_goaway(h2, &frame->goaway);
    if (!exchange)
        return 0;

    switch (frame->hd.type) {
    case NGHTTP2_RST_STREAM:
        exchange->h2.problem = RESET;
        exchange->h2.code = frame->rst_stream.error_code;
        return 0;
    case NGHTTP2_HEADERS:
        if (exchange->h2.answer == HEAD)
            rv = end_head(h2, exchange);
        break;
    case NGHTTP2_DATA:
        break;
    default:
        return 0;
    }
    if (rv == 0 && !exchange->h2.end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        rv = end_answer(h2, exchange);
    return rv;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct ski_h2 *h2 = user;
    struct ski_exchange *exchange = exchange_of(session, stream);
    bool left_out = h2->state == SKI_H2_LEAVING && h2->got_past;

    h2->streams--;
    if (!exchange)
        return 0;
    h2->n_open--;
    if (code == NGHTTP2_REFUSED_STREAM && exchange->h2.head_bytes == 0)
        set_over(h2, exchange, left_out ? SKI_H2_LEFT_OUT : SKI_H2_REFUSED, REFUSED);
    else
        set_over(h2, exchange, SKI_H2_BROKEN, exchange->h2.problem == RESET ? RESET : MALFORMED);
    return 0;
}

/* Ours carries an error only when the server broke the rules; its debug data says how. */
static void take_own_goaway(struct ski_h2 *h2, const nghttp2_goaway *goaway)
{
    char text[160];

    if (goaway->error_code == NGHTTP2_NO_ERROR)
        return;
    if (goaway->error_code == NGHTTP2_INTERNAL_ERROR) { /* not the server's doing */
        fail_memory(h2);
        return;
    }
    snprintf(text, sizeof text, "the server broke HTTP/2: %s%s%.*s",
             nghttp2_http2_strerror(goaway->error_code), goaway->opaque_data_len ? ", " : "",
             (int)(goaway->opaque_data_len < 100 ? goaway->opaque_data_len : 100),
             goaway->opaque_data_len ? (const char *)goaway->opaque_data : "");
    fail(h2, SCALEKIT_ERR_PROTOCOL, text);
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct ski_exchange *exchange;

    if (frame->hd.type == NGHTTP2_GOAWAY) {
        take_own_goaway(user, &frame->goaway);
        return 0;
    }
    if (frame->hd.type > NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    exchange = exchange_of(session, frame->hd.stream_id);
    if (exchange && exchange->phase == SCALEKIT_PHASE_SEND)
        exchange->phase = SCALEKIT_PHASE_WAIT;
    return 0;
}

/* --- submitting -------------------------------------------------------------------------------- */

static ssize_t on_body(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t length,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct ski_exchange *exchange = exchange_of(session, stream);
    size_t left;

    (void)source;
    (void)user;
    if (!exchange) /* its RST_STREAM comes first, so that this is never reached */
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    left = exchange->body_length - exchange->h2.body_sent;
    if (length >= left) {
        length = left;
        *flags = NGHTTP2_DATA_FLAG_EOF;
    }
    if (length > 0)
        memcpy(bytes, exchange->body + exchange->h2.body_sent, length);
    exchange->h2.body_sent += length;
    return (ssize_t)length;
}

static ssize_t on_pieces(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct ski_exchange *exchange = exchange_of(session, stream);
    struct ski_transfer *transfer = exchange ? exchange->transfer : NULL;

    (void)source;
    (void)user;
    if (!transfer)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    length = ski_transfer_take(transfer, bytes, length);
    if (ski_transfer_left(transfer) == 0 && transfer->ended) {
        *flags = NGHTTP2_DATA_FLAG_EOF;
    } else if (length == 0) {
        ski_transfer_want(exchange);
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)length;
}

static nghttp2_nv field(const char *name, size_t name_length, const char *value,
                        size_t value_length)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_length,
                        value_length, NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

#define FIELD(name, value) field(name, sizeof(name) - 1, value, strlen(value))

static size_t put_fields(nghttp2_nv *fields, const struct ski_header *headers, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        fields[i] = field(headers[i].name.at, headers[i].name.length, headers[i].value.at,
                          headers[i].value.length);
    return n;
}

static int32_t submit(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    static const nghttp2_data_provider whole = {.read_callback = on_body};
    static const nghttp2_data_provider pieces = {.read_callback = on_pieces};
    nghttp2_nv fields[5 + SKI_MAX_SENT_HEADERS + SKI_MAX_MORE_HEADERS];
    const nghttp2_data_provider *body = exchange->body_length ? &whole : NULL;
    char text[24];
    uint64_t length;
    size_t n = 0;

    fields[n++] = FIELD(":method", exchange->method);
    fields[n++] = FIELD(":scheme", h2->secure ? "https" : "http");
    fields[n++] = FIELD(":authority", h2->authority);
    fields[n++] = FIELD(":path", exchange->target);
    n += put_fields(fields + n, exchange->headers, exchange->n_headers);
    n += put_fields(fields + n, exchange->more_headers, exchange->n_more_headers);
    if (ski_exchange_length(exchange, &length)) {
        snprintf(text, sizeof text, "%" PRIu64, length);
        fields[n] = FIELD("content-length", text);
        fields[n++].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME; /* it is used when this has returned */
    }
    if (ski_exchange_streams_up(exchange))
        body = &pieces;
    return nghttp2_submit_request(h2->session, NULL, fields, n, body, exchange);
}

/* nghttp2 takes names as they are, and HTTP/2 wants them in lower case. */
static bool is_lower_case(const struct ski_header *headers, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (size_t at = 0; at < headers[i].name.length; at++)
            if (headers[i].name.at[at] >= 'A' && headers[i].name.at[at] <= 'Z')
                return false;
    return true;
}

static bool is_sendable(const struct ski_exchange *exchange)
{
    return is_lower_case(exchange->headers, exchange->n_headers) &&
           is_lower_case(exchange->more_headers, exchange->n_more_headers) &&
           ski_exchange_valid(exchange);
}

/* The first of those queued becomes a stream.  false: none is left. */
static bool open_next(struct ski_h2 *h2)
{
    struct ski_list *link = ski_list_pop_front(&h2->queued);
    struct ski_exchange *exchange;
    int32_t stream;

    if (!link)
        return false;
    exchange = SKI_CONTAINER(link, struct ski_exchange, link);
    h2->n_queued--;
    if (!is_sendable(exchange)) {
        set_over(h2, exchange, SKI_H2_BROKEN, NOT_SENDABLE);
        return true;
    }
    stream = submit(h2, exchange);
    if (stream > 0) {
        exchange->h2.stream = stream;
        exchange->h2.offset = h2->written;
        ski_list_push_back(&h2->open, &exchange->link);
        h2->n_open++;
        h2->streams++;
        h2->numbered = true;
    } else if (stream == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) {
        set_over(h2, exchange, SKI_H2_LEFT_OUT, REFUSED);
        h2->state = SKI_H2_LEAVING;
        return_queued(h2, SKI_H2_LEFT_OUT);
    } else {
        set_over(h2, exchange, SKI_H2_BROKEN, NO_MEMORY);
    }
    return true;
}

/* --- bytes ------------------------------------------------------------------------------------- */

void ski_h2_read(struct ski_h2 *h2, const char *bytes, size_t length)
{
    ssize_t rv;

    if (h2->state == SKI_H2_FAILED)
        return;
    rv = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes, length);
    if (rv < 0)
        check(h2, (int)rv);
}

size_t ski_h2_write(struct ski_h2 *h2, const char **bytes)
{
    while (h2->state != SKI_H2_FAILED) {
        const uint8_t *piece;
        ssize_t length = nghttp2_session_mem_send(h2->session, &piece);

        if (length > 0) {
            h2->written += (uint64_t)length;
            *bytes = (const char *)piece;
            return (size_t)length;
        }
        if (length < 0)
            check(h2, (int)length);
        else if (!open_next(h2))
            break;
    }
    return 0;
}

/* --- exchanges --------------------------------------------------------------------------------- */

unsigned ski_h2_room(const struct ski_h2 *h2)
{
    unsigned taken = h2->streams + h2->n_queued;

    return h2->state == SKI_H2_OPEN && h2->limit > taken ? h2->limit - taken : 0;
}

unsigned ski_h2_load(const struct ski_h2 *h2)
{
    return h2->n_queued + h2->n_open;
}

void ski_h2_start(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    memset(&exchange->h2, 0, sizeof exchange->h2);
    ski_list_push_back(&h2->queued, &exchange->link);
    h2->n_queued++;
}

void ski_h2_transfer(struct ski_h2 *h2, struct ski_exchange *exchange)
{
    struct ski_transfer *transfer = exchange->transfer;

    if (!exchange->h2.stream || exchange->h2.end || h2->state == SKI_H2_FAILED)
        return;
    if (transfer->down)
        hold_answer(h2, exchange);
    if (transfer->wanted && (transfer->ended || ski_transfer_left(transfer))) {
        transfer->wanted = false;
        check(h2, nghttp2_session_resume_data(h2->session, exchange->h2.stream));
    }
}

static bool has_left(const struct ski_h2 *h2, const struct ski_exchange *exchange, size_t unsent)
{
    return exchange->h2.stream && exchange->h2.offset + unsent < h2->written;
}

void ski_h2_cancel(struct ski_h2 *h2, struct ski_exchange *exchange, size_t unsent)
{
    exchange->sent = has_left(h2, exchange, unsent);
    ski_list_remove(&exchange->link);
    if (exchange->h2.end)
        return;
    if (!exchange->h2.stream) {
        h2->n_queued--;
        return;
    }
    h2->n_open--;
    if (h2->state == SKI_H2_FAILED)
        return;
    nghttp2_session_set_stream_user_data(h2->session, exchange->h2.stream, NULL);
    reset(h2, exchange->h2.stream);
}

/* What went wrong with it, in words. */
static void describe(const struct ski_h2 *h2, const struct ski_exchange *exchange,
                     struct ski_failure *failure)
{
    static const struct {
        scalekit_err code;
        const char *text;
    } rows[] = {
        [REFUSED] = {SCALEKIT_ERR_NETWORK, "the server refused the request unread"},
        [MALFORMED] = {SCALEKIT_ERR_PROTOCOL, "the answer is not valid HTTP/2"},
        [TOO_MANY_INTERIM] = {SCALEKIT_ERR_PROTOCOL, "the answer has too many interim ones"},
        [HEAD_TOO_LARGE] = {SCALEKIT_ERR_TOO_LARGE, "the answer's header is larger than its limit"},
        [BODY_TOO_LARGE] = {SCALEKIT_ERR_TOO_LARGE, "the answer is larger than its limit"},
        [NO_MEMORY] = {SCALEKIT_ERR_NOMEM, "out of memory for the request or its answer"},
        [NOT_SENDABLE] = {SCALEKIT_ERR_INVALID, "the request holds characters that cannot be sent"},
    };
    enum problem problem = exchange->h2.problem;

    if (problem == LOST) {
        *failure = h2->failure;
        failure->phase = exchange->phase;
    } else if (problem == RESET) {
        ski_fail(failure, SCALEKIT_ERR_NETWORK, exchange->phase, "the server reset the request: %s",
                 nghttp2_http2_strerror(exchange->h2.code));
    } else {
        ski_fail(failure, rows[problem].code, exchange->phase, "%s", rows[problem].text);
    }
}

struct ski_exchange *ski_h2_next_over(struct ski_h2 *h2, size_t unsent, enum ski_h2_end *end,
                                      struct ski_failure *failure)
{
    struct ski_list *link = ski_list_pop_front(&h2->over);
    struct ski_exchange *exchange;

    if (!link)
        return NULL;
    exchange = SKI_CONTAINER(link, struct ski_exchange, link);
    *end = exchange->h2.end;
    exchange->sent = *end <= SKI_H2_BROKEN && has_left(h2, exchange, unsent);
    if (*end != SKI_H2_COMPLETE)
        describe(h2, exchange, failure);
    return exchange;
}

/* nghttp2 is not asked any more: what it knows of these exchanges goes with it. */
void ski_h2_lose(struct ski_h2 *h2, const struct ski_failure *failure)
{
    struct ski_list *link;

    if (h2->failure.code == SCALEKIT_OK && failure)
        h2->failure = *failure;
    else if (h2->failure.code == SCALEKIT_OK)
        ski_fail(&h2->failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_WAIT,
                 "connection closed before an answer");
    h2->state = SKI_H2_FAILED;
    while ((link = ski_list_pop_front(&h2->open)))
        set_over(h2, SKI_CONTAINER(link, struct ski_exchange, link), SKI_H2_BROKEN, LOST);
    while ((link = ski_list_pop_front(&h2->queued)))
        set_over(h2, SKI_CONTAINER(link, struct ski_exchange, link), SKI_H2_BROKEN, LOST);
    h2->n_open = h2->n_queued = 0;
}

void ski_h2_ping(struct ski_h2 *h2)
{
    if (h2->state != SKI_H2_FAILED)
        check(h2, nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL));
}

/* --- life -------------------------------------------------------------------------------------- */

static nghttp2_session *new_session(struct ski_h2 *h2)
{
    nghttp2_mem hooks = {&h2->recycler, take, give_back, take_zeroed, take_more};
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *session = NULL;

    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_option_set_max_send_header_block_length(option, MAX_SENT_HEAD);
        if (nghttp2_session_client_new3(&session, callbacks, h2, option, &hooks) != 0)
            session = NULL;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static bool greet(nghttp2_session *session)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SKI_H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, SKI_MAX_HEADER_BYTES},
    };

    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof *settings) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                 SKI_H2_CONNECTION_WINDOW) == 0;
}

struct ski_h2 *ski_h2_new(const struct ski_mem *mem, bool secure, const char *authority)
{
    struct ski_h2 *h2 = ski_zalloc(mem, sizeof *h2);

    if (!h2)
        return NULL;
    h2->mem = mem;
    ski_recycler_init(&h2->recycler, mem);
    h2->secure = secure;
    h2->authority = authority;
    ski_list_init(&h2->queued);
    ski_list_init(&h2->open);
    ski_list_init(&h2->over);
    h2->session = new_session(h2);
    if (h2->session && greet(h2->session))
        return h2;
    ski_h2_free(h2);
    return NULL;
}

static void forget(struct ski_list *exchanges)
{
    while (ski_list_pop_front(exchanges))
        ;
}

void ski_h2_free(struct ski_h2 *h2)
{
    if (!h2)
        return;
    forget(&h2->queued);
    forget(&h2->open);
    forget(&h2->over);
    nghttp2_session_del(h2->session);
    ski_recycler_free(&h2->recycler);
    ski_free(h2->mem, h2);
}

enum ski_h2_state ski_h2_state(const struct ski_h2 *h2)
{
    return h2->state;
}

const struct ski_failure *ski_h2_failure(const struct ski_h2 *h2)
{
    return &h2->failure;
}
