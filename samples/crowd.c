#include "crowd.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What both processes see, at the same address.  But for changed_ms it is written before the emulator
 * says that it is ready, before the crowd begins, or, the statistics, before the process ends. */
struct crowd_shared {
    char url[64], client_id[64], client_secret[64], ca_file[PATH_MAX];
    char problem[PROBLEM_SIZE];
    int64_t began_ms;
    struct scalekit_emulator_webhook webhook; /* without a URL: none */
    char webhook_url[CROWD_TEXT_SIZE], webhook_secret[CROWD_TEXT_SIZE];
    struct scalekit_emulator_stats stats;
    _Atomic int64_t changed_ms[];
};

int64_t crowd_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the plan ---------------------------------------------------------------------------------- */

/* The same numbers from the same seed: Knuth's 64-bit generator, its better upper half. */
static uint32_t dice(uint64_t *random, uint32_t sides)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*random >> 32) * sides >> 32);
}

static enum scalekit_account_status draw_outcome(uint64_t *random)
{
    uint32_t roll = dice(random, 20);

    if (roll == 0)
        return SCALEKIT_ACCOUNT_EXPIRED;
    return roll == 1 ? SCALEKIT_ACCOUNT_REVOKED : SCALEKIT_ACCOUNT_ACTIVE;
}

/* Of two moments the earlier is that of the consent: so events are as frequent at any time. */
static void draw_consent(struct crowd_plan *plan, uint64_t *random, uint32_t duration)
{
    uint32_t other = plan->comes_ms + dice(random, duration - plan->comes_ms);

    plan->consents_ms = other < plan->decides_ms ? other : plan->decides_ms;
    if (other > plan->decides_ms)
        plan->decides_ms = other;
}

static void draw_plans(struct crowd *crowd)
{
    uint32_t duration = (uint32_t)crowd->config.duration_ms;
    uint64_t random = (uint64_t)crowd->config.seed;

    for (int64_t i = 0; i < crowd->config.users; i++) {
        uint32_t comes = (uint32_t)(i * (duration / 10) / crowd->config.users);

        crowd->plans[i] = (struct crowd_plan){
            .comes_ms = comes,
            .decides_ms = comes + dice(&random, duration - comes),
            .outcome = draw_outcome(&random),
        };
        if (crowd->config.verifies)
            draw_consent(&crowd->plans[i], &random, duration);
    }
}

void crowd_name(const struct crowd *crowd, size_t user, char connection[CROWD_NAME_SIZE],
                char identifier[CROWD_NAME_SIZE])
{
    snprintf(connection, CROWD_NAME_SIZE, "fleet_%zu",
             user % (size_t)crowd->config.connections + 1);
    snprintf(identifier, CROWD_NAME_SIZE, "user_%zu", user + 1);
}

/* --- the emulator's process -------------------------------------------------------------------- */

struct change {
    uint32_t at_ms, user;
    bool consent; /* else the decision */
};

struct host {
    struct crowd *crowd;
    int wire;
    struct event_base *base;
    struct event *on_wire, *on_time;
    struct sandbox sandbox;
    struct change *changes; /* by time */
    size_t next, n;
    bool failed;
};

static void give_up(struct host *host, const char *why)
{
    complain("%s", why);
    host->failed = true;
    event_base_loopbreak(host->base);
}

static bool set_status(struct host *host, size_t user, enum scalekit_account_status status)
{
    char connection[CROWD_NAME_SIZE], identifier[CROWD_NAME_SIZE];

    crowd_name(host->crowd, user, connection, identifier);
    return scalekit_emulator_set_status(host->sandbox.emulator, connection, identifier,
                                        scalekit_account_status_name(status));
}

/* The moment of a decision is noted first: nobody can hear of it before. */
static bool make_change(struct host *host, const struct change *change)
{
    if (change->consent)
        return set_status(host, change->user, SCALEKIT_ACCOUNT_PENDING_VERIFICATION);
    atomic_store(&host->crowd->shared->changed_ms[change->user], crowd_now_ms());
    return set_status(host, change->user, host->crowd->plans[change->user].outcome);
}

