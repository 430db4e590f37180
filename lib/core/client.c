#include "core/client.h"
#include "core/retry.h"
#include <event2/event.h>
#include <scalekit/version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Protocols offered, each after its length. */
#define ALPN_ANY   "\x02h2\x08http/1.1"
#define ALPN_HTTP1 "\x08http/1.1"

/* --- entering ---------------------------------------------------------------------------------- */

static void finish(scalekit_client *client);

void ski_client_enter(scalekit_client *client)
{
    client->callbacks++;
}

void ski_client_leave(scalekit_client *client)
{
    if (--client->callbacks == 0 && client->closing)
        finish(client);
}

/* --- the end ----------------------------------------------------------------------------------- */

/* Something is pending, or nothing any more: idle connections follow. */
static void on_loop_busy(struct ski_loop *loop)
{
    ski_pool_wake(SKI_CONTAINER(loop, scalekit_client, loop)->pool);
}

static void on_loop_idle(struct ski_loop *loop)
{
    scalekit_client *client = SKI_CONTAINER(loop, scalekit_client, loop);

    ski_token_sleep(&client->token);
    ski_pool_sleep(client->pool);
}

/* The loop is not in use any more: the memory around it can go, unless another thread holds it. */
static void on_loop_gone(struct ski_loop *loop)
{
    scalekit_client *client = SKI_CONTAINER(loop, scalekit_client, loop);
    struct ski_mem mem = loop->mem;

    if (ski_inbox_free(&client->inbox))
        ski_free(&mem, client);
}

/* What was made, in the order it depends on each other; also after a start that failed half way. */
static void dismantle(scalekit_client *client)
{
    const struct ski_mem *mem = &client->loop.mem;

    ski_inbox_dismantle(&client->inbox, &client->loop);
    ski_token_free(&client->token);
    ski_gate_free(&client->gate);
    if (client->pool)
        ski_pool_free(client->pool);
    if (client->resolver)
        ski_resolver_free(client->resolver);
    if (client->tls)
        ski_tls_free(client->tls);
    ski_map_free(&client->flights);
    ski_url_free(&client->url, mem);
    ski_free(mem, client->user_agent);
    ski_free(mem, client->api_version);
    ski_loop_free(&client->loop);
}

static void finish(scalekit_client *client)
{
    struct ski_attachment *attachment = client->attachment;

    client->callbacks++; /* what calls back from here on must not finish again */
    ski_inbox_flush(&client->inbox);
    if (attachment)
        attachment->close(attachment);
    while (!ski_list_empty(&client->pending))
        ski_request_close(SKI_CONTAINER(client->pending.next, scalekit_request, link));
    if (attachment)
        attachment->free(attachment);
    if (client->tool_hooks)
        client->tool_hooks->free(client->tool_hooks);
    dismantle(client);
}

void scalekit_client_free(scalekit_client *client)
{
    if (!client || client->closing)
        return;
    client->closing = true;
    ski_inbox_close(&client->inbox);
    if (!client->callbacks)
        finish(client);
}

/* --- the beginning ----------------------------------------------------------------------------- */

/* "myserver/1.2 Scalekit-C/0.1.0 libevent/2.1.12-stable (Linux; x86_64)" */
static char *user_agent(const struct ski_mem *mem, const char *application)
{
    bool named = application && application[0];
    struct utsname system;
    char text[512];

    if (uname(&system) < 0)
        memset(&system, 0, sizeof system);
    snprintf(text, sizeof text, "%s%sScalekit-C/%s libevent/%s (%s; %s)", named ? application : "",
             named ? " " : "", SCALEKIT_VERSION, event_get_version(), system.sysname,
             system.machine);
    return ski_strdup(mem, text);
}

