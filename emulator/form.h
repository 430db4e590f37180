/* form.h - application/x-www-form-urlencoded: query strings and posted forms. */
#ifndef EMU_FORM_H
#define EMU_FORM_H

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;

#define EMU_FORM_MAX 64 /* pairs */

struct emu_form {
    char *text; /* the decoded pairs, each ended by NUL */
    size_t n;
    struct emu_pair {
        const char *name, *value;
    } pairs[EMU_FORM_MAX];
};

/* False when an escape is broken, a NUL hides in it, there are too many pairs, or memory ran out.
 * To be freed in any case. */
bool emu_form_parse(struct emu_form *form, const char *text, size_t length);
void emu_form_free(struct emu_form *form); /* wipes it: forms carry secrets */

const char *emu_form_get(const struct emu_form *form, const char *name); /* NULL: not there */

/* Whether a filter lets a value pass: it is one of those that the form has under this name, or
 * there are none.  "" and NULL are no values. */
bool emu_form_allows(const struct emu_form *form, const char *name, const char *value);

/* Whether `given` is `name` as the service writes it, page_size, or in lower camel case, pageSize. */
bool emu_name_is(const char *given, const char *name);

/* Decodes a part of a path in place.  False when an escape is broken or a NUL hides in it. */
bool emu_percent_decode(char *text);

/* Appends text percent-encoded: everything but unreserved characters. */
bool emu_percent_encode(struct evbuffer *out, const char *text);

#endif
