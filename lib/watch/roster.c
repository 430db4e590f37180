#include "watch/roster.h"
#include "base/str.h"
#include <string.h>

_Static_assert(sizeof(struct ski_known) <= 88, "watch_connection.h says how much an account takes");

void ski_roster_init(struct ski_roster *roster, const struct ski_mem *mem)
{
    *roster = (struct ski_roster){.mem = mem};
    ski_map_init(&roster->by_id, mem);
    ski_list_init(&roster->by_list);
    ski_list_init(&roster->changed);
}

static void free_known(struct ski_roster *roster, struct ski_known *known)
{
    ski_map_remove(&roster->by_id, &known->node);
    ski_list_remove(&known->link);
    ski_list_remove(&known->changed);
    ski_free(roster->mem, known);
}

/* The whole table goes, so nothing is looked for in it. */
void ski_roster_free(struct ski_roster *roster)
{
    struct ski_list *node = roster->by_list.next, *next;

    for (; node != &roster->by_list; node = next) {
        next = node->next;
        ski_free(roster->mem, SKI_CONTAINER(node, struct ski_known, link));
    }
    ski_map_free(&roster->by_id);
    ski_roster_init(roster, roster->mem);
}

/* --- seeing ------------------------------------------------------------------------------------ */

static bool same_id(const struct ski_map_node *node, const void *id)
{
    return strcmp(SKI_CONTAINER(node, struct ski_known, node)->text, id) == 0;
}

struct ski_known *ski_roster_find(const struct ski_roster *roster, const char *id)
{
    struct ski_map_node *node = ski_map_find(&roster->by_id, ski_hash_text(id), same_id, id);

    return node ? SKI_CONTAINER(node, struct ski_known, node) : NULL;
}

static struct ski_known *new_known(struct ski_roster *roster,
                                   const struct scalekit_connected_account *account)
{
    const char *identifier = account->identifier ? account->identifier : "";
    size_t id_size = strlen(account->id) + 1, size = id_size + strlen(identifier) + 1;
    struct ski_known *known = ski_zalloc(roster->mem, sizeof *known + size);

    if (!known)
        return NULL;
    memcpy(known->text, account->id, id_size);
    memcpy(known->text + id_size, identifier, size - id_size);
    known->node.hash = ski_hash(known->text, id_size - 1);
    ski_list_init(&known->link);
    ski_list_init(&known->changed);
    if (!ski_map_insert(&roster->by_id, &known->node)) {
        ski_free(roster->mem, known);
        return NULL;
    }
    ski_list_push_front(&roster->by_list, &known->link);
    return known;
}

/* As in engine.c: what was asked for in time and is older comes, for a while, from a replica. */
static bool is_stale(const struct ski_known *known, const struct ski_observation *seen,
                     int64_t now_ms)
{
    bool overtaken = seen->asked_ms < known->seen_ms;

    if (!known->seen_ms)
        return false;
    if (!seen->at || !known->updated_at)
        return overtaken;
    if (seen->at >= known->updated_at)
        return false;
    return overtaken || ski_is_event(seen) || now_ms - known->seen_ms < SKI_REPLICA_LAG_MS;
}

/* An event may be from before the account was deleted: it does not say that it is there. */
struct ski_known *ski_roster_take(struct ski_roster *roster, const struct ski_observation *seen,
                                  int64_t now_ms)
{
    const struct scalekit_connected_account *account = seen->account;
    struct ski_known *known = ski_roster_find(roster, account->id);

    if (!known)
        known = new_known(roster, account);
    if (!known)
        return NULL;
    if (!ski_is_event(seen))
        known->missing = false;
    if (is_stale(known, seen, now_ms))
        return known;
    known->status = (uint8_t)account->status;
    if (seen->at)
        known->updated_at = seen->at;
    known->seen_ms = now_ms;
    known->gone = false;
    if ((!known->is_told || known->told != known->status) && !ski_list_linked(&known->changed))
        ski_list_push_back(&roster->changed, &known->changed);
    return known;
}

/* --- lists ------------------------------------------------------------------------------------- */

void ski_roster_shown(struct ski_roster *roster, struct ski_known *known)
{
    known->list = roster->list;
    ski_list_push_back(&roster->by_list, &known->link);
}

struct ski_known *ski_roster_unshown(const struct ski_roster *roster)
{
    struct ski_known *known;

    if (ski_list_empty(&roster->by_list))
        return NULL;
    known = SKI_CONTAINER(roster->by_list.next, struct ski_known, link);
    return known->list == roster->list ? NULL : known;
}

void ski_roster_remove(struct ski_roster *roster, struct ski_known *known)
{
    known->gone = true;
    if (!ski_list_linked(&known->changed))
        ski_list_push_back(&roster->changed, &known->changed);
    ski_roster_shown(roster, known);
}

/* --- telling ----------------------------------------------------------------------------------- */

bool ski_roster_next(struct ski_roster *roster, enum scalekit_connection_event_kind *kind,
                     struct ski_known **out, enum scalekit_account_status *previous)
{
    struct ski_list *node;

    while ((node = ski_list_pop_front(&roster->changed))) {
        struct ski_known *known = SKI_CONTAINER(node, struct ski_known, changed);

        if (known->gone && !known->is_told) {
            free_known(roster, known);
            continue;
        }
        if (!known->gone && known->is_told && known->told == known->status)
            continue;
        *kind = known->gone      ? SCALEKIT_CONNECTION_REMOVED
                : known->is_told ? SCALEKIT_CONNECTION_CHANGED
                                 : SCALEKIT_CONNECTION_ADDED;
        *previous = known->is_told ? known->told : known->status;
        roster->n_told += *kind == SCALEKIT_CONNECTION_ADDED;
        if (!known->gone)
            known->told = known->status;
        known->is_told = true;
        *out = known;
        return true;
    }
    return false;
}

void ski_roster_forget(struct ski_roster *roster, struct ski_known *known)
{
    roster->n_told--;
    free_known(roster, known);
}

void ski_known_describe(const struct ski_known *known, struct scalekit_known_account *account)
{
    const char *identifier = known->text + strlen(known->text) + 1;

    *account = (struct scalekit_known_account){
        .struct_size = sizeof *account,
        .connected_account_id = known->text,
        .identifier = *identifier ? identifier : NULL,
        .status = known->told,
        .updated_at = known->updated_at,
    };
}
