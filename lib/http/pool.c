/* pool.c - every connection is a member, and in one of the places below.
 *
 * An exchange either waits in the queue, or is carried by a connection and points to it.  So
 * cancelling one is O(1), and so is everything else that happens to one exchange.
 *
 * Something always comes for those that wait: while there are any, a member is opening or full, and
 * each of these gets room, or ends and is replaced, or fails them.  A failure to open starts no new
 * attempt for those that have other members to hope for: else a queue of thousands would knock as
 * often on a closed door.
 *
 * No member is dropped from inside what its own connection tells: it goes to sleep from a task, and
 * only one that sleeps can turn out to be stale. */
#include "http/pool.h"
#include "http/connection.h"

#define MAX_MULTIPLEXED 4    /* connections that carry many exchanges each */
#define KNOCK_AGAIN_MS  1000 /* after another one of them could not be opened */
#define MAX_EARLY_ENDS  3 /* in a row: servers that shake hands and leave, as while they restart */

enum place {
    OPENING,
    IDLE,    /* carries nothing */
    ROOMY,   /* carries some, and can take more */
    FULL,    /* can take no more */
    LEAVING, /* will take no more */
    PLACES
};

struct member {
    struct ski_list link;
    struct ski_pool *pool;
    struct ski_connection *connection;
    enum place place;
    ski_timer timer; /* while opening: when to give up; while idle: when to close */
    int64_t due_ms;  /* what it is set to */
    bool asleep;     /* idle, and has let go of the loop */
};

struct ski_pool {
    struct ski_loop *loop;
    struct ski_pool_config config;
    struct ski_list members[PLACES]; /* the latest to get there first */
    unsigned count[PLACES];
    struct ski_list waiting; /* exchanges in order; their phase is QUEUE until they leave it */
    unsigned n_waiting;
    struct ski_list failing; /* exchanges about to be told so */
    uint64_t opened_ever;
    bool multiplexed, serial; /* what the latest connection turned out to be; at first neither */
    int64_t closed_until_ms;  /* HTTP/2 with connections to hope for: no other is opened before */
    unsigned early_ends;      /* since a connection opened */
    bool asleep;
    struct ski_task nap;         /* puts to sleep what is idle */
    struct ski_carrier *carrier; /* in place of all of this; NULL */
};

/* Those that will carry something yet. */
static unsigned count_members(const struct ski_pool *pool)
{
    return pool->count[OPENING] + pool->count[IDLE] + pool->count[ROOMY] + pool->count[FULL];
}

/* --- members ----------------------------------------------------------------------------------- */

static void put(struct member *member, enum place place)
{
    struct ski_pool *pool = member->pool;

    pool->count[member->place]--;
    pool->count[place]++;
    member->place = place;
    ski_list_push_front(&pool->members[place], &member->link);
}

static enum place place_of(const struct member *member)
{
    const struct ski_connection *connection = member->connection;

    if (ski_connection_is_leaving(connection))
        return LEAVING;
    if (ski_connection_load(connection) == 0)
        return IDLE;
    return ski_connection_room(connection) > 0 ? ROOMY : FULL;
}

static void set_timer(struct member *member, int64_t milliseconds)
{
    struct ski_loop *loop = member->pool->loop;

    member->due_ms = ski_loop_now(loop) + milliseconds;
    ski_timer_set(loop, member->timer, member->due_ms);
}

/* `why` NULL: it had served.  The log is the application's, and comes last. */
static void drop(struct member *member, const struct ski_failure *why)
{
    struct ski_pool *pool = member->pool;
    struct ski_loop *loop = pool->loop;

    ski_list_remove(&member->link);
    pool->count[member->place]--;
    ski_timer_free(loop, member->timer);
    ski_connection_free(member->connection);
    ski_free(&loop->mem, member);
    ski_log(&loop->log, SCALEKIT_LOG_INFO, "connection to %s closed: %s",
            pool->config.url->authority, why ? why->text : "no longer needed");
}

static const struct ski_connection_handler connection_handler;
static void on_timer(void *owner);

static bool open_member(struct ski_pool *pool)
{
    const struct ski_url *url = pool->config.url;
    struct ski_stream_target target = {url->host, url->port, pool->config.tls,
                                       pool->config.resolver};
    struct member *member = ski_zalloc(&pool->loop->mem, sizeof *member);

    if (!member)
        return false;
    member->pool = pool;
    member->place = OPENING;
    ski_list_init(&member->link);
    member->timer = ski_timer_new(pool->loop, on_timer, member);
    if (member->timer != SKI_NO_TIMER)
        member->connection =
            ski_connection_open(pool->loop, &target, url->authority, &connection_handler, member);
    if (!member->connection) {
        ski_timer_free(pool->loop, member->timer);
        ski_free(&pool->loop->mem, member);
        return false;
    }
    ski_list_push_front(&pool->members[OPENING], &member->link);
    pool->count[OPENING]++;
    set_timer(member, pool->config.connect_timeout_ms);
    return true;
}

