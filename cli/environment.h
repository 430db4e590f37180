/* environment.h - where a command runs: a loop, and on it a client of the environment that the
 * variables and options name, or of an emulator in this process.
 *
 * A command starts something, runs the loop until a callback leaves it, and then prints: no
 * callback waits for whoever reads the output.  The first Ctrl-C cancels what is under way, which
 * then ends through its callback as ever; the second one leaves without waiting. */
#ifndef CLI_ENVIRONMENT_H
#define CLI_ENVIRONMENT_H

#include "emulator.h"
#include "options.h"
#include <limits.h>
#include <scalekit/scalekit.h>

#define N_SIGNALS 3

struct environment {
    const struct options *options;
    struct event_base *base; /* NULL: it was not opened */
    scalekit_client *client;

    scalekit_emulator *emulator; /* NULL: a real environment */
    char directory[PATH_MAX];    /* of its certificates */

    struct event *signals[N_SIGNALS];
    int signal; /* that came; 0: none */
    void (*cancel)(void *user);
    void *user;
};

/* Opens it, with what the options say; to be called once the command's arguments are understood.
 * 0, or an exit status: it has said what is wrong. */
int environment_open(struct environment *environment);
/* The same for a command that asks nobody: the loop and its signals alone. */
int environment_open_loop(struct environment *environment);
/* Also what was never opened. */
void environment_close(struct environment *environment);

/* Runs the loop until environment_leave(), then ends.  `cancel` is called when a signal comes. */
void environment_run(struct environment *environment, void (*cancel)(void *user), void *user);
void environment_leave(struct environment *environment);

/* Frees all but the loop, so that no callback comes later than this: for a command that gives up
 * before it runs.  Results that are held by reference stay. */
void environment_end(struct environment *environment);

/* The same for one request, whose callback leaves.  False: it was NULL, nothing was started. */
bool environment_await(struct environment *environment, scalekit_request *request);

/* With --emulator --approve: this account is there, and ACTIVE. */
void environment_provide(struct environment *environment, const char *connection,
                         const char *identifier);

#endif
