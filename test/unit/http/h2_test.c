#include "duet.h"
#include <stdlib.h>

#define OPTIONS(...)       (&(struct h2_server_options){__VA_ARGS__})
#define SETTING(id, value) .settings = {{NGHTTP2_SETTINGS_##id, value}}, .n_settings = 1

/* --- what is sent ------------------------------------------------------------------------------ */

static const struct request_row {
    const char *promise, *method, *body;
    const char *name, *value; /* of a header; NULL: none */
    const char *heard;        /* by the server, behind scheme, authority and path */
} request_rows[] = {
    {"a GET", "GET", NULL, NULL, NULL, ""},
    {"a GET with a header", "GET", NULL, "accept", "*/*", "accept: */*\n"},
    {"a GET with a body", "GET", "{}", NULL, NULL, "content-length: 2\n"},
    {"a POST with a body", "POST", "{}", "authorization", "Bearer t",
     "authorization: Bearer t\ncontent-length: 2\n"},
    {"a POST without", "POST", NULL, NULL, NULL, "content-length: 0\n"},
    {"a PUT without", "PUT", NULL, NULL, NULL, "content-length: 0\n"},
    {"a PATCH with an empty body", "PATCH", "", NULL, NULL, "content-length: 0\n"},
    {"a DELETE", "DELETE", NULL, NULL, NULL, ""},
    {"a value beyond ASCII", "GET", NULL, "x", "\xc3\xa4\t!", "x: \xc3\xa4\t!\n"},
};

static void set_request(struct trip *trip, const char *method, const char *body, const char *name,
                        const char *value)
{
    struct ski_exchange *exchange = &trip->exchange;

    exchange->method = method;
    exchange->body = body;
    exchange->body_length = body ? strlen(body) : 0;
    if (name)
        exchange->headers[exchange->n_headers++] = SKI_HEADER(name, value);
}

static void says_what_is_asked(void)
{
    struct duet duet;

    duet_init(&duet, OPTIONS(0));
    for (size_t i = 0; i < sizeof request_rows / sizeof *request_rows; i++) {
        const struct request_row *row = &request_rows[i];
        struct trip trip;
        char heard[300];

        snprintf(heard, sizeof heard,
                 ":method: %s\n:scheme: https\n:authority: host:1\n:path: /mirror\n%s", row->method,
                 row->heard);
        trip_init(&trip, &duet, "/mirror");
        set_request(&trip, row->method, row->body, row->name, row->value);
        trip_start(&trip, &duet);
        duet_pump(&duet);
        if (!trip_got(&trip, heard))
            CU_FAIL(row->promise);
        trip_free(&trip);
    }
    duet_free(&duet);
}

static const struct invalid_row {
    const char *promise, *method, *target, *name, *value;
} invalid_rows[] = {
    {"no method with a space", "GET /x", "/", NULL, NULL},
    {"no empty method", "", "/", NULL, NULL},
    {"no target with a space", "GET", "/a b", NULL, NULL},
    {"no target with a line end", "GET", "/a\r\nx: y", NULL, NULL},
    {"no target without a slash", "GET", "https://h/", NULL, NULL},
    {"no empty target", "GET", "", NULL, NULL},
    {"no name with a colon", "GET", "/", ":path", "/evil"},
    {"no empty name", "GET", "/", "", "b"},
    {"no name in upper case", "GET", "/", "Accept", "b"},
    {"no value with CR LF", "GET", "/", "a", "b\r\nc: d"},
    {"no value with LF", "GET", "/", "a", "b\nc"},
};

/* As large as a caller can make it. */
static void sends_large_headers(void)
{
    static char target[32769], value[4097];
    struct ski_header more[8];
    struct duet duet;
    struct trip trip;

    memset(target, '~', sizeof target - 1);
    memset(value, '~', sizeof value - 1);
    target[0] = '/';
    for (size_t i = 0; i < 8; i++)
        more[i] = SKI_HEADER("x-large", value);
    duet_init(&duet, OPTIONS(0));
    trip_init(&trip, &duet, "/");
    trip.exchange.target = target;
    trip.exchange.more_headers = more;
    trip.exchange.n_more_headers = 8;
    trip_start(&trip, &duet);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.end, SKI_H2_COMPLETE);
    CU_ASSERT_EQUAL(trip.exchange.status, 200);
    trip_free(&trip);
    CU_ASSERT(duet_lives(&duet));
    duet_free(&duet);
}

