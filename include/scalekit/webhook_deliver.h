/* scalekit/webhook_deliver.h - deliveries handed to a client: its watches are told at once.
 *
 *     scalekit_webhook_accept(client,
 *                             SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret,
 *                                             .n_secrets = 1, .cb = on_event),
 *                             &problem);
 *
 *     ... for each POST that comes, however it comes:
 *     verdict = scalekit_webhook_deliver(
 *         client, SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers,
 *                                 .n_headers = n_headers, .body = body, .body_length = length));
 *     ... answer with status scalekit_webhook_http_status(verdict)
 *
 * A delivery is verified, and forgotten unless it is Scalekit's and new.  What it tells goes to the
 * watches of the client and to the handler; both from the loop, later than this call, so that the
 * answer can leave first.
 *
 * Nothing depends on deliveries.  One that is lost, late, doubled or overtaken costs a look-up at
 * most, and a delay: while deliveries come (one that tells a status in the last ten minutes, and looks
 * show little that they have not told) watches look rarely, once a minute or so, or every five minutes
 * at what has settled, and those of a connection list every five to ten; when they stop coming, as
 * often as without them.
 *
 * Ready-made receivers: webhook_server.h.  Without a client: webhook.h. */
#ifndef SCALEKIT_WEBHOOK_DELIVER_H
#define SCALEKIT_WEBHOOK_DELIVER_H

#include <scalekit/webhook.h>

SCALEKIT_BEGIN

/* Told of every event once, in the order in which they came.  The event is borrowed: it lives until
 * this returns.  May call anything, also free the client.
 *
 * event->overtaken: of a status_updated; another one of that account, which occurred later, has been
 * told already.  That is known of the 65,000 or so accounts that changed last, where both events have
 * a time, and a status that this version knows. */
typedef void (*scalekit_webhook_cb)(scalekit_client *client,
                                    const struct scalekit_webhook_event *event, void *user);

#define SCALEKIT_WEBHOOK_MAX_SECRETS 16

/* Whom to believe, and whom to tell. */
struct scalekit_webhook_accept_params {
    size_t struct_size;
    /* As in scalekit_webhook_rules: the endpoint's, and while secrets change the old and the new one.
     * 1 to 16; kept in memory that is cleansed when they are replaced, or the client is freed. */
    const char *const *secrets;
    size_t n_secrets;
    int64_t tolerance;      /* seconds; 0: SCALEKIT_WEBHOOK_TOLERANCE */
    scalekit_webhook_cb cb; /* NULL: only the watches are told */
    void *user;
};

/* From now on deliveries with these secrets are accepted, and no others.  May be called again, to
 * replace all of it: what was accepted before is told to the new handler.
 *
 *   params   copied
 *   problem  NULL, or set to a static sentence that names the member that is wrong; NULL
 *            when it succeeds
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: the client is NULL, there is no secret or more than 16,
 * one cannot be read, or the tolerance is negative; SCALEKIT_ERR_CLOSED: the client is being freed;
 * SCALEKIT_ERR_NOMEM: everything is as it was. */
SCALEKIT_API scalekit_err
scalekit_webhook_accept(scalekit_client *client,
                        const struct scalekit_webhook_accept_params *params, const char **problem);

/* Takes in what was posted.  On the client's thread; from others see submit.h.  Nothing is kept of
 * the arguments, and no callback comes from inside.
 *
 * What it says is judged as scalekit_webhook_open() does, at the client's time; an interceptor's is
 * INVALID, as it is no event.  Then:
 *
 *   SCALEKIT_WEBHOOK_GOOD       it is new, and will be told; also when the client is freed before
 *   SCALEKIT_WEBHOOK_DUPLICATE  its webhook-id, or the event's id, was seen before: it is not told.
 *                               Each is remembered for 30 minutes, or until 65,536 others have come
 *   SCALEKIT_WEBHOOK_BUSY       4,096 events, or 16 MiB of them, wait to be told: it will come again
 *   SCALEKIT_WEBHOOK_INVALID    the client is NULL or being freed, or as there
 *   SCALEKIT_WEBHOOK_BAD_SECRET scalekit_webhook_accept() has not been called */
SCALEKIT_API enum scalekit_webhook_verdict scalekit_webhook_deliver(
    scalekit_client *client, const struct scalekit_webhook_delivery *delivery);

SCALEKIT_END

#endif
