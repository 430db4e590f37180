/* text.h - small things about strings, time and chance that every file here needs. */
#ifndef EMU_TEXT_H
#define EMU_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

#define EMU_SECOND    INT64_C(1000000)
#define EMU_TIME_SIZE 32
#define EMU_ID_SIZE   32

int64_t emu_now_us(void); /* of the wall clock */

/* RFC 3339 with microseconds: "2026-08-21T10:00:00.123456Z". */
void emu_time_text(char out[EMU_TIME_SIZE], int64_t time_us);
/* The same back, with up to nine digits of a fraction and any offset.  False when it is none. */
bool emu_time_parse(const char *text, int64_t *time_us);

/* "3600s", "0.5s".  False when it is no such text. */
bool emu_seconds_parse(const char *text, double *seconds);

/* Fills `out` with size - 1 unpredictable characters of A-Z a-z 0-9 - _ and a NUL. */
bool emu_random_text(char *out, size_t size);

/* "evt_101531404017336586" */
void emu_make_id(char out[EMU_ID_SIZE], const char *prefix, uint64_t number);

/* Replaces *slot by a copy, wiping what was there.  NULL empties it. */
bool emu_set_text(char **slot, const char *text);

/* Everything in the buffer as a string that the caller frees; NULL when memory ran out. */
char *emu_buffer_text(struct evbuffer *buffer);

size_t emu_code_points(const char *text);
bool emu_contains(const char *text, const char *part);       /* without regard to the case of A-Z */
bool emu_is_or_empty(const char *wanted, const char *value); /* what a filter wants: "" is any */
bool emu_same(const char *a, const char *b);                 /* in constant time */

#endif
