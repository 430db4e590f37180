#include "core/retry.h"

/* Failures of the network that may pass.  A refused certificate or a malformed answer will not. */
static bool is_transient(scalekit_err code)
{
    switch (code) {
    case SCALEKIT_ERR_RESOLVE:
    case SCALEKIT_ERR_CONNECT:
    case SCALEKIT_ERR_NETWORK:
    case SCALEKIT_ERR_UNAVAILABLE:
        return true;
    default:
        return false;
    }
}

enum ski_verdict ski_retry_judge(const struct ski_attempt *attempt)
{
    const struct scalekit_error *error = attempt->error;
    bool unsafe = attempt->idempotency == SKI_UNSAFE;

    if (attempt->consumed)
        return SKI_GIVE_UP;
    /* The server refused before it did anything, so even an unsafe request may go again. */
    if (error->code == SCALEKIT_ERR_UNAUTHORIZED)
        return attempt->refreshed ? SKI_GIVE_UP : SKI_FRESH_TOKEN;
    if (attempt->retries >= attempt->max_retries)
        return SKI_GIVE_UP;
    if (error->code == SCALEKIT_ERR_RATE_LIMITED)
        return attempt->retry_rate_limited && !unsafe ? SKI_TRY_AGAIN : SKI_GIVE_UP;
    if (!is_transient(error->code) || (unsafe && error->sent))
        return SKI_GIVE_UP;
    return SKI_TRY_AGAIN;
}

int64_t ski_retry_pause_ms(const struct ski_clock *clock, int retries,
                           const struct scalekit_error *error)
{
    int64_t pause = retries < 5 ? INT64_C(1000) << retries : 30000;

    pause = ski_clock_jitter(clock, pause, 50, 100);
    return pause > error->retry_after_ms ? pause : error->retry_after_ms;
}

bool ski_retry_spend(int *budget, const struct scalekit_error *error)
{
    int cost = error->http_status ? 5 : 10;

    if (*budget < cost)
        return false;
    *budget -= cost;
    return true;
}

void ski_retry_refund(int *budget)
{
    if (*budget < SKI_RETRY_BUDGET)
        ++*budget;
}
