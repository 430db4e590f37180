/* What ends a connection, and in which order:
 *
 *   evhttp frees its bufferevent and shuts the socket down for writing
 *     └► libevent finalises them one by one, from the loop; that of `quiet` calls on_released()
 *          └► we linger: read and drop what still comes, until the peer closes or a second is over;
 *             to close with bytes unread would reset the connection, and take the answer along
 *               └► the last reference to the socket's bufferevent goes, and closes it
 *
 * Nothing tells us of the first step.  From then on the callbacks of `quiet` are NULL, which is what
 * is_released() looks at. */
#include "serve/peer.h"
#include "serve/quiet_send.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <sys/socket.h>

#define MOST_AHEAD (SKI_PEER_MAX_BODY + SKI_PEER_MAX_HEADERS)
#define MOST_OWED  (64 * 1024) /* of records that the socket does not take */
#define LINGER_S   1
#define MOST_LEFT  (8 * 1024 * 1024) /* dropped while we linger */

struct ski_peer {
    struct ski_list link;     /* in peers->all */
    struct ski_list settling; /* in peers->settling */
    struct ski_peers *peers;  /* NULL: the server is gone */
    struct ski_mem mem;       /* outlives it */
    struct bufferevent *socket, *quiet;
    struct bufferevent *facing; /* evhttp: what is above `quiet`, or itself */
    struct event flush;         /* sends */
    struct event waiting;       /* until the socket takes more; in the end until it has more */
    struct event deadline;
    bool at_rest;   /* everything is answered, and no byte of another request is there */
    bool owing;     /* evhttp, or TLS, waits to be told that all is sent */
    bool broken;    /* it takes no more bytes */
    bool stalled;   /* evhttp has enough to read */
    bool lingering; /* evhttp is done with it */
    size_t left;    /* bytes dropped since */
    int turns;      /* until libevent has called back what it had put off */
};

static void set_deadline(struct ski_peer *peer, const struct timeval *patience)
{
    event_add(&peer->deadline, patience);
}

/* Whether `quiet` is about to be freed: it must not be touched any more. */
static bool is_released(const struct ski_peer *peer)
{
    bufferevent_event_cb cb;

    bufferevent_getcb(peer->quiet, NULL, NULL, &cb, NULL);
    return !cb;
}

static void stop_events(struct ski_peer *peer)
{
    event_del(&peer->deadline);
    event_del(&peer->flush);
    if (event_initialized(&peer->waiting))
        event_del(&peer->waiting);
}

/* --- the end -------------------------------------------------------------------------------------- */

/* Its `quiet` is about to go. */
static void fall_silent(struct ski_peer *peer)
{
    if (peer->peers && peer->peers->speaking == peer)
        peer->peers->speaking = NULL;
}

static void destroy(struct ski_peer *peer)
{
    struct ski_peers *peers = peer->peers;
    struct ski_mem mem = peer->mem;

    stop_events(peer);
    fall_silent(peer);
    ski_list_remove(&peer->link);
    ski_list_remove(&peer->settling);
    bufferevent_setcb(peer->socket, NULL, NULL, NULL, NULL);
    bufferevent_decref(peer->socket);
    ski_free(&mem, peer);
    if (peers) {
        peers->n--;
        peers->ended(peers);
    }
}

static void on_leftover(evutil_socket_t fd, short what, void *arg)
{
    struct ski_peer *peer = arg;
    char bytes[16384];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

    (void)what;
    if (n > 0)
        peer->left += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || peer->left > MOST_LEFT)
        destroy(peer);
}

