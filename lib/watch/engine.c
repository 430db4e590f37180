#include "watch/engine.h"
#include "watch/round.h"
#include "watch/schedule.h"
#include "watch/watch.h"
#include "watch/watch_stats.h"

#define DAY_US       INT64_C(86400000000)
#define MAX_FAILURES 6 /* more do not make the pause longer */
/* What happened shortly before a watch began may show in the feed shortly after. */
#define YOUNG_MS 10000
/* After an event that was doubted, so many looks come as often as those of a young watch. */
#define DOUBTFUL_LOOKS 3

int64_t ski_engine_now(const struct ski_engine *engine)
{
    return ski_loop_now(&engine->client->loop);
}

scalekit_time ski_engine_latest(const struct ski_engine *engine)
{
    return ski_clock_wall(&engine->client->loop.clock) + DAY_US;
}

/* --- following --------------------------------------------------------------------------------- */

void ski_engine_follow(struct ski_engine *engine)
{
    engine->n_following++;
    ski_feed_wake(&engine->feed);
}

void ski_engine_unfollow(struct ski_engine *engine)
{
    if (--engine->n_following == 0)
        ski_feed_rest(&engine->feed);
}

void ski_engine_listen(struct ski_engine *engine, struct ski_listener *listener)
{
    ski_list_push_back(&engine->listeners, &listener->link);
    ski_engine_follow(engine);
}

void ski_engine_ignore(struct ski_engine *engine, struct ski_listener *listener)
{
    ski_list_remove(&listener->link);
    ski_engine_unfollow(engine);
}

void ski_engine_hear(struct ski_engine *engine, const struct ski_observation *observation)
{
    for (struct ski_list *node = engine->listeners.next; node != &engine->listeners;
         node = node->next) {
        struct ski_listener *listener = SKI_CONTAINER(node, struct ski_listener, link);

        listener->saw(listener, observation);
    }
}

bool ski_engine_is_told(const struct ski_engine *engine, int64_t since_ms)
{
    const struct ski_feed *feed = &engine->feed;
    const struct ski_deliveries *deliveries = &engine->deliveries;

    return (ski_feed_is_trusted(feed) && since_ms >= feed->trusted_ms) ||
           (ski_deliveries_are_relied_on(deliveries) && since_ms >= deliveries->reliance.since_ms);
}

void ski_engine_trust(struct ski_engine *engine, bool trusted)
{
    for (struct ski_list *node = engine->listeners.next; node != &engine->listeners;
         node = node->next) {
        struct ski_listener *listener = SKI_CONTAINER(node, struct ski_listener, link);

        listener->trust(listener);
    }
    if (trusted)
        return;
    if (engine->n_following)
        ski_feed_wake(&engine->feed);
    ski_schedule_hasten(engine);
}

/* --- the ring of a target's watches ------------------------------------------------------------ */

bool ski_engine_attach(struct ski_engine *engine, scalekit_watch *watch,
                       const struct ski_account_name *name, int64_t delay_ms)
{
    struct ski_target *target = ski_targets_get(&engine->targets, name);

    if (!target)
        return false;
    watch->target = target;
    watch->next = watch->prev = watch->number;
    if (target->watches == SKI_NO_WATCH) {
        target->watches = watch->number;
    } else {
        scalekit_watch *first = ski_watch_at(&engine->watches, target->watches);
        scalekit_watch *last = ski_watch_at(&engine->watches, first->prev);

        watch->next = first->number;
        watch->prev = last->number;
        last->next = first->prev = watch->number;
    }
    ski_schedule_watch(engine, watch, delay_ms);
    return true;
}

void ski_engine_detach(scalekit_watch *watch)
{
    struct ski_engine *engine = watch->engine;
    struct ski_target *target = watch->target;

    if (!target)
        return;
    watch->target = NULL;
    ski_watch_at(&engine->watches, watch->prev)->next = watch->next;
    ski_watch_at(&engine->watches, watch->next)->prev = watch->prev;
    if (watch->next == watch->number)
        target->watches = SKI_NO_WATCH;
    else if (target->watches == watch->number)
        target->watches = watch->next;
    if (target->watches != SKI_NO_WATCH)
        return;
    if (target->wanted)
        ski_round_drop(target);
    ski_target_free(&engine->targets, target);
}

