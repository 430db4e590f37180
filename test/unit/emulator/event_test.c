/* The record of what happened to accounts, and how it is read. */
#include "event.h"
#include "text.h"
#include "world.h"

#define EVENTS    "/api/v1/events"
#define PAGINATED "/api/v1/events/paginated"
#define ANN       "{\"connector\":\"gmail\",\"identifier\":\"ann\"}"

/* --- what is recorded ---------------------------------------------------------------------------- */

/* The kinds of the events after number *seen, oldest first: "created status_updated". */
static void new_kinds(const struct world *world, uint64_t *seen, char *out, size_t size)
{
    const struct emu_record *record = &world->emulator->events.record;
    const struct emu_event *event;

    for (*out = '\0'; (event = emu_record_get(record, *seen + 1)); ++*seen) {
        size_t used = strlen(out);

        snprintf(out + used, size - used, "%s%s", used ? " " : "",
                 emu_event_type(event) + strlen("connected_account."));
    }
}

static const struct step {
    struct row row;
    const char *kinds; /* of the events that it leaves */
} steps[] = {
    {{POST, ACCOUNTS, "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"connected_account\":{}}",
      201, "", NULL},
     "created"},
    {{GET, ACCOUNTS "/details?connector=gmail&identifier=ann", NULL, 200, "", NULL}, ""},
    {{GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL, 200, "", NULL}, ""},
    {{POST, ACCOUNTS "/magic_link", ANN, 200, "", NULL}, "magic_link_generated"},
    {{PUT, ACCOUNTS,
      "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"connected_account\":{\"api_config\":{}}}",
      200, "", NULL},
     "updated"},
    {{PUT, ACCOUNTS,
      "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"connected_account\":{"
      "\"authorization_details\":{\"oauth_token\":{\"access_token\":\"t\"}}}}",
      200, "", NULL},
     "status_updated updated"},
    {{GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL, 200, "", NULL},
     "oauth_tokens_fetched"},
    {{POST, "/_emulator/status",
      "{\"connector\":\"gmail\",\"identifier\":\"ann\","
      "\"status\":\"ACTIVE\"}",
      200, "", NULL},
     ""},
    {{POST, "/_emulator/status",
      "{\"connector\":\"gmail\",\"identifier\":\"ann\","
      "\"status\":\"EXPIRED\"}",
      200, "", NULL},
     "token_refresh_failed status_updated"},
    {{POST, "/_emulator/status",
      "{\"connector\":\"gmail\",\"identifier\":\"ann\","
      "\"status\":\"REVOKED\"}",
      200, "", NULL},
     "status_updated"},
    {{POST, ACCOUNTS ":delete", ANN, 200, "", NULL}, "deleted"},
    {{POST, ACCOUNTS ":delete", ANN, 404, "", NULL}, ""},
    {{POST, "/_emulator/status",
      "{\"connector\":\"gmail\",\"identifier\":\"ann\","
      "\"status\":\"ACTIVE\"}",
      200, "", NULL},
     "created status_updated"},
    {{POST, ACCOUNTS,
      "{\"connector\":\"freshdesk\",\"identifier\":\"ann\",\"connected_account\":{"
      "\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":\"k\"}}}}}",
      201, "", NULL},
     "created"},
    {{GET, ACCOUNTS "/auth?connector=freshdesk&identifier=ann", NULL, 200, "api_key", NULL}, ""},
    {{POST, "/_emulator/status",
      "{\"connector\":\"freshdesk\",\"identifier\":\"ann\","
      "\"status\":\"EXPIRED\"}",
      200, "", NULL},
     "status_updated"},
    {{POST, ACCOUNTS, "{}", 400, "", NULL}, ""},
};

