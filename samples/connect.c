/* connect - connects a user's account, and tells the moment the user has consented.
 *
 *     connect gmail user_123              with SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and
 *                                         SCALEKIT_CLIENT_SECRET in the environment
 *     connect --emulator gmail user_123   without an account at Scalekit
 *
 * The way through it, each step from the callback of the one before:
 *
 *     scalekit_connect_account()        on_watch    a link to show, then how it ended
 *     scalekit_get_connected_account()  on_account  the tokens
 *     scalekit_execute_tool()           on_tool     what the provider said */
#include "common.h"
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum exit_status {
    EXIT_ACTIVE = 0,
    EXIT_FAILED = 1,
    EXIT_EXPIRED = 2,
    EXIT_REVOKED = 3,
    EXIT_TIMED_OUT = 4,
    EXIT_INTERRUPTED = 130
};

const char program[] = "connect";

static const char usage[] =
    "Usage: connect [option]... CONNECTION IDENTIFIER\n"
    "Connects the account of the user IDENTIFIER on CONNECTION (\"gmail\"), waits until the user\n"
    "has consented, then shows the tokens and runs a tool.\n"
    "\n"
    "  --deadline SECONDS   give up after this long (default: when the link runs out)\n"
    "  --json               one JSON object per line, for programs\n"
    "  --emulator           bring an environment along, instead of using a real one\n"
    "    --consent WORD     what its user does: approve (default), deny, expire, revoke, or\n"
    "                       manual, to open the link yourself\n"
    "    --after SECONDS    ... this long after the link was made (default: 2)\n"
    "  -h, --help           print this\n"
    "\n"
    "Without --emulator the environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
    "SCALEKIT_CLIENT_SECRET say which environment to use.\n"
    "\n"
    "Exit status: 0 active, 2 expired, 3 revoked or disconnected, 4 not active in time,\n"
    "130 interrupted, 1 anything else.\n";

struct options {
    const char *connection, *identifier;
    bool emulator, json;
    enum scalekit_consent consent;
    int64_t after_ms, deadline_ms;
};

struct app {
    struct options options;
    struct event_base *base;
    struct sandbox sandbox; /* with --emulator */
    scalekit_client *client;
    scalekit_watch *watch;     /* until its final event; NULL */
    scalekit_request *request; /* under way; NULL */
    const char *tool;          /* being run */
    enum exit_status status;
};

/* --- options ----------------------------------------------------------------------------------- */

enum reading { GO_ON, ENOUGH, WRONG };

static bool set_consent(struct options *options, const char *word)
{
    int consent = scalekit_consent_parse(word);

    if (consent < 0) {
        complain("--consent takes approve, deny, expire, revoke or manual, not \"%s\"", word);
        return false;
    }
    options->consent = (enum scalekit_consent)consent;
    return true;
}

static bool set_names(struct options *options, int n, char **names)
{
    if (n != 2) {
        complain("%s", n < 2 ? "CONNECTION and IDENTIFIER are needed: connect gmail user_123"
                             : "only one CONNECTION and one IDENTIFIER");
        return false;
    }
    options->connection = names[0];
    options->identifier = names[1];
    return true;
}

static enum reading read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"emulator", no_argument, NULL, 'e'},
        {"consent", required_argument, NULL, 'c'},
        {"after", required_argument, NULL, 'a'},
        {"json", no_argument, NULL, 'j'},
        {"deadline", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool scripted = false, good = true;
    int option;

    *options = (struct options){.consent = SCALEKIT_CONSENT_APPROVE, .after_ms = 2000};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        scripted = scripted || option == 'c' || option == 'a';
        if (option == 'e')
            options->emulator = true;
        else if (option == 'j')
            options->json = true;
        else if (option == 'c')
            good = set_consent(options, optarg);
        else if (option == 'a')
            good = parse_seconds("--after", optarg, 0, 86400000, &options->after_ms);
        else if (option == 'd')
            good = parse_seconds("--deadline", optarg, 100, 2592000000, &options->deadline_ms);
        else if (option == 'h')
            return fputs(usage, stdout) < 0 ? WRONG : ENOUGH;
        else
            good = false; /* getopt_long() has said why */
    }
    if (good)
        good = set_names(options, argc - optind, argv + optind);
    if (good && scripted && !options->emulator) {
        complain("--consent and --after belong to --emulator: real users decide for themselves");
        good = false;
    }
    if (!good)
        fputs("Try --help.\n", stderr);
    return good ? GO_ON : WRONG;
}

/* --- JSON, a line per event -------------------------------------------------------------------- */

static void put_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void json_begin(const char *event)
{
    printf("{\"event\":\"%s\"", event);
}

