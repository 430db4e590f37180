/* world.h - an emulator and a client of it, on one loop; most cases are rows, of what is asked and
 * what must be in the answer. */
#ifndef TEST_EMULATOR_WORLD_H
#define TEST_EMULATOR_WORLD_H

#include "emulator.h"
#include "harness.h"
#include "state.h"
#include <event2/http.h>

#define ACCOUNTS "/api/v1/connected_accounts"
#define SIGN_IN                                                                                    \
    "grant_type=client_credentials&client_id=skc_emulator&client_secret=test_emulator_secret"

enum method {
    GET = EVHTTP_REQ_GET,
    POST = EVHTTP_REQ_POST,
    PUT = EVHTTP_REQ_PUT,
    DELETE = EVHTTP_REQ_DELETE,
    PATCH = EVHTTP_REQ_PATCH
};

struct world {
    struct event_base *base;
    scalekit_emulator *emulator;
    struct evhttp_connection *connection;
    uint16_t port;
    char host[40];   /* sent as Host */
    char origin[40]; /* sent as Origin, like by a web page; "": none is */
    char token[80];  /* sent as Authorization; "": none is */
    /* of the latest answer */
    bool done;
    int status; /* 0: none came */
    char body[262144], location[512], content_policy[600], request_id[64];
};

/* A plain emulator, and the client signed in. */
void world_set_up(struct world *world, const struct scalekit_emulator_config *config);
void world_tear_down(struct world *world);
void world_sign_in(struct world *world);

/* Gives the answer's status; `body` NULL: none. */
int world_ask(struct world *world, enum method method, const char *path, const char *body);
void world_start_asking(struct world *world, enum method method, const char *path,
                        const char *body);
/* Gives the client a new connection; closing the old one is up to the caller. */
void world_connect(struct world *world);

struct row {
    enum method method;
    const char *path, *body;
    int status;
    const char *expected;   /* in the body */
    const char *unexpected; /* not in the body; NULL: nothing is */
};

void world_ask_rows(struct world *world, const struct row *rows, size_t n);
#define ASK(world, rows) world_ask_rows(world, rows, sizeof(rows) / sizeof *(rows))

/* The text after `before` in the latest answer, up to `end`. */
void world_find(const struct world *world, char *out, size_t size, const char *before, char end);
size_t world_count(const struct world *world, const char *part); /* in the latest answer */

/* Asks for the page that a token of the latest answer leads to; `which` is its name, and `path` ends
 * where its value belongs.  Gives the answer's status. */
int world_follow(struct world *world, enum method method, const char *path, const char *body,
                 const char *which);

/* The account of gmail; NULL when there is none. */
struct emu_account *world_account(struct world *world, const char *identifier);
/* Turns the loop until that account has this status. */
void world_wait_for_status(struct world *world, const char *identifier, const char *status);

#endif
