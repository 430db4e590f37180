#include "http/headers.h"
#include <string.h>

/* What each byte becomes in a field name: its lower case; 0 where a name may not have it. */
static const char token[256] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0!\0#$%&'\0\0*+\0-.\0"
                               "0123456789\0\0\0\0\0\0"
                               "\0abcdefghijklmno"
                               "pqrstuvwxyz\0\0\0^_"
                               "`abcdefghijklmno"
                               "pqrstuvwxyz\0|\0~\0";

void ski_headers_init(struct ski_headers *headers, const struct ski_mem *mem)
{
    ski_buf_init(&headers->block, mem, SKI_MAX_HEADER_BYTES);
    headers->count = 0;
}

void ski_headers_free(struct ski_headers *headers)
{
    ski_buf_free(&headers->block);
    headers->count = 0;
}

void ski_headers_clear(struct ski_headers *headers)
{
    ski_buf_clear(&headers->block);
    headers->count = 0;
}

enum ski_buf_failure ski_headers_add(struct ski_headers *headers, struct ski_slice name,
                                     struct ski_slice value)
{
    struct ski_buf *block = &headers->block;
    char *at;

    if (headers->count >= SKI_MAX_HEADERS)
        return SKI_BUF_FULL;
    if (!ski_buf_reserve(block, name.length + value.length + 2))
        return block->failed;
    at = block->data + block->length;
    for (size_t i = 0; i < name.length; i++)
        *at++ = token[(unsigned char)name.at[i]];
    *at++ = '\0';
    if (value.length > 0)
        memcpy(at, value.at, value.length);
    at[value.length] = '\0';
    block->length += name.length + value.length + 2;
    headers->count++;
    return SKI_BUF_OK;
}

const char *ski_headers_get(const struct ski_headers *headers, const char *name)
{
    const char *field, *value;
    size_t at = 0;

    while (ski_headers_next(headers, &at, &field, &value))
        if (strcmp(field, name) == 0)
            return value;
    return NULL;
}

bool ski_headers_next(const struct ski_headers *headers, size_t *at, const char **name,
                      const char **value)
{
    const char *field;

    if (*at >= headers->block.length)
        return false;
    field = headers->block.data + *at;
    *name = field;
    *value = field + strlen(field) + 1;
    *at = (size_t)(*value - headers->block.data) + strlen(*value) + 1;
    return true;
}

bool ski_header_name_valid(struct ski_slice name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!token[(unsigned char)name.at[i]])
            return false;
    return name.length > 0;
}

static bool value_byte_valid(unsigned char c)
{
    return (c >= ' ' && c != 0x7f) || c == '\t';
}

/* Whether one of eight bytes may be below ' ' or 0x7f: never false when one is. */
static bool has_control(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t eight, without_7f;

    memcpy(&eight, bytes, sizeof eight);
    without_7f = eight ^ (ones * 0x7f);
    return (((eight - ones * ' ') & ~eight) | ((without_7f - ones) & ~without_7f)) & tops;
}

bool ski_header_value_valid(struct ski_slice value)
{
    size_t i = 0;

    while (i < value.length) {
        if (value.length - i >= sizeof(uint64_t) && !has_control(value.at + i))
            i += sizeof(uint64_t);
        else if (value_byte_valid((unsigned char)value.at[i]))
            i++;
        else
            return false;
    }
    return true;
}
