/* The pool with a server that speaks HTTP/2. */
#include "http/h2.h"
#include "http/pool.h"
#include "rig.h"

#define MAX_MULTIPLEXED 4 /* connections to an HTTP/2 server */
#define LIMIT(n)        .settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, n}}, .n_settings = 1

static const struct h2_server_options good, holding = {.hold = true};

static void start_pond(struct pond *pond, const struct h2_server_options *options,
                       unsigned max_connections, unsigned max_queue)
{
    rig_init(&pond->rig, &(struct rig_options){.h2 = options});
    pond_open(pond, max_connections, max_queue);
}

/* Requests that the servers hold. */
static unsigned held(const struct pond *pond)
{
    unsigned n = 0;

    for (unsigned i = h2_peer_links(pond->rig.h2); i-- > 0;)
        n += h2_server_waiting(rig_server(&pond->rig, i));
    return n;
}

static void answer_all(struct pond *pond)
{
    for (unsigned i = h2_peer_links(pond->rig.h2); i-- > 0;)
        h2_server_answer(rig_server(&pond->rig, i), UINT32_MAX);
}

/* Answers what comes, until all that was started is done. */
static void serve(struct pond *pond)
{
    rig_begin_waiting(&pond->rig);
    do
        answer_all(pond);
    while (pond->rig.pending > 0 && rig_turn(&pond->rig));
    rig_end_waiting(&pond->rig);
    CU_ASSERT_EQUAL(pond->rig.pending, 0);
}

/* --- how many connections ---------------------------------------------------------------------- */

/* Turns the loop until so many are held; all the while only one connection is opening. */
static void fill(struct pond *pond, unsigned n, unsigned max_members)
{
    rig_begin_waiting(&pond->rig);
    while (held(pond) < n && rig_turn(&pond->rig)) {
        struct ski_pool_counts counts = pond_count(pond);

        CU_ASSERT(counts.opening <= 1);
        CU_ASSERT(counts.open + counts.opening <= max_members);
        CU_ASSERT(counts.opening == 0 || h2_peer_links(pond->rig.h2) <= counts.open + 1);
    }
    rig_end_waiting(&pond->rig);
    CU_ASSERT_EQUAL(held(pond), n);
}

static void run_cold(unsigned max_connections, unsigned members, unsigned n)
{
    unsigned most = members * SKI_H2_MAX_STREAMS, carried = n < most ? n : most;
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &holding, max_connections, n);
    shots = shots_new(&pond.rig, n, NULL);
    pond_start_all(&pond, shots, n);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, n);
    fill(&pond, carried, members);
    test_loop_turn(&pond.rig.test);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    CU_ASSERT_EQUAL(pond_count(&pond).open, members);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, n - carried);
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, n), n);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, members);
    CU_ASSERT_EQUAL(pond_accepted(&pond), members);
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->requests, n);
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->refused, 0);
    shots_free(shots, n);
    pond_free(&pond);
}

static void grows_one_at_a_time_to_its_limit(void)
{
    run_cold(64, 1, 256);
    run_cold(64, 2, 257);
    run_cold(64, 4, 1000);
    run_cold(64, 4, 2000);
    run_cold(2, 2, 2000);
    run_cold(1, 1, 1000);
}

/* What it turned out to be shows the first connection, and the pool goes by it. */
static void opens_as_many_as_wait_when_it_is_http1(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &good, 8, 100);
    rig_speak(&pond.rig, "http/1.1");
    shots = shots_new(&pond.rig, 100, NULL);
    pond_start_all(&pond, shots, 100);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    RIG_UNTIL(&pond.rig, pond_count(&pond).open == 1);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 7);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(shots, 100), 100);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 8);
    shots_free(shots, 100);
    pond_free(&pond);
}

static void opens_another_only_when_all_are_full(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &(struct h2_server_options){LIMIT(10), .hold = true}, 64, 100);
    shots = shots_new(&pond.rig, 11, NULL);
    pond_start_all(&pond, shots, 10);
    RIG_UNTIL(&pond.rig, held(&pond) == 10);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    pond_start(&pond, &shots[10]);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    RIG_UNTIL(&pond.rig, held(&pond) == 11);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 2);
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, 11), 11);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 2);
    shots_free(shots, 11);
    pond_free(&pond);
}

