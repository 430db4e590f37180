#include "line.h"
#include <dirent.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>

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

static void check_echo(enum kind kind, size_t length, const struct test_peer_config *config)
{
    struct line line;
    char *bytes = malloc(length);

    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    line_init(&line, kind, config);
    line.client.bytes = malloc(length);
    line_until_opened(&line);
    line_write(&line, bytes, length);
    CU_ASSERT_EQUAL(ski_stream_unsent(line.client.stream), length);
    line_until_size(&line, &line.client.length, length);
    CU_ASSERT_EQUAL(line.client.length, length);
    CU_ASSERT_EQUAL(memcmp(line.client.bytes, bytes, length), 0);
    CU_ASSERT(line.client.drained);
    CU_ASSERT_EQUAL(ski_stream_unsent(line.client.stream), 0);
    line_free(&line);
    free(bytes);
}

static void test_both_ways(void)
{
    static const struct {
        size_t length;
        struct test_peer_config config;
    } rows[] = {
        {1, {.received = test_link_echo}},
        {8 * MEGABYTE, {.received = test_link_echo}},
        {300, {.received = test_link_echo, .drip = true}},
        {MEGABYTE, {.received = test_link_echo, .socket_buffer = 4096}},
    };

    for (enum kind kind = PLAIN; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            check_echo(kind, rows[i].length, &rows[i].config);
}

/* The second half is written when most of the first, but not all of it, has left. */
static void test_halves(void)
{
    const size_t half = 8 * MEGABYTE;

    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;
        char *bytes = malloc(2 * half);

        for (size_t i = 0; i < 2 * half; i++)
            bytes[i] = (char)(i * 7 + i / 251);
        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line.client.bytes = malloc(2 * half);
        line_until_opened(&line);
        line_write(&line, bytes, half);
        while (ski_stream_unsent(line.client.stream) > half / 3)
            event_base_loop(line.test.base, EVLOOP_ONCE);
        CU_ASSERT(ski_stream_unsent(line.client.stream) > 0);
        line_write(&line, bytes + half, half);
        line_until_size(&line, &line.client.length, 2 * half);
        CU_ASSERT_EQUAL(memcmp(line.client.bytes, bytes, 2 * half), 0);
        line_free(&line);
        free(bytes);
    }
}

static unsigned updates; /* of the peer's keys */

/* Asks for new keys of ours too, wherever a record of its own is not just under way. */
static void update_keys_and_echo(struct test_link *link, const char *bytes, size_t length)
{
    updates += (unsigned)SSL_key_update(test_link_ssl(link), SSL_KEY_UPDATE_REQUESTED);
    ERR_clear_error();
    test_link_echo(link, bytes, length);
}

static void test_key_updates(void)
{
    updates = 0;
    check_echo(TLS_1_3, MEGABYTE, &(struct test_peer_config){.received = update_keys_and_echo});
    CU_ASSERT(updates > 0);
    updates = 0;
    check_echo(TLS_1_3, MEGABYTE,
               &(struct test_peer_config){.received = update_keys_and_echo, .socket_buffer = 4096});
    CU_ASSERT(updates > 0);
}

/* The stream is asked again and again: while paused it has no event to wait for. */
static bool becomes_stale(struct line *line)
{
    int64_t end = ski_loop_now(&line->test.loop) + 10000;

    while (!ski_stream_is_stale(line->client.stream)) {
        if (ski_loop_now(&line->test.loop) > end)
            return false;
        test_loop_turn(&line->test);
    }
    return true;
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
        struct line line;

        deliveries = 0;
        line_init(&line, kind, &(struct test_peer_config){.received = count_delivery});
        line_until_opened(&line);
        line_write(&line, "one, ", 5);
        line_write(&line, "", 0);
        line_write(&line, "two, ", 5);
        line_write(&line, "three", 5);
        line_until_size(&line, &test_peer_counts(line.peer)->bytes, 15);
        CU_ASSERT_EQUAL(deliveries, 1);
        line_free(&line);
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
        struct line line;

        line_init(&line, rows[i].kind, &(struct test_peer_config){0});
        if (rows[i].server)
            test_server_alpn(line.server, rows[i].server);
        CU_ASSERT_PTR_NULL(line.client.stream);
        line_open(&line);
        CU_ASSERT_EQUAL(ski_stream_phase(line.client.stream), SCALEKIT_PHASE_RESOLVE);
        line_until(&line, &line.client.opened);
        CU_ASSERT_EQUAL(ski_stream_phase(line.client.stream), SCALEKIT_PHASE_SEND);
        CU_ASSERT_STRING_EQUAL(line.client.alpn, rows[i].chosen);
        line_free(&line);
    }
}

