/* json.h - JSON as text: written, checked, and shown to people. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdio.h>

/* How a value is shown. */
struct json_style {
    bool pretty; /* a member per line; else all of it on one line */
    bool color;
    bool mask; /* every string and number as "***": the keys tell enough */
};

/* A string with its quotes. */
void json_print_string(FILE *out, const char *text);

/* A value that is JSON; text that is none is printed as it is. */
void json_print(FILE *out, const char *text, const struct json_style *style);

/* Whether text is one JSON value, and nothing else. */
bool json_is_valid(const char *text);

#endif