static void on_released(void *arg)
{
    static const struct timeval linger = {LINGER_S, 0};
    struct ski_peer *peer = arg;
    evutil_socket_t fd = bufferevent_getfd(peer->socket);

    stop_events(peer);
    if (!peer->peers || fd < 0) {
        destroy(peer);
        return;
    }
    fall_silent(peer);
    peer->lingering = true;
    bufferevent_disable(peer->socket, EV_READ); /* it may be suspended: nobody but us reads now */
    event_assign(&peer->waiting, peer->peers->base, fd, EV_READ | EV_PERSIST, on_leftover, peer);
    event_add(&peer->waiting, NULL);
    set_deadline(peer, &linger);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct ski_peer *peer = arg;

    (void)fd;
    (void)what;
    if (peer->lingering) {
        destroy(peer);
    } else if (!is_released(peer)) {
        ski_peer_say_goodbye(peer->facing);
        bufferevent_trigger_event(peer->facing, BEV_EVENT_TIMEOUT | BEV_EVENT_READING, 0);
    }
}

void ski_peer_say_goodbye(struct bufferevent *bev)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);

    if (!ssl || !SSL_is_init_finished(ssl))
        return;
    SSL_shutdown(ssl);
    ERR_clear_error();
}

/* By copying: pieces that are moved bring all the room along that they were read into, 8 KiB for a
 * byte that came alone. */
static bool add_copy(struct evbuffer *to, struct evbuffer *from)
{
    size_t n;

    while ((n = evbuffer_get_contiguous_space(from))) {
        if (evbuffer_add(to, evbuffer_pullup(from, (ev_ssize_t)n), n) < 0)
            return false;
        evbuffer_drain(from, n);
    }
    return true;
}

/* --- what goes ------------------------------------------------------------------------------------ */

static void resume_reading(struct ski_peer *peer)
{
    struct evbuffer *waiting = bufferevent_get_input(peer->facing);

    if (!peer->stalled || evbuffer_get_length(waiting) >= MOST_AHEAD)
        return;
    peer->stalled = false;
    bufferevent_enable(peer->socket, EV_READ);
    add_copy(bufferevent_get_input(peer->quiet), bufferevent_get_input(peer->socket));
    bufferevent_trigger(peer->quiet, EV_READ, 0);
}

/* Sends what there is, as far as the socket takes it. */
static void push(struct ski_peer *peer)
{
    struct evbuffer *out = bufferevent_get_output(peer->quiet);

    if (!peer->broken && !ski_quiet_send(bufferevent_getfd(peer->socket), out))
        peer->broken = true;
    if (peer->broken)
        evbuffer_drain(out, evbuffer_get_length(out));
}

static void flush(evutil_socket_t fd, short what, void *arg);

static void wait_until_writable(struct ski_peer *peer)
{
    if (!event_initialized(&peer->waiting))
        event_assign(&peer->waiting, peer->peers->base, bufferevent_getfd(peer->socket), EV_WRITE,
                     flush, peer);
    event_add(&peer->waiting, NULL);
}

static void flush(evutil_socket_t fd, short what, void *arg)
{
    struct ski_peer *peer = arg;

    (void)fd;
    (void)what;
    if (is_released(peer))
        return;
    push(peer);
    if (peer->broken) {
        bufferevent_trigger_event(peer->quiet, BEV_EVENT_ERROR | BEV_EVENT_WRITING, 0);
    } else if (evbuffer_get_length(bufferevent_get_output(peer->quiet))) {
        wait_until_writable(peer);
    } else if (peer->owing) {
        peer->owing = false;
        bufferevent_trigger(peer->quiet, EV_WRITE, 0);
    }
    if (!is_released(peer))
        resume_reading(peer);
}

static void flush_soon(struct ski_peer *peer)
{
    static const struct timeval at_once;

    event_add(&peer->flush, &at_once);
}

static void on_answer(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    struct ski_peer *peer = arg;

    (void)out;
    if (!info->n_added || !peer->peers)
        return;
    if (!peer->at_rest)
        set_deadline(peer, &peer->peers->patience);
    peer->at_rest = true;
}

