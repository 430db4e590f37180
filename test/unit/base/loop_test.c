#include "base/loop.h"
#include "harness.h"
#include <event2/event.h>
#include <stdlib.h>

static struct test_loop test;
static struct test_clock now;

static void start(void)
{
    test_clock_init(&now);
    test_loop_init(&test, &now.clock);
}

/* Runs the loop until libevent has nothing to wait for, which a test's tasks see to. */
static void run(void)
{
    event_base_dispatch(test.base);
}

/* --- tasks ---------------------------------------------------------------------------------------- */

struct job {
    struct ski_task task; /* first */
    int runs, again;      /* how often it ran, and is to defer itself */
    struct job *cancel;
};

static char order[64];

static void do_job(struct ski_task *task)
{
    struct job *job = (struct job *)task;

    job->runs++;
    if (job->again > 0) {
        job->again--;
        ski_task_defer(&test.loop, task);
    }
    if (job->cancel)
        ski_task_cancel(&job->cancel->task);
}

static void job_init(struct job *job)
{
    memset(job, 0, sizeof *job);
    ski_task_init(&job->task, do_job);
}

static void a_task_runs_once_and_later(void)
{
    struct job job;

    start();
    job_init(&job);
    ski_task_defer(&test.loop, &job.task);
    ski_task_defer(&test.loop, &job.task);
    CU_ASSERT_EQUAL(job.runs, 0);
    run();
    CU_ASSERT_EQUAL(job.runs, 1);
    run();
    CU_ASSERT_EQUAL(job.runs, 1);
    ski_task_defer(&test.loop, &job.task);
    run();
    CU_ASSERT_EQUAL(job.runs, 2);
    test_loop_free(&test);
}

static void at_most_256_tasks_run_in_a_turn(void)
{
    enum { JOBS = 600 };
    static struct job jobs[JOBS];
    int turns = 0, ran = 0;

    start();
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i]);
        ski_task_defer(&test.loop, &jobs[i].task);
    }
    while (ran < JOBS && turns++ < 10) {
        int before = ran;

        event_base_loop(test.base, EVLOOP_ONCE);
        for (ran = 0; ran < JOBS && jobs[ran].runs; ran++)
            ;
        CU_ASSERT(ran - before <= 256);
    }
    CU_ASSERT_EQUAL(turns, 3);
    test_loop_free(&test);
}

