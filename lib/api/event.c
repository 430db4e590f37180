#include "api/event.h"
#include "api/operations.h"
#include "api/time_range.h"
#include "core/request.h"
#include <scalekit/event.h>

/* --- words ------------------------------------------------------------------------------------- */

static const struct ski_word object_words[] = {
    {SCALEKIT_EVENT_OBJECT_WORKSPACE, "Workspace"},
    {SCALEKIT_EVENT_OBJECT_ENVIRONMENT, "Environment"},
    {SCALEKIT_EVENT_OBJECT_ORGANIZATION, "Organization"},
    {SCALEKIT_EVENT_OBJECT_CONNECTION, "Connection"},
    {SCALEKIT_EVENT_OBJECT_USER, "User"},
    {SCALEKIT_EVENT_OBJECT_ROLE, "Role"},
    {SCALEKIT_EVENT_OBJECT_CUSTOM_ATTRIBUTES, "CustomAttributes"},
    {SCALEKIT_EVENT_OBJECT_DIRECTORY, "Directory"},
    {SCALEKIT_EVENT_OBJECT_DIRECTORY_USER, "DirectoryUser"},
    {SCALEKIT_EVENT_OBJECT_DIRECTORY_GROUP, "DirectoryGroup"},
    {SCALEKIT_EVENT_OBJECT_SESSION, "Session"},
    {SCALEKIT_EVENT_OBJECT_TEMPLATE, "Template"},
    {SCALEKIT_EVENT_OBJECT_JOB, "Job"},
    {SCALEKIT_EVENT_OBJECT_DOMAIN, "Domain"},
    {SCALEKIT_EVENT_OBJECT_EMAIL_SERVER, "EmailServer"},
    {SCALEKIT_EVENT_OBJECT_EMAIL, "Email"},
    {SCALEKIT_EVENT_OBJECT_AUTH_REQUEST, "AuthRequest"},
    {SCALEKIT_EVENT_OBJECT_SAML_REQUEST, "SAMLRequest"},
    {SCALEKIT_EVENT_OBJECT_SAML_RESPONSE, "SAMLResponse"},
    {SCALEKIT_EVENT_OBJECT_TOKEN_CLAIMS, "TokenClaims"},
    {SCALEKIT_EVENT_OBJECT_OIDC_REQ_PARAMS, "OIDCReqParams"},
    {SCALEKIT_EVENT_OBJECT_OIDC_RESP_CLAIMS, "OIDCRespClaims"},
    {SCALEKIT_EVENT_OBJECT_SSO_ERROR, "SSOError"},
    {SCALEKIT_EVENT_OBJECT_GENERIC_ERROR, "GenericError"},
    {SCALEKIT_EVENT_OBJECT_REFRESH_TOKENS, "RefreshTokens"},
    {SCALEKIT_EVENT_OBJECT_END_SESSION_REQUEST, "EndSessionRequest"},
    {SCALEKIT_EVENT_OBJECT_LOGOUT_TOKEN_CLAIMS, "LogoutTokenClaims"},
    {SCALEKIT_EVENT_OBJECT_OAUTH_RESPONSE, "OAuthResponse"},
    {SCALEKIT_EVENT_OBJECT_JSON, "JSON"},
    {SCALEKIT_EVENT_OBJECT_SK_ERRORS, "SKErrors"},
    {SCALEKIT_EVENT_OBJECT_ORG_MEMBERSHIP, "OrgMembership"},
    {SCALEKIT_EVENT_OBJECT_USER_PROFILE, "UserProfile"},
    {SCALEKIT_EVENT_OBJECT_IDP_INITIATED_PAYLOAD, "IDPInitiatedPayload"},
    {SCALEKIT_EVENT_OBJECT_DEVICE_DETAILS, "DeviceDetails"},
    {SCALEKIT_EVENT_OBJECT_ACTIONS, "Actions"},
    {SCALEKIT_EVENT_OBJECT_INTERCEPTOR_EVENT, "InterceptorEvent"},
    {SCALEKIT_EVENT_OBJECT_PERMISSION, "Permission"},
    {SCALEKIT_EVENT_OBJECT_ORG_MEMBERSHIP_EVENT, "OrgMembershipEvent"},
    {SCALEKIT_EVENT_OBJECT_USER_LOGIN_EVENT, "UserLoginEvent"},
    {SCALEKIT_EVENT_OBJECT_USER_LOGOUT_EVENT, "UserLogoutEvent"},
    {SCALEKIT_EVENT_OBJECT_CONNECTED_ACCOUNT, "ConnectedAccount"},
    {0, NULL},
};

