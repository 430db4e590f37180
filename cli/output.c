#include "output.h"
#include "exit.h"
#include "json.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOLD       "\033[1m"
#define FAINT      "\033[2m"
#define RED        "\033[31;1m"
#define NORMAL     "\033[0m"
#define ERASE_LINE "\r\033[K"

static struct {
    bool json;
    bool out_is_terminal, err_is_terminal;
    bool out_color, err_color;
    bool json_errors;
    bool progress;   /* there is a line to take away */
    int write_error; /* errno of the first write that failed; 0 */
} output;

/* --- the surroundings ------------------------------------------------------------------------- */

/* As https://no-color.org has it. */
static bool wants_color(const struct options *options, bool terminal)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    if (options->color != COLOR_AUTO)
        return options->color == COLOR_ALWAYS;
    return terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

void output_open(const struct options *options)
{
    output.json = output.json_errors = options->json;
    output.out_is_terminal = isatty(STDOUT_FILENO);
    output.err_is_terminal = isatty(STDERR_FILENO);
    output.out_color = wants_color(options, output.out_is_terminal);
    output.err_color = wants_color(options, output.err_is_terminal);
}

void output_errors_for_programs(void)
{
    output.json_errors = output.json_errors || !output.err_is_terminal;
}

bool output_flush(void)
{
    if (!output.write_error && fflush(stdout) != 0)
        output.write_error = errno;
    return !output.write_error;
}

int output_close(int status)
{
    output_progress(NULL);
    return output_flush() ? status : output_lost(output.write_error);
}

int output_lost(int error)
{
    if (error == EPIPE)
        return EXIT_BY_SIGNAL + SIGPIPE;
    return output_failure(EXIT_OTHER, "cannot write the output: %s", strerror(error));
}

/* --- results ---------------------------------------------------------------------------------- */

void output_json(const char *text)
{
    bool for_people = output.out_is_terminal && !output.json;
    struct json_style style = {.pretty = for_people, .color = output.out_color};

    if (for_people || output.out_color)
        json_print(stdout, text, &style);
    else
        fputs(text, stdout);
    putchar('\n');
}

static int print_table(struct table *table, const char *begin, const char *end)
{
    return table_print(table, stdout, begin, end) ? EXIT_DONE : output_error("print it", NULL);
}

int output_table(struct table *table)
{
    return print_table(table, output_bold(), output_normal());
}

int output_plain_table(struct table *table)
{
    return print_table(table, "", "");
}

const char *output_bold(void)
{
    return output.out_color ? BOLD : "";
}

const char *output_faint(void)
{
    return output.out_color ? FAINT : "";
}

const char *output_normal(void)
{
    return output.out_color ? NORMAL : "";
}

void output_foreign(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text, next = (unsigned char)text[1];

        if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
            putc('?', out);
            text++;
        } else {
            putc(byte < 0x20 || byte == 0x7F ? '?' : byte, out);
        }
    }
}

/* --- asides ----------------------------------------------------------------------------------- */

