#include "watch/deliveries.h"
#include "base/str.h"
#include "json/check.h"
#include "watch/watch.h"
#include "webhook/event.h"
#include <string.h>

#define SECOND_US   INT64_C(1000000)
#define MAX_WAITING 4096
#define MAX_BYTES   (16u << 20)
#define TELL_BATCH  256
/* A delivery may be under way for so long, and the time it was sent at is rounded down. */
#define TRANSIT_US (11 * SECOND_US)

static const char out_of_memory[] = "out of memory";

static struct ski_loop *loop_of(const struct ski_deliveries *deliveries)
{
    return &deliveries->engine->client->loop;
}

/* --- whether they flow -------------------------------------------------------------------------- */

static void review(struct ski_deliveries *deliveries)
{
    struct ski_loop *loop = loop_of(deliveries);
    struct ski_reliance *reliance = &deliveries->reliance;

    if (!ski_reliance_review(reliance, ski_loop_now(loop)))
        return;
    if (reliance->trusted)
        ski_timer_set(loop, deliveries->timer, reliance->told_ms + SKI_RELIANCE_MS);
    ski_log(&loop->log, SCALEKIT_LOG_DEBUG, "deliveries %s",
            reliance->trusted ? "are followed" : "are not relied on");
    ski_engine_trust(deliveries->engine, reliance->trusted);
}

static void on_timer(void *owner)
{
    struct ski_deliveries *deliveries = owner;

    review(deliveries);
    if (deliveries->reliance.trusted)
        ski_timer_set(loop_of(deliveries), deliveries->timer,
                      deliveries->reliance.told_ms + SKI_RELIANCE_MS);
}

bool ski_deliveries_are_relied_on(const struct ski_deliveries *deliveries)
{
    return deliveries->reliance.trusted;
}

void ski_deliveries_compare(struct ski_deliveries *deliveries, const struct ski_observation *seen)
{
    const char *id = seen->account->id;
    scalekit_time wall = ski_clock_wall(&loop_of(deliveries)->clock);

    if (!deliveries->reliance.trusted || !id || !seen->at ||
        !ski_reliance_compare(&deliveries->reliance, ski_hash_text(id), seen->at, wall))
        return;
    deliveries->engine->tally.missed_deliveries++;
    review(deliveries);
}

/* --- secrets ------------------------------------------------------------------------------------ */

static void drop_secrets(struct ski_deliveries *deliveries)
{
    if (deliveries->secrets)
        ski_cleanse(deliveries->secrets, deliveries->secrets_size);
    ski_free(&deliveries->engine->mem, deliveries->secrets);
    deliveries->secrets = NULL;
    deliveries->n_secrets = deliveries->secrets_size = 0;
}

static bool keep_secrets(struct ski_deliveries *deliveries, const char *const *secrets, size_t n)
{
    size_t size = n * sizeof *secrets;
    const char **copy;
    char *to;

    for (size_t i = 0; i < n; i++)
        size += strlen(secrets[i]) + 1;
    copy = ski_alloc(&deliveries->engine->mem, size);
    if (!copy)
        return false;
    to = (char *)(copy + n);
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(secrets[i]) + 1;

        copy[i] = memcpy(to, secrets[i], length);
        to += length;
    }
    drop_secrets(deliveries);
    deliveries->secrets = copy;
    deliveries->n_secrets = n;
    deliveries->secrets_size = size;
    return true;
}

/* What is wrong with a secret, which is used to see whether it can be; NULL: nothing. */
static const char *secret_problem(const char *secret)
{
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    enum scalekit_webhook_verdict verdict =
        scalekit_webhook_sign(signature, secret, "id", 0, NULL, 0);

    ski_cleanse(signature, sizeof signature);
    if (verdict == SCALEKIT_WEBHOOK_NO_MEMORY)
        return out_of_memory;
    return verdict == SCALEKIT_WEBHOOK_GOOD
               ? NULL
               : "secrets has one that is not of the form whsec_<base64>";
}

