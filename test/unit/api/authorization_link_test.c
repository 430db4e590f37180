#include "api/authorization_link.h"
#include "wire.h"

static struct call *get_link(struct fixture *f,
                             const struct scalekit_authorization_link_params *params)
{
    struct call *call = call_new(f);

    return call_began(call, scalekit_get_authorization_link(f->client, params, call_on_link, call));
}

#define GET_LINK(name, ...)                                                                        \
    static struct call *name(struct fixture *f)                                                    \
    {                                                                                              \
        return get_link(f, SCALEKIT_PARAMS(scalekit_authorization_link_params, __VA_ARGS__));      \
    }

#define PATH "/api/v1/connected_accounts/magic_link"
#define USER .connection_name = "gmail", .identifier = "user_1"

/* --- the request ------------------------------------------------------------------------------- */

GET_LINK(by_user, USER)
GET_LINK(by_id, .connected_account_id = "ca_1")
GET_LINK(everything, .connected_account_id = "ca_1", USER, .organization_id = "org_1",
         .user_id = "usr_1", .state = "s/1", .user_verify_url = "https://app.example/verify?a=b")

static const struct wire_row wire_rows[] = {
    {"by user", by_user, LINK, PATH, "{\"connector\":\"gmail\",\"identifier\":\"user_1\"}",
     ACCOUNT_BODY},
    {"by id", by_id, LINK, PATH, "{\"id\":\"ca_1\"}", ACCOUNT_BODY},
    {"everything", everything, LINK, PATH,
     "{\"id\":\"ca_1\",\"connector\":\"gmail\",\"identifier\":\"user_1\","
     "\"organization_id\":\"org_1\",\"user_id\":\"usr_1\",\"state\":\"s/1\","
     "\"user_verify_url\":\"https://app.example/verify?a=b\"}",
     ACCOUNT_BODY},
};

static void test_wire(void)
{
    wire_check(wire_rows, COUNT(wire_rows));
}

GET_LINK(nobody, .state = "s")
GET_LINK(no_connection, .identifier = "user_1")
GET_LINK(no_identifier, .connection_name = "gmail")
GET_LINK(ftp, USER, .user_verify_url = "ftp://app.example")
GET_LINK(no_scheme, USER, .user_verify_url = "app.example")
GET_LINK(capital_scheme, USER, .user_verify_url = "HTTPS://app.example")
GET_LINK(http, USER, .user_verify_url = "http://app.example")
GET_LINK(no_url, USER, .user_verify_url = "")

static const struct refusal_row refusal_rows[] = {
    {"nobody", nobody, "connected_account_id"},
    {"no connection", no_connection, "connection_name"},
    {"no identifier", no_identifier, "identifier"},
    {"another scheme", ftp, "user_verify_url"},
    {"no scheme", no_scheme, "user_verify_url"},
    {"a scheme in capitals", capital_scheme, "user_verify_url"},
    {"http", http, NULL},
    {"an empty URL", no_url, NULL},
};

static void test_refusals(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

#define AT(member) #member, offsetof(struct scalekit_authorization_link_params, member)

static const struct length_row length_rows[] = {
    {AT(connected_account_id), "ca_", 3, 32},
    {AT(connection_name), NULL, 1, 400},
    {AT(identifier), NULL, 1, 100},
    {AT(organization_id), NULL, 0, 32},
    {AT(user_id), NULL, 0, 32},
    {AT(state), NULL, 0, 512},
    {AT(user_verify_url), "https://", 8, 2048},
};

static struct call *with_text(struct fixture *f, size_t offset, const char *text)
{
    struct scalekit_authorization_link_params params = {.struct_size = sizeof params, USER};

    *(const char **)((char *)&params + offset) = text;
    return get_link(f, &params);
}

static void test_lengths(void)
{
    length_check(length_rows, COUNT(length_rows), with_text);
}

/* --- the answer -------------------------------------------------------------------------------- */

#define SEPTEMBER INT64_C(1788257106000000) /* 2026-09-01T10:05:06Z */

static const struct answer_row {
    const char *name, *body, *link;
    scalekit_time expiry;
    const char *problem;
} answer_rows[] = {
    {"full", "{\"link\":\"https://l.example/x?y=z\",\"expiry\":\"2026-09-01T10:05:06Z\"}",
     "https://l.example/x?y=z", SEPTEMBER, NULL},
    {"a fraction", "{\"link\":\"l\",\"expiry\":\"2026-09-01T10:05:06.123456789Z\"}", "l",
     SEPTEMBER + 123456, NULL},
    {"without expiry", "{\"link\":\"l\"}", "l", 0, NULL},
    {"expiry is null", "{\"link\":\"l\",\"expiry\":null}", "l", 0, NULL},
    {"absent", "{}", NULL, 0, "link"},
    {"null", "{\"link\":null}", NULL, 0, "link"},
    {"empty", "{\"link\":\"\"}", NULL, 0, "link"},
    {"unknown members", "{\"link\":\"l\",\"exp_time\":7,\"more\":{}}", "l", 0, NULL},
    {"no object", "\"https://l.example\"", NULL, 0, ""},
    {"link of a wrong type", "{\"link\":[]}", NULL, 0, "link"},
    {"no moment", "{\"link\":\"l\",\"expiry\":\"soon\"}", NULL, 0, "expiry"},
};

static void test_answers(void)
{
    for (size_t i = 0; i < COUNT(answer_rows); i++) {
        const struct answer_row *row = &answer_rows[i];
        const struct scalekit_authorization_link *link;
        struct fixture f;
        struct call *call = wire_answer(&f, by_user, LINK, row->body);

        link = call->result;
        ROW_IS(row->name, call->code == (row->problem ? SCALEKIT_ERR_DECODE : SCALEKIT_OK));
        if (link) {
            ROW_IS(row->name, link->struct_size == sizeof *link);
            ROW_IS(row->name, text_is(link->link, row->link));
            ROW_IS(row->name, link->expiry == row->expiry);
        } else {
            ROW_IS(row->name, row->problem && text_has(call->message, row->problem));
        }
        fixture_free(&f);
    }
}

static void test_log(void)
{
    struct fixture f;

    wire_answer(&f, everything, LINK, "{\"link\":\"https://l.example/one-time\"}");
    CU_ASSERT(text_has(f.log, "get_authorization_link"));
    CU_ASSERT_FALSE(text_has(f.log, "one-time"));
    CU_ASSERT_FALSE(text_has(f.log, "s/1"));
    fixture_free(&f);
}

SUITE(authorization_link, {"the request is written from typed params", test_wire},
      {"what is wrong is refused and named, before anything is sent", test_refusals},
      {"every length has its limit", test_lengths},
      {"the answer is read in every variant", test_answers},
      {"links and states do not reach the log", test_log})
