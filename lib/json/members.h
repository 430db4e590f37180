/* members.h - how many members a JSON object has, for texts that are known by having no others. */
#ifndef SKI_JSON_MEMBERS_H
#define SKI_JSON_MEMBERS_H

#include "base/mem.h"

/* Members of the object that the text is, those of objects within it not counted; -1: the text is
 * no JSON object, or memory ran out. */
int ski_json_count_members(const struct ski_mem *mem, const char *text, size_t length);

#endif
