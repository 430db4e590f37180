/* Many accounts with few requests. */
#include "core/client.h"
#include "wire.h"
#include <scalekit/check_accounts.h>
#include <stdlib.h>

/* --- what the application does ---------------------------------------------------------------- */

enum whim { TAKE, CANCEL, FREE };

struct checking {
    struct fixture *f;
    struct call *call;
    char told[512]; /* "0:ca_1 2!NOT_FOUND" */
    unsigned tellings, at;
    enum whim whim; /* at the n-th telling; 0: never */
    struct scalekit_account_check summary;
};

static void on_checked(scalekit_request *request, size_t index,
                       const struct scalekit_connected_account *account,
                       const struct scalekit_error *error, void *user)
{
    struct checking *checking = user;
    size_t used = strlen(checking->told);

    CU_ASSERT_PTR_EQUAL(request, checking->call->request);
    CU_ASSERT_FALSE(checking->call->done);
    CU_ASSERT_EQUAL(!account, !!error);
    if (account)
        snprintf(checking->told + used, sizeof checking->told - used, "%s%zu:%s", used ? " " : "",
                 index, account->id);
    else
        snprintf(checking->told + used, sizeof checking->told - used, "%s%zu!%s", used ? " " : "",
                 index, scalekit_err_name(error->code) + strlen("SCALEKIT_ERR_"));
    if (++checking->tellings != checking->at)
        return;
    if (checking->whim == CANCEL)
        scalekit_request_cancel(request);
    if (checking->whim == FREE)
        fixture_free_client(checking->f);
}

static void on_done(scalekit_request *request, const struct scalekit_account_check *check,
                    void *user)
{
    struct checking *checking = user;

    if (check)
        checking->summary = *check;
    call_on_result(request, check, checking->call);
}

static void check_start(struct checking *checking, struct fixture *f,
                        const struct scalekit_check_accounts_params *params)
{
    checking->f = f;
    checking->call = call_new(f);
    call_began(checking->call,
               scalekit_check_accounts(f->client, params, on_checked, on_done, checking));
}

/* --- keys ------------------------------------------------------------------------------------- */

#define MAX_ROW 8

/* "gmail/user", "gmail/user@org" or "ca_1", up to a NULL. */
struct keys {
    char texts[MAX_ROW][64];
    struct scalekit_account_key all[MAX_ROW];
    const struct scalekit_account_key *list[MAX_ROW];
    size_t n;
};

static void read_keys(struct keys *keys, const char *const *texts)
{
    memset(keys, 0, sizeof *keys);
    for (; texts[keys->n]; keys->n++) {
        char *text = keys->texts[keys->n], *slash, *at;
        struct scalekit_account_key *key = &keys->all[keys->n];

        snprintf(text, sizeof keys->texts[0], "%s", texts[keys->n]);
        key->struct_size = sizeof *key;
        slash = strchr(text, '/');
        at = strchr(text, '@');
        if (slash) {
            *slash = '\0';
            key->connection_name = text;
            key->identifier = slash + 1;
        } else {
            key->connected_account_id = text;
        }
        if (at) {
            *at = '\0';
            key->organization_id = at + 1;
        }
        keys->list[keys->n] = key;
    }
}

#define KEYS(k) .keys = (k)->list, .n_keys = (k)->n

/* --- the ways --------------------------------------------------------------------------------- */

#define A(id, connection, identifier)                                                              \
    "{\"id\":\"" id "\",\"connector\":\"" connection "\",\"identifier\":\"" identifier "\"}"
#define ONE(id) "{\"connected_account\":{\"id\":\"" id "\"}}"
#define PAGE(total, next, ...)                                                                     \
    "{\"total_size\":" #total ",\"next_page_token\":\"" next                                       \
    "\",\"connected_accounts\":[" __VA_ARGS__ "]}"

#define LOOK(query)  "/api/v1/connected_accounts/details?" query
#define LISTS(query) "/api/v1/connected_accounts?" query
#define GMAIL        "connection_names=gmail"
#define BOTH         "connection_names=gmail&connection_names=slack"

#define FOUR         "gmail/a", "gmail/b", "gmail/c", "gmail/d"

