#include "net/connector.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

struct attempt {
    struct ski_connector *connector;
    struct event *writable; /* NULL: this attempt is not under way */
    int fd;
};

struct ski_connector {
    struct ski_loop *loop;
    struct ski_task begin;
    ski_timer stagger;
    void (*done)(void *user, int fd, const struct ski_failure *failure);
    void *user;
    struct ski_addresses addresses;
    unsigned started, pending; /* attempts begun, and those of them under way */
    struct attempt attempts[SKI_MAX_ADDRESSES];
    struct ski_failure failure; /* of the last attempt that failed */
};

static void abandon(struct attempt *attempt)
{
    event_free(attempt->writable);
    attempt->writable = NULL;
    attempt->connector->pending--;
    if (attempt->fd >= 0)
        close(attempt->fd);
}

void ski_connector_cancel(struct ski_connector *connector)
{
    struct ski_loop *loop = connector->loop;

    for (unsigned i = 0; i < connector->started; i++)
        if (connector->attempts[i].writable)
            abandon(&connector->attempts[i]);
    ski_task_cancel(&connector->begin);
    ski_timer_free(loop, connector->stagger);
    ski_free(&loop->mem, connector);
}

/* Reports, with everything but the winner's socket given back. */
static void finish(struct ski_connector *connector, int fd)
{
    void (*done)(void *user, int fd, const struct ski_failure *failure) = connector->done;
    struct ski_failure failure = connector->failure;
    void *user = connector->user;

    ski_connector_cancel(connector);
    done(user, fd, fd >= 0 ? NULL : &failure);
}

/* "127.0.0.1:443", "[::1]:443" */
static void print_address(const struct ski_address *address, char *text, size_t size)
{
    const struct sockaddr *any = (const struct sockaddr *)&address->storage;
    char host[INET6_ADDRSTRLEN] = "?";

    if (any->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)any;

        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
        snprintf(text, size, "[%s]:%u", host, ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)any;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        snprintf(text, size, "%s:%u", host, ntohs(in->sin_port));
    }
}

static void note_failure(struct ski_connector *connector, unsigned index, int error)
{
    char address[INET6_ADDRSTRLEN + 16], text[128];

    print_address(&connector->addresses.list[index], address, sizeof address);
    ski_fail(&connector->failure, SCALEKIT_ERR_CONNECT, SCALEKIT_PHASE_CONNECT, "connect to %s: %s",
             address, strerror_r(error, text, sizeof text));
}

/* A host that vanished is noticed after 60 + 3 * 10 s.  None of this is worth failing for. */
static void set_options(int fd)
{
    int on = 1, idle = 60, interval = 10, count = 3;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static void on_writable(evutil_socket_t fd, short what, void *user);

/* Begins one attempt; 0, or why it failed at once. */
static int begin(struct attempt *attempt, const struct ski_address *address)
{
    const struct sockaddr *any = (const struct sockaddr *)&address->storage;
    int error = 0;

    attempt->fd = socket(any->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (attempt->fd < 0)
        return errno;
    set_options(attempt->fd);
    if (connect(attempt->fd, any, address->length) < 0 && errno != EINPROGRESS && errno != EINTR)
        error = errno;
    if (!error) {
        attempt->writable =
            event_new(attempt->connector->loop->base, attempt->fd, EV_WRITE, on_writable, attempt);
        if (attempt->writable && event_add(attempt->writable, NULL) == 0) {
            attempt->connector->pending++;
            return 0;
        }
        error = ENOMEM;
    }
    if (attempt->writable)
        event_free(attempt->writable);
    attempt->writable = NULL;
    close(attempt->fd);
    return error;
}

/* Begins the next attempt that does not fail at once, and reports when there is nothing left. */
static void advance(struct ski_connector *connector)
{
    struct ski_loop *loop = connector->loop;

    ski_timer_clear(loop, connector->stagger);
    while (connector->started < connector->addresses.count) {
        unsigned index = connector->started++;
        int error;

        connector->attempts[index].connector = connector;
        error = begin(&connector->attempts[index], &connector->addresses.list[index]);
        if (!error) {
            if (connector->started < connector->addresses.count)
                ski_timer_set(loop, connector->stagger,
                              ski_loop_now(loop) + SKI_CONNECT_STAGGER_MS);
            return;
        }
        note_failure(connector, index, error);
    }
    if (!connector->pending)
        finish(connector, -1);
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    struct attempt *attempt = user;
    struct ski_connector *connector = attempt->connector;
    socklen_t length = sizeof(int);
    int error = 0;

    (void)what;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    if (!error) {
        attempt->fd = -1;
        finish(connector, fd);
        return;
    }
    note_failure(connector, (unsigned)(attempt - connector->attempts), error);
    abandon(attempt);
    advance(connector);
}

static void on_begin(struct ski_task *task)
{
    advance(SKI_CONTAINER(task, struct ski_connector, begin));
}

static void on_stagger(void *owner)
{
    advance(owner);
}

scalekit_err ski_connect(struct ski_connector **out, struct ski_loop *loop,
                         const struct ski_addresses *addresses,
                         void (*done)(void *user, int fd, const struct ski_failure *failure),
                         void *user)
{
    struct ski_connector *connector = ski_zalloc(&loop->mem, sizeof *connector);

    *out = NULL;
    if (!connector)
        return SCALEKIT_ERR_NOMEM;
    connector->loop = loop;
    connector->addresses = *addresses;
    connector->done = done;
    connector->user = user;
    connector->stagger = ski_timer_new(loop, on_stagger, connector);
    if (connector->stagger == SKI_NO_TIMER) {
        ski_free(&loop->mem, connector);
        return SCALEKIT_ERR_NOMEM;
    }
    ski_fail(&connector->failure, SCALEKIT_ERR_CONNECT, SCALEKIT_PHASE_CONNECT,
             "no address to connect to");
    ski_task_init(&connector->begin, on_begin);
    ski_task_defer(loop, &connector->begin);
    *out = connector;
    return SCALEKIT_OK;
}
