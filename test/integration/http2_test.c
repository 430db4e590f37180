/* HTTP/2 as nginx and nghttpx speak it. */
#include "front.h"
#include <event2/event.h>
#include <signal.h>
#include <sys/socket.h>

/* --- which protocol ---------------------------------------------------------------------------- */

static void the_protocol_is_what_both_sides_speak(void)
{
    static const struct {
        const char *listen;
        bool http1_only, http2;
    } cases[] = {
        {"http2", false, true},
        {"", false, false},
        {"http2", true, false},
        {"", true, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct front front;
        struct ledger ledger;

        front_init(&front);
        front_start_canned(&front, cases[i].listen, "");
        front_client(&front, SCALEKIT_PARAMS(scalekit_config, .http1_only = cases[i].http1_only));
        crowd_run(&front, 20, 10, false);
        front_read_ledger(&front, &ledger);
        CU_ASSERT_EQUAL(ledger.lines, 21);
        CU_ASSERT_EQUAL(cases[i].http2 ? ledger.http2 : ledger.http1, 21);
        front_free(&front);
    }
}

/* --- GOAWAY ------------------------------------------------------------------------------------ */

static void a_server_that_goes_away_every_10_requests_costs_nothing(void)
{
    struct front front;
    struct ledger ledger;
    struct scalekit_emulator_stats stats;

    front_init(&front);
    front_start_proxy(&front, "keepalive_requests 10;");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_run(&front, 2000, 500, true);
    scalekit_emulator_stats(front.backend, &stats);
    CU_ASSERT_EQUAL(stats.creates, 500);
    CU_ASSERT_EQUAL(stats.tool_calls, 500);
    CU_ASSERT_EQUAL(front.posts, 1000);
    CU_ASSERT_EQUAL(front.gets, 1000);
    CU_ASSERT_EQUAL(front.sign_ins, 1);
    front_read_ledger(&front, &ledger);
    CU_ASSERT_EQUAL(ledger.http2, 2001);
    CU_ASSERT_EQUAL(ledger.looks, 1000);
    CU_ASSERT_EQUAL(ledger.twice, 0);
    CU_ASSERT(ledger.connections > 200);
    front_free(&front);
}

static void the_usual_goaway_costs_a_resumed_handshake(void)
{
    struct front front;
    struct ledger ledger;

    front_init(&front);
    front_start_canned(&front, "http2", "");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_run(&front, 5000, 500, false);
    front_read_ledger(&front, &ledger);
    CU_ASSERT_EQUAL(ledger.http2, 5001);
    CU_ASSERT_EQUAL(ledger.looks, 5000);
    CU_ASSERT_EQUAL(ledger.twice, 0);
    CU_ASSERT(ledger.connections > 5);
    CU_ASSERT(front.opened <= 10);
    CU_ASSERT_EQUAL(ledger.resumed, ledger.connections - 1);
    front_free(&front);
}

#define MANY 50000 /* more than it takes */

/* nginx drains its old worker, while a new one takes new connections. */
static void reload_once(struct front *front, bool post)
{
    (void)post;
    if (front->gets + front->posts == 300)
        server_signal(&front->server, SIGHUP);
}

static void a_server_that_reloads_in_mid_flight_loses_nothing(void)
{
    struct front front;
    struct crowd crowd;

    front_init(&front);
    front.heard = reload_once;
    front_start_proxy(&front, "");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_start(&crowd, &front, MANY, 200, true);
    FRONT_UNTIL(&front, front.closed >= 1);
    crowd_stop(&crowd);
    crowd_succeeds(&crowd);
    CU_ASSERT(crowd.size > 300);
    CU_ASSERT_EQUAL(front.posts + front.gets, crowd.size);
    CU_ASSERT_EQUAL(front.posts, (crowd.size + 1) / 4 + (crowd.size + 3) / 4);
    CU_ASSERT_EQUAL(front.sign_ins, 1);
    crowd_free(&crowd);
    front_free(&front);
}

/* --- limits ------------------------------------------------------------------------------------ */

static void a_servers_limit_of_streams_is_kept(void)
{
    static const char *const limits[] = {"http2_max_concurrent_streams 1;",
                                         "http2_max_concurrent_streams 10;"};

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct front front;
        struct ledger ledger;

        front_init(&front);
        front_start_canned(&front, "http2", limits[i]);
        front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
        crowd_run(&front, 400, 0, false);
        front_read_ledger(&front, &ledger);
        CU_ASSERT_EQUAL(ledger.http2, 401);
        CU_ASSERT_EQUAL(ledger.looks, 400);
        CU_ASSERT_EQUAL(ledger.connections, 4);
        CU_ASSERT_FALSE(server_complained(&front.server, "concurrent streams exceeded"));
        front_free(&front);
    }
}

