#include "common.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* --- errors for people ------------------------------------------------------------------------- */

void complain(const char *format, ...)
{
    va_list arguments;

    fflush(stdout); /* in the order of events, also where both go to one file */
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* Whether the environment is reached by http, without TLS. */
static bool plain_http;

/* What a newcomer can do about it; NULL when the message says it all. */
static const char *hint_for(scalekit_err code)
{
    switch (code) {
    case SCALEKIT_ERR_SIGN_IN:
        return "SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET must be those of the environment in "
               "SCALEKIT_ENV_URL.";
    case SCALEKIT_ERR_RESOLVE:
    case SCALEKIT_ERR_CONNECT:
        return "Is SCALEKIT_ENV_URL right, and can this machine reach it?";
    case SCALEKIT_ERR_NETWORK:
        return plain_http ? "SCALEKIT_ENV_URL begins with http://: does the server speak https?"
                          : NULL;
    case SCALEKIT_ERR_TLS:
        return "If the environment has a certificate of a private authority, put the authority's "
               "PEM file in SCALEKIT_CA_FILE.";
    case SCALEKIT_ERR_NOT_FOUND:
        return "Does the connection exist, and has this user been connected (see the sample "
               "connect)?";
    case SCALEKIT_ERR_RATE_LIMITED:
        return "Too many requests in this environment; try again in a minute.";
    case SCALEKIT_ERR_TOOL_UNAUTHORIZED:
        return "The user must authorize again.";
    default:
        return NULL;
    }
}

void complain_about(const char *doing, const struct scalekit_error *error)
{
    const char *hint;

    if (!error) {
        complain("cannot %s: out of memory", doing);
        return;
    }
    complain("cannot %s: %s (%s)", doing, error->message, scalekit_err_name(error->code));
    for (size_t i = 0; i < error->n_field_violations; i++) {
        const struct scalekit_field_violation *violation = error->field_violations[i];

        fprintf(stderr, "  %s: %s\n", violation->field ? violation->field : "a field",
                violation->description ? violation->description : "not accepted");
    }
    if (error->request_id)
        fprintf(stderr, "  Request id for Scalekit's support: %s\n", error->request_id);
    hint = hint_for(error->code);
    if (hint)
        fprintf(stderr, "  %s\n", hint);
}

/* --- settings ---------------------------------------------------------------------------------- */

/* The variables, the members of the configuration they fill, and what belongs in those that must
 * be set. */
static const struct {
    const char *name, *member, *meaning;
} variables[] = {
    {"SCALEKIT_ENV_URL", "env_url", "the URL of your environment, https://….scalekit.dev"},
    {"SCALEKIT_CLIENT_ID", "client_id", "the client id of your environment, skc_…"},
    {"SCALEKIT_CLIENT_SECRET", "client_secret", "the secret that belongs to SCALEKIT_CLIENT_ID"},
    {"SCALEKIT_CA_FILE", "ca_file", NULL},
    {"SCALEKIT_LOG", "log_level", NULL},
};

#define N_VARIABLES (sizeof variables / sizeof *variables)

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void print_log(enum scalekit_log_level level, const char *line, void *user)
{
    (void)user;
    fprintf(stderr, "[%s] %s\n", scalekit_log_level_name(level), line);
}

bool settings_from_env(struct scalekit_config *config, char problem[PROBLEM_SIZE])
{
    const char *wrong, *meaning = NULL;

    if (scalekit_config_from_env(config, &wrong) == SCALEKIT_OK) {
        config->log = print_log;
        plain_http = strncasecmp(config->env_url, "http://", 7) == 0;
        return true;
    }
    for (size_t i = 0; i < N_VARIABLES; i++)
        if (begins_with(wrong, variables[i].name))
            meaning = variables[i].meaning;
    if (meaning)
        snprintf(
            problem, PROBLEM_SIZE,
            "%s\n"
            "  It must hold %s\n"
            "  The dashboard has the credentials under Developers, Settings, API Credentials.\n"
            "  To try it without an account at Scalekit, use --emulator.",
            wrong, meaning);
    else
        snprintf(problem, PROBLEM_SIZE, "%s", wrong);
    return false;
}

void explain_settings(char problem[PROBLEM_SIZE], const char *wrong)
{
    const char *variable = NULL;

    for (size_t i = 0; i < N_VARIABLES; i++)
        if (begins_with(wrong, variables[i].member))
            variable = variables[i].name;
    if (variable)
        snprintf(problem, PROBLEM_SIZE, "the settings are wrong: %s\n  See the variable %s.", wrong,
                 variable);
    else
        snprintf(problem, PROBLEM_SIZE, "the settings are wrong: %s", wrong);
}

/* --- signals ----------------------------------------------------------------------------------- */

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

bool interrupts_open(struct interrupts *interrupts, struct event_base *base,
                     event_callback_fn on_interrupt, void *user)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    *interrupts = (struct interrupts){0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] == SIGHUP && is_ignored(SIGHUP))
            continue; /* nohup wants it so */
        interrupts->events[i] = evsignal_new(base, numbers[i], on_interrupt, user);
        if (!interrupts->events[i] || evsignal_add(interrupts->events[i], NULL) != 0)
            return false;
    }
    return true;
}

