/* bench_watch - what watching costs: requests and delay of a crowd of users, in virtual time, and
 * memory and time of a sleeping watch.  README.md says how it is measured. */
#include "scale.h"
#include "scenario.h"
#include "waiter.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

struct options {
    struct bench_scenario_config scenario;
    unsigned watches;
    bool json;
};

static void print_usage(FILE *to)
{
    fputs(
        "Usage: bench_watch scenario [option]...\n"
        "       bench_watch scale [option]...\n"
        "\n"
        "scenario: users start within 10 minutes, consent after 45 s in the median, 30 % of them\n"
        "never, and are waited for 10 minutes each; in virtual time.\n"
        "  --users N         1 to 1000000 (default: 5000)\n"
        "  --connections N   1 to 100 (default: 3)\n"
        "  --accounts N      of each connection, 1 to 1000000 (default: 2000)\n"
        "  --ceiling N       requests a minute for the library, 1 to 1000000 (default: 300)\n"
        "  --feed            the environment offers its event feed\n"
        "  --latency N       milliseconds of a request, 1 to 10000 (default: 50)\n"
        "  --seed N          the same seed gives the same run (default: 1)\n"
        "\n"
        "scale: watches that sleep, beside one libevent timer each.\n"
        "  --watches N       1 to 10000000 (default: 100000)\n"
        "  --seed N          (default: 1)\n"
        "\n"
        "  --json            print one JSON object\n"
        "  -h, --help        print this\n",
        to);
}

/* --- scenario ---------------------------------------------------------------------------------- */

static void print_row(const char *name, const struct bench_figures *figures)
{
    printf("%-34s %9" PRIu64 " %8" PRIu64 " %8.1f s %8.1f s %8u\n", name, figures->requests,
           figures->busiest_minute, figures->mean_s, figures->p95_s, figures->missed);
}

static void print_scenario(const struct options *options, const struct bench_crowd *crowd,
                           const struct bench_scenario_result *result)
{
    const struct bench_scenario_config *config = &options->scenario;
    struct bench_figures queue = bench_queue_run(config->ceiling, crowd);
    char name[64];

    printf("%u users within 10 minutes, %u of whom consent; seed %" PRIu64 "\n"
           "%u connections of %u accounts; %s; %u ms a request\n\n",
           crowd->n, crowd->consents, config->seed, config->connections, config->accounts,
           config->feed ? "with the event feed" : "without the event feed", config->latency_ms);
    printf("%-34s %9s %8s %10s %10s %8s\n", "", "requests", "busiest", "mean", "p95", "missed");
    printf("%-34s %9s %8s %10s %10s %8s\n", "", "", "minute", "delay", "delay", "consents");
    snprintf(name, sizeof name, "libscalekit, %u a minute", config->ceiling);
    print_row(name, &result->figures);
    snprintf(name, sizeof name, "look-ups by turns, %u a minute", config->ceiling);
    print_row(name, &queue);
    for (size_t i = 0; i < bench_n_waiters; i++) {
        struct bench_figures figures = bench_waiter_run(&bench_waiters[i], crowd, config->seed);

        print_row(bench_waiters[i].name, &figures);
    }
    printf("\nlibscalekit sent %" PRIu64 " lists, %" PRIu64 " look-ups, %" PRIu64
           " reads of the feed, %" PRIu64 " sign-ins\n",
           result->counts[BENCH_LISTS], result->counts[BENCH_LOOK_UPS],
           result->counts[BENCH_FEED_READS], result->counts[BENCH_SIGN_INS]);
}

static void print_scenario_json(const struct options *options, const struct bench_crowd *crowd,
                                const struct bench_scenario_result *result)
{
    const struct bench_scenario_config *config = &options->scenario;
    const struct bench_figures *figures = &result->figures;

    printf("{\"users\":%u,\"consents\":%u,\"connections\":%u,\"accounts\":%u,\"ceiling\":%u,"
           "\"feed\":%s,\"latency_ms\":%u,\"seed\":%" PRIu64 ",\"requests\":%" PRIu64
           ",\"busiest_minute\":%" PRIu64
           ",\"mean_s\":%.3f,\"p95_s\":%.3f,\"missed\":%u,\"lists\":%" PRIu64
           ",\"look_ups\":%" PRIu64 ",\"feed_reads\":%" PRIu64 ",\"sign_ins\":%" PRIu64
           ",\"faults\":%u}\n",
           crowd->n, crowd->consents, config->connections, config->accounts, config->ceiling,
           config->feed ? "true" : "false", config->latency_ms, config->seed, figures->requests,
           figures->busiest_minute, figures->mean_s, figures->p95_s, figures->missed,
           result->counts[BENCH_LISTS], result->counts[BENCH_LOOK_UPS],
           result->counts[BENCH_FEED_READS], result->counts[BENCH_SIGN_INS], result->faults);
}

static bool run_scenario(const struct options *options)
{
    struct bench_habits habits = bench_usual_habits(options->scenario.users);
    struct bench_scenario_result result;
    struct bench_crowd crowd;

    bench_crowd_init(&crowd, &habits, options->scenario.seed);
    bench_scenario_run(&options->scenario, &crowd, &result);
    if (options->json)
        print_scenario_json(options, &crowd, &result);
    else
        print_scenario(options, &crowd, &result);
    bench_crowd_free(&crowd);
    if (result.faults)
        fprintf(stderr, "bench_watch: %u faults, the first: %s\n", result.faults, result.fault);
    return result.faults == 0;
}

