/* Bodies in pieces, over whatever carries them. */
#include "duet.h"
#include "haul.h"
#include "http/h2.h"

#define MIB ((size_t)1 << 20)

static const struct h2_server_options good, holding = {.hold = true}, greedy = {.stuck = true};

/* A pool, and a server of large bodies behind it. */
struct yard {
    struct pond pond;
    struct porter porter;
    bool h2;
};

enum carrier { PLAIN, TLS, H2, CARRIERS };

static void yard_open(struct yard *yard, enum carrier carrier,
                      const struct h2_server_options *options)
{
    struct rig_options how = {.tls = carrier == TLS, .h2 = carrier == H2 ? options : NULL};

    rig_init(&yard->pond.rig, &how);
    yard->h2 = carrier == H2;
    if (!yard->h2)
        porter_init(&yard->porter, &yard->pond, yard->pond.rig.server);
    pond_open(&yard->pond, 4, 100);
}

static void yard_close(struct yard *yard)
{
    if (!yard->h2)
        porter_free(&yard->porter);
    pond_free(&yard->pond);
}

static void finish(struct yard *yard, struct haul *haul)
{
    RIG_UNTIL(&yard->pond.rig, haul->shot.done && !ski_list_linked(&haul->turn.link));
}

/* --- answers ----------------------------------------------------------------------------------- */

static void fetch(enum carrier carrier, const char *target, size_t length)
{
    struct yard yard;
    struct haul haul;

    yard_open(&yard, carrier, &good);
    haul_init(&haul, &yard.pond, target);
    haul_start(&haul);
    finish(&yard, &haul);
    CU_ASSERT(haul_arrived(&haul, 200, length));
    CU_ASSERT(haul.most <= SKI_TRANSFER_DOWN + SKI_H2_STREAM_WINDOW);
    haul_free(&haul);
    CU_ASSERT(pond_shoot(&yard.pond, "/") || !yard.h2);
    yard_close(&yard);
}

static void passes_large_answers_on(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        fetch(carrier, "/bytes/20000000", 20000000);
        fetch(carrier, "/bytes/1", 1);
        fetch(carrier, "/bytes/0", 0);
    }
    for (enum carrier carrier = PLAIN; carrier < H2; carrier++) {
        fetch(carrier, "/chunks/20000000", 20000000);
        fetch(carrier, "/chunks/0", 0);
        fetch(carrier, "/close/20000000", 20000000);
    }
}

/* Until the server has sent all that it may: nothing moves any more while others are served. */
static void fill(struct yard *yard, struct haul *haul)
{
    RIG_UNTIL(&yard->pond.rig, haul->transfer.held);
}

static void makes_the_server_wait(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        struct yard yard;
        struct haul stuck, other;

        yard_open(&yard, carrier, &good);
        haul_init(&stuck, &yard.pond, "/bytes/30000000");
        stuck.stuck = true;
        haul_start(&stuck);
        fill(&yard, &stuck);

        /* Twice the window of the connection goes past it. */
        haul_init(&other, &yard.pond, "/bytes/20000000");
        haul_start(&other);
        finish(&yard, &other);
        CU_ASSERT(haul_arrived(&other, 200, 20000000));
        haul_free(&other);
        CU_ASSERT_EQUAL(pond_count(&yard.pond).opened_ever, carrier == H2 ? 1 : 2);

        CU_ASSERT(stuck.shot.exchange.answer.length >= SKI_TRANSFER_DOWN);
        CU_ASSERT(stuck.shot.exchange.answer.length <=
                  SKI_TRANSFER_DOWN + (carrier == H2 ? SKI_H2_STREAM_WINDOW : 16384));
        CU_ASSERT_EQUAL(stuck.shot.done, 0);
        stuck.stuck = false;
        haul_tend(&stuck);
        finish(&yard, &stuck);
        CU_ASSERT(haul_arrived(&stuck, 200, 30000000));
        haul_free(&stuck);
        yard_close(&yard);
    }
}

