#include "net/stream_driver.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool start(struct ski_stream *stream)
{
    (void)stream;
    return true;
}

static void stop(struct ski_stream *stream, bool orderly)
{
    (void)stream;
    (void)orderly; /* the FIN says it */
}

static enum ski_io open_at_once(struct ski_stream *stream, char alpn[SKI_ALPN_SIZE])
{
    (void)stream;
    alpn[0] = '\0';
    return SKI_IO_DONE;
}

static enum ski_io outcome(ssize_t result, enum ski_io want, size_t *length)
{
    if (result < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? want : SKI_IO_FAILED;
    *length = (size_t)result;
    return SKI_IO_DONE;
}

static enum ski_io read_bytes(struct ski_stream *stream, char *bytes, size_t size, size_t *length)
{
    ssize_t result;

    do
        result = recv(stream->fd, bytes, size, 0);
    while (result < 0 && errno == EINTR);
    return result == 0 ? SKI_IO_END : outcome(result, SKI_IO_WANT_READ, length);
}

static enum ski_io write_bytes(struct ski_stream *stream, const char *bytes, size_t size,
                               size_t *length)
{
    ssize_t result;

    do
        result = send(stream->fd, bytes, size, MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    return outcome(result, SKI_IO_WANT_WRITE, length);
}

static bool has_pending(const struct ski_stream *stream)
{
    (void)stream;
    return false;
}

static void describe(const struct ski_stream *stream, struct ski_failure *failure)
{
    char text[128];

    ski_fail(failure, SCALEKIT_ERR_NETWORK, stream->phase, "%s",
             strerror_r(errno, text, sizeof text));
}

static bool is_stale(struct ski_stream *stream)
{
    bool bytes;

    return ski_socket_ended(stream->fd, &bytes) || bytes;
}

const struct ski_stream_driver ski_stream_plain = {
    .start = start,
    .stop = stop,
    .open = open_at_once,
    .read = read_bytes,
    .write = write_bytes,
    .has_pending = has_pending,
    .describe = describe,
    .is_stale = is_stale,
};
