/* Each answer of the scripted server, and what must become of it: of the exchange, and of the
 * connection. */
#include "duet.h"

struct row {
    const char *promise, *target;
    const char *method; /* NULL: GET */
    const char *body;   /* of the request */
    enum ski_h2_end end;
    enum ski_h2_state state;     /* of the connection, after it; 0: it is OPEN */
    int status;                  /* 0: 200 */
    const char *fields, *answer; /* NULL: they do not matter */
    scalekit_err err;            /* unless COMPLETE */
    const char *text;            /* in the failure's */
    bool coarse; /* nghttp2 takes each piece of a CONTINUATION's head for one more of them */
};

#define FINE(why, to, what) .promise = why, .target = to, .end = SKI_H2_COMPLETE, .answer = what
/* One exchange is lost, the connection is not. */
#define LOST(why, to, code, says)                                                                  \
    .promise = why, .target = to, .end = SKI_H2_BROKEN, .err = code, .text = says
#define MALFORMED(why, to) LOST(why, to, SCALEKIT_ERR_PROTOCOL, "the answer is not valid HTTP/2")
/* Both are. */
#define BROKEN(why, to, says)                                                                      \
    .promise = why, .target = to, .end = SKI_H2_BROKEN, .state = SKI_H2_FAILED,                    \
    .err = SCALEKIT_ERR_PROTOCOL, .text = "the server broke HTTP/2: " says
#define ENDED(why, to, after, says)                                                                \
    .promise = why, .target = to, .end = SKI_H2_BROKEN, .state = after,                            \
    .err = SCALEKIT_ERR_NETWORK, .text = says

