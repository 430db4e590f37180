/* post.h - a delivery as a server gets it, signed or not. */
#ifndef TEST_WEBHOOK_POST_H
#define TEST_WEBHOOK_POST_H

#include "unit/webhook/vectors.h"

struct post {
    const char *id, *timestamp, *signature;
    const char *secret; /* the receiver's */
    const char *body;
    size_t length;
};

/* Of this body, by SECRET, now; the signature is in a buffer that lives as long as the test's. */
struct post post_signed(char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], const char *body);

/* What is to be thought of it now. */
enum scalekit_webhook_verdict post_verify(const struct post *post);

/* Opens it; `allocator` may be NULL. */
enum scalekit_webhook_verdict post_open(const struct post *post,
                                        const struct scalekit_allocator *allocator,
                                        const struct scalekit_webhook_event **event);

#endif
