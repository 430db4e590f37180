/* Design note.  A hooked call is a flow that goes through its hooks, to the tool, and back:
 *
 *     BEFORE: hooks[0].before … hooks[n-1].before ──► RUNNING: the tool's request
 *                        │ rejected                             │
 *     AFTER:  hooks[0].after … ◄────────────────────────────────┘
 *       └──► settled
 *
 * `at` is how many hooks the call has gone into and not yet left.  Who holds a call has a reference
 * to it, which scalekit_tool_call_continue() takes back.  When the request settles in some other
 * way the call is over: cut off from the request and the client, and harmless to whoever still
 * holds it. */
#include "api/tool_hook.h"
#include "base/str.h"
#include "core/client.h"
#include "core/error.h"
#include "core/request.h"
#include "json/check.h"
#include "json/copy.h"
#include <string.h>

#define MAX_HOOKS  1000
#define MAX_NAMES  1000
#define MAX_MEMORY (256u << 20) /* of a call's parameters and what hooks put in their place */

/* The client's hooks, in the order in which they were added. */
struct hooks {
    struct ski_attachment attachment;
    scalekit_client *client;
    struct ski_list list;
    size_t count;
};

struct scalekit_tool_hook {
    struct ski_list link;
    struct hooks *hooks; /* NULL: removed */
    struct ski_mem mem;  /* a copy: a call may release it last */
    unsigned refs;       /* the list's, and of every call that goes through it */
    struct ski_arena arena;
    struct scalekit_tool_hook_params params;
};

enum stage { BEFORE, RUNNING, AFTER };

struct scalekit_tool_call {
    struct ski_mem mem; /* a copy: it may outlive the client */
    unsigned refs;
    scalekit_request *request; /* NULL: over */
    const struct ski_operation *operation;
    struct ski_task turn; /* goes on after it was held */
    enum stage stage;
    bool inside;    /* a hook's callback is running */
    bool held;      /* by the hook that was called last */
    bool continued; /* from inside the callback */

    struct ski_arena arena; /* what follows */
    struct scalekit_execute_tool_params *params;
    scalekit_tool_hook **hooks;
    size_t n_hooks, at;
    scalekit_request
        *step; /* the tool's request: under way; AFTER: a reference, NULL if rejected */
    const struct scalekit_tool_result *came;
    struct scalekit_tool_result result; /* what came, as hooks have left it */
    struct scalekit_error rejection;
    bool rejected;
};

/* --- hooks ------------------------------------------------------------------------------------ */

static void release_hook(scalekit_tool_hook *hook)
{
    struct ski_mem mem = hook->mem;

    if (--hook->refs)
        return;
    ski_arena_free(&hook->arena);
    ski_free(&mem, hook);
}

void scalekit_tool_hook_remove(scalekit_tool_hook *hook)
{
    if (!hook || !hook->hooks)
        return;
    hook->hooks->count--;
    hook->hooks = NULL;
    ski_list_remove(&hook->link);
    release_hook(hook);
}

static void free_hooks(struct ski_attachment *attachment)
{
    struct hooks *hooks = SKI_CONTAINER(attachment, struct hooks, attachment);

    while (!ski_list_empty(&hooks->list))
        scalekit_tool_hook_remove(SKI_CONTAINER(hooks->list.next, scalekit_tool_hook, link));
    ski_free(&hooks->client->loop.mem, hooks);
}

static struct hooks *hooks_of(scalekit_client *client)
{
    struct hooks *hooks;

    if (client->tool_hooks)
        return SKI_CONTAINER(client->tool_hooks, struct hooks, attachment);
    hooks = ski_zalloc(&client->loop.mem, sizeof *hooks);
    if (!hooks)
        return NULL;
    hooks->attachment.free = free_hooks;
    hooks->client = client;
    ski_list_init(&hooks->list);
    client->tool_hooks = &hooks->attachment;
    return hooks;
}

static const struct ski_field hook_fields[] = {
    STRINGS(scalekit_tool_hook_params, tool_names, "tool_names", .min = 1, .max_items = MAX_NAMES),
    END,
};
static const struct ski_type hook_type = TYPE(scalekit_tool_hook_params, hook_fields);

