/* Design note.  A connection watch lists, and listens.
 *
 *     first list ──► SYNCED ──► wait ──► list ──► sweep ──► SYNCED ──► wait …
 *        │                       ▲                  │
 *        └── the page failed ────┘                  └── what the list has not shown: is it gone?
 *     listener: whatever any source has seen meanwhile
 *
 * Both feed the roster, which knows what is to be told; one task tells it, a batch each turn.
 *
 * Pages shift while they are read: an account that is deleted on one that was read moves another from
 * the next one to it, where nobody sees it any more.  So not to be shown is only a suspicion.  It
 * becomes certain when a look does not find the account; or, as looks are limited, when the next list
 * does not show it either and both lists were steady: the same total on all pages, and that many
 * accounts.
 *
 * Of accounts outside of the watch's organization or user nothing tells that they are: lists and
 * events of others do not add accounts to a watch that is narrowed, but make it list sooner.  So
 * does an event that may have happened before the last list began: its account may be gone. */
#include "api/account_key.h"
#include "base/str.h"
#include "json/check.h"
#include "watch/roster.h"
#include <scalekit/watch_connection.h>
#include <string.h>

#define TELL_BATCH       256
#define SWEEP_BATCH      1024
#define LOOKS            128 /* after each list, one after the other */
#define PAGE             99
#define MAX_PAGES        100000
#define PAGE_DEADLINE_MS 600000 /* in the background a page may wait long for its turn */
#define MIN_RESYNC_MS    1000   /* and the least pause before any list */
#define MAX_RESYNC_MS    86400000
#define RESYNC_MS        300000 /* to twice that */
#define BACKOFF_MS       1000   /* doubled by each failure */
#define MAX_FAILURES     6      /* more do not make the pause longer */
#define MAX_BACKOFF_MS   30000

/* A page token that was used, by its hash alone. */
struct token {
    struct ski_map_node node;
};

struct scalekit_connection_watch {
    struct ski_mem mem; /* a copy: the handle may outlive the client */
    unsigned refs;
    struct ski_engine *engine; /* NULL: it has ended */
    scalekit_connection_watch_cb cb;
    void *user;
    struct ski_listener listener;
    struct ski_arena names;
    const char *connection_name, *organization_id, *user_id;
    char *connection_id; /* events may tell no name; NULL: not known yet */
    int64_t resync_ms;   /* 0: not said */
    struct ski_roster roster;

    struct ski_task turn;
    ski_timer timer;
    int64_t due_ms;         /* what it was set to last */
    scalekit_request *step; /* a page or a look, under way; NULL */
    struct ski_known *looked_at;
    bool refused; /* the step is to fail: the arguments are wrong */

    /* The list. */
    struct ski_map tokens;
    struct ski_arena token_memory;
    char *page_token; /* of the page to ask for; NULL: the first */
    unsigned pages;   /* that came */
    int64_t total, n_listed, began_ms, listed_ms;
    int64_t swept_ms; /* the end of it all */
    bool steady;
    bool listed;   /* one was complete */
    bool sweeping; /* this one is: what has it not shown? */
    bool hurried;  /* events may be of accounts that no list has shown: the next one soon */
    unsigned looks_left, failures;

    /* To be told. */
    bool synced, failed, ending;
    enum scalekit_connection_event_kind end;
    scalekit_request *failure; /* of FAILED or REFUSED; NULL: out of memory */
};

static bool is_over(const scalekit_connection_watch *watch)
{
    return !watch->engine || watch->ending;
}

static void tell_later(scalekit_connection_watch *watch)
{
    ski_task_defer(&watch->engine->client->loop, &watch->turn);
}

static void wait_for(scalekit_connection_watch *watch, int64_t due_ms)
{
    watch->due_ms = due_ms;
    ski_timer_set(&watch->engine->client->loop, watch->timer, due_ms);
}

/* --- ends and failures ------------------------------------------------------------------------- */

static void keep_failure(scalekit_connection_watch *watch, scalekit_request *request)
{
    scalekit_request_unref(watch->failure);
    watch->failure = scalekit_request_ref(request);
}

