/* scalekit/watch.h - being told when an account changes.
 *
 * A watch follows one account until it settles: ACTIVE, EXPIRED, REVOKED or DISCONNECTED.  It ends
 * with exactly one final event, after any number of progress events; every event comes from the
 * loop, never from inside a call.
 *
 * All watches of a client share one engine.  A watch costs about 200 bytes and its account's
 * names, and nothing while it sleeps; equal accounts are asked about once, however many watches
 * follow them.  How the engine finds out is its affair: whatever takes the fewest requests, within the
 * rate of the client's governor (governor.h).
 *
 *   single look-ups   GET  /api/v1/connected_accounts/details
 *   lists             GET  /api/v1/connected_accounts: of one user, or all of up to 20 connections
 *   the event feed    POST /api/v1/events/paginated, where the environment has it
 *   webhooks          if the application has them delivered: webhook_deliver.h
 *
 * Failures do not end a watch: it looks again, after 1, 2, 4 … 30 seconds.
 *
 * Many accounts as one: watch_set.h.  Every account of a connection: watch_connection.h.  What the
 * engine does: watch_stats.h. */
#ifndef SCALEKIT_WATCH_H
#define SCALEKIT_WATCH_H

#include <scalekit/authorization_link.h>
#include <scalekit/connected_account.h>

SCALEKIT_BEGIN

/* What happened. */
enum scalekit_watch_event_kind {
    /* Progress: the watch goes on. */
    SCALEKIT_WATCH_LINK, /* scalekit_connect_account() only: send event->link to the user */
    SCALEKIT_WATCH_PENDING_VERIFICATION, /* the user consented; verify the user to go on */
    SCALEKIT_WATCH_UNKNOWN_STATUS, /* a status this version does not know; see event->status_text */
    SCALEKIT_WATCH_CHANGED, /* if asked for by `progress`: another status that settles nothing */

    /* Final: exactly one of these ends every watch; but the first two do not end one that was asked
     * to `follow`. */
    SCALEKIT_WATCH_SETTLED, /* event->status tells: ACTIVE, EXPIRED, REVOKED or DISCONNECTED */
    SCALEKIT_WATCH_ALREADY_ACTIVE, /* the first look found it ACTIVE: nothing has changed */
    SCALEKIT_WATCH_DELETED,        /* the account is gone: not found three times, 10 s apart */
    SCALEKIT_WATCH_LINK_EXPIRED,   /* the link ran out before the user used it */
    SCALEKIT_WATCH_DEADLINE, /* the time allowed ran out; event->status is the last one seen */
    SCALEKIT_WATCH_REFUSED, /* looking is not allowed: 401 after a fresh token, 403, or bad arguments */
    SCALEKIT_WATCH_FAILED, /* scalekit_connect_account() only: no account or no link; see event->error */
    SCALEKIT_WATCH_STOPPED /* scalekit_watch_stop(), or the client was freed */
};

/* How it was learned. */
enum scalekit_watch_source {
    SCALEKIT_WATCH_SOURCE_NONE,    /* by nobody: the clock, the application */
    SCALEKIT_WATCH_SOURCE_LOOK_UP, /* a request for this account alone */
    SCALEKIT_WATCH_SOURCE_LIST,    /* a list of accounts */
    SCALEKIT_WATCH_SOURCE_FEED,    /* the event feed */
    SCALEKIT_WATCH_SOURCE_WEBHOOK  /* a delivery: webhook_deliver.h */
};

/* One event.  Borrowed: everything here lives until the callback returns. */
struct scalekit_watch_event {
    size_t struct_size;
    enum scalekit_watch_event_kind kind;
    bool final;
    enum scalekit_account_status status; /* the last one seen */
    const char *status_text;             /* as the wire had it; NULL when none was seen */
    /* As just seen, without secrets; from the event feed or a delivery without what events do not
     * tell.  NULL when it was not. */
    const struct scalekit_connected_account *account;
    const struct scalekit_authorization_link *link; /* SCALEKIT_WATCH_LINK; else NULL */
    /* What the look that led to this event met; NULL when it went well, when it was not answered in
     * time, or when there was none. */
    const struct scalekit_error *error;
    int64_t looks;              /* how often the account was looked at for this watch */
    scalekit_time last_seen_at; /* when it was last seen, by our clock; 0: never */
    enum scalekit_account_status previous_status; /* the one before; UNKNOWN when none was seen */
    enum scalekit_watch_source source;
};

typedef void (*scalekit_watch_cb)(scalekit_watch *watch, const struct scalekit_watch_event *event,
                                  void *user);

/* Which account to follow, for how long, and what to be told; names and limits as in
 * connected_account.h. */
