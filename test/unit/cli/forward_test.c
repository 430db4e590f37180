#include "cli/forward.h"
#include "harness.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>

#define MOST_RESULTS 8
#define SOON_MS      100
#define PATIENCE_MS  10000

/* A server that answers with bytes, whatever they are, and what it was asked. */
struct test {
    struct event_base *base;
    struct evconnlistener *listener;
    struct bufferevent *open[MOST_RESULTS + 2]; /* its connections */
    size_t n_open;
    int port;
    const char *answer; /* NULL: none, ever; "": the connection is closed */
    bool keeps;         /* the connection, behind the answer */
    char asked[4096];
    size_t n_asked, at_once, most_at_once;

    struct forward *forward;
    struct forward_result results[MOST_RESULTS];
    char ids[MOST_RESULTS][32];
    size_t n_results, expected;
    bool done;
};

/* --- the server --------------------------------------------------------------------------------- */

static void answer(struct test *test, struct bufferevent *connection)
{
    size_t i = 0, length;

    if (!test->answer)
        return;
    test->at_once--;
    length = strlen(test->answer);
    CU_ASSERT_EQUAL(send(bufferevent_getfd(connection), test->answer, length, MSG_NOSIGNAL),
                    (ssize_t)length);
    if (test->keeps)
        return;
    while (test->open[i] != connection)
        i++;
    test->open[i] = test->open[--test->n_open];
    bufferevent_free(connection);
}

static void on_read(struct bufferevent *connection, void *user)
{
    struct test *test = user;
    struct evbuffer *input = bufferevent_get_input(connection);
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
    size_t length = evbuffer_get_length(input), body = 0;
    const char *text, *field;

    if (end.pos < 0)
        return;
    text = (const char *)evbuffer_pullup(input, -1);
    field = strstr(text, "Content-Length: ");
    if (field)
        body = strtoul(field + 16, NULL, 10);
    if (length < (size_t)end.pos + 4 + body)
        return;
    if (length >= sizeof test->asked)
        length = sizeof test->asked - 1;
    memcpy(test->asked, text, length);
    test->asked[length] = '\0';
    evbuffer_drain(input, evbuffer_get_length(input));
    test->n_asked++;
    answer(test, connection);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int length, void *user)
{
    struct test *test = user;
    struct bufferevent *connection = bufferevent_socket_new(test->base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)listener;
    (void)address;
    (void)length;
    CU_ASSERT_FATAL(test->n_open < sizeof test->open / sizeof *test->open);
    test->open[test->n_open++] = connection;
    if (++test->at_once > test->most_at_once)
        test->most_at_once = test->at_once;
    bufferevent_setcb(connection, on_read, NULL, NULL, test);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

static void listen_on_loopback(struct test *test)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    test->listener = evconnlistener_new_bind(test->base, on_accept, test, LEV_OPT_CLOSE_ON_FREE, -1,
                                             (struct sockaddr *)&address, sizeof address);
    CU_ASSERT_PTR_NOT_NULL_FATAL(test->listener);
    getsockname(evconnlistener_get_fd(test->listener), (struct sockaddr *)&address, &length);
    test->port = ntohs(address.sin_port);
}

/* --- what is tested ------------------------------------------------------------------------------- */

static void on_result(const struct forward_result *result, void *user)
{
    struct test *test = user;
    size_t i = test->n_results++;

    CU_ASSERT_FATAL(i < MOST_RESULTS);
    test->results[i] = *result;
    snprintf(test->ids[i], sizeof test->ids[i], "%s", result->delivery_id);
    CU_ASSERT(!result->status == (result->problem != NULL));
    test->done = test->n_results == test->expected;
}

