#include "api/look_plan.h"
#include <string.h>

/* The first page of a sweep may be wasted, so it must stand to save three more requests; that of
 * half a sweep that did not pay is more likely to be. */
#define STAKE      4
#define STAKE_HALF 8

/* --- order ------------------------------------------------------------------------------------ */

typedef int (*comparison)(const struct ski_look *a, const struct ski_look *b);

/* Equal ones are often the same: absent, or kept once. */
static int compare_text(const char *a, const char *b)
{
    return a == b ? 0 : strcmp(a ? a : "", b ? b : "");
}

static int compare_scope(const struct ski_look *a, const struct ski_look *b)
{
    int order = compare_text(a->organization_id, b->organization_id);

    return order ? order : compare_text(a->user_id, b->user_id);
}

static int compare_user(const struct ski_look *a, const struct ski_look *b)
{
    int order = compare_scope(a, b);

    return order ? order : compare_text(a->identifier, b->identifier);
}

static int compare_connection(const struct ski_look *a, const struct ski_look *b)
{
    int order = compare_scope(a, b);

    return order ? order : compare_text(a->connection_name, b->connection_name);
}

static int by_user(const struct ski_look *a, const struct ski_look *b)
{
    int order = compare_user(a, b);

    return order ? order : compare_text(a->connection_name, b->connection_name);
}

static int by_connection(const struct ski_look *a, const struct ski_look *b)
{
    int order = compare_connection(a, b);

    return order ? order : compare_text(a->identifier, b->identifier);
}

/* Those of whose size the same is known together, the connections with the most looks first. */
static int by_crowd(const struct ski_look *a, const struct ski_look *b)
{
    int order = compare_scope(a, b);

    if (order == 0)
        order = (a->size > b->size) - (a->size < b->size);
    if (order == 0)
        order = (a->same < b->same) - (a->same > b->same);
    return order ? order : by_connection(a, b);
}

static void merge(struct ski_look **to, struct ski_look **left, size_t n_left,
                  struct ski_look **right, size_t n_right, comparison compare)
{
    while (n_left && n_right) {
        bool take_right = compare(*right, *left) < 0;

        *to++ = take_right ? *right++ : *left++;
        n_left -= !take_right;
        n_right -= take_right;
    }
    memcpy(to, left, n_left * sizeof *left);
    memcpy(to + n_left, right, n_right * sizeof *right);
}

/* A merge sort, because qsort() takes memory of its own.  `spare` has room for n. */
static void sort(struct ski_look **looks, struct ski_look **spare, size_t n, comparison compare)
{
    struct ski_look **from = looks, **to = spare;

    for (size_t width = 1; width < n; width *= 2) {
        struct ski_look **sorted = to;

        for (size_t i = 0; i < n; i += 2 * width) {
            size_t n_left = n - i < width ? n - i : width;
            size_t n_right = n - i - n_left < width ? n - i - n_left : width;

            merge(to + i, from + i, n_left, from + i + n_left, n_right, compare);
        }
        to = from;
        from = sorted;
    }
    if (from != looks)
        memcpy(looks, from, n * sizeof *looks);
}

/* How many at the front are equal. */
static size_t run_of(struct ski_look *const *looks, size_t n, comparison compare)
{
    size_t count = 1;

    while (count < n && compare(looks[count], looks[0]) == 0)
        count++;
    return count;
}

static bool is_one_connection(struct ski_look *const *looks, size_t n)
{
    return n == 0 || run_of(looks, n, compare_connection) == n;
}

/* --- costs ------------------------------------------------------------------------------------ */

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

uint64_t ski_pages_left(const struct ski_sweep *sweep)
{
    int64_t per_page = sweep->pages ? sweep->listed / sweep->pages : SKI_LIST_PAGE;

    if (sweep->total <= sweep->listed)
        return 1;
    return divide_up((uint64_t)(sweep->total - sweep->listed),
                     per_page > 0 ? (uint64_t)per_page : 1);
}

bool ski_sweep_pays(const struct ski_sweep *sweep)
{
    return (uint64_t)sweep->pages < divide_up(sweep->whole, SKI_SHARE_ONE) &&
           ski_pages_left(sweep) < divide_up(sweep->left, SKI_SHARE_ONE);
}