static void test_changes(void)
{
    struct world world;
    uint64_t seen = 0;
    char kinds[200];

    world_set_up(&world, NULL);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        world_ask_rows(&world, &steps[i].row, 1);
        new_kinds(&world, &seen, kinds, sizeof kinds);
        CU_ASSERT_STRING_EQUAL(kinds, steps[i].kinds);
        if (strcmp(kinds, steps[i].kinds) != 0)
            printf("  step %zu: %s\n", i, kinds);
    }
    world_account(&world, "ann")->token_expires_us = 1;
    world_ask(&world, GET, ACCOUNTS "/auth?connector=gmail&identifier=ann", NULL);
    new_kinds(&world, &seen, kinds, sizeof kinds);
    CU_ASSERT_STRING_EQUAL(kinds, "token_refresh_succeeded oauth_tokens_fetched");
    world_tear_down(&world);
}

/* A link for ann that is approved at once, by then in this status. */
static void consent(struct world *world, const char *status)
{
    scalekit_emulator_script_consent(world->emulator, SCALEKIT_CONSENT_APPROVE, 0);
    scalekit_emulator_set_status(world->emulator, "gmail", "ann", "PENDING_AUTH");
    world_ask(world, POST, ACCOUNTS "/magic_link", ANN);
    world_wait_for_status(world, "ann", status);
}

static void test_consent(void)
{
    static const struct scalekit_emulator_config verifying = {.verify_users = true};
    struct world world;
    uint64_t seen = 0;
    char kinds[200], body[200];

    world_set_up(&world, NULL);
    consent(&world, "ACTIVE");
    new_kinds(&world, &seen, kinds, sizeof kinds);
    CU_ASSERT_STRING_EQUAL(kinds, "created magic_link_generated status_updated oauth_succeeded");
    world_tear_down(&world);

    seen = 0;
    world_set_up(&world, &verifying);
    consent(&world, "PENDING_VERIFICATION");
    new_kinds(&world, &seen, kinds, sizeof kinds);
    CU_ASSERT_STRING_EQUAL(kinds, "created magic_link_generated status_updated");
    snprintf(body, sizeof body, "{\"auth_request_id\":\"%s\",\"identifier\":\"ann\"}",
             TAILQ_FIRST(&world_account(&world, "ann")->links)->auth_request_id);
    CU_ASSERT_EQUAL(world_ask(&world, POST, ACCOUNTS "/user/verify", body), 200);
    new_kinds(&world, &seen, kinds, sizeof kinds);
    CU_ASSERT_STRING_EQUAL(kinds, "status_updated oauth_succeeded");
    world_tear_down(&world);
}

static void count_event(const struct emu_event *event, void *user)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(event->data, "\"identifier\":\"ann\""));
    ++*(int *)user;
}

static void test_listener(void)
{
    struct world world;
    int told = 0;

    world_set_up(&world, NULL);
    world.emulator->events.listener = count_event;
    world.emulator->events.listener_user = &told;
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    CU_ASSERT_EQUAL(told, 2);
    world_tear_down(&world);
}

/* --- how it is shown ----------------------------------------------------------------------------- */

