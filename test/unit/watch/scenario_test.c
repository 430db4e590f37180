/* Hours of watching in milliseconds: each row is a day on which something is wrong, with the figures
 * that it may cost.  Everything told is judged by the referee; what is asserted here is that all
 * watches settle, how soon, and after how many requests. */
#include "unit/watch/referee.h"
#include <event2/event.h>
#include <stdlib.h>

#define MINUTE_MS    60000
#define HOUR_MS      3600000
#define MOST_SPELLS  4
#define MOST_JUMPS   3
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct jump {
    int64_t at_ms, monotonic_ms, wall_ms;
};

struct scenario {
    const char *name;
    unsigned connections, users, watches;
    struct realm_habits habits;
    struct realm_spell spells[MOST_SPELLS];
    struct jump jumps[MOST_JUMPS];
    int64_t consent_from_ms, consent_to_ms; /* evenly */
    int64_t over_ms;                        /* whatever is wrong until then is an excuse */
    bool restless;                          /* accounts that are not watched appear and vanish */
    bool nosy; /* the application looks again and again, and signs in anew */
    /* What it may cost. */
    int64_t settle_ms;       /* after the consent, or the excuse */
    unsigned requests;       /* in all */
    unsigned while_it_lasts; /* from the first spell to the excuse */
};

struct figures {
    int64_t slowest_ms;
    unsigned requests, before, while_it_lasts;
};

/* With an event feed that answers that. */
#define USUAL_HABITS(feed)                                                                         \
    .fastest_ms = 20, .slowest_ms = 200, .feed_status = (feed), .page_cap = 99

/* --- the accounts ------------------------------------------------------------------------------ */

static int64_t consent_ms(const struct scenario *s, unsigned watch)
{
    return s->consent_from_ms + (s->consent_to_ms - s->consent_from_ms) * watch / s->watches;
}

/* The last ones are nobody's: some come and go. */
static void live(const struct scenario *s, struct realm *realm)
{
    for (unsigned i = 0; i < realm->n_accounts; i++) {
        struct realm_account *account = &realm->accounts[i];
        bool watched = i < s->watches;

        realm_write(realm, account, -HOUR_MS, watched || i % 2 ? "PENDING_AUTH" : NULL, true);
        if (watched)
            realm_write(realm, account, consent_ms(s, i), "ACTIVE", false);
        for (int64_t at = 7000 + i * 131; s->restless && !watched && at < 10 * MINUTE_MS;
             at += 41000)
            realm_write(realm, account, at, realm_at(account, at)->word ? NULL : "PENDING_AUTH",
                        true);
    }
}

/* --- a run ------------------------------------------------------------------------------------- */

static void be_nosy(struct sight *sight, void *user)
{
    struct realm *realm = user;
    struct referee *referee = sight->referee;
    unsigned from = (unsigned)realm_roll(realm, referee->n);

    for (unsigned i = from; i < from + 3 && i < referee->n; i++)
        referee_look(&referee->sights[i]);
}

static void note(const struct scenario *s, const struct realm *realm, struct figures *figures)
{
    if (realm_now(realm) < s->spells[0].from_ms)
        figures->before = (unsigned)realm->sent;
    else if (realm_now(realm) <= s->over_ms)
        figures->while_it_lasts = (unsigned)realm->sent - figures->before;
    figures->requests = (unsigned)realm->sent;
}

static void pass(const struct scenario *s, struct realm *realm, struct referee *referee,
                 struct figures *figures)
{
    int64_t end = later(s->over_ms, s->consent_to_ms) + 10 * MINUTE_MS;
    unsigned jumps = 0;

    referee_settle(referee);
    while (referee->running && !*referee->fault && realm_now(realm) < end) {
        const struct jump *jump = jumps < MOST_JUMPS ? &s->jumps[jumps] : NULL;

        referee_step(referee, realm_now(realm) / 1000 * 1000 + 1000);
        if (jump && jump->at_ms && realm_now(realm) >= jump->at_ms) {
            referee_jump(referee, jump->monotonic_ms, jump->wall_ms);
            jumps++;
        }
        if (s->nosy && realm_chance(realm, 2)) {
            be_nosy(&referee->sights[0], realm);
            if (realm_chance(realm, 2))
                realm_expire_tokens(realm);
        }
        note(s, realm, figures);
    }
}

static void count(const struct scenario *s, const struct referee *referee, struct figures *figures)
{
    for (unsigned i = 0; i < referee->n; i++) {
        const struct sight *sight = &referee->sights[i];
        int64_t settled_ms = later(consent_ms(s, i % s->watches), s->over_ms);

        figures->slowest_ms = later(figures->slowest_ms, sight->end_ms - settled_ms);
    }
}

static struct figures run(const struct scenario *s, struct event_base *base)
{
    const struct scalekit_config usual = {.max_retries = 2};
    const struct terms terms = {.deadline_ms = 2 * HOUR_MS,
                                .known_status = SCALEKIT_ACCOUNT_PENDING_AUTH};
    struct figures figures = {.slowest_ms = 0};
    struct realm realm = {.accounts = NULL};
    struct referee referee;

    realm_init(&realm, 1, s->connections, s->users);
    realm.habits = s->habits;
    for (unsigned i = 0; i < MOST_SPELLS && s->spells[i].percent; i++)
        realm.spells[realm.n_spells++] = s->spells[i];
    live(s, &realm);
    referee_open(&referee, &realm, base, &usual, s->watches);
    for (unsigned i = 0; i < s->watches; i++)
        referee_follow(&referee, &realm.accounts[i], &terms);
    pass(s, &realm, &referee, &figures);
    count(s, &referee, &figures);
    ROW_IS(s->name, referee.kinds[SCALEKIT_WATCH_SETTLED] == s->watches);
    referee_close(&referee);
    ROW_IS(*referee.fault ? referee.fault : s->name, !*referee.fault);
    realm_free(&realm);
    return figures;
}

