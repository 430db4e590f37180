#include "api/account_key.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROW_IS(row, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (row)->name, __FILE__, "", CU_FALSE)

static void test_connection_name(void)
{
    static const char *const good[] = {"", "gmail", "A-Z a-z 0-9 _ : -", "0", " ", "slack:bot_1"};
    static const char *const bad[] = {"gm/ail", "gmail\n", "gm.ail", "\xc3\xa9",
                                      "a+b",    "\"",      "a%20"};

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT_PTR_NULL(ski_check_connection_name(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_PTR_NOT_NULL(ski_check_connection_name(bad[i]));
}

static void test_account_id(void)
{
    static const char *const good[] = {"ca_", "ca_24834495392086178"};
    static const char *const bad[] = {"", "ca", "CA_1", "conn_1", " ca_1", "xca_1"};

    for (size_t i = 0; i < COUNT(good); i++)
        CU_ASSERT_PTR_NULL(ski_check_account_id(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        CU_ASSERT_PTR_NOT_NULL(ski_check_account_id(bad[i]));
}

static const struct key_row {
    const char *name;
    const char *id, *connection, *identifier;
    const char *parameter; /* that is named; NULL: the key is right */
} key_rows[] = {
    {"id", "ca_1", NULL, NULL, NULL},
    {"user", NULL, "gmail", "user_1", NULL},
    {"both", "ca_1", "gmail", "user_1", NULL},
    {"id and half a user", "ca_1", "gmail", NULL, NULL},
    {"user and an empty id", "", "gmail", "user_1", NULL},
    {"nothing", NULL, NULL, NULL, "connected_account_id"},
    {"all empty", "", "", "", "connected_account_id"},
    {"no identifier", NULL, "gmail", NULL, "identifier"},
    {"empty identifier", NULL, "gmail", "", "identifier"},
    {"no connection", NULL, NULL, "user_1", "connection_name"},
    {"empty connection", NULL, "", "user_1", "connection_name"},
};

static void test_key(void)
{
    for (size_t i = 0; i < COUNT(key_rows); i++) {
        const struct key_row *row = &key_rows[i];
        const char *parameter = NULL;
        const char *problem =
            ski_check_account_key(row->id, row->connection, row->identifier, &parameter);

        ROW_IS(row, !problem == !row->parameter);
        if (row->parameter)
            ROW_IS(row, parameter && strcmp(parameter, row->parameter) == 0 &&
                            strstr(problem, parameter));
    }
}

SUITE(account_key, {"a connection name has few characters", test_connection_name},
      {"an account id begins with ca_", test_account_id},
      {"an account is named by its id, or by connection and identifier", test_key})
