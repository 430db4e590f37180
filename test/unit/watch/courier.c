/* courier.c - deliveries on their way through the client: what is to be thought of each, and whom it
 * reaches. */
#include "unit/watch/referee.h"
#include <stdlib.h>

#define MEMORY_MS 1800000 /* so long ids are known at least */
#define FLOW_MS   600000  /* so long after a delivery it is relied on that there are more */

static int64_t now_ms(const struct referee *referee)
{
    return realm_now(referee->realm);
}

/* --- taking in ---------------------------------------------------------------------------------- */

/* The oldest one of the same webhook-id or event; NULL: none. */
static const struct receipt *find(const struct referee *referee, const struct mail *mail)
{
    for (unsigned i = 0; i < referee->n_receipts; i++) {
        const struct receipt *receipt = &referee->receipts[i];

        if (strcmp(receipt->id, mail->id) == 0 || strcmp(receipt->event_id, mail->event_id) == 0)
            return receipt;
    }
    return NULL;
}

/* What is to be thought of it. */
static enum scalekit_webhook_verdict deserved(const struct referee *referee,
                                              const struct mail *mail)
{
    int64_t age_s = referee->realm->clock.wall_us / 1000000 - mail->sent_s;

    if (age_s > SCALEKIT_WEBHOOK_TOLERANCE)
        return SCALEKIT_WEBHOOK_STALE;
    if (age_s < -SCALEKIT_WEBHOOK_TOLERANCE)
        return SCALEKIT_WEBHOOK_FROM_THE_FUTURE;
    if (mail->forged)
        return SCALEKIT_WEBHOOK_BAD_SIGNATURE;
    return find(referee, mail) ? SCALEKIT_WEBHOOK_DUPLICATE : SCALEKIT_WEBHOOK_GOOD;
}

/* What was known long ago may be new again. */
static bool is_right(const struct referee *referee, const struct mail *mail,
                     enum scalekit_webhook_verdict verdict)
{
    enum scalekit_webhook_verdict right = deserved(referee, mail);

    if (right == SCALEKIT_WEBHOOK_DUPLICATE && verdict == SCALEKIT_WEBHOOK_GOOD)
        return now_ms(referee) - find(referee, mail)->taken_ms > MEMORY_MS;
    return verdict == right;
}

static void take(struct referee *referee, const struct mail *mail)
{
    struct receipt *receipt;

    if (referee->n_receipts == referee->room_receipts) {
        referee->room_receipts = referee->room_receipts * 2 + 64;
        referee->receipts =
            realloc(referee->receipts, referee->room_receipts * sizeof *referee->receipts);
        CU_ASSERT_PTR_NOT_NULL_FATAL(referee->receipts);
    }
    receipt = &referee->receipts[referee->n_receipts++];
    *receipt = (struct receipt){
        .account = mail->account,
        .moment = mail->moment,
        .taken_ms = now_ms(referee),
        .occurred_us = mail->occurred_us,
        .has_status = strcmp(mail->type, "connected_account.status_updated") == 0 &&
                      mail->account->moments[mail->moment].status != SCALEKIT_ACCOUNT_UNKNOWN,
    };
    snprintf(receipt->type, sizeof receipt->type, "%s", mail->type);
    snprintf(receipt->id, sizeof receipt->id, "%s", mail->id);
    snprintf(receipt->event_id, sizeof receipt->event_id, "%s", mail->event_id);
}

