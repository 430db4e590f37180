/* The accounts being followed and their groups: found by every name they have, due in the right
 * array, and gone without a trace. */
#include "harness.h"
#include "watch/target.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct room {
    struct test_loop loop;
    struct ski_targets targets;
    void *fired; /* the group whose timer fired last */
};

static struct room *the_room;

static void on_round(void *group)
{
    the_room->fired = group;
}

static void room_init(struct room *room)
{
    the_room = room;
    room->fired = NULL;
    test_loop_init(&room->loop, NULL);
    ski_targets_init(&room->targets, &room->loop.loop, on_round);
}

static void room_free(struct room *room)
{
    CU_ASSERT(ski_list_empty(&room->targets.all));
    CU_ASSERT_EQUAL(room->targets.by_name.count, 0);
    CU_ASSERT_EQUAL(room->targets.groups.count, 0);
    CU_ASSERT_EQUAL(room->targets.groups_by_id.count, 0);
    CU_ASSERT_EQUAL(room->targets.n_by_id, 0);
    ski_targets_free(&room->targets);
    test_loop_free(&room->loop);
}

#define NAME(...)   (&(const struct ski_account_name){__VA_ARGS__})
#define ID(text)    NAME(.id = (text))
#define NAMED(c, i) NAME(.connection_name = (c), .identifier = (i))

static struct ski_target *get(struct room *room, const struct ski_account_name *name)
{
    struct ski_target *target = ski_targets_get(&room->targets, name);

    CU_ASSERT_PTR_NOT_NULL_FATAL(target);
    return target;
}

static void seen(struct room *room, struct ski_target *target, const char *id,
                 const char *connection_id, int64_t at_ms)
{
    const struct scalekit_connected_account account = {.struct_size = sizeof account,
                                                       .id = id,
                                                       .connection_name = "gmail",
                                                       .connection_id = connection_id,
                                                       .identifier = "user_1"};

    ski_target_seen(&room->targets, target, &account, at_ms);
}

static struct ski_target *match(struct room *room, const char *connection_name,
                                const char *connection_id, const char *identifier)
{
    return ski_targets_match(&room->targets, &(const struct scalekit_connected_account){
                                                 .connection_name = connection_name,
                                                 .connection_id = connection_id,
                                                 .identifier = identifier,
                                             });
}

/* --- names ------------------------------------------------------------------------------------- */

static const struct ski_account_name names[] = {
    {.id = "ca_1"},
    {.id = "ca_2"},
    {.id = "ca_1", .organization_id = "org_1"},
    {.connection_name = "gmail", .identifier = "u"},
    {.connection_name = "gmail", .identifier = "v"},
    {.connection_name = "gmail", .identifier = "ca_1"},
    {.connection_name = "slack", .identifier = "u"},
    {.connection_name = "gmailu", .identifier = ""},
    {.connection_name = "gmai", .identifier = "lu"},
    {.connection_name = "gmail", .identifier = "u", .organization_id = "1"},
    {.connection_name = "gmail", .identifier = "u", .user_id = "1"},
    {.connection_name = "gmail", .identifier = "u", .organization_id = "1", .user_id = "1"},
    {.connection_name = "gmail", .identifier = "u", .organization_id = "", .user_id = "1"},
};

static void every_name_is_its_own(void)
{
    struct ski_target *targets[COUNT(names)];
    struct room room;

    room_init(&room);
    for (size_t i = 0; i < COUNT(names); i++)
        if (i != 2) /* an id names an account wherever it is asked for */
            targets[i] = get(&room, &names[i]);
    targets[2] = targets[0];
    CU_ASSERT_PTR_EQUAL(ski_targets_find(&room.targets, &names[2]), targets[0]);
    for (size_t i = 0; i < COUNT(names); i++) {
        CU_ASSERT_PTR_EQUAL(ski_targets_get(&room.targets, &names[i]), targets[i]);
        CU_ASSERT_PTR_EQUAL(ski_targets_find(&room.targets, &names[i]), targets[i]);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT((i == 2 && j == 0) || targets[i] != targets[j]);
    }
    for (size_t i = 0; i < COUNT(names); i++)
        if (i != 2) {
            ski_target_free(&room.targets, targets[i]);
            CU_ASSERT_PTR_NULL(ski_targets_find(&room.targets, &names[i]));
        }
    room_free(&room);
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void names_are_given_back(void)
{
    struct ski_account_name name;
    struct room room;

    room_init(&room);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct ski_target *target = get(&room, &names[i]);

        ski_target_name(target, &name);
        CU_ASSERT(same(name.id, names[i].id));
        CU_ASSERT(same(name.connection_name, names[i].connection_name));
        CU_ASSERT(same(name.identifier, names[i].identifier));
        CU_ASSERT(same(name.organization_id, names[i].organization_id));
        CU_ASSERT(same(name.user_id, names[i].user_id));
        ski_target_free(&room.targets, target);
    }
    room_free(&room);
}

