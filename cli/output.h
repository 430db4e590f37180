/* output.h - what the program says: results on standard output, everything else on standard error.
 *
 * There is one output per process, set up once.  For people, errors are sentences; with --json,
 * they are JSON objects on a line. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "options.h"
#include "record.h"
#include "table.h"
#include <scalekit/error.h>

void output_open(const struct options *options);

/* Errors as JSON also where --json was not given, unless a person is looking: for a command that
 * speaks JSON. */
void output_errors_for_programs(void);

/* What was written so far reaches its reader.  False: he is gone, or it cannot be written. */
bool output_flush(void);

/* Flushes, and returns the exit status: the given one, unless writing had failed. */
int output_close(int status);

/* --- results ---------------------------------------------------------------------------------- */

/* A value: indented and in colours on a terminal, else as it came. */
void output_json(const char *text);

/* A table for people, with a heading or without, and frees it.  Returns an exit status. */
int output_table(struct table *table);
int output_plain_table(struct table *table);

/* What begins bold and faint text on standard output, and ends both. */
const char *output_bold(void);
const char *output_faint(void);
const char *output_normal(void);

/* Text of others for people: what a terminal might obey is shown as '?'. */
void output_foreign(FILE *out, const char *text);

/* --- asides, where a person is looking and has not asked for JSON ----------------------------- */

__attribute__((format(printf, 1, 2))) void output_remark(const char *format, ...);

/* How it goes, on a line that the next one replaces; NULL takes it away. */
void output_progress(const char *text);

/* --- errors: what is an int is an exit status ------------------------------------------------- */

/* The command line is wrong. */
__attribute__((format(printf, 1, 2))) int output_misuse(const char *format, ...);

/* A parameter is wrong; NULL: none in particular. */
int output_wrong(const char *parameter, const char *message);

/* What may help with the error above, for people. */
void output_hint(const char *hint);

/* Anything else that is not a request's. */
__attribute__((format(printf, 2, 3))) int output_failure(int status, const char *format, ...);

/* Standard output took no more, for this errno.  Of a reader who is gone nothing is said. */
int output_lost(int error);

/* Why a request failed; NULL: memory ran out. */
int output_error(const char *doing, const struct scalekit_error *error);

#endif
