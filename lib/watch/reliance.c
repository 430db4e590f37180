#include "watch/reliance.h"

/* What happened so long ago must have been told.  Clocks may differ, and an event may have happened
 * a little before its account's updated_at. */
#define LAG_US INT64_C(15000000)
/* So many that were missed, and more than were told, end it. */
#define FEW_MISSED 3
#define MANY       64
#define PAUSE_MS   60000
/* Some 4,000 a second for as long as one may be under way, in 1.5 MiB. */
#define MOST_ACCOUNTS 65536

void ski_reliance_init(struct ski_reliance *reliance, const struct ski_mem *mem)
{
    *reliance = (struct ski_reliance){.told_ms = INT64_MIN, .since_ms = INT64_MIN};
    ski_shown_init(&reliance->shown, mem, MOST_ACCOUNTS);
}

void ski_reliance_free(struct ski_reliance *reliance)
{
    const struct ski_mem *mem = reliance->shown.mem;

    ski_shown_free(&reliance->shown);
    ski_reliance_init(reliance, mem);
}

static void count(struct ski_reliance *reliance, unsigned told, unsigned missed)
{
    reliance->told += told;
    reliance->missed += missed;
    if (reliance->told + reliance->missed >= MANY) {
        reliance->told /= 2;
        reliance->missed /= 2;
    }
}

/* What happened before the first is not known; while there is no memory nothing is, and nothing
 * missed. */
bool ski_reliance_told(struct ski_reliance *reliance, uint64_t account, scalekit_time at,
                       int64_t now_ms)
{
    bool newest = !ski_shown_has_later(&reliance->shown, account, at);

    if (!reliance->shown.slots)
        ski_shown_begin(&reliance->shown, at);
    ski_shown_note(&reliance->shown, account, at);
    reliance->told_ms = now_ms;
    count(reliance, 1, 0);
    return newest;
}

bool ski_reliance_compare(struct ski_reliance *reliance, uint64_t account, scalekit_time at,
                          scalekit_time wall)
{
    bool missed = at < wall - LAG_US && ski_shown_lacks(&reliance->shown, account, at - LAG_US);

    if (missed)
        count(reliance, 0, 1);
    return missed;
}

bool ski_reliance_review(struct ski_reliance *reliance, int64_t now_ms)
{
    bool trusted = reliance->told_ms != INT64_MIN && now_ms - reliance->told_ms < SKI_RELIANCE_MS &&
                   (reliance->missed < FEW_MISSED || reliance->missed <= reliance->told);

    if (trusted == reliance->trusted ||
        (trusted && reliance->since_ms != INT64_MIN && now_ms - reliance->since_ms < PAUSE_MS))
        return false;
    reliance->trusted = trusted;
    reliance->since_ms = now_ms;
    return true;
}
