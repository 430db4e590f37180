#include "record.h"
#include <stdlib.h>

void emu_record_init(struct emu_record *record, const char *prefix, uint64_t first_number,
                     void (*free_item)(void *item))
{
    *record =
        (struct emu_record){.first_number = first_number, .prefix = prefix, .free_item = free_item};
}

uint64_t emu_record_oldest(const struct emu_record *record)
{
    return record->last > EMU_RECORD_SIZE ? record->last - EMU_RECORD_SIZE + 1 : 1;
}

void emu_record_clear(struct emu_record *record)
{
    for (uint64_t n = emu_record_oldest(record); n <= record->last; n++)
        record->free_item(record->items[n % EMU_RECORD_SIZE]);
    free(record->items);
    record->items = NULL;
    record->first_number += record->last; /* no id is used twice */
    record->last = 0;
}

bool emu_record_add(struct emu_record *record, void *item)
{
    void **place;

    if (!record->items)
        record->items = calloc(EMU_RECORD_SIZE, sizeof *record->items);
    if (!record->items)
        return false;
    place = &record->items[++record->last % EMU_RECORD_SIZE];
    if (*place)
        record->free_item(*place);
    *place = item;
    return true;
}

void *emu_record_get(const struct emu_record *record, uint64_t number)
{
    if (number < emu_record_oldest(record) || number > record->last)
        return NULL;
    return record->items[number % EMU_RECORD_SIZE];
}

void emu_record_id(const struct emu_record *record, char out[EMU_ID_SIZE], uint64_t number)
{
    emu_make_id(out, record->prefix, record->first_number + number);
}
