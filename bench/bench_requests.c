/* bench_requests - this library at work, by its public interface alone: looks up N connected
 * accounts, C of them at any time, each completion starting the next.  Signing in, and with it the
 * first connection, comes before the measured part; the other connections belong to it. */
#include "common.h"
#include <event2/event.h>
#include <scalekit/scalekit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char program[] = "bench_requests";

struct bench {
    struct bench_options options;
    struct event_base *base;
    scalekit_client *client;
    int64_t started, ended;
    bool http2, ready, failed;
};

/* The first failure is told; what follows from it is not. */
static void fail(struct bench *bench, const char *doing, const struct scalekit_error *error)
{
    if (!bench->failed)
        fprintf(stderr, "%s: cannot %s: %s\n", program, doing,
                error ? error->message : "out of memory");
    bench->failed = true;
    event_base_loopbreak(bench->base);
}

/* Which protocol a connection speaks, only the log tells. */
static void on_log(enum scalekit_log_level level, const char *line, void *user)
{
    struct bench *bench = user;

    (void)level;
    if (strstr(line, "HTTP/2"))
        bench->http2 = true;
}

/* --- the requests ------------------------------------------------------------------------------ */

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user);

static void start_next(struct bench *bench)
{
    char identifier[BENCH_IDENTIFIER_SIZE];

    bench_identifier(identifier, bench->started);
    if (!scalekit_get_connected_account_details(
            bench->client,
            SCALEKIT_PARAMS(scalekit_account_key, .connection_name = bench->options.connection,
                            .identifier = identifier),
            on_account, bench)) {
        fail(bench, "start a request", NULL);
        return;
    }
    bench->started++;
}

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct bench *bench = user;

    if (bench->failed)
        return;
    if (!account) {
        fail(bench, "look an account up", scalekit_request_error(request));
        return;
    }
    if (account->status != SCALEKIT_ACCOUNT_ACTIVE) {
        fprintf(stderr, "%s: %s is %s, not ACTIVE\n", program,
                account->identifier ? account->identifier : "an account",
                scalekit_account_status_name(account->status));
        bench->failed = true;
        event_base_loopbreak(bench->base);
        return;
    }
    bench->ended++;
    if (bench->started < bench->options.n)
        start_next(bench);
}

static void on_warm(scalekit_request *request, bool done, void *user)
{
    struct bench *bench = user;

    if (done)
        bench->ready = true;
    else
        fail(bench, "sign in", scalekit_request_error(request));
}

/* --- from beginning to end --------------------------------------------------------------------- */

static bool open_client(struct bench *bench)
{
    const struct bench_options *options = &bench->options;
    struct scalekit_config config = {
        .struct_size = sizeof config,
        .env_url = options->url,
        .ca_file = options->ca_file,
        .client_id = options->client_id,
        .client_secret = options->client_secret,
        .http1_only = options->http1,
        .log_level = SCALEKIT_LOG_INFO, /* nothing per request */
        .log = on_log,
        .log_user = bench,
    };
    const char *problem = NULL;

    if (options->in_flight > 10000) /* else the default is enough */
        config.max_queue = options->in_flight;
    bench->base = event_base_new();
    if (bench->base &&
        scalekit_client_new(&bench->client, bench->base, &config, &problem) == SCALEKIT_OK)
        return true;
    fprintf(stderr, "%s: %s\n", program, problem ? problem : "cannot make an event loop");
    return false;
}

static bool sign_in(struct bench *bench)
{
    if (!scalekit_client_warm(bench->client, on_warm, bench))
        fail(bench, "sign in", NULL);
    else
        event_base_dispatch(bench->base);
    return bench->ready;
}

static bool measure(struct bench *bench, struct bench_meter *meter)
{
    const struct bench_options *options = &bench->options;

    bench_meter_start(meter);
    for (unsigned i = 0; i < options->in_flight && i < options->n && !bench->failed; i++)
        start_next(bench);
    if (!bench->failed)
        event_base_dispatch(bench->base); /* returns when nothing is pending */
    bench_meter_stop(meter);
    if (!bench->failed && bench->ended != options->n) {
        fprintf(stderr, "%s: the loop ended with requests pending\n", program);
        bench->failed = true;
    }
    return !bench->failed;
}

int main(int argc, char **argv)
{
    struct bench bench = {.ready = false};
    struct bench_meter meter;
    int status = EXIT_FAILURE;

    if (!bench_options_read(&bench.options, program, argc, argv, &status))
        return status;
    if (open_client(&bench) && sign_in(&bench) && measure(&bench, &meter) &&
        bench_report(&bench.options, "libscalekit", bench.http2 ? "h2" : "http/1.1", &meter))
        status = EXIT_SUCCESS;
    bench.failed = true; /* what is pending ends without a word */
    scalekit_client_free(bench.client);
    if (bench.base)
        event_base_free(bench.base);
    return status;
}
