#include "input.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads until the end, or until there is more than `max`. */
static char *read_all(FILE *file, size_t max, size_t *length)
{
    size_t capacity = 4096, n = 0;
    char *text = malloc(capacity);

    while (text) {
        char *larger;

        n += fread(text + n, 1, capacity - n - 1, file);
        if (n > max || n < capacity - 1)
            break;
        capacity *= 2;
        larger = realloc(text, capacity);
        if (!larger)
            free(text);
        text = larger;
    }
    if (text)
        text[n] = '\0';
    *length = n;
    return text;
}

static void drop(struct input *input)
{
    free(input->text);
    input->text = NULL;
}

static bool check(struct input *input, const char *name, size_t max, int failure)
{
    if (!input->text)
        snprintf(input->problem, sizeof input->problem, "out of memory");
    else if (failure)
        snprintf(input->problem, sizeof input->problem, "cannot read %s: %s", name,
                 strerror(failure));
    else if (input->length > max)
        snprintf(input->problem, sizeof input->problem, "%s is larger than %zu bytes", name, max);
    else
        return true;
    drop(input);
    return false;
}

bool input_read_bytes(struct input *input, const char *file, size_t max)
{
    bool standard = strcmp(file, "-") == 0;
    FILE *stream = standard ? stdin : fopen(file, "re");
    bool good;

    *input = (struct input){0};
    if (!stream) {
        snprintf(input->problem, sizeof input->problem, "cannot open %s: %s", file,
                 strerror(errno));
        return false;
    }
    errno = 0;
    input->text = read_all(stream, max, &input->length);
    good = check(input, standard ? "standard input" : file, max,
                 ferror(stream) ? (errno ? errno : EIO) : 0);
    if (!standard)
        fclose(stream);
    return good;
}

bool input_read(struct input *input, const char *file, size_t max)
{
    if (!input_read_bytes(input, file, max))
        return false;
    if (strlen(input->text) == input->length)
        return true;
    snprintf(input->problem, sizeof input->problem, "%s is no text",
             strcmp(file, "-") == 0 ? "standard input" : file);
    drop(input);
    return false;
}

void input_chop(struct input *input)
{
    if (input->length && input->text[input->length - 1] == '\n')
        input->text[--input->length] = '\0';
    if (input->length && input->text[input->length - 1] == '\r')
        input->text[--input->length] = '\0';
}
