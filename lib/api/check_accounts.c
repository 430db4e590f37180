/* Design note.  look_plan.h chooses, this carries it out.
 *
 *     keys ──► wanted, each once ──► sweeps ──► page, page, … while it pays ──┐ given up, after
 *                │ by id                │ not on its (complete) pages         ▼ halves of it
 *                ▼                      ▼                            pool ──► by user
 *             single ◄──────────────────┴───────────────────────────────────────┘ not in its list
 *
 * What is to be asked waits in a queue of errands, a bounded number of which is under way.  When
 * the first page of every sweep is there, those that pay are compared with doing without any: where
 * users must be listed for what some sweeps have left, their lists show the rest as well.  Then the
 * pool is planned.  A wanted account goes through it once at most: an array of them all has room.
 *
 * The application may end the whole in each of its callbacks: then the check is gone when they
 * return, but not the request, which is delivered from a later turn of the loop. */
#include "api/account_key.h"
#include "api/look_plan.h"
#include "base/map.h"
#include "base/str.h"
#include "core/client.h"
#include "core/request.h"
#include "json/check.h"
#include <scalekit/check_accounts.h>
#include <string.h>

#define MAX_KEYS          100000
#define MAX_IN_FLIGHT     256
#define DEFAULT_IN_FLIGHT 32
#define DEADLINE_MS       INT64_C(86400000)

#define NO_INDEX          SIZE_MAX

/* An account that is asked for, by one key or by several equal ones. */
struct wanted {
    struct ski_look look;
    struct ski_map_node node;    /* in the check's wanted */
    const char *id;              /* NULL: it is named by connection and identifier */
    size_t first, last;          /* of its keys; the check's next leads from one to the other */
    const struct errand *errand; /* that is to show it; NULL */
    bool told;
};

/* A request to make, or several for the pages of a list. */
struct errand {
    struct ski_list link; /* in the check's waiting or under_way */
    struct check *check;
    struct ski_look_step plan;
    struct ski_look **looks; /* the array that the plan is about */
    struct ski_sweep sweep;  /* of a list */
    bool judged;             /* a sweep that pays, together with the others */
    char *page_token;
    scalekit_request *step;
};

struct check {
    scalekit_request *request;
    scalekit_checked_account_cb each;
    struct ski_arena arena; /* everything below but the map's table and page tokens */
    struct ski_map wanted;
    size_t *next;            /* key with the same account; NO_INDEX */
    struct ski_look **looks; /* of all; those by id last, those to be swept first */
    size_t n_named, n_looks;
    struct ski_look **pool; /* to be planned by user, from `planned` on */
    size_t n_pool, planned;
    size_t left; /* wanted, not told */
    struct ski_list waiting, under_way;
    struct ski_list ready; /* sweeps that pay, to be judged */
    size_t n_under_way, max_under_way;
    size_t probing; /* sweeps whose first page is not there yet */
    struct scalekit_account_check counts;
    int attempts; /* of what is not under way any more */
    bool sent;
};

static struct wanted *wanted_of(struct ski_look *look)
{
    return SKI_CONTAINER(look, struct wanted, look);
}

/* Whether the application ended it, inside one of its callbacks. */
static bool over(const scalekit_request *request)
{
    return request->state >= SKI_SETTLED || request->client->closing;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void drop_errands(struct check *check, struct ski_list *errands)
{
    struct ski_list *node;

    while ((node = ski_list_pop_front(errands))) {
        struct errand *errand = SKI_CONTAINER(node, struct errand, link);

        if (errand->step) {
            check->attempts += errand->step->attempts;
            check->sent |= errand->step->sent || errand->step->exchange.sent;
            ski_request_abandon(errand->step);
        }
        ski_free(&check->request->mem, errand->page_token);
    }
}

static void leave(scalekit_request *request)
{
    struct check *check = request->flow_data;

    if (!check)
        return;
    request->flow_data = NULL;
    drop_errands(check, &check->under_way);
    drop_errands(check, &check->waiting);
    drop_errands(check, &check->ready);
    request->attempts = check->attempts;
    request->sent |= check->sent;
    ski_map_free(&check->wanted);
    ski_arena_free(&check->arena);
    ski_free(&request->mem, check);
}

static const scalekit_request *step_of(const scalekit_request *request)
{
    const struct check *check = request->flow_data;

    if (!check || ski_list_empty(&check->under_way))
        return NULL;
    return SKI_CONTAINER(check->under_way.next, struct errand, link)->step;
}

static bool out_of_memory(struct check *check)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    ski_request_settle_failure(check->request, &failure);
    return false;
}

