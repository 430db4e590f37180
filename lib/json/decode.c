/* Design.  yajl reads, we are called back for every value; struct frame is our stack, one for every
 * object or list that is being read into, and `ignored` counts the levels inside a member that is
 * skipped or kept as text.  Depth is ours to limit: yajl would go on for ever.
 *
 * yajl has no way to be told that memory ran out: it uses what its allocator returns.  So the
 * allocator we give it takes from an arena for this one document, frees nothing, and when there is
 * no memory leaves, by longjmp(), over yajl's frames to parse().  The arena then takes back
 * everything yajl had.  The same way out serves our own failures inside callbacks, which therefore
 * never return one.
 *
 * What yajl is lax about is settled before it sees the text: strict UTF-8; escapes of half a
 * surrogate pair, for which it makes up another character; and two characters it skips that are no
 * white space in JSON.  Numbers are taken as text: yajl's own conversion depends on the locale and
 * stops at numbers it finds too large, even unwanted ones.
 *
 * The whole text is given to yajl at once; in pieces it would read long strings again and again. */
#include "json/decode.h"
#include "base/list.h"
#include "base/str.h"
#include "json/time.h"
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* --- parsing --------------------------------------------------------------------------------------- */

enum outcome {
    PARSED,
    NO_MEMORY,
    NOT_UTF8,
    HALF_PAIR,  /* of surrogates */
    NOT_JSON,   /* see `error_at` */
    CUT_SHORT,  /* valid as far as it goes */
    TOO_DEEP,   /* beyond SKI_JSON_MAX_DEPTH */
    WRONG_VALUE /* valid, but not what the table says */
};

struct parser {
    yajl_handle yajl;
    struct ski_arena scratch; /* for what lives no longer than the parser */
    const char *text;
    size_t length, error_at;
    enum outcome outcome;
    jmp_buf way_out;
};

#define FIRST_SCRATCH 4096 /* enough for a parser and the 2 KiB it buffers in */

_Noreturn static void leave(struct parser *parser, enum outcome outcome)
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
    struct parser *parser = user;
    struct block *block = NULL;

    if (size <= SIZE_MAX - sizeof *block)
        block = ski_arena_alloc(&parser->scratch, sizeof *block + size);
    if (!block)
        leave(parser, NO_MEMORY);
    block->size = size;
    return block->data;
}

static void *scratch_realloc(void *user, void *old, size_t size)
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

_Noreturn static void leave_at(struct parser *parser, size_t error_at)
{
    parser->error_at = error_at;
    leave(parser, NOT_JSON);
}

/* Bare, these are valid nowhere in JSON. */
static void refuse(struct parser *parser, char c)
{
    const char *at = memchr(parser->text, c, parser->length);

    if (at)
        leave_at(parser, (size_t)(at - parser->text));
}

static void read_text(struct parser *parser, const yajl_callbacks *callbacks, void *user)
{
    yajl_alloc_funcs allocator = {scratch_alloc, scratch_realloc, scratch_free, parser};

    if (!ski_utf8_valid(parser->text, parser->length))
        leave(parser, NOT_UTF8);
    if (!pairs_are_whole(parser->text, parser->length))
        leave(parser, HALF_PAIR);
    refuse(parser, '\v');
    refuse(parser, '\f');
    parser->yajl = yajl_alloc(callbacks, &allocator, user);
    yajl_config(parser->yajl, yajl_dont_validate_strings, 1);
    if (yajl_parse(parser->yajl, (const unsigned char *)parser->text, parser->length) !=
        yajl_status_ok)
        leave_at(parser, yajl_get_bytes_consumed(parser->yajl));
    if (yajl_complete_parse(parser->yajl) != yajl_status_ok)
        leave(parser, CUT_SHORT);
}

