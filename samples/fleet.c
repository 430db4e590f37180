/* fleet - watches any number of accounts, on one event loop, and counts what it is told.
 *
 *     fleet --accounts users.txt                  with the SCALEKIT_… variables in the environment
 *     fleet --emulator --count 100000 --json      without an account at Scalekit
 *
 * With --emulator it is a soak.  Every account is PENDING_AUTH at first and changes once, at a random
 * moment; its watch starts before that, in the first tenth of the run (crowd.h).  At the end each
 * must have been told exactly once, and as it really is.  The emulator has a process of its own:
 * memory and CPU are those of the watches and of this program.
 *
 *     fleet --emulator --webhooks --lost 20 --doubled 10 --reordered 10
 *
 * With --webhooks it is told as well, by what the emulator posts to it; and however much of that is
 * lost, doubled, late or out of order, the same must come out. */
#include "crowd.h"
#include "fleet_options.h"
#include "roster.h"
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STARTS 5000 /* watches at a time, so that starting them does not stop the loop */
#define START_PAUSE                                                                                \
    {                                                                                              \
        0, 10000                                                                                   \
    }

/* Where the emulator posts, and with which secret: both are of this program. */
#define PATH   "/webhooks/scalekit"
#define SECRET "whsec_YmV0d2VlbiBwYXJlbnQgYW5kIGNoaWxk"

const char program[] = "fleet";

struct fleet;

struct account {
    struct fleet *fleet;
    uint32_t delay_ms; /* from the change to its event */
    bool started, ended, settled, lost;
    bool delivered; /* settled, by a delivery */
};

struct fleet {
    struct fleet_options options;
    struct event_base *base;
    scalekit_client *client;
    scalekit_webhook_server *server; /* with --webhooks */
    struct crowd crowd;              /* with --emulator */
    struct roster roster;            /* without */
    struct account *accounts;
    size_t n;
    struct interrupts interrupts;
    struct event *starting, *ticking, *ending;
    int64_t began_ms;
    size_t started, ended, settled, duplicates, refused;
    /* Of those that settled. */
    size_t by_status[SCALEKIT_ACCOUNT_DISCONNECTED + 1];
    size_t by_source[SCALEKIT_WATCH_SOURCE_WEBHOOK + 1];
    double rss_start, rss_watching, rss_end, rss_most;
    unsigned ticks;
    bool terminal, interrupted;
    bool over; /* the watches that end from now on are stopped by us */
};

/* --- what it costs ----------------------------------------------------------------------------- */

/* Resident memory, MiB; where the system does not tell, the most there ever was. */
static double resident_mb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size, resident = 0;
    struct rusage used;

    if (file) {
        if (fscanf(file, "%ld %ld", &size, &resident) != 2)
            resident = 0;
        fclose(file);
        return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576;
    }
    return getrusage(RUSAGE_SELF, &used) == 0 ? (double)used.ru_maxrss / 1024 : 0;
}

static double look_at_memory(struct fleet *fleet)
{
    double now = resident_mb();

    if (now > fleet->rss_most)
        fleet->rss_most = now;
    return now;
}

