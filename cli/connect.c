/* scalekit connect - the way from a user to a usable account: makes it, prints a link, and waits
 * for the consent. */
#include "command.h"
#include "exit.h"
#include "follow.h"
#include "output.h"
#include <event2/event.h>
#include <stdio.h>

const struct option_row connect_options[] = {
    OPTION(state, OPTION_TEXT, "state", 0, "TEXT", "comes back with the user's redirect"),
    OPTION(verify_url, OPTION_TEXT, "verify-url", 0, "URL",
           "where the user goes to be verified by your application"),
    {.name = NULL},
};

struct connecting {
    struct environment *environment;
    struct follow follow;
    struct event *tick; /* each second, while it waits for the user */
    unsigned seconds;
};

static void stop(void *user)
{
    struct connecting *connecting = user;

    scalekit_watch_stop(connecting->follow.watch);
}

static void on_tick(evutil_socket_t unused, short what, void *user)
{
    struct connecting *connecting = user;
    char text[80];

    (void)unused;
    (void)what;
    connecting->seconds++;
    snprintf(text, sizeof text, "Waiting for the consent, %u s. Ctrl-C gives up.",
             connecting->seconds);
    output_progress(text);
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    static const struct timeval second = {1, 0};
    struct connecting *connecting = user;

    (void)watch;
    if (!follow_event(&connecting->follow, event, connecting->environment->options))
        stop(connecting);
    if (event->kind == SCALEKIT_WATCH_LINK)
        event_add(connecting->tick, &second);
    if (event->final)
        environment_leave(connecting->environment);
}

static int connect_account(struct connecting *connecting)
{
    struct environment *environment = connecting->environment;
    const struct options *options = environment->options;

    connecting->follow.watch = scalekit_connect_account(
        environment->client,
        SCALEKIT_PARAMS(
            scalekit_connect_account_params, .connection_name = connecting->follow.connection,
            .identifier = connecting->follow.identifier, .state = options->state,
            .user_verify_url = options->verify_url, .deadline_ms = options->deadline_ms),
        on_event, connecting);
    if (!connecting->follow.watch)
        return output_error("connect the account", NULL);
    environment_run(environment, stop, connecting);
    return connecting->follow.status;
}

int run_connect(struct environment *environment)
{
    const char *const *names = environment->options->names.items;
    struct connecting connecting = {
        .environment = environment,
        .follow = {.connection = names[0], .identifier = names[1], .status = EXIT_OTHER},
    };
    int status = environment_open(environment);

    if (status)
        return status;
    connecting.tick = event_new(environment->base, -1, EV_PERSIST, on_tick, &connecting);
    if (!connecting.tick)
        return output_failure(EXIT_OTHER, "cannot make a timer");
    status = connect_account(&connecting);
    event_free(connecting.tick);
    return status;
}
