/* Design.  A bufferevent does the shaking of hands, the records and the blocking of each direction
 * on the other.  Its callbacks run deep inside it, where the SSL must not be freed; so they only
 * note what happened, and a task of ours tells the handlers.  Then a handler may close the stream
 * and everything goes at once: bufferevent_free() takes its events out of the loop immediately and
 * touches neither the SSL nor the descriptor any more, for it was made without
 * BEV_OPT_CLOSE_ON_FREE.  Its own memory, and with it the bytes a handler may still be looking at,
 * it gives back in the next turn. */
#include "net/stream_driver.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <string.h>

struct tls {
    struct ski_stream *stream;
    SSL *ssl;
    struct bufferevent *bev;
    struct ski_task tell;
    bool connected, drained, ended;    /* what happened and has not been told */
    const struct ski_failure *failure; /* of the end; NULL: in good order */
    struct ski_failure failed;
};

static struct tls *tls_of(const struct ski_stream *stream)
{
    return stream->io;
}

/* --- what happens ------------------------------------------------------------------------------ */

static void on_read(struct bufferevent *bev, void *user)
{
    struct tls *tls = user;

    (void)bev;
    ski_task_defer(tls->stream->loop, &tls->tell);
}

static void on_written(struct bufferevent *bev, void *user)
{
    struct tls *tls = user;

    (void)bev;
    tls->drained = true;
    ski_task_defer(tls->stream->loop, &tls->tell);
}

/* The oldest of OpenSSL's errors: the one the others follow from.  libevent keeps them newest first,
 * and among them what SSL_get_error() returned. */
static unsigned long oldest_error(struct bufferevent *bev)
{
    unsigned long oldest = 0, error;

    while ((error = bufferevent_get_openssl_error(bev)))
        if (ERR_GET_LIB(error))
            oldest = error;
    return oldest;
}

static void on_event(struct bufferevent *bev, short what, void *user)
{
    struct tls *tls = user;

    if (tls->ended)
        return;
    if (what & BEV_EVENT_CONNECTED) {
        tls->connected = true;
    } else {
        tls->ended = true;
        if (what & BEV_EVENT_EOF)
            errno = 0; /* a close_notify; it fails a handshake all the same */
        if (!tls->connected || !(what & BEV_EVENT_EOF)) {
            ski_tls_describe(tls->ssl, oldest_error(bev),
                             tls->connected ? SCALEKIT_PHASE_SEND : SCALEKIT_PHASE_TLS,
                             &tls->failed);
            tls->failure = &tls->failed;
        }
    }
    ski_task_defer(tls->stream->loop, &tls->tell);
}

/* --- telling it -------------------------------------------------------------------------------- */

static bool tell_opened(struct tls *tls)
{
    const unsigned char *protocol = NULL;
    unsigned length = 0;
    char alpn[256];

    SSL_get0_alpn_selected(tls->ssl, &protocol, &length);
    if (length)
        memcpy(alpn, protocol, length); /* its length is one byte on the wire */
    alpn[length] = '\0';
    if (!tls->stream->paused)
        bufferevent_enable(tls->bev, EV_READ);
    return ski_stream_opened(tls->stream, alpn);
}

/* Chunk by chunk as they lie there, without copying. */
static bool tell_received(struct tls *tls)
{
    struct evbuffer *input = bufferevent_get_input(tls->bev);
    size_t length;

    while (!tls->stream->paused && (length = evbuffer_get_contiguous_space(input))) {
        const char *bytes = (const char *)evbuffer_pullup(input, (ev_ssize_t)length);

        if (!ski_stream_received(tls->stream, bytes, length))
            return false;
        evbuffer_drain(input, length);
    }
    return true;
}

static bool tell_drained(struct tls *tls)
{
    if (!tls->drained || evbuffer_get_length(bufferevent_get_output(tls->bev)))
        return true;
    tls->drained = false;
    return ski_stream_drained(tls->stream);
}

static void on_tell(struct ski_task *task)
{
    struct tls *tls = SKI_CONTAINER(task, struct tls, tell);

    if (tls->connected && !tls->stream->opened && !tell_opened(tls))
        return;
    if (!tell_received(tls) || !tell_drained(tls))
        return;
    if (tls->ended && !evbuffer_get_length(bufferevent_get_input(tls->bev)))
        ski_stream_ended(tls->stream, tls->failure);
}

/* --- the driver -------------------------------------------------------------------------------- */

static bool queue(struct ski_stream *stream, const void *bytes, size_t length)
{
    struct tls *tls = tls_of(stream);

    return tls->ended || bufferevent_write(tls->bev, bytes, length) == 0;
}

static size_t unsent(const struct ski_stream *stream)
{
    return evbuffer_get_length(bufferevent_get_output(tls_of(stream)->bev));
}

static void set_reading(struct ski_stream *stream)
{
    struct tls *tls = tls_of(stream);

    if (!tls->ended && stream->paused)
        bufferevent_disable(tls->bev, EV_READ);
    if (!tls->ended && !stream->paused)
        bufferevent_enable(tls->bev, EV_READ);
    if (!stream->paused && evbuffer_get_length(bufferevent_get_input(tls->bev)))
        ski_task_defer(stream->loop, &tls->tell);
}

/* Bytes in the socket may be no more than a session ticket: OpenSSL takes those in. */
static bool is_stale(struct ski_stream *stream)
{
    struct tls *tls = tls_of(stream);
    bool bytes, alive;
    char byte;

    if (tls->ended || evbuffer_get_length(bufferevent_get_input(tls->bev)) ||
        ski_socket_ended(stream->fd, &bytes))
        return true;
    if (!bytes)
        return false;
    ERR_clear_error();
    alive = SSL_get_error(tls->ssl, SSL_peek(tls->ssl, &byte, 1)) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return !alive;
}

static void stop(struct ski_stream *stream)
{
    struct tls *tls = tls_of(stream);

    ski_task_cancel(&tls->tell);
    if (tls->bev)
        bufferevent_free(tls->bev);
    if (tls->ssl) {
        ski_tls_ssl_retire(tls->ssl);
        SSL_free(tls->ssl);
    }
    ski_free(&stream->loop->mem, tls);
}

static bool start(struct ski_stream *stream)
{
    struct tls *tls = ski_zalloc(&stream->loop->mem, sizeof *tls);

    if (!tls)
        return false;
    stream->io = tls;
    tls->stream = stream;
    ski_task_init(&tls->tell, on_tell);
    tls->ssl = ski_tls_ssl_new(stream->tls, stream->fd);
    if (tls->ssl)
        tls->bev = bufferevent_openssl_socket_new(stream->loop->base, stream->fd, tls->ssl,
                                                  BUFFEREVENT_SSL_CONNECTING, 0);
    if (!tls->bev) {
        stop(stream);
        return false;
    }
    bufferevent_setcb(tls->bev, on_read, on_written, on_event, tls);
    return true;
}

const struct ski_stream_driver ski_stream_tls = {start, stop, queue, unsent, set_reading, is_stale};