static double cpu_seconds(int whose)
{
    struct rusage used;

    if (getrusage(whose, &used) != 0)
        return 0;
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static uint64_t requests_sent(const struct scalekit_governor_stats *stats)
{
    uint64_t sum = 0;

    for (int i = 0; i < SCALEKIT_CLASSES; i++)
        sum += stats->sent[i];
    return sum;
}

/* --- progress ---------------------------------------------------------------------------------- */

static bool shows_progress(const struct fleet *fleet)
{
    return !fleet->options.json && !fleet->options.quiet;
}

static double elapsed_s(const struct fleet *fleet)
{
    return (double)(crowd_now_ms() - fleet->began_ms) / 1000;
}

/* A terminal sees one line that changes and never wraps; a log file one now and then. */
static void show_progress(struct fleet *fleet)
{
    struct scalekit_governor_stats stats;

    scalekit_governor_get_stats(scalekit_client_governor(fleet->client), &stats);
    fprintf(stderr, "%s%5.0f s  watching %zu  settled %zu  requests %" PRIu64 "  %.1f MB%s",
            fleet->terminal ? "\r" : "", elapsed_s(fleet), fleet->started - fleet->ended,
            fleet->settled, requests_sent(&stats), look_at_memory(fleet),
            fleet->terminal ? "\033[K" : "\n");
}

/* Before something else is written there. */
static void leave_progress_line(const struct fleet *fleet)
{
    if (fleet->terminal && shows_progress(fleet))
        fputs("\r\033[K", stderr);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct fleet *fleet = arg;

    (void)fd;
    (void)what;
    look_at_memory(fleet);
    if (shows_progress(fleet) && (++fleet->ticks % 10 == 0 || fleet->terminal))
        show_progress(fleet);
}

/* --- the watches ------------------------------------------------------------------------------- */

static size_t index_of(const struct account *account)
{
    return (size_t)(account - account->fleet->accounts);
}

static bool is_settled(enum scalekit_account_status status)
{
    return status >= SCALEKIT_ACCOUNT_ACTIVE && status <= SCALEKIT_ACCOUNT_DISCONNECTED;
}

/* Whether this became of the account: the emulator's have changed by then, as planned. */
static bool is_true(struct account *account, enum scalekit_account_status status)
{
    const struct crowd *crowd = &account->fleet->crowd;
    int64_t changed_ms;

    if (!account->fleet->options.emulator)
        return is_settled(status);
    changed_ms = crowd_changed_ms(crowd, index_of(account));
    if (!changed_ms || status != crowd->plans[index_of(account)].outcome)
        return false;
    account->delay_ms = (uint32_t)(crowd_now_ms() - changed_ms);
    return true;
}

static bool was_refused(const struct scalekit_watch_event *event)
{
    return event->kind == SCALEKIT_WATCH_REFUSED || event->kind == SCALEKIT_WATCH_DELETED;
}

/* The first of them is told: the others are likely to have the same cause. */
static void note_refusal(const struct account *account, const struct scalekit_watch_event *event)
{
    struct fleet *fleet = account->fleet;
    char doing[64];

    if (fleet->refused++)
        return;
    leave_progress_line(fleet);
    if (fleet->options.emulator)
        snprintf(doing, sizeof doing, "watch account %zu", index_of(account) + 1);
    else
        snprintf(doing, sizeof doing, "watch the account of line %zu",
                 fleet->roster.entries[index_of(account)].line);
    if (event->error)
        complain_about(doing, event->error);
    else
        complain("cannot %s: %s", doing, scalekit_watch_event_name(event->kind));
}

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *arg)
{
    struct account *account = arg;
    struct fleet *fleet = account->fleet;

    (void)watch;
    if (account->ended) {
        fleet->duplicates++;
        return;
    }
    if (!event->final)
        return;
    account->ended = true;
    if (fleet->over)
        return;
    fleet->ended++;
    if (is_true(account, event->status)) {
        account->settled = true;
        fleet->settled++;
        fleet->by_status[event->status]++;
        fleet->by_source[event->source]++;
        account->delivered = event->source == SCALEKIT_WATCH_SOURCE_WEBHOOK;
    } else if (was_refused(event))
        note_refusal(account, event);
    /* What was told is not so, or the account had changed, and nothing was told of it. */
    account->lost =
        !account->settled && fleet->options.emulator &&
        (is_settled(event->status) || crowd_changed_ms(&fleet->crowd, index_of(account)));
    if (fleet->ended == fleet->n)
        event_base_loopbreak(fleet->base);
}

static bool start_watch(struct account *account)
{
    struct fleet *fleet = account->fleet;
    char connection[CROWD_NAME_SIZE], identifier[CROWD_NAME_SIZE];
    struct roster_entry names = {connection, identifier, 0};

    if (fleet->options.emulator)
        crowd_name(&fleet->crowd, index_of(account), connection, identifier);
    else
        names = fleet->roster.entries[index_of(account)];
    account->started = scalekit_watch_account(
        fleet->client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = names.connection,
                        .identifier = names.identifier, .deadline_ms = fleet->options.deadline_ms),
        on_watch, account);
    return account->started;
}

static void fail(struct fleet *fleet, const char *why)
{
    leave_progress_line(fleet);
    complain("%s", why);
    fleet->over = true;
    event_base_loopbreak(fleet->base);
}

