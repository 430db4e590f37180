/* Design note.  errand.h knows what is to be asked; this asks it, and tells.
 *
 * The owner may do anything inside its calls, so every turn (an answer, the task) is bracketed by
 * begin_turn() and end_turn(): the survey's memory goes at the end of it, and only there it is
 * seen whether all has been told.  A drop calls nothing: it leaves the rest to the task. */
#include "api/errand.h"
#include "core/client.h"
#include "core/request.h"
#include <string.h>

#define STRIKES 3 /* failures that are enough for the breaker */

void *ski_survey_owner(const struct ski_survey *survey)
{
    return survey->owner;
}

const scalekit_request *ski_survey_request(const struct ski_survey *survey)
{
    if (ski_list_empty(&survey->under_way))
        return NULL;
    return SKI_CONTAINER(survey->under_way.next, struct ski_errand, link)->step;
}

/* Whether the owner ended it inside a call, or its client. */
static bool stopped(const struct ski_survey *survey)
{
    return survey->over || survey->client->closing;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void discard_all(struct ski_survey *survey)
{
    struct ski_list *const lists[] = {&survey->under_way, &survey->waiting, &survey->ready};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        while (!ski_list_empty(lists[i]))
            ski_errand_discard(SKI_CONTAINER(lists[i]->next, struct ski_errand, link));
}

static void destroy(struct ski_survey *survey)
{
    const struct ski_mem *mem = survey->arena.mem;

    ski_task_cancel(&survey->turn);
    scalekit_request_unref(survey->broken);
    ski_arena_free(&survey->arena);
    ski_free(mem, survey);
}

static void finish(struct ski_survey *survey)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    survey->over = true;
    discard_all(survey);
    if (!survey->freed)
        survey->calls->done(survey, survey->short_of_memory ? &failure : NULL);
}

static void begin_turn(struct ski_survey *survey)
{
    survey->inside++;
}

static void unwind(struct ski_survey *survey)
{
    if (--survey->inside == 0 && survey->freed)
        destroy(survey);
}

static void end_turn(struct ski_survey *survey)
{
    if (!stopped(survey) && (!survey->left || survey->short_of_memory))
        finish(survey);
    unwind(survey);
}

void ski_survey_free(struct ski_survey *survey)
{
    if (!survey || survey->freed)
        return;
    begin_turn(survey);
    survey->over = survey->freed = true;
    discard_all(survey);
    unwind(survey);
}

/* --- looks ------------------------------------------------------------------------------------ */

bool ski_survey_is_asking(const struct ski_look *look)
{
    return look->errand && look->errand->step && look->errand->step->state != SKI_GATE;
}

void ski_survey_drop(struct ski_survey *survey, struct ski_look *look)
{
    struct ski_errand *errand = look->errand;

    if (!errand || survey->over)
        return;
    begin_turn(survey);
    ski_errand_let_go(look);
    if (errand != &survey->idle && !errand->sweep.left)
        ski_errand_discard(errand);
    if (!survey->over)
        ski_task_defer(&survey->client->loop, &survey->turn);
    unwind(survey);
}

/* false: the survey has stopped. */
static bool tell(struct ski_look *look, const struct scalekit_connected_account *account,
                 const struct scalekit_error *error, scalekit_request *request)
{
    struct ski_survey *survey = look->errand->survey;

    ski_errand_let_go(look);
    survey->calls->tell(survey, look, account, error, request);
    return !stopped(survey);
}

/* --- the breaker ------------------------------------------------------------------------------ */

/* Whether another way may succeed where this has failed: it is about a list, or about an account. */
static bool is_particular(scalekit_err code)
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

static unsigned strikes_of(scalekit_err code)
{
    switch (code) {
    case SCALEKIT_ERR_RESOLVE: /* the next request could not even be sent */
    case SCALEKIT_ERR_CONNECT:
    case SCALEKIT_ERR_TLS:
    case SCALEKIT_ERR_SIGN_IN:
    case SCALEKIT_ERR_UNAUTHORIZED:
        return STRIKES;
    default:
        return is_particular(code) ? 0 : 1;
    }
}

static void count_strikes(struct ski_survey *survey, scalekit_request *step,
                          const struct scalekit_error *error)
{
    unsigned strikes = error ? strikes_of(error->code) : 0;

    if (!survey->breaker || survey->broken)
        return;
    survey->strikes = strikes ? survey->strikes + strikes : 0;
    if (survey->strikes >= STRIKES)
        survey->broken = scalekit_request_ref(step);
}

/* All of these have the error.  false: the survey has stopped. */
static bool tell_failure(struct ski_look **looks, size_t n, scalekit_request *request)
{
    const struct scalekit_error *error = scalekit_request_error(request);

    for (size_t i = 0; i < n; i++)
        if (looks[i] && !tell(looks[i], NULL, error, request))
            return false;
    return true;
}

static bool tell_errand(struct ski_errand *errand, scalekit_request *request)
{
    return tell_failure(errand->looks + errand->plan.first, errand->plan.count, request);
}

