/* Custom user verification from end to end: a browser that consents at the emulator and comes back,
 * and a library that says who it was. */
#include "environment.h"
#include "state.h"
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#define VERIFY_URL "https://app.example.com/user/verify?tenant=a+b"

/* An environment that is reached by http, for the browser's sake. */
struct world {
    struct environment env;
    scalekit_emulator *emulator;
    scalekit_client *client;

    /* What the watch told. */
    char link[512], state[SCALEKIT_USER_VERIFICATION_STATE_SIZE];
    int links, pending, finals;
    enum scalekit_watch_event_kind kind;
    enum scalekit_account_status status;
    bool has_link, is_pending, settled;

    /* What the browser saw last. */
    bool answered;
    int http_status;
    char page[16384], location[1024];
};

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct world *world = user;

    (void)watch;
    if (event->kind == SCALEKIT_WATCH_LINK) {
        snprintf(world->link, sizeof world->link, "%s", event->link->link);
        world->links++;
        world->has_link = true;
    } else if (event->kind == SCALEKIT_WATCH_PENDING_VERIFICATION) {
        CU_ASSERT_EQUAL(world->finals, 0);
        world->pending++;
        world->is_pending = true;
    }
    if (!event->final)
        return;
    world->finals++;
    world->kind = event->kind;
    world->status = event->status;
    world->settled = true;
}

static void world_open(struct world *world)
{
    char problem[256];

    memset(world, 0, sizeof *world);
    environment_init(&world->env, NULL);
    world->emulator = scalekit_emulator_start(
        world->env.base, &(struct scalekit_emulator_config){.verify_users = true}, problem,
        sizeof problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->emulator);
    world->client = environment_client(&world->env, scalekit_emulator_url(world->emulator), NULL,
                                       scalekit_emulator_client_secret(world->emulator));
    CU_ASSERT_FATAL(scalekit_user_verification_new_state(world->state));
    CU_ASSERT_PTR_NOT_NULL_FATAL(scalekit_connect_account(
        world->client,
        SCALEKIT_PARAMS(scalekit_connect_account_params, .connection_name = "gmail",
                        .identifier = "user_1", .state = world->state,
                        .user_verify_url = VERIFY_URL),
        on_event, world));
    test_base_until(world->env.base, &world->has_link);
}

static void world_close(struct world *world)
{
    scalekit_client_free(world->client);
    scalekit_emulator_free(world->emulator);
    environment_free(&world->env);
}

/* --- the browser -------------------------------------------------------------------------------- */

static void on_page(struct evhttp_request *answer, void *user)
{
    struct world *world = user;
    const char *location = NULL;

    world->answered = true;
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    world->http_status = evhttp_request_get_response_code(answer);
    evbuffer_copyout(evhttp_request_get_input_buffer(answer), world->page, sizeof world->page - 1);
    location = evhttp_find_header(evhttp_request_get_input_headers(answer), "Location");
    snprintf(world->location, sizeof world->location, "%s", location ? location : "");
}

/* Asks for the link's page, or posts a form to it. */
static void browse(struct world *world, const char *form)
{
    struct evhttp_uri *uri = evhttp_uri_parse(world->link);
    struct evhttp_connection *connection = evhttp_connection_base_new(
        world->env.base, NULL, evhttp_uri_get_host(uri), (uint16_t)evhttp_uri_get_port(uri));
    struct evhttp_request *request = evhttp_request_new(on_page, world);

    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", "127.0.0.1");
    if (form)
        evbuffer_add(evhttp_request_get_output_buffer(request), form, strlen(form));
    memset(world->page, 0, sizeof world->page);
    world->answered = false;
    CU_ASSERT_EQUAL(evhttp_make_request(connection, request,
                                        form ? EVHTTP_REQ_POST : EVHTTP_REQ_GET,
                                        evhttp_uri_get_path(uri)),
                    0);
    test_base_until(world->env.base, &world->answered);
    evhttp_connection_free(connection);
    evhttp_uri_free(uri);
}

/* Opens the link and consents; `location` is then the redirect to the application. */
static void consent(struct world *world)
{
    static const char field[] = "name=\"form_token\" value=\"";
    const char *token;
    char form[128];

    browse(world, NULL);
    CU_ASSERT_EQUAL(world->http_status, 200);
    token = strstr(world->page, field);
    CU_ASSERT_PTR_NOT_NULL_FATAL(token);
    snprintf(form, sizeof form, "form_token=%.32s&action=approve", token + sizeof field - 1);
    browse(world, form);
    CU_ASSERT_EQUAL(world->http_status, 302);
    CU_ASSERT_EQUAL(strncmp(world->location, VERIFY_URL "&", sizeof VERIFY_URL), 0);
    test_base_until(world->env.base, &world->is_pending);
    CU_ASSERT_EQUAL(world->finals, 0);
}

/* --- the application ---------------------------------------------------------------------------- */

