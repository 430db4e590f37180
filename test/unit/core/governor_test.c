/* Who goes when not all can, in virtual time; and many threads at one governor, in real time. */
#include "core/governor.h"
#include "harness.h"
#include <pthread.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROW_IS(name, condition)                                                                    \
    CU_assertImplementation((condition), __LINE__, name, __FILE__, "", CU_FALSE)
#define MAX_SEATS 4
#define RUNS      3000 /* of the property */

/* --- clients in virtual time ------------------------------------------------------------------- */

/* What a gate does, without requests: how many of each class wait, and since when. */
struct player {
    struct ski_seat seat;
    unsigned waiting[SKI_CLASSES];
    int64_t since_ms[SKI_CLASSES]; /* of all that wait: good enough for aging */
    int64_t come_ms;
    int64_t asleep_ms; /* it does not come before, whatever it was told */
    unsigned sent[SKI_CLASSES];
};

struct game {
    struct test_clock clock;
    struct test_memory memory;
    scalekit_governor *governor;
    struct player players[MAX_SEATS];
    unsigned n_players;
    int64_t *sent_ms; /* of all that went, in order; NULL: not kept */
    size_t n_sent, max_sent;
};

static int64_t now_ms(const struct game *game)
{
    return game->clock.monotonic_us / 1000;
}

static void game_init(struct game *game, unsigned ceiling, unsigned n_players)
{
    struct ski_mem mem;

    memset(game, 0, sizeof *game);
    test_clock_init(&game->clock);
    test_memory_init(&game->memory);
    ski_mem_init(&mem, &game->memory.allocator);
    game->governor = ski_governor_new(&mem, &game->clock.clock, ceiling);
    CU_ASSERT_PTR_NOT_NULL_FATAL(game->governor);
    game->n_players = n_players;
    for (unsigned i = 0; i < n_players; i++)
        ski_governor_join(game->governor, &game->players[i].seat);
}

static void game_free(struct game *game)
{
    for (unsigned i = 0; i < game->n_players; i++)
        ski_governor_leave(&game->players[i].seat);
    scalekit_governor_free(game->governor);
    CU_ASSERT_EQUAL(game->memory.live, 0);
    free(game->sent_ms);
}

static void want(struct game *game, unsigned player, int kind, unsigned n)
{
    struct player *p = &game->players[player];

    if (n && !p->waiting[kind])
        p->since_ms[kind] = now_ms(game);
    p->waiting[kind] += n;
}

static void note(struct game *game)
{
    if (game->n_sent == game->max_sent) {
        game->max_sent = game->max_sent ? 2 * game->max_sent : 1024;
        game->sent_ms = realloc(game->sent_ms, game->max_sent * sizeof *game->sent_ms);
        CU_ASSERT_PTR_NOT_NULL_FATAL(game->sent_ms);
    }
    game->sent_ms[game->n_sent++] = now_ms(game);
}

static void visit(struct game *game, struct player *p)
{
    int64_t wait_ms;
    int kind;

    do {
        struct ski_demand demand = {.n = {0}};

        for (int i = 0; i < SKI_CLASSES; i++) {
            demand.n[i] = p->waiting[i];
            demand.waited_ms[i] = p->waiting[i] ? now_ms(game) - p->since_ms[i] : 0;
        }
        kind = ski_governor_ask(&p->seat, &demand, &wait_ms);
        if (kind == SKI_NO_CLASS)
            break;
        CU_ASSERT_FATAL(p->waiting[kind] > 0);
        p->waiting[kind]--;
        p->since_ms[kind] = now_ms(game);
        p->sent[kind]++;
        note(game);
    } while (kind != SKI_NO_CLASS);
    p->come_ms = wait_ms == INT64_MAX ? INT64_MIN : now_ms(game) + wait_ms;
}

/* Every 8 ms, as the wheel ticks: who is due comes. */
static void play(struct game *game, int64_t milliseconds)
{
    int64_t end = now_ms(game) + milliseconds;

    while (now_ms(game) < end) {
        for (unsigned i = 0; i < game->n_players; i++) {
            struct player *p = &game->players[i];

            if (p->come_ms <= now_ms(game) && p->asleep_ms <= now_ms(game))
                visit(game, p);
        }
        test_clock_advance_ms(&game->clock, 8);
    }
}

