#include "h2_server.h"
#include "base/buf.h"
#include "base/list.h"
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REQUEST_BYTES ((size_t)64 << 20)
#define NO_STREAM         INT32_MAX

struct h2_server {
    struct h2_server_options options;
    struct h2_server_io io;
    struct ski_mem mem;
    struct h2_counts *counts;
    nghttp2_session *session;
    struct ski_list requests; /* every stream that is open */
    struct ski_list heard;    /* of them: complete, and not yet looked at */
    struct ski_list waiting;  /* looked at, and held */
    unsigned open, looked_at;
    int32_t last;    /* the latest stream looked at */
    int32_t no_more; /* streams beyond it are not looked at */
    bool greeted;
    bool leaving; /* gave notice; the true GOAWAY is to come */
    bool ended;
    enum h2_ending then;
    bool secret;              /* the frame about to be sent is not for the client */
    unsigned secret_settings; /* nor are so many SETTINGS */
};

struct request {
    struct ski_list all, queue;
    struct h2_server *server;
    int32_t stream;
    char method[16], target[256];
    struct ski_buf header, body;
    bool heard;
    bool scripted;    /* it is answered past nghttp2 */
    const char *text; /* of the answer; NULL: the alphabet */
    size_t length, sent, allowed;
};

/* --- requests ---------------------------------------------------------------------------------- */

static struct request *request_new(struct h2_server *server, int32_t stream)
{
    struct request *request = calloc(1, sizeof *request);

    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    request->server = server;
    request->stream = stream;
    ski_buf_init(&request->header, &server->mem, MAX_REQUEST_BYTES);
    ski_buf_init(&request->body, &server->mem, MAX_REQUEST_BYTES);
    ski_list_init(&request->all);
    ski_list_init(&request->queue);
    ski_list_push_back(&server->requests, &request->all);
    if (++server->open > server->counts->most_open)
        server->counts->most_open = server->open;
    server->counts->open++;
    return request;
}

static void request_free(struct request *request)
{
    request->server->open--;
    request->server->counts->open--;
    ski_list_remove(&request->all);
    ski_list_remove(&request->queue);
    ski_buf_free(&request->header);
    ski_buf_free(&request->body);
    free(request);
}

static struct request *first_of(const struct ski_list *queue)
{
    return SKI_CONTAINER(queue->next, struct request, queue);
}

/* --- sending ----------------------------------------------------------------------------------- */

static void flush(struct h2_server *server)
{
    const uint8_t *frame;
    ssize_t length;

    if (!server->greeted)
        return;
    while ((length = nghttp2_session_mem_send(server->session, &frame)) > 0) {
        if (!server->secret)
            server->io.send(server->io.user, frame, (size_t)length);
        server->secret = false;
    }
    CU_ASSERT_EQUAL(length, 0);
}

/* What a script has sent is entered in nghttp2's books by frames that the client must not see. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_server *server = user;
    const struct request *request;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        server->secret = request && request->scripted;
        server->counts->refused +=
            !server->secret && frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM;
    } else if (frame->hd.type == NGHTTP2_SETTINGS && server->secret_settings > 0 &&
               !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        server->secret = true;
        server->secret_settings--;
    }
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct request *request = source->ptr;
    size_t length = request->length - request->sent;

    (void)session;
    (void)stream;
    (void)user;
    if (length > request->allowed - request->sent)
        length = request->allowed - request->sent;
    if (length > size)
        length = size;
    if (length == 0 && request->sent < request->length)
        return NGHTTP2_ERR_DEFERRED;
    for (size_t i = 0; i < length; i++, request->sent++)
        out[i] = (uint8_t)(request->text ? request->text[request->sent]
                                         : 'a' + (char)(request->sent % 26));
    if (request->sent == request->length)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)length;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0};
}

/* 200 and a body. */
static void respond(struct request *request)
{
    nghttp2_session *session = request->server->session;
    nghttp2_data_provider body = {{.ptr = request}, read_body};
    bool none = strcmp(request->method, "HEAD") == 0;
    char length[24];
    nghttp2_nv fields[3];

    snprintf(length, sizeof length, "%zu", request->length);
    fields[0] = field(":status", "200");
    fields[1] = field("content-type", "text/plain");
    fields[2] = field("content-length", length);
    CU_ASSERT_EQUAL(
        nghttp2_submit_response(session, request->stream, fields, 3, none ? NULL : &body), 0);
}

/* --- answering --------------------------------------------------------------------------------- */

static void play(struct h2_server *server, const struct h2_script *script, int32_t stream)
{
    flush(server);
    h2_script_send(script, stream, &server->io);
    for (unsigned n = h2_script_settings(script); n > 0; n--) {
        nghttp2_submit_settings(server->session, 0, NULL, 0);
        server->secret_settings++;
    }
    if (script->then)
        server->then = script->then;
}

