/* A given set of accounts, seen with few requests, for an owner who may change its mind. */
#include "../core/fixture.h"
#include "api/survey.h"
#include "core/client.h"
#include "core/request.h"
#include <stdlib.h>

/* --- an owner --------------------------------------------------------------------------------- */

#define MAX_LOOKS 16

enum call_of { NO_CALL, FIND, TELL, PREPARE, ENDED, SIZED, DONE };
enum whim { FREE_SURVEY, FREE_CLIENT, DROP_ALL };

/* A look has memory of its own, which goes as soon as it is told or dropped. */
struct entry {
    char label[48];
    struct ski_look *look; /* NULL: told or dropped */
    char *text;
};

struct owner {
    struct fixture f;
    struct ski_attachment attachment;
    struct ski_survey *survey;
    struct entry entries[MAX_LOOKS];
    size_t n;
    char told[512];  /* "gmail/a:ca_1 ca_2!NOT_FOUND" */
    char sized[256]; /* "gmail,slack=5" */
    unsigned tellings, prepared, ended, abandoned, dones;
    scalekit_err failure; /* of done */
    bool inside_drop;
    enum call_of call; /* in which the whim comes over it, */
    unsigned at;       /* at the n-th, from 1 */
    enum whim whim;
};

static void forget(struct entry *entry)
{
    free(entry->text);
    free(entry->look);
    entry->look = NULL;
    entry->text = NULL;
}

static struct entry *entry_of(struct owner *o, const struct ski_look *look)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->entries[i].look == look)
            return &o->entries[i];
    CU_FAIL_FATAL("a look that is told or dropped");
    return NULL;
}

static void drop(struct owner *o, const char *label)
{
    for (size_t i = 0; i < o->n; i++) {
        struct entry *entry = &o->entries[i];

        if (!entry->look || (label && strcmp(entry->label, label) != 0))
            continue;
        o->inside_drop = true;
        ski_survey_drop(o->survey, entry->look);
        o->inside_drop = false;
        forget(entry);
    }
}

static void end_survey(struct owner *o)
{
    struct ski_survey *survey = o->survey;

    o->survey = NULL;
    ski_survey_free(survey);
}

/* At the beginning of each call.  Whether the whim came over the owner. */
static bool called(struct owner *o, struct ski_survey *survey, enum call_of call)
{
    CU_ASSERT_PTR_EQUAL(ski_survey_owner(survey), o);
    CU_ASSERT_EQUAL(o->dones, 0);
    CU_ASSERT(!o->inside_drop || call == ENDED);
    if (o->call != call || !o->at || --o->at)
        return false;
    o->survey = survey;
    if (o->whim == FREE_SURVEY)
        end_survey(o);
    else if (o->whim == FREE_CLIENT)
        fixture_free_client(&o->f);
    else
        drop(o, NULL);
    return true;
}

static struct ski_look *on_find(struct ski_survey *survey,
                                const struct scalekit_connected_account *account,
                                const struct ski_look *any, scalekit_request *request)
{
    struct owner *o = ski_survey_owner(survey);

    CU_ASSERT_PTR_NOT_NULL(request);
    CU_ASSERT_PTR_NOT_NULL(any->connection_name);
    if (called(o, survey, FIND))
        return NULL;
    for (size_t i = 0; i < o->n; i++) {
        struct ski_look *look = o->entries[i].look;

        if (look && !look->connected_account_id &&
            text_is(account->connection_name, look->connection_name) &&
            text_is(account->identifier, look->identifier) &&
            text_is(any->organization_id, look->organization_id))
            return look;
    }
    return NULL;
}

static void on_tell(struct ski_survey *survey, struct ski_look *look,
                    const struct scalekit_connected_account *account,
                    const struct scalekit_error *error, scalekit_request *request)
{
    struct owner *o = ski_survey_owner(survey);
    struct entry *entry = entry_of(o, look);
    size_t used = strlen(o->told);

    CU_ASSERT_PTR_NOT_NULL(request);
    CU_ASSERT_EQUAL(!account, !!error);
    CU_ASSERT_PTR_NULL(look->errand);
    snprintf(o->told + used, sizeof o->told - used, "%s%s%s%s", used ? " " : "", entry->label,
             account ? ":" : "!",
             account ? account->id : scalekit_err_name(error->code) + strlen("SCALEKIT_ERR_"));
    forget(entry);
    o->tellings++;
    called(o, survey, TELL);
}

