/* wheel.h - a hierarchical timing wheel over small integers.
 *
 * Timers are numbers 0…n-1 chosen by the owner; the wheel keeps 16 bytes for each (two indices and
 * a tick) and four levels of 256 slots of 8 ms, which reach a year; what is due later still waits
 * in the last slot and is sorted in again when that one is reached.  Setting, clearing and expiring
 * cost O(1); a bitmap finds the next non-empty slot without walking, however far the clock jumps.
 * A due time is rounded up to the next tick: a timer never fires before its time, and less than one
 * tick after it.  Timers fire in the order of their ticks; those of one tick in any order. */
#ifndef SKI_BASE_WHEEL_H
#define SKI_BASE_WHEEL_H

#include "base/mem.h"

#define SKI_WHEEL_TICK_MS 8
#define SKI_WHEEL_NONE    UINT32_MAX

#define SKI_WHEEL_LEVELS  4
#define SKI_WHEEL_SLOTS   256
/* One more slot: what waits to be taken. */
#define SKI_WHEEL_EXPIRED (SKI_WHEEL_LEVELS * SKI_WHEEL_SLOTS)

struct ski_wheel_link {
    uint64_t due; /* in ticks */
    uint32_t prev, next;
};

struct ski_wheel {
    const struct ski_mem *mem;
    struct ski_wheel_link *links;              /* by timer */
    uint32_t capacity;                         /* timers there is room for */
    int64_t start_ms;                          /* the time of tick 0 */
    uint64_t now;                              /* the tick up to which everything has expired */
    uint32_t heads[SKI_WHEEL_EXPIRED + 1];     /* first timer of each slot */
    uint64_t full[SKI_WHEEL_EXPIRED / 64 + 1]; /* bitmap: which slots are not empty */
};

void ski_wheel_init(struct ski_wheel *wheel, const struct ski_mem *mem, int64_t now_ms);
void ski_wheel_free(struct ski_wheel *wheel);

/* Room for timers 0…n-1.  false: out of memory, nothing changed. */
bool ski_wheel_reserve(struct ski_wheel *wheel, uint32_t n);

/* Sets a timer, or moves it.  A time in the past is due at once. */
void ski_wheel_set(struct ski_wheel *wheel, uint32_t timer, int64_t due_ms);
void ski_wheel_clear(struct ski_wheel *wheel, uint32_t timer); /* harmless when it is not set */
bool ski_wheel_is_set(const struct ski_wheel *wheel, uint32_t timer);
/* When it is due, to the tick; INT64_MAX when it is not set. */
int64_t ski_wheel_due_ms(const struct ski_wheel *wheel, uint32_t timer);

/* When to call ski_wheel_take() next: never later than the first timer's tick, sometimes earlier
 * (a level has to be unrolled).  INT64_MAX when nothing is set. */
int64_t ski_wheel_next_ms(const struct ski_wheel *wheel);

/* Takes one timer that is due; SKI_WHEEL_NONE when there is none (left).  Timers may be set and
 * cleared between calls. */
uint32_t ski_wheel_take(struct ski_wheel *wheel, int64_t now_ms);

#endif