/* Paused and let go again at every turn. */
static void goes_on_after_each_pause(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        struct yard yard;
        struct haul haul;
        unsigned pauses = 0;

        yard_open(&yard, carrier, &good);
        haul_init(&haul, &yard.pond, "/bytes/20000000");
        haul_start(&haul);
        while (!haul.shot.done && pauses < 1000) {
            unsigned turns = haul.turns;

            RIG_UNTIL(&yard.pond.rig, haul.shot.done || haul.turns > turns);
            haul_pause(&haul, true);
            CU_ASSERT(haul.shot.done || haul.transfer.held);
            test_loop_turn(&yard.pond.rig.test);
            haul_pause(&haul, false);
            CU_ASSERT_EQUAL(haul.transfer.held, 0);
            pauses++;
        }
        CU_ASSERT(pauses > 3);
        CU_ASSERT(haul_arrived(&haul, 200, 20000000));
        haul_free(&haul);
        yard_close(&yard);
    }
}

static void stay_calm(struct ski_exchange *exchange)
{
    (void)exchange;
}

/* The server has not heard our SETTINGS yet: its window grows when it has. */
static void holds_from_the_first_moment(void)
{
    struct ski_transfer transfer;
    struct duet duet;
    struct trip trip;
    size_t got = 0;

    CU_ASSERT_FATAL(duet_try_init(&duet, &good, NULL));
    ski_h2_read(duet.h2, duet.inbox.data, duet.inbox.length);
    ski_buf_clear(&duet.inbox);
    trip_init(&trip, &duet, "/bytes/5000000");
    ski_transfer_init(&transfer, &duet.mem);
    transfer.stir = stay_calm;
    transfer.down = transfer.paused = true;
    trip.exchange.transfer = &transfer;
    trip.exchange.answer.maximum = SKI_TRANSFER_MAX_DOWN;
    trip_start(&trip, &duet);
    duet_write(&duet);
    ski_h2_transfer(duet.h2, &trip.exchange);
    CU_ASSERT_EQUAL(transfer.held, 65535);
    duet_pump(&duet);
    CU_ASSERT_EQUAL(trip.over, 0);
    CU_ASSERT_EQUAL(transfer.held, SKI_H2_STREAM_WINDOW);
    CU_ASSERT_EQUAL(trip.exchange.answer.length, SKI_H2_STREAM_WINDOW);

    transfer.paused = false;
    while (!trip.over && trip.exchange.answer.length > 0) {
        got += trip.exchange.answer.length;
        ski_buf_clear(&trip.exchange.answer);
        ski_h2_transfer(duet.h2, &trip.exchange);
        duet_pump(&duet);
    }
    CU_ASSERT_EQUAL(got + trip.exchange.answer.length, 5000000);
    CU_ASSERT_EQUAL(trip.end, SKI_H2_COMPLETE);
    ski_transfer_free(&transfer);
    trip_free(&trip);
    duet_free(&duet);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void check_body(struct yard *yard, size_t length)
{
    if (yard->h2) {
        CU_ASSERT_EQUAL(rig_heard(&yard->pond.rig)->body_bytes, length);
    } else {
        CU_ASSERT_EQUAL(yard->porter.body, length);
        CU_ASSERT_FALSE(yard->porter.torn);
    }
}

static void post(enum carrier carrier, size_t length, bool told, size_t piece)
{
    struct yard yard;
    struct haul haul;

    yard_open(&yard, carrier, &good);
    haul_init(&haul, &yard.pond, carrier == H2 ? "/echo" : "/count");
    haul_set_body(&haul, length, told);
    haul.piece = piece;
    haul_start(&haul);
    finish(&yard, &haul);
    CU_ASSERT(haul_arrived(&haul, 200, carrier == H2 ? length : 0));
    check_body(&yard, length);
    haul_free(&haul);

    /* The connection is as good as before. */
    haul_init(&haul, &yard.pond, "/bytes/10");
    haul_start(&haul);
    finish(&yard, &haul);
    CU_ASSERT(haul_arrived(&haul, 200, 10));
    CU_ASSERT_EQUAL(pond_count(&yard.pond).opened_ever, 1);
    haul_free(&haul);
    yard_close(&yard);
}

static void sends_large_bodies(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        for (int told = 0; told < 2; told++) {
            post(carrier, 20 * MIB, told, 0);
            post(carrier, 100, told, 1);
            post(carrier, 1, told, 0);
            post(carrier, 0, told, 0);
        }
    }
}

