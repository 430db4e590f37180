#include "fleet_options.h"
#include "common.h"
#include "roster.h"
#include <getopt.h>

#define DAY_MS INT64_C(86400000)

static const char usage[] =
    "Usage: fleet --accounts FILE [option]...\n"
    "       fleet --emulator [option]...\n"
    "Watches many accounts until they settle: ACTIVE, EXPIRED, REVOKED or DISCONNECTED.\n"
    "\n"
    "  --accounts FILE    a line for each, \"CONNECTION IDENTIFIER\", or with a tab between them;\n"
    "                     \"-\": standard input\n"
    "  --emulator         bring an environment along, in which users decide at random moments\n"
    "  --count N          ... so many, 1 to 1000000 (default: 1000)\n"
    "  --connections N    ... of so many connections, 1 to 1000 (default: 10)\n"
    "  --seed N           ... of what they decide, and when (default: 1)\n"
    "  --grace SECONDS    ... how late their watches may be told, to 86400 (default: 60,\n"
    "                     with --webhooks 120)\n"
    "  --webhooks         ... and which posts what happens: that its users have consented, and "
    "then\n"
    "                     what they decide\n"
    "    --lost PERCENT, --doubled PERCENT, --reordered PERCENT, --late PERCENT\n"
    "                     ... but so many of the deliveries never, twice, behind the next one, or\n"
    "                     5 s late (default: 0)\n"
    "  --duration SECONDS when it ends, to 2592000 (default: when all watches have).  With\n"
    "                     --emulator: when all have decided, to 86400 (default: 10)\n"
    "  --deadline SECONDS of each watch, to 2592000 (default: the library's 15 minutes, or\n"
    "                     longer when it has a longer duration)\n"
    "  --max-requests-per-minute N\n"
    "                     a ceiling, 1 to 1000000 (default: none)\n"
    "  --json             print one object in the end, and no progress\n"
    "  --quiet            no progress\n"
    "  -h, --help         print this\n"
    "\n"
    "Without --emulator the environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
    "SCALEKIT_CLIENT_SECRET say which environment to use.  Ctrl-C ends it early.\n"
    "\n"
    "What the object has:\n"
    "  watches, settled   started; told what became of the account\n"
    "  duplicates         events after a final one\n"
    "  lost               accounts that changed, and whose watch did not say so within the grace,\n"
    "                     or said something else\n"
    "  rss_mb             the most that was resident, MiB, by a look each second;\n"
    "                     rss_start_mb before the first watch, rss_watching_mb when the last was\n"
    "                     started, rss_end_mb in the end\n"
    "  requests           attempts sent, the sign-in included; rate_limited: answered 429\n"
    "  cpu_seconds        of this process, which the emulator's is not: emulator_cpu_seconds\n"
    "  active, expired, revoked, disconnected\n"
    "                     what those that settled were told\n"
    "  waiting            watches that go on; refused: that may not look, or whose account is\n"
    "                     gone; otherwise: that ended in another way, as by their deadline\n"
    "  by_webhook, by_feed, by_look\n"
    "                     how many of those that settled learned it from a delivery, from the\n"
    "                     event feed, from a look-up or a list\n"
    "  mean_s             from a change to its event; p95_s: 95 % within; max_s: all within\n"
    "  deliveries         taken in; duplicate_deliveries: had before; rejected_deliveries: all\n"
    "                     others; missed_deliveries: changes that a look has shown first\n"
    "  webhook_mean_s, webhook_p95_s, webhook_max_s\n"
    "                     from a change to its event, of those told by a delivery\n"
    "  events             of the emulator: as many deliveries were to be made; posted: attempts;\n"
    "                     withheld: lost on purpose; pending: not done with in the end\n"
    "\n"
    "Exit status: 0 when nothing was told twice, lost or refused; else 1.\n";

