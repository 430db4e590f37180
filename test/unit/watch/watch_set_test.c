/* What a set of watches tells and when it ends: once, from the loop, whatever callbacks do. */
#include "town.h"
#include "virtual.h"
#include <scalekit/scalekit.h>

#define MINUTE_MS 60000
#define DAY_MS    INT64_C(86400000)
#define MOST_KEYS 3

/* What a set was told. */
struct book {
    struct fixture *fixture;
    scalekit_watch_set *set; /* NULL: not accepted, or ended */
    char text[512];          /* "0:pending_verification 0:ACTIVE succeeded@0" */
    size_t length;
    unsigned finals;
    bool ended;
    struct scalekit_watch_set_event last;
    enum scalekit_watch_event_kind decisive; /* of the last event's watch */
    scalekit_err code;                       /* of the last event's error, or its watch's */
    char parameter[40];
    void (*act)(struct book *book); /* NULL, or what to do inside every callback */
    struct book **all;              /* for acts; ends with NULL */
};

static void write_event(struct book *book, const struct scalekit_watch_set_event *event)
{
    const struct scalekit_watch_event *watch = event->event;
    const char *word = scalekit_watch_set_event_name(event->kind);
    size_t room = sizeof book->text - book->length;
    int length;

    if (event->kind == SCALEKIT_WATCH_SET_CHANGED)
        word = watch->kind == SCALEKIT_WATCH_SETTLED || watch->kind == SCALEKIT_WATCH_ALREADY_ACTIVE
                   ? watch->status_text
                   : scalekit_watch_event_name(watch->kind);
    if (room < 64)
        return; /* what is compared is short */
    length = snprintf(book->text + book->length, room, book->length ? " " : "");
    if (event->kind == SCALEKIT_WATCH_SET_CHANGED)
        length +=
            snprintf(book->text + book->length + length, room - 1, "%zu:%s", event->index, word);
    else if (event->index != SCALEKIT_WATCH_SET_NONE)
        length +=
            snprintf(book->text + book->length + length, room - 1, "%s@%zu", word, event->index);
    else
        length += snprintf(book->text + book->length + length, room - 1, "%s", word);
    book->length += (size_t)length;
}

static void check_event(const struct scalekit_watch_set_event *event)
{
    CU_ASSERT_EQUAL(event->struct_size, sizeof *event);
    CU_ASSERT_EQUAL(event->final, event->kind >= SCALEKIT_WATCH_SET_SUCCEEDED);
    CU_ASSERT_EQUAL(!event->event, event->index == SCALEKIT_WATCH_SET_NONE);
    CU_ASSERT_EQUAL(!!event->error, event->kind == SCALEKIT_WATCH_SET_REFUSED);
    CU_ASSERT_EQUAL(event->n_keys, event->waiting + event->active + event->expired +
                                       event->revoked + event->disconnected + event->deleted +
                                       event->link_expired + event->deadline + event->refused);
}

static void on_event(scalekit_watch_set *set, const struct scalekit_watch_set_event *event,
                     void *user)
{
    struct book *book = user;
    const struct scalekit_error *error = event->event ? event->event->error : event->error;

    CU_ASSERT_FALSE(book->fixture->inside);
    CU_ASSERT_FALSE_FATAL(book->ended);
    CU_ASSERT_PTR_EQUAL(set, book->set);
    check_event(event);
    write_event(book, event);
    book->last = *event;
    book->decisive = event->event ? event->event->kind : 0;
    book->code = error ? error->code : SCALEKIT_OK;
    snprintf(book->parameter, sizeof book->parameter, "%s",
             error && error->parameter ? error->parameter : "");
    if (event->event)
        CU_ASSERT_EQUAL(scalekit_watch_set_status(set, event->index), event->event->status);
    book->finals += event->final;
    book->ended = event->final;
    if (book->act)
        book->act(book);
    if (event->final)
        book->set = NULL;
}

