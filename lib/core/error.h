/* error.h - an answer that is not a success, or a failure from below, as one struct scalekit_error. */
#ifndef SKI_CORE_ERROR_H
#define SKI_CORE_ERROR_H

#include "base/arena.h"
#include "http/exchange.h"
#include "json/type.h"

#define SKI_ERROR_BODY_MAX 8192

/* No facts yet: sizes and "absent" values. */
void ski_error_init(struct scalekit_error *error);

/* From a layer below: code, phase, parameter and text.  Text goes to the arena; when that is out of
 * memory too, the message is a static one. */
void ski_error_from_failure(struct scalekit_error *error, struct ski_arena *arena,
                            const struct ski_failure *failure);

/* From an answer whose status is not 2xx: the gateway's shape, OAuth's shape, or plain text. */
void ski_error_from_answer(struct scalekit_error *error, struct ski_arena *arena,
                           const struct ski_exchange *exchange, scalekit_time now);

/* Another owner's error, with its texts copied; lists of violations and links are left behind. */
void ski_error_copy(struct scalekit_error *error, struct ski_arena *arena,
                    const struct scalekit_error *from);

/* Milliseconds the server asks to wait: Retry-After in seconds or as a date; -1 when it does not. */
int64_t ski_retry_after_ms(const struct ski_headers *headers, scalekit_time now);

#endif
