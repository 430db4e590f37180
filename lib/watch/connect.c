/* Design note.  scalekit_connect_account() is a watch with a prologue:
 *
 *     get_or_create ──► ACTIVE: settled
 *          └──► get_authorization_link ──► LINK is told ──► the watch follows the account
 *
 * The prologue lives from the call to the link.  It keeps the parameters the link needs, and the one
 * operation that is under way; whatever ends the watch meanwhile abandons that. */
#include "api/account_key.h"
#include "api/authorization_link.h"
#include "api/connected_account.h"
#include "base/str.h"
#include "json/check.h"
#include "watch/watch.h"
#include <string.h>

struct ski_prologue {
    scalekit_watch *watch;
    scalekit_request *step;
    struct ski_arena arena; /* of the parameters */
    struct scalekit_connect_account_params params;
};

static void free_prologue(struct ski_prologue *prologue)
{
    const struct ski_mem *mem = &prologue->watch->engine->mem;

    prologue->watch->extra->prologue = NULL;
    ski_arena_free(&prologue->arena);
    ski_free(mem, prologue);
}

void ski_prologue_abandon(scalekit_watch *watch)
{
    struct ski_prologue *prologue = watch->extra->prologue;

    if (prologue->step)
        ski_request_abandon(prologue->step);
    free_prologue(prologue);
}

/* A step has the deadline of any request; that of the watch, when it is earlier, abandons it. */
static void go(struct ski_prologue *prologue, scalekit_request *step)
{
    prologue->step = step;
    if (!step)
        ski_watch_tell(prologue->watch, SCALEKIT_WATCH_FAILED, NULL);
}

static void on_link(scalekit_request *request, const struct scalekit_authorization_link *link,
                    void *user)
{
    struct ski_prologue *prologue = user;
    scalekit_watch *watch = prologue->watch;
    struct ski_account_name name = {NULL, prologue->params.connection_name,
                                    prologue->params.identifier, prologue->params.organization_id,
                                    prologue->params.user_id};
    const struct ski_observation seen = {.evidence = request};
    int64_t left = prologue->params.deadline_ms;

    prologue->step = NULL;
    if (link && left) { /* it is for the whole, and some of it has passed */
        left = watch->end_ms - ski_engine_now(watch->engine);
        left = left > 0 ? left : 1;
    }
    if (link)
        ski_watch_limit(watch, left, link->expiry);
    if (!link || !ski_watch_follow(watch, &name, watch->extra->known_at)) {
        ski_watch_tell(watch, SCALEKIT_WATCH_FAILED, link ? NULL : &seen);
        return;
    }
    ski_watch_tell(watch, SCALEKIT_WATCH_LINK, &seen);
    free_prologue(prologue);
}

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct ski_prologue *prologue = user;
    const struct scalekit_connect_account_params *p = &prologue->params;
    scalekit_watch *watch = prologue->watch;

    const struct ski_observation seen = {
        .source = SCALEKIT_WATCH_SOURCE_LOOK_UP, .account = account, .evidence = request};

    prologue->step = NULL;
    if (account)
        ski_view_know(&watch->view, account->status);
    watch->view.begun = true; /* also with a status that is new */
    if (!account || account->status == SCALEKIT_ACCOUNT_ACTIVE) {
        ski_watch_tell(watch, account ? SCALEKIT_WATCH_SETTLED : SCALEKIT_WATCH_FAILED, &seen);
        return;
    }
    watch->view.until_reauthorized = true; /* what it was before is no news */
    watch->extra->known_at = account->updated_at;
    watch->extra->seen_at = ski_clock_wall(&watch->engine->client->loop.clock);
    go(prologue,
       scalekit_get_authorization_link(
           watch->engine->client,
           SCALEKIT_PARAMS(scalekit_authorization_link_params,
                           .connection_name = p->connection_name, .identifier = p->identifier,
                           .organization_id = p->organization_id, .user_id = p->user_id,
                           .state = p->state, .user_verify_url = p->user_verify_url),
           on_link, prologue));
}

