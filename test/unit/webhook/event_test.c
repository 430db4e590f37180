/* Events: what a delivery says, once its signature was right. */
#include "harness.h"
#include "unit/core/fixture.h"
#include "unit/webhook/post.h"
#include <stdlib.h>

#define ENVELOPE(type, data)                                                                       \
    "{\"spec_version\":\"1\",\"id\":\"evt_1\",\"type\":\"" type                                    \
    "\",\"object\":\"ConnectedAccount\",\"occurred_at\":\"2025-12-02T05:59:59.250126407Z\","       \
    "\"environment_id\":\"env_1\",\"organization_id\":\"org_1\",\"display_name\":\"Something\","   \
    "\"data\":" data "}"
#define ACCOUNT                                                                                    \
    "{\"authorization_type\":\"OAUTH\",\"connection_id\":\"conn_1\",\"id\":\"ca_1\","              \
    "\"identifier\":\"Bruce\",\"provider\":\"CANVA\",\"status\":\"PENDING_AUTH\","                 \
    "\"token_expires_at\":\"1970-01-01T00:00:01Z\",\"last_used_at\":\"1970-01-01T00:00:02Z\"}"

static void test_status_updated(void)
{
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    struct post post = post_signed(signature, BODY);
    const struct scalekit_webhook_event *event;

    CU_ASSERT_EQUAL_FATAL(post_open(&post, NULL, &event), SCALEKIT_WEBHOOK_GOOD);
    CU_ASSERT_EQUAL(event->struct_size, sizeof *event);
    CU_ASSERT_STRING_EQUAL(event->delivery_id, ID);
    CU_ASSERT_EQUAL(event->sent_at, INT64_C(1764657094000000));
    CU_ASSERT_EQUAL(event->secret, 0);
    CU_ASSERT_EQUAL(event->kind, SCALEKIT_WEBHOOK_ACCOUNT_STATUS_UPDATED);
    CU_ASSERT_STRING_EQUAL(event->event->spec_version, "1");
    CU_ASSERT_STRING_EQUAL(event->event->id, "evt_101652975398683158");
    CU_ASSERT_STRING_EQUAL(event->event->type, "connected_account.status_updated");
    CU_ASSERT_EQUAL(event->event->occurred_at, INT64_C(1764657094895815));
    CU_ASSERT_STRING_EQUAL(event->event->environment_id, "env_88640229614813449");
    CU_ASSERT_PTR_NULL(event->event->organization_id);
    CU_ASSERT_EQUAL(event->event->object, SCALEKIT_EVENT_OBJECT_CONNECTED_ACCOUNT);
    CU_ASSERT(text_has(event->event->data, "\"old_status\":\"ACTIVE\""));
    CU_ASSERT_STRING_EQUAL(event->account->id, "ca_133400349586228019");
    CU_ASSERT_STRING_EQUAL(event->account->identifier, "john@acmecorp.com");
    CU_ASSERT_STRING_EQUAL(event->account->connection_id, "conn_133400101014995480");
    CU_ASSERT_STRING_EQUAL(event->account->connection_name, "gmail");
    CU_ASSERT_STRING_EQUAL(event->account->provider, "GMAIL");
    CU_ASSERT_EQUAL(event->account->authorization_type, SCALEKIT_AUTHORIZATION_OAUTH);
    CU_ASSERT_EQUAL(event->account->status, SCALEKIT_ACCOUNT_EXPIRED);
    CU_ASSERT_EQUAL(event->old_status, SCALEKIT_ACCOUNT_ACTIVE);
    CU_ASSERT_STRING_EQUAL(event->old_status_text, "ACTIVE");
    scalekit_webhook_event_free(event);
}

