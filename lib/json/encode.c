#include "json/encode.h"
#include "base/str.h"
#include "json/time.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void ski_json_string(struct ski_buf *out, const char *text)
{
    static const char shorthand[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
    };

    ski_buf_addc(out, '"');
    while (*text) {
        size_t plain = 0;
        unsigned char c;

        while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\')
            plain++;
        ski_buf_add(out, text, plain);
        text += plain;
        c = (unsigned char)*text;
        if (c == '\0')
            break;
        if (c >= 0x20)
            ski_buf_addf(out, "\\%c", c);
        else if (shorthand[c])
            ski_buf_addf(out, "\\%c", shorthand[c]);
        else
            ski_buf_addf(out, "\\u%04x", c);
        text++;
    }
    ski_buf_addc(out, '"');
}

/* --- JSON ------------------------------------------------------------------------------------------ */

static void add_object(struct ski_buf *out, const struct ski_type *type, const void *structure,
                       size_t struct_size, enum ski_encode_mode mode);

static void add_structure(struct ski_buf *out, const struct ski_type *type, const void *structure,
                          enum ski_encode_mode mode)
{
    add_object(out, type, structure, *(const size_t *)structure, mode);
}

static void add_list(struct ski_buf *out, const struct ski_field *field, const void *structure,
                     enum ski_encode_mode mode)
{
    const void *const *items = SKI_MEMBER(structure, field->offset, const void *const *const);
    size_t count = SKI_MEMBER(structure, field->second, const size_t);

    ski_buf_addc(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ski_buf_addc(out, ',');
        if (field->kind == SKI_STRINGS)
            ski_json_string(out, items[i]);
        else
            add_structure(out, field->type, items[i], mode);
    }
    ski_buf_addc(out, ']');
}

static void add_map(struct ski_buf *out, const struct ski_field *field, const void *structure)
{
    const struct scalekit_entry *entries =
        SKI_MEMBER(structure, field->offset, const struct scalekit_entry *const);
    size_t count = SKI_MEMBER(structure, field->second, const size_t);

    ski_buf_addc(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            ski_buf_addc(out, ',');
        ski_json_string(out, entries[i].key);
        ski_buf_addc(out, ':');
        ski_json_string(out, entries[i].value);
    }
    ski_buf_addc(out, '}');
}

#define PLAIN_TEXT 32
_Static_assert(SKI_TIME_TEXT <= PLAIN_TEXT && SKI_DOUBLE_TEXT <= PLAIN_TEXT, "no room for a value");

/* The text of a value that is the same in JSON, but for its quotes, and in a query. */
static void write_plain(char out[PLAIN_TEXT], const struct ski_field *field, const void *structure)
{
    switch (field->kind) {
    case SKI_INTEGER:
        snprintf(out, PLAIN_TEXT, "%" PRId64, SKI_MEMBER(structure, field->offset, const int64_t));
        break;
    case SKI_DURATION:
        snprintf(out, PLAIN_TEXT, "%" PRId64 "s",
                 SKI_MEMBER(structure, field->offset, const int64_t));
        break;
    case SKI_NUMBER:
        ski_format_double(out, SKI_MEMBER(structure, field->offset, const double));
        break;
    case SKI_TIMESTAMP:
        ski_time_format(out, SKI_MEMBER(structure, field->offset, const scalekit_time));
        break;
    case SKI_CHOICE:
        snprintf(out, PLAIN_TEXT, "%s",
                 SKI_MEMBER(structure, field->offset, const enum scalekit_choice) == SCALEKIT_YES
                     ? "true"
                     : "false");
        break;
    default: /* a BOOLEAN */
        snprintf(out, PLAIN_TEXT, "%s",
                 SKI_MEMBER(structure, field->offset, const bool) ? "true" : "false");
    }
}

static bool is_there(const struct ski_field *field, const void *structure, size_t struct_size)
{
    return ski_field_within(field, struct_size) && !ski_field_absent(field, structure);
}

static void add_value(struct ski_buf *out, const struct ski_field *field, const void *structure,
                      size_t struct_size, enum ski_encode_mode mode)
{
    char text[PLAIN_TEXT];

    switch (field->kind) {
    case SKI_END:
        break;
    case SKI_STRING:
        ski_json_string(out, SKI_MEMBER(structure, field->offset, const char *const));
        break;
    case SKI_INTEGER:
    case SKI_NUMBER:
    case SKI_BOOLEAN:
    case SKI_CHOICE:
        write_plain(text, field, structure);
        ski_buf_adds(out, text);
        break;
    case SKI_TIMESTAMP:
    case SKI_DURATION:
        write_plain(text, field, structure);
        ski_buf_addc(out, '"');
        ski_buf_adds(out, text);
        ski_buf_addc(out, '"');
        break;
    case SKI_ENUM:
        ski_json_string(out, ski_enum_text(field, structure));
        break;
    case SKI_JSON:
        ski_buf_adds(out, is_there(field, structure, struct_size)
                              ? SKI_MEMBER(structure, field->offset, const char *const)
                          : field->flags & SKI_LIST_JSON ? "[]"
                                                         : "{}"); /* an ALWAYS */
        break;
    case SKI_OBJECT:
        add_structure(out, field->type, SKI_MEMBER(structure, field->offset, const void *const),
                      mode);
        break;
    case SKI_FLAT:
        add_object(out, field->type, structure, struct_size, mode);
        break;
    case SKI_OBJECTS:
    case SKI_STRINGS:
        add_list(out, field, structure, mode);
        break;
    case SKI_MAP:
        add_map(out, field, structure);
        break;
    }
}

