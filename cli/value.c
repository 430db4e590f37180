#include "value.h"
#include "input.h"
#include "json.h"
#include "nearest.h"
#include "tree.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUE (8u << 20) /* bytes of a file */

/* An argument taken apart. */
struct argument {
    char name[SCALEKIT_PARAMETER_NAME];
    bool json; /* name:=value */
    const char *text;
    enum scalekit_parameter_type type;
    struct tree_path path;
};

static bool wrong(struct value_problem *problem, const char *parameter, const char *text)
{
    snprintf(problem->parameter, sizeof problem->parameter, "%s", parameter);
    snprintf(problem->text, sizeof problem->text, "%s", text);
    return false;
}

/* --- the parameter ---------------------------------------------------------------------------- */

/* The name as the operation's list has it: "list[0].member" is "list[].member" there. */
static void normalize(char out[SCALEKIT_PARAMETER_NAME], const char *name, size_t length)
{
    size_t n = 0;

    for (size_t i = 0; i < length && n + 1 < SCALEKIT_PARAMETER_NAME; i++) {
        bool in_brackets = n && out[n - 1] == '[';

        if (!in_brackets || !isdigit((unsigned char)name[i]))
            out[n++] = name[i];
    }
    out[n] = '\0';
}

static bool find_parameter(const scalekit_operation *operation, const char *name, size_t length,
                           struct scalekit_parameter *parameter)
{
    char wanted[SCALEKIT_PARAMETER_NAME];

    normalize(wanted, name, length);
    for (size_t i = 0; scalekit_operation_parameter(operation, i, parameter); i++)
        if (strcmp(parameter->name, wanted) == 0)
            return true;
    return false;
}

static bool unknown_parameter(const scalekit_operation *operation, const char *name,
                              struct value_problem *problem)
{
    char written[SCALEKIT_PARAMETER_NAME], best[SCALEKIT_PARAMETER_NAME], text[400];
    struct nearest nearest;
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};

    normalize(written, name, strlen(name));
    nearest = nearest_to(written);
    for (size_t i = 0; scalekit_operation_parameter(operation, i, &parameter); i++) {
        nearest_offer(&nearest, parameter.name);
        if (nearest.best == parameter.name) {
            snprintf(best, sizeof best, "%s", parameter.name);
            nearest.best = best;
        }
    }
    if (nearest.best)
        snprintf(text, sizeof text, "%s has no parameter %s; did you mean %s?",
                 scalekit_operation_name(operation), name, nearest.best);
    else
        snprintf(text, sizeof text, "%s has no parameter %s; scalekit operations %s lists them",
                 scalekit_operation_name(operation), name, scalekit_operation_name(operation));
    return wrong(problem, name, text);
}

/* Finds out what the name means: a parameter, or something within a map or JSON. */
static bool resolve(const scalekit_operation *operation, struct argument *argument,
                    struct value_problem *problem)
{
    size_t length = strlen(argument->name), end = length;
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};

    argument->path = (struct tree_path){.name = argument->name, .plain_from = length};
    argument->type = SCALEKIT_PARAMETER_STRING;
    if (!operation)
        return true;
    while (!find_parameter(operation, argument->name, end, &parameter)) {
        while (end && argument->name[end - 1] != '.')
            end--;
        if (!end)
            return unknown_parameter(operation, argument->name, problem);
        end--;
    }
    if (end == length)
        argument->type = parameter.type;
    else if (parameter.type == SCALEKIT_PARAMETER_MAP)
        argument->path.plain_from = end + 1;
    else if (parameter.type != SCALEKIT_PARAMETER_JSON)
        return unknown_parameter(operation, argument->name, problem);
    argument->path.append = argument->type == SCALEKIT_PARAMETER_STRINGS && !argument->json;
    return true;
}

/* --- values by type --------------------------------------------------------------------------- */

static void print_number(FILE *out, const char *text, const char **problem)
{
    char *end;
    double number = strtod(text, &end);

    if (!*text || *end || !isfinite(number) || !json_is_valid(text))
        *problem = "takes a number";
    else
        fputs(text, out);
}

static void print_integer(FILE *out, const char *text, const char **problem)
{
    char *end;
    int64_t number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (!*text || *end || errno || isspace((unsigned char)*text))
        *problem = "takes a whole number";
    else
        fprintf(out, "%" PRId64, number);
}

static void print_boolean(FILE *out, const char *text, const char **problem)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        fputs(text, out);
    else
        *problem = "takes true or false";
}

