#include "phone.h"
#include <stdlib.h>

/* --- what becomes of an exchange, and of its connection ----------------------------------------- */

static const struct row {
    const char *target;
    const char *body; /* NULL: it fails */
    scalekit_err err;
    enum scalekit_phase phase;
    bool stays; /* the connection */
    const char *method;
} rows[] = {
    {.target = "/chunks", .body = "ok", .stays = true},
    {.target = "/hints", .body = "ok", .stays = true},
    {.target = "/mute", .body = NULL, .err = SCALEKIT_ERR_NETWORK, .phase = SCALEKIT_PHASE_WAIT},
    {.target = "/half", .err = SCALEKIT_ERR_NETWORK, .phase = SCALEKIT_PHASE_RECEIVE},
    {.target = "/close", .body = "ok"},
    {.target = "/close-and-finish", .body = "ok"},
    {.target = "/finish", .body = "ok"},
    {.target = "/until-finish", .body = "ok"},
    {.target = "/two", .body = "ok"},
    {.target = "/truncated", .err = SCALEKIT_ERR_NETWORK, .phase = SCALEKIT_PHASE_RECEIVE},
    {.target = "/truncated-chunk", .err = SCALEKIT_ERR_NETWORK, .phase = SCALEKIT_PHASE_RECEIVE},
    {.target = "/nothing", .err = SCALEKIT_ERR_NETWORK, .phase = SCALEKIT_PHASE_WAIT},
    {.target = "/reset", .err = SCALEKIT_ERR_NETWORK, .phase = SCALEKIT_PHASE_WAIT},
    {.target = "/garbage", .err = SCALEKIT_ERR_PROTOCOL, .phase = SCALEKIT_PHASE_RECEIVE},
    {.target = "/huge", .err = SCALEKIT_ERR_TOO_LARGE, .phase = SCALEKIT_PHASE_RECEIVE},
    {.target = "/huge", .method = "HEAD", .body = "", .stays = true},
};

static void start_rig(struct rig *rig)
{
    rig_init(rig, &(struct rig_options){0});
}

#define ROW_IS(row, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (row)->target, __FILE__, "", CU_FALSE)

/* Links that would stay for ever are reset by the server once it has said its part. */
static bool needs_reset(const struct row *row)
{
    return strcmp(row->target, "/mute") == 0 || strcmp(row->target, "/half") == 0;
}

static void run_row(const struct row *row, const struct rig_options *options)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    rig_init(&rig, options);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, row->target);
    if (row->method)
        shot.exchange.method = row->method;
    phone_start(&phone, &shot);
    if (needs_reset(row)) {
        RIG_UNTIL(&rig, shot.exchange.phase == row->phase);
        test_link_reset(test_peer_last(rig.peer));
    }
    RIG_UNTIL(&rig, shot.done && (row->stays ? phone.ready == 2 : phone.ended == 1));

    ROW_IS(row, shot.done == 1);
    ROW_IS(row, shot.failure.code == row->err);
    ROW_IS(row, shot.exchange.sent);
    if (row->err)
        ROW_IS(row, shot.failure.phase == row->phase && shot.failure.text[0]);
    else
        ROW_IS(row, strcmp(ski_buf_text(&shot.exchange.answer), row->body) == 0);
    ROW_IS(row, phone.ended == !row->stays);
    ROW_IS(row, row->stays || phone.opened);

    shot_free(&shot);
    phone_hang_up(&phone);
    rig_free(&rig);
}

static void run_rows(const struct rig_options *options)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        run_row(&rows[i], options);
}

static void ends_well_or_badly(void)
{
    run_rows(&(struct rig_options){0});
}

static void ends_the_same_when_it_drips(void)
{
    run_rows(&(struct rig_options){.drip = true});
}

static void ends_the_same_over_tls(void)
{
    run_rows(&(struct rig_options){.tls = true});
}

/* A FIN is a good end of a plain connection; over TLS only close_notify is. */
static void believes_only_an_end_in_good_order(void)
{
    run_row(&(struct row){.target = "/until-cut", .body = "ok"}, &(struct rig_options){0});
    run_row(&(struct row){.target = "/until-cut",
                          .err = SCALEKIT_ERR_NETWORK,
                          .phase = SCALEKIT_PHASE_RECEIVE},
            &(struct rig_options){.tls = true});
}

/* --- keep-alive -------------------------------------------------------------------------------- */

