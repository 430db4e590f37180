#include "watch/schedule.h"
#include "core/governor.h"
#include "watch/round.h"
#include "watch/watch.h"

#define EXPIRIES_PER_TURN 4096
#define HASTENED_PER_TURN 4096
#define BACKOFF_MS        500 /* doubled by the first failure already */
#define MAX_BACKOFF_MS    30000
#define MAX_RETRY_MS      86400000 /* the service may ask for a longer pause, but not for years */
/* At its end a watch takes one last look, which may take this long, */
#define LAST_LOOK_MS 5000
/* and while the governor holds requests back begins as much later. */
#define LAST_ROUND_MS 10000
/* While the feed is trusted: so many at once, and then one after such a pause. */
#define LAST_LOOKS         20
#define LAST_LOOK_PAUSE_MS 6000
#define FEW                2 /* so many are no burden */
/* While deliveries flow: until everything is looked at once more, nevertheless. */
#define GUARD_MS         60000
#define SETTLED_GUARD_MS 300000
/* What belongs together is posted within. */
#define SOON_MS 500
/* Rounds under way at a time, and as many again of what is urgent. */
#define MAX_ROUNDS 8

static const struct scalekit_config *config_of(const struct ski_engine *engine)
{
    return &engine->client->config;
}

static int64_t jitter(const struct ski_engine *engine, int64_t ms)
{
    return ski_clock_jitter(&engine->client->loop.clock, ms, 80, 120);
}

/* Whether the feed tells when one of its accounts changes.  What was there before the feed is known
 * once it has been looked at since. */
static bool is_group_told(const struct ski_engine *engine, const struct ski_group *group)
{
    return group->named_by_events && ski_feed_is_trusted(&engine->feed) &&
           group->started_ms >= engine->feed.trusted_ms;
}

static bool is_named_by_events(const struct ski_target *target)
{
    return target->by_id || target->group->named_by_events;
}

static bool is_told(const struct ski_engine *engine, const struct ski_target *target)
{
    return is_named_by_events(target) && ski_feed_is_trusted(&engine->feed) &&
           target->seen_ms >= engine->feed.trusted_ms;
}

/* The same of deliveries, of which some may be lost. */
static bool is_delivered(const struct ski_engine *engine, const struct ski_target *target)
{
    return is_named_by_events(target) && ski_deliveries_are_relied_on(&engine->deliveries) &&
           target->seen_ms >= engine->deliveries.reliance.since_ms;
}

/* --- timers ------------------------------------------------------------------------------------ */

static void arm(struct ski_engine *engine)
{
    struct ski_loop *loop = &engine->client->loop;
    int64_t next = ski_wheel_next_ms(&engine->watches.wheel);

    if (next < engine->alarm_ms) {
        engine->alarm_ms = next;
        ski_timer_set(loop, engine->alarm, next);
    }
}

static void set(struct ski_engine *engine, const scalekit_watch *watch, int64_t due_ms)
{
    ski_wheel_set(&engine->watches.wheel, watch->number, due_ms);
    arm(engine);
}

void ski_schedule_end(struct ski_engine *engine, scalekit_watch *watch)
{
    if (watch->end_ms != SKI_NEVER)
        set(engine, watch, watch->end_ms);
    else
        ski_wheel_clear(&engine->watches.wheel, watch->number);
}

void ski_schedule_watch(struct ski_engine *engine, scalekit_watch *watch, int64_t delay_ms)
{
    int64_t wish = ski_engine_now(engine) + delay_ms;

    set(engine, watch, wish < watch->end_ms ? wish : watch->end_ms);
}

/* --- looks ------------------------------------------------------------------------------------- */

/* The first beat at least half an interval after the last round. */
static int64_t next_beat(const struct ski_engine *engine, const struct ski_group *group,
                         int64_t now)
{
    int64_t interval = config_of(engine)->watch_interval_ms, since;

    if (group->started_ms == INT64_MIN || now - group->started_ms >= interval)
        return now;
    since = group->started_ms + interval / 2 - engine->beat_ms;
    return engine->beat_ms + (since + interval - 1) / interval * interval;
}

