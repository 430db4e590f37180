/* A delivery, the answer of a look-up, a page of a list and a page of the feed, all on their way at
 * the same time: whichever arrives first, and however old what it shows is, a watch is told what
 * happened, once and in its order.  The referee judges what is told; here are counted events and
 * requests. */
#include "unit/watch/desk.h"
#include <event2/event.h>

#define USERS        8
#define MINUTE_MS    60000
#define CONSENT_MS   118000 /* PENDING_VERIFICATION, and then */
#define DONE_MS      119000 /* ACTIVE */
#define RACE_MS      120000
#define STRIDE_MS    50 /* between one and the next */
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Moments of the account that everything is about. */
enum { LONG_AGO, PENDING, VERIFYING, ACTIVE };

struct arena {
    struct event_base *base;
    struct realm realm;
    struct referee referee;
    struct endpoint endpoint;
    struct desk desk;
    struct sight *sight;
};

static const struct scalekit_config usual = {.watch_interval_ms = 3000,
                                             .watch_follow_interval_ms = 30000};

static void write_lives(struct realm *realm, bool dated)
{
    for (unsigned i = 0; i < realm->n_accounts; i++) {
        struct realm_account *account = &realm->accounts[i];

        realm_write(realm, account, -2 * MINUTE_MS, "PENDING", true);
        realm_write(realm, account, -MINUTE_MS, "PENDING_AUTH", false);
        if (!i || realm->n_accounts > USERS) {
            realm_write(realm, account, CONSENT_MS, "PENDING_VERIFICATION", false);
            realm_write(realm, account, DONE_MS, "ACTIVE", false);
        }
        for (unsigned m = 0; m < account->n_moments; m++) {
            account->moments[m].dated = dated;
            account->moments[m].event = 12 * i + 3 * m + 1; /* each a status_updated in the feed */
        }
    }
}

/* Accounts of one connection, and a client that is posted nothing by itself. */
static void open_arena_of(struct arena *arena, unsigned users, int feed_status, bool dated)
{
    memset(arena, 0, sizeof *arena);
    arena->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena->base);
    realm_init(&arena->realm, 1, 1, users);
    arena->realm.habits.feed_status = feed_status;
    write_lives(&arena->realm, dated);
    endpoint_init(&arena->endpoint, &arena->realm);
    arena->endpoint.habits.lost = 100;
    arena->realm.habits.lag_ms = 10000; /* for the referee: answers are as old as the test says */
    referee_open(&arena->referee, &arena->realm, arena->base, &usual, users + 1);
    referee_subscribe(&arena->referee, &arena->endpoint);
    desk_open(&arena->desk, &arena->referee);
}

static void open_arena(struct arena *arena, int feed_status, bool dated)
{
    open_arena_of(arena, USERS, feed_status, dated);
}

static void follow_all(struct arena *arena)
{
    const struct terms terms = {.deadline_ms = 60 * MINUTE_MS, .progress = true, .follow = true};

    for (unsigned i = 0; i < USERS; i++) {
        struct sight *sight = referee_follow(&arena->referee, &arena->realm.accounts[i], &terms);

        arena->sight = i ? arena->sight : sight;
    }
}

static void close_arena(struct arena *arena, const char *name)
{
    while (arena->referee.n && arena->referee.running && arena->referee.client) {
        for (unsigned i = 0; i < arena->referee.n; i++)
            referee_stop(&arena->referee.sights[i]);
        referee_settle(&arena->referee);
    }
    desk_hold(&arena->desk, false);
    if (arena->referee.client)
        desk_pass(&arena->desk, realm_now(&arena->realm) + 1);
    referee_close(&arena->referee);
    ROW_IS(*arena->referee.fault ? arena->referee.fault : name, !*arena->referee.fault);
    realm_free(&arena->realm);
    endpoint_free(&arena->endpoint);
    event_base_free(arena->base);
}

