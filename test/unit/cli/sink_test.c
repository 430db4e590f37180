#include "cli/sink.h"
#include "harness.h"
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define MUCH (1024 * 1024) /* more than a pipe takes */

struct test {
    struct event_base *base;
    struct sink sink;
    int ends[2];
    bool drained;
};

static void on_drained(void *user)
{
    struct test *test = user;

    test->drained = true;
}

static void begin(struct test *test)
{
    *test = (struct test){.base = event_base_new()};
    CU_ASSERT_PTR_NOT_NULL_FATAL(test->base);
    CU_ASSERT_EQUAL_FATAL(pipe(test->ends), 0);
    CU_ASSERT_FATAL(sink_open(&test->sink, test->base, test->ends[1], on_drained, test));
}

static void end(struct test *test)
{
    sink_close(&test->sink);
    event_base_free(test->base);
    if (test->ends[0] >= 0)
        close(test->ends[0]);
    close(test->ends[1]);
}

static void what_a_pipe_takes_is_written_at_once(void)
{
    char text[8] = "";
    struct test test;

    begin(&test);
    CU_ASSERT(sink_write(&test.sink, "piece", 5));
    CU_ASSERT(sink_write(&test.sink, "s", 1));
    CU_ASSERT_EQUAL(read(test.ends[0], text, sizeof text - 1), 6);
    CU_ASSERT_STRING_EQUAL(text, "pieces");
    end(&test);
}

static char letter(size_t i)
{
    return (char)('a' + i % 23);
}

static void what_it_does_not_take_waits_and_arrives_in_order(void)
{
    char *bytes = malloc(MUCH), piece[3000];
    size_t n = 0, wrong = 0;
    struct test test;

    begin(&test);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = letter(i);
    CU_ASSERT_FALSE(sink_write(&test.sink, bytes, MUCH));
    CU_ASSERT_EQUAL(test.sink.failure, 0);
    CU_ASSERT_FALSE(test.drained);
    memset(bytes, 0, MUCH); /* it was borrowed */
    while (n < MUCH) {
        ssize_t got = read(test.ends[0], piece, sizeof piece);

        CU_ASSERT_FATAL(got > 0);
        for (ssize_t i = 0; i < got; i++)
            wrong += piece[i] != letter(n++);
        event_base_loop(test.base, EVLOOP_NONBLOCK);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(test.drained);
    CU_ASSERT(sink_write(&test.sink, "more", 4));
    free(bytes);
    end(&test);
}

static void a_reader_who_has_gone_is_a_failure(void)
{
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    struct test test;

    begin(&test);
    close(test.ends[0]);
    test.ends[0] = -1;
    CU_ASSERT_FALSE(sink_write(&test.sink, "piece", 5));
    CU_ASSERT_EQUAL(test.sink.failure, EPIPE);
    end(&test);
    signal(SIGPIPE, before);
}

static void a_reader_who_goes_while_it_waits_is_one_too(void)
{
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    char *bytes = calloc(1, MUCH);
    struct test test;

    begin(&test);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT_FALSE(sink_write(&test.sink, bytes, MUCH));
    close(test.ends[0]);
    test.ends[0] = -1;
    test_base_until(test.base, &test.drained);
    CU_ASSERT_EQUAL(test.sink.failure, EPIPE);
    free(bytes);
    end(&test);
    signal(SIGPIPE, before);
}

static void the_descriptor_stays_as_it_was(void)
{
    struct test test;

    begin(&test);
    CU_ASSERT(sink_write(&test.sink, "piece", 5));
    CU_ASSERT_FALSE(fcntl(test.ends[1], F_GETFL) & O_NONBLOCK);
    end(&test);
}

SUITE(cli_sink, {"what a pipe takes is written at once", what_a_pipe_takes_is_written_at_once},
      {"what it does not take waits, and arrives in order",
       what_it_does_not_take_waits_and_arrives_in_order},
      {"a reader who has gone is a failure", a_reader_who_has_gone_is_a_failure},
      {"a reader who goes while it waits is one, too", a_reader_who_goes_while_it_waits_is_one_too},
      {"the descriptor stays as it was: it is the shell's, too", the_descriptor_stays_as_it_was})
