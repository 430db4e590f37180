#include "harness.h"
#include "http/exchange.h"

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

SUITE(exchange, {"starts empty", starts_empty},
      {"forgets the answer and keeps the request", forgets_the_answer_and_keeps_the_request},
      {"holds no more of an answer than its limit", holds_no_more_than_its_limit})