/* What has not been asked is not asked any more. */
static void tell_rest(struct ski_survey *survey)
{
    struct ski_list *const lists[] = {&survey->waiting, &survey->ready};
    size_t first = survey->planned;

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        while (!ski_list_empty(lists[i])) {
            struct ski_errand *errand = SKI_CONTAINER(lists[i]->next, struct ski_errand, link);

            ski_errand_discard(errand);
            if (!tell_errand(errand, survey->broken))
                return;
        }
    survey->planned = survey->n_pool;
    tell_failure(survey->pool + first, survey->n_pool - first, survey->broken);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void run(struct ski_survey *survey);

/* What there is altogether, unless the page is no guide to it.  false: the survey has stopped. */
static bool tell_size(struct ski_errand *errand, const struct scalekit_connected_account_page *page)
{
    struct ski_survey *survey = errand->survey;
    const struct ski_asked *asked = errand->asked;
    int64_t listed = (int64_t)page->n_accounts, total = page->total_size;

    if (errand->plan.way != SKI_LOOK_SWEEP || errand->sweep.pages || !survey->calls->sized ||
        (page->next_page_token && total <= listed))
        return true;
    if (total < listed)
        total = listed;
    survey->calls->sized(survey, &asked->any, asked->names, asked->n_names, total ? total : 1);
    return !stopped(survey);
}

/* false: the survey has stopped. */
static bool tell_page(struct ski_errand *errand, scalekit_request *step,
                      const struct scalekit_connected_account_page *page)
{
    struct ski_survey *survey = errand->survey;

    for (size_t i = 0; i < page->n_accounts; i++) {
        const struct scalekit_connected_account *account = page->accounts[i];
        struct ski_look *look = survey->calls->find(survey, account, &errand->asked->any, step);

        if (stopped(survey))
            return false;
        if (look && look->errand == errand && !tell(look, account, NULL, step))
            return false;
    }
    return true;
}

static void on_page(scalekit_request *step, const struct scalekit_connected_account_page *page,
                    void *user)
{
    struct ski_errand *errand = user;
    struct ski_survey *survey = errand->survey;
    const struct scalekit_error *error = scalekit_request_error(step);
    bool goes_on;

    begin_turn(survey);
    ski_errand_take(errand);
    count_strikes(survey, step, error);
    if (stopped(survey))
        goes_on = false;
    else if (page)
        goes_on = tell_size(errand, page) && tell_page(errand, step, page) &&
                  ski_errand_turn_page(errand, page);
    else if (is_particular(error->code))
        goes_on = ski_errand_refused(errand);
    else
        goes_on = tell_errand(errand, step);
    if (goes_on)
        run(survey);
    end_turn(survey);
}

/* --- look-ups --------------------------------------------------------------------------------- */

static void on_account(scalekit_request *step, const struct scalekit_connected_account *account,
                       void *user)
{
    struct ski_errand *errand = user;
    struct ski_survey *survey = errand->survey;
    const struct scalekit_error *error = scalekit_request_error(step);

    begin_turn(survey);
    ski_errand_take(errand);
    count_strikes(survey, step, error);
    if (!stopped(survey) && errand->sweep.left)
        tell(errand->looks[errand->plan.first], account, error, step);
    if (!stopped(survey))
        run(survey);
    end_turn(survey);
}

static scalekit_request *look_up(struct ski_errand *errand)
{
    const struct ski_look *look = errand->looks[errand->plan.first];

    return scalekit_get_connected_account_details(
        errand->survey->client,
        SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = look->connected_account_id,
                        .connection_name = look->connection_name, .identifier = look->identifier,
                        .organization_id = look->organization_id, .user_id = look->user_id),
        on_account, errand);
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool copy_text(struct ski_arena *arena, const char **to, const char *text)
{
    *to = ski_arena_strdup(arena, text);
    return *to || !text;
}

/* What a list asks for from now on, whatever becomes of the looks. */
static bool remember(struct ski_errand *errand)
{
    struct ski_arena *arena = &errand->survey->arena;
    const char *names[SKI_LIST_NAMES];
    const struct ski_look *first;
    struct ski_asked *asked;
    size_t n_names;
    bool copied;

    ski_errand_close_ranks(errand);
    first = errand->looks[errand->plan.first];
    n_names = ski_look_names(&errand->plan, errand->looks, names);
    asked = ski_arena_alloc(arena, sizeof *asked + n_names * sizeof *names);
    if (!asked)
        return false;
    asked->n_names = n_names;
    copied = copy_text(arena, &asked->any.organization_id, first->organization_id) &&
             copy_text(arena, &asked->any.user_id, first->user_id) &&
             (errand->plan.way == SKI_LOOK_SWEEP ||
              copy_text(arena, &asked->any.identifier, first->identifier));
    for (size_t i = 0; i < n_names && copied; i++)
        copied = copy_text(arena, &asked->names[i], names[i]);
    asked->any.connection_name = asked->names[0];
    errand->asked = asked;
    return copied;
}

static scalekit_request *list(struct ski_errand *errand)
{
    const struct ski_asked *asked;

    if (!errand->asked && !remember(errand))
        return NULL;
    asked = errand->asked;
    return scalekit_list_connected_accounts(
        errand->survey->client,
        SCALEKIT_PARAMS(scalekit_list_connected_accounts_params, .connection_names = asked->names,
                        .n_connection_names = asked->n_names, .identifier = asked->any.identifier,
                        .organization_id = asked->any.organization_id,
                        .user_id = asked->any.user_id, .page_size = SKI_LIST_PAGE,
                        .page_token = errand->page_token),
        on_page, errand);
}

/* false: out of memory, or the survey has stopped. */
static bool go(struct ski_errand *errand)
{
    struct ski_survey *survey = errand->survey;
    scalekit_request *step = errand->plan.way == SKI_LOOK_SINGLE ? look_up(errand) : list(errand);

    ski_free(survey->arena.mem, errand->page_token); /* the request has its own */
    errand->page_token = NULL;
    if (!step) {
        survey->short_of_memory = true;
        return false;
    }
    errand->step = step;
    ski_list_push_back(&survey->under_way, &errand->link);
    survey->n_under_way++;
    survey->calls->prepare(survey, step, errand->plan.way);
    return !stopped(survey);
}

/* After whatever happened: what is to be done now. */
static void run(struct ski_survey *survey)
{
    if (survey->broken)
        tell_rest(survey);
    else if (survey->left && !ski_errand_judge(survey))
        return;
    while (!stopped(survey) && survey->n_under_way < survey->max_under_way &&
           !ski_list_empty(&survey->waiting))
        if (!go(SKI_CONTAINER(survey->waiting.next, struct ski_errand, link)))
            return;
}

static void on_turn(struct ski_task *task)
{
    struct ski_survey *survey = SKI_CONTAINER(task, struct ski_survey, turn);
    scalekit_client *client = survey->client;

    ski_client_enter(client);
    begin_turn(survey);
    if (!stopped(survey))
        run(survey);
    end_turn(survey);
    ski_client_leave(client);
}

/* --- starting --------------------------------------------------------------------------------- */

/* Those that are named, and then those by id. */
static bool is_in_lists(const struct ski_look *look)
{
    return !look->connected_account_id || look->listed;
}

static bool copy_looks(struct ski_survey *survey, const struct ski_survey_config *config)
{
    size_t n = config->n_looks;

    survey->looks = ski_arena_alloc(&survey->arena, n * sizeof(struct ski_look *));
    survey->pool = ski_arena_alloc(&survey->arena, n * sizeof(struct ski_look *));
    if (!survey->looks || !survey->pool)
        return false;
    for (size_t i = 0; i < n; i++)
        if (is_in_lists(config->looks[i]))
            survey->looks[survey->n_named++] = config->looks[i];
    survey->n_looks = survey->n_named;
    for (size_t i = 0; i < n; i++)
        if (!is_in_lists(config->looks[i]))
            survey->looks[survey->n_looks++] = config->looks[i];
    survey->idle.survey = survey;
    survey->idle.looks = survey->pool;
    survey->left = n;
    return true;
}

static bool add_errands(struct ski_survey *survey)
{
    const struct ski_mem *mem = survey->arena.mem;
    struct ski_look_plan plan;
    bool added = true;

    if (!ski_plan_sweeps(&plan, mem, survey->looks, survey->n_named))
        return false;
    ski_errand_pool(
        survey,
        &(struct ski_look_step){SKI_LOOK_USER, plan.planned, survey->n_named - plan.planned, 0},
        survey->looks);
    for (size_t i = 0; i < plan.n_steps && added; i++)
        added = ski_errand_add(survey, plan.steps[i], survey->looks);
    ski_look_plan_free(&plan, mem);
    for (size_t i = survey->n_named; i < survey->n_looks && added; i++)
        added =
            ski_errand_add(survey, (struct ski_look_step){SKI_LOOK_SINGLE, i, 1, 0}, survey->looks);
    return added;
}

static struct ski_survey *new_survey(scalekit_client *client,
                                     const struct ski_survey_config *config)
{
    struct ski_survey *survey = ski_zalloc(&client->loop.mem, sizeof *survey);

    if (!survey)
        return NULL;
    survey->client = client;
    survey->calls = config->calls;
    survey->owner = config->owner;
    survey->max_under_way = config->max_in_flight;
    survey->breaker = config->breaker;
    ski_arena_init(&survey->arena, &client->loop.mem, 4096, SIZE_MAX);
    ski_list_init(&survey->waiting);
    ski_list_init(&survey->under_way);
    ski_list_init(&survey->ready);
    ski_task_init(&survey->turn, on_turn);
    return survey;
}

struct ski_survey *ski_survey_start(scalekit_client *client, const struct ski_survey_config *config)
{
    struct ski_survey *survey = client->closing ? NULL : new_survey(client, config);
    bool started;

    if (!survey)
        return NULL;
    begin_turn(survey);
    if (copy_looks(survey, config) && add_errands(survey))
        run(survey);
    else
        survey->short_of_memory = true;
    if (survey->short_of_memory)
        ski_survey_free(survey);
    started = !survey->freed;
    unwind(survey);
    return started ? survey : NULL;
}
