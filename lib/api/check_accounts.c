/* Many accounts at once: what is asked for, each account once, and everybody who asked for it.  How
 * they are seen is api/survey.h's.
 *
 * The application may end the whole in each of its callbacks: then the check is gone when they
 * return, but not the request, which is delivered from a later turn of the loop. */
#include "api/account_key.h"
#include "api/survey.h"
#include "base/map.h"
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
    struct ski_map_node node; /* in the check's wanted */
    size_t first, last;       /* of its keys; the check's next leads from one to the other */
};

struct check {
    scalekit_request *request;
    scalekit_checked_account_cb each;
    struct ski_arena arena; /* everything below but the map's table */
    struct ski_map wanted;
    size_t *next;            /* key with the same account; NO_INDEX */
    struct ski_look **looks; /* of all that is wanted */
    size_t n_looks, max_in_flight;
    struct ski_survey *survey;
    struct scalekit_account_check counts;
    int attempts; /* of what is not under way any more */
    bool sent;
};

/* Whether the application ended it, inside one of its callbacks. */
static bool over(const scalekit_request *request)
{
    return request->state >= SKI_SETTLED || request->client->closing;
}

static void out_of_memory(scalekit_request *request)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    ski_request_settle_failure(request, &failure);
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
           same_text(a->look.user_id, b->look.user_id) &&
           same_text(a->look.connected_account_id, b->look.connected_account_id);
}

static uint64_t hash_account(const struct wanted *wanted)
{
    const char *const parts[] = {wanted->look.identifier, wanted->look.connection_name,
                                 wanted->look.organization_id, wanted->look.user_id,
                                 wanted->look.connected_account_id};
    uint64_t hash[sizeof parts / sizeof *parts];

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash[i] = parts[i] ? ski_hash_text(parts[i]) : 0;
    return ski_hash(hash, sizeof hash);
}

static struct wanted *find(const struct check *check, const struct wanted *key)
{
    struct ski_map_node *node = ski_map_find(&check->wanted, hash_account(key), same_account, key);

    return node ? SKI_CONTAINER(node, struct wanted, node) : NULL;
}

/* --- the survey ------------------------------------------------------------------------------- */

static struct ski_look *find_listed(struct ski_survey *survey,
                                    const struct scalekit_connected_account *account,
                                    const struct ski_look *any, scalekit_request *request)
{
    struct wanted *wanted =
        find(ski_survey_owner(survey),
             &(struct wanted){.look = {.connection_name = account->connection_name,
                                       .identifier = account->identifier,
                                       .organization_id = any->organization_id,
                                       .user_id = any->user_id}});

    (void)request;
    return wanted ? &wanted->look : NULL;
}

/* Tells everybody who asked for the account. */
static void tell(struct ski_survey *survey, struct ski_look *look,
                 const struct scalekit_connected_account *account,
                 const struct scalekit_error *error, scalekit_request *evidence)
{
    struct check *check = ski_survey_owner(survey);
    struct wanted *wanted = SKI_CONTAINER(look, struct wanted, look);
    bool missing = error && error->code == SCALEKIT_ERR_NOT_FOUND;
    int64_t *count = account   ? &check->counts.found
                     : missing ? &check->counts.not_found
                               : &check->counts.failed;
    scalekit_request *request = check->request;

    (void)evidence;
    for (size_t i = wanted->first, next; i != NO_INDEX; i = next) {
        next = check->next[i];
        ++*count;
        check->each(request, i, account, error, request->user);
        if (over(request))
            return;
    }
}

static void prepare(struct ski_survey *survey, scalekit_request *step, enum ski_look_way way)
{
    struct check *check = ski_survey_owner(survey);
    const scalekit_request *request = check->request;
    int64_t left = request->due_ms - ski_loop_now(&request->client->loop);

    if (way == SKI_LOOK_SINGLE)
        check->counts.look_ups++;
    else
        check->counts.pages++;
    step->max_retries = request->max_retries;
    step->retry_rate_limited = request->retry_rate_limited;
    if (step->due_ms > request->due_ms)
        scalekit_request_set_deadline(step, left > 0 ? left : 1);
}

