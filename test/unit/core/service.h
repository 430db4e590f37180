/* service.h - a Scalekit on loopback that answers by script.
 *
 * It runs on the test's own event_base.  Routes are "GET /path", without the query.  It signs in by
 * itself, with the tokens tok-1, tok-2, …; what a test did not script is answered 501. */
#ifndef TEST_CORE_SERVICE_H
#define TEST_CORE_SERVICE_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;

enum service_manner {
    SERVICE_ANSWERS,
    SERVICE_HANGS,  /* never answers */
    SERVICE_CLOSES, /* closes the connection instead */
    SERVICE_CUTS,   /* closes it after `bytes` of the answer */
    SERVICE_STALLS, /* falls silent after `bytes` of the answer */
    SERVICE_HALTS,  /* sends `bytes` of the answer, and the rest at service_release() */
    SERVICE_WAITS   /* answers at service_release() */
};

struct service_answer {
    int status;
    const char *body;    /* borrowed; NULL: none */
    const char *headers; /* borrowed; more of them, each ending in CR LF; NULL: none */
    enum service_manner manner;
    size_t bytes;
};

struct service_request {
    char *route;  /* "GET /path" */
    char *target; /* "/path?query" */
    char *head;   /* the header lines, each ending in CR LF */
    char *body;   /* "" when there was none */
};

struct service *service_new(struct event_base *base);
void service_free(struct service *service);
uint16_t service_port(const struct service *service);

/* What a route answers: each of these once, in order, and then always that. */
void service_once(struct service *service, const char *route, struct service_answer answer);
void service_always(struct service *service, const char *route, struct service_answer answer);

void service_release(struct service *service); /* sends every answer that waits */
void service_rest(struct service *service);    /* leaves the loop, its connections open */
void service_stop(struct service *service);    /* ends its connections and takes no more */

unsigned service_connections(const struct service *service); /* accepted so far */
/* How many requests came for a route; NULL: for all but the sign-in. */
unsigned service_count(const struct service *service, const char *route);
/* The n-th of them, from 0; ends the test when there is none. */
const struct service_request *service_request(const struct service *service, const char *route,
                                              unsigned n);
/* Runs the loop until that many came. */
void service_until(struct service *service, const char *route, unsigned count);

/* Whether a request had exactly this header line, "accept: application/json". */
bool service_had(const struct service_request *request, const char *line);
/* Whether it had a header of that (lower-case) name. */
bool service_named(const struct service_request *request, const char *name);

#define SIGN_IN "POST /oauth/token"
#define DETAILS "GET /api/v1/connected_accounts/details"
#define AUTH    "GET /api/v1/connected_accounts/auth"
#define DELETE  "POST /api/v1/connected_accounts:delete"
#define CREATE  "POST /api/v1/connected_accounts"
#define UPDATE  "PUT /api/v1/connected_accounts"
#define LIST    "GET /api/v1/connected_accounts"
#define SEARCH  "GET /api/v1/connected_accounts:search"
#define VERIFY  "POST /api/v1/connected_accounts/user/verify"
#define LINK    "POST /api/v1/connected_accounts/magic_link"
#define TOOL    "POST /api/v1/execute_tool"

/* What every operation takes for a success (an account, a link), and an error of the gateway's
 * shape. */
#define ACCOUNT_BODY                                                                               \
    "{\"connected_account\":{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"connector\":\"gmail\","   \
    "\"status\":\"ACTIVE\"},\"link\":\"https://acme.example/l\"}"
#define ERROR_BODY "{\"code\":2,\"message\":\"it failed\",\"details\":[]}"

#endif
