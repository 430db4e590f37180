#include "webhook/verify.h"
#include "webhook/signature.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum header { ID, TIMESTAMP, SIGNATURE, N_HEADERS };

const char *scalekit_webhook_verdict_text(enum scalekit_webhook_verdict verdict)
{
    switch (verdict) {
    case SCALEKIT_WEBHOOK_GOOD:
        return "the signature is right";
    case SCALEKIT_WEBHOOK_INVALID:
        return "the arguments are wrong";
    case SCALEKIT_WEBHOOK_REPEATED_HEADER:
        return "the id, the timestamp or the signature is there twice";
    case SCALEKIT_WEBHOOK_MISSING_HEADER:
        return "the id, the timestamp or the signature is missing";
    case SCALEKIT_WEBHOOK_BAD_TIMESTAMP:
        return "the timestamp is not a number of seconds";
    case SCALEKIT_WEBHOOK_STALE:
        return "the timestamp is too old";
    case SCALEKIT_WEBHOOK_FROM_THE_FUTURE:
        return "the timestamp is in the future";
    case SCALEKIT_WEBHOOK_NO_MEMORY:
        return "out of memory";
    case SCALEKIT_WEBHOOK_BAD_SECRET:
        return "the secret is not of the form whsec_<base64>";
    case SCALEKIT_WEBHOOK_BAD_SIGNATURE:
        return "the signature is wrong";
    case SCALEKIT_WEBHOOK_NO_EVENT:
        return "the signature is right, but the body is not an event";
    case SCALEKIT_WEBHOOK_DUPLICATE:
        return "it was delivered before";
    case SCALEKIT_WEBHOOK_BUSY:
        return "too many deliveries wait to be told";
    }
    return "unknown";
}

int scalekit_webhook_http_status(enum scalekit_webhook_verdict verdict)
{
    switch (verdict) {
    case SCALEKIT_WEBHOOK_GOOD:
    case SCALEKIT_WEBHOOK_DUPLICATE:
        return 201;
    case SCALEKIT_WEBHOOK_REPEATED_HEADER:
    case SCALEKIT_WEBHOOK_MISSING_HEADER:
    case SCALEKIT_WEBHOOK_BAD_TIMESTAMP:
    case SCALEKIT_WEBHOOK_NO_EVENT:
        return 400;
    case SCALEKIT_WEBHOOK_STALE:
    case SCALEKIT_WEBHOOK_FROM_THE_FUTURE:
    case SCALEKIT_WEBHOOK_BAD_SIGNATURE:
        return 401;
    case SCALEKIT_WEBHOOK_BUSY:
        return 503;
    case SCALEKIT_WEBHOOK_INVALID:
    case SCALEKIT_WEBHOOK_NO_MEMORY:
    case SCALEKIT_WEBHOOK_BAD_SECRET:
        break;
    }
    return 500;
}

/* --- headers ------------------------------------------------------------------------------------ */

static const char *const header_names[2][N_HEADERS] = {
    {"webhook-id", "webhook-timestamp", "webhook-signature"},
    {"interceptor-id", "interceptor-timestamp", "interceptor-signature"},
};

static enum scalekit_webhook_verdict find_headers(const char *found[N_HEADERS],
                                                  const struct scalekit_webhook_delivery *delivery)
{
    const char *const *names = header_names[delivery->interceptor];

    for (size_t i = 0; i < delivery->n_headers; i++) {
        const struct scalekit_entry *header = &delivery->headers[i];
        size_t which = 0;

        while (which < N_HEADERS && !(header->key && ski_str_ieq(header->key, names[which])))
            which++;
        if (which == N_HEADERS)
            continue;
        if (found[which])
            return SCALEKIT_WEBHOOK_REPEATED_HEADER;
        found[which] = header->value ? header->value : "";
    }
    for (size_t i = 0; i < N_HEADERS; i++)
        if (!found[i] || !*found[i])
            return SCALEKIT_WEBHOOK_MISSING_HEADER;
    return SCALEKIT_WEBHOOK_GOOD;
}

/* --- time --------------------------------------------------------------------------------------- */

/* Digits only.  *digits has what is signed, the number without leading zeros. */
static bool read_timestamp(const char *text, struct ski_slice *digits, int64_t *timestamp)
{
    uint64_t value;

    if (!ski_parse_u64(ski_slice_of(text), &value) || value > INT64_MAX)
        return false;
    while (text[0] == '0' && text[1])
        text++;
    *digits = ski_slice_of(text);
    *timestamp = (int64_t)value;
    return true;
}

