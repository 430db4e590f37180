#include "document.h"
#include "../core/fixture.h"
#include <stdlib.h>

/* Writes a document again, and finds or changes something on the way. */
struct pen {
    FILE *out;
    enum document_names names;
    size_t nth, seen;        /* the spot that is wanted; spots so far */
    const char *replacement; /* of it; NULL: it is left out */
    struct spot *spot;       /* what is wanted of it; NULL: nothing */
    bool found, add_unknown, camel_case;
    char path[160];
};
#define NO_SPOT SIZE_MAX

static void write_value(struct pen *pen, const struct ski_field *field, bool item, yajl_val value);

/* --- text -------------------------------------------------------------------------------------- */

static char *text;
static size_t text_length;

FILE *text_begin(void)
{
    FILE *out = open_memstream(&text, &text_length);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    return out;
}

char *text_end(FILE *out)
{
    CU_ASSERT_FATAL(fclose(out) == 0 && text);
    return text;
}

static void write_string(FILE *out, const char *string)
{
    fputc('"', out);
    for (; *string; string++) {
        if (*string == '"' || *string == '\\')
            fprintf(out, "\\%c", *string);
        else if ((unsigned char)*string < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*string);
        else
            fputc(*string, out);
    }
    fputc('"', out);
}

static void write_camel_case(FILE *out, const char *name)
{
    fputc('"', out);
    for (; *name; name++) {
        if (*name == '_' && name[1] >= 'a' && name[1] <= 'z')
            fputc(*++name - 'a' + 'A', out);
        else
            fputc(*name, out);
    }
    fputc('"', out);
}

/* --- the writer -------------------------------------------------------------------------------- */

/* In a structure's own names a FLAT stands for its members. */
static const struct ski_field *find_field(const struct ski_type *type, const char *name,
                                          enum document_names names)
{
    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++) {
        if (field->kind == SKI_FLAT && names == BY_MEMBER) {
            const struct ski_field *inner = find_field(field->type, name, names);

            if (inner)
                return inner;
        } else if (strcmp(names == BY_WIRE ? field->name : field->member, name) == 0) {
            return field;
        }
    }
    return NULL;
}

/* Whether this is the spot that is wanted; `field` NULL: it is none. */
static bool is_wanted(struct pen *pen, const struct ski_field *field, bool item, yajl_val value)
{
    if (!field || pen->seen++ != pen->nth)
        return false;
    pen->found = true;
    if (pen->spot) {
        *pen->spot = (struct spot){.field = field, .item = item, .value = value};
        snprintf(pen->spot->path, sizeof pen->spot->path, "%s", pen->path);
    }
    return true;
}

static void write_spot(struct pen *pen, const struct ski_field *field, bool item, bool wanted,
                       yajl_val value)
{
    if (wanted)
        fputs(pen->replacement, pen->out);
    else
        write_value(pen, field, item, value);
}

static void write_object(struct pen *pen, const struct ski_type *type, yajl_val value)
{
    size_t outer = strlen(pen->path);
    const char *separator = "";

    fputc('{', pen->out);
    if (pen->add_unknown && type) {
        fputs("\"a_new_member\":{\"id\":[1,{\"name\":null}]}", pen->out);
        separator = ",";
    }
    for (size_t i = 0; i < value->u.object.len; i++) {
        const char *name = value->u.object.keys[i];
        yajl_val member = value->u.object.values[i];
        const struct ski_field *field = type ? find_field(type, name, pen->names) : NULL;
        bool wanted;

        snprintf(pen->path + outer, sizeof pen->path - outer, "%s%s", outer ? "." : "", name);
        wanted = is_wanted(pen, field, false, member);
        if (!wanted || pen->replacement) {
            fputs(separator, pen->out);
            separator = ",";
            (field && pen->camel_case ? write_camel_case : write_string)(pen->out, name);
            fputc(':', pen->out);
            write_spot(pen, field, false, wanted, member);
        }
        pen->path[outer] = '\0';
    }
    if (pen->add_unknown && type)
        fprintf(pen->out, "%s\"another\":\"\"", separator);
    fputc('}', pen->out);
}

static void write_list(struct pen *pen, const struct ski_field *field, yajl_val value)
{
    bool known = field && (field->kind == SKI_OBJECTS || field->kind == SKI_STRINGS);
    const char *separator = "";
    size_t outer = strlen(pen->path);

    fputc('[', pen->out);
    for (size_t i = 0; i < value->u.array.len; i++) {
        yajl_val item = value->u.array.values[i];
        bool wanted;

        snprintf(pen->path + outer, sizeof pen->path - outer, "[%zu]", i);
        wanted = is_wanted(pen, known ? field : NULL, true, item);
        if (!wanted || pen->replacement) {
            fputs(separator, pen->out);
            separator = ",";
            write_spot(pen, known ? field : NULL, true, wanted, item);
        }
        pen->path[outer] = '\0';
    }
    fputc(']', pen->out);
}

/* The table of an object that stands where a field is. */
static const struct ski_type *type_of(const struct ski_field *field, bool item)
{
    if (!field)
        return NULL;
    return field->kind == SKI_OBJECT || field->kind == SKI_FLAT ||
                   (item && field->kind == SKI_OBJECTS)
               ? field->type
               : NULL;
}

static void write_value(struct pen *pen, const struct ski_field *field, bool item, yajl_val value)
{
    if (YAJL_IS_OBJECT(value))
        write_object(pen, type_of(field, item), value);
    else if (YAJL_IS_ARRAY(value))
        write_list(pen, item ? NULL : field, value);
    else if (YAJL_IS_STRING(value))
        write_string(pen->out, YAJL_GET_STRING(value));
    else if (YAJL_IS_NUMBER(value))
        fputs(YAJL_GET_NUMBER(value), pen->out);
    else
        fputs(YAJL_IS_TRUE(value) ? "true" : YAJL_IS_FALSE(value) ? "false" : "null", pen->out);
}

