#include "http/pool.h"
#include "rig.h"
#include <netinet/in.h>
#include <unistd.h>

/* --- connections ------------------------------------------------------------------------------- */

static void uses_a_connection_again(void)
{
    struct pond pond;

    pond_init(&pond, 4, 10);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(pond_shoot(&pond, "/a"));
        CU_ASSERT_EQUAL(pond_count(&pond).open, 1);
        CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    }
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 1);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 1);
    pond_free(&pond);
}

static void opens_no_more_than_wait(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 64, 100);
    shots = shots_new(&pond.rig, 3, NULL);
    for (unsigned i = 0; i < 3; i++) {
        pond_start(&pond, &shots[i]);
        CU_ASSERT_EQUAL(pond_count(&pond).opening, i + 1);
        CU_ASSERT_EQUAL(pond_count(&pond).waiting, i + 1);
    }
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(shot_hit(&shots[i]));
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 3);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 3);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    shots_free(shots, 3);
    pond_free(&pond);
}

static void opens_no_more_than_its_limit_and_mixes_nothing_up(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 64, 10000);
    shots = shots_new(&pond.rig, 10000, NULL);
    pond_start_all(&pond, shots, 10000);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 64);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 10000);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < 10000; i++)
        if (!shot_hit(&shots[i]))
            CU_FAIL("an exchange got something else");
    CU_ASSERT_EQUAL(pond_accepted(&pond), 64);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 64);
    shots_free(shots, 10000);
    pond_free(&pond);
}

static void keeps_the_order_and_bounds_the_queue(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 1, 5);
    shots = shots_new(&pond.rig, 6, NULL);
    pond_start_all(&pond, shots, 5);
    CU_ASSERT_EQUAL(pond_try_start(&pond, &shots[5]), SCALEKIT_ERR_QUEUE_FULL);
    CU_ASSERT_FALSE(ski_list_linked(&shots[5].exchange.link));
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 5);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < 5; i++) {
        CU_ASSERT(shot_hit(&shots[i]));
        CU_ASSERT_EQUAL(shots[i].order, i + 1);
    }
    CU_ASSERT_EQUAL(shots[5].done, 0);
    pond_start(&pond, &shots[5]);
    RIG_UNTIL(&pond.rig, shots[5].done);
    CU_ASSERT(shot_hit(&shots[5]));
    shots_free(shots, 6);
    pond_free(&pond);
}

static void an_urgent_one_goes_first_and_is_never_refused(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 1, 2);
    shots = shots_new(&pond.rig, 3, NULL);
    pond_start_all(&pond, shots, 2);
    shots[2].exchange.urgent = true;
    CU_ASSERT_EQUAL(pond_try_start(&pond, &shots[2]), SCALEKIT_OK);
    RIG_UNTIL(&pond.rig, shots[0].done && shots[1].done && shots[2].done);
    CU_ASSERT_EQUAL(shots[2].order, 1);
    CU_ASSERT_EQUAL(shots[0].order, 2);
    CU_ASSERT_EQUAL(shots[1].order, 3);
    shots_free(shots, 3);
    pond_free(&pond);
}

/* The last used is used next: of two, the other falls idle for good. */
static void lets_surplus_connections_fall_idle(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 2, 10);
    shots = shots_new(&pond.rig, 2, NULL);
    pond_start_all(&pond, shots, 2);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 2);
    for (int i = 0; i < 4; i++) {
        rig_advance_ms(&pond.rig, POND_IDLE_MS * 2 / 5);
        CU_ASSERT(pond_shoot(&pond, "/a"));
    }
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 2);
    rig_advance_ms(&pond.rig, POND_IDLE_MS + 8);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 3);
    shots_free(shots, 2);
    pond_free(&pond);
}

static void replaces_what_the_server_closed(void)
{
    struct pond pond;

    pond_init(&pond, 4, 10);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    test_link_finish(test_peer_last(pond.rig.peer));
    RIG_UNTIL(&pond.rig, pond_count(&pond).open == 0);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 2);
    pond_free(&pond);
}

