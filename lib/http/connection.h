/* connection.h - one stream and the protocol spoken on it, as the pool sees it.
 *
 * HTTP/1.1 carries one exchange at a time, HTTP/2 many; ALPN decides when the stream opens. */
#ifndef SKI_HTTP_CONNECTION_H
#define SKI_HTTP_CONNECTION_H

#include "http/exchange.h"
#include "net/stream.h"

struct ski_connection;

struct ski_connection_handler {
    /* It opened, or what it can carry has changed: see room, load and leaving. */
    void (*ready)(void *user, struct ski_connection *connection);
    /* An exchange comes back that the server has not looked at: it is to go again. */
    void (*returned)(void *user, struct ski_connection *connection, struct ski_exchange *exchange);
    /* It ended.  Its exchanges are done already.  Nothing was ever carried when `opened` is false:
     * then `failure` says why it could not be opened.  Free it here. */
    void (*ended)(void *user, struct ski_connection *connection, bool opened,
                  const struct ski_failure *failure);
};

struct ski_connection *ski_connection_open(struct ski_loop *loop,
                                           const struct ski_stream_target *target,
                                           const char *authority,
                                           const struct ski_connection_handler *handler,
                                           void *user);
/* Exchanges still on it are forgotten, not done. */
void ski_connection_free(struct ski_connection *connection);

unsigned ski_connection_room(const struct ski_connection *connection); /* exchanges it can take */
unsigned ski_connection_load(const struct ski_connection *connection); /* exchanges it carries */
/* It will take no more, and ends with the last one it carries. */
bool ski_connection_is_leaving(const struct ski_connection *connection);
/* Whether it can carry many at a time; only once it has opened. */
bool ski_connection_is_multiplexed(const struct ski_connection *connection);
enum scalekit_phase ski_connection_phase(const struct ski_connection *connection);

/* Starts an exchange on it; room must be there. */
void ski_connection_start(struct ski_connection *connection, struct ski_exchange *exchange);
/* Takes an exchange back, not done.  HTTP/1.1 ends with it. */
void ski_connection_cancel(struct ski_connection *connection, struct ski_exchange *exchange);

/* What its transfer holds or wishes has changed. */
void ski_connection_transfer(struct ski_connection *connection, struct ski_exchange *exchange);

void ski_connection_sleep(struct ski_connection *connection); /* idle: lets go of the loop */
bool ski_connection_wake(struct ski_connection *connection);  /* false: it went stale meanwhile */

#endif
