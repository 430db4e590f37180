/* threads - many event loops: each thread has a base and a client of its own, and checks accounts.
 *
 *     threads gmail user_1 user_2               with the SCALEKIT_… variables in the environment
 *     threads --emulator gmail user_1 user_2    without an account at Scalekit
 *
 * A client belongs to one thread.  So the threads share nothing but what stays as it is, and the
 * governor, which sees to it that they keep within the environment's limit together; there is no lock
 * in this program: they hand each other work by scalekit_submit().  A check belongs to the
 * thread that has it, and goes round:
 *
 *     main thread                               a worker's thread
 *     hand_out() ────── scalekit_submit() ────► start_check()   asks for the account's status
 *         ▲                                          │
 *     take_back() ◄──── scalekit_submit() ────── on_account()   notes what came
 *
 * Main holds each worker's client until all of its checks are back, which keeps that loop running;
 * each worker holds main's until its thread ends. */
#include "common.h"
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN_FLIGHT 32 /* checks of a worker at a time */

const char program[] = "threads";

static const char usage[] =
    "Usage: threads [option]... CONNECTION IDENTIFIER...\n"
    "Checks the accounts of these users at CONNECTION, over and over, from several threads.\n"
    "\n"
    "  --threads N    how many, 1 to 256 (default: 4)\n"
    "  --checks N     of each thread, 1 to 10000000 (default: 1000)\n"
    "  --emulator     bring an environment along, in which these users are connected\n"
    "  -h, --help     print this\n"
    "\n"
    "Without --emulator the environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
    "SCALEKIT_CLIENT_SECRET say which environment to use.\n";

/* What all threads read, and none changes while they run.  Anything else that the clients of one
 * process are to share is made by main, and handed to each of them from here. */
struct common {
    const char *connection;
    char **identifiers;
    size_t n_identifiers;
    struct scalekit_config config;
    scalekit_client *main_client; /* each worker holds it */
};

struct worker;

struct check {
    struct worker *worker;
    const char *identifier;
    scalekit_err code; /* SCALEKIT_OK: `status` is the answer */
    enum scalekit_account_status status;
    char problem[256];
};

struct worker {
    /* Set before the thread starts. */
    const struct common *common;
    struct app *app; /* for main alone */
    struct event_base *base;
    scalekit_client *client;
    pthread_t thread;

    /* The thread's own; main's once it was joined. */
    bool closed;          /* the client was freed already */
    bool failed;          /* the loop did */
    unsigned undelivered; /* checks that main would not have */

    /* Main's. */
    struct check checks[IN_FLIGHT]; /* but for those that are handed out */
    unsigned out;
    bool held, running;
    int64_t handed_out, active, other, missing;
};

struct app {
    int64_t threads, checks;
    bool emulator;
    struct common common;
    struct event_base *base;
    scalekit_governor *governor; /* of all clients */
    struct sandbox sandbox;      /* with --emulator */
    struct worker *workers;
    int64_t running; /* threads */
    size_t next;     /* identifier */
    bool stopping, failed;
};

/* --- on a worker's thread ---------------------------------------------------------------------- */

static void take_back(scalekit_client *client, void *user);

/* Main refuses only when it has given up: its queue has room for all checks. */
static void send_back(struct check *check)
{
    if (scalekit_submit(check->worker->common->main_client, take_back, check) != SCALEKIT_OK)
        check->worker->undelivered++;
}

static void note_failure(struct check *check, scalekit_err code, const char *message)
{
    check->code = code;
    snprintf(check->problem, sizeof check->problem, "%s", message);
}

/* Results live as long as their callback: what main is to know is copied. */
static void on_account(scalekit_request *request, const struct scalekit_connected_account *account,
                       void *user)
{
    const struct scalekit_error *error = scalekit_request_error(request);
    struct check *check = user;

    if (account) {
        check->code = SCALEKIT_OK;
        check->status = account->status;
    } else
        note_failure(check, error->code, error->message);
    send_back(check);
}

static void start_check(scalekit_client *client, void *user)
{
    struct check *check = user;

    if (!client) {
        note_failure(check, SCALEKIT_ERR_CLOSED, scalekit_strerror(SCALEKIT_ERR_CLOSED));
        send_back(check);
    } else if (!scalekit_get_connected_account_details(
                   client,
                   SCALEKIT_PARAMS(scalekit_account_key,
                                   .connection_name = check->worker->common->connection,
                                   .identifier = check->identifier),
                   on_account, check)) {
        note_failure(check, SCALEKIT_ERR_NOMEM, scalekit_strerror(SCALEKIT_ERR_NOMEM));
        send_back(check);
    }
}

/* Ends everything at once: the checks that are under way complete, and go back. */
static void shut(scalekit_client *client, void *user)
{
    struct worker *worker = user;

    if (!client)
        return;
    worker->closed = true;
    scalekit_client_free(client);
}

static void on_worker_end(scalekit_client *client, void *user);

