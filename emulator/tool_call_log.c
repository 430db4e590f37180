#include "tool_call_log.h"
#include "check.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_MS 1000

/* --- logging ----------------------------------------------------------------------------------- */

void emu_call_free(struct emu_call *call)
{
    if (!call)
        return;
    for (size_t i = 0; i < EMU_CALL_TEXTS; i++)
        free(call->texts[i]);
    free(call);
}

static void free_item(void *item)
{
    emu_call_free(item);
}

void emu_calls_init(struct emu_record *calls, uint64_t first_number)
{
    emu_record_init(calls, "tcl", first_number, free_item);
}

/* False when memory ran out.  "" is as good as nothing. */
static bool set(struct emu_call *call, enum emu_call_text text, const char *value)
{
    return !value || !*value || emu_set_text(&call->texts[text], value);
}

static bool set_account(struct emu_call *call, const struct emu_account *account)
{
    return set(call, EMU_CALL_PROVIDER, account->connection->provider) &&
           set(call, EMU_CALL_ACCOUNT_ID, account->id) &&
           set(call, EMU_CALL_CONNECTION_ID, account->connection->id) &&
           set(call, EMU_CALL_CONNECTION_NAME, account->connection->name) &&
           set(call, EMU_CALL_IDENTIFIER, account->person->identifier) &&
           set(call, EMU_CALL_USER_ID, account->user_id) &&
           set(call, EMU_CALL_ORGANIZATION_ID, account->organization_id);
}

/* What is known of the account when there is none. */
static bool set_wish(struct emu_call *call, struct emu_request *request, const char *provider)
{
    return set(call, EMU_CALL_PROVIDER, provider) &&
           set(call, EMU_CALL_ACCOUNT_ID,
               emu_member(request, request->body, "connected_account_id")) &&
           set(call, EMU_CALL_CONNECTION_NAME, emu_member(request, request->body, "connector")) &&
           set(call, EMU_CALL_IDENTIFIER, emu_member(request, request->body, "identifier")) &&
           set(call, EMU_CALL_USER_ID, emu_member(request, request->body, "user_id")) &&
           set(call, EMU_CALL_ORGANIZATION_ID,
               emu_member(request, request->body, "organization_id"));
}

void emu_call_begin(struct emu_request *request, const char *provider,
                    const struct emu_account *account)
{
    struct emu_call *call = calloc(1, sizeof *call);

    if (!call)
        return;
    call->started_us = emu_now_us();
    if (set(call, EMU_CALL_TOOL_NAME, emu_member(request, request->body, "tool_name")) &&
        set(call, EMU_CALL_AGENT_RUN_ID, emu_member(request, request->body, "agent_run_id")) &&
        (account ? set_account(call, account) : set_wish(call, request, provider)))
        request->call = call;
    else
        emu_call_free(call);
}

void emu_next_execution(scalekit_emulator *emulator, char id[EMU_ID_SIZE])
{
    emu_make_id(id, "exec", ++emulator->executions);
}

void emu_call_end(struct emu_request *request, const char *execution_id, const char *tier,
                  const char *code, const char *message)
{
    struct emu_record *calls = &request->emulator->calls;
    struct emu_call *call = request->call;
    char made[EMU_ID_SIZE];

    if (!call)
        return;
    request->call = NULL;
    if (!execution_id) {
        emu_next_execution(request->emulator, made);
        execution_id = made;
    }
    emu_record_id(calls, call->id, calls->last + 1);
    call->duration_ms = (emu_now_us() - call->started_us) / US_PER_MS;
    if (!set(call, EMU_CALL_EXECUTION_ID, execution_id) ||
        !set(call, EMU_CALL_STATUS, tier ? "ERROR" : "SUCCESS") ||
        !set(call, EMU_CALL_ERROR_TIER, tier) || !set(call, EMU_CALL_ERROR_CODE, code) ||
        !set(call, EMU_CALL_ERROR_MESSAGE, message) || !emu_record_add(calls, call))
        emu_call_free(call);
}

/* --- showing ----------------------------------------------------------------------------------- */

void emu_json_count(struct emu_json *json, const char *key, int64_t count)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, count);
    emu_json_text(json, key, text);
}

