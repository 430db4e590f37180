/* Design.  yajl reads, we are called back for every value; struct frame is our stack, one for every
 * object, list or map that is being read into, and `ignored` counts the levels inside a member that
 * is skipped or kept as text.  Depth is ours to limit: yajl would go on for ever.
 *
 * Failures leave from inside callbacks (json/parse.h).  Numbers are taken as text: yajl's own
 * conversion depends on the locale and stops at numbers it finds too large, even unwanted ones. */
#include "json/decode.h"
#include "base/str.h"
#include "json/parse.h"
#include "json/time.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An object being read, or a list or map. */
struct frame {
    void *structure;               /* where its members, or the list, are to go */
    const struct ski_type *type;   /* of the structure; NULL for a list or map */
    const struct ski_field *field; /* the row of the member, or list, being read; NULL: unknown */
    const struct ski_field *next;  /* the row after: members mostly come in the table's order */
    const char *key;               /* of the map's entry being read */
    const void **items;            /* what the list has so far; of a map, keys and values in turn */
    size_t kept, room, seen;       /* items; seen counts null too */
};

struct decoder {
    struct ski_parser parser;
    struct ski_arena *arena;
    struct ski_failure *failure;
    const void *result;
    bool params;           /* parameters of an operation: see ski_json_decode_params() */
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

        if (!frame->type && frame->field->kind == SKI_MAP)
            snprintf(out + used, size - used, ".%s", frame->key ? frame->key : "");
        else if (!frame->type)
            snprintf(out + used, size - used, "[%zu]", frame->seen - 1);
        else if (frame->field)
            snprintf(out + used, size - used, "%s%s", used ? "." : "",
                     decoder->params ? frame->field->member : frame->field->name);
        used = strlen(out);
    }
}

_Noreturn __attribute__((format(printf, 3, 4))) static void fail(struct decoder *decoder,
                                                                 enum ski_parse_outcome outcome,
                                                                 const char *format, ...)
{
    char path[120], problem[60]; /* in a failure's text there is room for both */
    va_list args;

    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    write_path(decoder, path, sizeof path);
    path[ski_utf8_cut(path, strlen(path))] = '\0'; /* a map's key may not fit */
    ski_fail(decoder->failure, SCALEKIT_ERR_DECODE, SCALEKIT_PHASE_DECODE, "%s%s%s", path,
             path[0] ? ": " : "", problem);
    if (decoder->params && decoder->frames[decoder->depth].field)
        decoder->failure->parameter = decoder->frames[decoder->depth].field->member;
    ski_parser_leave(&decoder->parser, outcome);
}

_Noreturn static void wrong_type(struct decoder *decoder, const struct frame *frame)
{
    static const char *const expected[] = {
        [SKI_STRING] = "a string",
        [SKI_INTEGER] = "an integer",
        [SKI_NUMBER] = "a number",
        [SKI_BOOLEAN] = "true or false",
        [SKI_CHOICE] = "true or false",
        [SKI_TIMESTAMP] = "an RFC 3339 time",
        [SKI_DURATION] = "seconds, \"3600s\"",
        [SKI_ENUM] = "a string",
        [SKI_JSON] = "an object",
        [SKI_OBJECT] = "an object",
        [SKI_FLAT] = "an object",
        [SKI_OBJECTS] = "a list",
        [SKI_STRINGS] = "a list",
        [SKI_MAP] = "an object",
    };
    enum ski_kind kind = frame->field->kind;

    if (!frame->type)
        kind = kind == SKI_OBJECTS ? SKI_OBJECT : SKI_STRING;
    else if (kind == SKI_JSON && frame->field->flags & SKI_LIST_JSON)
        kind = SKI_OBJECTS;
    fail(decoder, SKI_PARSE_WRONG_VALUE, "expected %s", expected[kind]);
}

/* What the caller's arena gave, unless it gave nothing. */
static void *checked(struct decoder *decoder, void *memory)
{
    if (!memory)
        ski_parser_leave(&decoder->parser, SKI_PARSE_NO_MEMORY);
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
        fail(decoder, SKI_PARSE_WRONG_VALUE, "more than %d items", SKI_JSON_MAX_ITEMS);
    return frame;
}

