/* decode.h - JSON text to structures, led by tables.  Knows no type by name.
 *
 * Names are accepted as the table spells them and in lowerCamelCase; of one that comes twice the
 * last wins.  Unknown members are skipped.  Absent, null and, for strings, empty mean the zero
 * value (NULL, 0, false); in lists null is left out.  A number is an integer however it is spelt,
 * 5, 5.0 or 5e0, and in a string as digits.  A REQUIRED string, JSON text or object must be there.
 *
 * A value of the wrong JSON type, text that is not strict UTF-8, a string with an embedded NUL, a
 * syntax error, a document beyond the limits: SCALEKIT_ERR_DECODE with the path,
 * "connected_account.status: expected a string".  Everything goes into the arena. */
#ifndef SKI_JSON_DECODE_H
#define SKI_JSON_DECODE_H

#include "base/arena.h"
#include "json/type.h"

#define SKI_JSON_MAX_ITEMS 100000 /* elements of one list */

/* *out: the decoded structure, in `arena`; NULL when it failed.  An empty text decodes as {}.
 * Returns SCALEKIT_OK, SCALEKIT_ERR_DECODE or SCALEKIT_ERR_NOMEM, with `failure` filled. */
scalekit_err ski_json_decode(struct ski_arena *arena, const struct ski_type *type, const char *text,
                             size_t length, const void **out, struct ski_failure *failure);

/* The same for a parameter structure of an operation that is written as JSON: members are named as
 * in C, and those of a FLAT stand beside the others.  An empty string is kept, and null has no place
 * in a list or map; what is missing is for ski_check() to find.  What is wrong, a name that is
 * unknown or only the service's too, is SCALEKIT_ERR_INVALID, with the parameter. */
scalekit_err ski_json_decode_params(struct ski_arena *arena, const struct ski_type *type,
                                    const char *text, size_t length, const void **out,
                                    struct ski_failure *failure);

#endif
