/* clock.h - the time and the dice, injectable. */
#ifndef SKI_BASE_CLOCK_H
#define SKI_BASE_CLOCK_H

#include <scalekit/client.h>

struct ski_clock {
    struct scalekit_clock hooks;
};

/* Copies the hooks; NULL means the system's. */
void ski_clock_init(struct ski_clock *clock, const struct scalekit_clock *hooks);

int64_t ski_clock_ms(const struct ski_clock *clock);         /* monotonic milliseconds */
scalekit_time ski_clock_wall(const struct ski_clock *clock); /* microseconds since 1970 */
uint64_t ski_clock_random(const struct ski_clock *clock);
/* `value` scaled by a random factor from `low` to `high` percent: (1000, 50, 100) is 500 to 1000. */
int64_t ski_clock_jitter(const struct ski_clock *clock, int64_t value, int low, int high);

/* Up to 256 bytes that nobody can guess, from the system whatever the hooks are.  false: it has none
 * yet; it is not waited for. */
bool ski_random_secret(void *bytes, size_t length);

#endif
