#include "core/governor.h"
#include "json/check.h"
#include <math.h>
#include <string.h>

/* What a request costs its class: 8 / weight. */
static const int costs[SKI_CLASSES] = {
    [SCALEKIT_CLASS_INTERACTIVE] = 1, [SCALEKIT_CLASS_TOKEN] = 2,      [SCALEKIT_CLASS_TOOL] = 2,
    [SCALEKIT_CLASS_WATCH] = 4,       [SCALEKIT_CLASS_BACKGROUND] = 8,
};

/* Watches have 60 % while others wait: they pay 2 for a request and get 3 for one of another class. */
#define WATCH_PAYS   2
#define WATCH_GETS   3
#define WATCH_CREDIT 6

/* How far ahead of a seat that has yet to come another may go, in virtual times.  Without it two
 * seats would have to come by turns for each request. */
#define CLASS_LEAD 8
#define SEAT_LEAD  8

/* A seat counts from a little before the time it was told until it is late. */
#define EARLY_MS 20
#define LATE_MS  100
#define TURN_MS  10 /* until another seat's turn will have been taken */

/* What waits in one class, at all seats that count. */
struct line {
    unsigned n;
    int64_t since_ms; /* the oldest */
    int64_t passed;   /* of the seat that is furthest behind */
};

/* --- lines ------------------------------------------------------------------------------------- */

static bool counts(const struct ski_seat *seat, int64_t now_ms)
{
    return seat->come_ms <= now_ms + EARLY_MS && seat->come_ms >= now_ms - LATE_MS;
}

static void add_seat(struct line lines[SKI_CLASSES], const struct ski_seat *seat)
{
    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        struct line *line = &lines[kind];

        if (!seat->waiting[kind])
            continue;
        if (!line->n || seat->since_ms[kind] < line->since_ms)
            line->since_ms = seat->since_ms[kind];
        if (!line->n || seat->passed[kind] < line->passed)
            line->passed = seat->passed[kind];
        line->n += seat->waiting[kind];
    }
}

/* Lines of all seats but one, which may be NULL. */
static void survey(const scalekit_governor *governor, const struct ski_seat *without,
                   int64_t now_ms, struct line lines[SKI_CLASSES])
{
    const struct ski_list *head = &governor->seats;

    memset(lines, 0, SKI_CLASSES * sizeof *lines);
    for (const struct ski_list *node = head->next; node != head; node = node->next) {
        const struct ski_seat *seat = SKI_CONTAINER(node, const struct ski_seat, link);

        if (seat != without && counts(seat, now_ms))
            add_seat(lines, seat);
    }
}

static bool others_wait(const struct line lines[SKI_CLASSES], int than)
{
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        if (kind != than && lines[kind].n)
            return true;
    return false;
}

/* A class, or a seat in it, that begins to wait has no claim from the time when it did not.  Nor has a
 * seat that was late, unless it is alone. */
static void take_demand(scalekit_governor *governor, struct ski_seat *seat,
                        const struct ski_demand *demand, int64_t now_ms)
{
    struct line others[SKI_CLASSES];
    bool anew;

    survey(governor, seat, now_ms, others);
    anew = !counts(seat, now_ms) && others_wait(others, SKI_NO_CLASS);
    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        if (demand->n[kind] && (anew || !seat->waiting[kind])) {
            if (!others[kind].n && governor->passed[kind] < governor->present)
                governor->passed[kind] = governor->present;
            if (seat->passed[kind] < governor->turn[kind])
                seat->passed[kind] = governor->turn[kind];
        }
        seat->waiting[kind] = demand->n[kind];
        seat->since_ms[kind] = now_ms - demand->waited_ms[kind];
    }
    seat->come_ms = now_ms;
}

/* --- turns ------------------------------------------------------------------------------------- */

/* The lower, the sooner. */
static int64_t rank_of(const scalekit_governor *governor, const struct line *line, int kind,
                       int64_t now_ms)
{
    return governor->passed[kind] + costs[kind] - (now_ms - line->since_ms) / 1000;
}