/* Under light load the last used is used next, and time closes the others. */
static void lets_surplus_connections_fall_idle(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &(struct h2_server_options){LIMIT(10), .hold = true}, 64, 100);
    shots = shots_new(&pond.rig, 40, NULL);
    pond_start_all(&pond, shots, 40);
    RIG_UNTIL(&pond.rig, held(&pond) == 40);
    serve(&pond);
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 4);
    for (unsigned i = 0; i < 4; i++) {
        rig_advance_ms(&pond.rig, POND_IDLE_MS * 2 / 5);
        ski_exchange_reset(&shots[i].exchange);
        pond_start(&pond, &shots[i]);
        serve(&pond);
        CU_ASSERT_EQUAL(shots[i].done, 2);
    }
    CU_ASSERT_EQUAL(pond_count(&pond).open, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 4);
    rig_advance_ms(&pond.rig, POND_IDLE_MS + 8);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
    RIG_UNTIL(&pond.rig, h2_peer_links(pond.rig.h2) == 0);
    shots_free(shots, 40);
    pond_free(&pond);
}

/* The same server, upgraded, downgraded and upgraded again. */
static void follows_what_the_server_speaks(void)
{
    static const char *const protocols[] = {"h2", "http/1.1", "h2", NULL, "h2"};
    enum { N = 20, MAX = 5 };
    struct pond pond;

    start_pond(&pond, &good, MAX, N);
    for (unsigned i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        bool many = protocols[i] && strcmp(protocols[i], "h2") == 0;
        unsigned before = pond_accepted(&pond);
        struct shot *shots = shots_new(&pond.rig, N, NULL);

        rig_speak(&pond.rig, protocols[i]);
        pond_start_all(&pond, shots, N);
        RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
        CU_ASSERT_EQUAL(shots_hit(shots, N), N);
        if (i == 0) /* later it is first taken for what it was */
            CU_ASSERT_EQUAL(pond_accepted(&pond), 1);
        CU_ASSERT(pond_accepted(&pond) - before <= MAX);
        CU_ASSERT(many || pond_accepted(&pond) - before == MAX);
        CU_ASSERT(strstr(pond.rig.test.log, many ? "HTTP/2" : "HTTP/1.1") != NULL);
        pond.rig.test.log[0] = '\0';
        rig_advance_ms(&pond.rig, POND_IDLE_MS + 8);
        CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
        shots_free(shots, N);
    }
    pond_free(&pond);
}

/* --- farewells --------------------------------------------------------------------------------- */

/* What comes back goes out again before those that have waited all the time, be it a POST. */
static void sends_what_came_back_first(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &(struct h2_server_options){LIMIT(2), .hold = true}, 1, 10);
    shots = shots_new(&pond.rig, 6, NULL);
    for (unsigned i = 0; i < 6; i++)
        shot_set_body(&shots[i], "once", 4);
    pond_start_all(&pond, shots, 6);
    RIG_UNTIL(&pond.rig, held(&pond) == 2);
    h2_server_goaway(rig_server(&pond.rig, 0), 1, NGHTTP2_NO_ERROR, NULL);
    RIG_UNTIL(&pond.rig, pond_count(&pond).open == 1 && held(&pond) >= 3);
    CU_ASSERT_EQUAL(pond_count(&pond).leaving, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 3);
    CU_ASSERT(shots[1].exchange.connection && shots[2].exchange.connection);
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, 6), 6);
    CU_ASSERT(shots[1].order < shots[3].order);
    shots_free(shots, 6);
    pond_free(&pond);
}

/* In `done`: one more, so that always as many are under way. */
struct stream_of_shots {
    struct pond *pond;
    struct shot *shots;
    unsigned next, n;
};

static void start_one_more(struct shot *shot)
{
    struct stream_of_shots *all = shot->user;

    if (all->next < all->n)
        pond_start(all->pond, &all->shots[all->next++]);
}