static const struct row shown_rows[] = {
    {POST, ACCOUNTS,
     "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"organization_id\":\"org_1\","
     "\"connected_account\":{}}",
     201, "", NULL},
    {POST, PAGINATED, "{}", 200,
     "\"object\":\"ConnectedAccount\",\"data\":{\"authorization_type\":\"OAUTH\",\"connection_id\":"
     "\"conn_",
     "total_size"},
    {POST, PAGINATED, "{}", 200,
     "\"identifier\":\"ann\",\"provider\":\"GMAIL\",\"status\":\"PENDING_AUTH\"},"
     "\"display_name\":\"Connected account created\"}],\"next_page_token\":\"\","
     "\"prev_page_token\":\"\"}",
     "token_expires_at"},
    {POST, PAGINATED, NULL, 200, "\"organization_id\":\"org_1\"", "last_used_at"},
    {PUT, ACCOUNTS,
     "{\"connector\":\"gmail\",\"identifier\":\"ann\",\"organization_id\":\"org_1\","
     "\"connected_account\":{\"authorization_details\":{\"oauth_token\":{\"access_token\":\"t\"}}}"
     "}",
     200, "", NULL},
    {POST, EVENTS, "{\"event_types\":[\"connected_account.status_updated\"]}", 200,
     "\"status\":\"ACTIVE\",\"old_status\":\"PENDING_AUTH\"}}],\"next_page_token\":\"\","
     "\"prev_page_token\":\"\",\"total_size\":1}",
     "organization_id"},
    {POST, EVENTS, "{\"event_types\":[\"connected_account.updated\"]}", 200,
     "\"status\":\"ACTIVE\",\"token_expires_at\":\"20", "old_status"},
    {POST, EVENTS, "{}", 200, "{\"events\":[{\"spec_version\":\"1\",\"id\":\"evt_",
     "\"access_token\""},
    {POST, EVENTS, "{}", 200, "\"environment_id\":\"env_", NULL},
};

static void test_shown(void)
{
    struct world world;

    world_set_up(&world, NULL);
    ASK(&world, shown_rows);
    world_tear_down(&world);
}

/* --- filters ------------------------------------------------------------------------------------- */

#define COUNTED(filter, count)                                                                     \
    {                                                                                              \
        POST, EVENTS, filter, 200, "\"total_size\":" count "}", NULL                               \
    }
#define REFUSED(filter, what)                                                                      \
    {                                                                                              \
        POST, PAGINATED, filter, 400, what, NULL                                                   \
    }

static const struct row filter_rows[] = {
    COUNTED("{}", "3"),
    COUNTED("{\"event_types\":[]}", "3"),
    COUNTED("{\"event_types\":[\"connected_account.created\"]}", "2"),
    COUNTED("{\"eventTypes\":[\"x\",\"connected_account.status_updated\"]}", "1"),
    COUNTED("{\"event_types\":[\"created\"]}", "0"),
    COUNTED("{\"organization_id\":\"org_1\"}", "1"),
    COUNTED("{\"organization_id\":\"\"}", "3"),
    COUNTED("{\"source\":\"SCALEKIT\"}", "3"),
    COUNTED("{\"source\":\"SOURCE_UNSPECIFIED\"}", "3"),
    COUNTED("{\"source\":\"DIR_SYNC\"}", "0"),
    COUNTED("{\"auth_request_id\":\"x\"}", "0"),
    COUNTED("{\"interceptor_id\":\"x\"}", "0"),
    COUNTED("{\"interceptor_status\":\"x\"}", "0"),
    COUNTED("{\"interceptor_decision\":\"x\"}", "0"),
    COUNTED("{\"connected_account_id\":\"ca_1\"}", "0"),
    COUNTED("{\"connection_id\":\"conn_1\"}", "0"),
    /* They happened at 10:00, 10:00:00.000001 and 10:00:01. */
    COUNTED("{\"start_time\":\"2026-08-21T10:00:00.000001Z\"}", "2"),
    COUNTED("{\"end_time\":\"2026-08-21T10:00:00.000001Z\"}", "2"),
    COUNTED("{\"start_time\":\"2026-08-21T10:00:00.000001Z\","
            "\"end_time\":\"2026-08-21T10:00:00.000001999Z\"}",
            "1"),
    COUNTED("{\"end_time\":\"2026-08-21T10:00:00.9Z\"}", "2"),
    COUNTED("{\"end_time\":\"2026-08-21T12:00:00+02:00\"}", "1"),
    COUNTED("{\"start_time\":\"2026-08-21T04:30:01-05:30\"}", "1"),
    COUNTED("{\"start_time\":\"2026-08-21T10:00:02Z\"}", "0"),
    COUNTED("{\"start_time\":null,\"end_time\":null}", "3"),
    REFUSED("{\"start_time\":\"2026-08-21T10:00:01Z\",\"end_time\":\"2026-08-21T10:00:00Z\"}",
            "\"field\":\"start_time\",\"description\":\"value must not be after end_time\""),
    REFUSED("{\"start_time\":\"\\u0032026-08-21\"}", "invalid value for field start_time"),
    REFUSED("{\"start_time\":1}", "invalid value for field start_time"),
    REFUSED("{\"start_time\":\"2026-02-30T10:00:00Z\"}", "invalid value for field start_time"),
    REFUSED("{\"start_time\":\"2026-08-21T10:00:60Z\"}", "invalid value for field start_time"),
    REFUSED("{\"start_time\":\"2026-08-21T10:00:00\"}", "invalid value for field start_time"),
    REFUSED("{\"start_time\":\"2026-08-21T10:00:00.Z\"}", "invalid value for field start_time"),
    REFUSED("{\"start_time\":\"2026-08-21T10:00:00.0123456789Z\"}", "start_time"),
    REFUSED("{\"end_time\":\"2026-08-21T10:00:00+2:00\"}", "invalid value for field end_time"),
    REFUSED("{\"end_time\":\"2026-08-21T10:00:00+02:60\"}", "invalid value for field end_time"),
    REFUSED("{\"end_time\":\"2026-08-21T10:00:00+02:00x\"}", "invalid value for field end_time"),
    REFUSED("{\"event_types\":\"connected_account.created\"}", "field event_types"),
    REFUSED("{\"event_types\":[1]}", "field event_types"),
    REFUSED("{\"source\":\"ELSEWHERE\"}", "field source"),
    REFUSED("{\"organization_id\":{}}", "field organization_id"),
    REFUSED("[]", "not a JSON object"),
    {POST, PAGINATED "?page_token=x", "{}", 400, "\"field\":\"page_token\"", NULL},
    {POST, PAGINATED "?page_token=%3E:WyJldnRfMSJd", "{}", 400, "\"field\":\"page_token\"", NULL},
    {POST, PAGINATED "?page_size=-1", "{}", 400, "invalid value for field page_size", NULL},
};

