/* Events as deliveries: sent, tried again, gone wrong by script, and written down. */
#include "receiver.h"
#include "text.h"
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 1000000000 /* a speed that leaves nothing of the schedule */

/* --- tools ------------------------------------------------------------------------------------- */

static void set_status(struct world *world, const char *status)
{
    CU_ASSERT(scalekit_emulator_set_status(world->emulator, "gmail", "ann", status));
}

/* One event for each time; the account's creation is an event, too. */
static void change_often(struct world *world, size_t times)
{
    for (size_t i = 0; i < times; i++)
        set_status(world, i % 2 ? "EXPIRED" : "PENDING_AUTH");
}

/* The account is there before anybody listens. */
static void set_up(struct world *world, struct receiver *receiver,
                   const struct scalekit_emulator_webhook *config)
{
    world_set_up(world, NULL);
    set_status(world, "EXPIRED");
    receiver_start(receiver, world->base, NULL);
    receiver_register(receiver, world, config);
}

static void tear_down(struct world *world, struct receiver *receiver)
{
    receiver_stop(receiver);
    world_tear_down(world);
}

static struct scalekit_emulator_stats get_stats(const struct world *world)
{
    struct scalekit_emulator_stats stats;

    scalekit_emulator_stats(world->emulator, &stats);
    return stats;
}

static void on_guard(evutil_socket_t fd, short what, void *late)
{
    (void)fd;
    (void)what;
    *(bool *)late = true;
}

/* Turns the loop until no delivery is pending. */
static void wait_until_settled(struct world *world)
{
    struct timeval limit = {20, 0};
    bool late = false;
    struct event *guard = evtimer_new(world->base, on_guard, &late);

    evtimer_add(guard, &limit);
    while (world->emulator->webhooks.counts.pending && !late)
        event_base_loop(world->base, EVLOOP_ONCE);
    CU_ASSERT_FALSE(late);
    event_free(guard);
}

static struct scalekit_emulator_delivery get_delivery(const struct world *world, uint64_t number)
{
    struct scalekit_emulator_delivery delivery = {0};

    CU_ASSERT(scalekit_emulator_delivery(world->emulator, number, &delivery));
    return delivery;
}

/* What a delivery waits for, as if its time had come; gives how long it would have been. */
static int64_t skip_wait(struct emu_deliveries *list)
{
    struct emu_delivery *delivery = TAILQ_FIRST(list);
    struct timeval due, now;

    CU_ASSERT_PTR_NOT_NULL_FATAL(delivery);
    CU_ASSERT(evtimer_pending(delivery->timer, &due));
    evutil_gettimeofday(&now, NULL);
    event_del(delivery->timer);
    event_active(delivery->timer, EV_TIMEOUT, 0);
    return due.tv_sec - now.tv_sec;
}

/* --- what is sent ------------------------------------------------------------------------------ */

static void test_sent(void)
{
    static const char *const parts[] = {
        "{\"spec_version\":\"1\",\"id\":\"evt_",
        "\"type\":\"connected_account.status_updated\"",
        "\"occurred_at\":\"20",
        "\"environment_id\":\"env_",
        "\"object\":\"ConnectedAccount\",\"data\":{\"authorization_type\":\"OAUTH\"",
        "\"connection_name\":\"gmail\"",
        "\"identifier\":\"ann\"",
        "\"status\":\"ACTIVE\",\"old_status\":\"EXPIRED\"",
    };
    struct world world;
    struct receiver receiver;
    const struct receipt *receipt = receiver.receipts;

    set_up(&world, &receiver, NULL);
    set_status(&world, "ACTIVE");
    receiver_wait(&receiver, 1);
    wait_until_settled(&world);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(receiver.body, parts[i]));
    CU_ASSERT_PTR_NULL(strstr(receiver.body, "organization_id"));
    CU_ASSERT_PTR_NULL(strstr(receiver.body, "display_name"));
    CU_ASSERT_STRING_EQUAL(receipt->content_type, "application/json");
    CU_ASSERT_EQUAL(strncmp(receipt->id, "msg_", 4), 0);
    CU_ASSERT(receipt->is_signed);
    CU_ASSERT(llabs(receipt->timestamp - emu_now_us() / EMU_SECOND) < 60);
    CU_ASSERT_STRING_EQUAL(receipt->id, get_delivery(&world, 1).id);
    CU_ASSERT_STRING_EQUAL(receipt->event_id, get_delivery(&world, 1).event_id);

    /* The same event as the record has it. */
    world_ask(&world, POST, "/api/v1/events?page_size=1", "{}");
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, receiver.body));
    tear_down(&world, &receiver);
}