static void carries_one_after_the_other(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shots[5];

    start_rig(&rig);
    phone_open(&phone, &rig);
    for (int i = 0; i < 5; i++) {
        shot_init(&shots[i], &rig, (char[]){'/', (char)('a' + i), '\0'});
        phone_start(&phone, &shots[i]);
        CU_ASSERT_EQUAL(ski_connection_room(phone.connection), 0);
        RIG_UNTIL(&rig, shots[i].done && phone.ready == (unsigned)i + 2);
    }
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(shot_hit(&shots[i]));
        shot_free(&shots[i]);
    }
    CU_ASSERT_EQUAL(test_peer_counts(rig.peer)->accepted, 1);
    phone_hang_up(&phone);
    rig_free(&rig);
}

static void tells_its_phases(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig);
    phone_dial(&phone, &rig);
    CU_ASSERT_EQUAL(ski_connection_phase(phone.connection), SCALEKIT_PHASE_RESOLVE);
    RIG_UNTIL(&rig, phone.ready == 1);
    CU_ASSERT_EQUAL(ski_connection_phase(phone.connection), SCALEKIT_PHASE_SEND);
    shot_init(&shot, &rig, "/half");
    phone_start(&phone, &shot);
    CU_ASSERT_EQUAL(shot.exchange.phase, SCALEKIT_PHASE_SEND);
    RIG_UNTIL(&rig, shot.exchange.phase == SCALEKIT_PHASE_WAIT);
    CU_ASSERT_EQUAL(rig.heard, 0);
    RIG_UNTIL(&rig, shot.exchange.phase == SCALEKIT_PHASE_RECEIVE);
    CU_ASSERT_EQUAL(rig.heard, 1);
    CU_ASSERT_EQUAL(shot.done, 0);
    test_link_says(test_peer_last(rig.peer), "cd");
    RIG_UNTIL(&rig, shot.done && phone.ready == 2);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&shot.exchange.answer), "abcd");
    shot_free(&shot);
    phone_hang_up(&phone);
    rig_free(&rig);
}

/* --- bytes that nobody asked for ---------------------------------------------------------------- */

static const char evil[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

static void ends_when_bytes_come_while_idle(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, "/a");
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, shot.done && phone.ready == 2);
    test_link_says(test_peer_last(rig.peer), evil);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT(phone.opened);
    CU_ASSERT_EQUAL(phone.failure.code, SCALEKIT_ERR_PROTOCOL);
    CU_ASSERT(shot_hit(&shot));
    shot_free(&shot);
    rig_free(&rig);
}

/* Bytes that lie there already when the request has not left cannot be its answer. */
static void takes_no_answer_before_the_request(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;
    struct raw_server raw;

    start_rig(&rig);
    raw_init(&raw);
    rig_set_port(&rig, raw.port);
    phone_open(&phone, &rig);
    raw_accept(&raw);
    shot_init(&shot, &rig, "/a");
    raw_send(&raw, evil);
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT_EQUAL(shot.done, 1);
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_FALSE(shot.exchange.sent);
    CU_ASSERT_EQUAL(shot.exchange.status, 0);
    shot_free(&shot);
    raw_free(&raw);
    rig_free(&rig);
}

/* The server had closed the idle connection, which nobody could know yet: safe to try again. */
static void knows_that_nothing_was_sent(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;
    struct raw_server raw;

    start_rig(&rig);
    raw_init(&raw);
    rig_set_port(&rig, raw.port);
    phone_open(&phone, &rig);
    raw_accept(&raw);
    raw_free(&raw);
    shot_init(&shot, &rig, "/a");
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT_EQUAL(shot.done, 1);
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_FALSE(shot.exchange.sent);
    shot_free(&shot);
    rig_free(&rig);
}