static void open_book(struct book *book, const struct scalekit_watch_set_params *params)
{
    struct fixture *f = book->fixture;

    f->inside = true;
    book->set = scalekit_watch_accounts(f->client, params, on_event, book);
    f->inside = false;
}

static void stop_book(struct book *book)
{
    book->fixture->inside = true;
    scalekit_watch_set_stop(book->set);
    book->fixture->inside = false;
}

static bool book_reads(const struct book *book, const char *text)
{
    if (text_is(book->text, text))
        return true;
    printf("    \"%s\" instead of \"%s\"\n", book->text, text);
    return false;
}

#define KEY(connection, name)                                                                      \
    SCALEKIT_PARAMS(scalekit_account_key, .connection_name = (connection), .identifier = (name))
#define SET(...) SCALEKIT_PARAMS(scalekit_watch_set_params, __VA_ARGS__)

/* The accounts of user_1. */
#define OF_USER_1                                                                                  \
    .keys = (const struct scalekit_account_key *const[]){KEY("gmail", "user_1"),                   \
                                                         KEY("slack", "user_1"),                   \
                                                         KEY("github", "user_1")},                 \
    .n_keys = 3

static const char *const connections[] = {"gmail", "slack", "github"};

static void settle_user_1(struct town *town, const char *const statuses[MOST_KEYS])
{
    for (size_t i = 0; i < MOST_KEYS; i++)
        town_add(town, connections[i], "user_1", statuses[i]);
}

/* --- answers ----------------------------------------------------------------------------------- */

struct scene {
    const char *name;
    enum scalekit_watch_set_mode mode;
    const char *statuses[MOST_KEYS];
    struct {
        size_t who;
        const char *status;
    } steps[4]; /* a minute apart; status NULL: no more */
    const char *told;
    size_t active, waiting;
    bool until_reauthorized, progress, follow;
};

static void play(const struct scene *scene)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, scene->statuses);
    open_book(&book, SET(.mode = scene->mode, OF_USER_1, .deadline_ms = DAY_MS,
                         .until_reauthorized = scene->until_reauthorized,
                         .progress = scene->progress, .follow = scene->follow));
    virtual_pass(&f, 10000);
    for (size_t i = 0; i < COUNT(scene->steps) && scene->steps[i].status; i++) {
        town_set(&town, connections[scene->steps[i].who], "user_1", scene->steps[i].status);
        virtual_pass(&f, 5 * MINUTE_MS);
    }
    ROW_IS(scene->name, book_reads(&book, scene->told));
    ROW_IS(scene->name, book.ended);
    ROW_IS(scene->name, book.last.active == scene->active && book.last.waiting == scene->waiting);
    virtual_pass(&f, 5 * MINUTE_MS);
    ROW_IS(scene->name, book_reads(&book, scene->told));
    town_free(&town);
}

#define AUTH_3                                                                                     \
    {                                                                                              \
        "PENDING_AUTH", "PENDING_AUTH", "PENDING_AUTH"                                             \
    }

