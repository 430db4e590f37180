/* gmail_unread - prints a user's unread mails, by calling Gmail with the user's token.
 *
 *     gmail_unread user_123               with the SCALEKIT_… variables in the environment
 *     gmail_unread --emulator user_123    without an account at Scalekit or Google
 *
 * Scalekit lends the token (scalekit_get_connected_account(), right before its use); the call to
 * the provider is this program's own, with libevent's HTTP client over TLS:
 *
 *     fetch_token() ──► ask(): the list ──► ask(): a mail ──► ask(): the next …
 *          ▲                    │                 │
 *          └──── 401, once ─────┴─────────────────┘ */
#include "common.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/http.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#define GMAIL       "https://gmail.googleapis.com"
#define MAX_MAILS   5
#define MAX_ID      128
#define MAX_SECONDS 20
/* yajl frees a tree by recursion: the limit on its text is one on its depth, too. */
#define MAX_BODY    (64 * 1024)
#define MAX_HEADERS (16 * 1024)

const char program[] = "gmail_unread";

static const char usage[] =
    "Usage: gmail_unread [option]... IDENTIFIER\n"
    "Prints up to 5 unread mails of the user IDENTIFIER, whose account is connected already.\n"
    "\n"
    "  --connection NAME   the connection of the account (default: gmail)\n"
    "  --api-base URL      where Gmail is (default: " GMAIL ");\n"
    "                      SSL_CERT_FILE names the authorities to trust, if not the system's\n"
    "  --emulator          bring an environment and a Gmail along, and connect the user first\n"
    "  -h, --help          print this\n"
    "\n"
    "Without --emulator the environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
    "SCALEKIT_CLIENT_SECRET say which environment to use.\n";

struct options {
    const char *connection, *identifier, *api_base;
    bool emulator;
};

struct app {
    struct options options;
    struct event_base *base;
    struct sandbox sandbox; /* with --emulator */
    scalekit_client *client;
    bool done;
    int status;

    /* The token lives in the answer that brought it, and is cleansed with it. */
    scalekit_request *account;
    const char *access_token;
    bool fetched_again;

    /* Gmail. */
    struct evhttp_uri *api;
    char host[256];
    int port;
    SSL_CTX *tls;
    struct evdns_base *dns;          /* NULL: the host is an address */
    struct evhttp_connection *gmail; /* of the last request; NULL before the first */
    char ids[MAX_MAILS][MAX_ID];
    size_t n_ids, next, shown;
    bool listed;
};

/* --- options ----------------------------------------------------------------------------------- */

enum reading { GO_ON, ENOUGH, WRONG };

static bool set_identifier(struct options *options, int n, char **operands)
{
    if (n != 1) {
        complain("%s", n < 1 ? "IDENTIFIER is needed: gmail_unread user_123"
                             : "only one IDENTIFIER; the connection goes to --connection");
        return false;
    }
    options->identifier = operands[0];
    return true;
}

static enum reading read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"emulator", no_argument, NULL, 'e'},
        {"connection", required_argument, NULL, 'c'},
        {"api-base", required_argument, NULL, 'b'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    *options = (struct options){.connection = "gmail"};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'e')
            options->emulator = true;
        else if (option == 'c')
            options->connection = optarg;
        else if (option == 'b')
            options->api_base = optarg;
        else if (option == 'h')
            return fputs(usage, stdout) < 0 ? WRONG : ENOUGH;
        else
            good = false; /* getopt_long() has said why */
    }
    if (good)
        good = set_identifier(options, argc - optind, argv + optind);
    if (good && options->emulator && options->api_base) {
        complain("--emulator brings its own Gmail: leave --api-base out");
        good = false;
    }
    if (!good)
        fputs("Try --help.\n", stderr);
    return good ? GO_ON : WRONG;
}

/* --- the end ----------------------------------------------------------------------------------- */

static void finish(struct app *app, int status)
{
    if (app->done)
        return;
    app->done = true;
    app->status = status;
    event_base_loopbreak(app->base);
}

static void fail(struct app *app, const char *doing, const struct scalekit_error *error)
{
    if (!app->done)
        complain_about(doing, error);
    finish(app, EXIT_FAILURE);
}