static void on_prepare(struct ski_survey *survey, scalekit_request *request, enum ski_look_way way)
{
    struct owner *o = ski_survey_owner(survey);

    CU_ASSERT_EQUAL(way == SKI_LOOK_SINGLE,
                    text_is(scalekit_request_operation(request), "get_connected_account_details"));
    CU_ASSERT_EQUAL(scalekit_request_set_max_retries(request, 0), SCALEKIT_OK);
    o->prepared++;
    called(o, survey, PREPARE);
}

static void on_ended(struct ski_survey *survey, const scalekit_request *request)
{
    struct owner *o = ski_survey_owner(survey);

    o->ended++;
    o->abandoned += request->state != SKI_DELIVERED;
    if (o->survey && o->call == ENDED)
        called(o, survey, ENDED);
}

static void on_sized(struct ski_survey *survey, const struct ski_look *any,
                     const char *const *names, size_t n_names, int64_t total)
{
    struct owner *o = ski_survey_owner(survey);
    size_t used = strlen(o->sized);

    CU_ASSERT_STRING_EQUAL(any->connection_name, names[0]);
    for (size_t i = 0; i < n_names; i++)
        used += (size_t)snprintf(o->sized + used, sizeof o->sized - used, "%s%s",
                                 i      ? ","
                                 : used ? " "
                                        : "",
                                 names[i]);
    snprintf(o->sized + used, sizeof o->sized - used, "=%lld", (long long)total);
    called(o, survey, SIZED);
}

static void on_done(struct ski_survey *survey, const struct ski_failure *failure)
{
    struct owner *o = ski_survey_owner(survey);

    called(o, survey, DONE);
    o->dones++;
    o->failure = failure ? failure->code : SCALEKIT_OK;
}

static const struct ski_survey_calls calls = {on_find,  on_tell,  on_prepare,
                                              on_ended, on_sized, on_done};

static void on_client_closes(struct ski_attachment *attachment)
{
    end_survey(SKI_CONTAINER(attachment, struct owner, attachment));
}

static void on_client_freed(struct ski_attachment *attachment)
{
    (void)attachment;
}

/* "gmail/a", "gmail/a@org" or "ca_1", with "#150" behind it where the total is known. */
static void add_look(struct owner *o, const char *label)
{
    struct entry *entry = &o->entries[o->n++];
    struct ski_look *look = calloc(1, sizeof *look);
    char *text = strdup(label), *slash, *at, *total;

    CU_ASSERT_FATAL(o->n <= MAX_LOOKS && look && text);
    entry->look = look;
    entry->text = text;
    snprintf(entry->label, sizeof entry->label, "%.*s", (int)strcspn(label, "#"), label);
    slash = strchr(text, '/');
    at = strchr(text, '@');
    total = strchr(text, '#');
    if (total) {
        *total = '\0';
        look->total = (uint32_t)strtoul(total + 1, NULL, 10);
    }
    if (at) {
        *at = '\0';
        look->organization_id = at + 1;
    }
    if (slash) {
        *slash = '\0';
        look->connection_name = text;
        look->identifier = slash + 1;
    } else {
        look->connected_account_id = text;
    }
}

static void owner_init(struct owner *o)
{
    memset(o, 0, sizeof *o);
    fixture_init(&o->f);
    o->f.config.log_level = SCALEKIT_LOG_WARN;
}

static void owner_begin(struct owner *o, const char *const *labels, size_t in_flight, bool breaker)
{
    struct ski_look *looks[MAX_LOOKS];

    o->attachment = (struct ski_attachment){on_client_closes, on_client_freed};
    o->f.client->attachment = &o->attachment;
    for (; *labels; labels++)
        add_look(o, *labels);
    for (size_t i = 0; i < o->n; i++)
        looks[i] = o->entries[i].look;
    o->survey =
        ski_survey_start(o->f.client, &(struct ski_survey_config){.calls = &calls,
                                                                  .owner = o,
                                                                  .looks = looks,
                                                                  .n_looks = o->n,
                                                                  .max_in_flight = in_flight,
                                                                  .breaker = breaker});
    memset(looks, '!', sizeof looks);
    CU_ASSERT_EQUAL(o->tellings + o->dones, 0);
}

static void owner_open(struct owner *o, const char *const *labels, size_t in_flight)
{
    owner_init(o);
    fixture_start(&o->f);
    owner_begin(o, labels, in_flight, false);
    CU_ASSERT_PTR_NOT_NULL(o->survey);
}

