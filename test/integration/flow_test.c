/* The whole way, against the emulator over TLS. */
#include "environment.h"
#include <event2/event.h>

/* A deadline that is meant to be reached, and still leaves time for the link under valgrind. */
#define SHORT_MS 1500

struct flow {
    struct environment *env;
    int links, finals, progress;
    enum scalekit_watch_event_kind kind;
    enum scalekit_account_status status;
    bool done;
    char link[512], auth_request_id[256];
};

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct flow *flow = user;

    (void)watch;
    if (event->kind == SCALEKIT_WATCH_LINK) {
        flow->links++;
        snprintf(flow->link, sizeof flow->link, "%s", event->link->link);
        CU_ASSERT(event->link->expiry > 0);
    } else if (!event->final) {
        flow->progress++;
    }
    if (!event->final)
        return;
    flow->finals++;
    flow->kind = event->kind;
    flow->status = event->status;
    flow->done = true;
}

static void run_flow(struct flow *flow, int64_t deadline_ms)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(scalekit_connect_account(
        flow->env->client,
        SCALEKIT_PARAMS(scalekit_connect_account_params, .connection_name = "gmail",
                        .identifier = "user_1", .deadline_ms = deadline_ms),
        on_event, flow));
    test_base_until(flow->env->base, &flow->done);
    CU_ASSERT_EQUAL(flow->finals, 1);
}

static void every_consent_leads_to_its_outcome(void)
{
    static const struct {
        enum scalekit_consent consent;
        enum scalekit_watch_event_kind kind;
        enum scalekit_account_status status;
    } cases[] = {
        {SCALEKIT_CONSENT_APPROVE, SCALEKIT_WATCH_SETTLED, SCALEKIT_ACCOUNT_ACTIVE},
        {SCALEKIT_CONSENT_EXPIRE, SCALEKIT_WATCH_SETTLED, SCALEKIT_ACCOUNT_EXPIRED},
        {SCALEKIT_CONSENT_REVOKE, SCALEKIT_WATCH_SETTLED, SCALEKIT_ACCOUNT_REVOKED},
        {SCALEKIT_CONSENT_DENY, SCALEKIT_WATCH_DEADLINE, SCALEKIT_ACCOUNT_PENDING_AUTH},
        {SCALEKIT_CONSENT_MANUAL, SCALEKIT_WATCH_DEADLINE, SCALEKIT_ACCOUNT_PENDING_AUTH},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct environment env;
        struct flow flow = {.env = &env};

        environment_init(&env, NULL);
        scalekit_emulator_script_consent(env.emulator, cases[i].consent, 10);
        run_flow(&flow, cases[i].kind == SCALEKIT_WATCH_DEADLINE ? SHORT_MS : 0);
        CU_ASSERT_EQUAL(flow.links, 1);
        CU_ASSERT_EQUAL(flow.kind, cases[i].kind);
        CU_ASSERT_EQUAL(flow.status, cases[i].status);
        environment_free(&env);
    }
}

static void an_account_that_is_active_needs_no_link(void)
{
    struct environment env;
    struct flow flow = {.env = &env};

    environment_init(&env, NULL);
    CU_ASSERT(scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "ACTIVE"));
    run_flow(&flow, 0);
    CU_ASSERT_EQUAL(flow.links, 0);
    CU_ASSERT_EQUAL(flow.kind, SCALEKIT_WATCH_SETTLED);
    CU_ASSERT_EQUAL(flow.status, SCALEKIT_ACCOUNT_ACTIVE);
    environment_free(&env);
}

static void an_expired_account_is_authorized_again(void)
{
    struct environment env;
    struct flow flow = {.env = &env};

    environment_init(&env, NULL);
    CU_ASSERT(scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "EXPIRED"));
    scalekit_emulator_script_consent(env.emulator, SCALEKIT_CONSENT_APPROVE, 100);
    run_flow(&flow, 0);
    CU_ASSERT_EQUAL(flow.links, 1);
    CU_ASSERT_EQUAL(flow.status, SCALEKIT_ACCOUNT_ACTIVE);
    environment_free(&env);
}

