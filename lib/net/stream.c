/* Design.  Whatever wakes a stream (its socket, its task) goes one way: send what may be sent, read
 * what may be read, then settle what to wait for next.  `reading` and `writing` say what each
 * direction waits for; mostly its own, but TLS may have to write before it can read, and the other
 * way round.  A handler may close the stream, so every function that runs one returns whether the
 * stream is still there, and its callers return at once when it is not.
 *
 * Writes are collected, and the task sends them at the end of the turn; the kernel's refusal then
 * hands them to EV_WRITE.  Bytes that TLS has read ahead raise no event: wherever reading stops before
 * they are used up, or starts again, the task sees to them. */
#include "net/stream_driver.h"
#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

#define READ_SIZE     16384
#define READ_A_TURN   (256 * 1024) /* then others have their turn */
#define WRITE_A_TURN  (1024 * 1024)
#define TURNS_AT_END  64             /* of reading: more than the kernel holds */
#define KEPT_CAPACITY 16384          /* of `unsent`, from one batch to the next */
#define MAX_UNSENT    (SIZE_MAX / 4) /* what is sent was limited where it was made */

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

static bool tell_opened(struct ski_stream *stream, const char *alpn)
{
    stream->opened = true;
    stream->phase = SCALEKIT_PHASE_SEND;
    enter(stream);
    stream->handler->opened(stream->user, alpn);
    return leave(stream);
}

static bool tell_received(struct ski_stream *stream, const char *bytes, size_t length)
{
    enter(stream);
    stream->handler->received(stream->user, bytes, length);
    return leave(stream);
}

static bool tell_drained(struct ski_stream *stream)
{
    enter(stream);
    stream->handler->drained(stream->user);
    return leave(stream);
}

static void forget_event(struct event **event)
{
    if (*event)
        event_free(*event);
    *event = NULL;
}

/* Gives everything back but the structure, and the number of bytes unsent. */
static void take_down(struct ski_stream *stream, bool failed)
{
    size_t unsent = ski_stream_unsent(stream);

    ski_lookup_cancel(&stream->lookup);
    if (stream->connector)
        ski_connector_cancel(stream->connector);
    stream->connector = NULL;
    ski_task_cancel(&stream->work);
    forget_event(&stream->readable);
    forget_event(&stream->writable);
    if (stream->driver)
        stream->driver->stop(stream, stream->opened && !failed && !unsent);
    stream->driver = NULL;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    ski_buf_free(&stream->unsent);
    stream->left_behind = unsent;
}

/* `failure` NULL: in good order. */
static void end(struct ski_stream *stream, const struct ski_failure *failure)
{
    take_down(stream, failure != NULL);
    enter(stream);
    stream->handler->closed(stream->user, failure);
    leave(stream);
}

static void end_without_memory(struct ski_stream *stream)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NOMEM, stream->phase, "out of memory");
    end(stream, &failure);
}

/* --- waiting ----------------------------------------------------------------------------------- */

static bool watch(struct ski_stream *stream, struct event *event, short kind, bool wanted)
{
    if (wanted == !!(stream->watched & kind))
        return true;
    if ((wanted ? event_add(event, NULL) : event_del(event)) < 0)
        return false;
    stream->watched ^= kind;
    return true;
}

/* Waits for what `reading` and `writing` say.  A pause counts only once it has opened.  false: out
 * of memory. */
static bool watch_socket(struct ski_stream *stream)
{
    enum ski_io reading = stream->opened && stream->paused ? SKI_IO_DONE : stream->reading;
    enum ski_io writing = stream->writing;

    return watch(stream, stream->readable, EV_READ,
                 reading == SKI_IO_WANT_READ || writing == SKI_IO_WANT_READ) &&
           watch(stream, stream->writable, EV_WRITE,
                 reading == SKI_IO_WANT_WRITE || writing == SKI_IO_WANT_WRITE);
}

