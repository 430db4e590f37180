#include "wire.h"
#include <scalekit/call.h>

CALL_ON(on_response, scalekit_response)

#define CALL(name, ...)                                                                            \
    CALL_STARTER(name, call, SCALEKIT_PARAMS(scalekit_call_params, __VA_ARGS__), on_response)

/* --- what goes out ----------------------------------------------------------------------------- */

static const struct scalekit_entry pairs[] = {
    {"filter.name", "a&b"}, {"id", "1"}, {"id", "2"}, {"\xc3\xa9", ""}};

CALL(get, .method = "GET", .path = "/api/v1/new/things")
CALL(get_with_query, .method = "GET", .path = "/api/v1/new", .query = pairs, .n_query = 4)
CALL(post, .method = "POST", .path = "/api/v1/new:run", .body = "{ \"a\": [1] }")
CALL(post_list, .method = "POST", .path = "/api/v1/new", .body = "[1]")
CALL(post_nothing, .method = "POST", .path = "/api/v1/new")
CALL(put, .method = "PUT", .path = "/api/v1/new/%C3%A9", .body = "{}")
CALL(patch, .method = "PATCH", .path = "/api/v1/new", .body = "{}")
CALL(remove_it, .method = "DELETE", .path = "/api/v1/new/1")

static const struct wire_row wire_rows[] = {
    {"get", get, "GET /api/v1/new/things", "/api/v1/new/things", "", "{}"},
    {"query", get_with_query, "GET /api/v1/new",
     "/api/v1/new?filter.name=a%26b&id=1&id=2&%C3%A9=", "", "{}"},
    {"post", post, "POST /api/v1/new:run", "/api/v1/new:run", "{ \"a\": [1] }", "{}"},
    {"post a list", post_list, "POST /api/v1/new", "/api/v1/new", "[1]", "{}"},
    {"post nothing", post_nothing, "POST /api/v1/new", "/api/v1/new", "", "{}"},
    {"put", put, "PUT /api/v1/new/%C3%A9", "/api/v1/new/%C3%A9", "{}", "{}"},
    {"patch", patch, "PATCH /api/v1/new", "/api/v1/new", "{}", "{}"},
    {"delete", remove_it, "DELETE /api/v1/new/1", "/api/v1/new/1", "", ""},
};

static void any_route_is_called_with_the_clients_headers(void)
{
    wire_check(wire_rows, COUNT(wire_rows));
}

/* --- what is refused --------------------------------------------------------------------------- */

CALL(no_method, .path = "/api/v1/new")
CALL(no_path, .method = "GET")
CALL(lower_case, .method = "get", .path = "/api/v1/new")
CALL(odd_method, .method = "TRACE", .path = "/api/v1/new")
CALL(two_lines, .method = "GET\r\nX: y", .path = "/api/v1/new")
CALL(elsewhere, .method = "GET", .path = "/oauth/token")
CALL(climbs, .method = "GET", .path = "/api/v1/../../oauth/token")
CALL(climbs_encoded, .method = "GET", .path = "/api/v1/%2e%2e/%2e%2e/oauth/token")
CALL(whole_url, .method = "GET", .path = "https://evil.example/api/v1/new")
CALL(query_in_path, .method = "GET", .path = "/api/v1/new?a=b")
CALL(fragment, .method = "GET", .path = "/api/v1/new#a")
CALL(line_break, .method = "GET", .path = "/api/v1/new\r\nX: y")
CALL(no_key, .method = "GET", .path = "/api/v1/new",
     .query = (const struct scalekit_entry[]){{"", "v"}}, .n_query = 1)
CALL(no_value, .method = "GET", .path = "/api/v1/new",
     .query = (const struct scalekit_entry[]){{"k", NULL}}, .n_query = 1)
CALL(no_json, .method = "POST", .path = "/api/v1/new", .body = "hello")
CALL(half_json, .method = "POST", .path = "/api/v1/new", .body = "{")
CALL(odd_choice, .method = "GET", .path = "/api/v1/new", .idempotent = (enum scalekit_choice)9)

static const struct refusal_row refusal_rows[] = {
    {"no method", no_method, "method"},
    {"no path", no_path, "path"},
    {"method in lower case", lower_case, "method"},
    {"odd method", odd_method, "method"},
    {"method of two lines", two_lines, "method"},
    {"another route", elsewhere, "path"},
    {"a path that climbs", climbs, "path"},
    {"a path that climbs when decoded", climbs_encoded, "path"},
    {"a whole URL", whole_url, "path"},
    {"a query in the path", query_in_path, "path"},
    {"a fragment", fragment, "path"},
    {"a line break", line_break, "path"},
    {"a query without a key", no_key, "query"},
    {"a query without a value", no_value, "query"},
    {"a body that is no JSON", no_json, "body"},
    {"half a body", half_json, "body"},
    {"neither yes nor no", odd_choice, "idempotent"},
};

static void what_is_wrong_is_refused_and_named(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

/* --- what comes back --------------------------------------------------------------------------- */

static void the_answer_comes_as_it_was_sent(void)
{
    static const char *const bodies[] = {"", "{\"a\" : 1}", "no JSON at all", "[\"\xff\"]"};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        const struct scalekit_response *response;
        struct fixture f;
        struct call *call = wire_answer(&f, get, "GET /api/v1/new/things", bodies[i]);

        response = call->result;
        CU_ASSERT_PTR_NOT_NULL_FATAL(response);
        CU_ASSERT_EQUAL(response->struct_size, sizeof *response);
        CU_ASSERT_EQUAL(response->status, 200);
        CU_ASSERT_EQUAL(response->length, strlen(bodies[i]));
        CU_ASSERT(text_is(response->body, bodies[i]));
        fixture_free(&f);
    }
}

