/* tree.h - a JSON object that is put together from paths: "a.b[0].c". */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct tree;

/* NULL: memory ran out. */
struct tree *tree_new(void);
void tree_free(struct tree *tree);

/* Where in the tree a value goes. */
struct tree_path {
    const char *name; /* "a.b[0].c" */
    size_t
        plain_from; /* what begins here is one key, dots and all; the name's length: nothing is */
    bool append;    /* to the list there */
};

/* Puts a value, JSON text that becomes the tree's, at its place.  NULL; else what is wrong, static
 * text, and the value is freed. */
const char *tree_put(struct tree *tree, const struct tree_path *path, char *json);

void tree_print(const struct tree *tree, FILE *out);

#endif
