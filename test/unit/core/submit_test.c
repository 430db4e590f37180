/* The inbox of a client, as one thread sees it; test/threads/ has the others. */
#include "fixture.h"
#include <sys/resource.h>

#define MANY 300 /* more than run in one turn */

/* What ran: the number of each function, in order, and how many were told that the client is gone. */
struct diary {
    struct fixture f;
    struct entry {
        struct diary *diary;
        int number;
    } entries[MANY];
    int numbers[MANY], count, orphans;
    bool inside; /* scalekit_submit() is running */
};

static void diary_open(struct diary *diary, unsigned max_submitted)
{
    memset(diary, 0, sizeof *diary);
    fixture_init(&diary->f);
    diary->f.config.max_submitted = max_submitted;
    fixture_start(&diary->f);
    CU_ASSERT_EQUAL_FATAL(scalekit_client_hold(diary->f.client), SCALEKIT_OK);
}

static struct diary *write_down(scalekit_client *client, void *user)
{
    struct entry *entry = user;
    struct diary *diary = entry->diary;

    CU_ASSERT_FALSE(diary->inside);
    CU_ASSERT_FATAL(diary->count < MANY);
    diary->numbers[diary->count++] = entry->number;
    diary->orphans += !client;
    if (client)
        CU_ASSERT_PTR_EQUAL(client, diary->f.client);
    return diary;
}

static void run(scalekit_client *client, void *user)
{
    write_down(client, user);
}

static scalekit_err submit(struct diary *diary, int number, scalekit_submit_cb function)
{
    scalekit_err err;

    diary->entries[number] = (struct entry){diary, number};
    diary->inside = true;
    err = scalekit_submit(diary->f.client, function, &diary->entries[number]);
    diary->inside = false;
    return err;
}

static void submit_all(struct diary *diary, int first, int end)
{
    for (int i = first; i < end; i++)
        CU_ASSERT_EQUAL(submit(diary, i, run), SCALEKIT_OK);
}

/* Whether 0, 1, … count - 1 ran, in that order, with a client but for the last `orphans`. */
static bool diary_has(const struct diary *diary, int count, int orphans)
{
    for (int i = 0; i < diary->count; i++)
        if (diary->numbers[i] != i)
            return false;
    return diary->count == count && diary->orphans == orphans;
}

/* Releases what diary_open() held, and runs the loop until it returns by itself. */
static void let_go(struct diary *diary)
{
    scalekit_client_release(diary->f.client);
    CU_ASSERT_EQUAL(event_base_dispatch(diary->f.base), 1); /* nothing is pending */
}

/* The emulated service listens on the same loop, which must be able to return. */
static void rest_service(struct diary *diary)
{
    service_rest(diary->f.service);
}

/* --- running ----------------------------------------------------------------------------------- */

static void test_later_and_in_order(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    rest_service(&diary);
    submit_all(&diary, 0, 10);
    CU_ASSERT_EQUAL(diary.count, 0);
    let_go(&diary);
    CU_ASSERT(diary_has(&diary, 10, 0));
    fixture_free(&diary.f);
}

/* Somebody else on the loop, who comes again until all have run. */
struct neighbour {
    struct diary *diary;
    struct event *event;
    int between; /* turns in which some had run, but not all */
};

static void on_turn(evutil_socket_t fd, short what, void *user)
{
    static const struct timeval at_once = {0, 0};
    struct neighbour *neighbour = user;
    int count = neighbour->diary->count;

    (void)fd;
    (void)what;
    neighbour->between += count > 0 && count < MANY;
    if (count < MANY)
        evtimer_add(neighbour->event, &at_once);
}

static void test_in_shares(void)
{
    struct diary diary;
    struct neighbour neighbour = {.diary = &diary};

    diary_open(&diary, MANY);
    rest_service(&diary);
    submit_all(&diary, 0, MANY);
    neighbour.event = evtimer_new(diary.f.base, on_turn, &neighbour);
    on_turn(-1, 0, &neighbour);
    let_go(&diary);
    CU_ASSERT(diary_has(&diary, MANY, 0));
    CU_ASSERT(neighbour.between >= 2);
    event_free(neighbour.event);
    fixture_free(&diary.f);
}

