#include "base/str.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct ski_slice slice(const char *text)
{
    return ski_slice_of(text);
}

static void comparing_ignores_the_case_of_ascii_only(void)
{
    static const struct {
        const char *a, *b;
        bool equal, equal_but_for_case;
    } cases[] = {
        {"", "", true, true},
        {"abc", "abc", true, true},
        {"aBc", "AbC", false, true},
        {"abc", "abcd", false, false},
        {"abcd", "abc", false, false},
        {"", "a", false, false},
        {"@[`{", "`{@[", false, false},
        {"\u00e9", "\u00c9", false, false},
        {"Content-Type", "content-type", false, true},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        CU_ASSERT_EQUAL(ski_str_ieq(cases[i].a, cases[i].b), cases[i].equal_but_for_case);
        CU_ASSERT_EQUAL(ski_slice_ieq(slice(cases[i].a), cases[i].b), cases[i].equal_but_for_case);
        CU_ASSERT_EQUAL(ski_slice_eq(slice(cases[i].a), cases[i].b), cases[i].equal);
    }
    for (int c = 0; c < 256; c++)
        CU_ASSERT_EQUAL(ski_lower((char)c), (char)(c >= 'A' && c <= 'Z' ? c + 32 : c));
}

static void a_slice_with_a_nul_equals_no_text(void)
{
    const struct ski_slice nul = {"ab\0c", 4};

    CU_ASSERT_FALSE(ski_slice_eq(nul, "ab"));
    CU_ASSERT_FALSE(ski_slice_ieq(nul, "ab"));
    CU_ASSERT(ski_slice_eq((struct ski_slice){NULL, 0}, ""));
    CU_ASSERT(ski_slice_ieq((struct ski_slice){NULL, 0}, ""));
}

