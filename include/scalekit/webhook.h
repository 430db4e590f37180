/* scalekit/webhook.h - what Scalekit posts to your server: is it Scalekit's, and what does it say.
 *
 * Scalekit posts an event to the URLs that the dashboard knows, signed with a secret that the
 * dashboard shows ("whsec_…").  These functions need no client and no loop, do no I/O, keep nothing,
 * and may be called on any thread: they are given the headers, the bytes of the body and the time.
 *
 *     const struct scalekit_webhook_event *event;
 *     enum scalekit_webhook_verdict verdict = scalekit_webhook_open(
 *         SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &secret, .n_secrets = 1,
 *                         .now = time(NULL)),
 *         SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers, .n_headers = n_headers,
 *                         .body = body, .body_length = length),
 *         &event);
 *
 *     if (verdict != SCALEKIT_WEBHOOK_GOOD)
 *         ... answer 401, log scalekit_webhook_verdict_text(verdict)
 *     if (event->kind == SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED)
 *         ... event->account->status, event->old_status
 *     scalekit_webhook_event_free(event);
 *
 * The body must be the bytes as they came: JSON that was read and written again has another
 * signature.  Deliveries are repeated until they are answered with a 2xx, come more than once, and
 * not in the order of what happened: see delivery_id, event->id and event->occurred_at.
 *
 * Signatures are those of Standard Webhooks: HMAC-SHA256 of "id.timestamp.body".  What they cost is
 * proportional to the bytes given, times the number of secrets. */
#ifndef SCALEKIT_WEBHOOK_H
#define SCALEKIT_WEBHOOK_H

#include <scalekit/client.h>
#include <scalekit/connected_account.h>
#include <scalekit/event.h>

SCALEKIT_BEGIN

/* --- is it Scalekit's --------------------------------------------------------------------------- */

/* What is to be thought of a delivery.  Where more than one thing is wrong, the first of these. */
enum scalekit_webhook_verdict {
    SCALEKIT_WEBHOOK_GOOD,            /* signed with one of the secrets, and fresh */
    SCALEKIT_WEBHOOK_INVALID,         /* the call is wrong: no struct_size, a negative time, NULL */
    SCALEKIT_WEBHOOK_REPEATED_HEADER, /* id, timestamp or signature is there twice */
    SCALEKIT_WEBHOOK_MISSING_HEADER,  /* one of them is absent or empty */
    SCALEKIT_WEBHOOK_BAD_TIMESTAMP,   /* no decimal number of seconds */
    SCALEKIT_WEBHOOK_STALE,           /* sent more than `tolerance` ago */
    SCALEKIT_WEBHOOK_FROM_THE_FUTURE, /* sent more than `tolerance` from now */
    SCALEKIT_WEBHOOK_NO_MEMORY,       /* nothing is known of it: answer 500, it will come again */
    SCALEKIT_WEBHOOK_BAD_SECRET,      /* yours: none is given, or one is not as below */
    SCALEKIT_WEBHOOK_BAD_SIGNATURE,   /* forged, changed on its way, or for another secret */
    SCALEKIT_WEBHOOK_NO_EVENT, /* scalekit_webhook_open(): signed, but the body is not an event */
    /* scalekit_webhook_deliver() only: */
    SCALEKIT_WEBHOOK_DUPLICATE, /* good, and had before */
    SCALEKIT_WEBHOOK_BUSY       /* good, but too much waits to be told: answer 503 */
};

/* A static one-line description, "the signature is wrong"; never NULL. */
SCALEKIT_API const char *scalekit_webhook_verdict_text(enum scalekit_webhook_verdict verdict);

/* What to answer: 201 when it is GOOD or DUPLICATE, 400 or 401 when it is not Scalekit's or no event,
 * 500 or 503 when it should come again. */
SCALEKIT_API int scalekit_webhook_http_status(enum scalekit_webhook_verdict verdict);

#define SCALEKIT_WEBHOOK_TOLERANCE 300 /* seconds */

/* Whom to believe. */
struct scalekit_webhook_rules {
    size_t struct_size;
    /* As the dashboard shows them: anything, '_', the key in base64 with its padding, of up to 4,096
     * bytes.  At least one; while secrets change, the old and the new one.  Each must be readable,
     * so that a mistake is found before it matters. */
    const char *const *secrets;
    size_t n_secrets;
    int64_t now;       /* seconds since 1970: time(NULL) */
    int64_t tolerance; /* seconds, either way, included; 0: SCALEKIT_WEBHOOK_TOLERANCE */
    /* For scalekit_webhook_open(): what the event is allocated with; copied.  NULL: the C library's. */
    const struct scalekit_allocator *allocator;
};

/* What came. */
struct scalekit_webhook_delivery {
    size_t struct_size;
    /* All of them, or the three that count: webhook-id, webhook-timestamp and webhook-signature, in
     * any case and order, values as they came.  Others are ignored. */
    const struct scalekit_entry *headers;
    size_t n_headers;
    const void *body; /* the bytes as they came; NULL when there are none */
    size_t body_length;
    bool interceptor; /* sent to an interceptor: the headers are interceptor-id and so on */
};

