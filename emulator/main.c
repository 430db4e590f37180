/* scalekit-emulator - a Scalekit environment on a laptop. */
#include "emulator.h"
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <scalekit/version.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define N_SIGNALS  3

static const char usage[] =
    "Usage: scalekit-emulator [option]...\n"
    "Runs a Scalekit environment on 127.0.0.1 until it is interrupted, and prints how to use it.\n"
    "\n"
    "  --port N          listen on this port (default: any free one)\n"
    "  --tls-dir DIR     keep the certificates here (default: a temporary directory)\n"
    "  --plain           HTTP instead of HTTPS\n"
    "  --consent WORD    what users do with their links: manual, approve, deny, expire, revoke\n"
    "                    (default: manual, by the page behind the link)\n"
    "  --after SECONDS   ... this long after the link was made (default: 0)\n"
    "  --verify-users    consent must be confirmed by the application\n"
    "  --webhook URL     send each event there: http:// or https:// on this machine\n"
    "  --webhook-secret WHSEC     ... signed with this (default: one is made, and printed)\n"
    "  --webhook-ca FILE          ... where this file's authority vouches for it (default: "
    "ca.pem)\n"
    "  --webhook-loss PERCENT     ... but lose so many\n"
    "  --webhook-duplicate PERCENT\n"
    "                             ... send so many twice\n"
    "  --webhook-reorder PERCENT  ... send so many behind the next one\n"
    "  --webhook-delay PERCENT    ... send so many 5 s late\n"
    "  --webhook-seed N           ... chosen by this number (default: 0)\n"
    "  --webhook-speed N          ... with all waits so many times shorter (default: 1)\n"
    "  --quiet           no line per request on stderr\n"
    "  -h, --help        print this\n"
    "  --version         print the version\n"
    "\n"
    "While it runs, it is told what to do by requests with JSON bodies:\n"
    "  GET  /_emulator                lists these, with what their bodies may have\n"
    "  GET  /_emulator/stats          what was asked so far\n"
    "  POST /_emulator/consent        {\"connector\", \"identifier\", \"consent\", \"after_ms\"}\n"
    "  POST /_emulator/status         {\"connector\", \"identifier\", \"status\"}\n"
    "  POST /_emulator/fail           {\"path_prefix\", \"times\", \"status\", \"body\", "
    "\"delay_ms\"}\n"
    "  POST /_emulator/revoke_tokens\n"
    "  POST /_emulator/webhook        {\"url\", \"secret\", \"loss\", \"duplicate\", \"reorder\", "
    "\"delay\",\n"
    "                                 \"delay_ms\", \"seed\", \"speed\", \"answer_ms\", "
    "\"connections\"}\n"
    "  GET  /_emulator/webhooks       the endpoints\n"
    "  GET  /_emulator/deliveries     what became of each event; ?outcome=lost and so on\n"
    "\n"
    "What /proxy/ is asked for, but Gmail's messages, comes back as JSON; a query asks for more:\n"
    "  status=N, bytes=N, location=URL\n";

struct options {
    struct scalekit_emulator_config config;
    struct scalekit_emulator_webhook webhook; /* without a URL: none */
    const char *of_webhook;                   /* an option that needs one; NULL: none was given */
    const char *asked;                        /* the option being read */
    bool plain, quiet;
    enum scalekit_consent consent;
    const char *after; /* as it was given; NULL: it was not */
    int64_t after_ms;
};

/* --- options ----------------------------------------------------------------------------------- */

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "scalekit-emulator: %s: %s\nTry --help.\n", what, value);
    return EXIT_USAGE;
}

static int set_port(struct options *options, const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (!*text || *end || port < 0 || port > UINT16_MAX)
        return complain("not a port", text);
    options->config.port = (uint16_t)port;
    return 0;
}

static int set_after(struct options *options, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (!*text || *end || !(seconds >= 0 && seconds <= 86400))
        return complain("not a time of up to a day in seconds", text);
    options->after = text;
    options->after_ms = (int64_t)(seconds * 1000);
    return 0;
}

static int set_consent(struct options *options, const char *text)
{
    int consent = scalekit_consent_parse(text);

    if (consent < 0)
        return complain("not one of manual, approve, deny, expire, revoke", text);
    options->consent = (enum scalekit_consent)consent;
    return 0;
}

static int set_number(const struct options *options, int64_t *number, const char *text, int64_t max)
{
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    if (!*text || *end || errno || *number < 0 || *number > max) {
        fprintf(stderr, "scalekit-emulator: --%s takes 0 to %" PRId64 ", not \"%s\"\nTry --help.\n",
                options->asked, max, text);
        return EXIT_USAGE;
    }
    return 0;
}

static int set_percentage(const struct options *options, int *percentage, const char *text)
{
    int64_t number;
    int wrong = set_number(options, &number, text, 100);

    if (!wrong)
        *percentage = (int)number;
    return wrong;
}

