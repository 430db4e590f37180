#include "operations.h"
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "nearest.h"
#include "output.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- names ------------------------------------------------------------------------------------ */

const scalekit_operation *operation_named(const char *name)
{
    const scalekit_operation *operation = scalekit_operation_find(name);
    struct nearest nearest = nearest_to(name);

    if (operation)
        return operation;
    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++)
        nearest_offer(&nearest, scalekit_operation_name(operation));
    if (nearest.best)
        output_misuse("there is no operation %s; did you mean %s?", name, nearest.best);
    else
        output_misuse("there is no operation %s; scalekit operations lists them", name);
    return NULL;
}

/* --- what a parameter may be ------------------------------------------------------------------ */

/* "1 to 20", "up to 20" or "at least 1". */
static void print_range(FILE *out, int64_t min, int64_t max, bool from_zero)
{
    if (!max)
        fprintf(out, "at least %" PRId64, min);
    else if (from_zero && !min)
        fprintf(out, "up to %" PRId64, max);
    else
        fprintf(out, "%" PRId64 " to %" PRId64, min, max);
}

static void print_unit(FILE *out, int64_t most, const char *one, const char *many)
{
    fprintf(out, " %s", most == 1 ? one : many);
}

static void print_limits(FILE *out, const struct scalekit_parameter *parameter)
{
    bool map = parameter->type == SCALEKIT_PARAMETER_MAP;
    bool each = map || parameter->type == SCALEKIT_PARAMETER_STRINGS;
    bool text = each || parameter->type == SCALEKIT_PARAMETER_STRING;
    bool items = parameter->min_items || parameter->max_items;
    int64_t most;

    if (items) {
        most = (int64_t)(parameter->max_items ? parameter->max_items : parameter->min_items);
        print_range(out, (int64_t)parameter->min_items, (int64_t)parameter->max_items, true);
        print_unit(out, most, map ? "entry" : "item", map ? "entries" : "items");
    }
    if (!parameter->min && !parameter->max)
        return;
    fputs(items ? ", " : "", out);
    most = parameter->max ? parameter->max : parameter->min;
    print_range(out, parameter->min, parameter->max, text);
    if (text)
        print_unit(out, most, "character", "characters");
    else if (parameter->type == SCALEKIT_PARAMETER_DURATION)
        print_unit(out, most, "second", "seconds");
    fputs(each ? " each" : "", out);
}

static void print_words(FILE *out, const scalekit_operation *operation, size_t parameter)
{
    const char *word;

    for (size_t i = 0; (word = scalekit_operation_word(operation, parameter, i)); i++)
        fprintf(out, "%s%s", i ? ", " : "", word);
}

char *parameter_limits(const scalekit_operation *operation, size_t index,
                       const struct scalekit_parameter *parameter)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return NULL;
    if (parameter->type == SCALEKIT_PARAMETER_WORD)
        print_words(out, operation, index);
    else
        print_limits(out, parameter);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* --- one operation ---------------------------------------------------------------------------- */

static void add_parameter(struct table *table, const scalekit_operation *operation, size_t index,
                          const struct scalekit_parameter *parameter)
{
    char *limits = parameter_limits(operation, index, parameter);
    char name[SCALEKIT_PARAMETER_NAME + 2];
    const char *note = parameter->required && parameter->secret ? "required, secret"
                       : parameter->required                    ? "required"
                       : parameter->secret                      ? "secret"
                                                                : "";

    snprintf(name, sizeof name, "  %s", parameter->name);
    table_add(table, (const char *const[]){name, scalekit_parameter_type_name(parameter->type),
                                           note, limits});
    table->failed = table->failed || !limits;
    free(limits);
}

static int show_parameters(const scalekit_operation *operation)
{
    struct table table = {.columns = 4};
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};

    if (!scalekit_operation_parameter(operation, 0, &parameter)) {
        puts("  It takes no parameters.");
        return EXIT_DONE;
    }
    table_add(&table, (const char *const[]){"  PARAMETER", "TYPE", "", "LIMITS"});
    for (size_t i = 0; scalekit_operation_parameter(operation, i, &parameter); i++)
        add_parameter(&table, operation, i, &parameter);
    return output_table(&table);
}

static int show_operation(const scalekit_operation *operation)
{
    printf("%s%s%s  %s\n", output_bold(), scalekit_operation_name(operation), output_normal(),
           scalekit_operation_summary(operation));
    if (*scalekit_operation_path(operation))
        printf("  %s %s\n", scalekit_operation_method(operation),
               scalekit_operation_path(operation));
    else
        puts("  Made of several requests.");
    if (scalekit_operation_is_preview(operation))
        puts("  Preview: the service may still change it.");
    putchar('\n');
    return show_parameters(operation);
}

/* --- for programs ----------------------------------------------------------------------------- */

static void record_range(struct record *record, const char *low, const char *high, int64_t min,
                         int64_t max)
{
    if (min)
        record_number(record, low, min);
    if (max)
        record_number(record, high, max);
}

static void record_parameter(struct record *record, const scalekit_operation *operation, size_t i,
                             const struct scalekit_parameter *parameter)
{
    const char *word;

    record_open(record, NULL, '{');
    record_text(record, "name", parameter->name);
    record_text(record, "type", scalekit_parameter_type_name(parameter->type));
    record_bool(record, "required", parameter->required);
    record_bool(record, "secret", parameter->secret);
    record_range(record, "min", "max", parameter->min, parameter->max);
    record_range(record, "min_items", "max_items", (int64_t)parameter->min_items,
                 (int64_t)parameter->max_items);
    if (parameter->type == SCALEKIT_PARAMETER_WORD) {
        record_open(record, "words", '[');
        for (size_t j = 0; (word = scalekit_operation_word(operation, i, j)); j++)
            record_text(record, NULL, word);
        record_close(record, ']');
    }
    record_close(record, '}');
}

static void record_operation(const scalekit_operation *operation)
{
    struct record record = record_begin(stdout);
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};

    record_text(&record, "name", scalekit_operation_name(operation));
    record_text(&record, "summary", scalekit_operation_summary(operation));
    record_text(&record, "method", scalekit_operation_method(operation));
    record_text(&record, "path", scalekit_operation_path(operation));
    record_bool(&record, "preview", scalekit_operation_is_preview(operation));
    record_open(&record, "parameters", '[');
    for (size_t i = 0; scalekit_operation_parameter(operation, i, &parameter); i++)
        record_parameter(&record, operation, i, &parameter);
    record_close(&record, ']');
    record_end(&record);
}

/* --- the command ------------------------------------------------------------------------------ */

static int list_for_people(void)
{
    struct table table = {.columns = 3};
    const scalekit_operation *operation;

    table_add(&table, (const char *const[]){"OPERATION", "", "WHAT IT DOES"});
    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++)
        table_add(&table,
                  (const char *const[]){scalekit_operation_name(operation),
                                        scalekit_operation_is_preview(operation) ? "preview" : "",
                                        scalekit_operation_summary(operation)});
    return output_table(&table);
}

static int list_for_programs(void)
{
    const scalekit_operation *operation;

    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++)
        record_operation(operation);
    return EXIT_DONE;
}

int run_operations(struct environment *environment)
{
    const struct options *options = environment->options;
    const scalekit_operation *operation;

    if (!options->names.n)
        return options->json ? list_for_programs() : list_for_people();
    operation = operation_named(options->names.items[0]);
    if (!operation)
        return EXIT_USAGE;
    if (!options->json)
        return show_operation(operation);
    record_operation(operation);
    return EXIT_DONE;
}
