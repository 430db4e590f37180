#include "harness.h"
#include "net/resolver.h"
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* --- a name server ----------------------------------------------------------------------------- */

#define TYPE_A    1
#define TYPE_AAAA 28
#define NXDOMAIN  3
#define SERVFAIL  2

/* What it knows about a name; an unknown one is NXDOMAIN. */
struct record {
    const char *name;
    const char *addresses; /* both families, separated by spaces; "" for none */
    int rcode;
    bool silent;
};

struct name_server {
    int fd;
    struct event *readable;
    char text[32]; /* "127.0.0.1:5300" */
    const struct record *records;
    unsigned queries; /* for TYPE_A, over all names */
};

static const struct record *find_record(const struct name_server *server, const char *name)
{
    for (const struct record *record = server->records; record && record->name; record++)
        if (strcmp(record->name, name) == 0)
            return record;
    return NULL;
}

/* The question's name as text, its type; the length of the question, or 0. */
static size_t parse_question(const unsigned char *query, size_t length, char name[256], int *type)
{
    size_t at = 12, n = 0;

    while (at < length && query[at]) {
        size_t label = query[at++];

        if (at + label + 5 > length || n + label + 1 > 254)
            return 0;
        if (n)
            name[n++] = '.';
        memcpy(name + n, query + at, label);
        n += label;
        at += label;
    }
    name[n] = '\0';
    if (at + 5 > length)
        return 0;
    *type = query[at + 1] << 8 | query[at + 2];
    return at + 5 - 12;
}

static size_t put_answer(unsigned char *out, const char *address, int type)
{
    /* the question's name, type, class IN, 60 s to live, length */
    unsigned char head[] = {0xc0, 12, 0, (unsigned char)type, 0, 1, 0, 0, 0, 60, 0, 0};
    size_t size = type == TYPE_A ? 4 : 16;

    if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, address, out + sizeof head) != 1)
        return 0;
    head[11] = (unsigned char)size;
    memcpy(out, head, sizeof head);
    return sizeof head + size;
}

static void on_query(evutil_socket_t fd, short what, void *user)
{
    struct name_server *server = user;
    unsigned char query[512], answer[2048] = {0};
    struct sockaddr_in from;
    socklen_t from_length = sizeof from;
    ssize_t length = recvfrom(fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_length);
    const struct record *record;
    size_t question, at;
    char name[256];
    int type;

    (void)what;
    question = length > 12 ? parse_question(query, (size_t)length, name, &type) : 0;
    if (!question)
        return;
    record = find_record(server, name);
    if (type == TYPE_A)
        server->queries++;
    if (record && record->silent)
        return;
    memcpy(answer, query, 12 + question);
    answer[2] = 0x81;
    answer[3] = (unsigned char)(0x80 | (record ? record->rcode : NXDOMAIN));
    memset(answer + 6, 0, 6);
    at = 12 + question;
    if (record) {
        char *copy = strdup(record->addresses), *rest = copy, *address;

        while ((address = strsep(&rest, " "))) {
            size_t size = *address ? put_answer(answer + at, address, type) : 0;

            at += size;
            answer[7] = (unsigned char)(answer[7] + (size > 0));
        }
        free(copy);
    }
    CU_ASSERT(sendto(fd, answer, at, 0, (struct sockaddr *)&from, from_length) == (ssize_t)at);
}

static void server_start(struct name_server *server, struct event_base *base,
                         const struct record *records)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof in;

    memset(server, 0, sizeof *server);
    server->records = records;
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bind(server->fd, (struct sockaddr *)&in, sizeof in) == 0);
    CU_ASSERT_FATAL(getsockname(server->fd, (struct sockaddr *)&in, &length) == 0);
    snprintf(server->text, sizeof server->text, "127.0.0.1:%u", ntohs(in.sin_port));
    server->readable = event_new(base, server->fd, EV_READ | EV_PERSIST, on_query, server);
    CU_ASSERT_PTR_NOT_NULL_FATAL(server->readable);
    event_add(server->readable, NULL);
}

