/* h1_fuzz.c - a connection full of responses, read whole and in pieces.
 *
 * The first byte chooses how the rest is cut, whether it answers HEAD, and how the connection ends.
 * However it is cut, the same must come of it.  A response must be complete with its last byte, and
 * not before. */
#include "http/h1.h"
#include <stdlib.h>
#include <string.h>

#define MAX_BODY       4096
#define MAX_TRANSCRIPT ((size_t)64 << 20)

#define HEAD_BIT       0x80
#define CLEAN_BIT      0x40
#define CUT_BITS       0x3f

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *bytes;
    size_t length;
    uint8_t choice;
};

struct reader {
    struct ski_mem mem;
    struct ski_exchange exchange;
    struct ski_h1 h1;
    struct ski_failure failure;
    size_t used; /* by the response under way */
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void reader_init(struct reader *reader, uint8_t choice)
{
    memset(reader, 0, sizeof *reader);
    ski_mem_init(&reader->mem, NULL);
    ski_exchange_init(&reader->exchange, &reader->mem, MAX_BODY);
    reader->exchange.method = choice & HEAD_BIT ? "HEAD" : "GET";
    ski_h1_init(&reader->h1, &reader->mem);
    ski_h1_begin(&reader->h1, &reader->exchange);
}

static void reader_free(struct reader *reader)
{
    ski_h1_free(&reader->h1);
    ski_exchange_free(&reader->exchange);
}

/* Reads a piece from memory of just its size, so that a step beyond it is seen. */
static size_t read_piece(struct reader *reader, const char *bytes, size_t length)
{
    char *piece = malloc(length);
    size_t used;

    require(piece != NULL);
    memcpy(piece, bytes, length);
    used = ski_h1_read(&reader->h1, piece, length, &reader->failure);
    free(piece);
    require(used <= length);
    reader->used += used;
    return used;
}

/* --- what came of it --------------------------------------------------------------------------- */

static void note_response(struct ski_buf *transcript, struct reader *reader)
{
    const struct ski_exchange *exchange = &reader->exchange;

    require(exchange->status >= 200 && exchange->status <= 999);
    require(exchange->answer.length <= MAX_BODY);
    require(exchange->answer_headers.count <= SKI_MAX_HEADERS);
    ski_buf_addf(transcript, "%d %d %zu %zu %zu\n", exchange->status, reader->h1.keep_alive,
                 reader->used, exchange->answer_headers.block.length, exchange->answer.length);
    ski_buf_add(transcript, exchange->answer_headers.block.data,
                exchange->answer_headers.block.length);
    ski_buf_add(transcript, exchange->answer.data, exchange->answer.length);
}

/* How it ended, when it did not end with its last byte. */
static void note_end(struct ski_buf *transcript, struct reader *reader, uint8_t choice)
{
    bool failed = reader->h1.state == SKI_H1_FAILED;

    if (!failed && ski_h1_end(&reader->h1, choice & CLEAN_BIT, &reader->failure)) {
        require(!reader->h1.keep_alive);
        note_response(transcript, reader);
        return;
    }
    require(reader->failure.code != SCALEKIT_OK && reader->failure.text[0]);
    ski_buf_addf(transcript, "%s %s\n", scalekit_err_name(reader->failure.code),
                 reader->failure.text);
}

/* A response is complete with its last byte, and not before. */
static void check_extent(const char *bytes, size_t length, uint8_t choice)
{
    struct reader reader;

    reader_init(&reader, choice);
    require(read_piece(&reader, bytes, length - 1) == length - 1);
    require(reader.h1.state != SKI_H1_DONE && reader.h1.state != SKI_H1_FAILED);
    require(read_piece(&reader, bytes + length - 1, 1) == 1);
    require(reader.h1.state == SKI_H1_DONE);
    reader_free(&reader);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Sizes that repeat for the same choice: small, and now and then large. */
static size_t next_size(uint32_t *dice)
{
    *dice = *dice * 1664525 + 1013904223;
    return 1 + (*dice >> 24) % (*dice >> 31 ? 4 : 100);
}

/* Reads response after response, each piece cut from the rest by `dice`; NULL: all at once. */
static void read_all(struct ski_buf *transcript, const struct input *input, uint32_t *dice)
{
    struct reader reader;
    size_t at = 0;

    reader_init(&reader, input->choice);
    while (at < input->length && reader.h1.state != SKI_H1_FAILED) {
        size_t piece = dice ? next_size(dice) : input->length;

        if (piece > input->length - at)
            piece = input->length - at;
        at += read_piece(&reader, input->bytes + at, piece);
        if (reader.h1.state != SKI_H1_DONE)
            continue;
        note_response(transcript, &reader);
        if (!dice)
            check_extent(input->bytes + at - reader.used, reader.used, input->choice);
        require(ski_h1_read(&reader.h1, "x", 1, &reader.failure) == 0);
        ski_exchange_reset(&reader.exchange);
        ski_h1_begin(&reader.h1, &reader.exchange);
        reader.used = 0;
    }
    note_end(transcript, &reader, input->choice);
    reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;
    struct ski_buf whole, pieces;
    struct ski_mem mem;
    uint32_t dice;

    if (size < 1)
        return 0;
    input = (struct input){(const char *)data + 1, size - 1, data[0]};
    dice = input.choice & CUT_BITS;
    ski_mem_init(&mem, NULL);
    ski_buf_init(&whole, &mem, MAX_TRANSCRIPT);
    ski_buf_init(&pieces, &mem, MAX_TRANSCRIPT);
    read_all(&whole, &input, NULL);
    read_all(&pieces, &input, &dice);
    require(whole.failed == SKI_BUF_OK && pieces.failed == SKI_BUF_OK);
    require(whole.length == pieces.length && memcmp(whole.data, pieces.data, whole.length) == 0);
    ski_buf_free(&whole);
    ski_buf_free(&pieces);
    return 0;
}
