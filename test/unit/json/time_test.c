#include "harness.h"
#include "json/time.h"
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SECONDS(n)   (INT64_C(n) * 1000000)

static void moments_are_read_as_rfc_3339_says(void)
{
    static const struct {
        const char *text;
        scalekit_time time;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-08-21T10:00:00Z", SECONDS(1787306400)},
        {"2026-08-21t10:00:00z", SECONDS(1787306400)},
        {"2026-08-21T10:00:00.5Z", SECONDS(1787306400) + 500000},
        {"2026-08-21T10:00:00.123456Z", SECONDS(1787306400) + 123456},
        {"2026-08-21T10:00:00.123456999Z", SECONDS(1787306400) + 123456},
        {"2026-08-21T10:00:00.000000001Z", SECONDS(1787306400)},
        {"2026-08-21T10:00:00+00:00", SECONDS(1787306400)},
        {"2026-08-21T10:00:00-00:00", SECONDS(1787306400)},
        {"2026-08-21T15:30:00+05:30", SECONDS(1787306400)},
        {"2026-08-20T23:00:00.25-11:00", SECONDS(1787306400) + 250000},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2000-02-29T00:00:00Z", SECONDS(951782400)},
        {"2024-02-29T12:00:00Z", SECONDS(1709208000)},
        {"1900-03-01T00:00:00Z", SECONDS(-2203891200)},
        {"2016-12-31T23:59:60Z", SECONDS(1483228800)},
        {"2016-12-31T23:59:60.5Z", SECONDS(1483228800) + 500000},
        {"0001-01-01T00:00:00Z", SKI_TIME_EARLIEST},
        {"9999-12-31T23:59:59.999999Z", SKI_TIME_LATEST},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        scalekit_time time = 77;

        CU_ASSERT(ski_time_parse(ski_slice_of(cases[i].text), &time));
        CU_ASSERT_EQUAL(time, cases[i].time);
    }
}

static void anything_else_is_no_moment(void)
{
    static const char *const cases[] = {
        "",
        "now",
        "1787306400",
        "2026-08-21",
        "2026-08-21T10:00:00",
        "2026-08-21 10:00:00Z",
        "2026-08-21T10:00Z",
        "2026-08-21T10:00:00Zulu",
        " 2026-08-21T10:00:00Z",
        "2026-08-21T10:00:00.Z",
        "2026-08-21T10:00:00.1234567890Z",
        "2026-08-21T10:00:00,5Z",
        "2026-08-21T10:00:00+0530",
        "2026-08-21T10:00:00+05",
        "2026-08-21T10:00:00+24:00",
        "2026-08-21T10:00:00+05:60",
        "2026-08-21T10:00:00*05:30",
        "2026-8-21T10:00:00Z",
        "2026/08/21T10:00:00Z",
        "2026-08/21T10:00:00Z",
        "2026-00-21T10:00:00Z",
        "2026-13-21T10:00:00Z",
        "2026-08-00T10:00:00Z",
        "2026-08-32T10:00:00Z",
        "2026-04-31T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2026-08-21T24:00:00Z",
        "2026-08-21T10.00:00Z",
        "2026-08-21T10:60:00Z",
        "2026-08-21T10:00.00Z",
        "2026-08-21T10:00:61Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        scalekit_time time = 77;

        if (ski_time_parse(ski_slice_of(cases[i]), &time))
            CU_FAIL("took what is no moment");
        CU_ASSERT_EQUAL(time, 77);
    }
}

static void a_moment_cut_anywhere_is_none(void)
{
    const char *text = "2026-08-21T10:00:00.123+05:30";
    scalekit_time time;

    for (size_t length = 0; length < strlen(text); length++)
        CU_ASSERT_FALSE(ski_time_parse((struct ski_slice){text, length}, &time));
    CU_ASSERT(ski_time_parse(ski_slice_of(text), &time));
}

static void moments_are_written_with_as_few_digits_as_hold_them(void)
{
    static const struct {
        scalekit_time time;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {SECONDS(1787306400), "2026-08-21T10:00:00Z"},
        {SECONDS(1787306400) + 500000, "2026-08-21T10:00:00.500Z"},
        {SECONDS(1787306400) + 7000, "2026-08-21T10:00:00.007Z"},
        {SECONDS(1787306400) + 1, "2026-08-21T10:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {SKI_TIME_EARLIEST, "0001-01-01T00:00:00Z"},
        {SKI_TIME_LATEST, "9999-12-31T23:59:59.999999Z"},
        {INT64_MIN, "0001-01-01T00:00:00Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[SKI_TIME_TEXT];

        ski_time_format(text, cases[i].time);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

/* Every 17 days and some, through all the years, against the C library's calendar. */
static void the_calendar_is_right_for_ten_thousand_years(void)
{
    const int64_t step = INT64_C(17) * 86400 + 12345;
    unsigned wrong = 0;

    for (int64_t t = SKI_TIME_EARLIEST / 1000000; t <= SKI_TIME_LATEST / 1000000; t += step) {
        time_t seconds = (time_t)t;
        scalekit_time parsed;
        char ours[SKI_TIME_TEXT], theirs[100];
        struct tm tm;

        ski_time_format(ours, t * 1000000);
        gmtime_r(&seconds, &tm);
        snprintf(theirs, sizeof theirs, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        wrong += strcmp(ours, theirs) != 0 || !ski_time_parse(ski_slice_of(ours), &parsed) ||
                 parsed != t * 1000000;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

SUITE(time, {"moments are read as RFC 3339 says", moments_are_read_as_rfc_3339_says},
      {"anything else is no moment", anything_else_is_no_moment},
      {"a moment cut anywhere is none", a_moment_cut_anywhere_is_none},
      {"moments are written with as few digits as hold them",
       moments_are_written_with_as_few_digits_as_hold_them},
      {"the calendar is right for ten thousand years",
       the_calendar_is_right_for_ten_thousand_years})