static void server_stop(struct name_server *server)
{
    event_free(server->readable);
    close(server->fd);
}

/* --- a world of a loop, a server and a resolver ------------------------------------------------- */

struct world {
    struct test_clock clock;
    struct test_loop test;
    struct name_server server;
    struct ski_resolver *resolver;
};

struct asker {
    struct ski_lookup lookup;
    bool done;
    char got[1024]; /* "127.0.0.1:443 [::1]:443" */
    struct ski_failure failure;
    struct asker *cancel; /* another one, to cancel from inside `done` */
    const char *again;    /* a name to ask for from inside `done` */
    struct ski_resolver *resolver;
};

static bool resolving; /* ski_resolve() is running */

static void print_all(const struct ski_addresses *addresses, char *out, size_t size)
{
    size_t used = 0;

    for (unsigned i = 0; i < addresses->count; i++) {
        const struct ski_address *address = &addresses->list[i];
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
        char host[INET6_ADDRSTRLEN];
        bool six = address->storage.ss_family == AF_INET6;

        CU_ASSERT_EQUAL(address->length, six ? sizeof *in6 : sizeof *in);
        inet_ntop(six ? AF_INET6 : AF_INET,
                  six ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, host,
                  sizeof host);
        used += (size_t)snprintf(out + used, size - used, six ? "%s[%s]:%u" : "%s%s:%u",
                                 i ? " " : "", host, ntohs(six ? in6->sin6_port : in->sin_port));
    }
}

static void ask(struct ski_resolver *resolver, struct asker *asker, const char *host,
                uint16_t port);

static void on_done(struct ski_lookup *lookup, const struct ski_addresses *addresses,
                    const struct ski_failure *failure)
{
    struct asker *asker = SKI_CONTAINER(lookup, struct asker, lookup);

    CU_ASSERT_FALSE(resolving);
    CU_ASSERT_FALSE(asker->done);
    CU_ASSERT_EQUAL(addresses == NULL, failure != NULL);
    asker->done = true;
    if (addresses)
        print_all(addresses, asker->got, sizeof asker->got);
    else
        asker->failure = *failure;
    if (asker->cancel)
        ski_lookup_cancel(&asker->cancel->lookup);
    if (asker->again) {
        const char *again = asker->again;

        asker->again = NULL;
        ask(asker->resolver, asker, again, 1);
    }
}

static void ask(struct ski_resolver *resolver, struct asker *asker, const char *host, uint16_t port)
{
    bool before = resolving;

    asker->resolver = resolver;
    asker->done = false;
    asker->got[0] = '\0';
    asker->failure = (struct ski_failure){0};
    asker->lookup.done = on_done;
    resolving = true;
    CU_ASSERT_EQUAL_FATAL(ski_resolve(resolver, host, port, &asker->lookup), SCALEKIT_OK);
    resolving = before;
}

static void wait_for(struct world *world, struct asker *asker)
{
    test_loop_until(&world->test, &asker->done);
}

/* Asks and waits; the addresses as text, or that of the failure. */
static const char *answer(struct world *world, const char *host)
{
    static struct asker asker;

    memset(&asker, 0, sizeof asker);
    ask(world->resolver, &asker, host, 443);
    wait_for(world, &asker);
    return asker.failure.code ? asker.failure.text : asker.got;
}

static void world_init(struct world *world, const struct record *records)
{
    test_clock_init(&world->clock);
    test_loop_init(&world->test, &world->clock.clock);
    ski_loop_hold(&world->test.loop);
    server_start(&world->server, world->test.base, records);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&world->resolver, &world->test.loop, world->server.text),
                          SCALEKIT_OK);
}

static void world_free(struct world *world)
{
    ski_resolver_free(world->resolver);
    server_stop(&world->server);
    ski_loop_release(&world->test.loop);
    test_loop_free(&world->test);
}

