/* Operations made of many requests, against the emulator over TLS and HTTP/2. */
#include "environment.h"
#include <scalekit/check_accounts.h>
#include <scalekit/each.h>
#include <scalekit/tool_hook.h>

#define USERS 250

static void add_users(struct environment *env, const char *connection_name, int users)
{
    char user[32];

    for (int i = 0; i < users; i++) {
        snprintf(user, sizeof user, "user_%d", i);
        CU_ASSERT_FATAL(
            scalekit_emulator_set_status(env->emulator, connection_name, user, "ACTIVE"));
    }
}

static uint64_t requests_so_far(const struct environment *env)
{
    struct scalekit_emulator_stats stats;

    scalekit_emulator_stats(env->emulator, &stats);
    return stats.requests;
}

/* --- whole lists ------------------------------------------------------------------------------ */

struct tally {
    struct outcome outcome; /* first: it is the callbacks' user as well */
    int pages, items, stop_at;
    int64_t total;
};

static bool count_page(scalekit_request *request,
                       const struct scalekit_connected_account_page *page, void *user)
{
    struct tally *tally = user;

    (void)request;
    tally->pages++;
    tally->total = page->total_size;
    return true;
}

static bool count_account(scalekit_request *request,
                          const struct scalekit_connected_account *account, void *user)
{
    struct tally *tally = user;
    char expected[32];

    snprintf(expected, sizeof expected, "user_%d", tally->items);
    CU_ASSERT_STRING_EQUAL(account->identifier, expected);
    CU_ASSERT_EQUAL(scalekit_each_total_size(request), USERS);
    return ++tally->items != tally->stop_at;
}

static void a_list_is_followed_to_its_end(void)
{
    struct environment env;
    struct tally all = {.outcome.env = &env};

    environment_init(&env, NULL);
    add_users(&env, "gmail", USERS);
    scalekit_each_connected_account(env.client,
                                    SCALEKIT_PARAMS(scalekit_list_connected_accounts_params,
                                                    .connection_name = "gmail", .page_size = 99),
                                    count_page, count_account, outcome_done, &all);
    test_base_until(env.base, &all.outcome.done);
    CU_ASSERT(all.outcome.ok);
    CU_ASSERT_EQUAL(all.pages, 3);
    CU_ASSERT_EQUAL(all.items, USERS);
    CU_ASSERT_EQUAL(all.total, USERS);
    environment_free(&env);
}

static void a_list_ends_where_the_application_has_enough(void)
{
    struct environment env;
    struct tally some = {.outcome.env = &env, .stop_at = 15};
    uint64_t before;

    environment_init(&env, NULL);
    add_users(&env, "gmail", USERS);
    environment_look(&env, env.client);
    before = requests_so_far(&env);
    scalekit_each_connected_account(env.client, NULL, NULL, count_account, outcome_done, &some);
    test_base_until(env.base, &some.outcome.done);
    CU_ASSERT(some.outcome.ok);
    CU_ASSERT_EQUAL(some.items, 15);
    CU_ASSERT_EQUAL(requests_so_far(&env) - before, 2); /* pages of ten */
    environment_free(&env);
}

/* --- many accounts ---------------------------------------------------------------------------- */

struct checked {
    struct outcome outcome;
    int times[2 * USERS], found, missing;
    struct scalekit_account_check summary;
};

static void on_checked(scalekit_request *request, size_t index,
                       const struct scalekit_connected_account *account,
                       const struct scalekit_error *error, void *user)
{
    struct checked *checked = user;

    (void)request;
    CU_ASSERT_FATAL(index < 2 * USERS);
    checked->times[index]++;
    checked->found +=
        account && account->status == SCALEKIT_ACCOUNT_ACTIVE && !account->authorization_details;
    checked->missing += error && error->code == SCALEKIT_ERR_NOT_FOUND;
}

static void on_all_checked(scalekit_request *request, const struct scalekit_account_check *check,
                           void *user)
{
    struct checked *checked = user;

    if (check)
        checked->summary = *check;
    outcome_done(request, check != NULL, user);
}