static void add_item(struct decoder *decoder, struct frame *list, const void *item)
{
    if (list->kept == list->room) {
        size_t room = list->room ? list->room * 2 : 16;

        list->items = ski_parser_realloc(&decoder->parser, list->items, room * sizeof *list->items);
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
        ski_parser_leave(&decoder->parser, SKI_PARSE_CUT_SHORT);
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
    case SKI_DURATION:
        SKI_MEMBER(structure, field->offset, int64_t) = 0;
        break;
    case SKI_NUMBER:
        SKI_MEMBER(structure, field->offset, double) = 0;
        break;
    case SKI_BOOLEAN:
        SKI_MEMBER(structure, field->offset, bool) = false;
        break;
    case SKI_CHOICE:
        SKI_MEMBER(structure, field->offset, enum scalekit_choice) = SCALEKIT_UNSET;
        break;
    case SKI_ENUM:
        SKI_MEMBER(structure, field->offset, int) = 0;
        SKI_MEMBER(structure, field->second, const char *) = NULL;
        break;
    case SKI_OBJECTS:
    case SKI_STRINGS:
    case SKI_MAP:
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
    else if (frame && ((struct decoder *)user)->params)
        wrong_type(user, frame);
    return 1;
}

static int on_boolean(void *user, int value)
{
    struct frame *frame = begin_value(user);

    if (!frame)
        return 1;
    if (frame->field->kind == SKI_BOOLEAN)
        SKI_MEMBER(frame->structure, frame->field->offset, bool) = value;
    else if (frame->field->kind == SKI_CHOICE)
        SKI_MEMBER(frame->structure, frame->field->offset, enum scalekit_choice) =
            value ? SCALEKIT_YES : SCALEKIT_NO;
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

static void set_number(struct decoder *decoder, struct frame *frame, const char *text,
                       size_t length)
{
    const struct ski_slice number = {text, length};

    if (!ski_parse_double(number, &SKI_MEMBER(frame->structure, frame->field->offset, double)))
        wrong_type(decoder, frame);
}

static int on_number(void *user, const char *text, size_t length)
{
    struct frame *frame = begin_value(user);

    if (!frame)
        return 1;
    if (frame->field->kind == SKI_INTEGER)
        set_integer(user, frame, text, length);
    else if (frame->field->kind == SKI_NUMBER)
        set_number(user, frame, text, length);
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

/* "3600s", "0.5s": whole seconds, what is left is cut. */
static bool set_duration(struct frame *frame, const char *text, size_t length)
{
    const char *point = memchr(text, '.', length);
    const struct ski_slice seconds = {text, point ? (size_t)(point - text) : length - 1};

    return text[length - 1] == 's' && is_integer_text(seconds.at, seconds.length) &&
           (!point ||
            (point[1] != '-' && is_integer_text(point + 1, length - seconds.length - 2))) &&
           ski_parse_i64(seconds, &SKI_MEMBER(frame->structure, frame->field->offset, int64_t));
}

/* Of a string that is not empty, or is kept all the same. */
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
    else if (field->kind == SKI_DURATION && length > 0 && set_duration(frame, text, length))
        return;
    else if (field->kind != SKI_TIMESTAMP ||
             !ski_time_parse(slice, &SKI_MEMBER(frame->structure, field->offset, scalekit_time)))
        wrong_type(decoder, frame);
}

static void add_entry(struct decoder *decoder, struct frame *map, const char *text, size_t length)
{
    add_item(decoder, map, map->key);
    add_item(decoder, map, keep_text(decoder, text, length));
}

static int on_string(void *user, const unsigned char *bytes, size_t length)
{
    const unsigned from_strings = 1u << SKI_STRING | 1u << SKI_INTEGER | 1u << SKI_TIMESTAMP |
                                  1u << SKI_DURATION | 1u << SKI_ENUM;
    const char *text = (const char *)bytes;
    struct decoder *decoder = user;
    struct frame *frame = begin_value(decoder);
    enum ski_kind kind;

    if (!frame)
        return 1;
    kind = frame->field->kind;
    if (kind != SKI_JSON && memchr(text, '\0', length))
        fail(decoder, SKI_PARSE_WRONG_VALUE, "a string with a NUL character");

    if (kind == SKI_JSON)
        keep_scalar_json(decoder, frame);
    else if (kind == SKI_STRINGS && !frame->type)
        add_item(decoder, frame, keep_text(decoder, text, length));
    else if (kind == SKI_MAP && !frame->type)
        add_entry(decoder, frame, text, length);
    else if (!(from_strings & 1u << kind))
        wrong_type(decoder, frame);
    else if (length == 0 && !decoder->params)
        clear(frame->structure, frame->field);
    else
        set_from_string(decoder, frame, text, length);
    return 1;
}

/* --- objects and lists ------------------------------------------------------------------------------ */

static void check_depth(struct decoder *decoder)
{
    if (decoder->depth + decoder->ignored == SKI_JSON_MAX_DEPTH)
        fail(decoder, SKI_PARSE_TOO_DEEP, "nested more than %d deep", SKI_JSON_MAX_DEPTH);
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
    if (!field || (field->kind == SKI_JSON && !(field->flags & SKI_LIST_JSON))) {
        decoder->ignored++;
    } else if (field->kind == SKI_MAP && frame->type) {
        push(decoder, frame->structure, NULL, field);
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
    if (!field || (field->kind == SKI_JSON && field->flags & (SKI_ANY_JSON | SKI_LIST_JSON)))
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
            fail(decoder, SKI_PARSE_WRONG_VALUE, "missing");
        }
}

/* What a list or a map that ended has, into its member. */
static void keep_items(struct decoder *decoder, const struct frame *list)
{
    size_t per_item = list->field->kind == SKI_MAP ? 2 : 1;
    const void **items = NULL;

    if (list->kept) {
        size_t size = list->kept * sizeof *items;

        items = memcpy(checked(decoder, ski_arena_alloc(decoder->arena, size)), list->items, size);
    }
    SKI_MEMBER(list->structure, list->field->offset, const void **) = items;
    SKI_MEMBER(list->structure, list->field->second, size_t) = list->kept / per_item;
}

/* An entry of a map is made as a pair of items. */
_Static_assert(sizeof(struct scalekit_entry) == 2 * sizeof(void *) &&
                   offsetof(struct scalekit_entry, value) == sizeof(void *),
               "an entry is not a key and a value");

static int on_end_map(void *user)
{
    struct decoder *decoder = user;
    struct frame *frame = &decoder->frames[decoder->depth];
    bool map = !frame->type;

    if (!decoder->ignored && !map && !decoder->params)
        demand_required(decoder, frame);
    if (close_level(decoder) && map)
        keep_items(decoder, frame);
    return 1;
}

static int on_end_array(void *user)
{
    struct decoder *decoder = user;
    struct frame *list = &decoder->frames[decoder->depth];

    if (close_level(decoder))
        keep_items(decoder, list);
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

/* The row of a parameter.  Those of a FLAT are members of the same structure. */
static const struct ski_field *find_member(const struct ski_type *type, const char *key,
                                           size_t length)
{
    const struct ski_field *field, *inner;

    for (field = type->fields; field->kind != SKI_END; field++) {
        if (field->kind == SKI_FLAT) {
            inner = find_member(field->type, key, length);
            if (inner)
                return inner;
        } else if (!(field->flags & SKI_READ_ONLY) && strlen(field->member) == length &&
                   memcmp(field->member, key, length) == 0) {
            return field;
        }
    }
    return NULL;
}

static const struct ski_field *find_parameter(struct decoder *decoder, struct frame *frame,
                                              const char *key, size_t length)
{
    const struct ski_field *field = find_member(frame->type, key, length);

    if (!field) {
        frame->field = NULL;
        fail(decoder, SKI_PARSE_WRONG_VALUE, "there is no \"%.*s\"",
             (int)(length < 40 ? length : ski_utf8_cut(key, 40)), key);
    }
    return field;
}

static int on_map_key(void *user, const unsigned char *key, size_t length)
{
    struct decoder *decoder = user;
    struct frame *frame = &decoder->frames[decoder->depth];

    if (decoder->ignored)
        return 1;
    if (!frame->type) {
        if (memchr(key, '\0', length))
            fail(decoder, SKI_PARSE_WRONG_VALUE, "a name with a NUL character");
        frame->key = keep_text(decoder, (const char *)key, length);
        return 1;
    }
    frame->field = decoder->params ? find_parameter(decoder, frame, (const char *)key, length)
                                   : find(frame, (const char *)key, length);
    if (!frame->field)
        return 1;
    frame->next = frame->field + 1;
    if (frame->field->kind == SKI_JSON)
        decoder->key_end = yajl_get_bytes_consumed(decoder->parser.yajl);
    return 1;
}

/* --- the two ways in -------------------------------------------------------------------------------- */

/* What a failure of the whole document is called; those of a value have named themselves. */
static scalekit_err name_failure(struct decoder *decoder, enum ski_parse_outcome outcome)
{
    struct ski_failure *failure = decoder->failure;
    const enum scalekit_phase phase = SCALEKIT_PHASE_DECODE;

    switch (outcome) {
    case SKI_PARSE_NO_MEMORY:
        return ski_fail(failure, SCALEKIT_ERR_NOMEM, phase, "%s", ski_json_no_memory);
    case SKI_PARSE_NOT_UTF8:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "not valid UTF-8");
    case SKI_PARSE_HALF_PAIR:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "half of a surrogate pair");
    case SKI_PARSE_NOT_JSON:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "not valid JSON near byte %zu",
                        decoder->parser.error_at);
    case SKI_PARSE_CUT_SHORT:
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "JSON that ends too early");
    case SKI_PARSED: /* null */
        return ski_fail(failure, SCALEKIT_ERR_DECODE, phase, "expected an object");
    case SKI_PARSE_TOO_DEEP:
    case SKI_PARSE_WRONG_VALUE:
        break;
    }
    return failure->code;
}

