/* scalekit webhook listen - receives deliveries, tells of those that are good, and posts them on. */
#include "exit.h"
#include "follow.h"
#include "listening.h"
#include "output.h"
#include "secrets.h"
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <scalekit/webhook_server.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESS    "127.0.0.1"
#define PORT       8377
#define ANSWER_MS  10000 /* of the server that it forwards to */
#define LINGER_MS  100   /* for the answer to the last event to leave */
#define MOST       1000000000
#define REMEMBERED 4096 /* ids, two of each event */

struct listening {
    struct environment *environment;
    struct secrets secrets;
    const char *made; /* the emulator's secret, when none is given */
    int64_t port, count;
    scalekit_webhook_server *server;
    struct forward *forward; /* NULL: nothing is posted on */
    struct follow follow;    /* the emulator's user */
    struct event *deadline, *linger;

    uint64_t seen[REMEMBERED]; /* hashes of the latest ids */
    size_t n_seen;
    struct listening_counts counts;
    bool enough, lingered;
    int status;
};

static void stop(void *user)
{
    struct listening *listening = user;

    environment_leave(listening->environment);
}

/* Enough has come, has been answered, and is told of. */
static void leave_when_done(struct listening *listening)
{
    if (listening->lingered && (!listening->forward || !forward_waiting(listening->forward)))
        stop(listening);
}

static void on_linger(evutil_socket_t unused, short what, void *user)
{
    struct listening *listening = user;

    (void)unused;
    (void)what;
    listening->lingered = true;
    leave_when_done(listening);
}

static void on_deadline(evutil_socket_t unused, short what, void *user)
{
    struct listening *listening = user;

    (void)unused;
    (void)what;
    listening->status = EXIT_TIMED_OUT;
    stop(listening);
}

static bool start_timer(struct listening *listening, struct event **timer, event_callback_fn cb,
                        int64_t ms)
{
    struct timeval pause = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

    *timer = evtimer_new(listening->environment->base, cb, listening);
    return *timer && evtimer_add(*timer, &pause) == 0;
}

/* --- deliveries ----------------------------------------------------------------------------------- */

/* FNV-1a: the ids are signed, so nobody makes two of them meet. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

static bool was_seen(const struct listening *listening, uint64_t hash)
{
    size_t n = listening->n_seen < REMEMBERED ? listening->n_seen : REMEMBERED;

    for (size_t i = 0; i < n; i++)
        if (listening->seen[i] == hash)
            return true;
    return false;
}

static bool is_duplicate(struct listening *listening, const struct scalekit_webhook_event *event)
{
    uint64_t delivery = hash_of(event->delivery_id), what = hash_of(event->event->id);

    if (was_seen(listening, delivery) || was_seen(listening, what))
        return true;
    listening->seen[listening->n_seen++ % REMEMBERED] = delivery;
    listening->seen[listening->n_seen++ % REMEMBERED] = what;
    return false;
}

static void on_forwarded(const struct forward_result *result, void *user)
{
    struct listening *listening = user;
    const struct options *options = listening->environment->options;

    if (result->status) {
        listening->counts.forwarded++;
        tell_forwarded(options, result);
    } else {
        listening->counts.not_forwarded++;
        tell_not_forwarded(options, result->delivery_id, result->problem);
    }
    if (!output_flush())
        stop(listening);
    leave_when_done(listening);
}

static void post_on(struct listening *listening, const struct scalekit_webhook_delivery *delivery,
                    const char *id)
{
    const char *problem = forward_post(listening->forward, delivery);

    if (!problem)
        return;
    listening->counts.not_forwarded++;
    tell_not_forwarded(listening->environment->options, id, problem);
}

static enum scalekit_webhook_verdict judge(const struct listening *listening,
                                           const struct scalekit_webhook_delivery *delivery,
                                           const struct scalekit_webhook_event **event)
{
    const struct secrets *secrets = &listening->secrets;

    return scalekit_webhook_open(
        SCALEKIT_PARAMS(scalekit_webhook_rules,
                        .secrets = secrets->n ? secrets->items : &listening->made,
                        .n_secrets = secrets->n ? secrets->n : 1, .now = time(NULL)),
        delivery, event);
}

/* The answer leaves when this returns: before anything is posted on. */
static enum scalekit_webhook_verdict take(const struct scalekit_webhook_delivery *delivery,
                                          void *user)
{
    struct listening *listening = user;
    const struct options *options = listening->environment->options;
    const struct scalekit_webhook_event *event;
    enum scalekit_webhook_verdict verdict;

    if (listening->enough)
        return SCALEKIT_WEBHOOK_BUSY; /* so that it comes again, to somebody */
    verdict = judge(listening, delivery, &event);
    output_progress(NULL);
    if (verdict != SCALEKIT_WEBHOOK_GOOD) {
        listening->counts.refused++;
        tell_refused(options, scalekit_webhook_verdict_text(verdict));
    } else {
        bool duplicate = is_duplicate(listening, event);

        tell_delivery(options, event, duplicate);
        if (listening->forward)
            post_on(listening, delivery, event->delivery_id);
        verdict = duplicate ? SCALEKIT_WEBHOOK_DUPLICATE : verdict;
        *(duplicate ? &listening->counts.duplicates : &listening->counts.events) += 1;
        scalekit_webhook_event_free(event);
    }
    if (!output_flush())
        stop(listening);
    if (listening->count && listening->counts.events == (uint64_t)listening->count) {
        listening->enough = true;
        if (!start_timer(listening, &listening->linger, on_linger, LINGER_MS))
            stop(listening);
    }
    return verdict;
}

