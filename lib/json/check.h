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

#endif
