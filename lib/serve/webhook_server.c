/* evhttp listens, parses and answers; what it gets to listen with, and each connection, are ours.
 *
 * evhttp takes no refusal when it asks for a connection's bufferevent: told NULL it goes on in plain
 * text, with one that can raise SIGPIPE.  So that of the next connection is made beforehand, and
 * there is listening only while there is one; thus max_connections is kept as well. */
#include "base/str.h"
#include "json/check.h"
#include "serve/peer.h"
#include "serve/server_tls.h"
#include "serve/webhook_request.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG             1024
#define MAX_CONNECTIONS     65536u
#define DEFAULT_CONNECTIONS 1024u
#define DAY_MS              INT64_C(86400000)
#define DEFAULT_IDLE_MS     60000
#define RETRY_MS            100 /* to accept, when memory or descriptors ran out */
#define EVERY_METHOD        0xffff
#define NOT_FOUND           404

struct scalekit_webhook_server {
    struct ski_peers peers;
    struct ski_peer *next; /* for whoever comes next; NULL: nobody is accepted */
    unsigned max_connections;
    scalekit_webhook_take_cb take;
    scalekit_webhook_refused_cb refused;
    void *user;
    char *path;
    uint16_t port;
    SSL_CTX *tls;
    struct evhttp *http;
    struct evconnlistener *listener; /* evhttp's */
    struct event *knock;             /* somebody is at the door */
    unsigned knocks;                 /* since one was let in */
    struct event *retry;
};

/* --- requests ------------------------------------------------------------------------------------- */

static bool path_is(const scalekit_webhook_server *server, struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

    if (!path || !*path)
        path = "/";
    return strcmp(path, server->path) == 0;
}

static void on_closing(struct evhttp_connection *connection, void *arg)
{
    (void)arg;
    ski_peer_say_goodbye(evhttp_connection_get_bufferevent(connection));
}

/* The answer leaves first: what the client has to tell its watches and handlers comes next. */
static void on_request(struct evhttp_request *request, void *arg)
{
    scalekit_webhook_server *server = arg;
    int status = NOT_FOUND;
    bool taken = false;

    if (path_is(server, request))
        status = ski_webhook_request_take(request, &server->peers.mem, server->take, server->user,
                                          &taken);
    if (!taken && server->refused)
        server->refused(status, server->user);
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_closing, NULL);
    ski_webhook_request_answer(request, status);
    ski_peers_send(&server->peers);
}

/* --- connections ---------------------------------------------------------------------------------- */

static void open_door(scalekit_webhook_server *server)
{
    server->knocks = 0;
    event_add(server->knock, NULL);
    evconnlistener_enable(server->listener);
}

static void shut_door(scalekit_webhook_server *server)
{
    event_del(server->knock);
    evconnlistener_disable(server->listener);
}

static void retry_later(scalekit_webhook_server *server)
{
    static const struct timeval pause = {RETRY_MS / 1000, RETRY_MS % 1000 * 1000};

    shut_door(server);
    evtimer_add(server->retry, &pause);
}

/* Listens as long as there is a place, and what it needs. */
static void prepare(scalekit_webhook_server *server)
{
    if (server->next)
        return;
    if (server->peers.n >= server->max_connections) {
        shut_door(server);
        return;
    }
    server->next = ski_peer_new(&server->peers);
    if (server->next)
        open_door(server);
    else
        retry_later(server);
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    scalekit_webhook_server *server = arg;
    struct bufferevent *bev = ski_peer_admit(server->next);

    (void)base;
    server->next = NULL;
    server->knocks = 0;
    prepare(server);
    return bev;
}

static void on_ended(struct ski_peers *peers)
{
    prepare(SKI_CONTAINER(peers, scalekit_webhook_server, peers));
}

/* Without it libevent would print.  It is told evhttp, which does not lead to us: see on_knock(). */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
    (void)listener;
    (void)http;
}