static void start_what_is_due(evutil_socket_t fd, short what, void *arg)
{
    struct fleet *fleet = arg;
    int64_t passed = crowd_now_ms() - fleet->began_ms;

    (void)fd;
    (void)what;
    for (int i = 0; i < STARTS && fleet->started < fleet->n; i++) {
        if (fleet->options.emulator && fleet->crowd.plans[fleet->started].comes_ms > passed)
            return;
        if (!start_watch(&fleet->accounts[fleet->started])) {
            fail(fleet, "cannot start a watch: out of memory");
            return;
        }
        fleet->started++;
    }
    if (fleet->started < fleet->n)
        return;
    event_del(fleet->starting);
    fleet->rss_watching = look_at_memory(fleet);
}

/* --- from beginning to end --------------------------------------------------------------------- */

static bool open_crowd(struct fleet *fleet)
{
    const struct fleet_options *options = &fleet->options;
    const struct crowd_config config = {options->count, options->connections, options->seed,
                                        options->duration_ms, options->webhooks};
    char problem[PROBLEM_SIZE];

    if (crowd_open(&fleet->crowd, &config, problem))
        return true;
    complain("%s", problem);
    return false;
}

static bool find_accounts(struct fleet *fleet)
{
    if (fleet->options.emulator ? !open_crowd(fleet)
                                : !roster_read(&fleet->roster, fleet->options.accounts))
        return false;
    fleet->n = fleet->options.emulator ? (size_t)fleet->options.count : fleet->roster.n;
    fleet->accounts = calloc(fleet->n, sizeof *fleet->accounts);
    if (!fleet->accounts) {
        complain("out of memory");
        return false;
    }
    for (size_t i = 0; i < fleet->n; i++)
        fleet->accounts[i].fleet = fleet;
    return true;
}

static bool read_settings(struct fleet *fleet, struct scalekit_config *config)
{
    char problem[PROBLEM_SIZE];

    if (fleet->options.emulator)
        crowd_settings(&fleet->crowd, config);
    else if (!settings_from_env(config, problem)) {
        complain("%s", problem);
        return false;
    }
    return true;
}

static bool start_client(struct fleet *fleet, struct scalekit_config *config)
{
    char problem[PROBLEM_SIZE];
    const char *wrong;

    config->max_queue = (unsigned)fleet->n + 1000;
    config->max_requests_per_minute = (unsigned)fleet->options.ceiling;
    if (scalekit_client_new(&fleet->client, fleet->base, config, &wrong) == SCALEKIT_OK)
        return true;
    explain_settings(problem, wrong ? wrong : "out of memory");
    complain("%s", problem);
    return false;
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(((struct fleet *)arg)->base);
}

static void on_interrupt(evutil_socket_t number, short what, void *arg)
{
    struct fleet *fleet = arg;

    fleet->interrupted = true;
    on_end(number, what, fleet);
}

static bool start_events(struct fleet *fleet)
{
    static const struct timeval pause = START_PAUSE, second = {1, 0};
    int64_t end_ms = fleet->options.duration_ms + fleet->options.grace_ms;
    struct timeval end = {(time_t)(end_ms / 1000), (suseconds_t)(end_ms % 1000 * 1000)};

    fleet->starting = event_new(fleet->base, -1, EV_PERSIST, start_what_is_due, fleet);
    fleet->ticking = event_new(fleet->base, -1, EV_PERSIST, on_tick, fleet);
    fleet->ending = event_new(fleet->base, -1, 0, on_end, fleet);
    if (fleet->starting && fleet->ticking && fleet->ending &&
        event_add(fleet->starting, &pause) == 0 && event_add(fleet->ticking, &second) == 0 &&
        (!end_ms || event_add(fleet->ending, &end) == 0) &&
        interrupts_open(&fleet->interrupts, fleet->base, on_interrupt, fleet))
        return true;
    complain("out of memory");
    return false;
}

static bool listen_for_deliveries(struct fleet *fleet)
{
    const char *secret = SECRET, *problem = NULL;
    scalekit_err err = scalekit_webhook_server_new(
        &fleet->server, fleet->base,
        SCALEKIT_PARAMS(scalekit_webhook_server_params, .client = fleet->client, .path = PATH),
        &problem);

    if (err == SCALEKIT_OK)
        err = scalekit_webhook_accept(
            fleet->client,
            SCALEKIT_PARAMS(scalekit_webhook_accept_params, .secrets = &secret, .n_secrets = 1),
            &problem);
    if (err == SCALEKIT_OK)
        return true;
    complain("cannot listen for deliveries: %s", problem ? problem : scalekit_strerror(err));
    return false;
}

