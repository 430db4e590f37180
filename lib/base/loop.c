/* Design.  What the two libevent timers are set to is decided in two places only: arm(), which
 * wakes the wheel, and wake(), which runs tasks; both may be called at any time.
 *
 * The alarm is lazy: a timer set later than it, or cleared, leaves it alone, and it then finds
 * nothing due and is set anew.  So a thousand deadlines moved per turn cost no call to libevent.
 *
 * event_add() can only fail for want of memory.  Nothing is lost then: the next timer that is set
 * or task that is deferred tries again. */
#include "base/loop.h"
#include <event2/event.h>

#define TASKS_PER_TURN  256
#define ROUNDS_PER_TURN 4 /* from an answer to the next request: deliver, start, frame, write */
#define TIMERS_PER_TURN 4096
#define FIRST_TIMERS    16

/* --- tasks ----------------------------------------------------------------------------------------- */

static void wake(struct ski_loop *loop)
{
    static const struct timeval at_once = {0, 0};

    if (!evtimer_pending(loop->turn, NULL))
        evtimer_add(loop->turn, &at_once);
}

static void forget_all(struct ski_list *tasks)
{
    while (ski_list_pop_front(tasks))
        ;
}

static void release(struct ski_loop *loop)
{
    forget_all(&loop->tasks);
    if (loop->alarm)
        event_free(loop->alarm);
    if (loop->turn)
        event_free(loop->turn);
    loop->alarm = loop->turn = NULL;
    ski_free(&loop->mem, loop->timers);
    loop->timers = NULL;
    ski_wheel_free(&loop->wheel);
}

static void destroy(struct ski_loop *loop)
{
    release(loop);
    if (loop->gone)
        loop->gone(loop);
}

/* Runs what waits, and in further rounds what that defers, so that a request passes from its callback
 * to the socket in one turn.  Rounds and tasks are bounded: the rest of the loop must have its turn. */
static void on_turn(evutil_socket_t fd, short what, void *user)
{
    struct ski_loop *loop = user;
    struct ski_list batch, *node;
    int budget = TASKS_PER_TURN;

    (void)fd;
    (void)what;
    ski_list_init(&batch);
    loop->running = true;
    for (int round = 0; round < ROUNDS_PER_TURN && budget > 0; round++) {
        ski_list_move_all(&batch, &loop->tasks);
        while (!loop->dead && budget > 0 && (node = ski_list_pop_front(&batch))) {
            struct ski_task *task = SKI_CONTAINER(node, struct ski_task, link);

            budget--;
            task->run(task);
        }
    }
    loop->running = false;
    ski_list_move_all(&batch, &loop->tasks);
    if (loop->dead) {
        forget_all(&batch);
        destroy(loop);
        return;
    }
    ski_list_move_all(&loop->tasks, &batch);
    if (!ski_list_empty(&loop->tasks))
        wake(loop);
}

void ski_task_init(struct ski_task *task, void (*run)(struct ski_task *task))
{
    ski_list_init(&task->link);
    task->run = run;
}

void ski_task_defer(struct ski_loop *loop, struct ski_task *task)
{
    if (!ski_list_linked(&task->link))
        ski_list_push_back(&loop->tasks, &task->link);
    if (!loop->running)
        wake(loop);
}

void ski_task_cancel(struct ski_task *task)
{
    ski_list_remove(&task->link);
}

/* --- the alarm ------------------------------------------------------------------------------------- */

static void disarm(struct ski_loop *loop)
{
    evtimer_del(loop->alarm);
    loop->alarm_ms = INT64_MAX;
}

/* Sees to it that the alarm comes no later than the first timer. */
static void arm(struct ski_loop *loop)
{
    int64_t next = ski_wheel_next_ms(&loop->wheel);
    struct timeval delay = {0, 0};
    int64_t wait;

    if (loop->holds == 0 || loop->firing || next >= loop->alarm_ms)
        return;
    wait = next - ski_loop_now(loop);
    if (wait > 0) {
        delay.tv_sec = (time_t)(wait / 1000);
        delay.tv_usec = (suseconds_t)(wait % 1000 * 1000);
    }
    if (evtimer_add(loop->alarm, &delay) == 0)
        loop->alarm_ms = next;
}

static void on_alarm(evutil_socket_t fd, short what, void *user)
{
    struct ski_loop *loop = user;

    (void)fd;
    (void)what;
    loop->alarm_ms = INT64_MAX;
    ski_loop_run_timers(loop);
}