static void owner_wait(struct owner *o)
{
    while (o->survey && !o->dones)
        CU_ASSERT_EQUAL_FATAL(event_base_loop(o->f.base, EVLOOP_ONCE), 0);
}

static void owner_free(struct owner *o)
{
    if (o->survey)
        CU_ASSERT(o->dones == 0 || !ski_survey_request(o->survey));
    end_survey(o);
    CU_ASSERT_EQUAL(o->prepared, o->ended);
    for (size_t i = 0; i < o->n; i++)
        if (o->entries[i].look)
            forget(&o->entries[i]);
    if (o->f.client)
        fixture_turn(&o->f);
    fixture_free(&o->f);
}

/* --- answers ---------------------------------------------------------------------------------- */

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
#define USER(u)      LOOK("connector=gmail&identifier=" u)

#define AB           A("ca_1", "gmail", "a") "," A("ca_2", "gmail", "b")
#define CD           A("ca_3", "gmail", "c") "," A("ca_4", "gmail", "d")

static const char *route_of(const char *target)
{
    return strncmp(target, LOOK(""), strlen(LOOK(""))) == 0 ? DETAILS : LIST;
}

static void answer(struct owner *o, const char *route, int status, const char *body)
{
    service_once(o->f.service, route, (struct service_answer){status, body, NULL, 0, 0});
}

static void hang(struct owner *o, const char *route)
{
    service_once(o->f.service, route, (struct service_answer){.manner = SERVICE_HANGS});
}

/* --- ways ------------------------------------------------------------------------------------- */