static const struct row rows[] = {
    {FINE("reads a good answer", "/good", "/good"),
     .fields = "content-type: text/plain\ncontent-length: 5\n"},
    {FINE("reads an answer without a length", "/no-length", "ok"),
     .fields = "server: s\nserver: t\n"},
    {FINE("reads an answer with a length", "/length", "ok"), .fields = "content-length: 2\n"},
    {FINE("reads an empty body", "/bytes/0", ""), .fields = NULL},
    {FINE("sends a body, and reads it again", "/echo", "{\"a\":1}"), .method = "POST",
     .body = "{\"a\":1}"},
    {FINE("reads another status", "/status-500", "no"), .status = 500},
    {FINE("passes over a 103 and its fields", "/hints", "ok"), .fields = ""},
    {FINE("passes over sixteen 102", "/hints-16", "ok"), .fields = ""},
    {FINE("drops trailers", "/trailers", "ok"), .fields = ""},
    {FINE("drops trailers without a body", "/trailers-alone", ""), .fields = ""},
    {FINE("takes empty DATA", "/empty-data", "ok")},
    {FINE("takes thousands of them", "/empty-data-5000", "ok")},
    {FINE("takes padding away", "/padded", "ok"), .fields = ""},
    {FINE("joins a header in pieces", "/continuation", "ok"), .fields = "x-one: 1\nx-two: 2\n",
     .coarse = true},
    {FINE("takes a header of 45 KiB", "/long-header", "ok"), .coarse = true},
    {FINE("passes over unknown frames", "/unknown-frames", "ok"), .fields = ""},
    {FINE("passes over unknown settings", "/unknown-settings", "ok")},
    {FINE("passes over unknown flags", "/unknown-flags", "ok")},
    {FINE("passes over priorities", "/priority", "ok"), .fields = ""},
    {FINE("takes a hundred SETTINGS", "/settings-flood", "ok")},
    {FINE("answers a PING", "/ping", "ok")},
    {FINE("knows that 204 has no body", "/status-204", ""), .status = 204, .fields = ""},
    {FINE("knows that 304 has no body", "/status-304", ""), .status = 304,
     .fields = "content-length: 1000\netag: \"e\"\n"},
    {FINE("knows that HEAD has no body", "/head", ""), .method = "HEAD",
     .fields = "content-length: 1000\n"},
    {FINE("takes an answer before the request was read", "/early", "ok"), .method = "POST",
     .body = "x"},
    {FINE("even when it is not told to stop", "/early-no-reset", "ok"), .method = "POST",
     .body = "x"},
    {FINE("and a refusal", "/early-refusal", "too much"), .method = "POST", .body = "x",
     .status = 413},
    {FINE("keeps an answer whose connection ends", "/ok-finish", "ok"), .state = SKI_H2_FAILED},
    {FINE("keeps an answer whose connection is cut", "/ok-cut", "ok"), .state = SKI_H2_FAILED},

    {LOST("says that it was reset", "/reset", SCALEKIT_ERR_NETWORK, "INTERNAL_ERROR")},
    {LOST("even without an error", "/reset-none", SCALEKIT_ERR_NETWORK, "NO_ERROR")},
    {LOST("says that it was canceled", "/reset-cancel", SCALEKIT_ERR_NETWORK, "CANCEL")},
    {LOST("says that it is too much", "/reset-calm", SCALEKIT_ERR_NETWORK, "ENHANCE_YOUR_CALM")},
    {LOST("says that HTTP/1.1 is wanted", "/reset-http1", SCALEKIT_ERR_NETWORK,
          "HTTP_1_1_REQUIRED")},
    {LOST("knows not every code", "/reset-unknown", SCALEKIT_ERR_NETWORK, "reset")},
    {LOST("is reset after the header", "/reset-after-header", SCALEKIT_ERR_NETWORK,
          "INTERNAL_ERROR")},
    {LOST("is reset in the body", "/reset-in-body", SCALEKIT_ERR_NETWORK, "INTERNAL_ERROR")},
    {LOST("is reset before it was sent", "/early-reset", SCALEKIT_ERR_NETWORK, "INTERNAL_ERROR"),
     .method = "POST", .body = "x"},
    {LOST("does not believe that what has begun is refused", "/refused-in-body",
          SCALEKIT_ERR_NETWORK, "REFUSED_STREAM")},
    {LOST("nor when it is malformed", "/goaway-malformed", SCALEKIT_ERR_PROTOCOL,
          "the answer is not valid HTTP/2"),
     .state = SKI_H2_LEAVING},
    {.promise = "tells what was refused",
     .target = "/reset-refused",
     .end = SKI_H2_REFUSED,
     .err = SCALEKIT_ERR_NETWORK,
     .text = "refused"},
    {.promise = "tells what was refused while it was sent",
     .target = "/early-refused",
     .method = "POST",
     .body = "x",
     .end = SKI_H2_REFUSED,
     .err = SCALEKIT_ERR_NETWORK,
     .text = "refused"},

    {MALFORMED("refuses an answer without a status", "/no-status")},
    {MALFORMED("refuses an empty header", "/no-fields")},
    {MALFORMED("refuses two statuses", "/two-statuses")},
    {MALFORMED("refuses a status that is no number", "/status-word")},
    {MALFORMED("refuses a status of four digits", "/status-long")},
    {MALFORMED("refuses a status of two digits", "/status-short")},
    {MALFORMED("refuses a status below 100", "/status-099")},
    {MALFORMED("refuses a status below 100 without a body", "/status-099-alone")},
    {MALFORMED("refuses a change of protocol", "/status-101")},
    {MALFORMED("refuses a status behind a field", "/status-late")},
    {MALFORMED("refuses an unknown pseudo-header", "/unknown-pseudo")},
    {MALFORMED("refuses a request's pseudo-header", "/request-pseudo")},
    {MALFORMED("refuses a name in upper case", "/upper-case")},
    {MALFORMED("refuses a name with a space", "/space-in-name")},
    {MALFORMED("refuses a value with a control character", "/control-in-value")},
    {MALFORMED("refuses a value with a CR", "/cr-in-value")},
    {MALFORMED("refuses a connection header", "/connection-header")},
    {MALFORMED("refuses a transfer-encoding", "/transfer-encoding")},
    {MALFORMED("refuses a body shorter than its length", "/length-too-long")},
    {MALFORMED("refuses a body longer than its length", "/length-too-short")},
    {MALFORMED("refuses no body where there is a length", "/length-no-body")},
    {MALFORMED("refuses a length that is no number", "/length-word")},
    {MALFORMED("refuses two lengths", "/length-twice")},
    {MALFORMED("refuses an end after a 103", "/hints-at-end")},
    {MALFORMED("refuses a body of a 204", "/body-of-204")},
    {MALFORMED("refuses a body after a 103", "/data-after-hints")},
    {MALFORMED("refuses a second header", "/two-headers")},
    {MALFORMED("refuses a status in trailers", "/status-in-trailers")},
    {LOST("refuses seventeen 102", "/hints-17", SCALEKIT_ERR_PROTOCOL, "interim")},
    {LOST("refuses a window beyond 2^31 for it", "/stream-window-overflow", SCALEKIT_ERR_PROTOCOL,
          "not valid HTTP/2")},
    {LOST("refuses a header over 64 KiB", "/too-long-header", SCALEKIT_ERR_TOO_LARGE, "header"),
     .coarse = true},
    {LOST("refuses 300 fields", "/300-fields", SCALEKIT_ERR_TOO_LARGE, "header"), .coarse = true},
    {LOST("counts trailers to the header", "/too-long-trailers", SCALEKIT_ERR_TOO_LARGE, "header"),
     .coarse = true},
    {LOST("refuses a body over the limit", "/bytes/65537", SCALEKIT_ERR_TOO_LARGE,
          "the answer is larger than its limit")},

    {BROKEN("refuses a body before its header", "/data-first", "PROTOCOL_ERROR, DATA")},
    {BROKEN("refuses a body without a header", "/data-alone", "PROTOCOL_ERROR, DATA")},
    {BROKEN("refuses an end without a header", "/end-alone", "PROTOCOL_ERROR, DATA")},
    {BROKEN("refuses to get no window", "/stream-window-zero", "PROTOCOL_ERROR, WINDOW_UPDATE")},
    {BROKEN("refuses DATA on stream 0", "/data-on-connection", "")},
    {BROKEN("refuses DATA on a stream to come", "/data-on-idle", "")},
    {BROKEN("refuses an answer to nothing", "/headers-on-idle", "")},
    {BROKEN("refuses an answer on a server's stream", "/headers-on-even", "")},
    {BROKEN("refuses a reset of stream 0", "/reset-on-connection", "")},
    {BROKEN("refuses a reset of a stream to come", "/reset-on-idle", "")},
    {BROKEN("refuses a window for a stream to come", "/window-on-idle", "")},
    {BROKEN("refuses SETTINGS on a stream", "/settings-on-stream", "")},
    {BROKEN("refuses SETTINGS that are cut", "/settings-odd-size", "FRAME_SIZE_ERROR")},
    {BROKEN("refuses a hundred settings at once", "/settings-many", "")},
    {BROKEN("refuses a window beyond 2^31 by SETTINGS", "/settings-window-overflow",
            "FLOW_CONTROL_ERROR")},
    {BROKEN("refuses push by SETTINGS", "/settings-push", "")},
    {BROKEN("refuses an ACK of nothing", "/ack-of-nothing", "")},
    {BROKEN("refuses a short PING", "/ping-short", "FRAME_SIZE_ERROR")},
    {BROKEN("refuses a PING on a stream", "/ping-on-stream", "")},
    {BROKEN("refuses a short GOAWAY", "/goaway-short", "FRAME_SIZE_ERROR")},
    {BROKEN("refuses a frame over 16 KiB", "/frame-too-long", "FRAME_SIZE_ERROR")},
    {BROKEN("refuses a frame that claims 16 MiB", "/frame-claims-16m", "FRAME_SIZE_ERROR")},
    {BROKEN("refuses padding beyond the frame", "/padding-too-long", "")},
    {BROKEN("refuses a number too large in HPACK", "/bad-hpack", "COMPRESSION_ERROR")},
    {BROKEN("refuses an index beyond HPACK's tables", "/bad-hpack-index", "COMPRESSION_ERROR")},
    {BROKEN("refuses a table larger than it allowed", "/bad-hpack-table", "COMPRESSION_ERROR")},
    {BROKEN("refuses a window beyond 2^31", "/window-overflow", "FLOW_CONTROL_ERROR")},
    {BROKEN("refuses to get no window at all", "/window-zero", "")},
    {BROKEN("refuses PUSH_PROMISE", "/push", "PROTOCOL_ERROR")},
    {BROKEN("refuses CONTINUATION without end", "/endless-continuation", "")},
    {BROKEN("refuses empty CONTINUATION without end", "/empty-continuation", "")},
    {BROKEN("refuses CONTINUATION of nothing", "/continuation-of-nothing", "")},
    {BROKEN("refuses a frame between the pieces of a header", "/continuation-interrupted", "")},
    {BROKEN("refuses a GOAWAY that names a server's stream", "/goaway-even", "")},

    {.promise = "takes back what a GOAWAY leaves out",
     .target = "/goaway-all",
     .end = SKI_H2_REFUSED,
     .state = SKI_H2_LEAVING,
     .err = SCALEKIT_ERR_NETWORK,
     .text = "refused"},
    {FINE("finishes what a GOAWAY does not leave out", "/goaway-notice", "ok"),
     .state = SKI_H2_LEAVING},
    {FINE("finishes the last of a GOAWAY", "/goaway-first", "ok"), .state = SKI_H2_LEAVING},
    {ENDED("gives the reason of a GOAWAY", "/goaway-error", SKI_H2_FAILED, "ENHANCE_YOUR_CALM")},
    {.promise = "makes nothing of its text",
     .target = "/goaway-odd-text",
     .end = SKI_H2_REFUSED,
     .state = SKI_H2_FAILED,
     .err = SCALEKIT_ERR_NETWORK,
     .text = "refused"},
    {BROKEN("refuses a GOAWAY that takes back the one before", "/goaway-grows", "")},
    {ENDED("tells an end before the answer", "/finish", SKI_H2_FAILED, "closed")},
    {ENDED("tells a cut before the answer", "/cut", SKI_H2_FAILED, "cut")},
    {ENDED("tells a reset before the answer", "/reset-link", SKI_H2_FAILED, "cut")},
    {ENDED("tells an end within the answer", "/half-finish", SKI_H2_FAILED, "closed")},
    {ENDED("tells a cut within the answer", "/half-cut", SKI_H2_FAILED, "cut")},
    {ENDED("tells a reset within the answer", "/half-reset", SKI_H2_FAILED, "cut")},
    {ENDED("tells a cut within a frame", "/half-frame", SKI_H2_FAILED, "cut")},
};