/* --- answers ----------------------------------------------------------------------------------- */

static const struct record records[] = {
    {"one.example", "192.0.2.1", 0, false},
    {"three.example", "192.0.2.1 192.0.2.2 192.0.2.3", 0, false},
    {"six.example", "2001:db8::1", 0, false},
    {"both.example", "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1 2001:db8::2", 0, false},
    {"many.example",
     "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 192.0.2.9 "
     "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6 2001:db8::7 "
     "2001:db8::8 2001:db8::9",
     0, false},
    {"none.example", "", 0, false},
    {"broken.example", "", SERVFAIL, false},
    {"silent.example", "", 0, true},
    {NULL, NULL, 0, false},
};

static void test_answers(void)
{
    static const struct {
        const char *host, *answer;
        unsigned queries;
    } rows[] = {
        {"one.example", "192.0.2.1:443", 1},
        {"ONE.Example", "192.0.2.1:443", 0},
        {"three.example", "192.0.2.1:443 192.0.2.2:443 192.0.2.3:443", 1},
        {"six.example", "[2001:db8::1]:443", 1},
        {"both.example",
         "[2001:db8::1]:443 192.0.2.1:443 [2001:db8::2]:443 192.0.2.2:443 192.0.2.3:443", 1},
        {"many.example",
         "[2001:db8::1]:443 192.0.2.1:443 [2001:db8::2]:443 192.0.2.2:443 "
         "[2001:db8::3]:443 192.0.2.3:443 [2001:db8::4]:443 192.0.2.4:443 "
         "[2001:db8::5]:443 192.0.2.5:443 [2001:db8::6]:443 192.0.2.6:443 "
         "[2001:db8::7]:443 192.0.2.7:443 [2001:db8::8]:443 192.0.2.8:443",
         1},
        {"127.0.0.1", "127.0.0.1:443", 0},
        {"::1", "[::1]:443", 0},
        {"localhost", "[::1]:443 127.0.0.1:443", 0},
        {"LocalHost.", "[::1]:443 127.0.0.1:443", 0},
        {"app.localhost", "[::1]:443 127.0.0.1:443", 0},
    };
    struct world world;

    world_init(&world, records);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world.server.queries = 0;
        CU_ASSERT_STRING_EQUAL(answer(&world, rows[i].host), rows[i].answer);
        CU_ASSERT_EQUAL(world.server.queries, rows[i].queries);
    }
    world_free(&world);
}

static void test_failures(void)
{
    static const struct {
        const char *host, *text;
    } rows[] = {
        {"unknown.example", "look up unknown.example: Domain name not found"},
        {"none.example", "look up none.example: DNS server returned answer with no data"},
        {"broken.example", "look up broken.example: Could not contact DNS servers"},
        {"notlocalhost", "look up notlocalhost: Domain name not found"},
        {"", "look up : Domain name not found"},
        {"a..b", "look up a..b: Misformatted domain name"},
    };
    struct world world;

    world_init(&world, records);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asker asker = {.done = false};

        ask(world.resolver, &asker, rows[i].host, 443);
        wait_for(&world, &asker);
        CU_ASSERT_EQUAL(asker.failure.code, SCALEKIT_ERR_RESOLVE);
        CU_ASSERT_EQUAL(asker.failure.phase, SCALEKIT_PHASE_RESOLVE);
        CU_ASSERT_STRING_EQUAL(asker.failure.text, rows[i].text);
    }
    world_free(&world);
}

static void test_bad_servers(void)
{
    static const struct {
        const char *servers;
        scalekit_err err;
    } rows[] = {
        {"127.0.0.1", SCALEKIT_OK},
        {"127.0.0.1:5300,[::1]:5300", SCALEKIT_OK},
        {"not an address", SCALEKIT_ERR_INVALID},
        {"127.0.0.1,dns.example", SCALEKIT_ERR_INVALID},
    };
    struct world world;
    struct ski_resolver *resolver;

    world_init(&world, records);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_EQUAL(ski_resolver_new(&resolver, &world.test.loop, rows[i].servers),
                        rows[i].err);
        CU_ASSERT_EQUAL(resolver == NULL, rows[i].err != SCALEKIT_OK);
        ski_resolver_free(resolver);
    }
    world_free(&world);
}