/* evhttp builds an answer piece by piece, and does not expect to be called from inside, so plain
 * bytes go when it is through.  Records are whole, and an alert is followed by the end. */
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    struct ski_peer *peer = arg;

    if (!info->n_added || !peer->peers)
        return;
    peer->peers->speaking = peer;
    if (peer->peers->tls) {
        push(peer);
        if (!peer->broken && !evbuffer_get_length(out))
            return; /* TLS never had to wait */
    }
    peer->owing = true;
    flush_soon(peer);
}

void ski_peers_send(struct ski_peers *peers)
{
    if (peers->speaking && !is_released(peers->speaking))
        push(peers->speaking);
    peers->speaking = NULL;
}

static enum bufferevent_filter_result hold_back(struct evbuffer *from, struct evbuffer *to,
                                                ev_ssize_t limit, enum bufferevent_flush_mode mode,
                                                void *arg)
{
    (void)from;
    (void)to;
    (void)limit;
    (void)mode;
    (void)arg;
    return BEV_NEED_MORE;
}

/* --- what comes ----------------------------------------------------------------------------------- */

static enum bufferevent_filter_result let_in(struct evbuffer *from, struct evbuffer *to,
                                             ev_ssize_t limit, enum bufferevent_flush_mode mode,
                                             void *arg)
{
    struct ski_peer *peer = arg;

    (void)limit;
    (void)mode;
    if (evbuffer_get_length(bufferevent_get_input(peer->facing)) >= MOST_AHEAD) {
        peer->stalled = true;
        bufferevent_disable(peer->socket, EV_READ); /* a watermark of libevent's would spin */
        return BEV_NEED_MORE;
    }
    if (peer->at_rest && peer->peers && evbuffer_get_length(from)) {
        peer->at_rest = false;
        set_deadline(peer, &peer->peers->patience);
    }
    return add_copy(to, from) ? BEV_OK : BEV_ERROR;
}

static void on_consumed(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
    struct ski_peer *peer = arg;

    (void)in;
    if (info->n_deleted && peer->stalled && peer->peers)
        flush_soon(peer);
}

/* --- what libevent puts off ----------------------------------------------------------------------- */

/* When a record was written, libevent puts evhttp's callback off to the end of the turn, or of the
 * next one, with a reference that only the callback gives back.  When the loop ends before that, and
 * the base is freed, nobody does.  So we hold a reference ourselves until the callback has run, and
 * know at the end whose must be given back. */

#define TURNS_TO_SETTLE 2

static void settle_next_turn(struct ski_peers *peers)
{
    static const struct timeval at_once;

    /* To add it again while it is active would put it off once more. */
    if (!evtimer_pending(peers->settle, NULL))
        evtimer_add(peers->settle, &at_once);
}

/* Called just before the callback is put off. */
static void on_written(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    struct ski_peer *peer = arg;

    (void)out;
    if (!info->n_deleted || !peer->peers)
        return;
    if (!ski_list_linked(&peer->settling)) {
        bufferevent_incref(peer->facing);
        ski_list_push_back(&peer->peers->settling, &peer->settling);
    }
    peer->turns = TURNS_TO_SETTLE;
    settle_next_turn(peer->peers);
}

/* Whether that was the last reference. */
static bool let_go(struct ski_peer *peer)
{
    ski_list_remove(&peer->settling);
    return bufferevent_decref(peer->facing);
}

static void settle(evutil_socket_t fd, short what, void *arg)
{
    struct ski_peers *peers = arg;
    struct ski_list *next;

    (void)fd;
    (void)what;
    for (struct ski_list *node = peers->settling.next; node != &peers->settling; node = next) {
        struct ski_peer *peer = SKI_CONTAINER(node, struct ski_peer, settling);

        next = node->next;
        if (--peer->turns == 0)
            let_go(peer);
    }
    if (!ski_list_empty(&peers->settling))
        settle_next_turn(peers);
}

/* evhttp is gone: beside ours there is at most the reference of a callback still put off, which
 * libevent cancels when the last one goes. */
