/* HTTP/2 servers that break it, stall and refuse, seen through a whole client.  Every peer answers
 * the sign-in properly first, and then does its worst.
 *
 * A peer reads no more of HTTP/2 than where a request ends; what it sends are rows of frames. */
#include "front.h"
#include "support/h2_server.h"
#include "unit/net/peer.h"
#include <stdlib.h>

#define PREFACE     24
#define HEAD        9

#define END         NGHTTP2_FLAG_END_STREAM
#define END_HEADERS NGHTTP2_FLAG_END_HEADERS

#define BYTES(text) .bytes = text, .length = sizeof(text) - 1
#define JSON(text)                                                                                 \
    {.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .fields = ":status: 200\n"},                   \
    {                                                                                              \
        .type = NGHTTP2_DATA, .flags = END, BYTES(text)                                            \
    }
#define ACTIVE "{\"connected_account\":{\"status\":\"ACTIVE\"},\"data\":{}}"

static const struct h2_script settings = {.frames = {{.type = NGHTTP2_SETTINGS, .stream = -1}}};
static const struct h2_script settings_ack = {
    .frames = {{.type = NGHTTP2_SETTINGS, .flags = NGHTTP2_FLAG_ACK, .stream = -1}}};
static const struct h2_script token = {
    .frames = {JSON("{\"access_token\":\"a-token\",\"expires_in\":86399}")}};
static const struct h2_script active = {.frames = {JSON(ACTIVE)}};

/* --- a peer ------------------------------------------------------------------------------------ */

struct server_of_frames {
    struct front front;
    struct test_pki pki;
    SSL_CTX *tls;
    struct test_peer *peer;
    const struct h2_script *greeting; /* NULL: nothing */
    const struct h2_script *answer;
    unsigned reset_every; /* so many requests, one is reset; 0: none */
    unsigned heard;       /* requests, with the sign-in */
    unsigned resets;
};

/* What has come in on one link. */
struct reader {
    unsigned char head[HEAD];
    size_t preface, have, rest; /* bytes of the preface and of the head; left of the payload */
    bool *gone;                 /* set when the link is over */
};

static void send_bytes(void *user, const void *bytes, size_t length)
{
    test_link_send(user, bytes, length);
}

static void play(struct test_link *link, const struct h2_script *script, int32_t stream)
{
    h2_script_send(script, stream, &(struct h2_server_io){.send = send_bytes, .user = link});
    if (script->then == H2_FINISH)
        test_link_finish(link);
    else if (script->then == H2_CUT)
        test_link_cut(link);
    else if (script->then == H2_RESET)
        test_link_reset(link);
}

static void on_opened(struct test_link *link)
{
    struct server_of_frames *server = test_peer_user(test_link_peer(link));
    struct reader *reader = calloc(1, sizeof *reader);
    char alpn[32];

    CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
    CU_ASSERT_STRING_EQUAL(test_link_alpn(link, alpn), "h2");
    test_link_set_user(link, reader);
    if (server->greeting)
        play(link, server->greeting, 0);
}

static void on_closed(struct test_link *link)
{
    struct reader *reader = test_link_user(link);

    if (reader && reader->gone)
        *reader->gone = true;
    free(reader);
}

static void answer(struct test_link *link, int32_t stream)
{
    static const struct h2_script reset = {
        .frames = {{.type = NGHTTP2_RST_STREAM, BYTES("\0\0\0\2")}}};
    struct server_of_frames *server = test_peer_user(test_link_peer(link));

    server->heard++;
    if (server->heard == 1) {
        play(link, &token, stream);
    } else if (server->reset_every && server->heard % server->reset_every == 0) {
        server->resets++;
        play(link, &reset, stream);
    } else {
        play(link, server->answer, stream);
    }
}

