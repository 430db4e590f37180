/* scalekit/user_verification.h - the page of yours to which Scalekit sends a user who has consented.
 *
 * A link can be opened by anybody who gets hold of it.  Where an environment has custom user
 * verification, a consent therefore counts only when your application has said who consented:
 *
 *   1. scalekit_connect_account() or scalekit_get_authorization_link(), with a `state` and with
 *      your `user_verify_url`.  The browser gets the state in a cookie, and is sent to the link.
 *   2. The user consents.  The account is PENDING_VERIFICATION, and Scalekit sends the browser to
 *
 *          <user_verify_url>?auth_request_id=…&state=…
 *
 *   3. There you call scalekit_user_verification_finish(), with the state of the cookie and the user
 *      of your session.  The account turns ACTIVE, and you send the browser on.
 *
 *     char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE];
 *
 *     if (!scalekit_user_verification_new_state(state))
 *         ... answer 503
 *     scalekit_user_verification_set_cookie(cookie, "__Host-state", state, 600, true);
 *
 *     ... and in user_verify_url, with evhttp:
 *
 *     cookies = evhttp_find_header(evhttp_request_get_input_headers(http), "Cookie");
 *     scalekit_user_verification_get_cookie(state, cookies, "__Host-state");
 *     scalekit_user_verification_finish(
 *         client,
 *         SCALEKIT_PARAMS(scalekit_user_verification_finish_params,
 *                         .redirect = evhttp_request_get_uri(http), .expected_state = state,
 *                         .identifier = session->user),
 *         on_verified, visit);
 *
 * What each half prevents:
 *
 *   The identifier  An attacker makes a link for an account of his own, and gets somebody else to
 *                   open it and consent: his agent would read the victim's mail.  But it is the
 *                   victim's browser that comes back, with the victim's session: the link was made
 *                   for another user than the identifier says, and Scalekit refuses.  So take it from
 *                   your own session, which you have authenticated; never from the redirect, from a
 *                   parameter of user_verify_url, or from what was kept with the state.
 *
 *   The state       An attacker consents with his own mailbox to a link that was made for somebody
 *                   else, and gets that user's browser to follow his redirect: the identifier is
 *                   right, and the user's agent would write into the attacker's mailbox.  But that
 *                   browser has no cookie with this state.  So a state is for one browser and one
 *                   link, and as hard to guess as a key; remove the cookie once it was used.
 *
 * State and auth_request_id are secrets until the account is ACTIVE: log neither, nor the redirect.
 * All functions but scalekit_user_verification_finish() need no client and may be called on any
 * thread. */
#ifndef SCALEKIT_USER_VERIFICATION_H
#define SCALEKIT_USER_VERIFICATION_H

#include <scalekit/connected_account.h>

SCALEKIT_BEGIN

/* --- the state ---------------------------------------------------------------------------------- */

#define SCALEKIT_USER_VERIFICATION_STATE_SIZE 44 /* 43 characters and a NUL */

/* Makes a state: 258 random bits as 43 characters of A-Z a-z 0-9 - _, which need no encoding in a URL
 * or a cookie.
 *
 * false, with "" in `state`: the system has no random bits, as early while it starts.  It never waits
 * for them.  Make no link then. */
SCALEKIT_API bool scalekit_user_verification_new_state(
    char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE]);

/* Whether a state that came back is the one that was given out.  How long it takes depends on their
 * lengths, and on nothing in them.  false when either is NULL or empty: no cookie matches no state. */
SCALEKIT_API bool scalekit_user_verification_is_expected(const char *expected, const char *given);

/* --- its cookie --------------------------------------------------------------------------------- */

#define SCALEKIT_USER_VERIFICATION_COOKIE_SIZE 256

