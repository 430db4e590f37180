#include "index.h"
#include <stdlib.h>

bool emu_index_append(struct emu_index *index, uint64_t seq, struct emu_account *account)
{
    if (index->n == index->capacity) {
        size_t capacity = index->capacity ? index->capacity * 2 : 2;
        void *slots = realloc(index->slots, capacity * sizeof *index->slots);

        if (!slots)
            return false;
        index->slots = slots;
        index->capacity = capacity;
    }
    index->slots[index->n++] = (struct emu_slot){seq, account};
    index->live++;
    return true;
}

size_t emu_index_from(const struct emu_index *index, uint64_t seq)
{
    size_t low = 0, high = index->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (index->slots[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Leaves a hole, but none at the end; sweeps when most are holes, so that a removal costs O(log n)
 * in the long run. */
void emu_index_remove(struct emu_index *index, uint64_t seq)
{
    size_t at = emu_index_from(index, seq), kept = 0;

    if (at == index->n || index->slots[at].seq != seq || !index->slots[at].account)
        return;
    index->slots[at].account = NULL;
    index->live--;
    while (index->n && !index->slots[index->n - 1].account)
        index->n--;
    if (index->live * 2 >= index->n)
        return;
    for (size_t i = 0; i < index->n; i++)
        if (index->slots[i].account)
            index->slots[kept++] = index->slots[i];
    index->n = kept;
}
