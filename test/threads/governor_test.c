/* One governor for clients on several threads, each with a loop of its own, against the emulator. */
#include "environment.h"
#include <event2/event.h>
#include <pthread.h>
#include <scalekit/governor.h>
#include <unistd.h>

#define THREADS 4
#define LOOKS   75   /* of each */
#define CEILING 6000 /* the bucket has 200 to begin with: the rest waits for a second or so */

struct worker {
    pthread_t thread;
    struct scalekit_config config;
    int ended; /* where to say so */
    unsigned looked, failed;
};

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct worker *worker = user;

    (void)request;
    if (account)
        worker->looked++;
    else
        worker->failed++;
}

/* No assertions here: they are for the thread of the tests. */
static void *work(void *user)
{
    struct worker *worker = user;
    struct event_base *base = event_base_new();
    scalekit_client *client = NULL;

    if (base && scalekit_client_new(&client, base, &worker->config, NULL) == SCALEKIT_OK) {
        for (int i = 0; i < LOOKS; i++)
            scalekit_get_connected_account_details(client,
                                                   SCALEKIT_PARAMS(scalekit_account_key,
                                                                   .connection_name = "gmail",
                                                                   .identifier = "user_1"),
                                                   on_account, worker);
        event_base_dispatch(base); /* until nothing is pending */
    }
    scalekit_client_free(client);
    if (base)
        event_base_free(base);
    if (write(worker->ended, "", 1) != 1)
        worker->failed++;
    return NULL;
}

static void on_end(evutil_socket_t fd, short what, void *user)
{
    char byte;

    (void)what;
    if (read(fd, &byte, 1) == 1)
        ++*(unsigned *)user;
}

/* The emulator answers here, until all threads have ended. */
static void run_workers(struct environment *env, struct worker workers[THREADS], int ends[2])
{
    unsigned ended = 0;
    struct event *event = event_new(env->base, ends[0], EV_READ | EV_PERSIST, on_end, &ended);

    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    event_add(event, NULL);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    while (ended < THREADS)
        event_base_loop(env->base, EVLOOP_ONCE);
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    event_free(event);
}

static void threads_share_one(void)
{
    struct worker workers[THREADS];
    struct scalekit_governor_stats stats;
    struct scalekit_emulator_stats asked;
    struct environment env;
    scalekit_governor *governor;
    int ends[2];

    environment_init(&env, NULL);
    CU_ASSERT_FATAL(scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "ACTIVE"));
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_EQUAL_FATAL(scalekit_governor_new(&governor,
                                                SCALEKIT_PARAMS(scalekit_governor_config,
                                                                .max_requests_per_minute = CEILING),
                                                NULL),
                          SCALEKIT_OK);
    for (int i = 0; i < THREADS; i++)
        workers[i] = (struct worker){
            .ended = ends[1],
            .config = {.struct_size = sizeof workers[i].config,
                       .env_url = scalekit_emulator_url(env.emulator),
                       .client_id = scalekit_emulator_client_id(env.emulator),
                       .client_secret = scalekit_emulator_client_secret(env.emulator),
                       .ca_file = scalekit_emulator_ca_file(env.emulator),
                       .governor = governor},
        };
    run_workers(&env, workers, ends);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(workers[i].looked, LOOKS);
        CU_ASSERT_EQUAL(workers[i].failed, 0);
    }
    scalekit_governor_get_stats(governor, &stats);
    scalekit_emulator_stats(env.emulator, &asked);
    CU_ASSERT_EQUAL(stats.clients, 0);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_INTERACTIVE], THREADS * LOOKS);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_TOKEN], THREADS);
    CU_ASSERT_EQUAL(asked.requests, THREADS * (LOOKS + 1));
    scalekit_governor_free(governor);
    close(ends[0]);
    close(ends[1]);
    environment_free(&env);
}

SUITE(thread_governor, {"clients on several threads share one", threads_share_one})
