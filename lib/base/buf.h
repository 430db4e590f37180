/* buf.h - a growing run of bytes with a maximum from birth.
 *
 * The first failure (memory, or the maximum) sticks: writers need not check each step, only
 * `failed` at the end.  Cleansed when freed or grown out of its memory. */
#ifndef SKI_BASE_BUF_H
#define SKI_BASE_BUF_H

#include "base/mem.h"

enum ski_buf_failure { SKI_BUF_OK, SKI_BUF_NOMEM, SKI_BUF_FULL };

struct ski_buf {
    const struct ski_mem *mem;
    char *data; /* not NUL-terminated unless ski_buf_text() was called; NULL while empty */
    size_t length, capacity, maximum;
    enum ski_buf_failure failed;
};

void ski_buf_init(struct ski_buf *buf, const struct ski_mem *mem, size_t maximum);
void ski_buf_free(struct ski_buf *buf); /* back to empty, nothing allocated */
/* Back to empty, memory kept, failure forgotten; cleanses. */
void ski_buf_clear(struct ski_buf *buf);

bool ski_buf_reserve(struct ski_buf *buf, size_t more); /* room for `more` bytes after length */
void ski_buf_add(struct ski_buf *buf, const void *bytes, size_t length);
void ski_buf_adds(struct ski_buf *buf, const char *text);
void ski_buf_addc(struct ski_buf *buf, char c);
void ski_buf_addf(struct ski_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ski_buf_drop(struct ski_buf *buf, size_t length); /* forgets that many bytes at the front */
const char *ski_buf_text(struct ski_buf *buf);         /* NUL-terminated; NULL when it failed */

#endif