/* Copies what the link will need.  White space around names is cut; state comes back with the
 * redirect, to be compared. */
static bool keep_params(struct ski_prologue *prologue,
                        const struct scalekit_connect_account_params *given)
{
    struct scalekit_connect_account_params *p = &prologue->params;
    const char **texts[] = {&p->connection_name, &p->identifier, &p->organization_id,
                            &p->user_id,         &p->state,      &p->user_verify_url};

    *p = *given;
    p->api_config = NULL; /* goes with the first step */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ski_slice text = ski_slice_of(*texts[i] ? *texts[i] : "");

        if (texts[i] != &p->state)
            text = ski_slice_trim(text);
        if (*texts[i] && !(*texts[i] = ski_arena_strndup(&prologue->arena, text.at, text.length)))
            return false;
    }
    return true;
}

/* The account is asked for at once. */
static bool begin(scalekit_watch *watch, const struct scalekit_connect_account_params *given)
{
    struct ski_engine *engine = watch->engine;
    struct ski_prologue *prologue = ski_zalloc(&engine->mem, sizeof *prologue);
    const struct scalekit_connect_account_params *p;

    if (!prologue || !ski_watch_extra(watch)) {
        ski_free(&engine->mem, prologue);
        return false;
    }
    watch->extra->prologue = prologue;
    prologue->watch = watch;
    ski_arena_init(&prologue->arena, &engine->mem, 512, 1u << 20);
    if (!keep_params(prologue, given))
        return false;
    p = &prologue->params;
    go(prologue,
       scalekit_get_or_create_connected_account(
           engine->client,
           SCALEKIT_PARAMS(scalekit_create_connected_account_params,
                           .connection_name = p->connection_name, .identifier = p->identifier,
                           .organization_id = p->organization_id, .user_id = p->user_id,
                           .api_config = given->api_config),
           on_account, prologue));
    return true;
}

static const struct ski_field connect_fields[] = {
    STRING(scalekit_connect_account_params, connection_name, "connector", .flags = SKI_REQUIRED,
           .max = 400, .check = ski_check_connection_name),
    STRING(scalekit_connect_account_params, identifier, "identifier", .flags = SKI_REQUIRED,
           .max = 100),
    STRING(scalekit_connect_account_params, organization_id, "organization_id", .max = 32),
    STRING(scalekit_connect_account_params, user_id, "user_id", .max = 32),
    JSON(scalekit_connect_account_params, api_config, "api_config", .flags = SKI_SECRET),
    STRING(scalekit_connect_account_params, state, "state", .flags = SKI_SECRET, .max = 512),
    STRING(scalekit_connect_account_params, user_verify_url, "user_verify_url", .max = 2048,
           .check = ski_check_user_verify_url),
    INTEGER(scalekit_connect_account_params, deadline_ms, "deadline_ms", .min = 1,
            .max = SKI_MAX_WATCH_MS),
    END,
};
static const struct ski_type connect_type = TYPE(scalekit_connect_account_params, connect_fields);

static const struct ski_operation rules = {
    .name = "connect_account",
    .idempotency = SKI_SAFE,
    .params = &connect_type,
    .deliver = ski_deliver_done,
};

scalekit_watch *scalekit_connect_account(scalekit_client *client,
                                         const struct scalekit_connect_account_params *params,
                                         scalekit_watch_cb cb, void *user)
{
    scalekit_watch *watch = ski_watch_new(client, cb, user);
    struct scalekit_connect_account_params copy;

    if (!watch || !ski_watch_check(watch, &rules, params))
        return watch;
    params = ski_params_copy(&copy, sizeof copy, params);
    ski_watch_limit(watch, params->deadline_ms, 0);
    if (begin(watch, params))
        return watch;
    ski_watch_discard(watch);
    return NULL;
}
