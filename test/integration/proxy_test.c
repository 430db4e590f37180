/* Proxied requests: through nginx, over both protocols, by the 100 MB; and the emulator's own. */
#include "front.h"
#include <event2/event.h>
#include <scalekit/proxy.h>
#include <signal.h>
#include <stdlib.h>

#define LARGE ((size_t)100 << 20)
#define BLOCK (26 * 4096)

/* --- memory that is weighed -------------------------------------------------------------------- */

struct scale {
    struct scalekit_allocator allocator;
    size_t now, peak;
};

union weight {
    size_t size;
    max_align_t unused;
};

static void *weigh(void *old, size_t size, void *user)
{
    union weight *was = old ? (union weight *)old - 1 : NULL;
    size_t before = was ? was->size : 0;
    union weight *block = realloc(was, sizeof *block + size);
    struct scale *scale = user;

    if (!block)
        return NULL;
    block->size = size;
    scale->now += size - before;
    if (scale->now > scale->peak)
        scale->peak = scale->now;
    return block + 1;
}

static void *weigh_new(size_t size, void *user)
{
    return weigh(NULL, size, user);
}

static void unweigh(void *memory, void *user)
{
    struct scale *scale = user;

    if (!memory)
        return;
    scale->now -= ((union weight *)memory - 1)->size;
    free((union weight *)memory - 1);
}

/* --- a client, nginx and the emulator ---------------------------------------------------------- */

struct station {
    struct front front;
    struct scale scale;
    scalekit_client *client;
    char alphabet[BLOCK + 26];
};

static void station_open(struct station *station, bool http2, const char *rest)
{
    const char *problem;
    char all[1024];

    memset(station, 0, sizeof *station);
    /* The backend is a plain emulator in the middle of a large answer: see emulator.h. */
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof station->alphabet; i++)
        station->alphabet[i] = (char)('a' + i % 26);
    front_init(&station->front);
    snprintf(all, sizeof all,
             "underscores_in_headers on; proxy_buffering off; proxy_request_buffering off;"
             "client_max_body_size 0; %s",
             rest);
    front_start_proxy(&station->front, all);
    scalekit_emulator_set_status(station->front.backend, "drive", "user_1", "ACTIVE");
    station->scale.allocator =
        (struct scalekit_allocator){weigh_new, weigh, unweigh, &station->scale};
    CU_ASSERT_EQUAL_FATAL(
        scalekit_client_new(
            &station->client, station->front.env.base,
            SCALEKIT_PARAMS(scalekit_config, .env_url = station->front.server.url,
                            .ca_file = station->front.server.pki.ca_file,
                            .client_id = scalekit_emulator_client_id(station->front.backend),
                            .client_secret =
                                scalekit_emulator_client_secret(station->front.backend),
                            .allocator = &station->scale.allocator, .http1_only = !http2,
                            .max_retries = -1, .tool_deadline_ms = 600000),
            &problem),
        SCALEKIT_OK);
}

static void station_close(struct station *station)
{
    scalekit_client_free(station->client);
    event_base_loop(station->front.env.base, EVLOOP_NONBLOCK);
    CU_ASSERT_EQUAL(station->scale.now, 0);
    front_free(&station->front);
    signal(SIGPIPE, SIG_DFL);
}

/* --- what is carried --------------------------------------------------------------------------- */

struct load {
    struct station *station;
    scalekit_request *request;
    unsigned heads, calls;
    int status;
    size_t got, to_send, sent;
    bool torn, over;
    bool pauses; /* at the first piece */
    scalekit_err code;
    enum scalekit_phase phase;
    char body[4096]; /* of an answer that was not in pieces */
};

static void on_head(scalekit_request *request, const struct scalekit_proxy_response *head,
                    void *user)
{
    struct load *load = user;

    (void)request;
    load->heads++;
    load->status = head->status;
}

static void on_body(scalekit_request *request, const char *bytes, size_t length, void *user)
{
    struct load *load = user;

    front_progress(&load->station->front);
    for (size_t at = 0, n; at < length; at += n, load->got += n) {
        n = length - at < BLOCK ? length - at : BLOCK;
        load->torn |= memcmp(bytes + at, load->station->alphabet + load->got % 26, n) != 0;
    }
    if (load->pauses)
        scalekit_proxy_pause(request);
    load->pauses = false;
}