static void sends_nothing_that_may_not_be_sent(void)
{
    struct duet duet;

    duet_init(&duet, OPTIONS(0));
    for (size_t i = 0; i < sizeof invalid_rows / sizeof *invalid_rows; i++) {
        const struct invalid_row *row = &invalid_rows[i];
        struct trip trip;

        trip_init(&trip, &duet, row->target);
        set_request(&trip, row->method, NULL, row->name, row->value);
        trip_start(&trip, &duet);
        duet_pump(&duet);
        if (trip.over != 1 || trip.end != SKI_H2_BROKEN || trip.exchange.sent ||
            trip.failure.code != SCALEKIT_ERR_INVALID || duet.counts.requests > 0)
            CU_FAIL(row->promise);
        trip_free(&trip);
    }
    CU_ASSERT(duet_lives(&duet));
    duet_free(&duet);
}

/* --- greeting, and the server's limit ---------------------------------------------------------- */

static void opens_nothing_before_the_settings(void)
{
    struct duet duet;

    duet_init(&duet, OPTIONS(.late = true, SETTING(MAX_CONCURRENT_STREAMS, 7)));
    CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_GREETING);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    h2_server_greet(duet.server);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_OPEN);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 7);
    CU_ASSERT_EQUAL(duet.counts.settings_acks, 1);
    CU_ASSERT(duet_lives(&duet));
    duet_free(&duet);
}

static void knows_what_is_no_http2(void)
{
    static const char *const greetings[] = {
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
        "<html>hello, world</html>\r\n",
    };

    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        struct duet duet;

        duet_init(&duet, OPTIONS(.greeting = greetings[i]));
        CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_FAILED);
        CU_ASSERT_EQUAL(ski_h2_failure(duet.h2)->code, SCALEKIT_ERR_PROTOCOL);
        CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
        duet_free(&duet);
    }
}

static const struct {
    bool says;
    uint32_t limit;
    unsigned room;
} limit_rows[] = {{true, 1, 1},
                  {true, 10, 10},
                  {true, SKI_H2_MAX_STREAMS, SKI_H2_MAX_STREAMS},
                  {true, 1000, SKI_H2_MAX_STREAMS},
                  {false, 0, SKI_H2_MAX_STREAMS}};

/* As many as there is room for, again and again, until each has been answered. */
static void run_all(struct duet *duet, struct trip *trips, unsigned n)
{
    for (unsigned i = 0; i < n;) {
        for (; i < n && ski_h2_room(duet->h2) > 0; i++) {
            char target[16];

            snprintf(target, sizeof target, "/%u", i);
            trip_init(&trips[i], duet, target);
            trip_start(&trips[i], duet);
        }
        duet_pump(duet);
        h2_server_answer(duet->server, n);
        duet_pump(duet);
    }
}

static void keeps_the_servers_limit(void)
{
    enum { N = SKI_H2_MAX_STREAMS + 50 };

    for (size_t i = 0; i < sizeof limit_rows / sizeof *limit_rows; i++) {
        struct trip *trips = calloc(N, sizeof *trips);
        struct duet duet;

        CU_ASSERT_PTR_NOT_NULL_FATAL(trips);
        duet_init(&duet, OPTIONS(.hold = true, .n_settings = limit_rows[i].says,
                                 .settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                               limit_rows[i].limit}}));
        CU_ASSERT_EQUAL(ski_h2_room(duet.h2), limit_rows[i].room);
        run_all(&duet, trips, N);
        for (unsigned n = 0; n < N; n++)
            CU_ASSERT(trip_hit(&trips[n]) && duet.counts.numbered[n] == 1);
        CU_ASSERT_EQUAL(duet.counts.most_open, limit_rows[i].room);
        CU_ASSERT_EQUAL(duet.counts.refused, 0);
        trips_free(trips, N);
        duet_free(&duet);
    }
}

