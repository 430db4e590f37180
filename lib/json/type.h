/* type.h - how a C structure and a JSON object say the same thing.  One row per member.
 *
 * A public structure is written by hand, for people, ctags and debuggers; beside it stands a const
 * table of rows.  The same rows decode answers, encode bodies and query strings, check arguments
 * and redact logs.  The compiler refuses a row whose member has another C type than the row says.
 *
 *     static const struct ski_field link_fields[] = {
 *         STRING(scalekit_authorization_link, link, "link", .flags = SKI_SECRET),
 *         TIMESTAMP(scalekit_authorization_link, expiry, "expiry"),
 *         END,
 *     };
 *     const struct ski_type ski_authorization_link_type =
 *         TYPE(scalekit_authorization_link, link_fields);
 *
 * Every structure begins with `size_t struct_size`.  Decoding sets it; encoding and checking ignore
 * rows beyond it.  So it grows at its end only, and never into the padding there, which an older
 * program's struct_size covers. */
#ifndef SKI_JSON_TYPE_H
#define SKI_JSON_TYPE_H

#include "base/failure.h"
#include <scalekit/types.h>

enum ski_kind {
    SKI_END,
    SKI_STRING,    /* const char * */
    SKI_INTEGER,   /* int64_t; a JSON number without fraction, or the same in a string */
    SKI_NUMBER,    /* double */
    SKI_BOOLEAN,   /* bool */
    SKI_CHOICE,    /* enum scalekit_choice; a boolean for which absent is not false */
    SKI_TIMESTAMP, /* scalekit_time; RFC 3339 */
    SKI_DURATION,  /* int64_t, whole seconds; "3600s" */
    SKI_ENUM,      /* enum, stored as int, and `<member>_text` beside it */
    SKI_JSON,      /* const char *: a JSON object as text, or SKI_LIST_JSON, or SKI_ANY_JSON */
    SKI_OBJECT,    /* const struct T * */
    SKI_FLAT,      /* a JSON object whose members are members of this same structure */
    SKI_OBJECTS,   /* const struct T *const *, and `n_<member>` */
    SKI_STRINGS,   /* const char *const *, and `n_<member>` */
    SKI_MAP        /* const struct scalekit_entry *, and `n_<member>`; an object of strings */
};

enum ski_field_flags {
    SKI_REQUIRED = 1,   /* must be given and not be empty */
    SKI_SECRET = 2,     /* logs show "***" */
    SKI_READ_ONLY = 4,  /* from the service only: never encoded into a request */
    SKI_ANY_JSON = 8,   /* SKI_JSON: any value, not only an object */
    SKI_ALWAYS = 16,    /* SKI_JSON: encoded as {} when it is absent */
    SKI_LIST_JSON = 32, /* SKI_JSON: a list, not an object */
    SKI_PATH = 64,      /* of a request: goes into the path, where it says {name} */
    SKI_QUERY = 128     /* of a request: goes into the query, although the others are its body */
};

struct ski_word { /* an enum's value and its spelling; ends with a NULL word */
    int value;
    const char *word;
};

struct ski_type;
struct ski_field {
    const char *name;   /* on the wire */
    const char *member; /* in C, for errors that name the parameter */
    enum ski_kind kind;
    unsigned flags;
    size_t offset;                /* of the member */
    size_t second;                /* of n_<member> or <member>_text */
    const struct ski_type *type;  /* OBJECT, FLAT, OBJECTS */
    const struct ski_word *words; /* ENUM */
    int64_t min, max;             /* of characters, of an integer's value; 0, 0: no limits */
    int64_t key_min, key_max;     /* MAP: of a key's characters */
    size_t min_items, max_items;  /* STRINGS, OBJECTS, MAP; min and max hold for each string */
    /* What is wrong with a string, for people ("must begin with ca_"); NULL when it is right. */
    const char *(*check)(const char *value);
};

struct ski_type {
    const char *name;
    size_t size;
    const struct ski_field *fields; /* ends with END */
};

/* offsetof, refused by the compiler unless the member has type C. */
#define SKI_AT(S, m, C) (offsetof(struct S, m) + 0 * sizeof(&((struct S *)0)->m == (C *)0))

/* The last fixed argument of each is the name on the wire; designators may follow it. */
#define STRING(S, m, ...)                                                                          \
    {                                                                                              \
        .member = #m, .kind = SKI_STRING, .offset = SKI_AT(S, m, const char *),                    \
        .name = __VA_ARGS__                                                                        \
    }
#define INTEGER(S, m, ...)                                                                         \
    {                                                                                              \
        .member = #m, .kind = SKI_INTEGER, .offset = SKI_AT(S, m, int64_t), .name = __VA_ARGS__    \
    }
#define BOOLEAN(S, m, ...)                                                                         \
    {                                                                                              \
        .member = #m, .kind = SKI_BOOLEAN, .offset = SKI_AT(S, m, bool), .name = __VA_ARGS__       \
    }
#define TIMESTAMP(S, m, ...)                                                                       \
    {                                                                                              \
        .member = #m, .kind = SKI_TIMESTAMP, .offset = SKI_AT(S, m, scalekit_time),                \
        .name = __VA_ARGS__                                                                        \
    }
