#include "environment.h"
#include "command.h"
#include "exit.h"
#include "input.h"
#include "output.h"
#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_SECRET 4000
#define APPROVE_MS     500 /* long enough to see that it waits */

/* --- signals ---------------------------------------------------------------------------------- */

static void on_signal(evutil_socket_t number, short what, void *user)
{
    struct environment *environment = user;
    bool again = environment->signal;

    (void)what;
    environment->signal = (int)number;
    if (again)
        environment_leave(environment);
    else
        environment->cancel(environment->user);
}

/* Whoever started it with hangups ignored wants it to outlive the terminal. */
static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static bool listen_to_signals(struct environment *environment)
{
    static const int numbers[N_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < N_SIGNALS; i++) {
        struct event *event;

        if (is_ignored(numbers[i]))
            continue;
        event = evsignal_new(environment->base, numbers[i], on_signal, environment);
        environment->signals[i] = event;
        if (!event || evsignal_add(event, NULL) != 0)
            return false;
    }
    return true;
}

/* --- a real environment ----------------------------------------------------------------------- */

static void log_line(enum scalekit_log_level level, const char *line, void *user)
{
    (void)user;
    output_progress(NULL);
    fprintf(stderr, "[%s] ", scalekit_log_level_name(level));
    output_foreign(stderr, line);
    putc('\n', stderr);
}

/* What stands where an option would have put it. */
static int replace_variable(const char *name, const char *value)
{
    if (!value || setenv(name, value, 1) == 0)
        return EXIT_DONE;
    return output_failure(EXIT_OTHER, "cannot set %s: %s", name, strerror(errno));
}

/* A secret on the command line could be read by everybody on the machine; one in a file cannot. */
static int read_secret(const char *file)
{
    struct input input;
    int status;

    if (!file)
        return EXIT_DONE;
    if (!input_read(&input, file, LONGEST_SECRET))
        return output_wrong("client-secret-file", input.problem);
    input_chop(&input);
    status = replace_variable("SCALEKIT_CLIENT_SECRET", input.text);
    explicit_bzero(input.text, input.length);
    free(input.text);
    return status;
}

static int explain_variable(const char *wrong)
{
    int status = output_wrong(NULL, wrong);

    output_hint("The dashboard has the URL and the credentials under Developers, Settings, API "
                "Credentials.");
    output_hint("To try it without an account at Scalekit, use --emulator.");
    return status;
}

/* The library names its member, "ca_file cannot be read"; the variable is named after that. */
static int explain_setting(const char *wrong)
{
    size_t length = strcspn(wrong, " ");
    char variable[32] = "";

    for (size_t i = 0; i < length && i + 1 < sizeof variable; i++)
        variable[i] = (char)toupper((unsigned char)wrong[i]);
    return output_misuse("SCALEKIT_%s, or the option in its place:%s", variable, wrong + length);
}

static int configure(struct scalekit_config *config, const struct options *options)
{
    const char *wrong;
    int status = replace_variable("SCALEKIT_ENV_URL", options->env_url);

    if (!status)
        status = replace_variable("SCALEKIT_CLIENT_ID", options->client_id);
    if (!status)
        status = replace_variable("SCALEKIT_CA_FILE", options->ca_file);
    if (!status)
        status = read_secret(options->client_secret_file);
    if (!status && scalekit_config_from_env(config, &wrong) != SCALEKIT_OK)
        status = explain_variable(wrong);
    return status;
}

/* --- the emulator ----------------------------------------------------------------------------- */

static int make_directory(char path[PATH_MAX])
{
    const char *parent = getenv("TMPDIR");
    int length =
        snprintf(path, PATH_MAX, "%s/scalekit-XXXXXX", parent && *parent ? parent : "/tmp");

    errno = length < PATH_MAX ? 0 : ENAMETOOLONG;
    if (!errno && mkdtemp(path))
        return EXIT_DONE;
    path[0] = '\0';
    return output_failure(EXIT_OTHER, "cannot make a temporary directory in %s: %s",
                          parent && *parent ? parent : "/tmp", strerror(errno));
}

static void remove_directory(const char *path)
{
    static const char *const files[] = {"ca.pem", "server.pem", "server.key"};
    char file[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(file, sizeof file, "%s/%s", path, files[i]);
        unlink(file);
    }
    if (rmdir(path) != 0)
        output_failure(EXIT_OTHER, "cannot remove %s: %s", path, strerror(errno));
}

