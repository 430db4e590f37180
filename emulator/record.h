/* record.h - the latest things that happened.
 *
 * Things are numbered from 1 as they happen.  The last 10,000 are kept; an older one makes room for
 * the newest. */
#ifndef EMU_RECORD_H
#define EMU_RECORD_H

#include "text.h"

#define EMU_RECORD_SIZE 10000

struct emu_record {
    void **items; /* number n is at n % EMU_RECORD_SIZE; NULL: nothing has happened yet */
    uint64_t last;
    uint64_t first_number; /* ids and page tokens show n + first_number */
    const char *prefix;    /* of ids: "evt" */
    void (*free_item)(void *item);
};

void emu_record_init(struct emu_record *record, const char *prefix, uint64_t first_number,
                     void (*free_item)(void *item));
void emu_record_clear(struct emu_record *record);

/* Takes an item, whose number becomes record->last.  False when memory ran out: not taken. */
bool emu_record_add(struct emu_record *record, void *item);
uint64_t emu_record_oldest(
    const struct emu_record *record); /* number; more than `last` when empty */
/* NULL: not any more, or not yet. */
void *emu_record_get(const struct emu_record *record, uint64_t number);

void emu_record_id(const struct emu_record *record, char out[EMU_ID_SIZE], uint64_t number);

#endif
