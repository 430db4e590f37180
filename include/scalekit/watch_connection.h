/* scalekit/watch_connection.h - every account of a connection, and what becomes of them.
 *
 *     ADDED ca_1 …   ADDED ca_2 …   SYNCED   CHANGED ca_2 …   ADDED ca_3 …   SYNCED   REMOVED ca_1
 *
 * The accounts are listed page by page, told one by one, and kept; then whatever the client sees of
 * them tells what is different: its event feed, and the looks and lists of its other watches.  From
 * time to time they are listed again, for what nobody has seen, and to learn which are gone; sooner,
 * after the client's watch_follow_interval_ms, when an event does not say enough by itself: that an
 * account is new, still without its user's consent, or was deleted, or that it changed before the last
 * list began (not where resync_ms is given).
 *
 * What is told is how things are, not each step to it: an account that has changed twice before it
 * could be told is told once.  An older state never follows a newer one.
 *
 * It costs a request for each 99 accounts and list, as class WATCH for the first list and BACKGROUND
 * for the others, and about 130 bytes an account with its names.  Hundreds of thousands are fine:
 * of 100,000 a turn of the loop takes less than a millisecond, and about 3 when the table grows or
 * the watch ends. */
#ifndef SCALEKIT_WATCH_CONNECTION_H
#define SCALEKIT_WATCH_CONNECTION_H

#include <scalekit/connected_account.h>

SCALEKIT_BEGIN

typedef struct scalekit_connection_watch scalekit_connection_watch;

/* What happened. */
enum scalekit_connection_event_kind {
    /* Progress: it goes on. */
    SCALEKIT_CONNECTION_ADDED,   /* an account that was not known; its status may be any */
    SCALEKIT_CONNECTION_CHANGED, /* one has another status */
    /* One is gone: a complete list did not show it and a look did not find it either, or two complete
     * lists in a row did not show it. */
    SCALEKIT_CONNECTION_REMOVED,
    SCALEKIT_CONNECTION_SYNCED, /* a list is complete, and all it has shown was told: each time */
    SCALEKIT_CONNECTION_FAILED, /* a list did not succeed: see event->error.  It is tried again, after
                                 * 1, 2, 4 … 30 seconds; what is known stays */

    /* Final: exactly one of these ends it. */
    SCALEKIT_CONNECTION_REFUSED, /* listing is not allowed: 401 after a fresh token, 403, or bad
                                  * arguments; see event->error */
    SCALEKIT_CONNECTION_STOPPED  /* scalekit_connection_watch_stop(), or the client was freed */
};

/* An account, as far as it is kept.  Borrowed until the callback returns. */
struct scalekit_known_account {
    size_t struct_size;
    const char *connected_account_id;
    const char *identifier; /* NULL: none was seen */
    enum scalekit_account_status
        status;               /* as told last; UNKNOWN: a word this version does not know */
    scalekit_time updated_at; /* 0: not known */
};

/* One event.  Borrowed: everything here lives until the callback returns. */
struct scalekit_connection_event {
    size_t struct_size;
    enum scalekit_connection_event_kind kind;
    bool final;
    const struct scalekit_known_account *account; /* ADDED, CHANGED, REMOVED; else NULL */
    enum scalekit_account_status previous_status; /* CHANGED: as told before; else as account's */
    const struct scalekit_error *error;           /* FAILED, REFUSED; else NULL */
    size_t n_accounts;                            /* that are known now, this one included */
};

typedef void (*scalekit_connection_watch_cb)(scalekit_connection_watch *watch,
                                             const struct scalekit_connection_event *event,
                                             void *user);

/* Which accounts; names and limits as in connected_account.h. */
struct scalekit_connection_watch_params {
    size_t struct_size;
    const char *connection_name; /* required */
    const char *organization_id; /* narrows it: new accounts are then seen by lists only */
    const char *user_id;         /* the same */
    /* Milliseconds from one complete list to the next, 1,000 to a day; looking for what the list has
     * not shown may make it longer, as a second must lie between that and the next list.  0: while the event feed is
     * trusted, 5 to 10 minutes at random; else the client's watch_follow_interval_ms, but a second for
     * each page at least. */
    int64_t resync_ms;
};

/* Starts to watch a connection.
 *
 *   params  copied
 *   cb      receives every event, from the loop
 *   user    handed to it
 *
 * Inside the callback everything is allowed, freeing the client included.
 *
 * Returns the watch, valid until its final event has returned (hold a reference to keep it), or NULL
 * when it could not be accepted: the client is NULL or being freed, `cb` is NULL, memory ran out.
 * Wrong arguments arrive as SCALEKIT_CONNECTION_REFUSED with the error. */
SCALEKIT_API scalekit_connection_watch *scalekit_watch_connection(
    scalekit_client *client, const struct scalekit_connection_watch_params *params,
    scalekit_connection_watch_cb cb, void *user);

/* Ends it.  The final event, SCALEKIT_CONNECTION_STOPPED, comes from the loop; one that is on its way
 * already wins, and what else was to be told is not.  Does nothing when it has ended, or on NULL. */
SCALEKIT_API void scalekit_connection_watch_stop(scalekit_connection_watch *watch);

/* Lists now instead of at the next turn of the schedule, but not before a second has passed since the
 * latest list was complete and gone through: an application may call this with every SYNCED.  Does
 * nothing while a list is under way or has FAILED, on a watch that has ended, or on NULL. */
SCALEKIT_API void scalekit_connection_watch_resync(scalekit_connection_watch *watch);

/* How many accounts are known: those that were told as ADDED and not as REMOVED.  0 when it has ended,
 * and for NULL. */
SCALEKIT_API size_t scalekit_connection_watch_count(const scalekit_connection_watch *watch);

/* Calls `each` with all of them, in no order, until it returns false.  It may call anything; a client
 * that is freed in it is so when this returns. */
SCALEKIT_API void scalekit_connection_watch_each(
    scalekit_connection_watch *watch,
    bool (*each)(const struct scalekit_known_account *account, void *user), void *user);

/* Takes a reference: the handle stays valid until the last one is dropped.  Returns its argument. */
SCALEKIT_API scalekit_connection_watch *scalekit_connection_watch_ref(
    scalekit_connection_watch *watch);

/* Drops a reference.  May be called after the client is gone.  NULL is ignored. */
SCALEKIT_API void scalekit_connection_watch_unref(scalekit_connection_watch *watch);

/* A static word for an event, "added"; never NULL. */
SCALEKIT_API const char *scalekit_connection_event_name(enum scalekit_connection_event_kind kind);

SCALEKIT_END

#endif
