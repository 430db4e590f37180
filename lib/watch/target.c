#include "watch/target.h"
#include "base/str.h"
#include <string.h>

#define NAME_PARTS 3 /* of a group */
#define KEPT_DUE   64

/* A target that is known by id has, before the id, a pointer to the identifier it was seen with. */
#define ID_AT sizeof(char *)

uint32_t ski_id_hash(const char *id)
{
    uint32_t hash = (uint32_t)ski_hash_text(id);

    return hash ? hash : 1;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* --- groups ------------------------------------------------------------------------------------ */

static uint64_t hash_group(const struct ski_account_name *name)
{
    const char *const parts[NAME_PARTS] = {name->connection_name, name->organization_id,
                                           name->user_id};
    uint64_t hashes[NAME_PARTS];

    for (size_t i = 0; i < NAME_PARTS; i++)
        hashes[i] = parts[i] ? ski_hash_text(parts[i]) : 0;
    return ski_hash(hashes, sizeof hashes);
}

static bool same_group(const struct ski_map_node *node, const void *key)
{
    const struct ski_group *group = SKI_CONTAINER(node, struct ski_group, node);
    const struct ski_account_name *name = key;

    return same_text(group->connection_name, name->connection_name) &&
           same_text(group->organization_id, name->organization_id) &&
           same_text(group->user_id, name->user_id);
}

struct ski_group *ski_targets_group(const struct ski_targets *targets,
                                    const struct ski_account_name *name)
{
    struct ski_map_node *node = ski_map_find(&targets->groups, hash_group(name), same_group, name);

    return node ? SKI_CONTAINER(node, struct ski_group, node) : NULL;
}

static const char *copy_part(char **to, const char *part)
{
    const char *copy = *to;
    size_t size = part ? strlen(part) + 1 : 0;

    if (!part)
        return NULL;
    memcpy(*to, part, size);
    *to += size;
    return copy;
}

static struct ski_group *new_group(struct ski_targets *targets, const struct ski_account_name *name)
{
    const char *const parts[NAME_PARTS] = {name->connection_name, name->organization_id,
                                           name->user_id};
    struct ski_group *group;
    size_t size = sizeof *group;
    char *to;

    for (size_t i = 0; i < NAME_PARTS; i++)
        size += parts[i] ? strlen(parts[i]) + 1 : 0;
    group = ski_zalloc(targets->mem, size);
    if (!group)
        return NULL;
    group->targets = targets;
    group->started_ms = INT64_MIN;
    group->scoped = name->organization_id || name->user_id;
    group->named_by_events = !name->connection_name; /* by the accounts' ids */
    group->node.hash = hash_group(name);
    ski_list_init(&group->link);
    ski_list_init(&group->by_age);
    ski_list_init(&group->ready);
    to = group->names;
    group->connection_name = copy_part(&to, name->connection_name);
    group->organization_id = copy_part(&to, name->organization_id);
    group->user_id = copy_part(&to, name->user_id);
    group->timer = ski_timer_new(targets->loop, targets->round, group);
    if (group->timer != SKI_NO_TIMER && ski_map_insert(&targets->groups, &group->node)) {
        ski_list_push_back(&targets->all, &group->link);
        return group;
    }
    ski_timer_free(targets->loop, group->timer);
    ski_free(targets->mem, group);
    return NULL;
}

static void free_group(struct ski_group *group)
{
    struct ski_targets *targets = group->targets;

    ski_timer_free(targets->loop, group->timer);
    ski_list_remove(&group->link);
    ski_list_remove(&group->ready);
    ski_map_remove(&targets->groups, &group->node);
    if (group->has_id)
        ski_map_remove(&targets->groups_by_id, &group->by_id);
    ski_free(targets->mem, group->due.targets);
    ski_free(targets->mem, group);
}

/* A target joins the group of that name; it leaves with leave_group().  NULL: out of memory. */
static struct ski_group *join_group(struct ski_targets *targets,
                                    const struct ski_account_name *name)
{
    struct ski_group *group = ski_targets_group(targets, name);

    if (!group)
        group = new_group(targets, name);
    if (group)
        group->n_targets++;
    return group;
}

static void leave_group(struct ski_group *group)
{
    if (--group->n_targets == 0)
        free_group(group);
}

/* Events may name a connection by its id alone. */
static void learn_connection(struct ski_group *group, const char *connection_id)
{
    if (group->has_id || group->scoped || !group->connection_name || !connection_id)
        return;
    group->by_id.hash = ski_hash_text(connection_id);
    group->has_id = ski_map_insert(&group->targets->groups_by_id, &group->by_id);
    group->named_by_events |= group->has_id;
}

static bool any_group(const struct ski_map_node *node, const void *key)
{
    (void)node;
    (void)key;
    return true; /* 64 bits of hash are enough to tell connections apart */
}

static struct ski_group *find_connection(const struct ski_targets *targets, const char *id)
{
    struct ski_map_node *node =
        ski_map_find(&targets->groups_by_id, ski_hash_text(id), any_group, NULL);

    return node ? SKI_CONTAINER(node, struct ski_group, by_id) : NULL;
}

/* --- names of targets -------------------------------------------------------------------------- */

static const char *id_of(const struct ski_target *target)
{
    return target->by_id ? target->name + ID_AT : NULL;
}

/* Of one known by id, as far as it has been seen. */
static const char *identifier_of(const struct ski_target *target)
{
    const char *identifier = target->name;

    if (target->by_id)
        memcpy(&identifier, target->name, sizeof identifier);
    return identifier;
}

static void set_identifier(struct ski_target *target, char *identifier)
{
    memcpy(target->name, &identifier, sizeof identifier);
}

void ski_target_name(const struct ski_target *target, struct ski_account_name *name)
{
    *name = (struct ski_account_name){id_of(target), target->group->connection_name,
                                      identifier_of(target), target->group->organization_id,
                                      target->group->user_id};
}

static uint64_t hash_id(const char *id)
{
    return ~ski_hash_text(id);
}

static bool same_id(const struct ski_map_node *node, const void *key)
{
    const struct ski_target *target = SKI_CONTAINER(node, struct ski_target, node);

    return target->by_id && strcmp(id_of(target), key) == 0;
}

struct key {
    const struct ski_group *group;
    const char *identifier;
};

static uint64_t hash_key(const struct key *key)
{
    return ski_hash_text(key->identifier) * 31 + key->group->node.hash;
}

static bool same_key(const struct ski_map_node *node, const void *data)
{
    const struct ski_target *target = SKI_CONTAINER(node, struct ski_target, node);
    const struct key *key = data;

    return !target->by_id && target->group == key->group &&
           strcmp(target->name, key->identifier) == 0;
}

static struct ski_target *target_of(struct ski_map_node *node)
{
    return node ? SKI_CONTAINER(node, struct ski_target, node) : NULL;
}

/* --- targets ----------------------------------------------------------------------------------- */

void ski_targets_init(struct ski_targets *targets, struct ski_loop *loop,
                      void (*round)(void *group))
{
    *targets = (struct ski_targets){.loop = loop, .mem = &loop->mem, .round = round};
    ski_map_init(&targets->by_name, targets->mem);
    ski_map_init(&targets->groups, targets->mem);
    ski_map_init(&targets->groups_by_id, targets->mem);
    ski_list_init(&targets->all);
}

void ski_targets_free(struct ski_targets *targets)
{
    ski_map_free(&targets->by_name);
    ski_map_free(&targets->groups);
    ski_map_free(&targets->groups_by_id);
    ski_free(targets->mem, targets->urgent.targets);
}

struct ski_target *ski_targets_by_id(const struct ski_targets *targets, const char *id)
{
    if (!targets->n_by_id)
        return NULL;
    return target_of(ski_map_find(&targets->by_name, hash_id(id), same_id, id));
}

static struct ski_target *find_in(const struct ski_targets *targets, const struct ski_group *group,
                                  const char *identifier)
{
    struct key key = {group, identifier};

    if (!group || !identifier)
        return NULL;
    return target_of(ski_map_find(&targets->by_name, hash_key(&key), same_key, &key));
}

struct ski_target *ski_targets_find(const struct ski_targets *targets,
                                    const struct ski_account_name *name)
{
    return name->id ? ski_targets_by_id(targets, name->id)
                    : find_in(targets, ski_targets_group(targets, name), name->identifier);
}

struct ski_target *ski_targets_match(struct ski_targets *targets,
                                     const struct scalekit_connected_account *account)
{
    struct ski_group *group = NULL;

    if (account->connection_name) {
        group = ski_targets_group(
            targets, &(struct ski_account_name){.connection_name = account->connection_name});
        if (group) {
            group->named_by_events = true;
            learn_connection(group, account->connection_id);
        }
    } else if (account->connection_id) {
        group = find_connection(targets, account->connection_id);
    }
    return find_in(targets, group, account->identifier);
}

int64_t ski_targets_oldest_ms(const struct ski_targets *targets)
{
    int64_t oldest = INT64_MAX;

    for (const struct ski_list *node = targets->all.next; node != &targets->all;
         node = node->next) {
        const struct ski_group *group = SKI_CONTAINER(node, struct ski_group, link);
        const struct ski_target *first = SKI_CONTAINER(group->by_age.next, struct ski_target, link);

        if (first->seen_ms < oldest)
            oldest = first->seen_ms;
    }
    return oldest;
}

static struct ski_target *new_target(struct ski_targets *targets, struct ski_group *group,
                                     const struct ski_account_name *name)
{
    const char *text = name->id ? name->id : name->identifier;
    size_t at = name->id ? ID_AT : 0, size = strlen(text) + 1;
    struct ski_target *target = ski_zalloc(targets->mem, sizeof *target + at + size);

    if (!target)
        return NULL;
    memcpy(target->name + at, text, size);
    target->by_id = name->id != NULL;
    target->group = group;
    target->watches = UINT32_MAX;
    target->due = SKI_NOT_DUE;
    target->node.hash = name->id ? hash_id(name->id) : hash_key(&(struct key){group, text});
    ski_list_init(&target->link);
    if (!ski_map_insert(&targets->by_name, &target->node)) {
        ski_free(targets->mem, target);
        return NULL;
    }
    ski_list_push_front(&group->by_age, &target->link);
    targets->n_by_id += target->by_id;
    return target;
}

struct ski_target *ski_targets_get(struct ski_targets *targets, const struct ski_account_name *name)
{
    /* Where an account known by id belongs is not known before it has been seen. */
    struct ski_account_name of = *name;
    struct ski_target *target = ski_targets_find(targets, name);
    struct ski_group *group;

    if (target)
        return target;
    if (name->id)
        of.connection_name = NULL;
    group = join_group(targets, &of);
    target = group ? new_target(targets, group, name) : NULL;
    if (group && !target)
        leave_group(group);
    return target;
}

void ski_target_free(struct ski_targets *targets, struct ski_target *target)
{
    ski_target_clear_due(targets, target);
    ski_map_remove(&targets->by_name, &target->node);
    ski_list_remove(&target->link);
    leave_group(target->group);
    if (target->by_id) {
        targets->n_by_id--;
        ski_free(targets->mem, (char *)identifier_of(target));
    }
    ski_free(targets->mem, target);
}

/* It moves into the group where lists can show it. */
static void learn(struct ski_targets *targets, struct ski_target *target,
                  const struct scalekit_connected_account *account)
{
    struct ski_account_name name;
    struct ski_group *group;
    char *identifier;

    ski_target_name(target, &name);
    if (name.identifier || target->due != SKI_NOT_DUE || target->wanted ||
        !account->connection_name || !account->identifier)
        return;
    identifier = ski_strdup(targets->mem, account->identifier);
    name.connection_name = account->connection_name;
    group = identifier ? join_group(targets, &name) : NULL;
    if (!group) {
        ski_free(targets->mem, identifier);
        return;
    }
    ski_list_push_back(&group->by_age, &target->link);
    leave_group(target->group);
    target->group = group;
    set_identifier(target, identifier);
}

void ski_target_seen(struct ski_targets *targets, struct ski_target *target,
                     const struct scalekit_connected_account *account, int64_t now_ms)
{
    target->seen_ms = now_ms;
    ski_list_push_back(&target->group->by_age, &target->link);
    if (account->id)
        target->id_hash = ski_id_hash(account->id);
    if (target->by_id)
        learn(targets, target, account);
    learn_connection(target->group, account->connection_id);
}

void ski_target_know(struct ski_target *target, enum scalekit_account_status status,
                     scalekit_time since)
{
    if (since <= target->updated_at)
        return;
    target->status = status & 15;
    target->updated_at = since;
}

/* --- due --------------------------------------------------------------------------------------- */

static struct ski_due *due_of(struct ski_targets *targets, const struct ski_target *target)
{
    return target->urgent ? &targets->urgent : &target->group->due;
}

static bool make_room(const struct ski_mem *mem, struct ski_due *due)
{
    uint32_t capacity = due->capacity ? due->capacity * 2 : 8;
    struct ski_target **more;

    if (due->n < due->capacity)
        return true;
    more = ski_realloc_array(mem, due->targets, capacity, sizeof *more);
    if (!more)
        return false;
    due->targets = more;
    due->capacity = capacity;
    return true;
}

bool ski_target_set_due(struct ski_targets *targets, struct ski_target *target, bool urgent)
{
    struct ski_due *due = urgent ? &targets->urgent : &target->group->due;

    if (target->due != SKI_NOT_DUE && (target->urgent || !urgent))
        return true;
    if (!make_room(targets->mem, due))
        return false;
    ski_target_clear_due(targets, target);
    target->urgent = urgent;
    target->due = due->n;
    due->targets[due->n++] = target;
    return true;
}

void ski_target_clear_due(struct ski_targets *targets, struct ski_target *target)
{
    struct ski_due *due = due_of(targets, target);

    if (target->due == SKI_NOT_DUE)
        return;
    due->targets[target->due] = due->targets[--due->n];
    due->targets[target->due]->due = target->due;
    target->due = SKI_NOT_DUE;
    target->urgent = false;
    if (due->n == 0 && due->capacity > KEPT_DUE) { /* it was large once */
        ski_free(targets->mem, due->targets);
        *due = (struct ski_due){.targets = NULL};
    }
}