static void test_kinds(void)
{
#define KIND(name, kind)                                                                           \
    {                                                                                              \
        ENVELOPE("connected_account." name, ACCOUNT), SCALEKIT_WEBHOOK_ACCOUNT_##kind              \
    }
    static const struct {
        const char *body;
        enum scalekit_webhook_kind kind;
    } rows[] = {
        KIND("created", CREATED),
        KIND("updated", UPDATED),
        KIND("status_updated", STATUS_UPDATED),
        KIND("deleted", DELETED),
        KIND("magic_link_generated", MAGIC_LINK_GENERATED),
        KIND("oauth_succeeded", OAUTH_SUCCEEDED),
        KIND("oauth_tokens_fetched", OAUTH_TOKENS_FETCHED),
        KIND("token_refresh_succeeded", TOKEN_REFRESH_SUCCEEDED),
        KIND("token_refresh_failed", TOKEN_REFRESH_FAILED),
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
        struct post post = post_signed(signature, rows[i].body);
        const struct scalekit_webhook_event *event;

        ROW_IS(rows[i].body, post_open(&post, NULL, &event) == SCALEKIT_WEBHOOK_GOOD);
        if (!event)
            continue;
        ROW_IS(rows[i].body, event->kind == rows[i].kind);
        ROW_IS(rows[i].body, text_is(event->event->id, "evt_1"));
        ROW_IS(rows[i].body, text_is(event->event->organization_id, "org_1"));
        ROW_IS(rows[i].body, text_is(event->event->display_name, "Something"));
        ROW_IS(rows[i].body, text_is(event->account->id, "ca_1"));
        ROW_IS(rows[i].body, text_is(event->account->identifier, "Bruce"));
        ROW_IS(rows[i].body, !event->account->connection_name);
        ROW_IS(rows[i].body, event->account->status == SCALEKIT_ACCOUNT_PENDING_AUTH);
        ROW_IS(rows[i].body, event->account->token_expires_at == 1000000);
        ROW_IS(rows[i].body, event->account->last_used_at == 2000000);
        ROW_IS(rows[i].body,
               event->old_status == SCALEKIT_ACCOUNT_UNKNOWN && !event->old_status_text);
        scalekit_webhook_event_free(event);
    }
}

static void test_others(void)
{
    static const char body[] =
        ENVELOPE("organization.created", "{ \"id\" : \"org_1\" , \"n\":1e2}");
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    struct post post = post_signed(signature, body);
    const struct scalekit_webhook_event *event;

    CU_ASSERT_EQUAL_FATAL(post_open(&post, NULL, &event), SCALEKIT_WEBHOOK_GOOD);
    CU_ASSERT_EQUAL(event->kind, SCALEKIT_WEBHOOK_OTHER);
    CU_ASSERT_PTR_NULL(event->account);
    CU_ASSERT_STRING_EQUAL(event->event->type, "organization.created");
    CU_ASSERT(text_has(event->event->data, "\"org_1\""));
    CU_ASSERT(text_has(event->event->data, "1e2"));
    scalekit_webhook_event_free(event);
    scalekit_webhook_event_free(NULL);
}

static void test_no_event(void)
{
    static const struct {
        const char *body;
        enum scalekit_webhook_verdict verdict;
    } rows[] = {
        {"", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"[]", SCALEKIT_WEBHOOK_NO_EVENT},
        {"null", SCALEKIT_WEBHOOK_NO_EVENT},
        {"no JSON", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"evt_1\"", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"evt_1\",\"type\":\"a\",\"data\":{}}", SCALEKIT_WEBHOOK_GOOD},
        {"{\"type\":\"a\",\"data\":{}}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"\",\"type\":\"a\",\"data\":{}}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"evt_1\",\"data\":{}}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"evt_1\",\"type\":\"a\"}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"evt_1\",\"type\":\"a\",\"data\":[]}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"evt_1\",\"type\":\"a\",\"data\":{}} {}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"\xff\",\"type\":\"a\",\"data\":{}}", SCALEKIT_WEBHOOK_NO_EVENT},
        {"{\"id\":\"a\\u0000b\",\"type\":\"a\",\"data\":{}}", SCALEKIT_WEBHOOK_NO_EVENT},
        {ENVELOPE("connected_account.created", "{}"), SCALEKIT_WEBHOOK_NO_EVENT},
        {ENVELOPE("connected_account.created", "{\"id\":\"ca_1\"}"), SCALEKIT_WEBHOOK_GOOD},
        {ENVELOPE("connected_account.new", "{}"), SCALEKIT_WEBHOOK_GOOD},
        {ENVELOPE("connected_account.status_updated", "{\"id\":\"ca_1\",\"old_status\":{}}"),
         SCALEKIT_WEBHOOK_NO_EVENT},
        {ENVELOPE("connected_account.updated", "{\"id\":\"ca_1\",\"old_status\":{}}"),
         SCALEKIT_WEBHOOK_GOOD},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
        struct post post = post_signed(signature, rows[i].body);
        const struct scalekit_webhook_event *event;

        ROW_IS(rows[i].body, post_open(&post, NULL, &event) == rows[i].verdict);
        ROW_IS(rows[i].body, !event == (rows[i].verdict != SCALEKIT_WEBHOOK_GOOD));
        scalekit_webhook_event_free(event);
    }
}