/* A frame is complete. */
static void take_frame(struct test_link *link, const unsigned char head[HEAD])
{
    const struct server_of_frames *server = test_peer_user(test_link_peer(link));
    int type = head[3], flags = head[4];

    if (type == NGHTTP2_SETTINGS && !(flags & NGHTTP2_FLAG_ACK) && server->greeting)
        play(link, &settings_ack, 0);
    else if ((type == NGHTTP2_HEADERS || type == NGHTTP2_DATA) && flags & END)
        answer(link, head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8]);
}

static void on_received(struct test_link *link, const char *bytes, size_t length)
{
    struct reader *reader = test_link_user(link);
    bool gone = false;

    reader->gone = &gone;
    for (size_t i = 0; i < length; i++) {
        if (reader->preface < PREFACE) {
            reader->preface++;
            continue;
        }
        if (reader->have < HEAD) {
            reader->head[reader->have++] = (unsigned char)bytes[i];
            reader->rest = (size_t)(reader->head[0] << 16 | reader->head[1] << 8 | reader->head[2]);
        } else {
            reader->rest--;
        }
        if (reader->have < HEAD || reader->rest)
            continue;
        reader->have = 0;
        take_frame(link, reader->head);
        if (gone)
            return;
    }
    reader->gone = NULL;
}

static void server_of_frames_init(struct server_of_frames *server)
{
    memset(server, 0, sizeof *server);
    front_init(&server->front);
    test_pki_init(&server->pki);
    server->tls = test_pki_server(&server->pki, &(struct test_identity){.names = "IP:127.0.0.1"});
    test_server_alpn(server->tls, "h2");
    server->greeting = &settings;
    server->answer = &active;
}

static void server_of_frames_start(struct server_of_frames *server,
                                   const struct scalekit_config *config)
{
    char url[64];

    server->heard = server->resets = 0;
    server->peer =
        test_peer_new(server->front.env.base, &(struct test_peer_config){.tls = server->tls,
                                                                         .opened = on_opened,
                                                                         .received = on_received,
                                                                         .closed = on_closed,
                                                                         .user = server});
    snprintf(url, sizeof url, "https://127.0.0.1:%u", test_peer_port(server->peer));
    server->front.client = front_client_of(&server->front, url, server->pki.ca_file, config);
}

/* It may be started again. */
static void server_of_frames_stop(struct server_of_frames *server)
{
    scalekit_client_free(server->front.client);
    server->front.client = NULL;
    test_peer_free(server->peer);
}

static void server_of_frames_free(struct server_of_frames *server)
{
    SSL_CTX_free(server->tls);
    test_pki_free(&server->pki);
    front_free(&server->front);
}

/* --- what it answers --------------------------------------------------------------------------- */

struct behaviour {
    const char *name;
    const char *script; /* of h2_scripts.c; NULL: `frames` */
    struct h2_script frames;
    scalekit_err code; /* what the client makes of it */
    const char *text;  /* in the message */
};

static void judge(const char *name, const struct outcome *outcome, scalekit_err code,
                  const char *text)
{
    if (outcome->code == code && strstr(outcome->text, text))
        return;
    printf("    %s: %s, \"%s\"\n", name, scalekit_err_name(outcome->code), outcome->text);
    CU_FAIL("a behaviour was taken for another");
}