static void never_uses_what_was_poisoned(void)
{
    struct pond pond;

    pond_init(&pond, 1, 10);
    CU_ASSERT_FALSE(pond_shoot(&pond, "/two"));
    CU_ASSERT(pond_shoot(&pond, "/a"));
    test_link_says(test_peer_last(pond.rig.peer), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    RIG_UNTIL(&pond.rig, pond_count(&pond).open == 0);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 3);
    pond_free(&pond);
}

/* Whatever ends a connection, those that wait get the next one. */
static void replaces_what_ended_under_an_exchange(void)
{
    static const char *const targets[] = {"/reset", "/truncated", "/garbage", "/close", "/two"};
    enum { N = sizeof targets / sizeof *targets };
    struct pond pond;
    struct shot *shots, shot;

    pond_init(&pond, 1, 10);
    shots = shots_new(&pond.rig, N, NULL);
    for (unsigned i = 0; i < N; i++) {
        snprintf(shots[i].target, sizeof shots[i].target, "%s", targets[i]);
        pond_start(&pond, &shots[i]);
    }
    shot_init(&shot, &pond.rig, "/last");
    pond_start(&pond, &shot);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT(shot_hit(&shot));
    CU_ASSERT_EQUAL(pond_accepted(&pond), N + 1);
    for (unsigned i = 0; i < N; i++) {
        CU_ASSERT_EQUAL(shots[i].done, 1);
        CU_ASSERT_EQUAL(shots[i].order, i + 1);
        CU_ASSERT_EQUAL(shots[i].failure.code != SCALEKIT_OK, i < 3);
    }
    shot_free(&shot);
    shots_free(shots, N);
    pond_free(&pond);
}

/* --- failing to open ----------------------------------------------------------------------------- */

static void fails_all_when_refused(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 4, 1000);
    rig_set_port(&pond.rig, test_refused_port());
    shots = shots_new(&pond.rig, 1000, NULL);
    pond_start_all(&pond, shots, 1000);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(shots[i].done, 1);
        CU_ASSERT_EQUAL(shots[i].order, i + 1);
        CU_ASSERT_EQUAL(shots[i].failure.code, SCALEKIT_ERR_CONNECT);
        CU_ASSERT_EQUAL(shots[i].exchange.phase, SCALEKIT_PHASE_CONNECT);
        CU_ASSERT_FALSE(shots[i].exchange.sent);
    }
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 0);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 0);
    shots_free(shots, 1000);
    pond_free(&pond);
}

/* Two attempts fail, and nobody waits for them any more. */
static void fails_nobody_when_nobody_waits(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 2, 10);
    rig_set_port(&pond.rig, test_refused_port());
    shots = shots_new(&pond.rig, 2, NULL);
    pond_start_all(&pond, shots, 2);
    pond_cancel(&pond, &shots[0]);
    pond_cancel(&pond, &shots[1]);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 2);
    RIG_UNTIL(&pond.rig, pond_count(&pond).opening == 0);
    CU_ASSERT_EQUAL(shots[0].done + shots[1].done, 0);
    shots_free(shots, 2);
    pond_free(&pond);
}

/* In `done` of the first to fail: one sibling is cancelled, and one more exchange started. */
struct meddling {
    struct pond *pond;
    struct shot *cancelled, *started;
};

static void meddle(struct shot *shot)
{
    struct meddling *meddling = shot->user;

    pond_cancel(meddling->pond, meddling->cancelled);
    rig_set_port(&meddling->pond->rig, test_peer_port(meddling->pond->rig.peer));
    pond_start(meddling->pond, meddling->started);
    CU_ASSERT_EQUAL(pond_count(meddling->pond).opening, 1);
    CU_ASSERT_EQUAL(pond_count(meddling->pond).waiting, 1);
}

