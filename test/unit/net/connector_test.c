#include "harness.h"
#include "net/connector.h"
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#define MAX_FILLERS 16

struct result {
    bool done;
    int fd;
    struct ski_failure failure;
    bool inside; /* ski_connect() is running */
};

static void on_done(void *user, int fd, const struct ski_failure *failure)
{
    struct result *result = user;

    CU_ASSERT_FALSE(result->inside);
    CU_ASSERT_FALSE(result->done);
    CU_ASSERT_EQUAL(fd < 0, failure != NULL);
    result->done = true;
    result->fd = fd;
    if (failure)
        result->failure = *failure;
}

static void add(struct ski_addresses *list, const char *host, uint16_t port)
{
    struct ski_address *address = &list->list[list->count++];
    struct sockaddr_in *in = (struct sockaddr_in *)&address->storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address->storage;

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        address->length = sizeof *in;
    } else {
        CU_ASSERT_FATAL(inet_pton(AF_INET6, host, &in6->sin6_addr) == 1);
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        address->length = sizeof *in6;
    }
}

static struct ski_connector *start(struct ski_loop *loop, const struct ski_addresses *addresses,
                                   struct result *result)
{
    struct ski_connector *connector = NULL;

    *result = (struct result){.fd = -1, .inside = true};
    CU_ASSERT_EQUAL_FATAL(ski_connect(&connector, loop, addresses, on_done, result), SCALEKIT_OK);
    result->inside = false;
    return connector;
}

static void connect_and_wait(struct test_loop *test, const struct ski_addresses *addresses,
                             struct result *result)
{
    start(&test->loop, addresses, result);
    test_loop_until(test, &result->done);
}

static uint16_t peer_port_of(int fd)
{
    struct sockaddr_in in;
    socklen_t length = sizeof in;

    CU_ASSERT_FATAL(getpeername(fd, (struct sockaddr *)&in, &length) == 0);
    return ntohs(in.sin_port);
}

