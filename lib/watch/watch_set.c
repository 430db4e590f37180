/* Design note.  A set is an array of members, each with a watch that has the member as its `user`.
 *
 *     event of a watch ──► take_in(): state of the member, counts
 *                              ──► CHANGED is told ──► decide(): the final event is told, or not yet
 *
 * A set that has not ended has a watch that has not, or a request that refuses it; so it needs no
 * task of its own to be told of the end of the client, nor of its own: stopping a set stops one of
 * its watches, and the final event is told with the end of that one.
 *
 * After the final event nothing is told.  The other watches are stopped a window at a time: each one
 * that has ended moves the window on, so that no turn of the loop has to stop 100,000.  The set stays
 * until the last one has ended. */
#include <scalekit/watch_set.h>

#include "api/account_key.h"
#include "core/client.h"
#include "json/check.h"
#include "watch/watch.h"

#define MAX_KEYS    100000
#define STOP_WINDOW 256 /* watches that have been stopped and have not ended */

/* How an account stands: the counts of an event, in their order. */
enum state {
    WAITING,
    ACTIVE,
    EXPIRED,
    REVOKED,
    DISCONNECTED,
    DELETED,
    LINK_EXPIRED,
    DEADLINE,
    REFUSED,
    STATES
};

struct member {
    scalekit_watch_set *set;
    scalekit_watch *watch; /* NULL: it has ended */
    uint8_t state, status;
};
_Static_assert(sizeof(struct member) <= 24, "watch_set.h says so");

struct scalekit_watch_set {
    struct ski_mem mem; /* a copy: a set may outlive the client */
    unsigned refs;      /* the application's until the end, and one per watch */
    scalekit_watch_set_cb cb;
    void *user;
    uint8_t mode;
    bool progress;
    bool stopping; /* the application wants its end */
    bool ended;    /* the final event was told, or there will be none */
    uint32_t n, live, counts[STATES];
    uint32_t at; /* before it all have ended or have been stopped */
    struct member members[];
};

/* --- telling ----------------------------------------------------------------------------------- */

static void tell(scalekit_watch_set *set, enum scalekit_watch_set_event_kind kind, size_t index,
                 const struct scalekit_watch_event *told, const struct scalekit_error *error)
{
    const uint32_t *counts = set->counts;
    struct scalekit_watch_set_event event = {
        .struct_size = sizeof event,
        .kind = kind,
        .final = kind != SCALEKIT_WATCH_SET_CHANGED,
        .index = index,
        .event = told,
        .error = error,
        .n_keys = set->n,
        .waiting = counts[WAITING],
        .active = counts[ACTIVE],
        .expired = counts[EXPIRED],
        .revoked = counts[REVOKED],
        .disconnected = counts[DISCONNECTED],
        .deleted = counts[DELETED],
        .link_expired = counts[LINK_EXPIRED],
        .deadline = counts[DEADLINE],
        .refused = counts[REFUSED],
    };

    set->cb(set, &event, set->user);
}

static void stop_some(scalekit_watch_set *set, unsigned n)
{
    while (n && set->at < set->n) {
        scalekit_watch *watch = set->members[set->at++].watch;

        if (!watch)
            continue;
        scalekit_watch_stop(watch);
        n--;
    }
}

/* The final event; the set may be gone after it. */
static void end(scalekit_watch_set *set, enum scalekit_watch_set_event_kind kind, size_t index,
                const struct scalekit_watch_event *told, const struct scalekit_error *error)
{
    set->ended = true;
    stop_some(set, STOP_WINDOW);
    tell(set, kind, index, told, error);
    scalekit_watch_set_unref(set);
}

/* --- deciding ---------------------------------------------------------------------------------- */

static enum state state_of(enum scalekit_account_status status)
{
    switch (status) {
    case SCALEKIT_ACCOUNT_ACTIVE:
        return ACTIVE;
    case SCALEKIT_ACCOUNT_EXPIRED:
        return EXPIRED;
    case SCALEKIT_ACCOUNT_REVOKED:
        return REVOKED;
    case SCALEKIT_ACCOUNT_DISCONNECTED:
        return DISCONNECTED;
    default:
        return WAITING;
    }
}

static enum state state_after(const struct scalekit_watch_event *event)
{
    switch (event->kind) {
    case SCALEKIT_WATCH_DELETED:
        return DELETED;
    case SCALEKIT_WATCH_LINK_EXPIRED:
        return LINK_EXPIRED;
    case SCALEKIT_WATCH_DEADLINE:
        return DEADLINE;
    case SCALEKIT_WATCH_REFUSED:
        return REFUSED;
    default:
        return state_of(event->status);
    }
}

static void take_in(struct member *member, const struct scalekit_watch_event *event)
{
    scalekit_watch_set *set = member->set;

    member->status = (uint8_t)event->status;
    if (event->kind == SCALEKIT_WATCH_STOPPED)
        return;
    set->counts[member->state]--;
    member->state = (uint8_t)state_after(event);
    set->counts[member->state]++;
}

