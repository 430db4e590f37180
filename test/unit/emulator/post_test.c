/* Posts to a peer that answers with any bytes. */
#include "harness.h"
#include "post.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <unistd.h>

/* --- places ------------------------------------------------------------------------------------ */

static void test_places(void)
{
    static const struct {
        const char *url, *authority, *target; /* authority NULL: it is refused */
        bool tls;
    } rows[] = {
        {"http://127.0.0.1:8080/hooks?a=b", "127.0.0.1:8080", "/hooks?a=b", false},
        {"HTTPS://LOCALHOST:8443", "LOCALHOST:8443", "/", true},
        {"http://localhost", "localhost:80", "/", false},
        {"https://[::1]/x", "[::1]:443", "/x", true},
        {"http://localhost?q", "localhost:80", "/?q", false},
        {"http://[::2]/", NULL, NULL, false},
        {"http://127.0.0.2/", NULL, NULL, false},
        {"http://0.0.0.0/", NULL, NULL, false},
        {"http://localhost./", NULL, NULL, false},
        {"http://localhost:0/", NULL, NULL, false},
        {"http://localhost/a b", NULL, NULL, false},
        {"http://localhost/a\r\nb", NULL, NULL, false},
        {"//localhost/", NULL, NULL, false},
        {"", NULL, NULL, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct emu_place place;
        bool good = emu_place_parse(&place, rows[i].url);

        CU_ASSERT_EQUAL(good, rows[i].authority != NULL);
        if (good && rows[i].authority) {
            CU_ASSERT_STRING_EQUAL(place.authority, rows[i].authority);
            CU_ASSERT_STRING_EQUAL(place.target, rows[i].target);
            CU_ASSERT_EQUAL(place.tls, rows[i].tls);
        }
        emu_place_clear(&place);
    }
}

/* --- a peer that is told what to say ------------------------------------------------------------ */

struct answer {
    const char *text;
    size_t length;
    bool closes; /* the connection, when all is said */
};

struct peer {
    struct event_base *base;
    struct evconnlistener *listener;
    struct bufferevent *bev; /* the latest connection */
    struct answer answer, saying;
    size_t said;
    bool by_byte;
    int connections, requests;
    struct emu_place place;
    struct emu_poster *poster;
    bool done;
    int status;
};

static void hang_up(struct peer *peer)
{
    if (peer->bev)
        bufferevent_free(peer->bev);
    peer->bev = NULL;
    peer->saying = (struct answer){0};
    peer->said = 0;
}

/* The next piece of what is being said; when there is none the connection is closed, or kept. */
static void on_written(struct bufferevent *bev, void *user)
{
    struct peer *peer = user;
    size_t left = peer->saying.length - peer->said, n = peer->by_byte && left ? 1 : left;

    if (n)
        bufferevent_write(bev, peer->saying.text + peer->said, n);
    peer->said += n;
    if (!n && peer->saying.closes)
        hang_up(peer);
}

static void on_readable(struct bufferevent *bev, void *user)
{
    struct peer *peer = user;
    struct evbuffer *in = bufferevent_get_input(bev);

    if (evbuffer_search(in, "\r\n\r\nbody", 8, NULL).pos < 0)
        return;
    evbuffer_drain(in, evbuffer_get_length(in));
    peer->requests++;
    peer->saying = peer->answer; /* another may be set before the last of it is written */
    peer->said = 0;
    on_written(bev, peer);
}

static void on_event(struct bufferevent *bev, short what, void *user)
{
    (void)bev;
    (void)what;
    hang_up(user);
}

static void on_accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                        int length, void *user)
{
    struct peer *peer = user;

    (void)listener;
    (void)from;
    (void)length;
    hang_up(peer);
    peer->connections++;
    peer->bev = bufferevent_socket_new(peer->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(peer->bev, on_readable, on_written, on_event, peer);
    bufferevent_enable(peer->bev, EV_READ | EV_WRITE);
}

static void on_posted(int status, void *user)
{
    struct peer *peer = user;

    peer->status = status;
    peer->done = true;
}

static void peer_start(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char url[64];

    *peer = (struct peer){.base = event_base_new()};
    peer->listener = evconnlistener_new_bind(peer->base, on_accepted, peer, LEV_OPT_CLOSE_ON_FREE,
                                             8, (struct sockaddr *)&address, sizeof address);
    CU_ASSERT_PTR_NOT_NULL_FATAL(peer->listener);
    getsockname(evconnlistener_get_fd(peer->listener), (struct sockaddr *)&address, &length);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    CU_ASSERT_FATAL(emu_place_parse(&peer->place, url));
    peer->poster = emu_poster_new(peer->base, &peer->place, NULL, on_posted, peer);
    CU_ASSERT_PTR_NOT_NULL_FATAL(peer->poster);
}

static void peer_stop(struct peer *peer)
{
    emu_poster_free(peer->poster);
    hang_up(peer);
    if (peer->listener)
        evconnlistener_free(peer->listener);
    event_base_loop(peer->base, EVLOOP_NONBLOCK);
    emu_place_clear(&peer->place);
    event_base_free(peer->base);
}

static void start_post(struct peer *peer, int64_t answer_ms)
{
    static const char request[] = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody";

    peer->done = false;
    CU_ASSERT(emu_poster_send(peer->poster, strdup(request), sizeof request - 1, answer_ms));
    CU_ASSERT_FALSE(peer->done);
}

static int post(struct peer *peer, const char *answer, size_t length)
{
    peer->answer.text = answer;
    peer->answer.length = length;
    start_post(peer, 60000);
    test_base_until(peer->base, &peer->done);
    return peer->status;
}

/* --- answers ----------------------------------------------------------------------------------- */

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static char long_head[10000];

static const struct answer_row {
    const char *answer;
    bool closes; /* the peer, when all is said */
    int status;
    bool kept; /* the next post goes over the same connection */
} answer_rows[] = {
    {OK_ANSWER, false, 200, true},
    {"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", false, 201, true},
    {"HTTP/1.1 500 No\r\ncontent-length:\t0\r\nX: y\r\n\r\n", false, 500, true},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, 204, true},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, 200, true},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" OK_ANSWER, false, 200, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true, 200, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", true, 200, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nmore", false, 200, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, 200, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", false, 200, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", false, 200, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false, 200,
     false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false, 200, false},
    {"HTTP/1.1 200 OK\r\nX: unfinished", true, 0, false},
    {"HTTP/1.1 99 Low\r\n\r\n", false, 0, false},
    {"HTTP/2 200\r\n\r\n", false, 0, false},
    {"hello\r\n\r\n", false, 0, false},
    {"", true, 0, false},
    {long_head, false, 0, false},
};

