#include "watch/watch.h"
#include "api/account_key.h"
#include "json/check.h"
#include <string.h>

#define TELL_BATCH 256

/* --- making and ending ------------------------------------------------------------------------- */

static void on_end(void *owner);

scalekit_watch *ski_watch_new(scalekit_client *client, scalekit_watch_cb cb, void *user)
{
    struct ski_engine *engine;
    scalekit_watch *watch;

    if (!client || client->closing || !cb)
        return NULL;
    engine = ski_engine_of(client);
    watch = engine ? ski_zalloc(&engine->mem, sizeof *watch) : NULL;
    if (!watch)
        return NULL;
    watch->timer = ski_timer_new(&client->loop, on_end, watch);
    if (watch->timer == SKI_NO_TIMER) {
        ski_free(&engine->mem, watch);
        return NULL;
    }
    watch->engine = engine;
    watch->cb = cb;
    watch->user = user;
    watch->refs = 1;
    engine->refs++;
    ski_list_init(&watch->link);
    ski_list_init(&watch->ready);
    ski_list_push_back(&engine->lone, &watch->link);
    ski_loop_hold(&client->loop);
    return watch;
}

void ski_watch_discard(scalekit_watch *watch)
{
    scalekit_client *client = watch->engine->client;

    ski_engine_unfollow(watch);
    ski_timer_free(&client->loop, watch->timer);
    scalekit_watch_unref(watch);
    ski_loop_release(&client->loop);
}

void ski_watch_limit(scalekit_watch *watch, int64_t deadline_ms, scalekit_time link_expiry)
{
    struct ski_loop *loop = &watch->engine->client->loop;
    int64_t left = deadline_ms;

    watch->link_expiry = link_expiry;
    if (link_expiry) {
        int64_t usable = (link_expiry - ski_clock_wall(&loop->clock)) / 1000 + SKI_LINK_GRACE_MS;

        usable = usable < 0 ? 0 : usable < SKI_MAX_WATCH_MS ? usable : SKI_MAX_WATCH_MS;
        left = left && left < usable ? left : usable;
    } else if (!left) {
        left = watch->engine->client->config.watch_deadline_ms;
    }
    watch->end_ms = ski_loop_now(loop) + left;
    ski_timer_set(loop, watch->timer, watch->end_ms);
}

static void on_refused(scalekit_request *request, bool done, void *user)
{
    scalekit_watch *watch = user;

    (void)done;
    ski_watch_tell(watch, SCALEKIT_WATCH_REFUSED, request);
    scalekit_watch_unref(watch);
}

bool ski_watch_check(scalekit_watch *watch, const struct ski_operation *rules, const void *params)
{
    scalekit_client *client = watch->engine->client;
    struct ski_failure failure;
    scalekit_err err = ski_operation_check(rules, &client->loop.mem, params, &failure);

    if (err == SCALEKIT_OK)
        return true;
    /* Without memory to check them they may be right, and the operation might not fail. */
    if (err != SCALEKIT_ERR_NOMEM &&
        ski_request_start(client, rules, params, (ski_callback)on_refused, watch))
        scalekit_watch_ref(watch);
    else
        ski_watch_tell(watch, SCALEKIT_WATCH_REFUSED, NULL);
    return false;
}

static void conclude(scalekit_watch *watch, scalekit_request *evidence)
{
    struct ski_loop *loop = &watch->engine->client->loop;
    enum scalekit_watch_event_kind kind = SCALEKIT_WATCH_DEADLINE;

    if (watch->link_expiry && ski_clock_wall(&loop->clock) >= watch->link_expiry)
        kind = SCALEKIT_WATCH_LINK_EXPIRED;
    ski_watch_tell(watch, kind, evidence);
}

/* Its end has come: one last look, if that is possible, and not for long. */
static void on_end(void *owner)
{
    scalekit_watch *watch = owner;
    struct ski_loop *loop = &watch->engine->client->loop;

    if (!watch->target || watch->ending) {
        conclude(watch, NULL);
        return;
    }
    watch->ending = true;
    ski_timer_set(loop, watch->timer, ski_loop_now(loop) + SKI_LAST_LOOK_MS);
    ski_target_look(watch->target);
}

/* --- judging ----------------------------------------------------------------------------------- */

/* Refusals that looking again will not change. */
static bool is_final(const struct scalekit_error *error)
{
    switch (error->code) {
    case SCALEKIT_ERR_INVALID:
    case SCALEKIT_ERR_SIGN_IN:
    case SCALEKIT_ERR_BAD_REQUEST:
    case SCALEKIT_ERR_UNAUTHORIZED:
    case SCALEKIT_ERR_FORBIDDEN:
        return true;
    default:
        return false;
    }
}

static bool is_settled(enum scalekit_account_status status)
{
    return status != SCALEKIT_ACCOUNT_UNKNOWN && !scalekit_account_status_is_pending(status);
}

