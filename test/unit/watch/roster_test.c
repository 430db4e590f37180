/* What is known of a connection's accounts, what of it is told, and who was not shown. */
#include "harness.h"
#include "watch/roster.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NOW_MS       INT64_C(1000000)
#define NOW          INT64_C(1000000000) /* the same, as a scalekit_time */

struct ground {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_roster roster;
    char told[400];
};

static void open_ground(struct ground *ground)
{
    test_memory_init(&ground->memory);
    ski_mem_init(&ground->mem, &ground->memory.allocator);
    ski_roster_init(&ground->roster, &ground->mem);
}

static void close_ground(struct ground *ground)
{
    ski_roster_free(&ground->roster);
    CU_ASSERT_EQUAL(ground->memory.live, 0);
}

/* A list that was asked for and came at that time shows it. */
static struct ski_known *take(struct ground *ground, const char *id,
                              enum scalekit_account_status status, int64_t now_ms)
{
    struct scalekit_connected_account account = {
        .struct_size = sizeof account, .id = id, .identifier = "user", .status = status};
    struct ski_observation seen = {
        .source = SCALEKIT_WATCH_SOURCE_LIST, .account = &account, .asked_ms = now_ms};

    return ski_roster_take(&ground->roster, &seen, now_ms);
}

/* Takes what there is to tell, "a+ACTIVE b:ACTIVE>EXPIRED c- ", and forgets who is gone. */
static const char *tell(struct ground *ground)
{
    enum scalekit_connection_event_kind kind;
    enum scalekit_account_status previous;
    struct ski_known *known;
    size_t n = 0;

    ground->told[0] = '\0';
    while (ski_roster_next(&ground->roster, &kind, &known, &previous)) {
        const char *status = scalekit_account_status_name(known->told);
        char *at = ground->told + n;
        size_t room = sizeof ground->told - n;

        CU_ASSERT_FATAL(room > 100);
        if (kind == SCALEKIT_CONNECTION_REMOVED) {
            n += (size_t)snprintf(at, room, "%s- ", known->text);
            ski_roster_forget(&ground->roster, known);
        } else if (kind == SCALEKIT_CONNECTION_CHANGED) {
            n += (size_t)snprintf(at, room, "%s:%s>%s ", known->text,
                                  scalekit_account_status_name(previous), status);
        } else {
            CU_ASSERT_EQUAL(previous, known->told);
            n += (size_t)snprintf(at, room, "%s+%s ", known->text, status);
        }
    }
    return ground->told;
}

static void expect(const char *row, const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0) {
        printf("    %s: \"%s\" instead of \"%s\"\n", row, text, expected);
        CU_FAIL("another text");
    }
}

/* --- what is told ------------------------------------------------------------------------------ */

static enum scalekit_account_status status_of(char letter)
{
    return letter == 'A'   ? SCALEKIT_ACCOUNT_ACTIVE
           : letter == 'E' ? SCALEKIT_ACCOUNT_EXPIRED
                           : SCALEKIT_ACCOUNT_PENDING_AUTH;
}

/* What becomes of one account: a letter for the status it is seen in, '-' when it is found to be gone,
 * '.' when what waits is told.  Compared is what is told at the end. */
