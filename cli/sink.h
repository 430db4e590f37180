/* sink.h - standard output for bytes that come in pieces: it is only written to while it takes
 * something, so that a slow reader makes the sender wait and nothing else. */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;

struct sink {
    int fd;
    struct event *writable;
    char *held; /* what it has not taken yet */
    size_t n, capacity;
    int failure;                 /* errno of the write that failed; 0 */
    void (*drained)(void *user); /* nothing is held any more, or writing failed */
    void *user;
};

bool sink_open(struct sink *sink, struct event_base *base, int fd, void (*drained)(void *user),
               void *user);
void sink_close(struct sink *sink);

/* Takes a piece.  False: some of it is held, give no more until `drained`; or see `failure`. */
bool sink_write(struct sink *sink, const char *bytes, size_t length);

#endif
