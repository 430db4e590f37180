/* The verdict on a delivery: the vectors, and then whatever may come. */
#include "harness.h"
#include "unit/core/fixture.h"
#include "unit/webhook/post.h"
#include "webhook/verify.h"
#include <stdlib.h>

#define OTHER_SECRET "whsec_+//++//++//++//++//++//++//++//+"

static void test_vectors(void)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *vector = &vectors[i];
        enum scalekit_webhook_verdict verdict = scalekit_webhook_verify(
            SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &vector->secret, .n_secrets = 1,
                            .now = VECTOR_NOW),
            SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = vector->headers, .n_headers = 3,
                            .body = vector->body, .body_length = strlen(vector->body),
                            .interceptor = vector->interceptor));

        ROW_IS(vector->name, verdict == vector->verdict);
    }
}

/* --- time --------------------------------------------------------------------------------------- */

static void test_time(void)
{
    static const struct {
        const char *timestamp;
        int64_t signed_as, now, tolerance;
        enum scalekit_webhook_verdict verdict;
    } rows[] = {
        {"1000", 1000, 1000, 0, SCALEKIT_WEBHOOK_GOOD},
        {"1000", 1000, 1300, 0, SCALEKIT_WEBHOOK_GOOD},
        {"1000", 1000, 1301, 0, SCALEKIT_WEBHOOK_STALE},
        {"1000", 1000, 700, 0, SCALEKIT_WEBHOOK_GOOD},
        {"1000", 1000, 699, 0, SCALEKIT_WEBHOOK_FROM_THE_FUTURE},
        {"1000", 1000, 1010, 10, SCALEKIT_WEBHOOK_GOOD},
        {"1000", 1000, 1011, 10, SCALEKIT_WEBHOOK_STALE},
        {"1000", 1000, 989, 10, SCALEKIT_WEBHOOK_FROM_THE_FUTURE},
        {"1000", 1000, 1000000, INT64_MAX, SCALEKIT_WEBHOOK_GOOD},
        {"0", 0, 0, 0, SCALEKIT_WEBHOOK_GOOD},
        {"0", 0, INT64_MAX, 0, SCALEKIT_WEBHOOK_STALE},
        {"9223372036854775807", INT64_MAX, 0, 0, SCALEKIT_WEBHOOK_FROM_THE_FUTURE},
        {"9223372036854775807", INT64_MAX, INT64_MAX, 0, SCALEKIT_WEBHOOK_GOOD},
        {"0001000", 1000, 1000, 0, SCALEKIT_WEBHOOK_GOOD}, /* signed is the number */
        {"000", 0, 0, 0, SCALEKIT_WEBHOOK_GOOD},
        {"1001", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_SIGNATURE},
        {"9223372036854775808", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"18446744073709552616", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"-1000", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"+1000", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"1e3", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"0x3e8", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"1000.0", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"1000 ", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"\t1000", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"now", 1000, 1000, 0, SCALEKIT_WEBHOOK_BAD_TIMESTAMP},
        {"", 1000, 1000, 0, SCALEKIT_WEBHOOK_MISSING_HEADER},
    };
    const char *secret = SECRET;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
        const struct scalekit_entry headers[] = {{"webhook-id", ID},
                                                 {"webhook-timestamp", rows[i].timestamp},
                                                 {"webhook-signature", signature}};

        scalekit_webhook_sign(signature, SECRET, ID, rows[i].signed_as, BODY, strlen(BODY));
        ROW_IS(rows[i].timestamp,
               scalekit_webhook_verify(
                   SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &secret, .n_secrets = 1,
                                   .now = rows[i].now, .tolerance = rows[i].tolerance),
                   SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers, .n_headers = 3,
                                   .body = BODY, .body_length = strlen(BODY))) == rows[i].verdict);
    }
}

/* --- secrets ------------------------------------------------------------------------------------ */

static enum scalekit_webhook_verdict verify_with(const char *const *secrets, size_t n_secrets,
                                                 size_t *which)
{
    static const struct scalekit_entry headers[] = {
        {"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}};
    struct ski_webhook_origin origin = {.secret = SIZE_MAX};
    enum scalekit_webhook_verdict verdict = ski_webhook_verify(
        SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = secrets, .n_secrets = n_secrets,
                        .now = VECTOR_NOW),
        SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers, .n_headers = 3, .body = BODY,
                        .body_length = strlen(BODY)),
        &origin);

    *which = origin.secret;
    return verdict;
}

