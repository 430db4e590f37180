#include "record.h"
#include "json.h"
#include <inttypes.h>
#include <time.h>

static void begin_member(struct record *record, const char *name)
{
    if (record->inside)
        putc(',', record->out);
    record->inside = true;
    if (name) {
        json_print_string(record->out, name);
        putc(':', record->out);
    }
}

struct record record_begin(FILE *out)
{
    putc('{', out);
    return (struct record){.out = out};
}

void record_end(struct record *record)
{
    fputs("}\n", record->out);
}

void record_open(struct record *record, const char *name, char bracket)
{
    begin_member(record, name);
    putc(bracket, record->out);
    record->inside = false;
}

void record_close(struct record *record, char bracket)
{
    putc(bracket, record->out);
    record->inside = true;
}

void record_text(struct record *record, const char *name, const char *text)
{
    if (!text)
        return;
    begin_member(record, name);
    json_print_string(record->out, text);
}

void record_number(struct record *record, const char *name, int64_t number)
{
    begin_member(record, name);
    fprintf(record->out, "%" PRId64, number);
}

void record_bool(struct record *record, const char *name, bool value)
{
    begin_member(record, name);
    fputs(value ? "true" : "false", record->out);
}

void record_moment(struct record *record, const char *name, scalekit_time moment)
{
    char text[MOMENT_SIZE];

    if (moment)
        record_text(record, name, format_moment(text, moment));
}

void record_texts(struct record *record, const char *name, const char *const *items, size_t n)
{
    if (!n)
        return;
    record_open(record, name, '[');
    for (size_t i = 0; i < n; i++)
        record_text(record, NULL, items[i]);
    record_close(record, ']');
}

void record_json(struct record *record, const char *name, const char *json)
{
    if (!json)
        return;
    begin_member(record, name);
    json_print(record->out, json, &(struct json_style){0});
}

const char *format_moment(char out[MOMENT_SIZE], scalekit_time moment)
{
    time_t seconds = (time_t)SCALEKIT_TIME_SECONDS(moment);
    struct tm utc;

    if (!moment || !gmtime_r(&seconds, &utc) ||
        !strftime(out, MOMENT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc))
        out[0] = '\0';
    return out;
}
