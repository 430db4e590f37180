#include "everything.h"
#include "harness.h"
#include "json/check.h"
#include "json/time.h"
#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SIZE         .struct_size = sizeof(struct everything)

static const char *must_begin_with_a(const char *value)
{
    return value[0] == 'a' ? NULL : "must begin with a";
}

static const struct ski_type limited_type;

static const struct ski_field limited_flat_fields[] = {
    STRING(everything, flat_string, "f", .max = 2),
    INTEGER(everything, flat_integer, "i", .min = -5, .max = 5),
    END,
};
static const struct ski_type limited_flat_type = TYPE(everything, limited_flat_fields);

static const struct ski_field limited_fields[] = {
    STRING(everything, string, "s", .min = 2, .max = 4, .check = must_begin_with_a),
    INTEGER(everything, integer, "i", .min = 1, .max = 99),
    BOOLEAN(everything, boolean, "b"),
    TIMESTAMP(everything, moment, "t"),
    ENUM(everything, color, color, color_words, "color"),
    JSON(everything, json, "j"),
    JSON(everything, any_json, "a", .flags = SKI_ANY_JSON),
    OBJECT(everything, object, everything, limited_type, "o"),
    FLAT(limited_flat_type, "flat"),
    OBJECTS(everything, objects, everything, limited_type, "os", .max_items = 2),
    STRINGS(everything, strings, "ss", .max = 3, .max_items = 2, .check = must_begin_with_a),
    NUMBER(everything, number, "n"),
    CHOICE(everything, choice, "c"),
    DURATION(everything, duration, "d", .min = 60, .max = 3600),
    MAP(everything, map, "m", .min = 1, .max = 3, .key_min = 2, .key_max = 4, .max_items = 2),
    JSON(everything, list_json, "l", .flags = SKI_LIST_JSON),
    STRING(everything, in_path, "p", .flags = SKI_PATH, .max = 9),
    STRING(everything, secret, "secret", .min = 3),
    STRING(everything, read_only, "r", .flags = SKI_READ_ONLY | SKI_REQUIRED, .max = 1),
    END,
};
static const struct ski_type limited_type = TYPE(everything, limited_fields);

static struct ski_failure failure;

static scalekit_err check(const struct ski_type *type, const void *value)
{
    struct test_memory memory;
    struct ski_mem mem;
    scalekit_err err;

    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    memset(&failure, 0, sizeof failure);
    err = ski_check(&mem, type, value, &failure);
    CU_ASSERT_EQUAL(memory.live, 0);
    return err;
}

static const char *const three[] = {"a", "a", "a"};
static const char *const second_wrong[] = {"a", "b"};
static const char *const second_long[] = {"a", "aaaa"};
static const char *const second_null[] = {"a", NULL};
static const struct everything fine = {SIZE, .string = "abc"};
static const struct everything too_short = {SIZE, .string = "a"};
static const struct everything unsized = {.string = "abc"};
static const struct everything deep = {SIZE, .object = &too_short};
static const struct everything *const three_fine[] = {&fine, &fine, &fine};
static const struct everything *const second_short[] = {&fine, &too_short};
static const struct everything *const object_null[] = {NULL};

static const struct scalekit_entry right_entries[] = {{"ab", "x"}, {"abcd", "xyz"}};
static const struct scalekit_entry short_key_entries[] = {{"a", "x"}};
static const struct scalekit_entry long_key_entries[] = {{"ab", "x"}, {"abcde", "x"}};
static const struct scalekit_entry no_text_entries[] = {{"ab", ""}};
static const struct scalekit_entry no_value_entries[] = {{"ab", NULL}};
static const struct scalekit_entry no_key_entries[] = {{NULL, "x"}};
static const struct scalekit_entry bad_key_entries[] = {{"a\xff", "x"}};
static const struct scalekit_entry one_entries[] = {{"ab", "x"}};

