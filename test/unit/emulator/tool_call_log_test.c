/* The log of tool calls, and what is counted of it. */
#include "text.h"
#include "tool_call_log.h"
#include "world.h"

#define EXECUTE  "/api/v1/execute_tool"
#define LOGS     "/api/v1/agentkit/tool_call_logs"
#define OVERVIEW "/api/v1/agentkit/analytics/overview"
#define ALWAYS   "start_time=2020-01-01T00:00:00Z&end_time=2099-01-01T00:00:00Z"

/* --- what is logged ------------------------------------------------------------------------------ */

#define CALL(user, more)                                                                           \
    "{\"tool_name\":\"echo\",\"connector\":\"gmail\",\"identifier\":\"" user "\"" more "}"
#define FAILING(word) CALL("ann", ",\"params\":{\"fail\":\"" word "\"}")

/* Each call, and the newest log after it. */
static const struct {
    struct row call;
    const char *expected, *unexpected;
} logged[] = {
    {{POST, EXECUTE, CALL("ann", ",\"agent_run_id\":\"run_1\""), 200, "", NULL},
     "\"agent_run_id\":\"run_1\",\"tool_name\":\"echo\",\"provider\":\"GMAIL\","
     "\"connected_account_id\":\"ca_",
     "organization_id"},
    {{POST, EXECUTE, CALL("ann", ""), 200, "", NULL},
     "\"connection_name\":\"gmail\",\"identifier\":\"ann\",\"user_id\":\"\",\"status\":\"SUCCESS\","
     "\"error_tier\":\"\",\"error_code\":\"\",\"error_message\":\"\",\"source\":\"API\","
     "\"duration_ms\":\"",
     "agent_run_id"},
    {{POST, EXECUTE, FAILING("rate_limit"), 429, "", NULL},
     "\"status\":\"ERROR\",\"error_tier\":\"PROVIDER\",\"error_code\":\"RATE_LIMITED\","
     "\"error_message\":\"Provider rate limit hit\"",
     NULL},
    {{POST, EXECUTE, CALL("pia", ""), 401, "", NULL},
     "\"error_tier\":\"PROVIDER\",\"error_code\":\"UNAUTHORIZED\"",
     NULL},
    {{POST, EXECUTE, CALL("nobody", ",\"organization_id\":\"org_1\",\"user_id\":\"usr_1\""), 404,
      "", NULL},
     "\"connected_account_id\":\"\",\"connection_id\":\"\",\"connection_name\":\"gmail\","
     "\"identifier\":\"nobody\",\"user_id\":\"usr_1\",\"organization_id\":\"org_1\",\"status\":"
     "\"ERROR\",\"error_tier\":\"PLATFORM\",\"error_code\":\"NOT_FOUND\",\"error_message\":"
     "\"connected account not found\"",
     NULL},
    {{POST, EXECUTE, "{\"tool_name\":\"nothing\",\"connected_account_id\":\"ca_1\"}", 404, "",
      NULL},
     "\"tool_name\":\"nothing\",\"provider\":\"\",\"connected_account_id\":\"ca_1\"",
     NULL},
};

static void test_logged(void)
{
    const size_t n = sizeof logged / sizeof *logged;
    struct world world;
    char id[40], path[100], total[40];

    world_set_up(&world, NULL);
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "gmail", "pia", "EXPIRED");
    for (size_t i = 0; i < n; i++) {
        const struct row newest = {GET, LOGS "?page_size=1", NULL,
                                   200, logged[i].expected,  logged[i].unexpected};

        world_ask_rows(&world, &logged[i].call, 1);
        if (strstr(world.body, "\"execution_id\""))
            world_find(&world, id, sizeof id, "\"execution_id\":\"", '"');
        world_ask_rows(&world, &newest, 1);
        snprintf(total, sizeof total, "\"total_size\":\"%zu\"", i + 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(world.body, total));
    }
    /* The call of an execution id that an answer had. */
    snprintf(path, sizeof path, LOGS "/%s", id);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "{\"id\":\"tcl_"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"environment_id\":\"env_"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"identifier\":\"pia\""));

    /* What is refused unread is no call. */
    world_ask(&world, POST, EXECUTE, "{\"tool_name\":\"echo\"}");
    CU_ASSERT_EQUAL(world.emulator->calls.last, n);
    world_tear_down(&world);
}

/* --- filters and pages --------------------------------------------------------------------------- */

/* ann's call succeeds, fails at the provider, and at a tool that is not there; slack's succeeds. */
static void make_calls(struct world *world)
{
    static const struct row calls[] = {
        {POST, EXECUTE, CALL("ann", ",\"agent_run_id\":\"run_1\""), 200, "", NULL},
        {POST, EXECUTE, FAILING("forbidden"), 403, "", NULL},
        {POST, EXECUTE, CALL("nobody", ""), 404, "", NULL},
        {POST, EXECUTE, "{\"tool_name\":\"echo\",\"connector\":\"slack\",\"identifier\":\"bob\"}",
         200, "", NULL},
    };

    world_set_up(world, NULL);
    scalekit_emulator_set_status(world->emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world->emulator, "slack", "bob", "ACTIVE");
    ASK(world, calls);
}

