/* recycler.h - memory for small blocks that come and go all the time: given back, they are kept for
 * the next one of about their size, up to SKI_RECYCLER_KEPT bytes in all.
 *
 * Everything given back is cleansed.  For libraries that take an allocator and use it per message. */
#ifndef SKI_BASE_RECYCLER_H
#define SKI_BASE_RECYCLER_H

#include "base/mem.h"

#define SKI_RECYCLER_CLASSES 16
#define SKI_RECYCLER_STEP    64    /* bytes from one class of sizes to the next */
#define SKI_RECYCLER_KEPT    65536 /* at most */

union ski_recycler_block;

struct ski_recycler {
    const struct ski_mem *mem;
    union ski_recycler_block *kept[SKI_RECYCLER_CLASSES];
    size_t kept_bytes;
};

void ski_recycler_init(struct ski_recycler *recycler, const struct ski_mem *mem);
/* Gives up what it keeps; blocks that are in use stay their users'. */
void ski_recycler_free(struct ski_recycler *recycler);

/* As their namesakes of the C library; NULL when memory ran out. */
void *ski_recycler_malloc(struct ski_recycler *recycler, size_t size);
void *ski_recycler_calloc(struct ski_recycler *recycler, size_t count, size_t size);
void *ski_recycler_realloc(struct ski_recycler *recycler, void *old, size_t size);
void ski_recycler_release(struct ski_recycler *recycler, void *memory); /* NULL is ignored */

#endif
