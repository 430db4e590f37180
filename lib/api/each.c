/* Design note.  A page is an ordinary request of the operation that lists; the next one is asked
 * for when the application has had all of this one.
 *
 *     start ──► page ──► told, page then items ──► last page, or false: done
 *                 ▲                  │
 *                 └── next_page_token ┘
 *
 * The application may end the whole in any of its callbacks, by cancelling or by freeing the
 * client. The walk is gone then, but not the request: it is delivered from a later turn of the
 * loop. */
#include "api/each.h"
#include "api/operations.h"
#include "base/str.h"
#include "core/client.h"
#include "json/copy.h"
#include <string.h>

#define MAX_MEMORY (64u << 20) /* of the parameters and the tokens seen */

/* A page token that was used, by its hash alone: among 100,000 of them two that differ share one in
 * one of four thousand million walks. */
struct token {
    struct ski_map_node node;
};

/* The operation that lists, of the whole. */
static const struct ski_operation *list_of(const scalekit_request *request)
{
    const struct ski_each_list *list =
        SKI_CONTAINER(request->operation, const struct ski_each_list, each);

    return ski_operation_find(list->operation);
}

/* --- rows ------------------------------------------------------------------------------------- */

static const struct ski_field *row_of(const struct ski_type *type, enum ski_kind kind,
                                      const char *name)
{
    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++)
        if (field->kind == kind && (!name || strcmp(field->name, name) == 0))
            return field;
    return NULL;
}

static const char **page_token_of(const struct ski_operation *operation, void *params)
{
    const struct ski_field *field = row_of(operation->params, SKI_STRING, "page_token");

    return &SKI_MEMBER(params, field->offset, const char *);
}