static const struct ski_word source_words[] = {
    {SCALEKIT_EVENT_SOURCE_SCALEKIT, "SCALEKIT"},
    {SCALEKIT_EVENT_SOURCE_DIR_SYNC, "DIR_SYNC"},
    {0, NULL},
};

/* --- tables ------------------------------------------------------------------------------------ */

static const struct ski_field event_fields[] = {
    STRING(scalekit_event, spec_version, "spec_version"),
    STRING(scalekit_event, id, "id"),
    STRING(scalekit_event, type, "type"),
    TIMESTAMP(scalekit_event, occurred_at, "occurred_at"),
    STRING(scalekit_event, environment_id, "environment_id"),
    STRING(scalekit_event, organization_id, "organization_id"),
    ENUM(scalekit_event, object, scalekit_event_object, object_words, "object"),
    JSON(scalekit_event, data, "data", .flags = SKI_SECRET),
    STRING(scalekit_event, display_name, "display_name"),
    END,
};
const struct ski_type ski_event_type = TYPE(scalekit_event, event_fields);

static const struct ski_field page_fields[] = {
    OBJECTS(scalekit_event_page, events, scalekit_event, ski_event_type, "events"),
    INTEGER(scalekit_event_page, total_size, "total_size"),
    STRING(scalekit_event_page, next_page_token, "next_page_token"),
    STRING(scalekit_event_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type page_type = TYPE(scalekit_event_page, page_fields);

static const struct ski_field list_fields[] = {
    STRINGS(scalekit_list_events_params, event_types, "event_types"),
    TIMESTAMP(scalekit_list_events_params, start_time, "start_time"),
    TIMESTAMP(scalekit_list_events_params, end_time, "end_time"),
    STRING(scalekit_list_events_params, organization_id, "organization_id"),
    ENUM(scalekit_list_events_params, source, scalekit_event_source, source_words, "source"),
    STRING(scalekit_list_events_params, auth_request_id, "auth_request_id", .flags = SKI_SECRET),
    STRING(scalekit_list_events_params, interceptor_id, "interceptor_id"),
    STRING(scalekit_list_events_params, interceptor_status, "interceptor_status"),
    STRING(scalekit_list_events_params, interceptor_decision, "interceptor_decision"),
    STRING(scalekit_list_events_params, connection_id, "connection_id"),
    STRING(scalekit_list_events_params, connected_account_id, "connected_account_id"),
    INTEGER(scalekit_list_events_params, page_size, "page_size", .flags = SKI_QUERY, .max = 100),
    STRING(scalekit_list_events_params, page_token, "page_token", .flags = SKI_QUERY),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_events_params, list_fields);
CHECK_TIME_RANGE(scalekit_list_events_params)

DELIVER(deliver_page, scalekit_event_page_cb)

/* --- operations -------------------------------------------------------------------------------- */

enum { LIST, LIST_PAGINATED };

/* POST only for the size of a filter: it changes nothing, and may be sent again. */
#define LIST_OF_EVENTS                                                                             \
    .method = "POST", .placement = SKI_IN_BODY, .idempotency = SKI_SAFE, .params = &list_type,     \
    .check = check_scalekit_list_events_params, .result = &page_type,                              \
    .result_offset = SKI_WHOLE_RESULT, .deliver = deliver_page

const struct ski_operation ski_event_operations[] = {
    [LIST] = {.name = "list_events",
              .path = "/api/v1/events",
              .summary = "what happened in the environment, with the count",
              LIST_OF_EVENTS},
    [LIST_PAGINATED] = {.name = "list_events_paginated",
                        .path = "/api/v1/events/paginated",
                        .summary = "what happened in the environment, a page at a time",
                        LIST_OF_EVENTS},
    {.name = NULL},
};

static scalekit_request *start(scalekit_client *client, const struct ski_operation *operation,
                               const struct scalekit_list_events_params *params,
                               scalekit_event_page_cb cb, void *user)
{
    static const struct scalekit_list_events_params everything = {.struct_size = sizeof everything};

    return ski_request_start(client, operation, params ? params : &everything, (ski_callback)cb,
                             user);
}

scalekit_request *scalekit_list_events(scalekit_client *client,
                                       const struct scalekit_list_events_params *params,
                                       scalekit_event_page_cb cb, void *user)
{
    return start(client, &ski_event_operations[LIST], params, cb, user);
}

scalekit_request *scalekit_list_events_paginated(scalekit_client *client,
                                                 const struct scalekit_list_events_params *params,
                                                 scalekit_event_page_cb cb, void *user)
{
    return start(client, &ski_event_operations[LIST_PAGINATED], params, cb, user);
}
