/* Functions of the application around the calls of tools. */
#include "core/client.h"
#include "wire.h"
#include <event2/event.h>
#include <scalekit/operation.h>
#include <scalekit/tool_hook.h>
#include <stdlib.h>

/* --- hooks by script -------------------------------------------------------------------------- */

/* What a hook does, in this order; what is behind HOLD it does while it holds the call. */
enum act {
    ABSENT = 0,
    GO = 1,
    HOLD = 2,
    EARLY = 4, /* continues before it says that it holds */
    CHANGE = 8,
    REJECT = 16,
    CANCEL = 32,
    FREE = 64,
    REMOVE = 128 /* the hook "b" */
};

#define MAX_HOOKS 3

struct script {
    const char *tool_name; /* NULL: every tool */
    unsigned before, after;
};

struct stage;
struct actor {
    struct stage *stage;
    const struct script *script;
    scalekit_tool_hook *hook;
    char name;
};

/* A call, and what its hooks did: "a>{} b>{} b<{"n":1} a<{"n":1}". */
struct stage {
    struct fixture *f;
    struct call *call;
    struct actor actors[MAX_HOOKS];
    char told[512];
    scalekit_tool_call *held;
    unsigned held_acts;
    bool held_after;
};

static const struct service_answer tool_answer = {
    .status = 200, .body = "{\"data\":{\"n\":1},\"execution_id\":\"ex_1\"}"};
static const struct service_answer tool_error = {.status = 404, .body = ERROR_BODY};
static const struct service_answer hangs = {.manner = SERVICE_HANGS};

static void act(struct stage *stage, scalekit_tool_call *call, unsigned acts, bool after)
{
    if (acts & CHANGE) {
        scalekit_err err = after ? scalekit_tool_call_set_output(call, "{\"out\":2}")
                                 : scalekit_tool_call_set_input(call, "{\"in\":2}");

        CU_ASSERT_EQUAL(err, SCALEKIT_OK);
    }
    if (acts & REJECT)
        CU_ASSERT_EQUAL(scalekit_tool_call_reject(call, "not today"), SCALEKIT_OK);
    if (acts & CANCEL)
        scalekit_request_cancel(scalekit_tool_call_request(call));
    if (acts & FREE)
        fixture_free_client(stage->f);
    if (acts & REMOVE)
        scalekit_tool_hook_remove(stage->actors[1].hook);
}

static enum scalekit_hook_answer play(struct actor *actor, scalekit_tool_call *call, bool after)
{
    struct stage *stage = actor->stage;
    unsigned acts = after ? actor->script->after : actor->script->before;
    const struct scalekit_execute_tool_params *params = scalekit_tool_call_params(call);
    const struct scalekit_tool_result *result = scalekit_tool_call_result(call);
    const struct scalekit_error *error = scalekit_tool_call_error(call);
    size_t used = strlen(stage->told);

    CU_ASSERT_FALSE(stage->f->inside);
    CU_ASSERT_FALSE(stage->call->done);
    CU_ASSERT_PTR_EQUAL(scalekit_tool_call_request(call), stage->call->request);
    CU_ASSERT_EQUAL(after, !!result + !!error);
    snprintf(stage->told + used, sizeof stage->told - used, "%s%c%c%s", used ? " " : "",
             actor->name, after ? '<' : '>',
             error    ? scalekit_err_name(error->code) + strlen("SCALEKIT_ERR_")
             : result ? result->data
                      : params->tool_input);
    if (!(acts & HOLD)) {
        act(stage, call, acts, after);
        return SCALEKIT_HOOK_CONTINUE;
    }
    if (acts & EARLY) {
        act(stage, call, acts, after);
        scalekit_tool_call_continue(call);
        return SCALEKIT_HOOK_HOLD;
    }
    CU_ASSERT_PTR_NULL(stage->held);
    stage->held = call;
    stage->held_acts = acts;
    stage->held_after = after;
    return SCALEKIT_HOOK_HOLD;
}

