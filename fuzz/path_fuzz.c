/* path_fuzz.c - any text as a path below "/proxy/".  One that is let through is below it in every way
 * that a server may see it: decoded or not, '\' as it is or as '/', ";parameters" kept or cut off,
 * empty segments kept or dropped, and dot segments removed. */
#include "http/path.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECODED = 1, BACKSLASH = 2, PARAMETERS = 4, COLLAPSED = 8, VIEWS = 16 };

static void decode(char *text)
{
    char *to = text;
    unsigned byte;

    for (; *text; text++) {
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

/* Of a segment, what is left of it in that view. */
static size_t length_of(const char *at, size_t length, int view)
{
    const char *semicolon = view & PARAMETERS ? memchr(at, ';', length) : NULL;

    return semicolon ? (size_t)(semicolon - at) : length;
}

static bool is_dots(const char *at, size_t length, size_t dots)
{
    return length == dots && memcmp(at, "..", dots) == 0;
}

/* Whether a walk along the path ever is above "/proxy". */
static bool leaves(const char *path, int view)
{
    int depth = 0;

    for (const char *at = path; *at;) {
        size_t whole = strcspn(++at, "/"), length = length_of(at, whole, view);

        if (is_dots(at, length, 2))
            depth--;
        else if (!is_dots(at, length, 1) && (length || !(view & COLLAPSED)))
            depth++;
        if (depth < 1 && at > path + 1)
            return true;
        at += whole;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char route[] = "/proxy";
    char path[4096], seen[4096];

    if (size > sizeof path - sizeof route)
        return 0;
    memcpy(path, route, sizeof route - 1);
    memcpy(path + sizeof route - 1, data, size);
    path[sizeof route - 1 + size] = '\0';
    if (ski_path_problem("/proxy/", path))
        return 0;

    for (int view = 0; view < VIEWS; view++) {
        memcpy(seen, path, sizeof route + size);
        if (view & DECODED)
            decode(seen);
        for (char *at = seen; (view & BACKSLASH) && *at; at++)
            if (*at == '\\')
                *at = '/';
        if (strncmp(seen, "/proxy/", 7) != 0 || strpbrk(seen, "\r\n\t") || leaves(seen, view))
            abort();
    }
    return 0;
}
