/* stream.h - an ordered run of bytes both ways to one host: resolve, connect, and TLS or plain.
 *
 * The driver behind it can be replaced without anyone noticing: plain sockets with MSG_NOSIGNAL,
 * TLS by OpenSSL over such a socket.  Every handler runs from the loop, never from inside a call
 * below; a handler may close the stream. */
#ifndef SKI_NET_STREAM_H
#define SKI_NET_STREAM_H

#include "net/resolver.h"
#include "net/tls.h"

struct ski_stream;

struct ski_stream_handler {
    /* Ready for bytes.  `alpn` is the protocol that was chosen, "" for none. */
    void (*opened)(void *user, const char *alpn);
    /* Bytes came; borrowed until it returns, all of them are the handler's to deal with now. */
    void (*received)(void *user, const char *bytes, size_t length);
    /* Everything written has left for the kernel. */
    void (*drained)(void *user);
    /* The end, once; nothing follows.  `failure` is NULL when the peer ended it in good order (TLS:
     * close_notify; plain: FIN), and never after the other side truncated it.  Close it here. */
    void (*closed)(void *user, const struct ski_failure *failure);
};

struct ski_stream_target {
    const char *host; /* copied */
    uint16_t port;
    struct ski_tls *tls; /* NULL: plain */
    struct ski_resolver *resolver;
};

/* NULL: out of memory. */
struct ski_stream *ski_stream_open(struct ski_loop *loop, const struct ski_stream_target *target,
                                   const struct ski_stream_handler *handler, void *user);

/* Takes it down at once: descriptor, TLS, everything; no handler runs afterwards.  NULL is ignored. */
void ski_stream_close(struct ski_stream *stream);

/* Queues bytes; copied.  They leave together at the end of the turn.  Only once it has opened; after
 * the end they go nowhere.  false: out of memory. */
bool ski_stream_write(struct ski_stream *stream, const void *bytes, size_t length);
/* Bytes queued that are not yet the kernel's. */
size_t ski_stream_unsent(const struct ski_stream *stream);

/* What it is doing: RESOLVE, CONNECT, TLS; then SEND. */
enum scalekit_phase ski_stream_phase(const struct ski_stream *stream);

/* Reading can be paused (back-pressure), which also lets go of the loop: a paused stream with
 * nothing to write has no event pending. */
void ski_stream_pause(struct ski_stream *stream);
void ski_stream_resume(struct ski_stream *stream);

/* For a stream that was paused while idle: whether the peer has ended it, or sent bytes nobody
 * asked for.  Such a stream must not be used again. */
bool ski_stream_is_stale(struct ski_stream *stream);

#endif
