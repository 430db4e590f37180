/* The walk of get_or_create, and those who ride on it together. */
#include "api/connected_account.h"
#include "core/client.h"
#include "wire.h"

#define CROWD 100

static const struct service_answer account_answer = {.status = 200, .body = ACCOUNT_BODY};
static const struct service_answer not_found = {.status = 404, .body = ERROR_BODY};
static const struct service_answer hangs = {.manner = SERVICE_HANGS};

#define START(name, ...)                                                                           \
    CALL_STARTER(name, get_or_create_connected_account,                                            \
                 SCALEKIT_PARAMS(scalekit_create_connected_account_params, __VA_ARGS__),           \
                 call_on_account)

#define USER .connection_name = "gmail", .identifier = "user_1"

static const struct scalekit_static_auth key_auth = {.struct_size = sizeof key_auth,
                                                     .details = "{\"api_key\":\"k-private\"}"};
static const struct scalekit_authorization_details key_details = {.struct_size = sizeof key_details,
                                                                  .static_auth = &key_auth};

START(plain, USER)
START(with_details, USER, .authorization_details = &key_details, .api_config = "{\"domain\":\"d\"}")
START(with_organization, USER, .organization_id = "org_1", .user_id = "usr_1")
START(with_spaces, .connection_name = " \t gmail", .identifier = "\n user_1  ")
START(other_user, .connection_name = "gmail", .identifier = "user_2")

/* --- the walk ---------------------------------------------------------------------------------- */

#define QUERY       "/api/v1/connected_accounts/details?connector=gmail&identifier=user_1"
#define CREATE_BODY "{\"connector\":\"gmail\",\"identifier\":\"user_1\",\"connected_account\":{"
#define OAUTH_BODY  CREATE_BODY "\"authorization_details\":{\"oauth_token\":{}}}}"
#define KEY_BODY                                                                                   \
    CREATE_BODY                                                                                    \
    "\"authorization_details\":{\"static_auth\":{\"details\":{\"api_key\":\"k-private\"}}},"       \
    "\"api_config\":{\"domain\":\"d\"}}}"

#define MAX_STEPS 4

static const struct walk_row {
    const char *name;
    call_starter start;
    struct {
        const char *route;
        int status; /* of its answer */
        const char *target, *body;
    } steps[MAX_STEPS + 1];
    scalekit_err code;
} walk_rows[] = {
    {"found", plain, {{DETAILS, 200, QUERY, ""}}, SCALEKIT_OK},
    {"found, with details",
     with_details,
     {{DETAILS, 200, QUERY, ""}, {UPDATE, 200, "/api/v1/connected_accounts", KEY_BODY}},
     SCALEKIT_OK},
    {"not found",
     plain,
     {{DETAILS, 404, QUERY, ""}, {CREATE, 201, "/api/v1/connected_accounts", OAUTH_BODY}},
     SCALEKIT_OK},
    {"not found, with details",
     with_details,
     {{DETAILS, 404, QUERY, ""}, {CREATE, 201, "/api/v1/connected_accounts", KEY_BODY}},
     SCALEKIT_OK},
    {"within an organization",
     with_organization,
     {{DETAILS, 404, QUERY "&organization_id=org_1&user_id=usr_1", ""},
      {CREATE, 201, "/api/v1/connected_accounts",
       "{\"connector\":\"gmail\",\"identifier\":\"user_1\",\"organization_id\":\"org_1\","
       "\"user_id\":\"usr_1\",\"connected_account\":{\"authorization_details\":{\"oauth_token\":{}}"
       "}}"}},
     SCALEKIT_OK},
    {"names with white space",
     with_spaces,
     {{DETAILS, 404, QUERY, ""}, {CREATE, 201, "/api/v1/connected_accounts", OAUTH_BODY}},
     SCALEKIT_OK},
    {"created by somebody else",
     plain,
     {{DETAILS, 404, QUERY, ""},
      {CREATE, 409, "/api/v1/connected_accounts", OAUTH_BODY},
      {DETAILS, 200, QUERY, ""}},
     SCALEKIT_OK},
    {"created by somebody else, and gone",
     plain,
     {{DETAILS, 404, QUERY, ""}, {CREATE, 409, NULL, NULL}, {DETAILS, 404, QUERY, ""}},
     SCALEKIT_ERR_NOT_FOUND},
    {"deleted before the update",
     with_details,
     {{DETAILS, 200, QUERY, ""},
      {UPDATE, 404, "/api/v1/connected_accounts", KEY_BODY},
      {CREATE, 201, "/api/v1/connected_accounts", KEY_BODY}},
     SCALEKIT_OK},
    {"the look-up fails", plain, {{DETAILS, 500, QUERY, ""}}, SCALEKIT_ERR_SERVER},
    {"the look-up is forbidden", plain, {{DETAILS, 403, QUERY, ""}}, SCALEKIT_ERR_FORBIDDEN},
    {"the look-up is limited", plain, {{DETAILS, 429, QUERY, ""}}, SCALEKIT_ERR_RATE_LIMITED},
    {"the creation fails",
     plain,
     {{DETAILS, 404, QUERY, ""}, {CREATE, 500, NULL, NULL}},
     SCALEKIT_ERR_SERVER},
    {"the creation is refused",
     plain,
     {{DETAILS, 404, QUERY, ""}, {CREATE, 400, NULL, NULL}},
     SCALEKIT_ERR_BAD_REQUEST},
    {"the update fails",
     with_details,
     {{DETAILS, 200, QUERY, ""}, {UPDATE, 400, NULL, NULL}},
     SCALEKIT_ERR_BAD_REQUEST},
};

