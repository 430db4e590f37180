/* trial.h - one operation, called again and again through its public function, with parameters and
 * answers that a test makes from a case. */
#ifndef TEST_API_TRIAL_H
#define TEST_API_TRIAL_H

#include "cases.h"
#include "functions.h"

struct trial {
    const struct wire_case *of;
    const struct function *function;
    struct fixture fixture;
    struct ski_mem mem;
};

/* Its client has not signed in. */
void trial_open(struct trial *trial, const struct wire_case *of);
void trial_free(struct trial *trial);

/* Calls it; the call has completed, and its parameters were gone before it was sent.  `params` as in
 * params.json, NULL: a NULL pointer.  `answer` NULL: the service answers 501.  Ends the test when
 * these are no parameters of the operation. */
struct call *trial_run(struct trial *trial, const char *params, const char *answer);

/* The result as JSON, as it would have been on the wire; the caller's to free(). */
char *trial_result(const struct trial *trial, const struct call *call);

#endif