/* Asks for nothing more; the end is told later. */
static void finish(scalekit_connection_watch *watch, enum scalekit_connection_event_kind kind,
                   scalekit_request *request)
{
    if (is_over(watch))
        return;
    watch->ending = true;
    watch->end = kind;
    keep_failure(watch, request);
    if (watch->step)
        ski_request_abandon(watch->step);
    watch->step = NULL;
    watch->sweeping = false;
    ski_timer_clear(&watch->engine->client->loop, watch->timer);
    tell_later(watch);
}

/* Refusals that asking again will not change; but a page token may be refused for its age. */
static bool is_refusal(const scalekit_connection_watch *watch, const struct scalekit_error *error)
{
    switch (error->code) {
    case SCALEKIT_ERR_INVALID:
    case SCALEKIT_ERR_BAD_REQUEST:
        return !watch->page_token;
    case SCALEKIT_ERR_SIGN_IN:
    case SCALEKIT_ERR_UNAUTHORIZED:
    case SCALEKIT_ERR_FORBIDDEN:
        return true;
    default:
        return false;
    }
}

/* What a list was going to be is forgotten: the next page is the first of another. */
static void forget_list(scalekit_connection_watch *watch)
{
    ski_free(&watch->mem, watch->page_token);
    watch->page_token = NULL;
    watch->pages = 0;
    ski_map_free(&watch->tokens);
    ski_map_init(&watch->tokens, &watch->mem);
    ski_arena_free(&watch->token_memory);
}

/* A page did not come (NULL: for lack of memory); the same page is asked for again, later. */
static void fail(scalekit_connection_watch *watch, scalekit_request *request)
{
    const struct scalekit_error *error = scalekit_request_error(request);
    int64_t pause = BACKOFF_MS << watch->failures;

    if (error && is_refusal(watch, error)) {
        finish(watch, SCALEKIT_CONNECTION_REFUSED, request);
        return;
    }
    if (error && (error->code == SCALEKIT_ERR_BAD_REQUEST || error->code == SCALEKIT_ERR_INVALID))
        forget_list(watch);
    pause = pause < MAX_BACKOFF_MS ? pause : MAX_BACKOFF_MS;
    pause = ski_clock_jitter(&watch->engine->client->loop.clock, pause, 80, 120);
    if (error && error->retry_after_ms > pause)
        pause = error->retry_after_ms;
    if (watch->failures < MAX_FAILURES)
        watch->failures++;
    keep_failure(watch, request);
    watch->failed = true;
    wait_for(watch, ski_engine_now(watch->engine) + pause);
    tell_later(watch);
}

/* --- lists ------------------------------------------------------------------------------------- */

static void on_page(scalekit_request *request, const struct scalekit_connected_account_page *page,
                    void *user);

static void ask(scalekit_connection_watch *watch)
{
    watch->step = scalekit_list_connected_accounts(
        watch->engine->client,
        SCALEKIT_PARAMS(scalekit_list_connected_accounts_params,
                        .connection_names = &watch->connection_name, .n_connection_names = 1,
                        .organization_id = watch->organization_id, .user_id = watch->user_id,
                        .page_size = PAGE, .page_token = watch->page_token),
        on_page, watch);
    if (!watch->step) {
        fail(watch, NULL);
        return;
    }
    ski_request_set_class(watch->step,
                          watch->listed ? SCALEKIT_CLASS_BACKGROUND : SCALEKIT_CLASS_WATCH);
    scalekit_request_set_max_retries(watch->step, 0); /* fail() has its own way of trying again */
    scalekit_request_set_deadline(watch->step, PAGE_DEADLINE_MS);
}

static void begin_list(scalekit_connection_watch *watch)
{
    watch->roster.list++;
    watch->total = -1;
    watch->n_listed = 0;
    watch->steady = true;
    watch->hurried = false;
    watch->began_ms = ski_engine_now(watch->engine);
    ask(watch);
}

static void on_timer(void *owner)
{
    scalekit_connection_watch *watch = owner;

    if (watch->page_token)
        ask(watch);
    else
        begin_list(watch);
}

/* Whoever asks, no list comes right after another. */
static void wait_to_list(scalekit_connection_watch *watch, int64_t due_ms)
{
    int64_t earliest = watch->swept_ms + MIN_RESYNC_MS;

    wait_for(watch, due_ms > earliest ? due_ms : earliest);
}

