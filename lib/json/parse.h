/* parse.h - yajl, made safe: for json/ only.
 *
 * A text is read in one go, the callbacks are yajl's.  They never return a failure but leave. */
#ifndef SKI_JSON_PARSE_H
#define SKI_JSON_PARSE_H

#include "base/arena.h"
#include <setjmp.h>
#include <stdbool.h>
#include <yajl/yajl_parse.h>

#define SKI_JSON_MAX_DEPTH 64

enum ski_parse_outcome {
    SKI_PARSED,
    SKI_PARSE_NO_MEMORY,
    SKI_PARSE_NOT_UTF8,
    SKI_PARSE_HALF_PAIR,  /* of surrogates */
    SKI_PARSE_NOT_JSON,   /* see `error_at` */
    SKI_PARSE_CUT_SHORT,  /* valid as far as it goes */
    SKI_PARSE_TOO_DEEP,   /* beyond SKI_JSON_MAX_DEPTH */
    SKI_PARSE_WRONG_VALUE /* valid, but not what the table says */
};

struct ski_parser {
    yajl_handle yajl;
    struct ski_arena scratch; /* for what lives no longer than the parser */
    const char *text;
    size_t length, error_at;
    enum ski_parse_outcome outcome;
    jmp_buf way_out;
};

/* Reads a text.  Callbacks get `user`; depth is theirs to limit.  What the parser takes is bound by
 * the length of the text, which the caller has limited. */
enum ski_parse_outcome ski_parse(struct ski_parser *parser, const struct ski_mem *mem,
                                 const char *text, size_t length, const yajl_callbacks *callbacks,
                                 void *user);

/* From inside a callback: the end. */
_Noreturn void ski_parser_leave(struct ski_parser *parser, enum ski_parse_outcome outcome);

/* From inside a callback: memory that lives as long as the reading; leaves when there is none. */
void *ski_parser_realloc(void *parser, void *old, size_t size);

/* What a JSON text may be. */
enum ski_json_shape { SKI_JSON_OBJECT, SKI_JSON_LIST, SKI_JSON_ANY };

/* Whether a text is one valid JSON value of that shape, within the limits.  Returns NULL when it
 * is, else what is wrong, for people ("must be a JSON object"); static text, and ski_json_no_memory
 * when memory ran out. */
extern const char ski_json_no_memory[];
const char *ski_json_problem(const struct ski_mem *mem, const char *text, size_t length,
                             enum ski_json_shape shape);

#endif
