#include "haul.h"
#include <stdlib.h>

#define BLOCK 65536

/* At least BLOCK bytes of the alphabet, from the n-th on. */
static const char *letters(size_t n)
{
    static char block[BLOCK + 26];

    for (size_t i = 0; !block[sizeof block - 1] && i < sizeof block; i++)
        block[i] = (char)('a' + i % 26);
    return block + n % 26;
}

static size_t at_most(size_t length, size_t most)
{
    return length < most ? length : most;
}

static bool is_alphabet(const char *bytes, size_t length, size_t from)
{
    for (size_t at = 0, n; at < length; at += n) {
        n = at_most(length - at, BLOCK);
        if (memcmp(bytes + at, letters(from + at), n) != 0)
            return false;
    }
    return true;
}

/* --- the owner --------------------------------------------------------------------------------- */

static void take(struct haul *haul)
{
    struct ski_buf *answer = &haul->shot.exchange.answer;

    if (answer->length > haul->most)
        haul->most = answer->length;
    if (haul->stuck || haul->transfer.paused)
        return;
    CU_ASSERT(haul->transfer.head || answer->length == 0);
    haul->torn |= !is_alphabet(answer->data, answer->length, haul->got);
    haul->got += answer->length;
    ski_buf_clear(answer);
}

static void put(struct haul *haul)
{
    struct ski_transfer *transfer = &haul->transfer;
    size_t size = haul->piece ? haul->piece : SKI_TRANSFER_UP, n;

    if (!transfer->wanted || transfer->ended || haul->withholding)
        return;
    CU_ASSERT_EQUAL(transfer->out.length, 0);
    for (size = at_most(size, haul->to_send - haul->sent); size > 0; size -= n, haul->sent += n) {
        n = at_most(size, BLOCK);
        ski_buf_add(&transfer->out, letters(haul->sent), n);
    }
    CU_ASSERT_FALSE(transfer->out.failed);
    transfer->ended = haul->sent == haul->to_send;
}

void haul_tend(struct haul *haul)
{
    take(haul);
    put(haul);
    ski_pool_transfer(haul->pond->pool, &haul->shot.exchange);
}

static void on_turn(struct ski_task *task)
{
    struct haul *haul = SKI_CONTAINER(task, struct haul, turn);

    haul->turns++;
    haul_tend(haul);
}

static void on_stir(struct ski_exchange *exchange)
{
    struct haul *haul = SKI_CONTAINER(exchange, struct haul, shot.exchange);

    ski_task_defer(&haul->pond->rig.test.loop, &haul->turn);
}

void haul_init(struct haul *haul, struct pond *pond, const char *target)
{
    const struct ski_mem *mem = &pond->rig.test.loop.mem;

    memset(haul, 0, sizeof *haul);
    haul->pond = pond;
    shot_init(&haul->shot, &pond->rig, target);
    haul->shot.exchange.answer.maximum = SKI_TRANSFER_MAX_DOWN;
    ski_transfer_init(&haul->transfer, mem);
    haul->transfer.stir = on_stir;
    haul->transfer.down = true;
    haul->shot.exchange.transfer = &haul->transfer;
    ski_task_init(&haul->turn, on_turn);
}

void haul_set_body(struct haul *haul, size_t length, bool told)
{
    haul->shot.exchange.method = "POST";
    haul->to_send = length;
    haul->transfer.up = true;
    haul->transfer.has_length = told;
    haul->transfer.length = length;
}

void haul_free(struct haul *haul)
{
    ski_task_cancel(&haul->turn);
    ski_transfer_free(&haul->transfer);
    shot_free(&haul->shot);
}

void haul_start(struct haul *haul)
{
    pond_start(haul->pond, &haul->shot);
}

void haul_cancel(struct haul *haul)
{
    pond_cancel(haul->pond, &haul->shot);
}

void haul_pause(struct haul *haul, bool paused)
{
    haul->transfer.paused = paused;
    haul_tend(haul);
}

bool haul_arrived(struct haul *haul, int status, size_t length)
{
    haul->stuck = haul->transfer.paused = false;
    take(haul);
    return haul->shot.done == 1 && haul->shot.failure.code == SCALEKIT_OK && !haul->torn &&
           haul->shot.exchange.status == status && haul->got == length;
}

/* --- the server -------------------------------------------------------------------------------- */

/* What it knows of the request under way on a link. */
struct request {
    char head[1024], target[64];
    size_t head_length;
    bool in_body, chunked;
    size_t left;    /* of the body, or of a chunk and the CR LF behind it */
    size_t framing; /* of `left`, what is CR LF */
    size_t line;    /* of a chunk's size, read so far */
};

static void send_alphabet(struct test_link *link, size_t from, size_t length)
{
    for (size_t n; length > 0; length -= n, from += n) {
        n = at_most(length, BLOCK);
        test_link_send(link, letters(from), n);
    }
}

