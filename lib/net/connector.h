/* connector.h - a TCP connection to any of several addresses.
 *
 * Attempts start 250 ms apart, or as soon as the one before has failed; the first that connects
 * wins and the others are closed (RFC 8305). */
#ifndef SKI_NET_CONNECTOR_H
#define SKI_NET_CONNECTOR_H

#include "net/resolver.h"

#define SKI_CONNECT_STAGGER_MS 250

struct ski_connector;

/* Starts; `addresses` are copied.  `done` runs from the loop, once: with a connected non-blocking
 * socket (yours: TCP_NODELAY, SO_KEEPALIVE, close-on-exec), or with -1 and the failure of the last
 * attempt; the connector is gone by then.  SCALEKIT_ERR_NOMEM: it was not started.
 *
 * The stagger runs on ski_timer: somebody has to hold the loop. */
scalekit_err ski_connect(struct ski_connector **out, struct ski_loop *loop,
                         const struct ski_addresses *addresses,
                         void (*done)(void *user, int fd, const struct ski_failure *failure),
                         void *user);
/* Closes every attempt; `done` will not run. */
void ski_connector_cancel(struct ski_connector *connector);

#endif
