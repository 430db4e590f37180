#include "cli/source.h"
#include "harness.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

struct test {
    struct event_base *base;
    struct source source;
    bool arrived;
};

static void on_arrived(void *user)
{
    struct test *test = user;

    test->arrived = true;
}

static void begin(struct test *test)
{
    *test = (struct test){.base = event_base_new(), .source.fd = -1};
    CU_ASSERT_PTR_NOT_NULL_FATAL(test->base);
}

static void end(struct test *test)
{
    source_close(&test->source);
    event_base_free(test->base);
}

static void a_file_is_read_to_its_end_and_its_length_known(void)
{
    char path[] = "/tmp/source_test-XXXXXX", room[4];
    int fd = mkstemp(path);
    bool ended = false;
    struct test test;

    begin(&test);
    CU_ASSERT_EQUAL_FATAL(write(fd, "abcdef", 6), 6);
    close(fd);
    CU_ASSERT_FATAL(source_open(&test.source, test.base, path, on_arrived, &test));
    CU_ASSERT_EQUAL(test.source.length, 6);
    CU_ASSERT_EQUAL(source_read(&test.source, room, 4, &ended), 4);
    CU_ASSERT_FALSE(ended);
    CU_ASSERT_EQUAL(memcmp(room, "abcd", 4), 0);
    CU_ASSERT_EQUAL(source_read(&test.source, room, 4, &ended), 2);
    CU_ASSERT_EQUAL(memcmp(room, "ef", 2), 0);
    CU_ASSERT_FALSE(ended);
    CU_ASSERT_EQUAL(source_read(&test.source, room, 4, &ended), 0);
    CU_ASSERT(ended);
    end(&test);
    unlink(path);
}

static void what_is_not_there_yet_is_waited_for(void)
{
    char room[8];
    int ends[2], before = dup(STDIN_FILENO);
    bool ended = false;
    struct test test;

    begin(&test);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    CU_ASSERT_FATAL(source_open(&test.source, test.base, "-", on_arrived, &test));
    CU_ASSERT_EQUAL(test.source.length, 0);
    CU_ASSERT_EQUAL(source_read(&test.source, room, sizeof room, &ended), 0);
    CU_ASSERT_FALSE(ended);
    CU_ASSERT_FALSE(test.arrived);
    CU_ASSERT_EQUAL(write(ends[1], "late", 4), 4);
    test_base_until(test.base, &test.arrived);
    CU_ASSERT_EQUAL(source_read(&test.source, room, sizeof room, &ended), 4);
    close(ends[1]);
    CU_ASSERT_EQUAL(source_read(&test.source, room, sizeof room, &ended), 0);
    CU_ASSERT(ended);
    end(&test);
    if (before >= 0) {
        dup2(before, STDIN_FILENO);
        close(before);
    } else {
        close(STDIN_FILENO);
    }
}

static void what_cannot_be_opened_says_why(void)
{
    struct test test;

    begin(&test);
    CU_ASSERT_FALSE(source_open(&test.source, test.base, "/nonexistent/file", on_arrived, &test));
    CU_ASSERT_EQUAL(errno, ENOENT);
    end(&test);
}

static void what_cannot_be_read_is_a_failure(void)
{
    char room[4];
    bool ended = false;
    struct test test;

    begin(&test);
    CU_ASSERT_FATAL(source_open(&test.source, test.base, "/", on_arrived, &test));
    CU_ASSERT_EQUAL(source_read(&test.source, room, sizeof room, &ended), 0);
    CU_ASSERT_EQUAL(test.source.failure, EISDIR);
    CU_ASSERT_FALSE(ended);
    end(&test);
}

SUITE(cli_source,
      {"a file is read to its end, and its length known",
       a_file_is_read_to_its_end_and_its_length_known},
      {"what is not there yet is waited for", what_is_not_there_yet_is_waited_for},
      {"what cannot be opened says why", what_cannot_be_opened_says_why},
      {"what cannot be read is a failure", what_cannot_be_read_is_a_failure})
