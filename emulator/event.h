/* event.h - what happened to the connected accounts: the record that /api/v1/events shows.
 *
 * Whatever changes an account says so here, in one call; nothing else knows who reads it.  The last
 * 10,000 events are kept (record.h).  A change is never refused for its event: one that finds no
 * memory is not recorded.  An account's first event is its creation, which covers all that was done
 * to it until then. */
#ifndef EMU_EVENT_H
#define EMU_EVENT_H

#include "record.h"

struct emu_account;
struct emu_json;

enum emu_event_kind {
    EMU_EVENT_CREATED,
    EMU_EVENT_UPDATED,
    EMU_EVENT_STATUS_UPDATED, /* by emu_event_record_status() only */
    EMU_EVENT_DELETED,
    EMU_EVENT_MAGIC_LINK_GENERATED,
    EMU_EVENT_OAUTH_SUCCEEDED,
    EMU_EVENT_OAUTH_TOKENS_FETCHED,
    EMU_EVENT_TOKEN_REFRESH_SUCCEEDED,
    EMU_EVENT_TOKEN_REFRESH_FAILED,
};

struct emu_event {
    enum emu_event_kind kind;
    char id[EMU_ID_SIZE], account_id[EMU_ID_SIZE], connection_id[EMU_ID_SIZE];
    const char *environment_id;
    char *organization_id; /* "": none */
    char *data;            /* a JSON object */
    int64_t occurred_us;   /* never before that of an older event */
};

struct emu_events {
    struct emu_record record;
    const char *environment_id;
    int64_t latest_us;
    /* Told of each event once it is recorded; NULL: nobody is.  It must not change accounts. */
    void (*listener)(const struct emu_event *event, void *user);
    void *listener_user;
};

void emu_events_init(struct emu_events *events, const char *environment_id, uint64_t first_number);
void emu_events_clear(struct emu_events *events);

void emu_event_record(struct emu_events *events, enum emu_event_kind kind,
                      struct emu_account *account);
/* The account has another status than before; none when it is the same.  One that was ACTIVE by
 * OAuth and is EXPIRED has had its token refused: that is an event of its own before. */
void emu_event_record_status(struct emu_events *events, struct emu_account *account,
                             const char *old_status);

const char *emu_event_type(const struct emu_event *event); /* "connected_account.created" */
void emu_json_event(struct emu_json *json, const char *key, const struct emu_event *event);

#endif
