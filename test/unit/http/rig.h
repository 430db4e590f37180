/* rig.h - a server that answers by target, and shots: exchanges that note what becomes of them.
 *
 * The clock stands still: whoever wants time to pass says so with rig_advance_ms(). */
#ifndef TEST_HTTP_RIG_H
#define TEST_HTTP_RIG_H

#include "../net/certificates.h"
#include "../net/peer.h"
#include "harness.h"
#include "http/pool.h"
#include "support/h2_peer.h"

#define RIG_MAX_BODY 100

struct rig {
    struct test_clock clock;
    struct test_loop test;
    struct ski_resolver *resolver;
    struct test_peer *peer;
    struct h2_peer *h2; /* what `peer` belongs to; NULL: it speaks HTTP/1.1 only */
    struct test_pki pki;
    SSL_CTX *server;
    struct ski_tls *tls; /* NULL: plain */
    struct ski_url url;  /* of the peer */

    unsigned heard;   /* HTTP/1.1 requests the peer has seen */
    unsigned pending; /* shots started and neither done nor cancelled */
    unsigned n_done;  /* shots done */
    bool calling;     /* a function is running from inside which nothing may be told */
    struct event *limit;
    bool expired;
};

struct rig_options {
    bool tls, drip;
    const struct h2_server_options *h2; /* it speaks HTTP/2 as well, and prefers it; over TLS */
};

/* Holds the loop. */
void rig_init(struct rig *rig, const struct rig_options *options);
void rig_free(struct rig *rig);
/* Points the URL at another port of 127.0.0.1. */
void rig_set_port(struct rig *rig, uint16_t port);
void rig_advance_ms(struct rig *rig, int64_t milliseconds); /* and fires what is due */

/* The protocol that the server chooses from now on; NULL: none. */
void rig_speak(struct rig *rig, const char *protocol);
const struct h2_counts *rig_heard(const struct rig *rig); /* of HTTP/2 */
/* The n-th HTTP/2 connection that lives, the eldest is 0; it must be there. */
struct h2_server *rig_server(const struct rig *rig, unsigned n);

/* Turns the loop until a condition holds, or fails the test after 10 s. */
#define RIG_UNTIL(rig, condition)                                                                  \
    do {                                                                                           \
        rig_begin_waiting(rig);                                                                    \
        while (!(condition) && rig_turn(rig))                                                      \
            ;                                                                                      \
        rig_end_waiting(rig);                                                                      \
        CU_ASSERT((condition) != 0);                                                               \
    } while (0)

void rig_begin_waiting(struct rig *rig);
bool rig_turn(struct rig *rig); /* one turn; false: the time is over */
void rig_end_waiting(struct rig *rig);

struct shot {
    struct ski_exchange exchange;
    struct rig *rig;
    char target[32];
    unsigned done;                   /* how often */
    unsigned order;                  /* the how-manieth to be done */
    struct ski_failure failure;      /* code SCALEKIT_OK: it succeeded */
    void (*then)(struct shot *shot); /* runs in `done` */
    void *user;                      /* for that */
};

/* A GET of that target. */
void shot_init(struct shot *shot, struct rig *rig, const char *target);
/* Makes it a POST; the body is borrowed. */
void shot_set_body(struct shot *shot, const char *body, size_t length);
void shot_free(struct shot *shot);
/* Whether it got 200 and its own target back. */
bool shot_hit(struct shot *shot);

/* `n` shots of that target, or of "/0", "/1", … when it is NULL. */
struct shot *shots_new(struct rig *rig, unsigned n, const char *target);
void shots_free(struct shot *shots, unsigned n);
unsigned shots_hit(struct shot *shots, unsigned n); /* how many */

/* A pool of connections to the server. */
struct pond {
    struct rig rig;
    struct ski_pool *pool;
};

#define POND_CONNECT_MS 1000
#define POND_IDLE_MS    60000

void pond_init(struct pond *pond, unsigned max_connections, unsigned max_queue);
void pond_free(struct pond *pond);
/* The same in two steps, for a rig with options. */
void pond_open(struct pond *pond, unsigned max_connections, unsigned max_queue);
scalekit_err pond_try_open(struct pond *pond, unsigned max_connections, unsigned max_queue);

/* Start and cancel count what is pending, and see that nothing is told from inside. */
void pond_start(struct pond *pond, struct shot *shot);
scalekit_err pond_try_start(struct pond *pond, struct shot *shot);
void pond_cancel(struct pond *pond, struct shot *shot);
bool pond_shoot(struct pond *pond, const char *target); /* one, to its end; whether it hit */

void pond_start_all(struct pond *pond, struct shot *shots, unsigned n);

struct ski_pool_counts pond_count(const struct pond *pond);
unsigned pond_accepted(const struct pond *pond); /* connections, by the server's count */

/* A listener that a test plays by hand. */
struct raw_server {
    int listener, link;
    uint16_t port;
};

void raw_init(struct raw_server *raw);
void raw_accept(struct raw_server *raw); /* the connection that has come, into `link` */
void raw_stop_listening(struct raw_server *raw);
void raw_send(struct raw_server *raw, const char *text);
void raw_free(struct raw_server *raw);

#endif
