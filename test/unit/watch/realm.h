/* realm.h - a Scalekit environment inside the process, in virtual time, as bad as they come.
 *
 * It takes a client's exchanges in place of connections (http/pool.h).  Accounts live lives that are
 * written down in advance, as moments; what a request sees is looked up in them, up to the
 * realm's lag too old.  So what was true when is known exactly, and a referee can judge by it.
 *
 * What it may do to those that ask is in `habits`, from the beginning to the end, and in `spells`,
 * for a while: outages, storms of 429, refusals.  Habits are no excuse for a watch that misses
 * something, spells are.
 *
 * Time is the client's monotonic clock; the service has a wall clock of its own that goes with it. */
#ifndef TEST_WATCH_REALM_H
#define TEST_WATCH_REALM_H

#include "harness.h"
#include "http/pool.h"
#include <scalekit/scalekit.h>

#define REALM_MOMENTS  16
#define REALM_ABSENCES 64
#define REALM_SPELLS   16

/* Asserts something about one row of a table, whose name is shown when it fails. */
#define ROW_IS(name, condition)                                                                    \
    CU_assertImplementation((condition), __LINE__, name, __FILE__, "", CU_FALSE)

static inline int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From then on the account is like this. */
struct realm_moment {
    int64_t at_ms;
    const char *word; /* of its status, as on the wire; NULL: there is no such account */
    enum scalekit_account_status status;
    unsigned id;        /* another one after it was made anew */
    bool dated;         /* has an updated_at */
    unsigned event;     /* number of the event that tells it */
    int64_t shown_ms;   /* when the feed has that event */
    int64_t updated_us; /* by the service's wall clock */
};

struct realm_account {
    unsigned connection, user;
    struct realm_moment moments[REALM_MOMENTS]; /* in order; the first is long ago */
    unsigned n_moments;
    int64_t absences[REALM_ABSENCES]; /* when it was looked up in vain lately: a ring */
    unsigned n_absences;
};

enum realm_fault {
    REALM_PAUSED,      /* nothing at all: time went by unseen */
    REALM_UNREACHABLE, /* the connection is refused */
    REALM_SILENT,      /* no answer ever comes */
    REALM_CUT,         /* it is cut off */
    REALM_GARBAGE,     /* it is no JSON */
    REALM_EMPTY,       /* it is {} */
    REALM_STATUS,      /* it is an error with `status` */
    REALM_FLICKER,     /* accounts are not found */
    REALM_NO_FEED      /* the event feed answers `status` */
};

struct realm_spell {
    enum realm_fault fault;
    int64_t from_ms, to_ms; /* the first moment, and the first after it */
    unsigned percent;       /* of the requests */
    int status;
    unsigned retry_after_s; /* 0: not said */
};

struct realm_habits {
    int64_t fastest_ms, slowest_ms; /* an answer takes */
    int64_t lag_ms;                 /* what is seen may be that old */
    int64_t feed_lag_ms;            /* an event may take that long to appear */
    int feed_status;                /* 200, or what the feed answers instead */
    unsigned page_cap;              /* accounts on a page at most, whatever was asked for */
    bool shifting;                  /* the order of lists changes while they are read */
    bool wrong_totals, loops;       /* of pages: total_size, and tokens that come again */
    bool noisy_feed;                /* events twice, out of order, unknown, unreadable */
    bool no_expiry;                 /* links have none */
    int64_t link_life_ms;
};

struct realm {
    struct ski_carrier carrier;
    struct test_clock clock; /* the client's */
    uint64_t seed;
    struct realm_habits habits;
    struct realm_spell spells[REALM_SPELLS];
    unsigned n_spells;
    struct realm_account *accounts;
    unsigned connections, users, n_accounts; /* account N: connection N % connections */
    unsigned last_id, last_event;
    unsigned token;   /* number of the one that is good */
    bool trace;       /* every request, to standard output */
    int64_t as_of_ms; /* what is read is as it was then; INT64_MAX: now, or what the lag allows */

    struct flight *flights; /* a heap: the earliest is first */
    unsigned n_flights, room_flights;
    uint64_t sent; /* requests so far, and the order of flights */

    int64_t refused_ms, sign_in_refused_ms; /* when such an answer was last given */
    char problem[160];                      /* the first thing asked for that does not exist; "" */
};

void realm_init(struct realm *realm, uint64_t seed, unsigned connections, unsigned users);
void realm_free(struct realm *realm); /* after the client */

uint64_t realm_roll(struct realm *realm, uint64_t sides); /* 0 to sides - 1 */
bool realm_chance(struct realm *realm, unsigned percent);
int64_t realm_between(struct realm *realm, int64_t low, int64_t high); /* both included */

int64_t realm_now(const struct realm *realm); /* milliseconds */
int64_t realm_wall_us(int64_t at_ms);         /* what the service's wall clock says then */

/* Writes the next moment of an account; NULL: it vanishes.  `anew`: it has another id. */
void realm_write(struct realm *realm, struct realm_account *account, int64_t at_ms,
                 const char *word, bool anew);
/* Forgets what was to come after a moment. */
void realm_rewrite(struct realm *realm, struct realm_account *account, int64_t after_ms);
/* How it is at that time; one with a `word` of NULL when there is none. */
const struct realm_moment *realm_at(const struct realm_account *account, int64_t at_ms);

/* The tokens that were given out are good no longer. */
void realm_expire_tokens(struct realm *realm);

#define REALM_NAME 16
void realm_connection(char name[REALM_NAME], const struct realm_account *account);
void realm_identifier(char name[REALM_NAME], const struct realm_account *account);
void realm_id(char name[REALM_NAME], unsigned id);

/* When the next request arrives or is answered; INT64_MAX: nothing is under way. */
int64_t realm_next_ms(const struct realm *realm);
void realm_run(struct realm *realm); /* what is due; completes exchanges, so from the loop */

/* realm_wire.c: what an exchange that has arrived is answered, without faults. */
void realm_answer(struct realm *realm, struct ski_exchange *exchange);
bool realm_is_feed(const struct ski_exchange *exchange);
void realm_answer_error(struct ski_exchange *exchange, int status);
bool realm_flickers(struct realm *realm); /* whether an account is not to be found now */
int realm_feed_status(struct realm *realm);

#endif
