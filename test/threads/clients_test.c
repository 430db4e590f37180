/* Many threads, each with a loop and a client of its own: they share nothing, and tell each other
 * what they want told by scalekit_submit(). */
#include "environment.h"
#include <arpa/inet.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define OFFICES   4
#define CHECKS    100 /* of each */
#define IN_FLIGHT 8

/* A thread, its loop and its client.  The thread's own, but for what the comments say. */
struct office {
    struct event_base *base;
    scalekit_client *client;
    struct test_memory memory;
    pthread_t thread;

    scalekit_client *head;              /* the main thread's client, held for us */
    int started, reported, unreported;  /* checks */
    scalekit_request *request;          /* one that never ends by itself */
    bool frees;                         /* how it is ended: with the client */
    scalekit_err code;                  /* what it ended with */
    unsigned active, failed, elsewhere; /* the main thread's: what it was told */
};

struct report {
    struct office *office;
    bool active;
    pthread_t wanted; /* where it must be read */
};

static void office_open(struct office *office, const struct scalekit_config *config)
{
    struct scalekit_config own = *config;

    memset(office, 0, sizeof *office);
    test_memory_init(&office->memory);
    own.allocator = &office->memory.allocator;
    office->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(office->base);
    CU_ASSERT_EQUAL_FATAL(scalekit_client_new(&office->client, office->base, &own, NULL),
                          SCALEKIT_OK);
}

static void office_close(struct office *office)
{
    scalekit_client_free(office->client);
    event_base_free(office->base);
    CU_ASSERT_EQUAL(office->memory.live, 0);
}

/* --- results come home ------------------------------------------------------------------------- */

static void read_report(scalekit_client *head, void *user)
{
    struct report *report = user;
    struct office *office = report->office;

    office->active += report->active;
    office->failed += !report->active;
    office->elsewhere += !head || !pthread_equal(pthread_self(), report->wanted);
    free(report);
}

static pthread_t main_thread;

static void send_report(struct office *office, bool active)
{
    struct report *report = malloc(sizeof *report);

    if (report)
        *report = (struct report){office, active, main_thread};
    if (report && scalekit_submit(office->head, read_report, report) == SCALEKIT_OK)
        office->reported++;
    else {
        office->unreported++;
        free(report);
    }
}

static void on_check(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *user);

static void start_check(struct office *office)
{
    if (office->started == CHECKS)
        return;
    office->started++;
    if (!scalekit_get_connected_account_details(office->client,
                                                SCALEKIT_PARAMS(scalekit_account_key,
                                                                .connection_name = "gmail",
                                                                .identifier = "user_1"),
                                                on_check, office))
        send_report(office, false);
}

static void on_check(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *user)
{
    (void)request;
    send_report(user, account && account->status == SCALEKIT_ACCOUNT_ACTIVE);
    start_check(user);
}

static void *check(void *user)
{
    struct office *office = user;

    for (int i = 0; i < IN_FLIGHT; i++)
        start_check(office);
    event_base_dispatch(office->base);
    scalekit_client_free(office->client);
    office->client = NULL;
    scalekit_client_release(office->head);
    return NULL;
}

/* The emulator's loop is not the offices': the main thread serves it, and hears them. */
static void each_thread_has_its_client(void)
{
    struct environment env;
    struct office offices[OFFICES];
    struct scalekit_config config;
    unsigned told = 0;

    environment_init(&env, NULL);
    main_thread = pthread_self();
    CU_ASSERT(scalekit_emulator_set_status(env.emulator, "gmail", "user_1", "ACTIVE"));
    config = (struct scalekit_config){
        .struct_size = sizeof config,
        .env_url = scalekit_emulator_url(env.emulator),
        .client_id = scalekit_emulator_client_id(env.emulator),
        .client_secret = scalekit_emulator_client_secret(env.emulator),
        .ca_file = scalekit_emulator_ca_file(env.emulator),
    };
    for (int i = 0; i < OFFICES; i++) {
        office_open(&offices[i], &config);
        offices[i].head = env.client;
        CU_ASSERT_EQUAL_FATAL(scalekit_client_hold(env.client), SCALEKIT_OK);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&offices[i].thread, NULL, check, &offices[i]), 0);
    }
    while (told < OFFICES * CHECKS && event_base_loop(env.base, EVLOOP_ONCE) == 0) {
        told = 0;
        for (int i = 0; i < OFFICES; i++)
            told += offices[i].active + offices[i].failed;
    }
    for (int i = 0; i < OFFICES; i++) {
        CU_ASSERT_EQUAL(pthread_join(offices[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(offices[i].active, CHECKS);
        CU_ASSERT_EQUAL(offices[i].failed, 0);
        CU_ASSERT_EQUAL(offices[i].elsewhere, 0);
        CU_ASSERT_EQUAL(offices[i].reported, CHECKS);
        CU_ASSERT_EQUAL(offices[i].unreported, 0);
        office_close(&offices[i]);
    }
    environment_free(&env);
}

/* --- and orders go out ------------------------------------------------------------------------- */

/* A server that accepts connections and never says a word. */
static int open_silence(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CU_ASSERT_FATAL(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0);
    CU_ASSERT_FATAL(listen(fd, 2 * OFFICES) == 0);
    CU_ASSERT_FATAL(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void on_end(scalekit_request *request, bool done, void *user)
{
    struct office *office = user;

    (void)done;
    office->code = scalekit_request_error(request)->code;
    office->request = NULL;
    event_base_loopbreak(office->base); /* the sign-in goes on, for whoever comes next */
}

static void *wait_for_ever(void *user)
{
    struct office *office = user;

    office->request = scalekit_client_warm(office->client, on_end, office);
    event_base_dispatch(office->base);
    return NULL;
}

static void stop(scalekit_client *client, void *user)
{
    struct office *office = user;

    if (office->frees)
        scalekit_client_free(client);
    else
        scalekit_request_cancel(office->request);
}

static void another_thread_ends_what_a_loop_does(void)
{
    struct office offices[OFFICES];
    struct scalekit_config config = {
        .struct_size = sizeof config, .client_id = "skc_1", .client_secret = "secret"};
    char url[64];
    int fd = open_silence(url);

    config.env_url = url;
    for (int i = 0; i < OFFICES; i++) {
        office_open(&offices[i], &config);
        offices[i].frees = i % 2;
        CU_ASSERT_EQUAL_FATAL(scalekit_client_hold(offices[i].client), SCALEKIT_OK);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&offices[i].thread, NULL, wait_for_ever, &offices[i]),
                              0);
    }
    for (int i = 0; i < OFFICES; i++) {
        CU_ASSERT_EQUAL(scalekit_submit(offices[i].client, stop, &offices[i]), SCALEKIT_OK);
        scalekit_client_release(offices[i].client);
    }
    for (int i = 0; i < OFFICES; i++) {
        CU_ASSERT_EQUAL(pthread_join(offices[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(offices[i].code,
                        offices[i].frees ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
        if (offices[i].frees)
            offices[i].client = NULL;
        office_close(&offices[i]);
    }
    close(fd);
}

SUITE(thread_clients,
      {"threads with clients of their own send their results home", each_thread_has_its_client},
      {"another thread ends what a loop is doing", another_thread_ends_what_a_loop_does})
