/* schedule.h - when a watch wishes for a look, when a group has its next round, when a watch ends.
 *
 * The first look comes first_check after a watch starts; then one every interval during its fast
 * period; then each pause is a third longer than the last, up to the maximum.  While events tell
 * what happens, a pause is that of their guard.  A target that could not be looked at has another
 * look after 1, 2, 4 … 30 seconds.
 *
 * A wish comes half an interval early, and waits: the rounds of all groups start at the same beats,
 * one interval apart, so that what can be seen together is.  Where the beats lie is random.  What is
 * urgent does not wait. */
#ifndef SKI_WATCH_SCHEDULE_H
#define SKI_WATCH_SCHEDULE_H

#include "watch/engine.h"

bool ski_schedule_init(struct ski_engine *engine);
void ski_schedule_close(struct ski_engine *engine);

/* The watch's end has been set, or its wish is to come after `delay_ms`. */
void ski_schedule_watch(struct ski_engine *engine, scalekit_watch *watch, int64_t delay_ms);
void ski_schedule_end(struct ski_engine *engine, scalekit_watch *watch);

/* After an observation: the watch's next wish. */
void ski_schedule_next(struct ski_engine *engine, scalekit_watch *watch,
                       const struct scalekit_error *error);

/* A target is to be looked at, in its group's next round or, when urgent, at once; unless it is
 * being asked for already.  false: out of memory. */
bool ski_schedule_look(struct ski_engine *engine, struct ski_target *target, bool urgent);

/* Something may have happened to a target: it is looked at at once, also when it waits for its turn in
 * a round; and once more if it is being asked for, as the answer may be older. */
void ski_schedule_look_now(struct ski_engine *engine, struct ski_target *target);

/* Something has happened, and what will probably be told by itself: a look is to come soon, in case
 * that it is not. */
void ski_schedule_look_soon(struct ski_engine *engine, struct ski_target *target);

/* A watch has come to its end: it ends as soon as it has been looked at once more, and soon in any
 * case. */
void ski_schedule_last_look(struct ski_engine *engine, scalekit_watch *watch);

/* None of a group's targets is asked for any more. */
void ski_schedule_group_done(struct ski_engine *engine, struct ski_group *group);

/* A round has ended: another one may start. */
void ski_schedule_round_done(struct ski_engine *engine);

/* Nobody tells any more what looks would show: wishes come as early as they would have without. */
void ski_schedule_hasten(struct ski_engine *engine);

#endif
