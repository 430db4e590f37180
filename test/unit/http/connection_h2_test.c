#include "http/connection_driver.h"
#include "http/h2.h"
#include "phone.h"
#include <stdlib.h>

#define LIMIT(n) .settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, n}}, .n_settings = 1

static const struct h2_server_options good, holding = {.hold = true}, late = {.late = true};

static unsigned room_of(const struct talk *talk)
{
    return ski_connection_room(talk->phone.connection);
}

static unsigned load_of(const struct talk *talk)
{
    return ski_connection_load(talk->phone.connection);
}

/* --- opening ----------------------------------------------------------------------------------- */

static void is_not_open_before_the_settings(void)
{
    struct rig rig;
    struct phone phone;

    rig_init(&rig, &(struct rig_options){.h2 = &late});
    phone_dial(&phone, &rig);
    RIG_UNTIL(&rig, test_peer_counts(rig.peer)->bytes > 24); /* our greeting */
    CU_ASSERT(ski_connection_is_multiplexed(phone.connection));
    CU_ASSERT_FALSE(ski_connection_is_leaving(phone.connection));
    CU_ASSERT_EQUAL(ski_connection_room(phone.connection), 0);
    CU_ASSERT_EQUAL(ski_connection_phase(phone.connection), SCALEKIT_PHASE_SEND);
    CU_ASSERT_EQUAL(phone.ready, 0);
    h2_server_greet(rig_server(&rig, 0));
    RIG_UNTIL(&rig, phone.ready);
    CU_ASSERT_EQUAL(ski_connection_room(phone.connection), SKI_H2_MAX_STREAMS);
    CU_ASSERT_EQUAL(ski_connection_load(phone.connection), 0);
    RIG_UNTIL(&rig, rig_heard(&rig)->settings_acks == 1);
    phone_hang_up(&phone);
    rig_free(&rig);
}

static const struct failed_greeting {
    const char *name;
    const char *greeting; /* NULL: none */
    bool goaway;
    enum h2_ending then;
    scalekit_err err;
    const char *text; /* which the failure's begins with */
} failed_greetings[] = {
    {"finish", NULL, false, H2_FINISH, SCALEKIT_ERR_NETWORK,
     "connection closed before the server's HTTP/2 SETTINGS"},
    {"cut", NULL, false, H2_CUT, SCALEKIT_ERR_NETWORK, ""},
    {"reset", NULL, false, H2_RESET, SCALEKIT_ERR_NETWORK, ""},
    {"HTTP/1.1", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false, H2_STAY,
     SCALEKIT_ERR_PROTOCOL, "the server broke HTTP/2"},
    {"GOAWAY with the SETTINGS", NULL, true, H2_STAY, SCALEKIT_ERR_NETWORK,
     "the server ended the connection before anything was sent"},
};

static void run_failed_greeting(const struct failed_greeting *row)
{
    struct h2_server_options options = {.late = true, .greeting = row->greeting};
    struct rig rig;
    struct phone phone;

    rig_init(&rig, &(struct rig_options){.h2 = &options});
    phone_dial(&phone, &rig);
    if (row->then) {
        RIG_UNTIL(&rig, test_peer_counts(rig.peer)->bytes > 24);
        h2_server_end(rig_server(&rig, 0), row->then);
    }
    if (row->goaway) {
        RIG_UNTIL(&rig, test_peer_counts(rig.peer)->bytes > 24);
        h2_server_goaway(rig_server(&rig, 0), 0, NGHTTP2_NO_ERROR, NULL);
        h2_server_greet(rig_server(&rig, 0));
    }
    RIG_UNTIL(&rig, phone.ended);
    CU_assertImplementation(!phone.opened && phone.ready == 0 && phone.failure.code == row->err &&
                                strncmp(phone.failure.text, row->text, strlen(row->text)) == 0 &&
                                phone.failure.text[0],
                            __LINE__, row->name, __FILE__, "", CU_FALSE);
    rig_free(&rig);
}