static const struct behaviour behaviours[] = {
    {"is good", NULL, {.frames = {JSON(ACTIVE)}}, SCALEKIT_OK, "ACTIVE"},
    {"pads, informs, continues and trails",
     NULL,
     {.frames =
          {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .fields = ":status: 103\n"},
           {.type = NGHTTP2_HEADERS, .fields = ":status: 200\n"},
           {.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS, .fields = "x-y: z\n"},
           {.type = NGHTTP2_DATA, .times = 3},
           {.type = NGHTTP2_DATA, .flags = NGHTTP2_FLAG_PADDED, BYTES("\x08" ACTIVE), .padding = 8},
           {.type = NGHTTP2_HEADERS, .flags = END | END_HEADERS, .fields = "x-sum: 1\n"}}},
     SCALEKIT_OK,
     "ACTIVE"},
    {"pushes", "/push", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"continues without end", "/endless-continuation", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"continues with nothing", "/empty-continuation", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"has too long a header", "/too-long-header", {0}, SCALEKIT_ERR_TOO_LARGE, "header"},
    {"has too many headers", "/300-fields", {0}, SCALEKIT_ERR_TOO_LARGE, "header"},
    {"forgets the status", "/no-status", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"informs without end", "/hints-17", {0}, SCALEKIT_ERR_PROTOCOL, "interim"},
    {"announces another length", "/length-too-long", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"sends headers nobody can read", "/bad-hpack", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"sends too long a frame", "/frame-too-long", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"announces 16 MB", "/frame-claims-16m", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"answers what nobody asked", "/data-on-idle", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"opens the window too far", "/window-overflow", {0}, SCALEKIT_ERR_PROTOCOL, "HTTP/2"},
    {"resets", "/reset", {0}, SCALEKIT_ERR_NETWORK, "reset"},
    {"refuses again and again", "/reset-refused", {0}, SCALEKIT_ERR_NETWORK, "refused"},
    {"goes away again and again", "/goaway-all", {0}, SCALEKIT_ERR_NETWORK, "refused"},
    {"goes away in anger", "/goaway-error", {0}, SCALEKIT_ERR_NETWORK, "ENHANCE_YOUR_CALM"},
    {"finishes unanswered", "/finish", {0}, SCALEKIT_ERR_NETWORK, "closed"},
    {"cuts an answer", "/half-cut", {0}, SCALEKIT_ERR_NETWORK, ""},
    {"resets the link", "/half-reset", {0}, SCALEKIT_ERR_NETWORK, ""},
    {"answers no JSON", "/length", {0}, SCALEKIT_ERR_DECODE, "JSON"},
};

static void every_behaviour_has_its_error(void)
{
    struct server_of_frames server;

    server_of_frames_init(&server);
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        const struct behaviour *behaviour = &behaviours[i];
        struct outcome outcome;

        server.answer = behaviour->script ? h2_script_find(behaviour->script) : &behaviour->frames;
        CU_ASSERT_PTR_NOT_NULL_FATAL(server.answer);
        server_of_frames_start(&server, SCALEKIT_PARAMS(scalekit_config, .max_retries = -1));
        outcome = environment_look(&server.front.env, server.front.client);
        judge(behaviour->name, &outcome, behaviour->code, behaviour->text);
        server_of_frames_stop(&server);
    }
    server_of_frames_free(&server);
}

/* --- how it begins ----------------------------------------------------------------------------- */

#define HASTE_MS 500

static const struct greeting {
    const char *name;
    struct h2_script script;
    bool none;
    int64_t connect_timeout_ms, deadline_ms; /* 0: the usual, which are not reached */
    scalekit_err code;
    enum scalekit_phase phase;
    const char *text; /* in the message */
} greetings[] = {
    {.name = "says nothing",
     .none = true,
     .connect_timeout_ms = HASTE_MS,
     .code = SCALEKIT_ERR_CONNECT,
     .phase = SCALEKIT_PHASE_TOKEN,
     .text = "did not finish"},
    {.name = "goes away at once",
     .script = {.frames = {{.type = NGHTTP2_SETTINGS, .stream = -1},
                           {.type = NGHTTP2_GOAWAY, .stream = -1, BYTES("\0\0\0\0\0\0\0\0")}}},
     .deadline_ms = 4 * HASTE_MS, /* not reached, unless it tries again and again */
     .code = SCALEKIT_ERR_NETWORK,
     .phase = SCALEKIT_PHASE_TOKEN,
     .text = ""},
    {.name = "finishes at once",
     .script = {.then = H2_FINISH},
     .code = SCALEKIT_ERR_NETWORK,
     .phase = SCALEKIT_PHASE_TOKEN,
     .text = "closed"},
    {.name = "begins with a PING",
     .script = {.frames = {{.type = NGHTTP2_PING, .stream = -1, BYTES("whistle!")}}},
     .code = SCALEKIT_ERR_PROTOCOL,
     .phase = SCALEKIT_PHASE_TOKEN,
     .text = "SETTINGS"},
    {.name = "opens no window",
     .script = {.frames = {{.type = NGHTTP2_SETTINGS, .stream = -1, BYTES("\0\4\0\0\0\0")}}},
     .deadline_ms = HASTE_MS,
     .code = SCALEKIT_ERR_DEADLINE,
     .phase = SCALEKIT_PHASE_TOKEN,
     .text = ""},
    {.name = "allows no stream",
     .script = {.frames = {{.type = NGHTTP2_SETTINGS, .stream = -1, BYTES("\0\3\0\0\0\0")}}},
     .deadline_ms = HASTE_MS,
     .code = SCALEKIT_ERR_DEADLINE,
     .phase = SCALEKIT_PHASE_QUEUE,
     .text = ""},
};

