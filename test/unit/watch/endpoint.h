/* endpoint.h - what a realm posts to the application, and how badly.
 *
 * Each moment of an account makes a delivery, and often others around it, as they are sent: signed,
 * with a timestamp of the sending, and again until they have arrived.  What may go wrong with them
 * is in `habits`.  None of it is an excuse for a watch that misses something: nothing depends on
 * deliveries. */
#ifndef TEST_WATCH_ENDPOINT_H
#define TEST_WATCH_ENDPOINT_H

#include "unit/watch/realm.h"

#define ENDPOINT_SECRET "whsec_cmVhbG0tcmVhbG0tcmVhbG0tcmVhbG0t"
#define ENDPOINT_FORGER "whsec_Zm9yZ2VyLWZvcmdlci1mb3JnZXItZm9y"

/* Of what it is told. */
enum endpoint_share {
    ENDPOINT_ALL,
    ENDPOINT_STATUSES, /* status_updated alone */
    ENDPOINT_OTHERS,   /* everything but that */
    ENDPOINT_SOME      /* of every other account */
};

struct endpoint_habits {
    int64_t from_ms, to_ms; /* it answers */
    enum endpoint_share share;
    int64_t slowest_ms; /* a delivery is under way: less than the 10 s after which it has failed */
    int64_t off_us;     /* so much before updated_at an event may have occurred, in their order */
    /* Percent of deliveries. */
    unsigned lost;     /* for good */
    unsigned failing;  /* each attempt: it is sent again up to 22 minutes later */
    unsigned doubled;  /* arrive again, with the same webhook-id */
    unsigned reissued; /* with another, but it is the same event */
    unsigned forged;   /* preceded by one that somebody else has signed or changed */
    unsigned replayed; /* arrive once more when they are stale */
    unsigned queued;   /* arrive late, but with the timestamp of before */
    unsigned attended; /* have others around them, of another type */
};

/* What arrives. */
struct mail {
    char id[24], timestamp[24], event_id[24];
    char signature[64];
    char body[640];
    char type[64];
    const struct realm_account *account;
    unsigned moment; /* which of the account's, that it tells of */
    int64_t sent_s;  /* what the timestamp says */
    int64_t occurred_us;
    bool forged;
};

struct endpoint {
    struct realm *realm;
    struct endpoint_habits habits;
    struct post *posts; /* under way, in no order */
    unsigned n_posts, room_posts;
    uint64_t posted;
    unsigned last_message;
    struct life *lives; /* of each account, what has been */
};

/* After the accounts have their lives. */
void endpoint_init(struct endpoint *endpoint, struct realm *realm);
void endpoint_free(struct endpoint *endpoint);

int64_t endpoint_next_ms(const struct endpoint *endpoint); /* INT64_MAX: nothing is to come */
/* What arrives now; false: nothing. */
bool endpoint_take(struct endpoint *endpoint, struct mail *mail);
/* One about a moment of an account, sent now and outside of all this.  `type`: behind
 * "connected_account."; `part`: of the id of its event, 0: the one that the feed has. */
void endpoint_write(struct endpoint *endpoint, struct mail *mail,
                    const struct realm_account *account, unsigned moment, const char *type,
                    unsigned part);
/* What is to arrive next arrives now. */
void endpoint_hurry(struct endpoint *endpoint);

#endif
