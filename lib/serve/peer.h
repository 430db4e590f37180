/* peer.h - one connection to a server of ours, as a bufferevent for evhttp.
 *
 *   evhttp <──► [TLS] <──► quiet <──── socket      bytes that come
 *                            └───────► sendmsg()   bytes that go
 *
 * evhttp writes answers, and TLS its records, into the output of `quiet`, a filter that lets nothing
 * through: what lands there is sent from here, with MSG_NOSIGNAL.  The bufferevent of the socket
 * only reads, as its output is always empty; so libevent has nothing to write, and no peer can raise
 * SIGPIPE.
 *
 * evhttp has no deadline for a request and no limit of what it reads ahead, so both are here: a
 * request must be complete a given time after its first byte, and no more than a request can have waits. */
#ifndef SKI_SERVE_PEER_H
#define SKI_SERVE_PEER_H

#include "base/list.h"
#include "base/mem.h"
#include <event2/util.h>
#include <openssl/ssl.h>

struct bufferevent;
struct event;
struct event_base;
struct ski_peer;

#define SKI_PEER_MAX_BODY (1024 * 1024)
/* Without the ends of lines: many short ones take a hundred times as much in evhttp. */
#define SKI_PEER_MAX_HEADERS (16 * 1024)

/* All of one server. */
struct ski_peers {
    struct event_base *base;
    struct ski_mem mem;
    SSL_CTX *tls;                           /* borrowed; NULL: plain */
    struct timeval patience;                /* for a request, and for one to begin */
    void (*ended)(struct ski_peers *peers); /* one is gone, and `n` counts it no more */
    struct ski_peer *speaking;              /* the one that was written to last; NULL: none */
    unsigned n;                             /* also those that linger, and the one to come */
    struct ski_list all;
    struct ski_list settling; /* those that libevent may have put a callback off for */
    struct event *settle;
};

/* The rest of the structure is filled in before.  False: out of memory. */
bool ski_peers_init(struct ski_peers *peers);
/* After evhttp_free(), which has closed every connection.  Their memory goes when the loop turns, or
 * with the base. */
void ski_peers_free(struct ski_peers *peers);

/* One for whoever comes next; it needs no descriptor yet, and has no event.  NULL: out of memory. */
struct ski_peer *ski_peer_new(struct ski_peers *peers);
/* It has come: from now on the bufferevent is evhttp's, which gives it its descriptor. */
struct bufferevent *ski_peer_admit(struct ski_peer *peer);
/* Nobody came. */
void ski_peer_dismiss(struct ski_peer *peer);

/* What evhttp has just written leaves now, and not from the loop: before anything else runs. */
void ski_peers_send(struct ski_peers *peers);
/* A connection is about to be closed: with TLS the other side is told. */
void ski_peer_say_goodbye(struct bufferevent *bev);

#endif