static void run_goaways(const struct h2_server_options *options)
{
    enum { N = 2000, AT_A_TIME = 500 };
    struct pond pond;
    struct stream_of_shots all = {.pond = &pond, .next = AT_A_TIME, .n = N};
    unsigned twice = 0;

    start_pond(&pond, options, 64, AT_A_TIME);
    all.shots = shots_new(&pond.rig, N, NULL);
    for (unsigned i = 0; i < N; i++) {
        all.shots[i].then = start_one_more;
        all.shots[i].user = &all;
    }
    pond_start_all(&pond, all.shots, AT_A_TIME);
    while (pond.rig.pending > 0 && !pond.rig.expired) { /* it may take long, but not rest */
        unsigned heard = rig_heard(&pond.rig)->requests;

        RIG_UNTIL(&pond.rig, pond.rig.pending == 0 || rig_heard(&pond.rig)->requests > heard);
    }
    CU_ASSERT_EQUAL(shots_hit(all.shots, N), N);
    for (unsigned i = 0; i < N; i++)
        twice += rig_heard(&pond.rig)->numbered[i] != 1;
    CU_ASSERT_EQUAL(twice, 0);
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->requests, N);
    RIG_UNTIL(&pond.rig, pond_count(&pond).leaving == 0);
    CU_ASSERT(pond_count(&pond).open <= MAX_MULTIPLEXED);
    shots_free(all.shots, N);
    pond_free(&pond);
}

static void nobody_notices_a_server_that_leaves_every_10(void)
{
    run_goaways(&(struct h2_server_options){.goaway_every = 10});
    run_goaways(&(struct h2_server_options){.goaway_every = 10, .goaway_notice = true});
}

static void counts_none_that_is_leaving(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &holding, 1, 10);
    shots = shots_new(&pond.rig, 3, NULL);
    for (unsigned i = 0; i < 3; i++) {
        pond_start(&pond, &shots[i]);
        RIG_UNTIL(&pond.rig, held(&pond) == i + 1);
        CU_ASSERT_EQUAL(pond_count(&pond).open, 1);
        h2_server_goaway(rig_server(&pond.rig, i), -1, NGHTTP2_NO_ERROR, NULL);
        RIG_UNTIL(&pond.rig, pond_count(&pond).leaving == i + 1);
        CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
    }
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, 3), 3);
    RIG_UNTIL(&pond.rig, pond_count(&pond).leaving == 0);
    shots_free(shots, 3);
    pond_free(&pond);
}

/* It refuses whatever comes: twice is enough. */
static void gives_up_what_is_refused_twice(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond,
               &(struct h2_server_options){.reset_every = 1, .reset_code = NGHTTP2_REFUSED_STREAM},
               4, 1000);
    shots = shots_new(&pond.rig, 600, NULL);
    pond_start_all(&pond, shots, 600);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < 600; i++) {
        CU_ASSERT_EQUAL(shots[i].done, 1);
        CU_ASSERT_EQUAL(shots[i].failure.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT_FALSE(shots[i].exchange.sent);
    }
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->refused, 1200);
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->requests, 0);
    ski_exchange_reset(&shots[0].exchange); /* and begins to count anew when started again */
    pond_start(&pond, &shots[0]);
    RIG_UNTIL(&pond.rig, shots[0].done == 2);
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->refused, 1202);
    shots_free(shots, 600);
    pond_free(&pond);
}

/* The same by GOAWAY: each exchange costs two connections at most, and as they are many, less. */
static void does_not_knock_for_ever_at_goaways(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &good, 4, 1000);
    shots = shots_new(&pond.rig, 1000, "/goaway-all");
    pond_start_all(&pond, shots, 1000);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(shots[i].done, 1);
        CU_ASSERT_EQUAL(shots[i].failure.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT_FALSE(shots[i].exchange.sent);
    }
    CU_ASSERT(pond_accepted(&pond) <= 20);
    shots_free(shots, 1000);
    pond_free(&pond);
}