static void walk(const struct walk_row *row)
{
    struct fixture f;
    struct call *call;
    unsigned steps = 0;

    fixture_open(&f);
    for (; row->steps[steps].route; steps++) {
        int status = row->steps[steps].status;

        service_once(f.service, row->steps[steps].route,
                     (struct service_answer){status, status < 300 ? ACCOUNT_BODY : ERROR_BODY, NULL,
                                             SERVICE_ANSWERS, 0});
    }
    call = row->start(&f);
    call_wait(call);
    ROW_IS(row->name, call->code == row->code);
    ROW_IS(row->name, service_count(f.service, NULL) == steps);
    for (unsigned i = 0; i < steps && i < service_count(f.service, NULL); i++) {
        const struct service_request *request = service_request(f.service, NULL, i);

        ROW_IS(row->name, text_is(request->route, row->steps[i].route));
        if (!row->steps[i].target)
            continue;
        ROW_IS(row->name, text_is(request->target, row->steps[i].target));
        ROW_IS(row->name, text_is(request->body, row->steps[i].body));
    }
    if (call->code == SCALEKIT_OK) {
        const struct scalekit_connected_account *account = call->result;

        ROW_IS(row->name, text_is(account->id, "ca_1"));
    } else {
        ROW_IS(row->name, text_is(call->message, "it failed"));
        ROW_IS(row->name, call->sent && call->attempts == 1);
    }
    ROW_IS(row->name,
           text_is(scalekit_request_operation(call->request), "get_or_create_connected_account"));
    ROW_IS(row->name, !text_has(f.log, "k-private"));
    fixture_free(&f);
}

static void test_walk(void)
{
    for (size_t i = 0; i < COUNT(walk_rows); i++)
        walk(&walk_rows[i]);
}

START(no_connection, .identifier = "user_1")
START(no_identifier, .connection_name = "gmail")
START(blank_connection, .connection_name = "  ", .identifier = "user_1")
START(blank_identifier, .connection_name = "gmail", .identifier = "\t\n")
START(bad_connection, .connection_name = "g/mail", .identifier = "user_1")
START(bad_config, USER, .api_config = "[]")
START(no_kind, USER,
      .authorization_details = SCALEKIT_PARAMS(scalekit_authorization_details, .static_auth = NULL))

static const struct refusal_row refusal_rows[] = {
    {"no connection", no_connection, "connection_name"},
    {"no identifier", no_identifier, "identifier"},
    {"blank connection", blank_connection, "connection_name"},
    {"blank identifier", blank_identifier, "identifier"},
    {"characters of a connection", bad_connection, "connection_name"},
    {"no object", bad_config, "api_config"},
    {"details without a kind", no_kind, "authorization_details"},
};

