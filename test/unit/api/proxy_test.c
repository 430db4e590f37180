#include "wire.h"
#include <scalekit/proxy.h>

#define USER .connection_name = "gmail", .identifier = "user_1"

static struct call *call_proxy(struct fixture *f, const struct scalekit_proxy_params *params)
{
    struct call *call = call_new(f);

    return call_began(
        call, scalekit_proxy_request(f->client, params, (scalekit_proxy_cb)call_on_result, call));
}

static const struct scalekit_proxy_response *response_of(const struct call *call)
{
    return call->result;
}

/* --- what is sent ------------------------------------------------------------------------------ */

static const struct scalekit_entry query[] = {{"q", "is:unread a&b"}, {"q", "é"}, {"empty", ""}};
static const struct scalekit_entry form[] = {{"grant", "a b"}, {"x", "1+1=2&"}};
static const struct scalekit_entry headers[] = {
    {"X-Custom", "One; two"}, {"If-Match", "\"abc\""}, {"x-list", "1"}, {"x-list", "2"}};
static const struct scalekit_entry in_place[] = {{"Accept", "text/csv"}, {"User-Agent", "mine/1"}};

static const struct sent_row {
    const char *name;
    struct scalekit_proxy_params params;
    const char *route, *target, *body;
    const char *lines[5]; /* of the header */
    const char *absent;   /* a name that is not in it */
} sent_rows[] = {
    {"the least",
     {.path = "/v1/me"},
     "GET /proxy/v1/me",
     "/proxy/v1/me",
     "",
     {"connection_name: gmail", "identifier: user_1", "accept: */*"},
     "content-type"},
    {"without a slash", {.path = "v1/me"}, "GET /proxy/v1/me", "/proxy/v1/me", "", {NULL}, NULL},
    {"the root", {.path = "/"}, "GET /proxy/", "/proxy/", "", {NULL}, NULL},
    {"an encoded path",
     {.path = "/p/a%2Fb%20c"},
     "GET /proxy/p/a%2Fb%20c",
     "/proxy/p/a%2Fb%20c",
     "",
     {NULL},
     NULL},
    {"a query",
     {.path = "/v1", .query = query, .n_query = 3},
     "GET /proxy/v1",
     "/proxy/v1?q=is%3Aunread%20a%26b&q=%C3%A9&empty=",
     "",
     {NULL},
     NULL},
    {"a query in the path",
     {.path = "/v1?a=1%2f&b"},
     "GET /proxy/v1",
     "/proxy/v1?a=1%2f&b",
     "",
     {NULL},
     NULL},
    {"both",
     {.path = "/v1?a=1", .query = query, .n_query = 1},
     "GET /proxy/v1",
     "/proxy/v1?a=1&q=is%3Aunread%20a%26b",
     "",
     {NULL},
     NULL},
    {"a method in any case",
     {.path = "/v1", .method = "dElEtE"},
     "DELETE /proxy/v1",
     "/proxy/v1",
     "",
     {NULL},
     "content-length"},
    {"a method of its own",
     {.path = "/v1", .method = "PROPFIND"},
     "PROPFIND /proxy/v1",
     "/proxy/v1",
     "",
     {NULL},
     "content-length"},
    {"nothing posted",
     {.path = "/v1", .method = "POST"},
     "POST /proxy/v1",
     "/proxy/v1",
     "",
     {"content-length: 0"},
     "content-type"},
    {"JSON",
     {.path = "/v1", .method = "POST", .body = " {\"a\": [1]}"},
     "POST /proxy/v1",
     "/proxy/v1",
     " {\"a\": [1]}",
     {"content-type: application/json", "content-length: 11"},
     NULL},
    {"JSON of a type of its own",
     {.path = "/v1", .method = "PATCH", .body = "[]", .content_type = "application/vnd.api+json"},
     "PATCH /proxy/v1",
     "/proxy/v1",
     "[]",
     {"content-type: application/vnd.api+json"},
     NULL},
    {"a form",
     {.path = "/v1", .method = "POST", .form_data = form, .n_form_data = 2},
     "POST /proxy/v1",
     "/proxy/v1",
     "grant=a%20b&x=1%2B1%3D2%26",
     {"content-type: application/x-www-form-urlencoded", "content-length: 26"},
     NULL},
    {"bytes",
     {.path = "/v1", .method = "PUT", .raw_body = "\x01\xff{", .raw_body_length = 3},
     "PUT /proxy/v1",
     "/proxy/v1",
     "\x01\xff{",
     {"content-type: application/octet-stream", "content-length: 3"},
     NULL},
    {"bytes of a type",
     {.path = "/v1",
      .method = "PUT",
      .raw_body = "a,b",
      .raw_body_length = 3,
      .content_type = "text/csv; charset=utf-8"},
     "PUT /proxy/v1",
     "/proxy/v1",
     "a,b",
     {"content-type: text/csv; charset=utf-8"},
     NULL},
    {"no bytes",
     {.path = "/v1", .method = "PUT", .raw_body = ""},
     "PUT /proxy/v1",
     "/proxy/v1",
     "",
     {"content-length: 0", "content-type: application/octet-stream"},
     NULL},
    {"a body with GET",
     {.path = "/v1", .body = "{}"},
     "GET /proxy/v1",
     "/proxy/v1",
     "{}",
     {"content-length: 2"},
     NULL},
    {"headers",
     {.path = "/v1", .headers = headers, .n_headers = 4},
     "GET /proxy/v1",
     "/proxy/v1",
     "",
     {"x-custom: One; two", "if-match: \"abc\"", "x-list: 1", "x-list: 2"},
     NULL},
    {"headers in place of ours",
     {.path = "/v1", .headers = in_place, .n_headers = 2},
     "GET /proxy/v1",
     "/proxy/v1",
     "",
     {"accept: text/csv", "user-agent: mine/1"},
     NULL},
};

