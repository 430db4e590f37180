/* scalekit/call.h - a request to any route of the service, for what this version has no function. */
#ifndef SCALEKIT_CALL_H
#define SCALEKIT_CALL_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* What to call. */
struct scalekit_call_params {
    size_t struct_size;
    const char *method; /* required: GET, POST, PUT, PATCH or DELETE */
    /* Required: below /api/v1/, percent-encoded as it goes out, without a query, up to 8,192 bytes.
     * It may not lead out of /api/v1/, however a server may read it: decoded, with '\' for '/', with
     * dot segments removed. */
    const char *path;
    /* Appended in this order, percent-encoded; a list repeats its key; up to 1,000.  With the path,
     * up to 32 KiB then. */
    const struct scalekit_entry *query;
    size_t n_query;
    const char *body; /* JSON text; NULL: none */
    /* Whether it may be sent again after it may have arrived.  Unset: GET, PUT and DELETE may. */
    enum scalekit_choice idempotent;
};

/* The service's answer. */
struct scalekit_response {
    size_t struct_size;
    int status;       /* 200 to 299 */
    const char *body; /* as it came, NUL behind it; "" when there was none */
    size_t length;    /* bytes of it */
};

/* Completion of a call; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_response_cb)(scalekit_request *request,
                                     const struct scalekit_response *response, void *user);

/* Calls a route with the client's token, retries, deadline and errors.
 *
 * HTTP: what is asked for.  Errors: as connected_account.h says, but SCALEKIT_ERR_DECODE;
 * SCALEKIT_ERR_INVALID: a parameter is missing or out of bounds, the path leaves /api/v1/ or the
 * body is no JSON; whatever the service answers with a status that is not 2xx. */
SCALEKIT_API scalekit_request *scalekit_call(scalekit_client *client,
                                             const struct scalekit_call_params *params,
                                             scalekit_response_cb cb, void *user);

SCALEKIT_END

#endif
