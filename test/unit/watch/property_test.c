/* Whatever befalls a realm and whatever an application does, its watches are told the truth, once
 * and in time: 10,000 lives at random, of a fixed seed.  Who is right says the referee.
 *
 * A run that fails prints its seed, and its story.  To see one again, or others:
 *
 *     WATCH_SEED=123 test/unit_tests watch_property
 *     WATCH_RUNS=100000 test/unit_tests watch_property */
#include "unit/watch/referee.h"
#include <event2/event.h>
#include <stdlib.h>

#define RUNS          10000
#define FIRST_SEED    1
#define MOST_FAILURES 3
#define MOST_SIGHTS   80
#define STORY_MS      240000 /* what befalls the realm befalls it by then */
#define LONG_STORY_MS 1800000
#define COUNT(array)  (sizeof(array) / sizeof *(array))

struct run {
    struct realm realm;
    struct referee referee;
    struct endpoint endpoint;
    bool posts; /* the endpoint is there */
    int64_t story_ms;
    unsigned starts;      /* watches to start yet */
    int64_t next_act_ms;  /* of the application, on its own */
    int64_t free_ms;      /* when it frees the client; INT64_MAX */
    int64_t jump_ms;      /* when the clocks jump */
    bool skewed;          /* the client's idea of the time of day is another */
    bool rash;            /* it may free the client in a callback */
    uint64_t sent, ended; /* over all runs */
    unsigned kinds[32], sources[8], verdicts[16];
};

/* --- lives ------------------------------------------------------------------------------------- */

/* By how often they come; NULL: it is deleted. */
static const char *const words[] = {
    "PENDING_AUTH",
    "PENDING_AUTH",
    "PENDING_AUTH",
    "PENDING_AUTH",
    "PENDING",
    "ACTIVE",
    "ACTIVE",
    "PENDING_VERIFICATION",
    "PENDING_VERIFICATION",
    "EXPIRED",
    "REVOKED",
    "DISCONNECTED",
    "MIGRATING",
    "ON_HOLD",
    NULL,
    NULL,
};

static void live(struct run *run, struct realm_account *account)
{
    struct realm *realm = &run->realm;
    const char *word = words[realm_roll(realm, realm_chance(realm, 60) ? 4 : COUNT(words))];
    int64_t at = -3600000;
    unsigned moments = (unsigned)realm_roll(realm, 6);

    realm_write(realm, account, at, word, true);
    at = 0;
    for (unsigned i = 0; i < moments; i++) {
        const char *next = words[realm_roll(realm, COUNT(words))];

        at += realm_between(realm, 1, realm_chance(realm, 30) ? 5000 : run->story_ms / 2);
        if (next == word)
            continue;
        realm_write(realm, account, at, next, !word && realm_chance(realm, 80));
        word = next;
    }
}

/* --- the realm --------------------------------------------------------------------------------- */

static const struct {
    enum realm_fault fault;
    int status;
    unsigned retry_after_s;
    int64_t longest_ms;
} spells[] = {
    {REALM_UNREACHABLE, 0, 0, 60000}, {REALM_SILENT, 0, 0, 60000},
    {REALM_CUT, 0, 0, 60000},         {REALM_GARBAGE, 0, 0, 20000},
    {REALM_EMPTY, 0, 0, 20000},       {REALM_STATUS, 429, 0, 60000},
    {REALM_STATUS, 429, 20, 60000},   {REALM_STATUS, 500, 0, 60000},
    {REALM_STATUS, 502, 0, 60000},    {REALM_STATUS, 503, 5, 60000},
    {REALM_STATUS, 504, 0, 60000},    {REALM_FLICKER, 0, 0, 15000},
    {REALM_STATUS, 401, 0, 5000},     {REALM_STATUS, 403, 0, 5000},
    {REALM_STATUS, 400, 0, 5000},     {REALM_NO_FEED, 503, 0, 60000},
    {REALM_NO_FEED, 404, 0, 60000},   {REALM_NO_FEED, 403, 0, 60000},
};

static void cast_spells(struct realm *realm)
{
    static const unsigned percents[] = {100, 100, 50, 10};

    for (unsigned n = (unsigned)realm_roll(realm, 4); n; n--) {
        size_t kind = realm_roll(realm, COUNT(spells));
        int64_t from = realm_between(realm, 0, STORY_MS / 2);

        realm->spells[realm->n_spells++] = (struct realm_spell){
            .fault = spells[kind].fault,
            .from_ms = from,
            .to_ms = from + realm_between(realm, 1000, spells[kind].longest_ms),
            .percent = percents[realm_roll(realm, COUNT(percents))],
            .status = spells[kind].status,
            .retry_after_s = spells[kind].retry_after_s,
        };
    }
}