static const struct way_row {
    const char *name;
    const char *looks[MAX_LOOKS];
    struct {
        const char *target;
        int status;
        const char *body;
    } steps[8];
    const char *told, *sized;
} way_rows[] = {
    {"a sweep that is known to pay runs",
     {"gmail/a#198", "gmail/b#198", "gmail/c#198", "gmail/d#198"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(4, "t", AB)},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 200, PAGE(4, "", CD)}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3 gmail/d:ca_4",
     "gmail=4"},
    {"one that is known not to pay costs no page",
     {"gmail/a#397", "gmail/b#397", "gmail/c#397", "gmail/d#397"},
     {{USER("a"), 200, ONE("ca_1")},
      {USER("b"), 200, ONE("ca_2")},
      {USER("c"), 200, ONE("ca_3")},
      {USER("d"), 200, ONE("ca_4")}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3 gmail/d:ca_4",
     ""},
    {"two accounts of a connection that is known to be small are a page",
     {"gmail/a#9", "gmail/b#9"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(9, "", AB)}},
     "gmail/a:ca_1 gmail/b:ca_2",
     "gmail=9"},
    {"and one is a look-up", {"gmail/a#1"}, {{USER("a"), 200, ONE("ca_1")}}, "gmail/a:ca_1", ""},
    {"small connections share a page, a large one among them is left out",
     {"gmail/a#40", "slack/b#40", "jira/c#4000"},
     {{LISTS(BOTH "&page_size=99"), 200,
       PAGE(80, "", A("ca_1", "gmail", "a") "," A("ca_2", "slack", "b"))},
      {LOOK("connector=jira&identifier=c"), 404, ERROR_BODY}},
     "gmail/a:ca_1 slack/b:ca_2 jira/c!NOT_FOUND",
     "gmail,slack=80"},
    {"a sweep that costs as much as the users' lists that are needed anyway is left",
     {"gmail/a#40", "gmail/b#40", "slack/a#4000", "slack/b#4000"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200,
       PAGE(2, "", A("ca_1", "gmail", "a") "," A("ca_2", "slack", "a"))},
      {LISTS(BOTH "&identifier=b&page_size=99"), 200,
       PAGE(2, "", A("ca_3", "gmail", "b") "," A("ca_4", "slack", "b"))}},
     "gmail/a:ca_1 slack/a:ca_2 gmail/b:ca_3 slack/b:ca_4",
     ""},
    {"what was known may be wrong",
     {"gmail/a#9", "gmail/b#9", "gmail/c#9"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(5000, "t", AB)}, {USER("c"), 200, ONE("ca_3")}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3",
     "gmail=5000"},
    {"a size that is no guide is not told",
     {"gmail/a", "gmail/b", "gmail/c", "gmail/d"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(2, "t", AB)},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 200, PAGE(2, "", CD)}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3 gmail/d:ca_4",
     ""},
    {"a complete page is a guide itself",
     {"gmail/a", "gmail/b", "gmail/c", "gmail/d"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(0, "", AB "," CD)}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3 gmail/d:ca_4",
     "gmail=4"},
    {"an empty connection has the size of one account",
     {"gmail/a#2", "gmail/b#2"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(0, "", "")},
      {USER("a"), 404, ERROR_BODY},
      {USER("b"), 404, ERROR_BODY}},
     "gmail/a!NOT_FOUND gmail/b!NOT_FOUND",
     "gmail=1"},
    {"an account that is listed again is told once",
     {"gmail/a", "gmail/b", "gmail/c", "gmail/d"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(8, "t", AB "," AB)},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 200, PAGE(8, "", AB "," CD "," AB)}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3 gmail/d:ca_4",
     "gmail=8"},
    {"one that fell between two pages is looked up",
     {"gmail/a", "gmail/b", "gmail/c", "gmail/d"},
     {{LISTS(GMAIL "&page_size=99"), 200, PAGE(4, "t", AB)},
      {LISTS(GMAIL "&page_size=99&page_token=t"), 200, PAGE(3, "", A("ca_4", "gmail", "d"))},
      {USER("c"), 200, ONE("ca_3")}},
     "gmail/a:ca_1 gmail/b:ca_2 gmail/d:ca_4 gmail/c:ca_3",
     "gmail=4"},
    {"a user's list goes on as it began",
     {"gmail/a", "slack/a", "jira/a"},
     {{LISTS("connection_names=gmail&connection_names=jira&connection_names=slack&identifier=a&"
             "page_size=99"),
       200, PAGE(2, "t", A("ca_1", "gmail", "a"))},
      {LISTS("connection_names=gmail&connection_names=jira&connection_names=slack&identifier=a&"
             "page_size=99&page_token=t"),
       200, PAGE(3, "", A("ca_2", "slack", "a") "," A("ca_3", "jira", "a"))}},
     "gmail/a:ca_1 slack/a:ca_2 jira/a:ca_3",
     ""},
    {"what another list is to show is left to that one",
     {"gmail/a", "slack/a", "gmail/b#1", "slack/b#1"},
     {{LISTS(BOTH "&identifier=a&page_size=99"), 200, PAGE(3, "", AB "," A("ca_3", "slack", "a"))},
      {LISTS(BOTH "&identifier=b&page_size=99"), 200,
       PAGE(2, "", A("ca_2", "gmail", "b") "," A("ca_4", "slack", "b"))}},
     "gmail/a:ca_1 slack/a:ca_3 gmail/b:ca_2 slack/b:ca_4",
     ""},
    {"an account of another scope is none of a list's",
     {"gmail/a@org_1", "slack/a@org_1", "gmail/a"},
     {{USER("a"), 200, ONE("ca_1")},
      {LISTS(BOTH "&identifier=a&organization_id=org_1&page_size=99"), 200,
       PAGE(2, "", A("ca_2", "gmail", "a") "," A("ca_3", "slack", "a"))}},
     "gmail/a:ca_1 gmail/a@org_1:ca_2 slack/a@org_1:ca_3",
     ""},
};

static void check_way(const struct way_row *row)
{
    struct owner o;
    unsigned n = 0;

    owner_init(&o);
    fixture_start(&o.f);
    for (; n < COUNT(row->steps) && row->steps[n].target; n++)
        answer(&o, route_of(row->steps[n].target), row->steps[n].status, row->steps[n].body);
    owner_begin(&o, row->looks, 1, false);
    owner_wait(&o);
    ROW_IS(row->name, o.dones == 1 && o.failure == SCALEKIT_OK);
    ROW_IS(row->name, text_is(o.told, row->told));
    ROW_IS(row->name, text_is(o.sized, row->sized));
    ROW_IS(row->name, o.prepared == n && service_count(o.f.service, NULL) == n);
    for (unsigned i = 0; i < n && i < service_count(o.f.service, NULL); i++)
        ROW_IS(row->name,
               text_is(service_request(o.f.service, NULL, i)->target, row->steps[i].target));
    owner_free(&o);
}

static void test_ways(void)
{
    for (size_t i = 0; i < COUNT(way_rows); i++)
        check_way(&way_rows[i]);
}

/* --- the breaker ------------------------------------------------------------------------------ */

#define IDS "ca_1", "ca_2", "ca_3", "ca_4", "ca_5"

