/* arena.h - many small pieces, freed in one go, cleansed before they are given back.
 *
 * A request and everything decoded for it live in one arena: no allocation per field, no free per
 * field.  Chunks double from the first one's size up to 64 KiB, so n bytes cost O(log n) calls. */
#ifndef SKI_BASE_ARENA_H
#define SKI_BASE_ARENA_H

#include "base/mem.h"
#include <stdarg.h>

struct ski_arena_chunk;
struct ski_arena {
    const struct ski_mem *mem;
    struct ski_arena_chunk *chunks; /* newest first */
    char *at, *end;                 /* the free part of the newest */
    size_t used, limit;             /* bytes asked for, and how many at most */
    size_t next_chunk;
};

/* Allocates nothing yet.  `first` is the size of the first chunk, `limit` the most it may hand out. */
void ski_arena_init(struct ski_arena *arena, const struct ski_mem *mem, size_t first, size_t limit);

/* Cleanses and frees everything; the arena is empty and usable again. */
void ski_arena_free(struct ski_arena *arena);

/* Zeroed, aligned for any type.  NULL: out of memory or over the limit. */
void *ski_arena_alloc(struct ski_arena *arena, size_t size);
/* Unaligned and not zeroed: for text. */
char *ski_arena_bytes(struct ski_arena *arena, size_t size);
/* A NUL-terminated copy.  A NULL text gives NULL. */
char *ski_arena_strndup(struct ski_arena *arena, const char *text, size_t length);
char *ski_arena_strdup(struct ski_arena *arena, const char *text);
char *ski_arena_printf(struct ski_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *ski_arena_vprintf(struct ski_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