static void deliver(struct arena *arena, unsigned account, unsigned moment, unsigned part)
{
    struct mail mail;

    endpoint_write(&arena->endpoint, &mail, &arena->realm.accounts[account], moment,
                   "status_updated", part);
    referee_hand_in(&arena->referee, &mail);
    referee_settle(&arena->referee);
}

/* --- the race ----------------------------------------------------------------------------------- */

enum runner { WEBHOOK, LOOK_UP, SWEEP, FEED, RUNNERS };

struct race {
    char name[80];
    enum runner order[RUNNERS];
    unsigned shows[RUNNERS]; /* which moment is the last that each of them knows */
    bool dated;
};

/* What the watch must have been told, and how often it must be looked at again. */
struct outcome {
    unsigned known; /* moment */
    unsigned verifying, settled, confirming;
    bool looked;   /* the look-up has arrived */
    bool doubtful; /* one was on its way when another was asked for: it may do, or not count */
};

/* All four are on their way, and nothing else. */
static void line_up(struct arena *arena)
{
    struct desk *desk = &arena->desk;

    follow_all(arena);
    desk->as_of_ms = CONSENT_MS - 1;
    desk_pass(desk, RACE_MS);
    desk->holds[DESK_FEED] = true;
    CU_ASSERT_FATAL(desk_await(desk, DESK_FEED, RACE_MS + 10000));
    desk_hold(desk, true);
    referee_look(arena->sight);
    referee_settle(&arena->referee);
    for (unsigned i = 1; i < USERS; i++)
        referee_look(&arena->referee.sights[i]);
    referee_settle(&arena->referee);
    CU_ASSERT_EQUAL_FATAL(desk_waiting(desk, DESK_LOOK_UP), 1);
    CU_ASSERT_EQUAL_FATAL(desk_waiting(desk, DESK_LIST), 1);
}

static void arrive(struct arena *arena, enum runner runner, unsigned moment)
{
    static const enum desk_kind kinds[RUNNERS] = {
        [LOOK_UP] = DESK_LOOK_UP, [SWEEP] = DESK_LIST, [FEED] = DESK_FEED};
    int64_t as_of_ms = arena->sight->account->moments[moment].at_ms;

    desk_pass(&arena->desk, realm_now(&arena->realm) + STRIDE_MS);
    if (runner == WEBHOOK)
        deliver(arena, 0, moment, 0);
    else
        CU_ASSERT_FATAL(desk_answer(&arena->desk, kinds[runner], as_of_ms));
}

/* What is newer is told; what is not, is not, and a delivery of that kind asks for a look. */
static void expect(struct outcome *outcome, enum runner runner, unsigned moment)
{
    outcome->looked |= runner == LOOK_UP;
    if (moment < outcome->known && runner == WEBHOOK) {
        outcome->confirming++;
        outcome->doubtful = !outcome->looked;
    }
    if (moment <= outcome->known)
        return;
    outcome->known = moment;
    outcome->verifying += moment == VERIFYING;
    outcome->settled += moment == ACTIVE;
}

static bool is_told(const struct arena *arena, const struct outcome *outcome)
{
    const unsigned *kinds = arena->referee.kinds;

    return kinds[SCALEKIT_WATCH_PENDING_VERIFICATION] == outcome->verifying &&
           kinds[SCALEKIT_WATCH_SETTLED] == outcome->settled && kinds[SCALEKIT_WATCH_CHANGED] == 0;
}

