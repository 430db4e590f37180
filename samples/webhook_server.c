/* webhook_server - is told by Scalekit what happens to the connected accounts, at the moment it does.
 *
 *     webhook_server --port 8080                     with SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID,
 *                                                    SCALEKIT_CLIENT_SECRET and
 *                                                    SCALEKIT_WEBHOOK_SECRET in the environment
 *     webhook_server --port 8080 gmail user_123      ... and connects that user's account
 *     webhook_server --emulator gmail user_123       without an account at Scalekit
 *
 * All there is to it:
 *
 *     scalekit_webhook_accept()       whom to believe; from then on the watches of the client are
 *                                     told of what is posted, and then on_event
 *     scalekit_webhook_server_new()   listens, verifies and answers
 *
 * It speaks plain HTTP, for a place behind a proxy; with --cert and --key, HTTPS; and with the
 * emulator by the certificate that this has brought along. */
#include "common.h"
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

const char program[] = "webhook_server";

static const char usage[] =
    "Usage: webhook_server [option]... [CONNECTION IDENTIFIER]\n"
    "Listens for Scalekit's webhooks and prints what happens to connected accounts, until Ctrl-C.\n"
    "With CONNECTION (\"gmail\") and IDENTIFIER it connects that user's account, and ends when it\n"
    "is known how that went.\n"
    "\n"
    "  --address ADDRESS    where to listen (default: 127.0.0.1)\n"
    "  --port N             ... and on which port; 0: any that is free (default: 8080)\n"
    "  --path PATH          ... and for which path (default: /webhooks/scalekit)\n"
    "  --cert FILE          speak HTTPS, with this chain of certificates, PEM\n"
    "  --key FILE           ... and its key\n"
    "  --emulator           bring an environment along, which posts here by HTTPS, to any port "
    "that\n"
    "                       is free; CONNECTION and IDENTIFIER are needed then\n"
    "    --after SECONDS    ... and whose user consents this long after the link was made\n"
    "                       (default: 2)\n"
    "  -h, --help           print this\n"
    "\n"
    "Without --emulator the environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
    "SCALEKIT_CLIENT_SECRET say which environment to use, and SCALEKIT_WEBHOOK_SECRET has the\n"
    "signing secret that the dashboard shows for the endpoint, whsec_…; while it is changed, the\n"
    "old and the new one with a comma between them.\n"
    "\n"
    "Exit status: 0 the account is active, or Ctrl-C without one; 1 anything else.\n";

#define URL_SIZE 1024

struct options {
    const char *connection, *identifier; /* NULL: nobody is connected */
    const char *address, *path, *certificate_file, *key_file;
    int64_t port, after_ms;
    bool emulator;
};

struct app {
    struct options options;
    struct event_base *base;
    struct sandbox sandbox; /* with --emulator */
    scalekit_client *client;
    scalekit_webhook_server *server;
    bool good;
};

/* --- what is told ------------------------------------------------------------------------------ */

static const char *or_unknown(const char *text)
{
    return text ? text : "?";
}

/* Told of each delivery that is Scalekit's and new, once. */
static void on_event(scalekit_client *client, const struct scalekit_webhook_event *event,
                     void *user)
{
    const struct scalekit_connected_account *account = event->account;
    char moment[MOMENT_SIZE];

    (void)client;
    (void)user;
    printf("%s  %s", format_moment(moment, event->event->occurred_at), event->event->type);
    if (account)
        printf("  %s %s", or_unknown(account->connection_name), or_unknown(account->identifier));
    if (event->kind == SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED)
        printf("  %s -> %s%s", or_unknown(event->old_status_text), or_unknown(account->status_text),
               event->overtaken ? "  (a later one came first)" : "");
    putchar('\n');
    fflush(stdout);
}

static const char *source_name(enum scalekit_watch_source source)
{
    switch (source) {
    case SCALEKIT_WATCH_SOURCE_WEBHOOK:
        return "by a webhook";
    case SCALEKIT_WATCH_SOURCE_FEED:
        return "by the event feed";
    case SCALEKIT_WATCH_SOURCE_LOOK_UP:
    case SCALEKIT_WATCH_SOURCE_LIST:
        return "by a look at the account";
    case SCALEKIT_WATCH_SOURCE_NONE:
        break;
    }
    return "by nobody";
}

static void show_link(const struct app *app, const char *link)
{
    printf("Open this link to authorize %s for %s:\n\n    %s\n\n", app->options.connection,
           app->options.identifier, link);
    fflush(stdout);
}

/* What is posted in the first seconds of a watch may have happened before it: then one look makes
 * sure, and it is a look that tells. */
static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct app *app = user;

    (void)watch;
    if (event->kind == SCALEKIT_WATCH_LINK)
        show_link(app, event->link->link);
    if (!event->final || event->kind == SCALEKIT_WATCH_STOPPED)
        return;
    app->good = event->status == SCALEKIT_ACCOUNT_ACTIVE;
    if (event->error && !app->good)
        complain_about("connect the account", event->error);
    else
        printf("The account is %s, told %s.\n", or_unknown(event->status_text),
               source_name(event->source));
    event_base_loopbreak(app->base); /* what came with it is told before the client is freed */
}