static void choose_habits(struct realm *realm)
{
    static const int64_t lags[] = {0, 0, 1000, 5000}, slowest[] = {0, 80, 500, 3000};
    static const int feeds[] = {200, 200, 200, 404, 403, 501};

    realm->habits = (struct realm_habits){
        .slowest_ms = slowest[realm_roll(realm, COUNT(slowest))],
        .lag_ms = lags[realm_roll(realm, COUNT(lags))],
        .feed_lag_ms = lags[realm_roll(realm, COUNT(lags))],
        .feed_status = feeds[realm_roll(realm, COUNT(feeds))],
        .page_cap = (unsigned)(realm_chance(realm, 50) ? 99 : realm_between(realm, 1, 4)),
        .shifting = realm_chance(realm, 30),
        .wrong_totals = realm_chance(realm, 30),
        .loops = realm_chance(realm, 20),
        .noisy_feed = realm_chance(realm, 50),
        .no_expiry = realm_chance(realm, 20),
        .link_life_ms = realm_between(realm, 5000, 120000),
    };
}

/* Some lie, some are gone, some are deaf; all at once is no life of its own. */
static void choose_endpoint(struct run *run)
{
    static const unsigned seldom[] = {0, 0, 0, 10, 40};
    static const unsigned lost[] = {0, 0, 10, 50, 90};
    static const int64_t slowest[] = {0, 50, 1000, 9000};
    struct realm *realm = &run->realm;
    struct endpoint_habits *habits = &run->endpoint.habits;

    habits->slowest_ms = slowest[realm_roll(realm, COUNT(slowest))];
    habits->lost = lost[realm_roll(realm, COUNT(lost))];
    habits->failing = seldom[realm_roll(realm, COUNT(seldom))];
    habits->doubled = seldom[realm_roll(realm, COUNT(seldom))];
    habits->reissued = seldom[realm_roll(realm, COUNT(seldom))];
    habits->forged = seldom[realm_roll(realm, COUNT(seldom))];
    habits->attended = seldom[realm_roll(realm, COUNT(seldom))];
    habits->off_us = realm_chance(realm, 50) ? 0 : realm_between(realm, 0, 2000000);
    if (realm_chance(realm, 20))
        habits->share = (enum endpoint_share)realm_between(realm, 1, ENDPOINT_SOME);
    if (realm_chance(realm, 20))
        habits->from_ms = realm_between(realm, 0, run->story_ms);
    if (realm_chance(realm, 20))
        habits->to_ms = realm_between(realm, habits->from_ms, run->story_ms);
    if (run->skewed || run->jump_ms != INT64_MAX)
        return; /* only a clock that is right tells that a timestamp is not */
    habits->replayed = seldom[realm_roll(realm, COUNT(seldom))];
    habits->queued = seldom[realm_roll(realm, COUNT(seldom))];
}

static struct scalekit_config choose_config(struct realm *realm)
{
    return (struct scalekit_config){
        .watch_first_check_ms = realm_between(realm, 100, 3000),
        .watch_interval_ms = realm_between(realm, 2000, 5000),
        .watch_fast_period_ms = realm_between(realm, 1000, 30000),
        .watch_max_interval_ms = realm_between(realm, 10000, 30000),
        .watch_follow_interval_ms = realm_between(realm, 5000, 30000),
    };
}

/* --- the application --------------------------------------------------------------------------- */

/* It was looked at not long ago. */
static void choose_known(struct realm *realm, const struct realm_account *account,
                         struct terms *terms)
{
    int64_t at = realm_now(realm) - realm_between(realm, 0, 20000);
    const struct realm_moment *moment = realm_at(account, at);

    if (!moment->status || (terms->id && moment->id != terms->id))
        return;
    terms->known_status = moment->status;
    terms->known_updated_at = moment->dated ? moment->updated_us : 0;
    terms->known_ms = at;
}

static struct terms choose_terms(struct run *run, const struct realm_account *account)
{
    struct realm *realm = &run->realm;
    int64_t most_ms = realm_chance(realm, 30) ? 20000 : run->story_ms + 60000;
    struct terms terms = {.deadline_ms = realm_between(realm, 1, most_ms)};

    if (realm_chance(realm, 20)) {
        terms.link_expiry = realm->clock.wall_us + realm_between(realm, -60000, 120000) * 1000;
        terms.deadline_ms = realm_chance(realm, 50) ? 0 : terms.deadline_ms;
    }
    if (realm_chance(realm, 25)) /* one that it has, or had */
        terms.id = realm_at(account, realm_between(realm, 0, realm_now(realm)))->id;
    if (realm_chance(realm, 20))
        choose_known(realm, account, &terms);
    terms.until_reauthorized = realm_chance(realm, 20);
    terms.progress = realm_chance(realm, 50);
    terms.follow = terms.deadline_ms && realm_chance(realm, 20);
    return terms;
}