/* --- JSON -------------------------------------------------------------------------------------- */

static yajl_val member(yajl_val object, const char *name)
{
    const char *path[] = {name, NULL};

    return object ? yajl_tree_get(object, path, yajl_t_any) : NULL;
}

/* The text of a member; NULL when it is none. */
static const char *text_of(yajl_val object, const char *name)
{
    return YAJL_GET_STRING(member(object, name));
}

static const char *header_of(yajl_val mail, const char *name)
{
    yajl_val headers = member(member(mail, "payload"), "headers");

    for (size_t i = 0; YAJL_IS_ARRAY(headers) && i < headers->u.array.len; i++) {
        const char *key = text_of(headers->u.array.values[i], "name");

        if (key && strcasecmp(key, name) == 0)
            return text_of(headers->u.array.values[i], "value");
    }
    return NULL;
}

/* --- showing ----------------------------------------------------------------------------------- */

/* Strangers write mails: their control characters are not for our terminal. */
static void put_line(const char *label, const char *text, const char *otherwise)
{
    printf("%s: ", label);
    for (const char *c = text ? text : otherwise; *c; c++)
        putchar(iscntrl((unsigned char)*c) ? ' ' : *c);
    putchar('\n');
}

static void show_mail(struct app *app, yajl_val mail)
{
    if (app->shown++)
        puts("--------------------------------------------------");
    put_line("Subject", header_of(mail, "Subject"), "No Subject");
    put_line("From", header_of(mail, "From"), "Unknown");
    put_line("Snippet", text_of(mail, "snippet"), "");
}

/* --- reaching Gmail, with TLS that is verified ------------------------------------------------- */

static bool complain_about_tls(const char *doing)
{
    char reason[256];

    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    complain("cannot %s: %s", doing, reason);
    return false;
}