/* --- classes ----------------------------------------------------------------------------------- */

static const struct share_row {
    const char *name;
    bool waits[SKI_CLASSES];
    unsigned percent[SKI_CLASSES];
} share_rows[] = {
    {"all", {1, 1, 1, 1, 1}, {42, 21, 21, 11, 5}},
    {"interactive and background", {1, 0, 0, 0, 1}, {89, 0, 0, 0, 11}},
    {"tools and watches", {0, 0, 1, 1, 0}, {0, 0, 67, 33, 0}},
    {"watches are capped", {0, 0, 0, 1, 1}, {0, 0, 0, 60, 40}},
    {"watches alone", {0, 0, 0, 1, 0}, {0, 0, 0, 100, 0}},
};

/* Classes on different clients share less exactly: one may go ahead before another has come. */
static void share(const struct share_row *row, unsigned n_players, int tolerance)
{
    struct game game;
    unsigned total = 0, sent[SKI_CLASSES];

    game_init(&game, 6000, n_players);
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        if (row->waits[kind])
            want(&game, (unsigned)kind % n_players, kind, 100000);
    play(&game, 30000);
    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        sent[kind] = game.players[(unsigned)kind % n_players].sent[kind];
        total += sent[kind];
    }
    CU_ASSERT(total > 2800);
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        ROW_IS(row->name, abs((int)(sent[kind] * 100 / total - row->percent[kind])) <= tolerance);
    game_free(&game);
}

static void test_shares(void)
{
    for (size_t i = 0; i < COUNT(share_rows); i++) {
        share(&share_rows[i], 1, 1);
        share(&share_rows[i], MAX_SEATS, 5);
    }
}

/* At a request every two seconds, in which others would have it to themselves for long. */
static void test_nobody_starves(void)
{
    struct game game;

    game_init(&game, 30, 1);
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        want(&game, 0, kind, 1000);
    play(&game, 60000);
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        CU_ASSERT(game.players[0].sent[kind] >= 2);
    CU_ASSERT(game.players[0].sent[SCALEKIT_CLASS_INTERACTIVE] >
              game.players[0].sent[SCALEKIT_CLASS_BACKGROUND]);
    game_free(&game);
}

/* A class that was idle has not saved anything up. */
static void test_no_credit_for_idling(void)
{
    struct game game;

    game_init(&game, 6000, 1);
    want(&game, 0, SCALEKIT_CLASS_BACKGROUND, 100000);
    play(&game, 20000);
    want(&game, 0, SCALEKIT_CLASS_TOOL, 100000);
    want(&game, 0, SCALEKIT_CLASS_INTERACTIVE, 100000);
    game.players[0].sent[SCALEKIT_CLASS_BACKGROUND] = 0;
    play(&game, 5000);
    CU_ASSERT(game.players[0].sent[SCALEKIT_CLASS_BACKGROUND] >= 30);
    CU_ASSERT(game.players[0].sent[SCALEKIT_CLASS_TOOL] >= 130);
    CU_ASSERT(game.players[0].sent[SCALEKIT_CLASS_INTERACTIVE] >= 280);
    game_free(&game);
}

/* --- clients ----------------------------------------------------------------------------------- */

static void test_clients_share_evenly(void)
{
    struct game game;
    unsigned before[MAX_SEATS], total = 0;

    game_init(&game, 6000, MAX_SEATS);
    for (unsigned i = 0; i < MAX_SEATS; i++)
        want(&game, i, SCALEKIT_CLASS_TOOL, 100000);
    play(&game, 1000); /* the first had the full bucket for itself */
    for (unsigned i = 0; i < MAX_SEATS; i++)
        before[i] = game.players[i].sent[SCALEKIT_CLASS_TOOL];
    play(&game, 30000);
    for (unsigned i = 0; i < MAX_SEATS; i++) {
        unsigned sent = game.players[i].sent[SCALEKIT_CLASS_TOOL] - before[i];

        CU_ASSERT(abs((int)sent - 750) <= 20);
        total += sent;
    }
    CU_ASSERT(total > 2950);
    game_free(&game);
}