/* Long lists are for long pauses. */
static int64_t at_least_per_page(const scalekit_connection_watch *watch, int64_t pause)
{
    int64_t pages = (int64_t)watch->roster.by_id.count / PAGE;

    return pause > pages * 1000 ? pause : pages * 1000;
}

/* When the next list is to begin, after one is complete. */
static void wait_for_resync(scalekit_connection_watch *watch)
{
    const scalekit_client *client = watch->engine->client;
    const struct ski_clock *clock = &client->loop.clock;
    int64_t pause = watch->resync_ms;

    if (!pause && !watch->hurried && ski_engine_is_told(watch->engine, watch->began_ms))
        pause = ski_clock_jitter(clock, RESYNC_MS, 100, 200);
    else if (!pause)
        pause = ski_clock_jitter(clock, client->config.watch_follow_interval_ms, 80, 120);
    if (!watch->resync_ms)
        pause = at_least_per_page(watch, pause);
    wait_to_list(watch, watch->listed_ms + pause);
}

static void complete(scalekit_connection_watch *watch)
{
    forget_list(watch);
    watch->steady &= watch->total <= 0 || watch->n_listed == watch->total;
    watch->listed_ms = ski_engine_now(watch->engine);
    watch->listed = watch->sweeping = true;
    watch->looks_left = LOOKS;
    tell_later(watch);
}

static void learn_connection_id(scalekit_connection_watch *watch,
                                const struct scalekit_connected_account *account)
{
    if (!watch->connection_id && account->connection_id)
        watch->connection_id = ski_strdup(&watch->mem, account->connection_id);
}

/* false: it could not be kept, for lack of memory. */
static bool take(scalekit_connection_watch *watch, const struct ski_observation *seen, bool shown)
{
    struct ski_roster *roster = &watch->roster;
    struct ski_known *known = ski_roster_take(roster, seen, ski_engine_now(watch->engine));

    if (!known)
        return false;
    if (shown)
        ski_roster_shown(roster, known);
    if (!ski_list_empty(&roster->changed))
        tell_later(watch);
    return true;
}

static bool take_page(scalekit_connection_watch *watch, scalekit_request *request,
                      const struct scalekit_connected_account_page *page)
{
    for (size_t i = 0; i < page->n_accounts; i++) {
        const struct scalekit_connected_account *account = page->accounts[i];
        struct ski_observation seen = {.source = SCALEKIT_WATCH_SOURCE_LIST,
                                       .account = account,
                                       .evidence = request,
                                       .asked_ms = request->start_ms,
                                       .at = account->updated_at};

        learn_connection_id(watch, account);
        if (account->id && !take(watch, &seen, true))
            return false;
    }
    watch->n_listed += (int64_t)page->n_accounts;
    watch->steady &= watch->total < 0 || watch->total == page->total_size;
    watch->total = page->total_size;
    watch->pages++;
    return true;
}

static bool same_token(const struct ski_map_node *node, const void *key)
{
    (void)node;
    (void)key;
    return true; /* the hash is all that is kept */
}

/* false: out of memory. */
static bool turn_page(scalekit_connection_watch *watch, const char *next)
{
    struct token *token = ski_arena_alloc(&watch->token_memory, sizeof *token);
    char *copy = token ? ski_strdup(&watch->mem, next) : NULL;

    if (!copy)
        return false;
    token->node.hash = ski_hash_text(next);
    if (!ski_map_insert(&watch->tokens, &token->node)) {
        ski_free(&watch->mem, copy);
        return false;
    }
    ski_free(&watch->mem, watch->page_token);
    watch->page_token = copy;
    return true;
}

/* A list that leads round in a circle has no end of its own: what it has not shown is not known. */
static void on_page(scalekit_request *request, const struct scalekit_connected_account_page *page,
                    void *user)
{
    scalekit_connection_watch *watch = user;
    const char *next = page ? page->next_page_token : NULL;

    watch->step = NULL;
    if (!page || !take_page(watch, request, page)) {
        fail(watch, page ? NULL : request);
        return;
    }
    watch->failures = 0;
    if (next && (watch->pages >= MAX_PAGES ||
                 ski_map_find(&watch->tokens, ski_hash_text(next), same_token, NULL))) {
        watch->steady = false;
        next = NULL;
    }
    if (!next)
        complete(watch);
    else if (turn_page(watch, next))
        ask(watch);
    else
        fail(watch, NULL);
}

