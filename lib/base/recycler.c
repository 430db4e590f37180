#include "base/recycler.h"
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LARGEST ((size_t)SKI_RECYCLER_CLASSES * SKI_RECYCLER_STEP) /* that is kept */

/* Before each block: its size while in use, the next one while kept. */
union ski_recycler_block {
    alignas(max_align_t) size_t size;
    union ski_recycler_block *next;
};

static size_t step_of(size_t size)
{
    return size ? (size - 1) / SKI_RECYCLER_STEP : 0;
}

void ski_recycler_init(struct ski_recycler *recycler, const struct ski_mem *mem)
{
    *recycler = (struct ski_recycler){.mem = mem};
}

void ski_recycler_free(struct ski_recycler *recycler)
{
    for (size_t step = 0; step < SKI_RECYCLER_CLASSES; step++) {
        while (recycler->kept[step]) {
            union ski_recycler_block *block = recycler->kept[step];

            recycler->kept[step] = block->next;
            ski_free(recycler->mem, block);
        }
    }
    recycler->kept_bytes = 0;
}

/* A block has room for the largest of its class. */
static union ski_recycler_block *new_block(struct ski_recycler *recycler, size_t size)
{
    size_t room = size <= LARGEST ? (step_of(size) + 1) * SKI_RECYCLER_STEP : size;

    if (room > SIZE_MAX - sizeof(union ski_recycler_block))
        return NULL;
    return ski_alloc(recycler->mem, sizeof(union ski_recycler_block) + room);
}

void *ski_recycler_malloc(struct ski_recycler *recycler, size_t size)
{
    union ski_recycler_block **kept = size <= LARGEST ? &recycler->kept[step_of(size)] : NULL;
    union ski_recycler_block *block;

    if (kept && *kept) {
        block = *kept;
        *kept = block->next;
        recycler->kept_bytes -= (step_of(size) + 1) * SKI_RECYCLER_STEP;
    } else {
        block = new_block(recycler, size);
        if (!block)
            return NULL;
    }
    block->size = size;
    return block + 1;
}

void *ski_recycler_calloc(struct ski_recycler *recycler, size_t count, size_t size)
{
    void *memory;

    if (size && count > SIZE_MAX / size)
        return NULL;
    memory = ski_recycler_malloc(recycler, count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

void *ski_recycler_realloc(struct ski_recycler *recycler, void *old, size_t size)
{
    size_t had = old ? ((union ski_recycler_block *)old - 1)->size : 0;
    void *memory = ski_recycler_malloc(recycler, size);

    if (!memory)
        return NULL;
    if (had > 0)
        memcpy(memory, old, had < size ? had : size);
    ski_recycler_release(recycler, old);
    return memory;
}

void ski_recycler_release(struct ski_recycler *recycler, void *memory)
{
    union ski_recycler_block *block = memory;
    size_t step, room;

    if (!block)
        return;
    block--;
    ski_cleanse(memory, block->size);
    step = step_of(block->size);
    room = (step + 1) * SKI_RECYCLER_STEP;
    if (block->size > LARGEST || room > SKI_RECYCLER_KEPT - recycler->kept_bytes) {
        ski_free(recycler->mem, block);
        return;
    }
    block->next = recycler->kept[step];
    recycler->kept[step] = block;
    recycler->kept_bytes += room;
}
