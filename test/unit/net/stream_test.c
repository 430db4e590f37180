#include "certificates.h"
#include "harness.h"
#include "net/stream.h"
#include "peer.h"
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>

#define MEGABYTE (1024 * 1024)

enum kind { PLAIN, TLS_1_2, TLS_1_3, KINDS };

/* --- a client that notes what happens ----------------------------------------------------------- */

enum place { NOWHERE, IN_OPENED, IN_RECEIVED, IN_DRAINED, IN_CLOSED, PLACES };

struct client {
    struct ski_stream *stream;
    bool calling;                       /* one of the stream's functions is running */
    enum place close_in;                /* the handler that closes it */
    bool pause_in_received;             /* after each piece */
    bool opened, drained, closed, over; /* over: ended or closed itself */
    unsigned n_received;
    size_t length;
    char alpn[32];
    char *bytes; /* what came, if it is wanted */
    struct ski_failure failure;
};

static void close_client(struct client *client)
{
    client->calling = true;
    ski_stream_close(client->stream);
    client->calling = false;
    client->stream = NULL;
    client->over = true;
}

/* Nothing may be told from inside a call, nor after the end. */
static struct client *enter(void *user, enum place place)
{
    struct client *client = user;

    CU_ASSERT_FALSE(client->calling);
    CU_ASSERT_FALSE(client->over);
    if (client->close_in == place)
        close_client(client);
    return client;
}

static void on_opened(void *user, const char *alpn)
{
    struct client *client = enter(user, IN_OPENED);

    client->opened = true;
    snprintf(client->alpn, sizeof client->alpn, "%s", alpn);
}

static void on_received(void *user, const char *bytes, size_t length)
{
    struct client *client = enter(user, IN_RECEIVED);

    /* also when it has just been closed: they are borrowed until this returns */
    if (client->bytes)
        memcpy(client->bytes + client->length, bytes, length);
    CU_ASSERT(length > 0);
    client->length += length;
    client->n_received++;
    if (client->pause_in_received)
        ski_stream_pause(client->stream);
}

static void on_drained(void *user)
{
    struct client *client = enter(user, IN_DRAINED);

    client->drained = true;
    CU_ASSERT(!client->stream || ski_stream_unsent(client->stream) == 0);
}

static void on_closed(void *user, const struct ski_failure *failure)
{
    struct client *client = enter(user, IN_CLOSED);

    client->closed = true;
    client->over = true;
    if (failure)
        client->failure = *failure;
    if (client->stream)
        close_client(client);
}

static const struct ski_stream_handler handler = {on_opened, on_received, on_drained, on_closed};

/* --- a world of a loop, a server and what a client needs ---------------------------------------- */

struct world {
    struct test_loop test;
    struct test_pki pki;
    SSL_CTX *server;
    struct ski_tls *tls;
    struct ski_resolver *resolver;
    struct test_peer *peer;
    struct client client;
};

static void world_init(struct world *world, enum kind kind, const struct test_peer_config *config)
{
    int version = kind == TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    struct test_peer_config with_tls = *config;
    struct ski_failure failure;

    memset(world, 0, sizeof *world);
    test_loop_init(&world->test, NULL);
    ski_loop_hold(&world->test.loop);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&world->resolver, &world->test.loop, NULL), SCALEKIT_OK);
    if (kind != PLAIN) {
        test_pki_init(&world->pki);
        world->server =
            test_pki_server(&world->pki, &(struct test_identity){.names = "IP:127.0.0.1"});
        SSL_CTX_set_min_proto_version(world->server, version);
        SSL_CTX_set_max_proto_version(world->server, version);
        CU_ASSERT_EQUAL_FATAL(ski_tls_new(&world->tls, &world->test.loop.mem, "127.0.0.1",
                                          world->pki.ca_file, "\x02h2\x08http/1.1", &failure),
                              SCALEKIT_OK);
        with_tls.tls = world->server;
    }
    with_tls.user = world;
    world->peer = test_peer_new(world->test.base, &with_tls);
}

