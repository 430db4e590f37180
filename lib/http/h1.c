/* h1.c - reading is a state machine over whole lines and runs of body bytes.
 *
 * A line that lies whole inside the bytes given is read where it is; only a line cut by the end of
 * them is gathered in `line`.  Limits are checked before anything is gathered, so that the answer to
 * "is it too long" does not depend on how the bytes were cut.  Every character that may be sent is
 * checked: that alone keeps out NUL, a CR within a line, and white space before a colon or at the
 * start of a line (obs-fold), on which proxies and servers are known to disagree. */
#include "http/h1.h"
#include "http/transfer.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_CHUNK_LINE    256
#define MAX_INFORMATIONAL 16

/* --- writing ----------------------------------------------------------------------------------- */

static void write_fields(struct ski_buf *out, const struct ski_header *headers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ski_buf_adds(out, "\r\n");
        ski_buf_add(out, headers[i].name.at, headers[i].name.length);
        ski_buf_adds(out, ": ");
        ski_buf_add(out, headers[i].value.at, headers[i].value.length);
    }
}

scalekit_err ski_h1_write_request(struct ski_buf *out, const struct ski_exchange *exchange,
                                  const char *authority)
{
    uint64_t length;

    if (!ski_exchange_valid(exchange))
        return SCALEKIT_ERR_INVALID;

    ski_buf_adds(out, exchange->method);
    ski_buf_addc(out, ' ');
    ski_buf_adds(out, exchange->target);
    ski_buf_adds(out, " HTTP/1.1\r\nhost: ");
    ski_buf_adds(out, authority);
    write_fields(out, exchange->headers, exchange->n_headers);
    write_fields(out, exchange->more_headers, exchange->n_more_headers);
    if (ski_exchange_length(exchange, &length))
        ski_buf_addf(out, "\r\ncontent-length: %" PRIu64, length);
    else if (ski_exchange_streams_up(exchange))
        ski_buf_adds(out, "\r\ntransfer-encoding: chunked");
    ski_buf_adds(out, "\r\n\r\n");
    if (exchange->body)
        ski_buf_add(out, exchange->body, exchange->body_length);

    if (out->failed)
        return out->failed == SKI_BUF_NOMEM ? SCALEKIT_ERR_NOMEM : SCALEKIT_ERR_TOO_LARGE;
    return SCALEKIT_OK;
}

/* --- failing ----------------------------------------------------------------------------------- */

static void fail(struct ski_h1 *h1, struct ski_failure *failure, scalekit_err code,
                 const char *text)
{
    h1->state = SKI_H1_FAILED;
    ski_fail(failure, code, SCALEKIT_PHASE_RECEIVE, "%s", text);
}

static void fail_protocol(struct ski_h1 *h1, struct ski_failure *failure, const char *text)
{
    fail(h1, failure, SCALEKIT_ERR_PROTOCOL, text);
}

/* A buffer refused; `text` is for one that was full. */
static void fail_buf(struct ski_h1 *h1, struct ski_failure *failure, enum ski_buf_failure why,
                     const char *text)
{
    if (why == SKI_BUF_NOMEM)
        fail(h1, failure, SCALEKIT_ERR_NOMEM, "out of memory for the answer");
    else
        fail(h1, failure, SCALEKIT_ERR_TOO_LARGE, text);
}

static const char body_too_large[] = "the answer is larger than its limit";
static const char headers_too_large[] = "the answer's header is larger than its limit";

/* --- the fields that decide where the body ends ------------------------------------------------ */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the next element off a comma-separated list. */
static bool next_element(struct ski_slice *list, struct ski_slice *element)
{
    const char *comma;

    if (!list->at)
        return false;
    comma = memchr(list->at, ',', list->length);
    element->at = list->at;
    element->length = comma ? (size_t)(comma - list->at) : list->length;
    list->length -= element->length + (comma != NULL);
    list->at = comma ? comma + 1 : NULL;
    *element = ski_slice_trim(*element);
    return true;
}

/* "5", and "5, 5" as a proxy might have joined it. */
static void read_content_length(struct ski_h1 *h1, struct ski_slice value,
                                struct ski_failure *failure)
{
    struct ski_slice element;
    uint64_t length;

