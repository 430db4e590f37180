/* verify_user - a web application that connects its users' accounts, and verifies who consented.
 *
 *     verify_user                      with the SCALEKIT_… variables in the environment
 *     verify_user --emulator           without an account at Scalekit
 *     verify_user --emulator --walk    and without clicking
 *
 * What a browser asks for, and what answers it:
 *
 *     /connect      a state, a cookie, a link     on_connect() ──► on_watch()
 *     (the link)    the user consents             Scalekit, which sends the browser back
 *     /user/verify  who came back?                on_return() ──► on_verified()
 *     /             who is connected              on_index()
 *
 * Signing in is no example: whoever says a name has it, and a link on any other site can do it.  But
 * from there on the user is the one of the session, and that is what counts in on_return(). */
#include "walk.h"
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define MAX_USERS    64
#define MAX_SESSIONS 256 /* then the oldest ends */
#define MAX_NAME     100
#define MAX_HEADERS  (16 * 1024)
#define MAX_BODY     1024
#define MAX_SECONDS  60
#define MAX_URL      256
#define STATE_AGE    600
#define SESSION_AGE  86400

const char program[] = "verify_user";

static const char usage[] =
    "Usage: verify_user [option]...\n"
    "A web application, on this machine only, that connects users' accounts and verifies who\n"
    "consented.\n"
    "\n"
    "  --port N            where it listens (default: 8080; 0: any that is free)\n"
    "  --url URL           where browsers reach it, if that is a proxy with TLS\n"
    "                      (default: http://127.0.0.1:PORT)\n"
    "  --connection NAME   what is connected (default: gmail)\n"
    "  --emulator          bring an environment along, instead of using a real one\n"
    "    --walk            two scripted browsers walk through it, and it ends\n"
    "  -h, --help          print this\n"
    "\n"
    "Without --emulator the environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
    "SCALEKIT_CLIENT_SECRET say which environment to use.\n";

struct options {
    const char *connection, *url;
    int64_t port;
    bool emulator, walk;
};

struct app;

struct user {
    struct app *app;
    char name[MAX_NAME + 1];
    char status[40];
    scalekit_watch *watch; /* of the last attempt, until it ends; NULL */
    struct visit *visit;   /* waits for its link; NULL */
};

struct session {
    char id[SCALEKIT_USER_VERIFICATION_STATE_SIZE]; /* as hard to guess as a state */
    struct user *user;                              /* NULL: none */
};

/* A browser that waits for an answer. */
struct visit {
    struct evhttp_request *http; /* NULL: it did not wait that long */
    struct user *user;
    char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE];
};

struct app {
    struct options options;
    struct event_base *base;
    struct evhttp *http;
    struct sandbox sandbox; /* with --emulator */
    scalekit_client *client;
    struct walk walk; /* with --walk */
    char url[MAX_URL];
    bool secure; /* it is reached by https */
    struct user users[MAX_USERS];
    size_t n_users;
    struct session sessions[MAX_SESSIONS];
    size_t next_session;
    int status;
};

/* --- options ------------------------------------------------------------------------------------ */

enum reading { GO_ON, ENOUGH, WRONG };

static bool check_options(const struct options *options, bool more)
{
    const char *url = options->url;

    if (more)
        complain("only options, no other arguments");
    else if (options->walk && !options->emulator)
        complain("--walk belongs to --emulator: real users have browsers of their own");
    else if (options->walk && url)
        complain("--walk knows where the application is: leave --url out");
    else if (url && (strlen(url) >= MAX_URL ||
                     (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)))
        complain("--url takes http://… or https://…, not \"%s\"", url);
    else
        return true;
    return false;
}

static enum reading read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},
        {"url", required_argument, NULL, 'u'},
        {"connection", required_argument, NULL, 'c'},
        {"emulator", no_argument, NULL, 'e'},
        {"walk", no_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    *options = (struct options){.connection = "gmail", .port = 8080};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'p')
            good = parse_number("--port", optarg, 0, 65535, &options->port);
        else if (option == 'u')
            options->url = optarg;
        else if (option == 'c')
            options->connection = optarg;
        else if (option == 'e')
            options->emulator = true;
        else if (option == 'w')
            options->walk = true;
        else if (option == 'h')
            return fputs(usage, stdout) < 0 ? WRONG : ENOUGH;
        else
            good = false; /* getopt_long() has said why */
    }
    good = good && check_options(options, optind < argc);
    if (!good)
        fputs("Try --help.\n", stderr);
    return good ? GO_ON : WRONG;
}

