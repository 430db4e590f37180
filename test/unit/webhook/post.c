#include "unit/webhook/post.h"
#include "harness.h"

struct post post_signed(char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], const char *body)
{
    struct post post = {.id = ID,
                        .timestamp = NOW,
                        .signature = signature,
                        .secret = SECRET,
                        .body = body,
                        .length = strlen(body)};

    CU_ASSERT_EQUAL(
        scalekit_webhook_sign(signature, SECRET, ID, VECTOR_NOW, post.body, post.length),
        SCALEKIT_WEBHOOK_GOOD);
    return post;
}

#define AS_ARGUMENTS(post, memory)                                                                 \
    SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &(post)->secret, .n_secrets = 1,            \
                    .now = VECTOR_NOW, .allocator = (memory)),                                     \
        SCALEKIT_PARAMS(                                                                           \
            scalekit_webhook_delivery, .n_headers = 3, .body = (post)->body,                       \
            .body_length = (post)->length,                                                         \
            .headers = (const struct scalekit_entry[]){{"Webhook-Id", (post)->id},                 \
                                                       {"Webhook-Timestamp", (post)->timestamp},   \
                                                       {"Webhook-Signature", (post)->signature}})

enum scalekit_webhook_verdict post_verify(const struct post *post)
{
    return scalekit_webhook_verify(AS_ARGUMENTS(post, NULL));
}

enum scalekit_webhook_verdict post_open(const struct post *post,
                                        const struct scalekit_allocator *allocator,
                                        const struct scalekit_webhook_event **event)
{
    return scalekit_webhook_open(AS_ARGUMENTS(post, allocator), event);
}
