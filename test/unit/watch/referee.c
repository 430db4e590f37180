#include "unit/watch/referee.h"
#include "core/client.h"
#include <event2/event.h>
#include <stdarg.h>
#include <stdlib.h>

#define MAX_TURNS 1000 /* of the loop at one moment; more is spinning */

/* --- faults ------------------------------------------------------------------------------------ */

static int64_t now_ms(const struct referee *referee)
{
    return realm_now(referee->realm);
}

static unsigned number_of(const struct sight *sight)
{
    return (unsigned)(sight - sight->referee->sights);
}

__attribute__((format(printf, 2, 3))) void referee_say(const struct referee *referee,
                                                       const char *format, ...)
{
    va_list arguments;

    if (!referee->trace)
        return;
    printf("%10lld ", (long long)now_ms(referee));
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

__attribute__((format(printf, 3, 4))) void referee_fault(struct referee *referee,
                                                         const struct sight *sight,
                                                         const char *format, ...)
{
    va_list arguments;
    size_t used;

    if (*referee->fault)
        return;
    if (sight)
        snprintf(referee->fault, sizeof referee->fault,
                 "at %lld ms, watch %u on account %u: ", (long long)now_ms(referee),
                 number_of(sight), (unsigned)(sight->account - referee->realm->accounts));
    else
        snprintf(referee->fault, sizeof referee->fault, "at %lld ms: ", (long long)now_ms(referee));
    used = strlen(referee->fault);
    va_start(arguments, format);
    vsnprintf(referee->fault + used, sizeof referee->fault - used, format, arguments);
    va_end(arguments);
    referee_say(referee, "FAULT %s", referee->fault);
}

/* --- being told ------------------------------------------------------------------------------- */

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct sight *sight = user;
    struct referee *referee = sight->referee;

    referee_say(referee, "watch %u: %s%s%s%s%s", number_of(sight),
                scalekit_watch_event_name(event->kind), event->status_text ? " " : "",
                event->status_text ? event->status_text : "", event->error ? ": " : "",
                event->error ? event->error->message : "");
    if (referee->inside)
        referee_fault(referee, sight, "%s from inside a call",
                      scalekit_watch_event_name(event->kind));
    if (sight->finals)
        referee_fault(referee, sight, "%s after its end", scalekit_watch_event_name(event->kind));
    if (event->final != referee_is_final(sight, event->kind))
        referee_fault(referee, sight, "%s is%s final", scalekit_watch_event_name(event->kind),
                      event->final ? "" : " not");
    if (watch != sight->watch || scalekit_watch_status(watch) != event->status)
        referee_fault(referee, sight, "is told for another watch, or another status");
    if (sight->connects && !sight->linked && !event->final && event->kind != SCALEKIT_WATCH_LINK)
        referee_fault(referee, sight, "%s before its link", scalekit_watch_event_name(event->kind));
    referee->kinds[event->kind]++;
    referee->sources[event->source]++;
    referee_judge(sight, event);
    if (event->final && !sight->finals)
        referee_end(sight, event);
    if (referee->act)
        referee->act(sight, referee->user);
}

/* --- what the application does ----------------------------------------------------------------- */

static struct sight *new_sight(struct referee *referee, struct realm_account *account)
{
    struct sight *sight = &referee->sights[referee->n];

    if (referee->n == referee->room || !referee->client || referee->client_freed)
        return NULL;
    *sight = (struct sight){
        .referee = referee,
        .account = account,
        .start_ms = now_ms(referee),
        .deadline_ms = INT64_MAX,
        .usable_ms = INT64_MAX,
    };
    return sight;
}

static struct sight *accepted(struct sight *sight, scalekit_watch *watch)
{
    struct referee *referee = sight->referee;

    referee->inside = false;
    sight->watch = watch;
    if (!watch) {
        referee_fault(referee, sight, "was not accepted");
        return NULL;
    }
    referee->n++;
    referee->running++;
    sight->limit_ms = earlier(sight->deadline_ms, sight->usable_ms) + REFEREE_LATE_MS;
    return sight;
}

