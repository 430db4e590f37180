/* scalekit watch --connection - which accounts a connection has, and what becomes of them. */
#include "exit.h"
#include "output.h"
#include "watching.h"
#include <event2/event.h>
#include <stdio.h>
#include <time.h>

struct listing {
    struct environment *environment;
    scalekit_connection_watch *watch; /* until its final event; NULL */
    struct event *deadline;
    int status;
};

static void stop(void *user)
{
    struct listing *listing = user;

    scalekit_connection_watch_stop(listing->watch);
}

static void on_deadline(evutil_socket_t unused, short what, void *user)
{
    struct listing *listing = user;

    (void)unused;
    (void)what;
    listing->status = EXIT_TIMED_OUT;
    stop(listing);
}

/* --- telling it ------------------------------------------------------------------------------- */

static void tell_programs(const struct listing *listing,
                          const struct scalekit_connection_event *event)
{
    const struct scalekit_known_account *account = event->account;
    struct record record = record_begin(stdout);

    record_text(&record, "event", scalekit_connection_event_name(event->kind));
    record_bool(&record, "final", event->final);
    record_text(&record, "connection_name", listing->environment->options->connection);
    if (account) {
        record_text(&record, "identifier", account->identifier);
        record_text(&record, "status", scalekit_account_status_name(account->status));
        if (event->kind == SCALEKIT_CONNECTION_CHANGED)
            record_text(&record, "previous_status",
                        scalekit_account_status_name(event->previous_status));
        record_text(&record, "connected_account_id", account->connected_account_id);
        record_moment(&record, "updated_at", account->updated_at);
    }
    if (event->error) {
        record_text(&record, "code", scalekit_err_name(event->error->code));
        record_text(&record, "message", event->error->message);
    }
    record_number(&record, "accounts", (int64_t)event->n_accounts);
    record_end(&record);
}

/* Identifiers may be absent, ids are not. */
static void print_account(const struct scalekit_known_account *account)
{
    putchar(' ');
    output_foreign(stdout,
                   account->identifier ? account->identifier : account->connected_account_id);
}

/* "2026-11-21T10:00:00Z  gmail user_1  ACTIVE  changed, was PENDING_AUTH" */
static void tell_people(const struct listing *listing,
                        const struct scalekit_connection_event *event)
{
    const struct scalekit_known_account *account = event->account;
    char now[MOMENT_SIZE];

    format_moment(now, (scalekit_time)time(NULL) * 1000000);
    printf("%s%s%s  ", output_faint(), now, output_normal());
    output_foreign(stdout, listing->environment->options->connection);
    if (account) {
        print_account(account);
        printf("  %s%s%s", output_bold(), scalekit_account_status_name(account->status),
               output_normal());
    }
    printf("  %s", scalekit_connection_event_name(event->kind));
    if (event->kind == SCALEKIT_CONNECTION_CHANGED)
        printf(", was %s", scalekit_account_status_name(event->previous_status));
    else if (event->kind == SCALEKIT_CONNECTION_SYNCED)
        printf(", accounts: %zu", event->n_accounts);
    putchar('\n');
}

static void on_event(scalekit_connection_watch *watch,
                     const struct scalekit_connection_event *event, void *user)
{
    struct listing *listing = user;

    output_progress(NULL);
    if (listing->environment->options->json)
        tell_programs(listing, event);
    else if (event->error)
        output_error("list the accounts", event->error);
    else
        tell_people(listing, event);
    if (event->kind == SCALEKIT_CONNECTION_REFUSED)
        listing->status = event->error ? exit_of_error(event->error->code) : EXIT_OTHER;
    if (!output_flush())
        scalekit_connection_watch_stop(watch);
    if (!event->final)
        return;
    listing->watch = NULL;
    environment_leave(listing->environment);
}

/* --- starting --------------------------------------------------------------------------------- */

static bool set_deadline(struct listing *listing)
{
    struct environment *environment = listing->environment;
    int64_t ms = environment->options->deadline_ms;
    struct timeval pause = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

    if (!ms)
        return true;
    listing->deadline = evtimer_new(environment->base, on_deadline, listing);
    return listing->deadline && evtimer_add(listing->deadline, &pause) == 0;
}

int watch_connection(struct environment *environment)
{
    struct listing listing = {.environment = environment, .status = EXIT_OTHER};
    int status = environment_open(environment);

    if (status)
        return status;
    listing.watch = scalekit_watch_connection(
        environment->client,
        SCALEKIT_PARAMS(scalekit_connection_watch_params,
                        .connection_name = environment->options->connection),
        on_event, &listing);
    if (listing.watch && set_deadline(&listing) && watch_stats(environment)) {
        environment_run(environment, stop, &listing);
    } else {
        environment_end(environment);
        listing.status = output_error("watch the connection", NULL);
    }
    if (listing.deadline)
        event_free(listing.deadline);
    return listing.status;
}