static void world_free(struct world *world)
{
    if (world->client.stream)
        close_client(&world->client);
    free(world->client.bytes);
    ski_resolver_free(world->resolver);
    test_peer_free(world->peer);
    ski_tls_free(world->tls);
    SSL_CTX_free(world->server);
    if (world->server)
        test_pki_free(&world->pki);
    ski_loop_release(&world->test.loop);
    test_loop_free(&world->test);
}

static void open_to(struct world *world, const char *host, uint16_t port)
{
    struct ski_stream_target target = {host, port, world->tls, world->resolver};
    struct client *client = &world->client;

    client->calling = true;
    client->stream = ski_stream_open(&world->test.loop, &target, &handler, client);
    client->calling = false;
    CU_ASSERT_PTR_NOT_NULL_FATAL(client->stream);
}

static void open_client(struct world *world)
{
    open_to(world, "127.0.0.1", test_peer_port(world->peer));
}

static void until(struct world *world, const bool *done)
{
    test_loop_until(&world->test, done);
}

static void until_opened(struct world *world)
{
    open_client(world);
    until(world, &world->client.opened);
}

static void expire(evutil_socket_t fd, short what, void *expired)
{
    (void)fd;
    (void)what;
    *(bool *)expired = true;
}

/* Turns the loop until a number has grown to n; fails after 10 s. */
static void until_size(struct world *world, const size_t *value, size_t n)
{
    const struct timeval limit = {10, 0};
    bool expired = false;
    struct event *timer = evtimer_new(world->test.base, expire, &expired);

    CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
    evtimer_add(timer, &limit);
    while (*value < n && !expired)
        event_base_loop(world->test.base, EVLOOP_ONCE);
    event_free(timer);
    CU_ASSERT(*value >= n);
}

static void until_count(struct world *world, const unsigned *value, unsigned n)
{
    while (*value < n)
        event_base_loop(world->test.base, EVLOOP_ONCE);
}

static void write_bytes(struct world *world, const void *bytes, size_t length)
{
    world->client.calling = true;
    CU_ASSERT(ski_stream_write(world->client.stream, bytes, length));
    world->client.calling = false;
}

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* --- bytes ------------------------------------------------------------------------------------- */

static void check_echo(enum kind kind, size_t length, bool drip)
{
    struct world world;
    char *bytes = malloc(length);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo, .drip = drip});
    world.client.bytes = malloc(length);
    until_opened(&world);
    write_bytes(&world, bytes, length);
    CU_ASSERT_EQUAL(ski_stream_unsent(world.client.stream), length);
    until_size(&world, &world.client.length, length);
    CU_ASSERT_EQUAL(world.client.length, length);
    CU_ASSERT_EQUAL(memcmp(world.client.bytes, bytes, length), 0);
    CU_ASSERT(world.client.drained);
    CU_ASSERT_EQUAL(ski_stream_unsent(world.client.stream), 0);
    world_free(&world);
    free(bytes);
}

static void test_both_ways(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        check_echo(kind, 1, false);
        check_echo(kind, 8 * MEGABYTE, false);
        check_echo(kind, 300, true);
    }
}

static unsigned deliveries; /* pieces the peer received */

static void count_delivery(struct test_link *link, const char *bytes, size_t length)
{
    (void)link;
    (void)bytes;
    (void)length;
    deliveries++;
}

static void test_writes_leave_together(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;

        deliveries = 0;
        world_init(&world, kind, &(struct test_peer_config){.received = count_delivery});
        until_opened(&world);
        write_bytes(&world, "one, ", 5);
        write_bytes(&world, "", 0);
        write_bytes(&world, "two, ", 5);
        write_bytes(&world, "three", 5);
        until_size(&world, &test_peer_counts(world.peer)->bytes, 15);
        CU_ASSERT_EQUAL(deliveries, 1);
        world_free(&world);
    }
}

