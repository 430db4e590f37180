#include "unit/watch/realm.h"
#include "base/str.h"
#include <stdlib.h>

/* At 0 of the monotonic clock; the client's begins with the same. */
#define WALL_US INT64_C(1787306399000000)

struct flight {
    struct ski_exchange *exchange; /* NULL: cancelled */
    int64_t due_ms;
    uint64_t order;
    const struct realm_spell *spell; /* what happens to it; NULL */
    bool arrived;
};

/* --- dice and time ----------------------------------------------------------------------------- */

/* SplitMix64, apart from the client's own dice. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t realm_roll(struct realm *realm, uint64_t sides)
{
    realm->seed += UINT64_C(0x9e3779b97f4a7c15);
    return mix(realm->seed) % sides;
}

bool realm_chance(struct realm *realm, unsigned percent)
{
    return realm_roll(realm, 100) < percent;
}

int64_t realm_between(struct realm *realm, int64_t low, int64_t high)
{
    return low + (int64_t)realm_roll(realm, (uint64_t)(high - low) + 1);
}

int64_t realm_wall_us(int64_t at_ms)
{
    return WALL_US + at_ms * 1000;
}

int64_t realm_now(const struct realm *realm)
{
    return realm->clock.monotonic_us / 1000;
}

/* --- lives ------------------------------------------------------------------------------------- */

static enum scalekit_account_status status_of(const char *word)
{
    for (int status = SCALEKIT_ACCOUNT_PENDING; word && status <= SCALEKIT_ACCOUNT_DISCONNECTED;
         status++)
        if (strcmp(word, scalekit_account_status_name((enum scalekit_account_status)status)) == 0)
            return (enum scalekit_account_status)status;
    return SCALEKIT_ACCOUNT_UNKNOWN;
}

void realm_write(struct realm *realm, struct realm_account *account, int64_t at_ms,
                 const char *word, bool anew)
{
    bool first = !account->n_moments;
    unsigned id = first || anew ? ++realm->last_id : account->moments[account->n_moments - 1].id;

    if (account->n_moments == REALM_MOMENTS)
        return;
    account->moments[account->n_moments++] = (struct realm_moment){
        .at_ms = at_ms,
        .word = word,
        .status = status_of(word),
        .id = id,
        .dated = realm_chance(realm, 80),
        .event = ++realm->last_event,
        .shown_ms = at_ms + realm_between(realm, 0, realm->habits.feed_lag_ms),
        .updated_us = realm_wall_us(at_ms),
    };
}

void realm_rewrite(struct realm *realm, struct realm_account *account, int64_t after_ms)
{
    (void)realm;
    while (account->n_moments && account->moments[account->n_moments - 1].at_ms > after_ms)
        account->n_moments--;
}

const struct realm_moment *realm_at(const struct realm_account *account, int64_t at_ms)
{
    const struct realm_moment *moment = account->moments;

    for (unsigned i = 1; i < account->n_moments && account->moments[i].at_ms <= at_ms; i++)
        moment = &account->moments[i];
    return moment;
}

void realm_connection(char name[REALM_NAME], const struct realm_account *account)
{
    snprintf(name, REALM_NAME, "connection_%u", account->connection);
}

void realm_identifier(char name[REALM_NAME], const struct realm_account *account)
{
    snprintf(name, REALM_NAME, "user_%u", account->user);
}

void realm_id(char name[REALM_NAME], unsigned id)
{
    snprintf(name, REALM_NAME, "ca_%u", id);
}

void realm_expire_tokens(struct realm *realm)
{
    realm->token++;
}

/* --- what befalls a request -------------------------------------------------------------------- */

static const struct realm_spell *spell_at(struct realm *realm, bool (*is_it)(enum realm_fault))
{
    int64_t now = realm_now(realm);

    for (unsigned i = 0; i < realm->n_spells; i++) {
        const struct realm_spell *spell = &realm->spells[i];

        if (is_it(spell->fault) && now >= spell->from_ms && now < spell->to_ms &&
            realm_chance(realm, spell->percent))
            return spell;
    }
    return NULL;
}