static void test_kinds(void)
{
    static const char *const types[] = {
        "connected_account.created",
        "connected_account.magic_link_generated",
        "connected_account.status_updated",
        "connected_account.oauth_succeeded",
        "connected_account.token_refresh_failed",
        "connected_account.status_updated",
        "connected_account.deleted",
    };
    struct world world;
    struct receiver receiver;

    world_set_up(&world, NULL);
    receiver_start(&receiver, world.base, NULL);
    receiver_register(&receiver, &world, NULL);
    scalekit_emulator_script_consent(world.emulator, SCALEKIT_CONSENT_APPROVE, 0);
    set_status(&world, "PENDING_AUTH");
    world_ask(&world, POST, ACCOUNTS "/magic_link",
              "{\"connector\":\"gmail\",\"identifier\":\"ann\"}");
    world_wait_for_status(&world, "ann", "ACTIVE");
    set_status(&world, "EXPIRED");
    world_ask(&world, POST, ACCOUNTS ":delete", "{\"connector\":\"gmail\",\"identifier\":\"ann\"}");
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(receiver.n, sizeof types / sizeof *types);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        CU_ASSERT_STRING_EQUAL(get_delivery(&world, i + 1).event_type, types[i]);
    tear_down(&world, &receiver);
}

static void test_several_endpoints(void)
{
    struct world world;
    struct receiver first, second;

    set_up(&world, &first, NULL);
    receiver_start(&second, world.base, NULL);
    receiver_register(&second, &world, NULL);
    CU_ASSERT_STRING_NOT_EQUAL(first.secret, second.secret);
    set_status(&world, "ACTIVE");
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(first.n, 1);
    CU_ASSERT_EQUAL(second.n, 1);
    CU_ASSERT(first.receipts[0].is_signed);
    CU_ASSERT(second.receipts[0].is_signed);
    CU_ASSERT_STRING_EQUAL(first.receipts[0].event_id, second.receipts[0].event_id);
    CU_ASSERT_STRING_NOT_EQUAL(first.receipts[0].id, second.receipts[0].id);
    receiver_stop(&second);
    tear_down(&world, &first);
}

/* --- attempts ---------------------------------------------------------------------------------- */

static const struct attempts_row {
    int answers[7]; /* ended by another 0 than the first */
    size_t n_answers;
    int attempts, status;
    enum scalekit_delivery_outcome outcome;
} attempts_rows[] = {
    {{200}, 1, 1, 200, SCALEKIT_DELIVERY_DELIVERED},
    {{201}, 1, 1, 201, SCALEKIT_DELIVERY_DELIVERED},
    {{204}, 1, 1, 204, SCALEKIT_DELIVERY_DELIVERED},
    {{299}, 1, 1, 299, SCALEKIT_DELIVERY_DELIVERED},
    {{302, 200}, 2, 2, 200, SCALEKIT_DELIVERY_DELIVERED},
    {{400, 200}, 2, 2, 200, SCALEKIT_DELIVERY_DELIVERED},
    {{500, 200}, 2, 2, 200, SCALEKIT_DELIVERY_DELIVERED},
    {{HANG_UP, 200}, 2, 2, 200, SCALEKIT_DELIVERY_DELIVERED},
    {{SILENCE, 202}, 2, 2, 202, SCALEKIT_DELIVERY_DELIVERED},
    {{500, HANG_UP, 301, 404, 503, 200}, 6, 6, 200, SCALEKIT_DELIVERY_DELIVERED},
    {{500}, 1, 6, 500, SCALEKIT_DELIVERY_GIVEN_UP},
    {{500, HANG_UP}, 2, 6, 0, SCALEKIT_DELIVERY_GIVEN_UP},
    {{410}, 1, 6, 410, SCALEKIT_DELIVERY_GIVEN_UP},
};