static void keeps_a_limit_that_changes(void)
{
    struct duet duet;
    struct trip *trips;

    duet_init(&duet, OPTIONS(.hold = true, SETTING(MAX_CONCURRENT_STREAMS, 0)));
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    h2_server_set(duet.server, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 4);
    duet_pump(&duet);
    trips = trips_start(&duet, 4);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    h2_server_set(duet.server, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 6);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 2);

    /* Those beyond a lower limit go on. */
    h2_server_set(duet.server, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    h2_server_answer(duet.server, 2);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    h2_server_answer(duet.server, 1);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 1);
    h2_server_answer(duet.server, 1);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 2);
    CU_ASSERT_EQUAL(trips_count(trips, 4, SKI_H2_COMPLETE), 4);
    CU_ASSERT_EQUAL(duet.counts.refused, 0);
    trips_free(trips, 4);
    duet_free(&duet);
}

/* --- bodies, and windows ----------------------------------------------------------------------- */

static char *long_body(size_t length)
{
    char *body = malloc(length + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    for (size_t i = 0; i < length; i++)
        body[i] = (char)('a' + i % 26);
    body[length] = '\0';
    return body;
}

static void sends_bodies_beyond_the_window(void)
{
    static const size_t lengths[] = {1, 16383, 16384, 16385, 65534, 65535, 65536, 1000000};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *body = long_body(lengths[i]);
        struct duet duet;
        struct trip trip;

        duet_init(&duet, OPTIONS(0));
        trip_post(&trip, &duet, "/echo", body, lengths[i]);
        trip.exchange.max_body = trip.exchange.answer.maximum = lengths[i];
        trip_start(&trip, &duet);
        duet_pump(&duet);
        CU_ASSERT_EQUAL(duet.counts.body_bytes, lengths[i]);
        CU_ASSERT_EQUAL(trip.end, SKI_H2_COMPLETE);
        CU_ASSERT(trip_got(&trip, body));
        CU_ASSERT(duet_lives(&duet));
        trip_free(&trip);
        duet_free(&duet);
        free(body);
    }
}

static void waits_for_the_servers_window(void)
{
    struct duet duet;
    struct trip trip;

    duet_init(&duet, OPTIONS(.stuck = true, SETTING(INITIAL_WINDOW_SIZE, 0)));
    trip_post(&trip, &duet, "/echo", "0123456789", 10);
    trip_start(&trip, &duet);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.exchange.phase, SCALEKIT_PHASE_SEND);
    CU_ASSERT_EQUAL(duet.counts.body_bytes, 0);
    CU_ASSERT(duet_lives(&duet));
    h2_server_set(duet.server, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.exchange.phase, SCALEKIT_PHASE_SEND);
    CU_ASSERT_EQUAL(duet.counts.body_bytes, 4);
    h2_server_set(duet.server, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10);
    duet_pump(&duet);
    CU_ASSERT(trip_got(&trip, "0123456789"));
    trip_free(&trip);
    duet_free(&duet);
}

/* What nobody reads uses the connection's window up; what has no body needs none. */
static void passes_by_a_reader_that_is_stuck(void)
{
    char *body = long_body(100000);
    struct duet duet;
    struct trip trip;

    duet_init(&duet, OPTIONS(.stuck = true));
    trip_post(&trip, &duet, "/echo", body, 100000);
    trip_start(&trip, &duet);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.body_bytes, 65535);
    CU_ASSERT_EQUAL(trip.exchange.phase, SCALEKIT_PHASE_SEND);
    CU_ASSERT(duet_lives(&duet));
    ski_h2_cancel(duet.h2, &trip.exchange, 0);
    trip_free(&trip);
    free(body);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.resets, 1);
    CU_ASSERT(duet_lives(&duet));
    duet_free(&duet);
}