/* The final event that the latest one of a member makes due; CHANGED: none. */
static enum scalekit_watch_set_event_kind decide(const scalekit_watch_set *set,
                                                 const struct member *member)
{
    bool lost = !member->watch && member->state != ACTIVE;

    switch (set->mode) {
    case SCALEKIT_WATCH_ALL_OF:
        if (lost)
            return SCALEKIT_WATCH_SET_FAILED;
        if (set->counts[ACTIVE] == set->n)
            return SCALEKIT_WATCH_SET_SUCCEEDED;
        break;
    case SCALEKIT_WATCH_ANY_OF:
        if (member->state == ACTIVE)
            return SCALEKIT_WATCH_SET_SUCCEEDED;
        if (!set->live)
            return SCALEKIT_WATCH_SET_FAILED;
        break;
    default:
        if (!set->live)
            return SCALEKIT_WATCH_SET_SUCCEEDED;
    }
    return SCALEKIT_WATCH_SET_CHANGED;
}

/* A set that is not over has a member that lives: a watch is stopped by the set, or by the client's
 * end, and either way this is the end of the set. */
static void tell_member(struct member *member, const struct scalekit_watch_event *event)
{
    scalekit_watch_set *set = member->set;
    size_t index = (size_t)(member - set->members);
    enum scalekit_watch_set_event_kind kind;

    if (event->kind == SCALEKIT_WATCH_STOPPED) {
        end(set, SCALEKIT_WATCH_SET_STOPPED, SCALEKIT_WATCH_SET_NONE, NULL, NULL);
        return;
    }
    kind = decide(set, member);
    if (event->kind != SCALEKIT_WATCH_CHANGED || set->progress)
        tell(set, SCALEKIT_WATCH_SET_CHANGED, index, event, NULL);
    if (kind != SCALEKIT_WATCH_SET_CHANGED)
        end(set, kind, index, event, NULL);
    else if (event->final && set->stopping)
        end(set, SCALEKIT_WATCH_SET_STOPPED, SCALEKIT_WATCH_SET_NONE, NULL, NULL);
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct member *member = user;
    scalekit_watch_set *set = member->set;

    (void)watch;
    if (event->final) {
        member->watch = NULL;
        set->live--;
    }
    take_in(member, event);
    if (!set->ended)
        tell_member(member, event);
    else if (event->final)
        stop_some(set, 1);
    if (event->final)
        scalekit_watch_set_unref(set);
}

/* --- starting ---------------------------------------------------------------------------------- */

static const struct ski_field key_fields[] = {ACCOUNT_KEY(scalekit_account_key), END};
static const struct ski_type key_type = TYPE(scalekit_account_key, key_fields);

static const struct ski_field set_fields[] = {
    OBJECTS(scalekit_watch_set_params, keys, scalekit_account_key, key_type, "keys",
            .flags = SKI_REQUIRED, .max_items = MAX_KEYS),
    INTEGER(scalekit_watch_set_params, deadline_ms, "deadline_ms", .min = 1,
            .max = SKI_MAX_WATCH_MS),
    TIMESTAMP(scalekit_watch_set_params, link_expiry, "link_expiry"),
    BOOLEAN(scalekit_watch_set_params, until_reauthorized, "until_reauthorized"),
    BOOLEAN(scalekit_watch_set_params, progress, "progress"),
    BOOLEAN(scalekit_watch_set_params, follow, "follow"),
    END,
};
static const struct ski_type set_type = TYPE(scalekit_watch_set_params, set_fields);

static const char *check_set(const void *params, const char **parameter)
{
    const struct scalekit_watch_set_params *p = params;
    const char *problem = NULL;

    if ((unsigned)p->mode > SCALEKIT_WATCH_EACH) {
        *parameter = "mode";
        return "mode must be ALL_OF, ANY_OF or EACH";
    }
    for (size_t i = 0; i < p->n_keys && !problem; i++) {
        struct scalekit_account_key key;

        ski_params_copy(&key, sizeof key, p->keys[i]);
        problem = ski_check_account_key(key.connected_account_id, key.connection_name,
                                        key.identifier, parameter);
    }
    return problem;
}

/* Arguments that are wrong are found by an operation that never leaves, and told from the loop. */
static const struct ski_operation rules = {
    .name = "watch_accounts",
    .idempotency = SKI_SAFE,
    .params = &set_type,
    .check = check_set,
    .deliver = ski_deliver_done,
};

static void on_refused(scalekit_request *request, bool done, void *user)
{
    (void)done;
    end(user, SCALEKIT_WATCH_SET_REFUSED, SCALEKIT_WATCH_SET_NONE, NULL,
        scalekit_request_error(request));
}

