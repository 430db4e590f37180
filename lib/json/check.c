#include "json/check.h"
#include "base/str.h"
#include "json/parse.h"
#include "json/time.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where the member being checked is: "authorization_details.oauth_token.scopes[2]".  A chain on the
 * stack, made text only when something is wrong. */
struct place {
    const struct place *up;
    const char *member;
    size_t index; /* in the member's list */
};
#define NO_INDEX SIZE_MAX

struct check {
    const struct ski_mem *mem;
    struct ski_failure *failure;
};

static scalekit_err check_structure(struct check *check, const struct ski_type *type,
                                    const void *structure, const struct place *up);

/* --- saying what is wrong -------------------------------------------------------------------------- */

static void write_place(char *out, size_t size, const struct place *place)
{
    size_t used = 0;

    if (place->up) {
        write_place(out, size, place->up);
        used = strlen(out);
    }
    snprintf(out + used, size - used, "%s%s", place->up ? "." : "", place->member);
    used = strlen(out);
    if (place->index != NO_INDEX)
        snprintf(out + used, size - used, "[%zu]", place->index);
}

/* "<place> <problem>" */
__attribute__((format(printf, 3, 4))) static scalekit_err wrong(struct check *check,
                                                                const struct place *place,
                                                                const char *format, ...)
{
    char path[100], problem[90]; /* in a failure's text there is room for both */
    va_list args;

    va_start(args, format);
    vsnprintf(problem, sizeof problem, format, args);
    va_end(args);
    write_place(path, sizeof path, place);
    ski_fail(check->failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE, "%s %s", path, problem);
    check->failure->parameter = place->member;
    return SCALEKIT_ERR_INVALID;
}

/* --- values ---------------------------------------------------------------------------------------- */

static scalekit_err check_length(struct check *check, const char *what, const char *text,
                                 int64_t min, int64_t max, const struct place *place)
{
    int64_t length = (int64_t)ski_utf8_count(text);

    if (!ski_utf8_valid(text, strlen(text)))
        return wrong(check, place, "%smust be valid UTF-8", what);
    if (length < min && max)
        return wrong(check, place, "%smust have from %" PRId64 " to %" PRId64 " characters", what,
                     min, max);
    if (length < min)
        return wrong(check, place, "%smust have at least %" PRId64 " characters", what, min);
    if (length > max && max)
        return wrong(check, place, "%smust have at most %" PRId64 " characters", what, max);
    return SCALEKIT_OK;
}

/* Servers undo the encoding of a path before they look where it leads. */
static const char *path_problem(const char *text)
{
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return "must not be a dot segment";
    for (; *text; text++)
        if (*text == '/' || *text == '\\' || (unsigned char)*text < 0x20 || *text == 0x7f)
            return "must not hold / or \\ or control characters";
    return NULL;
}

static scalekit_err check_text(struct check *check, const struct ski_field *field, const char *text,
                               const struct place *place)
{
    scalekit_err err = check_length(check, "", text, field->min, field->max, place);
    const char *problem = NULL;

    if (err != SCALEKIT_OK)
        return err;
    if (field->flags & SKI_PATH)
        problem = path_problem(text);
    if (!problem && field->check)
        problem = field->check(text);
    return problem ? wrong(check, place, "%s", problem) : SCALEKIT_OK;
}

static scalekit_err check_integer(struct check *check, const struct ski_field *field, int64_t value,
                                  const struct place *place)
{
    if ((field->min || field->max) && (value < field->min || value > field->max))
        return wrong(check, place, "must be from %" PRId64 " to %" PRId64, field->min, field->max);
    return SCALEKIT_OK;
}

static scalekit_err check_moment(struct check *check, scalekit_time moment,
                                 const struct place *place)
{
    if (moment < SKI_TIME_EARLIEST || moment > SKI_TIME_LATEST)
        return wrong(check, place, "must be in the years 1 to 9999");
    return SCALEKIT_OK;
}

