/* input.h - text or bytes from a file, or from standard input. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct input {
    char *text; /* yours; NUL behind it */
    size_t length;
    char problem[256];
};

/* Reads a file, "-" for standard input, of at most `max` bytes, all of it text.  False: see
 * `problem`. */
bool input_read(struct input *input, const char *file, size_t max);

/* The same for bytes of any kind. */
bool input_read_bytes(struct input *input, const char *file, size_t max);

/* Cuts the end of the last line, which files have and values do not. */
void input_chop(struct input *input);

#endif
