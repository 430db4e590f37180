#include "../core/fixture.h"
#include "api/look_plan.h"
#include <stdlib.h>

/* --- looks made of rows ----------------------------------------------------------------------- */

struct looks {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_look *all;
    struct ski_look **order;
    char (*names)[64]; /* two for each */
    size_t n, room;
};

static void looks_init(struct looks *l, size_t room)
{
    memset(l, 0, sizeof *l);
    test_memory_init(&l->memory);
    ski_mem_init(&l->mem, &l->memory.allocator);
    l->room = room;
    l->all = calloc(room, sizeof *l->all);
    l->order = calloc(room, sizeof *l->order);
    l->names = calloc(room * 2, sizeof *l->names);
    CU_ASSERT_FATAL(l->all && l->order && l->names);
}

static void looks_free(struct looks *l)
{
    free(l->all);
    free(l->order);
    free(l->names);
    CU_ASSERT_EQUAL(l->memory.live, 0);
}

static void add(struct looks *l, const char *connection, const char *identifier, const char *scope)
{
    struct ski_look *look = &l->all[l->n];

    CU_ASSERT_FATAL(l->n < l->room);
    snprintf(l->names[2 * l->n], sizeof *l->names, "%s", connection);
    snprintf(l->names[2 * l->n + 1], sizeof *l->names, "%s", identifier);
    look->connection_name = l->names[2 * l->n];
    look->identifier = l->names[2 * l->n + 1];
    look->organization_id = scope;
    l->order[l->n++] = look;
}

/* `users` users, each with the connections from `first` on, as many as `connections`. */
static void add_many(struct looks *l, unsigned users, unsigned first, unsigned connections,
                     const char *scope)
{
    for (unsigned user = 0; user < users; user++)
        for (unsigned i = first; i < first + connections; i++) {
            char connection[16], identifier[16];

            snprintf(connection, sizeof connection, "c%03u", i);
            snprintf(identifier, sizeof identifier, "u%u", user);
            add(l, connection, identifier, scope);
        }
}

/* Whether the steps cover the first looks once, each step one scope; a sweep few enough
 * connections, a user's list one user. */
static bool is_sound(const struct ski_look_plan *plan, const struct looks *l)
{
    size_t next = 0;

    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct ski_look_step *step = &plan->steps[i];
        const struct ski_look *first = l->order[step->first];
        const char *names[SKI_LIST_NAMES];
        size_t n_names = ski_look_names(step, l->order, names), covered = 0;

        if (step->first != next || !step->count)
            return false;
        next += step->count;
        for (size_t j = step->first; j < next; j++) {
            const struct ski_look *look = l->order[j];

            for (size_t k = 0; k < n_names; k++)
                covered += strcmp(names[k], look->connection_name) == 0;
            if (!text_is(look->organization_id, first->organization_id) ||
                (step->way != SKI_LOOK_SWEEP && strcmp(look->identifier, first->identifier) != 0))
                return false;
        }
        if (covered != step->count || (step->way == SKI_LOOK_SINGLE) != (step->count == 1))
            return false;
    }
    return next == plan->planned;
}

/* --- plans ------------------------------------------------------------------------------------ */

static const struct plan_row {
    const char *name;
    struct {
        unsigned users, first, connections;
        const char *scope;
    } groups[4];
    size_t sweeps, swept;  /* steps, and looks that have one */
    size_t singles, lists; /* of the rest by user */
} plan_rows[] = {
    {"nothing", {{0, 0, 0, NULL}}, 0, 0, 0, 0},
    {"one account", {{1, 0, 1, NULL}}, 0, 0, 1, 0},
    {"three users are not worth a page of unknown length", {{3, 0, 1, NULL}}, 0, 0, 3, 0},
    {"four are", {{4, 0, 1, NULL}}, 1, 4, 0, 0},
    {"99 users of one connection", {{99, 0, 1, NULL}}, 1, 99, 0, 0},
    {"one user of two connections", {{1, 0, 2, NULL}}, 0, 0, 0, 1},
    {"one user of 20 connections", {{1, 0, 20, NULL}}, 0, 0, 0, 1},
    {"one user of 21 connections", {{1, 0, 21, NULL}}, 0, 0, 1, 1},
    {"one user of 50 connections", {{1, 0, 50, NULL}}, 0, 0, 0, 3},
    {"three users of 20 connections", {{3, 0, 20, NULL}}, 0, 0, 0, 3},
    {"20 users of five connections share their lists", {{20, 0, 5, NULL}}, 1, 100, 0, 0},
    {"four users of 20 connections each fill a page", {{4, 0, 20, NULL}}, 1, 80, 0, 0},
    {"small connections share a sweep, big ones have their own",
     {{100, 0, 1, NULL}, {8, 1, 3, NULL}, {200, 7, 1, NULL}},
     3,
     324,
     0,
     0},
    {"a few looks of users whose list shows them anyway are not worth a sweep",
     {{100, 0, 1, NULL}, {5, 1, 3, NULL}},
     1,
     100,
     0,
     5},
    {"scopes share nothing",
     {{4, 0, 1, NULL}, {4, 0, 1, "org_1"}, {1, 0, 1, "org_2"}, {1, 1, 2, "org_3"}},
     2,
     8,
     1,
     1},
    {"the same user in two scopes is two", {{1, 0, 1, NULL}, {1, 0, 1, "org_1"}}, 0, 0, 2, 0},
};