static void what_is_within_the_limits_passes(void)
{
    static const struct everything cases[] = {
        {SIZE},
        {SIZE, .string = "ab"},
        {SIZE, .string = "a\u20ac\u20ac\u20ac"}, /* characters, not bytes */
        {SIZE, .integer = 1},
        {SIZE, .integer = 99},
        {SIZE, .boolean = true},
        {SIZE, .moment = SKI_TIME_LATEST},
        {SIZE, .color = COLOR_GREEN},
        {SIZE, .color_text = "PURPLE"},
        {SIZE, .json = "{}"},
        {SIZE, .json = " {\"a\":[1,{\"b\":null}]}\n"},
        {SIZE, .any_json = "[1]"},
        {SIZE, .any_json = "null"},
        {SIZE, .object = &fine},
        {SIZE, .flat_string = "ab", .flat_integer = -5},
        {SIZE, .objects = three_fine, .n_objects = 2},
        {SIZE, .objects = object_null}, /* a count of 0: none */
        {SIZE, .strings = three, .n_strings = 2},
        {SIZE, .number = 1e308},
        {SIZE, .choice = SCALEKIT_NO},
        {SIZE, .choice = SCALEKIT_YES},
        {SIZE, .duration = 60},
        {SIZE, .map = right_entries, .n_map = 2},
        {SIZE, .list_json = " [{}] "},
        {SIZE, .in_path = "a.b..c %"},
        {SIZE, .secret = "unlimited above its minimum of three characters"},
        {SIZE, .read_only = "longer than its limit, and ignored"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT_EQUAL(check(&limited_type, &cases[i]), SCALEKIT_OK);
}

static void what_is_not_is_named_with_its_limit(void)
{
    static const struct {
        struct everything value;
        const char *parameter, *text;
    } cases[] = {
        {{SIZE, .string = "a"}, "string", "string must have from 2 to 4 characters"},
        {{SIZE, .string = ""}, "string", "string must have from 2 to 4 characters"},
        {{SIZE, .string = "aaaaa"}, "string", "string must have at most 4 characters"},
        {{SIZE, .string = "baa"}, "string", "string must begin with a"},
        {{SIZE, .string = "a\xff"}, "string", "string must be valid UTF-8"},
        {{SIZE, .integer = 100}, "integer", "integer must be from 1 to 99"},
        {{SIZE, .integer = -1}, "integer", "integer must be from 1 to 99"},
        {{SIZE, .moment = SKI_TIME_LATEST + 1}, "moment", "moment must be in the years 1 to 9999"},
        {{SIZE, .moment = INT64_MIN}, "moment", "moment must be in the years 1 to 9999"},
        {{SIZE, .color = (enum color)77}, "color", "color is not a known value"},
        {{SIZE, .color_text = "\xff"}, "color", "color must be valid UTF-8"},
        {{SIZE, .json = ""}, "json", "json must be a JSON object"},
        {{SIZE, .json = "[1]"}, "json", "json must be a JSON object"},
        {{SIZE, .json = "{"}, "json", "json must be complete JSON"},
        {{SIZE, .json = "{'a'}"}, "json", "json must be valid JSON"},
        {{SIZE, .any_json = ""}, "any_json", "any_json must be complete JSON"},
        {{SIZE, .object = &too_short}, "string", "object.string must have from 2 to 4 characters"},
        {{SIZE, .object = &deep},
         "string",
         "object.object.string must have from 2 to 4 characters"},
        {{SIZE, .object = &unsized},
         "struct_size",
         "object.struct_size is 0: make the structure with SCALEKIT_PARAMS"},
        {{SIZE, .flat_string = "abc"}, "flat_string", "flat_string must have at most 2 characters"},
        {{SIZE, .flat_integer = 6}, "flat_integer", "flat_integer must be from -5 to 5"},
        {{SIZE, .objects = three_fine, .n_objects = 3},
         "objects",
         "objects must have at most 2 items"},
        {{SIZE, .objects = second_short, .n_objects = 2},
         "string",
         "objects[1].string must have from 2 to 4 characters"},
        {{SIZE, .objects = object_null, .n_objects = 1}, "objects", "objects[0] is NULL"},
        {{SIZE, .n_objects = 1}, "objects", "objects is NULL, but its count is not 0"},
        {{SIZE, .number = INFINITY}, "number", "number must be a finite number"},
        {{SIZE, .number = NAN}, "number", "number must be a finite number"},
        {{SIZE, .choice = (enum scalekit_choice)3}, "choice", "choice must be unset, no or yes"},
        {{SIZE, .duration = 59}, "duration", "duration must be from 60 to 3600"},
        {{SIZE, .duration = -60}, "duration", "duration must be from 60 to 3600"},
        {{SIZE, .map = short_key_entries, .n_map = 1},
         "map",
         "map[0] key must have from 2 to 4 characters"},
        {{SIZE, .map = long_key_entries, .n_map = 2},
         "map",
         "map[1] key must have at most 4 characters"},
        {{SIZE, .map = no_text_entries, .n_map = 1},
         "map",
         "map[0] must have from 1 to 3 characters"},
        {{SIZE, .map = no_value_entries, .n_map = 1}, "map", "map[0] has no key or no value"},
        {{SIZE, .map = no_key_entries, .n_map = 1}, "map", "map[0] has no key or no value"},
        {{SIZE, .map = bad_key_entries, .n_map = 1}, "map", "map[0] key must be valid UTF-8"},
        {{SIZE, .map = one_entries, .n_map = 3}, "map", "map must have at most 2 items"},
        {{SIZE, .n_map = 1}, "map", "map is NULL, but its count is not 0"},
        {{SIZE, .list_json = "{}"}, "list_json", "list_json must be a JSON list"},
        {{SIZE, .list_json = ""}, "list_json", "list_json must be a JSON list"},
        {{SIZE, .list_json = "[1"}, "list_json", "list_json must be complete JSON"},
        {{SIZE, .in_path = "."}, "in_path", "in_path must not be a dot segment"},
        {{SIZE, .in_path = ".."}, "in_path", "in_path must not be a dot segment"},
        {{SIZE, .in_path = "../a"},
         "in_path",
         "in_path must not hold / or \\ or control characters"},
        {{SIZE, .in_path = "a\\b"},
         "in_path",
         "in_path must not hold / or \\ or control characters"},
        {{SIZE, .in_path = "a\nb"},
         "in_path",
         "in_path must not hold / or \\ or control characters"},
        {{SIZE, .strings = three, .n_strings = 3}, "strings", "strings must have at most 2 items"},
        {{SIZE, .strings = second_wrong, .n_strings = 2},
         "strings",
         "strings[1] must begin with a"},
        {{SIZE, .strings = second_long, .n_strings = 2},
         "strings",
         "strings[1] must have at most 3 characters"},
        {{SIZE, .strings = second_null, .n_strings = 2}, "strings", "strings[1] is NULL"},
        {{SIZE, .secret = "ab"}, "secret", "secret must have at least 3 characters"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        CU_ASSERT_EQUAL_FATAL(check(&limited_type, &cases[i].value), SCALEKIT_ERR_INVALID);
        CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_INVALID);
        CU_ASSERT_EQUAL(failure.phase, SCALEKIT_PHASE_NONE);
        CU_ASSERT_STRING_EQUAL(failure.parameter, cases[i].parameter);
        CU_ASSERT_STRING_EQUAL(failure.text, cases[i].text);
    }
}

static void required_members_must_be_there_and_not_empty(void)
{
    static const struct ski_field fields[] = {
        STRING(everything, string, "s", .flags = SKI_REQUIRED),
        INTEGER(everything, integer, "i", .flags = SKI_REQUIRED),
        TIMESTAMP(everything, moment, "t", .flags = SKI_REQUIRED),
        ENUM(everything, color, color, color_words, "c", .flags = SKI_REQUIRED),
        JSON(everything, json, "j", .flags = SKI_REQUIRED),
        OBJECT(everything, object, everything, everything_type, "o", .flags = SKI_REQUIRED),
        STRINGS(everything, strings, "ss", .flags = SKI_REQUIRED),
        END,
    };
    static const struct ski_type type = TYPE(everything, fields);
#define UP_TO_MOMENT SIZE, .string = "x", .integer = 1, .moment = 1
#define UP_TO_OBJECT UP_TO_MOMENT, .color = COLOR_RED, .json = "{}", .object = &fine
    static const struct {
        struct everything value;
        const char *missing; /* NULL: nothing */
    } cases[] = {
        {{SIZE}, "string"},
        {{SIZE, .string = ""}, "string"},
        {{SIZE, .string = "x"}, "integer"},
        {{SIZE, .string = "x", .integer = 1}, "moment"},
        {{UP_TO_MOMENT}, "color"},
        {{UP_TO_MOMENT, .color_text = ""}, "color"},
        {{UP_TO_MOMENT, .color_text = "NEW"}, "json"},
        {{UP_TO_MOMENT, .color = COLOR_RED, .json = ""}, "json"},
        {{UP_TO_MOMENT, .color = COLOR_RED, .json = "{}"}, "object"},
        {{UP_TO_OBJECT}, "strings"},
        {{UP_TO_OBJECT, .strings = three}, "strings"},
        {{UP_TO_OBJECT, .strings = three, .n_strings = 1}, NULL},
    };
    struct everything older = cases[COUNT(cases) - 1].value;

    for (size_t i = 0; i < COUNT(cases); i++) {
        char expected[100];

        CU_ASSERT_EQUAL(check(&type, &cases[i].value),
                        cases[i].missing ? SCALEKIT_ERR_INVALID : SCALEKIT_OK);
        if (cases[i].missing) {
            snprintf(expected, sizeof expected, "%s is required", cases[i].missing);
            CU_ASSERT_STRING_EQUAL(failure.parameter, cases[i].missing);
            CU_ASSERT_STRING_EQUAL(failure.text, expected);
        }
    }
    /* Where the structure is too old to have the member. */
    older.struct_size = offsetof(struct everything, strings);
    CU_ASSERT_EQUAL(check(&type, &older), SCALEKIT_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(failure.text, "strings is required");
}

static void a_structure_must_know_its_size(void)
{
    struct {
        struct everything value;
        char more[8000];
    } grown = {.value = {.string = "abc"}};

    CU_ASSERT_EQUAL(check(&limited_type, &grown), SCALEKIT_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(failure.parameter, "struct_size");
    CU_ASSERT_STRING_EQUAL(failure.text,
                           "struct_size is 0: make the structure with SCALEKIT_PARAMS");

    /* A newer program's members are fine as long as they are not used. */
    grown.value.struct_size = sizeof grown.value + 100;
    CU_ASSERT_EQUAL(check(&limited_type, &grown), SCALEKIT_OK);
    grown.more[100] = 1;
    CU_ASSERT_EQUAL(check(&limited_type, &grown), SCALEKIT_OK);
    grown.more[99] = 1;
    CU_ASSERT_EQUAL(check(&limited_type, &grown), SCALEKIT_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(failure.parameter, "struct_size");
    CU_ASSERT_STRING_EQUAL(failure.text,
                           "struct_size covers members that this version does not know");

    /* Nothing is read on the word of a size that cannot be. */
    grown.value.struct_size = SIZE_MAX;
    CU_ASSERT_EQUAL(check(&limited_type, &grown), SCALEKIT_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(failure.text, "struct_size is not the size of the structure");
}

static void an_older_structure_is_not_read_beyond_its_end(void)
{
    struct everything value = {.string = "abc", .integer = 1000, .n_objects = 5};

    value.struct_size = offsetof(struct everything, integer);
    CU_ASSERT_EQUAL(check(&limited_type, &value), SCALEKIT_OK);
    value.struct_size = offsetof(struct everything, boolean);
    CU_ASSERT_EQUAL(check(&limited_type, &value), SCALEKIT_ERR_INVALID);
}

static bool check_json(struct test_memory *memory, void *user)
{
    static const struct everything value = {SIZE, .json = "{\"a\":[\"\\n\"]}"};
    struct ski_mem mem;
    scalekit_err err;

    ski_mem_init(&mem, &memory->allocator);
    err = ski_check(&mem, user, &value, &failure);
    CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
    if (err != SCALEKIT_OK)
        CU_ASSERT_EQUAL(failure.code, err);
    return err == SCALEKIT_OK;
}

static void every_refused_allocation_is_survived(void)
{
    CU_ASSERT(test_every_allocation(check_json, (void *)&limited_type) > 1);
}

SUITE(check, {"what is within the limits passes", what_is_within_the_limits_passes},
      {"what is not is named with its limit", what_is_not_is_named_with_its_limit},
      {"required members must be there and not empty",
       required_members_must_be_there_and_not_empty},
      {"a structure must know its size", a_structure_must_know_its_size},
      {"an older structure is not read beyond its end",
       an_older_structure_is_not_read_beyond_its_end},
      {"every refused allocation is survived", every_refused_allocation_is_survived})
