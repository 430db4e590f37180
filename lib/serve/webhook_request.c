#include "serve/webhook_request.h"
#include "base/str.h"
#include "core/client.h"
#include "http/headers.h"
#include "serve/quiet_send.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <sys/queue.h>

enum { METHOD_NOT_ALLOWED = 405, TOO_LARGE = 413, INTERNAL_ERROR = 500 };

/* --- taking --------------------------------------------------------------------------------------- */

/* All headers as they came, in one array.  NULL: out of memory. */
static struct scalekit_entry *list_headers(const struct evkeyvalq *headers,
                                           const struct ski_mem *mem, size_t *n)
{
    const struct evkeyval *header;
    struct scalekit_entry *entries;

    *n = 0;
    TAILQ_FOREACH(header, headers, next)
    ++*n;
    entries = ski_realloc_array(mem, NULL, *n + 1, sizeof *entries);
    if (!entries)
        return NULL;
    *n = 0;
    TAILQ_FOREACH(header, headers, next)
    entries[(*n)++] = (struct scalekit_entry){.key = header->key, .value = header->value};
    return entries;
}

int ski_webhook_request_take(struct evhttp_request *request, const struct ski_mem *mem,
                             scalekit_webhook_take_cb take, void *user, bool *taken)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    struct scalekit_webhook_delivery delivery = {.struct_size = sizeof delivery};
    struct scalekit_entry *headers;
    enum scalekit_webhook_verdict verdict;

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST)
        return METHOD_NOT_ALLOWED;
    delivery.body_length = evbuffer_get_length(in);
    if (delivery.body_length > SCALEKIT_WEBHOOK_MAX_BODY)
        return TOO_LARGE;
    if (delivery.body_length && !(delivery.body = evbuffer_pullup(in, -1)))
        return INTERNAL_ERROR;
    headers = list_headers(evhttp_request_get_input_headers(request), mem, &delivery.n_headers);
    if (!headers)
        return INTERNAL_ERROR;
    delivery.headers = headers;
    verdict = take(&delivery, user);
    *taken = true;
    ski_free(mem, headers);
    return scalekit_webhook_http_status(verdict);
}

enum scalekit_webhook_verdict ski_webhook_request_deliver(
    const struct scalekit_webhook_delivery *delivery, void *client)
{
    return scalekit_webhook_deliver(client, delivery);
}

/* --- answering ------------------------------------------------------------------------------------ */

static bool is_number(const char *text)
{
    uint64_t number;

    return ski_parse_u64(ski_slice_of(text), &number);
}

/* Whether a proxy sees the same end of the request as evhttp did, which takes the first of two
 * lengths, "+2" for 2, and HEAD and what it does not know to have no body.  Where they disagree,
 * bytes of one sender's body are the next one's request. */
static bool ends_beyond_doubt(struct evhttp_request *request)
{
    const struct evkeyval *header;
    unsigned lengths = 0;

    TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
    {
        if (!ski_header_name_valid(ski_slice_of(header->key)) ||
            ski_str_ieq(header->key, "Transfer-Encoding"))
            return false;
        if (ski_str_ieq(header->key, "Content-Length") && (lengths++ || !is_number(header->value)))
            return false;
    }
    return !lengths || evhttp_request_get_command(request) == EVHTTP_REQ_POST;
}

void ski_webhook_request_answer(struct evhttp_request *request, int status)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

    if (!ends_beyond_doubt(request))
        evhttp_add_header(headers, "Connection", "close");
    if (status == METHOD_NOT_ALLOWED)
        evhttp_add_header(headers, "Allow", "POST");
    evhttp_add_header(headers, "Content-Length", "0");
    evhttp_send_reply(request, status, NULL, NULL);
}

/* Whether it is the bufferevent of a socket, and nothing on top of one. */
static bool is_plain(struct bufferevent *bev)
{
    return bufferevent_getfd(bev) >= 0 && !bufferevent_get_underlying(bev) &&
           !bufferevent_openssl_get_ssl(bev);
}

/* What evhttp has just written.  When the peer is gone, libevent sees the end when it reads. */
static void send_now(struct bufferevent *bev)
{
    struct evbuffer *out = bufferevent_get_output(bev);

    evbuffer_unfreeze(out, 1); /* a bufferevent keeps others from draining its output */
    ski_quiet_send(bufferevent_getfd(bev), out);
    evbuffer_freeze(out, 1);
}

void scalekit_webhook_evhttp_cb(struct evhttp_request *request, void *client)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct bufferevent *bev = connection ? evhttp_connection_get_bufferevent(connection) : NULL;
    bool taken = false;
    struct ski_mem mem;

    if (client)
        mem = ((scalekit_client *)client)->loop.mem;
    else
        ski_mem_init(&mem, NULL);
    ski_webhook_request_answer(
        request,
        ski_webhook_request_take(request, &mem, ski_webhook_request_deliver, client, &taken));
    if (bev && is_plain(bev))
        send_now(bev);
}
