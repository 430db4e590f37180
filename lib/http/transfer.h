/* transfer.h - bodies that are too large to hold: passed on in pieces, either way, as room is made.
 *
 * Two buffers of limited size lie between the connection and the exchange's owner: `out` for the
 * request's body, and exchange->answer for what has come of the answer.  The connection says with
 * `stir` that there is something to do; the owner, when it is its turn, empties the one, fills the
 * other, and tells the pool with ski_pool_transfer().  What nobody takes makes the server wait: over
 * HTTP/2 the stream's window stays shut and others go on, over HTTP/1.1 the socket is not read. */
#ifndef SKI_HTTP_TRANSFER_H
#define SKI_HTTP_TRANSFER_H

#include "http/exchange.h"

#define SKI_TRANSFER_UP 131072 /* bytes of a request on their way to the connection */
#define SKI_TRANSFER_DOWN                                                                          \
    262144 /* bytes of an answer that wait, from which on the server does too */
/* The most that can wait: an HTTP/2 server may use up the window it was granted before. */
#define SKI_TRANSFER_MAX_DOWN (3u << 19)

struct ski_transfer {
    /* Something has changed.  From the loop, or from inside ski_pool_start() and in the middle of
     * reading: make a note, and do no more. */
    void (*stir)(struct ski_exchange *exchange);

    /* The answer: the owner's choice, and its wishes. */
    bool down;     /* it is passed on; else it is gathered as ever */
    bool paused;   /* no more for now */
    bool head;     /* status and headers are complete */
    uint32_t held; /* the connection's: not 0 while it makes the server wait */

    /* The request's body. */
    bool up; /* there is one, and exchange->body is NULL */
    bool has_length;
    uint64_t length;
    struct ski_buf out; /* bytes the connection is to send */
    size_t taken;       /* of them, those it has */
    bool wanted;        /* `out` is empty, and there is room for more */
    bool ended;         /* what is in `out` is the last */
    bool begun;         /* it was wanted once: it cannot be sent again from the beginning */
};

void ski_transfer_init(struct ski_transfer *transfer, const struct ski_mem *mem);
void ski_transfer_free(struct ski_transfer *transfer);
/* As it was, to be sent again: nothing has come yet.  Not once it has begun. */
void ski_transfer_reset(struct ski_transfer *transfer);

/* --- for connections --------------------------------------------------------------------------- */

/* Whether the answer is passed on.  Asked for every piece of every answer. */
static inline bool ski_transfer_passes_on(const struct ski_exchange *exchange)
{
    return exchange->transfer && exchange->transfer->down;
}

/* Whether the server is to wait. */
bool ski_transfer_is_full(const struct ski_exchange *exchange);

/* Moves bytes from `out`; how many. */
size_t ski_transfer_take(struct ski_transfer *transfer, void *bytes, size_t size);
void ski_transfer_drop(struct ski_transfer *transfer); /* all of them */
/* Bytes left in `out`. */
size_t ski_transfer_left(const struct ski_transfer *transfer);
/* Room for more of the request's body. */
void ski_transfer_want(struct ski_exchange *exchange);

#endif
