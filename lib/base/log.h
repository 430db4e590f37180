/* log.h - lines for the application's log function.  Never pass a secret. */
#ifndef SKI_BASE_LOG_H
#define SKI_BASE_LOG_H

#include <scalekit/log.h>

struct ski_log {
    enum scalekit_log_level level;
    scalekit_log_cb write;
    void *user;
};

/* Whether a line of that level would be heard: ask before doing work for it. */
static inline bool ski_log_wants(const struct ski_log *log, enum scalekit_log_level level)
{
    return log->write && level <= log->level;
}

/* Writes one line of at most 1,024 bytes; control characters become '?', so that nothing a server
 * sends can forge a line. */
void ski_log(const struct ski_log *log, enum scalekit_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same without a length limit, for redacted bodies.  `text` as it is. */
void ski_log_text(const struct ski_log *log, enum scalekit_log_level level, const char *text);

#endif