static enum scalekit_hook_answer before(scalekit_tool_call *call, void *actor)
{
    return play(actor, call, false);
}

static enum scalekit_hook_answer after(scalekit_tool_call *call, void *actor)
{
    return play(actor, call, true);
}

static scalekit_tool_hook *add_hook(struct fixture *f, const struct script *script,
                                    struct actor *actor)
{
    return scalekit_client_add_tool_hook(
        f->client, SCALEKIT_PARAMS(scalekit_tool_hook_params, .tool_names = &script->tool_name,
                                   .n_tool_names = script->tool_name ? 1 : 0,
                                   .before = script->before ? before : NULL,
                                   .after = script->after ? after : NULL, .user = actor));
}

static void add_hooks(struct stage *stage, struct fixture *f, const struct script *scripts)
{
    *stage = (struct stage){.f = f};
    for (size_t i = 0; i < MAX_HOOKS && (scripts[i].before || scripts[i].after); i++) {
        struct actor *actor = &stage->actors[i];

        *actor = (struct actor){stage, &scripts[i], NULL, (char)('a' + i)};
        actor->hook = add_hook(f, &scripts[i], actor);
        CU_ASSERT_PTR_NOT_NULL_FATAL(actor->hook);
    }
}

static struct call *execute(struct stage *stage)
{
    stage->call = call_new(stage->f);
    return call_began(
        stage->call,
        scalekit_execute_tool(stage->f->client,
                              SCALEKIT_PARAMS(scalekit_execute_tool_params, .tool_name = "t",
                                              .identifier = "u", .tool_input = "{}"),
                              call_on_tool, stage->call));
}

/* Hands a held call back, after the hook has done what it holds it for; not from the inside. */
static void let_go(struct stage *stage)
{
    scalekit_tool_call *held = stage->held;

    stage->held = NULL;
    act(stage, held, stage->held_acts, stage->held_after);
    stage->f->inside = true;
    scalekit_tool_call_continue(held);
    stage->f->inside = false;
}

static void play_on(struct stage *stage)
{
    while (!stage->call->done)
        if (stage->held)
            let_go(stage);
        else
            event_base_loop(stage->f->base, EVLOOP_ONCE);
}

/* Until a hook holds the call. */
static void play_until_held(struct stage *stage)
{
    while (!stage->held && !stage->call->done)
        event_base_loop(stage->f->base, EVLOOP_ONCE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stage->held);
}

/* --- the way through -------------------------------------------------------------------------- */

#define FIRST  "{}"
#define SECOND "{\"in\":2}"
#define N1     "{\"n\":1}"
#define OUT    "{\"out\":2}"

