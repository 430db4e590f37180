#include "base/arena.h"
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_CHUNK 65536

struct ski_arena_chunk {
    struct ski_arena_chunk *next;
    size_t size; /* of data */
    alignas(max_align_t) char data[];
};

void ski_arena_init(struct ski_arena *arena, const struct ski_mem *mem, size_t first, size_t limit)
{
    *arena = (struct ski_arena){
        .mem = mem,
        .limit = limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2, /* sums cannot overflow */
        .next_chunk = first,
    };
}

void ski_arena_free(struct ski_arena *arena)
{
    struct ski_arena_chunk *chunk = arena->chunks;
    size_t used = chunk ? (size_t)(arena->at - chunk->data) : 0; /* of the newest */

    while (chunk) {
        struct ski_arena_chunk *next = chunk->next;

        ski_cleanse(chunk->data, chunk == arena->chunks ? used : chunk->size);
        ski_free(arena->mem, chunk);
        chunk = next;
    }
    arena->chunks = NULL;
    arena->at = arena->end = NULL;
    arena->used = 0;
}

static struct ski_arena_chunk *new_chunk(struct ski_arena *arena, size_t size)
{
    struct ski_arena_chunk *chunk = ski_alloc(arena->mem, sizeof *chunk + size);

    if (chunk)
        chunk->size = size;
    return chunk;
}

/* What is as large as a chunk gets one of its own, behind the newest, whose rest stays in use. */
static char *take_alone(struct ski_arena *arena, size_t size)
{
    struct ski_arena_chunk *chunk = new_chunk(arena, size);

    if (!chunk)
        return NULL;
    chunk->next = arena->chunks->next;
    arena->chunks->next = chunk;
    return chunk->data;
}

static char *take_from_new(struct ski_arena *arena, size_t size)
{
    size_t chunk_size = size > arena->next_chunk ? size : arena->next_chunk;
    struct ski_arena_chunk *chunk = new_chunk(arena, chunk_size);

    if (!chunk)
        return NULL;
    if (arena->next_chunk <= LARGEST_CHUNK / 2)
        arena->next_chunk *= 2;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->at = chunk->data + size;
    arena->end = chunk->data + chunk_size;
    return chunk->data;
}

/* `padding` bytes of the newest chunk are skipped if it is used; a new one is aligned as it comes. */
static char *take(struct ski_arena *arena, size_t padding, size_t size)
{
    size_t room = arena->chunks ? (size_t)(arena->end - arena->at) : 0;
    char *taken;

    if (size == 0)
        size = 1;
    if (size > arena->limit - arena->used)
        return NULL;

    if (padding + size <= room) {
        taken = arena->at + padding;
        arena->at = taken + size;
    } else if (arena->chunks && size >= arena->next_chunk) {
        taken = take_alone(arena, size);
    } else {
        taken = take_from_new(arena, size);
    }
    if (taken)
        arena->used += size;
    return taken;
}

void *ski_arena_alloc(struct ski_arena *arena, size_t size)
{
    size_t padding = -(uintptr_t)arena->at & (alignof(max_align_t) - 1);
    char *taken = take(arena, padding, size);

    return taken ? memset(taken, 0, size) : NULL;
}

char *ski_arena_bytes(struct ski_arena *arena, size_t size)
{
    return take(arena, 0, size);
}

char *ski_arena_strndup(struct ski_arena *arena, const char *text, size_t length)
{
    char *copy;

    if (!text || length == SIZE_MAX)
        return NULL;
    copy = take(arena, 0, length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *ski_arena_strdup(struct ski_arena *arena, const char *text)
{
    return text ? ski_arena_strndup(arena, text, strlen(text)) : NULL;
}

char *ski_arena_printf(struct ski_arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = ski_arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

char *ski_arena_vprintf(struct ski_arena *arena, const char *format, va_list args)
{
    va_list again;
    char *text = NULL;
    int length;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    if (length >= 0)
        text = take(arena, 0, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