static scalekit_err refuse(const char **problem, scalekit_err err, const char *why)
{
    if (problem)
        *problem = why;
    return err;
}

static const char *find_problem(const struct scalekit_webhook_accept_params *params)
{
    const char *problem = NULL;

    if (!params->secrets)
        return "secrets is NULL";
    if (params->n_secrets == 0)
        return "n_secrets is 0";
    if (params->n_secrets > SCALEKIT_WEBHOOK_MAX_SECRETS)
        return "n_secrets is more than 16";
    if (params->tolerance < 0)
        return "tolerance is negative";
    for (size_t i = 0; i < params->n_secrets && !problem; i++)
        problem = secret_problem(params->secrets[i]);
    return problem;
}

static bool adopt(struct ski_deliveries *deliveries,
                  const struct scalekit_webhook_accept_params *params)
{
    if (deliveries->timer == SKI_NO_TIMER)
        deliveries->timer = ski_timer_new(loop_of(deliveries), on_timer, deliveries);
    if (deliveries->timer == SKI_NO_TIMER ||
        !keep_secrets(deliveries, params->secrets, params->n_secrets))
        return false;
    deliveries->tolerance = params->tolerance;
    deliveries->cb = params->cb;
    deliveries->user = params->user;
    return true;
}

scalekit_err scalekit_webhook_accept(scalekit_client *client,
                                     const struct scalekit_webhook_accept_params *params,
                                     const char **problem)
{
    struct scalekit_webhook_accept_params p;
    struct ski_engine *engine;
    const char *wrong;

    params = ski_params_copy(&p, sizeof p, params);
    if (!client || params != &p)
        return refuse(problem, SCALEKIT_ERR_INVALID,
                      client ? "params is NULL, or its struct_size is wrong" : "client is NULL");
    if (client->closing)
        return refuse(problem, SCALEKIT_ERR_CLOSED, "client is being freed");
    wrong = find_problem(params);
    if (wrong && wrong != out_of_memory)
        return refuse(problem, SCALEKIT_ERR_INVALID, wrong);
    engine = wrong ? NULL : ski_engine_of(client);
    if (!engine || !adopt(&engine->deliveries, params))
        return refuse(problem, SCALEKIT_ERR_NOMEM, out_of_memory);
    if (problem)
        *problem = NULL;
    return SCALEKIT_OK;
}

/* --- what comes --------------------------------------------------------------------------------- */

static bool is_full(const struct ski_deliveries *deliveries)
{
    return deliveries->n_waiting >= MAX_WAITING || deliveries->n_bytes >= MAX_BYTES;
}

static bool is_known(const struct ski_deliveries *deliveries,
                     const struct scalekit_webhook_event *event)
{
    return ski_seen_ids_have(&deliveries->ids, event->delivery_id) ||
           ski_seen_ids_have(&deliveries->event_ids, event->event->id);
}

/* What could not be remembered might be told twice. */
static bool can_remember(struct ski_deliveries *deliveries)
{
    int64_t now = ski_loop_now(loop_of(deliveries));

    return ski_seen_ids_make_room(&deliveries->ids, now) &&
           ski_seen_ids_make_room(&deliveries->event_ids, now);
}

static void take_in(struct ski_deliveries *deliveries, const struct scalekit_webhook_event *event)
{
    struct ski_webhook_event *holder = (struct ski_webhook_event *)event;
    int64_t now = ski_loop_now(loop_of(deliveries));

    ski_seen_ids_note(&deliveries->ids, event->delivery_id, now);
    ski_seen_ids_note(&deliveries->event_ids, event->event->id, now);
    ski_list_push_back(&deliveries->waiting, &holder->link);
    deliveries->n_waiting++;
    deliveries->n_bytes += holder->body_length;
    ski_task_defer(loop_of(deliveries), &deliveries->task);
}

