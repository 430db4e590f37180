#include "duet.h"
#include <stdlib.h>

/* --- the two ------------------------------------------------------------------------------------ */

static void on_send(void *user, const void *bytes, size_t length)
{
    struct duet *duet = user;

    ski_buf_add(&duet->inbox, bytes, length);
    CU_ASSERT_FALSE(duet->inbox.failed);
}

static void on_end(void *user, enum h2_ending how)
{
    ((struct duet *)user)->ended = how;
}

bool duet_try_init(struct duet *duet, const struct h2_server_options *options,
                   const struct scalekit_allocator *allocator)
{
    struct h2_server_options own = *options;

    memset(duet, 0, sizeof *duet);
    ski_mem_init(&duet->mem, allocator);
    ski_mem_init(&duet->plain, NULL);
    ski_buf_init(&duet->inbox, &duet->plain, (size_t)64 << 20);
    own.counts = &duet->counts;
    duet->h2 = ski_h2_new(&duet->mem, true, "host:1");
    if (!duet->h2)
        return false;
    duet->server = h2_server_new(&own, &(struct h2_server_io){on_send, on_end, duet});
    h2_server_begin(duet->server);
    return true;
}

void duet_init(struct duet *duet, const struct h2_server_options *options)
{
    CU_ASSERT_FATAL(duet_try_init(duet, options, NULL));
    duet_pump(duet);
}

void duet_free(struct duet *duet)
{
    CU_ASSERT_EQUAL(duet->counts.invalid, 0);
    ski_h2_free(duet->h2);
    h2_server_free(duet->server);
    ski_buf_free(&duet->inbox);
}

bool duet_write(struct duet *duet)
{
    const char *bytes;
    size_t length;
    bool any = false;

    while ((length = ski_h2_write(duet->h2, &bytes)) > 0) {
        any = true;
        duet->written += length;
        h2_server_receive(duet->server, bytes, length);
    }
    return any;
}

/* From memory of just the piece's size, so that a step beyond it is seen. */
static bool read_piece(struct duet *duet)
{
    size_t length = duet->piece;
    char *bytes;

    if (duet->inbox.length == 0)
        return false;
    if (duet->dice)
        length = 1 + ski_clock_random(duet->dice) % 64;
    if (length == 0 || length > duet->inbox.length)
        length = duet->inbox.length;
    bytes = malloc(length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memcpy(bytes, duet->inbox.data, length);
    ski_buf_drop(&duet->inbox, length);
    ski_h2_read(duet->h2, bytes, length);
    free(bytes);
    return true;
}

void duet_collect(struct duet *duet, size_t unsent)
{
    struct ski_exchange *exchange;
    struct ski_failure failure;
    enum ski_h2_end end;

    memset(&failure, 0, sizeof failure);
    while ((exchange = ski_h2_next_over(duet->h2, unsent, &end, &failure))) {
        struct trip *trip = SKI_CONTAINER(exchange, struct trip, exchange);

        CU_ASSERT_FALSE(ski_list_linked(&exchange->link));
        trip->over++;
        trip->end = end;
        if (end == SKI_H2_COMPLETE)
            continue;
        trip->failure = failure;
        CU_ASSERT(failure.code != SCALEKIT_OK && failure.text[0]);
    }
}

void duet_pump(struct duet *duet)
{
    bool moved;

    do {
        moved = duet_write(duet);
        moved |= read_piece(duet);
    } while (moved);
    duet_collect(duet, 0);
}

void duet_finish(struct duet *duet)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NETWORK, SCALEKIT_PHASE_NONE, "the connection was cut");
    if (duet->ended || ski_h2_state(duet->h2) == SKI_H2_FAILED)
        ski_h2_lose(duet->h2, duet->ended == H2_CUT || duet->ended == H2_RESET ? &failure : NULL);
    duet_collect(duet, 0);
}

bool duet_lives(struct duet *duet)
{
    struct trip trip;
    bool alive = ski_h2_state(duet->h2) == SKI_H2_OPEN && ski_h2_room(duet->h2) > 0;

    if (!alive)
        return false;
    trip_init(&trip, duet, "/and-so-on");
    trip_start(&trip, duet);
    duet_pump(duet);
    alive = trip_hit(&trip);
    if (!trip.over)
        ski_h2_cancel(duet->h2, &trip.exchange, 0);
    trip_free(&trip);
    return alive;
}

/* --- trips -------------------------------------------------------------------------------------- */

void trip_init(struct trip *trip, struct duet *duet, const char *target)
{
    memset(trip, 0, sizeof *trip);
    snprintf(trip->target, sizeof trip->target, "%s", target);
    ski_exchange_init(&trip->exchange, &duet->mem, DUET_MAX_BODY);
    trip->exchange.method = "GET";
    trip->exchange.target = trip->target;
}

void trip_post(struct trip *trip, struct duet *duet, const char *target, const char *body,
               size_t length)
{
    trip_init(trip, duet, target);
    trip->exchange.method = "POST";
    trip->exchange.body = body;
    trip->exchange.body_length = length;
}

void trip_free(struct trip *trip)
{
    ski_exchange_free(&trip->exchange);
}

void trip_start(struct trip *trip, struct duet *duet)
{
    CU_ASSERT(ski_h2_room(duet->h2) > 0);
    trip->exchange.phase = SCALEKIT_PHASE_SEND;
    ski_h2_start(duet->h2, &trip->exchange);
}

bool trip_got(struct trip *trip, const char *body)
{
    const char *text = ski_buf_text(&trip->exchange.answer);

    return trip->exchange.answer.length == strlen(body) && text && strcmp(text, body) == 0;
}

bool trip_hit(struct trip *trip)
{
    return trip->over == 1 && trip->end == SKI_H2_COMPLETE && trip->exchange.status == 200 &&
           trip_got(trip, trip->target);
}

struct trip *trips_start(struct duet *duet, unsigned n)
{
    struct trip *trips = calloc(n, sizeof *trips);

    CU_ASSERT_PTR_NOT_NULL_FATAL(trips);
    for (unsigned i = 0; i < n; i++) {
        char target[16];

        snprintf(target, sizeof target, "/%u", i);
        trip_init(&trips[i], duet, target);
        trip_start(&trips[i], duet);
    }
    return trips;
}

void trips_free(struct trip *trips, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        trip_free(&trips[i]);
    free(trips);
}

unsigned trips_count(const struct trip *trips, unsigned n, enum ski_h2_end end)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        count += trips[i].over == 1 && trips[i].end == end;
    return count;
}