static void answer(struct request *request)
{
    struct h2_server *server = request->server;
    const struct h2_script *script = h2_script_find(request->target);

    ski_list_remove(&request->queue);
    if (script) {
        play(server, script, request->stream);
        request->scripted = true;
        nghttp2_submit_rst_stream(server->session, 0, request->stream, NGHTTP2_NO_ERROR);
        return;
    }
    request->allowed = SIZE_MAX;
    request->text = request->target;
    request->length = strlen(request->target);
    if (sscanf(request->target, "/slow/%zu", &request->length) == 1) {
        request->text = NULL;
        request->allowed = 0;
    } else if (sscanf(request->target, "/bytes/%zu", &request->length) == 1) {
        request->text = NULL;
    } else if (strcmp(request->target, "/echo") == 0) {
        request->text = request->body.data;
        request->length = request->body.length;
    } else if (strcmp(request->target, "/mirror") == 0) {
        request->text = request->header.data;
        request->length = request->header.length;
    }
    respond(request);
}

static void count_number(struct h2_server *server, const char *target)
{
    unsigned number;
    char rest;

    if (sscanf(target, "/%u%c", &number, &rest) == 1 && number < H2_NUMBERED)
        server->counts->numbered[number]++;
}

static void leave(struct h2_server *server, int32_t last, uint32_t code, const char *debug)
{
    server->no_more = last;
    nghttp2_submit_goaway(server->session, 0, last, code, (const uint8_t *)debug,
                          debug ? strlen(debug) : 0);
}

static bool is_nth(const struct h2_server *server, unsigned every)
{
    return every && server->looked_at % every == 0;
}

static void look_at(struct request *request)
{
    struct h2_server *server = request->server;
    const struct h2_server_options *options = &server->options;

    ski_list_remove(&request->queue);
    if (request->stream > server->no_more)
        return;
    server->looked_at++;
    server->last = request->stream;
    if (is_nth(server, options->goaway_every)) {
        if (options->goaway_notice) {
            nghttp2_submit_shutdown_notice(server->session);
            server->leaving = true;
        } else {
            leave(server, request->stream, NGHTTP2_NO_ERROR, NULL);
        }
    }
    if (is_nth(server, options->reset_every)) {
        nghttp2_submit_rst_stream(server->session, 0, request->stream, options->reset_code);
        if (options->reset_code == NGHTTP2_REFUSED_STREAM)
            return;
    }
    server->counts->requests++;
    count_number(server, request->target);
    if (is_nth(server, options->reset_every))
        return;
    if (options->hold)
        ski_list_push_back(&server->waiting, &request->queue);
    else
        answer(request);
}

/* Sends what is to be sent; the last thing to do with a server, for it may end here. */
static void settle(struct h2_server *server)
{
    while (!ski_list_empty(&server->heard))
        look_at(first_of(&server->heard));
    flush(server);
    if (server->leaving && ski_list_empty(&server->requests)) {
        server->leaving = false;
        leave(server, server->last, NGHTTP2_NO_ERROR, NULL);
        flush(server);
    }
    if (!server->then && server->greeted && !nghttp2_session_want_read(server->session) &&
        !nghttp2_session_want_write(server->session))
        server->then = H2_FINISH;
    if (!server->then || server->ended)
        return;
    server->ended = true;
    server->io.end(server->io.user, server->then);
}

/* --- hearing ----------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_server *server = user;

    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        nghttp2_session_set_stream_user_data(session, frame->hd.stream_id,
                                             request_new(server, frame->hd.stream_id));
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *user)
{
    struct request *request = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    const char *text = (const char *)value;

    (void)name_length;
    (void)value_length;
    (void)flags;
    (void)user;
    if (!request)
        return 0;
    ski_buf_addf(&request->header, "%s: %s\n", (const char *)name, text);
    if (strcmp((const char *)name, ":method") == 0)
        snprintf(request->method, sizeof request->method, "%s", text);
    else if (strcmp((const char *)name, ":path") == 0)
        snprintf(request->target, sizeof request->target, "%s", text);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t length, void *user)
{
    struct request *request = nghttp2_session_get_stream_user_data(session, stream);
    struct h2_server *server = user;

    (void)flags;
    server->counts->body_bytes += length;
    if (request)
        ski_buf_add(&request->body, bytes, length);
    return 0;
}

static void on_part(struct h2_server *server, const nghttp2_frame *frame)
{
    struct request *request =
        nghttp2_session_get_stream_user_data(server->session, frame->hd.stream_id);
    const struct h2_script *script;

    if (!request || request->heard)
        return;
    script = h2_script_find(request->target);
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && !(script && script->early))
        return;
    request->heard = true;
    ski_list_push_back(&server->heard, &request->queue);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2_server *server = user;
    struct h2_counts *counts = server->counts;
    bool ack = frame->hd.flags & NGHTTP2_FLAG_ACK;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        on_part(server, frame);
        break;
    case NGHTTP2_PING:
        counts->pings += !ack;
        counts->ping_acks += ack;
        break;
    case NGHTTP2_SETTINGS:
        counts->settings_acks += ack;
        break;
    case NGHTTP2_RST_STREAM:
        counts->resets++;
        counts->reset_code = frame->rst_stream.error_code;
        break;
    case NGHTTP2_GOAWAY:
        counts->goaways++;
        counts->goaway_code = frame->goaway.error_code;
        break;
    default:
        break;
    }
    return 0;
}

static int on_invalid(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
    struct h2_server *server = user;

    (void)session;
    (void)frame;
    server->counts->invalid += error != NGHTTP2_ERR_REFUSED_STREAM;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct request *request = nghttp2_session_get_stream_user_data(session, stream);

    (void)code;
    (void)user;
    if (request)
        request_free(request);
    return 0;
}

/* --- what tests call --------------------------------------------------------------------------- */