static void check_plan(const struct plan_row *row)
{
    struct looks l;
    struct ski_look_plan plan;
    size_t swept, singles = 0;

    looks_init(&l, 2048);
    for (size_t i = 0; i < COUNT(row->groups); i++)
        add_many(&l, row->groups[i].users, row->groups[i].first, row->groups[i].connections,
                 row->groups[i].scope);
    CU_ASSERT_FATAL(ski_plan_sweeps(&plan, &l.mem, l.order, l.n));
    ROW_IS(row->name, is_sound(&plan, &l));
    ROW_IS(row->name, plan.n_steps == row->sweeps && plan.planned == row->swept);
    swept = plan.planned;
    ski_look_plan_free(&plan, &l.mem);

    l.order += swept;
    CU_ASSERT_FATAL(ski_plan_users(&plan, &l.mem, l.order, l.n - swept));
    ROW_IS(row->name, is_sound(&plan, &l) && plan.planned == l.n - swept);
    for (size_t i = 0; i < plan.n_steps; i++)
        singles += plan.steps[i].way == SKI_LOOK_SINGLE;
    ROW_IS(row->name, singles == row->singles && plan.n_steps - singles == row->lists);
    ski_look_plan_free(&plan, &l.mem);
    l.order -= swept;
    looks_free(&l);
}

static void test_plans(void)
{
    for (size_t i = 0; i < COUNT(plan_rows); i++)
        check_plan(&plan_rows[i]);
}

/* Where the sizes are known: each row has one look of every user and connection it names. */
static const struct known_row {
    const char *name;
    struct {
        unsigned users, first, connections;
        uint32_t total; /* of each connection */
    } groups[3];
    size_t sweeps, swept;
    int64_t total; /* of the first sweep */
} known_rows[] = {
    {"two accounts on a page", {{2, 0, 1, 99}}, 1, 2, 99},
    {"two on two pages", {{2, 0, 1, 100}}, 0, 0, 0},
    {"one on a page", {{1, 0, 1, 1}}, 0, 0, 0},
    {"a hundred users on 99 pages", {{100, 0, 1, 9801}}, 1, 100, 9801},
    {"and on a hundred", {{100, 0, 1, 9802}}, 0, 0, 0},
    {"small connections share a page", {{2, 0, 4, 20}}, 1, 8, 80},
    {"which users' lists would show as well", {{1, 0, 4, 20}}, 0, 0, 0},
    {"large ones are not among them", {{9, 0, 2, 20}, {9, 2, 2, 5000}}, 1, 18, 40},
    {"nor those of which nothing is known", {{9, 0, 2, 20}, {9, 2, 2, 0}}, 2, 36, 0},
    {"no more than 20 of them", {{4, 0, 21, 4}}, 1, 80, 80},
};

static void test_known_sizes(void)
{
    for (size_t i = 0; i < COUNT(known_rows); i++) {
        const struct known_row *row = &known_rows[i];
        struct ski_look_plan plan;
        struct looks l;

        looks_init(&l, 256);
        for (size_t j = 0; j < COUNT(row->groups); j++) {
            size_t first = l.n;

            add_many(&l, row->groups[j].users, row->groups[j].first, row->groups[j].connections,
                     NULL);
            for (size_t k = first; k < l.n; k++)
                l.all[k].total = row->groups[j].total;
        }
        CU_ASSERT_FATAL(ski_plan_sweeps(&plan, &l.mem, l.order, l.n));
        ROW_IS(row->name, is_sound(&plan, &l));
        ROW_IS(row->name, plan.n_steps == row->sweeps && plan.planned == row->swept);
        ROW_IS(row->name, !row->sweeps || plan.steps[0].total == row->total);
        ski_look_plan_free(&plan, &l.mem);
        looks_free(&l);
    }
}

