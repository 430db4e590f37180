/* stream_driver.h - what carries a stream's bytes once its socket is connected; for stream*.c only.
 *
 * A driver tells what happens by the functions at the end, and only from the loop.  Those that
 * return bool ran a handler that may have closed the stream: after false, neither the stream nor
 * the driver's own state exists any more. */
#ifndef SKI_NET_STREAM_DRIVER_H
#define SKI_NET_STREAM_DRIVER_H

#include "net/connector.h"
#include "net/stream.h"

struct ski_stream_driver {
    /* Takes up stream->fd and sets stream->io, its state.  false: out of memory. */
    bool (*start)(struct ski_stream *stream);
    /* Gives everything back but the descriptor; no event of it may come afterwards. */
    void (*stop)(struct ski_stream *stream);
    bool (*write)(struct ski_stream *stream, const void *bytes, size_t length);
    size_t (*unsent)(const struct ski_stream *stream);
    /* stream->paused has changed. */
    void (*set_reading)(struct ski_stream *stream);
    bool (*is_stale)(struct ski_stream *stream);
};

extern const struct ski_stream_driver ski_stream_plain, ski_stream_tls;

struct ski_stream {
    struct ski_loop *loop;
    const struct ski_stream_handler *handler;
    void *user;
    struct ski_tls *tls;
    enum scalekit_phase phase;
    bool paused;
    bool opened;
    bool inside; /* a handler is running: the structure is freed when it returns */
    bool closed;

    struct ski_lookup lookup;
    struct ski_connector *connector;        /* NULL: not connecting */
    int fd;                                 /* -1: not connected */
    const struct ski_stream_driver *driver; /* NULL: not connected, or ended */
    void *io;                               /* the driver's */
    size_t left_behind;                     /* bytes unsent when it ended */
};

bool ski_stream_opened(struct ski_stream *stream, const char *alpn);
bool ski_stream_received(struct ski_stream *stream, const char *bytes, size_t length);
bool ski_stream_drained(struct ski_stream *stream);
/* Stops the driver first.  `failure` NULL: in good order. */
void ski_stream_ended(struct ski_stream *stream, const struct ski_failure *failure);

/* Whether the peer has closed or reset the socket, or (`bytes`) sent something, without taking it. */
bool ski_socket_ended(int fd, bool *bytes);

#endif