/* The second connection resumes, and every later one with the ticket of the one before. */
static void test_resumption(void)
{
    for (enum kind kind = TLS_1_2; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        for (unsigned connection = 0; connection < 4; connection++) {
            line_until_opened(&line);
            line.client.length = 0;
            line_write(&line, "x", 1);
            line_until_size(&line, &line.client.length, 1);
            CU_ASSERT_EQUAL(test_peer_counts(line.peer)->resumed, connection);
            client_close(&line.client);
            line.client = (struct client){0};
        }
        line_free(&line);
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
        struct line line;

        line_init(&line, rows[i].kind, &(struct test_peer_config){.received = test_link_echo});
        line_until_opened(&line);
        line_write(&line, "last words", 10);
        line_until_size(&line, &line.client.length, 10);
        rows[i].end(test_peer_last(line.peer));
        line_until(&line, &line.client.over);
        CU_ASSERT(line.client.closed);
        CU_ASSERT_EQUAL(line.client.failure.code,
                        rows[i].failure ? SCALEKIT_ERR_NETWORK : SCALEKIT_OK);
        CU_ASSERT_STRING_EQUAL(line.client.failure.text, rows[i].failure ? rows[i].failure : "");
        line_free(&line);
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
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.opened = say_and_end});
        line_open(&line);
        line_until(&line, &line.client.over);
        CU_ASSERT(line.client.opened && line.client.closed);
        CU_ASSERT_EQUAL(line.client.length, 10);
        CU_ASSERT_EQUAL(line.client.failure.code, SCALEKIT_OK);
        line_free(&line);
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
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = reset_when_asked});
        line_until_opened(&line);
        ski_stream_pause(line.client.stream);
        line_write(&line, "reset me", 8);
        line_until_size(&line, &test_peer_counts(line.peer)->bytes, 8);
        while (!line.client.over) {
            line_write(&line, "still there?", 12);
            event_base_loop(line.test.base, EVLOOP_ONCE);
        }
        CU_ASSERT(line.client.closed);
        CU_ASSERT_EQUAL(line.client.failure.code, SCALEKIT_ERR_NETWORK);
        line_free(&line);
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
static void test_answer_to_half_a_request(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;
        char *body = calloc(1, 8 * MEGABYTE);

        deliveries = 0;
        line_init(&line, kind, &(struct test_peer_config){.received = answer_once_and_end});
        line_until_opened(&line);
        line_write(&line, body, 8 * MEGABYTE);
        line_until(&line, &line.client.over);
        CU_ASSERT(line.client.closed);
        CU_ASSERT_EQUAL(line.client.length, 9);
        line_free(&line);
        free(body);
    }
}

struct resumption {
    struct ski_task task;
    struct ski_stream *stream;
};

static void resume(struct ski_task *task)
{
    ski_stream_resume(SKI_CONTAINER(task, struct resumption, task)->stream);
}