/* Puts the calls at 10:00, 10:00:30, 10:01 and 10:02. */
static void set_times(struct world *world)
{
    static const int64_t ten = INT64_C(1787306400), after_s[] = {0, 30, 60, 120};

    for (uint64_t i = 0; i < 4; i++) {
        struct emu_call *call = emu_record_get(&world->emulator->calls, i + 1);

        CU_ASSERT_PTR_NOT_NULL_FATAL(call);
        call->started_us = (ten + after_s[i]) * EMU_SECOND;
    }
}

#define COUNTED(query, count)                                                                      \
    {                                                                                              \
        GET, LOGS "?" query, NULL, 200, "\"total_size\":\"" count "\"", NULL                       \
    }
#define REFUSED(query, what)                                                                       \
    {                                                                                              \
        GET, LOGS "?" query, NULL, 400, what, NULL                                                 \
    }
#define TOO_LONG                                                                                   \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901" \
    "012345678901234567890123456789012345678901234567890123456789012345678901"

static const struct row filter_rows[] = {
    COUNTED("", "4"),
    COUNTED("status=SUCCESS", "2"),
    COUNTED("status=SUCCESS&status=ERROR", "4"),
    COUNTED("status=", "4"),
    COUNTED("provider=SLACK", "1"),
    COUNTED("provider=SLACK&provider=GMAIL", "3"),
    COUNTED("connection_name=gmail", "3"),
    COUNTED("connectionName=gmail&identifier=ann", "2"),
    COUNTED("agent_run_id=run_1", "1"),
    COUNTED("connected_account_id=ca_1", "0"),
    COUNTED("connection_id=conn_1", "0"),
    COUNTED("error_code=FORBIDDEN", "4"), /* is no parameter of this operation */
    COUNTED("start_time=2026-08-21T10:00:30Z", "3"),
    COUNTED("end_time=2026-08-21T10:00:30Z", "2"),
    COUNTED("start_time=2026-08-21T10:00:31Z&end_time=2026-08-21T10:00:59Z", "0"),
    REFUSED("start_time=2026-08-21T10:00:31Z&end_time=2026-08-21T10:00:30Z",
            "\"field\":\"start_time\""),
    REFUSED("start_time=yesterday", "invalid value for field start_time"),
    REFUSED("identifier=" TOO_LONG, "\"field\":\"identifier\",\"description\":\"value length must "
                                    "be at most 255 characters\""),
    REFUSED("agent_run_id=" TOO_LONG, "\"field\":\"agent_run_id\""),
    REFUSED("connection_name=" TOO_LONG, "\"field\":\"connection_name\""),
    REFUSED("page_size=x", "invalid value for field page_size"),
    REFUSED("page_token=x", "\"field\":\"page_token\""),
    {GET, LOGS "/exec_0", NULL, 404, "tool call log not found", NULL},
    {GET, LOGS "/" TOO_LONG, NULL, 404, "Not Found", NULL},
    {GET, LOGS "/01234567890123456789012345678901234567890123456789012345678901234", NULL, 400,
     "\"field\":\"execution_id\"", NULL},
};

static void test_filters(void)
{
    struct world world;

    make_calls(&world);
    set_times(&world);
    ASK(&world, filter_rows);
    world_tear_down(&world);
}