static void check_attempts(const struct attempts_row *row)
{
    struct scalekit_emulator_webhook config = {.speed = AT_ONCE};
    struct world world;
    struct receiver receiver;
    struct scalekit_emulator_delivery delivery;

    config.answer_ms = row->answers[0] == SILENCE ? 1000 : 60000;
    set_up(&world, &receiver, &config);
    receiver.answers = row->answers;
    receiver.n_answers = row->n_answers;
    set_status(&world, "ACTIVE");
    world.emulator->webhooks.endpoints[0]->config.answer_ms = 60000; /* of the other attempts */
    wait_until_settled(&world);
    delivery = get_delivery(&world, 1);
    CU_ASSERT_EQUAL(delivery.attempts, row->attempts);
    CU_ASSERT_EQUAL(delivery.status, row->status);
    CU_ASSERT_EQUAL(delivery.outcome, row->outcome);
    CU_ASSERT_EQUAL(receiver.n, (size_t)row->attempts);
    for (size_t i = 0; i < receiver.n; i++) {
        CU_ASSERT(receiver.receipts[i].is_signed);
        CU_ASSERT_STRING_EQUAL(receiver.receipts[i].id, delivery.id);
        CU_ASSERT_STRING_EQUAL(receiver.receipts[i].event_id, delivery.event_id);
    }
    tear_down(&world, &receiver);
}

static void test_attempts(void)
{
    for (size_t i = 0; i < sizeof attempts_rows / sizeof *attempts_rows; i++)
        check_attempts(&attempts_rows[i]);
}

static void test_schedule(void)
{
    static const int64_t waits_s[] = {5, 30, 120, 300, 900};
    static const int answers[] = {500};
    struct world world;
    struct receiver receiver;
    struct emu_endpoint *endpoint;

    set_up(&world, &receiver, NULL);
    receiver.answers = answers;
    receiver.n_answers = 1;
    endpoint = world.emulator->webhooks.endpoints[0];
    CU_ASSERT_EQUAL(endpoint->config.answer_ms, 10000);
    set_status(&world, "ACTIVE");
    for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
        int64_t wait_s;

        while (TAILQ_EMPTY(&endpoint->waiting))
            event_base_loop(world.base, EVLOOP_ONCE);
        wait_s = skip_wait(&endpoint->waiting);
        CU_ASSERT(wait_s <= waits_s[i] && wait_s > waits_s[i] / 2);
        /* A later attempt is signed for its own time. */
        receiver_wait(&receiver, i + 2);
        CU_ASSERT(receiver.receipts[i + 1].is_signed);
        CU_ASSERT(receiver.receipts[i + 1].timestamp >= receiver.receipts[i].timestamp);
    }
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(get_stats(&world).given_up, 1);
    tear_down(&world, &receiver);
}

static uint16_t find_closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, length), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void test_nobody_listens(void)
{
    struct scalekit_emulator_webhook config = {.speed = AT_ONCE};
    struct world world;
    struct scalekit_emulator_delivery delivery;
    char url[64];

    world_set_up(&world, NULL);
    set_status(&world, "EXPIRED");
    snprintf(url, sizeof url, "http://localhost:%d/", find_closed_port());
    config.url = url;
    CU_ASSERT_FATAL(scalekit_emulator_add_webhook(world.emulator, &config, NULL, 0));
    set_status(&world, "ACTIVE");
    wait_until_settled(&world);
    delivery = get_delivery(&world, 1);
    CU_ASSERT_EQUAL(delivery.attempts, 6);
    CU_ASSERT_EQUAL(delivery.status, 0);
    CU_ASSERT_EQUAL(delivery.outcome, SCALEKIT_DELIVERY_GIVEN_UP);
    CU_ASSERT_STRING_EQUAL(delivery.url, url);
    world_tear_down(&world);
}

/* --- scripts ----------------------------------------------------------------------------------- */

#define N_SCRIPTED 200

/* The numbers of the deliveries, in the order in which they arrived. */
static size_t arrivals(const struct world *world, const struct receiver *receiver,
                       int out[2 * N_SCRIPTED])
{
    for (size_t i = 0; i < receiver->n; i++) {
        out[i] = 0;
        for (uint64_t n = 1; n <= N_SCRIPTED; n++)
            if (strcmp(get_delivery(world, n).id, receiver->receipts[i].id) == 0)
                out[i] = (int)n;
        CU_ASSERT(out[i] > 0);
    }
    return receiver->n;
}