static void says_why_it_did_not_open(void)
{
    for (size_t i = 0; i < sizeof failed_greetings / sizeof *failed_greetings; i++)
        run_failed_greeting(&failed_greetings[i]);
}

/* --- many at a time ---------------------------------------------------------------------------- */

static void carries_many_at_a_time(void)
{
    enum { N = SKI_H2_MAX_STREAMS };
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &holding);
    shots = shots_new(&talk.rig, N, NULL);
    phone_start_all(&talk.phone, shots, N);
    CU_ASSERT_EQUAL(load_of(&talk), N);
    CU_ASSERT_EQUAL(room_of(&talk), 0);
    talk_until_held(&talk, N);
    for (unsigned i = 0; i < N; i++)
        CU_ASSERT_EQUAL(shots[i].exchange.phase, SCALEKIT_PHASE_WAIT);
    h2_server_answer(talk_server(&talk), N);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(shots, N), N);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->most_open, N);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->invalid, 0);
    CU_ASSERT_EQUAL(load_of(&talk), 0);
    CU_ASSERT_EQUAL(room_of(&talk), N);
    CU_ASSERT_EQUAL(test_peer_counts(talk.rig.peer)->accepted, 1);
    shots_free(shots, N);
    talk_free(&talk);
}

/* Application data, as it comes in at the server. */
static void count_record(int write_p, int version, int type, const void *bytes, size_t length,
                         SSL *ssl, void *user)
{
    (void)version;
    (void)ssl;
    if (!write_p && type == SSL3_RT_HEADER && length > 0 &&
        *(const unsigned char *)bytes == SSL3_RT_APPLICATION_DATA)
        ++*(unsigned *)user;
}

static void sends_what_starts_in_one_turn_together(void)
{
    enum { N = 100 };
    unsigned records = 0, before;
    struct rig rig;
    struct phone phone;
    struct shot *shots;

    rig_init(&rig, &(struct rig_options){.h2 = &good});
    SSL_CTX_set_msg_callback(rig.server, count_record);
    SSL_CTX_set_msg_callback_arg(rig.server, &records);
    phone_open(&phone, &rig);
    RIG_UNTIL(&rig, rig_heard(&rig)->settings_acks == 1);
    before = records;
    shots = shots_new(&rig, N, NULL);
    phone_start_all(&phone, shots, N);
    CU_ASSERT_EQUAL(records, before);
    RIG_UNTIL(&rig, rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(shots, N), N);
    CU_ASSERT(records > before);
    CU_ASSERT(records - before < N / 10);
    shots_free(shots, N);
    phone_hang_up(&phone);
    rig_free(&rig);
}

/* In `done`, once per shot: the next one finds room, though the connection was full. */
struct relay {
    struct phone *phone;
    struct shot *shots;
    unsigned next, n;
};

static void pass_on(struct shot *shot)
{
    struct relay *relay = shot->user;
    struct phone *phone = relay->phone;

    CU_ASSERT(ski_connection_room(phone->connection) > 0);
    if (relay->next < relay->n) {
        phone->rig->pending++;
        ski_connection_start(phone->connection, &relay->shots[relay->next++].exchange);
    }
}

static void has_room_when_one_is_done(void)
{
    enum { N = 300, AT_A_TIME = 3 };
    struct talk talk;
    struct relay relay = {.phone = &talk.phone, .next = AT_A_TIME, .n = N};

    talk_init(&talk, &(struct h2_server_options){LIMIT(AT_A_TIME)});
    relay.shots = shots_new(&talk.rig, N, NULL);
    for (unsigned i = 0; i < N; i++) {
        relay.shots[i].then = pass_on;
        relay.shots[i].user = &relay;
    }
    phone_start_all(&talk.phone, relay.shots, AT_A_TIME);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(relay.shots, N), N);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->refused, 0);
    CU_ASSERT(rig_heard(&talk.rig)->most_open <= AT_A_TIME);
    shots_free(relay.shots, N);
    talk_free(&talk);
}