void output_remark(const char *format, ...)
{
    va_list arguments;

    if (!output.err_is_terminal || output.json)
        return;
    output_progress(NULL);
    fputs(output.err_color ? FAINT : "", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", output.err_color ? NORMAL : "");
}

void output_progress(const char *text)
{
    if (!output.err_is_terminal || output.json || (!text && !output.progress))
        return;
    fprintf(stderr, "%s%s", ERASE_LINE, text ? text : "");
    fflush(stderr);
    output.progress = text;
}

/* --- errors ----------------------------------------------------------------------------------- */

/* In the order of events, also where both go to one file. */
static void begin_error(void)
{
    output_progress(NULL);
    output_flush();
}

static void complain(const char *text)
{
    fprintf(stderr, "%sscalekit:%s ", output.err_color ? RED : "", output.err_color ? NORMAL : "");
    output_foreign(stderr, text);
    putc('\n', stderr);
}

/* An error of our own; `code` as a request would have it. */
static int report(int status, const char *code, const char *parameter, const char *message)
{
    struct record record;

    begin_error();
    if (!output.json_errors) {
        complain(message);
        return status;
    }
    record = record_begin(stderr);
    record_text(&record, "code", code);
    record_text(&record, "message", message);
    record_text(&record, "parameter", parameter);
    record_number(&record, "exit_status", status);
    record_end(&record);
    return status;
}

int output_misuse(const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    report(EXIT_USAGE, "USAGE", NULL, message);
    if (!output.json_errors)
        fputs("Try --help.\n", stderr);
    return EXIT_USAGE;
}

int output_wrong(const char *parameter, const char *message)
{
    return report(EXIT_USAGE, scalekit_err_name(SCALEKIT_ERR_INVALID), parameter, message);
}

void output_hint(const char *hint)
{
    if (!output.json_errors)
        fprintf(stderr, "  %s\n", hint);
}

int output_failure(int status, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return report(status, status == EXIT_PROVIDER ? "PROVIDER" : "FAILURE", NULL, message);
}

/* --- errors of requests ----------------------------------------------------------------------- */

static void error_record(const struct scalekit_error *error, int status)
{
    struct record record = record_begin(stderr);

    record_text(&record, "code", scalekit_err_name(error->code));
    record_text(&record, "message", error->message);
    record_text(&record, "parameter", error->parameter);
    if (error->http_status)
        record_number(&record, "http_status", error->http_status);
    record_text(&record, "error_code", error->error_code);
    record_text(&record, "request_id", error->request_id);
    if (error->retry_after_ms >= 0)
        record_number(&record, "retry_after_ms", error->retry_after_ms);
    if (error->n_field_violations)
        record_open(&record, "field_violations", '[');
    for (size_t i = 0; i < error->n_field_violations; i++) {
        record_open(&record, NULL, '{');
        record_text(&record, "field", error->field_violations[i]->field);
        record_text(&record, "description", error->field_violations[i]->description);
        record_text(&record, "constraint", error->field_violations[i]->constraint);
        record_close(&record, '}');
    }
    if (error->n_field_violations)
        record_close(&record, ']');
    record_text(&record, "tool_error_code", error->tool_error_code);
    record_text(&record, "tool_error_message", error->tool_error_message);
    record_text(&record, "execution_id", error->execution_id);
    record_text(&record, "resource_name", error->resource_name);
    record_text(&record, "phase", scalekit_phase_name(error->phase));
    record_number(&record, "attempts", error->attempts);
    record_number(&record, "elapsed_ms", error->elapsed_ms);
    record_bool(&record, "sent", error->sent);
    record_number(&record, "exit_status", status);
    record_end(&record);
}

/* What may help; NULL when the message says it all. */
static const char *hint_for(scalekit_err code)
{
    switch (code) {
    case SCALEKIT_ERR_SIGN_IN:
        return "The client id and secret must be those of the environment in the URL.";
    case SCALEKIT_ERR_RESOLVE:
    case SCALEKIT_ERR_CONNECT:
        return "Is the environment's URL right, and can this machine reach it?";
    case SCALEKIT_ERR_TLS:
        return "If the environment has a certificate of a private authority, give the authority's "
               "PEM file with --ca-file.";
    case SCALEKIT_ERR_RATE_LIMITED:
        return "Too many requests in this environment; try again in a minute.";
    case SCALEKIT_ERR_TOOL_UNAUTHORIZED:
        return "The user must authorize again: scalekit connect.";
    default:
        return NULL;
    }
}

/* A line of its own; nothing when there is nothing to say. */
static void say(const char *label, const char *text)
{
    if (!text)
        return;
    fprintf(stderr, "  %s", label);
    output_foreign(stderr, text);
    putc('\n', stderr);
}

static void explain(const char *doing, const struct scalekit_error *error)
{
    char text[2048];

    snprintf(text, sizeof text, "cannot %s: %s", doing, error->message);
    complain(text);
    for (size_t i = 0; i < error->n_field_violations; i++) {
        const struct scalekit_field_violation *violation = error->field_violations[i];

        snprintf(text, sizeof text, "%s: %s", violation->field ? violation->field : "a field",
                 violation->description ? violation->description : "not accepted");
        say("", text);
    }
    if (error->tool_error_message) {
        snprintf(text, sizeof text, "%s: %s",
                 error->tool_error_code ? error->tool_error_code : "The tool",
                 error->tool_error_message);
        say("", text);
    }
    say("Request id, for Scalekit's support: ", error->request_id);
    say("Execution id: ", error->execution_id);
    say("", hint_for(error->code));
}

int output_error(const char *doing, const struct scalekit_error *error)
{
    int status = error ? exit_of_error(error->code) : EXIT_OTHER;

    if (!error)
        return report(status, scalekit_err_name(SCALEKIT_ERR_NOMEM), NULL,
                      scalekit_strerror(SCALEKIT_ERR_NOMEM));
    begin_error();
    if (output.json_errors)
        error_record(error, status);
    /* By whoever is reading this there is no need to be told that he interrupted it. */
    else if (error->code != SCALEKIT_ERR_CANCELED && error->code != SCALEKIT_ERR_CLOSED)
        explain(doing, error);
    return status;
}
