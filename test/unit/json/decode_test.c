#include "everything.h"
#include "harness.h"
#include "json/decode.h"
#include "json/encode.h"
#include "json/parse.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct test_memory memory;
static struct ski_mem mem;
static struct ski_arena arena;
static struct ski_failure failure;

static void start(void)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_arena_init(&arena, &mem, 256, SIZE_MAX);
    memset(&failure, 0, sizeof failure);
}

static void stop(void)
{
    ski_arena_free(&arena);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* NULL when it failed.  The copy ends where the text does, so that a byte read beyond is noticed. */
static const struct everything *decode(const char *text, size_t length)
{
    char *copy = ski_alloc(&mem, length);
    const void *out = &failure;
    scalekit_err err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, text, length);
    err = ski_json_decode(&arena, &everything_type, copy, length, &out, &failure);
    ski_free(&mem, copy);
    CU_ASSERT_EQUAL(err == SCALEKIT_OK, out != NULL);
    if (err != SCALEKIT_OK) {
        CU_ASSERT_EQUAL(failure.code, err);
        CU_ASSERT_EQUAL(failure.phase, SCALEKIT_PHASE_DECODE);
    }
    return out;
}

static void expect(const char *text, size_t length, const char *expected)
{
    const struct everything *value;
    struct ski_buf json;

    start();
    ski_buf_init(&json, &mem, SIZE_MAX);
    value = decode(text, length);
    if (value)
        ski_json_encode(&json, &everything_type, value, SKI_ENCODE_ALL);
    if (!value || strcmp(ski_buf_text(&json), expected) != 0) {
        printf("%s\n  became   %s\n  expected %s\n", text,
               value ? ski_buf_text(&json) : failure.text, expected);
        CU_FAIL("decoded to something else");
    }
    ski_buf_free(&json);
    stop();
}

static void expect_failure(const char *text, size_t length, const char *expected)
{
    start();
    CU_ASSERT_PTR_NULL(decode(text, length));
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_DECODE);
    if (strcmp(failure.text, expected) != 0) {
        printf("%s\n  failed as  %s\n  expected   %s\n", text, failure.text, expected);
        CU_FAIL("another failure");
    }
    stop();
}

static void each_member_lands_in_its_place(void)
{
    const char *text =
        "{\"a_string\":\"s\",\"an_integer\":-5,\"a_boolean\":true,"
        "\"a_moment\":\"1970-01-01T00:00:01Z\",\"color\":\"GREEN\",\"some_json\":{\"k\":[1, 2]},"
        "\"any_json\":[null],\"an_object\":{\"a_string\":\"inner\"},"
        "\"flat_object\":{\"a_string\":\"flat\",\"an_integer\":6},"
        "\"some_objects\":[{\"a_string\":\"0\"},{\"a_string\":\"1\"}],"
        "\"some_strings\":[\"x\",\"\",\"z\"]}";
    const struct everything *value;

    start();
    value = decode(text, strlen(text));
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    CU_ASSERT_EQUAL(value->struct_size, sizeof *value);
    CU_ASSERT_STRING_EQUAL(value->string, "s");
    CU_ASSERT_EQUAL(value->integer, -5);
    CU_ASSERT(value->boolean);
    CU_ASSERT_EQUAL(value->moment, 1000000);
    CU_ASSERT_EQUAL(value->color, COLOR_GREEN);
    CU_ASSERT_STRING_EQUAL(value->color_text, "GREEN");
    CU_ASSERT_STRING_EQUAL(value->json, "{\"k\":[1, 2]}");
    CU_ASSERT_STRING_EQUAL(value->any_json, "[null]");
    CU_ASSERT_STRING_EQUAL(value->object->string, "inner");
    CU_ASSERT_EQUAL(value->object->struct_size, sizeof *value);
    CU_ASSERT_STRING_EQUAL(value->flat_string, "flat");
    CU_ASSERT_EQUAL(value->flat_integer, 6);
    CU_ASSERT_EQUAL(value->n_objects, 2);
    CU_ASSERT_STRING_EQUAL(value->objects[1]->string, "1");
    CU_ASSERT_EQUAL(value->n_strings, 3);
    CU_ASSERT_STRING_EQUAL(value->strings[1], "");
    CU_ASSERT_STRING_EQUAL(value->strings[2], "z");
    CU_ASSERT_PTR_NULL(value->secret);
    stop();
}

