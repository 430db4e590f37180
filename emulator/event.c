#include "event.h"
#include "check.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *type, *display_name; /* NULL: has none */
} kinds[] = {
    [EMU_EVENT_CREATED] = {"connected_account.created", "Connected account created"},
    [EMU_EVENT_UPDATED] = {"connected_account.updated", "Connected account updated"},
    [EMU_EVENT_STATUS_UPDATED] = {"connected_account.status_updated", NULL},
    [EMU_EVENT_DELETED] = {"connected_account.deleted", "Connected account deleted"},
    [EMU_EVENT_MAGIC_LINK_GENERATED] = {"connected_account.magic_link_generated",
                                        "Magic link generated"},
    [EMU_EVENT_OAUTH_SUCCEEDED] = {"connected_account.oauth_succeeded", "OAuth succeeded"},
    [EMU_EVENT_OAUTH_TOKENS_FETCHED] = {"connected_account.oauth_tokens_fetched",
                                        "OAuth tokens fetched"},
    [EMU_EVENT_TOKEN_REFRESH_SUCCEEDED] = {"connected_account.token_refresh_succeeded",
                                           "Token refresh succeeded"},
    [EMU_EVENT_TOKEN_REFRESH_FAILED] = {"connected_account.token_refresh_failed",
                                        "Token refresh failed"},
};

/* --- recording --------------------------------------------------------------------------------- */

static void free_event(void *item)
{
    struct emu_event *event = item;

    if (!event)
        return;
    free(event->organization_id);
    free(event->data);
    free(event);
}

void emu_events_init(struct emu_events *events, const char *environment_id, uint64_t first_number)
{
    *events = (struct emu_events){.environment_id = environment_id};
    emu_record_init(&events->record, "evt", first_number, free_event);
}

void emu_events_clear(struct emu_events *events)
{
    emu_record_clear(&events->record);
}

/* `old_status` NULL: no change of status, which has the times that such a change has not. */
static void put_data(struct emu_json *json, const struct emu_account *account, const char *status,
                     const char *old_status)
{
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "authorization_type", emu_account_type(account));
    emu_json_text(json, "connection_id", account->connection->id);
    emu_json_text(json, "connection_name", account->connection->name);
    emu_json_text(json, "id", account->id);
    emu_json_text(json, "identifier", account->person->identifier);
    emu_json_text(json, "provider", account->connection->provider);
    emu_json_text(json, "status", status);
    if (old_status) {
        emu_json_text(json, "old_status", old_status);
    } else {
        emu_json_time(json, "token_expires_at", account->token_expires_us);
        emu_json_time(json, "last_used_at", account->last_used_us);
    }
    emu_json_close(json, '}');
}

static char *make_data(const struct emu_account *account, const char *status,
                       const char *old_status)
{
    struct emu_json json;

    emu_json_start(&json);
    put_data(&json, account, status, old_status);
    return emu_json_finish(&json);
}

static struct emu_event *make_event(struct emu_events *events, enum emu_event_kind kind,
                                    const struct emu_account *account, const char *status,
                                    const char *old_status)
{
    struct emu_event *event = calloc(1, sizeof *event);
    int64_t now = emu_now_us();

    if (!event)
        return NULL;
    event->kind = kind;
    event->environment_id = events->environment_id;
    event->organization_id = strdup(account->organization_id);
    event->data = make_data(account, status, old_status);
    event->occurred_us = now > events->latest_us ? now : events->latest_us;
    emu_record_id(&events->record, event->id, events->record.last + 1);
    snprintf(event->account_id, sizeof event->account_id, "%s", account->id);
    snprintf(event->connection_id, sizeof event->connection_id, "%s", account->connection->id);
    if (event->organization_id && event->data)
        return event;
    free_event(event);
    return NULL;
}

static void record(struct emu_events *events, enum emu_event_kind kind,
                   const struct emu_account *account, const char *status, const char *old_status)
{
    struct emu_event *event;

    if (!account->announced)
        return;
    event = make_event(events, kind, account, status, old_status);
    if (!event || !emu_record_add(&events->record, event)) {
        free_event(event);
        return;
    }
    events->latest_us = event->occurred_us;
    if (events->listener)
        events->listener(event, events->listener_user);
}

void emu_event_record(struct emu_events *events, enum emu_event_kind kind,
                      struct emu_account *account)
{
    account->announced |= kind == EMU_EVENT_CREATED;
    record(events, kind, account, account->status, NULL);
}

void emu_event_record_status(struct emu_events *events, struct emu_account *account,
                             const char *old_status)
{
    if (strcmp(old_status, account->status) == 0)
        return;
    if (account->auth != EMU_STATIC && strcmp(old_status, "ACTIVE") == 0 &&
        strcmp(account->status, "EXPIRED") == 0)
        record(events, EMU_EVENT_TOKEN_REFRESH_FAILED, account, old_status, NULL);
    record(events, EMU_EVENT_STATUS_UPDATED, account, account->status, old_status);
}