static void reads_bodies_beyond_all_windows(void)
{
    const size_t length = 3 * (size_t)SKI_H2_CONNECTION_WINDOW / 2;
    char *body = long_body(length), target[32];
    struct duet duet;
    struct trip trip;

    snprintf(target, sizeof target, "/bytes/%zu", length);
    duet_init(&duet, OPTIONS(0));
    trip_init(&trip, &duet, target);
    trip.exchange.max_body = trip.exchange.answer.maximum = length;
    trip_start(&trip, &duet);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.end, SKI_H2_COMPLETE);
    CU_ASSERT(trip_got(&trip, body));
    CU_ASSERT(duet_lives(&duet));
    trip_free(&trip);
    duet_free(&duet);
    free(body);
}

static const struct {
    const char *target;
    size_t max;
    enum ski_h2_end end;
} cap_rows[] = {
    {"/bytes/100", 100, SKI_H2_COMPLETE},   {"/bytes/100", 99, SKI_H2_BROKEN},
    {"/bytes/1000000", 100, SKI_H2_BROKEN}, {"/bytes/9000000", 100, SKI_H2_BROKEN},
    {"/bytes/0", 0, SKI_H2_COMPLETE},       {"/bytes/1", 0, SKI_H2_BROKEN},
    {"/no-length", 2, SKI_H2_COMPLETE},     {"/no-length", 1, SKI_H2_BROKEN},
    {"/empty-data", 2, SKI_H2_COMPLETE},    {"/empty-data", 1, SKI_H2_BROKEN},
    {"/padded", 2, SKI_H2_COMPLETE},        {"/head", 0, SKI_H2_COMPLETE},
};

static void caps_the_body(void)
{
    for (size_t i = 0; i < sizeof cap_rows / sizeof *cap_rows; i++) {
        struct duet duet;
        struct trip trip;

        duet_init(&duet, OPTIONS(0));
        trip_init(&trip, &duet, cap_rows[i].target);
        trip.exchange.max_body = trip.exchange.answer.maximum = cap_rows[i].max;
        if (strcmp(cap_rows[i].target, "/head") == 0)
            trip.exchange.method = "HEAD";
        trip_start(&trip, &duet);
        duet_pump(&duet);
        CU_ASSERT(trip.over == 1 && trip.end == cap_rows[i].end);
        if (cap_rows[i].end == SKI_H2_BROKEN)
            CU_ASSERT_EQUAL(trip.failure.code, SCALEKIT_ERR_TOO_LARGE);
        CU_ASSERT(trip.exchange.answer.length <= cap_rows[i].max);
        CU_ASSERT(duet_lives(&duet));
        trip_free(&trip);
        duet_free(&duet);
    }
}

/* --- phases, and what has been sent ------------------------------------------------------------ */

static void tells_the_phases(void)
{
    struct duet duet;
    struct trip trip;

    duet_init(&duet, OPTIONS(.hold = true));
    trip_init(&trip, &duet, "/slow/10");
    trip_start(&trip, &duet);
    CU_ASSERT_EQUAL(trip.exchange.phase, SCALEKIT_PHASE_SEND);
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 1);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.exchange.phase, SCALEKIT_PHASE_WAIT);
    h2_server_answer(duet.server, 1);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.exchange.phase, SCALEKIT_PHASE_RECEIVE);
    h2_server_more(duet.server, 9);
    duet_pump(&duet);
    CU_ASSERT_FALSE(trip.over);
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 1);
    h2_server_more(duet.server, 1);
    duet_pump(&duet);
    CU_ASSERT(trip.over && trip.end == SKI_H2_COMPLETE);
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 0);
    trip_free(&trip);
    duet_free(&duet);
}

/* Two requests, one after the other: whether a byte of each has left when `unsent` bytes have not. */
static void lose_or_cancel(size_t unsent, bool cancel, size_t *total)
{
    struct duet duet;
    struct trip trips[2];
    size_t begins[2], left;

    duet_init(&duet, OPTIONS(.hold = true));
    for (int i = 0; i < 2; i++) {
        begins[i] = duet.written;
        trip_post(&trips[i], &duet, "/echo", "0123456789", 10);
        trip_start(&trips[i], &duet);
        duet_write(&duet);
    }
    *total = duet.written;
    left = duet.written - unsent;
    if (!cancel) {
        ski_h2_lose(duet.h2, NULL);
        duet_collect(&duet, unsent);
    }
    for (int i = 0; i < 2; i++) {
        if (cancel)
            ski_h2_cancel(duet.h2, &trips[i].exchange, unsent);
        else
            CU_ASSERT(trips[i].over == 1 && trips[i].end == SKI_H2_BROKEN);
        CU_ASSERT_EQUAL(trips[i].exchange.sent, left > begins[i]);
        trip_free(&trips[i]);
    }
    duet_free(&duet);
}