static nghttp2_session *session_new(struct h2_server *server)
{
    nghttp2_session *session;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    CU_ASSERT_FATAL(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    CU_ASSERT_FATAL(nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_auto_window_update(option, server->options.stuck);
    nghttp2_option_set_no_auto_ping_ack(option, server->options.no_ping_acks);
    CU_ASSERT_FATAL(nghttp2_session_server_new2(&session, callbacks, server, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

struct h2_server *h2_server_new(const struct h2_server_options *options,
                                const struct h2_server_io *io)
{
    struct h2_server *server = calloc(1, sizeof *server);

    CU_ASSERT_FATAL(server && options->counts);
    server->options = *options;
    server->counts = options->counts;
    server->io = *io;
    server->no_more = NO_STREAM;
    ski_mem_init(&server->mem, NULL);
    ski_list_init(&server->requests);
    ski_list_init(&server->heard);
    ski_list_init(&server->waiting);
    server->session = session_new(server);
    /* First in its queue, whenever that is sent. */
    CU_ASSERT_FATAL(nghttp2_submit_settings(server->session, 0, server->options.settings,
                                            server->options.n_settings) == 0);
    return server;
}

void h2_server_free(struct h2_server *server)
{
    if (!server)
        return;
    while (!ski_list_empty(&server->requests))
        request_free(SKI_CONTAINER(server->requests.next, struct request, all));
    nghttp2_session_del(server->session);
    free(server);
}

void h2_server_begin(struct h2_server *server)
{
    const char *greeting = server->options.greeting;

    if (greeting)
        server->io.send(server->io.user, greeting, strlen(greeting));
    else if (!server->options.late)
        h2_server_greet(server);
}

void h2_server_greet(struct h2_server *server)
{
    server->greeted = true;
    settle(server);
}

void h2_server_receive(struct h2_server *server, const void *bytes, size_t length)
{
    if (server->ended || server->options.greeting)
        return;
    if (nghttp2_session_mem_recv(server->session, bytes, length) < 0) {
        server->counts->invalid++;
        server->then = H2_CUT;
    }
    settle(server);
}

unsigned h2_server_waiting(const struct h2_server *server)
{
    const struct ski_list *node = server->waiting.next;
    unsigned n = 0;

    for (; node != &server->waiting; node = node->next)
        n++;
    return n;
}

void h2_server_answer(struct h2_server *server, unsigned n)
{
    for (; n > 0 && !ski_list_empty(&server->waiting); n--)
        answer(first_of(&server->waiting));
    settle(server);
}

void h2_server_reset(struct h2_server *server, uint32_t code)
{
    struct request *request = first_of(&server->waiting);

    CU_ASSERT_FATAL(!ski_list_empty(&server->waiting));
    ski_list_remove(&request->queue);
    nghttp2_submit_rst_stream(server->session, 0, request->stream, code);
    settle(server);
}

void h2_server_more(struct h2_server *server, size_t bytes)
{
    struct ski_list *node = server->requests.next;

    for (; node != &server->requests; node = node->next) {
        struct request *request = SKI_CONTAINER(node, struct request, all);

        if (request->sent == request->length || request->allowed == SIZE_MAX)
            continue;
        request->allowed += bytes;
        nghttp2_session_resume_data(server->session, request->stream);
    }
    settle(server);
}

void h2_server_set(struct h2_server *server, int32_t id, uint32_t value)
{
    CU_ASSERT_EQUAL(
        nghttp2_submit_settings(server->session, 0, &(nghttp2_settings_entry){id, value}, 1), 0);
    settle(server);
}

void h2_server_goaway(struct h2_server *server, int32_t last, uint32_t code, const char *debug)
{
    leave(server, last < 0 ? server->last : last, code, debug);
    settle(server);
}

void h2_server_play(struct h2_server *server, const char *script)
{
    const struct h2_script *found = h2_script_find(script);

    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    play(server, found, 0);
    settle(server);
}

void h2_server_end(struct h2_server *server, enum h2_ending how)
{
    server->then = how;
    settle(server);
}