static void may_be_meddled_with_while_failing(void)
{
    struct pond pond;
    struct shot *shots;
    struct meddling meddling;

    pond_init(&pond, 1, 10);
    rig_set_port(&pond.rig, test_refused_port());
    shots = shots_new(&pond.rig, 4, NULL);
    meddling = (struct meddling){&pond, &shots[1], &shots[3]};
    shots[0].then = meddle;
    shots[0].user = &meddling;
    pond_start_all(&pond, shots, 3);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT_EQUAL(shots[0].failure.code, SCALEKIT_ERR_CONNECT);
    CU_ASSERT_EQUAL(shots[1].done, 0);
    CU_ASSERT_EQUAL(shots[2].failure.code, SCALEKIT_ERR_CONNECT);
    CU_ASSERT(shot_hit(&shots[3]));
    CU_ASSERT_EQUAL(shots[3].order, 3);
    shots_free(shots, 4);
    pond_free(&pond);
}

/* One connection is busy and no other can be opened: one exchange fails, the rest wait for it. */
static void fails_one_when_there_is_another_to_hope_for(void)
{
    struct pond pond;
    struct shot *shots;
    struct raw_server raw;

    pond_init(&pond, 2, 10);
    raw_init(&raw);
    rig_set_port(&pond.rig, raw.port);
    shots = shots_new(&pond.rig, 3, "/a");
    pond_start(&pond, &shots[0]);
    RIG_UNTIL(&pond.rig, shots[0].exchange.phase == SCALEKIT_PHASE_WAIT);
    raw_accept(&raw);
    raw_stop_listening(&raw);
    pond_start(&pond, &shots[1]);
    pond_start(&pond, &shots[2]);
    RIG_UNTIL(&pond.rig, shots[1].done);
    CU_ASSERT_EQUAL(shots[1].failure.code, SCALEKIT_ERR_CONNECT);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    raw_send(&raw, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/a");
    RIG_UNTIL(&pond.rig, shots[0].done && shots[2].exchange.phase == SCALEKIT_PHASE_WAIT);
    raw_send(&raw, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/a");
    RIG_UNTIL(&pond.rig, shots[2].done);
    CU_ASSERT(shot_hit(&shots[0]));
    CU_ASSERT(shot_hit(&shots[2]));
    shots_free(shots, 3);
    raw_free(&raw);
    pond_free(&pond);
}

/* --- time -------------------------------------------------------------------------------------- */

/* Starts one, waits until it hangs in that phase, and lets the time pass. */
static void expect_timeout(struct pond *pond, enum scalekit_phase phase, scalekit_err err,
                           const char *text)
{
    struct shot shot;

    shot_init(&shot, &pond->rig, "/a");
    pond_start(pond, &shot);
    CU_ASSERT_EQUAL(ski_pool_phase(pond->pool, &shot.exchange), SCALEKIT_PHASE_RESOLVE);
    RIG_UNTIL(&pond->rig, ski_pool_phase(pond->pool, &shot.exchange) == phase);
    rig_advance_ms(&pond->rig, POND_CONNECT_MS - 1);
    test_loop_turn(&pond->rig.test);
    CU_ASSERT_EQUAL(shot.done, 0);
    rig_advance_ms(&pond->rig, 16);
    RIG_UNTIL(&pond->rig, shot.done);
    CU_ASSERT_EQUAL(shot.failure.code, err);
    CU_ASSERT_EQUAL(shot.failure.phase, phase);
    CU_ASSERT_STRING_EQUAL(shot.failure.text, text);
    CU_ASSERT_FALSE(shot.exchange.sent);
    CU_ASSERT_EQUAL(pond_count(pond).opening, 0);
    shot_free(&shot);
}

/* A name server that never answers. */
static void gives_up_looking_up(void)
{
    struct pond pond;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof in;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const char *problem;
    char server[32];

    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&in, &length) == 0);
    snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));

    rig_init(&pond.rig, &(struct rig_options){0});
    ski_resolver_free(pond.rig.resolver);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&pond.rig.resolver, &pond.rig.test.loop, server),
                          SCALEKIT_OK);
    ski_url_free(&pond.rig.url, &pond.rig.test.loop.mem);
    CU_ASSERT_EQUAL_FATAL(
        ski_url_parse(&pond.rig.url, &pond.rig.test.loop.mem, "https://acme.example", &problem),
        SCALEKIT_OK);
    pond_open(&pond, 4, 10);
    expect_timeout(&pond, SCALEKIT_PHASE_RESOLVE, SCALEKIT_ERR_RESOLVE,
                   "looking up acme.example did not finish within 1000 ms");
    pond_free(&pond);
    close(fd);
}