scalekit_tool_hook *scalekit_client_add_tool_hook(scalekit_client *client,
                                                  const struct scalekit_tool_hook_params *params)
{
    struct hooks *hooks = client && params && !client->closing ? hooks_of(client) : NULL;
    struct scalekit_tool_hook_params *copy;
    struct ski_failure failure;
    scalekit_tool_hook *hook;

    if (!hooks || hooks->count >= MAX_HOOKS ||
        ski_check(&client->loop.mem, &hook_type, params, &failure) != SCALEKIT_OK)
        return NULL;
    hook = ski_zalloc(&client->loop.mem, sizeof *hook);
    if (!hook)
        return NULL;
    hook->mem = client->loop.mem;
    hook->refs = 1;
    ski_list_init(&hook->link);
    ski_arena_init(&hook->arena, &hook->mem, 256, SIZE_MAX);
    copy = ski_copy(&hook->arena, &hook_type, params);
    if (!copy || (!copy->before && !copy->after)) {
        release_hook(hook);
        return NULL;
    }
    hook->params = *copy;
    hook->hooks = hooks;
    hooks->count++;
    ski_list_push_back(&hooks->list, &hook->link);
    return hook;
}

static bool wants(const scalekit_tool_hook *hook, const char *tool_name)
{
    for (size_t i = 0; i < hook->params.n_tool_names; i++)
        if (strcmp(hook->params.tool_names[i], tool_name) == 0)
            return true;
    return hook->params.n_tool_names == 0;
}

/* How many hooks of the client's want the tool; unless NULL, `found` gets them. */
static size_t find_hooks(const scalekit_client *client, const char *tool_name,
                         scalekit_tool_hook **found)
{
    const struct hooks *hooks = SKI_CONTAINER(client->tool_hooks, struct hooks, attachment);
    size_t n = 0;

    for (struct ski_list *node = hooks->list.next; node != &hooks->list; node = node->next) {
        scalekit_tool_hook *hook = SKI_CONTAINER(node, scalekit_tool_hook, link);

        if (!wants(hook, tool_name))
            continue;
        if (found)
            found[n] = hook;
        n++;
    }
    return n;
}

bool ski_tool_call_is_hooked(const scalekit_client *client,
                             const struct scalekit_execute_tool_params *params)
{
    struct scalekit_execute_tool_params copy;

    if (!client || !client->tool_hooks)
        return false;
    return ski_params_copy(&copy, sizeof copy, params) == &copy && copy.tool_name &&
           find_hooks(client, copy.tool_name, NULL) > 0;
}

/* --- the end of a call ------------------------------------------------------------------------ */

static void release_call(scalekit_tool_call *call)
{
    struct ski_mem mem = call->mem;

    if (--call->refs)
        return;
    scalekit_request_unref(call->step);
    ski_arena_free(&call->arena);
    ski_free(&mem, call);
}

static void leave(scalekit_request *request)
{
    scalekit_tool_call *call = request->flow_data;

    if (!call)
        return;
    request->flow_data = NULL;
    call->request = NULL;
    ski_task_cancel(&call->turn);
    if (call->step) {
        request->sent |= call->step->sent || call->step->exchange.sent;
        request->attempts = call->step->attempts;
    }
    if (call->stage == RUNNING) {
        ski_request_abandon(call->step);
        call->step = NULL;
    }
    for (size_t i = 0; i < call->n_hooks; i++)
        release_hook(call->hooks[i]);
    call->n_hooks = 0;
    release_call(call);
}

static const scalekit_request *step_of(const scalekit_request *request)
{
    const scalekit_tool_call *call = request->flow_data;

    return call && call->stage == RUNNING ? call->step : NULL;
}

static void out_of_memory(scalekit_tool_call *call)
{
    struct ski_failure failure;

    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    ski_request_settle_failure(call->request, &failure);
}

