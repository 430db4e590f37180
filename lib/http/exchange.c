#include "http/exchange.h"
#include <string.h>

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

static bool target_valid(const char *target)
{
    if (*target != '/')
        return false;
    for (; *target; target++)
        if (*target <= ' ' || *target >= 0x7f)
            return false;
    return true;
}

bool ski_exchange_valid(const struct ski_exchange *exchange)
{
    if (!ski_header_name_valid(ski_slice_of(exchange->method)) || !target_valid(exchange->target))
        return false;
    for (unsigned i = 0; i < exchange->n_headers; i++)
        if (!ski_header_name_valid(exchange->headers[i].name) ||
            !ski_header_value_valid(exchange->headers[i].value))
            return false;
    return true;
}

bool ski_exchange_says_length(const struct ski_exchange *exchange)
{
    const char *method = exchange->method;

    return exchange->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}
