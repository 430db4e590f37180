#include "tree.h"
#include "json.h"
#include <stdlib.h>
#include <string.h>

#define MAX_INDEX 9999

static const char no_memory[] = "out of memory";
static const char twice[] = "is given twice";
static const char empty_name[] = "has an empty name in it";

struct tree {
    enum { EMPTY, OBJECT, LIST, LEAF } kind; /* EMPTY: what goes here decides */
    char *key;                               /* in an object */
    char *json;                              /* of a leaf */
    struct tree *children, *last, *next;
};

struct tree *tree_new(void)
{
    return calloc(1, sizeof(struct tree));
}

/* What it holds may be a credential. */
static void free_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void tree_free(struct tree *tree)
{
    struct tree *child, *next;

    if (!tree)
        return;
    for (child = tree->children; child; child = next) {
        next = child->next;
        tree_free(child);
    }
    free(tree->key);
    free_text(tree->json);
    free(tree);
}

static struct tree *add(struct tree *parent, char *key)
{
    struct tree *child = tree_new();

    if (!child) {
        free(key);
        return NULL;
    }
    child->key = key;
    if (parent->last)
        parent->last->next = child;
    else
        parent->children = child;
    parent->last = child;
    return child;
}

/* Makes it what the path wants of it; false: it is something else already. */
static bool become(struct tree *tree, int kind)
{
    if (tree->kind == EMPTY)
        tree->kind = kind;
    return (int)tree->kind == kind;
}

static const char *step_to_key(struct tree **at, const char *key, size_t length)
{
    struct tree *child;
    char *copy;

    if (!length)
        return empty_name;
    if (!become(*at, OBJECT))
        return twice;
    for (child = (*at)->children; child; child = child->next)
        if (strncmp(child->key, key, length) == 0 && !child->key[length])
            break;
    if (!child) {
        copy = strndup(key, length);
        child = copy ? add(*at, copy) : NULL;
    }
    *at = child;
    return child ? NULL : no_memory;
}

/* To an item of a list; the next one is made. */
static const char *step_to_item(struct tree **at, size_t index)
{
    struct tree *child;

    if (!become(*at, LIST))
        return twice;
    for (child = (*at)->children; child && index; child = child->next)
        index--;
    if (!child && index)
        return "leaves out an item before it: they count from [0]";
    if (!child)
        child = add(*at, NULL);
    *at = child;
    return child ? NULL : no_memory;
}

/* Over any number of "[0]"; *text ends behind them. */
static const char *step_to_items(struct tree **at, const char **text)
{
    const char *problem = NULL;

    while (!problem && **text == '[') {
        char *end;
        long index = strtol(*text + 1, &end, 10);

        if ((*text)[1] < '0' || (*text)[1] > '9' || *end != ']' || index > MAX_INDEX)
            return "needs a number in its brackets, counted from [0]";
        problem = step_to_item(at, (size_t)index);
        *text = end + 1;
    }
    return problem;
}

static const char *walk(struct tree **at, const struct tree_path *path)
{
    const char *text = path->name, *plain = text + path->plain_from, *problem;
    size_t length = strlen(text);

    if (!length || text[length - 1] == '.')
        return empty_name;
    while (text < plain) {
        length = strcspn(text, ".[");
        problem = step_to_key(at, text, length);
        text += length;
        if (!problem)
            problem = step_to_items(at, &text);
        if (problem)
            return problem;
        if (*text && *text != '.')
            return "needs a dot behind its brackets";
        text += *text == '.';
    }
    return *plain ? step_to_key(at, plain, strlen(plain)) : NULL;
}

const char *tree_put(struct tree *tree, const struct tree_path *path, char *json)
{
    const char *problem = walk(&tree, path);

    if (!problem && path->append) {
        if (!become(tree, LIST))
            problem = twice;
        else if (!(tree = add(tree, NULL)))
            problem = no_memory;
    }
    if (!problem && !become(tree, LEAF))
        problem = twice;
    if (!problem && tree->json)
        problem = twice;
    if (problem)
        free_text(json);
    else
        tree->json = json;
    return problem;
}

void tree_print(const struct tree *tree, FILE *out)
{
    if (tree->kind == LEAF) {
        fputs(tree->json, out);
        return;
    }
    putc(tree->kind == LIST ? '[' : '{', out);
    for (const struct tree *child = tree->children; child; child = child->next) {
        if (child->key) {
            json_print_string(out, child->key);
            putc(':', out);
        }
        tree_print(child, out);
        if (child->next)
            putc(',', out);
    }
    putc(tree->kind == LIST ? ']' : '}', out);
}