static void test_refusals(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

/* --- riding together --------------------------------------------------------------------------- */

static void test_crowd(void)
{
    struct fixture f;
    struct call *calls[CROWD];

    fixture_open(&f);
    service_always(f.service, DETAILS, not_found);
    service_always(f.service, CREATE, account_answer);
    for (size_t i = 0; i < CROWD; i++)
        calls[i] = i % 2 ? plain(&f) : with_spaces(&f);
    for (size_t i = 0; i < CROWD; i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_OK);
        CU_ASSERT_PTR_EQUAL(calls[i]->result, calls[0]->result);
    }
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    CU_ASSERT_EQUAL(service_count(f.service, CREATE), 1);
    CU_ASSERT_EQUAL(f.client->flights.count, 0);
    fixture_free(&f);
}

static void test_crowd_fails(void)
{
    struct fixture f;
    struct call *calls[CROWD];

    fixture_open(&f);
    f.forget = true;
    service_always(f.service, DETAILS, (struct service_answer){.status = 500, .body = ERROR_BODY});
    for (size_t i = 0; i < CROWD; i++)
        calls[i] = plain(&f);
    for (size_t i = 0; i < CROWD; i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_ERR_SERVER);
        CU_ASSERT(text_is(calls[i]->message, "it failed"));
    }
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
}

static void test_different_calls(void)
{
    static const call_starter starters[] = {plain, with_details, with_organization, other_user};
    struct fixture f;
    struct call *calls[COUNT(starters)];

    fixture_open(&f);
    service_always(f.service, DETAILS, account_answer);
    service_always(f.service, UPDATE, account_answer);
    for (size_t i = 0; i < COUNT(starters); i++)
        calls[i] = starters[i](&f);
    for (size_t i = 0; i < COUNT(starters); i++) {
        call_wait(calls[i]);
        CU_ASSERT_EQUAL(calls[i]->code, SCALEKIT_OK);
    }
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), COUNT(starters));
    fixture_free(&f);
}

/* One that comes while the walk is at its second step rides along. */
static void test_late_rider(void)
{
    struct fixture f;
    struct call *first, *late;

    fixture_open(&f);
    service_always(f.service, DETAILS, not_found);
    service_always(f.service, CREATE,
                   (struct service_answer){201, ACCOUNT_BODY, NULL, SERVICE_WAITS, 0});
    first = plain(&f);
    service_until(f.service, CREATE, 1);
    late = plain(&f);
    fixture_turn(&f);
    service_release(f.service);
    call_wait(first);
    call_wait(late);
    CU_ASSERT_EQUAL(late->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, NULL), 2);
    /* The next one takes off anew. */
    service_once(f.service, DETAILS, account_answer);
    call_wait(plain(&f));
    CU_ASSERT_EQUAL(service_count(f.service, NULL), 3);
    fixture_free(&f);
}

static void test_rider_cancelled(void)
{
    struct fixture f;
    struct call *calls[3];

    fixture_open(&f);
    service_always(f.service, DETAILS,
                   (struct service_answer){200, ACCOUNT_BODY, NULL, SERVICE_WAITS, 0});
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = plain(&f);
    call_cancel(calls[0]); /* before it took off */
    service_until(f.service, DETAILS, 1);
    call_cancel(calls[1]); /* on the way */
    call_wait(calls[0]);
    call_wait(calls[1]);
    CU_ASSERT_FALSE(calls[2]->done);
    service_release(f.service);
    call_wait(calls[2]);
    CU_ASSERT_EQUAL(calls[0]->code, SCALEKIT_ERR_CANCELED);
    CU_ASSERT_FALSE(calls[0]->sent);
    CU_ASSERT_EQUAL(calls[1]->code, SCALEKIT_ERR_CANCELED);
    CU_ASSERT_EQUAL(calls[1]->phase, SCALEKIT_PHASE_WAIT);
    CU_ASSERT(calls[1]->sent);
    CU_ASSERT_EQUAL(calls[2]->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
}

/* A rider's deadline is its own; the walk has the time of the one with most. */
static void test_rider_deadline(void)
{
    struct fixture f;
    struct call *hasty, *patient;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, DETAILS,
                   (struct service_answer){200, ACCOUNT_BODY, NULL, SERVICE_WAITS, 0});
    hasty = plain(&f);
    patient = plain(&f);
    CU_ASSERT_EQUAL(scalekit_request_set_deadline(hasty->request, 1000), SCALEKIT_OK);
    CU_ASSERT_EQUAL(scalekit_request_set_deadline(patient->request, 90000), SCALEKIT_OK);
    service_until(f.service, DETAILS, 1);
    fixture_advance(&f, 1100);
    call_wait(hasty);
    CU_ASSERT_EQUAL(hasty->code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(hasty->phase, SCALEKIT_PHASE_WAIT);
    fixture_advance(&f, 80000);
    fixture_turn(&f);
    CU_ASSERT_FALSE(patient->done);
    service_release(f.service);
    call_wait(patient);
    CU_ASSERT_EQUAL(patient->code, SCALEKIT_OK);
    fixture_free(&f);
}

/* One that joins has all of its time, though the step began with less. */
static void test_late_rider_deadline(void)
{
    struct fixture f;
    struct call *first, *late;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, DETAILS,
                   (struct service_answer){200, ACCOUNT_BODY, NULL, SERVICE_WAITS, 0});
    first = plain(&f);
    service_until(f.service, DETAILS, 1);
    fixture_advance(&f, 15000);
    late = plain(&f);
    fixture_turn(&f);
    fixture_advance(&f, 5100);
    call_wait(first);
    CU_ASSERT_EQUAL(first->code, SCALEKIT_ERR_DEADLINE);
    fixture_turn(&f);
    fixture_advance(&f, 14800);
    fixture_turn(&f);
    CU_ASSERT_FALSE(late->done);
    service_release(f.service);
    call_wait(late);
    CU_ASSERT_EQUAL(late->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(f.service, DETAILS), 1);
    fixture_free(&f);
}