/* The same, as another server understands it. */
static void nghttpxs_limit_of_streams_is_kept(void)
{
    struct front front;

    front_init(&front);
    server_start_nghttpx(&front.server, front.backend_port,
                         "frontend-http2-max-concurrent-streams=10");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_run(&front, 1000, 300, true);
    CU_ASSERT_EQUAL(front.posts, 500);
    CU_ASSERT_EQUAL(front.gets, 500);
    CU_ASSERT_EQUAL(front.sign_ins, 1);
    CU_ASSERT_EQUAL(front.opened, 4);
    CU_ASSERT_EQUAL(front.closed, 0);
    front_free(&front);
}

static void ten_thousand_at_once_share_four_connections(void)
{
    struct front front;
    struct ledger ledger;

    front_init(&front);
    front_start_canned(&front, "http2", "keepalive_requests 100000;");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_run(&front, 10000, 0, false);
    front_read_ledger(&front, &ledger);
    CU_ASSERT_EQUAL(ledger.http2, 10001);
    CU_ASSERT_EQUAL(ledger.looks, 10000);
    CU_ASSERT_EQUAL(ledger.twice, 0);
    CU_ASSERT(ledger.connections <= 4);
    CU_ASSERT_EQUAL(front.opened, ledger.connections);
    front_free(&front);
}

/* --- death ------------------------------------------------------------------------------------- */

/* In the moment when a POST has arrived and is not answered. */
static void kill_once(struct front *front, bool post)
{
    if (!post || front->posts < 50)
        return;
    front->heard = NULL;
    server_stop(&front->server, SIGKILL);
}

static void a_server_killed_in_mid_flight_loses_no_callback_and_doubles_no_post(void)
{
    struct front front;
    struct crowd crowd;
    struct scalekit_emulator_stats stats;
    unsigned posts = 0, lost = 0;

    front_init(&front);
    front_start_proxy(&front, "");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = 5));
    front.heard = kill_once;
    crowd_start(&crowd, &front, 400, 32, true);
    FRONT_UNTIL(&front, front.repeated > 0);
    front_start_proxy(&front, "");
    crowd_wait(&crowd);
    for (unsigned i = 0; i < crowd.size; i++) {
        const struct call *call = &crowd.calls[i];

        posts += call->kind != CALL_LOOK;
        if (call->ok)
            continue;
        lost++;
        CU_ASSERT_NOT_EQUAL(call->kind, CALL_LOOK);
        CU_ASSERT(call->sent);
        CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NETWORK);
    }
    CU_ASSERT(lost >= 1 && lost <= 32);
    scalekit_emulator_stats(front.backend, &stats);
    CU_ASSERT(front.posts <= posts);
    CU_ASSERT(front.posts > posts - lost);
    CU_ASSERT_EQUAL(stats.creates + stats.tool_calls, front.posts);
    crowd_free(&crowd);
    front_free(&front);
}

static void a_client_freed_in_mid_flight_tells_everybody(void)
{
    struct front front;
    struct crowd crowd;

    front_init(&front);
    front_start_proxy(&front, "");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_start(&crowd, &front, 300, 300, true);
    FRONT_UNTIL(&front, crowd.over >= 20);
    scalekit_client_free(front.client);
    front.client = NULL;
    crowd_wait(&crowd);
    for (unsigned i = 0; i < crowd.size; i++)
        CU_ASSERT(crowd.calls[i].ok || crowd.calls[i].code == SCALEKIT_ERR_CLOSED);
    CU_ASSERT(crowd.ok < crowd.size);
    crowd_free(&crowd);
    front_free(&front);
}

/* --- idleness ---------------------------------------------------------------------------------- */

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    (void)watch;
    (void)event;
    (void)user;
}

/* Something pending that sends nothing: the client stays awake. */
static void stay_awake(struct front *front)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(scalekit_watch_account(
        front->client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail", .identifier = "user_1"),
        on_watch, NULL));
}

#define A_DAY_MS (24 * 60 * 60 * 1000)

static void an_idle_connection_is_closed_by_either_side_and_replaced(void)
{
    static const struct {
        const char *server;
        int64_t client_ms;
    } cases[] = {
        {"keepalive_timeout 100ms;", 0},
        {"", 100},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct front front;

        front_init(&front);
        front_start_canned(&front, "http2", cases[i].server);
        front_client(&front, SCALEKIT_PARAMS(scalekit_config, .idle_timeout_ms = cases[i].client_ms,
                                             .max_retries = -1, .watch_first_check_ms = A_DAY_MS));
        stay_awake(&front);
        for (unsigned round = 1; round <= 3; round++) {
            crowd_run(&front, 3, 0, false);
            CU_ASSERT_EQUAL(front.opened, round);
            FRONT_UNTIL(&front, front.closed == round);
        }
        front_free(&front);
    }
}

