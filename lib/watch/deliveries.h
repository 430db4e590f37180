/* deliveries.h - what is posted to the application, as a source: scalekit/webhook_deliver.h.
 *
 *   deliver ──► verified ──► new? ──► waits ──┄ loop ┄──► engine ──► handler
 *
 * What waits was answered with a 2xx and will not come again, so it is told in any case, at the
 * latest when the client is freed. */
#ifndef SKI_WATCH_DELIVERIES_H
#define SKI_WATCH_DELIVERIES_H

#include "base/loop.h"
#include "watch/reliance.h"
#include "watch/seen_ids.h"
#include <scalekit/webhook_deliver.h>

struct ski_engine;
struct ski_observation;

struct ski_deliveries {
    struct ski_engine *engine;
    const char **secrets; /* and their texts behind, in one block; NULL: nothing is accepted */
    size_t n_secrets, secrets_size;
    int64_t tolerance;
    scalekit_webhook_cb cb;
    void *user;
    struct ski_seen_ids ids, event_ids;
    struct ski_reliance reliance;
    ski_timer timer;         /* reviews whether they flow; SKI_NO_TIMER: not needed yet */
    struct ski_list waiting; /* to be told: struct ski_webhook_event */
    size_t n_waiting, n_bytes;
    struct ski_task task;
};

void ski_deliveries_init(struct ski_deliveries *deliveries, struct ski_engine *engine);
/* The client goes: what waits is told, nothing is accepted any more. */
void ski_deliveries_close(struct ski_deliveries *deliveries);
void ski_deliveries_free(struct ski_deliveries *deliveries);

/* Whether they tell of changes, so that looks may be rare.  When that changes ski_engine_trust() is
 * called. */
bool ski_deliveries_are_relied_on(const struct ski_deliveries *deliveries);

/* Something else than a delivery has shown another status of an account that was seen before. */
void ski_deliveries_compare(struct ski_deliveries *deliveries, const struct ski_observation *seen);

#endif
