/* wire.h - operations as they appear on the wire, row by row. */
#ifndef TEST_API_WIRE_H
#define TEST_API_WIRE_H

#include "../core/fixture.h"

/* What an operation sends. */
struct wire_row {
    const char *name;
    call_starter start;
    const char *route;
    const char *target; /* with the query */
    const char *body;   /* "": none */
    const char *answer;
};

/* Sends it, and compares method, target, headers and body. */
void wire_check(const struct wire_row *rows, size_t n_rows);

/* Arguments that are refused before anything is sent. */
struct refusal_row {
    const char *name;
    call_starter start;
    const char *parameter; /* that is named; NULL: accepted */
};

void refusal_check(const struct refusal_row *rows, size_t n_rows);

/* The limits of text members.  `start` begins the operation with params that are right but for one
 * member, which is at `offset` and gets a text of some length. */
struct length_row {
    const char *member;
    size_t offset;
    const char *prefix; /* of that text; NULL: none */
    size_t min, max;    /* in characters; max 0: no limit */
};

void length_check(const struct length_row *rows, size_t n_rows,
                  struct call *(*start)(struct fixture *fixture, size_t offset, const char *text));

/* Has an operation answered with `body`; the call has completed.  End with fixture_free(). */
struct call *wire_answer(struct fixture *fixture, call_starter start, const char *route,
                         const char *body);

#endif
