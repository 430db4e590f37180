/* scalekit/proxy.h - the provider's own API, called through Scalekit with a user's account: Scalekit
 * adds the user's token, and passes the provider's answer on as it is.
 *
 * Small bodies are plain members of the request and of the answer.  Large ones stream, either way or
 * both, with back-pressure: what the program does not take makes the provider wait, and what the
 * provider does not take is not asked of the program.  No more than 3 MiB are held meanwhile.
 *
 *     static void on_piece(scalekit_request *request, const char *bytes, size_t length, void *user)
 *     {
 *         struct download *download = user;
 *
 *         download_write(download, bytes, length);
 *         if (download_is_behind(download))
 *             scalekit_proxy_pause(request);       ... later: scalekit_proxy_resume(request)
 *     }
 *
 *     scalekit_proxy_request(client,
 *         SCALEKIT_PARAMS(scalekit_proxy_params, .connection_name = "googledrive",
 *                         .identifier = "user_123", .path = "/drive/v3/files/abc?alt=media",
 *                         .on_body = on_piece),
 *         on_end, download); */
#ifndef SCALEKIT_PROXY_H
#define SCALEKIT_PROXY_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* The provider's answer, whatever its status: a 404 or a redirect is one too. */
struct scalekit_proxy_response {
    size_t struct_size;
    int status;
    const struct scalekit_entry *headers; /* in the order they came, names in lower case */
    size_t n_headers;
    const char *body; /* as it came, NUL behind it; "" when there was none, or on_body has had it */
    size_t length;    /* bytes of it */
};

/* Completion of a proxied request; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_proxy_cb)(scalekit_request *request,
                                  const struct scalekit_proxy_response *response, void *user);

/* Status and headers have come, and the first piece of the body, if any, follows; `head` has no body,
 * and lives until the callback returns. */
typedef void (*scalekit_proxy_head_cb)(scalekit_request *request,
                                       const struct scalekit_proxy_response *head, void *user);

/* A piece of the answer's body, at least one byte; borrowed until the callback returns. */
typedef void (*scalekit_proxy_body_cb)(scalekit_request *request, const char *bytes, size_t length,
                                       void *user);

/* Asks for the next piece of the request's body: fills `room` with up to `size` bytes and returns how
 * many.  *end, which is false, is set to true with the last piece, or with 0 bytes behind it.  0 alone
 * means that there is nothing for now: it is asked again after scalekit_proxy_continue(), which may
 * be called in here as well.  To give up, cancel the request. */
typedef size_t (*scalekit_proxy_read_cb)(scalekit_request *request, char *room, size_t size,
                                         bool *end, void *user);

/* What to request of whom. */
struct scalekit_proxy_params {
    size_t struct_size;

    /* Whose account: both required. */
    const char *connection_name; /* "gmail"; up to 400 characters */
    const char *identifier;      /* your user's id; up to 100 characters */

    /* Any token, in any case, of up to 32 characters, but CONNECT, TRACE and TRACK.  NULL: "GET". */
    const char *method;
    /* Required: the provider's, percent-encoded, without its host, a leading '/' is added; it may
     * have a query; up to 8,192 bytes each.  It may not lead out of the proxy, however a server may
     * read it: decoded, with '\' for '/', with ";parameters" cut off, with dot segments removed.
     * Refused are also control characters, encoded ones included, what is no UTF-8, and a '%'
     * without two digits. */
    const char *path;
    /* Appended in this order, percent-encoded; up to 1,000.  With the path, up to 32 KiB then. */
    const struct scalekit_entry *query;
    size_t n_query;
    /* For the provider; up to 64, together up to 32 KiB.  Not those that say who asks or how the
     * message is made: Authorization, Cookie, connection_name, identifier, Host, Content-Length,
     * Connection and so on; for Content-Type there is content_type.  Without an Accept, anything is
     * accepted. */
    const struct scalekit_entry *headers;
    size_t n_headers;

    /* The body: at most one of these, up to 16 MiB; `read` has no limit. */
    const char *body;                       /* JSON text */
    const struct scalekit_entry *form_data; /* urlencoded; up to 1,000 */
    size_t n_form_data;
    const void *raw_body; /* any bytes; not NULL with a length of 0: an empty body */
    size_t raw_body_length;
    scalekit_proxy_read_cb read;
    uint64_t read_length; /* of what `read` is going to give; 0: not known */
    /* NULL: application/json, application/x-www-form-urlencoded, application/octet-stream. */
    const char *content_type;

    /* The answer's body in pieces, instead of all at the end. */
    scalekit_proxy_body_cb on_body;
    scalekit_proxy_head_cb on_head; /* NULL, or called once before the first piece; with on_body */
};

/* Sends a request to the provider of a user's account.
 *
 * Redirects are not followed.  The time allowed is the client's tool_deadline_ms, streaming included:
 * give large bodies more by scalekit_request_set_deadline().  It is sent again when not a byte of it
 * has left, and GET and HEAD also after the connection broke; when Scalekit (not the provider)
 * refuses the access token, once more with a fresh one.  Never when a piece of either body has passed
 * through on_head, on_body or `read`.
 *
 * The callbacks for streaming come, in this order, before `cb`, never after it, and never from inside
 * scalekit_proxy_resume() or scalekit_proxy_continue(); all get `user`.  They may do anything: pause,
 * cancel, free the client.  An answer that is complete before `read` has ended is the answer.
 *
 * HTTP: what is asked for, at /proxy/<path>.  Errors: those of connected_account.h for this side of
 * Scalekit (SCALEKIT_ERR_INVALID with the parameter, the network's, SCALEKIT_ERR_UNAUTHORIZED);
 * whatever the provider or Scalekit answers is a result.  SCALEKIT_ERR_TOO_LARGE: a body that is not
 * streamed is larger than max_response_bytes.  SCALEKIT_ERR_INVALID, "read": it gave more than there
 * was room for, or ended before read_length. */
SCALEKIT_API scalekit_request *scalekit_proxy_request(scalekit_client *client,
                                                      const struct scalekit_proxy_params *params,
                                                      scalekit_proxy_cb cb, void *user);

/* Neither on_head, on_body nor the completion is called until scalekit_proxy_resume(), and the
 * provider is made to wait; the deadline goes on, and failures are told, but an HTTP/1.1 connection
 * that breaks is noticed only when it is read again.  Requests with another connection or on other
 * streams of the same one are not held up.  Both are ignored for NULL, a request that does not
 * stream its answer, and one that has completed. */
SCALEKIT_API void scalekit_proxy_pause(scalekit_request *request);
SCALEKIT_API void scalekit_proxy_resume(scalekit_request *request);

/* `read` has something again.  Ignored likewise. */
SCALEKIT_API void scalekit_proxy_continue(scalekit_request *request);

SCALEKIT_END

#endif
