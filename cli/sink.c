#include "sink.h"
#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A pipe that is writable takes this much without waiting. */
#define MOST PIPE_BUF

/* The descriptor is the shell's, too: it must not be made non-blocking, so it is asked first. */
static bool takes_something(int fd)
{
    struct pollfd ask = {.fd = fd, .events = POLLOUT};

    return poll(&ask, 1, 0) > 0;
}

/* How much of it was taken. */
static size_t write_some(struct sink *sink, const char *bytes, size_t length)
{
    size_t done = 0;

    while (done < length && !sink->failure && takes_something(sink->fd)) {
        size_t left = length - done;
        ssize_t n = write(sink->fd, bytes + done, left < MOST ? left : MOST);

        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            sink->failure = errno;
    }
    return done;
}

static bool hold(struct sink *sink, const char *bytes, size_t length)
{
    if (sink->capacity < length) {
        char *larger = realloc(sink->held, length);

        if (!larger) {
            sink->failure = ENOMEM;
            return false;
        }
        sink->held = larger;
        sink->capacity = length;
    }
    memcpy(sink->held, bytes, length);
    sink->n = length;
    if (event_add(sink->writable, NULL) != 0)
        sink->failure = EIO;
    return !sink->failure;
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    struct sink *sink = user;
    size_t done = write_some(sink, sink->held, sink->n);

    (void)fd;
    (void)what;
    sink->n -= done;
    memmove(sink->held, sink->held + done, sink->n);
    if (sink->n && !sink->failure && event_add(sink->writable, NULL) != 0)
        sink->failure = EIO;
    if (!sink->n || sink->failure)
        sink->drained(sink->user);
}

bool sink_open(struct sink *sink, struct event_base *base, int fd, void (*drained)(void *user),
               void *user)
{
    *sink = (struct sink){.fd = fd, .drained = drained, .user = user};
    sink->writable = event_new(base, fd, EV_WRITE, on_writable, sink);
    return sink->writable;
}

void sink_close(struct sink *sink)
{
    if (sink->writable)
        event_free(sink->writable);
    free(sink->held);
    *sink = (struct sink){.fd = -1};
}

bool sink_write(struct sink *sink, const char *bytes, size_t length)
{
    size_t done = write_some(sink, bytes, length);

    if (done < length && !sink->failure)
        hold(sink, bytes + done, length - done);
    return !sink->failure && !sink->n;
}
