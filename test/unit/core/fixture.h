/* fixture.h - a client of a scripted service, and calls of it that keep watch over their contract.
 *
 * Whatever a test does, each call asserts that it completes at most once, never from inside what
 * starts or cancels it, and with either a result or an error; and the end of the fixture asserts
 * that each has completed, that no memory is live, and that no secret reached the log. */
#ifndef TEST_CORE_FIXTURE_H
#define TEST_CORE_FIXTURE_H

#include "harness.h"
#include "service.h"
#include <scalekit/scalekit.h>

#define CLIENT_SECRET "s3cret+/=&%"

struct fixture {
    struct event_base *base;
    struct test_memory memory;
    struct test_clock clock;
    struct service *service;
    char url[64];                  /* the service's */
    struct scalekit_config config; /* may be changed before fixture_start() */
    scalekit_client *client;
    struct ski_list calls;
    bool inside; /* something that must not call back is running */
    bool forget; /* calls hold no reference to their requests */
    char *log;   /* all that was logged: "warn: it failed\n" and so on */
    size_t log_length;
};

/* The service runs; the configuration names it, the test's memory, and log level TRACE. */
void fixture_init(struct fixture *fixture);
void fixture_use_clock(struct fixture *fixture); /* before fixture_start() */
void fixture_start(struct fixture *fixture);     /* makes the client */
void fixture_open(struct fixture *fixture);      /* init and start */
/* The same with this memory for the client; false: it was not enough for one. */
bool fixture_open_with(struct fixture *fixture, struct test_memory *memory);
void fixture_free_client(struct fixture *fixture);
void fixture_free(struct fixture *fixture);

void fixture_advance(struct fixture *fixture, int64_t milliseconds); /* time, and what got due */
void fixture_turn(struct fixture *fixture); /* a few turns of the loop, without waiting */

/* --- calls ------------------------------------------------------------------------------------- */

struct call {
    struct ski_list link;
    struct fixture *fixture;
    scalekit_request *request; /* NULL: not accepted, or completed and not held */
    unsigned completions;
    bool done;
    const void *result;
    const struct scalekit_error *error; /* lives as the result does */
    scalekit_err code;                  /* of the error; SCALEKIT_OK */
    enum scalekit_phase phase;
    bool sent;
    int attempts;
    char message[200];
    void (*completed)(struct call *call); /* NULL, or what to do inside the callback */
    void *user;
};

/* call_new() … call_began() brackets what starts a call, which must not call back:
 *
 *     struct call *call = call_new(f);
 *     call_began(call, scalekit_get_…(f->client, params, call_on_account, call)); */
struct call *call_new(struct fixture *fixture);
struct call *call_began(struct call *call, scalekit_request *request);
void call_cancel(struct call *call);
void call_wait(struct call *call); /* runs the loop until it completed */

void call_on_result(scalekit_request *request, const void *result, void *call); /* of any type */
void call_on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *call);
void call_on_page(scalekit_request *request, const struct scalekit_connected_account_page *page,
                  void *call);
void call_on_link(scalekit_request *request, const struct scalekit_authorization_link *link,
                  void *call);
void call_on_tool(scalekit_request *request, const struct scalekit_tool_result *result, void *call);
void call_on_verification(scalekit_request *request,
                          const struct scalekit_user_verification *verification, void *call);
void call_on_done(scalekit_request *request, bool done, void *call);

/* Defines a callback for results of that type. */
#define CALL_ON(name, type)                                                                        \
    static void name(scalekit_request *request, const struct type *result, void *call)             \
    {                                                                                              \
        call_on_result(request, result, call);                                                     \
    }

typedef struct call *(*call_starter)(struct fixture *fixture);

/* Defines a call_starter of scalekit_<operation>(). */
#define CALL_STARTER(name, operation, params, callback)                                            \
    static struct call *name(struct fixture *f)                                                    \
    {                                                                                              \
        struct call *call = call_new(f);                                                           \
                                                                                                   \
        return call_began(call, scalekit_##operation(f->client, params, callback, call));          \
    }

/* Starts a call with each allocation failing in turn, the client's own too.  Asserts that it is not
 * accepted, or ends in SCALEKIT_ERR_NOMEM, or well; and gives the number of runs. */
long call_every_allocation(call_starter start);

/* Ready-made calls, about the user "user_1" of "gmail". */
struct call *call_details(struct fixture *fixture);
struct call *call_delete(struct fixture *fixture);
struct call *call_create(struct fixture *fixture);
struct call *call_update(struct fixture *fixture);
struct call *call_list(struct fixture *fixture);
struct call *call_verify(struct fixture *fixture);
struct call *call_link(struct fixture *fixture);
struct call *call_tool(struct fixture *fixture);
struct call *call_get_or_create(struct fixture *fixture);
struct call *call_warm(struct fixture *fixture);

/* --- comparing --------------------------------------------------------------------------------- */

bool text_is(const char *text, const char *expected); /* either may be NULL */
bool text_has(const char *text, const char *part);    /* a NULL text has none */

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Asserts something about one row of a table, whose name is shown when it fails. */
#define ROW_IS(name, condition)                                                                    \
    CU_assertImplementation((condition), __LINE__, name, __FILE__, "", CU_FALSE)

#endif