static void begin_at(struct test *test, const char *host, int64_t answer_ms, const char *answers)
{
    char url[64], problem[FORWARD_PROBLEM_SIZE];

    *test = (struct test){.base = event_base_new(), .answer = answers};
    CU_ASSERT_PTR_NOT_NULL_FATAL(test->base);
    listen_on_loopback(test);
    snprintf(url, sizeof url, "http://%s:%d/hooks?a=b", host, test->port);
    test->forward = forward_new(test->base, url, answer_ms, on_result, test, problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(test->forward);
}

static void begin(struct test *test, const char *answers)
{
    begin_at(test, "127.0.0.1", PATIENCE_MS, answers);
}

static void end(struct test *test)
{
    forward_free(test->forward);
    for (size_t i = 0; i < test->n_open; i++)
        bufferevent_free(test->open[i]);
    if (test->listener)
        evconnlistener_free(test->listener);
    event_base_loop(test->base, EVLOOP_NONBLOCK);
    event_base_free(test->base);
}

static const char *post_bytes(struct test *test, const char *id, const void *body, size_t length)
{
    const struct scalekit_entry headers[] = {{"Host", "example.com"},
                                             {"Webhook-Id", id},
                                             {"webhook-signature", "v1,a v1,b"},
                                             {"Webhook-Timestamp", "1000"},
                                             {"Content-Type", "application/json; charset=utf-8"}};

    return forward_post(test->forward,
                        SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers,
                                        .n_headers = sizeof headers / sizeof *headers, .body = body,
                                        .body_length = length));
}

static const char *post(struct test *test, const char *id)
{
    return post_bytes(test, id, "{\"a\": 1}", 8);
}

static void await(struct test *test, size_t results)
{
    test->expected = results;
    test->done = test->n_results == results;
    test_base_until(test->base, &test->done);
}

static void a_delivery_arrives_as_it_came(void)
{
    char expected[512];
    struct test test;

    begin(&test, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    CU_ASSERT_PTR_NULL(post_bytes(&test, "msg_1", "{\"a\": \0\xff}", 9));
    CU_ASSERT_EQUAL(forward_waiting(test.forward), 1);
    await(&test, 1);
    snprintf(expected, sizeof expected,
             "POST /hooks?a=b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n"
             "webhook-id: msg_1\r\nwebhook-timestamp: 1000\r\nwebhook-signature: v1,a v1,b\r\n"
             "content-type: application/json; charset=utf-8\r\nContent-Length: 9\r\n\r\n",
             test.port);
    CU_ASSERT_NSTRING_EQUAL(test.asked, expected, strlen(expected));
    CU_ASSERT_EQUAL(memcmp(test.asked + strlen(expected), "{\"a\": \0\xff}", 9), 0);
    CU_ASSERT_EQUAL(test.results[0].status, 201);
    CU_ASSERT(test.results[0].elapsed_ms >= 0);
    CU_ASSERT_EQUAL(forward_waiting(test.forward), 0);
    end(&test);
}

static void they_go_one_by_one_in_their_order(void)
{
    struct test test;
    char id[8];

    begin(&test, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "msg_%d", i);
        CU_ASSERT_PTR_NULL(post(&test, id)); /* it is copied */
    }
    await(&test, 5);
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "msg_%d", i);
        CU_ASSERT_STRING_EQUAL(test.ids[i], id);
    }
    CU_ASSERT_EQUAL(test.n_asked, 5);
    CU_ASSERT_EQUAL(test.most_at_once, 1);
    end(&test);
}

static void what_the_server_does_is_told(void)
{
    static const struct {
        const char *answer;
        bool keeps;
        int status;
        const char *problem;
    } cases[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", true, 204, NULL},
        {"HTTP/1.0 500 Oops\r\n\r\nto the end", false, 500, NULL},
        {"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", true, 302, NULL},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Yes\r\nContent-Length: 0\r\n\r\n", true, 202,
         NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off", false, 200, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\nlarge", true, 200, NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", true, 200, NULL},
        {"SSH-2.0-x\r\n", true, 0, "the answer is not HTTP"},
        {"HTTP/1.1 100 Continue\r\n\r\n", false, 0, "the connection was closed without an answer"},
        {"", false, 0, "the connection was closed without an answer"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test test;

        begin(&test, cases[i].answer);
        test.keeps = cases[i].keeps;
        CU_ASSERT_PTR_NULL(post(&test, "msg_1"));
        await(&test, 1);
        CU_ASSERT_EQUAL(test.results[0].status, cases[i].status);
        if (cases[i].problem)
            CU_ASSERT_STRING_EQUAL(test.results[0].problem, cases[i].problem);
        end(&test);
    }
}

static void a_server_that_says_nothing_is_given_up(void)
{
    static const char *const answers[] = {NULL, "HTTP/1.1 2", "HTTP/1.1 100 Continue\r\n\r\n"};

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct test test;

        begin_at(&test, "127.0.0.1", SOON_MS, answers[i]);
        test.keeps = true;
        post(&test, "msg_1");
        post(&test, "msg_2");
        await(&test, 2);
        CU_ASSERT_EQUAL(test.results[0].status, 0);
        CU_ASSERT_STRING_EQUAL(test.results[0].problem, "no answer came in time");
        CU_ASSERT_STRING_EQUAL(test.ids[1], "msg_2");
        end(&test);
    }
}