static const struct way_row {
    const char *name;
    const char *keys[MAX_ROW + 1];
    struct {
        const char *target;
        int status;
        const char *body;
    } steps[MAX_ROW];
    const char *told;
    int64_t found, not_found, failed, look_ups, pages;
} way_rows[] = {
    {"one account",
     {"gmail/a"},
     {{LOOK("connector=gmail&identifier=a"), 200, ONE("ca_1")}},
     "0:ca_1",
     1,
     0,
     0,
     1,
     0},
    {"one that is not there",
     {"gmail/a"},
     {{LOOK("connector=gmail&identifier=a"), 404, ERROR_BODY}},
     "0!NOT_FOUND",
     0,
     1,
     0,
     1,
     0},
    {"one that fails",
     {"gmail/a"},
     {{LOOK("connector=gmail&identifier=a"), 500, ERROR_BODY}},
     "0!SERVER",
     0,
     0,
     1,
     1,
     0},
    {"by id", {"ca_7"}, {{LOOK("id=ca_7"), 200, ONE("ca_7")}}, "0:ca_7", 1, 0, 0, 1, 0},
    {"the same one, asked for three times",
     {"gmail/a", "ca_7", "gmail/a", "ca_7", "gmail/a"},
     {{LOOK("id=ca_7"), 200, ONE("ca_7")}, {LOOK("connector=gmail&identifier=a"), 404, ERROR_BODY}},
     "1:ca_7 3:ca_7 0!NOT_FOUND 2!NOT_FOUND 4!NOT_FOUND",
     2,
     3,
     0,
     2,
     0},
    {"the same name in two organizations",
     {"gmail/a@org_1", "gmail/a"},
     {{LOOK("connector=gmail&identifier=a"), 200, ONE("ca_1")},
      {LOOK("connector=gmail&identifier=a&organization_id=org_1"), 200, ONE("ca_2")}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     2,
     0},
    {"two of one user",
     {"slack/a", "gmail/a"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200,
       PAGE(2, "", A("ca_1", "gmail", "a") "," A("ca_2", "slack", "a"))}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     0,
     1},
    {"two of one user of an organization",
     {"slack/a@org_1", "gmail/a@org_1"},
     {{LISTS(BOTH "&identifier=a&organization_id=org_1&page_size=99"), 200,
       PAGE(2, "", A("ca_1", "gmail", "a") "," A("ca_2", "slack", "a"))}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     0,
     1},
    {"what a complete list does not show is looked up",
     {"slack/a", "gmail/a"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200, PAGE(1, "", A("ca_1", "gmail", "a"))},
      {LOOK("connector=slack&identifier=a"), 404, ERROR_BODY}},
     "1:ca_1 0!NOT_FOUND",
     1,
     1,
     0,
     1,
     1},
    {"and may be there",
     {"slack/a", "gmail/a"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200, PAGE(1, "", A("ca_1", "gmail", "a"))},
      {LOOK("connector=slack&identifier=a"), 200, ONE("ca_2")}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     1,
     1},
    {"what nobody asked for is passed over",
     {"slack/a", "gmail/a"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200,
       PAGE(5, "",
            A("ca_1", "gmail", "a") "," A("ca_1", "gmail", "a") "," A(
                "ca_9", "gmail", "b") ",{}," A("ca_2", "slack", "a"))}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     0,
     1},
    {"a list of users that goes on where it should not",
     {"slack/a", "gmail/a"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200, PAGE(900, "t", A("ca_1", "gmail", "a"))},
      {LOOK("connector=slack&identifier=a"), 200, ONE("ca_2")}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     1,
     1},
    {"four of one connection",
     {FOUR},
     {{LISTS(GMAIL "&page_size=99"), 200,
       PAGE(5, "",
            A("ca_2", "gmail", "b") "," A("ca_1", "gmail", "a") "," A("ca_4", "gmail", "d") "," A(
                "ca_3", "gmail", "c"))}},
     "1:ca_2 0:ca_1 3:ca_4 2:ca_3",
     4,
     0,
     0,
     0,
     1},
    {"no page more than needed",
     {FOUR},
     {{LISTS(GMAIL "&page_size=99"), 200,
       PAGE(3, "t", A("ca_1", "gmail", "a") "," A("ca_2", "gmail", "b"))},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 200,
       PAGE(9, "u", A("ca_3", "gmail", "c") "," A("ca_4", "gmail", "d"))}},
     "0:ca_1 1:ca_2 2:ca_3 3:ca_4",
     4,
     0,
     0,
     0,
     2},
    {"too many pages",
     {FOUR},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(5000, "t", A("ca_3", "gmail", "c"))},
      {LOOK("connector=gmail&identifier=a"), 200, ONE("ca_1")},
      {LOOK("connector=gmail&identifier=b"), 200, ONE("ca_2")},
      {LOOK("connector=gmail&identifier=d"), 404, ERROR_BODY}},
     "2:ca_3 0:ca_1 1:ca_2 3!NOT_FOUND",
     3,
     1,
     0,
     3,
     1},
    {"a sweep that is given up leaves lists of users",
     {FOUR, "slack/a", "slack/b", "slack/c", "slack/d"},
     {{LISTS(BOTH "&page_size=99"), 200, PAGE(5000, "t", A("ca_3", "gmail", "c"))},
      {LISTS(BOTH "&identifier=a&page_size=99"), 200,
       PAGE(2, "", A("ca_1", "gmail", "a") "," A("ca_5", "slack", "a"))},
      {LISTS(BOTH "&identifier=b&page_size=99"), 200,
       PAGE(2, "", A("ca_2", "gmail", "b") "," A("ca_6", "slack", "b"))},
      {LOOK("connector=slack&identifier=c"), 200, ONE("ca_7")},
      {LISTS(BOTH "&identifier=d&page_size=99"), 200,
       PAGE(2, "", A("ca_4", "gmail", "d") "," A("ca_8", "slack", "d"))}},
     "2:ca_3 0:ca_1 4:ca_5 1:ca_2 5:ca_6 6:ca_7 3:ca_4 7:ca_8",
     8,
     0,
     0,
     1,
     4},
    {"a list that is refused",
     {FOUR},
     {{LISTS(GMAIL "&page_size=99"), 403, ERROR_BODY},
      {LOOK("connector=gmail&identifier=a"), 200, ONE("ca_1")},
      {LOOK("connector=gmail&identifier=b"), 200, ONE("ca_2")},
      {LOOK("connector=gmail&identifier=c"), 200, ONE("ca_3")},
      {LOOK("connector=gmail&identifier=d"), 200, ONE("ca_4")}},
     "0:ca_1 1:ca_2 2:ca_3 3:ca_4",
     4,
     0,
     0,
     4,
     1},
    {"a second page that cannot be read",
     {FOUR},
     {{LISTS(GMAIL "&page_size=99"), 200,
       PAGE(3, "t", A("ca_1", "gmail", "a") "," A("ca_2", "gmail", "b"))},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 200, "[]"},
      {LOOK("connector=gmail&identifier=c"), 200, ONE("ca_3")},
      {LOOK("connector=gmail&identifier=d"), 200, ONE("ca_4")}},
     "0:ca_1 1:ca_2 2:ca_3 3:ca_4",
     4,
     0,
     0,
     2,
     2},
    {"a list of a user that is refused",
     {"slack/a", "gmail/a"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 400, ERROR_BODY},
      {LOOK("connector=gmail&identifier=a"), 200, ONE("ca_1")},
      {LOOK("connector=slack&identifier=a"), 200, ONE("ca_2")}},
     "1:ca_1 0:ca_2",
     2,
     0,
     0,
     2,
     1},
    {"a list that fails as a look-up would",
     {FOUR, "gmail/a"},
     {{LISTS(GMAIL "&page_size=99"), 200,
       PAGE(3, "t", A("ca_1", "gmail", "a") "," A("ca_2", "gmail", "b"))},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 429, ERROR_BODY}},
     "0:ca_1 4:ca_1 1:ca_2 2!RATE_LIMITED 3!RATE_LIMITED",
     3,
     0,
     2,
     0,
     2},
};