/* Where requests are scarce and the feed tells, more than a few wait for the guard. */
static int64_t next_round(const struct ski_engine *engine, const struct ski_group *group)
{
    int64_t now = ski_engine_now(engine), guarded;

    if (group->due.n <= FEW || !is_group_told(engine, group) ||
        ski_governor_is_open(engine->client->gate.seat.governor))
        return next_beat(engine, group, now);
    guarded = group->started_ms + jitter(engine, ski_feed_guard_ms(&engine->feed));
    return guarded > now ? guarded : now;
}

static void schedule_group(struct ski_engine *engine, struct ski_group *group)
{
    if (!group->asked && group->due.n && !ski_list_linked(&group->ready))
        ski_timer_set(&engine->client->loop, group->timer, next_round(engine, group));
}

void ski_schedule_group_done(struct ski_engine *engine, struct ski_group *group)
{
    group->slow = ski_engine_now(engine) - group->started_ms > config_of(engine)->watch_interval_ms;
    schedule_group(engine, group);
}

bool ski_schedule_look(struct ski_engine *engine, struct ski_target *target, bool urgent)
{
    struct ski_loop *loop = &engine->client->loop;

    if (target->wanted)
        return true;
    if (!ski_target_set_due(&engine->targets, target, urgent))
        return false;
    if (target->urgent)
        ski_task_defer(loop, &engine->plan);
    else
        schedule_group(engine, target->group);
    return true;
}

void ski_schedule_look_now(struct ski_engine *engine, struct ski_target *target)
{
    bool waits = target->wanted && !ski_round_is_asking(target);

    if (waits)
        ski_round_drop(target);
    else if (target->wanted && target->doubted < 2)
        target->doubted = 2;
    if (!ski_schedule_look(engine, target, true) && waits)
        ski_engine_postpone(engine, target);
}

/* One that has never been seen is looked at soon by itself. */
void ski_schedule_look_soon(struct ski_engine *engine, struct ski_target *target)
{
    int64_t soon = ski_engine_now(engine) + SOON_MS;
    uint32_t number = target->watches;

    if (target->wanted && target->doubted == 0)
        target->doubted = 1;
    if (target->wanted || target->due != SKI_NOT_DUE || (!target->seen_ms && !target->failures))
        return;
    do {
        scalekit_watch *watch = ski_watch_at(&engine->watches, number);

        if (!watch->ending && soon < ski_wheel_due_ms(&engine->watches.wheel, number))
            set(engine, watch, soon);
        number = watch->next;
    } while (number != target->watches);
}

/* While the governor holds requests back, a watch waits for the round that sees it anyway, and only
 * then asks for itself. */
static void await_last_look(struct ski_engine *engine, scalekit_watch *watch)
{
    bool urgent = ski_engine_now(engine) >= watch->end_ms - LAST_LOOK_MS;

    if (urgent)
        ski_schedule_look_now(engine, watch->target);
    else
        ski_schedule_look(engine, watch->target, false);
    set(engine, watch, urgent ? watch->end_ms : watch->end_ms - LAST_LOOK_MS);
}

/* Of what the feed is to save, one look in six seconds is made at once, or twenty together. */
static bool may_ask(struct ski_engine *engine)
{
    int64_t now = ski_engine_now(engine);
    int64_t next = engine->last_look_ms > now ? engine->last_look_ms : now;

    if (next - now >= LAST_LOOKS * LAST_LOOK_PAUSE_MS)
        return false;
    engine->last_look_ms = next + LAST_LOOK_PAUSE_MS;
    return true;
}

/* Those that may not be asked for wait for the feed: what has happened by now shows soon. */
void ski_schedule_last_look(struct ski_engine *engine, scalekit_watch *watch)
{
    bool told = watch->looks && is_told(engine, watch->target);
    int64_t patience_ms = LAST_LOOK_MS;

    if (told && !may_ask(engine)) {
        ski_watch_prolong(watch, LAST_ROUND_MS);
        ski_schedule_end(engine, watch);
        ski_feed_hurry(&engine->feed, watch->end_ms);
        return;
    }
    if (!told && !ski_governor_is_open(engine->client->gate.seat.governor))
        patience_ms += LAST_ROUND_MS;
    ski_watch_prolong(watch, patience_ms);
    await_last_look(engine, watch);
}

