#include "everything.h"
#include "harness.h"
#include "json/encode.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SIZE         .struct_size = sizeof(struct everything)

static struct test_memory memory;
static struct ski_mem mem;
static struct ski_buf buf;

static void start(size_t maximum)
{
    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_buf_init(&buf, &mem, maximum);
}

static void stop(void)
{
    ski_buf_free(&buf);
    CU_ASSERT_EQUAL(memory.live, 0);
}

static const struct everything empty = {SIZE};
static const char *const two_strings[] = {"one", "t&o"};
static const struct everything *const two_objects[] = {
    &(const struct everything){SIZE, .integer = 1},
    &(const struct everything){SIZE, .integer = 2},
};

static const struct scalekit_entry two_entries[] = {{"k", "v\"1"}, {"", ""}};

static const struct {
    struct everything value;
    const char *json, *query;
} members[] = {
    {{SIZE}, "{\"flat_object\":{}}", ""},
    {{SIZE, .string = "a b"}, "{\"a_string\":\"a b\",\"flat_object\":{}}", "a_string=a%20b"},
    {{SIZE, .string = ""}, "{\"a_string\":\"\",\"flat_object\":{}}", "a_string="},
    {{SIZE, .integer = INT64_MIN},
     "{\"an_integer\":-9223372036854775808,\"flat_object\":{}}",
     "an_integer=-9223372036854775808"},
    {{SIZE, .boolean = true}, "{\"a_boolean\":true,\"flat_object\":{}}", "a_boolean=true"},
    {{SIZE, .moment = 1500000},
     "{\"a_moment\":\"1970-01-01T00:00:01.500Z\",\"flat_object\":{}}",
     "a_moment=1970-01-01T00%3A00%3A01.500Z"},
    {{SIZE, .color = COLOR_RED}, "{\"color\":\"RED\",\"flat_object\":{}}", "color=RED"},
    {{SIZE, .color_text = "PUR\"PLE"},
     "{\"color\":\"PUR\\\"PLE\",\"flat_object\":{}}",
     "color=PUR%22PLE"},
    {{SIZE, .json = "{ \"k\": [1] }"}, "{\"some_json\":{ \"k\": [1] },\"flat_object\":{}}", ""},
    {{SIZE, .any_json = "null"}, "{\"any_json\":null,\"flat_object\":{}}", ""},
    {{SIZE, .object = &empty}, "{\"an_object\":{\"flat_object\":{}},\"flat_object\":{}}", ""},
    {{SIZE, .flat_string = "f", .flat_integer = 7},
     "{\"flat_object\":{\"a_string\":\"f\",\"an_integer\":7}}",
     ""},
    {{SIZE, .objects = two_objects, .n_objects = 2},
     "{\"flat_object\":{},\"some_objects\":[{\"an_integer\":1,\"flat_object\":{}},"
     "{\"an_integer\":2,\"flat_object\":{}}]}",
     ""},
    {{SIZE, .objects = two_objects}, "{\"flat_object\":{}}", ""},
    {{SIZE, .number = 0.1}, "{\"flat_object\":{},\"a_number\":0.1}", "a_number=0.1"},
    {{SIZE, .number = -1e300}, "{\"flat_object\":{},\"a_number\":-1e+300}", "a_number=-1e%2B300"},
    {{SIZE, .choice = SCALEKIT_YES}, "{\"flat_object\":{},\"a_choice\":true}", "a_choice=true"},
    {{SIZE, .choice = SCALEKIT_NO}, "{\"flat_object\":{},\"a_choice\":false}", "a_choice=false"},
    {{SIZE, .duration = 3600}, "{\"flat_object\":{},\"a_duration\":\"3600s\"}", "a_duration=3600s"},
    {{SIZE, .duration = INT64_MIN},
     "{\"flat_object\":{},\"a_duration\":\"-9223372036854775808s\"}",
     "a_duration=-9223372036854775808s"},
    {{SIZE, .map = two_entries, .n_map = 2},
     "{\"flat_object\":{},\"a_map\":{\"k\":\"v\\\"1\",\"\":\"\"}}",
     ""},
    {{SIZE, .map = two_entries}, "{\"flat_object\":{}}", ""},
    {{SIZE, .list_json = "[ 1]"}, "{\"flat_object\":{},\"list_json\":[ 1]}", ""},
    {{SIZE, .in_path = "p", .string = "s"},
     "{\"a_string\":\"s\",\"flat_object\":{}}",
     "a_string=s"},
    {{SIZE, .in_query = "q", .string = "s"},
     "{\"a_string\":\"s\",\"flat_object\":{}}",
     "a_string=s&in_query=q"},
    {{SIZE, .strings = two_strings, .n_strings = 2},
     "{\"flat_object\":{},\"some_strings\":[\"one\",\"t&o\"]}",
     "some_strings=one&some_strings=t%26o"},
    {{SIZE, .string = "s", .integer = 5, .strings = two_strings, .n_strings = 1, .boolean = true},
     "{\"a_string\":\"s\",\"an_integer\":5,\"a_boolean\":true,\"flat_object\":{},"
     "\"some_strings\":[\"one\"]}",
     "a_string=s&an_integer=5&a_boolean=true&some_strings=one"},
};