static enum scalekit_webhook_verdict deliver(struct ski_deliveries *deliveries,
                                             const struct scalekit_webhook_delivery *delivery)
{
    const struct scalekit_webhook_event *event;
    enum scalekit_webhook_verdict verdict = scalekit_webhook_open(
        SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = deliveries->secrets,
                        .n_secrets = deliveries->n_secrets,
                        .now = ski_clock_wall(&loop_of(deliveries)->clock) / SECOND_US,
                        .tolerance = deliveries->tolerance,
                        .allocator = &deliveries->engine->mem.hooks),
        delivery, &event);

    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        return verdict;
    if (is_known(deliveries, event))
        verdict = SCALEKIT_WEBHOOK_DUPLICATE;
    else if (is_full(deliveries))
        verdict = SCALEKIT_WEBHOOK_BUSY;
    else if (!can_remember(deliveries))
        verdict = SCALEKIT_WEBHOOK_NO_MEMORY;
    else
        take_in(deliveries, event);
    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        scalekit_webhook_event_free(event);
    return verdict;
}

static enum ski_delivery_fate fate_of(enum scalekit_webhook_verdict verdict)
{
    return verdict == SCALEKIT_WEBHOOK_GOOD        ? SKI_DELIVERY_TAKEN
           : verdict == SCALEKIT_WEBHOOK_DUPLICATE ? SKI_DELIVERY_DUPLICATE
                                                   : SKI_DELIVERY_REJECTED;
}

enum scalekit_webhook_verdict scalekit_webhook_deliver(
    scalekit_client *client, const struct scalekit_webhook_delivery *delivery)
{
    struct ski_engine *engine;
    enum scalekit_webhook_verdict verdict;

    if (!client || client->closing)
        return SCALEKIT_WEBHOOK_INVALID;
    engine = ski_engine_of(client);
    if (!engine)
        return SCALEKIT_WEBHOOK_NO_MEMORY;
    verdict = !delivery || delivery->interceptor ? SCALEKIT_WEBHOOK_INVALID
                                                 : deliver(&engine->deliveries, delivery);
    engine->tally.deliveries[fate_of(verdict)]++;
    if (fate_of(verdict) == SKI_DELIVERY_REJECTED)
        ski_log(&client->loop.log, SCALEKIT_LOG_INFO, "a delivery is refused: %s",
                scalekit_webhook_verdict_text(verdict));
    return verdict;
}

/* --- what it tells ------------------------------------------------------------------------------ */

/* When something happened, as far as that can be believed; else 0. */
static scalekit_time time_of(const struct ski_deliveries *deliveries,
                             const struct scalekit_webhook_event *event)
{
    scalekit_time at = event->event->occurred_at;

    return at <= ski_engine_latest(deliveries->engine) ? at : 0;
}

/* How long ago it may have happened, at most.  Until it was sent the service's clock knows; one that
 * was held up since shows by ours.  A wide tolerance lets any time of sending pass. */
static int64_t age_ms(const struct ski_deliveries *deliveries,
                      const struct scalekit_webhook_event *event, scalekit_time at)
{
    scalekit_time latest = ski_engine_latest(deliveries->engine);
    scalekit_time usual = (event->sent_at < latest ? event->sent_at : latest) + TRANSIT_US;
    scalekit_time now = ski_clock_wall(&loop_of(deliveries)->clock);

    return at ? ((now > usual ? now : usual) - at) / 1000 : INT64_MAX;
}

/* One without a time has no place among others, and a new word means nothing yet. */
static void tell_status(struct ski_deliveries *deliveries, struct scalekit_webhook_event *event,
                        const struct ski_observation *observation)
{
    const struct scalekit_connected_account *account = event->account;

    if (!observation->at || account->status == SCALEKIT_ACCOUNT_UNKNOWN) {
        ski_engine_suspect(deliveries->engine, observation);
        return;
    }
    event->overtaken = !ski_reliance_told(&deliveries->reliance, ski_hash_text(account->id),
                                          observation->at, observation->asked_ms);
    review(deliveries);
    ski_engine_saw(deliveries->engine, observation);
}