static void *work(void *user)
{
    struct worker *worker = user;
    scalekit_client *main_client = worker->common->main_client;

    worker->failed = event_base_dispatch(worker->base) < 0;
    if (!worker->closed)
        scalekit_client_free(worker->client);
    if (scalekit_submit(main_client, on_worker_end, worker) != SCALEKIT_OK)
        worker->undelivered++;
    scalekit_client_release(main_client);
    return NULL;
}

/* --- on the main thread ------------------------------------------------------------------------ */

/* The worker's loop returns when it has nothing left to do. */
static void let_go(struct worker *worker)
{
    if (worker->held)
        scalekit_client_release(worker->client);
    worker->held = false;
}

static void stop(struct app *app)
{
    app->stopping = true;
    for (int64_t i = 0; app->workers && i < app->threads; i++) {
        struct worker *worker = &app->workers[i];

        if (worker->held)
            scalekit_submit(worker->client, shut, worker); /* refused: it is shut already */
        if (worker->out == 0)
            let_go(worker);
    }
}

static void fail(struct app *app, const char *doing, const char *message, scalekit_err code)
{
    if (!app->stopping)
        complain("cannot %s: %s (%s)", doing, message, scalekit_err_name(code));
    app->failed = true;
    stop(app);
}

static void hand_out(struct app *app, struct check *check)
{
    struct worker *worker = check->worker;
    scalekit_err err;

    check->identifier = app->common.identifiers[app->next++ % app->common.n_identifiers];
    err = scalekit_submit(worker->client, start_check, check);
    if (err != SCALEKIT_OK) {
        fail(app, "hand out a check", scalekit_strerror(err), err);
        return;
    }
    worker->handed_out++;
    worker->out++;
}

static void count(struct app *app, const struct check *check)
{
    struct worker *worker = check->worker;

    if (check->code == SCALEKIT_OK && check->status == SCALEKIT_ACCOUNT_ACTIVE)
        worker->active++;
    else if (check->code == SCALEKIT_OK)
        worker->other++;
    else if (check->code == SCALEKIT_ERR_NOT_FOUND)
        worker->missing++;
    else
        fail(app, "check an account", check->problem, check->code);
}

static void take_back(scalekit_client *client, void *user)
{
    struct check *check = user;
    struct worker *worker = check->worker;
    struct app *app = worker->app;

    if (!client)
        return; /* the end: nobody counts any more */
    worker->out--;
    count(app, check);
    if (!app->stopping && worker->handed_out < app->checks)
        hand_out(app, check);
    if (worker->out == 0)
        let_go(worker);
}

static void on_worker_end(scalekit_client *client, void *user)
{
    struct app *app = ((struct worker *)user)->app;

    if (client && --app->running == 0)
        event_base_loopbreak(app->base);
}

static void on_interrupt(evutil_socket_t number, short what, void *user)
{
    (void)number;
    (void)what;
    fail(user, "finish", "interrupted", SCALEKIT_ERR_CANCELED);
}

/* --- starting ---------------------------------------------------------------------------------- */

static bool make_client(struct app *app, scalekit_client **client, struct event_base *base)
{
    char problem[PROBLEM_SIZE];
    const char *wrong;

    if (!base) {
        complain("cannot make an event loop");
        return false;
    }
    if (scalekit_client_new(client, base, &app->common.config, &wrong) == SCALEKIT_OK)
        return true;
    explain_settings(problem, wrong ? wrong : "out of memory");
    complain("%s", problem);
    return false;
}

/* Both holds are taken before the thread runs: from then on, each side may submit. */
static bool hold_each_other(struct worker *worker)
{
    if (scalekit_client_hold(worker->client) != SCALEKIT_OK)
        return false;
    worker->held = true;
    if (scalekit_client_hold(worker->common->main_client) == SCALEKIT_OK)
        return true;
    let_go(worker);
    return false;
}

static bool start_worker(struct app *app, struct worker *worker)
{
    int error;

    worker->app = app;
    worker->common = &app->common;
    for (int i = 0; i < IN_FLIGHT; i++)
        worker->checks[i].worker = worker;
    worker->base = event_base_new();
    if (!make_client(app, &worker->client, worker->base))
        return false;
    if (!hold_each_other(worker)) {
        complain("out of memory or descriptors");
        return false;
    }
    error = pthread_create(&worker->thread, NULL, work, worker);
    if (error) {
        complain("cannot start a thread: %s", strerror(error));
        scalekit_client_release(app->common.main_client);
        let_go(worker);
        return false;
    }
    worker->running = true;
    app->running++;
    return true;
}

static bool start_workers(struct app *app)
{
    app->workers = calloc((size_t)app->threads, sizeof *app->workers);
    if (!app->workers) {
        complain("out of memory");
        return false;
    }
    for (int64_t i = 0; i < app->threads; i++)
        if (!start_worker(app, &app->workers[i]))
            return false;
    return true;
}