static const struct way_row {
    const char *name;
    struct script scripts[MAX_HOOKS];
    const char *told;
    const char *input; /* the tool's; NULL: it did not run */
    bool fails;        /* it */
    const char *output;
    scalekit_err code;
} way_rows[] = {
    {"in order, and back",
     {{NULL, GO, GO}, {NULL, GO, GO}, {NULL, GO, GO}},
     "a>{} b>{} c>{} c<" N1 " b<" N1 " a<" N1,
     FIRST,
     false,
     N1,
     0},
    {"before only", {{NULL, GO, ABSENT}}, "a>{}", FIRST, false, N1, 0},
    {"after only", {{NULL, ABSENT, GO}}, "a<" N1, FIRST, false, N1, 0},
    {"for this tool", {{"t", GO, GO}, {"u", GO, GO}}, "a>{} a<" N1, FIRST, false, N1, 0},
    {"for no such tool", {{"u", GO, GO}}, "", FIRST, false, N1, 0},
    {"a changed input",
     {{NULL, GO, GO}, {NULL, CHANGE, GO}, {NULL, GO, ABSENT}},
     "a>{} b>{} c>" SECOND " b<" N1 " a<" N1,
     SECOND,
     false,
     N1,
     0},
    {"a changed output",
     {{NULL, GO, GO}, {NULL, GO, CHANGE}, {NULL, GO, GO}},
     "a>{} b>{} c>{} c<" N1 " b<" N1 " a<" OUT,
     FIRST,
     false,
     OUT,
     0},
    {"held",
     {{NULL, HOLD, HOLD}, {NULL, HOLD, HOLD}},
     "a>{} b>{} b<" N1 " a<" N1,
     FIRST,
     false,
     N1,
     0},
    {"held, and continued at once",
     {{NULL, HOLD | EARLY, HOLD | EARLY}},
     "a>{} a<" N1,
     FIRST,
     false,
     N1,
     0},
    {"changed while held",
     {{NULL, HOLD | CHANGE, HOLD | CHANGE}, {NULL, GO, GO}},
     "a>{} b>" SECOND " b<" N1 " a<" N1,
     SECOND,
     false,
     OUT,
     0},
    {"a failure",
     {{NULL, GO, GO}, {NULL, HOLD, HOLD}},
     "a>{} b>{} b<NOT_FOUND a<NOT_FOUND",
     FIRST,
     true,
     NULL,
     SCALEKIT_ERR_NOT_FOUND},
    {"rejected by the first",
     {{NULL, REJECT, GO}, {NULL, GO, GO}},
     "a>{}",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_REJECTED},
    {"rejected by the last",
     {{NULL, GO, GO}, {NULL, ABSENT, GO}, {NULL, REJECT, GO}},
     "a>{} c>{} b<REJECTED a<REJECTED",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_REJECTED},
    {"rejected while held",
     {{NULL, GO, HOLD}, {NULL, HOLD | REJECT, GO}},
     "a>{} b>{} a<REJECTED",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_REJECTED},
    {"removed on the way", {{NULL, REMOVE, GO}, {NULL, GO, GO}}, "a>{} a<" N1, FIRST, false, N1, 0},
    {"removed while it holds",
     {{NULL, GO, GO}, {NULL, HOLD | REMOVE, GO}},
     "a>{} b>{} a<" N1,
     FIRST,
     false,
     N1,
     0},
    {"cancelled before",
     {{NULL, GO, GO}, {NULL, CANCEL, GO}, {NULL, GO, GO}},
     "a>{} b>{}",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_CANCELED},
    {"cancelled after",
     {{NULL, GO, GO}, {NULL, GO, CANCEL}},
     "a>{} b>{} b<" N1,
     FIRST,
     false,
     NULL,
     SCALEKIT_ERR_CANCELED},
    {"cancelled while held",
     {{NULL, HOLD | CANCEL, GO}},
     "a>{}",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_CANCELED},
    {"cancelled and held",
     {{NULL, GO, HOLD | CANCEL}},
     "a>{} a<" N1,
     FIRST,
     false,
     NULL,
     SCALEKIT_ERR_CANCELED},
    {"cancelled inside, and then held",
     {{NULL, HOLD | EARLY | CANCEL, GO}},
     "a>{}",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_CANCELED},
    {"freed before",
     {{NULL, GO, GO}, {NULL, FREE, GO}},
     "a>{} b>{}",
     NULL,
     false,
     NULL,
     SCALEKIT_ERR_CLOSED},
    {"freed after",
     {{NULL, GO, GO}, {NULL, GO, FREE}},
     "a>{} b>{} b<" N1,
     FIRST,
     false,
     NULL,
     SCALEKIT_ERR_CLOSED},
    {"freed while held", {{NULL, HOLD | FREE, GO}}, "a>{}", NULL, false, NULL, SCALEKIT_ERR_CLOSED},
    {"freed while held after",
     {{NULL, GO, HOLD | FREE}},
     "a>{} a<" N1,
     FIRST,
     false,
     NULL,
     SCALEKIT_ERR_CLOSED},
};

