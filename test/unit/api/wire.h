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

/* What every request of an operation says in its header; the client's user_agent is "app/2". */
void wire_check_headers(const char *name, const struct fixture *fixture,
                        const struct service_request *request);

/* Arguments that are refused before anything is sent. */
struct refusal_row {
    const char *name;
    call_starter start;
    const char *parameter; /* that is named; NULL: accepted */
};

void refusal_check(const struct refusal_row *rows, size_t n_rows);

/* Has an operation answered with `body`; the call has completed.  End with fixture_free(). */
struct call *wire_answer(struct fixture *fixture, call_starter start, const char *route,
                         const char *body);

#endif