static void test_answers(void)
{
    static const struct scene scenes[] = {
        {"all of, in any order",
         SCALEKIT_WATCH_ALL_OF,
         AUTH_3,
         {{2, "ACTIVE"}, {0, "ACTIVE"}, {1, "ACTIVE"}},
         "2:ACTIVE 0:ACTIVE 1:ACTIVE succeeded@1",
         .active = 3,
         .waiting = 0},
        {"all of, one ACTIVE already",
         SCALEKIT_WATCH_ALL_OF,
         {"PENDING_AUTH", "ACTIVE", "PENDING_AUTH"},
         {{0, "ACTIVE"}, {2, "ACTIVE"}},
         "1:ACTIVE 0:ACTIVE 2:ACTIVE succeeded@2",
         .active = 3,
         .waiting = 0},
        {"all of, one fails",
         SCALEKIT_WATCH_ALL_OF,
         AUTH_3,
         {{1, "ACTIVE"}, {2, "EXPIRED"}},
         "1:ACTIVE 2:EXPIRED failed@2",
         .active = 1,
         .waiting = 1},
        {"all of, one is lost from the start",
         SCALEKIT_WATCH_ALL_OF,
         {"PENDING_AUTH", "PENDING_AUTH", "DISCONNECTED"},
         {{0, NULL}},
         "2:DISCONNECTED failed@2",
         .active = 0,
         .waiting = 2},
        {"all of, on the way",
         SCALEKIT_WATCH_ALL_OF,
         AUTH_3,
         {{0, "PENDING_VERIFICATION"}, {0, "FROZEN"}, {0, "REVOKED"}},
         "0:pending_verification 0:unknown_status 0:REVOKED failed@0",
         .active = 0,
         .waiting = 2},
        {"any of",
         SCALEKIT_WATCH_ANY_OF,
         AUTH_3,
         {{1, "EXPIRED"}, {2, "ACTIVE"}},
         "1:EXPIRED 2:ACTIVE succeeded@2",
         .active = 1,
         .waiting = 1},
        {"any of, one ACTIVE already",
         SCALEKIT_WATCH_ANY_OF,
         {"PENDING_AUTH", "ACTIVE", "PENDING_AUTH"},
         {{0, NULL}},
         "1:ACTIVE succeeded@1",
         .active = 1,
         .waiting = 2},
        {"any of, none",
         SCALEKIT_WATCH_ANY_OF,
         AUTH_3,
         {{1, "EXPIRED"}, {0, "REVOKED"}, {2, "DISCONNECTED"}},
         "1:EXPIRED 0:REVOKED 2:DISCONNECTED failed@2",
         .active = 0,
         .waiting = 0},
        {"each",
         SCALEKIT_WATCH_EACH,
         AUTH_3,
         {{1, "EXPIRED"}, {0, "ACTIVE"}, {2, "ACTIVE"}},
         "1:EXPIRED 0:ACTIVE 2:ACTIVE succeeded@2",
         .active = 2,
         .waiting = 0},
    };

    for (size_t i = 0; i < COUNT(scenes); i++)
        play(&scenes[i]);
}

static void test_options(void)
{
    static const struct scene scenes[] = {
        {"until reauthorized, what they were is no end",
         SCALEKIT_WATCH_ALL_OF,
         {"EXPIRED", "ACTIVE", "PENDING_AUTH"},
         {{0, "ACTIVE"}, {1, "ACTIVE"}, {2, "ACTIVE"}},
         "0:ACTIVE 1:ACTIVE 2:ACTIVE succeeded@2",
         .active = 3,
         .waiting = 0,
         .until_reauthorized = true},
        {"progress is told",
         SCALEKIT_WATCH_ANY_OF,
         {"PENDING_AUTH", "PENDING_VERIFICATION", "PENDING_AUTH"},
         {{1, "PENDING_AUTH"}, {1, "ACTIVE"}},
         "1:pending_verification 1:changed 1:ACTIVE succeeded@1",
         .active = 1,
         .waiting = 2,
         .progress = true},
        {"followed, all at the same time",
         SCALEKIT_WATCH_ALL_OF,
         {"ACTIVE", "PENDING_AUTH", "PENDING_AUTH"},
         {{0, "EXPIRED"}, {1, "ACTIVE"}, {2, "ACTIVE"}, {0, "ACTIVE"}},
         "0:ACTIVE 0:EXPIRED 1:ACTIVE 2:ACTIVE 0:ACTIVE succeeded@0",
         .active = 3,
         .waiting = 0,
         .follow = true},
        {"followed, what is pending again is known but not told",
         SCALEKIT_WATCH_ALL_OF,
         {"PENDING_AUTH", "PENDING_AUTH", "ACTIVE"},
         {{2, "PENDING_AUTH"}, {0, "ACTIVE"}, {1, "ACTIVE"}, {2, "ACTIVE"}},
         "2:ACTIVE 0:ACTIVE 1:ACTIVE 2:ACTIVE succeeded@2",
         .active = 3,
         .waiting = 0,
         .follow = true},
        {"followed, one may yet be mended",
         SCALEKIT_WATCH_ANY_OF,
         AUTH_3,
         {{1, "EXPIRED"}, {1, "ACTIVE"}},
         "1:EXPIRED 1:ACTIVE succeeded@1",
         .active = 1,
         .waiting = 2,
         .follow = true},
    };

    for (size_t i = 0; i < COUNT(scenes); i++)
        play(&scenes[i]);
}

