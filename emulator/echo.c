/* A provider that says what it was asked: any method, any path.  Its query can ask for more:
 *
 *     status=N     that status, 200 to 599
 *     bytes=N      a body of N bytes, "abc...zabc...", up to 1 GiB
 *     location=U   that Location */
#include "account.h"
#include "routes.h"
#include "text.h"
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SHOWN ((size_t)64 * 1024) /* of a body, as text */
#define MAX_BYTES (1024 * 1024 * 1024)

static long number(struct emu_request *request, const char *name, long least, long most)
{
    const char *text = emu_form_get(&request->query, name);
    char *end;
    long value = text ? strtol(text, &end, 10) : -1;

    return text && *text && !*end && value >= least && value <= most ? value : -1;
}

/* --- what it was asked ------------------------------------------------------------------------- */

/* A header of that name before this one. */
static bool came_before(struct evkeyvalq *headers, const struct evkeyval *header)
{
    struct evkeyval *other;

    TAILQ_FOREACH(other, headers, next)
    {
        if (other == header)
            return false;
        if (evutil_ascii_strcasecmp(other->key, header->key) == 0)
            return true;
    }
    return false;
}

/* All values of that name, as one. */
static void put_header(struct emu_json *json, struct evkeyvalq *headers,
                       const struct evkeyval *first)
{
    struct evkeyval *other;
    char name[256], value[4096];
    size_t length = 0, i;

    for (i = 0; first->key[i] && i < sizeof name - 1; i++)
        name[i] = (char)(first->key[i] >= 'A' && first->key[i] <= 'Z' ? first->key[i] + 32
                                                                      : first->key[i]);
    name[i] = '\0';
    value[0] = '\0';
    TAILQ_FOREACH(other, headers, next)
    {
        if (evutil_ascii_strcasecmp(other->key, first->key) == 0 && length < sizeof value)
            length += (size_t)snprintf(value + length, sizeof value - length, "%s%s",
                                       length ? ", " : "", other->value);
    }
    emu_json_text(json, name, value);
}

/* What reaches a provider is the user's token, and nothing of who asked Scalekit. */
static bool is_scalekits(const char *name)
{
    static const char *const names[] = {"authorization", "connection_name", "identifier"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (evutil_ascii_strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static void put_headers(struct emu_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request->http);
    const char *token = request->account->access_token;
    struct evkeyval *header;
    char authorization[512];

    emu_json_open(&request->json, "headers", '{');
    snprintf(authorization, sizeof authorization, "Bearer %s", token ? token : "");
    emu_json_text(&request->json, "authorization", authorization);
    TAILQ_FOREACH(header, headers, next)
    {
        if (!is_scalekits(header->key) && !came_before(headers, header))
            put_header(&request->json, headers, header);
    }
    emu_json_close(&request->json, '}');
}

/* Enough to keep the answer JSON: every lead byte has as many behind it as it says. */
static bool is_utf8(const unsigned char *at)
{
    while (*at) {
        unsigned char lead = *at++;
        int behind = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

        if (behind < 0 || lead > 0xf4)
            return false;
        for (; behind > 0; behind--)
            if ((*at++ & 0xc0) != 0x80)
                return false;
    }
    return true;
}

/* Text as it is, and of anything else only how much there was. */
static void put_body(struct emu_request *request)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(request->http);
    size_t length = evbuffer_get_length(in);
    char *text;

    emu_json_number(&request->json, "body_length", (int64_t)length);
    if (!length || length > MAX_SHOWN)
        return;
    text = emu_buffer_text(in);
    if (!text) {
        request->json.failed = true;
        return;
    }
    if (strlen(text) == length && is_utf8((const unsigned char *)text))
        emu_json_text(&request->json, "body", text);
    free(text);
}

static void describe(struct emu_request *request, int status)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request->http));
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_text(json, "method", emu_method(request));
    emu_json_text(json, "path", request->path);
    emu_json_text(json, "query", query ? query : "");
    put_headers(request);
    put_body(request);
    emu_json_close(json, '}');
    emu_send(request, status);
}

/* --- as many bytes as it was asked for --------------------------------------------------------- */

/* The same block of memory again and again. */
static bool put_bytes(struct evbuffer *out, size_t length)
{
    static char block[26 * 2520];
    size_t piece;

    for (size_t i = 0; i < sizeof block && !block[sizeof block - 1]; i++)
        block[i] = (char)('a' + i % 26);
    for (; length > 0; length -= piece) {
        piece = length < sizeof block ? length : sizeof block;
        if (evbuffer_add_reference(out, block, piece, NULL, NULL) != 0)
            return false;
    }
    return true;
}

void emu_route_echo(struct emu_request *request)
{
    long status = number(request, "status", 200, 599);
    long bytes = number(request, "bytes", 0, MAX_BYTES);
    const char *location = emu_form_get(&request->query, "location");

    if (location)
        emu_header(request, "Location", location);
    if (status < 0)
        status = 200;
    if (bytes < 0) {
        describe(request, (int)status);
    } else {
        request->json.failed = !put_bytes(request->json.out, (size_t)bytes);
        emu_send_as(request, (int)status, "application/octet-stream");
    }
}
