#include "harness.h"
#include "http/headers.h"
#include <stdlib.h>

static struct ski_mem mem;

static struct ski_headers new_headers(void)
{
    struct ski_headers headers;

    ski_mem_init(&mem, NULL);
    ski_headers_init(&headers, &mem);
    return headers;
}

static enum ski_buf_failure add(struct ski_headers *headers, const char *name, const char *value)
{
    return ski_headers_add(headers, ski_slice_of(name), ski_slice_of(value));
}

static void finds_the_first_in_any_case(void)
{
    struct ski_headers headers = new_headers();

    CU_ASSERT_EQUAL(add(&headers, "Content-Type", "application/json"), SKI_BUF_OK);
    CU_ASSERT_EQUAL(add(&headers, "X-EMPTY", ""), SKI_BUF_OK);
    CU_ASSERT_EQUAL(add(&headers, "x-twice", "first"), SKI_BUF_OK);
    CU_ASSERT_EQUAL(add(&headers, "X-Twice", "second"), SKI_BUF_OK);
    CU_ASSERT_STRING_EQUAL(ski_headers_get(&headers, "content-type"), "application/json");
    CU_ASSERT_STRING_EQUAL(ski_headers_get(&headers, "x-empty"), "");
    CU_ASSERT_STRING_EQUAL(ski_headers_get(&headers, "x-twice"), "first");
    CU_ASSERT_PTR_NULL(ski_headers_get(&headers, "content"));
    CU_ASSERT_PTR_NULL(ski_headers_get(&headers, "first"));
    ski_headers_free(&headers);
}

static void walks_in_order(void)
{
    static const char *const expected[][2] = {{"b", "2"}, {"a", ""}, {"b", "3"}};
    struct ski_headers headers = new_headers();
    const char *name, *value;
    size_t at = 0, n = 0;

    CU_ASSERT_FALSE(ski_headers_next(&headers, &at, &name, &value));
    for (size_t i = 0; i < 3; i++)
        add(&headers, expected[i][0], expected[i][1]);
    for (; ski_headers_next(&headers, &at, &name, &value) && n < 3; n++) {
        CU_ASSERT_STRING_EQUAL(name, expected[n][0]);
        CU_ASSERT_STRING_EQUAL(value, expected[n][1]);
    }
    CU_ASSERT_EQUAL(n, 3);
    CU_ASSERT_EQUAL(headers.count, 3);
    ski_headers_free(&headers);
}

static void clears_and_begins_again(void)
{
    struct ski_headers headers = new_headers();

    add(&headers, "old", "1");
    ski_headers_clear(&headers);
    CU_ASSERT_EQUAL(headers.count, 0);
    CU_ASSERT_PTR_NULL(ski_headers_get(&headers, "old"));
    add(&headers, "new", "2");
    CU_ASSERT_STRING_EQUAL(ski_headers_get(&headers, "new"), "2");
    ski_headers_free(&headers);
    CU_ASSERT_EQUAL(headers.count, 0);
}

static void refuses_one_field_too_many(void)
{
    struct ski_headers headers = new_headers();

    for (unsigned i = 0; i < SKI_MAX_HEADERS; i++)
        CU_ASSERT_EQUAL_FATAL(add(&headers, "a", "b"), SKI_BUF_OK);
    CU_ASSERT_EQUAL(add(&headers, "a", "b"), SKI_BUF_FULL);
    CU_ASSERT_EQUAL(headers.count, SKI_MAX_HEADERS);
    ski_headers_free(&headers);
}

static void refuses_one_byte_too_many(void)
{
    static char big[SKI_MAX_HEADER_BYTES];
    struct ski_headers headers = new_headers();

    memset(big, 'x', sizeof big - 1);
    CU_ASSERT_EQUAL(add(&headers, "a", big), SKI_BUF_FULL);
    ski_headers_clear(&headers);
    big[sizeof big - 3] = '\0';
    CU_ASSERT_EQUAL(add(&headers, "a", big), SKI_BUF_OK);
    CU_ASSERT_STRING_EQUAL(ski_headers_get(&headers, "a"), big);
    CU_ASSERT_EQUAL(add(&headers, "b", ""), SKI_BUF_FULL);
    ski_headers_free(&headers);
}

static bool add_some(struct test_memory *memory, void *user)
{
    struct ski_headers headers;
    enum ski_buf_failure failed = SKI_BUF_OK;
    struct ski_mem limited;

    (void)user;
    ski_mem_init(&limited, &memory->allocator);
    ski_headers_init(&headers, &limited);
    for (unsigned i = 0; i < 100 && !failed; i++)
        failed = add(&headers, "a-name-of-some-length", "and a value of some length");
    CU_ASSERT(failed == SKI_BUF_OK || failed == SKI_BUF_NOMEM);
    ski_headers_free(&headers);
    return failed == SKI_BUF_OK;
}

static void survives_lack_of_memory(void)
{
    CU_ASSERT(test_every_allocation(add_some, NULL) > 2);
}

/* A value of every length, with one byte that may be wrong at every place. */
static void finds_a_bad_byte_anywhere(void)
{
    static const char bytes[] = {'\0', '\t', '\n', '\r',       0x1f,
                                 ' ',  '~',  0x7f, (char)0x80, (char)0xff};

    for (size_t length = 1; length < 40; length++)
        for (size_t at = 0; at < length; at++)
            for (size_t i = 0; i < sizeof bytes; i++) {
                bool valid = bytes[i] == '\t' || (unsigned char)bytes[i] >= 0x80 ||
                             (bytes[i] >= ' ' && bytes[i] < 0x7f);
                char text[40];

                memset(text, 'v', sizeof text);
                text[at] = bytes[i];
                CU_ASSERT_EQUAL(ski_header_value_valid((struct ski_slice){text, length}), valid);
            }
}

/* Every byte, judged by the grammar of RFC 9110. */
static void knows_the_characters(void)
{
    for (int c = 0; c < 256; c++) {
        char text[3] = {'a', (char)c, 'b'};
        struct ski_slice slice = {text, 3};
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool token = letter || (c && strchr("!#$%&'*+-.^_`|~", c));

        CU_ASSERT_EQUAL(ski_header_name_valid(slice), token);
        CU_ASSERT_EQUAL(ski_header_value_valid(slice), c == '\t' || (c >= ' ' && c != 0x7f));
    }
    CU_ASSERT_FALSE(ski_header_name_valid(ski_slice_of("")));
    CU_ASSERT_TRUE(ski_header_value_valid(ski_slice_of("")));
}

SUITE(headers, {"finds the first field of a name, in any case", finds_the_first_in_any_case},
      {"walks in the order of arrival", walks_in_order},
      {"clears and begins again", clears_and_begins_again},
      {"refuses one field too many", refuses_one_field_too_many},
      {"refuses one byte too many", refuses_one_byte_too_many},
      {"survives every lack of memory", survives_lack_of_memory},
      {"knows which characters names and values may have", knows_the_characters},
      {"finds a bad byte anywhere in a value", finds_a_bad_byte_anywhere})