/* --- pauses ------------------------------------------------------------------------------------ */

/* Whether fewer pages than it has targets show all of them. */
static bool is_cheap(const struct ski_group *group)
{
    return group->total && group->total / SKI_LIST_PAGE + 1 < group->n_targets;
}

/* A ceiling is a budget: as long as requests show more than one account each, it is spent. */
static bool has_budget(const struct ski_engine *engine, const struct ski_group *group)
{
    return ski_governor_has_ceiling(engine->client->gate.seat.governor) && is_cheap(group);
}

static int64_t normal_pause(const struct ski_engine *engine, const scalekit_watch *watch)
{
    const struct scalekit_config *config = config_of(engine);
    int64_t age = ski_watch_age(watch, ski_engine_now(engine)), pause = config->watch_interval_ms;

    if (watch->view.settled)
        return config->watch_follow_interval_ms;
    if (age > config->watch_fast_period_ms && !has_budget(engine, watch->target->group))
        pause += (age - config->watch_fast_period_ms) / 3;
    return pause < config->watch_max_interval_ms ? pause : config->watch_max_interval_ms;
}

/* What events tell need not be looked for; but none tells what it was at the start. */
static int64_t usual_pause(const struct ski_engine *engine, const scalekit_watch *watch)
{
    int64_t pause = normal_pause(engine, watch), guard = 0;

    if (!watch->looks)
        return pause;
    if (is_told(engine, watch->target))
        guard = ski_feed_guard_ms(&engine->feed);
    else if (is_delivered(engine, watch->target))
        guard = watch->view.settled ? SETTLED_GUARD_MS : GUARD_MS;
    return pause > guard ? pause : guard;
}

static int64_t pause_after_failure(const struct ski_engine *engine, const struct ski_target *target,
                                   const struct scalekit_error *error)
{
    int64_t pause = (int64_t)BACKOFF_MS << target->failures;

    pause = jitter(engine, pause < MAX_BACKOFF_MS ? pause : MAX_BACKOFF_MS);
    if (error && error->retry_after_ms > pause)
        pause = error->retry_after_ms < MAX_RETRY_MS ? error->retry_after_ms : MAX_RETRY_MS;
    return pause;
}

void ski_schedule_next(struct ski_engine *engine, scalekit_watch *watch,
                       const struct scalekit_error *error)
{
    const struct ski_target *target = watch->target;
    int64_t interval = config_of(engine)->watch_interval_ms, pause;

    if (watch->ending) { /* what came was asked for before */
        await_last_look(engine, watch);
        return;
    }
    if (target->failures) {
        ski_schedule_watch(engine, watch, pause_after_failure(engine, target, error));
        return;
    }
    if (target->doubted) {
        ski_schedule_watch(engine, watch, interval / 2);
        return;
    }
    if (target->missing) { /* no event tells that it is gone, and two more looks do */
        ski_schedule_watch(engine, watch, SKI_MISSING_GAP_MS + 200);
        return;
    }
    pause = jitter(engine, usual_pause(engine, watch));
    ski_schedule_watch(engine, watch, pause - (pause < interval ? pause : interval) / 2);
}

/* Not later than it was to come, and not all at once. */
static void hasten(struct ski_engine *engine, scalekit_watch *watch)
{
    struct ski_loop *loop = &engine->client->loop;
    int64_t soon = ski_loop_now(loop) +
                   ski_clock_jitter(&loop->clock, config_of(engine)->watch_interval_ms, 0, 100);
    int64_t wish = watch->target->seen_ms + usual_pause(engine, watch);

    if (wish < soon)
        wish = soon;
    if (wish < ski_wheel_due_ms(&engine->watches.wheel, watch->number))
        set(engine, watch, wish);
}