static void a_head_without_an_end_of_its_body_is_an_answer(void)
{
    struct test test;

    begin_at(&test, "127.0.0.1", SOON_MS, "HTTP/1.1 201 Yes\r\nContent-Length: 9\r\n\r\nnever");
    test.keeps = true;
    post(&test, "msg_1");
    await(&test, 1);
    CU_ASSERT_EQUAL(test.results[0].status, 201);
    end(&test);
}

static void where_nobody_listens_it_cannot_connect(void)
{
    struct test test;

    begin(&test, "");
    evconnlistener_free(test.listener);
    test.listener = NULL;
    post(&test, "msg_1");
    post(&test, "msg_2");
    await(&test, 2);
    CU_ASSERT_STRING_EQUAL(test.results[0].problem, "cannot connect");
    CU_ASSERT_STRING_EQUAL(test.results[1].problem, "cannot connect");
    end(&test);
}

/* It has two, where this machine has both kinds. */
static void each_address_of_a_name_is_tried(void)
{
    struct test test;

    begin_at(&test, "localhost", PATIENCE_MS, "HTTP/1.1 201 Yes\r\n\r\n");
    post(&test, "msg_1");
    await(&test, 1);
    CU_ASSERT_EQUAL(test.results[0].status, 201);
    CU_ASSERT(forward_leads_to(test.forward, "127.0.0.1", (uint16_t)test.port));
    end(&test);
}

static void so_many_wait_and_no_more(void)
{
    struct test test;

    begin(&test, NULL);
    for (size_t i = 0; i < FORWARD_MOST; i++)
        CU_ASSERT_PTR_NULL(post(&test, "msg_1"));
    CU_ASSERT_STRING_EQUAL(post(&test, "msg_2"), "too many wait already");
    CU_ASSERT_EQUAL(forward_waiting(test.forward), FORWARD_MOST);
    end(&test);
}

static void so_many_bytes_and_no_more(void)
{
    size_t large = FORWARD_MOST_BYTES / 4;
    char *body = calloc(1, large);
    struct test test;

    begin(&test, NULL);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_PTR_NULL(post_bytes(&test, "msg_1", body, large));
    CU_ASSERT_STRING_EQUAL(post_bytes(&test, "msg_1", body, 1), "too many wait already");
    free(body);
    end(&test);
}

static void it_may_be_freed_with_deliveries_under_way(void)
{
    struct test test;

    begin(&test, NULL);
    post(&test, "msg_1");
    post(&test, "msg_2");
    while (!test.n_asked)
        event_base_loop(test.base, EVLOOP_ONCE);
    end(&test);
    CU_ASSERT_EQUAL(test.n_results, 0);
}

