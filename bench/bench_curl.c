/* bench_curl - the work of bench_requests done with libcurl and yajl: the multi interface driven by
 * libevent.  What was tried to make it fast, and what of it helped, is in README.md.
 *
 * Every request in flight has an easy handle that is used again and again, with its connection,
 * headers and body buffer.  A socket has one persistent event, changed only when libcurl wants
 * something else of it.  A timer of 0 ms, which libcurl sets for every request that is added, does
 * not take the way over the loop: it is due when the callback that set it is done. */
#include "account.h"
#include "common.h"
#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <scalekit/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

static const char program[] = "bench_curl";

#define H1_CONNECTIONS 64U /* as this library's default */
#define H2_CONNECTIONS 4L
#define H2_STREAMS     1000L /* the server says less */
#define MAX_BODY       (8 * 1024 * 1024)
#define MAX_FD         1024
#define QUERY_SIZE     2048

struct bench;

struct sock {
    struct event event;
    struct bench *bench;
    short what;  /* waited for; 0: there is no event */
    bool wanted; /* by libcurl */
};

struct slot {
    CURL *easy;
    CURLU *url; /* of which only the query changes */
    char *body;
    size_t length, size;
};

struct bench {
    struct bench_options options;
    struct event_base *base;
    struct event *timer;
    CURLM *multi;
    struct curl_slist *headers;
    struct slot *slots;
    unsigned n_slots;
    struct sock socks[MAX_FD];
    char *prefix; /* of every query */
    int64_t started, ended;
    long version; /* of the last answer */
    bool due;     /* libcurl's timer is */
    bool done;    /* what run_loop() waits for */
    bool failed;
};

static void fail(struct bench *bench, const char *doing, const char *why)
{
    if (!bench->failed)
        fprintf(stderr, "%s: cannot %s: %s\n", program, doing, why);
    bench->failed = true;
    event_base_loopbreak(bench->base);
}

static void finish(struct bench *bench)
{
    bench->done = true;
    event_base_loopbreak(bench->base);
}

/* --- a request --------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t one, size_t length, void *user)
{
    struct slot *slot = user;
    size_t size = slot->size ? slot->size : 2048;

    (void)one;
    while (size - slot->length < length && size < MAX_BODY)
        size *= 2;
    if (size - slot->length < length)
        return 0;
    if (size != slot->size) {
        char *grown = realloc(slot->body, size);

        if (!grown)
            return 0;
        slot->body = grown;
        slot->size = size;
    }
    memcpy(slot->body + slot->length, data, length);
    slot->length += length;
    return length;
}

static int close_socket(void *user, curl_socket_t fd);

static bool prepare(struct bench *bench, struct slot *slot)
{
    bool http1 = bench->options.http1;
    CURL *easy = slot->easy = curl_easy_init();

    slot->url = curl_url();
    if (!easy || !slot->url ||
        curl_url_set(slot->url, CURLUPART_URL, bench->options.url, 0) != CURLUE_OK)
        return false;
    curl_easy_setopt(easy, CURLOPT_CURLU, slot->url);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, http1 ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, bench);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "bench_curl libcurl/" LIBCURL_VERSION);
    return curl_easy_setopt(easy, CURLOPT_CAINFO, bench->options.ca_file) == CURLE_OK;
}

static void start_next(struct bench *bench, struct slot *slot)
{
    char identifier[BENCH_IDENTIFIER_SIZE], query[QUERY_SIZE], *escaped;

    bench_identifier(identifier, bench->started);
    escaped = curl_easy_escape(slot->easy, identifier, 0);
    if (!escaped) {
        fail(bench, "start a request", "out of memory");
        return;
    }
    snprintf(query, sizeof query, "%s%s", bench->prefix, escaped);
    curl_free(escaped);
    slot->length = 0;
    if (curl_url_set(slot->url, CURLUPART_QUERY, query, 0) != CURLUE_OK ||
        curl_multi_add_handle(bench->multi, slot->easy) != CURLM_OK)
        fail(bench, "start a request", "out of memory");
    bench->started++;
}

static bool account_is_active(const struct slot *slot)
{
    struct account account;
    bool active;

    if (!account_read(&account, slot->body, slot->length))
        return false;
    active = account.status == STATUS_ACTIVE;
    account_free(&account);
    return active;
}

static void end_request(struct bench *bench, CURL *easy, CURLcode result)
{
    struct slot *slot;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &bench->version);
    curl_multi_remove_handle(bench->multi, easy);
    if (result != CURLE_OK)
        fail(bench, "make a request", curl_easy_strerror(result));
    else if (status != 200)
        fail(bench, "make a request", "the status is not 200");
    if (bench->failed)
        return;
    if (!bench->headers) { /* signing in */
        finish(bench);
        return;
    }
    if (!account_is_active(slot)) {
        fail(bench, "look an account up", "what came is no ACTIVE account");
        return;
    }
    if (++bench->ended == bench->options.n)
        finish(bench);
    else if (bench->started < bench->options.n)
        start_next(bench, slot);
}

