/* POST /api/v1/execute_tool: what the tools do, and how they fail. */
#include "check.h"
#include "gmail.h"
#include "routes.h"
#include <string.h>

#define DEFAULT_MAILS 5

static void begin_result(struct emu_request *request)
{
    emu_json_open(&request->json, NULL, '{');
}

static void end_result(struct emu_request *request)
{
    char execution_id[EMU_ID_SIZE];

    emu_next_execution(request->emulator, execution_id);
    emu_call_end(request, execution_id, NULL, NULL, NULL);
    emu_json_text(&request->json, "execution_id", execution_id);
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

/* --- gmail_fetch_mails ------------------------------------------------------------------------- */

static void put_mail(struct emu_json *json, const struct emu_account *account,
                     const struct emu_mail *mail)
{
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "id", mail->id);
    emu_json_text(json, "threadId", mail->thread_id);
    emu_json_text(json, "from", mail->from);
    emu_json_text(json, "to", account->person->identifier);
    emu_json_text(json, "subject", mail->subject);
    emu_json_text(json, "snippet", mail->snippet);
    emu_json_text(json, "date", mail->date);
    emu_json_bool(json, "unread", mail->unread);
    emu_json_close(json, '}');
}

static void fetch_mails(struct emu_request *request, const struct emu_account *account,
                        yajl_val params)
{
    const char *query = emu_member(request, params, "query");
    yajl_val max = emu_json_get(params, "max_results");
    int64_t limit = YAJL_IS_INTEGER(max) ? YAJL_GET_INTEGER(max) : DEFAULT_MAILS, n = 0;
    struct emu_mail mail;

    if (request->malformed || (max && !YAJL_IS_INTEGER(max)) || limit < 1 || limit > EMU_MAILS) {
        emu_fail_tool(request, 400, "INVALID_INPUT",
                      "max_results must be 1 to 100, query a string");
        return;
    }
    begin_result(request);
    emu_json_open(&request->json, "data", '{');
    emu_json_open(&request->json, "messages", '[');
    for (size_t i = 0; i < EMU_MAILS && n < limit; i++) {
        emu_mail(&mail, account, i);
        if (query && !emu_mail_matches(&mail, query))
            continue;
        put_mail(&request->json, account, &mail);
        n++;
    }
    emu_json_close(&request->json, ']');
    emu_json_number(&request->json, "resultSizeEstimate", n);
    emu_json_close(&request->json, '}');
    end_result(request);
}

/* --- echo -------------------------------------------------------------------------------------- */

/* Gives back its input, or fails as {"fail": …} says. */
static void echo(struct emu_request *request, yajl_val params)
{
    static const struct {
        const char *word;
        int status;
        const char *code, *message;
    } failures[] = {
        {"rate_limit", 429, "RATE_LIMITED", "Provider rate limit hit"},
        {"forbidden", 403, "FORBIDDEN", "Provider scope is missing"},
        {"unauthorized", 401, "UNAUTHORIZED", "Provider token expired"},
        {"error", 500, "PROVIDER_ERROR", "Provider answered with an error"},
    };
    const char *word = YAJL_GET_STRING(emu_json_get(params, "fail"));

    for (size_t i = 0; word && i < sizeof failures / sizeof *failures; i++) {
        if (strcmp(word, failures[i].word) == 0) {
            emu_fail_tool(request, failures[i].status, failures[i].code, failures[i].message);
            return;
        }
    }
    begin_result(request);
    if (params)
        emu_json_value(&request->json, "data", params);
    else
        emu_json_raw(&request->json, "data", "{}");
    end_result(request);
}

/* --- executing --------------------------------------------------------------------------------- */

/* What a tool does; one that was added to the catalogue can only echo. */
static void run_tool(struct emu_request *request, const struct emu_tool *tool,
                     const struct emu_account *account, yajl_val params)
{
    if (strcmp(tool->name, "gmail_fetch_mails") == 0)
        fetch_mails(request, account, params);
    else
        echo(request, params);
}

/* Without a connector the tool's provider says which of the user's accounts is meant. */
static struct emu_account *find_by_provider(const struct emu_store *store, const char *identifier,
                                            const struct emu_tool *tool)
{
    const struct emu_index *accounts = emu_store_person(store, identifier);

    for (size_t i = 0; accounts && i < accounts->n; i++) {
        struct emu_account *account = accounts->slots[i].account;

        if (account && emu_tool_fits(tool, account->connection))
            return account;
    }
    return NULL;
}

static struct emu_account *find_account(const struct emu_store *store, const struct emu_key *key,
                                        const struct emu_tool *tool)
{
    if (!*key->id && !*key->connector)
        return find_by_provider(store, key->identifier, tool);
    return emu_account_find(store, key);
}

static void read_account(struct emu_request *request, struct emu_key *key)
{
    key->id = emu_text(request, "connected_account_id", 0, 100, 0);
    key->connector = emu_text(request, "connector", 0, 400, EMU_NAME);
    key->identifier = emu_text(request, "identifier", 0, SIZE_MAX, 0);
    key->organization_id = emu_text(request, "organization_id", 0, 100, 0);
    key->user_id = emu_text(request, "user_id", 0, 100, 0);
    emu_text(request, "agent_run_id", 0, 255, 0);
    if (!*key->id && !*key->identifier)
        emu_violation(request, "identifier", "execute_tool.account",
                      "give a connected_account_id, or an identifier");
}

void emu_route_execute(struct emu_request *request)
{
    struct emu_store *store = &request->emulator->store;
    const char *name = emu_text(request, "tool_name", 0, SIZE_MAX, EMU_REQUIRED);
    yajl_val params = emu_object(request, request->body, "params");
    const struct emu_tool *tool = emu_tool_find_default(&request->emulator->catalogue, name);
    struct emu_account *account;
    struct emu_key key;

    request->emulator->stats.tool_calls++;
    read_account(request, &key);
    if (emu_refused(request))
        return;
    account = tool ? find_account(store, &key, tool) : NULL;
    emu_call_begin(request, tool ? tool->provider : NULL, account);
    if (!tool)
        emu_not_found(request, "tool");
    else if (!account)
        emu_not_found(request, "connected account");
    else if (!emu_account_is_active(account))
        emu_fail_tool(request, 401, "UNAUTHORIZED", "The connected account is not active");
    else if (!emu_account_use(store, account))
        emu_out_of_memory(request);
    else
        run_tool(request, tool, account, params);
}
