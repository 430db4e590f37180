/* scalekit/check_accounts.h - the states of many accounts, with few requests.
 *
 *     scalekit_check_accounts(client,
 *                             SCALEKIT_PARAMS(scalekit_check_accounts_params, .keys = keys,
 *                                             .n_keys = n_keys),
 *                             on_account, on_checked, user);
 *
 * Which requests are made is chosen by counting them: a look-up for each account, a list for each
 * user of whom several are asked for, or lists of whole connections, 99 accounts a page.  How many
 * accounts a connection has is known from its first page, and then it is gone on with only while
 * that is the cheaper way.  What a complete list does not show is looked up by itself, and so is
 * what is named by connected_account_id. */
#ifndef SCALEKIT_CHECK_ACCOUNTS_H
#define SCALEKIT_CHECK_ACCOUNTS_H

#include <scalekit/connected_account.h>

SCALEKIT_BEGIN

/* Which accounts to check. */
struct scalekit_check_accounts_params {
    size_t struct_size;
    /* Required, 1 to 100,000; copied.  What is in it twice is asked for once and told twice. */
    const struct scalekit_account_key *const *keys;
    size_t n_keys;
    int64_t max_in_flight; /* of its requests at the same time, 1 to 256; 0: 32 */
};

/* What became of one key: the account, without authorization_details, or why it was not seen; the
 * other one is NULL.  SCALEKIT_ERR_NOT_FOUND: there is no such account.  `index` is its place in
 * `keys`; the order is that in which they become known.  Borrowed until it returns. */
typedef void (*scalekit_checked_account_cb)(scalekit_request *request, size_t index,
                                            const struct scalekit_connected_account *account,
                                            const struct scalekit_error *error, void *user);

/* What it came to, and what it cost. */
struct scalekit_account_check {
    size_t struct_size;
    int64_t found;     /* keys */
    int64_t not_found; /* keys */
    int64_t failed;    /* keys whose error is another one */
    int64_t look_ups;  /* of single accounts */
    int64_t pages;     /* of lists */
    int64_t requests;  /* both, and those that were sent again */
};

/* Completion; NULL exactly when it was ended early.  Borrowed from the request. */
typedef void (*scalekit_account_check_cb)(scalekit_request *request,
                                          const struct scalekit_account_check *check, void *user);

/* Tells of each key, once, and then that all have been told.  A key that fails does not end the
 * others: when a list fails for a reason that a look-up would not share (it is refused, too large
 * or cannot be read), they are looked up; when it fails for any other, each of its keys has its
 * error.
 *
 * Each request has the client's deadline_ms and is sent again as any other.  The whole has 24
 * hours, or what scalekit_request_set_deadline() says.  When it ends early (by that, by cancelling
 * it or by freeing the client, also from inside the callbacks) what has not been told is not told
 * any more, and done gets NULL.  scalekit_request_attempts() tells how many requests were sent,
 * then too.
 *
 * `each` must not be NULL; NULL is not accepted, as by every operation.
 *
 * HTTP: GET /api/v1/connected_accounts and GET /api/v1/connected_accounts/details.  Errors of the
 * whole: SCALEKIT_ERR_INVALID: a key is wrong, there are none or too many; SCALEKIT_ERR_NOMEM,
 * SCALEKIT_ERR_CANCELED, SCALEKIT_ERR_CLOSED, SCALEKIT_ERR_DEADLINE. */
SCALEKIT_API scalekit_request *scalekit_check_accounts(
    scalekit_client *client, const struct scalekit_check_accounts_params *params,
    scalekit_checked_account_cb each, scalekit_account_check_cb done, void *user);

SCALEKIT_END

#endif
