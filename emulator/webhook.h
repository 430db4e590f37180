/* webhook.h - who is told of events, and the journal of what they were told.
 *
 * An event becomes one delivery per endpoint, which is pending until it is settled: in its
 * endpoint's queue, waiting for its time, held until another has overtaken it, or on one of the
 * endpoint's connections.  What becomes of it by script is drawn when it is made.  The journal has
 * the last 10,000 deliveries (record.h), settled or not. */
#ifndef EMU_WEBHOOK_H
#define EMU_WEBHOOK_H

#include "emulator.h"
#include "post.h"
#include "record.h"
#include "sign.h"
#include <sys/queue.h>

#define EMU_MAX_ENDPOINTS   16
#define EMU_MAX_CONNECTIONS 64 /* of an endpoint */
#define EMU_MAX_PENDING     100000

struct emu_event;
struct emu_endpoint;

/* An event as it is sent, shared by its deliveries. */
struct emu_payload {
    size_t references;
    char *text;
};

struct emu_delivery {
    TAILQ_ENTRY(emu_delivery) next;
    struct emu_endpoint *endpoint;
    uint64_t number;
    char id[EMU_ID_SIZE], event_id[EMU_ID_SIZE];
    const char *event_type;
    struct emu_payload *payload; /* NULL: settled */
    struct event *timer;         /* NULL: has never had to wait */
    int attempts, status;
    enum scalekit_delivery_outcome outcome;
    bool duplicate; /* to be sent once more */
    bool held;      /* waits to be overtaken */
    bool kept;      /* in the journal */
};

TAILQ_HEAD(emu_deliveries, emu_delivery);

struct emu_line {
    struct emu_endpoint *endpoint;
    struct emu_poster *poster;     /* NULL: not used yet */
    struct emu_delivery *delivery; /* NULL: idle */
};

struct emu_endpoint {
    struct emu_webhooks *webhooks;
    struct scalekit_emulator_webhook config; /* without its texts */
    char *url, *secret;
    struct emu_key_bytes key;
    struct emu_place place;
    SSL_CTX *tls; /* NULL: plain HTTP */
    uint64_t chance;
    struct emu_deliveries queue, waiting, held;
    struct emu_line lines[EMU_MAX_CONNECTIONS];
};

struct emu_webhooks {
    struct event_base *base;
    const char *ca_file; /* the emulator's own; NULL: none */
    struct emu_endpoint *endpoints[EMU_MAX_ENDPOINTS];
    size_t n_endpoints;
    size_t max_pending;
    struct emu_record journal;
    struct scalekit_emulator_stats counts; /* those of webhooks only */
};

void emu_webhooks_init(struct emu_webhooks *webhooks, struct event_base *base, const char *ca_file,
                       uint64_t first_number);
void emu_webhooks_free(struct emu_webhooks *webhooks);

/* As scalekit_emulator_add_webhook() says; `error` is never NULL.  NULL when it is refused. */
struct emu_endpoint *emu_webhook_add(struct emu_webhooks *webhooks,
                                     const struct scalekit_emulator_webhook *config, char *error,
                                     size_t error_size);
struct emu_endpoint *emu_webhook_find(const struct emu_webhooks *webhooks, const char *url);

/* Tells every endpoint, as a listener of emu_events.  One for which there is no memory is not
 * told. */
void emu_webhooks_tell(const struct emu_event *event, void *webhooks);

#endif