/* What the scratch arena takes is bound by the length of the text, which the caller has limited. */
static enum outcome parse(struct parser *parser, const struct ski_mem *mem, const char *text,
                          size_t length, const yajl_callbacks *callbacks, void *user)
{
    parser->text = text;
    parser->length = length;
    parser->outcome = PARSED;
    ski_arena_init(&parser->scratch, mem, FIRST_SCRATCH, SIZE_MAX);
    if (setjmp(parser->way_out) == 0)
        read_text(parser, callbacks, user);
    ski_arena_free(&parser->scratch);
    return parser->outcome;
}

/* --- decoding -------------------------------------------------------------------------------------- */

/* An object being read, or a list. */
struct frame {
    void *structure;               /* where its members, or the list, are to go */
    const struct ski_type *type;   /* of the structure; NULL for a list */
    const struct ski_field *field; /* the row of the member, or list, being read; NULL: unknown */
    const struct ski_field *next;  /* the row after: members mostly come in the table's order */
    const void **items;            /* what the list has so far */
    size_t kept, room, seen;       /* items; seen counts null too */
};

struct decoder {
    struct parser parser;
    struct ski_arena *arena;
    struct ski_failure *failure;
    const void *result;
    struct ski_field root; /* a row for the document itself, whose member is `result` */
    size_t key_end;        /* where the last JSON row's key ends */
    size_t depth;          /* frames open above the first */
    size_t ignored;        /* levels open in a member that is skipped or kept as text */
    struct frame frames[SKI_JSON_MAX_DEPTH + 1];
};

/* "connected_accounts[3].status" */
static void write_path(const struct decoder *decoder, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 1; i <= decoder->depth && used < size; i++) {
        const struct frame *frame = &decoder->frames[i];

        if (!frame->type)
            snprintf(out + used, size - used, "[%zu]", frame->seen - 1);
        else if (frame->field)
            snprintf(out + used, size - used, "%s%s", used ? "." : "", frame->field->name);
        used = strlen(out);
    }
}

_Noreturn __attribute__((format(printf, 3, 4))) static void fail(struct decoder *decoder,
                                                                 enum outcome outcome,
                                                                 const char *format, ...)
{
    char path[120], problem[60]; /* in a failure's text there is room for both */
    va_list args;

    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    write_path(decoder, path, sizeof path);
    ski_fail(decoder->failure, SCALEKIT_ERR_DECODE, SCALEKIT_PHASE_DECODE, "%s%s%s", path,
             path[0] ? ": " : "", problem);
    leave(&decoder->parser, outcome);
}

_Noreturn static void wrong_type(struct decoder *decoder, const struct frame *frame)
{
    static const char *const expected[] = {
        [SKI_STRING] = "a string",       [SKI_INTEGER] = "an integer",
        [SKI_BOOLEAN] = "true or false", [SKI_TIMESTAMP] = "an RFC 3339 time",
        [SKI_ENUM] = "a string",         [SKI_JSON] = "an object",
        [SKI_OBJECT] = "an object",      [SKI_FLAT] = "an object",
        [SKI_OBJECTS] = "a list",        [SKI_STRINGS] = "a list",
    };
    enum ski_kind kind = frame->field->kind;

    if (!frame->type)
        kind = kind == SKI_OBJECTS ? SKI_OBJECT : SKI_STRING;
    fail(decoder, WRONG_VALUE, "expected %s", expected[kind]);
}

/* What the caller's arena gave, unless it gave nothing. */
static void *checked(struct decoder *decoder, void *memory)
{
    if (!memory)
        leave(&decoder->parser, NO_MEMORY);
    return memory;
}

static const char *keep_text(struct decoder *decoder, const char *text, size_t length)
{
    return checked(decoder, ski_arena_strndup(decoder->arena, text, length));
}

/* --- values ---------------------------------------------------------------------------------------- */

/* The frame a value belongs to; NULL when nobody wants it. */
static struct frame *begin_value(struct decoder *decoder)
{
    struct frame *frame = &decoder->frames[decoder->depth];

    if (decoder->ignored || !frame->field)
        return NULL;
    if (!frame->type && frame->seen++ == SKI_JSON_MAX_ITEMS)
        fail(decoder, WRONG_VALUE, "more than %d items", SKI_JSON_MAX_ITEMS);
    return frame;
}

