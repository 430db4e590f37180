/* A connection goes from CLOSED over CONNECTING and HANDSHAKING to IDLE; a post from SENDING to
 * READING and back to IDLE.  advance() is the only way forward, and runs whenever the socket is
 * ready for what was missing. */
#include "post.h"
#include "pki.h"
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MAX_HEAD    8192            /* of an answer */
#define MAX_BODY    INT64_C(262144) /* to read past; behind a longer one the connection is closed */
#define CHUNK_SIZE  4096
#define NO_PROGRESS (-1) /* of a read or a write: not now */

enum state { CLOSED, CONNECTING, HANDSHAKING, SENDING, READING, IDLE };

struct emu_poster {
    struct event_base *base;
    const struct emu_place *place;
    SSL_CTX *tls;
    emu_post_cb cb;
    void *user;
    enum state state;
    int fd;
    SSL *ssl; /* NULL: plain */
    struct event *readable, *writable, *limit;
    char *request; /* NULL: none under way */
    size_t length, sent;
    char head[MAX_HEAD + 1];
    size_t head_length;
    int status;   /* 0: the head is not complete */
    int64_t body; /* of the answer, still to come */
    bool closing; /* nothing can follow the answer */
};

/* --- places ------------------------------------------------------------------------------------ */

static bool set_address(struct emu_place *place, const char *host, uint16_t port)
{
    if (strcmp(host, "127.0.0.1") == 0 || strcasecmp(host, "localhost") == 0) {
        place->address.v4 = (struct sockaddr_in){.sin_family = AF_INET,
                                                 .sin_port = htons(port),
                                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        place->address_size = sizeof place->address.v4;
    } else if (strcmp(host, "[::1]") == 0 || strcmp(host, "::1") == 0) {
        place->address.v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        place->address_size = sizeof place->address.v6;
    } else {
        return false;
    }
    return true;
}

static bool set_target(struct emu_place *place, const struct evhttp_uri *uri)
{
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    size_t size;

    path = path && *path ? path : "/";
    size = strlen(path) + (query ? strlen(query) : 0) + 2;
    place->target = malloc(size);
    if (place->target)
        snprintf(place->target, size, "%s%s%s", path, query ? "?" : "", query ? query : "");
    return place->target != NULL;
}

static bool read_uri(struct emu_place *place, const struct evhttp_uri *uri)
{
    const char *scheme = evhttp_uri_get_scheme(uri), *host = evhttp_uri_get_host(uri);
    int port = evhttp_uri_get_port(uri);
    bool v6;

    if (!scheme || !host || evhttp_uri_get_userinfo(uri) || port == 0)
        return false;
    place->tls = strcasecmp(scheme, "https") == 0;
    if (!place->tls && strcasecmp(scheme, "http") != 0)
        return false;
    if (port < 0)
        port = place->tls ? 443 : 80;
    if (!set_address(place, host, (uint16_t)port))
        return false;
    v6 = place->address.any.sa_family == AF_INET6;
    snprintf(place->host, sizeof place->host, "%s", v6 ? "::1" : host);
    snprintf(place->authority, sizeof place->authority, v6 ? "[%s]:%d" : "%s:%d", place->host,
             port);
    return set_target(place, uri);
}

bool emu_place_parse(struct emu_place *place, const char *url)
{
    struct evhttp_uri *uri = evhttp_uri_parse(url);
    bool done;

    *place = (struct emu_place){0};
    done = uri && read_uri(place, uri);
    if (uri)
        evhttp_uri_free(uri);
    return done;
}

void emu_place_clear(struct emu_place *place)
{
    free(place->target);
    place->target = NULL;
}

/* --- the connection ---------------------------------------------------------------------------- */

static void drop_events(struct emu_poster *poster)
{
    if (poster->readable)
        event_free(poster->readable);
    if (poster->writable)
        event_free(poster->writable);
    poster->readable = poster->writable = NULL;
}

static void close_connection(struct emu_poster *poster)
{
    drop_events(poster);
    if (poster->ssl && poster->state == IDLE)
        SSL_shutdown(poster->ssl); /* says goodbye without waiting for an answer */
    SSL_free(poster->ssl);
    poster->ssl = NULL;
    if (poster->fd >= 0)
        close(poster->fd);
    poster->fd = -1;
    poster->state = CLOSED;
    ERR_clear_error();
}

static void on_ready(evutil_socket_t fd, short what, void *arg);

static bool start_tls(struct emu_poster *poster)
{
    BIO *bio = emu_pki_socket(poster->fd);

    poster->ssl = bio ? SSL_new(poster->tls) : NULL;
    if (!poster->ssl) {
        BIO_free(bio);
        return false;
    }
    SSL_set_bio(poster->ssl, bio, bio);
    SSL_set_connect_state(poster->ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(poster->ssl), poster->place->host) == 1)
        return true;
    return SSL_set1_host(poster->ssl, poster->place->host) == 1 &&
           SSL_set_tlsext_host_name(poster->ssl, poster->place->host) == 1;
}

