/* quiet_send.h - a buffer of libevent's to a socket, as libevent would with writev(), but without
 * SIGPIPE. */
#ifndef SKI_SERVE_QUIET_SEND_H
#define SKI_SERVE_QUIET_SEND_H

#include <event2/util.h>
#include <stdbool.h>

struct evbuffer;

/* Sends what the socket takes now; the rest stays.
 * False: the connection is broken, and what was to be sent is dropped. */
bool ski_quiet_send(evutil_socket_t fd, struct evbuffer *out);

#endif
