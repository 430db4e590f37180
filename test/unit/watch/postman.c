#include "postman.h"
#include "json/time.h"
#include <inttypes.h>

#define SECOND_US INT64_C(1000000)

static const char *given(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void on_event(scalekit_client *client, const struct scalekit_webhook_event *event,
                     void *user)
{
    struct postman *postman = user;
    size_t length = strlen(postman->book);

    CU_ASSERT_FALSE(postman->inside);
    CU_ASSERT_PTR_EQUAL(client, postman->client);
    CU_ASSERT_EQUAL(event->struct_size, sizeof *event);
    CU_ASSERT_PTR_NOT_NULL(event->delivery_id);
    snprintf(postman->book + length, sizeof postman->book - length, "%s %s%s, ", event->event->id,
             event->account ? event->account->status_text : "-",
             event->overtaken ? " overtaken" : "");
    postman->told++;
    if (postman->act)
        postman->act(postman);
}

void postman_accept(struct postman *postman, const char *secret)
{
    CU_ASSERT_EQUAL_FATAL(
        scalekit_webhook_accept(postman->client,
                                SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret,
                                                .n_secrets = 1, .cb = on_event, .user = postman),
                                NULL),
        SCALEKIT_OK);
}

void postman_begin(struct postman *postman, struct fixture *fixture)
{
    *postman = (struct postman){.fixture = fixture, .client = fixture->client};
    postman_accept(postman, POSTMAN_SECRET);
}

static void write_event(char body[1024], const struct letter *letter, const char *event_id,
                        scalekit_time now)
{
    char time[SKI_TIME_TEXT], occurred[64] = "";

    if (letter->ago_ms >= 0) {
        ski_time_format(time, now - letter->ago_ms * 1000);
        snprintf(occurred, sizeof occurred, "\"occurred_at\":\"%s\",", time);
    }
    snprintf(body, 1024,
             "{\"id\":\"%s\",\"type\":\"connected_account.%s\",%s\"data\":{\"id\":\"%s\","
             "\"connection_name\":\"%s\",\"identifier\":\"%s\",\"status\":\"%s\"}}",
             event_id, given(letter->type, "status_updated"), occurred,
             given(letter->account, "ca_1"), given(letter->connection, "gmail"),
             given(letter->identifier, "user_1"), given(letter->status, "ACTIVE"));
}

enum scalekit_webhook_verdict postman_post(struct postman *postman, const struct letter *letter)
{
    scalekit_time now = postman->fixture->clock.wall_us;
    int64_t sent = now / SECOND_US - letter->sent_ago_s;
    char event_id[32], id[64], body[1024], timestamp[24];
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    enum scalekit_webhook_verdict verdict;

    snprintf(event_id, sizeof event_id, "evt_%u", ++postman->events);
    if (letter->event_id)
        snprintf(event_id, sizeof event_id, "%s", letter->event_id);
    snprintf(id, sizeof id, "msg_%s", letter->id ? letter->id : event_id);
    snprintf(timestamp, sizeof timestamp, "%" PRId64, sent);
    write_event(body, letter, event_id, now);
    if (letter->body)
        snprintf(body, sizeof body, "%s", letter->body);
    CU_ASSERT_EQUAL_FATAL(scalekit_webhook_sign(signature, given(letter->secret, POSTMAN_SECRET),
                                                id, sent, body, strlen(body)),
                          SCALEKIT_WEBHOOK_GOOD);
    postman->inside = true;
    verdict = scalekit_webhook_deliver(
        postman->fixture->client,
        SCALEKIT_PARAMS(scalekit_webhook_delivery,
                        .headers =
                            (const struct scalekit_entry[]){{"webhook-id", id},
                                                            {"webhook-timestamp", timestamp},
                                                            {"webhook-signature", signature}},
                        .n_headers = 3, .body = body, .body_length = strlen(body),
                        .interceptor = letter->interceptor));
    postman->inside = false;
    return verdict;
}
