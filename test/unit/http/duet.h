/* duet.h - an HTTP/2 client and a scripted server in one process, and trips: exchanges that note
 * what becomes of them. */
#ifndef TEST_HTTP_DUET_H
#define TEST_HTTP_DUET_H

#include "harness.h"
#include "http/h2.h"
#include "support/h2_server.h"

#define DUET_MAX_BODY 65536

struct duet {
    struct ski_mem mem, plain;
    struct ski_h2 *h2;
    struct h2_server *server;
    struct h2_counts counts;
    struct ski_buf inbox;         /* what the server has sent, and the client not yet read */
    size_t piece;                 /* bytes the client reads at a time; 0: all */
    const struct ski_clock *dice; /* or sizes by chance */
    size_t written;               /* by the client */
    enum h2_ending ended;         /* the server's end */
};

/* They have greeted each other, unless the server is late. */
void duet_init(struct duet *duet, const struct h2_server_options *options);
/* false: no memory for a client.  Nothing has been carried yet. */
bool duet_try_init(struct duet *duet, const struct h2_server_options *options,
                   const struct scalekit_allocator *allocator);
void duet_free(struct duet *duet); /* asserts that the server heard nothing wrong */

bool duet_write(struct duet *duet); /* carries what the client has to say; false: nothing */
/* Notes which trips are over, when the last `unsent` bytes written have not left. */
void duet_collect(struct duet *duet, size_t unsent);
void duet_pump(struct duet *duet); /* carries bytes both ways until there are none, and collects */
/* The client hears of the server's end, if it came to one, or learns that its own has come. */
void duet_finish(struct duet *duet);
bool duet_lives(struct duet *duet); /* whether the connection carries one more */

struct trip {
    struct ski_exchange exchange;
    char target[64];
    unsigned over; /* how often */
    enum ski_h2_end end;
    struct ski_failure failure; /* code SCALEKIT_OK: it succeeded */
};

/* A GET of that target, or a POST. */
void trip_init(struct trip *trip, struct duet *duet, const char *target);
void trip_post(struct trip *trip, struct duet *duet, const char *target, const char *body,
               size_t length);
void trip_free(struct trip *trip);
void trip_start(struct trip *trip, struct duet *duet);
bool trip_hit(struct trip *trip); /* whether it got 200 and its own target back */
bool trip_got(struct trip *trip, const char *body);

/* `n` of them to "/0", "/1", ...; all started. */
struct trip *trips_start(struct duet *duet, unsigned n);
void trips_free(struct trip *trips, unsigned n);
/* How many ended so. */
unsigned trips_count(const struct trip *trips, unsigned n, enum ski_h2_end end);

#endif