/* Nobody is asked again before there is something: the owner comes back by itself. */
static void waits_for_who_has_nothing_yet(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        struct yard yard;
        struct haul haul;

        yard_open(&yard, carrier, &good);
        haul_init(&haul, &yard.pond, "/count");
        haul_set_body(&haul, 1000, false);
        haul.piece = 300;
        haul.withholding = true;
        haul_start(&haul);
        RIG_UNTIL(&yard.pond.rig, haul.transfer.wanted);
        for (int i = 0; i < 5; i++) {
            unsigned turns = haul.turns;

            test_loop_turn(&yard.pond.rig.test);
            CU_ASSERT(haul.turns <= turns + 1);
            CU_ASSERT(haul.transfer.wanted);
            haul.withholding = false;
            haul_tend(&haul);
            CU_ASSERT_FALSE(haul.transfer.wanted && !haul.transfer.ended);
            haul.withholding = true;
            RIG_UNTIL(&yard.pond.rig, haul.transfer.wanted || haul.transfer.ended);
            if (haul.transfer.ended)
                break;
        }
        finish(&yard, &haul);
        CU_ASSERT(haul_arrived(&haul, 200, carrier == H2 ? strlen("/count") : 0) ||
                  (carrier == H2 && haul.shot.done == 1));
        check_body(&yard, 1000);
        haul_free(&haul);
        yard_close(&yard);
    }
}

#define LARGE (256 * MIB)

/* The server reads nothing: what the windows, or the kernel, take is all that is asked for. */
static void waits_for_a_server_that_does_not_read(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        struct yard yard;
        struct haul haul, other;
        size_t sent;

        yard_open(&yard, carrier, &greedy);
        haul_init(&haul, &yard.pond, "/mute");
        haul_set_body(&haul, LARGE, true);
        haul_start(&haul);
        RIG_UNTIL(&yard.pond.rig, haul.sent > 0);
        if (!yard.h2) {
            RIG_UNTIL(&yard.pond.rig, yard.porter.heads == 1);
            test_peer_sleep(yard.porter.peer, true);
        }
        do {
            sent = haul.sent;
            for (int i = 0; i < 100; i++)
                test_loop_turn(&yard.pond.rig.test);
        } while (haul.sent > sent);
        CU_ASSERT(haul.sent < LARGE / 2);
        if (yard.h2) {
            CU_ASSERT(haul.sent <= 65535 + 2 * SKI_TRANSFER_UP);
            haul_init(&other, &yard.pond, "/bytes/1000");
            haul_start(&other);
            finish(&yard, &other);
            CU_ASSERT(haul_arrived(&other, 200, 1000));
            haul_free(&other);
        }
        CU_ASSERT_EQUAL(haul.shot.done, 0);
        haul_cancel(&haul);
        haul_free(&haul);
        yard_close(&yard);
    }
}

/* --- answers that do not wait ------------------------------------------------------------------ */