static const char *route_of(const char *target)
{
    return strncmp(target, LOOK(""), strlen(LOOK(""))) == 0 ? DETAILS : LIST;
}

static void check_way(const struct way_row *row)
{
    struct checking checking = {0};
    struct scalekit_account_check *summary = &checking.summary;
    struct fixture f;
    struct keys keys;
    unsigned n = 0;

    read_keys(&keys, row->keys);
    fixture_open(&f);
    for (; n < COUNT(row->steps) && row->steps[n].target; n++)
        service_once(f.service, route_of(row->steps[n].target),
                     (struct service_answer){row->steps[n].status, row->steps[n].body, NULL, 0, 0});
    check_start(&checking, &f,
                SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys), .max_in_flight = 1));
    memset(&keys, '!', sizeof keys);
    call_wait(checking.call);
    ROW_IS(row->name, checking.call->code == SCALEKIT_OK);
    ROW_IS(row->name, text_is(checking.told, row->told));
    ROW_IS(row->name, service_count(f.service, NULL) == n);
    for (unsigned i = 0; i < n && i < service_count(f.service, NULL); i++)
        ROW_IS(row->name,
               text_is(service_request(f.service, NULL, i)->target, row->steps[i].target));
    ROW_IS(row->name, summary->struct_size == sizeof *summary);
    ROW_IS(row->name, summary->found == row->found && summary->not_found == row->not_found &&
                          summary->failed == row->failed);
    ROW_IS(row->name, summary->look_ups == row->look_ups && summary->pages == row->pages);
    ROW_IS(row->name, summary->requests == n && checking.call->attempts == (int)n);
    ROW_IS(row->name,
           text_is(scalekit_request_operation(checking.call->request), "check_accounts"));
    fixture_free(&f);
}