/* A member; none for absent text. */
static void json_text(const char *name, const char *text)
{
    if (!text)
        return;
    printf(",\"%s\":", name);
    put_quoted(text);
}

static void json_number(const char *name, int64_t number)
{
    printf(",\"%s\":%" PRId64, name, number);
}

static void json_moment(const char *name, scalekit_time moment)
{
    char text[MOMENT_SIZE];

    if (moment)
        json_text(name, format_moment(text, moment));
}

static void json_list(const char *name, const char *const *items, size_t n)
{
    printf(",\"%s\":[", name);
    for (size_t i = 0; i < n; i++) {
        if (i)
            putchar(',');
        put_quoted(items[i]);
    }
    putchar(']');
}

/* A value that is JSON already, kept on this line: between its tokens any space is as good. */
static void json_value(const char *name, const char *value)
{
    printf(",\"%s\":", name);
    for (; *value; value++)
        putchar(*value == '\n' || *value == '\r' ? ' ' : *value);
}

static void json_end(void)
{
    puts("}");
    fflush(stdout);
}

/* --- the end ----------------------------------------------------------------------------------- */

static void finish(struct app *app, enum exit_status status)
{
    if (app->status != EXIT_INTERRUPTED)
        app->status = status;
    event_base_loopbreak(app->base);
}

static void fail(struct app *app, const char *doing, const struct scalekit_error *error)
{
    scalekit_err code = error ? error->code : SCALEKIT_ERR_NOMEM;

    if (app->status != EXIT_INTERRUPTED) {
        complain_about(doing, error);
        if (app->options.json) {
            json_begin("error");
            json_text("doing", doing);
            json_text("code", scalekit_err_name(code));
            json_text("message", error ? error->message : scalekit_strerror(code));
            if (error && error->http_status)
                json_number("http_status", error->http_status);
            json_text("request_id", error ? error->request_id : NULL);
            json_end();
        }
    }
    finish(app, EXIT_FAILED);
}

/* --- a tool ------------------------------------------------------------------------------------ */

#define SHOWN_BYTES 200

/* Cut between characters: the bytes 10xxxxxx of UTF-8 go on with one. */
static int short_length(const char *text)
{
    size_t length = strnlen(text, SHOWN_BYTES + 1);

    if (length > SHOWN_BYTES)
        for (length = SHOWN_BYTES; length && ((unsigned char)text[length] & 0xC0) == 0x80; length--)
            continue;
    return (int)length;
}

static void on_tool(scalekit_request *request, const struct scalekit_tool_result *result,
                    void *user)
{
    struct app *app = user;
    int length;

    app->request = NULL;
    if (!result) {
        fail(app, "run the tool", scalekit_request_error(request));
        return;
    }
    length = short_length(result->data);
    if (app->options.json) {
        json_begin("tool");
        json_text("tool", app->tool);
        json_text("execution_id", result->execution_id);
        json_value("data", result->data);
        json_end();
    } else {
        printf("%s returned %.*s%s\n", app->tool, length, result->data,
               result->data[length] ? " …" : "");
    }
    finish(app, EXIT_ACTIVE);
}

/* Gmail's mails where the account is Gmail's; the emulator has a tool for any other. */
static void run_tool(struct app *app, const struct scalekit_connected_account *account)
{
    bool gmail = account->provider && strcmp(account->provider, "GMAIL") == 0;

    if (!gmail && !app->options.emulator) {
        finish(app, EXIT_ACTIVE); /* the account is fine; this sample knows no tool for it */
        return;
    }
    app->tool = gmail ? "gmail_fetch_mails" : "echo";
    app->request = scalekit_execute_tool(
        app->client,
        SCALEKIT_PARAMS(scalekit_execute_tool_params, .connected_account_id = account->id,
                        .tool_name = app->tool,
                        .tool_input = gmail ? "{\"query\":\"is:unread\",\"max_results\":2}"
                                            : "{\"hello\":\"world\"}"),
        on_tool, app);
    if (!app->request)
        fail(app, "run the tool", NULL);
}

/* --- the tokens -------------------------------------------------------------------------------- */

/* What the four kinds of authorization have in common. */
struct credential {
    const char *kind, *secret;
    const char *const *scopes;
    size_t n_scopes;
    scalekit_time expires_at; /* 0: unknown */
};

static struct credential read_credential(const struct scalekit_connected_account *account)
{
    const struct scalekit_authorization_details *details = account->authorization_details;
    scalekit_time expires_at = account->token_expires_at;

