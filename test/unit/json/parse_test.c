#include "harness.h"
#include "json/parse.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct test_memory memory;
static struct ski_mem mem;

static void start(void)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
}

static void stop(void)
{
    CU_ASSERT_EQUAL(memory.live, 0);
}

static void a_text_is_judged_as_json(void)
{
    static const struct {
        const char *text, *object, *any; /* what is wrong, as an object and as any value */
    } cases[] = {
        {"{}", NULL, NULL},
        {" {\"a\":[1,2.5e10,\"x\",true,null,{\"b\":{}}]}\n", NULL, NULL},
        {"{\"n\":1e999}", NULL, NULL},
        {"[]", "must be a JSON object", NULL},
        {"1", "must be a JSON object", NULL},
        {"\"x\"", "must be a JSON object", NULL},
        {"null", "must be a JSON object", NULL},
        {"", "must be a JSON object", "must be complete JSON"},
        {" ", "must be a JSON object", "must be complete JSON"},
        {"{", "must be complete JSON", "must be complete JSON"},
        {"{\"a\":", "must be complete JSON", "must be complete JSON"},
        {"{a:1}", "must be valid JSON", "must be valid JSON"},
        {"{} {}", "must be valid JSON", "must be valid JSON"},
        {"{\"a\":\"\xff\"}", "must be valid UTF-8", "must be valid UTF-8"},
        {"{\"a\":\"\\ud800\"}", "must not have half of a surrogate pair",
         "must not have half of a surrogate pair"},
        {"{\"a\":\"\\", "must be complete JSON", "must be complete JSON"},
        {"{\"a\":\"\\u12g4\"}", "must be valid JSON", "must be valid JSON"},
    };

    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int any = 0; any < 2; any++) {
            const char *expected = any ? cases[i].any : cases[i].object;
            const char *problem = ski_json_problem(&mem, cases[i].text, strlen(cases[i].text),
                                                   any ? SKI_JSON_ANY : SKI_JSON_OBJECT);

            CU_ASSERT_STRING_EQUAL(problem ? problem : "none", expected ? expected : "none");
        }
    }
    stop();
}

static void validating_limits_the_depth_too(void)
{
    char text[200];

    start();
    for (size_t levels = 60; levels < 70; levels++) {
        const char *problem;

        memset(text, '[', levels);
        memset(text + levels, ']', levels);
        problem = ski_json_problem(&mem, text, 2 * levels, SKI_JSON_ANY);
        CU_ASSERT_STRING_EQUAL(problem ? problem : "none",
                               levels > 64 ? "must not be nested more than 64 deep" : "none");
    }
    stop();
}

static void validating_without_memory_says_so(void)
{
    start();
    memory.fail_at = 1;
    CU_ASSERT_PTR_EQUAL(ski_json_problem(&mem, "{}", 2, SKI_JSON_OBJECT), ski_json_no_memory);
    CU_ASSERT_PTR_NULL(ski_json_problem(&mem, "{}", 2, SKI_JSON_OBJECT));
    stop();
}

static void a_shape_is_demanded(void)
{
    static const struct {
        const char *text;
        enum ski_json_shape shape;
        const char *problem;
    } cases[] = {
        {" [1] ", SKI_JSON_LIST, NULL},
        {"{}", SKI_JSON_LIST, "must be a JSON list"},
        {"", SKI_JSON_LIST, "must be a JSON list"},
        {"[", SKI_JSON_LIST, "must be complete JSON"},
        {"[]", SKI_JSON_OBJECT, "must be a JSON object"},
        {"{}", SKI_JSON_OBJECT, NULL},
        {"7", SKI_JSON_ANY, NULL},
    };

    start();
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *problem =
            ski_json_problem(&mem, cases[i].text, strlen(cases[i].text), cases[i].shape);

        CU_ASSERT_STRING_EQUAL(problem ? problem : "none",
                               cases[i].problem ? cases[i].problem : "none");
    }
    stop();
}

SUITE(parse, {"a text is judged as JSON", a_text_is_judged_as_json},
      {"a shape is demanded", a_shape_is_demanded},
      {"validating limits the depth too", validating_limits_the_depth_too},
      {"validating without memory says so", validating_without_memory_says_so})