static void on_verified(scalekit_request *request,
                        const struct scalekit_user_verification *verification, void *user)
{
    struct outcome *outcome = user;

    outcome_done(request, verification != NULL, user);
    if (verification)
        snprintf(outcome->text, sizeof outcome->text, "%s",
                 verification->post_user_verify_redirect_url);
}

static struct outcome finish(struct world *world, const char *state, const char *identifier)
{
    struct outcome outcome = {.env = &world->env};
    scalekit_request *request = scalekit_user_verification_finish(
        world->client,
        SCALEKIT_PARAMS(scalekit_user_verification_finish_params, .redirect = world->location,
                        .expected_state = state, .identifier = identifier),
        on_verified, &outcome);

    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    test_base_until(world->env.base, &outcome.done);
    CU_ASSERT_EQUAL(outcome.calls, 1);
    return outcome;
}

static uint64_t requests_of(const struct world *world)
{
    struct scalekit_emulator_stats stats;

    scalekit_emulator_stats(world->emulator, &stats);
    return stats.requests - stats.lookups; /* the watch looks on */
}

static void the_right_user_is_verified_and_the_watch_told(void)
{
    struct world world;
    struct outcome outcome;
    char expected[512], id[SCALEKIT_USER_VERIFICATION_ID_SIZE];
    char state[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE];

    world_open(&world);
    consent(&world);
    outcome = finish(&world, world.state, "user_1");
    CU_ASSERT(outcome.ok);
    snprintf(expected, sizeof expected, "%s/connect/success",
             scalekit_emulator_url(world.emulator));
    CU_ASSERT_STRING_EQUAL(outcome.text, expected);
    test_base_until(world.env.base, &world.settled);
    CU_ASSERT_EQUAL(world.kind, SCALEKIT_WATCH_SETTLED);
    CU_ASSERT_EQUAL(world.status, SCALEKIT_ACCOUNT_ACTIVE);
    CU_ASSERT_EQUAL(world.links, 1);
    CU_ASSERT_EQUAL(world.pending, 1);
    CU_ASSERT_EQUAL(world.finals, 1);
    CU_ASSERT_EQUAL(scalekit_user_verification_parse(world.location, id, state, NULL), SCALEKIT_OK);
    CU_ASSERT_STRING_EQUAL(state, world.state);
    CU_ASSERT_PTR_NOT_NULL(strstr(world.env.log, "verify_connected_account_user"));
    CU_ASSERT_PTR_NULL(strstr(world.env.log, id));
    CU_ASSERT_PTR_NULL(strstr(world.env.log, state));
    world_close(&world);
}

static void another_user_is_refused_and_the_right_one_still_welcome(void)
{
    struct world world;
    struct outcome outcome;

    world_open(&world);
    consent(&world);
    outcome = finish(&world, world.state, "user_2");
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_FORBIDDEN);
    CU_ASSERT_EQUAL(outcome.http_status, 403);
    outcome = finish(&world, world.state, "user_1");
    CU_ASSERT(outcome.ok);
    test_base_until(world.env.base, &world.settled);
    CU_ASSERT_EQUAL(world.status, SCALEKIT_ACCOUNT_ACTIVE);
    world_close(&world);
}

static void a_redirect_works_once(void)
{
    struct world world;
    struct outcome outcome;

    world_open(&world);
    consent(&world);
    CU_ASSERT(finish(&world, world.state, "user_1").ok);
    outcome = finish(&world, world.state, "user_1");
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(outcome.http_status, 404);
    world_close(&world);
}

static void a_redirect_runs_out_with_its_link(void)
{
    struct world world;
    struct emu_link *link;
    struct outcome outcome;

    world_open(&world);
    consent(&world);
    TAILQ_FOREACH(link, &world.emulator->links.by_age, by_age)
    link->expires_us = 1; /* instead of waiting */
    outcome = finish(&world, world.state, "user_1");
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(world.finals, 0);
    world_close(&world);
}

static void another_browser_is_refused_before_anything_is_sent(void)
{
    struct world world;
    struct outcome outcome;
    char other[SCALEKIT_USER_VERIFICATION_STATE_SIZE];
    uint64_t requests;

    world_open(&world);
    consent(&world);
    CU_ASSERT(scalekit_user_verification_new_state(other));
    requests = requests_of(&world);
    outcome = finish(&world, other, "user_1");
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_INVALID);
    outcome = finish(&world, NULL, "user_1");
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(requests_of(&world), requests);
    CU_ASSERT(finish(&world, world.state, "user_1").ok); /* nothing was used up */
    CU_ASSERT_EQUAL(requests_of(&world), requests + 1);
    world_close(&world);
}

SUITE(user_verification,
      {"the right user is verified, and the watch told",
       the_right_user_is_verified_and_the_watch_told},
      {"another user is refused, and the right one still welcome",
       another_user_is_refused_and_the_right_one_still_welcome},
      {"a redirect works once", a_redirect_works_once},
      {"a redirect runs out with its link", a_redirect_runs_out_with_its_link},
      {"another browser is refused before anything is sent",
       another_browser_is_refused_before_anything_is_sent})
