/* Design.  A timer's slot follows from where its tick first differs from `now`, both read as four
 * bytes: if only the last byte differs, level 0 has a slot for exactly that tick; if the third
 * does, level 1 has a slot for its 256 ticks; and so on.  So every timer of level n is due before
 * any of level n+1, and the next slot to look at is the next full one of the lowest level that has
 * any.  Reaching a slot of level 0 moves its list, whole, to the expired one; reaching one above
 * sorts its timers in again, now lower down.  A timer moves at most three times.
 *
 * The last level is a ring: of the slots ahead of `now`, all but its own are usable.  Ticks are 64
 * bits wide and never wrap.
 *
 * Lists have no tail and need no slot number to unlink from: the first timer's `prev` holds the
 * slot, marked by IS_HEAD, so that the slot's head and bit can be kept right. */
#include "base/wheel.h"
#include <string.h>

#define NONE        SKI_WHEEL_NONE
#define EXPIRED     SKI_WHEEL_EXPIRED
#define SLOTS       SKI_WHEEL_SLOTS
#define BITS        8 /* of a tick, per level */
#define TOP         (SKI_WHEEL_LEVELS - 1)
#define IS_HEAD     0x80000000u
#define MOST_TIMERS IS_HEAD

void ski_wheel_init(struct ski_wheel *wheel, const struct ski_mem *mem, int64_t now_ms)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->mem = mem;
    wheel->start_ms = now_ms;
    for (unsigned slot = 0; slot <= EXPIRED; slot++)
        wheel->heads[slot] = NONE;
}

void ski_wheel_free(struct ski_wheel *wheel)
{
    ski_free(wheel->mem, wheel->links);
    ski_wheel_init(wheel, wheel->mem, wheel->start_ms);
}

bool ski_wheel_reserve(struct ski_wheel *wheel, uint32_t n)
{
    struct ski_wheel_link *links;

    if (n <= wheel->capacity)
        return true;
    if (n > MOST_TIMERS)
        return false;
    links = ski_realloc_array(wheel->mem, wheel->links, n, sizeof *links);
    if (!links)
        return false;
    for (uint32_t timer = wheel->capacity; timer < n; timer++)
        links[timer].prev = NONE;
    wheel->links = links;
    wheel->capacity = n;
    return true;
}

/* --- slots ----------------------------------------------------------------------------------------- */