/* The class that `seat` may send of, if it is its turn. */
static int choose(const scalekit_governor *governor, const struct ski_seat *seat,
                  const struct line lines[SKI_CLASSES], int64_t now_ms)
{
    int64_t first = INT64_MAX, first_here = INT64_MAX;
    int chosen = SKI_NO_CLASS;

    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        const struct line *line = &lines[kind];
        int64_t rank;

        if (!line->n || (kind == SCALEKIT_CLASS_WATCH && governor->watch_credit < WATCH_PAYS &&
                         others_wait(lines, kind)))
            continue;
        rank = rank_of(governor, line, kind, now_ms);
        if (rank < first)
            first = rank;
        if (seat->waiting[kind] && seat->passed[kind] <= line->passed + SEAT_LEAD &&
            rank < first_here) {
            first_here = rank;
            chosen = kind;
        }
    }
    return chosen != SKI_NO_CLASS && first_here <= first + CLASS_LEAD ? chosen : SKI_NO_CLASS;
}

static void charge(scalekit_governor *governor, struct ski_seat *seat,
                   const struct line lines[SKI_CLASSES], int kind)
{
    if (governor->passed[kind] > governor->present)
        governor->present = governor->passed[kind];
    governor->passed[kind] += costs[kind];
    if (seat->passed[kind] > governor->turn[kind])
        governor->turn[kind] = seat->passed[kind];
    seat->passed[kind]++;
    seat->waiting[kind]--;
    if (kind != SCALEKIT_CLASS_WATCH && lines[SCALEKIT_CLASS_WATCH].n)
        governor->watch_credit += WATCH_GETS;
    else if (kind == SCALEKIT_CLASS_WATCH && others_wait(lines, kind))
        governor->watch_credit -= WATCH_PAYS;
    if (governor->watch_credit > WATCH_CREDIT)
        governor->watch_credit = WATCH_CREDIT;
    ski_seat_count(seat, (enum scalekit_request_class)kind);
}

static uint64_t total_sent(const scalekit_governor *governor, int kind)
{
    const struct ski_list *head = &governor->seats;
    uint64_t total = governor->left[kind];

    for (const struct ski_list *node = head->next; node != head; node = node->next)
        total += atomic_load_explicit(&SKI_CONTAINER(node, struct ski_seat, link)->sent[kind],
                                      memory_order_relaxed);
    return total;
}

static uint64_t all_sent(const scalekit_governor *governor)
{
    uint64_t total = 0;

    for (int kind = 0; kind < SKI_CLASSES; kind++)
        total += total_sent(governor, kind);
    return total;
}

/* --- under the mutex --------------------------------------------------------------------------- */

static void lock(scalekit_governor *governor)
{
    pthread_mutex_lock(&governor->mutex);
}

/* What the rate has become is there for all to see. */
static void publish_and_unlock(scalekit_governor *governor, int64_t now_ms)
{
    bool limited = ski_rate_is_limited(&governor->rate, now_ms);

    if (limited == ski_governor_is_open(governor))
        atomic_store_explicit(&governor->limited, limited, memory_order_relaxed);
    pthread_mutex_unlock(&governor->mutex);
}

void ski_governor_measure(scalekit_governor *governor)
{
    int64_t now = ski_clock_ms(&governor->clock);

    lock(governor);
    ski_rate_measure(&governor->rate, all_sent(governor), now);
    publish_and_unlock(governor, now);
}

static int ask(scalekit_governor *governor, struct ski_seat *seat, int64_t now_ms, int64_t *wait_ms)
{
    struct line lines[SKI_CLASSES];
    int64_t next_ms = ski_rate_next_ms(&governor->rate, now_ms);
    int kind;

    *wait_ms = next_ms - now_ms;
    if (next_ms > now_ms)
        return SKI_NO_CLASS;
    survey(governor, NULL, now_ms, lines);
    kind = choose(governor, seat, lines, now_ms);
    if (kind == SKI_NO_CLASS) {
        *wait_ms = TURN_MS;
        return SKI_NO_CLASS;
    }
    ski_rate_take(&governor->rate, now_ms);
    charge(governor, seat, lines, kind);
    return kind;
}