    if (details && details->oauth_token)
        return (struct credential){"OAuth access token", details->oauth_token->access_token,
                                   details->oauth_token->scopes, details->oauth_token->n_scopes,
                                   expires_at};
    if (details && details->google_dwd)
        return (struct credential){"Google delegation token", details->google_dwd->access_token,
                                   details->google_dwd->scopes, details->google_dwd->n_scopes,
                                   details->google_dwd->token_expires_at};
    if (details && details->trusted_idp)
        return (struct credential){"temporary session token", details->trusted_idp->session_token,
                                   NULL, 0, details->trusted_idp->expiry};
    if (details && details->static_auth)
        return (struct credential){"static credentials", details->static_auth->details, NULL, 0,
                                   expires_at};
    return (struct credential){"no credentials", NULL, NULL, 0, expires_at};
}

/* Enough to recognise a token by, and never enough to use it. */
static const char *mask(char out[16], const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;

    snprintf(out, 16, "%.*s%s", length < 16 ? 0 : 4, secret ? secret : "",
             length ? "****" : "none");
    return out;
}

static void show_credential(const struct app *app, const struct credential *credential)
{
    char masked[16], expiry[MOMENT_SIZE];

    mask(masked, credential->secret);
    if (app->options.json) {
        json_begin("token");
        json_text("kind", credential->kind);
        json_text("token", masked);
        json_list("scopes", credential->scopes, credential->n_scopes);
        json_moment("expires_at", credential->expires_at);
        json_end();
        return;
    }
    printf("Token         %s (%s), expires: %s\n", masked, credential->kind,
           format_moment(expiry, credential->expires_at));
    for (size_t i = 0; i < credential->n_scopes; i++)
        printf("%-13s %s\n", i ? "" : "Scopes", credential->scopes[i]);
}

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct app *app = user;
    struct credential credential;

    app->request = NULL;
    if (!account) {
        fail(app, "fetch the tokens", scalekit_request_error(request));
        return;
    }
    credential = read_credential(account);
    show_credential(app, &credential);
    run_tool(app, account);
}

/* Tokens are fetched right before they are used: Scalekit has refreshed them then. */
static void fetch_tokens(struct app *app)
{
    app->request = scalekit_get_connected_account(
        app->client,
        SCALEKIT_PARAMS(scalekit_account_key, .connection_name = app->options.connection,
                        .identifier = app->options.identifier),
        on_account, app);
    if (!app->request)
        fail(app, "fetch the tokens", NULL);
}

/* --- the watch --------------------------------------------------------------------------------- */

static void show_link(const struct app *app, const struct scalekit_authorization_link *link)
{
    char expiry[MOMENT_SIZE];

    if (app->options.json) {
        json_begin("link");
        json_text("link", link->link);
        json_moment("expiry", link->expiry);
        json_end();
        return;
    }
    printf("Open this link to authorize %s for %s (valid until %s):\n\n    %s\n\n"
           "Waiting for the consent. Ctrl-C gives up.\n",
           app->options.connection, app->options.identifier, format_moment(expiry, link->expiry),
           link->link);
    fflush(stdout);
}

/* One line for a step or an end that is no failure. */
static void show_event(const struct app *app, const struct scalekit_watch_event *event,
                       const char *text)
{
    const char *status = event->status_text;

    if (app->options.json) {
        json_begin(scalekit_watch_event_name(event->kind));
        json_text("status", status);
        json_text("connected_account_id", event->account ? event->account->id : NULL);
        json_number("looks", event->looks);
        json_text("last_error", event->error ? event->error->message : NULL);
        json_end();
        return;
    }
    printf("%s The account is %s.\n", text, status ? status : "in an unknown state");
    if (event->error)
        printf("The last look at it failed: %s\n", event->error->message);
    fflush(stdout);
}

static void on_settled(struct app *app, const struct scalekit_watch_event *event)
{
    switch (event->status) {
    case SCALEKIT_ACCOUNT_ACTIVE:
        show_event(app, event, "Connected.");
        fetch_tokens(app);
        return;
    case SCALEKIT_ACCOUNT_EXPIRED:
        show_event(app, event, "The authorization ran out.");
        finish(app, EXIT_EXPIRED);
        return;
    case SCALEKIT_ACCOUNT_REVOKED:
    case SCALEKIT_ACCOUNT_DISCONNECTED:
        show_event(app, event, "The authorization was taken back.");
        finish(app, EXIT_REVOKED);
        return;
    default:
        show_event(app, event, "This is new to me.");
        finish(app, EXIT_FAILED);
        return;
    }
}