static void unknown_names_find_nothing(void)
{
    struct ski_target *target;
    struct room room;

    room_init(&room);
    for (size_t i = 0; i < COUNT(names); i++)
        CU_ASSERT_PTR_NULL(ski_targets_find(&room.targets, &names[i]));
    CU_ASSERT_PTR_NULL(ski_targets_group(&room.targets, NAMED("gmail", "u")));
    target = get(&room, NAMED("gmail", "u"));
    CU_ASSERT_PTR_NULL(ski_targets_find(&room.targets, NAMED("gmail", "w")));
    CU_ASSERT_PTR_NULL(ski_targets_find(&room.targets, NAME(.connection_name = "gmail")));
    CU_ASSERT_PTR_NULL(ski_targets_by_id(&room.targets, "ca_1"));
    ski_target_free(&room.targets, target);
    room_free(&room);
}

/* --- groups ------------------------------------------------------------------------------------ */

static void a_group_is_what_one_list_shows(void)
{
    static const struct {
        struct ski_account_name a, b;
        bool together;
    } rows[] = {
        {{.connection_name = "gmail", .identifier = "a"},
         {.connection_name = "gmail", .identifier = "b"},
         true},
        {{.connection_name = "gmail", .identifier = "a"},
         {.connection_name = "slack", .identifier = "a"},
         false},
        {{.connection_name = "gmail", .identifier = "a", .organization_id = "o"},
         {.connection_name = "gmail", .identifier = "b", .organization_id = "o"},
         true},
        {{.connection_name = "gmail", .identifier = "a", .organization_id = "o"},
         {.connection_name = "gmail", .identifier = "b"},
         false},
        {{.connection_name = "gmail", .identifier = "a", .organization_id = "o"},
         {.connection_name = "gmail", .identifier = "b", .user_id = "o"},
         false},
        {{.id = "ca_1"}, {.id = "ca_2"}, true},
        {{.id = "ca_1"}, {.connection_name = "gmail", .identifier = "a"}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ski_target *a, *b;
        struct room room;

        room_init(&room);
        a = get(&room, &rows[i].a);
        b = get(&room, &rows[i].b);
        CU_ASSERT_EQUAL(a->group == b->group, rows[i].together);
        CU_ASSERT_EQUAL(a->group->n_targets, rows[i].together ? 2 : 1);
        CU_ASSERT_EQUAL(a->group->scoped, rows[i].a.organization_id || rows[i].a.user_id);
        CU_ASSERT_EQUAL(room.targets.groups.count, rows[i].together ? 1 : 2);
        ski_target_free(&room.targets, a);
        CU_ASSERT_EQUAL(room.targets.groups.count, 1);
        ski_target_free(&room.targets, b);
        room_free(&room);
    }
}

static void a_group_has_a_timer(void)
{
    struct ski_target *target;
    struct room room;

    room_init(&room);
    target = get(&room, NAMED("gmail", "u"));
    ski_timer_set(&room.loop.loop, target->group->timer, 0);
    ski_loop_run_timers(&room.loop.loop);
    CU_ASSERT_PTR_EQUAL(room.fired, target->group);
    ski_target_free(&room.targets, target);
    room_free(&room);
}

static void the_longest_unseen_is_first(void)
{
    struct ski_target *a, *b, *c;
    struct room room;

    room_init(&room);
    CU_ASSERT_EQUAL(ski_targets_oldest_ms(&room.targets), INT64_MAX);
    a = get(&room, NAMED("gmail", "a"));
    seen(&room, a, "ca_1", NULL, 100);
    b = get(&room, NAMED("gmail", "b"));
    CU_ASSERT_EQUAL(ski_targets_oldest_ms(&room.targets), 0);
    seen(&room, b, "ca_2", NULL, 200);
    CU_ASSERT_EQUAL(ski_targets_oldest_ms(&room.targets), 100);
    seen(&room, a, "ca_1", NULL, 300);
    CU_ASSERT_EQUAL(ski_targets_oldest_ms(&room.targets), 200);
    c = get(&room, NAMED("slack", "c"));
    seen(&room, c, "ca_3", NULL, 150);
    CU_ASSERT_EQUAL(ski_targets_oldest_ms(&room.targets), 150);
    ski_target_free(&room.targets, c);
    CU_ASSERT_EQUAL(ski_targets_oldest_ms(&room.targets), 200);
    ski_target_free(&room.targets, b);
    ski_target_free(&room.targets, a);
    room_free(&room);
}

/* --- accounts known by id ---------------------------------------------------------------------- */

static void one_by_id_learns_where_it_belongs(void)
{
    struct ski_account_name name;
    struct ski_target *target, *other;
    struct ski_group *group;
    struct room room;

    room_init(&room);
    target = get(&room, ID("ca_1"));
    other = get(&room, NAMED("gmail", "user_1"));
    CU_ASSERT_PTR_NULL(target->group->connection_name);
    seen(&room, target, "ca_1", "conn_1", 100);
    group = ski_targets_group(&room.targets, NAMED("gmail", NULL));
    CU_ASSERT_PTR_EQUAL(target->group, group);
    CU_ASSERT_PTR_EQUAL(other->group, group);
    CU_ASSERT_EQUAL(group->n_targets, 2);
    ski_target_name(target, &name);
    CU_ASSERT(same(name.id, "ca_1") && same(name.connection_name, "gmail"));
    CU_ASSERT(same(name.identifier, "user_1"));
    CU_ASSERT_PTR_EQUAL(ski_targets_by_id(&room.targets, "ca_1"), target);
    CU_ASSERT_PTR_EQUAL(ski_targets_find(&room.targets, NAMED("gmail", "user_1")), other);
    seen(&room, target, "ca_1", "conn_1", 200); /* once is enough */
    CU_ASSERT_EQUAL(group->n_targets, 2);
    ski_target_free(&room.targets, other);
    CU_ASSERT_PTR_NULL(ski_targets_find(&room.targets, NAMED("gmail", "user_1")));
    ski_target_free(&room.targets, target);
    room_free(&room);
}

/* It belongs to an array there, or to a round. */
static void one_that_is_due_stays_where_it_is(void)
{
    struct ski_target *target;
    struct room room;

    room_init(&room);
    target = get(&room, ID("ca_1"));
    CU_ASSERT(ski_target_set_due(&room.targets, target, false));
    seen(&room, target, "ca_1", NULL, 100);
    CU_ASSERT_PTR_NULL(target->group->connection_name);
    ski_target_clear_due(&room.targets, target);
    seen(&room, target, "ca_1", NULL, 200);
    CU_ASSERT(same(target->group->connection_name, "gmail"));
    ski_target_free(&room.targets, target);
    room_free(&room);
}

static void the_scope_stays(void)
{
    struct ski_target *target;
    struct room room;

    room_init(&room);
    target = get(&room, NAME(.id = "ca_1", .organization_id = "org_1"));
    seen(&room, target, "ca_1", "conn_1", 100);
    CU_ASSERT(same(target->group->connection_name, "gmail"));
    CU_ASSERT(same(target->group->organization_id, "org_1"));
    CU_ASSERT_FALSE(target->group->has_id); /* events do not tell organizations apart */
    ski_target_free(&room.targets, target);
    room_free(&room);
}

/* --- what events name -------------------------------------------------------------------------- */

static void events_match_by_connection(void)
{
    struct ski_target *target, *scoped;
    struct room room;

    room_init(&room);
    target = get(&room, NAMED("gmail", "user_1"));
    scoped = get(&room, NAME(.connection_name = "gmail", .identifier = "user_2", .user_id = "usr"));
    CU_ASSERT_PTR_EQUAL(match(&room, "gmail", NULL, "user_1"), target);
    CU_ASSERT_PTR_NULL(match(&room, "slack", NULL, "user_1"));
    CU_ASSERT_PTR_NULL(match(&room, "gmail", NULL, "user_3"));
    CU_ASSERT_PTR_NULL(match(&room, "gmail", NULL, "user_2")); /* it may be another's */
    CU_ASSERT_PTR_NULL(match(&room, "gmail", NULL, NULL));
    CU_ASSERT_PTR_NULL(match(&room, NULL, NULL, "user_1"));
    CU_ASSERT_PTR_NULL(match(&room, NULL, "conn_1", "user_1")); /* not known yet */
    CU_ASSERT_PTR_NULL(
        match(&room, "gmail", "conn_1", "user_3")); /* but an event that has both tells */
    CU_ASSERT(target->group->named_by_events);
    CU_ASSERT_PTR_EQUAL(match(&room, NULL, "conn_1", "user_1"), target);
    CU_ASSERT_PTR_EQUAL(match(&room, "gmail", "conn_9", "user_1"), target); /* the name is enough */
    CU_ASSERT_PTR_NULL(match(&room, NULL, "conn_1", "user_3"));
    CU_ASSERT_PTR_NULL(match(&room, NULL, "conn_2", "user_1"));
    ski_target_free(&room.targets, target);
    CU_ASSERT_PTR_NULL(match(&room, NULL, "conn_1", "user_1"));
    ski_target_free(&room.targets, scoped);
    room_free(&room);
}

/* --- hashes ------------------------------------------------------------------------------------ */

static void rehash(struct ski_map *map, struct ski_map_node *node, uint64_t hash)
{
    ski_map_remove(map, node);
    node->hash = hash;
    CU_ASSERT(ski_map_insert(map, node));
}

/* Names are compared, not their hashes alone. */
static void collisions_are_harmless(void)
{
    struct ski_target *a, *b, *by_id, *other_id;
    struct room room;

    room_init(&room);
    a = get(&room, NAMED("gmail", "a"));
    b = get(&room, NAMED("gmail", "b"));
    by_id = get(&room, ID("ca_1"));
    other_id = get(&room, ID("ca_2"));
    rehash(&room.targets.by_name, &b->node, a->node.hash);
    rehash(&room.targets.by_name, &other_id->node, by_id->node.hash);
    CU_ASSERT_PTR_EQUAL(ski_targets_find(&room.targets, NAMED("gmail", "a")), a);
    CU_ASSERT_PTR_EQUAL(ski_targets_by_id(&room.targets, "ca_1"), by_id);
    rehash(&room.targets.by_name, &by_id->node, a->node.hash); /* kinds do not mix either */
    CU_ASSERT_PTR_EQUAL(ski_targets_find(&room.targets, NAMED("gmail", "a")), a);
    rehash(&room.targets.groups, &by_id->group->node, a->group->node.hash);
    CU_ASSERT_PTR_EQUAL(ski_targets_group(&room.targets, NAMED("gmail", NULL)), a->group);
    ski_target_free(&room.targets, a);
    ski_target_free(&room.targets, b);
    ski_target_free(&room.targets, by_id);
    ski_target_free(&room.targets, other_id);
    room_free(&room);
}

static void an_id_hash_is_never_zero(void)
{
    char id[32];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "ca_%u", i);
        CU_ASSERT_NOT_EQUAL(ski_id_hash(id), 0);
        CU_ASSERT_EQUAL(ski_id_hash(id), ski_id_hash(id));
    }
}