static void test_alpn(void)
{
    static const struct {
        enum kind kind;
        const char *server, *chosen;
    } rows[] = {
        {PLAIN, NULL, ""},     {TLS_1_2, NULL, ""},     {TLS_1_2, "http/1.1", "http/1.1"},
        {TLS_1_3, "h2", "h2"}, {TLS_1_3, "spdy/3", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;

        world_init(&world, rows[i].kind, &(struct test_peer_config){0});
        if (rows[i].server)
            test_server_alpn(world.server, rows[i].server);
        CU_ASSERT_PTR_NULL(world.client.stream);
        open_client(&world);
        CU_ASSERT_EQUAL(ski_stream_phase(world.client.stream), SCALEKIT_PHASE_RESOLVE);
        until(&world, &world.client.opened);
        CU_ASSERT_EQUAL(ski_stream_phase(world.client.stream), SCALEKIT_PHASE_SEND);
        CU_ASSERT_STRING_EQUAL(world.client.alpn, rows[i].chosen);
        world_free(&world);
    }
}

/* The second connection resumes, and every later one with the ticket of the one before. */
static void test_resumption(void)
{
    for (enum kind kind = TLS_1_2; kind < KINDS; kind++) {
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
        for (unsigned connection = 0; connection < 4; connection++) {
            until_opened(&world);
            world.client.length = 0;
            write_bytes(&world, "x", 1);
            until_size(&world, &world.client.length, 1);
            CU_ASSERT_EQUAL(test_peer_counts(world.peer)->resumed, connection);
            close_client(&world.client);
            world.client = (struct client){0};
        }
        world_free(&world);
    }
}

/* --- the end ----------------------------------------------------------------------------------- */

static void test_ends(void)
{
    static const struct {
        enum kind kind;
        void (*end)(struct test_link *link);
        const char *failure; /* NULL: in good order */
    } rows[] = {
        {PLAIN, test_link_finish, NULL},
        {TLS_1_2, test_link_finish, NULL},
        {TLS_1_3, test_link_finish, NULL},
        {PLAIN, test_link_cut, NULL},
        {TLS_1_2, test_link_cut, "connection closed without close_notify"},
        {TLS_1_3, test_link_cut, "connection closed without close_notify"},
        {PLAIN, test_link_reset, "Connection reset by peer"},
        {TLS_1_2, test_link_reset, "TLS connection to 127.0.0.1: Connection reset by peer"},
        {TLS_1_3, test_link_reset, "TLS connection to 127.0.0.1: Connection reset by peer"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;

        world_init(&world, rows[i].kind, &(struct test_peer_config){.received = test_link_echo});
        until_opened(&world);
        write_bytes(&world, "last words", 10);
        until_size(&world, &world.client.length, 10);
        rows[i].end(test_peer_last(world.peer));
        until(&world, &world.client.over);
        CU_ASSERT(world.client.closed);
        CU_ASSERT_EQUAL(world.client.failure.code,
                        rows[i].failure ? SCALEKIT_ERR_NETWORK : SCALEKIT_OK);
        CU_ASSERT_STRING_EQUAL(world.client.failure.text, rows[i].failure ? rows[i].failure : "");
        world_free(&world);
    }
}

static void say_and_end(struct test_link *link)
{
    test_link_says(link, "last words");
    test_link_finish(link);
}

/* What the peer said before it ended is told first. */
static void test_bytes_before_the_end(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.opened = say_and_end});
        open_client(&world);
        until(&world, &world.client.over);
        CU_ASSERT(world.client.opened && world.client.closed);
        CU_ASSERT_EQUAL(world.client.length, 10);
        CU_ASSERT_EQUAL(world.client.failure.code, SCALEKIT_OK);
        world_free(&world);
    }
}