static unsigned count_name(const struct service_request *request, const char *name)
{
    char start[64];
    unsigned n = 0;

    snprintf(start, sizeof start, "\r\n%s:", name);
    for (const char *at = request->head; (at = strstr(at, start)); at++)
        n++;
    return n;
}

static void sends_what_it_is_given(void)
{
    for (size_t i = 0; i < COUNT(sent_rows); i++) {
        const struct sent_row *row = &sent_rows[i];
        struct scalekit_proxy_params params = row->params;
        const struct service_request *request;
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        service_always(f.service, row->route, (struct service_answer){.status = 200});
        params.struct_size = sizeof params;
        params.connection_name = "gmail";
        params.identifier = "user_1";
        call = call_proxy(&f, &params);
        call_wait(call);
        ROW_IS(row->name, call->code == SCALEKIT_OK && service_count(f.service, row->route) == 1);
        if (service_count(f.service, row->route) == 1) {
            request = service_request(f.service, row->route, 0);
            ROW_IS(row->name, text_is(request->target, row->target));
            ROW_IS(row->name, text_is(request->body, row->body));
            ROW_IS(row->name, service_had(request, "authorization: Bearer tok-1"));
            ROW_IS(row->name, count_name(request, "accept") == 1);
            ROW_IS(row->name, count_name(request, "user-agent") <= 1);
            for (size_t j = 0; j < COUNT(row->lines) && row->lines[j]; j++)
                ROW_IS(row->name, service_had(request, row->lines[j]));
            ROW_IS(row->name, !row->absent || !service_named(request, row->absent));
        } else {
            printf("%s: %s\n", row->name, call->message);
        }
        fixture_free(&f);
    }
}

/* --- what is refused --------------------------------------------------------------------------- */

static size_t no_read(scalekit_request *request, char *room, size_t size, bool *end, void *user)
{
    (void)request;
    (void)room;
    (void)size;
    (void)user;
    *end = true;
    return 0;
}