/* Names so long that 20 of them would not fit into a request line. */
static void test_long_names(void)
{
    static char names[20][400];
    struct looks l;
    struct ski_look_plan plan;

    looks_init(&l, 20);
    for (size_t i = 0; i < COUNT(names); i++) {
        memset(names[i], 'n', sizeof names[i] - 1);
        names[i][0] = (char)('a' + i);
        add(&l, "", "u", NULL);
        l.all[i].connection_name = names[i];
    }
    CU_ASSERT_FATAL(ski_plan_users(&plan, &l.mem, l.order, l.n));
    CU_ASSERT(is_sound(&plan, &l));
    CU_ASSERT_EQUAL(plan.n_steps, 2);
    CU_ASSERT_EQUAL(plan.steps[0].count, SKI_LIST_NAME_BYTES / (sizeof names[0] - 1));
    ski_look_plan_free(&plan, &l.mem);
    for (size_t i = 0; i < COUNT(names); i++)
        l.all[i].identifier = names[i];
    CU_ASSERT_FATAL(ski_plan_sweeps(&plan, &l.mem, l.order, l.n));
    CU_ASSERT(is_sound(&plan, &l));
    CU_ASSERT_EQUAL(plan.n_steps, 2);
    CU_ASSERT_EQUAL(plan.planned, 20);
    ski_look_plan_free(&plan, &l.mem);
    looks_free(&l);
}

/* --- going on --------------------------------------------------------------------------------- */

#define ONE SKI_SHARE_ONE