/* A user's looks share the requests that see them by user. */
static void share_out(struct ski_look **looks, size_t n)
{
    for (size_t i = 0, count; i < n; i += count) {
        uint64_t share;

        count = run_of(looks + i, n - i, compare_user);
        share = divide_up(divide_up(count, SKI_LIST_NAMES) * SKI_SHARE_ONE, count);
        for (size_t j = 0; j < count; j++)
            looks[i + j]->share = (uint32_t)share;
    }
}

static uint64_t cost_of(struct ski_look *const *looks, size_t n)
{
    uint64_t cost = 0;

    for (size_t i = 0; i < n; i++)
        cost += looks[i]->share;
    return cost;
}

static bool worth_a_page(struct ski_look *const *looks, size_t n, uint64_t stake)
{
    return cost_of(looks, n) >= stake * divide_up(n, SKI_LIST_PAGE) * SKI_SHARE_ONE;
}

/* Of a connection's looks; other connections may share its last page. */
static enum ski_look_size size_of(struct ski_look *const *looks, size_t n)
{
    uint64_t total = looks[0]->total;

    if (!total)
        return SKI_SIZE_UNKNOWN;
    return total * SKI_SHARE_ONE < cost_of(looks, n) * SKI_LIST_PAGE ? SKI_SIZE_CHEAP
                                                                     : SKI_SIZE_DEAR;
}

static void measure_connections(struct ski_look **looks, size_t n)
{
    for (size_t i = 0, count; i < n; i += count) {
        enum ski_look_size size;

        count = run_of(looks + i, n - i, compare_connection);
        size = size_of(looks + i, count);
        for (size_t j = 0; j < count; j++) {
            looks[i + j]->same = (uint32_t)count;
            looks[i + j]->size = size;
        }
    }
}

/* --- plans ------------------------------------------------------------------------------------ */

static void add_step(struct ski_look_plan *plan, enum ski_look_way way, size_t count, int64_t total)
{
    plan->steps[plan->n_steps++] = (struct ski_look_step){way, plan->planned, count, total};
    plan->planned += count;
}

/* Room for a step per look, which is the most that there can be.  The spare array is of its
 * size. */
static bool make_room(struct ski_look_plan *plan, struct ski_look ***spare,
                      const struct ski_mem *mem, size_t n)
{
    *plan = (struct ski_look_plan){.steps = NULL};
    plan->steps = ski_realloc_array(mem, NULL, n + 1, sizeof *plan->steps);
    *spare = ski_realloc_array(mem, NULL, n + 1, sizeof **spare);
    if (plan->steps && *spare)
        return true;
    ski_free(mem, *spare);
    ski_look_plan_free(plan, mem);
    return false;
}

/* How many connections at the front one list can name, and how many looks they have.  One that
 * would fill a page of its own is swept alone: it would only make the others' pages more. */
static size_t batch_of(struct ski_look *const *looks, size_t n)
{
    size_t count = 0, names = 0, bytes = 0;

    while (count < n && compare_scope(looks[count], looks[0]) == 0 &&
           looks[count]->size == looks[0]->size) {
        size_t run = run_of(looks + count, n - count, compare_connection);

        bytes += strlen(looks[count]->connection_name);
        if (names == SKI_LIST_NAMES || (names && bytes > SKI_LIST_NAME_BYTES))
            break;
        names++;
        count += run;
        if (run > SKI_LIST_PAGE)
            break;
    }
    return count;
}

/* The accounts that a batch's connections have together; 0: unknown. */
static int64_t total_of(struct ski_look *const *looks, size_t n)
{
    int64_t total = 0;

    for (size_t i = 0; i < n; i += looks[i]->same)
        total += looks[i]->total;
    return total;
}

static bool worth_a_sweep(struct ski_look *const *looks, size_t n, int64_t total)
{
    uint64_t cost = cost_of(looks, n);

    if (looks[0]->size == SKI_SIZE_UNKNOWN)
        return worth_a_page(looks, n, STAKE);
    return looks[0]->size == SKI_SIZE_CHEAP &&
           ski_sweep_pays(&(struct ski_sweep){.total = total, .whole = cost, .left = cost});
}

