/* retry.h - whether a request may be sent again, and when.  Pure decisions, no state but a budget.
 *
 *   what happened                               safe, idempotent     unsafe
 *   not a byte reached the server               again                again
 *   sent, and no answer; 502; 503               again                never
 *   401, not a tool's                           fresh token, again   fresh token, again
 *   429, not a tool's                           if asked to          never
 *   a tool's error; certificate refused;        never                never
 *   500, 504, every other answer
 *   a streamed body was begun, either way       never                never
 *
 * The budget keeps a server that is down from being hit harder than one that is up: 500 tokens, a
 * retry takes 5 (10 after a silence), a success gives 1 back. */
#ifndef SKI_CORE_RETRY_H
#define SKI_CORE_RETRY_H

#include "base/clock.h"
#include "core/operation.h"

#define SKI_RETRY_BUDGET 500

enum ski_verdict { SKI_GIVE_UP, SKI_TRY_AGAIN, SKI_FRESH_TOKEN };

struct ski_attempt {
    enum ski_idempotency idempotency;
    const struct scalekit_error *error;
    int retries, max_retries; /* done so far, and allowed */
    bool refreshed;           /* a fresh token was tried already */
    bool retry_rate_limited;
    bool consumed; /* a body that cannot be had again was read, or part of the answer told */
};

enum ski_verdict ski_retry_judge(const struct ski_attempt *attempt);

/* How long to pause: min(1 s * 2^retries, 30 s) * (0.5 … 1), or longer if the server asks. */
int64_t ski_retry_pause_ms(const struct ski_clock *clock, int retries,
                           const struct scalekit_error *error);

/* Takes what a retry after `error` costs; false: the budget is spent. */
bool ski_retry_spend(int *budget, const struct scalekit_error *error);
void ski_retry_refund(int *budget);

#endif
