#include "harness.h"
#include "json/members.h"

static const struct row {
    const char *text;
    int members;
} rows[] = {
    {"{}", 0},
    {" { \"a\" : 1 } ", 1},
    {"{\"a\":{\"b\":1,\"c\":2},\"d\":[{\"e\":1}]}", 2},
    {"{\"a\":null,\"b\":true,\"c\":\"x\",\"d\":-1.5e3}", 4},
    {"{\"a\":1,\"a\":2}", 2},
    {"", -1},
    {"[]", -1},
    {"[{\"a\":1}]", -1},
    {"1", -1},
    {"null", -1},
    {"true", -1},
    {"\"{}\"", -1},
    {"{\"a\":1", -1},
    {"{\"a\":1} x", -1},
    {"{\"a\":}", -1},
    {"{\"a\":\"\xff\"}", -1},
};

static void counts_the_members_of_an_object(void)
{
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_assertImplementation(ski_json_count_members(&mem, rows[i].text, strlen(rows[i].text)) ==
                                    rows[i].members,
                                __LINE__, rows[i].text, __FILE__, "", CU_FALSE);
    CU_ASSERT_EQUAL(ski_json_count_members(&mem, NULL, 0), -1);
}

static void stops_at_64_levels(void)
{
    char text[200];
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    for (int depth = 64; depth <= 65; depth++) {
        text[0] = '\0';
        snprintf(text, sizeof text, "{\"a\":");
        for (int i = 1; i < depth; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "[");
        for (int i = 1; i < depth; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "]");
        snprintf(text + strlen(text), sizeof text - strlen(text), "}");
        CU_ASSERT_EQUAL(ski_json_count_members(&mem, text, strlen(text)), depth == 64 ? 1 : -1);
    }
}

SUITE(members, {"counts the members of an object", counts_the_members_of_an_object},
      {"stops at 64 levels", stops_at_64_levels})