static void change_what_is_due(evutil_socket_t fd, short what, void *arg)
{
    struct host *host = arg;
    int64_t passed = crowd_now_ms() - host->crowd->shared->began_ms, pause;
    struct timeval wait;

    (void)fd;
    (void)what;
    for (; host->next < host->n; host->next++) {
        const struct change *change = &host->changes[host->next];

        pause = change->at_ms - passed;
        if (pause > 0) {
            wait = (struct timeval){(time_t)(pause / 1000), (suseconds_t)(pause % 1000 * 1000)};
            if (event_add(host->on_time, &wait) != 0)
                give_up(host, "the emulator is out of memory");
            return;
        }
        if (!make_change(host, change)) {
            give_up(host, "the emulator is out of memory");
            return;
        }
    }
}

static void begin(struct host *host)
{
    const struct scalekit_emulator_webhook *webhook = &host->crowd->shared->webhook;
    char error[256];

    if (webhook->url &&
        !scalekit_emulator_add_webhook(host->sandbox.emulator, webhook, error, sizeof error))
        give_up(host, error);
    else
        change_what_is_due(-1, 0, host);
}

/* One byte: begin.  The end: so is this. */
static void on_wire(evutil_socket_t wire, short what, void *arg)
{
    struct host *host = arg;
    char byte;

    (void)what;
    if (read((int)wire, &byte, 1) == 1)
        begin(host);
    else
        event_base_loopbreak(host->base);
}

/* Who consents and decides at the same moment does it in this order. */
static int by_time(const void *left, const void *right)
{
    const struct change *a = left, *b = right;

    if (a->at_ms != b->at_ms)
        return a->at_ms > b->at_ms ? 1 : -1;
    return b->consent - a->consent;
}

static void plan_changes(struct host *host, uint32_t user)
{
    const struct crowd_plan *plan = &host->crowd->plans[user];

    if (host->crowd->config.verifies)
        host->changes[host->n++] = (struct change){plan->consents_ms, user, true};
    host->changes[host->n++] = (struct change){plan->decides_ms, user, false};
}

static bool make_accounts(struct host *host)
{
    size_t users = (size_t)host->crowd->config.users;

    host->changes = calloc(users * 2, sizeof *host->changes);
    for (size_t i = 0; i < users; i++) {
        if (!host->changes || !set_status(host, i, SCALEKIT_ACCOUNT_PENDING_AUTH))
            return false;
        plan_changes(host, (uint32_t)i);
    }
    qsort(host->changes, host->n, sizeof *host->changes, by_time);
    return true;
}

static void publish(const struct host *host)
{
    struct crowd_shared *shared = host->crowd->shared;
    struct scalekit_config config;

    sandbox_settings(&host->sandbox, &config);
    snprintf(shared->url, sizeof shared->url, "%s", config.env_url);
    snprintf(shared->client_id, sizeof shared->client_id, "%s", config.client_id);
    snprintf(shared->client_secret, sizeof shared->client_secret, "%s", config.client_secret);
    snprintf(shared->ca_file, sizeof shared->ca_file, "%s", config.ca_file);
}

static bool start_host(struct host *host)
{
    struct scalekit_emulator_config config = {0};
    char *problem = host->crowd->shared->problem;

    host->base = event_base_new();
    if (host->base && !sandbox_open(&host->sandbox, host->base, &config, problem))
        return false;
    snprintf(problem, PROBLEM_SIZE, "the emulator is out of memory");
    if (!host->base || !make_accounts(host))
        return false;
    host->on_time = event_new(host->base, -1, 0, change_what_is_due, host);
    host->on_wire = event_new(host->base, host->wire, EV_READ | EV_PERSIST, on_wire, host);
    if (!host->on_time || !host->on_wire || event_add(host->on_wire, NULL) != 0)
        return false;
    publish(host);
    return write(host->wire, "", 1) == 1;
}

static void clean_up(struct host *host)
{
    if (host->on_wire)
        event_free(host->on_wire);
    if (host->on_time)
        event_free(host->on_time);
    if (host->sandbox.emulator)
        scalekit_emulator_stats(host->sandbox.emulator, &host->crowd->shared->stats);
    sandbox_close(&host->sandbox);
    if (host->base)
        event_base_free(host->base);
    free(host->changes);
}

