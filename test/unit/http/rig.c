#include "rig.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* --- the server -------------------------------------------------------------------------------- */

enum then { STAYS, FINISHES, CUTS, RESETS };

#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " #length "\r\n"

/* What it answers.  Any other target is sent back as the body. */
static const struct answer {
    const char *target, *text;
    enum then then;
} answers[] = {
    {"/mute", "", STAYS},
    {"/half", OK(4) "\r\nab", STAYS},
    {"/close", OK(2) "Connection: close\r\n\r\nok", STAYS},
    {"/close-and-finish", OK(2) "Connection: close\r\n\r\nok", FINISHES},
    {"/finish", OK(2) "\r\nok", FINISHES},
    {"/until-finish", "HTTP/1.1 200 OK\r\n\r\nok", FINISHES},
    {"/until-cut", "HTTP/1.1 200 OK\r\n\r\nok", CUTS},
    {"/chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", STAYS},
    {"/hints", "HTTP/1.1 103 Early Hints\r\n\r\n" OK(2) "\r\nok", STAYS},
    {"/two", OK(2) "\r\nok" OK(4) "\r\nevil", STAYS},
    {"/truncated", OK(4) "\r\nab", FINISHES},
    {"/truncated-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nab", FINISHES},
    {"/nothing", "", FINISHES},
    {"/garbage", "SSH-2.0-nonsense\r\n", STAYS},
    {"/huge", OK(101) "\r\n", STAYS},
    {"/reset", "", RESETS},
};

static void say(struct test_link *link, const char *target)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer *answer = &answers[i];

        if (strcmp(answer->target, target) != 0)
            continue;
        test_link_says(link, answer->text);
        if (answer->then == FINISHES)
            test_link_finish(link);
        else if (answer->then == CUTS)
            test_link_cut(link);
        else if (answer->then == RESETS)
            test_link_reset(link);
        return;
    }
    test_link_says(link, "HTTP/1.1 200 OK\r\nContent-Length: ");
    test_link_says(
        link, (char[]){(char)('0' + strlen(target) / 10), (char)('0' + strlen(target) % 10), '\0'});
    test_link_says(link, "\r\n\r\n");
    test_link_says(link, target);
}

static void on_received(struct test_link *link, const char *bytes, size_t length)
{
    struct rig *rig = test_peer_user(test_link_peer(link));
    const char *target = memchr(bytes, ' ', length);
    const char *end =
        target ? memchr(target + 1, ' ', length - (size_t)(target + 1 - bytes)) : NULL;
    char copy[32];

    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    snprintf(copy, sizeof copy, "%.*s", (int)(end - target - 1), target + 1);
    rig->heard++;
    say(link, copy);
}

/* --- the rig ----------------------------------------------------------------------------------- */

static void set_url(struct rig *rig, uint16_t port)
{
    const char *problem;
    char text[64];

    ski_url_free(&rig->url, &rig->test.loop.mem);
    snprintf(text, sizeof text, "%s://127.0.0.1:%u", rig->tls ? "https" : "http", (unsigned)port);
    CU_ASSERT_EQUAL_FATAL(ski_url_parse(&rig->url, &rig->test.loop.mem, text, &problem),
                          SCALEKIT_OK);
}

void rig_init(struct rig *rig, const struct rig_options *options)
{
    struct test_peer_config config = {.received = on_received, .user = rig, .drip = options->drip};
    struct ski_failure failure;

    memset(rig, 0, sizeof *rig);
    test_clock_init(&rig->clock);
    test_loop_init(&rig->test, &rig->clock.clock);
    ski_loop_hold(&rig->test.loop);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&rig->resolver, &rig->test.loop, NULL), SCALEKIT_OK);
    if (options->tls) {
        test_pki_init(&rig->pki);
        rig->server = test_pki_server(&rig->pki, &(struct test_identity){.names = "IP:127.0.0.1"});
        CU_ASSERT_EQUAL_FATAL(ski_tls_new(&rig->tls, &rig->test.loop.mem, "127.0.0.1",
                                          rig->pki.ca_file, "\x08http/1.1", &failure),
                              SCALEKIT_OK);
        config.tls = rig->server;
    }
    rig->peer = test_peer_new(rig->test.base, &config);
    set_url(rig, test_peer_port(rig->peer));
}

void rig_free(struct rig *rig)
{
    ski_url_free(&rig->url, &rig->test.loop.mem);
    ski_resolver_free(rig->resolver);
    test_peer_free(rig->peer);
    if (rig->tls) {
        ski_tls_free(rig->tls);
        SSL_CTX_free(rig->server);
        test_pki_free(&rig->pki);
    }
    test_loop_free(&rig->test);
}

void rig_set_port(struct rig *rig, uint16_t port)
{
    set_url(rig, port);
}

void rig_advance_ms(struct rig *rig, int64_t milliseconds)
{
    test_clock_advance_ms(&rig->clock, milliseconds);
    ski_loop_run_timers(&rig->test.loop);
}

/* --- waiting ----------------------------------------------------------------------------------- */

static void on_limit(evutil_socket_t fd, short what, void *user)
{
    struct rig *rig = user;

    (void)fd;
    (void)what;
    rig->expired = true;
}

void rig_begin_waiting(struct rig *rig)
{
    const struct timeval limit = {10, 0};

    rig->expired = false;
    rig->limit = evtimer_new(rig->test.base, on_limit, rig);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rig->limit);
    evtimer_add(rig->limit, &limit);
}

bool rig_turn(struct rig *rig)
{
    event_base_loop(rig->test.base, EVLOOP_ONCE);
    return !rig->expired;
}

void rig_end_waiting(struct rig *rig)
{
    event_free(rig->limit);
}

/* --- shots ------------------------------------------------------------------------------------- */

