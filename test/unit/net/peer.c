#include "peer.h"
#include "base/list.h"
#include "net/bio.h"
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum ending { ENDING_NONE, ENDING_FINISH, ENDING_CUT };

struct test_peer {
    struct event_base *base;
    struct test_peer_config config;
    struct test_peer_counts counts;
    struct event *acceptable;
    BIO_METHOD *bio;
    struct ski_list links; /* newest last */
    int fd;
    uint16_t port;
};

struct test_link {
    struct ski_list link;
    struct test_peer *peer;
    struct event *readable, *writable;
    struct evbuffer *unsent;
    SSL *ssl;
    int fd;
    enum ending ending; /* once everything has been sent */
    bool opened;
    bool *gone; /* set when a handler ended the link */
    void *user;
};

/* --- ending ------------------------------------------------------------------------------------ */

static void link_free(struct test_link *link)
{
    if (link->gone)
        *link->gone = true;
    if (link->peer->config.closed)
        link->peer->config.closed(link);
    ski_list_remove(&link->link);
    event_free(link->readable);
    event_free(link->writable);
    evbuffer_free(link->unsent);
    SSL_free(link->ssl);
    close(link->fd);
    free(link);
}

void test_link_reset(struct test_link *link)
{
    struct linger now = {1, 0};

    setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    link_free(link);
}

/* Calls a handler; false: it ended the link. */
static bool survived(struct test_link *link, const char *bytes, size_t length)
{
    const struct test_peer_config *config = &link->peer->config;
    bool gone = false;

    link->gone = &gone;
    if (bytes && config->received)
        config->received(link, bytes, length);
    if (!bytes && config->opened)
        config->opened(link);
    if (!gone)
        link->gone = NULL;
    return !gone;
}

/* --- bytes, over TLS or not -------------------------------------------------------------------- */

enum { BLOCKED = -1, ENDED_WELL = -2, ENDED_BADLY = -3 };

static int outcome(const struct test_link *link, int result)
{
    if (result > 0)
        return result;
    if (!link->ssl) {
        if (result == 0)
            return ENDED_WELL;
        return errno == EAGAIN ? BLOCKED : ENDED_BADLY;
    }
    switch (SSL_get_error(link->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return BLOCKED;
    case SSL_ERROR_ZERO_RETURN:
        return ENDED_WELL;
    default:
        return ENDED_BADLY;
    }
}

static int take(struct test_link *link, char *bytes, int size)
{
    ERR_clear_error();
    return outcome(link, link->ssl ? SSL_read(link->ssl, bytes, size)
                                   : (int)recv(link->fd, bytes, (size_t)size, 0));
}

static int give(struct test_link *link, const void *bytes, int length)
{
    ERR_clear_error();
    return outcome(link, link->ssl ? SSL_write(link->ssl, bytes, length)
                                   : (int)send(link->fd, bytes, (size_t)length, MSG_NOSIGNAL));
}

/* --- events ------------------------------------------------------------------------------------ */

static void end_when_sent(struct test_link *link)
{
    if (evbuffer_get_length(link->unsent) || link->ending == ENDING_NONE)
        return;
    if (link->ssl && link->ending == ENDING_FINISH)
        SSL_shutdown(link->ssl);
    link_free(link);
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
    struct test_link *link = user;
    size_t length;

    (void)fd;
    (void)what;
    while ((length = evbuffer_get_contiguous_space(link->unsent))) {
        bool drip = link->peer->config.drip;
        int sent =
            give(link, evbuffer_pullup(link->unsent, (ev_ssize_t)length), drip ? 1 : (int)length);

        if (sent == BLOCKED)
            return;
        if (sent < 0) {
            link->peer->counts.broken++;
            link_free(link);
            return;
        }
        evbuffer_drain(link->unsent, (size_t)sent);
        if (drip)
            break;
    }
    if (!evbuffer_get_length(link->unsent))
        event_del(link->writable);
    end_when_sent(link);
}

static bool handshake_done(struct test_link *link)
{
    if (link->opened)
        return true;
    if (link->ssl && !SSL_is_init_finished(link->ssl)) {
        ERR_clear_error();
        SSL_do_handshake(link->ssl);
        if (!SSL_is_init_finished(link->ssl))
            return true;
    }
    link->opened = true;
    link->peer->counts.opened++;
    if (link->ssl && SSL_session_reused(link->ssl))
        link->peer->counts.resumed++;
    return survived(link, NULL, 0);
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    struct test_link *link = user;
    char bytes[16384];
    int length;

    (void)fd;
    (void)what;
    if (!handshake_done(link))
        return;
    while ((length = take(link, bytes, sizeof bytes)) > 0) {
        if (!handshake_done(link))
            return;
        link->peer->counts.bytes += (size_t)length;
        if (!survived(link, bytes, (size_t)length))
            return;
    }
    if (length == BLOCKED) {
        handshake_done(link);
        return;
    }
    if (length == ENDED_WELL)
        link->peer->counts.clean++;
    else
        link->peer->counts.broken++;
    link_free(link);
}

static void on_accept(evutil_socket_t fd, short what, void *user)
{
    struct test_peer *peer = user;
    struct test_link *link;
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;

    (void)what;
    if (accepted < 0)
        return;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    link = calloc(1, sizeof *link);
    CU_ASSERT_PTR_NOT_NULL_FATAL(link);
    peer->counts.accepted++;
    link->peer = peer;
    link->fd = accepted;
    ski_list_init(&link->link);
    ski_list_push_back(&peer->links, &link->link);
    link->unsent = evbuffer_new();
    link->readable = event_new(peer->base, accepted, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(peer->base, accepted, EV_WRITE | EV_PERSIST, on_writable, link);
    CU_ASSERT_FATAL(link->unsent && link->readable && link->writable);
    event_add(link->readable, NULL);
    if (peer->config.tls) {
        BIO *bio = ski_bio_new(peer->bio, accepted);

        link->ssl = SSL_new(peer->config.tls);
        CU_ASSERT_FATAL(bio && link->ssl);
        SSL_set_bio(link->ssl, bio, bio);
        SSL_set_accept_state(link->ssl);
        return;
    }
    handshake_done(link);
}

/* --- what tests call --------------------------------------------------------------------------- */

static int listen_on(const char *address, uint16_t port, uint16_t *chosen)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    CU_ASSERT_FATAL(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    CU_ASSERT_FATAL(inet_pton(AF_INET, address ? address : "127.0.0.1", &in.sin_addr) == 1);
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&in, &length) == 0);
    CU_ASSERT_FATAL(listen(fd, 128) == 0);
    *chosen = ntohs(in.sin_port);
    return fd;
}