static int set_seed(const struct options *options, uint64_t *seed, const char *text)
{
    int64_t number;
    int wrong = set_number(options, &number, text, INT64_MAX);

    if (!wrong)
        *seed = (uint64_t)number;
    return wrong;
}

enum {
    OF_WEBHOOK = 256, /* behind every character */
    OF_WEBHOOK_SECRET,
    OF_WEBHOOK_CA,
    OF_WEBHOOK_LOSS,
    OF_WEBHOOK_DUPLICATE,
    OF_WEBHOOK_REORDER,
    OF_WEBHOOK_DELAY,
    OF_WEBHOOK_SEED,
    OF_WEBHOOK_SPEED,
};

static const struct option known_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"tls-dir", required_argument, NULL, 'd'},
    {"consent", required_argument, NULL, 'c'},
    {"after", required_argument, NULL, 'a'},
    {"plain", no_argument, NULL, 'P'},
    {"verify-users", no_argument, NULL, 'v'},
    {"webhook", required_argument, NULL, OF_WEBHOOK},
    {"webhook-secret", required_argument, NULL, OF_WEBHOOK_SECRET},
    {"webhook-ca", required_argument, NULL, OF_WEBHOOK_CA},
    {"webhook-loss", required_argument, NULL, OF_WEBHOOK_LOSS},
    {"webhook-duplicate", required_argument, NULL, OF_WEBHOOK_DUPLICATE},
    {"webhook-reorder", required_argument, NULL, OF_WEBHOOK_REORDER},
    {"webhook-delay", required_argument, NULL, OF_WEBHOOK_DELAY},
    {"webhook-seed", required_argument, NULL, OF_WEBHOOK_SEED},
    {"webhook-speed", required_argument, NULL, OF_WEBHOOK_SPEED},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static int set_webhook(struct options *options, int option, const char *text)
{
    struct scalekit_emulator_webhook *webhook = &options->webhook;

    options->of_webhook = options->asked;
    switch (option) {
    case OF_WEBHOOK_LOSS:
        return set_percentage(options, &webhook->loss, text);
    case OF_WEBHOOK_DUPLICATE:
        return set_percentage(options, &webhook->duplicate, text);
    case OF_WEBHOOK_REORDER:
        return set_percentage(options, &webhook->reorder, text);
    case OF_WEBHOOK_DELAY:
        return set_percentage(options, &webhook->delay, text);
    case OF_WEBHOOK_SEED:
        return set_seed(options, &webhook->seed, text);
    case OF_WEBHOOK_SPEED:
        return set_number(options, &webhook->speed, text, 1000000000);
    case OF_WEBHOOK_SECRET:
        webhook->secret = text;
        return 0;
    case OF_WEBHOOK_CA:
        webhook->ca_file = text;
        return 0;
    default:
        webhook->url = text;
        return 0;
    }
}

/* 0: go on.  Otherwise the exit status plus 1, as 0 is one, too. */
static int set_option(struct options *options, int option, const char *text)
{
    int wrong = 0;

    switch (option) {
    case 'p':
        wrong = set_port(options, text);
        break;
    case 'd':
        options->config.tls_dir = text;
        break;
    case 'c':
        wrong = set_consent(options, text);
        break;
    case 'a':
        wrong = set_after(options, text);
        break;
    case 'P':
        options->plain = true;
        break;
    case 'v':
        options->config.verify_users = true;
        break;
    case 'q':
        options->quiet = true;
        break;
    case 'h':
        fputs(usage, stdout);
        return EXIT_SUCCESS + 1;
    case 'V':
        printf("scalekit-emulator %s\n", SCALEKIT_VERSION);
        return EXIT_SUCCESS + 1;
    case '?':
        fputs("Try --help.\n", stderr);
        return EXIT_USAGE + 1;
    default:
        wrong = set_webhook(options, option, text);
    }
    return wrong ? wrong + 1 : 0;
}

/* As set_option(). */
static int parse_options(struct options *options, int argc, char **argv)
{
    static char name[] = "scalekit-emulator";
    int option, index = 0, wrong = 0;

    argv[0] = name; /* what getopt puts before its complaints */
    while ((option = getopt_long(argc, argv, "h", known_options, &index)) != -1) {
        int end;

        options->asked = known_options[index].name;
        end = set_option(options, option, optarg);

        if (end)
            return end;
    }
    if (optind < argc)
        wrong = complain("not an option", argv[optind]);
    else if (options->plain && options->config.tls_dir)
        wrong = complain("--plain needs no --tls-dir", options->config.tls_dir);
    else if (options->after && options->consent == SCALEKIT_CONSENT_MANUAL)
        wrong = complain("--after needs a --consent that happens by itself", options->after);
    else if (options->of_webhook && !options->webhook.url)
        wrong = complain("what needs --webhook", options->of_webhook);
    return wrong ? wrong + 1 : 0;
}