/* --- what a list has not shown ----------------------------------------------------------------- */

static void suspect(scalekit_connection_watch *watch, struct ski_known *known)
{
    known->missing |= watch->steady;
    ski_roster_shown(&watch->roster, known);
}

static void on_look(scalekit_request *request, const struct scalekit_connected_account *account,
                    void *user)
{
    scalekit_connection_watch *watch = user;
    struct ski_known *known = watch->looked_at;
    struct ski_observation seen = {.source = SCALEKIT_WATCH_SOURCE_LOOK_UP,
                                   .account = account,
                                   .evidence = request,
                                   .asked_ms = request->start_ms,
                                   .at = account ? account->updated_at : 0};

    watch->step = NULL;
    if (account && account->id && strcmp(account->id, known->text) == 0)
        take(watch, &seen, true);
    else if (!account && scalekit_request_error(request)->code == SCALEKIT_ERR_NOT_FOUND &&
             known->seen_ms < request->start_ms)
        ski_roster_remove(&watch->roster, known);
    else
        suspect(watch, known);
    if (!account && scalekit_request_error(request)->code != SCALEKIT_ERR_NOT_FOUND)
        watch->looks_left = 0; /* it is no time for looks */
    tell_later(watch);
}

/* false: out of memory. */
static bool look(scalekit_connection_watch *watch, struct ski_known *known)
{
    watch->step = scalekit_get_connected_account_details(
        watch->engine->client,
        SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = known->text,
                        .organization_id = watch->organization_id, .user_id = watch->user_id),
        on_look, watch);
    if (!watch->step)
        return false;
    watch->looked_at = known;
    ski_request_set_class(watch->step, SCALEKIT_CLASS_BACKGROUND);
    scalekit_request_set_deadline(watch->step, PAGE_DEADLINE_MS);
    return true;
}

/* One that somebody has seen since the list began need not be looked for. */
static void sweep(scalekit_connection_watch *watch)
{
    struct ski_roster *roster = &watch->roster;
    struct ski_known *known;

    for (int left = SWEEP_BATCH; left && (known = ski_roster_unshown(roster)); left--) {
        if (known->gone || known->seen_ms >= watch->began_ms) {
            ski_roster_shown(roster, known);
        } else if (known->missing && watch->steady) {
            ski_roster_remove(roster, known);
        } else if (watch->looks_left && look(watch, known)) {
            watch->looks_left--;
            return;
        } else {
            watch->looks_left = 0;
            suspect(watch, known);
        }
    }
    tell_later(watch);
    if (ski_roster_unshown(roster))
        return;
    watch->sweeping = false;
    watch->synced = true;
    watch->swept_ms = ski_engine_now(watch->engine);
    wait_for_resync(watch);
}

/* --- listening --------------------------------------------------------------------------------- */

static bool concerns(const scalekit_connection_watch *watch,
                     const struct scalekit_connected_account *account)
{
    if (!account || !account->id)
        return false;
    if (account->connection_name)
        return strcmp(account->connection_name, watch->connection_name) == 0;
    return account->connection_id && watch->connection_id &&
           strcmp(account->connection_id, watch->connection_id) == 0;
}

/* It has listed, and waits to do so again. */
static bool is_resting(const scalekit_connection_watch *watch)
{
    return !is_over(watch) && watch->listed && !watch->failures &&
           ski_timer_is_set(&watch->engine->client->loop, watch->timer);
}

/* An account that may be ours: the next list is to tell. */
static void list_sooner(scalekit_connection_watch *watch)
{
    int64_t pause = watch->engine->client->config.watch_follow_interval_ms;
    int64_t due = watch->listed_ms + at_least_per_page(watch, pause);

    watch->hurried = true;
    if (is_resting(watch) && !watch->resync_ms && due < watch->due_ms)
        wait_to_list(watch, due);
}

