#include "nearest.h"
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LONGEST 64 /* beyond it nobody slipped on a key */

/* Case, and which of '-' and '_' it is, nobody remembers. */
static bool same(char a, char b)
{
    a = a == '-' ? '_' : (char)tolower((unsigned char)a);
    b = b == '-' ? '_' : (char)tolower((unsigned char)b);
    return a == b;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned low = a < b ? a : b;

    return low < c ? low : c;
}

/* How many characters must be put in, left out, replaced or swapped with their neighbour. */
static unsigned distance_of(const char *a, const char *b)
{
    unsigned rows[3][LONGEST + 1];
    size_t n = strlen(a), m = strlen(b);

    for (unsigned j = 0; j <= m; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(row[j - 1] + 1, above[j] + 1, above[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

struct nearest nearest_to(const char *word)
{
    size_t length = strlen(word);

    /* A third of it may be wrong, but never all of it. */
    return (struct nearest){
        .word = word, .distance = length < 2 ? 0 : (unsigned)(length < 6 ? 2 : length / 3) + 1};
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t length = strlen(nearest->word);
    unsigned distance;

    if (!length || length > LONGEST || strlen(candidate) > LONGEST)
        return;
    if (length > 2 && strncasecmp(candidate, nearest->word, length) == 0)
        distance = 1; /* cut short */
    else
        distance = distance_of(nearest->word, candidate);
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = candidate;
    }
}