static void test_tells_how_it_is(void)
{
    static const struct {
        const char *steps, *told;
        size_t n_told;
    } rows[] = {
        {"A", "a+ACTIVE ", 1},
        {"PEA", "a+ACTIVE ", 1},
        {"A.A", "", 1},
        {"A.E", "a:ACTIVE>EXPIRED ", 1},
        {"A.EP", "a:ACTIVE>PENDING_AUTH ", 1},
        {"A.EA", "", 1},
        {"A.E.A", "a:EXPIRED>ACTIVE ", 1},
        {"A-", "", 0}, /* nobody has heard of it */
        {"A-A", "a+ACTIVE ", 1},
        {"A.-", "a- ", 0},
        {"A.--", "a- ", 0},
        {"A.E-", "a- ", 0},
        {"A.-A", "", 1}, /* it is back before that was told */
        {"A.-E", "a:ACTIVE>EXPIRED ", 1},
        {"A.-.E", "a+EXPIRED ", 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t now = NOW_MS;
        struct ground g;

        open_ground(&g);
        for (const char *step = rows[i].steps; *step; step++) {
            if (*step == '.')
                tell(&g);
            else if (*step == '-')
                ski_roster_remove(&g.roster, ski_roster_find(&g.roster, "a"));
            else
                CU_ASSERT_PTR_NOT_NULL_FATAL(take(&g, "a", status_of(*step), now++));
        }
        expect(rows[i].steps, tell(&g), rows[i].told);
        CU_ASSERT_EQUAL(g.roster.n_told, rows[i].n_told);
        CU_ASSERT_EQUAL(g.roster.by_id.count, rows[i].n_told);
        close_ground(&g);
    }
}

static void test_tells_in_order(void)
{
    struct ground g;

    open_ground(&g);
    take(&g, "a", SCALEKIT_ACCOUNT_PENDING_AUTH, NOW_MS);
    take(&g, "b", SCALEKIT_ACCOUNT_PENDING_AUTH, NOW_MS);
    take(&g, "a", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS + 1);
    expect("first", tell(&g), "a+ACTIVE b+PENDING_AUTH ");
    take(&g, "b", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS + 2);
    take(&g, "a", SCALEKIT_ACCOUNT_EXPIRED, NOW_MS + 2);
    expect("then", tell(&g), "b:PENDING_AUTH>ACTIVE a:ACTIVE>EXPIRED ");
    close_ground(&g);
}

/* It is the callback that reads it. */
static void test_removed_until_forgotten(void)
{
    enum scalekit_connection_event_kind kind;
    enum scalekit_account_status previous;
    struct ski_known *known;
    struct ground g;

    open_ground(&g);
    take(&g, "a", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS);
    tell(&g);
    ski_roster_remove(&g.roster, ski_roster_find(&g.roster, "a"));
    CU_ASSERT_FATAL(ski_roster_next(&g.roster, &kind, &known, &previous));
    CU_ASSERT_EQUAL(kind, SCALEKIT_CONNECTION_REMOVED);
    CU_ASSERT_EQUAL(previous, SCALEKIT_ACCOUNT_ACTIVE);
    CU_ASSERT_PTR_EQUAL(ski_roster_find(&g.roster, "a"), known);
    CU_ASSERT_FALSE(ski_roster_next(&g.roster, &kind, &known, &previous));
    ski_roster_forget(&g.roster, known);
    CU_ASSERT_PTR_NULL(ski_roster_find(&g.roster, "a"));
    close_ground(&g);
}

/* --- what is believed -------------------------------------------------------------------------- */

/* Seen ACTIVE at NOW, then EXPIRED by another that came `after_ms` later. */
static void test_older_ones(void)
{
    static const struct {
        const char *name;
        enum scalekit_watch_source source;
        int64_t after_ms, asked_ms; /* from NOW on */
        bool first_tells, tells;    /* its updated_at */
        int64_t at;                 /* from NOW on, microseconds */
        bool believed;
    } rows[] = {
        {"newer", SCALEKIT_WATCH_SOURCE_LIST, 100, 50, true, true, 1, true},
        {"newer, though overtaken", SCALEKIT_WATCH_SOURCE_LIST, 100, -50, true, true, 1, true},
        {"as new", SCALEKIT_WATCH_SOURCE_LIST, 100, -50, true, true, 0, true},
        {"older and overtaken", SCALEKIT_WATCH_SOURCE_LIST, 60000, -50, true, true, -1, false},
        {"a replica that lags", SCALEKIT_WATCH_SOURCE_LOOK_UP, SKI_REPLICA_LAG_MS - 1, 50, true,
         true, -1, false},
        {"none lags that long", SCALEKIT_WATCH_SOURCE_LOOK_UP, SKI_REPLICA_LAG_MS, 50, true, true,
         -1, true},
        {"the feed tells what was", SCALEKIT_WATCH_SOURCE_FEED, 60000, 50, true, true, -1, false},
        {"untold, asked later", SCALEKIT_WATCH_SOURCE_LIST, 100, 0, true, false, 0, true},
        {"untold, overtaken", SCALEKIT_WATCH_SOURCE_LIST, 100, -1, true, false, 0, false},
        {"the first untold", SCALEKIT_WATCH_SOURCE_LIST, 100, 0, false, true, -1, true},
        {"the first untold, overtaken", SCALEKIT_WATCH_SOURCE_LIST, 100, -1, false, true, 1, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scalekit_connected_account account = {
            .struct_size = sizeof account, .id = "a", .status = SCALEKIT_ACCOUNT_ACTIVE};
        struct ski_observation seen = {.source = SCALEKIT_WATCH_SOURCE_LIST,
                                       .account = &account,
                                       .asked_ms = NOW_MS - 10,
                                       .at = rows[i].first_tells ? NOW : 0};
        struct ground g;

        open_ground(&g);
        ski_roster_take(&g.roster, &seen, NOW_MS);
        tell(&g);
        account.status = SCALEKIT_ACCOUNT_EXPIRED;
        seen = (struct ski_observation){.source = rows[i].source,
                                        .account = &account,
                                        .asked_ms = NOW_MS + rows[i].asked_ms,
                                        .at = rows[i].tells ? NOW + rows[i].at : 0};
        CU_ASSERT_PTR_NOT_NULL(ski_roster_take(&g.roster, &seen, NOW_MS + rows[i].after_ms));
        expect(rows[i].name, tell(&g), rows[i].believed ? "a:ACTIVE>EXPIRED " : "");
        close_ground(&g);
    }
}

/* An event may be from before the account was deleted. */
static void test_missing(void)
{
    static const struct {
        enum scalekit_watch_source source;
        bool missing;
    } rows[] = {{SCALEKIT_WATCH_SOURCE_LIST, false},
                {SCALEKIT_WATCH_SOURCE_LOOK_UP, false},
                {SCALEKIT_WATCH_SOURCE_FEED, true}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scalekit_connected_account account = {
            .struct_size = sizeof account, .id = "a", .status = SCALEKIT_ACCOUNT_ACTIVE};
        struct ski_observation seen = {
            .source = rows[i].source, .account = &account, .asked_ms = NOW_MS + 1};
        struct ground g;

        open_ground(&g);
        take(&g, "a", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS)->missing = true;
        CU_ASSERT_EQUAL(ski_roster_take(&g.roster, &seen, NOW_MS + 1)->missing, rows[i].missing);
        close_ground(&g);
    }
}

static void test_describes(void)
{
    static const char *const identifiers[] = {"user_1", "", NULL};

    for (size_t i = 0; i < COUNT(identifiers); i++) {
        const char *identifier = identifiers[i] && *identifiers[i] ? identifiers[i] : NULL;
        struct scalekit_connected_account account = {.struct_size = sizeof account,
                                                     .id = "ca_1",
                                                     .identifier = identifiers[i],
                                                     .status = SCALEKIT_ACCOUNT_ACTIVE};
        struct ski_observation seen = {
            .source = SCALEKIT_WATCH_SOURCE_LIST, .account = &account, .at = NOW};
        struct scalekit_known_account known;
        struct ground g;

        open_ground(&g);
        ski_roster_take(&g.roster, &seen, NOW_MS);
        tell(&g);
        take(&g, "ca_1", SCALEKIT_ACCOUNT_EXPIRED, NOW_MS + 1); /* not told yet */
        ski_known_describe(ski_roster_find(&g.roster, "ca_1"), &known);
        CU_ASSERT_EQUAL(known.struct_size, sizeof known);
        expect("id", known.connected_account_id, "ca_1");
        expect("identifier", known.identifier ? known.identifier : "none",
               identifier ? identifier : "none");
        CU_ASSERT_EQUAL(known.status, SCALEKIT_ACCOUNT_ACTIVE);
        CU_ASSERT_EQUAL(known.updated_at, NOW);
        close_ground(&g);
    }
}

/* --- lists ------------------------------------------------------------------------------------- */

/* The ids of those that the latest list has not shown, each taken as shown then. */
static const char *unshown(struct ground *ground)
{
    struct ski_known *known;
    size_t n = 0;

    ground->told[0] = '\0';
    while ((known = ski_roster_unshown(&ground->roster))) {
        CU_ASSERT_FATAL(n + 10 < sizeof ground->told);
        n += (size_t)snprintf(ground->told + n, sizeof ground->told - n, "%s ", known->text);
        ski_roster_shown(&ground->roster, known);
    }
    return ground->told;
}

static void test_unshown(void)
{
    static const char *const ids[] = {"a", "b", "c", "d"};
    struct ground g;

    open_ground(&g);
    CU_ASSERT_PTR_NULL(ski_roster_unshown(&g.roster));
    g.roster.list = 1;
    for (size_t i = 0; i < COUNT(ids); i++)
        ski_roster_shown(&g.roster, take(&g, ids[i], SCALEKIT_ACCOUNT_ACTIVE, NOW_MS));
    expect("all were shown", unshown(&g), "");
    g.roster.list = 2;
    ski_roster_shown(&g.roster, ski_roster_find(&g.roster, "c"));
    ski_roster_remove(&g.roster, ski_roster_find(&g.roster, "b")); /* it is known to be gone */
    take(&g, "e", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS);                /* somebody else saw it */
    expect("two were, one is gone", unshown(&g), "e a d ");
    expect("none is left", unshown(&g), "");
    g.roster.list = 3;
    tell(&g);
    expect("the next list begins anew", unshown(&g), "c e a d ");
    close_ground(&g);
}

static bool take_two(struct test_memory *memory, void *user)
{
    struct ground g;
    bool through;

    (void)user;
    ski_mem_init(&g.mem, &memory->allocator);
    ski_roster_init(&g.roster, &g.mem);
    through = take(&g, "a", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS) &&
              take(&g, "b", SCALEKIT_ACCOUNT_ACTIVE, NOW_MS);
    CU_ASSERT_EQUAL(g.roster.by_id.count == 2, through);
    if (!through)
        CU_ASSERT(ski_roster_find(&g.roster, "b") == NULL);
    ski_roster_free(&g.roster);
    return through;
}

static void test_memory(void)
{
    CU_ASSERT_EQUAL(test_every_allocation(take_two, NULL), 4); /* two, their table; and none */
}

SUITE(roster, {"what is told is how it is, once", test_tells_how_it_is},
      {"who has changed first is told first", test_tells_in_order},
      {"who is told as removed can be read until forgotten", test_removed_until_forgotten},
      {"what is older or was overtaken is not believed", test_older_ones},
      {"an event is no proof that an account is there", test_missing},
      {"an account is described as it was told", test_describes},
      {"who was not shown is found in front", test_unshown},
      {"what cannot be kept is said, and costs nothing", test_memory})
