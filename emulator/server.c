#include "server.h"
#include "check.h"
#include "pki.h"
#include "text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG     1024
#define IDLE_S      300
#define MAX_HEADERS (64 * 1024)
#define MAX_BODY    (1024 * 1024)
#define MAX_LARGE   (256 * 1024 * 1024) /* of a proxied request */

/* --- answering --------------------------------------------------------------------------------- */

static const char *method_name(enum evhttp_cmd_type method)
{
    switch (method) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    default:
        return "?";
    }
}

const char *emu_method(const struct emu_request *request)
{
    return method_name(evhttp_request_get_command(request->http));
}

/* Whoever has the path of a link can act as its user, so the log has only its beginning. */
static void log_request(const struct emu_request *request, int status)
{
    static const char secret[] = "/magicLink/";
    bool is_secret = strncmp(request->path, secret, sizeof secret - 1) == 0;

    if (request->emulator->log)
        request->emulator->log(emu_method(request), is_secret ? "/magicLink/..." : request->path,
                               status, request->emulator->log_user);
}

/* Sends what evhttp has just put into a plain connection's buffer, as libevent would with writev(),
 * but without SIGPIPE.  When the client is gone the rest is dropped: there is nothing left to
 * write, and libevent sees the end when it reads. */
static void send_without_signal(struct bufferevent *bev)
{
    struct evbuffer *out = bufferevent_get_output(bev);
    struct evbuffer_iovec pieces[16];
    int n = evbuffer_peek(out, -1, NULL, pieces, 16);
    struct msghdr message = {.msg_iov = (struct iovec *)pieces};
    ssize_t sent;

    message.msg_iovlen = (size_t)(n < 16 ? n : 16);
    sent = sendmsg(bufferevent_getfd(bev), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    evbuffer_unfreeze(out, 1); /* a bufferevent keeps others from draining its output */
    evbuffer_drain(out, sent < 0 ? evbuffer_get_length(out) : (size_t)sent);
    evbuffer_freeze(out, 1);
}

void emu_header(struct emu_request *request, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(request->http), name, value);
}

const char *emu_get_header(struct emu_request *request, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(request->http), name);

    return value ? value : "";
}

static void add_request_id(struct emu_request *request)
{
    char id[48];

    snprintf(id, sizeof id, "req_%s_%llu", request->emulator->server.run,
             (unsigned long long)request->emulator->stats.requests);
    emu_header(request, "x-request-id", id);
}

void emu_send_as(struct emu_request *request, int status, const char *content_type)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request->http);

    if (request->json.failed) {
        evbuffer_drain(request->json.out, evbuffer_get_length(request->json.out));
        status = 500;
    }
    emu_header(request, "Content-Type", content_type);
    add_request_id(request);
    log_request(request, status);
    evhttp_send_reply(request->http, status, NULL, request->json.out);
    if (!request->emulator->server.tls)
        send_without_signal(evhttp_connection_get_bufferevent(connection));
}

void emu_send(struct emu_request *request, int status)
{
    emu_send_as(request, status, "application/json");
}

void emu_send_nothing(struct emu_request *request)
{
    emu_json_raw(&request->json, NULL, "{}");
    emu_send(request, 200);
}

/* --- errors ------------------------------------------------------------------------------------ */

static int grpc_code(int status)
{
    static const struct {
        int status, code;
    } codes[] = {{400, 3}, {401, 16}, {403, 7},  {404, 5},  {405, 12}, {409, 6},
                 {429, 8}, {499, 1},  {500, 13}, {501, 12}, {503, 14}, {504, 4}};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].status == status)
            return codes[i].code;
    return 2;
}

static void put_violations(struct emu_request *request)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, "validation_error_info", '{');
    emu_json_open(json, "field_violations", '[');
    for (size_t i = 0; i < request->n_violations; i++) {
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "field", request->violations[i].field);
        emu_json_text(json, "description", request->violations[i].description);
        emu_json_text(json, "constraint", request->violations[i].constraint);
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
    emu_json_close(json, '}');
}

/* Opens the error up to inside its ErrorInfo. */
static void begin_error(struct emu_request *request, int status, const char *message)
{
    evbuffer_drain(request->json.out, evbuffer_get_length(request->json.out));
    request->json.comma = false;
    emu_json_open(&request->json, NULL, '{');
    emu_json_number(&request->json, "code", grpc_code(status));
    emu_json_text(&request->json, "message", message);
    emu_json_open(&request->json, "details", '[');
}

static void begin_error_info(struct emu_request *request, const char *error_code)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "@type", "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo");
    emu_json_text(&request->json, "error_code", error_code);
}

