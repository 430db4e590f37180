#include "harness.h"
#include "http/h1.h"
#include <stdlib.h>

#define MAX_BODY 64

/* What a connection delivers, and what must come of it.  `ends`: what it does after the bytes. */
enum ends { STAYS, CLEANLY, BROKEN };

struct row {
    const char *promise;
    const char *bytes;
    size_t length;
    bool head; /* it answers HEAD */
    enum ends ends;
    scalekit_err err; /* SCALEKIT_OK: then the rest */
    int status;
    const char *fields; /* "name: value\n…", or NULL when they do not matter */
    const char *body;
    size_t surplus;  /* bytes at the end that are not the response's */
    bool keep_alive; /* a guess that is wrong half the time is no guess: always checked */
};

#define BYTES(text) .bytes = text, .length = sizeof text - 1
#define BAD(why, text)                                                                             \
    {                                                                                              \
        why, BYTES(text), .err = SCALEKIT_ERR_PROTOCOL                                             \
    }
#define HEADERS_200 "HTTP/1.1 200 OK\r\n"

static const struct row rows[] = {
    /* Bodies with a length. */
    {"reads a plain answer",
     BYTES("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
     .status = 200, .fields = "content-type: application/json\ncontent-length: 2\n", .body = "{}",
     .keep_alive = true},
    {"reads an empty body", BYTES("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
     .status = 404, .body = "", .keep_alive = true},
    {"reads any byte in a body", BYTES(HEADERS_200 "Content-Length: 5\r\n\r\n\r\n\x80 \xff"),
     .status = 200, .body = "\r\n\x80 \xff", .keep_alive = true},
    {"takes a body of exactly the limit",
     BYTES(HEADERS_200 "Content-Length: 64\r\n\r\n"
                       "0123456789012345678901234567890123456789012345678901234567890123"),
     .status = 200, .body = "0123456789012345678901234567890123456789012345678901234567890123",
     .keep_alive = true},
    {"refuses a body over the limit before it comes",
     BYTES(HEADERS_200 "Content-Length: 65\r\n\r\n"), .err = SCALEKIT_ERR_TOO_LARGE},
    {"refuses a body of 2^64-1", BYTES(HEADERS_200 "Content-Length: 18446744073709551615\r\n\r\n"),
     .err = SCALEKIT_ERR_TOO_LARGE},
    {"accepts equal content-lengths",
     BYTES(HEADERS_200 "Content-Length: 2\r\ncontent-length: 2\r\n\r\nab"), .status = 200,
     .body = "ab", .keep_alive = true},
    {"accepts a list of equal content-lengths",
     BYTES(HEADERS_200 "Content-Length: 2, 02\r\n\r\nab"), .status = 200, .body = "ab",
     .keep_alive = true},
    BAD("refuses different content-lengths",
        HEADERS_200 "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
    BAD("refuses a list of different content-lengths",
        HEADERS_200 "Content-Length: 2, 3\r\n\r\nabc"),
    BAD("refuses a content-length with a sign", HEADERS_200 "Content-Length: +2\r\n\r\nab"),
    BAD("refuses a negative content-length", HEADERS_200 "Content-Length: -2\r\n\r\nab"),
    BAD("refuses a content-length in two words", HEADERS_200 "Content-Length: 2 2\r\n\r\nab"),
    BAD("refuses a hexadecimal content-length", HEADERS_200 "Content-Length: 0x2\r\n\r\nab"),
    BAD("refuses an empty content-length", HEADERS_200 "Content-Length:\r\n\r\nab"),
    BAD("refuses a list with an empty content-length", HEADERS_200 "Content-Length: 2,\r\n\r\nab"),
    BAD("refuses a content-length that overflows",
        HEADERS_200 "Content-Length: 18446744073709551616\r\n\r\n"),
    {"fails when a body is cut, in good order", BYTES(HEADERS_200 "Content-Length: 3\r\n\r\nab"),
     .ends = CLEANLY, .err = SCALEKIT_ERR_NETWORK},
    {"fails when a body is cut", BYTES(HEADERS_200 "Content-Length: 3\r\n\r\nab"), .ends = BROKEN,
     .err = SCALEKIT_ERR_NETWORK},

    /* Bodies until the end. */
    {"reads until the connection ends", BYTES(HEADERS_200 "\r\nabc"), .ends = CLEANLY,
     .status = 200, .fields = "", .body = "abc"},
    {"an empty body until the end", BYTES(HEADERS_200 "\r\n"), .ends = CLEANLY, .status = 200,
     .body = ""},
    {"no body until the end, unless in good order", BYTES(HEADERS_200 "\r\nabc"), .ends = BROKEN,
     .err = SCALEKIT_ERR_NETWORK},
    {"keep-alive cannot keep what ends", BYTES(HEADERS_200 "Connection: keep-alive\r\n\r\nabc"),
     .ends = CLEANLY, .status = 200, .body = "abc"},
    {"refuses an endless body over the limit",
     BYTES(HEADERS_200 "\r\n01234567890123456789012345678901234567890123456789012345678901234"),
     .err = SCALEKIT_ERR_TOO_LARGE},

    /* No bodies. */
    {"knows that HEAD has no body", BYTES("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
     .head = true, .status = 200, .fields = "content-length: 1000\n", .body = "",
     .keep_alive = true},
    {"knows that HEAD has no chunks", BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n"),
     .head = true, .status = 200, .body = "", .keep_alive = true},
    {"knows that HEAD without a length has no body", BYTES(HEADERS_200 "\r\n"), .head = true,
     .status = 200, .body = "", .keep_alive = true},
    {"knows that 204 has no body", BYTES("HTTP/1.1 204 No Content\r\n\r\n"), .status = 204,
     .body = "", .keep_alive = true},
    {"knows that 204 has no body whatever it says",
     BYTES("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"), .status = 204, .body = "",
     .surplus = 3, .keep_alive = true},
    {"knows that 304 has no body", BYTES("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
     .status = 304, .body = "", .keep_alive = true},

    /* Chunks. */
    {"reads chunks",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
     .status = 200, .body = "abcde", .keep_alive = true},
    {"reads the last chunk alone", BYTES(HEADERS_200 "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n"),
     .status = 200, .body = "", .keep_alive = true},
    {"reads sizes in any case and with zeros",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n0000A\r\n0123456789\r\n0b\r\n01234567890"
                       "\r\n000\r\n\r\n"),
     .status = 200, .body = "012345678901234567890", .keep_alive = true},
    {"drops chunk extensions",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2 ; c=\"d;e\"\r\nde\r\n"
                       "0;last\r\n\r\n"),
     .status = 200, .body = "abcde", .keep_alive = true},
    {"drops trailers, and does not believe them",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\nX: y\r\n\r\n"),
     .status = 200, .fields = "transfer-encoding: chunked\n", .body = "", .keep_alive = true},
    {"closes after chunks when told",
     BYTES(HEADERS_200
           "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\n\r\n"),
     .status = 200, .body = "a"},
    {"refuses chunks over the limit before they come",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n40\r\n"),
     .err = SCALEKIT_ERR_TOO_LARGE},
    {"refuses a chunk of 2^64",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n"
                       "10000000000000000\r\n"),
     .err = SCALEKIT_ERR_TOO_LARGE},
    {"refuses a chunk of 2^64-1",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n"
                       "ffffffffffffffff\r\n"),
     .err = SCALEKIT_ERR_TOO_LARGE},
    {"fails when the last chunk is missing",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), .ends = CLEANLY,
     .err = SCALEKIT_ERR_NETWORK},
    {"fails when the end of the trailers is missing",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n"), .ends = CLEANLY,
     .err = SCALEKIT_ERR_NETWORK},
    BAD("refuses a chunk longer than its size",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"),
    BAD("refuses a chunk one byte longer than its size",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\n0\r\n\r\n"),
    BAD("refuses a chunk that ends in LF",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n"),
    BAD("refuses a chunk size that ends in LF",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"),
    BAD("refuses an empty chunk size", HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n\r\n"),
    BAD("refuses an extension without a size",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n;a\r\n"),
    BAD("refuses a chunk size with a sign", HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
    BAD("refuses a chunk size with 0x",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n"),
    BAD("refuses space before a chunk size",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n"),
    BAD("refuses space after a chunk size",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n"),
    BAD("refuses words after a chunk size",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3 a\r\nabc\r\n"),
    BAD("refuses a bare CR in an extension",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3;a\rb\r\nabc\r\n"),
    BAD("refuses a CR after an extension",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n3;a\r\r\nabc\r\n"),
    BAD("refuses a malformed trailer",
        HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n"),

    /* Framing on which two readers may disagree. */
    BAD("refuses chunks with a length",
        HEADERS_200 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    BAD("refuses a length with chunks",
        HEADERS_200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("refuses gzip", HEADERS_200 "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    BAD("refuses identity", HEADERS_200 "Transfer-Encoding: identity\r\n\r\n"),
    BAD("refuses chunked in a list", HEADERS_200 "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    BAD("refuses chunked twice",
        HEADERS_200 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("refuses an empty transfer-encoding", HEADERS_200 "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    BAD("refuses chunks of HTTP/1.0",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),

    /* Keep-alive. */
    {"closes when told", BYTES(HEADERS_200 "Connection: close\r\nContent-Length: 1\r\n\r\na"),
     .status = 200, .body = "a"},
    {"closes when told in a list and in any case",
     BYTES(HEADERS_200 "connection: upgrade , CLOSE\r\nContent-Length: 1\r\n\r\na"), .status = 200,
     .body = "a"},
    {"close wins over keep-alive",
     BYTES(HEADERS_200 "Connection: close\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"),
     .status = 200, .body = "a"},
    {"closer is not close", BYTES(HEADERS_200 "Connection: closer\r\nContent-Length: 1\r\n\r\na"),
     .status = 200, .body = "a", .keep_alive = true},
    {"closes after HTTP/1.0", BYTES("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"), .status = 200,
     .body = "a"},
    {"keeps HTTP/1.0 when told",
     BYTES("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na"),
     .status = 200, .body = "a", .keep_alive = true},
    {"leaves what follows alone",
     BYTES(HEADERS_200 "Content-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"),
     .status = 200, .body = "a", .surplus = 39, .keep_alive = true},
    {"leaves what follows the last chunk alone",
     BYTES(HEADERS_200 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n"), .status = 200,
     .body = "", .surplus = 2, .keep_alive = true},

    /* Informational responses. */
    {"passes over 100",
     BYTES("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"
           "Content-Length: 1\r\n\r\na"),
     .status = 201, .body = "a", .keep_alive = true},
    {"passes over 102 and 103, and forgets what they said",
     BYTES("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
           "Connection: close\r\nContent-Length: 7\r\n\r\n" HEADERS_200
           "Content-Length: 1\r\n\r\na"),
     .status = 200, .fields = "content-length: 1\n", .body = "a", .keep_alive = true},
    {"an informational answer is none", BYTES("HTTP/1.1 100 Continue\r\n\r\n"), .ends = CLEANLY,
     .err = SCALEKIT_ERR_NETWORK},
    BAD("refuses to switch protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"),

    /* Status lines. */
    {"needs no reason", BYTES("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), .status = 200,
     .body = "", .keep_alive = true},
    {"needs no space before no reason", BYTES("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
     .status = 200, .body = "", .keep_alive = true},
    {"takes HTTP/1.2 for what it understands",
     BYTES("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"), .status = 200, .body = "",
     .keep_alive = true},
    {"passes on a status nobody knows",
     BYTES("HTTP/1.1 999 \xe2\x98\xba\r\nContent-Length: 0\r\n\r\n"), .status = 999, .body = "",
     .keep_alive = true},
    BAD("refuses HTTP/2", "HTTP/2 200 OK\r\n\r\n"),
    BAD("refuses HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"),
    BAD("refuses HTTP/0.9", "<html>hello, world</html>\r\n"),
    BAD("refuses lower-case http", "http/1.1 200 OK\r\n\r\n"),
    BAD("refuses another protocol", "SSH-2.0-OpenSSH_9.2p1 Debian\r\n"),
    BAD("refuses an empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n"),
    BAD("refuses a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"),
    BAD("refuses a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"),
    BAD("refuses a status below 100", "HTTP/1.1 099 OK\r\n\r\n"),
    BAD("refuses a status that is no number", "HTTP/1.1 2x0 OK\r\n\r\n"),
    BAD("refuses two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n"),
    BAD("refuses a tab before the status", "HTTP/1.1\t200 OK\r\n\r\n"),
    BAD("refuses a status line that ends in LF", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
    BAD("refuses NUL in a reason", "HTTP/1.1 200 O\0K\r\n\r\n"),
    BAD("refuses a bare CR in a reason", "HTTP/1.1 200 O\rK\r\n\r\n"),
    BAD("refuses a lone LF", "\n"),

    /* Fields. */
    {"trims values, and leaves their insides alone",
     BYTES(HEADERS_200 "A: \t b  c\td \t\r\nB:e\r\nC:\r\nD: \xe4\r\nContent-Length: 0\r\n\r\n"),
     .status = 200, .fields = "a: b  c\td\nb: e\nc: \nd: \xe4\ncontent-length: 0\n", .body = "",
     .keep_alive = true},
    {"keeps fields of the same name apart",
     BYTES(HEADERS_200 "Set-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"),
     .status = 200, .fields = "set-cookie: a\nset-cookie: b\ncontent-length: 0\n", .body = "",
     .keep_alive = true},
    BAD("refuses space before a colon", HEADERS_200 "Content-Length : 0\r\n\r\n"),
    BAD("refuses a folded line", HEADERS_200 "A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    BAD("refuses a line folded by a tab",
        HEADERS_200 "A: b\r\n\tc: d\r\nContent-Length: 0\r\n\r\n"),
    BAD("refuses space before the first field", HEADERS_200 " A: b\r\nContent-Length: 0\r\n\r\n"),
    BAD("refuses a field without a colon", HEADERS_200 "nonsense\r\n\r\n"),
    BAD("refuses a field without a name", HEADERS_200 ": b\r\n\r\n"),
    BAD("refuses a name that is no token", HEADERS_200 "a(b): c\r\n\r\n"),
    BAD("refuses a name beyond ASCII", HEADERS_200 "\xe4: c\r\n\r\n"),
    BAD("refuses NUL in a name", HEADERS_200 "a\0b: c\r\n\r\n"),
    BAD("refuses NUL in a value", HEADERS_200 "a: b\0c\r\n\r\n"),
    BAD("refuses a bare CR in a value", HEADERS_200 "a: b\rc\r\n\r\n"),
    BAD("refuses a CR before the end of a line", HEADERS_200 "a: b\r\r\n\r\n"),
    BAD("refuses a line that ends in LF", HEADERS_200 "a: b\nContent-Length: 0\r\n\r\n"),
    BAD("refuses a header that ends in LF", HEADERS_200 "Content-Length: 0\r\n\nabc"),
    BAD("refuses DEL in a value", HEADERS_200 "a: b\x7f\r\n\r\n"),
    BAD("refuses ESC in a value", HEADERS_200 "a: \x1b[31m\r\n\r\n"),

    /* Ends. */
    {"tells an end before the answer", BYTES(""), .ends = CLEANLY, .err = SCALEKIT_ERR_NETWORK},
    {"tells an end in the status line", BYTES("HTTP/1.1 2"), .ends = CLEANLY,
     .err = SCALEKIT_ERR_NETWORK},
    {"tells an end in the header", BYTES(HEADERS_200 "Content-Length: 5\r\n"), .ends = CLEANLY,
     .err = SCALEKIT_ERR_NETWORK},
};

#define N_ROWS (sizeof rows / sizeof *rows)

/* A reader at work: what it was given and what came of it. */
struct reading {
    struct ski_mem mem;
    struct ski_exchange exchange;
    struct ski_h1 h1;
    struct ski_failure failure;
    size_t used;
};

static void reading_begin(struct reading *reading, const struct scalekit_allocator *allocator,
                          const char *method, size_t max_body)
{
    memset(reading, 0, sizeof *reading);
    ski_mem_init(&reading->mem, allocator);
    ski_exchange_init(&reading->exchange, &reading->mem, max_body);
    reading->exchange.method = method;
    ski_h1_init(&reading->h1, &reading->mem);
    ski_h1_begin(&reading->h1, &reading->exchange);
}

static void reading_end(struct reading *reading)
{
    ski_h1_free(&reading->h1);
    ski_exchange_free(&reading->exchange);
}

static bool finished(const struct reading *reading)
{
    return reading->h1.state == SKI_H1_DONE || reading->h1.state == SKI_H1_FAILED;
}

/* Gives a piece, on the heap so that a step beyond its end is seen. */
static void give(struct reading *reading, const char *bytes, size_t length)
{
    char *piece = malloc(length ? length : 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(piece);
    if (length > 0)
        memcpy(piece, bytes, length);
    reading->used += ski_h1_read(&reading->h1, piece, length, &reading->failure);
    free(piece);
}

static void fields_text(const struct ski_headers *headers, char *out, size_t size)
{
    const char *name, *value;
    size_t at = 0, used = 0;

    out[0] = '\0';
    while (ski_headers_next(headers, &at, &name, &value) && used < size)
        used += (size_t)snprintf(out + used, size - used, "%s: %s\n", name, value);
}

#define EXPECT(row, condition) expect(row, condition, #condition, __LINE__)

static void expect(const struct row *row, bool holds, const char *condition, unsigned line)
{
    char text[300];

    snprintf(text, sizeof text, "%s: %s", row->promise, condition);
    CU_assertImplementation(holds, line, text, __FILE__, "", CU_FALSE);
}

static void expect_row(const struct row *row, struct reading *reading)
{
    struct ski_h1 *h1 = &reading->h1;
    struct ski_exchange *exchange = &reading->exchange;
    char fields[1000];
    bool done = false;

    if (h1->state == SKI_H1_DONE)
        done = true;
    else if (row->ends != STAYS && h1->state != SKI_H1_FAILED)
        done = ski_h1_end(h1, row->ends == CLEANLY, &reading->failure);
    EXPECT(row, finished(reading));
    EXPECT(row, done == (row->err == SCALEKIT_OK));
    EXPECT(row, reading->failure.code == row->err);
    if (row->err != SCALEKIT_OK || !done)
        return;
    fields_text(&exchange->answer_headers, fields, sizeof fields);
    EXPECT(row, exchange->status == row->status);
    EXPECT(row, !row->fields || strcmp(fields, row->fields) == 0);
    EXPECT(row, exchange->answer.length == strlen(row->body));
    EXPECT(row, strcmp(ski_buf_text(&exchange->answer), row->body) == 0);
    EXPECT(row, h1->keep_alive == row->keep_alive);
    EXPECT(row, reading->used == row->length - row->surplus);
}

/* Reads a row in pieces of the sizes that `random` gives; NULL: of `size` bytes. */
static void read_row(const struct row *row, size_t size, const struct ski_clock *random)
{
    struct reading reading;

    reading_begin(&reading, NULL, row->head ? "HEAD" : "GET", MAX_BODY);
    for (size_t at = 0; at < row->length; at += size) {
        if (random)
            size = 1 + ski_clock_random(random) % (row->length - at);
        give(&reading, row->bytes + at, size < row->length - at ? size : row->length - at);
    }
    expect_row(row, &reading);
    reading_end(&reading);
}

static void reads_whole(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        read_row(&rows[i], rows[i].length + 1, NULL);
}

static void reads_byte_by_byte(void)
{
    for (size_t i = 0; i < N_ROWS; i++)
        read_row(&rows[i], 1, NULL);
}

static void reads_in_random_pieces(void)
{
    struct test_clock dice;
    struct ski_clock clock;

    test_clock_init(&dice);
    ski_clock_init(&clock, &dice.clock);
    for (size_t i = 0; i < N_ROWS; i++)
        for (int round = 0; round < 40; round++)
            read_row(&rows[i], 1, &clock);
}

/* --- limits ------------------------------------------------------------------------------------ */

/* Repeats a line between a beginning and an end, then reads it all: whole, and again in pieces. */
static void read_repeated(const char *begin, const char *line, unsigned times, const char *end,
                          scalekit_err expected)
{
    for (size_t size = SIZE_MAX; size; size = size == SIZE_MAX ? 1000 : 0) {
        struct reading reading;
        struct ski_mem mem;
        struct ski_buf text;

        ski_mem_init(&mem, NULL);
        ski_buf_init(&text, &mem, 1 << 20);
        ski_buf_adds(&text, begin);
        for (unsigned i = 0; i < times; i++)
            ski_buf_adds(&text, line);
        ski_buf_adds(&text, end);
        CU_ASSERT_EQUAL_FATAL(text.failed, SKI_BUF_OK);

        reading_begin(&reading, NULL, "GET", 1 << 16);
        for (size_t at = 0; at < text.length && !finished(&reading); at += size) {
            give(&reading, text.data + at, size < text.length - at ? size : text.length - at);
            if (size >= text.length - at)
                break;
        }
        CU_ASSERT(expected ? reading.h1.state == SKI_H1_FAILED : reading.h1.state == SKI_H1_DONE);
        CU_ASSERT_EQUAL(reading.failure.code, expected);
        reading_end(&reading);
        ski_buf_free(&text);
    }
}

/* 1,024 bytes with its end. */
static const char *long_field(void)
{
    static char line[1025];

    memset(line, 'v', sizeof line - 1);
    memcpy(line, "a: ", 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    return line;
}

static void limits_the_header(void)
{
    char line[1100], *end = line + sizeof line - 1;

    /* 65,536: the status line 17, fields 63 * 1,024, and 1,007 for the rest. */
    CU_ASSERT_EQUAL_FATAL(strlen(long_field()), 1024);
    memset(line, 'v', sizeof line);
    memcpy(end - 23, "\r\nContent-Length: 0\r\n\r\n", 24);
    memcpy(end - 1007, "b: ", 3);
    read_repeated(HEADERS_200, long_field(), 63, end - 1007, SCALEKIT_OK);
    memcpy(end - 1008, "b: v", 4);
    read_repeated(HEADERS_200, long_field(), 63, end - 1008, SCALEKIT_ERR_TOO_LARGE);

    read_repeated(HEADERS_200, long_field(), 64, "", SCALEKIT_ERR_TOO_LARGE);
    read_repeated("", "HTTP/1.1 200 and so on and on ", 3000, "", SCALEKIT_ERR_TOO_LARGE);
    read_repeated(HEADERS_200 "a: ", "a value without end ", 4000, "", SCALEKIT_ERR_TOO_LARGE);
}

static void limits_the_fields(void)
{
    read_repeated(HEADERS_200 "content-length: 0\r\n", "a: b\r\n", 255, "\r\n", SCALEKIT_OK);
    read_repeated(HEADERS_200 "content-length: 0\r\n", "a: b\r\n", 256, "\r\n",
                  SCALEKIT_ERR_TOO_LARGE);
}

static void limits_informational_responses(void)
{
    const char *line = "HTTP/1.1 102 Processing\r\n\r\n";

    read_repeated("", line, 16, HEADERS_200 "content-length: 0\r\n\r\n", SCALEKIT_OK);
    read_repeated("", line, 17, HEADERS_200 "content-length: 0\r\n\r\n", SCALEKIT_ERR_PROTOCOL);
}

static void limits_chunk_lines_and_trailers(void)
{
    const char *begin = HEADERS_200 "transfer-encoding: chunked\r\n\r\n0";

    read_repeated(begin, ";", 253, "\r\n\r\n", SCALEKIT_OK);
    read_repeated(begin, ";", 254, "\r\n\r\n", SCALEKIT_ERR_PROTOCOL);
    read_repeated(begin, ";", 3000, "", SCALEKIT_ERR_PROTOCOL);
    read_repeated(HEADERS_200 "transfer-encoding: chunked\r\n\r\n0\r\n", long_field(), 60, "\r\n",
                  SCALEKIT_OK);
    read_repeated(HEADERS_200 "transfer-encoding: chunked\r\n\r\n0\r\n", long_field(), 64, "\r\n",
                  SCALEKIT_ERR_TOO_LARGE);
}

/* --- more than one ----------------------------------------------------------------------------- */

static void reads_one_after_the_other(void)
{
    static const char both[] = HEADERS_200
        "A: b\r\nConnection: close\r\nContent-Length: 1\r\n\r\naHTTP/1.1 202 OK\r\n\r\nb";
    struct reading reading;

    reading_begin(&reading, NULL, "HEAD", MAX_BODY);
    reading.exchange.method = "GET";
    ski_h1_begin(&reading.h1, &reading.exchange);
    give(&reading, both, sizeof both - 1);
    CU_ASSERT_EQUAL(reading.h1.state, SKI_H1_DONE);
    CU_ASSERT_EQUAL(ski_h1_read(&reading.h1, "x", 1, &reading.failure), 0);
    CU_ASSERT_TRUE(ski_h1_end(&reading.h1, false, &reading.failure));

    reading.exchange.method = "HEAD";
    ski_exchange_reset(&reading.exchange);
    ski_h1_begin(&reading.h1, &reading.exchange);
    give(&reading, both + reading.used, sizeof both - 1 - reading.used);
    CU_ASSERT_EQUAL(reading.h1.state, SKI_H1_DONE);
    CU_ASSERT_EQUAL(reading.exchange.status, 202);
    CU_ASSERT_EQUAL(reading.exchange.answer_headers.count, 0);
    CU_ASSERT_TRUE(reading.h1.keep_alive);
    CU_ASSERT_EQUAL(reading.used, sizeof both - 2);
    reading_end(&reading);
}

static void says_where_it_ended(void)
{
    struct reading reading;

    reading_begin(&reading, NULL, "GET", MAX_BODY);
    CU_ASSERT_FALSE(ski_h1_end(&reading.h1, true, &reading.failure));
    CU_ASSERT_EQUAL(reading.failure.phase, SCALEKIT_PHASE_WAIT);
    CU_ASSERT_STRING_EQUAL(reading.failure.text, "connection closed before an answer");

    ski_h1_begin(&reading.h1, &reading.exchange);
    give(&reading, "H", 1);
    CU_ASSERT_FALSE(ski_h1_end(&reading.h1, true, &reading.failure));
    CU_ASSERT_EQUAL(reading.failure.phase, SCALEKIT_PHASE_RECEIVE);
    reading_end(&reading);
}

static bool read_all_rows(struct test_memory *memory, void *user)
{
    bool through = true;

    (void)user;
    for (size_t i = 0; i < N_ROWS && through; i++) {
        struct reading reading;

        reading_begin(&reading, &memory->allocator, rows[i].head ? "HEAD" : "GET", MAX_BODY);
        for (size_t at = 0; at < rows[i].length; at += 20)
            give(&reading, rows[i].bytes + at, rows[i].length - at < 20 ? rows[i].length - at : 20);
        through = reading.failure.code != SCALEKIT_ERR_NOMEM;
        CU_ASSERT(through || reading.h1.state == SKI_H1_FAILED);
        reading_end(&reading);
    }
    return through;
}

static void survives_lack_of_memory(void)
{
    CU_ASSERT(test_every_allocation(read_all_rows, NULL) > 100);
}

/* --- writing ----------------------------------------------------------------------------------- */

static const struct request_row {
    const char *promise, *method, *target, *body;
    const char *name, *value; /* of a header; NULL: none */
    const char *wire;         /* NULL: it must be refused */
} request_rows[] = {
    {"a GET", "GET", "/api/v1?a=b", NULL, NULL, NULL,
     "GET /api/v1?a=b HTTP/1.1\r\nhost: h:1\r\n\r\n"},
    {"a GET with a header", "GET", "/", NULL, "accept", "*/*",
     "GET / HTTP/1.1\r\nhost: h:1\r\naccept: */*\r\n\r\n"},
    {"a GET with a body", "GET", "/", "{}", NULL, NULL,
     "GET / HTTP/1.1\r\nhost: h:1\r\ncontent-length: 2\r\n\r\n{}"},
    {"a POST with a body", "POST", "/", "{}", "authorization", "Bearer t",
     "POST / HTTP/1.1\r\nhost: h:1\r\nauthorization: Bearer t\r\ncontent-length: 2\r\n\r\n{}"},
    {"a POST without", "POST", "/", NULL, NULL, NULL,
     "POST / HTTP/1.1\r\nhost: h:1\r\ncontent-length: 0\r\n\r\n"},
    {"a PUT without", "PUT", "/", NULL, NULL, NULL,
     "PUT / HTTP/1.1\r\nhost: h:1\r\ncontent-length: 0\r\n\r\n"},
    {"a PATCH with an empty body", "PATCH", "/", "", NULL, NULL,
     "PATCH / HTTP/1.1\r\nhost: h:1\r\ncontent-length: 0\r\n\r\n"},
    {"a DELETE", "DELETE", "/", NULL, NULL, NULL, "DELETE / HTTP/1.1\r\nhost: h:1\r\n\r\n"},
    {"a value beyond ASCII", "GET", "/", NULL, "x", "\xc3\xa4\t!",
     "GET / HTTP/1.1\r\nhost: h:1\r\nx: \xc3\xa4\t!\r\n\r\n"},
    {"no method with a space", "GET /x", "/", NULL, NULL, NULL, NULL},
    {"no empty method", "", "/", NULL, NULL, NULL, NULL},
    {"no target with a space", "GET", "/a b", NULL, NULL, NULL, NULL},
    {"no target with a line end", "GET", "/a\r\nx: y", NULL, NULL, NULL, NULL},
    {"no target beyond ASCII", "GET", "/\xc3\xa4", NULL, NULL, NULL, NULL},
    {"no target without a slash", "GET", "http://h/", NULL, NULL, NULL, NULL},
    {"no empty target", "GET", "", NULL, NULL, NULL, NULL},
    {"no name with a colon", "GET", "/", NULL, "a:", "b", NULL},
    {"no empty name", "GET", "/", NULL, "", "b", NULL},
    {"no name with a line end", "GET", "/", NULL, "a\n", "b", NULL},
    {"no value with CR LF", "GET", "/", NULL, "a", "b\r\nc: d", NULL},
    {"no value with LF", "GET", "/", NULL, "a", "b\nc", NULL},
};

static void set_request(struct ski_exchange *exchange, const struct request_row *row)
{
    exchange->method = row->method;
    exchange->target = row->target;
    exchange->body = row->body;
    exchange->body_length = row->body ? strlen(row->body) : 0;
    if (row->name)
        exchange->headers[exchange->n_headers++] = SKI_HEADER(row->name, row->value);
}

static void writes_requests(void)
{
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    for (size_t i = 0; i < sizeof request_rows / sizeof *request_rows; i++) {
        const struct request_row *row = &request_rows[i];
        const struct row named = {.promise = row->promise};
        struct ski_exchange exchange;
        struct ski_buf out;
        scalekit_err err;

        ski_exchange_init(&exchange, &mem, 0);
        ski_buf_init(&out, &mem, 4096);
        set_request(&exchange, row);
        err = ski_h1_write_request(&out, &exchange, "h:1");
        EXPECT(&named, err == (row->wire ? SCALEKIT_OK : SCALEKIT_ERR_INVALID));
        EXPECT(&named, strcmp(ski_buf_text(&out), row->wire ? row->wire : "") == 0);
        ski_buf_free(&out);
        ski_exchange_free(&exchange);
    }
}

static bool write_one(struct test_memory *memory, void *user)
{
    struct ski_exchange exchange;
    struct ski_buf out;
    struct ski_mem mem;
    scalekit_err err;

    ski_mem_init(&mem, &memory->allocator);
    ski_exchange_init(&exchange, &mem, 0);
    ski_buf_init(&out, &mem, 4096);
    exchange.method = "POST";
    exchange.target = "/";
    exchange.body = user;
    exchange.body_length = strlen(user);
    err = ski_h1_write_request(&out, &exchange, "h");
    CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
    ski_buf_free(&out);
    return err == SCALEKIT_OK;
}

static void survives_lack_of_memory_when_writing(void)
{
    char body[2000];
    struct ski_exchange exchange;
    struct ski_mem mem;
    struct ski_buf out;

    memset(body, 'x', sizeof body);
    body[sizeof body - 1] = '\0';
    CU_ASSERT_EQUAL(test_every_allocation(write_one, body), 3);

    ski_mem_init(&mem, NULL);
    ski_exchange_init(&exchange, &mem, 0);
    exchange.method = "GET";
    exchange.target = "/";
    ski_buf_init(&out, &mem, 10);
    CU_ASSERT_EQUAL(ski_h1_write_request(&out, &exchange, "h"), SCALEKIT_ERR_TOO_LARGE);
    ski_buf_free(&out);
}

SUITE(h1, {"reads every answer whole", reads_whole}, {"byte by byte", reads_byte_by_byte},
      {"and in random pieces", reads_in_random_pieces}, {"limits the header", limits_the_header},
      {"limits the number of fields", limits_the_fields},
      {"limits informational responses", limits_informational_responses},
      {"limits chunk lines and trailers", limits_chunk_lines_and_trailers},
      {"reads one answer after the other", reads_one_after_the_other},
      {"says where the connection ended", says_where_it_ended},
      {"survives every lack of memory", survives_lack_of_memory},
      {"writes requests, and nothing that may not be sent", writes_requests},
      {"survives every lack of memory when writing", survives_lack_of_memory_when_writing})