static bool is_address(const char *host)
{
    struct in6_addr address; /* the larger of the two */

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static bool read_base(struct app *app, const char *text)
{
    const char *host, *scheme;
    size_t length;

    app->api = evhttp_uri_parse(text);
    scheme = app->api ? evhttp_uri_get_scheme(app->api) : NULL;
    host = app->api ? evhttp_uri_get_host(app->api) : NULL;
    if (scheme && strcasecmp(scheme, "http") == 0) {
        complain("--api-base must begin with https://, for the token's sake: not \"%s\"", text);
        return false;
    }
    if (!scheme || strcasecmp(scheme, "https") != 0 || !host || !*host ||
        strlen(host) >= sizeof app->host || evhttp_uri_get_userinfo(app->api) ||
        evhttp_uri_get_query(app->api) || evhttp_uri_get_fragment(app->api)) {
        complain("--api-base takes a URL like " GMAIL ", not \"%s\"", text);
        return false;
    }
    length = strlen(host);
    if (*host == '[')
        snprintf(app->host, sizeof app->host, "%.*s", (int)length - 2, host + 1);
    else
        snprintf(app->host, sizeof app->host, "%s", host);
    app->port = evhttp_uri_get_port(app->api) < 0 ? 443 : evhttp_uri_get_port(app->api);
    return true;
}

static bool set_up_trust(struct app *app, const char *ca_file)
{
    app->tls = SSL_CTX_new(TLS_client_method());
    if (!app->tls || !SSL_CTX_set_min_proto_version(app->tls, TLS1_2_VERSION))
        return complain_about_tls("set up TLS");
    SSL_CTX_set_verify(app->tls, SSL_VERIFY_PEER, NULL);
    if (ca_file ? !SSL_CTX_load_verify_locations(app->tls, ca_file, NULL)
                : !SSL_CTX_set_default_verify_paths(app->tls))
        return complain_about_tls("read the trusted certificates");
    return true;
}

/* TLS that accepts only a certificate of this very host. */
static SSL *new_session(const struct app *app)
{
    SSL *tls = SSL_new(app->tls);

    if (tls && SSL_set1_host(tls, app->host) &&
        (is_address(app->host) || SSL_set_tlsext_host_name(tls, app->host)))
        return tls;
    SSL_free(tls);
    complain_about_tls("set up TLS");
    return NULL;
}

static bool set_up_gmail(struct app *app, const char *base_url, const char *ca_file)
{
    if (!read_base(app, base_url) || !set_up_trust(app, ca_file))
        return false;
    if (!is_address(app->host)) {
        app->dns = evdns_base_new(app->base, EVDNS_BASE_INITIALIZE_NAMESERVERS);
        if (!app->dns)
            complain("cannot look up %s: no name server in /etc/resolv.conf", app->host);
    }
    return app->dns || is_address(app->host);
}

/* A connection for one request: libevent's client would reuse some that the server has closed. */
static bool open_connection(struct app *app)
{
    struct bufferevent *stream;
    SSL *tls = new_session(app);

    if (!tls)
        return false;
    if (app->gmail)
        evhttp_connection_free(app->gmail);
    app->gmail = NULL;
    stream = bufferevent_openssl_socket_new(app->base, -1, tls, BUFFEREVENT_SSL_CONNECTING,
                                            BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (stream)
        app->gmail = evhttp_connection_base_bufferevent_new(app->base, app->dns, stream, app->host,
                                                            (uint16_t)app->port);
    if (!app->gmail) {
        if (stream)
            bufferevent_free(stream);
        else
            SSL_free(tls);
        complain("out of memory");
        return false;
    }
    evhttp_connection_set_timeout(app->gmail, MAX_SECONDS);
    evhttp_connection_set_max_body_size(app->gmail, MAX_BODY);
    evhttp_connection_set_max_headers_size(app->gmail, MAX_HEADERS);
    return true;
}

/* --- what Gmail answers ------------------------------------------------------------------------ */

static void ask(struct app *app);
static void fetch_token(struct app *app);

static void read_list(struct app *app, yajl_val list)
{
    yajl_val messages = member(list, "messages");
    size_t n = YAJL_IS_ARRAY(messages) ? messages->u.array.len : 0;

    for (size_t i = 0; i < n && app->n_ids < MAX_MAILS; i++) {
        const char *id = text_of(messages->u.array.values[i], "id");

        if (id && strlen(id) < MAX_ID)
            snprintf(app->ids[app->n_ids++], MAX_ID, "%s", id);
    }
    app->listed = true;
    if (!app->n_ids)
        puts("No unread mails.");
}

static void read_answer(struct app *app, yajl_val answer)
{
    if (!app->listed) {
        read_list(app, answer);
    } else {
        show_mail(app, answer);
        app->next++;
    }
    ask(app);
}

/* 401: the token ended between our fetching and our using it, or the user took it back. */
static void on_unauthorized(struct app *app)
{
    if (!app->fetched_again) {
        app->fetched_again = true;
        fetch_token(app);
        return;
    }
    complain("Gmail refuses the token of %s, also a fresh one: the user must authorize again, "
             "see the sample connect",
             app->options.identifier);
    finish(app, EXIT_FAILURE);
}

static void on_refused(struct app *app, int status, yajl_val answer)
{
    const char *message = text_of(member(answer, "error"), "message");

    if (status == 401) {
        on_unauthorized(app);
    } else if (status == 404 && app->listed) {
        app->next++; /* deleted meanwhile */
        ask(app);
    } else {
        complain("Gmail answered %d: %s", status, message ? message : "(no explanation)");
        finish(app, EXIT_FAILURE);
    }
}

/* No answer: libevent hands over NULL, or a request without a status. */
static void on_silence(struct app *app)
{
    const SSL *tls = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(app->gmail));
    long verdict = SSL_get_verify_result(tls);

    if (verdict != X509_V_OK)
        complain(
            "the certificate of %s is not to be trusted: %s\n"
            "  If it is of a private authority, put the authority's PEM file in SSL_CERT_FILE.",
            app->host, X509_verify_cert_error_string(verdict));
    else
        complain("no answer from %s, port %d: it cannot be reached, closed the connection, or was "
                 "silent for %d seconds",
                 app->host, app->port, MAX_SECONDS);
    finish(app, EXIT_FAILURE);
}

static void on_answer(struct evhttp_request *request, void *user)
{
    struct app *app = user;
    int status = request ? evhttp_request_get_response_code(request) : 0;
    struct evbuffer *body;
    char problem[128];
    yajl_val answer = NULL;

    if (app->done)
        return;
    if (!status) {
        on_silence(app);
        return;
    }
    body = evhttp_request_get_input_buffer(request);
    if (evbuffer_add(body, "", 1) == 0)
        answer = yajl_tree_parse((const char *)evbuffer_pullup(body, -1), problem, sizeof problem);
    if (status != 200) {
        on_refused(app, status, answer);
    } else if (answer) {
        read_answer(app, answer);
    } else {
        complain("Gmail's answer is not JSON");
        finish(app, EXIT_FAILURE);
    }
    yajl_tree_free(answer);
}

/* --- asking Gmail ------------------------------------------------------------------------------ */

static bool add_headers(const struct app *app, struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char value[4096];
    bool added;

    snprintf(value, sizeof value, app->port == 443 ? "%s" : "%s:%d", evhttp_uri_get_host(app->api),
             app->port);
    if (evhttp_add_header(headers, "Host", value) != 0 ||
        evhttp_add_header(headers, "Connection", "close") != 0)
        return false;
    added = (size_t)snprintf(value, sizeof value, "Bearer %s", app->access_token) < sizeof value &&
            evhttp_add_header(headers, "Authorization", value) == 0;
    OPENSSL_cleanse(value, sizeof value);
    return added;
}

/* The path to ask for next; false when it does not fit. */
static bool next_path(const struct app *app, char *path, size_t size)
{
    const char *prefix = evhttp_uri_get_path(app->api);
    char *id;
    int length;

    if (!app->listed)
        return (size_t)snprintf(path, size,
                                "%s/gmail/v1/users/me/messages?q=is%%3Aunread&maxResults=%d",
                                prefix, MAX_MAILS) < size;
    id = evhttp_uriencode(app->ids[app->next], -1, 0);
    if (!id)
        return false;
    length = snprintf(path, size,
                      "%s/gmail/v1/users/me/messages/%s?format=metadata"
                      "&metadataHeaders=From&metadataHeaders=Subject&metadataHeaders=Date",
                      prefix, id);
    free(id);
    return (size_t)length < size;
}

/* The list, then each of its mails, then the end. */
static void ask(struct app *app)
{
    struct evhttp_request *request;
    char path[2048];

    if (app->listed && app->next == app->n_ids) {
        finish(app, EXIT_SUCCESS);
        return;
    }
    if (!open_connection(app)) {
        finish(app, EXIT_FAILURE);
        return;
    }
    request = evhttp_request_new(on_answer, app);
    if (!request || !next_path(app, path, sizeof path) || !add_headers(app, request)) {
        if (request)
            evhttp_request_free(request);
        complain("cannot ask Gmail: out of memory, or the token is no token");
        finish(app, EXIT_FAILURE);
    } else if (evhttp_make_request(app->gmail, request, EVHTTP_REQ_GET, path) != 0 && !app->done) {
        on_silence(app); /* the request belongs to the connection, whatever happened */
    }
}

/* --- the token --------------------------------------------------------------------------------- */

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct app *app = user;
    const struct scalekit_authorization_details *details;

    if (!account) {
        fail(app, "fetch the token", scalekit_request_error(request));
        return;
    }
    details = account->authorization_details;
    if (account->status != SCALEKIT_ACCOUNT_ACTIVE || !details || !details->oauth_token ||
        !details->oauth_token->access_token) {
        complain("%s has no token on %s: the account is %s; connect it with the sample connect",
                 app->options.identifier, app->options.connection,
                 account->status_text ? account->status_text : "in an unknown state");
        finish(app, EXIT_FAILURE);
        return;
    }
    scalekit_request_unref(app->account);
    app->account = scalekit_request_ref(request);
    app->access_token = details->oauth_token->access_token;
    ask(app);
}