static bool begin(struct fleet *fleet)
{
    const struct fleet_options *options = &fleet->options;
    char url[CROWD_TEXT_SIZE];
    const struct scalekit_emulator_webhook webhook = {
        .url = url,
        .secret = SECRET,
        .loss = (int)options->lost,
        .duplicate = (int)options->doubled,
        .reorder = (int)options->reordered,
        .delay = (int)options->late,
        .seed = (uint64_t)options->seed,
    };

    fleet->began_ms = crowd_now_ms();
    if (fleet->server)
        snprintf(url, sizeof url, "http://127.0.0.1:%u" PATH,
                 (unsigned)scalekit_webhook_server_port(fleet->server));
    if (!options->emulator ||
        crowd_begin(&fleet->crowd, fleet->began_ms, fleet->server ? &webhook : NULL))
        return true;
    complain("the emulator is gone");
    return false;
}

/* The crowd comes first: its process starts while there is nothing that it would inherit. */
static bool run(struct fleet *fleet)
{
    struct scalekit_config config;

    if (!find_accounts(fleet) || !read_settings(fleet, &config))
        return false;
    fleet->base = event_base_new();
    if (!fleet->base) {
        complain("cannot make an event loop");
        return false;
    }
    if (!start_client(fleet, &config) || !start_events(fleet))
        return false;
    if (fleet->options.webhooks && !listen_for_deliveries(fleet))
        return false;
    fleet->rss_start = look_at_memory(fleet);
    if (!begin(fleet))
        return false;
    if (event_base_dispatch(fleet->base) < 0) {
        complain("the event loop failed");
        return false;
    }
    fleet->rss_end = look_at_memory(fleet);
    if (fleet->started < fleet->n)
        fleet->rss_watching = fleet->rss_end; /* as many as there were */
    leave_progress_line(fleet);
    return !fleet->over;
}

static void free_event(struct event *event)
{
    if (event)
        event_free(event);
}

/* What is said twice, may be said now.  False when the emulator did not end well. */
static bool stop(struct fleet *fleet)
{
    fleet->over = true;
    scalekit_webhook_server_free(fleet->server);
    scalekit_client_free(fleet->client);
    interrupts_close(&fleet->interrupts);
    free_event(fleet->starting);
    free_event(fleet->ticking);
    free_event(fleet->ending);
    if (fleet->base)
        event_base_free(fleet->base);
    return crowd_close(&fleet->crowd);
}

/* --- the account of it ------------------------------------------------------------------------- */

/* From a change to its event. */
struct delays {
    double mean_s, p95_s, max_s;
};

struct summary {
    size_t lost, unchanged;
    double seconds;
    struct delays all, delivered;
    struct scalekit_governor_stats sent;
    struct scalekit_watch_stats watched;
};

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void sum_up_delays(const struct fleet *fleet, bool of_delivered, struct delays *sum)
{
    uint32_t *delays = fleet->settled ? calloc(fleet->settled, sizeof *delays) : NULL;
    size_t n = 0;

    for (size_t i = 0; delays && i < fleet->n; i++) {
        const struct account *account = &fleet->accounts[i];

        if (account->settled && (account->delivered || !of_delivered)) {
            delays[n++] = account->delay_ms;
            sum->mean_s += account->delay_ms / 1000.0;
        }
    }
    if (n) {
        qsort(delays, n, sizeof *delays, by_number);
        sum->mean_s /= (double)n;
        sum->p95_s = delays[(n - 1) * 95 / 100] / 1000.0;
        sum->max_s = delays[n - 1] / 1000.0;
    }
    free(delays); /* without memory, or without any, there is nothing to tell */
}