/* --- observing --------------------------------------------------------------------------------- */

static bool is_missing(const struct ski_observation *observation)
{
    return observation->error && observation->error->code == SCALEKIT_ERR_NOT_FOUND;
}

/* Whether a look shows what is known already.  It may be a little older by its date: an event is not
 * of the very moment of its account's updated_at. */
static bool shows_the_same(const struct ski_target *target, const struct ski_observation *seen)
{
    return !ski_is_event(seen) && seen->account->status == target->status &&
           seen->account->status != SCALEKIT_ACCOUNT_UNKNOWN;
}

/* Whether it shows something older than what was seen.  What was asked for while another answer was
 * on its way is as old as the service says, if it says; what was asked for later comes, for a while,
 * from a replica that lags behind. */
static bool is_stale(const struct ski_engine *engine, const struct ski_target *target,
                     const struct ski_observation *seen)
{
    bool overtaken = seen->asked_ms < target->seen_ms;

    if (!target->seen_ms)
        return false;
    if (!seen->account)
        return overtaken && is_missing(seen);
    if (!seen->at || !target->updated_at)
        return overtaken;
    if (seen->at >= target->updated_at || (!overtaken && shows_the_same(target, seen)))
        return false;
    return overtaken || ski_is_event(seen) ||
           ski_engine_now(engine) - target->seen_ms < SKI_REPLICA_LAG_MS;
}

static void count_missing(const struct ski_engine *engine, struct ski_target *target)
{
    uint16_t now = (uint16_t)(ski_engine_now(engine) / 100);
    uint16_t gap = (uint16_t)(now - target->missing_at);

    if (target->missing && gap <= SKI_MISSING_GAP_MS / 100) /* both ends are rounded down */
        return;
    if (target->missing < SKI_MISSING_LOOKS)
        target->missing++;
    target->missing_at = now;
}

/* Each source is held to what another one has shown. */
static void compare(struct ski_engine *engine, const struct ski_observation *seen)
{
    if (seen->source != SCALEKIT_WATCH_SOURCE_FEED)
        ski_feed_compare(&engine->feed, seen);
    if (seen->source != SCALEKIT_WATCH_SOURCE_WEBHOOK)
        ski_deliveries_compare(&engine->deliveries, seen);
}

/* What the target keeps of it. */
static void take_in(struct ski_engine *engine, struct ski_target *target,
                    const struct ski_observation *seen)
{
    if (target->doubted && !ski_is_event(seen))
        target->doubted--;
    if (seen->account) {
        if (target->seen_ms && target->status != seen->account->status)
            compare(engine, seen);
        if (!seen->at || seen->at > target->updated_at || !shows_the_same(target, seen))
            target->updated_at = seen->at;
        target->status = seen->account->status & 15;
        target->missing = 0;
        if (!ski_is_event(seen)) /* events may come where no look succeeds */
            target->failures = 0;
        ski_target_seen(&engine->targets, target, seen->account, ski_engine_now(engine));
    } else if (is_missing(seen)) {
        count_missing(engine, target);
        target->failures = 0;
    } else {
        engine->tally.failures++;
        if (target->failures < MAX_FAILURES)
            target->failures++;
    }
}

void ski_engine_postpone(struct ski_engine *engine, struct ski_target *target)
{
    uint32_t number = target->watches;

    do {
        scalekit_watch *watch = ski_watch_at(&engine->watches, number);

        ski_schedule_next(engine, watch, NULL);
        number = watch->next;
    } while (number != target->watches);
}

/* An older one does not count, but shows that the account is there and can be asked for. */
static void ignore(struct ski_engine *engine, struct ski_target *target,
                   const struct ski_observation *seen)
{
    engine->tally.ignored++;
    if (seen->account)
        target->missing = 0;
    if (seen->account && !ski_is_event(seen))
        target->failures = 0;
}

