/* index.h - accounts by age.  A page is cut out of an index by binary search, however many accounts
 * there are. */
#ifndef EMU_INDEX_H
#define EMU_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_account;

struct emu_slot {
    uint64_t seq;
    struct emu_account *account; /* NULL: deleted, and soon swept out */
};

struct emu_index {
    struct emu_slot *slots; /* by rising seq; the last is no deleted one */
    size_t n, capacity, live;
};

/* `seq` must be higher than all in it.  False when memory ran out. */
bool emu_index_append(struct emu_index *index, uint64_t seq, struct emu_account *account);
void emu_index_remove(struct emu_index *index, uint64_t seq); /* harmless when it is not in it */

/* The place of the first slot at or after `seq`. */
size_t emu_index_from(const struct emu_index *index, uint64_t seq);

#endif
