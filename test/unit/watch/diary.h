/* diary.h - what one watch was told, and that it was told by the rules: from the loop, nothing after
 * its one final event, and in every event what goes with its kind. */
#ifndef TEST_WATCH_DIARY_H
#define TEST_WATCH_DIARY_H

#include "unit/core/fixture.h"

#define DIARY_PAGES 16

/* One event; what was borrowed is copied. */
struct page {
    enum scalekit_watch_event_kind kind;
    enum scalekit_account_status status, previous;
    enum scalekit_watch_source source;
    int64_t at_ms, looks;
    scalekit_time seen_at;
    char status_text[40]; /* "" when there was none, as in all that follow */
    char account[40];     /* its id */
    char link[80];
    scalekit_err code; /* of the error; SCALEKIT_OK */
    char parameter[40];
};

struct diary {
    struct fixture *fixture;
    scalekit_watch *watch; /* NULL: not accepted, or ended */
    struct page pages[DIARY_PAGES];
    unsigned n;
    unsigned finals;
    bool ended;
    bool follows, knows; /* it was asked to follow; it was told a status to start with */
    void (*act)(struct diary *diary); /* NULL, or what to do inside every callback */
    void *user;
};

/* Start a watch that writes into the diary; it must not call back meanwhile. */
void diary_watch(struct diary *diary, const struct scalekit_watch_params *params);
void diary_connect(struct diary *diary, const struct scalekit_connect_account_params *params);
void diary_follow(struct diary *diary, const char *identifier); /* of "gmail" */
void diary_stop(struct diary *diary);

/* Whether the events so far were these, "pending_verification settled". */
bool diary_reads(const struct diary *diary, const char *names);
/* The last one; ends the test when there is none. */
const struct page *diary_last(const struct diary *diary);

/* --- what the service says --------------------------------------------------------------------- */

#define ACCOUNT(status)                                                                            \
    "{\"connected_account\":{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"connector\":\"gmail\","   \
    "\"status\":\"" status "\"}}"

/* The test's clock begins at 10:00. */
#define LINK_URL           "https://acme.scalekit.dev/magicLink/1"
#define LINK_BODY          "{\"link\":\"" LINK_URL "\",\"expiry\":\"2026-08-21T10:10:00Z\"}"

#define ANSWER(code, text) ((struct service_answer){.status = (code), .body = (text)})

/* The account's look-ups: each of these statuses once, and then always the last. */
#define MOST_STATUSES 8
void script_statuses(struct fixture *fixture, const char *const statuses[MOST_STATUSES]);

#endif