/* --- showing ----------------------------------------------------------------------------------- */

const char *emu_event_type(const struct emu_event *event)
{
    return kinds[event->kind].type;
}

void emu_json_event(struct emu_json *json, const char *key, const struct emu_event *event)
{
    emu_json_open(json, key, '{');
    emu_json_text(json, "spec_version", "1");
    emu_json_text(json, "id", event->id);
    emu_json_text(json, "type", emu_event_type(event));
    emu_json_time(json, "occurred_at", event->occurred_us);
    emu_json_text(json, "environment_id", event->environment_id);
    if (*event->organization_id && event->kind != EMU_EVENT_STATUS_UPDATED)
        emu_json_text(json, "organization_id", event->organization_id);
    emu_json_text(json, "object", "ConnectedAccount");
    emu_json_raw(json, "data", event->data);
    if (kinds[event->kind].display_name)
        emu_json_text(json, "display_name", kinds[event->kind].display_name);
    emu_json_close(json, '}');
}

/* --- POST /api/v1/events and /api/v1/events/paginated -------------------------------------------- */

struct filter {
    yajl_val types; /* NULL: all */
    const char *organization_id, *connection_id, *account_id;
    int64_t start_us, end_us;
    bool nothing; /* asks for what no event of an account has */
};

static bool has_type(yajl_val types, const char *type)
{
    if (!types || !YAJL_GET_ARRAY(types)->len)
        return true;
    for (size_t i = 0; i < YAJL_GET_ARRAY(types)->len; i++)
        if (strcmp(YAJL_GET_ARRAY(types)->values[i]->u.string, type) == 0)
            return true;
    return false;
}

static bool is_wanted(const void *item, const void *filter)
{
    const struct emu_event *event = item;
    const struct filter *f = filter;

    return !f->nothing && event->occurred_us >= f->start_us && event->occurred_us <= f->end_us &&
           emu_is_or_empty(f->account_id, event->account_id) &&
           emu_is_or_empty(f->connection_id, event->connection_id) &&
           emu_is_or_empty(f->organization_id, event->organization_id) &&
           has_type(f->types, emu_event_type(event));
}

/* Whether only events of the directory synchronisation are wanted; there are none here. */
static bool read_source(struct emu_request *request)
{
    const char *source = emu_text(request, "source", 0, SIZE_MAX, 0);
    bool other = strcmp(source, "DIR_SYNC") == 0;

    if (*source && !other && strcmp(source, "SCALEKIT") != 0 &&
        strcmp(source, "SOURCE_UNSPECIFIED") != 0)
        request->malformed = "source";
    return other;
}

static void read_filter(struct emu_request *request, struct filter *filter)
{
    static const char *const of_others[] = {"auth_request_id", "interceptor_id",
                                            "interceptor_status", "interceptor_decision"};

    *filter = (struct filter){
        .types = emu_strings(request, request->body, "event_types"),
        .organization_id = emu_text(request, "organization_id", 0, SIZE_MAX, 0),
        .connection_id = emu_text(request, "connection_id", 0, SIZE_MAX, 0),
        .account_id = emu_text(request, "connected_account_id", 0, SIZE_MAX, 0),
        .nothing = read_source(request),
    };
    for (size_t i = 0; i < sizeof of_others / sizeof *of_others; i++)
        filter->nothing |= *emu_text(request, of_others[i], 0, SIZE_MAX, 0) != '\0';
    emu_read_times(request, &filter->start_us, &filter->end_us);
}

static void answer(struct emu_request *request, bool counted)
{
    const struct emu_record *record = &request->emulator->events.record;
    struct emu_json *json = &request->json;
    struct filter filter;
    const struct emu_wanted wanted = {is_wanted, &filter};
    struct emu_page page;

    read_filter(request, &filter);
    if (!emu_record_page(request, record, &wanted, &page))
        return;
    emu_json_open(json, NULL, '{');
    emu_json_open(json, "events", '[');
    for (size_t i = 0; i < page.n; i++)
        emu_json_event(json, NULL, page.items[i]);
    emu_json_close(json, ']');
    emu_json_token(json, "next_page_token", &page.next, page.has_next);
    emu_json_token(json, "prev_page_token", &page.previous, page.has_previous);
    if (counted)
        emu_json_number(json, "total_size", (int64_t)emu_record_count(record, &wanted));
    emu_json_close(json, '}');
    emu_send(request, 200);
}

void emu_route_events(struct emu_request *request)
{
    answer(request, true);
}

void emu_route_events_paginated(struct emu_request *request)
{
    answer(request, false);
}
