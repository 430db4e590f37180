/* functions.h - the public function of every operation, by the operation's name.
 *
 * The compiler proves that each has the parameters and the callback that its header says; the tests
 * of the cases, that there is one for every operation. */
#ifndef TEST_API_FUNCTIONS_H
#define TEST_API_FUNCTIONS_H

#include "../core/fixture.h"

struct function {
    const char *operation;
    struct call *(*start)(struct fixture *fixture, const void *params);
};

extern const struct function functions[]; /* ends with a NULL name */

/* NULL: there is none. */
const struct function *function_find(const char *operation);

#endif
