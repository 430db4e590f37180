/* record.h - the latest things that happened, and pages of them, newest first.
 *
 * Things are numbered from 1 as they happen.  The last 10,000 are kept; an older one makes room for
 * the newest.  A page token names the thing that a page ends or begins with, so that pages neither
 * repeat nor skip anything while more is happening. */
#ifndef EMU_RECORD_H
#define EMU_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct emu_request;

#define EMU_RECORD_SIZE 10000
#define EMU_PAGE_MAX    100
#define EMU_PAGE_USUAL  10
#define EMU_TOKEN_SIZE  80

struct emu_record {
    void **items; /* number n is at n % EMU_RECORD_SIZE; NULL: nothing has happened yet */
    uint64_t last;
    uint64_t first_number; /* ids show n + first_number */
    const char *prefix;    /* of ids: "evt" */
    void (*free_item)(void *item);
};

void emu_record_init(struct emu_record *record, const char *prefix, uint64_t first_number,
                     void (*free_item)(void *item));
void emu_record_clear(struct emu_record *record);

/* Takes an item, whose number becomes record->last.  False when memory ran out: not taken. */
bool emu_record_add(struct emu_record *record, void *item);
/* NULL: not any more, or not yet. */
void *emu_record_get(const struct emu_record *record, uint64_t number);

/* "evt_101531404017336586" */
#define EMU_ID_SIZE 32
void emu_record_id(const struct emu_record *record, char out[EMU_ID_SIZE], uint64_t number);

/* Where a page begins: at the newest, or next to `number`. */
struct emu_place {
    uint64_t number; /* 0: at the newest */
    bool newer;      /* than it, not older */
};

/* What items a page has: all for which this is true. */
struct emu_wanted {
    bool (*is)(const void *item, const void *filter);
    const void *filter;
};

struct emu_page {
    const void *items[EMU_PAGE_MAX]; /* newest first */
    uint64_t numbers[EMU_PAGE_MAX];
    size_t n;
    char next_token[EMU_TOKEN_SIZE], prev_token[EMU_TOKEN_SIZE]; /* "": no page there */
};

/* Reads page_size and page_token of the query; what is wrong with them is noted (check.h). */
size_t emu_read_page_size(struct emu_request *request);
void emu_read_place(struct emu_request *request, const struct emu_record *record,
                    struct emu_place *place);

void emu_record_page(const struct emu_record *record, const struct emu_wanted *wanted,
                     const struct emu_place *place, size_t size, struct emu_page *page);
size_t emu_record_count(const struct emu_record *record, const struct emu_wanted *wanted);

#endif