static void add_item(struct decoder *decoder, struct frame *list, const void *item)
{
    if (list->kept == list->room) {
        size_t room = list->room ? list->room * 2 : 16;

        list->items = scratch_realloc(&decoder->parser, list->items, room * sizeof *list->items);
        list->room = room;
    }
    list->items[list->kept++] = item;
}

/* The text of a JSON row's value, which has just ended: from behind the key's colon to here.  Only
 * at the end of a text that is cut short, behind a number, yajl does not know where here is. */
static void keep_json(struct decoder *decoder, struct frame *frame)
{
    size_t start = decoder->key_end;
    size_t end = yajl_get_bytes_consumed(decoder->parser.yajl);
    const char *text = decoder->parser.text;
    const char *colon;
    struct ski_slice value;

    if (end <= start)
        leave(&decoder->parser, CUT_SHORT);
    colon = memchr(text + start, ':', end - start);
    value.at = colon + 1;
    value.length = (size_t)(text + end - value.at);
    value = ski_slice_trim(value);
    SKI_MEMBER(frame->structure, frame->field->offset, const char *) =
        keep_text(decoder, value.at, value.length);
}

/* A JSON row takes scalars only if it takes anything. */
static void keep_scalar_json(struct decoder *decoder, struct frame *frame)
{
    if (!(frame->field->flags & SKI_ANY_JSON))
        wrong_type(decoder, frame);
    keep_json(decoder, frame);
}

static void set_enum(struct decoder *decoder, struct frame *frame, const char *text, size_t length)
{
    const struct ski_field *field = frame->field;
    const struct ski_word *word = field->words;

    while (word->word && (strncmp(word->word, text, length) != 0 || word->word[length]))
        word++;
    SKI_MEMBER(frame->structure, field->offset, int) = word->word ? word->value : 0;
    SKI_MEMBER(frame->structure, field->second, const char *) =
        word->word ? word->word : keep_text(decoder, text, length);
}

/* The zero value: for null and for an empty string, also where the member was set before. */
static void clear(void *structure, const struct ski_field *field)
{
    switch (field->kind) {
    case SKI_STRING:
    case SKI_JSON:
    case SKI_OBJECT:
        SKI_MEMBER(structure, field->offset, const void *) = NULL;
        break;
    case SKI_INTEGER:
    case SKI_TIMESTAMP:
        SKI_MEMBER(structure, field->offset, int64_t) = 0;
        break;
    case SKI_BOOLEAN:
        SKI_MEMBER(structure, field->offset, bool) = false;
        break;
    case SKI_ENUM:
        SKI_MEMBER(structure, field->offset, int) = 0;
        SKI_MEMBER(structure, field->second, const char *) = NULL;
        break;
    case SKI_OBJECTS:
    case SKI_STRINGS:
        SKI_MEMBER(structure, field->offset, const void *) = NULL;
        SKI_MEMBER(structure, field->second, size_t) = 0;
        break;
    case SKI_END:
    case SKI_FLAT:
        break;
    }
}

static int on_null(void *user)
{
    struct frame *frame = begin_value(user);

    if (frame && frame->type)
        clear(frame->structure, frame->field);
    return 1;
}

static int on_boolean(void *user, int value)
{
    struct frame *frame = begin_value(user);

    if (!frame)
        return 1;
    if (frame->field->kind == SKI_BOOLEAN)
        SKI_MEMBER(frame->structure, frame->field->offset, bool) = value;
    else if (frame->field->kind == SKI_JSON)
        keep_scalar_json(user, frame);
    else
        wrong_type(user, frame);
    return 1;
}

static void set_integer(struct decoder *decoder, struct frame *frame, const char *text,
                        size_t length)
{
    const struct ski_slice number = {text, length};

    if (!ski_parse_i64(number, &SKI_MEMBER(frame->structure, frame->field->offset, int64_t)))
        wrong_type(decoder, frame);
}

