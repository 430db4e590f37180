/* scalekit/event.h - what happened in the environment, newest first: its audit trail.
 *
 * The events of connected accounts are
 *
 *     connected_account.created                 connected_account.oauth_succeeded
 *     connected_account.updated                 connected_account.oauth_tokens_fetched
 *     connected_account.status_updated          connected_account.token_refresh_succeeded
 *     connected_account.deleted                 connected_account.token_refresh_failed
 *     connected_account.magic_link_generated
 *
 * and there are others, of organizations, users and directories.  To learn when an account changes,
 * watch it (watch.h); this is to see what has happened.
 *
 * Limits, checked before anything is sent: page_size 0 to 100; end_time not before start_time.
 * What is out of limits fails with SCALEKIT_ERR_INVALID and the parameter's name.  Other errors:
 * those of connected_account.h. */
#ifndef SCALEKIT_EVENT_H
#define SCALEKIT_EVENT_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* What an event is about. */
enum scalekit_event_object {
    SCALEKIT_EVENT_OBJECT_UNKNOWN, /* absent, or a new word: see object_text */
    SCALEKIT_EVENT_OBJECT_WORKSPACE,
    SCALEKIT_EVENT_OBJECT_ENVIRONMENT,
    SCALEKIT_EVENT_OBJECT_ORGANIZATION,
    SCALEKIT_EVENT_OBJECT_CONNECTION,
    SCALEKIT_EVENT_OBJECT_USER,
    SCALEKIT_EVENT_OBJECT_ROLE,
    SCALEKIT_EVENT_OBJECT_CUSTOM_ATTRIBUTES,
    SCALEKIT_EVENT_OBJECT_DIRECTORY,
    SCALEKIT_EVENT_OBJECT_DIRECTORY_USER,
    SCALEKIT_EVENT_OBJECT_DIRECTORY_GROUP,
    SCALEKIT_EVENT_OBJECT_SESSION,
    SCALEKIT_EVENT_OBJECT_TEMPLATE,
    SCALEKIT_EVENT_OBJECT_JOB,
    SCALEKIT_EVENT_OBJECT_DOMAIN,
    SCALEKIT_EVENT_OBJECT_EMAIL_SERVER,
    SCALEKIT_EVENT_OBJECT_EMAIL,
    SCALEKIT_EVENT_OBJECT_AUTH_REQUEST,
    SCALEKIT_EVENT_OBJECT_SAML_REQUEST,
    SCALEKIT_EVENT_OBJECT_SAML_RESPONSE,
    SCALEKIT_EVENT_OBJECT_TOKEN_CLAIMS,
    SCALEKIT_EVENT_OBJECT_OIDC_REQ_PARAMS,
    SCALEKIT_EVENT_OBJECT_OIDC_RESP_CLAIMS,
    SCALEKIT_EVENT_OBJECT_SSO_ERROR,
    SCALEKIT_EVENT_OBJECT_GENERIC_ERROR,
    SCALEKIT_EVENT_OBJECT_REFRESH_TOKENS,
    SCALEKIT_EVENT_OBJECT_END_SESSION_REQUEST,
    SCALEKIT_EVENT_OBJECT_LOGOUT_TOKEN_CLAIMS,
    SCALEKIT_EVENT_OBJECT_OAUTH_RESPONSE,
    SCALEKIT_EVENT_OBJECT_JSON,
    SCALEKIT_EVENT_OBJECT_SK_ERRORS,
    SCALEKIT_EVENT_OBJECT_ORG_MEMBERSHIP,
    SCALEKIT_EVENT_OBJECT_USER_PROFILE,
    SCALEKIT_EVENT_OBJECT_IDP_INITIATED_PAYLOAD,
    SCALEKIT_EVENT_OBJECT_DEVICE_DETAILS,
    SCALEKIT_EVENT_OBJECT_ACTIONS,
    SCALEKIT_EVENT_OBJECT_INTERCEPTOR_EVENT,
    SCALEKIT_EVENT_OBJECT_PERMISSION,
    SCALEKIT_EVENT_OBJECT_ORG_MEMBERSHIP_EVENT,
    SCALEKIT_EVENT_OBJECT_USER_LOGIN_EVENT,
    SCALEKIT_EVENT_OBJECT_USER_LOGOUT_EVENT,
    SCALEKIT_EVENT_OBJECT_CONNECTED_ACCOUNT
};

/* Where an event came from. */
enum scalekit_event_source {
    SCALEKIT_EVENT_SOURCE_ANY, /* in a filter: not filtered */
    SCALEKIT_EVENT_SOURCE_SCALEKIT,
    SCALEKIT_EVENT_SOURCE_DIR_SYNC
};

/* Something that happened.  Text that is absent, null or empty on the wire is NULL. */
struct scalekit_event {
    size_t struct_size;
    const char *spec_version; /* "1" */
    const char *id;           /* "evt_101531404017336586" */
    const char *type;         /* "connected_account.status_updated": an open set */
    scalekit_time occurred_at;
    const char *environment_id;  /* "env_88640229614813449" */
    const char *organization_id; /* NULL: of no organization */
    enum scalekit_event_object object;
    const char *object_text;  /* as the wire has it, "ConnectedAccount"; NULL when absent */
    const char *data;         /* a JSON object as text, of the type's shape; never logged */
    const char *display_name; /* for people; informal */
};

/* One page of events, newest first. */
struct scalekit_event_page {
    size_t struct_size;
    const struct scalekit_event *const *events;
    size_t n_events;
    int64_t total_size; /* of all pages; 0 from list_events_paginated, which does not count */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* Which events to list.  All members may be absent. */
struct scalekit_list_events_params {
    size_t struct_size;
    const char *const *event_types; /* exact types, any of them */
    size_t n_event_types;
    scalekit_time start_time; /* the first moment, included */
    scalekit_time end_time;   /* the last moment, included */
    const char *organization_id;
    enum scalekit_event_source source;
    const char *source_text;     /* a source this version does not know */
    const char *auth_request_id; /* secret */
    const char *interceptor_id;
    const char *interceptor_status;
    const char *interceptor_decision;
    const char *connection_id;
    const char *connected_account_id;
    int64_t page_size;      /* up to 100; 0: the server's default, 10 */
    const char *page_token; /* of the page before */
};

/* Completion with a page of events; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_event_page_cb)(scalekit_request *request,
                                       const struct scalekit_event_page *page, void *user);

/* Lists events, a page at a time, and counts them.  `params` may be NULL: all of them.
 *
 * HTTP: POST /api/v1/events.  Errors: SCALEKIT_ERR_BAD_REQUEST: no token of a page. */
SCALEKIT_API scalekit_request *scalekit_list_events(
    scalekit_client *client, const struct scalekit_list_events_params *params,
    scalekit_event_page_cb cb, void *user);

/* The same without the count: cheaper for the service, and what to follow the events with.
 *
 * HTTP: POST /api/v1/events/paginated.  Errors: SCALEKIT_ERR_BAD_REQUEST: no token of a page. */
SCALEKIT_API scalekit_request *scalekit_list_events_paginated(
    scalekit_client *client, const struct scalekit_list_events_params *params,
    scalekit_event_page_cb cb, void *user);

SCALEKIT_END

#endif
