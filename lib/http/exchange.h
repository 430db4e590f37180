/* exchange.h - one HTTP request and its answer, whatever the protocol version.
 *
 * Embedded in who wants it done.  Started with ski_pool_start(), done once, and may then be started
 * again (a retry).  The pool and its connections never call the application: `done` belongs to the
 * request engine, which settles and delivers later. */
#ifndef SKI_HTTP_EXCHANGE_H
#define SKI_HTTP_EXCHANGE_H

#include "base/failure.h"
#include "base/list.h"
#include "http/headers.h"

#define SKI_MAX_SENT_HEADERS 12
#define SKI_MAX_MORE_HEADERS 72

struct ski_connection;
struct ski_transfer;

struct ski_exchange {
    /* The request.  Borrowed until done. */
    const char *method;
    const char *target; /* path and query; the pool knows scheme and authority */
    struct ski_header headers[SKI_MAX_SENT_HEADERS]; /* without host and content-length */
    unsigned n_headers;
    const struct ski_header *more_headers; /* of the caller's, behind those */
    unsigned n_more_headers;
    const char *body; /* NULL: none, and no content-length unless the method wants one */
    size_t body_length;
    struct ski_transfer *transfer; /* http/transfer.h; NULL: both bodies are held as a whole */

    bool urgent; /* waits before all others, and in a queue that is full as well */

    /* The answer.  The final one: 1xx are passed over. */
    size_t max_body;
    int status;
    struct ski_headers answer_headers;
    struct ski_buf answer;

    /* Progress. */
    enum scalekit_phase phase; /* QUEUE … RECEIVE */
    bool sent;                 /* a byte of it may have reached the server */

    /* From the loop, once per start, never from inside ski_pool_start() or _cancel().  `failure` is
     * NULL when the answer is complete, whatever its status. */
    void (*done)(struct ski_exchange *exchange, const struct ski_failure *failure);

    /* The pool's. */
    struct ski_list link;
    struct ski_connection *connection;
    bool refused; /* a server has sent it back once, unread */

    /* HTTP/2's. */
    struct {
        int32_t stream;      /* its number; 0: not opened */
        uint8_t answer;      /* how far it has come */
        uint8_t end;         /* how the exchange ended; 0: it has not */
        uint8_t problem;     /* and why */
        uint8_t interim;     /* 1xx passed over */
        uint32_t code;       /* of the server's RST_STREAM */
        uint32_t head_bytes; /* of all its headers */
        size_t body_sent;
        uint64_t offset; /* where it begins in all that was written */
    } h2;
};

/* Whether its method, target and headers hold nothing that may not be sent. */
bool ski_exchange_valid(const struct ski_exchange *exchange);
/* The length of the body that the server is told, be it 0; false: none. */
bool ski_exchange_length(const struct ski_exchange *exchange, uint64_t *length);
/* Whether its body comes in pieces. */
bool ski_exchange_streams_up(const struct ski_exchange *exchange);

void ski_exchange_init(struct ski_exchange *exchange, const struct ski_mem *mem, size_t max_body);
void ski_exchange_reset(struct ski_exchange *exchange); /* forgets the answer, before a retry */
void ski_exchange_free(struct ski_exchange *exchange);  /* not while started */

#endif
