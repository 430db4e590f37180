#include "json/encode.h"
#include "base/str.h"
#include "json/time.h"
#include <inttypes.h>
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

static void add_moment(struct ski_buf *out, scalekit_time moment)
{
    char text[SKI_TIME_TEXT];

    ski_time_format(text, moment);
    ski_buf_adds(out, text);
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

static bool is_there(const struct ski_field *field, const void *structure, size_t struct_size)
{
    return ski_field_within(field, struct_size) && !ski_field_absent(field, structure);
}

static void add_value(struct ski_buf *out, const struct ski_field *field, const void *structure,
                      size_t struct_size, enum ski_encode_mode mode)
{
    switch (field->kind) {
    case SKI_END:
        break;
    case SKI_STRING:
        ski_json_string(out, SKI_MEMBER(structure, field->offset, const char *const));
        break;
    case SKI_INTEGER:
        ski_buf_addf(out, "%" PRId64, SKI_MEMBER(structure, field->offset, const int64_t));
        break;
    case SKI_BOOLEAN:
        ski_buf_adds(out, "true"); /* false is absent */
        break;
    case SKI_TIMESTAMP:
        ski_buf_addc(out, '"');
        add_moment(out, SKI_MEMBER(structure, field->offset, const scalekit_time));
        ski_buf_addc(out, '"');
        break;
    case SKI_ENUM:
        ski_json_string(out, ski_enum_text(field, structure));
        break;
    case SKI_JSON:
        ski_buf_adds(out, is_there(field, structure, struct_size)
                              ? SKI_MEMBER(structure, field->offset, const char *const)
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
    }
}

/* Whether the member is there, and to be sent. */
static bool is_written(const struct ski_field *field, const void *structure, size_t struct_size,
                       enum ski_encode_mode mode)
{
    if (mode == SKI_ENCODE_REQUEST && field->flags & SKI_READ_ONLY)
        return false;
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
        if (mode == SKI_ENCODE_REDACTED && field->flags & SKI_SECRET)
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

/* --- query strings --------------------------------------------------------------------------------- */

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
    char moment[SKI_TIME_TEXT];

    switch (field->kind) {
    case SKI_STRING:
        add_name(out, start, field);
        ski_percent_encode(out, SKI_MEMBER(structure, field->offset, const char *const));
        break;
    case SKI_INTEGER:
        add_name(out, start, field);
        ski_buf_addf(out, "%" PRId64, SKI_MEMBER(structure, field->offset, const int64_t));
        break;
    case SKI_BOOLEAN:
        add_name(out, start, field);
        ski_buf_adds(out, "true");
        break;
    case SKI_TIMESTAMP:
        add_name(out, start, field);
        ski_time_format(moment, SKI_MEMBER(structure, field->offset, const scalekit_time));
        ski_percent_encode(out, moment);
        break;
    case SKI_ENUM:
        add_name(out, start, field);
        ski_percent_encode(out, ski_enum_text(field, structure));
        break;
    case SKI_STRINGS:
        add_pairs(out, start, field, structure);
        break;
    case SKI_END:
    case SKI_JSON:
    case SKI_OBJECT:
    case SKI_FLAT:
    case SKI_OBJECTS:
        break; /* have no place in a query */
    }
}

void ski_query_encode(struct ski_buf *out, const struct ski_type *type, const void *value)
{
    size_t struct_size = *(const size_t *)value;
    size_t start = out->length;

    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++)
        if (is_written(field, value, struct_size, SKI_ENCODE_REQUEST))
            add_pair(out, start, field, value);
}