static void complete(struct check *check)
{
    scalekit_request *request = check->request;
    struct scalekit_account_check *counts = ski_arena_alloc(&request->arena, sizeof *counts);

    if (!counts) {
        out_of_memory(check);
        return;
    }
    *counts = check->counts;
    counts->struct_size = sizeof *counts;
    counts->requests = check->attempts;
    ski_request_settle_result(request, counts);
}

/* --- telling ---------------------------------------------------------------------------------- */

/* Tells everybody who asked for the account.  false: the check is gone. */
static bool tell(struct check *check, struct wanted *wanted,
                 const struct scalekit_connected_account *account,
                 const struct scalekit_error *error)
{
    bool missing = error && error->code == SCALEKIT_ERR_NOT_FOUND;
    int64_t *count = account   ? &check->counts.found
                     : missing ? &check->counts.not_found
                               : &check->counts.failed;
    scalekit_request *request = check->request;

    wanted->told = true;
    check->left--;
    for (size_t i = wanted->first, next; i != NO_INDEX; i = next) {
        next = check->next[i];
        ++*count;
        check->each(request, i, account, error, request->user);
        if (over(request))
            return false;
    }
    return true;
}

/* --- wanted ----------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_account(const struct ski_map_node *node, const void *key)
{
    const struct wanted *a = SKI_CONTAINER(node, struct wanted, node), *b = key;

    return same_text(a->look.identifier, b->look.identifier) &&
           same_text(a->look.connection_name, b->look.connection_name) &&
           same_text(a->look.organization_id, b->look.organization_id) &&
           same_text(a->look.user_id, b->look.user_id) && same_text(a->id, b->id);
}

static uint64_t hash_account(const struct wanted *wanted)
{
    const char *const parts[] = {wanted->look.identifier, wanted->look.connection_name,
                                 wanted->look.organization_id, wanted->look.user_id, wanted->id};
    uint64_t hash[sizeof parts / sizeof *parts];

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash[i] = parts[i] ? ski_hash(parts[i], strlen(parts[i])) : 0;
    return ski_hash(hash, sizeof hash);
}

static struct wanted *find(const struct check *check, const struct wanted *key)
{
    struct ski_map_node *node = ski_map_find(&check->wanted, hash_account(key), same_account, key);

    return node ? SKI_CONTAINER(node, struct wanted, node) : NULL;
}

/* What an account on a list's page was wanted for; NULL: nothing. */
static struct wanted *find_listed(const struct errand *errand,
                                  const struct scalekit_connected_account *account)
{
    const struct ski_look *any = errand->looks[errand->plan.first];
    struct wanted *wanted =
        find(errand->check, &(struct wanted){.look = {.connection_name = account->connection_name,
                                                      .identifier = account->identifier,
                                                      .organization_id = any->organization_id,
                                                      .user_id = any->user_id}});

    return wanted && wanted->errand == errand && !wanted->told ? wanted : NULL;
}

/* --- errands ---------------------------------------------------------------------------------- */

/* A step of a plan about `looks`.  false: out of memory, and it is over. */
static bool add_errand(struct check *check, struct ski_look_step plan, struct ski_look **looks)
{
    struct errand *errand = ski_arena_alloc(&check->arena, sizeof *errand);

    if (!errand)
        return out_of_memory(check);
    ski_list_init(&errand->link);
    errand->check = check;
    errand->plan = plan;
    errand->looks = looks;
    for (size_t i = plan.first; i < plan.first + plan.count; i++) {
        wanted_of(looks[i])->errand = errand;
        if (plan.way != SKI_LOOK_SWEEP)
            looks[i]->share = SKI_SHARE_ONE; /* what a list leaves is looked up */
        errand->sweep.whole += looks[i]->share;
    }
    errand->sweep.left = errand->sweep.whole;
    check->probing += plan.way == SKI_LOOK_SWEEP;
    ski_list_push_back(&check->waiting, &errand->link);
    return true;
}

/* What a list has shown goes out of its plan. */
static void drop_told(struct errand *errand)
{
    struct ski_look **looks = errand->looks + errand->plan.first;
    size_t count = 0;

    for (size_t i = 0; i < errand->plan.count; i++)
        if (!wanted_of(looks[i])->told)
            looks[count++] = looks[i];
    errand->plan.count = count;
}

