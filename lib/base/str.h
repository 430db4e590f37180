/* str.h - text: comparing, trimming, counting, numbers, percent-encoding.  ASCII rules, no locale. */
#ifndef SKI_BASE_STR_H
#define SKI_BASE_STR_H

#include "base/buf.h"

/* A piece of text that is not NUL-terminated. */
struct ski_slice {
    const char *at;
    size_t length;
};

char ski_lower(char c);                         /* A-Z only */
bool ski_str_ieq(const char *a, const char *b); /* equal but for case */
bool ski_slice_ieq(struct ski_slice a, const char *b);
bool ski_slice_eq(struct ski_slice a, const char *b);
struct ski_slice ski_slice_of(const char *text);
struct ski_slice ski_slice_trim(struct ski_slice slice); /* space, tab, CR, LF at both ends */

/* Code points of valid UTF-8; for other bytes, their number. */
size_t ski_utf8_count(const char *text);
/* Strict: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool ski_utf8_valid(const char *bytes, size_t length);
/* How much of the first `length` bytes to keep so that no character is cut in two. */
size_t ski_utf8_cut(const char *text, size_t length);

/* Decimal digits only, no sign, no overflow; false leaves *out alone. */
bool ski_parse_u64(struct ski_slice digits, uint64_t *out);
/* A whole number with sign, fraction and exponent as in JSON: 5, -5.0, 500e-2.  false leaves *out
 * alone: it is not whole, or beyond int64_t, or not a number. */
bool ski_parse_i64(struct ski_slice number, int64_t *out);

/* A number, spelt as in JSON whatever the locale.  false leaves *out alone: it is none, or beyond
 * double, or longer than anybody writes one. */
#define SKI_DOUBLE_LONGEST 800
bool ski_parse_double(struct ski_slice number, double *out);
#define SKI_DOUBLE_TEXT 32
/* The shortest text that reads back as the same finite number. */
void ski_format_double(char out[SKI_DOUBLE_TEXT], double number);

/* Appends text percent-encoded: everything but A-Z a-z 0-9 - . _ ~. */
void ski_percent_encode(struct ski_buf *out, const char *text);

/* FNV-1a over bytes, for tables of ours. */
uint64_t ski_hash(const void *bytes, size_t length);
uint64_t ski_hash_text(const char *text); /* without its NUL */

#endif