static void check_way(const struct way_row *row)
{
    const struct scalekit_tool_result *result;
    unsigned runs = row->input ? 1 : 0;
    struct stage stage;
    struct fixture f;
    char body[128];

    fixture_open(&f);
    service_always(f.service, TOOL, row->fails ? tool_error : tool_answer);
    add_hooks(&stage, &f, row->scripts);
    execute(&stage);
    play_on(&stage);
    result = stage.call->result;
    ROW_IS(row->name, text_is(stage.told, row->told));
    ROW_IS(row->name, stage.call->code == row->code);
    ROW_IS(row->name, service_count(f.service, TOOL) == runs);
    ROW_IS(row->name, stage.call->attempts == (int)runs);
    if (runs) {
        snprintf(body, sizeof body, "{\"tool_name\":\"t\",\"identifier\":\"u\",\"params\":%s}",
                 row->input);
        ROW_IS(row->name, text_is(service_request(f.service, TOOL, 0)->body, body));
    }
    ROW_IS(row->name, text_is(result ? result->data : NULL, row->output));
    ROW_IS(row->name, !result || text_is(result->execution_id, "ex_1"));
    ROW_IS(row->name, row->code != SCALEKIT_ERR_REJECTED ||
                          (text_is(stage.call->message, "not today") && !stage.call->sent));
    ROW_IS(row->name, text_is(scalekit_request_operation(stage.call->request), "execute_tool"));
    fixture_turn(&f);
    fixture_free(&f);
}

static void test_ways(void)
{
    for (size_t i = 0; i < COUNT(way_rows); i++)
        check_way(&way_rows[i]);
}

/* With no hook that wants it, a call is one request as ever. */
static void test_nothing_to_do(void)
{
    static const struct script script[MAX_HOOKS] = {{"u", GO, GO}};
    struct stage stage;
    struct fixture f;

    fixture_open(&f);
    service_always(f.service, TOOL, tool_answer);
    add_hooks(&stage, &f, script);
    execute(&stage);
    CU_ASSERT_PTR_NULL(stage.call->request->flow);
    call_wait(stage.call);
    scalekit_tool_hook_remove(stage.actors[0].hook);
    execute(&stage);
    CU_ASSERT_PTR_NULL(stage.call->request->flow);
    call_wait(stage.call);
    fixture_free(&f);
}

/* A hook is for the calls that are made while it is there. */
static void test_added_later(void)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, HOLD, GO}};
    static const struct script later = {NULL, GO, GO};
    struct stage stage;
    struct actor actor;
    struct fixture f;

    fixture_open(&f);
    service_always(f.service, TOOL, tool_answer);
    add_hooks(&stage, &f, scripts);
    execute(&stage);
    play_until_held(&stage);
    actor = (struct actor){&stage, &later, NULL, 'z'};
    actor.hook = add_hook(&f, &later, &actor);
    play_on(&stage);
    CU_ASSERT_STRING_EQUAL(stage.told, "a>{} a<" N1);
    execute(&stage);
    play_on(&stage);
    CU_ASSERT_STRING_EQUAL(stage.told, "a>{} a<" N1 " a>{} z>{} z<" N1 " a<" N1);
    fixture_free(&f);
}

/* What an unwise application gives is refused as without hooks, which are not asked. */
static void test_wrong_parameters(void)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, GO, GO}};
    static const struct scalekit_execute_tool_params rows[] = {
        {.struct_size = sizeof rows[0]},
        {.struct_size = 0, .tool_name = "t"},
        {.struct_size = sizeof rows[0], .tool_name = "t", .tool_input = "[]"},
    };

    for (size_t i = 0; i <= COUNT(rows); i++) {
        struct stage stage;
        struct fixture f;

        fixture_open(&f);
        add_hooks(&stage, &f, scripts);
        stage.call = call_new(&f);
        call_began(stage.call, scalekit_execute_tool(f.client, i < COUNT(rows) ? &rows[i] : NULL,
                                                     call_on_tool, stage.call));
        call_wait(stage.call);
        CU_ASSERT_EQUAL(stage.call->code, SCALEKIT_ERR_INVALID);
        CU_ASSERT_STRING_EQUAL(stage.told, "");
        fixture_free(&f);
    }
}