/* One whose loop is stuck holds up nobody, and gets its share again afterwards. */
static void test_client_that_does_not_come(void)
{
    struct game game;
    struct player *stuck = &game.players[0], *other = &game.players[1];
    unsigned before;

    game_init(&game, 6000, 2);
    want(&game, 0, SCALEKIT_CLASS_INTERACTIVE, 100000);
    want(&game, 1, SCALEKIT_CLASS_BACKGROUND, 100000);
    play(&game, 1000);
    stuck->asleep_ms = now_ms(&game) + 10000;
    before = other->sent[SCALEKIT_CLASS_BACKGROUND];
    play(&game, 10000);
    CU_ASSERT(other->sent[SCALEKIT_CLASS_BACKGROUND] - before >= 960);
    before = other->sent[SCALEKIT_CLASS_BACKGROUND];
    play(&game, 10000);
    CU_ASSERT(abs((int)(other->sent[SCALEKIT_CLASS_BACKGROUND] - before) - 111) <= 20);
    game_free(&game);
}

static void test_client_that_leaves(void)
{
    struct game game;
    struct scalekit_governor_stats stats;

    game_init(&game, 60, 2);
    want(&game, 0, SCALEKIT_CLASS_TOOL, 1);
    want(&game, 1, SCALEKIT_CLASS_WATCH, 5);
    play(&game, 100);
    ski_governor_leave(&game.players[0].seat);
    ski_governor_leave(&game.players[0].seat); /* once is enough */
    scalekit_governor_get_stats(game.governor, &stats);
    CU_ASSERT_EQUAL(stats.clients, 1);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_TOOL], 1);
    CU_ASSERT_EQUAL(stats.sent[SCALEKIT_CLASS_WATCH], 1);
    game_free(&game);
}

/* --- 429 --------------------------------------------------------------------------------------- */

static void test_one_epoch_one_cut(void)
{
    struct game game;
    struct scalekit_governor_stats stats;
    double per_second;

    game_init(&game, 0, 1);
    CU_ASSERT(ski_governor_is_open(game.governor));
    CU_ASSERT(ski_governor_refuse(game.governor, 0, &per_second));
    CU_ASSERT_DOUBLE_EQUAL(per_second, 7, 0.01);
    CU_ASSERT_FALSE(ski_governor_is_open(game.governor));
    for (int i = 0; i < 500; i++)
        CU_ASSERT_FALSE(ski_governor_refuse(game.governor, 0, &per_second));
    CU_ASSERT_EQUAL(ski_governor_epoch(game.governor), 1);
    CU_ASSERT(ski_governor_refuse(game.governor, 1, &per_second));
    CU_ASSERT_DOUBLE_EQUAL(per_second, 4.9, 0.01);
    scalekit_governor_get_stats(game.governor, &stats);
    CU_ASSERT_EQUAL(stats.rate_limited, 502);
    CU_ASSERT_DOUBLE_EQUAL(stats.rate, 4.9 * 60, 0.6);
    game_free(&game);
}

static void test_open_again(void)
{
    struct game game;
    double per_second;

    game_init(&game, 0, 1);
    ski_governor_refuse(game.governor, 0, &per_second);
    test_clock_advance_ms(&game.clock, SKI_RATE_FORGET_MS);
    want(&game, 0, SCALEKIT_CLASS_INTERACTIVE, 1000);
    play(&game, 8);
    CU_ASSERT_EQUAL(game.players[0].sent[SCALEKIT_CLASS_INTERACTIVE], 1000);
    CU_ASSERT(ski_governor_is_open(game.governor));
    CU_ASSERT(ski_governor_park(game.governor, 1000));
    CU_ASSERT_FALSE(ski_governor_is_open(game.governor));
    want(&game, 0, SCALEKIT_CLASS_INTERACTIVE, 5);
    play(&game, 992);
    CU_ASSERT_EQUAL(game.players[0].sent[SCALEKIT_CLASS_INTERACTIVE], 1000);
    play(&game, 100);
    CU_ASSERT_EQUAL(game.players[0].sent[SCALEKIT_CLASS_INTERACTIVE], 1005);
    CU_ASSERT(ski_governor_is_open(game.governor));
    game_free(&game);
}

/* --- the property ------------------------------------------------------------------------------ */

static uint64_t dice(struct game *game, uint64_t sides)
{
    return game->clock.clock.random(game->clock.clock.user) % sides;
}