/* --- libcurl on libevent ----------------------------------------------------------------------- */

/* Hears what has ended, starts others in their place, and does at once what that made due. */
static void settle(struct bench *bench)
{
    int left;

    for (;;) {
        CURLMsg *message;

        while (!bench->failed && (message = curl_multi_info_read(bench->multi, &left)))
            end_request(bench, message->easy_handle, message->data.result);
        if (!bench->due || bench->failed)
            return;
        bench->due = false;
        curl_multi_socket_action(bench->multi, CURL_SOCKET_TIMEOUT, 0, &left);
    }
}

static void forget(struct sock *sock)
{
    if (sock->what)
        event_del(&sock->event);
    sock->what = 0;
}

static void on_event(evutil_socket_t fd, short what, void *user)
{
    struct sock *sock = user;
    int left,
        action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    if (!sock->wanted) {
        forget(sock);
        return;
    }
    curl_multi_socket_action(sock->bench->multi, fd, action, &left);
    settle(sock->bench);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
    struct bench *bench = user;
    (void)fd;
    (void)what;

    bench->due = true;
    settle(bench);
}

static int set_timer(CURLM *multi, long milliseconds, void *user)
{
    struct bench *bench = user;
    struct timeval wait = {milliseconds / 1000, milliseconds % 1000 * 1000};

    (void)multi;
    bench->due = milliseconds == 0;
    if (milliseconds > 0)
        return evtimer_add(bench->timer, &wait);
    return 0; /* one that comes in vain does no harm */
}

/* Between two requests libcurl wants nothing of a socket: its event stays, for the next one. */
static int set_socket(CURL *easy, curl_socket_t fd, int wanted, void *user, void *attached)
{
    struct bench *bench = user;
    struct sock *sock = fd < MAX_FD ? &bench->socks[fd] : NULL;
    short what = EV_PERSIST | (wanted & CURL_POLL_IN ? EV_READ : 0) |
                 (wanted & CURL_POLL_OUT ? EV_WRITE : 0);

    (void)easy;
    (void)attached;
    if (!sock)
        return -1;
    sock->wanted = wanted != CURL_POLL_REMOVE;
    if (!sock->wanted || sock->what == what)
        return 0;
    forget(sock);
    sock->bench = bench;
    sock->what = what;
    event_assign(&sock->event, bench->base, fd, what, on_event, sock);
    return event_add(&sock->event, NULL);
}

static int close_socket(void *user, curl_socket_t fd)
{
    struct bench *bench = user;

    if (fd < MAX_FD)
        forget(&bench->socks[fd]);
    return close(fd);
}

/* A fast server may be done before the loop has run. */
static void run_loop(struct bench *bench)
{
    bench->done = false;
    settle(bench);
    if (!bench->done && !bench->failed)
        event_base_dispatch(bench->base);
}

/* --- signing in -------------------------------------------------------------------------------- */

static bool read_token(struct bench *bench, struct slot *slot)
{
    static const char *path[] = {"access_token", NULL};
    static const char *const others[] = {"accept: application/json",
                                         "x-sdk-version: Scalekit-C/" SCALEKIT_VERSION,
                                         "x-api-version: " SCALEKIT_API_VERSION};
    char header[16384];
    const char *token;
    yajl_val tree, value;

    if (on_body("", 1, 1, slot) != 1) /* ends the text */
        return false;
    tree = yajl_tree_parse(slot->body, NULL, 0);
    value = tree ? yajl_tree_get(tree, path, yajl_t_string) : NULL;
    token = YAJL_GET_STRING(value);
    if (token) {
        snprintf(header, sizeof header, "authorization: Bearer %s", token);
        bench->headers = curl_slist_append(NULL, header);
    }
    for (size_t i = 0; bench->headers && i < sizeof others / sizeof *others; i++)
        curl_slist_append(bench->headers, others[i]);
    yajl_tree_free(tree);
    return bench->headers != NULL;
}