#define ENUM(S, m, E, W, ...)                                                                      \
    {                                                                                              \
        .member = #m, .kind = SKI_ENUM, .offset = SKI_AT(S, m, enum E),                            \
        .second = SKI_AT(S, m##_text, const char *), .words = W, .name = __VA_ARGS__               \
    }
#define NUMBER(S, m, ...)                                                                          \
    {                                                                                              \
        .member = #m, .kind = SKI_NUMBER, .offset = SKI_AT(S, m, double), .name = __VA_ARGS__      \
    }
#define CHOICE(S, m, ...)                                                                          \
    {                                                                                              \
        .member = #m, .kind = SKI_CHOICE, .offset = SKI_AT(S, m, enum scalekit_choice),            \
        .name = __VA_ARGS__                                                                        \
    }
#define DURATION(S, m, ...)                                                                        \
    {                                                                                              \
        .member = #m, .kind = SKI_DURATION, .offset = SKI_AT(S, m, int64_t), .name = __VA_ARGS__   \
    }
#define MAP(S, m, ...)                                                                             \
    {                                                                                              \
        .member = #m, .kind = SKI_MAP, .offset = SKI_AT(S, m, const struct scalekit_entry *),      \
        .second = SKI_AT(S, n_##m, size_t), .name = __VA_ARGS__                                    \
    }
#define JSON(S, m, ...)                                                                            \
    {                                                                                              \
        .member = #m, .kind = SKI_JSON, .offset = SKI_AT(S, m, const char *), .name = __VA_ARGS__  \
    }
#define OBJECT(S, m, C, T, ...)                                                                    \
    {                                                                                              \
        .member = #m, .kind = SKI_OBJECT, .offset = SKI_AT(S, m, const struct C *), .type = &T,    \
        .name = __VA_ARGS__                                                                        \
    }
#define FLAT(T, js)                                                                                \
    {                                                                                              \
        .member = js, .kind = SKI_FLAT, .type = &T, .name = js                                     \
    }
#define STRINGS(S, m, ...)                                                                         \
    {                                                                                              \
        .member = #m, .kind = SKI_STRINGS, .offset = SKI_AT(S, m, const char *const *),            \
        .second = SKI_AT(S, n_##m, size_t), .name = __VA_ARGS__                                    \
    }
#define OBJECTS(S, m, C, T, ...)                                                                   \
    {                                                                                              \
        .member = #m, .kind = SKI_OBJECTS, .offset = SKI_AT(S, m, const struct C *const *),        \
        .second = SKI_AT(S, n_##m, size_t), .type = &T, .name = __VA_ARGS__                        \
    }
#define END                                                                                        \
    {                                                                                              \
        .kind = SKI_END                                                                            \
    }
#define TYPE(S, rows)                                                                              \
    {                                                                                              \
        .name = #S, .size = sizeof(struct S), .fields = rows                                       \
    }

/* --- for the engines: reaching a row's member ---------------------------------------------------- */

/* Pointers, whatever they point to, are read and written as pointers to void. */
#define SKI_MEMBER(structure, offset, type) (*(type *)((char *)(structure) + (offset)))

/* Whether a structure of that size has the row's member; that of an older program may not. */
static inline bool ski_field_within(const struct ski_field *field, size_t struct_size)
{
    size_t end = field->offset;

    switch (field->kind) {
    case SKI_END:
    case SKI_FLAT:
        return true;
    case SKI_STRING:
    case SKI_JSON:
    case SKI_OBJECT:
        end += sizeof(void *);
        break;
    case SKI_INTEGER:
    case SKI_TIMESTAMP:
    case SKI_DURATION:
        end += sizeof(int64_t);
        break;
    case SKI_NUMBER:
        end += sizeof(double);
        break;
    case SKI_BOOLEAN:
        end += sizeof(bool);
        break;
    case SKI_CHOICE:
        end += sizeof(enum scalekit_choice);
        break;
    case SKI_ENUM:
        end = field->second + sizeof(char *);
        break;
    case SKI_OBJECTS:
    case SKI_STRINGS:
    case SKI_MAP:
        end = field->second + sizeof(size_t);
        break;
    }
    return end <= struct_size;
}

/* The word of an enum's value; NULL when it has none. */
static inline const char *ski_word_of(const struct ski_word *words, int value)
{
    while (words->word && words->value != value)
        words++;
    return words->word;
}

/* The same for an ENUM row's member: the word, else the text beside it; NULL when absent. */
static inline const char *ski_enum_text(const struct ski_field *field, const void *structure)
{
    int value = SKI_MEMBER(structure, field->offset, const int);
    const char *word = value ? ski_word_of(field->words, value) : NULL;

    return word ? word : SKI_MEMBER(structure, field->second, const char *const);
}

/* Whether the row's member has its zero value.  A FLAT has none of its own. */
static inline bool ski_field_absent(const struct ski_field *field, const void *structure)
{
    switch (field->kind) {
    case SKI_END:
        return true;
    case SKI_STRING:
    case SKI_JSON:
    case SKI_OBJECT:
        return !SKI_MEMBER(structure, field->offset, const void *const);
    case SKI_INTEGER:
    case SKI_TIMESTAMP:
    case SKI_DURATION:
        return SKI_MEMBER(structure, field->offset, const int64_t) == 0;
    case SKI_NUMBER:
        return SKI_MEMBER(structure, field->offset, const double) == 0;
    case SKI_CHOICE:
        return SKI_MEMBER(structure, field->offset, const enum scalekit_choice) == SCALEKIT_UNSET;
    case SKI_BOOLEAN:
        return !SKI_MEMBER(structure, field->offset, const bool);
    case SKI_ENUM:
        return !ski_enum_text(field, structure);
    case SKI_OBJECTS:
    case SKI_STRINGS:
    case SKI_MAP:
        return SKI_MEMBER(structure, field->second, const size_t) == 0;
    case SKI_FLAT:
        break;
    }
    return false;
}

#endif
