/* scalekit/tool_hook.h - functions of yours around the calls of tools: to look at their input and
 * output, to change them, to wait for an approval, or to refuse a call.
 *
 *     static enum scalekit_hook_answer ask_first(scalekit_tool_call *call, void *user)
 *     {
 *         ask_a_person(scalekit_tool_call_params(call), call);   and then, later on:
 *         return SCALEKIT_HOOK_HOLD;                             scalekit_tool_call_reject(call, …)
 *     }                                                          scalekit_tool_call_continue(call)
 *
 *     scalekit_client_add_tool_hook(
 *         client, SCALEKIT_PARAMS(scalekit_tool_hook_params, .before = ask_first));
 *
 * The hooks of a call are those whose tool_names fit when scalekit_execute_tool() is
 * called.  `before` is called in the order in which they were added, then the tool runs, then
 * `after` is called in the opposite order: the first hook is around all others.  A call that is
 * rejected runs no tool and goes back through the `after` of those hooks that had let it through,
 * the one that rejected not among them.
 *
 * The call's deadline goes on while a hook holds it.  When a call ends early (deadline, cancel,
 * client freed) no hook is called any more. */
#ifndef SCALEKIT_TOOL_HOOK_H
#define SCALEKIT_TOOL_HOOK_H

#include <scalekit/tool.h>

SCALEKIT_BEGIN

typedef struct scalekit_tool_hook scalekit_tool_hook;
typedef struct scalekit_tool_call scalekit_tool_call;

enum scalekit_hook_answer {
    SCALEKIT_HOOK_CONTINUE, /* the call goes on */
    SCALEKIT_HOOK_HOLD      /* it waits, until scalekit_tool_call_continue() */
};

/* The call is borrowed until this returns, or, after SCALEKIT_HOOK_HOLD, yours until you hand it
 * back by scalekit_tool_call_continue(): once, and also when the call is over.  It may call
 * anything. */
typedef enum scalekit_hook_answer (*scalekit_tool_hook_cb)(scalekit_tool_call *call, void *user);

struct scalekit_tool_hook_params {
    size_t struct_size;
    const char *const *tool_names; /* exact names, up to 1,000; copied.  None: every tool */
    size_t n_tool_names;
    /* At least one of them; NULL: not called. */
    scalekit_tool_hook_cb before; /* called before the tool runs */
    scalekit_tool_hook_cb after;  /* called when it has run or failed, or the call was rejected */
    void *user;                   /* for both */
};

/* Adds a hook, for calls that are made from now on.  NULL: the client is NULL or being freed, a
 * parameter is out of bounds, there is neither `before` nor `after`, the client has 1,000 hooks
 * already, or memory ran out.  The hook lives until it is removed or the client is freed. */
SCALEKIT_API scalekit_tool_hook *scalekit_client_add_tool_hook(
    scalekit_client *client, const struct scalekit_tool_hook_params *params);

/* Removes a hook: it is not called any more, for calls that are under way neither.  One that it
 * holds waits on, for scalekit_tool_call_continue().  NULL is ignored. */
SCALEKIT_API void scalekit_tool_hook_remove(scalekit_tool_hook *hook);

/* --- what a hook sees of a call --------------------------------------------------------------- */

/* The parameters, with the input as hooks have left it.  Borrowed from the call; the input until it
 * is changed. */
SCALEKIT_API const struct scalekit_execute_tool_params *scalekit_tool_call_params(
    const scalekit_tool_call *call);

/* What the tool returned, with the output as hooks have left it.  NULL: it has not run, or failed.
 * Borrowed from the call; the output until it is changed. */
SCALEKIT_API const struct scalekit_tool_result *scalekit_tool_call_result(
    const scalekit_tool_call *call);

/* Why it failed, or SCALEKIT_ERR_REJECTED; NULL: it has not run, or succeeded.  Borrowed from the
 * call. */
SCALEKIT_API const struct scalekit_error *scalekit_tool_call_error(const scalekit_tool_call *call);

/* The request that scalekit_execute_tool() returned, to be cancelled for example.  NULL: the call
 * is over.  Borrowed until then. */
SCALEKIT_API scalekit_request *scalekit_tool_call_request(const scalekit_tool_call *call);

/* --- what a hook does to a call -----------------------------------------------------------------
 * From inside the callback, or while it holds the call.  Afterwards, and when the call is over,
 * these return SCALEKIT_ERR_TOO_LATE and change nothing.  SCALEKIT_ERR_NOMEM: out of memory. */

/* Changes the input that hooks after this one and the tool get; copied.  SCALEKIT_ERR_INVALID: it
 * is no JSON object.  Only before the tool runs, else SCALEKIT_ERR_TOO_LATE. */
SCALEKIT_API scalekit_err scalekit_tool_call_set_input(scalekit_tool_call *call,
                                                       const char *tool_input);

/* The tool will not run: the request fails with SCALEKIT_ERR_REJECTED and this message, copied, of
 * which the first 199 bytes count; NULL: "rejected".  Only before the tool runs, else
 * SCALEKIT_ERR_TOO_LATE. The hook still has to continue. */
SCALEKIT_API scalekit_err scalekit_tool_call_reject(scalekit_tool_call *call, const char *message);

/* Changes the output that hooks before this one and the application get;
 * copied.  SCALEKIT_ERR_INVALID: it is no JSON object.  Only after the tool has succeeded, else
 * SCALEKIT_ERR_TOO_LATE. */
SCALEKIT_API scalekit_err scalekit_tool_call_set_output(scalekit_tool_call *call, const char *data);

/* Hands a call back that was held: it goes on from the next turn of the loop, if it is not over;
 * the handle is not valid any more.  From inside the callback it lets the call go on whatever that
 * returns. NULL is ignored. */
SCALEKIT_API void scalekit_tool_call_continue(scalekit_tool_call *call);

SCALEKIT_END

#endif