/* Reading goes on just before the write is tried, so that it is the write that finds out. */
static void test_answer_before_broken_write(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct resumption resumption;
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line_until_opened(&line);
        line_write(&line, "hello", 5);
        line_until_size(&line, &line.client.length, 5);
        ski_stream_pause(line.client.stream);
        test_link_says(test_peer_last(line.peer), "too large");
        CU_ASSERT(becomes_stale(&line));
        test_link_reset(test_peer_last(line.peer));

        resumption.stream = line.client.stream;
        ski_task_init(&resumption.task, resume);
        ski_task_defer(&line.test.loop, &resumption.task);
        line_write(&line, "more", 4);
        line_until(&line, &line.client.over);
        CU_ASSERT_EQUAL(line.client.length, 5 + 9);
        CU_ASSERT_EQUAL(line.client.failure.code, SCALEKIT_ERR_NETWORK);
        line_free(&line);
    }
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
    struct ski_stream_handler keeping = client_handler;

    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct ski_stream_target target = {"127.0.0.1", 0, NULL, NULL};
        struct ski_stream *stream;
        struct line line;

        keeping.closed = keep_shell;
        line_init(&line, kind, &(struct test_peer_config){.opened = test_link_finish});
        target.port = test_peer_port(line.peer);
        target.tls = line.tls;
        target.resolver = line.resolver;
        stream = ski_stream_open(&line.test.loop, &target, &keeping, &line.client);
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        line_until(&line, &line.client.over);
        CU_ASSERT(ski_stream_write(stream, "x", 1));
        CU_ASSERT_EQUAL(ski_stream_unsent(stream), 0);
        CU_ASSERT(ski_stream_is_stale(stream));
        ski_stream_pause(stream);
        ski_stream_resume(stream);
        test_loop_turn(&line.test);
        ski_stream_close(stream);
        line_free(&line);
    }
    ski_stream_close(NULL);
}

/* --- opening that fails ------------------------------------------------------------------------ */

static void expect_failure(struct line *line, scalekit_err code, enum scalekit_phase phase,
                           const char *words)
{
    line_until(line, &line->client.over);
    CU_ASSERT_FALSE(line->client.opened);
    CU_ASSERT_EQUAL(line->client.failure.code, code);
    CU_ASSERT_EQUAL(line->client.failure.phase, phase);
    CU_ASSERT_PTR_NOT_NULL(strstr(line->client.failure.text, words));
    line->client = (struct client){0};
}

static void test_failures_to_open(void)
{
    struct line line;

    line_init(&line, TLS_1_3, &(struct test_peer_config){0});
    line_open_to(&line, "a..b", 443);
    expect_failure(&line, SCALEKIT_ERR_RESOLVE, SCALEKIT_PHASE_RESOLVE, "look up a..b");
    line_open_to(&line, "127.0.0.1", test_refused_port());
    expect_failure(&line, SCALEKIT_ERR_CONNECT, SCALEKIT_PHASE_CONNECT, "Connection refused");
    SSL_CTX_set_ciphersuites(line.server, "TLS_AES_128_CCM_SHA256");
    line_open(&line);
    expect_failure(&line, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, "TLS handshake with 127.0.0.1: ");
    line_free(&line);
}

static void test_bad_certificate(void)
{
    struct ski_failure failure;
    struct line line;

    line_init(&line, TLS_1_3, &(struct test_peer_config){0});
    ski_tls_free(line.tls);
    CU_ASSERT_EQUAL_FATAL(ski_tls_new(&line.tls, &line.test.loop.mem, "acme.example",
                                      line.pki.ca_file, "\x08http/1.1", &failure),
                          SCALEKIT_OK);
    line_open(&line);
    expect_failure(&line, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS,
                   "certificate of acme.example: hostname mismatch");
    CU_ASSERT_EQUAL(test_peer_counts(line.peer)->bytes, 0);
    line_free(&line);
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
        struct line line;
        struct test_peer *plain;

        deliveries = 0;
        line_init(&line, TLS_1_3, &(struct test_peer_config){0});
        plain =
            test_peer_new(line.test.base, &(struct test_peer_config){.received = rows[i].received});
        line_open_to(&line, "127.0.0.1", test_peer_port(plain));
        expect_failure(&line, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, rows[i].words);
        test_peer_free(plain);
        line_free(&line);
    }
}

/* --- closing ----------------------------------------------------------------------------------- */