/* --- due --------------------------------------------------------------------------------------- */

static void check_due(const struct ski_due *due, uint32_t n)
{
    CU_ASSERT_EQUAL(due->n, n);
    for (uint32_t i = 0; i < due->n; i++)
        CU_ASSERT_EQUAL(due->targets[i]->due, i);
}

static void due_targets_stand_in_one_array(void)
{
    struct ski_target *targets[5];
    struct ski_group *group;
    struct room room;
    char identifier[] = "a";

    room_init(&room);
    for (size_t i = 0; i < COUNT(targets); i++, identifier[0]++) {
        targets[i] = get(&room, NAMED("gmail", identifier));
        CU_ASSERT_EQUAL(targets[i]->due, SKI_NOT_DUE);
        CU_ASSERT(ski_target_set_due(&room.targets, targets[i], false));
        CU_ASSERT(ski_target_set_due(&room.targets, targets[i], false)); /* once */
    }
    group = targets[0]->group;
    check_due(&group->due, 5);
    CU_ASSERT(ski_target_set_due(&room.targets, targets[0], true)); /* it moves */
    CU_ASSERT(targets[0]->urgent);
    check_due(&group->due, 4);
    check_due(&room.targets.urgent, 1);
    CU_ASSERT(ski_target_set_due(&room.targets, targets[0], false)); /* and stays urgent */
    check_due(&room.targets.urgent, 1);
    ski_target_clear_due(&room.targets, targets[2]);
    ski_target_clear_due(&room.targets, targets[2]);
    CU_ASSERT_EQUAL(targets[2]->due, SKI_NOT_DUE);
    check_due(&group->due, 3);
    ski_target_clear_due(&room.targets, targets[0]);
    CU_ASSERT_FALSE(targets[0]->urgent);
    check_due(&room.targets.urgent, 0);
    for (size_t i = 0; i < COUNT(targets); i++) /* also of those that are due */
        ski_target_free(&room.targets, targets[i]);
    room_free(&room);
}

