/* scalekit/error.h - what can go wrong, and everything that is known when it did. */
#ifndef SCALEKIT_ERROR_H
#define SCALEKIT_ERROR_H

#include <scalekit/types.h>

SCALEKIT_BEGIN

/* The kind of a failure.  0 is success. */
typedef enum scalekit_err {
    SCALEKIT_OK = 0,

    /* Ours: the request never left, or was given up. */
    SCALEKIT_ERR_INVALID,    /* an argument is wrong; error->parameter names it */
    SCALEKIT_ERR_NOMEM,      /* out of memory */
    SCALEKIT_ERR_CANCELED,   /* scalekit_request_cancel() */
    SCALEKIT_ERR_CLOSED,     /* the client was freed */
    SCALEKIT_ERR_DEADLINE,   /* the time allowed ran out; error->phase tells where it was spent */
    SCALEKIT_ERR_QUEUE_FULL, /* more requests wait than max_queue, functions than max_submitted */
    SCALEKIT_ERR_TOO_LATE,   /* a setting was changed after the request had started */
    SCALEKIT_ERR_REJECTED,   /* a tool hook refused the call; the message is the hook's */

    /* The network's. */
    SCALEKIT_ERR_RESOLVE,   /* the host name has no address, or no name server answered */
    SCALEKIT_ERR_CONNECT,   /* no address of the host accepted a connection */
    SCALEKIT_ERR_TLS,       /* the certificate was refused, or the handshake failed */
    SCALEKIT_ERR_NETWORK,   /* the connection broke before the answer was complete */
    SCALEKIT_ERR_PROTOCOL,  /* the answer is not valid HTTP, or contradicts an earlier one */
    SCALEKIT_ERR_TOO_LARGE, /* the answer is larger than max_response_bytes or the header limits */
    SCALEKIT_ERR_DECODE,    /* the answer is not the JSON it should be; the message has the path */

    /* The service's answer.  error->http_status has the exact status. */
    SCALEKIT_ERR_SIGN_IN,      /* client_id and client_secret were refused */
    SCALEKIT_ERR_BAD_REQUEST,  /* 400; see error->field_violations */
    SCALEKIT_ERR_UNAUTHORIZED, /* 401, also after a fresh access token */
    SCALEKIT_ERR_FORBIDDEN,    /* 403 */
    SCALEKIT_ERR_NOT_FOUND,    /* 404 */
    SCALEKIT_ERR_CONFLICT,     /* 409 */
    SCALEKIT_ERR_RATE_LIMITED, /* 429 of Scalekit; see error->retry_after_ms */
    SCALEKIT_ERR_UNAVAILABLE,  /* 502 or 503, after the retries that were safe */
    SCALEKIT_ERR_SERVER,       /* 500, 504 and other 5xx: whether it was done is unknown */
    SCALEKIT_ERR_HTTP,         /* any other status that is not 2xx */

    /* The provider's, passed on by Scalekit: the tool ran and failed.  Never sent again. */
    SCALEKIT_ERR_TOOL,              /* see tool_error_code, tool_error_message, execution_id */
    SCALEKIT_ERR_TOOL_UNAUTHORIZED, /* 401: the user must authorize again */
    SCALEKIT_ERR_TOOL_FORBIDDEN,    /* 403: a scope is missing */
    SCALEKIT_ERR_TOOL_RATE_LIMITED  /* 429 of the provider */
} scalekit_err;

/* What a request was doing when it failed. */
enum scalekit_phase {
    SCALEKIT_PHASE_NONE,    /* checking its arguments, not started, or answered with an error */
    SCALEKIT_PHASE_QUEUE,   /* waiting for its turn (governor.h), or for a connection */
    SCALEKIT_PHASE_TOKEN,   /* waiting for an access token */
    SCALEKIT_PHASE_RESOLVE, /* looking up the host name */
    SCALEKIT_PHASE_CONNECT, /* connecting */
    SCALEKIT_PHASE_TLS,     /* shaking hands */
    SCALEKIT_PHASE_SEND,    /* sending */
    SCALEKIT_PHASE_WAIT,    /* sent, no answer yet */
    SCALEKIT_PHASE_RECEIVE, /* receiving the answer */
    SCALEKIT_PHASE_BACKOFF, /* waiting before a retry */
    SCALEKIT_PHASE_DECODE   /* reading the answer's JSON */
};

/* One field the service found wrong. */
struct scalekit_field_violation {
    size_t struct_size;
    const char *field;       /* "user.email" */
    const char *description; /* "value must be a valid email address" */
    const char *constraint;  /* "string.email" */
};

/* A page that may help. */
struct scalekit_help_link {
    size_t struct_size;
    const char *description;
    const char *url;
};

/* Every fact about a failure.  Absent text is NULL.  Borrowed: it lives as long as the request it
 * was asked of (see scalekit_request_error()).  Holds no secret of the client or the user, except
 * that `body` is what the server sent. */
struct scalekit_error {
    size_t struct_size;
    scalekit_err code;         /* never SCALEKIT_OK */
    enum scalekit_phase phase; /* where it happened */
    const char *message;       /* one line for people; never NULL */
    const char *parameter;     /* SCALEKIT_ERR_INVALID: the member that is wrong */

    int http_status; /* 0 when there was no answer */
    int grpc_code; /* the gateway's `code`, else derived from the status; -1 when there was no answer */
    const char *error_code; /* "RATE_LIMITED", "TOOL_ERROR": an open set */
    const char *request_id; /* to quote to support */
    int64_t retry_after_ms; /* the server's wish; -1 when it had none */

    const struct scalekit_field_violation *const *field_violations;
    size_t n_field_violations;

    const char *tool_error_code; /* free text: "RATE_LIMITED" */
    const char *tool_error_message;
    const char *execution_id;

    const char *resource_name; /* "connected_account" */
    const char *debug_detail;
    const char *localized_message;
    const struct scalekit_help_link *const *help_links;
    size_t n_help_links;

    int attempts;       /* how often it was sent, or tried to be */
    int64_t elapsed_ms; /* from its start to its end */
    bool sent;          /* false: certainly not a byte of it reached the server */

    const char *body; /* the answer as it came, at most the first 8 KiB; NULL when there was none */
    size_t body_length;  /* bytes in body */
    bool body_truncated; /* the answer was longer */
};

/* A static one-line description of a kind, "deadline exceeded"; never NULL. */
SCALEKIT_API const char *scalekit_strerror(scalekit_err err);

/* The name of a kind as this header spells it, "SCALEKIT_ERR_DEADLINE"; never NULL. */
SCALEKIT_API const char *scalekit_err_name(scalekit_err err);

/* A static word for a phase, "connect"; never NULL. */
SCALEKIT_API const char *scalekit_phase_name(enum scalekit_phase phase);

SCALEKIT_END

#endif