int ski_governor_ask(struct ski_seat *seat, const struct ski_demand *demand, int64_t *wait_ms)
{
    scalekit_governor *governor = seat->governor;
    int64_t now = ski_clock_ms(&governor->clock);
    bool any = false;
    int kind = SKI_NO_CLASS;

    for (int i = 0; i < SKI_CLASSES; i++)
        any |= demand->n[i] > 0;
    *wait_ms = INT64_MAX;
    lock(governor);
    ski_rate_measure(&governor->rate, all_sent(governor), now);
    take_demand(governor, seat, demand, now);
    if (any)
        kind = ask(governor, seat, now, wait_ms);
    if (kind == SKI_NO_CLASS)
        seat->come_ms = any ? now + *wait_ms : INT64_MAX;
    publish_and_unlock(governor, now);
    return kind;
}

bool ski_governor_refuse(scalekit_governor *governor, unsigned epoch, double *per_second)
{
    int64_t now = ski_clock_ms(&governor->clock);
    bool lowers;

    lock(governor);
    governor->rate_limited++;
    lowers = epoch == ski_governor_epoch(governor);
    if (lowers) {
        ski_rate_lower(&governor->rate, all_sent(governor), now);
        atomic_store_explicit(&governor->epoch, epoch + 1, memory_order_relaxed);
    }
    *per_second = ski_rate_per_second(&governor->rate, now);
    publish_and_unlock(governor, now);
    return lowers;
}

bool ski_governor_park(scalekit_governor *governor, int64_t milliseconds)
{
    int64_t now = ski_clock_ms(&governor->clock);
    bool anew;

    lock(governor);
    anew = ski_rate_park(&governor->rate, milliseconds, now);
    publish_and_unlock(governor, now);
    return anew;
}

/* --- life -------------------------------------------------------------------------------------- */

scalekit_governor *ski_governor_new(const struct ski_mem *mem, const struct scalekit_clock *clock,
                                    unsigned ceiling)
{
    scalekit_governor *governor = ski_zalloc(mem, sizeof *governor);

    if (!governor)
        return NULL;
    if (pthread_mutex_init(&governor->mutex, NULL) != 0) {
        ski_free(mem, governor);
        return NULL;
    }
    governor->mem = *mem;
    ski_clock_init(&governor->clock, clock);
    ski_list_init(&governor->seats);
    ski_rate_init(&governor->rate, ceiling);
    atomic_init(&governor->limited, ceiling > 0);
    atomic_init(&governor->epoch, 0);
    governor->refs = 1;
    return governor;
}

static void unref_and_unlock(scalekit_governor *governor)
{
    bool last = --governor->refs == 0;
    struct ski_mem mem = governor->mem;

    pthread_mutex_unlock(&governor->mutex);
    if (!last)
        return;
    pthread_mutex_destroy(&governor->mutex);
    ski_free(&mem, governor);
}

void ski_governor_join(scalekit_governor *governor, struct ski_seat *seat)
{
    memset(seat, 0, sizeof *seat);
    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        atomic_init(&seat->sent[kind], 0);
        atomic_init(&seat->queued[kind], 0);
    }
    ski_list_init(&seat->link);
    seat->governor = governor;
    seat->come_ms = INT64_MAX;
    lock(governor);
    governor->refs++;
    governor->n_seats++;
    ski_list_push_back(&governor->seats, &seat->link);
    pthread_mutex_unlock(&governor->mutex);
}

void ski_governor_leave(struct ski_seat *seat)
{
    scalekit_governor *governor = seat->governor;

    if (!governor)
        return;
    lock(governor);
    ski_list_remove(&seat->link);
    governor->n_seats--;
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        governor->left[kind] += atomic_load_explicit(&seat->sent[kind], memory_order_relaxed);
    seat->governor = NULL;
    unref_and_unlock(governor);
}