static void knows_what_has_left(void)
{
    size_t total = 0;

    for (size_t unsent = 0; unsent == 0 || unsent <= total; unsent++) {
        lose_or_cancel(unsent, false, &total);
        lose_or_cancel(unsent, true, &total);
    }
    CU_ASSERT(total > 50);
}

static void loses_all_in_their_phases(void)
{
    static const enum scalekit_phase phases[] = {SCALEKIT_PHASE_RECEIVE, SCALEKIT_PHASE_WAIT,
                                                 SCALEKIT_PHASE_SEND};
    struct ski_failure failure;
    struct duet duet;
    struct trip trips[3];

    duet_init(&duet, OPTIONS(0));
    trip_init(&trips[0], &duet, "/slow/10");
    trip_init(&trips[1], &duet, "/mute");
    trip_init(&trips[2], &duet, "/never-sent");
    trip_start(&trips[0], &duet);
    trip_start(&trips[1], &duet);
    duet_pump(&duet);
    trip_start(&trips[2], &duet);
    ski_fail(&failure, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_NONE, "bad record");
    ski_h2_lose(duet.h2, &failure);
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 0);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    duet_collect(&duet, 0);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(trips[i].over == 1 && trips[i].end == SKI_H2_BROKEN);
        CU_ASSERT_EQUAL(trips[i].failure.code, SCALEKIT_ERR_TLS);
        CU_ASSERT_EQUAL(trips[i].failure.phase, phases[i]);
        CU_ASSERT_STRING_EQUAL(trips[i].failure.text, "bad record");
        CU_ASSERT_EQUAL(trips[i].exchange.sent, i < 2);
        trip_free(&trips[i]);
    }
    duet_free(&duet);
}

/* --- cancelling -------------------------------------------------------------------------------- */

/* Exchanges are freed at once, for nothing may look at them any more. */
static void cancel_all(struct duet *duet, struct trip *trips, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ski_h2_cancel(duet->h2, &trips[i].exchange, 0);
    trips_free(trips, n);
    CU_ASSERT_EQUAL(ski_h2_load(duet->h2), 0);
}

static void cancels_at_any_time(void)
{
    enum { N = 20 };
    struct duet duet;
    struct trip *trips;

    /* Before a byte was written: nobody hears of them. */
    duet_init(&duet, OPTIONS(.hold = true));
    cancel_all(&duet, trips_start(&duet, N), N);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.requests, 0);
    CU_ASSERT_EQUAL(duet.counts.resets, 0);

    /* Under way: the server is told. */
    trips = trips_start(&duet, N);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.requests, N);
    cancel_all(&duet, trips, N);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.resets, N);
    CU_ASSERT_EQUAL(duet.counts.reset_code, NGHTTP2_CANCEL);
    CU_ASSERT_EQUAL(duet.counts.open, 0);

    /* While the answers are on their way. */
    trips = trips_start(&duet, N);
    duet_write(&duet);
    h2_server_answer(duet.server, N);
    cancel_all(&duet, trips, N);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.open, 0);

    /* Over, and not yet asked for. */
    trips = trips_start(&duet, N);
    duet_write(&duet);
    h2_server_answer(duet.server, N);
    ski_h2_read(duet.h2, duet.inbox.data, duet.inbox.length);
    ski_buf_clear(&duet.inbox);
    cancel_all(&duet, trips, N);
    duet_pump(&duet);

    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), SKI_H2_MAX_STREAMS);
    trips = trips_start(&duet, 1);
    duet_pump(&duet);
    h2_server_answer(duet.server, 1);
    duet_pump(&duet);
    CU_ASSERT(trip_hit(&trips[0]));
    trips_free(trips, 1);
    duet_free(&duet);
}

