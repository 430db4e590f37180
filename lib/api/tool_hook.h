/* tool_hook.h - where scalekit_execute_tool() hands a call over to hooks. */
#ifndef SKI_API_TOOL_HOOK_H
#define SKI_API_TOOL_HOOK_H

#include "core/operation.h"
#include <scalekit/tool_hook.h>

/* Whether a hook of the client's wants the call. */
bool ski_tool_call_is_hooked(const scalekit_client *client,
                             const struct scalekit_execute_tool_params *params);

/* The call, with its hooks around the operation. */
scalekit_request *ski_tool_call_start(scalekit_client *client,
                                      const struct ski_operation *operation,
                                      const struct scalekit_execute_tool_params *params,
                                      ski_callback cb, void *user);

#endif