static void on_hasten(struct ski_task *task)
{
    struct ski_engine *engine = SKI_CONTAINER(task, struct ski_engine, hasten);
    uint32_t end = ski_watch_table_end(&engine->watches), left = HASTENED_PER_TURN;

    for (; engine->hastened < end && left > 0; engine->hastened++, left--) {
        scalekit_watch *watch = ski_watch_at(&engine->watches, engine->hastened);

        if (!watch->refs || !watch->target || watch->ending)
            continue;
        if (watch->target->due != SKI_NOT_DUE)
            schedule_group(engine, watch->target->group);
        else if (watch->looks && !watch->target->wanted)
            hasten(engine, watch);
    }
    if (engine->hastened < end)
        ski_task_defer(&engine->client->loop, task);
}

void ski_schedule_hasten(struct ski_engine *engine)
{
    engine->hastened = 0;
    ski_task_defer(&engine->client->loop, &engine->hasten);
}

/* --- the wheel --------------------------------------------------------------------------------- */

/* Whether a look for which no event makes up, the first one or one after an event that was doubted,
 * is not to wait for the guard with the others. */
static bool is_pressing(struct ski_engine *engine, const scalekit_watch *watch)
{
    const struct ski_group *group = watch->target->group;

    return (!watch->looks || watch->target->doubted) && group->due.n >= FEW &&
           is_group_told(engine, group) && may_ask(engine);
}

/* Its wish: for a look now, or, when there is no memory for that, a little later. */
static void wish(struct ski_engine *engine, scalekit_watch *watch)
{
    if (ski_schedule_look(engine, watch->target, watch->ending || is_pressing(engine, watch)))
        ski_schedule_end(engine, watch);
    else
        ski_schedule_watch(engine, watch, config_of(engine)->watch_interval_ms);
}

static void on_alarm(void *owner)
{
    struct ski_engine *engine = owner;
    struct ski_loop *loop = &engine->client->loop;
    int64_t now = ski_loop_now(loop);
    uint32_t number = 0;

    engine->alarm_ms = INT64_MAX;
    for (int i = 0; i < EXPIRIES_PER_TURN; i++) {
        scalekit_watch *watch;

        number = ski_wheel_take(&engine->watches.wheel, now);
        if (number == SKI_WHEEL_NONE)
            break;
        watch = ski_watch_at(&engine->watches, number);
        if (now >= watch->end_ms || !watch->target)
            ski_watch_end(watch);
        else
            wish(engine, watch);
    }
    if (number != SKI_WHEEL_NONE) { /* others must have their turn: the next tick */
        engine->alarm_ms = now + 1;
        ski_timer_set(loop, engine->alarm, now + 1);
    } else {
        arm(engine);
    }
}

/* --- planning ---------------------------------------------------------------------------------- */

static void on_round(void *owner)
{
    struct ski_group *group = owner;
    struct ski_engine *engine = SKI_CONTAINER(group->targets, struct ski_engine, targets);

    ski_list_push_back(&engine->ready_groups, &group->ready);
    ski_task_defer(&engine->client->loop, &engine->plan);
}

/* Where rounds take long, whoever is seen on the way need not be asked for later: what is not due
 * is asked for as well. */
static bool is_thorough(const struct ski_group *group)
{
    return group->slow && is_cheap(group);
}

static size_t count_wanted(struct ski_engine *engine, bool regular)
{
    size_t n = engine->targets.urgent.n;

    if (!regular)
        return n;
    for (struct ski_list *node = engine->ready_groups.next; node != &engine->ready_groups;
         node = node->next) {
        const struct ski_group *group = SKI_CONTAINER(node, struct ski_group, ready);

        n += is_thorough(group) ? group->n_targets : group->due.n;
    }
    return n;
}

static size_t take_due(struct ski_target **targets, const struct ski_due *due)
{
    for (uint32_t i = 0; i < due->n; i++)
        targets[i] = due->targets[i];
    return due->n;
}

