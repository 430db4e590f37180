/* forward.h - deliveries posted on to a server of the developer's, as they came and in that order.
 *
 * One at a time, each on a connection of its own: what the server makes of a connection never
 * decides what becomes of the next delivery.  Nothing is tried again. */
#ifndef CLI_FORWARD_H
#define CLI_FORWARD_H

#include <scalekit/webhook.h>

struct event_base;
struct forward;

#define FORWARD_MOST       1000               /* deliveries that wait */
#define FORWARD_MOST_BYTES (64 * 1024 * 1024) /* of them together */

/* What became of a delivery. */
struct forward_result {
    const char *delivery_id;
    int status;          /* that the server answered; 0: it did not */
    int64_t elapsed_ms;  /* with the connecting */
    const char *problem; /* why it did not */
};

/* Told of each delivery that was taken, from the loop.  It must not free the forward. */
typedef void (*forward_cb)(const struct forward_result *result, void *user);

/* Where to post.  Waits for the server's name to be looked up, and for nothing else.
 *
 *   url        "http://HOST:PORT/PATH", the port 80 when absent; copied
 *   answer_ms  the time for a delivery, from connecting to the answer
 *
 * NULL, with what is wrong about the URL in `problem`; "": memory ran out. */
#define FORWARD_PROBLEM_SIZE 256
struct forward *forward_new(struct event_base *base, const char *url, int64_t answer_ms,
                            forward_cb cb, void *user, char problem[FORWARD_PROBLEM_SIZE]);
/* Without a word to anybody.  NULL is ignored. */
void forward_free(struct forward *forward);

/* Whether it leads to who listens on this numeric address and port. */
bool forward_leads_to(const struct forward *forward, const char *address, uint16_t port);

/* Posts a copy of the delivery: its body, its type and the headers of its signature.  NULL; or why
 * it was not taken. */
const char *forward_post(struct forward *forward, const struct scalekit_webhook_delivery *delivery);

/* How many have not been told of yet. */
size_t forward_waiting(const struct forward *forward);

#endif
