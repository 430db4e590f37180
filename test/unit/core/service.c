#include "service.h"
#include "base/list.h"
#include "harness.h"
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ROUTES   16
#define MAX_ONCE     1024
#define MAX_REQUESTS 4096

struct route {
    const char *name;
    struct service_answer once[MAX_ONCE];
    unsigned n_once, taken;
    struct service_answer always;
    bool has_always;
};

struct service {
    struct event_base *base;
    struct event *acceptable;
    int fd;
    uint16_t port;
    unsigned connections, sign_ins;
    struct ski_list links;
    struct route routes[MAX_ROUTES];
    unsigned n_routes;
    struct service_request requests[MAX_REQUESTS];
    unsigned n_requests;

    bool awaiting; /* service_until() runs */
    const char *awaited;
    unsigned awaited_count;
    bool reached;
};

struct link {
    struct ski_list link;
    struct service *service;
    int fd;
    struct event *readable, *writable;
    struct evbuffer *in, *out;
    bool closing; /* once everything has been sent */
    bool silent;  /* nothing more is said on it */
    bool waits;   /* `held` is to be sent at service_release() */
    struct service_answer held;
    struct evbuffer *rest; /* of an answer that halts; sent then, too */
};

static void *must(void *memory)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    return memory;
}

/* --- links ------------------------------------------------------------------------------------- */

static void link_free(struct link *link)
{
    ski_list_remove(&link->link);
    event_free(link->readable);
    event_free(link->writable);
    evbuffer_free(link->in);
    evbuffer_free(link->out);
    if (link->rest)
        evbuffer_free(link->rest);
    close(link->fd);
    free(link);
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    struct link *link = user;

    (void)what;
    while (evbuffer_get_length(link->out)) {
        size_t length = evbuffer_get_contiguous_space(link->out);
        ssize_t sent =
            send(fd, evbuffer_pullup(link->out, (ev_ssize_t)length), length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN) {
            event_add(link->writable, NULL);
            return;
        }
        if (sent < 0) {
            link_free(link);
            return;
        }
        evbuffer_drain(link->out, (size_t)sent);
    }
    if (link->closing)
        link_free(link);
}

/* --- answering --------------------------------------------------------------------------------- */

static void say(struct link *link, const struct service_answer *answer)
{
    size_t length = answer->body ? strlen(answer->body) : 0;
    bool part = answer->manner == SERVICE_CUTS || answer->manner == SERVICE_STALLS ||
                answer->manner == SERVICE_HALTS;
    struct evbuffer *text = must(evbuffer_new());

    evbuffer_add_printf(text, "HTTP/1.1 %d Scripted\r\ncontent-type: application/json\r\n",
                        answer->status);
    evbuffer_add_printf(text, "content-length: %zu\r\n%s\r\n", length,
                        answer->headers ? answer->headers : "");
    evbuffer_add(text, answer->body, length);
    if (part)
        evbuffer_remove_buffer(text, link->out, answer->bytes);
    else
        evbuffer_add_buffer(link->out, text);
    if (answer->manner == SERVICE_HALTS)
        link->rest = text;
    else
        evbuffer_free(text);
    link->closing = answer->manner == SERVICE_CUTS;
    link->silent = answer->manner == SERVICE_STALLS;
    event_active(link->writable, EV_WRITE, 1);
}

static void answer_it(struct link *link, const struct service_answer *answer)
{
    switch (answer->manner) {
    case SERVICE_HANGS:
        link->silent = true;
        break;
    case SERVICE_CLOSES:
        link->closing = true;
        event_active(link->writable, EV_WRITE, 1);
        break;
    case SERVICE_WAITS:
        link->held = *answer;
        link->waits = true;
        break;
    case SERVICE_ANSWERS:
    case SERVICE_CUTS:
    case SERVICE_STALLS:
    case SERVICE_HALTS:
        say(link, answer);
        break;
    }
}

static struct route *find_route(struct service *service, const char *name, bool add)
{
    struct route *route;

    for (unsigned i = 0; i < service->n_routes; i++)
        if (strcmp(service->routes[i].name, name) == 0)
            return &service->routes[i];
    if (!add)
        return NULL;
    CU_ASSERT_FATAL(service->n_routes < MAX_ROUTES);
    route = &service->routes[service->n_routes++];
    route->name = name;
    return route;
}