static int emulate(struct environment *environment, struct scalekit_config *config)
{
    struct scalekit_emulator_config settings = {.tls_dir = environment->directory};
    char problem[512];
    int status = make_directory(environment->directory);

    if (status)
        return status;
    environment->emulator =
        scalekit_emulator_start(environment->base, &settings, problem, sizeof problem);
    if (!environment->emulator)
        return output_failure(EXIT_OTHER, "cannot start the emulator: %s", problem);
    if (environment->options->approve)
        scalekit_emulator_script_consent(environment->emulator, SCALEKIT_CONSENT_APPROVE,
                                         APPROVE_MS);
    *config = (struct scalekit_config){
        .struct_size = sizeof *config,
        .env_url = scalekit_emulator_url(environment->emulator),
        .client_id = scalekit_emulator_client_id(environment->emulator),
        .client_secret = scalekit_emulator_client_secret(environment->emulator),
        .ca_file = scalekit_emulator_ca_file(environment->emulator),
        .watch_first_check_ms = 100, /* here a look costs nothing */
        .watch_interval_ms = 500,
    };
    return EXIT_DONE;
}

void environment_provide(struct environment *environment, const char *connection,
                         const char *identifier)
{
    if (environment->emulator && environment->options->approve && connection && identifier)
        scalekit_emulator_set_status(environment->emulator, connection, identifier, "ACTIVE");
}

/* --- opening and closing ---------------------------------------------------------------------- */

static int make_client(struct environment *environment, struct scalekit_config *config)
{
    const struct options *options = environment->options;
    const char *wrong;

    config->deadline_ms = config->tool_deadline_ms = options->deadline_ms;
    config->log = log_line;
    if (options->verbose)
        config->log_level = SCALEKIT_LOG_TRACE;
    switch (scalekit_client_new(&environment->client, environment->base, config, &wrong)) {
    case SCALEKIT_OK:
        return EXIT_DONE;
    case SCALEKIT_ERR_NOMEM:
        return output_error("make a client", NULL);
    default:
        return explain_setting(wrong);
    }
}

int environment_open_loop(struct environment *environment)
{
    environment->base = event_base_new();
    if (!environment->base)
        return output_failure(EXIT_OTHER, "cannot make an event loop");
    if (!listen_to_signals(environment))
        return output_failure(EXIT_OTHER, "cannot listen for Ctrl-C");
    return EXIT_DONE;
}

/* Standard input may be read for a secret, so Ctrl-C is caught only then, but before there is a
 * directory to leave behind. */
int environment_open(struct environment *environment)
{
    bool emulator = environment->options->emulator;
    struct scalekit_config config;
    int status = emulator ? EXIT_DONE : configure(&config, environment->options);

    if (!status)
        status = environment_open_loop(environment);
    if (!status && emulator)
        status = emulate(environment, &config);
    return status ? status : make_client(environment, &config);
}

/* From here on there is nothing to leave behind, and a signal ends the process as ever: it may have
 * to wait for whoever reads its output. */
void environment_end(struct environment *environment)
{
    scalekit_client_free(environment->client); /* what is under way still calls back */
    scalekit_emulator_free(environment->emulator);
    if (environment->directory[0])
        remove_directory(environment->directory);
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (environment->signals[i])
            event_free(environment->signals[i]);
    environment->client = NULL;
    environment->emulator = NULL;
    environment->directory[0] = '\0';
    memset(environment->signals, 0, sizeof environment->signals);
}

void environment_close(struct environment *environment)
{
    environment_end(environment);
    if (environment->base)
        event_base_free(environment->base);
    environment->base = NULL;
}

/* --- running ---------------------------------------------------------------------------------- */

void environment_run(struct environment *environment, void (*cancel)(void *user), void *user)
{
    environment->cancel = cancel;
    environment->user = user;
    event_base_dispatch(environment->base);
    environment_end(environment);
}

void environment_leave(struct environment *environment)
{
    event_base_loopbreak(environment->base);
}

static void cancel_request(void *request)
{
    scalekit_request_cancel(request);
}

bool environment_await(struct environment *environment, scalekit_request *request)
{
    if (request)
        environment_run(environment, cancel_request, request);
    return request;
}
