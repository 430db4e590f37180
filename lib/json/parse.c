/* Design.  yajl has no way to be told that memory ran out: it uses what its allocator returns.  So
 * the allocator we give it takes from an arena for this one document, frees nothing, and when there
 * is no memory leaves, by longjmp(), over yajl's frames to ski_parse().  The arena then takes back
 * everything yajl had.  The same way out serves failures inside callbacks.
 *
 * What yajl is lax about is settled before it sees the text: strict UTF-8; escapes of half a
 * surrogate pair, for which it makes up another character; and two characters it skips that are no
 * white space in JSON.
 *
 * The whole text is given to yajl at once; in pieces it would read long strings again and again. */
#include "json/parse.h"
#include "base/list.h"
#include "base/str.h"
#include <stdalign.h>
#include <string.h>

/* --- memory ------------------------------------------------------------------------------------ */

#define FIRST_SCRATCH 4096 /* enough for a parser and the 2 KiB it buffers in */

_Noreturn void ski_parser_leave(struct ski_parser *parser, enum ski_parse_outcome outcome)
{
    parser->outcome = outcome;
    longjmp(parser->way_out, 1);
}

/* A block of yajl's, which must be able to grow. */
struct block {
    size_t size;
    alignas(max_align_t) char data[];
};

static void *scratch_alloc(void *user, size_t size)
{
    struct ski_parser *parser = user;
    struct block *block = NULL;

    if (size <= SIZE_MAX - sizeof *block)
        block = ski_arena_alloc(&parser->scratch, sizeof *block + size);
    if (!block)
        ski_parser_leave(parser, SKI_PARSE_NO_MEMORY);
    block->size = size;
    return block->data;
}

void *ski_parser_realloc(void *user, void *old, size_t size)
{
    void *data = scratch_alloc(user, size);

    if (old) {
        size_t old_size = SKI_CONTAINER(old, struct block, data)->size;

        memcpy(data, old, old_size < size ? old_size : size);
    }
    return data;
}

static void scratch_free(void *user, void *memory)
{
    (void)user;
    (void)memory;
}

/* The code unit of "\uXXXX"; 0, which is no surrogate, when that is not what is there. */
static unsigned code_unit(const char *at, const char *end)
{
    unsigned unit = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return 0;
    for (int i = 2; i < 6; i++) {
        char c = ski_lower(at[i]);

        if (c >= '0' && c <= '9')
            unit = unit * 16 + (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            unit = unit * 16 + (unsigned)(c - 'a') + 10;
        else
            return 0;
    }
    return unit;
}

static bool pairs_are_whole(const char *text, size_t length)
{
    const char *end = text + length;
    const char *at = text;

    while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        unsigned first = code_unit(at, end), second;

        if (first >= 0xd800 && first <= 0xdfff) {
            second = code_unit(at + 6, end);
            if (first >= 0xdc00 || second < 0xdc00 || second > 0xdfff)
                return false;
            at += 12;
        } else if (end - at > 2) {
            at += 2;
        } else {
            break;
        }
    }
    return true;
}

_Noreturn static void leave_at(struct ski_parser *parser, size_t error_at)
{
    parser->error_at = error_at;
    ski_parser_leave(parser, SKI_PARSE_NOT_JSON);
}

/* Bare, these are valid nowhere in JSON. */
static void refuse(struct ski_parser *parser, char c)
{
    const char *at = memchr(parser->text, c, parser->length);

    if (at)
        leave_at(parser, (size_t)(at - parser->text));
}

static void read_text(struct ski_parser *parser, const yajl_callbacks *callbacks, void *user)
{
    yajl_alloc_funcs allocator = {scratch_alloc, ski_parser_realloc, scratch_free, parser};

    if (!ski_utf8_valid(parser->text, parser->length))
        ski_parser_leave(parser, SKI_PARSE_NOT_UTF8);
    if (!pairs_are_whole(parser->text, parser->length))
        ski_parser_leave(parser, SKI_PARSE_HALF_PAIR);
    refuse(parser, '\v');
    refuse(parser, '\f');
    parser->yajl = yajl_alloc(callbacks, &allocator, user);
    yajl_config(parser->yajl, yajl_dont_validate_strings, 1);
    if (yajl_parse(parser->yajl, (const unsigned char *)parser->text, parser->length) !=
        yajl_status_ok)
        leave_at(parser, yajl_get_bytes_consumed(parser->yajl));
    if (yajl_complete_parse(parser->yajl) != yajl_status_ok)
        ski_parser_leave(parser, SKI_PARSE_CUT_SHORT);
}

enum ski_parse_outcome ski_parse(struct ski_parser *parser, const struct ski_mem *mem,
                                 const char *text, size_t length, const yajl_callbacks *callbacks,
                                 void *user)
{
    parser->text = text;
    parser->length = length;
    parser->outcome = SKI_PARSED;
    ski_arena_init(&parser->scratch, mem, FIRST_SCRATCH, SIZE_MAX);
    if (setjmp(parser->way_out) == 0)
        read_text(parser, callbacks, user);
    ski_arena_free(&parser->scratch);
    return parser->outcome;
}

/* --- validating -------------------------------------------------------------------------------- */

/* Only the depth is ours to check. */
struct checker {
    struct ski_parser parser;
    size_t depth;
};

static int check_open(void *user)
{
    struct checker *checker = user;

    if (checker->depth++ == SKI_JSON_MAX_DEPTH)
        ski_parser_leave(&checker->parser, SKI_PARSE_TOO_DEEP);
    return 1;
}

static int check_close(void *user)
{
    ((struct checker *)user)->depth--;
    return 1;
}

const char ski_json_no_memory[] = "out of memory";

const char *ski_json_problem(const struct ski_mem *mem, const char *text, size_t length,
                             enum ski_json_shape shape)
{
    static const yajl_callbacks callbacks = {
        .yajl_start_map = check_open,
        .yajl_end_map = check_close,
        .yajl_start_array = check_open,
        .yajl_end_array = check_close,
    };
    static const char *const problems[] = {
        [SKI_PARSE_NO_MEMORY] = ski_json_no_memory,
        [SKI_PARSE_NOT_UTF8] = "must be valid UTF-8",
        [SKI_PARSE_HALF_PAIR] = "must not have half of a surrogate pair",
        [SKI_PARSE_NOT_JSON] = "must be valid JSON",
        [SKI_PARSE_CUT_SHORT] = "must be complete JSON",
        [SKI_PARSE_TOO_DEEP] = "must not be nested more than 64 deep",
    };
    struct ski_slice value = ski_slice_trim((struct ski_slice){text, length});
    struct checker checker;

    if (shape == SKI_JSON_OBJECT && (value.length == 0 || value.at[0] != '{'))
        return "must be a JSON object";
    if (shape == SKI_JSON_LIST && (value.length == 0 || value.at[0] != '['))
        return "must be a JSON list";
    checker.depth = 0;
    return problems[ski_parse(&checker.parser, mem, value.at, value.length, &callbacks, &checker)];
}
