/* event.h - an opened event, kept by whoever holds a reference. */
#ifndef SKI_WEBHOOK_EVENT_H
#define SKI_WEBHOOK_EVENT_H

#include "base/arena.h"
#include "base/list.h"
#include <scalekit/webhook.h>

/* Lives in its own arena, with what is needed to free it. */
struct ski_webhook_event {
    struct scalekit_webhook_event event; /* first: what the application sees */
    unsigned refs;
    size_t body_length;
    struct ski_list link; /* for its first holder */
    struct ski_mem mem;
    struct ski_arena arena;
};

/* Takes a reference, which scalekit_webhook_event_free() drops.  NULL is ignored. */
const struct scalekit_webhook_event *ski_webhook_event_ref(
    const struct scalekit_webhook_event *event);

#endif
