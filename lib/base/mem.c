#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

static void *libc_malloc(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *libc_realloc(void *old, size_t size, void *user)
{
    (void)user;
    return realloc(old, size);
}

static void libc_free(void *memory, void *user)
{
    (void)user;
    free(memory);
}

void ski_mem_init(struct ski_mem *mem, const struct scalekit_allocator *hooks)
{
    static const struct scalekit_allocator libc = {libc_malloc, libc_realloc, libc_free, NULL};

    mem->hooks = hooks ? *hooks : libc;
}

/* An allocator may answer a request for nothing with NULL, which here would mean out of memory. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *ski_alloc(const struct ski_mem *mem, size_t size)
{
    return mem->hooks.malloc(at_least_one(size), mem->hooks.user);
}

void *ski_zalloc(const struct ski_mem *mem, size_t size)
{
    void *memory = ski_alloc(mem, size);

    return memory ? memset(memory, 0, size) : NULL;
}

void *ski_realloc_array(const struct ski_mem *mem, void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return mem->hooks.realloc(old, at_least_one(count * size), mem->hooks.user);
}

void ski_free(const struct ski_mem *mem, void *memory)
{
    if (memory)
        mem->hooks.free(memory, mem->hooks.user);
}

char *ski_strdup(const struct ski_mem *mem, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = ski_alloc(mem, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void ski_cleanse(void *memory, size_t size)
{
    if (size)
        explicit_bzero(memory, size);
}