static void test_closing_in_handlers(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (enum place place = IN_OPENED; place < PLACES; place++) {
            struct line line;
            int before;

            line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
            line.client.close_in = place;
            line.client.bytes = malloc(64);
            before = count_descriptors();
            line_open(&line);
            line_until(&line, &line.client.opened);
            if (line.client.stream)
                line_write(&line, "hello", 5);
            if (place == IN_CLOSED) {
                line_until_size(&line, &line.client.length, 5);
                test_link_finish(test_peer_last(line.peer));
            }
            line_until(&line, &line.client.over);
            line_until_count(&line, &test_peer_counts(line.peer)->accepted, 1);
            while (test_peer_last(line.peer))
                event_base_loop(line.test.base, EVLOOP_ONCE);
            CU_ASSERT_EQUAL(count_descriptors(), before);
            line_free(&line);
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
            struct line line;
            int before, accepted;

            if (kind == PLAIN && phases[i] == SCALEKIT_PHASE_TLS)
                continue;
            line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
            before = count_descriptors();
            line_open(&line);
            while (ski_stream_phase(line.client.stream) != phases[i] && !line.client.over)
                event_base_loop(line.test.base, EVLOOP_ONCE);
            if (phases[i] == SCALEKIT_PHASE_SEND) {
                line_write(&line, "hello", 5);
                line_until_size(&line, &line.client.length, 5);
                line_write(&line, "never sent", 10);
            }
            accepted = (int)test_peer_counts(line.peer)->accepted;
            client_close(&line.client);
            CU_ASSERT_EQUAL(count_descriptors(), before + accepted);
            test_loop_turn(&line.test);
            line_free(&line);
        }
    }
}

static void test_close_notify(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line_until_opened(&line);
        line_write(&line, "hello", 5);
        line_until_size(&line, &line.client.length, 5);
        client_close(&line.client);
        line_until_count(&line, &test_peer_counts(line.peer)->clean, 1);
        CU_ASSERT_EQUAL(test_peer_counts(line.peer)->broken, 0);
        line_free(&line);
    }
}

/* A request that was cut off must not look as if that were all of it. */
static void test_no_close_notify_after_half(void)
{
    for (enum kind kind = TLS_1_2; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line_until_opened(&line);
        line_write(&line, "hello", 5);
        line_until_size(&line, &line.client.length, 5);
        line_write(&line, "never sent", 10);
        client_close(&line.client);
        line_until_count(&line, &test_peer_counts(line.peer)->broken, 1);
        CU_ASSERT_EQUAL(test_peer_counts(line.peer)->clean, 0);
        line_free(&line);
    }
}

static void close_it(struct line *line)
{
    client_close(&line->client);
}

static void close_with_unsent(struct line *line)
{
    line_write(line, "never sent", 10);
    client_close(&line->client);
}

static void peer_finishes(struct line *line)
{
    test_link_finish(test_peer_last(line->peer));
}

static void peer_resets(struct line *line)
{
    test_link_reset(test_peer_last(line->peer));
}

static void test_resumption_after_any_end(void)
{
    static void (*const ends[])(struct line *) = {close_it, close_with_unsent, peer_finishes,
                                                  peer_resets};

    for (enum kind kind = TLS_1_2; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            struct line line;

            line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
            line_until_opened(&line);
            line_write(&line, "x", 1);
            line_until_size(&line, &line.client.length, 1);
            ends[i](&line);
            line_until(&line, &line.client.over);
            line.client = (struct client){0};
            line_until_opened(&line);
            line_until_count(&line, &test_peer_counts(line.peer)->opened, 2);
            CU_ASSERT_EQUAL(test_peer_counts(line.peer)->resumed, 1);
            line_free(&line);
        }
    }
}

/* The base may go without another turn. */
static void test_base_freed_at_once(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line_until_opened(&line);
        line_write(&line, "hello", 5);
        line_until_size(&line, &line.client.length, 5);
        client_close(&line.client);
        ski_resolver_free(line.resolver);
        test_peer_free(line.peer);
        ski_tls_free(line.tls);
        SSL_CTX_free(line.server);
        if (line.server)
            test_pki_free(&line.pki);
        ski_loop_release(&line.test.loop);
        ski_loop_free(&line.test.loop);
        event_base_free(line.test.base);
        CU_ASSERT_EQUAL(line.test.memory.live, 0);
    }
}