static void start_watch(struct run *run)
{
    struct realm *realm = &run->realm;
    struct realm_account *account = &realm->accounts[realm_roll(realm, realm->n_accounts)];
    struct terms terms = choose_terms(run, account);

    if (realm_chance(realm, 2))
        referee_follow_nobody(&run->referee);
    else if (realm_chance(realm, 20))
        referee_connect(&run->referee, account, terms.deadline_ms);
    else
        referee_follow(&run->referee, account, &terms);
}

/* Right now, whatever is running. */
static void post_early(struct run *run)
{
    endpoint_hurry(&run->endpoint);
    referee_post(&run->referee);
}

static void free_client(struct run *run)
{
    if (run->posts)
        post_early(run);
    referee_free_client(&run->referee);
}

static void do_something(struct run *run)
{
    struct realm *realm = &run->realm;
    struct referee *referee = &run->referee;
    struct sight *sight = referee->n ? &referee->sights[realm_roll(realm, referee->n)] : NULL;

    if (run->starts && realm_chance(realm, 60)) {
        run->starts--;
        start_watch(run);
        return;
    }
    if (run->posts && realm_chance(realm, 20)) {
        post_early(run);
        return;
    }
    if (!sight || !sight->watch)
        return;
    switch (realm_roll(realm, 8)) {
    case 0:
        referee_stop(sight);
        break;
    case 1:
    case 2:
        referee_look(sight);
        break;
    case 3:
    case 4:
        referee_ref(sight);
        break;
    case 5:
    case 6:
        referee_unref(sight);
        break;
    default:
        realm_expire_tokens(realm);
    }
}

static void act_inside(struct sight *sight, void *user)
{
    struct run *run = user;
    struct realm *realm = &run->realm;

    if (run->rash && realm_chance(realm, 10))
        free_client(run);
    else if (realm_chance(realm, 20))
        do_something(run);
    else if (sight && realm_chance(realm, 5))
        referee_stop(sight);
}

static void jump(struct run *run)
{
    struct realm *realm = &run->realm;
    int64_t ahead = realm_between(realm, 1, 600000);

    switch (realm_roll(realm, 4)) {
    case 0: /* all stood still */
        referee_jump(&run->referee, ahead, ahead);
        break;
    case 1: /* a suspended laptop, or somebody set the clock */
        referee_jump(&run->referee, 0, ahead);
        break;
    case 2:
        referee_jump(&run->referee, 0, -ahead);
        break;
    default:
        referee_jump(&run->referee, ahead, 0);
    }
    run->jump_ms = realm_chance(realm, 20) ? run->jump_ms + 20000 : INT64_MAX;
}

/* --- a run ------------------------------------------------------------------------------------- */

static int64_t end_of(const struct referee *referee)
{
    int64_t end = 0;

    for (unsigned i = 0; i < referee->n; i++)
        if (!referee->sights[i].finals && referee->sights[i].limit_ms > end)
            end = referee->sights[i].limit_ms;
    return end + 1;
}

static void act(struct run *run)
{
    struct realm *realm = &run->realm;
    int64_t now = realm_now(realm);

    if (now >= run->jump_ms)
        jump(run);
    if (now >= run->free_ms) {
        free_client(run);
        return;
    }
    if (now < run->next_act_ms)
        return;
    do_something(run);
    run->next_act_ms = run->starts || realm_chance(realm, 80)
                           ? now + realm_between(realm, 0, realm_chance(realm, 50) ? 500 : 10000)
                           : INT64_MAX;
}

static void live_run(struct run *run)
{
    struct referee *referee = &run->referee;

    while (referee->client && !*referee->fault && (run->starts || referee->running)) {
        int64_t next = earlier(run->next_act_ms, earlier(run->free_ms, run->jump_ms));

        if (!run->starts && realm_now(&run->realm) >= end_of(referee))
            break;
        referee_step(referee, run->starts ? next : earlier(next, end_of(referee)));
        if (referee->client)
            act(run);
        referee_settle(referee);
    }
}

/* Few watches on few accounts mostly: more of the same does not find more, and takes longer. */
static const struct {
    unsigned connections, users, watches;
} sizes[] = {
    {1, 1, 4}, {1, 1, 8}, {1, 2, 6}, {1, 3, 8}, {2, 2, 10}, {2, 3, 12}, {3, 4, 16}, {2, 16, 40},
};

