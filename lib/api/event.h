/* event.h - what every event has, in the feed and in webhooks. */
#ifndef SKI_API_EVENT_H
#define SKI_API_EVENT_H

#include "json/type.h"

/* struct scalekit_event; nothing of it is required. */
extern const struct ski_type ski_event_type;

#endif
