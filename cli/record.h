/* record.h - a JSON object on a line of its own, member by member. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <scalekit/types.h>
#include <stdio.h>

struct record {
    FILE *out;
    bool inside; /* something stands before the next member */
};

struct record record_begin(FILE *out);
void record_end(struct record *record);

/* Members; in a list, with a NULL name, items.  Absent text and moments are left out. */
void record_text(struct record *record, const char *name, const char *text);
void record_number(struct record *record, const char *name, int64_t number);
void record_bool(struct record *record, const char *name, bool value);
void record_moment(struct record *record, const char *name, scalekit_time moment);
void record_texts(struct record *record, const char *name, const char *const *items, size_t n);
/* What is JSON already; it is kept on this line. */
void record_json(struct record *record, const char *name, const char *json);

/* An object or a list within it: '{' or '[', and what closes it. */
void record_open(struct record *record, const char *name, char bracket);
void record_close(struct record *record, char bracket);

/* "2026-01-31T12:00:00Z"; "" for no moment. */
#define MOMENT_SIZE 32
const char *format_moment(char out[MOMENT_SIZE], scalekit_time moment);

#endif
