/* token.h - the access token of one client: signed in once for everybody who waits, refreshed in
 * the background before it runs out.
 *
 *   one flight     however many requests wait, one POST /oauth/token is under way; it has its own
 *                  deadline of 40 s and its own retries, nobody's cancel ends it, and it holds the
 *                  loop
 *   refresh        at expires_in - clamp(20 % of life, 60 s, 300 s), jittered; requests use the old
 *                  token until it really expires
 *   generations    a 401 rejects the token it was sent with: of 5,000 simultaneous 401s the first
 *                  drops it, the others find that it is gone already
 *   refusal        credentials that are refused fail everybody at once for 5 s, then 10 … 60 s,
 *                  before they are tried again */
#ifndef SKI_CORE_TOKEN_H
#define SKI_CORE_TOKEN_H

#include "base/arena.h"
#include "base/loop.h"
#include "core/gate.h"
#include "http/pool.h"

/* One token; shared by those who send it, so that a refresh does not pull it from under them. */
struct ski_token_value {
    struct ski_mem mem;
    unsigned refs;
    uint64_t generation;
    size_t length;
    char text[]; /* "Bearer eyJ…" */
};

void ski_token_value_unref(struct ski_token_value *value); /* NULL is ignored */

/* Embedded in who waits. */
struct ski_token_waiter {
    struct ski_list link;
    /* From the loop: `error` is NULL when a token is there, to be had by ski_token_get(). */
    void (*ready)(struct ski_token_waiter *waiter, const struct scalekit_error *error);
};

struct ski_token_config {
    const char *client_id, *client_secret; /* copied */
    const char *target;                    /* "/oauth/token", copied */
    const struct ski_header *headers;      /* borrowed: what every request carries */
    unsigned n_headers;
    int max_retries;
    struct ski_gate *gate; /* borrowed */
};

enum ski_token_state {
    SKI_TOKEN_IDLE,
    SKI_TOKEN_WAITING, /* at the gate */
    SKI_TOKEN_SIGNING_IN,
    SKI_TOKEN_PAUSED
};

struct ski_token {
    struct ski_loop *loop;
    struct ski_pool *pool;
    char *target;
    struct ski_buf form; /* the body of the sign-in; secret */

    struct ski_token_value *value; /* NULL: none */
    uint64_t generation;
    int64_t expires_ms;

    enum ski_token_state state;
    struct ski_list waiters;
    bool holding; /* the loop: for those who wait, or while a token that is good is renewed */
    struct ski_gate *gate;
    struct ski_pass pass;
    struct ski_exchange exchange;
    int retries, max_retries;
    int64_t deadline_ms; /* of the flight */
    ski_timer flight, refresh;

    struct scalekit_error error; /* why the last flight failed */
    struct ski_arena arena;      /* of that error */
    int64_t refused_until_ms;
    int refusals; /* in a row */
};

scalekit_err ski_token_init(struct ski_token *token, struct ski_loop *loop, struct ski_pool *pool,
                            const struct ski_token_config *config);
void ski_token_free(struct ski_token *token); /* waiters are forgotten */

/* The token, with a reference for the caller; NULL when there is none: then either *error is set
 * (it will not be had now), or the waiter is told when there is one. */
struct ski_token_value *ski_token_get(struct ski_token *token, struct ski_token_waiter *waiter,
                                      const struct scalekit_error **error);
/* Whether a token can still be sent. */
bool ski_token_is_current(const struct ski_token *token, const struct ski_token_value *value);

/* Harmless when it does not wait. */
void ski_token_cancel(struct ski_token *token, struct ski_token_waiter *waiter);

/* The client has nothing pending any more: a sign-in that nobody waits for is given up, for it would
 * keep the application's loop running. */
void ski_token_sleep(struct ski_token *token);

/* What those who wait are waiting for: the token, or the way to the server. */
enum scalekit_phase ski_token_phase(const struct ski_token *token);

/* The server answered 401 to the token of that generation. */
void ski_token_reject(struct ski_token *token, uint64_t generation);

#endif