/* --- the server's limit ------------------------------------------------------------------------ */

static void follows_the_servers_limit(void)
{
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &(struct h2_server_options){LIMIT(3), .hold = true});
    shots = shots_new(&talk.rig, 5, NULL);
    CU_ASSERT_EQUAL(room_of(&talk), 3);
    phone_start_all(&talk.phone, shots, 3);
    CU_ASSERT_EQUAL(room_of(&talk), 0);
    talk_until_held(&talk, 3);
    talk_set_limit(&talk, 5);
    CU_ASSERT_EQUAL(room_of(&talk), 2);
    phone_start_all(&talk.phone, shots + 3, 2);
    talk_until_held(&talk, 5);
    talk_set_limit(&talk, 2);
    CU_ASSERT_EQUAL(room_of(&talk), 0);
    h2_server_answer(talk_server(&talk), 3);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 2);
    CU_ASSERT_EQUAL(room_of(&talk), 0);
    h2_server_answer(talk_server(&talk), 1);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 1);
    CU_ASSERT_EQUAL(room_of(&talk), 1);
    talk_set_limit(&talk, 100000);
    CU_ASSERT_EQUAL(room_of(&talk), SKI_H2_MAX_STREAMS - 1);
    h2_server_answer(talk_server(&talk), 1);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(shots, 5), 5);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->refused, 0);
    shots_free(shots, 5);
    talk_free(&talk);
}

/* --- cancelling -------------------------------------------------------------------------------- */

static void cancels_before_it_leaves(void)
{
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &good);
    shots = shots_new(&talk.rig, 3, NULL);
    phone_start_all(&talk.phone, shots, 3);
    phone_cancel(&talk.phone, &shots[1]);
    CU_ASSERT_EQUAL(load_of(&talk), 2);
    CU_ASSERT_EQUAL(room_of(&talk), SKI_H2_MAX_STREAMS - 2);
    CU_ASSERT_FALSE(shots[1].exchange.sent);
    CU_ASSERT_PTR_NULL(shots[1].exchange.connection);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT(shot_hit(&shots[0]) && shot_hit(&shots[2]));
    CU_ASSERT_EQUAL(shots[1].done, 0);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->requests, 2);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->numbered[1], 0);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->resets, 0);
    shots_free(shots, 3);
    talk_free(&talk);
}

static void cancels_what_is_under_way(void)
{
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &(struct h2_server_options){LIMIT(3), .hold = true});
    shots = shots_new(&talk.rig, 3, NULL);
    phone_start_all(&talk.phone, shots, 3);
    talk_until_held(&talk, 3);
    phone_cancel(&talk.phone, &shots[1]);
    CU_ASSERT(shots[1].exchange.sent);
    CU_ASSERT_EQUAL(load_of(&talk), 2);
    CU_ASSERT_EQUAL(room_of(&talk), 0); /* not before the server is told */
    shot_free(&shots[1]);
    RIG_UNTIL(&talk.rig, room_of(&talk) == 1);
    RIG_UNTIL(&talk.rig, rig_heard(&talk.rig)->resets == 1);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->reset_code, NGHTTP2_CANCEL);
    h2_server_answer(talk_server(&talk), 2);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT(shot_hit(&shots[0]) && shot_hit(&shots[2]));
    CU_ASSERT_EQUAL(shots[1].done, 0);
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    CU_ASSERT_EQUAL(room_of(&talk), 3);
    shots_free(shots, 3);
    talk_free(&talk);
}