static void test_ways(void)
{
    for (size_t i = 0; i < COUNT(way_rows); i++)
        check_way(&way_rows[i]);
}

/* --- ended early ------------------------------------------------------------------------------ */

/* In the middle of a page, of those who asked for the same, and at the last. */
static void test_ended_inside(void)
{
    static const char *const texts[] = {FOUR, "gmail/b", "gmail/x", "ca_7", NULL};
    static const char *const told[] = {"0:ca_1", "0:ca_1 1:ca_2", "0:ca_1 1:ca_2 4:ca_2"};

    for (enum whim whim = CANCEL; whim <= FREE; whim++)
        for (unsigned at = 1; at <= 7; at++) {
            struct checking checking = {.at = at, .whim = whim};
            struct fixture f;
            struct keys keys;

            read_keys(&keys, texts);
            fixture_open(&f);
            service_always(f.service, LIST,
                           (struct service_answer){
                               200,
                               PAGE(9, "",
                                    A("ca_1", "gmail", "a") "," A("ca_2", "gmail", "b") "," A(
                                        "ca_3", "gmail", "c") "," A("ca_4", "gmail", "d")),
                               NULL, 0, 0});
            service_once(f.service, DETAILS, (struct service_answer){200, ONE("ca_7"), NULL, 0, 0});
            service_always(f.service, DETAILS,
                           (struct service_answer){404, ERROR_BODY, NULL, 0, 0});
            check_start(
                &checking, &f,
                SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys), .max_in_flight = 1));
            call_wait(checking.call);
            CU_ASSERT_EQUAL(checking.call->code,
                            whim == FREE ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
            CU_ASSERT_EQUAL(checking.tellings, at);
            CU_ASSERT(at > COUNT(told) || text_is(checking.told, told[at - 1]));
            CU_ASSERT_EQUAL(checking.call->attempts, at < 6 ? 1 : (int)at - 4);
            fixture_turn(&f);
            fixture_free(&f);
        }
}

/* While a list's keys are told of its failure. */
static void test_ended_by_a_failure(void)
{
    static const char *const texts[] = {FOUR, NULL};

    for (enum whim whim = CANCEL; whim <= FREE; whim++) {
        struct checking checking = {.at = 2, .whim = whim};
        struct fixture f;
        struct keys keys;

        read_keys(&keys, texts);
        fixture_open(&f);
        service_always(f.service, LIST, (struct service_answer){429, ERROR_BODY, NULL, 0, 0});
        check_start(&checking, &f, SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys)));
        call_wait(checking.call);
        CU_ASSERT_EQUAL(checking.call->code,
                        whim == FREE ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
        CU_ASSERT_STRING_EQUAL(checking.told, "0!RATE_LIMITED 1!RATE_LIMITED");
        fixture_turn(&f);
        fixture_free(&f);
    }
}

