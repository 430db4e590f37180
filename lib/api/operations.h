/* operations.h - the rows of all operations, a list per resource; each ends with a NULL name. */
#ifndef SKI_API_OPERATIONS_H
#define SKI_API_OPERATIONS_H

#include "core/operation.h"

extern const struct ski_operation ski_analytics_operations[];
extern const struct ski_operation ski_authorization_link_operations[];
extern const struct ski_operation ski_connected_account_operations[];
extern const struct ski_operation ski_connection_operations[];
extern const struct ski_operation ski_event_operations[];
extern const struct ski_operation ski_get_or_create_operations[];
extern const struct ski_operation ski_mcp_operations[];
extern const struct ski_operation ski_mcp_server_operations[];
extern const struct ski_operation ski_provider_operations[];
extern const struct ski_operation ski_tool_operations[];
extern const struct ski_operation ski_tool_call_log_operations[];

/* The lists themselves; ends with NULL. */
extern const struct ski_operation *const ski_operation_lists[];

/* The operation of that name; NULL: there is none. */
const struct ski_operation *ski_operation_find(const char *name);

#endif