static void cancels_in_the_middle_of_an_answer(void)
{
    struct talk talk;
    struct shot slow, next;

    talk_init(&talk, &good);
    shot_init(&slow, &talk.rig, "/slow/100");
    shot_init(&next, &talk.rig, "/next");
    phone_start(&talk.phone, &slow);
    RIG_UNTIL(&talk.rig, slow.exchange.phase == SCALEKIT_PHASE_RECEIVE);
    h2_server_more(talk_server(&talk), 100); /* on its way when it is cancelled */
    phone_cancel(&talk.phone, &slow);
    shot_free(&slow);
    phone_start(&talk.phone, &next);
    RIG_UNTIL(&talk.rig, next.done);
    CU_ASSERT(shot_hit(&next));
    CU_ASSERT_EQUAL(slow.done, 0);
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    CU_ASSERT_EQUAL(room_of(&talk), SKI_H2_MAX_STREAMS);
    shot_free(&next);
    talk_free(&talk);
}

/* In `done` of one, those that are over as well but have not been told, and one under way. */
static void cancel_the_others(struct shot *shot)
{
    struct phone *phone = shot->user;

    for (unsigned i = 1; i < 4; i++) {
        ski_connection_cancel(phone->connection, &shot[i].exchange);
        phone->rig->pending--;
    }
}

static void cancels_what_is_over_but_not_told(void)
{
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &holding);
    shots = shots_new(&talk.rig, 5, NULL);
    shots[0].then = cancel_the_others;
    shots[0].user = &talk.phone;
    phone_start_all(&talk.phone, shots, 5);
    talk_until_held(&talk, 5);
    h2_server_answer(talk_server(&talk), 3); /* in one record */
    RIG_UNTIL(&talk.rig, talk.rig.pending == 1);
    RIG_UNTIL(&talk.rig, rig_heard(&talk.rig)->resets == 1);
    h2_server_answer(talk_server(&talk), 1);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT(shot_hit(&shots[0]) && shot_hit(&shots[4]));
    CU_ASSERT_EQUAL(shots[1].done + shots[2].done + shots[3].done, 0);
    CU_ASSERT_EQUAL(room_of(&talk), SKI_H2_MAX_STREAMS);
    shots_free(shots, 5);
    talk_free(&talk);
}

/* --- farewells --------------------------------------------------------------------------------- */

/* Five under way, numbered 1 to 9, and the server says up to which it will answer. */
static void run_goaway(int32_t last, unsigned stay)
{
    enum { N = 5 };
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &holding);
    shots = shots_new(&talk.rig, N, NULL);
    phone_start_all(&talk.phone, shots, N);
    talk_until_held(&talk, N);
    h2_server_goaway(talk_server(&talk), last, NGHTTP2_NO_ERROR, NULL);
    RIG_UNTIL(&talk.rig,
              stay ? ski_connection_is_leaving(talk.phone.connection) : talk.phone.ended);
    CU_ASSERT_EQUAL(talk.phone.returned, N - stay);
    CU_ASSERT_EQUAL(talk.rig.pending, stay);
    if (stay) {
        CU_ASSERT_EQUAL(talk.phone.ended, 0);
        CU_ASSERT_EQUAL(room_of(&talk), 0);
        CU_ASSERT_EQUAL(load_of(&talk), stay);
        h2_server_answer(talk_server(&talk), stay);
        RIG_UNTIL(&talk.rig, talk.phone.ended);
    }
    CU_ASSERT_EQUAL(shots_hit(shots, N), stay);
    for (unsigned i = stay; i < N; i++)
        CU_ASSERT(shots[i].done == 0 && !shots[i].exchange.sent);
    CU_ASSERT_EQUAL(talk.phone.ended, 1);
    CU_ASSERT(talk.phone.opened);
    CU_ASSERT_EQUAL(talk.phone.failure.code, SCALEKIT_OK);
    shots_free(shots, N);
    talk_free(&talk);
}

static void finishes_what_goaway_lets_it(void)
{
    run_goaway(INT32_MAX, 5);
    run_goaway(9, 5);
    run_goaway(5, 3);
    run_goaway(1, 1);
    run_goaway(0, 0);
}