static void no_head(scalekit_request *request, const struct scalekit_proxy_response *head,
                    void *user)
{
    (void)request;
    (void)head;
    (void)user;
}

#define TO .connection_name = "gmail", .identifier = "user_1", .path = "/v1"

static const struct refused_row {
    const char *name, *parameter;
    struct scalekit_proxy_params params;
} refused_rows[] = {
    {"no connection", "connection_name", {.identifier = "u", .path = "/"}},
    {"an empty connection",
     "connection_name",
     {.connection_name = "", .identifier = "u", .path = "/"}},
    {"a connection that splits",
     "connection_name",
     {.connection_name = "gmail\r\nx: y", .identifier = "u", .path = "/"}},
    {"a padded connection",
     "connection_name",
     {.connection_name = " gmail", .identifier = "u", .path = "/"}},
    {"no identifier", "identifier", {.connection_name = "gmail", .path = "/"}},
    {"an identifier that splits",
     "identifier",
     {.connection_name = "gmail", .identifier = "u\r\nidentifier: admin", .path = "/"}},
    {"an identifier with a tab",
     "identifier",
     {.connection_name = "gmail", .identifier = "u\x01", .path = "/"}},
    {"a padded identifier",
     "identifier",
     {.connection_name = "gmail", .identifier = "admin ", .path = "/"}},
    {"no path", "path", {.connection_name = "gmail", .identifier = "u"}},
    {"an empty path", "path", {USER, .path = ""}},
    {"a path that climbs", "path", {USER, .path = "/../api/v1/organizations"}},
    {"a path that climbs, encoded", "path", {USER, .path = "a/%2e%2e/..%2fapi"}},
    {"a path of another host", "path", {USER, .path = "https://evil.example/x"}},
    {"a path with a fragment", "path", {USER, .path = "/x?y#z"}},
    {"a path that splits", "path", {USER, .path = "/x HTTP/1.1\r\nhost: y"}},
    {"a query that splits", "path", {USER, .path = "/x?a=\r\nb"}},
    {"a query with a blank", "path", {USER, .path = "/x?a b"}},
    {"a method that is none", "method", {TO, .method = "GET /x HTTP/1.1\r\n"}},
    {"CONNECT", "method", {TO, .method = "connect"}},
    {"TRACE", "method", {TO, .method = "Trace"}},
    {"TRACK", "method", {TO, .method = "TRACK"}},
    {"no JSON", "body", {TO, .body = "{a:1}"}},
    {"JSON and a form", "form_data", {TO, .body = "{}", .form_data = form, .n_form_data = 2}},
    {"JSON and bytes", "raw_body", {TO, .body = "{}", .raw_body = "x", .raw_body_length = 1}},
    {"a form and bytes",
     "raw_body",
     {TO, .form_data = form, .n_form_data = 2, .raw_body = "x", .raw_body_length = 1}},
    {"JSON and no bytes", "raw_body", {TO, .body = "{}", .raw_body = ""}},
    {"bytes and a stream", "read", {TO, .raw_body = "x", .raw_body_length = 1, .read = no_read}},
    {"a length without bytes", "raw_body_length", {TO, .raw_body_length = 1}},
    {"a length without a stream", "read_length", {TO, .read_length = 1}},
    {"a type without a body", "content_type", {TO, .content_type = "text/plain"}},
    {"an empty type",
     "content_type",
     {TO, .raw_body = "x", .raw_body_length = 1, .content_type = ""}},
    {"a type that splits",
     "content_type",
     {TO, .raw_body = "x", .raw_body_length = 1, .content_type = "a\r\nb: c"}},
    {"a head without a body", "on_head", {TO, .on_head = no_head}},
};