/* Time is up: for a user who consented, it was not the user who was late. */
static void on_late(struct app *app, const struct scalekit_watch_event *event, const char *text)
{
    if (event->status == SCALEKIT_ACCOUNT_PENDING_VERIFICATION)
        text = "The user consented, but was not verified in time; your application's next step is "
               "scalekit_verify_connected_account_user().";
    show_event(app, event, text);
    finish(app, EXIT_TIMED_OUT);
}

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct app *app = user;

    (void)watch;
    if (event->final)
        app->watch = NULL;
    switch (event->kind) {
    case SCALEKIT_WATCH_LINK:
        show_link(app, event->link);
        break;
    case SCALEKIT_WATCH_PENDING_VERIFICATION:
        show_event(app, event, "The user consented; your application must verify the user now.");
        break;
    case SCALEKIT_WATCH_UNKNOWN_STATUS:
    case SCALEKIT_WATCH_CHANGED:
        show_event(app, event, "Still waiting.");
        break;
    case SCALEKIT_WATCH_SETTLED:
    case SCALEKIT_WATCH_ALREADY_ACTIVE:
        on_settled(app, event);
        break;
    case SCALEKIT_WATCH_LINK_EXPIRED:
        on_late(app, event, "The link ran out before anybody consented.");
        break;
    case SCALEKIT_WATCH_DEADLINE:
        on_late(app, event, "Nobody consented in time.");
        break;
    case SCALEKIT_WATCH_DELETED:
        show_event(app, event, "Somebody deleted the account.");
        finish(app, EXIT_FAILED);
        break;
    case SCALEKIT_WATCH_REFUSED:
    case SCALEKIT_WATCH_FAILED:
        fail(app, "connect the account", event->error);
        break;
    case SCALEKIT_WATCH_STOPPED:
        show_event(app, event, "Given up.");
        finish(app, EXIT_INTERRUPTED);
        break;
    }
}

/* --- from beginning to end --------------------------------------------------------------------- */

/* What is under way completes from the loop, and its callback finishes. */
static void on_interrupt(evutil_socket_t number, short what, void *user)
{
    struct app *app = user;

    (void)number;
    (void)what;
    app->status = EXIT_INTERRUPTED;
    scalekit_watch_stop(app->watch);
    scalekit_request_cancel(app->request);
}

static bool read_settings(struct app *app, struct scalekit_config *config,
                          char problem[PROBLEM_SIZE])
{
    struct scalekit_emulator_config emulator = {0};

    if (!app->options.emulator)
        return settings_from_env(config, problem);
    if (!sandbox_open(&app->sandbox, app->base, &emulator, problem))
        return false;
    scalekit_emulator_script_consent(app->sandbox.emulator, app->options.consent,
                                     app->options.after_ms);
    sandbox_settings(&app->sandbox, config);
    return true;
}

static bool start(struct app *app, char problem[PROBLEM_SIZE])
{
    struct scalekit_config config;
    const char *wrong;

    if (!read_settings(app, &config, problem))
        return false;
    if (scalekit_client_new(&app->client, app->base, &config, &wrong) != SCALEKIT_OK) {
        explain_settings(problem, wrong);
        return false;
    }
    app->watch = scalekit_connect_account(
        app->client,
        SCALEKIT_PARAMS(scalekit_connect_account_params, .connection_name = app->options.connection,
                        .identifier = app->options.identifier,
                        .deadline_ms = app->options.deadline_ms),
        on_watch, app);
    if (!app->watch)
        snprintf(problem, PROBLEM_SIZE, "out of memory");
    return app->watch;
}

static void fail_to_start(const struct app *app, const char *problem)
{
    complain("%s", problem);
    if (app->options.json) {
        json_begin("error");
        json_text("doing", "start");
        json_text("message", problem);
        json_end();
    }
}

static void run(struct app *app)
{
    struct interrupts interrupts;
    char problem[PROBLEM_SIZE];

    if (!interrupts_open(&interrupts, app->base, on_interrupt, app))
        fail_to_start(app, "cannot listen for Ctrl-C");
    else if (!start(app, problem))
        fail_to_start(app, problem);
    else if (event_base_dispatch(app->base) < 0)
        complain("the event loop failed");
    scalekit_client_free(app->client);
    sandbox_close(&app->sandbox);
    interrupts_close(&interrupts);
}

int main(int argc, char **argv)
{
    struct app app = {.status = EXIT_FAILED};

    switch (read_options(&app.options, argc, argv)) {
    case ENOUGH:
        return EXIT_SUCCESS;
    case WRONG:
        return EXIT_FAILED;
    case GO_ON:
        break;
    }
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that leaves is found by fflush() */
    app.base = event_base_new();
    if (!app.base) {
        complain("cannot make an event loop");
        return EXIT_FAILED;
    }
    run(&app);
    event_base_free(app.base);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("cannot write the output");
        return EXIT_FAILED;
    }
    return (int)app.status;
}
