/* An evhttp client, held short.  A turn of the timer is all that begins and ends connections: evhttp's
 * own callbacks only note what has happened, as one may come from inside the call that begins a
 * request, and not all of them allow that their connection is freed. */
#include "forward.h"
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <time.h>

#define MOST_PLACES    8
#define ADDRESS_SIZE   64 /* with the scope of an IPv6 address */
#define LONGEST_ANSWER (1024 * 1024)
#define LONGEST_HEAD   (64 * 1024)
#define NO_ANSWER      "no answer came in time"

/* What is passed on, the id first. */
static const char *const fields[] = {"webhook-id", "webhook-timestamp", "webhook-signature",
                                     "content-type"};

#define N_FIELDS (sizeof fields / sizeof *fields)

struct parcel {
    STAILQ_ENTRY(parcel) next;
    const char *values[N_FIELDS];
    const char *body;
    size_t length, size; /* of the body; of `bytes` */
    char bytes[];        /* all these texts */
};

struct forward {
    struct event_base *base;
    struct event *turn;
    forward_cb cb;
    void *user;
    int64_t answer_ms;
    char *authority, *target; /* "localhost:3000", "/hooks?a=b" */
    char places[MOST_PLACES][ADDRESS_SIZE];
    size_t n_places;
    uint16_t port;

    STAILQ_HEAD(, parcel) parcels; /* the first is under way */
    size_t n, bytes;

    bool under_way;
    struct evhttp_connection *connection;
    size_t place; /* that is tried */
    int64_t began_ms, answered_ms;
    bool refused; /* nobody listens there */
    int status;
    const char *problem;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Once a first turn was to be had, the heap of timers has room for the others. */
static bool turn_in(struct forward *forward, int64_t ms)
{
    struct timeval pause = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

    return evtimer_add(forward->turn, &pause) == 0;
}

/* --- the server ----------------------------------------------------------------------------------- */

/* A name like localhost has several addresses, and the server may listen on any one of them. */
static bool find(struct forward *forward, const char *host, char *problem)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int failure = getaddrinfo(host, NULL, &hints, &found);

    if (failure) {
        snprintf(problem, FORWARD_PROBLEM_SIZE, "cannot find %.100s: %s", host,
                 gai_strerror(failure));
        return false;
    }
    for (struct addrinfo *at = found; at && forward->n_places < MOST_PLACES; at = at->ai_next)
        if (getnameinfo(at->ai_addr, at->ai_addrlen, forward->places[forward->n_places],
                        ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST) == 0)
            forward->n_places++;
    freeaddrinfo(found);
    if (!forward->n_places)
        snprintf(problem, FORWARD_PROBLEM_SIZE, "%.100s has no address", host);
    return forward->n_places;
}

static char *join(const char *a, const char *separator, const char *b)
{
    size_t size = strlen(a) + strlen(separator) + strlen(b) + 1;
    char *joined = malloc(size);

    if (joined)
        snprintf(joined, size, "%s%s%s", a, separator, b);
    return joined;
}

static bool take_parts(struct forward *forward, const struct evhttp_uri *uri, char *problem)
{
    const char *host = evhttp_uri_get_host(uri), *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    int port = evhttp_uri_get_port(uri) < 0 ? 80 : evhttp_uri_get_port(uri);
    char number[8], *bare = strdup(*host == '[' ? host + 1 : host);
    bool found;

    if (!bare)
        return false;
    snprintf(number, sizeof number, "%d", port);
    forward->port = (uint16_t)port;
    forward->authority = port == 80 ? strdup(host) : join(host, ":", number);
    forward->target = join(path && *path ? path : "/", query ? "?" : "", query ? query : "");
    bare[strcspn(bare, "]")] = '\0';
    found = forward->authority && forward->target && find(forward, bare, problem);
    free(bare);
    return found;
}

static bool understand(struct forward *forward, const char *url, char *problem)
{
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    const char *scheme = uri ? evhttp_uri_get_scheme(uri) : NULL;
    const char *host = uri ? evhttp_uri_get_host(uri) : NULL;
    bool good = false;

    if (scheme && strcasecmp(scheme, "https") == 0)
        snprintf(problem, FORWARD_PROBLEM_SIZE,
                 "takes http:// only: what it posts to is meant to be on this machine");
    else if (!scheme || strcasecmp(scheme, "http") != 0 || !host || !*host ||
             evhttp_uri_get_userinfo(uri) || evhttp_uri_get_port(uri) == 0)
        snprintf(problem, FORWARD_PROBLEM_SIZE, "takes http://HOST:PORT/PATH, not \"%.100s\"", url);
    else
        good = take_parts(forward, uri, problem);
    if (uri)
        evhttp_uri_free(uri);
    return good;
}

