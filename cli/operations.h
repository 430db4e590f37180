/* operations.h - the library's operations, for those who type their names. */
#ifndef CLI_OPERATIONS_H
#define CLI_OPERATIONS_H

#include <scalekit/operation.h>

/* The operation of that name.  NULL: there is none; it has said so, with the one that was meant. */
const scalekit_operation *operation_named(const char *name);

/* What a parameter's value may be, "3 to 200 characters", or its words; "" for anything.  Yours;
 * NULL: memory ran out. */
char *parameter_limits(const scalekit_operation *operation, size_t index,
                       const struct scalekit_parameter *parameter);

#endif
