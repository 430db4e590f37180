/* environment.h - a Scalekit environment inside the process, in virtual time.
 *
 * It takes a client's exchanges in place of connections (http/pool.h) and answers as the service
 * would: POST /oauth/token, GET …/connected_accounts/details, GET …/connected_accounts a page at a
 * time, and, when it has one, the event feed POST …/events/paginated.  A request arrives half of
 * the latency after it was sent, sees the accounts as they are then, and its answer is there after
 * the other half.  Nothing else exists: what is asked for in vain is a fault of the run.
 *
 * Every connection has the same number of accounts; account N of each is of "user_N".  All exist
 * from the beginning.  They are listed in an order that has nothing to do with their numbers. */
#ifndef BENCH_ENVIRONMENT_H
#define BENCH_ENVIRONMENT_H

#include "ground.h"
#include "http/pool.h"

#define BENCH_NAME 32

struct bench_environment_config {
    unsigned connections, accounts; /* of each */
    unsigned pending;               /* the first so many are PENDING_AUTH, the others ACTIVE */
    bool feed;
    int64_t latency_ms;  /* there and back */
    int64_t feed_lag_ms; /* until an event that happened is shown */
    bool silent;         /* never answers anything */
    uint64_t seed;
};

enum bench_request_kind {
    BENCH_SIGN_INS,
    BENCH_LOOK_UPS,
    BENCH_LISTS,
    BENCH_FEED_READS,
    BENCH_OTHERS, /* faults */
    BENCH_REQUEST_KINDS
};

struct bench_environment;

/* `time` is borrowed.  Told of every request that is sent: `sent`, NULL when nobody cares. */
struct bench_environment *bench_environment_new(const struct bench_environment_config *config,
                                                const struct bench_time *time,
                                                void (*sent)(void *user), void *user);
void bench_environment_free(struct bench_environment *environment); /* after the client */

struct ski_carrier *bench_environment_carrier(struct bench_environment *environment);

/* Names of an account, 0 to connections * accounts - 1. */
void bench_environment_connection(char name[BENCH_NAME],
                                  const struct bench_environment *environment, unsigned account);
void bench_environment_identifier(char name[BENCH_NAME],
                                  const struct bench_environment *environment, unsigned account);

/* An account's user gets a link; has consented, now. */
void bench_environment_link(struct bench_environment *environment, unsigned account);
void bench_environment_consent(struct bench_environment *environment, unsigned account);

/* When the next request arrives or is answered; INT64_MAX: nothing is under way. */
int64_t bench_environment_next_ms(const struct bench_environment *environment);
/* Takes in and answers what is due.  Completes exchanges, so from the loop. */
void bench_environment_run(struct bench_environment *environment);

uint64_t bench_environment_count(const struct bench_environment *environment,
                                 enum bench_request_kind kind);
/* The first thing asked for that does not exist, "DELETE /api/…", or that is not allowed; NULL. */
const char *bench_environment_fault(const struct bench_environment *environment);

#endif
