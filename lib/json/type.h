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
 * rows beyond it. */
#ifndef SKI_JSON_TYPE_H
#define SKI_JSON_TYPE_H

#include "base/failure.h"
#include <scalekit/types.h>

enum ski_kind {
    SKI_END,
    SKI_STRING,    /* const char * */
    SKI_INTEGER,   /* int64_t; a JSON number without fraction, or the same in a string */
    SKI_BOOLEAN,   /* bool */
    SKI_TIMESTAMP, /* scalekit_time; RFC 3339 */
    SKI_ENUM,      /* enum, stored as int, and `<member>_text` beside it */
    SKI_JSON,      /* const char *: a JSON object or array as text */
    SKI_OBJECT,    /* const struct T * */
    SKI_FLAT,      /* a JSON object whose members are members of this same structure */
    SKI_OBJECTS,   /* const struct T *const *, and `n_<member>` */
    SKI_STRINGS    /* const char *const *, and `n_<member>` */
};

enum ski_field_flags {
    SKI_REQUIRED = 1,  /* input: must be given and not be empty */
    SKI_SECRET = 2,    /* logs show "***" */
    SKI_READ_ONLY = 4, /* from the service only: never encoded into a request */
    SKI_ANY_JSON = 8   /* SKI_JSON: any value, not only an object */
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
    size_t offset; /* of the member */
    size_t second; /* of n_<member> or <member>_text */
    const struct ski_type *type;  /* OBJECT, FLAT, OBJECTS */
    const struct ski_word *words; /* ENUM */
    int64_t min, max;             /* of characters, of an integer's value; 0, 0: no limits */
    size_t max_items;             /* STRINGS, OBJECTS; min and max then hold for each string */
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

#define STRING(S, m, js, ...)                                                                      \
    {.name = js, .member = #m, .kind = SKI_STRING, .offset = SKI_AT(S, m, const char *), __VA_ARGS__}
#define INTEGER(S, m, js, ...)                                                                     \
    {.name = js, .member = #m, .kind = SKI_INTEGER, .offset = SKI_AT(S, m, int64_t), __VA_ARGS__}
#define BOOLEAN(S, m, js, ...)                                                                     \
    {.name = js, .member = #m, .kind = SKI_BOOLEAN, .offset = SKI_AT(S, m, bool), __VA_ARGS__}
#define TIMESTAMP(S, m, js, ...)                                                                   \
    {.name = js, .member = #m, .kind = SKI_TIMESTAMP, .offset = SKI_AT(S, m, scalekit_time), __VA_ARGS__}
#define ENUM(S, m, js, E, W, ...)                                                                  \
    {.name = js, .member = #m, .kind = SKI_ENUM, .offset = SKI_AT(S, m, enum E),                   \
     .second = SKI_AT(S, m##_text, const char *), .words = W, __VA_ARGS__}
#define JSON(S, m, js, ...)                                                                        \
    {.name = js, .member = #m, .kind = SKI_JSON, .offset = SKI_AT(S, m, const char *), __VA_ARGS__}
#define OBJECT(S, m, js, C, T, ...)                                                                \
    {.name = js, .member = #m, .kind = SKI_OBJECT, .offset = SKI_AT(S, m, const struct C *),       \
     .type = &T, __VA_ARGS__}
#define FLAT(js, T) {.name = js, .member = js, .kind = SKI_FLAT, .type = &T}
#define STRINGS(S, m, js, ...)                                                                     \
    {.name = js, .member = #m, .kind = SKI_STRINGS, .offset = SKI_AT(S, m, const char *const *),   \
     .second = SKI_AT(S, n_##m, size_t), __VA_ARGS__}
#define OBJECTS(S, m, js, C, T, ...)                                                               \
    {.name = js, .member = #m, .kind = SKI_OBJECTS,                                                \
     .offset = SKI_AT(S, m, const struct C *const *), .second = SKI_AT(S, n_##m, size_t),          \
     .type = &T, __VA_ARGS__}
#define END           {.kind = SKI_END}
#define TYPE(S, rows) {.name = #S, .size = sizeof(struct S), .fields = rows}

#endif