/* --- other ends -------------------------------------------------------------------------------- */

static void test_deadline(void)
{
    static const struct {
        enum scalekit_watch_set_mode mode;
        enum scalekit_watch_set_event_kind kind;
        size_t deadline, waiting;
    } rows[] = {
        {SCALEKIT_WATCH_ALL_OF, SCALEKIT_WATCH_SET_FAILED, 1, 1},
        {SCALEKIT_WATCH_ANY_OF, SCALEKIT_WATCH_SET_FAILED, 2, 0},
        {SCALEKIT_WATCH_EACH, SCALEKIT_WATCH_SET_SUCCEEDED, 2, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct book book = {.fixture = &f};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        settle_user_1(&town, (const char *[]){"PENDING_AUTH", "EXPIRED", "PENDING_AUTH"});
        open_book(&book,
                  SET(.mode = rows[i].mode, .deadline_ms = MINUTE_MS,
                      .keys = (const struct scalekit_account_key *const[]){KEY("gmail", "user_1"),
                                                                           KEY("github", "user_1")},
                      .n_keys = 2));
        virtual_until(&f, &book.ended, 2 * MINUTE_MS);
        CU_ASSERT_EQUAL(book.last.kind, rows[i].kind);
        CU_ASSERT_EQUAL(book.decisive, SCALEKIT_WATCH_DEADLINE);
        CU_ASSERT_EQUAL(book.last.deadline, rows[i].deadline);
        CU_ASSERT_EQUAL(book.last.waiting, rows[i].waiting);
        town_free(&town);
    }
}

static void test_counts_of_ends(void)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f}, late = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, (const char *[]){"REVOKED", "DISCONNECTED", NULL});
    town_add(&town, "jira", "user_1", "PENDING_AUTH");
    open_book(&book, SET(.mode = SCALEKIT_WATCH_EACH, OF_USER_1));
    open_book(&late,
              SET(.mode = SCALEKIT_WATCH_EACH, .n_keys = 1,
                  .keys = (const struct scalekit_account_key *const[]){KEY("jira", "user_1")},
                  .link_expiry = f.clock.wall_us + INT64_C(60000000)));
    virtual_until(&f, &book.ended, 5 * MINUTE_MS);
    CU_ASSERT_EQUAL(book.last.revoked, 1);
    CU_ASSERT_EQUAL(book.last.disconnected, 1);
    CU_ASSERT_EQUAL(book.last.deleted, 1);
    CU_ASSERT_EQUAL(book.last.index, 2);
    CU_ASSERT_EQUAL(book.code, SCALEKIT_ERR_NOT_FOUND);
    virtual_until(&f, &late.ended, 5 * MINUTE_MS);
    CU_ASSERT_EQUAL(late.last.link_expired, 1);
    town_free(&town);
}

static void test_refused_by_the_service(void)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    town.refusal = 403;
    open_book(&book, SET(.mode = SCALEKIT_WATCH_EACH, OF_USER_1));
    virtual_until(&f, &book.ended, MINUTE_MS);
    CU_ASSERT_EQUAL(book.last.kind, SCALEKIT_WATCH_SET_SUCCEEDED);
    CU_ASSERT_EQUAL(book.last.refused, 3);
    CU_ASSERT_EQUAL(book.code, SCALEKIT_ERR_FORBIDDEN);
    town_free(&town);
}