static void check_refusal(const char *name, const struct scalekit_proxy_params *given,
                          const char *parameter)
{
    struct scalekit_proxy_params params = *given;
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    params.struct_size = sizeof params;
    call = call_proxy(&f, &params);
    call_wait(call);
    ROW_IS(name, call->code == SCALEKIT_ERR_INVALID);
    if (call->error) {
        ROW_IS(name, text_has(call->error->parameter, parameter));
        ROW_IS(name, text_has(call->message, parameter));
        ROW_IS(name, !call->sent && call->attempts == 0);
    }
    ROW_IS(name, service_count(f.service, NULL) + service_count(f.service, SIGN_IN) == 0);
    fixture_free(&f);
}

static void refuses_what_cannot_be(void)
{
    for (size_t i = 0; i < COUNT(refused_rows); i++)
        check_refusal(refused_rows[i].name, &refused_rows[i].params, refused_rows[i].parameter);
}

static const struct scalekit_entry hostile_headers[] = {{"Authorization", "Bearer x"},
                                                        {"authorization", ""},
                                                        {"AUTHORIZATION", "Basic eDp5"},
                                                        {"Proxy-Authorization", "x"},
                                                        {"Cookie", "session=1"},
                                                        {"cookie", "a"},
                                                        {"connection_name", "slack"},
                                                        {"Connection_Name", "slack"},
                                                        {"connection-name", "slack"},
                                                        {"Connection-Name", "slack"},
                                                        {"connection.name", "slack"},
                                                        {"connection~name", "slack"},
                                                        {"identifier", "admin"},
                                                        {"Identifier", "admin"},
                                                        {"x-env-domain", "x"},
                                                        {"X_Env_Domain", "x"},
                                                        {"x-sdk-version", "x"},
                                                        {"x-api-version", "x"},
                                                        {"Host", "evil.example"},
                                                        {"host", ""},
                                                        {"X-Original-URL", "/admin"},
                                                        {"X-Rewrite-URL", "/admin"},
                                                        {"x_original_url", "/admin"},
                                                        {"X-Forwarded-Host", "evil.example"},
                                                        {"Forwarded", "host=evil.example"},
                                                        {"Content-Length", "0"},
                                                        {"content_length", "0"},
                                                        {"CONTENT-LENGTH", "5"},
                                                        {"Content-Type", "text/plain"},
                                                        {"content_type", "text/plain"},
                                                        {"Transfer-Encoding", "chunked"},
                                                        {"transfer_encoding", "chunked"},
                                                        {"Transfer-Encoding", "identity"},
                                                        {"TE", "trailers"},
                                                        {"Trailer", "x"},
                                                        {"Connection", "close"},
                                                        {"connection", "authorization"},
                                                        {"Keep-Alive", "x"},
                                                        {"Proxy-Connection", "keep-alive"},
                                                        {"Upgrade", "websocket"},
                                                        {"HTTP2-Settings", "AAA"},
                                                        {"Expect", "100-continue"},
                                                        /* No names, and no values. */
                                                        {":authority", "evil.example"},
                                                        {":path", "/admin"},
                                                        {"a b", "x"},
                                                        {"a:", "x"},
                                                        {"a:b", "x"},
                                                        {"a\r\nb", "x"},
                                                        {"a\n", "x"},
                                                        {" a", "x"},
                                                        {"a ", "x"},
                                                        {"a\t", "x"},
                                                        {"\x01", "x"},
                                                        {"\xc3\xa9", "x"},
                                                        {"a\x7f", "x"},
                                                        {"a(b)", "x"},
                                                        {"a\"", "x"},
                                                        {"a,b", "x"},
                                                        {"", "x"},
                                                        {"x", "a\r\nauthorization: Bearer y"},
                                                        {"x", "a\nb"},
                                                        {"x", "a\rb"},
                                                        {"x", "\r\n"},
                                                        {"x", "a\x01"},
                                                        {"x", "\x7f"},
                                                        {"x", " a"},
                                                        {"x", "a "},
                                                        {"x", "\ta"},
                                                        {"x", "\xff"},
                                                        {"x", NULL},
                                                        {NULL, "x"}};