static bool read_settings(struct app *app)
{
    struct scalekit_emulator_config emulator = {0};
    char problem[PROBLEM_SIZE];
    bool good = app->emulator ? sandbox_open(&app->sandbox, app->base, &emulator, problem)
                              : settings_from_env(&app->common.config, problem);

    if (!good) {
        complain("%s", problem);
        return false;
    }
    if (app->emulator)
        sandbox_settings(&app->sandbox, &app->common.config);
    for (size_t i = 0; app->emulator && i < app->common.n_identifiers; i++)
        if (!scalekit_emulator_set_status(app->sandbox.emulator, app->common.connection,
                                          app->common.identifiers[i], "ACTIVE")) {
            complain("cannot connect %s in the emulator", app->common.identifiers[i]);
            return false;
        }
    /* Room for every check at once, and a word of each worker. */
    app->common.config.max_submitted = (unsigned)app->threads * (IN_FLIGHT + 2);
    if (scalekit_governor_new(&app->governor, NULL, NULL) != SCALEKIT_OK) {
        complain("out of memory");
        return false;
    }
    app->common.config.governor = app->governor;
    return true;
}

static bool run(struct app *app)
{
    struct interrupts interrupts = {0};
    bool good = read_settings(app) && make_client(app, &app->common.main_client, app->base);

    if (good && !interrupts_open(&interrupts, app->base, on_interrupt, app)) {
        complain("cannot listen for Ctrl-C");
        good = false;
    }
    good = good && start_workers(app);
    for (int64_t i = 0; good && i < app->threads; i++)
        for (int64_t j = 0; j < IN_FLIGHT && j < app->checks; j++)
            hand_out(app, &app->workers[i].checks[j]);
    if (!good)
        stop(app);
    if (app->running > 0 && event_base_dispatch(app->base) < 0) {
        complain("the event loop failed");
        good = false;
    }
    interrupts_close(&interrupts);
    return good && !app->failed;
}

/* --- ending ------------------------------------------------------------------------------------ */

/* Usually all threads have ended.  Otherwise they find main's client closed, and end. */
static bool clean_up(struct app *app)
{
    bool good = true;

    stop(app);
    scalekit_client_free(app->common.main_client);
    for (int64_t i = 0; app->workers && i < app->threads; i++) {
        struct worker *worker = &app->workers[i];

        let_go(worker);
        if (worker->running)
            pthread_join(worker->thread, NULL);
        else
            scalekit_client_free(worker->client);
        if (worker->base)
            event_base_free(worker->base);
        good = good && !worker->failed && !worker->undelivered;
    }
    scalekit_governor_free(app->governor);
    sandbox_close(&app->sandbox);
    return good;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show(const struct app *app, double seconds)
{
    int64_t total = 0;

    printf("%-8s %10s %10s %10s %10s\n", "thread", "checks", "active", "other", "not found");
    for (int64_t i = 0; i < app->threads; i++) {
        const struct worker *worker = &app->workers[i];

        printf("%-8" PRId64 " %10" PRId64 " %10" PRId64 " %10" PRId64 " %10" PRId64 "\n", i + 1,
               worker->handed_out, worker->active, worker->other, worker->missing);
        total += worker->handed_out;
    }
    printf("\n%" PRId64 " checks in %.2f s, %.0f checks per second\n", total, seconds,
           (double)total / seconds);
}

/* --- options ----------------------------------------------------------------------------------- */

enum reading { GO_ON, ENOUGH, WRONG };

static bool set_accounts(struct common *common, int n, char **operands)
{
    if (n < 2) {
        complain("CONNECTION and IDENTIFIER are needed: threads gmail user_123");
        return false;
    }
    common->connection = operands[0];
    common->identifiers = operands + 1;
    common->n_identifiers = (size_t)n - 1;
    return true;
}

static enum reading read_options(struct app *app, int argc, char **argv)
{
    static const struct option known[] = {
        {"threads", required_argument, NULL, 't'},
        {"checks", required_argument, NULL, 'c'},
        {"emulator", no_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool good = true;
    int option;

    argv[0] = (char *)program; /* for what getopt_long() says */
    while (good && (option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 't')
            good = parse_number("--threads", optarg, 1, 256, &app->threads);
        else if (option == 'c')
            good = parse_number("--checks", optarg, 1, 10000000, &app->checks);
        else if (option == 'e')
            app->emulator = true;
        else if (option == 'h')
            return fputs(usage, stdout) < 0 ? WRONG : ENOUGH;
        else
            good = false; /* getopt_long() has said why */
    }
    good = good && set_accounts(&app->common, argc - optind, argv + optind);
    if (!good)
        fputs("Try --help.\n", stderr);
    return good ? GO_ON : WRONG;
}

int main(int argc, char **argv)
{
    struct app app = {.threads = 4, .checks = 1000};
    enum reading reading = read_options(&app, argc, argv);
    double started = now_s();
    bool good;

    if (reading != GO_ON)
        return reading == ENOUGH ? EXIT_SUCCESS : EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN); /* a reader of our output that leaves is found by fflush() */
    app.base = event_base_new();
    if (!app.base) {
        complain("cannot make an event loop");
        return EXIT_FAILURE;
    }
    good = run(&app);
    if (!clean_up(&app) && good) {
        complain("a thread did not end well");
        good = false;
    }
    event_base_free(app.base);
    if (good)
        show(&app, now_s() - started);
    free(app.workers);
    return good && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
