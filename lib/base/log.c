#include "base/log.h"
#include "base/str.h"
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 1024

/* Those of ASCII, and of C1, which some terminals obey: U+0080 to U+009F are 0xc2 0x80 to 0xc2 0x9f. */
static void replace_controls(char *line)
{
    for (unsigned char *c = (unsigned char *)line; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
    }
}

void ski_log(const struct ski_log *log, enum scalekit_log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES + 1];
    va_list args;
    int length;

    if (!ski_log_wants(log, level))
        return;
    va_start(args, format);
    length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length < 0)
        return;
    if (length > LINE_MAX_BYTES)
        line[ski_utf8_cut(line, LINE_MAX_BYTES)] = '\0';
    replace_controls(line);
    log->write(level, line, log->user);
}

void ski_log_text(const struct ski_log *log, enum scalekit_log_level level, const char *text)
{
    if (ski_log_wants(log, level))
        log->write(level, text, log->user);
}

static const char *const level_names[] = {
    [SCALEKIT_LOG_OFF] = "off",   [SCALEKIT_LOG_ERROR] = "error", [SCALEKIT_LOG_WARN] = "warn",
    [SCALEKIT_LOG_INFO] = "info", [SCALEKIT_LOG_DEBUG] = "debug", [SCALEKIT_LOG_TRACE] = "trace",
};
#define N_LEVELS (sizeof level_names / sizeof level_names[0])

const char *scalekit_log_level_name(enum scalekit_log_level level)
{
    return (size_t)level < N_LEVELS ? level_names[level] : level_names[SCALEKIT_LOG_OFF];
}

int scalekit_log_level_parse(const char *name)
{
    for (size_t i = 0; name && i < N_LEVELS; i++)
        if (ski_str_ieq(name, level_names[i]))
            return (int)i;
    return -1;
}