static void end_error(struct emu_request *request, int status)
{
    emu_json_close(&request->json, ']');
    emu_json_close(&request->json, '}');
    emu_send(request, status);
}

void emu_fail(struct emu_request *request, int status, const char *error_code, const char *message)
{
    emu_call_end(request, NULL, EMU_TIER_PLATFORM, error_code, message);
    begin_error(request, status, message);
    if (error_code) {
        begin_error_info(request, error_code);
        if (request->n_violations)
            put_violations(request);
        emu_json_close(&request->json, '}');
    }
    end_error(request, status);
}

void emu_fail_tool(struct emu_request *request, int status, const char *tool_error_code,
                   const char *message)
{
    struct emu_json *json = &request->json;
    char execution_id[EMU_ID_SIZE];

    emu_next_execution(request->emulator, execution_id);
    emu_call_end(request, execution_id, EMU_TIER_PROVIDER, tool_error_code, message);
    begin_error(request, status, "provider error");
    begin_error_info(request, "TOOL_ERROR");
    emu_json_open(json, "tool_error_info", '{');
    emu_json_text(json, "execution_id", execution_id);
    emu_json_text(json, "tool_error_message", message);
    emu_json_text(json, "tool_error_code", tool_error_code);
    emu_json_close(json, '}');
    emu_json_close(json, '}');
    end_error(request, status);
}

void emu_out_of_memory(struct emu_request *request)
{
    emu_fail(request, 500, "INTERNAL", "out of memory");
}

void emu_not_found(struct emu_request *request, const char *what)
{
    char message[64];

    snprintf(message, sizeof message, "%s not found", what);
    emu_fail(request, 404, "NOT_FOUND", message);
}

/* --- routing ----------------------------------------------------------------------------------- */

/* A page elsewhere can make a browser ask 127.0.0.1 under a name of its own: such names are refused. */
static bool is_loopback(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);

        if (evutil_ascii_strncasecmp(host, names[i], length) == 0 &&
            (!host[length] || host[length] == ':'))
            return true;
    }
    return false;
}

bool emu_is_signed_in(struct emu_request *request)
{
    const char *authorization = emu_get_header(request, "Authorization");

    return strncmp(authorization, "Bearer ", 7) == 0 &&
           emu_session_is_valid(&request->emulator->sessions, authorization + 7);
}

/* Takes what a star stands for off the path, decoded; `after` is the pattern behind the star.  NULL
 * when the path is another, and otherwise its rest. */
static const char *read_segment(char out[256], const char *path, const char *after)
{
    size_t length = strcspn(path, "/"), in_verb = strcspn(after, "/");
    size_t in_segment = length - in_verb;

    if (length <= in_verb || in_segment >= 256 || strncmp(path + in_segment, after, in_verb) != 0)
        return NULL;
    memcpy(out, path, in_segment);
    out[in_segment] = '\0';
    return emu_percent_decode(out) ? path + length : NULL;
}

/* Of a pattern with stars. */
static bool segments_match(struct emu_request *request, const char *pattern)
{
    const char *path = request->path, *star;

    for (size_t i = 0; (star = strchr(pattern, '*')); i++) {
        if (strncmp(path, pattern, (size_t)(star - pattern)) != 0)
            return false;
        path = read_segment(request->segments[i], path + (star - pattern), star + 1);
        if (!path)
            return false;
        pattern = star + 1 + strcspn(star + 1, "/");
    }
    request->rest = request->segments[0];
    request->second = request->segments[1];
    return strcmp(path, pattern) == 0;
}

static bool path_matches(struct emu_request *request, const struct emu_route *route)
{
    size_t length = strlen(route->path);

    if (strchr(route->path, '*'))
        return segments_match(request, route->path);
    if (route->path[length - 1] != '/')
        return strcmp(request->path, route->path) == 0;
    request->rest = request->path + length;
    return strncmp(request->path, route->path, length) == 0 && *request->rest;
}

static const struct emu_route *find_route(struct emu_request *request)
{
    int method = evhttp_request_get_command(request->http);

    for (const struct emu_route *route = emu_routes; route->path; route++)
        if ((!route->method || route->method == method) && path_matches(request, route))
            return route;
    return NULL;
}

static void refuse_route(struct emu_request *request)
{
    bool known = false;

    for (const struct emu_route *route = emu_routes; route->path; route++) {
        if (!path_matches(request, route))
            continue;
        emu_header(request, "Allow", method_name(route->method));
        known = true;
    }
    if (known)
        emu_fail(request, 405, NULL, "Method Not Allowed");
    else
        emu_fail(request, 404, NULL, "Not Found");
}