/* Without updated_at nobody knows which of them is newer: it is enough that the end is right. */
static void run_race(const struct race *race)
{
    struct outcome outcome = {.known = PENDING};
    struct arena arena;
    const unsigned *asked = arena.desk.asked;
    unsigned looks, lists;

    open_arena(&arena, 200, race->dated);
    line_up(&arena);
    looks = asked[DESK_LOOK_UP];
    lists = asked[DESK_LIST];
    for (unsigned i = 0; i < RUNNERS; i++) {
        enum runner runner = race->order[i];

        expect(&outcome, runner, race->shows[runner]);
        arrive(&arena, runner, race->shows[runner]);
        ROW_IS(race->name, !race->dated || is_told(&arena, &outcome));
    }
    desk_hold(&arena.desk, false);
    arena.desk.as_of_ms = INT64_MAX;
    desk_pass(&arena.desk, realm_now(&arena.realm) + 5000);
    looks = asked[DESK_LOOK_UP] - looks;
    ROW_IS(race->name, !race->dated || looks == outcome.confirming ||
                           (outcome.doubtful && looks <= outcome.confirming + 1));
    ROW_IS(race->name, !race->dated || asked[DESK_LIST] == lists);
    desk_pass(&arena.desk, realm_now(&arena.realm) + 2 * MINUTE_MS);
    ROW_IS(race->name, arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 1);
    ROW_IS(race->name, arena.referee.kinds[SCALEKIT_WATCH_PENDING_VERIFICATION] <= 1);
    close_arena(&arena, race->name);
}

static void name_race(struct race *race)
{
    static const char *const runners[] = {"webhook", "look-up", "sweep", "feed"};
    static const char *const moments[] = {"", "older", "newer", "newest"};
    size_t length = 0;

    for (unsigned i = 0; i < RUNNERS; i++)
        length += (size_t)snprintf(race->name + length, sizeof race->name - length, "%s%s %s",
                                   i ? ", " : "", moments[race->shows[race->order[i]]],
                                   runners[race->order[i]]);
    if (!race->dated)
        snprintf(race->name + length, sizeof race->name - length, "; undated");
}

/* Number `n` of the 24 orders; each digit says which of the rest is next. */
static void choose_order(enum runner order[RUNNERS], unsigned n)
{
    enum runner left[RUNNERS] = {WEBHOOK, LOOK_UP, SWEEP, FEED};

    for (unsigned i = 0, rest = RUNNERS; i < RUNNERS; i++, rest--) {
        unsigned at = n % rest;

        n /= rest;
        order[i] = left[at];
        memmove(&left[at], &left[at + 1], (RUNNERS - at - 1) * sizeof *left);
    }
}

#define ORDERS 24
#define SHOWS  81 /* three ages of each of four */

/* All of them; or about as many as WATCH_RUNS says, where everything takes long. */
static unsigned stride(void)
{
    const char *runs = getenv("WATCH_RUNS");
    unsigned long n = runs ? strtoul(runs, NULL, 10) : 0;

    return n && n < ORDERS * SHOWS * 2 ? (unsigned)(ORDERS * SHOWS * 2 / n) | 1 : 1;
}

static void whoever_is_first_it_is_told_once(void)
{
    struct race race;

    for (unsigned n = 0; n < ORDERS * SHOWS * 2; n += stride()) {
        choose_order(race.order, n % ORDERS);
        race.dated = n / ORDERS / SHOWS;
        for (unsigned i = 0, rest = n / ORDERS % SHOWS; i < RUNNERS; i++, rest /= 3)
            race.shows[i] = PENDING + rest % 3;
        name_race(&race);
        run_race(&race);
    }
}

/* --- all of it late ----------------------------------------------------------------------------- */

/* Nothing of what was seen to be over is told again, in whatever order it comes; only what is not as
 * it was seen last is looked at. */
