/* json_fuzz.c - any bytes, decoded by a table with every kind.  What was understood must pass its
 * own checks, and must come out the same when it is encoded, decoded and encoded again. */
#include "json/check.h"
#include "json/decode.h"
#include "json/encode.h"
#include "unit/json/everything.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Every object has its FLAT written, which may be one level too deep to be read again. */
static bool is_too_deep(const struct ski_failure *failure)
{
    return strstr(failure->text, "nested more than") != NULL;
}

static void compare_round_trip(const struct ski_mem *mem, const void *value)
{
    struct ski_arena arena;
    struct ski_buf first, second;
    struct ski_failure failure;
    const void *again;
    scalekit_err err;

    ski_arena_init(&arena, mem, 1024, SIZE_MAX);
    ski_buf_init(&first, mem, SIZE_MAX);
    ski_buf_init(&second, mem, SIZE_MAX);
    ski_json_encode(&first, &everything_type, value, SKI_ENCODE_ALL);
    require(first.failed == SKI_BUF_OK);
    err = ski_json_decode(&arena, &everything_type, first.data, first.length, &again, &failure);
    if (err == SCALEKIT_OK) {
        ski_json_encode(&second, &everything_type, again, SKI_ENCODE_ALL);
        require(strcmp(ski_buf_text(&first), ski_buf_text(&second)) == 0);
    } else {
        require(is_too_deep(&failure));
    }
    ski_buf_free(&first);
    ski_buf_free(&second);
    ski_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct ski_mem mem;
    struct ski_arena arena;
    struct ski_failure failure;
    const void *value;
    scalekit_err err;

    ski_mem_init(&mem, NULL);
    ski_arena_init(&arena, &mem, 1024, SIZE_MAX);
    err = ski_json_decode(&arena, &everything_type, text, size, &value, &failure);
    require((err == SCALEKIT_OK) == (value != NULL));
    if (err == SCALEKIT_OK) {
        require(ski_check(&mem, &everything_type, value, &failure) == SCALEKIT_OK);
        compare_round_trip(&mem, value);
    } else {
        require(err == SCALEKIT_ERR_DECODE && strlen(failure.text) > 0);
    }
    ski_arena_free(&arena);
    return 0;
}
