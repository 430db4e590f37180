/* Design.  Whatever is asked for is a `struct name`, looked up or known: numeric hosts and
 * localhost are names that stay fresh for ever.  Look-ups wait in their name's list, and one task
 * per name hands its addresses out, so that an answer from the cache, one that c-ares has at once
 * and one from the network all arrive in the same way: from the loop.
 *
 * c-ares cannot cancel one query.  A query nobody waits for any more runs on beside those that are
 * wanted; when none is, the whole channel is destroyed, which ends its queries, sockets and timer. */
#include "net/resolver.h"
#include "base/str.h"
#include <ares.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#define FRESH_MS       60000
#define OLD_LIST_MS    10000 /* an old list is used that long before asking again */
#define MAX_NAMES      64
#define TRY_TIMEOUT_MS 1000 /* of the first try; doubles with each */
#define TRIES          3

struct name {
    struct ski_list link; /* in resolver->names, used last at the end */
    struct ski_resolver *resolver;
    struct ski_list lookups; /* who waits */
    struct ski_task answer;
    struct ski_addresses addresses; /* the latest known; count 0: none */
    struct ski_failure failure;     /* of the latest query, while there are no addresses */
    int64_t fresh_until;
    bool asking; /* a query is under way */
    char host[]; /* in lower case */
};

struct ski_resolver {
    struct ski_loop *loop;
    char *servers;
    struct ski_list names, sockets;
    unsigned n_names;
    ares_channel channel; /* NULL: nobody waits for a query */
    ski_timer timeout;    /* c-ares's */
    bool starved;         /* no memory to watch a socket of c-ares: its queries have to fail */
};

/* A socket of c-ares. */
struct watch {
    struct ski_list link;
    struct ski_resolver *resolver;
    struct event *event;
    ares_socket_t fd;
};

/* --- c-ares on the loop ------------------------------------------------------------------------ */

/* Ends every query and gives back its sockets.  Not from inside a callback of c-ares. */
static void stop(struct ski_resolver *resolver)
{
    ares_channel channel = resolver->channel;

    resolver->channel = NULL;
    resolver->starved = false;
    ski_timer_clear(resolver->loop, resolver->timeout);
    if (channel)
        ares_destroy(channel);
}

/* After every call that may have changed what c-ares waits for. */
static void settle(struct ski_resolver *resolver)
{
    struct ski_loop *loop = resolver->loop;
    struct timeval wait;

    if (resolver->starved)
        stop(resolver);
    else if (ares_timeout(resolver->channel, NULL, &wait))
        ski_timer_set(loop, resolver->timeout,
                      ski_loop_now(loop) + wait.tv_sec * 1000 + wait.tv_usec / 1000 + 1);
    else
        ski_timer_clear(loop, resolver->timeout);
}

static void process(struct ski_resolver *resolver, ares_socket_t readable, ares_socket_t writable)
{
    ares_process_fd(resolver->channel, readable, writable);
    settle(resolver);
}

