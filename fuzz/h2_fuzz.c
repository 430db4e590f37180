/* h2_fuzz.c - what a server might send, while exchanges of several kinds are under way.
 *
 * The first byte chooses how the rest is cut, whether the greeting is given, and how it ends.
 * Whatever comes, each exchange is over once, within its limits, with a reason; or canceled, and
 * never heard of again. */
#include "http/h2.h"
#include <stdlib.h>
#include <string.h>

#define N_EXCHANGES 5

#define GREETED_BIT 0x80 /* SETTINGS come before the input */
#define BROKEN_BIT  0x40 /* the end is not in good order */
#define CUT_BITS    0x3f

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kind {
    const char *method;
    size_t body, max_answer;
    size_t canceled; /* when that much has been read; 0: never */
} kinds[N_EXCHANGES] = {
    {"GET", 0, 4096, 0}, {"POST", 70000, 4096, 0}, {"HEAD", 0, 4096, 0},
    {"GET", 0, 10, 0},   {"POST", 100, 4096, 60},
};

static char body[70000];

struct client {
    struct ski_mem mem;
    struct ski_h2 *h2;
    struct ski_exchange exchanges[N_EXCHANGES];
    unsigned started;
    bool gone[N_EXCHANGES]; /* over, or canceled */
    size_t read;
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void client_init(struct client *client)
{
    memset(client, 0, sizeof *client);
    ski_mem_init(&client->mem, NULL);
    client->h2 = ski_h2_new(&client->mem, true, "localhost");
    require(client->h2 != NULL);
    for (unsigned i = 0; i < N_EXCHANGES; i++) {
        struct ski_exchange *exchange = &client->exchanges[i];

        ski_exchange_init(exchange, &client->mem, kinds[i].max_answer);
        exchange->method = kinds[i].method;
        exchange->target = "/";
        exchange->headers[exchange->n_headers++] = SKI_HEADER("authorization", "Bearer t");
        exchange->body = kinds[i].body ? body : NULL;
        exchange->body_length = kinds[i].body;
    }
}

static void client_free(struct client *client)
{
    ski_h2_free(client->h2);
    for (unsigned i = 0; i < N_EXCHANGES; i++)
        ski_exchange_free(&client->exchanges[i]);
}

/* --- what comes of it -------------------------------------------------------------------------- */

static void check_end(const struct ski_exchange *exchange, enum ski_h2_end end,
                      const struct ski_failure *failure)
{
    require(exchange->answer.length <= exchange->max_body);
    require(exchange->answer_headers.count <= SKI_MAX_HEADERS);
    require(end >= SKI_H2_COMPLETE && end <= SKI_H2_LEFT_OUT);
    if (end == SKI_H2_COMPLETE)
        require(exchange->status >= 200 && exchange->status <= 999 && exchange->sent);
    else
        require(failure->code != SCALEKIT_OK && failure->text[0]);
    if (end == SKI_H2_REFUSED || end == SKI_H2_LEFT_OUT)
        require(!exchange->sent && exchange->status == 0);
}

static void collect(struct client *client)
{
    struct ski_exchange *exchange;
    struct ski_failure failure;
    enum ski_h2_end end;

    memset(&failure, 0, sizeof failure);
    while ((exchange = ski_h2_next_over(client->h2, 0, &end, &failure))) {
        size_t i = (size_t)(exchange - client->exchanges);

        require(i < client->started && !client->gone[i]);
        client->gone[i] = true;
        check_end(exchange, end, &failure);
        memset(&failure, 0, sizeof failure);
    }
}

/* --- the connection ---------------------------------------------------------------------------- */

static void write_all(struct client *client)
{
    const char *bytes;

    while (ski_h2_write(client->h2, &bytes) > 0)
        require(bytes != NULL);
}

static void cancel_some(struct client *client)
{
    for (unsigned i = 0; i < client->started; i++) {
        if (client->gone[i] || !kinds[i].canceled || client->read < kinds[i].canceled)
            continue;
        client->gone[i] = true;
        ski_h2_cancel(client->h2, &client->exchanges[i], 0);
        ski_exchange_free(&client->exchanges[i]);
        memset(&client->exchanges[i], 0xaa, sizeof client->exchanges[i]);
        ski_exchange_init(&client->exchanges[i], &client->mem, 0);
    }
}

/* Reads a piece from memory of just its size, so that a step beyond it is seen. */
static void read_piece(struct client *client, const uint8_t *bytes, size_t length)
{
    char *piece = malloc(length);

    require(piece != NULL);
    memcpy(piece, bytes, length);
    ski_h2_read(client->h2, piece, length);
    free(piece);
    client->read += length;
    cancel_some(client);
    while (client->started < N_EXCHANGES && ski_h2_room(client->h2) > 0) {
        struct ski_exchange *exchange = &client->exchanges[client->started++];

        exchange->phase = SCALEKIT_PHASE_SEND;
        ski_h2_start(client->h2, exchange);
    }
    write_all(client);
    collect(client);
}

/* Sizes that repeat for the same choice: small, and now and then large. */
static size_t next_size(uint32_t *dice)
{
    *dice = *dice * 1664525 + 1013904223;
    return 1 + (*dice >> 24) % (*dice >> 31 ? 12 : 100);
}

static void end(struct client *client, bool broken)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_NONE, "broken");
    ski_h2_lose(client->h2, broken ? &failure : NULL);
    collect(client);
    require(ski_h2_state(client->h2) == SKI_H2_FAILED);
    require(ski_h2_load(client->h2) == 0 && ski_h2_room(client->h2) == 0);
    for (unsigned i = 0; i < client->started; i++)
        require(client->gone[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t settings[9] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    struct client client;
    uint32_t dice;

    if (size < 1)
        return 0;
    dice = data[0] & CUT_BITS;
    client_init(&client);
    write_all(&client);
    if (data[0] & GREETED_BIT)
        read_piece(&client, settings, sizeof settings);
    for (size_t at = 1, piece; at < size; at += piece) {
        piece = dice ? next_size(&dice) : size;
        if (piece > size - at)
            piece = size - at;
        read_piece(&client, data + at, piece);
    }
    end(&client, data[0] & BROKEN_BIT);
    client_free(&client);
    return 0;
}
