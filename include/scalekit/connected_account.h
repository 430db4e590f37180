/* scalekit/connected_account.h - a user's account at a provider, as Scalekit holds it.
 *
 * An account belongs to a connection ("gmail") and an identifier (your name for the user), and
 * has an id of its own ("ca_…").
 *
 * Limits, checked before anything is sent and again by the server: connection_name up to 400
 * characters of A-Z a-z 0-9 _ : - and space; identifier up to 100; organization_id and user_id up
 * to 32; connected_account_id up to 32, beginning with "ca_".  What is out of limits fails with
 * SCALEKIT_ERR_INVALID and the parameter's name.
 *
 * Errors of every operation here, beside those of the network, the deadline and memory:
 * SCALEKIT_ERR_INVALID, SCALEKIT_ERR_SIGN_IN, SCALEKIT_ERR_BAD_REQUEST, SCALEKIT_ERR_UNAUTHORIZED,
 * SCALEKIT_ERR_FORBIDDEN, SCALEKIT_ERR_RATE_LIMITED, SCALEKIT_ERR_UNAVAILABLE,
 * SCALEKIT_ERR_SERVER, SCALEKIT_ERR_DECODE.  What an operation adds is said with it. */
#ifndef SCALEKIT_CONNECTED_ACCOUNT_H
#define SCALEKIT_CONNECTED_ACCOUNT_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* --- what an account is ------------------------------------------------------------------------ */

/* Whether an account can be used.  Only ACTIVE is usable.  PENDING and REVOKED are words of older
 * documentation and stay accepted. */
enum scalekit_account_status {
    SCALEKIT_ACCOUNT_UNKNOWN, /* absent, or a word this version does not know: see status_text */
    SCALEKIT_ACCOUNT_PENDING, /* the user has not consented yet (old word) */
    SCALEKIT_ACCOUNT_PENDING_AUTH,         /* the user has not consented yet */
    SCALEKIT_ACCOUNT_PENDING_VERIFICATION, /* consented; your application must verify the user */
    SCALEKIT_ACCOUNT_ACTIVE,               /* usable */
    SCALEKIT_ACCOUNT_EXPIRED,              /* the authorization ran out; the user must act */
    SCALEKIT_ACCOUNT_REVOKED,              /* the user took it back at the provider (old word) */
    SCALEKIT_ACCOUNT_DISCONNECTED          /* disconnected; the record remains */
};

/* How a connection authorizes. */
enum scalekit_authorization_type {
    SCALEKIT_AUTHORIZATION_UNKNOWN, /* absent, or a new word: see authorization_type_text */
    SCALEKIT_AUTHORIZATION_OAUTH,
    SCALEKIT_AUTHORIZATION_API_KEY,
    SCALEKIT_AUTHORIZATION_BASIC_AUTH,
    SCALEKIT_AUTHORIZATION_BEARER_TOKEN,
    SCALEKIT_AUTHORIZATION_CUSTOM,
    SCALEKIT_AUTHORIZATION_BASIC,
    SCALEKIT_AUTHORIZATION_OAUTH_M2M,
    SCALEKIT_AUTHORIZATION_TRELLO_OAUTH1,
    SCALEKIT_AUTHORIZATION_GOOGLE_DWD,
    SCALEKIT_AUTHORIZATION_TRUSTED_IDP,
    SCALEKIT_AUTHORIZATION_SMART_FHIR,
    SCALEKIT_AUTHORIZATION_NO_AUTH
};

/* The status as the wire spells it, "PENDING_AUTH"; "UNKNOWN" for the unknown one.  Static text. */
SCALEKIT_API const char *scalekit_account_status_name(enum scalekit_account_status status);

/* Whether the status waits for the user: PENDING, PENDING_AUTH or PENDING_VERIFICATION. */
SCALEKIT_API bool scalekit_account_status_is_pending(enum scalekit_account_status status);

/* The type as the wire spells it, "OAUTH"; "UNKNOWN" for the unknown one.  Static text. */
SCALEKIT_API const char *scalekit_authorization_type_name(enum scalekit_authorization_type type);

/* OAuth 2.0 tokens.  Scalekit refreshes them; fetch them right before each use. */
struct scalekit_oauth_token {
    size_t struct_size;
    const char *access_token;  /* secret */
    const char *refresh_token; /* secret */
    const char *const *scopes;
    size_t n_scopes;
    const char *domain; /* the provider's host for this account, where accounts have hosts */
};

/* An API key, a password, a bearer token: whatever the connection asks for. */
struct scalekit_static_auth {
    size_t struct_size;
    const char *details; /* a JSON object as text, {"api_key":"…"}; secret */
};

/* Google Workspace domain-wide delegation. */
struct scalekit_google_dwd {
    size_t struct_size;
    const char *subject;       /* the user to act for; the only member that may be sent */
    const char *access_token;  /* from the service only; secret */
    const char *const *scopes; /* from the service only */
    size_t n_scopes;
    scalekit_time token_expires_at; /* from the service only */
};

