/* Servers that lie, break and stall, seen through a whole client.  Every peer answers the sign-in
 * properly first, and then does its worst. */
#include "environment.h"
#include "unit/net/certificates.h"
#include "unit/net/peer.h"
#include <event2/event.h>
#include <signal.h>

/* How a peer treats the request after the sign-in. */
struct behaviour {
    const char *name;
    const char *json; /* the body of an answer in good order; NULL: none */
    const char *says; /* sent as it is; NULL: nothing */
    void (*then)(struct test_link *link);
    scalekit_err code; /* what the client makes of it */
    const char *text;  /* in the message */
};

#define ACTIVE "{\"connected_account\":{\"status\":\"ACTIVE\"}}"

static void say_json(struct test_link *link, const char *json)
{
    char answer[512];

    snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(json), json);
    test_link_says(link, answer);
}

static void on_request(struct test_link *link, const char *bytes, size_t length)
{
    const struct behaviour *behaviour = test_peer_user(test_link_peer(link));

    if (length > 18 && memcmp(bytes, "POST /oauth/token ", 18) == 0) {
        say_json(link, "{\"access_token\":\"a-token\",\"expires_in\":86399}");
        return;
    }
    if (behaviour->json)
        say_json(link, behaviour->json);
    if (behaviour->says)
        test_link_says(link, behaviour->says);
    if (behaviour->then)
        behaviour->then(link);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const struct behaviour behaviours[] = {
    {"is good", ACTIVE, NULL, NULL, SCALEKIT_OK, "ACTIVE"},
    {"closes unanswered", NULL, NULL, test_link_finish, SCALEKIT_ERR_NETWORK, ""},
    {"resets unanswered", NULL, NULL, test_link_reset, SCALEKIT_ERR_NETWORK, ""},
    {"cuts unanswered", NULL, NULL, test_link_cut, SCALEKIT_ERR_NETWORK, ""},
    {"truncates the body", NULL, OK_HEAD "Content-Length: 100\r\n\r\n{\"connected",
     test_link_finish, SCALEKIT_ERR_NETWORK, ""},
    {"truncates a chunk", NULL, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n20\r\n{\"con",
     test_link_finish, SCALEKIT_ERR_NETWORK, ""},
    {"cuts the headers", NULL, OK_HEAD "Content-Le", test_link_finish, SCALEKIT_ERR_NETWORK, ""},
    {"speaks no HTTP", NULL, "SSH-2.0-OpenSSH_9.2\r\n", NULL, SCALEKIT_ERR_PROTOCOL, ""},
    {"is ambiguous", NULL, OK_HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
     NULL, SCALEKIT_ERR_PROTOCOL, ""},
    {"gives two lengths", NULL, OK_HEAD "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", NULL,
     SCALEKIT_ERR_PROTOCOL, ""},
    {"announces too much", NULL, OK_HEAD "Content-Length: 9999999999\r\n\r\n", NULL,
     SCALEKIT_ERR_TOO_LARGE, ""},
    {"answers with HTML", "<html></html>", NULL, NULL, SCALEKIT_ERR_DECODE, "JSON"},
    {"answers with a list", "[]", NULL, NULL, SCALEKIT_ERR_DECODE, "object"},
    {"answers with another type", "{\"connected_account\":{\"status\":[1]}}", NULL, NULL,
     SCALEKIT_ERR_DECODE, "connected_account.status"},
    {"forgets the account", "{}", NULL, NULL, SCALEKIT_ERR_DECODE, "connected_account: missing"},
    {"informs before it answers", NULL,
     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_HEAD
     "Transfer-Encoding: chunked\r\n\r\n29;ext=1\r\n" ACTIVE "\r\n0\r\n\r\n",
     NULL, SCALEKIT_OK, "ACTIVE"},
    {"ends a body with the connection", NULL, OK_HEAD "Connection: close\r\n\r\n" ACTIVE,
     test_link_finish, SCALEKIT_OK, "ACTIVE"},
    {"is a gateway in trouble", NULL, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry",
     NULL, SCALEKIT_ERR_UNAVAILABLE, "502"},
};

static scalekit_client *client_of(struct environment *env, const char *scheme,
                                  struct test_peer *peer, const char *ca_file)
{
    char url[64];

    snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, test_peer_port(peer));
    return environment_client(env, url, ca_file, "secret");
}

static void judge(const struct behaviour *behaviour, const struct outcome *outcome)
{
    if (outcome->code == behaviour->code && strstr(outcome->text, behaviour->text))
        return;
    printf("    %s: %s, \"%s\"\n", behaviour->name, scalekit_err_name(outcome->code),
           outcome->text);
    CU_FAIL("a behaviour was taken for another");
}

static void run_behaviours(const char *scheme, bool drip)
{
    struct environment env;
    struct test_pki pki;
    SSL_CTX *tls = NULL;

    environment_init(&env, NULL);
    test_pki_init(&pki);
    if (strcmp(scheme, "https") == 0)
        tls = test_pki_server(&pki, &(struct test_identity){.names = "IP:127.0.0.1"});
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        struct test_peer *peer = test_peer_new(
            env.base, &(struct test_peer_config){.tls = tls,
                                                 .drip = drip,
                                                 .received = on_request,
                                                 .user = (void *)(uintptr_t)&behaviours[i]});
        scalekit_client *client = client_of(&env, scheme, peer, tls ? pki.ca_file : NULL);
        struct outcome outcome = environment_look(&env, client);

        judge(&behaviours[i], &outcome);
        scalekit_client_free(client);
        test_peer_free(peer);
    }
    SSL_CTX_free(tls);
    test_pki_free(&pki);
    environment_free(&env);
}