void ski_engine_observe(struct ski_engine *engine, struct ski_target *target,
                        const struct ski_observation *observation)
{
    struct ski_observation dateless = *observation;
    const struct ski_observation *seen = &dateless;
    uint32_t number = target->watches, last = ski_watch_at(&engine->watches, target->watches)->prev,
             next;
    bool stale;

    if (dateless.at > ski_engine_latest(engine))
        dateless.at = 0;
    stale = is_stale(engine, target, seen);
    engine->tally.seen[seen->source]++;
    if (stale)
        ignore(engine, target, seen);
    else
        take_in(engine, target, seen);
    ski_target_clear_due(&engine->targets, target);
    for (bool end = false; !end; number = next) {
        scalekit_watch *watch = ski_watch_at(&engine->watches, number);

        next = watch->next;
        end = number == last;
        /* The target goes with its last watch: it is not touched after that. */
        if (stale ? !ski_watch_pass_over(watch, seen) : !ski_watch_judge(watch, seen))
            ski_schedule_next(engine, watch, stale ? NULL : seen->error);
    }
}

/* How long ago an event may have occurred, at most.  What the feed tells after a pause may have been
 * long ago. */
static int64_t age_of(const struct ski_engine *engine, const struct ski_observation *told)
{
    const struct ski_feed *feed = &engine->feed;

    if (told->source == SCALEKIT_WATCH_SOURCE_WEBHOOK)
        return told->age_ms;
    return ski_feed_is_trusted(feed) && ski_engine_now(engine) - feed->resumed_ms >= YOUNG_MS
               ? YOUNG_MS
               : INT64_MAX;
}

/* Whether it may have occurred before one of the target's watches began, which would take it for a
 * change.  What is newer than a watch knew it to be is one.  The youngest are the last. */
static bool may_predate(const struct ski_engine *engine, const struct ski_target *target,
                        const struct ski_observation *told)
{
    int64_t now = ski_engine_now(engine), age = age_of(engine, told);
    uint32_t first = target->watches, number = first;

    do {
        const scalekit_watch *watch;

        number = ski_watch_at(&engine->watches, number)->prev;
        watch = ski_watch_at(&engine->watches, number);
        if (ski_watch_age(watch, now) >= age)
            return false;
        if (!watch->knows || told->at <= target->updated_at)
            return true;
    } while (number != first);
    return false;
}

/* Whether an event may be older than what was seen, or than a watch, or about another account of that
 * name. */
static bool is_doubtful(const struct ski_engine *engine, const struct ski_target *target,
                        const struct ski_observation *told)
{
    const char *id = told->account->id;

    return (target->seen_ms && !target->updated_at) ||
           (target->id_hash && id && target->id_hash != ski_id_hash(id)) ||
           may_predate(engine, target, told);
}

/* Looks will tell what is true.  The first of them may come from a replica that lags. */
static void look_now(struct ski_engine *engine, struct ski_target *target, unsigned looks)
{
    if (target->doubted < looks)
        target->doubted = looks & 3;
    ski_schedule_look_now(engine, target);
}

/* What was posted late, or out of order, is no news; where it contradicts, one look tells whether it is
 * true still. */
static bool is_late(const struct ski_target *target, const struct ski_observation *told)
{
    return told->source == SCALEKIT_WATCH_SOURCE_WEBHOOK && told->at <= target->updated_at;
}

static void saw(struct ski_engine *engine, struct ski_target *target,
                const struct ski_observation *told)
{
    if (!target)
        return;
    if (is_late(target, told)) {
        if (told->account->status != target->status)
            look_now(engine, target, 1);
    } else if (!is_doubtful(engine, target, told)) {
        ski_engine_observe(engine, target, told);
    } else if (!told->at || told->at > target->updated_at) {
        look_now(engine, target, DOUBTFUL_LOOKS);
    }
}

void ski_engine_saw(struct ski_engine *engine, const struct ski_observation *observation)
{
    const struct scalekit_connected_account *account = observation->account;

    ski_engine_hear(engine, observation);
    saw(engine, ski_targets_match(&engine->targets, account), observation);
    if (account->id)
        saw(engine, ski_targets_by_id(&engine->targets, account->id), observation);
}