void ski_loop_run_timers(struct ski_loop *loop)
{
    int64_t now = ski_loop_now(loop);

    if (loop->firing)
        return;
    loop->firing = true;
    for (int i = 0; i < TIMERS_PER_TURN && !loop->dead; i++) {
        uint32_t timer = ski_wheel_take(&loop->wheel, now);
        struct ski_timer_slot slot;

        if (timer == SKI_WHEEL_NONE)
            break;
        slot = loop->timers[timer]; /* a copy: the array may move while it fires */
        slot.fire(slot.owner);
    }
    loop->firing = false;
    if (!loop->dead)
        arm(loop);
    else if (!loop->running)
        destroy(loop);
}

int64_t ski_loop_next_ms(const struct ski_loop *loop)
{
    return ski_wheel_next_ms(&loop->wheel);
}

void ski_loop_hold(struct ski_loop *loop)
{
    if (loop->holds++ == 0 && loop->busy)
        loop->busy(loop);
    arm(loop);
}

void ski_loop_release(struct ski_loop *loop)
{
    if (--loop->holds > 0)
        return;
    disarm(loop);
    if (loop->idle)
        loop->idle(loop);
}

/* --- timers ---------------------------------------------------------------------------------------- */

static bool more_timers(struct ski_loop *loop)
{
    uint32_t n = loop->n_timers ? loop->n_timers * 2 : FIRST_TIMERS;
    struct ski_timer_slot *timers;

    if (n < loop->n_timers || !ski_wheel_reserve(&loop->wheel, n))
        return false;
    timers = ski_realloc_array(&loop->mem, loop->timers, n, sizeof *timers);
    if (!timers)
        return false;
    loop->timers = timers;
    for (ski_timer timer = n; timer-- > loop->n_timers;) {
        timers[timer].next_free = loop->free_timer;
        loop->free_timer = timer;
    }
    loop->n_timers = n;
    return true;
}

ski_timer ski_timer_new(struct ski_loop *loop, void (*fire)(void *owner), void *owner)
{
    ski_timer timer;

    if (loop->free_timer == SKI_NO_TIMER && !more_timers(loop))
        return SKI_NO_TIMER;
    timer = loop->free_timer;
    loop->free_timer = loop->timers[timer].next_free;
    loop->timers[timer] = (struct ski_timer_slot){fire, owner, SKI_NO_TIMER};
    return timer;
}

void ski_timer_free(struct ski_loop *loop, ski_timer timer)
{
    if (timer == SKI_NO_TIMER)
        return;
    ski_wheel_clear(&loop->wheel, timer);
    loop->timers[timer].next_free = loop->free_timer;
    loop->free_timer = timer;
}

void ski_timer_set(struct ski_loop *loop, ski_timer timer, int64_t due_ms)
{
    ski_wheel_set(&loop->wheel, timer, due_ms);
    arm(loop);
}

void ski_timer_clear(struct ski_loop *loop, ski_timer timer)
{
    ski_wheel_clear(&loop->wheel, timer);
}

bool ski_timer_is_set(const struct ski_loop *loop, ski_timer timer)
{
    return ski_wheel_is_set(&loop->wheel, timer);
}

/* --- life ------------------------------------------------------------------------------------------ */

scalekit_err ski_loop_init(struct ski_loop *loop, struct event_base *base)
{
    loop->base = base;
    ski_list_init(&loop->tasks);
    ski_wheel_init(&loop->wheel, &loop->mem, ski_loop_now(loop));
    loop->timers = NULL;
    loop->n_timers = 0;
    loop->free_timer = SKI_NO_TIMER;
    loop->alarm_ms = INT64_MAX;
    loop->holds = 0;
    loop->firing = loop->running = loop->dead = false;
    loop->alarm = evtimer_new(base, on_alarm, loop);
    loop->turn = evtimer_new(base, on_turn, loop);
    if (loop->alarm && loop->turn)
        return SCALEKIT_OK;
    release(loop);
    return SCALEKIT_ERR_NOMEM;
}

void ski_loop_free(struct ski_loop *loop)
{
    if (loop->running || loop->firing)
        loop->dead = true; /* the call that is running destroys it */
    else
        destroy(loop);
}

int64_t ski_loop_now(const struct ski_loop *loop)
{
    return ski_clock_ms(&loop->clock);
}
