#include "harness.h"
#include <dirent.h>
#include <event2/event.h>
#include <stdlib.h>

/* --- running ----------------------------------------------------------------------------------- */

static int descriptors_before;
static unsigned tests_run, tests_failed;

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    if (!dir)
        return -1;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void on_start(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    descriptors_before = count_descriptors();
}

static void on_complete(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
    int now = count_descriptors();

    tests_run++;
    if (!failure && now <= descriptors_before)
        return;
    tests_failed++;
    printf("FAILED %s: %s\n", suite->pName, test->pName);
    for (CU_pFailureRecord f = failure; f; f = f->pNext)
        printf("    %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
    if (now > descriptors_before)
        printf("    left %d descriptors open\n", now - descriptors_before);
    fflush(stdout);
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(name, argv[i]) == 0)
            return true;
    return argc <= 1;
}

int harness_run(const struct harness_suite *suites, int argc, char **argv)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    for (const struct harness_suite *s = suites; s->name; s++) {
        CU_SuiteInfo info[] = {{s->name, NULL, NULL, NULL, NULL, s->tests}, CU_SUITE_INFO_NULL};

        if (wanted(s->name, argc, argv) && CU_register_suites(info) != CUE_SUCCESS) {
            fprintf(stderr, "%s: %s\n", s->name, CU_get_error_msg());
            return 1;
        }
    }
    CU_set_test_start_handler(on_start);
    CU_set_test_complete_handler(on_complete);
    CU_run_all_tests();
    CU_cleanup_registry();
    printf("%u passed, %u failed\n", tests_run - tests_failed, tests_failed);
    return tests_failed || !tests_run;
}

/* --- memory ------------------------------------------------------------------------------------ */

static bool refuse(struct test_memory *memory)
{
    memory->count++;
    if (!memory->fail_at)
        return false;
    return memory->count == memory->fail_at ||
           (memory->fail_after && memory->count > memory->fail_at);
}

static void *memory_malloc(size_t size, void *user)
{
    struct test_memory *memory = user;
    void *block = refuse(memory) ? NULL : malloc(size);

    if (block)
        memory->live++;
    return block;
}

static void *memory_realloc(void *old, size_t size, void *user)
{
    struct test_memory *memory = user;
    void *block = refuse(memory) ? NULL : realloc(old, size);

    if (block && !old)
        memory->live++;
    return block;
}

static void memory_free(void *block, void *user)
{
    struct test_memory *memory = user;

    if (block)
        memory->live--;
    free(block);
}

void test_memory_init(struct test_memory *memory)
{
    *memory = (struct test_memory){
        .allocator = {memory_malloc, memory_realloc, memory_free, memory},
    };
}

long test_every_allocation(bool (*body)(struct test_memory *memory, void *user), void *user)
{
    struct test_memory memory;
    long runs = 0;

    for (long fail_at = 1;; fail_at++) {
        bool through;

        test_memory_init(&memory);
        memory.fail_at = fail_at;
        through = body(&memory, user);
        runs++;
        CU_ASSERT_EQUAL(memory.live, 0);
        if (memory.count < fail_at) {
            CU_ASSERT(through);
            return runs;
        }
    }
}

/* --- time -------------------------------------------------------------------------------------- */

static int64_t clock_monotonic(void *user)
{
    return ((struct test_clock *)user)->monotonic_us;
}

static int64_t clock_wall(void *user)
{
    return ((struct test_clock *)user)->wall_us;
}

/* splitmix64: a fixed sequence, so that a failing test fails again. */
static uint64_t clock_random(void *user)
{
    uint64_t z = ((struct test_clock *)user)->seed += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void test_clock_init(struct test_clock *clock)
{
    *clock = (struct test_clock){
        .clock = {clock_monotonic, clock_wall, clock_random, clock},
        .monotonic_us = 1000000,
        .wall_us = INT64_C(1787306400) * 1000000,
        .seed = 42,
    };
}

void test_clock_advance_ms(struct test_clock *clock, int64_t milliseconds)
{
    clock->monotonic_us += milliseconds * 1000;
    clock->wall_us += milliseconds * 1000;
}

/* --- loop -------------------------------------------------------------------------------------- */

static void keep_line(enum scalekit_log_level level, const char *line, void *user)
{
    struct test_loop *test = user;
    size_t used = strlen(test->log);

    snprintf(test->log + used, sizeof test->log - used, "%s %s\n", scalekit_log_level_name(level),
             line);
}

void test_loop_init(struct test_loop *test, const struct scalekit_clock *clock)
{
    memset(test, 0, sizeof *test);
    test_memory_init(&test->memory);
    test->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(test->base);
    ski_mem_init(&test->loop.mem, &test->memory.allocator);
    ski_clock_init(&test->loop.clock, clock);
    test->loop.log = (struct ski_log){SCALEKIT_LOG_TRACE, keep_line, test};
    CU_ASSERT_EQUAL_FATAL(ski_loop_init(&test->loop, test->base), SCALEKIT_OK);
}

void test_loop_free(struct test_loop *test)
{
    ski_loop_free(&test->loop);
    event_base_loop(test->base, EVLOOP_NONBLOCK);
    event_base_free(test->base);
    CU_ASSERT_EQUAL(test->memory.live, 0);
}

static void on_timeout(evutil_socket_t fd, short what, void *expired)
{
    (void)fd;
    (void)what;
    *(bool *)expired = true;
}

void test_base_until(struct event_base *base, const bool *done)
{
    bool expired = false;
    struct timeval limit = {10, 0};
    struct event *timer = evtimer_new(base, on_timeout, &expired);

    CU_ASSERT_PTR_NOT_NULL_FATAL(timer);
    evtimer_add(timer, &limit);
    while (!*done && !expired)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(timer);
    if (!*done)
        CU_FAIL("did not happen within 10 s");
}

void test_loop_until(struct test_loop *test, const bool *done)
{
    test_base_until(test->base, done);
}

void test_loop_turn(struct test_loop *test)
{
    event_base_loop(test->base, EVLOOP_NONBLOCK);
}