/* The application gets what the hooks have left. */
static void settle(scalekit_tool_call *call)
{
    scalekit_request *request = call->request;
    struct scalekit_tool_result *result;

    if (call->rejected) {
        ski_request_settle_error(request, &call->rejection);
        return;
    }
    if (!call->came || call->result.data == call->came->data) {
        ski_request_settle_from(request, call->step, call->came);
        return;
    }
    result = ski_arena_alloc(&request->arena, sizeof *result);
    if (result) {
        *result = call->result;
        result->data = ski_arena_strdup(&request->arena, call->result.data);
    }
    if (result && result->data)
        ski_request_settle_from(request, call->step, result);
    else
        out_of_memory(call);
}

/* --- through the hooks ------------------------------------------------------------------------ */

static void run(scalekit_tool_call *call);

static void on_result(scalekit_request *step, const struct scalekit_tool_result *result, void *user)
{
    scalekit_tool_call *call = user;

    scalekit_request_ref(step);
    call->stage = AFTER;
    call->request->attempts = step->attempts;
    call->request->http_status = step->http_status;
    call->came = result;
    if (result)
        call->result = *result;
    run(call);
}

static void run_tool(scalekit_tool_call *call)
{
    scalekit_request *request = call->request;
    scalekit_request *step = ski_request_start(request->client, call->operation, call->params,
                                               (ski_callback)on_result, call);

    if (!step) {
        out_of_memory(call);
        return;
    }
    call->stage = RUNNING;
    call->step = step;
    ski_request_inherit(step, request);
}

/* Whether the call goes on at once. */
static bool ask(scalekit_tool_call *call, const scalekit_tool_hook *hook, scalekit_tool_hook_cb cb)
{
    enum scalekit_hook_answer answer;

    if (!cb || !hook->hooks)
        return true;
    call->continued = false;
    call->inside = true;
    answer = cb(call, hook->params.user);
    call->inside = false;
    if (answer != SCALEKIT_HOOK_HOLD || call->continued)
        return true;
    call->refs++;
    call->held = true;
    return false;
}

/* One step on the way; whether there is another one to take now. */
static bool advance(scalekit_tool_call *call)
{
    const scalekit_tool_hook *hook;

    if (call->stage == BEFORE && call->rejected) {
        call->at--; /* who rejects it is not asked again */
        call->stage = AFTER;
    }
    if (call->stage == BEFORE && call->at < call->n_hooks) {
        hook = call->hooks[call->at++];
        return ask(call, hook, hook->params.before);
    }
    if (call->stage == AFTER && call->at > 0) {
        hook = call->hooks[--call->at];
        return ask(call, hook, hook->params.after);
    }
    if (call->stage == BEFORE)
        run_tool(call);
    else
        settle(call);
    return false;
}

/* From the loop only.  Hooks may end the call, and with it the client, whenever they are called. */
static void run(scalekit_tool_call *call)
{
    scalekit_client *client = call->request->client;

    call->refs++;
    ski_client_enter(client);
    while (call->request && !client->closing && advance(call))
        ;
    ski_client_leave(client);
    release_call(call);
}

static void on_turn(struct ski_task *task)
{
    run(SKI_CONTAINER(task, scalekit_tool_call, turn));
}

static void start(scalekit_request *request)
{
    run(request->flow_data);
}

static const struct ski_flow flow = {start, leave, step_of};

static bool begin(scalekit_request *request, const struct scalekit_execute_tool_params *params)
{
    scalekit_tool_call *call = ski_zalloc(&request->mem, sizeof *call);
    size_t n_hooks;

    if (!call)
        return false;
    call->mem = request->mem;
    call->refs = 1;
    call->operation = request->operation;
    ski_task_init(&call->turn, on_turn);
    ski_arena_init(&call->arena, &call->mem, 512, MAX_MEMORY);
    call->request = request;
    request->flow_data = call;
    call->params = ski_copy(&call->arena, request->operation->params, params);
    if (!call->params)
        return false;
    n_hooks = find_hooks(request->client, call->params->tool_name, NULL);
    call->hooks = ski_arena_alloc(&call->arena, n_hooks * sizeof *call->hooks);
    if (!call->hooks)
        return false;
    call->n_hooks = find_hooks(request->client, call->params->tool_name, call->hooks);
    for (size_t i = 0; i < n_hooks; i++)
        call->hooks[i]->refs++;
    return true;
}