/* What a task defers comes after what waited already, even beyond a turn's batch. */
static void tasks_run_in_the_order_they_were_deferred(void)
{
    enum { JOBS = 300 };
    static struct job jobs[JOBS];

    start();
    for (int i = 0; i < JOBS; i++) {
        job_init(&jobs[i]);
        ski_task_defer(&test.loop, &jobs[i].task);
    }
    jobs[0].again = 1;
    event_base_loop(test.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(jobs[255].runs, 1);
    CU_ASSERT_EQUAL(jobs[256].runs, 0);
    CU_ASSERT_PTR_EQUAL(test.loop.tasks.next, &jobs[256].task.link);
    CU_ASSERT_PTR_EQUAL(test.loop.tasks.prev, &jobs[0].task.link);
    run();
    CU_ASSERT_EQUAL(jobs[0].runs, 2);
    CU_ASSERT_EQUAL(jobs[299].runs, 1);
    test_loop_free(&test);
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    *(bool *)user = true;
}

static void a_task_that_defers_itself_does_not_starve_the_loop(void)
{
    struct job job;
    struct timeval one_ms = {0, 1000};
    bool other = false;
    struct event *event;

    start();
    job_init(&job);
    job.again = 1000000000;
    ski_task_defer(&test.loop, &job.task);
    event = evtimer_new(test.base, on_event, &other);
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    evtimer_add(event, &one_ms);
    test_loop_until(&test, &other);
    event_free(event);
    CU_ASSERT(job.runs > 0);
    test_loop_free(&test);
}

static void a_task_may_cancel_itself_and_others(void)
{
    struct job jobs[3];

    start();
    for (int i = 0; i < 3; i++) {
        job_init(&jobs[i]);
        ski_task_defer(&test.loop, &jobs[i].task);
    }
    ski_task_cancel(&jobs[0].task);
    ski_task_cancel(&jobs[0].task);
    jobs[1].cancel = &jobs[2];
    run();
    CU_ASSERT_EQUAL(jobs[0].runs, 0);
    CU_ASSERT_EQUAL(jobs[1].runs, 1);
    CU_ASSERT_EQUAL(jobs[2].runs, 0);
    jobs[1].cancel = &jobs[1];
    jobs[1].again = 5;
    ski_task_defer(&test.loop, &jobs[1].task);
    run();
    CU_ASSERT_EQUAL(jobs[1].runs, 2);
    test_loop_free(&test);
}

/* --- timers --------------------------------------------------------------------------------------- */

struct alarm {
    ski_timer timer, other;
    int fired;
    int64_t again_ms; /* after it fired, set it this much later */
    bool free, run_again;
    char name;
};

static void on_fire(void *owner)
{
    struct alarm *alarm = owner;

    alarm->fired++;
    snprintf(order + strlen(order), sizeof order - strlen(order), "%c", alarm->name);
    CU_ASSERT_FALSE(ski_timer_is_set(&test.loop, alarm->timer));
    if (alarm->again_ms)
        ski_timer_set(&test.loop, alarm->timer, ski_loop_now(&test.loop) + alarm->again_ms);
    if (alarm->free) {
        ski_timer_free(&test.loop, alarm->timer);
        ski_timer_free(&test.loop, alarm->other);
    }
    if (alarm->run_again)
        ski_loop_run_timers(&test.loop);
}

static void alarm_init(struct alarm *alarm, char name)
{
    *alarm = (struct alarm){.other = SKI_NO_TIMER, .name = name};
    alarm->timer = ski_timer_new(&test.loop, on_fire, alarm);
    CU_ASSERT_NOT_EQUAL_FATAL(alarm->timer, SKI_NO_TIMER);
    order[0] = '\0';
}

static void set(const struct alarm *alarm, int64_t after_ms)
{
    ski_timer_set(&test.loop, alarm->timer, ski_loop_now(&test.loop) + after_ms);
}

static void advance(int64_t ms)
{
    test_clock_advance_ms(&now, ms);
    ski_loop_run_timers(&test.loop);
}

static void timers_fire_in_order_when_the_clock_has_moved(void)
{
    struct alarm a, b, c;

    start();
    alarm_init(&a, 'a');
    alarm_init(&b, 'b');
    alarm_init(&c, 'c');
    CU_ASSERT_EQUAL(ski_loop_next_ms(&test.loop), INT64_MAX);
    set(&b, 200);
    set(&c, 300);
    set(&a, 100);
    CU_ASSERT(ski_loop_next_ms(&test.loop) <= ski_loop_now(&test.loop) + 108);
    advance(99);
    CU_ASSERT_STRING_EQUAL(order, "");
    advance(9);
    CU_ASSERT_STRING_EQUAL(order, "a");
    ski_timer_clear(&test.loop, c.timer);
    ski_timer_clear(&test.loop, c.timer);
    set(&a, 10);
    advance(1000);
    CU_ASSERT_STRING_EQUAL(order, "aab");
    test_loop_free(&test);
}

static void a_timer_may_set_free_and_run_timers_while_it_fires(void)
{
    struct alarm repeating, freed, other, nested;

    start();
    alarm_init(&repeating, 'r');
    alarm_init(&freed, 'f');
    alarm_init(&other, 'o');
    alarm_init(&nested, 'n');
    repeating.again_ms = 100;
    freed.free = true;
    freed.other = other.timer;
    nested.run_again = true;
    set(&repeating, 100);
    set(&freed, 100);
    set(&other, 300);
    set(&nested, 100);
    advance(1000);
    CU_ASSERT_EQUAL(repeating.fired, 1);
    CU_ASSERT_EQUAL(freed.fired, 1);
    CU_ASSERT_EQUAL(other.fired, 0);
    CU_ASSERT_EQUAL(nested.fired, 1);
    advance(108);
    CU_ASSERT_EQUAL(repeating.fired, 2);
    ski_timer_free(&test.loop, SKI_NO_TIMER);
    CU_ASSERT_FALSE(ski_timer_is_set(&test.loop, SKI_NO_TIMER));
    test_loop_free(&test);
}

static void a_timer_that_is_always_due_cannot_hang_the_loop(void)
{
    struct alarm a;

    start();
    alarm_init(&a, 'a');
    a.again_ms = -1;
    set(&a, 0);
    ski_loop_run_timers(&test.loop);
    CU_ASSERT_EQUAL(a.fired, 4096);
    ski_loop_hold(&test.loop);
    event_base_loop(test.base, EVLOOP_ONCE);
    CU_ASSERT_EQUAL(a.fired, 8192);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

static void freed_timers_are_used_again(void)
{
    struct alarm alarms[100];
    uint32_t room;

    start();
    for (int i = 0; i < 100; i++)
        alarm_init(&alarms[i], 'x');
    room = test.loop.n_timers;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++) {
            set(&alarms[i], 10);
            ski_timer_free(&test.loop, alarms[i].timer);
        }
        for (int i = 0; i < 100; i++) {
            alarm_init(&alarms[i], 'x');
            CU_ASSERT_FALSE(ski_timer_is_set(&test.loop, alarms[i].timer));
        }
    }
    CU_ASSERT_EQUAL(test.loop.n_timers, room);
    advance(1000);
    CU_ASSERT_STRING_EQUAL(order, "");
    test_loop_free(&test);
}

