/* scalekit/operation.h - every operation by its name, for programs that choose at run time: command
 * lines, bridges to other languages.  A program that knows what it calls uses the function.
 *
 * The lists here are static: nothing is allocated, and everything lives as long as the program. */
#ifndef SCALEKIT_OPERATION_H
#define SCALEKIT_OPERATION_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

typedef struct scalekit_operation scalekit_operation;

/* The operation at a place in the list of all, resource by resource; NULL past its end. */
SCALEKIT_API const scalekit_operation *scalekit_operation_at(size_t index);

/* The operation that scalekit_<name>() starts; NULL when there is none. */
SCALEKIT_API const scalekit_operation *scalekit_operation_find(const char *name);

SCALEKIT_API const char *scalekit_operation_name(const scalekit_operation *operation);
/* What it does, in a few words. */
SCALEKIT_API const char *scalekit_operation_summary(const scalekit_operation *operation);
/* "GET", "/api/v1/mcp/configs/{config_id}"; "" of an operation made of several. */
SCALEKIT_API const char *scalekit_operation_method(const scalekit_operation *operation);
SCALEKIT_API const char *scalekit_operation_path(const scalekit_operation *operation);
/* Whether the service may still change it. */
SCALEKIT_API bool scalekit_operation_is_preview(const scalekit_operation *operation);

enum scalekit_parameter_type {
    SCALEKIT_PARAMETER_STRING = 1,
    SCALEKIT_PARAMETER_INTEGER,
    SCALEKIT_PARAMETER_NUMBER,
    SCALEKIT_PARAMETER_BOOLEAN,
    SCALEKIT_PARAMETER_TIME,     /* RFC 3339, "2026-11-21T10:00:00Z" */
    SCALEKIT_PARAMETER_DURATION, /* seconds, "3600s" */
    SCALEKIT_PARAMETER_WORD,     /* one of a list: scalekit_operation_word() */
    SCALEKIT_PARAMETER_JSON,     /* any JSON object, or list */
    SCALEKIT_PARAMETER_OBJECT,   /* its members follow */
    SCALEKIT_PARAMETER_OBJECTS,  /* a list; the members of each follow */
    SCALEKIT_PARAMETER_STRINGS,  /* a list */
    SCALEKIT_PARAMETER_MAP       /* an object whose values are strings */
};

/* The type for people: "string", "list of strings".  Static text. */
SCALEKIT_API const char *scalekit_parameter_type_name(enum scalekit_parameter_type type);

#define SCALEKIT_PARAMETER_NAME 160 /* bytes, the end included */

struct scalekit_parameter {
    size_t struct_size; /* of the caller's, set before it is filled in */
    /* As in the C structure, members of members behind a dot, those of a list's items behind "[].":
     * "connection_name", "authorization_details.oauth_token.scopes",
     * "connection_tool_mappings[].tools". */
    char name[SCALEKIT_PARAMETER_NAME];
    enum scalekit_parameter_type type;
    unsigned depth; /* 0: a parameter itself; 1: a member of one */
    bool required;
    bool secret;
    int64_t min, max;            /* characters, or the value's range; both 0: no limits */
    size_t min_items, max_items; /* of a list or map; 0: no limit */
};

/* Fills in the parameter at a place in the list, in the order of the structure, an object's members
 * behind it:
 *
 *     struct scalekit_parameter parameter = {.struct_size = sizeof parameter};
 *
 *     for (size_t i = 0; scalekit_operation_parameter(operation, i, &parameter); i++)
 *         puts(parameter.name);
 *
 * false past the end, and when struct_size is 0. */
SCALEKIT_API bool scalekit_operation_parameter(const scalekit_operation *operation, size_t index,
                                               struct scalekit_parameter *parameter);

/* The words a SCALEKIT_PARAMETER_WORD may be; NULL past the end.  Another word may be given too: the
 * service may know more than this version. */
SCALEKIT_API const char *scalekit_operation_word(const scalekit_operation *operation,
                                                 size_t parameter, size_t index);

/* Completion with the result as JSON text, `length` bytes and a NUL; NULL exactly when it failed.
 * Its members have the service's names, which may be others than in C ("connector" is
 * connection_name).  "{}" of an operation without a result.  Borrowed from the request. */
typedef void (*scalekit_json_cb)(scalekit_request *request, const char *json, size_t length,
                                 void *user);

/* How scalekit_operation_call() shows a result. */
enum scalekit_json_style {
    SCALEKIT_JSON_AS_SENT, /* the service's text, with all that it holds */
    SCALEKIT_JSON_REDACTED /* what this version knows of it, absent texts left out, secrets "***" */
};

/* Starts an operation with its parameters as a JSON object, {"connection_name":"gmail"}: named as in
 * the C structure.  NULL or "" for none.  The text is copied.  NULL as request.h says, and when the
 * operation is NULL.  scalekit_request_response() has the text of a result, too.
 *
 * Errors beside the operation's own: SCALEKIT_ERR_INVALID, with the parameter's name: the text is no
 * JSON object, a name is unknown or a value has the wrong type. */
SCALEKIT_API scalekit_request *scalekit_operation_call(scalekit_client *client,
                                                       const scalekit_operation *operation,
                                                       const char *parameters,
                                                       enum scalekit_json_style style,
                                                       scalekit_json_cb cb, void *user);

SCALEKIT_END

#endif