static void leaves_when_the_last_is_cancelled(void)
{
    struct talk talk;
    struct shot shot;

    talk_init(&talk, &holding);
    shot_init(&shot, &talk.rig, "/a");
    phone_start(&talk.phone, &shot);
    talk_until_held(&talk, 1);
    h2_server_goaway(talk_server(&talk), -1, NGHTTP2_NO_ERROR, NULL);
    RIG_UNTIL(&talk.rig, ski_connection_is_leaving(talk.phone.connection));
    phone_cancel(&talk.phone, &shot);
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    RIG_UNTIL(&talk.rig, talk.phone.ended);
    CU_ASSERT_EQUAL(talk.phone.failure.code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(shot.done, 0);
    shot_free(&shot);
    talk_free(&talk);
}

/* --- resets ------------------------------------------------------------------------------------ */

static void gives_back_what_was_refused_once(void)
{
    struct talk talk;
    struct shot shot;

    talk_init(&talk, &holding);
    shot_init(&shot, &talk.rig, "/a");
    shot_set_body(&shot, "body", 4);
    for (unsigned i = 0; i < 2; i++) {
        phone_start(&talk.phone, &shot);
        talk_until_held(&talk, 1);
        h2_server_reset(talk_server(&talk), NGHTTP2_REFUSED_STREAM);
        RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
        CU_ASSERT_EQUAL(talk.phone.returned, 1);
        CU_ASSERT_EQUAL(shot.done, i);
        CU_ASSERT_FALSE(shot.exchange.sent);
    }
    CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_STRING_EQUAL(shot.failure.text, "the server refused the request unread");
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    shot_free(&shot);
    talk_free(&talk);
}

static void fails_only_the_one_that_was_reset(void)
{
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &holding);
    shots = shots_new(&talk.rig, 3, NULL);
    phone_start_all(&talk.phone, shots, 3);
    talk_until_held(&talk, 3);
    h2_server_reset(talk_server(&talk), NGHTTP2_INTERNAL_ERROR);
    RIG_UNTIL(&talk.rig, shots[0].done);
    CU_ASSERT_EQUAL(shots[0].failure.code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_EQUAL(shots[0].failure.phase, SCALEKIT_PHASE_WAIT);
    CU_ASSERT(shots[0].exchange.sent);
    h2_server_answer(talk_server(&talk), 2);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT(shot_hit(&shots[1]) && shot_hit(&shots[2]));
    CU_ASSERT_EQUAL(talk.phone.ended, 0);
    shots_free(shots, 3);
    talk_free(&talk);
}

/* --- the end ----------------------------------------------------------------------------------- */

static const struct ending {
    const char *name;
    enum h2_ending how;
    const char *script; /* played instead */
    scalekit_err phone; /* of the connection's end; OK: in good order */
    scalekit_err shot;
    const char *text; /* which an exchange's failure begins with */
} endings[] = {
    {"finish", H2_FINISH, NULL, SCALEKIT_OK, SCALEKIT_ERR_NETWORK,
     "connection closed before an answer"},
    {"cut", H2_CUT, NULL, SCALEKIT_ERR_NETWORK, SCALEKIT_ERR_NETWORK, ""},
    {"reset", H2_RESET, NULL, SCALEKIT_ERR_NETWORK, SCALEKIT_ERR_NETWORK, ""},
    {"DATA on no stream", H2_STAY, "/data-on-connection", SCALEKIT_ERR_PROTOCOL,
     SCALEKIT_ERR_PROTOCOL, "the server broke HTTP/2: "},
    {"a push", H2_STAY, "/settings-push", SCALEKIT_ERR_PROTOCOL, SCALEKIT_ERR_PROTOCOL,
     "the server broke HTTP/2: "},
    {"too large a window", H2_STAY, "/window-overflow", SCALEKIT_ERR_PROTOCOL,
     SCALEKIT_ERR_PROTOCOL, "the server broke HTTP/2: "},
    {"GOAWAY and a reason", H2_STAY, "/goaway-error", SCALEKIT_OK, SCALEKIT_ERR_NETWORK,
     "the server ended the connection: ENHANCE_YOUR_CALM"},
};

static void run_ending(const struct ending *row)
{
    enum { N = 3 };
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &holding);
    shots = shots_new(&talk.rig, N, NULL);
    phone_start_all(&talk.phone, shots, N);
    talk_until_held(&talk, N);
    if (row->script)
        h2_server_play(talk_server(&talk), row->script);
    else
        h2_server_end(talk_server(&talk), row->how);
    RIG_UNTIL(&talk.rig, talk.phone.ended);
    for (unsigned i = 0; i < N; i++)
        CU_assertImplementation(
            shots[i].done == 1 && shots[i].order == i + 1 && shots[i].failure.code == row->shot &&
                shots[i].exchange.sent && shots[i].failure.phase == SCALEKIT_PHASE_WAIT &&
                shots[i].failure.text[0] &&
                strncmp(shots[i].failure.text, row->text, strlen(row->text)) == 0,
            __LINE__, row->name, __FILE__, "", CU_FALSE);
    CU_assertImplementation(talk.phone.opened && talk.phone.failure.code == row->phone, __LINE__,
                            row->name, __FILE__, "", CU_FALSE);
    shots_free(shots, N);
    talk_free(&talk);
}

