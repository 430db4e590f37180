#include "wire.h"

#define USER .connection_name = "gmail", .identifier = "user_1"

#define GETS(name, ...)                                                                            \
    CALL_STARTER(name, get_authorization_link,                                                     \
                 SCALEKIT_PARAMS(scalekit_authorization_link_params, __VA_ARGS__), call_on_link)

GETS(no_connection, .identifier = "user_1")
GETS(no_identifier, .connection_name = "gmail")
GETS(capital_scheme, USER, .user_verify_url = "HTTPS://app.example")
GETS(http, USER, .user_verify_url = "http://app.example")
GETS(no_url, USER, .user_verify_url = "")

static const struct refusal_row refusal_rows[] = {
    {"no connection", no_connection, "connection_name"},
    {"no identifier", no_identifier, "identifier"},
    {"a scheme in capitals", capital_scheme, "user_verify_url"},
    {"http", http, NULL},
    {"an empty URL", no_url, NULL},
};

static void test_refusals(void)
{
    refusal_check(refusal_rows, COUNT(refusal_rows));
}

SUITE(authorization_link,
      {"what is wrong is refused and named, before anything is sent", test_refusals})