/* Whatever of it may be a key or somebody's data. */
static void logs_nothing_of_what_is_sent(void)
{
    static const struct scalekit_entry hidden[] = {{"x-key", "HIDDEN"}};
    static const struct scalekit_proxy_params rows[] = {
        {.path = "/v1?key=HIDDEN"},
        {.path = "/v1", .query = hidden, .n_query = 1},
        {.path = "/v1", .headers = hidden, .n_headers = 1},
        {.path = "/v1", .method = "GET", .body = "\"HIDDEN\""},
        {.path = "/v1", .method = "GET", .form_data = hidden, .n_form_data = 1},
        {.path = "/v1", .method = "GET", .raw_body = "HIDDEN", .raw_body_length = 6},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scalekit_proxy_params params = rows[i];
        struct fixture f;

        fixture_open(&f);
        service_once(f.service, "GET /proxy/v1", (struct service_answer){200, "fine", NULL, 0, 0});
        params.struct_size = sizeof params;
        params.connection_name = "gmail";
        params.identifier = "user_1";
        call_wait(call_proxy(&f, &params));
        CU_ASSERT(text_has(f.log, "gmail"));
        CU_ASSERT_FALSE(text_has(f.log, "HIDDEN"));
        fixture_free(&f);
    }
}

/* More than a server takes, and HTTP/2 carries. */
static void refuses_what_is_too_long(void)
{
    static char text[33000];
    struct scalekit_entry entries[5];

    memset(text, 'a', sizeof text - 1);
    for (size_t i = 0; i < COUNT(entries); i++)
        entries[i] = (struct scalekit_entry){"x", text + sizeof text - 8001};
    check_refusal("headers",
                  &(struct scalekit_proxy_params){TO, .headers = entries, .n_headers = 5},
                  "headers");
    check_refusal("a query", &(struct scalekit_proxy_params){TO, .query = entries, .n_query = 5},
                  "query");
    entries[0].value = text + sizeof text - 8194;
    check_refusal("a header",
                  &(struct scalekit_proxy_params){TO, .headers = entries, .n_headers = 1},
                  "headers");
    text[0] = '/';
    text[8191] = '\0';
    check_refusal("a path", &(struct scalekit_proxy_params){USER, .path = text}, "path");
}

static void refuses_hostile_headers(void)
{
    CU_ASSERT(COUNT(hostile_headers) >= 60);
    for (size_t i = 0; i < COUNT(hostile_headers); i++) {
        const struct scalekit_entry *row = &hostile_headers[i];
        const struct scalekit_entry both[] = {{"x-good", "1"}, *row};

        check_refusal(row->key ? row->key : "(none)",
                      &(struct scalekit_proxy_params){TO, .headers = both, .n_headers = 2},
                      "headers");
    }
}

/* --- what comes back --------------------------------------------------------------------------- */

static struct call *answer_with(struct fixture *f, struct service_answer answer)
{
    struct call *call;

    fixture_open(f);
    service_always(f->service, "POST /proxy/v1", answer);
    call = call_proxy(f, SCALEKIT_PARAMS(scalekit_proxy_params, TO, .method = "POST"));
    call_wait(call);
    return call;
}

