/* look.h - the first source of the engine: one account, one look at /connected_accounts/details.
 *
 * Never at /auth, which hands out secrets and leaves an audit event. */
#ifndef SKI_WATCH_LOOK_H
#define SKI_WATCH_LOOK_H

#include "watch/engine.h"

/* Starts a look; it reports to ski_engine_observe().  NULL: it could not be started. */
scalekit_request *ski_look_start(struct ski_target *target);

#endif