struct scalekit_watch_params {
    size_t struct_size;
    const char *connected_account_id; /* or the next two */
    const char *connection_name;
    const char *identifier;
    const char *organization_id;
    const char *user_id;
    /* Milliseconds until it ends with SCALEKIT_WATCH_DEADLINE, up to 30 days.  0: 30 seconds after
     * link_expiry, else the client's watch_deadline_ms; never, with `follow`.  At its end a watch
     * looks once more, for at most 5 seconds (15 while the governor holds requests back, 10 where it
     * leaves that to the event feed): a consent in the last moment still settles it. */
    int64_t deadline_ms;
    /* When the link the user has runs out, as scalekit_authorization_link has it.  0: unknown.  An
     * account that has not settled 30 seconds later, the time to finish on an open page, ends the
     * watch with SCALEKIT_WATCH_LINK_EXPIRED, whatever deadline_ms says beyond that. */
    scalekit_time link_expiry;
    /* What is known of the account already, of a result of get_or_create for example: what is
     * different settles the watch, even at the first look.  UNKNOWN (0): the first look is where it
     * starts from.  One that is ACTIVE then ends it with SCALEKIT_WATCH_ALREADY_ACTIVE. */
    enum scalekit_account_status known_status;
    /* The account's updated_at then; 0: not known.  With both, an event that is newer is believed at
     * once; without, one from the watch's first ten seconds has a look. */
    scalekit_time known_updated_at;
    /* What the account is when the watch starts does not settle it, ACTIVE included: it waits for
     * another status, or for an ACTIVE one with a newer updated_at. */
    bool until_reauthorized;
    bool progress; /* tell SCALEKIT_WATCH_CHANGED, too */
    /* Goes on after it has settled, and tells SCALEKIT_WATCH_SETTLED again for each other status that
     * settles; it then looks every watch_follow_interval_ms of the client.  It ends by
     * scalekit_watch_stop(), by its deadline_ms if it has one, or when the account is gone; once it
     * has settled, link_expiry does not end it any more. */
    bool follow;
};

/* Starts to follow an account.
 *
 *   params  copied
 *   cb      receives every event
 *   user    handed to it
 *
 * Returns the watch, valid until its final event has returned (hold a reference to keep it), or
 * NULL when it could not be accepted: the client is NULL or being freed, `cb` is NULL, memory ran
 * out.  Wrong arguments arrive as SCALEKIT_WATCH_REFUSED with the error. */
SCALEKIT_API scalekit_watch *scalekit_watch_account(scalekit_client *client,
                                                    const struct scalekit_watch_params *params,
                                                    scalekit_watch_cb cb, void *user);

/* Whom to connect. */
struct scalekit_connect_account_params {
    size_t struct_size;
    const char *connection_name; /* required */
    const char *identifier;      /* required */
    const char *organization_id;
    const char *user_id;
    const char *api_config;      /* for an account that is created; a JSON object as text */
    const char *state;           /* of the link; up to 512 characters */
    const char *user_verify_url; /* of the link; http(s)://, up to 2,048 characters */
    int64_t deadline_ms;         /* of the whole, as in scalekit_watch_params */
};

/* The whole way from a user to a usable account, as one watch: get or create the account; if it is
 * not ACTIVE, make a link and report it (SCALEKIT_WATCH_LINK); follow the account until the user
 * has consented.  An account that is ACTIVE already settles without a link.  One that was EXPIRED,
 * REVOKED or DISCONNECTED before settles only on what happens after the link was made.
 *
 * Parameters, result and ownership as scalekit_watch_account().  Errors of the first two steps
 * arrive as SCALEKIT_WATCH_FAILED. */
SCALEKIT_API scalekit_watch *scalekit_connect_account(
    scalekit_client *client, const struct scalekit_connect_account_params *params,
    scalekit_watch_cb cb, void *user);

/* Ends a watch.  Its final event, SCALEKIT_WATCH_STOPPED, comes from the loop; one that is on its
 * way already wins.  Does nothing on a watch that has ended, or on NULL. */
SCALEKIT_API void scalekit_watch_stop(scalekit_watch *watch);

/* Looks at the account now instead of at the next turn of the schedule: for an application that
 * knows that something happened, such as a redirect that came back.  Still within the rate of the
 * governor. */
SCALEKIT_API void scalekit_watch_look_now(scalekit_watch *watch);

/* Takes a reference: the handle stays valid until the last one is dropped.  Returns its argument. */
SCALEKIT_API scalekit_watch *scalekit_watch_ref(scalekit_watch *watch);

/* Drops a reference.  May be called after the client is gone.  NULL is ignored. */
SCALEKIT_API void scalekit_watch_unref(scalekit_watch *watch);

/* The last status seen; SCALEKIT_ACCOUNT_UNKNOWN before the first look. */
SCALEKIT_API enum scalekit_account_status scalekit_watch_status(const scalekit_watch *watch);

/* A static word for an event, "settled"; never NULL. */
SCALEKIT_API const char *scalekit_watch_event_name(enum scalekit_watch_event_kind kind);

SCALEKIT_END

#endif