/* It says GOAWAY together with its SETTINGS, so that nothing is ever refused. */
static void does_not_knock_for_ever_at_early_goaways(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &(struct h2_server_options){.late = true}, 4, 10);
    shots = shots_new(&pond.rig, 10, NULL);
    pond_start_all(&pond, shots, 10);
    rig_begin_waiting(&pond.rig);
    while (pond.rig.pending > 0 && rig_turn(&pond.rig) && pond_accepted(&pond) < 100) {
        for (unsigned i = h2_peer_links(pond.rig.h2); i-- > 0;) {
            struct h2_server *server = rig_server(&pond.rig, i);

            h2_server_goaway(server, 0, NGHTTP2_NO_ERROR, NULL);
            h2_server_greet(server);
        }
    }
    rig_end_waiting(&pond.rig);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 3);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 0);
    for (unsigned i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(shots[i].done, 1);
        CU_ASSERT_EQUAL(shots[i].failure.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT_FALSE(shots[i].exchange.sent);
    }
    shots_free(shots, 10);
    pond_free(&pond);
}

/* --- failing ----------------------------------------------------------------------------------- */

/* From now on every handshake fails. */
static void refuse_handshakes(struct pond *pond)
{
    SSL_CTX_set_max_proto_version(pond->rig.server, TLS1_1_VERSION);
}

/* The first connection is full and works, no other can be opened.  The first of the shots fills it. */
static struct shot *start_full(struct pond *pond, unsigned n_shots)
{
    struct shot *shots;

    start_pond(pond, &(struct h2_server_options){LIMIT(1), .hold = true}, 4, 10);
    shots = shots_new(&pond->rig, n_shots, NULL);
    pond_start(pond, &shots[0]);
    RIG_UNTIL(&pond->rig, held(pond) == 1);
    refuse_handshakes(pond);
    return shots;
}

/* Those that wait hope for it. */
static void fails_nobody_while_one_works(void)
{
    struct pond pond;
    struct shot *shots;

    shots = start_full(&pond, 3);
    pond_start(&pond, &shots[1]);
    pond_start(&pond, &shots[2]);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    RIG_UNTIL(&pond.rig, pond_count(&pond).opening == 0);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 2);
    CU_ASSERT_EQUAL(pond.rig.n_done, 0);
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, 3), 3);
    shots_free(shots, 3);
    pond_free(&pond);
}

static void knocks_at_a_closed_door_once_a_second(void)
{
    struct pond pond;
    struct shot *shots;

    shots = start_full(&pond, 4);
    pond_start(&pond, &shots[1]);
    RIG_UNTIL(&pond.rig, pond_count(&pond).opening == 0);
    pond_start(&pond, &shots[2]);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    rig_advance_ms(&pond.rig, 1000);
    pond_start(&pond, &shots[3]);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, 4), 4);
    shots_free(shots, 4);
    pond_free(&pond);
}

static void fails_all_when_the_last_hope_is_gone(void)
{
    struct pond pond;
    struct shot *shots;

    shots = start_full(&pond, 3);
    pond_start(&pond, &shots[1]);
    pond_start(&pond, &shots[2]);
    RIG_UNTIL(&pond.rig, pond_count(&pond).opening == 0);
    h2_server_end(rig_server(&pond.rig, 0), H2_CUT);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT_EQUAL(shots[0].failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT(shots[0].exchange.sent);
    for (unsigned i = 1; i < 3; i++) {
        CU_ASSERT_EQUAL(shots[i].failure.code, SCALEKIT_ERR_TLS);
        CU_ASSERT_FALSE(shots[i].exchange.sent);
    }
    CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
    shots_free(shots, 3);
    pond_free(&pond);
}

/* The server shakes hands and says nothing. */
static void gives_up_waiting_for_the_settings(void)
{
    struct pond pond;
    struct shot shot;

    start_pond(&pond, &(struct h2_server_options){.late = true}, 4, 10);
    shot_init(&shot, &pond.rig, "/a");
    pond_start(&pond, &shot);
    RIG_UNTIL(&pond.rig, test_peer_counts(pond.rig.peer)->bytes > 24); /* our greeting */
    CU_ASSERT_EQUAL(ski_pool_phase(pond.pool, &shot.exchange), SCALEKIT_PHASE_SEND);
    rig_advance_ms(&pond.rig, POND_CONNECT_MS - 8);
    CU_ASSERT_EQUAL(shot.done, 0);
    rig_advance_ms(&pond.rig, 16);
    RIG_UNTIL(&pond.rig, shot.done);
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_ERR_CONNECT);
    CU_ASSERT_STRING_EQUAL(
        shot.failure.text,
        "the wait for the HTTP/2 SETTINGS of 127.0.0.1 did not finish within 1000 ms");
    CU_ASSERT_FALSE(shot.exchange.sent);
    shot_free(&shot);
    pond_free(&pond);
}