static const struct breaker_row {
    const char *name;
    bool breaker;
    int sign_in;     /* its status; 0: it succeeds */
    int statuses[8]; /* of one request after the other */
    unsigned requests;
    const char *told;
} breaker_rows[] = {
    {"without a breaker everything is asked",
     false,
     0,
     {429, 429, 429, 429, 429},
     5,
     "ca_1!RATE_LIMITED ca_2!RATE_LIMITED ca_3!RATE_LIMITED ca_4!RATE_LIMITED ca_5!RATE_LIMITED"},
    {"three failures in a row are enough",
     true,
     0,
     {429, 500, 503},
     3,
     "ca_1!RATE_LIMITED ca_2!SERVER ca_3!UNAVAILABLE ca_4!UNAVAILABLE ca_5!UNAVAILABLE"},
    {"a success begins anew",
     true,
     0,
     {429, 429, 200, 429, 429},
     5,
     "ca_1!RATE_LIMITED ca_2!RATE_LIMITED ca_3:x ca_4!RATE_LIMITED ca_5!RATE_LIMITED"},
    {"so does an error that is about an account",
     true,
     0,
     {500, 500, 404, 500, 500},
     5,
     "ca_1!SERVER ca_2!SERVER ca_3!NOT_FOUND ca_4!SERVER ca_5!SERVER"},
    {"which is none of the three",
     true,
     0,
     {403, 404, 400, 418, 200},
     5,
     "ca_1!FORBIDDEN ca_2!NOT_FOUND ca_3!BAD_REQUEST ca_4!HTTP ca_5:x"},
    {"a token that is refused is refused to all", /* twice: once more with a fresh one */
     true,
     0,
     {401, 401},
     2,
     "ca_1!UNAUTHORIZED ca_2!UNAUTHORIZED ca_3!UNAUTHORIZED ca_4!UNAUTHORIZED ca_5!UNAUTHORIZED"},
    {"and so is a sign-in",
     true,
     401,
     {0},
     0,
     "ca_1!SIGN_IN ca_2!SIGN_IN ca_3!SIGN_IN ca_4!SIGN_IN ca_5!SIGN_IN"},
};

static void test_breaker(void)
{
    static const char *const labels[] = {IDS, NULL};

    for (size_t i = 0; i < COUNT(breaker_rows); i++) {
        const struct breaker_row *row = &breaker_rows[i];
        struct owner o;

        owner_init(&o);
        fixture_start(&o.f);
        if (row->sign_in)
            answer(&o, SIGN_IN, row->sign_in, "{\"error\":\"invalid_client\"}");
        for (size_t j = 0; j < COUNT(row->statuses) && row->statuses[j]; j++)
            answer(&o, DETAILS, row->statuses[j], row->statuses[j] == 200 ? ONE("x") : ERROR_BODY);
        owner_begin(&o, labels, 1, row->breaker);
        owner_wait(&o);
        ROW_IS(row->name, o.dones == 1 && o.failure == SCALEKIT_OK);
        ROW_IS(row->name, text_is(o.told, row->told));
        ROW_IS(row->name, service_count(o.f.service, NULL) == row->requests);
        owner_free(&o);
    }
}

/* What waits, or would be planned, is told without being asked.  What is under way still brings its
 * answer, but leads to nothing more, neither to a next page nor to look-ups. */
static void test_breaker_and_list(void)
{
    static const char *const labels[] = {"gmail/a",       "gmail/b", "gmail/c", "gmail/d",
                                         "slack/z@org_1", "ca_1",    "ca_2",    "ca_3",
                                         "ca_4",          NULL};
    static const char *const pages[] = {PAGE(4, "t", AB), PAGE(4, "", AB), PAGE(5000, "t", AB)};

    for (size_t i = 0; i < COUNT(pages); i++) {
        struct owner o;

        owner_init(&o);
        fixture_start(&o.f);
        service_once(o.f.service, LIST,
                     (struct service_answer){200, pages[i], NULL, SERVICE_WAITS, 0});
        service_always(o.f.service, DETAILS, (struct service_answer){500, ERROR_BODY, NULL, 0, 0});
        owner_begin(&o, labels, 2, true);
        while (o.tellings < 5)
            CU_ASSERT_EQUAL_FATAL(event_base_loop(o.f.base, EVLOOP_ONCE), 0);
        CU_ASSERT_EQUAL(o.dones, 0);
        service_release(o.f.service);
        owner_wait(&o);
        CU_ASSERT_STRING_EQUAL(o.told, "ca_1!SERVER ca_2!SERVER ca_3!SERVER ca_4!SERVER "
                                       "slack/z@org_1!SERVER gmail/a:ca_1 gmail/b:ca_2 "
                                       "gmail/c!SERVER gmail/d!SERVER");
        CU_ASSERT_EQUAL(o.prepared, 4);
        CU_ASSERT_EQUAL(o.abandoned, 0);
        owner_free(&o);
    }
}