static void on_done(struct ski_exchange *exchange, const struct ski_failure *failure)
{
    struct shot *shot = SKI_CONTAINER(exchange, struct shot, exchange);

    CU_ASSERT_FALSE(shot->rig->calling);
    CU_ASSERT_PTR_NULL(exchange->connection);
    CU_ASSERT_FALSE(ski_list_linked(&exchange->link));
    shot->done++;
    shot->rig->pending--;
    shot->order = ++shot->rig->n_done;
    shot->failure.code = SCALEKIT_OK;
    if (failure)
        shot->failure = *failure;
    if (shot->then)
        shot->then(shot);
}

void shot_init(struct shot *shot, struct rig *rig, const char *target)
{
    memset(shot, 0, sizeof *shot);
    shot->rig = rig;
    snprintf(shot->target, sizeof shot->target, "%s", target);
    ski_exchange_init(&shot->exchange, &rig->test.loop.mem, RIG_MAX_BODY);
    shot->exchange.method = "GET";
    shot->exchange.target = shot->target;
    shot->exchange.done = on_done;
}

void shot_free(struct shot *shot)
{
    ski_exchange_free(&shot->exchange);
}

bool shot_hit(struct shot *shot)
{
    const char *body = ski_buf_text(&shot->exchange.answer);

    return shot->done == 1 && shot->failure.code == SCALEKIT_OK && shot->exchange.status == 200 &&
           body && strcmp(body, shot->target) == 0;
}

/* --- a pool ------------------------------------------------------------------------------------- */

scalekit_err pond_try_open(struct pond *pond, unsigned max_connections, unsigned max_queue)
{
    struct ski_pool_config config = {
        .url = &pond->rig.url,
        .tls = pond->rig.tls,
        .resolver = pond->rig.resolver,
        .serial = !pond->rig.tls,
        .max_connections = max_connections,
        .max_queue = max_queue,
        .connect_timeout_ms = POND_CONNECT_MS,
        .idle_timeout_ms = POND_IDLE_MS,
    };

    return ski_pool_new(&pond->pool, &pond->rig.test.loop, &config);
}

void pond_open(struct pond *pond, unsigned max_connections, unsigned max_queue)
{
    CU_ASSERT_EQUAL_FATAL(pond_try_open(pond, max_connections, max_queue), SCALEKIT_OK);
}

void pond_init(struct pond *pond, unsigned max_connections, unsigned max_queue)
{
    rig_init(&pond->rig, &(struct rig_options){0});
    pond_open(pond, max_connections, max_queue);
}

void pond_free(struct pond *pond)
{
    ski_pool_free(pond->pool);
    rig_free(&pond->rig);
}

scalekit_err pond_try_start(struct pond *pond, struct shot *shot)
{
    bool calling = pond->rig.calling;
    scalekit_err err;

    pond->rig.calling = true;
    err = ski_pool_start(pond->pool, &shot->exchange);
    pond->rig.calling = calling;
    pond->rig.pending += err == SCALEKIT_OK;
    return err;
}

void pond_start(struct pond *pond, struct shot *shot)
{
    CU_ASSERT_EQUAL(pond_try_start(pond, shot), SCALEKIT_OK);
}

void pond_cancel(struct pond *pond, struct shot *shot)
{
    bool calling = pond->rig.calling;

    pond->rig.calling = true;
    ski_pool_cancel(pond->pool, &shot->exchange);
    pond->rig.calling = calling;
    pond->rig.pending--;
}

struct ski_pool_counts pond_count(const struct pond *pond)
{
    struct ski_pool_counts counts;

    ski_pool_count(pond->pool, &counts);
    return counts;
}

unsigned pond_accepted(const struct pond *pond)
{
    return test_peer_counts(pond->rig.peer)->accepted;
}

struct shot *pond_shots(struct pond *pond, unsigned n, const char *target)
{
    struct shot *shots = calloc(n, sizeof *shots);

    CU_ASSERT_PTR_NOT_NULL_FATAL(shots);
    for (unsigned i = 0; i < n; i++) {
        char number[16];

        snprintf(number, sizeof number, "/%u", i);
        shot_init(&shots[i], &pond->rig, target ? target : number);
    }
    return shots;
}

void pond_start_all(struct pond *pond, struct shot *shots, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        pond_start(pond, &shots[i]);
}

void shots_free(struct shot *shots, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        shot_free(&shots[i]);
    free(shots);
}

bool pond_shoot(struct pond *pond, const char *target)
{
    struct shot shot;
    bool hit;

    shot_init(&shot, &pond->rig, target);
    pond_start(pond, &shot);
    RIG_UNTIL(&pond->rig, shot.done);
    hit = shot_hit(&shot);
    shot_free(&shot);
    return hit;
}

/* --- a server by hand -------------------------------------------------------------------------- */

void raw_init(struct raw_server *raw)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof in;

    raw->link = -1;
    raw->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(raw->listener >= 0);
    CU_ASSERT_FATAL(bind(raw->listener, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(listen(raw->listener, 8) == 0);
    CU_ASSERT_FATAL(getsockname(raw->listener, (struct sockaddr *)&in, &length) == 0);
    raw->port = ntohs(in.sin_port);
}

void raw_accept(struct raw_server *raw)
{
    raw->link = accept(raw->listener, NULL, NULL);
    CU_ASSERT_FATAL(raw->link >= 0);
}

void raw_stop_listening(struct raw_server *raw)
{
    close(raw->listener);
    raw->listener = -1;
}

void raw_send(struct raw_server *raw, const char *text)
{
    CU_ASSERT(send(raw->link, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

void raw_free(struct raw_server *raw)
{
    if (raw->link >= 0)
        close(raw->link);
    if (raw->listener >= 0)
        close(raw->listener);
}