/* Runs a script; `times` gets how often each delivery arrived, from 1 on. */
static size_t play(const struct scalekit_emulator_webhook *script, int order[2 * N_SCRIPTED],
                   int times[N_SCRIPTED + 1])
{
    struct scalekit_emulator_webhook config = *script;
    struct world world;
    struct receiver receiver;
    struct scalekit_emulator_stats stats;
    size_t n;

    config.connections = 1; /* so that they arrive as they are sent */
    set_up(&world, &receiver, &config);
    change_often(&world, N_SCRIPTED);
    wait_until_settled(&world);
    n = arrivals(&world, &receiver, order);
    memset(times, 0, (N_SCRIPTED + 1) * sizeof *times);
    for (size_t i = 0; i < n; i++)
        times[order[i]]++;
    for (int i = 1; i <= N_SCRIPTED; i++) {
        struct scalekit_emulator_delivery delivery = get_delivery(&world, (uint64_t)i);

        CU_ASSERT_EQUAL(delivery.attempts, times[i]);
        CU_ASSERT_EQUAL(delivery.outcome == SCALEKIT_DELIVERY_LOST, times[i] == 0);
    }
    stats = get_stats(&world);
    CU_ASSERT_EQUAL(stats.deliveries, N_SCRIPTED);
    CU_ASSERT_EQUAL(stats.delivered + stats.lost, N_SCRIPTED);
    CU_ASSERT_EQUAL(stats.delivery_attempts, n);
    tear_down(&world, &receiver);
    return n;
}

/* How many arrived behind a later one, when each is counted at its first arrival. */
static int count_overtaken(const int *order, size_t n)
{
    bool seen[N_SCRIPTED + 1] = {false};
    int overtaken = 0, latest = 0;

    for (size_t i = 0; i < n; i++) {
        overtaken += !seen[order[i]] && order[i] < latest;
        seen[order[i]] = true;
        latest = order[i] > latest ? order[i] : latest;
    }
    return overtaken;
}

