/* POST /oauth/token: client credentials for an access token. */
#include "routes.h"
#include "text.h"
#include <event2/buffer.h>
#include <event2/http.h>

static void refuse(struct emu_request *request, int status, const char *error,
                   const char *description)
{
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "error", error);
    emu_json_text(&request->json, "error_description", description);
    emu_json_close(&request->json, '}');
    emu_send(request, status);
}

static bool field_is(const struct emu_form *form, const char *name, const char *expected)
{
    const char *value = emu_form_get(form, name);

    return value && emu_same(value, expected);
}

static void give_token(struct emu_request *request)
{
    scalekit_emulator *emulator = request->emulator;
    const char *token = emu_session_add(&emulator->sessions, emulator->token_life_s);

    if (!token) {
        emu_out_of_memory(request);
        return;
    }
    emulator->stats.sign_ins++;
    emu_header(request, "Cache-Control", "no-store");
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "access_token", token);
    emu_json_text(&request->json, "token_type", "Bearer");
    emu_json_number(&request->json, "expires_in", emulator->token_life_s);
    emu_json_text(&request->json, "scope", "openid");
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

void emu_route_token(struct emu_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request->http);
    const char *text = (const char *)evbuffer_pullup(body, -1);
    struct emu_form form;

    if (!emu_form_parse(&form, text, evbuffer_get_length(body)))
        refuse(request, 400, "invalid_request", "the body is not a form");
    else if (!field_is(&form, "grant_type", "client_credentials"))
        refuse(request, 400, "unsupported_grant_type", "grant_type must be client_credentials");
    else if (!field_is(&form, "client_id", request->emulator->client_id) ||
             !field_is(&form, "client_secret", request->emulator->client_secret))
        refuse(request, 401, "invalid_client", "unknown client, or wrong secret");
    else
        give_token(request);
    emu_form_free(&form);
}
