/* table.h - the records of all watches of an engine, by number, and the wheel that wakes them.
 *
 * Records stand in chunks that never move, so that a watch's address is its handle and its number
 * is all that wheel and lists need: a link costs 4 bytes.  A chunk is never given back before the
 * table goes; memory follows the most watches there were. */
#ifndef SKI_WATCH_TABLE_H
#define SKI_WATCH_TABLE_H

#include "base/wheel.h"
#include <scalekit/watch.h>

#define SKI_NO_WATCH    UINT32_MAX
#define SKI_TABLE_CHUNK 256 /* records */

struct ski_watch_table {
    const struct ski_mem *mem;
    scalekit_watch **chunks;
    uint32_t n_chunks, max_chunks;
    uint32_t free;   /* the first one of the free records; SKI_NO_WATCH */
    uint32_t in_use; /* records */
    struct ski_wheel wheel;
};

void ski_watch_table_init(struct ski_watch_table *table, const struct ski_mem *mem, int64_t now_ms);
void ski_watch_table_free(struct ski_watch_table *table); /* with all records */

/* A record, zeroed but for its number.  NULL: out of memory. */
scalekit_watch *ski_watch_table_take(struct ski_watch_table *table);
void ski_watch_table_give(struct ski_watch_table *table, scalekit_watch *watch);

/* The record of a number that is in use, or was: one that is free has no references. */
scalekit_watch *ski_watch_at(const struct ski_watch_table *table, uint32_t number);

/* Numbers are below this. */
static inline uint32_t ski_watch_table_end(const struct ski_watch_table *table)
{
    return table->n_chunks * SKI_TABLE_CHUNK;
}

#endif
