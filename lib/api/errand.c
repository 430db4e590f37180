#include "api/errand.h"
#include "base/str.h"
#include "core/request.h"

static bool out_of_memory(struct ski_survey *survey)
{
    survey->short_of_memory = true;
    return false;
}

/* --- looks ------------------------------------------------------------------------------------ */

static void assign(struct ski_errand *errand, size_t place)
{
    struct ski_look *look = errand->looks[place];

    look->errand = errand;
    look->place = (uint32_t)place;
    errand->sweep.left += look->share;
}

void ski_errand_let_go(struct ski_look *look)
{
    struct ski_errand *errand = look->errand;

    errand->looks[look->place] = NULL;
    errand->sweep.left -= look->share;
    errand->survey->left--;
    look->errand = NULL;
}

/* Puts those that are left to the front.  Returns how many. */
static size_t close_ranks(struct ski_look **looks, size_t first, size_t n)
{
    size_t count = 0;

    for (size_t i = first; i < first + n; i++)
        if (looks[i]) {
            looks[i]->place = (uint32_t)(first + count);
            looks[first + count++] = looks[i];
        }
    return count;
}

void ski_errand_close_ranks(struct ski_errand *errand)
{
    errand->plan.count = close_ranks(errand->looks, errand->plan.first, errand->plan.count);
}

/* --- errands ---------------------------------------------------------------------------------- */

static void stop_probing(struct ski_errand *errand)
{
    errand->survey->probing -= errand->probing;
    errand->probing = false;
}

void ski_errand_take(struct ski_errand *errand)
{
    struct ski_survey *survey = errand->survey;
    const scalekit_request *step = errand->step;

    stop_probing(errand);
    survey->n_under_way--;
    errand->step = NULL;
    ski_list_remove(&errand->link);
    if (survey->calls->ended)
        survey->calls->ended(survey, step);
}

void ski_errand_discard(struct ski_errand *errand)
{
    ski_free(errand->survey->arena.mem, errand->page_token);
    errand->page_token = NULL;
    stop_probing(errand);
    ski_list_remove(&errand->link);
    if (!errand->step)
        return;
    ski_request_abandon(errand->step);
    ski_errand_take(errand);
}

bool ski_errand_add(struct ski_survey *survey, struct ski_look_step plan, struct ski_look **looks)
{
    struct ski_errand *errand = ski_arena_alloc(&survey->arena, sizeof *errand);
    bool sweeps = plan.way == SKI_LOOK_SWEEP;

    if (!errand)
        return out_of_memory(survey);
    ski_list_init(&errand->link);
    errand->survey = survey;
    errand->plan = plan;
    errand->looks = looks;
    for (size_t i = plan.first; i < plan.first + plan.count; i++) {
        if (!sweeps)
            looks[i]->share = SKI_SHARE_ONE; /* what a list leaves is looked up */
        assign(errand, i);
    }
    errand->sweep.whole = errand->sweep.left;
    errand->sweep.total = plan.total;
    errand->probing = sweeps && !plan.total;
    survey->probing += errand->probing;
    ski_list_push_back(sweeps && plan.total ? &survey->ready : &survey->waiting, &errand->link);
    return true;
}

/* What is left of a list's is looked up, each by itself. */
static bool look_up_rest(struct ski_errand *errand)
{
    bool added = true;

    ski_errand_close_ranks(errand);
    for (size_t i = 0; i < errand->plan.count && added; i++)
        added = ski_errand_add(
            errand->survey, (struct ski_look_step){SKI_LOOK_SINGLE, errand->plan.first + i, 1, 0},
            errand->looks);
    return added;
}

void ski_errand_pool(struct ski_survey *survey, const struct ski_look_step *plan,
                     struct ski_look *const *looks)
{
    for (size_t i = plan->first; i < plan->first + plan->count; i++) {
        survey->pool[survey->n_pool] = looks[i];
        assign(&survey->idle, survey->n_pool++);
    }
}

/* What is left of a sweep's is seen by user. */
static bool leave_to_pool(struct ski_errand *errand)
{
    ski_errand_close_ranks(errand);
    ski_errand_pool(errand->survey, &errand->plan, errand->looks);
    return true;
}

/* What is left of a sweep's is seen in smaller ones, or by user. */
static bool give_up(struct ski_errand *errand)
{
    struct ski_look_step halves[2];
    bool added = true;

    ski_errand_close_ranks(errand);
    if (!ski_cut_sweep(&errand->plan, errand->looks, halves))
        return leave_to_pool(errand);
    for (size_t i = 0; i < 2 && added; i++)
        if (halves[i].way == SKI_LOOK_SWEEP)
            added = ski_errand_add(errand->survey, halves[i], errand->looks);
        else
            ski_errand_pool(errand->survey, &halves[i], errand->looks);
    return added;
}

