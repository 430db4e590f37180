/* postman.h - signs events of accounts and hands them to a client, and keeps a book of what its
 * handler was told: each once, from the loop. */
#ifndef TEST_WATCH_POSTMAN_H
#define TEST_WATCH_POSTMAN_H

#include "unit/core/fixture.h"

#define POSTMAN_SECRET "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"
#define POSTMAN_OTHER  "whsec_GBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIB"

/* What is posted.  What is left out is said beside it. */
struct letter {
    const char *id;                      /* of the delivery; "msg_" and the event's */
    const char *event_id;                /* one that is new */
    const char *type;                    /* "status_updated" */
    const char *account;                 /* "ca_1" */
    const char *connection, *identifier; /* "gmail", "user_1" */
    const char *status;                  /* "ACTIVE" */
    int64_t ago_ms;                      /* how long ago it occurred; -1: not said */
    int64_t sent_ago_s;
    const char *secret; /* POSTMAN_SECRET */
    const char *body;   /* all of it, instead of an event */
    bool interceptor;
};

struct postman {
    struct fixture *fixture;
    scalekit_client *client; /* the fixture's */
    unsigned events;         /* so far, for their ids */
    char book[2048];         /* "evt_1 ACTIVE, evt_2 ACTIVE overtaken, " */
    unsigned told;
    bool inside;                          /* scalekit_webhook_deliver() is running */
    void (*act)(struct postman *postman); /* NULL, or what to do inside every call of the handler */
    void *user;
};

/* Accepts POSTMAN_SECRET. */
void postman_begin(struct postman *postman, struct fixture *fixture);
/* Accepts another one instead. */
void postman_accept(struct postman *postman, const char *secret);

enum scalekit_webhook_verdict postman_post(struct postman *postman, const struct letter *letter);

#define POST(postman, ...) postman_post(postman, &(struct letter){__VA_ARGS__})

#endif