static void cancels_in_the_middle_of_a_body(void)
{
    char *body = long_body(100000);
    struct duet duet;
    struct trip trip;
    const char *bytes;
    size_t length;

    duet_init(&duet, OPTIONS(0));
    trip_post(&trip, &duet, "/echo", body, 100000);
    trip_start(&trip, &duet);
    for (int i = 0; i < 3; i++) {
        length = ski_h2_write(duet.h2, &bytes);
        CU_ASSERT(length > 0);
        h2_server_receive(duet.server, bytes, length);
    }
    ski_h2_cancel(duet.h2, &trip.exchange, 0);
    trip_free(&trip);
    free(body);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.resets, 1);
    CU_ASSERT_EQUAL(duet.counts.open, 0);
    CU_ASSERT(duet_lives(&duet));
    duet_free(&duet);
}

/* An answer before the request was read is complete, and what is left of the request stays here. */
static void stops_sending_what_is_answered(void)
{
    char *body = long_body(1000000);
    struct duet duet;
    struct trip trip;

    duet_init(&duet, OPTIONS(.stuck = true));
    trip_post(&trip, &duet, "/early-no-reset", body, 1000000);
    trip_start(&trip, &duet);
    duet_pump(&duet);
    CU_ASSERT(trip.over == 1 && trip.end == SKI_H2_COMPLETE);
    CU_ASSERT(trip_got(&trip, "ok"));
    trip_free(&trip);
    free(body);
    CU_ASSERT_EQUAL(duet.counts.resets, 1);
    CU_ASSERT(duet_lives(&duet));
    duet_free(&duet);
}

static void forgets_what_is_on_it_when_freed(void)
{
    struct duet duet;
    struct trip *trips;

    duet_init(&duet, OPTIONS(.hold = true));
    trips = trips_start(&duet, 3);
    duet_write(&duet);
    h2_server_answer(duet.server, 1);
    ski_h2_read(duet.h2, duet.inbox.data, duet.inbox.length);
    duet_free(&duet);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_FALSE(ski_list_linked(&trips[i].exchange.link));
    trips_free(trips, 3);
}

/* --- farewells, and refusals -------------------------------------------------------------------- */

static const struct {
    const char *promise;
    struct h2_server_options options;
    unsigned n, complete, left_out, refused;
    enum ski_h2_state state;
} farewell_rows[] = {
    {"finishes ten, leaves out the rest", {.goaway_every = 10}, 25, 10, 15, 0, SKI_H2_LEAVING},
    {"finishes all after a notice",
     {.hold = true, .goaway_every = 10, .goaway_notice = true},
     25,
     25,
     0,
     0,
     SKI_H2_LEAVING},
    {"is told of each that is refused",
     {.reset_every = 7, .reset_code = NGHTTP2_REFUSED_STREAM},
     25,
     22,
     0,
     3,
     SKI_H2_OPEN},
    {"and goes on when all are",
     {.reset_every = 1, .reset_code = NGHTTP2_REFUSED_STREAM},
     25,
     0,
     0,
     25,
     SKI_H2_OPEN},
};

static void loses_nothing_by_a_farewell(void)
{
    for (size_t i = 0; i < sizeof farewell_rows / sizeof *farewell_rows; i++) {
        unsigned n = farewell_rows[i].n;
        struct duet duet;
        struct trip *trips;

        duet_init(&duet, &farewell_rows[i].options);
        trips = trips_start(&duet, n);
        duet_pump(&duet);
        h2_server_answer(duet.server, n);
        duet_pump(&duet);
        if (trips_count(trips, n, SKI_H2_COMPLETE) != farewell_rows[i].complete ||
            trips_count(trips, n, SKI_H2_LEFT_OUT) != farewell_rows[i].left_out ||
            trips_count(trips, n, SKI_H2_REFUSED) != farewell_rows[i].refused ||
            ski_h2_state(duet.h2) != farewell_rows[i].state)
            CU_FAIL(farewell_rows[i].promise);
        /* Whatever may go again was never looked at, and is not said to have been sent. */
        for (unsigned k = 0; k < n; k++)
            CU_ASSERT(trips[k].over == 1 &&
                      duet.counts.numbered[k] == (trips[k].end == SKI_H2_COMPLETE) &&
                      trips[k].exchange.sent == (trips[k].end == SKI_H2_COMPLETE));
        trips_free(trips, n);
        duet_free(&duet);
    }
}

