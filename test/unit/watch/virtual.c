#include "virtual.h"
#include "core/client.h"

/* The service runs on the same loop: an answer that comes at all comes far sooner. */
#define SILENCE_US 10000

int64_t virtual_now(const struct fixture *f)
{
    return f->clock.monotonic_us / 1000;
}

/* Rather than for the service, or its turn.  A flow's step is pending too, and tells. */
static bool waits_for_time(const scalekit_request *request)
{
    switch (request->state) {
    case SKI_PAUSED:
    case SKI_GATE:
    case SKI_FLOWING:
        return true;
    case SKI_TOKEN:
        return request->client->token.state == SKI_TOKEN_PAUSED ||
               request->client->token.state == SKI_TOKEN_WAITING;
    default:
        return false;
    }
}

static bool is_busy(const scalekit_client *client)
{
    const struct ski_list *head;

    if (!client || !ski_list_empty(&client->loop.tasks))
        return client;
    head = &client->pending;
    for (const struct ski_list *node = head->next; node != head; node = node->next)
        if (!waits_for_time(SKI_CONTAINER(node, const scalekit_request, link)))
            return true;
    return false;
}

/* Changes when some request gets on. */
static uint64_t progress(const scalekit_client *client)
{
    const struct ski_list *head = client ? &client->pending : NULL;
    uint64_t sum = 0;

    for (const struct ski_list *node = head ? head->next : NULL; node != head; node = node->next) {
        const scalekit_request *request = SKI_CONTAINER(node, const scalekit_request, link);

        sum = sum * 31 + (uint64_t)request->state + 8 * (uint64_t)request->attempts + 1;
    }
    return sum;
}

static void on_silence(evutil_socket_t fd, short what, void *silent)
{
    (void)fd;
    (void)what;
    *(bool *)silent = true;
}

void virtual_settle(struct fixture *f)
{
    static const struct timeval patience = {0, SILENCE_US};
    bool silent = false;
    struct event *timer = evtimer_new(f->base, on_silence, &silent);
    uint64_t before;

    CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
    fixture_turn(f);
    while (is_busy(f->client)) {
        before = progress(f->client);
        silent = false;
        evtimer_add(timer, &patience);
        event_base_loop(f->base, EVLOOP_ONCE);
        fixture_turn(f);
        if (silent && progress(f->client) == before)
            break;
    }
    event_free(timer);
}

bool virtual_step(struct fixture *f, int64_t end_ms)
{
    int64_t now = virtual_now(f), next;

    virtual_settle(f);
    if (now >= end_ms)
        return false;
    next = scalekit_client_next_timer(f->client);
    next = next < end_ms * 1000 ? next / 1000 : end_ms;
    if (next > now)
        test_clock_advance_ms(&f->clock, next - now);
    scalekit_client_run_timers(f->client);
    virtual_settle(f);
    return true;
}

void virtual_pass(struct fixture *f, int64_t milliseconds)
{
    int64_t end = virtual_now(f) + milliseconds;

    while (virtual_step(f, end))
        ;
}

void virtual_until(struct fixture *f, const bool *done, int64_t limit_ms)
{
    int64_t end = virtual_now(f) + limit_ms;

    virtual_settle(f);
    while (!*done && virtual_step(f, end))
        ;
    if (!*done)
        CU_FAIL("did not happen in time");
}