static scalekit_err check_json(struct check *check, const struct ski_field *field, const char *text,
                               const struct place *place)
{
    enum ski_json_shape shape = field->flags & SKI_ANY_JSON    ? SKI_JSON_ANY
                                : field->flags & SKI_LIST_JSON ? SKI_JSON_LIST
                                                               : SKI_JSON_OBJECT;
    const char *problem = ski_json_problem(check->mem, text, strlen(text), shape);

    if (problem == ski_json_no_memory)
        return ski_fail(check->failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "%s", problem);
    return problem ? wrong(check, place, "%s", problem) : SCALEKIT_OK;
}

static scalekit_err check_count(struct check *check, const struct ski_field *field,
                                const void *items, size_t count, const struct place *place)
{
    if (!items)
        return wrong(check, place, "is NULL, but its count is not 0");
    if (count < field->min_items)
        return wrong(check, place, "must have at least %zu items", field->min_items);
    if (field->max_items && count > field->max_items)
        return wrong(check, place, "must have at most %zu items", field->max_items);
    return SCALEKIT_OK;
}

static scalekit_err check_list(struct check *check, const struct ski_field *field,
                               const void *structure, const struct place *place)
{
    const void *const *items = SKI_MEMBER(structure, field->offset, const void *const *const);
    size_t count = SKI_MEMBER(structure, field->second, const size_t);
    scalekit_err err = check_count(check, field, items, count, place);

    for (size_t i = 0; i < count && err == SCALEKIT_OK; i++) {
        const struct place item = {place->up, place->member, i};

        if (!items[i])
            return wrong(check, &item, "is NULL");
        err = field->kind == SKI_STRINGS ? check_text(check, field, items[i], &item)
                                         : check_structure(check, field->type, items[i], &item);
    }
    return err;
}

static scalekit_err check_map(struct check *check, const struct ski_field *field,
                              const void *structure, const struct place *place)
{
    const struct scalekit_entry *entries =
        SKI_MEMBER(structure, field->offset, const struct scalekit_entry *const);
    size_t count = SKI_MEMBER(structure, field->second, const size_t);
    scalekit_err err = check_count(check, field, entries, count, place);

    for (size_t i = 0; i < count && err == SCALEKIT_OK; i++) {
        const struct place entry = {place->up, place->member, i};

        if (!entries[i].key || !entries[i].value)
            return wrong(check, &entry, "has no key or no value");
        err = check_length(check, "key ", entries[i].key, field->key_min, field->key_max, &entry);
        if (err == SCALEKIT_OK)
            err = check_text(check, field, entries[i].value, &entry);
    }
    return err;
}

/* --- rows ------------------------------------------------------------------------------------------ */

static bool is_empty_text(const struct ski_field *field, const void *structure)
{
    if (field->kind == SKI_ENUM)
        return *ski_enum_text(field, structure) == '\0';
    return (field->kind == SKI_STRING || field->kind == SKI_JSON) &&
           *SKI_MEMBER(structure, field->offset, const char *const) == '\0';
}

/* A value that has neither a word nor a text would be left out, as if it were absent. */
static bool is_unknown_enum(const struct ski_field *field, const void *structure)
{
    return field->kind == SKI_ENUM && SKI_MEMBER(structure, field->offset, const int) != 0 &&
           !ski_enum_text(field, structure);
}

static bool is_choice(enum scalekit_choice choice)
{
    return choice == SCALEKIT_NO || choice == SCALEKIT_YES;
}