/* NULL on the last page. */
static const char *next_page_token_of(const struct ski_operation *operation, const void *page)
{
    const struct ski_field *field = row_of(operation->result, SKI_STRING, "next_page_token");

    return SKI_MEMBER(page, field->offset, const char *const);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void leave(scalekit_request *request)
{
    struct ski_each *each = request->flow_data;

    if (!each)
        return;
    request->flow_data = NULL;
    request->sent |= each->sent;
    request->attempts = each->attempts;
    if (each->step) {
        request->sent |= each->step->sent || each->step->exchange.sent;
        request->attempts += each->step->attempts;
        ski_request_abandon(each->step);
    }
    ski_map_free(&each->seen);
    ski_arena_free(&each->arena);
    ski_free(&request->mem, each->page_token);
    ski_free(&request->mem, each);
}

static const scalekit_request *step_of(const scalekit_request *request)
{
    const struct ski_each *each = request->flow_data;

    return each ? each->step : NULL;
}

static void fail(scalekit_request *request, scalekit_err code, const char *problem)
{
    struct ski_failure failure;

    ski_fail(&failure, code,
             code == SCALEKIT_ERR_PROTOCOL ? SCALEKIT_PHASE_DECODE : SCALEKIT_PHASE_NONE, "%s",
             problem);
    ski_request_settle_failure(request, &failure);
}

/* Whether the application ended it, inside one of its callbacks. */
static bool over(const scalekit_request *request)
{
    return request->state >= SKI_SETTLED || request->client->closing;
}

/* --- pages ------------------------------------------------------------------------------------ */

static void ask(struct ski_each *each)
{
    scalekit_request *request = each->request;
    scalekit_request *step = ski_request_start(request->client, each->operation, each->params,
                                               each->list->on_page, each);

    each->step = step;
    if (!step) {
        fail(request, SCALEKIT_ERR_NOMEM, "out of memory");
        return;
    }
    each->pages++;
    ski_request_inherit(step, request);
}

static bool same_token(const struct ski_map_node *node, const void *key)
{
    (void)node;
    (void)key;
    return true; /* the hash is all that is kept */
}

/* Whether a token is new; it is not any more. */
static scalekit_err note_token(struct ski_each *each, const char *text)
{
    uint64_t hash = ski_hash_text(text);
    struct token *token;

    if (ski_map_find(&each->seen, hash, same_token, NULL))
        return SCALEKIT_ERR_PROTOCOL;
    token = ski_arena_alloc(&each->arena, sizeof *token);
    if (!token)
        return SCALEKIT_ERR_NOMEM;
    token->node.hash = hash;
    return ski_map_insert(&each->seen, &token->node) ? SCALEKIT_OK : SCALEKIT_ERR_NOMEM;
}

static scalekit_err turn_page(struct ski_each *each, const char *next)
{
    const char **page_token = page_token_of(each->operation, each->params);
    char *copy = ski_strdup(&each->request->mem, next);
    scalekit_err err = copy ? note_token(each, next) : SCALEKIT_ERR_NOMEM;

    if (err == SCALEKIT_OK && each->pages >= SKI_EACH_MAX_PAGES)
        err = SCALEKIT_ERR_TOO_LARGE;
    if (err != SCALEKIT_OK) {
        ski_free(&each->request->mem, copy);
        return err;
    }
    ski_free(&each->request->mem, each->page_token);
    each->page_token = copy;
    *page_token = copy;
    return SCALEKIT_OK;
}

static void go_on(struct ski_each *each, const char *next)
{
    scalekit_request *request = each->request;

    switch (turn_page(each, next)) {
    case SCALEKIT_OK:
        ski_request_extend(request, ski_loop_now(&request->client->loop) + each->allowed_ms);
        ask(each);
        break;
    case SCALEKIT_ERR_PROTOCOL:
        fail(request, SCALEKIT_ERR_PROTOCOL,
             "the service gave the same next_page_token twice: the list does not end");
        break;
    case SCALEKIT_ERR_TOO_LARGE:
        fail(request, SCALEKIT_ERR_TOO_LARGE, "the list has more than 100,000 pages");
        break;
    default:
        fail(request, SCALEKIT_ERR_NOMEM, "out of memory");
    }
}

/* Whether the application wants another page.  Where it ended the whole, the walk is gone: look at
 * the request first. */
static bool tell(struct ski_each *each, const void *page)
{
    const struct ski_each_list *list = each->list;
    const struct ski_field *field = row_of(each->operation->result, SKI_OBJECTS, NULL);
    const void *const *items = SKI_MEMBER(page, field->offset, const void *const *const);
    size_t n_items = SKI_MEMBER(page, field->second, const size_t);
    scalekit_request *request = each->request;
    ski_callback each_item = each->each_item;

    if (each->each_page && !list->tell_page(request, each->each_page, page, request->user))
        return false;
    for (size_t i = 0; each_item && i < n_items; i++)
        if (over(request) || !list->tell_item(request, each_item, items[i], request->user))
            return false;
    return true;
}

void ski_each_take(scalekit_request *step, const void *page, void *user)
{
    struct ski_each *each = user;
    scalekit_request *request = each->request;
    const char *next;
    bool more;

    each->step = NULL;
    each->sent |= step->sent;
    each->attempts += step->attempts;
    request->attempts = each->attempts;
    request->http_status = step->http_status;
    if (!page) {
        ski_request_settle_from(request, step, NULL);
        return;
    }
    next = next_page_token_of(each->operation, page);
    each->page = page;
    more = tell(each, page);
    if (request->flow_data)
        each->page = NULL;
    if (over(request))
        return;
    if (more && next)
        go_on(each, next);
    else
        ski_request_settle_from(request, step, page);
}

/* --- starting --------------------------------------------------------------------------------- */

static void start(scalekit_request *request)
{
    struct ski_each *each = request->flow_data;

    each->allowed_ms = request->due_ms - request->start_ms;
    ask(each);
}

static const struct ski_flow flow = {start, leave, step_of};

/* Checks the parameters as the operation that lists does, and copies them.  NULL is none at all. */
static scalekit_err take_params(struct ski_each *each, const void *params,
                                struct ski_failure *failure)
{
    const struct ski_type *type = each->operation->params;
    const char *page_token;
    scalekit_err err;

    if (!params) {
        size_t *none = ski_arena_alloc(&each->arena, type->size);

        if (!none)
            return SCALEKIT_ERR_NOMEM;
        *none = type->size;
        params = none;
    }
    err = ski_operation_check(each->operation, &each->request->mem, params, failure);
    if (err != SCALEKIT_OK)
        return err;
    each->params = ski_copy(&each->arena, type, params);
    if (!each->params)
        return SCALEKIT_ERR_NOMEM;
    page_token = *page_token_of(each->operation, each->params);
    return page_token ? note_token(each, page_token) : SCALEKIT_OK;
}

static bool begin(scalekit_request *request, const struct ski_each_list *list, const void *params,
                  ski_callback each_page, ski_callback each_item, struct ski_failure *failure)
{
    struct ski_each *each = ski_zalloc(&request->mem, sizeof *each);

    if (!each)
        return false;
    each->request = request;
    each->list = list;
    each->operation = list_of(request);
    each->each_page = each_page;
    each->each_item = each_item;
    ski_arena_init(&each->arena, &request->mem, 512, MAX_MEMORY);
    ski_map_init(&each->seen, &request->mem);
    request->flow_data = each;
    return take_params(each, params, failure) == SCALEKIT_OK;
}

scalekit_request *ski_each_start(scalekit_client *client, const struct ski_each_list *list,
                                 const void *params, ski_callback each_page, ski_callback each_item,
                                 scalekit_done_cb done, void *user)
{
    struct ski_failure failure;
    scalekit_request *request;

    if (!each_page && !each_item)
        return NULL;
    request =
        ski_request_start_flow(client, &list->each, NULL, &flow, NULL, (ski_callback)done, user);
    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    if (request && !begin(request, list, params, each_page, each_item, &failure))
        ski_request_settle_failure(request, &failure);
    return request;
}

int64_t scalekit_each_total_size(const scalekit_request *request)
{
    const struct ski_each *each;
    const struct ski_field *field;
    const void *page;

    if (!request || request->flow != &flow)
        return -1;
    each = request->flow_data;
    page = each ? each->page : request->source ? request->source->result : NULL;
    if (!page)
        return -1;
    field = row_of(list_of(request)->result, SKI_INTEGER, "total_size");
    return field ? SKI_MEMBER(page, field->offset, const int64_t) : -1;
}

/* --- the lists -------------------------------------------------------------------------------- */

/* A list whose pages are PAGEs; CB is what its callbacks' types begin with. */
#define EACH(thing, list, PAGE, CB)                                                                \
    static void take_##thing(scalekit_request *step, const struct PAGE *page, void *each)          \
    {                                                                                              \
        ski_each_take(step, page, each);                                                           \
    }                                                                                              \
    static bool tell_page_of_##thing(scalekit_request *request, ski_callback cb, const void *page, \
                                     void *user)                                                   \
    {                                                                                              \
        return ((CB##_page_cb)cb)(request, page, user);                                            \
    }                                                                                              \
    static bool tell_##thing(scalekit_request *request, ski_callback cb, const void *item,         \
                             void *user)                                                           \
    {                                                                                              \
        return ((CB##_cb)cb)(request, item, user);                                                 \
    }                                                                                              \
    static const struct ski_each_list thing = {                                                    \
        list,                                                                                      \
        {.name = "each_" #thing, .idempotency = SKI_SAFE, .deliver = ski_deliver_done},            \
        (ski_callback)take_##thing,                                                                \
        tell_page_of_##thing,                                                                      \
        tell_##thing,                                                                              \
    }

EACH(connected_account, "list_connected_accounts", scalekit_connected_account_page,
     scalekit_each_connected_account);

scalekit_request *scalekit_each_connected_account(
    scalekit_client *client, const struct scalekit_list_connected_accounts_params *params,
    scalekit_each_connected_account_page_cb each_page, scalekit_each_connected_account_cb each_item,
    scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &connected_account, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(found_connected_account, "search_connected_accounts", scalekit_connected_account_page,
     scalekit_each_connected_account);

scalekit_request *scalekit_each_found_connected_account(
    scalekit_client *client, const struct scalekit_search_connected_accounts_params *params,
    scalekit_each_connected_account_page_cb each_page, scalekit_each_connected_account_cb each_item,
    scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &found_connected_account, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(tool, "list_tools", scalekit_tool_page, scalekit_each_tool);

scalekit_request *scalekit_each_tool(scalekit_client *client,
                                     const struct scalekit_list_tools_params *params,
                                     scalekit_each_tool_page_cb each_page,
                                     scalekit_each_tool_cb each_item, scalekit_done_cb done,
                                     void *user)
{
    return ski_each_start(client, &tool, params, (ski_callback)each_page, (ski_callback)each_item,
                          done, user);
}

EACH(available_tool, "list_available_tools", scalekit_tool_page, scalekit_each_tool);

scalekit_request *scalekit_each_available_tool(
    scalekit_client *client, const struct scalekit_list_available_tools_params *params,
    scalekit_each_tool_page_cb each_page, scalekit_each_tool_cb each_item, scalekit_done_cb done,
    void *user)
{
    return ski_each_start(client, &available_tool, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(scoped_tool, "list_scoped_tools", scalekit_scoped_tool_page, scalekit_each_scoped_tool);

scalekit_request *scalekit_each_scoped_tool(scalekit_client *client,
                                            const struct scalekit_list_scoped_tools_params *params,
                                            scalekit_each_scoped_tool_page_cb each_page,
                                            scalekit_each_scoped_tool_cb each_item,
                                            scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &scoped_tool, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(mcp_config, "list_mcp_configs", scalekit_mcp_config_page, scalekit_each_mcp_config);

scalekit_request *scalekit_each_mcp_config(scalekit_client *client,
                                           const struct scalekit_list_mcp_configs_params *params,
                                           scalekit_each_mcp_config_page_cb each_page,
                                           scalekit_each_mcp_config_cb each_item,
                                           scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &mcp_config, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(mcp_instance, "list_mcp_instances", scalekit_mcp_instance_page, scalekit_each_mcp_instance);

scalekit_request *scalekit_each_mcp_instance(
    scalekit_client *client, const struct scalekit_list_mcp_instances_params *params,
    scalekit_each_mcp_instance_page_cb each_page, scalekit_each_mcp_instance_cb each_item,
    scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &mcp_instance, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(provider, "list_providers", scalekit_provider_page, scalekit_each_provider);

scalekit_request *scalekit_each_provider(scalekit_client *client,
                                         const struct scalekit_list_providers_params *params,
                                         scalekit_each_provider_page_cb each_page,
                                         scalekit_each_provider_cb each_item, scalekit_done_cb done,
                                         void *user)
{
    return ski_each_start(client, &provider, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(app_connection, "list_app_connections", scalekit_connection_page,
     scalekit_each_app_connection);

scalekit_request *scalekit_each_app_connection(
    scalekit_client *client, const struct scalekit_list_app_connections_params *params,
    scalekit_each_app_connection_page_cb each_page, scalekit_each_app_connection_cb each_item,
    scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &app_connection, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(event, "list_events", scalekit_event_page, scalekit_each_event);

scalekit_request *scalekit_each_event(scalekit_client *client,
                                      const struct scalekit_list_events_params *params,
                                      scalekit_each_event_page_cb each_page,
                                      scalekit_each_event_cb each_item, scalekit_done_cb done,
                                      void *user)
{
    return ski_each_start(client, &event, params, (ski_callback)each_page, (ski_callback)each_item,
                          done, user);
}

EACH(event_paginated, "list_events_paginated", scalekit_event_page, scalekit_each_event);

scalekit_request *scalekit_each_event_paginated(scalekit_client *client,
                                                const struct scalekit_list_events_params *params,
                                                scalekit_each_event_page_cb each_page,
                                                scalekit_each_event_cb each_item,
                                                scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &event_paginated, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}

EACH(tool_call_log, "list_tool_call_logs", scalekit_tool_call_log_page,
     scalekit_each_tool_call_log);

scalekit_request *scalekit_each_tool_call_log(
    scalekit_client *client, const struct scalekit_list_tool_call_logs_params *params,
    scalekit_each_tool_call_log_page_cb each_page, scalekit_each_tool_call_log_cb each_item,
    scalekit_done_cb done, void *user)
{
    return ski_each_start(client, &tool_call_log, params, (ski_callback)each_page,
                          (ski_callback)each_item, done, user);
}