static void finishes_what_a_goaway_lets_pass(void)
{
    struct duet duet;
    struct trip *trips;

    duet_init(&duet, OPTIONS(.hold = true));
    trips = trips_start(&duet, 5);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(h2_server_waiting(duet.server), 5);
    h2_server_goaway(duet.server, 3, NGHTTP2_NO_ERROR, NULL);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_LEAVING);
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 2);
    CU_ASSERT_EQUAL(ski_h2_room(duet.h2), 0);
    CU_ASSERT_EQUAL(trips_count(trips, 5, SKI_H2_LEFT_OUT), 3);
    h2_server_answer(duet.server, 2);
    duet_pump(&duet);
    CU_ASSERT(trip_hit(&trips[0]) && trip_hit(&trips[1]));
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 0);
    trips_free(trips, 5);
    duet_free(&duet);
}

static void gives_back_what_was_not_yet_written(void)
{
    struct duet duet;
    struct trip *trips;

    duet_init(&duet, OPTIONS(0));
    h2_server_goaway(duet.server, 0, NGHTTP2_NO_ERROR, NULL);
    trips = trips_start(&duet, 5);
    ski_h2_read(duet.h2, duet.inbox.data, duet.inbox.length);
    duet_collect(&duet, 0);
    CU_ASSERT_EQUAL(trips_count(trips, 5, SKI_H2_REFUSED), 5);
    CU_ASSERT_FALSE(trips[0].exchange.sent);
    CU_ASSERT_EQUAL(duet.counts.requests, 0);
    trips_free(trips, 5);
    duet_free(&duet);
}

/* One that is reset leaves the others alone. */
static void resets_are_for_one(void)
{
    struct duet duet;
    struct trip *trips;

    duet_init(&duet, OPTIONS(.reset_every = 7, .reset_code = NGHTTP2_INTERNAL_ERROR));
    trips = trips_start(&duet, 70);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trips_count(trips, 70, SKI_H2_BROKEN), 10);
    CU_ASSERT_EQUAL(trips_count(trips, 70, SKI_H2_COMPLETE), 60);
    for (unsigned i = 0; i < 70; i++)
        CU_ASSERT(trips[i].end == SKI_H2_COMPLETE || trips[i].exchange.sent);
    CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_OPEN);
    trips_free(trips, 70);
    duet_free(&duet);
}

static void is_reset_while_it_waits(void)
{
    struct duet duet;
    struct trip *trips;

    duet_init(&duet, OPTIONS(.hold = true));
    trips = trips_start(&duet, 2);
    duet_pump(&duet);
    h2_server_reset(duet.server, NGHTTP2_ENHANCE_YOUR_CALM);
    duet_pump(&duet);
    CU_ASSERT(trips[0].over == 1 && trips[0].end == SKI_H2_BROKEN && trips[0].exchange.sent);
    CU_ASSERT_EQUAL(trips[0].failure.phase, SCALEKIT_PHASE_WAIT);
    h2_server_answer(duet.server, 1);
    duet_pump(&duet);
    CU_ASSERT(trip_hit(&trips[1]));
    h2_server_end(duet.server, H2_FINISH);
    duet_finish(&duet);
    CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_FAILED);
    trips_free(trips, 2);
    duet_free(&duet);
}

static void pings(void)
{
    struct duet duet;

    duet_init(&duet, OPTIONS(0));
    ski_h2_ping(duet.h2);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.pings, 1);
    CU_ASSERT_EQUAL(duet.counts.ping_acks, 0);
    h2_server_play(duet.server, "/ping-alone");
    duet_pump(&duet);
    CU_ASSERT_EQUAL(duet.counts.pings, 1);
    CU_ASSERT_EQUAL(duet.counts.ping_acks, 1);
    duet_free(&duet);
}