static void loses_all_with_the_connection(void)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        run_ending(&endings[i]);
}

/* An answer that came before the end counts. */
static void believes_what_came_before_the_end(void)
{
    static const char *const targets[] = {"/ok-finish", "/ok-cut"};

    for (unsigned i = 0; i < 2; i++) {
        struct talk talk;
        struct shot shot;

        talk_init(&talk, &good);
        shot_init(&shot, &talk.rig, targets[i]);
        phone_start(&talk.phone, &shot);
        RIG_UNTIL(&talk.rig, talk.phone.ended);
        CU_ASSERT_EQUAL(shot.done, 1);
        CU_ASSERT_EQUAL(shot.failure.code, SCALEKIT_OK);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&shot.exchange.answer), "ok");
        shot_free(&shot);
        talk_free(&talk);
    }
}

/* --- more than the kernel takes ----------------------------------------------------------------- */

#define LARGE_HEADER 60000
#define MAX_UNSENT   (262144 + 65536) /* what the stream is filled up to, and one request more */

/* Shots that no window holds back, 15 MB of them, to a server that has stopped to read. */
static struct shot *start_large(struct talk *talk, char *header)
{
    struct shot *shots = shots_new(&talk->rig, SKI_H2_MAX_STREAMS, NULL);

    memset(header, 'X', LARGE_HEADER);
    header[LARGE_HEADER] = '\0';
    for (unsigned i = 0; i < SKI_H2_MAX_STREAMS; i++) {
        shots[i].exchange.headers[0] = (struct ski_header){{"x-large", 7}, {header, LARGE_HEADER}};
        shots[i].exchange.n_headers = 1;
    }
    test_peer_sleep(talk->rig.peer, true);
    phone_start_all(&talk->phone, shots, SKI_H2_MAX_STREAMS);
    return shots;
}

static size_t unsent_of(const struct talk *talk)
{
    return ski_stream_unsent(talk->phone.connection->stream);
}

/* Lets the kernel take all it can: until a turn moves nothing any more. */
static void fill_the_kernel(struct talk *talk, struct shot *shots)
{
    unsigned before, out = 0;

    do {
        before = out;
        test_loop_turn(&talk->rig.test);
        CU_ASSERT(unsent_of(talk) <= MAX_UNSENT);
        for (out = 0; out < SKI_H2_MAX_STREAMS && shots[out].exchange.h2.stream; out++)
            ;
    } while (out > before);
    CU_ASSERT(out < SKI_H2_MAX_STREAMS);
}