static void test_pages(void)
{
    struct world world;

    make_calls(&world);
    world_ask(&world, GET, LOGS "?page_size=3", NULL);
    CU_ASSERT_EQUAL(world_count(&world, "\"tcl_"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "{\"tool_call_logs\":[{\"id\":\"tcl_"));
    CU_ASSERT_PTR_NULL(strstr(world.body, "run_1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    CU_ASSERT_EQUAL(world_follow(&world, GET, LOGS "?page_token=", NULL, "next_page_token"), 200);
    CU_ASSERT_EQUAL(world_count(&world, "\"tcl_"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "run_1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"next_page_token\":\"\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"Y"));
    world_tear_down(&world);
}

/* --- the overview -------------------------------------------------------------------------------- */

#define MINUTES "start_time=2026-08-21T10:00:10Z&end_time=2026-08-21T10:02:00Z"
#define BUCKET(minute, counters)                                                                   \
    "{\"bucket\":\"2026-08-21T10:" minute ":00.000000Z\"," counters                                \
    ",\"bucket_duration_seconds\":\"60\"}"
#define TALLY(total, success, errors, provider_errors, platform_errors)                            \
    "\"total\":\"" total "\",\"success\":\"" success "\",\"errors\":\"" errors                     \
    "\",\"provider_errors\":\"" provider_errors "\",\"platform_errors\":\"" platform_errors "\""

static const struct row overview_rows[] = {
    {GET, OVERVIEW "?" ALWAYS, NULL, 200,
     "{" TALLY("4", "2", "2", "1", "1") ",\"top_error_codes\":["
                                        "{\"error_code\":\"FORBIDDEN\",\"count\":\"1\"},{\"error_"
                                        "code\":\"NOT_FOUND\",\"count\":\"1\"}"
                                        "],\"connector_breakdown\":["
                                        "{\"provider\":\"GMAIL\"," TALLY(
                                            "2", "1", "1", "1",
                                            "0") "},"
                                                 "{\"provider\":\"SLACK\"," TALLY(
                                                     "1", "1", "0", "0",
                                                     "0") "}],\"time_series\":[{\"bucket\":",
     NULL},
    {GET, OVERVIEW "?" MINUTES, NULL, 200, "{" TALLY("3", "1", "2", "1", "1") ",", NULL},
    {GET, OVERVIEW "?" MINUTES, NULL, 200,
     "\"time_series\":[" BUCKET("00", TALLY("1", "0", "1", "1", "0")) "," BUCKET(
         "01", TALLY("1", "0", "1", "0", "1")) "," BUCKET("02",
                                                          TALLY("1", "1", "0", "0", "0")) "]}",
     NULL},
    {GET, OVERVIEW "?" ALWAYS "&status=ERROR", NULL, 200, TALLY("2", "0", "2", "1", "1"), NULL},
    {GET, OVERVIEW "?" ALWAYS "&provider=GMAIL&provider=SLACK", NULL, 200,
     TALLY("3", "2", "1", "1", "0"), NULL},
    {GET, OVERVIEW "?" ALWAYS "&error_code=FORBIDDEN&error_code=NOT_FOUND", NULL, 200,
     TALLY("2", "0", "2", "1", "1"), NULL},
    {GET, OVERVIEW "?" ALWAYS "&connection_name=slack", NULL, 200, TALLY("1", "1", "0", "0", "0"),
     "NOT_FOUND"},
    {GET, OVERVIEW "?" ALWAYS "&identifier=bob", NULL, 200, TALLY("4", "2", "2", "1", "1"), NULL},
    {GET, OVERVIEW, NULL, 400, "\"field\":\"end_time\",\"description\":\"value is required\"",
     NULL},
    {GET, OVERVIEW "?end_time=2026-08-21T10:02:00Z", NULL, 400, "\"field\":\"start_time\"", NULL},
    {GET, OVERVIEW "?end_time=2026-08-21T10:02:00Z&start_time=x", NULL, 400,
     "invalid value for field start_time", NULL},
    {GET, OVERVIEW "?" ALWAYS "&connection_name=" TOO_LONG, NULL, 400,
     "\"field\":\"connection_name\"", NULL},
};

static void test_overview(void)
{
    struct world world;

    make_calls(&world);
    set_times(&world);
    ASK(&world, overview_rows);
    world_tear_down(&world);
}

/* However long the time and wherever it begins, few buckets cover it. */
static void test_buckets(void)
{
    static const struct {
        const char *start, *end, *duration;
        size_t n;
    } rows[] = {
        {"2026-08-21T10:00:00Z", "2026-08-21T10:00:00Z", "60", 1},
        {"2026-08-21T10:00:59Z", "2026-08-21T10:01:00Z", "60", 2},
        {"2026-08-21T10:00:00Z", "2026-08-21T11:37:00Z", "60", 98},
        {"2026-08-21T10:00:00Z", "2026-08-21T11:38:00Z", "300", 20},
        {"2026-08-21T10:00:00Z", "2026-08-21T22:00:00Z", "3600", 13},
        {"2026-08-01T00:00:00Z", "2026-09-01T00:00:00Z", "86400", 32},
        {"2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z", "345600", 92},
        {"1960-01-01T12:00:00Z", "1960-01-02T12:00:00Z", "3600", 25},
        {"1000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2898115200", 99},
    };
    struct world world;
    char path[200], duration[60];

    world_set_up(&world, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(path, sizeof path, OVERVIEW "?start_time=%s&end_time=%s", rows[i].start,
                 rows[i].end);
        CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
        snprintf(duration, sizeof duration, "\"bucket_duration_seconds\":\"%s\"", rows[i].duration);
        CU_ASSERT_EQUAL(world_count(&world, duration), rows[i].n);
        CU_ASSERT_EQUAL(world_count(&world, "{\"bucket\":\""), rows[i].n);
    }
    world_tear_down(&world);
}

SUITE(emulator_tool_call_log, {"each call is logged with what came of it", test_logged},
      {"calls are found by each filter, and wrong ones refused", test_filters},
      {"pages are newest first", test_pages},
      {"the overview counts by provider, error and time", test_overview},
      {"any time is covered by few buckets", test_buckets})