/* A listener whose queue is full drops what asks to connect. */
static void gives_up_connecting(void)
{
    enum { FILLERS = 4 };
    struct pond pond;
    struct raw_server raw;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fillers[FILLERS];

    raw_init(&raw);
    CU_ASSERT_FATAL(listen(raw.listener, 0) == 0);
    in.sin_port = htons(raw.port);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&in, sizeof in);
    }
    pond_init(&pond, 4, 10);
    rig_set_port(&pond.rig, raw.port);
    expect_timeout(&pond, SCALEKIT_PHASE_CONNECT, SCALEKIT_ERR_CONNECT,
                   "connecting to 127.0.0.1 did not finish within 1000 ms");
    pond_free(&pond);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    raw_free(&raw);
}

/* A server that accepts and does not shake hands. */
static void gives_up_shaking_hands(void)
{
    struct pond pond;
    struct raw_server raw;

    rig_init(&pond.rig, &(struct rig_options){.tls = true});
    raw_init(&raw);
    rig_set_port(&pond.rig, raw.port);
    pond_open(&pond, 4, 10);
    expect_timeout(&pond, SCALEKIT_PHASE_TLS, SCALEKIT_ERR_TLS,
                   "the TLS handshake with 127.0.0.1 did not finish within 1000 ms");
    pond_free(&pond);
    raw_free(&raw);
}

static void does_not_time_an_exchange(void)
{
    struct pond pond;
    struct shot shot;

    pond_init(&pond, 1, 10);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    shot_init(&shot, &pond.rig, "/mute");
    pond_start(&pond, &shot);
    RIG_UNTIL(&pond.rig, pond.rig.heard == 2);
    rig_advance_ms(&pond.rig, 10 * POND_IDLE_MS);
    test_loop_turn(&pond.rig.test);
    CU_ASSERT_EQUAL(shot.done, 0);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 1);
    pond_cancel(&pond, &shot);
    shot_free(&shot);
    pond_free(&pond);
}

static void tells_what_an_exchange_is_doing(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 1, 10);
    shots = shots_new(&pond.rig, 2, "/half");
    pond_start_all(&pond, shots, 2);
    CU_ASSERT_EQUAL(ski_pool_phase(pond.pool, &shots[0].exchange), SCALEKIT_PHASE_RESOLVE);
    CU_ASSERT_EQUAL(ski_pool_phase(pond.pool, &shots[1].exchange), SCALEKIT_PHASE_RESOLVE);
    RIG_UNTIL(&pond.rig, ski_pool_phase(pond.pool, &shots[0].exchange) == SCALEKIT_PHASE_CONNECT);
    RIG_UNTIL(&pond.rig, ski_pool_phase(pond.pool, &shots[0].exchange) == SCALEKIT_PHASE_WAIT);
    CU_ASSERT_EQUAL(ski_pool_phase(pond.pool, &shots[1].exchange), SCALEKIT_PHASE_QUEUE);
    RIG_UNTIL(&pond.rig, ski_pool_phase(pond.pool, &shots[0].exchange) == SCALEKIT_PHASE_RECEIVE);
    pond_cancel(&pond, &shots[0]);
    pond_cancel(&pond, &shots[1]);
    shots_free(shots, 2);
    pond_free(&pond);
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void cancels_what_never_gets_an_answer(void)
{
    struct pond pond;
    struct shot mute, next;

    pond_init(&pond, 1, 10);
    shot_init(&mute, &pond.rig, "/mute");
    shot_init(&next, &pond.rig, "/next");
    pond_start(&pond, &mute);
    pond_start(&pond, &next);
    RIG_UNTIL(&pond.rig, pond.rig.heard == 1);
    pond_cancel(&pond, &mute);
    CU_ASSERT_EQUAL(next.done, 0);
    RIG_UNTIL(&pond.rig, next.done);
    CU_ASSERT(shot_hit(&next));
    CU_ASSERT_EQUAL(mute.done, 0);
    CU_ASSERT(mute.exchange.sent);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 2);
    shot_free(&mute);
    shot_free(&next);
    pond_free(&pond);
}