/* What the pool has got since the last time, by user. */
static bool plan_pool(struct ski_survey *survey)
{
    const struct ski_mem *mem = survey->arena.mem;
    struct ski_look **looks = survey->pool + survey->planned;
    size_t n = close_ranks(survey->pool, survey->planned, survey->n_pool - survey->planned);
    struct ski_look_plan plan;
    bool added = true;

    survey->n_pool = survey->planned + n;
    if (!n)
        return true;
    if (!ski_plan_users(&plan, mem, looks, n))
        return out_of_memory(survey);
    survey->planned = survey->n_pool;
    survey->idle.sweep.left = 0;
    for (size_t i = 0; i < plan.n_steps && added; i++)
        added = ski_errand_add(survey, plan.steps[i], looks);
    ski_look_plan_free(&plan, mem);
    return added;
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool count_steps(const struct ski_survey *survey, struct ski_look **looks, size_t n,
                        uint64_t *steps)
{
    struct ski_look_plan plan;

    if (!ski_plan_users(&plan, survey->arena.mem, looks, n))
        return false;
    *steps = plan.n_steps;
    ski_look_plan_free(&plan, survey->arena.mem);
    return true;
}

/* Whether the sweeps that are ready, and the pool by user, cost less than everything by user. */
static bool compare(struct ski_survey *survey, bool *pay)
{
    const struct ski_mem *mem = survey->arena.mem;
    struct ski_look **looks = ski_realloc_array(mem, NULL, survey->n_named, sizeof *looks);
    uint64_t pages = 0, rest, all;
    size_t n = 0;
    bool counted;

    if (!looks)
        return out_of_memory(survey);
    for (size_t i = survey->planned; i < survey->n_pool; i++)
        if (survey->pool[i])
            looks[n++] = survey->pool[i];
    counted = count_steps(survey, looks, n, &rest);
    for (struct ski_list *node = survey->ready.next; node != &survey->ready; node = node->next) {
        const struct ski_errand *errand = SKI_CONTAINER(node, struct ski_errand, link);
        const struct ski_look_step *plan = &errand->plan;

        pages += ski_pages_left(&errand->sweep);
        for (size_t i = plan->first; i < plan->first + plan->count; i++)
            if (errand->looks[i])
                looks[n++] = errand->looks[i];
    }
    counted = counted && count_steps(survey, looks, n, &all);
    ski_free(mem, looks);
    if (!counted)
        return out_of_memory(survey);
    *pay = pages + rest < all;
    return true;
}

bool ski_errand_judge(struct ski_survey *survey)
{
    struct ski_list *node;
    bool pay = false;

    if (survey->probing)
        return true;
    if (!ski_list_empty(&survey->ready) && !compare(survey, &pay))
        return false;
    while ((node = ski_list_pop_front(&survey->ready))) {
        struct ski_errand *errand = SKI_CONTAINER(node, struct ski_errand, link);

        errand->judged = true;
        if (pay) {
            ski_list_push_front(&survey->waiting, node);
            continue;
        }
        ski_errand_discard(errand);
        leave_to_pool(errand);
    }
    return plan_pool(survey);
}

/* --- after an answer -------------------------------------------------------------------------- */

bool ski_errand_refused(struct ski_errand *errand)
{
    /* Smaller lists than a sweep would be refused as well. */
    return errand->plan.way == SKI_LOOK_SWEEP ? leave_to_pool(errand) : look_up_rest(errand);
}

bool ski_errand_turn_page(struct ski_errand *errand,
                          const struct scalekit_connected_account_page *page)
{
    struct ski_survey *survey = errand->survey;
    const char *next = page->next_page_token;

    errand->sweep.pages++;
    errand->sweep.listed += (int64_t)page->n_accounts;
    errand->sweep.total = page->total_size;
    if (!errand->sweep.left)
        return true;
    if (!next || !ski_sweep_pays(&errand->sweep))
        return next && errand->plan.way == SKI_LOOK_SWEEP ? give_up(errand) : look_up_rest(errand);
    errand->page_token = ski_strdup(survey->arena.mem, next);
    if (!errand->page_token)
        return out_of_memory(survey);
    if (errand->plan.way == SKI_LOOK_SWEEP && !errand->judged)
        ski_list_push_back(&survey->ready, &errand->link);
    else
        ski_list_push_front(&survey->waiting, &errand->link);
    return true;
}