static size_t on_read(scalekit_request *request, char *room, size_t size, bool *end, void *user)
{
    struct load *load = user;
    size_t length = load->to_send - load->sent;

    (void)request;
    front_progress(&load->station->front);
    length = length < size ? length : size;
    length = length < BLOCK ? length : BLOCK;
    memcpy(room, load->station->alphabet + load->sent % 26, length);
    load->sent += length;
    *end = load->sent == load->to_send;
    return length;
}

static void on_end(scalekit_request *request, const struct scalekit_proxy_response *response,
                   void *user)
{
    const struct scalekit_error *error = scalekit_request_error(request);
    struct load *load = user;

    if (load->station)
        front_progress(&load->station->front);
    load->calls++;
    load->over = true;
    load->request = NULL;
    if (response) {
        load->status = response->status;
        snprintf(load->body, sizeof load->body, "%s", response->body);
    }
    if (error) {
        load->code = error->code;
        load->phase = error->phase;
    }
}

static void start(struct load *load, struct station *station, struct scalekit_proxy_params params)
{
    params.struct_size = sizeof params;
    params.connection_name = "drive";
    params.identifier = "user_1";
    *load = (struct load){.station = station};
    load->request = scalekit_proxy_request(station->client, &params, on_end, load);
    CU_ASSERT_PTR_NOT_NULL_FATAL(load->request);
}

static void start_download(struct load *load, struct station *station, const char *path)
{
    start(load, station,
          (struct scalekit_proxy_params){.path = path, .on_head = on_head, .on_body = on_body});
}

static void start_upload(struct load *load, struct station *station, const char *path,
                         size_t length, bool told)
{
    start(load, station,
          (struct scalekit_proxy_params){
              .path = path, .method = "POST", .read = on_read, .read_length = told ? length : 0});
    load->to_send = length;
}

static void wait_for(struct load *load)
{
    FRONT_UNTIL(&load->station->front, load->calls > 0);
    CU_ASSERT_EQUAL(load->calls, 1);
}

/* Whether the connections are as good as ever. */
static bool serves(struct station *station)
{
    struct load load;

    start(&load, station, (struct scalekit_proxy_params){.path = "/hello"});
    wait_for(&load);
    return load.code == SCALEKIT_OK && load.status == 200 && strstr(load.body, "/hello");
}

/* --- large bodies ------------------------------------------------------------------------------ */

#define MIB ((size_t)1 << 20)