/* Begins to connect; whether it worked is seen when the socket can be written. */
static bool open_connection(struct emu_poster *poster)
{
    const struct emu_place *place = poster->place;
    int on = 1;

    poster->fd =
        socket(place->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (poster->fd < 0)
        return false;
    setsockopt(poster->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(poster->fd, &place->address.any, place->address_size) < 0 && errno != EINPROGRESS)
        return false;
    poster->state = CONNECTING;
    if (place->tls && !start_tls(poster))
        return false;
    poster->readable = event_new(poster->base, poster->fd, EV_READ | EV_PERSIST, on_ready, poster);
    poster->writable = event_new(poster->base, poster->fd, EV_WRITE, on_ready, poster);
    return poster->readable && poster->writable && event_add(poster->writable, NULL) == 0;
}

/* What OpenSSL's result means: bytes, NO_PROGRESS, or 0 when the connection is over. */
static ssize_t judge_tls(struct emu_poster *poster, int result)
{
    int error = SSL_get_error(poster->ssl, result);

    if (result > 0)
        return result;
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_WRITE)
        event_add(poster->writable, NULL);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? NO_PROGRESS : 0;
}

static ssize_t judge(ssize_t result)
{
    bool again = result < 0 && (errno == EAGAIN || errno == EINTR);

    if (again)
        return NO_PROGRESS;
    return result > 0 ? result : 0;
}

static ssize_t read_some(struct emu_poster *poster, char *out, size_t size)
{
    ERR_clear_error(); /* SSL_get_error() would take an older one for ours */
    if (poster->ssl)
        return judge_tls(poster, SSL_read(poster->ssl, out, (int)size));
    return judge(recv(poster->fd, out, size, 0));
}

static ssize_t write_some(struct emu_poster *poster, const char *data, size_t length)
{
    ssize_t sent;

    ERR_clear_error();
    if (poster->ssl)
        return judge_tls(poster, SSL_write(poster->ssl, data, (int)length));
    sent = judge(send(poster->fd, data, length, MSG_NOSIGNAL));
    if (sent == NO_PROGRESS)
        event_add(poster->writable, NULL);
    return sent;
}

/* --- the answer -------------------------------------------------------------------------------- */

/* The value of a field of the head, which ends its lines with NULs; NULL when it is not there. */
static const char *find_field(const char *line, const char *end, const char *name)
{
    size_t length = strlen(name);

    for (; line < end; line += strlen(line) + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    return NULL;
}

/* Splits the head into lines, each ended by a NUL. */
static void split(char *head, const char *end)
{
    for (char *at = head; at < end; at++)
        if (*at == '\n' || *at == '\r')
            *at = '\0';
}

static int64_t body_length(const char *fields, const char *end, int status, bool *closing)
{
    const char *length = find_field(fields, end, "Content-Length");
    const char *connection = find_field(fields, end, "Connection");
    char *rest;
    long long n = 0;

    *closing = connection && strcasecmp(connection, "close") == 0;
    if (status == 204 || status == 304)
        return 0;
    if (length) {
        errno = 0;
        n = strtoll(length, &rest, 10);
    }
    /* Whatever else may follow: the status is known, and that is all that counts. */
    if (!length || rest == length || *rest || errno || n < 0 || n > MAX_BODY) {
        *closing = true;
        return 0;
    }
    return n;
}

/* Takes the answer's head apart once it is there.  False when it is none. */
static bool read_head(struct emu_poster *poster)
{
    char *end, *fields;
    size_t length;
    int status = 0, minor = 0;

    poster->head[poster->head_length] = '\0';
    end = strstr(poster->head, "\r\n\r\n");
    if (!end)
        return poster->head_length < MAX_HEAD && strlen(poster->head) == poster->head_length;
    length = (size_t)(end - poster->head) + 4;
    if (sscanf(poster->head, "HTTP/1.%1d %3d", &minor, &status) != 2 || status < 100)
        return false;
    fields = strchr(poster->head, '\n') + 1;
    if (status >= 200) {
        split(fields, end);
        *end = '\0';
        poster->status = status;
        poster->body = body_length(fields, end, status, &poster->closing);
        poster->closing |= !minor;
        poster->body -= (int64_t)(poster->head_length - length);
        return true;
    }
    poster->head_length -= length; /* an interim answer: what counts comes behind it */
    memmove(poster->head, poster->head + length, poster->head_length);
    return read_head(poster);
}

/* Whether the answer is over, or the connection. */
static bool read_answer(struct emu_poster *poster)
{
    while (!poster->status || (poster->body > 0 && !poster->closing)) {
        char past[CHUNK_SIZE];
        bool in_head = !poster->status;
        ssize_t n = in_head ? read_some(poster, poster->head + poster->head_length,
                                        MAX_HEAD - poster->head_length)
                            : read_some(poster, past, sizeof past);

        if (n == NO_PROGRESS)
            return false;
        if (n == 0) {
            poster->closing = true;
            return true;
        }
        if (!in_head) {
            poster->body -= n;
            continue;
        }
        poster->head_length += (size_t)n;
        if (!read_head(poster)) {
            poster->closing = true;
            return true;
        }
    }
    poster->closing |= poster->body < 0; /* more came than was announced */
    return true;
}

/* --- going forward ----------------------------------------------------------------------------- */

static void forget_request(struct emu_poster *poster)
{
    event_del(poster->limit);
    free(poster->request);
    poster->request = NULL;
}

/* The last thing that happens in any call: the callback may free the poster. */
static void finish(struct emu_poster *poster, int status)
{
    forget_request(poster);
    poster->cb(status, poster->user);
}

static void begin_sending(struct emu_poster *poster)
{
    poster->sent = poster->head_length = 0;
    poster->status = 0;
    poster->body = 0;
    poster->closing = false;
    poster->state = SENDING;
}

static void fail(struct emu_poster *poster)
{
    close_connection(poster);
    finish(poster, 0);
}

/* Each of these goes one step: true when the next one can be tried at once. */
static bool connected(struct emu_poster *poster)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(poster->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error ||
        event_add(poster->readable, NULL) < 0) {
        fail(poster);
        return false;
    }
    if (poster->ssl)
        poster->state = HANDSHAKING;
    else
        begin_sending(poster);
    return true;
}