/* An outage of many users costs three lists, none of the look-ups. */
static void test_breaker_of_lists(void)
{
    static const char *const labels[] = {"gmail/a@o1", "slack/a@o1", "gmail/b@o2", "slack/b@o2",
                                         "gmail/c@o3", "slack/c@o3", "gmail/d@o4", "slack/d@o4",
                                         "gmail/e#1",  "gmail/f#1",  "ca_1",       NULL};

    for (size_t in_flight = 1; in_flight <= 3; in_flight += 2) {
        struct owner o;

        owner_init(&o);
        fixture_start(&o.f);
        service_always(o.f.service, LIST, (struct service_answer){503, ERROR_BODY, NULL, 0, 0});
        service_always(o.f.service, DETAILS, (struct service_answer){503, ERROR_BODY, NULL, 0, 0});
        owner_begin(&o, labels, in_flight, true);
        owner_wait(&o);
        CU_ASSERT_EQUAL(o.tellings, o.n);
        CU_ASSERT(o.prepared >= 3 && o.prepared < 3 + in_flight);
        CU_ASSERT_EQUAL(o.abandoned, 0);
        owner_free(&o);
    }
}

/* --- dropping --------------------------------------------------------------------------------- */

static void test_drop_waiting(void)
{
    static const char *const labels[] = {"ca_1", "ca_2", "ca_3", NULL};
    struct owner o;

    owner_open(&o, labels, 1);
    answer(&o, DETAILS, 200, ONE("x"));
    answer(&o, DETAILS, 200, ONE("y"));
    drop(&o, "ca_2");
    owner_wait(&o);
    CU_ASSERT_STRING_EQUAL(o.told, "ca_1:x ca_3:y");
    CU_ASSERT_EQUAL(o.prepared, 2);
    owner_free(&o);
}

static void test_drop_under_way(void)
{
    static const char *const labels[] = {"ca_1", "ca_2", NULL};
    struct owner o;

    owner_open(&o, labels, 1);
    hang(&o, DETAILS);
    answer(&o, DETAILS, 200, ONE("y"));
    service_until(o.f.service, DETAILS, 1);
    drop(&o, "ca_1");
    CU_ASSERT_EQUAL(o.abandoned, 1);
    CU_ASSERT_EQUAL(o.prepared, 1); /* the next one from the loop */
    owner_wait(&o);
    CU_ASSERT_STRING_EQUAL(o.told, "ca_2:y");
    owner_free(&o);
}

/* Some of a list's: it goes on, page by page, and asks for the same. */
static void test_drop_some(void)
{
    static const char *const labels[] = {"gmail/a", "gmail/b", "slack/c", "slack/d", NULL};
    struct owner o;

    owner_open(&o, labels, 1);
    service_once(o.f.service, LIST,
                 (struct service_answer){200, PAGE(4, "t", AB), NULL, SERVICE_WAITS, 0});
    service_once(
        o.f.service, LIST,
        (struct service_answer){200, PAGE(4, "", A("ca_4", "slack", "d")), NULL, SERVICE_WAITS, 0});
    service_until(o.f.service, LIST, 1);
    drop(&o, "gmail/a");
    service_release(o.f.service);
    service_until(o.f.service, LIST, 2);
    CU_ASSERT_STRING_EQUAL(o.told, "gmail/b:ca_2");
    CU_ASSERT_STRING_EQUAL(service_request(o.f.service, LIST, 1)->target,
                           LISTS(BOTH "&page_size=99&page_token=t"));
    drop(&o, "slack/c");
    service_release(o.f.service);
    owner_wait(&o);
    CU_ASSERT_STRING_EQUAL(o.told, "gmail/b:ca_2 slack/d:ca_4");
    CU_ASSERT_STRING_EQUAL(o.sized, "gmail,slack=4");
    CU_ASSERT_EQUAL(o.abandoned, 0);
    owner_free(&o);
}