/* A good event with so many spaces that it has this size. */
static char *padded(size_t size)
{
    const size_t length = strlen(BODY);
    char *body = malloc(size + 1);

    memset(body, ' ', size - length);
    memcpy(body + size - length, BODY, length + 1);
    return body;
}

static void test_largest(void)
{
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    const struct scalekit_webhook_event *event;

    for (size_t over = 0; over < 2; over++) {
        char *body = padded(SCALEKIT_WEBHOOK_MAX_BODY + over);
        struct post post = post_signed(signature, body);

        CU_ASSERT_EQUAL(post_open(&post, NULL, &event),
                        over ? SCALEKIT_WEBHOOK_NO_EVENT : SCALEKIT_WEBHOOK_GOOD);
        scalekit_webhook_event_free(event);
        free(body);
    }
}

/* Seconds that are too many as microseconds. */
static void test_far_future(void)
{
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    const char *secret = SECRET;
    const struct scalekit_entry headers[] = {{"webhook-id", ID},
                                             {"webhook-timestamp", "9223372036854775807"},
                                             {"webhook-signature", signature}};
    const struct scalekit_webhook_event *event;

    scalekit_webhook_sign(signature, SECRET, ID, INT64_MAX, BODY, strlen(BODY));
    CU_ASSERT_EQUAL_FATAL(
        scalekit_webhook_open(SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &secret,
                                              .n_secrets = 1, .now = INT64_MAX),
                              SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers,
                                              .n_headers = 3, .body = BODY,
                                              .body_length = strlen(BODY)),
                              &event),
        SCALEKIT_WEBHOOK_GOOD);
    CU_ASSERT_EQUAL(SCALEKIT_TIME_SECONDS(event->sent_at), INT64_MAX / 1000000);
    scalekit_webhook_event_free(event);
}

static void test_forged(void)
{
    struct test_memory memory;
    struct post post = {ID, NOW, FITS, SECRET, BODY, strlen(BODY) - 1};
    const struct scalekit_webhook_event *event = (const void *)&post;

    test_memory_init(&memory);
    CU_ASSERT_EQUAL(post_open(&post, &memory.allocator, &event), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    CU_ASSERT_PTR_NULL(event);
    CU_ASSERT_EQUAL(memory.count, 0);
}

static bool open_event(struct test_memory *memory, void *unused)
{
    struct post post = {ID, NOW, FITS, SECRET, BODY, strlen(BODY)};
    const struct scalekit_webhook_event *event;
    enum scalekit_webhook_verdict verdict = post_open(&post, &memory->allocator, &event);

    (void)unused;
    CU_ASSERT(verdict == SCALEKIT_WEBHOOK_GOOD || verdict == SCALEKIT_WEBHOOK_NO_MEMORY);
    CU_ASSERT(!event == (verdict != SCALEKIT_WEBHOOK_GOOD));
    scalekit_webhook_event_free(event);
    return verdict == SCALEKIT_WEBHOOK_GOOD;
}

static void test_without_memory(void)
{
    CU_ASSERT(test_every_allocation(open_event, NULL) > 3);
}

SUITE(webhook_event,
      {"a status_updated has the account, and what it was before", test_status_updated},
      {"each event of accounts has its kind and its account", test_kinds},
      {"an event of another type has its data as JSON", test_others},
      {"a body that is signed but no event is said to be none", test_no_event},
      {"an event has a largest size", test_largest},
      {"a time that no moment can say is the last moment", test_far_future},
      {"what is not signed is not even looked at", test_forged},
      {"memory that runs out is said so", test_without_memory})
