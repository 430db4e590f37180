/* Design.  A ring under a lock, and an eventfd that libevent listens to.  Both are made by the first
 * hold, at their full size: submitting then allocates nothing, so it cannot fail for want of memory
 * and calls no allocator on a thread that the allocator does not know.
 *
 * The eventfd is written when the ring gets its first entry and when the last hold goes; it is read,
 * which silences it, only when the ring was found empty.  So a wake-up cannot get lost: as long as
 * there is work each turn of the loop hears of it again, whatever became of the task.
 *
 * Who may touch what follows from the holds.  While there is one, other threads use the ring, the
 * count and the descriptor, under the lock.  The first one is taken on the client's thread, as only
 * that may call libevent.  A client that is freed while it is held leaves its memory to the last
 * release; everything else it takes along, on its own thread. */
#include "core/submit.h"
#include "core/client.h"
#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SUBMISSIONS_PER_TASK 64

/* --- under the lock ----------------------------------------------------------------------------- */

static void lock(struct ski_inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
}

static void unlock(struct ski_inbox *inbox)
{
    pthread_mutex_unlock(&inbox->lock);
}

/* Can only fail when the counter is full: it is readable then, too. */
static void wake(struct ski_inbox *inbox)
{
    eventfd_write(inbox->wake_fd, 1);
}

static scalekit_err put(struct ski_inbox *inbox, struct ski_submission submission)
{
    if (inbox->closed)
        return SCALEKIT_ERR_CLOSED;
    if (inbox->holds == 0)
        return SCALEKIT_ERR_INVALID;
    if (inbox->count == inbox->size)
        return SCALEKIT_ERR_QUEUE_FULL;
    inbox->ring[(inbox->first + inbox->count) % inbox->size] = submission;
    if (inbox->count++ == 0)
        wake(inbox);
    return SCALEKIT_OK;
}

static bool take(struct ski_inbox *inbox, struct ski_submission *submission)
{
    bool found;

    lock(inbox);
    found = inbox->count > 0;
    if (found) {
        *submission = inbox->ring[inbox->first];
        inbox->first = (inbox->first + 1) % inbox->size;
        inbox->count--;
    }
    unlock(inbox);
    return found;
}

/* Silences the descriptor if nothing waits.  Returns whether nobody can make it speak again. */
static bool rest(struct ski_inbox *inbox)
{
    eventfd_t ignored;
    bool idle;

    lock(inbox);
    if (inbox->count == 0)
        eventfd_read(inbox->wake_fd, &ignored);
    idle = inbox->count == 0 && inbox->holds == 0;
    unlock(inbox);
    return idle;
}

/* --- on the client's thread ---------------------------------------------------------------------- */

static bool wake_up(struct ski_inbox *inbox, struct ski_loop *loop)
{
    if (inbox->awake)
        return true;
    if (event_add(inbox->event, NULL) != 0)
        return false;
    inbox->awake = true;
    ski_loop_hold(loop);
    return true;
}

static void fall_asleep(struct ski_inbox *inbox, struct ski_loop *loop)
{
    if (!inbox->awake)
        return;
    event_del(inbox->event);
    inbox->awake = false;
    ski_loop_release(loop);
}

/* Runs a share of what waits; the descriptor brings it back for the rest. */
static void run_submissions(struct ski_task *task)
{
    struct ski_inbox *inbox = SKI_CONTAINER(task, struct ski_inbox, task);
    scalekit_client *client = SKI_CONTAINER(inbox, scalekit_client, inbox);
    struct ski_submission next;

    ski_client_enter(client);
    for (int i = 0; i < SUBMISSIONS_PER_TASK && !client->closing && take(inbox, &next); i++)
        next.function(client, next.user);
    if (!client->closing && rest(inbox))
        fall_asleep(inbox, &client->loop);
    ski_client_leave(client);
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
    scalekit_client *client = user;

    (void)fd;
    (void)what;
    ski_task_defer(&client->loop, &client->inbox.task);
}