/* What is dropped while its list waits is not named by it. */
static void test_drop_a_name(void)
{
    static const char *const labels[] = {"ca_1", "gmail/a", "slack/a", "jira/a", NULL};
    struct owner o;

    owner_open(&o, labels, 1);
    answer(&o, DETAILS, 200, ONE("x"));
    answer(&o, DETAILS, 200, ONE("ca_2"));
    service_once(o.f.service, LIST, (struct service_answer){200, "{}", NULL, SERVICE_WAITS, 0});
    drop(&o, "jira/a");
    service_until(o.f.service, LIST, 1);
    drop(&o, "slack/a"); /* nor is it looked up when the list has not shown it */
    service_release(o.f.service);
    owner_wait(&o);
    CU_ASSERT_STRING_EQUAL(o.told, "ca_1:x gmail/a:ca_2");
    CU_ASSERT_STRING_EQUAL(service_request(o.f.service, LIST, 0)->target,
                           LISTS(BOTH "&identifier=a&page_size=99"));
    CU_ASSERT_EQUAL(o.prepared, 3);
    owner_free(&o);
}

/* A sweep that nobody wants any more keeps no other one from being judged. */
static void test_drop_a_probe(void)
{
    static const char *const labels[] = {
        "gmail/a",       "gmail/b",       "gmail/c",       "gmail/d",       "gmail/w@org_1",
        "gmail/x@org_1", "gmail/y@org_1", "gmail/z@org_1", "slack/k@org_9", NULL};

    for (size_t in_flight = 1; in_flight <= 2; in_flight++) { /* it waits, or is under way */
        struct owner o;

        owner_open(&o, labels, in_flight);
        service_once(o.f.service, LIST,
                     (struct service_answer){200, PAGE(4, "t", AB), NULL, SERVICE_WAITS, 0});
        if (in_flight == 2)
            hang(&o, LIST);
        answer(&o, LIST, 200, PAGE(4, "", CD));
        service_until(o.f.service, LIST, (unsigned)in_flight);
        drop(&o, "slack/k@org_9"); /* in the pool */
        for (const char *user = "wxyz"; *user; user++) {
            char label[] = "gmail/?@org_1";

            label[strlen("gmail/")] = *user;
            drop(&o, label);
        }
        service_release(o.f.service);
        owner_wait(&o);
        CU_ASSERT_STRING_EQUAL(o.told, "gmail/a:ca_1 gmail/b:ca_2 gmail/c:ca_3 gmail/d:ca_4");
        CU_ASSERT_EQUAL(o.prepared, 1 + in_flight);
        owner_free(&o);
    }
}

/* All of them, before anything was sent and after: done comes from the loop, unless the survey is
 * freed before. */
static void test_drop_all(void)
{
    static const char *const labels[] = {"gmail/a",       "gmail/b", "gmail/c", "gmail/d",
                                         "slack/a@org_1", "ca_1",    NULL};

    for (int sent = 0; sent <= 1; sent++)
        for (int freed = 0; freed <= 1; freed++) {
            struct owner o;

            owner_open(&o, labels, 2);
            hang(&o, LIST);
            hang(&o, DETAILS);
            if (sent)
                service_until(o.f.service, NULL, 2);
            drop(&o, NULL);
            CU_ASSERT_EQUAL(o.abandoned, 2);
            CU_ASSERT_EQUAL(o.dones, 0);
            if (freed)
                end_survey(&o);
            owner_wait(&o);
            fixture_turn(&o.f);
            CU_ASSERT_EQUAL(o.dones, !freed);
            CU_ASSERT_EQUAL(service_count(o.f.service, NULL), sent ? 2 : 0);
            CU_ASSERT_STRING_EQUAL(o.told, "");
            owner_free(&o);
        }
}

/* --- a change of mind inside each call -------------------------------------------------------- */

static void script_everything(struct owner *o)
{
    answer(o, LIST, 200, PAGE(4, "t", AB));
    answer(o, LIST, 200, PAGE(5, "", A("ca_3", "gmail", "c")));
    service_always(o->f.service, LIST, (struct service_answer){200, "{}", NULL, 0, 0});
    service_always(o->f.service, DETAILS, (struct service_answer){200, ONE("ca_9"), NULL, 0, 0});
}

static const char *const everything[] = {
    "gmail/a",      "gmail/b", "gmail/c",         "gmail/d",         "slack/a@org_1",
    "jira/a@org_1", "ca_1",    "gmail/b@org_2#3", "gmail/c@org_2#3", NULL};

