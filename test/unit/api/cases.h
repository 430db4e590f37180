/* cases.h - the folders of test/cases, each a call of one operation and how it looks on the wire.
 *
 *     <operation>/, or <operation>-<what is special>/
 *         params.json     its parameters, named as in C
 *         request         "METHOD /path?query", and if there is a body an empty line and the body
 *         response.json   an answer with everything the operation may return
 *         limits          what its parameters must be, a line each; only in <operation>/
 */
#ifndef TEST_API_CASES_H
#define TEST_API_CASES_H

#include "core/operation.h"

struct wire_case {
    char *name; /* of the folder */
    const struct ski_operation *operation;
    char *params, *request, *response;
    char *limits;              /* NULL: the case is special */
    char *route;               /* "METHOD /path" */
    const char *target, *body; /* in the request; "" for no body */
};

struct wire_cases {
    struct wire_case *at;
    size_t count;
};

/* Reads them all, sorted; ends the test when one is not complete, or names no operation. */
void cases_read(struct wire_cases *cases);
void cases_free(struct wire_cases *cases);

/* The case of an operation without anything special; NULL: it has none. */
const struct wire_case *cases_find(const struct wire_cases *cases, const char *operation);

#endif
