#include "receiver.h"
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static void keep(char *out, size_t size, struct evhttp_request *request, const char *header)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), header);

    snprintf(out, size, "%s", value ? value : "");
}

static bool is_signed(const struct receiver *receiver, const struct receipt *receipt,
                      const char *signature)
{
    struct emu_key_bytes key;
    char expected[EMU_SIGNATURE_SIZE];

    return receiver->secret && emu_secret_parse(receiver->secret, &key) &&
           emu_sign(expected, &key, receipt->id, receipt->timestamp, receiver->body,
                    strlen(receiver->body)) &&
           strcmp(signature, expected) == 0;
}

static void take(struct receiver *receiver, struct evhttp_request *request)
{
    struct receipt *receipt = &receiver->receipts[receiver->n++ % RECEIVER_SIZE];
    char timestamp[32], signature[100], *address;
    const char *event_id;
    ev_ssize_t length = evbuffer_copyout(evhttp_request_get_input_buffer(request), receiver->body,
                                         sizeof receiver->body - 1);

    receiver->body[length < 0 ? 0 : length] = '\0';
    *receipt = (struct receipt){0};
    keep(receipt->id, sizeof receipt->id, request, "webhook-id");
    keep(receipt->content_type, sizeof receipt->content_type, request, "Content-Type");
    keep(timestamp, sizeof timestamp, request, "webhook-timestamp");
    keep(signature, sizeof signature, request, "webhook-signature");
    receipt->timestamp = strtoll(timestamp, NULL, 10);
    receipt->is_signed = is_signed(receiver, receipt, signature);
    event_id = strstr(receiver->body, "\"id\":\"");
    if (event_id)
        sscanf(event_id, "\"id\":\"%63[^\"]", receipt->event_id);
    evhttp_connection_get_peer(evhttp_request_get_connection(request), &address, &receipt->peer);
}

static int next_answer(const struct receiver *receiver)
{
    size_t i = receiver->n - 1;

    if (!receiver->n_answers)
        return 200;
    return receiver->answers[i < receiver->n_answers ? i : receiver->n_answers - 1];
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct receiver *receiver = arg;
    int answer;

    CU_ASSERT_EQUAL(evhttp_request_get_command(request), EVHTTP_REQ_POST);
    take(receiver, request);
    receiver->done = receiver->n >= receiver->wanted;
    answer = next_answer(receiver);
    if (receiver->closes)
        evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    if (answer == HANG_UP)
        evhttp_connection_free(evhttp_request_get_connection(request));
    else if (answer != SILENCE)
        evhttp_send_reply(request, answer, NULL, NULL);
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
    const struct receiver *receiver = arg;

    return bufferevent_openssl_socket_new(base, -1, SSL_new(receiver->tls),
                                          BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static SSL_CTX *load_tls(const char *directory)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    char certificate[200], key[200];

    snprintf(certificate, sizeof certificate, "%s/server.pem", directory);
    snprintf(key, sizeof key, "%s/server.key", directory);
    CU_ASSERT_EQUAL(SSL_CTX_use_certificate_chain_file(context, certificate), 1);
    CU_ASSERT_EQUAL(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
    return context;
}

void receiver_start(struct receiver *receiver, struct event_base *base, const char *tls_dir)
{
    struct evhttp_bound_socket *socket;
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    memset(receiver, 0, sizeof *receiver);
    receiver->base = base;
    receiver->http = evhttp_new(base);
    CU_ASSERT_PTR_NOT_NULL_FATAL(receiver->http);
    evhttp_set_gencb(receiver->http, on_request, receiver);
    if (tls_dir) {
        receiver->tls = load_tls(tls_dir);
        evhttp_set_bevcb(receiver->http, on_connection, receiver);
    }
    socket = evhttp_bind_socket_with_handle(receiver->http, "127.0.0.1", 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(socket);
    CU_ASSERT_EQUAL_FATAL(
        getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)&address, &length), 0);
    snprintf(receiver->url, sizeof receiver->url, "%s://127.0.0.1:%d/hooks?a=b",
             tls_dir ? "https" : "http", ntohs(address.sin_port));
}

void receiver_stop(struct receiver *receiver)
{
    evhttp_free(receiver->http);
    event_base_loop(receiver->base, EVLOOP_NONBLOCK);
    SSL_CTX_free(receiver->tls);
}

void receiver_register(struct receiver *receiver, struct world *world,
                       const struct scalekit_emulator_webhook *config)
{
    struct scalekit_emulator_webhook webhook = {0};
    char error[100] = "";

    if (config)
        webhook = *config;
    webhook.url = receiver->url;
    CU_ASSERT(scalekit_emulator_add_webhook(world->emulator, &webhook, error, sizeof error));
    CU_ASSERT_STRING_EQUAL(error, "");
    receiver->secret = scalekit_emulator_webhook_secret(world->emulator, receiver->url);
    CU_ASSERT_PTR_NOT_NULL_FATAL(receiver->secret);
}

void receiver_wait(struct receiver *receiver, size_t wanted)
{
    receiver->wanted = wanted;
    receiver->done = receiver->n >= wanted;
    test_base_until(receiver->base, &receiver->done);
}