/* --- scale ------------------------------------------------------------------------------------- */

static bool run_scale(const struct options *options)
{
    struct bench_scale_result r;

    bench_scale_run(options->watches, options->scenario.seed, &r);
    printf(options->json
               ? "{\"watches\":%u,\"bytes_per_watch\":%.1f,\"name_bytes\":%.1f,\"rss_mb\":%.2f,"
                 "\"start_ns\":%.0f,\"stop_ns\":%.0f,\"expire_ns\":%.0f,\"libevent_start_ns\":%.0f,"
                 "\"libevent_stop_ns\":%.0f,\"libevent_expire_ns\":%.0f}\n"
               : "%u watches: %.0f bytes each, %.0f of them names; %.1f MiB more resident\n\n"
                 "                        start      stop    expire\n"
                 "a watch              %6.0f ns %6.0f ns %6.0f ns\n"
                 "a timer of libevent  %6.0f ns %6.0f ns %6.0f ns\n",
           options->watches, r.bytes_per_watch, r.name_bytes, r.rss_mb, r.start_ns, r.stop_ns,
           r.expire_ns, r.libevent_start_ns, r.libevent_stop_ns, r.libevent_expire_ns);
    if (r.fault)
        fprintf(stderr, "bench_watch: %s\n", r.fault);
    return !r.fault;
}

/* --- options ----------------------------------------------------------------------------------- */

static bool read_number(const char *name, const char *text, uint64_t most, uint64_t *number)
{
    unsigned long long value;
    char *end;

    value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && value >= 1 && value <= most) {
        *number = value;
        return true;
    }
    fprintf(stderr, "bench_watch: --%s: \"%s\" is no number from 1 to %" PRIu64 "\n", name, text,
            most);
    return false;
}

static bool read_unsigned(const char *name, const char *text, unsigned most, unsigned *number)
{
    uint64_t value;

    if (!read_number(name, text, most, &value))
        return false;
    *number = (unsigned)value;
    return true;
}

static bool set_option(struct options *options, int option)
{
    struct bench_scenario_config *scenario = &options->scenario;

    switch (option) {
    case 'u':
        return read_unsigned("users", optarg, 1000000, &scenario->users);
    case 'c':
        return read_unsigned("connections", optarg, 100, &scenario->connections);
    case 'a':
        return read_unsigned("accounts", optarg, 1000000, &scenario->accounts);
    case 'r':
        return read_unsigned("ceiling", optarg, 1000000, &scenario->ceiling);
    case 'l':
        return read_unsigned("latency", optarg, 10000, &scenario->latency_ms);
    case 's':
        return read_number("seed", optarg, INT64_MAX, &scenario->seed);
    case 'w':
        return read_unsigned("watches", optarg, 10000000, &options->watches);
    case 'f':
        scenario->feed = true;
        return true;
    case 'j':
        options->json = true;
        return true;
    default: /* getopt_long() has said why */
        return false;
    }
}

static bool fits(const struct bench_scenario_config *scenario)
{
    if (scenario->users <= (uint64_t)scenario->connections * scenario->accounts)
        return true;
    fprintf(stderr, "bench_watch: %u users have no more than %u accounts\n", scenario->users,
            scenario->connections * scenario->accounts);
    return false;
}

/* False: `status` is what to exit with. */
static bool read_options(struct options *options, bool scenario, int argc, char **argv, int *status)
{
    static const struct option all[] = {
        {"seed", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"users", required_argument, NULL, 'u'},
        {"connections", required_argument, NULL, 'c'},
        {"accounts", required_argument, NULL, 'a'},
        {"ceiling", required_argument, NULL, 'r'},
        {"feed", no_argument, NULL, 'f'},
        {"latency", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    static const struct option of_scale[] = {
        {"seed", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"watches", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *status = EXIT_USAGE;
    while ((option = getopt_long(argc, argv, "h", scenario ? all : of_scale, NULL)) != -1) {
        if (option == 'h') {
            print_usage(stdout);
            *status = EXIT_SUCCESS;
            return false;
        }
        if (!set_option(options, option))
            return false;
    }
    if (optind < argc)
        fprintf(stderr, "bench_watch: \"%s\" is not an option\n", argv[optind]);
    return optind == argc && fits(&options->scenario);
}

int main(int argc, char **argv)
{
    struct options options = {
        .scenario = {.users = 5000,
                     .connections = 3,
                     .accounts = 2000,
                     .ceiling = 300,
                     .latency_ms = 50,
                     .seed = 1},
        .watches = 100000,
    };
    bool scenario = argc > 1 && strcmp(argv[1], "scenario") == 0, good;
    bool help = argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0);
    int status;

    if (help || (!scenario && !(argc > 1 && strcmp(argv[1], "scale") == 0))) {
        print_usage(help ? stdout : stderr);
        return help ? EXIT_SUCCESS : EXIT_USAGE;
    }
    argv[1] = argv[0]; /* for what getopt_long() says */
    if (!read_options(&options, scenario, argc - 1, argv + 1, &status))
        return status;
    good = scenario ? run_scenario(&options) : run_scale(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("bench_watch: standard output is broken\n", stderr);
        return EXIT_FAILURE;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