/* In `done`: one more. */
struct successor {
    struct pond *pond;
    struct shot *shot;
};

static void start_successor(struct shot *shot)
{
    struct successor *successor = shot->user;

    pond_start(successor->pond, successor->shot);
}

/* What `done` starts while a connection is lost does not go with it. */
static void starts_from_inside_a_loss(void)
{
    static const char *const targets[] = {"/cut", "/finish", "/window-overflow"};

    for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct pond pond;
        struct shot lost, next;
        struct successor successor = {&pond, &next};

        start_pond(&pond, &good, 1, 10);
        shot_init(&lost, &pond.rig, targets[i]);
        shot_init(&next, &pond.rig, "/next");
        lost.then = start_successor;
        lost.user = &successor;
        pond_start(&pond, &lost);
        RIG_UNTIL(&pond.rig, next.done);
        CU_ASSERT(shot_hit(&next));
        CU_ASSERT_EQUAL(lost.done, 1);
        shot_free(&lost);
        shot_free(&next);
        pond_free(&pond);
    }
}

/* --- a server without room ---------------------------------------------------------------------- */

static void waits_for_a_server_without_room(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &(struct h2_server_options){LIMIT(0)}, 2, 10);
    shots = shots_new(&pond.rig, 3, NULL);
    pond_start_all(&pond, shots, 3);
    RIG_UNTIL(&pond.rig, pond_count(&pond).open == 2);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 3);
    pond_cancel(&pond, &shots[0]);

    /* Its connections are closed as idle ones, and others opened for those that wait. */
    rig_advance_ms(&pond.rig, POND_IDLE_MS + 8);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    RIG_UNTIL(&pond.rig, pond_count(&pond).open == 2);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 4);
    h2_server_set(rig_server(&pond.rig, h2_peer_links(pond.rig.h2) - 1),
                  NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT(shot_hit(&shots[1]) && shot_hit(&shots[2]));
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 2);
    CU_ASSERT_EQUAL(shots[0].done, 0);
    shots_free(shots, 3);
    pond_free(&pond);
}

/* --- the queue --------------------------------------------------------------------------------- */

static void bounds_the_queue_and_lets_the_urgent_pass(void)
{
    struct pond pond;
    struct shot *shots;

    start_pond(&pond, &(struct h2_server_options){LIMIT(1), .hold = true}, 1, 2);
    shots = shots_new(&pond.rig, 5, NULL);
    pond_start(&pond, &shots[0]);
    RIG_UNTIL(&pond.rig, held(&pond) == 1);
    pond_start(&pond, &shots[1]);
    pond_start(&pond, &shots[2]);
    CU_ASSERT_EQUAL(pond_try_start(&pond, &shots[3]), SCALEKIT_ERR_QUEUE_FULL);
    shots[4].exchange.urgent = true;
    pond_start(&pond, &shots[4]);
    serve(&pond);
    CU_ASSERT_EQUAL(shots[0].order, 1);
    CU_ASSERT_EQUAL(shots[4].order, 2);
    CU_ASSERT_EQUAL(shots[1].order, 3);
    CU_ASSERT_EQUAL(shots[2].order, 4);
    CU_ASSERT_EQUAL(shots[3].done, 0);
    shots_free(shots, 5);
    pond_free(&pond);
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void cancel_successor(struct shot *shot)
{
    struct successor *successor = shot->user;

    pond_cancel(successor->pond, successor->shot);
}

static void cancels_in_every_place(void)
{
    struct pond pond;
    struct shot *shots;
    struct successor successor;

    start_pond(&pond, &(struct h2_server_options){LIMIT(4), .hold = true}, 1, 10);
    shots = shots_new(&pond.rig, 7, NULL);
    pond_start(&pond, &shots[0]); /* a connection is opening */
    pond_cancel(&pond, &shots[0]);
    pond_start_all(&pond, shots + 1, 3);
    RIG_UNTIL(&pond.rig, held(&pond) == 3);
    pond_start(&pond, &shots[4]); /* on the connection, not sent */
    CU_ASSERT_PTR_NOT_NULL(shots[4].exchange.connection);
    pond_start(&pond, &shots[5]); /* waiting, as it is full */
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 1);
    pond_cancel(&pond, &shots[5]);
    pond_cancel(&pond, &shots[4]);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 0);
    pond_cancel(&pond, &shots[1]); /* under way */
    RIG_UNTIL(&pond.rig, rig_heard(&pond.rig)->resets == 1);
    successor = (struct successor){&pond, &shots[3]}; /* over, and not told */
    shots[2].then = cancel_successor;
    shots[2].user = &successor;
    serve(&pond);
    pond_start(&pond, &shots[6]);
    serve(&pond);
    CU_ASSERT(shot_hit(&shots[2]) && shot_hit(&shots[6]));
    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(shots[i].done, i == 2);
    CU_ASSERT_FALSE(shots[4].exchange.sent);
    CU_ASSERT_EQUAL(rig_heard(&pond.rig)->requests, 4);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    shots_free(shots, 7);
    pond_free(&pond);
}