static void headers_that_are_missing_are_empty(void)
{
    struct test test;

    begin(&test, "HTTP/1.1 201 Yes\r\n\r\n");
    CU_ASSERT_PTR_NULL(
        forward_post(test.forward, SCALEKIT_PARAMS(scalekit_webhook_delivery, .n_headers = 0)));
    await(&test, 1);
    CU_ASSERT_STRING_EQUAL(test.ids[0], "");
    CU_ASSERT_PTR_NOT_NULL(strstr(test.asked, "\r\ncontent-type: application/json\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(test.asked, "\r\nContent-Length: 0\r\n"));
    end(&test);
}

static void a_url_that_is_none_is_told(void)
{
    static const struct {
        const char *url, *problem;
    } cases[] = {
        {"https://localhost/",
         "takes http:// only: what it posts to is meant to be on this machine"},
        {"localhost:3000", "takes http://HOST:PORT/PATH, not \"localhost:3000\""},
        {"", "takes http://HOST:PORT/PATH, not \"\""},
        {"/path", "takes http://HOST:PORT/PATH, not \"/path\""},
        {"http://", "takes http://HOST:PORT/PATH, not \"http://\""},
        {"http://:80/", "takes http://HOST:PORT/PATH, not \"http://:80/\""},
        {"http://a:b@localhost/", "takes http://HOST:PORT/PATH, not \"http://a:b@localhost/\""},
        {"http://localhost:0/", "takes http://HOST:PORT/PATH, not \"http://localhost:0/\""},
        {"http://localhost:65536/", "takes http://HOST:PORT/PATH, not \"http://localhost:65536/\""},
        {"http://localhost/a b", "takes http://HOST:PORT/PATH, not \"http://localhost/a b\""},
        {"http://localhost/\r\nX: y",
         "takes http://HOST:PORT/PATH, not \"http://localhost/\r\nX: y\""},
        {"ftp://localhost/", "takes http://HOST:PORT/PATH, not \"ftp://localhost/\""},
    };
    struct event_base *base = event_base_new();
    char problem[FORWARD_PROBLEM_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_PTR_NULL(forward_new(base, cases[i].url, 1000, on_result, NULL, problem));
        CU_ASSERT_STRING_EQUAL(problem, cases[i].problem);
    }
    event_base_free(base);
}

static void it_knows_whether_it_leads_back(void)
{
    static const struct {
        const char *url, *address;
        uint16_t port;
        bool leads;
    } cases[] = {
        {"http://127.0.0.1:80", "127.0.0.1", 80, true},
        {"http://127.0.0.1", "127.0.0.1", 80, true},
        {"http://127.0.0.1:81/a", "127.0.0.1", 80, false},
        {"http://127.0.0.2:80/a", "127.0.0.1", 80, false},
        {"http://127.0.0.2:80/a", "0.0.0.0", 80, true},
        {"http://[::1]:80/a", "::1", 80, true},
        {"http://[::1]:80/a", "::", 80, true},
        {"http://192.0.2.1:80/a", "0.0.0.0", 80, false},
    };
    struct event_base *base = event_base_new();
    char problem[FORWARD_PROBLEM_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct forward *forward = forward_new(base, cases[i].url, 1000, on_result, NULL, problem);

        CU_ASSERT_PTR_NOT_NULL_FATAL(forward);
        CU_ASSERT_EQUAL(forward_leads_to(forward, cases[i].address, cases[i].port), cases[i].leads);
        forward_free(forward);
    }
    event_base_free(base);
}

SUITE(cli_forward, {"a delivery arrives as it came", a_delivery_arrives_as_it_came},
      {"they go one by one, in their order", they_go_one_by_one_in_their_order},
      {"what the server does is told", what_the_server_does_is_told},
      {"a server that says nothing is given up", a_server_that_says_nothing_is_given_up},
      {"a head is an answer, though its body has no end",
       a_head_without_an_end_of_its_body_is_an_answer},
      {"where nobody listens it cannot connect", where_nobody_listens_it_cannot_connect},
      {"each address of a name is tried", each_address_of_a_name_is_tried},
      {"so many wait, and no more", so_many_wait_and_no_more},
      {"so many bytes, and no more", so_many_bytes_and_no_more},
      {"it may be freed with deliveries under way", it_may_be_freed_with_deliveries_under_way},
      {"headers that are missing are empty", headers_that_are_missing_are_empty},
      {"a URL that is none is told", a_url_that_is_none_is_told},
      {"it knows whether it leads back", it_knows_whether_it_leads_back})