static void verification_is_told_on_the_way(void)
{
    struct environment env;
    struct flow flow = {.env = &env};

    environment_init(&env, &(struct scalekit_emulator_config){.verify_users = true});
    scalekit_emulator_script_consent(env.emulator, SCALEKIT_CONSENT_APPROVE, 10);
    run_flow(&flow, SHORT_MS);
    CU_ASSERT_EQUAL(flow.progress, 1);
    CU_ASSERT_EQUAL(flow.kind, SCALEKIT_WATCH_DEADLINE);
    CU_ASSERT_EQUAL(flow.status, SCALEKIT_ACCOUNT_PENDING_VERIFICATION);
    environment_free(&env);
}

static void keep_token(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    struct outcome *outcome = user;

    outcome_account(request, account, user);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account->authorization_details);
    CU_ASSERT_PTR_NOT_NULL_FATAL(account->authorization_details->oauth_token);
    snprintf(outcome->text, sizeof outcome->text, "%s",
             account->authorization_details->oauth_token->access_token);
}

static void tokens_and_tools_are_there_after_consent_and_in_no_log(void)
{
    struct environment env;
    struct flow flow = {.env = &env};
    struct outcome token = {.env = &env}, tool = {.env = &env};

    environment_init(&env, NULL);
    scalekit_emulator_script_consent(env.emulator, SCALEKIT_CONSENT_APPROVE, 0);
    run_flow(&flow, 0);
    CU_ASSERT_EQUAL_FATAL(flow.status, SCALEKIT_ACCOUNT_ACTIVE);
    scalekit_get_connected_account(
        env.client,
        SCALEKIT_PARAMS(scalekit_account_key, .connection_name = "gmail", .identifier = "user_1"),
        keep_token, &token);
    test_base_until(env.base, &token.done);
    scalekit_execute_tool(env.client,
                          SCALEKIT_PARAMS(scalekit_execute_tool_params, .connection_name = "gmail",
                                          .identifier = "user_1", .tool_name = "echo",
                                          .tool_input = "{\"confidential\":\"yes\"}"),
                          outcome_tool, &tool);
    test_base_until(env.base, &tool.done);
    CU_ASSERT(tool.ok);
    CU_ASSERT_PTR_NOT_NULL(strstr(tool.text, "confidential"));
    CU_ASSERT_PTR_NOT_NULL(strstr(env.log, "execute_tool"));
    CU_ASSERT_PTR_NULL(strstr(env.log, token.text));
    CU_ASSERT_PTR_NULL(strstr(env.log, flow.link));
    CU_ASSERT_PTR_NULL(strstr(env.log, "confidential"));
    CU_ASSERT_PTR_NULL(strstr(env.log, scalekit_emulator_client_secret(env.emulator)));
    environment_free(&env);
}

/* --- many at once ------------------------------------------------------------------------------ */

#define MANY 500

static void count_ok(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *user)
{
    struct outcome *outcome = user;

    (void)request;
    outcome->calls++;
    outcome->http_status += account != NULL;
    outcome->done = outcome->calls == MANY;
}

static void many_at_once_complete_each_with_one_sign_in(void)
{
    struct environment env;
    struct outcome all = {.env = &env};
    struct scalekit_emulator_stats stats;

    environment_init(&env, NULL);
    for (int i = 0; i < MANY; i++) {
        char user[32];

        snprintf(user, sizeof user, "user_%d", i);
        CU_ASSERT_PTR_NOT_NULL(scalekit_get_or_create_connected_account(
            env.client,
            SCALEKIT_PARAMS(scalekit_create_connected_account_params, .connection_name = "gmail",
                            .identifier = user),
            count_ok, &all));
    }
    test_base_until(env.base, &all.done);
    scalekit_emulator_stats(env.emulator, &stats);
    CU_ASSERT_EQUAL(all.http_status, MANY);
    CU_ASSERT_EQUAL(stats.sign_ins, 1);
    CU_ASSERT_EQUAL(stats.creates, MANY);
    environment_free(&env);
}