static void test_equal_keys(void)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};
    const struct scalekit_account_key *key = KEY("gmail", "user_1");

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, (const char *[])AUTH_3);
    open_book(&book, SET(.mode = SCALEKIT_WATCH_ALL_OF, .n_keys = 3,
                         .keys = (const struct scalekit_account_key *const[]){key, key, key}));
    virtual_pass(&f, 10000);
    town_set(&town, "gmail", "user_1", "ACTIVE");
    virtual_until(&f, &book.ended, MINUTE_MS);
    for (size_t i = 0; i < 3; i++) {
        char told[16];

        snprintf(told, sizeof told, "%zu:ACTIVE", i);
        CU_ASSERT(text_has(book.text, told));
    }
    CU_ASSERT_EQUAL(book.last.kind, SCALEKIT_WATCH_SET_SUCCEEDED);
    CU_ASSERT_EQUAL(book.last.active, 3);
    town_free(&town);
}

/* --- arguments --------------------------------------------------------------------------------- */

static void test_wrong_arguments(void)
{
    const struct scalekit_account_key *good = KEY("gmail", "user_1"), *too_many[1] = {good};
    const struct {
        const struct scalekit_watch_set_params *params;
        const char *parameter;
    } rows[] = {
        {NULL, "params"},
        {&(struct scalekit_watch_set_params){.keys = &good, .n_keys = 1}, "struct_size"},
        {SET(.n_keys = 0), "keys"},
        {SET(.n_keys = 1), "keys"},
        {SET(.keys = &good, .n_keys = 0), "keys"},
        {SET(.keys = too_many, .n_keys = 100001), "keys"},
        {SET(.keys = (const struct scalekit_account_key *const[]){good, NULL}, .n_keys = 2),
         "keys"},
        {SET(.keys = (const struct scalekit_account_key *const[]){&(struct scalekit_account_key){
                 .connected_account_id = "ca_1"}},
             .n_keys = 1),
         "struct_size"},
        {SET(.keys = (const struct scalekit_account_key *const[]){good, KEY("gm/ail", "user_1")},
             .n_keys = 2),
         "connection_name"},
        {SET(.keys = (const struct scalekit_account_key *const[]){good, KEY("gmail", NULL)},
             .n_keys = 2),
         "identifier"},
        {SET(.keys = &good, .n_keys = 1, .mode = SCALEKIT_WATCH_EACH + 1), "mode"},
        {SET(.keys = &good, .n_keys = 1, .deadline_ms = -1), "deadline_ms"},
        {SET(.keys = &good, .n_keys = 1, .deadline_ms = 30 * DAY_MS + 1), "deadline_ms"},
        {SET(.keys = &good, .n_keys = 1, .link_expiry = INT64_MIN), "link_expiry"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct book book = {.fixture = &f};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        open_book(&book, rows[i].params);
        CU_ASSERT_PTR_NOT_NULL(book.set);
        scalekit_watch_set_look_now(book.set, 0);
        scalekit_watch_set_stop(book.set);
        CU_ASSERT_EQUAL(book.finals, 0);
        virtual_settle(&f);
        ROW_IS(rows[i].parameter, book_reads(&book, "refused"));
        ROW_IS(rows[i].parameter, book.code == SCALEKIT_ERR_INVALID);
        ROW_IS(rows[i].parameter, text_is(book.parameter, rows[i].parameter));
        ROW_IS(rows[i].parameter, town.look_ups + town.lists == 0);
        town_free(&town);
    }
}

static void on_nothing(scalekit_watch_set *set, const struct scalekit_watch_set_event *event,
                       void *user)
{
    (void)set;
    (void)event;
    (void)user;
    CU_FAIL("called back");
}

static void test_not_accepted(void)
{
    const struct scalekit_watch_set_params *params = SET(OF_USER_1);
    struct fixture f;
    struct town town;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    CU_ASSERT_PTR_NULL(scalekit_watch_accounts(NULL, params, on_nothing, NULL));
    CU_ASSERT_PTR_NULL(scalekit_watch_accounts(f.client, params, NULL, NULL));
    CU_ASSERT_PTR_NULL(scalekit_watch_set_ref(NULL));
    scalekit_watch_set_unref(NULL);
    scalekit_watch_set_stop(NULL);
    scalekit_watch_set_look_now(NULL, 0);
    CU_ASSERT_EQUAL(scalekit_watch_set_status(NULL, 0), SCALEKIT_ACCOUNT_UNKNOWN);
    town_free(&town);
}

static void test_event_names(void)
{
    static const char *const names[] = {
        [SCALEKIT_WATCH_SET_CHANGED] = "changed", [SCALEKIT_WATCH_SET_SUCCEEDED] = "succeeded",
        [SCALEKIT_WATCH_SET_FAILED] = "failed",   [SCALEKIT_WATCH_SET_REFUSED] = "refused",
        [SCALEKIT_WATCH_SET_STOPPED] = "stopped", [SCALEKIT_WATCH_SET_STOPPED + 1] = "unknown",
    };

    for (unsigned kind = 0; kind < COUNT(names); kind++)
        ROW_IS(names[kind], text_is(scalekit_watch_set_event_name(kind), names[kind]));
}

/* --- the handle -------------------------------------------------------------------------------- */

static void test_look_now(void)
{
    static const struct {
        size_t index;
        unsigned least;
        const char *told;
    } rows[] = {
        {1, 1, "1:ACTIVE"},
        {SCALEKIT_WATCH_SET_NONE, 1, NULL}, /* in whatever order */
        {3, 0, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct town town;
        struct book book = {.fixture = &f};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        settle_user_1(&town, (const char *[]){"ACTIVE", "ACTIVE", "ACTIVE"});
        open_book(&book, SET(.mode = SCALEKIT_WATCH_EACH, OF_USER_1));
        scalekit_watch_set_look_now(book.set, rows[i].index);
        virtual_settle(&f);
        CU_ASSERT(town.look_ups + town.lists >= rows[i].least);
        CU_ASSERT(rows[i].told ? book_reads(&book, rows[i].told) : book.ended);
        town_free(&town);
    }
}

static void test_stop(void)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};
    unsigned asked;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, (const char *[]){"EXPIRED", "PENDING_AUTH", "PENDING_AUTH"});
    open_book(&book, SET(.mode = SCALEKIT_WATCH_EACH, OF_USER_1));
    virtual_pass(&f, 5000);
    stop_book(&book);
    stop_book(&book);
    CU_ASSERT(book_reads(&book, "0:EXPIRED"));
    virtual_settle(&f);
    CU_ASSERT(book_reads(&book, "0:EXPIRED stopped"));
    CU_ASSERT_EQUAL(book.last.waiting, 2);
    asked = town.look_ups + town.lists;
    virtual_pass(&f, 5 * MINUTE_MS);
    CU_ASSERT_EQUAL(town.look_ups + town.lists, asked);
    town_free(&town);
}