static int on_number(void *user, const char *text, size_t length)
{
    struct frame *frame = begin_value(user);

    if (!frame)
        return 1;
    if (frame->field->kind == SKI_INTEGER)
        set_integer(user, frame, text, length);
    else if (frame->field->kind == SKI_ENUM)
        set_enum(user, frame, text, length);
    else if (frame->field->kind == SKI_JSON)
        keep_scalar_json(user, frame);
    else
        wrong_type(user, frame);
    return 1;
}

/* "-12": what a service that cannot trust its peers with 64 bits puts in a string. */
static bool is_integer_text(const char *text, size_t length)
{
    size_t start = length > 0 && text[0] == '-';

    for (size_t i = start; i < length; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return length > start;
}

/* Of a string that is not empty. */
static void set_from_string(struct decoder *decoder, struct frame *frame, const char *text,
                            size_t length)
{
    const struct ski_field *field = frame->field;
    const struct ski_slice slice = {text, length};

    if (field->kind == SKI_STRING)
        SKI_MEMBER(frame->structure, field->offset, const char *) =
            keep_text(decoder, text, length);
    else if (field->kind == SKI_ENUM)
        set_enum(decoder, frame, text, length);
    else if (field->kind == SKI_INTEGER && is_integer_text(text, length))
        set_integer(decoder, frame, text, length);
    else if (field->kind != SKI_TIMESTAMP ||
             !ski_time_parse(slice, &SKI_MEMBER(frame->structure, field->offset, scalekit_time)))
        wrong_type(decoder, frame);
}

static int on_string(void *user, const unsigned char *bytes, size_t length)
{
    const unsigned from_strings =
        1u << SKI_STRING | 1u << SKI_INTEGER | 1u << SKI_TIMESTAMP | 1u << SKI_ENUM;
    const char *text = (const char *)bytes;
    struct decoder *decoder = user;
    struct frame *frame = begin_value(decoder);
    enum ski_kind kind;

    if (!frame)
        return 1;
    kind = frame->field->kind;
    if (kind != SKI_JSON && memchr(text, '\0', length))
        fail(decoder, WRONG_VALUE, "a string with a NUL character");

    if (kind == SKI_JSON)
        keep_scalar_json(decoder, frame);
    else if (kind == SKI_STRINGS && !frame->type)
        add_item(decoder, frame, keep_text(decoder, text, length));
    else if (!(from_strings & 1u << kind))
        wrong_type(decoder, frame);
    else if (length == 0)
        clear(frame->structure, frame->field);
    else
        set_from_string(decoder, frame, text, length);
    return 1;
}

/* --- objects and lists ------------------------------------------------------------------------------ */

static void check_depth(struct decoder *decoder)
{
    if (decoder->depth + decoder->ignored == SKI_JSON_MAX_DEPTH)
        fail(decoder, TOO_DEEP, "nested more than %d deep", SKI_JSON_MAX_DEPTH);
}

static void push(struct decoder *decoder, void *structure, const struct ski_type *type,
                 const struct ski_field *field)
{
    decoder->frames[++decoder->depth] = (struct frame){
        .structure = structure,
        .type = type,
        .field = field,
        .next = type ? type->fields : NULL,
    };
}

static void *new_structure(struct decoder *decoder, const struct ski_type *type)
{
    size_t *structure = checked(decoder, ski_arena_alloc(decoder->arena, type->size));

    *structure = type->size; /* every structure begins with its struct_size */
    return structure;
}

static int on_start_map(void *user)
{
    struct decoder *decoder = user;
    struct frame *frame;
    const struct ski_field *field;
    void *structure;

    check_depth(decoder);
    frame = begin_value(decoder);
    field = frame ? frame->field : NULL;
    if (!field || field->kind == SKI_JSON) {
        decoder->ignored++;
    } else if (field->kind == SKI_FLAT) {
        push(decoder, frame->structure, field->type, NULL);
    } else if (field->kind == SKI_OBJECT) {
        structure = new_structure(decoder, field->type);
        SKI_MEMBER(frame->structure, field->offset, const void *) = structure;
        push(decoder, structure, field->type, NULL);
    } else if (field->kind == SKI_OBJECTS && !frame->type) {
        structure = new_structure(decoder, field->type);
        add_item(decoder, frame, structure);
        push(decoder, structure, field->type, NULL);
    } else {
        wrong_type(decoder, frame);
    }
    return 1;
}

static int on_start_array(void *user)
{
    struct decoder *decoder = user;
    struct frame *frame;
    const struct ski_field *field;

    check_depth(decoder);
    frame = begin_value(decoder);
    field = frame ? frame->field : NULL;
    if (!field || (field->kind == SKI_JSON && field->flags & SKI_ANY_JSON))
        decoder->ignored++;
    else if (frame->type && (field->kind == SKI_OBJECTS || field->kind == SKI_STRINGS))
        push(decoder, frame->structure, NULL, field);
    else
        wrong_type(decoder, frame);
    return 1;
}

/* Whether the level that ends was read into a frame. */
static bool close_level(struct decoder *decoder)
{
    struct frame *frame = &decoder->frames[decoder->depth];

    if (!decoder->ignored) {
        decoder->depth--;
        return true;
    }
    if (--decoder->ignored == 0 && frame->field)
        keep_json(decoder, frame);
    return false;
}

/* The pointers an object cannot do without. */
static void demand_required(struct decoder *decoder, struct frame *frame)
{
    const unsigned pointers = 1u << SKI_STRING | 1u << SKI_JSON | 1u << SKI_OBJECT;

    for (const struct ski_field *field = frame->type->fields; field->kind != SKI_END; field++)
        if (field->flags & SKI_REQUIRED && pointers & 1u << field->kind &&
            !SKI_MEMBER(frame->structure, field->offset, const void *)) {
            frame->field = field; /* the end of the path */
            fail(decoder, WRONG_VALUE, "missing");
        }
}

static int on_end_map(void *user)
{
    struct decoder *decoder = user;

    if (!decoder->ignored)
        demand_required(decoder, &decoder->frames[decoder->depth]);
    close_level(decoder);
    return 1;
}

static int on_end_array(void *user)
{
    struct decoder *decoder = user;
    struct frame *list = &decoder->frames[decoder->depth];
    const void **items = NULL;

    if (!close_level(decoder))
        return 1;
    if (list->kept) {
        size_t size = list->kept * sizeof *items;

        items = memcpy(checked(decoder, ski_arena_alloc(decoder->arena, size)), list->items, size);
    }
    SKI_MEMBER(list->structure, list->field->offset, const void **) = items;
    SKI_MEMBER(list->structure, list->field->second, size_t) = list->kept;
    return 1;
}

/* Whether a key is the row's name, or its lowerCamelCase form: '_' and a letter became its capital. */
static bool is_name(const char *name, const char *key, size_t length)
{
    for (const char *end = key + length; key < end; key++, name++) {
        if (*name && *name == *key)
            continue;
        if (*name != '_' || name[1] == *key || name[1] != ski_lower(*key))
            return false;
        name++;
    }
    return *name == '\0';
}

/* Keys mostly come in the order of the rows, so the search goes on behind the last one found.  Both
 * forms of a name begin with the same letter. */
static const struct ski_field *find(const struct frame *frame, const char *key, size_t length)
{
    const struct ski_field *first = frame->next, *field;

    if (length == 0)
        return NULL;
    for (field = first; field->kind != SKI_END; field++)
        if (*field->name == *key && is_name(field->name, key, length))
            return field;
    for (field = frame->type->fields; field != first; field++)
        if (*field->name == *key && is_name(field->name, key, length))
            return field;
    return NULL;
}

static int on_map_key(void *user, const unsigned char *key, size_t length)
{
    struct decoder *decoder = user;
    struct frame *frame = &decoder->frames[decoder->depth];

    if (decoder->ignored)
        return 1;
    frame->field = find(frame, (const char *)key, length);
    if (!frame->field)
        return 1;
    frame->next = frame->field + 1;
    if (frame->field->kind == SKI_JSON)
        decoder->key_end = yajl_get_bytes_consumed(decoder->parser.yajl);
    return 1;
}

/* --- the two ways in -------------------------------------------------------------------------------- */

/* What a failure of the whole document is called; those of a value have named themselves. */
static scalekit_err name_failure(struct decoder *decoder, enum outcome outcome)
{
    struct ski_failure *failure = decoder->failure;
    const enum scalekit_phase phase = SCALEKIT_PHASE_DECODE;

    switch (outcome) {
    case NO_MEMORY:
        return ski_fail(failure, SCALEKIT_ERR_NOMEM, phase, "%s", ski_json_no_memory);
    case NOT_UTF8:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "not valid UTF-8");
    case HALF_PAIR:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "half of a surrogate pair");
    case NOT_JSON:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "not valid JSON near byte %zu",
                        decoder->parser.error_at);
    case CUT_SHORT:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "JSON that ends too early");
    case PARSED: /* null */
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "expected an object");
    case TOO_DEEP:
    case WRONG_VALUE:
        break;
    }
    return failure->code;
}

