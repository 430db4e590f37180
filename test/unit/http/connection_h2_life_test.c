/* Whether a server on HTTP/2 still lives, and a connection that sleeps. */
#include "phone.h"

#define SILENCE_MS 30000
#define PING_MS    10000
#define TICK_MS    16 /* more than a timer may be late */

static const struct h2_server_options good;

/* --- whether the server lives ------------------------------------------------------------------- */

/* One exchange there and back: what was to be sent before it has been heard. */
static void go_there_and_back(struct talk *talk)
{
    struct shot shot;

    shot_init(&shot, &talk->rig, "/there");
    phone_start(&talk->phone, &shot);
    RIG_UNTIL(&talk->rig, shot.done);
    CU_ASSERT(shot_hit(&shot));
    shot_free(&shot);
}

static void wait_for_ping(struct talk *talk, unsigned how_many)
{
    rig_advance_ms(&talk->rig, SILENCE_MS + TICK_MS);
    RIG_UNTIL(&talk->rig, rig_heard(&talk->rig)->pings == how_many);
}

static void pings_a_silent_server(void)
{
    struct talk talk;
    struct shot shot;

    talk_init(&talk, &good);
    shot_init(&shot, &talk.rig, "/slow/5");
    phone_start(&talk.phone, &shot);
    RIG_UNTIL(&talk.rig, shot.exchange.phase == SCALEKIT_PHASE_RECEIVE);
    for (unsigned i = 1; i <= 3; i++) {
        unsigned ready = talk.phone.ready;

        wait_for_ping(&talk, i);
        RIG_UNTIL(&talk.rig, talk.phone.ready >= ready + 3); /* sent, drained, answered */
        rig_advance_ms(&talk.rig, PING_MS + TICK_MS);
    }
    h2_server_more(talk_server(&talk), 5);
    RIG_UNTIL(&talk.rig, shot.done);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&shot.exchange.answer), "abcde");
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->pings, 3);
    shot_free(&shot);
    talk_free(&talk);
}

static void gives_a_dead_server_up(void)
{
    enum { N = 3 };
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &(struct h2_server_options){.hold = true, .no_ping_acks = true});
    shots = shots_new(&talk.rig, N, NULL);
    phone_start_all(&talk.phone, shots, N);
    talk_until_held(&talk, N);
    wait_for_ping(&talk, 1);
    rig_advance_ms(&talk.rig, PING_MS - TICK_MS);
    CU_ASSERT_EQUAL(talk.rig.n_done, 0);
    rig_advance_ms(&talk.rig, 2 * TICK_MS);
    RIG_UNTIL(&talk.rig, talk.phone.ended);
    for (unsigned i = 0; i < N; i++) {
        CU_ASSERT_EQUAL(shots[i].done, 1);
        CU_ASSERT(shots[i].exchange.sent);
        CU_ASSERT_EQUAL(shots[i].failure.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT_STRING_EQUAL(shots[i].failure.text, "no sign of life from the server for 40 s");
    }
    CU_ASSERT_STRING_EQUAL(talk.phone.failure.text, "no sign of life from the server for 40 s");
    shots_free(shots, N);
    talk_free(&talk);
}

/* Whatever the server says is a sign of life, before the PING and after it. */
static void takes_any_byte_for_a_sign_of_life(void)
{
    struct talk talk;
    struct shot shot;

    talk_init(&talk, &(struct h2_server_options){.no_ping_acks = true});
    shot_init(&shot, &talk.rig, "/mute");
    phone_start(&talk.phone, &shot);
    RIG_UNTIL(&talk.rig, rig_heard(&talk.rig)->requests == 1);
    for (int i = 0; i < 3; i++) {
        rig_advance_ms(&talk.rig, SILENCE_MS - TICK_MS);
        talk_set_limit(&talk, 100);
    }
    go_there_and_back(&talk);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->pings, 0);
    for (unsigned i = 1; i <= 3; i++) {
        wait_for_ping(&talk, i);
        talk_set_limit(&talk, 100);
        rig_advance_ms(&talk.rig, PING_MS + TICK_MS);
    }
    go_there_and_back(&talk);
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    CU_ASSERT_EQUAL(shot.done, 0);
    phone_cancel(&talk.phone, &shot);
    shot_free(&shot);
    talk_free(&talk);
}

static void leaves_a_server_alone_that_owes_nothing(void)
{
    struct talk talk;

    talk_init(&talk, &good);
    rig_advance_ms(&talk.rig, 10 * SILENCE_MS);
    go_there_and_back(&talk);
    rig_advance_ms(&talk.rig, 10 * SILENCE_MS);
    rig_advance_ms(&talk.rig, 10 * SILENCE_MS);
    go_there_and_back(&talk);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->pings, 0);
    talk_free(&talk);
}

/* Nobody wants the answer any more; but is there still somebody? */
static void listens_on_for_what_was_cancelled(void)
{
    struct talk talk;
    struct shot shot;

    talk_init(&talk, &(struct h2_server_options){.hold = true, .no_ping_acks = true});
    shot_init(&shot, &talk.rig, "/a");
    phone_start(&talk.phone, &shot);
    talk_until_held(&talk, 1);
    phone_cancel(&talk.phone, &shot);
    RIG_UNTIL(&talk.rig, rig_heard(&talk.rig)->resets == 1);
    wait_for_ping(&talk, 1);
    rig_advance_ms(&talk.rig, PING_MS + TICK_MS);
    RIG_UNTIL(&talk.rig, talk.phone.ended);
    CU_ASSERT_EQUAL(talk.phone.failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_EQUAL(shot.done, 0);
    shot_free(&shot);
    talk_free(&talk);
}

/* --- sleeping ---------------------------------------------------------------------------------- */

static void sleeps_without_an_event(void)
{
    struct talk talk;
    struct event_base *base;

    talk_init(&talk, &good);
    base = talk.rig.test.base;
    go_there_and_back(&talk);
    ski_connection_sleep(talk.phone.connection);
    ski_loop_release(&talk.rig.test.loop);
    test_peer_sleep(talk.rig.peer, true);
    test_loop_turn(&talk.rig.test);
    CU_ASSERT_EQUAL(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
    CU_ASSERT_EQUAL(event_base_dispatch(base), 1);
    test_peer_sleep(talk.rig.peer, false);
    ski_loop_hold(&talk.rig.test.loop);
    CU_ASSERT(ski_connection_wake(talk.phone.connection));
    go_there_and_back(&talk);
    CU_ASSERT_EQUAL(test_peer_counts(talk.rig.peer)->accepted, 1);
    talk_free(&talk);
}

static void went_stale_when_the_server_left(void)
{
    struct talk talk;

    talk_init(&talk, &good);
    go_there_and_back(&talk);
    ski_connection_sleep(talk.phone.connection);
    h2_server_goaway(talk_server(&talk), -1, NGHTTP2_NO_ERROR, NULL);
    RIG_UNTIL(&talk.rig, h2_peer_links(talk.rig.h2) == 0);
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    CU_ASSERT_FALSE(ski_connection_wake(talk.phone.connection));
    talk_free(&talk);
}

SUITE(connection_h2_life, {"pings a silent server", pings_a_silent_server},
      {"gives a dead server up", gives_a_dead_server_up},
      {"takes any byte for a sign of life", takes_any_byte_for_a_sign_of_life},
      {"leaves a server alone that owes nothing", leaves_a_server_alone_that_owes_nothing},
      {"listens on for what was cancelled", listens_on_for_what_was_cancelled},
      {"sleeps without an event", sleeps_without_an_event},
      {"went stale when the server left", went_stale_when_the_server_left})
