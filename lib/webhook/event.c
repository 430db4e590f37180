#include "webhook/event.h"
#include "api/account_event.h"
#include "api/event.h"
#include "json/decode.h"
#include "webhook/verify.h"
#include <string.h>

static const struct ski_word kinds[] = {
    {SCALEKIT_WEBHOOK_ACCOUNT_CREATED, "connected_account.created"},
    {SCALEKIT_WEBHOOK_ACCOUNT_UPDATED, "connected_account.updated"},
    {SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED, "connected_account.status_updated"},
    {SCALEKIT_WEBHOOK_ACCOUNT_DELETED, "connected_account.deleted"},
    {SCALEKIT_WEBHOOK_ACCOUNT_MAGIC_LINK_GENERATED, "connected_account.magic_link_generated"},
    {SCALEKIT_WEBHOOK_ACCOUNT_OAUTH_SUCCEEDED, "connected_account.oauth_succeeded"},
    {SCALEKIT_WEBHOOK_ACCOUNT_OAUTH_TOKENS_FETCHED, "connected_account.oauth_tokens_fetched"},
    {SCALEKIT_WEBHOOK_ACCOUNT_TOKEN_REFRESH_SUCCEEDED, "connected_account.token_refresh_succeeded"},
    {SCALEKIT_WEBHOOK_ACCOUNT_TOKEN_REFRESH_FAILED, "connected_account.token_refresh_failed"},
    {SCALEKIT_WEBHOOK_OTHER, NULL},
};

static enum scalekit_webhook_kind kind_of(const char *type)
{
    const struct ski_word *kind = kinds;

    while (kind->word && strcmp(kind->word, type) != 0)
        kind++;
    return (enum scalekit_webhook_kind)kind->value;
}

/* --- reading ------------------------------------------------------------------------------------ */

static scalekit_err read_envelope(struct ski_webhook_event *holder,
                                  const struct scalekit_webhook_delivery *delivery)
{
    const void *decoded = NULL;
    const struct scalekit_event *envelope;
    struct ski_failure failure;
    scalekit_err err;

    if (delivery->body_length > SCALEKIT_WEBHOOK_MAX_BODY)
        return SCALEKIT_ERR_DECODE;
    err = ski_json_decode(&holder->arena, &ski_event_type, delivery->body ? delivery->body : "",
                          delivery->body_length, &decoded, &failure);
    if (err != SCALEKIT_OK)
        return err;
    envelope = decoded;
    holder->event.event = envelope;
    return envelope->id && envelope->type && envelope->data ? SCALEKIT_OK : SCALEKIT_ERR_DECODE;
}

static scalekit_err read_data(struct ski_webhook_event *holder)
{
    struct scalekit_webhook_event *event = &holder->event;
    scalekit_err err;

    event->kind = kind_of(event->event->type);
    if (event->kind == SCALEKIT_WEBHOOK_OTHER)
        return SCALEKIT_OK;
    err = ski_account_of_event(&holder->arena, event->event, &event->account);
    if (err == SCALEKIT_OK && event->kind == SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED)
        err = ski_old_status_of_event(&holder->arena, event->event, &event->old_status,
                                      &event->old_status_text);
    return err;
}

static scalekit_err read_event(struct ski_webhook_event *holder,
                               const struct scalekit_webhook_delivery *delivery,
                               const struct ski_webhook_origin *origin)
{
    const int64_t latest = INT64_MAX / 1000000;
    int64_t seconds = origin->timestamp < latest ? origin->timestamp : latest;
    scalekit_err err;

    holder->event = (struct scalekit_webhook_event){
        .struct_size = sizeof holder->event,
        .delivery_id = ski_arena_strdup(&holder->arena, origin->id),
        .sent_at = seconds * 1000000,
        .secret = origin->secret,
    };
    if (!holder->event.delivery_id)
        return SCALEKIT_ERR_NOMEM;
    err = read_envelope(holder, delivery);
    return err == SCALEKIT_OK ? read_data(holder) : err;
}

/* --- a life ------------------------------------------------------------------------------------- */

/* The texts of an event, once as they are and once as a part of its data, and its structures. */
static struct ski_webhook_event *new_holder(const struct scalekit_allocator *allocator,
                                            size_t body_length)
{
    struct ski_mem mem;
    struct ski_arena arena;
    struct ski_webhook_event *holder;

    ski_mem_init(&mem, allocator);
    if (body_length > SCALEKIT_WEBHOOK_MAX_BODY)
        body_length = 0;
    ski_arena_init(&arena, &mem, 1024 + 2 * body_length, SIZE_MAX);
    holder = ski_arena_alloc(&arena, sizeof *holder);
    if (!holder)
        return NULL;
    holder->refs = 1;
    holder->body_length = body_length;
    ski_list_init(&holder->link);
    holder->mem = mem;
    holder->arena = arena;
    holder->arena.mem = &holder->mem;
    return holder;
}

/* The allocator and the arena leave the memory that they free. */
static void free_holder(struct ski_webhook_event *holder)
{
    struct ski_mem mem = holder->mem;
    struct ski_arena arena = holder->arena;

    arena.mem = &mem;
    ski_arena_free(&arena);
}

enum scalekit_webhook_verdict scalekit_webhook_open(
    const struct scalekit_webhook_rules *rules, const struct scalekit_webhook_delivery *delivery,
    const struct scalekit_webhook_event **event)
{
    struct ski_webhook_origin origin;
    struct ski_webhook_event *holder;
    enum scalekit_webhook_verdict verdict;
    scalekit_err err;

    if (!event)
        return SCALEKIT_WEBHOOK_INVALID;
    *event = NULL;
    verdict = ski_webhook_verify(rules, delivery, &origin);
    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        return verdict;
    holder = new_holder(rules->allocator, delivery->body_length);
    if (!holder)
        return SCALEKIT_WEBHOOK_NO_MEMORY;
    err = read_event(holder, delivery, &origin);
    if (err == SCALEKIT_OK) {
        *event = &holder->event;
        return SCALEKIT_WEBHOOK_GOOD;
    }
    free_holder(holder);
    return err == SCALEKIT_ERR_NOMEM ? SCALEKIT_WEBHOOK_NO_MEMORY : SCALEKIT_WEBHOOK_NO_EVENT;
}

const struct scalekit_webhook_event *ski_webhook_event_ref(
    const struct scalekit_webhook_event *event)
{
    if (event)
        ((struct ski_webhook_event *)event)->refs++;
    return event;
}

void scalekit_webhook_event_free(const struct scalekit_webhook_event *event)
{
    struct ski_webhook_event *holder = (struct ski_webhook_event *)event;

    if (holder && --holder->refs == 0)
        free_holder(holder);
}