static void reset_when_asked(struct test_link *link, const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    test_link_reset(link);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

/* Reading is paused, so that it is the write that finds out. */
static void test_no_sigpipe(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;

    signals = 0;
    sigaction(SIGPIPE, &action, &before);
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.received = reset_when_asked});
        until_opened(&world);
        ski_stream_pause(world.client.stream);
        write_bytes(&world, "reset me", 8);
        until_size(&world, &test_peer_counts(world.peer)->bytes, 8);
        while (!world.client.over) {
            write_bytes(&world, "still there?", 12);
            event_base_loop(world.test.base, EVLOOP_ONCE);
        }
        CU_ASSERT(world.client.closed);
        CU_ASSERT_EQUAL(world.client.failure.code, SCALEKIT_ERR_NETWORK);
        world_free(&world);
    }
    sigaction(SIGPIPE, &before, NULL);
    CU_ASSERT_EQUAL(signals, 0);
}

static void answer_once_and_end(struct test_link *link, const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    if (deliveries++)
        return;
    test_link_says(link, "too large");
    test_link_finish(link);
}

/* A server that refuses a body while it is being sent: what it said is still told. */
static void test_answer_before_broken_write(void)
{
    struct world world;
    char *body = calloc(1, 8 * MEGABYTE);

    deliveries = 0;
    world_init(&world, PLAIN, &(struct test_peer_config){.received = answer_once_and_end});
    until_opened(&world);
    write_bytes(&world, body, 8 * MEGABYTE);
    until(&world, &world.client.over);
    CU_ASSERT_EQUAL(world.client.length, 9);
    CU_ASSERT_EQUAL(world.client.failure.code, SCALEKIT_ERR_NETWORK);
    world_free(&world);
    free(body);
}

/* After the end the shell is left: everything is harmless until it is closed. */
static void keep_shell(void *user, const struct ski_failure *failure)
{
    struct client *client = user;

    (void)failure;
    client->over = true;
}

static void test_shell(void)
{
    static const struct ski_stream_handler keeping = {on_opened, on_received, on_drained,
                                                      keep_shell};

    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct ski_stream_target target = {"127.0.0.1", 0, NULL, NULL};
        struct ski_stream *stream;
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.opened = test_link_finish});
        target.port = test_peer_port(world.peer);
        target.tls = world.tls;
        target.resolver = world.resolver;
        stream = ski_stream_open(&world.test.loop, &target, &keeping, &world.client);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        until(&world, &world.client.over);
        CU_ASSERT(ski_stream_write(stream, "x", 1));
        CU_ASSERT_EQUAL(ski_stream_unsent(stream), 0);
        CU_ASSERT(ski_stream_is_stale(stream));
        ski_stream_pause(stream);
        ski_stream_resume(stream);
        test_loop_turn(&world.test);
        ski_stream_close(stream);
        world_free(&world);
    }
    ski_stream_close(NULL);
}

/* --- opening that fails ------------------------------------------------------------------------ */

static void expect_failure(struct world *world, scalekit_err code, enum scalekit_phase phase,
                           const char *words)
{
    until(world, &world->client.over);
    CU_ASSERT_FALSE(world->client.opened);
    CU_ASSERT_EQUAL(world->client.failure.code, code);
    CU_ASSERT_EQUAL(world->client.failure.phase, phase);
    CU_ASSERT_PTR_NOT_NULL(strstr(world->client.failure.text, words));
    world->client = (struct client){0};
}

static void test_failures_to_open(void)
{
    struct world world;

    world_init(&world, TLS_1_3, &(struct test_peer_config){0});
    open_to(&world, "a..b", 443);
    expect_failure(&world, SCALEKIT_ERR_RESOLVE, SCALEKIT_PHASE_RESOLVE, "look up a..b");
    open_to(&world, "127.0.0.1", test_refused_port());
    expect_failure(&world, SCALEKIT_ERR_CONNECT, SCALEKIT_PHASE_CONNECT, "Connection refused");
    SSL_CTX_set_ciphersuites(world.server, "TLS_AES_128_CCM_SHA256");
    open_client(&world);
    expect_failure(&world, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, "TLS handshake with 127.0.0.1: ");
    world_free(&world);
}