/* Whatever arrives, whoever sleeps, cancels or gets a 429. */
static void disturb(struct game *game)
{
    struct player *p = &game->players[dice(game, game->n_players)];
    int kind = (int)dice(game, SKI_CLASSES);
    double per_second;

    switch (dice(game, 12)) {
    case 0:
        p->waiting[kind] = 0; /* all are cancelled */
        break;
    case 1:
        p->asleep_ms = now_ms(game) + (int64_t)dice(game, 5000);
        break;
    case 2:
        ski_governor_refuse(game->governor, ski_governor_epoch(game->governor), &per_second);
        break;
    case 3:
        ski_governor_park(game->governor, (int64_t)dice(game, 3000));
        break;
    case 4:
        test_clock_advance_ms(&game->clock, (int64_t)dice(game, 90000));
        break;
    case 5:
        ski_governor_leave(&p->seat);
        ski_governor_join(game->governor, &p->seat);
        break;
    default:
        want(game, (unsigned)(p - game->players), kind, (unsigned)dice(game, 200));
    }
}

static bool window_is_kept(const struct game *game, unsigned ceiling)
{
    for (size_t i = ceiling; i < game->n_sent; i++)
        if (game->sent_ms[i] - game->sent_ms[i - ceiling] <= 60000)
            return false;
    return true;
}

/* The request `ceiling` places before one went more than 60 s earlier: so no window has more. */
static void test_never_over_the_ceiling(void)
{
    static const unsigned ceilings[] = {1, 5, 60, 300, 1000, 20000};
    uint64_t sent = 0;

    for (unsigned run = 0; run < RUNS; run++) {
        unsigned ceiling = ceilings[run % COUNT(ceilings)];
        struct game game;

        game_init(&game, ceiling, 1 + run % MAX_SEATS);
        game.clock.seed = run;
        for (int i = 0; i < 60; i++) {
            disturb(&game);
            play(&game, (int64_t)dice(&game, 4000));
        }
        CU_ASSERT_FATAL(window_is_kept(&game, ceiling));
        sent += game.n_sent;
        game_free(&game);
    }
    CU_ASSERT(sent > RUNS * 60);
}

/* Demand without end is met up to the ceiling, by whatever number of clients. */
static void test_ceiling_is_used(void)
{
    for (unsigned n_players = 1; n_players <= MAX_SEATS; n_players++) {
        struct game game;

        game_init(&game, 300, n_players);
        for (unsigned i = 0; i < n_players; i++)
            want(&game, i, (int)i, 100000);
        play(&game, 600000);
        CU_ASSERT(game.n_sent >= 2900);
        CU_ASSERT(window_is_kept(&game, 300));
        game_free(&game);
    }
}

/* --- the outside ------------------------------------------------------------------------------- */