static scalekit_err set_headers(scalekit_client *client, const char **problem)
{
    const struct scalekit_config *config = &client->config;
    const struct ski_mem *mem = &client->loop.mem;

    client->user_agent = user_agent(mem, config->user_agent);
    client->api_version =
        ski_strdup(mem, config->api_version ? config->api_version : SCALEKIT_API_VERSION);
    if (!client->user_agent || !client->api_version)
        return SCALEKIT_ERR_NOMEM;
    client->headers[0] = SKI_HEADER("user-agent", client->user_agent);
    client->headers[1] = SKI_HEADER("accept", "application/json");
    client->headers[2] = SKI_HEADER("x-sdk-version", "Scalekit-C/" SCALEKIT_VERSION);
    client->headers[3] = SKI_HEADER("x-api-version", client->api_version);
    *problem = !ski_header_value_valid(client->headers[0].value)
                   ? "user_agent has characters that a header cannot carry"
               : !ski_header_value_valid(client->headers[3].value)
                   ? "api_version has characters that a header cannot carry"
                   : NULL;
    return *problem ? SCALEKIT_ERR_INVALID : SCALEKIT_OK;
}

static scalekit_err set_loop(scalekit_client *client, struct event_base *base)
{
    scalekit_err err = ski_inbox_init(&client->inbox);

    if (err != SCALEKIT_OK)
        return err;
    err = ski_loop_init(&client->loop, base);
    if (err != SCALEKIT_OK)
        ski_inbox_free(&client->inbox);
    return err;
}

static scalekit_err set_url(scalekit_client *client, const char **problem)
{
    return ski_url_parse(&client->url, &client->loop.mem, client->config.env_url, problem);
}

static const char *ca_problem(const char *ca_file)
{
    if (!ca_file)
        return "the system's certificate authorities cannot be read";
    return access(ca_file, R_OK) == 0 ? "ca_file holds no certificate in PEM form"
                                      : "ca_file cannot be read";
}

static scalekit_err set_tls(scalekit_client *client, const char **problem)
{
    struct ski_failure failure;
    scalekit_err err;

    if (!client->url.tls)
        return SCALEKIT_OK;
    err = ski_tls_new(&client->tls, &client->loop.mem, client->url.host, client->config.ca_file,
                      client->config.http1_only ? ALPN_HTTP1 : ALPN_ANY, &failure);
    if (err == SCALEKIT_ERR_TLS)
        *problem = ca_problem(client->config.ca_file);
    return err;
}

static scalekit_err set_pool(scalekit_client *client, const char **problem)
{
    const struct scalekit_config *config = &client->config;
    struct ski_pool_config pool = {
        .url = &client->url,
        .tls = client->tls,
        .serial = !client->tls || config->http1_only,
        .max_connections = config->max_connections,
        .max_queue = config->max_queue,
        .connect_timeout_ms = config->connect_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
    };
    scalekit_err err = ski_resolver_new(&client->resolver, &client->loop, config->dns_servers);

    if (err == SCALEKIT_ERR_INVALID)
        *problem = "dns_servers is not a list of addresses with optional ports";
    if (err != SCALEKIT_OK)
        return err;
    pool.resolver = client->resolver;
    return ski_pool_new(&client->pool, &client->loop, &pool);
}

/* The governor lives as long as somebody has a seat at it. */
static scalekit_err set_gate(scalekit_client *client)
{
    const struct scalekit_config *config = &client->config;
    scalekit_governor *governor = config->governor, *own = NULL;
    scalekit_err err;

    if (!governor)
        governor = own = ski_governor_new(&client->loop.mem, &client->loop.clock.hooks,
                                          config->max_requests_per_minute);
    if (!governor)
        return SCALEKIT_ERR_NOMEM;
    err = ski_gate_init(&client->gate, &client->loop, governor, config->max_queue);
    scalekit_governor_free(own);
    return err;
}

static scalekit_err set_token(scalekit_client *client)
{
    struct ski_token_config token = {
        .client_id = client->config.client_id,
        .client_secret = client->config.client_secret,
        .headers = client->headers,
        .n_headers = SKI_CLIENT_HEADERS,
        .max_retries = client->config.max_retries,
        .gate = &client->gate,
    };
    struct ski_buf target;
    scalekit_err err = SCALEKIT_ERR_NOMEM;

    ski_buf_init(&target, &client->loop.mem, 8192);
    ski_buf_addf(&target, "%s/oauth/token", client->url.path);
    token.target = ski_buf_text(&target);
    if (token.target)
        err = ski_token_init(&client->token, &client->loop, client->pool, &token);
    ski_buf_free(&target);
    return err;
}