/* "90", "90s", "15m", "2h" or "7d", as the seconds that JSON has. */
static void print_duration(FILE *out, const char *text, const char **problem)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    int64_t number = strtoll(text, &end, 10);

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (*end != units[i].letter || (*end && end[1]))
            continue;
        if (!isdigit((unsigned char)*text) || number > INT64_MAX / 86400)
            break;
        fprintf(out, "\"%" PRId64 "s\"", number * units[i].seconds);
        return;
    }
    *problem = "takes a duration: 90s, 15m, 2h or 7d";
}

static void print_json(FILE *out, const char *text, const char **problem)
{
    if (json_is_valid(text))
        fputs(text, out);
    else
        *problem = "takes JSON, which this is not";
}

static void print_value(FILE *out, const struct argument *argument, const char *text,
                        const char **problem)
{
    if (argument->json) {
        print_json(out, text, problem);
        return;
    }
    switch (argument->type) {
    case SCALEKIT_PARAMETER_STRING:
    case SCALEKIT_PARAMETER_STRINGS:
    case SCALEKIT_PARAMETER_TIME:
    case SCALEKIT_PARAMETER_WORD:
        json_print_string(out, text);
        break;
    case SCALEKIT_PARAMETER_INTEGER:
        print_integer(out, text, problem);
        break;
    case SCALEKIT_PARAMETER_NUMBER:
        print_number(out, text, problem);
        break;
    case SCALEKIT_PARAMETER_BOOLEAN:
        print_boolean(out, text, problem);
        break;
    case SCALEKIT_PARAMETER_DURATION:
        print_duration(out, text, problem);
        break;
    case SCALEKIT_PARAMETER_JSON:
    case SCALEKIT_PARAMETER_OBJECT:
    case SCALEKIT_PARAMETER_OBJECTS:
    case SCALEKIT_PARAMETER_MAP:
        print_json(out, text, problem);
        break;
    }
}

/* Its JSON text; NULL: see *problem. */
static char *json_of(const struct argument *argument, const char *text, const char **problem)
{
    char *json = NULL;
    size_t length;
    FILE *out = open_memstream(&json, &length);

    *problem = NULL;
    if (!out) {
        *problem = "is too much for this machine's memory";
        return NULL;
    }
    print_value(out, argument, text, problem);
    if (fclose(out) != 0 && !*problem)
        *problem = "is too much for this machine's memory";
    if (*problem) {
        free(json);
        json = NULL;
    }
    return json;
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool take_apart(struct argument *argument, const char *text, struct value_problem *problem)
{
    size_t length = strcspn(text, "=");
    char message[300];

    *argument = (struct argument){.json = length && text[length] && text[length - 1] == ':'};
    if (!text[length] || length == argument->json) {
        snprintf(message, sizeof message, "\"%.200s\" is not name=value", text);
        return wrong(problem, "", message);
    }
    if (length - argument->json >= sizeof argument->name) {
        snprintf(message, sizeof message, "the name in \"%.200s\" is too long", text);
        return wrong(problem, "", message);
    }
    memcpy(argument->name, text, length - argument->json);
    argument->text = text + length + 1;
    return true;
}

/* Puts the argument's value, `text`, where it belongs. */
static bool put(struct tree *tree, const struct argument *argument, const char *text,
                struct value_problem *problem)
{
    char message[SCALEKIT_PARAMETER_NAME + 128];
    const char *trouble;
    char *json = json_of(argument, text, &trouble);

    if (json)
        trouble = tree_put(tree, &argument->path, json);
    if (!trouble)
        return true;
    snprintf(message, sizeof message, "%s %s", argument->name, trouble);
    return wrong(problem, argument->name, message);
}

static bool read_argument(struct tree *tree, const scalekit_operation *operation, const char *text,
                          struct value_problem *problem)
{
    struct argument argument;
    struct input input;
    bool from_input, good;

    if (!take_apart(&argument, text, problem) || !resolve(operation, &argument, problem))
        return false;
    from_input = strcmp(argument.text, "-") == 0;
    if (!from_input && argument.text[0] != '@')
        return put(tree, &argument, argument.text, problem);
    if (!input_read(&input, argument.text + !from_input, MAX_VALUE))
        return wrong(problem, argument.name, input.problem);
    input_chop(&input);
    good = put(tree, &argument, input.text, problem);
    explicit_bzero(input.text, input.length);
    free(input.text);
    return good;
}

static char *print(const struct tree *tree)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return NULL;
    tree_print(tree, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

char *value_read(const scalekit_operation *operation, const char *const *arguments, size_t n,
                 struct value_problem *problem)
{
    struct tree *tree = tree_new();
    char *text = NULL;
    bool good = tree;

    for (size_t i = 0; good && i < n; i++)
        good = read_argument(tree, operation, arguments[i], problem);
    if (good)
        text = print(tree);
    if (!tree || (good && !text))
        wrong(problem, "", "out of memory");
    tree_free(tree);
    return text;
}