/* What is left of a list's is looked up, each by itself. */
static bool look_up_rest(struct errand *errand)
{
    bool added = true;

    drop_told(errand);
    for (size_t i = 0; i < errand->plan.count && added; i++)
        added = add_errand(errand->check,
                           (struct ski_look_step){SKI_LOOK_SINGLE, errand->plan.first + i, 1, 0},
                           errand->looks);
    return added;
}

static void add_to_pool(struct check *check, const struct ski_look_step *plan,
                        struct ski_look *const *looks)
{
    for (size_t i = plan->first; i < plan->first + plan->count; i++)
        check->pool[check->n_pool++] = looks[i];
}

/* What is left of a sweep's is seen in smaller ones, or by user. */
static bool give_up(struct errand *errand)
{
    struct ski_look_step halves[2];
    bool added = true;

    drop_told(errand);
    if (!ski_cut_sweep(&errand->plan, errand->looks, halves)) {
        add_to_pool(errand->check, &errand->plan, errand->looks);
        return true;
    }
    for (size_t i = 0; i < 2 && added; i++)
        if (halves[i].way == SKI_LOOK_SWEEP)
            added = add_errand(errand->check, halves[i], errand->looks);
        else
            add_to_pool(errand->check, &halves[i], errand->looks);
    return added;
}

/* What the pool has got since the last time, by user. */
static bool plan_pool(struct check *check)
{
    const struct ski_mem *mem = &check->request->mem;
    struct ski_look **looks = check->pool + check->planned;
    struct ski_look_plan plan;
    bool added = true;

    if (check->planned == check->n_pool)
        return true;
    if (!ski_plan_users(&plan, mem, looks, check->n_pool - check->planned))
        return out_of_memory(check);
    check->planned = check->n_pool;
    for (size_t i = 0; i < plan.n_steps && added; i++)
        added = add_errand(check, plan.steps[i], looks);
    ski_look_plan_free(&plan, mem);
    return added;
}

static bool count_steps(const struct check *check, struct ski_look **looks, size_t n,
                        uint64_t *steps)
{
    struct ski_look_plan plan;

    if (!ski_plan_users(&plan, &check->request->mem, looks, n))
        return false;
    *steps = plan.n_steps;
    ski_look_plan_free(&plan, &check->request->mem);
    return true;
}

/* Whether the sweeps that are ready, and the pool by user, cost less than everything by user. */
static bool compare(struct check *check, bool *pay)
{
    const struct ski_mem *mem = &check->request->mem;
    size_t n = check->n_pool - check->planned;
    struct ski_look **looks = ski_realloc_array(mem, NULL, check->n_named, sizeof *looks);
    uint64_t pages = 0, rest, all;
    bool counted;

    if (!looks)
        return out_of_memory(check);
    memcpy(looks, check->pool + check->planned, n * sizeof *looks);
    counted = count_steps(check, looks, n, &rest);
    for (struct ski_list *node = check->ready.next; node != &check->ready; node = node->next) {
        const struct errand *errand = SKI_CONTAINER(node, struct errand, link);
        const struct ski_look_step *plan = &errand->plan;

        pages += ski_pages_left(&errand->sweep);
        for (size_t i = plan->first; i < plan->first + plan->count; i++)
            if (!wanted_of(errand->looks[i])->told)
                looks[n++] = errand->looks[i];
    }
    counted = counted && count_steps(check, looks, n, &all);
    ski_free(mem, looks);
    if (!counted)
        return out_of_memory(check);
    *pay = pages + rest < all;
    return true;
}

/* Once every sweep has its first page: which go on, and how the rest is seen. */
static bool judge(struct check *check)
{
    struct ski_list *node;
    bool pay = false;

    if (check->probing)
        return true;
    if (!ski_list_empty(&check->ready) && !compare(check, &pay))
        return false;
    while ((node = ski_list_pop_front(&check->ready))) {
        struct errand *errand = SKI_CONTAINER(node, struct errand, link);

        errand->judged = true;
        if (pay) {
            ski_list_push_front(&check->waiting, node);
            continue;
        }
        ski_free(&check->request->mem, errand->page_token);
        drop_told(errand);
        add_to_pool(check, &errand->plan, errand->looks);
    }
    return plan_pool(check);
}

