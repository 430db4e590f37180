/* loop.h - what every part of a client needs of its surroundings: the caller's event_base, memory,
 * clock, log, timers, and "later".
 *
 * Timers.  All timers of a client share one wheel and one libevent timer.
 *
 * Later.  Work that must not run inside the current call (every callback to the application, every
 * failure that is known at once) is deferred: tasks run from a zero timer, at most 256 a turn.  It
 * must not be event_active() on itself, which starves the rest of the loop.
 *
 * Holding.  libevent's dispatch returns when no event is pending.  Our one timer is armed only
 * while somebody holds the loop (a pending request, a watch), or a task waits; timers of idle
 * things stay in the wheel and are caught up with at the next hold. */
#ifndef SKI_BASE_LOOP_H
#define SKI_BASE_LOOP_H

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/wheel.h"

struct event;

/* Embedded in what is to be done later. */
struct ski_task {
    struct ski_list link;
    void (*run)(struct ski_task *task);
};

typedef uint32_t ski_timer;
#define SKI_NO_TIMER UINT32_MAX

struct ski_timer_slot {
    void (*fire)(void *owner);
    void *owner; /* while free: unused */
    ski_timer next_free;
};

struct ski_loop {
    struct event_base *base;
    struct ski_mem mem;
    struct ski_clock clock;
    struct ski_log log;

    struct event *alarm; /* the one libevent timer of the wheel */
    struct event *turn;  /* the zero timer of tasks */
    struct ski_list tasks;
    struct ski_wheel wheel;
    struct ski_timer_slot *timers;
    ski_timer n_timers, free_timer;
    int64_t alarm_ms; /* what `alarm` is set to; INT64_MAX when it is not pending */
    unsigned holds;
    /* The first hold was taken, the last one given back; NULL: nobody cares. */
    void (*busy)(struct ski_loop *loop);
    void (*idle)(struct ski_loop *loop);
    bool firing;

    /* A task may free the loop it runs from: ski_loop_free() then only marks it, and `gone` is
     * called when the turn has unwound; otherwise before ski_loop_free() returns.  The owner frees
     * the memory around the loop there.  NULL: nothing to do. */
    bool running, dead;
    void (*gone)(struct ski_loop *loop);
};

/* mem, clock, log and gone must be set before.  SCALEKIT_OK or SCALEKIT_ERR_NOMEM: `gone` is not
 * called then. */
scalekit_err ski_loop_init(struct ski_loop *loop, struct event_base *base);
void ski_loop_free(struct ski_loop *loop); /* tasks that still wait are forgotten */

int64_t ski_loop_now(const struct ski_loop *loop); /* monotonic milliseconds */

/* SKI_NO_TIMER when memory ran out.  A new timer is not set. */
ski_timer ski_timer_new(struct ski_loop *loop, void (*fire)(void *owner), void *owner);
void ski_timer_free(struct ski_loop *loop, ski_timer timer); /* SKI_NO_TIMER is ignored */
/* Due times are ski_loop_now()'s.  A timer fires once; setting it again moves it. */
void ski_timer_set(struct ski_loop *loop, ski_timer timer, int64_t due_ms);
void ski_timer_clear(struct ski_loop *loop, ski_timer timer);
bool ski_timer_is_set(const struct ski_loop *loop, ski_timer timer);

/* Fires everything that is due, by the loop's clock; at most 4,096 timers, then again next turn. */
void ski_loop_run_timers(struct ski_loop *loop);
int64_t ski_loop_next_ms(const struct ski_loop *loop); /* INT64_MAX: none */

void ski_task_init(struct ski_task *task, void (*run)(struct ski_task *task));
/* Runs it once, from the loop; no effect while it waits already. */
void ski_task_defer(struct ski_loop *loop, struct ski_task *task);
void ski_task_cancel(struct ski_task *task); /* harmless when it does not wait */

void ski_loop_hold(struct ski_loop *loop);
void ski_loop_release(struct ski_loop *loop);

#endif
