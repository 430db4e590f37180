#include "table.h"
#include <stdlib.h>
#include <string.h>

#define GAP 2

size_t table_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80; /* 10xxxxxx goes on with a character */
    return width;
}

static bool grow(struct table *table)
{
    size_t capacity = table->capacity ? 2 * table->capacity : 16 * TABLE_COLUMNS;
    char **cells = realloc(table->cells, capacity * sizeof *cells);

    if (!cells)
        return false;
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void table_add(struct table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->columns && !table->failed; i++) {
        char *copy = strdup(cells[i] ? cells[i] : "");

        if (!copy || (table->n == table->capacity && !grow(table))) {
            free(copy);
            table->failed = true;
            return;
        }
        table->cells[table->n++] = copy;
    }
}

static void measure(const struct table *table, size_t widths[TABLE_COLUMNS])
{
    memset(widths, 0, TABLE_COLUMNS * sizeof *widths);
    for (size_t i = 0; i < table->n; i++) {
        size_t width = table_width(table->cells[i]), *widest = &widths[i % table->columns];

        if (width > *widest)
            *widest = width;
    }
}

static void print_row(const struct table *table, size_t row, const size_t *widths, FILE *out)
{
    size_t pending = 0; /* blanks owed before the next text */

    for (size_t column = 0; column < table->columns; column++) {
        const char *cell = table->cells[row * table->columns + column];

        if (*cell) {
            fprintf(out, "%*s%s", (int)pending, "", cell);
            pending = 0;
        }
        pending += widths[column] - table_width(cell) + (widths[column] ? GAP : 0);
    }
}

bool table_print(struct table *table, FILE *out, const char *begin, const char *end)
{
    size_t widths[TABLE_COLUMNS], rows = table->n / table->columns;
    bool good = !table->failed;

    measure(table, widths);
    for (size_t row = 0; good && row < rows; row++) {
        fputs(row ? "" : begin, out);
        print_row(table, row, widths, out);
        fputs(row ? "" : end, out);
        putc('\n', out);
    }
    for (size_t i = 0; i < table->n; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){.columns = table->columns};
    return good;
}
