/* wire.h - how the parameters of an operation become the target, the headers and the body of an
 * exchange: once, for all attempts. */
#ifndef SKI_CORE_WIRE_H
#define SKI_CORE_WIRE_H

#include "base/buf.h"
#include "core/operation.h"

struct ski_wire {
    struct ski_buf text;             /* target, NUL, body; of a raw request also its other texts */
    struct ski_header *more_headers; /* of a raw request */
    const char *content_type;        /* NULL: there is no body */
    enum ski_idempotency idempotency;
};

void ski_wire_init(struct ski_wire *wire, const struct ski_mem *mem);
void ski_wire_free(struct ski_wire *wire);

/* Composes what an operation with checked params (NULL: none) sends below a base path, and points
 * the exchange to it.  SCALEKIT_ERR_INVALID, SCALEKIT_ERR_NOMEM with `failure` filled. */
scalekit_err ski_wire_compose(struct ski_wire *wire, struct ski_exchange *exchange,
                              const char *base_path, const struct ski_operation *operation,
                              const void *params, struct ski_failure *failure);

#endif
