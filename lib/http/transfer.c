#include "http/transfer.h"
#include <string.h>

void ski_transfer_init(struct ski_transfer *transfer, const struct ski_mem *mem)
{
    *transfer = (struct ski_transfer){.stir = NULL};
    ski_buf_init(&transfer->out, mem, SKI_TRANSFER_UP);
}

void ski_transfer_free(struct ski_transfer *transfer)
{
    ski_buf_free(&transfer->out);
}

void ski_transfer_reset(struct ski_transfer *transfer)
{
    transfer->head = transfer->wanted = false;
    transfer->held = 0;
}

bool ski_transfer_is_full(const struct ski_exchange *exchange)
{
    return exchange->transfer->paused || exchange->answer.length >= SKI_TRANSFER_DOWN;
}

size_t ski_transfer_left(const struct ski_transfer *transfer)
{
    return transfer->out.length - transfer->taken;
}

void ski_transfer_drop(struct ski_transfer *transfer)
{
    ski_buf_clear(&transfer->out);
    transfer->taken = 0;
}

size_t ski_transfer_take(struct ski_transfer *transfer, void *bytes, size_t size)
{
    size_t left = ski_transfer_left(transfer);

    if (size > left)
        size = left;
    if (size > 0)
        memcpy(bytes, transfer->out.data + transfer->taken, size);
    transfer->taken += size;
    if (transfer->taken == transfer->out.length)
        ski_transfer_drop(transfer);
    return size;
}

void ski_transfer_want(struct ski_exchange *exchange)
{
    exchange->transfer->wanted = exchange->transfer->begun = true;
    exchange->transfer->stir(exchange);
}
