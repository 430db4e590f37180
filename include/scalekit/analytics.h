/* scalekit/analytics.h - the calls of tools, counted.
 *
 * Preview: Scalekit may still change this operation. */
#ifndef SCALEKIT_ANALYTICS_H
#define SCALEKIT_ANALYTICS_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* How often calls failed for one reason. */
struct scalekit_error_code_count {
    size_t struct_size;
    const char *error_code;
    int64_t count;
};

/* The calls of one provider. */
struct scalekit_connector_stat {
    size_t struct_size;
    const char *provider; /* "GMAIL" */
    int64_t total;
    int64_t success;
    int64_t errors; /* of both kinds */
    int64_t provider_errors;
    int64_t platform_errors;
};

/* The calls of one stretch of time. */
struct scalekit_time_series_bucket {
    size_t struct_size;
    scalekit_time bucket;            /* its first moment */
    int64_t bucket_duration_seconds; /* its length */
    int64_t total;
    int64_t success;
    int64_t errors; /* of both kinds */
    int64_t provider_errors;
    int64_t platform_errors;
};

/* All calls that were asked for, and what they are made of. */
struct scalekit_overview_stats {
    size_t struct_size;
    int64_t total;
    int64_t success;
    int64_t errors;          /* of both kinds */
    int64_t provider_errors; /* the provider failed */
    int64_t platform_errors; /* Scalekit failed, or refused */
    const struct scalekit_error_code_count *const *top_error_codes; /* the most frequent ones */
    size_t n_top_error_codes;
    const struct scalekit_connector_stat *const *connector_breakdown;
    size_t n_connector_breakdown;
    const struct scalekit_time_series_bucket *const *time_series;
    size_t n_time_series;
};

/* Which calls to count. */
struct scalekit_get_overview_stats_params {
    size_t struct_size;
    scalekit_time start_time;    /* required: calls that started at this moment or later */
    scalekit_time end_time;      /* required: or before; not before start_time */
    const char *const *provider; /* any of these */
    size_t n_provider;
    const char *const *status; /* any of these */
    size_t n_status;
    const char *const *error_code; /* any of these */
    size_t n_error_code;
    const char *connection_name; /* up to 255 characters */
};

/* Completion with the counts; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_overview_stats_cb)(scalekit_request *request,
                                           const struct scalekit_overview_stats *stats, void *user);

/* Counts the calls of tools in a stretch of time.  Preview.
 *
 * HTTP: GET /api/v1/agentkit/analytics/overview.  Errors: those of connected_account.h;
 * SCALEKIT_ERR_INVALID, before anything is sent, with the name of the parameter that is missing or
 * out of limits. */
SCALEKIT_API scalekit_request *scalekit_get_overview_stats(
    scalekit_client *client, const struct scalekit_get_overview_stats_params *params,
    scalekit_overview_stats_cb cb, void *user);

SCALEKIT_END

#endif
