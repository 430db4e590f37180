/* source.h - bytes from a text, a file or standard input, that are read while there are some. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;

struct source {
    int fd; /* -1: none */
    struct event *readable;
    uint64_t length;             /* of all; 0: not known */
    int failure;                 /* errno of the read that failed; 0 */
    void (*arrived)(void *user); /* there is something again */
    void *user;
};

/* Opens a file, "-" for standard input.  False: errno says why. */
bool source_open(struct source *source, struct event_base *base, const char *file,
                 void (*arrived)(void *user), void *user);
/* Also one whose fd is -1 and that was never opened. */
void source_close(struct source *source);

/* Reads what there is, and sets *end at the end.  0 without it: `arrived` comes; or see
 * `failure`. */
size_t source_read(struct source *source, char *room, size_t size, bool *end);

#endif