/* Credentials minted by a trusted identity provider. */
struct scalekit_trusted_idp {
    size_t struct_size;
    const char *db_user;           /* the only member that may be sent */
    const char *access_key_id;     /* from the service only; secret */
    const char *secret_access_key; /* from the service only; secret */
    const char *session_token;     /* from the service only; secret */
    scalekit_time expiry;          /* from the service only */
};

/* How the user is authorized: exactly one member is set. */
struct scalekit_authorization_details {
    size_t struct_size;
    const struct scalekit_oauth_token *oauth_token;
    const struct scalekit_static_auth *static_auth;
    const struct scalekit_google_dwd *google_dwd;
    const struct scalekit_trusted_idp *trusted_idp;
};

/* A connected account.  Text that is absent, null or empty on the wire is NULL. */
struct scalekit_connected_account {
    size_t struct_size;
    const char *id;              /* "ca_24834495392086178" */
    const char *connection_name; /* "gmail" */
    const char *connection_id;   /* "conn_24834495392086178" */
    const char *identifier;      /* your name for the user */
    const char *provider;        /* "GMAIL" */
    enum scalekit_account_status status;
    const char *status_text; /* as the wire has it; NULL when absent */
    enum scalekit_authorization_type authorization_type;
    const char *authorization_type_text; /* as the wire has it; NULL when absent */
    /* NULL but in the answers of get, get_by_id, create, update, disconnect and get_or_create; see
     * there. */
    const struct scalekit_authorization_details *authorization_details;
    scalekit_time token_expires_at;
    scalekit_time updated_at;
    scalekit_time last_used_at;
    const char *api_config; /* a JSON object as text; NULL when absent */
};