/* --- the outside ------------------------------------------------------------------------------- */

static const char *read_config(struct scalekit_governor_config *config,
                               const struct scalekit_governor_config *given)
{
    const struct scalekit_allocator *allocator;
    const struct scalekit_clock *clock;

    *config = (struct scalekit_governor_config){.struct_size = sizeof *config};
    if (!given)
        return NULL;
    if (ski_params_copy(config, sizeof *config, given) != config)
        return "struct_size is not that of a configuration made with SCALEKIT_PARAMS";
    if (config->max_requests_per_minute > SKI_MAX_CEILING)
        return "max_requests_per_minute must be at most 1,000,000";
    allocator = config->allocator;
    if (allocator && (!allocator->malloc || !allocator->realloc || !allocator->free))
        return "allocator lacks a function";
    clock = config->clock;
    if (clock && (!clock->monotonic_us || !clock->wall_us || !clock->random))
        return "clock lacks a function";
    return NULL;
}

scalekit_err scalekit_governor_new(scalekit_governor **out,
                                   const struct scalekit_governor_config *config,
                                   const char **problem)
{
    struct scalekit_governor_config complete;
    struct ski_mem mem;
    const char *ignored;

    if (!problem)
        problem = &ignored;
    *problem = NULL;
    if (!out)
        return SCALEKIT_ERR_INVALID;
    *out = NULL;
    *problem = read_config(&complete, config);
    if (*problem)
        return SCALEKIT_ERR_INVALID;
    ski_mem_init(&mem, complete.allocator);
    *out = ski_governor_new(&mem, complete.clock, complete.max_requests_per_minute);
    return *out ? SCALEKIT_OK : SCALEKIT_ERR_NOMEM;
}

void scalekit_governor_free(scalekit_governor *governor)
{
    if (!governor)
        return;
    lock(governor);
    unref_and_unlock(governor);
}

static unsigned total_queued(const scalekit_governor *governor, int kind)
{
    const struct ski_list *head = &governor->seats;
    unsigned total = 0;

    for (const struct ski_list *node = head->next; node != head; node = node->next)
        total += atomic_load_explicit(&SKI_CONTAINER(node, struct ski_seat, link)->queued[kind],
                                      memory_order_relaxed);
    return total;
}

static void read_stats(scalekit_governor *governor, struct scalekit_governor_stats *stats)
{
    int64_t now = ski_clock_ms(&governor->clock);
    double per_second;

    lock(governor);
    ski_rate_measure(&governor->rate, all_sent(governor), now);
    per_second = ski_rate_per_second(&governor->rate, now);
    stats->max_requests_per_minute = governor->rate.ceiling;
    stats->clients = governor->n_seats;
    stats->rate = isinf(per_second) ? 0.0 : per_second * 60.0;
    stats->measured = governor->rate.measured * 60.0;
    stats->parked_ms = governor->rate.parked_ms > now ? governor->rate.parked_ms - now : 0;
    stats->rate_limited = governor->rate_limited;
    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        stats->sent[kind] = total_sent(governor, kind);
        stats->waiting[kind] = total_queued(governor, kind);
    }
    publish_and_unlock(governor, now);
}

void scalekit_governor_read_stats(scalekit_governor *governor,
                                  struct scalekit_governor_stats *stats, size_t struct_size)
{
    struct scalekit_governor_stats read = {.struct_size = struct_size};

    if (!stats)
        return;
    if (governor)
        read_stats(governor, &read);
    memset(stats, 0, struct_size);
    memcpy(stats, &read, struct_size < sizeof read ? struct_size : sizeof read);
}

const char *scalekit_request_class_name(enum scalekit_request_class request_class)
{
    static const char *const names[SKI_CLASSES] = {"interactive", "token", "tool", "watch",
                                                   "background"};

    return (unsigned)request_class < SKI_CLASSES ? names[request_class] : "unknown";
}
