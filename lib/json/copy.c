#include "json/copy.h"
#include <string.h>

static bool copy_text(struct ski_arena *arena, const char **text)
{
    const char *original = *text;

    *text = ski_arena_strdup(arena, original);
    return *text || !original;
}

static bool copy_strings(struct ski_arena *arena, const char *const **list, size_t count)
{
    const char **copy = ski_arena_alloc(arena, count * sizeof *copy);
    bool copied = copy;

    for (size_t i = 0; i < count && copied; i++) {
        copy[i] = (*list)[i];
        copied = copy_text(arena, &copy[i]);
    }
    *list = copy;
    return copied;
}

static bool copy_objects(struct ski_arena *arena, const struct ski_type *type,
                         const void *const **list, size_t count)
{
    const void **copy = ski_arena_alloc(arena, count * sizeof *copy);
    bool copied = copy;

    for (size_t i = 0; i < count && copied; i++) {
        copy[i] = ski_copy(arena, type, (*list)[i]);
        copied = copy[i];
    }
    *list = copy;
    return copied;
}

static bool copy_map(struct ski_arena *arena, const struct scalekit_entry **entries, size_t count)
{
    struct scalekit_entry *copy = ski_arena_alloc(arena, count * sizeof *copy);
    bool copied = copy;

    for (size_t i = 0; i < count && copied; i++) {
        copy[i] = (*entries)[i];
        copied = copy_text(arena, &copy[i].key) && copy_text(arena, &copy[i].value);
    }
    *entries = copy;
    return copied;
}

static bool copy_fields(struct ski_arena *arena, const struct ski_type *type, void *structure);

/* What the row's member points to takes the place of the original's. */
static bool copy_field(struct ski_arena *arena, const struct ski_field *field, void *structure)
{
    if (field->kind == SKI_FLAT)
        return copy_fields(arena, field->type, structure);
    if (ski_field_absent(field, structure))
        return true;
    switch (field->kind) {
    case SKI_STRING:
    case SKI_JSON:
        return copy_text(arena, &SKI_MEMBER(structure, field->offset, const char *));
    case SKI_ENUM:
        return copy_text(arena, &SKI_MEMBER(structure, field->second, const char *));
    case SKI_OBJECT: {
        const void **object = &SKI_MEMBER(structure, field->offset, const void *);

        *object = ski_copy(arena, field->type, *object);
        return *object;
    }
    case SKI_OBJECTS:
        return copy_objects(arena, field->type,
                            &SKI_MEMBER(structure, field->offset, const void *const *),
                            SKI_MEMBER(structure, field->second, size_t));
    case SKI_STRINGS:
        return copy_strings(arena, &SKI_MEMBER(structure, field->offset, const char *const *),
                            SKI_MEMBER(structure, field->second, size_t));
    case SKI_MAP:
        return copy_map(arena, &SKI_MEMBER(structure, field->offset, const struct scalekit_entry *),
                        SKI_MEMBER(structure, field->second, size_t));
    case SKI_INTEGER:
    case SKI_NUMBER:
    case SKI_BOOLEAN:
    case SKI_CHOICE:
    case SKI_TIMESTAMP:
    case SKI_DURATION:
    case SKI_FLAT:
    case SKI_END:
        break;
    }
    return true;
}

static bool copy_fields(struct ski_arena *arena, const struct ski_type *type, void *structure)
{
    for (const struct ski_field *field = type->fields; field->kind != SKI_END; field++)
        if (!copy_field(arena, field, structure))
            return false;
    return true;
}

void *ski_copy(struct ski_arena *arena, const struct ski_type *type, const void *original)
{
    size_t size = *(const size_t *)original;
    void *copy = ski_arena_alloc(arena, type->size);

    if (!copy)
        return NULL;
    memcpy(copy, original, size < type->size ? size : type->size);
    *(size_t *)copy = type->size;
    return copy_fields(arena, type, copy) ? copy : NULL;
}
