/* scalekit/types.h - what every other header needs: linkage, time, input structures. */
#ifndef SCALEKIT_TYPES_H
#define SCALEKIT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SCALEKIT_BEGIN extern "C" {
#define SCALEKIT_END   }
#else
#define SCALEKIT_BEGIN
#define SCALEKIT_END
#endif

/* Marks what the shared library exports; everything else is hidden. */
#define SCALEKIT_API __attribute__((visibility("default")))

/* The loop is the caller's; its header is libevent's <event2/event.h>, which ours do not include. */
struct event_base;

typedef struct scalekit_client scalekit_client;
typedef struct scalekit_request scalekit_request;
typedef struct scalekit_watch scalekit_watch;
typedef struct scalekit_governor scalekit_governor;

/* A moment: microseconds since 1970-01-01T00:00:00Z.  0 where the service sent none.
 * Digits of the wire beyond the microsecond are cut. */
typedef int64_t scalekit_time;

/* The whole seconds of a moment, as time_t counts them. */
#define SCALEKIT_TIME_SECONDS(moment) ((moment) / 1000000)

/* A boolean that may be left unset, where that means something else than false. */
enum scalekit_choice { SCALEKIT_UNSET, SCALEKIT_NO, SCALEKIT_YES };

/* One entry of a map of texts; a map is an array of them and its count. */
struct scalekit_entry {
    const char *key;
    const char *value;
};

/* Input structures are written as designated initialisers:
 *
 *     SCALEKIT_PARAMS(scalekit_authorization_link_params, .connection_name = "gmail",
 *                     .identifier = "user_123")
 *
 * It is a pointer to a structure that lives until the enclosing block ends; every function copies
 * what it needs before it returns.  A member that is not named is absent.  Structures inside it are
 * made the same way; a list of them is an array of such pointers.  The macro records the
 * size of the structure, so that a program built today works with a library that has grown new
 * members: an input structure made without it (struct_size 0) is refused with
 * SCALEKIT_ERR_INVALID, parameter "struct_size".
 *
 * C++ has no such expression: there, zero the structure and set its struct_size. */
#define SCALEKIT_PARAMS(type, ...)                                                                 \
    (&(const struct type){.struct_size = sizeof(struct type), __VA_ARGS__})

#endif