static scalekit_watch_set *new_set(scalekit_client *client, size_t n, scalekit_watch_set_cb cb,
                                   void *user)
{
    const struct ski_mem *mem = &client->loop.mem;
    scalekit_watch_set *set = ski_zalloc(mem, sizeof *set + n * sizeof *set->members);

    if (!set)
        return NULL;
    set->mem = *mem;
    set->refs = 1;
    set->cb = cb;
    set->user = user;
    return set;
}

static scalekit_watch_set *refuse(scalekit_client *client, const void *params,
                                  scalekit_watch_set_cb cb, void *user)
{
    scalekit_watch_set *set = new_set(client, 0, cb, user);

    if (!set || ski_request_start(client, &rules, params, (ski_callback)on_refused, set))
        return set;
    scalekit_watch_set_unref(set);
    return NULL;
}

/* All that has been learned of an account that is followed is needed to know how it stands. */
static bool add_member(scalekit_watch_set *set, scalekit_client *client,
                       const struct scalekit_watch_set_params *p,
                       const struct scalekit_account_key *given)
{
    struct member *member = &set->members[set->n];
    struct scalekit_account_key key;

    ski_params_copy(&key, sizeof key, given);
    member->set = set;
    member->watch = scalekit_watch_account(
        client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = key.connected_account_id,
                        .connection_name = key.connection_name, .identifier = key.identifier,
                        .organization_id = key.organization_id, .user_id = key.user_id,
                        .deadline_ms = p->deadline_ms, .link_expiry = p->link_expiry,
                        .until_reauthorized = p->until_reauthorized,
                        .progress = p->progress || p->follow, .follow = p->follow),
        on_event, member);
    if (!member->watch)
        return false;
    set->n++;
    set->live++;
    set->refs++;
    set->counts[WAITING]++;
    return true;
}

scalekit_watch_set *scalekit_watch_accounts(scalekit_client *client,
                                            const struct scalekit_watch_set_params *params,
                                            scalekit_watch_set_cb cb, void *user)
{
    struct scalekit_watch_set_params p;
    struct ski_failure failure;
    scalekit_watch_set *set;
    scalekit_err err;

    if (!client || client->closing || !cb)
        return NULL;
    err = ski_operation_check(&rules, &client->loop.mem, params, &failure);
    if (err != SCALEKIT_OK)
        return err == SCALEKIT_ERR_NOMEM ? NULL : refuse(client, params, cb, user);
    ski_params_copy(&p, sizeof p, params);
    set = new_set(client, p.n_keys, cb, user);
    if (!set)
        return NULL;
    set->mode = (uint8_t)p.mode;
    set->progress = p.progress;
    for (size_t i = 0; i < p.n_keys; i++)
        if (!add_member(set, client, &p, p.keys[i])) {
            set->ended = true; /* those that were started end in silence */
            stop_some(set, STOP_WINDOW);
            scalekit_watch_set_unref(set);
            return NULL;
        }
    return set;
}

/* --- the handle -------------------------------------------------------------------------------- */

void scalekit_watch_set_stop(scalekit_watch_set *set)
{
    if (!set || set->ended || set->stopping)
        return;
    set->stopping = true;
    while (set->at < set->n && !set->members[set->at].watch)
        set->at++;
    if (set->at < set->n)
        scalekit_watch_stop(set->members[set->at].watch);
}

void scalekit_watch_set_look_now(scalekit_watch_set *set, size_t index)
{
    if (!set || set->ended)
        return;
    if (index < set->n)
        scalekit_watch_look_now(set->members[index].watch);
    for (size_t i = 0; index == SCALEKIT_WATCH_SET_NONE && i < set->n; i++)
        scalekit_watch_look_now(set->members[i].watch);
}

enum scalekit_account_status scalekit_watch_set_status(const scalekit_watch_set *set, size_t index)
{
    return set && index < set->n ? (enum scalekit_account_status)set->members[index].status
                                 : SCALEKIT_ACCOUNT_UNKNOWN;
}

scalekit_watch_set *scalekit_watch_set_ref(scalekit_watch_set *set)
{
    if (set)
        set->refs++;
    return set;
}

void scalekit_watch_set_unref(scalekit_watch_set *set)
{
    struct ski_mem mem;

    if (!set || --set->refs)
        return;
    mem = set->mem;
    ski_free(&mem, set);
}

const char *scalekit_watch_set_event_name(enum scalekit_watch_set_event_kind kind)
{
    switch (kind) {
    case SCALEKIT_WATCH_SET_CHANGED:
        return "changed";
    case SCALEKIT_WATCH_SET_SUCCEEDED:
        return "succeeded";
    case SCALEKIT_WATCH_SET_FAILED:
        return "failed";
    case SCALEKIT_WATCH_SET_REFUSED:
        return "refused";
    case SCALEKIT_WATCH_SET_STOPPED:
        return "stopped";
    }
    return "unknown";
}
