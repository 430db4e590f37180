/* How an account is looked at. */
#include "diary.h"
#include "virtual.h"
#include "watch/look.h"

static void open_virtual(struct fixture *f)
{
    fixture_init(f);
    fixture_use_clock(f);
    fixture_start(f);
}

static void test_asks_for_details(void)
{
    const struct {
        const char *name;
        const struct scalekit_watch_params *params;
        const char *query;
    } rows[] = {
        {"id", SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_42"),
         "?id=ca_42"},
        {"names",
         SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "google mail",
                         .identifier = "a&b@example.com"),
         "?connector=google%20mail&identifier=a%26b%40example.com"},
        {"everything",
         SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail", .identifier = "u",
                         .organization_id = "org_1", .user_id = "usr_1"),
         "?connector=gmail&identifier=u&organization_id=org_1&user_id=usr_1"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct diary d = {.fixture = &f};
        const char *target;

        open_virtual(&f);
        script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
        diary_watch(&d, rows[i].params);
        virtual_pass(&f, 3000);
        target = service_request(f.service, DETAILS, 0)->target;
        ROW_IS(rows[i].name, text_is(strchr(target, '?'), rows[i].query));
        ROW_IS(rows[i].name, service_count(f.service, NULL) == 1);
        fixture_free(&f);
    }
}

/* The engine backs off; a request that retried by itself would hide failures from it. */
static void test_one_look_one_request(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(503, NULL));
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 10000);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 2);
    CU_ASSERT_EQUAL(diary_last(&d)->looks, 2);
    fixture_free(&f);
}

static void test_fresh_token(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_once(f.service, DETAILS, ANSWER(401, ERROR_BODY));
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 3000);
    CU_ASSERT(diary_reads(&d, "settled"));
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
    fixture_free(&f);
}

static void test_without_memory(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    script_statuses(&f, (const char *[MOST_STATUSES]){"ACTIVE"});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 1900);
    f.memory.fail_at = f.memory.count + 1;
    f.memory.fail_after = true;
    virtual_pass(&f, 1000);
    f.memory.fail_at = 0;
    CU_ASSERT_EQUAL(service_count(f.service, NULL), 0);
    CU_ASSERT(diary_reads(&d, ""));
    virtual_pass(&f, 3000);
    CU_ASSERT(diary_reads(&d, "settled"));
    fixture_free(&f);
}

static void test_nobody_left(void)
{
    struct fixture f;
    struct diary d = {.fixture = &f};

    open_virtual(&f);
    service_always(f.service, DETAILS,
                   (struct service_answer){200, ACCOUNT("ACTIVE"), NULL, SERVICE_WAITS, 0});
    diary_follow(&d, "user_1");
    virtual_pass(&f, 2000);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    diary_stop(&d);
    virtual_settle(&f);
    service_release(f.service);
    virtual_pass(&f, 60000);
    CU_ASSERT(diary_reads(&d, "stopped"));
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
}

SUITE(look, {"asks for the details, as the account was named", test_asks_for_details},
      {"one look is one request", test_one_look_one_request},
      {"a rejected token is replaced within a look", test_fresh_token},
      {"a look that memory lacks for comes later", test_without_memory},
      {"a look that nobody waits for is given up", test_nobody_left})