/* As many retries as the rider who allows most, and none when nobody allows any. */
static void test_rider_retries(void)
{
    for (int retries = 0; retries <= 1; retries++) {
        struct fixture f;
        struct call *calls[2];

        fixture_init(&f);
        fixture_use_clock(&f);
        fixture_start(&f);
        service_once(f.service, DETAILS, (struct service_answer){.status = 503});
        service_always(f.service, DETAILS, account_answer);
        calls[0] = plain(&f);
        calls[1] = plain(&f);
        scalekit_request_set_max_retries(calls[0]->request, 0);
        scalekit_request_set_max_retries(calls[1]->request, retries);
        service_until(f.service, DETAILS, 1);
        fixture_turn(&f);
        fixture_advance(&f, 1100);
        call_wait(calls[0]);
        call_wait(calls[1]);
        for (size_t i = 0; i < COUNT(calls); i++) {
            CU_ASSERT_EQUAL(calls[i]->code, retries ? SCALEKIT_OK : SCALEKIT_ERR_UNAVAILABLE);
            CU_ASSERT_EQUAL(calls[i]->attempts, 1 + retries);
        }
        fixture_free(&f);
    }
}

static void test_all_cancelled(void)
{
    struct fixture f;
    struct call *calls[3];
    struct ski_pool_counts counts;

    fixture_open(&f);
    service_always(f.service, DETAILS, hangs);
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = plain(&f);
    service_until(f.service, DETAILS, 1);
    for (size_t i = 0; i < COUNT(calls); i++)
        call_cancel(calls[i]);
    for (size_t i = 0; i < COUNT(calls); i++)
        call_wait(calls[i]);
    fixture_turn(&f);
    ski_pool_count(f.client->pool, &counts);
    CU_ASSERT_EQUAL(counts.open - counts.idle, 0); /* the step is not waited for any more */
    CU_ASSERT(ski_list_empty(&f.client->pending));
    CU_ASSERT_EQUAL(f.client->flights.count, 0);
    fixture_free(&f);
}

static void test_all_cancelled_before_it_took_off(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    call = plain(&f);
    call_cancel(call);
    CU_ASSERT_EQUAL(f.client->flights.count, 0);
    call_wait(call);
    CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 0);
    fixture_free(&f);
}

/* At each of its steps, with riders before and after the step in the list of what is pending. */
static void test_client_freed(void)
{
    static const char *const routes[] = {SIGN_IN, DETAILS, CREATE};

    for (size_t i = 0; i < COUNT(routes); i++) {
        struct fixture f;
        struct call *early, *late;

        fixture_open(&f);
        service_always(f.service, DETAILS, not_found);
        service_always(f.service, routes[i], hangs);
        early = plain(&f);
        service_until(f.service, routes[i], 1);
        late = plain(&f);
        fixture_free_client(&f);
        ROW_IS(routes[i], early->done && early->code == SCALEKIT_ERR_CLOSED);
        ROW_IS(routes[i], late->done && late->code == SCALEKIT_ERR_CLOSED);
        ROW_IS(routes[i], early->sent == (i > 0));
        fixture_turn(&f);
        fixture_free(&f);
    }
}