static void push(struct ski_wheel *wheel, unsigned slot, uint32_t timer)
{
    struct ski_wheel_link *link = &wheel->links[timer];
    uint32_t first = wheel->heads[slot];

    link->prev = IS_HEAD | slot;
    link->next = first;
    if (first != NONE)
        wheel->links[first].prev = timer;
    wheel->heads[slot] = timer;
    wheel->full[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void remove_timer(struct ski_wheel *wheel, uint32_t timer)
{
    struct ski_wheel_link *link = &wheel->links[timer];

    if (link->next != NONE)
        wheel->links[link->next].prev = link->prev;
    if (link->prev & IS_HEAD) {
        unsigned slot = link->prev & ~IS_HEAD;

        wheel->heads[slot] = link->next;
        if (link->next == NONE)
            wheel->full[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    } else {
        wheel->links[link->prev].next = link->next;
    }
    link->prev = NONE;
}

static unsigned slot_of(const struct ski_wheel *wheel, uint64_t due)
{
    unsigned shift = TOP * BITS;

    if (due <= wheel->now)
        return EXPIRED;
    for (unsigned level = 0; level < TOP; level++)
        if ((wheel->now ^ due) >> (level + 1) * BITS == 0)
            return level * SLOTS + (unsigned)(due >> level * BITS) % SLOTS;
    if ((due >> shift) - (wheel->now >> shift) >= SLOTS)
        return TOP * SLOTS + (unsigned)((wheel->now >> shift) - 1) % SLOTS;
    return TOP * SLOTS + (unsigned)(due >> shift) % SLOTS;
}

/* The distance, 1 to 255, from slot `from` of a level round its ring to the next full one; 0: none.
 * `from` itself is where `now` is, and empty. */
static unsigned distance_to_full(const uint64_t *bitmap, unsigned from)
{
    unsigned distance = 1;

    while (distance < SLOTS) {
        unsigned slot = (from + distance) % SLOTS;
        uint64_t rest = bitmap[slot / 64] >> slot % 64;

        if (rest)
            return distance + (unsigned)__builtin_ctzll(rest);
        distance += 64 - slot % 64;
    }
    return 0;
}

/* The next slot to open, and the tick at which.  false: the wheel is empty. */
static bool next_slot(const struct ski_wheel *wheel, unsigned *slot, uint64_t *tick)
{
    for (unsigned level = 0; level < SKI_WHEEL_LEVELS; level++) {
        uint64_t at = wheel->now >> level * BITS;
        unsigned distance = distance_to_full(&wheel->full[level * SLOTS / 64], at % SLOTS);

        if (distance) {
            *slot = level * SLOTS + (unsigned)(at + distance) % SLOTS;
            *tick = (at + distance) << level * BITS;
            return true;
        }
    }
    return false;
}

/* `now` has just reached the slot. */
static void open_slot(struct ski_wheel *wheel, unsigned slot)
{
    uint32_t timer = wheel->heads[slot];

    wheel->heads[slot] = NONE;
    wheel->full[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    if (slot < SLOTS) {
        wheel->heads[EXPIRED] = timer;
        wheel->links[timer].prev = IS_HEAD | EXPIRED;
        return;
    }
    while (timer != NONE) {
        uint32_t next = wheel->links[timer].next;

        push(wheel, slot_of(wheel, wheel->links[timer].due), timer);
        timer = next;
    }
}

/* --- time ------------------------------------------------------------------------------------------ */

/* Of a moment; what came before tick 0 counts as tick 0. */
static uint64_t tick_of(const struct ski_wheel *wheel, int64_t ms, bool round_up)
{
    uint64_t passed;

    if (ms <= wheel->start_ms)
        return 0;
    passed = (uint64_t)ms - (uint64_t)wheel->start_ms;
    return passed / SKI_WHEEL_TICK_MS + (round_up && passed % SKI_WHEEL_TICK_MS);
}

static int64_t ms_of(const struct ski_wheel *wheel, uint64_t tick)
{
    return wheel->start_ms + (int64_t)(tick * SKI_WHEEL_TICK_MS);
}

void ski_wheel_set(struct ski_wheel *wheel, uint32_t timer, int64_t due_ms)
{
    ski_wheel_clear(wheel, timer);
    wheel->links[timer].due = tick_of(wheel, due_ms, true);
    push(wheel, slot_of(wheel, wheel->links[timer].due), timer);
}

void ski_wheel_clear(struct ski_wheel *wheel, uint32_t timer)
{
    if (ski_wheel_is_set(wheel, timer))
        remove_timer(wheel, timer);
}

bool ski_wheel_is_set(const struct ski_wheel *wheel, uint32_t timer)
{
    return timer < wheel->capacity && wheel->links[timer].prev != NONE;
}

int64_t ski_wheel_due_ms(const struct ski_wheel *wheel, uint32_t timer)
{
    return ski_wheel_is_set(wheel, timer) ? ms_of(wheel, wheel->links[timer].due) : INT64_MAX;
}

int64_t ski_wheel_next_ms(const struct ski_wheel *wheel)
{
    unsigned slot;
    uint64_t tick;

    if (wheel->heads[EXPIRED] != NONE)
        return ms_of(wheel, wheel->now);
    return next_slot(wheel, &slot, &tick) ? ms_of(wheel, tick) : INT64_MAX;
}

uint32_t ski_wheel_take(struct ski_wheel *wheel, int64_t now_ms)
{
    uint64_t target = tick_of(wheel, now_ms, false);
    uint32_t timer;

    while (wheel->heads[EXPIRED] == NONE) {
        unsigned slot;
        uint64_t tick;

        if (!next_slot(wheel, &slot, &tick) || tick > target) {
            if (wheel->now < target)
                wheel->now = target;
            return NONE;
        }
        wheel->now = tick;
        open_slot(wheel, slot);
    }
    timer = wheel->heads[EXPIRED];
    remove_timer(wheel, timer);
    return timer;
}
