/* value.h - arguments `name=value` as a JSON object.
 *
 *   name=text       a value of the parameter's type: text, a number, true, a moment; of a list an
 *                   item, and once more for the next; of JSON, a list of objects or a map, JSON
 *   name:=JSON      JSON as it is
 *   name=@file      the value is what a file holds, without the end of its last line; := too
 *   name=-          ... what standard input holds
 *   a.b.c=text      a member of a member
 *   a[0].b=text     a member of a list's first item
 *   map.key=text    an entry of a map, or a member of JSON
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include <scalekit/operation.h>

struct value_problem {
    char parameter[SCALEKIT_PARAMETER_NAME]; /* "" when it is none in particular */
    char text[512];
};

/* The object, yours; NULL: see *problem.  `operation` has the types; NULL: there are none, every
 * text is a string. */
char *value_read(const scalekit_operation *operation, const char *const *arguments, size_t n,
                 struct value_problem *problem);

#endif