/* --- pausing ----------------------------------------------------------------------------------- */

static void test_paused_lets_go(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line_until_opened(&line);
        line_write(&line, "hello", 5);
        line_until_size(&line, &line.client.length, 5);
        ski_stream_pause(line.client.stream);
        ski_loop_release(&line.test.loop);
        test_peer_sleep(line.peer, true);
        CU_ASSERT_EQUAL(event_base_dispatch(line.test.base), 1);
        test_peer_sleep(line.peer, false);
        ski_loop_hold(&line.test.loop);

        CU_ASSERT_FALSE(ski_stream_is_stale(line.client.stream));
        ski_stream_resume(line.client.stream);
        line_write(&line, "again", 5);
        line_until_size(&line, &line.client.length, 10);
        line_free(&line);
    }
}

/* Session tickets that come while it is paused are no reason to give the connection up. */
static void test_tickets_are_not_stale(void)
{
    struct line line;

    line_init(&line, TLS_1_3, &(struct test_peer_config){.received = test_link_echo});
    line_until_opened(&line);
    ski_stream_pause(line.client.stream);
    line_until_count(&line, &test_peer_counts(line.peer)->opened, 1);
    CU_ASSERT_FALSE(ski_stream_is_stale(line.client.stream));
    CU_ASSERT_FALSE(ski_stream_is_stale(line.client.stream));
    ski_stream_resume(line.client.stream);
    line_write(&line, "hello", 5);
    line_until_size(&line, &line.client.length, 5);
    line_free(&line);
}

static void say(struct test_link *link)
{
    test_link_says(link, "unasked");
}

static void test_stale(void)
{
    static void (*const what[])(struct test_link *) = {test_link_finish, test_link_cut,
                                                       test_link_reset, say};

    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
            struct line line;

            line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
            line_until_opened(&line);
            line_write(&line, "hello", 5);
            line_until_size(&line, &line.client.length, 5);
            ski_stream_pause(line.client.stream);
            CU_ASSERT_FALSE(ski_stream_is_stale(line.client.stream));
            what[i](test_peer_last(line.peer));
            CU_ASSERT(becomes_stale(&line));
            CU_ASSERT_FALSE(line.client.over);
            line_free(&line);
        }
    }
}

/* One piece per resume: pausing inside received() holds the rest back. */
static void test_back_pressure(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;
        char *bytes = calloc(1, MEGABYTE);

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        line.client.pause_in_received = true;
        line_until_opened(&line);
        line_write(&line, bytes, MEGABYTE);
        while (line.client.length < MEGABYTE) {
            unsigned before = line.client.n_received;

            line_until_count(&line, &line.client.n_received, before + 1);
            test_loop_turn(&line.test);
            test_loop_turn(&line.test);
            CU_ASSERT_EQUAL(line.client.n_received, before + 1);
            line.client.calling = true;
            ski_stream_resume(line.client.stream);
            line.client.calling = false;
        }
        CU_ASSERT_EQUAL(line.client.length, MEGABYTE);
        line_free(&line);
        free(bytes);
    }
}

#define SMALL     100
#define N_RECORDS 400

/* Each record by itself, all of them at once. */
static void say_in_small_records(struct test_link *link)
{
    char bytes[SMALL];

    for (int i = 0; i < N_RECORDS; i++) {
        memset(bytes, i, sizeof bytes);
        if (!test_link_ssl(link))
            test_link_send(link, bytes, SMALL);
        else if (SSL_write(test_link_ssl(link), bytes, SMALL) != SMALL)
            CU_FAIL("the socket is full");
    }
}

