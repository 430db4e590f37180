/* front.h - a client, a server of somebody else's, and the emulator behind that; and crowds:
 * requests by the hundred, each of which is accounted for. */
#ifndef TEST_INTEGRATION_FRONT_H
#define TEST_INTEGRATION_FRONT_H

#include "environment.h"
#include "servers.h"

struct front {
    struct environment env; /* its loop, its memory; its own emulator and client are not used */
    struct server server;
    scalekit_emulator *backend; /* in the clear */
    uint16_t backend_port;
    scalekit_client *client; /* NULL before front_client() */

    /* What the backend has got, whatever became of it. */
    unsigned sign_ins, gets, posts;
    /* Runs for each of them, before it is answered. */
    void (*heard)(struct front *front, bool post);

    /* What the client logged. */
    unsigned opened, closed, repeated;

    struct event *limit;
    bool expired;
};

void front_init(struct front *front);
/* Asserts that the client left no memory behind. */
void front_free(struct front *front);

/* A client of the server, set up as `config` says beyond the credentials.  No request of it has a
 * deadline that a slow machine might reach, unless `config` has one. */
void front_client(struct front *front, const struct scalekit_config *config);
scalekit_client *front_client_of(struct front *front, const char *url, const char *ca_file,
                                 const struct scalekit_config *config);

/* nginx before the backend, or with a canned answer to everything. */
void front_start_proxy(struct front *front, const char *rest);
void front_start_canned(struct front *front, const char *listen, const char *rest);

/* Turns the loop until a condition holds, or fails the test when nothing happened for 10 s. */
#define FRONT_UNTIL(front, condition)                                                              \
    do {                                                                                           \
        front_progress(front);                                                                     \
        while (!(condition) && front_turn(front))                                                  \
            ;                                                                                      \
        CU_ASSERT((condition) != 0);                                                               \
    } while (0)

void front_progress(struct front *front); /* something happened */
bool front_turn(struct front *front);     /* one turn; false: nothing happened for too long */

/* --- crowds ------------------------------------------------------------------------------------ */

enum call_kind {
    CALL_LOOK,   /* GET: an account that is there */
    CALL_CREATE, /* POST */
    CALL_TOOL    /* POST: echo, for an account that is there */
};

struct crowd;

/* One request, of the account user_<number>. */
struct call {
    struct crowd *crowd;
    unsigned number;
    enum call_kind kind;
    unsigned calls; /* of its callback */
    bool ok, sent;
    scalekit_err code;
    enum scalekit_phase phase;
    int attempts;
    char text[120]; /* the error's message */
};

struct crowd {
    struct front *front;
    struct call *calls;
    unsigned size, started, over, ok;
    int most_attempts;
};

/* Starts `size` calls, `in_flight` at a time, 0: all at once.  `posts`: half of them are POSTs. */
void crowd_start(struct crowd *crowd, struct front *front, unsigned size, unsigned in_flight,
                 bool posts);
void crowd_free(struct crowd *crowd);

void crowd_stop(struct crowd *crowd); /* starts no more */
/* Waits for all of them, and asserts that each called back once. */
void crowd_wait(struct crowd *crowd);
/* Waits, and asserts that all succeeded in one attempt. */
void crowd_succeeds(struct crowd *crowd);
/* All of it. */
void crowd_run(struct front *front, unsigned size, unsigned in_flight, bool posts);

/* --- the server's log -------------------------------------------------------------------------- */

#define LEDGER_CONNECTIONS 65536

struct ledger {
    unsigned lines, http1, http2;
    unsigned connections, resumed; /* that carried a request; of them, resumed TLS sessions */
    unsigned looks, twice;         /* accounts that were looked at; of them, more than once */
    uint8_t numbered[16384];
    uint8_t connection[LEDGER_CONNECTIONS];
};

/* Stops the server and reads. */
void front_read_ledger(struct front *front, struct ledger *ledger);

#endif
