/* demo - a thousand users connect their accounts, in one process and on one event loop.
 *
 * An emulator with TLS runs on the same loop.  Each user has a plan, drawn from the seed: most
 * approve after a while, some deny, never answer, or lose the authorization.  Everybody is
 * connected with scalekit_connect_account() at once; nobody presses Enter.  At the end every user
 * must have got exactly one outcome, the planned one.
 *
 * The times, for --seconds S, from the moment a link was made:
 *
 *     0 … S      everybody who does something does it
 *     S + 1      the patience of those whose users do nothing: "deadline"
 *     S + 3      the links run out: "link expired" for those who wait even longer */
#include "common.h"
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

const char program[] = "demo";

static const char usage[] = "Usage: demo [option]...\n"
                            "Connects many users at once, against an emulator in this process.\n"
                            "\n"
                            "  --users N      how many, 1 to 100000 (default: 1000)\n"
                            "  --seconds N    within which they decide, 1 to 600 (default: 10)\n"
                            "  --seed N       of what they decide, and when (default: 1)\n"
                            "  -h, --help     print this\n";

struct options {
    int64_t users, seconds, seed;
};

/* --- plans ------------------------------------------------------------------------------------- */

enum outcome { ACTIVE, EXPIRED, REVOKED, LINK_EXPIRED, DEADLINE, OTHER, N_OUTCOMES };

static const char *const outcome_names[N_OUTCOMES] = {
    [ACTIVE] = "active",     [EXPIRED] = "expired",
    [REVOKED] = "revoked",   [LINK_EXPIRED] = "link expired",
    [DEADLINE] = "deadline", [OTHER] = "anything else",
};

static const struct plan {
    unsigned percent;
    enum scalekit_consent consent;
    enum outcome outcome;
} plans[] = {
    {80, SCALEKIT_CONSENT_APPROVE, ACTIVE}, {5, SCALEKIT_CONSENT_EXPIRE, EXPIRED},
    {5, SCALEKIT_CONSENT_REVOKE, REVOKED},  {4, SCALEKIT_CONSENT_DENY, DEADLINE},
    {4, SCALEKIT_CONSENT_MANUAL, DEADLINE}, {2, SCALEKIT_CONSENT_MANUAL, LINK_EXPIRED},
};

/* Of each connection, as many tokens are fetched and tools run. */
#define SHOWN 2

static const struct {
    const char *name, *tool, *input;
} connections[] = {
    {"gmail", "gmail_fetch_mails", "{\"query\":\"is:unread\",\"max_results\":1}"},
    {"slack", "echo", "{\"text\":\"hello\"}"},
    {"notion", "echo", "{\"page\":\"home\"}"},
};

#define N_CONNECTIONS (sizeof connections / sizeof *connections)

struct demo;

struct user {
    struct demo *demo;
    const struct plan *plan;
    size_t connection;
    unsigned ends; /* final events; 1 in the end */
    enum outcome outcome;
    char identifier[32];
};

struct demo {
    struct options options;
    struct event_base *base;
    struct sandbox sandbox;
    scalekit_client *client;
    struct user *users;
    struct interrupts interrupts;
    struct event *progress;
    uint64_t random;
    int64_t started_ms, looks;
    int64_t links, ended, seen[N_OUTCOMES];
    unsigned shown[N_CONNECTIONS]; /* users whose token and tool are or were asked for */
    unsigned to_come, tokens, tools;
    bool terminal, interrupted;
    bool over; /* what ends from now on, nobody wants to hear of */
};

/* The same numbers from the same seed: Knuth's 64-bit generator, its better upper half. */
static unsigned dice(struct demo *demo, unsigned sides)
{
    demo->random = demo->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((demo->random >> 32) * sides >> 32);
}

static const struct plan *draw_plan(struct demo *demo)
{
    unsigned roll = dice(demo, 100);
    const struct plan *plan = plans;

    for (; roll >= plan->percent; plan++)
        roll -= plan->percent;
    return plan;
}

