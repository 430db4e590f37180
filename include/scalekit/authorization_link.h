/* scalekit/authorization_link.h - the page where a user authorizes an account. */
#ifndef SCALEKIT_AUTHORIZATION_LINK_H
#define SCALEKIT_AUTHORIZATION_LINK_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* For which account: connected_account_id, or connection_name and identifier; limits as in
 * connected_account.h. */
struct scalekit_authorization_link_params {
    size_t struct_size;
    const char *connected_account_id;
    const char *connection_name;
    const char *identifier;
    const char *organization_id;
    const char *user_id;
    const char *state;           /* comes back with the redirect; up to 512 characters */
    const char *user_verify_url; /* custom user verification; http(s)://, up to 2,048 characters */
};

/* A one-time page.  Whoever opens it acts as the user: treat it as a secret. */
struct scalekit_authorization_link {
    size_t struct_size;
    const char *link;
    scalekit_time expiry; /* 0 when the service sent none */
};

/* Completion with a link; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_authorization_link_cb)(scalekit_request *request,
                                               const struct scalekit_authorization_link *link,
                                               void *user);

/* Makes a link for the user to open.  Send the user there; do not follow it yourself.  Each call
 * makes a new one.
 *
 * HTTP: POST /api/v1/connected_accounts/magic_link.  Errors: those of connected_account.h;
 * SCALEKIT_ERR_NOT_FOUND: no such account. */
SCALEKIT_API scalekit_request *scalekit_get_authorization_link(
    scalekit_client *client, const struct scalekit_authorization_link_params *params,
    scalekit_authorization_link_cb cb, void *user);

SCALEKIT_END

#endif
