/* roster.h - accounts, as a file names them: one on each line, "CONNECTION IDENTIFIER". */
#ifndef SAMPLES_ROSTER_H
#define SAMPLES_ROSTER_H

#include "common.h"

#define ROSTER_MAX 1000000

struct roster_entry {
    char *connection, *identifier; /* one piece of memory */
    size_t line;
};

/* Freeing takes what is all zero, too. */
struct roster {
    struct roster_entry *entries;
    size_t n, room;
};

/* Reads a file, or with "-" standard input; else says what is wrong, and on which line. */
bool roster_read(struct roster *roster, const char *name);
void roster_free(struct roster *roster);

#endif