/* --- time -------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double elapsed_s(const struct demo *demo)
{
    return (double)(now_ms() - demo->started_ms) / 1000;
}

/* A terminal sees one line that changes and never wraps; a log file a line now and then. */
static void show_progress(const struct demo *demo)
{
    printf("%s%5.1f s  waiting %" PRId64 "  active %" PRId64 "  expired %" PRId64
           "  revoked %" PRId64 "  timed out %" PRId64 "%s",
           demo->terminal ? "\r" : "", elapsed_s(demo), demo->options.users - demo->ended,
           demo->seen[ACTIVE], demo->seen[EXPIRED], demo->seen[REVOKED],
           demo->seen[LINK_EXPIRED] + demo->seen[DEADLINE], demo->terminal ? "\033[K" : "\n");
    fflush(stdout);
}

static void on_progress(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    show_progress(user);
}

static void on_interrupt(evutil_socket_t number, short what, void *user)
{
    struct demo *demo = user;

    (void)number;
    (void)what;
    demo->interrupted = demo->over = true;
    event_base_loopbreak(demo->base);
}

/* --- the point of it: a token, and a tool ------------------------------------------------------ */

static void finish_if_done(struct demo *demo)
{
    if (demo->ended == demo->options.users && !demo->to_come)
        event_base_loopbreak(demo->base);
}

/* Nothing of what is shown should fail here; it is told once. */
static void break_off(struct demo *demo, const char *doing, const struct scalekit_error *error)
{
    if (!demo->over)
        complain_about(doing, error);
    demo->over = true;
    event_base_loopbreak(demo->base);
}

static void on_tool(scalekit_request *request, const struct scalekit_tool_result *result,
                    void *user)
{
    struct demo *demo = ((struct user *)user)->demo;

    demo->to_come--;
    if (!result) {
        break_off(demo, "run a tool", scalekit_request_error(request));
        return;
    }
    demo->tools++;
    finish_if_done(demo);
}

static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *arg)
{
    struct user *user = arg;
    struct demo *demo = user->demo;

    demo->to_come--;
    if (!account || !account->authorization_details ||
        !account->authorization_details->oauth_token) {
        break_off(demo, "fetch a token", scalekit_request_error(request));
        return;
    }
    demo->tokens++;
    if (!scalekit_execute_tool(demo->client,
                               SCALEKIT_PARAMS(scalekit_execute_tool_params,
                                               .connected_account_id = account->id,
                                               .tool_name = connections[user->connection].tool,
                                               .tool_input = connections[user->connection].input),
                               on_tool, user)) {
        break_off(demo, "run a tool", NULL);
        return;
    }
    demo->to_come++;
}

/* The first users of each connection show what an active account is good for. */
static void use_account(struct user *user)
{
    struct demo *demo = user->demo;

    if (demo->shown[user->connection] == SHOWN)
        return;
    demo->shown[user->connection]++;
    if (!scalekit_get_connected_account(
            demo->client,
            SCALEKIT_PARAMS(scalekit_account_key,
                            .connection_name = connections[user->connection].name,
                            .identifier = user->identifier),
            on_account, user)) {
        break_off(demo, "fetch a token", NULL);
        return;
    }
    demo->to_come++;
}

/* --- the users --------------------------------------------------------------------------------- */

static enum outcome outcome_of(const struct scalekit_watch_event *event)
{
    if (event->kind == SCALEKIT_WATCH_LINK_EXPIRED)
        return LINK_EXPIRED;
    if (event->kind == SCALEKIT_WATCH_DEADLINE)
        return DEADLINE;
    if (event->kind != SCALEKIT_WATCH_SETTLED)
        return OTHER;
    switch (event->status) {
    case SCALEKIT_ACCOUNT_ACTIVE:
        return ACTIVE;
    case SCALEKIT_ACCOUNT_EXPIRED:
        return EXPIRED;
    case SCALEKIT_ACCOUNT_REVOKED:
        return REVOKED;
    default:
        return OTHER;
    }
}