/* What TLS has read ahead waits while it is paused, and raises no event when it goes on. */
static void test_small_records(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.opened = say_in_small_records});
        line.client.pause_in_received = true;
        line.client.bytes = malloc(SMALL * N_RECORDS);
        line_open(&line);
        while (line.client.length < SMALL * N_RECORDS) {
            unsigned before = line.client.n_received;

            line_until_count(&line, &line.client.n_received, before + 1);
            test_loop_turn(&line.test);
            test_loop_turn(&line.test);
            CU_ASSERT_EQUAL(line.client.n_received, before + 1);
            ski_stream_resume(line.client.stream);
        }
        CU_ASSERT_EQUAL(line.client.length, SMALL * N_RECORDS);
        for (size_t i = 0; i < SMALL * N_RECORDS; i++)
            if (line.client.bytes[i] != (char)(i / SMALL))
                CU_FAIL("a byte is not where it belongs");
        CU_ASSERT(line.client.n_received < N_RECORDS / 10);
        line_free(&line);
    }
}

/* Paused before it has opened, it opens all the same, and then waits. */
static void test_paused_while_opening(void)
{
    for (enum kind kind = PLAIN; kind < KINDS; kind++) {
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.opened = say});
        line_open(&line);
        ski_stream_pause(line.client.stream);
        line_until(&line, &line.client.opened);
        line_until_count(&line, &test_peer_counts(line.peer)->opened, 1);
        for (int turn = 0; turn < 5; turn++)
            test_loop_turn(&line.test);
        CU_ASSERT_EQUAL(line.client.length, 0);
        ski_stream_resume(line.client.stream);
        line_until_size(&line, &line.client.length, 7);
        line_free(&line);
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

        client.stream = ski_stream_open(&loop, &target, &client_handler, &client);
    }
    if (client.stream) {
        while (!client.opened && !client.over)
            event_base_loop(limited->base, EVLOOP_ONCE);
        CU_ASSERT(client.opened || client.failure.code == SCALEKIT_ERR_NOMEM);
    }
    if (client.opened && ski_stream_write(client.stream, "x", 1))
        while (!client.length && !client.over)
            event_base_loop(limited->base, EVLOOP_ONCE);
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
        struct line line;

        line_init(&line, kind, &(struct test_peer_config){.received = test_link_echo});
        limited = (struct limited){line.test.base, line.peer, line.tls ? line.pki.ca_file : NULL};
        CU_ASSERT(test_every_allocation(echo_once, &limited) > 5);
        line_free(&line);
    }
}

SUITE(stream, {"carries bytes both ways, in order", test_both_ways},
      {"takes more while the first is leaving", test_halves},
      {"takes up new keys while it sends", test_key_updates},
      {"sends what was written in one turn together", test_writes_leave_together},
      {"tells which protocol was chosen", test_alpn},
      {"resumes the session from the second connection on", test_resumption},
      {"knows a good end from a broken one", test_ends},
      {"tells what came before the end", test_bytes_before_the_end},
      {"raises no SIGPIPE", test_no_sigpipe},
      {"tells the answer to half a request", test_answer_to_half_a_request},
      {"tells what came before a write that broke", test_answer_before_broken_write},
      {"is harmless between its end and its closing", test_shell},
      {"says in which phase it failed to open", test_failures_to_open},
      {"refuses a bad certificate before anything is sent", test_bad_certificate},
      {"fails when the peer speaks no TLS", test_peer_without_tls},
      {"may be closed in every handler", test_closing_in_handlers},
      {"gives everything back at once in every phase", test_closing_at_once},
      {"says that it closes", test_close_notify},
      {"does not call half a request its end", test_no_close_notify_after_half},
      {"resumes the session however the last connection ended", test_resumption_after_any_end},
      {"leaks nothing when the base goes at once", test_base_freed_at_once},
      {"lets go of the loop while paused and idle", test_paused_lets_go},
      {"takes session tickets in while paused", test_tickets_are_not_stale},
      {"notices that the peer has ended or spoken unasked", test_stale},
      {"holds bytes back while paused", test_back_pressure},
      {"collects small records, and holds them back while paused", test_small_records},
      {"opens although it is paused", test_paused_while_opening},
      {"survives every failing allocation", test_out_of_memory})