/* --- from beginning to end --------------------------------------------------------------------- */

/* What came last is told while the client is freed. */
static void on_interrupt(evutil_socket_t number, short what, void *user)
{
    struct app *app = user;

    (void)number;
    (void)what;
    app->good = !app->options.connection;
    event_base_loopbreak(app->base);
}

static bool read_settings(struct app *app, struct scalekit_config *config,
                          char problem[PROBLEM_SIZE])
{
    struct scalekit_emulator_config emulator = {0};

    if (!app->options.emulator)
        return settings_from_env(config, problem);
    if (!sandbox_open(&app->sandbox, app->base, &emulator, problem))
        return false;
    scalekit_emulator_script_consent(app->sandbox.emulator, SCALEKIT_CONSENT_APPROVE,
                                     app->options.after_ms);
    sandbox_settings(&app->sandbox, config);
    return true;
}

static bool start_client(struct app *app, char problem[PROBLEM_SIZE])
{
    struct scalekit_config config;
    const char *wrong;

    if (!read_settings(app, &config, problem))
        return false;
    if (scalekit_client_new(&app->client, app->base, &config, &wrong) == SCALEKIT_OK)
        return true;
    explain_settings(problem, wrong);
    return false;
}

static bool start_server(struct app *app, char problem[PROBLEM_SIZE])
{
    const struct options *options = &app->options;
    char certificate[PATH_MAX + 16], key[PATH_MAX + 16];
    struct scalekit_webhook_server_params params = {
        .struct_size = sizeof params,
        .client = app->client,
        .address = options->address,
        .port = (uint16_t)options->port,
        .path = options->path,
        .certificate_file = options->certificate_file,
        .key_file = options->key_file,
    };
    const char *wrong = "out of memory";

    if (options->emulator) {
        snprintf(certificate, sizeof certificate, "%s/server.pem", app->sandbox.directory);
        snprintf(key, sizeof key, "%s/server.key", app->sandbox.directory);
        params.certificate_file = certificate;
        params.key_file = key;
    }
    if (scalekit_webhook_server_new(&app->server, app->base, &params, &wrong) == SCALEKIT_OK)
        return true;
    snprintf(problem, PROBLEM_SIZE, "cannot listen: %s", wrong);
    return false;
}

static void format_url(const struct app *app, char *out, size_t size)
{
    const struct options *options = &app->options;
    bool tls = options->emulator || options->certificate_file;
    bool v6 = strchr(options->address, ':') != NULL;

    snprintf(out, size, "%s://%s%s%s:%u%s", tls ? "https" : "http", v6 ? "[" : "", options->address,
             v6 ? "]" : "", (unsigned)scalekit_webhook_server_port(app->server), options->path);
}

/* Cuts a list at its commas, in place. */
static size_t split(char *list, const char *secrets[SCALEKIT_WEBHOOK_MAX_SECRETS])
{
    char *rest;
    size_t n = 0;

    for (char *secret = strtok_r(list, ", ", &rest); secret && n < SCALEKIT_WEBHOOK_MAX_SECRETS;
         secret = strtok_r(NULL, ", ", &rest))
        secrets[n++] = secret;
    return n;
}

static bool accept_deliveries(struct app *app, const char *list, char problem[PROBLEM_SIZE])
{
    const char *secrets[SCALEKIT_WEBHOOK_MAX_SECRETS], *wrong = "out of memory";
    char *copy = strdup(list);
    size_t n = copy ? split(copy, secrets) : 0;
    bool good = copy && scalekit_webhook_accept(app->client,
                                                SCALEKIT_PARAMS(scalekit_webhook_accept_params,
                                                                .secrets = secrets, .n_secrets = n,
                                                                .cb = on_event, .user = app),
                                                &wrong) == SCALEKIT_OK;

    if (!good)
        snprintf(problem, PROBLEM_SIZE, "SCALEKIT_WEBHOOK_SECRET cannot be used: %s", wrong);
    if (copy)
        explicit_bzero(copy, strlen(list));
    free(copy);
    return good;
}

static bool listen_to_scalekit(struct app *app, char problem[PROBLEM_SIZE])
{
    const char *secrets = getenv("SCALEKIT_WEBHOOK_SECRET");

    if (secrets && *secrets)
        return accept_deliveries(app, secrets, problem) && start_server(app, problem);
    snprintf(problem, PROBLEM_SIZE,
             "SCALEKIT_WEBHOOK_SECRET is not set\n"
             "  It must hold the endpoint's signing secret, which the dashboard shows: whsec_…");
    return false;
}

/* Here the server comes first, as its port must be known to register the endpoint, and that makes a
 * secret. */
