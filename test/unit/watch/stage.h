/* stage.h - an environment with an event feed, by script, and somebody who hears what it tells.
 *
 * Time is virtual.  The test's clock begins at 10:00, and the feed's newest event is of 09:59. */
#ifndef TEST_WATCH_STAGE_H
#define TEST_WATCH_STAGE_H

#include "virtual.h"
#include "watch/engine.h"

#define FEED "POST /api/v1/events/paginated"

/* Text of an event, of data, of a page. */
#define AT(hour) "2026-08-21T" hour "Z"
#define EVENT(id, type, at, data)                                                                  \
    "{\"id\":\"" id "\",\"type\":\"connected_account." type "\",\"occurred_at\":\"" at             \
    "\",\"data\":" data "}"
#define DATA(account, status)           "{\"id\":\"" account "\",\"status\":\"" status "\"}"
#define STATUS(id, at, account, status) EVENT(id, "status_updated", AT(at), DATA(account, status))
#define PAGE(events)                    "{\"events\":[" events "]}"
#define PAGE_AND(token, events)         "{\"next_page_token\":\"" token "\",\"events\":[" events "]}"
#define OLD_EVENT                       STATUS("evt_0", "09:59:00", "ca_0", "ACTIVE")

struct stage {
    struct fixture f;
    struct ski_engine *engine;
    struct ski_listener listener;
    char heard[2048]; /* of the feed: "ca_1 ACTIVE, " and so on */
    scalekit_time heard_at;
    unsigned turns; /* of trust */
    unsigned suspicions;
    bool listening;
    scalekit_watch *watch;
};

void stage_open(struct stage *stage); /* nothing is followed yet */
void stage_open_slow(struct stage *stage, unsigned max_requests_per_minute); /* 0: no ceiling */
void stage_close(struct stage *stage);
void stage_listen(struct stage *stage);
void stage_ignore(struct stage *stage);
/* Follows ca_1, which is PENDING_AUTH for ever, beside. */
void stage_watch(struct stage *stage);

void stage_once(struct stage *stage, const char *page); /* borrowed */
void stage_always(struct stage *stage, const char *page);

unsigned stage_reads(const struct stage *stage); /* pages asked for so far */
/* Lets time pass until that many more have been answered. */
void stage_read(struct stage *stage, unsigned pages);
/* Until the feed is trusted: listens, and reads what is old. */
void stage_begin(struct stage *stage);
/* The n-th page's request, from 0. */
const struct service_request *stage_request(const struct stage *stage, unsigned n);

#endif