/* While the client and the crowd are there to be asked. */
static void sum_up(const struct fleet *fleet, struct summary *summary)
{
    int64_t late_ms = crowd_now_ms() - fleet->options.grace_ms, changed_ms;

    *summary = (struct summary){.seconds = elapsed_s(fleet)};
    scalekit_governor_get_stats(scalekit_client_governor(fleet->client), &summary->sent);
    scalekit_client_get_watch_stats(fleet->client, &summary->watched);
    for (size_t i = 0; fleet->options.emulator && i < fleet->n; i++) {
        const struct account *account = &fleet->accounts[i];

        changed_ms = crowd_changed_ms(&fleet->crowd, i);
        summary->lost += account->lost || (account->started && !account->ended && changed_ms &&
                                           changed_ms <= late_ms);
        summary->unchanged += !changed_ms && !account->ended;
    }
    if (fleet->options.emulator) {
        sum_up_delays(fleet, false, &summary->all);
        sum_up_delays(fleet, true, &summary->delivered);
    }
}

static size_t by_look(const struct fleet *fleet)
{
    return fleet->by_source[SCALEKIT_WATCH_SOURCE_LOOK_UP] +
           fleet->by_source[SCALEKIT_WATCH_SOURCE_LIST];
}

static void print_json_deliveries(const struct fleet *fleet, const struct summary *summary)
{
    const struct scalekit_watch_stats *watched = &summary->watched;
    const struct scalekit_emulator_stats *emulator = &fleet->crowd.stats;

    printf(",\"deliveries\":%" PRIu64 ",\"duplicate_deliveries\":%" PRIu64
           ",\"rejected_deliveries\":%" PRIu64 ",\"missed_deliveries\":%" PRIu64,
           watched->deliveries, watched->duplicate_deliveries, watched->rejected_deliveries,
           watched->missed_deliveries);
    printf(",\"webhook_mean_s\":%.3f,\"webhook_p95_s\":%.3f,\"webhook_max_s\":%.3f",
           summary->delivered.mean_s, summary->delivered.p95_s, summary->delivered.max_s);
    printf(",\"events\":%" PRIu64 ",\"posted\":%" PRIu64 ",\"withheld\":%" PRIu64
           ",\"pending\":%" PRIu64,
           emulator->deliveries, emulator->delivery_attempts, emulator->lost,
           emulator->pending + emulator->dropped);
}

static void print_json(const struct fleet *fleet, const struct summary *summary)
{
    const size_t *by_status = fleet->by_status, *by_source = fleet->by_source;

    printf("{\"watches\":%zu,\"settled\":%zu,\"duplicates\":%zu,\"lost\":%zu,\"rss_mb\":%.1f,"
           "\"requests\":%" PRIu64 ",\"cpu_seconds\":%.2f",
           fleet->started, fleet->settled, fleet->duplicates, summary->lost, fleet->rss_most,
           requests_sent(&summary->sent), cpu_seconds(RUSAGE_SELF));
    printf(",\"seconds\":%.1f,\"active\":%zu,\"expired\":%zu,\"revoked\":%zu,\"disconnected\":%zu"
           ",\"waiting\":%zu,\"otherwise\":%zu,\"refused\":%zu,\"rate_limited\":%" PRIu64,
           summary->seconds, by_status[SCALEKIT_ACCOUNT_ACTIVE],
           by_status[SCALEKIT_ACCOUNT_EXPIRED], by_status[SCALEKIT_ACCOUNT_REVOKED],
           by_status[SCALEKIT_ACCOUNT_DISCONNECTED], fleet->started - fleet->ended,
           fleet->ended - fleet->settled - fleet->refused, fleet->refused,
           summary->sent.rate_limited);
    printf(",\"by_webhook\":%zu,\"by_feed\":%zu,\"by_look\":%zu",
           by_source[SCALEKIT_WATCH_SOURCE_WEBHOOK], by_source[SCALEKIT_WATCH_SOURCE_FEED],
           by_look(fleet));
    printf(",\"rss_start_mb\":%.1f,\"rss_watching_mb\":%.1f,\"rss_end_mb\":%.1f", fleet->rss_start,
           fleet->rss_watching, fleet->rss_end);
    if (fleet->options.emulator)
        printf(",\"mean_s\":%.3f,\"p95_s\":%.3f,\"max_s\":%.3f,\"emulator_cpu_seconds\":%.2f",
               summary->all.mean_s, summary->all.p95_s, summary->all.max_s,
               cpu_seconds(RUSAGE_CHILDREN));
    if (fleet->options.webhooks)
        print_json_deliveries(fleet, summary);
    puts("}");
}