static void test_pays(void)
{
    static const struct {
        const char *name;
        struct ski_sweep sweep;
        bool pays;
    } rows[] = {
        {"two pages against three look-ups", {297, 99, 1, 5 * ONE, 3 * ONE}, true},
        {"three pages against three", {298, 99, 1, 5 * ONE, 3 * ONE}, false},
        {"one page against less than one request", {100, 99, 1, 5 * ONE, ONE / 2}, false},
        {"one page against a little more than one", {100, 99, 1, 5 * ONE, ONE + 1}, true},
        {"pages are as full as they were", {100, 10, 1, 9 * ONE, 9 * ONE}, false},
        {"and fuller ones cost less", {100, 20, 1, 9 * ONE, 9 * ONE}, true},
        {"empty pages count as one account each", {10, 0, 1, 99 * ONE, 11 * ONE}, true},
        {"so that they are many", {10, 0, 1, 99 * ONE, 10 * ONE}, false},
        {"without a total the next page may be the last", {0, 99, 1, 9 * ONE, 2 * ONE}, true},
        {"until all would have been looked up", {0, 891, 9, 9 * ONE, 2 * ONE}, false},
        {"a total that runs away, too", {900, 891, 9, 9 * ONE, 8 * ONE}, false},
        {"a total beyond all numbers", {INT64_MAX, 0, 1, 9 * ONE, 8 * ONE}, false},
        {"a known size without a page", {99, 0, 0, 2 * ONE, 2 * ONE}, true},
        {"as many pages as look-ups", {100, 0, 0, 2 * ONE, 2 * ONE}, false},
        {"a total below all numbers", {INT64_MIN, 99, 1, 9 * ONE, 8 * ONE}, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ROW_IS(rows[i].name, ski_sweep_pays(&rows[i].sweep) == rows[i].pays);
}

static const struct cut_row {
    const char *name;
    unsigned users[4]; /* of c000, c001, … */
    size_t first;      /* looks in the first half; 0: it is not cut */
    bool sweep[2];
} cut_rows[] = {
    {"one connection is not cut", {50}, 0, {false, false}},
    {"two", {50, 40}, 50, {true, true}},
    {"three", {20, 20, 20}, 20, {true, true}},
    {"a half that is too small is seen by user", {8, 7}, 8, {true, false}},
    {"both are", {7, 7}, 7, {false, false}},
};

/* Users that are not the same in two connections. */
static void test_cuts(void)
{
    for (size_t i = 0; i < COUNT(cut_rows); i++) {
        const struct cut_row *row = &cut_rows[i];
        struct ski_look_step step = {SKI_LOOK_SWEEP, 1, 0, 0}, halves[2] = {{0}, {0}};
        struct looks l;

        looks_init(&l, 256);
        add(&l, "another", "u", NULL);
        for (unsigned j = 0; j < COUNT(row->users); j++)
            add_many(&l, row->users[j], j, 1, NULL);
        for (size_t j = 0; j < l.n; j++)
            l.all[j].share = ONE;
        step.count = l.n - 1;
        ROW_IS(row->name, ski_cut_sweep(&step, l.order, halves) == (row->first > 0));
        ROW_IS(row->name, halves[0].count == row->first);
        ROW_IS(row->name,
               !row->first || (halves[0].first == 1 && halves[1].first == 1 + row->first &&
                               halves[1].count == step.count - row->first));
        for (size_t j = 0; j < 2 && row->first; j++)
            ROW_IS(row->name, (halves[j].way == SKI_LOOK_SWEEP) == row->sweep[j] &&
                                  (row->sweep[j] || halves[j].way == SKI_LOOK_USER));
        looks_free(&l);
    }
}

/* Ten users with twenty connections cost ten requests, whatever connection they are swept by. */
static void test_shares(void)
{
    struct looks l;
    struct ski_look_plan plan;
    uint64_t sum = 0;

    looks_init(&l, 200);
    add_many(&l, 10, 0, 20, NULL);
    CU_ASSERT_FATAL(ski_plan_sweeps(&plan, &l.mem, l.order, l.n));
    for (size_t i = 0; i < l.n; i++)
        sum += l.order[i]->share;
    CU_ASSERT(sum >= 10 * ONE && sum <= 10 * ONE + l.n);
    ski_look_plan_free(&plan, &l.mem);
    looks_free(&l);
}

/* --- many ------------------------------------------------------------------------------------- */

static int sequence(const void *a, const void *b)
{
    const struct ski_look *const *x = a, *const *y = b;

    return (*x > *y) - (*x < *y);
}

/* No look is lost or doubled, whatever the order in which they come. */
static void test_many(void)
{
    struct looks l;
    struct ski_look_plan plan;
    uint64_t seed = 1;

    looks_init(&l, 20000);
    add_many(&l, 5000, 0, 2, NULL);
    add_many(&l, 200, 30, 50, "org_1");
    for (size_t i = l.n - 1; i > 0; i--) {
        size_t j = (size_t)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33) % i;
        struct ski_look *other = l.order[j];

        l.order[j] = l.order[i];
        l.order[i] = other;
    }
    CU_ASSERT_FATAL(ski_plan_sweeps(&plan, &l.mem, l.order, l.n));
    CU_ASSERT(is_sound(&plan, &l));
    CU_ASSERT_EQUAL(plan.n_steps, 52); /* none of them small enough to share */
    CU_ASSERT_EQUAL(plan.planned, l.n);
    ski_look_plan_free(&plan, &l.mem);
    CU_ASSERT_FATAL(ski_plan_users(&plan, &l.mem, l.order, l.n));
    CU_ASSERT(is_sound(&plan, &l));
    CU_ASSERT_EQUAL(plan.n_steps, 5000 + 200 * 3);
    ski_look_plan_free(&plan, &l.mem);
    qsort(l.order, l.n, sizeof *l.order, sequence);
    for (size_t i = 0; i < l.n; i++)
        CU_ASSERT_FATAL(l.order[i] == &l.all[i]);
    looks_free(&l);
}

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    struct looks *l = user;
    struct ski_mem mem;
    struct ski_look_plan plan;
    bool planned;

    ski_mem_init(&mem, &memory->allocator);
    planned = ski_plan_sweeps(&plan, &mem, l->order, l->n);
    if (planned)
        ski_look_plan_free(&plan, &mem);
    if (!planned || !ski_plan_users(&plan, &mem, l->order, l->n))
        return false;
    ski_look_plan_free(&plan, &mem);
    return true;
}

static void test_out_of_memory(void)
{
    struct looks l;

    looks_init(&l, 100);
    add_many(&l, 50, 0, 2, NULL);
    CU_ASSERT_EQUAL(test_every_allocation(run_short_of_memory, &l), 5);
    looks_free(&l);
}

SUITE(look_plan, {"the way with the fewest requests is chosen", test_plans},
      {"known sizes decide without asking", test_known_sizes},
      {"a list never names more than fits into a request line", test_long_names},
      {"a sweep goes on while that is cheaper", test_pays},
      {"a sweep that does not pay is cut where its halves may", test_cuts},
      {"a user's accounts share the cost of the user's list", test_shares},
      {"of many looks, none is lost or planned twice", test_many},
      {"every allocation may fail", test_out_of_memory})
