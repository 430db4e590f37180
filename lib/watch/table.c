#include "watch/table.h"
#include "watch/watch.h"

/* Free records are not to be touched; a record is reused, so the sanitizer would not notice. */
#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
#define BODY(watch)     ((char *)(watch) + offsetof(struct scalekit_watch, prev))
#define BODY_SIZE       (sizeof(struct scalekit_watch) - offsetof(struct scalekit_watch, prev))
#define poison(watch)   __asan_poison_memory_region(BODY(watch), BODY_SIZE)
#define unpoison(watch) __asan_unpoison_memory_region(BODY(watch), BODY_SIZE)
#else
#define poison(watch)   ((void)(watch))
#define unpoison(watch) ((void)(watch))
#endif

void ski_watch_table_init(struct ski_watch_table *table, const struct ski_mem *mem, int64_t now_ms)
{
    *table = (struct ski_watch_table){.mem = mem, .free = SKI_NO_WATCH};
    ski_wheel_init(&table->wheel, mem, now_ms);
}

void ski_watch_table_free(struct ski_watch_table *table)
{
    for (uint32_t i = 0; i < table->n_chunks; i++) {
        for (uint32_t j = 0; j < SKI_TABLE_CHUNK; j++)
            unpoison(&table->chunks[i][j]);
        ski_free(table->mem, table->chunks[i]);
    }
    ski_free(table->mem, table->chunks);
    ski_wheel_free(&table->wheel);
    table->chunks = NULL;
    table->n_chunks = 0;
}

scalekit_watch *ski_watch_at(const struct ski_watch_table *table, uint32_t number)
{
    return &table->chunks[number / SKI_TABLE_CHUNK][number % SKI_TABLE_CHUNK];
}

static bool more_chunks(struct ski_watch_table *table)
{
    uint32_t n = table->max_chunks ? table->max_chunks * 2 : 16;
    scalekit_watch **chunks;

    if (table->n_chunks < table->max_chunks)
        return true;
    chunks = ski_realloc_array(table->mem, table->chunks, n, sizeof *chunks);
    if (!chunks)
        return false;
    table->chunks = chunks;
    table->max_chunks = n;
    return true;
}

/* The wheel grows by a sixteenth: what it has to spare is paid for by every watch. */
static bool more_timers(struct ski_watch_table *table)
{
    uint32_t n = ski_watch_table_end(table) + SKI_TABLE_CHUNK;

    return n <= table->wheel.capacity || ski_wheel_reserve(&table->wheel, n + n / 16);
}

static bool grow(struct ski_watch_table *table)
{
    uint32_t first = ski_watch_table_end(table);
    scalekit_watch *chunk;

    if (first > UINT32_MAX / 4 || !more_chunks(table) || !more_timers(table))
        return false;
    chunk = ski_realloc_array(table->mem, NULL, SKI_TABLE_CHUNK, sizeof *chunk);
    if (!chunk)
        return false;
    table->chunks[table->n_chunks++] = chunk;
    for (uint32_t i = SKI_TABLE_CHUNK; i-- > 0;) {
        chunk[i] = (scalekit_watch){.number = first + i, .next = table->free};
        table->free = first + i;
        poison(&chunk[i]);
    }
    return true;
}

scalekit_watch *ski_watch_table_take(struct ski_watch_table *table)
{
    scalekit_watch *watch;

    if (table->free == SKI_NO_WATCH && !grow(table))
        return NULL;
    watch = ski_watch_at(table, table->free);
    unpoison(watch);
    table->free = watch->next;
    table->in_use++;
    *watch = (scalekit_watch){.number = watch->number};
    return watch;
}

void ski_watch_table_give(struct ski_watch_table *table, scalekit_watch *watch)
{
    ski_wheel_clear(&table->wheel, watch->number);
    watch->refs = 0;
    watch->next = table->free;
    table->free = watch->number;
    table->in_use--;
    poison(watch);
}
