#include "line.h"
#include <stdlib.h>

void client_close(struct client *client)
{
    client->calling = true;
    ski_stream_close(client->stream);
    client->calling = false;
    client->stream = NULL;
    client->over = true;
}

/* Nothing may be told from inside a call, nor after the end. */
static struct client *enter(void *user, enum place place)
{
    struct client *client = user;

    CU_ASSERT_FALSE(client->calling);
    CU_ASSERT_FALSE(client->over);
    if (client->close_in == place)
        client_close(client);
    return client;
}

static void on_opened(void *user, const char *alpn)
{
    struct client *client = enter(user, IN_OPENED);

    client->opened = true;
    snprintf(client->alpn, sizeof client->alpn, "%s", alpn);
}

static void on_received(void *user, const char *bytes, size_t length)
{
    struct client *client = enter(user, IN_RECEIVED);

    /* also when it has just been closed: they are borrowed until this returns */
    if (client->bytes)
        memcpy(client->bytes + client->length, bytes, length);
    CU_ASSERT(length > 0);
    client->length += length;
    client->n_received++;
    if (client->pause_in_received)
        ski_stream_pause(client->stream);
}

static void on_drained(void *user)
{
    struct client *client = enter(user, IN_DRAINED);

    client->drained = true;
    CU_ASSERT(!client->stream || ski_stream_unsent(client->stream) == 0);
}

static void on_closed(void *user, const struct ski_failure *failure)
{
    struct client *client = enter(user, IN_CLOSED);

    client->closed = true;
    client->over = true;
    if (failure)
        client->failure = *failure;
    if (client->stream)
        client_close(client);
}

const struct ski_stream_handler client_handler = {on_opened, on_received, on_drained, on_closed};

/* --- a line of a loop, a server and what a client needs ---------------------------------------- */

void line_init(struct line *line, enum kind kind, const struct test_peer_config *config)
{
    int version = kind == TLS_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
    struct test_peer_config with_tls = *config;
    struct ski_failure failure;

    memset(line, 0, sizeof *line);
    test_loop_init(&line->test, NULL);
    ski_loop_hold(&line->test.loop);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&line->resolver, &line->test.loop, NULL), SCALEKIT_OK);
    if (kind != PLAIN) {
        test_pki_init(&line->pki);
        line->server =
            test_pki_server(&line->pki, &(struct test_identity){.names = "IP:127.0.0.1"});
        SSL_CTX_set_min_proto_version(line->server, version);
        SSL_CTX_set_max_proto_version(line->server, version);
        CU_ASSERT_EQUAL_FATAL(ski_tls_new(&line->tls, &line->test.loop.mem, "127.0.0.1",
                                          line->pki.ca_file, "\x02h2\x08http/1.1", &failure),
                              SCALEKIT_OK);
        with_tls.tls = line->server;
    }
    with_tls.user = line;
    line->peer = test_peer_new(line->test.base, &with_tls);
}

void line_free(struct line *line)
{
    if (line->client.stream)
        client_close(&line->client);
    free(line->client.bytes);
    ski_resolver_free(line->resolver);
    test_peer_free(line->peer);
    ski_tls_free(line->tls);
    SSL_CTX_free(line->server);
    if (line->server)
        test_pki_free(&line->pki);
    ski_loop_release(&line->test.loop);
    test_loop_free(&line->test);
}

void line_open_to(struct line *line, const char *host, uint16_t port)
{
    struct ski_stream_target target = {host, port, line->tls, line->resolver};
    struct client *client = &line->client;

    client->calling = true;
    client->stream = ski_stream_open(&line->test.loop, &target, &client_handler, client);
    client->calling = false;
    CU_ASSERT_PTR_NOT_NULL_FATAL(client->stream);
}

void line_open(struct line *line)
{
    line_open_to(line, "127.0.0.1", test_peer_port(line->peer));
}

void line_until(struct line *line, const bool *done)
{
    test_loop_until(&line->test, done);
}

void line_until_opened(struct line *line)
{
    line_open(line);
    line_until(line, &line->client.opened);
}

static void expire(evutil_socket_t fd, short what, void *expired)
{
    (void)fd;
    (void)what;
    *(bool *)expired = true;
}

/* Turns the loop until either number has grown to n; fails after 10 s. */
static void until_grown(struct line *line, const size_t *size, const unsigned *count, size_t n)
{
    const struct timeval limit = {10, 0};
    bool expired = false;
    struct event *timer = evtimer_new(line->test.base, expire, &expired);

    CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
    evtimer_add(timer, &limit);
    while ((size ? *size : *count) < n && !expired)
        event_base_loop(line->test.base, EVLOOP_ONCE);
    event_free(timer);
    CU_ASSERT_FATAL((size ? *size : *count) >= n);
}

void line_until_size(struct line *line, const size_t *value, size_t n)
{
    until_grown(line, value, NULL, n);
}

void line_until_count(struct line *line, const unsigned *value, unsigned n)
{
    until_grown(line, NULL, value, n);
}

void line_write(struct line *line, const void *bytes, size_t length)
{
    line->client.calling = true;
    CU_ASSERT(ski_stream_write(line->client.stream, bytes, length));
    line->client.calling = false;
}