/* What is decoded, encoded again; every answer has the FLAT in it. */
#define WITH(members) "{" members ",\"flat_object\":{}}"
#define NOTHING       "{\"flat_object\":{}}"

static void scalars_are_understood_however_spelt(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        /* nothing at all */
        {"", NOTHING},
        {" \n\t", NOTHING},
        {"{}", NOTHING},
        {" { } ", NOTHING},

        /* absent, null, empty */
        {"{\"a_string\":null,\"an_integer\":null,\"a_boolean\":null,\"a_moment\":null,"
         "\"color\":null,\"some_json\":null,\"any_json\":null,\"an_object\":null,"
         "\"flat_object\":null,\"some_objects\":null,\"some_strings\":null}",
         NOTHING},
        {"{\"a_string\":\"\",\"an_integer\":\"\",\"a_moment\":\"\",\"color\":\"\"}", NOTHING},
        {"{\"an_integer\":0,\"a_boolean\":false,\"some_objects\":[],\"some_strings\":[]}", NOTHING},
        {"{\"an_object\":{}}", WITH("\"an_object\":" NOTHING)},
        {"{\"some_objects\":[null,{},null],\"some_strings\":[null,\"a\",null,\"\"]}",
         "{\"flat_object\":{},\"some_objects\":[" NOTHING "],\"some_strings\":[\"a\",\"\"]}"},

        /* strings */
        {"{\"a_string\":\"\\u20ac\\ud83d\\ude00\\n\\\"\\\\ \\/\"}",
         WITH("\"a_string\":\"\u20ac\U0001f600\\n\\\"\\\\ /\"")},
        {"{\"a_string\":\"\u20ac\"}", WITH("\"a_string\":\"\u20ac\"")},
        {"{\"a_string\":\"\\\\ud800\"}", WITH("\"a_string\":\"\\\\ud800\"")},
        {"{\"a_string\":\"\\uD83D\\uDE00\"}", WITH("\"a_string\":\"\U0001f600\"")},

        /* integers, however spelt */
        {"{\"an_integer\":5}", WITH("\"an_integer\":5")},
        {"{\"an_integer\":-0}", NOTHING},
        {"{\"an_integer\":5.0}", WITH("\"an_integer\":5")},
        {"{\"an_integer\":5.000000000000000000000000000}", WITH("\"an_integer\":5")},
        {"{\"an_integer\":1e3}", WITH("\"an_integer\":1000")},
        {"{\"an_integer\":1E+3}", WITH("\"an_integer\":1000")},
        {"{\"an_integer\":1.5e1}", WITH("\"an_integer\":15")},
        {"{\"an_integer\":-1200e-2}", WITH("\"an_integer\":-12")},
        {"{\"an_integer\":0.0e-99999999999999999999}", NOTHING},
        {"{\"an_integer\":0e99999999999999999999}", NOTHING},
        {"{\"an_integer\":9223372036854775807}", WITH("\"an_integer\":9223372036854775807")},
        {"{\"an_integer\":-9223372036854775808}", WITH("\"an_integer\":-9223372036854775808")},
        {"{\"an_integer\":922337203685477580700e-2}", WITH("\"an_integer\":9223372036854775807")},
        {"{\"an_integer\":\"123\"}", WITH("\"an_integer\":123")},
        {"{\"an_integer\":\"-9223372036854775808\"}", WITH("\"an_integer\":-9223372036854775808")},

        /* booleans and moments */
        {"{\"a_boolean\":true}", WITH("\"a_boolean\":true")},
        {"{\"a_moment\":\"2026-08-21T12:00:00.123456789+02:00\"}",
         WITH("\"a_moment\":\"2026-08-21T10:00:00.123456Z\"")},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void members_are_found_and_kept(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        /* enums: a new word and a number stay as text */
        {"{\"color\":\"RED\"}", WITH("\"color\":\"RED\"")},
        {"{\"color\":\"REDDISH\"}", WITH("\"color\":\"REDDISH\"")},
        {"{\"color\":\"RE\"}", WITH("\"color\":\"RE\"")},
        {"{\"color\":3}", WITH("\"color\":\"3\"")},

        /* JSON as text: exactly the bytes of the value */
        {"{\"some_json\" : \n { \"a\" : [ 1.50 , {\"b\":\"\\u0000\"} ] } ,\"a_string\":\"x\"}",
         WITH("\"a_string\":\"x\",\"some_json\":{ \"a\" : [ 1.50 , {\"b\":\"\\u0000\"} ] }")},
        {"{\"any_json\": [1,2] }", WITH("\"any_json\":[1,2]")},
        {"{\"any_json\": 1.0e5 }", WITH("\"any_json\":1.0e5")},
        {"{\"any_json\":12}", WITH("\"any_json\":12")},
        {"{\"any_json\": \"a:\\\"b\\u0000\" }", WITH("\"any_json\":\"a:\\\"b\\u0000\"")},
        {"{\"any_json\":\"\"}", WITH("\"any_json\":\"\"")},
        {"{\"any_json\" :true}", WITH("\"any_json\":true")},
        {"{\"any_json\":false}", WITH("\"any_json\":false")},

        /* names: unknown, in camel case, in any order, twice */
        {"{\"x\":{\"a_string\":\"no\"},\"y\":[[{}]],\"z\":1e999,\"a_string\":\"yes\",\"w\":null,"
         "\"v\":true,\"u\":\"\\u0000\"}",
         WITH("\"a_string\":\"yes\"")},
        {"{\"aString\":\"x\",\"anInteger\":1,\"someStrings\":[\"y\"]}",
         "{\"a_string\":\"x\",\"an_integer\":1,\"flat_object\":{},\"some_strings\":[\"y\"]}"},
        {"{\"AString\":\"x\",\"astring\":\"x\",\"a_String\":\"x\",\"a_strin\":\"x\","
         "\"a_strings\":\"x\",\"a\":\"x\",\"\":\"x\",\"a_string\\u0000\":\"x\"}",
         NOTHING},
        {"{\"color\":\"RED\",\"a_boolean\":true,\"an_integer\":1,\"a_string\":\"x\"}",
         WITH("\"a_string\":\"x\",\"an_integer\":1,\"a_boolean\":true,\"color\":\"RED\"")},
        {"{\"a_string\":\"1\",\"a_string\":\"2\",\"some_strings\":[\"a\",\"b\"],"
         "\"some_strings\":[\"c\"],\"color\":\"RED\",\"color\":\"BLUE\"}",
         "{\"a_string\":\"2\",\"color\":\"BLUE\",\"flat_object\":{},\"some_strings\":[\"c\"]}"},
        {"{\"a_string\":\"1\",\"a_string\":null,\"an_integer\":1,\"an_integer\":null,"
         "\"a_boolean\":true,\"a_boolean\":null,\"color\":\"RED\",\"color\":null,"
         "\"an_object\":{},\"an_object\":null,\"some_strings\":[\"x\"],\"some_strings\":null,"
         "\"some_json\":{},\"some_json\":null,\"some_objects\":[{}],\"some_objects\":[]}",
         NOTHING},
        {"{\"an_object\":{\"a_string\":\"1\"},\"an_object\":{\"an_integer\":2}}",
         WITH("\"an_object\":{\"an_integer\":2,\"flat_object\":{}}")},
        {"{\"flat_object\":{\"a_string\":\"f\",\"x\":1},\"a_string\":\"top\"}",
         "{\"a_string\":\"top\",\"flat_object\":{\"a_string\":\"f\"}}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void what_is_no_json_is_refused(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        /* not JSON */
        {"{", "JSON that ends too early"},
        {"{\"a_string\":\"x", "JSON that ends too early"},
        {"{\"any_json\":12", "JSON that ends too early"},
        {"{\"x\":{\"y\":12", "JSON that ends too early"},
        {"{\"a_string\":\"x\"}x", "not valid JSON near byte 17"},
        {"{\"a_string\":\"x\"}{}", "not valid JSON near byte 17"},
        {"{\"a_string\":'x'}", "not valid JSON near byte 13"},
        {"  {x}", "not valid JSON near byte 4"},
        {"{\"a_string\" \"x\"}", "not valid JSON near byte 15"},
        {"{\"x\":01}", "not valid JSON near byte 6"},
        {"{\"x\":1.}", "not valid JSON near byte 7"},
        {"{\"x\":+1}", "not valid JSON near byte 6"},
        {"{\"x\":NaN}", "not valid JSON near byte 6"},
        {"{\"x\":[1,]}", "not valid JSON near byte 9"},
        {"{\"x\":\"\n\"}", "not valid JSON near byte 6"},
        {"{\"x\":1} // no comments", "not valid JSON near byte 8"},
        {"{\f}", "not valid JSON near byte 1"},
        {"{\"x\":\v1}", "not valid JSON near byte 5"},
        {"\xef\xbb\xbf{}", "not valid JSON near byte 1"},

        /* not the text it should be */
        {"{\"x\":\"\xff\"}", "not valid UTF-8"},
        {"{\"x\":\"\xed\xa0\x80\"}", "not valid UTF-8"},
        {"{\"x\":\"\\ud800\"}", "half of a surrogate pair"},
        {"{\"x\":\"\\udc00\"}", "half of a surrogate pair"},
        {"{\"x\":\"\\uD83D\\u0041\"}", "half of a surrogate pair"},
        {"{\"x\":\"\\uD83D\\ue000\"}", "half of a surrogate pair"},
        {"{\"x\":\"\\ud83dx\\ude00\"}", "half of a surrogate pair"},
        {"{\"x\":\"\\ud83d\\ud83d\\ude00\"}", "half of a surrogate pair"},

        /* not an object */
        {"null", "expected an object"},
        {"[]", "expected an object"},
        {"1", "expected an object"},
        {"true", "expected an object"},
        {"\"x\"", "expected an object"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        expect_failure(cases[i].text, strlen(cases[i].text), cases[i].expected);
    expect_failure("{}\0", 3, "not valid JSON near byte 3");
    expect_failure("{\"x\0\":1}", 8, "not valid JSON near byte 3");
}

static void a_wrong_type_is_named_with_its_path(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"a_string\":1}", "a_string: expected a string"},
        {"{\"a_string\":true}", "a_string: expected a string"},
        {"{\"a_string\":{}}", "a_string: expected a string"},
        {"{\"a_string\":[]}", "a_string: expected a string"},
        {"{\"a_string\":\"a\\u0000b\"}", "a_string: a string with a NUL character"},
        {"{\"an_integer\":1.5}", "an_integer: expected an integer"},
        {"{\"an_integer\":1e-1}", "an_integer: expected an integer"},
        {"{\"an_integer\":9223372036854775808}", "an_integer: expected an integer"},
        {"{\"an_integer\":-9223372036854775809}", "an_integer: expected an integer"},
        {"{\"an_integer\":18446744073709551616}", "an_integer: expected an integer"},
        {"{\"an_integer\":100000000000000000000000}", "an_integer: expected an integer"},
        {"{\"an_integer\":1000000000000000000000001}", "an_integer: expected an integer"},
        {"{\"an_integer\":1e19}", "an_integer: expected an integer"},
        {"{\"an_integer\":1e99999999999999999999}", "an_integer: expected an integer"},
        {"{\"an_integer\":true}", "an_integer: expected an integer"},
        {"{\"an_integer\":\"x\"}", "an_integer: expected an integer"},
        {"{\"an_integer\":\"-\"}", "an_integer: expected an integer"},
        {"{\"an_integer\":\"1.0\"}", "an_integer: expected an integer"},
        {"{\"an_integer\":\" 1\"}", "an_integer: expected an integer"},
        {"{\"an_integer\":\"9223372036854775808\"}", "an_integer: expected an integer"},
        {"{\"a_boolean\":1}", "a_boolean: expected true or false"},
        {"{\"a_boolean\":\"true\"}", "a_boolean: expected true or false"},
        {"{\"a_boolean\":\"\"}", "a_boolean: expected true or false"},
        {"{\"a_moment\":1}", "a_moment: expected an RFC 3339 time"},
        {"{\"a_moment\":\"today\"}", "a_moment: expected an RFC 3339 time"},
        {"{\"a_number\":\"1\"}", "a_number: expected a number"},
        {"{\"a_number\":1e999}", "a_number: expected a number"},
        {"{\"a_choice\":1}", "a_choice: expected true or false"},
        {"{\"a_choice\":\"true\"}", "a_choice: expected true or false"},
        {"{\"a_duration\":3600}", "a_duration: expected seconds, \"3600s\""},
        {"{\"a_duration\":\"1h\"}", "a_duration: expected seconds, \"3600s\""},
        {"{\"a_duration\":\"s\"}", "a_duration: expected seconds, \"3600s\""},
        {"{\"a_duration\":\"1.s\"}", "a_duration: expected seconds, \"3600s\""},
        {"{\"a_duration\":\"1.5xs\"}", "a_duration: expected seconds, \"3600s\""},
        {"{\"a_duration\":\"99999999999999999999s\"}", "a_duration: expected seconds, \"3600s\""},
        {"{\"a_map\":[]}", "a_map: expected an object"},
        {"{\"a_map\":\"\"}", "a_map: expected an object"},
        {"{\"a_map\":{\"k\":1}}", "a_map.k: expected a string"},
        {"{\"a_map\":{\"j\":\"\",\"k\":{}}}", "a_map.k: expected a string"},
        {"{\"a_map\":{\"k\":[]}}", "a_map.k: expected a string"},
        {"{\"a_map\":{\"k\":\"\\u0000\"}}", "a_map.k: a string with a NUL character"},
        {"{\"a_map\":{\"k\\u0000\":\"\"}}", "a_map.: a name with a NUL character"},
        {"{\"list_json\":{}}", "list_json: expected a list"},
        {"{\"list_json\":1}", "list_json: expected a list"},
        {"{\"color\":true}", "color: expected a string"},
        {"{\"color\":{}}", "color: expected a string"},
        {"{\"some_json\":[]}", "some_json: expected an object"},
        {"{\"some_json\":1}", "some_json: expected an object"},
        {"{\"some_json\":\"{}\"}", "some_json: expected an object"},
        {"{\"some_json\":false}", "some_json: expected an object"},
        {"{\"an_object\":\"\"}", "an_object: expected an object"},
        {"{\"an_object\":[]}", "an_object: expected an object"},
        {"{\"flat_object\":1}", "flat_object: expected an object"},
        {"{\"some_objects\":{}}", "some_objects: expected a list"},
        {"{\"some_objects\":\"\"}", "some_objects: expected a list"},
        {"{\"some_objects\":[1]}", "some_objects[0]: expected an object"},
        {"{\"some_objects\":[{},null,\"\"]}", "some_objects[2]: expected an object"},
        {"{\"some_objects\":[[]]}", "some_objects[0]: expected an object"},
        {"{\"some_strings\":true}", "some_strings: expected a list"},
        {"{\"some_strings\":[\"\",1]}", "some_strings[1]: expected a string"},
        {"{\"some_strings\":[{}]}", "some_strings[0]: expected a string"},
        {"{\"some_strings\":[[]]}", "some_strings[0]: expected a string"},
        {"{\"some_strings\":[false]}", "some_strings[0]: expected a string"},
        {"{\"some_strings\":[\"\\u0000\"]}", "some_strings[0]: a string with a NUL character"},

        /* paths */
        {"{\"some_objects\":[{},{\"an_object\":{\"aString\":7}}]}",
         "some_objects[1].an_object.a_string: expected a string"},
        {"{\"x\":{},\"flat_object\":{\"an_integer\":{}}}",
         "flat_object.an_integer: expected an integer"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        expect_failure(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

/* --- limits --------------------------------------------------------------------------------------- */

/* `head`, then `times` × `middle`, then `tail`, then as many times `close`. */
static void repeat(struct ski_buf *out, const char *head, const char *middle, const char *tail,
                   const char *close, size_t times)
{
    ski_buf_clear(out);
    ski_buf_adds(out, head);
    for (size_t i = 0; i < times; i++)
        ski_buf_adds(out, middle);
    ski_buf_adds(out, tail);
    for (size_t i = 0; i < times; i++)
        ski_buf_adds(out, close);
    ski_buf_adds(out, "}");
    CU_ASSERT_EQUAL_FATAL(out->failed, SKI_BUF_OK);
}

static void nesting_is_limited_to_64_levels(void)
{
    static const struct {
        const char *head, *middle, *tail, *close;
    } cases[] = {
        {"{\"x\":", "[", "", "]"},
        {"{\"x\":", "{\"y\":", "1", "}"},
        {"{\"some_json\":{\"a\":", "[", "", "]"},
        {"{\"any_json\":", "[", "", "]"},
        {"{\"an_object\":", "{\"an_object\":", "null", "}"},
        {"{\"an_object\":", "{\"x\":", "{}", "}"},
    };
    struct test_memory own;
    struct ski_mem own_mem;
    struct ski_buf text;

    test_memory_init(&own);
    ski_mem_init(&own_mem, &own.allocator);
    ski_buf_init(&text, &own_mem, SIZE_MAX);
    for (size_t i = 0; i < COUNT(cases); i++) {
        /* Levels that are there without any repetition. */
        size_t given = i == 2 || i == 5 ? 2 : 1;

        for (size_t levels = 60; levels <= 70; levels++) {
            const char *tail = cases[i].tail;
            const struct everything *value;

            repeat(&text, cases[i].head, cases[i].middle, tail, cases[i].close, levels - given);
            if (i == 2)
                ski_buf_addc(&text, '}');
            start();
            value = decode(text.data, text.length);
            CU_ASSERT_EQUAL(value != NULL, levels <= 64);
            if (!value)
                CU_ASSERT_PTR_NOT_NULL(strstr(failure.text, "nested more than 64 deep"));
            stop();
        }
    }
    ski_buf_free(&text);
    CU_ASSERT_EQUAL(own.live, 0);
}

static void ten_million_levels_cost_no_stack(void)
{
    enum { LEVELS = 10000000 };
    char *text;

    start();
    text = ski_alloc(&mem, LEVELS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '[', LEVELS);
    memcpy(text, "{\"x\":", 5);
    CU_ASSERT_PTR_NULL(decode(text, LEVELS));
    CU_ASSERT_PTR_NOT_NULL(ski_json_problem(&mem, text + 5, LEVELS - 5, SKI_JSON_ANY));
    ski_free(&mem, text);
    stop();
}

static void lists_are_limited_to_100000_items(void)
{
    static const struct {
        const char *head, *item;
    } cases[] = {
        {"{\"some_strings\":[\"a\"", ",\"b\""},
        {"{\"some_strings\":[null", ",null"},
        {"{\"some_objects\":[{}", ",{}"},
        {"{\"some_objects\":[null", ",null"},
    };
    struct test_memory own;
    struct ski_mem own_mem;
    struct ski_buf text;

    test_memory_init(&own);
    ski_mem_init(&own_mem, &own.allocator);
    ski_buf_init(&text, &own_mem, SIZE_MAX);
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t items = SKI_JSON_MAX_ITEMS; items <= SKI_JSON_MAX_ITEMS + 1; items++) {
            const struct everything *value;

            repeat(&text, cases[i].head, cases[i].item, "]", "", items - 1);
            start();
            value = decode(text.data, text.length);
            CU_ASSERT_EQUAL(value != NULL, items == SKI_JSON_MAX_ITEMS);
            if (value) {
                CU_ASSERT_EQUAL(value->n_strings + value->n_objects, i % 2 ? 0 : items);
            } else {
                CU_ASSERT_PTR_NOT_NULL(strstr(failure.text, "more than 100000 items"));
            }
            stop();
        }
    }
    ski_buf_free(&text);
    CU_ASSERT_EQUAL(own.live, 0);
}

static void a_long_string_of_escapes_is_read(void)
{
    struct test_memory own;
    struct ski_mem own_mem;
    struct ski_buf text;
    const struct everything *value;

    test_memory_init(&own);
    ski_mem_init(&own_mem, &own.allocator);
    ski_buf_init(&text, &own_mem, SIZE_MAX);
    repeat(&text, "{\"a_string\":\"", "\\u20ac\\n", "\"", "", 100000);
    start();
    value = decode(text.data, text.length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    CU_ASSERT_EQUAL(strlen(value->string), 400000);
    stop();
    ski_buf_free(&text);
    CU_ASSERT_EQUAL(own.live, 0);
}

/* --- memory --------------------------------------------------------------------------------------- */

static const char all_kinds[] =
    "{\"a_string\":\"a long enough string to need memory of its own \\n\",\"color\":\"PURPLE\","
    "\"some_json\":{\"k\":[\"\\n\"]},\"an_object\":{\"an_object\":{\"an_object\":{}}},"
    "\"some_objects\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}],"
    "\"some_strings\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\","
    "\"13\",\"14\",\"15\",\"16\",\"17\",\"18\"]}";

static bool decode_all_kinds(struct test_memory *failing, void *user)
{
    struct ski_mem hooks;
    struct ski_arena own;
    struct ski_failure problem;
    const void *out;
    scalekit_err err;

    (void)user;
    ski_mem_init(&hooks, &failing->allocator);
    ski_arena_init(&own, &hooks, 16, SIZE_MAX);
    err = ski_json_decode(&own, &everything_type, all_kinds, strlen(all_kinds), &out, &problem);
    CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
    CU_ASSERT_EQUAL(out != NULL, err == SCALEKIT_OK);
    if (err == SCALEKIT_ERR_NOMEM)
        CU_ASSERT_EQUAL(problem.code, SCALEKIT_ERR_NOMEM);
    ski_arena_free(&own);
    return err == SCALEKIT_OK;
}

/* yajl's own among them. */
static void every_refused_allocation_is_survived(void)
{
    CU_ASSERT(test_every_allocation(decode_all_kinds, NULL) > 10);
}

static void an_arena_at_its_limit_is_out_of_memory(void)
{
    scalekit_err err = SCALEKIT_ERR_NOMEM;
    const void *out;

    start();
    for (size_t limit = 0; err != SCALEKIT_OK && limit < 100000; limit += 64) {
        struct ski_arena small;

        ski_arena_init(&small, &mem, 256, limit);
        err =
            ski_json_decode(&small, &everything_type, all_kinds, strlen(all_kinds), &out, &failure);
        CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
        ski_arena_free(&small);
    }
    CU_ASSERT_EQUAL(err, SCALEKIT_OK);
    stop();
}

static void a_document_cut_anywhere_is_refused(void)
{
    size_t length = strlen(all_kinds);

    for (size_t cut = 1; cut < length; cut++) {
        start();
        CU_ASSERT_PTR_NULL(decode(all_kinds, cut));
        CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_DECODE);
        stop();
    }
}

/* --- validating ------------------------------------------------------------------------------------ */

struct needy {
    size_t struct_size;
    const char *name;
    const struct needy *friend;
};

static const struct ski_type needy_type;

static const struct ski_field needy_fields[] = {
    STRING(needy, name, "name", .flags = SKI_REQUIRED),
    OBJECT(needy, friend, needy, needy_type, "friend"),
    END,
};
static const struct ski_type needy_type = TYPE(needy, needy_fields);

static void what_is_required_must_be_there(void)
{
    static const struct {
        const char *text, *problem; /* NULL: none */
    } cases[] = {
        {"{\"name\":\"a\"}", NULL},
        {"{\"name\":\"a\",\"friend\":{\"name\":\"b\"}}", NULL},
        {"", "name: missing"},
        {"{\"name\":null}", "name: missing"},
        {"{\"name\":\"\"}", "name: missing"},
        {"{\"name\":\"a\",\"friend\":{\"friend\":{}}}", "friend.friend.name: missing"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const void *out;
        scalekit_err err;

        start();
        err = ski_json_decode(&arena, &needy_type, cases[i].text, strlen(cases[i].text), &out,
                              &failure);
        CU_ASSERT_EQUAL(err, cases[i].problem ? SCALEKIT_ERR_DECODE : SCALEKIT_OK);
        if (cases[i].problem)
            CU_ASSERT_STRING_EQUAL(failure.text, cases[i].problem);
        stop();
    }
}

static void maps_keep_their_entries(void)
{
    const char *text = "{\"a_map\":{\"k\":\"v\",\"none\":null,\"\":\"\"},\"a_number\":2.5,"
                       "\"a_choice\":false,\"a_duration\":\"90.5s\",\"list_json\":[{\"a\":1}]}";
    const struct everything *value;

    start();
    value = decode(text, strlen(text));
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    CU_ASSERT_EQUAL_FATAL(value->n_map, 2);
    CU_ASSERT_STRING_EQUAL(value->map[0].key, "k");
    CU_ASSERT_STRING_EQUAL(value->map[0].value, "v");
    CU_ASSERT_STRING_EQUAL(value->map[1].key, "");
    CU_ASSERT_STRING_EQUAL(value->map[1].value, "");
    CU_ASSERT_EQUAL(value->number, 2.5);
    CU_ASSERT_EQUAL(value->choice, SCALEKIT_NO);
    CU_ASSERT_EQUAL(value->duration, 90);
    CU_ASSERT_STRING_EQUAL(value->list_json, "[{\"a\":1}]");
    stop();
}

static const struct everything *decode_params(const char *text)
{
    const void *out;

    ski_json_decode_params(&arena, &everything_type, text, strlen(text), &out, &failure);
    return out;
}

static void parameters_are_named_as_in_c(void)
{
    const struct everything *value;

    start();
    value = decode_params("{\"string\":\"\",\"moment\":\"1970-01-01T00:00:01Z\",\"flat_integer\":7,"
                          "\"objects\":[{\"string\":\"x\",\"flat_string\":\"f\"}],"
                          "\"map\":{\"a\":\"b\"},\"color\":\"RED\"}");
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    CU_ASSERT_STRING_EQUAL(value->string, "");
    CU_ASSERT_EQUAL(value->moment, 1000000);
    CU_ASSERT_EQUAL(value->flat_integer, 7);
    CU_ASSERT_EQUAL_FATAL(value->n_objects, 1);
    CU_ASSERT_STRING_EQUAL(value->objects[0]->string, "x");
    CU_ASSERT_STRING_EQUAL(value->objects[0]->flat_string, "f");
    CU_ASSERT_STRING_EQUAL(value->map[0].value, "b");
    CU_ASSERT_EQUAL(value->color, COLOR_RED);
    value = decode_params("");
    CU_ASSERT_PTR_NOT_NULL_FATAL(value);
    CU_ASSERT_EQUAL(value->struct_size, sizeof *value);
    stop();
}

/* Characters of two bytes: a name that is too long for an error is not cut in one of them. */
#define E_ACUTE "\xc3\xa9"
#define FIVE_E  E_ACUTE E_ACUTE E_ACUTE E_ACUTE E_ACUTE
#define TEN_E   FIVE_E FIVE_E

static void a_wrong_parameter_is_named(void)
{
    static const struct {
        const char *text, *parameter, *problem;
    } cases[] = {
        {"{\"a_string\":\"x\"}", "parameters", "there is no \"a_string\""},
        {"{\"flat_object\":{}}", "parameters", "there is no \"flat_object\""},
        {"{\"read_only\":\"x\"}", "parameters", "there is no \"read_only\""},
        {"{\"object\":{\"strin\":\"x\"}}", "parameters", "object: there is no \"strin\""},
        {"{\"string\":1}", "string", "string: expected a string"},
        {"{\"strings\":[\"a\",null]}", "strings", "strings[1]: expected a string"},
        {"{\"map\":{\"k\":null}}", "map", "map.k: expected a string"},
        {"{\"objects\":[{\"integer\":\"x\"}]}", "integer",
         "objects[0].integer: expected an integer"},
        {"{\"integer\":\"\"}", "integer", "integer: expected an integer"},
        {"{\"duration\":\"\"}", "duration", "duration: expected seconds, \"3600s\""},
        {"{\"duration\":\"1.-5s\"}", "duration", "duration: expected seconds, \"3600s\""},
        {"{\"123456789012345678901234567890123456789" E_ACUTE "\":1}", "parameters",
         "there is no \"123456789012345678901234567890123456789\""},
        {"{\"map\":{\"" TEN_E TEN_E TEN_E TEN_E TEN_E TEN_E "\":1}}", "map",
         "map." TEN_E TEN_E TEN_E TEN_E TEN_E FIVE_E E_ACUTE E_ACUTE ": expected a string"},
        {"[]", "parameters", "expected an object"},
        {"{", "parameters", "JSON that ends too early"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        start();
        CU_ASSERT_PTR_NULL(decode_params(cases[i].text));
        CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_INVALID);
        CU_ASSERT_STRING_EQUAL(failure.parameter, cases[i].parameter);
        CU_ASSERT_STRING_EQUAL(failure.text, cases[i].problem);
        stop();
    }
}

SUITE(decode, {"what is required must be there", what_is_required_must_be_there},
      {"each member lands in its place", each_member_lands_in_its_place},
      {"scalars are understood however spelt", scalars_are_understood_however_spelt},
      {"members are found and kept", members_are_found_and_kept},
      {"what is no JSON is refused", what_is_no_json_is_refused},
      {"a wrong type is named with its path", a_wrong_type_is_named_with_its_path},
      {"nesting is limited to 64 levels", nesting_is_limited_to_64_levels},
      {"ten million levels cost no stack", ten_million_levels_cost_no_stack},
      {"lists are limited to 100,000 items", lists_are_limited_to_100000_items},
      {"a long string of escapes is read", a_long_string_of_escapes_is_read},
      {"every refused allocation is survived", every_refused_allocation_is_survived},
      {"an arena at its limit is out of memory", an_arena_at_its_limit_is_out_of_memory},
      {"a document cut anywhere is refused", a_document_cut_anywhere_is_refused},
      {"maps keep their entries", maps_keep_their_entries},
      {"parameters are named as in C", parameters_are_named_as_in_c},
      {"a wrong parameter is named", a_wrong_parameter_is_named})
