/* stream_driver.h - how bytes pass through a stream's connected socket; for stream*.c only.
 *
 * stream.c has the events, the batching, the order of things and the handlers; a driver only reads
 * and writes, never blocks, and never calls a handler. */
#ifndef SKI_NET_STREAM_DRIVER_H
#define SKI_NET_STREAM_DRIVER_H

#include "base/buf.h"
#include "net/connector.h"
#include "net/stream.h"

#define SKI_ALPN_SIZE 256 /* its length is one byte on the wire */

enum ski_io {
    SKI_IO_DONE,
    SKI_IO_WANT_READ,  /* not before the socket has more */
    SKI_IO_WANT_WRITE, /* not before the socket takes more */
    SKI_IO_END,        /* the peer ended it in good order; only read() says so */
    SKI_IO_FAILED      /* describe() says why, at once */
};

struct ski_stream_driver {
    /* Takes up stream->fd and sets stream->io, its state.  false: out of memory. */
    bool (*start)(struct ski_stream *stream);
    /* Gives everything back but the descriptor.  `orderly`: the peer may be told so, without
     * waiting. */
    void (*stop)(struct ski_stream *stream, bool orderly);
    /* Shakes hands, until DONE; then `alpn` is the protocol chosen, "" for none. */
    enum ski_io (*open)(struct ski_stream *stream, char alpn[SKI_ALPN_SIZE]);
    /* DONE: *length > 0 bytes came. */
    enum ski_io (*read)(struct ski_stream *stream, char *bytes, size_t size, size_t *length);
    /* DONE: *length > 0 bytes went.  After a WANT the same bytes are offered again, perhaps at
     * another address, perhaps with more behind them. */
    enum ski_io (*write)(struct ski_stream *stream, const char *bytes, size_t size, size_t *length);
    /* Whether read() may have something although the socket has not. */
    bool (*has_pending)(const struct ski_stream *stream);
    void (*describe)(const struct ski_stream *stream, struct ski_failure *failure);
    /* ski_stream_is_stale(), of a stream that is paused. */
    bool (*is_stale)(struct ski_stream *stream);
};

extern const struct ski_stream_driver ski_stream_plain, ski_stream_tls;

struct ski_stream {
    struct ski_loop *loop;
    const struct ski_stream_handler *handler;
    void *user;
    enum scalekit_phase phase;
    bool paused;
    bool opened;
    bool inside; /* a handler is running: the structure is freed when it returns */
    bool closed;

    struct ski_lookup lookup;
    struct ski_connector *connector; /* NULL: not connecting */

    struct ski_tls *tls;                    /* NULL: plain */
    const struct ski_stream_driver *driver; /* NULL: not connected, or ended */
    void *io;                               /* the driver's */
    int fd;                                 /* -1: not connected */

    struct event *readable, *writable;
    short watched;       /* which of them are in the loop: EV_READ, EV_WRITE */
    enum ski_io reading; /* the WANT that opening or reading waits for */
    enum ski_io writing; /* the WANT that keeps `unsent` here; DONE: nothing does */
    struct ski_buf unsent;
    size_t sent;          /* of `unsent`, those at the front that are the kernel's already */
    size_t left_behind;   /* bytes unsent when it ended */
    struct ski_task work; /* what is to be done without waiting for the socket */
};

/* Whether the peer has closed or reset the socket, or (`bytes`) sent something, without taking it. */
bool ski_socket_ended(int fd, bool *bytes);

#endif