static void what_is_over_is_not_told_in_any_order(void)
{
    static const unsigned orders[][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                         {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    static const char *const words[] = {"PENDING_AUTH", "ACTIVE", "EXPIRED", "ACTIVE"};
    const struct terms terms = {.deadline_ms = 60 * MINUTE_MS, .progress = true, .follow = true};
    char name[16];

    for (size_t i = 0; i < COUNT(orders); i++) {
        struct arena arena;
        struct realm_account *account;
        unsigned looks, told;

        snprintf(name, sizeof name, "%u %u %u", orders[i][0], orders[i][1], orders[i][2]);
        open_arena(&arena, 501, true);
        account = &arena.realm.accounts[0];
        account->n_moments = 0;
        for (unsigned m = 0; m < COUNT(words); m++) {
            realm_write(&arena.realm, account, m ? 30000 * (int64_t)m : -1, words[m], false);
            account->moments[m].dated = true;
        }
        referee_follow(&arena.referee, account, &terms);
        desk_pass(&arena.desk, RACE_MS);
        looks = arena.desk.asked[DESK_LOOK_UP];
        told = arena.referee.kinds[SCALEKIT_WATCH_SETTLED];
        ROW_IS(name, told == 3);
        for (unsigned m = 0; m < 3; m++) {
            deliver(&arena, 0, orders[i][m], 0);
            desk_pass(&arena.desk, realm_now(&arena.realm) + STRIDE_MS);
        }
        desk_pass(&arena.desk, realm_now(&arena.realm) + 3000);
        ROW_IS(name, arena.desk.asked[DESK_LOOK_UP] - looks == 1);
        ROW_IS(name, arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == told);
        close_arena(&arena, name);
    }
}

/* It was held up on its way, behind the receiver: its timestamp is from before, and the watch is not. */
static void one_that_was_held_up_is_not_believed(void)
{
    const struct terms terms = {.deadline_ms = 60 * MINUTE_MS, .until_reauthorized = true};
    struct arena arena;
    struct mail mail;

    open_arena(&arena, 501, true);
    desk_pass(&arena.desk, DONE_MS + 100);
    endpoint_write(&arena.endpoint, &mail, &arena.realm.accounts[0], ACTIVE, "status_updated", 0);
    desk_pass(&arena.desk, RACE_MS);
    desk_hold(&arena.desk, true);
    referee_follow(&arena.referee, &arena.realm.accounts[0], &terms);
    desk_pass(&arena.desk, RACE_MS + 20000);
    referee_hand_in(&arena.referee, &mail);
    referee_settle(&arena.referee);
    ROW_IS("not believed", arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 0);
    desk_hold(&arena.desk, false);
    desk_pass(&arena.desk, RACE_MS + MINUTE_MS);
    ROW_IS("not news", arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 0);
    close_arena(&arena, "held up");
}

/* A watch that looks every half minute looks soon when something is heralded, once for all of it,
 * and not at all when it is told before, or nothing has changed. */
static void a_herald_is_worth_one_look(void)
{
    static const struct {
        const char *types[3];
        unsigned looks;
    } rows[] = {
        {{"updated"}, 1},
        {{"deleted"}, 1},
        {{"oauth_succeeded"}, 1},
        {{"token_refresh_failed"}, 1},
        {{"updated", "oauth_succeeded", "token_refresh_failed"}, 1},
        {{"oauth_succeeded", "status_updated"}, 0},
        {{"status_updated", "oauth_succeeded"}, 0},
        {{"oauth_tokens_fetched", "token_refresh_succeeded", "magic_link_generated"}, 0},
        {{"created", "sung"}, 0},
    };
    const struct terms terms = {.deadline_ms = 60 * MINUTE_MS, .follow = true};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct mail mail;
        unsigned looks;

        open_arena(&arena, 501, true);
        referee_follow(&arena.referee, &arena.realm.accounts[0], &terms);
        arena.desk.as_of_ms = CONSENT_MS - 1;
        desk_pass(&arena.desk, RACE_MS);
        /* The next regular look is far away: it is right after one. */
        looks = arena.desk.asked[DESK_LOOK_UP];
        while (arena.desk.asked[DESK_LOOK_UP] == looks)
            desk_pass(&arena.desk, realm_now(&arena.realm) + 100);
        arena.desk.as_of_ms = INT64_MAX;
        looks = arena.desk.asked[DESK_LOOK_UP];
        for (unsigned n = 0; n < 3 && rows[i].types[n]; n++) {
            endpoint_write(&arena.endpoint, &mail, &arena.realm.accounts[0], ACTIVE,
                           rows[i].types[n], n);
            referee_hand_in(&arena.referee, &mail);
            desk_pass(&arena.desk, realm_now(&arena.realm) + STRIDE_MS);
        }
        desk_pass(&arena.desk, realm_now(&arena.realm) + 6000);
        ROW_IS(rows[i].types[0], arena.desk.asked[DESK_LOOK_UP] - looks == rows[i].looks);
        close_arena(&arena, rows[i].types[0]);
    }
}

/* A feed that showed nothing at all, and looks that are not answered: its first event may be from
 * before the watch. */
static void the_first_event_of_all_is_doubted(void)
{
    const struct terms terms = {.deadline_ms = 60 * MINUTE_MS, .until_reauthorized = true};
    const int64_t start_ms = DONE_MS + 10000, end_ms = start_ms + MINUTE_MS;
    struct arena arena;

    open_arena(&arena, 200, true);
    arena.realm.habits.lag_ms = 0;
    for (unsigned i = 0; i < USERS; i++)
        arena.realm.accounts[i].n_moments = 1;
    realm_write(&arena.realm, &arena.realm.accounts[0], DONE_MS, "ACTIVE", false);
    referee_follow(&arena.referee, &arena.realm.accounts[1], &terms); /* so that the feed is read */
    arena.desk.as_of_ms = CONSENT_MS - 1;
    desk_pass(&arena.desk, start_ms);
    arena.desk.holds[DESK_LOOK_UP] = arena.desk.holds[DESK_LIST] = true;
    referee_follow(&arena.referee, &arena.realm.accounts[0], &terms);
    desk_pass(&arena.desk, end_ms - 40000);
    arena.desk.as_of_ms = INT64_MAX;
    desk_pass(&arena.desk, end_ms - 20000);
    ROW_IS("not believed", arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 0);
    desk_hold(&arena.desk, false);
    desk_pass(&arena.desk, end_ms);
    ROW_IS("not news", arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 0);
    close_arena(&arena, "the first event");
}

/* --- the end of a watch ------------------------------------------------------------------------- */

/* The last look is on its way, and is not made good for by a delivery of what was before. */
static void a_delivery_is_no_last_look(void)
{
    static const struct {
        const char *name;
        unsigned delivered; /* 0: nothing */
        int64_t seen_ms;    /* by the last look */
        unsigned verifying, settled, deadline;
        const char *word; /* instead of PENDING_VERIFICATION; NULL */
    } rows[] = {
        {"nothing comes", 0, CONSENT_MS - 1, 0, 0, 1, NULL},
        {"what was before comes", VERIFYING, DONE_MS, 1, 1, 0, NULL},
        {"what tells nothing comes", VERIFYING, DONE_MS, 0, 1, 0, "PENDING"},
        {"it comes, and the look is old", VERIFYING, CONSENT_MS - 1, 1, 0, 1, NULL},
        {"what settles it comes", ACTIVE, DONE_MS, 0, 1, 0, NULL},
        {"it comes, and the look is older", ACTIVE, CONSENT_MS, 0, 1, 0, NULL},
    };
    const struct terms terms = {.deadline_ms = RACE_MS};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        const unsigned *kinds = arena.referee.kinds;

        open_arena(&arena, 501, true);
        if (rows[i].word)
            arena.realm.accounts[0].moments[VERIFYING].word = rows[i].word;
        referee_follow(&arena.referee, &arena.realm.accounts[0], &terms);
        arena.desk.as_of_ms = CONSENT_MS - 1;
        desk_pass(&arena.desk, RACE_MS);
        desk_hold(&arena.desk, true);
        CU_ASSERT_FATAL(desk_await(&arena.desk, DESK_LOOK_UP, RACE_MS + 2000));
        if (rows[i].delivered)
            deliver(&arena, 0, rows[i].delivered, 0);
        ROW_IS(rows[i].name, kinds[SCALEKIT_WATCH_DEADLINE] == 0);
        desk_answer(&arena.desk, DESK_LOOK_UP, rows[i].seen_ms);
        referee_settle(&arena.referee);
        ROW_IS(rows[i].name, kinds[SCALEKIT_WATCH_PENDING_VERIFICATION] == rows[i].verifying);
        ROW_IS(rows[i].name, kinds[SCALEKIT_WATCH_SETTLED] == rows[i].settled);
        ROW_IS(rows[i].name, kinds[SCALEKIT_WATCH_DEADLINE] == rows[i].deadline);
        close_arena(&arena, rows[i].name);
    }
}