/* The call is started by its name, its parameters and result are JSON. */
static void on_json(scalekit_request *request, const char *json, size_t length, void *user)
{
    struct stage *stage = user;

    CU_ASSERT_EQUAL(length, json ? strlen(json) : 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT(text_has(json, OUT));
    call_on_result(request, json, stage->call);
}

static void test_by_name(void)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, CHANGE, CHANGE}};
    struct stage stage;
    struct fixture f;

    fixture_open(&f);
    service_always(f.service, TOOL, tool_answer);
    add_hooks(&stage, &f, scripts);
    stage.call = call_new(&f);
    call_began(stage.call,
               scalekit_operation_call(f.client, scalekit_operation_find("execute_tool"),
                                       "{\"tool_name\":\"t\",\"tool_input\":{}}",
                                       SCALEKIT_JSON_AS_SENT, on_json, &stage));
    play_on(&stage);
    CU_ASSERT_STRING_EQUAL(stage.told, "a>{} a<" N1);
    fixture_free(&f);
}

/* --- ended while held ------------------------------------------------------------------------- */

/* The handle is still there, and does nothing any more. */
static void check_inert(struct stage *stage)
{
    scalekit_tool_call *held = stage->held;

    CU_ASSERT_PTR_NULL(scalekit_tool_call_request(held));
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(held, "{}"), SCALEKIT_ERR_TOO_LATE);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_output(held, "{}"), SCALEKIT_ERR_TOO_LATE);
    CU_ASSERT_EQUAL(scalekit_tool_call_reject(held, "no"), SCALEKIT_ERR_TOO_LATE);
    CU_ASSERT_STRING_EQUAL(scalekit_tool_call_params(held)->tool_name, "t");
    CU_ASSERT_EQUAL(!!scalekit_tool_call_result(held), stage->held_after);
    CU_ASSERT_PTR_NULL(scalekit_tool_call_error(held));
    scalekit_tool_call_continue(held);
}

static void test_over_while_held(void)
{
    static const struct script sides[][MAX_HOOKS] = {{{NULL, HOLD, GO}}, {{NULL, GO, HOLD}}};
    enum { CANCELLED, TIMED_OUT, FREED, WAYS };
    static const scalekit_err codes[] = {SCALEKIT_ERR_CANCELED, SCALEKIT_ERR_DEADLINE,
                                         SCALEKIT_ERR_CLOSED};

    for (size_t side = 0; side < COUNT(sides); side++)
        for (int way = 0; way < WAYS; way++) {
            struct stage stage;
            struct fixture f;

            fixture_init(&f);
            fixture_use_clock(&f);
            fixture_start(&f);
            service_always(f.service, TOOL, tool_answer);
            add_hooks(&stage, &f, sides[side]);
            execute(&stage);
            play_until_held(&stage);
            if (way == CANCELLED)
                call_cancel(stage.call);
            else if (way == TIMED_OUT)
                fixture_advance(&f, 60100);
            else
                fixture_free_client(&f);
            call_wait(stage.call);
            CU_ASSERT_EQUAL(stage.call->code, codes[way]);
            CU_ASSERT_EQUAL(stage.call->sent, side == 1);
            CU_ASSERT_EQUAL(stage.call->attempts, (int)side);
            fixture_turn(&f);
            check_inert(&stage);
            CU_ASSERT_STRING_EQUAL(stage.told, side ? "a>{} a<" N1 : "a>{}");
            fixture_free(&f);
        }
}

/* Ended while the tool runs: nobody is asked about what did not come. */
static void test_over_while_running(void)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, GO, GO}};

    for (int freed = 0; freed <= 1; freed++) {
        struct stage stage;
        struct fixture f;

        fixture_open(&f);
        service_always(f.service, TOOL, hangs);
        add_hooks(&stage, &f, scripts);
        execute(&stage);
        service_until(f.service, TOOL, 1);
        if (freed)
            fixture_free_client(&f);
        else
            call_cancel(stage.call);
        call_wait(stage.call);
        CU_ASSERT_EQUAL(stage.call->code, freed ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
        CU_ASSERT_EQUAL(stage.call->phase, SCALEKIT_PHASE_WAIT);
        CU_ASSERT(stage.call->sent && stage.call->attempts == 1);
        CU_ASSERT_STRING_EQUAL(stage.told, "a>{}");
        CU_ASSERT(freed || ski_list_empty(&f.client->pending));
        fixture_turn(&f);
        fixture_free(&f);
    }
}