static void test_scripts(void)
{
    static const struct {
        struct scalekit_emulator_webhook script;
        int lost[2], doubled[2], overtaken[2]; /* at least and at most */
    } rows[] = {
        {{.seed = 1}, {0, 0}, {0, 0}, {0, 0}},
        {{.loss = 20, .seed = 1}, {20, 60}, {0, 0}, {0, 0}},
        {{.loss = 100}, {200, 200}, {0, 0}, {0, 0}},
        {{.duplicate = 10, .seed = 2}, {0, 0}, {8, 35}, {0, 0}},
        {{.duplicate = 100}, {0, 0}, {200, 200}, {0, 0}},
        {{.reorder = 10, .seed = 3}, {0, 0}, {0, 0}, {8, 35}},
        {{.loss = 20, .duplicate = 10, .reorder = 10, .seed = 4}, {20, 60}, {5, 35}, {5, 35}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int order[2 * N_SCRIPTED], again[2 * N_SCRIPTED], times[N_SCRIPTED + 1];
        int lost = 0, doubled = 0, overtaken;
        size_t n = play(&rows[i].script, order, times);

        for (int k = 1; k <= N_SCRIPTED; k++) {
            lost += times[k] == 0;
            doubled += times[k] == 2;
            CU_ASSERT(times[k] <= 2);
        }
        overtaken = count_overtaken(order, n);
        CU_ASSERT(lost >= rows[i].lost[0] && lost <= rows[i].lost[1]);
        CU_ASSERT(doubled >= rows[i].doubled[0] && doubled <= rows[i].doubled[1]);
        CU_ASSERT(overtaken >= rows[i].overtaken[0] && overtaken <= rows[i].overtaken[1]);

        CU_ASSERT_EQUAL(play(&rows[i].script, again, times), n); /* a seed says it all */
        CU_ASSERT_EQUAL(memcmp(order, again, n * sizeof *order), 0);
    }
}

static void test_held_alone(void)
{
    static const struct scalekit_emulator_webhook config = {.reorder = 100};
    struct world world;
    struct receiver receiver;
    struct emu_endpoint *endpoint;

    set_up(&world, &receiver, &config);
    endpoint = world.emulator->webhooks.endpoints[0];
    set_status(&world, "ACTIVE");
    CU_ASSERT_EQUAL(get_stats(&world).delivery_attempts, 0);
    CU_ASSERT(skip_wait(&endpoint->held) <= 1);
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(receiver.n, 1);
    CU_ASSERT_EQUAL(get_stats(&world).delivered, 1);
    tear_down(&world, &receiver);
}

static void test_delay(void)
{
    static const struct scalekit_emulator_webhook late = {.delay = 100, .delay_ms = 3600000};
    static const struct scalekit_emulator_webhook prompt = {.delay = 0};
    struct world world;
    struct receiver receiver;
    struct emu_endpoint *endpoint;
    int64_t wait_s;

    set_up(&world, &receiver, &late);
    endpoint = world.emulator->webhooks.endpoints[0];
    set_status(&world, "ACTIVE");
    receiver_register(&receiver, &world, &prompt); /* the same endpoint again */
    set_status(&world, "REVOKED");
    receiver_wait(&receiver, 1);
    CU_ASSERT_STRING_EQUAL(receiver.receipts[0].id, get_delivery(&world, 2).id);
    CU_ASSERT_EQUAL(get_delivery(&world, 1).outcome, SCALEKIT_DELIVERY_PENDING);
    wait_s = skip_wait(&endpoint->waiting);
    CU_ASSERT(wait_s <= 3600 && wait_s > 3000);
    receiver_wait(&receiver, 2);
    CU_ASSERT_STRING_EQUAL(receiver.receipts[1].id, get_delivery(&world, 1).id);
    CU_ASSERT_EQUAL(world.emulator->webhooks.n_endpoints, 1);
    wait_until_settled(&world);
    tear_down(&world, &receiver);
}

static void test_failed_duplicate(void)
{
    static const struct scalekit_emulator_webhook config = {.duplicate = 100};
    static const int answers[] = {200, 500};
    struct world world;
    struct receiver receiver;

    set_up(&world, &receiver, &config);
    receiver.answers = answers;
    receiver.n_answers = 2;
    set_status(&world, "ACTIVE");
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(receiver.n, 2);
    CU_ASSERT_STRING_EQUAL(receiver.receipts[0].id, receiver.receipts[1].id);
    CU_ASSERT_EQUAL(get_delivery(&world, 1).outcome, SCALEKIT_DELIVERY_DELIVERED);
    CU_ASSERT_EQUAL(get_delivery(&world, 1).status, 500);
    CU_ASSERT_EQUAL(get_stats(&world).delivered, 1);
    tear_down(&world, &receiver);
}

/* --- limits ------------------------------------------------------------------------------------ */

static void test_connections(void)
{
    static const struct {
        int connections;
        bool closes;
        size_t peers; /* at most */
    } rows[] = {{1, false, 1}, {3, false, 3}, {2, true, 300}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scalekit_emulator_webhook config = {.connections = rows[i].connections};
        struct world world;
        struct receiver receiver;
        size_t peers = 0;

        set_up(&world, &receiver, &config);
        receiver.closes = rows[i].closes;
        change_often(&world, 300);
        wait_until_settled(&world);
        CU_ASSERT_EQUAL(receiver.n, 300);
        CU_ASSERT_EQUAL(get_stats(&world).delivery_attempts, 300);
        for (size_t k = 0; k < receiver.n; k++) {
            bool is_new = true;

            for (size_t j = 0; j < k; j++)
                is_new &= receiver.receipts[j].peer != receiver.receipts[k].peer;
            peers += is_new;
        }
        CU_ASSERT(peers <= rows[i].peers);
        tear_down(&world, &receiver);
    }
}

static void test_pending_limit(void)
{
    static const int answers[] = {SILENCE};
    struct world world;
    struct receiver receiver;

    set_up(&world, &receiver, NULL);
    CU_ASSERT_EQUAL(world.emulator->webhooks.max_pending, 100000);
    world.emulator->webhooks.max_pending = 20;
    receiver.answers = answers;
    receiver.n_answers = 1;
    change_often(&world, 25);
    CU_ASSERT_EQUAL(get_stats(&world).pending, 20);
    CU_ASSERT_EQUAL(get_stats(&world).dropped, 5);
    CU_ASSERT_EQUAL(get_delivery(&world, 20).outcome, SCALEKIT_DELIVERY_PENDING);
    CU_ASSERT_EQUAL(get_delivery(&world, 21).outcome, SCALEKIT_DELIVERY_DROPPED);
    receiver_wait(&receiver, 8); /* as many as there are connections */
    tear_down(&world, &receiver);
}

static void test_journal_limit(void)
{
    static const struct scalekit_emulator_webhook late = {.delay = 100, .delay_ms = 3600000};
    static const struct scalekit_emulator_webhook lost = {.loss = 100};
    struct world world;
    struct receiver receiver;
    struct scalekit_emulator_delivery delivery;
    struct emu_endpoint *endpoint;

    set_up(&world, &receiver, &late);
    endpoint = world.emulator->webhooks.endpoints[0];
    change_often(&world, 2);
    receiver_register(&receiver, &world, &lost);
    change_often(&world, 10000);
    CU_ASSERT_FALSE(scalekit_emulator_delivery(world.emulator, 0, &delivery));
    CU_ASSERT_FALSE(scalekit_emulator_delivery(world.emulator, 1, &delivery));
    CU_ASSERT_FALSE(scalekit_emulator_delivery(world.emulator, 2, &delivery));
    CU_ASSERT(scalekit_emulator_delivery(world.emulator, 3, &delivery));
    CU_ASSERT(scalekit_emulator_delivery(world.emulator, 10002, &delivery));
    CU_ASSERT_FALSE(scalekit_emulator_delivery(world.emulator, 10003, &delivery));
    CU_ASSERT_EQUAL(get_stats(&world).deliveries, 10002);
    skip_wait(&endpoint->waiting); /* what the journal forgot is delivered all the same */
    receiver_wait(&receiver, 1);
    CU_ASSERT(receiver.receipts[0].is_signed);
    tear_down(&world, &receiver);
}

/* --- over HTTP --------------------------------------------------------------------------------- */

static void test_http(void)
{
    static const struct row refused[] = {
        {POST, "/_emulator/webhook", "{}", 400, "\"field\":\"url\"", NULL},
        {POST, "/_emulator/webhook", "{\"url\":\"http://example.com/\"}", 400, "127.0.0.1", NULL},
        {POST, "/_emulator/webhook", "{\"url\":\"http://127.0.0.1:9\",\"loss\":101}", 400,
         "percentages", NULL},
        {POST, "/_emulator/webhook", "{\"url\":\"http://127.0.0.1:9\",\"delay\":4294967296}", 400,
         "percentages", NULL},
        {POST, "/_emulator/webhook", "{\"url\":\"http://127.0.0.1:9\",\"secret\":\"s\"}", 400,
         "whsec_", NULL},
        {POST, "/_emulator/webhook", "{\"url\":\"http://127.0.0.1:9\",\"speed\":\"fast\"}", 400,
         "speed", NULL},
        {POST, "/_emulator/webhook", "{\"url\":\"http://127.0.0.1:9\",\"ca_file\":\"/\"}", 400,
         "ca_file", NULL},
        {GET, "/_emulator/webhooks", NULL, 200, "{\"webhooks\":[]}", NULL},
        {GET, "/_emulator/deliveries", NULL, 200, "{\"deliveries\":[]", NULL},
        {GET, "/_emulator/deliveries?outcome=fine", NULL, 400, "\"field\":\"outcome\"", NULL},
    };
    static const struct row shown[] = {
        {GET, "/_emulator/webhooks", NULL, 200,
         "/hooks?a=b\",\"loss\":100,\"duplicate\":0,\"reorder\":0,\"delay\":0,\"delay_ms\":5000,"
         "\"speed\":1,\"answer_ms\":10000,\"connections\":8}]}",
         "whsec_"},
        {GET, "/_emulator/deliveries?outcome=lost", NULL, 200,
         "\"attempts\":0,\"status\":0,\"outcome\":\"lost\"}],\"next_page_token\":\"\","
         "\"prev_page_token\":\"\",\"total_size\":1}",
         "delivered"},
        {GET, "/_emulator/deliveries?page_size=1", NULL, 200, "\"total_size\":2}",
         "\"next_page_token\":\"\""},
        {GET, "/_emulator/stats", NULL, 200,
         "\"deliveries\":2,\"delivery_attempts\":1,\"delivered\":1,\"given_up\":0,\"lost\":1,"
         "\"dropped\":0,\"pending\":0",
         NULL},
    };
    struct world world;
    struct receiver receiver;
    char body[200], path[100];

    world_set_up(&world, NULL);
    set_status(&world, "EXPIRED");
    receiver_start(&receiver, world.base, NULL);
    ASK(&world, refused);
    snprintf(body, sizeof body, "{\"url\":\"%s\"}", receiver.url);
    CU_ASSERT_EQUAL(world_ask(&world, POST, "/_emulator/webhook", body), 200);
    receiver.secret = scalekit_emulator_webhook_secret(world.emulator, receiver.url);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, receiver.secret));
    set_status(&world, "ACTIVE");
    wait_until_settled(&world);
    CU_ASSERT(receiver.receipts[0].is_signed);
    snprintf(path, sizeof path, "/_emulator/deliveries?event_id=%s", receiver.receipts[0].event_id);
    CU_ASSERT_EQUAL(world_ask(&world, GET, path, NULL), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, receiver.receipts[0].id));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(world.body, "\"attempts\":1,\"status\":200,\"outcome\":\"delivered\""));
    snprintf(body, sizeof body, "{\"url\":\"%s\",\"loss\":100}", receiver.url);
    CU_ASSERT_EQUAL(world_ask(&world, POST, "/_emulator/webhook", body), 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.body, receiver.secret)); /* the same as before */
    set_status(&world, "REVOKED");
    ASK(&world, shown);
    tear_down(&world, &receiver);
}

