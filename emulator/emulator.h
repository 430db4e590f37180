/* emulator.h - a Scalekit environment on a laptop, in this process.
 *
 * An HTTP(S) server on the caller's loop that answers as Scalekit does.  State is in memory; it
 * listens on loopback only.  Samples, the demo and the tests use it; the program `scalekit-emulator`
 * is a thin shell around it.
 *
 *   sign-in              tokens that are good for config.token_life_s
 *   connected accounts   made, changed, listed and searched; fast with 100,000 of them
 *   authorization links  with a consent page to click, scripts that click it, and the verification
 *                        of users
 *   connections          drafts until they are configured; switched on and off.  An account that
 *                        names a new one makes it, complete and switched on
 *   providers            five of Scalekit's to begin with, and custom ones
 *   tools                gmail_fetch_mails and echo run, and any that is added echoes; versions,
 *                        searches, and what fits a user's accounts
 *   MCP                  configurations, their instances, servers and session tokens: kept and
 *                        shown, but MCP itself is not spoken
 *   events, tool calls   the last 10,000 of each, in pages, and the calls counted over time
 *   webhooks             each event is signed and sent to the endpoints on this machine that want it,
 *                        tried again as the service does; lost, doubled, late and out of order by
 *                        script
 *   proxied requests     answered by a small Gmail, which can be called with an account's token as
 *                        well, and for other providers with what was asked
 *
 * An access token that ran out is renewed when it is asked for.  Nothing leaves this machine, and no
 * secret of a connection is kept.
 *
 * It shares no code with the library: what it says is written from the service's description, so
 * that a mistake in the library's tables does not cancel itself out here. */
#ifndef SCALEKIT_EMULATOR_H
#define SCALEKIT_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
typedef struct scalekit_emulator scalekit_emulator;

/* What a function below does can also be asked for by HTTP, at the path it names; GET /_emulator
 * lists these.  Accounts are named by "connector", or "connection_name", and "identifier"; a member
 * that an endpoint does not know is refused with 400. */

/* Told of every request that was answered: method, path without the query and without secrets, and
 * status (0: closed unanswered).  Borrowed; it must not free the emulator. */
typedef void (*scalekit_emulator_log_cb)(const char *method, const char *path, int status,
                                         void *user);

/* What the user behind a link does. */
enum scalekit_consent {
    SCALEKIT_CONSENT_MANUAL,  /* nothing: somebody opens the page */
    SCALEKIT_CONSENT_APPROVE, /* the account turns ACTIVE (or PENDING_VERIFICATION) */
    SCALEKIT_CONSENT_DENY,    /* nothing changes; the link is used up */
    SCALEKIT_CONSENT_EXPIRE,  /* the account turns EXPIRED */
    SCALEKIT_CONSENT_REVOKE   /* the account turns REVOKED */
};

struct scalekit_emulator_config {
    uint16_t port; /* 0: any free one */
    /* Where ca.pem, server.pem and server.key are, made when missing and anew when they run out.
     * Files that it did not make are neither used nor replaced: the start fails.  NULL: HTTP. */
    const char *tls_dir;
    const char *client_id;     /* NULL: "skc_emulator" */
    const char *client_secret; /* NULL: "test_emulator_secret" */
    int64_t token_life_s;      /* 0: 86,399 */
    int64_t link_life_s;       /* 0: 600 */
    /* Custom user verification.  A consent to OAuth leads to PENDING_VERIFICATION, and its page on to
     * the link's user_verify_url with auth_request_id and state, until the application has named
     * the right user; another is refused with 403, and changes nothing.  The page of a link without
     * that URL fails. */
    bool verify_users;
    scalekit_emulator_log_cb log; /* NULL: none */
    void *log_user;
};

/* Starts it on the caller's loop.  `config` NULL: plain HTTP and every default.  `error` (may be
 * NULL) gets a sentence when it fails, and the result is NULL.
 *
 * A client that vanishes raises no SIGPIPE under TLS.  Over plain HTTP one can in two rare cases,
 * after a malformed request and before the end of a very large answer: a program that embeds a
 * plain emulator may want to ignore the signal. */
scalekit_emulator *scalekit_emulator_start(struct event_base *base,
                                           const struct scalekit_emulator_config *config,
                                           char *error, size_t error_size);
/* Closes the listener and every connection. NULL is ignored. */
void scalekit_emulator_free(scalekit_emulator *emulator);

/* What a client needs.  Borrowed; the URL is "https://127.0.0.1:41234", the CA file NULL without
 * TLS. */
const char *scalekit_emulator_url(const scalekit_emulator *emulator);
const char *scalekit_emulator_client_id(const scalekit_emulator *emulator);
const char *scalekit_emulator_client_secret(const scalekit_emulator *emulator);
const char *scalekit_emulator_ca_file(const scalekit_emulator *emulator);

/* What happens to every link made from now on, `after_ms` after it was made.  The admin endpoint
 * POST /_emulator/consent {"connector","identifier","consent","after_ms"} does the same, for one
 * account when it names one. */
void scalekit_emulator_script_consent(scalekit_emulator *emulator, enum scalekit_consent consent,
                                      int64_t after_ms);

/* The same for one account's links, made or yet to come; it wins over the general script. */
bool scalekit_emulator_script_account(scalekit_emulator *emulator, const char *connection_name,
                                      const char *identifier, enum scalekit_consent consent,
                                      int64_t after_ms);

/* Puts an account in a state, made if there is none: "ACTIVE", "PENDING_AUTH", any word at all.
 * Also POST /_emulator/status {"connector","identifier","status"}. */