/* Whether a list alone can add the account: it may not be of our organization or user, or be gone
 * since an event that is late, for the last list would have shown it. */
static bool is_for_lists(const scalekit_connection_watch *watch, const struct ski_observation *seen)
{
    return watch->organization_id || watch->user_id ||
           (ski_is_event(seen) && ski_engine_now(watch->engine) - seen->age_ms < watch->began_ms);
}

static void on_seen(struct ski_listener *listener, const struct ski_observation *seen)
{
    scalekit_connection_watch *watch = SKI_CONTAINER(listener, scalekit_connection_watch, listener);

    if (is_over(watch) || !concerns(watch, seen->account))
        return;
    learn_connection_id(watch, seen->account);
    if (is_for_lists(watch, seen) && !ski_roster_find(&watch->roster, seen->account->id))
        list_sooner(watch);
    else
        take(watch, seen, false); /* without memory: the next list has it */
}

/* One is new or was deleted, or it is nothing: the list tells, at its usual pace without events. */
static void on_suspected(struct ski_listener *listener, const struct ski_observation *seen)
{
    scalekit_connection_watch *watch = SKI_CONTAINER(listener, scalekit_connection_watch, listener);

    if (!is_over(watch) && concerns(watch, seen->account))
        list_sooner(watch);
}

/* The pause to the next list is another one now. */
static void on_trust(struct ski_listener *listener)
{
    scalekit_connection_watch *watch = SKI_CONTAINER(listener, scalekit_connection_watch, listener);

    if (is_resting(watch))
        wait_for_resync(watch);
}

/* --- telling ----------------------------------------------------------------------------------- */

static const struct scalekit_error *error_of(const scalekit_connection_watch *watch)
{
    static const struct scalekit_error out_of_memory = {
        .struct_size = sizeof out_of_memory,
        .code = SCALEKIT_ERR_NOMEM,
        .message = "out of memory",
        .grpc_code = -1,
        .retry_after_ms = -1,
    };

    return watch->failure ? scalekit_request_error(watch->failure) : &out_of_memory;
}

static void tell(scalekit_connection_watch *watch, enum scalekit_connection_event_kind kind,
                 const struct ski_known *known, enum scalekit_account_status previous)
{
    bool with_error = kind == SCALEKIT_CONNECTION_FAILED || kind == SCALEKIT_CONNECTION_REFUSED;
    struct scalekit_known_account account;
    struct scalekit_connection_event event = {
        .struct_size = sizeof event,
        .kind = kind,
        .final = kind >= SCALEKIT_CONNECTION_REFUSED,
        .account = known ? &account : NULL,
        .previous_status = previous,
        .error = with_error ? error_of(watch) : NULL,
        .n_accounts = watch->roster.n_told,
    };

    if (known)
        ski_known_describe(known, &account);
    watch->cb(watch, &event, watch->user);
}

static bool tell_failure(scalekit_connection_watch *watch)
{
    scalekit_request *failure = scalekit_request_ref(watch->failure);

    watch->failed = false;
    tell(watch, SCALEKIT_CONNECTION_FAILED, NULL, SCALEKIT_ACCOUNT_UNKNOWN);
    scalekit_request_unref(failure);
    return true;
}

/* The next thing to tell, but the end; false: there is none. */
static bool tell_one(scalekit_connection_watch *watch)
{
    enum scalekit_connection_event_kind kind;
    enum scalekit_account_status previous;
    struct ski_known *known;

    if (watch->failed)
        return tell_failure(watch);
    if (ski_roster_next(&watch->roster, &kind, &known, &previous)) {
        tell(watch, kind, known, previous);
        if (kind == SCALEKIT_CONNECTION_REMOVED)
            ski_roster_forget(&watch->roster, known);
        return true;
    }
    if (!watch->synced)
        return false;
    watch->synced = false;
    tell(watch, SCALEKIT_CONNECTION_SYNCED, NULL, SCALEKIT_ACCOUNT_UNKNOWN);
    return true;
}