#define TEN INT64_C(1787306400000000) /* 2026-08-21T10:00:00Z */

static void test_filters(void)
{
    static const int64_t moments[] = {TEN, TEN + 1, TEN + EMU_SECOND};
    struct world world;
    char body[100];

    world_set_up(&world, NULL);
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    world_ask(&world, POST, ACCOUNTS,
              "{\"connector\":\"slack\",\"identifier\":\"bob\",\"organization_id\":\"org_1\","
              "\"connected_account\":{}}");
    for (uint64_t i = 0; i < 3; i++) {
        struct emu_event *event = emu_record_get(&world.emulator->events.record, i + 1);

        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        event->occurred_us = moments[i];
    }
    ASK(&world, filter_rows);
    snprintf(body, sizeof body, "{\"connected_account_id\":\"%s\"}",
             world_account(&world, "ann")->id);
    world_ask(&world, POST, EVENTS, body);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":2}"));
    snprintf(body, sizeof body, "{\"connection_id\":\"%s\"}",
             world_account(&world, "ann")->connection->id);
    world_ask(&world, POST, EVENTS, body);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":2}"));
    world.token[0] = '\0';
    CU_ASSERT_EQUAL(world_ask(&world, POST, PAGINATED, "{}"), 401);
    world_tear_down(&world);
}

/* --- pages --------------------------------------------------------------------------------------- */

static void follow(struct world *world, const char *path, const char *which)
{
    CU_ASSERT_EQUAL(world_follow(world, POST, path, "{}", which), 200);
}

/* Whether the latest answer has these events, the newest of them first. */
static bool shows(const struct world *world, uint64_t newest, uint64_t oldest)
{
    const char *at = world->body;
    char id[EMU_ID_SIZE];

    for (uint64_t n = newest; n >= oldest && at; n--) {
        emu_record_id(&world->emulator->events.record, id, n);
        at = strstr(at, id);
    }
    return at && world_count(world, "\"spec_version\"") == newest - oldest + 1;
}

