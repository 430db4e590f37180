/* connection_driver.h - a protocol as spoken on a connection's stream; for connection*.c only.
 *
 * A driver tells what happens by the functions at the end, and only from the loop.  After one of
 * those that say so, neither the connection nor the driver's own state may exist any more. */
#ifndef SKI_HTTP_CONNECTION_DRIVER_H
#define SKI_HTTP_CONNECTION_DRIVER_H

#include "http/connection.h"

struct ski_connection_driver {
    bool multiplexed;
    /* The stream has opened: sets connection->protocol.  false: out of memory. */
    bool (*open)(struct ski_connection *connection);
    /* Exchanges still on it are forgotten. */
    void (*free)(struct ski_connection *connection);

    unsigned (*room)(const struct ski_connection *connection);
    unsigned (*load)(const struct ski_connection *connection);
    bool (*is_leaving)(const struct ski_connection *connection);
    void (*start)(struct ski_connection *connection, struct ski_exchange *exchange);
    void (*cancel)(struct ski_connection *connection, struct ski_exchange *exchange);
    void (*transfer)(struct ski_connection *connection, struct ski_exchange *exchange);

    /* What the stream tells. */
    void (*received)(struct ski_connection *connection, const char *bytes, size_t length);
    void (*drained)(struct ski_connection *connection);
    /* It has ended; NULL: in good order. */
    void (*closed)(struct ski_connection *connection, const struct ski_failure *failure);
    /* The stream is about to be closed: the last chance to see what has left. */
    void (*closing)(struct ski_connection *connection);
    /* Every exchange it carries is done, failed. */
    void (*lose)(struct ski_connection *connection, const struct ski_failure *failure);
};

extern const struct ski_connection_driver ski_connection_h1, ski_connection_h2;

struct ski_connection {
    struct ski_loop *loop;
    struct ski_stream *stream; /* NULL when it is about to end */
    const char *authority;
    bool secure; /* https */
    const struct ski_connection_handler *handler;
    void *user;
    const struct ski_connection_driver *driver; /* NULL: the stream has not opened */
    void *protocol;                             /* the driver's */
    bool opened;                                /* it has been ready */

    struct ski_task ending;
    struct ski_failure failure; /* why it is about to end */
};

/* It can carry exchanges, or other ones than before. */
void ski_connection_tell_ready(struct ski_connection *connection);
/* From the loop: loses what it carries, and is gone. */
void ski_connection_end(struct ski_connection *connection, const struct ski_failure *failure);
/* The same from anywhere; connection->failure has been set. */
void ski_connection_end_later(struct ski_connection *connection);

#endif