static bool shake_hands(struct emu_poster *poster)
{
    ssize_t result;

    ERR_clear_error();
    result = judge_tls(poster, SSL_do_handshake(poster->ssl));
    if (result > 0)
        begin_sending(poster);
    else if (result == 0)
        fail(poster);
    return result > 0;
}

static bool send_rest(struct emu_poster *poster)
{
    ssize_t n = write_some(poster, poster->request + poster->sent, poster->length - poster->sent);

    if (n == 0)
        fail(poster);
    if (n <= 0)
        return false;
    poster->sent += (size_t)n;
    if (poster->sent == poster->length)
        poster->state = READING;
    return true;
}

static bool receive(struct emu_poster *poster)
{
    int status;

    if (!read_answer(poster))
        return false;
    status = poster->status;
    poster->state = IDLE;
    if (poster->closing)
        close_connection(poster);
    finish(poster, status);
    return false;
}

/* Nothing is expected but the end, or something that nobody asked for. */
static void watch_idle(struct emu_poster *poster)
{
    char byte;

    if (read_some(poster, &byte, 1) != NO_PROGRESS)
        close_connection(poster);
}

static void advance(struct emu_poster *poster)
{
    bool more = true;

    while (more) {
        switch (poster->state) {
        case CONNECTING:
            more = connected(poster);
            break;
        case HANDSHAKING:
            more = shake_hands(poster);
            break;
        case SENDING:
            more = send_rest(poster);
            break;
        case READING:
            more = receive(poster);
            break;
        case IDLE:
            watch_idle(poster);
            return;
        case CLOSED:
            return;
        }
    }
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    advance(arg);
}

/* Also how a connection that could not even be tried is told of, a turn later. */
static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct emu_poster *poster = arg;

    (void)fd;
    (void)what;
    fail(poster);
}

/* --- for others -------------------------------------------------------------------------------- */

struct emu_poster *emu_poster_new(struct event_base *base, const struct emu_place *place,
                                  SSL_CTX *tls, emu_post_cb cb, void *user)
{
    struct emu_poster *poster = calloc(1, sizeof *poster);

    if (!poster)
        return NULL;
    *poster = (struct emu_poster){
        .base = base, .place = place, .tls = tls, .cb = cb, .user = user, .fd = -1};
    poster->limit = evtimer_new(base, on_limit, poster);
    if (poster->limit)
        return poster;
    free(poster);
    return NULL;
}

void emu_poster_free(struct emu_poster *poster)
{
    if (!poster)
        return;
    close_connection(poster);
    event_free(poster->limit);
    free(poster->request);
    free(poster);
}

bool emu_poster_send(struct emu_poster *poster, char *request, size_t length, int64_t answer_ms)
{
    static const struct timeval at_once;
    struct timeval limit = {answer_ms / 1000, answer_ms % 1000 * 1000};

    poster->request = request;
    poster->length = length;
    if (poster->state == IDLE)
        watch_idle(poster); /* the peer may have closed it in this very turn */
    if (poster->state == IDLE) {
        begin_sending(poster);
        event_active(poster->writable, EV_WRITE, 0);
    } else if (!open_connection(poster)) {
        close_connection(poster);
        limit = at_once;
    }
    if (evtimer_add(poster->limit, &limit) == 0)
        return true;
    close_connection(poster);
    forget_request(poster);
    return false;
}
