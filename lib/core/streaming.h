/* streaming.h - a request whose bodies the application reads and writes in pieces.
 *
 *   connection ──stir──► turn ──► on_head, on_body: what has come
 *       ▲                  │      read: what is to be sent
 *       └─ski_pool_transfer┘
 *
 * The application is only ever called from the turn, a task, so that it may pause, cancel, or free
 * the client right there.  An answer that is complete waits until the application has taken it all:
 * the request is DRAINING then. */
#ifndef SKI_CORE_STREAMING_H
#define SKI_CORE_STREAMING_H

#include "http/transfer.h"
#include <scalekit/proxy.h>

/* What the application gave, each NULL when that body is not streamed. */
struct ski_streaming_calls {
    scalekit_proxy_read_cb read;
    scalekit_proxy_body_cb on_body;
    /* Tells the application that status and headers are there.  false: out of memory. */
    bool (*tell_head)(scalekit_request *request, scalekit_proxy_head_cb on_head);
    scalekit_proxy_head_cb on_head;
    uint64_t length; /* of what is read; 0: not known */
};

struct ski_streaming;

/* For a fresh request.  NULL: out of memory. */
struct ski_streaming *ski_streaming_new(scalekit_request *request,
                                        const struct ski_streaming_calls *calls);
void ski_streaming_free(struct ski_streaming *streaming); /* NULL is ignored */

/* Before each attempt. */
void ski_streaming_begin(struct ski_streaming *streaming);
/* Whether the application knows of an answer: no other can follow. */
bool ski_streaming_has_told(const struct ski_streaming *streaming);
/* Whether there can be another: nothing of its body was read, nothing of its answer told. */
bool ski_streaming_can_begin_again(const struct ski_streaming *streaming);
/* The answer is complete and accepted.  true: it is passed on, and ski_request_answered() is called
 * when all of it was. */
bool ski_streaming_drain(struct ski_streaming *streaming);

/* The application's wishes. */
void ski_streaming_pause(struct ski_streaming *streaming, bool paused);
void ski_streaming_continue(struct ski_streaming *streaming);

#endif