bool forward_leads_to(const struct forward *forward, const char *address, uint16_t port)
{
    bool everywhere = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;

    for (size_t i = 0; i < forward->n_places && forward->port == port; i++) {
        const char *place = forward->places[i];
        bool here = strncmp(place, "127.", 4) == 0 || strcmp(place, "::1") == 0;

        if (strcmp(place, address) == 0 || (everywhere && here))
            return true;
    }
    return false;
}

/* --- what waits ----------------------------------------------------------------------------------- */

static const char *value_of(const struct scalekit_webhook_delivery *delivery, const char *name)
{
    for (size_t i = 0; i < delivery->n_headers; i++)
        if (strcasecmp(delivery->headers[i].key, name) == 0)
            return delivery->headers[i].value;
    return NULL;
}

static struct parcel *wrap(const struct scalekit_webhook_delivery *delivery)
{
    const char *values[N_FIELDS];
    size_t size = delivery->body_length;
    struct parcel *parcel;
    char *end;

    for (size_t i = 0; i < N_FIELDS; i++) {
        values[i] = value_of(delivery, fields[i]);
        if (!values[i])
            values[i] = i == N_FIELDS - 1 ? "application/json" : "";
        size += strlen(values[i]) + 1;
    }
    parcel = malloc(sizeof *parcel + size);
    if (!parcel)
        return NULL;
    *parcel = (struct parcel){.length = delivery->body_length, .size = size};
    end = parcel->bytes;
    for (size_t i = 0; i < N_FIELDS; i++) {
        size_t with_nul = strlen(values[i]) + 1;

        parcel->values[i] = memcpy(end, values[i], with_nul);
        end += with_nul;
    }
    parcel->body = end;
    if (parcel->length)
        memcpy(end, delivery->body, parcel->length);
    return parcel;
}

static struct parcel *take_first(struct forward *forward)
{
    struct parcel *parcel = STAILQ_FIRST(&forward->parcels);

    STAILQ_REMOVE_HEAD(&forward->parcels, next);
    forward->n--;
    forward->bytes -= parcel->length;
    return parcel;
}

/* Bodies may hold what is nobody else's business. */
static void throw_away(struct parcel *parcel)
{
    explicit_bzero(parcel->bytes, parcel->size);
    free(parcel);
}

const char *forward_post(struct forward *forward, const struct scalekit_webhook_delivery *delivery)
{
    struct parcel *parcel;

    if (forward->n == FORWARD_MOST || delivery->body_length > FORWARD_MOST_BYTES - forward->bytes)
        return "too many wait already";
    parcel = wrap(delivery);
    if (!parcel)
        return "memory ran out";
    STAILQ_INSERT_TAIL(&forward->parcels, parcel, next);
    forward->bytes += parcel->length;
    if (forward->n++ > 0 || turn_in(forward, 0))
        return NULL;
    throw_away(take_first(forward));
    return "memory ran out";
}

size_t forward_waiting(const struct forward *forward)
{
    return forward->n;
}

/* --- a request ------------------------------------------------------------------------------------ */

/* An answer whose end never comes, or is too long, is one nevertheless. */
static int on_head(struct evhttp_request *request, void *user)
{
    struct forward *forward = user;
    int status = evhttp_request_get_response_code(request);

    if (status < 200)
        return 0;
    forward->status = status;
    forward->answered_ms = now_ms();
    return 0;
}

static void on_failure(enum evhttp_request_error error, void *user)
{
    struct forward *forward = user;

    switch (error) {
    case EVREQ_HTTP_TIMEOUT:
        forward->problem = NO_ANSWER;
        break;
    case EVREQ_HTTP_INVALID_HEADER:
        forward->problem = "the answer is not HTTP";
        break;
    default:
        forward->problem = "the connection was closed without an answer";
        break;
    }
}