static void on_timeout(void *owner)
{
    process(owner, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void on_socket(evutil_socket_t fd, short what, void *user)
{
    process(user, what & EV_READ ? fd : ARES_SOCKET_BAD, what & EV_WRITE ? fd : ARES_SOCKET_BAD);
}

static void unwatch(struct watch *watch)
{
    if (watch->event)
        event_free(watch->event);
    ski_list_remove(&watch->link);
    ski_free(&watch->resolver->loop->mem, watch);
}

static struct watch *find_watch(struct ski_resolver *resolver, ares_socket_t fd)
{
    struct ski_list *node;
    struct watch *watch;

    for (node = resolver->sockets.next; node != &resolver->sockets; node = node->next) {
        watch = SKI_CONTAINER(node, struct watch, link);
        if (watch->fd == fd)
            return watch;
    }
    return NULL;
}

/* c-ares wants to be told about a socket. */
static void on_socket_state(void *user, ares_socket_t fd, int readable, int writable)
{
    struct ski_resolver *resolver = user;
    struct watch *watch = find_watch(resolver, fd);
    short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);

    if (watch)
        unwatch(watch);
    if (!readable && !writable)
        return;
    watch = ski_zalloc(&resolver->loop->mem, sizeof *watch);
    if (!watch) {
        resolver->starved = true;
        return;
    }
    watch->resolver = resolver;
    watch->fd = fd;
    ski_list_init(&watch->link);
    ski_list_push_back(&resolver->sockets, &watch->link);
    watch->event = event_new(resolver->loop->base, fd, what, on_socket, resolver);
    if (!watch->event || event_add(watch->event, NULL) < 0) {
        unwatch(watch);
        resolver->starved = true;
    }
}

/* Needed on some systems, and not safe to do twice at a time. */
static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

/* The files' answer goes before the servers', whatever nsswitch.conf has to say. */
static int start(struct ski_resolver *resolver)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char lookups[] = "fb";
    struct ares_options options = {
        .timeout = TRY_TIMEOUT_MS,
        .tries = TRIES,
        .lookups = lookups,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = resolver,
    };
    int status;

    if (resolver->channel)
        return ARES_SUCCESS;
    pthread_once(&once, init_library);
    status = ares_init_options(&resolver->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                                   ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) {
        resolver->channel = NULL;
        return status;
    }
    if (resolver->servers)
        status = ares_set_servers_ports_csv(resolver->channel, resolver->servers);
    if (status != ARES_SUCCESS)
        stop(resolver);
    return status;
}

/* --- addresses --------------------------------------------------------------------------------- */

static void set_port(struct ski_address *address, uint16_t port)
{
    if (address->storage.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->storage)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&address->storage)->sin_port = htons(port);
}

static void add_address(struct ski_addresses *list, const void *address, size_t length)
{
    struct ski_address *last = &list->list[list->count];

    memset(last, 0, sizeof *last);
    memcpy(&last->storage, address, length);
    last->length = (socklen_t)length;
    list->count++;
}

static bool add_numeric(struct ski_addresses *list, const char *host)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
        add_address(list, &in, sizeof in);
    else if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1)
        add_address(list, &in6, sizeof in6);
    return list->count > 0;
}

/* "localhost" and what ends in ".localhost", with or without a dot at the end. */
static bool is_localhost(const char *host)
{
    static const char word[] = "localhost";
    size_t length = strlen(host), word_length = sizeof word - 1;

    if (length && host[length - 1] == '.')
        length--;
    if (length < word_length || memcmp(host + length - word_length, word, word_length) != 0)
        return false;
    return length == word_length || host[length - word_length - 1] == '.';
}

/* What can be known without asking anybody. */
static bool add_known(struct ski_addresses *list, const char *host)
{
    if (add_numeric(list, host))
        return true;
    return is_localhost(host) && add_numeric(list, "::1") && add_numeric(list, "127.0.0.1");
}

static const struct ares_addrinfo_node *next_of(const struct ares_addrinfo_node *node, int family)
{
    while (node && node->ai_family != family)
        node = node->ai_next;
    return node;
}

/* One of each family in turn, IPv6 first; when one runs out, the rest of the other. */
static void interleave(struct ski_addresses *list, const struct ares_addrinfo_node *nodes)
{
    const struct ares_addrinfo_node *in6 = next_of(nodes, AF_INET6), *in = next_of(nodes, AF_INET);

    list->count = 0;
    while ((in6 || in) && list->count < SKI_MAX_ADDRESSES) {
        if (in6) {
            add_address(list, in6->ai_addr, in6->ai_addrlen);
            in6 = next_of(in6->ai_next, AF_INET6);
        }
        if (in && list->count < SKI_MAX_ADDRESSES) {
            add_address(list, in->ai_addr, in->ai_addrlen);
            in = next_of(in->ai_next, AF_INET);
        }
    }
}