static void gives_every_answer_as_it_came(void)
{
    static const int statuses[] = {200, 201, 204, 301, 302, 307, 304, 400, 401, 403,
                                   404, 409, 418, 429, 500, 501, 502, 503, 504, 599};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        bool none = statuses[i] == 204 || statuses[i] == 304;
        const struct scalekit_proxy_response *response;
        struct fixture f;
        struct call *call = answer_with(
            &f, (struct service_answer){statuses[i], none ? NULL : " {\"error\": 1}\n",
                                        "Location: /api/v1/x\r\nRetry-After: 1\r\nX-A: 1\r\n"
                                        "x-a: 2\r\n",
                                        0, 0});

        response = response_of(call);
        CU_ASSERT_PTR_NOT_NULL(response);
        if (response) {
            CU_ASSERT_EQUAL(response->struct_size, sizeof *response);
            CU_ASSERT_EQUAL(response->status, statuses[i]);
            CU_ASSERT_STRING_EQUAL(response->body, none ? "" : " {\"error\": 1}\n");
            CU_ASSERT_EQUAL(response->length, strlen(response->body));
            CU_ASSERT_EQUAL(response->n_headers, 6);
            CU_ASSERT_STRING_EQUAL(response->headers[2].key, "location");
            CU_ASSERT_STRING_EQUAL(response->headers[2].value, "/api/v1/x");
            CU_ASSERT_STRING_EQUAL(response->headers[5].key, "x-a");
            CU_ASSERT_STRING_EQUAL(response->headers[5].value, "2");
        }
        CU_ASSERT_EQUAL(scalekit_request_http_status(call->request), statuses[i]);
        CU_ASSERT_EQUAL(service_count(f.service, NULL), 1);
        CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 1);
        fixture_free(&f);
    }
}

static void keeps_to_the_limit(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    f.config.max_response_bytes = 10;
    fixture_start(&f);
    service_once(f.service, "GET /proxy/v1",
                 (struct service_answer){200, "0123456789", NULL, 0, 0});
    service_once(f.service, "GET /proxy/v1",
                 (struct service_answer){200, "0123456789a", NULL, 0, 0});
    call = call_proxy(&f, SCALEKIT_PARAMS(scalekit_proxy_params, TO));
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
    call = call_proxy(&f, SCALEKIT_PARAMS(scalekit_proxy_params, TO));
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_TOO_LARGE);
    fixture_free(&f);
}

/* --- whose 401 it is --------------------------------------------------------------------------- */

#define OWN "{\"detail\":\"token has expired\",\"code\":\"UNAUTHORIZED\"}"

static const char *const of_provider[] = {
    "{\"detail\":\"x\",\"code\":\"UNAUTHORIZED\",\"more\":1}",
    "{\"detail\":\"x\",\"detail\":\"y\",\"code\":\"UNAUTHORIZED\"}",
    "{\"code\":\"UNAUTHORIZED\"}",
    "{\"code\":\"UNAUTHORIZED\",\"reason\":\"x\"}",
    "{\"detail\":\"x\",\"code\":\"unauthorized\"}",
    "{\"detail\":\"x\",\"code\":\"EXPIRED\"}",
    "{\"detail\":\"x\",\"code\":16}",
    "{\"detail\":\"x\"}",
    "{}",
    "[" OWN "]",
    "\"UNAUTHORIZED\"",
    "{\"detail\":\"x\",\"code\":\"UNAUTHORIZED\"",
    "{\"error\":{\"code\":401,\"message\":\"Invalid Credentials\"}}",
    "not JSON",
    "",
};

static void returns_the_401_of_a_provider(void)
{
    for (size_t i = 0; i < COUNT(of_provider); i++) {
        struct fixture f;
        struct call *call =
            answer_with(&f, (struct service_answer){401, of_provider[i], NULL, 0, 0});

        ROW_IS(of_provider[i], call->code == SCALEKIT_OK);
        ROW_IS(of_provider[i], call->result && response_of(call)->status == 401 &&
                                   text_is(response_of(call)->body, of_provider[i]));
        ROW_IS(of_provider[i], service_count(f.service, NULL) == 1);
        ROW_IS(of_provider[i], service_count(f.service, SIGN_IN) == 1);
        fixture_free(&f);
    }
}