static void every_greeting_has_its_error(void)
{
    struct server_of_frames server;

    server_of_frames_init(&server);
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        const struct greeting *greeting = &greetings[i];
        struct outcome outcome;

        server.greeting = greeting->none ? NULL : &greeting->script;
        server_of_frames_start(&server,
                               SCALEKIT_PARAMS(scalekit_config, .max_retries = -1,
                                               .connect_timeout_ms = greeting->connect_timeout_ms,
                                               .deadline_ms = greeting->deadline_ms));
        outcome = environment_look(&server.front.env, server.front.client);
        judge(greeting->name, &outcome, greeting->code, greeting->text);
        CU_ASSERT_EQUAL(outcome.phase, greeting->phase);
        CU_ASSERT_EQUAL(server.heard, 0);
        CU_ASSERT(test_peer_counts(server.peer)->accepted <= 4);
        server_of_frames_stop(&server);
    }
    server_of_frames_free(&server);
}

/* --- RST_STREAM -------------------------------------------------------------------------------- */

static void a_reset_fails_one_request_and_not_the_connection(void)
{
    struct server_of_frames server;
    struct crowd crowd;
    unsigned attempts = 1, failed = 0; /* the sign-in */

    server_of_frames_init(&server);
    server.reset_every = 7;
    server_of_frames_start(&server, SCALEKIT_PARAMS(scalekit_config, .max_retries = 5));
    crowd_start(&crowd, &server.front, 140, 20, true);
    crowd_wait(&crowd);
    for (unsigned i = 0; i < crowd.size; i++) {
        const struct call *call = &crowd.calls[i];

        attempts += (unsigned)call->attempts;
        if (call->kind == CALL_LOOK) {
            CU_ASSERT(call->ok);
            continue;
        }
        CU_ASSERT_EQUAL(call->attempts, 1);
        if (call->ok)
            continue;
        failed++;
        CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NETWORK);
        CU_ASSERT(call->sent);
        CU_ASSERT_PTR_NOT_NULL(strstr(call->text, "INTERNAL_ERROR"));
    }
    CU_ASSERT(failed > 0);
    CU_ASSERT_EQUAL(server.heard, attempts);
    CU_ASSERT_EQUAL(server.resets, failed + server.front.repeated);
    CU_ASSERT_EQUAL(server.front.opened, 1);
    CU_ASSERT_EQUAL(server.front.closed, 0);
    crowd_free(&crowd);
    server_of_frames_stop(&server);
    server_of_frames_free(&server);
}

SUITE(http2_hostile, {"every behaviour has its error", every_behaviour_has_its_error},
      {"every greeting has its error", every_greeting_has_its_error},
      {"a reset fails one request and not the connection",
       a_reset_fails_one_request_and_not_the_connection})