scalekit_request *ski_tool_call_start(scalekit_client *client,
                                      const struct ski_operation *operation,
                                      const struct scalekit_execute_tool_params *params,
                                      ski_callback cb, void *user)
{
    scalekit_request *request =
        ski_request_start_flow(client, operation, params, &flow, NULL, cb, user);
    struct ski_failure failure;

    if (!request || request->failed || begin(request, params))
        return request;
    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    ski_request_settle_failure(request, &failure);
    return request;
}

/* --- what a hook sees and does ---------------------------------------------------------------- */

const struct scalekit_execute_tool_params *scalekit_tool_call_params(const scalekit_tool_call *call)
{
    return call ? call->params : NULL;
}

const struct scalekit_tool_result *scalekit_tool_call_result(const scalekit_tool_call *call)
{
    return call && call->came ? &call->result : NULL;
}

const struct scalekit_error *scalekit_tool_call_error(const scalekit_tool_call *call)
{
    if (!call || call->stage != AFTER)
        return NULL;
    return call->rejected ? &call->rejection : scalekit_request_error(call->step);
}

scalekit_request *scalekit_tool_call_request(const scalekit_tool_call *call)
{
    return call ? call->request : NULL;
}

struct document {
    size_t struct_size;
    const char *json;
};

static const struct ski_field document_fields[] = {
    JSON(document, json, "json", .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type document_type = TYPE(document, document_fields);

/* Whether a hook has the call in hand, on that side of the tool. */
static bool in_hand(const scalekit_tool_call *call, enum stage stage)
{
    return call->request && (call->inside || call->held) && call->stage == stage;
}

/* Checks what is to take the place of an input or output, and copies it. */
static scalekit_err replace(scalekit_tool_call *call, const char **text, const char *json)
{
    const struct document document = {sizeof document, json};
    struct ski_failure failure;
    scalekit_err err = ski_check(&call->mem, &document_type, &document, &failure);
    const char *copy = err == SCALEKIT_OK ? ski_arena_strdup(&call->arena, json) : NULL;

    if (err == SCALEKIT_OK && !copy)
        return SCALEKIT_ERR_NOMEM;
    if (copy)
        *text = copy;
    return err;
}

scalekit_err scalekit_tool_call_set_input(scalekit_tool_call *call, const char *tool_input)
{
    if (!call)
        return SCALEKIT_ERR_INVALID;
    if (!in_hand(call, BEFORE))
        return SCALEKIT_ERR_TOO_LATE;
    return replace(call, &call->params->tool_input, tool_input);
}

scalekit_err scalekit_tool_call_set_output(scalekit_tool_call *call, const char *data)
{
    if (!call)
        return SCALEKIT_ERR_INVALID;
    if (!in_hand(call, AFTER) || !call->came)
        return SCALEKIT_ERR_TOO_LATE;
    return replace(call, &call->result.data, data);
}

scalekit_err scalekit_tool_call_reject(scalekit_tool_call *call, const char *message)
{
    struct ski_failure failure;

    if (!call)
        return SCALEKIT_ERR_INVALID;
    if (!in_hand(call, BEFORE))
        return SCALEKIT_ERR_TOO_LATE;
    ski_fail(&failure, SCALEKIT_ERR_REJECTED, SCALEKIT_PHASE_NONE, "%s",
             message ? message : scalekit_strerror(SCALEKIT_ERR_REJECTED));
    ski_error_init(&call->rejection);
    ski_error_from_failure(&call->rejection, &call->arena, &failure);
    call->rejected = true;
    return SCALEKIT_OK;
}

void scalekit_tool_call_continue(scalekit_tool_call *call)
{
    if (!call)
        return;
    if (call->inside) {
        call->continued = true;
        return;
    }
    call->held = false;
    if (call->request)
        ski_task_defer(&call->request->client->loop, &call->turn);
    release_call(call);
}
