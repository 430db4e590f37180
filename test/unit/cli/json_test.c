#include "capture.h"
#include "cli/json.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void valid_is_what_the_grammar_says(void)
{
    static const char *const valid[] = {
        "{}",
        "[]",
        " [ ] ",
        "\"\"",
        "0",
        "-0",
        "-12.50e+3",
        "1E9",
        "true",
        "false",
        "null",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
        "\"\\u00e9\\n\\\\\\\"\\/\"",
        "\n\t{\r\"a\" : 1 , \"b\" : [ true ] }\n",
    };
    static const char *const invalid[] = {
        "",      " ",     "{",  "}",      "[1,]",      "{\"a\":1,}",  "{\"a\"}",   "{a:1}",
        "{1:2}", "[1 2]", "01", "1.",     ".5",        "1e",          "-",         "+1",
        "tru",   "True",  "\"", "\"\\\"", "\"\\x41\"", "\"\\u12g4\"", "\"\\u12",   "\"a\nb\"",
        "1 2",   "{} {}", "[}", "{]",     "'a'",       "nan",         "truefalse", "[,1]",
    };

    for (size_t i = 0; i < COUNT(valid); i++)
        CU_ASSERT(json_is_valid(valid[i]));
    for (size_t i = 0; i < COUNT(invalid); i++)
        CU_ASSERT_FALSE(json_is_valid(invalid[i]));
}

/* `depth` lists in one another, on a text of twice as many bytes and a NUL. */
static const char *nested(char *text, size_t depth)
{
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

static void nesting_has_a_limit(void)
{
    char text[2 * 65 + 1];

    CU_ASSERT(json_is_valid(nested(text, 64)));
    CU_ASSERT_FALSE(json_is_valid(nested(text, 65)));
}

#define C(code, text) "\033[" code "m" text "\033[0m"

static void a_value_is_shown_in_its_style(void)
{
    static const struct {
        const char *text;
        struct json_style style;
        const char *shown;
    } cases[] = {
        {" { \"a\" : [ 1 , 2 ] }\n", {0}, "{\"a\":[1,2]}"},
        {"{\"a\":[1,{}],\"b\":[]}",
         {.pretty = true},
         "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"},
        {"\"x\"", {.pretty = true}, "\"x\""},
        {"{\"a\":[\"s\",1,true]}",
         {.color = true},
         "{" C("36", "\"a\"") ":[" C("32", "\"s\"") "," C("33", "1") "," C("35", "true") "]}"},
        {"{\"key\":\"s3cret\",\"n\":[4711,null,true]}",
         {.mask = true},
         "{\"key\":\"***\",\"n\":[\"***\",null,true]}"},
        {"not {json", {.pretty = true, .mask = true}, "not {json"},
        {"{\"a\":1}}", {.pretty = true}, "{\"a\":1}}"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct capture capture;

        capture_begin(&capture);
        json_print(capture.out, cases[i].text, &cases[i].style);
        capture_expect(&capture, cases[i].shown);
    }
}

static void a_terminal_is_sent_nothing_it_would_obey(void)
{
    static const char text[] = "[\"\x7f\",\"\xc2\x9b"
                               "2J\",\"caf\xc3\xa9 \xc2\xa0\"]";
    struct capture capture;

    capture_begin(&capture);
    json_print(capture.out, text, &(struct json_style){.pretty = true});
    capture_expect(&capture, "[\n  \"\\u007f\",\n  \"\\u009b2J\",\n  \"caf\xc3\xa9 \xc2\xa0\"\n]");
    capture_begin(&capture);
    json_print(capture.out, text, &(struct json_style){0});
    capture_expect(&capture, text); /* a program gets what was sent */
}

static void a_string_is_quoted(void)
{
    struct capture capture;

    capture_begin(&capture);
    json_print_string(capture.out, "\"q\" \\ \n\t\x01 caf\xc3\xa9");
    capture_expect(&capture, "\"\\\"q\\\" \\\\ \\n\\t\\u0001 caf\xc3\xa9\"");
}

SUITE(cli_json, {"JSON is what the grammar says", valid_is_what_the_grammar_says},
      {"nesting has a limit", nesting_has_a_limit},
      {"a value is shown in its style", a_value_is_shown_in_its_style},
      {"a terminal is sent nothing it would obey", a_terminal_is_sent_nothing_it_would_obey},
      {"a string is quoted", a_string_is_quoted})
