/* scalekit/watch_set.h - many accounts watched as one.
 *
 * Three questions that a server has:
 *
 *   ALL_OF   are gmail, slack and github of user_1 all connected, so that the agent can start?
 *   ANY_OF   which of the calendars the user was offered is the first to be connected?
 *   EACH     what becomes of each of these?
 *
 * ALL_OF is about being usable: an account that is ACTIVE already counts at once, whoever made it so,
 * and the order does not matter.  The first that ends in another way ends the set, for the answer is
 * known then: the program can tell the user which account it was and why, instead of waiting for the
 * others.  There are two refinements, both options of every watch:
 *
 *   until_reauthorized   links were sent for accounts that are EXPIRED, say: only what happens from
 *                        now on counts, and they are looked at as often as new ones.  Give only keys
 *                        for which a link was sent: one that is and stays ACTIVE is waited for, too.
 *   follow               all ACTIVE at the same time.  Without it an account that was seen ACTIVE
 *                        is not looked at any more while the others are waited for.  With it, it is,
 *                        and one that is EXPIRED, REVOKED or DISCONNECTED does not end the set: its
 *                        user may yet mend it.  Give a deadline_ms, then.
 *
 * A set is made of watches, one for each key, and all that watch.h says of them holds: equal accounts
 * are asked about once.  It takes 24 bytes a key beyond its watch. */
#ifndef SCALEKIT_WATCH_SET_H
#define SCALEKIT_WATCH_SET_H

#include <scalekit/watch.h>

SCALEKIT_BEGIN

typedef struct scalekit_watch_set scalekit_watch_set;

/* When a set has its answer. */
enum scalekit_watch_set_mode {
    SCALEKIT_WATCH_ALL_OF, /* every account is ACTIVE; or one has ended in another way */
    SCALEKIT_WATCH_ANY_OF, /* one is ACTIVE; or all have ended in another way */
    SCALEKIT_WATCH_EACH    /* all have ended, in whatever way */
};

/* No index. */
#define SCALEKIT_WATCH_SET_NONE SIZE_MAX

/* What happened. */
enum scalekit_watch_set_event_kind {
    /* The watch of keys[index] told event->event.  Its last one may be final for that account, not
     * for the set. */
    SCALEKIT_WATCH_SET_CHANGED,

    /* Final: exactly one of these ends every set. */
    SCALEKIT_WATCH_SET_SUCCEEDED, /* ALL_OF, ANY_OF: yes; EACH: all have ended */
    SCALEKIT_WATCH_SET_FAILED,    /* ALL_OF, ANY_OF: no, and it will not be any more */
    SCALEKIT_WATCH_SET_REFUSED,   /* the parameters are wrong; see event->error */
    SCALEKIT_WATCH_SET_STOPPED    /* scalekit_watch_set_stop(), or the client was freed */
};

/* One event.  Borrowed: everything here lives until the callback returns. */
struct scalekit_watch_set_event {
    size_t struct_size;
    enum scalekit_watch_set_event_kind kind;
    bool final;
    /* In `keys`: the account it is about.  Of SUCCEEDED and FAILED: the one that decided, which is the
     * last to become ACTIVE (ALL_OF), the first (ANY_OF), the first to end in another way (ALL_OF), or
     * the last to end.  SCALEKIT_WATCH_SET_NONE for REFUSED and STOPPED. */
    size_t index;
    const struct scalekit_watch_event *event; /* what its watch told; NULL when there is no index */
    const struct scalekit_error *error;       /* REFUSED; else NULL */

    /* How many accounts are in which state now; together n_keys.  What has ended stays what it ended
     * as.  A final event leaves those that were stopped by it where they were. */
    size_t n_keys;
    size_t waiting; /* neither ACTIVE nor any of the following */
    size_t active;
    size_t expired, revoked, disconnected;
    size_t deleted;
    size_t link_expired; /* the link ran out before it was used */
    size_t deadline;     /* their time ran out, whatever their status */
    size_t refused;      /* looking is not allowed */
};

typedef void (*scalekit_watch_set_cb)(scalekit_watch_set *set,
                                      const struct scalekit_watch_set_event *event, void *user);

/* Which accounts to watch, and how; names and limits as in connected_account.h. */
struct scalekit_watch_set_params {
    size_t struct_size;
    enum scalekit_watch_set_mode mode;
    /* Required, 1 to 100,000; copied.  Equal ones are allowed, and each index is told. */
    const struct scalekit_account_key *const *keys;
    size_t n_keys;
    /* Of every account, as in scalekit_watch_params. */
    int64_t deadline_ms;
    scalekit_time link_expiry;
    bool until_reauthorized;
    bool progress; /* CHANGED also for SCALEKIT_WATCH_CHANGED */
    bool follow;
};

/* Starts to watch a set of accounts.
 *
 *   params  copied
 *   cb      receives every event, from the loop
 *   user    handed to it
 *
 * Each event of a watch is told as CHANGED.  Where it is the answer to the set's question the final
 * event follows at once, and the other accounts are watched no more.  Inside the callback everything
 * is allowed, freeing the client included; what was known already is told nevertheless.
 *
 * Returns the set, valid until its final event has returned (hold a reference to keep it), or NULL
 * when it could not be accepted: the client is NULL or being freed, `cb` is NULL, memory ran out.
 * Wrong arguments arrive as SCALEKIT_WATCH_SET_REFUSED; the error's message says which key is wrong,
 * "keys[3].identifier …", unless it is an account that is not named at all. */
SCALEKIT_API scalekit_watch_set *scalekit_watch_accounts(
    scalekit_client *client, const struct scalekit_watch_set_params *params,
    scalekit_watch_set_cb cb, void *user);

/* Ends a set.  Its final event, SCALEKIT_WATCH_SET_STOPPED, comes from the loop; one that is on its
 * way already wins.  Does nothing on a set that has ended, or on NULL. */
SCALEKIT_API void scalekit_watch_set_stop(scalekit_watch_set *set);

/* scalekit_watch_look_now() for the account of keys[index]; for all of them with
 * SCALEKIT_WATCH_SET_NONE.  Any other index that is no key's is ignored, and so is NULL. */
SCALEKIT_API void scalekit_watch_set_look_now(scalekit_watch_set *set, size_t index);

/* The last status told of the account of keys[index]; SCALEKIT_ACCOUNT_UNKNOWN before that, for an
 * index that is no key's, and for NULL. */
SCALEKIT_API enum scalekit_account_status scalekit_watch_set_status(const scalekit_watch_set *set,
                                                                    size_t index);

/* Takes a reference: the handle stays valid until the last one is dropped.  Returns its argument. */
SCALEKIT_API scalekit_watch_set *scalekit_watch_set_ref(scalekit_watch_set *set);

/* Drops a reference.  May be called after the client is gone.  NULL is ignored. */
SCALEKIT_API void scalekit_watch_set_unref(scalekit_watch_set *set);

/* A static word for an event, "succeeded"; never NULL. */
SCALEKIT_API const char *scalekit_watch_set_event_name(enum scalekit_watch_set_event_kind kind);

SCALEKIT_END

#endif