/* --- sleeping ---------------------------------------------------------------------------------- */

static void lets_go_of_the_loop(void)
{
    struct pond pond;
    struct event_base *base;

    start_pond(&pond, &(struct h2_server_options){LIMIT(1)}, 4, 10);
    base = pond.rig.test.base;
    CU_ASSERT(pond_shoot(&pond, "/a"));
    ski_pool_sleep(pond.pool);
    ski_loop_release(&pond.rig.test.loop);
    test_peer_sleep(pond.rig.peer, true);
    test_loop_turn(&pond.rig.test);
    CU_ASSERT_EQUAL(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
    CU_ASSERT_EQUAL(event_base_dispatch(base), 1);
    test_peer_sleep(pond.rig.peer, false);
    ski_loop_hold(&pond.rig.test.loop);
    ski_pool_wake(pond.pool);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 1);

    ski_pool_sleep(pond.pool);
    h2_server_goaway(rig_server(&pond.rig, 0), -1, NGHTTP2_NO_ERROR, NULL);
    RIG_UNTIL(&pond.rig, h2_peer_links(pond.rig.h2) == 0);
    ski_pool_wake(pond.pool);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
    CU_ASSERT(pond_shoot(&pond, "/c"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 2);
    pond_free(&pond);
}

/* Asleep, it still does what it is asked to: with those that wait, and what `done` starts. */
static void works_in_its_sleep(void)
{
    struct pond pond;
    struct shot *shots;
    struct successor successor;

    start_pond(&pond, &(struct h2_server_options){LIMIT(1), .hold = true}, 1, 10);
    shots = shots_new(&pond.rig, 4, NULL);
    successor = (struct successor){&pond, &shots[3]};
    shots[2].then = start_successor;
    shots[2].user = &successor;
    pond_start_all(&pond, shots, 3);
    RIG_UNTIL(&pond.rig, held(&pond) == 1);
    ski_pool_sleep(pond.pool);
    serve(&pond);
    CU_ASSERT_EQUAL(shots_hit(shots, 4), 4);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 1);
    ski_pool_wake(pond.pool);
    shots_free(shots, 4);
    pond_free(&pond);
}

/* In `done` of the last exchange: to sleep, and up again, as a client is used. */
static void doze(struct shot *shot)
{
    struct successor *successor = shot->user;

    ski_pool_sleep(successor->pond->pool);
    ski_pool_wake(successor->pond->pool);
    pond_start(successor->pond, successor->shot);
}

static void dozes_inside_a_completion(void)
{
    struct pond pond;
    struct shot *shots;
    struct successor successor;

    start_pond(&pond, &good, 1, 10);
    shots = shots_new(&pond.rig, 2, NULL);
    successor = (struct successor){&pond, &shots[1]};
    shots[0].then = doze;
    shots[0].user = &successor;
    pond_start(&pond, &shots[0]);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(shots, 2), 2);
    shots_free(shots, 2);
    pond_free(&pond);
}