static void test_bad_certificate(void)
{
    struct ski_failure failure;
    struct world world;

    world_init(&world, TLS_1_3, &(struct test_peer_config){0});
    ski_tls_free(world.tls);
    CU_ASSERT_EQUAL_FATAL(ski_tls_new(&world.tls, &world.test.loop.mem, "acme.example",
                                      world.pki.ca_file, "\x08http/1.1", &failure),
                          SCALEKIT_OK);
    open_client(&world);
    expect_failure(&world, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS,
                   "certificate of acme.example: hostname mismatch");
    CU_ASSERT_EQUAL(test_peer_counts(world.peer)->bytes, 0);
    world_free(&world);
}

static void cut_when_asked(struct test_link *link, const char *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    test_link_cut(link);
}

/* A peer that ends on the client's greeting, or answers with something that is not TLS. */
static void test_peer_without_tls(void)
{
    static const struct {
        void (*received)(struct test_link *link, const char *bytes, size_t length);
        const char *words;
    } rows[] = {
        {cut_when_asked, "TLS handshake with 127.0.0.1: connection closed"},
        {reset_when_asked, "TLS handshake with 127.0.0.1: Connection reset by peer"},
        {answer_once_and_end, "TLS handshake with 127.0.0.1: wrong version number"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        struct test_peer *plain;

        deliveries = 0;
        world_init(&world, TLS_1_3, &(struct test_peer_config){0});
        plain = test_peer_new(world.test.base,
                              &(struct test_peer_config){.received = rows[i].received});
        open_to(&world, "127.0.0.1", test_peer_port(plain));
        expect_failure(&world, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, rows[i].words);
        test_peer_free(plain);
        world_free(&world);
    }
}

/* --- closing ----------------------------------------------------------------------------------- */

static void test_closing_in_handlers(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (enum place place = IN_OPENED; place < PLACES; place++) {
            struct world world;
            int before;

            world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
            world.client.close_in = place;
            world.client.bytes = malloc(64);
            before = count_descriptors();
            open_client(&world);
            until(&world, &world.client.opened);
            if (world.client.stream)
                write_bytes(&world, "hello", 5);
            if (place == IN_CLOSED) {
                until_size(&world, &world.client.length, 5);
                test_link_finish(test_peer_last(world.peer));
            }
            until(&world, &world.client.over);
            until_count(&world, &test_peer_counts(world.peer)->accepted, 1);
            while (test_peer_last(world.peer))
                event_base_loop(world.test.base, EVLOOP_ONCE);
            CU_ASSERT_EQUAL(count_descriptors(), before);
            world_free(&world);
        }
    }
}

/* Whatever it is doing, closing gives its descriptor back before it returns. */
static void test_closing_at_once(void)
{
    static const enum scalekit_phase phases[] = {SCALEKIT_PHASE_RESOLVE, SCALEKIT_PHASE_CONNECT,
                                                 SCALEKIT_PHASE_TLS, SCALEKIT_PHASE_SEND};

    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
            struct world world;
            int before, accepted;

            if (kind == PLAIN && phases[i] == SCALEKIT_PHASE_TLS)
                continue;
            world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
            before = count_descriptors();
            open_client(&world);
            while (ski_stream_phase(world.client.stream) != phases[i] && !world.client.over)
                event_base_loop(world.test.base, EVLOOP_ONCE);
            if (phases[i] == SCALEKIT_PHASE_SEND) {
                write_bytes(&world, "hello", 5);
                until_size(&world, &world.client.length, 5);
                write_bytes(&world, "never sent", 10);
            }
            accepted = (int)test_peer_counts(world.peer)->accepted;
            close_client(&world.client);
            CU_ASSERT_EQUAL(count_descriptors(), before + accepted);
            test_loop_turn(&world.test);
            world_free(&world);
        }
    }
}

