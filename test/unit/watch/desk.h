/* desk.h - what a client asks of a realm, held until a test says that it is answered, and what it was
 * like when that was read. */
#ifndef TEST_WATCH_DESK_H
#define TEST_WATCH_DESK_H

#include "unit/watch/referee.h"

enum desk_kind { DESK_LOOK_UP, DESK_LIST, DESK_FEED, DESK_OTHER, DESK_KINDS };

struct desk {
    struct ski_carrier carrier;
    struct referee *referee;
    struct ski_list waiting; /* exchanges */
    bool holds[DESK_KINDS];  /* these are not answered by themselves */
    int64_t as_of_ms;        /* what is answered by itself is of then; INT64_MAX: of now */
    unsigned asked[DESK_KINDS];
    /* Of every request; NULL. */
    void (*on_ask)(struct desk *desk, enum desk_kind kind, const struct ski_exchange *exchange);
    void *user;
};

/* Takes the place of the realm's carrier; everything is answered at once at first. */
void desk_open(struct desk *desk, struct referee *referee);

void desk_hold(struct desk *desk, bool holds); /* all kinds */

/* How many of a kind wait for their answer. */
unsigned desk_waiting(const struct desk *desk, enum desk_kind kind);
/* Answers the first that waits, as it was then.  false: none does. */
bool desk_answer(struct desk *desk, enum desk_kind kind, int64_t as_of_ms);

/* To that time; the second: until one of that kind waits, but not beyond. */
void desk_pass(struct desk *desk, int64_t end_ms);
bool desk_await(struct desk *desk, enum desk_kind kind, int64_t end_ms);

#endif