/* The same, with the request started from inside the completion of the one before. */
static void takes_no_second_answer_for_the_next_request(void)
{
    struct rig rig;
    struct phone phone;
    struct shot first, second;
    struct raw_server raw;

    start_rig(&rig);
    raw_init(&raw);
    rig_set_port(&rig, raw.port);
    phone_open(&phone, &rig);
    raw_accept(&raw);
    shot_init(&first, &rig, "/a");
    shot_init(&second, &rig, "/b");
    phone_start(&phone, &first);
    phone.next = &second;
    RIG_UNTIL(&rig, first.exchange.phase == SCALEKIT_PHASE_WAIT);
    raw_send(&raw, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/a");
    raw_send(&raw, evil);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT(shot_hit(&first));
    CU_ASSERT_EQUAL(second.exchange.status, 0);
    CU_ASSERT_FALSE(second.exchange.sent);
    shot_free(&first);
    shot_free(&second);
    raw_free(&raw);
    rig_free(&rig);
}

/* --- sending ----------------------------------------------------------------------------------- */

/* More than the kernel takes in before the server reads. */
#define BIG ((size_t)64 << 20)

static void accepts_an_early_answer_and_ends(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;
    struct raw_server raw;
    char *body = calloc(1, BIG);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    start_rig(&rig);
    raw_init(&raw);
    rig_set_port(&rig, raw.port);
    phone_open(&phone, &rig);
    raw_accept(&raw);
    shot_init(&shot, &rig, "/a");
    shot.exchange.method = "POST";
    shot.exchange.body = body;
    shot.exchange.body_length = BIG;
    phone_start(&phone, &shot);
    test_loop_turn(&rig.test);
    CU_ASSERT_EQUAL(shot.exchange.phase, SCALEKIT_PHASE_SEND);
    raw_send(&raw, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT_EQUAL(shot.done, 1);
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(shot.exchange.status, 413);
    CU_ASSERT(shot.exchange.sent);
    CU_ASSERT_EQUAL(phone.ready, 1);
    shot_free(&shot);
    raw_free(&raw);
    rig_free(&rig);
    free(body);
}

static void refuses_to_send_what_may_not_be_sent(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, "/a");
    shot.exchange.headers[shot.exchange.n_headers++] = SKI_HEADER("a", "b\r\nc: d");
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT_EQUAL(shot.done, 1);
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_ERR_INVALID);
    CU_ASSERT_FALSE(shot.exchange.sent);
    CU_ASSERT_EQUAL(rig.heard, 0);
    shot_free(&shot);
    rig_free(&rig);
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void cancel_when(const char *target, enum scalekit_phase phase)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, target);
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, shot.exchange.phase == phase);
    phone_cancel(&phone, &shot);
    CU_ASSERT_PTR_NULL(shot.exchange.connection);
    CU_ASSERT_EQUAL(shot.exchange.sent, phase != SCALEKIT_PHASE_SEND);
    CU_ASSERT_EQUAL(phone.ended, 0);
    CU_ASSERT_EQUAL(ski_connection_room(phone.connection), 0);
    CU_ASSERT_EQUAL(ski_connection_phase(phone.connection), SCALEKIT_PHASE_SEND);
    shot_free(&shot);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT_EQUAL(shot.done, 0);
    CU_ASSERT_EQUAL(phone.failure.code, SCALEKIT_ERR_CANCELED);
    CU_ASSERT(phone.opened);
    RIG_UNTIL(&rig, test_peer_counts(rig.peer)->clean + test_peer_counts(rig.peer)->broken == 1);
    rig_free(&rig);
}

static void cancels_in_every_phase(void)
{
    cancel_when("/mute", SCALEKIT_PHASE_SEND);
    cancel_when("/mute", SCALEKIT_PHASE_WAIT);
    cancel_when("/half", SCALEKIT_PHASE_RECEIVE);
}

/* The request could not be written, and is cancelled before that is told. */
static void cancels_what_is_about_to_fail(void)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, "no target");
    phone_start(&phone, &shot);
    phone_cancel(&phone, &shot);
    RIG_UNTIL(&rig, phone.ended == 1);
    CU_ASSERT_EQUAL(shot.done, 0);
    shot_free(&shot);
    rig_free(&rig);
}

SUITE(connection_h1, {"ends well or badly, as the answer does", ends_well_or_badly},
      {"ends the same when it comes byte by byte", ends_the_same_when_it_drips},
      {"ends the same over TLS", ends_the_same_over_tls},
      {"believes only an end in good order", believes_only_an_end_in_good_order},
      {"carries one exchange after the other", carries_one_after_the_other},
      {"tells its phases", tells_its_phases},
      {"ends when bytes come while idle", ends_when_bytes_come_while_idle},
      {"takes no answer before the request has left", takes_no_answer_before_the_request},
      {"knows that nothing was sent", knows_that_nothing_was_sent},
      {"takes no second answer for the next request", takes_no_second_answer_for_the_next_request},
      {"accepts an early answer, and ends", accepts_an_early_answer_and_ends},
      {"refuses to send what may not be sent", refuses_to_send_what_may_not_be_sent},
      {"cancels in every phase", cancels_in_every_phase},
      {"cancels what is about to fail", cancels_what_is_about_to_fail})