/* On the first handle, so that the connection is at hand when it is measured. */
static bool sign_in(struct bench *bench)
{
    struct slot *slot = &bench->slots[0];
    char body[QUERY_SIZE];

    snprintf(body, sizeof body, "grant_type=client_credentials&client_id=%s&client_secret=%s",
             bench->options.client_id, bench->options.client_secret);
    curl_easy_setopt(slot->easy, CURLOPT_COPYPOSTFIELDS, body);
    if (curl_url_set(slot->url, CURLUPART_PATH, "/oauth/token", 0) != CURLUE_OK ||
        curl_multi_add_handle(bench->multi, slot->easy) != CURLM_OK)
        fail(bench, "sign in", "out of memory");
    else
        run_loop(bench);
    return !bench->failed && read_token(bench, slot);
}

/* --- from beginning to end --------------------------------------------------------------------- */

static bool open_multi(struct bench *bench)
{
    bool http1 = bench->options.http1;
    long connections = http1 ? (long)H1_CONNECTIONS : H2_CONNECTIONS;
    CURLM *multi = bench->multi = curl_multi_init();

    bench->timer = evtimer_new(bench->base, on_timer, bench);
    if (!multi || !bench->timer)
        return false;
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, bench);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, bench);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, http1 ? CURLPIPE_NOTHING : CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, H2_STREAMS);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    return curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK;
}

/* What has no connection of HTTP/1.1 yet waits with us, as a number: handles that wait inside of
 * libcurl cost it much with every answer. */
static bool open_slots(struct bench *bench)
{
    bench->n_slots = bench->options.in_flight;
    if (bench->options.http1 && bench->n_slots > H1_CONNECTIONS)
        bench->n_slots = H1_CONNECTIONS;
    bench->slots = calloc(bench->n_slots, sizeof *bench->slots);
    for (unsigned i = 0; i < bench->n_slots; i++)
        if (!bench->slots || !prepare(bench, &bench->slots[i]))
            return false;
    return true;
}

/* What all requests have in common. */
static bool open_requests(struct bench *bench)
{
    char *escaped = curl_easy_escape(bench->slots[0].easy, bench->options.connection, 0);
    size_t size;

    if (!escaped)
        return false;
    size = strlen("connector=&identifier=") + strlen(escaped) + 1;
    bench->prefix = malloc(size);
    if (bench->prefix)
        snprintf(bench->prefix, size, "connector=%s&identifier=", escaped);
    curl_free(escaped);
    for (unsigned i = 0; i < bench->n_slots; i++) {
        struct slot *slot = &bench->slots[i];

        curl_easy_setopt(slot->easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, bench->headers);
        if (curl_url_set(slot->url, CURLUPART_PATH, "/api/v1/connected_accounts/details", 0) !=
            CURLUE_OK)
            return false;
    }
    return bench->prefix != NULL;
}

static bool measure(struct bench *bench, struct bench_meter *meter)
{
    const struct bench_options *options = &bench->options;

    bench_meter_start(meter);
    for (unsigned i = 0; i < bench->n_slots && i < options->n && !bench->failed; i++)
        start_next(bench, &bench->slots[i]);
    run_loop(bench);
    bench_meter_stop(meter);
    if (!bench->failed && !bench->done)
        fail(bench, "go on", "the loop ended with requests pending");
    return !bench->failed;
}

static bool run(struct bench *bench)
{
    struct bench_meter meter;
    bool good;

    if (!open_multi(bench) || !open_slots(bench)) {
        fail(bench, "begin", "out of memory, or --url is none");
        return false;
    }
    if (!sign_in(bench) || !open_requests(bench)) {
        fail(bench, "sign in", "there is no token in the answer");
        return false;
    }
    good = measure(bench, &meter);
    return good &&
           bench_report(&bench->options, "libcurl",
                        bench->version == CURL_HTTP_VERSION_2_0 ? "h2" : "http/1.1", &meter);
}

static void clean_up(struct bench *bench)
{
    for (unsigned i = 0; bench->slots && i < bench->n_slots; i++) {
        if (bench->slots[i].easy)
            curl_multi_remove_handle(bench->multi, bench->slots[i].easy);
        curl_easy_cleanup(bench->slots[i].easy);
        curl_url_cleanup(bench->slots[i].url);
        free(bench->slots[i].body);
    }
    free(bench->slots);
    curl_multi_cleanup(bench->multi);
    curl_slist_free_all(bench->headers);
    free(bench->prefix);
    if (bench->timer)
        event_free(bench->timer);
    event_base_free(bench->base);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    int status = EXIT_FAILURE;

    if (!bench_options_read(&bench.options, program, argc, argv, &status))
        return status;
    bench.base = event_base_new();
    if (!bench.base || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        fprintf(stderr, "%s: cannot make an event loop\n", program);
        return status;
    }
    if (run(&bench))
        status = EXIT_SUCCESS;
    clean_up(&bench);
    curl_global_cleanup();
    return status;
}