static void bounds_its_buffer_and_goes_on_as_it_drains(void)
{
    char *header = malloc(LARGE_HEADER + 1);
    struct talk talk;
    struct shot *shots;

    CU_ASSERT_PTR_NOT_NULL_FATAL(header);
    talk_init(&talk, &good);
    shots = start_large(&talk, header);
    fill_the_kernel(&talk, shots);
    test_peer_sleep(talk.rig.peer, false);
    while (talk.rig.pending > 0 && !talk.rig.expired) {
        unsigned pending = talk.rig.pending;

        RIG_UNTIL(&talk.rig, talk.rig.pending < pending);
        CU_ASSERT(unsent_of(&talk) <= MAX_UNSENT);
    }
    CU_ASSERT_EQUAL(shots_hit(shots, SKI_H2_MAX_STREAMS), SKI_H2_MAX_STREAMS);
    shots_free(shots, SKI_H2_MAX_STREAMS);
    talk_free(&talk);
    free(header);
}

/* Exchanges leave in order, so that those that may have reached the server come first. */
static void knows_what_was_sent(void)
{
    char *header = malloc(LARGE_HEADER + 1);
    struct talk talk;
    struct shot *shots;
    unsigned sent = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(header);
    talk_init(&talk, &good);
    shots = start_large(&talk, header);
    fill_the_kernel(&talk, shots);
    CU_ASSERT(unsent_of(&talk) > 0);
    phone_cancel(&talk.phone, &shots[0]);
    phone_cancel(&talk.phone, &shots[SKI_H2_MAX_STREAMS - 1]);
    CU_ASSERT(shots[0].exchange.sent);
    CU_ASSERT_FALSE(shots[SKI_H2_MAX_STREAMS - 1].exchange.sent);
    test_link_reset(test_peer_last(talk.rig.peer));
    RIG_UNTIL(&talk.rig, talk.phone.ended);
    CU_ASSERT_EQUAL(talk.rig.pending, 0);
    while (sent < SKI_H2_MAX_STREAMS && shots[sent].exchange.sent)
        sent++;
    CU_ASSERT(sent > 1);
    for (unsigned i = sent; i < SKI_H2_MAX_STREAMS; i++)
        CU_ASSERT_FALSE(shots[i].exchange.sent);
    shots_free(shots, SKI_H2_MAX_STREAMS);
    talk_free(&talk);
    free(header);
}

/* The server's window is closed: headers go out, bodies when it opens. */
static void waits_for_the_window(void)
{
    enum { N = 20 };
    static const char body[] = "a body that waits";
    struct talk talk;
    struct shot *shots;

    talk_init(&talk, &(struct h2_server_options){
                         .settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}}, .n_settings = 1});
    shots = shots_new(&talk.rig, N, "/echo");
    for (unsigned i = 0; i < N; i++)
        shot_set_body(&shots[i], body, sizeof body - 1);
    phone_start_all(&talk.phone, shots, N);
    RIG_UNTIL(&talk.rig, rig_heard(&talk.rig)->open == N);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->body_bytes, 0);
    for (unsigned i = 0; i < N; i++)
        CU_ASSERT_EQUAL(shots[i].exchange.phase, SCALEKIT_PHASE_SEND);
    h2_server_set(talk_server(&talk), NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    for (unsigned i = 0; i < N; i++)
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&shots[i].exchange.answer), body);
    shots_free(shots, N);
    talk_free(&talk);
}