/* What was seen before the stop is told first, and may be the answer. */
static void test_stop_is_too_late(void)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, (const char *[]){"ACTIVE", "ACTIVE", "ACTIVE"});
    book.act = stop_book;
    open_book(&book, SET(.mode = SCALEKIT_WATCH_ANY_OF, OF_USER_1));
    virtual_pass(&f, 10000);
    CU_ASSERT(book.ended);
    CU_ASSERT_EQUAL(book.last.kind, SCALEKIT_WATCH_SET_SUCCEEDED);
    town_free(&town);
}

static void test_reference_outlives_the_client(void)
{
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};
    scalekit_watch_set *set;

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, (const char *[]){"EXPIRED", "PENDING_AUTH", "PENDING_AUTH"});
    open_book(&book, SET(.mode = SCALEKIT_WATCH_EACH, OF_USER_1));
    set = scalekit_watch_set_ref(book.set);
    virtual_pass(&f, 5000);
    fixture_free_client(&f);
    CU_ASSERT(book_reads(&book, "0:EXPIRED stopped"));
    CU_ASSERT_EQUAL(scalekit_watch_set_status(set, 0), SCALEKIT_ACCOUNT_EXPIRED);
    CU_ASSERT_EQUAL(scalekit_watch_set_status(set, 1), SCALEKIT_ACCOUNT_PENDING_AUTH);
    CU_ASSERT_EQUAL(scalekit_watch_set_status(set, 3), SCALEKIT_ACCOUNT_UNKNOWN);
    scalekit_watch_set_stop(set);
    scalekit_watch_set_look_now(set, SCALEKIT_WATCH_SET_NONE);
    scalekit_watch_set_unref(set);
    town_free(&town);
}