/* --- answers ------------------------------------------------------------------------------------ */

static void add_header(struct evhttp_request *http, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(http), name, value);
}

/* Nothing here is for caches, for other sites, or for scripts. */
static void send_answer(struct evhttp_request *http, int status, struct evbuffer *page)
{
    add_header(http, "Cache-Control", "no-store");
    add_header(http, "Referrer-Policy", "no-referrer");
    add_header(http, "X-Content-Type-Options", "nosniff");
    add_header(http, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    add_header(http, "Content-Type", "text/html; charset=utf-8");
    evhttp_send_reply(http, status, NULL, page);
}

static void send_to(struct evhttp_request *http, const char *url)
{
    add_header(http, "Location", url);
    send_answer(http, 302, NULL);
}

/* Text from outside goes into a page by this alone. */
static void add_escaped(struct evbuffer *page, const char *text)
{
    char *escaped = evhttp_htmlescape(text);

    if (escaped)
        evbuffer_add(page, escaped, strlen(escaped));
    free(escaped);
}

/* NULL: out of memory, and the browser has been told. */
static struct evbuffer *begin_page(struct evhttp_request *http, const char *heading)
{
    struct evbuffer *page = evbuffer_new();

    if (!page) {
        send_answer(http, 503, NULL);
        return NULL;
    }
    evbuffer_add_printf(page, "<!DOCTYPE html><html lang=\"en\"><title>");
    add_escaped(page, heading);
    evbuffer_add_printf(page, "</title><h1>");
    add_escaped(page, heading);
    evbuffer_add_printf(page, "</h1>");
    return page;
}

static void end_page(struct evhttp_request *http, int status, struct evbuffer *page)
{
    send_answer(http, status, page);
    evbuffer_free(page);
}

static void show(struct evhttp_request *http, int status, const char *heading, const char *text)
{
    struct evbuffer *page = begin_page(http, heading);

    if (!page)
        return;
    evbuffer_add_printf(page, "<p>");
    add_escaped(page, text);
    evbuffer_add_printf(page, "</p><p><a href=\"/\">Back</a></p>");
    end_page(http, status, page);
}

/* --- cookies and sessions ----------------------------------------------------------------------- */

/* With TLS, a name that no other host of the domain can set a cookie of. */
static const char *state_cookie(const struct app *app)
{
    return app->secure ? "__Host-state" : "state";
}

static const char *session_cookie(const struct app *app)
{
    return app->secure ? "__Host-session" : "session";
}

/* `value` NULL: removes it. */
static void set_cookie(const struct app *app, struct evhttp_request *http, const char *name,
                       const char *value, int64_t age)
{
    char cookie[SCALEKIT_USER_VERIFICATION_COOKIE_SIZE];

    if (scalekit_user_verification_set_cookie(cookie, name, value, age, app->secure))
        add_header(http, "Set-Cookie", cookie);
}

static bool get_cookie(char value[SCALEKIT_USER_VERIFICATION_STATE_SIZE],
                       struct evhttp_request *http, const char *name)
{
    const char *cookies = evhttp_find_header(evhttp_request_get_input_headers(http), "Cookie");

    return scalekit_user_verification_get_cookie(value, cookies, name);
}

/* The user that the browser has signed in as; NULL. */
static struct user *find_user(const struct app *app, struct evhttp_request *http)
{
    char id[SCALEKIT_USER_VERIFICATION_STATE_SIZE];

    if (!get_cookie(id, http, session_cookie(app)))
        return NULL;
    for (size_t i = 0; i < MAX_SESSIONS; i++)
        if (app->sessions[i].user &&
            scalekit_user_verification_is_expected(app->sessions[i].id, id))
            return app->sessions[i].user;
    return NULL;
}

/* NULL: it is no name, or there is no room. */
static struct user *add_user(struct app *app, const char *name)
{
    struct user *user = &app->users[app->n_users];

    if (!name || !*name || strlen(name) > MAX_NAME)
        return NULL;
    for (size_t i = 0; i < app->n_users; i++)
        if (strcmp(app->users[i].name, name) == 0)
            return &app->users[i];
    if (app->n_users == MAX_USERS)
        return NULL;
    app->n_users++;
    *user = (struct user){.app = app, .status = "not connected"};
    snprintf(user->name, sizeof user->name, "%s", name);
    return user;
}

/* A session of the user that ?user= names; NULL when the browser has been told why not. */
static struct user *sign_in(struct app *app, struct evhttp_request *http)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(http));
    struct session *session = &app->sessions[app->next_session];
    struct evkeyvalq parameters;
    struct user *user = NULL;

    TAILQ_INIT(&parameters);
    if (query && evhttp_parse_query_str(query, &parameters) == 0)
        user = add_user(app, evhttp_find_header(&parameters, "user"));
    evhttp_clear_headers(&parameters);
    if (!user) {
        show(http, 400, "Who is it?", "Say ?user=NAME, up to 100 bytes; 64 users have room.");
        return NULL;
    }
    session->user = NULL;
    if (!scalekit_user_verification_new_state(session->id)) {
        show(http, 503, "Not now", "The system has no random bits yet.");
        return NULL;
    }
    session->user = user;
    app->next_session = (app->next_session + 1) % MAX_SESSIONS;
    set_cookie(app, http, session_cookie(app), session->id, SESSION_AGE);
    return user;
}

