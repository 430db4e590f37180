#include "mcp_token.h"
#include "mcp_json.h"
#include "text.h"
#include <event2/buffer.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

/* The claims are the service's.  It signs by RSA; here nobody checks, so the client's secret will
 * do. */
static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

/* base64 with - and _ and without padding */
static bool put_base64url(struct evbuffer *out, const void *bytes, size_t length)
{
    char *text = malloc(length / 3 * 4 + 8);
    bool done;

    if (!text)
        return false;
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    text[strcspn(text, "=")] = '\0';
    for (char *c = text; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    done = evbuffer_add(out, text, strlen(text)) == 0;
    free(text);
    return done;
}

static void put_claims(struct emu_json *json, struct emu_request *request,
                       const struct emu_mcp_config *config, const char *identifier, int64_t now_us,
                       int64_t life_s)
{
    const struct emu_store *store = &request->emulator->store;

    emu_json_open(json, NULL, '{');
    emu_json_text(json, "iss", request->emulator->url);
    emu_json_text(json, "sub", identifier);
    emu_json_open(json, "aud", '[');
    emu_json_mcp_url(json, NULL, request->emulator, EMU_MCP_SHARED, config->uuid);
    emu_json_close(json, ']');
    emu_json_number(json, "iat", now_us / EMU_SECOND);
    emu_json_number(json, "exp", now_us / EMU_SECOND + life_s);
    emu_json_text(json, "token_type", "mcp_session");
    emu_json_text(json, "mcp_cfg", config->item.id);
    emu_json_open(json, "ca_ids", '[');
    for (size_t i = 0; i < config->mappings.n; i++)
        emu_json_text(json, NULL, emu_mcp_account(store, &config->mappings.at[i], identifier)->id);
    emu_json_close(json, ']');
    emu_json_close(json, '}');
}

static bool sign(struct evbuffer *token, const char *key)
{
    unsigned char signature[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    const unsigned char *text = evbuffer_pullup(token, -1);

    return text &&
           HMAC(EVP_sha256(), key, (int)strlen(key), text, evbuffer_get_length(token), signature,
                &length) &&
           evbuffer_add(token, ".", 1) == 0 && put_base64url(token, signature, length);
}

/* Text that the caller frees; NULL when memory ran out. */
static char *make_token(const char *claims, const char *key)
{
    struct evbuffer *token = evbuffer_new();
    char *text = NULL;

    if (!token)
        return NULL;
    if (put_base64url(token, header, sizeof header - 1) && evbuffer_add(token, ".", 1) == 0 &&
        put_base64url(token, claims, strlen(claims)) && sign(token, key))
        text = emu_buffer_text(token);
    evbuffer_free(token);
    return text;
}

void emu_mcp_answer_token(struct emu_request *request, const struct emu_mcp_config *config,
                          const char *identifier, int64_t life_s)
{
    int64_t now_us = emu_now_us();
    struct emu_json claims;
    char *text, *token;

    emu_json_start(&claims);
    put_claims(&claims, request, config, identifier, now_us, life_s);
    text = emu_json_finish(&claims);
    token = text ? make_token(text, request->emulator->client_secret) : NULL;
    free(text);
    if (!token) {
        emu_out_of_memory(request);
        return;
    }
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "token", token);
    emu_json_time(&request->json, "expires_at", now_us + life_s * EMU_SECOND);
    emu_json_close(&request->json, '}');
    emu_set_text(&token, NULL);
    emu_header(request, "Cache-Control", "no-store");
    emu_send(request, 200);
}