static void test_refusals(void)
{
    static const struct {
        struct scalekit_emulator_webhook webhook;
        const char *error;
    } rows[] = {
        {{.url = ""}, "the URL"},
        {{.url = "127.0.0.1:80"}, "the URL"},
        {{.url = "ftp://127.0.0.1/"}, "the URL"},
        {{.url = "http://10.0.0.1/"}, "the URL"},
        {{.url = "http://localhost.example.com/"}, "the URL"},
        {{.url = "http://ann@localhost/"}, "the URL"},
        {{.url = "http://127.0.0.1:0/"}, "the URL"},
        {{.url = "http://127.0.0.1:65536/"}, "the URL"},
        {{.url = "https://127.0.0.1/"}, "needs a CA file"},
        {{.url = "https://127.0.0.1/", .ca_file = "/dev/null"}, "cannot be read"},
        {{.url = "http://[::1]/", .secret = "whsec_AAAA"}, "24 to 64 bytes"},
        {{.url = "http://localhost/", .loss = -1}, "percentages"},
        {{.url = "http://localhost/", .duplicate = 101}, "percentages"},
        {{.url = "http://localhost/", .delay_ms = 86400001}, "a day"},
        {{.url = "http://localhost/", .speed = -1}, "speed"},
        {{.url = "http://localhost/", .answer_ms = 600001}, "answer_ms"},
        {{.url = "http://localhost/", .connections = 65}, "connections"},
    };
    struct world world;
    char error[100], url[64];

    world_set_up(&world, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_FALSE(
            scalekit_emulator_add_webhook(world.emulator, &rows[i].webhook, error, sizeof error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error, rows[i].error));
        CU_ASSERT_PTR_NULL(scalekit_emulator_webhook_secret(world.emulator, rows[i].webhook.url));
    }
    for (int i = 0; i < 17; i++) {
        struct scalekit_emulator_webhook one = {.url = url};

        snprintf(url, sizeof url, "http://[::1]:%d", 1000 + i);
        CU_ASSERT_EQUAL(scalekit_emulator_add_webhook(world.emulator, &one, error, sizeof error),
                        i < 16);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "16 endpoints"));
    world_tear_down(&world);
}

