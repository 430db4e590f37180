/* environment.h - a client and the emulator it talks to over TLS, on one loop. */
#ifndef TEST_INTEGRATION_ENVIRONMENT_H
#define TEST_INTEGRATION_ENVIRONMENT_H

#include "emulator.h"
#include "harness.h"
#include <scalekit/scalekit.h>

struct environment {
    struct event_base *base;
    struct test_memory memory;
    scalekit_emulator *emulator;
    scalekit_client *client;
    char directory[64]; /* of the emulator's certificates; removed at the end */
    char log[65536];    /* what the client logged at TRACE, cut when full */
};

/* Starts both.  Looks come every 20 ms, so that nothing has to be waited for long. */
void environment_init(struct environment *env, const struct scalekit_emulator_config *emulator);
/* Asserts that the client left no memory behind. */
void environment_free(struct environment *env);

/* A client of any server with the environment's allocator and log, which tries everything once;
 * asserts that it can be made. */
scalekit_client *environment_client(struct environment *env, const char *url, const char *ca_file,
                                    const char *client_secret);

/* A directory that is gone after environment_remove_directory(). */
void environment_make_directory(char directory[64]);
void environment_remove_directory(const char *directory);

/* What a callback was given, with the texts that tests compare copied. */
struct outcome {
    int calls;
    bool done, ok;
    scalekit_err code;
    enum scalekit_phase phase;
    int http_status;
    char text[512]; /* the error's message, or what the callback found worth keeping */
    struct environment *env;
};

/* Callbacks that fill an outcome given as `user`. */
void outcome_account(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *user);
void outcome_done(scalekit_request *request, bool done, void *user);
void outcome_tool(scalekit_request *request, const struct scalekit_tool_result *result, void *user);

/* Asks for gmail / user_1 without secrets and waits for the outcome. */
struct outcome environment_look(struct environment *env, scalekit_client *client);

#endif
