/* check.h - arguments against the limits of their table, before anything is sent. */
#ifndef SKI_JSON_CHECK_H
#define SKI_JSON_CHECK_H

#include "base/mem.h"
#include "json/type.h"

/* Checks struct_size (0, or trailing members this version does not know that are not zero: refused)
 * and every row: REQUIRED, min and max, max_items, check, valid UTF-8, valid JSON; OBJECTs too.
 * READ_ONLY members are ignored.  Returns SCALEKIT_OK or SCALEKIT_ERR_INVALID with failure->parameter
 * (the C member's name) and a text that says the limit; SCALEKIT_ERR_NOMEM. */
scalekit_err ski_check(const struct ski_mem *mem, const struct ski_type *type, const void *value,
                       struct ski_failure *failure);

/* What is wrong with the struct_size that a caller's structure begins with ("is 0: …"); NULL when
 * that many bytes may be read.  `known` is the size this version knows. */
const char *ski_struct_size_problem(const void *structure, size_t known);

/* Copies an input structure, whatever version of it the caller has, so that defaults can be filled
 * in.  Returns the copy, or `given` itself when it is NULL or ski_check() is going to refuse it. */
const void *ski_params_copy(void *copy, size_t known, const void *given);

#endif
