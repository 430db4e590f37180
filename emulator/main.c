/* scalekit-emulator - a Scalekit environment on a laptop. */
#include "emulator.h"
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
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
    "\n"
    "What /proxy/ is asked for, but Gmail's messages, comes back as JSON; a query asks for more:\n"
    "  status=N, bytes=N, location=URL\n";

struct options {
    struct scalekit_emulator_config config;
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

/* 0: go on.  Otherwise the exit status plus 1, as 0 is one, too. */
static int parse_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},    {"tls-dir", required_argument, NULL, 'd'},
        {"consent", required_argument, NULL, 'c'}, {"after", required_argument, NULL, 'a'},
        {"plain", no_argument, NULL, 'P'},         {"verify-users", no_argument, NULL, 'v'},
        {"quiet", no_argument, NULL, 'q'},         {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},       {NULL, 0, NULL, 0},
    };
    static char name[] = "scalekit-emulator";
    int option, wrong = 0;

    argv[0] = name; /* what getopt puts before its complaints */
    while (!wrong && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            wrong = set_port(options, optarg);
            break;
        case 'd':
            options->config.tls_dir = optarg;
            break;
        case 'c':
            wrong = set_consent(options, optarg);
            break;
        case 'a':
            wrong = set_after(options, optarg);
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
        default:
            fputs("Try --help.\n", stderr);
            return EXIT_USAGE + 1;
        }
    }
    if (!wrong && optind < argc)
        wrong = complain("not an option", argv[optind]);
    if (!wrong && options->plain && options->config.tls_dir)
        wrong = complain("--plain needs no --tls-dir", options->config.tls_dir);
    if (!wrong && options->after && options->consent == SCALEKIT_CONSENT_MANUAL)
        wrong = complain("--after needs a --consent that happens by itself", options->after);
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

static void print_settings(const scalekit_emulator *emulator)
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

static int serve(struct event_base *base, const struct options *options)
{
    char error[PATH_MAX + 256];
    scalekit_emulator *emulator =
        scalekit_emulator_start(base, &options->config, error, sizeof error);
    struct event *events[N_SIGNALS] = {NULL};
    int status = EXIT_FAILURE;

    if (!emulator) {
        fprintf(stderr, "scalekit-emulator: %s\n", error);
    } else if (listen_to_signals(base, events)) {
        scalekit_emulator_script_consent(emulator, options->consent, options->after_ms);
        print_settings(emulator);
        status = event_base_dispatch(base) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (events[i])
            event_free(events[i]);
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