/* After its connection took something on or let it go. */
static void settle(struct member *member)
{
    struct ski_pool *pool = member->pool;
    enum place place = place_of(member);

    if (place == member->place)
        return;
    if (member->place <= IDLE)
        ski_timer_clear(pool->loop, member->timer);
    put(member, place);
    if (place != IDLE)
        return;
    set_timer(member, pool->config.idle_timeout_ms);
    if (pool->asleep)
        ski_task_defer(pool->loop, &pool->nap);
}

static void carry(struct member *member, struct ski_exchange *exchange)
{
    ski_connection_start(member->connection, exchange);
    settle(member);
}

/* Whether an idle member can still be used. */
static bool wake(struct member *member)
{
    if (!member->asleep)
        return true;
    member->asleep = false;
    return member->due_ms > ski_loop_now(member->pool->loop) &&
           ski_connection_wake(member->connection);
}

/* One that can take an exchange, the last used first.  NULL: none. */
static struct member *find_room(struct ski_pool *pool)
{
    const struct ski_list *idle = &pool->members[IDLE], *roomy = &pool->members[ROOMY];

    /* One that is just being lost has no room any more. */
    for (struct ski_list *link = roomy->next; link != roomy; link = link->next) {
        struct member *member = SKI_CONTAINER(link, struct member, link);

        if (ski_connection_room(member->connection) > 0)
            return member;
    }
    for (struct ski_list *link = idle->next, *next; link != idle; link = next) {
        struct member *member = SKI_CONTAINER(link, struct member, link);

        next = link->next;
        if (!wake(member))
            drop(member, NULL);
        else if (ski_connection_room(member->connection) > 0)
            return member;
    }
    return NULL;
}

/* --- those that wait --------------------------------------------------------------------------- */

static struct ski_exchange *next_waiting(struct ski_pool *pool)
{
    struct ski_list *link = ski_list_pop_front(&pool->waiting);

    if (!link)
        return NULL;
    pool->n_waiting--;
    return SKI_CONTAINER(link, struct ski_exchange, link);
}

static void fail_next(struct ski_pool *pool, const struct ski_failure *failure)
{
    struct ski_exchange *exchange = next_waiting(pool);

    if (!exchange)
        return;
    exchange->phase = failure->phase;
    exchange->done(exchange, failure);
}

/* Those that wait now, and not those that are started meanwhile. */
static void fail_all(struct ski_pool *pool, const struct ski_failure *failure)
{
    struct ski_exchange *exchange;
    struct ski_list *link;

    while ((exchange = next_waiting(pool))) {
        exchange->phase = failure->phase;
        ski_list_push_back(&pool->failing, &exchange->link);
    }
    while ((link = ski_list_pop_front(&pool->failing))) {
        exchange = SKI_CONTAINER(link, struct ski_exchange, link);
        exchange->done(exchange, failure);
    }
}

/* How many connections there should be at most, and how many of them opening. */
static unsigned member_limit(const struct ski_pool *pool)
{
    unsigned limit = pool->config.max_connections;

    return pool->multiplexed && limit > MAX_MULTIPLEXED ? MAX_MULTIPLEXED : limit;
}

static unsigned opening_limit(const struct ski_pool *pool)
{
    return pool->serial ? pool->n_waiting : pool->n_waiting > 0;
}

static bool keeps_away(const struct ski_pool *pool)
{
    return count_members(pool) > 0 && ski_loop_now(pool->loop) < pool->closed_until_ms;
}

/* Opens as many connections as the waiting need and the limits allow. */
static void grow(struct ski_pool *pool)
{
    while (pool->count[OPENING] < opening_limit(pool) && count_members(pool) < member_limit(pool))
        if (keeps_away(pool) || !open_member(pool))
            return;
}

/* Gives those that wait what room there is. */
static void feed(struct ski_pool *pool)
{
    struct member *member;

    while (pool->n_waiting > 0 && (member = find_room(pool)))
        carry(member, next_waiting(pool));
}

/* A member that had opened is gone, or what it carried came back. */
static void replace(struct ski_pool *pool)
{
    struct ski_failure failure;

    feed(pool);
    grow(pool);
    if (pool->n_waiting > 0 && count_members(pool) == 0) {
        ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_CONNECT,
                 "out of memory for a connection");
        fail_all(pool, &failure);
    }
}