static void every_behaviour_has_its_error_over_tls(void)
{
    run_behaviours("https", false);
}

static void every_behaviour_has_its_error_in_the_clear(void)
{
    run_behaviours("http", false);
}

static void answers_that_drip_are_no_different(void)
{
    run_behaviours("https", true);
}

/* --- two answers ------------------------------------------------------------------------------- */

static void a_second_answer_never_reaches_the_next_request(void)
{
    static const struct behaviour twice = {.json = ACTIVE,
                                           .says = OK_HEAD
                                           "Content-Length: 42\r\n\r\n"
                                           "{\"connected_account\":{\"status\":\"REVOKED\"}}"};
    struct environment env;
    struct test_peer *peer;
    scalekit_client *client;

    environment_init(&env, NULL);
    peer = test_peer_new(env.base, &(struct test_peer_config){.received = on_request,
                                                              .user = (void *)(uintptr_t)&twice});
    client = client_of(&env, "http", peer, NULL);
    for (int i = 0; i < 5; i++) {
        struct outcome outcome = environment_look(&env, client);

        CU_ASSERT(outcome.ok);
        CU_ASSERT_STRING_EQUAL(outcome.text, "ACTIVE");
    }
    scalekit_client_free(client);
    test_peer_free(peer);
    environment_free(&env);
}

/* --- certificates ------------------------------------------------------------------------------ */

static void certificates_are_verified(void)
{
    static const struct {
        struct test_identity identity;
        const char *text; /* in the message; NULL: accepted */
    } cases[] = {
        {{.names = "IP:127.0.0.1"}, NULL},
        {{.names = "DNS:other.example,IP:127.0.0.1"}, NULL},
        {{.names = "IP:127.0.0.2"}, "IP address mismatch"},
        {{.names = "DNS:127.0.0.1"}, "IP address mismatch"},
        {{.names = "DNS:acme.example"}, "IP address mismatch"},
        {{.names = "IP:127.0.0.1", .issuer = TEST_ISSUER_STRANGER}, "unable to get local issuer"},
        {{.names = "IP:127.0.0.1", .issuer = TEST_ISSUER_ITSELF}, "self-signed"},
        {{.names = "IP:127.0.0.1", .from_day = -20, .to_day = -10}, "expired"},
        {{.names = "IP:127.0.0.1", .from_day = 10, .to_day = 20}, "not yet valid"},
    };
    struct environment env;
    struct test_pki pki;

    environment_init(&env, NULL);
    test_pki_init(&pki);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SSL_CTX *tls = test_pki_server(&pki, &cases[i].identity);
        struct test_peer *peer = test_peer_new(
            env.base, &(struct test_peer_config){.tls = tls,
                                                 .received = on_request,
                                                 .user = (void *)(uintptr_t)&behaviours[0]});
        scalekit_client *client = client_of(&env, "https", peer, pki.ca_file);
        struct outcome outcome = environment_look(&env, client);

        CU_ASSERT_EQUAL(outcome.ok, cases[i].text == NULL);
        if (cases[i].text) {
            CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_TLS);
            CU_ASSERT_PTR_NOT_NULL(strstr(outcome.text, cases[i].text));
            CU_ASSERT_EQUAL(test_peer_counts(peer)->bytes, 0);
        }
        scalekit_client_free(client);
        test_peer_free(peer);
        SSL_CTX_free(tls);
    }
    test_pki_free(&pki);
    environment_free(&env);
}

