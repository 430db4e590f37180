#include "net/stream_driver.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <string.h>
#include <sys/uio.h>

#define READ_SIZE      16384
#define READS_PER_TURN 16 /* then others have their turn */
#define WRITE_PIECES   16

struct plain {
    struct ski_stream *stream;
    struct event *readable, *writable; /* writable: only while the kernel takes no more */
    struct evbuffer *unsent;
    struct ski_task flush;
};

static struct plain *plain_of(const struct ski_stream *stream)
{
    return stream->io;
}

static bool would_block(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static void fail(struct plain *plain, int error)
{
    struct ski_failure failure;
    char text[128];

    ski_fail(&failure, SCALEKIT_ERR_NETWORK, plain->stream->phase, "%s",
             strerror_r(error, text, sizeof text));
    ski_stream_ended(plain->stream, &failure);
}

/* --- reading ----------------------------------------------------------------------------------- */

enum taken { TAKEN_ALL, TAKEN_UP_TO_END, TAKEN_UP_TO_ERROR, TAKEN_GONE };

/* Hands over what has arrived.  TAKEN_UP_TO_ERROR leaves errno, TAKEN_GONE nothing at all. */
static enum taken take(struct plain *plain)
{
    struct ski_stream *stream = plain->stream;
    char bytes[READ_SIZE];

    for (int i = 0; i < READS_PER_TURN && !stream->paused; i++) {
        ssize_t length = recv(stream->fd, bytes, sizeof bytes, 0);

        if (length == 0)
            return TAKEN_UP_TO_END;
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return would_block(errno) ? TAKEN_ALL : TAKEN_UP_TO_ERROR;
        if (!ski_stream_received(stream, bytes, (size_t)length))
            return TAKEN_GONE;
        if ((size_t)length < sizeof bytes)
            break;
    }
    return TAKEN_ALL;
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    struct plain *plain = user;

    (void)fd;
    (void)what;
    switch (take(plain)) {
    case TAKEN_ALL:
    case TAKEN_GONE:
        break;
    case TAKEN_UP_TO_END:
        ski_stream_ended(plain->stream, NULL);
        break;
    case TAKEN_UP_TO_ERROR:
        fail(plain, errno);
        break;
    }
}

static void set_reading(struct ski_stream *stream)
{
    if (stream->paused)
        event_del(plain_of(stream)->readable);
    else
        event_add(plain_of(stream)->readable, NULL);
}

/* --- writing ----------------------------------------------------------------------------------- */

/* 0: all sent; EAGAIN: as much as the kernel takes; else what went wrong. */
static int send_unsent(struct plain *plain)
{
    while (evbuffer_get_length(plain->unsent)) {
        struct evbuffer_iovec pieces[WRITE_PIECES];
        int n = evbuffer_peek(plain->unsent, -1, NULL, pieces, WRITE_PIECES);
        struct msghdr message = {.msg_iov = pieces,
                                 .msg_iovlen = (size_t)(n < WRITE_PIECES ? n : WRITE_PIECES)};
        ssize_t sent = sendmsg(plain->stream->fd, &message, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            return would_block(errno) ? EAGAIN : errno;
        if (sent > 0)
            evbuffer_drain(plain->unsent, (size_t)sent);
    }
    return 0;
}

/* An answer given before the peer stopped listening is still handed over. */
static void fail_writing(struct plain *plain, int error)
{
    if (take(plain) != TAKEN_GONE)
        fail(plain, error);
}

static void flush(struct plain *plain)
{
    int error;

    if (!evbuffer_get_length(plain->unsent))
        return;
    error = send_unsent(plain);
    if (error == 0)
        ski_stream_drained(plain->stream);
    else if (error != EAGAIN)
        fail_writing(plain, error);
    else if (event_add(plain->writable, NULL) < 0)
        fail_writing(plain, ENOMEM);
}

static void on_flush(struct ski_task *task)
{
    flush(SKI_CONTAINER(task, struct plain, flush));
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    flush(user);
}

static bool queue(struct ski_stream *stream, const void *bytes, size_t length)
{
    struct plain *plain = plain_of(stream);

    if (evbuffer_add(plain->unsent, bytes, length) < 0)
        return false;
    if (!event_pending(plain->writable, EV_WRITE, NULL))
        ski_task_defer(stream->loop, &plain->flush);
    return true;
}

static size_t unsent(const struct ski_stream *stream)
{
    return evbuffer_get_length(plain_of(stream)->unsent);
}

/* --- life -------------------------------------------------------------------------------------- */

static void stop(struct ski_stream *stream)
{
    struct plain *plain = plain_of(stream);

    ski_task_cancel(&plain->flush);
    if (plain->readable)
        event_free(plain->readable);
    if (plain->writable)
        event_free(plain->writable);
    if (plain->unsent)
        evbuffer_free(plain->unsent);
    ski_free(&stream->loop->mem, plain);
}

static bool start(struct ski_stream *stream)
{
    struct event_base *base = stream->loop->base;
    struct plain *plain = ski_zalloc(&stream->loop->mem, sizeof *plain);

    if (!plain)
        return false;
    stream->io = plain;
    plain->stream = stream;
    ski_task_init(&plain->flush, on_flush);
    plain->readable = event_new(base, stream->fd, EV_READ | EV_PERSIST, on_readable, plain);
    plain->writable = event_new(base, stream->fd, EV_WRITE, on_writable, plain);
    plain->unsent = evbuffer_new();
    if (plain->readable && plain->writable && plain->unsent &&
        (stream->paused || event_add(plain->readable, NULL) == 0))
        return true;
    stop(stream);
    return false;
}

static bool is_stale(struct ski_stream *stream)
{
    bool bytes;

    return ski_socket_ended(stream->fd, &bytes) || bytes;
}

const struct ski_stream_driver ski_stream_plain = {start,  stop,        queue,
                                                   unsent, set_reading, is_stale};