struct test_peer *test_peer_new(struct event_base *base, const struct test_peer_config *config)
{
    struct test_peer *peer = calloc(1, sizeof *peer);

    CU_ASSERT_PTR_NOT_NULL_FATAL(peer);
    peer->base = base;
    peer->config = *config;
    ski_list_init(&peer->links);
    peer->fd = listen_on(config->address, config->port, &peer->port);
    if (config->socket_buffer) { /* what it accepts inherits them */
        setsockopt(peer->fd, SOL_SOCKET, SO_SNDBUF, &config->socket_buffer, sizeof(int));
        setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &config->socket_buffer, sizeof(int));
    }
    peer->bio = ski_bio_method_new();
    peer->acceptable = event_new(base, peer->fd, EV_READ | EV_PERSIST, on_accept, peer);
    CU_ASSERT_FATAL(peer->bio && peer->acceptable);
    event_add(peer->acceptable, NULL);
    return peer;
}

void test_peer_free(struct test_peer *peer)
{
    if (!peer)
        return;
    while (!ski_list_empty(&peer->links))
        link_free(SKI_CONTAINER(peer->links.next, struct test_link, link));
    event_free(peer->acceptable);
    close(peer->fd);
    BIO_meth_free(peer->bio);
    free(peer);
}

uint16_t test_peer_port(const struct test_peer *peer)
{
    return peer->port;
}

const struct test_peer_counts *test_peer_counts(const struct test_peer *peer)
{
    return &peer->counts;
}

void *test_peer_user(const struct test_peer *peer)
{
    return peer->config.user;
}

static void set_asleep(struct event *event, bool asleep)
{
    if (asleep)
        event_del(event);
    else
        event_add(event, NULL);
}

void test_peer_sleep(struct test_peer *peer, bool asleep)
{
    struct ski_list *node;

    set_asleep(peer->acceptable, asleep);
    for (node = peer->links.next; node != &peer->links; node = node->next)
        set_asleep(SKI_CONTAINER(node, struct test_link, link)->readable, asleep);
}

struct test_link *test_peer_last(const struct test_peer *peer)
{
    if (ski_list_empty(&peer->links))
        return NULL;
    return SKI_CONTAINER(peer->links.prev, struct test_link, link);
}

struct test_peer *test_link_peer(const struct test_link *link)
{
    return link->peer;
}

SSL *test_link_ssl(const struct test_link *link)
{
    return link->ssl;
}

const char *test_link_alpn(const struct test_link *link, char out[32])
{
    const unsigned char *protocol = NULL;
    unsigned length = 0;

    if (link->ssl)
        SSL_get0_alpn_selected(link->ssl, &protocol, &length);
    if (length > 31)
        length = 31;
    if (length)
        memcpy(out, protocol, length);
    out[length] = '\0';
    return out;
}

void *test_link_user(const struct test_link *link)
{
    return link->user;
}

void test_link_set_user(struct test_link *link, void *user)
{
    link->user = user;
}

void test_link_send(struct test_link *link, const void *bytes, size_t length)
{
    evbuffer_add(link->unsent, bytes, length);
    event_add(link->writable, NULL);
}

void test_link_says(struct test_link *link, const char *text)
{
    test_link_send(link, text, strlen(text));
}

void test_link_finish(struct test_link *link)
{
    link->ending = ENDING_FINISH;
    end_when_sent(link);
}

void test_link_cut(struct test_link *link)
{
    link->ending = ENDING_CUT;
    end_when_sent(link);
}

void test_link_echo(struct test_link *link, const char *bytes, size_t length)
{
    test_link_send(link, bytes, length);
}

uint16_t test_refused_port(void)
{
    uint16_t port;

    close(listen_on(NULL, 0, &port));
    return port;
}