static void run(struct check *check);

/* The errand's request has ended. */
static void take(struct errand *errand, scalekit_request *step)
{
    struct check *check = errand->check;

    check->attempts += step->attempts;
    check->sent |= step->sent;
    check->request->attempts = check->attempts;
    check->request->http_status = step->http_status;
    check->n_under_way--;
    errand->step = NULL;
    ski_list_remove(&errand->link);
}

static void on_account(scalekit_request *step, const struct scalekit_connected_account *account,
                       void *user)
{
    struct errand *errand = user;
    struct check *check = errand->check;

    take(errand, step);
    if (tell(check, wanted_of(errand->looks[errand->plan.first]), account,
             scalekit_request_error(step)))
        run(check);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Whether a look-up may succeed where a list has failed. */
static bool is_about_lists(scalekit_err code)
{
    switch (code) {
    case SCALEKIT_ERR_INVALID: /* a page_token of the service's that is too long */
    case SCALEKIT_ERR_TOO_LARGE:
    case SCALEKIT_ERR_DECODE:
    case SCALEKIT_ERR_BAD_REQUEST:
    case SCALEKIT_ERR_FORBIDDEN:
    case SCALEKIT_ERR_NOT_FOUND:
    case SCALEKIT_ERR_HTTP:
        return true;
    default:
        return false;
    }
}

/* Smaller lists would be refused as well. */
static bool list_refused(struct errand *errand)
{
    if (errand->plan.way != SKI_LOOK_SWEEP)
        return look_up_rest(errand);
    drop_told(errand);
    add_to_pool(errand->check, &errand->plan, errand->looks);
    return true;
}

/* Everything that a list was to show has its error.  false: the check is gone. */
static bool tell_failure(struct errand *errand, const struct scalekit_error *error)
{
    struct check *check = errand->check;
    const struct ski_look_step plan = errand->plan;
    struct ski_look **looks = errand->looks;

    for (size_t i = plan.first; i < plan.first + plan.count; i++)
        if (!wanted_of(looks[i])->told && !tell(check, wanted_of(looks[i]), NULL, error))
            return false;
    return true;
}

/* false: the check is gone. */
static bool tell_page(struct errand *errand, const struct scalekit_connected_account_page *page)
{
    for (size_t i = 0; i < page->n_accounts; i++) {
        struct wanted *wanted = find_listed(errand, page->accounts[i]);

        if (!wanted)
            continue;
        errand->sweep.left -= wanted->look.share;
        if (!tell(errand->check, wanted, page->accounts[i], NULL))
            return false;
    }
    return true;
}

/* The next page, if there is one and it pays; else what is left goes another way. */
static bool turn_page(struct errand *errand, const struct scalekit_connected_account_page *page)
{
    struct check *check = errand->check;
    const struct ski_mem *mem = &check->request->mem;
    const char *next = page->next_page_token;

    errand->sweep.pages++;
    errand->sweep.listed += (int64_t)page->n_accounts;
    errand->sweep.total = page->total_size;
    if (!errand->sweep.left)
        return true;
    if (!next || !ski_sweep_pays(&errand->sweep))
        return next && errand->plan.way == SKI_LOOK_SWEEP ? give_up(errand) : look_up_rest(errand);
    errand->page_token = ski_strdup(mem, next);
    if (!errand->page_token)
        return out_of_memory(check);
    if (errand->plan.way == SKI_LOOK_SWEEP && !errand->judged)
        ski_list_push_back(&check->ready, &errand->link);
    else
        ski_list_push_front(&check->waiting, &errand->link);
    return true;
}

static void on_page(scalekit_request *step, const struct scalekit_connected_account_page *page,
                    void *user)
{
    struct errand *errand = user;
    struct check *check = errand->check;
    const struct scalekit_error *error = scalekit_request_error(step);
    bool there;

    take(errand, step);
    check->probing -= errand->plan.way == SKI_LOOK_SWEEP && errand->sweep.pages == 0;
    if (page)
        there = tell_page(errand, page) && turn_page(errand, page);
    else if (is_about_lists(error->code))
        there = list_refused(errand);
    else
        there = tell_failure(errand, error);
    if (there)
        run(check);
}

/* --- sending ---------------------------------------------------------------------------------- */

static scalekit_request *look_up(struct errand *errand)
{
    const struct wanted *wanted = wanted_of(errand->looks[errand->plan.first]);

    errand->check->counts.look_ups++;
    return scalekit_get_connected_account_details(
        errand->check->request->client,
        SCALEKIT_PARAMS(
            scalekit_account_key, .connected_account_id = wanted->id,
            .connection_name = wanted->look.connection_name, .identifier = wanted->look.identifier,
            .organization_id = wanted->look.organization_id, .user_id = wanted->look.user_id),
        on_account, errand);
}

static scalekit_request *list(struct errand *errand)
{
    const struct ski_look *any = errand->looks[errand->plan.first];
    const char *names[SKI_LIST_NAMES];
    size_t n_names = ski_look_names(&errand->plan, errand->looks, names);

    errand->check->counts.pages++;
    return scalekit_list_connected_accounts(
        errand->check->request->client,
        SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, .connection_names = names,
                        .n_connection_names = n_names,
                        .identifier = errand->plan.way == SKI_LOOK_USER ? any->identifier : NULL,
                        .organization_id = any->organization_id, .user_id = any->user_id,
                        .page_size = SKI_LIST_PAGE, .page_token = errand->page_token),
        on_page, errand);
}