static void uploads_more_than_a_window(void)
{
    enum { N = 4, LENGTH = 1000000 };
    char *body = calloc(1, LENGTH);
    struct talk talk;
    struct shot *shots;

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    talk_init(&talk, &good);
    shots = shots_new(&talk.rig, N, NULL);
    for (unsigned i = 0; i < N; i++)
        shot_set_body(&shots[i], body, LENGTH);
    phone_start_all(&talk.phone, shots, N);
    RIG_UNTIL(&talk.rig, talk.rig.pending == 0);
    CU_ASSERT_EQUAL(shots_hit(shots, N), N);
    CU_ASSERT_EQUAL(rig_heard(&talk.rig)->body_bytes, N * LENGTH);
    shots_free(shots, N);
    talk_free(&talk);
    free(body);
}

/* --- memory ------------------------------------------------------------------------------------ */

/* Whatever fails, each exchange is told of once, and the connection ends at most once. */
static bool do_some(struct test_memory *memory, void *user)
{
    static const char *const targets[] = {"/a", "/bytes/90", "/reset-refused", "/goaway-notice"};
    enum { N = sizeof targets / sizeof *targets };
    struct test_memory *ours;
    struct rig rig;
    struct phone phone;
    struct shot shots[N];
    unsigned told = 0;
    bool through;

    (void)user;
    rig_init(&rig, &(struct rig_options){.h2 = &good});
    for (unsigned i = 0; i < N; i++)
        shot_init(&shots[i], &rig, targets[i]);
    ours = &rig.test.memory;
    ours->count = 0;
    ours->fail_at = memory->fail_at;
    through = phone_try_dial(&phone, &rig);
    RIG_UNTIL(&rig, !through || phone.ready || phone.ended);
    for (unsigned i = 0; i < N && phone.connection; i++) {
        unsigned before = rig.pending;

        if (!phone.connection || ski_connection_room(phone.connection) == 0)
            break;
        phone_start(&phone, &shots[i]);
        told++;
        RIG_UNTIL(&rig, rig.pending == before);
    }
    RIG_UNTIL(&rig, rig.pending == 0);
    for (unsigned i = 0; i < N; i++) {
        through &= shots[i].failure.code != SCALEKIT_ERR_NOMEM;
        shot_free(&shots[i]);
    }
    CU_ASSERT_EQUAL(told, rig.n_done + phone.returned);
    through &= phone.failure.code != SCALEKIT_ERR_NOMEM;
    memory->count = ours->count;
    ours->fail_at = 0;
    phone_hang_up(&phone);
    rig_free(&rig);
    return through;
}

static void survives_lack_of_memory(void)
{
    CU_ASSERT(test_every_allocation(do_some, NULL) > 20);
}

SUITE(connection_h2, {"is not open before the server's SETTINGS", is_not_open_before_the_settings},
      {"says why it did not open", says_why_it_did_not_open},
      {"carries many at a time", carries_many_at_a_time},
      {"sends what starts in one turn together", sends_what_starts_in_one_turn_together},
      {"has room when one is done", has_room_when_one_is_done},
      {"follows the server's limit", follows_the_servers_limit},
      {"cancels before it leaves", cancels_before_it_leaves},
      {"cancels what is under way", cancels_what_is_under_way},
      {"cancels in the middle of an answer", cancels_in_the_middle_of_an_answer},
      {"cancels what is over but not told", cancels_what_is_over_but_not_told},
      {"finishes what GOAWAY lets it", finishes_what_goaway_lets_it},
      {"leaves when the last is cancelled", leaves_when_the_last_is_cancelled},
      {"gives back what was refused, once", gives_back_what_was_refused_once},
      {"fails only the one that was reset", fails_only_the_one_that_was_reset},
      {"loses all with the connection", loses_all_with_the_connection},
      {"believes what came before the end", believes_what_came_before_the_end},
      {"bounds its buffer, and goes on as it drains", bounds_its_buffer_and_goes_on_as_it_drains},
      {"knows what was sent", knows_what_was_sent}, {"waits for the window", waits_for_the_window},
      {"uploads more than a window", uploads_more_than_a_window},
      {"survives every lack of memory", survives_lack_of_memory})