/* `request` is NULL after on_failure(), and has no status when nobody could be reached. */
static void on_end(struct evhttp_request *request, void *user)
{
    struct forward *forward = user;

    if (request && !forward->status) {
        forward->refused = true;
        forward->problem = "cannot connect";
    }
    turn_in(forward, 0);
}

static bool fill(struct evhttp_request *request, const struct forward *forward,
                 const struct parcel *parcel)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    bool good = evhttp_add_header(headers, "Host", forward->authority) == 0 &&
                evhttp_add_header(headers, "Connection", "close") == 0;

    for (size_t i = 0; i < N_FIELDS; i++)
        good = good && evhttp_add_header(headers, fields[i], parcel->values[i]) == 0;
    return good && evbuffer_add(evhttp_request_get_output_buffer(request), parcel->body,
                                parcel->length) == 0;
}

static bool ask(struct forward *forward, struct evhttp_connection *connection)
{
    struct evhttp_request *request = evhttp_request_new(on_end, forward);

    if (!request)
        return false;
    evhttp_connection_set_max_headers_size(connection, LONGEST_HEAD);
    evhttp_connection_set_max_body_size(connection, LONGEST_ANSWER);
    evhttp_request_set_header_cb(request, on_head);
    evhttp_request_set_error_cb(request, on_failure);
    if (!fill(request, forward, STAILQ_FIRST(&forward->parcels))) {
        evhttp_request_free(request);
        return false;
    }
    return evhttp_make_request(connection, request, EVHTTP_REQ_POST, forward->target) == 0;
}

/* Tries one of the server's addresses; the next turn is when something has come of it, or when the
 * time is over. */
static void try_place(struct forward *forward)
{
    int64_t left = forward->began_ms + forward->answer_ms - now_ms();

    forward->status = 0;
    forward->refused = false;
    forward->problem = NO_ANSWER;
    forward->connection = evhttp_connection_base_bufferevent_new(
        forward->base, NULL, NULL, forward->places[forward->place], forward->port);
    turn_in(forward, left > 0 ? left : 0);
    if (forward->connection && ask(forward, forward->connection))
        return;
    forward->problem = "the request cannot be made";
    turn_in(forward, 0);
}

static void settle(struct forward *forward)
{
    struct parcel *parcel = take_first(forward);
    struct forward_result result = {
        .delivery_id = parcel->values[0],
        .status = forward->status,
        .elapsed_ms = (forward->status ? forward->answered_ms : now_ms()) - forward->began_ms,
        .problem = forward->status ? NULL : forward->problem,
    };

    forward->under_way = false;
    forward->cb(&result, forward->user);
    throw_away(parcel);
    if (forward->n)
        turn_in(forward, 0);
}

static void on_turn(evutil_socket_t unused, short what, void *user)
{
    struct forward *forward = user;
    bool begins = !forward->under_way;

    (void)unused;
    (void)what;
    if (forward->connection)
        evhttp_connection_free(forward->connection);
    forward->connection = NULL;
    if (begins) {
        forward->under_way = true;
        forward->began_ms = now_ms();
        forward->place = 0;
        try_place(forward);
    } else if (forward->refused && forward->place + 1 < forward->n_places) {
        forward->place++;
        try_place(forward);
    } else {
        settle(forward);
    }
}

/* --- from beginning to end ------------------------------------------------------------------------ */

struct forward *forward_new(struct event_base *base, const char *url, int64_t answer_ms,
                            forward_cb cb, void *user, char problem[FORWARD_PROBLEM_SIZE])
{
    struct forward *forward = calloc(1, sizeof *forward);

    problem[0] = '\0';
    if (!forward)
        return NULL;
    forward->base = base;
    forward->cb = cb;
    forward->user = user;
    forward->answer_ms = answer_ms;
    STAILQ_INIT(&forward->parcels);
    forward->turn = evtimer_new(base, on_turn, forward);
    if (forward->turn && understand(forward, url, problem))
        return forward;
    forward_free(forward);
    return NULL;
}

void forward_free(struct forward *forward)
{
    if (!forward)
        return;
    if (forward->connection)
        evhttp_connection_free(forward->connection);
    if (forward->turn)
        event_free(forward->turn);
    while (forward->n)
        throw_away(take_first(forward));
    free(forward->authority);
    free(forward->target);
    free(forward);
}