static bool read_body(struct emu_request *request)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(request->http);
    size_t length = evbuffer_get_length(in);

    request->has_body = true;
    if (!length)
        return true;
    request->body = emu_json_parse((const char *)evbuffer_pullup(in, -1), length);
    return YAJL_IS_OBJECT(request->body);
}

static size_t body_length(struct emu_request *request)
{
    return evbuffer_get_length(evhttp_request_get_input_buffer(request->http));
}

static void handle(struct emu_request *request)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request->http));
    const struct emu_route *route;

    if (!is_loopback(emu_get_header(request, "Host"))) {
        emu_fail(request, 403, "PERMISSION_DENIED", "the emulator answers on loopback names only");
        return;
    }
    if (!emu_form_parse(&request->query, query ? query : "", query ? strlen(query) : 0)) {
        emu_fail(request, 400, "INVALID_ARGUMENT", "malformed query string");
        return;
    }
    route = find_route(request);
    if (!route)
        refuse_route(request);
    else if (!(route->flags & EMU_LARGE) && body_length(request) > MAX_BODY)
        emu_fail(request, 413, "INVALID_ARGUMENT", "the body is larger than 1 MiB");
    else if (route->flags & EMU_SIGNED_IN && !emu_is_signed_in(request))
        emu_fail(request, 401, "UNAUTHENTICATED",
                 *emu_get_header(request, "Authorization") ? "Token invalid" : "Token empty");
    else if (route->flags & EMU_ADMIN && *emu_get_header(request, "Origin"))
        emu_fail(request, 403, "PERMISSION_DENIED", "not for web pages");
    else if (route->flags & EMU_BODY && !read_body(request))
        emu_fail(request, 400, "INVALID_ARGUMENT", "the body is not a JSON object");
    else if (!route->members || emu_has_only(request, route->members))
        route->handle(request);
}

/* --- requests ---------------------------------------------------------------------------------- */

static bool begin(struct emu_request *request, scalekit_emulator *emulator,
                  struct evhttp_request *http)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(http));

    *request = (struct emu_request){
        .emulator = emulator,
        .http = http,
        .path = path ? path : "",
        .json.out = evbuffer_new(),
    };
    if (!request->json.out)
        evhttp_send_error(http, 500, NULL);
    return request->json.out != NULL;
}

static void end(struct emu_request *request)
{
    emu_call_free(request->call);
    emu_form_free(&request->query);
    yajl_tree_free(request->body);
    evbuffer_free(request->json.out);
}

static void serve(scalekit_emulator *emulator, struct evhttp_request *http)
{
    struct emu_request request;

    if (!begin(&request, emulator, http))
        return;
    handle(&request);
    end(&request);
}

/* --- faults ------------------------------------------------------------------------------------ */

struct emu_pause {
    TAILQ_ENTRY(emu_pause) next;
    scalekit_emulator *emulator;
    struct evhttp_request *http;
    struct event *timer;
    char *body;
    int status;
};

static void fail_as_told(scalekit_emulator *emulator, struct evhttp_request *http, int status,
                         const char *body)
{
    struct emu_request request;

    if (status == EMU_NO_STATUS) {
        serve(emulator, http);
        return;
    }
    if (!begin(&request, emulator, http))
        return;
    if (!status) {
        log_request(&request, 0);
        evhttp_connection_free(evhttp_request_get_connection(http));
    } else if (body) {
        emu_json_raw(&request.json, NULL, body);
        emu_send(&request, status);
    } else {
        emu_fail(&request, status, status == 429 ? "RATE_LIMITED" : "INJECTED", "injected fault");
    }
    end(&request);
}

static void free_pause(struct emu_pause *pause)
{
    TAILQ_REMOVE(&pause->emulator->server.pauses, pause, next);
    if (pause->timer)
        event_free(pause->timer);
    /* A request whose connection went away belongs to whoever still has to answer it. */
    if (pause->http && !evhttp_request_get_connection(pause->http))
        evhttp_request_free(pause->http);
    free(pause->body);
    free(pause);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct emu_pause *pause = arg;
    struct evhttp_request *http = pause->http;

    (void)fd;
    (void)what;
    if (evhttp_request_get_connection(http)) {
        pause->http = NULL;
        fail_as_told(pause->emulator, http, pause->status, pause->body);
    }
    free_pause(pause);
}

