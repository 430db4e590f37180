/* harness.h - what every test program shares: suites by table, memory that counts and fails, a
 * clock that stands still, a loop, and the check that a test gives back every descriptor. */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include "base/loop.h"
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

/* A file X_test.c ends with
 *
 *     SUITE(X, {"keeps its promise", test_function},
 *              {"and the other one", other_function})
 *
 * and its program's main.c names it with USE_SUITE. */
#define SUITE(name, ...)                                                                           \
    extern CU_TestInfo name##_suite[];                                                             \
    CU_TestInfo name##_suite[] = {__VA_ARGS__, CU_TEST_INFO_NULL};

struct harness_suite {
    const char *name;
    CU_TestInfo *tests;
};

#define USE_SUITE(name)                                                                            \
    {                                                                                              \
#name, name##_suite                                                                        \
    }

/* Runs every suite, or those named on the command line; prints each failure, then
 * "N passed, N failed".  Returns main()'s exit status.  A test that leaves more descriptors open
 * than it found has failed. */
int harness_run(const struct harness_suite *suites, int argc, char **argv);

/* --- memory: counts, and fails the n-th allocation --------------------------------------------- */

struct test_memory {
    struct scalekit_allocator allocator; /* give this to what is tested */
    long live;                           /* blocks not yet freed */
    long count;                          /* allocations so far */
    long fail_at;                        /* the allocation to refuse, counted from 1; 0: none */
    bool fail_after;                     /* and every later one too */
};

void test_memory_init(struct test_memory *memory);

/* Runs `body(memory, user)` with the first allocation failing, then the second, …, until a run needs
 * no more; after each, nothing may be live.  `body` returns whether it got through. Asserts that it
 * gets through when nothing fails, and gives the number of runs. */
long test_every_allocation(bool (*body)(struct test_memory *memory, void *user), void *user);

/* --- time that moves by hand ------------------------------------------------------------------- */

struct test_clock {
    struct scalekit_clock clock;
    int64_t monotonic_us, wall_us;
    uint64_t seed; /* of a fixed pseudo-random sequence */
};

void test_clock_init(struct test_clock *clock); /* wall: 2026-08-21T10:00:00Z */
void test_clock_advance_ms(struct test_clock *clock, int64_t milliseconds);

/* --- a loop with all of it ---------------------------------------------------------------------- */

struct test_loop {
    struct test_memory memory;
    struct event_base *base;
    struct ski_loop loop;
    char log[8192]; /* what was logged, lines separated by '\n', cut when full */
};

/* `clock` NULL: the system's. */
void test_loop_init(struct test_loop *test, const struct scalekit_clock *clock);
/* Asserts that no memory is live. */
void test_loop_free(struct test_loop *test);
/* Runs the loop until *done, or fails the test after 10 s. */
void test_loop_until(struct test_loop *test, const bool *done);
void test_loop_turn(struct test_loop *test); /* what is ready now, without waiting */

/* The same for a bare base. */
void test_base_until(struct event_base *base, const bool *done);

#endif