/* --- the alarm, by the system's clock --------------------------------------------------------------- */

static void on_done(void *owner)
{
    *(bool *)owner = true;
}

static void a_held_loop_wakes_for_its_timers(void)
{
    bool first = false, second = false;
    ski_timer early, late;
    int64_t due;

    test_loop_init(&test, NULL);
    late = ski_timer_new(&test.loop, on_done, &second);
    early = ski_timer_new(&test.loop, on_done, &first);
    ski_loop_hold(&test.loop);
    due = ski_loop_now(&test.loop) + 20;
    ski_timer_set(&test.loop, late, due + 600000);
    ski_timer_set(&test.loop, early, due); /* moves the alarm forward */
    test_loop_until(&test, &first);
    CU_ASSERT(ski_loop_now(&test.loop) >= due);
    CU_ASSERT_FALSE(second);
    due = ski_loop_now(&test.loop) + 20;
    ski_timer_set(&test.loop, late, due);
    test_loop_until(&test, &second);
    CU_ASSERT(ski_loop_now(&test.loop) >= due);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

static void a_timer_moved_back_leaves_the_alarm_alone(void)
{
    bool done = false;
    ski_timer timer;
    int64_t due, alarm;

    test_loop_init(&test, NULL);
    timer = ski_timer_new(&test.loop, on_done, &done);
    ski_loop_hold(&test.loop);
    due = ski_loop_now(&test.loop) + 10;
    ski_timer_set(&test.loop, timer, due);
    alarm = test.loop.alarm_ms;
    ski_timer_set(&test.loop, timer, due + 30);
    CU_ASSERT_EQUAL(test.loop.alarm_ms, alarm);
    test_loop_until(&test, &done);
    CU_ASSERT(ski_loop_now(&test.loop) >= due + 30);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

static void timers_nobody_holds_for_keep_no_loop_alive(void)
{
    bool done = false;
    ski_timer timer;

    start();
    timer = ski_timer_new(&test.loop, on_done, &done);
    ski_timer_set(&test.loop, timer, ski_loop_now(&test.loop) + 1000);
    CU_ASSERT_EQUAL(event_base_dispatch(test.base), 1); /* nothing was pending */
    ski_loop_hold(&test.loop);
    ski_loop_hold(&test.loop);
    ski_loop_release(&test.loop);
    CU_ASSERT_NOT_EQUAL(test.loop.alarm_ms, INT64_MAX);
    ski_loop_release(&test.loop);
    CU_ASSERT_EQUAL(test.loop.alarm_ms, INT64_MAX);
    CU_ASSERT_EQUAL(event_base_dispatch(test.base), 1);
    CU_ASSERT_FALSE(done);
    test_loop_free(&test);
}

static int busy_calls, idle_calls;

static void note_busy(struct ski_loop *loop)
{
    (void)loop;
    busy_calls++;
}

static void note_idle(struct ski_loop *loop)
{
    (void)loop;
    idle_calls++;
}

static void the_first_hold_and_the_last_are_told(void)
{
    start();
    busy_calls = idle_calls = 0;
    test.loop.busy = note_busy;
    test.loop.idle = note_idle;
    for (int round = 1; round <= 2; round++) {
        ski_loop_hold(&test.loop);
        ski_loop_hold(&test.loop);
        ski_loop_release(&test.loop);
        CU_ASSERT_EQUAL(busy_calls, round);
        CU_ASSERT_EQUAL(idle_calls, round - 1);
        ski_loop_release(&test.loop);
        CU_ASSERT_EQUAL(idle_calls, round);
    }
    test_loop_free(&test);
}

static void the_next_hold_catches_up(void)
{
    bool done = false;
    ski_timer timer;

    start();
    timer = ski_timer_new(&test.loop, on_done, &done);
    ski_timer_set(&test.loop, timer, ski_loop_now(&test.loop) + 1000);
    test_clock_advance_ms(&now, 5000);
    test_loop_turn(&test);
    CU_ASSERT_FALSE(done);
    ski_loop_hold(&test.loop);
    CU_ASSERT_FALSE(done);
    test_loop_turn(&test);
    CU_ASSERT(done);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

/* --- life ----------------------------------------------------------------------------------------- */

static int gone;

static void on_gone(struct ski_loop *loop)
{
    CU_ASSERT_PTR_EQUAL(loop, &test.loop);
    gone++;
}

static void free_the_loop(struct ski_task *task)
{
    struct job *job = (struct job *)task;

    job->runs++;
    ski_task_defer(&test.loop, task);
    ski_loop_free(&test.loop);
    CU_ASSERT_EQUAL(gone, 0);
}

static void freed_from_its_own_task_it_goes_after_the_turn(void)
{
    struct job first, second;

    start();
    gone = 0;
    test.loop.gone = on_gone;
    job_init(&first);
    job_init(&second);
    ski_task_init(&first.task, free_the_loop);
    ski_task_defer(&test.loop, &first.task);
    ski_task_defer(&test.loop, &second.task);
    test_loop_turn(&test);
    CU_ASSERT_EQUAL(gone, 1);
    CU_ASSERT_EQUAL(first.runs, 1);
    CU_ASSERT_EQUAL(second.runs, 0);
    CU_ASSERT_FALSE(ski_list_linked(&first.task.link));
    CU_ASSERT_FALSE(ski_list_linked(&second.task.link));
    event_base_free(test.base);
    CU_ASSERT_EQUAL(test.memory.live, 0);
}

static void free_from_timer(void *owner)
{
    (void)owner;
    ski_loop_free(&test.loop);
    CU_ASSERT_EQUAL(gone, 0);
}

static void run_the_timers(struct ski_task *task)
{
    (void)task;
    ski_loop_run_timers(&test.loop);
    CU_ASSERT_EQUAL(gone, 0);
}

static void freed_from_its_own_timer_it_goes_after_the_turn(void)
{
    for (int in_task = 0; in_task < 2; in_task++) {
        struct ski_task task;

        start();
        gone = 0;
        test.loop.gone = on_gone;
        for (int i = 0; i < 2; i++)
            ski_timer_set(&test.loop, ski_timer_new(&test.loop, free_from_timer, NULL), 0);
        ski_task_init(&task, run_the_timers);
        if (in_task) {
            ski_task_defer(&test.loop, &task);
            test_loop_turn(&test);
        } else {
            ski_loop_run_timers(&test.loop);
        }
        CU_ASSERT_EQUAL(gone, 1);
        event_base_free(test.base);
        CU_ASSERT_EQUAL(test.memory.live, 0);
    }
}

static void freeing_forgets_tasks_and_timers(void)
{
    struct job job;
    struct alarm alarm;

    start();
    gone = 0;
    test.loop.gone = on_gone;
    job_init(&job);
    alarm_init(&alarm, 'a');
    set(&alarm, 10);
    ski_loop_hold(&test.loop);
    ski_task_defer(&test.loop, &job.task);
    test_loop_free(&test);
    CU_ASSERT_EQUAL(gone, 1);
    CU_ASSERT_EQUAL(job.runs, 0);
    CU_ASSERT_EQUAL(alarm.fired, 0);
    ski_task_cancel(&job.task);
}

static bool make_timers(struct test_memory *memory, void *user)
{
    struct event_base *base = event_base_new();
    struct ski_loop loop = {0};
    bool through = true;

    (void)user;
    CU_ASSERT_PTR_NOT_NULL_FATAL(base);
    ski_mem_init(&loop.mem, &memory->allocator);
    ski_clock_init(&loop.clock, NULL);
    CU_ASSERT_EQUAL_FATAL(ski_loop_init(&loop, base), SCALEKIT_OK);
    for (int i = 0; i < 50; i++)
        through = ski_timer_new(&loop, on_done, NULL) != SKI_NO_TIMER && through;
    ski_loop_free(&loop);
    event_base_free(base);
    return through;
}

static void every_refused_allocation_is_survived(void)
{
    CU_ASSERT(test_every_allocation(make_timers, NULL) > 4);
}

/* libevent's own memory, refused after a while. */
static int allocations_left;

static void *libevent_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *libevent_realloc(void *old, size_t size)
{
    return allocations_left-- > 0 ? realloc(old, size) : NULL;
}

static void leave_libevent(int allocations)
{
    allocations_left = allocations;
    event_set_mem_functions(libevent_malloc, libevent_realloc, free);
}

static void leave_libevent_alone(void)
{
    event_set_mem_functions(malloc, realloc, free);
}

static void without_memory_for_its_events_there_is_no_loop(void)
{
    struct event_base *base = event_base_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(base);
    gone = 0;
    for (int allocations = 0; allocations <= 2; allocations++) {
        struct ski_loop loop = {.gone = on_gone};
        scalekit_err err;

        ski_mem_init(&loop.mem, NULL);
        ski_clock_init(&loop.clock, NULL);
        leave_libevent(allocations);
        err = ski_loop_init(&loop, base);
        leave_libevent_alone();
        CU_ASSERT_EQUAL(err, allocations < 2 ? SCALEKIT_ERR_NOMEM : SCALEKIT_OK);
        CU_ASSERT_EQUAL(gone, 0);
        loop.gone = NULL;
        if (err == SCALEKIT_OK)
            ski_loop_free(&loop);
    }
    event_base_free(base);
}

static void what_libevent_had_no_memory_for_is_caught_up_with(void)
{
    struct job jobs[2];
    bool done = false;
    ski_timer timer;

    start();
    timer = ski_timer_new(&test.loop, on_done, &done);
    job_init(&jobs[0]);
    job_init(&jobs[1]);
    ski_loop_hold(&test.loop);
    leave_libevent(0);
    ski_task_defer(&test.loop, &jobs[0].task);
    ski_timer_set(&test.loop, timer, 0);
    leave_libevent_alone();
    CU_ASSERT_EQUAL(test.loop.alarm_ms, INT64_MAX);
    test_loop_turn(&test);
    CU_ASSERT_EQUAL(jobs[0].runs, 0);
    CU_ASSERT_FALSE(done);
    ski_task_defer(&test.loop, &jobs[1].task);
    ski_timer_set(&test.loop, timer, 0);
    test_loop_turn(&test);
    CU_ASSERT_EQUAL(jobs[0].runs, 1);
    CU_ASSERT_EQUAL(jobs[1].runs, 1);
    CU_ASSERT(done);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

SUITE(loop, {"a task runs once, and later", a_task_runs_once_and_later},
      {"at most 256 tasks run in a turn", at_most_256_tasks_run_in_a_turn},
      {"tasks run in the order they were deferred", tasks_run_in_the_order_they_were_deferred},
      {"a task that defers itself does not starve the loop",
       a_task_that_defers_itself_does_not_starve_the_loop},
      {"a task may cancel itself and others", a_task_may_cancel_itself_and_others},
      {"timers fire in order when the clock has moved",
       timers_fire_in_order_when_the_clock_has_moved},
      {"a timer may set, free and run timers while it fires",
       a_timer_may_set_free_and_run_timers_while_it_fires},
      {"a timer that is always due cannot hang the loop",
       a_timer_that_is_always_due_cannot_hang_the_loop},
      {"freed timers are used again", freed_timers_are_used_again},
      {"a held loop wakes for its timers", a_held_loop_wakes_for_its_timers},
      {"a timer moved back leaves the alarm alone", a_timer_moved_back_leaves_the_alarm_alone},
      {"timers nobody holds for keep no loop alive", timers_nobody_holds_for_keep_no_loop_alive},
      {"the first hold and the last are told", the_first_hold_and_the_last_are_told},
      {"the next hold catches up", the_next_hold_catches_up},
      {"freed from its own task it goes after the turn",
       freed_from_its_own_task_it_goes_after_the_turn},
      {"freed from its own timer it goes after the turn",
       freed_from_its_own_timer_it_goes_after_the_turn},
      {"freeing forgets tasks and timers", freeing_forgets_tasks_and_timers},
      {"every refused allocation is survived", every_refused_allocation_is_survived},
      {"without memory for its events there is no loop",
       without_memory_for_its_events_there_is_no_loop},
      {"what libevent had no memory for is caught up with",
       what_libevent_had_no_memory_for_is_caught_up_with})