/* Beside evhttp's accepting.  Who knocks twice was not let in: no descriptor is left, and without a
 * pause the loop would do nothing else but try. */
static void on_knock(evutil_socket_t fd, short what, void *arg)
{
    scalekit_webhook_server *server = arg;

    (void)fd;
    (void)what;
    if (server->knocks++)
        retry_later(server);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    scalekit_webhook_server *server = arg;

    (void)fd;
    (void)what;
    if (server->next)
        open_door(server);
    else
        prepare(server);
}

/* --- listening ------------------------------------------------------------------------------------ */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Its size; 0: it is no address. */
static socklen_t parse_address(union address *address, const char *text, uint16_t port)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return sizeof address->v4;
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        return sizeof address->v6;
    }
    return 0;
}

static scalekit_err describe_bind(int error, const char **problem)
{
    switch (error) {
    case EADDRINUSE:
        *problem = "port is taken";
        return SCALEKIT_ERR_CONNECT;
    case EACCES:
    case EPERM:
        *problem = "port may not be listened on";
        return SCALEKIT_ERR_CONNECT;
    case ENOMEM:
    case 0:
        return SCALEKIT_ERR_NOMEM;
    default:
        *problem = "address cannot be listened on";
        return SCALEKIT_ERR_CONNECT;
    }
}

static scalekit_err listen_on(scalekit_webhook_server *server,
                              const struct scalekit_webhook_server_params *p, const char **problem)
{
    unsigned flags =
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_DISABLED;
    union address address;
    socklen_t size = parse_address(&address, p->address, p->port);
    int on = 1;
    int fd;

    errno = 0;
    server->listener = evconnlistener_new_bind(server->peers.base, NULL, NULL, flags, BACKLOG,
                                               &address.any, (int)size);
    if (!server->listener)
        return describe_bind(errno, problem);
    if (!evhttp_bind_listener(server->http, server->listener)) {
        evconnlistener_free(server->listener);
        return SCALEKIT_ERR_NOMEM;
    }
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    fd = evconnlistener_get_fd(server->listener);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* what is accepted inherits it */
    size = sizeof address;
    if (getsockname(fd, &address.any, &size) < 0)
        return describe_bind(errno, problem);
    server->knock = event_new(server->peers.base, fd, EV_READ | EV_PERSIST, on_knock, server);
    if (!server->knock)
        return SCALEKIT_ERR_NOMEM;
    server->port =
        ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return SCALEKIT_OK;
}

static bool new_http(scalekit_webhook_server *server)
{
    server->http = evhttp_new(server->peers.base);
    if (!server->http)
        return false;
    evhttp_set_max_headers_size(server->http, SKI_PEER_MAX_HEADERS);
    evhttp_set_max_body_size(server->http, SKI_PEER_MAX_BODY);
    evhttp_set_allowed_methods(server->http, EVERY_METHOD);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_gencb(server->http, on_request, server);
    evhttp_set_bevcb(server->http, on_connection, server);
    return true;
}

/* --- life ----------------------------------------------------------------------------------------- */

static bool path_is_one(const char *path)
{
    if (*path != '/')
        return false;
    for (; *path; path++)
        if (*path <= ' ' || *path > '~' || *path == '?' || *path == '#')
            return false;
    return true;
}

static void fill_in(struct scalekit_webhook_server_params *p)
{
    if (!p->address)
        p->address = "127.0.0.1";
    if (!p->path)
        p->path = "/";
    if (!p->max_connections)
        p->max_connections = DEFAULT_CONNECTIONS;
    if (!p->idle_timeout_ms)
        p->idle_timeout_ms = DEFAULT_IDLE_MS;
}

/* NULL: there is none. */
static const char *find_problem(const struct scalekit_webhook_server_params *p)
{
    union address address;

    if (!p->client == !p->take)
        return "client or take must be given, and not both";
    if (!parse_address(&address, p->address, p->port))
        return "address is neither IPv4 nor IPv6";
    if (!path_is_one(p->path))
        return "path does not begin with '/', or has what a path cannot have";
    if (!p->certificate_file != !p->key_file)
        return "certificate_file and key_file must be given together";
    if (p->max_connections > MAX_CONNECTIONS)
        return "max_connections is out of range";
    if (p->idle_timeout_ms < 0 || p->idle_timeout_ms > DAY_MS)
        return "idle_timeout_ms is out of range";
    return NULL;
}