static void a_large_answer_takes_little_memory(void)
{
    for (int http2 = 0; http2 < 2; http2++) {
        struct station station;
        struct load load;

        station_open(&station, http2, "");
        start_download(&load, &station, "/files?bytes=104857600");
        wait_for(&load);
        CU_ASSERT_EQUAL(load.code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(load.heads, 1);
        CU_ASSERT_EQUAL(load.got, LARGE);
        CU_ASSERT_FALSE(load.torn);
        CU_ASSERT(station.scale.peak < 3 * MIB);
        CU_ASSERT(serves(&station));
        station_close(&station);
    }
}

static void a_large_request_takes_little_memory(void)
{
    for (int i = 0; i < 4; i++) {
        bool http2 = i & 1, told = i & 2;
        struct scalekit_emulator_stats stats;
        struct station station;
        struct load load;

        station_open(&station, http2, "");
        start_upload(&load, &station, "/files", LARGE, told);
        wait_for(&load);
        CU_ASSERT_EQUAL(load.code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(load.status, 200);
        CU_ASSERT_PTR_NOT_NULL(strstr(load.body, "\"body_length\":104857600"));
        scalekit_emulator_stats(station.front.backend, &stats);
        CU_ASSERT_EQUAL(stats.proxied_bytes, LARGE);
        CU_ASSERT(station.scale.peak < 3 * MIB);
        CU_ASSERT(serves(&station));
        station_close(&station);
    }
}

/* While one takes nothing, the others are served, and its memory does not grow. */
static void a_stuck_reader_holds_nobody_up(void)
{
    for (int http2 = 0; http2 < 2; http2++) {
        struct station station;
        struct load stuck, other;
        size_t got;

        station_open(&station, http2, "");
        start_download(&stuck, &station, "/files?bytes=104857600");
        stuck.pauses = true;
        FRONT_UNTIL(&station.front, stuck.got > 0);
        got = stuck.got;
        start_download(&other, &station, "/files?bytes=30000000");
        wait_for(&other);
        CU_ASSERT_EQUAL(other.got, 30000000);
        CU_ASSERT(serves(&station));
        CU_ASSERT_EQUAL(stuck.got, got);
        CU_ASSERT_EQUAL(stuck.calls, 0);
        CU_ASSERT(station.scale.peak < 6 * MIB);
        scalekit_proxy_resume(stuck.request);
        wait_for(&stuck);
        CU_ASSERT_EQUAL(stuck.code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(stuck.got, LARGE);
        CU_ASSERT_FALSE(stuck.torn);
        station_close(&station);
    }
}

/* --- ends before the end ----------------------------------------------------------------------- */

static void an_answer_before_the_end_of_the_request_counts(void)
{
    for (int http2 = 0; http2 < 2; http2++) {
        struct station station;
        struct load load;

        station_open(&station, http2,
                     "location = /proxy/full { return 413 '{\"error\":\"too large\"}'; }");
        start_upload(&load, &station, "/full", (size_t)10 << 30, true);
        wait_for(&load);
        CU_ASSERT_EQUAL(load.code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(load.status, 413);
        CU_ASSERT_STRING_EQUAL(load.body, "{\"error\":\"too large\"}");
        CU_ASSERT(load.sent < load.to_send);
        CU_ASSERT(serves(&station));
        station_close(&station);
    }
}

static void a_server_that_dies_in_the_middle_is_noticed(void)
{
    for (int i = 0; i < 4; i++) {
        bool http2 = i & 1, uploads = i & 2;
        struct station station;
        struct load load;

        station_open(&station, http2, "");
        if (uploads)
            start_upload(&load, &station, "/files", 2 * LARGE, true);
        else
            start_download(&load, &station, "/files?bytes=1073741824");
        FRONT_UNTIL(&station.front, load.got + load.sent > MIB);
        server_stop(&station.front.server, SIGKILL);
        wait_for(&load);
        CU_ASSERT_EQUAL(load.code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT_EQUAL(load.phase, uploads ? SCALEKIT_PHASE_SEND : SCALEKIT_PHASE_RECEIVE);
        CU_ASSERT_FALSE(load.torn);
        station_close(&station);
    }
}

enum moment { AT_ONCE, HEARD, IN_REQUEST, IN_ANSWER, PAUSED, MOMENTS };

static void give_up_at(struct station *station, enum moment moment, bool frees)
{
    struct load load;

    if (moment == IN_REQUEST)
        start_upload(&load, station, "/files", 2 * LARGE, true);
    else
        start_download(&load, station, "/files?bytes=1073741824");
    load.pauses = moment == PAUSED;
    if (moment == HEARD)
        FRONT_UNTIL(&station->front, station->front.gets > 0);
    if (moment == IN_REQUEST)
        FRONT_UNTIL(&station->front, load.sent > MIB);
    if (moment == IN_ANSWER || moment == PAUSED)
        FRONT_UNTIL(&station->front, load.got > 0);
    if (frees) {
        scalekit_client_free(station->client);
        station->client = NULL;
        CU_ASSERT_EQUAL(load.calls, 1);
    } else {
        scalekit_request_cancel(load.request);
        CU_ASSERT_EQUAL(load.calls, 0);
        wait_for(&load);
        CU_ASSERT(serves(station));
    }
    CU_ASSERT_EQUAL(load.code, frees ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
}

static void it_can_be_given_up_at_every_moment(void)
{
    for (int i = 0; i < 4; i++) {
        bool http2 = i & 1, frees = i & 2;

        for (enum moment moment = AT_ONCE; moment < MOMENTS; moment++) {
            struct station station;

            station_open(&station, http2, "");
            give_up_at(&station, moment, frees);
            station_close(&station);
        }
    }
}

/* --- what the emulator has --------------------------------------------------------------------- */

static const struct row {
    const char *name;
    struct scalekit_proxy_params params;
    int status;
    const char *expected, *unexpected; /* in the body */
} rows[] = {
    {"an echo",
     {.path = "/v1/x?a=1&b"},
     200,
     "\"method\":\"GET\",\"path\":\"/v1/x\",\"query\":\"a=1&b\"",
     "connection_name"},
    {"the user's token", {.path = "/v1"}, 200, "\"authorization\":\"Bearer ya29.", "identifier"},
    {"a body",
     {.path = "/v1", .method = "patch", .body = "{\"a\":\"\xc3\xa9\"}"},
     200,
     "\"method\":\"PATCH\"",
     NULL},
    {"its text",
     {.path = "/v1", .method = "PUT", .raw_body = "ab", .raw_body_length = 2},
     200,
     "\"body_length\":2,\"body\":\"ab\"",
     NULL},
    {"no text",
     {.path = "/v1", .method = "PUT", .raw_body = "a\0b", .raw_body_length = 3},
     200,
     "\"body_length\":3}",
     "\"body\":"},
    {"a status", {.path = "/v1?status=418"}, 418, "\"query\":\"status=418\"", NULL},
    {"a redirect", {.path = "/v1?status=302&location=/elsewhere"}, 302, "\"path\":\"/v1\"", NULL},
    {"a 401 of the provider", {.path = "/v1?status=401"}, 401, "\"path\":\"/v1\"", NULL},
    {"bytes", {.path = "/v1?bytes=30"}, 200, "abcdefghijklmnopqrstuvwxyzabcd", "e\n"},
    {"mails",
     {.path = "/gmail/v1/users/me/messages?maxResults=2"},
     200,
     "\"resultSizeEstimate\":2",
     NULL},
    {"no such mail", {.path = "/gmail/v1/users/me/messages/nothing"}, 404, "NOT_FOUND", NULL},
    {"nobody",
     {.connection_name = "drive", .identifier = "nobody", .path = "/v1"},
     404,
     "connected account not found",
     NULL},
    {"not yet",
     {.connection_name = "drive", .identifier = "pending", .path = "/v1"},
     400,
     "not active",
     NULL},
};

static void the_emulator_answers_for_providers(void)
{
    struct environment env;

    environment_init(&env, NULL);
    scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "ACTIVE");
    scalekit_emulator_set_status(env.emulator, "drive", "pending", "PENDING_AUTH");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scalekit_proxy_params params = rows[i].params;
        struct load load = {.code = SCALEKIT_OK};

        params.struct_size = sizeof params;
        if (!params.connection_name) {
            params.connection_name = "gmail";
            params.identifier = "user_1";
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(scalekit_proxy_request(env.client, &params, on_end, &load));
        test_base_until(env.base, &load.over);
        CU_assertImplementation(load.status == rows[i].status, __LINE__, rows[i].name, __FILE__, "",
                                CU_FALSE);
        CU_assertImplementation(strstr(load.body, rows[i].expected) != NULL, __LINE__, rows[i].name,
                                __FILE__, "", CU_FALSE);
        CU_assertImplementation(!rows[i].unexpected || !strstr(load.body, rows[i].unexpected),
                                __LINE__, rows[i].name, __FILE__, "", CU_FALSE);
    }
    environment_free(&env);
}

/* Its own 401 costs a sign-in, and the request goes again. */
static void a_revoked_token_is_replaced(void)
{
    struct station station;
    struct load load;

    station_open(&station, true, "");
    CU_ASSERT(serves(&station));
    scalekit_emulator_revoke_tokens(station.front.backend);
    start_download(&load, &station, "/files?bytes=1000");
    wait_for(&load);
    CU_ASSERT_EQUAL(load.code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(load.got, 1000);
    CU_ASSERT_EQUAL(load.heads, 1);
    CU_ASSERT_EQUAL(station.front.sign_ins, 2);
    station_close(&station);
}

SUITE(proxy, {"a large answer takes little memory", a_large_answer_takes_little_memory},
      {"a large request takes little memory", a_large_request_takes_little_memory},
      {"a stuck reader holds nobody up", a_stuck_reader_holds_nobody_up},
      {"an answer before the end of the request counts",
       an_answer_before_the_end_of_the_request_counts},
      {"a server that dies in the middle is noticed", a_server_that_dies_in_the_middle_is_noticed},
      {"it can be given up at every moment", it_can_be_given_up_at_every_moment},
      {"the emulator answers for providers", the_emulator_answers_for_providers},
      {"a revoked token is replaced", a_revoked_token_is_replaced})