static void send_chunks(struct test_link *link, size_t length)
{
    char size[24];

    test_link_says(link, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t sent = 0, n = 1; sent < length; sent += n, n = n * 2 % 100000 + 1) {
        if (n > length - sent)
            n = length - sent;
        snprintf(size, sizeof size, "%zX\r\n", n);
        test_link_says(link, size);
        send_alphabet(link, sent, n);
        test_link_says(link, "\r\n");
    }
    test_link_says(link, "0\r\n\r\n");
}

static void send_counted(struct test_link *link, size_t length, size_t of_it)
{
    char head[80];

    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length);
    test_link_says(link, head);
    send_alphabet(link, 0, of_it);
}

static void answer(struct porter *porter, struct test_link *link, const char *target)
{
    char text[32];
    size_t length;

    if (sscanf(target, "/bytes/%zu", &length) == 1) {
        send_counted(link, length, length);
    } else if (sscanf(target, "/chunks/%zu", &length) == 1) {
        send_chunks(link, length);
    } else if (sscanf(target, "/half/%zu", &length) == 1) {
        send_counted(link, length, length / 2);
    } else if (sscanf(target, "/close/%zu", &length) == 1) {
        test_link_says(link, "HTTP/1.1 200 OK\r\n\r\n");
        send_alphabet(link, 0, length);
        test_link_finish(link);
    } else if (strcmp(target, "/mute") != 0 && strcmp(target, "/early") != 0) {
        snprintf(text, sizeof text, "%zu", porter->body);
        test_link_says(link, "HTTP/1.1 200 OK\r\nX-Body: ");
        test_link_says(link, text);
        test_link_says(link, "\r\nContent-Length: 0\r\n\r\n");
    }
}

static void read_head(struct porter *porter, struct test_link *link, struct request *request)
{
    const char *length = strstr(request->head, "content-length: ");

    CU_ASSERT_FATAL(sscanf(request->head, "%*s %63s", request->target) == 1);
    porter->heads++;
    porter->body = 0;
    request->in_body = true;
    request->chunked = strstr(request->head, "transfer-encoding: chunked") != NULL;
    request->left = length ? strtoul(length + 16, NULL, 10) : 0;
    request->framing = request->line = 0;
    CU_ASSERT_FALSE(length && request->chunked);
    if (strcmp(request->target, "/early") == 0)
        test_link_says(link, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nabc");
}

/* One byte of a chunk's size.  true: it was that of the last. */
static bool read_size(struct porter *porter, struct request *request, char c)
{
    request->head[request->line++] = c;
    if (c != '\n')
        return false;
    request->head[request->line] = '\0';
    porter->torn |= sscanf(request->head, "%zx", &request->left) != 1;
    request->line = 0;
    request->framing = 2;
    request->left += 2;
    return request->left == 2;
}

/* Takes bytes of a body; *over when it is complete. */
static size_t read_body(struct porter *porter, struct request *request, const char *bytes,
                        size_t length, bool *over)
{
    size_t taken = 0, data;

    if (request->chunked && request->left == 0) {
        if (read_size(porter, request, *bytes))
            request->chunked = false; /* only its CR LF is to come */
        return 1;
    }
    if (request->left > request->framing) {
        data = request->left - request->framing;
        taken = length < data ? length : data;
        porter->torn |= !is_alphabet(bytes, taken, porter->body);
        porter->body += taken;
    } else if (request->left > 0) {
        taken = 1;
        porter->torn |= *bytes != (request->left == 2 ? '\r' : '\n');
    }
    request->left -= taken;
    *over = !request->chunked && request->left == 0;
    return taken;
}

static void on_received(struct test_link *link, const char *bytes, size_t length)
{
    struct porter *porter = test_peer_user(test_link_peer(link));
    struct request *request = test_link_user(link);
    size_t used = 0;

    while (used < length || (request->in_body && request->left == 0 && !request->chunked)) {
        bool over = false;

        if (request->in_body) {
            used += read_body(porter, request, bytes + used, length - used, &over);
        } else {
            CU_ASSERT_FATAL(request->head_length < sizeof request->head - 1);
            request->head[request->head_length++] = bytes[used++];
            request->head[request->head_length] = '\0';
            if (strstr(request->head, "\r\n\r\n"))
                read_head(porter, link, request);
        }
        if (!over)
            continue;
        request->in_body = false;
        request->head_length = 0;
        answer(porter, link, request->target);
    }
}

static void on_opened(struct test_link *link)
{
    struct request *request = calloc(1, sizeof *request);

    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    test_link_set_user(link, request);
}

static void on_closed(struct test_link *link)
{
    free(test_link_user(link));
}

void porter_init(struct porter *porter, struct pond *pond, SSL_CTX *tls)
{
    memset(porter, 0, sizeof *porter);
    porter->peer =
        test_peer_new(pond->rig.test.base, &(struct test_peer_config){.tls = tls,
                                                                      .opened = on_opened,
                                                                      .received = on_received,
                                                                      .closed = on_closed,
                                                                      .user = porter});
    rig_set_port(&pond->rig, test_peer_port(porter->peer));
}

void porter_free(struct porter *porter)
{
    test_peer_free(porter->peer);
}