static void each_kind_has_its_json(void)
{
    start(10000);
    for (size_t i = 0; i < COUNT(members); i++) {
        ski_buf_clear(&buf);
        ski_json_encode(&buf, &everything_type, &members[i].value, SKI_ENCODE_REQUEST);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), members[i].json);
    }
    stop();
}

static void each_scalar_kind_and_strings_have_their_query(void)
{
    start(10000);
    for (size_t i = 0; i < COUNT(members); i++) {
        ski_buf_clear(&buf);
        ski_buf_addc(&buf, '?'); /* what is there already is no reason for '&' */
        ski_query_encode(&buf, &everything_type, &members[i].value, SKI_QUERY_ALL);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf) + 1, members[i].query);
    }
    stop();
}

static void modes_differ_in_what_they_hide(void)
{
    static const struct everything value = {SIZE, .string = "s", .secret = "hush",
                                            .read_only = "r"};
    static const char *const expected[] = {
        [SKI_ENCODE_REQUEST] = "{\"a_string\":\"s\",\"flat_object\":{},\"a_secret\":\"hush\"}",
        [SKI_ENCODE_ALL] =
            "{\"a_string\":\"s\",\"flat_object\":{},\"a_secret\":\"hush\",\"read_only\":\"r\"}",
        [SKI_ENCODE_REDACTED] =
            "{\"a_string\":\"s\",\"flat_object\":{},\"a_secret\":\"***\",\"read_only\":\"r\"}",
        [SKI_ENCODE_SHOWN] =
            "{\"a_string\":\"s\",\"an_integer\":0,\"a_boolean\":false,"
            "\"flat_object\":{\"an_integer\":0},\"some_objects\":[],\"some_strings\":[],"
            "\"a_number\":0,\"a_map\":{},\"a_secret\":\"***\",\"read_only\":\"r\"}",
    };

    start(10000);
    for (size_t mode = 0; mode < COUNT(expected); mode++) {
        ski_buf_clear(&buf);
        ski_json_encode(&buf, &everything_type, &value, (enum ski_encode_mode)mode);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), expected[mode]);
    }
    ski_buf_clear(&buf);
    ski_query_encode(&buf, &everything_type, &value, SKI_QUERY_ALL);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "a_string=s&a_secret=hush");
    stop();
}

static void secrets_of_every_kind_are_redacted(void)
{
    static const struct ski_field secret_fields[] = {
        STRING(everything, string, "a", .flags = SKI_SECRET),
        INTEGER(everything, integer, "b", .flags = SKI_SECRET),
        JSON(everything, json, "c", .flags = SKI_SECRET),
        OBJECT(everything, object, everything, everything_type, "d", .flags = SKI_SECRET),
        STRINGS(everything, strings, "e", .flags = SKI_SECRET),
        OBJECTS(everything, objects, everything, everything_type, "f", .flags = SKI_SECRET),
        END,
    };
    static const struct ski_type secret_type = TYPE(everything, secret_fields);
    static const struct everything value = {
        SIZE,           .string = "s",          .integer = 1,
        .json = "{}",   .object = &empty,       .strings = two_strings,
        .n_strings = 2, .objects = two_objects, .n_objects = 2};

    start(10000);
    ski_json_encode(&buf, &secret_type, &value, SKI_ENCODE_REDACTED);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "{\"a\":\"***\",\"b\":\"***\",\"c\":\"***\","
                                               "\"d\":\"***\",\"e\":\"***\",\"f\":\"***\"}");
    ski_buf_clear(&buf);
    ski_json_encode(&buf, &secret_type, &empty, SKI_ENCODE_REDACTED);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "{}");
    stop();
}