static void signs_in_again_for_a_401_of_scalekit(void)
{
    static const char *const own[] = {OWN,
                                      " {\"code\" : \"UNAUTHORIZED\",\n\"detail\":{\"why\":[1]}} "};

    for (size_t i = 0; i < COUNT(own); i++) {
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        service_once(f.service, "POST /proxy/v1", (struct service_answer){401, own[i], NULL, 0, 0});
        service_always(f.service, "POST /proxy/v1",
                       (struct service_answer){200, "fine", NULL, 0, 0});
        call = call_proxy(
            &f, SCALEKIT_PARAMS(scalekit_proxy_params, TO, .method = "POST", .body = "{\"a\":1}"));
        call_wait(call);
        CU_ASSERT_EQUAL(call->code, SCALEKIT_OK);
        CU_ASSERT_STRING_EQUAL(response_of(call)->body, "fine");
        CU_ASSERT_EQUAL(call->attempts, 2);
        CU_ASSERT_EQUAL(service_count(f.service, SIGN_IN), 2);
        CU_ASSERT(service_had(service_request(f.service, "POST /proxy/v1", 1),
                              "authorization: Bearer tok-2"));
        CU_ASSERT_STRING_EQUAL(service_request(f.service, "POST /proxy/v1", 1)->body, "{\"a\":1}");
        fixture_free(&f);
    }
}

static void signs_in_again_once(void)
{
    struct fixture f;
    struct call *call = answer_with(&f, (struct service_answer){401, OWN, NULL, 0, 0});

    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_UNAUTHORIZED);
    CU_ASSERT_EQUAL(call->error->http_status, 401);
    CU_ASSERT_STRING_EQUAL(call->error->body, OWN);
    CU_ASSERT_EQUAL(call->attempts, 2);
    fixture_free(&f);
}

/* --- sending again ----------------------------------------------------------------------------- */

static void again(const char *method, unsigned times)
{
    struct service_answer lost = {.manner = SERVICE_CLOSES};
    char route[40];
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    snprintf(route, sizeof route, "%s /proxy/v1", method);
    service_always(f.service, route, lost);
    call = call_proxy(&f, SCALEKIT_PARAMS(scalekit_proxy_params, TO, .method = method));
    for (unsigned n = 1; n < times; n++) {
        service_until(f.service, route, n);
        fixture_turn(&f);
        fixture_advance(&f, 5000);
    }
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT(call->sent);
    CU_ASSERT_EQUAL(service_count(f.service, route), times);
    fixture_free(&f);
}

static void sends_only_what_is_safe_again(void)
{
    again("GET", 3);
    again("HEAD", 3);
    again("POST", 1);
    again("PUT", 1);
    again("DELETE", 1);
    again("OPTIONS", 1);
}

static void has_the_time_of_a_tool(void)
{
    struct fixture f;
    struct call *call;

    fixture_init(&f);
    fixture_use_clock(&f);
    fixture_start(&f);
    service_always(f.service, "GET /proxy/v1", (struct service_answer){.manner = SERVICE_HANGS});
    call = call_proxy(&f, SCALEKIT_PARAMS(scalekit_proxy_params, TO));
    service_until(f.service, "GET /proxy/v1", 1);
    fixture_turn(&f);
    fixture_advance(&f, 59999);
    fixture_turn(&f);
    CU_ASSERT_FALSE(call->done);
    fixture_advance(&f, 1);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_DEADLINE);
    fixture_free(&f);
}

SUITE(proxy, {"sends what it is given", sends_what_it_is_given},
      {"refuses what cannot be", refuses_what_cannot_be},
      {"refuses what is too long", refuses_what_is_too_long},
      {"refuses hostile headers", refuses_hostile_headers},
      {"logs nothing of what is sent", logs_nothing_of_what_is_sent},
      {"gives every answer as it came", gives_every_answer_as_it_came},
      {"keeps to the limit of an answer", keeps_to_the_limit},
      {"returns the 401 of a provider", returns_the_401_of_a_provider},
      {"signs in again for a 401 of Scalekit", signs_in_again_for_a_401_of_scalekit},
      {"signs in again only once", signs_in_again_once},
      {"sends only what is safe again", sends_only_what_is_safe_again},
      {"has the time of a tool", has_the_time_of_a_tool})