static void prepare(struct run *run, uint64_t seed)
{
    struct realm *realm = &run->realm;
    size_t size = seed % COUNT(sizes);

    realm_init(realm, seed, sizes[size].connections, sizes[size].users);
    run->posts = realm_chance(realm, 50);
    run->story_ms = run->posts && realm_chance(realm, 20) ? LONG_STORY_MS : STORY_MS;
    choose_habits(realm);
    cast_spells(realm);
    for (unsigned i = 0; i < realm->n_accounts; i++)
        live(run, &realm->accounts[i]);
    run->starts = (unsigned)realm_between(realm, 1, sizes[size].watches);
    run->skewed = realm_chance(realm, 20);
    if (run->skewed)
        realm->clock.wall_us += realm_between(realm, -600000, 600000) * 1000;
    run->next_act_ms = realm_now(realm);
    run->free_ms = realm_chance(realm, 10) ? realm_between(realm, 1000, 60000) : INT64_MAX;
    run->jump_ms = realm_chance(realm, 15) ? realm_between(realm, 1000, 60000) : INT64_MAX;
    run->rash = realm_chance(realm, 10);
    endpoint_init(&run->endpoint, realm);
    choose_endpoint(run);
}

/* Whether it found no fault; else why is in the referee. */
static bool run_seed(struct run *run, struct event_base *base, uint64_t seed, bool trace)
{
    struct scalekit_config config;

    prepare(run, seed);
    config = choose_config(&run->realm);
    referee_open(&run->referee, &run->realm, base, &config, MOST_SIGHTS);
    if (run->posts)
        referee_subscribe(&run->referee, &run->endpoint);
    run->referee.trace = run->realm.trace = trace;
    run->referee.act = act_inside;
    run->referee.user = run;
    live_run(run);
    referee_close(&run->referee);
    run->sent += run->realm.sent;
    run->ended += run->referee.n;
    for (unsigned i = 0; i < COUNT(run->kinds); i++)
        run->kinds[i] += run->referee.kinds[i];
    for (unsigned i = 0; i < COUNT(run->sources); i++)
        run->sources[i] += run->referee.sources[i];
    for (unsigned i = 0; i < COUNT(run->verdicts); i++)
        run->verdicts[i] += run->referee.verdicts[i];
    return !*run->referee.fault;
}

static void tell_story(struct run *run, struct event_base *base, uint64_t seed)
{
    const struct realm *realm = &run->realm;

    printf("WATCH_SEED=%llu: %s\n", (unsigned long long)seed, run->referee.fault);
    for (unsigned i = 0; i < realm->n_spells; i++)
        printf("spell %d (%d) from %lld to %lld ms, %u %%, Retry-After %u s\n",
               (int)realm->spells[i].fault, realm->spells[i].status,
               (long long)realm->spells[i].from_ms, (long long)realm->spells[i].to_ms,
               realm->spells[i].percent, realm->spells[i].retry_after_s);
    for (unsigned i = 0; i < realm->n_accounts; i++)
        for (unsigned m = 0; m < realm->accounts[i].n_moments; m++)
            printf("account %u from %lld ms: %s (id %u)\n", i,
                   (long long)realm->accounts[i].moments[m].at_ms,
                   realm->accounts[i].moments[m].word ? realm->accounts[i].moments[m].word : "none",
                   realm->accounts[i].moments[m].id);
    run_seed(run, base, seed, true);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void any_life_is_told_truly(void)
{
    static struct run run;
    uint64_t first = from_environment("WATCH_SEED", FIRST_SEED);
    uint64_t runs = from_environment("WATCH_RUNS", getenv("WATCH_SEED") ? 1 : RUNS);
    struct event_base *base = event_base_new();
    unsigned failures = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(base);
    for (uint64_t seed = first; seed < first + runs && failures < MOST_FAILURES; seed++) {
        if (run_seed(&run, base, seed, false))
            continue;
        failures++;
        CU_assertImplementation(CU_FALSE, __LINE__, run.referee.fault, __FILE__, "", CU_FALSE);
        tell_story(&run, base, seed);
    }
    if (getenv("WATCH_VERBOSE")) {
        printf("%llu watches, %llu requests\n", (unsigned long long)run.ended,
               (unsigned long long)run.sent);
        for (unsigned i = 0; i < COUNT(run.kinds); i++)
            if (run.kinds[i])
                printf("%s %u\n", scalekit_watch_event_name((enum scalekit_watch_event_kind)i),
                       run.kinds[i]);
        printf("told by look-ups %u, lists %u, the feed %u, deliveries %u\n",
               run.sources[SCALEKIT_WATCH_SOURCE_LOOK_UP], run.sources[SCALEKIT_WATCH_SOURCE_LIST],
               run.sources[SCALEKIT_WATCH_SOURCE_FEED], run.sources[SCALEKIT_WATCH_SOURCE_WEBHOOK]);
        for (unsigned i = 0; i < COUNT(run.verdicts); i++)
            if (run.verdicts[i])
                printf("%u deliveries: %s\n", run.verdicts[i],
                       scalekit_webhook_verdict_text((enum scalekit_webhook_verdict)i));
    }
    realm_free(&run.realm);
    endpoint_free(&run.endpoint);
    event_base_free(base);
}

SUITE(watch_property, {"any life is told truly", any_life_is_told_truly})
