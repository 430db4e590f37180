/* Threads that submit to one client: while it runs, while it ends, and when it is gone. */
#include "crew.h"
#include <sched.h>
#include <semaphore.h>

#define ERRANDS 3000 /* of each worker */
#define ROUNDS  100  /* of what only goes wrong now and then */

static struct errand errands[CREW][ERRANDS];

static struct errand *errand_of(struct worker *worker)
{
    struct errand *errand = &errands[worker->number][worker->accepted];

    *errand = (struct errand){worker, worker->accepted};
    return errand;
}

/* --- while it runs ----------------------------------------------------------------------------- */

#define PLACES 16

static sem_t places; /* as many as the queue has */

static void run_and_make_room(scalekit_client *client, void *user)
{
    const struct errand *errand = user;

    errand->worker->wrong += client != errand->worker->client;
    errand_ran(errand);
    sem_post(&places);
}

static void *submit_all(void *user)
{
    struct worker *worker = user;
    scalekit_client *client = worker->client;

    while (worker->accepted < ERRANDS) {
        struct errand *errand = errand_of(worker);

        sem_wait(&places);
        if (scalekit_submit(client, run_and_make_room, errand) != SCALEKIT_OK)
            break;
        worker->accepted++;
    }
    scalekit_client_release(client);
    return NULL;
}

/* Each of the crew submits all its errands, by itself or by another. */
static void submit_by(void *(*work)(void *worker))
{
    struct crew crew;

    CU_ASSERT_EQUAL_FATAL(sem_init(&places, 0, PLACES), 0);
    crew_open(&crew, PLACES);
    crew_start(&crew, work);
    crew_run(&crew);
    crew_join(&crew);
    for (int i = 0; i < CREW; i++)
        CU_ASSERT_EQUAL(crew.workers[i].accepted, ERRANDS);
    crew_close(&crew);
    sem_destroy(&places);
}

static void once_in_order_on_the_loop(void)
{
    submit_by(submit_all);
}

/* Holds once more for a thread of its own, and leaves before that one. */
static void *pass_on(void *user)
{
    struct worker *worker = user;
    scalekit_client *client = worker->client;
    pthread_t heir;

    if (scalekit_client_hold(client) == SCALEKIT_OK &&
        pthread_create(&heir, NULL, submit_all, worker) == 0) {
        scalekit_client_release(client);
        pthread_join(heir, NULL);
    }
    return NULL;
}

static void a_hold_can_be_passed_on(void)
{
    submit_by(pass_on);
}

static void *only_release(void *user)
{
    scalekit_client_release(((struct worker *)user)->client);
    return NULL;
}

static void the_last_release_ends_the_loop(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct crew crew;

        crew_open(&crew, 0);
        crew_start(&crew, only_release);
        crew_run(&crew);
        crew_join(&crew);
        crew_close(&crew);
    }
}

/* --- while it ends ----------------------------------------------------------------------------- */

static void run_once(scalekit_client *client, void *user)
{
    (void)client;
    errand_ran(user);
}

static void run_and_free(scalekit_client *client, void *user)
{
    errand_ran(user);
    scalekit_client_free(client); /* NULL once it is freed */
}

/* Until the client is gone, which the fiftieth that runs sees to: the queue is short. */
static void *submit_until_closed(void *user)
{
    struct worker *worker = user;
    scalekit_client *client = worker->client;
    scalekit_err err = SCALEKIT_OK;

    while (err != SCALEKIT_ERR_CLOSED && worker->accepted < ERRANDS) {
        err = scalekit_submit(client, worker->accepted == 50 ? run_and_free : run_once,
                              errand_of(worker));
        worker->accepted += err == SCALEKIT_OK;
        if (err == SCALEKIT_ERR_QUEUE_FULL)
            sched_yield();
    }
    scalekit_client_release(client);
    return NULL;
}

static void freed_by_a_function_while_threads_submit(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct crew crew;

        crew_open(&crew, 8);
        crew_start(&crew, submit_until_closed);
        crew_run(&crew);
        crew_join(&crew);
        crew.client = NULL;
        crew_close(&crew);
    }
}

/* A few, and leaves; what was accepted runs on the loop or when the client is freed. */
static void *submit_a_few(void *user)
{
    struct worker *worker = user;
    scalekit_client *client = worker->client;

    while (worker->accepted < 5 &&
           scalekit_submit(client, run_once, errand_of(worker)) == SCALEKIT_OK)
        worker->accepted++;
    scalekit_client_release(client);
    return NULL;
}

static void freed_outside_the_loop_while_threads_submit(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct crew crew;

        crew_open(&crew, 0);
        crew_start(&crew, submit_a_few);
        for (int turns = i % 3; turns > 0; turns--)
            event_base_loop(crew.base, EVLOOP_NONBLOCK);
        scalekit_client_free(crew.client);
        crew.client = NULL;
        crew_join(&crew);
        crew_close(&crew);
    }
}

SUITE(thread_submit,
      {"functions of many threads run once, in order, on the loop", once_in_order_on_the_loop},
      {"a hold can be passed on", a_hold_can_be_passed_on},
      {"the last release lets the loop return", the_last_release_ends_the_loop},
      {"a function frees the client while threads submit",
       freed_by_a_function_while_threads_submit},
      {"the client is freed outside the loop while threads submit",
       freed_outside_the_loop_while_threads_submit})