static void tells_the_server_what_it_broke(void)
{
    struct duet duet;

    duet_init(&duet, OPTIONS(0));
    h2_server_play(duet.server, "/data-on-idle");
    duet_pump(&duet);
    CU_ASSERT_EQUAL(ski_h2_state(duet.h2), SKI_H2_FAILED);
    CU_ASSERT_EQUAL(duet.counts.goaways, 1);
    CU_ASSERT_EQUAL(duet.counts.goaway_code, NGHTTP2_PROTOCOL_ERROR);
    duet_free(&duet);
}

/* --- memory ------------------------------------------------------------------------------------ */

static const char *const targets[] = {"/good",         "/echo",        "/hints", "/trailers",
                                      "/continuation", "/bytes/60000", "/reset", "/no-status"};

#define N_TARGETS (sizeof targets / sizeof *targets)

/* All at once, so that little that nghttp2 takes can be what it gave back. */
static bool make_every_trip(struct test_memory *memory, void *user)
{
    struct trip trips[N_TARGETS];
    struct duet duet;
    bool through;

    (void)user;
    if (!duet_try_init(&duet, OPTIONS(0), &memory->allocator))
        return false;
    duet.piece = 5000;
    duet_pump(&duet);
    through = ski_h2_state(duet.h2) == SKI_H2_OPEN;
    for (size_t i = 0; i < N_TARGETS; i++) {
        trip_post(&trips[i], &duet, targets[i], "0123456789", 10);
        if (through)
            trip_start(&trips[i], &duet);
    }
    duet_pump(&duet);
    if (ski_h2_state(duet.h2) == SKI_H2_FAILED) {
        CU_ASSERT_EQUAL(ski_h2_failure(duet.h2)->code, SCALEKIT_ERR_NOMEM);
        duet_finish(&duet);
        through = false;
    }
    CU_ASSERT_EQUAL(ski_h2_load(duet.h2), 0);
    for (size_t i = 0; i < N_TARGETS; i++) {
        through &= trips[i].over == 1 && trips[i].failure.code != SCALEKIT_ERR_NOMEM;
        trip_free(&trips[i]);
    }
    duet_free(&duet);
    return through;
}

static void survives_lack_of_memory(void)
{
    CU_ASSERT(test_every_allocation(make_every_trip, NULL) > 20);
}

SUITE(h2, {"says what is asked", says_what_is_asked}, {"sends large headers", sends_large_headers},
      {"sends nothing that may not be sent", sends_nothing_that_may_not_be_sent},
      {"opens nothing before the settings", opens_nothing_before_the_settings},
      {"knows what is no HTTP/2", knows_what_is_no_http2},
      {"keeps the server's limit", keeps_the_servers_limit},
      {"keeps a limit that changes", keeps_a_limit_that_changes},
      {"sends bodies beyond the window", sends_bodies_beyond_the_window},
      {"waits for the server's window", waits_for_the_servers_window},
      {"passes by a reader that is stuck", passes_by_a_reader_that_is_stuck},
      {"reads bodies beyond all windows", reads_bodies_beyond_all_windows},
      {"caps the body", caps_the_body}, {"tells the phases", tells_the_phases},
      {"knows what has left", knows_what_has_left},
      {"loses all, each in its phase", loses_all_in_their_phases},
      {"cancels at any time", cancels_at_any_time},
      {"cancels in the middle of a body", cancels_in_the_middle_of_a_body},
      {"stops sending what is answered", stops_sending_what_is_answered},
      {"forgets what is on it when freed", forgets_what_is_on_it_when_freed},
      {"loses nothing by a farewell", loses_nothing_by_a_farewell},
      {"finishes what a GOAWAY lets pass", finishes_what_a_goaway_lets_pass},
      {"gives back what was not yet written", gives_back_what_was_not_yet_written},
      {"takes a reset for one only", resets_are_for_one},
      {"is reset while it waits", is_reset_while_it_waits}, {"pings, and is pinged", pings},
      {"tells the server what it broke", tells_the_server_what_it_broke},
      {"survives every lack of memory", survives_lack_of_memory})
