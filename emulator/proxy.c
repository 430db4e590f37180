/* /proxy/: a provider's API with a user's account.  Gmail's is there; everything else is answered by
 * one that says what it was asked. */
#include "account.h"
#include "routes.h"
#include "server.h"
#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>

#define GMAIL_MESSAGES "/gmail/v1/users/me/messages"

/* Here Scalekit says so in another shape than elsewhere. */
static void refuse_token(struct emu_request *request)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "detail", "Token invalid");
    emu_json_text(&request->json, "code", "UNAUTHORIZED");
    emu_json_close(&request->json, '}');
    emu_send(request, 401);
}

/* NULL when the request has been answered already. */
static struct emu_account *find_account(struct emu_request *request)
{
    struct emu_store *store = &request->emulator->store;
    struct emu_key key = {.connector = emu_get_header(request, "connection_name"),
                          .identifier = emu_get_header(request, "identifier")};
    struct emu_account *account = NULL;

    if (*key.connector && *key.identifier)
        account = emu_account_find(store, &key);
    if (!*key.connector || !*key.identifier)
        emu_fail(request, 400, "INVALID_ARGUMENT",
                 "give the headers connection_name and identifier");
    else if (!account)
        emu_fail(request, 404, "NOT_FOUND", "connected account not found");
    else if (!emu_account_is_active(account))
        emu_fail(request, 400, "FAILED_PRECONDITION", "the connected account is not active");
    else if (!emu_account_use(store, account))
        emu_out_of_memory(request);
    else
        return account;
    return NULL;
}

static void pass_on(struct emu_request *request)
{
    size_t length = strlen(GMAIL_MESSAGES);
    bool reads = evhttp_request_get_command(request->http) == EVHTTP_REQ_GET;

    request->path += strlen("/proxy");
    if (!reads || strncmp(request->path, GMAIL_MESSAGES, length) != 0) {
        emu_route_echo(request);
    } else if (!request->path[length]) {
        emu_route_gmail_list(request);
    } else if (request->path[length] == '/' && request->path[length + 1]) {
        request->rest = request->path + length + 1;
        emu_route_gmail_get(request);
    } else {
        emu_route_echo(request);
    }
}

void emu_route_proxy(struct emu_request *request)
{
    struct scalekit_emulator_stats *stats = &request->emulator->stats;

    stats->proxied++;
    stats->proxied_bytes += evbuffer_get_length(evhttp_request_get_input_buffer(request->http));
    if (!emu_is_signed_in(request)) {
        refuse_token(request);
        return;
    }
    request->account = find_account(request);
    if (request->account)
        pass_on(request);
}