void interrupts_close(struct interrupts *interrupts)
{
    for (size_t i = 0; i < sizeof interrupts->events / sizeof *interrupts->events; i++)
        if (interrupts->events[i])
            event_free(interrupts->events[i]);
    *interrupts = (struct interrupts){0};
}

/* --- values as text ---------------------------------------------------------------------------- */

bool parse_seconds(const char *option, const char *text, int64_t min_ms, int64_t max_ms,
                   int64_t *milliseconds)
{
    char *end;
    double value = strtod(text, &end) * 1000;

    if (*text && text[strspn(text, "0123456789.")] == '\0' && !*end && value >= (double)min_ms &&
        value <= (double)max_ms) {
        *milliseconds = (int64_t)(value + 0.5);
        return true;
    }
    complain("%s takes seconds from %g to %.0f, not \"%s\"", option, (double)min_ms / 1000,
             (double)max_ms / 1000, text);
    return false;
}

bool parse_number(const char *option, const char *text, int64_t min, int64_t max, int64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    if (*text && text[strspn(text, "0123456789")] == '\0' && !errno && *number >= min &&
        *number <= max)
        return true;
    complain("%s takes a number from %" PRId64 " to %" PRId64 ", not \"%s\"", option, min, max,
             text);
    return false;
}

const char *format_moment(char out[MOMENT_SIZE], scalekit_time moment)
{
    time_t seconds = (time_t)SCALEKIT_TIME_SECONDS(moment);
    struct tm utc;

    if (!moment || !gmtime_r(&seconds, &utc) ||
        !strftime(out, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc))
        snprintf(out, MOMENT_SIZE, "unknown");
    return out;
}

/* --- the emulator ------------------------------------------------------------------------------ */

static bool make_directory(char path[PATH_MAX], char problem[PROBLEM_SIZE])
{
    const char *parent = getenv("TMPDIR");
    int length =
        snprintf(path, PATH_MAX, "%s/scalekit-sample-XXXXXX", parent && *parent ? parent : "/tmp");

    errno = length < PATH_MAX ? 0 : ENAMETOOLONG;
    if (!errno && mkdtemp(path))
        return true;
    snprintf(problem, PROBLEM_SIZE, "cannot make a temporary directory in %.256s: %s",
             parent && *parent ? parent : "/tmp", strerror(errno));
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
    if (rmdir(path) != 0)
        complain("cannot remove %s: %s", path, strerror(errno));
}

bool sandbox_open(struct sandbox *sandbox, struct event_base *base,
                  struct scalekit_emulator_config *config, char problem[PROBLEM_SIZE])
{
    char error[256];

    *sandbox = (struct sandbox){0};
    if (!make_directory(sandbox->directory, problem))
        return false;
    config->tls_dir = sandbox->directory;
    sandbox->emulator = scalekit_emulator_start(base, config, error, sizeof error);
    if (sandbox->emulator)
        return true;
    snprintf(problem, PROBLEM_SIZE, "cannot start the emulator: %s", error);
    sandbox_close(sandbox);
    return false;
}

void sandbox_close(struct sandbox *sandbox)
{
    scalekit_emulator_free(sandbox->emulator);
    if (sandbox->directory[0])
        remove_directory(sandbox->directory);
    *sandbox = (struct sandbox){0};
}

void sandbox_settings(const struct sandbox *sandbox, struct scalekit_config *config)
{
    *config = (struct scalekit_config){
        .struct_size = sizeof *config,
        .env_url = scalekit_emulator_url(sandbox->emulator),
        .client_id = scalekit_emulator_client_id(sandbox->emulator),
        .client_secret = scalekit_emulator_client_secret(sandbox->emulator),
        .ca_file = scalekit_emulator_ca_file(sandbox->emulator),
    };
}