static void fetch_token(struct app *app)
{
    const struct scalekit_account_key *key =
        SCALEKIT_PARAMS(scalekit_account_key, .connection_name = app->options.connection,
                        .identifier = app->options.identifier);

    if (!scalekit_get_connected_account(app->client, key, on_account, app))
        fail(app, "fetch the token", NULL);
}

/* --- the user of the emulator ------------------------------------------------------------------ */

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct app *app = user;

    (void)watch;
    if (!event->final || app->done)
        return;
    if (event->kind == SCALEKIT_WATCH_SETTLED && event->status == SCALEKIT_ACCOUNT_ACTIVE) {
        fetch_token(app);
    } else if (event->error) {
        fail(app, "connect the account", event->error);
    } else {
        complain("cannot connect the account: %s", scalekit_watch_event_name(event->kind));
        finish(app, EXIT_FAILURE);
    }
}

static void connect_account(struct app *app)
{
    if (!scalekit_connect_account(app->client,
                                  SCALEKIT_PARAMS(scalekit_connect_account_params,
                                                  .connection_name = app->options.connection,
                                                  .identifier = app->options.identifier),
                                  on_watch, app))
        fail(app, "connect the account", NULL);
}

/* --- from beginning to end --------------------------------------------------------------------- */

static void on_interrupt(evutil_socket_t number, short what, void *user)
{
    (void)number;
    (void)what;
    finish(user, 130);
}