/* The call is handed back, and cancelled before it goes on. */
static void test_over_when_handed_back(void)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, HOLD, GO}};
    struct stage stage;
    struct fixture f;

    fixture_open(&f);
    add_hooks(&stage, &f, scripts);
    execute(&stage);
    play_until_held(&stage);
    let_go(&stage);
    call_cancel(stage.call);
    call_wait(stage.call);
    CU_ASSERT_EQUAL(stage.call->code, SCALEKIT_ERR_CANCELED);
    CU_ASSERT_EQUAL(service_count(f.service, NULL), 0);
    fixture_free(&f);
}

/* The tool gets what a hook has left of the time, and the settings of the call. */
static void test_time_and_settings(void)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, HOLD, GO}};
    struct stage stage;
    struct fixture f;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, TOOL, hangs);
    add_hooks(&stage, &f, scripts);
    execute(&stage);
    CU_ASSERT_EQUAL(scalekit_request_set_deadline(stage.call->request, 30000), SCALEKIT_OK);
    CU_ASSERT_EQUAL(scalekit_request_set_max_retries(stage.call->request, 7), SCALEKIT_OK);
    play_until_held(&stage);
    fixture_advance(&f, 25000);
    let_go(&stage);
    service_until(f.service, TOOL, 1);
    CU_ASSERT_EQUAL(SKI_CONTAINER(f.client->pending.prev, scalekit_request, link)->max_retries, 7);
    CU_ASSERT_EQUAL(SKI_CONTAINER(f.client->pending.prev, scalekit_request, link)->due_ms,
                    stage.call->request->due_ms);
    fixture_advance(&f, 5100);
    call_wait(stage.call);
    CU_ASSERT_EQUAL(stage.call->code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(stage.call->phase, SCALEKIT_PHASE_WAIT);
    fixture_free(&f);
}

/* --- what is refused -------------------------------------------------------------------------- */

static unsigned questions;

static enum scalekit_hook_answer try_before(scalekit_tool_call *call, void *user)
{
    (void)user;
    questions++;
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(call, NULL), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(call, ""), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(call, "[]"), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(call, "{\"a\":"), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_output(call, "{}"), SCALEKIT_ERR_TOO_LATE);
    CU_ASSERT_STRING_EQUAL(scalekit_tool_call_params(call)->tool_input, "{}");
    CU_ASSERT_PTR_NULL(scalekit_tool_call_result(call));
    CU_ASSERT_PTR_NULL(scalekit_tool_call_error(call));
    return SCALEKIT_HOOK_CONTINUE;
}

static enum scalekit_hook_answer try_after(scalekit_tool_call *call, void *user)
{
    bool failed = scalekit_tool_call_error(call);

    (void)user;
    questions++;
    CU_ASSERT_EQUAL(scalekit_tool_call_set_output(call, "1"),
                    failed ? SCALEKIT_ERR_TOO_LATE : SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_output(call, NULL),
                    failed ? SCALEKIT_ERR_TOO_LATE : SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(call, "{}"), SCALEKIT_ERR_TOO_LATE);
    CU_ASSERT_EQUAL(scalekit_tool_call_reject(call, "no"), SCALEKIT_ERR_TOO_LATE);
    CU_ASSERT(failed || text_is(scalekit_tool_call_result(call)->data, N1));
    return SCALEKIT_HOOK_CONTINUE;
}