scalekit_err ski_json_decode(struct ski_arena *arena, const struct ski_type *type, const char *text,
                             size_t length, const void **out, struct ski_failure *failure)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_start_map,
        .yajl_map_key = on_map_key,
        .yajl_end_map = on_end_map,
        .yajl_start_array = on_start_array,
        .yajl_end_array = on_end_array,
    };
    struct ski_slice document = {text, length};
    struct decoder decoder;
    enum outcome outcome;

    if (ski_slice_trim(document).length == 0)
        document = ski_slice_of("{}");
    decoder.arena = arena;
    decoder.failure = failure;
    decoder.result = NULL;
    decoder.root = (struct ski_field){.name = "", .kind = SKI_OBJECT, .type = type};
    decoder.depth = decoder.ignored = 0;
    decoder.frames[0] =
        (struct frame){.structure = &decoder.result, .type = type, .field = &decoder.root};
    outcome =
        parse(&decoder.parser, arena->mem, document.at, document.length, &callbacks, &decoder);
    *out = outcome == PARSED ? decoder.result : NULL;
    return *out ? SCALEKIT_OK : name_failure(&decoder, outcome);
}

/* Only the depth is ours to check. */
struct checker {
    struct parser parser;
    size_t depth;
};

static int check_open(void *user)
{
    struct checker *checker = user;

    if (checker->depth++ == SKI_JSON_MAX_DEPTH)
        leave(&checker->parser, TOO_DEEP);
    return 1;
}

static int check_close(void *user)
{
    ((struct checker *)user)->depth--;
    return 1;
}

const char ski_json_no_memory[] = "out of memory";

const char *ski_json_problem(const struct ski_mem *mem, const char *text, size_t length, bool any)
{
    static const yajl_callbacks callbacks = {
        .yajl_start_map = check_open,
        .yajl_end_map = check_close,
        .yajl_start_array = check_open,
        .yajl_end_array = check_close,
    };
    static const char *const problems[] = {
        [NO_MEMORY] = ski_json_no_memory,
        [NOT_UTF8] = "must be valid UTF-8",
        [HALF_PAIR] = "must not have half of a surrogate pair",
        [NOT_JSON] = "must be valid JSON",
        [CUT_SHORT] = "must be complete JSON",
        [TOO_DEEP] = "must not be nested more than 64 deep",
    };
    struct ski_slice value = ski_slice_trim((struct ski_slice){text, length});
    struct checker checker;

    if (!any && (value.length == 0 || value.at[0] != '{'))
        return "must be a JSON object";
    checker.depth = 0;
    return problems[parse(&checker.parser, mem, value.at, value.length, &callbacks, &checker)];
}