static void on_sign_in(struct evhttp_request *http, void *arg)
{
    if (sign_in(arg, http))
        send_to(http, "/");
}

/* --- visits ------------------------------------------------------------------------------------- */

/* The browser hung up, or the server ends; the request goes with the connection. */
static void on_hang_up(struct evhttp_connection *connection, void *arg)
{
    struct visit *visit = arg;

    (void)connection;
    visit->http = NULL;
}

/* NULL: out of memory, and the browser has been told. */
static struct visit *begin_visit(struct evhttp_request *http, struct user *user)
{
    struct visit *visit = calloc(1, sizeof *visit);

    if (!visit) {
        send_answer(http, 503, NULL);
        return NULL;
    }
    visit->http = http;
    visit->user = user;
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_hang_up, visit);
    return visit;
}

/* Gives the request back, to be answered; NULL: there is nobody left. */
static struct evhttp_request *end_visit(struct visit *visit)
{
    struct evhttp_request *http = visit->http;

    if (http)
        evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
    free(visit);
    return http;
}

/* --- /connect ----------------------------------------------------------------------------------- */

/* The answer to who waits for a link, when there will be none. */
static void show_visitor(struct user *user, int status, const char *heading, const char *text)
{
    struct evhttp_request *http = user->visit ? end_visit(user->visit) : NULL;

    user->visit = NULL;
    if (http)
        show(http, status, heading, text);
}

/* The state goes to this browser, and with the link. */
static void send_to_link(struct user *user, const char *link)
{
    struct visit *visit = user->visit;
    struct evhttp_request *http;
    char state[sizeof visit->state];

    if (!visit)
        return;
    memcpy(state, visit->state, sizeof state);
    user->visit = NULL;
    http = end_visit(visit);
    if (!http)
        return;
    set_cookie(user->app, http, state_cookie(user->app), state, STATE_AGE);
    send_to(http, link);
}

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *arg)
{
    struct user *user = arg;

    if (watch != user->watch)
        return; /* the user has begun again, which stopped this one */
    if (event->final)
        user->watch = NULL;
    if (event->status_text)
        snprintf(user->status, sizeof user->status, "%s", event->status_text);
    if (event->kind == SCALEKIT_WATCH_LINK) {
        send_to_link(user, event->link->link);
    } else if (event->kind == SCALEKIT_WATCH_SETTLED) {
        show_visitor(user, 200, "Nothing to do", user->status);
    } else if (event->final) {
        if (event->error)
            complain_about("connect the account", event->error);
        show_visitor(user, 502, "This did not work", "Try again in a minute.");
    }
}

static void on_connect(struct evhttp_request *http, void *arg)
{
    struct app *app = arg;
    struct user *user = sign_in(app, http);
    struct visit *visit = user ? begin_visit(http, user) : NULL;
    char verify_url[MAX_URL + 32];

    if (!visit)
        return;
    show_visitor(user, 409, "Begun elsewhere", "Another window has begun to connect.");
    scalekit_watch_stop(user->watch);
    user->visit = visit;
    user->watch = NULL;
    snprintf(verify_url, sizeof verify_url, "%s/user/verify", app->url);
    if (scalekit_user_verification_new_state(visit->state))
        user->watch = scalekit_connect_account(
            app->client,
            SCALEKIT_PARAMS(scalekit_connect_account_params,
                            .connection_name = app->options.connection, .identifier = user->name,
                            .state = visit->state, .user_verify_url = verify_url),
            on_watch, user);
    if (!user->watch)
        show_visitor(user, 503, "Not now", "There is no memory left, or no random bits yet.");
}