CALL(with_secrets, .method = "POST", .path = "/api/v1/new",
     .query = (const struct scalekit_entry[]){{"token", "hush-1"}}, .n_query = 1,
     .body = "{\"key\":\"hush-2\"}")

static void what_is_sent_and_what_comes_back_is_not_logged(void)
{
    struct fixture f;

    wire_answer(&f, with_secrets, "POST /api/v1/new", "{\"password\":\"hush-3\"}");
    CU_ASSERT(text_has(f.log, "/api/v1/new"));
    CU_ASSERT_FALSE(text_has(f.log, "hush"));
    fixture_free(&f);
}

static void another_status_is_an_error_with_its_facts(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, "GET /api/v1/new/things",
                   (struct service_answer){404, ERROR_BODY, NULL, 0, 0});
    call = get(&f);
    CU_ASSERT_EQUAL(scalekit_request_keep_response(call->request, true), SCALEKIT_OK);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NOT_FOUND);
    CU_ASSERT(text_has(call->message, "it failed"));
    CU_ASSERT(text_is(scalekit_request_response(call->request, NULL), ERROR_BODY));
    fixture_free(&f);
}

/* --- retries ----------------------------------------------------------------------------------- */

CALL(post_again, .method = "POST", .path = "/api/v1/new", .idempotent = SCALEKIT_YES)
CALL(get_once, .method = "GET", .path = "/api/v1/new", .idempotent = SCALEKIT_NO)
CALL(plain_get, .method = "GET", .path = "/api/v1/new")
CALL(plain_put, .method = "PUT", .path = "/api/v1/new")
CALL(plain_delete, .method = "DELETE", .path = "/api/v1/new")
CALL(plain_patch, .method = "PATCH", .path = "/api/v1/new")

static void only_what_is_idempotent_goes_again(void)
{
    static const struct {
        const char *name;
        call_starter start;
        const char *route;
        int attempts;
    } cases[] = {
        {"GET", plain_get, "GET /api/v1/new", 2},
        {"PUT", plain_put, "PUT /api/v1/new", 2},
        {"DELETE", plain_delete, "DELETE /api/v1/new", 2},
        {"POST", post_nothing, "POST /api/v1/new", 1},
        {"PATCH", plain_patch, "PATCH /api/v1/new", 1},
        {"POST that may", post_again, "POST /api/v1/new", 2},
        {"GET that may not", get_once, "GET /api/v1/new", 1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fixture f;
        struct call *call;

        fixture_init(&f);
        fixture_use_clock(&f);
        fixture_start(&f);
        service_once(f.service, cases[i].route, (struct service_answer){503, "{}", NULL, 0, 0});
        service_always(f.service, cases[i].route, (struct service_answer){200, "{}", NULL, 0, 0});
        call = cases[i].start(&f);
        service_until(f.service, cases[i].route, 1);
        while (call->completions == 0) {
            fixture_turn(&f);
            fixture_advance(&f, 1000);
        }
        ROW_IS(cases[i].name, call->attempts == cases[i].attempts);
        ROW_IS(cases[i].name, (call->code == SCALEKIT_OK) == (cases[i].attempts == 2));
        fixture_free(&f);
    }
}

/* --- the response of any request ---------------------------------------------------------------- */

static void the_response_is_kept_on_demand(void)
{
    struct fixture f;
    struct call *kept, *not_kept;
    size_t length = 7;

    fixture_open(&f);
    service_always(f.service, DETAILS, (struct service_answer){200, ACCOUNT_BODY, NULL, 0, 0});
    kept = call_details(&f);
    not_kept = call_details(&f);
    CU_ASSERT_EQUAL(scalekit_request_keep_response(NULL, true), SCALEKIT_ERR_INVALID);
    CU_ASSERT_EQUAL(scalekit_request_keep_response(kept->request, true), SCALEKIT_OK);
    CU_ASSERT_PTR_NULL(scalekit_request_response(kept->request, &length));
    CU_ASSERT_EQUAL(length, 0);
    call_wait(kept);
    call_wait(not_kept);
    CU_ASSERT(text_is(scalekit_request_response(kept->request, &length), ACCOUNT_BODY));
    CU_ASSERT_EQUAL(length, strlen(ACCOUNT_BODY));
    CU_ASSERT_PTR_NULL(scalekit_request_response(not_kept->request, NULL));
    CU_ASSERT_EQUAL(scalekit_request_keep_response(kept->request, false), SCALEKIT_ERR_TOO_LATE);
    fixture_free(&f);
}

static struct call *get_kept(struct fixture *f)
{
    struct call *call;

    service_always(f->service, "GET /api/v1/new",
                   (struct service_answer){200, "{\"a\":1}", NULL, 0, 0});
    call = get_with_query(f);
    if (call->request)
        scalekit_request_keep_response(call->request, true);
    return call;
}

static void every_allocation_may_fail(void)
{
    CU_ASSERT(call_every_allocation(get_kept) > 20);
}

SUITE(call,
      {"any route is called with the client's headers",
       any_route_is_called_with_the_clients_headers},
      {"what is wrong is refused and named", what_is_wrong_is_refused_and_named},
      {"the answer comes as it was sent", the_answer_comes_as_it_was_sent},
      {"what is sent and what comes back is not logged",
       what_is_sent_and_what_comes_back_is_not_logged},
      {"another status is an error with its facts", another_status_is_an_error_with_its_facts},
      {"only what is idempotent goes again", only_what_is_idempotent_goes_again},
      {"the response is kept on demand", the_response_is_kept_on_demand},
      {"every allocation may fail", every_allocation_may_fail})
