#include "watch/shown.h"
#include <string.h>

/* 4,096 accounts in 96 KiB: each may stand in one of the four slots of its row. */
#define ROWS 1024
#define WAYS 4

struct ski_shown_slot {
    uint64_t account;
    scalekit_time at;
    bool taken;
};

static struct ski_shown_slot *row_of(const struct ski_shown *shown, uint64_t account)
{
    return shown->slots + account % ROWS * WAYS;
}

void ski_shown_init(struct ski_shown *shown, const struct ski_mem *mem)
{
    *shown = (struct ski_shown){.mem = mem};
}

void ski_shown_free(struct ski_shown *shown)
{
    ski_free(shown->mem, shown->slots);
    ski_shown_init(shown, shown->mem);
}

bool ski_shown_begin(struct ski_shown *shown, scalekit_time since)
{
    size_t size = ROWS * WAYS * sizeof *shown->slots;

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

void ski_shown_note(struct ski_shown *shown, uint64_t account, scalekit_time at)
{
    struct ski_shown_slot *slot = shown->slots ? place_of(shown, account) : NULL;

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
