#include "exit.h"
#include "listening.h"
#include "output.h"
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

void tell_listening(const struct options *options, const char *url)
{
    struct record record;

    if (options->json) {
        record = record_begin(stdout);
        record_text(&record, "event", "listening");
        record_text(&record, "url", url);
        record_text(&record, "forward_to", options->forward_to);
        record_end(&record);
        return;
    }
    printf("Listening on ");
    output_foreign(stdout, url);
    if (options->forward_to) {
        printf(", forwarding to ");
        output_foreign(stdout, options->forward_to);
    }
    printf("\n");
}

/* "2026-11-21T10:00:00Z  msg_1  " */
static void begin_line(const char *delivery_id)
{
    char now[MOMENT_SIZE];

    format_moment(now, (scalekit_time)time(NULL) * 1000000);
    printf("%s%s  ", output_faint(), now);
    output_foreign(stdout, delivery_id);
    printf("%s  ", output_normal());
}

/* --- deliveries ----------------------------------------------------------------------------------- */

static void record_account(struct record *record, const struct scalekit_webhook_event *event)
{
    record_text(record, "connection_name", event->account->connection_name);
    record_text(record, "identifier", event->account->identifier);
    record_text(record, "connected_account_id", event->account->id);
    if (event->kind != SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED)
        return;
    record_text(record, "status", event->account->status_text);
    record_text(record, "previous_status", event->old_status_text);
}

/* Data may hold tokens. */
static void delivery_record(const struct options *options,
                            const struct scalekit_webhook_event *event, bool duplicate)
{
    struct record record = record_begin(stdout);

    record_text(&record, "event", "delivery");
    record_text(&record, "delivery_id", event->delivery_id);
    record_text(&record, "type", event->event->type);
    record_text(&record, "event_id", event->event->id);
    record_moment(&record, "occurred_at", event->event->occurred_at);
    record_moment(&record, "sent_at", event->sent_at);
    record_bool(&record, "duplicate", duplicate);
    if (event->account)
        record_account(&record, event);
    if (options->show_secrets)
        record_json(&record, "data", event->event->data);
    record_end(&record);
}

/* "  gmail user_1  PENDING_AUTH -> ACTIVE" */
static void print_account(const struct scalekit_webhook_event *event)
{
    const struct scalekit_connected_account *account = event->account;

    printf("  ");
    if (account->connection_name) {
        output_foreign(stdout, account->connection_name);
        putchar(' ');
    }
    output_foreign(stdout, account->identifier ? account->identifier : account->id);
    if (event->kind != SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED)
        return;
    printf("  %s", output_bold());
    if (event->old_status_text) {
        output_foreign(stdout, event->old_status_text);
        printf(" -> ");
    }
    output_foreign(stdout, account->status_text ? account->status_text : "unknown");
    printf("%s", output_normal());
}

void tell_delivery(const struct options *options, const struct scalekit_webhook_event *event,
                   bool duplicate)
{
    if (options->json) {
        delivery_record(options, event, duplicate);
        return;
    }
    begin_line(event->delivery_id);
    output_foreign(stdout, event->event->type);
    if (event->account)
        print_account(event);
    printf("%s\n", duplicate ? "  duplicate" : "");
}

void tell_refused(const struct options *options, const char *why)
{
    struct record record;

    if (!options->json) {
        output_failure(EXIT_OTHER, "refused a delivery: %s", why);
        return;
    }
    record = record_begin(stdout);
    record_text(&record, "event", "refused");
    record_text(&record, "message", why);
    record_end(&record);
}

/* --- forwarding ----------------------------------------------------------------------------------- */

void tell_forwarded(const struct options *options, const struct forward_result *result)
{
    struct record record;

    if (!options->json) {
        begin_line(result->delivery_id);
        printf("forwarded: %d after %" PRId64 " ms\n", result->status, result->elapsed_ms);
        return;
    }
    record = record_begin(stdout);
    record_text(&record, "event", "forwarded");
    record_text(&record, "delivery_id", result->delivery_id);
    record_number(&record, "http_status", result->status);
    record_number(&record, "elapsed_ms", result->elapsed_ms);
    record_end(&record);
}

void tell_not_forwarded(const struct options *options, const char *delivery_id, const char *problem)
{
    struct record record;

    if (!options->json) {
        output_failure(EXIT_OTHER, "cannot forward %s: %s", delivery_id, problem);
        return;
    }
    record = record_begin(stdout);
    record_text(&record, "event", "not_forwarded");
    record_text(&record, "delivery_id", delivery_id);
    record_text(&record, "message", problem);
    record_end(&record);
}

/* --- the end -------------------------------------------------------------------------------------- */

static void summary_record(const struct options *options, const struct listening_counts *counts)
{
    struct record record = record_begin(stdout);

    record_text(&record, "event", "summary");
    record_number(&record, "events", (int64_t)counts->events);
    record_number(&record, "duplicates", (int64_t)counts->duplicates);
    record_number(&record, "refused", (int64_t)counts->refused);
    if (options->forward_to) {
        record_number(&record, "forwarded", (int64_t)counts->forwarded);
        record_number(&record, "not_forwarded", (int64_t)counts->not_forwarded);
    }
    record_end(&record);
}

void tell_summary(const struct options *options, const struct listening_counts *counts)
{
    if (options->json) {
        summary_record(options, counts);
        return;
    }
    printf("events: %" PRIu64 ", duplicates: %" PRIu64 ", refused: %" PRIu64, counts->events,
           counts->duplicates, counts->refused);
    if (options->forward_to)
        printf("; forwarded: %" PRIu64 ", not forwarded: %" PRIu64, counts->forwarded,
               counts->not_forwarded);
    printf("\n");
}