static bool start_pause(scalekit_emulator *emulator, struct evhttp_request *http,
                        const struct emu_fault *fault)
{
    struct timeval delay = {fault->delay_ms / 1000, fault->delay_ms % 1000 * 1000};
    struct emu_pause *pause = calloc(1, sizeof *pause);

    if (!pause)
        return false;
    TAILQ_INSERT_TAIL(&emulator->server.pauses, pause, next);
    pause->emulator = emulator;
    pause->status = fault->status;
    pause->timer = evtimer_new(emulator->base, on_pause_over, pause);
    if (pause->timer && emu_set_text(&pause->body, fault->body) &&
        evtimer_add(pause->timer, &delay) == 0) {
        pause->http = http;
        return true;
    }
    free_pause(pause);
    return false;
}

static void on_request(struct evhttp_request *http, void *arg)
{
    scalekit_emulator *emulator = arg;
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(http));
    struct emu_fault *fault = emu_fault_take(&emulator->faults, path ? path : "");

    emulator->stats.requests++;
    if (!fault) {
        serve(emulator, http);
        return;
    }
    if (!fault->delay_ms || !start_pause(emulator, http, fault))
        fail_as_told(emulator, http, fault->status, fault->body);
    emu_fault_done(&emulator->faults, fault);
}

/* --- after writing ----------------------------------------------------------------------------- */

/* A TLS connection that wrote a moment ago.  libevent then puts evhttp's callback off to the end of
 * the turn, or of the next one, with a reference to the connection that only the callback gives
 * back.  When the loop is stopped before that, and then freed, nobody does: so we hold a reference
 * until the callback has run, and know in emu_server_free() which connections to look after. */
struct emu_writer {
    TAILQ_ENTRY(emu_writer) next;
    struct bufferevent *bev;
    int turns; /* until it is let go */
};

#define TURNS_TO_SETTLE 2

static void settle_next_turn(struct emu_server *server)
{
    static const struct timeval at_once;

    /* To add it again while it is active would put it off once more. */
    if (!evtimer_pending(server->settle, NULL))
        evtimer_add(server->settle, &at_once);
}

/* Called just before libevent puts the callback off. */
static void on_written(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    struct bufferevent *bev = arg;
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    struct emu_server *server = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct emu_writer *writer = SSL_get_app_data(ssl);

    (void)out;
    if (!info->n_deleted)
        return;
    if (!writer) {
        writer = calloc(1, sizeof *writer);
        if (!writer)
            return;
        bufferevent_incref(bev);
        writer->bev = bev;
        SSL_set_app_data(ssl, writer);
        TAILQ_INSERT_TAIL(&server->writers, writer, next);
    }
    writer->turns = TURNS_TO_SETTLE;
    settle_next_turn(server);
}

/* Whether that was the last reference. */
static bool let_go(struct emu_server *server, struct emu_writer *writer)
{
    struct bufferevent *bev = writer->bev;

    TAILQ_REMOVE(&server->writers, writer, next);
    SSL_set_app_data(bufferevent_openssl_get_ssl(bev), NULL);
    free(writer);
    return bufferevent_decref(bev);
}

static void settle(evutil_socket_t fd, short what, void *arg)
{
    struct emu_server *server = arg;
    struct emu_writer *next;

    (void)fd;
    (void)what;
    for (struct emu_writer *writer = TAILQ_FIRST(&server->writers); writer; writer = next) {
        next = TAILQ_NEXT(writer, next);
        if (--writer->turns == 0)
            let_go(server, writer);
    }
    if (!TAILQ_EMPTY(&server->writers))
        settle_next_turn(server);
}

/* Once evhttp is gone: beside ours there is at most the reference of a callback still put off, which
 * libevent cancels when the last one goes. */
static void let_all_go(struct emu_server *server)
{
    struct emu_writer *writer;

    while ((writer = TAILQ_FIRST(&server->writers))) {
        struct bufferevent *bev = writer->bev;

        if (!let_go(server, writer))
            bufferevent_decref(bev);
    }
}

/* --- connections ------------------------------------------------------------------------------- */

/* A TLS connection between evhttp's asking for it and our changing its BIO.  evhttp sets the
 * descriptor, and with it a BIO that can raise SIGPIPE, right after on_connection() returns; the
 * change happens later in the same turn of the loop, before anything can be written. */