/* Ctrl-C reaches both processes: the other one says when this ends. */
static int be_host(struct crowd *crowd, int wire)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct host host = {.crowd = crowd, .wire = wire};
    bool good;

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    good = start_host(&host) && event_base_dispatch(host.base) == 0 && !host.failed;
    clean_up(&host);
    close(wire);
    free(crowd->plans); /* this process's copy */
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the other process ------------------------------------------------------------------------- */

static bool make_plans(struct crowd *crowd)
{
    size_t users = (size_t)crowd->config.users;
    void *shared;

    crowd->plans = calloc(users, sizeof *crowd->plans);
    crowd->shared_size = sizeof *crowd->shared + users * sizeof *crowd->shared->changed_ms;
    shared =
        mmap(NULL, crowd->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED)
        crowd->shared = shared;
    if (!crowd->plans || !crowd->shared)
        return false;
    draw_plans(crowd);
    for (size_t i = 0; i < users; i++) /* pages, too, that count from the beginning */
        atomic_init(&crowd->shared->changed_ms[i], 0);
    return true;
}

static bool start_process(struct crowd *crowd, char problem[PROBLEM_SIZE])
{
    int wires[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, wires) != 0) {
        snprintf(problem, PROBLEM_SIZE, "cannot make a pair of sockets: %s", strerror(errno));
        return false;
    }
    crowd->wire = wires[0];
    fflush(NULL); /* what is buffered would be written twice */
    crowd->process = fork();
    if (crowd->process == 0) {
        close(wires[0]);
        exit(be_host(crowd, wires[1]));
    }
    if (crowd->process < 0)
        snprintf(problem, PROBLEM_SIZE, "cannot make a process: %s", strerror(errno));
    close(wires[1]);
    return crowd->process > 0;
}

bool crowd_open(struct crowd *crowd, const struct crowd_config *config, char problem[PROBLEM_SIZE])
{
    char byte;

    *crowd = (struct crowd){.config = *config, .wire = -1};
    if (!make_plans(crowd))
        snprintf(problem, PROBLEM_SIZE, "out of memory");
    else if (start_process(crowd, problem)) {
        if (read(crowd->wire, &byte, 1) == 1)
            return true;
        snprintf(problem, PROBLEM_SIZE, "%s",
                 *crowd->shared->problem ? crowd->shared->problem : "the emulator did not start");
    }
    crowd_close(crowd);
    return false;
}

bool crowd_close(struct crowd *crowd)
{
    struct scalekit_emulator_stats stats = {0};
    int status = 0;

    if (crowd->process > 0) {
        close(crowd->wire);
        while (waitpid(crowd->process, &status, 0) < 0 && errno == EINTR)
            continue;
    } else if (crowd->wire > 0)
        close(crowd->wire);
    if (crowd->shared) {
        stats = crowd->shared->stats;
        munmap(crowd->shared, crowd->shared_size);
    }
    free(crowd->plans);
    *crowd = (struct crowd){.wire = -1, .stats = stats};
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

void crowd_settings(const struct crowd *crowd, struct scalekit_config *config)
{
    *config = (struct scalekit_config){
        .struct_size = sizeof *config,
        .env_url = crowd->shared->url,
        .client_id = crowd->shared->client_id,
        .client_secret = crowd->shared->client_secret,
        .ca_file = crowd->shared->ca_file,
    };
}

bool crowd_begin(struct crowd *crowd, int64_t now_ms,
                 const struct scalekit_emulator_webhook *webhook)
{
    struct crowd_shared *shared = crowd->shared;

    shared->began_ms = now_ms;
    if (webhook) {
        snprintf(shared->webhook_url, sizeof shared->webhook_url, "%s", webhook->url);
        snprintf(shared->webhook_secret, sizeof shared->webhook_secret, "%s", webhook->secret);
        shared->webhook = *webhook;
        shared->webhook.url = shared->webhook_url;
        shared->webhook.secret = shared->webhook_secret;
    }
    return write(crowd->wire, "", 1) == 1;
}

int64_t crowd_changed_ms(const struct crowd *crowd, size_t user)
{
    return atomic_load(&crowd->shared->changed_ms[user]);
}