/* Whether the member is there, and to be written. */
static bool is_written(const struct ski_field *field, const void *structure, size_t struct_size,
                       enum ski_encode_mode mode)
{
    const unsigned elsewhere = SKI_READ_ONLY | SKI_PATH | SKI_QUERY;
    const unsigned shown_when_zero = 1u << SKI_INTEGER | 1u << SKI_NUMBER | 1u << SKI_BOOLEAN |
                                     1u << SKI_OBJECTS | 1u << SKI_STRINGS | 1u << SKI_MAP;

    if (mode == SKI_ENCODE_REQUEST && field->flags & elsewhere)
        return false;
    if (mode == SKI_ENCODE_SHOWN && shown_when_zero & 1u << field->kind &&
        !(field->flags & SKI_SECRET))
        return ski_field_within(field, struct_size);
    return field->flags & SKI_ALWAYS || is_there(field, structure, struct_size);
}

static void add_object(struct ski_buf *out, const struct ski_type *type, const void *structure,
                       size_t struct_size, enum ski_encode_mode mode)
{
    char separator = '{';

    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++) {
        if (!is_written(field, structure, struct_size, mode))
            continue;
        ski_buf_addc(out, separator);
        separator = ',';
        ski_json_string(out, field->name);
        ski_buf_addc(out, ':');
        if (mode >= SKI_ENCODE_REDACTED && field->flags & SKI_SECRET)
            ski_buf_adds(out, "\"***\"");
        else
            add_value(out, field, structure, struct_size, mode);
    }
    if (separator == '{')
        ski_buf_addc(out, separator);
    ski_buf_addc(out, '}');
}

void ski_json_encode(struct ski_buf *out, const struct ski_type *type, const void *value,
                     enum ski_encode_mode mode)
{
    add_structure(out, type, value, mode);
}

/* --- query strings and paths -------------------------------------------------------------------- */

static void add_name(struct ski_buf *out, size_t start, const struct ski_field *field)
{
    if (out->length > start)
        ski_buf_addc(out, '&');
    ski_percent_encode(out, field->name);
    ski_buf_addc(out, '=');
}

static void add_pairs(struct ski_buf *out, size_t start, const struct ski_field *field,
                      const void *structure)
{
    const char *const *items = SKI_MEMBER(structure, field->offset, const char *const *const);
    size_t count = SKI_MEMBER(structure, field->second, const size_t);

    for (size_t i = 0; i < count; i++) {
        add_name(out, start, field);
        ski_percent_encode(out, items[i]);
    }
}

static void add_pair(struct ski_buf *out, size_t start, const struct ski_field *field,
                     const void *structure)
{
    char plain[PLAIN_TEXT];
    const char *text = plain;

    switch (field->kind) {
    case SKI_STRINGS:
        add_pairs(out, start, field, structure);
        return;
    case SKI_STRING:
        text = SKI_MEMBER(structure, field->offset, const char *const);
        break;
    case SKI_ENUM:
        text = ski_enum_text(field, structure);
        break;
    case SKI_INTEGER:
    case SKI_NUMBER:
    case SKI_BOOLEAN:
    case SKI_CHOICE:
    case SKI_TIMESTAMP:
    case SKI_DURATION:
        write_plain(plain, field, structure);
        break;
    default:
        return; /* the others have no place in a query */
    }
    add_name(out, start, field);
    ski_percent_encode(out, text);
}

void ski_query_encode(struct ski_buf *out, const struct ski_type *type, const void *value,
                      enum ski_query_rows rows)
{
    size_t struct_size = *(const size_t *)value;
    size_t start = out->length;

    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++) {
        bool wanted = rows == SKI_QUERY_FLAGGED ? field->flags & SKI_QUERY
                                                : !(field->flags & (SKI_PATH | SKI_READ_ONLY));

        if (wanted && is_there(field, value, struct_size))
            add_pair(out, start, field, value);
    }
}

static const struct ski_field *find_path_row(const struct ski_type *type, struct ski_slice name)
{
    const struct ski_field *field = type->fields;

    while (field->kind != SKI_END && !ski_slice_eq(name, field->name))
        field++;
    return field;
}

void ski_path_encode(struct ski_buf *out, const char *path, const struct ski_type *type,
                     const void *value)
{
    const char *open;

    for (; (open = strchr(path, '{')); path = strchr(open, '}') + 1) {
        const struct ski_slice name = {open + 1, strcspn(open + 1, "}")};
        const struct ski_field *field = find_path_row(type, name);

        ski_buf_add(out, path, (size_t)(open - path));
        if (field->kind == SKI_STRING)
            ski_percent_encode(out, SKI_MEMBER(value, field->offset, const char *const));
    }
    ski_buf_adds(out, path);
}