/* --- TLS --------------------------------------------------------------------------------------- */

/* An emulator with certificates, a receiver with the same ones, and one event. */
static void deliver_by_tls(const char *directory, const char *ca_file, bool trusted)
{
    struct scalekit_emulator_config tls = {.tls_dir = directory};
    struct scalekit_emulator_webhook webhook = {.speed = AT_ONCE, .ca_file = ca_file};
    struct world world = {.base = event_base_new()};
    struct receiver receiver;

    world.emulator = scalekit_emulator_start(world.base, &tls, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world.emulator);
    receiver_start(&receiver, world.base, directory);
    receiver_register(&receiver, &world, &webhook);
    set_status(&world, "ACTIVE"); /* created and status_updated */
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(receiver.n, trusted ? 2 : 0);
    CU_ASSERT_EQUAL(get_delivery(&world, 1).attempts, trusted ? 1 : 6);
    CU_ASSERT_EQUAL(get_delivery(&world, 1).status, trusted ? 200 : 0);
    set_status(&world, "EXPIRED"); /* over the connections that are there */
    wait_until_settled(&world);
    CU_ASSERT_EQUAL(get_stats(&world).delivered, trusted ? 4 : 0);
    for (size_t i = 0; i < receiver.n; i++)
        CU_ASSERT(receiver.receipts[i].is_signed);
    scalekit_emulator_free(world.emulator);
    event_base_loop(world.base, EVLOOP_NONBLOCK);
    receiver_stop(&receiver);
    event_base_loop(world.base, EVLOOP_NONBLOCK);
    event_base_free(world.base);
}

