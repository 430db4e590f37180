/* crew.h - a client on the main thread's loop, and threads that submit to it. */
#ifndef TEST_THREADS_CREW_H
#define TEST_THREADS_CREW_H

#include "harness.h"
#include <event2/event.h>
#include <pthread.h>
#include <scalekit/scalekit.h>
#include <stdatomic.h>

#define CREW 4 /* threads */

struct crew;

struct worker {
    struct crew *crew;
    scalekit_client *client; /* the crew's */
    int number;
    pthread_t thread;
    unsigned accepted; /* its own: how many submissions were */
    unsigned ran;      /* the loop's: how many of them ran */
    unsigned wrong;    /* the loop's: ran on another thread, or out of order */
};

struct crew {
    struct event_base *base;
    scalekit_client *client;
    pthread_t loop_thread;
    atomic_long live; /* blocks of the client's memory; it may end on any thread */
    struct worker workers[CREW];
    struct scalekit_allocator allocator;
};

/* Makes the client, and holds it once for each worker. */
void crew_open(struct crew *crew, unsigned max_submitted);
void crew_start(struct crew *crew, void *(*work)(void *worker));
void crew_run(struct crew *crew);  /* the loop, until it returns by itself */
void crew_join(struct crew *crew); /* asserts that all that was accepted ran, and nothing wrongly */
/* Frees what is left; asserts that no memory is. */
void crew_close(struct crew *crew);

/* One submission: its worker, and its number among the worker's. */
struct errand {
    struct worker *worker;
    unsigned number;
};

/* To be called by every function submitted: notes that it ran, and where. */
void errand_ran(const struct errand *errand);

#endif