/* --- a directory of our own -------------------------------------------------------------------- */

static bool make_directory(char path[PATH_MAX])
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(path, PATH_MAX, "%s/scalekit-emulator-XXXXXX",
                          parent && *parent ? parent : "/tmp");

    if (length < PATH_MAX && mkdtemp(path))
        return true;
    fprintf(stderr, "scalekit-emulator: cannot make %s: %s\n", path, strerror(errno));
    path[0] = '\0';
    return false;
}

static void remove_directory(const char *path)
{
    static const char *const files[] = {"ca.pem", "server.pem", "server.key"};
    char file[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(file, sizeof file, "%s/%s", path, files[i]);
        unlink(file);
    }
    rmdir(path);
}

/* --- running ----------------------------------------------------------------------------------- */

static void print_request(const char *method, const char *path, int status, void *user)
{
    (void)user;
    fprintf(stderr, "%s %s %d\n", method, path, status);
}

/* As one word of the shell. */
static void print_word(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "/._-+:@%,=";

    if (!text[strspn(text, plain)]) {
        fputs(text, stdout);
        return;
    }
    putchar('\'');
    for (; *text; text++)
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
    putchar('\'');
}

/* `secret` NULL: there is no webhook. */
static void print_settings(const scalekit_emulator *emulator, const char *secret)
{
    const char *ca_file = scalekit_emulator_ca_file(emulator);
    char absolute[PATH_MAX];

    printf("export SCALEKIT_ENV_URL=%s SCALEKIT_CLIENT_ID=%s SCALEKIT_CLIENT_SECRET=%s",
           scalekit_emulator_url(emulator), scalekit_emulator_client_id(emulator),
           scalekit_emulator_client_secret(emulator));
    if (ca_file) {
        fputs(" SCALEKIT_CA_FILE=", stdout);
        print_word(realpath(ca_file, absolute) ? absolute : ca_file);
    }
    if (secret) {
        fputs(" SCALEKIT_WEBHOOK_SECRET=", stdout);
        print_word(secret);
    }
    putchar('\n');
    fflush(stdout);
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void)number;
    (void)what;
    event_base_loopbreak(base);
}

/* Whoever started it with hangups ignored wants it to outlive the terminal. */
static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static bool listen_to_signals(struct event_base *base, struct event *events[N_SIGNALS])
{
    static const int numbers[N_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < N_SIGNALS; i++) {
        if (numbers[i] == SIGHUP && is_ignored(SIGHUP))
            continue;
        events[i] = evsignal_new(base, numbers[i], on_signal, base);
        if (!events[i] || evsignal_add(events[i], NULL) < 0)
            return false;
    }
    return true;
}

/* As the options say; true also when they say nothing of one. */
static bool add_webhook(scalekit_emulator *emulator, const struct options *options)
{
    char error[128];

    if (!options->webhook.url ||
        scalekit_emulator_add_webhook(emulator, &options->webhook, error, sizeof error))
        return true;
    fprintf(stderr, "scalekit-emulator: %s: %s\n", options->webhook.url, error);
    return false;
}

static int run(struct event_base *base, scalekit_emulator *emulator, const struct options *options)
{
    const char *url = options->webhook.url;
    struct event *events[N_SIGNALS] = {NULL};
    int status = EXIT_FAILURE;

    if (listen_to_signals(base, events)) {
        scalekit_emulator_script_consent(emulator, options->consent, options->after_ms);
        print_settings(emulator, url ? scalekit_emulator_webhook_secret(emulator, url) : NULL);
        status = event_base_dispatch(base) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (events[i])
            event_free(events[i]);
    return status;
}

static int serve(struct event_base *base, const struct options *options)
{
    char error[PATH_MAX + 256];
    scalekit_emulator *emulator =
        scalekit_emulator_start(base, &options->config, error, sizeof error);
    int status = EXIT_FAILURE;

    if (!emulator)
        fprintf(stderr, "scalekit-emulator: %s\n", error);
    else if (add_webhook(emulator, options))
        status = run(base, emulator, options);
    scalekit_emulator_free(emulator);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.consent = SCALEKIT_CONSENT_MANUAL};
    int status = parse_options(&options, argc, argv);
    char directory[PATH_MAX] = "";
    struct event_base *base;

    if (status)
        return status - 1;
    signal(SIGPIPE, SIG_IGN);
    if (!options.plain && !options.config.tls_dir) {
        if (!make_directory(directory))
            return EXIT_FAILURE;
        options.config.tls_dir = directory;
    }
    if (!options.quiet)
        options.config.log = print_request;
    base = event_base_new();
    status = base ? serve(base, &options) : EXIT_FAILURE;
    if (base)
        event_base_free(base);
    if (*directory)
        remove_directory(directory);
    return status;
}