static void put_call(struct emu_json *json, const char *environment_id, const struct emu_call *call)
{
    static const struct {
        const char *name;
        bool optional; /* left out when there is none; the others are "" then */
    } texts[] = {
        [EMU_CALL_EXECUTION_ID] = {"execution_id", false},
        [EMU_CALL_AGENT_RUN_ID] = {"agent_run_id", true},
        [EMU_CALL_TOOL_NAME] = {"tool_name", false},
        [EMU_CALL_PROVIDER] = {"provider", false},
        [EMU_CALL_ACCOUNT_ID] = {"connected_account_id", false},
        [EMU_CALL_CONNECTION_ID] = {"connection_id", false},
        [EMU_CALL_CONNECTION_NAME] = {"connection_name", false},
        [EMU_CALL_IDENTIFIER] = {"identifier", false},
        [EMU_CALL_USER_ID] = {"user_id", false},
        [EMU_CALL_ORGANIZATION_ID] = {"organization_id", true},
        [EMU_CALL_STATUS] = {"status", false},
        [EMU_CALL_ERROR_TIER] = {"error_tier", false},
        [EMU_CALL_ERROR_CODE] = {"error_code", false},
        [EMU_CALL_ERROR_MESSAGE] = {"error_message", false},
    };

    emu_json_open(json, NULL, '{');
    emu_json_text(json, "id", call->id);
    emu_json_text(json, "environment_id", environment_id);
    for (size_t i = 0; i < EMU_CALL_TEXTS; i++)
        if (call->texts[i] || !texts[i].optional)
            emu_json_text(json, texts[i].name, call->texts[i]);
    emu_json_text(json, "source", "API");
    emu_json_count(json, "duration_ms", call->duration_ms);
    emu_json_time(json, "started_at", call->started_us);
    emu_json_close(json, '}');
}

/* --- GET /api/v1/agentkit/tool_call_logs --------------------------------------------------------- */

bool emu_call_is_wanted(const void *item, const void *filter)
{
    const struct emu_call *call = item;
    const struct emu_call_filter *f = filter;

    if (call->started_us < f->start_us || call->started_us > f->end_us)
        return false;
    for (const struct emu_call_parameter *parameter = f->parameters; parameter->name; parameter++)
        if (!emu_form_allows(f->query, parameter->name, call->texts[parameter->text]))
            return false;
    return true;
}

static void read_filter(struct emu_request *request, struct emu_call_filter *filter)
{
    static const struct emu_call_parameter parameters[] = {
        {"status", EMU_CALL_STATUS},
        {"provider", EMU_CALL_PROVIDER},
        {"connection_id", EMU_CALL_CONNECTION_ID},
        {"connection_name", EMU_CALL_CONNECTION_NAME},
        {"connected_account_id", EMU_CALL_ACCOUNT_ID},
        {"identifier", EMU_CALL_IDENTIFIER},
        {"agent_run_id", EMU_CALL_AGENT_RUN_ID},
        {NULL, 0},
    };

    *filter = (struct emu_call_filter){.query = &request->query, .parameters = parameters};
    emu_read_times(request, &filter->start_us, &filter->end_us);
    emu_text(request, "identifier", 0, 255, 0);
    emu_text(request, "agent_run_id", 0, 255, 0);
    emu_text(request, "connection_name", 0, 255, 0);
}

void emu_route_tool_call_logs(struct emu_request *request)
{
    const struct emu_record *calls = &request->emulator->calls;
    struct emu_json *json = &request->json;
    struct emu_call_filter filter;
    const struct emu_wanted wanted = {emu_call_is_wanted, &filter};
    struct emu_page page;

    read_filter(request, &filter);
    if (!emu_record_page(request, calls, &wanted, &page))
        return;
    emu_json_open(json, NULL, '{');
    emu_json_open(json, "tool_call_logs", '[');
    for (size_t i = 0; i < page.n; i++)
        put_call(json, request->emulator->environment_id, page.items[i]);
    emu_json_close(json, ']');
    emu_json_token(json, "next_page_token", &page.next, page.has_next);
    emu_json_count(json, "total_size", (int64_t)emu_record_count(calls, &wanted));
    emu_json_token(json, "prev_page_token", &page.previous, page.has_previous);
    emu_json_close(json, '}');
    emu_send(request, 200);
}

static const struct emu_call *find_execution(const struct emu_record *calls, const char *id)
{
    const struct emu_call *call;

    for (uint64_t n = calls->last; (call = emu_record_get(calls, n)); n--)
        if (strcmp(call->texts[EMU_CALL_EXECUTION_ID], id) == 0)
            return call;
    return NULL;
}

void emu_route_tool_call_log(struct emu_request *request)
{
    const char *id = emu_in_path(request, "execution_id", 1, 64, 0);
    const struct emu_call *call = find_execution(&request->emulator->calls, id);

    if (emu_refused(request))
        return;
    if (!call) {
        emu_not_found(request, "tool call log");
        return;
    }
    put_call(&request->json, request->emulator->environment_id, call);
    emu_send(request, 200);
}