/* The base may go without another turn. */
static void test_base_freed_at_once(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
        until_opened(&world);
        write_bytes(&world, "hello", 5);
        until_size(&world, &world.client.length, 5);
        close_client(&world.client);
        ski_resolver_free(world.resolver);
        test_peer_free(world.peer);
        ski_tls_free(world.tls);
        SSL_CTX_free(world.server);
        if (world.server)
            test_pki_free(&world.pki);
        ski_loop_release(&world.test.loop);
        ski_loop_free(&world.test.loop);
        event_base_free(world.test.base);
        CU_ASSERT_EQUAL(world.test.memory.live, 0);
    }
}

/* --- pausing ----------------------------------------------------------------------------------- */

static void test_paused_lets_go(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
        until_opened(&world);
        write_bytes(&world, "hello", 5);
        until_size(&world, &world.client.length, 5);
        ski_stream_pause(world.client.stream);
        ski_loop_release(&world.test.loop);
        test_peer_sleep(world.peer, true);
        CU_ASSERT_EQUAL(event_base_dispatch(world.test.base), 1);
        test_peer_sleep(world.peer, false);
        ski_loop_hold(&world.test.loop);

        CU_ASSERT_FALSE(ski_stream_is_stale(world.client.stream));
        ski_stream_resume(world.client.stream);
        write_bytes(&world, "again", 5);
        until_size(&world, &world.client.length, 10);
        world_free(&world);
    }
}

/* Session tickets that come while it is paused are no reason to give the connection up. */
static void test_tickets_are_not_stale(void)
{
    struct world world;

    world_init(&world, TLS_1_3, &(struct test_peer_config){.received = test_link_echo});
    until_opened(&world);
    ski_stream_pause(world.client.stream);
    until_count(&world, &test_peer_counts(world.peer)->opened, 1);
    CU_ASSERT_FALSE(ski_stream_is_stale(world.client.stream));
    CU_ASSERT_FALSE(ski_stream_is_stale(world.client.stream));
    ski_stream_resume(world.client.stream);
    write_bytes(&world, "hello", 5);
    until_size(&world, &world.client.length, 5);
    world_free(&world);
}

static void say(struct test_link *link)
{
    test_link_says(link, "unasked");
}

/* The stream is asked again and again: while paused it has no event to wait for. */
static bool becomes_stale(struct world *world)
{
    int64_t end = ski_loop_now(&world->test.loop) + 10000;

    while (!ski_stream_is_stale(world->client.stream)) {
        if (ski_loop_now(&world->test.loop) > end)
            return false;
        test_loop_turn(&world->test);
    }
    return true;
}

static void test_stale(void)
{
    static void (*const what[])(struct test_link *) = {test_link_finish, test_link_cut,
                                                       test_link_reset, say};

    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
            struct world world;

            world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
            until_opened(&world);
            write_bytes(&world, "hello", 5);
            until_size(&world, &world.client.length, 5);
            ski_stream_pause(world.client.stream);
            CU_ASSERT_FALSE(ski_stream_is_stale(world.client.stream));
            what[i](test_peer_last(world.peer));
            CU_ASSERT(becomes_stale(&world));
            CU_ASSERT_FALSE(world.client.over);
            world_free(&world);
        }
    }
}

/* One piece per resume: pausing inside received() holds the rest back. */
static void test_back_pressure(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;
        char *bytes = calloc(1, MEGABYTE);

        world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
        world.client.pause_in_received = true;
        until_opened(&world);
        write_bytes(&world, bytes, MEGABYTE);
        while (world.client.length < MEGABYTE) {
            unsigned before = world.client.n_received;

            until_count(&world, &world.client.n_received, before + 1);
            test_loop_turn(&world.test);
            test_loop_turn(&world.test);
            CU_ASSERT_EQUAL(world.client.n_received, before + 1);
            world.client.calling = true;
            ski_stream_resume(world.client.stream);
            world.client.calling = false;
        }
        CU_ASSERT_EQUAL(world.client.length, MEGABYTE);
        world_free(&world);
        free(bytes);
    }
}