/* Nobody but this tells that a tunnel leads to another path. */
static void on_refused(int http_status, void *user)
{
    struct listening *listening = user;

    output_progress(NULL);
    listening->counts.refused++;
    tell_refused(listening->environment->options, http_status == 404
                                                      ? "it was posted to another path"
                                                  : http_status == 405 ? "it is no POST"
                                                                       : "out of memory");
    if (!output_flush())
        stop(listening);
}

/* --- getting ready -------------------------------------------------------------------------------- */

static int read_number(int64_t *number, const char *option, const char *text, int64_t min,
                       int64_t max)
{
    intmax_t value = -1;

    errno = 0;
    if (*text && !text[strspn(text, "0123456789")])
        value = strtoimax(text, NULL, 10);
    if (errno || value < min || value > max)
        return output_misuse("--%s takes a number from %" PRId64 " to %" PRId64 ", not \"%s\"",
                             option, min, max, text);
    *number = value;
    return EXIT_DONE;
}

/* A mistake in a secret is to be found before anything comes. */
static int check_secrets(const struct secrets *secrets)
{
    char unused[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];

    for (size_t i = 0; i < secrets->n; i++) {
        enum scalekit_webhook_verdict verdict =
            scalekit_webhook_sign(unused, secrets->items[i], "msg_", 0, NULL, 0);

        if (verdict != SCALEKIT_WEBHOOK_GOOD)
            return output_misuse("--secret: %s", scalekit_webhook_verdict_text(verdict));
    }
    return EXIT_DONE;
}

static int understand(struct listening *listening, const struct options *options)
{
    int status = EXIT_DONE;

    if (options->once && options->count)
        return output_misuse("--once is --count 1: only one of them can be meant");
    if (!options->certificate != !options->key)
        return output_misuse("--cert and --key belong together");
    if (options->emulator && (options->address || options->certificate))
        return output_misuse("--address, --cert and --key are not for --emulator, which posts to "
                             "http://" ADDRESS);
    if (options->port)
        status = read_number(&listening->port, "port", options->port, 0, UINT16_MAX);
    if (!status && options->count)
        status = read_number(&listening->count, "count", options->count, 1, MOST);
    if (!status && !(options->emulator && !options->secrets.n))
        status = secrets_read(&listening->secrets, &options->secrets);
    return status ? status : check_secrets(&listening->secrets);
}

/* The library's sentence begins with its member, which has another name here. */
static int explain_server(const struct listening *listening, scalekit_err failure,
                          const char *problem)
{
    static const struct {
        const char *member, *option;
    } names[] = {{"address", "address"},
                 {"path", "path"},
                 {"certificate_file", "cert"},
                 {"key_file", "key"}};
    const struct options *options = listening->environment->options;
    size_t length = problem ? strcspn(problem, " ") : 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].member) == length && strncmp(problem, names[i].member, length) == 0)
            return output_misuse("--%s%s", names[i].option, problem + length);
    if (failure == SCALEKIT_ERR_CONNECT)
        return output_failure(EXIT_OTHER,
                              "cannot listen on port %" PRId64 " of %s: --port names another",
                              listening->port, options->address ? options->address : ADDRESS);
    if (failure == SCALEKIT_ERR_TLS)
        return output_misuse("--cert and --key cannot be read, or do not belong together");
    return output_error("listen", NULL);
}

static int start_server(struct listening *listening)
{
    const struct options *options = listening->environment->options;
    const char *problem = NULL;
    scalekit_err failure = scalekit_webhook_server_new(
        &listening->server, listening->environment->base,
        SCALEKIT_PARAMS(scalekit_webhook_server_params, .take = take, .refused = on_refused,
                        .user = listening, .address = options->address ? options->address : ADDRESS,
                        .port = (uint16_t)listening->port, .path = options->path,
                        .certificate_file = options->certificate, .key_file = options->key),
        &problem);

    if (failure)
        return explain_server(listening, failure, problem);
    listening->port = scalekit_webhook_server_port(listening->server);
    return EXIT_DONE;
}

