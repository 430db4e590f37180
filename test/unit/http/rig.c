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

static void hear(struct rig *rig, struct test_link *link, const char *bytes, size_t length)
{
    const char *target = memchr(bytes, ' ', length);
    const char *end =
        target ? memchr(target + 1, ' ', length - (size_t)(target + 1 - bytes)) : NULL;
    char copy[32];

    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    snprintf(copy, sizeof copy, "%.*s", (int)(end - target - 1), target + 1);
    rig->heard++;
    say(link, copy);
}

static void on_received(struct test_link *link, const char *bytes, size_t length)
{
    hear(test_peer_user(test_link_peer(link)), link, bytes, length);
}

/* The same, from a peer that speaks HTTP/2 as well. */
static void on_http1(struct test_link *link, const char *bytes, size_t length)
{
    hear(h2_peer_user(link), link, bytes, length);
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

static void set_tls(struct rig *rig, const char *alpn)
{
    struct ski_failure failure;

    test_pki_init(&rig->pki);
    rig->server = test_pki_server(&rig->pki, &(struct test_identity){.names = "IP:127.0.0.1"});
    CU_ASSERT_EQUAL_FATAL(
        ski_tls_new(&rig->tls, &rig->test.loop.mem, "127.0.0.1", rig->pki.ca_file, alpn, &failure),
        SCALEKIT_OK);
}

static struct test_peer *new_peer(struct rig *rig, const struct rig_options *options)
{
    if (!options->h2)
        return test_peer_new(rig->test.base, &(struct test_peer_config){.tls = rig->server,
                                                                        .drip = options->drip,
                                                                        .received = on_received,
                                                                        .user = rig});
    rig->h2 = h2_peer_new(rig->test.base, &(struct h2_peer_config){.tls = rig->server,
                                                                   .drip = options->drip,
                                                                   .options = *options->h2,
                                                                   .http1 = on_http1,
                                                                   .user = rig});
    rig_speak(rig, "h2");
    return h2_peer_peer(rig->h2);
}

void rig_init(struct rig *rig, const struct rig_options *options)
{
    memset(rig, 0, sizeof *rig);
    test_clock_init(&rig->clock);
    test_loop_init(&rig->test, &rig->clock.clock);
    ski_loop_hold(&rig->test.loop);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&rig->resolver, &rig->test.loop, NULL), SCALEKIT_OK);
    if (options->tls || options->h2)
        set_tls(rig, options->h2 ? "\x02h2\x08http/1.1" : "\x08http/1.1");
    rig->peer = new_peer(rig, options);
    set_url(rig, test_peer_port(rig->peer));
}

void rig_free(struct rig *rig)
{
    ski_url_free(&rig->url, &rig->test.loop.mem);
    ski_resolver_free(rig->resolver);
    if (rig->h2)
        h2_peer_free(rig->h2);
    else
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

void rig_speak(struct rig *rig, const char *protocol)
{
    if (protocol)
        test_server_alpn(rig->server, protocol);
    else
        SSL_CTX_set_alpn_select_cb(rig->server, NULL, NULL);
}

const struct h2_counts *rig_heard(const struct rig *rig)
{
    return h2_peer_counts(rig->h2);
}

struct h2_server *rig_server(const struct rig *rig, unsigned n)
{
    struct h2_server *server = h2_peer_server(rig->h2, n);

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    return server;
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

void shot_set_body(struct shot *shot, const char *body, size_t length)
{
    shot->exchange.method = "POST";
    shot->exchange.body = body;
    shot->exchange.body_length = length;
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

struct shot *shots_new(struct rig *rig, unsigned n, const char *target)
{
    struct shot *shots = calloc(n, sizeof *shots);

    CU_ASSERT_PTR_NOT_NULL_FATAL(shots);
    for (unsigned i = 0; i < n; i++) {
        char number[16];

        snprintf(number, sizeof number, "/%u", i);
        shot_init(&shots[i], rig, target ? target : number);
    }
    return shots;
}

void shots_free(struct shot *shots, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        shot_free(&shots[i]);
    free(shots);
}

unsigned shots_hit(struct shot *shots, unsigned n)
{
    unsigned hit = 0;

    for (unsigned i = 0; i < n; i++)
        hit += shot_hit(&shots[i]);
    return hit;
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

void pond_start_all(struct pond *pond, struct shot *shots, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        pond_start(pond, &shots[i]);
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