/* Whether a delivery is Scalekit's.  A signature header may list many signatures, of other versions
 * too: one that fits is enough, whatever stands before it.  Signatures are compared in constant
 * time. */
SCALEKIT_API enum scalekit_webhook_verdict scalekit_webhook_verify(
    const struct scalekit_webhook_rules *rules, const struct scalekit_webhook_delivery *delivery);

/* --- what it says ------------------------------------------------------------------------------- */

/* What has happened to an account, for the events whose data this version knows. */
enum scalekit_webhook_kind {
    SCALEKIT_WEBHOOK_OTHER, /* another type: see event->type and event->data */
    SCALEKIT_WEBHOOK_ACCOUNT_CREATED,
    SCALEKIT_WEBHOOK_ACCOUNT_UPDATED,
    SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED, /* see account->status and old_status */
    SCALEKIT_WEBHOOK_ACCOUNT_DELETED,
    SCALEKIT_WEBHOOK_ACCOUNT_MAGIC_LINK_GENERATED,
    SCALEKIT_WEBHOOK_ACCOUNT_OAUTH_SUCCEEDED,
    SCALEKIT_WEBHOOK_ACCOUNT_OAUTH_TOKENS_FETCHED,
    SCALEKIT_WEBHOOK_ACCOUNT_TOKEN_REFRESH_SUCCEEDED,
    SCALEKIT_WEBHOOK_ACCOUNT_TOKEN_REFRESH_FAILED
};

/* An event and its delivery.  Where there is one, its signature was right. */
struct scalekit_webhook_event {
    size_t struct_size;
    const char *delivery_id; /* webhook-id: the same when it is sent again */
    scalekit_time sent_at;   /* webhook-timestamp: another one when it is sent again */
    size_t secret;           /* which of the secrets it was signed with, from 0 */
    enum scalekit_webhook_kind kind;
    /* What the service says, with data as JSON text whatever the kind.  id and type are there. */
    const struct scalekit_event *event;
    /* The account as it was then, but for its secrets and updated_at, and perhaps without the name of
     * its connection; its id is there.  status is the one of that moment in a status_updated only:
     * others may show the one before.  NULL of kind OTHER. */
    const struct scalekit_connected_account *account;
    enum scalekit_account_status old_status; /* before a status_updated; else UNKNOWN */
    const char *old_status_text;             /* as the wire has it; NULL when absent */
    bool overtaken; /* in a handler of webhook_deliver.h: see there; else false */
};

#define SCALEKIT_WEBHOOK_MAX_BODY 1048576 /* bytes of an event */

/* Verifies a delivery, and then reads it; there is no other way to an event.  *event is NULL unless
 * the verdict is GOOD, and is yours to free; nothing of the arguments is kept.
 *
 * NO_EVENT, beside what scalekit_webhook_verify() says: the body is over SCALEKIT_WEBHOOK_MAX_BODY, is
 * not JSON, or has no id, type or data; or it is one of the kinds above, and data has no account of
 * that shape.  Interceptors are not told events: verify what they are sent, and read it yourself. */
SCALEKIT_API enum scalekit_webhook_verdict scalekit_webhook_open(
    const struct scalekit_webhook_rules *rules, const struct scalekit_webhook_delivery *delivery,
    const struct scalekit_webhook_event **event);

/* Cleanses and frees an event and all that it points to.  NULL is ignored. */
SCALEKIT_API void scalekit_webhook_event_free(const struct scalekit_webhook_event *event);

/* --- answering an interceptor ------------------------------------------------------------------- */

/* Whether what is about to happen may happen. */
enum scalekit_decision { SCALEKIT_DENY, SCALEKIT_ALLOW };

struct scalekit_interceptor_params {
    size_t struct_size;
    enum scalekit_decision decision; /* not named: SCALEKIT_DENY */
    const char *message;             /* why, for the user; may be NULL */
    const char *response; /* a JSON object as text, of the trigger's shape; may be NULL */
};

/* Writes the body of the answer, {"decision":"DENY","error":{"message":"…"}}, to be sent with status
 * 200, into `out` of `size` bytes, with a NUL behind it.  64 bytes, six for each of the message and
 * one for each of the response are always enough.
 *
 * Returns its length; 0 with "" in `out` when it does not fit, memory ran out, the message is no
 * UTF-8, or the response is no JSON object. */
SCALEKIT_API size_t scalekit_interceptor_answer(char *out, size_t size,
                                                const struct scalekit_interceptor_params *params);

/* --- signing, for tests ------------------------------------------------------------------------- */

#define SCALEKIT_WEBHOOK_SIGNATURE_SIZE 48 /* "v1,", 44 characters, NUL */

/* What the header webhook-signature (or interceptor-signature) would be: for tests of your own
 * server.  `timestamp`: seconds since 1970, as the header has it.
 *
 * Returns GOOD; else `out` is "": INVALID (an empty id, a negative timestamp, NULL), BAD_SECRET or
 * NO_MEMORY. */
SCALEKIT_API enum scalekit_webhook_verdict scalekit_webhook_sign(
    char out[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], const char *secret, const char *id,
    int64_t timestamp, const void *body, size_t body_length);

SCALEKIT_END

#endif
