/* round.h - a round: due targets, seen with as few requests as possible (api/survey.h). */
#ifndef SKI_WATCH_ROUND_H
#define SKI_WATCH_ROUND_H

#include "watch/engine.h"

/* Asks for these targets, which are not due any more.  false: out of memory, nothing has happened. */
bool ski_round_start(struct ski_engine *engine, struct ski_target *const *targets, size_t n);

/* Of one that is wanted: whether a request that may show it is under way, and not only planned. */
bool ski_round_is_asking(const struct ski_target *target);

/* A round that asks for a target does not do so any more. */
void ski_round_drop(struct ski_target *target);

/* The client goes, or nothing is followed any more: everything under way is given up. */
void ski_rounds_abandon(struct ski_engine *engine);

#endif
