#include "crew.h"
#include <stdlib.h>

static void *count_malloc(size_t size, void *live)
{
    void *memory = malloc(size);

    if (memory)
        atomic_fetch_add((atomic_long *)live, 1);
    return memory;
}

static void *count_realloc(void *old, size_t size, void *live)
{
    void *memory = realloc(old, size);

    if (memory && !old)
        atomic_fetch_add((atomic_long *)live, 1);
    return memory;
}

static void count_free(void *memory, void *live)
{
    atomic_fetch_sub((atomic_long *)live, 1);
    free(memory);
}

void crew_open(struct crew *crew, unsigned max_submitted)
{
    *crew = (struct crew){
        .base = event_base_new(),
        .loop_thread = pthread_self(),
        .allocator = {count_malloc, count_realloc, count_free, &crew->live},
    };
    CU_ASSERT_PTR_NOT_NULL_FATAL(crew->base);
    CU_ASSERT_EQUAL_FATAL(
        scalekit_client_new(&crew->client, crew->base,
                            SCALEKIT_PARAMS(scalekit_config, .env_url = "http://127.0.0.1:1",
                                            .client_id = "skc_1", .client_secret = "secret",
                                            .max_submitted = max_submitted,
                                            .allocator = &crew->allocator),
                            NULL),
        SCALEKIT_OK);
    for (int i = 0; i < CREW; i++) {
        crew->workers[i] = (struct worker){.crew = crew, .client = crew->client, .number = i};
        CU_ASSERT_EQUAL_FATAL(scalekit_client_hold(crew->client), SCALEKIT_OK);
    }
}

void crew_start(struct crew *crew, void *(*work)(void *worker))
{
    for (int i = 0; i < CREW; i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&crew->workers[i].thread, NULL, work, &crew->workers[i]), 0);
}

void crew_run(struct crew *crew)
{
    CU_ASSERT_EQUAL(event_base_dispatch(crew->base), 1);
}

void crew_join(struct crew *crew)
{
    for (int i = 0; i < CREW; i++) {
        const struct worker *worker = &crew->workers[i];

        CU_ASSERT_EQUAL(pthread_join(worker->thread, NULL), 0);
        CU_ASSERT_EQUAL(worker->ran, worker->accepted);
        CU_ASSERT_EQUAL(worker->wrong, 0);
    }
}

void crew_close(struct crew *crew)
{
    scalekit_client_free(crew->client);
    event_base_free(crew->base);
    CU_ASSERT_EQUAL(atomic_load(&crew->live), 0);
}

void errand_ran(const struct errand *errand)
{
    struct worker *worker = errand->worker;

    if (!pthread_equal(pthread_self(), worker->crew->loop_thread) ||
        errand->number != worker->ran++)
        worker->wrong++;
}
