/* Design.  The driver's state is the SSL.  It reads ahead: one read(2) takes in as many records as
 * have come, so the SSL may have bytes although the socket has none (has_pending).
 *
 * OpenSSL keeps its errors per thread until somebody asks: each operation begins with none, and
 * whoever sees one fail describes it before the next. */
#include "net/stream_driver.h"
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#define RECORD_SIZE 16384 /* the most that one record holds */

static SSL *ssl_of(const struct ski_stream *stream)
{
    return stream->io;
}

static SSL *begin(const struct ski_stream *stream)
{
    ERR_clear_error();
    errno = 0;
    return ssl_of(stream);
}

static enum ski_io outcome(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_NONE:
        return SKI_IO_DONE;
    case SSL_ERROR_WANT_READ:
        return SKI_IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return SKI_IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return SKI_IO_END;
    default:
        return SKI_IO_FAILED;
    }
}

static bool start(struct ski_stream *stream)
{
    stream->io = ski_tls_ssl_new(stream->tls, stream->fd);
    return stream->io != NULL;
}

/* Orderly is one close_notify, if the kernel takes it; the peer's is not waited for. */
static void stop(struct ski_stream *stream, bool orderly)
{
    SSL *ssl = begin(stream);

    if (orderly)
        SSL_shutdown(ssl);
    ski_tls_ssl_retire(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

static enum ski_io shake_hands(struct ski_stream *stream, char alpn[SKI_ALPN_SIZE])
{
    SSL *ssl = begin(stream);
    const unsigned char *protocol = NULL;
    enum ski_io io = outcome(ssl, SSL_do_handshake(ssl));
    unsigned length = 0;

    if (io == SKI_IO_END)
        return SKI_IO_FAILED; /* no good order before there is a connection */
    if (io == SKI_IO_DONE) {
        SSL_get0_alpn_selected(ssl, &protocol, &length);
        if (length)
            memcpy(alpn, protocol, length);
        alpn[length] = '\0';
    }
    return io;
}

static enum ski_io read_bytes(struct ski_stream *stream, char *bytes, size_t size, size_t *length)
{
    SSL *ssl = begin(stream);

    return outcome(ssl, SSL_read_ex(ssl, bytes, size, length));
}

static enum ski_io write_bytes(struct ski_stream *stream, const char *bytes, size_t size,
                               size_t *length)
{
    SSL *ssl = begin(stream);
    enum ski_io io =
        outcome(ssl, SSL_write_ex(ssl, bytes, size < RECORD_SIZE ? size : RECORD_SIZE, length));

    return io == SKI_IO_END ? SKI_IO_FAILED : io;
}

static bool has_pending(const struct ski_stream *stream)
{
    return SSL_has_pending(ssl_of(stream));
}

static void describe(const struct ski_stream *stream, struct ski_failure *failure)
{
    ski_tls_describe(ssl_of(stream), stream->phase, failure);
}

/* Bytes that came may be no more than a session ticket: OpenSSL takes those in. */
static bool is_stale(struct ski_stream *stream)
{
    bool bytes;
    char byte;
    SSL *ssl;

    if (ski_socket_ended(stream->fd, &bytes))
        return true;
    if (!bytes && !has_pending(stream))
        return false;
    ssl = begin(stream);
    bytes = outcome(ssl, SSL_peek(ssl, &byte, 1)) != SKI_IO_WANT_READ;
    ERR_clear_error();
    return bytes;
}

const struct ski_stream_driver ski_stream_tls = {
    .start = start,
    .stop = stop,
    .open = shake_hands,
    .read = read_bytes,
    .write = write_bytes,
    .has_pending = has_pending,
    .describe = describe,
    .is_stale = is_stale,
};