/* Something to tell on the way, once per change. */
static void tell_progress(scalekit_watch *watch, const struct ski_observation *observation)
{
    enum scalekit_account_status status = observation->account->status;
    const char *text = observation->account->status_text;
    const struct ski_mem *mem = &watch->engine->mem;

    if (watch->waiting)
        return; /* the link comes first; the next look tells this */
    if (status == SCALEKIT_ACCOUNT_PENDING_VERIFICATION && watch->told != status)
        ski_watch_tell(watch, SCALEKIT_WATCH_PENDING_VERIFICATION, observation->evidence);
    if (status == SCALEKIT_ACCOUNT_UNKNOWN && text &&
        !(watch->unknown_text && strcmp(watch->unknown_text, text) == 0)) {
        ski_free(mem, watch->unknown_text);
        watch->unknown_text = ski_strdup(mem, text);
        ski_watch_tell(watch, SCALEKIT_WATCH_UNKNOWN_STATUS, observation->evidence);
    }
    watch->told = (uint8_t)status;
}

void ski_watch_saw(scalekit_watch *watch, const struct scalekit_connected_account *account)
{
    watch->status = account->status;
    watch->seen_at = ski_clock_wall(&watch->engine->client->loop.clock);
}

bool ski_watch_judge(scalekit_watch *watch, const struct ski_observation *observation)
{
    const struct scalekit_connected_account *account = observation->account;

    watch->looks++;
    if (account) {
        ski_watch_saw(watch, account);
        if (account->status != watch->before)
            watch->before = SCALEKIT_ACCOUNT_UNKNOWN;
        if (is_settled(account->status) && account->status != watch->before)
            ski_watch_tell(watch, SCALEKIT_WATCH_SETTLED, observation->evidence);
        else
            tell_progress(watch, observation);
    } else if (is_final(observation->error)) {
        ski_watch_tell(watch, SCALEKIT_WATCH_REFUSED, observation->evidence);
    } else if (watch->target->missing >= SKI_MISSING_LOOKS) {
        ski_watch_tell(watch, SCALEKIT_WATCH_DELETED, observation->evidence);
    }
    if (watch->ending && !watch->ended)
        conclude(watch, observation->evidence);
    return watch->ended;
}

/* --- telling ----------------------------------------------------------------------------------- */

static bool ends(enum scalekit_watch_event_kind kind)
{
    return kind >= SCALEKIT_WATCH_SETTLED;
}

void ski_watch_tell(scalekit_watch *watch, enum scalekit_watch_event_kind kind,
                    scalekit_request *evidence)
{
    struct ski_engine *engine = watch->engine;

    if (watch->ended)
        return;
    scalekit_request_unref(watch->evidence);
    watch->evidence = evidence ? scalekit_request_ref(evidence) : NULL;
    watch->waiting = (uint8_t)(kind + 1);
    if (ends(kind)) {
        watch->ended = true;
        ski_timer_free(&engine->client->loop, watch->timer);
        if (watch->prologue)
            ski_prologue_abandon(watch);
        ski_engine_unfollow(watch);
    }
    ski_list_push_back(&engine->ready, &watch->ready);
    ski_task_defer(&engine->client->loop, &engine->tell);
}

/* These two come with an error; when there is no request that has one, it is this. */
static const struct scalekit_error *missing_error(enum scalekit_watch_event_kind kind)
{
    static const struct scalekit_error out_of_memory = {
        .struct_size = sizeof out_of_memory,
        .code = SCALEKIT_ERR_NOMEM,
        .message = "out of memory",
        .grpc_code = -1,
        .retry_after_ms = -1,
    };
    bool needed = kind == SCALEKIT_WATCH_REFUSED || kind == SCALEKIT_WATCH_FAILED;

    return needed ? &out_of_memory : NULL;
}

/* What the application is shown; the evidence lives until the callback has returned. */
static void describe(const scalekit_watch *watch, struct scalekit_watch_event *event)
{
    const scalekit_request *evidence = watch->evidence;

    *event = (struct scalekit_watch_event){
        .struct_size = sizeof *event,
        .kind = (enum scalekit_watch_event_kind)(watch->waiting - 1),
        .final = watch->ended,
        .status = watch->status,
        .looks = watch->looks,
        .last_seen_at = watch->seen_at,
    };
    if (event->kind == SCALEKIT_WATCH_LINK)
        event->link = evidence->result;
    else if (!evidence)
        event->error = missing_error(event->kind);
    else if (evidence->failed)
        event->error = &evidence->error;
    else
        event->account = evidence->result;
    if (event->account)
        event->status_text = event->account->status_text;
    else if (watch->status == SCALEKIT_ACCOUNT_UNKNOWN)
        event->status_text = watch->unknown_text;
    else
        event->status_text = scalekit_account_status_name(watch->status);
}

