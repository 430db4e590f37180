/* copy.h - a deep copy of a structure, led by its table: for parameters that outlive the call. */
#ifndef SKI_JSON_COPY_H
#define SKI_JSON_COPY_H

#include "base/arena.h"
#include "json/type.h"

/* The structure and all that it points to, in the arena; of the size this version knows, whatever
 * version the original has.  The original must have passed ski_check().  NULL: out of memory, or
 * over the arena's limit. */
void *ski_copy(struct ski_arena *arena, const struct ski_type *type, const void *original);

#endif