void referee_hand_in(struct referee *referee, const struct mail *mail)
{
    const struct scalekit_entry headers[] = {{"Webhook-Id", mail->id},
                                             {"Webhook-Timestamp", mail->timestamp},
                                             {"Webhook-Signature", mail->signature}};
    bool inside = referee->inside;
    enum scalekit_webhook_verdict verdict;

    referee->inside = true;
    verdict = scalekit_webhook_deliver(
        referee->client,
        SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers, .n_headers = 3,
                        .body = mail->body, .body_length = strlen(mail->body)));
    referee->inside = inside;
    referee_say(referee, "posted %s %s of account %u, moment %u: %s", mail->id, mail->type,
                (unsigned)(mail->account - referee->realm->accounts), mail->moment,
                scalekit_webhook_verdict_text(verdict));
    referee->verdicts[verdict]++;
    if (!is_right(referee, mail, verdict))
        referee_fault(referee, NULL, "of %s (%s) it thinks: %s", mail->id, mail->event_id,
                      scalekit_webhook_verdict_text(verdict));
    if (verdict == SCALEKIT_WEBHOOK_GOOD)
        take(referee, mail);
}

void referee_post(struct referee *referee)
{
    static struct mail mail;

    while (referee->endpoint && referee->client && endpoint_take(referee->endpoint, &mail))
        referee_hand_in(referee, &mail);
}

int64_t referee_next_post_ms(const struct referee *referee)
{
    return referee->endpoint && referee->client ? endpoint_next_ms(referee->endpoint) : INT64_MAX;
}

/* --- being told --------------------------------------------------------------------------------- */

static bool is_of(const struct scalekit_webhook_event *event, const struct receipt *receipt)
{
    char id[REALM_NAME];

    realm_id(id, receipt->account->moments[receipt->moment].id);
    return strcmp(event->delivery_id, receipt->id) == 0 &&
           strcmp(event->event->id, receipt->event_id) == 0 &&
           strcmp(event->event->type, receipt->type) == 0 &&
           event->event->occurred_at == receipt->occurred_us &&
           (!event->account || strcmp(event->account->id, id) == 0);
}

/* Whether a later one of the account has been told before. */
static bool is_overtaken(const struct referee *referee, const struct receipt *receipt)
{
    unsigned id = receipt->account->moments[receipt->moment].id;

    for (const struct receipt *other = referee->receipts; other < receipt; other++)
        if (other->account->moments[other->moment].id == id && other->has_status &&
            receipt->has_status && other->occurred_us > receipt->occurred_us)
            return true;
    return false;
}

static void on_delivery(scalekit_client *client, const struct scalekit_webhook_event *event,
                        void *user)
{
    struct referee *referee = user;
    const struct receipt *receipt = &referee->receipts[referee->n_told];

    (void)client;
    referee_say(referee, "told of %s", event->delivery_id);
    if (referee->inside)
        referee_fault(referee, NULL, "%s is told from inside a call", event->delivery_id);
    if (referee->n_told == referee->n_receipts || !is_of(event, receipt)) {
        referee_fault(referee, NULL, "%s is told, but was not next", event->delivery_id);
        return;
    }
    if (event->overtaken != is_overtaken(referee, receipt))
        referee_fault(referee, NULL, "%s is%s overtaken", receipt->id,
                      event->overtaken ? " not" : "");
    referee->n_told++;
    if (referee->act)
        referee->act(NULL, referee->user);
}

bool referee_is_told(const struct referee *referee, int64_t from_ms, int64_t to_ms)
{
    for (unsigned i = 0; i < referee->n_receipts; i++) {
        const struct receipt *receipt = &referee->receipts[i];

        if (receipt->has_status && receipt->taken_ms <= to_ms &&
            receipt->taken_ms + FLOW_MS >= from_ms)
            return true;
    }
    return false;
}

/* --- from beginning to end ---------------------------------------------------------------------- */

void referee_subscribe(struct referee *referee, struct endpoint *endpoint)
{
    static const char *const secret = ENDPOINT_SECRET;

    referee->endpoint = endpoint;
    CU_ASSERT_EQUAL_FATAL(
        scalekit_webhook_accept(referee->client,
                                SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret,
                                                .n_secrets = 1, .cb = on_delivery, .user = referee),
                                NULL),
        SCALEKIT_OK);
}

void referee_check_post(struct referee *referee)
{
    if (referee->n_told != referee->n_receipts)
        referee_fault(referee, NULL, "%s was good, and is not told",
                      referee->receipts[referee->n_told].id);
}
