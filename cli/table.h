/* table.h - rows of text in columns, as wide as what is in them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 6

struct table {
    size_t columns;
    char **cells; /* row by row */
    size_t n, capacity;
    bool failed; /* memory ran out: it prints nothing */
};

/* A row; NULL is an empty cell.  The texts are copied. */
void table_add(struct table *table, const char *const *cells);

/* Prints it, the first row between `begin` and `end` (the heading's colours; "" for none), and
 * frees it.  Nothing follows the last text of a line.  False when memory had run out. */
bool table_print(struct table *table, FILE *out, const char *begin, const char *end);

/* The columns a terminal needs for UTF-8 text, each character taken for one. */
size_t table_width(const char *text);

#endif
