#include "watch/engine.h"
#include "base/str.h"
#include "watch/look.h"
#include "watch/watch.h"
#include <string.h>

#define BACKOFF_MS     500 /* doubled by the first failure already */
#define MAX_BACKOFF_MS 30000
#define MAX_FAILURES   6 /* more do not make the pause longer */

/* --- names ------------------------------------------------------------------------------------- */

#define NAME_PARTS 5

static void name_parts(const struct ski_account_name *name, const char *parts[NAME_PARTS])
{
    const char *all[NAME_PARTS] = {name->id, name->connection_name, name->identifier,
                                   name->organization_id, name->user_id};

    for (int i = 0; i < NAME_PARTS; i++)
        parts[i] = all[i] ? all[i] : "";
}

static size_t name_size(const struct ski_account_name *name)
{
    const char *parts[NAME_PARTS];
    size_t size = 0;

    name_parts(name, parts);
    for (int i = 0; i < NAME_PARTS; i++)
        size += strlen(parts[i]) + 1;
    return size;
}

static void write_name(char *to, const struct ski_account_name *name)
{
    const char *parts[NAME_PARTS];

    name_parts(name, parts);
    for (int i = 0; i < NAME_PARTS; i++) {
        size_t size = strlen(parts[i]) + 1;

        memcpy(to, parts[i], size);
        to += size;
    }
}

void ski_target_name(const struct ski_target *target, struct ski_account_name *name)
{
    const char **parts[NAME_PARTS] = {&name->id, &name->connection_name, &name->identifier,
                                      &name->organization_id, &name->user_id};
    const char *at = target->name;

    for (int i = 0; i < NAME_PARTS; i++) {
        *parts[i] = *at ? at : NULL;
        at += strlen(at) + 1;
    }
}

static uint64_t hash_name(const struct ski_account_name *name)
{
    const char *parts[NAME_PARTS];
    uint64_t hash = 0;

    name_parts(name, parts);
    for (int i = 0; i < NAME_PARTS; i++)
        hash = hash * 31 + ski_hash(parts[i], strlen(parts[i]));
    return hash;
}

static bool same_name(const struct ski_map_node *node, const void *key)
{
    const char *at = SKI_CONTAINER(node, struct ski_target, node)->name, *parts[NAME_PARTS];

    name_parts(key, parts);
    for (int i = 0; i < NAME_PARTS; i++) {
        if (strcmp(at, parts[i]) != 0)
            return false;
        at += strlen(at) + 1;
    }
    return true;
}

/* --- the schedule ------------------------------------------------------------------------------ */

static void look_after(struct ski_target *target, int64_t pause_ms)
{
    struct ski_loop *loop = &target->engine->client->loop;

    target->due_ms = ski_loop_now(loop) + pause_ms;
    ski_timer_set(loop, target->timer, target->due_ms);
}

static int64_t normal_pause(struct ski_target *target)
{
    const scalekit_client *client = target->engine->client;
    const struct scalekit_config *config = &client->config;

    if (ski_loop_now(&client->loop) < target->fast_until_ms || !target->pause_ms)
        target->pause_ms = config->watch_interval_ms;
    else
        target->pause_ms += (target->pause_ms + 1) / 2;
    if (target->pause_ms > config->watch_max_interval_ms)
        target->pause_ms = config->watch_max_interval_ms;
    return ski_clock_jitter(&client->loop.clock, target->pause_ms, 80, 120);
}

static int64_t pause_after_failure(const struct ski_target *target,
                                   const struct scalekit_error *error)
{
    int64_t pause = BACKOFF_MS << target->failures;

    if (pause > MAX_BACKOFF_MS)
        pause = MAX_BACKOFF_MS;
    pause = ski_clock_jitter(&target->engine->client->loop.clock, pause, 80, 120);
    return error && error->retry_after_ms > pause ? error->retry_after_ms : pause;
}

void ski_target_look(struct ski_target *target)
{
    if (target->look)
        return;
    ski_timer_clear(&target->engine->client->loop, target->timer);
    target->look = ski_look_start(target);
    if (!target->look)
        look_after(target, target->engine->client->config.watch_interval_ms);
}

static void on_timer(void *owner)
{
    ski_target_look(owner);
}

/* --- targets ----------------------------------------------------------------------------------- */

static void free_target(struct ski_target *target)
{
    struct ski_engine *engine = target->engine;

    if (target->look)
        ski_request_abandon(target->look);
    ski_timer_free(&engine->client->loop, target->timer);
    ski_map_remove(&engine->by_key, &target->node);
    ski_list_remove(&target->link);
    ski_free(&engine->mem, target);
}