static void print_delays(const char *name, const struct delays *delays)
{
    printf("%-16s %9.2f s  (mean; 95 %% within %.2f s, all within %.2f s)\n", name, delays->mean_s,
           delays->p95_s, delays->max_s);
}

static void print_deliveries(const struct fleet *fleet, const struct summary *summary)
{
    const struct scalekit_watch_stats *watched = &summary->watched;
    const struct scalekit_emulator_stats *emulator = &fleet->crowd.stats;

    printf("%-16s %9" PRIu64 "  (and %" PRIu64 " had before, %" PRIu64 " rejected; of %" PRIu64
           " events, %" PRIu64 " withheld)\n",
           "deliveries", watched->deliveries, watched->duplicate_deliveries,
           watched->rejected_deliveries, emulator->deliveries, emulator->lost);
    print_delays("... their delay", &summary->delivered);
}

static void print_text(const struct fleet *fleet, const struct summary *summary)
{
    const size_t *by_status = fleet->by_status, *by_source = fleet->by_source;

    printf("%-16s %9zu\n%-16s %9zu  (active %zu, expired %zu, revoked %zu, disconnected %zu)\n",
           "watches", fleet->started, "settled", fleet->settled, by_status[SCALEKIT_ACCOUNT_ACTIVE],
           by_status[SCALEKIT_ACCOUNT_EXPIRED], by_status[SCALEKIT_ACCOUNT_REVOKED],
           by_status[SCALEKIT_ACCOUNT_DISCONNECTED]);
    printf("%-16s %9s  (webhook %zu, event feed %zu, look %zu)\n", "... told by", "",
           by_source[SCALEKIT_WATCH_SOURCE_WEBHOOK], by_source[SCALEKIT_WATCH_SOURCE_FEED],
           by_look(fleet));
    printf("%-16s %9zu\n%-16s %9zu\n%-16s %9zu\n", "still waiting", fleet->started - fleet->ended,
           "ended otherwise", fleet->ended - fleet->settled - fleet->refused, "refused",
           fleet->refused);
    printf("%-16s %9zu\n%-16s %9zu\n", "told twice", fleet->duplicates, "lost", summary->lost);
    printf("%-16s %9" PRIu64 "  (%" PRIu64 " rate limited)\n", "requests",
           requests_sent(&summary->sent), summary->sent.rate_limited);
    if (fleet->options.emulator)
        print_delays("delay", &summary->all);
    if (fleet->options.webhooks)
        print_deliveries(fleet, summary);
    printf("%-16s %9.1f s\n%-16s %9.2f s\n", "wall time", summary->seconds, "CPU time",
           cpu_seconds(RUSAGE_SELF));
    printf("%-16s %9.1f MB  (%.1f before the watches, %.1f with all of them, %.1f in the end)\n",
           "peak memory", fleet->rss_most, fleet->rss_start, fleet->rss_watching, fleet->rss_end);
}

/* Whether everything was as it must be. */
static bool is_good(const struct fleet *fleet, const struct summary *summary)
{
    if (!fleet->interrupted && summary->unchanged) {
        complain("%zu accounts did not change in time", summary->unchanged);
        return false;
    }
    return !fleet->duplicates && !summary->lost && !fleet->refused;
}

static bool watch_fleet(struct fleet *fleet)
{
    struct summary summary;
    bool good = run(fleet);

    if (good)
        sum_up(fleet, &summary);
    if (!stop(fleet) && good) {
        complain("the emulator did not end well");
        good = false;
    }
    if (good) {
        if (fleet->options.json)
            print_json(fleet, &summary);
        else
            print_text(fleet, &summary);
        good = is_good(fleet, &summary);
    }
    roster_free(&fleet->roster);
    free(fleet->accounts);
    return good;
}

int main(int argc, char **argv)
{
    struct fleet fleet = {.terminal = isatty(STDERR_FILENO)};
    enum fleet_reading reading = fleet_read_options(&fleet.options, argc, argv);
    bool good;

    if (reading != GO_ON)
        return reading == ENOUGH ? EXIT_SUCCESS : EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that leaves is found by fflush() */
    good = watch_fleet(&fleet);
    return good && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