/* An array that was large once does not stay so. */
static void room_for_many_is_given_back(void)
{
    enum { N = 1000 };
    struct ski_target *targets[N];
    struct room room;
    char identifier[16];

    room_init(&room);
    for (unsigned i = 0; i < N; i++) {
        snprintf(identifier, sizeof identifier, "u%u", i);
        targets[i] = get(&room, NAMED("gmail", identifier));
        CU_ASSERT(ski_target_set_due(&room.targets, targets[i], false));
    }
    check_due(&targets[0]->group->due, N);
    for (unsigned i = 0; i < N; i++) {
        snprintf(identifier, sizeof identifier, "u%u", i);
        CU_ASSERT_PTR_EQUAL(ski_targets_find(&room.targets, NAMED("gmail", identifier)),
                            targets[i]);
        ski_target_clear_due(&room.targets, targets[i]);
    }
    CU_ASSERT_PTR_NULL(targets[0]->group->due.targets);
    CU_ASSERT_EQUAL(targets[0]->group->due.capacity, 0);
    for (unsigned i = 0; i < N; i++)
        ski_target_free(&room.targets, targets[i]);
    room_free(&room);
}

/* --- without memory ---------------------------------------------------------------------------- */

static const struct ski_account_name few[] = {
    {.id = "ca_1"},
    {.connection_name = "gmail", .identifier = "user_1"},
    {.connection_name = "slack", .identifier = "user_1", .user_id = "usr_1"},
};

