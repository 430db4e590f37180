/* Deliveries judged by several threads at once, of which one is the first. */
#include "harness.h"
#include <pthread.h>
#include <scalekit/webhook.h>

#define THREADS 4
#define ROUNDS  200

struct judge {
    pthread_t thread;
    unsigned good;
};

static void *judge(void *user)
{
    static const char *const secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";
    static const char body[] = "{\"id\":\"evt_1\",\"type\":\"a\",\"data\":{}}";
    struct judge *own = user;

    for (unsigned i = 0; i < ROUNDS; i++) {
        char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
        const struct scalekit_entry headers[] = {{"webhook-id", "msg_1"},
                                                 {"webhook-timestamp", "1000"},
                                                 {"webhook-signature", signature}};
        const struct scalekit_webhook_event *event;

        scalekit_webhook_sign(signature, secret, "msg_1", 1000, body, sizeof body - 1);
        own->good +=
            scalekit_webhook_open(SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &secret,
                                                  .n_secrets = 1, .now = 1000),
                                  SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers,
                                                  .n_headers = 3, .body = body,
                                                  .body_length = sizeof body - 1),
                                  &event) == SCALEKIT_WEBHOOK_GOOD;
        scalekit_webhook_event_free(event);
    }
    return NULL;
}

static void test_all_at_once(void)
{
    struct judge judges[THREADS] = {{0}};

    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&judges[i].thread, NULL, judge, &judges[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(judges[i].thread, NULL);
        CU_ASSERT_EQUAL(judges[i].good, ROUNDS);
    }
}

SUITE(thread_webhook, {"any thread may judge a delivery, and read it", test_all_at_once})