/* --- cache ------------------------------------------------------------------------------------- */

static void test_cache(void)
{
    struct world world;

    world_init(&world, records);
    answer(&world, "one.example");
    test_clock_advance_ms(&world.clock, 59999);
    CU_ASSERT_STRING_EQUAL(answer(&world, "one.example"), "192.0.2.1:443");
    CU_ASSERT_EQUAL(world.server.queries, 1);
    test_clock_advance_ms(&world.clock, 1);
    CU_ASSERT_STRING_EQUAL(answer(&world, "one.example"), "192.0.2.1:443");
    CU_ASSERT_EQUAL(world.server.queries, 2);
    world_free(&world);
}

static void test_failures_are_not_cached(void)
{
    static const struct record later[] = {{"unknown.example", "192.0.2.7", 0, false},
                                          {NULL, NULL, 0, false}};
    struct world world;

    world_init(&world, records);
    answer(&world, "unknown.example");
    world.server.records = later;
    CU_ASSERT_STRING_EQUAL(answer(&world, "unknown.example"), "192.0.2.7:443");
    world_free(&world);
}

static void test_old_list(void)
{
    static const struct record broken[] = {{"three.example", "", SERVFAIL, false},
                                           {NULL, NULL, 0, false}};
    static const struct record moved[] = {{"three.example", "192.0.2.9", 0, false},
                                          {NULL, NULL, 0, false}};
    static const char old_list[] = "192.0.2.1:443 192.0.2.2:443 192.0.2.3:443";
    struct world world;
    unsigned queries;

    world_init(&world, records);
    CU_ASSERT_STRING_EQUAL(answer(&world, "three.example"), old_list);
    test_clock_advance_ms(&world.clock, 60000);
    world.server.records = broken;
    queries = world.server.queries;
    CU_ASSERT_STRING_EQUAL(answer(&world, "three.example"), old_list);
    CU_ASSERT(world.server.queries > queries);

    queries = world.server.queries;
    world.server.records = moved;
    CU_ASSERT_STRING_EQUAL(answer(&world, "three.example"), old_list);
    CU_ASSERT_EQUAL(world.server.queries, queries);
    test_clock_advance_ms(&world.clock, 10000);
    CU_ASSERT_STRING_EQUAL(answer(&world, "three.example"), "192.0.2.9:443");
    world_free(&world);
}

static void test_single_flight(void)
{
    struct world world;
    struct asker askers[5];

    memset(askers, 0, sizeof askers);
    world_init(&world, records);
    for (size_t i = 0; i < 5; i++)
        ask(world.resolver, &askers[i], "one.example", (uint16_t)(1000 + i));
    for (size_t i = 0; i < 5; i++) {
        char expected[32];

        wait_for(&world, &askers[i]);
        snprintf(expected, sizeof expected, "192.0.2.1:%zu", 1000 + i);
        CU_ASSERT_STRING_EQUAL(askers[i].got, expected);
    }
    CU_ASSERT_EQUAL(world.server.queries, 1);
    world_free(&world);
}

/* The least recently used name goes when the 65th comes. */
static void test_limit(void)
{
    struct world world;
    char host[32];

    world_init(&world, records);
    answer(&world, "one.example");
    answer(&world, "three.example");
    answer(&world, "one.example");
    for (int i = 0; i < 63; i++) {
        snprintf(host, sizeof host, "192.0.2.%d", i);
        answer(&world, host);
    }
    world.server.queries = 0;
    answer(&world, "one.example");
    CU_ASSERT_EQUAL(world.server.queries, 0);
    answer(&world, "three.example");
    CU_ASSERT_EQUAL(world.server.queries, 1);
    world_free(&world);
}

