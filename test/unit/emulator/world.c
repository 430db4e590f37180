#include "world.h"
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>

static void keep(char *out, size_t size, struct evhttp_request *reply, const char *header)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(reply), header);

    snprintf(out, size, "%s", value ? value : "");
}

static void on_reply(struct evhttp_request *reply, void *arg)
{
    struct world *world = arg;
    ev_ssize_t length = 0;

    world->done = true;
    world->status = reply ? evhttp_request_get_response_code(reply) : 0;
    if (reply) {
        length = evbuffer_copyout(evhttp_request_get_input_buffer(reply), world->body,
                                  sizeof world->body - 1);
        keep(world->location, sizeof world->location, reply, "Location");
        keep(world->content_policy, sizeof world->content_policy, reply, "Content-Security-Policy");
        keep(world->request_id, sizeof world->request_id, reply, "x-request-id");
    }
    world->body[length < 0 ? 0 : length] = '\0';
}

void world_start_asking(struct world *world, enum method method, const char *path, const char *body)
{
    struct evhttp_request *request = evhttp_request_new(on_reply, world);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char authorization[100], length[24];

    snprintf(authorization, sizeof authorization, "Bearer %s", world->token);
    evhttp_add_header(headers, "Host", world->host);
    if (*world->token)
        evhttp_add_header(headers, "Authorization", authorization);
    if (*world->origin)
        evhttp_add_header(headers, "Origin", world->origin);
    if (body) { /* of a PATCH libevent does not say how long it is */
        snprintf(length, sizeof length, "%zu", strlen(body));
        evhttp_add_header(headers, "Content-Length", length);
        evbuffer_add(evhttp_request_get_output_buffer(request), body, strlen(body));
    }
    world->done = false;
    CU_ASSERT_EQUAL(
        evhttp_make_request(world->connection, request, (enum evhttp_cmd_type)method, path), 0);
}

int world_ask(struct world *world, enum method method, const char *path, const char *body)
{
    world_start_asking(world, method, path, body);
    test_base_until(world->base, &world->done);
    return world->status;
}

void world_ask_rows(struct world *world, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int status = world_ask(world, rows[i].method, rows[i].path, rows[i].body);
        bool fits = status == rows[i].status && strstr(world->body, rows[i].expected) &&
                    !(rows[i].unexpected && strstr(world->body, rows[i].unexpected));

        CU_ASSERT(fits);
        CU_ASSERT(*world->request_id);
        if (!fits)
            printf("  row %zu, %s: %d %s\n", i, rows[i].path, status, world->body);
    }
}

void world_find(const struct world *world, char *out, size_t size, const char *before, char end)
{
    const char *from = strstr(world->body, before), *to;

    *out = '\0';
    CU_ASSERT_PTR_NOT_NULL(from);
    if (!from)
        return;
    from += strlen(before);
    to = strchr(from, end);
    if (to && (size_t)(to - from) < size)
        snprintf(out, size, "%.*s", (int)(to - from), from);
}

size_t world_count(const struct world *world, const char *part)
{
    size_t n = 0;

    for (const char *at = world->body; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

int world_follow(struct world *world, enum method method, const char *path, const char *body,
                 const char *which)
{
    char name[40], token[100], *encoded, target[400];

    snprintf(name, sizeof name, "\"%s\":\"", which);
    world_find(world, token, sizeof token, name, '"');
    encoded = evhttp_encode_uri(token);
    CU_ASSERT_PTR_NOT_NULL_FATAL(encoded);
    snprintf(target, sizeof target, "%s%s", path, encoded);
    free(encoded);
    return world_ask(world, method, target, body);
}

void world_sign_in(struct world *world)
{
    world->token[0] = '\0';
    CU_ASSERT_EQUAL(world_ask(world, POST, "/oauth/token", SIGN_IN), 200);
    world_find(world, world->token, sizeof world->token, "\"access_token\":\"", '"');
}

void world_connect(struct world *world)
{
    world->connection = evhttp_connection_base_new(world->base, NULL, "127.0.0.1", world->port);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->connection);
}

void world_set_up(struct world *world, const struct scalekit_emulator_config *config)
{
    char error[200];

    memset(world, 0, sizeof *world);
    world->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->base);
    world->emulator = scalekit_emulator_start(world->base, config, error, sizeof error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->emulator);
    CU_ASSERT_STRING_EQUAL(error, "");
    CU_ASSERT_EQUAL(
        sscanf(scalekit_emulator_url(world->emulator), "http://127.0.0.1:%hu", &world->port), 1);
    snprintf(world->host, sizeof world->host, "127.0.0.1:%hu", world->port);
    world_connect(world);
    world_sign_in(world);
}

void world_tear_down(struct world *world)
{
    evhttp_connection_free(world->connection);
    scalekit_emulator_free(world->emulator);
    event_base_loop(world->base, EVLOOP_NONBLOCK); /* bufferevents are freed a turn later */
    event_base_free(world->base);
}

struct emu_account *world_account(struct world *world, const char *identifier)
{
    struct emu_key key = {.connector = "gmail", .identifier = identifier};

    return emu_account_find(&world->emulator->store, &key);
}

static void on_guard(evutil_socket_t fd, short what, void *late)
{
    (void)fd;
    (void)what;
    *(bool *)late = true;
}

void world_wait_for_status(struct world *world, const char *identifier, const char *status)
{
    struct timeval limit = {10, 0};
    bool late = false;
    struct event *guard = evtimer_new(world->base, on_guard, &late);
    const struct emu_account *account = world_account(world, identifier);

    CU_ASSERT_PTR_NOT_NULL_FATAL(account);
    evtimer_add(guard, &limit);
    while (strcmp(account->status, status) != 0 && !late)
        event_base_loop(world->base, EVLOOP_ONCE);
    CU_ASSERT_STRING_EQUAL(account->status, status);
    event_free(guard);
}