static struct ski_target *new_target(struct ski_engine *engine, const struct ski_account_name *name,
                                     uint64_t hash)
{
    struct ski_loop *loop = &engine->client->loop;
    struct ski_target *target = ski_zalloc(&engine->mem, sizeof *target + name_size(name));

    if (!target)
        return NULL;
    target->engine = engine;
    target->node.hash = hash;
    write_name(target->name, name);
    ski_list_init(&target->link);
    ski_list_init(&target->watches);
    target->timer = ski_timer_new(loop, on_timer, target);
    if (target->timer == SKI_NO_TIMER || !ski_map_insert(&engine->by_key, &target->node)) {
        ski_timer_free(loop, target->timer);
        ski_free(&engine->mem, target);
        return NULL;
    }
    ski_list_push_back(&engine->targets, &target->link);
    return target;
}

bool ski_engine_follow(struct ski_engine *engine, scalekit_watch *watch,
                       const struct ski_account_name *name, int64_t delay_ms)
{
    uint64_t hash = hash_name(name);
    struct ski_map_node *node = ski_map_find(&engine->by_key, hash, same_name, name);
    int64_t now = ski_loop_now(&engine->client->loop);
    struct ski_target *target =
        node ? SKI_CONTAINER(node, struct ski_target, node) : new_target(engine, name, hash);

    if (!target)
        return false;
    watch->target = target;
    ski_list_push_back(&target->watches, &watch->link);
    target->fast_until_ms = now + engine->client->config.watch_fast_period_ms;
    target->pause_ms = 0;
    /* Earlier than planned, unless the pause is one after failures, which the server may have asked
     * for. */
    if (!target->look && (!node || (!target->failures && now + delay_ms < target->due_ms)))
        look_after(target, delay_ms);
    return true;
}

void ski_engine_unfollow(scalekit_watch *watch)
{
    struct ski_target *target = watch->target;

    ski_list_remove(&watch->link);
    if (!target)
        return;
    watch->target = NULL;
    if (ski_list_empty(&target->watches))
        free_target(target);
}

/* --- observing --------------------------------------------------------------------------------- */

static bool is_missing(const struct ski_observation *observation)
{
    return observation->error && observation->error->code == SCALEKIT_ERR_NOT_FOUND;
}

static void count_missing(struct ski_target *target)
{
    int64_t now = ski_loop_now(&target->engine->client->loop);

    if (target->missing && now - target->missing_since_ms < SKI_MISSING_GAP_MS)
        return;
    target->missing++;
    target->missing_since_ms = now;
}

static void take_in(struct ski_target *target, const struct ski_observation *observation)
{
    if (is_missing(observation))
        count_missing(target);
    else
        target->missing = 0;
    if (observation->account || is_missing(observation))
        target->failures = 0;
    else if (target->failures < MAX_FAILURES)
        target->failures++;
}

static int64_t next_pause(struct ski_target *target, const struct ski_observation *observation)
{
    if (target->failures)
        return pause_after_failure(target, observation->error);
    if (target->missing)
        return SKI_MISSING_GAP_MS;
    return normal_pause(target);
}

void ski_engine_observe(struct ski_target *target, const struct ski_observation *observation)
{
    struct ski_list *node = target->watches.next, *next;
    bool followed = false;

    take_in(target, observation);
    for (bool last = false; !last; node = next) {
        next = node->next;
        last = next == &target->watches;
        /* The target goes with its last watch: it is not touched after that. */
        if (!ski_watch_judge(SKI_CONTAINER(node, scalekit_watch, link), observation))
            followed = true;
    }
    if (followed)
        look_after(target, next_pause(target, observation));
}

/* --- the engine -------------------------------------------------------------------------------- */

void ski_engine_unref(struct ski_engine *engine)
{
    struct ski_mem mem = engine->mem;

    if (--engine->refs == 0)
        ski_free(&mem, engine);
}

static void stop_all(struct ski_list *watches)
{
    for (struct ski_list *node = watches->next, *next; node != watches; node = next) {
        next = node->next;
        ski_watch_tell(SKI_CONTAINER(node, scalekit_watch, link), SCALEKIT_WATCH_STOPPED, NULL);
    }
}

/* The client goes: every watch ends now. */
static void close_engine(struct ski_attachment *attachment)
{
    struct ski_engine *engine = SKI_CONTAINER(attachment, struct ski_engine, attachment);

    while (!ski_list_empty(&engine->targets)) {
        struct ski_target *target = SKI_CONTAINER(engine->targets.next, struct ski_target, link);

        ski_watch_tell(SKI_CONTAINER(target->watches.next, scalekit_watch, link),
                       SCALEKIT_WATCH_STOPPED, NULL);
    }
    stop_all(&engine->lone);
    ski_watch_tell_ready(engine, true);
}

static void free_engine(struct ski_attachment *attachment)
{
    struct ski_engine *engine = SKI_CONTAINER(attachment, struct ski_engine, attachment);

    ski_task_cancel(&engine->tell);
    ski_map_free(&engine->by_key);
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
    ski_map_init(&engine->by_key, &engine->mem);
    ski_list_init(&engine->targets);
    ski_list_init(&engine->lone);
    ski_list_init(&engine->ready);
    ski_task_init(&engine->tell, on_tell);
    client->attachment = &engine->attachment;
    return engine;
}
