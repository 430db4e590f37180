#include "harness.h"
#include "http/transfer.h"

static struct ski_mem mem;

static void begin(struct ski_exchange *exchange)
{
    ski_mem_init(&mem, NULL);
    ski_exchange_init(exchange, &mem, 8);
}

static void starts_empty(void)
{
    struct ski_exchange exchange;

    begin(&exchange);
    CU_ASSERT_EQUAL(exchange.status, 0);
    CU_ASSERT_EQUAL(exchange.n_headers, 0);
    CU_ASSERT_EQUAL(exchange.answer_headers.count, 0);
    CU_ASSERT_EQUAL(exchange.answer.length, 0);
    CU_ASSERT_PTR_NULL(exchange.body);
    CU_ASSERT_FALSE(exchange.sent);
    CU_ASSERT_FALSE(ski_list_linked(&exchange.link));
    ski_exchange_free(&exchange);
}

static void forgets_the_answer_and_keeps_the_request(void)
{
    struct ski_exchange exchange;

    begin(&exchange);
    exchange.method = "GET";
    exchange.target = "/a";
    exchange.headers[exchange.n_headers++] = SKI_HEADER("accept", "*/*");
    exchange.status = 503;
    ski_headers_add(&exchange.answer_headers, ski_slice_of("a"), ski_slice_of("b"));
    ski_buf_adds(&exchange.answer, "12345678");
    ski_buf_addc(&exchange.answer, '9');
    CU_ASSERT_EQUAL(exchange.answer.failed, SKI_BUF_FULL);

    ski_exchange_reset(&exchange);
    CU_ASSERT_EQUAL(exchange.status, 0);
    CU_ASSERT_PTR_NULL(ski_headers_get(&exchange.answer_headers, "a"));
    CU_ASSERT_EQUAL(exchange.answer.length, 0);
    CU_ASSERT_EQUAL(exchange.answer.failed, SKI_BUF_OK);
    CU_ASSERT_STRING_EQUAL(exchange.method, "GET");
    CU_ASSERT_STRING_EQUAL(exchange.target, "/a");
    CU_ASSERT_EQUAL(exchange.n_headers, 1);
    ski_exchange_free(&exchange);
}

static void holds_no_more_than_its_limit(void)
{
    struct ski_exchange exchange;

    begin(&exchange);
    CU_ASSERT_EQUAL(exchange.max_body, 8);
    CU_ASSERT_TRUE(ski_buf_reserve(&exchange.answer, 8));
    CU_ASSERT_FALSE(ski_buf_reserve(&exchange.answer, 9));
    ski_exchange_free(&exchange);
}

/* --- what may be sent -------------------------------------------------------------------------- */

static bool valid_with(struct ski_header header, unsigned times)
{
    struct ski_header headers[SKI_MAX_MORE_HEADERS + 1];
    struct ski_exchange exchange;
    bool valid;

    begin(&exchange);
    exchange.method = "GET";
    exchange.target = "/a";
    for (unsigned i = 0; i < times; i++)
        headers[i] = header;
    exchange.more_headers = headers;
    exchange.n_more_headers = times;
    valid = ski_exchange_valid(&exchange);
    ski_exchange_free(&exchange);
    return valid;
}

static void checks_the_callers_headers_too(void)
{
    CU_ASSERT(valid_with(SKI_HEADER("a", "b"), 0));
    CU_ASSERT(valid_with(SKI_HEADER("a", "b"), SKI_MAX_MORE_HEADERS));
    CU_ASSERT_FALSE(valid_with(SKI_HEADER("a", "b"), SKI_MAX_MORE_HEADERS + 1));
    CU_ASSERT_FALSE(valid_with(SKI_HEADER("a b", "c"), 1));
    CU_ASSERT_FALSE(valid_with(SKI_HEADER("a", "b\r\nc: d"), 1));
}

static void says_the_length_that_a_server_expects(void)
{
    static const struct {
        const char *method, *body;
        bool up, told, says;
        uint64_t length;
    } rows[] = {
        {"GET", NULL, false, false, false, 0},  {"DELETE", NULL, false, false, false, 0},
        {"POST", NULL, false, false, true, 0},  {"PUT", NULL, false, false, true, 0},
        {"PATCH", NULL, false, false, true, 0}, {"GET", "abc", false, false, true, 3},
        {"POST", "", false, false, true, 0},    {"POST", NULL, true, false, false, 0},
        {"POST", NULL, true, true, true, 7},    {"GET", NULL, true, true, true, 7},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ski_transfer transfer = {
            .up = rows[i].up, .has_length = rows[i].told, .length = rows[i].told ? 7 : 0};
        struct ski_exchange exchange;
        uint64_t length = 0;

        begin(&exchange);
        exchange.method = rows[i].method;
        exchange.body = rows[i].body;
        exchange.body_length = rows[i].body ? strlen(rows[i].body) : 0;
        exchange.transfer = rows[i].up ? &transfer : NULL;
        CU_ASSERT_EQUAL(ski_exchange_length(&exchange, &length), rows[i].says);
        CU_ASSERT_EQUAL(length, rows[i].length);
        CU_ASSERT_EQUAL(ski_exchange_streams_up(&exchange), rows[i].up);
        ski_exchange_free(&exchange);
    }
}

SUITE(exchange, {"starts empty", starts_empty},
      {"forgets the answer and keeps the request", forgets_the_answer_and_keeps_the_request},
      {"holds no more of an answer than its limit", holds_no_more_than_its_limit},
      {"checks the caller's headers too", checks_the_callers_headers_too},
      {"says the length that a server expects", says_the_length_that_a_server_expects})