static void check_answer(const struct answer_row *row, bool by_byte)
{
    struct peer peer;

    peer_start(&peer);
    peer.answer.closes = row->closes;
    peer.by_byte = by_byte;
    CU_ASSERT_EQUAL(post(&peer, row->answer, strlen(row->answer)), row->status);
    peer.answer.closes = false;
    CU_ASSERT_EQUAL(post(&peer, OK_ANSWER, strlen(OK_ANSWER)), 200);
    CU_ASSERT_EQUAL(peer.connections, row->kept ? 1 : 2);
    CU_ASSERT_EQUAL(peer.requests, 2);
    peer_stop(&peer);
}

static void test_answers(void)
{
    memset(long_head, 'a', sizeof long_head - 1);
    memcpy(long_head, "HTTP/1.1 200 OK\r\nX: ", 20);
    for (size_t i = 0; i < sizeof answer_rows / sizeof *answer_rows; i++) {
        check_answer(&answer_rows[i], false);
        if (strlen(answer_rows[i].answer) < 100 && answer_rows[i].kept)
            check_answer(&answer_rows[i], true);
    }
}

static void test_nul_in_answer(void)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nX: \0\r\n\r\n";
    struct peer peer;

    peer_start(&peer);
    CU_ASSERT_EQUAL(post(&peer, answer, sizeof answer - 1), 0);
    peer_stop(&peer);
}