static void a_rotation_of_tokens_costs_one_sign_in(void)
{
    struct environment env;
    struct outcome all = {.env = &env}, first;
    struct scalekit_emulator_stats stats;

    environment_init(&env, NULL);
    scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "ACTIVE");
    first = environment_look(&env, env.client);
    CU_ASSERT(first.ok);
    scalekit_emulator_revoke_tokens(env.emulator);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_PTR_NOT_NULL(scalekit_get_connected_account_details(
            env.client,
            SCALEKIT_PARAMS(scalekit_account_key, .connection_name = "gmail",
                            .identifier = "user_1"),
            count_ok, &all));
    test_base_until(env.base, &all.done);
    scalekit_emulator_stats(env.emulator, &stats);
    CU_ASSERT_EQUAL(all.http_status, MANY);
    CU_ASSERT_EQUAL(stats.sign_ins, 2);
    environment_free(&env);
}

static void dispatch_returns_when_nothing_is_pending(void)
{
    struct environment env;
    struct outcome outcome = {.env = &env};

    environment_init(&env, NULL);
    scalekit_emulator_free(env.emulator); /* its listener would keep the loop alive */
    env.emulator = NULL;
    scalekit_client_warm(env.client, outcome_done, &outcome);
    CU_ASSERT_EQUAL(event_base_dispatch(env.base), 1);
    CU_ASSERT(outcome.done);
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_CONNECT);
    environment_free(&env);
}

/* --- every allocation -------------------------------------------------------------------------- */

struct attempt {
    struct event_base *base;
    scalekit_emulator *emulator;
    int users;
};

/* One whole flow with a client of its own; whatever fails, it ends exactly once. */
static bool flow_with_memory(struct test_memory *memory, void *user)
{
    struct attempt *attempt = user;
    struct environment env = {.base = attempt->base, .emulator = attempt->emulator};
    struct flow flow = {.env = &env};
    char identifier[32];
    scalekit_watch *watch;
    scalekit_err err = scalekit_client_new(
        &env.client, env.base,
        SCALEKIT_PARAMS(scalekit_config, .env_url = scalekit_emulator_url(env.emulator),
                        .client_id = "skc_emulator",
                        .client_secret = scalekit_emulator_client_secret(env.emulator),
                        .ca_file = scalekit_emulator_ca_file(env.emulator),
                        .allocator = &memory->allocator, .watch_first_check_ms = 1,
                        .watch_interval_ms = 10, .max_retries = -1),
        NULL);

    if (err != SCALEKIT_OK) {
        CU_ASSERT_EQUAL(err, SCALEKIT_ERR_NOMEM);
        return false;
    }
    snprintf(identifier, sizeof identifier, "user_%d", attempt->users++);
    watch = scalekit_connect_account(
        env.client,
        SCALEKIT_PARAMS(scalekit_connect_account_params, .connection_name = "gmail",
                        .identifier = identifier, .state = "s", .deadline_ms = 8000),
        on_event, &flow);
    if (watch)
        test_base_until(env.base, &flow.done);
    scalekit_client_free(env.client);
    event_base_loop(env.base, EVLOOP_NONBLOCK);
    CU_ASSERT_EQUAL(flow.finals, watch ? 1 : 0);
    return flow.kind == SCALEKIT_WATCH_SETTLED && flow.status == SCALEKIT_ACCOUNT_ACTIVE;
}

static void a_flow_survives_each_allocation_failing(void)
{
    struct environment env;
    struct attempt attempt;

    environment_init(&env, NULL);
    scalekit_emulator_script_consent(env.emulator, SCALEKIT_CONSENT_APPROVE, 0);
    attempt = (struct attempt){env.base, env.emulator, 0};
    CU_ASSERT(test_every_allocation(flow_with_memory, &attempt) > 30);
    environment_free(&env);
}

SUITE(flow, {"every consent leads to its outcome", every_consent_leads_to_its_outcome},
      {"an account that is active needs no link", an_account_that_is_active_needs_no_link},
      {"an expired account is authorized again", an_expired_account_is_authorized_again},
      {"verification is told on the way", verification_is_told_on_the_way},
      {"tokens and tools are there after consent, and in no log",
       tokens_and_tools_are_there_after_consent_and_in_no_log},
      {"many at once complete, each, with one sign-in",
       many_at_once_complete_each_with_one_sign_in},
      {"a rotation of tokens costs one sign-in", a_rotation_of_tokens_costs_one_sign_in},
      {"dispatch returns when nothing is pending", dispatch_returns_when_nothing_is_pending},
      {"a flow survives each allocation failing", a_flow_survives_each_allocation_failing})