/* --- memory ------------------------------------------------------------------------------------ */

/* Each exchange is refused, or done: with an answer, or without memory. */
static bool do_six(struct test_memory *memory, void *user)
{
    static const char *const targets[] = {"/a", "/reset-refused", "/b", "/goaway-notice",
                                          "/c", "/ok-cut"};
    enum { N = sizeof targets / sizeof *targets };
    const unsigned *max_connections = user;
    struct pond pond = {0};
    struct shot shots[N];
    bool through;

    rig_init(&pond.rig, &(struct rig_options){.h2 = &(struct h2_server_options){LIMIT(2)}});
    pond.rig.test.memory.count = 0;
    pond.rig.test.memory.fail_at = memory->fail_at;
    through = pond_try_open(&pond, *max_connections, N) == SCALEKIT_OK;
    for (unsigned i = 0; i < N; i++)
        shot_init(&shots[i], &pond.rig, targets[i]);
    for (unsigned i = 0; i < N && pond.pool; i++) {
        scalekit_err err = pond_try_start(&pond, &shots[i]);

        CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
        through &= err == SCALEKIT_OK;
    }
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < N; i++) {
        CU_ASSERT(shots[i].done <= 1);
        through &= shots[i].failure.code != SCALEKIT_ERR_NOMEM;
        shot_free(&shots[i]);
    }
    memory->count = pond.rig.test.memory.count;
    pond.rig.test.memory.fail_at = 0;
    if (pond.pool)
        ski_pool_free(pond.pool);
    rig_free(&pond.rig);
    return through;
}

static void survives_lack_of_memory(void)
{
    for (unsigned max_connections = 1; max_connections <= 2; max_connections++)
        CU_ASSERT(test_every_allocation(do_six, &max_connections) > 20);
}

/* --- everything at once ------------------------------------------------------------------------- */

enum { SLOTS = 60, STEPS = 6000 };

struct storm {
    struct pond pond;
    struct shot *shots;
    unsigned started[SLOTS], cancelled[SLOTS];
};

static unsigned roll(struct storm *storm, unsigned sides)
{
    const struct scalekit_clock *dice = &storm->pond.rig.clock.clock;

    return (unsigned)(dice->random(dice->user) % sides);
}

static bool is_pending(const struct storm *storm, unsigned slot)
{
    return storm->started[slot] > storm->cancelled[slot] + storm->shots[slot].done;
}

static void start_or_cancel(struct storm *storm, bool cancel)
{
    unsigned slot = roll(storm, SLOTS);
    struct shot *shot = &storm->shots[slot];

    if (cancel && is_pending(storm, slot)) {
        pond_cancel(&storm->pond, shot);
        storm->cancelled[slot]++;
    } else if (!cancel && !is_pending(storm, slot)) {
        ski_exchange_reset(&shot->exchange);
        shot->exchange.urgent = roll(storm, 20) == 0;
        storm->started[slot] += pond_try_start(&storm->pond, shot) == SCALEKIT_OK;
    }
}

static void upset_a_server(struct storm *storm)
{
    static const int32_t lasts[] = {-1, 0, 1, INT32_MAX};
    static const uint32_t codes[] = {NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR};
    static const enum h2_ending endings[] = {H2_FINISH, H2_CUT, H2_RESET};
    unsigned links = h2_peer_links(storm->pond.rig.h2);
    struct h2_server *server = links ? rig_server(&storm->pond.rig, roll(storm, links)) : NULL;

    if (!server)
        return;
    switch (roll(storm, 16)) {
    case 0:
        h2_server_goaway(server, lasts[roll(storm, 4)], NGHTTP2_NO_ERROR, NULL);
        break;
    case 1:
        h2_server_end(server, endings[roll(storm, 3)]);
        break;
    case 2:
    case 3:
        h2_server_set(server, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, roll(storm, 6));
        break;
    case 4:
    case 5:
        if (h2_server_waiting(server) > 0)
            h2_server_reset(server, codes[roll(storm, 2)]);
        break;
    default:
        h2_server_answer(server, 1 + roll(storm, 4));
        break;
    }
}