static void on_watch(scalekit_watch *watch, const struct scalekit_watch_event *event, void *arg)
{
    struct user *user = arg;
    struct demo *demo = user->demo;

    (void)watch;
    if (demo->over)
        return;
    if (event->kind == SCALEKIT_WATCH_LINK)
        demo->links++; /* an application would send event->link to the user now */
    if (!event->final)
        return;
    user->outcome = outcome_of(event);
    user->ends++;
    demo->seen[user->outcome]++;
    demo->ended++;
    demo->looks += event->looks;
    if (user->outcome == ACTIVE)
        use_account(user);
    else if (user->outcome == OTHER && event->error)
        break_off(demo, "connect an account", event->error);
    finish_if_done(demo);
}

/* How long we wait for this user.  Making all the links takes a moment for itself. */
static int64_t patience_ms(const struct demo *demo, const struct plan *plan)
{
    int64_t decided = demo->options.seconds * 1000, links = demo->options.users;

    if (plan->outcome == DEADLINE)
        return decided + 1000;
    if (plan->outcome == LINK_EXPIRED)
        return decided + 5000 + links;
    return decided + 60000 + links;
}

static bool add_user(struct demo *demo, int64_t number)
{
    struct user *user = &demo->users[number];
    const char *connection = connections[number % N_CONNECTIONS].name;
    unsigned decides_ms = dice(demo, (unsigned)demo->options.seconds * 1000);

    user->demo = demo;
    user->plan = draw_plan(demo);
    user->connection = (size_t)number % N_CONNECTIONS;
    snprintf(user->identifier, sizeof user->identifier, "user_%" PRId64, number);
    return scalekit_emulator_script_account(demo->sandbox.emulator, connection, user->identifier,
                                            user->plan->consent, decides_ms) &&
           scalekit_connect_account(demo->client,
                                    SCALEKIT_PARAMS(scalekit_connect_account_params,
                                                    .connection_name = connection,
                                                    .identifier = user->identifier,
                                                    .deadline_ms = patience_ms(demo, user->plan)),
                                    on_watch, user);
}

/* --- from beginning to end --------------------------------------------------------------------- */

static bool start_client(struct demo *demo)
{
    struct scalekit_emulator_config emulator = {.link_life_s = demo->options.seconds + 3};
    struct scalekit_config config;
    char problem[PROBLEM_SIZE];
    const char *wrong;

    if (!sandbox_open(&demo->sandbox, demo->base, &emulator, problem)) {
        complain("%s", problem);
        return false;
    }
    sandbox_settings(&demo->sandbox, &config);
    config.max_queue = (unsigned)demo->options.users + 1000;
    if (scalekit_client_new(&demo->client, demo->base, &config, &wrong) == SCALEKIT_OK)
        return true;
    complain("the settings are wrong: %s", wrong);
    return false;
}

static bool start_users(struct demo *demo)
{
    demo->users = calloc((size_t)demo->options.users, sizeof *demo->users);
    for (int64_t i = 0; i < demo->options.users; i++) {
        if (!demo->users || !add_user(demo, i)) {
            complain("out of memory");
            return false;
        }
    }
    return true;
}

static bool start_events(struct demo *demo)
{
    struct timeval period = {demo->terminal ? 0 : 3, demo->terminal ? 200000 : 0};

    demo->progress = event_new(demo->base, -1, EV_PERSIST, on_progress, demo);
    if (demo->progress && event_add(demo->progress, &period) == 0 &&
        interrupts_open(&demo->interrupts, demo->base, on_interrupt, demo))
        return true;
    complain("out of memory");
    return false;
}

static bool run(struct demo *demo)
{
    if (!start_events(demo) || !start_client(demo) || !start_users(demo))
        return false;
    if (event_base_dispatch(demo->base) < 0) {
        complain("the event loop failed");
        return false;
    }
    show_progress(demo);
    if (demo->terminal)
        putchar('\n');
    return !demo->over;
}

static void clean_up(struct demo *demo)
{
    demo->over = true;
    scalekit_client_free(demo->client);
    sandbox_close(&demo->sandbox);
    interrupts_close(&demo->interrupts);
    if (demo->progress)
        event_free(demo->progress);
    free(demo->users);
}

