/* h2_scripts.c - answers that no real server gives, as rows of frames.
 *
 * They keep to no window, so they are short.  Their header blocks are literals that leave the
 * dynamic tables of both ends alone; nghttp2 can go on with the connection after any of them. */
#include "base/buf.h"
#include "h2_server.h"
#include <CUnit/CUnit.h>
#include <string.h>

#define MAX_FRAME     (1 << 20)

#define TEN(text)     text text text text text text text text text text
#define HUNDRED(text) TEN(TEN(text))
#define A_THOUSAND    HUNDRED("0123456789")
#define END           NGHTTP2_FLAG_END_STREAM
#define END_HEADERS   NGHTTP2_FLAG_END_HEADERS
#define PADDED        NGHTTP2_FLAG_PADDED
#define ACK           NGHTTP2_FLAG_ACK
#define CONNECTION    (-1)
#define UNKNOWN       0xbe /* a type of frame nobody knows */

#define BYTES(text)   .bytes = text, .length = sizeof(text) - 1
#define HEADERS(flag, text)                                                                        \
    {                                                                                              \
        .type = NGHTTP2_HEADERS, .flags = END_HEADERS | (flag), .fields = text                     \
    }
#define DATA(flag, text)                                                                           \
    {                                                                                              \
        .type = NGHTTP2_DATA, .flags = flag, BYTES(text)                                           \
    }
#define RST(code)                                                                                  \
    {                                                                                              \
        .type = NGHTTP2_RST_STREAM, BYTES("\0\0\0" code)                                           \
    }
#define ON_CONNECTION(kind, text)                                                                  \
    {                                                                                              \
        .type = kind, .stream = CONNECTION, BYTES(text)                                            \
    }
#define OK       ":status: 200\n"
#define OK_FRAME HEADERS(0, OK)
#define ONE_OK   OK_FRAME, DATA(END, "ok")