static void test_round_the_ring(void)
{
    struct diary diary;

    diary_open(&diary, 7);
    rest_service(&diary);
    for (int i = 0; i < 30; i += 5) {
        submit_all(&diary, i, i + 5);
        fixture_turn(&diary.f);
        CU_ASSERT(diary_has(&diary, i + 5, 0));
    }
    let_go(&diary);
    fixture_free(&diary.f);
}

static void run_and_submit(scalekit_client *client, void *user)
{
    struct diary *diary = write_down(client, user);

    if (diary->count < 10)
        CU_ASSERT_EQUAL(submit(diary, diary->count, run_and_submit), SCALEKIT_OK);
}

static void test_again_from_inside(void)
{
    struct diary diary;

    diary_open(&diary, 1); /* its own place is free again */
    rest_service(&diary);
    CU_ASSERT_EQUAL(submit(&diary, 0, run_and_submit), SCALEKIT_OK);
    fixture_turn(&diary.f);
    CU_ASSERT(diary_has(&diary, 10, 0));
    let_go(&diary);
    fixture_free(&diary.f);
}

static void run_request(scalekit_client *client, void *user)
{
    struct diary *diary = write_down(client, user);

    call_details(&diary->f);
}

static void test_starts_requests(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    service_always(diary.f.service, DETAILS,
                   (struct service_answer){.status = 200, .body = ACCOUNT_BODY});
    CU_ASSERT_EQUAL(submit(&diary, 0, run_request), SCALEKIT_OK);
    scalekit_client_release(diary.f.client);
    service_until(diary.f.service, DETAILS, 1);
    call_wait(SKI_CONTAINER(diary.f.calls.next, struct call, link));
    fixture_free(&diary.f);
}

/* --- refusals ---------------------------------------------------------------------------------- */

static void test_full(void)
{
    struct diary diary;

    diary_open(&diary, 6);
    rest_service(&diary);
    submit_all(&diary, 0, 6);
    CU_ASSERT_EQUAL(submit(&diary, 7, run), SCALEKIT_ERR_QUEUE_FULL);
    fixture_turn(&diary.f);
    submit_all(&diary, 6, 12);
    CU_ASSERT_EQUAL(submit(&diary, 13, run), SCALEKIT_ERR_QUEUE_FULL);
    let_go(&diary);
    CU_ASSERT(diary_has(&diary, 12, 0));
    fixture_free(&diary.f);
}

static void test_wrong_arguments(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    CU_ASSERT_EQUAL(scalekit_submit(NULL, run, NULL), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_submit(diary.f.client, NULL, NULL), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_client_hold(NULL), SCALEKIT_ERR_INVALID);
    scalekit_client_release(NULL);
    scalekit_client_release(diary.f.client);
    CU_ASSERT_EQUAL(submit(&diary, 0, run), SCALEKIT_ERR_INVALID); /* nobody holds it */
    fixture_turn(&diary.f);
    CU_ASSERT_EQUAL(submit(&diary, 0, run), SCALEKIT_ERR_INVALID);
    fixture_turn(&diary.f);
    CU_ASSERT(diary_has(&diary, 0, 0));
    fixture_free(&diary.f);
}

/* --- holding ----------------------------------------------------------------------------------- */

static int events_on(const struct event_base *base)
{
    return event_base_get_num_events((struct event_base *)base, EVENT_BASE_COUNT_ADDED);
}

static void on_moment(evutil_socket_t fd, short what, void *user)
{
    struct diary *diary = user;

    (void)fd;
    (void)what;
    diary->entries[0].number++;
    scalekit_client_release(diary->f.client);
}