static char *write_document(const struct document *document, struct pen *pen)
{
    pen->out = text_begin();
    pen->names = document->names;
    pen->path[0] = '\0';
    write_object(pen, document->type, document->root);
    return text_end(pen->out);
}

/* --- what tests call --------------------------------------------------------------------------- */

void document_read(struct document *document, const char *source, const struct ski_type *type,
                   enum document_names names)
{
    char problem[200];

    *document = (struct document){yajl_tree_parse(source, problem, sizeof problem), type, names};
    if (!YAJL_IS_OBJECT(document->root))
        printf("%s\n", source);
    CU_ASSERT_FATAL(YAJL_IS_OBJECT(document->root));
}

void document_free(struct document *document)
{
    yajl_tree_free(document->root);
}

bool document_spot(const struct document *document, size_t nth, struct spot *spot)
{
    struct pen pen = {.nth = nth, .spot = spot};

    free(write_document(document, &pen));
    return pen.found;
}

char *document_with(const struct document *document, size_t nth, const char *replacement)
{
    struct pen pen = {.nth = nth, .replacement = replacement};
    char *written = write_document(document, &pen);

    CU_ASSERT(pen.found);
    return written;
}

char *document_with_unknown(const struct document *document)
{
    struct pen pen = {.nth = NO_SPOT, .add_unknown = true};

    return write_document(document, &pen);
}

char *document_in_camel_case(const struct document *document)
{
    struct pen pen = {.nth = NO_SPOT, .camel_case = true};

    return write_document(document, &pen);
}

char *document_value_text(yajl_val value)
{
    struct pen pen = {.nth = NO_SPOT, .out = text_begin()};

    write_value(&pen, NULL, false, value);
    return text_end(pen.out);
}

/* --- the normal form --------------------------------------------------------------------------- */

static bool is_empty_list(yajl_val list)
{
    size_t nulls = 0;

    while (nulls < list->u.array.len && YAJL_IS_NULL(list->u.array.values[nulls]))
        nulls++;
    return nulls == list->u.array.len;
}

static bool says_nothing(yajl_val value)
{
    if (YAJL_IS_STRING(value))
        return YAJL_GET_STRING(value)[0] == '\0';
    if (YAJL_IS_NUMBER(value))
        return strcmp(YAJL_GET_NUMBER(value), "0") == 0;
    if (YAJL_IS_ARRAY(value))
        return is_empty_list(value);
    return YAJL_IS_NULL(value) || YAJL_IS_FALSE(value);
}

/* "2026-10-05T08:30:00.120000999Z" becomes "2026-10-05T08:30:00.12Z". */
static void write_moment(FILE *out, const char *moment)
{
    size_t digits = strspn(moment + 20, "0123456789");

    if (digits > 6)
        digits = 6;
    while (digits > 0 && moment[19 + digits] == '0')
        digits--;
    fprintf(out, "\"%.*sZ\"", digits ? 20 + (int)digits : 19, moment);
}

static bool is_moment(const char *string)
{
    size_t length = strlen(string);

    return length >= 20 && length <= 30 && string[4] == '-' && string[10] == 'T' &&
           string[length - 1] == 'Z' && (string[19] == '.' || length == 20);
}

static void write_normal_string(FILE *out, const char *string)
{
    size_t length = strlen(string);

    if (is_moment(string))
        write_moment(out, string);
    else if (length > 0 && length < 20 && strspn(string, "0123456789") == length)
        fputs(string, out);
    else
        write_string(out, string);
}

static void write_normal(FILE *out, yajl_val value);

/* The member with the least name behind `last`; NULL: there is none. */
static const char *next_name(yajl_val object, const char *last, yajl_val *value)
{
    const char *next = NULL;

    for (size_t i = 0; i < object->u.object.len; i++) {
        const char *name = object->u.object.keys[i];

        if ((!last || strcmp(name, last) > 0) && (!next || strcmp(name, next) < 0)) {
            next = name;
            *value = object->u.object.values[i];
        }
    }
    return next;
}

static void write_normal_object(FILE *out, yajl_val object)
{
    const char *separator = "";
    const char *name = NULL;
    yajl_val value = NULL;

    fputc('{', out);
    while ((name = next_name(object, name, &value))) {
        if (says_nothing(value))
            continue;
        fputs(separator, out);
        separator = ",";
        write_string(out, name);
        fputc(':', out);
        write_normal(out, value);
    }
    fputc('}', out);
}

static void write_normal_list(FILE *out, yajl_val list)
{
    const char *separator = "";

    fputc('[', out);
    for (size_t i = 0; i < list->u.array.len; i++) {
        if (YAJL_IS_NULL(list->u.array.values[i]))
            continue;
        fputs(separator, out);
        separator = ",";
        write_normal(out, list->u.array.values[i]);
    }
    fputc(']', out);
}

static void write_normal(FILE *out, yajl_val value)
{
    struct pen pen = {.out = out, .nth = NO_SPOT};

    if (YAJL_IS_OBJECT(value))
        write_normal_object(out, value);
    else if (YAJL_IS_ARRAY(value))
        write_normal_list(out, value);
    else if (YAJL_IS_STRING(value))
        write_normal_string(out, YAJL_GET_STRING(value));
    else
        write_value(&pen, NULL, false, value);
}

char *document_normal(const char *source)
{
    struct document document;
    FILE *out;

    document_read(&document, source, NULL, BY_WIRE);
    out = text_begin();
    write_normal(out, document.root);
    document_free(&document);
    return text_end(out);
}