/* Neither time is negative, so that no difference overflows. */
static enum scalekit_webhook_verdict judge_time(const struct scalekit_webhook_rules *rules,
                                                int64_t timestamp)
{
    int64_t tolerance = rules->tolerance ? rules->tolerance : SCALEKIT_WEBHOOK_TOLERANCE;
    int64_t age = rules->now - timestamp;

    return age > tolerance    ? SCALEKIT_WEBHOOK_STALE
           : age < -tolerance ? SCALEKIT_WEBHOOK_FROM_THE_FUTURE
                              : SCALEKIT_WEBHOOK_GOOD;
}

/* --- the verdict -------------------------------------------------------------------------------- */

/* Every secret is read, also behind one that fits. */
static enum scalekit_webhook_verdict judge_signature(const struct scalekit_webhook_rules *rules,
                                                     const char *header,
                                                     const struct ski_webhook_message *message,
                                                     size_t *secret)
{
    enum scalekit_webhook_verdict verdict = SCALEKIT_WEBHOOK_BAD_SIGNATURE;

    if (rules->n_secrets == 0)
        return SCALEKIT_WEBHOOK_BAD_SECRET;
    for (size_t i = 0; i < rules->n_secrets; i++) {
        char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
        enum scalekit_webhook_verdict made =
            ski_webhook_sign(signature, rules->secrets[i], message);

        if (made != SCALEKIT_WEBHOOK_GOOD)
            return made;
        if (verdict != SCALEKIT_WEBHOOK_GOOD && ski_webhook_lists(header, signature)) {
            verdict = SCALEKIT_WEBHOOK_GOOD;
            *secret = i;
        }
        ski_cleanse(signature, sizeof signature);
    }
    return verdict;
}

static bool is_valid(const struct scalekit_webhook_rules *rules,
                     const struct scalekit_webhook_delivery *delivery)
{
    return rules && delivery && rules->struct_size && delivery->struct_size &&
           (rules->secrets || !rules->n_secrets) && rules->now >= 0 && rules->tolerance >= 0 &&
           (delivery->headers || !delivery->n_headers) &&
           (delivery->body || !delivery->body_length);
}

enum scalekit_webhook_verdict ski_webhook_verify(const struct scalekit_webhook_rules *rules,
                                                 const struct scalekit_webhook_delivery *delivery,
                                                 struct ski_webhook_origin *origin)
{
    const char *found[N_HEADERS] = {NULL};
    struct ski_webhook_message message;
    enum scalekit_webhook_verdict verdict;

    if (!is_valid(rules, delivery))
        return SCALEKIT_WEBHOOK_INVALID;
    verdict = find_headers(found, delivery);
    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        return verdict;
    message = (struct ski_webhook_message){
        .id = found[ID], .body = delivery->body, .body_length = delivery->body_length};
    if (!read_timestamp(found[TIMESTAMP], &message.timestamp, &origin->timestamp))
        return SCALEKIT_WEBHOOK_BAD_TIMESTAMP;
    verdict = judge_time(rules, origin->timestamp);
    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        return verdict;
    origin->id = found[ID];
    return judge_signature(rules, found[SIGNATURE], &message, &origin->secret);
}

enum scalekit_webhook_verdict scalekit_webhook_verify(
    const struct scalekit_webhook_rules *rules, const struct scalekit_webhook_delivery *delivery)
{
    struct ski_webhook_origin origin;

    return ski_webhook_verify(rules, delivery, &origin);
}

enum scalekit_webhook_verdict scalekit_webhook_sign(char out[SCALEKIT_WEBHOOK_SIGNATURE_SIZE],
                                                    const char *secret, const char *id,
                                                    int64_t timestamp, const void *body,
                                                    size_t body_length)
{
    struct ski_webhook_message message = {.id = id, .body = body, .body_length = body_length};
    char digits[24];

    if (!out)
        return SCALEKIT_WEBHOOK_INVALID;
    out[0] = '\0';
    if (!secret || !id || !*id || timestamp < 0 || (!body && body_length))
        return SCALEKIT_WEBHOOK_INVALID;
    snprintf(digits, sizeof digits, "%" PRId64, timestamp);
    message.timestamp = ski_slice_of(digits);
    return ski_webhook_sign(out, secret, &message);
}
