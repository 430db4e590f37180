#include "http/exchange.h"

void ski_exchange_init(struct ski_exchange *exchange, const struct ski_mem *mem, size_t max_body)
{
    *exchange = (struct ski_exchange){.max_body = max_body};
    ski_headers_init(&exchange->answer_headers, mem);
    ski_buf_init(&exchange->answer, mem, max_body);
    ski_list_init(&exchange->link);
}

void ski_exchange_reset(struct ski_exchange *exchange)
{
    exchange->status = 0;
    ski_headers_clear(&exchange->answer_headers);
    ski_buf_clear(&exchange->answer);
}

void ski_exchange_free(struct ski_exchange *exchange)
{
    ski_headers_free(&exchange->answer_headers);
    ski_buf_free(&exchange->answer);
}