struct emu_arrival {
    TAILQ_ENTRY(emu_arrival) next;
    struct bufferevent *bev;
};

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    struct emu_server *server = arg;
    struct emu_arrival *arrival = calloc(1, sizeof *arrival);
    SSL *ssl = SSL_new(server->tls);
    struct bufferevent *bev = NULL;

    if (arrival && ssl)
        bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                             BEV_OPT_CLOSE_ON_FREE);
    if (!bev) {
        SSL_free(ssl);
        free(arrival);
        return NULL; /* evhttp goes on in plain text, which makes no sense of a ClientHello */
    }
    evbuffer_add_cb(bufferevent_get_output(bev), on_written, bev); /* works without it, too */
    bufferevent_incref(bev);
    arrival->bev = bev;
    TAILQ_INSERT_TAIL(&server->arrivals, arrival, next);
    event_active(server->adopt, EV_TIMEOUT, 0);
    return bev;
}

static void adopt(evutil_socket_t fd, short what, void *arg)
{
    struct emu_server *server = arg;
    struct emu_arrival *arrival;

    (void)fd;
    (void)what;
    while ((arrival = TAILQ_FIRST(&server->arrivals))) {
        BIO *bio = emu_pki_socket(bufferevent_getfd(arrival->bev));
        SSL *ssl = bufferevent_openssl_get_ssl(arrival->bev);

        if (bio && ssl)
            SSL_set_bio(ssl, bio, bio);
        else
            BIO_free(bio);
        bufferevent_decref(arrival->bev);
        TAILQ_REMOVE(&server->arrivals, arrival, next);
        free(arrival);
    }
}

/* --- starting ---------------------------------------------------------------------------------- */

static struct evconnlistener *listen_on(struct event_base *base, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
    struct evconnlistener *listener = evconnlistener_new_bind(
        base, NULL, NULL, flags, BACKLOG, (struct sockaddr *)&address, sizeof address);
    int on = 1;

    if (listener) /* what is accepted inherits it */
        setsockopt(evconnlistener_get_fd(listener), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return listener;
}

static bool set_url(scalekit_emulator *emulator, struct evconnlistener *listener)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char url[48];

    if (getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &length) < 0)
        return false;
    snprintf(url, sizeof url, "%s://127.0.0.1:%u", emulator->server.tls ? "https" : "http",
             (unsigned)ntohs(address.sin_port));
    return emu_set_text(&emulator->url, url);
}

static struct evhttp *new_http(scalekit_emulator *emulator)
{
    struct evhttp *http = evhttp_new(emulator->base);

    if (!http)
        return NULL;
    evhttp_set_timeout(http, IDLE_S);
    evhttp_set_max_headers_size(http, MAX_HEADERS);
    evhttp_set_max_body_size(http, MAX_LARGE);
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                         EVHTTP_REQ_DELETE | EVHTTP_REQ_HEAD | EVHTTP_REQ_PATCH |
                                         EVHTTP_REQ_OPTIONS);
    evhttp_set_gencb(http, on_request, emulator);
    if (emulator->server.tls)
        evhttp_set_bevcb(http, on_connection, &emulator->server);
    return http;
}

bool emu_server_start(scalekit_emulator *emulator, uint16_t port, const char *tls_dir, char *error,
                      size_t error_size)
{
    struct emu_server *server = &emulator->server;
    struct evconnlistener *listener;

    TAILQ_INIT(&server->arrivals);
    TAILQ_INIT(&server->writers);
    TAILQ_INIT(&server->pauses);
    if (tls_dir && !(server->tls = emu_pki_context(tls_dir, error, error_size)))
        return false;
    if (server->tls)
        SSL_CTX_set_app_data(server->tls, server);
    listener = listen_on(emulator->base, port);
    if (!listener) {
        snprintf(error, error_size, "cannot listen on 127.0.0.1:%u: %s", (unsigned)port,
                 strerror(errno));
        return false;
    }
    server->http = new_http(emulator);
    server->adopt = event_new(emulator->base, -1, 0, adopt, server);
    server->settle = evtimer_new(emulator->base, settle, server);
    if (server->http && server->adopt && server->settle &&
        emu_random_text(server->run, sizeof server->run) && set_url(emulator, listener) &&
        evhttp_bind_listener(server->http, listener))
        return true;
    evconnlistener_free(listener);
    snprintf(error, error_size, "out of memory");
    return false;
}

void emu_server_free(scalekit_emulator *emulator)
{
    struct emu_server *server = &emulator->server;

    if (!server->pauses.tqh_last)
        return; /* it was never started */
    while (!TAILQ_EMPTY(&server->pauses))
        free_pause(TAILQ_FIRST(&server->pauses));
    adopt(-1, 0, server);
    if (server->adopt)
        event_free(server->adopt);
    if (server->http)
        evhttp_free(server->http);
    let_all_go(server);
    if (server->settle)
        event_free(server->settle);
    SSL_CTX_free(server->tls);
}