static void cancels_10000_that_wait(void)
{
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 2, 10000);
    shots = shots_new(&pond.rig, 10000, NULL);
    pond_start_all(&pond, shots, 10000);
    for (unsigned i = 0; i < 10000; i++)
        if (i != 5000)
            pond_cancel(&pond, &shots[i]);
    CU_ASSERT_EQUAL(pond_count(&pond).waiting, 1);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT(shot_hit(&shots[5000]));
    CU_ASSERT_EQUAL(pond.rig.heard, 1);
    pond_cancel(&pond, &shots[5000]); /* done already: harmless */
    shots_free(shots, 10000);
    pond_free(&pond);
}

/* In `done` of one exchange, the one under way on another connection is cancelled. */
static void cancel_sibling(struct shot *shot)
{
    struct meddling *meddling = shot->user;

    pond_cancel(meddling->pond, meddling->cancelled);
}

static void cancels_from_inside_a_completion(void)
{
    struct pond pond;
    struct shot *shots, mute;
    struct meddling meddling;

    pond_init(&pond, 2, 10);
    shot_init(&mute, &pond.rig, "/mute");
    pond_start(&pond, &mute);
    RIG_UNTIL(&pond.rig, pond.rig.heard == 1);
    shots = shots_new(&pond.rig, 3, NULL);
    meddling = (struct meddling){.pond = &pond, .cancelled = &mute};
    shots[0].then = cancel_sibling;
    shots[0].user = &meddling;
    pond_start_all(&pond, shots, 3);
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    CU_ASSERT_EQUAL(mute.done, 0);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(shot_hit(&shots[i]));
    shot_free(&mute);
    shots_free(shots, 3);
    pond_free(&pond);
}

/* What is started from inside a completion finds the connection that has just become free. */
static void start_next(struct shot *shot)
{
    struct meddling *meddling = shot->user;

    pond_start(meddling->pond, meddling->started);
}

static void starts_from_inside_a_completion(void)
{
    struct pond pond;
    struct shot *shots;
    struct meddling meddling;

    pond_init(&pond, 4, 10);
    shots = shots_new(&pond.rig, 2, NULL);
    meddling = (struct meddling){.pond = &pond, .started = &shots[1]};
    shots[0].then = start_next;
    shots[0].user = &meddling;
    pond_start(&pond, &shots[0]);
    RIG_UNTIL(&pond.rig, shots[1].done);
    CU_ASSERT(shot_hit(&shots[0]));
    CU_ASSERT(shot_hit(&shots[1]));
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 1);
    shots_free(shots, 2);
    pond_free(&pond);
}

/* The same exchange, started again after it was done. */
static void starts_again(void)
{
    struct pond pond;
    struct shot shot;

    pond_init(&pond, 1, 10);
    shot_init(&shot, &pond.rig, "/reset");
    pond_start(&pond, &shot);
    RIG_UNTIL(&pond.rig, shot.done == 1);
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_ERR_NETWORK);
    ski_exchange_reset(&shot.exchange);
    snprintf(shot.target, sizeof shot.target, "/again");
    pond_start(&pond, &shot);
    CU_ASSERT_FALSE(shot.exchange.sent);
    RIG_UNTIL(&pond.rig, shot.done == 2);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&shot.exchange.answer), "/again");
    shot_free(&shot);
    pond_free(&pond);
}

/* --- sleeping ---------------------------------------------------------------------------------- */

/* Lets everything but the pool let go of the loop. */
static void rest(struct pond *pond)
{
    ski_loop_release(&pond->rig.test.loop);
    test_peer_sleep(pond->rig.peer, true);
}

static void fall_asleep(struct pond *pond)
{
    ski_pool_sleep(pond->pool);
    rest(pond);
    test_loop_turn(&pond->rig.test);
}

