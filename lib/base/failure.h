/* failure.h - how the layers below the request say what went wrong. */
#ifndef SKI_BASE_FAILURE_H
#define SKI_BASE_FAILURE_H

#include <scalekit/error.h>

struct ski_failure {
    scalekit_err code;
    enum scalekit_phase phase;
    const char *parameter; /* static; the member that is wrong, for SCALEKIT_ERR_INVALID */
    char text[200];        /* one line for people, no secrets */
};

/* Fills it; the text is cut to fit.  Returns `code`. */
scalekit_err ski_fail(struct ski_failure *failure, scalekit_err code, enum scalekit_phase phase,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
