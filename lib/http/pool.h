/* pool.h - the connections of one client to its one host.
 *
 * An exchange goes to a connection that has room; otherwise it waits, in order, in a bounded queue.
 * With HTTP/1.1 every connection carries one, and as many are opened as wait, up to the limit.  With
 * HTTP/2 one connection carries hundreds: another is opened, up to 4, only when all are full.  Which
 * it is shows the first connection, and until then it is the only one.
 *
 * The connection used last is used next, so that surplus ones fall idle and are closed.  One that is
 * leaving (GOAWAY) finishes what it carries and does not count.  A failure to open fails all that
 * wait when there is no other connection to hope for, with `sent` false; else one of them with
 * HTTP/1.1, and with HTTP/2 none, but the next attempt is made a second later at the earliest.
 * A server that shakes hands and leaves before it could be asked is tried three times in a row. */
#ifndef SKI_HTTP_POOL_H
#define SKI_HTTP_POOL_H

#include "http/exchange.h"
#include "http/url.h"
#include "net/stream.h"

struct ski_pool;

struct ski_pool_config {
    const struct ski_url *url; /* borrowed, as are tls and resolver */
    struct ski_tls *tls;       /* NULL for http:// */
    struct ski_resolver *resolver;
    bool serial; /* HTTP/1.1 is all that can come of it: http://, or never HTTP/2 */
    unsigned max_connections, max_queue;
    int64_t connect_timeout_ms; /* until opened: resolve, connect and TLS together */
    int64_t idle_timeout_ms;
};

scalekit_err ski_pool_new(struct ski_pool **out, struct ski_loop *loop,
                          const struct ski_pool_config *config);
void ski_pool_free(struct ski_pool *pool); /* no exchange may be started */

/* Starts an exchange.  SCALEKIT_OK: `done` will run.  SCALEKIT_ERR_QUEUE_FULL, SCALEKIT_ERR_NOMEM:
 * it was not started. */
scalekit_err ski_pool_start(struct ski_pool *pool, struct ski_exchange *exchange);
/* Takes a started exchange back; `done` will not run. */
void ski_pool_cancel(struct ski_pool *pool, struct ski_exchange *exchange);
/* The owner of a started exchange has taken from its transfer, put into it, or paused it. */
void ski_pool_transfer(struct ski_pool *pool, struct ski_exchange *exchange);
/* What a started exchange is doing, connection set-up included. */
enum scalekit_phase ski_pool_phase(const struct ski_pool *pool,
                                   const struct ski_exchange *exchange);

/* Nothing is pending: idle connections let go of the loop with its next turn, and are looked at again
 * on waking. */
void ski_pool_sleep(struct ski_pool *pool);
void ski_pool_wake(struct ski_pool *pool);

/* What takes exchanges in place of connections: a service inside the process, for tests and for
 * simulations in virtual time.  Both bodies are whole: it must not be given a transfer. */
struct ski_carrier {
    /* Takes one on; its `link` is the carrier's until done.  Later, and never from inside this call,
     * the carrier fills in status, answer_headers and answer, and calls `done` once. */
    void (*start)(struct ski_carrier *carrier, struct ski_exchange *exchange);
    void (*cancel)(struct ski_carrier *carrier, struct ski_exchange *exchange);
};

/* Lets a carrier have every exchange from now on, at once: nothing waits, nothing is limited, no
 * connection is opened.  Before the first exchange; borrowed, it must outlive the pool. */
void ski_pool_use(struct ski_pool *pool, struct ski_carrier *carrier);

struct ski_pool_counts {
    unsigned open, opening, idle, leaving, waiting; /* open: all that carry or could carry */
    uint64_t opened_ever;
};
void ski_pool_count(const struct ski_pool *pool, struct ski_pool_counts *counts);

#endif