static void test_wrong_changes(void)
{
    for (int failed = 0; failed <= 1; failed++) {
        struct stage stage = {0};
        struct fixture f;

        fixture_open(&f);
        questions = 0;
        stage.f = &f;
        service_always(f.service, TOOL, failed ? tool_error : tool_answer);
        CU_ASSERT_PTR_NOT_NULL(scalekit_client_add_tool_hook(
            f.client,
            SCALEKIT_PARAMS(scalekit_tool_hook_params, .before = try_before, .after = try_after)));
        call_wait(execute(&stage));
        CU_ASSERT_EQUAL(stage.call->code, failed ? SCALEKIT_ERR_NOT_FOUND : SCALEKIT_OK);
        CU_ASSERT_EQUAL(questions, 2);
        fixture_free(&f);
    }
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(NULL, "{}"), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_output(NULL, "{}"), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_tool_call_reject(NULL, "no"), SCALEKIT_ERR_INVALID);
    CU_ASSERT_PTR_NULL(scalekit_tool_call_params(NULL));
    CU_ASSERT_PTR_NULL(scalekit_tool_call_result(NULL));
    CU_ASSERT_PTR_NULL(scalekit_tool_call_error(NULL));
    CU_ASSERT_PTR_NULL(scalekit_tool_call_request(NULL));
    scalekit_tool_call_continue(NULL);
    scalekit_tool_hook_remove(NULL);
}

static enum scalekit_hook_answer reject_wordless(scalekit_tool_call *call, void *user)
{
    (void)user;
    scalekit_tool_call_reject(call, "the last word counts");
    scalekit_tool_call_reject(call, NULL);
    return SCALEKIT_HOOK_CONTINUE;
}

static void test_reject_without_message(void)
{
    struct stage stage = {0};
    struct fixture f;

    fixture_open(&f);
    stage.f = &f;
    scalekit_client_add_tool_hook(
        f.client, SCALEKIT_PARAMS(scalekit_tool_hook_params, .before = reject_wordless));
    call_wait(execute(&stage));
    CU_ASSERT_EQUAL(stage.call->code, SCALEKIT_ERR_REJECTED);
    CU_ASSERT_STRING_EQUAL(stage.call->message, "rejected");
    fixture_free(&f);
}

static void test_wrong_hooks(void)
{
    static const char *names[1001];
    static const char *const empty[] = {""};
    static const struct scalekit_tool_hook_params no_size = {.before = try_before};
    scalekit_tool_hook *hooks[1000];
    struct fixture f;

    for (size_t i = 0; i < COUNT(names); i++)
        names[i] = "t";
#define ADD(...)                                                                                   \
    scalekit_client_add_tool_hook(f.client, SCALEKIT_PARAMS(scalekit_tool_hook_params, __VA_ARGS__))
    fixture_open(&f);
    CU_ASSERT_PTR_NULL(scalekit_client_add_tool_hook(f.client, NULL));
    CU_ASSERT_PTR_NULL(scalekit_client_add_tool_hook(NULL, &no_size));
    CU_ASSERT_PTR_NULL(scalekit_client_add_tool_hook(f.client, &no_size));
    CU_ASSERT_PTR_NULL(ADD(.user = &f));
    CU_ASSERT_PTR_NULL(ADD(.before = try_before, .tool_names = empty, .n_tool_names = 1));
    CU_ASSERT_PTR_NULL(ADD(.before = try_before, .tool_names = NULL, .n_tool_names = 1));
    CU_ASSERT_PTR_NULL(ADD(.before = try_before, .tool_names = names, .n_tool_names = 1001));
    for (size_t i = 0; i < COUNT(hooks); i++) {
        hooks[i] = ADD(.after = try_after, .tool_names = names, .n_tool_names = 1 + i % 3);
        CU_ASSERT_PTR_NOT_NULL(hooks[i]);
    }
    CU_ASSERT_PTR_NULL(ADD(.before = try_before));
    scalekit_tool_hook_remove(hooks[500]);
    CU_ASSERT_PTR_NOT_NULL(ADD(.before = try_before));
    fixture_free(&f);
#undef ADD
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    static const struct script scripts[MAX_HOOKS] = {{NULL, GO, HOLD}, {"t", HOLD, GO}};
    struct stage stage = {0};
    struct fixture f;
    bool through = false;

    fixture_init(&f);
    memory->fail_after = *(bool *)user;
    f.config.allocator = &memory->allocator;
    stage.f = &f;
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        service_always(f.service, TOOL, tool_answer);
        through = true;
        for (size_t i = 0; i < 2 && through; i++) {
            stage.actors[i] = (struct actor){&stage, &scripts[i], NULL, (char)('a' + i)};
            through = add_hook(&f, &scripts[i], &stage.actors[i]);
        }
        execute(&stage);
        if (stage.call->request)
            play_on(&stage);
        through &= stage.call->request && stage.call->code == SCALEKIT_OK;
        CU_ASSERT(stage.call->code == SCALEKIT_OK || stage.call->code == SCALEKIT_ERR_NOMEM);
    }
    fixture_free(&f);
    return through;
}