/* Whether event_base_dispatch() returns, because there is nothing to wait for. */
static bool dispatch_returns(struct pond *pond)
{
    struct event_base *base = pond->rig.test.base;

    test_loop_turn(&pond->rig.test);
    return event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) == 0 &&
           event_base_dispatch(base) == 1;
}

static void wake_up(struct pond *pond)
{
    test_peer_sleep(pond->rig.peer, false);
    ski_loop_hold(&pond->rig.test.loop);
    ski_pool_wake(pond->pool);
}

static void lets_go_of_the_loop(void)
{
    struct pond pond;

    pond_init(&pond, 4, 10);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    fall_asleep(&pond);
    CU_ASSERT(dispatch_returns(&pond));
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    wake_up(&pond);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 1);
    pond_free(&pond);
}

static void sleep_in_done(struct shot *shot)
{
    ski_pool_sleep(shot->user);
}

/* The last exchange is done, and whoever it was for lets the pool sleep at once. */
static void sleeps_from_inside_a_completion(void)
{
    static const char *const targets[] = {"/a", "/close"};

    for (unsigned i = 0; i < 2; i++) {
        struct pond pond;
        struct shot shot;

        pond_init(&pond, 4, 10);
        shot_init(&shot, &pond.rig, targets[i]);
        shot.then = sleep_in_done;
        shot.user = pond.pool;
        pond_start(&pond, &shot);
        RIG_UNTIL(&pond.rig, shot.done);
        rest(&pond);
        CU_ASSERT(dispatch_returns(&pond));
        CU_ASSERT_EQUAL(pond_count(&pond).idle, 1 - i);
        wake_up(&pond);
        CU_ASSERT(pond_shoot(&pond, "/b"));
        CU_ASSERT_EQUAL(pond_accepted(&pond), i + 1);
        shot_free(&shot);
        pond_free(&pond);
    }
}

static void replaces_what_went_stale_in_its_sleep(void)
{
    struct pond pond;

    pond_init(&pond, 4, 10);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    ski_pool_sleep(pond.pool);
    test_loop_turn(&pond.rig.test);
    test_link_finish(test_peer_last(pond.rig.peer));
    test_loop_turn(&pond.rig.test);
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    ski_pool_wake(pond.pool);
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 0);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 2);
    ski_pool_wake(pond.pool); /* awake already */
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    pond_free(&pond);
}

static void closes_what_got_too_old_in_its_sleep(void)
{
    struct pond pond;

    pond_init(&pond, 4, 10);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    fall_asleep(&pond);
    test_clock_advance_ms(&pond.rig.clock, POND_IDLE_MS);
    wake_up(&pond);
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 0);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever, 2);
    pond_free(&pond);
}

/* The only exchange is cancelled while its connection opens: nobody is left to wait for that. */
static void drops_what_is_opening_when_it_falls_asleep(void)
{
    struct pond pond;
    struct shot shot;

    pond_init(&pond, 4, 10);
    shot_init(&shot, &pond.rig, "/a");
    pond_start(&pond, &shot);
    RIG_UNTIL(&pond.rig, ski_pool_phase(pond.pool, &shot.exchange) == SCALEKIT_PHASE_CONNECT);
    pond_cancel(&pond, &shot);
    fall_asleep(&pond);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 0);
    CU_ASSERT(dispatch_returns(&pond));
    CU_ASSERT_EQUAL(shot.done, 0);
    shot_free(&shot);
    wake_up(&pond);
    pond_free(&pond);
}