/* --- who waits --------------------------------------------------------------------------------- */

static void until_asked(struct world *world, unsigned queries)
{
    while (world->server.queries < queries)
        event_base_loop(world->test.base, EVLOOP_ONCE);
}

static void test_cancel_spares_others(void)
{
    struct world world;
    struct asker first = {.done = false}, second = {.done = false}, other = {.done = false};

    world_init(&world, records);
    ask(world.resolver, &first, "one.example", 443);
    ask(world.resolver, &second, "one.example", 443);
    ask(world.resolver, &other, "three.example", 443);
    ski_lookup_cancel(&first.lookup);
    wait_for(&world, &second);
    ski_lookup_cancel(&second.lookup);
    wait_for(&world, &other);
    CU_ASSERT_FALSE(first.done);
    CU_ASSERT_STRING_EQUAL(second.got, "192.0.2.1:443");
    CU_ASSERT_STRING_EQUAL(other.got, "192.0.2.1:443 192.0.2.2:443 192.0.2.3:443");
    CU_ASSERT_EQUAL(world.server.queries, 2);
    world_free(&world);
}

static void test_cancel_of_the_last_lets_go(void)
{
    struct world world;
    struct asker asker = {.done = false};
    int idle;

    world_init(&world, records);
    idle = event_base_get_num_events(world.test.base, EVENT_BASE_COUNT_ADDED);
    ski_lookup_cancel(&asker.lookup);
    ask(world.resolver, &asker, "silent.example", 443);
    until_asked(&world, 1);
    CU_ASSERT(event_base_get_num_events(world.test.base, EVENT_BASE_COUNT_ADDED) > idle);
    ski_lookup_cancel(&asker.lookup);
    ski_loop_release(&world.test.loop);
    CU_ASSERT_EQUAL(event_base_get_num_events(world.test.base, EVENT_BASE_COUNT_ADDED), idle);
    ski_loop_hold(&world.test.loop);
    CU_ASSERT_STRING_EQUAL(answer(&world, "one.example"), "192.0.2.1:443");
    CU_ASSERT_FALSE(asker.done);
    world_free(&world);
}

/* The answer of one lets go of the query that nobody waits for any more. */
static void test_orphan_is_dropped(void)
{
    struct world world;
    struct asker orphan = {.done = false}, asker = {.done = false};

    world_init(&world, records);
    ask(world.resolver, &orphan, "silent.example", 443);
    ask(world.resolver, &asker, "one.example", 443);
    ski_lookup_cancel(&orphan.lookup);
    wait_for(&world, &asker);
    event_del(world.server.readable);
    ski_loop_release(&world.test.loop);
    CU_ASSERT_EQUAL(event_base_dispatch(world.test.base), 1);
    ski_loop_hold(&world.test.loop);
    world_free(&world);
}

static void test_done_may_cancel_and_ask(void)
{
    struct world world;
    struct asker first = {.done = false}, second = {.done = false};

    world_init(&world, records);
    first.cancel = &second;
    first.again = "one.example";
    ask(world.resolver, &first, "one.example", 443);
    ask(world.resolver, &second, "one.example", 443);
    wait_for(&world, &first);
    wait_for(&world, &first);
    while (first.again || !first.done)
        event_base_loop(world.test.base, EVLOOP_ONCE);
    CU_ASSERT_STRING_EQUAL(first.got, "192.0.2.1:1");
    CU_ASSERT_FALSE(second.done);
    CU_ASSERT_EQUAL(world.server.queries, 1);
    world_free(&world);
}

/* --- servers that are gone ---------------------------------------------------------------------- */