/* Of each connection's users, as many as there are keys, and more. */
static void check(struct checked *checked, struct environment *env, const char *const *connections,
                  int n_connections, int users)
{
    static struct scalekit_account_key keys[2 * USERS];
    static const struct scalekit_account_key *list[2 * USERS];
    static char names[2 * USERS][32];
    int n = 0;

    *checked = (struct checked){.outcome.env = env};
    for (int i = 0; i < users; i++)
        for (int j = 0; j < n_connections; j++, n++) {
            snprintf(names[n], sizeof names[n], "user_%d", i);
            keys[n] = (struct scalekit_account_key){.struct_size = sizeof keys[n],
                                                    .connection_name = connections[j],
                                                    .identifier = names[n]};
            list[n] = &keys[n];
        }
    scalekit_check_accounts(
        env->client,
        SCALEKIT_PARAMS(scalekit_check_accounts_params, .keys = list, .n_keys = (size_t)n),
        on_checked, on_all_checked, checked);
    test_base_until(env->base, &checked->outcome.done);
    CU_ASSERT(checked->outcome.ok);
    for (int i = 0; i < n; i++)
        CU_ASSERT_EQUAL(checked->times[i], 1);
}

static void many_accounts_are_seen_with_few_requests(void)
{
    static const char *const connections[] = {"gmail", "slack"};
    static const struct {
        int gmail, slack; /* accounts that there are */
        int n_connections, users;
        int64_t pages, look_ups;
    } cases[] = {
        {USERS, 0, 1, 1, 0, 1},         /* one: looked up */
        {USERS, USERS, 2, 1, 1, 0},     /* two of a user: one list */
        {USERS, 0, 1, USERS, 3, 0},     /* a whole connection: its pages */
        {USERS, USERS, 2, USERS, 6, 0}, /* two */
        {USERS - 3, 0, 1, USERS, 3, 3}, /* what is missing is looked up */
        {USERS, USERS, 2, 3, 3, 0},     /* a few users of many: their lists */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct environment env;
        struct checked checked;
        int n = cases[i].n_connections * cases[i].users;
        uint64_t before;

        environment_init(&env, NULL);
        add_users(&env, "gmail", cases[i].gmail);
        add_users(&env, "slack", cases[i].slack);
        environment_look(&env, env.client); /* signs in */
        before = requests_so_far(&env);
        check(&checked, &env, connections, cases[i].n_connections, cases[i].users);
        CU_ASSERT_EQUAL(checked.summary.pages, cases[i].pages);
        CU_ASSERT_EQUAL(checked.summary.look_ups, cases[i].look_ups);
        CU_ASSERT_EQUAL(checked.summary.requests, (int64_t)(requests_so_far(&env) - before));
        CU_ASSERT_EQUAL(checked.found + checked.missing, n);
        CU_ASSERT_EQUAL(checked.summary.found, checked.found);
        CU_ASSERT_EQUAL(checked.missing, cases[i].users > cases[i].gmail ? 3 : 0);
        environment_free(&env);
    }
}

/* --- hooks ------------------------------------------------------------------------------------ */

static enum scalekit_hook_answer add_approval(scalekit_tool_call *call, void *user)
{
    (void)user;
    CU_ASSERT_EQUAL(scalekit_tool_call_set_input(call, "{\"approved\":true}"), SCALEKIT_OK);
    return SCALEKIT_HOOK_CONTINUE;
}

static enum scalekit_hook_answer add_note(scalekit_tool_call *call, void *user)
{
    char *seen = user;

    snprintf(seen, 256, "%s", scalekit_tool_call_result(call)->data);
    CU_ASSERT_EQUAL(scalekit_tool_call_set_output(call, "{\"noted\":true}"), SCALEKIT_OK);
    return SCALEKIT_HOOK_CONTINUE;
}

static void a_hook_changes_what_a_tool_gets_and_gives(void)
{
    struct environment env;
    struct outcome tool = {.env = &env};
    char seen[256] = "";

    environment_init(&env, NULL);
    add_users(&env, "gmail", 2);
    CU_ASSERT_PTR_NOT_NULL(scalekit_client_add_tool_hook(
        env.client, SCALEKIT_PARAMS(scalekit_tool_hook_params, .before = add_approval,
                                    .after = add_note, .user = seen)));
    scalekit_execute_tool(env.client,
                          SCALEKIT_PARAMS(scalekit_execute_tool_params, .connection_name = "gmail",
                                          .identifier = "user_1", .tool_name = "echo"),
                          outcome_tool, &tool);
    test_base_until(env.base, &tool.done);
    CU_ASSERT(tool.ok);
    CU_ASSERT_STRING_EQUAL(tool.text, "{\"noted\":true}");
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "approved"));
    environment_free(&env);
}

SUITE(batch, {"a list is followed to its end", a_list_is_followed_to_its_end},
      {"a list ends where the application has enough",
       a_list_ends_where_the_application_has_enough},
      {"many accounts are seen with few requests", many_accounts_are_seen_with_few_requests},
      {"a hook changes what a tool gets and gives", a_hook_changes_what_a_tool_gets_and_gives})