static void tell_engine(struct ski_deliveries *deliveries, struct scalekit_webhook_event *event)
{
    scalekit_time at = time_of(deliveries, event);
    const struct ski_observation observation = {
        .source = SCALEKIT_WATCH_SOURCE_WEBHOOK,
        .account = event->account,
        .delivery = event,
        .asked_ms = ski_loop_now(loop_of(deliveries)),
        .at = at,
        .age_ms = age_ms(deliveries, event, at),
        .herald = event->kind != SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED,
    };

    switch (event->kind) {
    case SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED:
        tell_status(deliveries, event, &observation);
        break;
    case SCALEKIT_WEBHOOK_ACCOUNT_CREATED:
        ski_engine_alert(deliveries->engine, &observation);
        break;
    case SCALEKIT_WEBHOOK_ACCOUNT_UPDATED:
    case SCALEKIT_WEBHOOK_ACCOUNT_DELETED:
    case SCALEKIT_WEBHOOK_ACCOUNT_OAUTH_SUCCEEDED:
    case SCALEKIT_WEBHOOK_ACCOUNT_TOKEN_REFRESH_FAILED:
        ski_engine_suspect(deliveries->engine, &observation);
        break;
    case SCALEKIT_WEBHOOK_OTHER:
    case SCALEKIT_WEBHOOK_ACCOUNT_MAGIC_LINK_GENERATED:
    case SCALEKIT_WEBHOOK_ACCOUNT_OAUTH_TOKENS_FETCHED:
    case SCALEKIT_WEBHOOK_ACCOUNT_TOKEN_REFRESH_SUCCEEDED:
        break;
    }
}

/* The oldest that waits; false: none. */
static bool tell_next(struct ski_deliveries *deliveries)
{
    struct ski_list *node = ski_list_pop_front(&deliveries->waiting);
    struct ski_webhook_event *holder;

    if (!node)
        return false;
    holder = SKI_CONTAINER(node, struct ski_webhook_event, link);
    deliveries->n_waiting--;
    deliveries->n_bytes -= holder->body_length;
    tell_engine(deliveries, &holder->event);
    ski_watch_tell_ready(deliveries->engine, deliveries->engine->client->closing);
    if (deliveries->cb)
        deliveries->cb(deliveries->engine->client, &holder->event, deliveries->user);
    scalekit_webhook_event_free(&holder->event);
    return true;
}

static void on_task(struct ski_task *task)
{
    struct ski_deliveries *deliveries = SKI_CONTAINER(task, struct ski_deliveries, task);
    scalekit_client *client = deliveries->engine->client;

    ski_client_enter(client);
    for (int left = TELL_BATCH; left && !client->closing && tell_next(deliveries); left--)
        ;
    if (!ski_list_empty(&deliveries->waiting) && !client->closing)
        ski_task_defer(&client->loop, task);
    ski_client_leave(client);
}

/* --- life --------------------------------------------------------------------------------------- */

void ski_deliveries_init(struct ski_deliveries *deliveries, struct ski_engine *engine)
{
    *deliveries = (struct ski_deliveries){.engine = engine, .timer = SKI_NO_TIMER};
    ski_list_init(&deliveries->waiting);
    ski_task_init(&deliveries->task, on_task);
    ski_seen_ids_init(&deliveries->ids, &engine->mem);
    ski_seen_ids_init(&deliveries->event_ids, &engine->mem);
    ski_reliance_init(&deliveries->reliance, &engine->mem);
}

void ski_deliveries_close(struct ski_deliveries *deliveries)
{
    while (tell_next(deliveries))
        ;
}

void ski_deliveries_free(struct ski_deliveries *deliveries)
{
    ski_task_cancel(&deliveries->task);
    ski_timer_free(loop_of(deliveries), deliveries->timer);
    drop_secrets(deliveries);
    ski_seen_ids_free(&deliveries->ids);
    ski_seen_ids_free(&deliveries->event_ids);
    ski_reliance_free(&deliveries->reliance);
}