/* With a step that has settled, and would go on with the next. */
static void test_client_freed_between_steps(void)
{
    struct fixture f;
    struct call *call;
    scalekit_request *step;

    fixture_open(&f);
    service_always(f.service, DETAILS, not_found);
    call = plain(&f);
    service_until(f.service, DETAILS, 1);
    step = SKI_CONTAINER(f.client->pending.prev, scalekit_request, link);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(step, call->request);
    while (step->state != SKI_SETTLED)
        event_base_loop(f.base, EVLOOP_ONCE);
    fixture_free_client(&f);
    CU_ASSERT(call->done);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_CLOSED);
    CU_ASSERT_EQUAL(service_count(f.service, CREATE), 0);
    fixture_free(&f);
}

/* --- memory ------------------------------------------------------------------------------------ */

static const struct memory_row {
    const char *name;
    call_starter start;
    int details, create;
    bool for_good; /* what is refused once is refused from then on */
} memory_rows[] = {
    {"created", plain, 404, 201, false},
    {"created with details", with_details, 404, 201, false},
    {"created by somebody else", plain, 404, 409, false},
    {"created, out of memory for good", with_details, 404, 201, true},
};

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    const struct memory_row *row = user;
    struct fixture f;
    bool through = false;

    memory->fail_after = row->for_good;
    if (fixture_open_with(&f, memory)) {
        struct call *calls[2];

        service_once(f.service, DETAILS,
                     (struct service_answer){row->details, ERROR_BODY, NULL, 0, 0});
        service_always(f.service, DETAILS, account_answer);
        service_always(f.service, UPDATE, account_answer);
        service_always(f.service, CREATE,
                       (struct service_answer){row->create, ACCOUNT_BODY, NULL, 0, 0});
        through = true;
        for (size_t i = 0; i < COUNT(calls); i++)
            calls[i] = row->start(&f);
        for (size_t i = 0; i < COUNT(calls); i++) {
            if (calls[i]->request)
                call_wait(calls[i]);
            through &= calls[i]->request && calls[i]->code == SCALEKIT_OK;
            ROW_IS(row->name,
                   calls[i]->code == SCALEKIT_OK || calls[i]->code == SCALEKIT_ERR_NOMEM);
        }
    }
    fixture_free(&f);
    return through;
}

static void test_too_large(void)
{
    static char config[1u << 20];
    struct fixture f;
    struct call *call;

    memset(config, ' ', sizeof config - 3);
    memcpy(config + sizeof config - 3, "{}", 3);
    fixture_open(&f);
    call = call_new(&f);
    call_began(call, scalekit_get_or_create_connected_account(
                         f.client,
                         SCALEKIT_PARAMS(scalekit_create_connected_account_params,
                                         .connection_name = "gmail", .identifier = "user_1",
                                         .api_config = config),
                         call_on_account, call));
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_INVALID);
    CU_ASSERT(text_has(call->message, "1 MiB"));
    fixture_free(&f);
}

static void test_out_of_memory(void)
{
    for (size_t i = 0; i < COUNT(memory_rows); i++) {
        struct memory_row row = memory_rows[i];

        ROW_IS(row.name, test_every_allocation(run_short_of_memory, &row) > 40);
    }
}

SUITE(get_or_create, {"every way through the walk", test_walk},
      {"what is wrong is refused and named, before anything is sent", test_refusals},
      {"equal calls share one exchange, and each completes", test_crowd},
      {"equal calls share a failure", test_crowd_fails},
      {"different calls do not share", test_different_calls},
      {"one may join on the way", test_late_rider},
      {"one may be cancelled, the others complete", test_rider_cancelled},
      {"one may run out of time, the others complete", test_rider_deadline},
      {"one that joins has all of its time", test_late_rider_deadline},
      {"the one who allows most retries decides", test_rider_retries},
      {"with nobody left the step is abandoned", test_all_cancelled},
      {"with nobody left before the first step nothing is sent",
       test_all_cancelled_before_it_took_off},
      {"freeing the client ends all of them, at every step", test_client_freed},
      {"freeing the client between two steps starts no other", test_client_freed_between_steps},
      {"parameters that are too large are refused", test_too_large},
      {"every allocation may fail", test_out_of_memory})