static void test_rotation(void)
{
    static const struct {
        const char *name;
        const char *secrets[3];
        size_t n_secrets;
        enum scalekit_webhook_verdict verdict;
        size_t which;
    } rows[] = {
        {"one", {SECRET}, 1, SCALEKIT_WEBHOOK_GOOD, 0},
        {"the new one", {SECRET, OTHER_SECRET}, 2, SCALEKIT_WEBHOOK_GOOD, 0},
        {"the old one", {OTHER_SECRET, SECRET}, 2, SCALEKIT_WEBHOOK_GOOD, 1},
        {"the first that fits", {OTHER_SECRET, SECRET, SECRET}, 3, SCALEKIT_WEBHOOK_GOOD, 1},
        {"none that fits", {OTHER_SECRET, "a_AQID"}, 2, SCALEKIT_WEBHOOK_BAD_SIGNATURE, SIZE_MAX},
        {"a slip before it", {"whsec", SECRET}, 2, SCALEKIT_WEBHOOK_BAD_SECRET, SIZE_MAX},
        {"a slip behind it", {SECRET, ""}, 2, SCALEKIT_WEBHOOK_BAD_SECRET, 0},
        {"no text", {NULL}, 1, SCALEKIT_WEBHOOK_BAD_SECRET, SIZE_MAX},
        {"none", {NULL}, 0, SCALEKIT_WEBHOOK_BAD_SECRET, SIZE_MAX},
    };
    size_t which;

    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW_IS(rows[i].name,
               verify_with(rows[i].secrets, rows[i].n_secrets, &which) == rows[i].verdict);
        ROW_IS(rows[i].name, which == rows[i].which);
    }
}

/* --- headers ------------------------------------------------------------------------------------ */

static enum scalekit_webhook_verdict verify_headers(const struct scalekit_entry *headers,
                                                    size_t n_headers, bool interceptor)
{
    const char *secret = SECRET;

    return scalekit_webhook_verify(
        SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = &secret, .n_secrets = 1,
                        .now = VECTOR_NOW),
        SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers, .n_headers = n_headers,
                        .body = BODY, .body_length = strlen(BODY), .interceptor = interceptor));
}

