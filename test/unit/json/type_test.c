#include "everything.h"
#include "harness.h"
#include "json/type.h"

static const struct ski_field *row(const char *name)
{
    const struct ski_field *field = everything_type.fields;

    while (field->kind != SKI_END && strcmp(field->name, name) != 0)
        field++;
    return field;
}

static void a_row_knows_its_member(void)
{
    static const struct {
        const char *name, *member;
        enum ski_kind kind;
        size_t offset, second;
    } cases[] = {
#define AT(m) offsetof(struct everything, m)
        {"a_string", "string", SKI_STRING, AT(string), 0},
        {"an_integer", "integer", SKI_INTEGER, AT(integer), 0},
        {"a_boolean", "boolean", SKI_BOOLEAN, AT(boolean), 0},
        {"a_moment", "moment", SKI_TIMESTAMP, AT(moment), 0},
        {"color", "color", SKI_ENUM, AT(color), AT(color_text)},
        {"some_json", "json", SKI_JSON, AT(json), 0},
        {"an_object", "object", SKI_OBJECT, AT(object), 0},
        {"flat_object", "flat_object", SKI_FLAT, 0, 0},
        {"some_objects", "objects", SKI_OBJECTS, AT(objects), AT(n_objects)},
        {"some_strings", "strings", SKI_STRINGS, AT(strings), AT(n_strings)},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ski_field *field = row(cases[i].name);

        CU_ASSERT_EQUAL_FATAL(field->kind, cases[i].kind);
        CU_ASSERT_STRING_EQUAL(field->member, cases[i].member);
        CU_ASSERT_EQUAL(field->offset, cases[i].offset);
        CU_ASSERT_EQUAL(field->second, cases[i].second);
    }
    CU_ASSERT_EQUAL(row("a_secret")->flags, SKI_SECRET);
    CU_ASSERT_EQUAL(row("any_json")->flags, SKI_ANY_JSON);
    CU_ASSERT_EQUAL(row("none")->kind, SKI_END);
    CU_ASSERT_EQUAL(everything_type.size, sizeof(struct everything));
    CU_ASSERT_STRING_EQUAL(everything_type.name, "everything");
}

/* Up to where a structure must reach to have the member, with the count or text beside it. */
static void a_member_is_within_a_structure_that_holds_all_of_it(void)
{
    static const struct {
        const char *name;
        size_t end;
    } cases[] = {
#define END_OF(m) (offsetof(struct everything, m) + sizeof(((struct everything *)0)->m))
        {"a_string", END_OF(string)},
        {"an_integer", END_OF(integer)},
        {"a_boolean", END_OF(boolean)},
        {"a_moment", END_OF(moment)},
        {"color", END_OF(color_text)},
        {"some_json", END_OF(json)},
        {"an_object", END_OF(object)},
        {"some_objects", END_OF(n_objects)},
        {"some_strings", END_OF(n_strings)},
        {"a_number", END_OF(number)},
        {"a_choice", END_OF(choice)},
        {"a_duration", END_OF(duration)},
        {"a_map", END_OF(n_map)},
        {"list_json", END_OF(list_json)},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT(ski_field_within(row(cases[i].name), cases[i].end));
        CU_ASSERT_FALSE(ski_field_within(row(cases[i].name), cases[i].end - 1));
    }
    CU_ASSERT(ski_field_within(row("flat_object"), 0));
}

static void the_zero_value_is_absent(void)
{
    static const struct everything zero;
    static const char *const strings[] = {"x"};
    static const struct everything *const objects[] = {&zero};
    static const struct scalekit_entry entries[] = {{"", ""}};
    static const struct everything full = {
        .string = "",
        .integer = -1,
        .boolean = true,
        .moment = 1,
        .color = COLOR_RED,
        .json = "",
        .any_json = "",
        .object = &zero,
        .objects = objects,
        .n_objects = 1,
        .strings = strings,
        .n_strings = 1,
        .number = -0.5,
        .choice = SCALEKIT_NO,
        .duration = -1,
        .map = entries,
        .n_map = 1,
        .list_json = "",
        .in_path = "",
        .in_query = "",
        .secret = "",
        .read_only = "",
    };

    for (const struct ski_field *f = everything_type.fields; f->kind != SKI_END; f++) {
        CU_ASSERT_EQUAL(ski_field_absent(f, &zero), f->kind != SKI_FLAT);
        CU_ASSERT_FALSE(ski_field_absent(f, &full));
    }
    CU_ASSERT(ski_field_absent(row("none"), &full));
}

static void an_enum_is_its_word_or_its_text(void)
{
    static const struct {
        int value;
        const char *text, *expected;
    } cases[] = {
        {COLOR_RED, NULL, "RED"}, {COLOR_GREEN, "anything", "GREEN"},
        {0, "PURPLE", "PURPLE"},  {0, NULL, NULL},
        {77, NULL, NULL},         {77, "PURPLE", "PURPLE"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct everything thing = {.color = (enum color)cases[i].value,
                                   .color_text = cases[i].text};
        const char *text = ski_enum_text(row("color"), &thing);

        CU_ASSERT_EQUAL(!text, !cases[i].expected);
        if (text && cases[i].expected)
            CU_ASSERT_STRING_EQUAL(text, cases[i].expected);
        CU_ASSERT_EQUAL(ski_field_absent(row("color"), &thing), !text);
    }
}

SUITE(type, {"a row knows its member", a_row_knows_its_member},
      {"a member is within a structure that holds all of it",
       a_member_is_within_a_structure_that_holds_all_of_it},
      {"the zero value is absent", the_zero_value_is_absent},
      {"an enum is its word or its text", an_enum_is_its_word_or_its_text})
