#include "waiter.h"
#include <stdlib.h>

const struct bench_waiter bench_waiters[] = {
    {.name = "each watch by itself, every 3 s", .first_ms = 3000, .interval_ms = 3000},
    {.name = "Composio, 60 s", .interval_ms = 1000, .deadline_ms = 60000},
    {.name = "Composio, 600 s", .interval_ms = 1000, .deadline_ms = 600000},
    {.name = "Nango, 10 s, 2 s, 30 tries", .first_ms = 10000, .interval_ms = 2000, .tries = 30},
    {.name = "RFC 8628, every 5 s", .first_ms = 5000, .interval_ms = 5000},
    {.name = "Smithy, 2 to 120 s", .interval_ms = 2000, .most_ms = 120000},
    {.name = "Smithy, 2 to 30 s", .interval_ms = 2000, .most_ms = 30000},
};
const size_t bench_n_waiters = sizeof bench_waiters / sizeof *bench_waiters;

/* The pause after `asked` requests, with that much time left. */
static int64_t pause_after(const struct bench_waiter *waiter, unsigned asked, int64_t left_ms,
                           struct bench_dice *dice)
{
    int64_t least = waiter->interval_ms, most = least, pause;

    if (!waiter->most_ms)
        return least;
    for (unsigned i = 1; i < asked && most < waiter->most_ms; i++)
        most *= 2;
    most = most < waiter->most_ms ? most : waiter->most_ms;
    pause = bench_throw_range(dice, least, most);
    return left_ms - pause <= least && left_ms > 0 ? left_ms : pause;
}

static void wait_for(const struct bench_waiter *waiter, const struct bench_user *user,
                     int64_t patience_ms, struct bench_dice *dice, struct bench_tally *tally)
{
    int64_t deadline = waiter->deadline_ms ? waiter->deadline_ms : patience_ms;
    int64_t end = user->start_ms + deadline, at = user->start_ms + waiter->first_ms;

    for (unsigned asked = 1; at <= end; asked++) {
        bench_tally_request(tally, at);
        if (user->consent_ms <= at) {
            bench_tally_delay(tally, at - user->consent_ms);
            return;
        }
        if (asked == waiter->tries)
            break;
        at += pause_after(waiter, asked, end - at, dice);
    }
    tally->missed += user->consent_ms != BENCH_NEVER;
}

struct bench_figures bench_waiter_run(const struct bench_waiter *waiter,
                                      const struct bench_crowd *crowd, uint64_t seed)
{
    struct bench_dice dice = bench_dice_of(seed, "waiter");
    struct bench_figures figures;
    struct bench_tally tally;

    bench_tally_init(&tally);
    for (unsigned i = 0; i < crowd->n; i++)
        wait_for(waiter, &crowd->users[i], crowd->habits.patience_ms, &dice, &tally);
    figures = bench_tally_figures(&tally);
    bench_tally_free(&tally);
    return figures;
}

/* --- under a ceiling --------------------------------------------------------------------------- */

/* Users in the order they were looked at; a user is in it once. */
struct queue {
    unsigned *users;
    unsigned first, n, room;
};

static void push(struct queue *queue, unsigned user)
{
    queue->users[(queue->first + queue->n++) % queue->room] = user;
}

static unsigned pop(struct queue *queue)
{
    unsigned user = queue->users[queue->first];

    queue->first = (queue->first + 1) % queue->room;
    queue->n--;
    return user;
}

/* Looks at the first.  Back into the queue with those who may consent yet. */
static void look(struct queue *queue, const struct bench_crowd *crowd, int64_t now_ms,
                 struct bench_tally *tally)
{
    unsigned number = pop(queue);
    const struct bench_user *user = &crowd->users[number];

    bench_tally_request(tally, now_ms);
    if (user->consent_ms <= now_ms)
        bench_tally_delay(tally, now_ms - user->consent_ms);
    else if (now_ms < user->start_ms + crowd->habits.patience_ms)
        push(queue, number);
}

struct bench_figures bench_queue_run(unsigned per_minute, const struct bench_crowd *crowd)
{
    struct queue queue = {.users = bench_zalloc(crowd->n, sizeof *queue.users), .room = crowd->n};
    struct bench_figures figures;
    struct bench_tally tally;
    unsigned started = 0;

    bench_tally_init(&tally);
    for (int64_t turn = 0; started < crowd->n || queue.n > 0; turn++) {
        int64_t now_ms = turn * 60000 / per_minute;

        while (started < crowd->n && crowd->users[started].start_ms <= now_ms)
            push(&queue, started++);
        if (queue.n > 0)
            look(&queue, crowd, now_ms, &tally);
    }
    figures = bench_tally_figures(&tally);
    bench_tally_free(&tally);
    free(queue.users);
    return figures;
}