/* Asleep, the pool still does what it is asked to, and lets go of the loop after it. */
static void works_in_its_sleep(void)
{
    struct pond pond;
    struct shot first, second;

    pond_init(&pond, 4, 10);
    shot_init(&first, &pond.rig, "/half");
    pond_start(&pond, &first);
    ski_pool_sleep(pond.pool);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    RIG_UNTIL(&pond.rig, first.exchange.phase == SCALEKIT_PHASE_RECEIVE);
    test_link_says(test_peer_last(pond.rig.peer), "cd");
    RIG_UNTIL(&pond.rig, first.done);
    CU_ASSERT_EQUAL(first.failure.code, SCALEKIT_OK);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    rest(&pond);
    CU_ASSERT(dispatch_returns(&pond));
    CU_ASSERT_EQUAL(pond_count(&pond).idle, 1);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 1);

    /* and does not use what went stale, nor what got too old */
    test_peer_sleep(pond.rig.peer, false);
    test_link_finish(test_peer_last(pond.rig.peer));
    test_loop_turn(&pond.rig.test);
    CU_ASSERT(pond_shoot(&pond, "/b"));
    CU_ASSERT_EQUAL(pond_accepted(&pond), 2);
    test_loop_turn(&pond.rig.test);
    test_clock_advance_ms(&pond.rig.clock, POND_IDLE_MS);
    shot_init(&second, &pond.rig, "/c");
    pond_start(&pond, &second);
    CU_ASSERT_EQUAL(pond_count(&pond).opening, 1);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 0);
    RIG_UNTIL(&pond.rig, second.done);
    CU_ASSERT(shot_hit(&second));
    ski_loop_hold(&pond.rig.test.loop);
    shot_free(&first);
    shot_free(&second);
    pond_free(&pond);
}

/* --- memory ------------------------------------------------------------------------------------ */

static void frees_all_that_is_open(void)
{
    struct pond pond;
    struct shot mute;

    pond_init(&pond, 3, 10);
    CU_ASSERT(pond_shoot(&pond, "/a"));
    shot_init(&mute, &pond.rig, "/mute");
    pond_start(&pond, &mute);
    RIG_UNTIL(&pond.rig, pond.rig.heard == 2);
    pond_cancel(&pond, &mute);
    CU_ASSERT_EQUAL(pond_count(&pond).open, 1);
    shot_free(&mute);
    pond_free(&pond);
}

/* Each exchange is refused, or done: with an answer, or without memory. */
static bool do_five(struct test_memory *memory, void *user)
{
    static const char *const targets[] = {"/a", "/close", "/truncated", "/b", "/reset"};
    enum { N = sizeof targets / sizeof *targets };
    const unsigned *max_connections = user;
    struct pond pond = {0};
    struct shot shots[N];
    bool through;

    rig_init(&pond.rig, &(struct rig_options){.drip = true});
    pond.rig.test.memory.count = 0;
    pond.rig.test.memory.fail_at = memory->fail_at;
    through = pond_try_open(&pond, *max_connections, 4) == SCALEKIT_OK;
    for (unsigned i = 0; i < N; i++)
        shot_init(&shots[i], &pond.rig, targets[i]);
    for (unsigned i = 0; i < N && pond.pool; i++) {
        scalekit_err err = pond_try_start(&pond, &shots[i]);

        CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM || i == 4);
        through &= err != SCALEKIT_ERR_NOMEM;
    }
    RIG_UNTIL(&pond.rig, pond.rig.pending == 0);
    for (unsigned i = 0; i < N; i++) {
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
    for (unsigned max_connections = 1; max_connections <= 3; max_connections++)
        CU_ASSERT(test_every_allocation(do_five, &max_connections) > 20);
}

/* --- a carrier --------------------------------------------------------------------------------- */

/* Keeps what it is given until the test answers. */
struct courier {
    struct ski_carrier carrier;
    struct ski_list taken;
    unsigned starts, cancels;
};

static void courier_start(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct courier *courier = SKI_CONTAINER(carrier, struct courier, carrier);

    CU_ASSERT_EQUAL(exchange->phase, SCALEKIT_PHASE_WAIT);
    CU_ASSERT(exchange->sent);
    courier->starts++;
    ski_list_push_back(&courier->taken, &exchange->link);
}

static void courier_cancel(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    SKI_CONTAINER(carrier, struct courier, carrier)->cancels++;
    ski_list_remove(&exchange->link);
}

