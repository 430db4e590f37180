/* h2.h - HTTP/2, by nghttp2, without I/O: bytes in, bytes out, exchanges over.
 *
 * RFC 9113.  Server push is refused, 1xx are passed over, trailers are dropped.  Headers and bodies
 * are capped while they come in; received bytes are credited back at once, so that flow control
 * never waits for anybody here.  The exception is a stream whose transfer is full or paused: only
 * that one waits, the connection's window is credited all the same.  A stream is opened only within
 * the server's limit and ours, and not before its SETTINGS came. */
#ifndef SKI_HTTP_H2_H
#define SKI_HTTP_H2_H

#include "http/exchange.h"

#define SKI_H2_MAX_STREAMS       256             /* at a time, whatever the server would allow */
#define SKI_H2_STREAM_WINDOW     (1 << 20)       /* bytes a server may send ahead on one stream */
#define SKI_H2_CONNECTION_WINDOW (8 * (1 << 20)) /* and on all of them */

enum ski_h2_state {
    SKI_H2_GREETING, /* the server's SETTINGS have not come */
    SKI_H2_OPEN,
    SKI_H2_LEAVING, /* GOAWAY came, or numbers ran out: what is on it finishes, nothing starts */
    SKI_H2_FAILED /* ski_h2_failure() says why; found while reading, or in what is then to write */
};

/* How an exchange ended. */
enum ski_h2_end {
    SKI_H2_COMPLETE = 1,
    SKI_H2_BROKEN, /* it failed */
    SKI_H2_REFUSED, /* the server says that it has not looked at it: it may go again, here or elsewhere */
    SKI_H2_LEFT_OUT /* the same, by a GOAWAY that others got past */
};

struct ski_h2;

/* `secure`: https.  `authority` is borrowed.  NULL: out of memory. */
struct ski_h2 *ski_h2_new(const struct ski_mem *mem, bool secure, const char *authority);
void ski_h2_free(struct ski_h2 *h2); /* exchanges still on it are forgotten */

enum ski_h2_state ski_h2_state(const struct ski_h2 *h2);
const struct ski_failure *ski_h2_failure(const struct ski_h2 *h2); /* when FAILED */

unsigned ski_h2_room(const struct ski_h2 *h2); /* exchanges that can be started now */
unsigned ski_h2_load(const struct ski_h2 *h2); /* exchanges on it that are not over */

/* Takes an exchange up; room must be there.  It goes out with the next ski_h2_write(). */
void ski_h2_start(struct ski_h2 *h2, struct ski_exchange *exchange);
/* Takes it back, over or not; the server is told.  The last `unsent` bytes written have not left:
 * exchange->sent is exact. */
void ski_h2_cancel(struct ski_h2 *h2, struct ski_exchange *exchange, size_t unsent);
/* What its transfer holds or wishes has changed; goes out with the next ski_h2_write(). */
void ski_h2_transfer(struct ski_h2 *h2, struct ski_exchange *exchange);
void ski_h2_ping(struct ski_h2 *h2);

/* Takes bytes in; all of them, unless it fails. */
void ski_h2_read(struct ski_h2 *h2, const char *bytes, size_t length);

/* The next piece of what is to be sent; 0: nothing for now.  *bytes are borrowed until the next
 * call of anything here. */
size_t ski_h2_write(struct ski_h2 *h2, const char **bytes);

/* The next exchange that is over; NULL: none.  `failure` is filled unless COMPLETE; `unsent` as
 * above. */
struct ski_exchange *ski_h2_next_over(struct ski_h2 *h2, size_t unsent, enum ski_h2_end *end,
                                      struct ski_failure *failure);

/* The connection is gone: every exchange on it is over now.  `failure` NULL: in good order, which
 * is still before the answers. */
void ski_h2_lose(struct ski_h2 *h2, const struct ski_failure *failure);

#endif