/* Paused before it has opened, it opens all the same, and then waits. */
static void test_paused_while_opening(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.opened = say});
        open_client(&world);
        ski_stream_pause(world.client.stream);
        until(&world, &world.client.opened);
        until_count(&world, &test_peer_counts(world.peer)->opened, 1);
        for (int turn = 0; turn < 5; turn++)
            test_loop_turn(&world.test);
        CU_ASSERT_EQUAL(world.client.length, 0);
        ski_stream_resume(world.client.stream);
        until_size(&world, &world.client.length, 7);
        world_free(&world);
    }
}

/* --- memory ------------------------------------------------------------------------------------ */

struct limited {
    struct event_base *base;
    struct test_peer *peer;
    const char *ca_file; /* NULL: plain */
};

static bool echo_once(struct test_memory *memory, void *user)
{
    struct limited *limited = user;
    struct ski_loop loop = {0};
    struct ski_resolver *resolver = NULL;
    struct ski_tls *tls = NULL;
    struct client client = {0};
    struct ski_failure failure;
    bool ready;

    ski_mem_init(&loop.mem, &memory->allocator);
    ski_clock_init(&loop.clock, NULL);
    if (ski_loop_init(&loop, limited->base) != SCALEKIT_OK)
        return false;
    ready = ski_resolver_new(&resolver, &loop, NULL) == SCALEKIT_OK;
    if (ready && limited->ca_file)
        ready = ski_tls_new(&tls, &loop.mem, "127.0.0.1", limited->ca_file, "\x02h2", &failure) ==
                SCALEKIT_OK;
    if (ready) {
        struct ski_stream_target target = {"127.0.0.1", test_peer_port(limited->peer), tls,
                                           resolver};

        client.stream = ski_stream_open(&loop, &target, &handler, &client);
    }
    if (client.stream) {
        while (!client.opened && !client.over)
            event_base_loop(limited->base, EVLOOP_ONCE);
        CU_ASSERT(client.opened || client.failure.code == SCALEKIT_ERR_NOMEM);
    }
    if (client.opened) {
        CU_ASSERT(ski_stream_write(client.stream, "x", 1));
        while (!client.length && !client.over)
            event_base_loop(limited->base, EVLOOP_ONCE);
    }
    ski_stream_close(client.stream);
    ski_resolver_free(resolver);
    ski_tls_free(tls);
    ski_loop_free(&loop);
    return client.length == 1;
}

static void test_out_of_memory(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct limited limited;
        struct world world;

        world_init(&world, kind, &(struct test_peer_config){.received = test_link_echo});
        limited =
            (struct limited){world.test.base, world.peer, world.tls ? world.pki.ca_file : NULL};
        CU_ASSERT(test_every_allocation(echo_once, &limited) > 5);
        world_free(&world);
    }
}

SUITE(stream, {"carries bytes both ways, in order", test_both_ways},
      {"sends what was written in one turn together", test_writes_leave_together},
      {"tells which protocol was chosen", test_alpn},
      {"resumes the session from the second connection on", test_resumption},
      {"knows a good end from a broken one", test_ends},
      {"tells what came before the end", test_bytes_before_the_end},
      {"raises no SIGPIPE", test_no_sigpipe},
      {"tells what came before a write that broke", test_answer_before_broken_write},
      {"is harmless between its end and its closing", test_shell},
      {"says in which phase it failed to open", test_failures_to_open},
      {"refuses a bad certificate before anything is sent", test_bad_certificate},
      {"fails when the peer speaks no TLS", test_peer_without_tls},
      {"may be closed in every handler", test_closing_in_handlers},
      {"gives everything back at once in every phase", test_closing_at_once},
      {"leaks nothing when the base goes at once", test_base_freed_at_once},
      {"lets go of the loop while paused and idle", test_paused_lets_go},
      {"takes session tickets in while paused", test_tickets_are_not_stale},
      {"notices that the peer has ended or spoken unasked", test_stale},
      {"holds bytes back while paused", test_back_pressure},
      {"opens although it is paused", test_paused_while_opening},
      {"survives every failing allocation", test_out_of_memory})