/* A member could not be opened. */
static void give_up(struct member *member, const struct ski_failure *failure)
{
    struct ski_pool *pool = member->pool;

    drop(member, failure);
    if (failure->code == SCALEKIT_ERR_NETWORK && ++pool->early_ends < MAX_EARLY_ENDS)
        replace(pool);
    else if (count_members(pool) == 0)
        fail_all(pool, failure);
    else if (pool->multiplexed)
        pool->closed_until_ms = ski_loop_now(pool->loop) + KNOCK_AGAIN_MS;
    else
        fail_next(pool, failure);
}

/* --- what connections and timers tell ---------------------------------------------------------- */

static void note_opened(struct member *member)
{
    struct ski_pool *pool = member->pool;

    pool->opened_ever++;
    pool->early_ends = 0;
    pool->multiplexed = ski_connection_is_multiplexed(member->connection);
    pool->serial = !pool->multiplexed;
    ski_log(&pool->loop->log, SCALEKIT_LOG_INFO, "connection to %s opened, HTTP/%s",
            pool->config.url->authority, pool->multiplexed ? "2" : "1.1");
}

static void on_ready(void *user, struct ski_connection *connection)
{
    struct member *member = user;
    struct ski_pool *pool = member->pool;
    bool fresh = member->place == OPENING;

    (void)connection;
    settle(member);
    if (fresh)
        note_opened(member);
    feed(pool);
    if (fresh || member->place == LEAVING)
        grow(pool);
}

/* To the front: it has waited before. */
static void on_returned(void *user, struct ski_connection *connection,
                        struct ski_exchange *exchange)
{
    struct member *member = user;
    struct ski_pool *pool = member->pool;

    (void)connection;
    exchange->phase = SCALEKIT_PHASE_QUEUE;
    ski_list_push_front(&pool->waiting, &exchange->link);
    pool->n_waiting++;
    settle(member);
    replace(pool);
}

static void on_ended(void *user, struct ski_connection *connection, bool opened,
                     const struct ski_failure *failure)
{
    struct member *member = user;
    struct ski_pool *pool = member->pool;
    struct ski_failure reason; /* the connection's own goes with it */

    (void)connection;
    if (failure)
        reason = *failure;
    if (!opened) {
        give_up(member, &reason);
        return;
    }
    drop(member, failure ? &reason : NULL);
    replace(pool);
}

static const struct ski_connection_handler connection_handler = {on_ready, on_returned, on_ended};

static void fail_timeout(struct member *member, struct ski_failure *failure)
{
    const struct ski_pool_config *config = &member->pool->config;
    enum scalekit_phase phase = ski_connection_phase(member->connection);
    scalekit_err code = SCALEKIT_ERR_CONNECT;
    const char *what = "connecting to";

    if (phase == SCALEKIT_PHASE_RESOLVE) {
        code = SCALEKIT_ERR_RESOLVE;
        what = "looking up";
    } else if (phase == SCALEKIT_PHASE_TLS) {
        code = SCALEKIT_ERR_TLS;
        what = "the TLS handshake with";
    } else if (phase == SCALEKIT_PHASE_SEND) {
        what = "the wait for the HTTP/2 SETTINGS of";
    }
    ski_fail(failure, code, phase, "%s %s did not finish within %lld ms", what, config->url->host,
             (long long)config->connect_timeout_ms);
}

static void on_timer(void *owner)
{
    struct member *member = owner;
    struct ski_pool *pool = member->pool;
    struct ski_failure failure;

    if (member->place == OPENING) {
        fail_timeout(member, &failure);
        give_up(member, &failure);
    } else {
        drop(member, NULL);
        replace(pool); /* its server may have had no room */
    }
}

static void on_nap(struct ski_task *task)
{
    struct ski_pool *pool = SKI_CONTAINER(task, struct ski_pool, nap);
    const struct ski_list *idle = &pool->members[IDLE];

    for (struct ski_list *link = idle->next; link != idle; link = link->next) {
        struct member *member = SKI_CONTAINER(link, struct member, link);

        member->asleep = true;
        ski_connection_sleep(member->connection);
    }
}

/* --- the outside ------------------------------------------------------------------------------- */

scalekit_err ski_pool_new(struct ski_pool **out, struct ski_loop *loop,
                          const struct ski_pool_config *config)
{
    struct ski_pool *pool = ski_zalloc(&loop->mem, sizeof *pool);

    *out = pool;
    if (!pool)
        return SCALEKIT_ERR_NOMEM;
    pool->loop = loop;
    pool->config = *config;
    pool->serial = config->serial;
    for (unsigned place = 0; place < PLACES; place++)
        ski_list_init(&pool->members[place]);
    ski_list_init(&pool->waiting);
    ski_list_init(&pool->failing);
    ski_task_init(&pool->nap, on_nap);
    return SCALEKIT_OK;
}