static scalekit_err decode(struct decoder *decoder, const struct ski_type *type, const char *text,
                           size_t length, const void **out)
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
    enum ski_parse_outcome outcome;

    if (ski_slice_trim(document).length == 0)
        document = ski_slice_of("{}");
    decoder->result = NULL;
    decoder->root = (struct ski_field){.name = "", .member = "", .kind = SKI_OBJECT, .type = type};
    decoder->depth = decoder->ignored = 0;
    decoder->frames[0] =
        (struct frame){.structure = &decoder->result, .type = type, .field = &decoder->root};
    outcome = ski_parse(&decoder->parser, decoder->arena->mem, document.at, document.length,
                        &callbacks, decoder);
    *out = outcome == SKI_PARSED ? decoder->result : NULL;
    return *out ? SCALEKIT_OK : name_failure(decoder, outcome);
}

scalekit_err ski_json_decode(struct ski_arena *arena, const struct ski_type *type, const char *text,
                             size_t length, const void **out, struct ski_failure *failure)
{
    struct decoder decoder;

    decoder.arena = arena;
    decoder.failure = failure;
    decoder.params = false;
    return decode(&decoder, type, text, length, out);
}

scalekit_err ski_json_decode_params(struct ski_arena *arena, const struct ski_type *type,
                                    const char *text, size_t length, const void **out,
                                    struct ski_failure *failure)
{
    struct decoder decoder;
    scalekit_err err;

    decoder.arena = arena;
    decoder.failure = failure;
    decoder.params = true;
    err = decode(&decoder, type, text, length, out);
    if (err == SCALEKIT_OK)
        return err;
    failure->phase = SCALEKIT_PHASE_NONE;
    if (err != SCALEKIT_ERR_DECODE)
        return err;
    if (!failure->parameter || !failure->parameter[0])
        failure->parameter = "parameters";
    return failure->code = SCALEKIT_ERR_INVALID;
}
