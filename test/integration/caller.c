#include "caller.h"
#include "harness.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

static void keep(struct caller *caller, const char *bytes, size_t length)
{
    size_t room = sizeof caller->got - 1 - caller->n_got;

    caller->total += length;
    if (length > room)
        length = room;
    memcpy(caller->got + caller->n_got, bytes, length);
    caller->n_got += length;
    caller->got[caller->n_got] = '\0';
}

/* As read(), with TLS too; 0: a clean end. */
static ssize_t receive(struct caller *caller, char *bytes, size_t size)
{
    int n, error;

    if (!caller->ssl)
        return recv(caller->fd, bytes, size, 0);
    ERR_clear_error();
    n = SSL_read(caller->ssl, bytes, (int)size);
    error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(caller->ssl, n);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        errno = EAGAIN;
    else if (error == SSL_ERROR_ZERO_RETURN)
        n = 0;
    else if (error != SSL_ERROR_NONE)
        errno = ECONNRESET;
    return error == SSL_ERROR_NONE || error == SSL_ERROR_ZERO_RETURN ? n : -1;
}

static ssize_t transmit(struct caller *caller)
{
    int n;

    if (!caller->ssl)
        return send(caller->fd, caller->next, caller->left, MSG_NOSIGNAL);
    ERR_clear_error();
    n = SSL_write(caller->ssl, caller->next, caller->left > 16384 ? 16384 : (int)caller->left);
    if (n > 0)
        return n;
    n = SSL_get_error(caller->ssl, n);
    errno = n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
}

static void go_on_sending(struct caller *caller)
{
    while (caller->left) {
        ssize_t n = transmit(caller);

        if (n < 0 && errno == EAGAIN) {
            event_add(caller->writable, NULL);
            return;
        }
        if (n < 0)
            n = (ssize_t)caller->left; /* the server has closed: its answer says why */
        caller->next += n;
        caller->left -= (size_t)n;
    }
    caller->sent = true;
}

static size_t count(const struct caller *caller, const char *text)
{
    size_t n = 0;

    for (const char *at = caller->got; (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct caller *caller = arg;
    char bytes[4096];
    ssize_t n;

    (void)fd;
    (void)what;
    while (!caller->ended && (n = receive(caller, bytes, sizeof bytes)) != -1) {
        if (n > 0)
            keep(caller, bytes, (size_t)n);
        caller->ended = caller->clean = n == 0;
    }
    if (!caller->ended && errno != EAGAIN)
        caller->ended = true;
    if (caller->ended)
        event_del(caller->readable);
    if (caller->awaited && count(caller, caller->awaited) >= caller->times)
        caller->answered = true;
    if (caller->wanted && caller->total >= caller->wanted)
        caller->answered = true;
    go_on_sending(caller);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    go_on_sending(arg);
}

static void connect_to(int fd, const char *address, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int failed, on = 1, little = 4096; /* how much it may leave unread */

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        failed = connect(fd, (struct sockaddr *)&v4, sizeof v4);
    else
        failed = inet_pton(AF_INET6, address, &v6.sin6_addr) != 1 ||
                 connect(fd, (struct sockaddr *)&v6, sizeof v6);
    CU_ASSERT_FALSE_FATAL(failed);
    evutil_make_socket_nonblocking(fd);
}

void caller_open(struct caller *caller, struct event_base *base, const char *address, uint16_t port,
                 SSL_CTX *tls)
{
    memset(caller, 0, sizeof *caller);
    caller->base = base;
    caller->fd = socket(strchr(address, ':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(caller->fd >= 0);
    connect_to(caller->fd, address, port);
    caller->readable = event_new(base, caller->fd, EV_READ | EV_PERSIST, on_readable, caller);
    caller->writable = event_new(base, caller->fd, EV_WRITE, on_writable, caller);
    event_add(caller->readable, NULL);
    if (!tls)
        return;
    caller->ssl = SSL_new(tls);
    CU_ASSERT_PTR_NOT_NULL_FATAL(caller->ssl);
    SSL_set_fd(caller->ssl, caller->fd);
    SSL_set_connect_state(caller->ssl);
}

void caller_close(struct caller *caller)
{
    event_free(caller->readable);
    event_free(caller->writable);
    SSL_free(caller->ssl);
    close(caller->fd);
}

void caller_vanish(struct caller *caller)
{
    struct linger at_once = {.l_onoff = 1};

    shutdown(caller->fd, SHUT_WR);
    setsockopt(caller->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    caller_close(caller);
}

void caller_turn_deaf(struct caller *caller)
{
    event_del(caller->readable);
}

void caller_hear_again(struct caller *caller)
{
    event_add(caller->readable, NULL);
}

void caller_send_on(struct caller *caller, const void *bytes, size_t length)
{
    caller->next = bytes;
    caller->left = length;
    caller->sent = false;
    go_on_sending(caller);
}

void caller_send(struct caller *caller, const void *bytes, size_t length)
{
    caller_send_on(caller, bytes, length);
    test_base_until(caller->base, &caller->sent);
}

void caller_says(struct caller *caller, const char *text)
{
    caller_send(caller, text, strlen(text));
}

void caller_says_at_once(struct caller *caller, const char *text)
{
    caller->next = text;
    caller->left = strlen(text);
    if (caller->ssl && !SSL_is_init_finished(caller->ssl))
        SSL_do_handshake(caller->ssl);
    if (caller->left)
        transmit(caller);
    caller->left = 0;
}

void caller_until_nth(struct caller *caller, const char *text, size_t n)
{
    caller->awaited = text;
    caller->times = n;
    caller->answered = count(caller, text) >= n;
    test_base_until(caller->base, &caller->answered);
    caller->awaited = NULL;
}

void caller_until(struct caller *caller, const char *text)
{
    caller_until_nth(caller, text, 1);
}

void caller_until_total(struct caller *caller, size_t total)
{
    caller->wanted = total;
    caller->answered = caller->total >= total;
    test_base_until(caller->base, &caller->answered);
    caller->wanted = 0;
}

void caller_until_end(struct caller *caller)
{
    test_base_until(caller->base, &caller->ended);
}

const char *caller_statuses(const struct caller *caller, char out[256])
{
    size_t used = 0;

    out[0] = '\0';
    for (const char *at = caller->got; (at = strstr(at, "HTTP/1.")) && used < 240; at += 9)
        used += (size_t)snprintf(out + used, 256 - used, "%s%.3s", used ? " " : "", at + 9);
    return out;
}
