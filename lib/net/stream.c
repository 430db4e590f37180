#include "net/stream_driver.h"
#include <errno.h>
#include <unistd.h>

/* --- handlers ---------------------------------------------------------------------------------- */

static void enter(struct ski_stream *stream)
{
    stream->inside = true;
}

/* false: the handler closed the stream, which is freed now that it has returned. */
static bool leave(struct ski_stream *stream)
{
    stream->inside = false;
    if (!stream->closed)
        return true;
    ski_free(&stream->loop->mem, stream);
    return false;
}

bool ski_stream_opened(struct ski_stream *stream, const char *alpn)
{
    stream->opened = true;
    stream->phase = SCALEKIT_PHASE_SEND;
    enter(stream);
    stream->handler->opened(stream->user, alpn);
    return leave(stream);
}

bool ski_stream_received(struct ski_stream *stream, const char *bytes, size_t length)
{
    enter(stream);
    stream->handler->received(stream->user, bytes, length);
    return leave(stream);
}

bool ski_stream_drained(struct ski_stream *stream)
{
    enter(stream);
    stream->handler->drained(stream->user);
    return leave(stream);
}

/* Gives everything back but the structure. */
static void take_down(struct ski_stream *stream)
{
    ski_lookup_cancel(&stream->lookup);
    if (stream->connector)
        ski_connector_cancel(stream->connector);
    stream->connector = NULL;
    if (stream->driver)
        stream->driver->stop(stream);
    stream->driver = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

void ski_stream_ended(struct ski_stream *stream, const struct ski_failure *failure)
{
    struct ski_failure copy; /* the driver's state goes before the handler runs */

    if (failure)
        copy = *failure;
    stream->left_behind = ski_stream_unsent(stream);
    take_down(stream);
    enter(stream);
    stream->handler->closed(stream->user, failure ? &copy : NULL);
    leave(stream);
}

/* --- opening ----------------------------------------------------------------------------------- */

static void end_without_memory(struct ski_stream *stream)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NOMEM, stream->phase, "out of memory");
    ski_stream_ended(stream, &failure);
}

static void on_connected(void *user, int fd, const struct ski_failure *failure)
{
    struct ski_stream *stream = user;

    stream->connector = NULL;
    if (failure) {
        ski_stream_ended(stream, failure);
        return;
    }
    stream->fd = fd;
    stream->phase = stream->tls ? SCALEKIT_PHASE_TLS : SCALEKIT_PHASE_SEND;
    stream->driver = stream->tls ? &ski_stream_tls : &ski_stream_plain;
    if (!stream->driver->start(stream)) {
        stream->driver = NULL;
        end_without_memory(stream);
    } else if (!stream->tls) {
        ski_stream_opened(stream, "");
    }
}

static void on_resolved(struct ski_lookup *lookup, const struct ski_addresses *addresses,
                        const struct ski_failure *failure)
{
    struct ski_stream *stream = SKI_CONTAINER(lookup, struct ski_stream, lookup);

    if (failure) {
        ski_stream_ended(stream, failure);
        return;
    }
    stream->phase = SCALEKIT_PHASE_CONNECT;
    if (ski_connect(&stream->connector, stream->loop, addresses, on_connected, stream) !=
        SCALEKIT_OK)
        end_without_memory(stream);
}

struct ski_stream *ski_stream_open(struct ski_loop *loop, const struct ski_stream_target *target,
                                   const struct ski_stream_handler *handler, void *user)
{
    struct ski_stream *stream = ski_zalloc(&loop->mem, sizeof *stream);

    if (!stream)
        return NULL;
    stream->loop = loop;
    stream->handler = handler;
    stream->user = user;
    stream->tls = target->tls;
    stream->phase = SCALEKIT_PHASE_RESOLVE;
    stream->fd = -1;
    stream->lookup.done = on_resolved;
    if (ski_resolve(target->resolver, target->host, target->port, &stream->lookup) != SCALEKIT_OK) {
        ski_free(&loop->mem, stream);
        return NULL;
    }
    return stream;
}

/* --- the rest ---------------------------------------------------------------------------------- */

void ski_stream_close(struct ski_stream *stream)
{
    if (!stream)
        return;
    take_down(stream);
    stream->closed = true;
    if (!stream->inside)
        ski_free(&stream->loop->mem, stream);
}

bool ski_stream_write(struct ski_stream *stream, const void *bytes, size_t length)
{
    if (!stream->opened || !stream->driver || !length)
        return true;
    return stream->driver->write(stream, bytes, length);
}

size_t ski_stream_unsent(const struct ski_stream *stream)
{
    return stream->driver ? stream->driver->unsent(stream) : stream->left_behind;
}

enum scalekit_phase ski_stream_phase(const struct ski_stream *stream)
{
    return stream->phase;
}

static void set_paused(struct ski_stream *stream, bool paused)
{
    if (stream->paused == paused)
        return;
    stream->paused = paused;
    if (stream->opened && stream->driver)
        stream->driver->set_reading(stream);
}

void ski_stream_pause(struct ski_stream *stream)
{
    set_paused(stream, true);
}

void ski_stream_resume(struct ski_stream *stream)
{
    set_paused(stream, false);
}

bool ski_stream_is_stale(struct ski_stream *stream)
{
    return !stream->opened || !stream->driver || stream->driver->is_stale(stream);
}

bool ski_socket_ended(int fd, bool *bytes)
{
    char byte;
    ssize_t length = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    *bytes = length > 0;
    return length == 0 || (length < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}