bool scalekit_emulator_set_status(scalekit_emulator *emulator, const char *connection_name,
                                  const char *identifier, const char *status);

/* Makes every access token invalid, as a rotation does: the next calls are answered 401.  Also POST
 * /_emulator/revoke_tokens. */
void scalekit_emulator_revoke_tokens(scalekit_emulator *emulator);

/* The next `times` requests whose path begins with `path_prefix` are answered with this instead.
 * `body` is JSON; NULL: an error body that fits the status.  Status 0: the connection is closed
 * unanswered.  The admin endpoint POST /_emulator/fail {"path_prefix","times","status","body",
 * "delay_ms"} can also make them wait, and without a status only that. */
bool scalekit_emulator_fail_next(scalekit_emulator *emulator, const char *path_prefix, int times,
                                 int status, const char *body);

/* What was asked so far; also GET /_emulator/stats. */
struct scalekit_emulator_stats {
    uint64_t requests; /* every request, whatever became of it */
    uint64_t sign_ins; /* POST /oauth/token that succeeded */
    uint64_t lookups;  /* details and auth */
    uint64_t creates, updates, deletes, links, tool_calls;
    uint64_t proxied, proxied_bytes; /* requests, and what their bodies had */
    uint64_t accounts, active;       /* now, as what follows */
    uint64_t connections, providers, tools, mcp_configs, mcp_instances, mcp_servers;
    /* Of webhooks, since the start; `pending` is now, and each delivery ends as one of the others
     * in its line. */
    uint64_t deliveries, delivery_attempts;
    uint64_t delivered, given_up, lost, dropped, pending;
};
void scalekit_emulator_stats(const scalekit_emulator *emulator,
                             struct scalekit_emulator_stats *stats);

/* --- webhooks ---------------------------------------------------------------------------------- */

/* An endpoint that is sent each event of a connected account: a POST of the event, with webhook-id,
 * webhook-timestamp and webhook-signature of Standard Webhooks.  An answer of 2xx is a success.
 * After anything else, or none, it is tried again 5 s, 30 s, 2 min, 5 min and 15 min after the
 * attempt before, with the same id and another timestamp; then it is given up.
 *
 * First attempts are made in the order of the events, but one that is under way holds up no other:
 * with more than one connection they may arrive in another order.
 *
 * What goes wrong by script is drawn for each delivery from `seed` alone, so that the n-th one of
 * an endpoint always meets the same. */
struct scalekit_emulator_webhook {
    const char *url;     /* http:// or https:// on 127.0.0.1, localhost or [::1] */
    const char *secret;  /* "whsec_" and 24 to 64 bytes in base64; NULL: one is made */
    const char *ca_file; /* who signs an https:// endpoint's certificate; NULL: the emulator's own
                          * ca.pem, with which its server.pem and server.key can be used */
    /* Percentages of the deliveries, 0 to 100 each. */
    int loss;         /* never sent, nor tried again */
    int duplicate;    /* sent once more when delivered; that is not tried again */
    int reorder;      /* sent behind the next one, or alone after 1 s */
    int delay;        /* sent delay_ms late */
    int64_t delay_ms; /* 0: 5,000; at most a day */
    uint64_t seed;
    /* Makes all these waits, the schedule's too, so many times shorter, but not answer_ms: to
     * 1,000,000,000; 0: 1. */
    int64_t speed;
    int64_t answer_ms; /* how long an answer may take, to 600,000; 0: 10,000 */
    int connections;   /* at once, kept between deliveries: 1 to 64; 0: 8 */
};

/* From now on the endpoint is told, at most 16 of them.  One of the same URL that is there gets all
 * of it anew but its ca_file, and its secret only when there is one.  False, with a sentence in
 * `error` (may be NULL), when something above is not kept.  Also POST /_emulator/webhook with the
 * members of the structure but ca_file; answered with the secret. */
bool scalekit_emulator_add_webhook(scalekit_emulator *emulator,
                                   const struct scalekit_emulator_webhook *webhook, char *error,
                                   size_t error_size);

/* Borrowed until it changes; NULL: there is no such endpoint. */
const char *scalekit_emulator_webhook_secret(const scalekit_emulator *emulator, const char *url);

enum scalekit_delivery_outcome {
    SCALEKIT_DELIVERY_PENDING,
    SCALEKIT_DELIVERY_DELIVERED, /* a duplicate may be still to come */
    SCALEKIT_DELIVERY_GIVEN_UP,  /* after six attempts */
    SCALEKIT_DELIVERY_LOST,      /* by script */
    SCALEKIT_DELIVERY_DROPPED    /* 100,000 were pending, of all endpoints together */
};

/* One line of the journal.  Texts are borrowed until the loop goes on. */
struct scalekit_emulator_delivery {
    const char *id; /* "msg_...", the same in each attempt */
    const char *event_id, *event_type;
    const char *url; /* of the endpoint */
    int attempts;    /* begun so far, with the duplicate's */
    int status;      /* of the latest answer; 0: none came */
    enum scalekit_delivery_outcome outcome;
};

/* Line `number` of the journal, counted from 1 as stats.deliveries counts.  False: not yet, or not
 * any more; the last 10,000 are kept.  GET /_emulator/deliveries shows pages of it, newest first,
 * of one "outcome" or "event_id" when the query has it. */
bool scalekit_emulator_delivery(const scalekit_emulator *emulator, uint64_t number,
                                struct scalekit_emulator_delivery *delivery);

/* "approve" and so on; -1 when there is none. */
int scalekit_consent_parse(const char *word);

#endif