struct sight *referee_follow(struct referee *referee, struct realm_account *account,
                             const struct terms *terms)
{
    struct sight *sight = new_sight(referee, account);
    char connection[REALM_NAME], identifier[REALM_NAME], id[REALM_NAME];
    int64_t now = now_ms(referee);

    if (!sight)
        return NULL;
    sight->terms = *terms;
    realm_connection(connection, account);
    realm_identifier(identifier, account);
    realm_id(id, terms->id);
    if (terms->link_expiry)
        sight->usable_ms = referee_usable_ms(referee, terms->link_expiry);
    if (terms->deadline_ms)
        sight->deadline_ms = now + terms->deadline_ms;
    else if (!terms->link_expiry)
        sight->deadline_ms = now + REFEREE_USUAL_MS;
    referee_say(referee, "watch %u: follows account %u (id %u) for %lld ms, link %lld ms%s%s%s%s%s",
                referee->n, (unsigned)(account - referee->realm->accounts), terms->id,
                (long long)terms->deadline_ms,
                terms->link_expiry ? (long long)(sight->usable_ms - now) : -1,
                terms->known_status ? ", known " : "",
                terms->known_status ? scalekit_account_status_name(terms->known_status) : "",
                terms->until_reauthorized ? ", until reauthorized" : "",
                terms->progress ? ", progress" : "", terms->follow ? ", on and on" : "");
    referee->inside = true;
    return accepted(
        sight,
        scalekit_watch_account(
            referee->client,
            SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = terms->id ? id : NULL,
                            .connection_name = terms->id ? NULL : connection,
                            .identifier = terms->id ? NULL : identifier,
                            .deadline_ms = terms->deadline_ms, .link_expiry = terms->link_expiry,
                            .known_status = terms->known_status,
                            .known_updated_at = terms->known_updated_at,
                            .until_reauthorized = terms->until_reauthorized,
                            .progress = terms->progress, .follow = terms->follow),
            on_event, sight));
}

struct sight *referee_follow_nobody(struct referee *referee)
{
    struct sight *sight = new_sight(referee, &referee->realm->accounts[0]);

    if (!sight)
        return NULL;
    sight->wrong = true;
    sight->deadline_ms = now_ms(referee);
    referee_say(referee, "watch %u: follows nobody", referee->n);
    referee->inside = true;
    return accepted(sight,
                    scalekit_watch_account(
                        referee->client,
                        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "connection_0"),
                        on_event, sight));
}

struct sight *referee_connect(struct referee *referee, struct realm_account *account,
                              int64_t deadline_ms)
{
    struct sight *sight = new_sight(referee, account);
    char connection[REALM_NAME], identifier[REALM_NAME];

    if (!sight)
        return NULL;
    sight->connects = true;
    realm_connection(connection, account);
    realm_identifier(identifier, account);
    if (deadline_ms)
        sight->deadline_ms = now_ms(referee) + deadline_ms;
    else
        sight->usable_ms = now_ms(referee) + REFEREE_USUAL_MS; /* until it has its link */
    referee_say(referee, "watch %u: connects account %u for %lld ms", referee->n,
                (unsigned)(account - referee->realm->accounts), (long long)deadline_ms);
    referee->inside = true;
    return accepted(sight, scalekit_connect_account(referee->client,
                                                    SCALEKIT_PARAMS(scalekit_connect_account_params,
                                                                    .connection_name = connection,
                                                                    .identifier = identifier,
                                                                    .deadline_ms = deadline_ms),
                                                    on_event, sight));
}

void referee_stop(struct sight *sight)
{
    if (!sight->watch)
        return;
    referee_say(sight->referee, "watch %u: stop", number_of(sight));
    sight->stopped = true;
    sight->referee->inside = true;
    scalekit_watch_stop(sight->watch);
    sight->referee->inside = false;
}

void referee_look(struct sight *sight)
{
    sight->referee->inside = true;
    scalekit_watch_look_now(sight->watch);
    sight->referee->inside = false;
}

void referee_ref(struct sight *sight)
{
    if (!sight->watch)
        return;
    sight->refs++;
    scalekit_watch_ref(sight->watch);
}

void referee_unref(struct sight *sight)
{
    scalekit_watch *watch = sight->watch;

    if (!sight->refs)
        return;
    if (--sight->refs == 0 && sight->finals)
        sight->watch = NULL;
    scalekit_watch_unref(watch);
}

void referee_free_client(struct referee *referee)
{
    scalekit_client *client = referee->client;

    if (referee->client_freed)
        return;
    referee_say(referee, "the client is freed");
    referee->client_freed = true;
    referee->client = NULL;
    scalekit_client_free(client);
}

void referee_jump(struct referee *referee, int64_t monotonic_ms, int64_t wall_ms)
{
    struct realm *realm = referee->realm;
    int64_t from = now_ms(referee), to = from + monotonic_ms;

    referee_say(referee, "the clocks jump by %lld and %lld ms", (long long)monotonic_ms,
                (long long)wall_ms);
    realm->clock.wall_us += wall_ms * 1000;
    if (!monotonic_ms)
        return;
    realm->clock.monotonic_us += monotonic_ms * 1000;
    if (realm->n_spells < REALM_SPELLS)
        realm->spells[realm->n_spells++] = (struct realm_spell){REALM_PAUSED, from, to, 0, 0, 0};
    for (unsigned i = 0; i < referee->n; i++)
        if (referee->sights[i].limit_ms > from &&
            referee->sights[i].limit_ms <= to + REFEREE_LATE_MS)
            referee->sights[i].limit_ms = to + REFEREE_LATE_MS;
}