/* --- anything inside --------------------------------------------------------------------------- */

static void free_the_client(struct book *book)
{
    scalekit_client *client = book->fixture->client;

    book->fixture->client = NULL;
    book->fixture->inside = true;
    scalekit_client_free(client);
    book->fixture->inside = false;
}

static void stop_all(struct book *book)
{
    for (struct book **other = book->all; *other; other++)
        stop_book(*other);
}

static void start_another(struct book *book)
{
    for (struct book **other = book->all; *other; other++)
        if (!(*other)->set && !(*other)->ended) {
            open_book(*other, SET(.mode = SCALEKIT_WATCH_ANY_OF, OF_USER_1));
            return;
        }
}

static void refer(struct book *book)
{
    scalekit_watch_set_unref(scalekit_watch_set_ref(book->set));
}

static void look_everywhere(struct book *book)
{
    for (struct book **other = book->all; *other; other++)
        scalekit_watch_set_look_now((*other)->set, SCALEKIT_WATCH_SET_NONE);
}

static void test_anything_inside(void)
{
    static const struct {
        const char *name;
        void (*act)(struct book *book);
    } acts[] = {
        {"free the client", free_the_client},
        {"stop all", stop_all},
        {"start", start_another},
        {"refer", refer},
        {"look", look_everywhere},
    };

    for (size_t i = 0; i < 3 * COUNT(acts); i++) {
        enum scalekit_watch_set_mode mode = (enum scalekit_watch_set_mode)(i / COUNT(acts));
        const char *name = acts[i % COUNT(acts)].name;
        struct fixture f;
        struct town town;
        struct book books[6], *all[] = {books, books + 1, books + 2, books + 3, books + 4, NULL};

        CU_ASSERT_FATAL(town_open(&town, &f, NULL));
        settle_user_1(&town, (const char *[]){"PENDING_VERIFICATION", "EXPIRED", "ACTIVE"});
        for (size_t n = 0; n < COUNT(books); n++)
            books[n] = (struct book){.fixture = &f, .act = acts[i % COUNT(acts)].act, .all = all};
        open_book(&books[0], SET(.mode = mode, OF_USER_1));
        open_book(&books[1], SET(.mode = mode, OF_USER_1));
        virtual_pass(&f, 5000);
        town_set(&town, "gmail", "user_1", "ACTIVE");
        virtual_pass(&f, f.client ? MINUTE_MS : 0);
        town_free(&town);
        ROW_IS(name, books[0].finals == 1 && books[1].finals == 1);
        for (size_t n = 2; n < COUNT(books); n++)
            ROW_IS(name, books[n].finals == (books[n].length ? 1 : 0));
    }
}

static void test_free_with_sets(void)
{
    struct fixture f;
    struct town town;
    struct book asleep = {.fixture = &f}, stopped = {.fixture = &f}, refused = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    settle_user_1(&town, (const char *[])AUTH_3);
    open_book(&asleep, SET(.mode = SCALEKIT_WATCH_ALL_OF, OF_USER_1));
    virtual_pass(&f, 3000);
    open_book(&stopped, SET(.mode = SCALEKIT_WATCH_ANY_OF, OF_USER_1));
    stop_book(&stopped);
    open_book(&refused, NULL);
    fixture_free_client(&f);
    CU_ASSERT(book_reads(&asleep, "stopped"));
    CU_ASSERT(book_reads(&stopped, "stopped"));
    CU_ASSERT(book_reads(&refused, "refused"));
    town_free(&town);
}