/* --- names ------------------------------------------------------------------------------------- */

static bool is_idle(const struct name *name)
{
    return !name->asking && ski_list_empty(&name->lookups);
}

static void forget(struct name *name)
{
    ski_task_cancel(&name->answer);
    ski_list_remove(&name->link);
    name->resolver->n_names--;
    ski_free(&name->resolver->loop->mem, name);
}

/* Makes room for one more, at the cost of the names not used for longest. */
static void make_room(struct ski_resolver *resolver)
{
    struct ski_list *node = resolver->names.next;

    while (resolver->n_names >= MAX_NAMES && node != &resolver->names) {
        struct name *name = SKI_CONTAINER(node, struct name, link);

        node = node->next;
        if (is_idle(name))
            forget(name);
    }
}

static struct name *find_name(struct ski_resolver *resolver, const char *host)
{
    struct ski_list *node;

    for (node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = SKI_CONTAINER(node, struct name, link);

        if (ski_str_ieq(name->host, host))
            return name;
    }
    return NULL;
}

/* Destroys the channel when nobody waits for what it asks. */
static void rest(struct ski_resolver *resolver)
{
    struct ski_list *node;

    for (node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = SKI_CONTAINER(node, struct name, link);

        if (name->asking && !ski_list_empty(&name->lookups))
            return;
    }
    stop(resolver);
}

/* Hands out what is known to everybody who waits.  A `done` may do anything, also ask again (then
 * it waits for the next turn), or cancel the others; once the last has run, the resolver may be
 * gone.  So it works on copies. */
static void on_answer(struct ski_task *task)
{
    struct name *name = SKI_CONTAINER(task, struct name, answer);
    struct ski_addresses addresses = name->addresses;
    struct ski_failure failure = name->failure;
    struct ski_list waiting, *node;

    ski_list_init(&waiting);
    ski_list_move_all(&waiting, &name->lookups);
    rest(name->resolver);
    while ((node = ski_list_pop_front(&waiting))) {
        struct ski_lookup *lookup = SKI_CONTAINER(node, struct ski_lookup, link);

        for (unsigned i = 0; i < addresses.count; i++)
            set_port(&addresses.list[i], lookup->port);
        lookup->resolver = NULL;
        if (addresses.count)
            lookup->done(lookup, &addresses, NULL);
        else
            lookup->done(lookup, NULL, &failure);
    }
}

static void fail(struct name *name, int status)
{
    if (status == ARES_EDESTRUCTION || status == ARES_ENOMEM)
        ski_fail(&name->failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_RESOLVE, "out of memory");
    else
        ski_fail(&name->failure, SCALEKIT_ERR_RESOLVE, SCALEKIT_PHASE_RESOLVE, "look up %s: %s",
                 name->host, ares_strerror(status));
}

/* c-ares is through with a name, perhaps already inside ares_getaddrinfo().  It destroys queries
 * (ARES_EDESTRUCTION) that nobody waits for, or for want of memory. */
static void on_queried(void *user, int status, int timeouts, struct ares_addrinfo *result)
{
    struct name *name = user;
    struct ski_loop *loop = name->resolver->loop;

    (void)timeouts;
    name->asking = false;
    if (status == ARES_SUCCESS && !result->nodes)
        status = ARES_ENODATA;
    if (status == ARES_SUCCESS) {
        interleave(&name->addresses, result->nodes);
        name->fresh_until = ski_loop_now(loop) + FRESH_MS;
    } else if (!name->addresses.count) {
        fail(name, status);
    } else if (status != ARES_EDESTRUCTION) {
        name->fresh_until = ski_loop_now(loop) + OLD_LIST_MS;
    }
    if (result)
        ares_freeaddrinfo(result);
    if (!ski_list_empty(&name->lookups))
        ski_task_defer(loop, &name->answer);
}

