/* scalekit/client.h - one environment of Scalekit, on one event loop. */
#ifndef SCALEKIT_CLIENT_H
#define SCALEKIT_CLIENT_H

#include <scalekit/error.h>
#include <scalekit/log.h>
#include <scalekit/request.h>

SCALEKIT_BEGIN

/* Where a client takes its memory.  Each function behaves as its namesake of the C library, and
 * may return NULL: what needed the memory then fails with SCALEKIT_ERR_NOMEM.  They are called on
 * the client's thread only, but for one case: see scalekit_client_release().  Memory inside libevent,
 * OpenSSL and c-ares is theirs to place (event_set_mem_functions() and so on). */
struct scalekit_allocator {
    void *(*malloc)(size_t size, void *user);
    void *(*realloc)(void *old, size_t size, void *user);
    void (*free)(void *memory, void *user);
    void *user;
};

/* Where a client takes the time and its dice.  For tests; see scalekit_client_run_timers(). */
struct scalekit_clock {
    int64_t (*monotonic_us)(void *user); /* microseconds, never going back, from any start */
    int64_t (*wall_us)(void *user);      /* microseconds since 1970 */
    uint64_t (*random)(void *user);      /* 64 random bits, for jitter */
    void *user;
};

/* How a client is set up.  Start from SCALEKIT_PARAMS, or from scalekit_config_from_env(); what is
 * left 0 or NULL has the default said beside it.  Everything is copied by scalekit_client_new(). */
struct scalekit_config {
    size_t struct_size;

    /* Required. */
    const char *env_url;       /* "https://acme.scalekit.dev"; http:// only for a loopback host */
    const char *client_id;     /* "skc_…"; up to 1,000 bytes */
    const char *client_secret; /* up to 4,000 bytes, kept in memory that is cleansed when freed */

    /* Trust and identity. */
    const char *ca_file;     /* PEM file of the authorities to trust instead of the system's */
    const char *user_agent;  /* "myserver/1.2", put before the library's own; up to 200 bytes */
    const char *api_version; /* SCALEKIT_API_VERSION */
    const char *dns_servers; /* "10.0.0.2,10.0.0.3:5300" instead of the system's */

    /* Time, in milliseconds, each at most a day; connect_timeout_ms at most 10 minutes. */
    int64_t deadline_ms;        /* 20,000: total time of a request */
    int64_t tool_deadline_ms;   /* 60,000: total time of a tool call */
    int64_t connect_timeout_ms; /* 10,000: until connected and shaken hands */
    int64_t idle_timeout_ms;    /* 240,000: until an idle connection is closed */

    /* Limits. */
    unsigned max_connections;  /* 64; at most 1,024; of HTTP/2 no more than 4 of them */
    unsigned max_queue;        /* 10,000 waiting for a connection, or a turn; at most 10,000,000 */
    int max_retries;           /* 2; at most 10; -1 for none */
    size_t max_response_bytes; /* 8 MiB; at most 1 GiB */
    unsigned max_submitted;    /* 4,096 functions of scalekit_submit() waiting; at most 1,048,576 */
    bool http1_only;           /* false: HTTP/2 wherever the server speaks it */

    /* The rate: see governor.h.  A governor that is shared has the ceiling, not its clients. */
    unsigned max_requests_per_minute; /* 0: no ceiling; at most 1,000,000 in any 60 s */
    scalekit_governor *governor;      /* NULL: the client's own; it keeps a reference */

    /* When a watch looks, in milliseconds, each at most a day; watch_deadline_ms at most 30. */
    int64_t watch_first_check_ms;     /* 2,000 after its start */
    int64_t watch_interval_ms;        /* 3,000 during its first minute */
    int64_t watch_fast_period_ms;     /* 60,000: that minute; then a pause is 1.5 times the last */
    int64_t watch_max_interval_ms;    /* 30,000 */
    int64_t watch_follow_interval_ms; /* 120,000: of those that go on after they have settled */
    int64_t watch_deadline_ms;        /* 900,000: without a deadline and a link expiry of its own */