/* --- the account of it ------------------------------------------------------------------------- */

static bool show_outcomes(const struct demo *demo)
{
    int64_t planned[N_OUTCOMES] = {0}, wrong = 0;

    for (int64_t i = 0; i < demo->options.users; i++) {
        const struct user *user = &demo->users[i];

        planned[user->plan->outcome]++;
        wrong += user->ends != 1 || user->outcome != user->plan->outcome;
    }
    printf("\n%-16s %9s %9s\n", "outcome", "planned", "seen");
    for (int i = 0; i < N_OUTCOMES; i++)
        printf("%-16s %9" PRId64 " %9" PRId64 "\n", outcome_names[i], planned[i], demo->seen[i]);
    printf("%-16s %9" PRId64 " %9" PRId64 "\n\n", "users", demo->options.users, demo->ended);
    if (wrong)
        complain("%" PRId64 " users did not get exactly their planned outcome", wrong);
    return !wrong;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void show_costs(const struct demo *demo)
{
    struct scalekit_emulator_stats stats;
    struct rusage used;
    double users = (double)demo->options.users;

    scalekit_emulator_stats(demo->sandbox.emulator, &stats);
    printf("%-16s %9" PRId64 "\n", "links issued", demo->links);
    printf("%-16s %9" PRIu64 "  (%.1f per user)\n", "requests", stats.requests,
           (double)stats.requests / users);
    printf("%-16s %9" PRId64 "  (%.1f per user)\n", "looks of watches", demo->looks,
           (double)demo->looks / users);
    printf("%-16s %9" PRIu64 "\n", "sign-ins", stats.sign_ins);
    printf("%-16s %9u\n%-16s %9u\n", "tokens fetched", demo->tokens, "tools run", demo->tools);
    printf("%-16s %9.1f s\n", "wall time", elapsed_s(demo));
    if (getrusage(RUSAGE_SELF, &used) == 0)
        printf("%-16s %9.2f s\n%-16s %9.1f MB, the emulator's share included\n", "CPU time",
               seconds(used.ru_utime) + seconds(used.ru_stime), "peak memory",
               (double)used.ru_maxrss / 1024);
}

static bool read_options(struct options *options, int argc, char **argv, bool *help)
{
    static const struct option known[] = {
        {"users", required_argument, NULL, 'u'},
        {"seconds", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    *options = (struct options){.users = 1000, .seconds = 10, .seed = 1};
    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && !*help && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'u')
            good = parse_number("--users", optarg, 1, 100000, &options->users);
        else if (option == 's')
            good = parse_number("--seconds", optarg, 1, 600, &options->seconds);
        else if (option == 'r')
            good = parse_number("--seed", optarg, 0, INT64_MAX, &options->seed);
        else if (option == 'h')
            *help = true;
        else
            good = false; /* getopt_long() has said why */
    }
    if (good && !*help && optind < argc) {
        complain("\"%s\" is not an option", argv[optind]);
        good = false;
    }
    if (!good)
        fputs("Try --help.\n", stderr);
    return good;
}

int main(int argc, char **argv)
{
    struct demo demo = {.started_ms = now_ms(), .terminal = isatty(STDOUT_FILENO)};
    bool help = false, good;

    if (!read_options(&demo.options, argc, argv, &help))
        return EXIT_FAILURE;
    if (help)
        return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that leaves is found by fflush() */
    demo.random = (uint64_t)demo.options.seed;
    demo.base = event_base_new();
    if (!demo.base) {
        complain("cannot make an event loop");
        return EXIT_FAILURE;
    }
    printf("Users: %" PRId64 ". All connect at once; each decides within %" PRId64 " s.\n",
           demo.options.users, demo.options.seconds);
    good = run(&demo) && show_outcomes(&demo);
    if (good)
        show_costs(&demo);
    clean_up(&demo);
    event_base_free(demo.base);
    if (demo.interrupted && !good)
        complain("interrupted");
    return good && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