static void ask(struct name *name)
{
    struct ski_resolver *resolver = name->resolver;
    struct ares_addrinfo_hints hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
    int status = start(resolver);

    name->asking = true;
    if (status != ARES_SUCCESS) {
        on_queried(name, status, 0, NULL);
        return;
    }
    ares_getaddrinfo(resolver->channel, name->host, NULL, &hints, on_queried, name);
    settle(resolver);
}

static struct name *add_name(struct ski_resolver *resolver, const char *host)
{
    size_t length = strlen(host);
    struct name *name;

    make_room(resolver);
    name = ski_zalloc(&resolver->loop->mem, sizeof *name + length + 1);
    if (!name)
        return NULL;
    name->resolver = resolver;
    for (size_t i = 0; i < length; i++)
        name->host[i] = ski_lower(host[i]);
    name->fresh_until = add_known(&name->addresses, name->host) ? INT64_MAX : INT64_MIN;
    ski_list_init(&name->lookups);
    ski_task_init(&name->answer, on_answer);
    ski_list_init(&name->link);
    ski_list_push_back(&resolver->names, &name->link);
    resolver->n_names++;
    return name;
}

/* --- what others call -------------------------------------------------------------------------- */

scalekit_err ski_resolve(struct ski_resolver *resolver, const char *host, uint16_t port,
                         struct ski_lookup *lookup)
{
    struct name *name = find_name(resolver, host);

    if (!name)
        name = add_name(resolver, host);
    if (!name)
        return SCALEKIT_ERR_NOMEM;
    ski_list_push_back(&resolver->names, &name->link);
    lookup->resolver = resolver;
    lookup->port = port;
    ski_list_init(&lookup->link);
    ski_list_push_back(&name->lookups, &lookup->link);
    if (name->asking || ski_list_linked(&name->answer.link))
        return SCALEKIT_OK;
    if (ski_loop_now(resolver->loop) < name->fresh_until)
        ski_task_defer(resolver->loop, &name->answer);
    else
        ask(name);
    return SCALEKIT_OK;
}

void ski_lookup_cancel(struct ski_lookup *lookup)
{
    struct ski_resolver *resolver = lookup->resolver;

    if (!resolver)
        return;
    lookup->resolver = NULL;
    ski_list_remove(&lookup->link);
    rest(resolver);
}

scalekit_err ski_resolver_new(struct ski_resolver **out, struct ski_loop *loop, const char *servers)
{
    struct ski_resolver *resolver = ski_zalloc(&loop->mem, sizeof *resolver);

    *out = NULL;
    if (!resolver)
        return SCALEKIT_ERR_NOMEM;
    resolver->loop = loop;
    ski_list_init(&resolver->names);
    ski_list_init(&resolver->sockets);
    resolver->servers = servers ? ski_strdup(&loop->mem, servers) : NULL;
    resolver->timeout = ski_timer_new(loop, on_timeout, resolver);
    if (resolver->timeout == SKI_NO_TIMER || (servers && !resolver->servers)) {
        ski_resolver_free(resolver);
        return SCALEKIT_ERR_NOMEM;
    }
    /* c-ares is made for the first query; here it only has to understand the servers. */
    if (servers) {
        int status = start(resolver);

        stop(resolver);
        if (status != ARES_SUCCESS) {
            ski_resolver_free(resolver);
            return status == ARES_ENOMEM ? SCALEKIT_ERR_NOMEM : SCALEKIT_ERR_INVALID;
        }
    }
    *out = resolver;
    return SCALEKIT_OK;
}

void ski_resolver_free(struct ski_resolver *resolver)
{
    struct ski_loop *loop;

    if (!resolver)
        return;
    loop = resolver->loop;
    while (!ski_list_empty(&resolver->names))
        forget(SKI_CONTAINER(resolver->names.next, struct name, link));
    ski_timer_free(loop, resolver->timeout);
    ski_free(&loop->mem, resolver->servers);
    ski_free(&loop->mem, resolver);
}
