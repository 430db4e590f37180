/* resolver.h - names to addresses by c-ares on the caller's loop.  The only door to c-ares.
 *
 * All addresses of a name are kept, for 60 s; when a later look-up fails, the old list is used
 * again.  Look-ups of the same name share one query.  A numeric host needs none, nor does
 * "localhost" (RFC 6761: always the loopback addresses).  c-ares exists only while somebody waits
 * for a query, so nothing of it keeps the loop alive, and each start reads the system's current
 * configuration. */
#ifndef SKI_NET_RESOLVER_H
#define SKI_NET_RESOLVER_H

#include "base/failure.h"
#include "base/loop.h"
#include <sys/socket.h>

#define SKI_MAX_ADDRESSES 16

struct ski_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

struct ski_addresses {
    unsigned count;
    struct ski_address list[SKI_MAX_ADDRESSES]; /* IPv6 and IPv4 alternate, as RFC 8305 asks */
};

struct ski_resolver;

/* One look-up; embedded in whoever asks, zeroed before its first use. */
struct ski_lookup {
    struct ski_list link;          /* private, and so are the next two */
    struct ski_resolver *resolver; /* NULL: not waiting */
    uint16_t port;
    /* From the loop, never from inside ski_resolve().  `addresses` is borrowed until it returns and
     * NULL exactly when it failed. */
    void (*done)(struct ski_lookup *lookup, const struct ski_addresses *addresses,
                 const struct ski_failure *failure);
};

/* `servers`: "127.0.0.1:5300,…" or NULL for the system's; copied.  Its timeouts run on ski_timer:
 * whoever waits has to hold the loop.  SCALEKIT_ERR_INVALID: c-ares does not understand them. */
scalekit_err ski_resolver_new(struct ski_resolver **out, struct ski_loop *loop,
                              const char *servers);
void ski_resolver_free(struct ski_resolver *resolver); /* no look-up may be pending */

/* Asks.  `host` is a name, or an IPv4 or IPv6 literal without brackets; copied.
 * SCALEKIT_ERR_NOMEM: it does not wait, `done` will not run. */
scalekit_err ski_resolve(struct ski_resolver *resolver, const char *host, uint16_t port,
                         struct ski_lookup *lookup);
void ski_lookup_cancel(struct ski_lookup *lookup); /* `done` will not run; harmless when it has */

#endif