static void test_new(void)
{
    struct scalekit_allocator half = {.malloc = NULL};
    struct scalekit_clock no_clock = {.user = NULL};
    scalekit_governor *governor = (scalekit_governor *)&half;
    const char *problem = NULL;

    CU_ASSERT_EQUAL(scalekit_governor_new(NULL, NULL, NULL), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(
        scalekit_governor_new(&governor,
                              SCALEKIT_PARAMS(scalekit_governor_config,
                                              .max_requests_per_minute = SKI_MAX_CEILING + 1),
                              &problem),
        SCALEKIT_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "max_requests_per_minute"));
    CU_ASSERT_PTR_NULL(governor);
    CU_ASSERT_EQUAL(
        scalekit_governor_new(
            &governor, SCALEKIT_PARAMS(scalekit_governor_config, .allocator = &half), &problem),
        SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(
        scalekit_governor_new(
            &governor, SCALEKIT_PARAMS(scalekit_governor_config, .clock = &no_clock), &problem),
        SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_governor_new(&governor, &(struct scalekit_governor_config){0}, NULL),
                    SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_governor_new(&governor, NULL, &problem), SCALEKIT_OK);
    CU_ASSERT_PTR_NULL(problem);
    scalekit_governor_free(governor);
    scalekit_governor_free(NULL);
}

static void test_stats(void)
{
    struct game game;
    struct scalekit_governor_stats stats;

    game_init(&game, 120, 1);
    ski_governor_park(game.governor, 4000);
    scalekit_governor_get_stats(game.governor, &stats);
    CU_ASSERT_EQUAL(stats.struct_size, sizeof stats);
    CU_ASSERT_EQUAL(stats.max_requests_per_minute, 120);
    CU_ASSERT_DOUBLE_EQUAL(stats.rate, 120, 0.01);
    CU_ASSERT_EQUAL(stats.parked_ms, 4000);
    CU_ASSERT_EQUAL(stats.clients, 1);
    memset(&stats, 0xff, sizeof stats); /* an older program's is shorter */
    scalekit_governor_read_stats(game.governor, &stats,
                                 offsetof(struct scalekit_governor_stats, rate));
    CU_ASSERT_EQUAL(stats.clients, 1);
    CU_ASSERT_EQUAL(stats.parked_ms, -1);
    scalekit_governor_get_stats(NULL, &stats);
    CU_ASSERT_EQUAL(stats.max_requests_per_minute, 0);
    scalekit_governor_get_stats(NULL, NULL);
    CU_ASSERT_STRING_EQUAL(scalekit_request_class_name(SCALEKIT_CLASS_TOKEN), "token");
    CU_ASSERT_STRING_EQUAL(scalekit_request_class_name((enum scalekit_request_class)77), "unknown");
    game_free(&game);
}

/* --- threads ----------------------------------------------------------------------------------- */

#define THREADS 6
#define ASKS    20000

struct worker {
    pthread_t thread;
    scalekit_governor *governor;
    unsigned seed, went;
};

/* All that a client's thread does at a governor, as fast as it can. */
static void *work(void *user)
{
    struct worker *worker = user;
    struct ski_demand demand = {.n = {3, 1, 2, 4, 5}};
    struct scalekit_governor_stats stats;
    struct ski_seat seat;
    double per_second;
    int64_t wait_ms;

    ski_governor_join(worker->governor, &seat);
    for (unsigned i = 0; i < ASKS; i++) {
        if (ski_governor_is_open(worker->governor)) {
            ski_seat_count(&seat, SCALEKIT_CLASS_TOOL);
            worker->went++;
        } else if (ski_governor_ask(&seat, &demand, &wait_ms) != SKI_NO_CLASS) {
            worker->went++;
        }
        if (i % 1000 == worker->seed)
            ski_governor_refuse(worker->governor, ski_governor_epoch(worker->governor),
                                &per_second);
        if (i % 500 == worker->seed)
            ski_governor_measure(worker->governor);
        if (i % 3000 == worker->seed)
            scalekit_governor_get_stats(worker->governor, &stats);
        if (i % 4000 == worker->seed)
            ski_governor_park(worker->governor, 1);
    }
    ski_governor_leave(&seat);
    return NULL;
}

static void share_among_threads(unsigned ceiling)
{
    struct worker workers[THREADS];
    struct scalekit_governor_stats stats;
    scalekit_governor *governor;
    uint64_t went = 0, sent = 0;

    CU_ASSERT_EQUAL_FATAL(scalekit_governor_new(&governor,
                                                SCALEKIT_PARAMS(scalekit_governor_config,
                                                                .max_requests_per_minute = ceiling),
                                                NULL),
                          SCALEKIT_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.governor = governor, .seed = i};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        went += workers[i].went;
    }
    scalekit_governor_get_stats(governor, &stats);
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        sent += stats.sent[kind];
    CU_ASSERT_EQUAL(sent, went);
    CU_ASSERT_EQUAL(stats.clients, 0);
    CU_ASSERT(sent > 0);
    if (ceiling)
        CU_ASSERT(sent <= ceiling); /* this takes no minute */
    scalekit_governor_free(governor);
}

static void test_threads(void)
{
    share_among_threads(0);
    share_among_threads(500);
}

SUITE(governor, {"classes share by weight, watches have 60 % at most", test_shares},
      {"at a low rate nobody starves", test_nobody_starves},
      {"a class that was idle has saved nothing up", test_no_credit_for_idling},
      {"clients share evenly", test_clients_share_evenly},
      {"a client that does not come holds up nobody", test_client_that_does_not_come},
      {"a client that leaves takes nothing along", test_client_that_leaves},
      {"hundreds of 429s at once are one cut", test_one_epoch_one_cut},
      {"it opens again when it has forgotten, or the park is over", test_open_again},
      {"never more than the ceiling in any 60 s", test_never_over_the_ceiling},
      {"the ceiling is used", test_ceiling_is_used},
      {"what is wrong with a configuration is said", test_new},
      {"statistics are told, to older programs too", test_stats},
      {"threads share one", test_threads})
