/* submit.h - the inbox of a client: functions that other threads want run on its loop. */
#ifndef SKI_CORE_SUBMIT_H
#define SKI_CORE_SUBMIT_H

#include "base/loop.h"
#include <pthread.h>
#include <scalekit/submit.h>

struct ski_submission {
    scalekit_submit_cb function;
    void *user;
};

struct ski_inbox {
    pthread_mutex_t lock; /* of what follows; never held across a call of the application */
    struct ski_submission *ring;
    unsigned size, first, count;
    unsigned holds;
    int wake_fd;    /* an eventfd, readable while something is to be done; -1: not open */
    bool closed;    /* nothing is accepted any more */
    bool abandoned; /* the client is gone but for its memory, which the last hold keeps */

    /* For the client's thread alone. */
    struct event *event; /* of wake_fd */
    struct ski_task task;
    bool awake; /* the event is on the base, and the loop is held */
};

/* SCALEKIT_OK, or SCALEKIT_ERR_NOMEM: then there is nothing to free. */
scalekit_err ski_inbox_init(struct ski_inbox *inbox);

/* From now on nothing is accepted. */
void ski_inbox_close(struct ski_inbox *inbox);
/* Runs what still waits in a closed inbox, with a client of NULL. */
void ski_inbox_flush(struct ski_inbox *inbox);
/* Leaves the loop, and gives everything back but the lock and the count of holds. */
void ski_inbox_dismantle(struct ski_inbox *inbox, struct ski_loop *loop);
/* Whether the memory around it can go now; if not, the last scalekit_client_release() frees it. */
bool ski_inbox_free(struct ski_inbox *inbox);

#endif