static void on_ended(struct ski_survey *survey, const scalekit_request *step)
{
    struct check *check = ski_survey_owner(survey);

    check->attempts += step->attempts;
    check->sent |= step->sent;
    if (step->state != SKI_DELIVERED)
        return;
    check->request->attempts = check->attempts;
    check->request->http_status = step->http_status;
}

static void on_done(struct ski_survey *survey, const struct ski_failure *failure)
{
    struct check *check = ski_survey_owner(survey);
    scalekit_request *request = check->request;
    struct scalekit_account_check *counts;

    if (failure) {
        ski_request_settle_failure(request, failure);
        return;
    }
    counts = ski_arena_alloc(&request->arena, sizeof *counts);
    if (!counts) {
        out_of_memory(request);
        return;
    }
    *counts = check->counts;
    counts->struct_size = sizeof *counts;
    counts->requests = check->attempts;
    ski_request_settle_result(request, counts);
}

static const struct ski_survey_calls calls = {
    .find = find_listed,
    .tell = tell,
    .prepare = prepare,
    .ended = on_ended,
    .done = on_done,
};

/* --- the flow --------------------------------------------------------------------------------- */

static void start(scalekit_request *request)
{
    struct check *check = request->flow_data;

    check->survey = ski_survey_start(
        request->client, &(struct ski_survey_config){.calls = &calls,
                                                     .owner = check,
                                                     .looks = check->looks,
                                                     .n_looks = check->n_looks,
                                                     .max_in_flight = check->max_in_flight});
    if (!check->survey)
        out_of_memory(request);
}

static void leave(scalekit_request *request)
{
    struct check *check = request->flow_data;

    if (!check)
        return;
    request->flow_data = NULL;
    ski_survey_free(check->survey);
    request->attempts = check->attempts;
    request->sent |= check->sent;
    ski_map_free(&check->wanted);
    ski_arena_free(&check->arena);
    ski_free(&request->mem, check);
}

static const scalekit_request *step_of(const scalekit_request *request)
{
    const struct check *check = request->flow_data;

    return check && check->survey ? ski_survey_request(check->survey) : NULL;
}

static const struct ski_flow flow = {start, leave, step_of};

/* --- starting --------------------------------------------------------------------------------- */

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
    check->looks[check->n_looks++] = &wanted->look;
    return copy_text(arena, &wanted->look.connected_account_id) &&
           copy_text(arena, &wanted->look.connection_name) &&
           copy_text(arena, &wanted->look.identifier) &&
           copy_text(arena, &wanted->look.organization_id) &&
           copy_text(arena, &wanted->look.user_id) && ski_map_insert(&check->wanted, &wanted->node);
}

static bool add_key(struct check *check, size_t index, const struct scalekit_account_key *given_key)
{
    struct scalekit_account_key k;
    struct wanted key = {.first = index, .last = index}, *wanted;

    ski_params_copy(&k, sizeof k, given_key);
    key.look.connected_account_id = ski_given(k.connected_account_id);
    key.look.connection_name = ski_given(k.connection_name);
    key.look.identifier = ski_given(k.identifier);
    key.look.organization_id = ski_given(k.organization_id);
    key.look.user_id = ski_given(k.user_id);
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
    if (!check->next || !check->looks)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_key(check, i, params->keys[i]))
            return false;
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
    check->max_in_flight = params.max_in_flight ? (size_t)params.max_in_flight : DEFAULT_IN_FLIGHT;
    ski_arena_init(&check->arena, &request->mem, 4096, SIZE_MAX);
    ski_map_init(&check->wanted, &request->mem);
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
    scalekit_request *request;

    if (!each)
        return NULL;
    request = ski_request_start_flow(client, &check_accounts, params, &flow, NULL,
                                     (ski_callback)done, user);
    if (!request || request->failed)
        return request;
    ski_request_extend(request, request->start_ms + DEADLINE_MS);
    if (!begin(request, params, each))
        out_of_memory(request);
    return request;
}