/* Writes what a Set-Cookie header says:
 *
 *     NAME=STATE; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure
 *
 * `name`: 1 to 64 letters, digits, '-' and '_'.  One that begins with "__Host-" cannot be set by other
 * hosts of your domain; browsers drop those that begin with "__" without `secure`, so that is refused.
 * `state`: of scalekit_user_verification_new_state(); NULL: the cookie is removed, whatever `max_age`.
 * `max_age`: in seconds, 1 to 86,400; about as long as links last.  `secure`: false only where the
 * application is reached by http://, on your own machine.
 *
 * SameSite is Lax because the redirect comes from another site, with which Strict cookies stay away.
 *
 * false, with "" in `out`: one of these is not kept. */
SCALEKIT_API bool scalekit_user_verification_set_cookie(
    char out[SCALEKIT_USER_VERIFICATION_COOKIE_SIZE], const char *name, const char *state,
    int64_t max_age, bool secure);

/* Finds the state in a Cookie header, "a=b; NAME=STATE".
 *
 * false, with "" in `state`: there is no such cookie (or no header: NULL), it has no state in it, or it
 * is there twice; then nobody knows which one is yours. */
SCALEKIT_API bool scalekit_user_verification_get_cookie(
    char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE], const char *cookies, const char *name);

/* --- the redirect ------------------------------------------------------------------------------- */

#define SCALEKIT_USER_VERIFICATION_MAX_REDIRECT 32768 /* bytes */

/* Room for the longest there may be, 1,000 and 512 characters of UTF-8, and a NUL. */
#define SCALEKIT_USER_VERIFICATION_ID_SIZE             4001
#define SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE 2049

/* Reads what the browser asked for: a URL (http or https), a path with its query, as
 * evhttp_request_get_uri() gives it, or the query alone, with or without its '?'.  Other parameters
 * are ignored.  Both texts are secrets: overwrite them when you are done.
 *
 * SCALEKIT_ERR_INVALID, with both texts empty: *problem (unless `problem` is NULL) says what is wrong,
 * "state is missing", in static text that has nothing of the redirect.  auth_request_id or state is
 * missing, is there twice, is empty, is too long, has a '%' without two hexadecimal digits, has a NUL
 * (%00), or is no UTF-8; or the redirect is NULL or longer than
 * SCALEKIT_USER_VERIFICATION_MAX_REDIRECT. */
SCALEKIT_API scalekit_err scalekit_user_verification_parse(
    const char *redirect, char auth_request_id[SCALEKIT_USER_VERIFICATION_ID_SIZE],
    char state[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE], const char **problem);

/* --- the whole step ----------------------------------------------------------------------------- */

struct scalekit_user_verification_finish_params {
    size_t struct_size;
    const char *redirect;       /* required; as scalekit_user_verification_parse() reads it */
    const char *expected_state; /* required; of this browser's cookie; up to 512 characters */
    const char *identifier;     /* required; the user of *your* session; 1 to 200 characters */
};

/* Reads the redirect, compares its state, and tells Scalekit who consented; the account turns ACTIVE.
 * Never sent twice once a byte of it may have arrived.
 *
 * The result is that of scalekit_verify_connected_account_user(), but its URL may be handed to a
 * browser as it is: http:// or https://, a host, no spaces or control characters, nothing that would
 * end a header or an attribute, and up to 2,048 bytes.  If the service has sent another one or none,
 * post_user_verify_redirect_url is NULL: the account is ACTIVE all the same, and you show a page of
 * your own.
 *
 * HTTP: POST /api/v1/connected_accounts/user/verify.  Errors: SCALEKIT_ERR_INVALID before anything is
 * sent, and error->parameter is "redirect" (the message says what is wrong with it), "expected_state"
 * (missing, or not the redirect's: this browser did not begin that) or "identifier".
 * SCALEKIT_ERR_FORBIDDEN: the link was made for another user; refuse, and try no other identifier.
 * SCALEKIT_ERR_NOT_FOUND: an unknown, expired or used request; begin again with a new link. */
SCALEKIT_API scalekit_request *scalekit_user_verification_finish(
    scalekit_client *client, const struct scalekit_user_verification_finish_params *params,
    scalekit_user_verification_cb cb, void *user);

SCALEKIT_END

#endif
