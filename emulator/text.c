#include "text.h"
#include <ctype.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t emu_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * EMU_SECOND + now.tv_nsec / 1000;
}

void emu_time_text(char out[EMU_TIME_SIZE], int64_t time_us)
{
    time_t seconds = (time_t)(time_us / EMU_SECOND);
    struct tm utc;
    char day_and_time[24] = "";

    if (gmtime_r(&seconds, &utc))
        strftime(day_and_time, sizeof day_and_time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, EMU_TIME_SIZE, "%.19s.%06dZ", day_and_time, (int)(time_us % EMU_SECOND));
}

/* The digits after the point, as microseconds; *text is left behind them. */
static bool parse_fraction(const char **text, int64_t *us)
{
    int64_t unit = EMU_SECOND;
    const char *digit = *text;

    *us = 0;
    if (*digit != '.')
        return true;
    while (isdigit((unsigned char)*++digit) && digit - *text <= 9) {
        unit /= 10;
        *us += (*digit - '0') * unit;
    }
    *text = digit;
    return unit < EMU_SECOND;
}

/* "Z", or "+02:00" and so on. */
static bool parse_offset(const char *text, int64_t *seconds)
{
    int hours, minutes, length = 0;

    *seconds = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || !isdigit((unsigned char)text[1]) ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 || length != 5 || text[6] ||
        hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * (*text == '-' ? -60 : 60);
    return true;
}

bool emu_time_parse(const char *text, int64_t *time_us)
{
    struct tm utc = {0}, again;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    int64_t us, offset_s;
    time_t seconds;

    if (!rest || rest - text != 19 || !parse_fraction(&rest, &us) || !parse_offset(rest, &offset_s))
        return false;
    again = utc;
    seconds = timegm(&again);
    *time_us = (seconds - offset_s) * EMU_SECOND + us;
    return again.tm_mday == utc.tm_mday && again.tm_sec == utc.tm_sec; /* 30 February is none */
}

bool emu_seconds_parse(const char *text, double *seconds)
{
    char *end;

    *seconds = strtod(text, &end);
    return end > text && strspn(text, "-.0123456789") == (size_t)(end - text) &&
           strcmp(end, "s") == 0;
}

bool emu_random_text(char *out, size_t size)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    *out = '\0';
    if (RAND_bytes((unsigned char *)out, (int)size - 1) != 1)
        return false;
    for (size_t i = 0; i + 1 < size; i++)
        out[i] = alphabet[(unsigned char)out[i] & 63];
    out[size - 1] = '\0';
    return true;
}

void emu_make_id(char out[EMU_ID_SIZE], const char *prefix, uint64_t number)
{
    snprintf(out, EMU_ID_SIZE, "%s_%" PRIu64, prefix, number);
}

bool emu_set_text(char **slot, const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return false;
    if (*slot)
        OPENSSL_cleanse(*slot, strlen(*slot));
    free(*slot);
    *slot = copy;
    return true;
}

char *emu_buffer_text(struct evbuffer *buffer)
{
    size_t length = evbuffer_get_length(buffer);
    char *text = malloc(length + 1);

    if (!text || evbuffer_copyout(buffer, text, length) != (ev_ssize_t)length) {
        free(text);
        return NULL;
    }
    text[length] = '\0';
    return text;
}

size_t emu_code_points(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

bool emu_contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

bool emu_is_or_empty(const char *wanted, const char *value)
{
    return !*wanted || strcmp(wanted, value) == 0;
}

bool emu_same(const char *a, const char *b)
{
    size_t length = strlen(a);

    return length == strlen(b) && CRYPTO_memcmp(a, b, length) == 0;
}
