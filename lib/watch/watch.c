#include "watch/watch.h"
#include "api/account_key.h"
#include "base/str.h"
#include "json/check.h"
#include "watch/schedule.h"
#include "webhook/event.h"
#include <string.h>

#define TELL_BATCH 256
#define UNTOLD_MS  100
#define MAX_LOOKS  0xfffff

/* --- making and ending ------------------------------------------------------------------------- */

scalekit_watch *ski_watch_new(scalekit_client *client, scalekit_watch_cb cb, void *user)
{
    struct ski_engine *engine;
    scalekit_watch *watch;

    if (!client || client->closing || !cb)
        return NULL;
    engine = ski_engine_of(client);
    watch = engine ? ski_watch_table_take(&engine->watches) : NULL;
    if (!watch)
        return NULL;
    watch->engine = engine;
    watch->cb = cb;
    watch->user = user;
    watch->refs = 1;
    watch->end_ms = SKI_NEVER;
    watch->start = (uint32_t)ski_engine_now(engine);
    engine->refs++;
    engine->tally.starting++;
    ski_engine_follow(engine);
    ski_loop_hold(&client->loop);
    return watch;
}

struct ski_watch_extra *ski_watch_extra(scalekit_watch *watch)
{
    if (!watch->extra)
        watch->extra = ski_zalloc(&watch->engine->mem, sizeof *watch->extra);
    return watch->extra;
}

static void free_extra(scalekit_watch *watch)
{
    const struct ski_mem *mem = &watch->engine->mem;

    if (!watch->extra)
        return;
    scalekit_request_unref(watch->extra->evidence);
    scalekit_webhook_event_free(watch->extra->delivery);
    ski_free(mem, watch->extra->unknown_text);
    ski_free(mem, watch->extra);
    watch->extra = NULL;
}

/* It follows nothing any more. */
static void leave(scalekit_watch *watch)
{
    struct ski_engine *engine = watch->engine;
    struct ski_tally *tally = &engine->tally;

    if (!watch->target)
        tally->starting--;
    else if (watch->view.settled && watch->view.follow)
        tally->following--;
    else
        tally->pending--;
    ski_wheel_clear(&engine->watches.wheel, watch->number);
    if (watch->extra && watch->extra->prologue)
        ski_prologue_abandon(watch);
    ski_engine_detach(watch);
    ski_engine_unfollow(engine);
}

void ski_watch_discard(scalekit_watch *watch)
{
    scalekit_client *client = watch->engine->client;

    leave(watch);
    scalekit_watch_unref(watch);
    ski_loop_release(&client->loop);
}

uint32_t ski_watch_age(const scalekit_watch *watch, int64_t now_ms)
{
    return (uint32_t)now_ms - watch->start;
}

void ski_watch_limit(scalekit_watch *watch, int64_t deadline_ms, scalekit_time link_expiry)
{
    struct ski_loop *loop = &watch->engine->client->loop;
    int64_t left = deadline_ms, now = ski_loop_now(loop);

    if (link_expiry) {
        int64_t valid = (link_expiry - ski_clock_wall(&loop->clock)) / 1000;
        int64_t usable = valid + SKI_LINK_GRACE_MS;

        usable = usable < 0 ? 0 : usable < SKI_MAX_WATCH_MS ? usable : SKI_MAX_WATCH_MS;
        left = left && left < usable ? left : usable;
        watch->link_ends = left >= valid;
    } else if (!left && !watch->view.follow) {
        left = watch->engine->client->config.watch_deadline_ms;
    }
    watch->end_ms = left || link_expiry ? now + left : SKI_NEVER;
    ski_schedule_end(watch->engine, watch);
}