/* --- /user/verify ------------------------------------------------------------------------------- */

static void show_refusal(struct evhttp_request *http, const struct scalekit_error *error)
{
    static const char again[] = "Begin again, here, to get a new link.";

    switch (error->code) {
    case SCALEKIT_ERR_INVALID:
        if (strcmp(error->parameter, "redirect") == 0)
            show(http, 400, "This address is not complete", again);
        else
            show(http, 403, "This was not begun in this browser", again);
        break;
    case SCALEKIT_ERR_FORBIDDEN:
        show(http, 403, "This link was made for another user",
             "Sign in as the user who has begun, and begin again.");
        break;
    case SCALEKIT_ERR_NOT_FOUND:
        show(http, 404, "This link has been used, or is too old", again);
        break;
    default:
        complain_about("verify the user", error);
        show(http, 502, "This did not work", again);
        break;
    }
}

static void on_verified(scalekit_request *request,
                        const struct scalekit_user_verification *verification, void *arg)
{
    struct visit *visit = arg;
    struct user *user = visit->user;
    struct evhttp_request *http = end_visit(visit);

    if (verification) {
        snprintf(user->status, sizeof user->status, "ACTIVE");
        scalekit_watch_look_now(user->watch);
    }
    if (!http)
        return;
    if (!verification)
        show_refusal(http, scalekit_request_error(request));
    else if (verification->post_user_verify_redirect_url)
        send_to(http, verification->post_user_verify_redirect_url);
    else
        show(http, 200, "You are connected", user->name);
}

/* The state is good for once, whatever comes of it. */
static void on_return(struct evhttp_request *http, void *arg)
{
    struct app *app = arg;
    struct user *user = find_user(app, http);
    struct visit *visit;

    set_cookie(app, http, state_cookie(app), NULL, STATE_AGE);
    if (!user) {
        show(http, 401, "Who are you?", "Sign in, and begin again.");
        return;
    }
    visit = begin_visit(http, user);
    if (!visit)
        return;
    get_cookie(visit->state, http, state_cookie(app));
    if (!scalekit_user_verification_finish(app->client,
                                           SCALEKIT_PARAMS(scalekit_user_verification_finish_params,
                                                           .redirect = evhttp_request_get_uri(http),
                                                           .expected_state = visit->state,
                                                           .identifier = user->name),
                                           on_verified, visit))
        show(end_visit(visit), 503, "Not now", "There is no memory left.");
}

/* --- / ------------------------------------------------------------------------------------------ */

static void add_form(struct evbuffer *page, const char *path, const char *label)
{
    evbuffer_add_printf(page,
                        "<form action=\"%s\"><input name=\"user\" maxlength=\"100\" required>"
                        "<button>%s</button></form>",
                        path, label);
}

static void on_index(struct evhttp_request *http, void *arg)
{
    const struct app *app = arg;
    const struct user *user = find_user(app, http);
    struct evbuffer *page;

    if (strcmp(evhttp_uri_get_path(evhttp_request_get_evhttp_uri(http)), "/") != 0) {
        show(http, 404, "Not here", "There is no such page.");
        return;
    }
    page = begin_page(http, "Connected accounts");
    if (!page)
        return;
    evbuffer_add_printf(page, "<p>You are ");
    add_escaped(page, user ? user->name : "nobody yet");
    evbuffer_add_printf(page, ".</p>");
    add_form(page, "/connect", "Sign in and connect");
    add_form(page, "/sign-in", "Only sign in");
    evbuffer_add_printf(page, "<table>");
    for (size_t i = 0; i < app->n_users; i++) {
        evbuffer_add_printf(page, "<tr><td>");
        add_escaped(page, app->users[i].name);
        evbuffer_add_printf(page, "</td><td>");
        add_escaped(page, app->users[i].status);
        evbuffer_add_printf(page, "</td></tr>");
    }
    evbuffer_add_printf(page, "</table>");
    end_page(http, 200, page);
}