/* Those that are not asked for yet; the urgent ones are by this round. */
static size_t take_all(struct ski_target **targets, const struct ski_group *group)
{
    size_t n = 0;

    for (struct ski_list *node = group->by_age.next; node != &group->by_age; node = node->next) {
        struct ski_target *target = SKI_CONTAINER(node, struct ski_target, link);

        if (!target->wanted && !target->urgent)
            targets[n++] = target;
    }
    return n;
}

/* The groups that are ready have had their round, or are to wait for the next beat. */
static void dismiss_groups(struct ski_engine *engine, bool started)
{
    struct ski_list *node;

    while ((node = ski_list_pop_front(&engine->ready_groups))) {
        struct ski_group *group = SKI_CONTAINER(node, struct ski_group, ready);

        if (started || group->due.n)
            group->started_ms = ski_engine_now(engine);
        schedule_group(engine, group);
    }
}

/* The targets of the next round.  Returns how many. */
static size_t take_wanted(struct ski_engine *engine, struct ski_target **targets, bool regular)
{
    size_t n = take_due(targets, &engine->targets.urgent);

    if (!regular)
        return n;
    for (struct ski_list *node = engine->ready_groups.next; node != &engine->ready_groups;
         node = node->next) {
        const struct ski_group *group = SKI_CONTAINER(node, struct ski_group, ready);

        n += is_thorough(group) ? take_all(targets + n, group) : take_due(targets + n, &group->due);
    }
    return n;
}

/* What is ready, and what is urgent, makes a round.  Of those there are not many at a time, so that
 * requests are not: what has to wait is planned when one ends. */
static void on_plan(struct ski_task *task)
{
    struct ski_engine *engine = SKI_CONTAINER(task, struct ski_engine, plan);
    bool regular = engine->n_rounds < MAX_ROUNDS, started = false;
    size_t most = count_wanted(engine, regular);
    struct ski_target **targets;

    if (engine->n_rounds >= 2 * MAX_ROUNDS)
        return;
    targets = most ? ski_realloc_array(&engine->mem, NULL, most, sizeof *targets) : NULL;
    if (targets) {
        size_t n = take_wanted(engine, targets, regular);

        started = n > 0 && ski_round_start(engine, targets, n);
    }
    if (regular)
        dismiss_groups(engine, started);
    if (engine->targets.urgent.n && !started)
        ski_timer_set(&engine->client->loop, engine->again,
                      ski_engine_now(engine) + config_of(engine)->watch_interval_ms);
    ski_free(&engine->mem, targets);
}

void ski_schedule_round_done(struct ski_engine *engine)
{
    if (engine->targets.urgent.n || !ski_list_empty(&engine->ready_groups))
        ski_task_defer(&engine->client->loop, &engine->plan);
}

static void on_again(void *owner)
{
    struct ski_engine *engine = owner;

    ski_task_defer(&engine->client->loop, &engine->plan);
}

/* --- life -------------------------------------------------------------------------------------- */

bool ski_schedule_init(struct ski_engine *engine)
{
    struct ski_loop *loop = &engine->client->loop;

    ski_targets_init(&engine->targets, loop, on_round);
    ski_list_init(&engine->ready_groups);
    ski_task_init(&engine->plan, on_plan);
    ski_task_init(&engine->hasten, on_hasten);
    engine->alarm_ms = INT64_MAX;
    engine->beat_ms = ski_loop_now(loop) -
                      ski_clock_jitter(&loop->clock, config_of(engine)->watch_interval_ms, 0, 100);
    engine->alarm = ski_timer_new(loop, on_alarm, engine);
    engine->again = ski_timer_new(loop, on_again, engine);
    if (engine->alarm != SKI_NO_TIMER && engine->again != SKI_NO_TIMER)
        return true;
    ski_timer_free(loop, engine->alarm);
    ski_timer_free(loop, engine->again);
    return false;
}

void ski_schedule_close(struct ski_engine *engine)
{
    struct ski_loop *loop = &engine->client->loop;

    ski_timer_free(loop, engine->alarm);
    ski_timer_free(loop, engine->again);
    ski_task_cancel(&engine->plan);
    ski_task_cancel(&engine->hasten);
}
