#include "follow.h"
#include "exit.h"
#include "output.h"
#include <time.h>

/* --- what it means ---------------------------------------------------------------------------- */

static int status_of(const struct scalekit_watch_event *event)
{
    switch (event->kind) {
    case SCALEKIT_WATCH_SETTLED:
    case SCALEKIT_WATCH_ALREADY_ACTIVE:
        return exit_of_account(event->status);
    case SCALEKIT_WATCH_DELETED:
        return EXIT_NOT_FOUND;
    case SCALEKIT_WATCH_LINK_EXPIRED:
    case SCALEKIT_WATCH_DEADLINE:
        return EXIT_TIMED_OUT;
    case SCALEKIT_WATCH_REFUSED:
    case SCALEKIT_WATCH_FAILED:
        return event->error ? exit_of_error(event->error->code) : EXIT_OTHER;
    default:
        return EXIT_OTHER;
    }
}

static const char *words_for(const struct scalekit_watch_event *event)
{
    switch (event->kind) {
    case SCALEKIT_WATCH_PENDING_VERIFICATION:
        return "the user consented, and must be verified by your application";
    case SCALEKIT_WATCH_UNKNOWN_STATUS:
        return "this status is new";
    case SCALEKIT_WATCH_CHANGED:
        return "nothing to act on yet";
    case SCALEKIT_WATCH_SETTLED:
        return event->status == SCALEKIT_ACCOUNT_ACTIVE ? "can be used" : "the user must authorize";
    case SCALEKIT_WATCH_ALREADY_ACTIVE:
        return "can be used, since before";
    case SCALEKIT_WATCH_DELETED:
        return "the account does not exist";
    case SCALEKIT_WATCH_LINK_EXPIRED:
        return "the link ran out before anybody consented";
    case SCALEKIT_WATCH_DEADLINE:
        return "the time allowed ran out";
    case SCALEKIT_WATCH_REFUSED:
        return "refused";
    case SCALEKIT_WATCH_FAILED:
        return "failed";
    case SCALEKIT_WATCH_STOPPED:
        return "given up";
    case SCALEKIT_WATCH_LINK:
        break;
    }
    return "";
}

/* --- telling it ------------------------------------------------------------------------------- */

static void tell_programs(const struct follow *follow, const struct scalekit_watch_event *event)
{
    struct record record = record_begin(stdout);

    record_text(&record, "event", scalekit_watch_event_name(event->kind));
    record_bool(&record, "final", event->final);
    record_text(&record, "connection_name", follow->connection);
    record_text(&record, "identifier", follow->identifier);
    record_text(&record, "status", event->status_text);
    if (event->previous_status && event->previous_status != event->status)
        record_text(&record, "previous_status",
                    scalekit_account_status_name(event->previous_status));
    record_text(&record, "connected_account_id", event->account ? event->account->id : NULL);
    if (event->link) {
        record_text(&record, "link", event->link->link);
        record_moment(&record, "expiry", event->link->expiry);
    }
    if (event->error) {
        record_text(&record, "code", scalekit_err_name(event->error->code));
        record_text(&record, "message", event->error->message);
    }
    record_number(&record, "looks", event->looks);
    record_end(&record);
}

static void tell_link(const struct follow *follow, const struct scalekit_authorization_link *link)
{
    char expiry[MOMENT_SIZE];

    printf("Open this link to authorize ");
    output_foreign(stdout, follow->connection);
    printf(" for ");
    output_foreign(stdout, follow->identifier);
    if (link->expiry)
        printf(" (until %s)", format_moment(expiry, link->expiry));
    printf(":\n\n    ");
    output_foreign(stdout, link->link);
    printf("\n\n");
}

/* "2026-11-21T10:00:00Z  gmail user_1  ACTIVE  can be used" */
static void tell_people(const struct follow *follow, const struct scalekit_watch_event *event)
{
    char now[MOMENT_SIZE];

    format_moment(now, (scalekit_time)time(NULL) * 1000000);
    printf("%s%s%s  ", output_faint(), now, output_normal());
    output_foreign(stdout, follow->connection);
    putchar(' ');
    output_foreign(stdout, follow->identifier);
    printf("  %s", output_bold());
    output_foreign(stdout, event->status_text ? event->status_text : "unknown");
    printf("%s  %s\n", output_normal(), words_for(event));
}

bool follow_event(struct follow *follow, const struct scalekit_watch_event *event,
                  const struct options *options)
{
    output_progress(NULL);
    if (event->final) {
        follow->watch = NULL;
        follow->ended = true;
        follow->status = status_of(event);
    }
    if (options->json)
        tell_programs(follow, event);
    else if (event->kind == SCALEKIT_WATCH_LINK)
        tell_link(follow, event->link);
    else if (event->kind == SCALEKIT_WATCH_FAILED || event->kind == SCALEKIT_WATCH_REFUSED)
        output_error(event->kind == SCALEKIT_WATCH_FAILED ? "connect the account"
                                                          : "look at the account",
                     event->error);
    else
        tell_people(follow, event);
    return output_flush();
}