static void test_ended_outside(void)
{
    static const char *const texts[] = {FOUR, "ca_7", NULL};

    for (int freed = 0; freed <= 1; freed++)
        for (unsigned sent = 0; sent <= 2; sent++) {
            struct checking checking = {0};
            struct fixture f;
            struct keys keys;

            read_keys(&keys, texts);
            fixture_open(&f);
            service_once(f.service, LIST,
                         (struct service_answer){200, PAGE(3, "t", A("ca_1", "gmail", "a")), NULL,
                                                 SERVICE_WAITS, 0});
            service_always(f.service, LIST, (struct service_answer){.manner = SERVICE_HANGS});
            service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
            check_start(&checking, &f,
                        SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys)));
            if (sent) {
                service_until(f.service, LIST, 1);
                service_until(f.service, DETAILS, 1);
            }
            if (sent > 1) {
                service_release(f.service);
                service_until(f.service, LIST, 2);
            }
            if (freed)
                fixture_free_client(&f);
            else
                call_cancel(checking.call);
            call_wait(checking.call);
            CU_ASSERT_EQUAL(checking.call->code,
                            freed ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
            CU_ASSERT_EQUAL(checking.call->sent, sent > 0);
            CU_ASSERT_EQUAL(checking.call->attempts, sent ? (int)sent + 1 : 0);
            CU_ASSERT(freed || ski_list_empty(&f.client->pending));
            fixture_turn(&f);
            fixture_free(&f);
        }
}

/* A request has the client's deadline, the whole a day, or what is asked for. */
static void test_deadlines(void)
{
    static const char *const texts[] = {"ca_1", "ca_2", NULL};
    struct keys keys;

    read_keys(&keys, texts);
    for (int set = 0; set <= 1; set++) {
        struct checking checking = {0};
        struct fixture f;

        fixture_init(&f);
        fixture_use_clock(&f);
        fixture_start(&f);
        service_always(f.service, DETAILS, (struct service_answer){.manner = SERVICE_HANGS});
        check_start(
            &checking, &f,
            SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys), .max_in_flight = 1));
        if (set)
            scalekit_request_set_deadline(checking.call->request, 30000);
        service_until(f.service, DETAILS, 1);
        fixture_advance(&f, 20100);
        service_until(f.service, DETAILS, 2);
        CU_ASSERT_STRING_EQUAL(checking.told, "0!DEADLINE");
        fixture_advance(&f, set ? 10000 : 20100);
        call_wait(checking.call);
        CU_ASSERT_EQUAL(checking.call->code, set ? SCALEKIT_ERR_DEADLINE : SCALEKIT_OK);
        CU_ASSERT(!set || checking.call->phase == SCALEKIT_PHASE_WAIT);
        CU_ASSERT_EQUAL(checking.summary.failed, set ? 0 : 2);
        fixture_free(&f);
    }
}

/* What was sent again is counted. */
static void test_retries(void)
{
    static const char *const texts[] = {"ca_1", NULL};
    struct checking checking = {0};
    struct fixture f;
    struct keys keys;

    read_keys(&keys, texts);
    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_once(f.service, DETAILS, (struct service_answer){.status = 429});
    service_once(f.service, DETAILS, (struct service_answer){200, ONE("ca_1"), NULL, 0, 0});
    check_start(&checking, &f, SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys)));
    scalekit_request_set_max_retries(checking.call->request, 1);
    scalekit_request_set_retry_rate_limited(checking.call->request, true);
    service_until(f.service, DETAILS, 1);
    fixture_turn(&f);
    fixture_advance(&f, 1100);
    call_wait(checking.call);
    CU_ASSERT_STRING_EQUAL(checking.told, "0:ca_1");
    CU_ASSERT_EQUAL(checking.summary.look_ups, 1);
    CU_ASSERT_EQUAL(checking.summary.requests, 2);
    fixture_free(&f);
}

/* --- refusals --------------------------------------------------------------------------------- */

static struct checking refused;

static struct call *check_these(struct fixture *f,
                                const struct scalekit_check_accounts_params *params)
{
    refused = (struct checking){0};
    check_start(&refused, f, params);
    return refused.call;
}

#define CHECK(name, ...)                                                                           \
    static struct call *name(struct fixture *f)                                                    \
    {                                                                                              \
        return check_these(f, SCALEKIT_PARAMS(scalekit_check_accounts_params, __VA_ARGS__));       \
    }

#define KEY(...) SCALEKIT_PARAMS(scalekit_account_key, __VA_ARGS__)

#define FIRST    KEY(.connected_account_id = "ca_1")

static struct call *no_params(struct fixture *f)
{
    return check_these(f, NULL);
}

