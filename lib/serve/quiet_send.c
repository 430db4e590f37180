#include "serve/quiet_send.h"
#include <errno.h>
#include <event2/buffer.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MAX_PIECES 16

bool ski_quiet_send(evutil_socket_t fd, struct evbuffer *out)
{
    while (evbuffer_get_length(out)) {
        struct evbuffer_iovec pieces[MAX_PIECES];
        int n = evbuffer_peek(out, -1, NULL, pieces, MAX_PIECES);
        struct msghdr message = {.msg_iov = pieces};
        ssize_t sent;

        message.msg_iovlen = (size_t)(n < MAX_PIECES ? n : MAX_PIECES);
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (sent < 0) {
            evbuffer_drain(out, evbuffer_get_length(out));
            return false;
        }
        evbuffer_drain(out, (size_t)sent);
    }
    return true;
}
