#include "json/members.h"
#include "json/parse.h"

struct count {
    struct ski_parser parser;
    unsigned depth;
    int members;
};

static int open(struct count *count, bool is_object)
{
    if (count->depth == 0 && !is_object)
        ski_parser_leave(&count->parser, SKI_PARSE_WRONG_VALUE);
    if (++count->depth > SKI_JSON_MAX_DEPTH)
        ski_parser_leave(&count->parser, SKI_PARSE_TOO_DEEP);
    return 1;
}

static int on_object(void *user)
{
    return open(user, true);
}

static int on_list(void *user)
{
    return open(user, false);
}

static int on_end(void *user)
{
    struct count *count = user;

    count->depth--;
    return 1;
}

static int on_key(void *user, const unsigned char *key, size_t length)
{
    struct count *count = user;

    (void)key;
    (void)length;
    count->members += count->depth == 1;
    return 1;
}

/* Any other value: not the whole text. */
static int on_value(struct count *count)
{
    if (count->depth == 0)
        ski_parser_leave(&count->parser, SKI_PARSE_WRONG_VALUE);
    return 1;
}

static int on_null(void *user)
{
    return on_value(user);
}

static int on_boolean(void *user, int value)
{
    (void)value;
    return on_value(user);
}

static int on_text(void *user, const unsigned char *text, size_t length)
{
    (void)text;
    (void)length;
    return on_value(user);
}

static int on_number(void *user, const char *text, size_t length)
{
    (void)text;
    (void)length;
    return on_value(user);
}

int ski_json_count_members(const struct ski_mem *mem, const char *text, size_t length)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_text,
        .yajl_start_map = on_object,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_list,
        .yajl_end_array = on_end,
    };
    struct count count = {.depth = 0};

    if (length == 0 ||
        ski_parse(&count.parser, mem, text, length, &callbacks, &count) != SKI_PARSED)
        return -1;
    return count.members;
}
