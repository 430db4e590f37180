#include "base/failure.h"
#include "base/str.h"
#include <stdarg.h>
#include <stdio.h>

scalekit_err ski_fail(struct ski_failure *failure, scalekit_err code, enum scalekit_phase phase,
                      const char *format, ...)
{
    va_list args;
    int length;

    failure->code = code;
    failure->phase = phase;
    failure->parameter = NULL;

    va_start(args, format);
    length = vsnprintf(failure->text, sizeof failure->text, format, args);
    va_end(args);
    if (length < 0)
        failure->text[0] = '\0';
    else if ((size_t)length >= sizeof failure->text)
        failure->text[ski_utf8_cut(failure->text, sizeof failure->text - 1)] = '\0';
    return code;
}

/* No default in these: a new enumerator without its text is a compiler warning. */

const char *scalekit_strerror(scalekit_err err)
{
    switch (err) {
    case SCALEKIT_OK:
        return "success";
    case SCALEKIT_ERR_INVALID:
        return "invalid argument";
    case SCALEKIT_ERR_NOMEM:
        return "out of memory";
    case SCALEKIT_ERR_CANCELED:
        return "canceled";
    case SCALEKIT_ERR_CLOSED:
        return "client was freed";
    case SCALEKIT_ERR_DEADLINE:
        return "deadline exceeded";
    case SCALEKIT_ERR_QUEUE_FULL:
        return "too many requests or functions are waiting";
    case SCALEKIT_ERR_TOO_LATE:
        return "request has already started";
    case SCALEKIT_ERR_REJECTED:
        return "rejected";
    case SCALEKIT_ERR_RESOLVE:
        return "host name could not be resolved";
    case SCALEKIT_ERR_CONNECT:
        return "could not connect";
    case SCALEKIT_ERR_TLS:
        return "TLS handshake failed";
    case SCALEKIT_ERR_NETWORK:
        return "connection broke";
    case SCALEKIT_ERR_PROTOCOL:
        return "answer is not valid HTTP";
    case SCALEKIT_ERR_TOO_LARGE:
        return "answer is too large";
    case SCALEKIT_ERR_DECODE:
        return "answer could not be decoded";
    case SCALEKIT_ERR_SIGN_IN:
        return "client credentials were refused";
    case SCALEKIT_ERR_BAD_REQUEST:
        return "bad request";
    case SCALEKIT_ERR_UNAUTHORIZED:
        return "unauthorized";
    case SCALEKIT_ERR_FORBIDDEN:
        return "forbidden";
    case SCALEKIT_ERR_NOT_FOUND:
        return "not found";
    case SCALEKIT_ERR_CONFLICT:
        return "conflict";
    case SCALEKIT_ERR_RATE_LIMITED:
        return "rate limited";
    case SCALEKIT_ERR_UNAVAILABLE:
        return "service unavailable";
    case SCALEKIT_ERR_SERVER:
        return "server error";
    case SCALEKIT_ERR_HTTP:
        return "unexpected HTTP status";
    case SCALEKIT_ERR_TOOL:
        return "tool failed";
    case SCALEKIT_ERR_TOOL_UNAUTHORIZED:
        return "tool is not authorized by the user";
    case SCALEKIT_ERR_TOOL_FORBIDDEN:
        return "tool lacks a permission";
    case SCALEKIT_ERR_TOOL_RATE_LIMITED:
        return "tool is rate limited by its provider";
    }
    return "unknown error";
}

const char *scalekit_err_name(scalekit_err err)
{
#define NAME(code)                                                                                 \
    case code:                                                                                     \
        return #code
    switch (err) {
        NAME(SCALEKIT_OK);
        NAME(SCALEKIT_ERR_INVALID);
        NAME(SCALEKIT_ERR_NOMEM);
        NAME(SCALEKIT_ERR_CANCELED);
        NAME(SCALEKIT_ERR_CLOSED);
        NAME(SCALEKIT_ERR_DEADLINE);
        NAME(SCALEKIT_ERR_QUEUE_FULL);
        NAME(SCALEKIT_ERR_TOO_LATE);
        NAME(SCALEKIT_ERR_REJECTED);
        NAME(SCALEKIT_ERR_RESOLVE);
        NAME(SCALEKIT_ERR_CONNECT);
        NAME(SCALEKIT_ERR_TLS);
        NAME(SCALEKIT_ERR_NETWORK);
        NAME(SCALEKIT_ERR_PROTOCOL);
        NAME(SCALEKIT_ERR_TOO_LARGE);
        NAME(SCALEKIT_ERR_DECODE);
        NAME(SCALEKIT_ERR_SIGN_IN);
        NAME(SCALEKIT_ERR_BAD_REQUEST);
        NAME(SCALEKIT_ERR_UNAUTHORIZED);
        NAME(SCALEKIT_ERR_FORBIDDEN);
        NAME(SCALEKIT_ERR_NOT_FOUND);
        NAME(SCALEKIT_ERR_CONFLICT);
        NAME(SCALEKIT_ERR_RATE_LIMITED);
        NAME(SCALEKIT_ERR_UNAVAILABLE);
        NAME(SCALEKIT_ERR_SERVER);
        NAME(SCALEKIT_ERR_HTTP);
        NAME(SCALEKIT_ERR_TOOL);
        NAME(SCALEKIT_ERR_TOOL_UNAUTHORIZED);
        NAME(SCALEKIT_ERR_TOOL_FORBIDDEN);
        NAME(SCALEKIT_ERR_TOOL_RATE_LIMITED);
    }
#undef NAME
    return "SCALEKIT_ERR_?";
}

const char *scalekit_phase_name(enum scalekit_phase phase)
{
    switch (phase) {
    case SCALEKIT_PHASE_NONE:
        return "none";
    case SCALEKIT_PHASE_QUEUE:
        return "queue";
    case SCALEKIT_PHASE_TOKEN:
        return "token";
    case SCALEKIT_PHASE_RESOLVE:
        return "resolve";
    case SCALEKIT_PHASE_CONNECT:
        return "connect";
    case SCALEKIT_PHASE_TLS:
        return "tls";
    case SCALEKIT_PHASE_SEND:
        return "send";
    case SCALEKIT_PHASE_WAIT:
        return "wait";
    case SCALEKIT_PHASE_RECEIVE:
        return "receive";
    case SCALEKIT_PHASE_BACKOFF:
        return "backoff";
    case SCALEKIT_PHASE_DECODE:
        return "decode";
    }
    return "unknown";
}