static void settle_all(struct ski_peers *peers)
{
    while (!ski_list_empty(&peers->settling)) {
        struct ski_peer *peer = SKI_CONTAINER(peers->settling.next, struct ski_peer, settling);
        struct bufferevent *facing = peer->facing;

        if (!let_go(peer))
            bufferevent_decref(facing);
    }
}

/* --- the beginning -------------------------------------------------------------------------------- */

static struct bufferevent *add_tls(struct ski_peer *peer)
{
    SSL *ssl = SSL_new(peer->peers->tls);

    return ssl ? bufferevent_openssl_filter_new(peer->peers->base, peer->quiet, ssl,
                                                BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
               : NULL;
}

static bool add_callbacks(struct ski_peer *peer)
{
    struct evbuffer *in = bufferevent_get_input(peer->facing);
    struct evbuffer *out = bufferevent_get_output(peer->facing);

    return evbuffer_add_cb(in, on_consumed, peer) && evbuffer_add_cb(out, on_answer, peer) &&
           evbuffer_add_cb(bufferevent_get_output(peer->quiet), on_output, peer) &&
           (!peer->peers->tls || evbuffer_add_cb(out, on_written, peer));
}

/* From the socket upwards.  What was made is taken along by the free of what is above it. */
static bool build(struct ski_peer *peer)
{
    struct event_base *base = peer->peers->base;

    peer->socket = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!peer->socket)
        return false;
    peer->quiet = bufferevent_filter_new(peer->socket, let_in, hold_back, BEV_OPT_CLOSE_ON_FREE,
                                         on_released, peer);
    if (!peer->quiet) {
        bufferevent_free(peer->socket);
        return false;
    }
    bufferevent_incref(peer->socket);
    bufferevent_disable(peer->socket, EV_WRITE);
    bufferevent_setwatermark(peer->quiet, EV_WRITE, 0, MOST_OWED);
    peer->facing = peer->peers->tls ? add_tls(peer) : peer->quiet;
    return peer->facing && add_callbacks(peer);
}

struct ski_peer *ski_peer_new(struct ski_peers *peers)
{
    struct ski_peer *peer = ski_zalloc(&peers->mem, sizeof *peer);

    if (!peer)
        return NULL;
    ski_list_init(&peer->link);
    ski_list_init(&peer->settling);
    peer->peers = peers;
    peer->mem = peers->mem;
    event_assign(&peer->deadline, peers->base, -1, 0, on_deadline, peer);
    event_assign(&peer->flush, peers->base, -1, 0, flush, peer);
    if (build(peer)) {
        ski_list_push_back(&peers->all, &peer->link);
        peers->n++;
        return peer;
    }
    peer->peers = NULL;
    if (!peer->quiet)
        ski_free(&peers->mem, peer);
    else
        bufferevent_free(peer->facing ? peer->facing : peer->quiet); /* and peer, later */
    return NULL;
}

struct bufferevent *ski_peer_admit(struct ski_peer *peer)
{
    set_deadline(peer, &peer->peers->patience);
    return peer->facing;
}

void ski_peer_dismiss(struct ski_peer *peer)
{
    bufferevent_free(peer->facing);
}

bool ski_peers_init(struct ski_peers *peers)
{
    ski_list_init(&peers->all);
    ski_list_init(&peers->settling);
    peers->n = 0;
    peers->settle = evtimer_new(peers->base, settle, peers);
    return peers->settle != NULL;
}

void ski_peers_free(struct ski_peers *peers)
{
    struct ski_list *node;

    if (!peers->settle)
        return;
    settle_all(peers);
    while ((node = ski_list_pop_front(&peers->all))) {
        struct ski_peer *peer = SKI_CONTAINER(node, struct ski_peer, link);

        stop_events(peer);
        peer->peers = NULL;
        if (peer->lingering)
            destroy(peer);
    }
    event_free(peers->settle);
}