static void takes_an_answer_before_the_request_is_whole(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        for (int withholding = 0; withholding < 2; withholding++) {
            struct yard yard;
            struct haul haul;

            yard_open(&yard, carrier, &good);
            haul_init(&haul, &yard.pond, carrier == H2 ? "/early-refusal" : "/early");
            haul_set_body(&haul, LARGE, false);
            haul.withholding = withholding;
            haul_start(&haul);
            RIG_UNTIL(&yard.pond.rig, haul.shot.done);
            CU_ASSERT_EQUAL(haul.shot.failure.code, SCALEKIT_OK);
            CU_ASSERT_EQUAL(haul.shot.exchange.status, 413);
            CU_ASSERT_FALSE(haul.transfer.ended);
            CU_ASSERT(haul.shot.exchange.sent);
            haul_free(&haul);

            haul_init(&haul, &yard.pond, "/bytes/10");
            haul_start(&haul);
            finish(&yard, &haul);
            CU_ASSERT(haul_arrived(&haul, 200, 10));
            CU_ASSERT_EQUAL(pond_count(&yard.pond).opened_ever, carrier == H2 ? 1 : 2);
            haul_free(&haul);
            yard_close(&yard);
        }
    }
}

/* --- ends before the end ----------------------------------------------------------------------- */

static void fails_in_the_middle_of_an_answer(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        struct yard yard;
        struct haul haul;

        yard_open(&yard, carrier, &good);
        haul_init(&haul, &yard.pond, carrier == H2 ? "/reset-in-body" : "/half/1000000");
        haul_start(&haul);
        if (!yard.h2) {
            RIG_UNTIL(&yard.pond.rig, haul.got == 500000);
            test_link_reset(test_peer_last(yard.porter.peer));
        }
        RIG_UNTIL(&yard.pond.rig, haul.shot.done);
        CU_ASSERT_EQUAL(haul.shot.failure.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT_EQUAL(haul.shot.failure.phase, SCALEKIT_PHASE_RECEIVE);
        CU_ASSERT(haul.shot.exchange.sent);
        haul_free(&haul);
        yard_close(&yard);
    }
}

static void fails_in_the_middle_of_a_request(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++) {
        struct yard yard;
        struct haul haul;

        yard_open(&yard, carrier, &good);
        haul_init(&haul, &yard.pond, carrier == H2 ? "/early-reset" : "/count");
        haul_set_body(&haul, LARGE, true);
        haul_start(&haul);
        if (!yard.h2) {
            RIG_UNTIL(&yard.pond.rig, yard.porter.body > 0);
            test_link_reset(test_peer_last(yard.porter.peer));
        }
        RIG_UNTIL(&yard.pond.rig, haul.shot.done);
        CU_ASSERT_EQUAL(haul.shot.failure.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT(haul.shot.exchange.sent);
        CU_ASSERT_FALSE(haul.transfer.ended);
        haul_free(&haul);
        yard_close(&yard);
    }
}

enum moment { WAITING, SENDING, SILENT, RECEIVING, STUCK, MOMENTS };

static void cancel_at(enum carrier carrier, enum moment moment)
{
    static const struct h2_server_options *const options[] = {[WAITING] = &good,
                                                              [SENDING] = &good,
                                                              [SILENT] = &holding,
                                                              [RECEIVING] = &good,
                                                              [STUCK] = &good};
    struct yard yard;
    struct haul haul;
    bool sends = moment == SENDING || moment == SILENT;

    yard_open(&yard, carrier, options[moment]);
    haul_init(&haul, &yard.pond, sends ? "/mute" : "/bytes/20000000");
    if (sends)
        haul_set_body(&haul, moment == SENDING ? LARGE : 10, moment == SENDING);
    haul.stuck = moment == STUCK;
    haul_start(&haul);
    if (moment == SENDING)
        RIG_UNTIL(&yard.pond.rig, haul.sent > MIB);
    if (moment == SILENT)
        RIG_UNTIL(&yard.pond.rig, haul.shot.exchange.phase == SCALEKIT_PHASE_WAIT);
    if (moment == RECEIVING)
        RIG_UNTIL(&yard.pond.rig, haul.got > 0);
    if (moment == STUCK)
        fill(&yard, &haul);
    haul_cancel(&haul);
    haul_tend(&haul); /* too late, and harmless */
    haul_free(&haul);

    haul_init(&haul, &yard.pond, "/bytes/10");
    haul_start(&haul);
    if (moment == SILENT && carrier == H2) {
        RIG_UNTIL(&yard.pond.rig, h2_server_waiting(rig_server(&yard.pond.rig, 0)) > 0);
        RIG_UNTIL(&yard.pond.rig, rig_heard(&yard.pond.rig)->resets == 1);
        h2_server_answer(rig_server(&yard.pond.rig, 0), UINT32_MAX);
    }
    finish(&yard, &haul);
    CU_ASSERT(haul_arrived(&haul, 200, 10));
    haul_free(&haul);
    yard_close(&yard);
}