static void check_counts(const struct storm *storm)
{
    struct ski_pool_counts counts = pond_count(&storm->pond);

    CU_ASSERT(counts.open + counts.opening <= MAX_MULTIPLEXED);
    CU_ASSERT(counts.opening <= 1);
    CU_ASSERT(counts.waiting <= storm->pond.rig.pending);
}

/* Every server does its best from now on. */
static void calm_down(struct storm *storm)
{
    struct rig *rig = &storm->pond.rig;

    rig_begin_waiting(rig);
    do {
        for (unsigned i = h2_peer_links(rig->h2); i-- > 0;)
            h2_server_set(rig_server(rig, i), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100);
        answer_all(&storm->pond);
    } while (rig->pending > 0 && rig_turn(rig));
    rig_end_waiting(rig);
    CU_ASSERT_EQUAL(rig->pending, 0);
}

static void tells_everything_once_in_a_storm(void)
{
    struct storm storm = {0};
    struct pond *pond = &storm.pond;

    start_pond(pond, &(struct h2_server_options){LIMIT(4), .hold = true}, 64, 40);
    storm.shots = shots_new(&pond->rig, SLOTS, NULL);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned what = roll(&storm, 8);

        if (what < 4)
            start_or_cancel(&storm, what == 0);
        else if (what < 7)
            upset_a_server(&storm);
        else
            rig_advance_ms(&pond->rig, roll(&storm, 2000));
        test_loop_turn(&pond->rig.test);
        check_counts(&storm);
    }
    calm_down(&storm);
    for (unsigned i = 0; i < SLOTS; i++) {
        CU_ASSERT(storm.started[i] > 10);
        CU_ASSERT_EQUAL(storm.started[i], storm.cancelled[i] + storm.shots[i].done);
    }
    RIG_UNTIL(&pond->rig, pond_count(pond).leaving == 0);
    CU_ASSERT_EQUAL(pond_count(pond).waiting, 0);
    CU_ASSERT_EQUAL(rig_heard(&pond->rig)->invalid, 0);
    shots_free(storm.shots, SLOTS);
    pond_free(pond);
}

SUITE(pool_h2, {"grows one at a time to its limit", grows_one_at_a_time_to_its_limit},
      {"opens as many as wait when it is HTTP/1.1", opens_as_many_as_wait_when_it_is_http1},
      {"opens another only when all are full", opens_another_only_when_all_are_full},
      {"lets surplus connections fall idle", lets_surplus_connections_fall_idle},
      {"follows what the server speaks", follows_what_the_server_speaks},
      {"sends what came back first", sends_what_came_back_first},
      {"nobody notices a server that leaves every 10 requests",
       nobody_notices_a_server_that_leaves_every_10},
      {"counts none that is leaving", counts_none_that_is_leaving},
      {"gives up what is refused twice", gives_up_what_is_refused_twice},
      {"does not knock for ever at GOAWAYs", does_not_knock_for_ever_at_goaways},
      {"does not knock for ever at early GOAWAYs", does_not_knock_for_ever_at_early_goaways},
      {"fails nobody while one connection works", fails_nobody_while_one_works},
      {"knocks at a closed door once a second", knocks_at_a_closed_door_once_a_second},
      {"fails all when the last hope is gone", fails_all_when_the_last_hope_is_gone},
      {"gives up waiting for the SETTINGS", gives_up_waiting_for_the_settings},
      {"starts from inside a loss", starts_from_inside_a_loss},
      {"waits for a server without room", waits_for_a_server_without_room},
      {"bounds the queue, and lets the urgent pass", bounds_the_queue_and_lets_the_urgent_pass},
      {"cancels in every place", cancels_in_every_place},
      {"lets go of the loop in its sleep", lets_go_of_the_loop},
      {"works in its sleep", works_in_its_sleep},
      {"dozes inside a completion", dozes_inside_a_completion},
      {"survives every lack of memory", survives_lack_of_memory},
      {"tells everything once in a storm", tells_everything_once_in_a_storm})