/* So large, and so many hooks, that each takes memory of its own. */
#define LARGE 4096
#define CROWD 80

static char large[LARGE];

static enum scalekit_hook_answer change(scalekit_tool_call *call, void *user)
{
    bool *through = user;
    scalekit_err err = SCALEKIT_OK;

    if (scalekit_tool_call_result(call))
        err = scalekit_tool_call_set_output(call, large);
    else if (!scalekit_tool_call_error(call))
        err = scalekit_tool_call_set_input(call, large);
    CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
    *through &= err == SCALEKIT_OK;
    return SCALEKIT_HOOK_CONTINUE;
}

/* A hook is told that there is no memory for its change, and the call goes on without. */
static bool change_short_of_memory(struct test_memory *memory, void *user)
{
    struct stage stage = {0};
    struct fixture f;
    bool through = true;

    fixture_init(&f);
    memory->fail_after = *(bool *)user;
    f.config.allocator = &memory->allocator;
    stage.f = &f;
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        service_always(f.service, TOOL, tool_answer);
        for (int i = 0; i < CROWD; i++)
            through &= scalekit_client_add_tool_hook(
                           f.client,
                           SCALEKIT_PARAMS(scalekit_tool_hook_params, .before = i ? NULL : change,
                                           .after = change, .user = &through)) != NULL;
        execute(&stage);
        if (stage.call->request)
            play_on(&stage);
        through &= stage.call->request && stage.call->code == SCALEKIT_OK;
        CU_ASSERT(!through ||
                  text_is(((const struct scalekit_tool_result *)stage.call->result)->data, large));
    } else {
        through = false;
    }
    fixture_free(&f);
    return through;
}

static void test_out_of_memory(void)
{
    memset(large, ' ', sizeof large - 1);
    large[0] = '{';
    large[sizeof large - 2] = '}';
    for (int for_good = 0; for_good <= 1; for_good++) {
        bool fail_after = for_good;

        CU_ASSERT(test_every_allocation(run_short_of_memory, &fail_after) > 40);
        CU_ASSERT(test_every_allocation(change_short_of_memory, &fail_after) > 40);
    }
}

SUITE(tool_hook, {"every way through the hooks", test_ways},
      {"without a hook for it a call is as ever", test_nothing_to_do},
      {"a hook is for the calls that come after it", test_added_later},
      {"wrong parameters are refused before any hook", test_wrong_parameters},
      {"calls by name go through hooks, too", test_by_name},
      {"a call that ends while it is held turns inert", test_over_while_held},
      {"a call that ends while the tool runs asks nobody", test_over_while_running},
      {"a call may end when it is handed back", test_over_when_handed_back},
      {"the tool has the time and the settings of the call", test_time_and_settings},
      {"wrong or late changes are refused", test_wrong_changes},
      {"a call may be rejected without a word", test_reject_without_message},
      {"wrong hooks are refused", test_wrong_hooks},
      {"every allocation may fail", test_out_of_memory})
