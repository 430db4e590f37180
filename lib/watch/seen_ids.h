/* seen_ids.h - the ids of events that were had already, however they came.
 *
 * Kept are hashes, in two generations: what is seen goes into the current one, and when that is
 * full or half an hour old it becomes the last one, whose ids are forgotten.  So an id is known for
 * 30 minutes after it was last seen at least, or while no 65,536 others have come; and there are
 * never more than twice as many, in 2 MiB.  Memory follows what comes. */
#ifndef SKI_WATCH_SEEN_IDS_H
#define SKI_WATCH_SEEN_IDS_H

#include "base/mem.h"

#define SKI_SEEN_IDS    65536 /* of a generation */
#define SKI_SEEN_IDS_MS INT64_C(1800000)

struct ski_seen_generation {
    uint64_t *slots; /* 0: free */
    uint32_t n_slots, count;
};

struct ski_seen_ids {
    const struct ski_mem *mem;
    struct ski_seen_generation current, last;
    int64_t began_ms; /* the current one */
};

void ski_seen_ids_init(struct ski_seen_ids *ids, const struct ski_mem *mem);
void ski_seen_ids_free(struct ski_seen_ids *ids); /* empty and usable again */

bool ski_seen_ids_have(const struct ski_seen_ids *ids, const char *id);

/* Makes room for one more: the next note will be remembered.  false: out of memory. */
bool ski_seen_ids_make_room(struct ski_seen_ids *ids, int64_t now_ms);

/* Notes that an id was seen.  One that finds no memory is not remembered. */
void ski_seen_ids_note(struct ski_seen_ids *ids, const char *id, int64_t now_ms);

#endif