/* --- many -------------------------------------------------------------------------------------- */

#define MANY 3000

/* More than one turn stops: none is forgotten, and none told of. */
static void test_many(void)
{
    static struct scalekit_account_key keys[MANY];
    static const struct scalekit_account_key *pointers[MANY];
    static char names[MANY][16];
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};

    CU_ASSERT_FATAL(town_open(&town, &f, NULL));
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "user_%zu", i);
        keys[i] = (struct scalekit_account_key){
            .struct_size = sizeof keys[i], .connection_name = "gmail", .identifier = names[i]};
        pointers[i] = &keys[i];
        town_add(&town, "gmail", names[i], i == MANY / 2 ? "ACTIVE" : "PENDING_AUTH");
    }
    open_book(&book, SET(.mode = SCALEKIT_WATCH_ANY_OF, .keys = pointers, .n_keys = MANY));
    virtual_until(&f, &book.ended, 10 * MINUTE_MS);
    CU_ASSERT(book_reads(&book, "1500:ACTIVE succeeded@1500"));
    CU_ASSERT_EQUAL(book.last.waiting, MANY - 1);
    virtual_pass(&f, MINUTE_MS);
    CU_ASSERT_EQUAL(f.client->loop.holds, 0);
    town_free(&town);
}

/* --- without memory ---------------------------------------------------------------------------- */

static bool succeed_with(struct test_memory *memory, void *user)
{
    const struct scalekit_watch_set_params *params = user;
    struct fixture f;
    struct town town;
    struct book book = {.fixture = &f};
    bool through = false;

    if (town_open(&town, &f, memory)) {
        settle_user_1(&town, (const char *[]){"PENDING_VERIFICATION", "ACTIVE", "ACTIVE"});
        open_book(&book, params);
        if (book.set) {
            virtual_pass(&f, MINUTE_MS);
            town_set(&town, "gmail", "user_1", "ACTIVE");
            virtual_until(&f, &book.ended, 20 * MINUTE_MS);
            CU_ASSERT_EQUAL(book.finals, 1);
            through = book.ended && memory->count < memory->fail_at;
        } else {
            CU_ASSERT_EQUAL(book.length, 0);
        }
    }
    town_free(&town);
    return through;
}

static void test_every_allocation_of_it(void)
{
    struct scalekit_watch_set_params params = *SET(.mode = SCALEKIT_WATCH_ALL_OF, OF_USER_1);
    struct scalekit_watch_set_params wrong = *SET(.mode = SCALEKIT_WATCH_EACH + 1, OF_USER_1);

    CU_ASSERT(test_every_allocation(succeed_with, &params) > 30);
    CU_ASSERT(test_every_allocation(succeed_with, &wrong) > 10);
}

SUITE(watch_set, {"each mode has its answer, and then nothing more", test_answers},
      {"the options of watches hold for all", test_options},
      {"a deadline is an end like others", test_deadline},
      {"each kind of end is counted", test_counts_of_ends},
      {"a refusal by the service is each account's", test_refused_by_the_service},
      {"equal keys are told by index", test_equal_keys},
      {"wrong arguments are refused by name, from the loop", test_wrong_arguments},
      {"what cannot be accepted is NULL", test_not_accepted},
      {"every event has a name", test_event_names}, {"looks now, at one or at all", test_look_now},
      {"stop is told once, from the loop", test_stop},
      {"an answer that is on its way wins over stop", test_stop_is_too_late},
      {"a reference outlives the client", test_reference_outlives_the_client},
      {"anything is legal in a callback", test_anything_inside},
      {"freeing the client ends every set before it returns", test_free_with_sets},
      {"many are stopped a window at a time", test_many},
      {"any allocation may fail", test_every_allocation_of_it})
