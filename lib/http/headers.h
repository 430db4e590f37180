/* headers.h - the header fields of a message: one block of bytes, no allocation per field. */
#ifndef SKI_HTTP_HEADERS_H
#define SKI_HTTP_HEADERS_H

#include "base/buf.h"
#include "base/str.h"

/* Limits of what is received. */
#define SKI_MAX_HEADER_BYTES 65536
#define SKI_MAX_HEADERS      256

/* A field to send; borrowed. */
struct ski_header {
    struct ski_slice name, value;
};

#define SKI_HEADER(n, v) ((struct ski_header){ski_slice_of(n), ski_slice_of(v)})

/* Received fields, in the order they came: name NUL value NUL …, names in lower case. */
struct ski_headers {
    struct ski_buf block;
    unsigned count;
};

void ski_headers_init(struct ski_headers *headers, const struct ski_mem *mem);
void ski_headers_free(struct ski_headers *headers);
void ski_headers_clear(struct ski_headers *headers);

/* Appends a field; lower-cases the name.  SKI_BUF_FULL beyond the limits. */
enum ski_buf_failure ski_headers_add(struct ski_headers *headers, struct ski_slice name,
                                     struct ski_slice value);

/* The first field of that (lower-case) name; NULL when there is none. */
const char *ski_headers_get(const struct ski_headers *headers, const char *name);

/* Walks: start with *at = 0; false at the end. */
bool ski_headers_next(const struct ski_headers *headers, size_t *at, const char **name,
                      const char **value);

/* Whether the characters may be sent: a token; and a value without control characters. */
bool ski_header_name_valid(struct ski_slice name);
bool ski_header_value_valid(struct ski_slice value);

#endif