/* --- one address ------------------------------------------------------------------------------- */

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;

    CU_ASSERT_EQUAL(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static void test_socket(void)
{
    struct ski_addresses addresses = {0};
    struct test_loop test;
    struct test_peer *peer;
    struct result result;

    test_loop_init(&test, NULL);
    peer = test_peer_new(test.base, &(struct test_peer_config){0});
    add(&addresses, "127.0.0.1", test_peer_port(peer));
    connect_and_wait(&test, &addresses, &result);
    CU_ASSERT_FATAL(result.fd >= 0);
    CU_ASSERT_EQUAL(peer_port_of(result.fd), test_peer_port(peer));
    CU_ASSERT(fcntl(result.fd, F_GETFL) & O_NONBLOCK);
    CU_ASSERT(fcntl(result.fd, F_GETFD) & FD_CLOEXEC);
    CU_ASSERT(option(result.fd, IPPROTO_TCP, TCP_NODELAY));
    CU_ASSERT(option(result.fd, SOL_SOCKET, SO_KEEPALIVE));
    CU_ASSERT_EQUAL(option(result.fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    CU_ASSERT_EQUAL(option(result.fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    CU_ASSERT_EQUAL(option(result.fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    close(result.fd);
    test_peer_free(peer);
    test_loop_free(&test);
}

static void test_refusal(void)
{
    static const struct {
        const char *host, *shown;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::1", "[::1]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ski_addresses addresses = {0};
        uint16_t port = test_refused_port();
        struct test_loop test;
        struct result result;
        char expected[100];

        test_loop_init(&test, NULL);
        add(&addresses, rows[i].host, port);
        connect_and_wait(&test, &addresses, &result);
        snprintf(expected, sizeof expected, "connect to %s:%u: Connection refused", rows[i].shown,
                 port);
        CU_ASSERT_EQUAL(result.fd, -1);
        CU_ASSERT_EQUAL(result.failure.code, SCALEKIT_ERR_CONNECT);
        CU_ASSERT_EQUAL(result.failure.phase, SCALEKIT_PHASE_CONNECT);
        CU_ASSERT_STRING_EQUAL(result.failure.text, expected);
        test_loop_free(&test);
    }
}

/* --- several ----------------------------------------------------------------------------------- */

/* `good` is the place of the address that accepts; the others refuse.  -1: all do. */
static void check_place(unsigned count, int good)
{
    struct ski_addresses addresses = {0};
    struct test_loop test;
    struct test_peer *peer;
    struct result result;

    test_loop_init(&test, NULL);
    peer = test_peer_new(test.base, &(struct test_peer_config){0});
    for (unsigned i = 0; i < count; i++)
        add(&addresses, "127.0.0.1", (int)i == good ? test_peer_port(peer) : test_refused_port());
    connect_and_wait(&test, &addresses, &result);
    CU_ASSERT_EQUAL(result.fd >= 0, good >= 0);
    if (result.fd >= 0) {
        CU_ASSERT_EQUAL(peer_port_of(result.fd), test_peer_port(peer));
        close(result.fd);
    } else {
        CU_ASSERT_EQUAL(result.failure.code, SCALEKIT_ERR_CONNECT);
    }
    test_peer_free(peer);
    test_loop_free(&test);
}

static void test_next_when_one_refuses(void)
{
    check_place(2, 1);
    check_place(3, 2);
    check_place(SKI_MAX_ADDRESSES, SKI_MAX_ADDRESSES - 1);
    check_place(3, -1);
    check_place(0, -1);
}

/* An attempt that fails before it has begun, for want of such a protocol. */
static void test_failing_at_once(void)
{
    struct ski_addresses addresses = {0};
    struct test_loop test;
    struct test_peer *peer;
    struct result result;

    test_loop_init(&test, NULL);
    peer = test_peer_new(test.base, &(struct test_peer_config){0});
    add(&addresses, "127.0.0.1", 1);
    addresses.list[0].storage.ss_family = AF_UNSPEC;
    connect_and_wait(&test, &addresses, &result);
    CU_ASSERT_EQUAL(result.fd, -1);
    CU_ASSERT_EQUAL(result.failure.code, SCALEKIT_ERR_CONNECT);

    add(&addresses, "127.0.0.1", test_peer_port(peer));
    connect_and_wait(&test, &addresses, &result);
    CU_ASSERT_FATAL(result.fd >= 0);
    close(result.fd);
    test_peer_free(peer);
    test_loop_free(&test);
}

/* An address that never answers: a listener whose queue is full drops what asks to connect. */
struct black_hole {
    int listener, fillers[MAX_FILLERS], n_fillers;
    uint16_t port;
};

static void black_hole_open(struct black_hole *hole)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof in;
    bool full = false;

    hole->n_fillers = 0;
    hole->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bind(hole->listener, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(listen(hole->listener, 0) == 0);
    CU_ASSERT_FATAL(getsockname(hole->listener, (struct sockaddr *)&in, &length) == 0);
    hole->port = ntohs(in.sin_port);
    while (!full && hole->n_fillers < MAX_FILLERS) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct pollfd connected = {.fd = fd, .events = POLLOUT};

        connect(fd, (struct sockaddr *)&in, sizeof in);
        full = poll(&connected, 1, 100) == 0;
        hole->fillers[hole->n_fillers++] = fd;
    }
    CU_ASSERT_FATAL(full);
}

static void black_hole_close(struct black_hole *hole)
{
    while (hole->n_fillers)
        close(hole->fillers[--hole->n_fillers]);
    close(hole->listener);
}

static void pass(struct test_loop *test, struct test_clock *clock, int64_t milliseconds)
{
    test_clock_advance_ms(clock, milliseconds);
    ski_loop_run_timers(&test->loop);
}

static void test_stagger(void)
{
    struct ski_addresses addresses = {0};
    struct test_clock clock;
    struct test_loop test;
    struct black_hole hole;
    struct test_peer *peer;
    struct result result;

    test_clock_init(&clock);
    test_loop_init(&test, &clock.clock);
    ski_loop_hold(&test.loop);
    peer = test_peer_new(test.base, &(struct test_peer_config){0});
    black_hole_open(&hole);
    add(&addresses, "127.0.0.1", hole.port);
    add(&addresses, "127.0.0.1", test_peer_port(peer));
    start(&test.loop, &addresses, &result);
    test_loop_turn(&test);
    pass(&test, &clock, SKI_CONNECT_STAGGER_MS - 1);
    test_loop_turn(&test);
    CU_ASSERT_FALSE(result.done);
    CU_ASSERT_EQUAL(test_peer_counts(peer)->accepted, 0);

    pass(&test, &clock, 1 + 2 * SKI_WHEEL_TICK_MS);
    test_loop_until(&test, &result.done);
    CU_ASSERT_FATAL(result.fd >= 0);
    CU_ASSERT_EQUAL(peer_port_of(result.fd), test_peer_port(peer));
    close(result.fd);
    black_hole_close(&hole);
    test_peer_free(peer);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

/* --- ending ------------------------------------------------------------------------------------ */

static void test_cancel(void)
{
    struct ski_addresses addresses = {0};
    struct ski_connector *connector;
    struct test_loop test;
    struct test_peer *peer;
    struct result result;

    test_loop_init(&test, NULL);
    peer = test_peer_new(test.base, &(struct test_peer_config){0});
    add(&addresses, "127.0.0.1", test_peer_port(peer));
    ski_connector_cancel(start(&test.loop, &addresses, &result));

    connector = start(&test.loop, &addresses, &result);
    while (!test_peer_counts(peer)->accepted && !result.done)
        event_base_loop(test.base, EVLOOP_ONCE);
    if (!result.done)
        ski_connector_cancel(connector);
    else
        close(result.fd);
    result.done = false;
    test_loop_turn(&test);
    CU_ASSERT_FALSE(result.done);
    test_peer_free(peer);
    test_loop_free(&test);
}

static void test_lets_go_of_the_loop(void)
{
    struct ski_addresses addresses = {0};
    struct ski_connector *connector;
    struct test_loop test;
    struct black_hole hole;
    struct result result;

    test_loop_init(&test, NULL);
    black_hole_open(&hole);
    add(&addresses, "127.0.0.1", hole.port);
    connector = start(&test.loop, &addresses, &result);
    test_loop_turn(&test);
    CU_ASSERT_EQUAL(event_base_get_num_events(test.base, EVENT_BASE_COUNT_ADDED), 1);
    ski_connector_cancel(connector);
    CU_ASSERT_EQUAL(event_base_get_num_events(test.base, EVENT_BASE_COUNT_ADDED), 0);
    CU_ASSERT_EQUAL(event_base_dispatch(test.base), 1);
    CU_ASSERT_FALSE(result.done);
    black_hole_close(&hole);
    test_loop_free(&test);
}

static bool connect_once(struct test_memory *memory, void *user)
{
    struct event_base *base = user;
    struct ski_addresses addresses = {0};
    struct ski_connector *connector;
    struct test_peer *peer;
    struct ski_loop loop = {0};
    struct result result = {.fd = -1};
    scalekit_err err;

    ski_mem_init(&loop.mem, &memory->allocator);
    ski_clock_init(&loop.clock, NULL);
    if (ski_loop_init(&loop, base) != SCALEKIT_OK)
        return false;
    peer = test_peer_new(base, &(struct test_peer_config){0});
    add(&addresses, "127.0.0.1", test_peer_port(peer));
    err = ski_connect(&connector, &loop, &addresses, on_done, &result);
    if (err == SCALEKIT_OK) {
        test_base_until(base, &result.done);
        CU_ASSERT(result.fd >= 0);
        close(result.fd);
    } else {
        CU_ASSERT_EQUAL(err, SCALEKIT_ERR_NOMEM);
    }
    test_peer_free(peer);
    ski_loop_free(&loop);
    return err == SCALEKIT_OK;
}

static void test_out_of_memory(void)
{
    struct event_base *base = event_base_new();

    CU_ASSERT(test_every_allocation(connect_once, base) > 1);
    event_base_free(base);
}

SUITE(connector, {"gives a non-blocking socket with its options set", test_socket},
      {"says which address refused", test_refusal},
      {"goes on to the next address when one refuses", test_next_when_one_refuses},
      {"goes on when an attempt fails at once", test_failing_at_once},
      {"starts the next attempt after 250 ms of silence", test_stagger},
      {"closes everything when cancelled", test_cancel},
      {"has no event pending once cancelled", test_lets_go_of_the_loop},
      {"survives every failing allocation", test_out_of_memory})