/* What the first hold needs; what is left of an attempt that failed is used by the next one. */
static bool open_inbox(scalekit_client *client)
{
    struct ski_inbox *inbox = &client->inbox;
    unsigned size = client->config.max_submitted;

    if (!inbox->ring)
        inbox->ring = ski_realloc_array(&client->loop.mem, NULL, size, sizeof *inbox->ring);
    if (!inbox->ring)
        return false;
    inbox->size = size;
    if (inbox->wake_fd < 0)
        inbox->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->wake_fd >= 0 && !inbox->event)
        inbox->event =
            event_new(client->loop.base, inbox->wake_fd, EV_READ | EV_PERSIST, on_wake, client);
    return inbox->event != NULL;
}

/* --- life ---------------------------------------------------------------------------------------- */

scalekit_err ski_inbox_init(struct ski_inbox *inbox)
{
    *inbox = (struct ski_inbox){.wake_fd = -1};
    ski_task_init(&inbox->task, run_submissions);
    return pthread_mutex_init(&inbox->lock, NULL) == 0 ? SCALEKIT_OK : SCALEKIT_ERR_NOMEM;
}

void ski_inbox_close(struct ski_inbox *inbox)
{
    lock(inbox);
    inbox->closed = true;
    unlock(inbox);
}

void ski_inbox_flush(struct ski_inbox *inbox)
{
    struct ski_submission next;

    while (take(inbox, &next))
        next.function(NULL, next.user);
}

void ski_inbox_dismantle(struct ski_inbox *inbox, struct ski_loop *loop)
{
    fall_asleep(inbox, loop);
    ski_task_cancel(&inbox->task);
    if (inbox->event)
        event_free(inbox->event);
    if (inbox->wake_fd >= 0)
        close(inbox->wake_fd);
    ski_free(&loop->mem, inbox->ring);
    inbox->event = NULL;
}

bool ski_inbox_free(struct ski_inbox *inbox)
{
    bool held;

    lock(inbox);
    held = inbox->holds > 0;
    inbox->abandoned = true;
    unlock(inbox);
    if (!held)
        pthread_mutex_destroy(&inbox->lock);
    return !held;
}

/* --- for everybody ------------------------------------------------------------------------------- */

/* Nobody but the client's thread takes the first hold, so between the locks nothing changes then. */
scalekit_err scalekit_client_hold(scalekit_client *client)
{
    struct ski_inbox *inbox;
    scalekit_err err;
    bool first;

    if (!client)
        return SCALEKIT_ERR_INVALID;
    inbox = &client->inbox;
    lock(inbox);
    err = inbox->closed ? SCALEKIT_ERR_CLOSED : SCALEKIT_OK;
    first = err == SCALEKIT_OK && inbox->holds == 0;
    if (err == SCALEKIT_OK && !first)
        inbox->holds++;
    unlock(inbox);
    if (!first)
        return err;
    if (!open_inbox(client) || !wake_up(inbox, &client->loop))
        return SCALEKIT_ERR_NOMEM;
    lock(inbox);
    inbox->holds++;
    unlock(inbox);
    return SCALEKIT_OK;
}

void scalekit_client_release(scalekit_client *client)
{
    struct ski_inbox *inbox;
    bool last;

    if (!client)
        return;
    inbox = &client->inbox;
    lock(inbox);
    last = --inbox->holds == 0;
    if (last && !inbox->closed)
        wake(inbox);
    last = last && inbox->abandoned;
    unlock(inbox);
    if (last) {
        struct ski_mem mem = client->loop.mem;

        pthread_mutex_destroy(&inbox->lock);
        ski_free(&mem, client);
    }
}

scalekit_err scalekit_submit(scalekit_client *client, scalekit_submit_cb function, void *user)
{
    scalekit_err err;

    if (!client || !function)
        return SCALEKIT_ERR_INVALID;
    lock(&client->inbox);
    err = put(&client->inbox, (struct ski_submission){function, user});
    unlock(&client->inbox);
    return err;
}