#define N_ROWS (sizeof rows / sizeof *rows)

static void fields_text(const struct ski_headers *headers, char *out, size_t size)
{
    const char *name, *value;
    size_t at = 0, used = 0;

    out[0] = '\0';
    while (ski_headers_next(headers, &at, &name, &value) && used < size)
        used += (size_t)snprintf(out + used, size - used, "%s: %s\n", name, value);
}

#define EXPECT(row, condition) expect(row, condition, #condition, "", __LINE__)

static void expect(const struct row *row, bool holds, const char *condition, const char *but,
                   unsigned line)
{
    char text[600];

    snprintf(text, sizeof text, "%s: %s %s", row->promise, condition, but);
    CU_assertImplementation(holds, line, text, __FILE__, "", CU_FALSE);
}

static void expect_row(const struct row *row, struct duet *duet, struct trip *trip)
{
    struct ski_exchange *exchange = &trip->exchange;
    char fields[1000];

    EXPECT(row, trip->over == 1);
    EXPECT(row, trip->end == row->end);
    EXPECT(row, ski_h2_load(duet->h2) == 0);
    if (row->state) {
        EXPECT(row, ski_h2_state(duet->h2) == row->state);
        EXPECT(row, ski_h2_room(duet->h2) == 0);
    } else {
        EXPECT(row, duet_lives(duet));
    }
    EXPECT(row, trip->failure.code == row->err);
    if (row->err != SCALEKIT_OK) {
        expect(row, strstr(trip->failure.text, row->text) != NULL, row->text, trip->failure.text,
               __LINE__);
        return;
    }
    fields_text(&exchange->answer_headers, fields, sizeof fields);
    EXPECT(row, exchange->status == (row->status ? row->status : 200));
    EXPECT(row, !row->fields || strcmp(fields, row->fields) == 0);
    EXPECT(row, !row->answer || trip_got(trip, row->answer));
}