static void trimming_takes_white_space_off_both_ends(void)
{
    static const struct {
        const char *text, *trimmed;
    } cases[] = {
        {"", ""}, {" \t\r\n", ""}, {"a", "a"}, {"  a b\t", "a b"}, {"\r\na\v\f", "a\v\f"},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT(ski_slice_eq(ski_slice_trim(slice(cases[i].text)), cases[i].trimmed));
}

/* --- UTF-8 ---------------------------------------------------------------------------------------- */

/* Beside each: its code points. 0: invalid, unless it is empty. */
static const struct {
    const char *text;
    size_t count;
} utf8[] = {
    {"", 0},
    {"plain text, longer than eight bytes", 35},
    {"caf\xc3\xa9", 4},
    {"\xe2\x82\xac", 1},
    {"\xf0\x9f\x98\x80 and more than eight bytes", 27},
    {"seven..\xc3\xa9", 8},
    {"\xc2\x80", 1},
    {"\xdf\xbf", 1},
    {"\xe0\xa0\x80", 1},
    {"\xed\x9f\xbf", 1},
    {"\xee\x80\x80", 1},
    {"\xef\xbf\xbf", 1},
    {"\xf0\x90\x80\x80", 1},
    {"\xf4\x8f\xbf\xbf", 1},
    {"\x80", 0},
    {"a\xbf", 0},
    {"\xc3", 0},
    {"\xc3(", 0},
    {"\xe2\x82", 0},
    {"\xe2\x82(", 0},
    {"\xe2(\xac", 0},
    {"\xf0\x9f\x98", 0},
    {"\xf0\x9f\x98(", 0},
    {"\xc0\x80", 0},
    {"\xc1\xbf", 0},
    {"\xe0\x9f\xbf", 0},
    {"\xf0\x8f\xbf\xbf", 0},
    {"\xed\xa0\x80", 0},
    {"\xed\xbf\xbf", 0},
    {"\xf4\x90\x80\x80", 0},
    {"\xf5\x80\x80\x80", 0},
    {"\xff", 0},
    {"eight...\xff", 0},
};

static void utf8_is_strict(void)
{
    for (size_t i = 0; i < COUNT(utf8); i++) {
        size_t length = strlen(utf8[i].text);
        bool valid = utf8[i].count > 0 || length == 0;

        CU_ASSERT_EQUAL(ski_utf8_valid(utf8[i].text, length), valid);
        CU_ASSERT_EQUAL(ski_utf8_count(utf8[i].text), valid ? utf8[i].count : length);
    }
    CU_ASSERT(ski_utf8_valid("a\0b", 3));
}

/* Against the definition: each code point, written by hand, is valid unless it is a surrogate. */
static void utf8_knows_every_code_point(void)
{
    unsigned wrong = 0;

    for (unsigned c = 0x80; c < 0x120000; c++) {
        const char two[] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
        const char three[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                              (char)(0x80 | (c & 0x3f))};
        const char four[] = {(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3f)),
                             (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f))};

        if (c < 0x800)
            wrong += !ski_utf8_valid(two, 2) || ski_utf8_valid(three, 3) || ski_utf8_valid(four, 4);
        else if (c < 0x10000)
            wrong +=
                ski_utf8_valid(three, 3) != (c < 0xd800 || c > 0xdfff) || ski_utf8_valid(four, 4);
        else
            wrong += ski_utf8_valid(four, 4) != (c <= 0x10ffff);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void cutting_spares_characters(void)
{
    static const struct {
        const char *text;
        size_t length, cut;
    } cases[] = {
        {"abc", 0, 0},
        {"abc", 2, 2},
        {"a\u00e9", 2, 1},
        {"a\u00e9", 3, 3},
        {"a\u20acb", 2, 1},
        {"a\u20acb", 3, 1},
        {"a\u20acb", 4, 4},
        {"a\u20acb", 5, 5},
        {"a\U0001f600", 2, 1},
        {"a\U0001f600", 3, 1},
        {"a\U0001f600", 4, 1},
        {"a\U0001f600", 5, 5},
        {"\x80\x80\x80\x80\x80", 5, 5}, /* not UTF-8: as it is */
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT_EQUAL(ski_utf8_cut(cases[i].text, cases[i].length), cases[i].cut);
}

/* --- numbers, percent-encoding, hashing ----------------------------------------------------------- */

static void numbers_are_digits_and_do_not_overflow(void)
{
    static const struct {
        const char *text;
        bool valid;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
        {"\xb2", false, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 77;

        CU_ASSERT_EQUAL(ski_parse_u64(slice(cases[i].text), &value), cases[i].valid);
        CU_ASSERT_EQUAL(value, cases[i].valid ? cases[i].value : 77);
    }
}

static void whole_numbers_may_be_spelt_in_any_way(void)
{
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-5", true, -5},
        {"5.0", true, 5},
        {"5.000000000000000000000000000000", true, 5},
        {"10500", true, 10500},
        {"1e3", true, 1000},
        {"1E+3", true, 1000},
        {"1.5e1", true, 15},
        {"-1200e-2", true, -12},
        {"0.0e-99999999999999999999", true, 0},
        {"0e99999999999999999999", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"922337203685477580700e-2", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551615", false, 0},
        {"18446744073709551616", false, 0},
        {"100000000000000000000001", false, 0},
        {"1e19", false, 0},
        {"1e99999999999999999999", false, 0},
        {"1.5", false, 0},
        {"1e-1", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {"--1", false, 0},
        {".5", false, 0},
        {"5.", false, 0},
        {"1.0.0", false, 0},
        {"1e", false, 0},
        {"1e+", false, 0},
        {"e1", false, 0},
        {"1e1.0", false, 0},
        {"1e1e1", false, 0},
        {"1 ", false, 0},
        {"0x10", false, 0},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 77;

        CU_ASSERT_EQUAL(ski_parse_i64(slice(cases[i].text), &value), cases[i].valid);
        CU_ASSERT_EQUAL(value, cases[i].valid ? cases[i].value : 77);
    }
}

static void percent_encoding_leaves_only_the_unreserved(void)
{
    static const struct {
        const char *text, *encoded;
    } cases[] = {
        {"", ""},
        {"AZaz09-._~", "AZaz09-._~"},
        {"a b", "a%20b"},
        {"100%", "100%25"},
        {"a&b=c+d/e?f#g", "a%26b%3Dc%2Bd%2Fe%3Ff%23g"},
        {"@[`{", "%40%5B%60%7B"},
        {"\u20ac\n\x7f", "%E2%82%AC%0A%7F"},
    };
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_buf buf;

    test_memory_init(&memory);
    ski_mem_init(&mem, &memory.allocator);
    ski_buf_init(&buf, &mem, 1000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ski_buf_clear(&buf);
        ski_percent_encode(&buf, cases[i].text);
        CU_ASSERT_STRING_EQUAL(ski_buf_text(&buf), cases[i].encoded);
    }
    ski_buf_free(&buf);
    CU_ASSERT_EQUAL(memory.live, 0);
}

/* The published values of FNV-1a, 64 bits. */
static void hashing_is_fnv_1a(void)
{
    CU_ASSERT_EQUAL(ski_hash("", 0), UINT64_C(0xcbf29ce484222325));
    CU_ASSERT_EQUAL(ski_hash("a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    CU_ASSERT_EQUAL(ski_hash("foobar", 6), UINT64_C(0x85944171f73967e8));
}

static void doubles_are_read_as_json_spells_them(void)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0},
                {"-1", -1},
                {"2.5", 2.5},
                {"1e3", 1000},
                {"1E-2", 0.01},
                {"0.1", 0.1},
                {"0.1000000000000000055511151231257827021181583404541015625000000000000", 0.1}};
    static const char *const bad[] = {"", "x", "1e999", "nan", "inf", "0x10", "1.2.3", "1 "};
    double value = 7;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT(ski_parse_double(slice(good[i].text), &value));
        CU_ASSERT_EQUAL(value, good[i].value);
    }
    value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(ski_parse_double(slice(bad[i]), &value));
    CU_ASSERT_EQUAL(value, 7);
}

static void doubles_are_written_as_short_as_they_read_back(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"}, {-1, "-1"}, {0.1, "0.1"}, {1e21, "1e+21"}, {1.0 / 3, "0.3333333333333333"}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SKI_DOUBLE_TEXT];

        ski_format_double(text, cases[i].value);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

SUITE(str, {"comparing ignores the case of ASCII only", comparing_ignores_the_case_of_ascii_only},
      {"a slice with a NUL equals no text", a_slice_with_a_nul_equals_no_text},
      {"trimming takes white space off both ends", trimming_takes_white_space_off_both_ends},
      {"UTF-8 is strict", utf8_is_strict},
      {"UTF-8 knows every code point", utf8_knows_every_code_point},
      {"cutting spares characters", cutting_spares_characters},
      {"numbers are digits and do not overflow", numbers_are_digits_and_do_not_overflow},
      {"whole numbers may be spelt in any way", whole_numbers_may_be_spelt_in_any_way},
      {"percent-encoding leaves only the unreserved", percent_encoding_leaves_only_the_unreserved},
      {"hashing is FNV-1a", hashing_is_fnv_1a},
      {"doubles are read as JSON spells them", doubles_are_read_as_json_spells_them},
      {"doubles are written as short as they read back",
       doubles_are_written_as_short_as_they_read_back})
