/* mem.h - the client's allocator.  All memory of the library comes through here. */
#ifndef SKI_BASE_MEM_H
#define SKI_BASE_MEM_H

#include <scalekit/client.h>

/* Borrowed by everything that allocates; lives as long as the client. */
struct ski_mem {
    struct scalekit_allocator hooks;
};

/* Copies the hooks; NULL means the C library's. */
void ski_mem_init(struct ski_mem *mem, const struct scalekit_allocator *hooks);

void *ski_alloc(const struct ski_mem *mem, size_t size); /* not zeroed */
void *ski_zalloc(const struct ski_mem *mem, size_t size);
/* Grows or shrinks an array; NULL (old one untouched) also when count * size overflows. */
void *ski_realloc_array(const struct ski_mem *mem, void *old, size_t count, size_t size);
void ski_free(const struct ski_mem *mem, void *memory); /* NULL is ignored */
char *ski_strdup(const struct ski_mem *mem, const char *text);

/* Overwrites a secret so that the compiler cannot leave it out. */
void ski_cleanse(void *memory, size_t size);

#endif