/* false: out of memory, and it is over. */
static bool go(struct errand *errand)
{
    struct check *check = errand->check;
    const scalekit_request *request = check->request;
    int64_t left = request->due_ms - ski_loop_now(&request->client->loop);
    scalekit_request *step = errand->plan.way == SKI_LOOK_SINGLE ? look_up(errand) : list(errand);

    ski_free(&request->mem, errand->page_token); /* the request has its own */
    errand->page_token = NULL;
    if (!step)
        return out_of_memory(check);
    errand->step = step;
    step->max_retries = request->max_retries;
    step->retry_rate_limited = request->retry_rate_limited;
    if (step->due_ms > request->due_ms)
        scalekit_request_set_deadline(step, left > 0 ? left : 1);
    ski_list_push_back(&check->under_way, &errand->link);
    check->n_under_way++;
    return true;
}

/* After whatever happened: what is to be done now. */
static void run(struct check *check)
{
    if (!check->left) {
        complete(check);
        return;
    }
    if (!judge(check))
        return;
    while (check->n_under_way < check->max_under_way && !ski_list_empty(&check->waiting))
        if (!go(SKI_CONTAINER(check->waiting.next, struct errand, link)))
            return;
}

/* --- starting --------------------------------------------------------------------------------- */

static void start(scalekit_request *request)
{
    struct check *check = request->flow_data;
    struct ski_look_plan plan;
    bool added = true;

    if (!ski_plan_sweeps(&plan, &request->mem, check->looks, check->n_named)) {
        out_of_memory(check);
        return;
    }
    for (size_t i = plan.planned; i < check->n_named; i++)
        check->pool[check->n_pool++] = check->looks[i];
    for (size_t i = 0; i < plan.n_steps && added; i++)
        added = add_errand(check, plan.steps[i], check->looks);
    ski_look_plan_free(&plan, &request->mem);
    for (size_t i = check->n_named; i < check->n_looks && added; i++)
        added = add_errand(check, (struct ski_look_step){SKI_LOOK_SINGLE, i, 1, 0}, check->looks);
    if (added)
        run(check);
}

static const struct ski_flow flow = {start, leave, step_of};

/* Absent and empty are the same. */
static const char *given(const char *text)
{
    return text && text[0] ? text : NULL;
}

static bool copy_text(struct ski_arena *arena, const char **text)
{
    const char *original = *text;

    *text = ski_arena_strdup(arena, original);
    return *text || !original;
}

/* A new account, whose texts are the caller's. */
static bool add_wanted(struct check *check, const struct wanted *key)
{
    struct ski_arena *arena = &check->arena;
    struct wanted *wanted = ski_arena_alloc(arena, sizeof *wanted);

    if (!wanted)
        return false;
    *wanted = *key;
    wanted->node.hash = hash_account(key);
    if (key->id)
        check->pool[check->n_looks++] = &wanted->look; /* until it is known how many are named */
    else
        check->looks[check->n_named++] = &wanted->look;
    check->left++;
    return copy_text(arena, &wanted->id) && copy_text(arena, &wanted->look.connection_name) &&
           copy_text(arena, &wanted->look.identifier) &&
           copy_text(arena, &wanted->look.organization_id) &&
           copy_text(arena, &wanted->look.user_id) && ski_map_insert(&check->wanted, &wanted->node);
}

