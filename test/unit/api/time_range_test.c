#include "api/operations.h"
#include "api/time_range.h"
#include "base/mem.h"
#include "core/request.h"
#include "harness.h"
#include <scalekit/analytics.h>
#include <scalekit/event.h>
#include <scalekit/tool_call_log.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROW_IS(row, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (row)->name, __FILE__, "", CU_FALSE)

static const struct range_row {
    const char *name;
    scalekit_time start, end;
    bool good;
} range_rows[] = {
    {"open at both ends", 0, 0, true},
    {"open at its end", 5, 0, true},
    {"open at its start", 0, 5, true},
    {"a moment", 5, 5, true},
    {"forward", 5, 6, true},
    {"backward", 6, 5, false},
    {"before 1970", -6, -5, true},
    {"backward before 1970", -5, -6, false},
    {"an end before 1970 and no start", 0, -5, true},
};

static void test_ranges(void)
{
    for (size_t i = 0; i < COUNT(range_rows); i++) {
        const struct range_row *row = &range_rows[i];
        const char *parameter = "";
        const char *problem = ski_check_time_range(row->start, row->end, &parameter);

        ROW_IS(row, !problem == row->good);
        ROW_IS(row, strcmp(parameter, row->good ? "" : "end_time") == 0);
    }
}

static const struct operation_row {
    const char *name;
    const void *params;
} operation_rows[] = {
#define BACKWARD(type) SCALEKIT_PARAMS(type, .start_time = 6, .end_time = 5)
    {"list_events", BACKWARD(scalekit_list_events_params)},
    {"list_events_paginated", BACKWARD(scalekit_list_events_params)},
    {"list_tool_call_logs", BACKWARD(scalekit_list_tool_call_logs_params)},
    {"get_overview_stats", BACKWARD(scalekit_get_overview_stats_params)},
};

static void test_operations(void)
{
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    for (size_t i = 0; i < COUNT(operation_rows); i++) {
        const struct operation_row *row = &operation_rows[i];
        const struct ski_operation *operation = ski_operation_find(row->name);
        struct ski_failure failure = {0};

        CU_ASSERT_PTR_NOT_NULL_FATAL(operation);
        ROW_IS(row,
               ski_operation_check(operation, &mem, row->params, &failure) == SCALEKIT_ERR_INVALID);
        ROW_IS(row, failure.parameter && strcmp(failure.parameter, "end_time") == 0);
    }
}

SUITE(time_range, {"a range must not run backward", test_ranges},
      {"every operation with a range refuses such", test_operations})