/* So many that not all may ask, while the feed is read seldom, for deliveries are quicker: but what
 * happens right before the end is not delivered.  However long ago the feed was read. */
static void many_last_looks_do_not_wait_for_a_slow_feed(void)
{
    static const struct terms terms = {.deadline_ms = RACE_MS};
    const unsigned users = 60;
    char name[32];

    for (int64_t slow_ms = 60000; slow_ms < 90000; slow_ms += 3000) {
        struct arena arena;

        snprintf(name, sizeof name, "slow since %lld ms", (long long)slow_ms);
        open_arena_of(&arena, users, 200, true);
        arena.realm.habits.page_cap = 1;
        for (unsigned i = 0; i < users; i++)
            referee_follow(&arena.referee, &arena.realm.accounts[i], &terms);
        desk_pass(&arena.desk, slow_ms);
        deliver(&arena, 0, PENDING, 1);
        desk_pass(&arena.desk, RACE_MS + MINUTE_MS);
        ROW_IS(name, arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == users);
        close_arena(&arena, name);
    }
}

/* --- the time of an event ----------------------------------------------------------------------- */

/* It is not exactly the account's updated_at, and who comes later has only the looks. */
static void an_event_may_be_a_little_off(void)
{
    static const int64_t offs_us[] = {-1500000, -1000, 0, 1000, 100000, 1500000};
    const struct terms first = {.deadline_ms = 60 * MINUTE_MS, .follow = true},
                       second = {.deadline_ms = 5 * MINUTE_MS,
                                 .known_status = SCALEKIT_ACCOUNT_PENDING_AUTH,
                                 .known_ms = CONSENT_MS - 1};
    char name[32];

    for (size_t i = 0; i < COUNT(offs_us); i++) {
        struct arena arena;
        struct mail mail;

        snprintf(name, sizeof name, "%lld us", (long long)offs_us[i]);
        open_arena(&arena, 501, true);
        referee_follow(&arena.referee, &arena.realm.accounts[0], &first);
        arena.desk.as_of_ms = CONSENT_MS - 1;
        desk_pass(&arena.desk, RACE_MS);
        arena.desk.as_of_ms = INT64_MAX;
        arena.realm.accounts[0].moments[ACTIVE].updated_us += offs_us[i];
        endpoint_write(&arena.endpoint, &mail, &arena.realm.accounts[0], ACTIVE, "status_updated",
                       0);
        arena.realm.accounts[0].moments[ACTIVE].updated_us -= offs_us[i];
        referee_hand_in(&arena.referee, &mail);
        referee_settle(&arena.referee);
        ROW_IS(name, arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 1);
        referee_follow(&arena.referee, &arena.realm.accounts[0], &second);
        desk_pass(&arena.desk, RACE_MS + 10000);
        ROW_IS(name, arena.referee.kinds[SCALEKIT_WATCH_SETTLED] == 2);
        close_arena(&arena, name);
    }
}

