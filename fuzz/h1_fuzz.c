/* h1_fuzz.c - a connection full of responses, read whole, in pieces, and with bodies passed on.
 *
 * The first byte chooses how the rest is cut, whether it answers HEAD, and how the connection ends.
 * However it is cut, and whoever gathers the body, the same must come of it.  A response must be
 * complete with its last byte, and not before. */
#include "http/h1.h"
#include "http/transfer.h"
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
    struct ski_transfer transfer;
    bool streams;
    struct ski_buf body; /* what was passed on, when it streams */
    struct ski_h1 h1;
    struct ski_failure failure;
    size_t used; /* by the response under way */
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void reader_init(struct reader *reader, uint8_t choice, bool streams)
{
    memset(reader, 0, sizeof *reader);
    ski_mem_init(&reader->mem, NULL);
    ski_exchange_init(&reader->exchange, &reader->mem, streams ? SIZE_MAX / 4 : MAX_BODY);
    ski_buf_init(&reader->body, &reader->mem, MAX_TRANSCRIPT);
    reader->streams = streams;
    if (streams) {
        ski_transfer_init(&reader->transfer, &reader->mem);
        reader->transfer.down = true;
        reader->exchange.transfer = &reader->transfer;
    }
    reader->exchange.method = choice & HEAD_BIT ? "HEAD" : "GET";
    ski_h1_init(&reader->h1, &reader->mem);
    ski_h1_begin(&reader->h1, &reader->exchange);
}

static void reader_free(struct reader *reader)
{
    ski_h1_free(&reader->h1);
    ski_exchange_free(&reader->exchange);
    ski_buf_free(&reader->body);
}

/* What an owner does between two reads. */
static void pass_on(struct reader *reader)
{
    struct ski_buf *answer = &reader->exchange.answer;

    require(reader->transfer.head || answer->length == 0);
    ski_buf_add(&reader->body, answer->data, answer->length);
    ski_buf_clear(answer);
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
    if (reader->streams)
        pass_on(reader);
    return used;
}

/* --- what came of it --------------------------------------------------------------------------- */

static void note_response(struct ski_buf *transcript, struct reader *reader)
{
    const struct ski_exchange *exchange = &reader->exchange;
    const struct ski_buf *body = reader->streams ? &reader->body : &exchange->answer;

    require(exchange->status >= 200 && exchange->status <= 999);
    require(reader->streams || body->length <= MAX_BODY);
    require(exchange->answer_headers.count <= SKI_MAX_HEADERS);
    ski_buf_addf(transcript, "%d %d %zu %zu %zu\n", exchange->status, reader->h1.keep_alive,
                 reader->used, exchange->answer_headers.block.length, body->length);
    ski_buf_add(transcript, exchange->answer_headers.block.data,
                exchange->answer_headers.block.length);
    ski_buf_add(transcript, body->data, body->length);
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

    reader_init(&reader, choice, false);
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
static void read_all(struct ski_buf *transcript, const struct input *input, uint32_t *dice,
                     bool streams)
{
    struct reader reader;
    size_t at = 0;

    reader_init(&reader, input->choice, streams);
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
        ski_transfer_reset(&reader.transfer);
        ski_buf_clear(&reader.body);
        ski_h1_begin(&reader.h1, &reader.exchange);
        reader.used = 0;
    }
    note_end(transcript, &reader, input->choice);
    reader_free(&reader);
}

static bool is_same(const struct ski_buf *a, const struct ski_buf *b)
{
    require(a->failed == SKI_BUF_OK && b->failed == SKI_BUF_OK);
    return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

/* A body that is passed on has no limit. */
static bool was_too_large(const struct ski_buf *transcript)
{
    static const char name[] = "SCALEKIT_ERR_TOO_LARGE";

    return memmem(transcript->data, transcript->length, name, sizeof name - 1) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ski_buf transcripts[3];
    struct input input;
    struct ski_mem mem;
    uint32_t dice;

    if (size < 1)
        return 0;
    input = (struct input){(const char *)data + 1, size - 1, data[0]};
    ski_mem_init(&mem, NULL);
    for (int i = 0; i < 3; i++) {
        dice = input.choice & CUT_BITS;
        ski_buf_init(&transcripts[i], &mem, MAX_TRANSCRIPT);
        read_all(&transcripts[i], &input, i > 0 ? &dice : NULL, i == 2);
    }
    require(is_same(&transcripts[0], &transcripts[1]));
    require(is_same(&transcripts[0], &transcripts[2]) || was_too_large(&transcripts[0]));
    for (int i = 0; i < 3; i++)
        ski_buf_free(&transcripts[i]);
    return 0;
}