static void test_keeps_the_loop(void)
{
    static const struct timeval soon = {0, 1000};
    struct diary diary;
    struct event *moment;
    int before;

    diary_open(&diary, 0);
    rest_service(&diary);
    let_go(&diary);
    before = events_on(diary.f.base);
    CU_ASSERT_EQUAL(before, 0);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(scalekit_client_hold(diary.f.client), SCALEKIT_OK);
        CU_ASSERT_EQUAL(scalekit_client_hold(diary.f.client), SCALEKIT_OK);
        scalekit_client_release(diary.f.client);
        fixture_turn(&diary.f);
        CU_ASSERT(events_on(diary.f.base) > before);
        moment = evtimer_new(diary.f.base, on_moment, &diary);
        evtimer_add(moment, &soon);
        CU_ASSERT_EQUAL(event_base_dispatch(diary.f.base), 1);
        CU_ASSERT_EQUAL(diary.entries[0].number, i + 1);
        CU_ASSERT_EQUAL(events_on(diary.f.base), before);
        event_free(moment);
    }
    fixture_free(&diary.f);
}

static void test_held_again_at_once(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    rest_service(&diary);
    submit_all(&diary, 0, 2);
    scalekit_client_release(diary.f.client);
    CU_ASSERT_EQUAL(scalekit_client_hold(diary.f.client), SCALEKIT_OK);
    submit_all(&diary, 2, 4);
    fixture_turn(&diary.f);
    CU_ASSERT(diary_has(&diary, 4, 0));
    submit_all(&diary, 4, 5);
    let_go(&diary);
    CU_ASSERT(diary_has(&diary, 5, 0));
    fixture_free(&diary.f);
}

static void run_and_break(scalekit_client *client, void *user)
{
    event_base_loopbreak(write_down(client, user)->f.base);
}

static void test_stopped_loop(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    rest_service(&diary);
    CU_ASSERT_EQUAL(submit(&diary, 0, run_and_break), SCALEKIT_OK);
    CU_ASSERT_EQUAL(event_base_dispatch(diary.f.base), 0);
    submit_all(&diary, 1, 3);
    CU_ASSERT(diary_has(&diary, 1, 0));
    let_go(&diary);
    CU_ASSERT(diary_has(&diary, 3, 0));
    fixture_free(&diary.f);
}

/* --- freeing ----------------------------------------------------------------------------------- */

static void test_free_runs_the_rest(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    submit_all(&diary, 0, 3);
    fixture_turn(&diary.f);
    submit_all(&diary, 3, 8);
    scalekit_client_release(diary.f.client);
    fixture_free_client(&diary.f);
    CU_ASSERT(diary_has(&diary, 8, 5));
    fixture_free(&diary.f);
}

static void run_and_free(scalekit_client *client, void *user)
{
    struct diary *diary = write_down(client, user);

    scalekit_client_free(client);
    CU_ASSERT_EQUAL(diary->count, 2); /* the others wait until this has returned */
    CU_ASSERT_EQUAL(submit(diary, 20, run), SCALEKIT_ERR_CLOSED);
    CU_ASSERT_EQUAL(scalekit_client_hold(client), SCALEKIT_ERR_CLOSED);
}

static void test_free_from_inside(void)
{
    for (int held = 0; held <= 1; held++) {
        struct diary diary;

        diary_open(&diary, 0);
        call_details(&diary.f); /* completes with the client */
        submit_all(&diary, 0, 1);
        CU_ASSERT_EQUAL(submit(&diary, 1, run_and_free), SCALEKIT_OK);
        submit_all(&diary, 2, 5);
        if (!held)
            scalekit_client_release(diary.f.client);
        fixture_turn(&diary.f);
        CU_ASSERT(diary_has(&diary, 5, 3));
        if (held)
            scalekit_client_release(diary.f.client);
        diary.f.client = NULL;
        fixture_free(&diary.f);
    }
}