static bool read_settings(struct app *app, struct scalekit_config *config,
                          char problem[PROBLEM_SIZE])
{
    struct scalekit_emulator_config emulator = {0};

    if (!app->options.emulator)
        return settings_from_env(config, problem);
    if (!sandbox_open(&app->sandbox, app->base, &emulator, problem))
        return false;
    scalekit_emulator_script_consent(app->sandbox.emulator, SCALEKIT_CONSENT_APPROVE, 0);
    sandbox_settings(&app->sandbox, config);
    config->watch_first_check_ms = 100; /* this user does not keep us waiting */
    app->options.api_base = config->env_url;
    return true;
}

static bool make_client(struct app *app, const struct scalekit_config *config,
                        char problem[PROBLEM_SIZE])
{
    const char *wrong;

    if (scalekit_client_new(&app->client, app->base, config, &wrong) == SCALEKIT_OK)
        return true;
    explain_settings(problem, wrong);
    return false;
}

static bool start(struct app *app)
{
    struct scalekit_config config;
    char problem[PROBLEM_SIZE];

    if (!read_settings(app, &config, problem) || !make_client(app, &config, problem)) {
        complain("%s", problem);
        return false;
    }
    if (!set_up_gmail(app, app->options.api_base ? app->options.api_base : GMAIL,
                      app->options.emulator ? config.ca_file : NULL))
        return false;
    if (app->options.emulator)
        connect_account(app);
    else
        fetch_token(app);
    return !app->done;
}

static void run(struct app *app)
{
    struct interrupts interrupts;

    if (!interrupts_open(&interrupts, app->base, on_interrupt, app))
        complain("cannot listen for Ctrl-C");
    else if (start(app) && event_base_dispatch(app->base) < 0)
        complain("the event loop failed");
    app->done = true; /* what is freed now completes, and nobody wants to hear of it */
    if (app->gmail)
        evhttp_connection_free(app->gmail);
    if (app->dns)
        evdns_base_free(app->dns, 1);
    SSL_CTX_free(app->tls);
    if (app->api)
        evhttp_uri_free(app->api);
    scalekit_request_unref(app->account);
    scalekit_client_free(app->client);
    sandbox_close(&app->sandbox);
    interrupts_close(&interrupts);
    event_base_loop(app->base,
                    EVLOOP_NONBLOCK); /* lets go of streams that deferred callbacks hold */
}

int main(int argc, char **argv)
{
    struct app app = {.status = EXIT_FAILURE};

    switch (read_options(&app.options, argc, argv)) {
    case ENOUGH:
        return EXIT_SUCCESS;
    case WRONG:
        return EXIT_FAILURE;
    case GO_ON:
        break;
    }
    signal(SIGPIPE, SIG_IGN); /* libevent's own streams can raise it; the library's cannot */
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