/* A member that is there. */
static scalekit_err check_value(struct check *check, const struct ski_field *field,
                                const void *structure, const struct place *place)
{
    switch (field->kind) {
    case SKI_STRING:
        return check_text(check, field, SKI_MEMBER(structure, field->offset, const char *const),
                          place);
    case SKI_INTEGER:
    case SKI_DURATION:
        return check_integer(check, field, SKI_MEMBER(structure, field->offset, const int64_t),
                             place);
    case SKI_NUMBER:
        return isfinite(SKI_MEMBER(structure, field->offset, const double))
                   ? SCALEKIT_OK
                   : wrong(check, place, "must be a finite number");
    case SKI_TIMESTAMP:
        return check_moment(check, SKI_MEMBER(structure, field->offset, const scalekit_time),
                            place);
    case SKI_ENUM:
        return check_text(check, field, ski_enum_text(field, structure), place);
    case SKI_JSON:
        return check_json(check, field, SKI_MEMBER(structure, field->offset, const char *const),
                          place);
    case SKI_OBJECT:
        return check_structure(check, field->type,
                               SKI_MEMBER(structure, field->offset, const void *const), place);
    case SKI_OBJECTS:
    case SKI_STRINGS:
        return check_list(check, field, structure, place);
    case SKI_MAP:
        return check_map(check, field, structure, place);
    case SKI_CHOICE:
        return is_choice(SKI_MEMBER(structure, field->offset, const enum scalekit_choice))
                   ? SCALEKIT_OK
                   : wrong(check, place, "must be unset, no or yes");
    case SKI_END:
    case SKI_BOOLEAN:
    case SKI_FLAT:
        break;
    }
    return SCALEKIT_OK;
}

static scalekit_err check_fields(struct check *check, const struct ski_type *type,
                                 const void *structure, size_t struct_size, const struct place *up)
{
    scalekit_err err = SCALEKIT_OK;

    for (const struct ski_field *field = type->fields; field->kind != SKI_END && err == SCALEKIT_OK;
         field++) {
        const struct place place = {up, field->member, NO_INDEX};
        bool required = field->flags & SKI_REQUIRED;

        if (field->flags & SKI_READ_ONLY)
            continue;
        if (field->kind == SKI_FLAT)
            err = check_fields(check, field->type, structure, struct_size, up);
        else if (!ski_field_within(field, struct_size))
            err = required ? wrong(check, &place, "is required") : SCALEKIT_OK;
        else if (is_unknown_enum(field, structure))
            err = wrong(check, &place, "is not a known value");
        else if (ski_field_absent(field, structure))
            err = required ? wrong(check, &place, "is required") : SCALEKIT_OK;
        else if (required && is_empty_text(field, structure))
            err = wrong(check, &place, "is required");
        else
            err = check_value(check, field, structure, &place);
    }
    return err;
}

static scalekit_err check_structure(struct check *check, const struct ski_type *type,
                                    const void *structure, const struct place *up)
{
    const char *problem = ski_struct_size_problem(structure, type->size);
    const struct place place = {up, "struct_size", NO_INDEX};

    if (problem)
        return wrong(check, &place, "%s", problem);
    return check_fields(check, type, structure, *(const size_t *)structure, up);
}

scalekit_err ski_check(const struct ski_mem *mem, const struct ski_type *type, const void *value,
                       struct ski_failure *failure)
{
    struct check check = {mem, failure};

    return check_structure(&check, type, value, NULL);
}

/* --- versions of a structure ------------------------------------------------------------------------ */

/* No structure of ours will grow by more: beyond, struct_size was never set and is not to be
 * trusted with reading that far. */
#define MOST_GROWTH 4096

const char *ski_struct_size_problem(const void *structure, size_t known)
{
    size_t given = *(const size_t *)structure;

    if (given == 0)
        return "is 0: make the structure with SCALEKIT_PARAMS";
    if (given > known + MOST_GROWTH)
        return "is not the size of the structure";
    /* What a newer program has set and this version ignores would silently have no effect. */
    for (size_t i = known; i < given; i++)
        if (((const char *)structure)[i])
            return "covers members that this version does not know";
    return NULL;
}

const void *ski_params_copy(void *copy, size_t known, const void *given)
{
    size_t size;

    if (!given || ski_struct_size_problem(given, known))
        return given;
    size = *(const size_t *)given;
    memset(copy, 0, known);
    memcpy(copy, given, size < known ? size : known);
    *(size_t *)copy = known;
    return copy;
}