static void test_refusing_server(void)
{
    struct name_server gone;
    struct ski_resolver *resolver;
    struct test_loop test;
    struct asker asker = {.done = false};

    test_loop_init(&test, NULL);
    ski_loop_hold(&test.loop);
    server_start(&gone, test.base, NULL);
    server_stop(&gone);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&resolver, &test.loop, gone.text), SCALEKIT_OK);
    ask(resolver, &asker, "one.example", 443);
    test_loop_until(&test, &asker.done);
    CU_ASSERT_EQUAL(asker.failure.code, SCALEKIT_ERR_RESOLVE);
    ski_resolver_free(resolver);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

/* One dead name server of two costs one timeout, not the answer. */
static void test_silent_server(void)
{
    static const struct record silent[] = {{"one.example", "", 0, true}, {NULL, NULL, 0, false}};
    struct name_server dead, good;
    struct ski_resolver *resolver;
    struct test_loop test;
    struct asker asker = {.done = false};
    char servers[80];

    test_loop_init(&test, NULL);
    ski_loop_hold(&test.loop);
    server_start(&dead, test.base, silent);
    server_start(&good, test.base, records);
    snprintf(servers, sizeof servers, "%s,%s", dead.text, good.text);
    CU_ASSERT_EQUAL_FATAL(ski_resolver_new(&resolver, &test.loop, servers), SCALEKIT_OK);
    ask(resolver, &asker, "one.example", 443);
    test_loop_until(&test, &asker.done);
    CU_ASSERT_STRING_EQUAL(asker.got, "192.0.2.1:443");
    CU_ASSERT(dead.queries > 0);
    ski_resolver_free(resolver);
    server_stop(&dead);
    server_stop(&good);
    ski_loop_release(&test.loop);
    test_loop_free(&test);
}

/* --- memory ------------------------------------------------------------------------------------ */

static bool resolve_once(struct test_memory *memory, void *user)
{
    struct event_base *base = user;
    struct name_server server;
    struct ski_resolver *resolver;
    struct ski_loop loop = {0};
    struct asker asker = {.done = false};
    bool through = false;

    ski_mem_init(&loop.mem, &memory->allocator);
    ski_clock_init(&loop.clock, NULL);
    if (ski_loop_init(&loop, base) != SCALEKIT_OK)
        return false;
    ski_loop_hold(&loop);
    server_start(&server, base, records);
    if (ski_resolver_new(&resolver, &loop, server.text) == SCALEKIT_OK) {
        asker.lookup.done = on_done;
        if (ski_resolve(resolver, "both.example", 443, &asker.lookup) == SCALEKIT_OK) {
            test_base_until(base, &asker.done);
            through = !asker.failure.code;
            CU_ASSERT(through || asker.failure.code == SCALEKIT_ERR_NOMEM);
        }
    }
    ski_resolver_free(resolver);
    server_stop(&server);
    ski_loop_release(&loop);
    ski_loop_free(&loop);
    return through;
}

static void test_out_of_memory(void)
{
    struct event_base *base = event_base_new();

    CU_ASSERT(test_every_allocation(resolve_once, base) > 3);
    event_base_free(base);
}

SUITE(resolver,
      {"gives all addresses, families in turn, and asks nobody for numbers", test_answers},
      {"says why there is no address", test_failures},
      {"refuses a useless list of servers", test_bad_servers},
      {"keeps an answer for 60 s", test_cache},
      {"does not keep a failure", test_failures_are_not_cached},
      {"uses the old list when a later look-up fails", test_old_list},
      {"asks once for all who wait", test_single_flight}, {"keeps at most 64 names", test_limit},
      {"spares the others when one is cancelled", test_cancel_spares_others},
      {"lets go of the loop when the last is cancelled", test_cancel_of_the_last_lets_go},
      {"drops a query nobody waits for", test_orphan_is_dropped},
      {"may be asked and cancelled from inside done", test_done_may_cancel_and_ask},
      {"fails when no name server listens", test_refusing_server},
      {"asks the second name server when the first is silent", test_silent_server},
      {"survives every failing allocation", test_out_of_memory})