    while (next_element(&value, &element)) {
        if (!ski_parse_u64(element, &length)) {
            fail_protocol(h1, failure, "the answer's content-length is not a number");
            return;
        }
        if (h1->has_length && length != h1->remaining) {
            fail_protocol(h1, failure, "the answer has several content-lengths");
            return;
        }
        h1->has_length = true;
        h1->remaining = length;
    }
}

static void read_transfer_encoding(struct ski_h1 *h1, struct ski_slice value,
                                   struct ski_failure *failure)
{
    if (h1->chunked || h1->http_1_0 || !ski_slice_ieq(value, "chunked")) {
        fail_protocol(h1, failure, "the answer has a transfer-encoding other than chunked");
        return;
    }
    h1->chunked = true;
}

static void read_connection(struct ski_h1 *h1, struct ski_slice value)
{
    struct ski_slice element;

    while (next_element(&value, &element)) {
        if (ski_slice_ieq(element, "close"))
            h1->close = true;
        else if (ski_slice_ieq(element, "keep-alive"))
            h1->keep_alive = true;
    }
}

/* --- lines ------------------------------------------------------------------------------------- */

static void read_status_line(struct ski_h1 *h1, struct ski_slice line, struct ski_failure *failure)
{
    const char *at = line.at;
    int status;

    if (line.length < 12 || memcmp(at, "HTTP/1.", 7) != 0 || !is_digit(at[7]) || at[8] != ' ' ||
        !is_digit(at[9]) || !is_digit(at[10]) || !is_digit(at[11]) ||
        (line.length > 12 && at[12] != ' ') || !ski_header_value_valid(line)) {
        fail_protocol(h1, failure, "the answer does not begin with an HTTP/1.1 status line");
        return;
    }
    status = (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
    if (status < 100 || status == 101) {
        fail_protocol(h1, failure, "the answer's status makes no sense");
        return;
    }
    if (status < 200 && ++h1->informational > MAX_INFORMATIONAL) {
        fail_protocol(h1, failure, "the server sent too many informational responses");
        return;
    }
    h1->exchange->status = status;
    h1->http_1_0 = at[7] == '0';
    h1->chunked = h1->has_length = h1->close = h1->keep_alive = false;
    h1->remaining = 0;
    h1->state = SKI_H1_HEADERS;
}

/* Splits and checks "name: value". */
static bool split_field(struct ski_h1 *h1, struct ski_slice line, struct ski_slice *name,
                        struct ski_slice *value, struct ski_failure *failure)
{
    const char *colon = memchr(line.at, ':', line.length);

    *name = (struct ski_slice){line.at, colon ? (size_t)(colon - line.at) : 0};
    *value = (struct ski_slice){line.at + name->length, line.length - name->length};
    if (!ski_header_name_valid(*name) || !ski_header_value_valid(*value)) {
        fail_protocol(h1, failure, "the answer has a malformed header line");
        return false;
    }
    value->at++;
    value->length--;
    *value = ski_slice_trim(*value);
    return true;
}

/* Most fields are of no interest, and most have another length. */
#define NAMED(name, text) ((name).length == sizeof(text) - 1 && ski_slice_ieq(name, text))

static void read_field(struct ski_h1 *h1, struct ski_slice line, struct ski_failure *failure)
{
    struct ski_slice name, value;
    enum ski_buf_failure added;

    if (!split_field(h1, line, &name, &value, failure))
        return;
    added = ski_headers_add(&h1->exchange->answer_headers, name, value);
    if (added)
        fail_buf(h1, failure, added, headers_too_large);
    else if (NAMED(name, "content-length"))
        read_content_length(h1, value, failure);
    else if (NAMED(name, "transfer-encoding"))
        read_transfer_encoding(h1, value, failure);
    else if (NAMED(name, "connection"))
        read_connection(h1, value);
}

/* Makes room for a body of known length, unless it is passed on in pieces. */
static void expect_body(struct ski_h1 *h1, struct ski_failure *failure)
{
    struct ski_exchange *exchange = h1->exchange;

    h1->state = SKI_H1_BODY_LENGTH;
    if (ski_transfer_passes_on(exchange))
        return;
    if (h1->remaining > exchange->max_body)
        fail(h1, failure, SCALEKIT_ERR_TOO_LARGE, body_too_large);
    else if (!ski_buf_reserve(&exchange->answer, (size_t)h1->remaining))
        fail_buf(h1, failure, exchange->answer.failed, body_too_large);
}

/* The line after the last field: what follows is decided here, once. */
static void end_headers(struct ski_h1 *h1, struct ski_failure *failure)
{
    struct ski_exchange *exchange = h1->exchange;

    if (h1->chunked && h1->has_length) {
        fail_protocol(h1, failure, "the answer has both a content-length and a transfer-encoding");
        return;
    }
    if (exchange->status < 200) {
        ski_exchange_reset(exchange);
        h1->state = SKI_H1_STATUS_LINE;
        return;
    }
    h1->keep_alive = !h1->close && (!h1->http_1_0 || h1->keep_alive);
    if (h1->head || exchange->status == 204 || exchange->status == 304) {
        h1->state = SKI_H1_DONE;
    } else if (h1->chunked) {
        h1->state = SKI_H1_CHUNK_SIZE;
    } else if (!h1->has_length) {
        h1->keep_alive = false;
        h1->state = SKI_H1_BODY_CLOSE;
    } else if (h1->remaining == 0) {
        h1->state = SKI_H1_DONE;
    } else {
        expect_body(h1, failure);
    }
    if (exchange->transfer)
        exchange->transfer->head = true;
}

/* The value of a hexadecimal digit; -1 for any other character. */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = ski_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1f" or "1f;name=value". */
static void read_chunk_size(struct ski_h1 *h1, struct ski_slice line, struct ski_failure *failure)
{
    const struct ski_exchange *exchange = h1->exchange;
    struct ski_slice extension;
    uint64_t size = 0;
    size_t digits;

    for (digits = 0; digits < line.length && hex_value(line.at[digits]) >= 0; digits++) {
        if (size >> 60) {
            fail(h1, failure, SCALEKIT_ERR_TOO_LARGE, body_too_large);
            return;
        }
        size = size * 16 + (uint64_t)hex_value(line.at[digits]);
    }
    extension = ski_slice_trim((struct ski_slice){line.at + digits, line.length - digits});
    if (digits == 0 || (digits < line.length && (extension.length == 0 || *extension.at != ';')) ||
        !ski_header_value_valid((struct ski_slice){line.at + digits, line.length - digits})) {
        fail_protocol(h1, failure, "the answer has a malformed chunk size");
        return;
    }
    if (!ski_transfer_passes_on(exchange) && size > exchange->max_body - exchange->answer.length) {
        fail(h1, failure, SCALEKIT_ERR_TOO_LARGE, body_too_large);
        return;
    }
    h1->remaining = size;
    h1->state = size > 0 ? SKI_H1_CHUNK_DATA : SKI_H1_TRAILERS;
}

/* Trailers are checked and dropped: nothing may change its mind after the body. */
static void read_trailer(struct ski_h1 *h1, struct ski_slice line, struct ski_failure *failure)
{
    struct ski_slice name, value;

    if (line.length == 0)
        h1->state = SKI_H1_DONE;
    else
        split_field(h1, line, &name, &value, failure);
}

/* A whole line, its LF included. */
static void read_line(struct ski_h1 *h1, struct ski_slice line, struct ski_failure *failure)
{
    if (line.length < 2 || line.at[line.length - 2] != '\r') {
        fail_protocol(h1, failure, "the answer has a line that does not end in CR LF");
        return;
    }
    if (h1->state != SKI_H1_CHUNK_SIZE && h1->state != SKI_H1_CHUNK_END)
        h1->header_bytes += line.length;
    line.length -= 2;

    switch (h1->state) {
    case SKI_H1_STATUS_LINE:
        read_status_line(h1, line, failure);
        break;
    case SKI_H1_HEADERS:
        if (line.length == 0)
            end_headers(h1, failure);
        else
            read_field(h1, line, failure);
        break;
    case SKI_H1_CHUNK_SIZE:
        read_chunk_size(h1, line, failure);
        break;
    case SKI_H1_CHUNK_END:
        h1->state = SKI_H1_CHUNK_SIZE;
        break;
    default:
        read_trailer(h1, line, failure);
    }
}

/* How many bytes the line under way may have at most. */
static size_t line_limit(const struct ski_h1 *h1)
{
    if (h1->state == SKI_H1_CHUNK_SIZE)
        return MAX_CHUNK_LINE;
    if (h1->state == SKI_H1_CHUNK_END)
        return 2;
    return SKI_MAX_HEADER_BYTES - h1->header_bytes;
}

/* Takes bytes up to the end of the line, and reads it when that has come. */
static size_t take_line(struct ski_h1 *h1, const char *bytes, size_t length,
                        struct ski_failure *failure)
{
    const char *lf = memchr(bytes, '\n', length);
    size_t taken = lf ? (size_t)(lf - bytes) + 1 : length;
    struct ski_slice line = {bytes, taken};

    if (taken > line_limit(h1) - h1->line.length) {
        if (h1->state == SKI_H1_CHUNK_SIZE || h1->state == SKI_H1_CHUNK_END)
            fail_protocol(h1, failure, "the answer has a chunk that does not end where it should");
        else
            fail(h1, failure, SCALEKIT_ERR_TOO_LARGE, headers_too_large);
        return taken;
    }
    if (!lf || h1->line.length > 0) {
        ski_buf_add(&h1->line, bytes, taken);
        if (h1->line.failed) {
            fail_buf(h1, failure, h1->line.failed, headers_too_large);
            return taken;
        }
        line = (struct ski_slice){h1->line.data, h1->line.length};
    }
    if (lf) {
        read_line(h1, line, failure);
        if (h1->line.length > 0)
            ski_buf_clear(&h1->line);
    }
    return taken;
}

/* --- bodies ------------------------------------------------------------------------------------ */

static void add_body(struct ski_h1 *h1, const char *bytes, size_t length,
                     struct ski_failure *failure)
{
    struct ski_buf *answer = &h1->exchange->answer;

    ski_buf_add(answer, bytes, length);
    if (answer->failed)
        fail_buf(h1, failure, answer->failed, body_too_large);
}

/* Takes bytes of a body or chunk whose size is known. */
static size_t take_counted(struct ski_h1 *h1, const char *bytes, size_t length,
                           struct ski_failure *failure)
{
    size_t taken = length < h1->remaining ? length : (size_t)h1->remaining;

    h1->remaining -= taken;
    if (h1->remaining == 0)
        h1->state = h1->state == SKI_H1_BODY_LENGTH ? SKI_H1_DONE : SKI_H1_CHUNK_END;
    add_body(h1, bytes, taken, failure);
    return taken;
}

/* --- the outside ------------------------------------------------------------------------------- */

void ski_h1_init(struct ski_h1 *h1, const struct ski_mem *mem)
{
    *h1 = (struct ski_h1){.state = SKI_H1_DONE};
    ski_buf_init(&h1->line, mem, SKI_MAX_HEADER_BYTES);
}

void ski_h1_free(struct ski_h1 *h1)
{
    ski_buf_free(&h1->line);
}

void ski_h1_begin(struct ski_h1 *h1, struct ski_exchange *exchange)
{
    h1->exchange = exchange;
    h1->state = SKI_H1_STATUS_LINE;
    h1->header_bytes = 0;
    h1->informational = 0;
    h1->head = strcmp(exchange->method, "HEAD") == 0;
    h1->keep_alive = false;
    ski_buf_clear(&h1->line);
}

size_t ski_h1_read(struct ski_h1 *h1, const char *bytes, size_t length, struct ski_failure *failure)
{
    size_t used = 0;

    while (used < length && h1->state != SKI_H1_DONE && h1->state != SKI_H1_FAILED) {
        const char *at = bytes + used;
        size_t left = length - used;

        switch (h1->state) {
        case SKI_H1_BODY_LENGTH:
        case SKI_H1_CHUNK_DATA:
            used += take_counted(h1, at, left, failure);
            break;
        case SKI_H1_BODY_CLOSE:
            used += left;
            add_body(h1, at, left, failure);
            break;
        default:
            used += take_line(h1, at, left, failure);
        }
    }
    return used;
}

bool ski_h1_end(struct ski_h1 *h1, bool clean, struct ski_failure *failure)
{
    bool nothing_came = h1->state == SKI_H1_STATUS_LINE && h1->header_bytes + h1->line.length == 0;

    if (h1->state == SKI_H1_BODY_CLOSE && clean)
        h1->state = SKI_H1_DONE;
    if (h1->state == SKI_H1_DONE)
        return true;

    h1->state = SKI_H1_FAILED;
    if (nothing_came)
        ski_fail(failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_WAIT,
                 "connection closed before an answer");
    else
        ski_fail(failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_RECEIVE,
                 "connection closed before the answer was complete");
    return false;
}
