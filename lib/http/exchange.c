#include "http/exchange.h"
#include "http/transfer.h"
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

static bool headers_valid(const struct ski_header *headers, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!ski_header_name_valid(headers[i].name) || !ski_header_value_valid(headers[i].value))
            return false;
    return true;
}

bool ski_exchange_valid(const struct ski_exchange *exchange)
{
    return ski_header_name_valid(ski_slice_of(exchange->method)) &&
           target_valid(exchange->target) &&
           headers_valid(exchange->headers, exchange->n_headers) &&
           exchange->n_more_headers <= SKI_MAX_MORE_HEADERS &&
           headers_valid(exchange->more_headers, exchange->n_more_headers);
}

bool ski_exchange_length(const struct ski_exchange *exchange, uint64_t *length)
{
    const struct ski_transfer *transfer = exchange->transfer;
    const char *method = exchange->method;

    if (transfer && transfer->up) {
        *length = transfer->length;
        return transfer->has_length;
    }
    *length = exchange->body ? exchange->body_length : 0;
    return exchange->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

bool ski_exchange_streams_up(const struct ski_exchange *exchange)
{
    return exchange->transfer && exchange->transfer->up;
}
