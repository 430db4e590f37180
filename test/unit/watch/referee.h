/* referee.h - an application whose every watch is judged by what was true in the realm.
 *
 * At each event and at the end it asserts that
 *
 *   - a watch ends exactly once, nothing follows, and nothing is told from inside a call
 *   - it ends in time, by its deadline or 30 s after its link, and 5 s for the last look; not early
 *   - what it is told was true, at most the realm's lag and one answer ago
 *   - a status that settles and stays is not missed: PROMISE_MS of a service that works suffice, and
 *     while deliveries flow, the guard; however many of them are lost
 *   - DELETED, REFUSED, FAILED and STOPPED have their reasons
 *   - progress is told once per change, LINK before all else
 *   - ALREADY_ACTIVE is what began as ACTIVE, SETTLED what did not, or has changed
 *   - each delivery has the verdict it deserves; what is GOOD reaches the handler exactly once and in
 *     order, also when the client is freed meanwhile, and nothing else does
 *   - what a delivery is said to have told one has told, and nothing that is older than what was told
 *   - at the end no memory is live, and nothing holds the loop
 *
 * The first fault is kept as text; what follows it is not judged. */
#ifndef TEST_WATCH_REFEREE_H
#define TEST_WATCH_REFEREE_H

#include "unit/watch/endpoint.h"
#include "unit/watch/realm.h"

#define PROMISE_MS       80000  /* a sign-in that hangs, 40 s, and the longest pause after it */
#define REFEREE_SLACK_MS 40     /* ticks of the wheel, and rounding */
#define REFEREE_USUAL_MS 900000 /* of a watch without a limit of its own */
/* Behind its end, for a last look; longer where the governor holds requests back. */
#define REFEREE_LATE_MS (15000 + REFEREE_SLACK_MS)

struct referee;

/* How a watch is asked to follow an account. */
struct terms {
    unsigned id;         /* only the account with that one; 0: by name */
    int64_t deadline_ms; /* as in scalekit_watch_params, as is what follows */
    scalekit_time link_expiry;
    enum scalekit_account_status known_status;
    scalekit_time known_updated_at;
    int64_t known_ms; /* when it was like that; meaningless without */
    bool until_reauthorized, progress, follow;
};

/* One watch, from its start to the end of the run. */
struct sight {
    struct referee *referee;
    scalekit_watch *watch; /* NULL: gone */
    struct realm_account *account;
    struct terms terms;
    bool connects; /* scalekit_connect_account() */
    bool linked;   /* and has its link */
    bool wrong;    /* its parameters are */
    bool stopped;  /* by the application */
    unsigned refs; /* the application's own */
    unsigned finals;
    enum scalekit_watch_event_kind end; /* once finals is 1 */
    int64_t start_ms, link_ms, end_ms;
    int64_t deadline_ms; /* of the monotonic clock; INT64_MAX: its link ends it */
    int64_t usable_ms;   /* the same for the end of the link and of its grace */
    int64_t limit_ms;    /* it must have ended */
    char word[40];       /* of the last status told as progress; "" */
    int64_t word_ms;     /* when it was like that, at the latest */
    char settled[40];    /* the status it settled as last; "" */
    int64_t settled_ms;  /* likewise */
    unsigned moment;     /* of the account: the first that can be what was told last */
};

/* A delivery that was GOOD. */
struct receipt {
    char id[24], event_id[24], type[64];
    const struct realm_account *account;
    unsigned moment;
    int64_t taken_ms, occurred_us;
    bool has_status; /* it tells a status that is known */
};

struct referee {
    struct realm *realm;
    struct test_memory memory;
    struct event_base *base;
    scalekit_client *client; /* NULL: freed */
    bool client_freed;       /* or about to be, by the application */
    bool inside;             /* a call is running that must not call back */
    struct sight *sights;
    unsigned n, room, running;
    unsigned kinds[32], sources[8]; /* events by kind, and by source */
    /* Inside every callback, of a watch or (NULL) of the handler of deliveries; NULL. */
    void (*act)(struct sight *sight, void *user);
    void *user;
    bool trace; /* to standard output */
    char fault[240];

    struct endpoint *endpoint; /* NULL: nothing is posted */
    struct receipt *receipts;  /* in the order in which they came */
    unsigned n_receipts, room_receipts;
    unsigned n_told;       /* of them the handler has had so many */
    unsigned verdicts[16]; /* deliveries by verdict */
};

/* Makes the client.  `config` says when to look; clock, memory and service are filled in. */
void referee_open(struct referee *referee, struct realm *realm, struct event_base *base,
                  const struct scalekit_config *config, unsigned most_sights);
/* Ends what is left and judges the whole. */
void referee_close(struct referee *referee);

/* Start a watch.  NULL: the client is gone, or there are enough. */
struct sight *referee_follow(struct referee *referee, struct realm_account *account,
                             const struct terms *terms);
struct sight *referee_follow_nobody(struct referee *referee); /* parameters that are refused */
struct sight *referee_connect(struct referee *referee, struct realm_account *account,
                              int64_t deadline_ms);
void referee_stop(struct sight *sight);
void referee_look(struct sight *sight);
void referee_ref(struct sight *sight);
void referee_unref(struct sight *sight);
void referee_free_client(struct referee *referee); /* also in a callback */

/* The clocks jump: what was due meanwhile is due now. */
void referee_jump(struct referee *referee, int64_t monotonic_ms, int64_t wall_ms);

/* Everything that happens at this moment happens. */
void referee_settle(struct referee *referee);
/* On to the next moment at which something happens, or `end_ms`, when false is returned. */
bool referee_step(struct referee *referee, int64_t end_ms);
void referee_run(struct referee *referee,
                 int64_t end_ms); /* until then, or until no watch is left */

/* The first fault of a run is kept; `sight` may be NULL. */
void referee_fault(struct referee *referee, const struct sight *sight, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line of the story, while it is traced. */
void referee_say(const struct referee *referee, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* courier.c: from now on the client is posted what the endpoint has. */
void referee_subscribe(struct referee *referee, struct endpoint *endpoint);
void referee_post(struct referee *referee); /* what arrives now */
void referee_hand_in(struct referee *referee, const struct mail *mail);
/* When the next arrives; INT64_MAX. */
int64_t referee_next_post_ms(const struct referee *referee);
/* Whether deliveries told of statuses lately, at some time from one to the other. */
bool referee_is_told(const struct referee *referee, int64_t from_ms, int64_t to_ms);
void referee_check_post(struct referee *referee); /* the client is gone: everything was told */

/* verdict.c: is it true, and is it time? */
void referee_judge(struct sight *sight, const struct scalekit_watch_event *event);
void referee_end(struct sight *sight, const struct scalekit_watch_event *event); /* final */
/* When a link that runs out then, by the client's clock, ends a watch. */
int64_t referee_usable_ms(const struct referee *referee, scalekit_time link_expiry);
bool referee_is_final(const struct sight *sight, enum scalekit_watch_event_kind kind);

#endif