static bool is_general(enum realm_fault fault)
{
    return fault != REALM_PAUSED && fault != REALM_FLICKER && fault != REALM_NO_FEED;
}

static bool is_flicker(enum realm_fault fault)
{
    return fault == REALM_FLICKER;
}

static bool is_no_feed(enum realm_fault fault)
{
    return fault == REALM_NO_FEED;
}

bool realm_flickers(struct realm *realm)
{
    return spell_at(realm, is_flicker);
}

int realm_feed_status(struct realm *realm)
{
    const struct realm_spell *spell = spell_at(realm, is_no_feed);

    return spell ? spell->status : realm->habits.feed_status;
}

/* --- requests under way: a heap ---------------------------------------------------------------- */

static bool is_before(const struct flight *a, const struct flight *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void add_flight(struct realm *realm, struct flight flight)
{
    unsigned at = realm->n_flights++;

    if (at == realm->room_flights) {
        realm->room_flights = realm->room_flights * 2 + 64;
        realm->flights = realloc(realm->flights, realm->room_flights * sizeof *realm->flights);
        CU_ASSERT_PTR_NOT_NULL_FATAL(realm->flights);
    }
    for (; at && is_before(&flight, &realm->flights[(at - 1) / 2]); at = (at - 1) / 2)
        realm->flights[at] = realm->flights[(at - 1) / 2];
    realm->flights[at] = flight;
}

static struct flight take_flight(struct realm *realm)
{
    struct flight first = realm->flights[0];
    struct flight last = realm->flights[--realm->n_flights];
    unsigned at = 0, child;

    while ((child = 2 * at + 1) < realm->n_flights) {
        if (child + 1 < realm->n_flights &&
            is_before(&realm->flights[child + 1], &realm->flights[child]))
            child++;
        if (!is_before(&realm->flights[child], &last))
            break;
        realm->flights[at] = realm->flights[child];
        at = child;
    }
    realm->flights[at] = last;
    return first;
}

static int64_t half_way(struct realm *realm)
{
    return realm_between(realm, realm->habits.fastest_ms / 2, realm->habits.slowest_ms / 2);
}

static void start(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct realm *realm = SKI_CONTAINER(carrier, struct realm, carrier);
    struct flight flight = {
        .exchange = exchange,
        .due_ms = realm_now(realm) + half_way(realm),
        .order = realm->sent++,
        .spell = spell_at(realm, is_general),
    };

    if (realm->trace)
        printf("%10lld    %s %s\n", (long long)realm_now(realm), exchange->method,
               exchange->target);
    exchange->sent = !flight.spell || flight.spell->fault != REALM_UNREACHABLE;
    if (!flight.spell || flight.spell->fault != REALM_SILENT)
        add_flight(realm, flight);
}

static void cancel(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct realm *realm = SKI_CONTAINER(carrier, struct realm, carrier);

    for (unsigned i = 0; i < realm->n_flights; i++)
        if (realm->flights[i].exchange == exchange)
            realm->flights[i].exchange = NULL;
}

static bool is_sign_in(const struct ski_exchange *exchange)
{
    return strcmp(exchange->target, "/oauth/token") == 0;
}

static void answer_spell(const struct realm_spell *spell, struct ski_exchange *exchange)
{
    char seconds[16];

    switch (spell->fault) {
    case REALM_GARBAGE:
        exchange->status = 200;
        ski_buf_adds(&exchange->answer, "{\"connected_account\":{\"id\":\"ca_");
        break;
    case REALM_EMPTY:
        exchange->status = 200;
        ski_buf_adds(&exchange->answer, "{}");
        break;
    default:
        realm_answer_error(exchange, spell->status);
        if (spell->retry_after_s) {
            snprintf(seconds, sizeof seconds, "%u", spell->retry_after_s);
            ski_headers_add(&exchange->answer_headers, ski_slice_of("retry-after"),
                            ski_slice_of(seconds));
        }
    }
}

static void arrive(struct realm *realm, struct flight flight)
{
    if (flight.spell && flight.spell->fault != REALM_UNREACHABLE &&
        flight.spell->fault != REALM_CUT)
        answer_spell(flight.spell, flight.exchange);
    else if (!flight.spell)
        realm_answer(realm, flight.exchange);
    flight.arrived = true;
    flight.due_ms = realm_now(realm) + half_way(realm);
    add_flight(realm, flight);
}

static void note_refusal(struct realm *realm, const struct ski_exchange *exchange)
{
    int status = exchange->status;

    if (status != 400 && status != 401 && status != 403)
        return;
    if (is_sign_in(exchange))
        realm->sign_in_refused_ms = realm_now(realm);
    else if (!realm_is_feed(exchange))
        realm->refused_ms = realm_now(realm);
}

static void complete(struct realm *realm, const struct flight *flight)
{
    struct ski_exchange *exchange = flight->exchange;
    struct ski_failure failure;

    if (!exchange->status) {
        bool refused = flight->spell->fault == REALM_UNREACHABLE;

        ski_fail(&failure, refused ? SCALEKIT_ERR_CONNECT : SCALEKIT_ERR_NETWORK,
                 refused ? SCALEKIT_PHASE_CONNECT : SCALEKIT_PHASE_RECEIVE, "the realm is %s",
                 refused ? "closed" : "torn");
        exchange->done(exchange, &failure);
        return;
    }
    note_refusal(realm, exchange);
    exchange->done(exchange, NULL);
}

int64_t realm_next_ms(const struct realm *realm)
{
    return realm->n_flights ? realm->flights[0].due_ms : INT64_MAX;
}

void realm_run(struct realm *realm)
{
    int64_t now = realm_now(realm);

    while (realm_next_ms(realm) <= now) {
        struct flight flight = take_flight(realm);

        if (!flight.exchange)
            continue;
        if (flight.arrived)
            complete(realm, &flight);
        else
            arrive(realm, flight);
    }
}

/* --- the whole --------------------------------------------------------------------------------- */

void realm_init(struct realm *realm, uint64_t seed, unsigned connections, unsigned users)
{
    struct flight *flights = realm->flights;
    struct realm_account *accounts = realm->accounts;
    unsigned room_flights = realm->room_flights, n = connections * users;

    if (n > realm->n_accounts) {
        free(accounts);
        accounts = malloc(n * sizeof *accounts);
        CU_ASSERT_PTR_NOT_NULL_FATAL(accounts);
    }
    memset(realm, 0, sizeof *realm);
    realm->carrier = (struct ski_carrier){start, cancel};
    test_clock_init(&realm->clock);
    realm->as_of_ms = INT64_MAX;
    realm->seed = mix(~seed); /* far from that of the next seed */
    realm->clock.seed = mix(realm->seed);
    realm->habits = (struct realm_habits){
        .fastest_ms = 20,
        .slowest_ms = 80,
        .feed_status = 501,
        .page_cap = 99,
        .link_life_ms = 600000,
    };
    realm->connections = connections;
    realm->users = users;
    realm->n_accounts = n;
    realm->flights = flights;
    realm->room_flights = room_flights;
    realm->refused_ms = realm->sign_in_refused_ms = INT64_MIN / 2;
    realm->accounts = accounts;
    for (unsigned i = 0; i < n; i++) {
        accounts[i].connection = i % connections;
        accounts[i].user = i / connections;
        accounts[i].n_moments = accounts[i].n_absences = 0;
    }
}

void realm_free(struct realm *realm)
{
    free(realm->accounts);
    free(realm->flights);
    memset(realm, 0, sizeof *realm);
}