/* One page of accounts, without authorization_details and api_config. */
struct scalekit_connected_account_page {
    size_t struct_size;
    const struct scalekit_connected_account *const *accounts;
    size_t n_accounts;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* --- operations -------------------------------------------------------------------------------- */

/* Completion with one account; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_connected_account_cb)(scalekit_request *request,
                                              const struct scalekit_connected_account *account,
                                              void *user);

/* Completion with a page of accounts; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_connected_account_page_cb)(
    scalekit_request *request, const struct scalekit_connected_account_page *page, void *user);

/* Which account: connected_account_id, or connection_name and identifier. */
struct scalekit_account_key {
    size_t struct_size;
    const char *connected_account_id;
    const char *connection_name;
    const char *identifier;
    const char *organization_id; /* narrows it */
    const char *user_id;         /* narrows it */
};

/* An account with its tokens or credentials, freshly refreshed by Scalekit: call it right before
 * each use of the access token.  Each call leaves an oauth_tokens_fetched event in the
 * environment's audit trail; to look at the status only, use ..._details().
 *
 * HTTP: GET /api/v1/connected_accounts/auth.  Errors: SCALEKIT_ERR_NOT_FOUND: no such account. */
SCALEKIT_API scalekit_request *scalekit_get_connected_account(
    scalekit_client *client, const struct scalekit_account_key *key,
    scalekit_connected_account_cb cb, void *user);

/* An account without secrets: authorization_details is NULL.  The cheap way to see a status.
 *
 * HTTP: GET /api/v1/connected_accounts/details.  Errors: SCALEKIT_ERR_NOT_FOUND: no such account. */
SCALEKIT_API scalekit_request *scalekit_get_connected_account_details(
    scalekit_client *client, const struct scalekit_account_key *key,
    scalekit_connected_account_cb cb, void *user);

/* Which account, by its id alone. */
struct scalekit_connected_account_id_key {
    size_t struct_size;
    const char *connected_account_id; /* required */
};

/* The same as scalekit_get_connected_account(), for programs that keep the id.  Preview: the
 * service may still change it, and may leave out the credentials: authorization_details is then
 * NULL.
 *
 * HTTP: GET /api/v1/connected_accounts/{id}.  Errors: SCALEKIT_ERR_NOT_FOUND: no such account. */
SCALEKIT_API scalekit_request *scalekit_get_connected_account_by_id(
    scalekit_client *client, const struct scalekit_connected_account_id_key *params,
    scalekit_connected_account_cb cb, void *user);

/* Takes its credentials from an account, which stays as DISCONNECTED: the user may authorize it
 * again by a new link.  The result is the account as it is now.  Preview.
 *
 * HTTP: POST /api/v1/connected_accounts/{id}:disconnect.  Errors: SCALEKIT_ERR_NOT_FOUND: no such
 * account. */
SCALEKIT_API scalekit_request *scalekit_disconnect_connected_account(
    scalekit_client *client, const struct scalekit_connected_account_id_key *params,
    scalekit_connected_account_cb cb, void *user);

/* Deletes an account and revokes its credentials.
 *
 * HTTP: POST /api/v1/connected_accounts:delete.  Errors: SCALEKIT_ERR_NOT_FOUND: no such account,
 * also when a retry finds that the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_connected_account(
    scalekit_client *client, const struct scalekit_account_key *key, scalekit_done_cb cb,
    void *user);

/* A new account; also the input of get_or_create. */
struct scalekit_create_connected_account_params {
    size_t struct_size;
    const char *connection_name; /* required */
    const char *identifier;      /* required */
    const char *organization_id;
    const char *user_id;
    /* NULL: OAuth, for the user to authorize by a link. */
    const struct scalekit_authorization_details *authorization_details;
    const char *api_config; /* a JSON object as text, {"domain":"acme.freshdesk.com"} */
};

/* Creates an account.  Never sent twice once a byte of it may have arrived.
 *
 * HTTP: POST /api/v1/connected_accounts.  Errors: SCALEKIT_ERR_CONFLICT: it exists already. */
SCALEKIT_API scalekit_request *scalekit_create_connected_account(
    scalekit_client *client, const struct scalekit_create_connected_account_params *params,
    scalekit_connected_account_cb cb, void *user);

/* The account of a user, made if there is none.  It is looked up without secrets; only
 * SCALEKIT_ERR_NOT_FOUND creates it; where somebody else creates it in the same moment, it is read
 * again.  With authorization_details, an account that exists is updated with them (and with
 * api_config), whatever its status.  Equal calls that are under way at the same time share one
 * exchange with the server, and each completes.  White space around connection_name and
 * identifier is cut.
 *
 * HTTP: GET /api/v1/connected_accounts/details, then at most POST or PUT
 * /api/v1/connected_accounts.  authorization_details of the result is NULL when it existed and was
 * left as it was. */
SCALEKIT_API scalekit_request *scalekit_get_or_create_connected_account(
    scalekit_client *client, const struct scalekit_create_connected_account_params *params,
    scalekit_connected_account_cb cb, void *user);

/* What to change of an account, named by connected_account_id or by connection_name and
 * identifier. */
struct scalekit_update_connected_account_params {
    size_t struct_size;
    const char *connected_account_id;
    const char *connection_name;
    const char *identifier;
    const char *organization_id;
    const char *user_id;
    const struct scalekit_authorization_details *authorization_details; /* NULL: unchanged */
    const char *api_config; /* a JSON object as text, merged with what is stored; NULL: unchanged */
};

/* Changes the credentials or the configuration of an account.
 *
 * HTTP: PUT /api/v1/connected_accounts.  Errors: SCALEKIT_ERR_NOT_FOUND: no such account. */
SCALEKIT_API scalekit_request *scalekit_update_connected_account(
    scalekit_client *client, const struct scalekit_update_connected_account_params *params,
    scalekit_connected_account_cb cb, void *user);

/* Which accounts to list.  All members may be absent. */
struct scalekit_list_connected_accounts_params {
    size_t struct_size;
    const char *connection_name;         /* not together with connection_names */
    const char *const *connection_names; /* up to 20 exact names */
    size_t n_connection_names;
    const char *identifier;
    const char *provider; /* up to 50 characters, upper case: "GMAIL" */
    const char *organization_id;
    const char *user_id;
    const char *query;      /* text to search for, up to 100 characters */
    int64_t page_size;      /* 1 to 99; 0: the server's default, about 10 */
    const char *page_token; /* of the page before; up to 100 characters */
};

/* Lists accounts, a page at a time.  `params` may be NULL: all of them.
 *
 * HTTP: GET /api/v1/connected_accounts. */
SCALEKIT_API scalekit_request *scalekit_list_connected_accounts(
    scalekit_client *client, const struct scalekit_list_connected_accounts_params *params,
    scalekit_connected_account_page_cb cb, void *user);

/* What to search accounts for. */
struct scalekit_search_connected_accounts_params {
    size_t struct_size;
    const char *query;         /* required, 3 to 200 characters */
    const char *connection_id; /* up to 32 characters */
    int64_t page_size;         /* 1 to 30; 0: the server's default */
    const char *page_token;
};

/* Searches accounts by text, a page at a time.
 *
 * HTTP: GET /api/v1/connected_accounts:search. */
SCALEKIT_API scalekit_request *scalekit_search_connected_accounts(
    scalekit_client *client, const struct scalekit_search_connected_accounts_params *params,
    scalekit_connected_account_page_cb cb, void *user);

/* The end of custom user verification. */
struct scalekit_verify_connected_account_user_params {
    size_t struct_size;
    const char *auth_request_id; /* required, from the redirect; 1 to 1,000 characters */
    const char *identifier;      /* required, the user of *your* session; 1 to 200 characters */
};

/* Where to send the browser after verification. */
struct scalekit_user_verification {
    size_t struct_size;
    const char *post_user_verify_redirect_url;
};

/* Completion of a verification; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_user_verification_cb)(scalekit_request *request,
                                              const struct scalekit_user_verification *verification,
                                              void *user);

/* Confirms that the user who consented is the user of your session; the account turns ACTIVE.
 * Never sent twice once a byte of it may have arrived.
 *
 * HTTP: POST /api/v1/connected_accounts/user/verify.  Errors: SCALEKIT_ERR_FORBIDDEN: another user
 * than the link was made for; SCALEKIT_ERR_NOT_FOUND: unknown, expired or already used request. */
SCALEKIT_API scalekit_request *scalekit_verify_connected_account_user(
    scalekit_client *client, const struct scalekit_verify_connected_account_user_params *params,
    scalekit_user_verification_cb cb, void *user);

SCALEKIT_END

#endif
