/* verify.h - the verdict on a delivery. */
#ifndef SKI_WEBHOOK_VERIFY_H
#define SKI_WEBHOOK_VERIFY_H

#include <scalekit/webhook.h>

/* What is known of a delivery that is good. */
struct ski_webhook_origin {
    const char *id;    /* borrowed from the headers */
    int64_t timestamp; /* seconds */
    size_t secret;     /* the first that fits */
};

/* scalekit_webhook_verify(), with what it found; *origin is filled when the verdict is GOOD. */
enum scalekit_webhook_verdict ski_webhook_verify(const struct scalekit_webhook_rules *rules,
                                                 const struct scalekit_webhook_delivery *delivery,
                                                 struct ski_webhook_origin *origin);

#endif