/* The final event, and then nothing is left but the handle. */
static void tell_end(scalekit_connection_watch *watch)
{
    struct ski_loop *loop = &watch->engine->client->loop;

    tell(watch, watch->end, NULL, SCALEKIT_ACCOUNT_UNKNOWN);
    watch->engine = NULL;
    ski_task_cancel(&watch->turn);
    ski_timer_free(loop, watch->timer);
    ski_roster_free(&watch->roster);
    forget_list(watch);
    scalekit_request_unref(watch->failure);
    watch->failure = NULL;
    ski_loop_release(loop);
    scalekit_connection_watch_unref(watch);
}

/* The client may be gone at the end of this, and the watch. */
static void on_turn(struct ski_task *task)
{
    scalekit_connection_watch *watch = SKI_CONTAINER(task, scalekit_connection_watch, turn);
    struct ski_engine *engine = watch->engine;
    scalekit_client *client = engine->client;
    bool more = true;

    ski_client_enter(client);
    for (int left = TELL_BATCH; more && left && !watch->ending && !client->closing; left--)
        more = tell_one(watch);
    if (watch->ending && !client->closing) {
        ski_engine_ignore(engine, &watch->listener);
        tell_end(watch);
    } else if (!client->closing) {
        if (more)
            tell_later(watch);
        if (watch->sweeping && !watch->step)
            sweep(watch);
    }
    ski_client_leave(client);
}

/* The engine has let go of the listener already. */
static void on_close(struct ski_listener *listener)
{
    scalekit_connection_watch *watch = SKI_CONTAINER(listener, scalekit_connection_watch, listener);

    finish(watch, SCALEKIT_CONNECTION_STOPPED, NULL);
    tell_end(watch);
}

/* --- starting ---------------------------------------------------------------------------------- */

static const struct ski_field params_fields[] = {
    STRING(scalekit_connection_watch_params, connection_name, "connector", .flags = SKI_REQUIRED,
           .max = 400, .check = ski_check_connection_name),
    STRING(scalekit_connection_watch_params, organization_id, "organization_id", .max = 32),
    STRING(scalekit_connection_watch_params, user_id, "user_id", .max = 32),
    INTEGER(scalekit_connection_watch_params, resync_ms, "resync_ms", .min = MIN_RESYNC_MS,
            .max = MAX_RESYNC_MS),
    END,
};
static const struct ski_type params_type = TYPE(scalekit_connection_watch_params, params_fields);

/* Arguments that are wrong are found by an operation that never leaves, and told from the loop. */
static const struct ski_operation rules = {
    .name = "watch_connection",
    .idempotency = SKI_SAFE,
    .params = &params_type,
    .deliver = ski_deliver_done,
};

static void on_refused(scalekit_request *request, bool done, void *user)
{
    scalekit_connection_watch *watch = user;

    (void)done;
    watch->step = NULL;
    finish(watch, SCALEKIT_CONNECTION_REFUSED, request);
}

static bool copy_name(scalekit_connection_watch *watch, const char **to, const char *from)
{
    if (!from || !*from)
        return true;
    *to = ski_arena_strdup(&watch->names, from);
    return *to;
}

/* false: out of memory. */
static bool begin(scalekit_connection_watch *watch, scalekit_client *client,
                  const struct scalekit_connection_watch_params *params)
{
    struct scalekit_connection_watch_params p;
    struct ski_failure failure;
    scalekit_err err = ski_operation_check(&rules, &watch->mem, params, &failure);

    if (err == SCALEKIT_ERR_INVALID) {
        watch->step = ski_request_start(client, &rules, params, (ski_callback)on_refused, watch);
        return watch->step;
    }
    if (err != SCALEKIT_OK)
        return false;
    ski_params_copy(&p, sizeof p, params);
    watch->resync_ms = p.resync_ms;
    if (!copy_name(watch, &watch->connection_name, p.connection_name) ||
        !copy_name(watch, &watch->organization_id, p.organization_id) ||
        !copy_name(watch, &watch->user_id, p.user_id))
        return false;
    wait_for(watch, ski_engine_now(watch->engine)); /* the first list, with the next turn */
    return true;
}