static void free_in_callback(struct call *call)
{
    struct diary *diary = call->user;

    submit_all(diary, 0, 4);
    scalekit_client_free(diary->f.client);
    CU_ASSERT_EQUAL(submit(diary, 20, run), SCALEKIT_ERR_CLOSED);
    CU_ASSERT_EQUAL(diary->count, 0);
}

static void test_free_in_a_callback(void)
{
    struct diary diary;
    struct call *call;

    diary_open(&diary, 0);
    call = call_details(&diary.f);
    call->completed = free_in_callback;
    call->user = &diary;
    call_wait(call);
    CU_ASSERT(diary_has(&diary, 4, 4));
    scalekit_client_release(diary.f.client);
    diary.f.client = NULL;
    fixture_free(&diary.f);
}

static void test_handle_outlives_the_client(void)
{
    struct diary diary;

    diary_open(&diary, 0);
    CU_ASSERT_EQUAL(scalekit_client_hold(diary.f.client), SCALEKIT_OK);
    scalekit_client_free(diary.f.client);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(submit(&diary, 0, run), SCALEKIT_ERR_CLOSED);
        CU_ASSERT_EQUAL(scalekit_client_hold(diary.f.client), SCALEKIT_ERR_CLOSED);
        CU_ASSERT_EQUAL(diary.f.memory.live, 1); /* the handle, and nothing else */
        scalekit_client_release(diary.f.client);
    }
    CU_ASSERT_EQUAL(diary.f.memory.live, 0);
    CU_ASSERT(diary_has(&diary, 0, 0));
    diary.f.client = NULL;
    fixture_free(&diary.f);
}

/* --- want -------------------------------------------------------------------------------------- */

static void test_no_memory(void)
{
    struct diary diary = {.count = 0};
    struct fixture *f = &diary.f;

    fixture_open(f);
    rest_service(&diary);
    f->memory.fail_at = f->memory.count + 1;
    CU_ASSERT_EQUAL(scalekit_client_hold(f->client), SCALEKIT_ERR_NOMEM);
    CU_ASSERT_EQUAL(submit(&diary, 0, run), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(event_base_dispatch(f->base), 1);
    CU_ASSERT_EQUAL(scalekit_client_hold(f->client), SCALEKIT_OK);
    f->memory.fail_at = f->memory.count + 1;
    f->memory.fail_after = true;
    CU_ASSERT_EQUAL(submit(&diary, 0, run), SCALEKIT_OK); /* needs none */
    let_go(&diary);
    CU_ASSERT(diary_has(&diary, 1, 0));
    fixture_free(f);
}

static void test_no_descriptors(void)
{
    struct fixture f;
    struct rlimit usual, none;

    fixture_open(&f);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = usual;
    none.rlim_cur = 0;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    CU_ASSERT_EQUAL(scalekit_client_hold(f.client), SCALEKIT_ERR_NOMEM);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &usual), 0);
    CU_ASSERT_EQUAL(scalekit_client_hold(f.client), SCALEKIT_OK);
    scalekit_client_release(f.client);
    fixture_free(&f);
}

SUITE(submit, {"functions run later, once and in order", test_later_and_in_order},
      {"many run in shares: the loop has its turns", test_in_shares},
      {"places in the queue are used again", test_round_the_ring},
      {"a function may submit the next one", test_again_from_inside},
      {"a function may start requests", test_starts_requests},
      {"a full queue refuses, until there is room", test_full},
      {"wrong arguments are refused, and what nobody holds", test_wrong_arguments},
      {"a client that is held keeps the loop, one that is not does not", test_keeps_the_loop},
      {"a hold right after the last release counts", test_held_again_at_once},
      {"a loop that was stopped keeps what waits", test_stopped_loop},
      {"freeing the client runs the rest without it", test_free_runs_the_rest},
      {"a function may free the client", test_free_from_inside},
      {"so may a callback, while functions wait", test_free_in_a_callback},
      {"a handle that is held outlives the client", test_handle_outlives_the_client},
      {"want of memory is told by the hold, never by the function", test_no_memory},
      {"want of descriptors as well", test_no_descriptors})