/* --- time -------------------------------------------------------------------------------------- */

/* The loop's alarm counts real time, which has no business here: it believes that it is set to the
 * beginning of time, so that nothing is early enough to set it anew. */
static void silence_alarm(struct ski_loop *loop)
{
    if (loop->alarm_ms != INT64_MIN)
        evtimer_del(loop->alarm);
    loop->alarm_ms = INT64_MIN;
}

static int64_t next_timer_ms(const struct referee *referee)
{
    int64_t next = referee->client ? scalekit_client_next_timer(referee->client) : INT64_MAX;

    return next == INT64_MAX ? next : (next + 999) / 1000;
}

void referee_settle(struct referee *referee)
{
    int64_t now = now_ms(referee);

    for (unsigned turns = 0; referee->client; turns++) {
        if (turns == MAX_TURNS) {
            referee_fault(referee, NULL, "the loop spins");
            return;
        }
        realm_run(referee->realm);
        referee_post(referee);
        scalekit_client_run_timers(referee->client);
        silence_alarm(&referee->client->loop);
        if (ski_list_empty(&referee->client->loop.tasks) && next_timer_ms(referee) > now &&
            realm_next_ms(referee->realm) > now && referee_next_post_ms(referee) > now)
            return;
        event_base_loop(referee->base, EVLOOP_NONBLOCK);
    }
}

bool referee_step(struct referee *referee, int64_t end_ms)
{
    int64_t now = now_ms(referee);
    int64_t next = earlier(referee_next_post_ms(referee),
                           earlier(realm_next_ms(referee->realm), next_timer_ms(referee)));
    bool last = next >= end_ms;

    next = earlier(next, end_ms);
    if (next > now)
        test_clock_advance_ms(&referee->realm->clock, next - now);
    referee_settle(referee);
    return !last;
}

void referee_run(struct referee *referee, int64_t end_ms)
{
    referee_settle(referee);
    while (referee->running && !*referee->fault && referee->client)
        if (!referee_step(referee, end_ms))
            break;
}

/* --- the whole --------------------------------------------------------------------------------- */

void referee_open(struct referee *referee, struct realm *realm, struct event_base *base,
                  const struct scalekit_config *config, unsigned most_sights)
{
    struct scalekit_config complete = *config;

    *referee = (struct referee){.realm = realm, .base = base, .room = most_sights};
    test_memory_init(&referee->memory);
    referee->sights = malloc(most_sights * sizeof *referee->sights);
    complete.struct_size = sizeof complete;
    complete.env_url = "http://127.0.0.1";
    complete.client_id = "skc_realm";
    complete.client_secret = "realm";
    complete.clock = &realm->clock.clock;
    complete.allocator = &referee->memory.allocator;
    CU_ASSERT_PTR_NOT_NULL_FATAL(referee->sights);
    CU_ASSERT_EQUAL_FATAL(scalekit_client_new(&referee->client, base, &complete, NULL),
                          SCALEKIT_OK);
    ski_pool_use(referee->client->pool, &realm->carrier);
}

/* With its last watch the client lets go of the loop, but for a sign-in that is still under way. */
static void check_rest(struct referee *referee)
{
    int64_t end = now_ms(referee) + 60000;

    while (referee->client->loop.holds && referee_step(referee, end))
        ;
    if (referee->client->loop.holds)
        referee_fault(referee, NULL, "nothing is watched, and the loop is held");
}

void referee_close(struct referee *referee)
{
    for (unsigned i = 0; i < referee->n; i++) {
        struct sight *sight = &referee->sights[i];

        if (!sight->finals && now_ms(referee) > sight->limit_ms && !referee->client_freed)
            referee_fault(referee, sight, "has not ended by %lld ms", (long long)sight->limit_ms);
    }
    if (referee->client && !referee->running && !*referee->fault)
        check_rest(referee);
    referee->act = NULL;
    referee_free_client(referee);
    event_base_loop(referee->base, EVLOOP_NONBLOCK);
    for (unsigned i = 0; i < referee->n; i++) {
        struct sight *sight = &referee->sights[i];

        if (sight->finals != 1)
            referee_fault(referee, sight, "ended %u times", sight->finals);
        while (sight->refs)
            referee_unref(sight);
    }
    referee_check_post(referee);
    if (referee->memory.live)
        referee_fault(referee, NULL, "%ld blocks of memory are live", referee->memory.live);
    if (*referee->realm->problem)
        referee_fault(referee, NULL, "%s", referee->realm->problem);
    free(referee->sights);
    free(referee->receipts);
}