static void make_directory(char *path, size_t size)
{
    snprintf(path, size, "/tmp/webhook-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(path));
}

static void remove_directory(const char *path)
{
    static const char *const names[] = {"ca.pem", "server.pem", "server.key"};
    char file[100];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        unlink(file);
    }
    CU_ASSERT_EQUAL(rmdir(path), 0);
}

static void make_certificates(const char *directory)
{
    struct scalekit_emulator_config config = {.tls_dir = directory};
    struct event_base *base = event_base_new();
    scalekit_emulator *emulator = scalekit_emulator_start(base, &config, NULL, 0);

    CU_ASSERT_PTR_NOT_NULL(emulator);
    scalekit_emulator_free(emulator);
    event_base_free(base);
}

static void test_tls(void)
{
    char ours[40], others[40], foreign_ca[60];

    make_directory(ours, sizeof ours);
    make_directory(others, sizeof others);
    make_certificates(others);
    snprintf(foreign_ca, sizeof foreign_ca, "%s/ca.pem", others);
    deliver_by_tls(ours, NULL, true);
    deliver_by_tls(ours, foreign_ca, false);
    remove_directory(ours);
    remove_directory(others);
}

/* --- stopping ---------------------------------------------------------------------------------- */

/* Frees the emulator `turns` turns of the loop after 40 events, of which some are held, late, under
 * way and queued; what would be left of them is seen by the harness as descriptors and by a
 * sanitizer as memory. */
static void stop_after(const char *directory, int turns)
{
    struct scalekit_emulator_config tls = {.tls_dir = directory};
    struct scalekit_emulator_webhook webhook = {
        .connections = 2, .reorder = 20, .delay = 20, .duplicate = 50, .seed = 5};
    struct world world = {.base = event_base_new()};
    struct receiver receiver;
    size_t before;

    world.emulator = scalekit_emulator_start(world.base, &tls, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world.emulator);
    receiver_start(&receiver, world.base, directory);
    receiver_register(&receiver, &world, &webhook);
    receiver.secret = NULL; /* goes with the emulator */
    change_often(&world, 40);
    for (int i = 0; i < turns; i++)
        event_base_loop(world.base, EVLOOP_ONCE);
    CU_ASSERT(get_stats(&world).pending > 0);
    before = receiver.n;
    scalekit_emulator_free(world.emulator);
    for (int i = 0; i < 4; i++)
        event_base_loop(world.base, EVLOOP_NONBLOCK);
    CU_ASSERT(receiver.n <= before + 2); /* those on the wire */
    receiver_stop(&receiver);
    event_base_loop(world.base, EVLOOP_NONBLOCK);
    event_base_free(world.base);
}

static void test_stops_in_flight(void)
{
    /* The receiver answers those that have gone, and libevent does so with the signal. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    char directory[40];

    sigaction(SIGPIPE, &ignore, &before);
    make_directory(directory, sizeof directory);
    for (int turns = 0; turns < 12; turns++) {
        stop_after(NULL, turns);
        stop_after(directory, turns);
    }
    remove_directory(directory);
    sigaction(SIGPIPE, &before, NULL);
}

SUITE(emulator_webhook, {"sends an event as it is recorded, signed", test_sent},
      {"sends each kind of event", test_kinds},
      {"tells each endpoint, with its own secret and id", test_several_endpoints},
      {"tries again until an answer of 2xx, six times at most", test_attempts},
      {"waits as long as the service between attempts", test_schedule},
      {"gives up where nobody listens", test_nobody_listens},
      {"loses, doubles and reorders by percentage, the same for the same seed", test_scripts},
      {"sends one that nothing overtakes all the same", test_held_alone},
      {"sends late ones late, and the others meanwhile", test_delay},
      {"does not try a duplicate again", test_failed_duplicate},
      {"keeps its few connections, and replaces those that were closed", test_connections},
      {"drops what is too much, and says so", test_pending_limit},
      {"forgets the oldest lines of the journal, but not what they stand for", test_journal_limit},
      {"is told and asked by HTTP", test_http},
      {"says what is wrong with an endpoint", test_refusals},
      {"delivers by TLS to whom it trusts only", test_tls},
      {"leaves nothing behind when it stops in the middle", test_stops_in_flight})
