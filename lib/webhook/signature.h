/* signature.h - signatures of Standard Webhooks, "v1,<base64>": HMAC-SHA256 of "id.timestamp.body".
 * The one door of webhook/ to OpenSSL. */
#ifndef SKI_WEBHOOK_SIGNATURE_H
#define SKI_WEBHOOK_SIGNATURE_H

#include "base/str.h"
#include <scalekit/webhook.h>

#define SKI_WEBHOOK_LONGEST_KEY 4096

/* What is signed. */
struct ski_webhook_message {
    const char *id;
    struct ski_slice timestamp; /* decimal, without leading zeros */
    const void *body;
    size_t body_length;
};

/* GOOD, BAD_SECRET or NO_MEMORY. */
enum scalekit_webhook_verdict ski_webhook_sign(char out[SCALEKIT_WEBHOOK_SIGNATURE_SIZE],
                                               const char *secret,
                                               const struct ski_webhook_message *message);

/* Whether a header lists that signature, between single spaces; what is none is passed over. */
bool ski_webhook_lists(const char *header, const char *signature);

#endif
