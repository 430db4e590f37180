#include "core/config.h"
#include "core/governor.h"
#include "json/check.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- defaults and limits ----------------------------------------------------------------------- */

/* The durations, each with its default and its limits. */
static const struct {
    size_t offset;
    int64_t normal, min, max;
    const char *problem;
} durations[] = {
#define PERIOD(member, normal, min, max)                                                           \
    {                                                                                              \
        offsetof(struct scalekit_config, member), normal, min, max,                                \
            #member " must be from " #min " to " #max " milliseconds"                              \
    }
    PERIOD(deadline_ms, 20000, 1, 86400000),
    PERIOD(tool_deadline_ms, 60000, 1, 86400000),
    PERIOD(connect_timeout_ms, 10000, 1, 600000),
    PERIOD(idle_timeout_ms, 240000, 1, 86400000),
    PERIOD(watch_first_check_ms, 2000, 1, 86400000),
    PERIOD(watch_interval_ms, 3000, 1, 86400000),
    PERIOD(watch_fast_period_ms, 60000, 1, 86400000),
    PERIOD(watch_max_interval_ms, 30000, 1, 86400000),
    PERIOD(watch_follow_interval_ms, 120000, 1, 86400000),
    PERIOD(watch_deadline_ms, 900000, 1, 2592000000),
#undef PERIOD
};

static const char *check_required(const struct scalekit_config *config)
{
    if (!config->env_url || !config->env_url[0])
        return "env_url is missing";
    if (!config->client_id || !config->client_id[0])
        return "client_id is missing";
    if (!config->client_secret || !config->client_secret[0])
        return "client_secret is missing";
    if (strlen(config->client_id) > 1000)
        return "client_id is longer than 1,000 bytes";
    if (strlen(config->client_secret) > 4000)
        return "client_secret is longer than 4,000 bytes";
    return NULL;
}

static const char *read_durations(struct scalekit_config *config)
{
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        int64_t *value = (int64_t *)((char *)config + durations[i].offset);

        if (*value == 0)
            *value = durations[i].normal;
        if (*value < durations[i].min || *value > durations[i].max)
            return durations[i].problem;
    }
    return NULL;
}

static const char *read_limits(struct scalekit_config *config)
{
    if (!config->max_connections)
        config->max_connections = 64;
    if (config->max_connections > 1024)
        return "max_connections must be from 1 to 1,024";
    if (!config->max_queue)
        config->max_queue = 10000;
    if (config->max_queue > 10000000)
        return "max_queue must be from 1 to 10,000,000";
    if (!config->max_submitted)
        config->max_submitted = 4096;
    if (config->max_submitted > 1048576)
        return "max_submitted must be from 1 to 1,048,576";
    if (config->max_retries < -1 || config->max_retries > 10)
        return "max_retries must be from -1 (none) to 10";
    config->max_retries = config->max_retries == 0  ? 2
                          : config->max_retries < 0 ? 0
                                                    : config->max_retries;
    if (!config->max_response_bytes)
        config->max_response_bytes = 8u << 20;
    if (config->max_response_bytes > 1u << 30)
        return "max_response_bytes must be at most 1 GiB";
    if (config->max_requests_per_minute > SKI_MAX_CEILING)
        return "max_requests_per_minute must be at most 1,000,000";
    if (config->max_requests_per_minute && config->governor)
        return "max_requests_per_minute is for a client without a governor: give it to that";
    return NULL;
}

static const char *check_surroundings(const struct scalekit_config *config)
{
    const struct scalekit_allocator *allocator = config->allocator;
    const struct scalekit_clock *clock = config->clock;

    if (config->log_level < SCALEKIT_LOG_OFF || config->log_level > SCALEKIT_LOG_TRACE)
        return "log_level is not one of enum scalekit_log_level";
    if (allocator && (!allocator->malloc || !allocator->realloc || !allocator->free))
        return "allocator lacks a function";
    if (clock && (!clock->monotonic_us || !clock->wall_us || !clock->random))
        return "clock lacks a function";
    if (config->user_agent && strlen(config->user_agent) > 200)
        return "user_agent is longer than 200 bytes";
    return NULL;
}

static const char *copy(struct scalekit_config *config, const struct scalekit_config *given)
{
    if (!given)
        return "the configuration is missing";
    if (ski_params_copy(config, sizeof *config, given) == config)
        return NULL;
    return given->struct_size ? "struct_size covers members that this version does not know"
                              : "struct_size is 0: make the configuration with SCALEKIT_PARAMS or "
                                "scalekit_config_from_env()";
}

const char *ski_config_read(struct scalekit_config *config, const struct scalekit_config *given)
{
    const char *problem = copy(config, given);

    if (!problem)
        problem = check_required(config);
    if (!problem)
        problem = read_durations(config);
    if (!problem)
        problem = read_limits(config);
    return problem ? problem : check_surroundings(config);
}

/* --- the environment --------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

scalekit_err scalekit_config_read_env(struct scalekit_config *config, size_t struct_size,
                                      const char **problem)
{
    const char *level = variable("SCALEKIT_LOG"), *wrong = NULL;
    int parsed = level ? scalekit_log_level_parse(level) : SCALEKIT_LOG_OFF;
    struct scalekit_config read = {.struct_size = struct_size};

    if (!config)
        return SCALEKIT_ERR_INVALID;
    read.env_url = variable("SCALEKIT_ENV_URL");
    if (!read.env_url)
        read.env_url = variable("SCALEKIT_ENVIRONMENT_URL");
    read.client_id = variable("SCALEKIT_CLIENT_ID");
    read.client_secret = variable("SCALEKIT_CLIENT_SECRET");
    read.ca_file = variable("SCALEKIT_CA_FILE");
    read.log_level = parsed < 0 ? SCALEKIT_LOG_OFF : (enum scalekit_log_level)parsed;
    if (!read.env_url)
        wrong = "SCALEKIT_ENV_URL is not set";
    else if (!read.client_id)
        wrong = "SCALEKIT_CLIENT_ID is not set";
    else if (!read.client_secret)
        wrong = "SCALEKIT_CLIENT_SECRET is not set";
    else if (parsed < 0)
        wrong = "SCALEKIT_LOG is not a log level: off, error, warn, info, debug or trace";
    memset(config, 0, struct_size);
    memcpy(config, &read, struct_size < sizeof read ? struct_size : sizeof read);
    if (problem)
        *problem = wrong;
    return wrong ? SCALEKIT_ERR_INVALID : SCALEKIT_OK;
}
