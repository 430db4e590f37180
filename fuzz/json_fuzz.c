/* json_fuzz.c - any bytes, decoded by a table with every kind, as an answer and as parameters.  What
 * was understood of an answer must pass its own checks, and must come out the same when it is encoded,
 * decoded and encoded again.  Parameters that pass them become JSON that can be read, and are the same
 * when copied. */
#include "base/str.h"
#include "json/check.h"
#include "json/copy.h"
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

/* `params`: an answer has no empty strings, those of parameters are gone when they are read as one. */
static void compare_round_trip(const struct ski_mem *mem, const void *value, bool params)
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
        require(params || strcmp(ski_buf_text(&first), ski_buf_text(&second)) == 0);
    } else {
        require(is_too_deep(&failure));
    }
    ski_buf_free(&first);
    ski_buf_free(&second);
    ski_arena_free(&arena);
}

static void decode_answer(const struct ski_mem *mem, const char *text, size_t size)
{
    struct ski_arena arena;
    struct ski_failure failure;
    const void *value;
    scalekit_err err;

    ski_arena_init(&arena, mem, 1024, SIZE_MAX);
    err = ski_json_decode(&arena, &everything_type, text, size, &value, &failure);
    require((err == SCALEKIT_OK) == (value != NULL));
    if (err == SCALEKIT_OK) {
        err = ski_check(mem, &everything_type, value, &failure);
        require(err == SCALEKIT_OK || strcmp(failure.parameter, "in_path") == 0);
        compare_round_trip(mem, value, false);
    } else {
        require(err == SCALEKIT_ERR_DECODE && strlen(failure.text) > 0);
        require(ski_utf8_valid(failure.text, strlen(failure.text)));
    }
    ski_arena_free(&arena);
}

static void compare_copy(const struct ski_mem *mem, const void *value)
{
    static const enum ski_encode_mode modes[] = {SKI_ENCODE_REQUEST, SKI_ENCODE_ALL,
                                                 SKI_ENCODE_REDACTED, SKI_ENCODE_SHOWN};
    struct ski_arena arena;
    const void *copy;

    ski_arena_init(&arena, mem, 1024, SIZE_MAX);
    copy = ski_copy(&arena, &everything_type, value);
    require(copy != NULL);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct ski_buf first, second;

        ski_buf_init(&first, mem, SIZE_MAX);
        ski_buf_init(&second, mem, SIZE_MAX);
        ski_json_encode(&first, &everything_type, value, modes[i]);
        ski_query_encode(&first, &everything_type, value, SKI_QUERY_ALL);
        ski_json_encode(&second, &everything_type, copy, modes[i]);
        ski_query_encode(&second, &everything_type, copy, SKI_QUERY_ALL);
        require(strcmp(ski_buf_text(&first), ski_buf_text(&second)) == 0);
        ski_buf_free(&first);
        ski_buf_free(&second);
    }
    ski_arena_free(&arena);
}

static void decode_params(const struct ski_mem *mem, const char *text, size_t size)
{
    struct ski_arena arena;
    struct ski_failure failure;
    const void *value;
    scalekit_err err;

    ski_arena_init(&arena, mem, 1024, SIZE_MAX);
    err = ski_json_decode_params(&arena, &everything_type, text, size, &value, &failure);
    require((err == SCALEKIT_OK) == (value != NULL));
    if (err == SCALEKIT_OK)
        err = ski_check(mem, &everything_type, value, &failure);
    if (err == SCALEKIT_OK) {
        compare_round_trip(mem, value, true);
        compare_copy(mem, value);
    } else {
        require(err == SCALEKIT_ERR_INVALID && strlen(failure.text) > 0);
        require(ski_utf8_valid(failure.text, strlen(failure.text)));
        require(failure.parameter && failure.parameter[0]);
    }
    ski_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    decode_answer(&mem, (const char *)data, size);
    decode_params(&mem, (const char *)data, size);
    return 0;
}