static void a_connection_that_died_in_its_sleep_is_replaced(void)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGQUIT};
    struct front front;

    front_init(&front);
    front_start_canned(&front, "http2", "lingering_timeout 100ms;");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_run(&front, 3, 0, true);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        server_stop(&front.server, signals[i]);
        front_start_canned(&front, "http2", "lingering_timeout 100ms;");
        crowd_run(&front, 4, 0, true);
        CU_ASSERT_EQUAL(front.opened, i + 2);
        CU_ASSERT_EQUAL(front.closed, i + 1);
    }
    front_free(&front);
}

static void an_open_connection_does_not_keep_the_loop_alive(void)
{
    struct front front;
    struct outcome outcomes[2] = {{0}, {0}};

    front_init(&front);
    front_start_canned(&front, "http2", "");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    scalekit_emulator_free(front.env.emulator); /* their listeners would */
    scalekit_emulator_free(front.backend);
    front.env.emulator = front.backend = NULL;
    for (size_t i = 0; i < 2; i++) {
        scalekit_get_connected_account_details(front.client,
                                               SCALEKIT_PARAMS(scalekit_account_key,
                                                               .connection_name = "gmail",
                                                               .identifier = "user_1"),
                                               outcome_account, &outcomes[i]);
        CU_ASSERT_EQUAL(event_base_dispatch(front.env.base), 1);
        CU_ASSERT(outcomes[i].ok);
        CU_ASSERT_EQUAL(front.opened, 1);
        CU_ASSERT_EQUAL(front.closed, 0);
    }
    front_free(&front);
}

/* --- bodies ------------------------------------------------------------------------------------ */

#define BIG (300 * 1000)

static void an_answer_that_is_too_large_fails_alone(void)
{
    /* With a content-length, and without. */
    static const char *const ways[] = {"", "ssi on; ssi_types *;"};
    static char big[BIG];

    memset(big, ' ', sizeof big);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char rest[512];
        struct front front;
        struct crowd crowd;

        front_init(&front);
        server_write_file(&front.server, "big.json", big, sizeof big);
        snprintf(rest, sizeof rest,
                 "%s if ($arg_identifier ~ 0$) { rewrite ^ /big.json last; }"
                 "location = /big.json { }",
                 ways[i]);
        front_start_canned(&front, "http2", rest);
        front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_response_bytes = 64 * 1024));
        crowd_start(&crowd, &front, 100, 50, false);
        crowd_wait(&crowd);
        CU_ASSERT_EQUAL(crowd.ok, 90);
        for (unsigned n = 0; n < 100; n += 10)
            CU_ASSERT_EQUAL(crowd.calls[n].code, SCALEKIT_ERR_TOO_LARGE);
        CU_ASSERT_EQUAL(front.opened, 1);
        crowd_free(&crowd);
        front_free(&front);
    }
}

static void a_slow_answer_holds_nobody_up(void)
{
    static char big[BIG];
    struct front front;
    struct crowd crowd;

    memset(big, ' ', sizeof big);
    front_init(&front);
    server_write_file(&front.server, "slow.json", big, sizeof big);
    front_start_canned(&front, "http2",
                       "if ($arg_identifier = user_0) { rewrite ^ /slow.json last; }"
                       "location = /slow.json { limit_rate 1k; }");
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_start(&crowd, &front, 400, 50, false);
    FRONT_UNTIL(&front, crowd.over == 399);
    CU_ASSERT_EQUAL(crowd.ok, 399);
    CU_ASSERT_EQUAL(crowd.calls[0].calls, 0);
    CU_ASSERT_EQUAL(front.opened, 1);
    scalekit_client_free(front.client);
    front.client = NULL;
    CU_ASSERT_EQUAL(crowd.calls[0].calls, 1);
    CU_ASSERT_EQUAL(crowd.calls[0].code, SCALEKIT_ERR_CLOSED);
    CU_ASSERT_EQUAL(crowd.calls[0].phase, SCALEKIT_PHASE_RECEIVE);
    crowd_free(&crowd);
    front_free(&front);
}

#define UPLOAD (12 * 1024 * 1024)

/* More than all buffers on the way to a backend that never reads. */
static scalekit_request *start_upload(struct front *front, struct outcome *outcome)
{
    static char input[UPLOAD + 16];

    memset(input, 'a', sizeof input);
    memcpy(input, "{\"a\":\"", 6);
    memcpy(input + UPLOAD, "\"}", 3);
    return scalekit_execute_tool(front->client,
                                 SCALEKIT_PARAMS(scalekit_execute_tool_params,
                                                 .connection_name = "gmail", .identifier = "user_1",
                                                 .tool_name = "echo", .tool_input = input),
                                 outcome_tool, outcome);
}

