/* exit.h - what the program's exit status says; the man page and --help have the same table. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <scalekit/connected_account.h>
#include <stdio.h>

enum exit_status {
    EXIT_DONE = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_ALLOWED = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_CONFLICT = 5,
    EXIT_RATE_LIMITED = 6,
    EXIT_PROVIDER = 7,
    EXIT_UNREACHABLE = 8,
    EXIT_TIMED_OUT = 9,
    EXIT_PENDING = 10,
    EXIT_EXPIRED = 11,
    EXIT_REVOKED = 12,
    EXIT_BY_SIGNAL = 128 /* and the signal's number */
};

/* Of a failed request. */
int exit_of_error(scalekit_err code);

/* Of an account that was asked about. */
int exit_of_account(enum scalekit_account_status status);

/* The table, a line each. */
void exit_print_table(FILE *out);

#endif