static const struct h2_script scripts[] = {
    /* Odd, and right. */
    {.target = "/hints", .frames = {HEADERS(0, ":status: 103\nlink: </x>\n"), ONE_OK}},
    {.target = "/hints-16",
     .frames =
         {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .fields = ":status: 102\n", .times = 16},
          ONE_OK}},
    {.target = "/trailers",
     .frames = {OK_FRAME, DATA(0, "ok"), HEADERS(END, "x-checksum: 7\nx-more: yes\n")}},
    {.target = "/trailers-alone", .frames = {OK_FRAME, HEADERS(END, "x-checksum: 7\n")}},
    {.target = "/empty-data",
     .frames = {OK_FRAME, DATA(0, ""), DATA(0, "o"), DATA(0, ""), DATA(0, "k"), DATA(END, "")}},
    {.target = "/empty-data-5000",
     .frames = {OK_FRAME, {.type = NGHTTP2_DATA, .times = 5000}, DATA(END, "ok")}},
    {.target = "/padded",
     .frames = {{.type = NGHTTP2_HEADERS,
                 .flags = END_HEADERS | PADDED,
                 BYTES("\x08"),
                 .fields = OK,
                 .padding = 8},
                {.type = NGHTTP2_DATA, .flags = PADDED, BYTES("\xffo"), .padding = 255},
                {.type = NGHTTP2_DATA, .flags = PADDED, BYTES("\0k")},
                {.type = NGHTTP2_DATA, .flags = END | PADDED, BYTES("\x04"), .padding = 4}}},
    {.target = "/continuation",
     .frames = {{.type = NGHTTP2_HEADERS, .fields = OK},
                {.type = NGHTTP2_CONTINUATION, .fields = "x-one: 1\n"},
                {.type = NGHTTP2_CONTINUATION},
                {.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS, .fields = "x-two: 2\n"},
                DATA(END, "ok")}},
    {.target = "/long-header",
     .frames = {{.type = NGHTTP2_HEADERS, .fields = OK},
                {.type = NGHTTP2_CONTINUATION,
                 .fields = "x-long: " A_THOUSAND "\n",
                 .pack = 15,
                 .times = 3},
                {.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS},
                DATA(END, "ok")}},
    {.target = "/unknown-frames",
     .frames = {{.type = UNKNOWN, .flags = 0xff, BYTES("what is this?")},
                OK_FRAME,
                {.type = UNKNOWN, .stream = CONNECTION, .padding = 1000},
                DATA(END, "ok")}},
    {.target = "/unknown-settings",
     .frames = {ON_CONNECTION(NGHTTP2_SETTINGS, "\x00\x0c\x12\x34\x56\x78\xfa\xfa\xff\xff\xff\xff"),
                ONE_OK}},
    {.target = "/unknown-flags",
     .frames = {HEADERS(0x80 | 0x40 | 0x10, OK),
                {.type = NGHTTP2_DATA, .flags = END | 0xf6, BYTES("ok")}}},
    {.target = "/priority",
     .frames = {{.type = NGHTTP2_PRIORITY, BYTES("\0\0\0\x00\x10")},
                {.type = NGHTTP2_HEADERS,
                 .flags = END_HEADERS | NGHTTP2_FLAG_PRIORITY,
                 BYTES("\0\0\0\x00\xff"),
                 .fields = OK},
                DATA(END, "ok")}},
    {.target = "/settings-flood",
     .frames = {{.type = NGHTTP2_SETTINGS,
                 .stream = CONNECTION,
                 BYTES("\x00\x01\x00\x00\x10\x00"),
                 .times = 100},
                ONE_OK}},
    {.target = "/ping", .frames = {ON_CONNECTION(NGHTTP2_PING, "whistle!"), ONE_OK}},
    {.target = "/ping-alone", .frames = {ON_CONNECTION(NGHTTP2_PING, "whistle!")}},
    {.target = "/status-204", .frames = {HEADERS(END, ":status: 204\n")}},
    {.target = "/status-304",
     .frames = {HEADERS(END, ":status: 304\ncontent-length: 1000\netag: \"e\"\n")}},
    {.target = "/status-500", .frames = {HEADERS(0, ":status: 500\n"), DATA(END, "no")}},
    {.target = "/head", .frames = {HEADERS(END, ":status: 200\ncontent-length: 1000\n")}},
    {.target = "/no-length", .frames = {HEADERS(0, OK "server: s\nserver: t\n"), DATA(END, "ok")}},
    {.target = "/length", .frames = {HEADERS(0, OK "content-length: 2\n"), DATA(END, "ok")}},
    {.target = "/early", .early = true, .frames = {ONE_OK, RST("\0")}},
    {.target = "/early-no-reset", .early = true, .frames = {ONE_OK}},
    {.target = "/early-refusal",
     .early = true,
     .frames = {HEADERS(0, ":status: 413\n"), DATA(END, "too much"), RST("\0")}},

    /* Resets. */
    {.target = "/reset", .frames = {RST("\x02")}},
    {.target = "/reset-none", .frames = {RST("\0")}},
    {.target = "/reset-refused", .frames = {RST("\x07")}},
    {.target = "/reset-cancel", .frames = {RST("\x08")}},
    {.target = "/reset-calm", .frames = {RST("\x0b")}},
    {.target = "/reset-http1", .frames = {RST("\x0d")}},
    {.target = "/reset-unknown", .frames = {RST("\xfe")}},
    {.target = "/reset-after-header", .frames = {OK_FRAME, RST("\x02")}},
    {.target = "/reset-in-body", .frames = {OK_FRAME, DATA(0, "half"), RST("\x02")}},
    {.target = "/refused-in-body", .frames = {OK_FRAME, DATA(0, "half"), RST("\x07")}},
    {.target = "/early-reset", .early = true, .frames = {RST("\x02")}},
    {.target = "/early-refused", .early = true, .frames = {RST("\x07")}},

    /* Malformed answers: one is lost, the connection is not. */
    {.target = "/no-status", .frames = {HEADERS(0, "x: y\n"), DATA(END, "ok")}},
    {.target = "/no-fields", .frames = {HEADERS(END, "")}},
    {.target = "/two-statuses", .frames = {HEADERS(0, OK OK), DATA(END, "ok")}},
    {.target = "/status-word", .frames = {HEADERS(0, ":status: 2x0\n"), DATA(END, "ok")}},
    {.target = "/status-long", .frames = {HEADERS(0, ":status: 2000\n"), DATA(END, "ok")}},
    {.target = "/status-short", .frames = {HEADERS(0, ":status: 20\n"), DATA(END, "ok")}},
    {.target = "/status-099", .frames = {HEADERS(0, ":status: 099\n"), DATA(END, "ok")}},
    {.target = "/status-099-alone", .frames = {HEADERS(END, ":status: 099\n")}},
    {.target = "/status-101", .frames = {HEADERS(0, ":status: 101\n"), ONE_OK}},
    {.target = "/status-late", .frames = {HEADERS(0, "x: y\n" OK), DATA(END, "ok")}},
    {.target = "/unknown-pseudo", .frames = {HEADERS(0, OK ":what: y\n"), DATA(END, "ok")}},
    {.target = "/request-pseudo", .frames = {HEADERS(0, OK ":path: /\n"), DATA(END, "ok")}},
    {.target = "/upper-case", .frames = {HEADERS(0, OK "X-Name: y\n"), DATA(END, "ok")}},
    {.target = "/space-in-name", .frames = {HEADERS(0, OK "x name: y\n"), DATA(END, "ok")}},
    {.target = "/control-in-value", .frames = {HEADERS(0, OK "x: a\x01z\n"), DATA(END, "ok")}},
    {.target = "/cr-in-value", .frames = {HEADERS(0, OK "x: a\rz\n"), DATA(END, "ok")}},
    {.target = "/connection-header",
     .frames = {HEADERS(0, OK "connection: close\n"), DATA(END, "ok")}},
    {.target = "/transfer-encoding",
     .frames = {HEADERS(0, OK "transfer-encoding: chunked\n"), DATA(END, "ok")}},
    {.target = "/length-too-long",
     .frames = {HEADERS(0, OK "content-length: 3\n"), DATA(END, "ok")}},
    {.target = "/length-too-short",
     .frames = {HEADERS(0, OK "content-length: 1\n"), DATA(END, "ok")}},
    {.target = "/length-no-body", .frames = {HEADERS(END, OK "content-length: 1\n")}},
    {.target = "/length-word", .frames = {HEADERS(0, OK "content-length: x\n"), DATA(END, "ok")}},
    {.target = "/length-twice",
     .frames = {HEADERS(0, OK "content-length: 2\ncontent-length: 2\n"), DATA(END, "ok")}},
    {.target = "/hints-at-end", .frames = {HEADERS(END, ":status: 103\n")}},
    {.target = "/hints-17",
     .frames =
         {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .fields = ":status: 102\n", .times = 17},
          ONE_OK}},
    {.target = "/body-of-204", .frames = {HEADERS(0, ":status: 204\n"), DATA(END, "ok")}},
    {.target = "/data-first", .frames = {DATA(0, "ok"), HEADERS(END, OK)}},
    {.target = "/data-alone", .frames = {DATA(END, "ok")}},
    {.target = "/end-alone", .frames = {DATA(END, "")}},
    {.target = "/data-after-hints", .frames = {HEADERS(0, ":status: 103\n"), DATA(END, "ok")}},
    {.target = "/two-headers", .frames = {OK_FRAME, DATA(0, "o"), HEADERS(0, OK), DATA(END, "k")}},
    {.target = "/status-in-trailers",
     .frames = {OK_FRAME, DATA(0, "ok"), HEADERS(END, ":status: 200\n")}},
    {.target = "/stream-window-overflow",
     .frames = {{.type = NGHTTP2_WINDOW_UPDATE, BYTES("\x7f\xff\xff\xff")}, ONE_OK}},
    {.target = "/stream-window-zero",
     .frames = {{.type = NGHTTP2_WINDOW_UPDATE, BYTES("\0\0\0\0")}, ONE_OK}},
    {.target = "/data-after-end", .frames = {ONE_OK, DATA(0, "more")}},
    {.target = "/too-long-header",
     .frames = {{.type = NGHTTP2_HEADERS, .fields = OK},
                {.type = NGHTTP2_CONTINUATION,
                 .fields = "x-long: " A_THOUSAND "\n",
                 .pack = 15,
                 .times = 5},
                {.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS},
                DATA(END, "ok")}},
    {.target = "/300-fields",
     .frames =
         {{.type = NGHTTP2_HEADERS, .fields = OK},
          {.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS, .fields = "x: y\n", .pack = 300},
          DATA(END, "ok")}},
    {.target = "/too-long-trailers",
     .frames = {OK_FRAME,
                DATA(0, "ok"),
                {.type = NGHTTP2_HEADERS, .flags = END, .fields = "x: y\n"},
                {.type = NGHTTP2_CONTINUATION,
                 .fields = "x-long: " A_THOUSAND "\n",
                 .pack = 15,
                 .times = 5},
                {.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS}}},

    /* A broken protocol: the connection is lost. */
    {.target = "/data-on-connection", .frames = {ON_CONNECTION(NGHTTP2_DATA, "ok")}},
    {.target = "/data-on-idle", .frames = {{.type = NGHTTP2_DATA, .stream = 99999, BYTES("ok")}}},
    {.target = "/headers-on-idle",
     .frames = {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .stream = 99999, .fields = OK}}},
    {.target = "/headers-on-even",
     .frames = {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .stream = 2, .fields = OK}}},
    {.target = "/reset-on-connection", .frames = {ON_CONNECTION(NGHTTP2_RST_STREAM, "\0\0\0\2")}},
    {.target = "/reset-on-idle",
     .frames = {{.type = NGHTTP2_RST_STREAM, .stream = 99999, BYTES("\0\0\0\2")}}},
    {.target = "/window-on-idle",
     .frames = {{.type = NGHTTP2_WINDOW_UPDATE, .stream = 99999, BYTES("\0\0\0\1")}}},
    {.target = "/settings-on-stream", .frames = {{.type = NGHTTP2_SETTINGS, .stream = 1}}},
    {.target = "/settings-odd-size",
     .frames = {ON_CONNECTION(NGHTTP2_SETTINGS, "\x00\x01\x00\x00\x10")}},
    {.target = "/settings-many",
     .frames = {ON_CONNECTION(NGHTTP2_SETTINGS, HUNDRED("\x00\x01\x00\x00\x10\x00"))}},
    {.target = "/settings-window-overflow",
     .frames = {ON_CONNECTION(NGHTTP2_SETTINGS, "\x00\x04\x80\x00\x00\x00")}},
    {.target = "/settings-push", /* only a client may */
     .frames = {ON_CONNECTION(NGHTTP2_SETTINGS, "\x00\x02\x00\x00\x00\x01")}},
    {.target = "/ack-of-nothing",
     .frames = {{.type = NGHTTP2_SETTINGS, .flags = ACK, .stream = CONNECTION, .times = 3}}},
    {.target = "/ping-short", .frames = {ON_CONNECTION(NGHTTP2_PING, "short")}},
    {.target = "/ping-on-stream", .frames = {{.type = NGHTTP2_PING, BYTES("whistle!")}}},
    {.target = "/goaway-short", .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0")}},
    {.target = "/frame-too-long",
     .frames = {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, .fields = OK, .padding = 16384}}},
    {.target = "/frame-claims-16m",
     .frames = {{.type = NGHTTP2_DATA, BYTES("x"), .claims = 0xffffff}}},
    {.target = "/padding-too-long",
     .frames = {OK_FRAME, {.type = NGHTTP2_DATA, .flags = PADDED, BYTES("\x09"), .padding = 8}}},
    {.target = "/bad-hpack",
     .frames = {{.type = NGHTTP2_HEADERS,
                 .flags = END_HEADERS,
                 BYTES("\xff\xff\xff\xff\xff\x0f")}}},
    {.target = "/bad-hpack-index",
     .frames = {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, BYTES("\x88\xfe")}}},
    {.target = "/bad-hpack-table",
     .frames = {{.type = NGHTTP2_HEADERS, .flags = END_HEADERS, BYTES("\x3f\xff\xff\x7f\x88")}}},
    {.target = "/window-overflow",
     .frames = {ON_CONNECTION(NGHTTP2_WINDOW_UPDATE, "\x7f\xff\xff\xff")}},
    {.target = "/window-zero", .frames = {ON_CONNECTION(NGHTTP2_WINDOW_UPDATE, "\0\0\0\0")}},
    {.target = "/push",
     .frames = {{.type = NGHTTP2_PUSH_PROMISE,
                 .flags = END_HEADERS,
                 BYTES("\0\0\0\2"),
                 .fields = ":method: GET\n:scheme: https\n:authority: h\n:path: /p\n"},
                {.type = NGHTTP2_HEADERS, .flags = END_HEADERS | END, .stream = 2, .fields = OK}}},
    {.target = "/endless-continuation",
     .frames = {{.type = NGHTTP2_HEADERS, .fields = OK},
                {.type = NGHTTP2_CONTINUATION, .fields = "x: y\n", .times = 1000}}},
    {.target = "/empty-continuation",
     .frames = {{.type = NGHTTP2_HEADERS, .fields = OK},
                {.type = NGHTTP2_CONTINUATION, .times = 1000}}},
    {.target = "/continuation-of-nothing",
     .frames = {{.type = NGHTTP2_CONTINUATION, .flags = END_HEADERS, .fields = OK}}},
    {.target = "/continuation-interrupted",
     .frames = {{.type = NGHTTP2_HEADERS, .fields = OK}, DATA(END, "ok")}},

    /* Farewells.  Streams are numbered 1, 3, 5, ... */
    {.target = "/goaway-all", .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\0\0\0\0\0")}},
    {.target = "/goaway-first",
     .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\1\0\0\0\0"), ONE_OK}},
    {.target = "/goaway-malformed",
     .frames = {HEADERS(0, OK ":what: y\n"), ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\0\0\0\0\0")}},
    {.target = "/goaway-notice",
     .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\x7f\xff\xff\xff\0\0\0\0"), ONE_OK}},
    {.target = "/goaway-error",
     .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\x7f\xff\xff\xff\0\0\0\x0b"
                                              "too many pings")},
     .then = H2_FINISH},
    {.target = "/goaway-odd-text",
     .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\0\0\0\0\x02"
                                              "a\r\nb\x1b[31m\0c\xff")},
     .then = H2_FINISH},
    {.target = "/goaway-grows",
     .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\1\0\0\0\0"),
                ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\5\0\0\0\0")}},
    {.target = "/goaway-even", .frames = {ON_CONNECTION(NGHTTP2_GOAWAY, "\0\0\0\2\0\0\0\0")}},

    /* Ends. */
    {.target = "/half", .frames = {OK_FRAME, DATA(0, "half")}},
    {.target = "/half-finish", .frames = {OK_FRAME, DATA(0, "half")}, .then = H2_FINISH},
    {.target = "/half-cut", .frames = {OK_FRAME, DATA(0, "half")}, .then = H2_CUT},
    {.target = "/half-reset", .frames = {OK_FRAME, DATA(0, "half")}, .then = H2_RESET},
    {.target = "/half-frame",
     .frames = {OK_FRAME, {.type = NGHTTP2_DATA, BYTES("half"), .claims = 100}},
     .then = H2_CUT},
    {.target = "/finish", .then = H2_FINISH},
    {.target = "/cut", .then = H2_CUT},
    {.target = "/reset-link", .then = H2_RESET},
    {.target = "/mute"},
    {.target = "/ok-finish", .frames = {ONE_OK}, .then = H2_FINISH},
    {.target = "/ok-cut", .frames = {ONE_OK}, .then = H2_CUT},
};

const struct h2_script *h2_script_find(const char *target)
{
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (strcmp(scripts[i].target, target) == 0)
            return &scripts[i];
    return NULL;
}

/* --- sending ----------------------------------------------------------------------------------- */

/* A length in seven bits, or more bytes. */
static void pack_length(struct ski_buf *out, size_t length)
{
    if (length < 127) {
        ski_buf_addc(out, (char)length);
        return;
    }
    ski_buf_addc(out, 127);
    for (length -= 127; length > 127; length >>= 7)
        ski_buf_addc(out, (char)((length & 127) | 128));
    ski_buf_addc(out, (char)length);
}

static void pack_text(struct ski_buf *out, const char *text, size_t length)
{
    pack_length(out, length);
    ski_buf_add(out, text, length);
}

static void pack_fields(struct ski_buf *out, const char *fields)
{
    while (*fields) {
        const char *colon = strstr(fields + 1, ": ");
        const char *end = strchr(colon, '\n');

        ski_buf_addc(out, 0);
        pack_text(out, fields, (size_t)(colon - fields));
        pack_text(out, colon + 2, (size_t)(end - colon - 2));
        fields = end + 1;
    }
}

static void send_frame(const struct h2_frame *frame, int32_t stream, const struct h2_server_io *io)
{
    static const char zeros[16384];
    struct ski_buf out;
    struct ski_mem mem;
    size_t length;

    if (frame->stream)
        stream = frame->stream == CONNECTION ? 0 : frame->stream;
    ski_mem_init(&mem, NULL);
    ski_buf_init(&out, &mem, MAX_FRAME);
    ski_buf_add(&out, zeros, 9);
    ski_buf_add(&out, frame->bytes, frame->length);
    for (unsigned i = 0; frame->fields && i < (frame->pack ? frame->pack : 1); i++)
        pack_fields(&out, frame->fields);
    ski_buf_add(&out, zeros, frame->padding);
    CU_ASSERT_EQUAL_FATAL(out.failed, SKI_BUF_OK);

    length = frame->claims ? frame->claims : out.length - 9;
    out.data[0] = (char)(length >> 16);
    out.data[1] = (char)(length >> 8);
    out.data[2] = (char)length;
    out.data[3] = (char)frame->type;
    out.data[4] = (char)frame->flags;
    for (int i = 0; i < 4; i++)
        out.data[5 + i] = (char)(stream >> (24 - 8 * i));
    for (unsigned i = 0; i < (frame->times ? frame->times : 1); i++)
        io->send(io->user, out.data, out.length);
    ski_buf_free(&out);
}

/* DATA without anything else is told from no frame by its flags, its bytes or how often it comes. */
static bool is_frame(const struct h2_frame *frame)
{
    return frame->type || frame->flags || frame->bytes || frame->times;
}

void h2_script_send(const struct h2_script *script, int32_t stream, const struct h2_server_io *io)
{
    size_t most = sizeof script->frames / sizeof *script->frames;

    for (size_t i = 0; i < most && is_frame(&script->frames[i]); i++)
        send_frame(&script->frames[i], stream, io);
}

unsigned h2_script_settings(const struct h2_script *script)
{
    size_t most = sizeof script->frames / sizeof *script->frames;
    unsigned n = 0;

    for (size_t i = 0; i < most && is_frame(&script->frames[i]); i++) {
        const struct h2_frame *frame = &script->frames[i];

        if (frame->type == NGHTTP2_SETTINGS && !(frame->flags & ACK))
            n += frame->times ? frame->times : 1;
    }
    return n;
}
