/* h2_peer.h - an h2_server on each link of a test_peer.
 *
 * With TLS, links whose ALPN came out as anything but "h2" are given to `http1`; have the server's
 * SSL_CTX choose with test_server_alpn(). */
#ifndef TEST_SUPPORT_H2_PEER_H
#define TEST_SUPPORT_H2_PEER_H

#include "../unit/net/peer.h"
#include "h2_server.h"

struct h2_peer;

struct h2_peer_config {
    uint16_t port;                    /* 0: the kernel's choice */
    SSL_CTX *tls;                     /* borrowed; NULL: plain, HTTP/2 at once */
    bool drip;                        /* sends one byte per turn of the loop */
    struct h2_server_options options; /* of each connection; without counts: the peer's own */
    /* NULL: such links are never answered.  h2_peer_user(link) finds `user`. */
    void (*http1)(struct test_link *link, const char *bytes, size_t length);
    void *user;
};

struct h2_peer *h2_peer_new(struct event_base *base, const struct h2_peer_config *config);
void h2_peer_free(struct h2_peer *peer); /* cuts what is there */
struct test_peer *h2_peer_peer(const struct h2_peer *peer);
uint16_t h2_peer_port(const struct h2_peer *peer);
struct h2_counts *h2_peer_counts(const struct h2_peer *peer);
/* For connections to come. */
struct h2_server_options *h2_peer_options(struct h2_peer *peer);

unsigned h2_peer_links(const struct h2_peer *peer); /* HTTP/2 connections that live */
/* The n-th HTTP/2 connection that lives, the eldest is 0; NULL: none. */
struct h2_server *h2_peer_server(const struct h2_peer *peer, unsigned n);
void *h2_peer_user(const struct test_link *link);

#endif
