#include "watch/round.h"
#include "api/survey.h"
#include "core/governor.h"
#include "watch/schedule.h"
#include <string.h>

#define MAX_IN_FLIGHT 16
/* Of a request that may have to wait for its turn. */
#define GOVERNED_DEADLINE_MS 40000

struct ski_round;

/* A target that a round asks for. */
struct ski_wanted {
    struct ski_look look;
    struct ski_target *target; /* NULL: told, or nobody follows it any more */
    bool regular;              /* its group waits for it */
    struct ski_round *round;
};

struct ski_round {
    struct ski_list link; /* in the engine's */
    struct ski_engine *engine;
    struct ski_survey *survey;
    bool urgent; /* nothing else is in it */
    size_t n;
    struct ski_wanted wanted[];
};

static struct ski_wanted *wanted_of(struct ski_look *look)
{
    return SKI_CONTAINER(look, struct ski_wanted, look);
}

/* --- ending ------------------------------------------------------------------------------------ */

/* It is not asked for any more. */
static void release(struct ski_wanted *wanted)
{
    struct ski_group *group = wanted->target->group;

    wanted->target->wanted = NULL;
    wanted->target = NULL;
    if (wanted->regular && --group->asked == 0)
        ski_schedule_group_done(wanted->round->engine, group);
}

static void free_round(struct ski_round *round)
{
    struct ski_engine *engine = round->engine;

    ski_list_remove(&round->link);
    engine->n_rounds--;
    ski_survey_free(round->survey);
    ski_free(&engine->mem, round);
    ski_schedule_round_done(engine);
}

/* --- what comes -------------------------------------------------------------------------------- */

/* Somebody else's account is a look for nothing.  One that this round asks for is told by tell(). */
static struct ski_look *find(struct ski_survey *survey,
                             const struct scalekit_connected_account *account,
                             const struct ski_look *any, scalekit_request *request)
{
    struct ski_round *round = ski_survey_owner(survey);
    struct ski_observation seen = {.source = SCALEKIT_WATCH_SOURCE_LIST,
                                   .account = account,
                                   .evidence = request,
                                   .asked_ms = request->start_ms,
                                   .at = account->updated_at};
    struct ski_account_name name = {NULL, account->connection_name, account->identifier,
                                    any->organization_id, any->user_id};
    struct ski_target *named = ski_targets_find(&round->engine->targets, &name);
    struct ski_target *by_id =
        account->id ? ski_targets_by_id(&round->engine->targets, account->id) : NULL;
    struct ski_wanted *wanted = named ? named->wanted : NULL;

    ski_engine_hear(round->engine, &seen);
    if (by_id && by_id->wanted && by_id->wanted->round == round) /* this was it */
        ski_round_drop(by_id);
    if (by_id)
        ski_engine_observe(round->engine, by_id, &seen);
    if (wanted && wanted->round == round)
        return &wanted->look;
    if (named)
        ski_engine_observe(round->engine, named, &seen);
    return NULL;
}

static bool is_list(const scalekit_request *request)
{
    return strcmp(request->operation->name, "list_connected_accounts") == 0;
}

static void tell(struct ski_survey *survey, struct ski_look *look,
                 const struct scalekit_connected_account *account,
                 const struct scalekit_error *error, scalekit_request *request)
{
    struct ski_round *round = ski_survey_owner(survey);
    struct ski_wanted *wanted = wanted_of(look);
    struct ski_target *target = wanted->target;
    struct ski_observation seen = {.source = is_list(request) ? SCALEKIT_WATCH_SOURCE_LIST
                                                              : SCALEKIT_WATCH_SOURCE_LOOK_UP,
                                   .account = account,
                                   .error = error,
                                   .evidence = request,
                                   .asked_ms = request->start_ms,
                                   .at = account ? account->updated_at : 0};

    release(wanted);
    if (account && seen.source == SCALEKIT_WATCH_SOURCE_LOOK_UP)
        ski_engine_hear(round->engine, &seen);
    ski_engine_observe(round->engine, target, &seen);
}

/* What failed is asked for again when its time has come, not by the request itself. */
static void prepare(struct ski_survey *survey, scalekit_request *request, enum ski_look_way way)
{
    const struct ski_round *round = ski_survey_owner(survey);
    struct ski_engine *engine = round->engine;

    engine->tally.requests[way]++;
    ski_request_set_class(request, SCALEKIT_CLASS_WATCH);
    if (round->urgent)
        ski_request_go_first(request);
    scalekit_request_set_max_retries(request, 0);
    if (!ski_governor_is_open(engine->client->gate.seat.governor))
        scalekit_request_set_deadline(request, GOVERNED_DEADLINE_MS);
}

