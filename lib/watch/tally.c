#include "watch/tally.h"
#include <string.h>

#define WINDOW_MS 60000

/* --- lags -------------------------------------------------------------------------------------- */

/* The power of two it has reached, and its next two bits. */
static unsigned bucket_of(int64_t lag_ms)
{
    uint64_t lag = lag_ms > 1 ? (uint64_t)lag_ms : 1;
    unsigned power = 0;
    unsigned bucket;

    while (lag >> power > 1)
        power++;
    bucket = 4 * power + (unsigned)((lag - (UINT64_C(1) << power)) * 4 >> power);
    return bucket < SKI_LAG_BUCKETS ? bucket : SKI_LAG_BUCKETS - 1;
}

/* The longest lag of a bucket that has any: bucket N+1 begins at a quarter more. */
static int64_t longest_in(unsigned bucket)
{
    uint64_t end = (UINT64_C(5) + bucket % 4) << (bucket / 4); /* four times as much */

    return (int64_t)((end + 3) / 4) - 1;
}

void ski_tally_lag(struct ski_tally *tally, int64_t lag_ms)
{
    uint32_t *count = &tally->lags[bucket_of(lag_ms)];

    if (*count < UINT32_MAX)
        ++*count;
}

uint64_t ski_tally_lags(const struct ski_tally *tally)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < SKI_LAG_BUCKETS; i++)
        n += tally->lags[i];
    return n;
}

int64_t ski_tally_percentile(const struct ski_tally *tally, unsigned percent)
{
    uint64_t rank = (ski_tally_lags(tally) * percent + 99) / 100, passed = 0;

    if (!rank)
        return 0;
    for (unsigned i = 0; i < SKI_LAG_BUCKETS; i++) {
        passed += tally->lags[i];
        if (passed >= rank)
            return longest_in(i);
    }
    return 0;
}

/* --- rates ------------------------------------------------------------------------------------- */

void ski_tally_rates(struct ski_tally *tally, int64_t now_ms, const uint64_t sent[SCALEKIT_CLASSES],
                     double per_minute[SCALEKIT_CLASSES])
{
    if (!tally->latest.at_ms || now_ms - tally->latest.at_ms >= WINDOW_MS) {
        tally->before = tally->latest;
        tally->latest.at_ms = now_ms;
        memcpy(tally->latest.sent, sent, sizeof tally->latest.sent);
        if (!tally->before.at_ms)
            tally->before = tally->latest;
    }
    for (int i = 0; i < SCALEKIT_CLASSES; i++)
        per_minute[i] = now_ms > tally->before.at_ms
                            ? (double)(sent[i] - tally->before.sent[i]) * 60000.0 /
                                  (double)(now_ms - tally->before.at_ms)
                            : 0.0;
}