/* An event that does not say what the account is now may be right. */
static void suspect(struct ski_engine *engine, struct ski_target *target,
                    const struct ski_observation *told)
{
    if (!target || (told->at && told->at <= target->updated_at))
        return;
    if (told->herald)
        ski_schedule_look_soon(engine, target);
    else
        look_now(engine, target, DOUBTFUL_LOOKS);
}

void ski_engine_alert(struct ski_engine *engine, const struct ski_observation *observation)
{
    for (struct ski_list *node = engine->listeners.next; node != &engine->listeners;
         node = node->next) {
        struct ski_listener *listener = SKI_CONTAINER(node, struct ski_listener, link);

        listener->suspect(listener, observation);
    }
}

void ski_engine_suspect(struct ski_engine *engine, const struct ski_observation *observation)
{
    const struct scalekit_connected_account *account = observation->account;

    ski_engine_alert(engine, observation);
    suspect(engine, ski_targets_match(&engine->targets, account), observation);
    if (account->id)
        suspect(engine, ski_targets_by_id(&engine->targets, account->id), observation);
}

/* --- life -------------------------------------------------------------------------------------- */

void ski_engine_unref(struct ski_engine *engine)
{
    struct ski_mem mem = engine->mem;

    if (--engine->refs)
        return;
    ski_watch_table_free(&engine->watches);
    ski_free(&mem, engine);
}

/* The client goes: every watch ends now. */
static void close_engine(struct ski_attachment *attachment)
{
    struct ski_engine *engine = SKI_CONTAINER(attachment, struct ski_engine, attachment);

    ski_watch_report_free(engine);
    ski_deliveries_close(&engine->deliveries);
    ski_feed_close(&engine->feed);
    for (uint32_t i = 0; i < ski_watch_table_end(&engine->watches); i++) {
        scalekit_watch *watch = ski_watch_at(&engine->watches, i);

        if (watch->refs)
            ski_watch_tell(watch, SCALEKIT_WATCH_STOPPED, NULL);
    }
    while (!ski_list_empty(&engine->listeners)) {
        struct ski_listener *listener =
            SKI_CONTAINER(engine->listeners.next, struct ski_listener, link);

        ski_engine_ignore(engine, listener);
        listener->close(listener);
    }
    ski_rounds_abandon(engine);
    ski_watch_tell_ready(engine, true);
}

static void free_engine(struct ski_attachment *attachment)
{
    struct ski_engine *engine = SKI_CONTAINER(attachment, struct ski_engine, attachment);

    ski_task_cancel(&engine->tell);
    ski_rounds_abandon(engine);
    ski_feed_close(&engine->feed);
    ski_deliveries_free(&engine->deliveries);
    ski_schedule_close(engine);
    ski_targets_free(&engine->targets);
    engine->client = NULL;
    ski_engine_unref(engine);
}

static void on_tell(struct ski_task *task)
{
    ski_watch_tell_ready(SKI_CONTAINER(task, struct ski_engine, tell), false);
}

struct ski_engine *ski_engine_of(scalekit_client *client)
{
    struct ski_engine *engine;

    if (client->attachment)
        return SKI_CONTAINER(client->attachment, struct ski_engine, attachment);
    engine = ski_zalloc(&client->loop.mem, sizeof *engine);
    if (!engine)
        return NULL;
    engine->mem = client->loop.mem;
    engine->attachment = (struct ski_attachment){close_engine, free_engine};
    engine->refs = 1;
    engine->client = client;
    engine->ready = engine->ready_last = SKI_NO_WATCH;
    ski_watch_table_init(&engine->watches, &engine->mem, ski_engine_now(engine));
    ski_list_init(&engine->rounds);
    ski_list_init(&engine->listeners);
    ski_task_init(&engine->tell, on_tell);
    if (!ski_schedule_init(engine)) {
        ski_free(&client->loop.mem, engine);
        return NULL;
    }
    ski_feed_init(&engine->feed, engine);
    ski_deliveries_init(&engine->deliveries, engine);
    client->attachment = &engine->attachment;
    return engine;
}
