#include "harness.h"
#include "serve/peer.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

static void ignore_end(struct ski_peers *peers)
{
    (void)peers;
}

static void feed(struct event_base *base, int fd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL_FATAL(send(fd, "a", 1, MSG_NOSIGNAL), 1);
        event_base_loop(base, EVLOOP_ONCE);
    }
}

/* Each is read into a piece of its own, of 8 KiB. */
static void single_bytes_are_kept_together(void)
{
    struct test_memory memory;
    struct ski_peers peers = {.patience = {60, 0}, .ended = ignore_end};
    struct bufferevent *facing;
    int fds[2];

    test_memory_init(&memory);
    ski_mem_init(&peers.mem, &memory.allocator);
    peers.base = event_base_new();
    CU_ASSERT_FATAL(ski_peers_init(&peers));
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
                          0);
    facing = ski_peer_admit(ski_peer_new(&peers));
    bufferevent_setfd(facing, fds[0]);
    bufferevent_enable(facing, EV_READ);
    feed(peers.base, fds[1], 1000);
    CU_ASSERT_EQUAL(evbuffer_get_length(bufferevent_get_input(facing)), 1000);
    CU_ASSERT(evbuffer_peek(bufferevent_get_input(facing), -1, NULL, NULL, 0) <= 2);
    bufferevent_free(facing);
    ski_peers_free(&peers);
    event_base_free(peers.base);
    close(fds[1]);
    CU_ASSERT_EQUAL(memory.live, 0);
}

SUITE(peer, {"single bytes are kept together", single_bytes_are_kept_together})
