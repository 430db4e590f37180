#include "h2_peer.h"
#include "base/list.h"
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

struct h2_peer {
    struct h2_peer_config config;
    struct h2_counts counts; /* when the config has none */
    struct test_peer *peer;
    struct ski_list connections; /* newest last */
};

struct connection {
    struct ski_list all;
    struct test_link *link;
    struct h2_server *server;
};

static void on_send(void *user, const void *bytes, size_t length)
{
    struct connection *connection = user;

    test_link_send(connection->link, bytes, length);
}

static void on_end(void *user, enum h2_ending how)
{
    struct connection *connection = user;

    if (how == H2_FINISH)
        test_link_finish(connection->link);
    else if (how == H2_CUT)
        test_link_cut(connection->link);
    else if (how == H2_RESET)
        test_link_reset(connection->link);
}

static void on_opened(struct test_link *link)
{
    struct h2_peer *peer = test_peer_user(test_link_peer(link));
    struct connection *connection;
    char alpn[32];

    if (test_link_ssl(link) && strcmp(test_link_alpn(link, alpn), "h2") != 0)
        return;
    connection = calloc(1, sizeof *connection);
    CU_ASSERT_PTR_NOT_NULL_FATAL(connection);
    connection->link = link;
    connection->server =
        h2_server_new(&peer->config.options, &(struct h2_server_io){on_send, on_end, connection});
    ski_list_init(&connection->all);
    ski_list_push_back(&peer->connections, &connection->all);
    test_link_set_user(link, connection);
    h2_server_begin(connection->server);
}

static void on_received(struct test_link *link, const char *bytes, size_t length)
{
    struct h2_peer *peer = test_peer_user(test_link_peer(link));
    struct connection *connection = test_link_user(link);

    if (connection)
        h2_server_receive(connection->server, bytes, length);
    else if (peer->config.http1)
        peer->config.http1(link, bytes, length);
}

static void on_closed(struct test_link *link)
{
    struct connection *connection = test_link_user(link);

    if (!connection)
        return;
    ski_list_remove(&connection->all);
    h2_server_free(connection->server);
    free(connection);
}

struct h2_peer *h2_peer_new(struct event_base *base, const struct h2_peer_config *config)
{
    struct h2_peer *peer = calloc(1, sizeof *peer);

    CU_ASSERT_PTR_NOT_NULL_FATAL(peer);
    peer->config = *config;
    if (!peer->config.options.counts)
        peer->config.options.counts = &peer->counts;
    ski_list_init(&peer->connections);
    peer->peer = test_peer_new(base, &(struct test_peer_config){.port = config->port,
                                                                .tls = config->tls,
                                                                .drip = config->drip,
                                                                .opened = on_opened,
                                                                .received = on_received,
                                                                .closed = on_closed,
                                                                .user = peer});
    return peer;
}

void h2_peer_free(struct h2_peer *peer)
{
    if (!peer)
        return;
    test_peer_free(peer->peer);
    free(peer);
}

struct test_peer *h2_peer_peer(const struct h2_peer *peer)
{
    return peer->peer;
}

uint16_t h2_peer_port(const struct h2_peer *peer)
{
    return test_peer_port(peer->peer);
}

struct h2_counts *h2_peer_counts(const struct h2_peer *peer)
{
    return peer->config.options.counts;
}

struct h2_server_options *h2_peer_options(struct h2_peer *peer)
{
    return &peer->config.options;
}

unsigned h2_peer_links(const struct h2_peer *peer)
{
    const struct ski_list *node = peer->connections.next;
    unsigned n = 0;

    for (; node != &peer->connections; node = node->next)
        n++;
    return n;
}

struct h2_server *h2_peer_server(const struct h2_peer *peer, unsigned n)
{
    const struct ski_list *node = peer->connections.next;

    for (; node != &peer->connections; node = node->next)
        if (n-- == 0)
            return SKI_CONTAINER(node, struct connection, all)->server;
    return NULL;
}

void *h2_peer_user(const struct test_link *link)
{
    return ((struct h2_peer *)test_peer_user(test_link_peer(link)))->config.user;
}