static void on_refused(scalekit_request *request, bool done, void *user)
{
    scalekit_watch *watch = user;

    (void)done;
    ski_watch_tell(watch, SCALEKIT_WATCH_REFUSED, &(struct ski_observation){.evidence = request});
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

static void conclude(scalekit_watch *watch, const struct ski_observation *seen)
{
    ski_watch_tell(watch, watch->link_ends ? SCALEKIT_WATCH_LINK_EXPIRED : SCALEKIT_WATCH_DEADLINE,
                   seen);
}

/* One last look, if that is possible, and not for long. */
void ski_watch_end(scalekit_watch *watch)
{
    if (watch->waiting) { /* another event is still to be told */
        watch->end_ms += UNTOLD_MS;
        ski_schedule_end(watch->engine, watch);
        return;
    }
    if (!watch->target || watch->ending) {
        conclude(watch, NULL);
        return;
    }
    watch->ending = true;
    ski_schedule_last_look(watch->engine, watch);
}

void ski_watch_prolong(scalekit_watch *watch, int64_t patience_ms)
{
    watch->end_ms = ski_engine_now(watch->engine) + patience_ms;
    watch->patience_s = (unsigned)(patience_ms / 1000) & 15;
}

/* Whether it was the last look: asked for after the end had come.  A delivery is none: nobody knows
 * whether it tells the latest. */
static bool was_last_look(const scalekit_watch *watch, const struct ski_observation *seen)
{
    return watch->ending && seen->source != SCALEKIT_WATCH_SOURCE_WEBHOOK &&
           seen->asked_ms >= watch->end_ms - watch->patience_s * INT64_C(1000);
}

bool ski_watch_follow(scalekit_watch *watch, const struct ski_account_name *name,
                      scalekit_time known_at)
{
    struct ski_engine *engine = watch->engine;
    enum scalekit_account_status status = (enum scalekit_account_status)watch->view.status;
    int64_t first = ski_clock_jitter(&engine->client->loop.clock,
                                     engine->client->config.watch_first_check_ms, 80, 120);

    if (!ski_engine_attach(engine, watch, name, first))
        return false;
    watch->knows = known_at && status != SCALEKIT_ACCOUNT_UNKNOWN;
    if (watch->knows)
        ski_target_know(watch->target, status, known_at);
    engine->tally.starting--;
    engine->tally.pending++;
    return true;
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

/* Whether it was asked for before the watch began, and may show what was then. */
static bool predates(const scalekit_watch *watch, const struct ski_observation *seen)
{
    int64_t now = ski_engine_now(watch->engine);

    return now - seen->asked_ms > (int64_t)ski_watch_age(watch, now);
}

/* Whether an unknown status has another word than the last one; it is kept, if there is memory. */
static bool take_text(scalekit_watch *watch, const struct scalekit_connected_account *account)
{
    struct ski_watch_extra *extra = watch->extra;

    if (account->status != SCALEKIT_ACCOUNT_UNKNOWN ||
        (extra && extra->unknown_text && strcmp(extra->unknown_text, account->status_text) == 0))
        return false;
    extra = ski_watch_extra(watch);
    if (extra) {
        ski_free(&watch->engine->mem, extra->unknown_text);
        extra->unknown_text = ski_strdup(&watch->engine->mem, account->status_text);
    }
    return true;
}

/* One that follows has settled for the first time: no link ends it any more, only its deadline. */
static void go_on(scalekit_watch *watch)
{
    int64_t end = watch->extra && watch->extra->deadline_ms ? watch->extra->deadline_ms : SKI_NEVER;

    watch->engine->tally.pending--;
    watch->engine->tally.following++;
    if (!watch->link_ends)
        return;
    watch->link_ends = false;
    if (end <= ski_engine_now(watch->engine))
        return;
    watch->ending = false;
    watch->end_ms = end;
}

static void judge_account(scalekit_watch *watch, const struct ski_observation *seen)
{
    const struct scalekit_connected_account *account = seen->account;
    scalekit_time unused = 0, *known_at = watch->extra ? &watch->extra->known_at : &unused;
    bool settled = watch->view.settled;
    int kind;

    if (account->status == SCALEKIT_ACCOUNT_UNKNOWN && !account->status_text)
        return;
    if (ski_is_event(seen))
        watch->view.begun = true; /* what events tell are changes */
    kind = ski_judge(&watch->view, account->status, take_text(watch, account), seen->at, known_at);
    if (kind == SKI_NO_EVENT)
        return;
    if (kind == SCALEKIT_WATCH_SETTLED && seen->at)
        ski_tally_lag(&watch->engine->tally,
                      (ski_clock_wall(&watch->engine->client->loop.clock) - seen->at) / 1000);
    if (watch->view.follow && watch->view.settled && !settled)
        go_on(watch);
    ski_watch_tell(watch, (enum scalekit_watch_event_kind)kind, seen);
}

bool ski_watch_judge(scalekit_watch *watch, const struct ski_observation *seen)
{
    if (predates(watch, seen))
        return false;
    if (watch->waiting) { /* an event must not take the place of another: it is seen again */
        ski_schedule_look(watch->engine, watch->target, true);
        return false;
    }
    if (!ski_is_event(seen) && watch->looks < MAX_LOOKS)
        watch->looks++;
    if (seen->account)
        judge_account(watch, seen);
    else if (is_final(seen->error))
        ski_watch_tell(watch, SCALEKIT_WATCH_REFUSED, seen);
    else if (watch->target->missing >= SKI_MISSING_LOOKS)
        ski_watch_tell(watch, SCALEKIT_WATCH_DELETED, seen);
    if (was_last_look(watch, seen) && !watch->waiting) /* the end comes when that has been told */
        conclude(watch, seen);
    return watch->ended;
}

bool ski_watch_pass_over(scalekit_watch *watch, const struct ski_observation *seen)
{
    bool overtaken = seen->asked_ms < watch->target->seen_ms;

    if (was_last_look(watch, seen) && !overtaken && !watch->waiting)
        conclude(watch, NULL);
    return watch->ended;
}

/* --- telling ----------------------------------------------------------------------------------- */

/* When the account was last seen; before it is followed, by an earlier step. */
static scalekit_time seen_at(const scalekit_watch *watch, const struct ski_observation *seen)
{
    struct ski_loop *loop = &watch->engine->client->loop;
    scalekit_time wall = ski_clock_wall(&loop->clock);

    if (seen && seen->account)
        return wall;
    if (!watch->target || !watch->target->seen_ms || !watch->view.begun)
        return watch->extra->seen_at;
    return wall - (ski_loop_now(loop) - watch->target->seen_ms) * 1000;
}

static void keep(scalekit_watch *watch, const struct ski_observation *seen)
{
    struct ski_watch_extra *extra = ski_watch_extra(watch);

    if (!extra) /* then it is told without */
        return;
    scalekit_request_unref(extra->evidence);
    scalekit_webhook_event_free(extra->delivery);
    extra->evidence = seen ? scalekit_request_ref(seen->evidence) : NULL;
    extra->delivery = seen ? ski_webhook_event_ref(seen->delivery) : NULL;
    extra->account = extra->evidence || extra->delivery ? seen->account : NULL;
    extra->source = seen ? seen->source : SCALEKIT_WATCH_SOURCE_NONE;
    extra->seen_at = seen_at(watch, seen);
}

void ski_watch_tell(scalekit_watch *watch, enum scalekit_watch_event_kind kind,
                    const struct ski_observation *seen)
{
    struct ski_engine *engine = watch->engine;
    bool queued = watch->waiting;

    if (watch->ended)
        return;
    keep(watch, seen);
    watch->waiting = ((unsigned)kind + 1) & 15;
    if (ski_judge_is_final(&watch->view, kind)) {
        watch->ended = true;
        leave(watch);
    }
    if (!queued) {
        watch->next_ready = SKI_NO_WATCH;
        if (engine->ready == SKI_NO_WATCH)
            engine->ready = watch->number;
        else
            ski_watch_at(&engine->watches, engine->ready_last)->next_ready = watch->number;
        engine->ready_last = watch->number;
    }
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
    static const struct ski_watch_extra nothing;
    const struct ski_watch_extra *extra = watch->extra ? watch->extra : &nothing;
    const scalekit_request *evidence = extra->evidence;

    *event = (struct scalekit_watch_event){
        .struct_size = sizeof *event,
        .kind = (enum scalekit_watch_event_kind)(watch->waiting - 1),
        .final = watch->ended,
        .status = (enum scalekit_account_status)watch->view.status,
        .previous_status = (enum scalekit_account_status)watch->view.previous,
        .account = extra->account,
        .looks = watch->looks,
        .last_seen_at = extra->seen_at,
        .source = extra->source,
    };
    if (event->kind == SCALEKIT_WATCH_LINK)
        event->link = evidence->result;
    else if (!evidence)
        event->error = missing_error(event->kind);
    else if (evidence->failed)
        event->error = &evidence->error;
    if (event->account)
        event->status_text = event->account->status_text;
    else if (event->status == SCALEKIT_ACCOUNT_UNKNOWN)
        event->status_text = extra->unknown_text;
    else
        event->status_text = scalekit_account_status_name(event->status);
}

/* What was kept for the event goes; the rest only when nothing else needs it. */
static void forget(scalekit_watch *watch, scalekit_request *evidence,
                   const struct scalekit_webhook_event *delivery)
{
    struct ski_watch_extra *extra = watch->extra;

    scalekit_request_unref(evidence);
    scalekit_webhook_event_free(delivery);
    if (extra && !watch->waiting && !extra->prologue && !extra->unknown_text && !extra->known_at &&
        !extra->deadline_ms && !watch->view.until_reauthorized)
        free_extra(watch);
}

static void tell(scalekit_watch *watch)
{
    scalekit_client *client = watch->engine->client;
    struct ski_watch_extra *extra = watch->extra;
    scalekit_request *evidence = extra ? extra->evidence : NULL;
    const struct scalekit_webhook_event *delivery = extra ? extra->delivery : NULL;
    struct scalekit_watch_event event;
    bool final = watch->ended;

    describe(watch, &event);
    watch->engine->tally.events[event.kind]++;
    watch->waiting = 0;
    if (extra) { /* ours: another event may come inside */
        extra->evidence = NULL;
        extra->delivery = NULL;
    }
    scalekit_watch_ref(watch);
    watch->cb(watch, &event, watch->user);
    forget(watch, evidence, delivery);
    scalekit_watch_unref(watch);
    if (!final)
        return;
    scalekit_watch_unref(watch);
    ski_loop_release(&client->loop);
}

static scalekit_watch *next_ready(struct ski_engine *engine)
{
    scalekit_watch *watch;

    if (engine->ready == SKI_NO_WATCH)
        return NULL;
    watch = ski_watch_at(&engine->watches, engine->ready);
    engine->ready = watch->next_ready;
    return watch;
}

void ski_watch_tell_ready(struct ski_engine *engine, bool all)
{
    scalekit_client *client = engine->client;
    scalekit_watch *watch;

    ski_client_enter(client);
    for (int left = TELL_BATCH; (all || (left && !client->closing)); left--) {
        watch = next_ready(engine);
        if (!watch)
            break;
        tell(watch);
    }
    if (engine->ready != SKI_NO_WATCH && !client->closing)
        ski_task_defer(&client->loop, &engine->tell);
    ski_client_leave(client);
}

/* --- the handle -------------------------------------------------------------------------------- */

static const struct ski_field watch_fields[] = {
    ACCOUNT_KEY(scalekit_watch_params),
    INTEGER(scalekit_watch_params, deadline_ms, "deadline_ms", .min = 1, .max = SKI_MAX_WATCH_MS),
    TIMESTAMP(scalekit_watch_params, link_expiry, "link_expiry"),
    TIMESTAMP(scalekit_watch_params, known_updated_at, "known_updated_at"),
    END,
};
static const struct ski_type watch_type = TYPE(scalekit_watch_params, watch_fields);

static const char *check_watch(const void *params, const char **parameter)
{
    const struct scalekit_watch_params *p = params;

    if ((unsigned)p->known_status > SCALEKIT_ACCOUNT_DISCONNECTED) {
        *parameter = "known_status";
        return "is no status";
    }
    return ski_check_account_key(p->connected_account_id, p->connection_name, p->identifier,
                                 parameter);
}

/* Arguments that are wrong are found by an operation that never leaves, and told from the loop. */
static const struct ski_operation rules = {
    .name = "watch_account",
    .idempotency = SKI_SAFE,
    .params = &watch_type,
    .check = check_watch,
    .deliver = ski_deliver_done,
};

/* What it is to tell, and what it knows from the start.  false: out of memory. */
static bool set_view(scalekit_watch *watch, const struct scalekit_watch_params *params)
{
    struct ski_view *view = &watch->view;
    bool limited = params->follow && params->link_expiry && params->deadline_ms;

    view->progress = params->progress;
    view->follow = params->follow;
    view->until_reauthorized = params->until_reauthorized;
    ski_view_know(view, params->known_status);
    if (!limited && !params->until_reauthorized)
        return true;
    if (!ski_watch_extra(watch))
        return false;
    watch->extra->known_at = params->known_updated_at;
    if (limited)
        watch->extra->deadline_ms = ski_engine_now(watch->engine) + params->deadline_ms;
    return true;
}

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
    name = (struct ski_account_name){ski_given(p.connected_account_id),
                                     ski_given(p.connection_name), ski_given(p.identifier),
                                     ski_given(p.organization_id), ski_given(p.user_id)};
    if (set_view(watch, params)) {
        ski_watch_limit(watch, params->deadline_ms, params->link_expiry);
        if (ski_watch_follow(watch, &name, params->known_updated_at))
            return watch;
    }
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
        ski_schedule_look_now(watch->engine, watch->target);
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
    free_extra(watch);
    ski_watch_table_give(&engine->watches, watch);
    ski_engine_unref(engine);
}

enum scalekit_account_status scalekit_watch_status(const scalekit_watch *watch)
{
    return watch ? (enum scalekit_account_status)watch->view.status : SCALEKIT_ACCOUNT_UNKNOWN;
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
    case SCALEKIT_WATCH_CHANGED:
        return "changed";
    case SCALEKIT_WATCH_SETTLED:
        return "settled";
    case SCALEKIT_WATCH_ALREADY_ACTIVE:
        return "already_active";
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