    /* Surroundings.  NULL: no log, the C library's allocator, the system's clock. */
    enum scalekit_log_level log_level;
    scalekit_log_cb log;
    void *log_user;
    const struct scalekit_allocator *allocator;
    const struct scalekit_clock *clock;
};

/* scalekit_config_from_env() for a structure of that size: a library that has grown fills no more
 * than the program has. */
SCALEKIT_API scalekit_err scalekit_config_read_env(struct scalekit_config *config,
                                                   size_t struct_size, const char **problem);

/* Fills `config` from the environment: SCALEKIT_ENV_URL (or SCALEKIT_ENVIRONMENT_URL),
 * SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET, and, when set, SCALEKIT_CA_FILE and SCALEKIT_LOG (a
 * level name).  Every other member is 0.
 *
 *   problem  NULL, or set to a static sentence that begins with the name of the variable that is
 *            missing or wrong, "SCALEKIT_ENV_URL is not set"; NULL when it succeeds.
 *
 * The strings are the environment's own: do not change it before the client is made.
 * Returns SCALEKIT_OK, or SCALEKIT_ERR_INVALID: a variable is missing or empty, or SCALEKIT_LOG is
 * no level. */
static inline scalekit_err scalekit_config_from_env(struct scalekit_config *config,
                                                    const char **problem)
{
    return scalekit_config_read_env(config, sizeof *config, problem);
}

/* Makes a client on the caller's loop.  Connects to nothing yet.
 *
 *   out      the client; yours, free it with scalekit_client_free().  NULL when it failed.
 *   base     the loop; borrowed, it must outlive the client.  One thread runs it, and only that
 *            thread may touch the client; others have scalekit_submit().  Several clients may share
 *            it.
 *   config   copied
 *   problem  NULL, or set to a static sentence that names the member that is wrong.
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: a required member is missing, a value is out of range,
 * the URL is neither https:// nor http:// of a loopback host, or has a user, a query or a fragment;
 * SCALEKIT_ERR_TLS: ca_file cannot be read or holds no certificate; SCALEKIT_ERR_NOMEM. */
SCALEKIT_API scalekit_err scalekit_client_new(scalekit_client **out, struct event_base *base,
                                              const struct scalekit_config *config,
                                              const char **problem);

/* Frees a client and everything on it.  Every pending request completes with SCALEKIT_ERR_CLOSED
 * and every watch ends with SCALEKIT_WATCH_STOPPED before this returns; called from inside a
 * callback of this client, they do so right after that callback has returned.  What was given to
 * scalekit_submit() and has not run is called then, too, with a client of NULL.  No new request is
 * accepted meanwhile.  Handles that are held by reference stay valid, and know their error; for the
 * client itself see scalekit_client_hold().  NULL is ignored. */
SCALEKIT_API void scalekit_client_free(scalekit_client *client);

/* Signs in now instead of with the first request.  It completes when a token is at hand.  Errors:
 * SCALEKIT_ERR_SIGN_IN and those of the network.  HTTP: POST /oauth/token. */
SCALEKIT_API scalekit_request *scalekit_client_warm(scalekit_client *client, scalekit_done_cb cb,
                                                    void *user);

/* The environment's URL without a trailing '/'.  Borrowed from the client. */
SCALEKIT_API const char *scalekit_client_env_url(const scalekit_client *client);

/* --- for programs that bring their own clock --------------------------------------------------- */

/* When the next timer of the client is due, in microseconds of its monotonic clock; INT64_MAX when
 * there is none.  It may be a little early: the client then finds nothing to do. */
SCALEKIT_API int64_t scalekit_client_next_timer(const scalekit_client *client);

/* Runs every timer that is due by the client's clock.  With an injected clock, move it and call
 * this; with the system's clock it is never needed.  Callbacks still come from the loop. */
SCALEKIT_API void scalekit_client_run_timers(scalekit_client *client);

SCALEKIT_END

#endif