static bool listen_to_emulator(struct app *app, char problem[PROBLEM_SIZE])
{
    scalekit_emulator *emulator = app->sandbox.emulator;
    char url[URL_SIZE];

    if (!start_server(app, problem))
        return false;
    format_url(app, url, sizeof url);
    return scalekit_emulator_add_webhook(emulator, &(struct scalekit_emulator_webhook){.url = url},
                                         problem, PROBLEM_SIZE) &&
           accept_deliveries(app, scalekit_emulator_webhook_secret(emulator, url), problem);
}

static bool start_listening(struct app *app, char problem[PROBLEM_SIZE])
{
    char url[URL_SIZE];

    if (app->options.emulator ? !listen_to_emulator(app, problem)
                              : !listen_to_scalekit(app, problem))
        return false;
    format_url(app, url, sizeof url);
    printf("Listening on %s. Ctrl-C ends it.\n", url);
    fflush(stdout);
    return true;
}

static bool connect_account(struct app *app, char problem[PROBLEM_SIZE])
{
    if (!app->options.connection)
        return true;
    if (scalekit_connect_account(app->client,
                                 SCALEKIT_PARAMS(scalekit_connect_account_params,
                                                 .connection_name = app->options.connection,
                                                 .identifier = app->options.identifier),
                                 on_watch, app))
        return true;
    snprintf(problem, PROBLEM_SIZE, "out of memory");
    return false;
}

static void run(struct app *app)
{
    struct interrupts interrupts;
    char problem[PROBLEM_SIZE];

    if (!interrupts_open(&interrupts, app->base, on_interrupt, app))
        complain("cannot listen for Ctrl-C");
    else if (!start_client(app, problem) || !start_listening(app, problem) ||
             !connect_account(app, problem))
        complain("%s", problem);
    else if (event_base_dispatch(app->base) < 0)
        complain("the event loop failed");
    scalekit_webhook_server_free(app->server);
    scalekit_client_free(app->client);
    sandbox_close(&app->sandbox);
    interrupts_close(&interrupts);
}

/* --- options ----------------------------------------------------------------------------------- */

enum reading { GO_ON, ENOUGH, WRONG };

static bool read_option(struct options *options, int option)
{
    switch (option) {
    case 'A':
        options->address = optarg;
        return true;
    case 'p':
        return parse_number("--port", optarg, 0, UINT16_MAX, &options->port);
    case 'P':
        options->path = optarg;
        return true;
    case 'c':
        options->certificate_file = optarg;
        return true;
    case 'k':
        options->key_file = optarg;
        return true;
    case 'e':
        options->emulator = true;
        return true;
    case 'a':
        return parse_seconds("--after", optarg, 0, 86400000, &options->after_ms);
    default:
        return false; /* getopt_long() has said why */
    }
}

static bool set_names(struct options *options, int n, char **names)
{
    if (n == 2) {
        options->connection = names[0];
        options->identifier = names[1];
    } else if (n != 0) {
        complain("one CONNECTION and one IDENTIFIER, or neither");
        return false;
    }
    return true;
}

static bool fit_together(const struct options *options)
{
    if (options->emulator && !options->connection)
        complain("--emulator needs CONNECTION and IDENTIFIER: nothing happens in it by itself");
    else if (options->emulator && (options->certificate_file || options->key_file))
        complain("--emulator brings a certificate along");
    else if (options->after_ms >= 0 && !options->emulator)
        complain("--after belongs to --emulator: real users decide for themselves");
    else
        return true;
    return false;
}

static void set_defaults(struct options *options)
{
    if (!options->address)
        options->address = "127.0.0.1";
    if (!options->path)
        options->path = "/webhooks/scalekit";
    if (options->port < 0)
        options->port = options->emulator ? 0 : 8080;
    if (options->after_ms < 0)
        options->after_ms = 2000;
}

static enum reading read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"address", required_argument, NULL, 'A'},
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'P'},
        {"cert", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"emulator", no_argument, NULL, 'e'},
        {"after", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    *options = (struct options){.port = -1, .after_ms = -1};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h')
            return fputs(usage, stdout) < 0 ? WRONG : ENOUGH;
        good = read_option(options, option);
    }
    good = good && set_names(options, argc - optind, argv + optind) && fit_together(options);
    if (!good)
        fputs("Try --help.\n", stderr);
    set_defaults(options);
    return good ? GO_ON : WRONG;
}

int main(int argc, char **argv)
{
    struct app app = {0};

    switch (read_options(&app.options, argc, argv)) {
    case ENOUGH:
        return EXIT_SUCCESS;
    case WRONG:
        return EXIT_FAILURE;
    case GO_ON:
        break;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that leaves is found by fflush() */
    app.base = event_base_new();
    if (!app.base) {
        complain("cannot make an event loop");
        return EXIT_FAILURE;
    }
    run(&app);
    event_base_free(app.base);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write the output");
        return EXIT_FAILURE;
    }
    return app.good ? EXIT_SUCCESS : EXIT_FAILURE;
}