static void courier_answer(struct courier *courier)
{
    struct ski_list *link = ski_list_pop_front(&courier->taken);
    struct ski_exchange *exchange;

    CU_ASSERT_PTR_NOT_NULL_FATAL(link);
    exchange = SKI_CONTAINER(link, struct ski_exchange, link);
    exchange->status = 200;
    ski_buf_adds(&exchange->answer, exchange->target);
    exchange->done(exchange, NULL);
}

static void hands_everything_to_a_carrier(void)
{
    struct courier courier = {.carrier = {courier_start, courier_cancel}};
    struct pond pond;
    struct shot *shots;

    pond_init(&pond, 1, 1); /* limits that a carrier does not know */
    ski_list_init(&courier.taken);
    ski_pool_use(pond.pool, &courier.carrier);
    shots = shots_new(&pond.rig, 5, NULL);
    pond_start_all(&pond, shots, 5);
    CU_ASSERT_EQUAL(courier.starts, 5);
    CU_ASSERT_EQUAL(ski_pool_phase(pond.pool, &shots[0].exchange), SCALEKIT_PHASE_WAIT);
    pond_cancel(&pond, &shots[1]);
    CU_ASSERT_EQUAL(courier.cancels, 1);
    for (unsigned i = 0; i < 4; i++)
        courier_answer(&courier);
    CU_ASSERT(ski_list_empty(&courier.taken));
    CU_ASSERT_EQUAL(shots[1].done, 0);
    CU_ASSERT_EQUAL(shots_hit(shots, 5), 4);
    CU_ASSERT_EQUAL(pond_count(&pond).opened_ever + pond_count(&pond).opening, 0);
    CU_ASSERT_EQUAL(pond_accepted(&pond), 0);
    shots_free(shots, 5);
    pond_free(&pond);
}

SUITE(pool, {"uses a connection again", uses_a_connection_again},
      {"opens no more connections than exchanges wait", opens_no_more_than_wait},
      {"opens no more than its limit, and mixes nothing up",
       opens_no_more_than_its_limit_and_mixes_nothing_up},
      {"keeps the order, and bounds the queue", keeps_the_order_and_bounds_the_queue},
      {"an urgent one goes first, and is never refused",
       an_urgent_one_goes_first_and_is_never_refused},
      {"lets surplus connections fall idle", lets_surplus_connections_fall_idle},
      {"replaces what the server closed", replaces_what_the_server_closed},
      {"never uses what was poisoned", never_uses_what_was_poisoned},
      {"replaces what ended under an exchange", replaces_what_ended_under_an_exchange},
      {"fails all when refused, none of them sent", fails_all_when_refused},
      {"fails nobody when nobody waits", fails_nobody_when_nobody_waits},
      {"may be meddled with while failing", may_be_meddled_with_while_failing},
      {"fails one when there is another connection to hope for",
       fails_one_when_there_is_another_to_hope_for},
      {"gives up looking up", gives_up_looking_up}, {"gives up connecting", gives_up_connecting},
      {"gives up shaking hands", gives_up_shaking_hands},
      {"does not time an exchange", does_not_time_an_exchange},
      {"tells what an exchange is doing", tells_what_an_exchange_is_doing},
      {"cancels what never gets an answer", cancels_what_never_gets_an_answer},
      {"cancels 10,000 that wait", cancels_10000_that_wait},
      {"cancels from inside a completion", cancels_from_inside_a_completion},
      {"starts from inside a completion", starts_from_inside_a_completion},
      {"starts an exchange again", starts_again},
      {"lets go of the loop in its sleep", lets_go_of_the_loop},
      {"may be sent to sleep from inside a completion", sleeps_from_inside_a_completion},
      {"replaces what went stale in its sleep", replaces_what_went_stale_in_its_sleep},
      {"closes what got too old in its sleep", closes_what_got_too_old_in_its_sleep},
      {"drops what is opening when it falls asleep", drops_what_is_opening_when_it_falls_asleep},
      {"works in its sleep", works_in_its_sleep},
      {"hands everything to a carrier, and opens nothing", hands_everything_to_a_carrier},
      {"frees all that is open", frees_all_that_is_open},
      {"survives every lack of memory", survives_lack_of_memory})