/* One comes, is due and seen.  Whether nothing failed. */
static bool come(struct room *room, const struct ski_account_name *name, struct ski_target **target)
{
    size_t groups = room->targets.groups.count;
    bool due;

    *target = ski_targets_get(&room->targets, name);
    if (!*target) { /* nothing is left of it */
        CU_ASSERT_EQUAL(room->targets.groups.count, groups);
        CU_ASSERT_PTR_NULL(ski_targets_find(&room->targets, name));
        return false;
    }
    due = ski_target_set_due(&room->targets, *target, name->user_id != NULL);
    CU_ASSERT_EQUAL((*target)->due != SKI_NOT_DUE, due);
    CU_ASSERT(due || !(*target)->urgent);
    ski_target_clear_due(&room->targets, *target);
    seen(room, *target, "ca_1", "conn_1", 100);
    CU_ASSERT_EQUAL((*target)->seen_ms, 100);
    CU_ASSERT_PTR_EQUAL(ski_targets_find(&room->targets, name), *target);
    return due;
}

static void any_allocation_may_fail(void)
{
    bool failed = true;

    for (long fail_at = 1; failed; fail_at++) {
        struct ski_target *targets[COUNT(few)];
        struct room room;
        bool well = true;

        room_init(&room);
        room.loop.memory.fail_at = room.loop.memory.count + fail_at;
        for (size_t i = 0; i < COUNT(few); i++)
            well = come(&room, &few[i], &targets[i]) && well;
        failed = room.loop.memory.count >= room.loop.memory.fail_at;
        CU_ASSERT(well || failed);
        CU_ASSERT(failed || fail_at > 10);
        CU_ASSERT(failed || targets[0]->group == targets[1]->group);
        for (size_t i = 0; i < COUNT(few); i++)
            if (targets[i])
                ski_target_free(&room.targets, targets[i]);
        room_free(&room);
    }
}

SUITE(target, {"every name is its own", every_name_is_its_own},
      {"names are given back as they were", names_are_given_back},
      {"unknown names find nothing", unknown_names_find_nothing},
      {"a group is what one list shows", a_group_is_what_one_list_shows},
      {"a group has a timer", a_group_has_a_timer},
      {"the longest unseen is first", the_longest_unseen_is_first},
      {"one known by id learns where it belongs", one_by_id_learns_where_it_belongs},
      {"but not while it is due", one_that_is_due_stays_where_it_is},
      {"its scope stays", the_scope_stays},
      {"events match by connection, also by its id", events_match_by_connection},
      {"collisions of hashes are harmless", collisions_are_harmless},
      {"a hash of an id is never 0", an_id_hash_is_never_zero},
      {"due targets stand in one array", due_targets_stand_in_one_array},
      {"room for many is given back", room_for_many_is_given_back},
      {"any allocation may fail", any_allocation_may_fail})