static void answer_by_script(struct link *link, const char *name)
{
    struct service *service = link->service;
    struct route *route = find_route(service, name, false);
    bool sign_in = strcmp(name, SIGN_IN) == 0;
    struct service_answer answer = {.status = 501, .body = "not scripted"};
    char token[128];

    if (sign_in) {
        snprintf(token, sizeof token,
                 "{\"access_token\":\"tok-%u\",\"token_type\":\"Bearer\",\"expires_in\":86399}",
                 ++service->sign_ins);
        answer = (struct service_answer){.status = 200, .body = token};
    }
    if (route && route->taken < route->n_once)
        answer = route->once[route->taken++];
    else if (route && route->has_always)
        answer = route->always;
    answer_it(link, &answer);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void reached(struct service *service)
{
    if (service->awaiting && service_count(service, service->awaited) >= service->awaited_count)
        service->reached = true;
}

/* "GET /path?query HTTP/1.1", the header lines, and the body. */
static void keep_request(struct link *link, char *line, const char *head, const char *body)
{
    struct service *service = link->service;
    struct service_request *request;
    char *target, *end;

    CU_ASSERT_FATAL(service->n_requests < MAX_REQUESTS);
    request = &service->requests[service->n_requests++];
    target = strchr(line, ' ');
    CU_ASSERT_PTR_NOT_NULL_FATAL(target);
    end = strchr(++target, ' ');
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    *end = '\0';
    request->target = must(strdup(target));
    line[strcspn(line, "?")] = '\0';
    request->route = must(strdup(line));
    request->head = must(strdup(head));
    request->body = must(strdup(body));
    answer_by_script(link, request->route);
    reached(service);
}

/* Takes one request that is complete out of what came. */
static bool take_request(struct link *link)
{
    struct evbuffer_ptr blank = evbuffer_search(link->in, "\r\n\r\n", 4, NULL);
    size_t head_length = (size_t)blank.pos + 4, body_length = 0;
    char *text, *line_end;
    const char *length;

    if (blank.pos < 0)
        return false;
    text = must(calloc(1, evbuffer_get_length(link->in) + 1));
    evbuffer_copyout(link->in, text, evbuffer_get_length(link->in));
    text[head_length - 1] = '\0'; /* the last LF */
    length = strstr(text, "content-length: ");
    if (length)
        body_length = strtoul(length + 16, NULL, 10);
    if (evbuffer_get_length(link->in) < head_length + body_length) {
        free(text);
        return false;
    }
    text[head_length + body_length] = '\0';
    evbuffer_drain(link->in, head_length + body_length);
    text[head_length - 2] = '\0'; /* the blank line */
    line_end = strstr(text, "\r\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(line_end);
    *line_end = '\0';
    keep_request(link, text, line_end + 2, text + head_length);
    free(text);
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    struct link *link = user;

    (void)what;
    if (evbuffer_read(link->in, fd, -1) <= 0) {
        link_free(link);
        return;
    }
    while (!link->silent && !link->closing && !link->waits && take_request(link))
        ;
}

static void on_accept(evutil_socket_t fd, short what, void *user)
{
    struct service *service = user;
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    struct link *link;

    (void)what;
    if (accepted < 0)
        return;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    service->connections++;
    link = must(calloc(1, sizeof *link));
    link->service = service;
    link->fd = accepted;
    link->in = must(evbuffer_new());
    link->out = must(evbuffer_new());
    link->readable =
        must(event_new(service->base, accepted, EV_READ | EV_PERSIST, on_readable, link));
    link->writable = must(event_new(service->base, accepted, EV_WRITE, on_writable, link));
    ski_list_init(&link->link);
    ski_list_push_back(&service->links, &link->link);
    event_add(link->readable, NULL);
}

/* --- what tests call --------------------------------------------------------------------------- */

struct service *service_new(struct event_base *base)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof in;
    struct service *service = must(calloc(1, sizeof *service));

    service->base = base;
    ski_list_init(&service->links);
    service->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(service->fd >= 0);
    CU_ASSERT_FATAL(bind(service->fd, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(getsockname(service->fd, (struct sockaddr *)&in, &length) == 0);
    CU_ASSERT_FATAL(listen(service->fd, 1024) == 0);
    service->port = ntohs(in.sin_port);
    service->acceptable =
        must(event_new(base, service->fd, EV_READ | EV_PERSIST, on_accept, service));
    event_add(service->acceptable, NULL);
    return service;
}

void service_free(struct service *service)
{
    if (!service)
        return;
    service_stop(service);
    for (unsigned i = 0; i < service->n_requests; i++) {
        free(service->requests[i].route);
        free(service->requests[i].target);
        free(service->requests[i].head);
        free(service->requests[i].body);
    }
    event_free(service->acceptable);
    free(service);
}

uint16_t service_port(const struct service *service)
{
    return service->port;
}

void service_once(struct service *service, const char *name, struct service_answer answer)
{
    struct route *route = find_route(service, name, true);

    CU_ASSERT_FATAL(route->n_once < MAX_ONCE);
    route->once[route->n_once++] = answer;
}

void service_always(struct service *service, const char *name, struct service_answer answer)
{
    struct route *route = find_route(service, name, true);

    route->always = answer;
    route->has_always = true;
}

void service_release(struct service *service)
{
    struct ski_list *node, *next;

    for (node = service->links.next; node != &service->links; node = next) {
        struct link *link = SKI_CONTAINER(node, struct link, link);

        next = node->next;
        if (link->rest) {
            evbuffer_add_buffer(link->out, link->rest);
            evbuffer_free(link->rest);
            link->rest = NULL;
            event_active(link->writable, EV_WRITE, 1);
        } else if (link->waits) {
            link->waits = false;
            say(link, &link->held);
        }
    }
}

void service_rest(struct service *service)
{
    event_del(service->acceptable);
    for (struct ski_list *node = service->links.next; node != &service->links; node = node->next) {
        struct link *link = SKI_CONTAINER(node, struct link, link);

        event_del(link->readable);
        event_del(link->writable);
    }
}

void service_stop(struct service *service)
{
    while (!ski_list_empty(&service->links))
        link_free(SKI_CONTAINER(service->links.next, struct link, link));
    event_del(service->acceptable);
    if (service->fd >= 0)
        close(service->fd);
    service->fd = -1;
}

unsigned service_connections(const struct service *service)
{
    return service->connections;
}

static bool is_of(const struct service_request *request, const char *route)
{
    return route ? strcmp(request->route, route) == 0 : strcmp(request->route, SIGN_IN) != 0;
}

unsigned service_count(const struct service *service, const char *route)
{
    unsigned count = 0;

    for (unsigned i = 0; i < service->n_requests; i++)
        count += is_of(&service->requests[i], route);
    return count;
}

const struct service_request *service_request(const struct service *service, const char *route,
                                              unsigned n)
{
    for (unsigned i = 0; i < service->n_requests; i++)
        if (is_of(&service->requests[i], route) && n-- == 0)
            return &service->requests[i];
    CU_FAIL_FATAL("that request did not come");
    return NULL;
}

void service_until(struct service *service, const char *route, unsigned count)
{
    service->awaiting = true;
    service->awaited = route;
    service->awaited_count = count;
    service->reached = false;
    reached(service);
    test_base_until(service->base, &service->reached);
    service->awaiting = false;
}

/* The header line that starts with `text`; NULL when there is none. */
static const char *find_line(const struct service_request *request, const char *text)
{
    size_t length = strlen(text);

    for (const char *line = request->head; line && *line;) {
        const char *end = strstr(line, "\r\n");

        if (strncasecmp(line, text, length) == 0)
            return line;
        line = end ? end + 2 : NULL;
    }
    return NULL;
}

bool service_had(const struct service_request *request, const char *text)
{
    const char *line = find_line(request, text);

    return line && strncmp(line, text, strlen(text)) == 0 &&
           strncmp(line + strlen(text), "\r\n", 2) == 0;
}

bool service_named(const struct service_request *request, const char *name)
{
    const char *line = find_line(request, name);

    return line && line[strlen(name)] == ':';
}