/* Their share of it, as far as is known. */
static void sized(struct ski_survey *survey, const struct ski_look *any, const char *const *names,
                  size_t n_names, int64_t total)
{
    struct ski_engine *engine = ((struct ski_round *)ski_survey_owner(survey))->engine;
    int64_t share = total / (int64_t)n_names;

    for (size_t i = 0; i < n_names; i++) {
        struct ski_group *group = ski_targets_group(
            &engine->targets, &(struct ski_account_name){.connection_name = names[i],
                                                         .organization_id = any->organization_id,
                                                         .user_id = any->user_id});

        if (group)
            group->total = share < 1 ? 1 : share < UINT32_MAX ? (uint32_t)share : UINT32_MAX;
    }
}

/* Without memory some have not been told: they wish again. */
static void done(struct ski_survey *survey, const struct ski_failure *failure)
{
    struct ski_round *round = ski_survey_owner(survey);
    struct ski_engine *engine = round->engine;

    (void)failure;
    for (size_t i = 0; i < round->n; i++) {
        struct ski_target *target = round->wanted[i].target;

        if (target) {
            release(&round->wanted[i]);
            ski_engine_postpone(engine, target);
        }
    }
    free_round(round);
}

/* --- starting ---------------------------------------------------------------------------------- */

static const struct ski_survey_calls calls = {
    .find = find, .tell = tell, .prepare = prepare, .sized = sized, .done = done};

static struct ski_look *ask(struct ski_round *round, struct ski_wanted *wanted,
                            struct ski_target *target)
{
    struct ski_account_name name;

    ski_target_name(target, &name);
    wanted->round = round;
    wanted->target = target;
    wanted->look = (struct ski_look){.connected_account_id = name.id,
                                     .listed = name.connection_name && name.identifier,
                                     .connection_name = name.connection_name,
                                     .identifier = name.identifier,
                                     .organization_id = name.organization_id,
                                     .user_id = name.user_id,
                                     .total = target->group->total};
    return &wanted->look;
}

/* The targets belong to the round that is under way. */
static void take(struct ski_round *round)
{
    for (size_t i = 0; i < round->n; i++) {
        struct ski_target *target = round->wanted[i].target;

        round->wanted[i].regular = !target->urgent;
        target->group->asked += !target->urgent;
        target->wanted = &round->wanted[i];
        ski_target_clear_due(&round->engine->targets, target);
    }
    ski_list_push_back(&round->engine->rounds, &round->link);
    round->engine->n_rounds++;
    round->engine->tally.rounds++;
}

bool ski_round_start(struct ski_engine *engine, struct ski_target *const *targets, size_t n)
{
    struct ski_round *round = NULL;
    struct ski_look **looks = ski_realloc_array(&engine->mem, NULL, n, sizeof *looks);
    size_t size = n * sizeof *round->wanted;

    if (looks)
        round = ski_alloc(&engine->mem, sizeof *round + size);
    if (round) {
        *round = (struct ski_round){.engine = engine, .urgent = true, .n = n};
        ski_list_init(&round->link);
        for (size_t i = 0; i < n; i++) {
            looks[i] = ask(round, &round->wanted[i], targets[i]);
            round->urgent &= targets[i]->urgent;
        }
        round->survey = ski_survey_start(engine->client,
                                         &(struct ski_survey_config){.calls = &calls,
                                                                     .owner = round,
                                                                     .looks = looks,
                                                                     .n_looks = n,
                                                                     .max_in_flight = MAX_IN_FLIGHT,
                                                                     .breaker = true});
    }
    ski_free(&engine->mem, looks);
    if (!round || !round->survey) {
        ski_free(&engine->mem, round);
        return false;
    }
    take(round);
    return true;
}

void ski_round_drop(struct ski_target *target)
{
    struct ski_wanted *wanted = target->wanted;

    release(wanted);
    ski_survey_drop(wanted->round->survey, &wanted->look);
}

bool ski_round_is_asking(const struct ski_target *target)
{
    return ski_survey_is_asking(&target->wanted->look);
}

void ski_rounds_abandon(struct ski_engine *engine)
{
    while (!ski_list_empty(&engine->rounds)) {
        struct ski_round *round = SKI_CONTAINER(engine->rounds.next, struct ski_round, link);

        for (size_t i = 0; i < round->n; i++)
            if (round->wanted[i].target)
                release(&round->wanted[i]);
        free_round(round);
    }
}
