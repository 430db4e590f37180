#include "base/buf.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SMALLEST 256

void ski_buf_init(struct ski_buf *buf, const struct ski_mem *mem, size_t maximum)
{
    *buf = (struct ski_buf){.mem = mem, .maximum = maximum};
}

void ski_buf_free(struct ski_buf *buf)
{
    if (buf->data) {
        ski_cleanse(buf->data, buf->capacity);
        ski_free(buf->mem, buf->data);
    }
    ski_buf_init(buf, buf->mem, buf->maximum);
}

void ski_buf_clear(struct ski_buf *buf)
{
    ski_cleanse(buf->data, buf->length);
    buf->length = 0;
    buf->failed = SKI_BUF_OK;
}

/* A new block and a copy: realloc() would leave the old bytes where they were. */
static bool grow(struct ski_buf *buf, size_t needed)
{
    size_t capacity = buf->capacity > buf->maximum / 2 ? buf->maximum : buf->capacity * 2;
    char *data;

    if (capacity < SMALLEST)
        capacity = buf->maximum < SMALLEST ? buf->maximum : SMALLEST;
    if (capacity < needed)
        capacity = needed;

    /* One more, where ski_buf_text() puts its NUL. */
    data = capacity < SIZE_MAX ? ski_alloc(buf->mem, capacity + 1) : NULL;
    if (!data) {
        buf->failed = SKI_BUF_NOMEM;
        return false;
    }
    if (buf->data) {
        memcpy(data, buf->data, buf->length);
        ski_cleanse(buf->data, buf->capacity);
        ski_free(buf->mem, buf->data);
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

bool ski_buf_reserve(struct ski_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more <= buf->capacity - buf->length)
        return true;
    if (more > buf->maximum - buf->length) {
        buf->failed = SKI_BUF_FULL;
        return false;
    }
    return grow(buf, buf->length + more);
}

void ski_buf_add(struct ski_buf *buf, const void *bytes, size_t length)
{
    if (length == 0 || !ski_buf_reserve(buf, length))
        return;
    memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
}

void ski_buf_adds(struct ski_buf *buf, const char *text)
{
    ski_buf_add(buf, text, strlen(text));
}

void ski_buf_addc(struct ski_buf *buf, char c)
{
    if (ski_buf_reserve(buf, 1))
        buf->data[buf->length++] = c;
}

void ski_buf_addf(struct ski_buf *buf, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length <= 0 || !ski_buf_reserve(buf, (size_t)length))
        return;

    va_start(args, format);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
    va_end(args);
    buf->length += (size_t)length;
}

void ski_buf_drop(struct ski_buf *buf, size_t length)
{
    if (length == 0)
        return;
    buf->length -= length;
    memmove(buf->data, buf->data + length, buf->length);
    ski_cleanse(buf->data + buf->length, length);
}

const char *ski_buf_text(struct ski_buf *buf)
{
    if (buf->failed)
        return NULL;
    if (!buf->data)
        return "";
    buf->data[buf->length] = '\0';
    return buf->data;
}
