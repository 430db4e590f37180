/* scalekit watch - tells what becomes of accounts, until all have settled. */
#include "command.h"
#include "exit.h"
#include "follow.h"
#include "output.h"
#include "watching.h"
#include <stdlib.h>

const struct option_row watch_options[] = {
    OPTION(all, OPTION_SWITCH, "all", 0, NULL, "until all are ACTIVE, or one will not be"),
    OPTION(any, OPTION_SWITCH, "any", 0, NULL, "until one is ACTIVE, or none will be"),
    OPTION(follow, OPTION_SWITCH, "follow", 'f', NULL,
           "go on when they have settled; Ctrl-C or --deadline ends it"),
    OPTION(until_reauthorized, OPTION_SWITCH, "until-reauthorized", 0, NULL,
           "what they are now does not count, only what comes"),
    OPTION(progress, OPTION_SWITCH, "progress", 0, NULL,
           "tell of each other status, too, that settles nothing"),
    OPTION(connection, OPTION_TEXT, "connection", 'c', "NAME",
           "watch every account of this connection instead"),
    OPTION(stats_ms, OPTION_SECONDS, "stats", 0, "SECONDS",
           "a line of the engine's figures, this often"),
    {.name = NULL},
};

struct watches {
    struct environment *environment;
    struct scalekit_account_key *keys;
    const struct scalekit_account_key **list; /* of the keys */
    struct follow *follows;                   /* by the same index */
    size_t n;
    scalekit_watch_set *set; /* until its final event; NULL */
    int status;
};

static void stop(void *user)
{
    struct watches *watches = user;

    scalekit_watch_set_stop(watches->set);
}

/* --- events ----------------------------------------------------------------------------------- */

/* A set that is stopped does not say so of each account. */
static void tell_stopped(struct watches *watches)
{
    for (size_t i = 0; i < watches->n; i++) {
        enum scalekit_account_status status = scalekit_watch_set_status(watches->set, i);
        struct scalekit_watch_event event = {
            .struct_size = sizeof event,
            .kind = SCALEKIT_WATCH_STOPPED,
            .final = true,
            .status = status,
            .status_text = status ? scalekit_account_status_name(status) : NULL,
        };

        if (!watches->follows[i].ended)
            follow_event(&watches->follows[i], &event, watches->environment->options);
    }
}

/* Of EACH, and of ANY_OF that failed, it is that of the first that is not ACTIVE. */
static int status_of(const struct watches *watches, const struct scalekit_watch_set_event *event)
{
    const struct options *options = watches->environment->options;
    int status = EXIT_DONE;

    if (event->kind == SCALEKIT_WATCH_SET_REFUSED)
        return output_error("watch the accounts", event->error);
    if (event->kind == SCALEKIT_WATCH_SET_STOPPED)
        return EXIT_OTHER;
    if (event->kind == SCALEKIT_WATCH_SET_SUCCEEDED && (options->all || options->any))
        return EXIT_DONE;
    if (options->all)
        return watches->follows[event->index].status;
    for (size_t i = 0; i < watches->n && !status; i++)
        status = watches->follows[i].status;
    return status;
}

static void on_event(scalekit_watch_set *set, const struct scalekit_watch_set_event *event,
                     void *user)
{
    struct watches *watches = user;

    if (event->kind == SCALEKIT_WATCH_SET_CHANGED) {
        if (!follow_event(&watches->follows[event->index], event->event,
                          watches->environment->options))
            scalekit_watch_set_stop(set);
        return;
    }
    if (event->kind == SCALEKIT_WATCH_SET_STOPPED)
        tell_stopped(watches);
    watches->status = status_of(watches, event);
    watches->set = NULL;
    environment_leave(watches->environment);
}

/* --- starting --------------------------------------------------------------------------------- */

static void name(struct watches *watches)
{
    const char *const *names = watches->environment->options->names.items;

    for (size_t i = 0; i < watches->n; i++, names += 2) {
        watches->keys[i] = (struct scalekit_account_key){
            .struct_size = sizeof *watches->keys,
            .connection_name = names[0],
            .identifier = names[1],
        };
        watches->list[i] = &watches->keys[i];
        watches->follows[i] = (struct follow){.connection = names[0], .identifier = names[1]};
        environment_provide(watches->environment, names[0], names[1]);
    }
}

static int watch(struct watches *watches)
{
    struct environment *environment = watches->environment;
    const struct options *options = environment->options;
    int status = environment_open(environment);

    if (status)
        return status;
    name(watches);
    watches->set = scalekit_watch_accounts(
        environment->client,
        SCALEKIT_PARAMS(scalekit_watch_set_params,
                        .mode = options->all   ? SCALEKIT_WATCH_ALL_OF
                                : options->any ? SCALEKIT_WATCH_ANY_OF
                                               : SCALEKIT_WATCH_EACH,
                        .keys = watches->list, .n_keys = watches->n,
                        .deadline_ms = options->deadline_ms, .follow = options->follow,
                        .until_reauthorized = options->until_reauthorized,
                        .progress = options->progress),
        on_event, watches);
    if (!watches->set || !watch_stats(environment)) {
        environment_end(environment);
        return output_error("watch the accounts", NULL);
    }
    environment_run(environment, stop, watches);
    return watches->status;
}

static int watch_accounts(struct environment *environment)
{
    size_t n = environment->options->names.n / 2;
    struct watches watches = {
        .environment = environment,
        .n = n,
        .keys = calloc(n, sizeof *watches.keys),
        .list = calloc(n, sizeof *watches.list),
        .follows = calloc(n, sizeof *watches.follows),
        .status = EXIT_OTHER,
    };
    int status = watches.keys && watches.list && watches.follows
                     ? watch(&watches)
                     : output_error("watch the accounts", NULL);

    free(watches.keys);
    free(watches.list);
    free(watches.follows);
    return status;
}

int run_watch(struct environment *environment)
{
    const struct options *options = environment->options;
    bool of_accounts = options->all || options->any || options->follow ||
                       options->until_reauthorized || options->progress;

    if (options->connection) {
        if (options->names.n)
            return output_misuse("watch takes no \"%s\" with --connection",
                                 options->names.items[0]);
        if (of_accounts)
            return output_misuse(
                "--all, --any, --follow, --progress and --until-reauthorized are for "
                "accounts, not for --connection");
        return watch_connection(environment);
    }
    if (!options->names.n)
        return output_misuse("watch needs CONNECTION IDENTIFIER..., or --connection NAME");
    if (options->names.n % 2)
        return output_misuse("watch needs an IDENTIFIER for each CONNECTION");
    if (options->all && options->any)
        return output_misuse("--all and --any are two different questions");
    return watch_accounts(environment);
}