static void test_headers(void)
{
    static const struct {
        const char *name;
        struct scalekit_entry headers[5];
        enum scalekit_webhook_verdict verdict;
    } rows[] = {
        {"any order and case",
         {{"WEBHOOK-SIGNATURE", FITS}, {"wEbHoOk-TiMeStAmP", NOW}, {"Webhook-ID", ID}},
         SCALEKIT_WEBHOOK_GOOD},
        {"others beside them",
         {{"host", "a"},
          {"webhook-id", ID},
          {"webhook-timestamp", NOW},
          {"webhook-signature", FITS},
          {"svix-id", "other"}},
         SCALEKIT_WEBHOOK_GOOD},
        {"both families",
         {{"interceptor-id", "other"},
          {"webhook-id", ID},
          {"webhook-timestamp", NOW},
          {"webhook-signature", FITS},
          {"interceptor-signature", "other"}},
         SCALEKIT_WEBHOOK_GOOD},
        {"no names, no values",
         {{NULL, ID},
          {"webhook-id", ID},
          {"webhook-timestamp", NOW},
          {"webhook-signature", FITS},
          {"x", NULL}},
         SCALEKIT_WEBHOOK_GOOD},
        {"a longer name",
         {{"webhook-id2", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
         SCALEKIT_WEBHOOK_MISSING_HEADER},
        {"a shorter name",
         {{"webhook-i", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
         SCALEKIT_WEBHOOK_MISSING_HEADER},
        {"of two families",
         {{"interceptor-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
         SCALEKIT_WEBHOOK_MISSING_HEADER},
        {"an empty id",
         {{"webhook-id", ""}, {"webhook-timestamp", NOW}, {"webhook-signature", FITS}},
         SCALEKIT_WEBHOOK_MISSING_HEADER},
        {"a value that is NULL",
         {{"webhook-id", ID}, {"webhook-timestamp", NOW}, {"webhook-signature", NULL}},
         SCALEKIT_WEBHOOK_MISSING_HEADER},
        {"none", {{NULL, NULL}}, SCALEKIT_WEBHOOK_MISSING_HEADER},
        {"two ids",
         {{"webhook-id", "msg_1"},
          {"webhook-id", ID},
          {"webhook-timestamp", NOW},
          {"webhook-signature", FITS}},
         SCALEKIT_WEBHOOK_REPEATED_HEADER},
        {"two equal timestamps",
         {{"webhook-id", ID},
          {"webhook-timestamp", NOW},
          {"Webhook-Timestamp", NOW},
          {"webhook-signature", FITS}},
         SCALEKIT_WEBHOOK_REPEATED_HEADER},
        {"a second signature, empty",
         {{"webhook-id", ID},
          {"webhook-timestamp", NOW},
          {"webhook-signature", FITS},
          {"webhook-signature", ""}},
         SCALEKIT_WEBHOOK_REPEATED_HEADER},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ROW_IS(rows[i].name, verify_headers(rows[i].headers, 5, false) == rows[i].verdict);
    CU_ASSERT_EQUAL(verify_headers(rows[2].headers, 5, true), SCALEKIT_WEBHOOK_MISSING_HEADER);
    CU_ASSERT_EQUAL(verify_headers(NULL, 0, false), SCALEKIT_WEBHOOK_MISSING_HEADER);
}

static void test_huge_headers(void)
{
    enum { MANY = 20000, LONG = 1 << 20 };
    struct scalekit_entry *headers = calloc(MANY + 3, sizeof *headers);
    char *text = malloc(LONG + 1);

    memset(text, '0', LONG);
    text[LONG] = '\0';
    for (size_t i = 0; i < MANY; i++)
        headers[i] = (struct scalekit_entry){"webhook-timestam", "1"};
    headers[0] = (struct scalekit_entry){text, text};
    headers[MANY] = (struct scalekit_entry){"webhook-id", ID};
    headers[MANY + 1] = (struct scalekit_entry){"webhook-timestamp", NOW};
    headers[MANY + 2] = (struct scalekit_entry){"webhook-signature", FITS};
    CU_ASSERT_EQUAL(verify_headers(headers, MANY + 3, false), SCALEKIT_WEBHOOK_GOOD);
    headers[MANY + 2].value = text;
    CU_ASSERT_EQUAL(verify_headers(headers, MANY + 3, false), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    headers[MANY].value = text;
    CU_ASSERT_EQUAL(verify_headers(headers, MANY + 3, false), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    headers[MANY + 1].value = text;
    CU_ASSERT_EQUAL(verify_headers(headers, MANY + 3, false), SCALEKIT_WEBHOOK_STALE);
    free(text);
    free(headers);
}

/* --- bodies ------------------------------------------------------------------------------------- */

static void test_bytes(void)
{
    static const char bytes[] = "a\0b\xff\xfe\xc0\x80\r\n{";
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], changed[sizeof bytes];
    struct post post = post_signed(signature, "");

    post.body = bytes;
    post.length = sizeof bytes - 1;
    scalekit_webhook_sign(signature, SECRET, ID, VECTOR_NOW, bytes, post.length);
    CU_ASSERT_EQUAL(post_verify(&post), SCALEKIT_WEBHOOK_GOOD);
    post.length--;
    CU_ASSERT_EQUAL(post_verify(&post), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    post.length++;
    post.body = changed;
    for (size_t bit = 0; bit < post.length * 8; bit++) {
        memcpy(changed, bytes, sizeof changed);
        changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
        CU_ASSERT_EQUAL(post_verify(&post), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    }
}

static void test_sizes(void)
{
    enum { HUGE_BODY = 16 << 20 };
    char signature[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];
    struct post post = post_signed(signature, "");
    char *body = calloc(1, HUGE_BODY);

    post.body = NULL;
    CU_ASSERT_EQUAL(post_verify(&post), SCALEKIT_WEBHOOK_GOOD);
    post.body = body;
    post.length = HUGE_BODY;
    CU_ASSERT_EQUAL(post_verify(&post), SCALEKIT_WEBHOOK_BAD_SIGNATURE);
    scalekit_webhook_sign(signature, SECRET, ID, VECTOR_NOW, body, HUGE_BODY);
    CU_ASSERT_EQUAL(post_verify(&post), SCALEKIT_WEBHOOK_GOOD);
    free(body);
}

/* --- the call ----------------------------------------------------------------------------------- */

static void test_misuse(void)
{
    static const char *const secret = SECRET;
    const struct scalekit_webhook_rules good = {
        .struct_size = sizeof good, .secrets = &secret, .n_secrets = 1, .now = VECTOR_NOW};
    const struct scalekit_webhook_delivery came = {.struct_size = sizeof came};
    struct scalekit_webhook_rules rules[] = {good, good, good, good};
    struct scalekit_webhook_delivery deliveries[] = {came, came, came};

    rules[0].struct_size = 0;
    rules[1].now = -1;
    rules[2].tolerance = -1;
    rules[3].secrets = NULL;
    for (size_t i = 0; i < COUNT(rules); i++)
        CU_ASSERT_EQUAL(scalekit_webhook_verify(&rules[i], &came), SCALEKIT_WEBHOOK_INVALID);
    deliveries[0].struct_size = 0;
    deliveries[1].n_headers = 1;
    deliveries[2].body_length = 1;
    for (size_t i = 0; i < COUNT(deliveries); i++)
        CU_ASSERT_EQUAL(scalekit_webhook_verify(&good, &deliveries[i]), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_verify(NULL, &came), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_verify(&good, NULL), SCALEKIT_WEBHOOK_INVALID);
}

static void test_sign(void)
{
    char out[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];

    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, SECRET, ID, VECTOR_NOW, BODY, strlen(BODY)),
                    SCALEKIT_WEBHOOK_GOOD);
    CU_ASSERT_STRING_EQUAL(out, FITS);
    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, SECRET, "", 1, "", 0), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_STRING_EQUAL(out, "");
    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, SECRET, NULL, 1, "", 0), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, NULL, ID, 1, "", 0), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, SECRET, ID, -1, "", 0), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, SECRET, ID, 1, NULL, 1), SCALEKIT_WEBHOOK_INVALID);
    CU_ASSERT_EQUAL(scalekit_webhook_sign(out, "AQID", ID, 1, "", 0), SCALEKIT_WEBHOOK_BAD_SECRET);
}

static void test_texts(void)
{
    for (int i = SCALEKIT_WEBHOOK_GOOD; i <= SCALEKIT_WEBHOOK_BUSY; i++) {
        const char *text = scalekit_webhook_verdict_text((enum scalekit_webhook_verdict)i);

        ROW_IS(text, *text && strcmp(text, "unknown") != 0);
        for (int j = SCALEKIT_WEBHOOK_GOOD; j < i; j++)
            ROW_IS(text, strcmp(text, scalekit_webhook_verdict_text(
                                          (enum scalekit_webhook_verdict)j)) != 0);
    }
    CU_ASSERT_STRING_EQUAL(scalekit_webhook_verdict_text((enum scalekit_webhook_verdict)99),
                           "unknown");
}

/* What is wrong with a delivery is the sender's fault, or ours: then it is to come again. */
static void test_http_status(void)
{
    static const int statuses[] = {[SCALEKIT_WEBHOOK_GOOD] = 201,
                                   [SCALEKIT_WEBHOOK_INVALID] = 500,
                                   [SCALEKIT_WEBHOOK_REPEATED_HEADER] = 400,
                                   [SCALEKIT_WEBHOOK_MISSING_HEADER] = 400,
                                   [SCALEKIT_WEBHOOK_BAD_TIMESTAMP] = 400,
                                   [SCALEKIT_WEBHOOK_STALE] = 401,
                                   [SCALEKIT_WEBHOOK_FROM_THE_FUTURE] = 401,
                                   [SCALEKIT_WEBHOOK_NO_MEMORY] = 500,
                                   [SCALEKIT_WEBHOOK_BAD_SECRET] = 500,
                                   [SCALEKIT_WEBHOOK_BAD_SIGNATURE] = 401,
                                   [SCALEKIT_WEBHOOK_NO_EVENT] = 400,
                                   [SCALEKIT_WEBHOOK_DUPLICATE] = 201,
                                   [SCALEKIT_WEBHOOK_BUSY] = 503};

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        CU_ASSERT_EQUAL(scalekit_webhook_http_status((enum scalekit_webhook_verdict)i),
                        statuses[i]);
    CU_ASSERT_EQUAL(scalekit_webhook_http_status((enum scalekit_webhook_verdict)99), 500);
}

SUITE(webhook_verify, {"every vector has its verdict", test_vectors},
      {"a timestamp is digits, and within the tolerance on both sides", test_time},
      {"any of several secrets will do, and each must be readable", test_rotation},
      {"headers count by their names, once", test_headers},
      {"headers of any size and number are judged", test_huge_headers},
      {"every bit of a body counts, whatever its bytes", test_bytes},
      {"bodies may be empty and huge", test_sizes}, {"a wrong call is said to be one", test_misuse},
      {"what is signed is what is verified", test_sign},
      {"each verdict has words of its own", test_texts},
      {"each verdict has an answer", test_http_status})
