#include "api/authorization_link.h"
#include "api/account_key.h"
#include "api/operations.h"
#include "core/request.h"
#include <scalekit/authorization_link.h>
#include <string.h>

const char *ski_check_user_verify_url(const char *value)
{
    bool http = strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0;

    return http || !value[0] ? NULL : "must begin with http:// or https://";
}

static const struct ski_field params_fields[] = {
    ACCOUNT_KEY(scalekit_authorization_link_params),
    STRING(scalekit_authorization_link_params, state, "state", .flags = SKI_SECRET, .max = 512),
    STRING(scalekit_authorization_link_params, user_verify_url, "user_verify_url", .max = 2048,
           .check = ski_check_user_verify_url),
    END,
};
static const struct ski_type params_type = TYPE(scalekit_authorization_link_params, params_fields);
CHECK_ACCOUNT_KEY(scalekit_authorization_link_params)

static const struct ski_field link_fields[] = {
    STRING(scalekit_authorization_link, link, "link", .flags = SKI_REQUIRED | SKI_SECRET),
    TIMESTAMP(scalekit_authorization_link, expiry, "expiry"),
    END,
};
static const struct ski_type link_type = TYPE(scalekit_authorization_link, link_fields);

DELIVER(deliver_link, scalekit_authorization_link_cb)

/* Idempotent: a repeat makes another link, and the one that is reported works. */
const struct ski_operation ski_authorization_link_operations[] = {
    {.name = "get_authorization_link",
     .method = "POST",
     .path = "/api/v1/connected_accounts/magic_link",
     .summary = "a page where a user authorizes an account",
     .placement = SKI_IN_BODY,
     .idempotency = SKI_IDEMPOTENT,
     .params = &params_type,
     .check = check_scalekit_authorization_link_params,
     .result = &link_type,
     .result_offset = SKI_WHOLE_RESULT,
     .deliver = deliver_link},
    {.name = NULL},
};

scalekit_request *scalekit_get_authorization_link(
    scalekit_client *client, const struct scalekit_authorization_link_params *params,
    scalekit_authorization_link_cb cb, void *user)
{
    return ski_request_start(client, &ski_authorization_link_operations[0], params,
                             (ski_callback)cb, user);
}