static void test_pages(void)
{
    struct world world;
    char identifier[24];

    world_set_up(&world, NULL);
    CU_ASSERT_EQUAL(world_ask(&world, POST, EVENTS, "{}"), 200);
    CU_ASSERT_STRING_EQUAL(world.body, "{\"events\":[],\"next_page_token\":\"\","
                                       "\"prev_page_token\":\"\",\"total_size\":0}");
    for (int i = 0; i < 15; i++) {
        snprintf(identifier, sizeof identifier, "user_%d", i);
        scalekit_emulator_set_status(world.emulator, "gmail", identifier, "ACTIVE");
    }
    world_ask(&world, POST, EVENTS, "{}");
    CU_ASSERT(shows(&world, 30, 21));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));

    /* What happens meanwhile shifts nothing. */
    scalekit_emulator_set_status(world.emulator, "gmail", "user_0", "EXPIRED");
    follow(&world, EVENTS "?page_size=12&page_token=", "next_page_token");
    CU_ASSERT(shows(&world, 20, 9));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":32"));
    follow(&world, EVENTS "?page_size=5&page_token=", "prev_page_token");
    CU_ASSERT(shows(&world, 25, 21));
    follow(&world, EVENTS "?page_size=100&page_token=", "prev_page_token");
    CU_ASSERT(shows(&world, 32, 26));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"prev_page_token\":\"\""));
    follow(&world, EVENTS "?page_size=100&page_token=", "next_page_token");
    CU_ASSERT(shows(&world, 25, 1));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"next_page_token\":\"\""));
    world_tear_down(&world);
}

static void test_bounds(void)
{
    struct world world;
    char early[sizeof world.body];
    uint64_t last;

    world_set_up(&world, NULL);
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "REVOKED");
    world_ask(&world, POST, EVENTS "?page_size=1", "{}");
    snprintf(early, sizeof early, "%s", world.body);
    for (int i = 0; i < EMU_RECORD_SIZE; i++)
        scalekit_emulator_set_status(world.emulator, "gmail", "ann", i % 2 ? "REVOKED" : "ACTIVE");
    last = EMU_RECORD_SIZE + 3;
    world_ask(&world, POST, EVENTS "?page_size=1000", "{}");
    CU_ASSERT(shows(&world, last, last - 99));
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":10000}"));

    /* A token of what is not kept any more. */
    snprintf(world.body, sizeof world.body, "%s", early);
    follow(&world, EVENTS "?page_size=2&page_token=", "next_page_token");
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"events\":[]"));
    follow(&world, EVENTS "?page_size=2&page_token=", "prev_page_token");
    CU_ASSERT(shows(&world, 5, 4));

    emu_events_clear(&world.emulator->events);
    snprintf(world.body, sizeof world.body, "%s", early);
    CU_ASSERT_EQUAL(world_follow(&world, POST, EVENTS "?page_token=", "{}", "next_page_token"),
                    400);
    CU_ASSERT_EQUAL(world_ask(&world, POST, EVENTS, "{}"), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, "\"total_size\":0}"));
    scalekit_emulator_set_status(world.emulator, "gmail", "ann", "ACTIVE");
    world_ask(&world, POST, EVENTS, "{}");
    CU_ASSERT(shows(&world, 1, 1));
    world_tear_down(&world);
}

SUITE(emulator_event, {"each change of an account is an event, and nothing else", test_changes},
      {"so is each step of a consent", test_consent},
      {"a listener is told of each event", test_listener},
      {"events are shown as the service shows them", test_shown},
      {"events are found by each filter, and wrong ones refused", test_filters},
      {"pages go back and forth, newest first, while more happens", test_pages},
      {"the last 10,000 events are kept", test_bounds})
