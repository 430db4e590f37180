/* tool_call_log.h - the tools that were called, and what came of it.
 *
 * A call is logged between emu_call_begin() and its answer: emu_fail_tool() ends it as an error of
 * the provider, emu_fail() as one of the platform, emu_call_end() as a success.  The last 10,000
 * are kept (record.h).  A call is never refused for its log: one that finds no memory is not
 * logged. */
#ifndef EMU_TOOL_CALL_LOG_H
#define EMU_TOOL_CALL_LOG_H

#include "emulator.h"
#include "record.h"

struct emu_account;
struct emu_form;
struct emu_json;
struct emu_request;

/* Who failed. */
#define EMU_TIER_PROVIDER "PROVIDER"
#define EMU_TIER_PLATFORM "PLATFORM"

enum emu_call_text {
    EMU_CALL_EXECUTION_ID,
    EMU_CALL_AGENT_RUN_ID,
    EMU_CALL_TOOL_NAME,
    EMU_CALL_PROVIDER,
    EMU_CALL_ACCOUNT_ID,
    EMU_CALL_CONNECTION_ID,
    EMU_CALL_CONNECTION_NAME,
    EMU_CALL_IDENTIFIER,
    EMU_CALL_USER_ID,
    EMU_CALL_ORGANIZATION_ID,
    EMU_CALL_STATUS, /* "SUCCESS", "ERROR" */
    EMU_CALL_ERROR_TIER,
    EMU_CALL_ERROR_CODE,
    EMU_CALL_ERROR_MESSAGE,
    EMU_CALL_TEXTS
};

struct emu_call {
    char id[EMU_ID_SIZE];
    char *texts[EMU_CALL_TEXTS]; /* NULL: none */
    int64_t started_us, duration_ms;
};

void emu_calls_init(struct emu_record *calls, uint64_t first_number);
void emu_call_free(struct emu_call *call); /* NULL is ignored */

/* The call that a request asks for; `provider` and `account` NULL: not known. */
void emu_call_begin(struct emu_request *request, const char *provider,
                    const struct emu_account *account);
/* The id of one more call. */
void emu_next_execution(scalekit_emulator *emulator, char id[EMU_ID_SIZE]);
/* What came of it; `tier` NULL: nobody failed; `execution_id` NULL: a new one.  Without a call that
 * has begun it does nothing. */
void emu_call_end(struct emu_request *request, const char *execution_id, const char *tier,
                  const char *code, const char *message);

/* Which calls are wanted: a query's parameters, any value of each, and a stretch of time. */
struct emu_call_parameter {
    const char *name; /* NULL: the end */
    enum emu_call_text text;
};
struct emu_call_filter {
    const struct emu_form *query;
    const struct emu_call_parameter *parameters;
    int64_t start_us, end_us;
};
bool emu_call_is_wanted(const void *call, const void *filter); /* for struct emu_wanted */

/* A counter as the service writes it: a decimal number in a string. */
void emu_json_count(struct emu_json *json, const char *key, int64_t count);

#endif
