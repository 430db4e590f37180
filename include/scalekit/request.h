/* scalekit/request.h - the handle of an operation that is under way.
 *
 * Every operation returns a scalekit_request and completes it through the callback it was given,
 * by the contract at the top of scalekit.h.  An operation returns NULL, and will not call back,
 * only when it could not be accepted at all: the client is NULL or being freed, the callback is
 * NULL, or memory ran out.  Every other failure, wrong arguments too, arrives at the callback.
 *
 * The handle is valid until the callback returns; hold a reference to keep it, and the result that
 * came with it, for longer. */
#ifndef SCALEKIT_REQUEST_H
#define SCALEKIT_REQUEST_H

#include <scalekit/error.h>

SCALEKIT_BEGIN

/* Completion of an operation that has no result of its own.  `done` is false exactly when it
 * failed; scalekit_request_error() then tells why. */
typedef void (*scalekit_done_cb)(scalekit_request *request, bool done, void *user);

/* Gives the request up.  It completes, from the loop, with SCALEKIT_ERR_CANCELED; an answer that
 * is already settled but not yet delivered wins.  What had been sent may still take effect on the
 * server.  Does nothing on a request that has completed, or on NULL. */
SCALEKIT_API void scalekit_request_cancel(scalekit_request *request);

/* Takes a reference: the request, its error and its result stay until the last one is dropped.
 * Returns its argument.  NULL is ignored. */
SCALEKIT_API scalekit_request *scalekit_request_ref(scalekit_request *request);

/* Drops a reference.  May be called after the client is gone.  NULL is ignored. */
SCALEKIT_API void scalekit_request_unref(scalekit_request *request);

/* --- settings: on a fresh request, before the loop turns ---------------------------------------
 * Each returns SCALEKIT_OK, SCALEKIT_ERR_INVALID for a value out of range or a request that is NULL,
 * or SCALEKIT_ERR_TOO_LATE once the request has started. */

/* The total time allowed in milliseconds, 1 to 86,400,000, counted from now: it covers waiting for
 * a token, its turn and a connection, the exchange, every retry and the pauses between them.
 * Without it the client's deadline_ms (or tool_deadline_ms) holds. */
SCALEKIT_API scalekit_err scalekit_request_set_deadline(scalekit_request *request,
                                                        int64_t milliseconds);

/* How often it may be sent again after a failure that makes this safe, 0 to 10.  Not counted is the
 * one time that it goes again with a fresh access token, after a 401. */
SCALEKIT_API scalekit_err scalekit_request_set_max_retries(scalekit_request *request, int retries);

/* Whether a 429 of Scalekit is waited out and tried again within the deadline, instead of being
 * reported at once (the default).  A tool's 429 is never tried again. */
SCALEKIT_API scalekit_err scalekit_request_set_retry_rate_limited(scalekit_request *request,
                                                                  bool retry);

/* Whether the text of the answer is kept for scalekit_request_response(); by default it is not. */
SCALEKIT_API scalekit_err scalekit_request_keep_response(scalekit_request *request, bool keep);

/* --- questions: in the callback, or later with a reference ------------------------------------- */

/* Why it failed, or NULL: it succeeded or has not completed.  Borrowed from the request. */
SCALEKIT_API const struct scalekit_error *scalekit_request_error(const scalekit_request *request);

/* The status of the last HTTP answer, 0 when there was none. */
SCALEKIT_API int scalekit_request_http_status(const scalekit_request *request);

/* The body of the answer that decided, as it came, whatever its status, NUL behind it; *length,
 * unless NULL, is set to its bytes.  NULL: it was not asked to be kept, there was none, or the
 * operation is made of several.  It may hold secrets.  Borrowed from the request. */
SCALEKIT_API const char *scalekit_request_response(const scalekit_request *request, size_t *length);

/* How often it was sent, or tried to be. */
SCALEKIT_API int scalekit_request_attempts(const scalekit_request *request);

/* Milliseconds from its start until its end, or until now. */
SCALEKIT_API int64_t scalekit_request_elapsed_ms(const scalekit_request *request);

/* The operation's name, "get_authorization_link".  Static text. */
SCALEKIT_API const char *scalekit_request_operation(const scalekit_request *request);

SCALEKIT_END

#endif