static struct call *too_many(struct fixture *f)
{
    static const struct scalekit_account_key key = {.struct_size = sizeof key,
                                                    .connected_account_id = "ca_1"};
    static const struct scalekit_account_key *keys[100001];

    for (size_t i = 0; i < COUNT(keys); i++)
        keys[i] = &key;
    return check_these(
        f, SCALEKIT_PARAMS(scalekit_check_accounts_params, .keys = keys, .n_keys = COUNT(keys)));
}

#define LIST_OF(...)                                                                               \
    .keys = (const struct scalekit_account_key *[])                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

CHECK(no_keys, .n_keys = 0)
CHECK(null_keys, .keys = NULL, .n_keys = 1)
CHECK(null_key, LIST_OF(FIRST, NULL), .n_keys = 2)
CHECK(half_a_name, LIST_OF(FIRST, KEY(.connection_name = "gmail")), .n_keys = 2)
CHECK(bad_id, LIST_OF(FIRST, KEY(.connected_account_id = "7")), .n_keys = 2)
CHECK(too_wide, LIST_OF(FIRST), .n_keys = 1, .max_in_flight = 257)

static const struct refusal_row refusal_rows[] = {
    {"no parameters", no_params, "params"},     {"no keys", no_keys, "keys"},
    {"keys are NULL", null_keys, "keys"},       {"a key is NULL", null_key, "keys"},
    {"half a name", half_a_name, "identifier"}, {"no id", bad_id, "connected_account_id"},
    {"too many keys", too_many, "keys"},        {"too many at a time", too_wide, "max_in_flight"},
};

static void test_refusals(void)
{
    struct fixture f;

    refusal_check(refusal_rows, COUNT(refusal_rows));
    fixture_open(&f);
    CU_ASSERT_PTR_NULL(scalekit_check_accounts(f.client, NULL, NULL, on_done, NULL));
    CU_ASSERT_PTR_NULL(scalekit_check_accounts(f.client, NULL, on_checked, NULL, NULL));
    CU_ASSERT_PTR_NULL(scalekit_check_accounts(NULL, NULL, on_checked, on_done, NULL));
    fixture_free(&f);
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    static const char *const texts[] = {FOUR, "slack/a", "slack/b", "ca_9", NULL};
    struct checking checking = {0};
    struct fixture f;
    struct keys keys;
    bool through = false;

    read_keys(&keys, texts);
    fixture_init(&f);
    memory->fail_after = *(bool *)user;
    f.config.allocator = &memory->allocator;
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        service_once(
            f.service, LIST,
            (struct service_answer){200, PAGE(3, "t", A("ca_1", "gmail", "a")), NULL, 0, 0});
        service_once(
            f.service, LIST,
            (struct service_answer){200, PAGE(5000, "u", A("ca_2", "gmail", "b")), NULL, 0, 0});
        service_always(f.service, LIST, (struct service_answer){200, "{}", NULL, 0, 0});
        service_always(f.service, DETAILS, (struct service_answer){200, ONE("ca_9"), NULL, 0, 0});
        check_start(&checking, &f, SCALEKIT_PARAMS(scalekit_check_accounts_params, KEYS(&keys)));
        if (checking.call->request) {
            call_wait(checking.call);
            CU_ASSERT(checking.call->code == SCALEKIT_OK ||
                      checking.call->code == SCALEKIT_ERR_NOMEM);
            CU_ASSERT(checking.call->code != SCALEKIT_OK || checking.tellings == keys.n);
            through = checking.call->code == SCALEKIT_OK && !checking.summary.failed;
        }
    }
    fixture_free(&f);
    return through;
}

static void test_out_of_memory(void)
{
    for (int for_good = 0; for_good <= 1; for_good++) {
        bool fail_after = for_good;

        CU_ASSERT(test_every_allocation(run_short_of_memory, &fail_after) > 60);
    }
}

SUITE(check_accounts, {"every way to see an account, and what it costs", test_ways},
      {"it may be ended inside each callback", test_ended_inside},
      {"it may be ended while a failure is told", test_ended_by_a_failure},
      {"it may be ended from outside", test_ended_outside},
      {"a request has its deadline, and the whole has one", test_deadlines},
      {"what was sent again is counted", test_retries},
      {"what is wrong is refused and named, before anything is sent", test_refusals},
      {"every allocation may fail", test_out_of_memory})