static void drop_all(struct ski_pool *pool, enum place place)
{
    struct ski_list *members = &pool->members[place];

    while (!ski_list_empty(members))
        drop(SKI_CONTAINER(members->next, struct member, link), NULL);
}

void ski_pool_free(struct ski_pool *pool)
{
    for (unsigned place = 0; place < PLACES; place++)
        drop_all(pool, place);
    ski_task_cancel(&pool->nap);
    ski_free(&pool->loop->mem, pool);
}

void ski_pool_use(struct ski_pool *pool, struct ski_carrier *carrier)
{
    pool->carrier = carrier;
}

static scalekit_err hand_over(struct ski_pool *pool, struct ski_exchange *exchange)
{
    exchange->phase = SCALEKIT_PHASE_WAIT;
    exchange->sent = true;
    pool->carrier->start(pool->carrier, exchange);
    return SCALEKIT_OK;
}

scalekit_err ski_pool_start(struct ski_pool *pool, struct ski_exchange *exchange)
{
    struct member *member = pool->n_waiting == 0 || exchange->urgent ? find_room(pool) : NULL;

    exchange->phase = SCALEKIT_PHASE_QUEUE;
    exchange->sent = exchange->refused = false;
    exchange->connection = NULL;
    if (pool->carrier)
        return hand_over(pool, exchange);
    if (member) {
        carry(member, exchange);
        return SCALEKIT_OK;
    }
    if (pool->n_waiting >= pool->config.max_queue && !exchange->urgent)
        return SCALEKIT_ERR_QUEUE_FULL;
    if (exchange->urgent)
        ski_list_push_front(&pool->waiting, &exchange->link);
    else
        ski_list_push_back(&pool->waiting, &exchange->link);
    pool->n_waiting++;
    grow(pool);
    if (count_members(pool) > 0)
        return SCALEKIT_OK;
    ski_list_remove(&exchange->link);
    pool->n_waiting--;
    return SCALEKIT_ERR_NOMEM;
}

void ski_pool_cancel(struct ski_pool *pool, struct ski_exchange *exchange)
{
    if (pool->carrier) {
        pool->carrier->cancel(pool->carrier, exchange);
    } else if (exchange->connection) {
        ski_connection_cancel(exchange->connection, exchange);
    } else if (ski_list_linked(&exchange->link)) {
        ski_list_remove(&exchange->link);
        pool->n_waiting -= exchange->phase == SCALEKIT_PHASE_QUEUE;
    }
}

void ski_pool_transfer(struct ski_pool *pool, struct ski_exchange *exchange)
{
    (void)pool;
    if (exchange->connection)
        ski_connection_transfer(exchange->connection, exchange);
}

enum scalekit_phase ski_pool_phase(const struct ski_pool *pool, const struct ski_exchange *exchange)
{
    const struct ski_list *opening = &pool->members[OPENING];
    bool others =
        pool->count[OPENING] < pool->n_waiting && pool->count[ROOMY] + pool->count[FULL] > 0;

    if (exchange->connection || ski_list_empty(opening) || others)
        return exchange->phase;
    /* It waits for nothing but a connection to open: the oldest tells best what is slow. */
    return ski_connection_phase(SKI_CONTAINER(opening->prev, struct member, link)->connection);
}

void ski_pool_sleep(struct ski_pool *pool)
{
    pool->asleep = true;
    if (pool->n_waiting == 0)
        drop_all(pool, OPENING);
    if (pool->count[IDLE] > 0)
        ski_task_defer(pool->loop, &pool->nap);
}

void ski_pool_wake(struct ski_pool *pool)
{
    const struct ski_list *idle = &pool->members[IDLE];

    pool->asleep = false;
    ski_task_cancel(&pool->nap);
    for (struct ski_list *link = idle->next, *next; link != idle; link = next) {
        struct member *member = SKI_CONTAINER(link, struct member, link);

        next = link->next;
        if (!wake(member))
            drop(member, NULL);
    }
}

void ski_pool_count(const struct ski_pool *pool, struct ski_pool_counts *counts)
{
    *counts = (struct ski_pool_counts){
        .open = pool->count[IDLE] + pool->count[ROOMY] + pool->count[FULL],
        .opening = pool->count[OPENING],
        .idle = pool->count[IDLE],
        .leaving = pool->count[LEAVING],
        .waiting = pool->n_waiting,
        .opened_ever = pool->opened_ever,
    };
}
