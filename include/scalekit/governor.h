/* scalekit/governor.h - how fast requests go out, and who goes first when not all can.
 *
 * Scalekit limits the requests per minute of an environment and publishes no number.  A governor
 * keeps all requests of an environment within it:
 *
 *   no limit known   nothing is held back: a client that was told no ceiling and never got a 429
 *                    pays next to nothing for its governor
 *   a ceiling        max_requests_per_minute: never more are sent within any 60 s
 *   a 429            the rate is cut to 0.7 of what it was and grows again along a cubic curve;
 *                    five minutes without another one and it is forgotten
 *   Retry-After, or x-ratelimit-remaining: 0 with x-ratelimit-reset
 *                    nothing at all is sent until then, five minutes at most
 *
 * A tool's 429, and whatever a provider says through the proxy, is no concern of the governor.
 *
 * What may not go yet waits, within its deadline, in SCALEKIT_PHASE_QUEUE.  Classes of requests take
 * turns by weight; nobody starves.  docs/governor.md has the mechanism.
 *
 * Every client has a governor of its own.  Clients of one environment in one process, on whatever
 * threads, should share one: make it here and name it in their configurations. */
#ifndef SCALEKIT_GOVERNOR_H
#define SCALEKIT_GOVERNOR_H

#include <scalekit/client.h>

SCALEKIT_BEGIN

/* What a request is for.  While requests wait, classes go out in proportion to their weights. */
enum scalekit_request_class {
    SCALEKIT_CLASS_INTERACTIVE, /* 8: every operation but those below */
    SCALEKIT_CLASS_TOKEN,       /* 4: the sign-in, which others wait for */
    SCALEKIT_CLASS_TOOL,        /* 4: scalekit_execute_tool(), scalekit_proxy_request() */
    SCALEKIT_CLASS_WATCH,       /* 2: the looks of watches; at most 60 % while others wait */
    SCALEKIT_CLASS_BACKGROUND   /* 1: what nobody waits for */
};

/* The length of what is counted by class; it leaves room for more. */
#define SCALEKIT_CLASSES 8

/* A static word for a class, "interactive"; never NULL. */
SCALEKIT_API const char *scalekit_request_class_name(enum scalekit_request_class request_class);

struct scalekit_governor_config {
    size_t struct_size;
    unsigned max_requests_per_minute; /* 0: no ceiling; at most 1,000,000 */
    /* NULL: the C library's allocator, the system's clock.  Both are called from the threads of all
     * clients. */
    const struct scalekit_allocator *allocator;
    const struct scalekit_clock *clock;
};

/* Makes a governor for the clients of one environment.
 *
 *   out      the governor; yours, free it with scalekit_governor_free().  NULL when it failed.
 *   config   copied; NULL: no ceiling
 *   problem  NULL, or set to a static sentence that names the member that is wrong.
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: out is NULL, or a member of config is out of range;
 * SCALEKIT_ERR_NOMEM. */
SCALEKIT_API scalekit_err scalekit_governor_new(scalekit_governor **out,
                                                const struct scalekit_governor_config *config,
                                                const char **problem);

/* Gives it back.  It lives on until the last of its clients is freed.  May be called at any time, on
 * any thread, once.  NULL is ignored. */
SCALEKIT_API void scalekit_governor_free(scalekit_governor *governor);

/* The governor of a client, its own or the shared one, to ask it below.  Borrowed from the client. */
SCALEKIT_API scalekit_governor *scalekit_client_governor(const scalekit_client *client);

/* How things stand. */
struct scalekit_governor_stats {
    size_t struct_size;
    unsigned max_requests_per_minute; /* the ceiling; 0: none */
    unsigned clients;
    double rate;           /* requests a minute that may go now; 0: no limit is known */
    double measured;       /* requests a minute that did go, lately */
    int64_t parked_ms;     /* how long nothing will be sent; 0: it is not parked */
    uint64_t rate_limited; /* answers of Scalekit's with 429, so far */
    /* By enum scalekit_request_class. */
    uint64_t sent[SCALEKIT_CLASSES];    /* attempts let go, so far */
    unsigned waiting[SCALEKIT_CLASSES]; /* for their turn */
};

/* scalekit_governor_get_stats() for a structure of that size: a library that has grown fills no more
 * than the program has. */
SCALEKIT_API void scalekit_governor_read_stats(scalekit_governor *governor,
                                               struct scalekit_governor_stats *stats,
                                               size_t struct_size);

/* Fills `stats`; all of it is 0 when the governor is NULL.  On any thread. */
static inline void scalekit_governor_get_stats(scalekit_governor *governor,
                                               struct scalekit_governor_stats *stats)
{
    scalekit_governor_read_stats(governor, stats, sizeof *stats);
}

SCALEKIT_END

#endif
