#include "capture.h"
#include "cli/table.h"
#include "harness.h"
#include <stdlib.h>

static void columns_are_as_wide_as_what_is_in_them(void)
{
    struct table table = {.columns = 3};
    struct capture capture;

    table_add(&table, (const char *const[]){"NAME", "", "WORDS"});
    table_add(&table, (const char *const[]){"caf\xc3\xa9", NULL, "four characters"});
    table_add(&table, (const char *const[]){"longer name", "", ""});
    table_add(&table, (const char *const[]){"", "", "no name"});
    capture_begin(&capture);
    CU_ASSERT(table_print(&table, capture.out, "<", ">"));
    capture_expect(&capture, "<NAME         WORDS>\n"
                             "caf\xc3\xa9         four characters\n"
                             "longer name\n"
                             "             no name\n");
}

static void a_table_is_empty_after_it_was_printed(void)
{
    struct table table = {.columns = 1};
    struct capture capture;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++)
            table_add(&table, (const char *const[]){"x"});
        capture_begin(&capture);
        CU_ASSERT(table_print(&table, capture.out, "", ""));
        CU_ASSERT_EQUAL(fflush(capture.out), 0);
        CU_ASSERT_EQUAL(capture.length, 400);
        fclose(capture.out);
        free(capture.text);
    }
}

static void a_character_is_one_column_wide(void)
{
    CU_ASSERT_EQUAL(table_width(""), 0);
    CU_ASSERT_EQUAL(table_width("abc"), 3);
    CU_ASSERT_EQUAL(table_width("caf\xc3\xa9 \xe2\x82\xac"), 6);
}

SUITE(cli_table, {"columns are as wide as what is in them", columns_are_as_wide_as_what_is_in_them},
      {"a table is empty after it was printed", a_table_is_empty_after_it_was_printed},
      {"a character is one column wide", a_character_is_one_column_wide})
