/* check.h - reading a request's fields, and holding them to the service's limits.
 *
 * Readers note what is wrong and go on; emu_refused() then answers with everything at once. */
#ifndef EMU_CHECK_H
#define EMU_CHECK_H

#include "server.h"

enum {
    EMU_REQUIRED = 1,
    EMU_NAME = 2,       /* a connection's name: A-Z a-z 0-9 _ : - and space */
    EMU_ACCOUNT_ID = 4, /* begins with "ca_" */
    EMU_TOOL_ID = 8,    /* begins with "tol_" */
    EMU_TEST_ID = 16,   /* begins with "test_" */
    EMU_HTTP_URL = 32,
};

/* A text field of the body, or of the query when the operation has no body; "" when absent. */
const char *emu_text(struct emu_request *request, const char *field, size_t min, size_t max,
                     unsigned rules);
/* An object of the body at `parent`; NULL when absent. */
yajl_val emu_object(struct emu_request *request, yajl_val parent, const char *field);
/* The same for a list, and for one of strings only. */
yajl_val emu_list(struct emu_request *request, yajl_val parent, const char *field);
yajl_val emu_strings(struct emu_request *request, yajl_val parent, const char *field);
/* A string of the object `parent`; NULL when absent. */
const char *emu_member(struct emu_request *request, yajl_val parent, const char *field);
/* An object of texts. */
struct emu_map_limits {
    size_t pairs, key_min, key_max, value_max; /* in characters; a value has one at least */
};
yajl_val emu_text_map(struct emu_request *request, const char *field,
                      const struct emu_map_limits *limits);
/* What stands for the star of the route in the path, held to the same limits. */
const char *emu_in_path(struct emu_request *request, const char *field, size_t min, size_t max,
                        unsigned rules);
/* Holds any text to them. */
void emu_check_text(struct emu_request *request, const char *field, const char *value, size_t min,
                    size_t max, unsigned rules);
/* Notes that a value has other characters than those `allowed`, which `pattern` says. */
void emu_check_characters(struct emu_request *request, const char *field, const char *value,
                          const char *allowed, const char *pattern);
/* true or false in the body, NULL when absent; and in the query, false when absent. */
yajl_val emu_bool(struct emu_request *request, const char *field);
bool emu_query_bool(struct emu_request *request, const char *field);
/* A number of the query, below `below`; 0 when absent. */
int64_t emu_below(struct emu_request *request, const char *field, int64_t below);
/* A whole number of the body; `absent` when it is not there. */
int64_t emu_whole(struct emu_request *request, const char *field, int64_t absent);

/* start_time and end_time, both included; the least and the greatest when absent. */
void emu_read_times(struct emu_request *request, int64_t *start_us, int64_t *end_us);

/* The fields that say which account is meant, each within its limits. */
void emu_read_key(struct emu_request *request, struct emu_key *key);

/* Whether the body has no other members than these; otherwise it has been answered. */
bool emu_has_only(struct emu_request *request, const char *const *members);

void emu_violation(struct emu_request *request, const char *field, const char *constraint,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Whether something was wrong; then it has been answered. */
bool emu_refused(struct emu_request *request);

#endif
