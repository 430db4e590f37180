/* scalekit watch - tells what becomes of accounts, until all have settled. */
#include "command.h"
#include "exit.h"
#include "follow.h"
#include "output.h"
#include <stdlib.h>

struct watches {
    struct environment *environment;
    struct follow *follows;
    size_t n, pending;
};

static void stop(void *user)
{
    struct watches *watches = user;

    for (size_t i = 0; i < watches->n; i++)
        scalekit_watch_stop(watches->follows[i].watch);
}

static struct follow *find(struct watches *watches, const scalekit_watch *watch)
{
    struct follow *follow = watches->follows;

    while (follow->watch != watch)
        follow++;
    return follow;
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct watches *watches = user;

    if (!follow_event(find(watches, watch), event, watches->environment->options))
        stop(watches);
    if (event->final && --watches->pending == 0)
        environment_leave(watches->environment);
}

static bool start(struct watches *watches, size_t i)
{
    struct environment *environment = watches->environment;
    const char *const *names = environment->options->names.items + 2 * i;
    struct follow *follow = &watches->follows[i];

    follow->connection = names[0];
    follow->identifier = names[1];
    environment_provide(environment, names[0], names[1]);
    follow->watch = scalekit_watch_account(
        environment->client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = names[0], .identifier = names[1],
                        .deadline_ms = environment->options->deadline_ms),
        on_event, watches);
    watches->pending += follow->watch != NULL;
    return follow->watch;
}

/* The exit status is that of the first that is not ACTIVE. */
static int watch(struct watches *watches)
{
    int status = environment_open(watches->environment);

    for (size_t i = 0; i < watches->n && !status; i++)
        if (!start(watches, i))
            status = output_error("watch the account", NULL);
    if (status) {
        environment_end(watches->environment);
        return status;
    }
    environment_run(watches->environment, stop, watches);
    for (size_t i = 0; i < watches->n && !status; i++)
        status = watches->follows[i].status;
    return status;
}

int run_watch(struct environment *environment)
{
    struct watches watches = {.environment = environment, .n = environment->options->names.n / 2};
    int status;

    if (environment->options->names.n % 2)
        return output_misuse("watch needs an IDENTIFIER for each CONNECTION");
    watches.follows = calloc(watches.n, sizeof *watches.follows);
    status = watches.follows ? watch(&watches) : output_error("watch the account", NULL);
    free(watches.follows);
    return status;
}