static bool add_key(struct check *check, size_t index, const struct scalekit_account_key *given_key)
{
    struct scalekit_account_key k;
    struct wanted key = {.first = index, .last = index}, *wanted;

    ski_params_copy(&k, sizeof k, given_key);
    key.id = given(k.connected_account_id);
    key.look.connection_name = given(k.connection_name);
    key.look.identifier = given(k.identifier);
    key.look.organization_id = given(k.organization_id);
    key.look.user_id = given(k.user_id);
    check->next[index] = NO_INDEX;
    wanted = find(check, &key);
    if (!wanted)
        return add_wanted(check, &key);
    check->next[wanted->last] = index;
    wanted->last = index;
    return true;
}

static bool add_keys(struct check *check, const struct scalekit_check_accounts_params *params)
{
    size_t n = params->n_keys;

    check->next = ski_arena_alloc(&check->arena, n * sizeof *check->next);
    check->looks = ski_arena_alloc(&check->arena, n * sizeof *check->looks);
    check->pool = ski_arena_alloc(&check->arena, n * sizeof *check->pool);
    if (!check->next || !check->looks || !check->pool)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_key(check, i, params->keys[i]))
            return false;
    memcpy(check->looks + check->n_named, check->pool, check->n_looks * sizeof *check->looks);
    check->n_looks += check->n_named;
    return true;
}

static bool begin(scalekit_request *request,
                  const struct scalekit_check_accounts_params *given_params,
                  scalekit_checked_account_cb each)
{
    struct check *check = ski_zalloc(&request->mem, sizeof *check);
    struct scalekit_check_accounts_params params;

    if (!check)
        return false;
    ski_params_copy(&params, sizeof params, given_params);
    check->request = request;
    check->each = each;
    check->max_under_way = params.max_in_flight ? (size_t)params.max_in_flight : DEFAULT_IN_FLIGHT;
    ski_arena_init(&check->arena, &request->mem, 4096, SIZE_MAX);
    ski_map_init(&check->wanted, &request->mem);
    ski_list_init(&check->waiting);
    ski_list_init(&check->under_way);
    ski_list_init(&check->ready);
    request->flow_data = check;
    return add_keys(check, &params);
}

static const struct ski_field key_fields[] = {ACCOUNT_KEY(scalekit_account_key), END};
static const struct ski_type key_type = TYPE(scalekit_account_key, key_fields);

static const struct ski_field params_fields[] = {
    OBJECTS(scalekit_check_accounts_params, keys, scalekit_account_key, key_type, "keys",
            .flags = SKI_REQUIRED, .max_items = MAX_KEYS),
    INTEGER(scalekit_check_accounts_params, max_in_flight, "max_in_flight", .min = 1,
            .max = MAX_IN_FLIGHT),
    END,
};
static const struct ski_type params_type = TYPE(scalekit_check_accounts_params, params_fields);

static const char *check_params(const void *params, const char **parameter)
{
    const struct scalekit_check_accounts_params *p = params;
    const char *problem = NULL;

    for (size_t i = 0; i < p->n_keys && !problem; i++) {
        struct scalekit_account_key key;

        ski_params_copy(&key, sizeof key, p->keys[i]);
        problem = ski_check_account_key(key.connected_account_id, key.connection_name,
                                        key.identifier, parameter);
    }
    return problem;
}

DELIVER(deliver, scalekit_account_check_cb)

static const struct ski_operation check_accounts = {
    .name = "check_accounts",
    .idempotency = SKI_SAFE,
    .params = &params_type,
    .check = check_params,
    .deliver = deliver,
};

scalekit_request *scalekit_check_accounts(scalekit_client *client,
                                          const struct scalekit_check_accounts_params *params,
                                          scalekit_checked_account_cb each,
                                          scalekit_account_check_cb done, void *user)
{
    struct ski_failure failure;
    scalekit_request *request;

    if (!each)
        return NULL;
    request = ski_request_start_flow(client, &check_accounts, params, &flow, NULL,
                                     (ski_callback)done, user);
    if (!request || request->failed)
        return request;
    ski_request_extend(request, request->start_ms + DEADLINE_MS);
    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    if (!begin(request, params, each))
        ski_request_settle_failure(request, &failure);
    return request;
}
