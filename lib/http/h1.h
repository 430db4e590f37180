/* h1.h - HTTP/1.1, strictly, without I/O: bytes in, events out.
 *
 * RFC 9112.  Loops over 1xx; knows that HEAD, 204 and 304 have no body; accepts chunk extensions
 * and trailers and drops them; refuses what is ambiguous: Content-Length together with
 * Transfer-Encoding, several different Content-Lengths, any transfer coding but chunked, obs-fold,
 * white space before the colon, bare CR, control characters, HTTP/0.9 and HTTP/2.  A line may end
 * in a bare LF nowhere.  Never consumes a byte beyond its response. */
#ifndef SKI_HTTP_H1_H
#define SKI_HTTP_H1_H

#include "http/exchange.h"

enum ski_h1_state {
    SKI_H1_STATUS_LINE,
    SKI_H1_HEADERS,
    SKI_H1_BODY_LENGTH, /* `remaining` bytes to come */
    SKI_H1_BODY_CLOSE,  /* until the connection ends in good order */
    SKI_H1_CHUNK_SIZE,
    SKI_H1_CHUNK_DATA,
    SKI_H1_CHUNK_END,
    SKI_H1_TRAILERS,
    SKI_H1_DONE,
    SKI_H1_FAILED
};

/* Reads one response into an exchange. */
struct ski_h1 {
    struct ski_exchange *exchange;
    enum ski_h1_state state;
    struct ski_buf line; /* the line under way, up to SKI_MAX_HEADER_BYTES */
    size_t header_bytes; /* of all lines, 1xx and trailers included */
    uint64_t remaining;
    bool head;       /* the request was HEAD */
    bool keep_alive; /* when DONE: the connection may be used again */
    bool http_1_0;
    bool chunked, has_length, close;
    unsigned informational; /* 1xx passed over; at most 16 */
};

/* Writes the request: one line, host, the exchange's headers, content-length (or that chunks will
 * follow), body.
 * SCALEKIT_ERR_INVALID: the method, the target or a header holds what may not be sent, and nothing
 * was written; SCALEKIT_ERR_NOMEM, SCALEKIT_ERR_TOO_LARGE: `out` failed. */
scalekit_err ski_h1_write_request(struct ski_buf *out, const struct ski_exchange *exchange,
                                  const char *authority);

void ski_h1_init(struct ski_h1 *h1, const struct ski_mem *mem);
void ski_h1_free(struct ski_h1 *h1);
/* Ready for the response to `exchange`. */
void ski_h1_begin(struct ski_h1 *h1, struct ski_exchange *exchange);

/* Reads bytes; returns how many belonged to the response.  When the state is DONE it is complete;
 * when FAILED, `failure` says why (PROTOCOL, TOO_LARGE, NOMEM). */
size_t ski_h1_read(struct ski_h1 *h1, const char *bytes, size_t length,
                   struct ski_failure *failure);

/* The connection ended; `clean` when in good order.  True when this completes the response. */
bool ski_h1_end(struct ski_h1 *h1, bool clean, struct ski_failure *failure);

#endif
