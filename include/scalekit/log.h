/* scalekit/log.h - what the library has to say, if anyone wants to hear it.
 *
 * The library never prints.  A client given a log function in its configuration calls it, on the
 * client's thread, with lines that hold no secret: tokens, credentials, links, tool data and the
 * client's own secret are replaced by "***" from the tables that describe them.  Identifiers of
 * users appear at SCALEKIT_LOG_TRACE, and where the service's own error messages have them. */
#ifndef SCALEKIT_LOG_H
#define SCALEKIT_LOG_H

#include <scalekit/types.h>

SCALEKIT_BEGIN

enum scalekit_log_level {
    SCALEKIT_LOG_OFF,
    SCALEKIT_LOG_ERROR, /* something is broken and stays so: credentials refused */
    SCALEKIT_LOG_WARN,  /* a retry, a sign-in that failed, an answer that made no sense */
    SCALEKIT_LOG_INFO,  /* connections opened and closed, sign-ins */
    SCALEKIT_LOG_DEBUG, /* a line per request and answer */
    SCALEKIT_LOG_TRACE  /* and their bodies, redacted */
};

/* One line, without a line end.  `line` lives until the function returns.  The
 * client is in the middle of something: do not call it, its requests or its watches from here. */
typedef void (*scalekit_log_cb)(enum scalekit_log_level level, const char *line, void *user);

/* "error", "warn", "info", "debug", "trace", "off". */
SCALEKIT_API const char *scalekit_log_level_name(enum scalekit_log_level level);

/* The level of that name, in any case; -1 when there is none. */
SCALEKIT_API int scalekit_log_level_parse(const char *name);

SCALEKIT_END

#endif