/* --- how often is looked ------------------------------------------------------------------------ */

#define USUAL_MS 42000 /* 30 s and a fifth, to the next round, and its answer */
#define BEGIN_MS (15 * MINUTE_MS)
#define STOP_MS  (60 * MINUTE_MS)
#define END_MS   (90 * MINUTE_MS)
#define MAIL_MS  30000
#define DRY_MS   (STOP_MS - MAIL_MS + 10 * MINUTE_MS) /* the last was ten minutes ago */
#define ROUND_MS 4500                                 /* until the next one */

/* The longest and the shortest time between two looks, of three phases. */
struct gaps {
    int64_t last_ms;
    struct {
        int64_t longest_ms, shortest_ms;
    } phases[3];
};

static int phase_of(int64_t at_ms)
{
    return at_ms < BEGIN_MS ? 0 : at_ms < DRY_MS ? 1 : 2;
}

/* A gap belongs to the phase in which it began and ended. */
static void note_look(struct desk *desk, enum desk_kind kind, const struct ski_exchange *exchange)
{
    struct gaps *gaps = desk->user;
    int64_t now = realm_now(desk->referee->realm), gap = now - gaps->last_ms;
    int phase = phase_of(now);

    (void)exchange;
    if (kind != DESK_LOOK_UP && kind != DESK_LIST)
        return;
    if (phase == phase_of(gaps->last_ms) && gaps->last_ms > 10 * MINUTE_MS) {
        gaps->phases[phase].longest_ms = later(gaps->phases[phase].longest_ms, gap);
        gaps->phases[phase].shortest_ms = earlier(gaps->phases[phase].shortest_ms, gap);
    }
    if (phase == 2 && phase_of(gaps->last_ms) == 1) /* the guard must not outlive its reason */
        gaps->phases[2].longest_ms = now - DRY_MS;
    gaps->last_ms = now;
}