static void tell(scalekit_watch *watch)
{
    scalekit_client *client = watch->engine->client;
    scalekit_request *evidence = watch->evidence;
    struct scalekit_watch_event event;
    bool final = watch->ended;

    describe(watch, &event);
    watch->waiting = 0;
    watch->evidence = NULL;
    scalekit_watch_ref(watch);
    watch->cb(watch, &event, watch->user);
    scalekit_watch_unref(watch);
    scalekit_request_unref(evidence);
    if (!final)
        return;
    scalekit_watch_unref(watch);
    ski_loop_release(&client->loop);
}

void ski_watch_tell_ready(struct ski_engine *engine, bool all)
{
    scalekit_client *client = engine->client;
    struct ski_list *node;

    ski_client_enter(client);
    for (int left = TELL_BATCH; (all || (left && !client->closing)); left--) {
        node = ski_list_pop_front(&engine->ready);
        if (!node)
            break;
        tell(SKI_CONTAINER(node, scalekit_watch, ready));
    }
    if (!ski_list_empty(&engine->ready) && !client->closing)
        ski_task_defer(&client->loop, &engine->tell);
    ski_client_leave(client);
}

/* --- the handle -------------------------------------------------------------------------------- */

static const struct ski_field watch_fields[] = {
    ACCOUNT_KEY(scalekit_watch_params),
    INTEGER(scalekit_watch_params, deadline_ms, "deadline_ms", .min = 1, .max = SKI_MAX_WATCH_MS),
    TIMESTAMP(scalekit_watch_params, link_expiry, "link_expiry"),
    END,
};
static const struct ski_type watch_type = TYPE(scalekit_watch_params, watch_fields);
CHECK_ACCOUNT_KEY(scalekit_watch_params)

/* Arguments that are wrong are found by an operation that never leaves, and told from the loop. */
static const struct ski_operation rules = {
    .name = "watch_account",
    .idempotency = SKI_SAFE,
    .params = &watch_type,
    .check = check_scalekit_watch_params,
    .deliver = ski_deliver_done,
};

scalekit_watch *scalekit_watch_account(scalekit_client *client,
                                       const struct scalekit_watch_params *params,
                                       scalekit_watch_cb cb, void *user)
{
    scalekit_watch *watch = ski_watch_new(client, cb, user);
    struct scalekit_watch_params p;
    struct ski_account_name name;

    if (!watch)
        return NULL;
    if (!ski_watch_check(watch, &rules, params))
        return watch;
    params = ski_params_copy(&p, sizeof p, params);
    ski_watch_limit(watch, params->deadline_ms, params->link_expiry);
    name = (struct ski_account_name){params->connected_account_id, params->connection_name,
                                     params->identifier, params->organization_id, params->user_id};
    if (ski_engine_follow(watch->engine, watch, &name, client->config.watch_first_check_ms))
        return watch;
    ski_watch_discard(watch);
    return NULL;
}

void scalekit_watch_stop(scalekit_watch *watch)
{
    if (watch)
        ski_watch_tell(watch, SCALEKIT_WATCH_STOPPED, NULL);
}

void scalekit_watch_look_now(scalekit_watch *watch)
{
    if (watch && watch->target && !watch->ended)
        ski_target_look(watch->target);
}

scalekit_watch *scalekit_watch_ref(scalekit_watch *watch)
{
    if (watch)
        watch->refs++;
    return watch;
}

void scalekit_watch_unref(scalekit_watch *watch)
{
    struct ski_engine *engine;

    if (!watch || --watch->refs)
        return;
    engine = watch->engine;
    scalekit_request_unref(watch->evidence);
    ski_free(&engine->mem, watch->unknown_text);
    ski_free(&engine->mem, watch);
    ski_engine_unref(engine);
}

enum scalekit_account_status scalekit_watch_status(const scalekit_watch *watch)
{
    return watch ? watch->status : SCALEKIT_ACCOUNT_UNKNOWN;
}

const char *scalekit_watch_event_name(enum scalekit_watch_event_kind kind)
{
    switch (kind) {
    case SCALEKIT_WATCH_LINK:
        return "link";
    case SCALEKIT_WATCH_PENDING_VERIFICATION:
        return "pending_verification";
    case SCALEKIT_WATCH_UNKNOWN_STATUS:
        return "unknown_status";
    case SCALEKIT_WATCH_SETTLED:
        return "settled";
    case SCALEKIT_WATCH_DELETED:
        return "deleted";
    case SCALEKIT_WATCH_LINK_EXPIRED:
        return "link_expired";
    case SCALEKIT_WATCH_DEADLINE:
        return "deadline";
    case SCALEKIT_WATCH_REFUSED:
        return "refused";
    case SCALEKIT_WATCH_FAILED:
        return "failed";
    case SCALEKIT_WATCH_STOPPED:
        return "stopped";
    }
    return "unknown";
}
