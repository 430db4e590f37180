/* What an interceptor answers. */
#include "harness.h"
#include "unit/core/fixture.h"
#include <scalekit/webhook.h>
#include <stdlib.h>

static void test_answers(void)
{
    static const struct {
        enum scalekit_decision decision;
        const char *message, *response;
        const char *answer; /* "": refused */
    } rows[] = {
        {SCALEKIT_ALLOW, NULL, NULL, "{\"decision\":\"ALLOW\"}"},
        {SCALEKIT_DENY, NULL, NULL, "{\"decision\":\"DENY\"}"},
        {SCALEKIT_DENY, "Not today", NULL,
         "{\"decision\":\"DENY\",\"error\":{\"message\":\"Not today\"}}"},
        {SCALEKIT_DENY, "", NULL, "{\"decision\":\"DENY\",\"error\":{\"message\":\"\"}}"},
        {SCALEKIT_DENY, "\"},\\\n\x01\xc3\xa4", NULL,
         "{\"decision\":\"DENY\",\"error\":{\"message\":\"\\\"},\\\\\\n\\u0001\xc3\xa4\"}}"},
        {SCALEKIT_ALLOW, NULL, "{\"claims\":{\"a\":1}}",
         "{\"decision\":\"ALLOW\",\"response\":{\"claims\":{\"a\":1}}}"},
        {SCALEKIT_ALLOW, "m", "{}",
         "{\"decision\":\"ALLOW\",\"error\":{\"message\":\"m\"},\"response\":{}}"},
        {SCALEKIT_DENY, "\xff", NULL, ""},
        {SCALEKIT_DENY, "\xed\xa0\x80", NULL, ""},
        {SCALEKIT_ALLOW, NULL, "", ""},
        {SCALEKIT_ALLOW, NULL, "[]", ""},
        {SCALEKIT_ALLOW, NULL, "{},\"decision\":\"DENY\"", ""},
    };
    char out[256];

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length = scalekit_interceptor_answer(
            out, sizeof out,
            SCALEKIT_PARAMS(scalekit_interceptor_params, .decision = rows[i].decision,
                            .message = rows[i].message, .response = rows[i].response));

        ROW_IS(rows[i].answer, length == strlen(rows[i].answer));
        ROW_IS(rows[i].answer, strcmp(out, rows[i].answer) == 0);
    }
}

static void test_room(void)
{
    const struct scalekit_interceptor_params deny = {.struct_size = sizeof deny};
    const size_t length = strlen("{\"decision\":\"DENY\"}");

    for (size_t size = 0; size <= length + 2; size++) {
        char *out = malloc(size ? size : 1);

        CU_ASSERT_EQUAL(scalekit_interceptor_answer(out, size, &deny), size > length ? length : 0);
        CU_ASSERT(size == 0 || strlen(out) == (size > length ? length : 0));
        free(out);
    }
    CU_ASSERT_EQUAL(scalekit_interceptor_answer(NULL, 0, &deny), 0);
}

/* Six bytes for each of the message are what the longest escape takes. */
static void test_always_enough(void)
{
    enum { LENGTH = 5000 };
    static char message[LENGTH + 1], out[64 + 6 * LENGTH];

    memset(message, 1, LENGTH);
    CU_ASSERT(scalekit_interceptor_answer(
                  out, sizeof out,
                  SCALEKIT_PARAMS(scalekit_interceptor_params, .message = message)) > 6 * LENGTH);
}

static void test_misuse(void)
{
    struct scalekit_interceptor_params params = {0};
    char out[64] = "as it was";

    CU_ASSERT_EQUAL(scalekit_interceptor_answer(out, sizeof out, &params), 0);
    CU_ASSERT_STRING_EQUAL(out, "");
    CU_ASSERT_EQUAL(scalekit_interceptor_answer(out, sizeof out, NULL), 0);
}

SUITE(webhook_interceptor, {"an answer has the decision, and what goes with it", test_answers},
      {"an answer that does not fit is none", test_room},
      {"there is a size that always fits", test_always_enough},
      {"a wrong call is refused", test_misuse})
