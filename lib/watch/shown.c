#include "watch/shown.h"
#include <string.h>

/* Each account may stand in one of the four slots of its row. */
#define WAYS       4
#define FIRST_ROWS (SKI_SHOWN_ACCOUNTS / WAYS)

struct ski_shown_slot {
    uint64_t account;
    scalekit_time at;
    bool taken;
};

static struct ski_shown_slot *row_of(const struct ski_shown *shown, uint64_t account)
{
    return shown->slots + account % shown->rows * WAYS;
}

void ski_shown_init(struct ski_shown *shown, const struct ski_mem *mem, size_t most)
{
    *shown = (struct ski_shown){.mem = mem, .rows = FIRST_ROWS, .most_rows = most / WAYS};
}

void ski_shown_free(struct ski_shown *shown)
{
    ski_free(shown->mem, shown->slots);
    ski_shown_init(shown, shown->mem, shown->most_rows * WAYS);
}

bool ski_shown_begin(struct ski_shown *shown, scalekit_time since)
{
    size_t size = shown->rows * WAYS * sizeof *shown->slots;

    if (!shown->slots)
        shown->slots = ski_alloc(shown->mem, size);
    if (!shown->slots)
        return false;
    memset(shown->slots, 0, size);
    shown->since = since;
    return true;
}

/* The slot of an account: its own, else a free one, else that of the oldest thing. */
static struct ski_shown_slot *place_of(const struct ski_shown *shown, uint64_t account)
{
    struct ski_shown_slot *row = row_of(shown, account), *best = row;

    for (int i = 0; i < WAYS; i++) {
        if (row[i].taken && row[i].account == account)
            return &row[i];
        if (best->taken && (!row[i].taken || row[i].at < best->at))
            best = &row[i];
    }
    return best;
}

static void forget(struct ski_shown *shown, scalekit_time at)
{
    if (at > shown->since)
        shown->since = at;
}

/* Twice as large, if it may be and there is memory: the accounts of a row go to two. */
static bool grow(struct ski_shown *shown)
{
    struct ski_shown larger = *shown;

    if (shown->rows >= shown->most_rows)
        return false;
    larger.rows *= 2;
    larger.slots = ski_zalloc(shown->mem, larger.rows * WAYS * sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < shown->rows * WAYS; i++)
        if (shown->slots[i].taken)
            *place_of(&larger, shown->slots[i].account) = shown->slots[i];
    ski_free(shown->mem, shown->slots);
    *shown = larger;
    return true;
}

void ski_shown_note(struct ski_shown *shown, uint64_t account, scalekit_time at)
{
    struct ski_shown_slot *slot = shown->slots ? place_of(shown, account) : NULL;

    while (slot && slot->taken && slot->account != account && grow(shown))
        slot = place_of(shown, account);
    if (!slot)
        return;
    if (slot->taken && slot->account != account)
        forget(shown, slot->at < at ? slot->at : at);
    if (!slot->taken || slot->at < at)
        *slot = (struct ski_shown_slot){account, at, true};
}

/* NULL: none. */
static const struct ski_shown_slot *slot_of(const struct ski_shown *shown, uint64_t account)
{
    const struct ski_shown_slot *row = shown->slots ? row_of(shown, account) : NULL;

    for (int i = 0; row && i < WAYS; i++)
        if (row[i].taken && row[i].account == account)
            return &row[i];
    return NULL;
}

bool ski_shown_lacks(const struct ski_shown *shown, uint64_t account, scalekit_time from)
{
    const struct ski_shown_slot *slot = slot_of(shown, account);

    return shown->slots && from > shown->since && !(slot && slot->at >= from);
}

bool ski_shown_has_later(const struct ski_shown *shown, uint64_t account, scalekit_time at)
{
    const struct ski_shown_slot *slot = slot_of(shown, account);

    return slot && slot->at > at;
}