/* false: there is no such n-th call. */
static bool change_mind(enum call_of call, unsigned at, enum whim whim)
{
    struct owner o;
    unsigned told;
    bool came;

    owner_init(&o);
    fixture_start(&o.f);
    script_everything(&o);
    o.call = call;
    o.at = at;
    o.whim = whim;
    owner_begin(&o, everything, 2, false);
    owner_wait(&o);
    came = !o.at;
    told = o.tellings;
    CU_ASSERT_EQUAL(o.dones, whim == DROP_ALL || !came || call == DONE);
    if (o.f.client)
        fixture_turn(&o.f);
    CU_ASSERT_EQUAL(o.tellings, told);
    CU_ASSERT(came || o.tellings == o.n);
    owner_free(&o);
    return came;
}

static void test_changed_minds(void)
{
    static const struct {
        enum call_of call;
        unsigned at_least;
    } rows[] = {{FIND, 3}, {TELL, 9}, {PREPARE, 7}, {ENDED, 7}, {SIZED, 2}, {DONE, 1}};

    for (size_t i = 0; i < COUNT(rows); i++)
        for (enum whim whim = FREE_SURVEY; whim <= DROP_ALL; whim++) {
            /* The first two are prepared by who starts it, from outside the client. */
            unsigned first = whim == FREE_CLIENT && rows[i].call == PREPARE ? 3 : 1, at = first;

            while (change_mind(rows[i].call, at, whim))
                at++;
            CU_ASSERT(at > rows[i].at_least);
        }
}

/* Inside the call that a drop makes: the request is abandoned. */
static void test_freed_inside_drop(void)
{
    static const char *const labels[] = {"ca_1", "ca_2", NULL};
    struct owner o;

    owner_open(&o, labels, 2);
    o.call = ENDED;
    o.at = 1;
    o.whim = FREE_SURVEY;
    o.inside_drop = true;
    ski_survey_drop(o.survey, o.entries[0].look);
    CU_ASSERT_PTR_NULL(o.survey);
    CU_ASSERT_EQUAL(o.abandoned, 2);
    owner_free(&o);
}

/* The client goes, whatever is under way. */
static void test_client_freed(void)
{
    struct owner o;

    owner_init(&o);
    fixture_start(&o.f);
    owner_begin(&o, everything, 8, false);
    fixture_free_client(&o.f);
    CU_ASSERT_PTR_NULL(o.survey);
    CU_ASSERT_EQUAL(o.dones + o.tellings, 0);
    owner_free(&o);
}

/* --- memory ----------------------------------------------------------------------------------- */

static bool run_short_of_memory(struct test_memory *memory, void *user)
{
    struct owner o;
    bool through = false;

    owner_init(&o);
    memory->fail_after = *(bool *)user;
    o.f.config.allocator = &memory->allocator;
    if (scalekit_client_new(&o.f.client, o.f.base, &o.f.config, NULL) == SCALEKIT_OK) {
        script_everything(&o);
        owner_begin(&o, everything, 3, false);
        if (o.survey) {
            owner_wait(&o);
            CU_ASSERT_EQUAL(o.dones, 1);
            CU_ASSERT(o.failure == SCALEKIT_ERR_NOMEM ||
                      (o.failure == SCALEKIT_OK && o.tellings == o.n));
            through = o.failure == SCALEKIT_OK && !text_has(o.told, "NOMEM");
        }
    }
    owner_free(&o);
    return through;
}

static void test_out_of_memory(void)
{
    for (int for_good = 0; for_good <= 1; for_good++) {
        bool fail_after = for_good;

        CU_ASSERT(test_every_allocation(run_short_of_memory, &fail_after) > 60);
    }
}

SUITE(survey, {"every way, what it costs, and what it learns of sizes", test_ways},
      {"an outage is not asked about again and again", test_breaker},
      {"what is under way then brings its answer, and leads to nothing more",
       test_breaker_and_list},
      {"an outage of lists costs three lists", test_breaker_of_lists},
      {"what is dropped before its turn is not asked", test_drop_waiting},
      {"what is dropped under way is abandoned, and the next goes out", test_drop_under_way},
      {"a list goes on for those that are left", test_drop_some},
      {"a list that waits does not name what was dropped", test_drop_a_name},
      {"a dropped sweep keeps no other from being judged", test_drop_a_probe},
      {"when all are dropped it is done, once", test_drop_all},
      {"it may be ended or emptied inside each call", test_changed_minds},
      {"and inside the call that a drop makes", test_freed_inside_drop},
      {"it ends with its client", test_client_freed},
      {"every allocation may fail", test_out_of_memory})