static scalekit_connection_watch *new_watch(scalekit_client *client)
{
    scalekit_connection_watch *watch = ski_zalloc(&client->loop.mem, sizeof *watch);

    if (!watch)
        return NULL;
    watch->mem = client->loop.mem;
    watch->refs = 1;
    watch->listener = (struct ski_listener){
        .saw = on_seen, .suspect = on_suspected, .trust = on_trust, .close = on_close};
    ski_list_init(&watch->listener.link);
    ski_arena_init(&watch->names, &watch->mem, 128, 4096);
    ski_arena_init(&watch->token_memory, &watch->mem, 256, 64u << 20);
    ski_map_init(&watch->tokens, &watch->mem);
    ski_roster_init(&watch->roster, &watch->mem);
    ski_task_init(&watch->turn, on_turn);
    watch->timer = ski_timer_new(&client->loop, on_timer, watch);
    return watch;
}

scalekit_connection_watch *scalekit_watch_connection(
    scalekit_client *client, const struct scalekit_connection_watch_params *params,
    scalekit_connection_watch_cb cb, void *user)
{
    scalekit_connection_watch *watch;

    if (!client || client->closing || !cb)
        return NULL;
    watch = new_watch(client);
    if (!watch)
        return NULL;
    watch->cb = cb;
    watch->user = user;
    watch->engine = watch->timer != SKI_NO_TIMER ? ski_engine_of(client) : NULL;
    if (!watch->engine || !begin(watch, client, params)) {
        ski_timer_free(&client->loop, watch->timer);
        scalekit_connection_watch_unref(watch);
        return NULL;
    }
    ski_engine_listen(watch->engine, &watch->listener);
    ski_loop_hold(&client->loop);
    return watch;
}

/* --- the handle -------------------------------------------------------------------------------- */

void scalekit_connection_watch_stop(scalekit_connection_watch *watch)
{
    if (watch)
        finish(watch, SCALEKIT_CONNECTION_STOPPED, NULL);
}

void scalekit_connection_watch_resync(scalekit_connection_watch *watch)
{
    if (watch && is_resting(watch))
        wait_to_list(watch, ski_engine_now(watch->engine));
}

size_t scalekit_connection_watch_count(const scalekit_connection_watch *watch)
{
    return watch ? watch->roster.n_told : 0;
}

/* Nothing is added or freed meanwhile: that comes from the loop, and the end of the client waits. */
void scalekit_connection_watch_each(scalekit_connection_watch *watch,
                                    bool (*each)(const struct scalekit_known_account *account,
                                                 void *user),
                                    void *user)
{
    scalekit_client *client = watch && watch->engine ? watch->engine->client : NULL;
    struct scalekit_known_account account;
    bool more = true;

    if (!client)
        return;
    ski_client_enter(client);
    for (struct ski_list *node = watch->roster.by_list.next; more && node != &watch->roster.by_list;
         node = node->next) {
        const struct ski_known *known = SKI_CONTAINER(node, struct ski_known, link);

        if (!known->is_told)
            continue;
        ski_known_describe(known, &account);
        more = each(&account, user);
    }
    ski_client_leave(client);
}

scalekit_connection_watch *scalekit_connection_watch_ref(scalekit_connection_watch *watch)
{
    if (watch)
        watch->refs++;
    return watch;
}

void scalekit_connection_watch_unref(scalekit_connection_watch *watch)
{
    struct ski_mem mem;

    if (!watch || --watch->refs)
        return;
    mem = watch->mem;
    ski_arena_free(&watch->names);
    ski_free(&mem, watch->connection_id);
    ski_free(&mem, watch);
}

const char *scalekit_connection_event_name(enum scalekit_connection_event_kind kind)
{
    switch (kind) {
    case SCALEKIT_CONNECTION_ADDED:
        return "added";
    case SCALEKIT_CONNECTION_CHANGED:
        return "changed";
    case SCALEKIT_CONNECTION_REMOVED:
        return "removed";
    case SCALEKIT_CONNECTION_SYNCED:
        return "synced";
    case SCALEKIT_CONNECTION_FAILED:
        return "failed";
    case SCALEKIT_CONNECTION_REFUSED:
        return "refused";
    case SCALEKIT_CONNECTION_STOPPED:
        return "stopped";
    }
    return "unknown";
}
