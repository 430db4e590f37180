/* The webhook server on real sockets, with clients that send what no client should. */
#include "site.h"
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH(n) "Content-Length: " #n "\r\n\r\n"
#define CHUNKED   "Transfer-Encoding: chunked\r\n\r\n"
#define GOOD      HOOK LENGTH(2) "ab"

static void for_plain_and_tls(void (*check)(bool tls))
{
    check(false);
    check(true);
}

/* --- requests ------------------------------------------------------------------------------------- */

struct exchange {
    const char *name, *request;
    const char *statuses;
    bool ends;        /* the server closes then */
    const char *body; /* of the last that was taken; NULL: none was, or it had no body */
};

static const struct exchange exchanges[] = {
    {"a post", GOOD, "201", false, "ab"},
    {"without a body", HOOK "\r\n", "201", false, NULL},
    {"of length 0", HOOK LENGTH(0), "201", false, NULL},
    {"in chunks", HOOK CHUNKED "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", "201", true, "ab"},
    {"with a trailer", HOOK CHUNKED "2\r\nab\r\n0\r\nwebhook-id: x\r\n\r\n", "201", true, "ab"},
    {"a query", "POST /hook?a=b HTTP/1.1\r\nHost: a\r\n" LENGTH(2) "ab", "201", false, "ab"},
    {"an absolute URL", "POST http://a/hook HTTP/1.1\r\nHost: a\r\n" LENGTH(2) "ab", "201", true,
     "ab"},
    {"another path", "POST /hook/ HTTP/1.1\r\nHost: a\r\n" LENGTH(2) "ab", "404", false, NULL},
    {"the path in other words", "POST /%68ook HTTP/1.1\r\nHost: a\r\n" LENGTH(2) "ab", "404", false,
     NULL},
    {"no path", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "404", false, NULL},
    {"a get", "GET /hook HTTP/1.1\r\nHost: a\r\n\r\n", "405", false, NULL},
    {"a head", "HEAD /hook HTTP/1.1\r\nHost: a\r\n\r\n", "405", false, NULL},
    {"a put", "PUT /hook HTTP/1.1\r\nHost: a\r\n" LENGTH(2) "ab", "405", true, NULL},
    {"a method nobody knows", "BREW /hook HTTP/1.1\r\nHost: a\r\n\r\n", "405", false, NULL},
    {"many at once", GOOD GOOD "GET /hook HTTP/1.1\r\nHost: a\r\n\r\n" GOOD, "201 201 405 201",
     false, "ab"},
    {"the last", HOOK "Connection: close\r\n" LENGTH(2) "ab", "201", true, "ab"},
    {"HTTP/1.0", "POST /hook HTTP/1.0\r\n" LENGTH(2) "ab", "201", true, "ab"},
    {"lines without CR", "POST /hook HTTP/1.1\nHost: a\nContent-Length: 2\n\nab", "201", false,
     "ab"},
    {"no HTTP", "\x16\x03\x01\x02 hello\r\n\r\n", "400", true, NULL},
    {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", true, NULL},
    {"a header without a colon", HOOK "webhook-id\r\n\r\n", "400", true, NULL},
    {"a negative length", HOOK LENGTH(-2) "ab", "400", true, NULL},
    {"two lengths in one", HOOK "Content-Length: 2, 2\r\n\r\nab", "400", true, NULL},
    {"a length and chunks", HOOK "Content-Length: 2\r\n" CHUNKED "0\r\n\r\n", "400", true, NULL},
    {"a length over the cap", HOOK LENGTH(1048577), "413", true, NULL},
    {"a length nobody can count", HOOK LENGTH(99999999999999999999), "413", true, NULL},
    {"a chunk over the cap", HOOK CHUNKED "100001\r\n", "413", true, NULL},
    {"a chunk nobody can count", HOOK CHUNKED "ffffffffffffffff\r\nab", "413", true, NULL},
    {"no number of a chunk", HOOK CHUNKED "zz\r\nab", "413", true, NULL},
    {"a length twice", HOOK "Content-Length: 2\r\n" LENGTH(2) "ab" GOOD, "201", true, "ab"},
    {"two lengths", HOOK "Content-Length: 0\r\n" LENGTH(2) "ab" GOOD, "201", true, NULL},
    {"a length with a sign", HOOK LENGTH(+2) "ab" GOOD, "201", true, "ab"},
    {"a name with a space", HOOK "Content-Length : 2\r\n\r\nab" GOOD, "201", true, NULL},
    {"chunks of another kind", HOOK "Transfer-Encoding: x\r\n" CHUNKED "0\r\n\r\n" GOOD, "201",
     true, NULL},
    {"a head with a body", "HEAD /hook HTTP/1.1\r\nHost: a\r\n" LENGTH(2) GOOD, "405", true, NULL},
    {"another's body", "BREW / HTTP/1.1\r\nHost: a\r\n" CHUNKED "1\r\na\r\n0\r\n\r\n" GOOD, "404",
     true, NULL},
    {"another expectation", HOOK "Expect: tea\r\n" LENGTH(2) "ab", "417", true, NULL},
};

/* The last status, and so all of them. */
static void await_statuses(struct caller *caller, const char *statuses)
{
    const char *last = strrchr(statuses, ' ');
    char line[32];

    for (size_t n = 1; strlen(statuses) >= n * 4 - 1; n++)
        caller_until_nth(caller, "HTTP/1.", n);
    snprintf(line, sizeof line, " %s ", last ? last + 1 : statuses);
    caller_until(caller, line);
}

static void make_exchange(struct site *site, const struct exchange *exchange)
{
    struct caller caller;
    char statuses[256];

    site->had_body = false;
    site->body_length = 0;
    site->refused = 0;
    site_call(site, &caller);
    caller_says(&caller, exchange->request);
    await_statuses(&caller, exchange->statuses);
    if (exchange->ends)
        caller_until_end(&caller);
    if (strcmp(caller_statuses(&caller, statuses), exchange->statuses) != 0)
        printf("%s: answered %s\n", exchange->name, statuses);
    CU_ASSERT_STRING_EQUAL(statuses, exchange->statuses);
    CU_ASSERT_EQUAL(caller.ended, exchange->ends);
    if (strcmp(statuses, "404") == 0 || strcmp(statuses, "405") == 0)
        CU_ASSERT_EQUAL(site->refused, statuses[2] == '4' ? 404 : 405);
    CU_ASSERT(!exchange->body || caller.clean == exchange->ends);
    CU_ASSERT_EQUAL(site->had_body, exchange->body != NULL);
    if (exchange->body) {
        CU_ASSERT_EQUAL_FATAL(site->body_length, strlen(exchange->body));
        CU_ASSERT_EQUAL(memcmp(site->body, exchange->body, site->body_length), 0);
    }
    caller_close(&caller);
}

static void make_exchanges(bool tls)
{
    struct site site;

    site_open(&site, tls, NULL);
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
        make_exchange(&site, &exchanges[i]);
    site_close(&site);
}

static void every_request_has_its_answer(void)
{
    for_plain_and_tls(make_exchanges);
}

/* After the first CR LF CR LF nothing comes. */
static void check_answer(bool tls)
{
    struct caller caller;
    struct site site;

    site_open(&site, tls, NULL);
    site_call(&site, &caller);
    caller_says(&caller, "GET /hook HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    caller_until_end(&caller);
    CU_ASSERT(caller.clean);
    CU_ASSERT_PTR_NOT_NULL(strstr(caller.got, "\r\nAllow: POST\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(caller.got, "\r\nContent-Length: 0\r\n"));
    CU_ASSERT_PTR_NULL(strstr(caller.got, "Content-Type"));
    CU_ASSERT_PTR_EQUAL(strstr(caller.got, "\r\n\r\n"), caller.got + caller.n_got - 4);
    caller_close(&caller);
    site_close(&site);
}

static void an_answer_has_no_body(void)
{
    for_plain_and_tls(check_answer);
}

static void the_verdict_decides_the_answer(void)
{
    struct caller caller;
    struct site site;

    site_open(&site, false, NULL);
    for (int verdict = 0; verdict <= SCALEKIT_WEBHOOK_BUSY; verdict++) {
        char statuses[256], expected[16];

        site.verdict = (enum scalekit_webhook_verdict)verdict;
        snprintf(expected, sizeof expected, "%d", scalekit_webhook_http_status(site.verdict));
        site_call(&site, &caller);
        caller_says(&caller, GOOD);
        await_statuses(&caller, expected);
        CU_ASSERT_STRING_EQUAL(caller_statuses(&caller, statuses), expected);
        caller_close(&caller);
    }
    CU_ASSERT_EQUAL(site.taken, SCALEKIT_WEBHOOK_BUSY + 1);
    site_close(&site);
}

static void bytes_are_untouched(void)
{
    static const char request[] = HOOK LENGTH(9) "\0\r\n\xff\xfe {}";
    struct caller caller;
    struct site site;

    site_open(&site, true, NULL);
    site_call(&site, &caller);
    caller_send(&caller, request, sizeof request); /* the last NUL is the body's, too */
    caller_until(&caller, " 201 ");
    CU_ASSERT_EQUAL(site.body_length, 9);
    CU_ASSERT_EQUAL(memcmp(site.body, request + sizeof request - 9, 9), 0);
    caller_close(&caller);
    site_close(&site);
}

static void headers_are_passed_on(void)
{
    static const char request[] =
        HOOK "WebHook-ID: a\r\nwebhook-id:b\r\nwebhook-signature: v1,x\r\n"
             "  v1,y\r\nx: 1\0002\r\n" LENGTH(0);
    struct caller caller;
    struct site site;

    site_open(&site, false, NULL);
    site_call(&site, &caller);
    caller_send(&caller, request, sizeof request - 1);
    caller_until(&caller, " 201 ");
    CU_ASSERT_STRING_EQUAL(site.headers, "Host=a\nWebHook-ID=a\nwebhook-id=b\n"
                                         "webhook-signature=v1,x v1,y\nx=1\nContent-Length=0\n");
    caller_close(&caller);
    site_close(&site);
}

static void a_body_is_asked_for(void)
{
    struct caller caller;
    struct site site;
    char statuses[256];

    site_open(&site, true, NULL);
    site_call(&site, &caller);
    for (unsigned i = 0; i < 2; i++) {
        caller.n_got = 0;
        caller_says(&caller, HOOK "Expect: 100-continue\r\n" LENGTH(2));
        caller_until(&caller, " 100 ");
        CU_ASSERT_EQUAL(site.taken, i);
        caller_says(&caller, "ab");
        caller_until(&caller, " 201 ");
        CU_ASSERT_STRING_EQUAL(caller_statuses(&caller, statuses), "100 201");
    }
    caller_close(&caller);
    site_close(&site);
}

/* --- sizes ---------------------------------------------------------------------------------------- */

#define MIB ((size_t)1 << 20)

/* A request of `head`, `piece` as often as `size` says, and `tail`. */
static char *compose(const char *head, const char *piece, size_t size, const char *tail,
                     size_t *length)
{
    size_t step = strlen(piece), n = size / step * step;
    char *text = malloc(strlen(head) + n + strlen(tail) + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    *length = strlen(head);
    memcpy(text, head, *length + 1);
    for (size_t i = 0; i < n; i += step, *length += step)
        memcpy(text + *length, piece, step + 1);
    memcpy(text + *length, tail, strlen(tail) + 1);
    *length += strlen(tail);
    return text;
}

struct bulk {
    const char *head, *piece;
    size_t size; /* of all pieces */
    const char *tail, *status;
    size_t body_length;
};

static const struct bulk bulks[] = {
    {HOOK LENGTH(1048576), "0123456789abcdef", MIB, "", " 201 ", MIB},
    {HOOK CHUNKED "100000\r\n", "0123456789abcdef", MIB, "\r\n0\r\n\r\n", " 201 ", MIB},
    {HOOK CHUNKED, "1\r\na\r\n", 60000 * 6, "0\r\n\r\n", " 201 ", 60000},
    {HOOK, "webhook-signature: v1,x\r\n", 15000, LENGTH(2) "ab", " 201 ", 2},
    {HOOK, "a:\r\n", 15000, LENGTH(2) "ab", " 201 ", 2},
    {HOOK "a: b\r\n", " \r\n", 15000, LENGTH(2) "ab", " 201 ", 2},
    {HOOK "webhook-signature: ", "v1,x ", 15000, "\r\n" LENGTH(2) "ab", " 201 ", 2},
    {HOOK, "a: b\r\n", 40000, "\r\n", " 400 ", 0},
    {HOOK "a: ", "b", 20000, "", " 400 ", 0},
    {"POST /", "b", 20000, "", " 400 ", 0},
    {HOOK LENGTH(1048577), "0123456789abcdef", 3 * MIB, "", " 413 ", 0},
    {HOOK LENGTH(99999999999), "0123456789abcdef", 3 * MIB, "", " 413 ", 0},
    {HOOK CHUNKED, "10\r\n0123456789abcdef\r\n", 3 * MIB, "", " 413 ", 0},
};

/* Who sends more than is taken still gets the answer. */
static void send_bulks(bool tls)
{
    struct caller caller;
    struct site site;

    site_open(&site, tls, NULL);
    for (size_t i = 0; i < sizeof bulks / sizeof *bulks; i++) {
        const struct bulk *bulk = &bulks[i];
        size_t length;
        char *request = compose(bulk->head, bulk->piece, bulk->size, bulk->tail, &length);

        site.body_length = 0;
        site_call(&site, &caller);
        caller_send(&caller, request, length);
        caller_until(&caller, bulk->status);
        CU_ASSERT_EQUAL(site.body_length, bulk->body_length);
        caller_close(&caller);
        free(request);
    }
    site_close(&site);
}

static void sizes_are_bounded(void)
{
    for_plain_and_tls(send_bulks);
}

/* --- who does not listen -------------------------------------------------------------------------- */

#define MANY 3000

/* What is accepted at that port can send little that is not read. */
static void make_buffers_small(uint16_t port)
{
    for (int fd = 0, little = 4096; fd < 1024; fd++) {
        struct sockaddr_in address = {0};
        socklen_t size = sizeof address;

        if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
            ntohs(address.sin_port) == port)
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    }
}

/* Turns the loop until the server takes no more. */
static void wait_for_a_standstill(const struct site *site)
{
    unsigned taken = site->taken + 1;

    while (taken != site->taken) {
        taken = site->taken;
        for (int turn = 0; turn < 100; turn++)
            event_base_loop(site->base, EVLOOP_NONBLOCK);
    }
}

/* Many requests at once, of which the caller hears no answer: they wait, and not in memory. */
static void ask_without_listening(bool tls)
{
    struct caller caller;
    struct site site;
    size_t length;
    char *one = compose(HOOK LENGTH(1000), "0123456789", 1000, "", &length);
    char *requests = compose("", one, MANY * length, "", &length);

    site_open(&site, tls, NULL);
    make_buffers_small(site.port);
    site_call(&site, &caller);
    caller_says(&caller, GOOD);
    caller_until(&caller, "\r\n\r\n");
    caller_turn_deaf(&caller);
    caller_send_on(&caller, requests, length);
    wait_for_a_standstill(&site);
    CU_ASSERT(site.taken < 1 + MANY);
    caller_hear_again(&caller);
    caller_until_total(&caller, (1 + MANY) * caller.total);
    CU_ASSERT_EQUAL(site.taken, 1 + MANY);
    caller_close(&caller);
    site_close(&site);
    free(requests);
    free(one);
}

static void who_does_not_listen_waits(void)
{
    for_plain_and_tls(ask_without_listening);
}

/* --- waiting -------------------------------------------------------------------------------------- */

static const char *const pieces_of_a_request[] = {"",
                                                  "P",
                                                  "POST /hook HTTP/1.1\r\n",
                                                  HOOK "Content-Le",
                                                  HOOK LENGTH(2) "a",
                                                  HOOK LENGTH(1000000) "a",
                                                  HOOK CHUNKED "2",
                                                  GOOD,
                                                  GOOD "P"};

static void outwait(bool tls)
{
    struct caller caller;
    struct site site;

    site_open(
        &site, tls,
        &(struct scalekit_webhook_server_params){.idle_timeout_ms = 40, .max_connections = 1});
    for (size_t i = 0; i < sizeof pieces_of_a_request / sizeof *pieces_of_a_request; i++) {
        site_call(&site, &caller);
        if (*pieces_of_a_request[i])
            caller_says(&caller, pieces_of_a_request[i]);
        caller_until_end(&caller);
        CU_ASSERT(caller.clean || (tls && !*pieces_of_a_request[i])); /* it never shook hands */
        caller_close(&caller);
    }
    site_close(&site);
}

static void nobody_waits_for_ever(void)
{
    for_plain_and_tls(outwait);
}

static void drip(evutil_socket_t fd, short what, void *arg)
{
    struct caller *caller = arg;

    (void)fd;
    (void)what;
    if (!caller->ended)
        send(caller->fd, "a", 1, MSG_NOSIGNAL);
}

static void who_drips_is_not_kept(void)
{
    static const char *const heads[] = {
        "", HOOK, HOOK "a: ", HOOK LENGTH(1000), HOOK CHUNKED "0", GOOD HOOK};
    static const struct timeval often = {0, 2000};
    struct caller caller;
    struct site site;

    site_open(&site, false, &(struct scalekit_webhook_server_params){.idle_timeout_ms = 60});
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct event *timer = event_new(site.base, -1, EV_PERSIST, drip, &caller);

        site_call(&site, &caller);
        caller_says(&caller, heads[i]);
        event_add(timer, &often);
        caller_until_end(&caller);
        event_free(timer);
        caller_close(&caller);
    }
    site_close(&site);
}

static void more_connections_wait(void)
{
    struct caller first, second, third;
    struct site site;

    site_open(&site, true, &(struct scalekit_webhook_server_params){.max_connections = 2});
    site_call(&site, &first);
    site_call(&site, &second);
    caller_says(&first, GOOD);
    caller_says(&second, GOOD);
    caller_until(&first, " 201 ");
    caller_until(&second, " 201 ");
    site_call(&site, &third);
    caller_says_at_once(&third, "");
    for (int turn = 0; turn < 20; turn++)
        event_base_loop(site.base, EVLOOP_NONBLOCK);
    CU_ASSERT_FALSE(SSL_is_init_finished(third.ssl));
    caller_close(&first);
    caller_says(&third, GOOD);
    caller_until(&third, " 201 ");
    caller_close(&second);
    caller_close(&third);
    site_close(&site);
}

/* --- SIGPIPE -------------------------------------------------------------------------------------- */

static const char *const last_words[] = {
    "",
    GOOD,
    GOOD GOOD GOOD GOOD GOOD GOOD GOOD GOOD,
    "GET /hook HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /hook HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "no HTTP\r\n\r\n",
    HOOK "Expect: 100-continue\r\n" LENGTH(2),
    HOOK "Expect: 100-continue\r\n" LENGTH(1048577),
    HOOK "Expect: tea\r\n" LENGTH(2),
    HOOK LENGTH(1048577),
    HOOK CHUNKED "200000\r\n",
    HOOK LENGTH(10) "a",
};

/* Each is accepted when the one before is gone. */
static void vanish(struct site *site, const char *words, bool greeted)
{
    struct caller caller;

    site_call(site, &caller);
    if (greeted) {
        caller_says(&caller, GOOD);
        caller_until(&caller, " 201 ");
    }
    caller_says_at_once(&caller, words);
    caller_vanish(&caller);
}

static void vanish_often(bool tls)
{
    struct caller caller;
    struct site site;

    site_open(&site, tls, &(struct scalekit_webhook_server_params){.max_connections = 1});
    for (size_t i = 0; i < sizeof last_words / sizeof *last_words; i++) {
        vanish(&site, last_words[i], false);
        vanish(&site, last_words[i], true);
    }
    site_call(&site, &caller);
    caller_says(&caller, GOOD);
    caller_until(&caller, " 201 ");
    caller_close(&caller);
    site_close(&site);
}

/* With the default disposition one of them would end this run. */
static void no_peer_raises_sigpipe(void)
{
    void (*before)(int) = signal(SIGPIPE, SIG_DFL);

    for_plain_and_tls(vanish_often);
    signal(SIGPIPE, before);
}

/* --- its life ------------------------------------------------------------------------------------- */

/* Freed, with or without a turn of the loop before the base goes, while a caller is at any point. */
static void free_in_the_middle(bool tls)
{
    for (size_t i = 0; i < 2 * (sizeof last_words / sizeof *last_words); i++) {
        struct caller idle, busy;
        struct site site;

        site_open(&site, tls, NULL);
        site_call(&site, &idle);
        site_call(&site, &busy);
        caller_says(&idle, GOOD);
        caller_until(&idle, " 201 ");
        caller_says(&busy, last_words[i / 2]);
        for (size_t turn = 0; turn < i % 5; turn++)
            event_base_loop(site.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        scalekit_webhook_server_free(site.server);
        site.server = NULL;
        if (i % 2)
            event_base_loop(site.base, EVLOOP_NONBLOCK);
        caller_close(&idle);
        caller_close(&busy);
        site_close(&site);
    }
}

static void it_may_be_freed_at_any_time(void)
{
    for_plain_and_tls(free_in_the_middle);
}

/* The loop ends in the very turn in which an answer was written. */
static enum scalekit_webhook_verdict take_and_stop(const struct scalekit_webhook_delivery *delivery,
                                                   void *user)
{
    (void)delivery;
    event_base_loopbreak(((struct site *)user)->base);
    return SCALEKIT_WEBHOOK_GOOD;
}

static void stop_at_an_answer(bool tls)
{
    for (int turns = 0; turns < 4; turns++) {
        struct caller caller;
        struct site site;

        site_begin(&site, tls);
        CU_ASSERT_EQUAL_FATAL(site_serve(&site,
                                         &(struct scalekit_webhook_server_params){
                                             .take = take_and_stop, .user = &site},
                                         &site.server, NULL),
                              SCALEKIT_OK);
        site.port = scalekit_webhook_server_port(site.server);
        site_call(&site, &caller);
        caller_says(&caller, GOOD);
        while (!event_base_got_break(site.base))
            event_base_loop(site.base, EVLOOP_ONCE);
        for (int turn = 0; turn < turns; turn++)
            event_base_loop(site.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        caller_close(&caller);
        site_close(&site);
    }
}

static void nothing_leaks_when_the_loop_ends(void)
{
    for_plain_and_tls(stop_at_an_answer);
}

static void the_loop_runs_as_long_as_it_listens(void)
{
    struct site site;

    site_open(&site, false, NULL);
    CU_ASSERT_EQUAL(event_base_loop(site.base, EVLOOP_NONBLOCK), 0);
    scalekit_webhook_server_free(site.server);
    site.server = NULL;
    CU_ASSERT_EQUAL(event_base_dispatch(site.base), 1); /* nothing is pending */
    site_close(&site);
}

static void many_share_a_loop(void)
{
    static const char *const addresses[] = {"127.0.0.1", "::1", "127.0.0.1"};
    scalekit_webhook_server *servers[3], *another;
    const char *problem = NULL;
    struct site site;

    site_begin(&site, false);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL_FATAL(
            site_serve(&site, &(struct scalekit_webhook_server_params){.address = addresses[i]},
                       &servers[i], NULL),
            SCALEKIT_OK);
    for (int i = 0; i < 3; i++) {
        struct caller caller;

        caller_open(&caller, site.base, addresses[i], scalekit_webhook_server_port(servers[i]),
                    NULL);
        caller_says(&caller, GOOD);
        caller_until(&caller, " 201 ");
        caller_close(&caller);
    }
    CU_ASSERT_EQUAL(site_serve(&site,
                               &(struct scalekit_webhook_server_params){
                                   .port = scalekit_webhook_server_port(servers[0])},
                               &another, &problem),
                    SCALEKIT_ERR_CONNECT);
    CU_ASSERT_PTR_NULL(another);
    CU_ASSERT_STRING_EQUAL(problem, "port is taken");
    for (int i = 0; i < 3; i++)
        scalekit_webhook_server_free(servers[i]);
    site_close(&site);
}

static bool serve_two(struct test_memory *memory, void *user)
{
    struct site *site = user;
    char statuses[256];
    bool through = true;

    site->memory = *memory;
    site->base = event_base_new();
    if (site_serve(site, NULL, &site->server, NULL) == SCALEKIT_OK) {
        for (int i = 0; i < 2; i++) {
            struct caller caller;

            site->port = scalekit_webhook_server_port(site->server);
            site_call(site, &caller);
            caller_says(&caller, GOOD);
            caller_until(&caller, "\r\n\r\n");
            through = through && !strcmp(caller_statuses(&caller, statuses), "201");
            caller_close(&caller);
        }
    } else {
        through = false;
    }
    scalekit_webhook_server_free(site->server);
    event_base_free(site->base);
    return through;
}

static void memory_may_run_out(void)
{
    struct site site = {0};

    CU_ASSERT(test_every_allocation(serve_two, &site) > 5);
}

/* Accepting fails for want of a descriptor, and goes on when there are some again.  (valgrind hangs
 * up on who could not be accepted: the next one counts.) */
static void descriptors_may_run_out(void)
{
    int taken[1024], n = 0;
    struct rlimit before, few;
    struct caller first, second;
    struct site site;

    site_open(&site, false, NULL);
    site_call(&site, &first);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 256;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < 1024 && (taken[n] = dup(first.fd)) >= 0)
        n++;
    caller_says_at_once(&first, GOOD);
    event_base_loop(site.base, EVLOOP_NONBLOCK);
    CU_ASSERT_EQUAL(site.taken, 0);
    while (n)
        close(taken[--n]);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    site_call(&site, &second);
    caller_says(&second, GOOD);
    caller_until(&second, " 201 ");
    caller_close(&first);
    caller_close(&second);
    site_close(&site);
}

SUITE(webhook_server, {"every request has its answer", every_request_has_its_answer},
      {"an answer has no body", an_answer_has_no_body},
      {"the verdict decides the answer", the_verdict_decides_the_answer},
      {"bytes are untouched", bytes_are_untouched},
      {"headers are passed on as they came", headers_are_passed_on},
      {"a body is asked for when it is to be", a_body_is_asked_for},
      {"sizes are bounded, and who sends more is told", sizes_are_bounded},
      {"who does not listen to answers waits", who_does_not_listen_waits},
      {"nobody waits for ever", nobody_waits_for_ever},
      {"who drips is not kept", who_drips_is_not_kept},
      {"more connections wait until one closes", more_connections_wait},
      {"no peer raises SIGPIPE", no_peer_raises_sigpipe},
      {"it may be freed at any time", it_may_be_freed_at_any_time},
      {"nothing leaks when the loop ends", nothing_leaks_when_the_loop_ends},
      {"the loop runs as long as it listens", the_loop_runs_as_long_as_it_listens},
      {"many share a loop, over IPv6 too", many_share_a_loop},
      {"memory may run out", memory_may_run_out},
      {"descriptors may run out", descriptors_may_run_out})