/* --- connections that go ----------------------------------------------------------------------- */

static void test_closed_while_idle(void)
{
    struct peer peer;

    peer_start(&peer);
    CU_ASSERT_EQUAL(post(&peer, OK_ANSWER, strlen(OK_ANSWER)), 200);
    /* The loop does not hear of it before the next post. */
    shutdown(bufferevent_getfd(peer.bev), SHUT_RDWR);
    CU_ASSERT_EQUAL(post(&peer, OK_ANSWER, strlen(OK_ANSWER)), 200);
    CU_ASSERT_EQUAL(peer.connections, 2);
    bufferevent_write(peer.bev, "unasked", 7);
    event_base_loop(peer.base, EVLOOP_NONBLOCK);
    event_base_loop(peer.base, EVLOOP_NONBLOCK);
    CU_ASSERT_EQUAL(post(&peer, OK_ANSWER, strlen(OK_ANSWER)), 200);
    CU_ASSERT_EQUAL(peer.connections, 3);
    peer_stop(&peer);
}

static void test_silence(void)
{
    struct peer peer;

    peer_start(&peer);
    start_post(&peer, 20);
    test_base_until(peer.base, &peer.done);
    CU_ASSERT_EQUAL(peer.status, 0);
    CU_ASSERT_EQUAL(post(&peer, OK_ANSWER, strlen(OK_ANSWER)), 200);
    peer_stop(&peer);
}

static void test_refused(void)
{
    struct peer peer;

    peer_start(&peer);
    evconnlistener_free(peer.listener);
    peer.listener = NULL;
    CU_ASSERT_EQUAL(post(&peer, "", 0), 0);
    CU_ASSERT_EQUAL(peer.connections, 0);
    peer_stop(&peer);
}

static void on_posted_free(int status, void *user)
{
    struct peer *peer = user;

    on_posted(status, user);
    emu_poster_free(peer->poster);
    peer->poster = NULL;
}

/* By its callback, of each end that a post can have. */
static void test_freed(void)
{
    static const struct answer_row *const rows[] = {&answer_rows[0], &answer_rows[6],
                                                    &answer_rows[17], &answer_rows[18]};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer peer;

        peer_start(&peer);
        emu_poster_free(peer.poster);
        peer.poster = emu_poster_new(peer.base, &peer.place, NULL, on_posted_free, &peer);
        peer.answer.closes = rows[i]->closes;
        CU_ASSERT_EQUAL(post(&peer, rows[i]->answer, strlen(rows[i]->answer)), rows[i]->status);
        peer_stop(&peer);
    }
}

static void test_freed_in_flight(void)
{
    for (int turns = 0; turns < 6; turns++) {
        struct peer peer;

        peer_start(&peer);
        start_post(&peer, 60000);
        for (int i = 0; i < turns; i++)
            event_base_loop(peer.base, EVLOOP_NONBLOCK);
        emu_poster_free(peer.poster);
        peer.poster = NULL;
        for (int i = 0; i < 4; i++)
            event_base_loop(peer.base, EVLOOP_NONBLOCK);
        CU_ASSERT_FALSE(peer.done); /* no callback comes later */
        peer_stop(&peer);
    }
}

SUITE(emulator_post, {"posts to loopback and nowhere else", test_places},
      {"reads the status of any answer, and keeps what it can", test_answers},
      {"takes no NUL in an answer's head", test_nul_in_answer},
      {"replaces a connection that was closed while idle", test_closed_while_idle},
      {"waits for an answer no longer than it may", test_silence},
      {"fails where nobody listens", test_refused}, {"can be freed by its callback", test_freed},
      {"can be freed at any time, and is silent then", test_freed_in_flight})