static void cancels_at_every_moment(void)
{
    for (enum carrier carrier = PLAIN; carrier < CARRIERS; carrier++)
        for (enum moment moment = WAITING; moment < MOMENTS; moment++)
            cancel_at(carrier, moment);
}

/* --- what may go again ------------------------------------------------------------------------- */

/* Refused by a server that has not looked at it: only the beginning of its body is gone. */
static void is_not_sent_again_once_begun(void)
{
    struct yard yard;
    struct haul haul;

    yard_open(&yard, H2, &good);
    haul_init(&haul, &yard.pond, "/early-refused");
    haul_set_body(&haul, LARGE, false);
    haul_start(&haul);
    RIG_UNTIL(&yard.pond.rig, haul.shot.done);
    CU_ASSERT_EQUAL(haul.shot.failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_FALSE(haul.shot.exchange.sent);
    CU_ASSERT(haul.transfer.begun);
    CU_ASSERT_EQUAL(rig_heard(&yard.pond.rig)->requests, 1);
    haul_free(&haul);
    yard_close(&yard);
}

/* No window, no beginning. */
static void goes_again_before_it_has_begun(void)
{
    static const struct h2_server_options shut = {
        .settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}}, .n_settings = 1};
    struct yard yard;
    struct haul haul;
    struct h2_server *server;

    yard_open(&yard, H2, &shut);
    CU_ASSERT(pond_shoot(&yard.pond, "/"));
    haul_init(&haul, &yard.pond, "/count");
    haul_set_body(&haul, 1000, true);
    haul_start(&haul);
    RIG_UNTIL(&yard.pond.rig, haul.shot.exchange.phase == SCALEKIT_PHASE_SEND &&
                                  rig_heard(&yard.pond.rig)->open == 1);
    CU_ASSERT_FALSE(haul.transfer.begun);
    server = rig_server(&yard.pond.rig, 0);
    h2_peer_options(yard.pond.rig.h2)->n_settings = 0;
    h2_server_goaway(server, 1, NGHTTP2_NO_ERROR, NULL);
    finish(&yard, &haul);
    CU_ASSERT_EQUAL(haul.shot.failure.code, SCALEKIT_OK);
    check_body(&yard, 1000);
    haul_free(&haul);
    yard_close(&yard);
}

/* Refused while it is paused, it is paused where it goes next. */
static void stays_paused_when_it_goes_again(void)
{
    static const struct h2_server_options refusing = {.reset_every = 2,
                                                      .reset_code = NGHTTP2_REFUSED_STREAM};
    struct yard yard;
    struct haul haul;

    yard_open(&yard, H2, &refusing);
    CU_ASSERT(pond_shoot(&yard.pond, "/"));
    haul_init(&haul, &yard.pond, "/bytes/20000000");
    haul_start(&haul);
    RIG_UNTIL(&yard.pond.rig, haul.shot.exchange.h2.stream > 1);
    haul_pause(&haul, true);
    CU_ASSERT(haul.transfer.held);
    RIG_UNTIL(&yard.pond.rig, haul.shot.done || haul.shot.exchange.answer.length > MIB / 2);
    for (int i = 0; i < 100; i++)
        test_loop_turn(&yard.pond.rig.test);
    CU_ASSERT_EQUAL(haul.shot.done, 0);
    CU_ASSERT_EQUAL(rig_heard(&yard.pond.rig)->refused, 1);
    CU_ASSERT_EQUAL(haul.transfer.held, SKI_H2_STREAM_WINDOW);
    CU_ASSERT_EQUAL(haul.shot.exchange.answer.length, SKI_H2_STREAM_WINDOW);
    haul_pause(&haul, false);
    finish(&yard, &haul);
    CU_ASSERT(haul_arrived(&haul, 200, 20000000));
    haul_free(&haul);
    yard_close(&yard);
}