static scalekit_err assemble(scalekit_client *client, const char **problem)
{
    scalekit_err err = set_url(client, problem);

    if (err == SCALEKIT_OK)
        err = set_headers(client, problem);
    if (err == SCALEKIT_OK)
        err = set_tls(client, problem);
    if (err == SCALEKIT_OK)
        err = set_pool(client, problem);
    if (err == SCALEKIT_OK)
        err = set_gate(client);
    if (err == SCALEKIT_OK)
        err = set_token(client);
    return err;
}

/* The caller's strings are not ours to keep; what is needed has been copied. */
static void forget_strings(struct scalekit_config *config)
{
    config->env_url = config->client_id = config->client_secret = NULL;
    config->ca_file = config->user_agent = config->api_version = config->dns_servers = NULL;
    config->allocator = NULL;
    config->clock = NULL;
    config->governor = NULL;
}

static scalekit_err make(scalekit_client **out, struct event_base *base,
                         const struct scalekit_config *config, const char **problem)
{
    struct ski_mem mem;
    scalekit_client *client;
    scalekit_err err;

    ski_mem_init(&mem, config->allocator);
    client = ski_zalloc(&mem, sizeof *client);
    if (!client)
        return SCALEKIT_ERR_NOMEM;
    client->config = *config;
    client->retry_budget = SKI_RETRY_BUDGET;
    client->loop.mem = mem;
    ski_clock_init(&client->loop.clock, config->clock);
    client->loop.log = (struct ski_log){config->log_level, config->log, config->log_user};
    client->loop.busy = on_loop_busy;
    client->loop.idle = on_loop_idle;
    client->loop.gone = on_loop_gone;
    ski_list_init(&client->pending);
    ski_map_init(&client->flights, &client->loop.mem);
    err = set_loop(client, base);
    if (err != SCALEKIT_OK) {
        ski_free(&mem, client);
        return err;
    }
    err = assemble(client, problem);
    forget_strings(&client->config);
    if (err == SCALEKIT_OK)
        *out = client;
    else
        dismantle(client);
    return err;
}

scalekit_err scalekit_client_new(scalekit_client **out, struct event_base *base,
                                 const struct scalekit_config *config, const char **problem)
{
    struct scalekit_config complete;
    const char *ignored;

    if (!problem)
        problem = &ignored;
    *problem = NULL;
    if (!out)
        return SCALEKIT_ERR_INVALID;
    *out = NULL;
    *problem = base ? ski_config_read(&complete, config) : "base is missing";
    return *problem ? SCALEKIT_ERR_INVALID : make(out, base, &complete, problem);
}

/* --- the handle -------------------------------------------------------------------------------- */

scalekit_request *scalekit_client_warm(scalekit_client *client, scalekit_done_cb cb, void *user)
{
    static const struct ski_operation warm = {
        .name = "warm", .idempotency = SKI_SAFE, .deliver = ski_deliver_done};

    return ski_request_start(client, &warm, NULL, (ski_callback)cb, user);
}

const char *scalekit_client_env_url(const scalekit_client *client)
{
    return client ? client->url.text : NULL;
}

scalekit_governor *scalekit_client_governor(const scalekit_client *client)
{
    return client ? client->gate.seat.governor : NULL;
}

int64_t scalekit_client_next_timer(const scalekit_client *client)
{
    int64_t next = client ? ski_loop_next_ms(&client->loop) : INT64_MAX;

    return next < INT64_MAX / 1000 ? next * 1000 : INT64_MAX;
}

void scalekit_client_run_timers(scalekit_client *client)
{
    if (client)
        ski_loop_run_timers(&client->loop);
}

const char *scalekit_version(void)
{
    return SCALEKIT_VERSION;
}
