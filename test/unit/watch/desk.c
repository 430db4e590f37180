#include "unit/watch/desk.h"
#include "core/client.h"

static enum desk_kind kind_of(const struct ski_exchange *exchange)
{
    if (realm_is_feed(exchange))
        return DESK_FEED;
    if (strncmp(exchange->target, "/api/v1/connected_accounts/details?", 35) == 0)
        return DESK_LOOK_UP;
    if (strncmp(exchange->target, "/api/v1/connected_accounts?", 27) == 0)
        return DESK_LIST;
    return DESK_OTHER;
}

static void start(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct desk *desk = SKI_CONTAINER(carrier, struct desk, carrier);
    enum desk_kind kind = kind_of(exchange);

    exchange->sent = true;
    desk->asked[kind]++;
    referee_say(desk->referee, "   asked %s %s", exchange->method, exchange->target);
    ski_list_push_back(&desk->waiting, &exchange->link);
    if (desk->on_ask)
        desk->on_ask(desk, kind, exchange);
}

static void cancel(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    (void)carrier;
    ski_list_remove(&exchange->link);
}

void desk_open(struct desk *desk, struct referee *referee)
{
    *desk = (struct desk){.carrier = {start, cancel}, .referee = referee, .as_of_ms = INT64_MAX};
    ski_list_init(&desk->waiting);
    ski_pool_use(referee->client->pool, &desk->carrier);
}

unsigned desk_waiting(const struct desk *desk, enum desk_kind kind)
{
    unsigned n = 0;

    for (const struct ski_list *node = desk->waiting.next; node != &desk->waiting;
         node = node->next)
        n += kind_of(SKI_CONTAINER(node, const struct ski_exchange, link)) == kind;
    return n;
}

static void answer(struct desk *desk, struct ski_exchange *exchange, int64_t as_of_ms)
{
    struct realm *realm = desk->referee->realm;

    ski_list_remove(&exchange->link);
    referee_say(desk->referee, "   answer %s %s as of %lld", exchange->method, exchange->target,
                (long long)as_of_ms);
    realm->as_of_ms = earlier(as_of_ms, realm_now(realm));
    realm_answer(realm, exchange);
    realm->as_of_ms = INT64_MAX;
    exchange->done(exchange, NULL);
}

bool desk_answer(struct desk *desk, enum desk_kind kind, int64_t as_of_ms)
{
    for (struct ski_list *node = desk->waiting.next; node != &desk->waiting; node = node->next) {
        struct ski_exchange *exchange = SKI_CONTAINER(node, struct ski_exchange, link);

        if (kind_of(exchange) != kind)
            continue;
        answer(desk, exchange, as_of_ms);
        referee_settle(desk->referee);
        return true;
    }
    return false;
}

void desk_hold(struct desk *desk, bool holds)
{
    for (int kind = 0; kind < DESK_KINDS; kind++)
        desk->holds[kind] = holds;
}

static void answer_all(struct desk *desk)
{
    for (int kind = 0; kind < DESK_KINDS;)
        if (desk->holds[kind] || !desk_answer(desk, (enum desk_kind)kind, desk->as_of_ms))
            kind++;
        else
            kind = 0;
}

void desk_pass(struct desk *desk, int64_t end_ms)
{
    bool more = true;

    referee_settle(desk->referee);
    answer_all(desk);
    while (more && desk->referee->client) {
        more = referee_step(desk->referee, end_ms);
        answer_all(desk);
    }
}

bool desk_await(struct desk *desk, enum desk_kind kind, int64_t end_ms)
{
    referee_settle(desk->referee);
    while (!desk_waiting(desk, kind) && referee_step(desk->referee, end_ms))
        answer_all(desk);
    return desk_waiting(desk, kind) > 0;
}