static void play_row(const struct row *row, size_t piece, const struct ski_clock *dice)
{
    struct duet duet;
    struct trip trip;

    duet_init(&duet, &(struct h2_server_options){0});
    duet.piece = piece;
    duet.dice = dice;
    trip_init(&trip, &duet, row->target);
    if (row->method)
        trip.exchange.method = row->method;
    trip.exchange.body = row->body;
    trip.exchange.body_length = row->body ? strlen(row->body) : 0;
    trip_start(&trip, &duet);
    duet_pump(&duet);
    duet_finish(&duet);
    expect_row(row, &duet, &trip);
    trip_free(&trip);
    duet_free(&duet);
}

static void reads_whole(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        play_row(&rows[i], 0, NULL);
}

static void reads_byte_by_byte(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        play_row(&rows[i], rows[i].coarse ? 1000 : 1, NULL);
}

static void reads_in_random_pieces(void)
{
    struct test_clock dice;
    struct ski_clock clock;

    test_clock_init(&dice);
    ski_clock_init(&clock, &dice.clock);
    for (size_t i = 0; i < N_ROWS; i++)
        for (int round = 0; round < 5; round++)
            play_row(&rows[i], 1000, rows[i].coarse ? NULL : &clock);
}

SUITE(h2_answers, {"reads every answer whole", reads_whole}, {"byte by byte", reads_byte_by_byte},
      {"and in random pieces", reads_in_random_pieces})
