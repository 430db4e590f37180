/* encode.h - structures to JSON text and to query strings, led by tables.
 *
 * Absent members (NULL, 0, false, empty lists) are left out; an OBJECT that is there is written
 * even when it is empty, {}, and a FLAT always, because to the service they mean something.
 * Our own writer and not yajl_gen, which neither checks its allocations nor embeds JSON text. */
#ifndef SKI_JSON_ENCODE_H
#define SKI_JSON_ENCODE_H

#include "base/buf.h"
#include "json/type.h"

enum ski_encode_mode {
    SKI_ENCODE_REQUEST,  /* a body: without READ_ONLY members, and those with a place elsewhere */
    SKI_ENCODE_ALL,      /* everything */
    SKI_ENCODE_REDACTED, /* everything, SECRET members as "***": for logs */
    SKI_ENCODE_SHOWN /* the same for people: also numbers that are 0, what is false, empty lists */
};

/* Failures stick to `out`. */
void ski_json_encode(struct ski_buf *out, const struct ski_type *type, const void *value,
                     enum ski_encode_mode mode);

/* One string, quoted and escaped. */
void ski_json_string(struct ski_buf *out, const char *text);

/* Which rows a query is made of. */
enum ski_query_rows {
    SKI_QUERY_ALL,    /* all but those with SKI_PATH */
    SKI_QUERY_FLAGGED /* those with SKI_QUERY */
};

/* "a=1&b=x%20y&b=z"; a list repeats its name.  Rows that are JSON, objects or maps have no place in
 * it.  Writes nothing, and no '?', when all are absent. */
void ski_query_encode(struct ski_buf *out, const struct ski_type *type, const void *value,
                      enum ski_query_rows rows);

/* A path with each "{name}" replaced by the STRING row of that name, which must be there. */
void ski_path_encode(struct ski_buf *out, const char *path, const struct ski_type *type,
                     const void *value);

#endif
