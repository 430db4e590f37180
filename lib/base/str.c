#include "base/str.h"
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char ski_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool ski_str_ieq(const char *a, const char *b)
{
    while (*a && ski_lower(*a) == ski_lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool ski_slice_ieq(struct ski_slice a, const char *b)
{
    for (size_t i = 0; i < a.length; i++)
        if (b[i] == '\0' || ski_lower(a.at[i]) != ski_lower(b[i]))
            return false;
    return b[a.length] == '\0';
}

bool ski_slice_eq(struct ski_slice a, const char *b)
{
    return strlen(b) == a.length && (a.length == 0 || memcmp(a.at, b, a.length) == 0);
}

struct ski_slice ski_slice_of(const char *text)
{
    return (struct ski_slice){text, strlen(text)};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct ski_slice ski_slice_trim(struct ski_slice slice)
{
    while (slice.length && is_space(slice.at[0])) {
        slice.at++;
        slice.length--;
    }
    while (slice.length && is_space(slice.at[slice.length - 1]))
        slice.length--;
    return slice;
}

/* --- UTF-8 --------------------------------------------------------------------------------------- */

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The length of the sequence that begins at `s`, which has `left` bytes; 0 when it is none.
 * The range of the second byte shuts out overlong forms, surrogates and what is beyond U+10FFFF. */
static size_t sequence_length(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    unsigned char low = 0x80, high = 0xbf;

    if (length == 1)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4 || left < length)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_continuation(s[i]))
            return 0;
    return length;
}

bool ski_utf8_valid(const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t at = 0;

    while (at < length) {
        uint64_t eight;
        size_t step;

        if (length - at >= sizeof eight) {
            memcpy(&eight, s + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        step = sequence_length(s + at, length - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t ski_utf8_count(const char *text)
{
    size_t length = strlen(text);
    size_t count = 0;

    if (!ski_utf8_valid(text, length))
        return length;
    for (size_t i = 0; i < length; i++)
        count += !is_continuation((unsigned char)text[i]);
    return count;
}

size_t ski_utf8_cut(const char *text, size_t length)
{
    size_t start = length;

    /* At most three bytes of a sequence can precede the one that is missing. */
    while (start > 0 && length - start < 3 && is_continuation((unsigned char)text[start - 1]))
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0)
        return length;
    start--;
    return sequence_length((const unsigned char *)text + start, length - start) ? length : start;
}

/* --- numbers, percent-encoding, hashing ------------------------------------------------------------ */

bool ski_parse_u64(struct ski_slice digits, uint64_t *out)
{
    uint64_t value = 0;

    if (digits.length == 0)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        unsigned digit = (unsigned char)digits.at[i] - (unsigned)'0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static bool times_power_of_ten(uint64_t *value, int64_t power)
{
    for (; power > 0 && *value > 0; power--) {
        if (*value > UINT64_MAX / 10)
            return false;
        *value *= 10;
    }
    return true;
}

/* What follows 'e'. */
static bool parse_exponent(const char *at, const char *end, int64_t *out)
{
    bool negative = at < end && *at == '-';
    int64_t exponent = 0;

    at += negative || (at < end && *at == '+');
    if (at == end)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        if (exponent < INT64_C(1000000000000)) /* more than any text has digits */
            exponent = exponent * 10 + (*at - '0');
    }
    *out = negative ? -exponent : exponent;
    return true;
}

/* The digits before 'e', as value × 10^exponent; where they end, NULL when they are wrong.  Zeros
 * wait until another digit follows, so that 5.00000000000000000000 is no large number. */
static const char *parse_mantissa(const char *at, const char *end, uint64_t *value,
                                  int64_t *exponent)
{
    int64_t waiting = 0;
    bool fraction = false, empty = true;

    *value = 0;
    *exponent = 0;
    for (; at < end && ski_lower(*at) != 'e'; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';

        if (*at == '.' && !fraction && !empty) {
            fraction = empty = true;
            continue;
        }
        if (digit > 9)
            return NULL;
        empty = false;
        *exponent -= fraction;
        waiting++;
        if (digit == 0)
            continue;
        if (!times_power_of_ten(value, waiting) || *value > UINT64_MAX - digit)
            return NULL;
        *value += digit;
        waiting = 0;
    }
    *exponent += waiting;
    return empty ? NULL : at;
}

bool ski_parse_i64(struct ski_slice number, int64_t *out)
{
    const char *at = number.at, *end = number.at + number.length;
    bool negative = at < end && *at == '-';
    int64_t exponent, more = 0;
    uint64_t value;

    at = parse_mantissa(at + negative, end, &value, &exponent);
    if (!at || (at < end && !parse_exponent(at + 1, end, &more)))
        return false;
    exponent += more;
    if (value > 0 && (exponent < 0 || !times_power_of_ten(&value, exponent)))
        return false;
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = (int64_t)(negative ? -value : value);
    return true;
}

/* The C library spells numbers as its locale does: the decimal point, which may be a character of
 * several bytes, is replaced both ways. */
static void replace(char *text, const char *from, const char *to)
{
    char *at = strstr(text, from);

    if (!at)
        return;
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
}

static const char *decimal_point(void)
{
    return localeconv()->decimal_point;
}

bool ski_parse_double(struct ski_slice number, double *out)
{
    char text[SKI_DOUBLE_LONGEST + MB_LEN_MAX], *end;
    double value;

    if (number.length == 0 || number.length > SKI_DOUBLE_LONGEST)
        return false;
    memcpy(text, number.at, number.length);
    text[number.length] = '\0';
    if (strspn(text, "+-.0123456789eE") != number.length)
        return false;
    replace(text, ".", decimal_point());
    value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value))
        return false;
    *out = value;
    return true;
}

void ski_format_double(char out[SKI_DOUBLE_TEXT], double number)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, SKI_DOUBLE_TEXT, "%.*g", digits, number);
        if (strtod(out, NULL) == number)
            break;
    }
    replace(out, decimal_point(), ".");
}

static bool is_unreserved(char c)
{
    char lower = ski_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

void ski_percent_encode(struct ski_buf *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    while (*text) {
        size_t plain = 0;

        while (is_unreserved(text[plain]))
            plain++;
        ski_buf_add(out, text, plain);
        text += plain;
        if (*text) {
            unsigned char c = (unsigned char)*text++;
            const char escaped[] = {'%', hex[c >> 4], hex[c & 15]};

            ski_buf_add(out, escaped, sizeof escaped);
        }
    }
}

uint64_t ski_hash(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t ski_hash_text(const char *text)
{
    return ski_hash(text, strlen(text));
}
