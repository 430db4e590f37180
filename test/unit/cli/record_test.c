#include "capture.h"
#include "cli/record.h"
#include "harness.h"

static void every_kind_of_member(void)
{
    static const char *const scopes[] = {"a", "b"};
    struct capture capture;
    struct record record;

    capture_begin(&capture);
    record = record_begin(capture.out);
    record_text(&record, "text", "a \"b\"");
    record_text(&record, "absent", NULL);
    record_number(&record, "number", -7);
    record_bool(&record, "yes", true);
    record_moment(&record, "moment", 1769860800000000);
    record_moment(&record, "no_moment", 0);
    record_texts(&record, "texts", scopes, 2);
    record_texts(&record, "no_texts", NULL, 0);
    record_json(&record, "json", "{\n  \"x\": 1\n}");
    record_open(&record, "list", '[');
    record_open(&record, NULL, '{');
    record_text(&record, "a", "b");
    record_close(&record, '}');
    record_number(&record, NULL, 2);
    record_close(&record, ']');
    record_bool(&record, "no", false);
    record_end(&record);
    capture_expect(&capture, "{\"text\":\"a \\\"b\\\"\",\"number\":-7,\"yes\":true,"
                             "\"moment\":\"2026-01-31T12:00:00Z\",\"texts\":[\"a\",\"b\"],"
                             "\"json\":{\"x\":1},\"list\":[{\"a\":\"b\"},2],\"no\":false}\n");
}

static void an_empty_one_is_a_line_too(void)
{
    struct capture capture;
    struct record record;

    capture_begin(&capture);
    record = record_begin(capture.out);
    record_end(&record);
    capture_expect(&capture, "{}\n");
}

SUITE(cli_record, {"members of every kind stand on one line", every_kind_of_member},
      {"an empty object is a line, too", an_empty_one_is_a_line_too})