static int start_forward(struct listening *listening)
{
    struct environment *environment = listening->environment;
    const struct options *options = environment->options;
    char problem[FORWARD_PROBLEM_SIZE];

    if (!options->forward_to)
        return EXIT_DONE;
    listening->forward = forward_new(environment->base, options->forward_to, ANSWER_MS,
                                     on_forwarded, listening, problem);
    if (!listening->forward && *problem)
        return output_misuse("--forward-to: %s", problem);
    if (!listening->forward)
        return output_error("forward", NULL);
    if (forward_leads_to(listening->forward, options->address ? options->address : ADDRESS,
                         (uint16_t)listening->port))
        return output_misuse("--forward-to leads back to here");
    return EXIT_DONE;
}

/* --- the emulator --------------------------------------------------------------------------------- */

/* What the account becomes is for the webhooks to tell. */
static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct listening *listening = user;
    bool is_news = event->kind == SCALEKIT_WATCH_LINK || event->kind == SCALEKIT_WATCH_REFUSED ||
                   event->kind == SCALEKIT_WATCH_FAILED;

    (void)watch;
    if (is_news && !follow_event(&listening->follow, event, listening->environment->options))
        stop(listening);
}

/* It posts to here, and a user of it has something to do. */
static int start_emulator(struct listening *listening, const char *url)
{
    struct environment *environment = listening->environment;
    struct scalekit_emulator_webhook webhook = {
        .url = url, .secret = listening->secrets.n ? listening->secrets.items[0] : NULL};
    char problem[512];

    if (!scalekit_emulator_add_webhook(environment->emulator, &webhook, problem, sizeof problem))
        return output_failure(EXIT_OTHER, "the emulator cannot post to %s: %s", url, problem);
    listening->made = scalekit_emulator_webhook_secret(environment->emulator, url);
    listening->follow = (struct follow){.connection = "gmail", .identifier = "user_1"};
    if (!scalekit_connect_account(environment->client,
                                  SCALEKIT_PARAMS(scalekit_connect_account_params,
                                                  .connection_name = listening->follow.connection,
                                                  .identifier = listening->follow.identifier),
                                  on_event, listening))
        return output_error("connect an account", NULL);
    return EXIT_DONE;
}

/* --- from beginning to end ------------------------------------------------------------------------ */

static char *url_of(const struct listening *listening)
{
    const struct options *options = listening->environment->options;
    const char *address = options->address ? options->address : ADDRESS;
    const char *path = options->path ? options->path : "/";
    bool brackets = strchr(address, ':');
    size_t size = strlen(address) + strlen(path) + sizeof "https://[]:65535";
    char *url = malloc(size);

    if (url)
        snprintf(url, size, "%s://%s%s%s:%" PRId64 "%s", options->certificate ? "https" : "http",
                 brackets ? "[" : "", address, brackets ? "]" : "", listening->port, path);
    return url;
}

static int start(struct listening *listening)
{
    struct environment *environment = listening->environment;
    const struct options *options = environment->options;
    int status =
        options->emulator ? environment_open(environment) : environment_open_loop(environment);
    char *url = NULL;

    if (!status)
        status = start_server(listening);
    if (!status)
        status = start_forward(listening);
    if (!status && options->deadline_ms &&
        !start_timer(listening, &listening->deadline, on_deadline, options->deadline_ms))
        status = output_error("listen", NULL);
    if (!status && !(url = url_of(listening)))
        status = output_error("listen", NULL);
    if (!status)
        tell_listening(options, url);
    if (!status && environment->emulator)
        status = start_emulator(listening, url);
    free(url);
    return status;
}

static void finish(struct listening *listening)
{
    environment_end(listening->environment);
    scalekit_webhook_server_free(listening->server);
    forward_free(listening->forward);
    if (listening->deadline)
        event_free(listening->deadline);
    if (listening->linger)
        event_free(listening->linger);
    secrets_free(&listening->secrets);
}

int webhook_listen(struct environment *environment)
{
    struct listening *listening = calloc(1, sizeof *listening);
    int status;

    if (!listening)
        return output_error("listen", NULL);
    listening->environment = environment;
    listening->port = PORT;
    listening->count = environment->options->once ? 1 : 0;
    status = understand(listening, environment->options);
    if (!status)
        status = start(listening);
    if (!status && output_flush()) {
        environment_run(environment, stop, listening);
        status = listening->status;
        if (listening->forward)
            listening->counts.not_forwarded += forward_waiting(listening->forward);
        tell_summary(environment->options, &listening->counts);
    }
    finish(listening);
    free(listening);
    return status;
}