static bool read_option(struct fleet_options *options, int option)
{
    switch (option) {
    case 'a':
        options->accounts = optarg;
        return true;
    case 'e':
        options->emulator = true;
        return true;
    case 'n':
        return parse_number("--count", optarg, 1, ROSTER_MAX, &options->count);
    case 'c':
        return parse_number("--connections", optarg, 1, 1000, &options->connections);
    case 's':
        return parse_number("--seed", optarg, 0, INT64_MAX, &options->seed);
    case 'g':
        return parse_seconds("--grace", optarg, 1, DAY_MS, &options->grace_ms);
    case 't':
        return parse_seconds("--duration", optarg, 100, 30 * DAY_MS, &options->duration_ms);
    case 'd':
        return parse_seconds("--deadline", optarg, 1, 30 * DAY_MS, &options->deadline_ms);
    case 'm':
        return parse_number("--max-requests-per-minute", optarg, 1, 1000000, &options->ceiling);
    case 'w':
        options->webhooks = true;
        return true;
    case 'L':
        return parse_number("--lost", optarg, 0, 100, &options->lost);
    case 'D':
        return parse_number("--doubled", optarg, 0, 100, &options->doubled);
    case 'R':
        return parse_number("--reordered", optarg, 0, 100, &options->reordered);
    case 'T':
        return parse_number("--late", optarg, 0, 100, &options->late);
    case 'j':
        options->json = true;
        return true;
    case 'q':
        options->quiet = true;
        return true;
    default:
        return false; /* getopt_long() has said why */
    }
}

static bool fit_together(const struct fleet_options *options)
{
    const char *of_emulator = options->count         ? "--count"
                              : options->connections ? "--connections"
                              : options->seed >= 0   ? "--seed"
                              : options->grace_ms    ? "--grace"
                              : options->webhooks    ? "--webhooks"
                                                     : NULL;
    const char *of_webhooks = options->lost        ? "--lost"
                              : options->doubled   ? "--doubled"
                              : options->reordered ? "--reordered"
                              : options->late      ? "--late"
                                                   : NULL;

    if (options->emulator == !!options->accounts)
        complain("either --accounts FILE or --emulator is needed");
    else if (!options->emulator && of_emulator)
        complain("%s is an option of --emulator", of_emulator);
    else if (!options->webhooks && of_webhooks)
        complain("%s is an option of --webhooks", of_webhooks);
    else if (options->emulator && options->duration_ms > DAY_MS)
        complain("with --emulator, --duration takes seconds to 86400");
    else
        return true;
    return false;
}

static void set_defaults(struct fleet_options *options)
{
    if (options->emulator) {
        options->count = options->count ? options->count : 1000;
        options->connections = options->connections ? options->connections : 10;
        options->seed = options->seed >= 0 ? options->seed : 1;
        if (!options->grace_ms) /* a watch that relies on deliveries looks once a minute or so */
            options->grace_ms = options->webhooks ? 120000 : 60000;
        options->duration_ms = options->duration_ms ? options->duration_ms : 10000;
    }
    if (!options->deadline_ms && options->duration_ms + options->grace_ms > 840000)
        options->deadline_ms = options->duration_ms + options->grace_ms + 60000;
    if (options->deadline_ms > 30 * DAY_MS)
        options->deadline_ms = 30 * DAY_MS;
}

enum fleet_reading fleet_read_options(struct fleet_options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"accounts", required_argument, NULL, 'a'},
        {"emulator", no_argument, NULL, 'e'},
        {"count", required_argument, NULL, 'n'},
        {"connections", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},
        {"grace", required_argument, NULL, 'g'},
        {"webhooks", no_argument, NULL, 'w'},
        {"lost", required_argument, NULL, 'L'},
        {"doubled", required_argument, NULL, 'D'},
        {"reordered", required_argument, NULL, 'R'},
        {"late", required_argument, NULL, 'T'},
        {"duration", required_argument, NULL, 't'},
        {"deadline", required_argument, NULL, 'd'},
        {"max-requests-per-minute", required_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    *options = (struct fleet_options){.seed = -1};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h')
            return fputs(usage, stdout) < 0 ? WRONG : ENOUGH;
        good = read_option(options, option);
    }
    if (good && optind < argc) {
        complain("\"%s\" is not an option", argv[optind]);
        good = false;
    }
    good = good && fit_together(options);
    if (!good)
        fputs("Try --help.\n", stderr);
    set_defaults(options);
    return good ? GO_ON : WRONG;
}
