/* webhook_fuzz.c - any bytes as a delivery: secret, id, timestamp and signatures, each with a NUL
 * behind it, then the body.
 *
 * What is not signed is never good, and what is always is, whatever stands beside its signature.  An
 * event there is exactly where the verdict is good, and all of its memory comes back. */
#include <scalekit/webhook.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECRET, ID, TIMESTAMP, SIGNATURES, N_TEXTS };

#define NOW 1000

static long live;

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void *allocate(size_t size, void *unused)
{
    (void)unused;
    live++;
    return malloc(size);
}

static void *reallocate(void *old, size_t size, void *unused)
{
    (void)unused;
    live += !old;
    return realloc(old, size);
}

static void release(void *memory, void *unused)
{
    (void)unused;
    live--;
    free(memory);
}

static const struct scalekit_allocator counting = {allocate, reallocate, release, NULL};

static enum scalekit_webhook_verdict judge(const char *const texts[N_TEXTS], const char *signatures,
                                           const void *body, size_t length, bool open)
{
    const struct scalekit_entry headers[] = {{"webhook-id", texts[ID]},
                                             {"webhook-timestamp", texts[TIMESTAMP]},
                                             {"webhook-signature", signatures}};
    const struct scalekit_webhook_rules rules = {.struct_size = sizeof rules,
                                                 .secrets = &texts[SECRET],
                                                 .n_secrets = 1,
                                                 .now = NOW,
                                                 .allocator = &counting};
    const struct scalekit_webhook_delivery delivery = {.struct_size = sizeof delivery,
                                                       .headers = headers,
                                                       .n_headers = 3,
                                                       .body = body,
                                                       .body_length = length};
    const struct scalekit_webhook_event *event;
    enum scalekit_webhook_verdict verdict;

    if (!open)
        return scalekit_webhook_verify(&rules, &delivery);
    verdict = scalekit_webhook_open(&rules, &delivery, &event);
    require(!event == (verdict != SCALEKIT_WEBHOOK_GOOD));
    require(!event || (event->event->id && event->event->type && event->event->data &&
                       !event->account == (event->kind == SCALEKIT_WEBHOOK_OTHER)));
    scalekit_webhook_event_free(event);
    require(live == 0);
    return verdict;
}

/* Whether a timestamp is digits of a number near NOW, which it then is. */
static bool is_fresh(const char *text, int64_t *timestamp)
{
    if (!*text || text[strspn(text, "0123456789")])
        return false;
    *timestamp = strtoll(text, NULL, 10);
    return *timestamp >= NOW - SCALEKIT_WEBHOOK_TOLERANCE &&
           *timestamp <= NOW + SCALEKIT_WEBHOOK_TOLERANCE;
}

static void judge_signed(const char *const texts[N_TEXTS], const void *body, size_t length)
{
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], *all;
    int64_t timestamp;
    enum scalekit_webhook_verdict verdict;

    if (!is_fresh(texts[TIMESTAMP], &timestamp) ||
        scalekit_webhook_sign(signature, texts[SECRET], texts[ID], timestamp, body, length) !=
            SCALEKIT_WEBHOOK_GOOD) {
        require(judge(texts, texts[SIGNATURES], body, length, false) != SCALEKIT_WEBHOOK_GOOD);
        return;
    }
    verdict = judge(texts, texts[SIGNATURES], body, length, false);
    require(verdict != SCALEKIT_WEBHOOK_GOOD || strstr(texts[SIGNATURES], signature));
    require(asprintf(&all, "%s %s", texts[SIGNATURES], signature) > 0);
    require(judge(texts, all, body, length, false) == SCALEKIT_WEBHOOK_GOOD);
    verdict = judge(texts, all, body, length, true);
    require(verdict == SCALEKIT_WEBHOOK_GOOD || verdict == SCALEKIT_WEBHOOK_NO_EVENT);
    free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *texts[N_TEXTS], *at = (const char *)data, *end = at + size;

    for (size_t i = 0; i < N_TEXTS; i++) {
        const char *nul = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;

        if (!nul)
            return 0;
        texts[i] = at;
        at = nul + 1;
    }
    judge_signed(texts, at, (size_t)(end - at));
    return 0;
}
