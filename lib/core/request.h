/* request.h - the life of one request: how an operation's row becomes HTTP and its answer a callback.
 *
 *   QUEUED ──► TOKEN ──► GATE ──► SENT ──► SETTLED ──► DELIVERED
 *     │          ▲  ▲               │         ▲
 *     │          │  └───────────────┤ 401     │ result, failure, deadline, cancel, client freed
 *     │          └───── PAUSED ◄────┘ retry   │
 *     └────────► FLOWING ─────────────────────┘ an operation made of other operations
 *
 * From SENT, one whose answer streams is DRAINING until the application has taken all of it.
 *
 * A request only moves forward (a retry is still on its way to SETTLED), the first outcome wins,
 * and the application is called from one place, deliver(); while bodies stream, from the turn of
 * core/streaming.h as well.  Its one task is the next turn of the loop: once to start, once to
 * deliver.  Its one timer is the end of a pause or the deadline. */
#ifndef SKI_CORE_REQUEST_H
#define SKI_CORE_REQUEST_H

#include "base/arena.h"
#include "core/gate.h"
#include "core/operation.h"
#include "core/token.h"
#include "core/wire.h"

enum ski_request_state {
    SKI_QUEUED,
    SKI_TOKEN,
    SKI_GATE, /* waits for its turn (core/gate.h) */
    SKI_SENT,
    SKI_DRAINING, /* answered, and the application has not taken all of it (core/streaming.h) */
    SKI_PAUSED,
    SKI_FLOWING,
    SKI_SETTLED,
    SKI_DELIVERED
};

/* An operation made of other operations, in place of one exchange. */
struct ski_flow {
    void (*start)(scalekit_request *request);
    void (*leave)(scalekit_request *request); /* it settles, however it does; once */
    /* The operation under way; NULL when there is none. */
    const scalekit_request *(*step)(const scalekit_request *request);
};

struct scalekit_request {
    struct ski_mem mem;      /* a copy: a request may outlive its client */
    scalekit_client *client; /* NULL once delivered */
    const struct ski_operation *operation;
    /* The operation's, unless it was started by name. */
    void (*deliver)(scalekit_request *request, ski_callback cb, const void *result, void *user);
    ski_callback cb;
    void *user;
    unsigned refs;
    enum ski_request_state state;
    struct ski_list link; /* in the client's pending */
    struct ski_task turn;
    ski_timer timer;

    int64_t start_ms, end_ms, due_ms; /* due: the deadline */
    int max_retries, retries, attempts;
    bool retry_rate_limited, refreshed;
    bool sent; /* by any attempt */

    struct ski_token_waiter waiter;
    struct ski_token_value *token;
    enum scalekit_request_class kind;
    struct ski_pass pass;
    struct ski_exchange exchange;
    struct ski_wire wire;
    int http_status;
    bool keep_response;
    struct ski_buf response;         /* what was kept of the answer */
    struct ski_streaming *streaming; /* NULL: both bodies are whole */

    const struct ski_flow *flow; /* NULL: one exchange */
    void *flow_data;
    scalekit_request *source; /* the request whose result or error this one shows */

    struct ski_arena arena; /* result and error */
    const void *result;
    bool failed;
    struct scalekit_error error;
};

/* A request of `operation`, to be delivered through `cb`.  NULL: not accepted (request.h).
 * Parameters are checked and encoded now; what is wrong with them is delivered later. */
scalekit_request *ski_request_start(scalekit_client *client, const struct ski_operation *operation,
                                    const void *params, ski_callback cb, void *user);

/* The same for a flow: parameters are checked only. */
scalekit_request *ski_request_start_flow(scalekit_client *client,
                                         const struct ski_operation *operation, const void *params,
                                         const struct ski_flow *flow, void *flow_data,
                                         ski_callback cb, void *user);

/* Parameters against the operation's table and rules; SCALEKIT_ERR_INVALID with the failure filled. */
scalekit_err ski_operation_check(const struct ski_operation *operation, const struct ski_mem *mem,
                                 const void *params, struct ski_failure *failure);

/* A fresh request is going to fail: what is wrong was found by who started it.  Or one that is being
 * delivered does after all. */
void ski_request_refuse(scalekit_request *request, const struct ski_failure *failure);

/* A fresh request is for something else than its operation usually is. */
void ski_request_set_class(scalekit_request *request, enum scalekit_request_class kind);
/* Where it has to wait for its turn, it goes before all others of its class. */
void ski_request_go_first(scalekit_request *request);

/* The application has taken all of an answer that was streamed. */
void ski_request_answered(scalekit_request *request);

/* Settles a flow with what another request brought; it is kept until this one goes. */
void ski_request_settle_from(scalekit_request *request, scalekit_request *source,
                             const void *result);

/* A step of a flow, still fresh, gets what was set for the whole, and the time that is left of it. */
void ski_request_inherit(scalekit_request *step, const scalekit_request *whole);

/* Gives a request of ours more time, on behalf of somebody who waits for it and has more. */
void ski_request_extend(scalekit_request *request, int64_t due_ms);

/* Settles a flow with a result of its own making, in the request's arena. */
void ski_request_settle_result(scalekit_request *request, const void *result);

/* Settles with a failure. */
void ski_request_settle_failure(scalekit_request *request, const struct ski_failure *failure);
void ski_request_settle_error(scalekit_request *request, const struct scalekit_error *error);

/* Cancels a request of ours and lets it go without calling back. */
void ski_request_abandon(scalekit_request *request);

/* Completes now, from scalekit_client_free(). */
void ski_request_close(scalekit_request *request);

#endif
