/* What only an emulator has: scripts, states and faults, by HTTP. */
#include "check.h"
#include "routes.h"

#define MAX_WAIT_MS INT64_C(86400000)

static void answer_done(struct emu_request *request, bool done)
{
    if (!done) {
        emu_out_of_memory(request);
        return;
    }
    emu_send_nothing(request);
}

void emu_route_alive(struct emu_request *request)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "status", "ok");
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

static void put_members(struct emu_json *json, const char *const *members)
{
    emu_json_open(json, "members", '[');
    for (; members && *members; members++)
        emu_json_text(json, NULL, *members);
    emu_json_close(json, ']');
}

void emu_route_index(struct emu_request *request)
{
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_open(json, "endpoints", '[');
    for (const struct emu_route *route = emu_routes; route->path; route++) {
        if (!(route->flags & EMU_ADMIN))
            continue;
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "method", route->flags & EMU_BODY ? "POST" : "GET");
        emu_json_text(json, "path", route->path);
        put_members(json, route->members);
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
    emu_json_close(json, '}');
    emu_send(request, 200);
}

void emu_route_stats(struct emu_request *request)
{
    struct emu_json *json = &request->json;
    struct scalekit_emulator_stats stats;
    const struct {
        const char *name;
        const uint64_t *count;
    } counts[] = {
        {"requests", &stats.requests},
        {"sign_ins", &stats.sign_ins},
        {"lookups", &stats.lookups},
        {"creates", &stats.creates},
        {"updates", &stats.updates},
        {"deletes", &stats.deletes},
        {"links", &stats.links},
        {"tool_calls", &stats.tool_calls},
        {"proxied", &stats.proxied},
        {"proxied_bytes", &stats.proxied_bytes},
        {"accounts", &stats.accounts},
        {"active", &stats.active},
        {"connections", &stats.connections},
        {"providers", &stats.providers},
        {"tools", &stats.tools},
        {"mcp_configs", &stats.mcp_configs},
        {"mcp_instances", &stats.mcp_instances},
        {"mcp_servers", &stats.mcp_servers},
        {"deliveries", &stats.deliveries},
        {"delivery_attempts", &stats.delivery_attempts},
        {"delivered", &stats.delivered},
        {"given_up", &stats.given_up},
        {"lost", &stats.lost},
        {"dropped", &stats.dropped},
        {"pending", &stats.pending},
    };

    scalekit_emulator_stats(request->emulator, &stats);
    emu_json_open(json, NULL, '{');
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        emu_json_number(json, counts[i].name, (int64_t)*counts[i].count);
    emu_json_close(json, '}');
    emu_send(request, 200);
}

static int64_t read_wait(struct emu_request *request, const char *field)
{
    int64_t wait = emu_whole(request, field, 0);

    if (wait > MAX_WAIT_MS)
        emu_violation(request, field, "int64.lte", "value must be at most a day");
    return wait;
}

/* By either of its names. */
static const char *read_connector(struct emu_request *request, unsigned rules)
{
    bool is_long = emu_json_get(request->body, "connection_name") != NULL;

    if (is_long && emu_json_get(request->body, "connector"))
        emu_violation(request, "connection_name", "connector.twice",
                      "the same as connector: give one of them");
    return emu_text(request, is_long ? "connection_name" : "connector", 0, 400, rules | EMU_NAME);
}

void emu_route_script(struct emu_request *request)
{
    const char *connector = read_connector(request, 0);
    const char *identifier = emu_text(request, "identifier", 0, 100, 0);
    int consent = scalekit_consent_parse(emu_text(request, "consent", 0, 20, EMU_REQUIRED));
    int64_t after_ms = read_wait(request, "after_ms");

    if (consent < 0)
        emu_violation(request, "consent", "enum.defined_only",
                      "one of manual, approve, deny, expire, revoke");
    if (!*connector != !*identifier)
        emu_violation(request, "connector", "consent.account",
                      "give a connector and an identifier, or neither");
    if (emu_refused(request))
        return;
    if (*connector) {
        answer_done(request,
                    scalekit_emulator_script_account(request->emulator, connector, identifier,
                                                     (enum scalekit_consent)consent, after_ms));
        return;
    }
    scalekit_emulator_script_consent(request->emulator, (enum scalekit_consent)consent, after_ms);
    answer_done(request, true);
}

void emu_route_status(struct emu_request *request)
{
    const char *connector = read_connector(request, EMU_REQUIRED);
    const char *identifier = emu_text(request, "identifier", 0, 100, EMU_REQUIRED);
    const char *status = emu_text(request, "status", 0, 100, EMU_REQUIRED);

    if (!emu_refused(request))
        answer_done(request,
                    scalekit_emulator_set_status(request->emulator, connector, identifier, status));
}

void emu_route_fail(struct emu_request *request)
{
    const char *prefix = emu_text(request, "path_prefix", 0, 2048, EMU_REQUIRED);
    const char *body = emu_member(request, request->body, "body");
    int64_t times = emu_whole(request, "times", 1);
    int64_t status = emu_whole(request, "status", EMU_NO_STATUS);
    int64_t delay_ms = read_wait(request, "delay_ms");

    if (status > 0 && (status < 200 || status > 599))
        emu_violation(request, "status", "int32.range", "0, or 200 to 599");
    if (times < 1 || times > 1000000)
        emu_violation(request, "times", "int32.range", "1 to 1000000");
    if (status == EMU_NO_STATUS && !delay_ms)
        emu_violation(request, "status", "fail.what", "give a status, or a delay_ms, or both");
    if (!emu_refused(request))
        answer_done(request, emu_fault_add(&request->emulator->faults, prefix, (int)times,
                                           (int)status, body, delay_ms));
}

void emu_route_revoke_tokens(struct emu_request *request)
{
    scalekit_emulator_revoke_tokens(request->emulator);
    answer_done(request, true);
}