static void a_stuck_upload_holds_nobody_up_and_ends_at_its_deadline(void)
{
    struct front front;
    struct outcome patient = {0}, hasty = {0};
    struct server mute; /* only its port, where connections queue up */
    char rest[256];
    scalekit_request *request;

    front_init(&front);
    server_init(&mute);
    CU_ASSERT_EQUAL_FATAL(listen(mute.reserved, 16), 0);
    snprintf(rest, sizeof rest,
             "client_max_body_size 100m; location = /api/v1/execute_tool {"
             " proxy_request_buffering off; proxy_pass http://127.0.0.1:%u; }",
             mute.port);
    front_start_canned(&front, "http2", rest);
    front_client(&front, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
    crowd_run(&front, 10, 0, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(start_upload(&front, &patient));
    request = start_upload(&front, &hasty);
    CU_ASSERT_EQUAL(scalekit_request_set_deadline(request, 500), SCALEKIT_OK);
    crowd_run(&front, 200, 50, false);
    FRONT_UNTIL(&front, hasty.done);
    CU_ASSERT_EQUAL(hasty.code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(hasty.phase, SCALEKIT_PHASE_SEND);
    crowd_run(&front, 200, 50, false);
    CU_ASSERT_EQUAL(front.opened, 1);
    CU_ASSERT_EQUAL(patient.calls, 0);
    scalekit_client_free(front.client);
    front.client = NULL;
    CU_ASSERT_EQUAL(patient.code, SCALEKIT_ERR_CLOSED);
    server_free(&mute);
    front_free(&front);
}

/* --- every allocation -------------------------------------------------------------------------- */

/* One request with a client of its own; whatever fails, it ends exactly once. */
static bool look_with_memory(struct test_memory *memory, void *user)
{
    struct front *front = user;
    struct outcome outcome = {0};
    struct environment env = {.base = front->env.base};
    scalekit_request *request;
    scalekit_err err = scalekit_client_new(
        &env.client, env.base,
        SCALEKIT_PARAMS(scalekit_config, .env_url = front->server.url, .client_id = "id",
                        .client_secret = "secret", .ca_file = front->server.pki.ca_file,
                        .allocator = &memory->allocator, .max_retries = -1),
        NULL);

    if (err != SCALEKIT_OK)
        return false;
    request = scalekit_get_connected_account_details(
        env.client,
        SCALEKIT_PARAMS(scalekit_account_key, .connection_name = "gmail", .identifier = "user_1"),
        outcome_account, &outcome);
    if (request)
        test_base_until(env.base, &outcome.done);
    scalekit_client_free(env.client);
    event_base_loop(env.base, EVLOOP_NONBLOCK);
    CU_ASSERT_EQUAL(outcome.calls, request ? 1 : 0);
    return outcome.ok;
}

static void a_request_survives_each_allocation_failing(void)
{
    struct front front;

    front_init(&front);
    front_start_canned(&front, "http2", "");
    CU_ASSERT(test_every_allocation(look_with_memory, &front) > 30);
    front_free(&front);
}

SUITE(http2, {"the protocol is what both sides speak", the_protocol_is_what_both_sides_speak},
      {"a server that goes away every 10 requests costs nothing",
       a_server_that_goes_away_every_10_requests_costs_nothing},
      {"the usual GOAWAY costs a resumed handshake", the_usual_goaway_costs_a_resumed_handshake},
      {"a server that reloads in mid-flight loses nothing",
       a_server_that_reloads_in_mid_flight_loses_nothing},
      {"a server's limit of streams is kept", a_servers_limit_of_streams_is_kept},
      {"nghttpx's limit of streams is kept", nghttpxs_limit_of_streams_is_kept},
      {"ten thousand at once share four connections", ten_thousand_at_once_share_four_connections},
      {"a server killed in mid-flight loses no callback and doubles no POST",
       a_server_killed_in_mid_flight_loses_no_callback_and_doubles_no_post},
      {"a client freed in mid-flight tells everybody",
       a_client_freed_in_mid_flight_tells_everybody},
      {"an idle connection is closed by either side and replaced",
       an_idle_connection_is_closed_by_either_side_and_replaced},
      {"a connection that died in its sleep is replaced",
       a_connection_that_died_in_its_sleep_is_replaced},
      {"an open connection does not keep the loop alive",
       an_open_connection_does_not_keep_the_loop_alive},
      {"an answer that is too large fails alone", an_answer_that_is_too_large_fails_alone},
      {"a slow answer holds nobody up", a_slow_answer_holds_nobody_up},
      {"a stuck upload holds nobody up and ends at its deadline",
       a_stuck_upload_holds_nobody_up_and_ends_at_its_deadline},
      {"a request survives each allocation failing", a_request_survives_each_allocation_failing})
