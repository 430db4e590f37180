#include "common.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define EXIT_USAGE 2

/* --- options ----------------------------------------------------------------------------------- */

static void print_usage(FILE *to, const char *program)
{
    fprintf(to,
            "Usage: %s --url URL --ca FILE [option]...\n"
            "Looks up connected accounts, many at a time, and says what one look-up costs.\n"
            "\n"
            "  --url URL             the environment, \"https://127.0.0.1:8443\"\n"
            "  --ca FILE             PEM file of the authorities to trust\n"
            "  --n N                 requests, 1 to 1000000000 (default: 100000)\n"
            "  --in-flight C         at any time, 1 to 100000 (default: 64)\n"
            "  --http1               HTTP/1.1 even if the server speaks HTTP/2\n"
            "  --json                print one JSON object\n"
            "  --client-id ID        (default: skc_bench)\n"
            "  --client-secret TEXT  (default: bench)\n"
            "  --connection NAME     of the accounts (default: gmail)\n"
            "  -h, --help            print this\n",
            program);
}

static bool read_number(const char *program, const char *name, const char *text, int64_t most,
                        int64_t *number)
{
    char *end;
    long long value = strtoll(text, &end, 10);

    if (*text >= '0' && *text <= '9' && !*end && value >= 1 && value <= most) {
        *number = value;
        return true;
    }
    fprintf(stderr, "%s: %s: \"%s\" is no number from 1 to %" PRId64 "\n", program, name, text,
            most);
    return false;
}

static bool complete(const struct bench_options *options, const char *program, int argc,
                     char **argv)
{
    if (optind < argc)
        fprintf(stderr, "%s: \"%s\" is not an option\n", program, argv[optind]);
    else if (!options->url)
        fprintf(stderr, "%s: --url is missing\n", program);
    else if (!options->ca_file)
        fprintf(stderr, "%s: --ca is missing\n", program);
    else
        return true;
    return false;
}

static bool set_option(struct bench_options *options, const char *program, int option)
{
    int64_t in_flight;

    switch (option) {
    case 'u':
        options->url = optarg;
        return true;
    case 'a':
        options->ca_file = optarg;
        return true;
    case 'n':
        return read_number(program, "--n", optarg, 1000000000, &options->n);
    case 'f':
        if (!read_number(program, "--in-flight", optarg, 100000, &in_flight))
            return false;
        options->in_flight = (unsigned)in_flight;
        return true;
    case '1':
        options->http1 = true;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'i':
        options->client_id = optarg;
        return true;
    case 's':
        options->client_secret = optarg;
        return true;
    case 'c':
        options->connection = optarg;
        return true;
    default: /* getopt_long() has said why */
        return false;
    }
}

bool bench_options_read(struct bench_options *options, const char *program, int argc, char **argv,
                        int *status)
{
    static const struct option known[] = {
        {"url", required_argument, NULL, 'u'},
        {"ca", required_argument, NULL, 'a'},
        {"n", required_argument, NULL, 'n'},
        {"in-flight", required_argument, NULL, 'f'},
        {"http1", no_argument, NULL, '1'},
        {"json", no_argument, NULL, 'j'},
        {"client-id", required_argument, NULL, 'i'},
        {"client-secret", required_argument, NULL, 's'},
        {"connection", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    *options = (struct bench_options){.client_id = "skc_bench",
                                      .client_secret = "bench",
                                      .connection = "gmail",
                                      .n = 100000,
                                      .in_flight = 64};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h') {
            print_usage(stdout, program);
            *status = EXIT_SUCCESS;
            return false;
        }
        good = set_option(options, program, option);
    }
    if (good && complete(options, program, argc, argv))
        return true;
    print_usage(stderr, program);
    *status = EXIT_USAGE;
    return false;
}

void bench_identifier(char identifier[BENCH_IDENTIFIER_SIZE], int64_t number)
{
    snprintf(identifier, BENCH_IDENTIFIER_SIZE, "user_%" PRId64, number);
}

/* --- the meter --------------------------------------------------------------------------------- */

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double bench_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_cpu_s(int whose)
{
    struct rusage used;

    if (getrusage(whose, &used) < 0)
        return 0;
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double bench_peak_mb(int whose)
{
    struct rusage used;

    return getrusage(whose, &used) < 0 ? 0 : (double)used.ru_maxrss / 1024;
}

void bench_meter_start(struct bench_meter *meter)
{
    meter->wall_s = -bench_now_s();
    meter->cpu_s = -bench_cpu_s(RUSAGE_SELF);
}

void bench_meter_stop(struct bench_meter *meter)
{
    meter->wall_s += bench_now_s();
    meter->cpu_s += bench_cpu_s(RUSAGE_SELF);
}

/* --- the report -------------------------------------------------------------------------------- */

bool bench_report(const struct bench_options *options, const char *client, const char *protocol,
                  const struct bench_meter *meter)
{
    double n = (double)options->n, mb = bench_peak_mb(RUSAGE_SELF);
    double cpu_s = meter->cpu_s > 1e-6 ? meter->cpu_s : 1e-6; /* the clock's own step */

    printf(options->json ? "{\"client\":\"%s\",\"protocol\":\"%s\",\"in_flight\":%u,\"n\":%" PRId64
                           ",\"rps\":%.0f,\"requests_per_cpu_s\":%.0f,\"cpu_us_per_request\":%.3f,"
                           "\"rss_mb\":%.2f}\n"
                         : "%s over %s, %u in flight, %" PRId64
                           " requests: %.0f per second, %.0f per CPU "
                           "second, %.2f us of CPU each, peak RSS %.1f MB\n",
           client, protocol, options->in_flight, options->n, n / meter->wall_s, n / cpu_s,
           cpu_s / n * 1e6, mb);
    return fflush(stdout) == 0 && !ferror(stdout);
}
