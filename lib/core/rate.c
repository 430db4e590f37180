#include "core/rate.h"
#include <math.h>

/* The curve of CUBIC, as congestion control has it.  Per second it would come back so fast that a limit
 * of 300 a minute would refuse every tenth request; so it refuses every thirtieth. */
#define BETA       0.7
#define C          0.4

#define BURST_S    2.0
#define WINDOW_S   60.0
#define MEASURE_MS 500
#define SMOOTHING  0.8      /* the share of the latest half second in what is measured */
#define ALMOST_ONE 0.999999 /* sums of fractions need not reach 1 */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* --- the rate ---------------------------------------------------------------------------------- */

static double learned_rate(const struct ski_rate *rate)
{
    double t = (double)(rate->now_ms - rate->lowered_ms) / 1000.0;
    double k = cbrt(rate->peak * (1.0 - BETA) / C);
    double grown = (C * (t - k) * (t - k) * (t - k) + rate->peak) / WINDOW_S;
    double most = larger(2.0 * rate->measured, SKI_RATE_START);

    return larger(smaller(grown, most), SKI_RATE_FLOOR);
}

static double per_second(const struct ski_rate *rate)
{
    double most = rate->ceiling ? rate->ceiling / WINDOW_S : INFINITY;

    return rate->learned ? smaller(most, learned_rate(rate)) : most;
}

static double burst(double rate)
{
    return larger(rate * BURST_S, 1.0);
}

/* --- the last 60 s ----------------------------------------------------------------------------- */

static void move_slots(struct ski_rate *rate)
{
    uint64_t slot = (uint64_t)(rate->now_ms - rate->start_ms) / SKI_RATE_SLOT_MS;

    for (unsigned i = 0; rate->slot < slot && i < SKI_RATE_SLOTS; i++) {
        uint32_t *oldest = &rate->slots[++rate->slot % SKI_RATE_SLOTS];

        rate->in_slots -= *oldest;
        *oldest = 0;
    }
    rate->slot = slot;
}

/* When the first request of those that count stops to. */
static int64_t slots_free_ms(const struct ski_rate *rate)
{
    uint64_t oldest = rate->slot >= SKI_RATE_SLOTS ? rate->slot - SKI_RATE_SLOTS + 1 : 0;

    while (oldest < rate->slot && !rate->slots[oldest % SKI_RATE_SLOTS])
        oldest++;
    return rate->start_ms + (int64_t)(oldest + SKI_RATE_SLOTS) * SKI_RATE_SLOT_MS;
}

/* --- time -------------------------------------------------------------------------------------- */

static void start(struct ski_rate *rate, int64_t now_ms)
{
    rate->started = true;
    rate->start_ms = rate->now_ms = rate->filled_ms = rate->measured_ms = now_ms;
    rate->lowered_ms = rate->parked_ms = now_ms;
    if (rate->ceiling)
        rate->tokens = burst(per_second(rate));
}

static void pass_time(struct ski_rate *rate, int64_t now_ms)
{
    if (!rate->started)
        start(rate, now_ms);
    if (now_ms > rate->now_ms)
        rate->now_ms = now_ms;
    move_slots(rate);
    if (rate->now_ms - rate->lowered_ms >= SKI_RATE_FORGET_MS)
        rate->learned = false;
}

static void fill(struct ski_rate *rate, double now_per_second)
{
    int64_t elapsed = rate->now_ms - rate->filled_ms;

    if (elapsed <= 0)
        return;
    rate->tokens += (double)elapsed / 1000.0 * now_per_second;
    rate->tokens = smaller(rate->tokens, burst(now_per_second));
    rate->filled_ms = rate->now_ms;
}

/* --- interface --------------------------------------------------------------------------------- */

void ski_rate_init(struct ski_rate *rate, unsigned ceiling)
{
    *rate = (struct ski_rate){.ceiling = ceiling};
}

int64_t ski_rate_next_ms(struct ski_rate *rate, int64_t now_ms)
{
    double now_per_second;

    pass_time(rate, now_ms);
    if (rate->now_ms < rate->parked_ms)
        return rate->parked_ms;
    if (!rate->ceiling && !rate->learned)
        return now_ms;
    now_per_second = per_second(rate);
    fill(rate, now_per_second);
    if (rate->tokens < ALMOST_ONE)
        return rate->now_ms + (int64_t)ceil((1.0 - rate->tokens) * 1000.0 / now_per_second);
    if (!rate->ceiling || rate->in_slots < rate->ceiling)
        return now_ms;
    rate->tokens = 1.0;
    rate->filled_ms = slots_free_ms(rate);
    return rate->filled_ms;
}

void ski_rate_take(struct ski_rate *rate, int64_t now_ms)
{
    pass_time(rate, now_ms);
    if (rate->ceiling || rate->learned)
        rate->tokens = larger(rate->tokens - 1.0, 0.0);
    if (!rate->ceiling)
        return;
    rate->slots[rate->slot % SKI_RATE_SLOTS]++;
    rate->in_slots++;
}

void ski_rate_measure(struct ski_rate *rate, uint64_t total, int64_t now_ms)
{
    int64_t elapsed;
    double latest;

    pass_time(rate, now_ms);
    elapsed = rate->now_ms - rate->measured_ms;
    if (elapsed < MEASURE_MS)
        return;
    latest = (double)(total - rate->measured_total) * 1000.0 / (double)elapsed;
    rate->measured = SMOOTHING * latest + (1.0 - SMOOTHING) * rate->measured;
    rate->measured_ms = rate->now_ms;
    rate->measured_total = total;
}

void ski_rate_lower(struct ski_rate *rate, uint64_t total, int64_t now_ms)
{
    double latest;

    ski_rate_measure(rate, total, now_ms);
    latest = (double)(total - rate->measured_total) * 1000.0 / MEASURE_MS;
    rate->measured = larger(rate->measured, latest);
    rate->peak = WINDOW_S * smaller(per_second(rate), larger(rate->measured, SKI_RATE_START));
    rate->learned = true;
    rate->lowered_ms = rate->filled_ms = rate->now_ms;
    rate->tokens = 0.0;
}

bool ski_rate_park(struct ski_rate *rate, int64_t milliseconds, int64_t now_ms)
{
    int64_t until;
    bool parked;

    pass_time(rate, now_ms);
    if (milliseconds > SKI_RATE_MAX_PARK_MS)
        milliseconds = SKI_RATE_MAX_PARK_MS;
    parked = rate->now_ms < rate->parked_ms;
    until = rate->now_ms + milliseconds;
    if (until > rate->parked_ms)
        rate->parked_ms = until;
    return !parked;
}

bool ski_rate_is_limited(struct ski_rate *rate, int64_t now_ms)
{
    pass_time(rate, now_ms);
    return rate->ceiling || rate->learned || rate->now_ms < rate->parked_ms;
}

double ski_rate_per_second(struct ski_rate *rate, int64_t now_ms)
{
    pass_time(rate, now_ms);
    return per_second(rate);
}
