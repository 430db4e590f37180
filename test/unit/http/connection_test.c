/* What both protocols promise; each alone: connection_h1_test.c, connection_h2_test.c. */
#include "phone.h"

static const struct h2_server_options good;

/* The ways to one protocol or the other. */
static const struct way {
    const char *name;
    struct rig_options options;
    const char *alpn; /* the server's choice; NULL: none */
    bool multiplexed;
} ways[] = {
    {.name = "plain"},
    {.name = "TLS, http/1.1 offered", .options = {.tls = true}},
    {.name = "TLS, http/1.1 chosen", .options = {.h2 = &good}, .alpn = "http/1.1"},
    {.name = "TLS, nothing chosen", .options = {.h2 = &good}},
    {.name = "TLS, h2 chosen", .options = {.h2 = &good}, .alpn = "h2", .multiplexed = true},
};

#define WAY_IS(way, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (way)->name, __FILE__, "", CU_FALSE)

static void start_rig(struct rig *rig, const struct way *way)
{
    rig_init(rig, &way->options);
    if (way->options.h2)
        rig_speak(rig, way->alpn);
}

/* Each test is run on every way. */
static void on_each_way(void (*test)(const struct way *way))
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        test(&ways[i]);
}

static unsigned heard(const struct rig *rig)
{
    return rig->heard + (rig->h2 ? rig_heard(rig)->requests : 0);
}

static void carries_one(const struct way *way)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig, way);
    phone_dial(&phone, &rig);
    WAY_IS(way, !ski_connection_is_multiplexed(phone.connection));
    WAY_IS(way, !ski_connection_is_leaving(phone.connection));
    RIG_UNTIL(&rig, phone.ready == 1);
    WAY_IS(way, ski_connection_is_multiplexed(phone.connection) == way->multiplexed);
    WAY_IS(way, ski_connection_room(phone.connection) == (way->multiplexed ? 256 : 1));
    shot_init(&shot, &rig, "/a");
    phone_start(&phone, &shot);
    WAY_IS(way, ski_connection_load(phone.connection) == 1);
    RIG_UNTIL(&rig, shot.done && ski_connection_load(phone.connection) == 0);
    WAY_IS(way, shot_hit(&shot));
    WAY_IS(way, shot.exchange.sent);
    WAY_IS(way, rig.heard == !way->multiplexed);
    WAY_IS(way, heard(&rig) == 1);
    shot_free(&shot);
    phone_hang_up(&phone);
    rig_free(&rig);
}

static void speaks_what_was_chosen(void)
{
    on_each_way(carries_one);
}

static void is_refused(const struct way *way)
{
    struct rig rig;
    struct phone phone;

    start_rig(&rig, way);
    rig_set_port(&rig, test_refused_port());
    phone_dial(&phone, &rig);
    RIG_UNTIL(&rig, phone.ended == 1);
    WAY_IS(way, !phone.opened && phone.ready == 0);
    WAY_IS(way, phone.failure.code == SCALEKIT_ERR_CONNECT);
    WAY_IS(way, phone.failure.phase == SCALEKIT_PHASE_CONNECT);
    rig_free(&rig);
}

static void says_why_it_did_not_open(void)
{
    on_each_way(is_refused);
}

static void is_freed_early(const struct way *way)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig, way);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, "/mute");
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, heard(&rig) == 1);
    phone_hang_up(&phone);
    RIG_UNTIL(&rig, test_peer_counts(rig.peer)->clean + test_peer_counts(rig.peer)->broken == 1);
    WAY_IS(way, shot.done == 0 && phone.ended == 0);
    WAY_IS(way, !ski_list_linked(&shot.exchange.link));
    shot_free(&shot);
    rig_free(&rig);
}

static void forgets_its_exchanges_when_freed(void)
{
    on_each_way(is_freed_early);
}

static void ends_idle(const struct way *way)
{
    struct rig rig;
    struct phone phone;

    start_rig(&rig, way);
    phone_open(&phone, &rig);
    RIG_UNTIL(&rig, test_peer_counts(rig.peer)->opened == 1);
    test_link_finish(test_peer_last(rig.peer));
    RIG_UNTIL(&rig, phone.ended == 1);
    WAY_IS(way, phone.opened);
    WAY_IS(way, phone.failure.code == SCALEKIT_OK);
    rig_free(&rig);
}

static void ends_when_the_server_ends_it_while_idle(void)
{
    on_each_way(ends_idle);
}

static void sleeps_and_wakes(const struct way *way)
{
    struct rig rig;
    struct phone phone;
    struct shot shot;

    start_rig(&rig, way);
    phone_open(&phone, &rig);
    shot_init(&shot, &rig, "/a");
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, shot.done);
    test_loop_turn(&rig.test);
    ski_connection_sleep(phone.connection);
    WAY_IS(way, ski_connection_wake(phone.connection));
    ski_exchange_reset(&shot.exchange);
    phone_start(&phone, &shot);
    RIG_UNTIL(&rig, shot.done == 2);
    WAY_IS(way, shot.exchange.status == 200);
    shot_free(&shot);

    ski_connection_sleep(phone.connection);
    test_link_finish(test_peer_last(rig.peer));
    RIG_UNTIL(&rig, !test_peer_last(rig.peer));
    test_loop_turn(&rig.test);
    WAY_IS(way, phone.ended == 0);
    WAY_IS(way, !ski_connection_wake(phone.connection));
    phone_hang_up(&phone);
    rig_free(&rig);
}

static void wakes_unless_it_went_stale(void)
{
    on_each_way(sleeps_and_wakes);
}

SUITE(connection, {"speaks what was chosen", speaks_what_was_chosen},
      {"says why it did not open", says_why_it_did_not_open},
      {"forgets its exchanges when freed", forgets_its_exchanges_when_freed},
      {"ends when the server ends it while idle", ends_when_the_server_ends_it_while_idle},
      {"wakes unless it went stale", wakes_unless_it_went_stale})