/* An older program's structure ends earlier; what lies behind it is not ours to read. */
static void members_beyond_struct_size_are_not_read(void)
{
    static const struct {
        size_t size;
        const char *json, *query;
    } cases[] = {
        {sizeof(size_t), "{\"flat_object\":{}}", ""},
        {offsetof(struct everything, integer), "{\"a_string\":\"s\",\"flat_object\":{}}",
         "a_string=s"},
        {offsetof(struct everything, integer) + 4, "{\"a_string\":\"s\",\"flat_object\":{}}",
         "a_string=s"},
        {offsetof(struct everything, boolean),
         "{\"a_string\":\"s\",\"an_integer\":1,\"flat_object\":{}}", "a_string=s&an_integer=1"},
        {offsetof(struct everything, flat_integer),
         "{\"a_string\":\"s\",\"an_integer\":1,\"an_object\":{\"flat_object\":{}},"
         "\"flat_object\":{\"a_string\":\"f\"}}",
         "a_string=s&an_integer=1"},
    };
    const struct everything object = {.struct_size = sizeof(size_t), .string = "not seen"};
    struct everything value = {
        .string = "s",
        .integer = 1,
        .object = &object,
        .flat_string = "f",
        .flat_integer = 5,
    };

    start(10000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        value.struct_size = cases[i].size;
        ski_buf_clear(&buf);
        ski_json_encode(&buf, &everything_type, &value, SKI_ENCODE_REQUEST);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), cases[i].json);
        ski_buf_clear(&buf);
        ski_query_encode(&buf, &everything_type, &value, SKI_QUERY_ALL);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), cases[i].query);
    }
    stop();
}

static void strings_are_escaped_as_json_wants(void)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"say \"hi\"", "\"say \\\"hi\\\"\""},
        {"\\", "\"\\\\\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f", "\"\\u0001\\u001f\""},
        {"a/b\x7f\u20ac\U0001f600", "\"a/b\x7f\u20ac\U0001f600\""},
    };

    start(10000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ski_buf_clear(&buf);
        ski_json_string(&buf, cases[i].text);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), cases[i].json);
    }
    stop();
}

static void what_is_always_sent_is_an_empty_object_when_absent(void)
{
    static const struct ski_field fields[] = {
        JSON(everything, json, "some_json", .flags = SKI_ALWAYS),
        END,
    };
    static const struct ski_type type = TYPE(everything, fields);
    const struct everything older = {.struct_size = sizeof(size_t), .json = "{\"unseen\":1}"};
    const struct everything given = {SIZE, .json = "{\"a\":1}"};

    start(1000);
    ski_json_encode(&buf, &type, &empty, SKI_ENCODE_REQUEST);
    ski_json_encode(&buf, &type, &older, SKI_ENCODE_REQUEST);
    ski_json_encode(&buf, &type, &given, SKI_ENCODE_REQUEST);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "{\"some_json\":{}}{\"some_json\":{}}"
                                               "{\"some_json\":{\"a\":1}}");
    stop();
}

static void a_full_buffer_sticks(void)
{
    const struct everything *value = &members[COUNT(members) - 1].value;
    size_t length = strlen(members[COUNT(members) - 1].json);

    for (size_t maximum = 0; maximum <= length; maximum++) {
        start(maximum);
        ski_json_encode(&buf, &everything_type, value, SKI_ENCODE_ALL);
        CU_ASSERT_EQUAL(buf.failed, maximum < length ? SKI_BUF_FULL : SKI_BUF_OK);
        stop();
    }
}

static void a_query_beside_a_body_has_its_flagged_rows_only(void)
{
    const struct everything value = {SIZE, .string = "s", .in_query = "q &", .in_path = "p"};

    start(10000);
    ski_query_encode(&buf, &everything_type, &value, SKI_QUERY_FLAGGED);
    CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), "in_query=q%20%26");
    stop();
}

static void a_path_is_filled_in(void)
{
    static const struct {
        const char *value, *path, *expected;
    } cases[] = {
        {"cfg_1", "/a/{in_path}", "/a/cfg_1"},
        {"cfg_1", "/a/{in_path}:disable", "/a/cfg_1:disable"},
        {"cfg_1", "/a/{in_path}/b/{in_path}", "/a/cfg_1/b/cfg_1"},
        {"cfg_1", "/a:search", "/a:search"},
        {"a b?#%:\u00e9", "/{in_path}/", "/a%20b%3F%23%25%3A%C3%A9/"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct everything value = {SIZE, .in_path = cases[i].value};

        start(10000);
        ski_path_encode(&buf, cases[i].path, &everything_type, &value);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), cases[i].expected);
        stop();
    }
}

SUITE(encode, {"each kind has its JSON", each_kind_has_its_json},
      {"each scalar kind and strings have their query",
       each_scalar_kind_and_strings_have_their_query},
      {"modes differ in what they hide", modes_differ_in_what_they_hide},
      {"secrets of every kind are redacted", secrets_of_every_kind_are_redacted},
      {"members beyond struct_size are not read", members_beyond_struct_size_are_not_read},
      {"strings are escaped as JSON wants", strings_are_escaped_as_json_wants},
      {"what is always sent is an empty object when absent",
       what_is_always_sent_is_an_empty_object_when_absent},
      {"a full buffer sticks", a_full_buffer_sticks},
      {"a query beside a body has its flagged rows only",
       a_query_beside_a_body_has_its_flagged_rows_only},
      {"a path is filled in", a_path_is_filled_in})