/* Puts what is worth a sweep to the front, in `sorted`'s order, and the rest to the end. */
static void choose_sweeps(struct ski_look_plan *plan, struct ski_look **looks,
                          struct ski_look *const *sorted, size_t n)
{
    size_t rest = n;

    for (size_t i = 0, count; i < n; i += count) {
        int64_t total;

        count = batch_of(sorted + i, n - i);
        total = total_of(sorted + i, count);
        if (worth_a_sweep(sorted + i, count, total)) {
            memcpy(looks + plan->planned, sorted + i, count * sizeof *looks);
            add_step(plan, SKI_LOOK_SWEEP, count, total);
        } else {
            rest -= count;
            memcpy(looks + rest, sorted + i, count * sizeof *looks);
        }
    }
}

bool ski_plan_sweeps(struct ski_look_plan *plan, const struct ski_mem *mem, struct ski_look **looks,
                     size_t n)
{
    struct ski_look **spare;

    if (!make_room(plan, &spare, mem, n))
        return false;
    sort(looks, spare, n, by_user);
    share_out(looks, n);
    if (is_one_connection(looks, n)) { /* then all three orders are the same */
        measure_connections(looks, n);
    } else {
        sort(looks, spare, n, by_connection);
        measure_connections(looks, n);
        sort(looks, spare, n, by_crowd);
    }
    memcpy(spare, looks, n * sizeof *looks);
    choose_sweeps(plan, looks, spare, n);
    ski_free(mem, spare);
    return true;
}

bool ski_cut_sweep(const struct ski_look_step *step, struct ski_look *const *looks,
                   struct ski_look_step halves[2])
{
    const char *names[SKI_LIST_NAMES];
    size_t n_names = ski_look_names(step, looks, names), count = 0;

    if (n_names < 2)
        return false;
    for (size_t i = 0; i < n_names / 2; i++)
        count += run_of(looks + step->first + count, step->count - count, compare_connection);
    halves[0] = (struct ski_look_step){SKI_LOOK_USER, step->first, count, 0};
    halves[1] = (struct ski_look_step){SKI_LOOK_USER, step->first + count, step->count - count, 0};
    for (size_t i = 0; i < 2; i++)
        if (worth_a_page(looks + halves[i].first, halves[i].count, STAKE_HALF))
            halves[i].way = SKI_LOOK_SWEEP;
    return true;
}

/* How many looks of a user, at the front, one list can name. */
static size_t list_of(struct ski_look *const *looks, size_t n)
{
    size_t count = 0, bytes = 0;

    while (count < n && count < SKI_LIST_NAMES) {
        bytes += strlen(looks[count]->connection_name);
        if (count && bytes > SKI_LIST_NAME_BYTES)
            break;
        count++;
    }
    return count;
}

bool ski_plan_users(struct ski_look_plan *plan, const struct ski_mem *mem, struct ski_look **looks,
                    size_t n)
{
    struct ski_look **spare;

    if (!make_room(plan, &spare, mem, n))
        return false;
    sort(looks, spare, n, by_user);
    while (plan->planned < n) {
        struct ski_look **rest = looks + plan->planned;
        size_t count = list_of(rest, run_of(rest, n - plan->planned, compare_user));

        add_step(plan, count > 1 ? SKI_LOOK_USER : SKI_LOOK_SINGLE, count, 0);
    }
    ski_free(mem, spare);
    return true;
}

void ski_look_plan_free(struct ski_look_plan *plan, const struct ski_mem *mem)
{
    ski_free(mem, plan->steps);
    *plan = (struct ski_look_plan){.steps = NULL};
}

size_t ski_look_names(const struct ski_look_step *step, struct ski_look *const *looks,
                      const char *names[SKI_LIST_NAMES])
{
    size_t n_names = 0;

    for (size_t i = step->first; i < step->first + step->count && n_names < SKI_LIST_NAMES; i++)
        if (!n_names || strcmp(looks[i]->connection_name, names[n_names - 1]) != 0)
            names[n_names++] = looks[i]->connection_name;
    return n_names;
}
