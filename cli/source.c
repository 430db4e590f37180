#include "source.h"
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    struct source *source = user;

    (void)fd;
    (void)what;
    source->arrived(source->user);
}

bool source_open(struct source *source, struct event_base *base, const char *file,
                 void (*arrived)(void *user), void *user)
{
    struct stat facts;
    int fd = strcmp(file, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(file, O_RDONLY | O_CLOEXEC);

    *source = (struct source){.fd = fd, .arrived = arrived, .user = user};
    if (fd < 0)
        return false;
    if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && lseek(fd, 0, SEEK_CUR) == 0)
        source->length = (uint64_t)facts.st_size;
    source->readable = event_new(base, fd, EV_READ, on_readable, source);
    if (!source->readable)
        errno = ENOMEM;
    return source->readable;
}

void source_close(struct source *source)
{
    if (source->readable)
        event_free(source->readable);
    if (source->fd >= 0)
        close(source->fd);
    *source = (struct source){.fd = -1};
}

/* The descriptor may be the shell's: it must not be made non-blocking, so it is asked first. */
static bool has_something(int fd)
{
    struct pollfd ask = {.fd = fd, .events = POLLIN};

    return poll(&ask, 1, 0) > 0;
}

size_t source_read(struct source *source, char *room, size_t size, bool *end)
{
    ssize_t n;

    if (!has_something(source->fd)) {
        if (event_add(source->readable, NULL) != 0)
            source->failure = EIO;
        return 0;
    }
    do
        n = read(source->fd, room, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        source->failure = errno;
    *end = n == 0;
    return n > 0 ? (size_t)n : 0;
}