/* --- the days ---------------------------------------------------------------------------------- */

static const struct scenario scenarios[] = {
    {
        .name = "nothing is wrong",
        .connections = 2,
        .users = 100,
        .watches = 200,
        .habits = {USUAL_HABITS(501)},
        .consent_from_ms = 5000,
        .consent_to_ms = 5 * MINUTE_MS,
        .settle_ms = 37000,
        .requests = 200,
    },
    {
        .name = "an hour of outage",
        .connections = 2,
        .users = 500,
        .watches = 1000,
        .habits = {USUAL_HABITS(501)},
        .spells = {{REALM_UNREACHABLE, MINUTE_MS, 20 * MINUTE_MS, 100, 0, 0},
                   {REALM_SILENT, 20 * MINUTE_MS, 40 * MINUTE_MS, 100, 0, 0},
                   {REALM_STATUS, 40 * MINUTE_MS, 61 * MINUTE_MS, 100, 503, 0}},
        .consent_from_ms = MINUTE_MS,
        .consent_to_ms = 61 * MINUTE_MS,
        .over_ms = 61 * MINUTE_MS,
        .settle_ms = MINUTE_MS,
        .requests = 1500,
        .while_it_lasts = 1200,
    },
    {
        .name = "ten minutes of 429 with Retry-After",
        .connections = 3,
        .users = 100,
        .watches = 300,
        .habits = {USUAL_HABITS(501)},
        .spells = {{REALM_STATUS, MINUTE_MS, 11 * MINUTE_MS, 100, 429, 30}},
        .consent_from_ms = 5000,
        .consent_to_ms = 11 * MINUTE_MS,
        .over_ms = 11 * MINUTE_MS + 30000,
        .settle_ms = MINUTE_MS,
        .requests = 200,
        .while_it_lasts = 60,
    },
    {
        .name = "ten minutes of 429 for half of all",
        .connections = 3,
        .users = 100,
        .watches = 300,
        .habits = {USUAL_HABITS(501)},
        .spells = {{REALM_STATUS, MINUTE_MS, 11 * MINUTE_MS, 50, 429, 0}},
        .consent_from_ms = 5000,
        .consent_to_ms = 11 * MINUTE_MS,
        .over_ms = 11 * MINUTE_MS,
        .settle_ms = MINUTE_MS,
        .requests = 500,
        .while_it_lasts = 400,
    },
    {
        .name = "clocks that jump",
        .connections = 2,
        .users = 50,
        .watches = 100,
        .habits = {USUAL_HABITS(501)},
        .jumps = {{MINUTE_MS, 0, HOUR_MS},
                  {2 * MINUTE_MS, 0, -3 * HOUR_MS},
                  {3 * MINUTE_MS, HOUR_MS, HOUR_MS}},
        .consent_from_ms = 5000,
        .consent_to_ms = 70 * MINUTE_MS,
        .over_ms = 63 * MINUTE_MS,
        .settle_ms = MINUTE_MS,
        .requests = 200,
    },
    {
        .name = "pages that shift",
        .connections = 2,
        .users = 200,
        .watches = 300,
        .habits = {USUAL_HABITS(501), .lag_ms = 5000, .shifting = true, .wrong_totals = true,
                   .loops = true},
        .consent_from_ms = 5000,
        .consent_to_ms = 5 * MINUTE_MS,
        .restless = true,
        .settle_ms = MINUTE_MS,
        .requests = 800,
    },
    {
        .name = "all sources at once",
        .connections = 2,
        .users = 100,
        .watches = 150,
        .habits = {USUAL_HABITS(200), .lag_ms = 5000, .feed_lag_ms = 5000, .shifting = true,
                   .wrong_totals = true, .loops = true, .noisy_feed = true},
        .spells = {{REALM_CUT, MINUTE_MS, 2 * MINUTE_MS, 30, 0, 0},
                   {REALM_STATUS, MINUTE_MS, 2 * MINUTE_MS, 30, 500, 0},
                   {REALM_NO_FEED, 90000, 3 * MINUTE_MS, 100, 404, 0},
                   {REALM_FLICKER, 100000, 110000, 50, 0, 0}},
        .consent_from_ms = 5000,
        .consent_to_ms = 5 * MINUTE_MS,
        .over_ms = 3 * MINUTE_MS,
        .restless = true,
        .nosy = true,
        .settle_ms = MINUTE_MS,
        .requests = 500,
    },
};

static void everything_settles_at_its_price(void)
{
    struct event_base *base = event_base_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(base);
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        const struct scenario *s = &scenarios[i];
        struct figures figures = run(s, base);

        if (getenv("WATCH_VERBOSE"))
            printf("%s: settled after %lld ms, %u requests, %u while it lasts\n", s->name,
                   (long long)figures.slowest_ms, figures.requests, figures.while_it_lasts);
        ROW_IS(s->name, figures.slowest_ms <= s->settle_ms);
        ROW_IS(s->name, figures.requests <= s->requests);
        ROW_IS(s->name, !s->while_it_lasts || figures.while_it_lasts <= s->while_it_lasts);
    }
    event_base_free(base);
}

SUITE(watch_scenario, {"everything settles, at its price", everything_settles_at_its_price})