/* --- from beginning to end ---------------------------------------------------------------------- */

static void on_interrupt(evutil_socket_t number, short what, void *arg)
{
    struct app *app = arg;

    (void)number;
    (void)what;
    event_base_loopbreak(app->base);
}

static void on_walked(bool good, void *arg)
{
    struct app *app = arg;

    app->status = good ? EXIT_SUCCESS : EXIT_FAILURE;
    event_base_loopbreak(app->base);
}

/* Behind a proxy with TLS browsers know it by another URL than that of its socket. */
static bool set_url(struct app *app, struct evhttp_bound_socket *socket)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    if (getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&address, &size) != 0)
        return false;
    if (app->options.url)
        snprintf(app->url, sizeof app->url, "%s", app->options.url);
    else
        snprintf(app->url, sizeof app->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    app->secure = strncmp(app->url, "https://", 8) == 0;
    return true;
}

static bool listen_here(struct app *app, char problem[PROBLEM_SIZE])
{
    uint16_t port = app->options.walk ? 0 : (uint16_t)app->options.port;
    struct evhttp_bound_socket *socket = NULL;

    app->http = evhttp_new(app->base);
    if (app->http)
        socket = evhttp_bind_socket_with_handle(app->http, "127.0.0.1", port);
    if (!socket || !set_url(app, socket)) {
        snprintf(problem, PROBLEM_SIZE, "cannot listen on port %u of 127.0.0.1: see --port", port);
        return false;
    }
    evhttp_set_allowed_methods(app->http, EVHTTP_REQ_GET);
    evhttp_set_max_headers_size(app->http, MAX_HEADERS);
    evhttp_set_max_body_size(app->http, MAX_BODY);
    evhttp_set_timeout(app->http, MAX_SECONDS);
    evhttp_set_cb(app->http, "/connect", on_connect, app);
    evhttp_set_cb(app->http, "/sign-in", on_sign_in, app);
    evhttp_set_cb(app->http, "/user/verify", on_return, app);
    evhttp_set_gencb(app->http, on_index, app);
    return true;
}

/* The emulator speaks plain HTTP here: its page is opened by browsers, which do not know its
 * certificate. */
static bool read_settings(struct app *app, struct scalekit_config *config,
                          char problem[PROBLEM_SIZE])
{
    const struct scalekit_emulator_config emulator = {.verify_users = true};
    char error[256];

    if (!app->options.emulator)
        return settings_from_env(config, problem);
    app->sandbox.emulator = scalekit_emulator_start(app->base, &emulator, error, sizeof error);
    if (!app->sandbox.emulator) {
        snprintf(problem, PROBLEM_SIZE, "cannot start the emulator: %s", error);
        return false;
    }
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
    if (!listen_here(app, problem))
        return false;
    if (!app->options.walk) {
        printf("Open %s in a browser.  Ctrl-C ends it.\n", app->url);
        fflush(stdout);
        return true;
    }
    if (!walk_open(&app->walk, app->base, app->url, on_walked, app)) {
        snprintf(problem, PROBLEM_SIZE, "out of memory");
        return false;
    }
    return true;
}

/* The client first: its last callbacks answer the browsers that wait. */
static void run(struct app *app)
{
    struct interrupts interrupts;
    char problem[PROBLEM_SIZE];

    if (!interrupts_open(&interrupts, app->base, on_interrupt, app))
        complain("cannot listen for Ctrl-C");
    else if (!start(app, problem))
        complain("%s", problem);
    else if (event_base_dispatch(app->base) < 0)
        complain("the event loop failed");
    else if (!app->options.walk)
        app->status = EXIT_SUCCESS;
    walk_close(&app->walk);
    scalekit_client_free(app->client);
    if (app->http)
        evhttp_free(app->http);
    sandbox_close(&app->sandbox);
    interrupts_close(&interrupts);
}

int main(int argc, char **argv)
{
    static struct app app = {.status = EXIT_FAILURE};

    switch (read_options(&app.options, argc, argv)) {
    case ENOUGH:
        return EXIT_SUCCESS;
    case WRONG:
        return EXIT_FAILURE;
    case GO_ON:
        break;
    }
    signal(SIGPIPE, SIG_IGN); /* a browser that vanishes is found when it is written to */
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
    return app.status;
}