/* --- memory ------------------------------------------------------------------------------------ */

#define ECHOED 600000 /* more than is let wait */

/* Sends so much in pieces; lets the echo wait until there is too much of it, and takes it then.
 * Returns how much came. */
static size_t echo_pieces(struct duet *duet, struct trip *trip, struct ski_transfer *transfer)
{
    static char piece[50000];
    size_t sent = 0, got = 0;

    while (!trip->over && ski_h2_state(duet->h2) != SKI_H2_FAILED) {
        bool wanted = transfer->wanted, held = transfer->held;

        if (wanted && !transfer->ended) {
            ski_buf_add(&transfer->out, piece, sizeof piece);
            if (transfer->out.failed)
                break;
            sent += sizeof piece;
            transfer->ended = sent == ECHOED;
        }
        if (held) {
            got += trip->exchange.answer.length;
            ski_buf_clear(&trip->exchange.answer);
        }
        ski_h2_transfer(duet->h2, &trip->exchange);
        duet_pump(duet);
        if (!wanted && !held && !trip->over)
            break;
    }
    return got + trip->exchange.answer.length;
}

static bool carry_pieces(struct test_memory *memory, void *user)
{
    struct ski_transfer transfer;
    struct duet duet;
    struct trip trip;
    size_t got = 0;

    (void)user;
    if (!duet_try_init(&duet, &good, &memory->allocator))
        return false;
    duet_pump(&duet);
    trip_init(&trip, &duet, "/echo");
    ski_transfer_init(&transfer, &duet.mem);
    transfer.stir = stay_calm;
    transfer.up = transfer.down = true;
    trip.exchange.method = "POST";
    trip.exchange.transfer = &transfer;
    trip.exchange.answer.maximum = SKI_TRANSFER_MAX_DOWN;
    if (ski_h2_state(duet.h2) == SKI_H2_OPEN) {
        trip_start(&trip, &duet);
        duet_pump(&duet);
        got = echo_pieces(&duet, &trip, &transfer);
    }
    duet_finish(&duet);
    if (ski_h2_state(duet.h2) != SKI_H2_FAILED && !trip.over)
        ski_h2_cancel(duet.h2, &trip.exchange, 0);
    CU_ASSERT(got <= ECHOED);
    ski_transfer_free(&transfer);
    trip_free(&trip);
    duet_free(&duet);
    return got == ECHOED && trip.over && trip.end == SKI_H2_COMPLETE;
}

static void survives_every_lack_of_memory(void)
{
    CU_ASSERT(test_every_allocation(carry_pieces, NULL) > 20);
}

SUITE(transfer, {"passes large answers on", passes_large_answers_on},
      {"makes the server wait for who takes nothing, and nobody else", makes_the_server_wait},
      {"goes on after each pause", goes_on_after_each_pause},
      {"holds an answer from the first moment", holds_from_the_first_moment},
      {"sends large bodies, of known length or not", sends_large_bodies},
      {"waits for who has nothing yet", waits_for_who_has_nothing_yet},
      {"waits for a server that does not read", waits_for_a_server_that_does_not_read},
      {"takes an answer before the request is whole", takes_an_answer_before_the_request_is_whole},
      {"fails in the middle of an answer", fails_in_the_middle_of_an_answer},
      {"fails in the middle of a request", fails_in_the_middle_of_a_request},
      {"cancels at every moment", cancels_at_every_moment},
      {"is not sent again once it has begun", is_not_sent_again_once_begun},
      {"goes again before it has begun", goes_again_before_it_has_begun},
      {"stays paused when it goes again", stays_paused_when_it_goes_again},
      {"survives every lack of memory", survives_every_lack_of_memory})
