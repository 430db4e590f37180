/* operation.h - an operation of the service as a row of data. */
#ifndef SKI_CORE_OPERATION_H
#define SKI_CORE_OPERATION_H

#include "http/exchange.h"
#include "json/type.h"
#include <scalekit/governor.h>

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

/* A request that no table describes: what goes out, borrowed until it is copied at the start. */
struct ski_raw {
    const char *method; /* in any case */
    const char *prefix; /* of the path; NULL: none */
    const char *path;   /* as it goes out; it may have a query of its own */
    const struct scalekit_entry *query;
    size_t n_query;
    struct scalekit_entry own_headers[3]; /* before the caller's */
    size_t n_own_headers;
    const struct scalekit_entry *headers;
    size_t n_headers;
    const char *content_type; /* NULL: JSON */
    const char *body;         /* NULL: none */
    size_t body_length;
    const struct scalekit_entry *form; /* the body, urlencoded; NULL: `body` is */
    size_t n_form;
    bool streamed; /* the body comes in pieces (core/streaming.h) */
    enum ski_idempotency idempotency;
};

struct ski_operation {
    const char *name;    /* as the function, without its prefix */
    const char *method;  /* "GET" */
    const char *path;    /* "/api/v1/mcp/configs/{config_id}"; each {name} is a row with SKI_PATH */
    const char *summary; /* what it does, in a few words: "the account of a user" */
    enum ski_placement placement; /* of rows with neither SKI_PATH nor SKI_QUERY */
    enum ski_idempotency idempotency;
    enum scalekit_request_class kind; /* a tool's has the client's tool_deadline_ms */
    bool preview;                     /* the service may still change it */
    const struct ski_type *params;    /* NULL: none */
    const struct ski_type *result;    /* NULL: nothing but success */
    size_t result_offset; /* of the (required) pointer in the decoded result that the callback gets;
                             SKI_WHOLE_RESULT: the decoded result itself */
    /* Rules across members; NULL when right, else what is wrong, and *parameter. */
    const char *(*check)(const void *params, const char **parameter);
    /* Calls the application's callback with its own type. */
    void (*deliver)(scalekit_request *request, ski_callback cb, const void *result, void *user);

    /* Starts it where one exchange is not all it takes; NULL: ski_request_start(). */
    scalekit_request *(*start)(scalekit_client *client, const void *params, ski_callback cb,
                               void *user);

    /* For those whose HTTP no table describes; NULL for all others. */
    /* Fills `raw` from checked params.  NULL, or what is wrong and *parameter. */
    const char *(*compose)(const void *params, struct ski_raw *raw, const char **parameter);
    /* Whether an answer is the result, whatever its status; by default those with 2xx are. */
    bool (*accepts)(const struct ski_exchange *exchange);
    /* Makes the result of an accepted answer, in the request's arena.  NULL: out of memory. */
    const void *(*read)(scalekit_request *request);
};

#define SKI_WHOLE_RESULT SIZE_MAX

/* Defines a `deliver` for operations whose callback gets a result. */
#define DELIVER(name, callback)                                                                    \
    static void name(scalekit_request *request, ski_callback cb, const void *result, void *user)   \
    {                                                                                              \
        ((callback)cb)(request, result, user);                                                     \
    }

/* For operations with a scalekit_done_cb. */
void ski_deliver_done(scalekit_request *request, ski_callback cb, const void *result, void *user);

#endif
