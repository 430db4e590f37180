/* document.h - JSON documents that tests compare, and spoil value by value.
 *
 * A document is read beside the table that is to decode it.  Its spots are the values whose names
 * the table knows, and the items of lists of such, counted in the order of the text; what lies
 * inside free-form JSON has none. */
#ifndef TEST_API_DOCUMENT_H
#define TEST_API_DOCUMENT_H

#include "json/type.h"
#include <stdio.h>
#include <yajl/yajl_tree.h>

enum document_names { BY_WIRE, BY_MEMBER };

struct document {
    yajl_val root;
    const struct ski_type *type; /* NULL: no spots */
    enum document_names names;
};

/* Ends the test when the text is no JSON object. */
void document_read(struct document *document, const char *text, const struct ski_type *type,
                   enum document_names names);
void document_free(struct document *document);

struct spot {
    const struct ski_field *field;
    bool item;      /* of the field's list */
    yajl_val value; /* as long as the document */
    char path[160]; /* "connected_accounts[0].status" */
};

/* false: there are not that many. */
bool document_spot(const struct document *document, size_t nth, struct spot *spot);

/* Begins a text; the end of it is the caller's to free().  One is made at a time. */
FILE *text_begin(void);
char *text_end(FILE *text);

/* The texts these return are the caller's to free(). */

/* The document with `text` in place of a spot; NULL: without it. */
char *document_with(const struct document *document, size_t nth, const char *text);

/* With members that no table knows, at the beginning and the end of every object. */
char *document_with_unknown(const struct document *document);

/* With the names that its table knows in lowerCamelCase. */
char *document_in_camel_case(const struct document *document);

/* A text that two documents share exactly when they say the same.  What is null, false, 0, "" or []
 * is left out, names are sorted, moments are cut to the microsecond, digits in a string are a
 * number. */
char *document_normal(const char *text);

/* One value, as it is. */
char *document_value_text(yajl_val value);

#endif
