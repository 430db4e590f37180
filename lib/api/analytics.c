#include "api/operations.h"
#include "api/time_range.h"
#include "core/request.h"
#include <scalekit/analytics.h>

static const struct ski_field error_code_fields[] = {
    STRING(scalekit_error_code_count, error_code, "error_code"),
    INTEGER(scalekit_error_code_count, count, "count"),
    END,
};
static const struct ski_type error_code_type = TYPE(scalekit_error_code_count, error_code_fields);

/* What is counted of any group of calls. */
#define COUNTERS(S)                                                                                \
    INTEGER(S, total, "total"), INTEGER(S, success, "success"), INTEGER(S, errors, "errors"),      \
        INTEGER(S, provider_errors, "provider_errors"),                                            \
        INTEGER(S, platform_errors, "platform_errors")

static const struct ski_field connector_fields[] = {
    STRING(scalekit_connector_stat, provider, "provider"),
    COUNTERS(scalekit_connector_stat),
    END,
};
static const struct ski_type connector_type = TYPE(scalekit_connector_stat, connector_fields);

static const struct ski_field bucket_fields[] = {
    TIMESTAMP(scalekit_time_series_bucket, bucket, "bucket"),
    COUNTERS(scalekit_time_series_bucket),
    INTEGER(scalekit_time_series_bucket, bucket_duration_seconds, "bucket_duration_seconds"),
    END,
};
static const struct ski_type bucket_type = TYPE(scalekit_time_series_bucket, bucket_fields);

static const struct ski_field stats_fields[] = {
    COUNTERS(scalekit_overview_stats),
    OBJECTS(scalekit_overview_stats, top_error_codes, scalekit_error_code_count, error_code_type,
            "top_error_codes"),
    OBJECTS(scalekit_overview_stats, connector_breakdown, scalekit_connector_stat, connector_type,
            "connector_breakdown"),
    OBJECTS(scalekit_overview_stats, time_series, scalekit_time_series_bucket, bucket_type,
            "time_series"),
    END,
};
static const struct ski_type stats_type = TYPE(scalekit_overview_stats, stats_fields);

static const struct ski_field params_fields[] = {
    TIMESTAMP(scalekit_get_overview_stats_params, start_time, "start_time", .flags = SKI_REQUIRED),
    TIMESTAMP(scalekit_get_overview_stats_params, end_time, "end_time", .flags = SKI_REQUIRED),
    STRINGS(scalekit_get_overview_stats_params, provider, "provider"),
    STRINGS(scalekit_get_overview_stats_params, status, "status"),
    STRINGS(scalekit_get_overview_stats_params, error_code, "error_code"),
    STRING(scalekit_get_overview_stats_params, connection_name, "connection_name", .max = 255),
    END,
};
static const struct ski_type params_type = TYPE(scalekit_get_overview_stats_params, params_fields);
CHECK_TIME_RANGE(scalekit_get_overview_stats_params)

DELIVER(deliver_stats, scalekit_overview_stats_cb)

enum { GET_OVERVIEW };

const struct ski_operation ski_analytics_operations[] = {
    [GET_OVERVIEW] = {.name = "get_overview_stats",
                      .method = "GET",
                      .path = "/api/v1/agentkit/analytics/overview",
                      .summary = "the calls of tools, counted",
                      .placement = SKI_IN_QUERY,
                      .idempotency = SKI_SAFE,
                      .preview = true,
                      .params = &params_type,
                      .check = check_scalekit_get_overview_stats_params,
                      .result = &stats_type,
                      .result_offset = SKI_WHOLE_RESULT,
                      .deliver = deliver_stats},
    {.name = NULL},
};

scalekit_request *scalekit_get_overview_stats(
    scalekit_client *client, const struct scalekit_get_overview_stats_params *params,
    scalekit_overview_stats_cb cb, void *user)
{
    return ski_request_start(client, &ski_analytics_operations[GET_OVERVIEW], params,
                             (ski_callback)cb, user);
}
