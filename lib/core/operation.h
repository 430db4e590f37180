/* operation.h - an operation of the service as a row of data. */
#ifndef SKI_CORE_OPERATION_H
#define SKI_CORE_OPERATION_H

#include "json/type.h"
#include <scalekit/request.h>

/* How safe it is to send it again when it may have arrived (core/retry.h). */
enum ski_idempotency {
    SKI_SAFE,       /* changes nothing */
    SKI_IDEMPOTENT, /* twice has the outcome of once */
    SKI_UNSAFE      /* never again once a byte may have arrived */
};

/* Where the parameters go. */
enum ski_placement { SKI_IN_QUERY, SKI_IN_BODY };

/* A completion callback of some type; each row's `deliver` knows which. */
typedef void (*ski_callback)(void);

struct ski_operation {
    const char *name;   /* as the function, without its prefix */
    const char *method; /* "GET" */
    const char *path;   /* "/api/v1/connected_accounts" */
    enum ski_placement placement;
    enum ski_idempotency idempotency;
    bool tool;                     /* has the client's tool_deadline_ms */
    const struct ski_type *params; /* NULL: none */
    const struct ski_type *result; /* NULL: nothing but success */
    size_t result_offset; /* of the (required) pointer in the decoded result that the callback gets;
                             SKI_WHOLE_RESULT: the decoded result itself */
    /* Rules across members; NULL when right, else what is wrong, and *parameter. */
    const char *(*check)(const void *params, const char **parameter);
    /* Calls the application's callback with its own type. */
    void (*deliver)(scalekit_request *request, ski_callback cb, const void *result, void *user);
};

#define SKI_WHOLE_RESULT SIZE_MAX

/* For operations with a scalekit_done_cb. */
void ski_deliver_done(scalekit_request *request, ski_callback cb, const void *result, void *user);

#endif