static scalekit_err start(scalekit_webhook_server *server,
                          const struct scalekit_webhook_server_params *p, const char **problem)
{
    scalekit_err err = SCALEKIT_OK;

    server->take = p->take ? p->take : ski_webhook_request_deliver;
    server->user = p->take ? p->user : p->client;
    server->refused = p->take ? p->refused : NULL;
    server->max_connections = p->max_connections;
    server->peers.patience.tv_sec = p->idle_timeout_ms / 1000;
    server->peers.patience.tv_usec = p->idle_timeout_ms % 1000 * 1000;
    server->peers.ended = on_ended;
    if (p->certificate_file)
        err = ski_server_tls_new(&server->tls, p->certificate_file, p->key_file, problem);
    if (err)
        return err;
    server->peers.tls = server->tls;
    server->path = ski_strdup(&server->peers.mem, p->path);
    server->retry = evtimer_new(server->peers.base, on_retry, server);
    if (!server->path || !server->retry || !ski_peers_init(&server->peers) || !new_http(server))
        return SCALEKIT_ERR_NOMEM;
    err = listen_on(server, p, problem);
    if (err)
        return err;
    prepare(server);
    return server->next ? SCALEKIT_OK : SCALEKIT_ERR_NOMEM;
}

/* Copies what is given, and fills in the defaults.  What is wrong; NULL: nothing. */
static const char *read_given(struct scalekit_webhook_server_params *p,
                              const struct scalekit_webhook_server_params *given)
{
    if (!given)
        return "params is missing";
    if (ski_params_copy(p, sizeof *p, given) != p)
        return "struct_size is wrong: make the structure with SCALEKIT_PARAMS";
    fill_in(p);
    return find_problem(p);
}

static scalekit_err make(scalekit_webhook_server **out, struct event_base *base,
                         const struct scalekit_webhook_server_params *p, const char **problem)
{
    scalekit_webhook_server *server;
    struct ski_mem mem;
    scalekit_err err;

    ski_mem_init(&mem, p->allocator);
    server = ski_zalloc(&mem, sizeof *server);
    if (!server)
        return SCALEKIT_ERR_NOMEM;
    server->peers.mem = mem;
    server->peers.base = base;
    err = start(server, p, problem);
    if (err)
        scalekit_webhook_server_free(server);
    else
        *out = server;
    return err;
}

scalekit_err scalekit_webhook_server_new(scalekit_webhook_server **out, struct event_base *base,
                                         const struct scalekit_webhook_server_params *params,
                                         const char **problem)
{
    struct scalekit_webhook_server_params complete;
    const char *ignored;

    if (!problem)
        problem = &ignored;
    *problem = NULL;
    if (!out)
        return SCALEKIT_ERR_INVALID;
    *out = NULL;
    *problem = base ? read_given(&complete, params) : "base is missing";
    return *problem ? SCALEKIT_ERR_INVALID : make(out, base, &complete, problem);
}

uint16_t scalekit_webhook_server_port(const scalekit_webhook_server *server)
{
    return server ? server->port : 0;
}

void scalekit_webhook_server_free(scalekit_webhook_server *server)
{
    struct ski_mem mem;

    if (!server)
        return;
    mem = server->peers.mem;
    if (server->next)
        ski_peer_dismiss(server->next);
    if (server->knock)
        event_free(server->knock);
    if (server->http)
        evhttp_free(server->http);
    ski_peers_free(&server->peers);
    if (server->retry)
        event_free(server->retry);
    SSL_CTX_free(server->tls);
    ski_free(&mem, server->path);
    ski_free(&mem, server);
}