/* --- silence ----------------------------------------------------------------------------------- */

static void a_server_that_never_answers_is_given_up_at_the_deadline(void)
{
    static const struct behaviour mute = {.says = NULL};
    struct environment env;
    struct outcome outcome = {.env = &env};
    struct test_peer *peer;
    scalekit_client *client;
    scalekit_request *request;

    environment_init(&env, NULL);
    peer = test_peer_new(env.base, &(struct test_peer_config){.received = on_request,
                                                              .user = (void *)(uintptr_t)&mute});
    client = client_of(&env, "http", peer, NULL);
    request = scalekit_get_connected_account_details(
        client, SCALEKIT_PARAMS(scalekit_account_key, .connected_account_id = "ca_1"),
        outcome_account, &outcome);
    CU_ASSERT_EQUAL(scalekit_request_set_deadline(request, 200), SCALEKIT_OK);
    test_base_until(env.base, &outcome.done);
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_DEADLINE);
    CU_ASSERT_EQUAL(outcome.phase, SCALEKIT_PHASE_WAIT);
    scalekit_client_free(client);
    test_peer_free(peer);
    environment_free(&env);
}

/* --- SIGPIPE ----------------------------------------------------------------------------------- */

static void on_opened_reset(struct test_link *link)
{
    test_link_reset(link);
}

/* Peers that reset at every moment; with the default disposition one SIGPIPE would end this run. */
static void no_peer_raises_sigpipe(void)
{
    static const struct behaviour reset = {.then = test_link_reset};
    struct environment env;
    struct test_pki pki;
    SSL_CTX *tls;

    CU_ASSERT_EQUAL(signal(SIGPIPE, SIG_DFL), SIG_DFL);
    environment_init(&env, NULL);
    test_pki_init(&pki);
    tls = test_pki_server(&pki, &(struct test_identity){.names = "IP:127.0.0.1"});
    for (int i = 0; i < 40; i++) {
        bool secure = i % 2;
        struct test_peer *peer = test_peer_new(
            env.base, &(struct test_peer_config){.tls = secure ? tls : NULL,
                                                 .opened = i % 4 < 2 ? on_opened_reset : NULL,
                                                 .received = on_request,
                                                 .user = (void *)(uintptr_t)&reset});
        scalekit_client *client =
            client_of(&env, secure ? "https" : "http", peer, secure ? pki.ca_file : NULL);
        struct outcome outcome = environment_look(&env, client);

        CU_ASSERT_FALSE(outcome.ok);
        scalekit_client_free(client);
        test_peer_free(peer);
    }
    SSL_CTX_free(tls);
    test_pki_free(&pki);
    environment_free(&env);
}

SUITE(hostile, {"every behaviour has its error, over TLS", every_behaviour_has_its_error_over_tls},
      {"every behaviour has its error, in the clear", every_behaviour_has_its_error_in_the_clear},
      {"answers that drip are no different", answers_that_drip_are_no_different},
      {"a second answer never reaches the next request",
       a_second_answer_never_reaches_the_next_request},
      {"certificates are verified", certificates_are_verified},
      {"a server that never answers is given up at the deadline",
       a_server_that_never_answers_is_given_up_at_the_deadline},
      {"no peer raises SIGPIPE", no_peer_raises_sigpipe})
