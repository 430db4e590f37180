/* account_event.h - what the events of connected accounts say, in the feed and in webhooks. */
#ifndef SKI_API_ACCOUNT_EVENT_H
#define SKI_API_ACCOUNT_EVENT_H

#include "base/arena.h"
#include <scalekit/connected_account.h>
#include <scalekit/event.h>

/* The account as an event's data shows it, in `arena`: without updated_at and secrets, and perhaps
 * without the connection's name.  Its status is the one of that moment only in a status_updated:
 * others still show the one before.  *out is NULL when it failed: also when there is no id.
 *
 * Returns SCALEKIT_OK, SCALEKIT_ERR_DECODE or SCALEKIT_ERR_NOMEM. */
scalekit_err ski_account_of_event(struct ski_arena *arena, const struct scalekit_event *event,
                                  const struct scalekit_connected_account **out);

/* What the account of a status_updated was before: UNKNOWN and NULL when that is not said.
 *
 * Returns SCALEKIT_OK, SCALEKIT_ERR_DECODE or SCALEKIT_ERR_NOMEM. */
scalekit_err ski_old_status_of_event(struct ski_arena *arena, const struct scalekit_event *event,
                                     enum scalekit_account_status *old_status, const char **text);

#endif
