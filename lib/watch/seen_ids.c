#include "watch/seen_ids.h"
#include "base/str.h"

#define FIRST_SLOTS 256u

/* --- one generation: open addressing, at most half full ----------------------------------------- */

static uint64_t *find(const struct ski_seen_generation *generation, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (generation->n_slots - 1);

    while (generation->slots[at] && generation->slots[at] != hash)
        at = (at + 1) & (generation->n_slots - 1);
    return &generation->slots[at];
}

static bool has(const struct ski_seen_generation *generation, uint64_t hash)
{
    return generation->n_slots && *find(generation, hash);
}

static bool grow(struct ski_seen_generation *generation, const struct ski_mem *mem)
{
    struct ski_seen_generation larger = {.count = generation->count};

    larger.n_slots = generation->n_slots ? 2 * generation->n_slots : FIRST_SLOTS;
    larger.slots = ski_zalloc(mem, larger.n_slots * sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (uint32_t i = 0; i < generation->n_slots; i++)
        if (generation->slots[i])
            *find(&larger, generation->slots[i]) = generation->slots[i];
    ski_free(mem, generation->slots);
    *generation = larger;
    return true;
}

/* --- both --------------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *id)
{
    uint64_t hash = ski_hash_text(id);

    return hash ? hash : 1;
}

static void turn_over(struct ski_seen_ids *ids, int64_t now_ms)
{
    ski_free(ids->mem, ids->last.slots);
    ids->last = ids->current;
    ids->current = (struct ski_seen_generation){NULL, 0, 0};
    ids->began_ms = now_ms;
}

void ski_seen_ids_init(struct ski_seen_ids *ids, const struct ski_mem *mem)
{
    *ids = (struct ski_seen_ids){.mem = mem};
}

void ski_seen_ids_free(struct ski_seen_ids *ids)
{
    ski_free(ids->mem, ids->current.slots);
    ski_free(ids->mem, ids->last.slots);
    ski_seen_ids_init(ids, ids->mem);
}

bool ski_seen_ids_have(const struct ski_seen_ids *ids, const char *id)
{
    uint64_t hash = hash_of(id);

    return has(&ids->current, hash) || has(&ids->last, hash);
}

bool ski_seen_ids_make_room(struct ski_seen_ids *ids, int64_t now_ms)
{
    struct ski_seen_generation *current = &ids->current;

    if (!current->count)
        ids->began_ms = now_ms;
    if (current->count == SKI_SEEN_IDS || now_ms - ids->began_ms >= SKI_SEEN_IDS_MS)
        turn_over(ids, now_ms);
    return 2 * current->count < current->n_slots || grow(current, ids->mem);
}

void ski_seen_ids_note(struct ski_seen_ids *ids, const char *id, int64_t now_ms)
{
    uint64_t hash = hash_of(id);

    if (has(&ids->current, hash) && now_ms - ids->began_ms < SKI_SEEN_IDS_MS)
        return;
    if (!ski_seen_ids_make_room(ids, now_ms))
        return;
    *find(&ids->current, hash) = hash;
    ids->current.count++;
}