static void settle(struct ski_stream *stream)
{
    if (!watch_socket(stream))
        end_without_memory(stream);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Collects what is there, of as many records as fit.  Returns how the last read went; bytes may
 * have come before it. */
static enum ski_io fill(struct ski_stream *stream, char *bytes, size_t *length,
                        struct ski_failure *failure)
{
    const struct ski_stream_driver *driver = stream->driver;
    enum ski_io io;
    size_t more;

    *length = 0;
    do {
        io = driver->read(stream, bytes + *length, READ_SIZE - *length, &more);
        if (io == SKI_IO_DONE)
            *length += more;
    } while (io == SKI_IO_DONE && *length < READ_SIZE && driver->has_pending(stream));
    if (io == SKI_IO_FAILED)
        driver->describe(stream, failure);
    return io;
}

/* Hands over what has come, until there is no more or it is others' turn.  *io is how the last read
 * went, DONE if more may be there.  false: the stream is gone. */
static bool take(struct ski_stream *stream, enum ski_io *io, struct ski_failure *failure)
{
    size_t length, total = 0;
    char bytes[READ_SIZE];
    bool alive = true;

    do {
        *io = fill(stream, bytes, &length, failure);
        total += length;
        if (length) {
            alive = tell_received(stream, bytes, length);
            ski_cleanse(bytes, length);
        }
    } while (alive && !stream->paused && *io == SKI_IO_DONE && length == READ_SIZE &&
             total < READ_A_TURN);
    return alive;
}

/* false: the stream is gone. */
static bool read_on(struct ski_stream *stream)
{
    struct ski_failure failure;
    enum ski_io io;

    if (!take(stream, &io, &failure))
        return false;
    switch (io) {
    case SKI_IO_DONE:
        stream->reading = SKI_IO_WANT_READ;
        if (stream->driver->has_pending(stream))
            ski_task_defer(stream->loop, &stream->work);
        return true;
    case SKI_IO_WANT_READ:
    case SKI_IO_WANT_WRITE:
        stream->reading = io;
        return true;
    case SKI_IO_END:
        end(stream, NULL);
        return false;
    case SKI_IO_FAILED:
        break;
    }
    end(stream, &failure);
    return false;
}

/* --- writing ----------------------------------------------------------------------------------- */

/* An answer given before the peer stopped listening is still handed over. */
static void fail_writing(struct ski_stream *stream)
{
    struct ski_failure failure, ignored;
    enum ski_io io = SKI_IO_DONE;

    stream->driver->describe(stream, &failure);
    for (int i = 0; i < TURNS_AT_END && !stream->paused && io == SKI_IO_DONE; i++)
        if (!take(stream, &io, &ignored))
            return;
    end(stream, &failure);
}

/* Sends what the kernel takes.  false: the stream is gone. */
static bool flush(struct ski_stream *stream)
{
    struct ski_buf *unsent = &stream->unsent;
    size_t length, left = WRITE_A_TURN;
    enum ski_io io = SKI_IO_DONE;

    while (io == SKI_IO_DONE && stream->sent < unsent->length && left) {
        size_t size = unsent->length - stream->sent;

        io = stream->driver->write(stream, unsent->data + stream->sent, size < left ? size : left,
                                   &length);
        if (io == SKI_IO_DONE) {
            stream->sent += length;
            left -= length;
        }
    }
    if (io == SKI_IO_FAILED) {
        fail_writing(stream);
        return false;
    }
    if (stream->sent < unsent->length) {
        stream->writing = io == SKI_IO_DONE ? SKI_IO_WANT_WRITE : io;
        return true;
    }
    stream->writing = SKI_IO_DONE;
    stream->sent = 0;
    if (unsent->capacity > KEPT_CAPACITY)
        ski_buf_free(unsent);
    else
        ski_buf_clear(unsent);
    return tell_drained(stream);
}

bool ski_stream_write(struct ski_stream *stream, const void *bytes, size_t length)
{
    struct ski_buf *unsent = &stream->unsent;

    if (!stream->opened || !stream->driver || !length)
        return true;
    /* What was sent makes room, once that moves no more bytes than it frees. */
    if (length > unsent->capacity - unsent->length &&
        stream->sent >= unsent->length - stream->sent) {
        ski_buf_drop(unsent, stream->sent);
        stream->sent = 0;
    }
    if (!ski_buf_reserve(unsent, length)) {
        unsent->failed = SKI_BUF_OK; /* what was queued before still leaves */
        return false;
    }
    ski_buf_add(unsent, bytes, length);
    if (stream->writing == SKI_IO_DONE)
        ski_task_defer(stream->loop, &stream->work);
    return true;
}

size_t ski_stream_unsent(const struct ski_stream *stream)
{
    return stream->driver ? stream->unsent.length - stream->sent : stream->left_behind;
}

/* --- both -------------------------------------------------------------------------------------- */

static void go_on(struct ski_stream *stream, bool may_read, bool may_write)
{
    if (may_write && !flush(stream))
        return;
    if (!stream->paused && (may_read || stream->driver->has_pending(stream)) && !read_on(stream))
        return;
    settle(stream);
}

static void on_work(struct ski_task *task)
{
    struct ski_stream *stream = SKI_CONTAINER(task, struct ski_stream, work);

    go_on(stream, false, stream->writing == SKI_IO_DONE && stream->unsent.length);
}

static void shake_hands(struct ski_stream *stream)
{
    struct ski_failure failure;
    char alpn[SKI_ALPN_SIZE];
    enum ski_io io = stream->driver->open(stream, alpn);

    switch (io) {
    case SKI_IO_DONE:
        stream->reading = SKI_IO_WANT_READ;
        if (tell_opened(stream, alpn))
            go_on(stream, false, false);
        break;
    case SKI_IO_WANT_READ:
    case SKI_IO_WANT_WRITE:
        stream->reading = io;
        settle(stream);
        break;
    case SKI_IO_END:
    case SKI_IO_FAILED:
        stream->driver->describe(stream, &failure);
        end(stream, &failure);
        break;
    }
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    enum ski_io ready = what & EV_READ ? SKI_IO_WANT_READ : SKI_IO_WANT_WRITE;
    struct ski_stream *stream = user;

    (void)fd;
    if (stream->opened)
        go_on(stream, stream->reading == ready, stream->writing == ready);
    else
        shake_hands(stream);
}

/* --- opening ----------------------------------------------------------------------------------- */

static bool start(struct ski_stream *stream, const struct ski_stream_driver *driver)
{
    struct event_base *base = stream->loop->base;

    stream->readable = event_new(base, stream->fd, EV_READ | EV_PERSIST, on_event, stream);
    stream->writable = event_new(base, stream->fd, EV_WRITE | EV_PERSIST, on_event, stream);
    if (!stream->readable || !stream->writable || !driver->start(stream))
        return false;
    stream->driver = driver;
    return true;
}

static void on_connected(void *user, int fd, const struct ski_failure *failure)
{
    struct ski_stream *stream = user;

    stream->connector = NULL;
    if (failure) {
        end(stream, failure);
        return;
    }
    stream->fd = fd;
    stream->phase = stream->tls ? SCALEKIT_PHASE_TLS : SCALEKIT_PHASE_SEND;
    if (start(stream, stream->tls ? &ski_stream_tls : &ski_stream_plain))
        shake_hands(stream);
    else
        end_without_memory(stream);
}

static void on_resolved(struct ski_lookup *lookup, const struct ski_addresses *addresses,
                        const struct ski_failure *failure)
{
    struct ski_stream *stream = SKI_CONTAINER(lookup, struct ski_stream, lookup);

    if (failure) {
        end(stream, failure);
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
    ski_buf_init(&stream->unsent, &loop->mem, MAX_UNSENT);
    ski_task_init(&stream->work, on_work);
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
    take_down(stream, false);
    stream->closed = true;
    if (!stream->inside)
        ski_free(&stream->loop->mem, stream);
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
    if (!stream->opened || !stream->driver)
        return;
    if (paused && !stream->unsent.length)
        ski_buf_free(&stream->unsent);
    if (!watch_socket(stream) || (!paused && stream->driver->has_pending(stream)))
        ski_task_defer(stream->loop, &stream->work);
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