static void looks_are_rare_while_deliveries_flow(void)
{
    static const struct {
        const char *name;
        bool by_id, settled;
        int64_t least_ms, most_ms; /* between looks, while they flow */
    } rows[] = {
        {"by name", false, false, 48000, 72000},
        {"by id", true, false, 48000, 72000},
        {"settled, by name", false, true, 240000, 360000},
        {"settled, by id", true, true, 240000, 360000},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gaps gaps = {.last_ms = 0};
        struct terms terms = {.deadline_ms = 2 * END_MS, .follow = true};
        struct realm_account *account;
        struct arena arena;

        open_arena(&arena, 501, true);
        account = &arena.realm.accounts[rows[i].settled ? 0 : 1];
        terms.id = rows[i].by_id ? account->moments[0].id : 0;
        referee_follow(&arena.referee, account, &terms);
        arena.desk.on_ask = note_look;
        arena.desk.user = &gaps;
        for (int phase = 0; phase < 3; phase++)
            gaps.phases[phase].shortest_ms = INT64_MAX;
        desk_pass(&arena.desk, BEGIN_MS);
        for (unsigned n = 1; realm_now(&arena.realm) < STOP_MS; n++) {
            deliver(&arena, USERS - 1, PENDING, n);
            desk_pass(&arena.desk, realm_now(&arena.realm) + MAIL_MS);
        }
        desk_pass(&arena.desk, END_MS);
        ROW_IS(rows[i].name, gaps.phases[0].longest_ms <= USUAL_MS);
        ROW_IS(rows[i].name, gaps.phases[1].shortest_ms >= rows[i].least_ms - ROUND_MS);
        ROW_IS(rows[i].name, gaps.phases[1].longest_ms >= rows[i].least_ms);
        ROW_IS(rows[i].name, gaps.phases[1].longest_ms <= rows[i].most_ms + ROUND_MS);
        ROW_IS(rows[i].name, gaps.phases[2].longest_ms <= USUAL_MS);
        close_arena(&arena, rows[i].name);
    }
}

SUITE(race, {"whoever is first, it is told once", whoever_is_first_it_is_told_once},
      {"what is over is not told, in any order", what_is_over_is_not_told_in_any_order},
      {"the first event of all is doubted", the_first_event_of_all_is_doubted},
      {"one that was held up is not believed", one_that_was_held_up_is_not_believed},
      {"a herald is worth one look", a_herald_is_worth_one_look},
      {"a delivery is no last look", a_delivery_is_no_last_look},
      {"many last looks do not wait for a slow feed", many_last_looks_do_not_wait_for_a_slow_feed},
      {"an event may be a little off", an_event_may_be_a_little_off},
      {"looks are rare while deliveries flow, and no longer", looks_are_rare_while_deliveries_flow})
